"""The state driver of "FF 68" call pads and rating pads on one line: keys become window commands, pictures digits.

| key | means |
|---|---|
| call next (呼叫) | finish whoever is at the window and call the next |
| recall (重呼) | call the same ticket again |
| OK (确认) | the visitor is here: start |
| 6 OK / 0 OK / 3 OK | no-show (弃号) / hold (挂起) / resume what is held (回呼) |
| 4 OK | missed (过号): may come back; our own addition, the maker leaves 4 free |
| number + transfer (转移) | transfer to the window with that number |
| pause (暂停) | pause, resume, or open a closed window |
| rating (评价) | finish and ask the visitor for a grade |
| cancel (取消) | forget the digits |

One beep: the hall did it. Three beeps: the hall said no, or the key means nothing here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from drivers.faults import Health
from drivers.jobs import Press, Rating, WindowStatus
from drivers.keypad import ff68

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

BOUNCE_S = 0.8
"""The same frame again within this time is a worn key or a pad that missed our answer: answered, not counted.

Counted from the last such frame or from our answer, whichever was later: a pad repeats itself every 0.3 s until it has
heard us. As long as a second press counts as a slip of the finger on the clerk's page.
"""
GAP_S = 0.03
BEEP_GAP_S = 0.25
REFUSAL_BEEPS = 3
REPAINT_EVERY_S = 60.0
QUIET_S = 0.2
"""No frame pauses this long in the middle: what is left in the decoder is noise."""
ECHO_S = 0.2
"""Some RS-485 adapters hear themselves; a pad sends again after 0.3 s at the earliest."""
MAX_ANSWERS = 32

_CODES = MappingProxyType({"6": "no-show", "0": "hold", "3": "resume-held", "4": "missed", "": "start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PadOptions:
    """Driver "ff68" has no options."""


@dataclass(slots=True, kw_only=True)
class _Pad:
    """One address of the line."""

    window: str
    picture: WindowPicture | None = None
    ticket_cells: bytes = b""
    waiting_cells: bytes = b""
    painted_s: float = 0.0
    beeps: int = 0
    next_beep_s: float = 0.0
    pressed: bool = False  # a press is on its way to the hall
    last_frame: bytes = b""
    last_s: float = 0.0
    answered_s: float = 0.0
    said: bytes = b""  # the last answer that went out
    said_s: float = 0.0


@dataclass(slots=True)
class FF68Pads:
    """All pads of one line. See `drivers.driver.StateDriver`."""

    windows: dict[int, str]
    _pads: dict[int, _Pad] = field(init=False)
    _decoder: ff68.Decoder = field(init=False, default_factory=ff68.Decoder)
    _answers: deque[bytes] = field(init=False, default_factory=lambda: deque(maxlen=MAX_ANSWERS))
    _heard_s: float = field(init=False, default=0.0)
    _quiet_until_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Make one pad per address."""
        self._pads = {address: _Pad(window=window) for address, window in sorted(self.windows.items())}

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: displays are painted again, old answers and beeps forgotten."""
        self._decoder = ff68.Decoder()
        self._answers.clear()
        self._quiet_until_s = now_s
        for pad in self._pads.values():
            pad.ticket_cells = pad.waiting_cells = b""
            pad.beeps = 0
            pad.pressed = False

    def show(self, picture: WindowPicture) -> None:
        """Keep the newest picture; a change after a press is the hall's yes, told by one beep."""
        for pad in self._pads.values():
            if pad.window != picture.window:
                continue
            if pad.pressed and pad.picture is not None and _deed(picture) != _deed(pad.picture):
                pad.pressed = False
                pad.beeps = 1
            pad.picture = picture

    def due(self, now_s: float) -> bytes:
        """Give the next frame: answers first (a pad waits for them), then beeps, then displays."""
        if now_s < self._quiet_until_s:
            return b""
        frame = self._answer(now_s) or self._beep(now_s) or self._display(now_s)
        if frame:
            self._quiet_until_s = now_s + GAP_S
        return frame

    def feed(self, data: bytes, now_s: float) -> Sequence[Press | Rating]:
        """Answer every right frame and give what was pressed, each press once."""
        presses: list[Press | Rating] = []
        frames = self._decoder.quiet() if now_s - self._heard_s >= QUIET_S else []
        self._heard_s = now_s
        for frame in [*frames, *self._decoder.feed(data)]:
            pad = self._pads.get(frame.address)
            what = ff68.read_press(frame)
            if pad is None or what is None:
                continue
            raw = ff68.encode(frame.address, frame.command, frame.data)
            if raw == pad.said and now_s - pad.said_s < ECHO_S:
                pad.said = b""
                continue  # our own answer, heard back: to answer it would go on for ever
            self._answers.append(ff68.acknowledge(frame))
            bounced = raw == pad.last_frame and now_s - max(pad.last_s, pad.answered_s) < BOUNCE_S
            pad.last_frame, pad.last_s = raw, now_s
            if not bounced:
                presses.extend(self._understand(pad, what))
        return presses

    def refused(self, place: str, code: str) -> None:  # noqa: ARG002
        """Beep three times at this window."""
        for pad in self._pads.values():
            if pad.window == place:
                pad.pressed = False
                pad.beeps = REFUSAL_BEEPS

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give ok: pads speak only when pressed, so a silent one cannot be told from an idle one."""
        return Health()

    def _understand(self, pad: _Pad, what: ff68.KeyPress | ff68.Grade) -> list[Press | Rating]:
        if isinstance(what, ff68.Grade):
            return [Rating(window=pad.window, grade=what.grade)]
        press = command_of(what, pad.window, pad.picture)
        if what.key is ff68.Key.RATING:
            self._answers.append(ff68.start_rating(what.address))
        elif press is None and what.key is not ff68.Key.CANCEL:
            pad.beeps = REFUSAL_BEEPS
        if press is None:
            return []
        pad.pressed = True
        return [press]

    def _answer(self, now_s: float) -> bytes:
        if not self._answers:
            return b""
        answer = self._answers.popleft()
        pad = self._pads[answer[5]]
        pad.said, pad.said_s, pad.answered_s = answer, now_s, now_s
        return answer

    def _beep(self, now_s: float) -> bytes:
        for address, pad in self._pads.items():
            if pad.beeps and now_s >= pad.next_beep_s:
                pad.beeps -= 1
                pad.next_beep_s = now_s + BEEP_GAP_S
                return ff68.beep(address)
        return b""

    def _display(self, now_s: float) -> bytes:
        for address, pad in self._pads.items():
            if pad.picture is None:
                continue
            if now_s - pad.painted_s >= REPAINT_EVERY_S:
                pad.ticket_cells = pad.waiting_cells = b""
            ticket = ff68.show_ticket(address, _number(pad.picture.label))
            if ticket != pad.ticket_cells:
                pad.ticket_cells, pad.painted_s = ticket, now_s
                return ticket
            waiting = ff68.show_waiting(address, pad.picture.waiting)
            if waiting != pad.waiting_cells:
                pad.waiting_cells, pad.painted_s = waiting, now_s
                return waiting
        return b""


def make(wiring: Wiring[PadOptions]) -> FF68Pads:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return FF68Pads(dict(wiring.windows))


def command_of(what: ff68.KeyPress, window: str, picture: WindowPicture | None) -> Press | None:
    """Give the window command of a key, or None when it means nothing here."""
    match what.key:
        case ff68.Key.CALL_NEXT:
            return Press(window=window, command="call-next", body={"finish": True})
        case ff68.Key.RECALL:
            return Press(window=window, command="recall")
        case ff68.Key.OK:
            command = _CODES.get(what.digits)
            return Press(window=window, command=command) if command else None
        case ff68.Key.TRANSFER:
            target = what.digits.lstrip("0")
            return Press(window=window, command="transfer", body={"window": target}) if target else None
        case ff68.Key.PAUSE:
            return _pause(window, picture.status if picture else WindowStatus.OPEN)
        case ff68.Key.RATING:
            return Press(window=window, command="finish") if picture and picture.label else None
        case ff68.Key.CANCEL | ff68.Key.ONE_METRE:
            return None
        case _:
            assert_never(what.key)


def _pause(window: str, status: WindowStatus) -> Press:
    match status:
        case WindowStatus.CLOSED:
            return Press(window=window, command="open")
        case WindowStatus.PAUSED:
            return Press(window=window, command="resume")
        case WindowStatus.OPEN | WindowStatus.CALLING | WindowStatus.SERVING:
            return Press(window=window, command="pause", body={"reason": "other"})
        case _:
            assert_never(status)


def _deed(picture: WindowPicture) -> tuple[object, ...]:
    """Give what a key press can change; how many wait changes by itself."""
    return (picture.status, picture.ticket, picture.call_count, picture.held, picture.missed)


def _number(label: str | None) -> int:
    digits = "".join(character for character in label or "" if character.isdigit())
    return int(digits or "0")
