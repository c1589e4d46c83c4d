"""The virtual printer by itself, driven with bytes that our driver did not make."""

import io
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import zxingcpp
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.virtual.paper import MAX_PAPER_DOTS, PaperReader
from drivers.virtual.printer import Trouble, VirtualPrinter
from tests.patience import PATIENCE_S

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    virtual = VirtualPrinter("tcp://127.0.0.1:0")
    yield virtual
    virtual.close()


@pytest.fixture
def wire(printer: VirtualPrinter) -> Iterator[socket.socket]:
    host, _, port = printer.url.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connected:
        yield connected


def ask(wire: socket.socket, question: bytes, count: int) -> bytes:
    wire.sendall(question)
    answer = b""
    while len(answer) < count:
        piece = wire.recv(count - len(answer))
        assert piece, "the printer closed the connection"
        answer += piece
    return answer


STATUS = bytes.fromhex("100401 100402 100403 100404")


@pytest.mark.parametrize(
    ("trouble", "answers", "asb"),
    [
        (None, "12121212", "10000000"),
        (Trouble.PAPER_NEAR_END, "1212121e", "10000300"),
        (Trouble.PAPER_OUT, "1a32127e", "18000f0f"),
        (Trouble.COVER_OPEN, "1a161212", "38000000"),
        (Trouble.CUTTER_JAM, "1a521a12", "18080000"),
    ],
)
def test_status_is_what_real_printers_say(
    printer: VirtualPrinter, wire: socket.socket, trouble: Trouble | None, answers: str, asb: str
) -> None:
    assert ask(wire, bytes.fromhex("1d61ff"), 4) == bytes.fromhex("10000000")
    if trouble is not None:
        printer.suffer(trouble)
        assert ask(wire, b"", 4) == bytes.fromhex(asb)
    assert ask(wire, STATUS, 4) == bytes.fromhex(answers)


def test_the_barrier_waits_for_paper_and_real_time_questions_do_not(
    printer: VirtualPrinter, wire: socket.socket
) -> None:
    printer.suffer(Trouble.PAPER_OUT)
    wire.sendall(b"A012\n\x1dV\x00\x1dr\x01")
    assert ask(wire, b"\x10\x04\x04", 1) == b"\x7e"
    assert printer.printed == 0
    printer.suffer(Trouble.PAPER_OUT, False)
    assert ask(wire, b"", 1) == b"\x00"
    assert [ticket.lines for ticket in printer.tickets] == [("A012",)]


def test_a_blocked_cutter_needs_recovery_which_forgets_what_was_waiting(
    printer: VirtualPrinter, wire: socket.socket
) -> None:
    printer.suffer(Trouble.CUTTER_JAM)
    wire.sendall(b"lost\n\x1dV\x00")
    printer.suffer(Trouble.CUTTER_JAM, False)
    assert ask(wire, b"\x10\x04\x01", 1) == b"\x1a"
    assert ask(wire, b"\x10\x05\x02\x10\x04\x01", 1) == b"\x12"
    wire.sendall(b"next\n\x1dV\x00")
    assert printer.wait_for(1, PATIENCE_S)
    assert [ticket.lines for ticket in printer.tickets] == [("next",)]


def test_a_silent_printer_prints_and_a_noisy_one_answers_noise(printer: VirtualPrinter, wire: socket.socket) -> None:
    printer.suffer(Trouble.SILENT)
    wire.sendall(b"A\n\x1dV\x00\x1dr\x01")
    assert printer.wait_for(1, PATIENCE_S)
    printer.suffer(Trouble.SILENT, False)
    printer.suffer(Trouble.GARBAGE)
    assert ask(wire, b"\x10\x04\x01", 5) == bytes.fromhex("8091ffa5b1")


def test_a_printer_that_stops_reading_leaves_the_bytes_in_the_cable(
    printer: VirtualPrinter, wire: socket.socket
) -> None:
    printer.suffer(Trouble.STOP_READING)
    wire.sendall(b"A\n\x1dV\x00")
    assert not printer.wait_for(1, 0.2)
    printer.suffer(Trouble.STOP_READING, False)
    assert printer.wait_for(1, PATIENCE_S)


def test_a_slow_printer_takes_its_time(printer: VirtualPrinter, wire: socket.socket) -> None:
    printer.suffer(Trouble.SLOW)
    began_s = time.monotonic()
    wire.sendall(b"x" * 200 + b"\n\x1dV\x00")
    assert printer.wait_for(1, PATIENCE_S)
    assert time.monotonic() - began_s > 0.4


def test_switching_off_and_on_drops_the_line_and_what_was_waiting(printer: VirtualPrinter, wire: socket.socket) -> None:
    printer.suffer(Trouble.PAPER_OUT)
    assert ask(wire, b"A\n\x1dV\x00\x10\x04\x04", 1) == b"\x7e"
    printer.switch_off_and_on()
    assert wire.recv(1) == b""
    printer.suffer(Trouble.PAPER_OUT, False)
    assert printer.printed == 0


def test_tickets_of_another_program_are_read_too() -> None:
    other = Dummy(profile="TM-T88V")
    other.set(align="center", double_height=True, double_width=True)
    other.text("税务专区\n")
    other.set(custom_size=True, width=6, height=6)
    other.text("B007\n")
    other.qr("http://hall/t/b007", native=True, size=6)
    other.cut()
    (ticket,) = PaperReader(576, lambda n: None).feed(other.output, NOW)
    assert ticket.label == "B007"
    assert ticket.lines[0] == "税务专区"
    assert ticket.qr == "http://hall/t/b007"
    assert [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(ticket.png)))] == ["http://hall/t/b007"]


TICKET = bytes.fromhex("1b40 1c26 1b6101 1d2111") + "综合业务\n".encode("gbk") + bytes.fromhex(
    "1d2177 41303132 0a 1d763000 0100 0200 10ff 1d286b0300314306 1d286b0500315030 6869 1d286b0300315130 1d564200"
)  # fmt: skip


@pytest.mark.parametrize("at", range(len(TICKET) + 1))
def test_a_ticket_is_the_same_wherever_its_bytes_are_cut(at: int) -> None:
    reader = PaperReader(576, lambda n: None)
    tickets = [*reader.feed(TICKET[:at], NOW), *reader.feed(TICKET[at:], NOW)]
    assert [(ticket.lines, ticket.label, ticket.qr) for ticket in tickets] == [(("综合业务", "A012"), "A012", "hi")]
    assert tickets[0].size == len(TICKET)


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_noise_for_ever_never_raises_and_keeps_a_bounded_paper(pieces: list[bytes]) -> None:
    reader = PaperReader(384, lambda n: None)
    for piece in pieces:
        for ticket in reader.feed(piece, NOW):
            assert Image.open(io.BytesIO(ticket.png)).height <= MAX_PAPER_DOTS + 4000
