"""The ledger of a hall in a Redis Stream, for halls that several servers write at once.

One commit is one entry with the id `SEQ-0`; its body is the stored form, byte for byte as in SQLite. A script appends a
group whole or not at all: it looks whether the last entry is the one that the writer built on and whether a key of the
day is used again, and only then writes. Whoever was slower is told so (`Stale`), and no lock is left behind by anybody.
What a Redis must be like to be believed, and when a write counts: `redis_line`.

All keys of a hall carry its name as their hash tag, `jiaohao:{HALL}:...`, so they lie in one slot of a Redis Cluster.
"""

from collections.abc import Iterator, Sequence

from server.domain.terms import HallId
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDown, LedgerUnknown, Stale
from server.ledger.redis_address import TIMEOUT_S, RedisAddress
from server.ledger.redis_line import RedisLine

PAGE = 500  # commits read at a time
KEYS_FOR_S = 4 * 24 * 3600  # a business day and more; the day of a hall never goes back

# KEYS: the stream, then the keys of each day. ARGV: last id and hash that the writer knows, then seven per commit:
# id, index of the day in KEYS, day, key (empty: none), previous hash, hash, body. Everything is looked at before
# anything is written: a script that fails in the middle would leave half.
_APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local id, head = '0-0', ARGV[2]
if #last > 0 then
  id = last[1][1]
  local fields = last[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'hash' then head = fields[i + 1] end
  end
end
if id ~= ARGV[1] or head ~= ARGV[2] then return 'the last commit is ' .. id end
for i = 3, #ARGV, 7 do
  if ARGV[i + 3] ~= '' and redis.call('HEXISTS', KEYS[tonumber(ARGV[i + 1])], ARGV[i + 3]) == 1 then
    return 'commit ' .. ARGV[i] .. ' uses a key again'
  end
end
for i = 3, #ARGV, 7 do
  redis.call('XADD', KEYS[1], ARGV[i], 'day', ARGV[i + 2], 'key', ARGV[i + 3],
    'prev_hash', ARGV[i + 4], 'hash', ARGV[i + 5], 'body', ARGV[i + 6])
  if ARGV[i + 3] ~= '' then
    redis.call('HSET', KEYS[tonumber(ARGV[i + 1])], ARGV[i + 3], ARGV[i])
    redis.call('EXPIRE', KEYS[tonumber(ARGV[i + 1])], KEYS_FOR_S)
  end
end
return 'written'
""".replace("KEYS_FOR_S", str(KEYS_FOR_S))

# WAIT is about the last write of its own connection, and all before it: so there must be one. KEYS: the stream, what is
# written; ARGV: the id of a commit. Gives its hash as it stands on the server that is asked.
_CONFIRM = """
redis.call('SET', KEYS[2], ARGV[1])
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return '' end
local fields = found[1][2]
for i = 1, #fields, 2 do
  if fields[i] == 'hash' then return fields[i + 1] end
end
return ''
"""


class RedisLedger:
    """Commits of one hall in one stream. Safe to call from many threads or greenlets."""

    def __init__(self, hall: HallId, address: RedisAddress) -> None:
        """Reach the server and look whether it keeps what it acknowledges.

        Raises:
            LedgerDown: it cannot be reached, or it would lose acknowledged commits at a power cut.
        """
        self._hall = hall
        self._stream = f"jiaohao:{{{hall}}}:commits"
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
        said = self._line.write("EVAL", _APPEND, len(keys), *keys, *values, counts=lambda said: said == b"written")
        if said != b"written":
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
        name = f"jiaohao:{{{self._hall}}}:drill"
        marked = bool(self._line.ask("EXISTS", name))
        if marked and not drill:
            raise LedgerDown(f"{self._stream} belongs to a drill: use another database, or --clock")
        if drill and not marked:
            if self._line.ask("XLEN", self._stream):
                raise LedgerDown(f"{self._stream} belongs to real days: use another database for a drill")
            self._line.write("SET", name, 1)

    def close(self) -> None:
        """Let go of the connections."""
        self._line.close()

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
        mark = f"jiaohao:{{{self._hall}}}:confirmed"
        said: bytes = self._line.write("EVAL", _CONFIRM, 2, self._stream, mark, f"{seq}-0")
        return said.decode()

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
            values.append(codec.encode(commit))
            seq, head = commit.seq, commit.hash
        return [self._stream, *(f"jiaohao:{{{self._hall}}}:keys:{day}" for day in days)], values

    def _read(self, after: int, head: str | None, limit: int | None) -> Iterator[Commit]:
        """Read pages that begin with the commit before, so that the chain is checked across them too."""
        left = limit
        if after <= 0:
            after, head = 0, GENESIS
        while left is None or left > 0:
            page = PAGE if left is None else min(PAGE, left)
            begin, count = (f"{after}-0", page + 1) if after else ("-", page)
            rows = self._line.ask("XRANGE", self._stream, begin, "+", "COUNT", count)
            if after:
                first = rows.pop(0) if rows else None
                there = first is not None and first[0].decode() == f"{after}-0"
                found = _fields(first[1])["hash"].decode() if first is not None and there else None
                if found is None and (rows or first is not None):
                    raise LedgerBroken(f"{self._stream}: commit {after} is missing")
                if head is not None and found != head:
                    raise Stale(f"{self._stream}: commit {after} is another one now")
                head = found
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
