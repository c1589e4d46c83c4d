"""The control cards inside pretend strips: one per protocol, each takes the real bytes and answers as a card does.

A card turns bytes into commands; `strip.py` lets the strips obey them and decides, by the fault it was told to suffer
from, what is answered. Modbus slaves are read by pymodbus' own server side and template frames by a regular expression,
not by the code that wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from drivers.devices_file import read_devices
from drivers.led import alpha, cpower, onbon, onbon6, pattern, register_map
from drivers.led import text as spelling
from drivers.led.dots import Dots
from drivers.led.register_map import RegisterOptions
from drivers.led.template import TemplateOptions

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from drivers.led.register_map import Register

RED, GREEN, YELLOW = 1, 2, 3
CELL_PX = 16
_PICTURE = "（图）"

SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "onbon-bx5": "",
        "onbon-bx6": "",
        "c-power": "",
        "alpha": "width_px = 96, height_px = 16",
        "modbus-strip": (
            'registers = [{ at = 0x80, holds = "label", count = 3, charset = "segments" }, '
            '{ at = 4, holds = "status", values = { invite = 1, busy = 2, free = 2, away = 3 } }]'
        ),
        "template": (
            'frame = "AA 55 [ {address} {length} ( 01 {colour} {motion} {text} ) ] {sum8} 0D", '
            'colours = { invite = "01", busy = "02", free = "02", away = "03" }, '
            'motions = { still = "00", left = "01" }, answer = "AA 55 {address} 06 {any}"'
        ),
    }
)
"""Drivers of strips and options with which a pretend one can be tried, as a devices file writes them."""


@dataclass(slots=True, kw_only=True)
class PretendStrip:
    """One address: what its card has been told. A page is text, or dots where the card was sent a picture."""

    address: int
    window: str
    pages: tuple[str, ...] = ()
    pictures: tuple[Dots, ...] = ()
    colour: int = RED
    moving: bool = False
    stay_s: float = 3.0
    on: bool = True
    brightness: int = 16
    version: int = 0
    clock: bytes = b""
    files: dict[str, object] = field(default_factory=dict)  # what a card of its kind keeps besides

    def forget(self) -> None:
        """Forget everything, as after a power cut."""
        self.pages, self.pictures, self.moving, self.on = (), (), False, True
        self.files = {}

    def show(self, pages: Sequence[str], colour: int, *, moving: bool, stay_s: float = 3.0) -> bool:
        """Light these pages."""
        self.pages, self.pictures = tuple(pages), ()
        self.colour, self.moving, self.stay_s = colour, moving, stay_s
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One frame that was right: for one strip or for all, what it does, and both answers ("" where it has none)."""

    address: int | None
    obey: Callable[[PretendStrip], bool]
    yes: bytes = b""
    no: bytes = b""
    shows: bool = False


class Card(Protocol):
    """What all cards of a line make of its bytes."""

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        ...


def sample(driver: str, languages: Sequence[str] = ("zh",)) -> tuple[str, object]:
    """Give the options of a pretend strip, as a devices file writes them and as the driver gets them."""
    spoken = json.dumps(list(languages[:1] if driver == "modbus-strip" else languages))
    written = ", ".join(part for part in (SAMPLES[driver], f"languages = {spoken}") if part)
    line = "?baud=9600&bits=8&parity=none" if driver == "alpha" else ""
    text = (
        f'schema = 1\nhall = "x"\n[[device]]\nid = "strips"\ndriver = "{driver}"\nurl = "serial:///dev/null{line}"\n'
        f'windows = {{ 1 = "1" }}\noptions = {{ {written} }}\n'
    )
    return written, read_devices(text).devices[0].options


def make_card(driver: str, options: object, *, network: bool) -> Card:
    """Give the card for a driver's options; `network`: the line is TCP. Raises ValueError for what is no strip."""
    match driver:
        case "onbon-bx5":
            return OnbonCard()
        case "onbon-bx6":
            return Onbon6Card()
        case "c-power":
            return CPowerCard("network" if network else "serial")
        case "alpha":
            return AlphaCard()
        case "modbus-strip":
            return ModbusCard(cast("RegisterOptions", options), network=network)
        case "template":
            return TemplateCard(cast("TemplateOptions", options))
        case _:
            raise ValueError(f"{driver!r} is no strip; there are {', '.join(SAMPLES)}")


_COLOUR_COMMAND = re.compile(r"\\C(\d)")
_FONT_COMMAND = re.compile(r"\\FO\d{3}")


def _show_area(strip: PretendStrip, area: onbon.Area) -> bool:
    text = area.text.decode("gbk", errors="replace")
    colour = _COLOUR_COMMAND.search(text)
    text = _FONT_COMMAND.sub("", _COLOUR_COMMAND.sub("", text))
    moving = area.motion in {onbon.Motion.LEFT, onbon.Motion.RIGHT}
    return strip.show(text.split("\\n"), int(colour[1]) if colour else RED, moving=moving, stay_s=area.stay_s)


class OnbonCard:
    """BX-5K."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._decoder = onbon.Decoder()

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        return [self._command(frame) for frame in self._decoder.feed(data)]

    def _command(self, frame: onbon.Frame) -> Command:
        return Command(
            address=None if frame.dst == onbon.BROADCAST else frame.dst,
            obey=lambda strip: self._obey(strip, frame),
            yes=onbon.encode(bytes.fromhex("a000000000"), dst=frame.src, src=frame.dst),
            no=onbon.encode(bytes.fromhex("a001020000"), dst=frame.src, src=frame.dst),
            shows=frame.command == (0xA3, 0x06),
        )

    @staticmethod
    def _obey(strip: PretendStrip, frame: onbon.Frame) -> bool:
        payload = frame.data[5:]
        match frame.command:
            case (0xA2, 0x00):
                return True
            case (0xA2, 0x03):
                strip.clock = payload
                return len(payload) == 8
            case (0xA3, 0x00):
                strip.on = payload[:1] == b"\x01"
                return payload[:1] in {b"\x01", b"\x02"}
            case (0xA3, 0x02):
                strip.brightness = payload[1] + 1 if len(payload) == 50 else strip.brightness
                return len(payload) == 50
            case (0xA3, 0x06):
                areas = onbon.read_areas(frame)
                if areas is None:
                    return False
                return _show_area(strip, areas[0]) if areas else strip.show((), RED, moving=False)
            case _:
                return False


class Onbon6Card:
    """BX-6E, as far as its analyser tells."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._decoder = onbon6.Decoder()

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        return [self._command(frame) for frame in self._decoder.feed(data)]

    @staticmethod
    def _command(frame: onbon6.Frame) -> Command:
        area = onbon6.read_area(frame.data)
        return Command(
            address=frame.dst,
            obey=lambda strip: area is not None and _show_area(strip, area),
            yes=onbon6.encode(bytes.fromhex("a0000000"), dst=frame.src, src=frame.dst),
            no=onbon6.encode(bytes.fromhex("a0010200"), dst=frame.src, src=frame.dst),
            shows=True,
        )


class CPowerCard:
    """C-Power: a text is shown only in a window that was made before."""

    def __init__(self, framing: cpower.Framing) -> None:
        """Hear nothing yet."""
        self._framing = framing
        self._decoder = cpower.Decoder(framing)

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        return [self._command(packet) for packet in self._decoder.feed(data) if not packet.reply]

    def _command(self, packet: cpower.Packet) -> Command:
        call = packet.code == cpower.Code.SHOW
        basic = {cpower.Code.VERSION: bytes.fromhex("00 07 31 20 00 00 00 42"), cpower.Code.POWER: packet.data[:2]}.get(
            cpower.Code(packet.code), b"\x01"
        )
        return Command(
            address=None if packet.card == 0xFF else packet.card,
            obey=lambda strip: self._obey(strip, packet),
            yes=self._reply(packet, flag=0, data=packet.data) if call else self._reply(packet, flag=1, data=basic),
            no=self._reply(packet, flag=1, data=packet.data if call else b"\x00"),
            shows=call and packet.data[4:5] == b"\x12",
        )

    def _reply(self, packet: cpower.Packet, *, flag: int, data: bytes) -> bytes:
        reply = cpower.Packet(card=packet.card, code=packet.code, flag=flag, data=data, reply=True)
        return cpower.encode(reply, self._framing)

    @staticmethod
    def _obey(strip: PretendStrip, packet: cpower.Packet) -> bool:
        data = packet.data
        match packet.code:
            case cpower.Code.VERSION:
                return True
            case cpower.Code.BRIGHTNESS:
                strip.brightness = data[1] if len(data) == 25 else strip.brightness
                return len(data) == 25
            case cpower.Code.TIME:
                strip.clock = data[1:]
                return len(data) == 8
            case cpower.Code.POWER:
                strip.on = data[1:2] == b"\x01"
                return True
            case cpower.Code.SHOW if data[4:5] == b"\x01" and len(data) == 6 + 8 * data[5]:
                strip.files = {"windows": data[5]}
                return True
            case cpower.Code.SHOW if data[4:5] == b"\x12" and data[5] < cast("int", strip.files.get("windows", 0)):
                text = data[15:].partition(b"\x00")[0].decode("gbk", errors="replace")
                colour = {(True, True): YELLOW, (False, True): GREEN}.get((data[12] > 0, data[13] > 0), RED)
                moving = data[6] == cpower.Effect.RUN_LEFT
                return strip.show(text.split("\r\n"), colour, moving=moving, stay_s=int.from_bytes(data[9:11], "big"))
            case _:
                return False


class AlphaCard:
    """An Alpha sign: files in memory; answers only what it is asked."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._decoder = alpha.Decoder()

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        return [self._command(frame) for frame in self._decoder.feed(data)]

    def _command(self, frame: alpha.Frame) -> Command:
        answer = b""
        if frame.body == b"F ":
            answer = bytes(20) + alpha.encode(b"E 0930", address=0, kind="0")[5:]
        address = int(frame.address, 16) if re.fullmatch("[0-9A-F]{2}", frame.address) else -1
        return Command(
            address=address or None,
            obey=lambda strip: self._obey(strip, frame.body.decode("ascii", errors="replace")),
            yes=answer,
            shows=frame.body[:1] == b"A",
        )

    def _obey(self, strip: PretendStrip, body: str) -> bool:
        match body[:1], body[1:2]:
            case "E", "$":
                strip.forget()
                entries = [body[place : place + 11] for place in range(2, len(body), 11)]
                strip.files = {
                    entry[0]: (int(entry[3:5], 16), int(entry[5:7], 16)) for entry in entries if entry[1] == "D"
                }
                return True
            case "E", " ":
                strip.clock = body[2:].encode()
                return True
            case "I", label if label in strip.files:
                return self._picture(strip, label, body)
            case "A", "A":
                return self._text(strip, body)
            case "E" | "F", _:
                return True
            case _:
                return False

    @staticmethod
    def _picture(strip: PretendStrip, label: str, body: str) -> bool:
        rows = body[6:].split("\r")[:-1]
        if (len(rows), max(map(len, rows), default=0)) != (int(body[2:4], 16), int(body[4:6], 16)):
            return False
        colour = next((int(dot) for row in rows for dot in row if dot != "0"), RED)
        lit = Dots(rows=tuple("".join("0" if dot == "0" else "1" for dot in row) for row in rows))
        strip.files[f"picture {label}"] = (lit, colour)
        return True

    @staticmethod
    def _text(strip: PretendStrip, body: str) -> bool:
        pages = [page[3:] for page in body[2:].split("\x0c")]  # behind ESC, position and mode
        moving = body[4:5] == "a"
        pictures = [
            cast("tuple[Dots, int]", strip.files[f"picture {label}"])
            for label in re.findall("\x14(.)", "".join(pages))
            if f"picture {label}" in strip.files
        ]
        if not pictures:
            colour = re.search("\x1c(.)", body)
            texts = [re.sub("\x1c.", "", page) for page in pages]
            return strip.show(texts, int(colour[1]) if colour else RED, moving=moving)
        strip.show([_PICTURE] * (1 if moving else len(pictures)), pictures[0][1], moving=moving)
        if moving:  # they stand one behind the other
            rows = zip(*(lit.rows for lit, _ in pictures), strict=True)
            strip.pictures = (Dots(rows=tuple("".join(row) for row in rows)),)
        else:
            strip.pictures = tuple(lit for lit, _ in pictures)
        return True


class ModbusCard:
    """A Modbus slave with this register map, behind pymodbus' server side."""

    def __init__(self, options: RegisterOptions, *, network: bool) -> None:
        """Hear nothing yet."""
        requests, self._heard = DecodePDU(is_server=True), b""
        self._network = network
        self._framer = FramerSocket(requests) if network else FramerRTU(requests)
        self._options = options

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        commands: list[Command] = []
        self._heard = (self._heard + data)[-600:]
        while True:
            try:
                used, request = self._framer.handleFrame(self._heard, 0, 0)
            except ModbusException:  # a frame that was right around something that was not
                self._heard = b""
                return commands
            self._heard = self._heard[used:]
            if request is None:
                return commands
            commands.append(self._command(request))

    def _command(self, request: ModbusPDU) -> Command:
        return Command(
            address=request.dev_id,
            obey=lambda strip: self._obey(strip, request),
            yes=self._yes(request),
            no=self._framer.encode(bytes([request.function_code | 0x80, 2]), request.dev_id, request.transaction_id),
            shows=True,
        )

    def _yes(self, request: ModbusPDU) -> bytes:
        answer: ModbusPDU
        match request:
            case WriteSingleRegisterRequest():
                answer = WriteSingleRegisterResponse(address=request.address, registers=request.registers)
            case WriteMultipleRegistersRequest():
                answer = WriteMultipleRegistersResponse(address=request.address, count=request.count)
            case _:
                return b""
        answer.dev_id, answer.transaction_id = request.dev_id, request.transaction_id
        return self._framer.buildFrame(answer)

    def _obey(self, strip: PretendStrip, request: ModbusPDU) -> bool:
        if not isinstance(request, WriteSingleRegisterRequest | WriteMultipleRegistersRequest):
            return False
        for place, value in enumerate(request.registers):
            strip.files[str(request.address + place)] = value
        told = self._options.registers
        colour = next((self._value(strip, each) for each in told if each.holds == "status"), RED)
        strip.brightness = next((self._value(strip, each) for each in told if each.holds == "brightness"), 16)
        page = "".join(self._text(strip, each) for each in told).rstrip()
        return strip.show([page], colour if colour in {RED, GREEN, YELLOW} else RED, moving=False)

    @staticmethod
    def _value(strip: PretendStrip, register: Register) -> int:
        return cast("int", strip.files.get(str(register.at), 0))

    def _text(self, strip: PretendStrip, register: Register) -> str:
        """Give what the digits or letters of these registers look like."""
        if register.holds in {"number", "bcd"}:
            value = self._value(strip, register)
            return "" if value == register.blank else f"{value:x}" if register.holds == "bcd" else str(value)
        if register.holds not in {"text", "label"}:
            return ""
        order = "big" if register.order == "high" else "little"
        values = (cast("int", strip.files.get(str(register.at + place), 0)) for place in range(register.count))
        coded = b"".join(value.to_bytes(2, "big" if order == "big" else "little") for value in values)
        if register.charset == "segments":
            shapes = {shape: character for character, shape in register_map.SEGMENTS.items()}
            return "".join(shapes.get(byte, "?") for byte in coded)
        charset = "utf-16-be" if register.charset == "utf-16" else register.charset
        return coded.decode(charset, errors="replace").replace("\x00", "")


class TemplateCard:
    """A strip whose frame was written down: reads it with a regular expression made of what was written."""

    def __init__(self, options: TemplateOptions) -> None:
        """Hear nothing yet."""
        self._options = options
        self._frame = pattern.read_pattern(options.frame, ("address", "text", "colour", "motion", "window"))
        self._answer = pattern.read_pattern(options.answer, ("address", "any")) if options.answer else None
        refusal = options.refusal
        self._refusal = pattern.read_pattern(refusal, ("address", "any", "error")) if refusal else None
        self._escape = {int(byte, 16): bytes.fromhex(pair) for byte, pair in options.escape.items()}
        self._outer, self._inner = _expressions(self._frame, options)
        self._heard = b""

    def hear(self, data: bytes) -> list[Command]:
        """Give the commands that these bytes complete."""
        commands: list[Command] = []
        self._heard = (self._heard + data)[-2000:]
        while found := self._outer.search(self._heard):
            groups = found.groupdict()
            inside = groups.pop("inside", None)
            if inside is not None:
                within = self._inner.fullmatch(self._unescaped(inside))
                groups |= within.groupdict() if within else {"text": None}
            command = self._command(groups, found[0])
            self._heard = self._heard[found.end() if command else found.start() + 1 :]
            if command is not None:
                commands.append(command)
        return commands

    def _command(self, groups: Mapping[str, bytes | None], frame: bytes) -> Command | None:
        """Give the command, or None when it does not come out the same when it is written again."""
        values: dict[str, int | bytes] = {}
        for part in self._frame.parts:
            raw = groups.get(part.name.replace("-", "_")) if isinstance(part, pattern.Field) else None
            if not isinstance(part, pattern.Field) or raw is None:
                continue
            number = pattern.read(raw, part.form) if part.name not in {"text", "colour", "motion"} else None
            values[part.name] = raw if number is None else number - part.add
        if "text" not in values or pattern.render(self._frame, values, self._escape) != frame:
            return None
        address = cast("int", values.get("address", 1))
        told = {"address": address, "error": 1, "any": 0}
        return Command(
            address=address,
            obey=lambda strip: self._obey(strip, values),
            yes=pattern.render(self._answer, told, self._escape) if self._answer else b"",
            no=pattern.render(self._refusal, told, self._escape) if self._refusal else b"",
            shows=True,
        )

    def _obey(self, strip: PretendStrip, values: Mapping[str, int | bytes]) -> bool:
        text = cast("bytes", values["text"]).decode(self._options.charset, errors="replace")
        colours = {bytes.fromhex(value): mood for mood, value in self._options.colours.items()}
        mood = colours.get(cast("bytes", values.get("colour", b"")), "invite")
        colour = {"invite": RED, "away": YELLOW}.get(mood, GREEN)
        moving = values.get("motion") == bytes.fromhex(self._options.motions.get("left", "")) and "motion" in values
        return strip.show([text.strip()], colour, moving=moving)

    def _unescaped(self, data: bytes) -> bytes:
        pairs = {pair: bytes([byte]) for byte, pair in self._escape.items()}
        if not pairs:
            return data
        either = re.compile(b"|".join(re.escape(pair) for pair in pairs), re.DOTALL)
        return either.sub(lambda found: pairs[found[0]], data)


def _expressions(frame: pattern.Pattern, options: TemplateOptions) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Give the expression of a whole frame, and of what stands between < and > once it is unescaped."""
    outer = inner = b""
    inside = False
    for part in frame.parts:
        if isinstance(part, pattern.Mark):
            if part.sign in "<>":
                inside = part.sign == "<"
                outer += b"(?P<inside>.*?)" if inside else b""
            continue
        piece = re.escape(part.data) if isinstance(part, pattern.Bytes) else _group(part, options)
        if inside:
            inner += piece
        else:
            outer += piece
    return re.compile(outer, re.DOTALL), re.compile(inner, re.DOTALL)


def _group(part: pattern.Field, options: TemplateOptions) -> bytes:
    tables = {"colour": options.colours, "motion": options.motions}
    if part.name == "text":
        return b"(?P<text>.*?)"
    if part.name in tables:
        either = sorted({bytes.fromhex(value) for value in tables[part.name].values()}, key=len, reverse=True)
        return b"(?P<%s>%s)" % (part.name.encode(), b"|".join(re.escape(value) for value in either))
    return b"(?P<%s>.{%d})" % (part.name.replace("-", "_").encode(), part.size)


def width_px(strip: PretendStrip, page: int, cell_px: int) -> int:
    """Give how many dots a page is wide."""
    if page < len(strip.pictures):
        return strip.pictures[page].width
    return spelling.columns(strip.pages[page]) * cell_px // 2 if page < len(strip.pages) else 0


def size(options: object) -> tuple[int, int]:
    """Give width and height in dots of a strip with these options of its driver; others than dots count columns."""
    height = getattr(options, "height_px", CELL_PX)
    match options:
        case RegisterOptions():
            columns = max((2 * each.count for each in options.registers if each.holds in {"text", "label"}), default=6)
            return columns * CELL_PX // 2, height
        case TemplateOptions():
            return options.columns * CELL_PX // 2, height
        case _:
            return getattr(options, "width_px", 128), height
