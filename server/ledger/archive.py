"""Months that left the file a hall writes: each in a read-only file of its own, chained on to the one before.

`archive/HALL.2026-03.sqlite` holds the commits up to the end of the last business day of that month. Which archives
there are, and between which hashes each stands, is a table of the hall's own file, so an archive that is missing or
was put in another's place is known at once, and whoever reads on comes from one file into the next without noticing.

A month leaves in five steps, each of which may be the last before a power cut: it is copied into a `.part` file; that
is synced and proven against the chain; it gets its name; the hall's file notes it; and only then its rows are deleted,
some at a time. A trigger lets no other row go. Until the note is written the copy means nothing; rows that are in both
places are read from the hall's file.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path

from server.ledger import table
from server.ledger.base import GENESIS, ArchiveMissing, LedgerBroken
from server.ledger.table import Row

FOLDER = "archive"
STEP = 1000  # rows copied, proven or deleted at a time

NOTES = (
    """CREATE TABLE IF NOT EXISTS archives (
        month TEXT PRIMARY KEY,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        prev_hash TEXT NOT NULL,
        hash TEXT NOT NULL,
        first_day TEXT NOT NULL,
        last_day TEXT NOT NULL,
        days INTEGER NOT NULL,
        hall TEXT NOT NULL,
        seal TEXT NOT NULL
    ) STRICT""",
)
GUARDS = (
    "DROP TRIGGER IF EXISTS commits_stay",
    """CREATE TRIGGER commits_stay BEFORE DELETE ON commits
        WHEN OLD.seq > coalesce((SELECT last FROM archives ORDER BY month DESC LIMIT 1), 0)
        BEGIN SELECT RAISE(ABORT, 'commits are never deleted'); END""",
    """CREATE TRIGGER IF NOT EXISTS archives_follow BEFORE INSERT ON archives
        WHEN NEW.first != coalesce((SELECT last FROM archives ORDER BY month DESC LIMIT 1), 0) + 1
            OR NOT EXISTS (SELECT 1 FROM commits WHERE seq = NEW.last AND hash = NEW.hash)
        BEGIN SELECT RAISE(ABORT, 'an archive follows the one before and ends with a commit'); END""",
    """CREATE TRIGGER IF NOT EXISTS archives_are_final BEFORE UPDATE ON archives
        BEGIN SELECT RAISE(ABORT, 'archives are never changed'); END""",
    """CREATE TRIGGER IF NOT EXISTS archives_stay BEFORE DELETE ON archives
        BEGIN SELECT RAISE(ABORT, 'archives are never deleted'); END""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A month (YYYY-MM) of a hall: its commits `first` to `last`, between the hashes `prev_hash` and `hash`.

    `first_day` and `last_day` are the first and last business day in it (ISO), `days` says how many there are.
    """

    month: str
    first: int
    last: int
    prev_hash: str
    hash: str
    first_day: str
    last_day: str
    days: int
    hall: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.hall}.{self.month}.sqlite"

    @property
    def seal(self) -> str:
        """A hash over all that is noted, so that damage of the note is seen."""
        return hashlib.sha256(json.dumps(list(asdict(self).values())).encode()).hexdigest()


def folder_of(ledger: Path) -> Path:
    """Give the folder of the archives of a hall's file, or of an archive."""
    return ledger.parent if ledger.parent.name == FOLDER else ledger.parent / FOLDER


def noted(db: sqlite3.Connection, path: Path) -> tuple[Archive, ...]:
    """Give the archives that a hall's file knows, oldest first; none in a file of an older version.

    Raises:
        LedgerBroken: a note is damaged, or does not follow the one before.
    """
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'archives'").fetchone():
        return ()
    found: list[Archive] = []
    last, head = 0, GENESIS
    names = [it.name for it in fields(Archive)]
    for row in db.execute(f"SELECT {', '.join(names)}, seal FROM archives ORDER BY month"):  # noqa: S608 - columns
        archive = Archive(**dict(zip(names, row, strict=False)))
        if archive.seal != row[-1] or archive.first != last + 1 or archive.prev_hash != head:
            raise LedgerBroken(f"{path}: the note of the archive {archive.month} is damaged")
        found.append(archive)
        last, head = archive.last, archive.hash
    return tuple(found)


def note(db: sqlite3.Connection, archive: Archive) -> None:
    """Note an archive in the hall's file; its commits may be deleted from then on."""
    values = asdict(archive) | {"seal": archive.seal}
    names = ", ".join(f":{name}" for name in values)
    db.execute(f"INSERT INTO archives ({', '.join(values)}) VALUES ({names})", values)  # noqa: S608 - columns


def glance(path: Path, archive: Archive) -> None:
    """See in an instant whether an archive is there and is the one meant: by its first and last commit.

    Raises:
        LedgerDown: it is missing. LedgerBroken: it is another one, or damaged.
    """
    with opened(path, archive) as db:
        first = next(table.rows(db, archive.first - 1, limit=1), None)
        last = next(table.rows(db, archive.last - 1, limit=2), None)
        ends = (first and first.prev_hash, last and last.hash)
        if ends != (archive.prev_hash, archive.hash):
            raise LedgerBroken(f"{path}: this is not the archive that {archive.hall} made of {archive.month}")


def prove(path: Path, archive: Archive) -> Iterator[int]:
    """Check an archive wholly, in short steps: its pages, every hash, nothing missing and nothing more.

    Raises:
        LedgerDown: it is missing. LedgerBroken: it is not what was noted.
    """
    with opened(path, archive) as db:
        table.check_pages(db, path)
        yield 0
        seq, head = archive.first - 1, archive.prev_hash
        while page := list(table.fitting(table.following(table.rows(db, seq, limit=STEP), seq, head, path), path)):
            seq, head = page[-1].seq, page[-1].hash
            yield seq
        if (seq, head) != (archive.last, archive.hash):
            raise LedgerBroken(f"{path}: this is not the archive that {archive.hall} made of {archive.month}")


def page_of(path: Path, archive: Archive, after: int, limit: int) -> list[Row]:
    """Give the rows of an archive with seq > `after`, at most `limit`.

    Raises:
        LedgerDown: it is missing. LedgerBroken: it is damaged.
    """
    with opened(path, archive) as db:
        return list(table.rows(db, after, limit=limit))


def hash_at(folder: Path, archives: Sequence[Archive], seq: int) -> str | None:
    """Give the hash of an archived commit, None when no archive has it.

    Raises:
        LedgerDown: its archive is missing. LedgerBroken: it is damaged.
    """
    for archive in archives:
        if seq == archive.last:
            return archive.hash  # noted: the file is not needed to go on from its end
        if archive.first <= seq < archive.last:
            found = page_of(folder / archive.name, archive, seq - 1, 1)
            return found[0].hash if found else None
    return None


def next_month(db: sqlite3.Connection, hall: str, archives: Sequence[Archive], before: str) -> Archive | None:
    """Give the oldest month that can leave: it ended before the day `before` (ISO), which the hall has reached.

    The commit that opens the first day of the next month bears the name of the day before and stays. It may be the
    last one that there is.
    """
    last, head = (archives[-1].last, archives[-1].hash) if archives else (0, GENESIS)
    since = begin = _month_after(archives[-1].month) if archives else "0"
    while (begun := first_on(db, begin)) is not None and _month_after(begun[1]) <= before:
        day, begin = begun[1], _month_after(begun[1])
        later = first_on(db, begin)
        end = db.execute("SELECT max(seq) FROM commits").fetchone()[0] - 1 if later is None else later[0] - 2
        if end > last:
            found = next(table.rows(db, end - 1, limit=1))
            days = "SELECT min(day), max(day), count(DISTINCT day) FROM commits WHERE day >= ? AND day < ?"
            first_day, last_day, count = db.execute(days, (since, begin)).fetchone()
            return Archive(
                month=day[:7],
                first=last + 1,
                last=end,
                prev_hash=head,
                hash=found.hash,
                first_day=first_day,
                last_day=last_day,
                days=count,
                hall=hall,
            )
    return None


def copy(source: Path, archive: Archive, earlier: Sequence[Archive], part: Path) -> Iterator[int]:
    """Write the commits of a month into a new file and sync it, in short steps. It names the archives before it, too.

    Raises:
        LedgerDown: it cannot be written.
    """
    part.unlink(missing_ok=True)
    with table.translated(part), closing(_maker(part)) as db:
        db.execute("ATTACH ? AS hall", (f"{source.absolute().as_uri()}?mode=ro",))
        for sql in (*table.TABLE, *NOTES):
            db.execute(sql)
        for one in earlier:
            note(db, one)
        seq = archive.first - 1
        while seq < archive.last:
            upto = min(seq + STEP, archive.last)
            db.execute(
                f"INSERT INTO main.commits SELECT {table.COLUMNS} FROM hall.commits WHERE seq > ? AND seq <= ?",  # noqa: S608
                (seq, upto),
            )
            seq = upto
            yield seq
        db.execute("DETACH hall")
        for sql in (*table.indexes(), *GUARDS, f"PRAGMA user_version={table.FORM}"):
            db.execute(sql)
    sync(part)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut. Never for a file that a connection here writes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def first_of_month(day: str) -> str:
    """Give the first day of the month of a day (ISO)."""
    return f"{day[:7]}-01"


def opened(path: Path, archive: Archive) -> AbstractContextManager[sqlite3.Connection]:
    """Open an archive for reading.

    Raises:
        LedgerDown: it is missing. LedgerBroken: it is damaged.
    """
    if not path.is_file():
        raise ArchiveMissing(f"{path} is missing: put it back, {archive.month} of {archive.hall} lies in it")
    return table.reading(path, immutable=True)


def _maker(part: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{part.absolute().as_uri()}", uri=True, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=OFF")  # a copy that breaks off is thrown away
    db.execute("PRAGMA synchronous=OFF")
    return db


def _month_after(day: str) -> str:
    """Give the first day of the month after that of a day (ISO)."""
    return (date.fromisoformat(first_of_month(day)) + timedelta(days=31)).replace(day=1).isoformat()


def first_on(db: sqlite3.Connection, day: str) -> tuple[int, str] | None:
    """Give (seq, day) of the first commit of a business day or a later one; days never go back."""
    row = db.execute("SELECT seq, day FROM commits WHERE day >= ? ORDER BY day, seq LIMIT 1", (day,)).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))
