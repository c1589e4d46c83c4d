"""Months that leave the hall's file and snapshots of the state survive a power cut at any moment.

What is acknowledged, and a server at work: tests/faults/test_power_cut.py.
"""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.years import Years
from server.ledger import archive as archives
from server.ledger import files
from server.ledger import snapshot as snapshots
from server.ledger import sqlite as sqlite_ledger
from server.ledger.base import Commit, LedgerDown
from server.ledger.snapshot import Picture
from server.ledger.sqlite import SqliteLedger
from tests.domain.halls import PLAN
from tests.faults.disk import PowerDisk, needs_power_disk

pytestmark = needs_power_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerDisk]:
    """Give a disk whose power can be cut."""
    made = PowerDisk(tmp_path)
    made.mount()
    yield made
    made.unmount()


def years_on(disk: PowerDisk) -> tuple[Path, list[Commit]]:
    """Give a ledger of eighty days on the disk, and its commits."""
    path = disk.folder / f"{PLAN.hall}.sqlite"
    years = Years(PLAN, visits=2, first=date(2026, 1, 20))
    years.write(path, years.commits(80))
    os.sync()
    return path, list(files.commits(path))


def again(disk: PowerDisk) -> None:
    """Switch the power on again, after it was cut or now."""
    disk.cut()
    disk.unmount()
    disk.mount()


def test_power_cuts_while_months_leave_lose_and_double_nothing(
    disk: PowerDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "STEP", 100)
    monkeypatch.setattr(sqlite_ledger, "LEAVING", 60)
    monkeypatch.setattr(sqlite_ledger, "SPARE_BYTES", 0)
    dice, cuts = random.Random(11), 0
    path, commits = years_on(disk)
    while True:
        ledger = SqliteLedger(path)
        steps, left = ledger.archive("2026-04-01"), dice.randrange(1, 12)
        if sum(1 for _ in islice(steps, left)) < left:
            break
        cuts += 1
        disk.cut()
        for let_go in (steps.close, ledger.close):
            with suppress(sqlite3.Error, OSError, LedgerDown):
                let_go()
        again(disk)
        ledger = SqliteLedger(path)
        assert list(ledger.read()) == commits
        ledger.close()
    ledger.close()
    assert cuts > 3
    assert [it.name for it in sorted((disk.folder / "archive").iterdir())] == [
        f"{PLAN.hall}.2026-0{month}.sqlite" for month in (1, 2, 3)
    ]
    again(disk)
    assert files.verify(path, rules=False).good
    assert list(files.commits(path)) == commits


def test_a_power_cut_leaves_the_old_snapshot_or_the_new_one(disk: PowerDisk) -> None:
    path, commits = years_on(disk)
    place, picture, kept = snapshots.beside(path), Picture(), 0
    for commit in commits[:400]:
        picture.apply(commit)
        if commit.seq % 100 == 0:
            snapshots.keep(place, PLAN.hall, picture.freeze())
            again(disk)
            found = snapshots.load(place, PLAN.hall)
            assert found is not None
            assert (found.seq, found.state_hash) == (commit.seq, picture.freeze().state_hash)
            kept += 1
    assert kept == 4
