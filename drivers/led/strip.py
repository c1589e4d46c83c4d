"""The state driver of Onbon strips on one line: paints what each window is, and knows which strips answered.

Each command is acknowledged before the next one goes out; a strip that does not answer is asked three times, then left
alone for a while so that it does not slow the others on the line. What a strip shows is derived from the newest picture
only: after a reconnection, or when a silent strip answers again, it is painted anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from drivers.faults import Fault, FaultCode, Health, HealthStatus
from drivers.led import onbon, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.driver import Wiring
    from drivers.jobs import Press, Rating, WindowPicture

ACK_WITHIN_S = 0.8
"""A call is 89 ms on the wire at 9600 baud; a card answers within 200 ms."""
TRIES = 3
LEFT_ALONE_S = 10.0
GAP_S = 0.05
"""Quiet time between frames: half-duplex transceivers need it to turn round."""
PING_EVERY_S = 15.0
REPAINT_EVERY_S = 30.0
"""A strip that lost power for a moment answers pings and shows nothing."""

_COLOURS = {
    words.Mood.INVITE: onbon.Colour.RED,
    words.Mood.BUSY: onbon.Colour.GREEN,
    words.Mood.FREE: onbon.Colour.GREEN,
    words.Mood.AWAY: onbon.Colour.YELLOW,
}
_BETWEEN_LANGUAGES = "    "
_Kind: TypeAlias = Literal["paint", "ping", "set_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripOptions:
    """Options of driver "onbon-bx5" in DEVICES.toml.

    `width_px`, `height_px`: size of the strip in dots; `font_px`: height of the card's font; `languages`: one or
    both, in turn; `idle`: what a free window shows; `brightness`: 1..16, 0 leaves the card's own setting.
    """

    width_px: int = 128
    height_px: int = 16
    font_px: int = 16
    languages: tuple[Literal["zh", "en"], ...] = ("zh",)
    idle: Literal["welcome", "name"] = "welcome"
    brightness: int = 0

    def __post_init__(self) -> None:
        """Refuse what no strip is. Raises ValueError "option: sentence"."""
        if self.width_px % 8 or not 32 <= self.width_px <= 2048:
            raise ValueError(f"width_px: must be a multiple of 8 from 32 to 2048, not {self.width_px}")
        if not 8 <= self.height_px <= 512:
            raise ValueError(f"height_px: must be 8..512, not {self.height_px}")
        if not 8 <= self.font_px <= self.height_px:
            raise ValueError(f"font_px: must be 8..{self.height_px} (the height of the strip), not {self.font_px}")
        if not self.languages:
            raise ValueError('languages: at least one is needed, for instance ["zh"]')
        if not 0 <= self.brightness <= 16:
            raise ValueError(f"brightness: must be 1..16, or 0 to leave it as it is, not {self.brightness}")


@dataclass(slots=True, kw_only=True)
class _Strip:
    """One address of the line: what it ought to show, and how it has answered."""

    window: str
    wanted: bytes = b""  # data of the A3 06 command
    painted: bytes | None = None  # what it acknowledged; None: unknown
    painted_s: float = 0.0
    tries: int = 0
    not_before_s: float = 0.0
    answered_s: float | None = None
    silent: bool = False
    refusal: int | None = None
    refused: bytes | None = None  # a text it said no to: sent again only after a pause, another text at once
    refused_s: float = 0.0
    set_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """The one command that waits for its acknowledgement."""

    address: int
    data: bytes
    kind: _Kind
    until_s: float


@dataclass(slots=True)
class OnbonStrips:
    """All strips of one line. See `drivers.driver.StateDriver`."""

    options: StripOptions
    windows: dict[int, str]
    _strips: dict[int, _Strip] = field(init=False)
    _decoder: onbon.Decoder = field(init=False, default_factory=onbon.Decoder)
    _sent: _Sent | None = field(init=False, default=None)
    _quiet_until_s: float = field(init=False, default=0.0)
    _turn: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Make one strip per address, each not yet told anything."""
        self._strips = {address: _Strip(window=window) for address, window in sorted(self.windows.items())}

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: nothing on the strips is known any more."""
        self._decoder = onbon.Decoder()
        self._sent = None
        self._quiet_until_s = now_s
        for strip in self._strips.values():
            strip.painted = None
            strip.refused = None
            strip.set_up = self.options.brightness == 0
            strip.tries = 0
            strip.not_before_s = now_s

    def show(self, picture: WindowPicture) -> None:
        """Keep what the strips of this window ought to show."""
        for strip in self._strips.values():
            if strip.window == picture.window:
                strip.wanted = paint(picture, self.options)

    def due(self, now_s: float) -> bytes:
        """Give the next command, or b"" while an acknowledgement is awaited, in the gap, or when all is well."""
        if self._sent is not None:
            if now_s < self._sent.until_s:
                return b""
            self._no_answer(self._sent, now_s)
            self._sent = None
        if now_s < self._quiet_until_s:
            return b""
        addresses = list(self._strips)
        in_turn = addresses[self._turn :] + addresses[: self._turn]
        for command_for in (self._news, self._upkeep):  # a call does not wait behind pings
            for address in in_turn:
                command = command_for(self._strips[address], now_s)
                if command is not None:
                    kind, data = command
                    self._turn = (addresses.index(address) + 1) % len(addresses)
                    self._sent = _Sent(address=address, data=data, kind=kind, until_s=now_s + ACK_WITHIN_S)
                    return onbon.encode(data, dst=address)
        return b""

    def feed(self, data: bytes, now_s: float) -> Sequence[Press | Rating]:
        """Take acknowledgements. Strips have no keys, so there is never a press."""
        for frame in self._decoder.feed(data):
            reply = onbon.read_reply(frame)
            strip = self._strips.get(frame.src)
            if reply is None or strip is None or frame.dst != onbon.PC:
                continue
            sent = self._sent
            if sent is None or sent.address != frame.src:
                continue  # a late answer: the command was given up and is sent again
            self._sent = None
            self._quiet_until_s = now_s + GAP_S
            self._answer(strip, sent, reply, now_s)
        return ()

    def refused(self, window: str, code: str) -> None:
        """Do nothing: a strip has no keys."""

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give down when no strip answers, degraded when some do not or refuse their text."""
        silent = [strip for strip in self._strips.values() if strip.silent]
        refusing = [strip for strip in self._strips.values() if strip.refusal is not None]
        faults = []
        if silent:
            names = ", ".join(strip.window for strip in silent)
            faults.append(Fault(code=FaultCode.NO_ANSWER, detail=f"no answer from the strip of window {names}"))
        for strip in refusing:
            detail = f"the strip of window {strip.window} refused its text (card error {strip.refusal})"
            faults.append(Fault(code=FaultCode.REFUSED, detail=detail))
        if not faults:
            return Health()
        dead = len(silent) == len(self._strips)
        return Health(status=HealthStatus.DOWN if dead else HealthStatus.DEGRADED, faults=tuple(faults))

    def _news(self, strip: _Strip, now_s: float) -> tuple[_Kind, bytes] | None:
        """Give the text this strip ought to show and does not."""
        if now_s < strip.not_before_s or not strip.set_up or not strip.wanted or strip.painted == strip.wanted:
            return None
        pausing = strip.wanted == strip.refused and now_s - strip.refused_s < LEFT_ALONE_S
        return None if pausing else ("paint", strip.wanted)

    def _upkeep(self, strip: _Strip, now_s: float) -> tuple[_Kind, bytes] | None:
        """Give what this strip should be told now although nothing happened."""
        if now_s < strip.not_before_s:
            return None
        if not strip.set_up:
            return "set_up", onbon.brightness(self.options.brightness)
        if strip.wanted and strip.painted == strip.wanted and now_s - strip.painted_s >= REPAINT_EVERY_S:
            return "paint", strip.wanted
        if strip.answered_s is None or now_s - strip.answered_s >= PING_EVERY_S:
            return "ping", onbon.ping()
        return None

    def _answer(self, strip: _Strip, sent: _Sent, reply: onbon.Ack | onbon.Nack, now_s: float) -> None:
        if strip.silent:
            # It was away and may have forgotten what it showed.
            strip.painted = None
        strip.silent = False
        strip.tries = 0
        strip.answered_s = now_s
        strip.not_before_s = now_s
        match sent.kind, reply:
            case "paint", onbon.Ack():
                strip.painted, strip.painted_s = sent.data, now_s
                strip.refusal, strip.refused = None, None
            case "paint", onbon.Nack():
                strip.painted = None
                strip.refusal, strip.refused, strip.refused_s = reply.code, sent.data, now_s
            case "set_up", _:
                strip.set_up = True  # a card without dimming refuses; its text matters more
            case _:
                pass

    def _no_answer(self, sent: _Sent, now_s: float) -> None:
        strip = self._strips[sent.address]
        strip.tries += 1
        if strip.tries >= TRIES:
            strip.tries = 0
            strip.silent = True
            strip.not_before_s = now_s + LEFT_ALONE_S


def make(wiring: Wiring[StripOptions]) -> OnbonStrips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return OnbonStrips(wiring.options, dict(wiring.windows))


def paint(picture: WindowPicture, options: StripOptions) -> bytes:
    """Give the A3 06 data that shows this window: still when every line fits the strip, else running to the left."""
    saying = words.say(picture, options.languages, idle_name=options.idle == "name")
    still = all(width_px(line, options.font_px) <= options.width_px for line in saying.lines)
    text = ("\n" if still else _BETWEEN_LANGUAGES).join(saying.lines)
    area = onbon.Area(
        number=0,
        x_px=0,
        y_px=0,
        width_px=options.width_px,
        height_px=options.height_px,
        text=onbon.text_bytes(text, _COLOURS[saying.mood]),
        motion=onbon.Motion.STATIC if still else onbon.Motion.LEFT,
        one_line=not still,
    )
    return onbon.show(area)


def width_px(line: str, font_px: int) -> int:
    """Give how wide the card draws a line: hanzi are square, ASCII half as wide."""
    return sum(font_px // 2 if character.isascii() else font_px for character in line)
