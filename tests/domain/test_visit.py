"""A visit after the call: recall, start, finish, missed, no-show, return, hold, transfer, cancel, rating."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from server.domain.terms import DeviceId, Label, ServiceId, TicketId, TicketStatus, WindowNo
from tests.domain.halls import PLAN, Scene, issue, transfer

ONE, TWO, THREE = WindowNo("1"), WindowNo("2"), WindowNo("3")


def called(*, waiting: int = 0) -> Scene:
    """Play: windows 1 and 2 are open, A001 is called to window 1, `waiting` more wait."""
    scene = Scene(open_windows=["1", "2"])
    for _ in range(waiting + 1):
        scene.issue()
    scene.wait(5)
    scene.next("1")
    return scene


def test_recall_announces_again_and_moves_nobody() -> None:
    scene = called(waiting=2)
    order = scene.order_at("2")
    (event,) = scene.do(c.Recall(window=ONE))
    assert isinstance(event, e.TicketRecalled)
    assert event.call_count == 2
    assert scene.status("A001") is TicketStatus.CALLED
    assert scene.order_at("2") == order


def test_recalls_end_at_the_limit() -> None:
    scene = called()
    for _ in range(PLAN.recalls_max):
        scene.do(c.Recall(window=ONE))
    assert scene.refused(c.Recall(window=ONE)) is Code.RECALL_LIMIT


@pytest.mark.parametrize("way", ["return", "missed", "hold"])
def test_each_new_call_has_its_own_recalls(way: str) -> None:
    scene = called()
    for _ in range(PLAN.recalls_max):
        scene.do(c.Recall(window=ONE))
    match way:
        case "return":
            scene.do(c.ReturnTicket(window=ONE))
            scene.next("1")
        case "missed":
            scene.do(c.MarkMissed(window=ONE))
            scene.do(c.Reinstate(ticket=scene.ticket("A001").id))
            scene.next("1")
        case _:
            scene.do(c.Hold(window=ONE))
            scene.do(c.Resume(window=ONE))
    assert scene.ticket("A001").call_count == 1
    scene.do(c.Recall(window=ONE))


def test_walking_and_serving_are_told_apart() -> None:
    scene = called()
    scene.wait(2)
    (started,) = scene.do(c.StartServing(window=ONE))
    assert isinstance(started, e.ServingStarted)
    assert started.walk_s == 120
    scene.wait(7)
    assert scene.finish("1").serve_s == 420


def test_without_start_the_service_counts_from_the_call() -> None:
    scene = called()
    scene.wait(3)
    assert scene.finish("1").serve_s == 180


def test_time_on_hold_and_the_way_back_are_no_service() -> None:
    scene = called()
    scene.start("1")
    scene.wait(4)
    scene.do(c.Hold(window=ONE, reason="fetching a copy"))
    scene.wait(30)
    scene.do(c.Resume(window=ONE))
    scene.wait(2)
    scene.start("1")
    scene.wait(6)
    event = scene.finish("1")
    assert (event.serve_s, event.hold_s) == (600, 32 * 60)


def test_a_visit_finished_while_on_hold_counts_the_service_before() -> None:
    scene = called()
    scene.start("1")
    scene.wait(4)
    scene.do(c.Hold(window=ONE))
    scene.wait(30)
    (event,) = scene.do(c.Finish(window=ONE, ticket=scene.ticket("A001").id))
    assert isinstance(event, e.TicketFinished)
    assert (event.serve_s, event.hold_s) == (240, 1800)


def test_waiting_again_after_a_return_is_no_service() -> None:
    scene = called()
    scene.start("1")
    scene.do(c.Hold(window=ONE))
    scene.do(c.Resume(window=ONE))
    scene.do(c.ReturnTicket(window=ONE))
    assert scene.ticket("A001").started_ms is None
    scene.wait(40)
    scene.next("1")
    scene.start("1")
    scene.wait(5)
    assert scene.finish("1").serve_s == 300


def test_a_window_holds_several_and_calls_back_who_was_held_longest() -> None:
    scene = called(waiting=2)
    for _ in range(2):
        scene.do(c.Hold(window=ONE))
        scene.next("1")
    assert [scene.state.tickets[it].label for it in scene.window("1").held] == ["A001", "A002"]
    assert scene.refused(c.Resume(window=ONE)) is Code.WINDOW_BUSY
    scene.finish("1")
    (event,) = scene.do(c.Resume(window=ONE))
    assert isinstance(event, e.TicketResumed)
    assert event.label == "A001"
    scene.finish("1")
    scene.do(c.Resume(window=ONE, ticket=scene.ticket("A002").id))
    assert scene.window("1").held == []


def test_only_the_holding_window_calls_back() -> None:
    scene = called()
    scene.do(c.Hold(window=ONE))
    held = scene.ticket("A001").id
    assert scene.refused(c.Resume(window=TWO, ticket=held)) is Code.TICKET_ELSEWHERE
    assert scene.refused(c.Resume(window=TWO)) is Code.ILLEGAL_MOVE
    assert scene.refused(c.CallTicket(window=TWO, ticket=held, reason="x")) is Code.ILLEGAL_MOVE


def test_a_held_visit_survives_the_closing_of_its_window() -> None:
    scene = called()
    scene.do(c.Hold(window=ONE))
    scene.do(c.CloseWindow(window=ONE))
    assert scene.refused(c.Resume(window=ONE)) is Code.WINDOW_CLOSED
    scene.open("1")
    scene.do(c.Resume(window=ONE))


@pytest.mark.parametrize(("place", "order"), [("front", 0), ("end", 3), ("by_arrival", 1)])
def test_a_transferred_visitor_joins_at_the_asked_place(place: str, order: int) -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.issue("social")
    label = scene.issue("general")
    waiting = ["C001", scene.issue("social"), scene.issue("social")]
    scene.wait(1)
    scene.next("1")
    scene.transfer("1", "social", place=place)
    waiting.insert(order, label)
    assert scene.order_at("2") == waiting


def test_transfer_keeps_label_and_arrival() -> None:
    scene = called()
    before = scene.ticket("A001")
    issued_ms, id_ = before.issued_ms, before.id
    scene.wait(9)
    scene.transfer("1", "tax", place="end")
    after = scene.ticket("A001")
    assert (after.id, after.issued_ms, after.service, after.zone) == (id_, issued_ms, "tax", "tax")


def test_a_front_transfer_goes_before_everybody_of_its_class_again_and_again() -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.issue("social")
    first, second = scene.issue(), scene.issue()
    for _ in range(2):
        scene.next("1")
        scene.transfer("1", "social", place="front")
    assert scene.order_at("2") == [second, first, "C001"]


def test_a_transfer_never_goes_straight_back() -> None:
    scene = called()
    assert scene.refused(transfer("1")) is Code.NO_TARGET
    assert scene.refused(transfer("1", "general")) is Code.NO_TARGET
    assert scene.refused(transfer("1", to="1")) is Code.NO_TARGET
    assert scene.refused(transfer("1", "passport")) is Code.SERVICE_NOT_FOUND
    assert scene.refused(transfer("1", to="99")) is Code.WINDOW_NOT_FOUND
    assert scene.refused(transfer("1", to="3")) is Code.SERVICE_NOT_SERVED
    scene.transfer("1", to="2")
    assert scene.order_at("1") == []
    assert scene.order_at("2") == ["A001"]


def test_a_visitor_transferred_to_a_window_is_called_there_only() -> None:
    scene = called()
    scene.open("3")
    scene.open("4")
    scene.transfer("1", "tax", to="4")
    assert scene.order_at("3") == []
    assert scene.order_at("4") == ["A001"]


def test_a_held_visit_can_be_sent_on() -> None:
    scene = called()
    scene.do(c.Hold(window=ONE))
    scene.do(replace(transfer("1", "social"), ticket=scene.ticket("A001").id))
    assert scene.window("1").held == []
    assert scene.order_at("2") == ["A001"]


def test_called_by_mistake_goes_back_to_the_old_place() -> None:
    scene = called(waiting=3)
    scene.next("2")
    scene.do(c.ReturnTicket(window=ONE, reason="pressed twice"))
    assert scene.order_at("1") == ["A001", "A003", "A004"]


def test_a_missed_visitor_is_reinstated_behind_the_next_three() -> None:
    scene = called(waiting=5)
    scene.do(c.MarkMissed(window=ONE))
    assert scene.window("1").missed == [scene.ticket("A001").id]
    scene.do(c.Reinstate(ticket=scene.ticket("A001").id))
    assert scene.window("1").missed == []
    assert scene.order_at("1") == ["A002", "A003", "A004", "A001", "A005", "A006"]


def test_with_fewer_than_three_waiting_a_reinstated_visitor_is_last() -> None:
    scene = called(waiting=2)
    scene.do(c.MarkMissed(window=ONE))
    scene.do(c.Reinstate(ticket=scene.ticket("A001").id))
    assert scene.order_at("1") == ["A002", "A003", "A001"]


def test_a_visitor_is_reinstated_once() -> None:
    scene = called()
    for _ in range(2):
        scene.do(c.MarkMissed(window=ONE))
        if scene.ticket("A001").reinstated:
            break
        scene.do(c.Reinstate(ticket=scene.ticket("A001").id))
        scene.next("1")
    assert scene.refused(c.Reinstate(ticket=scene.ticket("A001").id)) is Code.REINSTATE_LIMIT


def test_a_missed_visitor_can_be_called_out_of_turn_at_another_window() -> None:
    scene = called()
    scene.do(c.MarkMissed(window=ONE))
    scene.do(c.CallTicket(window=TWO, label=Label("A001"), reason="is at the window"))
    assert scene.window("1").missed == []
    assert scene.window("2").current == scene.ticket("A001").id


def test_a_no_show_ends_the_visit_and_frees_the_window() -> None:
    scene = called(waiting=1)
    scene.do(c.MarkNoShow(window=ONE))
    assert scene.status("A001") is TicketStatus.NO_SHOW
    assert scene.next("1") == "A002"
    assert scene.state.zones[scene.ticket("A001").zone].no_show == 1


def _waiting(scene: Scene) -> None:
    scene.do(c.ReturnTicket(window=ONE))


def _called(scene: Scene) -> None:
    assert scene.status("A001") is TicketStatus.CALLED


def _held(scene: Scene) -> None:
    scene.do(c.Hold(window=ONE))


def _missed(scene: Scene) -> None:
    scene.do(c.MarkMissed(window=ONE))


@pytest.mark.parametrize("given", [_waiting, _called, _held, _missed])
def test_a_visit_can_be_cancelled_until_it_is_served(given: Callable[[Scene], None]) -> None:
    scene = called()
    given(scene)
    scene.do(c.Cancel(ticket=scene.ticket("A001").id, reason="gave up"))
    window = scene.window("1")
    assert scene.status("A001") is TicketStatus.CANCELLED
    assert (window.current, window.held, window.missed, scene.state.lanes) == (None, [], [], {})


def test_a_visit_being_served_or_over_cannot_be_cancelled() -> None:
    scene = called()
    scene.start("1")
    assert scene.refused(c.Cancel(ticket=scene.ticket("A001").id)) is Code.ILLEGAL_MOVE
    scene.finish("1")
    assert scene.refused(c.Cancel(ticket=scene.ticket("A001").id)) is Code.ILLEGAL_MOVE
    assert scene.refused(c.Cancel(ticket=TicketId("20260302-Z999"))) is Code.TICKET_NOT_FOUND


def test_a_ticket_at_another_window_is_not_ours() -> None:
    scene = called()
    ticket = scene.ticket("A001").id
    commands: list[c.TicketMove] = [
        c.Recall(window=TWO, ticket=ticket),
        c.StartServing(window=TWO, ticket=ticket),
        c.Finish(window=TWO, ticket=ticket),
        c.MarkMissed(window=TWO, ticket=ticket),
        c.MarkNoShow(window=TWO, ticket=ticket),
        c.ReturnTicket(window=TWO, ticket=ticket),
        c.Hold(window=TWO, ticket=ticket),
        replace(transfer("2", "social"), ticket=ticket),
    ]
    assert {scene.refused(it) for it in commands} == {Code.TICKET_ELSEWHERE}
    without = [replace(it, ticket=None) for it in commands]
    assert {scene.refused(it) for it in without} == {Code.ILLEGAL_MOVE}
    unknown = [replace(it, window=WindowNo("99"), ticket=None) for it in commands]
    assert {scene.refused(it) for it in unknown} == {Code.WINDOW_NOT_FOUND}


def test_a_visit_is_rated_once_and_only_when_finished() -> None:
    scene = called()
    rate = c.Rate(ticket=scene.ticket("A001").id, grade=5)
    assert scene.refused(rate) is Code.ILLEGAL_MOVE
    scene.finish("1")
    assert scene.ticket("A001").grade is None  # not pressed is unrated, never "good"
    assert {scene.refused(replace(rate, grade=it)) for it in (0, 6, -1)} == {Code.GRADE_UNKNOWN}
    (event,) = scene.do(rate)
    assert isinstance(event, e.TicketRated)
    assert (event.window, event.clerk, event.grade) == ("1", "clerk-1", 5)
    assert scene.refused(rate) is Code.ALREADY_RATED


def test_a_grade_on_the_pad_belongs_to_the_visit_finished_last() -> None:
    scene = called(waiting=1)
    assert scene.refused(c.RateAtWindow(window=ONE, grade=3)) is Code.ILLEGAL_MOVE
    scene.finish("1")
    scene.next("1")
    scene.do(c.RateAtWindow(window=ONE, grade=3))
    assert scene.ticket("A001").grade == 3
    assert scene.refused(c.RateAtWindow(window=ONE, grade=4)) is Code.ALREADY_RATED


def test_a_tablet_grades_the_visit_it_asked_about_and_no_other() -> None:
    scene = called(waiting=1)
    first = scene.ticket("A001").id
    assert scene.refused(c.RateAtWindow(window=ONE, grade=3, ticket=first)) is Code.RATING_OVER
    scene.finish("1")
    scene.next("1")
    scene.finish("1")
    assert scene.refused(c.RateAtWindow(window=ONE, grade=3, ticket=first)) is Code.RATING_OVER
    second = scene.ticket("A002").id
    scene.do(c.RateAtWindow(window=ONE, grade=3, ticket=second))
    assert (scene.ticket("A001").grade, scene.ticket("A002").grade) == (None, 3)
    assert scene.refused(c.RateAtWindow(window=ONE, grade=4, ticket=second)) is Code.ALREADY_RATED


def test_a_tablet_grades_within_the_time_of_the_hall() -> None:
    scene = called()
    scene.finish("1")
    ticket = scene.ticket("A001").id
    in_time = c.RateAtWindow(window=ONE, grade=3, ticket=ticket)
    scene.wait(2)
    again = deepcopy(scene)
    scene.wait(0.1)
    assert scene.refused(in_time) is Code.RATING_OVER
    again.do(in_time)
    scene.do(c.RateAtWindow(window=ONE, grade=3))  # a pad asks when it is told to, and tells by itself when it is over


def test_a_visit_can_still_be_rated_after_the_day_has_closed() -> None:
    scene = called()
    scene.finish("1")
    scene.do(c.CloseDay())
    scene.do(c.Rate(ticket=scene.ticket("A001").id, grade=4))


def test_a_reprint_names_the_kiosk_that_gave_the_number() -> None:
    scene = Scene()
    scene.do(replace(issue("general"), kiosk=DeviceId("kiosk-1")))
    ticket = scene.ticket("A001").id
    for kiosk, where in ((None, "kiosk-1"), (DeviceId("desk"), "desk")):
        (event,) = scene.do(c.Reprint(ticket=ticket, kiosk=kiosk))
        assert isinstance(event, e.ReprintRequested)
        assert (event.label, event.kiosk) == ("A001", where)


def test_what_a_service_serves_next_door_does_not_matter_to_a_bound_visit() -> None:
    scene = called()
    scene.transfer("1", to="2")
    scene.do(c.AssignServices(window=TWO, serves=(ServiceId("social"),)))
    assert scene.next("2") == "A001"
