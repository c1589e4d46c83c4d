"""The register of devices: what each agent says of its printers, strips, keypads, loudspeakers, panels, readers.

An agent states the whole row at its start and on each change; the last word counts. Kept in `devices.sqlite` in the
data folder, so that paper still finds its printer after a restart of the server.
"""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from threading import Lock

from server.domain.terms import DeviceId, HallId, WindowNo, ZoneId

ROWS_MAX = 1000  # devices of one hall
BUSY_WAIT_S = 5.0


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


class RegisterFull(Exception):
    """The hall has more devices than a hall can have; nothing was kept."""


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


def _from_stored(stored: str) -> Row:
    fields = json.loads(stored)
    for name in ("windows", "zones", "kiosks"):
        fields[name] = tuple(fields[name])
    fields["faults"] = tuple(Fault(**fault) for fault in fields["faults"])
    fields["kind"], fields["health"] = Kind(fields["kind"]), Health(fields["health"])
    return Row(**fields)
