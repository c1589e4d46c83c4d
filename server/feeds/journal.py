"""Where each device stands in its jobs, and what became of them.

Kept in `devices.sqlite` in the data folder, beside the register. Opened for each operation, rollback journal: the file
is small and may be copied while the server runs.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from server.domain.terms import HallId

RESULTS_MAX = 20_000  # kept per data folder: some days of a busy hall
DETAIL_MAX = 200
STATUS_MAX = 20
BUSY_WAIT_S = 5.0

Write = Callable[[], None]

log = logging.getLogger(__name__)

_TABLES = """
create table if not exists job_cursors (
    hall text not null, device text not null, seq integer not null, job integer not null,
    primary key (hall, device)) strict;
create table if not exists job_results (
    id integer primary key, hall text not null, job text not null, device text not null, kind text not null,
    ticket text not null, status text not null, detail text not null, at_ms integer not null,
    unique (hall, job, device)) strict;
create index if not exists job_results_by_ticket on job_results (hall, ticket);
"""
_LAST = """select hall, job, device, kind, ticket, status, detail, at_ms from job_results
    where id in (select max(id) from job_results group by hall, device)"""
_OF_TICKET = """select hall, job, device, kind, ticket, status, detail, at_ms from job_results
    where hall = ? and ticket = ? order by id"""


class JournalBroken(Exception):
    """The file is there but cannot be used; the text says which file and why."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A place in the row of jobs: commit, and event in it."""

    seq: int
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What became of a job. `status`: printed, said, unknown, failed, expired, dropped."""

    hall: HallId
    job: str
    device: str
    kind: str
    ticket: str
    status: str
    detail: str
    at_ms: int


class JobJournal:
    """The places and results of all devices of this server. Safe to use from many threads or greenlets."""

    def __init__(self, path: Path, *, offload: Callable[[Write], None] = lambda write: write()) -> None:
        """Open or make the file. `offload` runs a blocking write and returns when it is done.

        Raises:
            JournalBroken: the file cannot be used.
        """
        self._path, self._offload, self._full = path, offload, False
        try:
            with self._write() as base:
                base.executescript(_TABLES)
                places = base.execute("select hall, device, seq, job from job_cursors").fetchall()
                results = [_result(row) for row in base.execute(_LAST)]
        except sqlite3.DatabaseError as error:
            raise JournalBroken(f"{path} cannot be used as the register of devices: {error}") from error
        self._places = {(hall, device): Place(seq=seq, job=job) for hall, device, seq, job in places}
        self._last = {(result.hall, result.device): result for result in results}

    def place(self, hall: HallId, device: str) -> Place | None:
        """Give the last job a device has done or let pass, None when it was never heard of."""
        return self._places.get((hall, device))

    def begin(self, hall: HallId, device: str, place: Place) -> None:
        """Let a new device begin behind a place, for good."""

        def write() -> None:
            with self._write() as base:
                base.execute("insert or ignore into job_cursors values (?,?,?,?)", (hall, device, place.seq, place.job))

        self._places.setdefault((hall, device), place)
        self._keep(write)

    def done(self, result: JobResult, place: Place) -> None:
        """Keep what became of a job and move the device's place behind it, in one step."""
        kept = replace(result, status=result.status[:STATUS_MAX], detail=result.detail[:DETAIL_MAX])

        def write() -> None:
            with self._write() as base:
                base.execute(
                    "insert into job_results (hall, job, device, kind, ticket, status, detail, at_ms)"
                    " values (?,?,?,?,?,?,?,?) on conflict (hall, job, device) do nothing",
                    (kept.hall, kept.job, kept.device, kept.kind, kept.ticket, kept.status, kept.detail, kept.at_ms),
                )
                base.execute(
                    "insert into job_cursors values (?,?,?,?) on conflict (hall, device)"
                    " do update set seq = excluded.seq, job = excluded.job",
                    (kept.hall, kept.device, place.seq, place.job),
                )
                base.execute(
                    "delete from job_results where id <= (select max(id) from job_results) - ?", (RESULTS_MAX,)
                )

        self._places[kept.hall, kept.device] = place
        self._last[kept.hall, kept.device] = kept
        self._keep(write)

    def last(self, hall: HallId, device: str) -> JobResult | None:
        """Give what became of the device's last job."""
        return self._last.get((hall, device))

    def of_ticket(self, hall: HallId, ticket: str) -> list[JobResult]:
        """Give what became of the jobs for a ticket, oldest first."""
        with closing(self._open()) as base:
            return [_result(row) for row in base.execute(_OF_TICKET, (hall, ticket))]

    def _keep(self, write: Write) -> None:
        """Write, and go on when the disk is full: then a restart sends a job again, and the agent knows better."""
        try:
            self._offload(write)
        except sqlite3.OperationalError as error:
            if not self._full:
                log.error("places of devices are not kept: %s", error)
            self._full = True
        else:
            if self._full:
                log.info("places of devices are kept again")
            self._full = False

    def _open(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=BUSY_WAIT_S, isolation_level="IMMEDIATE")
        base.execute("pragma synchronous = extra")  # full would let a power cut undo what was just written
        return base

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with closing(self._open()) as base, base:
            yield base


def _result(row: Sequence[Any]) -> JobResult:
    hall, job, device, kind, ticket, status, detail, at_ms = row
    return JobResult(
        hall=HallId(hall), job=job, device=device, kind=kind, ticket=ticket, status=status, detail=detail, at_ms=at_ms
    )
