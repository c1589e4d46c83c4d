"""The logo of a hall file: read with the file, made into black dots, and every way in which it can be wrong."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from config import check, load_hall
from config.logo import FILE_BYTES_MAX, HEIGHT_DOTS, WIDTH_DOTS
from server.plan import plan_of
from tests.config.test_check import GOOD


def hall_with(tmp_path: Path, ticket: str) -> Path:
    path = tmp_path / "hall.toml"
    path.write_text(GOOD.replace("[ticket]\n", f"[ticket]\n{ticket}\n"), "utf-8")
    return path


def dots_of(path: Path) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(plan_of(load_hall(path)).ticket_logo)))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("size", "paper"),
    [((1200, 300), (384, 96)), ((300, 300), (128, 128)), ((40, 20), (256, 128)), ((20, 600), (4, 128))],
)
def test_a_logo_is_black_dots_that_fit_every_paper(
    tmp_path: Path, size: tuple[int, int], paper: tuple[int, int]
) -> None:
    with_margins = Image.new("RGBA", (size[0] + 200, size[1] + 80), (255, 255, 255, 0))
    with_margins.paste((0, 0, 0, 255), (100, 40, 100 + size[0], 40 + size[1]))
    with_margins.save(tmp_path / "logo.png")
    dots = dots_of(hall_with(tmp_path, 'logo = "logo.png"'))
    assert (dots.mode, dots.size) == ("1", paper)
    assert dots.width <= WIDTH_DOTS
    assert dots.height <= HEIGHT_DOTS
    assert dots.convert("L").getextrema() == (0, 0)


def test_a_grey_becomes_a_mixture_of_dots(tmp_path: Path) -> None:
    picture = Image.new("L", (200, 100), 128)
    picture.paste(0, (0, 0, 20, 100))
    picture.paste(250, (180, 0, 200, 100))
    picture.save(tmp_path / "logo.jpg", quality=95)
    dots = dots_of(hall_with(tmp_path, 'logo = "logo.jpg"')).convert("L")
    grey = dots.crop((40, 20, 200, 100)).histogram()
    assert 0.3 < grey[0] / (grey[0] + grey[255]) < 0.7


def test_a_logo_that_cannot_be_printed_is_told_with_its_line(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "white").save(tmp_path / "white.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "huge.png").write_bytes(bytes(FILE_BYTES_MAX + 1))
    for name, words in (
        ("missing.png", "There is no"),
        ("text.png", "not a picture"),
        ("huge.png", "at most 5 MB"),
        ("white.png", "all white"),
        (".", "not a picture"),
    ):
        path = hall_with(tmp_path, f'logo = "{name}"')
        (problem,) = check([path])
        assert (problem.code, problem.path) == ("logo", "ticket.logo")
        assert path.read_text("utf-8").split("\n")[problem.line - 1] == f'logo = "{name}"'
        assert words in problem.en
        assert problem.zh


def test_the_fields_of_a_ticket_keep_their_order_and_hold_the_number(tmp_path: Path) -> None:
    good = hall_with(tmp_path, 'fields = ["number", "service", "waiting", "qr"]')
    assert plan_of(load_hall(good)).ticket_fields == ("number", "service", "waiting", "qr")
    assert plan_of(load_hall(hall_with(tmp_path, ""))).ticket_fields == ()
    for fields, code in (
        ('["service"]', "number_missing"),
        ("[]", "number_missing"),
        ('["number", "number"]', "named_twice"),
        ('["number", "numbr"]', "not_among"),
    ):
        assert code in [problem.code for problem in check([hall_with(tmp_path, f"fields = {fields}")])]
