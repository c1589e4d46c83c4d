"""C-Power cards (Lumen, 励研): frames for RS-485 and for TCP, replies, and what they show. No I/O.

On a serial line a packet is `A5`, then escaped `68 32 ID CODE FLAG data SUM` (SUM: low two bytes of the sum from 68 to
the end of the data, low byte first), then `AE`; inside, A5 is sent as AA 05, AE as AA 0E and AA as AA 0A. Over TCP
(port 5200) the same from 68 to SUM comes unescaped behind `ID CODE` of four bytes, a length and two zeros. FLAG 1 asks
for a reply; the reply is of type E8 (old firmware 68) and has a result in FLAG's place for CODE 7B, else in its data.

Source: the vendor's "Basic Protocol" and "External Calls Communication Protocol", as published with
https://github.com/arturas88/led-controller-sdk (docs/). Its first example of pure text does not add up and is not used.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from drivers.driver import BadOptions, OptionProblem
from drivers.led import text as spelling
from drivers.led import words
from drivers.led.checksums import sum16
from drivers.led.layout import lay_out
from drivers.led.options import StripOptions, common_problems, dot_problems
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

Framing: TypeAlias = Literal["serial", "network"]

ADDRESSES = range(1, 255)
"""Card IDs; 255 is for all."""
MAX_PACKET_BYTES = 2048
"""Unescaped bytes from 68 to SUM that the decoder accepts."""
MAX_TEXT_BYTES = 400
FONTS_PX = (8, 12, 16, 24, 32, 40, 48, 56)
"""Heights of the card's fonts by their code."""

_START, _END, _ESCAPE = 0xA5, 0xAE, 0xAA
_ESCAPES = {0xA5: b"\xaa\x05", 0xAE: b"\xaa\x0e", 0xAA: b"\xaa\x0a"}
_UNESCAPES = {pair[1]: byte for byte, pair in _ESCAPES.items()}
_SENT, _CARD = 0x68, 0x32
_NETWORK = struct.Struct(">I2sH")  # ID code, length (low byte first), reserved
_HEAD_BYTES = 5
_STAY_S = 3


class Code(IntEnum):
    """Protocol codes."""

    VERSION = 0x2E
    BRIGHTNESS = 0x46
    TIME = 0x47
    POWER = 0x76
    SHOW = 0x7B


class Effect(IntEnum):
    """How a text comes on."""

    DRAW = 0
    RUN_LEFT = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet whose checksum was right. `flag` is "reply wanted" on the way there, a result on the way back."""

    card: int
    code: int
    flag: int
    data: bytes
    reply: bool


def encode(packet: Packet, framing: Framing, id_code: int = 0xFFFFFFFF) -> bytes:
    """Give the bytes on the wire."""
    kind = _SENT | 0x80 if packet.reply else _SENT
    body = bytes([kind, _CARD, packet.card, packet.code, packet.flag]) + packet.data
    body += sum16(body).to_bytes(2, "little")
    if framing == "network":
        return _NETWORK.pack(id_code, len(body).to_bytes(2, "little"), 0) + body
    escaped = b"".join(_ESCAPES.get(byte, bytes([byte])) for byte in body)
    return bytes([_START]) + escaped + bytes([_END])


def command(card: int, code: Code, data: bytes) -> Packet:
    """Give a packet that wants a reply."""
    return Packet(card=card, code=code, flag=1, data=data, reply=False)


def windows(*areas: tuple[int, int, int, int]) -> bytes:
    """Give the data that divides the strip (CC 01); each area is x, y, width, height in dots."""
    return _call(bytes([0x01, len(areas)]) + b"".join(struct.pack(">4H", *area) for area in areas))


def pure_text(coded: bytes, *, window: int, effect: int, font: int, rgb: tuple[int, int, int], stay_s: int) -> bytes:
    """Give the data that shows text in GBK in one window (CC 12), centred both ways; CR LF begins a new line."""
    head = bytes([0x12, window, effect, 0x05, 0]) + stay_s.to_bytes(2, "big") + bytes([font, *rgb])
    return _call(head + coded + b"\x00")


def set_brightness(level: int) -> bytes:
    """Give the data that sets each hour of the day to 0..31."""
    if not 0 <= level <= 31:
        raise ValueError(f"brightness must be 0..31, not {level}")
    return b"\x00" + bytes([level]) * 24


def set_time(now: datetime) -> bytes:
    """Give the data that sets the clock: second, minute, hour, weekday (0 is Sunday), day, month, year."""
    parts = (now.second, now.minute, now.hour, now.isoweekday() % 7, now.day, now.month, now.year % 100)
    return b"\x00" + bytes(parts)


def set_power(*, on: bool) -> bytes:
    """Give the data that switches the strip."""
    return b"\x00" + (b"\x01" if on else b"\x00") + bytes(8)


def result(packet: Packet) -> int | None:
    """Give why a reply says no, None when it says yes."""
    match packet.code:
        case Code.SHOW:
            return packet.flag or None  # 1 checksum, 2 packet out of order
        case Code.BRIGHTNESS | Code.TIME:
            return None if packet.data[:1] == b"\x01" else 1
        case _:
            return None


def version(packet: Packet) -> str | None:
    """Give what a card runs, from its answer to VERSION: APP, BIOS and logic version, each in two halves of a byte."""
    if packet.code != Code.VERSION or len(packet.data) < 8 or not packet.data[7]:
        return None
    parts = (("APP", packet.data[7]), ("BIOS", packet.data[3]), ("logic", packet.data[2]))
    return " ".join(f"{name} {byte >> 4}.{byte & 0x0F}" for name, byte in parts)


class Decoder:
    """Finds packets in a stream that may be cut anywhere and full of noise; keeps never more than one packet."""

    def __init__(self, framing: Framing) -> None:
        """Start between packets."""
        self._framing = framing
        self._open = False  # serial: within A5 .. AE
        self._kept = bytearray()

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished packet are kept."""
        return len(self._kept)

    def feed(self, chunk: bytes) -> list[Packet]:
        """Give the whole and right packets that `chunk` completes, in order. Never raises."""
        return self._serial(chunk) if self._framing == "serial" else self._network(chunk)

    def _serial(self, chunk: bytes) -> list[Packet]:
        packets: list[Packet] = []
        for byte in chunk:
            if byte == _START:
                self._open = True
                self._kept.clear()
            elif not self._open:
                continue
            elif byte == _END:
                self._open = False
                body = _unescape(bytes(self._kept))
                self._kept.clear()
                packet = None if body is None else _parse(body)
                if packet is not None:
                    packets.append(packet)
            elif len(self._kept) >= 2 * MAX_PACKET_BYTES:
                self._open = False
                self._kept.clear()
            else:
                self._kept.append(byte)
        return packets

    def _network(self, chunk: bytes) -> list[Packet]:
        packets: list[Packet] = []
        self._kept += chunk
        place = done = 0
        while len(self._kept) - place >= _NETWORK.size + _HEAD_BYTES:
            _, length, zero = _NETWORK.unpack_from(self._kept, place)
            end = place + _NETWORK.size + int.from_bytes(length, "little")
            if zero or not _begins(self._kept[place + _NETWORK.size :][:2]) or end - place > MAX_PACKET_BYTES:
                place += 1
                continue
            packet = _parse(bytes(self._kept[place + _NETWORK.size : end])) if end <= len(self._kept) else None
            if packet is None:  # its rest is still to come, or it is noise that looks like a head
                place += 1
                continue
            packets.append(packet)
            place = done = end
        del self._kept[: max(done, len(self._kept) - MAX_PACKET_BYTES)]
        return packets


def _call(data: bytes) -> bytes:
    """Give the data of an external call (7B) in one packet: length, packet number, last packet number."""
    return len(data).to_bytes(2, "little") + b"\x00\x00" + data


def _unescape(body: bytes) -> bytes | None:
    plain = bytearray()
    pending = False
    for byte in body:
        if pending:
            if byte not in _UNESCAPES:
                return None
            plain.append(_UNESCAPES[byte])
            pending = False
        elif byte == _ESCAPE:
            pending = True
        else:
            plain.append(byte)
    return None if pending else bytes(plain)


def _begins(head: bytes | bytearray) -> bool:
    return len(head) == 2 and head[0] & 0x7F == _SENT and head[1] == _CARD


def _parse(body: bytes) -> Packet | None:
    if len(body) < _HEAD_BYTES + 2 or not _begins(body[:2]):
        return None
    if sum16(body[:-2]).to_bytes(2, "little") != body[-2:]:
        return None
    kind, _, card, code, flag = body[:_HEAD_BYTES]
    return Packet(card=card, code=code, flag=flag, data=body[_HEAD_BYTES:-2], reply=kind != _SENT)


_COLOURS = {
    words.Mood.INVITE: (255, 0, 0),
    words.Mood.BUSY: (0, 255, 0),
    words.Mood.FREE: (0, 255, 0),
    words.Mood.AWAY: (255, 255, 0),
}
_ID_CODE_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CPowerOptions(StripOptions):
    """Options of driver "c-power" in DEVICES.toml.

    `width_px`, `height_px`: size of the strip in dots; `font_px`: one of the card's fonts; `id_code`: the network ID
    code of the card, eight hexadecimal digits; `framing`: how packets are wrapped; "auto" takes "network" for tcp:,
    "serial" for serial: and for a tcp: that names the speed of a line behind it (`?baud=`).
    """

    width_px: int = 128
    height_px: int = 16
    font_px: int = 16
    id_code: str = "FFFFFFFF"
    framing: Literal["auto", "serial", "network"] = "auto"

    def __post_init__(self) -> None:
        """Refuse what no card is. Raises BadOptions with all of it."""
        problems = common_problems(self) + dot_problems(self.width_px, self.height_px, self.font_px)
        if self.font_px not in FONTS_PX:
            known = ", ".join(str(px) for px in FONTS_PX)
            zh, en = f"卡上的字高有 {known}，没有 {self.font_px}", f"must be one of {known}, not {self.font_px}"
            meant = str(min(FONTS_PX, key=lambda px: abs(px - self.font_px)))
            problems.append(OptionProblem(option="font_px", zh=zh, en=en, meant=meant))
        if len(self.id_code) != _ID_CODE_DIGITS or not all(digit in "0123456789abcdefABCDEF" for digit in self.id_code):
            zh, en = (
                f"必须是 8 位十六进制数，不能是 {self.id_code!r}",
                f"must be 8 hexadecimal digits, not {self.id_code!r}",
            )
            problems.append(OptionProblem(option="id_code", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


class CPower:
    """The dialect of these cards: one window over the whole strip, text in it (`strip.Dialect`)."""

    manners = Manners(answer_within_s=1.0)

    def __init__(self, options: CPowerOptions, framing: Framing) -> None:
        """Keep the options; nothing was heard yet."""
        self._options = options
        self._framing = framing
        self._decoder = Decoder(framing)

    def set_up(self, address: int) -> Sequence[Ask]:
        """Give the packet that makes the strip one window."""
        return (self._ask(address, Code.SHOW, windows((0, 0, self._options.width_px, self._options.height_px))),)

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give the one packet that replaces the text: still when it fits, else running to the left."""
        options = self._options
        saying = words.say(picture, options.languages, idle_name=options.idle == "name")
        shown = lay_out(saying, lambda line: spelling.columns(line) * options.font_px // 2 <= options.width_px)
        coded = b"\r\n".join(spelling.encode(page, "gbk", MAX_TEXT_BYTES) for page in shown.pages)
        data = pure_text(
            coded,
            window=0,
            effect=Effect.RUN_LEFT if shown.moving else Effect.DRAW,
            font=FONTS_PX.index(options.font_px),
            rgb=_COLOURS[shown.mood],
            stay_s=_STAY_S,
        )
        return (self._ask(address, Code.SHOW, data),)

    def light(self, address: int, percent: int) -> Sequence[Ask]:
        """Give the packets that switch the strip on and dim it, or switch it off."""
        power = self._ask(address, Code.POWER, set_power(on=percent > 0))
        if percent == 0:
            return (power,)
        return (power, self._ask(address, Code.BRIGHTNESS, set_brightness(max(1, round(percent * 31 / 100)))))

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:
        """Give the packet that sets the clock."""
        return (self._ask(address, Code.TIME, set_time(now)),)

    def hello(self, address: int) -> Sequence[Ask]:
        """Give the question for the card's versions."""
        return (self._ask(address, Code.VERSION, b"\x00"),)

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the replies in these bytes."""
        return [_answer(packet) for packet in self._decoder.feed(data)]

    def forget(self) -> None:
        """Drop half a packet."""
        self._decoder = Decoder(self._framing)

    def _ask(self, card: int, code: Code, data: bytes) -> Ask:
        frame = encode(command(card, code, data), self._framing, int(self._options.id_code, 16))
        return Ask(frame=frame, mark=(card, int(code)))


def make(wiring: Wiring[CPowerOptions]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    framing: Framing
    match wiring.options.framing:
        case "auto":
            framing = "network" if wiring.url.startswith("tcp:") and not wiring.byte_s else "serial"
        case "serial" | "network" as told:
            framing = told
    return make_strips(wiring, CPower(wiring.options, framing))


def _answer(packet: Packet) -> Answer:
    why = result(packet)
    refusal = None if why is None else f"card error {why}"
    return Answer(mark=(packet.card, packet.code), refusal=refusal, version=version(packet))
