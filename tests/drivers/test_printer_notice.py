"""What stands on the slip with missing papers, as a visitor sees it on the virtual printer's paper."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import zxingcpp
from PIL import Image

from drivers.jobs import PrintNotice
from drivers.printer.escpos import TextLine, columns_of, encode
from drivers.printer.fonts import find_faces
from drivers.printer.notice import lay_out
from drivers.printer.profiles import Profile, profiles
from drivers.virtual.paper import PaperReader, PrintedTicket

URL = "http://192.168.1.10:8080/t/Yk3vUe0pQx9sT4bN7cZ1aw"
NOTICE = PrintNotice(
    hall_name={"zh": "谯城区政务服务中心", "en": "Qiaocheng Government Service Center"},
    ticket="20261121-A012",
    label="A012",
    service={"zh": "企业设立登记", "en": "Business registration"},
    department="市场监督管理局",
    window="3",
    window_name={"zh": "3号窗口", "en": "Window 3"},
    items=("身份证复印件", "住所使用证明：租赁合同原件及出租方不动产权证书复印件"),
    note="复印件请签字。",
    away=True,
    given_at=datetime(2026, 11, 21, 10, 32, tzinfo=timezone(timedelta(hours=8))),
    track_url=URL,
    languages=("zh", "en"),
    drill=False,
)
PAPERS = ("generic-58-cutter", "generic-80")


def printed(notice: PrintNotice, profile: Profile) -> PrintedTicket:
    reader = PaperReader(profile.width_dots, lambda n: None)
    data = encode(lay_out(notice, profile), profile, find_faces())
    return (reader.feed(data, datetime(2026, 11, 21, tzinfo=UTC)) or reader.feed(b"\x1dV\x00", datetime.now(UTC)))[0]


@pytest.mark.parametrize("paper", PAPERS)
def test_a_slip_says_everything_that_is_missing_and_how_to_come_back(paper: str) -> None:
    slip = printed(NOTICE, profiles()[paper])
    assert slip.label == "A012"
    for said in (
        "谯城区政务服务中心",
        "一次告知单",
        "Papers still missing",
        "企业设立登记",
        "3号窗口",
        "部门：市场监督管理局",
        "还需补正以下 2 项材料",
        "□ 1 身份证复印件",
        "复印件请签字。",
        "今天回来可直接到原位置",
        "Back today? You keep your place.",
        "告知时间 2026-11-21 10:32",
    ):
        assert said in slip.lines
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(slip.png)))
    assert [code.text for code in found] == [URL]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("item", ["证" * 30, "a" * 60, "word " * 12])
def test_no_item_is_cut_off_however_long_and_many(paper: str, item: str) -> None:
    profile = profiles()[paper]
    items = lay_out(replace(NOTICE, items=(item,) * 20, note="说" * 200, languages=("zh",)), profile)
    lines = [line for line in items if isinstance(line, TextLine)]
    assert all(columns_of(line.text) * line.width <= profile.columns for line in lines)
    written = "".join(line.text for line in lines).replace(" ", "")
    assert written.count(item.replace(" ", "")) == 20
    assert "说" * 200 in written
    assert "…" not in written


def test_who_does_not_come_back_today_is_not_promised_a_place() -> None:
    slip = printed(replace(NOTICE, away=False), profiles()["generic-80"])
    assert "今天回来可直接到原位置" not in slip.text
    assert "材料备齐后再来办理。" in slip.lines


def test_a_drill_is_marked_and_nothing_empty_is_printed() -> None:
    bare = replace(NOTICE, drill=True, note="", department=None, track_url=None, languages=("zh",))
    slip = printed(bare, profiles()["generic-58-cutter"])
    assert "演练 此单无效" in slip.lines
    assert "部门" not in slip.text
    assert "扫码" not in slip.text
    assert slip.qr is None
