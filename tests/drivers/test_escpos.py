"""Golden bytes, worked out by hand from the Epson ESC/POS reference, and what must never reach a printer."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.printer.escpos import Feed, Item, Qr, TextLine, encode, qr_module_dots, raster, sanitise
from drivers.printer.fonts import find_faces
from drivers.printer.profiles import Profile

FACES = find_faces()


def profile(**changes: object) -> Profile:
    fields: dict[str, object] = {"name": "test", "width_dots": 384, **changes}
    return Profile(**fields)  # type: ignore[arg-type]  # the changes of a test


def made(items: Sequence[Item], **changes: object) -> bytes:
    return encode(items, profile(**changes), FACES)


def test_a_whole_small_ticket_is_these_bytes() -> None:
    items: list[Item] = [
        TextLine(text="请到3号窗口", width=2, height=2, bold=True),
        TextLine(text="A012", width=8, height=8),
        Feed(dots=16),
        TextLine(text="--", align="left"),
    ]
    assert made(items) == bytes.fromhex(
        "1b40"  # ESC @ initialise
        "1d6100"  # GS a 0 automatic status off
        "1c26"  # FS & Chinese mode
        "1b6101 1b4501 1d2111"  # centred, emphasised, 2 x 2
        "c7eb b5bd 33 bac5 b4b0 bfda 0a"  # 请 到 3 号 窗 口
        "1b6101 1b4500 1d2177"  # 8 x 8: (8-1)<<4 | (8-1)
        "41303132 0a"
        "1b4a10"  # ESC J 16
        "1b6100 1b4500 1d2100 2d2d 0a"
        "1d564200"  # GS V 66 0 feed to the cutter, cut
        "1d7201"  # GS r 1 the barrier
    )


def test_a_qr_symbol_is_these_bytes() -> None:
    assert made([Qr(payload="http://h/t/x", module_dots=6)], answers=False) == bytes.fromhex(
        "1b40 1d6100 1c26 1b6101"
        "1d286b 0400 3141 3200"  # model 2
        "1d286b 0300 3143 06"  # module of 6 dots
        "1d286b 0300 3145 31"  # level M
        "1d286b 0f00 315030 687474703a2f2f682f742f78"  # 12 + 3 bytes stored
        "1d286b 0300 315130"  # print
        "1d564200"
    )


def test_a_raster_is_these_bytes() -> None:
    picture = Image.new("L", (10, 2), 255)
    picture.putpixel((0, 0), 0)
    picture.putpixel((9, 1), 0)
    assert raster(picture) == bytes.fromhex("1d763000 0200 0200 8000 0040")


def test_rasters_are_sent_in_bands_of_at_most_256_rows() -> None:
    data = raster(Image.new("L", (8, 600), 0))
    heads = [match.start() for match in re.finditer(rb"\x1dv0\x00\x01\x00", data)]
    assert [int.from_bytes(data[at + 6 : at + 8], "little") for at in heads] == [256, 256, 88]


@pytest.mark.parametrize(
    ("charset", "text", "native"),
    [
        ("gbk", "取号：综合①→㎡“窗口”—·", "c8a1 bac5 a3ba d7db bacf a2d9 a1fa a94f a1b0 b4b0 bfda a1b1 a1aa a1a4"),
        ("gb2312", "㎡", None),
        ("gbk", "㛃", None),
        ("gbk", "𬭎", None),
        ("gb18030", "㛃𬭎", "8230b731 9933a932"),
        ("none", "A012", "41303132"),
        ("none", "号", None),
    ],
)
def test_a_line_is_characters_when_the_printer_has_them_all_and_a_picture_otherwise(
    charset: str, text: str, native: str | None
) -> None:
    data = made([TextLine(text=text)], charset=charset)
    if native is None:
        assert b"\x1dv0" in data
    else:
        assert bytes.fromhex(native) + b"\n" in data
        assert b"\x1dv0" not in data


def test_only_the_line_with_the_rare_character_becomes_a_picture() -> None:
    data = made([TextLine(text="综合"), TextLine(text="㛃"), TextLine(text="税务")])
    assert "综合".encode("gbk") in data
    assert "税务".encode("gbk") in data
    assert data.count(b"\x1dv0") == 1


def test_a_magnification_the_firmware_does_not_know_is_drawn() -> None:
    assert b"\x1dv0" in made([TextLine(text="A012", width=8, height=8)], max_scale=2)
    assert b"\x1dv0" not in made([TextLine(text="A012", width=2, height=2)], max_scale=2)


def test_a_printer_without_cutter_is_fed_to_the_tear_bar_and_a_silent_one_is_asked_nothing() -> None:
    assert made([], cut="none", answers=False) == bytes.fromhex("1b40 1d6100 1c26 1b6405")
    assert made([], cut="full").endswith(bytes.fromhex("1d564100 1d7201"))


def test_a_printer_without_chinese_is_not_put_into_chinese_mode() -> None:
    assert b"\x1c&" not in made([TextLine(text="A012")], charset="none")


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("张\x1b@三\x1dV\x00", "张@三 V"),
        ("a\nb\tc\r\nd", "a b c d"),
        ("\u202eevil\u200b\ufeff", "evil"),
        ("\x10\x04\x01税务\x7f\x85", "税务"),
        ("  空  格  ", "空 格"),
        ("x" * 500, "x" * 200),
    ],
)
def test_nothing_in_a_name_is_a_command(dirty: str, clean: str) -> None:
    assert sanitise(dirty) == clean


@given(st.text(max_size=60))
def test_text_bytes_hold_no_control_byte_whatever_the_name(name: str) -> None:
    data = made([TextLine(text=sanitise(name))], charset="gb18030", answers=False)
    if b"\x1dv0" in data:
        return
    body = data.removeprefix(bytes.fromhex("1b40 1d6100 1c26 1b6101 1b4500 1d2100")).removesuffix(b"\n\x1dVB\x00")
    assert not re.search(rb"[\x00-\x1f\x7f]", body)


def test_the_module_of_a_qr_symbol_grows_with_the_paper_and_never_below_what_phones_read() -> None:
    url = "http://192.168.1.10:8080/t/Yk3vUe0pQx9sT4bN7cZ1aw"
    assert qr_module_dots(url, 192) == 5
    assert qr_module_dots(url, 288) == 8
    assert qr_module_dots(url * 8, 100) == 3
