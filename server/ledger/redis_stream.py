"""The ledger of a hall in a Redis Stream, for halls that several servers write at once.

One commit is one entry with the id `SEQ-0`; its body is the stored form, byte for byte as in SQLite. A script appends a
group whole or not at all: it looks whether the last entry is the one that the writer built on and whether a key of the
day is used again, and only then writes. Whoever was slower is told so (`Stale`), and no lock is left behind by anybody.

Redis keeps what it acknowledged only with `appendonly yes` and `appendfsync always` (redis.io, "Redis persistence"), so
every new connection looks for that. Replication is asynchronous: after a failover acknowledged writes can be missing
unless the writer waited for a replica (redis.io, WAIT), so behind Sentinel nothing is acknowledged before `WAIT`. Even
then the promise is bounded: nothing is lost while fewer servers fail at once than were waited for.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow
from redis.retry import Retry
from redis.sentinel import Sentinel

from server.domain.terms import HallId
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDown, LedgerUnknown, Stale

PAGE = 500  # commits read at a time
TIMEOUT_S = 5.0  # a server that says nothing for so long is gone
KEYS_FOR_S = 4 * 24 * 3600  # a business day and more; the day of a hall never goes back
PORT, SENTINEL_PORT = 6379, 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")

log = logging.getLogger(__name__)

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


class BadAddress(Exception):
    """The address of a Redis ledger cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Where a Redis ledger is and what is asked of it.

    `url` is for one server, `sentinels` (host, port) and `service` for a group behind Sentinel. A write counts when
    `wait` replicas have it within `wait_ms`. `unsafe`: serve without `appendfsync always`, and say so loudly.
    """

    url: str = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = None
    wait: int = 0
    wait_ms: int = 500
    unsafe: bool = False

    @property
    def shown(self) -> str:
        """The address without its password."""
        if self.sentinels:
            return f"{self.service} of the sentinels {','.join(f'{host}:{port}' for host, port in self.sentinels)}"
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def address_of(url: str) -> RedisAddress:
    """Give the address of `redis://HOST:PORT/DB` or `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB`.

    Both take `?wait=REPLICAS&wait_ms=MS&unsafe=1`; behind Sentinel `wait` is 1 unless said otherwise.

    Raises:
        BadAddress: it is neither, or a number in it is none.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    try:
        behind_sentinel = parts.scheme == "redis+sentinel"
        wait = int(options.pop("wait", "1" if behind_sentinel else "0"))
        wait_ms = int(options.pop("wait_ms", "500"))
        unsafe = options.pop("unsafe", "0") == "1"
        if wait < 0 or not 0 < wait_ms <= TIMEOUT_S * 1000:
            raise BadAddress(f"wait must be 0 or more, wait_ms 1 to {TIMEOUT_S * 1000:.0f}")
        if not behind_sentinel:
            if parts.scheme not in SCHEMES or not (parts.netloc or parts.path):
                raise BadAddress("write redis://HOST:PORT/DB or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB")
            one = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{urlencode(options)}" if options else "")
            Redis.from_url(one)  # connects only when it is asked something
            return RedisAddress(url=one, wait=wait, wait_ms=wait_ms, unsafe=unsafe)
        if options:
            raise BadAddress(f"unknown: {', '.join(options)}; known are wait, wait_ms, unsafe")
        who, _, hosts = parts.netloc.rpartition("@")
        service, _, db = parts.path.strip("/").partition("/")
        if not hosts or not service:
            raise BadAddress("write redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB")
        username, _, password = who.partition(":")
        return RedisAddress(
            sentinels=tuple(_host_port(each) for each in hosts.split(",")),
            service=service,
            db=int(db or 0),
            username=unquote(username) or None,
            password=unquote(password) or None,
            wait=wait,
            wait_ms=wait_ms,
            unsafe=unsafe,
        )
    except ValueError as error:
        raise BadAddress(str(error)) from error


class RedisLedger:
    """Commits of one hall in one stream. Safe to call from many threads or greenlets."""

    def __init__(self, hall: HallId, address: RedisAddress) -> None:
        """Reach the server and look whether it keeps what it acknowledges.

        Raises:
            LedgerDown: it cannot be reached, or it would lose acknowledged commits at a power cut.
        """
        self._address, self._hall = address, hall
        self._stream = f"jiaohao:{{{hall}}}:commits"
        self._confirmed = 0
        self._warned = False
        how: dict[str, Any] = {
            "socket_timeout": TIMEOUT_S + 1,
            "socket_connect_timeout": TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),  # whether to try again is for the hall to decide
            "redis_connect_func": self._greet,
            "protocol": 2,
        }
        client: Redis
        if address.sentinels:
            sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
                address.sentinels, sentinel_kwargs={"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
            )
            who = {"db": address.db, "username": address.username, "password": address.password}
            client = sentinel.master_for(address.service, **who, **how)
        else:
            client = Redis.from_url(address.url, **how)
        self._pool: Any = client.connection_pool
        self._ask("XLEN", self._stream)

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
        connection = self._connection()
        try:
            said = self._send(connection, "EVAL", _APPEND, len(keys), *keys, *values).decode()
            if said != "written":
                raise Stale(said)
            self._wait_for_replicas(connection)
        finally:
            self._pool.release(connection)
        self._confirmed = commits[-1].seq

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        return self._read(after, None, limit)

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after the one with this seq and hash.

        Raises:
            Stale: that commit is not in the ledger any more: a failover lost it.
        """
        return self._read(seq, head, None)

    def confirm(self, seq: int) -> None:
        """Return when the replicas asked for have everything up to `seq`, whoever wrote it.

        Raises:
            LedgerDown: the server cannot be asked.
            LedgerUnknown: too few replicas have it.
        """
        if self._address.wait == 0 or seq <= self._confirmed:
            return
        connection = self._connection()
        try:
            # WAIT is about the writes of its own connection, so it needs one.
            self._send(connection, "SET", f"jiaohao:{{{self._hall}}}:confirmed", seq)
            self._wait_for_replicas(connection)
        finally:
            self._pool.release(connection)
        self._confirmed = max(self._confirmed, seq)

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Wait until there is a commit with seq > `after`; False when there was none within the time (at most 5 s).

        Raises:
            LedgerDown: the server cannot be asked.
        """
        block = max(1, int(min(within_s, TIMEOUT_S) * 1000))
        return bool(self._ask("XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", self._stream, f"{after}-0"))

    def mark(self, *, drill: bool) -> None:
        """Keep drills and real days apart: a stream belongs to one of them from its first commit on.

        Raises:
            LedgerDown: it belongs to the other, or the server cannot be asked.
        """
        name = f"jiaohao:{{{self._hall}}}:drill"
        marked = bool(self._ask("EXISTS", name))
        if marked and not drill:
            raise LedgerDown(f"{self._stream} belongs to a drill: use another database, or --clock")
        if drill and not marked:
            if self._ask("XLEN", self._stream):
                raise LedgerDown(f"{self._stream} belongs to real days: use another database for a drill")
            self._ask("SET", name, 1)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.disconnect()

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
            rows = self._ask("XRANGE", self._stream, begin, "+", "COUNT", count)
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
            for id_, values in rows:
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

    def _wait_for_replicas(self, connection: Any) -> None:
        wanted = self._address.wait
        if wanted == 0:
            return
        have = self._send(connection, "WAIT", wanted, self._address.wait_ms, written=True)
        if have < wanted:
            self._pool.disconnect()  # perhaps this master is alone and no longer the master: ask again who is
            raise LedgerUnknown(f"{self._address.shown}: {have} of {wanted} replicas have it")

    def _connection(self) -> Any:
        try:
            return self._pool.get_connection()
        except (RedisError, OSError) as error:
            raise LedgerDown(f"{self._address.shown} cannot be reached: {error}") from error

    def _send(self, connection: Any, *command: str | bytes | int, written: bool = False) -> Any:
        """Send a command that writes. What Redis refuses was not written; after a broken line nobody knows."""
        try:
            connection.send_command(*command)
            return connection.read_response(disconnect_on_error=True)
        except ResponseError as error:
            kind = LedgerUnknown if written else LedgerDown
            self._pool.disconnect()  # a master that was made a replica stays one: ask again who it is
            raise kind(f"{self._address.shown}: {error}") from error
        except (RedisError, OSError) as error:
            connection.disconnect()
            raise LedgerUnknown(f"{self._address.shown}: {error}") from error

    def _ask(self, *command: str | int) -> Any:
        connection = self._connection()
        try:
            connection.send_command(*command)
            return connection.read_response(disconnect_on_error=True)
        except (RedisError, OSError) as error:
            connection.disconnect()
            raise LedgerDown(f"{self._address.shown}: {error}") from error
        finally:
            self._pool.release(connection)

    def _greet(self, connection: Any) -> None:
        """Begin a connection, and look whether this server keeps what it acknowledges."""
        connection.on_connect()
        try:
            found = {}
            for setting in ("appendonly", "appendfsync"):
                connection.send_command("CONFIG", "GET", setting)
                name, value = connection.read_response()
                found[name.decode()] = value.decode()
        except (Disconnected, TooSlow):
            raise
        except (ResponseError, ValueError) as error:
            self._warn(f"{self._address.shown} does not say how it keeps data ({error}): see that it runs with"
                       " appendonly yes and appendfsync always")  # fmt: skip
            return
        if found == {"appendonly": "yes", "appendfsync": "always"}:
            return
        said = ", ".join(f"{name} {value}" for name, value in found.items())
        if self._address.unsafe:
            self._warn(f"UNSAFE: {self._address.shown} has {said}: numbers told to visitors are lost at a power cut")
            return
        connection.disconnect()
        raise LedgerDown(
            f"{self._address.shown} has {said}: acknowledged numbers would be lost at a power cut. Set `appendonly yes`"
            " and `appendfsync always` in redis.conf (or add ?unsafe=1 to the address for a trial)"
        )

    def _warn(self, text: str) -> None:
        if not self._warned:
            log.warning("%s", text)
        self._warned = True


def _fields(values: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(values[::2], values[1::2], strict=True)}


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    return (host, int(port)) if host else (text.strip(), SENTINEL_PORT)
