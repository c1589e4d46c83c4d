"""The register of devices: what each agent says of its printers, strips, keypads, loudspeakers, panels, readers.

An agent states the whole row at its start and on each change; the last word counts. Kept in `devices.sqlite` in the
data folder, so that paper still finds its printer after a restart of the server.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from threading import Lock

from server.domain.terms import DeviceId, HallId, WindowNo, ZoneId

ROWS_MAX = 1000  # devices of one hall
BUSY_WAIT_S = 5.0
ODD_FOR_MS = 24 * 3600 * 1000
TWINS_NAMED = 3


class Kind(StrEnum):
    """What a registered device is."""

    PRINTER = "printer"
    STRIP = "strip"
    KEYPAD = "keypad"
    SPEAKER = "speaker"
    RATING = "rating"
    PANEL = "panel"
    IDCARD = "idcard"
    SCANNER = "scanner"


class Health(StrEnum):
    """How a device does."""

    OK = "ok"
    DOWN = "down"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a device; `since` is the agent's own instant (RFC 3339)."""

    code: str
    detail: str = ""
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One device. `owner` is the enrolled device (agent) that stated it, `seen_ms` when (Unix ms)."""

    hall: HallId
    device: DeviceId
    kind: Kind
    owner: DeviceId
    seen_ms: int = 0
    driver: str = ""
    url: str = ""
    windows: tuple[WindowNo, ...] = ()
    zones: tuple[ZoneId, ...] = ()
    kiosks: tuple[DeviceId, ...] = ()
    host: str | None = None
    ip: str | None = None
    mac: str | None = None
    agent: str | None = None
    health: Health = Health.OK
    faults: tuple[Fault, ...] = field(default=())
    paper: str | None = None
    firmware: str | None = None
    old_ip: str | None = None  # before it last changed, at `moved_ms`
    old_mac: str | None = None
    moved_ms: int = 0


class RegisterFull(Exception):
    """The hall has more devices than a hall can have; nothing was kept."""


class AddressFault(StrEnum):
    """What is odd about the addresses of a device's machine: the register of IP and MAC says it to the manager."""

    CHANGED = "address_changed"
    TWICE = "address_twice"


def address_faults(row: Row, rows: Iterable[Row]) -> list[Fault]:
    """Give what is odd about a row's addresses beside the others of its hall; both stand for a day.

    Another IP or MAC than before: a machine was exchanged, or one pretends to be it. The same IP on another card, or
    the same card on another machine: one of them is not what it says.
    """
    found = []
    if row.moved_ms and row.seen_ms - row.moved_ms <= ODD_FOR_MS:
        detail = f"{_address(row.old_ip, row.old_mac)} → {_address(row.ip, row.mac)}"
        found.append(Fault(code=AddressFault.CHANGED, detail=detail))
    others = [it for it in rows if abs(it.seen_ms - row.seen_ms) <= ODD_FOR_MS]
    same_ip = [it for it in others if row.ip and it.ip == row.ip and it.mac and row.mac and it.mac != row.mac]
    same_mac = [it for it in others if row.mac and it.mac == row.mac and it.host and row.host and it.host != row.host]
    for what, twins in ((row.ip, same_ip), (row.mac, same_mac)):
        if twins:
            names = ", ".join(sorted({it.device for it in twins})[:TWINS_NAMED])
            found.append(Fault(code=AddressFault.TWICE, detail=f"{what}: {names}"))
    return found


def _address(ip: str | None, mac: str | None) -> str:
    return " ".join(part for part in (ip, mac) if part)


class Register:
    """All rows of all halls of this server, in the order in which the devices were first stated."""

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """Read the rows; without a path they live in memory only."""
        self._path, self._clock, self._lock = path, clock, Lock()
        self._rows: dict[tuple[HallId, DeviceId], Row] = {}
        self._wakes: list[Callable[[HallId], None]] = []
        self._version = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, timeout=BUSY_WAIT_S)) as base, base:
                base.execute(
                    "create table if not exists register (hall text, device text, row text, primary key (hall, device))"
                )
                for (stored,) in base.execute("select row from register order by rowid"):
                    row = _from_stored(stored)
                    self._rows[row.hall, row.device] = row

    @property
    def version(self) -> int:
        """Count the changes since the start: the same number, the same rows."""
        return self._version

    def put(self, row: Row) -> Row:
        """Keep a row as of now and give it back.

        Raises:
            RegisterFull: the hall has `ROWS_MAX` other devices already.
        """
        row = replace(row, seen_ms=int(self._clock() * 1000))
        key = (row.hall, row.device)
        with self._lock:
            row = _compared(row, self._rows.get(key))
            if key not in self._rows and sum(hall == row.hall for hall, _ in self._rows) >= ROWS_MAX:
                raise RegisterFull(row.hall)
            if self._path is not None:
                with closing(sqlite3.connect(self._path, timeout=BUSY_WAIT_S)) as base, base:
                    base.execute(
                        "insert into register values (?,?,?) on conflict do update set row = excluded.row",
                        (row.hall, row.device, json.dumps(asdict(row), ensure_ascii=False)),
                    )
            self._rows[key] = row
            self._version += 1
        for wake in self._wakes:
            wake(row.hall)
        return row

    def rows(self, hall: HallId) -> list[Row]:
        """Give the rows of a hall."""
        with self._lock:
            return [row for row in self._rows.values() if row.hall == hall]

    def row(self, hall: HallId, device: DeviceId) -> Row | None:
        """Give the row of a device, None when nobody has stated it."""
        with self._lock:
            return self._rows.get((hall, device))

    def owns(self, owner: str, hall: HallId, window: WindowNo, kind: Kind) -> bool:
        """Say whether an agent has stated a device of this kind at this window."""
        return any(row.owner == owner and row.kind is kind and window in row.windows for row in self.rows(hall))

    def follow(self, wake: Callable[[HallId], None]) -> None:
        """Call `wake(hall)` after each change. It must only set a flag."""
        self._wakes.append(wake)


def _compared(row: Row, before: Row | None) -> Row:
    """Give the row with what its addresses were before; an address that cannot be read is no other one."""
    if before is None:
        return row
    moved = any(new and old and new != old for new, old in ((row.ip, before.ip), (row.mac, before.mac)))
    if moved:
        return replace(row, old_ip=before.ip, old_mac=before.mac, moved_ms=row.seen_ms)
    return replace(row, old_ip=before.old_ip, old_mac=before.old_mac, moved_ms=before.moved_ms)


def _from_stored(stored: str) -> Row:
    fields = json.loads(stored)
    for name in ("windows", "zones", "kiosks"):
        fields[name] = tuple(fields[name])
    fields["faults"] = tuple(Fault(**fault) for fault in fields["faults"])
    fields["kind"], fields["health"] = Kind(fields["kind"]), Health(fields["health"])
    return Row(**fields)
