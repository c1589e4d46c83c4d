"""Strips of any maker whose frame can be written down: head, address, length, text, checksum, tail in the devices file.

    driver = "template"
    [device.options]
    frame = "AA 55 [ {address} {length} ( 01 {colour} {text} ) ] {sum8} 0D"
    colours = { invite = "01", busy = "02", free = "02", away = "03" }
    answer = "AA 55 {address} 06"

How frames are written is told in `pattern.py`; docs/devices.md leads through an example.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from drivers.driver import BadOptions, OptionProblem
from drivers.led import pattern as patterns
from drivers.led import text as spelling
from drivers.led import words
from drivers.led.layout import BETWEEN_LANGUAGES, Shown, lay_out
from drivers.led.options import StripOptions, common_problems
from drivers.led.pattern import BadPattern, Pattern, read_pattern
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

Charset: TypeAlias = Literal["gbk", "gb2312", "gb18030", "big5", "ascii", "utf-8", "utf-16be", "utf-16le"]

MAX_TEXT_BYTES = 200
_ANYBODY = "anybody"
"""The mark of an answer that does not say who answers."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_FRAME = ("address", "text", "colour", "motion", "window")
_LIGHT = ("address", "level")
_CLOCK = ("address", "year", "month", "day", "hour", "minute", "second", "weekday")
_ANSWER = ("address", "any")
_REFUSAL = ("address", "any", "error")
_COLOUR_EXAMPLE = '{ invite = "01", busy = "02", free = "02", away = "03" }'
_MOTION_EXAMPLE = '{ still = "00", left = "01" }'


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateOptions(StripOptions):
    """Options of driver "template" in DEVICES.toml.

    `frame`: what shows a text; `columns`: how many the strip has (a hanzi takes two); `shows`: the sentence, the
    ticket or its digits; `charset`; `pad`: fill the text with spaces up to `columns`, standing at `align`; `colours`:
    bytes for {colour} by why the strip is lit; `motions`: bytes for {motion}; `escape`: byte -> bytes, between < and >;
    `answer`, `refusal`: what the strip answers to every frame (none: nothing); `hello`: a question that changes
    nothing; `brightness_frame` with {level} 0..`brightness_most`; `clock_frame`; `answer_ms`, `gap_ms`: how long to
    wait for an answer and between frames.
    """

    frame: str = ""
    columns: int = 16
    shows: Literal["sentence", "label", "number"] = "sentence"
    charset: Charset = "gbk"
    pad: bool = False
    align: Literal["left", "centre", "right"] = "left"
    colours: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    motions: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    escape: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    answer: str = ""
    refusal: str = ""
    hello: str = ""
    brightness_frame: str = ""
    brightness_most: int = 100
    clock_frame: str = ""
    answer_ms: int = 700
    gap_ms: int = 50

    def __post_init__(self) -> None:
        """Refuse what cannot be sent. Raises BadOptions with all of it."""
        problems = [*common_problems(self), *_frame_problems(self), *_table_problems(self), *_value_problems(self)]
        if problems:
            raise BadOptions(problems)

    @property
    def addresses(self) -> range:
        """Addresses that the frame can hold."""
        made = _read(self.frame, _FRAME)
        return range(made.most_of("address") + 1) if "address" in made.names else range(0x10000)


class Template:
    """The dialect that was written down (`strip.Dialect`)."""

    def __init__(self, options: TemplateOptions) -> None:
        """Read the frames; they were checked with the options."""
        self.manners = Manners(answer_within_s=options.answer_ms / 1000, gap_s=options.gap_ms / 1000)
        self._options = options
        self._frame = _read(options.frame, _FRAME)
        self._light = _read(options.brightness_frame, _LIGHT)
        self._clock = _read(options.clock_frame, _CLOCK)
        self._hello = _read(options.hello, ("address",))
        self._answer = _read(options.answer, _ANSWER)
        self._refusal = _read(options.refusal, _REFUSAL)
        self._escape = {int(byte, 16): bytes.fromhex(pair) for byte, pair in options.escape.items()}
        self._kept = b""
        self._pending = b""

    @property
    def kept_bytes(self) -> int:
        """How many bytes are kept for an answer that may still become whole."""
        return len(self._kept) + len(self._pending)

    def set_up(self, address: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: one frame shows one text."""
        return ()

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give the frame that shows this window."""
        options = self._options
        saying = words.say(picture, options.languages, idle_name=options.idle == "name")
        shown = self._shown(saying, picture.label)
        moving = shown.moving or len(shown.pages) > 1  # one text has no pages: two languages run
        text = BETWEEN_LANGUAGES.join(shown.pages)
        values: dict[str, int | bytes] = {
            "address": address,
            "text": spelling.encode(_padded(text, options), options.charset, MAX_TEXT_BYTES),
            "colour": bytes.fromhex(options.colours.get(shown.mood.value, "")),
            "motion": bytes.fromhex(options.motions.get("left" if moving else "still", "")),
            "window": int(words.number(picture.window) or 0),
        }
        return (self._ask(self._frame, values, address),)

    def light(self, address: int, percent: int) -> Sequence[Ask]:
        """Give the frame that sets the brightness, where one was written down; every lit level is at least 1."""
        if not self._light.parts:
            return ()
        level = max(1 if percent else 0, round(self._options.brightness_most * percent / 100))
        return (self._ask(self._light, {"address": address, "level": level}, address),)

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:
        """Give the frame that sets the clock, where one was written down; a one-byte year has no century."""
        if not self._clock.parts:
            return ()
        values: dict[str, int | bytes] = {
            "address": address,
            "year": now.year if self._clock.most_of("year") >= now.year else now.year % 100,
            "month": now.month,
            "day": now.day,
            "hour": now.hour,
            "minute": now.minute,
            "second": now.second,
            "weekday": now.isoweekday(),
        }
        return (self._ask(self._clock, values, address),)

    def hello(self, address: int) -> Sequence[Ask]:
        """Give the question that was written down."""
        return (self._ask(self._hello, {"address": address}, address),) if self._hello.parts else ()

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the answers in these bytes: at each byte it is looked whether one ends there."""
        answers: list[Answer] = []
        most = max(patterns.fixed_size(each) for each in (self._answer, self._refusal))
        for byte in self._plain(data):
            self._kept = (self._kept + bytes([byte]))[-most:] if most else b""
            for each, refused in ((self._answer, False), (self._refusal, True)):
                size = patterns.fixed_size(each)
                values = patterns.match(each, self._kept[-size:]) if size else None
                if values is None:
                    continue
                mark = values.get("address", _ANYBODY)
                why = f"error {values['error']}" if "error" in values else "refused"
                answers.append(Answer(mark=mark, refusal=why if refused else None))
                self._kept = b""
                break
        return answers

    def forget(self) -> None:
        """Drop half an answer."""
        self._kept = self._pending = b""

    def _ask(self, frame: Pattern, values: Mapping[str, int | bytes], address: int) -> Ask:
        mark = None
        if self._answer.parts:
            mark = address if "address" in self._answer.names else _ANYBODY
        return Ask(frame=patterns.render(frame, frame.clamped(values), self._escape), mark=mark)

    def _shown(self, saying: words.Saying, label: str | None) -> Shown:
        options = self._options
        if options.shows != "sentence":
            text = label if label and saying.mood in {words.Mood.INVITE, words.Mood.BUSY} else ""
            page = words.number(text) if options.shows == "number" else text
            return Shown(pages=(page,), moving=False, mood=saying.mood)
        return lay_out(saying, lambda line: spelling.columns(spelling.spell(line, options.charset)) <= options.columns)

    def _plain(self, data: bytes) -> Iterator[int]:
        """Give the bytes without their escapes."""
        pairs = {pair: byte for byte, pair in self._escape.items()}
        for byte in data:
            self._pending += bytes([byte])
            if self._pending in pairs:
                yield pairs[self._pending]
                self._pending = b""
            elif not any(pair.startswith(self._pending) for pair in pairs):
                yield from self._pending
                self._pending = b""


def make(wiring: Wiring[TemplateOptions]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return make_strips(wiring, Template(wiring.options))


def _read(text: str, names: tuple[str, ...]) -> Pattern:
    return read_pattern(text, names) if text else Pattern(parts=())


def _padded(text: str, options: TemplateOptions) -> str:
    if not options.pad:
        return text
    text = spelling.fit(spelling.spell(text, options.charset), options.columns)
    spare = options.columns - spelling.columns(text)
    left = {"left": 0, "centre": spare // 2, "right": spare}[options.align]
    return " " * left + text + " " * (spare - left)


def _frame_problems(options: TemplateOptions) -> list[OptionProblem]:
    """Give what is wrong with the frames."""
    problems = []
    if not options.frame:
        example = 'frame = "AA 55 {address} {length} {text} {sum8} 0D"'
        zh, en = f"缺少，例如 {example}", f"is missing, for instance {example}"
        problems.append(OptionProblem(option="frame", zh=zh, en=en))
    frames = (
        ("frame", options.frame, _FRAME, False),
        ("hello", options.hello, ("address",), True),
        ("brightness_frame", options.brightness_frame, _LIGHT, True),
        ("clock_frame", options.clock_frame, _CLOCK, True),
        ("answer", options.answer, _ANSWER, True),
        ("refusal", options.refusal, _REFUSAL, True),
    )
    for option, text, names, fixed in frames:
        try:
            made = read_pattern(text, names, fixed=fixed) if text else None
        except BadPattern as bad:
            problems.append(OptionProblem(option=option, zh=bad.zh, en=bad.en, meant=bad.meant))
            continue
        if option == "frame" and made is not None:
            problems += _size_problems(options, made)
    if options.frame and "{text" not in options.frame and not problems:
        zh, en = "里面没有 {text}", "has no {text}"
        problems.append(OptionProblem(option="frame", zh=zh, en=en))
    for option, text in (("refusal", options.refusal), ("hello", options.hello)):
        if text and not options.answer:
            zh, en = "要和 answer 一起写", "goes together with answer"
            problems.append(OptionProblem(option=option, zh=zh, en=en))
    for option, wanted, frame in (
        ("brightness", options.brightness, options.brightness_frame),
        ("clock", options.clock, options.clock_frame),
    ):
        if wanted and not frame:
            zh, en = f"还要写 {option}_frame", f"needs {option}_frame, which says how"
            problems.append(OptionProblem(option=option, zh=zh, en=en))
    return problems


def _size_problems(options: TemplateOptions, frame: Pattern) -> list[OptionProblem]:
    """Say where a length cannot be written that this frame may have."""
    try:
        patterns.render(frame, {"text": bytes(MAX_TEXT_BYTES), "colour": bytes(4), "motion": bytes(4)})
    except ValueError as error:
        zh = f"长度写不下（文字最多 {MAX_TEXT_BYTES} 字节）：{error}"
        en = f"the length has no room for a text of {MAX_TEXT_BYTES} bytes: {error}"
        return [OptionProblem(option="frame", zh=zh, en=en)]
    if options.colours and "colour" not in frame.names:
        zh, en = "frame 里没有 {colour}", "is not used: frame has no {colour}"
        return [OptionProblem(option="colours", zh=zh, en=en)]
    return []


def _table_problems(options: TemplateOptions) -> list[OptionProblem]:
    """Give what is wrong with the tables of bytes."""
    problems = []
    moods = [mood.value for mood in words.Mood]
    for option, table, keys, used, example in (
        ("colours", options.colours, moods, "{colour" in options.frame, _COLOUR_EXAMPLE),
        ("motions", options.motions, ["still", "left"], "{motion" in options.frame, _MOTION_EXAMPLE),
    ):
        if (used or table) and set(table) != set(keys):
            zh, en = f"要写全，例如 {example}", f"must have {', '.join(keys)}: {example}"
            problems.append(OptionProblem(option=option, zh=zh, en=en))
    for option, table in (("colours", options.colours), ("motions", options.motions), ("escape", options.escape)):
        for key, value in table.items():
            if not _is_hex(value) or (option == "escape" and not (len(key) == 2 and _is_hex(key))):
                zh, en = f"{key} = {value!r} 不是十六进制字节", f"{key} = {value!r} is not hexadecimal bytes"
                problems.append(OptionProblem(option=option, zh=zh, en=en))
    return problems


def _value_problems(options: TemplateOptions) -> list[OptionProblem]:
    """Give what is wrong with numbers and with what does not go together."""
    problems = []
    for option, value, least, most in (
        ("columns", options.columns, 1, 128),
        ("brightness_most", options.brightness_most, 1, 255),
        ("answer_ms", options.answer_ms, 50, 10_000),
        ("gap_ms", options.gap_ms, 0, 10_000),
    ):
        if not least <= value <= most:
            zh, en = f"必须在 {least} 到 {most} 之间，不能是 {value}", f"must be {least}..{most}, not {value}"
            problems.append(OptionProblem(option=option, zh=zh, en=en))
    if len(options.languages) > 1 and "{motion" not in options.frame:
        zh, en = "只能一种：frame 里没有 {motion}，不能滚动", "one only: frame has no {motion} to let two of them run"
        problems.append(OptionProblem(option="languages", zh=zh, en=en))
    return problems


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False
