"""Alpha and BetaBrite signs (Adaptive Micro Systems, "M-protocol"): ASCII as text, Chinese as pictures of dots. No I/O.

A transmission is five NULs (the sign finds the speed by them), SOH, type of sign, two hexadecimal digits of address,
STX, a command, ETX, the sum from STX to ETX in four hexadecimal digits, EOT. The line is 9600 7E1 where nobody set the
sign to another (`?bits=7&parity=even`).
`A` writes a TEXT file, `I` a SMALL DOTS picture (after its width the sign needs 100 ms), `E` a special function, `F`
asks for one. Files other than A must be given room by `E$` first, behind a bare `E$` that clears the memory; the sign
is deaf while it clears. A TEXT file calls a picture by DC4 and its label. Signs answer reads only, with type 0 and
address 00 whatever theirs is, so the answers of one line are told apart by who was asked.

Sources: Alpha Sign Communications Protocol, 9708-8061 (https://www.alpha-american.com/alpha-manuals/M-Protocol.pdf);
what a BetaBrite really does: https://github.com/mjaksn/readerboard (docs/protocol-notes.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.driver import BadOptions, OptionProblem
from drivers.led import dots, words
from drivers.led import text as spelling
from drivers.led.checksums import sum16
from drivers.led.layout import Shown, lay_out
from drivers.led.options import StripOptions, common_problems, dot_problems
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture
    from drivers.led.dots import Dots, Face

ADDRESSES = range(1, 256)
ALL_TYPES = "Z"
MAX_TEXT_BYTES = 120
MAX_FRAME_BYTES = 9000
"""The biggest picture: 31 rows of 255 dots and their ends."""
MAX_DOTS_HIGH, MAX_DOTS_WIDE = 31, 255
MAX_PICTURES = 4
DOTS_REST_S = 0.1
CLEAR_REST_S, ROOM_REST_S = 2.0, 0.5

_NUL, _SOH, _STX, _ETX, _EOT = 0x00, 0x01, 0x02, 0x03, 0x04
_WAKE = bytes(5)
_TEXT_LABEL = "A"
_PICTURE_LABELS = "BCDE"
_TEXT_BYTES = 0x0100
_MIDDLE = "\x1b "  # ESC, position: middle line
_NEW_PAGE = "\x0c"
_CALL_PICTURE = "\x14"
_HOLD, _ROTATE = "b", "a"
_SUM_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One transmission whose sum was right (or that had none). `body` is the command and what follows it."""

    kind: str
    address: str
    body: bytes


def encode(body: bytes, *, address: int, kind: str = ALL_TYPES) -> bytes:
    """Give the bytes on the wire for one command to the sign at `address` (0 is all signs)."""
    head, tail = _cut(body, address=address, kind=kind)
    return head + tail


def write_text(pages: Sequence[str], mode: str, label: str = _TEXT_LABEL) -> bytes:
    """Give the command that shows these pages, each with its own position and mode."""
    return f"A{label}{_NEW_PAGE.join(f'{_MIDDLE}{mode}{page}' for page in pages)}".encode("ascii")


def write_dots(label: str, picture: Dots, colour: str) -> bytes:
    """Give the command that writes a picture; lit dots in one colour."""
    rows = "".join(row.replace("1", colour) + "\r" for row in picture.rows)
    return f"I{label}{len(picture.rows):02X}{picture.width:02X}{rows}".encode("ascii")


def make_room(height: int, width: int, pictures: str) -> bytes:
    """Give the command that makes room for TEXT file A and for pictures of this size in eight colours."""
    files = f"{_TEXT_LABEL}AU{_TEXT_BYTES:04X}FFFF"
    files += "".join(f"{label}DL{height:02X}{width:02X}4000" for label in pictures)
    return f"E${files}".encode("ascii")


def set_time(now: datetime) -> tuple[bytes, ...]:
    """Give the commands that set the time of day (24 hours), the weekday (1 is Sunday) and the date."""
    return (
        f"E {now:%H%M}".encode("ascii"),
        b"E'M",
        f"E&{now.isoweekday() % 7 + 1}".encode("ascii"),
        f"E;{now:%m%d%y}".encode("ascii"),
    )


class Decoder:
    """Finds transmissions in a stream that may be cut anywhere and full of noise; keeps never more than one."""

    def __init__(self) -> None:
        """Start between transmissions."""
        self._kept: bytearray | None = None

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished transmission are kept."""
        return len(self._kept or b"")

    def feed(self, chunk: bytes) -> list[Frame]:
        """Give the whole and right transmissions that `chunk` completes, in order. Never raises."""
        frames: list[Frame] = []
        for raw in chunk:
            byte = raw & 0x7F  # a line set to 8N1 shows the parity as the eighth bit
            if byte == _SOH:
                self._kept = bytearray()
            elif self._kept is None or byte == _NUL:
                continue
            elif byte == _EOT:
                frame = _parse(bytes(self._kept))
                self._kept = None
                if frame is not None:
                    frames.append(frame)
            elif len(self._kept) >= MAX_FRAME_BYTES:
                self._kept = None
            else:
                self._kept.append(byte)
        return frames


def _cut(body: bytes, *, address: int, kind: str, after: int = 0) -> tuple[bytes, bytes]:
    """Give a transmission in two parts: up to `after` bytes of the body, and the rest."""
    guarded = bytes([_STX]) + body + bytes([_ETX])
    head = _WAKE + bytes([_SOH]) + f"{kind}{address:02X}".encode("ascii") + guarded[: 1 + after]
    tail = guarded[1 + after :] + f"{sum16(guarded):0{_SUM_DIGITS}X}".encode("ascii") + bytes([_EOT])
    return head, tail


def _parse(content: bytes) -> Frame | None:
    """Read what stands between SOH and EOT."""
    head, stx, rest = content.partition(bytes([_STX]))
    body, etx, told = rest.partition(bytes([_ETX]))
    if not stx or len(head) != 3 or not head.isascii():
        return None
    if etx and told != f"{sum16(stx + body + etx):0{_SUM_DIGITS}X}".encode("ascii"):
        return None
    return Frame(kind=chr(head[0]), address=head[1:].decode("ascii"), body=body)


_TEXT_COLOURS = {
    words.Mood.INVITE: "\x1c1",
    words.Mood.BUSY: "\x1c2",
    words.Mood.FREE: "\x1c2",
    words.Mood.AWAY: "\x1c3",
}
_DOT_COLOURS = {words.Mood.INVITE: "1", words.Mood.BUSY: "2", words.Mood.FREE: "2", words.Mood.AWAY: "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaOptions(StripOptions):
    """Options of driver "alpha" in DEVICES.toml.

    `width_px`, `height_px`: size of the sign in dots; `font_px`: width of a letter of its own, for what fits;
    `answers`: the sign can be asked (two wires back), so that a dead one is noticed. Brightness cannot be set.
    """

    width_px: int = 80
    height_px: int = 16
    font_px: int = 6
    answers: bool = False

    def __post_init__(self) -> None:
        """Refuse what no sign is. Raises BadOptions with all of it."""
        problems = common_problems(self) + dot_problems(self.width_px, self.height_px, min(7, self.height_px))
        if self.height_px > MAX_DOTS_HIGH:
            zh, en = f"图片最高 {MAX_DOTS_HIGH} 点，不能是 {self.height_px}", f"must be at most {MAX_DOTS_HIGH}"
            problems.append(OptionProblem(option="height_px", zh=zh, en=en))
        if "zh" in self.languages and self.height_px < dots.MIN_HANZI_PX:
            least = dots.MIN_HANZI_PX
            zh = f'汉字至少要 {least} 点高，这块屏只有 {self.height_px} 点：languages = ["en"]'
            en = f'hanzi need {least} dots, this sign has {self.height_px}: write languages = ["en"]'
            problems.append(OptionProblem(option="languages", zh=zh, en=en))
        if not 4 <= self.font_px <= 32:
            zh, en = f"必须在 4 到 32 之间，不能是 {self.font_px}", f"must be 4..32, not {self.font_px}"
            problems.append(OptionProblem(option="font_px", zh=zh, en=en))
        if self.brightness:
            zh, en = "此协议不能调亮度", "cannot be set: this protocol dims only a few signs, each in its own way"
            problems.append(OptionProblem(option="brightness", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


class Alpha:
    """The dialect of these signs: one TEXT file, and pictures where its letters do not do (`strip.Dialect`)."""

    def __init__(self, options: AlphaOptions, faces: tuple[Face, ...]) -> None:
        """Keep the options and the fonts of this machine; nothing was heard yet."""
        # Writing blanks the sign for a moment, and its memory outlives a power cut: seldom painted without a reason.
        self.manners = Manners(answer_within_s=1.5, gap_s=0.2, repaint_every_s=600.0, hello_every_s=30.0)
        self._options = options
        self._faces = faces
        self._decoder = Decoder()

    def set_up(self, address: int) -> Sequence[Ask]:
        """Give the commands that clear the memory and make room for the files; nothing where TEXT file A is enough."""
        if not self._draws:
            return ()
        clear = Ask(frame=encode(b"E$", address=address), rest_s=CLEAR_REST_S)
        width = min(MAX_DOTS_WIDE, max(self._options.width_px, 16))
        room = make_room(self._options.height_px, width, _PICTURE_LABELS)
        return (clear, Ask(frame=encode(room, address=address), rest_s=ROOM_REST_S))

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give the text in the sign's own letters, or pictures of it and the text that calls them."""
        options = self._options
        languages = options.languages if self._draws else ("en",)
        saying = words.say(picture, languages, idle_name=options.idle == "name")
        lines = tuple(tuple(spelling.spell(form, "utf-8") for form in forms) for forms in saying.lines)
        shown = lay_out(words.Saying(lines=lines, mood=saying.mood), self._fits)
        if all(spelling.can_spell(page, "ascii") for page in shown.pages):
            return (self._text(address, shown),)
        return self._pictures(address, shown)

    def light(self, address: int, percent: int) -> Sequence[Ask]:  # noqa: ARG002
        """Give nothing: it cannot be set."""
        return ()

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:
        """Give the commands that set time, weekday and date."""
        return tuple(Ask(frame=encode(body, address=address)) for body in set_time(now))

    def hello(self, address: int) -> Sequence[Ask]:
        """Give the question for the time of day, where the sign can answer."""
        if not self._options.answers:
            return ()
        return (Ask(frame=encode(b"F ", address=address), mark=b"E "),)

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Give the answers to reads in these bytes; they begin with the command that would have written it."""
        return [Answer(mark=frame.body[:2]) for frame in self._decoder.feed(data) if frame.kind == "0"]

    def forget(self) -> None:
        """Drop half an answer."""
        self._decoder = Decoder()

    @property
    def _draws(self) -> bool:
        """Whether Chinese is wanted and can be drawn."""
        return "zh" in self._options.languages and bool(self._faces)

    def _fits(self, line: str) -> bool:
        if spelling.can_spell(line, "ascii"):
            return len(line) * self._options.font_px <= self._options.width_px
        return spelling.columns(line) * self._options.height_px // 2 <= self._options.width_px

    def _text(self, address: int, shown: Shown) -> Ask:
        pages = [_TEXT_COLOURS[shown.mood] + page[:MAX_TEXT_BYTES] for page in shown.pages]
        return Ask(frame=encode(write_text(pages, _ROTATE if shown.moving else _HOLD), address=address))

    def _pictures(self, address: int, shown: Shown) -> Sequence[Ask]:
        """Give one picture per page; a line that runs is cut into pictures that stand one behind the other."""
        height, width = self._options.height_px, min(MAX_DOTS_WIDE, self._options.width_px)
        drawn = [dots.draw(page, height, self._faces) for page in shown.pages]
        if shown.moving:
            whole = drawn[0]
            parts = [whole.cut(x, x + width) for x in range(0, whole.width, width)][:MAX_PICTURES]
        else:
            parts = [picture.centred(width) for picture in drawn][:MAX_PICTURES]
        asks: list[Ask] = []
        calls = []
        for label, part in zip(_PICTURE_LABELS, parts, strict=False):
            body = write_dots(label, part, _DOT_COLOURS[shown.mood])
            head, tail = _cut(body, address=address, kind=ALL_TYPES, after=6)  # I, label, height, width
            asks += [Ask(frame=head, rest_s=DOTS_REST_S), Ask(frame=tail)]
            calls.append(_CALL_PICTURE + label)
        pages = ["".join(calls)] if shown.moving else calls
        asks.append(Ask(frame=encode(write_text(pages, _ROTATE if shown.moving else _HOLD), address=address)))
        return tuple(asks)


def make(wiring: Wiring[AlphaOptions], faces: tuple[Face, ...]) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml; `faces` are the Chinese fonts of this machine."""
    return make_strips(wiring, Alpha(wiring.options, faces))
