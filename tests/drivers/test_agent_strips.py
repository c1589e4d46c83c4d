"""Strips end to end: the real agent, a pretend server, and pretend strips of several makers behind ptys."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from drivers.agent import Agent
from drivers.devices_file import read_devices
from drivers.journal import Journal
from drivers.led import onbon, strip
from drivers.led.strip import Manners
from drivers.virtual.cards import sample
from drivers.virtual.keypad import PadLine
from drivers.virtual.strip import StripLine
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAKERS = ("onbon-bx5", "c-power", "modbus-strip", "template")
WINDOWS = {1: "7", 2: "8"}
TEXT = {"modbus-strip": "{label}"}
LINE = "?baud=115200"


class Server(Protocol):
    """What the tests use of the pretend server of conftest.py."""

    url: str
    presses: list[tuple[str, str, dict[str, Any], str | None]]

    def wait(self, done: Callable[[], object]) -> None: ...
    def show(self, window: str, data: dict[str, Any]) -> None: ...
    def row(self, device: str) -> dict[str, Any]: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...


def window(number: str, label: str | None) -> dict[str, Any]:
    current = {"ticket": f"20261121-{label}", "label": label, "service": {"zh": "综合"}, "call_count": 1}
    return {
        "window": number,
        "name": {"zh": f"{number}号窗口"},
        "status": "calling" if label else "open",
        "pause_reason": None,
        "waiting": 3,
        "current": {**current, "status": "called"} if label else None,
    }


@dataclass
class Hall:
    """One line of strips per maker, and the agent that drives them all."""

    server: Server
    folder: Path
    lines: dict[str, StripLine] = field(default_factory=dict)
    more: str = ""
    agent: Agent | None = None
    thread: threading.Thread | None = None

    def begin(self) -> None:
        tables = [
            f'[[device]]\nid = "{driver}"\ndriver = "{driver}"\nurl = "{line.url}{LINE}"\n'
            f'windows = {{ 1 = "7", 2 = "8" }}\noptions = {{ {sample(driver)[0]} }}\n'
            for driver, line in self.lines.items()
        ]
        file = read_devices('schema = 1\nhall = "demo"\n' + "".join(tables) + self.more)
        self.journal = Journal(self.folder / "jobs.sqlite", datetime.now(UTC))
        self.agent = Agent(file, self.server.url, "secret-token", self.folder, self.journal)
        self.thread = threading.Thread(target=self.agent.run, daemon=True)
        self.thread.start()

    def end(self) -> None:
        if self.agent is not None and self.thread is not None:
            self.agent.stop()
            self.thread.join(PATIENCE_S)
            assert not self.thread.is_alive()
            self.journal.close()
        for line in self.lines.values():
            line.close()

    def shows(self, label: str, driver: str | None = None, number: str = "7") -> bool:
        return all(
            line.text(number) == TEXT.get(name, "请 {label} 号").format(label=label)
            for name, line in self.lines.items()
            if driver in {None, name}
        )

    def healthy(self, driver: str) -> bool:
        return bool(self.server.row(driver).get("health") == "ok")


@pytest.fixture
def hall(fake_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 0.3)
    monkeypatch.setattr(onbon.Onbon, "manners", Manners(answer_within_s=0.3))
    hook = threading.excepthook
    made = Hall(fake_server, tmp_path)
    for driver in MAKERS:
        made.lines[driver] = StripLine(f"pty://{tmp_path}/{driver}", WINDOWS, driver=driver)
    yield made
    made.end()
    threading.excepthook = hook


def test_strips_of_every_maker_show_the_call_and_come_back_after_a_replug(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drivers")
    hall.begin()
    hall.server.show("7", window("7", "A012"))
    hall.server.show("8", window("8", None))
    hall.server.wait(lambda: hall.shows("A012"))
    hall.server.wait(lambda: all(hall.healthy(driver) for driver in MAKERS))
    for line in hall.lines.values():
        line.misbehave("unplug")
    hall.server.wait(lambda: all(hall.server.row(driver)["health"] == "down" for driver in MAKERS))
    hall.server.show("7", window("7", "A013"))  # while nobody can see it
    for line in hall.lines.values():
        line.lose_power()
        line.misbehave(None)
    hall.server.wait(lambda: hall.shows("A013"))
    hall.server.wait(lambda: all(hall.healthy(driver) for driver in MAKERS))
    logged = [record.getMessage() for record in caplog.records]
    for line in hall.lines.values():
        path = line.url
        assert len([each for each in logged if path in each and ": lost: " in each]) == 1
        assert len([each for each in logged if path in each and each.endswith(": back")]) == 1


@pytest.mark.parametrize("driver", ["onbon-bx5", "modbus-strip"])
def test_a_line_that_misbehaves_in_every_way_disturbs_nobody_and_recovers(hall: Hall, driver: str) -> None:
    hall.begin()
    hall.server.show("7", window("7", "A001"))
    hall.server.wait(lambda: hall.shows("A001"))
    ill = hall.lines[driver]
    for number, fault in enumerate(("silent", "garbage", "nak", "stop_reading", "reset", "slow"), start=2):
        label = f"A{number:03}"
        ill.misbehave(fault)
        hall.server.show("7", window("7", label))
        others = [name for name in MAKERS if name != driver]
        hall.server.wait(lambda label=label, others=others: all(hall.shows(label, other) for other in others))  # type: ignore[misc]  # bound now
        if fault in {"silent", "garbage", "nak", "stop_reading"}:
            hall.server.wait(lambda: not hall.healthy(driver))
        if fault in {"silent", "garbage"}:
            until(lambda: hall.server.row(driver)["faults"], "a fault in the register")
            code = hall.server.row(driver)["faults"][0]["code"]
            assert code == {"silent": "no_answer", "garbage": "bad_answer"}[fault]
        if fault == "reset":
            ill.lose_power()
        ill.misbehave(None)
        hall.server.wait(lambda label=label: hall.shows(label, driver))  # type: ignore[misc]  # bound now
        hall.server.wait(lambda: hall.healthy(driver))
    assert all(hall.healthy(each) for each in MAKERS)


def test_strips_are_painted_after_the_server_came_back_with_what_is_true_then(hall: Hall) -> None:
    hall.begin()
    hall.server.show("7", window("7", "A012"))
    hall.server.wait(lambda: hall.shows("A012"))
    hall.server.stop()
    hall.server.show("7", window("7", "A013"))
    hall.server.start()
    hall.server.wait(lambda: hall.shows("A013"))


def test_pads_and_strips_of_another_maker_share_a_line(hall: Hall, tmp_path: Path) -> None:
    """Both devices hear every byte; a key comes through while strips are painted, and both show the call."""
    strips = hall.lines["c-power"]
    pads = PadLine(f"pty://{tmp_path}/nobody", WINDOWS)
    heard, keyed = strips.line._on_bytes, pads.line

    def both(data: bytes) -> None:
        heard(data)
        pads._hear(data)

    strips.line._on_bytes = both
    pads.line = strips.line
    hall.more = (
        f'[[device]]\nid = "pads"\ndriver = "ff68"\nurl = "{strips.url}{LINE}"\nwindows = {{ 1 = "7", 2 = "8" }}\n'
    )
    hall.begin()
    try:
        hall.server.show("7", window("7", "A012"))
        hall.server.show("8", window("8", "B007"))
        hall.server.wait(lambda: hall.shows("A012", "c-power") and pads.display("8") == "003007")
        pads.press("8", "call")
        hall.server.wait(lambda: [press[:2] for press in hall.server.presses[:1]] == [("8", "call-next")])
        hall.server.show("8", window("8", "B008"))
        hall.server.wait(lambda: hall.shows("B008", "c-power", "8") and pads.display("8") == "003008")
    finally:
        keyed.close()
