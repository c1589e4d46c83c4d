"""Who works at a window: hand-over of a window (换岗), of its held visitors, and windows left alone (离岗).

A hand-over is one commit: the current visitor and the lists stay where they are, only the clerk is another one, so that
nobody has to be held, called again or finished for a change of shift. A window left alone takes no calls until somebody
resumes it; the visitor who may still sit there keeps being called or served.
"""

from collections.abc import Callable, Sequence
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import clerk_is_free, staffed_window, window_at
from server.domain.refusals import NO_TICKET, Code, Refusal
from server.domain.state import HallState, WindowState
from server.domain.terms import PauseReason, TicketId, WindowNo, WindowStatus, WorkId

Command = c.HandOver | c.MoveHeld | c.LeaveAlone
Event = e.WindowHandedOver | e.HeldMoved | e.WindowLeftAlone

SERVING_TIMES = 3.0


def decide(state: HallState, command: Command) -> list[e.Event]:
    """Give the events of a command.

    Raises:
        Refusal: the window is closed (or paused, when it is left alone), the clerk sits there or at another one, or
            there is no list to move or no window to move it to.
    """
    match command:
        case c.HandOver():
            window, clerk = _at_work(state, command.window)
            if clerk == command.clerk:
                raise Refusal(Code.SAME_CLERK, window=command.window, clerk=command.clerk)
            clerk_is_free(state, command.clerk)
            return [
                e.WindowHandedOver(
                    window=command.window,
                    from_clerk=clerk,
                    clerk=command.clerk,
                    ticket=window.current,
                    held=tuple(window.held),
                    reason=command.reason,
                )
            ]
        case c.MoveHeld():
            window = window_at(state, command.window)
            staffed_window(state, command.to_window)
            if command.to_window == command.window:
                raise Refusal(Code.SAME_WINDOW)
            if not window.held and not window.missed:
                raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=command.window)
            return [
                e.HeldMoved(
                    window=command.window,
                    to_window=command.to_window,
                    held=tuple(window.held),
                    missed=tuple(window.missed),
                    reason=command.reason,
                )
            ]
        case c.LeaveAlone():
            window, clerk = _at_work(state, command.window)
            if window.paused is not None:
                raise Refusal(Code.WINDOW_PAUSED, window=command.window)
            return [e.WindowLeftAlone(window=command.window, clerk=clerk, idle_s=command.idle_s)]
        case _:
            assert_never(command)


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    window = state.windows[event.window]
    match event:
        case e.WindowHandedOver():
            window.clerk = event.clerk
            if window.current is not None:
                state.tickets[window.current].clerk = event.clerk
        case e.HeldMoved():
            to = state.windows[event.to_window]
            window.held = [id_ for id_ in window.held if id_ not in event.held]
            window.missed = [id_ for id_ in window.missed if id_ not in event.missed]
            for id_ in (*event.held, *event.missed):
                state.tickets[id_].window = to.no
            to.held = _by_age(state, (*to.held, *event.held))
            to.missed = _by_age(state, (*to.missed, *event.missed))
        case e.WindowLeftAlone():
            window.paused, window.pause_note, window.paused_ms = PauseReason.LEFT_ALONE, "", at_ms
            if window.current is None:
                window.since_ms = at_ms
        case _:
            assert_never(event)


def left_alone(state: HallState, now_ms: int, idle_s: Callable[[WindowNo], float]) -> list[c.LeaveAlone]:
    """Give a command for every window at work that is left alone; `idle_s` gives the seconds without a sign of life.

    Serving is a sign of life by itself for `SERVING_TIMES` the typed-in minutes of the service: whoever reads papers
    with a visitor presses nothing.
    """
    limit_s = state.plan.left_alone_min * 60
    if not limit_s or not state.day_open:
        return []
    found: list[c.LeaveAlone] = []
    for no, window in state.windows.items():
        if window.clerk is None or window.paused is not None:
            continue
        idle = idle_s(no)
        if state.window_status(no) is WindowStatus.SERVING and window.current is not None:
            typical_s = state.plan.service[state.tickets[window.current].service].minutes_typical * 60
            idle = min(idle, (now_ms - window.since_ms) / 1000 - SERVING_TIMES * typical_s)
        if idle >= limit_s:
            found.append(c.LeaveAlone(window=no, idle_s=int(idle)))
    return found


def _at_work(state: HallState, no: WindowNo) -> tuple[WindowState, WorkId]:
    window = window_at(state, no)
    if window.clerk is None:
        raise Refusal(Code.WINDOW_CLOSED, window=no)
    return window, window.clerk


def _by_age(state: HallState, ids: Sequence[TicketId]) -> list[TicketId]:
    """Give tickets in the order in which they came to the list: a list has who was held longest first."""

    def since(id_: TicketId) -> tuple[int, int]:
        ticket = state.tickets[id_]
        return ticket.held_ms or ticket.missed_ms or 0, ticket.order

    return sorted(ids, key=since)
