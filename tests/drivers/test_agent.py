"""The agent against a pretend ticket server and virtual devices, over real sockets and ptys."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from drivers.agent import STOP_S, Agent, run
from drivers.devices_file import read_devices
from drivers.jobs import read_order
from drivers.journal import Journal
from drivers.printer import thermal
from drivers.printer.thermal import ThermalPrinter
from drivers.server_link import GOODBYE_S, RETRY_MOST_S
from drivers.virtual.line import VirtualLine
from drivers.virtual.printer import Trouble, VirtualPrinter
from tests.patience import PATIENCE_S

TOKEN, HALL = "secret-token", "demo"


class Server(Protocol):
    """What the tests use of the pretend server of conftest.py."""

    rows: list[tuple[str, dict[str, Any]]]
    presses: list[tuple[str, str, dict[str, Any], str | None]]
    watched: dict[str, str]
    refuse_presses: tuple[int, str] | None
    fail_presses: int
    url: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wait(self, done: Callable[[], object]) -> None: ...
    def send_job(self, device: str, job: dict[str, Any], timeout_s: float = PATIENCE_S) -> Any: ...
    def show(self, window: str, data: dict[str, Any]) -> None: ...
    def row(self, device: str) -> dict[str, Any]: ...


@dataclass
class Running:
    """An agent that runs in a thread of this process."""

    agent: Agent
    journal: Journal
    thread: threading.Thread

    def stop(self) -> None:
        self.agent.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.journal.close()


class Start(Protocol):
    """Starts an agent on the text of a devices file."""

    def __call__(self, devices: str) -> Running: ...


@pytest.fixture
def start(fake_server: Server, tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []
    hook = threading.excepthook

    def begin(devices: str) -> Running:
        file = read_devices(f'schema = 1\nhall = "{HALL}"\n{devices}')
        journal = Journal(tmp_path / "jobs.sqlite", datetime.now(UTC))
        agent = Agent(file, fake_server.url, TOKEN, tmp_path, journal)
        thread = threading.Thread(target=agent.run, daemon=True)
        thread.start()
        running.append(Running(agent, journal, thread))
        return running[-1]

    yield begin
    for each in running:
        if each.thread.is_alive():
            each.stop()
    threading.excepthook = hook


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that answers late on a busy machine is not a silent one."""
    monkeypatch.setattr(thermal, "ANSWER_S", PATIENCE_S)


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    virtual = VirtualPrinter("tcp://127.0.0.1:0")
    yield virtual
    virtual.close()


def printer_device(printer: VirtualPrinter) -> str:
    return f'[[device]]\nid = "printer-1"\ndriver = "escpos"\nurl = "{printer.url}"\n'


def paper(number: int, *, lives_s: float = 600.0, **changes: object) -> dict[str, Any]:
    now = datetime.now(UTC)
    data = {
        "hall_name": {"zh": "大厅"},
        "ticket": f"20261121-A{number:03}",
        "label": f"A{number:03}",
        "service": {"zh": "综合"},
        "zone": {"zh": "综合区"},
        "floor": None,
        "windows": ["1"],
        "ahead": 2,
        "eta": {"p50_s": 90, "p80_s": 110, "low_s": 60, "high_s": 120},
        "issued_at": "2026-11-21T10:00:00+08:00",
        "priority": None,
        "priority_name": None,
        "track_url": "http://h/t/x",
        "languages": ["zh"],
        "advice": None,
        "notice": None,
        "reprint": False,
        "drill": False,
        **changes,
    }
    expires = (now + timedelta(seconds=lives_s)).isoformat()
    return {"id": f"{number}.0", "seq": number, "kind": "print_ticket", "data": data, "expires_at": expires}


def window(label: str | None, **changes: object) -> dict[str, Any]:
    shown = {
        "ticket": f"20261121-{label}",
        "label": label,
        "service": {"zh": "综合"},
        "status": "called",
        "call_count": 1,
    }
    return {
        "window": "7",
        "name": {"zh": "7号窗口"},
        "status": "calling" if label else "open",
        "pause_reason": None,
        "waiting": 3,
        "current": shown if label else None,
        **changes,
    }


def test_a_job_is_printed_and_acknowledged(fake_server: Server, start: Start, printer: VirtualPrinter) -> None:
    start(printer_device(printer))
    assert fake_server.send_job("printer-1", paper(1)) == {"id": "1.0", "result": {"status": "printed", "detail": ""}}
    assert [ticket.label for ticket in printer.tickets] == ["A001"]


def test_the_register_has_the_row_before_anything_is_watched(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    fake_server.wait(lambda: "device:printer-1" in fake_server.watched)
    row = fake_server.rows[0][1]
    assert (row["kind"], row["driver"], row["url"]) == ("printer", "escpos", printer.url)
    fake_server.wait(lambda: fake_server.row("printer-1")["health"] == "ok")
    assert fake_server.row("printer-1")["paper"] == "ok"


def test_a_job_sent_again_is_answered_from_the_journal_and_not_printed_again(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    running = start(printer_device(printer))
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
    running.stop()
    fake_server.watched.clear()
    start(printer_device(printer))  # a new process with the same folder
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
    assert printer.printed == 1


def test_the_same_id_for_another_ticket_is_another_job(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    fake_server.send_job("printer-1", paper(1))
    other = paper(2)
    other["id"] = "1.0"  # the server's ledger began anew
    fake_server.send_job("printer-1", other)
    assert [ticket.label for ticket in printer.tickets] == ["A001", "A002"]


def test_a_job_that_was_begun_before_a_crash_is_unknown_and_never_printed(
    fake_server: Server, start: Start, printer: VirtualPrinter, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "jobs.sqlite", datetime.now(UTC))
    journal.start(read_order("printer-1", paper(1)), datetime.now(UTC))
    journal.close()
    start(printer_device(printer))
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "unknown"
    assert fake_server.send_job("printer-1", paper(2))["result"]["status"] == "printed"
    assert [ticket.label for ticket in printer.tickets] == ["A002"]


def test_a_job_that_comes_too_late_is_expired(fake_server: Server, start: Start, printer: VirtualPrinter) -> None:
    start(printer_device(printer))
    assert fake_server.send_job("printer-1", paper(1, lives_s=-1))["result"]["status"] == "expired"
    assert printer.printed == 0


def test_lateness_is_judged_by_the_clock_of_the_hall(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    drill = {**paper(1), "at": "2026-03-02T09:00:00+08:00", "expires_at": "2026-03-02T09:02:00+08:00"}
    assert fake_server.send_job("printer-1", drill)["result"]["status"] == "printed"


def test_an_unreachable_printer_is_tried_until_the_job_expires_and_again_for_the_next(
    fake_server: Server, start: Start, printer: VirtualPrinter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drivers")
    start(printer_device(printer))
    fake_server.wait(lambda: fake_server.row("printer-1").get("health") == "ok")
    printer.suffer(Trouble.UNPLUGGED)
    fake_server.wait(lambda: fake_server.row("printer-1")["health"] == "down")
    result = fake_server.send_job("printer-1", paper(1, lives_s=1.5))["result"]
    assert (result["status"], result["detail"].partition(":")[0]) == ("expired", "line_down")
    assert fake_server.row("printer-1")["faults"][0]["code"] == "line_down"
    printer.suffer(Trouble.UNPLUGGED, False)
    assert fake_server.send_job("printer-1", paper(2))["result"]["status"] == "printed"
    fake_server.wait(lambda: fake_server.row("printer-1")["health"] == "ok")
    fake_server.wait(lambda: "printer-1: back" in [record.getMessage() for record in caplog.records])
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "printer-1: lost" in line]) == 1
    assert len([line for line in lines if line == "printer-1: back"]) == 1


def test_paper_out_is_in_the_register_before_anybody_wants_a_ticket(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    fake_server.wait(lambda: fake_server.row("printer-1").get("health") == "ok")
    printer.suffer(Trouble.PAPER_OUT)
    fake_server.wait(lambda: fake_server.row("printer-1")["health"] == "down")
    row = fake_server.row("printer-1")
    assert (row["paper"], row["faults"][0]["code"]) == ("out", "paper_out")
    assert row["faults"][0]["since"]


def test_a_job_that_cannot_be_read_is_failed_and_the_next_is_done(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    bad = paper(1)
    del bad["data"]["label"]
    result = fake_server.send_job("printer-1", bad)["result"]
    assert result == {"status": "failed", "detail": "job.data.label: is missing"}
    assert fake_server.send_job("printer-1", paper(2))["result"]["status"] == "printed"


def test_the_agent_comes_back_within_seconds_after_a_restart_of_the_server(
    fake_server: Server, start: Start, printer: VirtualPrinter
) -> None:
    start(printer_device(printer))
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
    fake_server.stop()
    before = len(fake_server.rows)
    fake_server.start()
    fake_server.wait(lambda: "device:printer-1" in fake_server.watched)
    assert RETRY_MOST_S <= 1
    assert len(fake_server.rows) > before, "the row is put again at each connect"
    assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
    assert fake_server.send_job("printer-1", paper(2))["result"]["status"] == "printed"
    assert [ticket.label for ticket in printer.tickets] == ["A001", "A002"]


CALL_NEXT = bytes.fromhex("ff68 03 03 68 01 01 0c 0e 16")


@dataclass
class Pad:
    """A pad's end of the line and what the agent sent to it."""

    line: VirtualLine
    got: bytearray

    def device(self) -> str:
        return f'[[device]]\nid = "pad"\ndriver = "ff68"\nurl = "{self.line.url}"\nwindows = {{ 1 = "7" }}\n'


@pytest.fixture
def pad(tmp_path: Path) -> Iterator[Pad]:
    got = bytearray()
    line = VirtualLine(f"pty://{tmp_path}/pad", got.extend)
    yield Pad(line, got)
    line.close()


def test_a_key_is_one_command_with_a_key_of_its_own(fake_server: Server, start: Start, pad: Pad) -> None:
    start(pad.device())
    fake_server.show("7", window(None))
    fake_server.wait(lambda: len(pad.got) > 0)
    pad.line.send(CALL_NEXT)
    fake_server.wait(lambda: len(fake_server.presses) == 1)
    pad.line.send(bytes.fromhex("ff68 03 03 68 01 01 0d 0f 16"))  # recall
    fake_server.wait(lambda: len(fake_server.presses) == 2)
    assert [press[:2] for press in fake_server.presses] == [("7", "call-next"), ("7", "recall")]
    keys = [press[3] for press in fake_server.presses]
    assert all(keys)
    assert len(set(keys)) == 2


def test_a_press_the_server_did_not_answer_is_repeated_with_the_same_key(
    fake_server: Server, start: Start, pad: Pad
) -> None:
    fake_server.fail_presses = 2
    start(pad.device())
    fake_server.wait(lambda: "window:7" in fake_server.watched)
    pad.line.send(CALL_NEXT)
    fake_server.wait(lambda: len(fake_server.presses) == 3)
    assert len({press[3] for press in fake_server.presses}) == 1


def test_a_refusal_beeps_on_the_pad(fake_server: Server, start: Start, pad: Pad) -> None:
    fake_server.refuse_presses = (409, "nobody_waiting")
    start(pad.device())
    fake_server.wait(lambda: "window:7" in fake_server.watched)
    pad.line.send(CALL_NEXT)
    fake_server.wait(lambda: bytes.fromhex("ff68 02 02 68 01 03 04 16") in pad.got)


def test_a_line_that_was_pulled_is_opened_again_and_painted_again(
    fake_server: Server, start: Start, pad: Pad, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drivers")
    start(pad.device())
    fake_server.show("7", window("A012"))
    ticket = bytes.fromhex("ff68 08 08 68 01 02 0a0a0a 000102")
    fake_server.wait(lambda: ticket in pad.got)
    pad.line.unplug()
    fake_server.wait(lambda: fake_server.row("pad").get("health") == "down")
    fake_server.show("7", window("A034"))  # while nobody can see it
    pad.got.clear()
    pad.line.replug()
    fake_server.wait(lambda: bytes.fromhex("ff68 08 08 68 01 02 0a0a0a 000304") in pad.got)
    fake_server.wait(lambda: fake_server.row("pad")["health"] == "ok")
    assert ticket not in pad.got
    fake_server.wait(lambda: any(record.getMessage().endswith(": back") for record in caplog.records))
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if ": lost: " in line]) == 1
    assert len([line for line in lines if line.endswith(": back")]) == 1


def write_devices(tmp_path: Path, printer: VirtualPrinter, hall: str = HALL) -> Path:
    path = tmp_path / "devices.toml"
    path.write_text(f'schema = 1\nhall = "{hall}"\n{printer_device(printer)}', encoding="utf-8")
    return path


@pytest.fixture
def keep_hook() -> Iterator[None]:
    hook, handlers = threading.excepthook, {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    threading.excepthook = hook
    for name, handler in handlers.items():
        signal.signal(name, handler)


@pytest.mark.usefixtures("keep_hook")
def test_a_bad_token_ends_the_agent_with_one_line(
    fake_server: Server, printer: VirtualPrinter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write_devices(tmp_path, printer), fake_server.url, "wrong", tmp_path) == 2
    assert "does not know this token" in capsys.readouterr().err


@pytest.mark.usefixtures("keep_hook")
def test_an_unknown_hall_ends_the_agent_with_one_line(
    fake_server: Server, printer: VirtualPrinter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write_devices(tmp_path, printer, hall="nowhere"), fake_server.url, TOKEN, tmp_path) == 2
    assert "no hall 'nowhere'" in capsys.readouterr().err


def test_a_bad_file_ends_the_agent_with_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "devices.toml"
    path.write_text(
        'schema = 1\nhall = "x"\n[[device]]\nid = "p"\ndriver = "escpo"\nurl = "tcp://h:1"\n', encoding="utf-8"
    )
    assert run(path, "http://127.0.0.1:1", TOKEN, tmp_path) == 2
    assert f"{path}:5:1: driver 'escpo' is not known" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "http://127.0.0.1:99999", "http://[", "http://hall:port"])
def test_a_bad_address_of_the_server_ends_the_agent(
    address: str, printer: VirtualPrinter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write_devices(tmp_path, printer), address, TOKEN, tmp_path) == 2
    assert "must look like http://" in capsys.readouterr().err


@pytest.mark.usefixtures("keep_hook")
def test_a_bug_stops_the_agent_and_does_not_stop_it_again_after_the_restart(
    fake_server: Server, printer: VirtualPrinter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(ThermalPrinter, "do", broken)
        asked = threading.Thread(target=lambda: _ignore(lambda: fake_server.send_job("printer-1", paper(1), 3)))
        asked.start()
        assert run(write_devices(tmp_path, printer), fake_server.url, TOKEN, tmp_path) == 1
        asked.join()
    journal = Journal(tmp_path / "devices" / "jobs.sqlite", datetime.now(UTC))
    result = journal.answer(read_order("printer-1", paper(1)))
    journal.close()
    assert result is not None
    assert (result.status, "bug" in result.detail) == ("failed", True)


PROGRAM = """
import sys
from pathlib import Path
from drivers.agent import run
from drivers.printer import thermal
thermal.ANSWER_S = 60.0
sys.exit(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])))
"""


def test_the_process_is_alone_on_its_folder_and_ends_in_time_on_sigterm(
    fake_server: Server, printer: VirtualPrinter, tmp_path: Path, root: Path
) -> None:
    devices = write_devices(tmp_path, printer)
    command = [sys.executable, "-c", PROGRAM, str(devices), fake_server.url, TOKEN, str(tmp_path)]
    first = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
    try:
        assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "printed"
        second = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert second.returncode == 2
        assert "another devices agent is using" in second.stderr
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_S) == 0
        assert STOP_S + GOODBYE_S < 5
    finally:
        with suppress(ProcessLookupError):
            os.kill(first.pid, signal.SIGKILL)
        first.wait(PATIENCE_S)


def test_an_agent_killed_in_the_middle_of_a_ticket_does_not_print_it_again(
    fake_server: Server, printer: VirtualPrinter, tmp_path: Path, root: Path
) -> None:
    devices = write_devices(tmp_path, printer)
    command = [sys.executable, "-c", PROGRAM, str(devices), fake_server.url, TOKEN, str(tmp_path)]
    first = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
    fake_server.wait(lambda: "device:printer-1" in fake_server.watched)
    stop_after(printer, b"\x1d!w")  # the number is on the paper
    asked = threading.Thread(
        target=lambda: _ignore(lambda: fake_server.send_job("printer-1", paper(1), 3)), daemon=True
    )
    asked.start()
    fake_server.wait(lambda: Trouble.STOP_READING in printer.troubles)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(PATIENCE_S)
    asked.join(PATIENCE_S)
    printer.suffer(Trouble.SLOW, False)
    printer.suffer(Trouble.STOP_READING, False)
    fake_server.watched.clear()
    second = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
    try:
        assert fake_server.send_job("printer-1", paper(1))["result"]["status"] == "unknown"
        assert fake_server.send_job("printer-1", paper(2))["result"]["status"] == "printed"
        assert [ticket.label for ticket in printer.tickets].count("A001") <= 1
        assert printer.tickets[-1].lines[-1] == "取号时间 2026-11-21 10:00"
    finally:
        second.terminate()
        assert second.wait(PATIENCE_S) == 0


def stop_after(printer: VirtualPrinter, mark: bytes) -> None:
    """Let the printer take bytes one by one, and none behind these."""
    take = printer.line._on_bytes
    before = bytes(printer.taken).count(mark)

    def take_until_mark(data: bytes) -> None:
        take(data)
        if Trouble.SLOW in printer.troubles and bytes(printer.taken).count(mark) > before:
            printer.suffer(Trouble.STOP_READING)

    printer.line._on_bytes = take_until_mark
    printer.suffer(Trouble.SLOW)


def _ignore(call: Callable[[], object]) -> None:
    with suppress(Exception):  # the agent is killed under it
        call()
