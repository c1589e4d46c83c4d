"""Joint matters (一事联办): one number, several legs in one visit; one leg at a time, label and arrival kept."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from server.domain.routing import choose
from server.domain.terms import LEG_AGE_MAX_MIN, DoneLeg, HallPlan, PauseReason, ServiceId, TicketStatus, WindowNo
from tests.domain.halls import MIN, PLAN, Scene, a_service, issue, ms, transfer

ONE, TWO, THREE = WindowNo("1"), WindowNo("2"), WindowNo("3")
GENERAL, SOCIAL, TAX, INVOICE = (ServiceId(it) for it in ("general", "social", "tax", "invoice"))


def plan(scene: Scene, *services: str, window: str | None = None, label: str = "A001") -> c.PlanLegs:
    """Give the command that plans the legs of a ticket."""
    ticket = scene.ticket(label).id
    return c.PlanLegs(
        ticket=ticket,
        services=tuple(ServiceId(it) for it in services),
        window=WindowNo(window) if window else None,
    )


def joint(*legs: str, serving: bool = True) -> Scene:
    """Play: windows 1 to 3 are open, A001 is being served at window 1 and has these legs after general."""
    scene = Scene(open_windows=["1", "2", "3"])
    scene.issue()
    scene.wait(5)
    scene.next("1")
    if serving:
        scene.start("1")
    scene.do(plan(scene, *legs, window="1"))
    return scene


def end_leg(scene: Scene, no: str, following: str | None = None) -> e.LegFinished:
    """Finish a leg."""
    (event,) = scene.do(c.Finish(window=WindowNo(no), next=ServiceId(following) if following else None))
    assert isinstance(event, e.LegFinished)
    return event


def test_a_finished_leg_leads_to_the_next_in_order_under_the_same_label() -> None:
    scene = joint("social", "tax")
    issued_ms = scene.ticket("A001").issued_ms
    scene.wait(7)
    event = end_leg(scene, "1")
    assert (event.service, event.next_service, event.zone, event.serve_s) == (GENERAL, SOCIAL, "hall", 420)
    assert scene.status("A001") is TicketStatus.WAITING
    assert scene.next("2") == "A001"
    scene.start("2")
    scene.wait(3)
    assert end_leg(scene, "2").zone == "tax"
    assert scene.next("3") == "A001"
    scene.wait(2)
    assert scene.finish("3").service == TAX
    ticket = scene.ticket("A001")
    assert (ticket.status, ticket.issued_ms) == (TicketStatus.FINISHED, issued_ms)
    assert [(leg.service, leg.window) for leg in ticket.legs_done] == [(GENERAL, "1"), (SOCIAL, "2")]


def test_legs_can_be_planned_with_the_number() -> None:
    scene = Scene(open_windows=["1", "2"])
    given, planned = scene.do(issue_joint("general", "general", "social", "invoice"))
    assert isinstance(given, e.TicketIssued)
    assert isinstance(planned, e.LegsPlanned)
    assert (planned.services, planned.unserved) == ((GENERAL, SOCIAL, INVOICE), (INVOICE,))
    assert scene.ticket("A001").legs_planned == (SOCIAL, INVOICE)


def test_a_joint_matter_of_the_hall_file_plans_its_legs_by_itself_unless_others_are_asked_for() -> None:
    services = tuple(
        replace(service, legs=(GENERAL, TAX)) if service.id == GENERAL else service for service in PLAN.services
    )
    scene = Scene(replace(PLAN, services=services), open_windows=["1", "2", "3"])
    _, planned = scene.do(issue_joint("general"))
    assert isinstance(planned, e.LegsPlanned)
    assert planned.services == (GENERAL, TAX)
    _, planned = scene.do(issue_joint("general", "general", "social"))
    assert isinstance(planned, e.LegsPlanned)
    assert planned.services == (GENERAL, SOCIAL)


def issue_joint(service: str, *legs: str) -> c.IssueTicket:
    """Give the command of a press for a joint matter."""
    return c.IssueTicket(service=ServiceId(service), track=issue(service).track, legs=tuple(map(ServiceId, legs)))


def test_a_list_without_the_first_service_means_what_follows_it() -> None:
    scene = Scene(open_windows=["1"])
    _, planned = scene.do(issue_joint("general", "social"))
    assert isinstance(planned, e.LegsPlanned)
    assert planned.services == (GENERAL, SOCIAL)


def test_one_leg_alone_is_an_ordinary_visit() -> None:
    scene = Scene(open_windows=["1"])
    assert len(scene.do(issue_joint("general", "general"))) == 1
    scene.next("1")
    scene.finish("1")
    assert scene.ticket("A001").legs_done == []


def test_the_clerk_may_choose_another_of_the_planned_legs() -> None:
    scene = joint("social", "tax", "invoice")
    assert end_leg(scene, "1", "tax").next_service == TAX
    assert scene.ticket("A001").legs_planned == (SOCIAL, INVOICE)


def test_only_a_planned_leg_can_be_chosen() -> None:
    scene = joint("social")
    for other in ("general", "tax"):
        assert scene.refused(c.Finish(window=ONE, next=ServiceId(other))) is Code.LEG_NOT_PLANNED
    assert scene.refused(c.Finish(window=ONE, next=ServiceId("moon"))) is Code.SERVICE_NOT_FOUND


def test_choosing_a_next_leg_for_an_ordinary_visit_is_refused() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    assert scene.refused(c.Finish(window=ONE, next=SOCIAL)) is Code.LEG_NOT_PLANNED


def test_a_plan_is_refused_with_a_stable_code() -> None:
    scene = joint("social")
    assert scene.refused(plan(scene)) is Code.LEGS_MISSING
    assert scene.refused(plan(scene, "moon")) is Code.SERVICE_NOT_FOUND
    assert scene.refused(plan(scene, "social", "tax", "social")) is Code.LEG_REPEATED
    assert scene.refused(plan(scene, "social", "social")) is Code.LEG_REPEATED
    assert scene.refused(plan(scene, "social", "general")) is Code.LEG_REPEATED
    assert scene.refused(plan(scene, "social", window="2")) is Code.TICKET_ELSEWHERE
    assert scene.refused(issue_joint("general", "social", "social")) is Code.LEG_REPEATED
    assert scene.refused(issue_joint("general", "moon")) is Code.SERVICE_NOT_FOUND


MANY = tuple(a_service(f"s{number}", "S") for number in range(10))


def test_a_joint_matter_has_eight_legs_at_most_and_done_ones_count() -> None:
    scene = Scene(plan=many(), open_windows=["1"])
    names = [f"s{number}" for number in range(10)]
    scene.do(issue_joint(names[0], *names[:8]))
    scene.next("1")
    assert scene.refused(plan(scene, *names[:9], label="S001")) is Code.TOO_MANY_LEGS
    end_leg(scene, "1")
    scene.next("1")
    assert scene.refused(plan(scene, *names[1:9], label="S001")) is Code.TOO_MANY_LEGS
    scene.do(plan(scene, *names[1:8], label="S001"))
    for _ in range(6):
        end_leg(scene, "1")
        scene.next("1")
    scene.finish("1")


def many() -> HallPlan:
    """Give a hall whose window 1 serves ten services."""
    window = replace(PLAN.windows[0], serves=tuple(it.id for it in MANY), relief=())
    return replace(PLAN, services=(*PLAN.services, *MANY), windows=(window, *PLAN.windows[1:]))


def test_a_new_plan_keeps_the_legs_done() -> None:
    scene = joint("social", "tax")
    end_leg(scene, "1")
    scene.next("2")
    done = scene.ticket("A001").legs_done[:]
    (event,) = scene.do(plan(scene, "invoice", window="2"))
    assert isinstance(event, e.LegsPlanned)
    assert (event.services, event.done) == ((SOCIAL, INVOICE), tuple(done))
    assert scene.ticket("A001").legs_done == done == [DoneLeg(service=GENERAL, window=ONE, finished_ms=scene.now_ms)]


def test_a_plan_of_the_active_leg_alone_ends_the_visit_with_it() -> None:
    scene = joint("social", "tax")
    scene.do(plan(scene, "general", window="1"))
    scene.finish("1")


@pytest.mark.parametrize("way", ["missed", "finished"])
def test_a_visitor_who_is_not_there_gets_no_new_plan(way: str) -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    scene.do(c.MarkMissed(window=ONE) if way == "missed" else c.Finish(window=ONE))
    assert scene.refused(plan(scene, "social")) is Code.ILLEGAL_MOVE


def test_a_returning_leg_keeps_its_age_before_who_came_later() -> None:
    scene = joint("social")
    scene.wait(5)
    scene.issue("social")
    scene.wait(10)
    end_leg(scene, "1")
    assert scene.order_at("2") == ["A001", "C001"]


def test_a_returning_leg_passes_nobody_who_waited_half_an_hour() -> None:
    scene = joint("social")
    scene.wait(5)
    scene.issue("social")
    scene.wait(LEG_AGE_MAX_MIN + 1)
    event = end_leg(scene, "1")
    assert event.since_ms == scene.now_ms - LEG_AGE_MAX_MIN * MIN
    assert scene.order_at("2") == ["C001", "A001"]
    assert scene.ticket("A001").issued_ms == ms("2026-03-02T09:00:00+08:00")


def test_the_call_of_a_returning_leg_says_so_and_waits_from_its_joining() -> None:
    scene = joint("social")
    scene.wait(20)
    end_leg(scene, "1")
    scene.wait(3)
    choice = choose(scene.state, TWO, scene.now_ms)
    assert choice is not None
    assert choice.why == "returning_leg"
    (event,) = scene.do(c.CallNext(window=TWO))
    assert isinstance(event, e.TicketCalled)
    assert (event.waited_s, event.call_count) == (180, 1)


def test_finish_and_call_next_end_the_leg_and_call_somebody_else() -> None:
    scene = joint("social")
    scene.issue()
    first, second = scene.do(c.CallNext(window=ONE, finish=True))
    assert isinstance(first, e.LegFinished)
    assert isinstance(second, e.TicketCalled)
    assert (first.label, second.label) == ("A001", "A002")


def test_the_window_of_first_contact_leads() -> None:
    scene = joint("social")
    end_leg(scene, "1")
    scene.next("2")
    scene.finish("2")
    assert scene.ticket("A001").contact == ONE


def test_a_window_that_only_called_does_not_lead() -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.do(issue_joint("general", "social"))
    scene.next("1")
    scene.do(c.ReturnTicket(window=ONE))
    scene.next("2")
    end_leg(scene, "2")
    assert scene.ticket("A001").contact == TWO


def test_a_leg_without_an_open_window_is_told() -> None:
    scene = joint("social", "tax")
    scene.do(c.CloseWindow(window=TWO))
    (event,) = scene.do(plan(scene, "social", "invoice"))
    assert isinstance(event, e.LegsPlanned)
    assert event.unserved == (SOCIAL,)
    assert end_leg(scene, "1").unserved
    scene.open("2")
    scene.next("2")
    scene.do(c.PauseWindow(window=ONE, reason=PauseReason.LUNCH))
    assert not end_leg(scene, "2").unserved


def test_a_leg_that_is_only_relieved_is_served() -> None:
    scene = Scene(open_windows=["1"])
    _, planned = scene.do(issue_joint("general", "tax"))
    assert isinstance(planned, e.LegsPlanned)
    assert planned.unserved == ()


def test_a_transfer_to_a_planned_leg_changes_places_with_it() -> None:
    scene = joint("social", "tax")
    scene.do(transfer("1", "tax"))
    ticket = scene.ticket("A001")
    assert (ticket.service, ticket.legs_planned, ticket.legs_done) == (TAX, (SOCIAL, GENERAL), [])


def test_a_transfer_elsewhere_replaces_the_leg() -> None:
    scene = joint("social")
    scene.do(transfer("1", "tax"))
    ticket = scene.ticket("A001")
    assert (ticket.service, ticket.legs_planned) == (TAX, (SOCIAL,))


def test_a_held_or_missed_leg_goes_on() -> None:
    scene = joint("social", "tax")
    scene.do(c.Hold(window=ONE))
    scene.do(c.Finish(window=ONE, ticket=scene.ticket("A001").id))
    assert scene.window("1").held == []
    scene.next("2")
    scene.do(c.MarkMissed(window=TWO))
    scene.do(c.Reinstate(ticket=scene.ticket("A001").id))
    scene.next("2")
    scene.do(c.ReturnTicket(window=TWO))
    scene.next("2")
    end_leg(scene, "2")
    assert scene.next("3") == "A001"


def test_legs_end_with_the_ticket() -> None:
    scene = joint("social")
    end_leg(scene, "1")
    scene.do(c.Cancel(ticket=scene.ticket("A001").id))
    assert scene.state.lanes == {}
    scene = joint("social")
    end_leg(scene, "1")
    scene.do(c.CloseDay())
    assert scene.status("A001") is TicketStatus.EXPIRED


def test_a_leg_counts_for_its_window_and_zone() -> None:
    scene = joint("tax")
    scene.wait(4)
    end_leg(scene, "1")
    scene.next("3")
    scene.start("3")
    scene.wait(6)
    scene.finish("3")
    assert [(it.served_today, it.busy_s_today) for it in (scene.window("1"), scene.window("3"))] == [(1, 240), (1, 360)]
    zones = [scene.state.zones[it.id] for it in PLAN.zones]
    assert [(it.called, it.finished, it.legs) for it in zones] == [(1, 1, 1), (1, 1, 0)]


def test_a_pad_pressed_after_a_leg_grades_nobody() -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.issue()
    scene.next("1")
    scene.finish("1")
    scene.do(issue_joint("general", "social"))
    scene.next("1")
    end_leg(scene, "1")
    assert scene.refused(c.RateAtWindow(window=ONE, grade=1)) is Code.ILLEGAL_MOVE


def test_a_service_still_planned_cannot_leave_the_hall_file() -> None:
    scene = joint("invoice")
    less = replace(
        PLAN,
        services=tuple(it for it in PLAN.services if it.id != INVOICE),
        windows=tuple(replace(it, serves=tuple(x for x in it.serves if x != INVOICE)) for it in PLAN.windows),
    )
    assert scene.refused(c.PlanHall(plan=less)) is Code.PLAN_IN_USE


def test_finishing_a_leg_and_calling_by_one_press_calls_the_same_visitor_for_the_next_leg_here() -> None:
    scene = Scene(open_windows=["2"])
    scene.issue()
    scene.next("2")
    scene.do(plan(scene, "social", window="2"))
    scene.wait(10)
    scene.issue("social")
    leg, called = scene.do(c.CallNext(window=TWO, finish=True))
    assert isinstance(leg, e.LegFinished)
    assert isinstance(called, e.TicketCalled)
    assert (called.label, called.service, called.why, called.waited_s) == ("A001", SOCIAL, "returning_leg", 0)
    assert scene.ticket("A001").window == TWO
    assert scene.next("2", finish=True) == "C001"
