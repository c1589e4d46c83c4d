"""Addresses of Redis ledgers: `redis://HOST:PORT/DB` and `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB`."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import Redis

TIMEOUT_S = 5.0  # a server that says nothing for so long is gone
KEEP_DAYS = 7
SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")


class BadAddress(Exception):
    """The address of a Redis ledger cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Where a Redis ledger is and what is asked of it.

    `url` is for one server, `sentinels` (host, port) and `service` for a group behind Sentinel. A write counts when
    `wait` replicas have it within `wait_ms`; None: as many as make it more than half of the group. The last `keep_days`
    days stay in Redis, older ones in the servers' copies. `unsafe`: serve from Redis servers that would lose what they
    acknowledged, and say so loudly.
    """

    url: str = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = None
    wait: int | None = None
    wait_ms: int = 500
    keep_days: int = KEEP_DAYS
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

    Both take `?wait=REPLICAS&wait_ms=MS&keep_days=DAYS&unsafe=1`. Without `wait`, one server waits for no replica, and
    behind Sentinel for as many as make it more than half of the group.

    Raises:
        BadAddress: it is neither, or a number in it is none.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    try:
        behind_sentinel = parts.scheme == "redis+sentinel"
        wait = options.pop("wait", None)
        replicas = int(wait) if wait is not None else None if behind_sentinel else 0
        wait_ms = int(options.pop("wait_ms", "500"))
        keep_days = int(options.pop("keep_days", KEEP_DAYS))
        unsafe = options.pop("unsafe", "0") == "1"
        if (replicas or 0) < 0 or not 0 < wait_ms <= TIMEOUT_S * 1000 or keep_days < 1:
            raise BadAddress(f"wait must be 0 or more, wait_ms 1 to {TIMEOUT_S * 1000:.0f}, keep_days 1 or more")
        if not behind_sentinel:
            if parts.scheme not in SCHEMES or not (parts.netloc or parts.path):
                raise BadAddress("write redis://HOST:PORT/DB or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB")
            one = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{urlencode(options)}" if options else "")
            Redis.from_url(one)  # connects only when it is asked something
            return RedisAddress(url=one, wait=replicas, wait_ms=wait_ms, keep_days=keep_days, unsafe=unsafe)
        if options:
            raise BadAddress(f"unknown: {', '.join(options)}; known are wait, wait_ms, keep_days, unsafe")
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
            wait=replicas,
            wait_ms=wait_ms,
            keep_days=keep_days,
            unsafe=unsafe,
        )
    except ValueError as error:
        raise BadAddress(str(error)) from error


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    return (host, int(port)) if host else (text.strip(), SENTINEL_PORT)
