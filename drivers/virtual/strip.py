"""A line of pretend LED strips of one maker: takes the real frames, answers them, and lights its dots in a picture.

What their cards understand is in `cards.py`. The line can be told to misbehave, see `FAULTS`.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from drivers.led import dots
from drivers.printer.fonts import find_faces
from drivers.virtual.cards import PretendStrip, make_card, sample, width_px
from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.virtual.cards import Card, Command

FAULTS = ("unplug", "silent", "garbage", "nak", "slow", "stop_reading", "reset")
"""The line vanishes; strips say nothing; answers are damaged; every text is refused; 9600 baud and late answers; the
line takes no bytes; the connection is reset at every frame and the strips forget what they showed."""

DOT_PX = 6
_SLOW_BYTES_PER_S = 960
_SLOW_ANSWER_S = 0.3
_LIT = {1: (255, 59, 48), 2: (57, 235, 92), 3: (255, 196, 46)}
_DARK = (30, 30, 34)
_BACK = (17, 17, 19)


@dataclass(slots=True)
class StripLine:
    """The strips of one line. `options` are the driver's, as `cards.sample` gives them."""

    place: str
    windows: Mapping[int, str]
    on_change: Callable[[], None] = lambda: None
    width_px: int = 128
    height_px: int = 16
    driver: str = "onbon-bx5"
    options: object = None
    fault: str | None = field(init=False, default=None)
    strips: dict[int, PretendStrip] = field(init=False)
    line: VirtualLine = field(init=False)
    _card: Card = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Open the line with dark strips. Raises ValueError for a driver that is no strip."""
        self.strips = {
            address: PretendStrip(address=address, window=window) for address, window in self.windows.items()
        }
        options = self.options or sample(self.driver)[1]
        self._card = make_card(self.driver, options, network=self.place.startswith("tcp:"))
        self.line = VirtualLine(self.place, self._hear)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        self.line.suffer(fault, FAULTS)
        with self._lock:
            self.fault = fault
        self.line.slow(_SLOW_BYTES_PER_S if fault == "slow" else None)
        self.line.stop_reading(fault == "stop_reading")
        self.on_change()

    def lose_power(self) -> None:
        """Darken every strip, as after a power cut: what they showed is forgotten."""
        with self._lock:
            for strip in self.strips.values():
                strip.forget()
                strip.version += 1
        self.on_change()

    def text(self, window: str) -> str:
        """Give what the strip of this window shows, pages joined by a line feed."""
        with self._lock:
            return next(("\n".join(strip.pages) for strip in self.strips.values() if strip.window == window), "")

    def state(self) -> dict[str, object]:
        """Give the line for the devices page."""
        with self._lock:
            strips = [
                {
                    "address": strip.address,
                    "window": strip.window,
                    "pages": list(strip.pages),
                    "colour": {1: "red", 2: "green", 3: "yellow"}.get(strip.colour, "red"),
                    "moving": strip.moving,
                    "text_px": width_px(strip, 0, self.height_px),
                    "stay_s": strip.stay_s,
                    "on": strip.on,
                    "version": strip.version,
                }
                for strip in self.strips.values()
            ]
            return {
                "kind": "strip",
                "driver": self.driver,
                "url": self.url,
                "fault": self.fault,
                "faults": list(FAULTS),
                "width_px": self.width_px,
                "height_px": self.height_px,
                "strips": strips,
            }

    def png(self, address: int, page: int) -> bytes | None:
        """Give one page of a strip as a picture of its dots, or None when there is no such strip."""
        with self._lock:
            strip = self.strips.get(address)
            if strip is None:
                return None
            lit = self._lit(strip, page)
            colour, moving = strip.colour, strip.moving
        width = max(self.width_px, lit.width) if moving else self.width_px
        lit = lit if moving else lit.centred(width).cut(0, width)
        return _picture(lit, width, self.height_px, _LIT.get(colour, _LIT[1]))

    def close(self) -> None:
        """Put the line away."""
        self.line.close()

    def _lit(self, strip: PretendStrip, page: int) -> dots.Dots:
        if not strip.on or page >= len(strip.pages):
            return dots.Dots(rows=())
        if page < len(strip.pictures):
            return strip.pictures[page]
        return dots.draw(strip.pages[page], self.height_px, find_faces().files)

    def _hear(self, data: bytes) -> None:
        with self._lock:
            fault = self.fault
            commands = self._card.hear(data)
        for command in commands:
            if fault == "reset":
                self.lose_power()
                self.line.cut("reset")
                return
            if command.address is None:
                for each in self.strips.values():
                    self._obey(each, command)
                continue
            strip = self.strips.get(command.address)
            if strip is None:
                continue  # for another device on the line
            refused = fault == "nak" and command.shows
            self._answer(command, fault, ok=not refused and self._obey(strip, command))

    def _answer(self, command: Command, fault: str | None, *, ok: bool) -> None:
        reply = command.yes if ok else command.no
        if fault == "silent" or not reply:
            return
        if fault == "garbage":
            middle = len(reply) // 2
            reply = b"\xff\x00\xa5\x5a" + reply[:middle] + bytes([reply[middle] ^ 0x04]) + reply[middle + 1 :]
        if fault == "slow":
            timer = threading.Timer(_SLOW_ANSWER_S, self.line.send, [reply])
            timer.daemon = True
            timer.start()
            return
        self.line.send(reply)

    def _obey(self, strip: PretendStrip, command: Command) -> bool:
        """Do one command; False for one this card does not know."""
        with self._lock:
            before = (strip.pages, strip.pictures, strip.colour, strip.moving, strip.on)
            done = command.obey(strip)
            changed = before != (strip.pages, strip.pictures, strip.colour, strip.moving, strip.on)
            strip.version += changed
        if changed:
            self.on_change()
        return done


def _picture(lit: dots.Dots, width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Give a PNG where every dot of the strip is a disc: lit ones in colour, the others nearly dark."""
    picture = Image.new("RGB", (width * DOT_PX, height * DOT_PX), _BACK)
    on, off = _disc(colour), _disc(_DARK)
    for y in range(height):
        row = lit.rows[y] if y < len(lit.rows) else ""
        for x in range(width):
            picture.paste(on if row[x : x + 1] == "1" else off, (x * DOT_PX, y * DOT_PX))
    out = io.BytesIO()
    picture.quantize(32).save(out, "PNG")
    return out.getvalue()


@cache
def _disc(colour: tuple[int, int, int]) -> Image.Image:
    """Give one dot."""
    big = Image.new("RGB", (DOT_PX * 4, DOT_PX * 4), _BACK)
    ImageDraw.Draw(big).ellipse((0, 0, DOT_PX * 4 - 1, DOT_PX * 4 - 1), fill=colour)
    return big.resize((DOT_PX, DOT_PX), Image.Resampling.LANCZOS)
