"""The device register: printers, strips, keypads, speakers and rating pads as their agents last described them.

Kept in `devices.sqlite` in the data folder with each device's cursor (the last job it has done) and what became of
its jobs. Opened for each operation, rollback journal: the file is small and is copied while the server runs.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from server.domain.terms import HallId

RESULTS_MAX = 20_000  # results kept per data folder: some days of a busy hall
DETAIL_MAX = 200
STATUS_MAX = 20
BUSY_WAIT_S = 5.0

Write = Callable[[], None]

_TABLES = """
create table if not exists devices (
    place integer primary key autoincrement, hall text not null, device text not null, row text not null,
    unique (hall, device)) strict;
create table if not exists cursors (
    hall text not null, device text not null, seq integer not null, job integer not null,
    primary key (hall, device)) strict;
create table if not exists results (
    id integer primary key, hall text not null, job text not null, device text not null, kind text not null,
    ticket text not null, status text not null, detail text not null, at_ms integer not null,
    unique (hall, job, device)) strict;
create index if not exists results_by_ticket on results (hall, ticket);
"""


class RegisterBroken(Exception):
    """The file is there but is no device register; the text says which file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device as its agent sees it. `account`: the enrolled device whose token registered it, with its `role`.

    `faults`: [{"code", "detail", "since"}, ...]; `last_seen_ms`: Unix ms of the last sign of life.
    """

    hall: str
    device: str
    kind: str
    driver: str = ""
    url: str = ""
    windows: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    kiosks: tuple[str, ...] = ()
    host: str | None = None
    ip: str | None = None
    mac: str | None = None
    agent: str | None = None
    health: str = "ok"
    faults: tuple[Mapping[str, Any], ...] = ()
    paper: str | None = None
    account: str = ""
    role: str = "devices"
    last_seen_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The last job a device has done or let pass: commit and place in it."""

    seq: int
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What became of a job. `status`: printed, said, unknown, failed, expired, dropped."""

    hall: str
    job: str
    device: str
    kind: str
    ticket: str
    status: str
    detail: str
    at_ms: int


class DeviceRegister:
    """The devices of all halls of this server."""

    def __init__(
        self,
        path: Path,
        *,
        seq_of: Callable[[str], int],
        now_ms: Callable[[], int],
        offload: Callable[[Write], None] = lambda write: write(),
    ) -> None:
        """Open or make the file. `seq_of` gives a hall's newest commit: there a new device begins.

        `offload` runs a blocking write and returns when it is done.

        Raises:
            RegisterBroken: the file is no device register.
        """
        self._path, self._seq_of, self._now_ms, self._offload = path, seq_of, now_ms, offload
        self._rows: dict[tuple[str, str], DeviceRow] = {}
        self._last: dict[tuple[str, str], JobResult] = {}
        self._connected: set[tuple[str, str]] = set()
        self._wakes: list[Callable[[str], None]] = []
        try:
            with self._write() as base:
                base.execute("pragma journal_mode = delete")
                base.executescript(_TABLES)
                for hall, device, text in base.execute("select hall, device, row from devices order by place"):
                    self._rows[hall, device] = msgspec.json.decode(text, type=DeviceRow)
                for found in base.execute(_LAST_RESULTS):
                    last = _result(found)
                    self._last[last.hall, last.device] = last
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
            raise RegisterBroken(f"{path} cannot be used as the device register: {error}") from error

    def put(self, row: DeviceRow) -> None:
        """Keep a device's row as it is now; a device that was not known begins with the jobs of now."""
        fresh = replace(row, last_seen_ms=self._now_ms())
        start = self._seq_of(row.hall)
        text = msgspec.json.encode(fresh).decode()

        def write() -> None:
            with self._write() as base:
                base.execute(
                    "insert into devices (hall, device, row) values (?,?,?)"
                    " on conflict (hall, device) do update set row = excluded.row",
                    (row.hall, row.device, text),
                )
                base.execute("insert or ignore into cursors values (?,?,?,-1)", (row.hall, row.device, start + 1))

        self._offload(write)
        self._rows[row.hall, row.device] = fresh
        self._tell(row.hall)

    def rows(self, hall: str | None = None) -> list[DeviceRow]:
        """Give the devices of a hall (of all halls), first registered first."""
        return [row for row in self._rows.values() if hall is None or row.hall == hall]

    def row(self, hall: str, device: str) -> DeviceRow | None:
        """Give one device, None when it never registered."""
        return self._rows.get((hall, device))

    def is_connected(self, hall: str, device: str) -> bool:
        """Say whether an agent follows the device's jobs now."""
        return (hall, device) in self._connected

    def last_result(self, hall: str, device: str) -> JobResult | None:
        """Give what became of the device's last job."""
        return self._last.get((hall, device))

    def results(self, hall: str, ticket: str) -> list[JobResult]:
        """Give what became of the jobs for a ticket, oldest first."""
        with closing(self._open()) as base:
            return [_result(row) for row in base.execute(_RESULTS_OF_TICKET, (hall, ticket))]

    def follow(self, wake: Callable[[str], None]) -> None:
        """Call `wake(hall)` when a row, a connection or a result has changed; it must only set a flag."""
        self._wakes.append(wake)

    def connected(self, hall: str, device: str, *, now: bool) -> None:
        """Note that an agent began or ceased to follow the device's jobs."""
        (self._connected.add if now else self._connected.discard)((hall, device))
        if (row := self._rows.get((hall, device))) is not None:
            self._rows[hall, device] = replace(row, last_seen_ms=self._now_ms())
        self._tell(hall)

    def cursor(self, hall: str, device: str) -> Cursor:
        """Give where a device stands; one that was never heard of begins now, for good."""
        with closing(self._open()) as base:
            found = base.execute("select seq, job from cursors where hall=? and device=?", (hall, device)).fetchone()
        if found is not None:
            return Cursor(seq=found[0], job=found[1])
        start = Cursor(seq=self._seq_of(hall) + 1, job=-1)

        def write() -> None:
            with self._write() as base:
                base.execute("insert or ignore into cursors values (?,?,?,?)", (hall, device, start.seq, start.job))

        self._offload(write)
        return start

    def done(self, result: JobResult, cursor: Cursor) -> None:
        """Keep what became of a job and move the device's cursor behind it, in one step."""
        kept = replace(result, status=result.status[:STATUS_MAX], detail=result.detail[:DETAIL_MAX])

        def write() -> None:
            with self._write() as base:
                base.execute(
                    "insert into results (hall, job, device, kind, ticket, status, detail, at_ms)"
                    " values (?,?,?,?,?,?,?,?) on conflict (hall, job, device) do nothing",
                    (kept.hall, kept.job, kept.device, kept.kind, kept.ticket, kept.status, kept.detail, kept.at_ms),
                )
                base.execute(
                    "insert into cursors values (?,?,?,?) on conflict (hall, device)"
                    " do update set seq = excluded.seq, job = excluded.job",
                    (kept.hall, kept.device, cursor.seq, cursor.job),
                )
                base.execute("delete from results where id <= (select max(id) from results) - ?", (RESULTS_MAX,))

        self._offload(write)
        self._last[kept.hall, kept.device] = kept
        if (row := self._rows.get((kept.hall, kept.device))) is not None:
            self._rows[kept.hall, kept.device] = replace(row, last_seen_ms=self._now_ms())
        self._tell(kept.hall)

    def wire(self, hall: str, instant: Callable[[int], str]) -> list[dict[str, Any]]:
        """Give a hall's rows as the manager's page gets them; `instant` writes Unix ms as the wire does."""
        return [self._wire(row, instant) for row in self.rows(hall)]

    def _wire(self, row: DeviceRow, instant: Callable[[int], str]) -> dict[str, Any]:
        view: dict[str, Any] = msgspec.to_builtins(row)
        seen_ms = view.pop("last_seen_ms")
        last = self._last.get((row.hall, row.device))
        view["last_seen"] = None if seen_ms is None else instant(seen_ms)
        view["connected"] = self.is_connected(row.hall, row.device)
        view["last_job"] = last and {
            "id": last.job,
            "kind": last.kind,
            "ticket": last.ticket,
            "status": last.status,
            "detail": last.detail,
            "at": instant(last.at_ms),
        }
        return view

    def _tell(self, hall: str) -> None:
        for wake in self._wakes:
            wake(hall)

    def _open(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=BUSY_WAIT_S, isolation_level="IMMEDIATE")
        base.execute("pragma synchronous = full")
        return base

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with closing(self._open()) as base, base:
            yield base


_LAST_RESULTS = """select hall, job, device, kind, ticket, status, detail, at_ms from results
    where id in (select max(id) from results group by hall, device)"""
_RESULTS_OF_TICKET = """select hall, job, device, kind, ticket, status, detail, at_ms from results
    where hall = ? and ticket = ? order by id"""


def _result(row: Sequence[Any]) -> JobResult:
    hall, job, device, kind, ticket, status, detail, at_ms = row
    return JobResult(
        hall=hall, job=job, device=device, kind=kind, ticket=ticket, status=status, detail=detail, at_ms=at_ms
    )


def hall_rows(register: DeviceRegister, hall: HallId, kind: str) -> list[DeviceRow]:
    """Give a hall's devices of one kind, first registered first."""
    return [row for row in register.rows(hall) if row.kind == kind]
