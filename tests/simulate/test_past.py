"""Days out of a ledger: the same visitors meet the same waits again, and what is changed makes a difference."""

from dataclasses import replace
from datetime import date

import pytest

from config import load_hall, shipped
from server.domain.terms import HallPlan, WindowNo
from server.plan import plan_of
from server.simulate.changes import Variant
from server.simulate.changes import read as read_changes
from server.simulate.described import Described
from server.simulate.draw import draw, load_of, people_of
from server.simulate.measure import day_mean
from server.simulate.past import PastDays, read, resampled
from server.simulate.play import Outcome
from server.simulate.run import Experiment, run
from server.simulate.shifts import open_days
from server.simulate.visits import MIN, Assigned
from tests.simulate.ledgers import write_past

DAYS = 3


@pytest.fixture(scope="module")
def plan() -> HallPlan:
    return plan_of(load_hall(shipped()["demo"]))


@pytest.fixture(scope="module")
def past(plan: HallPlan, tmp_path_factory: pytest.TempPathFactory) -> tuple[PastDays, list[Outcome]]:
    described = Described()
    people = people_of(plan, described, 1)
    dates = open_days(plan, date(2026, 3, 2), DAYS)
    days = [draw(plan, described, people, day, seed=1, number=number) for number, day in enumerate(dates)]
    first, *others = plan.windows
    lent = Assigned(at_ms=600 * MIN, window=others[-1].no, serves=others[-1].serves, relief=first.serves)
    days[0] = replace(days[0], assigned=(lent,))
    folder = tmp_path_factory.mktemp("past")
    with pytest.MonkeyPatch.context() as patch:
        outcomes = write_past(folder, plan, days, patch)
    return read(folder / "demo.sqlite", plan, "", "9999-12-31"), outcomes


def test_a_ledger_tells_what_really_happened(past: tuple[PastDays, list[Outcome]]) -> None:
    found, outcomes = past
    assert len(found.really) == len(outcomes) == DAYS
    for really, outcome in zip(found.really, outcomes, strict=True):
        assert really.visitors == outcome.visitors
        assert really.no_shows == outcome.no_shows
        waits = sorted((it.joined_ms, it.waited_ms, it.window or "") for it in outcome.waits)
        assert sorted((it.joined_ms, it.waited_ms, it.window or "") for it in really.waits) == waits
        for no, desk in outcome.desks.items():
            assert really.desks[no].served == desk.served
            assert abs(really.desks[no].busy_ms - desk.busy_ms) < 1000


def test_the_same_visitors_wait_as_they_did(plan: HallPlan, past: tuple[PastDays, list[Outcome]]) -> None:
    found, outcomes = past
    experiment = Experiment(plan=plan, source=found, without_hours=())
    (replayed,) = run(experiment, [Variant(name="as it was")], jobs=1)
    for again, outcome in zip(replayed, outcomes, strict=True):
        before = {it.joined_ms: it.waited_ms for it in outcome.waits}
        after = {it.joined_ms: it.waited_ms for it in again.waits}
        close = [abs(after.get(at_ms, 1e9) - waited) < 1000 for at_ms, waited in before.items()]
        assert sum(close) >= 0.97 * len(close)  # work is whole ms at an ordinary clerk: a tie may fall otherwise
        assert day_mean(again) == pytest.approx(day_mean(outcome), rel=0.02)


def test_what_a_manager_changed_happens_again_unless_skills_are_tried(
    plan: HallPlan, past: tuple[PastDays, list[Outcome]]
) -> None:
    found, _ = past
    assert [it.at_ms for it in found.past[0].assigned] == [600 * MIN]
    assert [it.at_ms for it in found.past[1].assigned] == [0]  # it lasts until somebody changes it back
    source, last, lent = found.only([0]), plan.windows[-1].no, set(plan.windows[0].serves)
    tried = [Variant(name="as it was"), *read_changes([f"{plan.windows[1].no}+=insurance"], plan)]
    outcomes = run(Experiment(plan=plan, source=source, without_hours=()), tried, jobs=1)
    helped = [sum(it.window == last and it.service in lent for it in days[0].waits) for days in outcomes]
    assert helped[0] > 0
    assert helped[1] == 0


def test_a_window_that_stays_closed_makes_them_wait_longer(
    plan: HallPlan, past: tuple[PastDays, list[Outcome]]
) -> None:
    found, outcomes = past
    (closed,) = read_changes(["close 1"], plan)
    source = found.only([0])
    (played,) = run(Experiment(plan=plan, source=source, without_hours=()), [closed], jobs=1)
    assert WindowNo("1") not in played[0].desks
    assert day_mean(played[0]) > 1.1 * day_mean(outcomes[0])
    assert played[0].visitors == outcomes[0].visitors  # the very same


def test_days_drawn_from_past_ones_are_like_them(plan: HallPlan, past: tuple[PastDays, list[Outcome]]) -> None:
    found, _ = past
    drawn = resampled(found, plan, days=12, load=None, seed=3)
    assert drawn.past == resampled(found, plan, days=12, load=None, seed=3).past
    assert drawn.past != resampled(found, plan, days=12, load=None, seed=4).past
    a_day = [len(day.visits) for day in drawn.past]
    really = [len(day.visits) for day in found.past]
    assert min(really) * 0.7 < sum(a_day) / 12 < max(really) * 1.3
    more = resampled(found, plan, days=12, load=1.2, seed=3)
    load = sum(load_of(plan, day) for day in more.past) / 12
    assert load == pytest.approx(1.2, rel=0.15)
    works = {stay.work_ms for day in found.past for visit in day.visits for stay in visit.stays}
    assert {stay.work_ms for day in drawn.past for visit in day.visits for stay in visit.stays} <= works
