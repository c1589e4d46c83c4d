"""Paper counted where a printer cannot see it: near its end by count, anew after a change, kept over restarts."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus, Paper
from drivers.jobs import ResultStatus
from drivers.printer.profiles import profiles
from drivers.printer.roll import CUTTER_MM, DOTS_PER_MM, paper_mm
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.printer.ticket import lay_out
from drivers.virtual.printer import Trouble, VirtualPrinter
from server.main import main
from tests.drivers.test_printer_thermal import JOB, Started
from tests.drivers.test_printer_ticket import TICKET, printed
from tests.patience import PATIENCE_S

Make = Callable[..., ThermalPrinter]


@pytest.fixture
def virtual() -> Iterator[VirtualPrinter]:
    printer = VirtualPrinter("tcp://127.0.0.1:0")
    yield printer
    printer.close()


@pytest.fixture
def make(virtual: VirtualPrinter, tmp_path: Path) -> Iterator[Make]:
    made: list[ThermalPrinter] = []

    def make(**options: object) -> ThermalPrinter:
        chosen = EscposOptions(**options)  # type: ignore[arg-type]  # the options of a test
        wiring = Wiring(device="printer-1", url=virtual.url, options=chosen, data_dir=tmp_path / "devices")
        for printer in made:
            printer.close()  # boards take one client
        made.append(ThermalPrinter(wiring, print_s=PATIENCE_S))
        return made[-1]

    yield make
    for printer in made:
        printer.close()


def near(printer: ThermalPrinter) -> bool:
    health = printer.check()
    counted = [fault for fault in health.faults if fault.code is FaultCode.PAPER_NEAR_END]
    assert (health.paper is Paper.NEAR_END) == bool(counted)
    assert (health.status is HealthStatus.DEGRADED) == bool(health.faults)
    return bool(counted)


def issue(printer: ThermalPrinter, count: int) -> None:
    for _ in range(count):
        assert printer.do(JOB, Started()).status in {ResultStatus.PRINTED, ResultStatus.UNKNOWN}


def test_a_silent_printers_roll_is_near_its_end_by_count_also_after_a_restart(make: Make, tmp_path: Path) -> None:
    printer = make(answers=False, roll_tickets=20)
    issue(printer, 17)
    assert not near(printer)
    printer = make(answers=False, roll_tickets=20)
    assert not near(printer)
    issue(printer, 1)
    assert near(printer)
    assert "about 2 tickets left" in printer.check().faults[-1].detail
    answer = CliRunner().invoke(main, ["roll", "printer-1", "--data", str(tmp_path)])
    assert (answer.exit_code, "printer-1" in answer.output) == (0, True)
    assert not near(printer)
    issue(printer, 18)
    assert near(printer)


def test_metres_are_counted_by_what_stands_on_the_papers(make: Make, tmp_path: Path) -> None:
    printer = make(roll_m=1.0)
    issue(printer, 1)
    used = json.loads((tmp_path / "devices" / "rolls" / "printer-1.json").read_text())
    assert used == {"mm": pytest.approx(paper_mm(lay_out(JOB, profiles()["generic-80"])), abs=0.1), "papers": 1}
    while not near(printer):
        issue(printer, 1)
    assert json.loads((tmp_path / "devices" / "rolls" / "printer-1.json").read_text())["mm"] >= 900


@pytest.mark.parametrize("paper", ["generic-58-cutter", "generic-80"])
def test_the_counted_length_is_that_of_the_paper(paper: str) -> None:
    profile = profiles()[paper]
    sheet = Image.open(io.BytesIO(printed(TICKET, profile).png))
    counted = paper_mm(lay_out(TICKET, profile)) - CUTTER_MM
    assert counted == pytest.approx((sheet.height - 64) / DOTS_PER_MM, rel=0.1)


def test_a_printer_that_sees_paper_again_after_it_was_out_has_a_new_roll(make: Make, virtual: VirtualPrinter) -> None:
    printer = make(roll_tickets=10)
    issue(printer, 9)
    assert near(printer)
    virtual.suffer(Trouble.PAPER_OUT)
    assert printer.check().paper is Paper.OUT
    virtual.suffer(Trouble.PAPER_OUT, False)
    assert not near(printer)


def test_what_the_printer_says_itself_counts_more_than_the_count(make: Make, virtual: VirtualPrinter) -> None:
    printer = make(roll_tickets=10)
    issue(printer, 9)
    virtual.suffer(Trouble.PAPER_OUT)
    health = printer.check()
    assert (health.status, health.paper) == (HealthStatus.DOWN, Paper.OUT)


def test_a_new_roll_is_refused_for_a_printer_that_is_not_counted(make: Make, tmp_path: Path) -> None:
    make(roll_m=80.0)
    answer = CliRunner().invoke(main, ["roll", "printer-2", "--data", str(tmp_path)])
    assert answer.exit_code != 0
    assert "printer-1" in answer.output


def test_a_count_that_cannot_be_read_or_written_costs_no_ticket(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "devices" / "rolls"
    folder.mkdir(parents=True)
    (folder / "printer-1.json").write_text("{")
    printer = make(roll_tickets=20)
    issue(printer, 1)
    assert json.loads((folder / "printer-1.json").read_text())["papers"] == 1
    (folder / "printer-1.part").mkdir()
    issue(printer, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"roll_m": 0.5}, "roll_m: must be 1..500"),
        ({"roll_tickets": 5}, "roll_tickets: must be 10..10000"),
        ({"roll_m": 80.0, "roll_tickets": 500}, "not both"),
    ],
)
def test_rolls_that_nobody_sells_are_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EscposOptions(**options)  # type: ignore[arg-type]  # wrong on purpose


class SlowLine:
    """A serial line that takes everything and says nothing."""

    url = "serial:///dev/slow?baud=9600"

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes, timeout_s: float) -> None:
        self.taken += data

    def read(self, timeout_s: float) -> bytes:
        return b""

    def close(self) -> None: ...


@pytest.mark.parametrize(("baud", "has_logo"), [(9600, False), (115200, True)])
def test_a_logo_is_left_out_where_the_line_is_too_slow_for_it(baud: int, has_logo: bool) -> None:
    line = SlowLine()
    options = EscposOptions(answers=False)
    wiring = Wiring(device="p", url=f"serial:///dev/slow?baud={baud}", options=options)
    printer = ThermalPrinter(wiring, open_line=lambda url: line)
    out = io.BytesIO()
    Image.new("1", (384, 64), 0).save(out, "PNG")  # 3.5 KB: 3.7 s at 9600
    printer.do(replace(JOB, logo=out.getvalue()), Started())
    assert (b"\x1dv0" in line.taken) == has_logo
    assert b"A012" in line.taken


@pytest.mark.parametrize(("beep", "data"), [("none", b""), ("buzzer", b"\x1bB\x02\x02"), ("drawer", b"\x1bp\x0022")])
def test_a_printer_beeps_behind_the_cut_where_one_is_wired(beep: str, data: bytes) -> None:
    line = SlowLine()
    options = EscposOptions(answers=False, beep=beep)  # type: ignore[arg-type]  # one of the three
    printer = ThermalPrinter(Wiring(device="p", url=line.url, options=options), open_line=lambda url: line)
    printer.do(JOB, Started())
    assert line.taken.endswith(b"\x1dVB\x00" + data)
