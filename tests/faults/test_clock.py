"""The machine's clock jumps: numbers stay dense, the business day and the ledger's time never go back.

Once with the hall alone, and once with the real server under a clock that is set while clients of every kind work.
"""

import gc
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.terms import CLOCK, HallId, ServiceId, Track
from server.hall import Hall
from server.ledger.audit import audit
from server.ledger.base import Commit
from server.ledger.sqlite import SqliteLedger
from tests.domain.halls import PLAN, ms
from tests.faults.clients import Clients, commits_in
from tests.faults.preload import SetClock
from tests.faults.spawned import SpawnedHouse, Spawner
from tests.live.house import HALL, Api
from tests.patience import until

PRESSES = 200
STEPS = {
    "two hours back": ("2026-03-02T09:00:00+08:00", "2026-03-02T07:00:00+08:00"),
    "a day on": ("2026-03-02T09:00:00+08:00", "2026-03-03T09:00:00+08:00"),
    "a day back": ("2026-03-02T09:00:00+08:00", "2026-03-01T09:00:00+08:00"),
    "a day on and back": (
        "2026-03-02T09:00:00+08:00",
        "2026-03-03T09:00:00+08:00",
        "2026-03-02T09:00:10+08:00",
    ),
    "over midnight and back": (
        "2026-03-02T23:59:58+08:00",
        "2026-03-03T00:00:01+08:00",
        "2026-03-02T23:59:59+08:00",
    ),
    "over the turn of the day and back": (
        "2026-03-03T05:50:00+08:00",  # minutes before: a busy machine takes some to begin
        "2026-03-03T06:00:01+08:00",
        "2026-03-03T05:59:59+08:00",
    ),
    "over New Year": ("2026-12-31T23:59:58+08:00", "2027-01-01T08:00:00+08:00", "2026-12-31T23:00:00+08:00"),
    "over the end of a February": ("2028-02-29T10:00:00+08:00", "2028-03-01T10:00:00+08:00"),
}


def played(path: Path, instants: tuple[str, ...], kind: type[Hall] = Hall) -> list[Commit]:
    """Press on while the clock jumps from instant to instant, with a restart after each; give the ledger."""
    clock = [ms(instants[0])]
    presses = 0
    for instant in instants:
        clock[0] = ms(instant)
        hall = kind(HallId("test"), SqliteLedger(path), clock=lambda: clock[0])
        if hall.seq == 0:
            hall.handle(c.PlanHall(plan=PLAN), actor=CLOCK)
        for _ in range(PRESSES // len(instants)):
            clock[0] += 1000
            presses += 1
            hall.handle(c.IssueTicket(service=ServiceId("general"), track=Track(f"t{presses}")), actor=CLOCK)
        hall.close()
    ledger = SqliteLedger(path)
    commits = list(ledger.read())
    ledger.close()
    return commits


def wrong(commits: list[Commit]) -> list[str]:
    """Give what a jump of the clock has broken."""
    found = [str(finding) for finding in audit(commits)]
    days = [event.day for commit in commits for event in commit.events if isinstance(event, e.DayOpened)]
    found += [f"day {b} after {a}" for a, b in pairwise(days) if b <= a]
    found += [f"commit {b.seq} is earlier than {a.seq}" for a, b in pairwise(commits) if b.at_ms < a.at_ms]
    expected = 0
    for commit in commits:
        for event in commit.events:
            match event:
                case e.DayOpened():
                    expected = 0
                case e.TicketIssued():
                    expected += 1
                    if event.number != expected:
                        found.append(f"number {event.number} where {expected} is due")
                case _:
                    pass
    return found


@pytest.mark.parametrize("step", STEPS)
def test_a_jump_of_the_clock_leaves_numbers_dense_and_days_in_order(tmp_path: Path, step: str) -> None:
    commits = played(tmp_path / "test.sqlite", STEPS[step])
    assert not wrong(commits)
    issued = [event for commit in commits for event in commit.events if isinstance(event, e.TicketIssued)]
    assert len(issued) == PRESSES // len(STEPS[step]) * len(STEPS[step])


def test_a_hall_that_believes_its_clock_is_found_out(tmp_path: Path) -> None:
    """The control."""

    class Believer(Hall):
        def now_ms(self) -> int:
            return self._clock()

    assert wrong(played(tmp_path / "test.sqlite", STEPS["two hours back"], Believer))


SPEAKER = {"kind": "speaker", "driver": "speech", "url": "aplay:default", "health": "ok"}

# What a night in Berlin does to a day that begins at half past two: in spring there is no half past two, in autumn two.
SPRING = ("2026-03-29T01:50:00+01:00", "2026-03-29T03:00:01+02:00", "2026-03-29T03:30:01+02:00")
AUTUMN = (
    "2026-10-25T02:20:00+02:00",
    "2026-10-25T02:40:00+02:00",
    "2026-10-25T02:10:00+01:00",
    "2026-10-25T02:40:00+01:00",
)
NIGHTS = {"a night in spring": SPRING, "a night in autumn": AUTUMN}
OFTEN = ("two hours back", "a day on and back", "over the turn of the day and back", "a night in autumn")
DAYS = {
    "two hours back": 1,
    "a day on": 2,
    "a day back": 1,
    "a day on and back": 2,
    "over midnight and back": 1,
    "over the turn of the day and back": 2,
    "over New Year": 2,
    "over the end of a February": 2,
    "a night in spring": 2,
    "a night in autumn": 2,
}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> SetClock:
    """Give a clock that can be set."""
    return SetClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def spawner_under(root: Path, clock: SetClock) -> Iterator[Spawner]:
    """Give the process that forks servers under that clock."""
    made = Spawner(root, clock.environment)
    yield made
    made.close()


def locked_out(person: Api) -> int:
    """Sign in with a wrong password, and give the status."""
    asked = {"work_id": "9002", "password": "wrong", "hall": HALL}
    status: int = person._session.post(f"{person._server.url}/api/v1/login", json=asked, timeout=60).status_code
    return status


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    "step", [it if it in OFTEN else pytest.param(it, marks=pytest.mark.faults) for it in {**STEPS, **NIGHTS}]
)
def test_a_clock_that_is_set_breaks_no_promise_of_a_server_at_work(
    spawner_under: Spawner, clock: SetClock, root: Path, tmp_path: Path, step: str
) -> None:
    instants = {**STEPS, **NIGHTS}[step]
    hall = tmp_path / "hall.toml"
    text = (root / "config/demo.toml").read_text(encoding="utf-8")
    if step in NIGHTS:
        text = text.replace('"Asia/Shanghai"', '"Europe/Berlin"').replace(
            'day_starts = "06:00"', 'day_starts = "02:30"'
        )
    hall.write_text(text, encoding="utf-8")
    clock.set(instants[0])
    house = SpawnedHouse(spawner_under, root, tmp_path / "data", hall)
    try:
        house.server.start()
        anybody, kiosk = house.server.api(), house.api("kiosk")
        house.people.add_user("9002", house.password, role="manager")
        house.people.add_user("1005", house.password, role="clerk")
        while locked_out(anybody) != 429:
            pass
        house.api("devices").hall("PUT", "/devices/speaker-1", SPEAKER)
        speaker = house.watcher("devices").watch("device:speaker-1")
        clients = Clients(house)
        for instant in instants:
            clock.set(instant)
            clients.until_answers(15)
            assert locked_out(anybody) == 429
        clock.set(instants[0])  # put right while nobody looked: perhaps far behind the ledger
        house.server.end(signal.SIGKILL)
        house.server.start()
        clients.until_answers(15)
        clerk = house.person("1005", "5")
        clients.ask(clerk, "/windows/5/open", {})
        clients.ask(kiosk, "/tickets", {"service": "social"})
        clients.ask(clerk, "/windows/5/call-next", {"finish": True})
        until(lambda: any(job["data"]["window"] == "5" for job in speaker.jobs if job["kind"] == "say"), "the call")
        clients.stop()
        assert house.server.end(signal.SIGTERM) == 0
    finally:
        house.close()
        anybody.close()
        gc.collect()  # as in test_kills
    assert not [str(it) for it in clients.judged()]
    commits = commits_in(house.server.data / f"{HALL}.sqlite")
    assert not [b.seq for a, b in pairwise(commits) if b.at_ms < a.at_ms]
    assert sum(isinstance(event, e.DayOpened) for commit in commits for event in commit.events) == DAYS[step]
