"""A line is an open port: bytes in, bytes out, or LineDown. One thread owns it.

tcp://192.168.1.50:9100
tcp://192.168.1.60:4001?baud=9600       a serial server, and how fast the line behind it is
serial:///dev/serial/by-id/usb-FTDI_X?baud=9600&parity=none&stop=1&bits=8
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

OPEN_TIMEOUT_S = 3.0
_BITS_PER_BYTE = 10

_PARITIES = {"none": "N", "even": "E", "odd": "O"}


class Line(Protocol):
    """An open port."""

    @property
    def url(self) -> str:
        """The address it was opened by."""
        ...

    def write(self, data: bytes, timeout_s: float) -> None:
        """Hand all bytes to the port, or raise LineDown (some may have left; the line is closed then)."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Give what has arrived, at the latest after `timeout_s`, or b"". Raises LineDown when the port is gone."""
        ...

    def close(self) -> None:
        """Let go of the port; safe to call again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUrl:
    """A parsed port address. `baud` is 0 where nobody knows how fast the line behind a TCP port is."""

    url: str
    scheme: Literal["tcp", "serial"]
    host: str = ""
    port: int = 0
    path: str = ""
    baud: int = 9600
    parity: str = "N"
    stop: int = 1
    bits: int = 8

    @property
    def byte_s(self) -> float:
        """How long a byte is on its way; 0 where nobody knows."""
        return _BITS_PER_BYTE / self.baud if self.baud else 0.0


def parse_url(url: str) -> LineUrl:
    """Read a port address. Raises ValueError with a sentence that says what to write instead."""
    parts = urlsplit(url)
    match parts.scheme:
        case "tcp":
            try:
                port = parts.port
            except ValueError as error:
                raise ValueError(f"the port in {url!r} must be 1..65535") from error
            if not parts.hostname or not port or parts.path:
                raise ValueError(f"{url!r} must look like tcp://192.168.1.50:9100")
            query = _query(url, parts.query, {"baud"})
            baud = _baud(url, query["baud"]) if "baud" in query else 0
            return LineUrl(url=url, scheme="tcp", host=parts.hostname, port=port, baud=baud)
        case "serial":
            if parts.netloc or len(parts.path) < 2:
                raise ValueError(f"{url!r} must look like serial:///dev/ttyUSB0?baud=9600 (three slashes)")
            return _serial(url, parts.path, _query(url, parts.query, {"baud", "parity", "stop", "bits"}))
        case _:
            raise ValueError(f"{url!r} must begin with tcp:// or serial://")


def open_line(url: str, timeout_s: float = OPEN_TIMEOUT_S) -> Line:
    """Open a port. Raises LineDown when it is not there, ValueError when the address is malformed."""
    from drivers.transport.serial_port import SerialLine
    from drivers.transport.tcp import TcpLine

    parsed = parse_url(url)
    match parsed.scheme:
        case "tcp":
            return TcpLine(parsed, timeout_s)
        case "serial":
            return SerialLine(parsed)


def _serial(url: str, path: str, query: Mapping[str, str]) -> LineUrl:
    baud, stop, bits = _baud(url, query.get("baud", "9600")), query.get("stop", "1"), query.get("bits", "8")
    parity = query.get("parity", "none")
    if parity not in _PARITIES:
        raise ValueError(f"{url!r}: parity must be none, even or odd, not {parity!r}")
    if stop not in {"1", "2"}:
        raise ValueError(f"{url!r}: stop must be 1 or 2, not {stop!r}")
    if bits not in {"7", "8"}:
        raise ValueError(f"{url!r}: bits must be 7 or 8, not {bits!r}")
    return LineUrl(
        url=url, scheme="serial", path=path, baud=baud, parity=_PARITIES[parity], stop=int(stop), bits=int(bits)
    )


def _query(url: str, query: str, known: set[str]) -> Mapping[str, str]:
    settings = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(settings) - known)
    if unknown:
        raise ValueError(f"{url!r}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return settings


def _baud(url: str, baud: str) -> int:
    if not baud.isascii() or not baud.isdigit() or not 300 <= int(baud) <= 921_600:
        raise ValueError(f"{url!r}: baud must be 300..921600, not {baud!r}")
    return int(baud)
