"""Onbon BX-5K frames: published bytes, bytes worked out by hand, any cut, noise before, junk for ever."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import BadOptions
from drivers.led import onbon
from drivers.led.checksums import crc16_arc
from drivers.led.onbon import Ack, Area, Colour, Decoder, Motion, Nack, OnbonOptions

HEAD = "a5 a5 a5 a5 a5 a5 a5 a5"
# Published with the vendor's protocol: "are you there" for address 1, and a card's acknowledgement.
PING = bytes.fromhex(f"{HEAD} 0100 0080 000000 00 00 00 fe 02 0500 a200010000 68f8 5a")
ACK = bytes.fromhex(f"{HEAD} 0080 0100 000000 00 00 00 fe 02 0500 a000000000 64dc 5a")
# Published example of a text for a 192 x 32 strip (width 18 00: the CRC fits that, not the 80 00 on the web page).
TEXT = bytes.fromhex(
    f"{HEAD} 0100 0080 000000 00 00 00 fe 02 3200 a306012d00 00 01 2900"
    "00 0000 0000 1800 2000 00 00 00 0200 000000 02 02 03 00 04 05 0e000000"
    "30 31 32 33 34 35 51 52 53 54 54 56 27 42 a87d 5a"
)
# Published by a library for these cards (BX4K.c): "how are you" and "clear the screen".
STATUS = bytes.fromhex(f"{HEAD} 0100 0080 000000 00 00 00 fe 02 0500 a102010000 2d40 5a")
CLEAR = bytes.fromhex(f"{HEAD} 0100 0080 000000 00 00 00 fe 02 0500 a310010000 51f8 5a")
# In the program of a roadside sign (STM32, comments and tables): the clock set to Friday 25 January 2013 11:17:26; all
# texts deleted; the start of a text of 768 x 16 dots that runs to the left (without a CRC there).
CLOCK = bytes.fromhex(f"{HEAD} 0100 0080 000000 00 00 00 fe 02 0d00 a203010800 1320012511172605 b03f 5a")
DELETED = bytes.fromhex(f"{HEAD} 0100 0080 000000 00 00 00 fe 02 0700 a306010200 ff00 67cc 5a")
SIGN = bytes.fromhex(
    "a3060100 00 ff 01 4500 00 0000 0000 6000 1000 00 00 00 0000 00 0000 01 01 03 00 0c 05 2a000000"
    "5c464f303030 20 bbb6d3add3c3" + "20" * 29
)
# As sent by a weather station to its strip (spcomms_test.py): three areas 512 dots wide and 12 high, two with GBK.
STATION = bytes.fromhex(
    f"{HEAD} 0100 0080 000000 00 00 00 fe 02 3500 a306020000 00 01 2c00 00 0000 0c00 4000 0c00 01 0a 01 0200 00 0000"
    "01 01 01 00 17 02 11000000 5c464f303030 54454d5045523a3231 a1e6 82da 5a"
    f"{HEAD} 0100 0080 000000 00 00 00 fe 02 3300 a306020000 00 01 2a00 00 0000 1800 4000 0c00 01 0a 01 0200 00 0000"
    "01 01 01 00 17 02 0f000000 5c464f303030 48554d3a3636255248 367a 5a"
)
# Worked out by hand from the field table: strip 7, 128 x 16 dots, red, still, one page; CRC by the un-reflected method.
CALL = bytes.fromhex(
    f"{HEAD} 0700 0080 000000 00 00 00 fe 02 3100 a306012c00 00 01 2800"
    "00 0000 0000 1000 1000 00 00 00 0000 00 0000 02 01 01 00 06 06 0d000000"
    "5c4331 c7eb 20 41303132 20 bac5 6bb0 5a"
)


def call_area() -> Area:
    text = onbon.text_bytes("请 A012 号", Colour.RED)
    return Area(number=0, x_px=0, y_px=0, width_px=128, height_px=16, text=text)


def test_crc_is_arc() -> None:
    assert crc16_arc(b"123456789") == 0xBB3D


def test_ping_is_the_published_frame() -> None:
    assert onbon.encode(onbon.ping(), dst=1) == PING


def test_published_acknowledgement_is_read() -> None:
    (frame,) = Decoder().feed(ACK)
    assert onbon.read_reply(frame) == Ack(address=1)
    assert frame.dst == onbon.PC


def test_published_text_example_is_read() -> None:
    (frame,) = Decoder().feed(TEXT)
    areas = onbon.read_areas(frame)
    assert areas is not None
    assert areas[0].text == b"012345QRSTTV'B"
    assert (areas[0].width_px, areas[0].height_px) == (192, 32)
    assert areas[0].motion is Motion.LEFT


def test_frames_of_other_programs_are_read() -> None:
    assert [frame.command for frame in Decoder().feed(STATUS + CLEAR)] == [(0xA1, 0x02), (0xA3, 0x10)]
    areas = [area for frame in Decoder().feed(STATION) for area in onbon.read_areas(frame) or []]
    assert [area.text.decode("gbk") for area in areas] == ["\\FO000TEMPER:21℃", "\\FO000HUM:66%RH"]
    assert [(area.y_px, area.width_px, area.height_px, area.speed) for area in areas] == [
        (12, 512, 12, 23),
        (24, 512, 12, 23),
    ]


def test_clock_and_deletion_are_the_bytes_of_another_program() -> None:
    assert onbon.encode(onbon.set_clock(datetime(2013, 1, 25, 11, 17, 26, tzinfo=UTC)), dst=1) == CLOCK
    assert onbon.encode(onbon.delete_all(), dst=1) == DELETED
    (frame,) = Decoder().feed(onbon.encode(SIGN, dst=1))
    (area,) = onbon.read_areas(frame) or []
    assert (area.width_px, area.height_px, area.speed, area.motion) == (768, 16, 12, Motion.LEFT)
    assert area.text.startswith("\\FO000 欢迎用".encode("gbk"))


def test_call_text_is_the_frame_worked_out_by_hand() -> None:
    assert onbon.encode(onbon.show(call_area()), dst=7) == CALL


def test_what_is_shown_is_read_back() -> None:
    (frame,) = Decoder().feed(CALL)
    assert onbon.read_areas(frame) == [call_area()]


def test_other_commands_are_as_in_the_field_table() -> None:
    assert onbon.switch(on=True) == bytes.fromhex("a300010100 01")
    assert onbon.switch(on=False) == bytes.fromhex("a300010100 02")
    assert onbon.delete_all() == bytes.fromhex("a306010200 ff 00")
    assert onbon.brightness(16) == bytes.fromhex("a302013200 01" + "0f" * 49)
    # Monday 2 March 2026 09:05:07
    assert onbon.set_clock(datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC)) == bytes.fromhex(
        "a203010800 26 20 03 02 09 05 07 01"
    )


def test_brightness_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.\.16"):
        onbon.brightness(17)


def test_area_off_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        onbon.show(Area(number=0, x_px=0, y_px=0, width_px=100, height_px=16, text=b""))


def test_reserved_bytes_are_escaped_and_come_back() -> None:
    assert onbon.escape(bytes.fromhex("a5 a6 5a 5b 00")) == bytes.fromhex("a602 a601 5b02 5b01 00")
    assert onbon.unescape(bytes.fromhex("a602 a601 5b02 5b01 00")) == bytes.fromhex("a5 a6 5a 5b 00")
    assert onbon.unescape(bytes.fromhex("a603")) is None
    assert onbon.unescape(bytes.fromhex("a6")) is None


def test_refusal_carries_the_cards_number() -> None:
    (frame,) = Decoder().feed(onbon.encode(bytes.fromhex("a001 05 0000"), dst=onbon.PC, src=3))
    assert onbon.read_reply(frame) == Nack(address=3, code=5)
    (frame,) = Decoder().feed(onbon.encode(bytes.fromhex("a001 00 0100 07"), dst=onbon.PC, src=3))
    assert isinstance(onbon.read_reply(frame), Nack)


def test_text_cannot_smuggle_card_commands_or_controls() -> None:
    assert onbon.text_bytes("\\C2税\x00\x1b务", Colour.RED) == b"\\C1" + "＼C2税务".encode("gbk")


def test_text_the_card_has_no_glyph_for_gets_the_mark_of_a_missing_character() -> None:
    assert onbon.text_bytes("𠮷A", Colour.GREEN) == b"\\C2\xa1\xfeA"


def test_long_text_is_cut_between_characters() -> None:
    coded = onbon.text_bytes("号" * 2000, Colour.RED)
    assert len(coded) <= onbon.MAX_TEXT_BYTES + 3
    assert coded[3:].decode("gbk") == "号" * (onbon.MAX_TEXT_BYTES // 2)


@pytest.mark.parametrize("whole", [PING, ACK, TEXT, CALL, STATUS])
def test_frame_is_found_at_every_cut(whole: bytes) -> None:
    (expected,) = Decoder().feed(whole)
    for cut in range(len(whole) + 1):
        decoder = Decoder()
        assert decoder.feed(whole[:cut]) + decoder.feed(whole[cut:]) == [expected]
    decoder = Decoder()
    assert [frame for byte in whole for frame in decoder.feed(bytes([byte]))] == [expected]


@given(noise=st.binary(max_size=300))
def test_frame_is_found_behind_any_noise(noise: bytes) -> None:
    frames = Decoder().feed(noise + PING)
    assert frames[-1].data == onbon.ping()


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        decoder.feed(chunk)
    assert decoder.kept_bytes <= 2 * onbon.MAX_FRAME_BYTES


def test_endless_frame_is_dropped() -> None:
    decoder = Decoder()
    decoder.feed(b"\xa5" + b"\x00" * 100_000)
    assert decoder.kept_bytes <= 2 * onbon.MAX_FRAME_BYTES
    assert len(decoder.feed(ACK)) == 1


@pytest.mark.parametrize("place", range(8, len(ACK) - 1))
def test_every_damaged_byte_is_noticed(place: int) -> None:
    damaged = bytearray(ACK)
    damaged[place] ^= 0x01
    assert Decoder().feed(bytes(damaged)) == []


@given(data=st.binary(max_size=300), address=st.integers(1, 0xFFFD))
def test_any_data_comes_back(data: bytes, address: int) -> None:
    (frame,) = Decoder().feed(onbon.encode(data, dst=address))
    assert (frame.dst, frame.src, frame.data) == (address, onbon.PC, data)


@given(st.binary(max_size=120))
def test_reading_areas_of_any_payload_never_raises(payload: bytes) -> None:
    (frame,) = Decoder().feed(onbon.encode(b"\xa3\x06\x01" + len(payload).to_bytes(2, "little") + payload, dst=1))
    onbon.read_areas(frame)
    onbon.read_reply(frame)


def test_every_wrong_option_is_told_at_once() -> None:
    with pytest.raises(BadOptions) as bad:
        OnbonOptions(width_px=100, height_px=6, font=-1, languages=(), brightness={"24:00": 1}, clock="noon")
    assert [problem.option for problem in bad.value.problems] == [
        "languages",
        "brightness",
        "clock",
        "width_px",
        "height_px",
        "font",
    ]
    assert all(problem.zh and problem.en for problem in bad.value.problems)
    with pytest.raises(BadOptions, match=r"font_px: must be 7\.\.16"):
        OnbonOptions(font_px=24)


def test_the_cards_font_can_be_chosen() -> None:
    assert onbon.text_bytes("A", Colour.RED, 3) == b"\\FO003\\C1A"
