"""What a strip says about its window, in which form, and how it is spelled."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.daytimes import level_at
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import text as spelling
from drivers.led import words
from drivers.led.layout import Shown, lay_out
from drivers.led.options import clock_due
from drivers.led.words import Mood

IDLE = WindowPicture(
    window="3",
    name={"zh": "3号窗口", "en": "Window 3"},
    status=WindowStatus.OPEN,
    pause_reason=None,
    waiting=0,
    ticket=None,
    label=None,
    service=None,
    ticket_status=None,
    call_count=0,
)
CALLING = replace(IDLE, status=WindowStatus.CALLING, ticket="20261121-A012", label="A012", call_count=1)
SERVING = replace(CALLING, status=WindowStatus.SERVING)
LUNCH = replace(IDLE, status=WindowStatus.PAUSED, pause_reason="lunch")


def shown(picture: WindowPicture, columns: int = 16, languages: tuple[str, ...] = ("zh",)) -> Shown:
    return lay_out(words.say(picture, languages), lambda line: spelling.columns(line) <= columns)


@pytest.mark.parametrize(
    ("picture", "text", "mood"),
    [
        (IDLE, "欢迎办理", Mood.FREE),
        (CALLING, "请 A012 号", Mood.INVITE),
        (SERVING, "正在办理 A012", Mood.BUSY),
        (replace(IDLE, status=WindowStatus.CLOSED), "未开放", Mood.AWAY),
        (replace(IDLE, status=WindowStatus.CLOSED, staffed=False), "未派驻", Mood.AWAY),
        (LUNCH, "暂停服务 午休", Mood.AWAY),
        (replace(LUNCH, pause_reason="left_alone"), "暂停服务", Mood.AWAY),
        (replace(LUNCH, pause_reason="other"), "暂停服务", Mood.AWAY),
        (replace(LUNCH, pause_reason="something new"), "暂停服务", Mood.AWAY),
        (replace(SERVING, label=None, ticket=None), "欢迎办理", Mood.FREE),
    ],
)
def test_strip_says_what_the_window_is(picture: WindowPicture, text: str, mood: Mood) -> None:
    assert shown(picture) == Shown(pages=(text,), moving=False, mood=mood)


def test_free_window_can_show_its_name() -> None:
    assert words.say(IDLE, ("zh", "en"), idle_name=True).lines == (("3号窗口",), ("Window 3",))


def test_a_strip_keeps_to_the_languages_of_its_hall() -> None:
    both = ("zh", "en")
    assert shown(replace(IDLE, languages=("zh",)), languages=both).pages == ("欢迎办理",)
    assert shown(replace(IDLE, languages=("bo", "zh")), languages=both).pages == ("欢迎办理",)
    assert shown(replace(IDLE, languages=("en",))).pages == ("Welcome",)
    assert shown(replace(IDLE, languages=("zh", "en"))).pages == ("欢迎办理",)


def test_two_languages_take_turns() -> None:
    assert shown(CALLING, languages=("zh", "en")).pages == ("请 A012 号", "Ticket A012")


@pytest.mark.parametrize(
    ("columns", "calling", "lunch"),
    [
        (16, "请 A012 号", "暂停服务 午休"),
        (9, "请A012号", "暂停 午休"),
        (8, "请A012号", "午休"),
        (7, "A012", "午休"),
        (4, "A012", "午休"),
    ],
)
def test_a_narrow_strip_says_it_shorter_and_stands_still(columns: int, calling: str, lunch: str) -> None:
    assert shown(CALLING, columns).pages == (calling,)
    assert shown(LUNCH, columns).pages == (lunch,)
    assert not shown(CALLING, columns).moving


def test_what_has_no_room_in_any_form_runs_whole() -> None:
    assert shown(replace(LUNCH, pause_reason="fault"), 6) == Shown(
        pages=("暂停服务 设备故障",), moving=True, mood=Mood.AWAY
    )
    both = shown(CALLING, 3, languages=("zh", "en"))
    assert (both.pages, both.moving) == (("请 A012 号    Ticket A012",), True)


def test_digits_of_a_label() -> None:
    assert [words.number(label) for label in ("A012", "12", "VIP", "B1-07")] == ["012", "12", "", "107"]


def test_columns_are_two_for_everything_but_ascii() -> None:
    assert spelling.columns("请 A012 号") == 10
    assert spelling.columns("：·—") == 6


@pytest.mark.parametrize(
    ("text", "charset", "spelled"),
    [
        ("税务\x00\x1b\n", "gbk", "税务"),
        ("𠮷A", "gbk", "〓A"),  # no such character in GBK
        ("3号窗口", "ascii", "3???"),
        ("Ａ０１２：…—“好”", "ascii", 'A012:...-"?"'),
        ("Café", "gbk", "Café"),
        ("Café", "ascii", "Cafe"),
        ("Ñandú", "gb2312", "Nandú"),
        ("한국", "gbk", "〓〓"),
    ],
)
def test_what_a_character_set_has_not_is_said_with_what_it_has(text: str, charset: str, spelled: str) -> None:
    assert spelling.spell(text, charset) == spelled


@given(st.text(max_size=60), st.sampled_from(["gbk", "gb2312", "ascii", "big5", "utf-16be"]), st.integers(0, 40))
def test_any_text_can_be_encoded_and_cut_between_characters(text: str, charset: str, most: int) -> None:
    coded = spelling.encode(text, charset, most)
    assert len(coded) <= most
    assert spelling.spell(text, charset).startswith(coded.decode(charset))


def test_a_text_is_cut_to_columns() -> None:
    assert spelling.fit("请A号", 4) == "请A"
    assert spelling.fit("请A号", 5) == "请A号"


DAY = {"07:30": 100, "18:00": 40, "22:00": 0}


@pytest.mark.parametrize(
    ("at", "percent"), [("07:29", 0), ("07:30", 100), ("17:59", 100), ("18:00", 40), ("22:00", 0), ("00:00", 0)]
)
def test_brightness_holds_from_its_time_of_day_until_the_next(at: str, percent: int) -> None:
    hour, minute = at.split(":")
    assert level_at(DAY, datetime(2026, 11, 21, int(hour), int(minute), tzinfo=UTC)) == percent


def test_without_a_schedule_the_strip_is_left_as_it_is() -> None:
    assert level_at({}, datetime(2026, 11, 21, 12, tzinfo=UTC)) is None
    assert clock_due("", datetime(2026, 11, 21, 12, tzinfo=UTC)) is None


def test_the_clock_is_due_once_a_day() -> None:
    before, after = datetime(2026, 11, 21, 3, 59, tzinfo=UTC), datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    assert clock_due("04:00", before) == datetime(2026, 11, 20, 4, tzinfo=UTC)
    assert clock_due("04:00", after) == datetime(2026, 11, 21, 4, tzinfo=UTC)
