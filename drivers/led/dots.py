"""Text as dots, for strips that have no Chinese characters of their own.

A hanzi takes a square as high as the line, ASCII half of it. Dots are on or off, never grey; the clearest fonts at 16
dots are bitmap-like ones (wqy-microhei), so that one is asked first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from drivers.led.text import columns

Face: TypeAlias = tuple[str, int]
"""A font file and the number of the face in it."""

MIN_HANZI_PX = 11
"""Below this nobody can tell one hanzi from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """A picture of dots: one text of "0" and "1" per row, all of the same length."""

    rows: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns of dots."""
        return len(self.rows[0]) if self.rows else 0

    def cut(self, start: int, end: int) -> Dots:
        """Give the columns from `start` to before `end`."""
        return Dots(rows=tuple(row[start:end] for row in self.rows))

    def centred(self, width: int) -> Dots:
        """Give the same with dark columns on both sides, where it is narrower than `width`."""
        spare = max(0, width - self.width)
        left = spare // 2
        return Dots(rows=tuple("0" * left + row + "0" * (spare - left) for row in self.rows))


def draw(text: str, height_px: int, faces: tuple[Face, ...]) -> Dots:
    """Give one line of text as dots. Without a face only ASCII can be read."""
    cell = height_px
    picture = Image.new("1", (max(1, columns(text) * cell // 2), height_px))
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"
    x = 0
    for character in text:
        wide = columns(character) * cell // 2
        if character.isascii():  # letters stand on one baseline
            at, anchor, size = (x + wide // 2, round(height_px * 0.81)), "ms", round(height_px * 0.875)
        else:
            at, anchor, size = (x + wide // 2, height_px // 2), "mm", height_px - 1
        pen.text(at, character, fill=1, font=_font(size, faces), anchor=anchor)
        x += wide
    rows = (
        "".join("1" if picture.getpixel((x, y)) else "0" for x in range(picture.width)) for y in range(picture.height)
    )
    return Dots(rows=tuple(rows))


@cache
def _font(size_px: int, faces: tuple[Face, ...]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    chosen = sorted(faces, key=lambda face: "wqy" not in face[0])
    return ImageFont.truetype(chosen[0][0], size_px, index=chosen[0][1]) if chosen else ImageFont.load_default(size_px)
