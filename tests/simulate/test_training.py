"""What to train for: a planted need is found, the budget kept, and no gain is claimed where there is none."""

from dataclasses import replace

import pytest

from config import load_hall, shipped
from server.domain.terms import HallPlan, ZoneId
from server.plan import plan_of
from server.simulate.described import Described
from server.simulate.draw import people_of
from server.simulate.fluid import flow_of, person_minutes
from server.simulate.run import Experiment, described_days
from server.simulate.training import Found, Wanted, search, split, steps

DAYS = 9


@pytest.fixture(scope="module")
def plan() -> HallPlan:
    """The demo hall without anybody who relieves."""
    file = plan_of(load_hall(shipped()["demo"]))
    return replace(file, windows=tuple(replace(it, relief=()) if it.serves else it for it in file.windows))


def searched(plan: HallPlan, described: Described, budget: int) -> Found:
    source = described_days(plan, described, people_of(plan, described, 1), days=DAYS, seed=1)
    zones = [zone.id for zone in plan.queues]
    targets = tuple((zone, tuple(it.id for it in plan.services if it.zone == zone)) for zone in zones)
    wanted = Wanted(
        budget=budget,
        each=2,
        windows=tuple(it.no for it in plan.windows if it.staffed),
        targets=tuple(it for it in targets if it[1]),
    )
    first, then = split(DAYS)
    played: list[int] = []
    found = search(
        Experiment(plan=plan, source=source, without_hours=()),
        wanted,
        searched=first,
        judged=then,
        jobs=1,
        played=lambda: played.append(1),
    )
    assert len(played) <= steps(wanted, len(first), len(then))
    assert len(found.pairs) <= budget
    return found


def test_the_hot_zone_is_found_and_the_gain_is_sure(plan: HallPlan) -> None:
    hot, *others = [zone.id for zone in plan.queues if any(it.zone == zone.id for it in plan.services)]
    found = searched(plan, Described(load=0.75, heat={hot: 1.6} | dict.fromkeys(others, 0.6)), 2)
    assert found.pairs
    for pair in found.pairs:
        assert pair.zone == hot
        assert plan.window[pair.window].zone != hot
    assert found.gain.is_clear
    assert found.gain.value > 1.0
    assert {it.day for it in found.before}.isdisjoint([])  # judged on its own days
    assert [it.day for it in found.before] == [it.day for it in found.after]


def test_no_gain_is_claimed_where_nobody_waits(plan: HallPlan) -> None:
    found = searched(plan, Described(load=0.1), 2)
    assert not found.pairs or not found.gain.low > 0


def test_days_to_search_and_to_judge_have_none_in_common() -> None:
    for days in (9, 10, 24, 250):
        first, then = split(days)
        assert first
        assert then
        assert not set(first) & set(then)
        assert max(*first, *then) < days


def test_water_says_which_skill_helps_most(plan: HallPlan) -> None:
    hot, other = ZoneId("tax"), next(zone.id for zone in plan.queues if zone.id != "tax")
    described = Described(load=0.8, heat={hot: 1.8, other: 0.4})
    source = described_days(plan, described, people_of(plan, described, 1), days=1, seed=1)
    flows = [flow_of(plan, source.day(0))]
    none = {window.no: frozenset({window.zone}) for window in plan.windows}
    helper = next(it.no for it in plan.windows if it.zone == other)
    needed = {**none, helper: frozenset({other, hot})}
    busy = next(it.no for it in plan.windows if it.zone == hot)
    useless = {**none, busy: frozenset({other, hot})}
    before = person_minutes(plan, flows, none)
    assert person_minutes(plan, flows, needed) < 0.9 * before
    assert person_minutes(plan, flows, useless) > person_minutes(plan, flows, needed)
