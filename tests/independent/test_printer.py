"""Tickets printed by an emulator that nobody here wrote (emupos, needs Python 3.13), their symbols read by zxing.

The emulator has no Chinese: it writes the bytes it was given as code page 437, from which they are read back.
"""

import io
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus, LineDown, Paper
from drivers.jobs import PrintTicket, ResultStatus
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from tests.drivers.test_printer_ticket import STOPS, TICKET, URL
from tests.patience import until

EMUPOS = os.environ.get("EMUPOS", "")
pytestmark = pytest.mark.skipif(not EMUPOS, reason="emupos is not installed: it needs Python 3.13")


@dataclass
class Emulator:
    """The emulator's printer and what came out of it."""

    home: Path
    url: str
    control: str

    def receipts(self) -> list[str]:
        files = sorted((self.home / "receipts").glob("*.txt"))
        return [file.read_text("utf-8").encode("cp437").decode("gb18030") for file in files]

    def newest(self) -> Image.Image:
        return Image.open(io.BytesIO(max((self.home / "receipts").glob("*.png")).read_bytes()))

    def fault(self, what: str, name: str) -> None:
        command = [EMUPOS, "fault", what, "front", name]
        environment = {**os.environ, "EMUPOS_URL": self.control}
        subprocess.run(command, cwd=self.home, env=environment, check=True, capture_output=True, timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    home, port = tmp_path_factory.mktemp("emupos"), free_port()
    (home / "emupos.yaml").write_text(
        "schema: 1\ndevices:\n  - id: front\n    type: printer\n    profile: xprinter-xp80t\n"
        f"    connections:\n      - tcp: {{port: {port}}}\n    receipts_dir: ./receipts\n"
    )
    with (home / "log").open("w") as log:
        running = subprocess.Popen([EMUPOS, "run", "--config", "emupos.yaml"], cwd=home, stdout=log, stderr=log)
    made = Emulator(home=home, url=f"tcp://127.0.0.1:{port}", control="http://127.0.0.1:8765")

    def listens() -> bool:
        assert running.poll() is None, (home / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    until(listens, "the emulator listens")
    yield made
    running.terminate()
    running.wait(30)


@pytest.fixture
def printer(emulator: Emulator) -> Iterator[ThermalPrinter]:
    made = ThermalPrinter(Wiring(device="p", url=emulator.url, options=EscposOptions()))
    yield made
    made.close()


def begun() -> None: ...


@pytest.mark.parametrize(
    "ticket",
    [TICKET, replace(TICKET, languages=("en", "zh")), replace(TICKET, stops=STOPS, lead_window="12", reprint=True)],
)
def test_a_ticket_is_printed_line_by_line_and_its_symbol_is_read(
    emulator: Emulator, printer: ThermalPrinter, ticket: PrintTicket
) -> None:
    before = len(emulator.receipts())
    assert printer.do(ticket, begun).status is ResultStatus.PRINTED
    until(lambda: len(emulator.receipts()) > before, "the receipt is written")
    text = emulator.receipts()[-1]
    for words in ("谯城区政务服务中心", "A012", "综合业务", "二楼", "扫码看排队进度", "2026-11-21 10:32"):
        assert words in text
    assert ("补打" in text) == ticket.reprint
    assert [found.text for found in zxingcpp.read_barcodes(emulator.newest())] == [URL]


def test_a_symbol_and_a_number_drawn_as_pictures_are_read_as_well(emulator: Emulator) -> None:
    before = len(emulator.receipts())
    options = EscposOptions(qr="raster", max_scale=2)
    drawn = ThermalPrinter(Wiring(device="p", url=emulator.url, options=options))
    assert drawn.do(TICKET, begun).status is ResultStatus.PRINTED
    drawn.close()
    until(lambda: len(emulator.receipts()) > before, "the receipt is written")
    assert [found.text for found in zxingcpp.read_barcodes(emulator.newest())] == [URL]


@pytest.mark.parametrize(
    ("fault", "code", "paper"),
    [
        ("paper-out", FaultCode.PAPER_OUT, Paper.OUT),
        ("cover-open", FaultCode.COVER_OPEN, Paper.OK),
        ("offline", FaultCode.OFFLINE, Paper.OK),
    ],
)
def test_a_fault_is_understood_and_nothing_is_begun(
    emulator: Emulator, printer: ThermalPrinter, fault: str, code: FaultCode, paper: Paper
) -> None:
    def never() -> None:
        pytest.fail("begun")

    emulator.fault("set", fault)
    try:
        health = printer.check()
        assert (health.status, [each.code for each in health.faults], health.paper) == (
            HealthStatus.DOWN, [code], paper,
        )  # fmt: skip
        result = printer.do(TICKET, never)
        assert (result.status, result.detail.partition(":")[0]) == (ResultStatus.FAILED, code)
    finally:
        emulator.fault("clear", fault)
    until(_is_well(printer), "the printer is well again")


def test_near_end_is_told_and_the_ticket_counts(emulator: Emulator, printer: ThermalPrinter) -> None:
    emulator.fault("set", "paper-near-end")
    try:
        assert printer.check().paper is Paper.NEAR_END
        assert printer.do(TICKET, begun).status is ResultStatus.PRINTED
    finally:
        emulator.fault("clear", "paper-near-end")


def test_paper_that_ends_in_the_middle_is_failed_and_the_next_ticket_stands_on_its_own(
    emulator: Emulator, printer: ThermalPrinter
) -> None:
    result = printer.do(replace(TICKET, label="A777"), lambda: emulator.fault("set", "paper-out"))
    emulator.fault("clear", "paper-out")
    assert (result.status, result.detail.partition(":")[0]) == (ResultStatus.FAILED, FaultCode.PAPER_OUT)
    until(_is_well(printer), "the printer is well again")
    assert printer.do(replace(TICKET, label="A778"), begun).status is ResultStatus.PRINTED
    until(lambda: any("A778" in text for text in emulator.receipts()), "the receipt is written")
    assert not [text for text in emulator.receipts() if "A777" in text and "A778" in text]


def test_what_the_emulator_says_by_itself_is_understood_without_a_question(emulator: Emulator) -> None:
    printer = ThermalPrinter(Wiring(device="p", url=emulator.url, options=EscposOptions(profile="automatic-80")))
    try:
        until(_is_well(printer), "it says that it is well")
        before = len(emulator.receipts())
        assert printer.do(replace(TICKET, label="A779"), begun).status is ResultStatus.UNKNOWN
        until(lambda: len(emulator.receipts()) > before, "and it is printed all the same")
        emulator.fault("set", "paper-out")
        until(lambda: printer.check().paper is Paper.OUT, "it says that the paper is out")
        emulator.fault("clear", "paper-out")
        until(_is_well(printer), "and when there is paper again")
    finally:
        printer.close()


def _is_well(printer: ThermalPrinter) -> Callable[[], bool]:
    def well() -> bool:
        try:
            return printer.check().status is HealthStatus.OK
        except LineDown:
            return False

    return well
