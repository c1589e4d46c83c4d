"""Taking back a slip of the finger (撤销): the last move at a window, within seconds, if nothing happened since.

What may be taken back are the moves that only the hall's rules have heard of: started, finished, missed, no-show,
returned, held (`lifecycle.UNDOABLE`). Not a call, which everybody has heard: for that there is `ReturnTicket`. Not a
transfer, a notice, a leg or an awaited result: another queue, a printer or the back office has it. A visit finished
together with the next call stays finished: somebody else stands at the window.

Nothing is erased: the move and `MoveUndone` both stay in the ledger, with who did them. The visit is put back as it
was, with its times, and what was counted and learned from the move is taken back, so that figures show what is true.
"""

from collections.abc import Mapping

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import window_at
from server.domain.lifecycle import AT_WINDOW, Move
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState, Slip, leave_window
from server.domain.terms import UNDO_S, WindowNo

ON_THE_WAY_S = 3  # a press in the last moment still has to come here
WITHIN_MS = (UNDO_S + ON_THE_WAY_S) * 1000
UNDOABLE: Mapping[type[e.Event], Move] = {
    e.ServingStarted: Move.START,
    e.TicketFinished: Move.FINISH,
    e.TicketMissed: Move.MISS,
    e.NoShowRecorded: Move.NO_SHOW,
    e.TicketReturned: Move.RETURN,
    e.TicketHeld: Move.HOLD,
}
Undoable = e.ServingStarted | e.TicketFinished | e.TicketMissed | e.NoShowRecorded | e.TicketReturned | e.TicketHeld


def decide(state: HallState, command: c.Undo, now_ms: int) -> e.MoveUndone:
    """Give the event that takes the last move of a window back.

    Raises:
        Refusal: there is none, its time is over, or something has happened since.
    """
    window = window_at(state, command.window)
    slip = standing(state, command.window)
    if slip is None or command.ticket not in (None, slip.ticket) or now_ms - slip.at_ms > WITHIN_MS:
        raise Refusal(Code.UNDO_OVER, window=window.no, count=str(UNDO_S))
    return e.MoveUndone(
        ticket=slip.ticket,
        label=state.tickets[slip.ticket].label,
        window=command.window,
        undone=slip.move,
        status=slip.status,
        call_count=slip.call_count,
    )


def standing(state: HallState, no: WindowNo) -> Slip | None:
    """Give the last move of a window if nothing has happened since to the visit or the window; its time may be over.

    Other settings may have come meanwhile: a visit whose service they dropped or moved could not be finished again.
    """
    window = state.windows[no]
    slip = window.slip
    if slip is None or window.paused is not None or window.clerk is None or window.clerk != slip.clerk:
        return None
    ticket = state.tickets.get(slip.ticket)
    at_window = window.current == slip.ticket if slip.move is Move.START else window.current is None
    if ticket is None or not at_window or ticket.events != slip.events or ticket.window not in (None, no):
        return None
    service = state.plan.service.get(ticket.service)
    return slip if service is not None and service.zone == ticket.zone else None


def begin(state: HallState, event: e.Event, at_ms: int) -> Slip | None:
    """Give what must be known to take an event back, before it is folded; None when it is none of those."""
    if not isinstance(event, Undoable):
        return None
    ticket, window = state.tickets[event.ticket], state.windows[event.window]
    if ticket.window != event.window or ticket.status not in AT_WINDOW:
        return None  # from a list: there somebody chose whom
    return Slip(
        move=UNDOABLE[type(event)],
        at_ms=at_ms,
        window=event.window,
        ticket=ticket.id,
        clerk=ticket.clerk,
        events=ticket.events,
        status=ticket.status,
        contact=ticket.contact,
        started_ms=ticket.started_ms,
        held_ms=ticket.held_ms,
        hold_total_ms=ticket.hold_total_ms,
        missed_ms=ticket.missed_ms,
        finished_ms=ticket.finished_ms,
        call_count=ticket.call_count,
        reason=ticket.reason,
        since_ms=window.since_ms,
        last_finished=window.last_finished,
        serve_s=event.serve_s if isinstance(event, e.TicketFinished) else 0,
    )


def evolve(state: HallState, event: e.MoveUndone, *, at_ms: int) -> None:
    """Put the visit back as it was."""
    window = state.windows[event.window]
    slip, window.slip = window.slip, None
    if slip is None:
        raise AssertionError(f"{event.label} was put back at window {event.window}, which remembers no move")
    ticket = leave_window(state, event.ticket, slip.status, at_ms)
    ticket.window, ticket.clerk, ticket.contact = event.window, slip.clerk, slip.contact
    ticket.started_ms, ticket.held_ms, ticket.hold_total_ms = slip.started_ms, slip.held_ms, slip.hold_total_ms
    ticket.missed_ms, ticket.finished_ms = slip.missed_ms, slip.finished_ms
    ticket.call_count, ticket.reason = slip.call_count, slip.reason
    window.current, window.since_ms = event.ticket, slip.since_ms
    for lesson in slip.lessons:
        state.learned.unlearn(lesson)
    if slip.move is Move.FINISH:
        window.last_finished = slip.last_finished
        window.served_today -= 1
        window.busy_s_today -= slip.serve_s
        state.zones[ticket.zone].finished -= 1
        state.results |= {it.case_number: it for it in slip.results}
    elif slip.move is Move.NO_SHOW:
        state.zones[ticket.zone].no_show -= 1
