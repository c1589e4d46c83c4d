"""Modbus requests and answers: published bytes, any cut, noise before, junk for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import modbus
from drivers.modbus import Framing, Reader, Reply

# Modbus Application Protocol 1.1b3, ch. 6.6 and 6.12: register 0001 := 0003, and registers 0001, 0002 := 000A, 0102.
WRITE_ONE = modbus.write_register(0x11, 1, 3)
WRITE_TWO = modbus.write_registers(0x11, 1, [0x000A, 0x0102])
# The examples of Modbus over Serial Line carry CRCs; unit 11 hex, worked out by the un-reflected method.
WRITE_ONE_RTU = bytes.fromhex("11 06 0001 0003 9a9b")
WRITE_TWO_RTU = bytes.fromhex("11 10 0001 0002 04 000a 0102 c6f0")
WRITE_TWO_DONE = bytes.fromhex("11 10 0001 0002 1298")
REFUSED = bytes.fromhex("0a 81 02 b053")  # coil 04A1 of unit 0A: no such address


def test_requests_are_the_published_frames() -> None:
    assert modbus.encode(WRITE_ONE, "rtu") == WRITE_ONE_RTU
    assert modbus.encode(WRITE_TWO, "rtu") == WRITE_TWO_RTU
    assert modbus.encode(modbus.read_registers(0x11, 0x6B, 3), "rtu") == bytes.fromhex("11 03 006b 0003 7687")
    assert modbus.encode(modbus.read_coils(0x11, 0x13, 0x25), "rtu") == bytes.fromhex("11 01 0013 0025 0e84")
    assert modbus.encode(modbus.write_coil(0x11, 0xAC, on=True), "rtu") == bytes.fromhex("11 05 00ac ff00 4e8b")


def test_over_tcp_a_header_takes_the_place_of_the_crc() -> None:
    request = modbus.write_register(0x11, 1, 3, tag=0x1501)
    assert modbus.encode(request, "tcp") == bytes.fromhex("1501 0000 0006 11 06 0001 0003")


def test_answers_are_read() -> None:
    reader = Reader("rtu")
    assert reader.feed(WRITE_TWO_DONE) == [Reply(unit=0x11, function=0x10)]
    assert reader.feed(bytes.fromhex("11 03 06 ae41 5652 4340 49ad")) == [
        Reply(unit=0x11, function=3, registers=(0xAE41, 0x5652, 0x4340))
    ]
    (coils,) = reader.feed(bytes.fromhex("11 01 05 cd6bb20e1b 45e6"))
    assert coils.bits[:8] == (True, False, True, True, False, False, True, True)
    assert reader.feed(REFUSED) == [Reply(unit=0x0A, function=1, error=2)]


def test_an_answer_belongs_to_its_question() -> None:
    (reply,) = Reader("rtu").feed(WRITE_TWO_DONE)
    assert reply.answers(WRITE_TWO)
    assert not reply.answers(WRITE_ONE)
    assert not reply.answers(modbus.write_registers(0x12, 1, [1]))
    (reply,) = Reader("tcp").feed(bytes.fromhex("1501 0000 0006 11 06 0001 0003"))
    assert reply.answers(modbus.write_register(0x11, 1, 3, tag=0x1501))
    assert not reply.answers(modbus.write_register(0x11, 1, 3, tag=0x1502))


@pytest.mark.parametrize(("framing", "whole"), [("rtu", WRITE_TWO_DONE), ("rtu", REFUSED), ("tcp", None)])
def test_an_answer_is_found_at_every_cut_and_behind_noise(framing: Framing, whole: bytes | None) -> None:
    frame = whole or bytes.fromhex("0007 0000 0006 11 10 0001 0002")
    (expected,) = Reader(framing).feed(frame)
    for cut in range(len(frame) + 1):
        reader = Reader(framing)
        assert reader.feed(b"\xff\x00\x11" + frame[:cut]) + reader.feed(frame[cut:]) == [expected]


@pytest.mark.parametrize("place", range(len(WRITE_TWO_DONE)))
def test_every_damaged_byte_is_noticed(place: int) -> None:
    damaged = bytearray(WRITE_TWO_DONE)
    damaged[place] ^= 0x04
    assert Reader("rtu").feed(bytes(damaged)) == []


@given(st.lists(st.binary(max_size=400), max_size=20), st.sampled_from(["rtu", "tcp"]))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes], framing: Framing) -> None:
    reader = Reader(framing)
    for chunk in chunks:
        reader.feed(chunk)
        assert reader.kept_bytes < modbus.MAX_ADU_BYTES
    reader.forget()
    assert reader.kept_bytes == 0


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.\.247"):
        modbus.write_register(0, 1, 1)
    with pytest.raises(ValueError, match="123"):
        modbus.write_registers(1, 0, [0] * 124)


def test_silence_between_frames_is_never_below_the_norm() -> None:
    assert modbus.quiet_s(10 / 9600) == pytest.approx(0.00365, abs=0.0001)
    assert modbus.quiet_s(10 / 115_200) == 0.00175
