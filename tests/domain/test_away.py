"""A visit paused away from the windows: the one-time notice, the result that the back office decides, the way back."""

from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.away import ITEM_COLUMNS_MAX, ITEMS_MAX, RESULT_KEPT_DAYS
from server.domain.evolve import evolve
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import (
    CLOCK,
    AwayFor,
    Label,
    ServiceId,
    ServiceKind,
    Tenant,
    TenantId,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    Zone,
    ZoneId,
)
from server.ledger import codec
from server.ledger.base import GENESIS, Commit
from tests.domain.halls import MIN, PLAN, Scene, a_service, a_window, issue

ONE, TWO = WindowNo("1"), WindowNo("2")
PICKUP = ServiceId("pickup")
HALL = replace(
    PLAN,
    services=(*PLAN.services, a_service("pickup", "T", kind=ServiceKind.PICKUP)),
    windows=(*PLAN.windows, a_window("9", "pickup")),
)
WAITING, AWAY = TicketStatus.WAITING, TicketStatus.AWAY


@pytest.fixture
def scene() -> Scene:
    return Scene(HALL, open_windows=["1", "2", "9"])


def notice(no: str = "1", *items: str, away: bool = True) -> c.GiveNotice:
    return c.GiveNotice(window=WindowNo(no), items=items or ("photo",), away=away)


def awaits(no: str = "1", case: str = "", pickup: str | None = None) -> c.AwaitResult:
    return c.AwaitResult(window=WindowNo(no), pickup=ServiceId(pickup) if pickup else None, case_number=case)


def report(case: str, **more: str) -> c.ReportResult:
    return c.ReportResult(case_number=case, **more)  # type: ignore[arg-type]  # ids are written as plain text here


def back(scene: Scene, label: str) -> c.ComeBack:
    return c.ComeBack(ticket=scene.ticket(label).id)


def take_pickup(case: str = "", visitor: str | None = None) -> c.IssueTicket:
    return c.IssueTicket(service=PICKUP, track=Track(f"track-{case}-{visitor}"), case_number=case, visitor=visitor)


def called(scene: Scene, no: str = "1", service: str = "general") -> Label:
    label = scene.issue(service)
    assert scene.next(no) == label
    return label


# ------------------------------------------------------------------------------------------------- one-time notice


def test_a_notice_says_everything_once_and_the_visit_goes_on(scene: Scene) -> None:
    label = called(scene)
    scene.start("1")
    scene.wait(3)
    (event,) = scene.do(c.GiveNotice(window=ONE, items=(" photo ", "", "form A"), note=" by Friday ", away=False))
    assert event == e.NoticeGiven(
        ticket=scene.ticket(label).id,
        label=label,
        window=ONE,
        service=ServiceId("general"),
        items=("photo", "form A"),
        note="by Friday",
        away=False,
        serve_s=180,
        hold_s=0,
        call_count=1,
    )
    assert scene.status(label) is TicketStatus.SERVING
    assert scene.ticket(label).notice == ("photo", "form A")
    assert scene.window("1").away == []


def test_who_fetches_papers_leaves_the_window_free_and_keeps_the_old_place(scene: Scene) -> None:
    first, second = scene.issue(), scene.issue()
    assert scene.next("1") == first
    scene.start("1")
    scene.wait(5)
    scene.do(notice())
    assert (scene.status(first), scene.ticket(first).away_for) == (AWAY, AwayFor.PAPERS)
    assert (scene.window("1").current, scene.window("1").away) == (None, [scene.ticket(first).id])
    third = scene.issue()
    scene.wait(40)
    (event,) = scene.do(back(scene, first))
    assert isinstance(event, e.TicketBack)
    assert (event.since_ms, event.why) == (scene.ticket(first).issued_ms, AwayFor.PAPERS)
    assert scene.window("1").away == []
    assert scene.order_at("1") == [first, second, third]


def test_the_visit_after_the_papers_is_served_from_nothing(scene: Scene) -> None:
    label = called(scene)
    scene.start("1")
    scene.wait(5)
    scene.do(notice())
    assert scene.window("1").busy_s_today == 300
    scene.wait(60)
    scene.do(back(scene, label))
    assert scene.next("2") == label, "any window that serves it may call"
    scene.start("2")
    scene.wait(2)
    assert scene.finish("2").serve_s == 120
    assert scene.ticket(label).waited_s == 0, "the wait is until the first call"


def test_a_bound_ticket_comes_back_to_its_window(scene: Scene) -> None:
    label = scene.issue(window="1")
    assert scene.next("1") == label
    scene.do(notice())
    scene.do(back(scene, label))
    assert (scene.order_at("2"), scene.order_at("1")) == ([], [label])


def test_a_held_visitor_can_be_given_a_notice(scene: Scene) -> None:
    label = called(scene)
    scene.do(c.Hold(window=ONE))
    scene.do(c.GiveNotice(window=ONE, ticket=scene.ticket(label).id, items=("photo",), away=True))
    assert (scene.status(label), scene.window("1").held) == (AWAY, [])


def test_a_manager_can_call_somebody_who_is_away(scene: Scene) -> None:
    label = called(scene)
    scene.do(notice())
    scene.do(c.CallTicket(window=TWO, label=label, reason="is back at the desk"))
    assert (scene.status(label), scene.ticket(label).away_for) == (TicketStatus.CALLED, None)
    assert scene.window("1").away == []


def test_a_planned_leg_waits_for_the_papers_too(scene: Scene) -> None:
    label = called(scene)
    scene.do(c.PlanLegs(ticket=scene.ticket(label).id, services=(ServiceId("social"),)))
    scene.do(notice())
    scene.do(back(scene, label))
    assert scene.next("1") == label
    (event,) = scene.do(c.Finish(window=ONE))
    assert isinstance(event, e.LegFinished)


@pytest.mark.parametrize("items", [(), ("",), (" ", "\t")])
def test_a_notice_without_items_is_refused(scene: Scene, items: tuple[str, ...]) -> None:
    called(scene)
    assert scene.refused(c.GiveNotice(window=ONE, items=items)) is Code.NOTICE_EMPTY


def test_a_notice_fits_on_a_slip(scene: Scene) -> None:
    called(scene)
    han, letters = "证" * (ITEM_COLUMNS_MAX // 2), "a" * ITEM_COLUMNS_MAX
    assert scene.refused(notice("1", *["photo"] * (ITEMS_MAX + 1))) is Code.NOTICE_TOO_LONG
    assert scene.refused(notice("1", han + "a")) is Code.NOTICE_TOO_LONG
    assert scene.refused(notice("1", letters + "a")) is Code.NOTICE_TOO_LONG
    scene.do(notice("1", *[han, letters] * (ITEMS_MAX // 2)))


def test_a_notice_needs_a_visitor_at_this_window(scene: Scene) -> None:
    assert scene.refused(notice()) is Code.ILLEGAL_MOVE
    label = called(scene)
    other = c.GiveNotice(window=TWO, ticket=scene.ticket(label).id, items=("photo",))
    assert scene.refused(other) is Code.TICKET_ELSEWHERE
    assert scene.refused(back(scene, label)) is Code.ILLEGAL_MOVE, "is not away"
    scene.do(notice())
    assert scene.refused(other) is Code.ILLEGAL_MOVE
    assert scene.refused(c.ComeBack(ticket=TicketId("none"))) is Code.TICKET_NOT_FOUND


def test_a_visitor_who_is_away_gets_no_second_number(scene: Scene) -> None:
    scene.do(issue("general", visitor="li", track="a"))
    scene.next("1")
    scene.do(notice())
    assert scene.refused(issue("general", visitor="li", track="b")) is Code.ALREADY_WAITING


def test_a_visitor_away_can_give_up_and_expires_with_the_day(scene: Scene) -> None:
    gone, late = called(scene), called(scene, "2")
    scene.do(notice())
    scene.do(notice("2"))
    scene.do(c.Cancel(ticket=scene.ticket(gone).id))
    assert (scene.status(gone), scene.window("1").away) == (TicketStatus.CANCELLED, [])
    scene.do(c.CloseDay())
    assert (scene.status(late), scene.window("2").away) == (TicketStatus.EXPIRED, [])


def test_the_pad_grades_nobody_while_the_visitor_fetches_papers(scene: Scene) -> None:
    called(scene)
    scene.finish("1")
    called(scene)
    scene.do(notice())
    assert scene.refused(c.RateAtWindow(window=ONE, grade=5)) is Code.ILLEGAL_MOVE


# --------------------------------------------------------------------------------------------------------- results


def test_intake_is_finished_work_and_the_result_is_called_under_the_same_label(scene: Scene) -> None:
    label = called(scene)
    scene.start("1")
    scene.wait(6)
    (event,) = scene.do(awaits(case="330-1"))
    assert event == e.ResultAwaited(
        ticket=scene.ticket(label).id,
        label=label,
        window=ONE,
        service=ServiceId("general"),
        serve_s=360,
        hold_s=0,
        call_count=1,
        pickup=PICKUP,
        zone=ZoneId("hall"),
        case_number="330-1",
    )
    assert (scene.status(label), scene.ticket(label).away_for) == (AWAY, AwayFor.RESULT)
    assert (scene.window("1").served_today, scene.window("1").busy_s_today) == (1, 360)
    assert scene.state.waiting(PICKUP) == 0
    scene.wait(45)
    ready, returned = scene.do(report("330-1", note="licence"))
    assert isinstance(ready, e.ResultReady)
    assert isinstance(returned, e.TicketBack)
    assert (ready.ticket, ready.label, ready.pickup) == (scene.ticket(label).id, label, PICKUP)
    assert (returned.service, returned.why) == (PICKUP, AwayFor.RESULT)
    assert scene.now_ms - returned.since_ms == 30 * MIN, "of the legs before, half an hour counts"
    assert scene.next("9") == label
    scene.wait(1)
    assert scene.finish("9").service == PICKUP
    assert scene.state.results == {}, "it is in the visitor's hands"
    assert [leg.service for leg in scene.ticket(label).legs_done] == ["general"]


def test_a_result_finds_its_visit_by_ticket_by_label_and_by_visitor(scene: Scene) -> None:
    by_id, by_label = called(scene), called(scene, "2")
    scene.do(awaits("1"))
    scene.do(awaits("2"))
    scene.do(issue("general", visitor="li", track="li"))
    by_visitor = scene.next("1")
    scene.do(awaits("1"))
    scene.do(report("1", ticket=scene.ticket(by_id).id))
    scene.do(report("2", label=by_label.lower()))
    scene.do(report("3", visitor="wang"))
    assert [scene.status(it) for it in (by_id, by_label, by_visitor)] == [WAITING, WAITING, AWAY]
    scene.do(report("4", visitor="li"))
    assert scene.status(by_visitor) is WAITING
    assert sorted(scene.state.results) == ["1", "2", "3", "4"]
    scene.next("9")
    scene.finish("9")
    assert sorted(scene.state.results) == ["2", "3", "4"], "reported for this ticket, though it had no case number"


def test_a_result_that_is_there_before_the_clerk_says_so_is_not_waited_for(scene: Scene) -> None:
    label = called(scene)
    scene.do(report("330-1"))
    scene.do(awaits(case="330-1"))
    assert (scene.status(label), scene.ticket(label).service) == (WAITING, PICKUP)
    other = called(scene)
    scene.do(report("330-2", label=other))
    assert scene.status(other) is TicketStatus.CALLED
    scene.do(awaits())
    assert scene.status(other) is WAITING


def test_a_case_number_that_is_noted_later_brings_the_visit_back(scene: Scene) -> None:
    label = called(scene)
    scene.do(awaits())
    scene.do(report("330-1"))
    assert scene.status(label) is AWAY, "nobody knows whose it is"
    noted, returned = scene.do(
        c.NoteCaseNumber(ticket=scene.ticket(label).id, case_number="330-1", matter_code="11420")
    )
    assert isinstance(noted, e.CaseNumberNoted)
    assert isinstance(returned, e.TicketBack)
    assert (scene.ticket(label).case_number, scene.ticket(label).matter_code) == ("330-1", "11420")


def test_a_case_number_is_noted_at_the_window_where_the_visitor_is(scene: Scene) -> None:
    label = called(scene)
    scene.do(c.NoteCaseNumber(ticket=scene.ticket(label).id, case_number=" 330-1 ", window=ONE))
    assert scene.ticket(label).case_number == "330-1"
    elsewhere = c.NoteCaseNumber(ticket=scene.ticket(label).id, case_number="330-2", window=TWO)
    assert scene.refused(elsewhere) is Code.TICKET_ELSEWHERE
    (event,) = scene.do(awaits())
    assert isinstance(event, e.ResultAwaited)
    assert event.case_number == "330-1"


def test_nobody_is_back_before_the_result(scene: Scene) -> None:
    label = called(scene)
    scene.do(awaits(case="330-1"))
    assert scene.refused(back(scene, label)) is Code.RESULT_NOT_READY
    assert scene.refused(take_pickup("330-1")) is Code.RESULT_NOT_READY
    scene.do(report("330-1"))
    assert scene.refused(take_pickup("330-1")) is Code.ALREADY_WAITING


def test_a_case_that_is_still_at_a_window_has_no_pickup_number(scene: Scene) -> None:
    label = called(scene)
    scene.do(c.NoteCaseNumber(ticket=scene.ticket(label).id, case_number="330-1"))
    assert scene.refused(take_pickup("330-1")) is Code.RESULT_NOT_READY
    scene.do(report("330-1"))
    scene.do(take_pickup("330-1"))


def test_a_case_the_hall_never_heard_of_has_a_number_for_those_who_know_better(scene: Scene) -> None:
    assert scene.refused(take_pickup("999")) is Code.RESULT_UNKNOWN
    (event,) = scene.do(replace(take_pickup("999"), unlisted=True))
    assert isinstance(event, e.TicketIssued)
    assert event.case_number == "999"
    assert scene.refused(replace(take_pickup("999"), unlisted=True)) is Code.ALREADY_WAITING
    scene.do(replace(take_pickup("1000"), service=ServiceId("general")))  # only a pickup asks for what is there


def test_a_result_on_its_way_has_no_number_however_sure_somebody_is(scene: Scene) -> None:
    called(scene)
    scene.do(awaits(case="330-1"))
    assert scene.refused(replace(take_pickup("330-1"), unlisted=True)) is Code.RESULT_NOT_READY


def test_a_result_waits_over_the_days_until_it_is_collected(scene: Scene) -> None:
    label = called(scene)
    scene.do(awaits(case="330-1"))
    scene.do(c.CloseDay())
    assert scene.status(label) is TicketStatus.EXPIRED
    scene.do(report("330-1", visitor="li"))  # the back office works on
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    scene.open("9")
    (event,) = scene.do(take_pickup(visitor="li"))
    assert isinstance(event, e.TicketIssued)
    assert event.case_number == "330-1", "by who it is: no case number was typed"
    scene.next("9")
    scene.finish("9")
    assert scene.state.results == {}


def test_a_result_reported_again_is_one_result(scene: Scene) -> None:
    scene.do(report("330-1", note="one"))
    (event,) = scene.do(report("330-1", note="two", ticket="20260101-A001"))
    assert isinstance(event, e.ResultReady)
    assert (event.ticket, event.label) == ("20260101-A001", None), "of another day: kept, called by nobody"
    assert [it.note for it in scene.state.results.values()] == ["two"]


def test_results_nobody_collects_are_not_kept_for_ever(scene: Scene) -> None:
    scene.do(report("old"))
    scene.wait(RESULT_KEPT_DAYS * 24 * 60 - 24 * 60)
    scene.do(c.StartDay())
    scene.do(report("new"))
    scene.wait(2 * 24 * 60)
    scene.do(c.StartDay())
    assert sorted(scene.state.results) == ["new"]


def test_the_other_legs_come_before_the_result(scene: Scene) -> None:
    label = called(scene)
    scene.do(c.PlanLegs(ticket=scene.ticket(label).id, services=(ServiceId("social"),)))
    assert scene.refused(awaits()) is Code.LEGS_LEFT
    scene.do(c.Finish(window=ONE))
    scene.next("2")
    scene.do(awaits("2"))
    scene.do(report("330-1", label=label))
    scene.next("9")
    scene.finish("9")
    assert [leg.service for leg in scene.ticket(label).legs_done] == ["general", "social"]


def test_a_visit_has_at_most_eight_legs_with_the_pickup(scene: Scene) -> None:
    label = called(scene)
    for turn in range(7):
        scene.do(awaits("1" if turn % 2 == 0 else "9"))
        scene.do(report(f"{turn}", label=label))
        scene.do(c.Cancel(ticket=scene.ticket(scene.issue("pickup")).id))
        assert scene.next("9") == label
        if turn % 2:
            scene.transfer("9", "general", "1")
            scene.next("1")
    assert scene.refused(awaits("9")) is Code.TOO_MANY_LEGS


def test_a_visitor_awaiting_a_result_may_come_for_something_else(scene: Scene) -> None:
    scene.do(issue("general", visitor="li", track="a"))
    scene.next("1")
    scene.do(awaits())
    scene.do(issue("general", visitor="li", track="b"))
    assert scene.refused(take_pickup(visitor="li")) is Code.RESULT_NOT_READY


def test_a_hall_without_a_pickup_service_says_so() -> None:
    scene = Scene(open_windows=["1"])
    label = called(scene)
    assert scene.refused(awaits()) is Code.NO_PICKUP
    assert scene.refused(awaits(pickup="none")) is Code.SERVICE_NOT_FOUND
    assert scene.refused(report("330-1")) is Code.NO_PICKUP
    scene.do(awaits(pickup="social"))
    assert scene.ticket(label).service == "social"


def test_the_pickup_is_that_of_the_same_unit_and_the_nearest_zone() -> None:
    far, near, own = ("pickup-far", "X"), ("pickup-near", "Y"), ("pickup-own", "Z")
    plan = replace(
        PLAN,
        tenants=(Tenant(id=TenantId("city"), name={"zh": "市"}),),
        zones=(*PLAN.zones, Zone(id=ZoneId("pickup"), name={"zh": "出件"})),
        services=(
            *PLAN.services,
            a_service(*far, "pickup", kind=ServiceKind.PICKUP),
            a_service(*near, kind=ServiceKind.PICKUP),
            a_service(*own, "pickup", kind=ServiceKind.PICKUP, tenant=TenantId("city")),
            a_service("city-matter", "Q", tenant=TenantId("city")),
        ),
        windows=(*PLAN.windows, a_window("7", "city-matter")),
    )
    scene = Scene(plan, open_windows=["1", "2", "3", "7"])
    found = {}
    for no, service in (("1", "general"), ("3", "tax"), ("7", "city-matter")):
        label = called(scene, no, service)
        scene.do(awaits(no))
        found[service] = scene.ticket(label).service
    assert found == {"general": "pickup-near", "tax": "pickup-far", "city-matter": "pickup-own"}


def test_the_same_events_give_the_same_hall(scene: Scene) -> None:
    """A day of chance, refused or not, read again from what is stored."""
    dice = Random(7)
    for turn in range(400):
        no, label = dice.choice(["1", "2", "9"]), dice.choice([*scene.state.labels, Label("A999")])
        id_ = scene.state.labels.get(label, TicketId("none"))
        commands: list[c.Command] = [
            issue(dice.choice(["general", "pickup"]), visitor=dice.choice([None, "li", "wang"]), track=f"t{turn}"),
            take_pickup(f"{dice.randrange(9)}"),
            *[c.CallNext(window=WindowNo(no), finish=dice.random() < 0.5)] * 3,
            c.StartServing(window=WindowNo(no)),
            notice(no, away=dice.random() < 0.7),
            *[awaits(no, dice.choice(["", f"{dice.randrange(9)}"]))] * 2,
            report(f"{dice.randrange(9)}", label=label),
            report(f"{dice.randrange(9)}", visitor="li"),
            *[c.ComeBack(ticket=it) for it in scene.window(no).away],
            c.NoteCaseNumber(ticket=id_, case_number=f"{dice.randrange(9)}"),
            c.CallTicket(window=WindowNo(no), label=label, reason="asked"),
            c.Hold(window=WindowNo(no)),
            c.Finish(window=WindowNo(no)),
            c.Cancel(ticket=id_),
        ]
        before = deepcopy(scene.state)
        try:
            scene.do(dice.choice(commands))
        except Refusal:
            assert scene.state == before
        scene.now_ms += dice.randrange(MIN)
        away = [id_ for window in scene.state.windows.values() for id_ in window.away]
        assert sorted(away) == sorted(it.id for it in scene.state.tickets.values() if it.status is AWAY)
        for it in scene.state.tickets.values():
            assert (it.status is AWAY) == (it.away_for is not None) == (it.away_ms is not None)
    assert {"NoticeGiven", "ResultAwaited", "TicketBack", "CaseNumberNoted"} <= {
        type(event).__name__ for _, event in scene.past
    }
    again = HallState()
    for at_ms, event in scene.past:
        commit = Commit(hall=HALL.hall, seq=1, at_ms=at_ms, day="", actor=CLOCK, events=(event,))
        body = codec.encode(commit)
        (stored,) = codec.decode(body, prev_hash=GENESIS, hash_=codec.chain(GENESIS, body)).events
        evolve(again, stored, at_ms=at_ms)
    assert again == scene.state
