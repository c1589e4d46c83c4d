"""A line of pretend Onbon strips: takes the real frames, acknowledges them, and lights its dots in a picture.

It can be told to misbehave, see `FAULTS`.
"""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from drivers.led import onbon
from drivers.printer.fonts import find_faces
from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULTS = ("unplug", "silent", "garbage", "nak", "slow")
"""The line vanishes; strips say nothing; answers are damaged; every text is refused; 9600 baud and late answers."""

DOT_PX = 6
CELL_PX = 16
_SLOW_BYTES_PER_S = 960
_LIT = {1: (255, 59, 48), 2: (57, 235, 92), 3: (255, 196, 46)}
_DARK = (30, 30, 34)
_BACK = (17, 17, 19)
_COLOUR_COMMAND = re.compile(r"\\C(\d)")
_OTHER_COMMAND = re.compile(r"\\FO\d{3}")


@dataclass(slots=True, kw_only=True)
class PretendStrip:
    """One address: what its card has been told."""

    address: int
    window: str
    pages: tuple[str, ...] = ()
    colour: int = 1
    moving: bool = False
    stay_s: float = 3.0
    on: bool = True
    brightness: int = 16
    version: int = 0
    clock: bytes = b""


@dataclass(slots=True)
class StripLine:
    """The strips of one line."""

    place: str
    windows: Mapping[int, str]
    on_change: Callable[[], None] = lambda: None
    width_px: int = 128
    height_px: int = 16
    fault: str | None = field(init=False, default=None)
    strips: dict[int, PretendStrip] = field(init=False)
    line: VirtualLine = field(init=False)
    _decoder: onbon.Decoder = field(init=False, default_factory=onbon.Decoder)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Open the line with dark strips."""
        self.strips = {
            address: PretendStrip(address=address, window=window) for address, window in self.windows.items()
        }
        self.line = VirtualLine(self.place, self._hear)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"a strip line knows {', '.join(FAULTS)}, not {fault!r}")
        with self._lock:
            self.fault = fault
        self.line.slow(_SLOW_BYTES_PER_S if fault == "slow" else None)
        if fault == "unplug":
            self.line.unplug()
        else:
            self.line.replug()
        self.on_change()

    def lose_power(self) -> None:
        """Darken every strip, as after a power cut: what they showed is forgotten."""
        with self._lock:
            for strip in self.strips.values():
                strip.pages = ()
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
                    "stay_s": strip.stay_s,
                    "on": strip.on,
                    "version": strip.version,
                }
                for strip in self.strips.values()
            ]
            return {
                "kind": "strip",
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
            text = strip.pages[page] if strip.on and page < len(strip.pages) else ""
            colour, moving = strip.colour, strip.moving
        return _dots(text, self.width_px, self.height_px, _LIT.get(colour, _LIT[1]), moving=moving)

    def close(self) -> None:
        """Put the line away."""
        self.line.close()

    def _hear(self, data: bytes) -> None:
        with self._lock:
            fault = self.fault
            frames = self._decoder.feed(data)
        for frame in frames:
            if frame.dst == onbon.BROADCAST:
                for each in self.strips.values():
                    self._obey(each, frame)
                continue
            strip = self.strips.get(frame.dst)
            if strip is None:
                continue  # for another device on the line
            refused = fault == "nak" and frame.command == (0xA3, 0x06)
            ok = not refused and self._obey(strip, frame)
            self._answer(strip.address, fault, ok=ok)

    def _answer(self, address: int, fault: str | None, *, ok: bool) -> None:
        if fault == "silent":
            return
        reply = onbon.encode(
            bytes([0xA0, 0x00, 0x00, 0x00, 0x00] if ok else [0xA0, 0x01, 0x02, 0x00, 0x00]), dst=onbon.PC, src=address
        )
        if fault == "garbage":
            reply = b"\xff\x00\xa5\x5a" + reply[:-4] + b"\x00\x00" + reply[-2:]
        if fault == "slow":
            timer = threading.Timer(0.3, self.line.send, [reply])
            timer.daemon = True
            timer.start()
            return
        self.line.send(reply)

    def _obey(self, strip: PretendStrip, frame: onbon.Frame) -> bool:
        """Do one command; False for one this card does not know."""
        with self._lock:
            done = _obey(strip, frame)
            if done and frame.command != (0xA2, 0x00):
                strip.version += 1
        if done and frame.command != (0xA2, 0x00):
            self.on_change()
        return done


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
            return _show(strip, frame)
        case _:
            return False


def _show(strip: PretendStrip, frame: onbon.Frame) -> bool:
    areas = onbon.read_areas(frame)
    if areas is None:
        return False
    if not areas:
        strip.pages = ()
        return True
    area = areas[0]
    text = area.text.decode("gbk", errors="replace")
    colour = _COLOUR_COMMAND.search(text)
    strip.colour = int(colour[1]) if colour else 1
    text = _OTHER_COMMAND.sub("", _COLOUR_COMMAND.sub("", text))
    strip.pages = tuple(text.split("\\n"))
    strip.moving = area.motion in {onbon.Motion.LEFT, onbon.Motion.RIGHT}
    strip.stay_s = area.stay_s
    return True


def _dots(text: str, width_px: int, height_px: int, lit: tuple[int, int, int], *, moving: bool) -> bytes:
    """Give a PNG where every dot of the strip is a disc: lit ones in colour, the others nearly dark."""
    cells = sum(CELL_PX // 2 if character.isascii() else CELL_PX for character in text)
    matrix = Image.new("1", (max(width_px, cells) if moving else width_px, height_px))
    draw = ImageDraw.Draw(matrix)
    draw.fontmode = "1"  # no grey: a dot is lit or dark
    x = 0 if moving else max(0, (width_px - cells) // 2)
    for character in text:
        wide = CELL_PX // 2 if character.isascii() else CELL_PX
        if wide == CELL_PX:
            draw.text((x + wide // 2, height_px // 2), character, fill=1, font=_font(CELL_PX - 1), anchor="mm")
        else:  # letters stand on one baseline
            draw.text((x + wide // 2, height_px // 2 + 5), character, fill=1, font=_font(CELL_PX - 2), anchor="ms")
        x += wide
    picture = Image.new("RGB", (matrix.width * DOT_PX, matrix.height * DOT_PX), _BACK)
    on, off = _disc(lit), _disc(_DARK)
    for y in range(matrix.height):
        for x in range(matrix.width):
            picture.paste(on if matrix.getpixel((x, y)) else off, (x * DOT_PX, y * DOT_PX))
    out = io.BytesIO()
    picture.quantize(32).save(out, "PNG")
    return out.getvalue()


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give a Chinese font of this machine (the Micro Hei is the clearest at 16 dots), or a Latin one where none is."""
    files = sorted(find_faces().files, key=lambda face: "wqy" not in face[0])
    return ImageFont.truetype(files[0][0], size_px, index=files[0][1]) if files else ImageFont.load_default(size_px)


def _disc(colour: tuple[int, int, int]) -> Image.Image:
    """Give one dot."""
    big = Image.new("RGB", (DOT_PX * 4, DOT_PX * 4), _BACK)
    ImageDraw.Draw(big).ellipse((0, 0, DOT_PX * 4 - 1, DOT_PX * 4 - 1), fill=colour)
    return big.resize((DOT_PX, DOT_PX), Image.Resampling.LANCZOS)
