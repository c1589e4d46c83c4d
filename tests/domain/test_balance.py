"""Heat and advice: what is hot, which trained skill to switch on or off, what it would save, and what is never done."""

from dataclasses import replace
from random import Random

import pytest

from server.domain import commands as c
from server.domain.balance import (
    HOUR_MIN,
    LIMITS,
    Limits,
    Suggestion,
    could_serve,
    heat,
    played_forward,
    predicted,
    suggest,
    switched_on,
)
from server.domain.terms import CallingRule, HallPlan, ServiceId, WindowNo, Zone, ZoneId
from server.domain.workload import Queue, Seat
from tests.domain.halls import PLAN, Scene, a_service, a_window

A, B, C = ZoneId("a"), ZoneId("b"), ZoneId("c")
EACH_MIN = 0.92 * 10 + 0.08 * 1  # of a visit that is ten minutes long, of whom 8 % do not come


def trained(no: str, serves: str, relief: str = "", more: str = "") -> object:
    return replace(a_window(no, serves, relief), trained=tuple(ServiceId(it) for it in more.split()))


# Windows 1 and 2 of zone a are trained for b and c, which have one window each; window 5 of c is trained for b.
HALL: HallPlan = replace(
    PLAN,
    rule=CallingRule.BALANCED,
    zones=tuple(Zone(id=it, name={"zh": it}) for it in (A, B, C)),
    services=tuple(a_service(it, it.upper(), it, target_wait_min=10.0) for it in ("a", "b", "c")),
    windows=(  # type: ignore[arg-type]  # `trained` gives windows
        trained("1", "a", more="b c"),
        trained("2", "a", more="b c"),
        trained("3", "b"),
        trained("4", "c"),
        trained("5", "c", more="b"),
    ),
)


def a_hall(*windows: str, plan: HallPlan = HALL) -> Scene:
    return Scene(plan, open_windows=windows or ("1", "2", "3", "4"))


def crowd(scene: Scene, **waiting: int) -> Scene:
    for service, count in waiting.items():
        for _ in range(count):
            scene.issue(service)
    return scene


def apply(scene: Scene, it: Suggestion) -> None:
    """Do what is suggested, as the web does."""
    window = scene.window(it.window)
    if it.on:
        serves, relief = window.serves, (*window.relief, *it.services)
    else:
        serves = tuple(one for one in window.serves if one not in it.services)
        relief = tuple(one for one in window.relief if one not in it.services)
    scene.do(c.AssignServices(window=window.no, serves=serves, relief=relief))


def test_the_predicted_wait_is_work_over_windows() -> None:
    scene = crowd(a_hall("1", "2", "3"), a=4, b=3)
    waits = predicted(scene.state, scene.now_ms)
    assert waits == {A: pytest.approx(4 * EACH_MIN / 2), B: pytest.approx(3 * EACH_MIN), C: None}
    assert predicted(a_hall().state, scene.now_ms) == {A: 0.0, B: 0.0, C: 0.0}


def test_a_zone_is_as_hot_as_its_wait_is_long_against_its_target() -> None:
    scene = crowd(a_hall("1", "3"), b=3)
    scene.wait(7)
    zones, _ = heat(scene.state, scene.now_ms)
    b = next(it for it in zones if it.zone == B)
    assert (b.waiting, b.windows, b.target_min, round(b.oldest_min)) == (3, 1, 10, 7)
    assert b.heat == pytest.approx(3 * EACH_MIN / 10)
    c_ = next(it for it in zones if it.zone == C)
    assert (c_.waiting, c_.windows, c_.wait_min, c_.heat) == (0, 0, None, None)


def test_a_window_is_told_its_share_of_the_work_and_how_long_it_is_free() -> None:
    scene = a_hall("1", "2", "3")
    for no, service in (("1", "a"), ("3", "b")):
        scene.issue(service)
        scene.next(no)
    scene.wait(30)
    scene.finish("1")
    scene.wait(30)
    _, windows = heat(scene.state, scene.now_ms)
    share = {it.window: it.share for it in windows}
    # 30 of 60 minutes, none, and 60 with the one it has now: on average 30.
    assert share == {"1": pytest.approx(1.0, abs=0.02), "2": 0.0, "3": pytest.approx(2.0, abs=0.02)}
    idle = {it.window: it.idle_min for it in windows}
    assert (round(idle[WindowNo("1")] or 0), idle[WindowNo("3")]) == (30, None)


def seats(count: int, busy_min: float = 0.0) -> list[Seat]:
    return [Seat(no=WindowNo(str(no)), speeds=((0, 1.0),), busy_min=busy_min) for no in range(count)]


def test_an_hour_is_played_forward_and_the_minutes_of_people_are_counted() -> None:
    def ten(coming: float = 0.0, coming_min: float = 0.0) -> list[Queue]:
        return [Queue(zone=A, people=10, work_min=100.0, coming=coming, coming_min=coming_min)]

    assert played_forward(ten(), []) == 10 * HOUR_MIN  # nobody serves them
    assert played_forward(ten(), seats(1)) == pytest.approx((10 + 4) / 2 * HOUR_MIN)  # 40 minutes are left
    assert played_forward(ten(), seats(2)) == pytest.approx(10 * 50 / 2)  # empty after 50 minutes
    assert played_forward(ten(), seats(1, busy_min=20.0)) == pytest.approx(10 * 20 + (10 + 6) / 2 * 40)
    assert played_forward(ten(coming=6.0, coming_min=60.0), seats(1)) == pytest.approx(10 * HOUR_MIN)  # as many come
    assert played_forward([Queue(zone=A)], seats(1)) == 0.0


def test_in_the_hour_a_helper_goes_where_most_is_left() -> None:
    queues = [Queue(zone=A, people=6, work_min=60.0), Queue(zone=B, people=3, work_min=30.0)]
    helper = Seat(no=WindowNo("1"), speeds=((0, 1.0), (1, 1.0)))
    # 90 minutes of work, of which 60 are done: whichever it goes to first, 9 visitors shrink to 3.
    assert played_forward(queues, [helper]) == pytest.approx((9 + 3) / 2 * HOUR_MIN)


def test_a_trained_window_is_suggested_for_a_hot_zone() -> None:
    scene = crowd(a_hall(), b=12)
    (first, *_) = suggest(scene.state, scene.now_ms)
    assert (first.window, first.zone, first.on, first.services, first.home) in [
        ("1", B, True, ("b",), A),
        ("2", B, True, ("b",), A),
    ]
    assert first.before_min == pytest.approx(12 * EACH_MIN)
    assert first.after_min < first.before_min * 0.6
    assert first.home_before_min == 0.0
    assert first.gain_min > 30  # less than the wait says: somebody will come to zone a as well
    apply(scene, first)
    assert first.gain_min > max((it.gain_min for it in suggest(scene.state, scene.now_ms)), default=0.0)


def test_nothing_is_suggested_where_nothing_is_to_gain() -> None:
    assert suggest(a_hall().state, a_hall().now_ms) == []
    few = crowd(a_hall(), b=1)
    assert suggest(few.state, few.now_ms, replace(LIMITS, difference_min=10.0)) == []  # it takes 9.28 minutes
    hot = crowd(a_hall(), b=12)
    assert suggest(hot.state, hot.now_ms, replace(LIMITS, gain_min=1e6)) == []
    even = crowd(a_hall(), a=24, b=12)
    assert suggest(even.state, even.now_ms) == []  # zone a is as badly off
    static = crowd(a_hall(plan=replace(HALL, rule=CallingRule.STATIC)), b=12)
    assert suggest(static.state, static.now_ms) == []


def test_only_who_is_trained_at_work_and_allowed_is_suggested() -> None:
    scene = crowd(a_hall("2", "3", "4"), b=12)
    found = suggest(scene.state, scene.now_ms)
    assert {it.window for it in found} == {"2"}
    assert could_serve(scene.state, WindowNo("2")) == {B: ("b",), C: ("c",)}
    assert could_serve(scene.state, WindowNo("3")) == {}
    only_one = replace(LIMITS, windows=frozenset({WindowNo("1")}))
    assert suggest(scene.state, scene.now_ms, only_one) == []


def test_what_was_taken_off_a_window_by_hand_may_be_put_on_again() -> None:
    plan = replace(HALL, windows=(a_window("1", "a", relief="b"), a_window("3", "b")))
    scene = a_hall("1", "3", plan=plan)
    scene.do(c.AssignServices(window=WindowNo("1"), serves=(ServiceId("a"),)))
    scene.wait(LIMITS.hold_min + 1)
    crowd(scene, b=12)
    assert [(it.window, it.zone, it.on) for it in suggest(scene.state, scene.now_ms)] == [("1", B, True)]
    apply(scene, suggest(scene.state, scene.now_ms)[0])
    assert switched_on(scene.state) == frozenset()  # that is what the file says


def test_no_more_than_a_few_at_once_and_each_is_held() -> None:
    one = replace(LIMITS, at_once=1)
    scene = crowd(a_hall("1", "2", "3", "4", "5"), b=14)
    apply(scene, suggest(scene.state, scene.now_ms, one)[0])
    ((held, _),) = switched_on(scene.state)
    crowd(scene, c=30)
    assert suggest(scene.state, scene.now_ms, one) == []  # no room, and what is on is held
    scene.wait(LIMITS.hold_min + 1)
    while scene.state.waiting(ServiceId("b")):
        scene.next("3", finish=True)
    off, on = suggest(scene.state, scene.now_ms, one)
    assert (off.window, off.zone, off.on) == (held, B, False)
    assert (on.zone, on.on) == (C, True)
    for it in (off, on):
        apply(scene, it)
    assert {zone for _, zone in switched_on(scene.state)} == {C}


def test_what_is_not_needed_any_more_is_switched_off_again() -> None:
    scene = crowd(a_hall(), b=12)
    apply(scene, suggest(scene.state, scene.now_ms)[0])
    ((no, zone),) = switched_on(scene.state)
    while scene.state.waiting(ServiceId("b")):
        scene.next("3", finish=True)
    crowd(scene, a=20)
    assert suggest(scene.state, scene.now_ms) == []  # held
    scene.wait(LIMITS.hold_min + 1)
    (off,) = suggest(scene.state, scene.now_ms)
    assert (off.window, off.zone, off.on) == (no, zone, False)
    apply(scene, off)
    assert suggest(scene.state, scene.now_ms) == []
    crowd(scene, b=60)
    found = suggest(scene.state, scene.now_ms)
    assert found
    assert (no, zone) not in [(it.window, it.zone) for it in found]  # what was just switched off stays off for a while


def test_the_only_helper_of_a_zone_is_never_taken_away() -> None:
    scene = crowd(a_hall("1", "2"), b=3)  # nobody of zone b is there
    apply(scene, suggest(scene.state, scene.now_ms)[0])
    scene.wait(LIMITS.hold_min + 1)
    crowd(scene, a=60)
    only = {it.zone for it in suggest(scene.state, scene.now_ms, Limits(at_once=1)) if not it.on}
    assert only == set()


@pytest.mark.parametrize("seed", range(4))
def test_no_suggestion_leaves_a_zone_without_a_window_or_breaks_its_limits(seed: int) -> None:
    dice, scene = Random(seed), a_hall("1", "2", "3", "4", "5")
    limits = Limits(at_once=dice.randrange(1, 4), hold_min=dice.choice([0.0, 15.0]), shown=dice.randrange(1, 4))
    for _ in range(30):
        crowd(scene, **{dice.choice("abc"): dice.randrange(12)})
        scene.wait(dice.randrange(20))
        for no in "12345":
            if dice.random() < 0.5 and scene.order_at(no):
                scene.next(no, finish=True)
        served = {it for it in "abc" if any(it in (*w.serves, *w.relief) for w in scene.state.windows.values())}
        found = suggest(scene.state, scene.now_ms, limits)
        for it in found:
            assert it.services
            if it.on:
                assert it.gain_min >= limits.gain_min
                assert set(it.services) <= set(could_serve(scene.state, it.window)[it.zone])
            apply(scene, it)
        assert len(switched_on(scene.state)) <= limits.at_once
        still = {it for it in "abc" if any(it in (*w.serves, *w.relief) for w in scene.state.windows.values())}
        assert served <= still
        for window in scene.state.windows.values():  # the own work stays
            assert set(scene.state.plan.window[window.no].serves) <= set(window.serves)


def test_advice_does_not_depend_on_the_order_of_dictionaries() -> None:
    scene = crowd(a_hall("1", "2", "3", "4", "5"), b=12, c=9, a=2)
    scene.wait(40)
    found = suggest(scene.state, scene.now_ms)
    state = scene.state
    state.lanes = dict(reversed(state.lanes.items()))
    state.windows = dict(reversed(state.windows.items()))
    state.learned.serve_s = dict(reversed(state.learned.serve_s.items()))
    assert suggest(state, scene.now_ms) == found
    assert found
