"""The table of commits in an SQLite file: how it is made, opened for reading, and read with its chain checked.

The file that a hall writes and the months that left it (`server.ledger.archive`) have the same table. Who only reads
opens it read-only, which never checkpoints; a file that nobody writes any more is opened as immutable, without locks.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from server.domain import events as e
from server.ledger import codec
from server.ledger.base import LedgerBroken, LedgerDown

FORM = 1  # of the tables, kept in the file; a file of a later form is refused
WAIT_S = 10.0  # for a file that is just being written
SOUGHT = (e.HallPlanned, e.AppealDecided)  # events that reports look for over years; each has an index

COLUMNS = "seq, day, key, prev_hash, hash, body"
INSERT = f"INSERT INTO commits ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - columns
TABLE = (
    """CREATE TABLE IF NOT EXISTS commits (
        seq INTEGER PRIMARY KEY,
        day TEXT NOT NULL,
        key TEXT,
        prev_hash TEXT NOT NULL,
        hash TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS commits_are_final BEFORE UPDATE ON commits
        BEGIN SELECT RAISE(ABORT, 'commits are never changed'); END""",
)


class Row(NamedTuple):
    """A stored commit: `body` is its stored form, over which the hashes are made."""

    seq: int
    day: str
    key: str | None
    prev_hash: str
    hash: str
    body: bytes


def holds(event: type[e.Event]) -> str:
    """Give the SQL condition that a commit holds an event of a kind; within text its quotes would be escaped."""
    mark = f'["{codec.STORED_NAME[event]}",'.encode()
    return f"instr(body, x'{mark.hex()}') > 0"


def indexes() -> list[str]:
    """Give the SQL that makes the indexes of the table."""
    return [
        "CREATE UNIQUE INDEX IF NOT EXISTS commits_by_key ON commits (day, key) WHERE key IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS commits_by_day ON commits (day)",
        *(
            f"CREATE INDEX IF NOT EXISTS commits_with_{codec.STORED_NAME[event]} ON commits (seq) WHERE {holds(event)}"
            for event in SOUGHT
        ),
    ]


@contextmanager
def reading(path: Path, *, immutable: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a file for reading only.

    Raises:
        LedgerDown: there is no such file, or it cannot be read now. LedgerBroken: it is no ledger, or damaged.
    """
    if not path.is_file():
        raise LedgerDown(f"{path}: there is no such ledger")
    how = "mode=ro&immutable=1" if immutable else "mode=ro"
    with translated(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=WAIT_S, check_same_thread=False
        )
        with closing(connection) as db:
            yield db


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say what SQLite says in the words of a ledger: a disk that fails for a moment is no reason to restore."""
    try:
        yield
    except sqlite3.Error as error:
        raise trouble(path, error) from error


def trouble(path: Path, error: sqlite3.Error) -> LedgerBroken | LedgerDown:
    """Give what an error of SQLite means: the file is damaged, or it cannot be used now (closed, locked, no disk)."""
    return (LedgerBroken if is_damage(error) else LedgerDown)(f"{path}: {error}")


def is_full(error: sqlite3.Error) -> bool:
    """Say whether there was no space."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether SQLite found the file damaged, or no database of this form at all."""
    said = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return said in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such table" in str(error)


def check_pages(db: sqlite3.Connection, path: Path) -> None:
    """Let SQLite check the file.

    Raises:
        LedgerBroken: it found something.
    """
    said = db.execute("PRAGMA integrity_check(1)").fetchone()
    if said is None or said[0] != "ok":
        raise LedgerBroken(f"{path}: {said and said[0]}")


def rows(db: sqlite3.Connection, after: int, upto: int | None = None, limit: int = -1) -> Iterator[Row]:
    """Give the rows with seq > `after`, and <= `upto` if that is said, in order; at most `limit` unless negative."""
    last = 2**62 if upto is None else upto
    sql = f"SELECT {COLUMNS} FROM commits WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"  # noqa: S608 - columns
    return map(Row._make, db.execute(sql, (after, last, limit)))


def following(found: Iterable[Row], seq: int, head: str, path: Path) -> Iterator[Row]:
    """Give rows as they come; each must have the next seq and go on from the hash of the one before.

    That a body fits its hash is left to whoever looks at it (`codec.decode`, `fitting`).

    Raises:
        LedgerBroken: a row does not follow.
    """
    for row in found:
        if row.seq != seq + 1 or row.prev_hash != head:
            raise LedgerBroken(f"{path}: commit {row.seq} does not follow {seq}")
        yield row
        seq, head = row.seq, row.hash


def fitting(found: Iterable[Row], path: Path) -> Iterator[Row]:
    """Give rows as they come; each body must fit its hash.

    Raises:
        LedgerBroken: one does not.
    """
    for row in found:
        if codec.chain(row.prev_hash, row.body) != row.hash:
            raise LedgerBroken(f"{path}: commit {row.seq} does not fit its hash")
        yield row
