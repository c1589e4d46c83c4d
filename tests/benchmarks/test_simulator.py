"""The simulator against queueing theory, and what must hold on every day it plays."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks.balance import main
from benchmarks.engine import Suggestion, make_engine
from benchmarks.simulator import (
    COSTS,
    LAST_TICKET,
    LAYOUTS,
    NO_COSTS,
    NO_SHOW,
    OPENS,
    QIAOCHENG,
    Costs,
    Day,
    Engine,
    Layout,
    Outcome,
    Visit,
    draw,
    mean,
    measure,
    play,
    pooled,
    quantile,
    staff,
)
from tests.benchmarks.simple import WARM_UP, OneLine, erlang_c, markov_day, mean_with_error, one_zone

SURE = 3.0  # standard errors: one seed in 370 would fail, and the seeds are fixed
DAYS = 12


def waits(outcome: Outcome, priority: int = 0) -> float:
    return mean([leg.waited for leg in outcome.legs if leg.visit.priority == priority and leg.joined > WARM_UP])


@pytest.mark.parametrize(("windows", "load"), [(1, 0.6), (3, 0.7)])
@pytest.mark.parametrize("by_the_rules", [False, True], ids=["one line", "the hall's rules"])
def test_waits_are_those_of_erlang_c(windows: int, load: float, by_the_rules: bool) -> None:
    minutes, days = 1.0, 8 if by_the_rules else DAYS
    hall = one_zone(windows, minutes)
    expected = erlang_c(windows, windows * load) * minutes / (windows * (1 - load))

    def engine() -> Engine:
        return make_engine(hall.spec()) if by_the_rules else OneLine()

    measured, error = mean_with_error(
        [
            waits(play(engine(), hall, markov_day(hall, rates=[windows * load / minutes], minutes=minutes, seed=seed)))
            for seed in range(days)
        ]
    )
    assert abs(measured - expected) < SURE * error
    assert error < 0.12 * expected  # else the line above would let anything through


@pytest.mark.parametrize("windows", [1, 3])
def test_waits_by_priority_are_those_of_cobham(windows: int) -> None:
    minutes, loads = 1.2, [0.5, 0.25]  # ordinary, and who goes before
    hall = one_zone(windows, minutes)
    rates = [load * windows / minutes for load in loads]
    # Cobham 1954, non-preemptive: W0 / ((1 - what goes before) (1 - that and the own)), W0 = C(c, a) x mean / c.
    first = erlang_c(windows, windows * sum(loads)) * minutes / windows
    expected = {1: first / (1 - loads[1]), 0: first / ((1 - loads[1]) * (1 - sum(loads)))}
    outcomes = [
        play(OneLine(), hall, markov_day(hall, rates=rates, minutes=minutes, seed=seed)) for seed in range(DAYS)
    ]
    for priority, wait in expected.items():
        measured, error = mean_with_error([waits(outcome, priority) for outcome in outcomes])
        assert abs(measured - wait) < SURE * error
        assert error < 0.12 * wait


def test_a_wrong_formula_is_noticed() -> None:
    hall = one_zone(3, 1.5)
    days = [markov_day(hall, rates=[1.6], minutes=1.5, seed=seed) for seed in range(DAYS)]
    measured, error = mean_with_error([waits(play(OneLine(), hall, day)) for day in days])
    of_two_windows_fewer = erlang_c(1, 0.8) * 1.5 / 0.2
    assert abs(measured - of_two_windows_fewer) > SURE * error


def test_who_goes_before_an_earlier_visitor_of_the_class_is_counted() -> None:
    hall = one_zone(1, 1.5)
    day = markov_day(hall, rates=[0.6], minutes=1.5, seed=1)
    assert play(OneLine(), hall, day).violations == 0
    assert play(OneLine(newest_first=True), hall, day).violations > 10


def test_who_comes_too_early_for_an_appointment_may_be_passed() -> None:
    hall = one_zone(1, 10.0)
    busy = Visit(at=530.0, service="s", minutes=60.0)
    shifts = {"1": ((510.0, 1050.0),)}

    def violations(first_comes: float) -> int:
        booked = [Visit(at=at, service="s", minutes=5.0, priority=2, slot=570.0) for at in (first_comes, 560.0)]
        return play(OneLine(newest_first=True), hall, Day(visits=(busy, *booked), shifts=shifts)).violations

    assert violations(first_comes=556.0) == 1
    assert violations(first_comes=553.0) == 0  # the rules give an ordinary number that early


@pytest.mark.parametrize(
    ("layout", "policy"),
    [
        ("qiaocheng", None),
        ("zhenyuan", None),
        ("zhenyuan", "oldest"),
        ("qiaocheng", "static"),
        ("zhenyuan", "home_first"),
    ],
)
def test_everybody_is_served_in_order_and_once(layout: str, policy: str | None) -> None:
    hall = staff(LAYOUTS[layout], seed=4)
    day = draw(hall, load=0.95, seed=4, number=0)
    outcome = play(make_engine(hall.spec(), policy), hall, day)
    assert outcome.violations == outcome.left_over == 0
    second = [visit for visit in day.visits if visit.shows and visit.then is not None]
    assert len(outcome.legs) == len(day.visits) + len(second) == len(outcome.calls)
    assert all(leg.called is not None and leg.waited >= 0 for leg in outcome.legs)
    assert all(leg.window is not None and leg.zone in hall.serves[leg.window] for leg in outcome.legs)
    if policy == "static":
        assert all(leg.window is not None and leg.zone == hall.home[leg.window] for leg in outcome.legs)
    for leg in outcome.legs:  # nobody is called to a window whose clerk is at lunch
        assert leg.window is not None
        assert leg.called is not None
        spans = day.shifts[leg.window]
        assert leg.called >= spans[-1][0] or any(from_ <= leg.called <= until for from_, until in spans)


def test_skills_change_nothing_about_who_comes() -> None:
    days = [draw(staff(QIAOCHENG, skills=it, seed=2), load=0.9, seed=2, number=5) for it in ("S25", "S25n", "S100")]
    assert days[0] == days[1] == days[2]
    other = draw(staff(QIAOCHENG, seed=2), load=0.9, seed=2, number=6)
    assert other != days[0]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda it: it.name)
def test_load_is_offered_work_over_open_minutes(layout: Layout) -> None:
    hall = staff(layout, seed=1)
    loads = []
    for number in range(20):
        day = draw(hall, load=0.9, seed=1, number=number)
        open_min = sum(until - from_ for spans in day.shifts.values() for from_, until in spans)
        loads.append(sum(map(_offered_min, day.visits)) / open_min)
        assert all(OPENS <= visit.at <= LAST_TICKET for visit in day.visits)
    measured, error = mean_with_error(loads)
    assert abs(measured - 0.9) < SURE * error
    shown = [visit.shows for number in range(5) for visit in draw(hall, load=0.9, seed=1, number=number).visits]
    assert abs(1 - mean([float(it) for it in shown]) - NO_SHOW) < 0.02


def _offered_min(visit: Visit) -> float:
    if not visit.shows:
        return COSTS.no_show_min
    return visit.minutes + (visit.then[1] if visit.then is not None else 0.0)


def test_one_pooled_queue_is_a_bound() -> None:
    hall = staff(QIAOCHENG, seed=3)
    day = draw(hall, load=0.9, seed=3, number=0)
    everybody = pooled(hall)
    bound = play(make_engine(everybody.spec(), "oldest"), everybody, day, costs=NO_COSTS)
    static = play(make_engine(hall.spec(), "static"), hall, day)
    ours = play(make_engine(hall.spec()), hall, day)
    assert bound.waited_min < ours.waited_min < static.waited_min


def test_leaving_the_own_zone_costs_what_is_said() -> None:
    hall = staff(QIAOCHENG, seed=3)
    helper = next(no for no, zones in hall.serves.items() if len(zones) > 1)
    home, other = hall.serves[helper][:2]
    services = {area.zone: area.services[0].id for area in QIAOCHENG.areas}
    visits = tuple(
        Visit(at=OPENS + place / 10, service=services[zone], minutes=10.0) for place, zone in enumerate((home, other))
    )
    alone = replace(
        hall, home={helper: home}, serves={helper: (home, other)}, could_serve={helper: ()}, slowness={helper: 1.0}
    )
    day = Day(visits=visits, shifts={helper: ((OPENS, OPENS + 200),)})
    outcome = play(make_engine(alone.spec()), alone, day, costs=Costs(away_factor=1.2, change_min=3.0))
    assert [leg.called for leg in outcome.legs] == [OPENS, OPENS + 10]
    assert outcome.utilisation[helper] == pytest.approx((10 + 12 + 3) / 200)


class Advising(OneLine):
    """Suggests the same switch at one minute, and keeps what it is told."""

    def __init__(self, minute: float, window: str, zone: str) -> None:
        super().__init__()
        self.minute, self.window, self.zone = minute, window, zone
        self.told: list[tuple[str, tuple[str, ...], float]] = []

    def suggest(self, t: float) -> list[Suggestion]:
        return [{"window": self.window, "zone": self.zone, "gain": 20.0}] if t == self.minute else []

    def set_skills(self, window: str, zones: Sequence[str], t: float) -> None:
        self.told.append((window, tuple(zones), t))


def test_a_manager_applies_some_minutes_later_what_the_clerk_is_trained_for() -> None:
    hall = replace(
        staff(QIAOCHENG),
        home={"1": "general"},
        serves={"1": ("general",)},
        could_serve={"1": ("general", "culture")},
    )
    day = Day(visits=(), shifts={"1": ((OPENS, OPENS + 60),)})
    trained, untrained = Advising(OPENS + 10, "1", "culture"), Advising(OPENS + 10, "1", "business")
    assert play(trained, hall, day, advised=True).switched == 1
    assert trained.told == [("1", ("general", "culture"), OPENS + 15)]
    assert play(untrained, hall, day, advised=True).switched == 0
    assert play(Advising(OPENS + 10, "1", "culture"), hall, day).switched == 0


def test_measures_of_a_day_worked_out_by_hand() -> None:
    hall = one_zone(1, 10.0)
    visits = (
        Visit(at=10.0, service="s", minutes=10.0),
        Visit(at=12.0, service="s", minutes=10.0),
        Visit(at=13.0, service="s", minutes=20.0, priority=1),
    )
    outcome = play(OneLine(), hall, Day(visits=visits, shifts={"1": ((0.0, 100.0),)}))
    found = measure([outcome])
    assert [leg.waited for leg in outcome.legs] == [0.0, 28.0, 7.0]
    assert outcome.utilisation == {"1": 0.4}
    assert found.mean == pytest.approx(35 / 3)
    assert (found.violations, found.left_over, found.unknown) == (0, 0, 3)
    assert found.worst_p95 == pytest.approx(7 + 0.9 * 21)
    assert found.green_ratio == pytest.approx(7 / (0.95 * 28))
    assert math.isnan(found.mae)
    assert quantile([1.0, 3.0], 0.5) == 2.0


def test_the_table_is_printed_and_the_same_again() -> None:
    asked = ["--days", "2", "--load", "0.3", "--layout", "zhenyuan", "--format", "json"]
    first, again = (CliRunner().invoke(main, [*asked, "--processes", it]) for it in ("1", "2"))
    assert first.exit_code == 0
    assert first.output == again.output
    rows = json.loads(first.output)
    assert rows[0]["policy"] == "static"
    assert all(row["measures"]["violations"] == 0 and row["days"] == 2 for row in rows)
    table = CliRunner().invoke(main, ["--days", "1", "--load", "0.3", "--history", "1", "--processes", "1"])
    assert table.exit_code == 0
    assert "pooled bound" in table.output
