"""Chinese characters as dots: for lines that a printer has no characters for, and for the paper of a virtual printer.

Cells are those of the printer: a Latin character takes 12x24 dots, a Chinese one 24x24, times the magnification.
Fonts are those of the Debian packages fonts-noto-cjk and fonts-wqy-microhei, of macOS and of Windows; a character that
is missing in one is taken from the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unicodedata import east_asian_width

from PIL import Image, ImageDraw, ImageFont

CELL_WIDTH, CELL_HEIGHT = 12, 24

_CANDIDATES: Sequence[tuple[str, int]] = (  # file and face; the monospaced faces have Latin letters of half a character
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 7),
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 7),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 7),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 1),
    ("/usr/share/fonts/wqy-microhei/wqy-microhei.ttc", 1),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 1),
    ("/System/Library/Fonts/PingFang.ttc", 0),
    ("/System/Library/Fonts/STHeiti Medium.ttc", 0),
    ("/System/Library/Fonts/Hiragino Sans GB.ttc", 0),
    ("C:/Windows/Fonts/simhei.ttf", 0),
    ("C:/Windows/Fonts/msyhbd.ttc", 0),
    ("C:/Windows/Fonts/simsun.ttc", 0),
)
_NOT_A_CHARACTER = "\U0010ffff"
_BLACK_FROM = 110  # of 255: keeps thin strokes of small characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Font files in the order they are asked for a character; empty when the machine has none."""

    files: tuple[tuple[str, int], ...]


@cache
def find_faces(own: str = "") -> Faces:
    """Give the fonts of this machine, the hall's own file first. Raises ValueError when that one cannot be read."""
    chosen: list[tuple[str, int]] = []
    if own:
        try:
            ImageFont.truetype(own, CELL_HEIGHT)
        except OSError as error:
            raise ValueError(f"{own!r} is not a font file that can be read") from error
        chosen.append((own, 0))
    chosen.extend((file, face) for file, face in _CANDIDATES if Path(file).exists())
    return Faces(files=tuple(chosen))


def columns_of(text: str) -> int:
    """Give the Latin cells the text takes: two for a wide character (ambiguous ones are wide in Chinese fonts)."""
    return sum(2 if is_wide(character) else 1 for character in text)


def is_wide(character: str) -> bool:
    """Say whether a character takes a full cell on a Chinese printer; all but ASCII of doubtful width do."""
    return not character.isascii() and east_asian_width(character) in "WFA"


def draw_line(text: str, *, width: int, height: int, bold: bool, faces: Faces) -> Image.Image:
    """Give one line as a picture of pure black (0) on white (255), `width` and `height` being magnifications."""
    picture = Image.new("L", (max(1, columns_of(text)) * CELL_WIDTH * width, CELL_HEIGHT * height), 255)
    left = 0
    for character in text:
        cell = CELL_WIDTH * width * (2 if is_wide(character) else 1)
        glyph = _glyph(character, width, height, bold, faces)
        if glyph is not None:
            picture.paste(glyph, (left, 0))
        left += cell
    return picture


@cache
def _glyph(character: str, width: int, height: int, bold: bool, faces: Faces) -> Image.Image | None:
    face = _face_for(character, faces) or (faces.files[0] if faces.files else None)
    if face is None or character == " ":
        return None
    cell = CELL_WIDTH * (2 if is_wide(character) else 1)
    scale = max(width, height)
    # drawn at the larger magnification, then squeezed: smooth where a printer would only repeat its dots
    font = _font(*face, int(CELL_HEIGHT * scale * 0.92))
    room = Image.new("L", (cell * scale, CELL_HEIGHT * scale), 255)
    pen = ImageDraw.Draw(room)
    left, _, right, _ = font.getbbox(character, anchor="ls")
    advance = max(font.getlength(character), right - left)
    if advance > cell * scale:  # a proportional letter too wide for its cell
        font = _font(*face, max(6, int(CELL_HEIGHT * scale * 0.92 * cell * scale / advance)))
    baseline = round(CELL_HEIGHT * scale * 0.84)
    start = (cell * scale - font.getlength(character)) / 2
    stroke = max(1, scale // 3) if bold and scale < 3 else 0
    pen.text((start, baseline), character, font=font, fill=0, anchor="ls", stroke_width=stroke / 2 if stroke else 0)
    squeezed = room.resize((cell * width, CELL_HEIGHT * height), Image.Resampling.LANCZOS) if width != height else room
    return squeezed.point(lambda value: 0 if value < 255 - _BLACK_FROM else 255)


@cache
def _face_for(character: str, faces: Faces) -> tuple[str, int] | None:
    for face in faces.files:
        font = _font(*face, CELL_HEIGHT)
        if bytes(font.getmask(character)) != bytes(font.getmask(_NOT_A_CHARACTER)):
            return face
    return None


@cache
def _font(file: str, face: int, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, pixels, index=face)
