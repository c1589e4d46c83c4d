"""What the kiosk gave without the server, and what it needs for it: one SQLite file on the kiosk's own disk.

A number is a row here before it is printed or shown, durable against a power cut (rollback journal, synchronous=EXTRA:
FULL would not sync the folder after the journal is gone, and the cut would bring that back and undo the row). Taking
the number out of its block and writing the row is one transaction, and a series gives each number once by a unique
index: killed at any instant, the kiosk never gives a number twice. No row says who the visitor is.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

KEPT_MS = 7 * 24 * 3600 * 1000
"""Rows that were told are kept a week, for who looks what happened."""
KEPT = "kept"
"""How a number was told when the hall took it; otherwise the code with which it refused."""

_SCHEMA = """
create table if not exists fact (name text primary key, value text not null) without rowid;
create table if not exists block (
    lease text not null, day text not null, prefix text not null, first integer not null, last integer not null,
    next integer not null, ends_ms integer not null, primary key (day, lease)) without rowid;
create table if not exists given (
    id integer primary key autoincrement, key text not null unique, day text not null, prefix text not null,
    number integer not null, pressed_ms integer not null, track text not null, body text not null,
    printed text, told text, unique (day, prefix, number));
"""

T = TypeVar("T")


class JournalBroken(Exception):
    """The file cannot be used; the text says why."""


class NoNumberLeft(Exception):
    """No block of the series has a number left today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A leased block: numbers `next` to `last` are still to be given, until `ends_ms` (Unix ms of the hall)."""

    lease: str
    day: str
    prefix: str
    first: int
    last: int
    next: int
    ends_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A number that the kiosk gave by itself, for a press with `key` and `body` ({service, priority, language, ...}).

    `printed`: how the paper came out, None while it is not known; `told`: None while the server has not heard of it.
    """

    id: int
    key: str
    day: str
    prefix: str
    number: int
    pressed_ms: int
    track: str
    body: Mapping[str, Any]
    printed: str | None
    told: str | None

    @property
    def label(self) -> str:
        """Give the label as it is printed and called: A901."""
        return f"{self.prefix}{self.number:03d}"

    @property
    def ticket(self) -> str:
        """Give the id that the ticket has in the hall: day and label."""
        return f"{self.day.replace('-', '')}-{self.label}"


class Journal:
    """The file; may be used from every thread."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            JournalBroken: it cannot be opened or is damaged.
        """
        self._lock = threading.RLock()
        try:
            path.touch(mode=0o600, exist_ok=True)
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._file.execute("pragma journal_mode=delete")
            self._file.execute("pragma synchronous=extra")
            self._file.executescript(_SCHEMA)
            found = self._file.execute("pragma quick_check(1)").fetchone()[0]
        except (sqlite3.Error, OSError) as error:
            raise JournalBroken(f"{path}: {error}") from error
        if found != "ok":
            raise JournalBroken(f"{path}: {found}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    # ------------------------------------------------------------------------------------------------------- facts

    def keep(self, name: str, value: object) -> None:
        """Keep something in JSON under a name; nothing is written when it is the same as before."""
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        with self._lock:
            row = self._file.execute("select value from fact where name = ?", (name,)).fetchone()
            if row is None or row[0] != text:
                self._file.execute("insert or replace into fact values (?, ?)", (name, text))

    def kept(self, name: str) -> Any:  # Any: what `keep` took, as JSON has it
        """Give what was kept under a name, or None."""
        with self._lock:
            row = self._file.execute("select value from fact where name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    # ------------------------------------------------------------------------------------------------------ blocks

    def lease(self, block: Block) -> None:
        """Keep a block that was leased; one known already stays as it is."""
        row = (block.lease, block.day, block.prefix, block.first, block.last, block.next, block.ends_ms)
        with self._lock:
            self._file.execute("insert or ignore into block values (?, ?, ?, ?, ?, ?, ?)", row)

    def blocks(self, now_ms: int) -> list[Block]:
        """Give the blocks of which numbers may be given now, the older first."""
        return [it for it in self.all_blocks() if it.ends_ms > now_ms]

    def all_blocks(self) -> list[Block]:
        """Give every block that is kept."""
        with self._lock:
            rows = self._file.execute(
                "select lease, day, prefix, first, last, next, ends_ms from block order by day, first"
            ).fetchall()
        return [
            Block(lease=row[0], day=row[1], prefix=row[2], first=row[3], last=row[4], next=row[5], ends_ms=row[6])
            for row in rows
        ]

    def drop(self, block: Block) -> None:
        """Give no more of a block."""
        with self._lock:
            self._file.execute("delete from block where day = ? and lease = ?", (block.day, block.lease))

    def left(self, prefix: str, now_ms: int) -> int:
        """Count the numbers of a series that may be given now."""
        return sum(it.last - it.next + 1 for it in self.blocks(now_ms) if it.prefix == prefix)

    # ----------------------------------------------------------------------------------------------------- numbers

    def give(self, prefix: str, *, key: str, body: Mapping[str, Any], track: str, now_ms: int) -> Given:
        """Give the next number of a series for a press, durably; the same key again gives the same number.

        Raises:
            NoNumberLeft: nothing was given.
            sqlite3.Error: nothing was given: the disk is full or broken.
        """
        return self._at_once(lambda: self._give(prefix, key, body, track, now_ms))

    def of_key(self, key: str) -> Given | None:
        """Give what a press got, or None when it got nothing here."""
        return next(iter(self._rows("key = ?", key)), None)

    def untold(self) -> list[Given]:
        """Give the numbers that the server has not heard of, in the order in which they were given."""
        return self._rows("told is null")

    def unprinted(self, since_ms: int) -> list[Given]:
        """Give the numbers since an instant of whose paper nothing is known."""
        return self._rows("printed is null and pressed_ms >= ?", since_ms)

    def refused(self) -> list[Given]:
        """Give the numbers that the hall refused."""
        return self._rows("told is not null and told <> ?", KEPT)

    def note_told(self, given: Given, how: str) -> None:
        """Keep how the server took a number."""
        with self._lock:
            self._file.execute("update given set told = ? where id = ?", (how, given.id))

    def note_printed(self, given: Given, how: str) -> None:
        """Keep how the paper came out."""
        with self._lock:
            self._file.execute("update given set printed = ? where id = ?", (how, given.id))

    def forget_old(self, now_ms: int) -> None:
        """Forget what is over: blocks of earlier days, and numbers told more than a week ago."""
        with self._lock:
            self._file.execute("delete from block where ends_ms <= ?", (now_ms - KEPT_MS,))
            self._file.execute("delete from given where told is not null and pressed_ms < ?", (now_ms - KEPT_MS,))

    def _give(self, prefix: str, key: str, body: Mapping[str, Any], track: str, now_ms: int) -> Given:
        if (known := self.of_key(key)) is not None:
            return known
        block = next((it for it in self.blocks(now_ms) if it.prefix == prefix and it.next <= it.last), None)
        if block is None:
            raise NoNumberLeft(prefix)
        self._file.execute(
            "update block set next = next + 1 where day = ? and lease = ?",
            (block.day, block.lease),
        )
        self._file.execute(
            "insert into given (key, day, prefix, number, pressed_ms, track, body) values (?, ?, ?, ?, ?, ?, ?)",
            (key, block.day, prefix, block.next, now_ms, track, json.dumps(dict(body), ensure_ascii=False)),
        )
        (given,) = self._rows("key = ?", key)
        return given

    def _at_once(self, work: Callable[[], T]) -> T:
        with self._lock:
            self._file.execute("begin immediate")
            try:
                done = work()
                self._file.execute("commit")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("rollback")
                raise
            return done

    def _rows(self, where: str, *values: object) -> list[Given]:
        with self._lock:
            rows = self._file.execute(
                "select id, key, day, prefix, number, pressed_ms, track, body, printed, told from given "  # noqa: S608
                f"where {where} order by id",  # our own words, values are bound
                values,
            ).fetchall()
        return [
            Given(
                id=row[0],
                key=row[1],
                day=row[2],
                prefix=row[3],
                number=row[4],
                pressed_ms=row[5],
                track=row[6],
                body=json.loads(row[7]),
                printed=row[8],
                told=row[9],
            )
            for row in rows
        ]
