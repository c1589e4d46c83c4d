"""The ledger of a hall in a Redis Stream, for halls that several servers write at once.

One commit is one entry with the id `SEQ-0`; its body is the stored form, byte for byte as in SQLite. A script appends a
group whole or not at all: it looks whether the last entry is the one that the writer built on and whether a key of the
day is used again, and only then writes. Whoever was slower is told so (`Stale`), and no lock is left behind by anybody.
What a Redis must be like to be believed, and when a write counts: `redis_line`.

All keys of a hall carry its name as their hash tag, `jiaohao:{HALL}:...`, so they lie in one slot of a Redis Cluster.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from server.domain.terms import HallId
from server.ledger import codec
from server.ledger.base import GENESIS, ArchiveMissing, Commit, LedgerBroken, LedgerDown, LedgerUnknown, Stale
from server.ledger.redis_address import TIMEOUT_S, RedisAddress
from server.ledger.redis_line import RedisLine
from server.ledger.redis_scripts import APPEND, CONFIRM, KEEP_SNAPSHOT, NOTED, PUT_IN_PLACE, TRIM, TRIMMED, WRITTEN

PAGE = 500  # commits read at a time


class Gone(ArchiveMissing):
    """Commits that were asked for have left the stream; `last` is the last of them. Copies have them (`copies`)."""

    def __init__(self, stream: str, last: int) -> None:
        """Keep how far they are gone."""
        self.last = last
        super().__init__(f"{stream}: the commits up to {last} are in the servers' copies only")


class RedisLedger:
    """Commits of one hall in one stream. Safe to call from many threads or greenlets."""

    def __init__(self, hall: HallId, address: RedisAddress, *, part: str = "") -> None:
        """Reach the server and look whether it keeps what it acknowledges.

        `part` names a ledger that is being brought beside the hall's own (`take_place_of`).

        Raises:
            LedgerDown: it cannot be reached, or it would lose acknowledged commits at a power cut.
        """
        self._tag = f"jiaohao:{{{hall}}}" + (f":{part}" if part else "")
        self._stream = self.key("commits")
        self._line = RedisLine(address)
        self._confirmed = 0

    def append(self, commits: Sequence[Commit]) -> None:
        """Make sealed commits durable with one script, and wait for the replicas asked for.

        Raises:
            Stale: they do not follow the last commit or use a key of their day again.
            LedgerDown: nothing was written.
            LedgerUnknown: the line broke, or too few replicas have it; the same key again finds out.
        """
        if not commits:
            return
        keys, values = self._script_input(commits)
        said = self._write(APPEND, keys, values)
        if said != WRITTEN:
            raise Stale(said.decode())
        self._confirmed = commits[-1].seq

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        return self._read(after, None, limit)

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after the one with this seq and hash that the replicas asked for have.

        Raises:
            Stale: that commit is not in the ledger any more: a failover lost it.
            LedgerUnknown: there is more that too few replicas have, or the commit is missing on a server of which
                nobody can say that it speaks for the group.
        """
        given = False
        try:
            for commit in self._read(seq, head, None):
                given = True
                yield commit
        except Stale:
            # A master that was cut off, back for a moment, shows an old picture: only who has its replicas is believed.
            self._confirmed = 0
            if given or self._confirm(seq) != head:
                raise
        else:
            return
        yield from self._read(seq, head, None)

    def gone(self) -> int:
        """Give up to which commit the stream has none any more."""
        return self.begin()[0]

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Wait until there is a commit with seq > `after`; False when there was none within the time (at most 5 s).

        Raises:
            LedgerDown: the server cannot be asked.
        """
        block = max(1, int(min(within_s, TIMEOUT_S) * 1000))
        return bool(self._line.ask("XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", self._stream, f"{after}-0"))

    def mark(self, *, drill: bool) -> None:
        """Keep drills and real days apart: a stream belongs to one of them from its first commit on.

        Raises:
            LedgerDown: it belongs to the other, or the server cannot be asked.
        """
        name = self.key("drill")
        marked = bool(self._line.ask("EXISTS", name))
        if marked and not drill:
            raise LedgerDown(f"{self._stream} belongs to a drill: use another database, or --clock")
        if drill and not marked:
            if self.length():
                raise LedgerDown(f"{self._stream} belongs to real days: use another database for a drill")
            self._line.write("SET", name, 1)

    def key(self, part: str) -> str:
        """Give the name of a part of this hall's ledger; the hall's tag keeps all of them in one slot of a Cluster."""
        return f"{self._tag}:{part}"

    def length(self) -> int:
        """Give how many commits are in the stream.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        return int(self._line.ask("XLEN", self._stream))

    def begin(self) -> tuple[int, str]:
        """Give seq and hash of the last commit that left the stream; (0, `GENESIS`) while none has.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        said = self._line.ask("GET", self.key("begin"))
        seq, _, hash_ = said.decode().partition(" ") if said is not None else ("0", "", GENESIS)
        return int(seq), hash_

    def trim(self, server: str, copied: int, upto: int = 0, hash_: str = "") -> str:
        """Say how far a server's own copy goes, and let the stream go up to a commit, if every copy has it.

        Gives "" when it is done, else why not: nothing was let go of.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        keys = [self.key(part) for part in ("commits", "begin", "copies", "snapshot-seqs", "snapshots")]
        said = self._write(TRIM, keys, [server, copied, upto, hash_], counts=lambda _: True)
        return "" if said in (TRIMMED, NOTED) else said.decode()

    def copies(self) -> dict[str, tuple[int, int]]:
        """Give how far each server's copy went (seq) when it last said so (Unix seconds).

        Raises:
            LedgerDown: the server cannot be asked.
        """
        found = _fields(self._line.ask("HGETALL", self.key("copies")))
        said = {server: tuple(map(int, value.split())) for server, value in found.items()}
        return {server: (seq, at_s) for server, (seq, at_s) in said.items()}

    def keep_snapshot(self, version: str, seq: int, text: bytes) -> None:
        """Keep the state as of a commit for servers that have no copy, by the version that can read it.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        keys = [self.key("snapshot-seqs"), self.key("snapshots")]
        self._write(KEEP_SNAPSHOT, keys, [version, seq, text], counts=lambda said: said == WRITTEN)

    def snapshot(self, version: str) -> bytes | None:
        """Give the newest snapshot that a version has kept.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        text: bytes | None = self._line.ask("HGET", self.key("snapshots"), version)
        return text

    def last(self) -> int:
        """Give the seq of the last commit, 0 when there is none.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        rows = self._line.ask("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
        return int(rows[0][0].partition(b"-")[0]) if rows else 0

    def memory(self) -> int:
        """Give about how many bytes of memory the stream takes.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        return int(self._line.ask("MEMORY", "USAGE", self._stream) or 0)

    def take_place_of(self, other: "RedisLedger", days: Sequence[str], *, aside: str) -> None:
        """Come to the place of another ledger of the hall, with the keys of these days; in one step.

        A ledger that is there goes `aside`, to the part of that name; with "" there must be none.

        Raises:
            LedgerDown: there is one, or the server cannot be asked; nothing is changed.
            LedgerUnknown: nobody knows whether it will last.
        """
        old = ("begin", "copies", "snapshot-seqs", "snapshots", "confirmed")
        parts = ("commits", *(f"keys:{day}" for day in days), *old)
        pairs = [name for part in parts for name in (self.key(part), other.key(part))]
        keys = [other.key("commits"), other.key(aside or "replaced"), *pairs]
        if self._write(PUT_IN_PLACE, keys, ["replace" if aside else ""]) != WRITTEN:
            raise LedgerDown(f"there is a ledger at {other.key('commits')}")

    def delete(self, days: Sequence[str]) -> None:
        """Take away what was brought and did not come to its place.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        self._line.write("DEL", self._stream, *(self.key(f"keys:{day}") for day in days))

    def close(self) -> None:
        """Let go of the connections."""
        self._line.close()

    def _before(self, after: int, first: Sequence[Any]) -> str | None:
        """Give the hash of a commit after which is read, None when nothing is there or after it.

        Raises:
            Gone: what comes after it has left the stream. LedgerBroken: it is missing.
        """
        if self._is(first, after):
            return _fields(first[0][1])["hash"].decode()
        if not first and after:
            return None
        begin, hash_ = self.begin()
        if after < begin:
            raise Gone(self._stream, begin)
        if after > begin:
            raise LedgerBroken(f"{self._stream}: commit {after} is missing")
        return hash_

    @staticmethod
    def _is(first: Sequence[Any], seq: int) -> bool:
        return bool(first) and first[0][0].decode() == f"{seq}-0"

    def _unsure(self, seq: int, hash_: str) -> LedgerUnknown | None:
        """Give why nobody can say whether everything up to a commit will last; None when it will.

        Raises:
            Stale: it is another commit on the server that speaks for the group now.
            LedgerDown: no server can be asked.
        """
        if self._line.wait == 0 or seq <= self._confirmed:
            return None
        try:
            there = self._confirm(seq)
        except LedgerUnknown as unknown:
            return unknown
        if there != hash_:
            raise Stale(f"{self._stream}: commit {seq} is another one now")
        self._confirmed = seq
        return None

    def _confirm(self, seq: int) -> str:
        """Give the hash of a commit once the replicas asked for have everything up to it, whoever wrote it.

        It is "" where there is no such commit: the server that says so has its replicas.

        Raises:
            LedgerUnknown, LedgerDown: that cannot be said now.
        """
        return self._write(CONFIRM, [self._stream, self.key("confirmed")], [f"{seq}-0"], counts=lambda _: True).decode()

    def _write(
        self,
        script: str,
        keys: Sequence[str],
        values: Sequence[str | bytes | int],
        counts: Callable[[bytes], bool] = lambda said: said == WRITTEN,
    ) -> bytes:
        said: bytes = self._line.write("EVAL", script, len(keys), *keys, *values, counts=counts)
        return said

    def _script_input(self, commits: Sequence[Commit]) -> tuple[list[str], list[str | bytes]]:
        days = list(dict.fromkeys(commit.day for commit in commits))
        values: list[str | bytes] = [f"{commits[0].seq - 1}-0", commits[0].prev_hash]
        seq, head = commits[0].seq - 1, commits[0].prev_hash
        if seq == 0 and head != GENESIS:
            raise Stale("the first commit follows nothing")
        used: set[tuple[str, str]] = set()
        for commit in commits:
            if commit.seq != seq + 1 or commit.prev_hash != head:
                raise Stale(f"commit {commit.seq} does not follow {seq}")
            if commit.key is not None:
                if (commit.day, commit.key) in used:
                    raise Stale(f"commit {commit.seq} uses a key again")
                used.add((commit.day, commit.key))
            place = str(days.index(commit.day) + 2)
            values += [f"{commit.seq}-0", place, commit.day, commit.key or "", commit.prev_hash, commit.hash]
            values.append(codec.stored_form(commit))
            seq, head = commit.seq, commit.hash
        return [self._stream, *(self.key(f"keys:{day}") for day in days)], values

    def _read(self, after: int, head: str | None, limit: int | None) -> Iterator[Commit]:
        """Read pages that begin with the commit before, so that the chain is checked across them too."""
        left = limit
        if after <= 0:
            after, head = 0, GENESIS
        while left is None or left > 0:
            page = PAGE if left is None else min(PAGE, left)
            rows = self._line.ask("XRANGE", self._stream, f"{after}-0", "+", "COUNT", page + 1)
            before, rows = self._before(after, rows[:1]), rows[1 if self._is(rows[:1], after) else 0 :][:page]
            if head is not None and before != head:
                raise Stale(f"{self._stream}: commit {after} is another one now")
            head = before
            if head is None:
                return  # nothing here and nothing after
            unsure = self._unsure(after + len(rows), _fields(rows[-1][1])["hash"].decode()) if rows else None
            for id_, values in rows:
                if unsure is not None and after >= self._confirmed:
                    raise unsure
                fields = _fields(values)
                prev_hash, hash_ = fields["prev_hash"].decode(), fields["hash"].decode()
                if id_.decode() != f"{after + 1}-0" or prev_hash != head:
                    raise LedgerBroken(f"{self._stream}: commit {id_.decode()} does not follow {after}")
                commit = codec.decode(fields["body"], prev_hash=prev_hash, hash_=hash_)
                if commit.seq != after + 1:
                    raise LedgerBroken(f"{self._stream}: commit {commit.seq} stands where {after + 1} belongs")
                yield commit
                after, head = after + 1, hash_
            if len(rows) < page:
                return
            left = None if left is None else left - page


def _fields(values: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(values[::2], values[1::2], strict=True)}
