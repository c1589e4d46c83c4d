"""What stands on a ticket, as a visitor sees it on the virtual printer's paper, and its QR through a camera."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.jobs import PrintTicket
from drivers.printer.escpos import Feed, Qr, TextLine, columns_of, encode
from drivers.printer.fonts import find_faces
from drivers.printer.profiles import Profile, QrWay, profiles
from drivers.printer.ticket import lay_out
from drivers.virtual.paper import PaperReader, PrintedTicket

URL = "http://192.168.1.10:8080/t/Yk3vUe0pQx9sT4bN7cZ1aw"
TICKET = PrintTicket(
    hall_name={"zh": "谯城区政务服务中心", "en": "Qiaocheng Government Service Center"},
    ticket="20261121-A012",
    label="A012",
    service={"zh": "综合业务", "en": "General services"},
    zone={"zh": "综合专区", "en": "General zone"},
    floor={"zh": "二楼", "en": "2F"},
    windows=("3", "4", "5", "9"),
    ahead=4,
    eta_p50_s=600,
    eta_p80_s=1061,
    issued_at=datetime(2026, 11, 21, 10, 32, tzinfo=timezone(timedelta(hours=8))),
    priority=None,
    priority_name=None,
    track_url=URL,
    languages=("zh", "en"),
    advice={"zh": "请留意广播和屏幕。", "en": "Please watch the screens."},
    notice=None,
    reprint=False,
    drill=False,
)
PAPERS = ("generic-58-cutter", "generic-80")


def printed(ticket: PrintTicket, profile: Profile) -> PrintedTicket:
    reader = PaperReader(profile.width_dots, lambda n: None)
    data = encode(lay_out(ticket, profile), profile, find_faces())
    return (reader.feed(data, datetime(2026, 11, 21, tzinfo=UTC)) or reader.feed(b"\x1dV\x00", datetime.now(UTC)))[0]


@pytest.mark.parametrize("paper", PAPERS)
def test_a_ticket_says_everything_a_visitor_needs(paper: str) -> None:
    ticket = printed(TICKET, profiles()[paper])
    assert ticket.label == "A012"
    for said in (
        "谯城区政务服务中心",
        "综合业务",
        "General services",
        "办理窗口 3-5、9",
        "二楼 综合专区",
        "2F, General zone",
        "前面等候 4 人",
        "4 ahead of you",
        "约等 10-18 分钟",
        "About 10-18 min wait",
        "取号时间 2026-11-21 10:32",
    ):
        assert said in ticket.lines
    assert "补打" not in ticket.text
    assert "演练" not in ticket.text


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("qr", ["native", "raster"])
def test_a_phone_reads_the_symbol_on_the_paper(paper: str, qr: QrWay) -> None:
    ticket = printed(TICKET, replace(profiles()[paper], qr=qr))
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(ticket.png)))
    assert [code.text for code in found] == [URL]


def test_marks_are_there_when_they_must_be() -> None:
    profile = profiles()["generic-80"]
    assert "补打 REPRINT" in printed(replace(TICKET, reprint=True), profile).lines
    assert "演练 此票无效" in printed(replace(TICKET, drill=True), profile).lines
    green = replace(TICKET, priority="green", priority_name={"zh": "绿色通道", "en": "Green channel"})
    assert "优先：绿色通道" in printed(green, profile).lines
    assert "前面无人等候" in printed(replace(TICKET, ahead=0), profile).lines


def test_a_name_too_long_for_three_lines_says_that_it_goes_on() -> None:
    ticket = printed(replace(TICKET, service={"zh": "税" * 200}), profiles()["generic-58-cutter"])
    assert [line for line in ticket.lines if line.startswith("税")] == ["税" * 16, "税" * 16, "税" * 15 + "…"]


def test_an_unknown_wait_is_not_printed() -> None:
    assert "约等" not in printed(replace(TICKET, eta_p50_s=None, eta_p80_s=None), profiles()["generic-80"]).text


def test_one_language_is_not_printed_twice() -> None:
    lines = printed(replace(TICKET, languages=("zh",)), profiles()["generic-80"]).lines
    assert "General services" not in lines
    assert lines.count("综合业务") == 1


def test_without_an_address_there_is_no_symbol() -> None:
    items = lay_out(replace(TICKET, track_url=None), profiles()["generic-80"])
    assert not [item for item in items if isinstance(item, Qr)]


def test_the_number_is_as_large_as_the_paper_allows() -> None:
    def scale(label: str, paper: str) -> int:
        items = lay_out(replace(TICKET, label=label), profiles()[paper])
        return next(item.width for item in items if isinstance(item, TextLine) and item.text == label)

    assert (scale("A012", "generic-58"), scale("A012", "generic-80")) == (8, 8)
    assert (scale("A1000", "generic-58"), scale("A1000", "generic-80")) == (6, 8)


names = st.text(alphabet=st.sampled_from("税务综合（）、，。㛃𬭎ABC abc-12"), min_size=1, max_size=120)


@given(zh=names, en=names, windows=st.lists(st.integers(1, 99).map(str), max_size=40), paper=st.sampled_from(PAPERS))
def test_no_line_is_wider_than_the_paper_whatever_the_names(zh: str, en: str, windows: list[str], paper: str) -> None:
    profile = profiles()[paper]
    text = {"zh": zh, "en": en}
    ticket = replace(TICKET, hall_name=text, service=text, zone=text, advice=text, windows=tuple(windows))
    items = lay_out(ticket, profile)
    for item in items:
        if isinstance(item, TextLine):
            assert columns_of(item.text) * item.width <= profile.columns
            assert 1 <= item.width <= 8
        elif isinstance(item, Feed):
            assert item.dots <= 255
    assert len(items) < 60


def test_rare_characters_are_dots_on_the_paper_and_the_ticket_stays_readable() -> None:
    ticket = printed(replace(TICKET, service={"zh": "㛃𬭎䶮业务"}), profiles()["generic-80"])
    assert ticket.label == "A012"
    assert "?" not in ticket.text
    assert "\ufffd" not in ticket.text
