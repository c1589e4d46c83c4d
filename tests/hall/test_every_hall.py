"""Random days of every shipped hall: the ledger passes the audit, and reading it again gives the same hall."""

import pytest

from config import load_hall, shipped
from server.domain.evolve import evolve
from server.domain.lifecycle import AT_WINDOW
from server.domain.state import HallState
from server.domain.terms import TicketStatus
from server.ledger.audit import audit
from server.plan import plan_of
from tests.hall.days import RandomDays


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("hall", shipped())
def test_random_days_pass_the_audit(hall: str, seed: int) -> None:
    days = RandomDays(plan=plan_of(load_hall(shipped()[hall])), seed=seed)
    days.play(days=3, steps=400)
    assert audit(days.commits) == []
    assert days.done["TicketCalled"] > 15, "the days were too quiet to show anything"
    again = HallState()
    for commit in days.commits:
        for event in commit.events:
            evolve(again, event, at_ms=commit.at_ms)
    assert again == days.state
    assert_stands_somewhere(days.state)


def assert_stands_somewhere(state: HallState) -> None:
    """Every ticket is in exactly one place: a lane, a window, a list of a window, away, or it is over."""
    in_lanes = [id_ for _, lane in state.lane_items() for _, _, id_ in lane]
    current = [window.current for window in state.windows.values() if window.current is not None]
    held = [id_ for window in state.windows.values() for id_ in window.held]
    missed = [id_ for window in state.windows.values() for id_ in window.missed]
    away = [id_ for window in state.windows.values() for id_ in window.away]
    for places, statuses in (
        (in_lanes, {TicketStatus.WAITING}),
        (current, AT_WINDOW),
        (held, {TicketStatus.HELD}),
        (missed, {TicketStatus.MISSED}),
        (away, {TicketStatus.AWAY}),
    ):
        assert len(places) == len(set(places))
        assert set(places) == {id_ for id_, ticket in state.tickets.items() if ticket.status in statuses}
