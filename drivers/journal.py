"""What was done already: a job that comes twice is answered from here, and a job that was begun is never begun again.

One row per job, in a SQLite file of the agent, durable before the first byte goes to the device (rollback journal,
synchronous=EXTRA: a power cut right after the ticket came out finds the row; FULL would not sync the folder after the
journal is gone, and the cut would bring that back and undo the row). A row without a result is a job that was
begun and interrupted: nobody can know how it ended, so it is `unknown` and stays so.

A job is known by its device, its id and by what it is about; a paper by the last two, for a printer may stand in for
another.
"""

import sqlite3
import threading
from datetime import datetime, timedelta
from pathlib import Path

from drivers.jobs import JobOrder, PrintNotice, PrintTicket, Result, ResultStatus

INTERRUPTED = "begun before the agent was interrupted"
KEPT_DAYS = 7
"""Jobs expire within minutes; a week is for the technician who looks what happened."""

_SCHEMA = """
create table if not exists job (
    device text not null,
    id text not null,
    about text not null,
    started_at text not null,
    status text,
    detail text not null default '',
    primary key (device, id, about)
) without rowid
"""


class Journal:
    """The agent's memory of jobs; may be used from every owner thread."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Open or make the file. Rows older than a week are forgotten, now and every day.

        Raises sqlite3.Error when the file cannot be used.
        """
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("pragma journal_mode=delete")
        self._file.execute("pragma synchronous=extra")
        self._file.execute(_SCHEMA)
        self._forget_old(now)

    def take_interrupted(self) -> frozenset[str]:
        """Give the devices whose job was begun and not ended before this process; those jobs are unknown for good."""
        with self._lock:
            rows = self._file.execute("select distinct device from job where status is null").fetchall()
            self._file.execute(
                "update job set status = ?, detail = ? where status is null", (str(ResultStatus.UNKNOWN), INTERRUPTED)
            )
        return frozenset(row[0] for row in rows)

    def answer(self, order: JobOrder) -> Result | None:
        """Give the result of a job that was done or begun before, or None for a new one.

        A paper is done once, whichever of this agent's printers it went to.
        """
        any_device = isinstance(order.job, PrintTicket | PrintNotice)
        with self._lock:
            row = self._file.execute(
                "select status, detail from job where (device = ? or ?) and id = ? and about = ? order by device <> ?",
                (order.device, any_device, order.id, order.about, order.device),
            ).fetchone()
        if row is None:
            return None
        if row[0] is None:
            return Result(status=ResultStatus.UNKNOWN, detail=INTERRUPTED)
        return Result(status=ResultStatus(row[0]), detail=row[1])

    def start(self, order: JobOrder, now: datetime) -> None:
        """Note durably that the job is being done; from now on it is never begun again."""
        with self._lock:
            if now.date() != self._forgot_on:  # an agent may run for years
                self._forget_old(now)
            self._file.execute(
                "insert or ignore into job (device, id, about, started_at) values (?, ?, ?, ?)",
                (*_key(order), now.isoformat()),
            )

    def finish(self, order: JobOrder, result: Result, now: datetime) -> None:
        """Note durably how the job ended; the first result stands."""
        self.start(order, now)
        with self._lock:
            self._file.execute(
                "update job set status = ?, detail = ? where device = ? and id = ? and about = ? and status is null",
                (str(result.status), result.detail, *_key(order)),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _forget_old(self, now: datetime) -> None:
        oldest = (now - timedelta(days=KEPT_DAYS)).isoformat()
        self._file.execute("delete from job where started_at < ?", (oldest,))
        self._forgot_on = now.date()


def _key(order: JobOrder) -> tuple[str, str, str]:
    return order.device, order.id, order.about
