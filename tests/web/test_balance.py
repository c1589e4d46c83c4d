"""Balance on the wire: heat, suggestions applied, declined and undone, limits, and what the clerks are told."""

from dataclasses import replace

import pytest

from server import timers
from server.domain import commands as c
from server.domain.terms import CLOCK, ServiceId, Track, WindowNo, WorkId
from server.projections.window import window
from tests.web.stage import HALL, Stage
from tests.web.test_visit import ok, problem

HERE = f"/halls/{HALL}/balance"


def do(stage: Stage, command: c.Command) -> None:
    stage.hall.handle(command, actor=CLOCK)


@pytest.fixture
def hot(stage: Stage) -> Stage:
    """A hall in which thirty people wait for the general windows while the clerk of window 1 could help."""
    plan = stage.hall.plan
    service = plan.services[0].id
    zone = plan.services[0].zone
    other = next(it for it in plan.services if it.zone != zone)
    windows = tuple(
        replace(it, serves=(other.id,), relief=(), trained=(service,))
        if it.no == plan.windows[0].no
        else replace(it, serves=(service,), relief=())
        for it in plan.windows
    )
    do(stage, c.PlanHall(plan=replace(plan, windows=windows, digest="hot")))
    for no in (plan.windows[0].no, plan.windows[1].no):
        do(stage, c.OpenWindow(window=no, clerk=WorkId(f"77{no}")))
    for number in range(30):
        do(stage, c.IssueTicket(service=ServiceId(service), track=Track(f"hot-{number}")))
    return stage


def test_a_suggestion_is_applied_and_undone_with_one_call_each(hot: Stage) -> None:
    manager = hot.person("manager")
    (zone, *_) = [it for it in ok(manager.get(HERE))["zones"] if it["waiting"]]
    assert zone["heat"] > 1
    now, half, hour = zone["next_hour"]
    assert [it["after_min"] for it in (now, half, hour)] == [0, 30, 60]
    assert all(
        it["open"] and it["eta"]["low_s"] <= it["eta"]["p50_s"] <= it["eta"]["high_s"] for it in (now, half, hour)
    )
    assert zone["wait_min"] == now["eta"]["p50_s"] / 60
    (suggested, *_) = ok(manager.get(HERE))["suggestions"]
    assert suggested["on"]
    assert suggested["gain_min"] > 10
    assert suggested["after_min"] < suggested["before_min"]
    applied = ok(manager.post(f"{HERE}/{suggested['suggestion']}/apply"))
    assert applied["window"] == suggested["window"]
    assert applied["relief"]
    (change,) = ok(manager.get(HERE))["changes"]
    assert (change["change"], change["judged"], change["was_min"]) == (applied["change"], False, None)
    assert change["by"] is not None
    problem(manager.post(f"{HERE}/{suggested['suggestion']}/apply"), 409, "suggestion_gone")
    ok(manager.post(f"{HERE}/changes/{applied['change']}/undo", {"reason": "够了"}))
    assert hot.hall.read(lambda state, _: state.windows[WindowNo(applied["window"])].relief) == ()
    problem(manager.post(f"{HERE}/changes/{applied['change']}/undo"), 409, "change_gone")


def test_before_anybody_moves_a_service_its_effect_is_told(hot: Stage) -> None:
    manager = hot.person("manager")
    plan = hot.hall.plan
    service, zone = plan.services[0].id, plan.services[0].zone
    told = ok(manager.get(f"{HERE}/what-if?service={service}"))
    helper, own = told["windows"]
    assert (told["zone"], helper["window"], helper["on"]) == (zone, plan.windows[0].no, True)
    assert helper["gain_min"] > 10
    assert helper["after_min"] < helper["before_min"]
    assert (own["on"], own["after_min"]) == (False, None)  # nobody would be left for it
    do(hot, c.AssignServices(window=WindowNo(helper["window"]), serves=(plan.services[1].id,), relief=(service,)))
    helper, own = ok(manager.get(f"{HERE}/what-if?service={service}"))["windows"]
    assert not helper["on"]
    assert helper["after_min"] > helper["before_min"]
    assert own["after_min"] is not None
    problem(manager.get(f"{HERE}/what-if?service=nothing"), 404, "service_not_found")


def test_a_declined_suggestion_is_gone(hot: Stage) -> None:
    manager = hot.person("manager")
    (suggested, *_) = ok(manager.get(HERE))["suggestions"]
    ok(manager.post(f"{HERE}/{suggested['suggestion']}/decline"))
    assert suggested["suggestion"] not in [it["suggestion"] for it in ok(manager.get(HERE))["suggestions"]]


def test_within_its_limits_the_hall_changes_by_itself_and_calls_relief(hot: Stage) -> None:
    manager = hot.person("manager")
    timers.tick([hot.hall])
    (relief,) = ok(manager.get(HERE))["relief"]
    no = relief["windows"][0]
    told = hot.hall.read(lambda state, _: window(state, WindowNo(no), now_ms=0, names={}).relief_wanted)
    assert told is not None
    assert (told.zone, told.helps) == (relief["zone"], False)
    assert ok(manager.get(HERE))["changes"] == []
    ok(manager.put(f"{HERE}/limits", {"mode": "automatic"}))
    timers.tick([hot.hall])
    (change,) = ok(manager.get(HERE))["changes"]
    assert change["by"] is None


def test_limits_that_cannot_be_are_refused_in_words(hot: Stage) -> None:
    manager = hot.person("manager")
    problem(manager.put(f"{HERE}/limits", {"windows": ["no such window"]}), 404, "window_not_found")
    assert manager.put(f"{HERE}/limits", {"mode": "wild"}).status_code == 422
    assert ok(manager.get(HERE))["limits"]["mode"] == "manual"
