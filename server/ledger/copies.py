"""A hall's ledger in Redis together with the copy that its server keeps: days that are over leave Redis, and no server.

Redis keeps its streams in memory, so a stream holds the last days only. Each server copies what is over into a ledger
file of its own, the same as that of a hall on one PC, with the same archives by month. A stream lets go of days once
every server of these days has them (`redis_scripts.TRIM`), and whoever reads on comes from the copy into the stream
without noticing. No server has to be chosen for that: commits have their numbers, copying one again changes nothing.

A server without the older days (a new one, or one that was away for long) starts with the snapshot in Redis and the
stream. It serves as any other and says that those days are elsewhere when it is asked for them.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from server.domain.terms import HallId
from server.ledger import archive, codec, files, snapshot, table
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDown, Stale
from server.ledger.redis_stream import Gone, RedisLedger
from server.ledger.snapshot import Snapshot, SnapshotUnusable

FOLDER = "copies"  # in the data folder of a server whose halls are in Redis

log = logging.getLogger(__name__)


class CopiedLedger:
    """A stream, and what left it in the copy at a path. Safe to call from many threads or greenlets."""

    def __init__(self, stream: RedisLedger, copy: Path) -> None:
        """Read from the copy what has left the stream."""
        self._stream, self._copy = stream, copy

    def append(self, commits: Sequence[Commit]) -> None:
        """Make sealed commits durable in the stream; it raises what `RedisLedger.append` does."""
        self._stream.append(commits)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`.

        Raises:
            Gone: they have left the stream and are not in the copy. And what `RedisLedger.read` does.
        """
        left = limit
        while True:
            try:
                for commit in self._stream.read(after, left):
                    yield commit
                    after, left = commit.seq, None if left is None else left - 1
            except Gone as gone:
                upto = gone.last - after if left is None else min(left, gone.last - after)
                for commit in self._older(after, upto, gone):
                    yield commit
                    after, left = commit.seq, None if left is None else left - 1
            else:
                return

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after the one with this seq and hash that the replicas asked for have.

        Raises:
            Stale: that commit is not in the ledger any more.
            Gone: what follows has left the stream and is not in the copy. And what `RedisLedger.since` does.
        """
        while True:
            try:
                for commit in self._stream.since(seq, head):
                    yield commit
                    seq, head = commit.seq, commit.hash
            except Gone as gone:
                for commit in self._older(seq, gone.last - seq, gone):
                    if commit.prev_hash != head:
                        raise Stale(f"{self._copy}: commit {seq} is another one") from gone
                    yield commit
                    seq, head = commit.seq, commit.hash
            else:
                return

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Wait until there is a commit with seq > `after`; False when there was none within the time."""
        return self._stream.wait_for_news(after, within_s)

    def gone(self) -> int:
        """Give up to which commit nothing can be read here; 0 when everything can."""
        begin, _ = self._stream.begin()
        return begin if begin and end_of(self._copy)[0] < begin else 0

    def close(self) -> None:
        """Let go of the connections."""
        self._stream.close()

    def _older(self, after: int, count: int, gone: Gone) -> Iterator[Commit]:
        """Give commits of the copy: all that were asked for, or none."""
        if end_of(self._copy)[0] < after + count:
            raise gone
        return islice(files.commits(self._copy, after), count)


def end_of(copy: Path) -> tuple[int, str]:
    """Give seq and hash of the last commit of a ledger file; (0, `GENESIS`) when there is none, or no file.

    Raises:
        LedgerDown: it cannot be read. LedgerBroken: it is damaged.
    """
    if not copy.is_file():
        return 0, GENESIS
    with table.reading(copy) as db:
        last = db.execute("SELECT seq, hash FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
        known = archive.noted(db, copy)
    if last is not None:
        return int(last[0]), str(last[1])
    return (known[-1].last, known[-1].hash) if known else (0, GENESIS)


def prove(copy: Path, after: int, upto: int, hash_: str) -> None:
    """Read commits back that were just copied, on a connection of their own.

    Raises:
        LedgerBroken: they are not what was to be copied. LedgerDown: they cannot be read.
    """
    with table.reading(copy) as db:
        seq, head = after, None
        for row in table.rows(db, after, upto):
            if (
                row.seq != seq + 1
                or head not in (None, row.prev_hash)
                or codec.chain(row.prev_hash, row.body) != row.hash
            ):
                raise LedgerBroken(f"{copy}: commit {row.seq} was not copied well")
            seq, head = row.seq, row.hash
    if (seq, head) != (upto, hash_):
        raise LedgerBroken(f"{copy}: it ends at {seq}, not at the commit {upto} that was copied")


def before(copy: Path, day: str, days: int) -> tuple[int, str]:
    """Give seq and hash of the last commit that is older than so many days before a day (ISO); (0, "") for none.

    Raises:
        LedgerDown: it cannot be read. LedgerBroken: it is damaged.
    """
    first = (date.fromisoformat(day) - timedelta(days=days)).isoformat()
    seq = files.before_day(copy, first)
    found = next(files.commits(copy, seq - 1), None) if seq > 0 else None
    return (seq, found.hash) if found is not None and found.day else (0, "")  # before the first day nothing is over


def newest_start(hall: HallId, stream: RedisLedger, own: Snapshot | None) -> Snapshot | None:
    """Give what a start begins with: the server's own snapshot, or that in Redis when it is newer.

    Raises:
        LedgerDown: Redis cannot be asked.
    """
    text = stream.snapshot(snapshot.fold_version())
    if text is not None:
        with suppress(SnapshotUnusable):
            shared = snapshot.decode(text, hall)
            if own is None or own.seq < shared.seq:
                return shared
    return own


def join(stream: RedisLedger, copy: Path, server: str) -> None:
    """Let a server be one of those that copy a stream: from now on the others wait for it.

    One that cannot go on copying, because what it lacks has left the stream, is not waited for.

    Raises:
        LedgerDown: Redis cannot be asked, or the copy holds commits and the stream none: a lost ledger is no new one.
    """
    end, _ = end_of(copy)
    if end and not stream.length():
        raise LedgerDown(
            f"the ledger in Redis is empty, but {copy} has {end} commits of it:"
            f" jiaohao ledger restore {copy} --hall {copy.stem} --ledger URL"
        )
    if end >= stream.begin()[0]:
        stream.trim(server, end)
