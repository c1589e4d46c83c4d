"""What every decision looks up and checks first: the window, the service, the ticket, and whether the move is legal."""

from server.domain.admission import name_in_both
from server.domain.lifecycle import Move, is_legal
from server.domain.refusals import NO_TICKET, Code, Refusal
from server.domain.state import HallState, Ticket, WindowState
from server.domain.terms import Label, ServiceId, TicketId, WindowNo, WorkId


def window_at(state: HallState, no: WindowNo) -> WindowState:
    """Give a window, or refuse."""
    window = state.windows.get(no)
    if window is None:
        raise Refusal(Code.WINDOW_NOT_FOUND, window=no)
    return window


def staffed_window(state: HallState, no: WindowNo) -> WindowState:
    """Give a window to which somebody is sent, or refuse."""
    window = window_at(state, no)
    if not state.plan.window[no].staffed:
        raise Refusal(Code.WINDOW_UNSTAFFED, window=no)
    return window


def known_service(state: HallState, service: ServiceId) -> ServiceId:
    """Give the service back when the hall has it, or refuse."""
    if service not in state.plan.service:
        raise Refusal(Code.SERVICE_NOT_FOUND, service=service)
    return service


def serving_window(state: HallState, no: WindowNo, service: ServiceId) -> WindowState:
    """Give a staffed window that serves or relieves a service, or refuse."""
    window = staffed_window(state, no)
    if service not in (*window.serves, *window.relief):
        raise Refusal(Code.SERVICE_NOT_SERVED, window=no, service=name_in_both(state, service))
    return window


def idle_window(state: HallState, no: WindowNo, *, paused_too: bool = False) -> WindowState:
    """Give a window at work that has no current ticket, or refuse."""
    window = window_at(state, no)
    if window.clerk is None:
        raise Refusal(Code.WINDOW_CLOSED, window=no)
    if window.current is not None:
        raise Refusal(Code.WINDOW_BUSY, window=no, label=state.tickets[window.current].label)
    if window.paused is not None and not paused_too:
        raise Refusal(Code.WINDOW_PAUSED, window=no)
    return window


def clerk_is_free(state: HallState, clerk: WorkId) -> None:
    """Refuse when the clerk works at a window: a clerk sits at one at a time."""
    for no, window in state.windows.items():
        if window.clerk == clerk:
            raise Refusal(Code.CLERK_ELSEWHERE, clerk=clerk, window=no)


def by_label(state: HallState, label: Label | None) -> TicketId:
    """Give the id of today's ticket with a label, or refuse."""
    ticket = state.labels.get(Label((label or "").strip().upper()))
    if ticket is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=label or "")
    return ticket


def known_ticket(state: HallState, id_: TicketId, move: Move | None) -> Ticket:
    """Give a ticket of today that can make the move, or refuse."""
    ticket = state.tickets.get(id_)
    if ticket is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=id_)
    if move is not None:
        check_legal(ticket, move)
    return ticket


def check_legal(ticket: Ticket, move: Move) -> None:
    """Refuse a move that the ticket cannot make now."""
    if not is_legal(ticket.status, move):
        raise Refusal(Code.ILLEGAL_MOVE, label=ticket.label, status=ticket.status)


def check_here(ticket: Ticket, no: WindowNo) -> None:
    """Refuse when the ticket is not at the window."""
    if ticket.window != no:
        raise Refusal(Code.TICKET_ELSEWHERE, label=ticket.label, window=ticket.window or "")


def at_window(state: HallState, no: WindowNo, id_: TicketId | None, move: Move) -> Ticket:
    """Give the named or current ticket of a window if it can make the move, or refuse."""
    wanted = id_ or window_at(state, no).current
    if wanted is None:
        raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=no)
    ticket = known_ticket(state, wanted, move)
    check_here(ticket, no)
    return ticket


def seconds(from_ms: int | None, to_ms: int) -> int:
    """Give the whole seconds between two instants; 0 when there is no first one."""
    return max(0, to_ms - from_ms) // 1000 if from_ms is not None else 0


def times_at_window(ticket: Ticket, now_ms: int) -> tuple[int, int]:
    """Give the seconds served and held of a ticket that leaves its window now: (serve_s, hold_s)."""
    hold_ms = ticket.hold_total_ms + (now_ms - ticket.held_ms if ticket.held_ms is not None else 0)
    began_ms = ticket.started_ms if ticket.started_ms is not None else ticket.called_ms
    hold_s = hold_ms // 1000
    return max(0, seconds(began_ms, now_ms) - hold_s), hold_s
