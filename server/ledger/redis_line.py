"""The line to a Redis server, or to the master of a group behind Sentinel, that keeps what it acknowledges.

Redis keeps what it acknowledged only with `appendonly yes` and `appendfsync always` (redis.io, "Redis persistence"),
and throws nothing away only with `maxmemory-policy noeviction` (redis.io, "Key eviction"). Both are looked at on every
new connection, and behind Sentinel on every replica that can be reached, since each of them may be the master next.

Replication is asynchronous: after a failover acknowledged writes can be missing unless the writer waited for replicas
(redis.io, WAIT). So behind Sentinel a write counts only when more than half of the group have it: whatever majority the
sentinels can reach then, one in it has the write, and they choose the one with the most (redis.io, "High availability
with Redis Sentinel"). The promise has a bound: nothing is lost while fewer servers fail at once than have the write.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

from server.ledger.base import LedgerDown, LedgerUnknown
from server.ledger.redis_address import TIMEOUT_S, RedisAddress

SENTINEL_TIMEOUT_S = 1.0
DEMANDED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}

log = logging.getLogger(__name__)

Word = str | bytes | int


class RedisLine:
    """Connections to one Redis or one group behind Sentinel. Safe to use from many threads or greenlets."""

    def __init__(self, address: RedisAddress) -> None:
        """Reach the server and look whether it, and who may follow it, keeps what it acknowledges.

        Raises:
            LedgerDown: it cannot be reached, or it would lose what it acknowledged.
        """
        self._address = address
        self._warned: set[str] = set()
        how: dict[str, Any] = {
            "socket_timeout": TIMEOUT_S + 1,
            "socket_connect_timeout": TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),  # whether to try again is for the hall to decide
            "redis_connect_func": self._greet,
            "protocol": 2,
        }
        client: Redis
        replicas: list[tuple[str, int]] = []
        if address.sentinels:
            group = _Group(address)
            client = group.client_of_master(how)
            replicas = group.replicas()
        else:
            client = Redis.from_url(address.url, **how)
        self._pool: Any = client.connection_pool
        self.wait = max(1, (len(replicas) + 1) // 2) if address.wait is None else address.wait
        """How many replicas must have a write."""
        self.ask("PING")
        self._look_at_replicas(replicas, how)

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self._address.shown

    def ask(self, *command: Word) -> Any:
        """Give the answer to a question.

        Raises:
            LedgerDown: the server cannot be asked.
        """
        connection = self._connection()
        try:
            connection.send_command(*command)
            return connection.read_response(disconnect_on_error=True)
        except (RedisError, OSError, ValueError) as error:  # ValueError: it was closed under our hands
            connection.disconnect()
            raise LedgerDown(f"{self.shown}: {error}") from error
        finally:
            self._pool.release(connection)

    def write(self, *command: Word, counts: Callable[[Any], bool] = lambda _: True) -> Any:
        """Send one command that writes, give its answer when as many replicas have it as must.

        An answer that does not count (nothing was written) is given at once.

        Raises:
            LedgerDown: nothing was written.
            LedgerUnknown: the line broke, or too few replicas have it; nobody knows whether it will last.
        """
        connection = self._connection()
        try:
            said = self._send(connection, *command)
            if counts(said):
                self._wait_for_replicas(connection)
            return said
        finally:
            self._pool.release(connection)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.disconnect()

    def _wait_for_replicas(self, connection: Any) -> None:
        """Wait for the writes of this connection: WAIT is about them alone."""
        if self.wait == 0:
            return
        have = self._send(connection, "WAIT", self.wait, self._address.wait_ms, written=True)
        if have < self.wait:
            self._leave_master(connection)
            raise LedgerUnknown(f"{self.shown}: {have} of {self.wait} replicas have it")

    def _leave_master(self, connection: Any) -> None:
        """Ask again who is the master: this one may be cut off, or be a replica by now. Others finish what they ask."""
        connection.disconnect()
        self._pool.disconnect(inuse_connections=False)

    def _connection(self) -> Any:
        try:
            return self._pool.get_connection()
        except (RedisError, OSError) as error:
            raise LedgerDown(f"{self.shown} cannot be reached: {error}") from error

    def _send(self, connection: Any, *command: Word, written: bool = False) -> Any:
        """Send a command that writes. What Redis refuses was not written; after a broken line nobody knows."""
        try:
            connection.send_command(*command)
            return connection.read_response(disconnect_on_error=True)
        except ResponseError as error:
            kind = LedgerUnknown if written else LedgerDown
            self._leave_master(connection)
            raise kind(f"{self.shown}: {error}") from error
        except (RedisError, OSError, ValueError) as error:  # ValueError: it was closed under our hands
            connection.disconnect()
            raise LedgerUnknown(f"{self.shown}: {error}") from error

    def _look_at_replicas(self, replicas: list[tuple[str, int]], how: Mapping[str, Any]) -> None:
        """Look at who may be the master next, before it is."""
        if len(replicas) < self.wait:
            self._warn(
                f"{self.shown} has {len(replicas)} replicas, {self.wait} must have each write: nothing is answered"
            )
        for host, port in replicas:
            address = self._address
            client = Redis(
                host=host, port=port, db=address.db, username=address.username, password=address.password,
                **{**how, "socket_timeout": SENTINEL_TIMEOUT_S, "socket_connect_timeout": SENTINEL_TIMEOUT_S},
            )  # fmt: skip
            try:
                client.ping()
            except (RedisError, OSError) as error:
                self._warn(f"the replica {host}:{port} cannot be looked at ({error})")
            finally:
                client.close()

    def _greet(self, connection: Any) -> None:
        """Begin a connection, and look whether this server keeps what it acknowledges."""
        connection.on_connect()
        where = f"{self.shown} ({connection.host}:{connection.port})" if self._address.sentinels else self.shown
        try:
            found = {}
            for setting in DEMANDED:
                connection.send_command("CONFIG", "GET", setting)
                name, value = connection.read_response()
                found[name.decode()] = value.decode()
        except (Disconnected, TooSlow):
            raise
        except (ResponseError, ValueError) as error:
            self._warn(f"{where} does not say how it runs ({error}): see that it has {_as_settings(DEMANDED)}")
            return
        wrong = {name: value for name, value in found.items() if value != DEMANDED.get(name)}
        if not wrong:
            return
        if self._address.unsafe:
            self._warn(f"UNSAFE: {where} has {_as_settings(wrong)}: numbers told to visitors can be lost")
            return
        connection.disconnect()
        raise LedgerDown(
            f"{where} has {_as_settings(wrong)}: acknowledged numbers could be lost. Set"
            f" {_as_settings(DEMANDED)} in redis.conf (or add ?unsafe=1 to the address for a trial)"
        )

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            log.warning("%s", text)
        self._warned.add(text)


class _Group(Sentinel):
    """The sentinels of a group; the master is who the sentinel names that knows of the newest election.

    redis-py takes the first sentinel's word. One that is cut off with the old master goes on naming it, and whoever can
    reach others must not believe it.
    """

    def __init__(self, address: RedisAddress) -> None:
        how = {"socket_timeout": SENTINEL_TIMEOUT_S, "socket_connect_timeout": SENTINEL_TIMEOUT_S}
        super().__init__(address.sentinels, sentinel_kwargs=how)  # type: ignore[no-untyped-call]  # redis-py
        self._address = address

    def client_of_master(self, how: Mapping[str, Any]) -> Redis:
        """Give a client whose connections go to the master of the moment they are made."""
        address = self._address
        who = {"db": address.db, "username": address.username, "password": address.password}
        client: Redis = self.master_for(address.service, **who, **how)  # type: ignore[no-untyped-call]  # redis-py
        return client

    def replicas(self) -> list[tuple[str, int]]:
        """Give all known replicas (host, port), those that are down too.

        Raises:
            LedgerDown: no sentinel can be asked.
        """
        known: set[tuple[str, int]] = set()
        silent: list[str] = []
        for sentinel in self.sentinels:
            try:
                known |= {(it["ip"], int(it["port"])) for it in sentinel.sentinel_slaves(self._address.service)}
            except (RedisError, OSError) as error:
                silent.append(str(error))
        if len(silent) == len(self.sentinels):
            raise LedgerDown(f"{self._address.shown}: no sentinel answers: {'; '.join(silent)}")
        return sorted(known)

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Give host and port of the master.

        Raises:
            MasterNotFoundError: no sentinel knows one that is up.
        """
        best: tuple[int, str, int] | None = None
        silent: list[str] = []
        for sentinel in self.sentinels:
            try:
                masters: Any = sentinel.sentinel_masters()
                said = masters.get(service_name)
            except (RedisError, OSError) as error:
                silent.append(str(error))
                continue
            if said is not None and said["is_master"] and not said["is_sdown"] and not said["is_odown"]:
                word = (int(said["config-epoch"]), str(said["ip"]), int(said["port"]))
                best = word if best is None else max(best, word)
        if best is None:
            raise MasterNotFoundError(f"no sentinel knows a master {service_name!r} that is up: {'; '.join(silent)}")
        return best[1], best[2]


def _as_settings(settings: Mapping[str, str]) -> str:
    return ", ".join(f"`{name} {value}`" for name, value in settings.items())
