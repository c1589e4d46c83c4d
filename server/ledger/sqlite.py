"""The ledger of a hall in one SQLite file: WAL, `synchronous=FULL`, one connection that alone writes and checkpoints.

`synchronous=NORMAL` in WAL mode loses acknowledged commits at a power cut, FULL does not (SQLite documentation,
"PRAGMA synchronous"). SQLite 3.7.0 to 3.51.2 can lose commits when several connections checkpoint at once (the
WAL-reset bug, sqlite.org/wal.html); here one connection writes per file, kept alone by a lock file beside it, and
whoever else looks opens the file for reading only (`server.ledger.files`), which never checkpoints.
"""

import fcntl
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from server.ledger import codec
from server.ledger.base import GENESIS, Commit, DiskFull, LedgerBroken, LedgerDoubtful, LedgerDown, Stale

PAGE = 500  # commits read at a time, so that a reader never holds the connection for long
WAIT_FOR_OTHER_S = 2.0  # a process that is just ending may still have the file
FIXED_IN = (3, 51, 3)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS commits (
    seq INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    key TEXT,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS commits_by_key ON commits (day, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS commits_by_day ON commits (day);
CREATE TRIGGER IF NOT EXISTS commits_are_final BEFORE UPDATE ON commits
    BEGIN SELECT RAISE(ABORT, 'commits are never changed'); END;
CREATE TRIGGER IF NOT EXISTS commits_stay BEFORE DELETE ON commits
    BEGIN SELECT RAISE(ABORT, 'commits are never deleted'); END;
"""

_INSERT = "INSERT INTO commits (seq, day, key, prev_hash, hash, body) VALUES (?, ?, ?, ?, ?, ?)"


class SqliteLedger:
    """Commits of one hall in one file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and check it.

        Raises:
            LedgerDown: the file cannot be opened, or another process has it.
            LedgerBroken: SQLite's own check finds the file damaged.
        """
        self._path = path
        self._lock = Lock()
        self._doubt: str | None = None
        self._alone = hold_alone(path)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT_FOR_OTHER_S)
        except sqlite3.Error as error:
            self._alone.close()
            raise LedgerDown(f"{path}: {error}") from error
        try:
            self._seq, self._head = self._begin()
        except sqlite3.Error as error:
            self.close()
            raise _damaged(path, error) if _is_damage(error) else LedgerDown(f"{path}: {error}") from error
        except LedgerBroken:
            self.close()
            raise

    def append(self, commits: Sequence[Commit]) -> None:
        """Make sealed commits durable in one transaction."""
        self._append([(commit, codec.encode(commit)) for commit in commits])

    def take_over(self, commits: Iterable[tuple[Commit, bytes]]) -> None:
        """Make commits of another store durable, byte for byte: an older version wrote them otherwise than this one."""
        left = iter(commits)
        while page := list(islice(left, PAGE)):
            self._append(page)

    def _append(self, commits: Sequence[tuple[Commit, bytes]]) -> None:
        rows = []
        with self._lock:
            if self._doubt is not None:
                raise LedgerDoubtful(self._doubt)
            seq, head = self._seq, self._head
            for commit, body in commits:
                if commit.seq != seq + 1 or commit.prev_hash != head:
                    raise Stale(f"commit {commit.seq} does not follow {seq}")
                rows.append((commit.seq, commit.day, commit.key, commit.prev_hash, commit.hash, body))
                seq, head = commit.seq, commit.hash
            try:
                self._write(rows)
            except LedgerDoubtful as doubt:
                self._doubt = str(doubt)
                raise
            self._seq, self._head = seq, head

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        left = limit
        prev_hash = self._hash_at(after)
        while left is None or left > 0:
            page = PAGE if left is None else min(PAGE, left)
            with self._lock:
                rows = self._rows(
                    "SELECT seq, prev_hash, hash, body FROM commits WHERE seq > ? ORDER BY seq LIMIT ?", (after, page)
                )
            for seq, stored_prev, hash_, body in rows:
                if seq != after + 1 or stored_prev != prev_hash:
                    raise LedgerBroken(f"{self._path}: commit {seq} does not follow {after}")
                yield codec.decode(body, prev_hash=stored_prev, hash_=hash_)
                after, prev_hash = seq, hash_
            if len(rows) < page:
                return
            left = None if left is None else left - page

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
            self._alone.close()  # last: whoever waits for the file finds it whole

    def _begin(self) -> tuple[int, str]:
        """Check the file, and give the last commit's seq and hash."""
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        check = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if check != "ok":
            raise LedgerBroken(f"{self._path}: {check}")
        last = self._db.execute("SELECT seq, hash FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
        return last or (0, GENESIS)

    def _hash_at(self, seq: int) -> str:
        if seq <= 0:
            return GENESIS
        with self._lock:
            rows = self._rows("SELECT hash FROM commits WHERE seq = ?", (seq,))
        return str(rows[0][0]) if rows else self._head

    def _rows(self, sql: str, values: tuple[int, ...]) -> list[tuple]:  # type: ignore[type-arg]  # rows of any shape
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.ProgrammingError as error:  # closed: the process is ending
            raise LedgerDown(f"{self._path}: {error}") from error
        except sqlite3.Error as error:  # a disk that fails for a moment is no reason to restore a backup
            raise _damaged(self._path, error) if _is_damage(error) else LedgerDown(f"{self._path}: {error}") from error

    def _write(self, rows: list[tuple[int, str, str | None, str, str, bytes]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_INSERT, rows)
        except sqlite3.ProgrammingError as error:  # closed: the process is ending
            raise LedgerDown(f"{self._path}: {error}") from error
        except sqlite3.Error as error:
            self._undo(error)
            if isinstance(error, sqlite3.IntegrityError):
                raise Stale(f"{self._path}: {error}") from error
            raise (DiskFull if _is_full(error) else LedgerDown)(f"{self._path}: {error}") from error
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if _is_full(error):
                self._undo(error)
                raise DiskFull(f"{self._path}: {error}") from error
            # A failed fsync may or may not have reached the disk: nobody can know before a restart.
            raise LedgerDoubtful(f"{self._path}: {error}") from error

    def _undo(self, cause: sqlite3.Error) -> None:
        if not self._db.in_transaction:
            return
        try:
            self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise LedgerDoubtful(f"{self._path}: {cause}; {error}") from error


def hold_alone(path: Path) -> BinaryIO:
    """Give the open lock file of a ledger: while it is open, no other process writes this ledger.

    Raises:
        LedgerDown: another process has it, or the folder cannot be written.
    """
    try:
        lock = lock_of(path).open("ab")
    except OSError as error:
        raise LedgerDown(f"{path}: {error}") from error
    deadline = time.monotonic() + WAIT_FOR_OTHER_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > deadline:
                lock.close()
                raise LedgerDown(f"{path}: another process writes this ledger") from error
            time.sleep(0.05)
        else:
            return lock


def lock_of(path: Path) -> Path:
    """Give the lock file of a ledger."""
    return path.with_name(f"{path.name}-lock")


def engine() -> str:
    """Say which SQLite runs and how its WAL-reset bug is kept away."""
    fixed = sqlite3.sqlite_version_info >= FIXED_IN
    how = "fixed in this version" if fixed else "one writing connection per ledger"
    return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL, WAL-reset: {how}; a failed sync stops the process"


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _damaged(path: Path, error: sqlite3.Error) -> LedgerBroken:
    return LedgerBroken(f"{path}: {error}")
