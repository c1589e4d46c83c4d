"""Live rebalancing: applied, declined, undone, judged; the hall's own changes within limits; relief called; tides."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain import rebalance
from server.domain.evolve import evolve
from server.domain.records import BalanceLimits
from server.domain.refusals import Code
from server.domain.terms import ServiceId, Tide, WindowNo, ZoneId
from tests.domain.halls import PLAN, Scene, a_window

TAX = ServiceId("tax")
ON = "on-2-tax"
DESKS = (
    a_window("1", "general"),
    replace(a_window("2", "general social"), trained=(TAX,)),
    a_window("3", "tax invoice"),
    a_window("4", "tax"),
)


def a_hot_tax_zone(*, people: int = 20, desks: tuple[str, ...] = ("1", "2", "3")) -> Scene:
    """Give a hall in which twenty people wait for tax and nobody for anything else."""
    scene = Scene(replace(PLAN, windows=DESKS), open_windows=desks)
    for _ in range(people):
        scene.issue("tax")
    scene.wait(1)
    return scene


def names(scene: Scene) -> list[str]:
    return [name for name, _ in rebalance.suggestions(scene.state, scene.now_ms)]


def duties(scene: Scene, no: str) -> tuple[list[str], list[str]]:
    window = scene.state.windows[WindowNo(no)]
    return list(window.serves), list(window.relief)


def apply(scene: Scene, name: str = ON) -> list[e.Event]:
    return scene.do(c.ApplySuggestion(suggestion=name, by="9001"))


def automatic(scene: Scene, **more: object) -> None:
    limits = replace(BalanceLimits(mode="automatic"), **more)  # type: ignore[arg-type]  # a test says what matters
    scene.do(c.SetBalanceLimits(limits=limits, by="9001"))


def test_a_suggestion_that_is_applied_lets_the_window_help_and_says_what_it_should_bring() -> None:
    scene = a_hot_tax_zone()
    assert names(scene) == [ON]
    applied, assigned = apply(scene)
    assert isinstance(applied, e.BalanceApplied)
    assert (applied.change, applied.window, applied.zone, applied.on, applied.by) == ("1", "2", "tax", True, "9001")
    assert applied.gain_min >= 10
    assert applied.after_min < applied.before_min
    assert isinstance(assigned, e.ServicesAssigned)
    assert duties(scene, "2") == (["general", "social"], ["tax"])
    assert scene.next("2").startswith("B")
    assert names(scene) == []


def test_a_suggestion_that_stands_no_longer_is_refused() -> None:
    scene = a_hot_tax_zone()
    apply(scene)
    assert scene.refused(c.ApplySuggestion(suggestion=ON, by="9001")) is Code.SUGGESTION_GONE
    assert scene.refused(c.ApplySuggestion(suggestion="on-77-moon", by="9001")) is Code.SUGGESTION_GONE
    assert scene.refused(c.DeclineSuggestion(suggestion=ON, by="9001")) is Code.SUGGESTION_GONE


def test_what_was_declined_is_not_said_again_for_an_hour() -> None:
    scene = a_hot_tax_zone()
    scene.do(c.DeclineSuggestion(suggestion=ON, by="9001"))
    assert names(scene) == []
    scene.wait(rebalance.DECLINED_FOR_MIN - 1)
    assert names(scene) == []
    scene.wait(1)
    assert names(scene) == [ON]


def test_an_undone_change_takes_back_only_what_it_did() -> None:
    scene = a_hot_tax_zone()
    apply(scene)
    scene.do(c.AssignServices(window=WindowNo("2"), serves=(ServiceId("social"),), relief=(TAX, ServiceId("general"))))
    undone, assigned = scene.do(c.UndoChange(change="1", by="9001", reason="冷了"))
    assert undone == e.BalanceUndone(change="1", by="9001", reason="冷了")
    assert isinstance(assigned, e.ServicesAssigned)
    assert duties(scene, "2") == (["social"], ["general"])
    assert scene.refused(c.UndoChange(change="1", by="9001")) is Code.CHANGE_GONE
    assert scene.refused(c.UndoChange(change="9", by="9001")) is Code.CHANGE_GONE


def test_after_an_hour_the_hall_says_what_a_change_really_did() -> None:
    scene = a_hot_tax_zone()
    apply(scene)
    scene.wait(10)
    scene.next("2")
    scene.wait(10)
    scene.next("3")
    scene.wait(rebalance.JUDGED_AFTER_MIN - 20 - 0.01)
    assert not [it for it in rebalance.due(scene.state, scene.now_ms) if isinstance(it, e.BalanceJudged)]
    scene.wait(0.01)
    judged = [it for it in scene.do(c.LookAround()) if isinstance(it, e.BalanceJudged)]
    assert [(it.change, it.calls, it.was_min) for it in judged] == [("1", 2, 16.0)]
    assert not [it for it in rebalance.due(scene.state, scene.now_ms) if isinstance(it, e.BalanceJudged)]


def test_changes_end_with_the_day_and_the_windows_are_as_the_hall_file_says() -> None:
    scene = a_hot_tax_zone()
    apply(scene)
    events = scene.do(c.CloseDay())
    assert e.BalanceUndone(change="1", by="", reason="day_closed") in events
    assert duties(scene, "2") == (["general", "social"], [])
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    assert scene.state.balancing.changes == []


def test_the_hall_changes_by_itself_only_when_it_may_and_not_more_than_it_may() -> None:
    scene = a_hot_tax_zone()
    assert not [it for it in rebalance.due(scene.state, scene.now_ms) if isinstance(it, e.BalanceApplied)]
    automatic(scene, windows=(WindowNo("1"),))
    while rebalance.due(scene.state, scene.now_ms):
        assert not [it for it in scene.do(c.LookAround()) if isinstance(it, e.BalanceApplied)]
    automatic(scene, at_once=0)
    assert rebalance.due(scene.state, scene.now_ms) == []
    automatic(scene)
    applied, _ = scene.do(c.LookAround())
    assert isinstance(applied, e.BalanceApplied)
    assert applied.by == ""
    assert scene.refused(c.LookAround()) is Code.NOTHING_DUE


def test_limits_name_windows_of_the_hall() -> None:
    scene = Scene()
    wrong = c.SetBalanceLimits(limits=BalanceLimits(windows=(WindowNo("77"),)), by="9001")
    assert scene.refused(wrong) is Code.WINDOW_NOT_FOUND


def test_relief_is_called_once_when_a_zone_is_hot_and_ends_when_it_has_cooled() -> None:
    scene = a_hot_tax_zone()
    (called,) = scene.do(c.LookAround())
    assert isinstance(called, e.ReliefCalled)
    assert (called.zone, called.waiting, called.windows) == ("tax", 20, ("2",))
    zone, call = rebalance.wanted(scene.state, WindowNo("2")) or (None, None)
    assert zone == ZoneId("tax")
    assert call is not None
    assert call.wait_min == called.wait_min
    assert rebalance.wanted(scene.state, WindowNo("1")) is None
    assert scene.refused(c.LookAround()) is Code.NOTHING_DUE
    for ticket in [*scene.state.tickets]:
        scene.do(c.Cancel(ticket=ticket, reason="test"))
    assert scene.do(c.LookAround()) == [e.ReliefEnded(zone=ZoneId("tax"))]
    assert rebalance.wanted(scene.state, WindowNo("2")) is None


def test_a_window_changes_its_duties_by_the_clock_and_a_hand_made_change_stands_until_the_next_turn() -> None:
    tide = Tide(id="morning", from_min=9 * 60 + 30, to_min=11 * 60, serves=(TAX,), relief=(ServiceId("general"),))
    desk = replace(a_window("2", "general social"), tides=(tide,))
    scene = Scene(replace(PLAN, windows=(a_window("1", "general"), desk, a_window("3", "tax invoice"))))
    assert rebalance.due(scene.state, scene.now_ms) == []
    scene.wait(30)
    turned, _ = scene.do(c.LookAround())
    assert turned == e.TideTurned(window=WindowNo("2"), tide="morning")
    assert duties(scene, "2") == (["tax"], ["general"])
    scene.do(c.AssignServices(window=WindowNo("2"), serves=(ServiceId("social"),)))
    assert rebalance.due(scene.state, scene.now_ms) == []
    scene.wait(90)
    assert scene.do(c.LookAround())[0] == e.TideTurned(window=WindowNo("2"), tide=None)
    assert duties(scene, "2") == (["general", "social"], [])


@pytest.mark.parametrize("what", ["tide", "gone", "own"])
def test_a_tide_that_other_settings_change_begins_anew(what: str) -> None:
    tide = Tide(id="all", from_min=0, to_min=24 * 60, serves=(TAX,))
    calm = a_window("2", "general")
    desk = replace(calm, tides=(tide,))
    others = (a_window("1", "general social"), a_window("3", "tax invoice"))
    scene = Scene(replace(PLAN, windows=(*others, desk)))
    scene.do(c.LookAround())
    assert duties(scene, "2") == (["tax"], [])
    same = replace(PLAN, windows=(*others, desk), digest="same")
    assert [type(one) for one in scene.do(c.PlanHall(plan=same))] == [e.HallPlanned], "what it leaves alone goes on"
    new, then = {
        "tide": (replace(calm, tides=(replace(tide, serves=(ServiceId("social"),)),)), ["social"]),
        "gone": (calm, ["general"]),
        "own": (replace(a_window("2", "social"), tides=(tide,)), ["tax"]),
    }[what]
    scene.do(c.PlanHall(plan=replace(PLAN, windows=(*others, new), digest="other")))
    assert duties(scene, "2") == ([*new.serves], [])
    for event in rebalance.due(scene.state, scene.now_ms):
        evolve(scene.state, event, at_ms=scene.now_ms)
    assert duties(scene, "2") == (then, [])


def test_a_tide_does_not_outlive_its_day() -> None:
    tide = Tide(id="all", from_min=0, to_min=24 * 60, serves=(TAX,))
    scene = Scene(replace(PLAN, windows=(a_window("1", "general"), replace(a_window("2", "general"), tides=(tide,)))))
    scene.do(c.LookAround())
    assert duties(scene, "2") == (["tax"], [])
    scene.do(c.CloseDay())
    assert duties(scene, "2") == (["general"], [])
