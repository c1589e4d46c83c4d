"""The table of legal moves is what `decide` allows and what `evolve` does, for every status and every move."""

import pytest

from scripts.draw_lifecycle import PAGE, page
from server.domain import commands as c
from server.domain.lifecycle import FINAL, MOVES, Move, is_legal
from server.domain.refusals import Code
from server.domain.terms import ServiceId, TicketId, TicketStatus, WindowNo
from tests.domain.halls import Scene

ONE = WindowNo("1")


def ask(move: Move, ticket: TicketId) -> c.Command:
    """Give the command that makes a move at window 1."""
    commands: dict[Move, c.Command] = {
        Move.CALL: c.CallTicket(window=WindowNo("2"), ticket=ticket, reason="test"),
        Move.RECALL: c.Recall(window=ONE, ticket=ticket),
        Move.START: c.StartServing(window=ONE, ticket=ticket),
        Move.FINISH: c.Finish(window=ONE, ticket=ticket),
        Move.NEXT_LEG: c.Finish(window=ONE, ticket=ticket, next=ServiceId("social")),
        Move.PLAN_LEGS: c.PlanLegs(ticket=ticket, services=(ServiceId("social"),)),
        Move.MISS: c.MarkMissed(window=ONE, ticket=ticket),
        Move.REINSTATE: c.Reinstate(ticket=ticket),
        Move.NO_SHOW: c.MarkNoShow(window=ONE, ticket=ticket),
        Move.RETURN: c.ReturnTicket(window=ONE, ticket=ticket),
        Move.HOLD: c.Hold(window=ONE, ticket=ticket),
        Move.SEND_AWAY: c.GiveNotice(window=ONE, ticket=ticket, items=("photo",), away=True),
        Move.COME_BACK: c.ComeBack(ticket=ticket),
        Move.NOTICE: c.GiveNotice(window=ONE, ticket=ticket, items=("photo",)),
        Move.RESUME: c.Resume(window=ONE, ticket=ticket),
        Move.TRANSFER: c.Transfer(window=ONE, ticket=ticket, service=ServiceId("social")),
        Move.CANCEL: c.Cancel(ticket=ticket),
        Move.REPRINT: c.Reprint(ticket=ticket),
        Move.RATE: c.Rate(ticket=ticket, grade=5),
    }
    return commands[move]


WAY = {
    TicketStatus.WAITING: (),
    TicketStatus.CALLED: (Move.CALL,),
    TicketStatus.SERVING: (Move.CALL, Move.START),
    TicketStatus.HELD: (Move.CALL, Move.HOLD),
    TicketStatus.MISSED: (Move.CALL, Move.MISS),
    TicketStatus.AWAY: (Move.CALL, Move.SEND_AWAY),
    TicketStatus.FINISHED: (Move.CALL, Move.FINISH),
    TicketStatus.NO_SHOW: (Move.CALL, Move.NO_SHOW),
    TicketStatus.CANCELLED: (Move.CALL, Move.CANCEL),
}


def given(status: TicketStatus) -> tuple[Scene, TicketId]:
    """Play until a ticket stands there (waiting ones apart, at window 1)."""
    scene = Scene(open_windows=["1", "2"])
    ticket = scene.ticket(scene.issue()).id
    if status is TicketStatus.EXPIRED:
        scene.do(c.CloseDay())
        return scene, ticket
    for move in WAY[status]:
        scene.do(c.CallNext(window=ONE) if move is Move.CALL else ask(move, ticket))
    assert scene.state.tickets[ticket].status is status
    return scene, ticket


@pytest.mark.parametrize("status", TicketStatus)
@pytest.mark.parametrize("move", [it for it in Move if it is not Move.EXPIRE])
def test_a_move_leads_where_the_table_says_or_is_refused(status: TicketStatus, move: Move) -> None:
    scene, ticket = given(status)
    after = MOVES.get((status, move))
    if after is not None:
        if move is Move.NEXT_LEG:
            scene.do(ask(Move.PLAN_LEGS, ticket))
        scene.do(ask(move, ticket))
        assert scene.state.tickets[ticket].status is after
    elif status is TicketStatus.EXPIRED and move is not Move.RATE:
        assert scene.refused(ask(move, ticket)) is Code.HALL_CLOSED
    elif move is Move.RESUME and scene.window("1").current:
        assert scene.refused(ask(move, ticket)) is Code.WINDOW_BUSY
    else:
        assert scene.refused(ask(move, ticket)) is Code.ILLEGAL_MOVE


@pytest.mark.parametrize("status", TicketStatus)
def test_every_open_ticket_expires_with_the_day_and_no_other(status: TicketStatus) -> None:
    scene, ticket = given(status)
    if status is not TicketStatus.EXPIRED:
        scene.do(c.CloseDay())
    expected = TicketStatus.EXPIRED if is_legal(status, Move.EXPIRE) else status
    assert scene.state.tickets[ticket].status is expected


def test_final_is_final() -> None:
    assert {(status, move) for status, move in MOVES if status in FINAL} == {(TicketStatus.FINISHED, Move.RATE)}
    assert {status for status in TicketStatus if (status, Move.EXPIRE) not in MOVES} == FINAL


def test_every_status_can_be_reached_and_left() -> None:
    reached = {after for (before, _), after in MOVES.items() if before is not after} | {TicketStatus.WAITING}
    assert reached == set(TicketStatus)


def test_the_page_shows_the_table_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m scripts.draw_lifecycle"
