"""Windows open, pause and close; a plan is taken over without losing anybody."""

from dataclasses import replace

from server.domain import commands as c
from server.domain import events as e
from server.domain.learning import FADE
from server.domain.refusals import SENTENCES, STATUS_WORDS, Code
from server.domain.terms import (
    HallPlan,
    Label,
    PauseReason,
    ServiceId,
    TicketStatus,
    WindowNo,
    WindowStatus,
    WorkId,
    Zone,
    ZoneId,
)
from tests.domain.halls import PLAN, Scene, a_service, a_window, issue, transfer

ONE = WindowNo("1")


def without(plan: HallPlan, *, service: str = "", window: str = "") -> HallPlan:
    """Give the plan less one service or window."""
    windows = tuple(
        replace(
            it,
            serves=tuple(of for of in it.serves if of != service),
            relief=tuple(of for of in it.relief if of != service),
        )
        for it in plan.windows
        if it.no != window
    )
    return replace(plan, services=tuple(it for it in plan.services if it.id != service), windows=windows)


def test_a_window_is_open_calling_serving_paused_closed() -> None:
    scene = Scene()
    seen = [scene.state.window_status(ONE)]
    scene.open("1")
    scene.issue()
    for command in (
        c.PauseWindow(window=ONE, reason=PauseReason.TOILET),
        c.ResumeWindow(window=ONE),
        c.CallNext(window=ONE),
        c.StartServing(window=ONE),
        c.Finish(window=ONE),
        c.CloseWindow(window=ONE),
    ):
        seen.append(scene.state.window_status(ONE))
        scene.do(command)
    seen.append(scene.state.window_status(ONE))
    assert seen == ["closed", "open", "paused", "open", "calling", "serving", "open", "closed"]


def test_a_window_with_a_visitor_neither_pauses_nor_closes() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    assert scene.refused(c.PauseWindow(window=ONE, reason=PauseReason.LUNCH)) is Code.WINDOW_BUSY
    assert scene.refused(c.CloseWindow(window=ONE)) is Code.WINDOW_BUSY
    assert scene.refused(c.ResumeWindow(window=ONE)) is Code.WINDOW_OPEN


def test_a_paused_window_can_close_but_not_pause_again() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(c.PauseWindow(window=ONE, reason=PauseReason.OTHER, note="fire drill"))
    assert scene.window("1").pause_note == "fire drill"
    assert scene.refused(c.PauseWindow(window=ONE, reason=PauseReason.LUNCH)) is Code.WINDOW_PAUSED
    scene.do(c.CloseWindow(window=ONE))
    assert scene.state.window_status(ONE) is WindowStatus.CLOSED
    assert scene.refused(c.CloseWindow(window=ONE)) is Code.WINDOW_CLOSED
    assert scene.refused(c.ResumeWindow(window=ONE)) is Code.WINDOW_CLOSED
    scene.open("1")
    assert scene.window("1").paused is None


def test_one_window_one_clerk_and_one_clerk_one_window() -> None:
    scene = Scene(open_windows=["1"])
    opening = c.OpenWindow(window=ONE, clerk=WorkId("clerk-1"))
    assert scene.refused(opening) is Code.WINDOW_OPEN
    assert scene.refused(replace(opening, clerk=WorkId("other"))) is Code.WINDOW_TAKEN
    assert scene.refused(replace(opening, window=WindowNo("2"))) is Code.CLERK_ELSEWHERE


def test_a_window_to_which_nobody_is_sent_stays_closed_and_is_named_to_nobody() -> None:
    empty = replace(PLAN.window[WindowNo("2")], staffed=False)
    plan = replace(PLAN, windows=tuple(empty if window.no == "2" else window for window in PLAN.windows))
    scene = Scene(plan, open_windows=["1"])
    assert scene.refused(c.OpenWindow(window=WindowNo("2"), clerk=WorkId("x"))) is Code.WINDOW_UNSTAFFED
    assert scene.refused(issue("general", window="2")) is Code.WINDOW_UNSTAFFED
    assert scene.state.windows_of(ServiceId("general")) == ("1",)
    assert scene.state.windows_of(ServiceId("social")) == ()
    scene.issue()
    scene.next("1")
    scene.start("1")
    assert scene.refused(transfer("1", "social", to="2")) is Code.WINDOW_UNSTAFFED


def test_a_plan_takes_nobody_away_from_a_window_in_use() -> None:
    empty = replace(PLAN.window[WindowNo("2")], staffed=False)
    plan = replace(PLAN, windows=tuple(empty if window.no == "2" else window for window in PLAN.windows))
    assert Scene(open_windows=["2"]).refused(c.PlanHall(plan=plan)) is Code.PLAN_IN_USE
    Scene().do(c.PlanHall(plan=plan))


def test_who_looks_after_the_hall_may_open_several_windows_but_none_of_another() -> None:
    scene = Scene(open_windows=["1"])
    opening = c.OpenWindow(window=WindowNo("2"), clerk=WorkId("chief"), several=True)
    scene.do(opening)
    scene.do(replace(opening, window=WindowNo("3")))
    assert (scene.window("2").clerk, scene.window("3").clerk) == ("chief", "chief")
    assert scene.refused(replace(opening, window=ONE)) is Code.WINDOW_TAKEN


def test_nothing_goes_before_the_first_plan_or_before_the_day() -> None:
    scene = Scene.__new__(Scene)
    fresh = Scene()
    scene.state, scene.now_ms = type(fresh.state)(), fresh.now_ms
    assert scene.refused(issue("general")) is Code.HALL_CLOSED
    assert scene.refused(c.OpenWindow(window=ONE, clerk=WorkId("x"))) is Code.HALL_CLOSED


def test_a_plan_drops_no_service_somebody_waits_for() -> None:
    scene = Scene()
    scene.issue("social")
    smaller = without(PLAN, service="social")
    assert scene.refused(c.PlanHall(plan=smaller)) is Code.PLAN_IN_USE
    scene.do(c.Cancel(ticket=scene.ticket("C001").id))
    scene.do(c.PlanHall(plan=smaller))
    assert scene.refused(issue("social")) is Code.SERVICE_NOT_FOUND


def test_a_plan_drops_no_window_in_use() -> None:
    smaller = without(PLAN, window="2")
    at_work, bound, holding = Scene(open_windows=["2"]), Scene(), Scene(open_windows=["2"])
    bound.issue(window="2")
    holding.issue()
    holding.next("2")
    holding.do(c.Hold(window=WindowNo("2")))
    holding.do(c.CloseWindow(window=WindowNo("2")))
    for scene in (at_work, bound, holding):
        assert scene.refused(c.PlanHall(plan=smaller)) is Code.PLAN_IN_USE
    Scene().do(c.PlanHall(plan=smaller))


def test_a_plan_that_moves_a_service_to_another_zone_takes_its_visitors_along() -> None:
    scene = Scene(open_windows=["3"])
    scene.issue("tax")
    scene.issue("tax")
    scene.next("3")
    plan = replace(
        PLAN,
        zones=(Zone(id=ZoneId("hall"), name={"zh": "综合"}), Zone(id=ZoneId("new"), name={"zh": "新区"})),
        services=tuple(replace(it, zone=ZoneId("new")) if it.zone == "tax" else it for it in PLAN.services),
    )
    scene.do(c.PlanHall(plan=plan))
    scene.finish("3")
    assert scene.ticket("B002").zone == "new"
    assert scene.state.zones[ZoneId("new")].finished == 1


def test_a_live_assignment_survives_a_plan_that_does_not_speak_of_the_window() -> None:
    scene = Scene()
    scene.do(c.AssignServices(window=ONE, serves=(ServiceId("social"),), relief=(ServiceId("tax"),)))
    scene.do(c.PlanHall(plan=replace(PLAN, digest="2")))
    assert scene.window("1").serves == ("social",)
    changed = tuple(a_window("1", "tax") if it.no == "1" else it for it in PLAN.windows)
    scene.do(c.PlanHall(plan=replace(PLAN, windows=changed)))
    assert (scene.window("1").serves, scene.window("1").relief) == (("tax",), ())


def test_a_live_assignment_loses_the_services_that_a_plan_drops() -> None:
    scene = Scene()
    scene.do(c.AssignServices(window=WindowNo("4"), serves=(ServiceId("social"), ServiceId("tax"))))
    scene.do(c.AssignServices(window=WindowNo("3"), serves=(ServiceId("social"),)))
    scene.do(c.PlanHall(plan=without(PLAN, service="social")))
    assert scene.window("4").serves == ("tax",)
    assert scene.window("3").serves == ("tax", "invoice")  # nothing was left: as planned


def test_who_waits_under_a_priority_that_a_plan_drops_is_called_as_ordinary() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue(priority="green")
    scene.issue()
    scene.do(c.PlanHall(plan=replace(PLAN, priorities=())))
    assert scene.order_at("1") == ["A001", "A002"]
    assert scene.next("1") == "A001"


def test_a_new_plan_goes_on_with_the_numbers() -> None:
    scene = Scene()
    scene.issue()
    scene.do(c.PlanHall(plan=replace(PLAN, services=(*PLAN.services, a_service("pension", "A")))))
    assert scene.issue("pension") == "A002"


def test_counts_of_the_day_begin_again_with_the_day() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    scene.finish("1")
    assert scene.window("1").served_today == 1
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    window = scene.window("1")
    assert (window.served_today, window.busy_s_today, window.last_finished, list(scene.state.recent)) == (
        0,
        0,
        None,
        [],
    )
    assert scene.state.zones[ZoneId("hall")].issued == 0
    assert scene.state.learned.serve_s[ServiceId("general")].count == FADE  # what was learned stays


def test_a_called_visitor_who_cancels_frees_the_window() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    (event,) = scene.do(c.Cancel(ticket=scene.state.labels[Label("A001")]))
    assert event == e.TicketCancelled(ticket=scene.ticket("A001").id, label=Label("A001"), window=ONE, reason="")
    assert scene.state.window_status(ONE) is WindowStatus.OPEN


def test_every_code_and_status_has_words_in_both_languages() -> None:
    assert set(SENTENCES) == set(Code)
    assert set(STATUS_WORDS) == set(TicketStatus)
    for zh, en in SENTENCES.values():
        assert zh.endswith("。")
        assert en.endswith(".")
