"""What stands on a ticket, as a visitor sees it on the virtual printer's paper, and its QR through a camera."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.jobs import PrintTicket, Stop
from drivers.printer.escpos import Feed, Qr, TextLine, columns_of, encode
from drivers.printer.fonts import find_faces
from drivers.printer.profiles import Profile, QrWay, profiles
from drivers.printer.ticket import FIELDS, lay_out, wrap
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
    eta_low_s=600,
    eta_high_s=1061,
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
STOPS = (
    Stop(
        name={"zh": "不动产登记", "en": "Real estate"},
        zone={"zh": "不动产专区", "en": "Real estate"},
        floor={"zh": "三楼", "en": "3F"},
        done=True,
    ),
    Stop(name={"zh": "交易税", "en": "Tax"}, zone={"zh": "税务专区", "en": "Tax"}, floor=None, done=False),
)


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


@pytest.mark.parametrize(
    ("low_min", "high_min", "said", "also"),
    [
        (8, 14.2, "约等 8-15 分钟", "About 8-15 min wait"),
        (24, 41, "约等 20-45 分钟", "About 20-45 min wait"),
        (4, 4, "约等 4 分钟", "About 4 min wait"),
        (0.9, 7, "约等 7 分钟以内", "Within 7 min"),
        (130, 200, "约等 120 分钟以上", "More than 120 min wait"),
        (77, 210, "约等 75 分钟以上", "More than 75 min wait"),
        (12, 210, "等候时间暂无法预计", "Wait not known yet"),
        (None, None, "等候时间暂无法预计", "Wait not known yet"),
    ],
)
def test_the_wait_on_paper_is_the_honest_range(
    low_min: float | None, high_min: float | None, said: str, also: str
) -> None:
    ticket = replace(
        TICKET,
        eta_low_s=None if low_min is None else low_min * 60,
        eta_high_s=None if high_min is None else high_min * 60,
    )
    lines = printed(ticket, profiles()["generic-80"]).lines
    assert said in lines
    assert also in lines


def test_nothing_is_said_of_a_wait_where_a_window_is_free() -> None:
    assert "约等" not in printed(replace(TICKET, ahead=0, eta_low_s=0, eta_high_s=0), profiles()["generic-80"]).text


def test_an_offline_number_says_so_and_nothing_of_who_waits() -> None:
    text = printed(replace(TICKET, offline=True, ahead=0), profiles()["generic-80"]).text
    assert "离线号 按取号时间排队" in text
    assert "Offline number" in text
    assert "前面" not in text
    assert "分钟" not in text


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


@pytest.mark.parametrize("paper", PAPERS)
def test_a_joint_matter_has_a_list_to_tick_off(paper: str) -> None:
    ticket = printed(replace(TICKET, stops=STOPS, lead_window="304"), profiles()[paper])
    start = ticket.lines.index("一号联办 共 2 项")
    assert [line.strip() for line in ticket.lines[start : start + 12]] == [
        "一号联办 共 2 项",
        "2 stops, one number",
        "一个号办完全部，请依次办理",
        "Keep this number for all of them",
        "√ 1 不动产登记",
        "三楼 不动产专区",
        "Real estate, 3F",
        "□ 2 交易税",
        "税务专区",
        "Tax",
        "首办窗口 304",
        "First contact: window 304",
    ]
    assert "首办窗口" not in printed(replace(TICKET, stops=STOPS), profiles()[paper]).text
    assert "联办" not in printed(TICKET, profiles()[paper]).text


def test_a_stop_is_written_at_double_height_with_its_box_at_the_left() -> None:
    profile = profiles()["generic-80"]
    data = encode(lay_out(replace(TICKET, stops=STOPS[1:], languages=("zh",)), profile), profile, find_faces())
    # ESC a 0, ESC E 1, GS ! 01, then GB18030: □ A1F5, 交 BDBB 易 D2D7 税 CBB0; the place follows in normal size.
    line = b"\x1ba\x00\x1bE\x01\x1d!\x01" + bytes.fromhex("a1f5 20 31 20 bdbb d2d7 cbb0") + b"\n"
    place = b"\x1bE\x00\x1d!\x00" + b"     " + bytes.fromhex("cbb0 cef1 d7a8 c7f8") + b"\n"
    assert line in data
    assert place in data[data.index(line) :]


def test_what_is_special_about_a_service_is_said_once() -> None:
    profile = profiles()["generic-80"]
    special = replace(
        TICKET,
        flags=("fee", "immediate", "cross_province", "one_thing"),
        kind="pickup",
        tenant={"zh": "临翔区中心", "en": "Linxiang"},
        department="民政、残联",
        takes_in_only=True,
        priority="appointment",
        priority_name={"zh": "预约", "en": "Appointment"},
    )
    lines = printed(special, profile).lines
    for said in (
        "跨省通办、一件事、收费、取件",
        "临翔区中心",
        "部门：民政、残联",
        "窗口只收件，不当场办结",
        "优先：预约",
    ):
        assert said in lines
    named = replace(TICKET, service={"zh": "综合出件（取件）", "en": "Collection"}, kind="pickup")
    assert not {"取件", "Collection at"} & set(printed(named, profile).lines)
    assert "取件" not in printed(TICKET, profile).text


def test_a_chinese_ticket_has_no_english_word() -> None:
    special = replace(TICKET, languages=("zh",), stops=STOPS, lead_window="3", flags=("fee",), takes_in_only=True)
    special = replace(special, reprint=True, drill=True, department="民政", tenant={"zh": "市中心", "en": "City"})
    words = printed(special, profiles()["generic-58"]).text.replace("A012", "")
    assert not [letter for letter in words if letter.isascii() and letter.isalpha()]


names = st.text(alphabet=st.sampled_from("税务综合（）、，。㛃𬭎ABC abc-12"), min_size=1, max_size=120)


@given(zh=names, en=names, windows=st.lists(st.integers(1, 99).map(str), max_size=40), paper=st.sampled_from(PAPERS))
def test_no_line_is_wider_than_the_paper_whatever_the_names(zh: str, en: str, windows: list[str], paper: str) -> None:
    profile = profiles()[paper]
    text = {"zh": zh, "en": en}
    ticket = replace(TICKET, hall_name=text, service=text, zone=text, advice=text, windows=tuple(windows))
    stops = (Stop(name=text, zone=text, floor=text, done=False),) * 8
    ticket = replace(ticket, stops=stops, tenant=text, department=zh, flags=("fee", "one_thing"), kind="consult")
    items = lay_out(ticket, profile)
    for item in items:
        if isinstance(item, TextLine):
            assert columns_of(item.text) * item.width <= profile.columns
            assert 1 <= item.width <= 8
        elif isinstance(item, Feed):
            assert item.dots <= 255
    assert len(items) < 140


def test_rare_characters_are_dots_on_the_paper_and_the_ticket_stays_readable() -> None:
    ticket = printed(replace(TICKET, service={"zh": "㛃𬭎䶮业务"}), profiles()["generic-80"])
    assert ticket.label == "A012"
    assert "?" not in ticket.text
    assert "\ufffd" not in ticket.text


def logo() -> bytes:
    out = io.BytesIO()
    Image.new("1", (16, 3), 0).save(out, "PNG")
    return out.getvalue()


def test_a_hall_says_what_stands_on_its_tickets_and_in_which_order() -> None:
    fields = ("number", "advice", "service")
    lines = [line for line in printed(replace(TICKET, fields=fields), profiles()["generic-80"]).lines if line.strip()]
    assert [line.strip("- ") for line in lines] == [
        "A012", "", "请留意广播和屏幕。", "Please watch the screens.", "", "综合业务", "General services",
    ]  # fmt: skip


def test_marks_are_printed_whatever_the_hall_leaves_out_and_unknown_fields_cost_no_ticket() -> None:
    ticket = replace(TICKET, fields=("number", "weather"), drill=True, reprint=True)
    text = printed(ticket, profiles()["generic-58"]).text
    assert "A012" in text
    assert "演练 此票无效" in text
    assert "补打" in text


def test_without_a_choice_everything_stands_on_the_ticket() -> None:
    full = replace(TICKET, logo=logo(), stops=STOPS, priority_name={"zh": "老年人"}, notice={"zh": "请勿吸烟"})
    profile = profiles()["generic-80"]
    assert lay_out(replace(full, fields=FIELDS), profile) == lay_out(full, profile)


@pytest.mark.parametrize("paper", PAPERS)
def test_a_logo_stands_at_the_head_in_the_middle(paper: str) -> None:
    profile = profiles()[paper]
    data = encode(lay_out(replace(TICKET, logo=logo()), profile), profile, find_faces())
    row = bytes((profile.width_dots // 2 - 8) // 8) + b"\xff\xff"  # 16 black dots, none behind them
    assert b"\x1dv0\x00" + len(row).to_bytes(2, "little") + b"\x03\x00" + 3 * row in data[:200]


def test_what_is_no_picture_costs_no_ticket() -> None:
    assert printed(replace(TICKET, logo=b"\x89PNG broken"), profiles()["generic-58"]).label == "A012"


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("经营场所租赁合同（加盖骑缝章）", 27, ["经营场所租赁合同", "（加盖骑缝章）"]),
        ("法定代表人身份证原件及复印件", 27, ["法定代表人身份证原件", "及复印件"]),
        ("Missed your call? Ask at the desk.", 32, ["Missed your call? Ask at", "the desk."]),
        ("一行就够", 32, ["一行就够"]),
        ("", 32, []),
    ],
)
def test_lines_break_where_people_pause_and_leave_no_single_word(text: str, columns: int, lines: list[str]) -> None:
    assert wrap(text, columns, 4) == lines
