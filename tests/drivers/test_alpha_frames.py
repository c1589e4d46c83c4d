"""Alpha signs: published transmissions both ways, any cut, noise, junk for ever; Chinese as dots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import BadOptions
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import alpha
from drivers.led.alpha import Alpha, AlphaOptions, Decoder
from drivers.led.dots import Dots, draw
from drivers.led.strip import Answer
from drivers.printer.fonts import find_faces

# Of alphasignpy, a library for these signs: text file A, filling the sign, held, for all signs.
HELLO = bytes.fromhex("0000000000 01 5a3030 02 4141 1b2662") + b"A001 -> 3" + bytes.fromhex("03") + b"02DA\x04"
# The maker's document, appendix "Protocol examples": a sign says the time of day (13:00); its sum is made by hand.
TIME = bytes(20) + b"\x01000\x02E 1300\x03" + b"012E\x04"
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
FACES = find_faces().files
needs_font = pytest.mark.skipif(not FACES, reason="no Chinese font on this machine")


def body(frame: bytes) -> bytes:
    (found,) = Decoder().feed(frame)
    return found.body


def test_a_text_is_the_transmission_of_another_library() -> None:
    (frame,) = Decoder().feed(HELLO)
    assert (frame.kind, frame.address) == ("Z", "00")
    assert frame.body == b"AA\x1b&bA001 -> 3"
    assert alpha.encode(b"AA\x1b&bA001 -> 3", address=0) == HELLO


def test_one_sign_of_a_line_is_meant_by_its_address() -> None:
    assert alpha.encode(b"E$", address=0x2A)[:9] == bytes.fromhex("0000000000 01 5a 32 41")


def test_commands_are_as_in_the_makers_tables() -> None:
    assert alpha.write_text(["HI"], "b") == b"AA\x1b bHI"
    assert alpha.write_text(["A", "B"], "b") == b"AA\x1b bA\x0c\x1b bB"
    assert alpha.make_room(16, 80, "BC") == b"E$AAU0100FFFFBDL10504000CDL10504000"
    assert alpha.write_dots("B", Dots(rows=("010", "111")), "2") == b"IB0203020\r222\r"
    assert alpha.set_time(datetime(2026, 11, 22, 9, 5, tzinfo=UTC)) == (b"E 0905", b"E'M", b"E&1", b"E;112226")


@pytest.mark.parametrize("whole", [HELLO, TIME])
def test_transmission_is_found_at_every_cut_and_behind_noise(whole: bytes) -> None:
    (expected,) = Decoder().feed(whole)
    for cut in range(len(whole) + 1):
        decoder = Decoder()
        assert decoder.feed(b"\xff\x01\x30" + whole[:cut]) + decoder.feed(whole[cut:]) == [expected]


def test_parity_seen_as_an_eighth_bit_is_taken_off() -> None:
    even = bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in HELLO)
    assert even != HELLO
    assert Decoder().feed(even) == Decoder().feed(HELLO)


@pytest.mark.parametrize("place", range(len(TIME) - 12, len(TIME) - 1))
def test_every_damaged_byte_of_an_answer_is_noticed(place: int) -> None:
    damaged = bytearray(TIME)
    damaged[place] ^= 0x08
    assert b"E 1300" not in [frame.body for frame in Decoder().feed(bytes(damaged))]


@given(st.lists(st.binary(max_size=400), max_size=12))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.feed(b"\x01" + b"x" * 20_000)
    assert decoder.kept_bytes <= alpha.MAX_FRAME_BYTES


def test_english_is_text_in_the_signs_own_letters() -> None:
    dialect = Alpha(AlphaOptions(languages=("en",), height_px=7), FACES)
    assert dialect.set_up(1) == ()
    (ask,) = dialect.paint(1, CALLING)
    assert body(ask.frame) == b"AA\x1b b\x1c1Ticket A012"
    assert ask.mark is None
    paused = replace(CALLING, status=WindowStatus.PAUSED, pause_reason="document", label=None)
    (ask,) = Alpha(AlphaOptions(languages=("en",), width_px=48), FACES).paint(1, paused)
    assert body(ask.frame) == b"AA\x1b a\x1c3Paused paperwork"


@needs_font
def test_chinese_is_a_picture_that_the_text_calls() -> None:
    dialect = Alpha(AlphaOptions(width_px=96), FACES)
    clear, room = dialect.set_up(1)
    assert (body(clear.frame), clear.rest_s) == (b"E$", alpha.CLEAR_REST_S)
    assert body(room.frame).startswith(b"E$AAU0100FFFFBDL10604000")
    head, dots, text = dialect.paint(1, CALLING)
    assert head.rest_s == alpha.DOTS_REST_S
    assert head.frame.endswith(b"IB1060"), "the sign needs a pause behind the width"
    picture = body(head.frame + dots.frame)
    rows = picture[6:].split(b"\r")
    assert [len(row) for row in rows] == [96] * 16 + [0]
    assert set(b"".join(rows)) == set(b"01")
    assert body(text.frame) == b"AA\x1b b\x14B"


@needs_font
def test_two_languages_take_turns_on_the_sign() -> None:
    asks = Alpha(AlphaOptions(width_px=96, languages=("zh", "en")), FACES).paint(1, CALLING)
    assert body(asks[-1].frame) == b"AA\x1b b\x14B\x0c\x1b b\x14C"


@needs_font
def test_chinese_that_has_no_room_runs_as_pictures_one_behind_the_other() -> None:
    paused = replace(CALLING, status=WindowStatus.PAUSED, pause_reason="document", label=None)
    asks = Alpha(AlphaOptions(width_px=48), FACES).paint(1, paused)
    assert body(asks[-1].frame) == b"AA\x1b a\x14B\x14C\x14D"  # 136 dots in pictures of 48


def test_a_machine_without_chinese_fonts_says_it_in_english() -> None:
    dialect = Alpha(AlphaOptions(), ())
    assert dialect.set_up(1) == ()
    (ask,) = dialect.paint(1, CALLING)
    assert body(ask.frame) == b"AA\x1b b\x1c1Ticket A012"


def test_the_clock_is_set_in_four_transmissions_and_brightness_in_none() -> None:
    dialect = Alpha(AlphaOptions(), ())
    asks = dialect.set_clock(2, datetime(2026, 11, 22, 9, 5, tzinfo=UTC))
    assert [body(ask.frame)[:2] for ask in asks] == [b"E ", b"E'", b"E&", b"E;"]
    assert dialect.light(2, 50) == ()


def test_a_sign_that_can_be_asked_is_asked_for_the_time() -> None:
    assert Alpha(AlphaOptions(), ()).hello(1) == ()
    dialect = Alpha(AlphaOptions(answers=True), ())
    (ask,) = dialect.hello(1)
    assert body(ask.frame) == b"F "
    assert dialect.feed(TIME) == [Answer(mark=ask.mark)]
    assert dialect.feed(HELLO) == []  # what others send to signs is no answer


def test_a_wrong_option_is_told() -> None:
    with pytest.raises(BadOptions) as bad:
        AlphaOptions(height_px=7, brightness={"07:00": 50}, font_px=2)
    assert [problem.option for problem in bad.value.problems] == ["languages", "font_px", "brightness"]
    with pytest.raises(BadOptions, match="at most 31"):
        AlphaOptions(height_px=32)


@needs_font
def test_dots_are_as_wide_as_their_columns_and_never_empty() -> None:
    drawn = draw("请 A012 号", 16, FACES)
    assert (drawn.width, len(drawn.rows)) == (80, 16)
    hanzi = [sum(row.count("1") for row in drawn.cut(x, x + 16).rows) for x in (0, 64)]
    assert all(30 < lit < 160 for lit in hanzi)
    assert draw(" ", 16, FACES).rows == ("0" * 8,) * 16
    assert drawn.centred(90).width == 90
