"""The doctor against pretend machines: what works is said to work, what does not is named with what to do."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from drivers.devices_file import read_devices
from drivers.doctor import REMEDIES, Finding, Verdict, devices
from drivers.faults import FaultCode
from drivers.speech import sound
from drivers.virtual.idcard import CardReaderTwin
from drivers.virtual.keypad import PadLine
from drivers.virtual.panel import PanelTwin, PretendButton
from drivers.virtual.printer import Trouble, VirtualPrinter
from drivers.virtual.scanner import ScannerTwin
from server.main import main
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    virtual = VirtualPrinter("tcp://127.0.0.1:0")
    yield virtual
    virtual.close()


def printer_file(url: str) -> str:
    return f'schema = 1\nhall = "demo"\n[[device]]\nid = "printer-1"\ndriver = "escpos"\nurl = "{url}"\n'


def looked_at(text: str, *, test: bool = False, presses_s: float = 0.0) -> list[Finding]:
    return list(devices(read_devices(text), test=test, presses_s=presses_s))


def test_a_printer_that_answers_prints_the_test_ticket(printer: VirtualPrinter) -> None:
    found = looked_at(printer_file(printer.url), test=True)
    assert [it.verdict for it in found] == [Verdict.OK, Verdict.OK]
    (ticket,) = printer.tickets
    assert "A888" in " ".join(ticket.lines)


def test_without_test_nothing_is_printed(printer: VirtualPrinter) -> None:
    assert [it.verdict for it in looked_at(printer_file(printer.url))] == [Verdict.OK]
    assert printer.printed == 0


@pytest.mark.parametrize(("trouble", "word"), [(Trouble.PAPER_OUT, "paper_out"), (Trouble.COVER_OPEN, "cover_open")])
def test_what_is_wrong_with_a_printer_is_said_with_what_to_do(
    printer: VirtualPrinter, trouble: Trouble, word: str
) -> None:
    printer.suffer(trouble)
    found = looked_at(printer_file(printer.url), test=True)
    assert (found[0].verdict, found[0].en.partition(":")[0]) == (Verdict.BAD, word)
    assert (found[0].do_zh, found[0].do_en) == REMEDIES[FaultCode(word)]
    assert printer.printed == 0


def test_a_device_that_is_not_there_is_a_finding_and_the_others_are_looked_at(printer: VirtualPrinter) -> None:
    text = (
        printer_file("tcp://127.0.0.1:1") + f'[[device]]\nid = "printer-2"\ndriver = "escpos"\nurl = "{printer.url}"\n'
    )
    found = looked_at(text)
    assert [(it.what, it.verdict) for it in found] == [("printer-1", Verdict.BAD), ("printer-2", Verdict.OK)]
    assert found[0].en.startswith("line_down")


def test_a_press_at_a_keypad_is_heard(tmp_path: Path) -> None:
    line = PadLine(f"pty://{tmp_path}/pad", {1: "7"})
    try:
        text = (
            'schema = 1\nhall = "demo"\n[[device]]\nid = "pads"\ndriver = "ff68"\n'
            f'url = "{line.url}?baud=9600"\nwindows = {{ 1 = "7" }}\n'
        )
        found: list[Finding] = []
        look = threading.Thread(target=lambda: found.extend(looked_at(text, presses_s=60.0)))
        look.start()

        def heard() -> bool:
            line.press("7", "call")
            return line.pads[1].answered

        until(heard, "the pad was answered")
        look.join()
        assert found[-1].verdict is Verdict.OK
        assert "7: call-next" in found[-1].en
    finally:
        line.line.close()


@pytest.mark.parametrize(("option", "verdicts"), [("true", [Verdict.OK, Verdict.OK]), ("false", None)])
def test_a_loudspeaker_speaks_a_call_or_is_said_to_have_no_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, verdicts: list[Verdict] | None
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    text = (
        'schema = 1\nhall = "demo"\n[[device]]\nid = "speaker-1"\ndriver = "speech"\n'
        f'url = "file://{tmp_path}/out"\noptions = {{ espeak_mandarin = {option} }}\n'
    )
    found = looked_at(text, test=True)
    (file,) = (tmp_path / "out").iterdir()
    comment = sound.read_wav(file.read_bytes()).comment
    if verdicts is not None:
        assert [it.verdict for it in found] == verdicts
        assert comment == "请 A，零零一 号，到 一号 窗口 办理。"
    else:
        assert comment == ""
        assert all(it.verdict is not Verdict.OK for it in found)
        assert found[0].en.partition(":")[0] == "no_voice"
        assert "voice list" in found[0].do_en


def test_every_fault_has_a_remedy_in_both_languages() -> None:
    assert set(REMEDIES) == set(FaultCode)
    assert all(zh and en for zh, en in REMEDIES.values())


def run(*words: str) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["--lang", "en", "doctor", *words])
    return told.exit_code, told.output


def test_the_command_looks_at_the_machine_and_says_it_in_json(tmp_path: Path) -> None:
    status, output = run("--data", str(tmp_path), "--format", "json")
    rows = json.loads(output)
    assert {"Python", "SQLite", str(tmp_path)} <= {row["what"] for row in rows}
    assert status == int(any(row["verdict"] == "bad" for row in rows))


def test_a_server_that_is_not_there_is_trouble_and_a_bad_file_is_bad_input(tmp_path: Path) -> None:
    status, output = run("--data", str(tmp_path), "--server", "http://127.0.0.1:1")
    assert status == 1
    assert "✗ http://127.0.0.1:1: the server cannot be reached" in output
    bad = tmp_path / "devices.toml"
    bad.write_text('schema = 1\nhall = "demo"\n[[device]]\nid = "p"\ndriver = "escpso"\nurl = "tcp://x:1"\n')
    assert run(str(bad))[0] == 2


def test_panels_readers_and_scanners_are_asked_and_listened_to(tmp_path: Path) -> None:
    panel = PanelTwin(f"pty://{tmp_path}/panel", [PretendButton(service="tax", name="办税")])
    reader = CardReaderTwin(f"pty://{tmp_path}/reader")
    scanner = ScannerTwin(f"pty://{tmp_path}/scanner")
    text = f"""
schema = 1
hall = "demo"
[[device]]
id = "panel-1"
driver = "modbus-panel"
url = "{panel.url}"
kiosks = ["kiosk-1"]
options = {{ buttons = [{{ key = 0, service = "tax", lamp = 0 }}] }}
[[device]]
id = "reader-1"
driver = "sam-v"
url = "{reader.url}?baud=115200"
kiosks = ["kiosk-1"]
[[device]]
id = "scanner-1"
driver = "scanner"
url = "{scanner.url}"
kiosks = ["kiosk-1"]
"""
    reader.press("0")
    stop = threading.Event()

    def people() -> None:
        while not stop.wait(0.5):
            panel.press("0")
            scanner.press("A012")

    thread = threading.Thread(target=people, daemon=True)
    thread.start()
    try:
        found = {it.en: it.what for it in looked_at(text, test=True, presses_s=PATIENCE_S) if it.en.startswith("heard")}
    finally:
        stop.set()
        thread.join()
        for twin in (panel, reader, scanner):
            twin.close()
    said = {device: en for en, device in found.items()}
    assert "0: tax" in said["panel-1"]
    assert said["reader-1"] == "heard card (citizen)", "and not a word of whose"
    assert "A012" in said["scanner-1"]
    assert panel.coils[0], "with --test every lamp is lit"
