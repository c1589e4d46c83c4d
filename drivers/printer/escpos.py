r"""Lines of a ticket -> ESC/POS bytes, for Chinese printers. Pure but for the fonts of lines that must be drawn.

A line goes as characters when all of them are in the printer's charset, else as a raster picture: one rare character in
a name never spoils a ticket, and never becomes a question mark. Text comes clean: no byte of a name can be a command
(`sanitise`).

    ESC @        1b 40                 start from nothing
    GS a n       1d 61 n               0 no automatic status: the driver asks; 0e of off line, errors and paper, where
                                       the printer knows nothing else
    FS &         1c 26                 Chinese mode; bytes >= 81 are the first half of a character
    ESC a n      1b 61 n               0 left, 1 centred
    ESC E n      1b 45 n               emphasised
    GS ! n       1d 21 n               (width-1)<<4 | (height-1); scales Latin and Chinese alike, which ESC ! does not
    ESC J n      1b 4a n               feed n dots
    GS v 0       1d 76 30 00 xL xH yL yH   raster; x in bytes, most significant bit left, 1 is black; bands of at
                                       most 256 rows
    GS ( k       1d 28 6b ...          QR symbol: model 2, module size, level M, store, print
    GS V 66 0    1d 56 42 00           feed to the cutter and cut (partial); 65 is full
    ESC B n t    1b 42 n t             beep n times for t x 50 ms (boards with a buzzer)
    ESC p 0 t t  1b 70 00 32 32        pulse of 100 ms on the drawer's pin, where a buzzer is wired to it
    GS r 1       1d 72 01              paper status, queued: answered only after everything before it was
                                       printed and cut

Source: Epson ESC/POS command reference (https://download4.epson.biz/sec_pubs/pos/reference_en/escpos/); GS ! on Chinese
models and the band height from manuals of Chinese 58 and 80 mm printers. python-escpos packs pictures into raster bits
here; its text() is not used: it guesses the charset per call, never sends FS &, passes control characters through and
knows no gb2312 or gbk.
"""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, assert_never

import segno
from escpos.image import EscposImage
from PIL import Image, ImageOps

from drivers.printer.fonts import CELL_HEIGHT, Faces, columns_of, draw_line
from drivers.printer.profiles import Profile

Align: TypeAlias = Literal["left", "center"]

INIT = b"\x1b@"
ASB_OFF = b"\x1da\x00"
ASB_ON = b"\x1da\x0e"
CHINESE_MODE = b"\x1c&"
PAPER_BARRIER = b"\x1dr\x01"
RASTER = b"\x1dv0\x00"
CUT = b"\x1dVB\x00"
MAX_BAND_ROWS = 256
MAX_PICTURE_DOTS = 400
"""Height of a logo at most: 5 cm."""
MAX_TEXT = 200
"""Characters of one text that may reach a printer; a longer name is cut, not a metre of paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line that fits the paper. `width` and `height` are magnifications 1..8."""

    text: str
    width: int = 1
    height: int = 1
    align: Align = "center"
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """White space, in dots (8 dots are a millimetre)."""

    dots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Qr:
    """A QR symbol, centred; `modules_dots` is the size of one module."""

    payload: str
    module_dots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of black dots, centred; a wider one than the paper is made smaller."""

    png: bytes


Item: TypeAlias = TextLine | Feed | Qr | Picture


def sanitise(text: str) -> str:
    """Give the text without anything that is not a visible character; line ends and tabs become spaces."""
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    kept = (character for character in spaced if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})
    return "".join(kept)[:MAX_TEXT].strip()


def encode(items: Sequence[Item], profile: Profile, faces: Faces) -> bytes:
    """Give the whole ticket as one value: start, lines, cut, and the question that is answered only after the cut."""
    body = bytearray(INIT + (ASB_ON if profile.automatic else ASB_OFF))
    if profile.charset != "none":
        body += CHINESE_MODE
    style = b""
    for item in items:
        match item:
            case TextLine():
                piece, style = _text(item, profile, faces, style)
                body += piece
            case Feed(dots=dots):
                body += b"\x1bJ" + bytes([min(dots, 255)])
            case Qr():
                body += _ALIGN["center"] + _qr(item, profile)
                style = b""
            case Picture(png=png):
                body += _ALIGN["left"] + drawn(png, profile.width_dots)
                style = b""
            case _:
                assert_never(item)
    body += _cut(profile) + _BEEP[profile.beep]
    if profile.answers and not profile.automatic:
        body += PAPER_BARRIER
    return bytes(body)


_BEEP = {"none": b"", "buzzer": b"\x1bB\x02\x02", "drawer": b"\x1bp\x00\x32\x32"}
_ALIGN = {"left": b"\x1ba\x00", "center": b"\x1ba\x01"}


def _text(line: TextLine, profile: Profile, faces: Faces, style: bytes) -> tuple[bytes, bytes]:
    """Give the bytes of a line and the style the printer is left in; a style it is in already is not sent again."""
    native = _native(line, profile)
    if native is None:
        picture = draw_line(line.text, width=line.width, height=line.height, bold=line.bold, faces=faces)
        return _ALIGN["left"] + raster(_placed(picture, line.align, profile.width_dots)), b""
    size = (line.width - 1) << 4 | (line.height - 1)
    wanted = _ALIGN[line.align] + b"\x1bE" + bytes([line.bold]) + b"\x1d!" + bytes([size])
    return (b"" if wanted == style else wanted) + native + b"\n", wanted


def _native(line: TextLine, profile: Profile) -> bytes | None:
    """Give the line as characters of the printer, or None when it has to be drawn."""
    if max(line.width, line.height) > profile.max_scale:
        return None
    try:
        return line.text.encode("ascii" if profile.charset == "none" else profile.charset)
    except UnicodeEncodeError:
        return None


def _placed(picture: Image.Image, align: Align, width_dots: int) -> Image.Image:
    """Give the picture with its left margin drawn in (cheap boards align only text), and no margin at the right."""
    box = Image.eval(picture, lambda value: 255 - value).getbbox()
    right = min(box[2] if box else 1, width_dots)
    left = max(0, (width_dots - picture.width) // 2) if align == "center" else 0
    paper = Image.new("L", (min(left + right, width_dots), picture.height), 255)
    paper.paste(picture, (left, 0))
    return paper


@lru_cache(maxsize=8)
def drawn(png: bytes, width_dots: int) -> bytes:
    """Give the bands of a hall's logo, made once; nothing for what is no picture, which must not cost the ticket."""
    try:
        with Image.open(io.BytesIO(png)) as opened:
            grey = opened.convert("L")
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    if grey.width > width_dots:
        grey = ImageOps.contain(grey, (width_dots, MAX_PICTURE_DOTS), Image.Resampling.LANCZOS)
    dots = grey.crop((0, 0, grey.width, min(grey.height, MAX_PICTURE_DOTS))).convert("1").convert("L")
    return raster(_placed(dots, "center", width_dots))


def raster(picture: Image.Image) -> bytes:
    """Give a black and white picture as GS v 0 bands."""
    bands = bytearray()
    for top in range(0, picture.height, MAX_BAND_ROWS):
        band = EscposImage(picture.crop((0, top, picture.width, min(top + MAX_BAND_ROWS, picture.height))))
        size = band.width_bytes.to_bytes(2, "little") + band.height.to_bytes(2, "little")
        bands += RASTER + size + band.to_raster_format()
    return bytes(bands)


@lru_cache(maxsize=64)
def qr_modules(payload: str) -> int:
    """Give how many modules the symbol of a text has from side to side."""
    return len(segno.make_qr(payload, error="m", boost_error=False).matrix)


def qr_module_dots(payload: str, wanted_dots: int) -> int:
    """Give the module size (3..8 dots) that brings the symbol near the wanted width; below 3 phones give up."""
    return max(3, min(8, wanted_dots // qr_modules(payload)))


def _qr(item: Qr, profile: Profile) -> bytes:
    data = item.payload.encode("utf-8")
    if profile.qr == "raster":
        code = segno.make_qr(item.payload, error="m", boost_error=False)
        rows = [list(row) for row in code.matrix]
        picture = Image.new("L", (len(rows), len(rows)), 255)
        picture.putdata([0 if module else 255 for row in rows for module in row])
        side = len(rows) * item.module_dots
        return _ALIGN["left"] + raster(
            _placed(picture.resize((side, side), Image.Resampling.NEAREST), "center", profile.width_dots)
        )
    return b"".join(
        (
            b"\x1d(k\x04\x001A2\x00",
            b"\x1d(k\x03\x001C" + bytes([item.module_dots]),
            b"\x1d(k\x03\x001E1",
            b"\x1d(k" + (len(data) + 3).to_bytes(2, "little") + b"1P0" + data,
            b"\x1d(k\x03\x001Q0",
        )
    )


def _cut(profile: Profile) -> bytes:
    match profile.cut:
        case "partial":
            return CUT
        case "full":
            return b"\x1dVA\x00"
        case "none":
            return b"\x1bd\x05"  # to the tear bar
        case _:
            assert_never(profile.cut)


__all__ = [
    "CELL_HEIGHT",
    "Feed",
    "Item",
    "Picture",
    "Qr",
    "TextLine",
    "columns_of",
    "drawn",
    "encode",
    "qr_module_dots",
    "qr_modules",
    "raster",
    "sanitise",
]
