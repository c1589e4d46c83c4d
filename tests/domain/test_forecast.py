"""What visitors are told to expect: worked out by hand, true of any hall, unknown where nobody serves, replayed.

How good forecasts are on whole days is held in tests/benchmarks/test_forecast.py.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest

from server.domain import calibration, lookahead
from server.domain import commands as c
from server.domain.calibration import MOST, PARTS, START, TRUSTED, Calibration
from server.domain.evolve import evolve
from server.domain.forecast import NEXT_HOUR_MIN, Eta, expected, next_hour, outlook
from server.domain.lookahead import Newcomer
from server.domain.state import HallState
from server.domain.terms import (
    ORDINARY,
    Calendar,
    CallingRule,
    OpeningHours,
    PauseReason,
    PriorityId,
    ServiceId,
    WindowNo,
    Zone,
    ZoneId,
)
from tests.domain.halls import PLAN, Scene, a_service, a_window

GREEN = PriorityId("green")
WEIGHED = replace(
    PLAN,
    rule=CallingRule.BALANCED,
    zones=tuple(Zone(id=ZoneId(it), name={"zh": it}) for it in "abc"),
    services=tuple(a_service(it, it.upper(), it) for it in "abc"),
    windows=(a_window("1", "a", relief="b c"), a_window("2", "b"), a_window("3", "c", relief="a"), a_window("4", "a")),
)
# One service and two windows, and nobody goes ahead of anybody: waits can be worked out by hand.
PLAIN = replace(
    PLAN,
    zones=(Zone(id=ZoneId("a"), name={"zh": "a"}),),
    services=(a_service("a", "A", "a"),),
    windows=(a_window("1", "a"), a_window("2", "a")),
    priorities=(),
)
EACH_MIN = 0.92 * 10 + 0.08 * 1  # of a visit that is ten minutes long, of whom 8 % do not come


def told(scene: Scene, service: str = "a", **more: object) -> Eta:
    eta = expected(scene.state, Newcomer(service=ServiceId(service), **more), scene.now_ms)  # type: ignore[arg-type]  # a test says what matters
    assert eta is not None
    return eta


def plain(*windows: str, waiting: int = 0) -> Scene:
    """Give a hall in which every open window has just called somebody and so many more wait."""
    scene = Scene(PLAIN, open_windows=windows)
    scene.state.habits.by_priority[ORDINARY] = 1e9  # nobody ever came with a priority
    for no in windows:
        scene.issue("a")
        scene.next(no)
    for _ in range(waiting):
        scene.issue("a")
    return scene


def any_hall(seed: int) -> Scene:
    dice = Random(seed)
    scene = Scene(WEIGHED, open_windows=dice.sample("1234", dice.randrange(1, 5)))
    for _ in range(dice.randrange(40)):
        if dice.random() < 0.75:
            scene.issue(dice.choice("abc"), dice.choice([None] * 5 + ["green"]))
        scene.wait(dice.randrange(4))
        no = dice.choice("1234")
        if scene.window(no).clerk and scene.order_at(no):
            scene.next(no, finish=True)
    return scene


def test_where_a_window_is_free_nobody_waits() -> None:
    eta = told(Scene(PLAIN, open_windows=["1"]))
    assert (eta.low_s, eta.p50_s, eta.seen_s) == (0, 0, 0)
    assert eta.high_s <= 60


@pytest.mark.parametrize(("windows", "waiting"), [("1", 0), ("1", 5), ("12", 6), ("12", 20)])
def test_the_wait_is_what_is_left_of_the_visits_at_the_windows_and_the_work_of_those_ahead(
    windows: str, waiting: int
) -> None:
    scene = plain(*windows, waiting=waiting)
    seen_min = told(scene).seen_s / 60
    if len(windows) == 1:
        assert seen_min == pytest.approx(10 + waiting * EACH_MIN, rel=0.15)  # most visits are shorter than the mean
    else:  # the first of two is done sooner than either, and then they share the row
        assert seen_min == pytest.approx(10 / 2 + waiting * EACH_MIN / 2, rel=0.2)


def test_who_is_expected_before_counts_and_who_comes_later_in_the_same_row_does_not() -> None:
    scene = plain("1", waiting=3)
    alone = told(scene)
    group = told(scene, more=3)
    assert group.seen_s - alone.seen_s == pytest.approx(3 * EACH_MIN * 60, rel=0.1)
    assert told(scene) == alone


def test_a_slow_clerk_makes_waits_longer() -> None:
    def after(minutes: float) -> int:
        scene = Scene(PLAIN, open_windows=["1"])
        for _ in range(30):
            scene.issue("a")
            scene.next("1", finish=True)
            scene.start("1")
            scene.wait(minutes)
        for _ in range(5):
            scene.issue("a")
        return told(scene).p50_s

    assert after(14) > 1.5 * after(7)


def test_where_nobody_serves_nothing_is_said() -> None:
    scene = Scene(WEIGHED, open_windows=["2"])  # of zone b alone
    for service in "abc":
        scene.issue(service)
    assert expected(scene.state, Newcomer(service=ServiceId("a")), scene.now_ms) is None
    assert expected(scene.state, Newcomer(service=ServiceId("b"), window=WindowNo("1")), scene.now_ms) is None
    everybody = outlook(scene.state, scene.now_ms)
    assert [everybody.services[ServiceId(it)] is not None for it in "abc"] == [False, True, False]
    assert {scene.state.tickets[it].service for it in everybody.tickets} == {"b"}
    assert everybody.of_zone(scene.state, ZoneId("c")) is None
    hour = next_hour(scene.state, scene.now_ms)
    assert [it.eta for it in hour[ZoneId("a")]] == [None, None, None]
    assert all(it.eta is not None for it in hour[ZoneId("b")])


def test_the_last_window_that_goes_makes_it_unknown_and_the_first_that_comes_known() -> None:
    scene = plain("1", waiting=2)
    scene.finish("1")
    scene.do(c.PauseWindow(window=WindowNo("1"), reason=PauseReason.FAULT))
    assert expected(scene.state, Newcomer(service=ServiceId("a")), scene.now_ms) is None
    scene.do(c.ResumeWindow(window=WindowNo("1")))
    assert told(scene).p50_s > 0


def test_of_the_next_hour_only_what_is_open_then_is_told() -> None:
    hours = (OpeningHours(days=("mon",), opens="08:30", closes="09:45"),)
    plan = replace(PLAIN, hours=hours, calendar=Calendar(enforced=True, last_ticket_min=0))
    scene = Scene(plan, open_windows=["1"])
    for _ in range(6):
        scene.issue("a")
    now, half, hour = next_hour(scene.state, scene.now_ms)[ZoneId("a")]
    assert [it.after_min for it in (now, half, hour)] == list(NEXT_HOUR_MIN)
    assert [it.is_open for it in (now, half, hour)] == [True, True, False]
    assert hour.eta is None
    assert now.eta is not None
    assert half.eta is not None
    assert half.eta.width_s > now.eta.width_s  # nobody knows who will have come by then
    assert now.eta == told(scene)


@pytest.mark.parametrize("seed", range(0, 60, 10))
def test_what_is_true_of_any_forecast(seed: int) -> None:
    for number in range(seed, seed + 10):
        scene = any_hall(number)
        everybody = outlook(scene.state, scene.now_ms)
        for eta in (*everybody.services.values(), *everybody.tickets.values()):
            assert eta is None or 0 <= eta.low_s <= eta.p50_s <= eta.p80_s <= eta.high_s
        for service in "abc":
            asked = Newcomer(service=ServiceId(service))
            alone = expected(scene.state, asked, scene.now_ms)
            green = expected(scene.state, replace(asked, priority=GREEN), scene.now_ms)
            assert (alone is None) == (green is None) == (everybody.services[ServiceId(service)] is None)
            if alone is None or green is None:
                continue
            assert green.p50_s <= alone.p50_s
            more = deepcopy(scene)
            more.issue(service)
            longer = expected(more.state, asked, scene.now_ms)
            assert longer is not None
            assert longer.p50_s >= 0.9 * alone.p50_s  # the chances fall otherwise, which is worth a little


def test_more_people_ahead_make_a_wait_longer_by_their_work() -> None:
    waits = [told(plain("1", waiting=waiting)).p50_s for waiting in range(0, 18, 3)]  # all before lunch
    assert waits == sorted(waits)
    assert waits[-1] - waits[0] == pytest.approx(15 * EACH_MIN * 60, rel=0.1)


def test_who_waits_in_a_row_is_called_in_its_order() -> None:
    scene = plain("1", "2", waiting=9)
    everybody = outlook(scene.state, scene.now_ms)
    waiting = [it for it in scene.state.tickets.values() if it.id in everybody.tickets]
    waits = [everybody.tickets[it.id].seen_s for it in sorted(waiting, key=lambda it: it.number)]
    assert waits == sorted(waits)
    assert waits[-1] < told(scene).seen_s


def test_another_window_makes_waits_shorter() -> None:
    scene = plain("1", waiting=8)
    before = told(scene).p50_s
    scene.open("2")
    assert told(scene).p50_s < 0.7 * before


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_dictionaries_changes_nothing(seed: int) -> None:
    scene = any_hall(seed)
    state = scene.state
    told_first = outlook(state, scene.now_ms), next_hour(state, scene.now_ms)
    state.lanes = dict(reversed(state.lanes.items()))
    state.windows = dict(reversed(state.windows.items()))
    state.tickets = dict(reversed(state.tickets.items()))
    state.learned.serve_s = dict(reversed(state.learned.serve_s.items()))
    state.habits.by_service = dict(reversed(state.habits.by_service.items()))
    state.habits.by_priority = dict(reversed(state.habits.by_priority.items()))
    again = outlook(state, scene.now_ms), next_hour(state, scene.now_ms)
    assert again == told_first


def test_asking_changes_nothing() -> None:
    scene = any_hall(3)
    before = deepcopy(scene.state)
    first = outlook(scene.state, scene.now_ms)
    next_hour(scene.state, scene.now_ms)
    assert outlook(scene.state, scene.now_ms) == first
    assert scene.state == before


def test_a_replay_foretells_exactly_the_same() -> None:
    scene = Scene(WEIGHED, open_windows="1234")
    dice = Random(5)
    for _ in range(160):
        if dice.random() < 0.6:
            scene.issue(dice.choice("abc"), dice.choice([None] * 5 + ["green"]))
        scene.wait(dice.randrange(6))
        no = dice.choice("1234")
        if scene.order_at(no):
            scene.next(no, finish=True)
    again = HallState()
    for at_ms, event in scene.past:
        evolve(again, event, at_ms=at_ms)
    assert len(again.calibration.errors) > 30
    assert again.calibration == scene.state.calibration
    assert again.habits == scene.state.habits
    assert outlook(again, scene.now_ms) == outlook(scene.state, scene.now_ms)
    assert next_hour(again, scene.now_ms) == next_hour(scene.state, scene.now_ms)


def test_the_first_morning_of_a_new_hall_is_sensible() -> None:
    """Nothing is known but what the hall file says: ten minutes a visit, and who is there."""
    scene = Scene(WEIGHED, open_windows="1234")
    seen = []
    for _ in range(24):
        seen.append(told(scene, "b"))
        scene.issue("b")
    assert all(it.p50_s <= 60 for it in seen[:1])  # window 2 is free
    middle = [it.p50_s / 60 for it in seen]
    # Window 2 alone would take 23 visits, with all the help of window 1 half of that; green ones come between.
    assert 23 * EACH_MIN / 2 <= middle[-1] <= 1.5 * 23 * EACH_MIN
    for eta in seen[4:]:
        assert eta.low_s > 0
        assert 0.3 * eta.p50_s < eta.high_s - eta.low_s < 2.5 * eta.p50_s


def test_errors_are_held_against_what_was_seen_in_widths() -> None:
    known = Calibration()
    assert known.quantiles() == START
    known.add(seen_s=600, width_s=120, waited_s=780)
    known.add(seen_s=600, width_s=120, waited_s=540)
    known.add(seen_s=60, width_s=60, waited_s=36_000)
    assert list(known.errors) == [1.5, -0.5, MOST]
    for error in range(TRUSTED + 1):
        known.add(seen_s=0, width_s=TRUSTED, waited_s=error)  # evenly from 0 to 1
    low, middle, p80, high = known.quantiles()
    assert [low, middle, p80, high] == pytest.approx(PARTS, abs=0.03)


def test_a_hall_that_is_always_slower_than_foretold_says_more_the_next_time() -> None:
    scene = plain("1", waiting=6)
    before = told(scene)
    for _ in range(TRUSTED + 50):
        scene.state.calibration.add(seen_s=600, width_s=300, waited_s=900)
    after = told(scene)
    assert after.seen_s == before.seen_s
    assert after.p50_s == pytest.approx(before.seen_s + before.width_s, abs=2)


def test_waits_that_a_clerk_chose_or_that_follow_a_leg_teach_nothing() -> None:
    scene = plain("1", waiting=3)
    before = list(scene.state.calibration.errors)
    scene.wait(10)
    ticket = next(it for it in scene.state.tickets.values() if it.label == "A004")
    scene.finish("1")
    scene.do(c.CallTicket(window=WindowNo("1"), ticket=ticket.id, reason="腿脚不便"))
    assert list(scene.state.calibration.errors) == before
    scene.next("1", finish=True)
    assert len(scene.state.calibration.errors) == len(before) + 1


def forgets_the_row(patch: pytest.MonkeyPatch) -> None:
    seen = lookahead.newcomer
    patch.setattr(lookahead, "newcomer", lambda state, who, now_ms: seen(_without_waiting(state), who, now_ms))


def widest_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(calibration, "START", tuple(reversed(START)))


def _without_waiting(state: HallState) -> HallState:
    empty = deepcopy(state)
    empty.lanes = {}
    return empty


@pytest.mark.parametrize(
    ("mutate", "example"),
    [
        (forgets_the_row, test_more_people_ahead_make_a_wait_longer_by_their_work),
        (widest_first, lambda: test_what_is_true_of_any_forecast(0)),
    ],
)
def test_a_broken_forecast_fails_the_example(
    mutate: Callable[[pytest.MonkeyPatch], None], example: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        example()
