"""An index of a hall's events by who, what, where and when, so that an audit of years reads a page and not the ledger.

It follows the ledger from its own cursor like everything else and holds nothing that the ledger does not: a file that
is lost, damaged or of another ledger is made anew. Names are kept once, an event is a row of small numbers. A page is
found by one index and read backwards, newest first.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from pathlib import Path
from threading import Lock

from server.domain import events as e
from server.domain.terms import ActorKind
from server.hall import Hall
from server.ledger.base import Commit
from server.ledger.codec import STORED_NAME

SUFFIX = ".trail"
FORM = 1
CHUNK = 500  # commits taken in at once
CATCH_UP_MAX = 20_000  # commits taken in for one question: a second or two; whoever asks again goes on from there
REST_AFTER = 20  # commits read; then others are answered
PARTS = 2**16  # events of one commit; the place of an event is its commit's seq * PARTS + its number there

LAST = 2**62  # behind every place

_TABLES = f"""
PRAGMA user_version={FORM};
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE cursor (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE entries (
    place INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
    action INTEGER NOT NULL, who INTEGER NOT NULL, window INTEGER, ticket INTEGER) STRICT;
CREATE INDEX entries_by_time ON entries (at_ms);
CREATE INDEX entries_by_action ON entries (action);
CREATE INDEX entries_by_who ON entries (who);
CREATE INDEX entries_by_window ON entries (window) WHERE window IS NOT NULL;
CREATE INDEX entries_by_ticket ON entries (ticket) WHERE ticket IS NOT NULL;
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for; None is anything. `who` are (kind, id) of actors, instants are Unix ms.

    `ticket` is a label, `action` the stored name of an event.
    """

    who: Sequence[tuple[ActorKind, str]] | None = None
    kind: ActorKind | None = None
    action: str | None = None
    window: str | None = None
    ticket: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An event with its commit. `place` is where it stands in the trail, newer ones have greater places."""

    place: int
    commit: Commit
    event: e.Event


class Trail:
    """The index of one hall. Safe to use from many threads or greenlets."""

    def __init__(self, hall: Hall, folder: Path | None) -> None:
        """Know nothing yet; the file lies in `folder`, without one it is kept in memory."""
        self._hall, self._path = hall, None if folder is None else folder / f"{hall.id}{SUFFIX}"
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None
        self._names: dict[str, int] = {}
        self._seq = 0

    def find(self, wanted: Wanted, *, before: int | None, limit: int) -> tuple[list[Found], int]:
        """Give what is looked for, newest first and before a place, and the commit up to which the index goes.

        Raises:
            LedgerDown: the ledger cannot be read now.
        """
        with self._lock:
            try:
                places = self._places(self._caught_up(), wanted, before, limit)
            except sqlite3.Error as error:
                log.warning("the trail of %s is made anew: %s", self._hall.id, error)
                self._forget()
                if isinstance(error, sqlite3.OperationalError):
                    self._path = None  # the disk is full or cannot be written: in memory until the next start
                places = self._places(self._caught_up(), wanted, before, limit)
        entries = []
        for number, place in enumerate(places):
            if number % REST_AFTER == 0:
                time.sleep(0)  # an archived month is opened for each
            if (found := self._read(place)) is not None:
                entries.append(found)
        return entries, self._seq

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    # --------------------------------------------------------------------------------------------------- following

    def _caught_up(self) -> sqlite3.Connection:
        """Take in what is new, `CATCH_UP_MAX` commits at most."""
        db = self._open()
        after = max(self._seq, self._hall.gone())
        for _ in range(CATCH_UP_MAX // CHUNK):
            commits = self._hall.commits(after, CHUNK)
            if not commits:
                break
            db.execute("BEGIN")
            for commit in commits:
                self._take(db, commit)
            last = commits[-1]
            db.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", (last.seq, last.hash))
            db.execute("COMMIT")
            self._seq = after = last.seq
            time.sleep(0)  # let others be answered in between
        return db

    def _open(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        place = ":memory:" if self._path is None else str(self._path)
        db = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=OFF")  # what a power cut takes is read from the ledger again
            if db.execute("PRAGMA user_version").fetchone()[0] != FORM:
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise sqlite3.DatabaseError("the trail is of another form")
                db.executescript(_TABLES)
            names = {name: id_ for id_, name in db.execute("SELECT id, name FROM names")}
            seq, head = db.execute("SELECT seq, hash FROM cursor").fetchone() or (0, "")
            if seq and [commit.hash for commit in self._hall.commits(seq - 1, 1)] != [head]:
                raise sqlite3.DatabaseError("the trail is of another ledger")
        except BaseException:
            db.close()  # unchecked, it is not used
            raise
        self._db, self._names, self._seq = db, names, seq
        return db

    def _forget(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db, self._names, self._seq = None, {}, 0
        if self._path is not None:
            for end in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def _take(self, db: sqlite3.Connection, commit: Commit) -> None:
        # Visitors are one: whose ticket it is stands in the event.
        by = "" if commit.actor.kind is ActorKind.VISITOR else commit.actor.id
        who = self._id(db, f"{commit.actor.kind}:{by}")
        for part, event in enumerate(commit.events[:PARTS]):
            window, ticket = getattr(event, "window", None), getattr(event, "label", None)
            db.execute(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?)",
                (
                    commit.seq * PARTS + part,
                    commit.at_ms,
                    self._id(db, STORED_NAME[type(event)]),
                    who,
                    None if window is None else self._id(db, window),
                    None if ticket is None else self._id(db, ticket),
                ),
            )

    def _id(self, db: sqlite3.Connection, name: str) -> int:
        known = self._names.get(name)
        if known is None:
            known = db.execute("INSERT INTO names (name) VALUES (?) RETURNING id", (name,)).fetchone()[0]
            self._names[name] = known
        return known

    # ------------------------------------------------------------------------------------------------------ asking

    def _places(self, db: sqlite3.Connection, wanted: Wanted, before: int | None, limit: int) -> list[int]:
        """Give the places of what is looked for, newest first."""
        terms: list[tuple[str, int]] = []
        for column, name in (("action", wanted.action), ("window", wanted.window), ("ticket", wanted.ticket)):
            if name is not None:
                if name not in self._names:
                    return []
                terms.append((f"{column} = ?", self._names[name]))
        if wanted.since_ms is not None:
            terms.append(("place >= ?", _edge(db, wanted.since_ms)))
        end = _edge(db, wanted.until_ms) if wanted.until_ms is not None else LAST
        terms.append(("place < ?", end if before is None else min(end, before)))
        people = self._people(wanted)
        if people is None:
            return list(islice(_newest(db, terms, limit), limit))
        # One walk for each: each is found by its index, and together they are in order again.
        walks = [_newest(db, [*terms, ("who = ?", who)], limit) for who in people]
        return list(islice(merge(*walks, reverse=True), limit))

    def _people(self, wanted: Wanted) -> list[int] | None:
        if wanted.who is not None:
            names = [f"{kind}:{id_}" for kind, id_ in wanted.who if wanted.kind in (None, kind)]
            return [self._names[name] for name in names if name in self._names]
        if wanted.kind is not None:
            mark = f"{wanted.kind}:"
            return [id_ for name, id_ in self._names.items() if name.startswith(mark)]
        return None

    def _read(self, place: int) -> Found | None:
        seq, part = divmod(place, PARTS)
        commits = self._hall.commits(seq - 1, 1)
        if not commits or commits[0].seq != seq or part >= len(commits[0].events):
            return None
        return Found(place=place, commit=commits[0], event=commits[0].events[part])


def _newest(db: sqlite3.Connection, terms: Sequence[tuple[str, int]], limit: int) -> Iterator[int]:
    where = " AND ".join(term for term, _ in terms)
    sql = f"SELECT place FROM entries WHERE {where} ORDER BY place DESC LIMIT ?"  # noqa: S608 - our own terms
    return (row[0] for row in db.execute(sql, (*(value for _, value in terms), limit)).fetchall())


def _edge(db: sqlite3.Connection, at_ms: int) -> int:
    """Give the first place at or after an instant: time never goes back in a ledger."""
    row = db.execute("SELECT place FROM entries WHERE at_ms >= ? ORDER BY at_ms, place LIMIT 1", (at_ms,)).fetchone()
    return LAST if row is None else int(row[0])
