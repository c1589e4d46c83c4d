"""Days played, compared and shown: the same seed gives the same answer however the work is shared."""

import json
import math
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from config import load_hall, shipped
from server.domain.terms import HallPlan, WindowNo
from server.plan import plan_of
from server.simulate import charts, show
from server.simulate.changes import Variant, read
from server.simulate.compare import difference, mean_wait, t_95
from server.simulate.described import Described
from server.simulate.draw import people_of
from server.simulate.measure import measure
from server.simulate.play import Desk, Outcome, Wait
from server.simulate.run import Experiment, described_days, run
from server.simulate.visits import MIN

DAYS = 5


@pytest.fixture(scope="module")
def plan() -> HallPlan:
    return plan_of(load_hall(shipped()["demo"]))


@pytest.fixture(scope="module")
def experiment(plan: HallPlan) -> Experiment:
    described = Described()
    source = described_days(plan, described, people_of(plan, described, 1), days=DAYS, seed=1)
    return Experiment(plan=plan, source=source, without_hours=())


@pytest.fixture(scope="module")
def found(experiment: Experiment) -> list[list[Outcome]]:
    return run(experiment, [Variant(name="as it is"), *read(["policy static"], experiment.plan)], jobs=1)


def test_two_processes_give_what_one_gives(experiment: Experiment, found: list[list[Outcome]]) -> None:
    variants = [Variant(name="as it is"), *read(["policy static"], experiment.plan)]
    assert run(experiment, variants, jobs=2) == found


def test_variants_meet_the_same_visitors(found: list[list[Outcome]]) -> None:
    base, static = found
    assert [it.visitors for it in base] == [it.visitors for it in static]
    assert [it.no_shows for it in base] == [it.no_shows for it in static]


def test_nobody_waits_for_ever_and_nobody_is_lost(found: list[list[Outcome]]) -> None:
    for outcome in found[0]:
        assert outcome.left_over == outcome.gave_up == 0
        assert all(wait.window is not None for wait in outcome.waits)
        assert len(outcome.waits) >= outcome.visitors
        for desk in outcome.desks.values():
            assert 0 <= desk.busy_ms <= desk.open_ms + 1


def test_a_hall_lives_through_days_before_it_is_measured(experiment: Experiment) -> None:
    morning = experiment.source.morning(0)
    assert morning.day is not None
    assert morning.day < experiment.source.day(0).day
    assert morning.learned.serve_s  # it knows more than its file


def test_suggestions_may_be_followed_by_hand_or_by_the_hall_itself(experiment: Experiment) -> None:
    plan = experiment.plan
    skilled = tuple(replace(it, trained=tuple(service.id for service in plan.services)) for it in plan.windows)
    busy = Described(load=1.0, heat={plan.queues[0].id: 2.0})
    trained = replace(plan, windows=skilled)
    source = described_days(trained, busy, people_of(plan, busy, 1), days=2, seed=1)
    variants = [Variant(name="as it is"), *read(["suggestions manual", "suggestions automatic"], trained)]
    off, manual, automatic = run(Experiment(plan=trained, source=source, without_hours=()), variants, jobs=1)
    assert not any(it.switched for it in off)
    for followed in (manual, automatic):
        assert all(it.switched for it in followed)
        assert mean_wait(followed).value < mean_wait(off).value


# -------------------------------------------------------------------------------------------------------- measures


def a_day(waits_min: list[float], zone: str = "tax") -> Outcome:
    outcome = Outcome(day="2026-03-02")
    for place, minutes in enumerate(waits_min):
        outcome.waits.append(
            Wait(
                service="tax",  # type: ignore[arg-type]  # ids by hand
                zone=zone,  # type: ignore[arg-type]
                priority="ordinary",  # type: ignore[arg-type]
                joined_ms=540 * MIN + place * MIN,
                waited_ms=round(minutes * MIN),
                window=WindowNo("1"),
            )
        )
    return outcome


def test_ranges_on_an_example_worked_by_hand() -> None:
    days = [a_day([10.0] * 4), a_day([14.0] * 4), a_day([18.0] * 4)]
    found = mean_wait(days)  # 14, spread 4, t(2) = 4.303: half is 4.303 x 4 / sqrt(3)
    half = 4.303 * 4 / math.sqrt(3)
    assert (found.value, found.high - 14, 14 - found.low) == pytest.approx((14.0, half, half))
    better = [a_day([9.0] * 4), a_day([13.0] * 4), a_day([16.5] * 4)]
    gain = difference(better, days)  # -1, -1, -1.5: far surer than each alone
    assert gain.value == pytest.approx(-7 / 6)
    assert gain.is_clear
    assert not difference(days, days).is_clear
    assert math.isnan(mean_wait(days[:1]).low)


def test_t_is_that_of_the_tables() -> None:
    for freedom, expected in {1: 12.706, 4: 2.776, 10: 2.228, 12: 2.179, 15: 2.131, 29: 2.045, 120: 1.980}.items():
        assert t_95(freedom) == pytest.approx(expected, abs=0.002)


def test_ranges_hold_the_truth_as_often_as_they_say() -> None:
    chance = Random(3)
    held = 0
    for _ in range(400):
        days = [a_day([max(0.0, chance.gauss(20, 6)) for _ in range(chance.randint(5, 15))]) for _ in range(8)]
        it = mean_wait(days)
        held += it.low <= 20.0 <= it.high
    assert 0.92 <= held / 400 <= 0.98


def test_measures_of_a_day_worked_by_hand(plan: HallPlan) -> None:
    service = plan.services[0]
    day = a_day([0.0, 10.0, 20.0, 50.0])
    day.waits = [replace(it, service=service.id, zone=service.zone) for it in day.waits]
    day.desks = {
        WindowNo("1"): Desk(open_ms=100 * MIN, busy_ms=90 * MIN, served=3),
        WindowNo("2"): Desk(open_ms=100 * MIN, busy_ms=30 * MIN, served=1),
    }
    day.visitors, day.minutes, day.cold, day.no_shows = 4, 100, 25, 1
    found = measure(plan, [day, Outcome(day="2026-03-03")])
    assert (found.mean, found.median, found.p90) == pytest.approx((20.0, 15.0, 41.0))
    assert found.overdue == sum(it > service.target_wait_min for it in (0, 10, 20, 50)) / 4
    assert (found.worst_zone, found.cold, found.visitors_a_day) == (service.zone, 0.25, 2.0)
    assert (found.utilisation, found.utilisation_cv) == pytest.approx((0.6, 0.5))
    assert sum(found.queue[service.zone].values()) * 15 == pytest.approx(80 / 2)  # person-minutes a day


# ----------------------------------------------------------------------------------------------- tables and charts


def test_tables_and_json_say_the_same(plan: HallPlan, found: list[list[Outcome]]) -> None:
    rows = show.rows_of(["as it is", "static"], plan, found)
    answer = json.loads(json.dumps(show.as_answer(rows), allow_nan=False))
    assert [it["name"] for it in answer] == ["as it is", "static"]
    assert answer[0]["against_first_min"] is None
    assert answer[1]["against_first_min"]["value"] == pytest.approx(
        answer[1]["mean_wait_min"]["value"] - answer[0]["mean_wait_min"]["value"], abs=1e-3
    )
    assert len(answer[0]["days"]) == DAYS
    text = show.as_text(plan, rows)
    for row in rows:
        assert f"{row.mean.value:.1f}" in text


def test_charts_are_pictures_and_a_page_that_needs_nothing_else(
    plan: HallPlan, found: list[list[Outcome]], tmp_path: Path
) -> None:
    rows = show.rows_of(["as it is", "<b>static</b>"], plan, found)
    for name in ("chart.png", "chart.html"):
        charts.write(tmp_path / name, plan, rows, "five days")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert page.count("<table>") == 2
    assert "<b>static" not in page
    for outside in ("<script", "<link", "@import", 'src="http', "url(http"):
        assert outside not in page
    before = page
    charts.write(tmp_path / "chart.html", plan, rows, "five days")
    assert (tmp_path / "chart.html").read_text(encoding="utf-8") == before  # same seed, same file
