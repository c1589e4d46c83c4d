"""Strips by template: frames as written in a manual, what goes into them, and every mistake told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import BadOptions
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import checksums
from drivers.led.pattern import BadPattern, fixed_size, match, most, read, read_pattern, render, write
from drivers.led.strip import Answer
from drivers.led.template import Template, TemplateOptions

CALLING = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.CALLING,
    pause_reason=None,
    waiting=0,
    ticket="20261121-A012",
    label="A012",
    service=None,
    ticket_status=None,
    call_count=1,
)
IDLE = replace(CALLING, status=WindowStatus.OPEN, label=None, ticket=None)
NAMES = ("address", "text")
SIMPLE = "AA 55 {address} {length} {text} {sum8} 0D"


def frame(text: str, address: int = 3, said: bytes = b"A012", escape: dict[int, bytes] | None = None) -> str:
    return render(read_pattern(text, NAMES), {"address": address, "text": said}, escape or {}).hex(" ")


def shown(options: TemplateOptions, picture: WindowPicture = CALLING, address: int = 3) -> bytes:
    (ask,) = Template(options).paint(address, picture)
    return ask.frame


def test_checksums_are_the_published_ones() -> None:
    check = b"123456789"
    assert checksums.sum8(check) == 0xDD
    assert checksums.xor8(check) == 0x31
    assert checksums.sum16(check) == 0x01DD
    assert checksums.crc16_arc(check) == 0xBB3D
    assert checksums.crc16_modbus(check) == 0x4B37


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        (SIMPLE, "aa 55 03 04 41 30 31 32 da 0d"),
        ("AA55 [ {address} {length:2le} ( 01 {text} ) ] {sum8} 0D", "aa 55 03 05 00 01 41 30 31 32 dd 0d"),
        ("02 {address:hex2} {text} 03 {xor8}", "02 30 33 41 30 31 32 03 70"),
        ("{address:2be} {length+3:2be} {text} {crc16-modbus}", "00 03 00 07 41 30 31 32 46 bd"),
        ("{address:dec3} {text} {crc16-arc:2be}", "30 30 33 41 30 31 32 81 b1"),
        ("'#' {address:dec2} ',' {text} 0D 0A", "23 30 33 2c 41 30 31 32 0d 0a"),
        ("{address:bcd} {text} {sum16}", "03 41 30 31 32 d7 00"),
    ],
)
def test_a_frame_is_what_is_written(text: str, bytes_: str) -> None:
    assert frame(text) == bytes_


def test_a_known_protocol_can_be_written_down() -> None:
    # The same frame as a program for C-Power road signs sends: 正常通行, green, to card FF.
    real = (
        "A5 < [ 68 32 {address} 7B 01 {length:2le} 00 00 ( 12 00 00 05 00 00 03 07 00 FF 00 {text} 00 ) ] {sum16} > AE"
    )
    escape = {0xA5: b"\xaa\x05", 0xAA: b"\xaa\x0a", 0xAE: b"\xaa\x0e"}
    assert frame(real, 0xFF, "正常通行".encode("gbk"), escape) == (
        "a5 68 32 ff 7b 01 14 00 00 00 12 00 00 05 00 00 03 07 00 ff 00 d5 fd b3 a3 cd a8 d0 d0 00 86 09 ae"
    )
    assert " aa 0e " in frame(real, 1, "水".encode("gbk"), escape), "水 is CB AE"


@pytest.mark.parametrize(
    ("text", "words", "meant"),
    [
        ("AA {adress}", "{adress} is not known", "{address}"),
        ("AA {sum9}", "{sum9} is not known", "{sum8}"),
        ("AA GG", "cannot read 'GG'", None),
        ("AAA {text}", "cannot read 'A {text}'", None),
        ("AA {length:3} {text}", "the form '3' is not known", None),
        ("[ AA {text}", "[ and ] must stand once each", None),
        (") AA ( {text}", "( and ) must stand once each", None),
        ("'请' {text}", "only ASCII", None),
        ("  ", "is empty", None),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str, meant: str | None) -> None:
    with pytest.raises(BadPattern) as bad:
        read_pattern(text, NAMES)
    assert words in bad.value.en
    assert bad.value.zh
    assert bad.value.meant == meant


@given(st.text(alphabet="AF0 {}[]()<>'address:textlengthum8+-,", max_size=60))
def test_any_text_is_a_pattern_or_a_sentence(text: str) -> None:
    try:
        pattern = read_pattern(text, NAMES)
    except BadPattern:
        return
    try:
        render(pattern, {"address": 1, "text": b"x"})
    except ValueError:
        return
    match(pattern, b"\x00" * fixed_size(pattern))


@pytest.mark.parametrize("form", ["1", "2be", "2le", "4be", "4le", "dec1", "dec5", "hex2", "hex8", "bcd"])
def test_numbers_go_both_ways_in_every_form(form: str) -> None:
    for number in {0, 1, 9, most(form) // 3, most(form)}:
        assert read(write(number, form), form) == number
    with pytest.raises(ValueError, match="does not fit"):
        write(most(form) + 1, form)


def test_a_call_is_the_sentence_in_gbk() -> None:
    assert (
        shown(TemplateOptions(frame=SIMPLE)) == bytes.fromhex("aa55 03 0a") + "请 A012 号".encode("gbk") + b"\x51\x0d"
    )


def test_a_strip_may_show_the_ticket_or_its_digits_alone() -> None:
    digits = TemplateOptions(frame="{address} {text} 0D", shows="number", columns=4, pad=True, align="right")
    assert shown(digits) == b"\x03 012\x0d"
    assert shown(digits, IDLE) == b"\x03    \x0d"
    label = TemplateOptions(frame="{address} {text} 0D", shows="label", columns=6, pad=True, align="centre")
    assert shown(label) == b"\x03 A012 \x0d"
    narrow = TemplateOptions(frame="{address} {text} 0D", shows="label", columns=2, pad=True)
    assert shown(narrow) == b"\x03A0\x0d"


def test_colour_and_motion_are_bytes_of_the_maker() -> None:
    options = TemplateOptions(
        frame="{address} {colour} {motion} {text}",
        columns=8,
        colours={"invite": "01", "busy": "02", "free": "02", "away": "0304"},
        motions={"still": "00", "left": "09"},
    )
    assert shown(options)[:3] == b"\x03\x01\x00"
    away = replace(IDLE, status=WindowStatus.PAUSED, pause_reason="lunch")
    assert shown(replace(options, columns=2), away)[:4] == b"\x03\x03\x04\x09"
    assert shown(replace(options, columns=2), away)[4:].decode("gbk") == "暂停服务 午休"


def test_two_languages_run_because_one_text_has_no_pages() -> None:
    options = TemplateOptions(frame="{motion} {text}", motions={"still": "00", "left": "01"}, languages=("zh", "en"))
    assert shown(options) == b"\x01" + "请 A012 号    Ticket A012".encode("gbk")


def test_a_strip_that_cannot_run_gets_the_shortest_form_that_has_room() -> None:
    narrow = TemplateOptions(frame="{address} {text}", columns=4)
    assert shown(narrow)[1:] == b"A012"


def test_an_answer_is_awaited_where_one_is_written_down() -> None:
    assert Template(TemplateOptions(frame=SIMPLE)).paint(3, CALLING)[0].mark is None
    options = TemplateOptions(
        frame=SIMPLE, answer="AA 55 {address} 06 {any} {xor8}", refusal="AA 55 {address} 15 {error}"
    )
    dialect = Template(options)
    assert dialect.paint(3, CALLING)[0].mark == 3
    yes = bytes.fromhex("aa 55 03 06 77 8d")
    no = bytes.fromhex("aa 55 03 15 02")
    for cut in range(len(yes) + 1):
        assert [*dialect.feed(b"\xaa\x55" + yes[:cut]), *dialect.feed(yes[cut:])] == [Answer(mark=3)]
    assert dialect.feed(no + yes) == [Answer(mark=3, refusal="error 2"), Answer(mark=3)]
    for place in range(len(yes)):
        damaged = bytearray(yes)
        damaged[place] ^= 0x40
        assert dialect.feed(bytes(damaged)) == []
        dialect.forget()


def test_an_answer_without_an_address_is_of_whoever_was_asked() -> None:
    dialect = Template(TemplateOptions(frame=SIMPLE, answer="'OK'"))
    assert dialect.feed(b"O") == []
    assert dialect.feed(b"K\r\n") == [Answer(mark=dialect.paint(9, CALLING)[0].mark)]


def test_answers_are_unescaped() -> None:
    options = TemplateOptions(frame=SIMPLE, escape={"AA": "AA 0A", "A5": "AA 05"}, answer="A6 {address} {any} AE")
    dialect = Template(options)
    assert dialect.feed(bytes.fromhex("a6 aa")) == []
    assert dialect.feed(bytes.fromhex("05 aa 0a ae")) == [Answer(mark=0xA5)]


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes]) -> None:
    options = TemplateOptions(frame=SIMPLE, answer="AA 55 {address} 06", escape={"AA": "AA 0A"})
    dialect = Template(options)
    for chunk in chunks:
        dialect.feed(chunk)
        assert dialect.kept_bytes <= 8


def test_brightness_clock_and_hello_are_frames_too() -> None:
    options = TemplateOptions(
        frame=SIMPLE,
        answer="06",
        hello="AA 55 {address} 00",
        brightness={"08:00": 50},
        brightness_frame="AA 55 {address} 02 {level}",
        brightness_most=15,
        clock="04:00",
        clock_frame="03 {year:bcd} {month:bcd} {day:bcd} {hour:bcd} {minute:bcd} {second:bcd} {weekday}",
    )
    dialect = Template(options)
    now = datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC)
    assert dialect.hello(3)[0].frame.hex(" ") == "aa 55 03 00"
    assert [dialect.light(3, percent)[0].frame[-1] for percent in (0, 1, 50, 100)] == [0, 1, 8, 15]
    assert dialect.set_clock(3, now)[0].frame.hex(" ") == "03 26 11 22 09 05 07 07"
    century = Template(replace(options, clock_frame="{year:dec4} {month:dec2}"))
    assert century.set_clock(3, now)[0].frame == b"202611"
    bare = Template(TemplateOptions(frame=SIMPLE))
    assert [bare.hello(3), bare.light(3, 5), bare.set_clock(3, now)] == [(), (), ()]


def test_addresses_are_those_the_frame_can_hold() -> None:
    assert TemplateOptions(frame=SIMPLE).addresses == range(256)
    assert TemplateOptions(frame="{address:dec2} {text}").addresses == range(100)
    assert TemplateOptions(frame="{address+48} {text}").addresses == range(208)
    assert TemplateOptions(frame="{text}").addresses == range(0x10000)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(BadOptions) as bad:
        TemplateOptions(
            frame="AA {adress} {colour} {text}",
            columns=0,
            colours={"invite": "1", "busy": "02"},
            refusal="15",
            hello="{texts}",
            brightness={"8:00": 101},
            clock="25:00",
            gap_ms=-1,
            escape={"A": "B"},
            languages=("zh", "en"),
        )
    told = [(problem.option, problem.meant) for problem in bad.value.problems]
    assert told == [
        ("brightness", None),
        ("brightness", None),
        ("clock", None),
        ("frame", "{address}"),
        ("hello", None),
        ("refusal", None),
        ("hello", None),
        ("brightness", None),
        ("clock", None),
        ("colours", None),
        ("colours", None),
        ("escape", None),
        ("columns", None),
        ("gap_ms", None),
        ("languages", None),
    ]
    assert all(problem.zh and problem.en for problem in bad.value.problems)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("", "frame: is missing"),
        ("AA {address}", "has no {text}"),
        ("AA {length:dec1} {text}", "no room for a text"),
    ],
)
def test_a_frame_that_shows_nothing_is_refused(frame: str, words: str) -> None:
    with pytest.raises(BadOptions, match=words):
        TemplateOptions(frame=frame)
