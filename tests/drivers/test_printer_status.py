"""What printers say, as the Epson reference has it, whole, cut anywhere and among noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import FaultCode, HealthStatus, Paper
from drivers.printer.status import (
    MAX_NAME,
    Answers,
    PrinterStatus,
    StatusReader,
    barrier_paper,
    from_asb,
    query,
    with_answer,
)


def told(n1: int, n2: int, n3: int, n4: int) -> PrinterStatus:
    status = PrinterStatus()
    for n, byte in ((1, n1), (2, n2), (3, n3), (4, n4)):
        status = with_answer(status, n, byte)
    return status


def test_the_questions_are_dle_eot() -> None:
    assert query(4) == bytes.fromhex("10 04 04")


@pytest.mark.parametrize(
    ("answers", "fault", "paper"),
    [
        ((0x12, 0x12, 0x12, 0x12), None, Paper.OK),
        ((0x12, 0x12, 0x12, 0x1E), None, Paper.NEAR_END),
        ((0x1A, 0x32, 0x12, 0x7E), FaultCode.PAPER_OUT, Paper.OUT),
        ((0x1A, 0x16, 0x12, 0x12), FaultCode.COVER_OPEN, Paper.OK),
        ((0x1A, 0x52, 0x1A, 0x12), FaultCode.CUTTER, Paper.OK),
        ((0x1A, 0x52, 0x32, 0x12), FaultCode.BROKEN, Paper.OK),
        ((0x1A, 0x52, 0x52, 0x12), FaultCode.HEAD_HOT, Paper.OK),
        ((0x1A, 0x12, 0x12, 0x12), FaultCode.OFFLINE, Paper.OK),
    ],
)
def test_real_time_answers_mean(answers: tuple[int, int, int, int], fault: FaultCode | None, paper: Paper) -> None:
    status = told(*answers)
    found = status.fault()
    assert (found.code if found else None, status.paper) == (fault, paper)


def test_near_end_is_degraded_and_paper_out_is_down() -> None:
    assert told(0x12, 0x12, 0x12, 0x1E).health().status is HealthStatus.DEGRADED
    assert told(0x1A, 0x32, 0x12, 0x7E).health().status is HealthStatus.DOWN
    assert told(0x12, 0x12, 0x12, 0x12).health().status is HealthStatus.OK


def test_a_printer_that_did_not_say_has_unknown_paper() -> None:
    assert PrinterStatus().health().paper is Paper.UNKNOWN


@pytest.mark.parametrize(
    ("four", "fault", "paper"),
    [
        ("10000000", None, Paper.OK),
        ("10000300", None, Paper.NEAR_END),
        ("18000f00", FaultCode.PAPER_OUT, Paper.OUT),
        ("38000000", FaultCode.COVER_OPEN, Paper.OK),
        ("18080000", FaultCode.CUTTER, Paper.OK),
    ],
)
def test_automatic_status_means(four: str, fault: FaultCode | None, paper: Paper) -> None:
    status = from_asb(bytes.fromhex(four))
    found = status.fault()
    assert (found.code if found else None, status.paper) == (fault, paper)


@pytest.mark.parametrize(("byte", "paper"), [(0x00, Paper.OK), (0x03, Paper.NEAR_END), (0x0F, Paper.OUT)])
def test_the_barrier_tells_the_paper(byte: int, paper: Paper) -> None:
    assert barrier_paper(byte) is paper


STREAM = bytes.fromhex("12 10000300 00 1e 18000f00 7e 03")
WHOLE = ((0x12, 0x1E, 0x7E), (0x00, 0x03))


def heard(pieces: list[bytes]) -> tuple[tuple[int, ...], tuple[int, ...], PrinterStatus | None, int]:
    reader, all_answers = StatusReader(), Answers()
    for piece in pieces:
        got = reader.feed(piece)
        all_answers = Answers(
            realtime=all_answers.realtime + got.realtime,
            barriers=all_answers.barriers + got.barriers,
            asb=got.asb or all_answers.asb,
        )
    return all_answers.realtime, all_answers.barriers, all_answers.asb, reader.junk


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_answers_are_sorted_wherever_the_stream_is_cut(at: int) -> None:
    realtime, barriers, asb, junk = heard([STREAM[:at], STREAM[at:]])
    assert (realtime, barriers) == WHOLE
    assert asb == from_asb(bytes.fromhex("18000f00"))
    assert junk == 0


def test_answers_are_sorted_byte_by_byte() -> None:
    assert heard([bytes([byte]) for byte in STREAM])[:2] == WHOLE


def test_noise_before_an_answer_is_counted_and_passed() -> None:
    realtime, _, _, junk = heard([b"\xff\x80\xa5", b"\x12"])
    assert (realtime, junk) == ((0x12,), 3)


def test_a_false_start_of_automatic_status_does_not_eat_the_answers_behind_it() -> None:
    assert heard([b"\x10\x12\x1e\x12"])[0] == (0x12, 0x1E, 0x12)


def test_flow_control_is_not_noise() -> None:
    assert heard([b"\x13\x11\x12"])[3] == 0


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_junk_for_ever_never_raises_and_keeps_at_most_three_bytes(pieces: list[bytes]) -> None:
    reader = StatusReader()
    for piece in pieces:
        reader.feed(piece)
        assert len(reader._part) <= 3
    reader.feed(b"\x92\x92\x92")  # ends whatever was begun
    assert reader.feed(b"\x12").realtime == (0x12,)


def test_a_name_is_heard_at_any_cut_only_while_it_is_awaited() -> None:
    stream = b"\x12" + b"_TM-T88V\x00" + b"\x16" + b"_\x00" + b"\x12"
    for cut in range(len(stream) + 1):
        reader = StatusReader()
        reader.await_names(2)
        first, second = reader.feed(stream[:cut]), reader.feed(stream[cut:])
        assert first.names + second.names == ("TM-T88V", "")
        assert first.realtime + second.realtime == (0x12, 0x16, 0x12)
    assert StatusReader().feed(b"_TM\x00").names == ()


def test_a_name_without_an_end_is_given_up() -> None:
    reader = StatusReader()
    reader.await_names(1)
    reader.feed(b"_half")
    reader.await_names(0)
    assert reader.feed(b"\x12").realtime == (0x12,)
    reader.await_names(1)
    assert reader.feed(b"_" + b"!" * MAX_NAME + b"\x12").realtime == (0x12,)
