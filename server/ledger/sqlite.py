"""The ledger of a hall in one SQLite file: WAL, `synchronous=FULL`, one connection that alone writes and checkpoints.

`synchronous=NORMAL` in WAL mode loses acknowledged commits at a power cut, FULL does not (SQLite documentation,
"PRAGMA synchronous"). SQLite 3.7.0 to 3.51.2 can lose commits when several connections checkpoint at once (the
WAL-reset bug, sqlite.org/wal.html); here one connection writes per file, kept alone by a lock file beside it, and
whoever else looks opens the file for reading only (`server.ledger.table`), which never checkpoints.

What SQLite finds damaged in its write-ahead file it takes for a write that never ended, and leaves it and all behind it
out without a word (SQLite documentation, "Write-Ahead Logging", on checksums). So the lock file says how far commits
were made: a ledger that ends before that is damaged.

Months that are over leave the file (`server.ledger.archive`), so that it and the check at the start stay small.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from server.ledger import archive as archives
from server.ledger import codec, table
from server.ledger.archive import Archive
from server.ledger.base import GENESIS, Commit, DiskFull, LedgerBroken, LedgerDoubtful, LedgerDown, Stale
from server.ledger.table import Row

PAGE = 500  # commits read at a time, so that a reader never holds the connection for long
LEAVING = 250  # commits that leave the file at a time
FREE_PAGES = 256  # given back to the disk at a time
SPARE_BYTES = 32 * 2**20  # left free beside an archive: numbers are more urgent than order on the disk
WAIT_FOR_OTHER_S = 2.0  # a process that is just ending may still have the file
FIXED_IN = (3, 51, 3)

log = logging.getLogger(__name__)


class SqliteLedger:
    """Commits of one hall in one file, and in the archives of months that left it."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and check it: SQLite's own check, and that each commit in it fits the one before.

        Of the archives only the first and last commits are looked at. One that is missing or wrong is told in the log;
        nothing in it can be read then, but a hall that needs nothing of it goes on.

        Raises:
            LedgerDown: the file cannot be opened, or another process has it.
            LedgerBroken: it is damaged.
        """
        self._path = path
        self._folder = archives.folder_of(path)
        self._lock = Lock()
        self._doubt: str | None = None
        self._alone = hold_alone(path)
        is_new = not path.exists()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT_FOR_OTHER_S)
        except sqlite3.Error as error:
            self._alone.close()
            raise LedgerDown(f"{path}: {error}") from error
        self._archives: tuple[Archive, ...] = ()
        try:
            with table.translated(path):
                self._prepare()
                self._archives = archives.noted(self._db, path)
                self._first, self._seq, self._head = self._check()
            if is_new:
                forget_made(self._alone)
            elif (made := made_up_to(path)) > self._seq:
                raise LedgerBroken(ends_early(path, self._seq, made))
        except (LedgerBroken, LedgerDown):
            self.close()
            raise
        note_made(self._alone, self._seq)
        self._glance()

    @property
    def archives(self) -> tuple[Archive, ...]:
        """The months that left the file, oldest first."""
        return self._archives

    def append(self, commits: Sequence[Commit]) -> None:
        """Make sealed commits durable in one transaction."""
        self._append([(commit, codec.encode(commit)) for commit in commits])

    def take_over(self, commits: Iterable[tuple[Commit, bytes]]) -> None:
        """Make commits of another store durable, byte for byte: an older version wrote them otherwise than this one."""
        left = iter(commits)
        while page := list(islice(left, PAGE)):
            self._append(page)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`, from the archives on into the file."""
        left = limit
        head = self._hash_at(after)
        while left is None or left > 0:
            rows = self._page(after, PAGE if left is None else min(PAGE, left))
            for row in table.following(rows, after, head, self._path):
                yield codec.decode(row.body, prev_hash=row.prev_hash, hash_=row.hash)
                after, head = row.seq, row.hash
            if not rows:
                return
            left = None if left is None else left - len(rows)

    def archive(self, before: str) -> Generator[Archive, None, None]:
        """Move each month that ended before a day (ISO) out of the file. Each step is short, and the last may be any.

        The hall has reached that day. What a step before left half done is finished first. Nothing is deleted that is
        not proven to be archived.

        Raises:
            LedgerDown: the archive cannot be written now; nothing is lost and it can be tried again.
            LedgerBroken: what was copied, or an archive of that name, is not what the file says.
            LedgerDoubtful: as `append`.
        """
        if self._archives and self._first <= self._archives[-1].last:  # noted, and not yet deleted
            for _ in archives.prove(self._folder / self._archives[-1].name, self._archives[-1]):
                yield self._archives[-1]
            yield from self._leave(self._archives[-1])
        while (month := self._next_month(before)) is not None:
            yield from self._copied(month)
            self._note(month)
            yield month
            yield from self._leave(month)
        for _ in self._freed():
            yield self._archives[-1]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
            self._alone.close()  # last: whoever waits for the file finds it whole

    # ----------------------------------------------------------------------------------------------- opening

    def _prepare(self) -> None:
        """Make the tables, or bring those of an older version up to this one."""
        self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file only: what leaves it gives its space back
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        form = self._db.execute("PRAGMA user_version").fetchone()[0]
        if form > table.FORM:
            raise LedgerDown(f"{self._path} was written by a newer version (form {form}): update first")
        if form == table.FORM:
            return
        self._db.execute("BEGIN IMMEDIATE")
        for sql in (*table.TABLE, *table.indexes(), *archives.NOTES, *archives.GUARDS):
            self._db.execute(sql)
        self._db.execute(f"PRAGMA user_version={table.FORM}")
        self._db.execute("COMMIT")

    def _check(self) -> tuple[int, int, str]:
        """Check all that is in the file, and give the seqs of its first and last commit and the hash of the last."""
        table.check_pages(self._db, self._path)
        seq, head = (self._archives[-1].last, self._archives[-1].hash) if self._archives else (0, GENESIS)
        first = next(table.rows(self._db, 0, limit=1), None)
        if first is not None and first.seq <= seq:  # archived, and not yet deleted
            start, before = first.seq - 1, first.prev_hash
        else:
            start, before = seq, head
        for row in table.fitting(table.following(table.rows(self._db, start), start, before, self._path), self._path):
            if row.seq == seq and row.hash != head:
                raise LedgerBroken(f"{self._path}: commit {seq} is not the one that was archived")
            start, before = row.seq, row.hash
        if start < seq:
            raise LedgerBroken(f"{self._path}: commit {seq} is missing")
        return seq + 1 if first is None else first.seq, start, before

    def _glance(self) -> None:
        for one in self._archives:
            try:
                archives.glance(self._folder / one.name, one)
            except (LedgerDown, LedgerBroken) as error:
                log.error("an archive cannot be read: %s", error)

    # ----------------------------------------------------------------------------------------------- reading

    def _page(self, after: int, limit: int) -> list[Row]:
        """Give the next rows; those of an archive are read without the lock, for it never changes."""
        with self._lock:
            if after >= self._first - 1:
                with table.translated(self._path):
                    return list(table.rows(self._db, after, limit=limit))
            archive = next(it for it in self._archives if it.last > after)
        return archives.page_of(self._folder / archive.name, archive, after, limit)

    def _hash_at(self, seq: int) -> str:
        if seq <= 0:
            return GENESIS
        if seq < self._first and (found := archives.hash_at(self._folder, self._archives, seq)) is not None:
            return found
        rows = self._page(seq - 1, 1)
        return rows[0].hash if rows and rows[0].seq == seq else self._head

    # ----------------------------------------------------------------------------------------------- writing

    def _append(self, commits: Sequence[tuple[Commit, bytes]]) -> None:
        rows = []
        with self._lock:
            seq, head = self._seq, self._head
            for commit, body in commits:
                if commit.seq != seq + 1 or commit.prev_hash != head:
                    raise Stale(f"commit {commit.seq} does not follow {seq}")
                rows.append((commit.seq, commit.day, commit.key, commit.prev_hash, commit.hash, body))
                seq, head = commit.seq, commit.hash
            self._write(lambda db: db.executemany(table.INSERT, rows))
            self._seq, self._head = seq, head
            note_made(self._alone, seq)

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do something in a transaction, holding the lock; after a failure that leaves doubt nothing more is done."""
        if self._doubt is not None:
            raise LedgerDoubtful(self._doubt)
        try:
            self._transact(work)
        except LedgerDoubtful as doubt:
            self._doubt = str(doubt)
            raise

    def _transact(self, work: Callable[[sqlite3.Connection], object]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            work(self._db)
        except sqlite3.ProgrammingError as error:  # closed: the process is ending
            raise LedgerDown(f"{self._path}: {error}") from error
        except sqlite3.Error as error:
            self._undo(error)
            if isinstance(error, sqlite3.IntegrityError):
                raise Stale(f"{self._path}: {error}") from error
            raise (DiskFull if table.is_full(error) else LedgerDown)(f"{self._path}: {error}") from error
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if table.is_full(error):
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

    # --------------------------------------------------------------------------------------------- archiving

    def _next_month(self, before: str) -> Archive | None:
        with self._lock, table.translated(self._path):
            return archives.next_month(self._db, self._path.stem, self._archives, before)

    def _copied(self, month: Archive) -> Iterator[Archive]:
        """Make the archive of a month, or see that one of its name is just what it would be."""
        path = self._folder / month.name
        if path.exists():  # from the step before a power cut, or from before a backup was restored
            for _ in archives.prove(path, month):
                yield month
            return
        part = path.with_name(f"{path.name}.part")
        disk, need = os.statvfs(self._path.parent), self._path.stat().st_size + SPARE_BYTES
        if disk.f_bavail * disk.f_frsize < need:
            raise DiskFull(f"{path}: no space for an archive, {need // 2**20} MB must be free")
        try:
            self._folder.mkdir(mode=0o750, exist_ok=True)
            archives.sync(self._folder.parent)
            for _ in archives.copy(self._path, month, self._archives, part):
                yield month
            for _ in archives.prove(part, month):
                yield month
            part.chmod(0o440)
            part.rename(path)
            archives.sync(self._folder)
        except OSError as error:
            raise LedgerDown(f"{path}: {error}") from error
        finally:
            part.unlink(missing_ok=True)

    def _note(self, month: Archive) -> None:
        with self._lock:
            self._write(lambda db: archives.note(db, month))
            self._archives = (*self._archives, month)

    def _leave(self, month: Archive) -> Iterator[Archive]:
        """Delete what was seen to be archived, some at a time: whoever appends waits as long as a step takes."""
        while self._first <= month.last:
            upto = min(self._first + LEAVING - 1, month.last)
            delete = partial(_delete, upto=upto)
            with self._lock:
                self._write(delete)
                self._first = upto + 1
            yield month

    def _freed(self) -> Iterator[int]:
        """Give free pages back to the disk, in a file that was made to do so."""
        while self._archives:
            with self._lock, table.translated(self._path):
                if self._db.execute("PRAGMA auto_vacuum").fetchone()[0] == 0:
                    return
                free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
                if not free:
                    return
                # A script: `execute` takes one step, which is one page. It ends the transaction begun for it.
                self._write(lambda db: db.executescript(f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({FREE_PAGES})"))
            yield free

    def compact(self) -> None:
        """Write the file anew when most of it is free: one of an older version gives nothing back by itself.

        Raises:
            LedgerDown: there is no space for it.
        """
        with self._lock, table.translated(self._path):
            free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
            if 2 * free > self._db.execute("PRAGMA page_count").fetchone()[0]:
                self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _delete(db: sqlite3.Connection, *, upto: int) -> None:
    db.execute("DELETE FROM commits WHERE seq <= ?", (upto,))


def hold_alone(path: Path) -> BinaryIO:
    """Give the open lock file of a ledger: while it is open, no other process writes this ledger.

    Raises:
        LedgerDown: another process has it, or the folder cannot be written.
    """
    import fcntl  # not on Windows, where the doctor looks at devices and nobody writes ledgers

    try:
        lock = os.fdopen(os.open(lock_of(path), os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)
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


def note_made(lock: BinaryIO, seq: int) -> None:
    """Write into an open lock file how far commits are durable.

    It is not synced: after a power cut it may say less, never more, and a full disk may keep it from being written.
    """
    with suppress(OSError):
        os.pwrite(lock.fileno(), b"%020d" % seq, 0)


def forget_made(lock: BinaryIO) -> None:
    """Take the word back for good: another ledger comes to the place of the one that was there."""
    with suppress(OSError):
        lock.truncate(0)
        os.fsync(lock.fileno())


def made_up_to(path: Path) -> int:
    """Give the last commit that a ledger is known to have had; 0 where nothing is known."""
    try:
        text = lock_of(path).read_bytes()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def ends_early(path: Path, last: int, made: int) -> str:
    """Say that a ledger has lost its end."""
    return f"{path}: it ends with commit {last}, and {made} was made: its write-ahead file is damaged or missing"


def engine() -> str:
    """Say which SQLite runs and how its WAL-reset bug is kept away."""
    fixed = sqlite3.sqlite_version_info >= FIXED_IN
    how = "fixed in this version" if fixed else "one writing connection per ledger"
    return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL, WAL-reset: {how}; a failed sync stops the process"
