"""The machine's clock jumps: numbers stay dense, the business day and the ledger's time never go back."""

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
        "2026-03-03T05:59:58+08:00",
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
