"""The agent with a pretend panel, card reader and scanner on ptys: what people do there reaches the hall, once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import random
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from drivers import hall_news
from drivers.agent import Agent
from drivers.devices_file import read_devices
from drivers.driver import Wiring
from drivers.faults import HealthStatus, LineDown
from drivers.idcard import cards, reader, sam
from drivers.idcard.reader import ReaderOptions
from drivers.jobs import CardShown
from drivers.journal import Journal
from drivers.panel import modbus as modbus_panel
from drivers.panel.modbus import ModbusPanelOptions
from drivers.panel.options import Button
from drivers.scanner import scanner
from drivers.scanner.scanner import ScannerOptions
from drivers.transport import open_line
from drivers.virtual.idcard import CardReaderTwin, Person, people
from drivers.virtual.line import VirtualLine
from drivers.virtual.panel import PanelTwin, PretendButton
from drivers.virtual.scanner import ScannerTwin
from tests.drivers.conftest import HALL, TOKEN, FakeServer
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drivers.driver import StateDriver
    from drivers.jobs import Input
    from drivers.transport import Line

FIRST17 = "99010119491231009"  # of a district there is not
CANARY = Person(name="犇骉", number=FIRST17 + cards.check_digit(FIRST17), born="19491231")
BUTTONS = (PretendButton(service="tax", name="办税"), PretendButton(service="social", name="社保"))
URL = "https://queue.example.cn/t/demo/aB3xYz0123456789QwErTy"


class Owner:
    """Owns the port as the agent does."""

    def __init__(self, url: str, driver: StateDriver) -> None:
        self.url, self.driver = url, driver
        self.line: Line | None = None
        self.heard: list[Input] = []

    def until(self, condition: Callable[[], object], what: str) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, f"it did not happen in time: {what}"
            self.turn()

    def turn(self) -> None:
        try:
            if self.line is None:
                self.line = open_line(self.url)
                self.driver.line_up(time.monotonic())
            if frame := self.driver.due(time.monotonic()):
                self.line.write(frame, 1.0)
            if data := self.line.read(0.005):
                self.heard.extend(self.driver.feed(data, time.monotonic()))
        except LineDown:
            self.line = None
            time.sleep(0.02)

    def is_well(self) -> bool:
        return self.line is not None and self.driver.health(time.monotonic()).status is HealthStatus.OK


def card_reader(url: str) -> Owner:
    wiring = Wiring(device="reader-1", url=url, options=ReaderOptions(), kiosk="kiosk-1", secret=lambda: b"k" * 32)
    return Owner(url, reader.make(wiring))


def panel(url: str) -> Owner:
    options = ModbusPanelOptions(
        buttons=(Button(key=0, service="tax", lamp=0), Button(key=1, service="social", lamp=1)), buzzer=2, again_ms=200
    )
    return Owner(url, modbus_panel.make(Wiring(device="panel-1", url=url, options=options, kiosk="kiosk-1")))


def code_scanner(url: str) -> Owner:
    return Owner(url, scanner.make(Wiring(device="scanner-1", url=url, options=ScannerOptions(), kiosk="kiosk-1")))


def test_a_card_survives_every_fault_of_its_reader(tmp_path: Path) -> None:
    twin = CardReaderTwin(f"pty://{tmp_path}/reader")
    owner = card_reader(twin.url)
    try:
        owner.until(owner.is_well, "the reader answers")
        for fault in ("silent", "garbage", "torn", "refuse", "unplug"):
            twin.misbehave(fault)
            owner.until(lambda: not owner.is_well(), f"{fault} is seen")
            twin.misbehave(None)
            owner.until(owner.is_well, f"the reader is back after {fault}")
        twin.misbehave("slow")
        twin.lay(people()[0])
        owner.until(lambda: owner.heard, "a slow reader reads")
        twin.misbehave(None)
        assert [type(each) for each in owner.heard] == [CardShown]
        twin.lay(people()[1])
        owner.until(lambda: len(owner.heard) > 1, "the next card is read")
        assert owner.driver.health(time.monotonic()).firmware == "05.01-20070603-0000012345-0000000001"
    finally:
        twin.close()


def test_a_panel_survives_every_fault_of_its_module(tmp_path: Path) -> None:
    twin = PanelTwin(f"pty://{tmp_path}/panel", BUTTONS)
    owner = panel(twin.url)
    try:
        owner.until(owner.is_well, "the module answers")
        for fault in ("silent", "garbage", "refuse", "unplug"):
            twin.misbehave(fault)
            owner.until(lambda: not owner.is_well(), f"{fault} is seen")
            twin.misbehave(None)
            owner.until(owner.is_well, f"the module is back after {fault}")
        for number, trouble in enumerate((None, "slow", "bounce", "stuck"), start=1):
            twin.misbehave(trouble)
            rested_s = time.monotonic() + 0.6  # longer than a finger, and than a button rests after a press
            owner.until(lambda s=rested_s: time.monotonic() > s, "the button has rested")  # type: ignore[misc]
            owner.until(lambda: owner.driver._before == (False, False), "the button is up")  # type: ignore[attr-defined]
            twin.press("0")
            owner.until(lambda wanted=number: len(owner.heard) >= wanted, f"a press under {trouble}")  # type: ignore[misc]
            twin.misbehave(None)
    finally:
        twin.close()
    assert {type(each).__name__ for each in owner.heard} == {"TakeNumber"}


@pytest.mark.parametrize("kind", ["reader", "panel", "scanner"])
def test_ten_thousand_bad_frames_on_a_pty(tmp_path: Path, kind: str) -> None:
    line = VirtualLine(f"pty://{tmp_path}/line", lambda _: None)
    good = {
        "reader": sam.encode(b"\x00\x00\x9f\x00\x00\x00\x00"),
        "panel": bytes.fromhex("01 02 01 01 60 48"),
        "scanner": f"{URL}\r".encode(),
    }[kind]
    owner = {"reader": card_reader, "panel": panel, "scanner": code_scanner}[kind](line.url)
    chance = random.Random(11)
    try:
        owner.until(lambda: owner.line, "open")
        for _ in range(100):
            bad = bytearray()
            for _ in range(100):
                frame = bytearray(good)
                # never its end: the frame after it is whole again
                frame[chance.randrange(len(frame) - 1)] ^= 0x80
                bad += frame
            line.send(bytes(bad))
            owner.turn()
        assert owner.heard == []
        line.send(b"\r" + good)
        if kind == "scanner":
            owner.until(lambda: owner.heard, "a good code after ten thousand bad ones")
        else:
            owner.turn()
            assert owner.heard == []
    finally:
        line.close()


# ------------------------------------------------------------------------------------------------------ the agent


class Bench:
    """Three twins and the agent that drives them."""

    def __init__(self, folder: Path, server: FakeServer) -> None:
        self.folder = folder
        self.panel = PanelTwin(f"pty://{folder}/panel", BUTTONS, "kiosk-1")
        self.reader = CardReaderTwin(f"pty://{folder}/reader", "kiosk-1")
        self.scanner = ScannerTwin(f"pty://{folder}/scanner", "kiosk-1")
        file = f"""
schema = 1
hall = "{HALL}"
[[device]]
id = "panel-1"
driver = "modbus-panel"
url = "{self.panel.url}"
kiosks = ["kiosk-1"]
[device.options]
buttons = [{{ key = 0, service = "tax", lamp = 0 }}, {{ key = 1, service = "social", priority = "elderly", lamp = 1 }}]
buzzer = 2
again_ms = 1000
[[device]]
id = "reader-1"
driver = "sam-v"
url = "{self.reader.url}?baud=115200"
kiosks = ["kiosk-1"]
[[device]]
id = "scanner-1"
driver = "scanner"
url = "{self.scanner.url}"
kiosks = ["kiosk-1"]
"""
        data = folder / "data"
        data.mkdir()
        self.journal = Journal(data / "jobs.sqlite", datetime.now(UTC))
        self.agent = Agent(read_devices(file), server.url, TOKEN, data, self.journal)
        self.thread = threading.Thread(target=self.agent.run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.agent.stop()
        self.thread.join(PATIENCE_S)
        self.journal.close()
        for twin in (self.panel, self.reader, self.scanner):
            twin.close()


@pytest.fixture
def bench(tmp_path: Path, fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(hall_news, "ASK_EVERY_S", 0.1)
    fake_server.services = {"tax": True, "social": False}
    made = Bench(tmp_path, fake_server)
    for device in ("panel-1", "reader-1", "scanner-1"):
        fake_server.wait(lambda device=device: fake_server.row(device).get("health") == "ok")  # type: ignore[misc]
    yield made
    made.close()


def test_rows_say_where_the_devices_stand_and_what_they_are(bench: Bench, fake_server: FakeServer) -> None:
    row = fake_server.row("reader-1")
    assert (row["kind"], row["kiosks"], row["windows"]) == ("idcard", ["kiosk-1"], [])
    fake_server.wait(lambda: fake_server.row("reader-1")["firmware"] == "05.01-20070603-0000012345-0000000001")
    assert [fake_server.row(device)["kind"] for device in ("panel-1", "scanner-1")] == ["panel", "scanner"]


def test_a_press_takes_one_number_and_a_no_buzzes(bench: Bench, fake_server: FakeServer) -> None:
    until(lambda: bench.panel.coils[:2] == [True, False], "lamps show what is open")
    fake_server.fail_presses = 1
    bench.panel.press("1")
    fake_server.wait(lambda: len(fake_server.inputs) == 2)
    (device, what, body, key), again = fake_server.inputs
    assert (device, what, body) == ("panel-1", "number", {"service": "social", "priority": "elderly"})
    assert again[3] == key, "asked again after a fault it is the same press"
    assert key
    fake_server.refuse_presses = (409, "service_closed")
    bench.panel.press("0")
    until(lambda: bench.panel.buzzes == 3, "the panel buzzes three times")


def test_lamps_go_out_while_the_server_is_away(bench: Bench, fake_server: FakeServer) -> None:
    until(lambda: bench.panel.coils[0], "the lamp of what is open is lit")
    fake_server.stop()
    until(lambda: not any(bench.panel.coils), "no lamp offers a number that cannot be given")
    fake_server.start()
    until(lambda: bench.panel.coils[0], "the lamp is lit again")


def test_a_scan_reaches_the_hall_also_after_the_scanner_was_unplugged(bench: Bench, fake_server: FakeServer) -> None:
    bench.scanner.press(URL)
    fake_server.wait(lambda: [entry[:3] for entry in fake_server.inputs] == [("scanner-1", "scan", {"code": URL})])
    bench.scanner.misbehave("unplug")
    fake_server.wait(lambda: fake_server.row("scanner-1")["health"] == "down")
    bench.scanner.misbehave(None)
    fake_server.wait(lambda: fake_server.row("scanner-1")["health"] == "ok")
    bench.scanner.press("123456")
    fake_server.wait(lambda: fake_server.inputs[-1][2] == {"code": "123456"})


def test_of_a_card_three_words_reach_the_server_and_nothing_else_stays(
    bench: Bench, fake_server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_server.refuse_presses = (409, "hall_closed")  # also a refusal is logged without a word of the card
    bench.reader.lay(CANARY)
    fake_server.wait(lambda: fake_server.inputs)
    device, what, body, _ = fake_server.inputs[0]
    expected = hmac.new(bytes.fromhex(fake_server.card_key), CANARY.number.encode(), hashlib.sha256).hexdigest()
    assert (device, what) == ("reader-1", "card")
    assert body == {"document": "citizen", "visitor": expected, "age_from": 75, "name": "犇*"}
    bench.reader.lay(None)
    bench.close()
    files = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file()).decode("latin-1")
    sent = repr(fake_server.inputs) + repr(fake_server.rows) + repr(fake_server.presses)
    utf16 = CANARY.number.encode("utf-16-le").decode("latin-1")
    for place in (files, caplog.text, sent):
        for word in (CANARY.number, CANARY.name, CANARY.born, utf16, "骉"):
            assert word not in place
    for word in (expected, "犇", fake_server.card_key):
        assert word not in files + caplog.text
