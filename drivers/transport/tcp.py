"""A TCP port (printers on 9100, serial servers, LED cards).

Facts that shape it: after the peer's FIN the next send succeeds and is lost, so readability is looked at before each
write; a peer that never reads lets small writes "succeed" and large ones hang, so every write has an end; cables pulled
without FIN are found by keepalive.
"""

import contextlib
import socket
import time

from drivers.faults import LineDown
from drivers.transport.base import LineUrl

_READ_BYTES = 4096
_KEEPALIVE_IDLE_S = 10
_KEEPALIVE_INTERVAL_S = 5
_KEEPALIVE_PROBES = 3


class TcpLine:
    """An open TCP connection."""

    def __init__(self, parsed: LineUrl, timeout_s: float) -> None:
        """Connect. Raises LineDown."""
        self.url = parsed.url
        self._gone: str | None = None
        try:
            self._socket = socket.create_connection((parsed.host, parsed.port), timeout=timeout_s)
        except OSError as error:
            raise LineDown(self.url, _why(error)) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _KEEPALIVE_IDLE_S),
            ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_S),
            ("TCP_KEEPCNT", _KEEPALIVE_PROBES),
        ):
            option: int | None = getattr(socket, name, None)  # macOS has not all three
            if option is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, option, value)

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all bytes, or raise LineDown."""
        self._look()  # else the first write after the peer's FIN would "succeed" and be lost
        until = time.monotonic() + timeout_s
        rest = memoryview(data)
        try:
            while rest:
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise self._down(f"took {len(data) - len(rest)} of {len(data)} bytes in {timeout_s:g} s")
                self._socket.settimeout(left_s)
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as error:
            raise self._down(f"took {len(data) - len(rest)} of {len(data)} bytes in {timeout_s:g} s") from error
        except OSError as error:
            raise self._down(_why(error)) from error

    def read(self, timeout_s: float) -> bytes:
        """Give what arrived within the time, or b""."""
        try:
            self._socket.settimeout(max(timeout_s, 0.0001))  # 0 would mean non-blocking
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return b""
        except OSError as error:
            raise self._down(_why(error)) from error
        if not data:
            raise self._down("the other side closed the connection")
        return data

    def close(self) -> None:
        """Close the connection; what was written still leaves."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.close()

    def _look(self) -> None:
        try:
            self._socket.settimeout(0)
            if self._socket.recv(1, socket.MSG_PEEK) == b"":
                raise self._down("the other side closed the connection")
        except BlockingIOError:
            return
        except OSError as error:
            raise self._down(_why(error)) from error

    def _down(self, why: str) -> LineDown:
        self.close()
        return LineDown(self.url, why)


def _why(error: OSError) -> str:
    return "no connection in time" if isinstance(error, TimeoutError) else (error.strerror or str(error))
