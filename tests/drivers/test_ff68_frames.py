"""FF 68 pads: the published frames, both ways; any cut, noise before, junk for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.keypad import ff68
from drivers.keypad.ff68 import Decoder, Frame, Grade, Key, KeyPress

# Published examples, pad 1.
CALL = bytes.fromhex("ff 68 03 03 68 01 01 0c 0e 16")
NO_SHOW = bytes.fromhex("ff 68 04 04 68 01 01 06 0f 17 16")
RATING_3 = bytes.fromhex("ff 68 03 03 68 01 11 03 15 16")
TICKET_123 = bytes.fromhex("ff 68 08 08 68 01 02 0a 0a 0a 01 02 03 27 16")
BEEP = bytes.fromhex("ff 68 02 02 68 01 03 04 16")


def one(raw: bytes) -> Frame:
    (frame,) = Decoder().feed(raw)
    return frame


def test_published_presses_are_read() -> None:
    assert ff68.read_press(one(CALL)) == KeyPress(address=1, key=Key.CALL_NEXT, digits="")
    assert ff68.read_press(one(NO_SHOW)) == KeyPress(address=1, key=Key.OK, digits="6")
    assert ff68.read_press(one(RATING_3)) == Grade(address=1, grade=3)


def test_press_is_acknowledged_by_its_echo() -> None:
    assert ff68.acknowledge(one(CALL)) == CALL
    assert ff68.acknowledge(one(NO_SHOW)) == NO_SHOW


def test_rating_is_acknowledged_with_command_01() -> None:
    # 15 - 10 = 05 is the sum the maker's text gives.
    assert ff68.acknowledge(one(RATING_3)) == bytes.fromhex("ff 68 03 03 68 01 01 03 05 16")


def test_display_and_beep_are_the_published_frames() -> None:
    assert ff68.show_ticket(1, 123) == TICKET_123
    assert ff68.beep(1) == BEEP
    # 01+02 + 00+00+07 + 3 x 0A = 28 hex
    assert ff68.show_waiting(1, 7) == bytes.fromhex("ff 68 08 08 68 01 02 00 00 07 0a 0a 0a 28 16")
    assert ff68.start_rating(1) == bytes.fromhex("ff 68 03 03 68 01 01 0b 0d 16")
    assert ff68.show_stars(1, 5) == bytes.fromhex("ff 68 03 03 68 01 02 05 08 16")


def test_numbers_too_long_for_the_display_keep_their_last_digits() -> None:
    assert ff68.show_ticket(1, 1005)[10:13] == bytes([0, 0, 5])
    assert ff68.show_waiting(1, 1500)[7:10] == bytes([9, 9, 9])


@pytest.mark.parametrize(
    ("data", "digits", "key"),
    [
        ("00 0f", "0", Key.OK),
        ("03 0f", "3", Key.OK),
        ("01 02 13", "12", Key.TRANSFER),
        ("0d", "", Key.RECALL),
        ("0b", "", Key.RATING),
        ("0e", "", Key.CANCEL),
        ("11", "", Key.ONE_METRE),
        ("12", "", Key.PAUSE),
    ],
)
def test_every_key_of_the_pad_is_known(data: str, digits: str, key: Key) -> None:
    frame = one(ff68.encode(9, 0x01, bytes.fromhex(data)))
    assert ff68.read_press(frame) == KeyPress(address=9, key=key, digits=digits)
    assert ff68.encode(9, 0x01, bytes.fromhex(data)) == ff68.key_press(9, key, digits)


@pytest.mark.parametrize(
    "raw", [bytes([1, 0x01]), bytes([1, 0x01, 0x55]), bytes([1, 0x11, 0]), bytes([1, 0x11, 6]), bytes([1, 0x44, 1])]
)
def test_frame_that_is_no_press_is_none(raw: bytes) -> None:
    assert ff68.read_press(one(ff68.encode(raw[0], raw[1], raw[2:]))) is None


def test_wrong_sum_is_dropped() -> None:
    assert Decoder().feed(CALL[:-2] + b"\x0f\x16") == []
    assert Decoder().feed(CALL[:-1] + b"\x17") == []


@pytest.mark.parametrize("whole", [CALL, NO_SHOW, RATING_3, TICKET_123])
def test_frame_is_found_at_every_cut(whole: bytes) -> None:
    for cut in range(len(whole) + 1):
        decoder = Decoder()
        assert decoder.feed(whole[:cut]) + decoder.feed(whole[cut:]) == [one(whole)]


def test_frames_back_to_back_are_all_found() -> None:
    assert Decoder().feed(CALL + NO_SHOW + CALL) == [one(CALL), one(NO_SHOW), one(CALL)]


@pytest.mark.parametrize(
    "noise", ["ff", "ff68", "ff ff 68 00 16 16", "ff 68 03 03 68 01 01", "68 16 ff 68 20 20 68", "ff 68 08 08"]
)
def test_frame_behind_noise_is_found_when_the_line_pauses(noise: str) -> None:
    decoder = Decoder()
    frames = decoder.feed(bytes.fromhex(noise) + CALL)
    assert (frames or decoder.quiet()) == [one(CALL)]


@given(noise=st.binary(max_size=200))
def test_pause_then_frame_is_found_behind_any_noise(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    decoder.quiet()
    assert decoder.feed(CALL) == [one(CALL)]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        for frame in decoder.feed(chunk):
            ff68.read_press(frame)
        assert decoder.kept_bytes <= ff68.MAX_LENGTH + 7


@given(address=st.integers(0, 255), command=st.integers(0, 255), data=st.binary(max_size=ff68.MAX_LENGTH - 2))
def test_any_frame_comes_back(address: int, command: int, data: bytes) -> None:
    assert one(ff68.encode(address, command, data)) == Frame(address=address, command=command, data=data)


def test_frame_longer_than_any_pad_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        ff68.encode(1, 1, bytes(40))
