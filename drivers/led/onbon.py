"""Onbon BX-5K / 5MK / 6K strips (字库卡, cards with their own GBK font) over RS-485 or TCP: frames and decoder, no I/O.

A frame is `A5` x8, then the escaped header (14 bytes), data and CRC-16/ARC (little-endian, over the unescaped
header and data), then `5A`. Inside, A5 is sent as A6 02, A6 as A6 01, 5A as 5B 02 and 5B as 5B 01.
Several strips share one line and are told apart by the address in the header.

Over TCP (port 5005) the bytes are the same. BX-6K cards speak it, too; BX-6E and BX-6Q do not (`onbon6.py`).

Source: the vendor's protocol for users, version 1.4 (https://doc.onbonbx.com/zh/k/potocol), and the vendor engineer's
analyser (https://github.com/strongercjd/Onbon-Protocol-Analysis).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from drivers.driver import BadOptions, OptionProblem
from drivers.led import text as spelling
from drivers.led import words
from drivers.led.checksums import crc16_arc
from drivers.led.layout import lay_out
from drivers.led.options import StripOptions, common_problems, dot_problems
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

PC = 0x8000
"""The address this side speaks from."""
BROADCAST = 0xFFFF
"""Every strip on the line hears it and none answers."""
ANY_CARD = 0xFE
"""Device type that every BX-5K and BX-6K card accepts."""
ADDRESSES = range(1, 0x8000)
"""Addresses a card may have."""
MAX_FRAME_BYTES = 4096
"""Unescaped bytes the decoder keeps at most; a card's own limit for one text is far below it."""
MAX_TEXT_BYTES = 1024

_START, _END = 0xA5, 0x5A
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_UNESCAPES = {pair: bytes([byte]) for byte, pair in _ESCAPES.items()}
_HEADER = struct.Struct("<HH3xBBBBBH")
_AREA = struct.Struct("<BHHHHBBBHBHBBBBBBI")
_REPLY_WANTED = 0x01
_VERSION = 0x02


class Colour(IntEnum):
    """Colours of a two-colour strip, as the digit of the card's own colour command in a text."""

    RED = 1
    GREEN = 2
    YELLOW = 3


class Motion(IntEnum):
    """How a text comes on: the display mode byte of an area."""

    STATIC = 1
    FAST = 2
    LEFT = 3
    RIGHT = 4
    UP = 5
    DOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame whose CRC was right. `data` is group, command and what follows them."""

    dst: int
    src: int
    device_type: int
    data: bytes

    @property
    def command(self) -> tuple[int, int]:
        """Group and command byte, e.g. (0xA3, 0x06); (0, 0) when the frame has no data."""
        return (self.data[0], self.data[1]) if len(self.data) >= 2 else (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The strip took the command."""

    address: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """The strip refused the command; `code` is the vendor's number for why."""

    address: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One dynamic area: a rectangle of the strip and the text in it. x and width are multiples of 8 dots."""

    number: int
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    text: bytes
    motion: Motion = Motion.STATIC
    one_line: bool = False
    speed: int = 6
    stay_s: float = 3.0


def encode(data: bytes, *, dst: int, src: int = PC, device_type: int = ANY_CARD) -> bytes:
    """Give the bytes on the wire for `data` to the strip at address `dst`."""
    body = _HEADER.pack(dst, src, 0, 0, 0, device_type, _VERSION, len(data)) + data
    return wrap(body + struct.pack("<H", crc16_arc(body)))


def wrap(body: bytes) -> bytes:
    """Give what stands on the wire around a body with its CRC; the same for every generation of cards."""
    return bytes([_START]) * 8 + escape(body) + bytes([_END])


def ping() -> bytes:
    """Give the data of "are you there" (A2 00)."""
    return _command(0xA2, 0x00)


def set_clock(now: datetime) -> bytes:
    """Give the data that sets the card's clock (A2 03): BCD year (low, high byte), month ... second, weekday 1..7."""
    year = now.year
    parts = (year % 100, year // 100, now.month, now.day, now.hour, now.minute, now.second, now.isoweekday())
    return _command(0xA2, 0x03, bytes(_bcd(part) for part in parts))


def switch(*, on: bool) -> bytes:
    """Give the data that lights or darkens the strip (A3 00)."""
    return _command(0xA3, 0x00, b"\x01" if on else b"\x02")


def brightness(level: int) -> bytes:
    """Give the data that sets a fixed brightness 1 (dark) .. 16 (bright).

    A3 02: mode, brightness now, brightness of each half hour of a day. Now and all 48 half hours are the same, so it
    does not matter which of the two modes a card takes.
    """
    if not 1 <= level <= 16:
        raise ValueError(f"brightness must be 1..16, not {level}")
    return _command(0xA3, 0x02, b"\x01" + bytes([level - 1]) * 49)


def show(*areas: Area) -> bytes:
    """Give the data that replaces these dynamic areas and leaves the others (A3 06)."""
    payload = bytes([0, len(areas)]) + b"".join(_area(area) for area in areas)
    return _command(0xA3, 0x06, payload)


def delete_all() -> bytes:
    """Give the data that removes every dynamic area (A3 06, delete count FF)."""
    return _command(0xA3, 0x06, b"\xff\x00")


def text_bytes(text: str, colour: Colour, font: int | None = None) -> bytes:
    """Give `text` in GBK with its colour (and the number of the card's font) in front; a line feed starts a new line.

    A backslash would start a card command, so it is sent full width.
    """
    lines = (spelling.spell(line.replace("\\", "＼"), "gbk") for line in text.split("\n"))
    coded = "\\n".join(lines).encode("gbk")
    head = f"\\C{int(colour)}" if font is None else f"\\FO{font:03}\\C{int(colour)}"
    return head.encode() + _cut_gbk(coded, MAX_TEXT_BYTES)


def read_reply(frame: Frame) -> Ack | Nack | None:
    """Give what a strip answered, or None when the frame is no acknowledgement."""
    match frame.command:
        case (0xA0, 0x00):
            return Ack(address=frame.src)
        case (0xA0, 0x01):
            # Some firmware puts the number right behind the command, some behind the length.
            code = next((byte for byte in frame.data[2:6] if byte), 0)
            return Nack(address=frame.src, code=code)
        case _:
            return None


class Unwrapper:
    """Finds bodies (with their CRC) in a stream cut anywhere and full of noise; keeps never more than one frame."""

    def __init__(self) -> None:
        """Start between frames."""
        self._buffer: bytearray | None = None

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept."""
        return len(self._buffer or b"")

    def feed(self, chunk: bytes) -> list[bytes]:
        """Give the unescaped bodies that `chunk` completes, in order; nobody looked at their CRC. Never raises."""
        bodies: list[bytes] = []
        for byte in chunk:
            if byte == _START:
                self._buffer = bytearray()
            elif self._buffer is None:
                continue
            elif byte == _END:
                body = unescape(bytes(self._buffer))
                self._buffer = None
                if body is not None:
                    bodies.append(body)
            elif len(self._buffer) >= 2 * MAX_FRAME_BYTES:
                self._buffer = None
            else:
                self._buffer.append(byte)
        return bodies


class Decoder:
    """Finds frames of font-library cards in a stream; see `Unwrapper` for what it survives."""

    def __init__(self) -> None:
        """Start between frames."""
        self._unwrapper = Unwrapper()

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept."""
        return self._unwrapper.kept_bytes

    def feed(self, chunk: bytes) -> list[Frame]:
        """Give the whole and right frames that `chunk` completes, in order. Never raises."""
        return [frame for body in self._unwrapper.feed(chunk) if (frame := _parse(body)) is not None]


def escape(body: bytes) -> bytes:
    """Give `body` with the four reserved bytes as pairs."""
    return b"".join(_ESCAPES.get(byte, bytes([byte])) for byte in body)


def unescape(body: bytes) -> bytes | None:
    """Give the bytes behind an escaped body, or None when a pair is not one of the four."""
    plain = bytearray()
    place = 0
    while place < len(body):
        if body[place] in {0xA6, 0x5B}:
            byte = _UNESCAPES.get(body[place : place + 2])
            if byte is None:
                return None
            plain += byte
            place += 2
        else:
            plain.append(body[place])
            place += 1
    return bytes(plain)


def read_areas(frame: Frame) -> list[Area] | None:
    """Give the areas of an A3 06 frame, or None when it is another command or does not add up.

    The other direction of `show`, for the pretend strip and for tools that listen on a line.
    """
    data = frame.data
    if frame.command != (0xA3, 0x06) or len(data) < 7:
        return None
    deleted = data[5]
    place = 6 + (0 if deleted == 0xFF else deleted)
    if place >= len(data):
        return None
    count = data[place]
    place += 1
    areas = []
    for _ in range(count):
        if place + 2 > len(data):
            return None
        (length,) = struct.unpack_from("<H", data, place)
        place += 2
        if length < _AREA.size or place + length > len(data):
            return None
        area = _read_area(data[place : place + length])
        if area is None:
            return None
        areas.append(area)
        place += length
    return areas


def _command(group: int, command: int, payload: bytes = b"") -> bytes:
    return struct.pack("<BBBH", group, command, _REPLY_WANTED, len(payload)) + payload


def _area(area: Area) -> bytes:
    if area.x_px % 8 or area.width_px % 8:
        raise ValueError(f"x and width of a strip area are multiples of 8 dots, not {area.x_px} and {area.width_px}")
    head = _AREA.pack(
        0,  # area type: dynamic
        area.x_px // 8,
        area.y_px,
        area.width_px // 8,
        area.height_px,
        area.number,
        0,  # space between lines
        0,  # run mode: for ever
        0,  # timeout: none, the text stays until the next one
        0,  # no voice
        0,  # reserved
        1 if area.one_line else 2,
        1,  # no automatic wrap: pages are cut by us with \n
        area.motion,
        0,  # exit mode
        area.speed,
        min(255, round(area.stay_s * 2)),
        len(area.text),
    )
    return struct.pack("<H", len(head) + len(area.text)) + head + area.text


def _read_area(body: bytes) -> Area | None:
    fields = _AREA.unpack_from(body)
    kind, x, y, width, height, number = fields[:6]
    one_line, _wrap, motion, _exit, speed, stay, length = fields[11:]
    if kind != 0 or length != len(body) - _AREA.size or motion not in {int(m) for m in Motion}:
        return None
    return Area(
        number=number,
        x_px=x * 8,
        y_px=y,
        width_px=width * 8,
        height_px=height,
        text=body[_AREA.size :],
        motion=Motion(motion),
        one_line=one_line == 1,
        speed=speed,
        stay_s=stay / 2,
    )


def _parse(body: bytes) -> Frame | None:
    if len(body) < _HEADER.size + 2:
        return None
    content, (crc,) = body[:-2], struct.unpack("<H", body[-2:])
    if crc16_arc(content) != crc:
        return None
    dst, src, _barcode, _check, _display, device_type, _version, length = _HEADER.unpack_from(content)
    data = content[_HEADER.size :]
    if length != len(data):
        return None
    return Frame(dst=dst, src=src, device_type=device_type, data=data)


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def _cut_gbk(coded: bytes, limit: int) -> bytes:
    """Give at most `limit` bytes without half a character at the end."""
    if len(coded) <= limit:
        return coded
    return coded[:limit].decode("gbk", errors="ignore").encode("gbk")


_COLOURS = {
    words.Mood.INVITE: Colour.RED,
    words.Mood.BUSY: Colour.GREEN,
    words.Mood.FREE: Colour.GREEN,
    words.Mood.AWAY: Colour.YELLOW,
}
_MAX_FONT = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class OnbonOptions(StripOptions):
    """Options of driver "onbon-bx5" in DEVICES.toml.

    `width_px`, `height_px`: size of the strip in dots; `font_px`: height of the card's font; `font`: its number on the
    card, none takes the card's own choice.
    """

    width_px: int = 128
    height_px: int = 16
    font_px: int = 16
    font: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no strip is. Raises BadOptions with all of it."""
        problems = common_problems(self) + dot_problems(self.width_px, self.height_px, self.font_px, step_px=8)
        problems += font_problems(self.font)
        if problems:
            raise BadOptions(problems)


def font_problems(font: int | None) -> list[OptionProblem]:
    """Give what is wrong with the number of a card's font."""
    if font is None or 0 <= font <= _MAX_FONT:
        return []
    return [OptionProblem(option="font", zh=f"必须在 0 到 999 之间，不能是 {font}", en=f"must be 0..999, not {font}")]


class Onbon:
    """The dialect of these cards: every command is acknowledged by A0 00 or refused by A0 01 (`strip.Dialect`)."""

    manners = Manners()

    def __init__(self, options: OnbonOptions) -> None:
        """Keep the options; nothing was heard yet."""
        self._options = options
        self._decoder = Decoder()

    def set_up(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: a dynamic area may be sent at once."""
        return ()

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give the one command that replaces the text."""
        return (_ask(show(area_of(picture, self._options)), address),)

    def light(self, address: int, percent: int) -> Sequence[Ask]:
        """Give the commands that switch the strip on and dim it, or switch it off."""
        if percent == 0:
            return (_ask(switch(on=False), address),)
        return (_ask(switch(on=True), address), _ask(brightness(max(1, round(percent * 16 / 100))), address))

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:
        """Give the command that sets the card's clock."""
        return (_ask(set_clock(now), address),)

    def hello(self, address: int) -> Sequence[Ask]:
        """Give "are you there"."""
        return (_ask(ping(), address),)

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the acknowledgements in these bytes."""
        return [answer for frame in self._decoder.feed(data) if (answer := _answer(frame)) is not None]

    def forget(self) -> None:
        """Drop half a frame."""
        self._decoder = Decoder()


def make(wiring: Wiring[OnbonOptions]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return make_strips(wiring, Onbon(wiring.options))


def area_of(picture: WindowPicture, options: OnbonOptions) -> Area:
    """Give the area that shows this window: still when it fits, else running to the left."""
    saying = words.say(picture, options.languages, idle_name=options.idle == "name")
    shown = lay_out(saying, lambda line: _width_px(line, options.font_px) <= options.width_px)
    return Area(
        number=0,
        x_px=0,
        y_px=0,
        width_px=options.width_px,
        height_px=options.height_px,
        text=text_bytes("\n".join(shown.pages), _COLOURS[shown.mood], options.font),
        motion=Motion.LEFT if shown.moving else Motion.STATIC,
        one_line=shown.moving,
    )


def _width_px(line: str, font_px: int) -> int:
    return spelling.columns(spelling.spell(line, "gbk")) * font_px // 2


def _ask(data: bytes, address: int) -> Ask:
    return Ask(frame=encode(data, dst=address), mark=address)


def _answer(frame: Frame) -> Answer | None:
    match read_reply(frame) if frame.dst == PC else None:
        case Ack() as reply:
            return Answer(mark=reply.address)
        case Nack() as reply:
            return Answer(mark=reply.address, refusal=f"card error {reply.code}")
        case None:
            return None
