"""A line is an open port: bytes in, bytes out, or LineDown. One thread owns it.

tcp://192.168.1.50:9100
tcp://192.168.1.60:4001?baud=9600       a serial server, and how fast the line behind it is
serial:///dev/serial/by-id/usb-FTDI_X?baud=9600&parity=none&stop=1&bits=8
serial:COM3?baud=9600                   the same on Windows
lp:///dev/usb/lp0                       a printer's own device file
usb://0416:5011                         a printer by vendor and product, also /SERIAL
cups://tickets                          a print queue
hid:///dev/input/by-id/usb-X-event-kbd  a keyboard, or a scanner that is one: its keys as contacts (`drivers.contacts`)
gpio:?pull=up                           the pins of this board, buttons to ground (up) or to 3.3 V (down): as contacts
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

from drivers.faults import LineDown

OPEN_TIMEOUT_S = 3.0
_BITS_PER_BYTE = 10

_SCHEMES = ("tcp", "serial", "lp", "usb", "cups", "hid", "gpio")
_USB = re.compile(r"usb://([0-9a-fA-F]{4}:[0-9a-fA-F]{4})(?:/([^/?#]+))?")
_CUPS = re.compile(r"cups://([^\s/?#]+)")
_COM = re.compile(r"COM[1-9][0-9]{0,2}")
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
    """A parsed port address. `baud` is 0 where nobody knows how fast the line is.

    `host` is also vendor:product of a USB printer and the name of a print queue, `path` also a USB serial number.
    """

    url: str
    scheme: Literal["tcp", "serial", "lp", "usb", "cups", "hid", "gpio"]
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
            if parts.netloc or not (_COM.fullmatch(parts.path) or (parts.path[:1] == "/" and len(parts.path) > 1)):
                shape = "serial:///dev/ttyUSB0?baud=9600 (three slashes), on Windows serial:COM3?baud=9600"
                raise ValueError(f"{url!r} must look like {shape}")
            return _serial(url, parts.path, _query(url, parts.query, {"baud", "parity", "stop", "bits"}))
        case "lp":
            if parts.netloc or len(parts.path) < 2 or parts.query:
                raise ValueError(f"{url!r} must look like lp:///dev/usb/lp0 (three slashes)")
            return LineUrl(url=url, scheme="lp", path=parts.path, baud=0)
        case "usb":
            if (usb := _USB.fullmatch(url)) is None:
                raise ValueError(f"{url!r} must look like usb://0416:5011 (vendor:product as lsusb shows them)")
            return LineUrl(url=url, scheme="usb", host=usb[1], path=usb[2] or "", baud=0)
        case "cups":
            if (cups := _CUPS.fullmatch(url)) is None or cups[1].startswith("-"):
                raise ValueError(f"{url!r} must look like cups://tickets (the queue's name as lpstat -e lists it)")
            return LineUrl(url=url, scheme="cups", host=cups[1], baud=0)
        case "hid":
            if parts.netloc or len(parts.path) < 2 or parts.query:
                raise ValueError(f"{url!r} must look like hid:///dev/input/by-id/usb-X-event-kbd (three slashes)")
            return LineUrl(url=url, scheme="hid", path=parts.path, baud=0)
        case "gpio":
            pull = _query(url, parts.query, {"pull"}).get("pull", "up")
            if parts.netloc or parts.path or pull not in {"up", "down"}:
                raise ValueError(f"{url!r} must be gpio:, gpio:?pull=up or gpio:?pull=down")
            return LineUrl(url=url, scheme="gpio", path=pull, baud=0)
        case _:
            known = ", ".join(f"{each}://" for each in _SCHEMES[:-1])
            raise ValueError(f"{url!r} must begin with {known} or gpio:")


def open_line(url: str, timeout_s: float = OPEN_TIMEOUT_S) -> Line:
    """Open a port. Raises LineDown when it is not there, ValueError when the address is malformed."""
    parsed = parse_url(url)
    try:
        return _open(parsed, timeout_s)
    except ImportError as error:
        raise LineDown(url, f"{parsed.scheme}: is not possible on this system ({error.name} is missing)") from error


def _open(parsed: LineUrl, timeout_s: float) -> Line:
    """Open a port; what a kind of port needs of the system is imported for that kind only."""
    match parsed.scheme:
        case "tcp":
            from drivers.transport.tcp import TcpLine

            return TcpLine(parsed, timeout_s)
        case "serial":
            from drivers.transport.serial_port import SerialLine

            return SerialLine(parsed)
        case "lp":
            from drivers.transport.lp_port import LpPort

            return LpPort(parsed)
        case "usb":
            from drivers.transport.usb_port import UsbPort

            return UsbPort(parsed)
        case "cups":
            from drivers.transport.cups_queue import CupsQueue

            return CupsQueue(parsed)
        case "hid":
            from drivers.transport.hid import HidLine

            return HidLine(parsed)
        case "gpio":
            from drivers.transport.gpio import GpioLine

            return GpioLine(parsed)


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
