"""The logo of a hall as its ticket printers want it: black dots on white, no larger than the paper of every printer."""

import base64
import io
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from config.problems import Finding, quoted

WIDTH_DOTS, HEIGHT_DOTS = 384, 128
"""48 x 16 mm at the 8 dots of a millimetre that ticket printers have: all of 58 mm paper."""
FILE_BYTES_MAX = 5_000_000
_PATH = ("ticket", "logo")


def read_logo(file: Path, *, inside: Path | None = None) -> tuple[str, Finding | None]:
    """Give the picture as PNG of one bit in base64, or what is wrong with the file; outside `inside` there is none."""
    try:
        if inside is not None and not file.resolve().is_relative_to(inside.resolve()):
            raise FileNotFoundError(file)
        if file.stat().st_size > FILE_BYTES_MAX:
            name, limit = quoted(file.name), f"{FILE_BYTES_MAX // 1_000_000} MB"
            return "", _wrong(f"图片 {name} 太大，最多 {limit}。", f"{name} is too large: at most {limit}.")
        with Image.open(file) as picture:
            dots = _in_dots(picture)
    except FileNotFoundError:
        where = quoted(str(inside or file.parent))
        zh, en = f"在 {where} 里没有图片 {quoted(file.name)}。", f"There is no {quoted(file.name)} in {where}."
        return "", _wrong(zh, en)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError):
        zh = f"{quoted(file.name)} 不是能读的图片，请用 PNG 或 JPEG。"
        return "", _wrong(zh, f"{quoted(file.name)} is not a picture that can be read: take a PNG or JPEG.")
    if dots is None:
        return "", _wrong(f"图片 {quoted(file.name)} 全是白色。", f"{quoted(file.name)} is all white.")
    out = io.BytesIO()
    dots.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode(), None


def _in_dots(picture: Image.Image) -> Image.Image | None:
    """Give the picture without its margins, as large as fits, in black dots; None when there is nothing on it."""
    on_white = Image.new("RGBA", picture.size, "white")
    on_white.alpha_composite(picture.convert("RGBA"))
    grey = on_white.convert("L")
    box = ImageChops.invert(grey).point(lambda value: 255 if value > 16 else 0).getbbox()
    if box is None:
        return None
    fitted = ImageOps.contain(grey.crop(box), (WIDTH_DOTS, HEIGHT_DOTS), Image.Resampling.LANCZOS)
    darkest = min(next((value for value, count in enumerate(fitted.histogram()) if count), 0), 254)
    # the darkest becomes black, white stays white
    strong = fitted.point(lambda value: max(0, (value - darkest) * 255 // (255 - darkest)))
    return strong.convert("1", dither=Image.Dither.FLOYDSTEINBERG)


def _wrong(zh: str, en: str) -> Finding:
    return Finding(path=_PATH, code="logo", zh=zh, en=en, lone=True)
