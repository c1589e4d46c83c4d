"""What is said: golden sentences, and rules for every number a hall can have."""

import pytest

from drivers.speech import phrases, phrases_en, phrases_zh


@pytest.mark.parametrize(
    ("label", "window", "sentence"),
    [
        ("A012", "3", "请 A，零一二 号，到 三号 窗口 办理。"),
        ("A001", "10", "请 A，零零一 号，到 十号 窗口 办理。"),
        ("B110", "12", "请 B，一一零 号，到 十二号 窗口 办理。"),
        ("C1005", "29", "请 C，一零零五 号，到 二十九号 窗口 办理。"),
        ("D999", "101", "请 D，九九九 号，到 一百零一号 窗口 办理。"),
        ("A012", "B2", "请 A，零一二 号，到 B 二号 窗口 办理。"),
        ("007", "20", "请 零零七 号，到 二十号 窗口 办理。"),
    ],
)
def test_chinese_call(label: str, window: str, sentence: str) -> None:
    assert phrases_zh.call(label, window) == sentence


def test_one_is_read_yao_where_the_hall_wants_it_and_never_in_a_window() -> None:
    (line,) = phrases.call("B110", "11", ("zh",), yao=True)
    assert line.sentence == "请 B，幺幺零 号，到 十一号 窗口 办理。"
    (english,) = phrases.call("B110", "11", ("en",), yao=True)
    assert english.sentence == "Ticket B, one one zero, please proceed to window 11."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "零"),
        (10, "十"),
        (11, "十一"),
        (19, "十九"),
        (20, "二十"),
        (99, "九十九"),
        (100, "一百"),
        (101, "一百零一"),
        (110, "一百一十"),
        (111, "一百一十一"),
        (1000, "一千"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (1100, "一千一百"),
        (9999, "九千九百九十九"),
    ],
)
def test_window_numbers_are_read_as_numbers(value: int, words: str) -> None:
    assert phrases_zh.number(value) == words


def test_every_ticket_number_is_read_digit_by_digit() -> None:
    digits = dict(zip("零一二三四五六七八九", "0123456789", strict=True))
    for number in range(1000):
        read = phrases_zh.ticket(f"A{number:03}")
        assert "".join(digits[character] for character in read.removeprefix("A，")) == f"{number:03}"


@pytest.mark.parametrize(
    ("label", "window", "sentence"),
    [
        ("A012", "3", "Ticket A, zero one two, please proceed to window 3."),
        ("C1005", "29", "Ticket C, one zero zero five, please proceed to window 29."),
        ("A012", "B2", "Ticket A, zero one two, please proceed to window B two."),
    ],
)
def test_english_call(label: str, window: str, sentence: str) -> None:
    assert phrases_en.call(label, window) == sentence


def test_languages_are_spoken_in_the_halls_order_once_each() -> None:
    assert [line.language for line in phrases.call("A1", "1", ("zh", "en", "zh"))] == ["zh", "en"]
    assert [line.language for line in phrases.call("A1", "1", ("en", "zh"))] == ["en", "zh"]


def test_language_nobody_wrote_is_left_out_and_chinese_is_the_last_resort() -> None:
    assert [line.language for line in phrases.call("A1", "1", ("ii", "en"))] == ["en"]
    assert [line.language for line in phrases.call("A1", "1", ("ii",))] == ["zh"]


def test_language_that_was_recorded_is_spoken_from_its_units() -> None:
    zh, ii = phrases.call("AB012", "3", ("zh", "ii"), frozenset({"ii"}))
    assert ii.language == "ii"
    assert zh.units == ii.units == ("please", "letter-A", "letter-B", "number-012", "window-3")
    assert phrases.units("007", "B2") == ("please", "number-007", "window-B2")
