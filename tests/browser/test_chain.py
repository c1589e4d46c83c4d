"""The whole chain with real parts: touch page, paper, keypad, board, strip, voice, console, phone; and a power cut."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from drivers.virtual.bench import Bench, bench
from drivers.virtual.keypad import PadLine
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.speaker import Loudspeaker
from drivers.virtual.strip import StripLine
from tests.browser.conftest import LANDSCAPE, PASSWORD, PHONE, PORTRAIT, Station, Visitor, until
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser

HALL, WINDOW = "qiaocheng", "11"
Kind = TypeVar("Kind", VirtualPrinter, StripLine, PadLine, Loudspeaker)


@dataclass
class Machines:
    """The pretend devices of two windows, and the agent beside them."""

    bench: Bench
    agent: "subprocess.Popen[bytes]"
    log: Path

    def __getitem__(self, kind: type[Kind]) -> Kind:
        return next(device for device in self.bench.devices.values() if isinstance(device, kind))


@pytest.fixture
def machines(station: Station, tmp_path: Path) -> Iterator[Machines]:
    """Plug in a printer (TCP), strips (TCP), keypads (a pty) and a loudspeaker (TCP), and start the agent."""
    devices = bench(HALL, [WINDOW, "12"], [], languages=["zh", "en"], data_dir=tmp_path / "bench")
    token = station.people.add_device("agent", role="devices")
    command = [sys.executable, "-m", "server.main", "devices", str(devices.devices_file)]
    command += ["--server", station.url, "--data", str(tmp_path / "agent")]
    with (tmp_path / "agent.txt").open("w") as log:
        agent = subprocess.Popen(command, cwd=station.root, env=os.environ | {"JIAOHAO_TOKEN": token}, stderr=log)
    try:
        yield Machines(bench=devices, agent=agent, log=tmp_path / "agent.txt")
        assert agent.poll() is None, (tmp_path / "agent.txt").read_text()
    finally:
        agent.terminate()
        agent.wait(timeout=PATIENCE_S)
        devices.close()


def test_from_the_press_at_the_kiosk_to_the_word_on_the_phone(
    visitor: Visitor, station: Station, machines: Machines
) -> None:
    printer, pads, strips, voice = (
        machines[VirtualPrinter],
        machines[PadLine],
        machines[StripLine],
        machines[Loudspeaker],
    )
    station.people.add_user("1011", PASSWORD, role="clerk", windows=(WINDOW,))
    board = visitor.open(f"/board?hall={HALL}#code={station.people.new_code('board-1', role='display')}", LANDSCAPE)
    clerk = _sign_in(visitor)
    kiosk = visitor.open(f"/kiosk?hall={HALL}#code={station.people.new_code('kiosk-1', role='kiosk')}", PORTRAIT)
    until(lambda: "未开放" not in strips.text(WINDOW), "the strip shows the open window")

    # A visitor presses; paper comes out with the same number, and leads a phone to its page.
    kiosk.click("[data-choice=household]")
    kiosk.click("[data-priority='']")
    label = kiosk.locator("[data-label]").inner_text()
    assert printer.wait_for(1, PATIENCE_S)
    [paper] = printer.tickets
    assert paper.label == label == "C001"
    assert "公安户籍" in paper.text
    assert paper.qr is not None
    assert paper.qr.startswith(station.url)
    phone = visitor.open(urlsplit(paper.qr).path, PHONE)
    expect(phone.locator("[data-label]")).to_have_text(label)

    # The power goes and comes back: nothing is lost, and every page comes back by itself.
    station.kill()
    station.start()
    until(lambda: "connected again" in machines.log.read_text(), "the agent is back")
    expect(clerk.locator("main.work")).to_be_visible()

    # The clerk presses the keypad; board, strip, voice and phone say who goes where.
    until(lambda: pads.display(WINDOW)[:3] == "001", "the keypad shows that one person waits")
    pads.press(WINDOW, "call")
    expect(board.locator(".newest .label")).to_have_text(label)
    expect(board.locator(".newest .target .number")).to_have_text(WINDOW)
    until(lambda: label in strips.text(WINDOW), "the strip shows the number")
    expect(phone.locator("[data-window]")).to_have_text("11 号窗口")
    until(lambda: any(clip.rms > 0 and clip.length_s > 2 for clip in voice.clips), "the call was heard")
    assert label[-1] in voice.clips[-1].text or "一" in voice.clips[-1].text

    # The clerk goes on at the console: start and finish; the phone says so.
    expect(clerk.locator("main.work")).to_contain_text(label)
    expect(clerk.locator("[data-do=main]")).to_have_attribute("aria-disabled", "false")
    clerk.keyboard.press("Enter")
    expect(phone.locator("main.serving")).to_be_visible()
    expect(clerk.locator("[data-do=main]")).to_have_attribute("aria-disabled", "false")  # its own answer is there too
    clerk.keyboard.press("F3")
    expect(phone.locator("[data-grade='5']")).to_be_visible()
    expect(board.locator(".newest .label")).to_have_text(label)
    assert printer.printed == 1, "a restart prints nothing twice"


def _sign_in(visitor: Visitor) -> Page:
    page = visitor.open("/login")
    page.fill("#work-id", "1011")
    page.fill("#password", PASSWORD)
    page.fill("#window", WINDOW)
    page.keyboard.press("Enter")
    page.wait_for_url("**/clerk**")
    expect(page.locator("main.work")).to_be_visible()
    return page
