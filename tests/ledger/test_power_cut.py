"""A power cut loses nothing that was acknowledged: a small ext4 disk is shut down without flushing, then mounted again.

The cut is the ioctl FS_IOC_SHUTDOWN with NOLOGFLUSH (linux/fs.h; as xfstests' godown does): whatever was not synced is
gone. It proves what reaches the disk, not that the disk keeps its own promises.
"""

import fcntl
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
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
from tests.ledger.commits import chain_of

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
NEVER_S = 3600  # else what nobody synced is on the disk after 5 s, which a busy machine lets pass before the cut

ROOT = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mkfs.ext4") is not None


class Disk:
    """An ext4 disk in a file."""

    def __init__(self, folder: Path) -> None:
        self.image, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir()
        with self.image.open("wb") as image:
            image.truncate(16 * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True)

    def mount(self) -> None:
        """Switch the power on."""
        done = subprocess.run(
            ["mount", "-o", f"loop,commit={NEVER_S}", str(self.image), str(self.folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no loop mounts here: {done.stderr.strip()}")

    def cut(self) -> None:
        """Cut the power."""
        folder = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(folder, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        os.close(folder)

    def unmount(self) -> None:
        """Let the folder go."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Give a disk whose power can be cut."""
    made = Disk(tmp_path)
    made.mount()
    yield made
    made.unmount()


def lost_in(disk: Disk, rounds: int, *, synchronous: str = "FULL") -> int:
    """Give how many acknowledged commits were gone after so many power cuts."""
    dice = random.Random(7)
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


@pytest.mark.skipif(not ROOT, reason="cuts the power of a loop disk: needs root on Linux")
def test_twenty_power_cuts_lose_nothing(disk: Disk) -> None:
    assert lost_in(disk, 20) == 0


@pytest.mark.skipif(not ROOT, reason="cuts the power of a loop disk: needs root on Linux")
def test_without_waiting_for_the_disk_power_cuts_lose_commits(disk: Disk) -> None:
    assert lost_in(disk, 3, synchronous="NORMAL") > 0


def years_on(disk: Disk) -> tuple[Path, list[Commit]]:
    """Give a ledger of eighty days on the disk, and its commits."""
    path = disk.folder / f"{PLAN.hall}.sqlite"
    years = Years(PLAN, visits=2, first=date(2026, 1, 20))
    years.write(path, years.commits(80))
    os.sync()
    return path, list(files.commits(path))


def again(disk: Disk) -> None:
    """Switch the power on again, after it was cut or now."""
    disk.cut()
    disk.unmount()
    disk.mount()


@pytest.mark.skipif(not ROOT, reason="cuts the power of a loop disk: needs root on Linux")
def test_power_cuts_while_months_leave_lose_and_double_nothing(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "STEP", 150)
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


@pytest.mark.skipif(not ROOT, reason="cuts the power of a loop disk: needs root on Linux")
def test_a_power_cut_leaves_the_old_snapshot_or_the_new_one(disk: Disk) -> None:
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
