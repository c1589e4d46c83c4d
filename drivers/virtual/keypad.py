"""A line of pretend "FF 68" call pads, each with a rating pad: keys pressed on the devices page become real frames.

A pad collects digits itself and sends them with the function key; it sends again when it hears no answer. It can be
told to misbehave, see `FAULTS`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.keypad import ff68
from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULTS = ("unplug", "deaf", "garbage", "bounce")
"""The line vanishes; pads hear nothing; noise and damaged frames around each key; each key is sent twice."""

KEYS: Mapping[str, ff68.Key] = MappingProxyType(
    {
        "call": ff68.Key.CALL_NEXT,
        "recall": ff68.Key.RECALL,
        "rating": ff68.Key.RATING,
        "cancel": ff68.Key.CANCEL,
        "ok": ff68.Key.OK,
        "one_metre": ff68.Key.ONE_METRE,
        "pause": ff68.Key.PAUSE,
        "transfer": ff68.Key.TRANSFER,
    }
)
"""Function keys by the names the devices page uses; "0".."9" are digits, "grade1".."grade5" the rating pad."""

ANSWER_WITHIN_S = 0.3
SENDINGS = 3
_NOISE = b"\x00\xff\x68\x30\x30\x12\xff\x68\x03\x03\x68\x01\x01\x0c\x00\x16"


@dataclass(slots=True, kw_only=True)
class PretendPad:
    """One address: its six display digits, what was typed, and what it heard."""

    address: int
    window: str
    cells: list[int] = field(default_factory=lambda: [0] * 6)
    typed: str = ""
    beeps: int = 0
    answered: bool = True
    rating_asked: bool = False
    stars: int = 0
    waiting_for: bytes = b""
    sendings: int = 0


class PadLine:
    """The pads of one line."""

    def __init__(self, place: str, windows: Mapping[int, str], on_change: Callable[[], None] = lambda: None) -> None:
        """Open the line with one pad per window."""
        self._on_change = on_change
        self._lock = threading.Lock()
        self._decoder = ff68.Decoder()
        self.fault: str | None = None
        self.pads = {address: PretendPad(address=address, window=window) for address, window in windows.items()}
        self.line = VirtualLine(place, self._hear)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        self.line.suffer(fault, FAULTS)
        with self._lock:
            self.fault = fault
        self._on_change()

    def press(self, window: str, key: str) -> None:
        """Press a key of the pad at this window. Raises KeyError for a window or key there is not."""
        pad = self._pad(window)
        with self._lock:
            if len(key) == 1 and key.isdigit():
                pad.typed = (pad.typed + key)[-ff68.MAX_DIGITS :]
                frame = b""
            elif key.startswith("grade"):
                grade = int(key.removeprefix("grade") or "0") if key.removeprefix("grade").isdigit() else 0
                if grade not in ff68.RATINGS:
                    raise KeyError(key)
                pad.rating_asked = False
                frame = ff68.rating_press(pad.address, grade)
            else:
                frame = ff68.key_press(pad.address, KEYS[key], pad.typed)
                pad.typed = ""
            if frame:
                pad.waiting_for, pad.answered, pad.sendings = frame, False, 0
        if frame:
            self._send(pad, frame)
        self._on_change()

    def display(self, window: str) -> str:
        """Give the six digits of the pad at this window: three for how many wait, three for the ticket."""
        with self._lock:
            return "".join(str(cell) for cell in self._pad(window).cells)

    def beeps(self, window: str) -> int:
        """Give how often the pad at this window has beeped."""
        with self._lock:
            return self._pad(window).beeps

    def state(self) -> dict[str, object]:
        """Give the line for the devices page."""
        with self._lock:
            pads = [
                {
                    "address": pad.address,
                    "window": pad.window,
                    "display": "".join(str(cell) for cell in pad.cells),
                    "typed": pad.typed,
                    "beeps": pad.beeps,
                    "answered": pad.answered,
                    "rating_asked": pad.rating_asked,
                    "stars": pad.stars,
                }
                for pad in self.pads.values()
            ]
            return {"kind": "keypad", "url": self.url, "fault": self.fault, "faults": list(FAULTS), "pads": pads}

    def close(self) -> None:
        """Put the line away."""
        self.line.close()

    def _pad(self, window: str) -> PretendPad:
        for pad in self.pads.values():
            if pad.window == window:
                return pad
        raise KeyError(window)

    def _send(self, pad: PretendPad, frame: bytes) -> None:
        with self._lock:
            if pad.answered or pad.waiting_for != frame or pad.sendings >= SENDINGS:
                return
            pad.sendings += 1
            fault = self.fault
        data = {"garbage": _NOISE + frame + b"\x16\x16", "bounce": frame * 2}.get(fault or "", frame)
        self.line.send(data)
        again = threading.Timer(ANSWER_WITHIN_S, self._send, [pad, frame])
        again.daemon = True
        again.start()

    def _hear(self, data: bytes) -> None:
        with self._lock:
            if self.fault == "deaf":
                return
            frames = self._decoder.feed(data)
            for frame in frames:
                pad = self.pads.get(frame.address)
                if pad is not None:
                    _obey(pad, frame)
        if frames:
            self._on_change()


def _obey(pad: PretendPad, frame: ff68.Frame) -> None:
    raw = ff68.encode(frame.address, frame.command, frame.data)
    sent = ff68.Decoder().feed(pad.waiting_for)
    match frame.command, len(frame.data):
        case (0x01, 1) if frame.data[0] == ff68.Key.RATING and (pad.answered or raw != pad.waiting_for):
            pad.rating_asked = True
        case (0x01, _) if sent and raw == ff68.acknowledge(sent[0]):
            pad.answered = True
        case (0x02, 6):
            pad.cells = [old if new == ff68.BLANK else new for old, new in zip(pad.cells, frame.data, strict=True)]
        case (0x02, 1):
            pad.stars = frame.data[0]
        case (0x03, 0):
            pad.beeps += 1
        case _:
            pass
