"""A power cut loses nothing that was acknowledged: by the ledger alone, the agent's journal, a real server at work."""

import gc
import random
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.jobs import JobOrder, Say
from drivers.journal import Journal
from server.ledger.base import Commit
from server.ledger.sqlite import SqliteLedger
from tests.checker.judge import rules
from tests.faults.clients import Clients
from tests.faults.disk import PowerDisk, needs_power_disk
from tests.faults.spawned import SpawnedHouse, Spawner
from tests.ledger.commits import chain_of

pytestmark = [
    needs_power_disk,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]  # as in test_kills

SEED = 7
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerDisk]:
    """Give a disk whose power can be cut."""
    made = PowerDisk(tmp_path)
    made.mount()
    yield made
    made.unmount()


def lost_in(disk: PowerDisk, rounds: int, *, synchronous: str = "FULL") -> int:
    """Give how many acknowledged commits were gone after so many power cuts."""
    dice = random.Random(SEED)
    kept: list[Commit] = []
    lost = 0
    for _ in range(rounds):
        ledger = SqliteLedger(disk.folder / "hall.sqlite")
        ledger._db.execute(f"PRAGMA synchronous={synchronous}")
        acked = list(kept)
        for _ in range(dice.randrange(1, 30)):
            more = chain_of(1, acked[-1] if acked else None)
            ledger.append(more)
            acked += more
        disk.cut()
        with suppress(sqlite3.Error):
            ledger.close()
        disk.unmount()
        disk.mount()
        ledger = SqliteLedger(disk.folder / "hall.sqlite")
        kept = list(ledger.read())
        ledger.close()
        assert kept == acked[: len(kept)]
        lost += len(acked) - len(kept)
    return lost


@pytest.mark.parametrize("cuts", [10, pytest.param(100, marks=pytest.mark.faults)])
def test_power_cuts_lose_no_commit(disk: PowerDisk, cuts: int) -> None:
    assert lost_in(disk, cuts) == 0


def test_without_waiting_for_the_disk_power_cuts_lose_commits(disk: PowerDisk) -> None:
    """The control."""
    assert lost_in(disk, 3, synchronous="NORMAL") > 0


def forgotten_in(disk: PowerDisk, rounds: int, *, synchronous: str | None = None) -> int:
    """Give how many jobs that were begun an agent knows nothing of after a power cut."""
    forgotten = 0
    for number in range(rounds):
        call = Say(
            ticket=f"t{number}", label="A001", window="1", window_name={}, zone="hall", languages=(), call_count=1
        )
        order = JobOrder(id=f"{number}.0", device="speaker", job=call, expires_at=NOW + timedelta(days=1))
        journal = Journal(disk.folder / "jobs.sqlite", NOW)
        if synchronous is not None:
            journal._file.execute(f"pragma synchronous={synchronous}")
        journal.start(order, NOW)
        disk.cut()
        with suppress(sqlite3.Error):
            journal.close()
        disk.unmount()
        disk.mount()
        journal = Journal(disk.folder / "jobs.sqlite", NOW)
        forgotten += journal.answer(order) is None
        journal.close()
    return forgotten


def test_a_job_that_was_begun_is_known_after_a_power_cut(disk: PowerDisk) -> None:
    assert forgotten_in(disk, 5) == 0


def test_a_journal_that_does_not_sync_its_folder_forgets_jobs(disk: PowerDisk) -> None:
    """The control: what SQLite's FULL leaves open where there is a rollback journal."""
    assert forgotten_in(disk, 3, synchronous="full") > 0


def at_work(spawner: Spawner, root: Path, disk: PowerDisk, cuts: int, broken: str = "") -> Clients:
    """Cut the power of a server's disk so many times while clients work; give them and what they saw."""
    dice = random.Random(SEED)
    house = SpawnedHouse(spawner, root, disk.image.with_name("house"))  # the log is there: not on that disk
    house.server.data = disk.folder / "data"
    house.server.data.mkdir()
    shutil.copy(
        disk.image.with_name("house") / "accounts.sqlite", house.server.data
    )  # nothing here keeps a file of the disk open
    house.server.broken = broken
    try:
        house.server.start()
        clients = Clients(house, seed=SEED)
        for _ in range(cuts):
            clients.until_answers(dice.randrange(1, 40))
            disk.cut()
            house.server.end(signal.SIGKILL)
            disk.unmount()
            disk.mount()
            house.server.start()
        clients.until_answers(20)
        clients.stop()
        assert house.server.end(signal.SIGTERM) == 0
        gc.collect()
    finally:
        house.close()
    return clients


@pytest.mark.parametrize("cuts", [3, pytest.param(100, marks=pytest.mark.faults)])
def test_a_server_that_loses_its_power_again_and_again_keeps_every_promise(
    spawner: Spawner, root: Path, disk: PowerDisk, cuts: int
) -> None:
    clients = at_work(spawner, root, disk, cuts)
    assert not [str(it) for it in clients.judged()]
    assert clients.answers > 2 * cuts


def test_a_server_that_trusts_its_disk_is_found_out(spawner: Spawner, root: Path, disk: PowerDisk) -> None:
    """The control: synchronous=NORMAL."""
    assert "L3" in rules(at_work(spawner, root, disk, 2, "trusts the disk").judged())
