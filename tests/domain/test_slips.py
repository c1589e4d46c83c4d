"""Taking back the last move at a window (撤销): what it restores, and when it is refused."""

from copy import deepcopy
from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.learning import Record
from server.domain.lifecycle import UNDOABLE, Move
from server.domain.refusals import Code
from server.domain.slips import UNDOABLE as EVENTS
from server.domain.slips import WITHIN_MS, standing
from server.domain.state import HallState
from server.domain.terms import (
    Label,
    PauseReason,
    ServiceId,
    ServiceKind,
    TicketId,
    TicketStatus,
    WindowNo,
    WorkId,
    ZoneId,
)
from tests.domain.halls import PLAN, Scene, a_service

ONE, TWO = WindowNo("1"), WindowNo("2")
UNDO = c.Undo(window=ONE)
SLIPS: dict[Move, c.TicketMove] = {
    Move.START: c.StartServing(window=ONE),
    Move.FINISH: c.Finish(window=ONE),
    Move.MISS: c.MarkMissed(window=ONE),
    Move.NO_SHOW: c.MarkNoShow(window=ONE),
    Move.RETURN: c.ReturnTicket(window=ONE),
    Move.HOLD: c.Hold(window=ONE, reason="copies"),
}


def called() -> tuple[Scene, Label]:
    """Give a hall in which the second visitor of the day was called to window 1, and a third waits."""
    scene = Scene(open_windows=["1", "2"])
    scene.issue()
    label = scene.issue()
    scene.issue()
    scene.next("1")
    scene.start("1")
    scene.wait(5)
    scene.next("1", finish=True)
    scene.wait(1)
    return scene, label


def plain(state: HallState) -> HallState:
    """Give a state to compare: sums of what was learned may differ by a rounding, an empty record is none."""
    found = deepcopy(state)
    found.last_ms = 0
    learned = found.learned

    def rounded(record: Record) -> Record:
        return Record(count=round(record.count, 6), total=round(record.total, 6))

    for name in ("serve_s", "no_shows", "paces"):
        records = getattr(learned, name)
        setattr(learned, name, {id_: rounded(it) for id_, it in records.items() if round(it.count, 6)})
    learned.relief, learned.lost_s = rounded(learned.relief), rounded(learned.lost_s)
    for window in found.windows.values():
        window.slip = None
    for ticket in found.tickets.values():
        ticket.events = 0
    return found


@pytest.mark.parametrize("move", UNDOABLE)
@pytest.mark.parametrize("started", [False, True])
def test_a_move_that_is_taken_back_has_never_been(move: Move, started: bool) -> None:
    scene, label = called()
    if started and move in (Move.FINISH, Move.HOLD):
        scene.start("1")
        scene.wait(3)
    before = deepcopy(scene.state)
    scene.do(SLIPS[move])
    scene.now_ms += 4_000
    (event,) = scene.do(UNDO)
    assert isinstance(event, e.MoveUndone)
    assert (event.label, event.undone) == (label, move)
    assert event.status is scene.status(label) is before.tickets[event.ticket].status
    assert plain(scene.state) == plain(before)


def test_the_table_of_what_may_be_taken_back_is_the_one_of_the_events() -> None:
    assert set(EVENTS.values()) == set(UNDOABLE) == set(SLIPS)


@pytest.mark.parametrize("move", UNDOABLE)
def test_after_some_seconds_it_is_over(move: Move) -> None:
    scene, _ = called()
    scene.do(SLIPS[move])
    scene.now_ms += WITHIN_MS + 1
    assert scene.refused(UNDO) is Code.UNDO_OVER


@pytest.mark.parametrize("move", [it for it in UNDOABLE if it is not Move.START])
def test_not_when_somebody_else_was_called(move: Move) -> None:
    scene, _ = called()
    scene.do(SLIPS[move])
    scene.next("1")
    assert scene.refused(UNDO) is Code.UNDO_OVER
    scene.do(c.Cancel(ticket=scene.window("1").current or TicketId("")))  # who was called then has been called
    assert scene.refused(UNDO) is Code.UNDO_OVER


def test_finished_together_with_a_call_stays_finished() -> None:
    scene, label = called()
    scene.next("1", finish=True)
    assert scene.refused(UNDO) is Code.UNDO_OVER
    assert scene.status(label) is TicketStatus.FINISHED


def test_not_when_another_window_has_called_the_visitor() -> None:
    scene, label = called()
    scene.do(SLIPS[Move.RETURN])
    assert scene.next("2") == label
    assert scene.refused(UNDO) is Code.UNDO_OVER


def test_not_when_the_visitor_has_graded_or_come_back() -> None:
    scene, label = called()
    scene.do(SLIPS[Move.FINISH])
    scene.do(c.Rate(ticket=scene.ticket(label).id, grade=5))
    assert scene.refused(UNDO) is Code.UNDO_OVER
    scene, label = called()
    scene.do(SLIPS[Move.MISS])
    scene.do(c.Reinstate(ticket=scene.ticket(label).id))
    assert scene.refused(UNDO) is Code.UNDO_OVER


def test_not_at_a_window_that_has_paused_closed_or_changed_hands() -> None:
    for since in (
        c.PauseWindow(window=ONE, reason=PauseReason.LUNCH),
        c.CloseWindow(window=ONE),
        c.HandOver(window=ONE, clerk=WorkId("clerk-9")),
    ):
        scene, _ = called()
        scene.do(SLIPS[Move.MISS])
        scene.do(since)
        assert scene.refused(UNDO) is Code.UNDO_OVER


def test_only_once_and_only_the_named_visitor() -> None:
    scene, label = called()
    assert scene.refused(c.Undo(window=TWO)) is Code.UNDO_OVER
    scene.do(SLIPS[Move.MISS])
    assert scene.refused(replace(UNDO, ticket=TicketId("other"))) is Code.UNDO_OVER
    scene.do(replace(UNDO, ticket=scene.ticket(label).id))
    assert scene.refused(UNDO) is Code.UNDO_OVER


def test_a_leg_a_transfer_and_a_choice_from_a_list_stay() -> None:
    scene, label = called()
    scene.do(c.PlanLegs(ticket=scene.ticket(label).id, services=(ServiceId("social"),)))
    scene.do(SLIPS[Move.FINISH])
    assert scene.refused(UNDO) is Code.UNDO_OVER
    scene, _ = called()
    scene.transfer("1", "social")
    assert scene.refused(UNDO) is Code.UNDO_OVER
    scene, label = called()
    scene.do(SLIPS[Move.HOLD])
    scene.now_ms += WITHIN_MS + 1
    scene.do(c.MarkNoShow(window=ONE, ticket=scene.ticket(label).id))
    assert scene.refused(UNDO) is Code.UNDO_OVER


def test_a_result_that_was_collected_by_mistake_is_on_the_list_again() -> None:
    pickup = a_service("general", "A", kind=ServiceKind.PICKUP)
    plan = replace(PLAN, services=(pickup, *PLAN.services[1:]))
    scene = Scene(plan, open_windows=["1"])
    scene.do(c.ReportResult(case_number="C-1", pickup=ServiceId("general")))
    label = scene.issue()
    scene.do(c.NoteCaseNumber(ticket=scene.ticket(label).id, case_number="C-1"))
    scene.next("1")
    before = deepcopy(scene.state.results)
    assert list(before) == ["C-1"]
    scene.do(SLIPS[Move.FINISH])
    assert scene.state.results == {}
    scene.do(UNDO)
    assert scene.state.results == before


@pytest.mark.parametrize("move", [Move.FINISH, Move.NO_SHOW])
@pytest.mark.parametrize("zone", [None, "upstairs"])
def test_a_visit_whose_service_was_dropped_or_moved_meanwhile_is_not_put_back(move: Move, zone: str | None) -> None:
    scene, label = called()
    scene.do(SLIPS[move])
    for ticket in [it for it in scene.state.tickets.values() if it.status is TicketStatus.WAITING]:
        scene.do(c.Cancel(ticket=ticket.id, reason="test"))
    service = scene.ticket(label).service
    kept = tuple(it for it in PLAN.services if it.id != service)
    moved = () if zone is None else (replace(PLAN.service[service], zone=ZoneId(zone)),)
    zones = (*PLAN.zones, replace(PLAN.zones[0], id=ZoneId("upstairs")))
    scene.do(c.PlanHall(plan=replace(PLAN, services=(*moved, *kept), zones=zones, digest="other")))
    assert standing(scene.state, ONE) is None
    assert scene.refused(UNDO) is Code.UNDO_OVER
