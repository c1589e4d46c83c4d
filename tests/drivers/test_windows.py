"""The agent and the kiosk where there is nothing of POSIX, and the ports that Windows has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from drivers.faults import LineDown
from drivers.transport import open_line, parse_url, serial_port
from drivers.virtual.line import VirtualLine
from drivers.virtual.printer import VirtualPrinter
from kiosk.printing import LocalPrinter
from tests.drivers.test_agent import HALL, TOKEN, Server, paper, printer_device
from tests.patience import PATIENCE_S, until


@contextmanager
def jiaohao(root: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    program = [sys.executable, str(root / "tests/drivers/like_windows.py"), *words]
    environment = os.environ | {"JIAOHAO_TOKEN": TOKEN, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        program, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    virtual = VirtualPrinter("tcp://127.0.0.1:0")
    yield virtual
    virtual.close()


def test_without_anything_of_posix_the_agent_prints(
    root: Path, tmp_path: Path, fake_server: Server, printer: VirtualPrinter
) -> None:
    file = tmp_path / "devices.toml"
    file.write_text(
        f'schema = 1\nhall = "{HALL}"\n{printer_device(printer)}'
        '[[device]]\nid = "strips-1"\ndriver = "onbon-bx5"\nurl = "serial:COM3?baud=57600"\nwindows = { 1 = "1" }\n'
        '[[device]]\nid = "printer-2"\ndriver = "escpos"\nurl = "lp:///dev/usb/lp0"\n',
        encoding="utf-8",
    )
    words = ["devices", str(file), "--server", fake_server.url, "--data", str(tmp_path)]
    with jiaohao(root, *words) as agent:
        answer = fake_server.send_job("printer-1", paper(12))
        assert answer["result"]["status"] == "printed", answer
        assert [ticket.label for ticket in printer.tickets] == ["A012"]

        def faults(device: str) -> list[Any]:
            return [fault["code"] for fault in fake_server.row(device).get("faults", [])]

        until(lambda: faults("strips-1") == ["line_down"], "the port that is not there is said to be down")
        until(lambda: "not possible" in json.dumps(fake_server.row("printer-2")), "a port that Windows has not")
        local = LocalPrinter(tmp_path / "devices/print.sock", None, "kiosk-1")
        assert local.print({**paper(13), "at": paper(13)["expires_at"]}) in {"printed", "expired"}
        with jiaohao(root, *words) as second:
            _, errors = second.communicate(timeout=PATIENCE_S)
            assert (second.returncode, "another devices agent" in errors) == (2, True)
        agent.terminate()
        assert agent.wait(PATIENCE_S) == 0


def test_without_anything_of_posix_the_kiosk_opens_its_door(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(
        'schema = 1\n[kiosk]\nid = "kiosk-1"\nhall = "demo"\nserver = "http://127.0.0.1:9"\nport = 0\n'
        '[printing]\nsocket = "C:/ProgramData/jiaohao/devices/print.sock"\n',
        encoding="utf-8",
    )
    words = ["kiosk", str(file), "--data", str(tmp_path)]
    with jiaohao(root, *words) as kiosk:
        assert kiosk.stdout is not None
        url = kiosk.stdout.readline().removeprefix("listening on ").strip()
        assert requests.get(f"{url}/healthz", timeout=PATIENCE_S).json()["up"] is False
        with jiaohao(root, *words) as second:
            _, errors = second.communicate(timeout=PATIENCE_S)
            assert second.returncode == 2
            assert "another kiosk" in errors or "另一个" in errors


@pytest.mark.parametrize("url", ["serial://COM3", "serial:COM0", "serial:ttyUSB0", "serial:COM3/x", "serial:"])
def test_a_port_that_is_written_wrong_is_refused_with_both_shapes(url: str) -> None:
    with pytest.raises(ValueError, match=r"serial:///dev/ttyUSB0\?baud=9600 .* serial:COM3\?baud=9600"):
        parse_url(url)


def test_a_port_of_windows_is_taken_as_it_is_named() -> None:
    assert (parse_url("serial:COM12?baud=9600").path, parse_url("serial:COM12?baud=9600").baud) == ("COM12", 9600)


def test_a_port_that_cannot_be_waited_for_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port, "_CAN_WAIT", False)
    heard = bytearray()
    device = VirtualLine(f"pty://{tmp_path / 'pad'}", heard.extend)
    line = open_line(device.url)
    try:
        assert line.read(0) == b""
        line.write(b"ask", 1.0)
        until(lambda: bytes(heard) == b"ask", "the device hears us")
        device.send(b"answer")
        got = b""

        def all_read() -> bool:
            nonlocal got
            got += line.read(0.05)
            return got == b"answer"

        until(all_read, "its answer is read")
        device.cut("unplug")
        with pytest.raises(LineDown):
            until(lambda: line.read(0.05), "an unplugged port is noticed")
    finally:
        line.close()
        device.close()
