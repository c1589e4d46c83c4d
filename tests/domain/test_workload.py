"""Minutes to clear a zone, worked out by hand: work over windows, helpers spread where it takes longest."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from server.domain import commands as c
from server.domain.state import HallState
from server.domain.terms import HallPlan, ServiceId, WindowNo, ZoneId
from server.domain.workload import NEVER_MIN, Queue, Seat, load, spread, to_clear
from tests.domain.halls import PLAN, Scene, a_window

HALL, TAX = ZoneId("hall"), ZoneId("tax")
EACH_MIN = 0.92 * 10 + 0.08 * 1  # a visit of ten minutes that 8 % do not come to: 9.28


def minutes(state: HallState, now_ms: int, without: str | None = None) -> dict[str, float]:
    """Give the minutes to clear, to two digits."""
    found = to_clear(state, now_ms, WindowNo(without) if without else None)
    return {zone: round(it.minutes, 2) for zone, it in found.items()}


def crowd(scene: Scene, **waiting: int) -> Scene:
    """Let so many wait for each service."""
    for service, count in waiting.items():
        for _ in range(count):
            scene.issue(service)
    return scene


def test_work_is_shared_by_the_windows_whose_own_it_is() -> None:
    scene = crowd(Scene(open_windows=["3", "4"]), tax=6)
    assert minutes(scene.state, scene.now_ms) == {"tax": round(6 * EACH_MIN / 2, 2)}
    assert minutes(scene.state, scene.now_ms, without="4") == {"tax": round(6 * EACH_MIN, 2)}


def test_what_nobody_at_work_may_serve_is_never_cleared() -> None:
    scene = crowd(Scene(open_windows=["4"]), general=1)
    assert minutes(scene.state, scene.now_ms) == {"hall": NEVER_MIN}
    assert minutes(crowd(Scene(), tax=1).state, scene.now_ms) == {"tax": NEVER_MIN}


def test_nobody_waits_nothing_is_to_clear() -> None:
    scene = Scene(open_windows=["1", "2", "3", "4"])
    assert minutes(scene.state, scene.now_ms) == {}


def test_a_visitor_at_a_window_comes_first() -> None:
    scene = crowd(Scene(open_windows=["4"]), tax=3)
    scene.next("4")
    scene.wait(5)  # of ten: 10 - 0.6 x 5 are still expected
    assert minutes(scene.state, scene.now_ms) == {"tax": round(2 * EACH_MIN + 7, 2)}
    scene.wait(60)  # half a visit is always left
    assert minutes(scene.state, scene.now_ms) == {"tax": round(2 * EACH_MIN + 5, 2)}


def test_a_helper_works_where_it_takes_longest_and_a_tenth_slower() -> None:
    # Window 1 has no own work and relieves tax; window 4 is alone there: together they do 1 + 1/1.1 of it.
    scene = crowd(Scene(open_windows=["1", "4"]), tax=10)
    assert minutes(scene.state, scene.now_ms) == {"tax": round(10 * EACH_MIN / (1 + 1 / 1.1), 2)}
    # With work of its own it gives each so much that both end together: (10 + 2/1.1... in time of its own.
    crowd(scene, general=2)
    both = (2 * EACH_MIN + 1.1 * 10 * EACH_MIN) / (1 + 1.1)
    assert minutes(scene.state, scene.now_ms) == {"hall": round(both, 2), "tax": round(both, 2)}
    # With more than that it stays at home.
    crowd(scene, general=12)
    assert minutes(scene.state, scene.now_ms) == {
        "hall": round(14 * EACH_MIN, 2),
        "tax": round(10 * EACH_MIN, 2),
    }


def test_services_of_a_zone_with_other_windows_are_other_queues_and_the_longest_counts() -> None:
    # Both of zone tax: window 3 serves both, window 4 only tax.
    scene = crowd(Scene(open_windows=["3", "4"]), tax=1, invoice=5)
    queues, seats = load(scene.state, scene.now_ms)
    assert [(it.zone, it.people) for it in queues] == [(TAX, 1), (TAX, 5)]
    assert [seat.no for seat in seats] == ["3", "4"]
    cleared = to_clear(scene.state, scene.now_ms)[TAX]
    assert (cleared.people, round(cleared.minutes, 2)) == (6, round(5 * EACH_MIN, 2))


def test_a_ticket_of_one_window_takes_time_of_that_window_alone() -> None:
    scene = crowd(Scene(open_windows=["1", "2"]), general=2)
    before = minutes(scene.state, scene.now_ms)["hall"]
    for _ in range(4):
        scene.issue(window="1")
    assert minutes(scene.state, scene.now_ms)["hall"] == round(before + 4 * EACH_MIN / 2, 2)
    assert minutes(scene.state, scene.now_ms, without="1")["hall"] == round(2 * EACH_MIN, 2)


def test_a_paused_or_closed_window_clears_nothing() -> None:
    scene = crowd(Scene(open_windows=["3", "4"]), tax=4)
    scene.do(c.CloseWindow(window=WindowNo("4")))
    assert minutes(scene.state, scene.now_ms) == {"tax": round(4 * EACH_MIN, 2)}


def test_a_slow_clerk_clears_less() -> None:
    scene = Scene(open_windows=["4"])
    for _ in range(12):
        scene.issue("tax")
        scene.next("4")
        scene.wait(20)
        scene.finish("4")
    crowd(scene, tax=1)
    learned = scene.state.learned
    service = scene.state.plan.service[ServiceId("tax")]
    pace = learned.pace(scene.window("4").clerk)
    assert pace > 1.2
    assert minutes(scene.state, scene.now_ms) == {"tax": round(learned.taken_s(service) / 60 * pace, 2)}


def test_who_is_expected_counts_on_request() -> None:
    scene = crowd(Scene(open_windows=["4"]), tax=1)
    queues, seats = load(scene.state, scene.now_ms, coming={ServiceId("tax"): 2.5, ServiceId("general"): 1.0})
    assert {it.zone: (it.people, it.coming) for it in queues} == {HALL: (0, 1.0), TAX: (1, 2.5)}
    assert [round(it, 2) for it in spread(queues, seats)] == [NEVER_MIN, round(3.5 * EACH_MIN, 2)]


def test_what_would_be_if_a_window_served_something_else() -> None:
    scene = crowd(Scene(open_windows=["2", "4"]), tax=4)
    other = {WindowNo("2"): ((ServiceId("general"),), (ServiceId("tax"),))}
    queues, seats = load(scene.state, scene.now_ms, assigned=other)
    assert [round(it, 2) for it in spread(queues, seats)] == [round(4 * EACH_MIN / (1 + 1 / 1.1), 2)]


speeds = st.floats(0.5, 2.0)


@given(
    work=st.lists(st.floats(1.0, 500.0), min_size=2, max_size=6),
    seats=st.lists(
        st.tuples(st.lists(st.tuples(st.integers(0, 5), speeds), min_size=1, max_size=4), st.floats(0.0, 20.0)),
        min_size=1,
        max_size=12,
    ),
)
def test_every_window_gives_all_its_time_and_only_where_it_takes_longest(
    work: list[float], seats: list[tuple[list[tuple[int, float]], float]]
) -> None:
    queues = [Queue(zone=ZoneId(f"z{place}"), people=1, work_min=it) for place, it in enumerate(work)]
    there = [
        Seat(no=WindowNo(str(place)), speeds=tuple({it % len(work): speed for it, speed in may}.items()), busy_min=busy)
        for place, (may, busy) in enumerate(seats)
    ]
    found = spread(queues, there)
    for seat in there:
        assert sum(share for _, _, share in seat.given) == pytest.approx(1.0)
        assert all(share >= -1e-9 for _, _, share in seat.given)
        assert {index for index, _, _ in seat.given} <= {index for index, _ in seat.speeds}
    power = [0.0 for _ in work]
    done = [0.0 for _ in work]
    for seat in there:
        for index, speed, share in seat.given:
            power[index] += speed * share
            done[index] += speed * share * seat.busy_min
    for index, each in enumerate(work):  # what is said to be cleared is done by somebody
        if found[index] < NEVER_MIN:
            assert found[index] * power[index] == pytest.approx(each + done[index])
        else:
            assert power[index] * NEVER_MIN <= (each + done[index]) * (1 + 1e-9)
    last = next((seat for seat in reversed(there) if len(seat.speeds) > 1), None)
    if last is not None:  # the one that was spread last has nothing better to do
        helped = [found[index] for index, _, share in last.given if share > 1e-9]
        others = [found[index] for index, _ in last.speeds]
        assert max(others) <= max(helped) * (1 + 1e-6)


def test_the_order_of_the_lanes_does_not_matter() -> None:
    plan: HallPlan = replace(PLAN, windows=(*PLAN.windows, a_window("5", "tax", relief="general social invoice")))
    scene = crowd(Scene(plan, open_windows=["1", "2", "3", "4", "5"]), general=7, tax=5, social=3, invoice=2)
    for no in ("1", "5", "1"):
        scene.issue("general" if no == "1" else "tax", "green", window=no)
    before = to_clear(scene.state, scene.now_ms)
    scene.state.lanes = dict(reversed(scene.state.lanes.items()))
    assert to_clear(scene.state, scene.now_ms) == before
