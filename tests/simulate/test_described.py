"""Described days: what a file says, every mistake in it at once, and days that are as described."""

from datetime import date
from pathlib import Path

import pytest

from config import load_hall, shipped
from server.domain.terms import ORDINARY, HallPlan, ServiceId, ZoneId
from server.plan import plan_of
from server.simulate.described import Described, DescribedError, read
from server.simulate.draw import draw, load_of, people_of, zone_minutes
from server.simulate.shifts import open_days, rota
from server.simulate.visits import MIN, Day, Ends

FILE = """\
[day]
load = 0.8
lunch = ["11:30", "12:30", "13:30"]

[arrivals]
busy = { "09:00" = 2.0, "11:00" = 1.0 }

[visitors]
no_show = 0.05

[clerks]
away_slower = 0.2

[zones.tax]
heat = 1.5

[services.invoice]
visitors = 40
minutes = 6.5
"""


@pytest.fixture(scope="module")
def plan() -> HallPlan:
    return plan_of(load_hall(shipped()["demo"]))


@pytest.fixture(scope="module")
def qiaocheng() -> HallPlan:
    return plan_of(load_hall(shipped()["qiaocheng"]))


def written(folder: Path, text: str) -> Path:
    path = folder / "day.toml"
    path.write_text(text, encoding="utf-8")
    return path


def days_of(plan: HallPlan, described: Described, count: int) -> list[Day]:
    people = people_of(plan, described, 1)
    dates = open_days(plan, date(2026, 3, 2), count)
    return [draw(plan, described, people, day, seed=1, number=number) for number, day in enumerate(dates)]


def test_a_file_says_what_is_otherwise(plan: HallPlan, tmp_path: Path) -> None:
    day = read(written(tmp_path, FILE.replace("invoice", plan.services[1].id)), plan)
    assert day.load == 0.8
    assert day.lunch == (690 * MIN, 750 * MIN, 810 * MIN)
    assert day.busy == ((0, 2.0), (540 * MIN, 2.0), (660 * MIN, 1.0))
    assert (day.no_show, day.away_slower, day.priority) == (0.05, 0.2, Described().priority)
    assert day.heat == {ZoneId("tax"): 1.5}
    assert day.visitors == {plan.services[1].id: 40.0}
    assert day.minutes == {plan.services[1].id: 6.5}


def test_visitors_without_a_load_are_what_makes_it(plan: HallPlan, tmp_path: Path) -> None:
    text = "".join(f"[services.{it.id}]\nvisitors = 30\n" for it in plan.services)
    day = read(written(tmp_path, text), plan)
    assert day.load is None
    drawn = days_of(plan, day, 8)
    visits = [visit for each in drawn for visit in each.visits]
    assert len(visits) / 8 == pytest.approx(30 * len(plan.services), rel=0.1)


def test_every_mistake_is_told_at_once_in_both_languages(plan: HallPlan, tmp_path: Path) -> None:
    wrong = """\
[day]
load = 9
opens = "8.30"
lunch = ["12:00"]
[arivals]
quarter_noise = 0.2
[visitors]
no_show = "8 %"
noshow = 0.1
[zones.taxx]
heat = 1
[services.tax]
minutes = -3
"""
    with pytest.raises(DescribedError) as error:
        read(written(tmp_path, wrong), plan)
    problems = error.value.problems
    assert [each.line for each in problems] == [2, 3, 4, 5, 8, 9, 10, 13]
    assert {each.suggestion for each in problems} >= {"arrivals", "no_show", "tax"}
    assert all(each.zh and each.en and each.zh != each.en for each in problems)


@pytest.mark.parametrize("text", ["not toml at all", "= 3", "[day\n", '[day]\nload = "\n'])
def test_what_is_no_toml_is_told_and_never_raises_otherwise(plan: HallPlan, tmp_path: Path, text: str) -> None:
    with pytest.raises(DescribedError):
        read(written(tmp_path, text), plan)
    with pytest.raises(DescribedError):
        read(tmp_path / "missing.toml", plan)


@pytest.mark.parametrize("load", [0.7, 1.0])
def test_days_have_the_load_that_was_asked_for(qiaocheng: HallPlan, load: float) -> None:
    described = Described(load=load, speed_spread=0.0)
    days = days_of(qiaocheng, described, 12)
    assert sum(load_of(qiaocheng, day) for day in days) / len(days) == pytest.approx(load, rel=0.07)


def test_visitors_come_as_described(qiaocheng: HallPlan) -> None:
    days = days_of(qiaocheng, Described(), 12)
    visits = [visit for day in days for visit in day.visits]
    assert sum(it.stays[0].ends is Ends.NO_SHOW for it in visits) / len(visits) == pytest.approx(0.08, abs=0.01)
    bookable = {it.id for it in qiaocheng.services if it.appointments is not None}
    assert {it.stays[0].service for it in visits if it.slot} <= bookable
    of_bookable = [it for it in visits if it.stays[0].service in bookable]
    assert sum(it.slot is not None for it in of_bookable) / len(of_bookable) == pytest.approx(0.08, abs=0.02)
    ahead = [it for it in visits if it.priority != ORDINARY and not it.slot]
    assert len(ahead) / len(visits) == pytest.approx(0.10, abs=0.015)
    for visit in visits:  # 9-12 and 13-17, nobody in the last half hour
        assert 540 * MIN <= visit.at_ms < 720 * MIN or 780 * MIN <= visit.at_ms < 1020 * MIN
    rush = sum(540 * MIN <= it.at_ms < 600 * MIN for it in visits)
    later = sum(900 * MIN <= it.at_ms < 990 * MIN for it in visits) / 1.5
    assert rush > 1.2 * later


def test_the_same_seed_draws_the_same_day_and_another_another(plan: HallPlan) -> None:
    described, monday = Described(), date(2026, 3, 2)
    people = people_of(plan, described, 1)
    one = draw(plan, described, people, monday, seed=1, number=0)
    assert draw(plan, described, people, monday, seed=1, number=0) == one
    assert draw(plan, described, people, monday, seed=1, number=1).visits != one.visits
    assert draw(plan, described, people, monday, seed=2, number=0).visits != one.visits


def test_heat_moves_visitors_between_zones(plan: HallPlan) -> None:
    zone = plan.queues[0].id
    services = {it.id for it in plan.services if it.zone == zone}

    def odds(heat: float) -> float:
        days = days_of(plan, Described(heat={zone: heat}), 6)
        visits = [visit.stays[0].service in services for day in days for visit in day.visits]
        return sum(visits) / (len(visits) - sum(visits))

    assert odds(2.0) == pytest.approx(2.0 * odds(1.0), rel=0.15)


# ---------------------------------------------------------------------------------------------------------- shifts


def test_windows_are_manned_in_the_hours_of_their_zone(qiaocheng: HallPlan) -> None:
    found = rota(qiaocheng, date(2026, 3, 2), lunch=Described().lunch, without_hours=())
    assert len(found) == 29
    assert set(found.values()) == {((540 * MIN, 720 * MIN), (780 * MIN, 1020 * MIN))}  # closed at lunch: no turns
    assert rota(qiaocheng, date(2026, 3, 1), lunch=(), without_hours=()) == {}  # a Sunday


def test_lunch_goes_in_turns_where_the_hours_go_through_it(plan: HallPlan) -> None:
    whole = ((510 * MIN, 1050 * MIN),)
    no_hours = HallPlan(
        hall=plan.hall,
        name=plan.name,
        time_zone=plan.time_zone,
        languages=plan.languages,
        zones=plan.zones,
        services=plan.services,
        windows=plan.windows,
    )
    found = rota(no_hours, date(2026, 3, 2), lunch=Described().lunch, without_hours=whole)
    by_zone: dict[ZoneId, list[object]] = {}
    for no, spans in found.items():
        by_zone.setdefault(plan.window[no].zone, []).append(spans)
    for spans_of_zone in by_zone.values():
        if len(spans_of_zone) == 1:
            assert spans_of_zone == [whole]
        else:
            assert {
                ((510 * MIN, 720 * MIN), (780 * MIN, 1050 * MIN)),
                ((510 * MIN, 780 * MIN), (840 * MIN, 1050 * MIN)),
            } == set(spans_of_zone)


def test_zone_minutes_are_shared_by_who_serves_several(qiaocheng: HallPlan) -> None:
    shifts = rota(qiaocheng, date(2026, 3, 2), lunch=(), without_hours=())
    found = zone_minutes(qiaocheng, shifts)
    assert found[ZoneId("business")] == 10 * 420
    assert found[ZoneId("general")] == 6 * 420
    assert ServiceId("pickup") in qiaocheng.windows[0].serves
