"""Taking back a slip of the finger (撤销): the last move at a window, within seconds, if nothing happened since.

What may be taken back are the moves that only the hall's rules have heard of: started, finished, missed, no-show,
returned, held (`lifecycle.UNDOABLE`). Not a call, which everybody has heard: for that there is `ReturnTicket`. Not a
transfer, a notice, a leg or an awaited result: another queue, a printer or the back office has it. A visit finished
together with the next call stays finished: somebody else stands at the window.

Nothing is erased: the move and `MoveUndone` both stay in the ledger, with who did them. The visit is put back as it
was, with its times, and what was counted and learned from the move is taken back, so that figures show what is true.
"""

from collections.abc import Mapping
from dataclasses import replace

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import window_at
from server.domain.lifecycle import AT_WINDOW, Move
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState, Slip, Ticket, leave_window
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
    if slip is None or command.ticket not in (None, slip.before.id) or now_ms - slip.at_ms > WITHIN_MS:
        raise Refusal(Code.UNDO_OVER, window=window.no, count=str(UNDO_S))
    return e.MoveUndone(
        ticket=slip.before.id,
        label=slip.before.label,
        window=command.window,
        undone=slip.move,
        status=slip.before.status,
        call_count=slip.before.call_count,
    )


def standing(state: HallState, no: WindowNo) -> Slip | None:
    """Give the last move of a window if nothing has happened since to the visit or the window; its time may be over."""
    window = state.windows[no]
    slip = window.slip
    if slip is None or window.paused is not None or window.clerk is None or window.clerk != slip.before.clerk:
        return None
    id_ = slip.before.id
    at_window = window.current == id_ if slip.move is Move.START else window.current is None
    return slip if at_window and state.tickets.get(id_) == slip.after else None


def begin(state: HallState, event: e.Event, at_ms: int) -> Slip | None:
    """Give what must be known to take an event back, before it is folded; None when it is none of those."""
    if not isinstance(event, Undoable):
        return None
    ticket, window = state.tickets[event.ticket], state.windows[event.window]
    if ticket.window != event.window or ticket.status not in AT_WINDOW:
        return None  # from a list: there somebody chose whom
    before = _copy(ticket)
    return Slip(
        move=UNDOABLE[type(event)],
        at_ms=at_ms,
        before=before,
        after=before,
        since_ms=window.since_ms,
        last_finished=window.last_finished,
        serve_s=event.serve_s if isinstance(event, e.TicketFinished) else 0,
    )


def keep(state: HallState, slip: Slip) -> None:
    """Keep a slip at its window once the event is folded."""
    if (no := slip.before.window) is not None:
        slip.after = _copy(state.tickets[slip.before.id])
        state.windows[no].slip = slip


def evolve(state: HallState, event: e.MoveUndone, *, at_ms: int) -> None:
    """Put the visit back as it was."""
    window = state.windows[event.window]
    slip, window.slip = window.slip, None
    if slip is None:
        raise AssertionError(f"{event.label} was put back at window {event.window}, which remembers no move")
    leave_window(state, event.ticket, event.status, at_ms)
    state.tickets[event.ticket] = slip.before
    window.current, window.since_ms = event.ticket, slip.since_ms
    for lesson in slip.lessons:
        state.learned.unlearn(lesson)
    if slip.move is Move.FINISH:
        window.last_finished = slip.last_finished
        window.served_today -= 1
        window.busy_s_today -= slip.serve_s
        state.zones[slip.before.zone].finished -= 1
        state.results |= {it.case_number: it for it in slip.results}
    elif slip.move is Move.NO_SHOW:
        state.zones[slip.before.zone].no_show -= 1


def _copy(ticket: Ticket) -> Ticket:
    return replace(ticket, legs_done=[*ticket.legs_done])
