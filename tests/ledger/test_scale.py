"""A ledger of a million events: what a start, a report and an append touch is today's, not everything.

Nothing here is a time: what was read is counted. `make test-scale` does it with ten million, and then really replays
them all once, lets every month leave, and checks the whole chain.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks.house import plan as plan_of_house
from benchmarks.years import Years
from server.domain.events import DayOpened
from server.domain.terms import HallId
from server.hall import Hall
from server.ledger import codec, files
from server.ledger import snapshot as snapshots
from server.ledger.archive import first_of_month
from server.ledger.snapshot import Picture
from server.ledger.sqlite import SqliteLedger
from server.reporting import of_ledger
from server.web.history import events_of_day

pytestmark = pytest.mark.timeout(7200 if "SCALE_EVENTS" in os.environ else 600)

EVENTS = int(os.environ.get("SCALE_EVENTS", "1000000"))
WHOLE = "SCALE_EVENTS" in os.environ
VISITS = 800
MEMORY_MB = 200
FEW = 100  # commits that are looked at to find where something begins

START = """
import json, sys
from pathlib import Path
from server.domain.terms import HallId
from server.hall import Hall
from server.ledger import codec, snapshot
from server.ledger.sqlite import SqliteLedger
path, decoded, real = Path(sys.argv[1]), 0, codec.decode
def counted(body, **hashes):
    global decoded
    decoded += 1
    return real(body, **hashes)
codec.decode = counted
hall = HallId(path.stem)
ledger = SqliteLedger(path)
at_work = Hall(hall, ledger, clock=lambda: 0, start=snapshot.load(snapshot.beside(path), hall))
if "keep" in sys.argv:
    snapshot.keep(snapshot.beside(path), hall, at_work.base)
# Not ru_maxrss: a process inherits that of the one it was made from (getrusage(2)).
peak_kb = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seq": at_work.seq, "replayed": at_work.replayed, "decoded": decoded, "day": at_work.base.day,
    "state_hash": at_work.freeze().state_hash,
    "memory_mb": peak_kb / 1024}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Big:
    """A big ledger; `opened` is the commit that opened its last day, `today` what came since, that one included.

    `first` is what its first start took, where all was replayed.
    """

    path: Path
    years: Years
    commits: int
    days: int
    opened: int
    first: dict[str, Any] = field(default_factory=dict)

    @property
    def last_day(self) -> date:
        return self.years.first + timedelta(days=self.days - 1)

    @property
    def today(self) -> int:
        return self.commits - self.opened + 1


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Big]:
    """Give a ledger of so many events, and a snapshot of the start of its last day."""
    folder = tmp_path_factory.mktemp("big")
    plan = plan_of_house(folder)
    years = Years(plan, visits=VISITS)
    days = EVENTS // years.events_per_day + 2
    commits = years.commits(days) - years.per_day // 4  # the last day is not over
    path = folder / f"{plan.hall}.sqlite"
    years.write(path, commits)
    made = Big(path=path, years=years, commits=commits, days=days, opened=years.commits(days - 1) + 1)
    if WHOLE:
        made.first.update(started(path, "keep"))
    else:
        keep_a_start(made)
    yield made
    for place in (path, *path.parent.glob("archive/*")):
        place.unlink()  # it is as big as a disk may be small


def keep_a_start(big: Big) -> None:
    """Keep a snapshot as a server would have; to have it at once, only the first day is folded before the last."""
    with_first_day = Picture()
    for commit in islice(files.commits(big.path), big.years.begin):
        with_first_day.apply(commit)
    opening = next(files.commits(big.path, big.opened - 1))
    assert any(isinstance(event, DayOpened) for event in opening.events)
    with_first_day.apply(opening)
    snapshots.keep(snapshots.beside(big.path), opening.hall, with_first_day.freeze())


def started(path: Path, *more: str) -> dict[str, Any]:
    """Start a hall in a process of its own and give what that took; with "keep" it keeps the start of the day."""
    said = subprocess.run([sys.executable, "-c", START, str(path), *more], capture_output=True, text=True, check=True)
    return dict(json.loads(said.stdout))


class Counter:
    """Counts the commits that are read, whoever reads them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = 0
        real = codec.decode

        def decode(body: bytes, **hashes: str) -> object:
            self.read += 1
            return real(body, **hashes)

        monkeypatch.setattr(codec, "decode", decode)


def test_it_is_as_big_as_it_says(big: Big) -> None:
    assert big.commits / big.years.per_day * big.years.events_per_day >= EVENTS
    at_a_glance = files.status(big.path)
    assert (at_a_glance.commits, at_a_glance.days) == (big.commits, big.days)


@pytest.mark.skipif(WHOLE, reason="the long form replays it all, below")
def test_a_start_folds_today_and_holds_no_more(big: Big) -> None:
    took = started(big.path)
    assert (took["seq"], took["day"]) == (big.commits, big.last_day.isoformat())
    assert took["replayed"] == big.today - 1
    assert took["decoded"] <= took["replayed"] + 5
    assert took["memory_mb"] < MEMORY_MB


def test_reports_read_their_own_days_only(big: Big, monkeypatch: pytest.MonkeyPatch) -> None:
    day = big.years.first + timedelta(days=big.days // 2)
    counter = Counter(monkeypatch)
    told = of_ledger(big.path.parent, None, day=day.isoformat()).answer
    assert told["hall"]
    assert counter.read <= big.years.per_day + FEW
    counter.read = 0
    of_ledger(big.path.parent, None, month=day.isoformat()[:7])
    assert counter.read <= 31 * big.years.per_day + FEW


def test_a_day_asked_for_over_http_is_found_by_halving(big: Big, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter(monkeypatch)
    ledger = SqliteLedger(big.path)
    hall = Hall(HallId(big.path.stem), ledger, clock=lambda: 0, start=_start(big))
    counter.read = 0
    day = big.years.first + timedelta(days=big.days // 3)
    events = sum(1 for _ in events_of_day(hall, day.isoformat()))
    assert events == big.years.events_per_day
    assert counter.read <= big.years.per_day + 2 * 500 + FEW  # pages of 500
    ledger.close()


def _start(big: Big) -> snapshots.Snapshot | None:
    return snapshots.load(snapshots.beside(big.path), HallId(big.path.stem))


@pytest.mark.skipif(not WHOLE, reason="minutes: with `make test-scale`")
def test_everything_is_replayed_once_and_every_month_leaves(big: Big) -> None:
    assert big.first["replayed"] == big.commits
    assert big.first["memory_mb"] < MEMORY_MB

    ledger = SqliteLedger(big.path)
    before = big.path.stat().st_size
    for _ in ledger.archive(first_of_month(big.last_day.isoformat())):
        pass
    ledger.close()
    assert big.path.stat().st_size < before

    again = started(big.path)
    assert again["replayed"] == big.today - 1
    assert again["state_hash"] == big.first["state_hash"]
    assert again["memory_mb"] < MEMORY_MB
    verdict = files.verify(big.path, rules=False)
    assert (verdict.broken, verdict.commits) == ("", big.commits)
