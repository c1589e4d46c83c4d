"""Under which names the server answers, and which pages may speak to it.

Both are explicit lists: a foreign name that resolves to this machine (DNS rebinding) and a foreign page that posts to
it are refused. An address of this machine is always a good name; addresses may change while the server runs, so they
are looked up again when an unknown one is asked for.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
LOOK_AGAIN_S = 10.0
VISITOR_BITS = 64  # of an IPv6 address, whose rest every device chooses for itself
WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


class Doors:
    """The allowed hosts and origins of one server."""

    def __init__(
        self, *, hosts: Iterable[str] = (), port: int, public_urls: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Allow loopback, this machine's names and addresses, `hosts`, and the hosts of what `public_urls` gives."""
        self.port = port
        self._everywhere = not WILDCARDS.isdisjoint(hosts := tuple(hosts))
        self._public_urls = public_urls
        named = {_bare(host) for host in hosts if host}  # 0.0.0.0 too: "listening on" prints it, and systems go there
        self._named = LOOPBACK_NAMES | named | _own_names()
        self._own = own_addresses()
        self._looked_s = time.monotonic()
        self._lock = Lock()

    def is_host(self, host: str) -> bool:
        """Say whether a Host header names this server; the port does not matter (there may be a proxy)."""
        name = _bare(host)
        public = {urlsplit(origin).hostname for origin in self._public()}
        return name in self._named or name in self._own or name in public or self._is_new_address(name)

    def is_origin(self, origin: str, host: str = "") -> bool:
        """Say whether a page of this origin may send commands: one of this server's own pages."""
        try:
            parts = urlsplit(origin)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        if origin in self._public():
            return True
        if parts.scheme not in {"http", "https"} or parts.hostname is None or not self.is_host(parts.netloc):
            return False
        return port == self.port or parts.netloc == host

    def is_https(self, host: str) -> bool:
        """Say whether this host is a public address that is reached by https (through a proxy)."""
        return f"https://{host}" in self._public()

    def visitor_base(self, asked: str) -> str:
        """Give the address for visitors' phones when somebody asked at `asked` (http://HOST:PORT).

        A kiosk on the server's own machine asks at loopback, where no phone gets: then an outside address is given.
        """
        parts = urlsplit(asked)
        if not self._everywhere or (parts.hostname or "") not in LOOPBACK_NAMES | WILDCARDS:
            return asked
        outside = sorted(one for one in own_addresses() if ":" not in one and not one.startswith("127."))
        return f"{parts.scheme}://{outside[0]}:{self.port}" if outside else asked

    def _public(self) -> frozenset[str]:
        return frozenset(_origin(url) for url in self._public_urls())

    def _is_new_address(self, name: str) -> bool:
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        with self._lock:
            if time.monotonic() - self._looked_s > LOOK_AGAIN_S:
                self._own, self._looked_s = own_addresses(), time.monotonic()
        return name in self._own


def visitor_address(peer: str, forwarded: str) -> str:
    """Give whom a request is counted for: who connects, or whom a proxy on this machine speaks for.

    `forwarded` is X-Forwarded-For; what stands last in it was written by the proxy, the rest by anybody. One visitor
    has a whole IPv6 network of 64 bits (RFC 6177), so that one is given; what is no address is given as it is.
    """
    address = _address(peer)
    if address is None:
        return peer
    if address.is_loopback:
        address = _address(forwarded.rpartition(",")[2].strip()) or address
    if address.version == 4 or address.is_loopback:
        return str(address)
    return str(ipaddress.IPv6Network((int(address), VISITOR_BITS), strict=False))


def own_addresses() -> frozenset[str]:
    """Give the IP addresses of this machine, as far as they can be learned without a network."""
    found: set[str] = set()
    with suppress(OSError):  # a machine that does not know its own name
        found.update(str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None))
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))  # sends nothing: only asks which address would be used
                found.add(str(probe.getsockname()[0]))
        except OSError:
            continue
    return frozenset(found | _linux_addresses())


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Give an address, an IPv4 one as such also where it is written as IPv6 (::ffff:192.0.2.1); None for other text."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _linux_addresses() -> set[str]:
    """Give the local IPv4 and IPv6 addresses that the Linux kernel lists; nothing on other systems."""
    found: set[str] = set()
    try:
        last = ""
        for line in Path("/proc/net/fib_trie").read_text().splitlines():
            words = line.split()
            if "|--" in words:
                last = words[words.index("|--") + 1]
            elif words[:3] == ["/32", "host", "LOCAL"]:
                found.add(last)
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            found.add(str(ipaddress.IPv6Address(int(line.split()[0], 16))))
    except (OSError, ValueError, IndexError):
        return found
    return found


def _own_names() -> set[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return {name, short, f"{short}.local"}


def _bare(host: str) -> str:
    """Give a host without port and brackets, small letters: "[::1]:80" gives "::1"."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
