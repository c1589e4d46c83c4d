"""Ledgers in Redis seen from outside their servers, as `files` sees those in files: the same questions, the same names.

What has left Redis is read from the copy of the server on whose machine one asks. A whole ledger is checked and backed
up as a file, so that there is one way to do that; a backup can be put back into Redis, or onto one PC.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from server.domain.terms import HallId
from server.ledger import codec, files
from server.ledger.base import Commit, LedgerDown
from server.ledger.copies import CopiedLedger
from server.ledger.files import Verdict
from server.ledger.redis_address import RedisAddress
from server.ledger.redis_line import RedisLine
from server.ledger.redis_stream import PAGE, RedisLedger
from server.ledger.sqlite import SqliteLedger

Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The ledger of a hall in Redis; `copy` is the file with what has left it, if there is one on this machine."""

    hall: HallId
    address: RedisAddress
    copy: Path

    @property
    def stem(self) -> str:
        """The hall's name, as a file's would be."""
        return self.hall


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A ledger in Redis at a glance; the names mean what they do in `files.Status`, for what is in Redis.

    `commits` counts all there ever were, `begin` those that have left Redis; `copies` says how far each server's copy
    goes (commit, Unix seconds when it said so).
    """

    hall: str
    commits: int
    days: int
    first_day: str
    last_day: str
    last_ms: int | None
    head: str
    bytes: int
    begin: int
    copies: dict[str, tuple[int, int]]


def ledgers(address: RedisAddress, folder: Path) -> dict[str, Stream]:
    """Give the ledgers of a Redis database by hall; `folder` is where copies would be.

    Raises:
        LedgerDown: it cannot be asked.
    """
    with closing(RedisLine(replace(address, wait=0))) as line:
        found: set[str] = set()
        cursor = b"0"
        while True:
            cursor, keys = line.ask("SCAN", cursor, "MATCH", "jiaohao:{*}:commits", "COUNT", 1000)
            found |= {key.decode()[len("jiaohao:{") : -len("}:commits")] for key in keys}
            if cursor == b"0":
                break
    return {hall: at(hall, address, folder) for hall in sorted(found)}


def at(hall: str, address: RedisAddress, folder: Path) -> Stream:
    """Give the place of a hall's ledger in Redis, whether there is one or not."""
    return Stream(hall=HallId(hall), address=address, copy=folder / f"{hall}{files.SUFFIX}")


def status(stream: Stream) -> Status:
    """Give a ledger at a glance.

    Raises:
        LedgerDown: it cannot be read. LedgerBroken: it is damaged.
    """
    with _reading(stream) as ledger:
        begin, head = ledger.begin()
        days: list[str] = []
        commits, last_ms = begin, None
        for commit in ledger.read(begin):
            commits, head, last_ms = commit.seq, commit.hash, commit.at_ms
            if commit.day and (not days or days[-1] != commit.day):
                days.append(commit.day)
        return Status(
            hall=stream.hall,
            commits=commits,
            days=len(days),
            first_day=days[0] if days else "",
            last_day=days[-1] if days else "",
            last_ms=last_ms,
            head=head,
            bytes=ledger.memory(),
            begin=begin,
            copies=ledger.copies(),
        )


def length(stream: Stream) -> int:
    """Give the seq of the last commit.

    Raises:
        LedgerDown: it cannot be read.
    """
    with _reading(stream) as ledger:
        return ledger.last()


def verify(stream: Stream, *, rules: bool = True, tick: Tick = lambda _: None) -> Verdict:
    """Check a ledger as `files.verify` does. Never raises for what it finds.

    Raises:
        LedgerDown: it cannot be read, or its first days are in another server's copy.
    """
    with _as_file(stream) as path:
        return files.verify(path, rules=rules, tick=tick)


def backup(stream: Stream, to: Path, *, tick: Tick = lambda _: None) -> Verdict:
    """Write a ledger into a new file, that of a hall on one PC; it is verified before it gets its name.

    Raises:
        LedgerDown: it cannot be read or written, or its first days are in another server's copy.
        LedgerBroken: it is not whole; nothing is left behind.
        FileExistsError: there is a file of that name.
    """
    if to.exists():
        raise FileExistsError(to)
    with _as_file(stream, to.parent) as path:
        return files.backup(path, to, tick=tick)


def export(stream: Stream, to: IO[bytes], after: int = 0) -> int:
    """Write a ledger as `files.export` does; give how many commits there were.

    Raises:
        LedgerBroken: a commit does not fit. LedgerDown: it cannot be read, or the days are in another server's copy.
    """
    with _reading(stream) as ledger:
        return files.write(((it, codec.stored_form(it)) for it in CopiedLedger(ledger, stream.copy).read(after)), to)


def restore(source: Path, stream: Stream, *tails: Path, anew: bool = False, now: datetime | None = None) -> str | None:
    """Put a backup or an export in the place of a hall's ledger in Redis. Servers of the hall must be stopped.

    `tails` are exports of what came later, as in `files.restore`.

    It comes to its place in one step, after all of it was checked and is there. With `anew` a ledger that is there is
    moved aside, never overwritten; gives the name of the key where it has gone.

    Raises:
        LedgerBroken: a source is not whole, or of another hall, or a tail does not follow.
        LedgerDown: there is a ledger, or Redis fails; nothing is changed.
    """
    aside = f"replaced-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    days: dict[str, None] = {}
    with (
        closing(RedisLedger(stream.hall, stream.address)) as ledger,
        closing(RedisLedger(stream.hall, stream.address, part=f"restoring-{secrets.token_hex(4)}")) as brought,
    ):
        was_there = ledger.length() > 0
        if was_there and not anew:
            raise LedgerDown(f"there is a ledger of {stream.hall} in {stream.address.shown}")
        try:
            checked = (commit for commit, _ in files.commits_of(stream.hall, source, *tails))
            while page := list(islice(checked, PAGE)):
                brought.append(page)
                days |= dict.fromkeys(commit.day for commit in page)
            brought.take_place_of(ledger, list(days)[-2:], aside=aside if was_there else "")
        finally:
            brought.delete(list(days))
    return ledger.key(aside) if was_there else None


@contextmanager
def _reading(stream: Stream) -> Iterator[RedisLedger]:
    """Open a ledger for reading: nothing is written, not even to see whether replicas have it."""
    with closing(RedisLedger(stream.hall, replace(stream.address, wait=0))) as ledger:
        yield ledger


@contextmanager
def _as_file(stream: Stream, beside: Path | None = None) -> Iterator[Path]:
    """Give a whole ledger as a file, for a while."""
    with TemporaryDirectory(prefix=".jiaohao-", dir=beside) as folder:
        path = Path(folder) / f"{stream.hall}{files.SUFFIX}"
        with _reading(stream) as ledger, closing(SqliteLedger(path)) as file:
            commits: Iterator[Commit] = CopiedLedger(ledger, stream.copy).read()
            file.take_over((commit, codec.stored_form(commit)) for commit in commits)
        yield path
