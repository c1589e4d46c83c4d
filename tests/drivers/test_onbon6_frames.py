"""Onbon BX-6E frames: bytes worked out by hand from the fields of the maker's analyser; no capture was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import BadOptions
from drivers.led import onbon, onbon6
from drivers.led.onbon6 import Decoder, Onbon6, Onbon6Options
from drivers.led.strip import Answer

AREA = onbon.Area(number=0, x_px=0, y_px=0, width_px=96, height_px=16, text=b"\\C1A012", one_line=True)
# Field by field: header 16, reply, A7 06, not kept, 0 deleted, 1 updated, 3A bytes of area; CRC by the usual method.
CALL = bytes.fromhex(
    "a5a5a5a5a5a5a5a5 0700 0080 f0 00 feff 00000000 44000000"
    "01 a7 06 00 00 01 3a000000"
    "00 00 0000 01 0000 01 00000000 00 0000 0000 6000 1000 00 0000000000000000"
    "00 00 00 00 000000000000 01 01 01 00 06 06 00 07000000 5c4331 41303132"
)


def test_a_text_is_the_frame_worked_out_by_hand() -> None:
    frame = onbon6.encode(onbon6.show(AREA), dst=7)
    assert frame[: len(CALL)] == CALL
    assert len(frame) == len(CALL) + 3
    assert frame.endswith(b"\x5a")


def test_what_is_shown_is_read_back() -> None:
    (frame,) = Decoder().feed(onbon6.encode(onbon6.show(AREA), dst=7))
    assert onbon6.read_area(frame.data) == AREA
    assert (frame.dst, frame.device_type) == (7, 0xFFFE)


def test_reserved_bytes_are_escaped_and_come_back() -> None:
    data = bytes.fromhex("a5 a6 5a 5b")
    (frame,) = Decoder().feed(onbon6.encode(data, dst=0xA5))
    assert (frame.dst, frame.data) == (0xA5, data)


@pytest.mark.parametrize("cut", range(30))
def test_an_acknowledgement_is_found_at_every_cut_with_or_without_a_status_byte(cut: int) -> None:
    for data, refusal in (("a000", None), ("00a00000", None), ("a00105", "card error 5"), ("00a00105", "card error 5")):
        reply = b"\xff\xa5\x5a" + onbon6.encode(bytes.fromhex(data), dst=onbon.PC, src=3)
        dialect = Onbon6(Onbon6Options())
        answers = [*dialect.feed(reply[:cut]), *dialect.feed(reply[cut:])]
        assert answers == [Answer(mark=3, refusal=refusal)]


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        for frame in decoder.feed(chunk):
            onbon6.read_area(frame.data)
        onbon6.read_area(chunk)
    assert decoder.kept_bytes <= 2 * onbon.MAX_FRAME_BYTES


def test_frames_of_the_older_generation_are_not_ours() -> None:
    assert Decoder().feed(onbon.encode(onbon.ping(), dst=1)) == []
    assert onbon.Decoder().feed(onbon6.encode(b"\x00", dst=1)) == []


def test_what_these_cards_are_not_known_to_do_is_refused() -> None:
    with pytest.raises(BadOptions) as bad:
        Onbon6Options(brightness={"07:00": 100}, clock="04:00", device_type="XYZ", font=1000)
    assert [problem.option for problem in bad.value.problems] == ["font", "brightness", "clock", "device_type"]
