"""Strips and digit modules that are Modbus slaves: what stands in which holding register is told in the devices file.

    [device.options]
    shows = "label"
    registers = [
        { at = 0x80, holds = "label", count = 3, charset = "segments" },
        { at = 4, holds = "status", values = { invite = 2, busy = 1, free = 1, away = 0 } },
    ]

One register is written by function 06, several in a row by 10 hex (`single = "10"` for devices that know only that).
Frames are in `drivers.modbus`. A register map of a shop-bought module, as an example: armfly LED-485, number at 0,
segments of a text from 80 hex (https://github.com/sman-dk/LED-485_setuptool).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from drivers import modbus
from drivers.driver import BadOptions, OptionProblem
from drivers.led import text as spelling
from drivers.led import words
from drivers.led.checksums import crc16_arc
from drivers.led.layout import lay_out
from drivers.led.options import StripOptions, common_problems
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

Holds: TypeAlias = Literal["text", "label", "number", "bcd", "status", "waiting", "window", "brightness"]
Charset: TypeAlias = Literal["ascii", "gbk", "utf-16", "segments"]

ADDRESSES = modbus.UNITS
MAX_COUNT = 60

SEGMENTS: Mapping[str, int] = MappingProxyType(
    {
        " ": 0x00, "-": 0x40, "_": 0x08, "0": 0x3F, "1": 0x06, "2": 0x5B, "3": 0x4F, "4": 0x66, "5": 0x6D, "6": 0x7D,
        "7": 0x07, "8": 0x7F, "9": 0x6F, "A": 0x77, "B": 0x7C, "C": 0x39, "D": 0x5E, "E": 0x79, "F": 0x71, "G": 0x3D,
        "H": 0x76, "I": 0x10, "J": 0x0E, "K": 0x7A, "L": 0x38, "M": 0x55, "N": 0x54, "O": 0x5C, "P": 0x73, "Q": 0x67,
        "R": 0x50, "S": 0x64, "T": 0x78, "U": 0x3E, "V": 0x62, "W": 0x6A, "X": 0x36, "Y": 0x6E, "Z": 0x49,
    }
)  # fmt: skip
"""Seven-segment shapes, bit 0 the top bar, clockwise, bit 6 the middle one."""
_NO_VALUES: Mapping[str, int] = MappingProxyType({})
_BCD_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One or more registers in a row and what they hold.

    `text` is the sentence, `label` the ticket, `number` and `bcd` its digits, `status` one of `values` for why the
    strip is lit (invite, busy, free, away), `waiting` how many wait, `window` the digits of the window, `brightness`
    0..`most`. Characters go two to a register, `order` says which byte comes first; `blank` stands where there is no
    ticket.
    """

    at: int
    holds: Holds = "label"
    count: int = 1
    charset: Charset = "ascii"
    order: Literal["high", "low"] = "high"
    values: Mapping[str, int] = field(default_factory=lambda: _NO_VALUES)
    blank: int = 0
    most: int = 100

    def __post_init__(self) -> None:
        """Refuse what no register is. Raises BadOptions with all of it."""
        problems = []

        def say(option: str, zh: str, en: str) -> None:
            problems.append(OptionProblem(option=option, zh=zh, en=en))

        if not 0 <= self.at <= 0xFFFF:
            say("at", f"必须在 0 到 65535 之间，不能是 {self.at}", f"must be 0..65535, not {self.at}")
        if not 1 <= self.count <= MAX_COUNT:
            say(
                "count",
                f"必须在 1 到 {MAX_COUNT} 之间，不能是 {self.count}",
                f"must be 1..{MAX_COUNT}, not {self.count}",
            )
        elif self.count > 1 and self.holds not in {"text", "label"}:
            say("count", "只有 text 和 label 能占多个寄存器", "only text and label take several registers")
        if self.holds == "status":
            missing = [mood.value for mood in words.Mood if mood.value not in self.values]
            if missing:
                example = "{ invite = 2, busy = 1, free = 1, away = 0 }"
                say(
                    "values",
                    f"缺少 {', '.join(missing)}，例如 {example}",
                    f"lacks {', '.join(missing)}: write {example}",
                )
        numbers = (*self.values.values(), self.blank, self.most)
        if any(not 0 <= number <= 0xFFFF for number in numbers):
            say("values", "寄存器的值必须在 0 到 65535 之间", "a register holds 0..65535")
        if problems:
            raise BadOptions(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOptions(StripOptions):
    """Options of driver "modbus-strip" in DEVICES.toml.

    `registers`: what the strip is told, in this order; `single`: the function that writes one register; `framing`:
    "auto" takes "tcp" for tcp:, "rtu" for serial: and for a tcp: that names the speed of a line behind it (`?baud=`).
    """

    registers: tuple[Register, ...] = ()
    single: Literal["06", "10"] = "06"
    framing: Literal["auto", "rtu", "tcp"] = "auto"

    def __post_init__(self) -> None:
        """Refuse a map that shows nothing. Raises BadOptions with all of it."""
        problems = common_problems(self)
        if not any(each.holds != "brightness" for each in self.registers):
            example = 'registers = [{ at = 0, holds = "number" }]'
            zh, en = f"至少要有一个，例如 {example}", f"at least one is needed: {example}"
            problems.append(OptionProblem(option="registers", zh=zh, en=en))
        if self.brightness and not any(each.holds == "brightness" for each in self.registers):
            example = '{ at = 9, holds = "brightness", most = 15 }'
            zh, en = f"registers 里没有亮度寄存器，例如 {example}", f"no register holds it: add {example}"
            problems.append(OptionProblem(option="brightness", zh=zh, en=en))
        if len(self.languages) > 1:
            zh, en = "只能一种：寄存器里放不下两种语言", "one only: registers cannot take turns"
            problems.append(OptionProblem(option="languages", zh=zh, en=en))
        if self.clock:
            zh, en = "Modbus 条屏没有时钟", "cannot be set: a register map has no clock"
            problems.append(OptionProblem(option="clock", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


class RegisterMap:
    """The dialect of slaves with this map; every write is answered (`strip.Dialect`)."""

    def __init__(self, options: RegisterOptions, framing: modbus.Framing, byte_s: float) -> None:
        """Keep the options; nothing was heard yet."""
        # A write is its own question and short: often repeated, it also finds a slave that forgot.
        quiet_s = max(0.02, modbus.quiet_s(byte_s))
        self.manners = Manners(answer_within_s=0.5, gap_s=quiet_s, repaint_every_s=15.0)
        self._options = options
        self._framing = framing
        self._reader = modbus.Reader(framing)

    def set_up(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: registers can be written at once."""
        return ()

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give one write per entry of the map."""
        told = [each for each in self._options.registers if each.holds != "brightness"]
        return tuple(self._write(address, each, _values(each, picture, self._options)) for each in told)

    def light(self, address: int, percent: int) -> Sequence[Ask]:
        """Give the writes to the registers that hold the brightness; every lit one is at least 1."""
        told = [each for each in self._options.registers if each.holds == "brightness"]
        return tuple(
            self._write(address, each, [max(1 if percent else 0, round(each.most * percent / 100))]) for each in told
        )

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: there is no clock."""
        return ()

    def hello(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: some modules cannot be read, all answer when they are written."""
        return ()

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the answers in these bytes."""
        return [
            Answer(
                mark=(reply.unit, reply.function, reply.tag),
                refusal=None if reply.error is None else f"Modbus exception {reply.error}",
            )
            for reply in self._reader.feed(data)
        ]

    def forget(self) -> None:
        """Drop half an answer."""
        self._reader.forget()

    def _write(self, unit: int, register: Register, values: Sequence[int]) -> Ask:
        if len(values) == 1 and self._options.single == "06":
            request = modbus.write_register(unit, register.at, values[0])
        else:
            request = modbus.write_registers(unit, register.at, values)
        if (
            self._framing == "tcp"
        ):  # the same for the same content, so that a late answer to another is not taken for it
            request = modbus.Request(unit=unit, pdu=request.pdu, tag=crc16_arc(request.pdu))
        frame = modbus.encode(request, self._framing)
        return Ask(frame=frame, mark=(request.unit, request.function, request.tag))


def make(wiring: Wiring[RegisterOptions]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    framing: modbus.Framing
    match wiring.options.framing:
        case "auto":
            framing = "tcp" if wiring.url.startswith("tcp:") and not wiring.byte_s else "rtu"
        case "rtu" | "tcp" as told:
            framing = told
    return make_strips(wiring, RegisterMap(wiring.options, framing, wiring.byte_s))


def _values(register: Register, picture: WindowPicture, options: RegisterOptions) -> list[int]:
    """Give what the registers hold for this window."""
    saying = words.say(picture, options.languages, idle_name=options.idle == "name")
    label = picture.label if saying.mood in {words.Mood.INVITE, words.Mood.BUSY} else None
    digits = words.number(label or "")
    match register.holds:
        case "text":
            shown = lay_out(saying, lambda line: len(_bytes(line, register.charset)) <= 2 * register.count)
            return _packed(_bytes(shown.pages[0], register.charset), register)
        case "label":
            return _packed(_bytes(label or "", register.charset), register)
        case "number":
            return [int(digits) & 0xFFFF if digits else register.blank]
        case "bcd":
            return [int(digits[-_BCD_DIGITS:], 16) if digits else register.blank]
        case "status":
            return [register.values[saying.mood.value]]
        case "waiting":
            return [min(picture.waiting, 0xFFFF)]
        case "window":
            return [int(words.number(picture.window) or 0) & 0xFFFF]
        case "brightness":
            return []
        case _:
            assert_never(register.holds)


def _bytes(text: str, charset: Charset) -> bytes:
    match charset:
        case "segments":
            return bytes(SEGMENTS.get(character, 0) for character in spelling.spell(text, "ascii").upper())
        case "utf-16":
            return spelling.spell(text, "utf-16-be").encode("utf-16-be")
        case "ascii" | "gbk":
            return spelling.spell(text, charset).encode(charset)


def _packed(coded: bytes, register: Register) -> list[int]:
    """Give exactly `count` registers: cut between characters, or padded with spaces."""
    room = 2 * register.count
    pad = {"segments": b"\x00", "utf-16": b"\x00 "}.get(register.charset, b" ")
    if len(coded) > room and register.charset == "gbk":
        coded = coded[:room].decode("gbk", errors="ignore").encode("gbk")
    coded = (coded + pad * room)[:room]
    order: Literal["big", "little"] = "big" if register.order == "high" else "little"
    return [int.from_bytes(coded[place : place + 2], order) for place in range(0, room, 2)]
