"""Ledger files seen from outside their server: status, verification, backup, export, restore.

Everything here opens a ledger for reading only, so it works while the server writes; only `restore` writes, and it
needs the ledger for itself. A hall's ledger is its file and the archives of months that left it; whoever reads it here
reads through all of them. A backup is a ledger file again, with its archives beside it; an export is text, one line a
commit, that proves itself: each has the stored bytes from which the hash is made (`hash = SHA-256(prev_hash + body)`).
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from server.domain.events import Event
from server.ledger import archive as archives
from server.ledger import codec, snapshot, table
from server.ledger.archive import Archive, sync
from server.ledger.audit import Auditor, Finding
from server.ledger.base import GENESIS, Commit, DiskFull, LedgerBroken, LedgerDown
from server.ledger.snapshot import Picture, SnapshotUnusable
from server.ledger.sqlite import SqliteLedger, ends_early, forget_made, hold_alone, lock_of, made_up_to
from server.ledger.table import Row

SHARED = frozenset({"accounts", "devices"})  # other databases of a data folder
PAGE = 500
ENDLESS = 2**62
SUFFIX = ".sqlite"
MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A ledger at a glance. `last_ms`: Unix ms of the last commit; `bytes`: all of its files.

    `archives` are months that left the file, `missing` those that cannot be read and why. `snapshot` is what a start
    begins with, `unusable` why there is none.
    """

    hall: str
    path: Path
    commits: int
    days: int
    first_day: str
    last_day: str
    last_ms: int | None
    head: str
    bytes: int
    archives: tuple[Archive, ...]
    missing: tuple[str, ...]
    snapshot: snapshot.Label | None
    unusable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found: `broken` says what does not fit (empty: whole), `findings` the rules broken.

    `state_hash` is that of the state which the commits make, folded from the very first; "" where rules were left out.
    """

    hall: str
    commits: int
    head: str
    broken: str
    findings: tuple[Finding, ...]
    state_hash: str = ""

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
    with table.reading(path) as db:
        db.execute("BEGIN")
        known = archives.noted(db, path)
        archived, newest = (known[-1].last, known[-1].last_day) if known else (0, "")
        days = "SELECT min(day), max(day), count(DISTINCT day) FROM commits WHERE day > ?"
        first_day, last_day, count = db.execute(days, (newest,)).fetchone()
        rows = int(_one(db, path, "SELECT count(*) FROM commits WHERE seq > ?", archived)[0])
        last = db.execute("SELECT hash, body FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
    at_ms = None if last is None else int(json.loads(last[1])["at_ms"])
    places = [archives.folder_of(path) / one.name for one in known]
    label, unusable = _label(path)
    return Status(
        hall=path.stem,
        path=path,
        commits=archived + rows,
        days=sum(one.days for one in known) + count,
        first_day=known[0].first_day if known else first_day or "",
        last_day=last_day or newest,
        last_ms=at_ms,
        head=GENESIS if last is None else str(last[0]),
        bytes=sum(it.stat().st_size for it in (path, path.with_name(f"{path.name}-wal"), *places) if it.exists()),
        archives=known,
        missing=tuple(why for one, place in zip(known, places, strict=True) if (why := _missing(place, one))),
        snapshot=label,
        unusable=unusable,
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
        LedgerBroken: a commit does not fit its hash or the one before it.
        LedgerDown: the file cannot be read, or an archive is missing.
    """
    with table.reading(path) as db:
        db.execute("BEGIN")  # one picture, however long the reading takes
        known, folder = archives.noted(db, path), archives.folder_of(path)
        begin = _begin(db, known)
        seq, head = after, _hash_at(db, folder, known, after, begin)
        for one in known:
            while seq < min(one.last, begin - 1):
                place = folder / one.name
                if not (rows := archives.page_of(place, one, seq, min(PAGE, begin - 1 - seq))):
                    raise LedgerBroken(f"{place}: commit {seq + 1} is missing")
                for row in table.following(rows, seq, head, place):
                    yield _read(row), row.body
                    seq, head = row.seq, row.hash
        for row in table.following(table.rows(db, seq), seq, head, path):
            yield _read(row), row.body


def holding(path: Path, event: type[Event], *, after: int = 0, newest: bool = False) -> Iterator[Commit]:
    """Give the commits with seq > `after` that hold an event of a kind, each checked against its own hash.

    In order, or the `newest` first. Only those found are read when the kind has an index (`table.SOUGHT`).

    Raises:
        LedgerBroken: a commit does not fit its hash.
        LedgerDown: the file cannot be read, or an archive is missing.
    """
    order = "DESC" if newest else "ASC"
    sql = (
        f"SELECT {table.COLUMNS} FROM commits WHERE seq > ? AND seq <= ? AND {table.holds(event)} ORDER BY seq {order}"  # noqa: S608
    )
    with table.reading(path) as db:
        db.execute("BEGIN")  # else what leaves the file meanwhile would be in neither
        known, folder = archives.noted(db, path), archives.folder_of(path)
        begin = _begin(db, known)
        parts: list[Archive | None] = [one for one in known if one.last > after and one.first < begin] + [None]
        for one in reversed(parts) if newest else parts:
            if one is None:
                yield from map(_read, map(Row._make, db.execute(sql, (after, ENDLESS))))
                continue
            with archives.opened(folder / one.name, one) as old:
                yield from map(_read, map(Row._make, old.execute(sql, (after, begin - 1))))


def newest_day(path: Path) -> str:
    """Give the last business day (ISO) that a ledger knows, "" before the first.

    Raises:
        LedgerDown: the file cannot be read. LedgerBroken: it is no ledger.
    """
    with table.reading(path) as db:
        return str(_one(db, path, "SELECT coalesce(max(day), '') FROM commits")[0])


def before_day(path: Path, day: str) -> int:
    """Give the seq after which everything of a business day (ISO) stands; its first commit may begin the day before.

    Raises:
        LedgerDown: the file cannot be read, or an archive is missing. LedgerBroken: it is no ledger.
    """
    with table.reading(path) as db:
        db.execute("BEGIN")
        known = archives.noted(db, path)
        found = None
        for one in known:
            if one.last_day >= day:
                with archives.opened(archives.folder_of(path) / one.name, one) as old:
                    found = archives.first_on(old, day)
                break
        found = found or archives.first_on(db, day)
        last = _one(db, path, "SELECT coalesce(max(seq), 0) FROM commits")[0]
    return max(0, (found[0] if found else last + 1) - 2)  # the commit that turns a day bears the name of the day before


def verify(path: Path, *, rules: bool = True, tick: Callable[[int], None] = lambda _: None) -> Verdict:
    """Check a ledger and its archives: SQLite's own check, the chain of hashes, and (with `rules`) the rules of a hall.

    With `rules` the commits are folded, too, from the very first, and the snapshot that a start would begin with is
    held against that. `tick` gets the number of commits looked at so far. Never raises for what it finds.
    """
    auditor, picture, seen, head = Auditor(), Picture(), 0, GENESIS
    label, unusable = _label(path)
    made = made_up_to(path)  # before it is read: its server may work on

    def verdict(broken: str = "") -> Verdict:
        hash_ = picture.freeze().state_hash if rules and picture.seq else ""
        findings = tuple(auditor.findings)
        return Verdict(hall=path.stem, commits=seen, head=head, broken=broken, findings=findings, state_hash=hash_)

    def say(what: str) -> None:
        auditor.findings.append(Finding(rule="A3", seq=seen, what=what))

    try:
        _check_pages(path)
        for commit, body in stored(path):
            seen, head = commit.seq, commit.hash
            if commit.hall != path.stem and seen == 1:
                return verdict(f"this is the ledger of {commit.hall}")
            if rules:
                auditor.take(commit, body)
                if picture.seq == seen - 1:
                    try:
                        picture.apply(commit)
                    except Exception as error:  # noqa: BLE001 - whatever it was, a hall could not start from it
                        say(f"cannot be folded: {error!r}")
                if label is not None and label.seq == seen:
                    _compare(label, picture, say)
            if seen % PAGE == 0:
                tick(seen)
    except (LedgerBroken, LedgerDown) as error:
        return verdict(str(error))
    tick(seen)
    if seen < made:
        return verdict(ends_early(path, seen, made))
    if unusable:
        say(f"the snapshot is not usable, the server makes a new one: {unusable}")
    elif label is not None and label.seq > seen:
        say("the snapshot is of another ledger, the server makes a new one")
    return verdict()


def backup(path: Path, to: Path, *, tick: Callable[[int], None] = lambda _: None) -> Verdict:
    """Copy a ledger while its server may write: to a new file that is verified before it gets its name.

    Archives are copied beside it, into the folder of that name, those that are not there yet. Each is proven.

    Raises:
        LedgerDown: the file cannot be read or written. LedgerBroken: the copy is not whole; nothing is left behind.
        FileExistsError: there is a file of that name, or another archive.
    """
    if to.exists():
        raise FileExistsError(to)
    half = to.with_name(f"{to.name}.part")
    _remove(half)
    try:
        with table.reading(path) as source, closing(sqlite3.connect(half)) as target:
            try:
                source.backup(target)  # all pages in one step: one picture of the ledger
            except sqlite3.Error as error:
                if table.is_full(error):
                    raise DiskFull(f"{to}: {error}") from error
                raise
            target.execute("PRAGMA journal_mode=DELETE")  # one file, no companions
        with table.reading(half) as copy:
            known = archives.noted(copy, half)
        for one in known:
            _copy_archive(archives.folder_of(path) / one.name, archives.folder_of(to), one)
        verdict = _verify_copy(half, path.stem, known, tick)
        sync(half)
        half.rename(to)
        sync(to.parent)
    except sqlite3.Error as error:
        raise LedgerDown(f"{to}: {error}") from error
    finally:
        _remove(half)
    return verdict


def export(path: Path, to: IO[bytes], after: int = 0) -> int:
    """Write one line of JSON a commit: {hall, seq, day, prev_hash, hash, body}, `body` being the stored text.

    Gives how many there were.

    Raises:
        LedgerBroken: a commit does not fit its hash or the one before it. LedgerDown: the file cannot be read.
    """
    return write(stored(path, after), to)


def write(commits: Iterable[tuple[Commit, bytes]], to: IO[bytes]) -> int:
    """Write commits with their stored bytes as `export` does, and give how many there were."""
    count = 0
    for commit, body in commits:
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


def imported(lines: Iterable[bytes], *, is_tail: bool = False) -> Iterator[tuple[Commit, bytes]]:
    """Give the commits of an export with their stored bytes, each checked against its hash.

    It begins with the first commit of the ledger; with `is_tail` it may begin with any.

    Raises:
        LedgerBroken: a line is no commit, or does not follow the one before it.
    """
    seq, head = 0, GENESIS
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            body, prev_hash, hash_ = line["body"].encode(), line["prev_hash"], line["hash"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerBroken(f"line {number}: {error}") from error
        commit = codec.decode(body, prev_hash=prev_hash, hash_=hash_)
        if number == 1 and is_tail:
            seq, head = commit.seq - 1, prev_hash
        if (commit.seq, prev_hash) != (seq + 1, head):
            raise LedgerBroken(f"line {number}: commit {commit.seq} does not follow")
        seq, head = commit.seq, hash_
        yield commit, body


def restore(source: Path, to: Path, *tails: Path, now: datetime | None = None) -> Path | None:
    """Put a backup or an export in the place of a ledger; give where the ledger that was there has gone.

    `tails` are exports of what came later, in order; each may begin before the end of what is there by then.

    The sources are verified first, and nothing is lost: an existing ledger and its archives are moved aside, never
    overwritten. All commits are in the new file; months that are over leave it again when the server runs.

    Raises:
        LedgerBroken: a source is not whole, or of another hall, or a tail does not follow.
        LedgerDown: a server has the ledger, or the disk fails.
    """
    half = to.with_name(f"{to.name}.part")
    with closing(hold_alone(to)) as lock:
        _remove(half)
        try:
            copy = SqliteLedger(half)
            try:
                copy.take_over(commits_of(to.stem, source, *tails))
            finally:
                copy.close()
            aside = _move_aside(to, now or datetime.now(UTC))
            snapshot.beside(to).unlink(missing_ok=True)  # it may be of the ledger that was there
            forget_made(lock)
            half.rename(to)
            sync(to.parent)
        finally:
            _remove(half)
    return aside


def commits_of(hall: str, source: Path, *tails: Path) -> Iterator[tuple[Commit, bytes]]:
    """Give the commits of a backup or an export with their stored bytes, and of the exports of what came later.

    Raises:
        LedgerBroken: a commit does not fit, or is of another hall. LedgerDown: a source cannot be read.
    """
    seq, head = 0, GENESIS
    for one in (source, *tails):
        for commit, body in _commits_in(one, is_tail=one is not source):
            if commit.hall != hall:
                raise LedgerBroken(f"{one}: this is the ledger of {commit.hall}, not of {hall}")
            if commit.seq < seq or (commit.seq, commit.hash) == (seq, head):
                continue  # known; whether it was the same one says the hash of the last of them
            if (commit.seq, commit.prev_hash) != (seq + 1, head):
                raise LedgerBroken(f"{one}: commit {commit.seq} does not follow commit {seq} of what was read before")
            seq, head = commit.seq, commit.hash
            yield commit, body


def _commits_in(source: Path, *, is_tail: bool) -> Iterator[tuple[Commit, bytes]]:
    with source.open("rb") as file:
        is_export = file.read(1) == b"{"
        file.seek(0)
        yield from imported(file, is_tail=is_tail) if is_export else stored(source)


def _move_aside(path: Path, now: datetime) -> Path | None:
    mark = f"replaced-{now:%Y%m%dT%H%M%SZ}"
    for one in list(archives.folder_of(path).glob(f"{path.stem}.*{SUFFIX}")):
        if MONTH.fullmatch(one.name.removeprefix(f"{path.stem}.").removesuffix(SUFFIX)):
            one.rename(one.with_name(f"{one.stem}.{mark}"))
    if not path.exists():
        return None
    # What stands beside it is merged, so that one file is all of it; from a damaged one it is moved along.
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    aside = path.with_name(f"{path.stem}.{mark}")
    for companion in ("-wal", "-shm"):  # first: left behind, it would be read into the ledger that comes
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(aside.with_name(aside.name + companion))
    path.rename(aside)
    return aside


def _remove(half: Path) -> None:
    beside = (f"{half.name}-{it}" for it in ("wal", "shm", "journal"))
    for name in (half.name, *beside, lock_of(half).name):
        half.with_name(name).unlink(missing_ok=True)


def _copy_archive(source: Path, folder: Path, archive: Archive) -> None:
    to = folder / archive.name
    if to.exists():
        try:
            archives.glance(to, archive)
        except LedgerBroken as error:
            raise FileExistsError(to) from error
        return
    part = to.with_name(f"{to.name}.part")
    folder.mkdir(mode=0o750, exist_ok=True)
    try:
        try:
            shutil.copyfile(source, part)
        except FileNotFoundError as error:
            raise LedgerDown(f"{source} is missing: put it back, {archive.month} lies in it") from error
        for _ in archives.prove(part, archive):
            pass
        part.chmod(0o440)
        sync(part)
        part.rename(to)
        sync(folder)
    finally:
        part.unlink(missing_ok=True)


def _verify_copy(half: Path, hall: str, known: tuple[Archive, ...], tick: Callable[[int], None]) -> Verdict:
    with table.reading(half) as db:
        table.check_pages(db, half)
        begin = _begin(db, known)
        seen, head = begin - 1, _hash_at(db, archives.folder_of(half), known, begin - 1, begin)
        for row in table.fitting(table.following(table.rows(db, seen), seen, head, half), half):
            seen, head = row.seq, row.hash
            if seen % PAGE == 0:
                tick(seen)
    tick(seen)
    return Verdict(hall=hall, commits=seen, head=head, broken="", findings=())


def _check_pages(path: Path) -> None:
    with table.reading(path) as db:
        table.check_pages(db, path)
        known = archives.noted(db, path)
    for one in known:
        place = archives.folder_of(path) / one.name
        archives.glance(place, one)
        with archives.opened(place, one) as old:
            table.check_pages(old, place)


def _label(path: Path) -> tuple[snapshot.Label | None, str]:
    """Give what the snapshot beside a ledger says of itself, or why it cannot be used."""
    try:
        return snapshot.label(snapshot.beside(path)), ""
    except FileNotFoundError:
        return None, ""
    except (SnapshotUnusable, OSError) as error:
        return None, str(error)


def _compare(label: snapshot.Label, picture: Picture, say: Callable[[str], None]) -> None:
    if label.fold != snapshot.fold_version():
        return  # another version made it: its states look otherwise, and this version does not use it
    if (label.hall, label.head) != (picture.state.plan.hall, picture.head):
        say("the snapshot is of another ledger, the server makes a new one")
    elif label.state_hash != picture.freeze().state_hash:
        say("the snapshot is not what the commits make: delete it and tell who looks after the program")


def _missing(place: Path, archive: Archive) -> str:
    try:
        archives.glance(place, archive)
    except (LedgerDown, LedgerBroken) as error:
        return str(error)
    return ""


def _begin(db: sqlite3.Connection, known: tuple[Archive, ...]) -> int:
    """Give the seq of the first commit in a hall's file; what is before lies in archives."""
    row = db.execute("SELECT seq FROM commits ORDER BY seq LIMIT 1").fetchone()
    if row is not None:
        return int(row[0])
    return known[-1].last + 1 if known else 1


def _hash_at(db: sqlite3.Connection, folder: Path, known: tuple[Archive, ...], seq: int, begin: int) -> str:
    if seq <= 0:
        return GENESIS
    if seq < begin and (found := archives.hash_at(folder, known, seq)) is not None:
        return found
    row = db.execute("SELECT hash FROM commits WHERE seq = ?", (seq,)).fetchone()
    return str(row[0]) if row else GENESIS


def _read(row: Row) -> Commit:
    return codec.decode(row.body, prev_hash=row.prev_hash, hash_=row.hash)


def _one(db: sqlite3.Connection, path: Path, sql: str, *values: str | int) -> tuple:  # type: ignore[type-arg]  # any shape
    row = db.execute(sql, values).fetchone()
    if row is None:
        raise LedgerBroken(f"{path}: no answer")
    return tuple(row)
