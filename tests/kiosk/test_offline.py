"""The server is gone for a while: presses go on, and when it is back everything is there exactly once."""

import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from server.ledger.audit import audit
from server.ledger.sqlite import SqliteLedger
from tests.kiosk.house import HALL, House
from tests.patience import past_the_turn_of_the_day


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
