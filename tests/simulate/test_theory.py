"""The player against what is known: queueing formulas within their confidence, and SimPy to the millisecond."""

import math
from collections.abc import Generator
from random import Random

import pytest
import simpy

from server.domain.terms import ORDINARY, PriorityId
from server.simulate.compare import t_95
from server.simulate.measure import mean
from server.simulate.play import Outcome
from server.simulate.visits import MIN, Ends, Stay, Visit
from tests.simulate.halls import GREEN, TAX, hall, played, poisson

WORK_MIN = 10.0
RUNS, VISITORS, WARM_UP = 8, 1800, 300
SURE = 3.499 / 2.365  # 99 % for eight runs, over 95 %


def erlang_c(windows: int, load: float) -> float:
    """Give the probability of having to wait in M/M/c. Source: Erlang 1917."""
    offered = windows * load
    terms = [offered**k / math.factorial(k) for k in range(windows)]
    last = offered**windows / math.factorial(windows) / (1 - load)
    return last / (sum(terms) + last)


def waits(outcome: Outcome, priority: PriorityId | None = None) -> list[float]:
    """Give the waits (min) of those who came after the warm-up, in order of coming."""
    ordered = sorted(outcome.waits, key=lambda wait: wait.joined_ms)[WARM_UP:]
    return [wait.waited_ms / MIN for wait in ordered if priority in (None, wait.priority)]


def ranged(values: list[float]) -> tuple[float, float]:
    """Give the mean of independent runs and half of its 99 % range."""
    middle = mean(values)
    spread = math.sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))
    return middle, SURE * t_95(len(values) - 1) * spread / math.sqrt(len(values))


def runs(windows: int, load: float, *, green: float = 0.0, **rule: float) -> list[Outcome]:
    """Play some independent days."""
    gap_min = WORK_MIN / (windows * load)
    plan = hall(windows, **rule)
    return [played(plan, poisson(Random(run), VISITORS, gap_min, WORK_MIN, green=green)) for run in range(RUNS)]


@pytest.mark.parametrize(("windows", "load"), [(1, 0.7), (4, 0.8)])
def test_mean_waits_are_those_of_erlang_c(windows: int, load: float) -> None:
    expected = erlang_c(windows, load) * WORK_MIN / (windows * (1 - load))
    middle, half = ranged([mean(waits(outcome)) for outcome in runs(windows, load)])
    assert abs(middle - expected) < half
    assert half < 0.35 * expected  # else the range would hold anything


def test_the_range_is_narrow_enough_to_find_a_window_too_few() -> None:
    expected = erlang_c(4, 0.6) * WORK_MIN / (4 * (1 - 0.6))
    middle, half = ranged([mean(waits(outcome)) for outcome in runs(3, 0.8)])  # the same visitors at three windows
    assert abs(middle - expected) > half


def test_strict_priority_waits_are_those_of_cobham() -> None:
    """Source: Cobham 1954, non-preemptive priorities at several servers of equal speed."""
    windows, load, green = 3, 0.8, 0.3
    free = erlang_c(windows, load) * WORK_MIN / windows
    ahead = green * load
    expected = {GREEN: free / (1 - ahead), ORDINARY: free / ((1 - ahead) * (1 - load))}
    found = runs(windows, load, green=green, slope=1.0, head_start_min=1e7)
    for priority, wait_min in expected.items():
        middle, half = ranged([mean(waits(outcome, priority)) for outcome in found])
        assert abs(middle - wait_min) < half < 0.35 * wait_min


def test_accumulating_priority_waits_are_those_of_kleinrock() -> None:
    """Source: Kleinrock 1964, delay-dependent priorities at one server, slopes 1 and 3."""
    load, green, slope = 0.75, 0.3, 3.0
    free = load * WORK_MIN  # W0 of exponential work
    whole = free / (1 - load)
    ordinary_first = whole / (1 - green * load * (1 - 1 / slope))
    green_first = (whole - (1 - green) * load * ordinary_first * (1 - 1 / slope)) / 1.0
    found = runs(1, load, green=green, slope=slope, head_start_min=0.0)
    for priority, wait_min in {GREEN: green_first, ORDINARY: ordinary_first}.items():
        middle, half = ranged([mean(waits(outcome, priority)) for outcome in found])
        assert abs(middle - wait_min) < half < 0.35 * wait_min


# ---------------------------------------------------------------------------------------------------------- SimPy


def in_simpy(visits: list[Visit], windows: int) -> dict[int, int]:
    """Play visitors at windows with one queue, green first, in SimPy; give {came (ms): waited (ms)}."""
    world = simpy.Environment()
    desks = simpy.PriorityResource(world, windows)
    found: dict[int, int] = {}

    def come(visit: Visit) -> Generator[simpy.Event, object, None]:
        yield world.timeout(visit.at_ms)
        with desks.request(priority=int(visit.priority != GREEN)) as turn:
            yield turn
            found[visit.at_ms] = int(world.now) - visit.at_ms
            yield world.timeout(visit.stays[0].work_ms)

    for visit in visits:
        world.process(come(visit))
    world.run()
    return found


def trace(seed: int) -> list[Visit]:
    """Give visitors who come at different milliseconds, some of whom do not show up when called."""
    chance = Random(seed)
    visits = poisson(chance, 600, 3.6, WORK_MIN, green=0.2)
    lost = Stay(service=TAX, work_ms=MIN, ends=Ends.NO_SHOW)
    found: dict[int, Visit] = {}
    for visit in visits:
        stays = (lost,) if chance.random() < 0.08 else visit.stays
        found[visit.at_ms] = Visit(at_ms=visit.at_ms, stays=stays, priority=visit.priority)
    return list(found.values())


@pytest.mark.parametrize("seed", range(3))
def test_the_same_visitors_wait_as_long_as_in_simpy(seed: int) -> None:
    visits = trace(seed)
    outcome = played(hall(3, slope=1.0, head_start_min=1e7), visits)
    assert {wait.joined_ms: wait.waited_ms for wait in outcome.waits} == in_simpy(visits, 3)
    assert outcome.no_shows == sum(visit.stays[0].ends is Ends.NO_SHOW for visit in visits)


def test_another_rule_gives_other_waits_than_simpy() -> None:
    visits = trace(0)
    outcome = played(hall(3, slope=1.0, head_start_min=0.0), visits)  # the green channel stands in line
    assert {wait.joined_ms: wait.waited_ms for wait in outcome.waits} != in_simpy(visits, 3)
