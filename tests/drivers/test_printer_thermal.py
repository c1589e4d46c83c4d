"""The printer driver against the virtual printer, over sockets and ptys: every trouble, the cable cut at any byte."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

import pytest

from drivers.driver import Wiring
from drivers.faults import FaultCode, Health, HealthStatus, LineDown, Paper
from drivers.jobs import PrintTicket, ResultStatus, Say
from drivers.printer import thermal
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.virtual.line import Cut
from drivers.virtual.printer import Trouble, VirtualPrinter
from tests.patience import PATIENCE_S, until

JOB = PrintTicket(
    hall_name={"zh": "大厅", "en": "Hall"},
    ticket="20261121-A012",
    label="A012",
    service={"zh": "综合业务", "en": "General"},
    zone={"zh": "综合专区"},
    floor=None,
    windows=("3",),
    ahead=1,
    eta_low_s=60,
    eta_high_s=120,
    issued_at=datetime(2026, 11, 21, 10, 32, tzinfo=timezone(timedelta(hours=8))),
    priority=None,
    priority_name=None,
    track_url="http://hall/t/x",
    languages=("zh",),
    advice=None,
    notice=None,
    reprint=False,
    drill=False,
)


class Started:
    """Counts how often the driver said that it begins."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that answers late on a busy machine is not a silent one."""
    monkeypatch.setattr(thermal, "ANSWER_S", PATIENCE_S)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a silent printer up soon."""
    monkeypatch.setattr(thermal, "ANSWER_S", 0.1)


@pytest.fixture(params=["tcp", "pty"])
def virtual(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualPrinter]:
    place = "tcp://127.0.0.1:0" if request.param == "tcp" else f"pty://{tmp_path}/printer"
    printer = VirtualPrinter(place)
    yield printer
    printer.close()


@pytest.fixture
def over_tcp() -> Iterator[VirtualPrinter]:
    printer = VirtualPrinter("tcp://127.0.0.1:0")
    yield printer
    printer.close()


class Driver(Protocol):
    """Makes drivers of a virtual printer."""

    def __call__(
        self, virtual: VirtualPrinter, *, print_s: float = PATIENCE_S, interrupted: bool = False, **options: object
    ) -> ThermalPrinter: ...


@pytest.fixture
def driver() -> Iterator[Driver]:
    made: list[ThermalPrinter] = []

    def make(
        virtual: VirtualPrinter, *, print_s: float = PATIENCE_S, interrupted: bool = False, **options: object
    ) -> ThermalPrinter:
        chosen = EscposOptions(**options)  # type: ignore[arg-type]  # the options of a test
        url = virtual.url if virtual.url.startswith("tcp") else f"{virtual.url}?baud=115200"
        wiring = Wiring(device="printer-1", url=url, options=chosen, interrupted=interrupted)
        made.append(ThermalPrinter(wiring, print_s=print_s))
        return made[-1]

    yield make
    for printer in made:
        printer.close()


def test_a_ticket_is_printed_when_the_printer_said_so(driver: Driver, virtual: VirtualPrinter) -> None:
    started = Started()
    result = driver(virtual).do(JOB, started)
    assert result.status is ResultStatus.PRINTED
    assert started.times == 1
    assert [(ticket.label, ticket.qr) for ticket in virtual.tickets] == [("A012", "http://hall/t/x")]


def test_many_tickets_go_over_one_connection(driver: Driver, virtual: VirtualPrinter) -> None:
    printer = driver(virtual)
    for number in range(1, 6):
        assert printer.do(replace(JOB, label=f"A{number:03}"), Started()).status is ResultStatus.PRINTED
    assert [ticket.label for ticket in virtual.tickets] == ["A001", "A002", "A003", "A004", "A005"]


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Trouble.PAPER_OUT, FaultCode.PAPER_OUT),
        (Trouble.COVER_OPEN, FaultCode.COVER_OPEN),
        (Trouble.CUTTER_JAM, FaultCode.CUTTER),
    ],
)
def test_a_printer_that_cannot_print_refuses_before_anything_is_begun(
    driver: Driver, over_tcp: VirtualPrinter, trouble: Trouble, code: FaultCode
) -> None:
    over_tcp.suffer(trouble)
    started = Started()
    result = driver(over_tcp).do(JOB, started)
    assert (result.status, result.detail.partition(":")[0]) == (ResultStatus.FAILED, code)
    assert started.times == 0
    over_tcp.suffer(trouble, False)
    assert over_tcp.printed == 0


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Trouble.PAPER_OUT, FaultCode.PAPER_OUT),
        (Trouble.COVER_OPEN, FaultCode.COVER_OPEN),
        (Trouble.CUTTER_JAM, FaultCode.CUTTER),
    ],
)
def test_trouble_while_a_ticket_is_printed_is_failed_with_its_code(
    driver: Driver, over_tcp: VirtualPrinter, trouble: Trouble, code: FaultCode
) -> None:
    # the trouble comes between the last question and the first byte of the ticket
    result = driver(over_tcp).do(JOB, lambda: over_tcp.suffer(trouble))
    assert (result.status, result.detail.partition(":")[0]) == (ResultStatus.FAILED, code)
    assert over_tcp.printed == 0


def test_near_end_is_told_and_the_ticket_counts(driver: Driver, over_tcp: VirtualPrinter) -> None:
    over_tcp.suffer(Trouble.PAPER_NEAR_END)
    printer = driver(over_tcp)
    assert printer.do(JOB, Started()).status is ResultStatus.PRINTED
    health = printer.check()
    assert (health.status, health.paper) == (HealthStatus.DEGRADED, Paper.NEAR_END)


@pytest.mark.usefixtures("hurry")
def test_a_silent_printer_prints_and_nobody_knows(driver: Driver, over_tcp: VirtualPrinter) -> None:
    over_tcp.suffer(Trouble.SILENT)
    printer = driver(over_tcp)
    started = Started()
    assert printer.do(JOB, started).status is ResultStatus.UNKNOWN
    assert started.times == 1
    assert over_tcp.wait_for(1, PATIENCE_S)
    health = printer.check()
    assert (health.status, health.paper) == (HealthStatus.DEGRADED, Paper.UNKNOWN)


@pytest.mark.usefixtures("hurry")
def test_a_silent_printer_is_not_waited_for_with_every_ticket(
    driver: Driver, over_tcp: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_tcp.suffer(Trouble.SILENT)
    printer = driver(over_tcp)
    printer.do(JOB, Started())

    def ask(_: ThermalPrinter) -> None:
        raise AssertionError("asked again, and waited for the silence")

    monkeypatch.setattr(ThermalPrinter, "_questions", ask)
    for number in range(2, 6):
        assert printer.do(replace(JOB, label=f"A00{number}"), Started()).status is ResultStatus.UNKNOWN
    assert over_tcp.wait_for(5, PATIENCE_S)


def test_what_a_killed_process_left_half_done_is_ended_and_cut_off(driver: Driver, over_tcp: VirtualPrinter) -> None:
    host, _, port = over_tcp.url.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port))) as killed:
        killed.sendall(b"\x1b@A001\n\x1dv0\x00\x48\x00\x00\x01half")  # 72 x 256 bytes are still awaited
    printer = driver(over_tcp, interrupted=True)
    assert printer.do(JOB, Started()).status is ResultStatus.PRINTED
    assert [ticket.lines[0] for ticket in over_tcp.tickets] == ["A001", "大厅"]


def test_a_profile_that_never_answers_is_not_asked(driver: Driver, over_tcp: VirtualPrinter) -> None:
    printer = driver(over_tcp, answers=False)
    assert printer.do(JOB, Started()).status is ResultStatus.UNKNOWN
    assert over_tcp.wait_for(1, PATIENCE_S)
    assert printer.check().status is HealthStatus.OK


def test_what_a_printer_calls_itself_stands_in_the_register(driver: Driver) -> None:
    names = {67: "TM-T88V", 65: "30.14 ESC/POS"}  # letters whose bits look like every kind of status
    virtual = VirtualPrinter("tcp://127.0.0.1:0", names=names)
    try:
        printer = driver(virtual, profile="tm-t88-cn")
        assert printer.check().firmware == "TM-T88V 30.14 ESC/POS"
        assert (printer.check().firmware, bytes(virtual.taken).count(b"\x1dI")) == ("TM-T88V 30.14 ESC/POS", 2)
        assert printer.do(JOB, Started()).status is ResultStatus.PRINTED
        virtual.suffer(Trouble.COVER_OPEN)
        assert printer.check().faults[0].code is FaultCode.COVER_OPEN
    finally:
        virtual.close()


@pytest.mark.usefixtures("hurry")
def test_a_printer_that_does_not_tell_its_name_is_asked_once_and_works(
    driver: Driver, over_tcp: VirtualPrinter
) -> None:
    printer = driver(over_tcp, profile="tm-t88-cn")
    assert (printer.check(), printer.check()) == (Health(paper=Paper.OK), Health(paper=Paper.OK))
    assert bytes(over_tcp.taken).count(b"\x1dI") == 2
    assert printer.do(JOB, Started()).status is ResultStatus.PRINTED


@pytest.fixture(params=["tcp", "pty"])
def telling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualPrinter]:
    """A printer that answers no question and says by itself what is wrong."""
    place = "tcp://127.0.0.1:0" if request.param == "tcp" else f"pty://{tmp_path}/printer"
    printer = VirtualPrinter(place, automatic=True)
    yield printer
    printer.close()


def test_a_printer_that_only_tells_faults_stops_the_kiosk_and_confirms_nothing(
    driver: Driver, telling: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thermal, "UNASKED_S", 0.5)
    printer = driver(telling, profile="automatic-80")
    assert (printer.check().status, printer.check().paper) == (HealthStatus.OK, Paper.OK)
    assert printer.do(JOB, Started()).status is ResultStatus.UNKNOWN
    assert telling.wait_for(1, PATIENCE_S)
    telling.suffer(Trouble.PAPER_OUT)
    until(lambda: printer.check().paper is Paper.OUT, "it said so by itself")
    begun = Started()
    assert printer.do(JOB, begun).detail.startswith("paper_out")
    assert (begun.times, telling.printed) == (0, 1)
    telling.suffer(Trouble.PAPER_OUT, False)
    until(lambda: printer.check().status is HealthStatus.OK, "and that there is paper again")
    monkeypatch.setattr(thermal, "UNASKED_S", PATIENCE_S)
    result = printer.do(JOB, lambda: telling.suffer(Trouble.COVER_OPEN))
    assert (result.status, result.detail.partition(":")[0]) == (ResultStatus.FAILED, "cover_open")


@pytest.mark.usefixtures("hurry")
def test_a_printer_that_always_told_and_says_nothing_any_more_is_not_called_well(
    driver: Driver, over_tcp: VirtualPrinter
) -> None:
    printer = driver(over_tcp, automatic=True)
    until(lambda: all(printer.check().paper is Paper.OK for _ in range(3)), "it says how it is")
    over_tcp.suffer(Trouble.SILENT)
    assert (printer.check().status, printer.check().paper) == (HealthStatus.DEGRADED, Paper.UNKNOWN)
    assert (printer.check().faults[0].code) is FaultCode.NO_ANSWER


@pytest.mark.usefixtures("hurry")
def test_a_printer_that_falls_silent_after_the_question_is_unknown(driver: Driver, over_tcp: VirtualPrinter) -> None:
    result = driver(over_tcp, print_s=1.5).do(JOB, lambda: over_tcp.suffer(Trouble.SILENT))
    assert result.status is ResultStatus.UNKNOWN


@pytest.mark.usefixtures("hurry")
def test_noise_is_never_taken_for_a_confirmation(driver: Driver, over_tcp: VirtualPrinter) -> None:
    result = driver(over_tcp, print_s=1.5).do(JOB, lambda: over_tcp.suffer(Trouble.GARBAGE))
    assert result.status is ResultStatus.UNKNOWN


def test_a_slow_printer_is_waited_for(driver: Driver, over_tcp: VirtualPrinter) -> None:
    over_tcp.suffer(Trouble.SLOW)
    assert driver(over_tcp).do(JOB, Started()).status is ResultStatus.PRINTED


def test_an_unreachable_printer_raises_before_anything_is_begun(driver: Driver, virtual: VirtualPrinter) -> None:
    virtual.suffer(Trouble.UNPLUGGED)
    started = Started()
    with pytest.raises(LineDown):
        driver(virtual).do(JOB, started)
    assert started.times == 0


def test_a_connection_dropped_while_idle_is_opened_anew_and_no_ticket_is_lost(
    driver: Driver, virtual: VirtualPrinter
) -> None:
    printer = driver(virtual)
    assert printer.do(JOB, Started()).status is ResultStatus.PRINTED
    virtual.line.cut("close")
    assert printer.do(replace(JOB, label="A013"), Started()).status is ResultStatus.PRINTED
    assert virtual.tickets[-1].label == "A013"


def test_a_late_confirmation_does_not_confirm_the_next_ticket(driver: Driver, over_tcp: VirtualPrinter) -> None:
    printer = driver(over_tcp, print_s=0.3)
    assert printer.do(JOB, lambda: over_tcp.suffer(Trouble.PAPER_OUT)).status is not ResultStatus.PRINTED
    over_tcp.suffer(Trouble.PAPER_OUT, False)
    result = printer.do(replace(JOB, label="A013"), lambda: over_tcp.suffer(Trouble.PAPER_OUT))
    assert result.status is not ResultStatus.PRINTED


def test_a_cleared_cutter_is_told_to_go_on(driver: Driver, over_tcp: VirtualPrinter) -> None:
    printer = driver(over_tcp)
    over_tcp.suffer(Trouble.CUTTER_JAM)
    assert [fault.code for fault in printer.check().faults] == [FaultCode.CUTTER]
    over_tcp.suffer(Trouble.CUTTER_JAM, False)
    printer._recovered_s = None  # ten seconds later
    printer.check()
    assert printer.check().status is HealthStatus.OK


LENGTH = 9 + 330
"""Bytes of a ticket and its questions: the sweep below goes over all of it."""


@pytest.mark.parametrize("how", ["close", "reset", "unplug"])
@pytest.mark.parametrize("count", [*range(1, 12), *range(12, LENGTH, 29)])
def test_a_cable_cut_at_any_byte_never_prints_twice_and_never_lies(
    driver: Driver, over_tcp: VirtualPrinter, count: int, how: Cut
) -> None:
    over_tcp.line.cut_after(count, how)
    printer = driver(over_tcp)
    started = Started()
    try:
        status = printer.do(JOB, started).status
    except LineDown:
        assert started.times == 0
        assert over_tcp.printed == 0
        return
    if status is ResultStatus.PRINTED:
        assert over_tcp.printed == 1
    else:
        assert status is ResultStatus.UNKNOWN
        assert started.times == 1
    over_tcp.line.replug()
    assert printer.do(replace(JOB, label="A013"), Started()).status is ResultStatus.PRINTED
    assert [ticket.label for ticket in over_tcp.tickets].count("A012") <= 1
    assert over_tcp.tickets[-1].label == "A013"
    assert "A012" not in over_tcp.tickets[-1].text, "two numbers on one piece of paper"


def test_a_torn_picture_does_not_swallow_the_next_ticket(driver: Driver, over_tcp: VirtualPrinter) -> None:
    over_tcp.line.cut_after(9 + 400, "close")  # in the middle of the drawn name
    printer = driver(over_tcp)
    assert printer.do(replace(JOB, hall_name={"zh": "㛃" * 8}), Started()).status is ResultStatus.UNKNOWN
    assert printer.do(replace(JOB, label="A013"), Started()).status is ResultStatus.PRINTED
    assert over_tcp.tickets[-1].label == "A013"


def test_a_printer_says_nothing_aloud(driver: Driver, over_tcp: VirtualPrinter) -> None:
    say = Say(ticket="t", label="A1", window="1", window_name={"zh": "1"}, zone="z", languages=("zh",), call_count=1)
    assert driver(over_tcp).do(say, Started()).status is ResultStatus.FAILED


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"profile": "xp80"}, "profile: 'xp80' is not known"),
        ({"max_scale": 9}, "max_scale: must be 1..8"),
        ({"font": "/no/such.ttf"}, "font: '/no/such.ttf' is not a font"),
    ],
)
def test_options_that_no_printer_has_are_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EscposOptions(**options)  # type: ignore[arg-type]  # wrong on purpose
