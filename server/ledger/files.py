"""Ledger files seen from outside their server: status, verification, backup, export, restore.

Everything here opens a ledger for reading only, so it works while the server writes; only `restore` writes, and it
needs the ledger for itself. A backup is a ledger file again; an export is text, one line a commit, that proves itself:
each line has the stored bytes from which the hash is made (`hash = SHA-256(prev_hash + body)`).
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from server.domain.events import Event
from server.ledger import codec
from server.ledger.audit import Auditor, Finding
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDown
from server.ledger.sqlite import SqliteLedger, hold_alone, lock_of

SHARED = frozenset({"accounts", "devices"})  # other databases of a data folder
PAGE = 500
SUFFIX = ".sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A ledger at a glance. `last_ms`: Unix ms of the last commit; `bytes`: the file and what is not merged yet."""

    hall: str
    path: Path
    commits: int
    days: int
    first_day: str
    last_day: str
    last_ms: int | None
    head: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found: `broken` says what does not fit (empty: whole), `findings` the rules broken."""

    hall: str
    commits: int
    head: str
    broken: str
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Say whether nothing was found."""
        return not self.broken and not self.findings


def ledgers(folder: Path) -> dict[str, Path]:
    """Give the ledger files of a data folder by hall."""
    found = (path for path in sorted(folder.glob(f"*{SUFFIX}")) if path.stem not in SHARED)
    return {path.stem: path for path in found}


def status(path: Path) -> Status:
    """Give a ledger at a glance.

    Raises:
        LedgerDown: it cannot be read. LedgerBroken: it is no ledger, or damaged.
    """
    with _open(path) as db:
        day = "NULLIF(day, '')"  # what was written before the first day has none
        row = _one(db, path, f"SELECT count(*), count(DISTINCT {day}), coalesce(min({day}), ''), max(day) FROM commits")  # noqa: S608
        last = db.execute("SELECT hash, body FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
    at_ms = None if last is None else int(json.loads(last[1])["at_ms"])
    files = [path, path.with_name(f"{path.name}-wal")]
    return Status(
        hall=path.stem,
        path=path,
        commits=row[0],
        days=row[1],
        first_day=row[2],
        last_day=row[3] or "",
        last_ms=at_ms,
        head=GENESIS if last is None else str(last[0]),
        bytes=sum(it.stat().st_size for it in files if it.exists()),
    )


def commits(path: Path, after: int = 0) -> Iterator[Commit]:
    """Give the commits of a ledger file with seq > `after`, as they stood when it was opened.

    Raises:
        LedgerBroken: a commit does not fit its hash or the one before it. LedgerDown: the file cannot be read.
    """
    return (commit for commit, _ in stored(path, after))


def stored(path: Path, after: int = 0) -> Iterator[tuple[Commit, bytes]]:
    """Give the commits as `commits` does, each with its stored bytes: another version would write them otherwise.

    Raises:
        LedgerBroken: a commit does not fit its hash or the one before it. LedgerDown: the file cannot be read.
    """
    with _open(path) as db:
        db.execute("BEGIN")  # one picture, however long the reading takes
        before = db.execute("SELECT hash FROM commits WHERE seq = ?", (after,)).fetchone()
        head, seq = (before[0] if before else GENESIS), after
        for row_seq, prev_hash, hash_, body in _rows(db, path, after):
            if row_seq != seq + 1 or prev_hash != head:
                raise LedgerBroken(f"{path}: commit {row_seq} does not follow {seq}")
            yield codec.decode(body, prev_hash=prev_hash, hash_=hash_), body
            seq, head = row_seq, hash_


def holding(path: Path, event: type[Event], *, after: int = 0, newest: bool = False) -> Iterator[Commit]:
    """Give the commits with seq > `after` that hold an event of a kind, each checked against its own hash.

    In order, or the `newest` first. Quicker than looking at every commit, since only those found are read.

    Raises:
        LedgerBroken: a commit does not fit its hash. LedgerDown: the file cannot be read.
    """
    name = f'["{codec.STORED_NAME[event]}",'.encode()
    order = "DESC" if newest else "ASC"
    sql = f"SELECT prev_hash, hash, body FROM commits WHERE seq > ? AND instr(body, ?) ORDER BY seq {order}"  # noqa: S608
    with _open(path) as db:
        for prev_hash, hash_, body in db.execute(sql, (after, name)):
            yield codec.decode(body, prev_hash=prev_hash, hash_=hash_)


def newest_day(path: Path) -> str:
    """Give the last business day (ISO) that a ledger knows, "" before the first.

    Raises:
        LedgerDown: the file cannot be read. LedgerBroken: it is no ledger.
    """
    with _open(path) as db:
        return str(_one(db, path, "SELECT coalesce(max(day), '') FROM commits")[0])


def before_day(path: Path, day: str) -> int:
    """Give the seq after which everything of a business day (ISO) stands; its first commit may begin the day before.

    Raises:
        LedgerDown: the file cannot be read. LedgerBroken: it is no ledger.
    """
    with _open(path) as db:
        first = _one(db, path, "SELECT coalesce(min(seq), 0) FROM commits WHERE day >= ?", day)[0]
        last = _one(db, path, "SELECT coalesce(max(seq), 0) FROM commits")[0]
    return max(0, int(first or last + 1) - 2)  # the commit that turns a day bears the name of the day before


def verify(path: Path, *, rules: bool = True, tick: Callable[[int], None] = lambda _: None) -> Verdict:
    """Check a ledger file: SQLite's own check, the chain of hashes, and (with `rules`) every rule of the hall.

    `tick` gets the number of commits looked at so far. Never raises for what it finds.
    """
    auditor, seen, head = Auditor(), 0, GENESIS
    try:
        with _open(path) as db:
            said = str(_one(db, path, "PRAGMA integrity_check(1)")[0])
        if said != "ok":
            return Verdict(hall=path.stem, commits=0, head=GENESIS, broken=said, findings=())
        for commit, body in stored(path):
            seen, head = commit.seq, commit.hash
            if commit.hall != path.stem and seen == 1:
                return Verdict(
                    hall=path.stem, commits=1, head=head, broken=f"this is the ledger of {commit.hall}", findings=()
                )
            if rules:
                auditor.take(commit, body)
            if seen % PAGE == 0:
                tick(seen)
    except (LedgerBroken, LedgerDown) as error:
        return Verdict(hall=path.stem, commits=seen, head=head, broken=str(error), findings=tuple(auditor.findings))
    tick(seen)
    return Verdict(hall=path.stem, commits=seen, head=head, broken="", findings=tuple(auditor.findings))


def backup(path: Path, to: Path, *, tick: Callable[[int], None] = lambda _: None) -> Verdict:
    """Copy a ledger while its server may write: to a new file that is verified before it gets its name.

    Raises:
        LedgerDown: the file cannot be read or written. LedgerBroken: the copy is not whole; nothing is left behind.
        FileExistsError: there is a file of that name.
    """
    if to.exists():
        raise FileExistsError(to)
    half = to.with_name(f"{to.name}.part")
    half.unlink(missing_ok=True)
    try:
        with _open(path) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)  # all pages in one step: one picture of the ledger
            target.execute("PRAGMA journal_mode=DELETE")  # one file, no companions
        verdict = _verify_copy(half, path.stem, tick)
        _sync(half)
        half.rename(to)
        _sync(to.parent)
    except sqlite3.Error as error:
        raise LedgerDown(f"{to}: {error}") from error
    finally:
        half.unlink(missing_ok=True)
    return verdict


def export(path: Path, to: IO[bytes], after: int = 0) -> int:
    """Write one line of JSON a commit: {hall, seq, day, prev_hash, hash, body}, `body` being the stored text.

    Gives how many there were.

    Raises:
        LedgerBroken: a commit does not fit its hash or the one before it. LedgerDown: the file cannot be read.
    """
    count = 0
    for commit, body in stored(path, after):
        line = {
            "hall": commit.hall,
            "seq": commit.seq,
            "day": commit.day,
            "prev_hash": commit.prev_hash,
            "hash": commit.hash,
            "body": body.decode(),
        }
        to.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        count += 1
    return count


def imported(lines: Iterable[bytes]) -> Iterator[tuple[Commit, bytes]]:
    """Give the commits of an export with their stored bytes, each checked against its hash.

    Raises:
        LedgerBroken: a line is no commit, or does not follow the one before it.
    """
    head = GENESIS
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            body, prev_hash, hash_ = line["body"].encode(), line["prev_hash"], line["hash"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerBroken(f"line {number}: {error}") from error
        commit = codec.decode(body, prev_hash=prev_hash, hash_=hash_)
        if prev_hash != head or commit.seq != number:
            raise LedgerBroken(f"line {number}: commit {commit.seq} does not follow")
        head = hash_
        yield commit, body


def restore(source: Path, to: Path, *, now: datetime | None = None) -> Path | None:
    """Put a backup or an export in the place of a ledger; give where the ledger that was there has gone.

    The source is verified first, and nothing is lost: an existing ledger is moved aside, never overwritten.

    Raises:
        LedgerBroken: the source is not whole, or of another hall.
        LedgerDown: a server has the ledger, or the disk fails.
    """
    half = to.with_name(f"{to.name}.part")
    with closing(hold_alone(to)):
        _remove(half)
        try:
            copy = SqliteLedger(half)
            try:
                copy.take_over(_of_hall(to.stem, source))
            finally:
                copy.close()
            aside = _move_aside(to, now or datetime.now(UTC))
            half.rename(to)
            _sync(to.parent)
        finally:
            _remove(half)
    return aside


def _of_hall(hall: str, source: Path) -> Iterator[tuple[Commit, bytes]]:
    """Give the commits of a backup or an export, which must be those of a hall."""
    with source.open("rb") as file:
        is_export = file.read(1) == b"{"
        file.seek(0)
        for commit, body in imported(file) if is_export else stored(source):
            if commit.hall != hall:
                raise LedgerBroken(f"{source}: this is the ledger of {commit.hall}, not of {hall}")
            yield commit, body


def _move_aside(path: Path, now: datetime) -> Path | None:
    if not path.exists():
        return None
    # What stands beside it is merged, so that one file is all of it; from a damaged one it is moved along.
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    aside = path.with_name(f"{path.stem}.replaced-{now:%Y%m%dT%H%M%SZ}")
    for companion in ("-wal", "-shm"):  # first: left behind, it would be read into the ledger that comes
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(aside.with_name(aside.name + companion))
    path.rename(aside)
    return aside


def _remove(half: Path) -> None:
    for name in (half.name, f"{half.name}-wal", f"{half.name}-shm", lock_of(half).name):
        half.with_name(name).unlink(missing_ok=True)


def _verify_copy(half: Path, hall: str, tick: Callable[[int], None]) -> Verdict:
    seen, head = 0, GENESIS
    for commit in commits(half):
        seen, head = commit.seq, commit.hash
        if seen % PAGE == 0:
            tick(seen)
    tick(seen)
    return Verdict(hall=hall, commits=seen, head=head, broken="", findings=())


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise LedgerDown(f"{path}: there is no such ledger")
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)
    except sqlite3.Error as error:
        raise LedgerDown(f"{path}: {error}") from error
    try:
        with closing(db):
            yield db
    except sqlite3.OperationalError as error:
        raise LedgerDown(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise LedgerBroken(f"{path}: {error}") from error


def _one(db: sqlite3.Connection, path: Path, sql: str, *values: str) -> tuple:  # type: ignore[type-arg]  # any shape
    row = db.execute(sql, values).fetchone()
    if row is None:
        raise LedgerBroken(f"{path}: no answer")
    return tuple(row)


def _rows(db: sqlite3.Connection, path: Path, after: int) -> Iterator[tuple[int, str, str, bytes]]:
    try:
        yield from db.execute("SELECT seq, prev_hash, hash, body FROM commits WHERE seq > ? ORDER BY seq", (after,))
    except sqlite3.OperationalError as error:
        raise LedgerDown(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise LedgerBroken(f"{path}: {error}") from error
