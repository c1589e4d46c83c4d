"""The server is gone for a while: presses go on, and when it is back everything is there exactly once."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.virtual.printer import VirtualPrinter
from server.ledger.audit import audit
from server.ledger.sqlite import SqliteLedger
from tests.kiosk.house import HALL, KIOSK, House
from tests.patience import past_the_turn_of_the_day, until


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Iterator[House]:
    past_the_turn_of_the_day()
    made = House(root, tmp_path)
    yield made.ready()
    made.end()


def ledger_is_whole(house: House) -> None:
    house.server.end(signal.SIGTERM)
    ledger = SqliteLedger(house.folder / f"server/{HALL}.sqlite")
    found = audit(ledger.read(0))
    ledger.close()
    assert found == []


def test_presses_go_on_without_the_server_and_are_all_told(house: House) -> None:
    status, before = house.press("online-1")
    assert (status, before["label"], before.get("offline")) == (201, "A001", None)
    house.kill_server()
    given = [house.press(f"offline-{turn}") for turn in range(5)]
    assert [(status, it["label"], it["offline"]) for status, it in given] == [
        (201, f"A90{turn}", True) for turn in range(1, 6)
    ]
    assert house.press("offline-2") == given[2]
    house.heal()
    house.told()
    assert house.press("offline-2") == given[2]
    status, after = house.press("online-2")
    assert (status, after["label"]) == (201, "A002")
    tickets = {it["label"]: it for it in house.tickets()}
    assert list(tickets) == ["A001", "A901", "A902", "A903", "A904", "A905", "A002"]
    for _, it in given:
        assert tickets[it["label"]]["ticket"] == it["ticket"]
        assert abs(stamp(tickets[it["label"]]["issued_at"]) - stamp(it["issued_at"])) < 0.01
    ledger_is_whole(house)


def stamp(instant: str) -> float:

    return datetime.fromisoformat(instant).timestamp()


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    made = VirtualPrinter("tcp://127.0.0.1:0")
    yield made
    made.close()


@pytest.fixture
def agent(root: Path, printer: VirtualPrinter) -> Iterator[Path]:
    """Run an agent with a printer that never reached a server, and give the file of its local door."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "devices.toml"
        file.write_text(
            f'schema = 1\nhall = "{HALL}"\n[[device]]\nid = "printer-1"\ndriver = "escpos"\nurl = "{printer.url}"\n'
            f'kiosks = ["{KIOSK}"]\n'
        )
        door = Path(folder) / "devices/print.sock"
        with subprocess.Popen(
            [
                sys.executable,
                "-m",
                "server.main",
                "devices",
                str(file),
                "--data",
                folder,
                "--server",
                "http://127.0.0.1:9",
            ],
            cwd=root,
            env=os.environ | {"JIAOHAO_TOKEN": "none"},
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                until(door.exists, "the agent opens its local door")
                yield door
            finally:
                process.kill()


def test_cut_lines_lost_answers_and_killed_kiosks_lose_and_double_nothing(
    root: Path, tmp_path: Path, agent: Path, printer: VirtualPrinter
) -> None:
    past_the_turn_of_the_day()
    assert stat.S_IMODE(agent.stat().st_mode) == 0o600
    house = House(root, tmp_path, printing=f'[printing]\nsocket = "{agent}"\n').ready()
    try:
        held: dict[str, str] = {}  # what visitors have in their hands, by press

        def press(key: str, *, good: int = 201) -> Any:
            status, answer = house.press(key)
            assert status == good, answer
            if good == 201:
                assert held.setdefault(key, answer["label"]) == answer["label"]
            return answer

        press("before")
        house.cable.loses = b"/tickets HTTP"  # this press reaches the server, and its answer is lost
        lost = press("lost")
        assert lost["offline"] is True
        house.pull_cable()
        for turn in range(3):
            press(f"cut-{turn}")
            house.kill_kiosk()
            house.kiosk_again()
            press(f"cut-{turn}")  # the page asks again when the answer was lost
        status, state = house.ask("GET", f"/api/v1/halls/{HALL}/state")
        assert (status, state["offline"]) == (200, True)
        assert house.ask("GET", "/api/v1/devices")[1]["devices"][0]["paper"] == "ok"
        assert house.ask("POST", f"/api/v1/halls/{HALL}/tickets/A001/reinstate", {})[1]["code"] == "server_away"
        press("personal", good=201)
        assert house.press("named", visitor_ref="somebody")[1]["code"] == "server_away"
        until(lambda: printer.printed == 5, "every number without the server is on paper")
        house.cable.mend()
        house.told()
        press("after")
        tickets = {it["label"]: it["status"] for it in house.tickets()}
        assert tickets == {
            **dict.fromkeys(held.values(), "waiting"),
            "A002": "cancelled",  # the one that the server gave for the press whose answer was lost
        }
        assert len(set(held.values())) == len(held) == 7
        assert house.health()["refused"] == []
        printed = [ticket.label for ticket in printer.tickets]
        assert printed == [label for label in held.values() if label.startswith("A9")]
        ledger_is_whole(house)
    finally:
        house.end()
