"""Onbon BX-6E / BX-6Q strips (sixth generation): text areas over serial or TCP. EXPERIMENTAL.

Written from the fields of the vendor engineer's analyser; no captured frame was found to compare with, so try one card
before a hall relies on it.

The frame around it is that of the font-library cards (`onbon.py`: A5 x8, escapes, CRC-16/ARC, 5A). Inside, the header
has 16 bytes: address, source, version F0, a reserved byte, device type (2), four reserved, length of the data (4). The
command that shows text is A7 06: reply wanted, group, command, keep after power-off, areas to delete, areas to update;
each area is a length of four bytes and the fields of `_AREA`, then the length of the text and the text in GBK.
A reply is taken for yes when its data begins with A0 00 (or a status byte before it), for no with A0 01.

Source: https://github.com/strongercjd/Onbon-Protocol-Analysis (Form1.cs, Six_Font_Protocol_*).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.driver import BadOptions, OptionProblem
from drivers.led import onbon
from drivers.led.checksums import crc16_arc
from drivers.led.options import common_problems, dot_problems
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

VERSION = 0xF0

_HEADER = struct.Struct("<HHBxH4xI")
# number, run mode, timeout, beside programs, their count, covers, -, type, x, y, width, height, frame, -, layout, line
# space, align, letter space, -, one line, wrap, motion, exit, speed, stay, voice
_AREA = struct.Struct("<BBHBHB4xBHHHHB8xBBBB6xBBBBBBB")
_REPLY_WANTED = 0x01
_SHOW = (0xA7, 0x06)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame whose CRC was right."""

    dst: int
    src: int
    device_type: int
    data: bytes


def encode(data: bytes, *, dst: int, src: int = onbon.PC, device_type: int = 0xFFFE) -> bytes:
    """Give the bytes on the wire for `data` to the strip at address `dst`."""
    body = _HEADER.pack(dst, src, VERSION, device_type, len(data)) + data
    return onbon.wrap(body + crc16_arc(body).to_bytes(2, "little"))


def show(area: onbon.Area) -> bytes:
    """Give the data that replaces this text area (A7 06). Unlike on older cards, x and width are in dots."""
    head = _AREA.pack(
        area.number, 0, 0, 1, 0, 1, 0, area.x_px, area.y_px, area.width_px, area.height_px, 0, 0, 0, 0, 0,
        1 if area.one_line else 2, 1, area.motion, 0, area.speed, min(255, round(area.stay_s * 2)), 0,
    )  # fmt: skip
    body = head + struct.pack("<I", len(area.text)) + area.text
    return bytes([_REPLY_WANTED, *_SHOW, 0, 0, 1]) + struct.pack("<I", len(body)) + body


def read_area(data: bytes) -> onbon.Area | None:
    """Give the first area of an A7 06 command without voice, or None: the other direction of `show`."""
    place = 6 + (data[4] if len(data) > 4 else 0)
    if data[1:3] != bytes(_SHOW) or len(data) < place + 4 + _AREA.size + 4:
        return None
    (length,) = struct.unpack_from("<I", data, place)
    fields = _AREA.unpack_from(data, place + 4)
    (text_length,) = struct.unpack_from("<I", data, place + 4 + _AREA.size)
    text = data[place + 4 + _AREA.size + 4 :]
    motion = fields[18]
    if (
        length != _AREA.size + 4 + text_length
        or text_length > len(text)
        or motion not in {int(m) for m in onbon.Motion}
    ):
        return None
    return onbon.Area(
        number=fields[0],
        x_px=fields[7],
        y_px=fields[8],
        width_px=fields[9],
        height_px=fields[10],
        text=text[:text_length],
        motion=onbon.Motion(motion),
        one_line=fields[16] == 1,
        speed=fields[20],
        stay_s=fields[21] / 2,
    )


class Decoder:
    """Finds frames of this generation in a stream; see `onbon.Unwrapper` for what it survives."""

    def __init__(self) -> None:
        """Start between frames."""
        self._unwrapper = onbon.Unwrapper()

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept."""
        return self._unwrapper.kept_bytes

    def feed(self, chunk: bytes) -> list[Frame]:
        """Give the whole and right frames that `chunk` completes, in order. Never raises."""
        return [frame for body in self._unwrapper.feed(chunk) if (frame := _parse(body)) is not None]


def _parse(body: bytes) -> Frame | None:
    if len(body) < _HEADER.size + 2 or crc16_arc(body[:-2]).to_bytes(2, "little") != body[-2:]:
        return None
    dst, src, version, device_type, length = _HEADER.unpack_from(body)
    data = body[_HEADER.size : -2]
    if version != VERSION or length != len(data):
        return None
    return Frame(dst=dst, src=src, device_type=device_type, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onbon6Options(onbon.OnbonOptions):
    """Options of driver "onbon-bx6" in DEVICES.toml: as for "onbon-bx5", without brightness and clock.

    `device_type`: four hexadecimal digits of the card's type.
    """

    device_type: str = "FFFE"

    def __post_init__(self) -> None:
        """Refuse what no strip is. Raises BadOptions with all of it."""
        problems = common_problems(self) + dot_problems(self.width_px, self.height_px, self.font_px)
        problems += onbon.font_problems(self.font)
        for option, given in (("brightness", self.brightness), ("clock", self.clock)):
            if given:
                zh, en = "这种卡还不支持", "is not supported for these cards yet"
                problems.append(OptionProblem(option=option, zh=zh, en=en))
        if len(self.device_type) != 4 or not all(digit in "0123456789abcdefABCDEF" for digit in self.device_type):
            zh = f"必须是 4 位十六进制数，不能是 {self.device_type!r}"
            en = f"must be 4 hexadecimal digits, not {self.device_type!r}"
            problems.append(OptionProblem(option="device_type", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


class Onbon6:
    """The dialect of these cards (`strip.Dialect`)."""

    manners = Manners(answer_within_s=1.0)

    def __init__(self, options: Onbon6Options) -> None:
        """Keep the options; nothing was heard yet."""
        self._options = options
        self._decoder = Decoder()

    def set_up(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: a dynamic area may be sent at once."""
        return ()

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give the one command that replaces the text."""
        area = onbon.area_of(picture, self._options)
        frame = encode(show(area), dst=address, device_type=int(self._options.device_type, 16))
        return (Ask(frame=frame, mark=address),)

    def light(self, address: int, percent: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: not known for these cards."""
        return ()

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: not known for these cards."""
        return ()

    def hello(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: that a card is there shows when it is painted again."""
        return ()

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the acknowledgements in these bytes."""
        return [answer for frame in self._decoder.feed(data) if (answer := _answer(frame)) is not None]

    def forget(self) -> None:
        """Drop half a frame."""
        self._decoder = Decoder()


def make(wiring: Wiring[Onbon6Options]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return make_strips(wiring, Onbon6(wiring.options))


def _answer(frame: Frame) -> Answer | None:
    data = frame.data if frame.data[:1] == b"\xa0" else frame.data[1:]
    if frame.dst != onbon.PC or data[:1] != b"\xa0" or data[1:2] not in {b"\x00", b"\x01"}:
        return None
    refused = data[1] == 1
    code = next((byte for byte in data[2:6] if byte), 0)
    return Answer(mark=frame.src, refusal=f"card error {code}" if refused else None)
