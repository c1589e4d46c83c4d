"""`jiaohao serve` on a ledger of many days: it replays today, and nothing it keeps for that is believed blindly."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.years import Years
from config import load_hall, shipped
from server.domain.terms import business_day
from server.plan import plan_of
from tests.live.house import HALL, House, until
from tests.patience import PATIENCE_S, past_the_turn_of_the_day

PLAN = plan_of(load_hall(shipped()[HALL]))
DAYS = 40
REPLAYED = re.compile(r"hall demo: (\d+) commits, (\d+) of them replayed")


def today() -> date:
    """Give the business day of the hall."""
    return business_day(PLAN, int(datetime.now(PLAN.zone_info).timestamp() * 1000))


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Iterator[House]:
    """Give a house that has been at work for forty days, until yesterday."""
    past_the_turn_of_the_day()
    made = House(root, tmp_path / "data")
    years = Years(PLAN, visits=15, first=today() - timedelta(days=DAYS))
    years.write(made.server.data / f"{HALL}.sqlite", years.commits(DAYS))
    yield made
    made.close()


def starts(house: House) -> list[tuple[int, int]]:
    """Give (commits, replayed) of every start so far."""
    return [(int(all_), int(some)) for all_, some in REPLAYED.findall(house.server.errors.read_text())]


def said(house: House, *words: str) -> list[dict[str, Any]]:
    """Run `jiaohao ledger` and give what it says."""
    command = [sys.executable, "-m", "server.main", "ledger", *words, "--data", str(house.server.data)]
    done = subprocess.run(
        [*command, "--format", "json"], cwd=house.server.root, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return list(json.loads(done.stdout))


def test_a_start_replays_today_and_a_damaged_snapshot_is_never_served(house: House) -> None:
    data = house.server.data
    snapshot, archives = data / f"{HALL}.snapshot", data / "archive"
    house.server.start()
    (first,) = starts(house)
    assert first[0] == first[1] > 1000  # nobody has folded it before
    kiosk, auditor = house.api("kiosk"), house.api("integration")
    number = kiosk.press()["number"]
    last_month = (today().replace(day=1) - timedelta(days=1)).isoformat()[:7]
    until(lambda: (archives / f"{HALL}.{last_month}.sqlite").exists() and snapshot.exists(), "the files are in order")
    until(lambda: said(house, "status")[0]["archives"] == len(list(archives.glob("*.sqlite"))), "all months have left")
    house.server.end(signal.SIGKILL)

    house.server.start()
    assert starts(house)[-1][1] < 50
    assert kiosk.press()["number"] == number + 1
    live = auditor.hall("GET", "/ledger")
    assert house.server.end(signal.SIGTERM) == 0
    (verdict,) = said(house, "verify")
    assert (verdict["good"], verdict["commits"]) == (True, live["seq"])
    assert verdict["state_hash"] == live["state_hash"]

    body = bytearray(snapshot.read_bytes())
    body[len(body) // 2] ^= 4
    snapshot.write_bytes(body)
    house.server.start()
    assert "demo.snapshot is not used, all commits are replayed: it is damaged" in house.server.errors.read_text()
    assert starts(house)[-1] == (live["seq"], live["seq"])
    assert auditor.hall("GET", "/ledger")["state_hash"] == live["state_hash"]
    assert kiosk.press()["number"] == number + 2
    until(lambda: snapshot.read_bytes() != bytes(body), "a new one is kept")
