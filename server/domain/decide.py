"""The one place where a command becomes events or a refusal.

`decide(state, command, ...)` reads the state and gives the events of one commit; it changes nothing. Raises `Refusal`
when the hall says no: then nothing is written. Time comes in as an argument.
"""

from datetime import date
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import check_hours, check_last_ticket, check_quota, name_in_both, refuse_after_day_close
from server.domain.forecast import eta, open_windows
from server.domain.lifecycle import FINAL, Move, is_legal
from server.domain.refusals import NO_TICKET, Code, Refusal
from server.domain.routing import ahead_of_newcomer, choose
from server.domain.state import MS_PER_MIN, HallState, Ticket, WindowState
from server.domain.terms import (
    LEG_AGE_MAX_MIN,
    LEGS_MAX,
    ORDINARY,
    Label,
    Place,
    ServiceId,
    TicketId,
    TicketStatus,
    WindowNo,
    WindowStatus,
    business_day,
    label_of,
    ticket_id_of,
)

GRADES = range(1, 6)


def decide(state: HallState, command: c.Command, *, now_ms: int) -> list[e.Event]:
    """Give the events a command leads to.

    Raises:
        Refusal: the hall says no; nothing is written.
    """
    match command:
        case c.PlanHall():
            return _plan(state, command)
        case c.StartDay():
            return _start_day(state, now_ms)
        case c.IssueTicket() if not state.day_open:
            raise refuse_after_day_close(state, command.service, now_ms)
        case _ if not state.day_open and not isinstance(command, c.Rate | c.AssignServices):
            raise Refusal(Code.HALL_CLOSED)
        case c.CloseDay():
            return _close_day(state)
        case c.IssueTicket():
            return _issue(state, command, now_ms)
        case c.CallNext():
            return _call_next(state, command, now_ms)
        case c.CallTicket():
            return _call_ticket(state, command, now_ms)
        case c.Recall():
            return _recall(state, command)
        case c.StartServing():
            ticket = _at_window(state, command.window, command.ticket, Move.START)
            walk_s = _seconds(ticket.called_ms, now_ms)
            return [
                e.ServingStarted(
                    ticket=ticket.id,
                    label=ticket.label,
                    window=command.window,
                    walk_s=walk_s,
                    call_count=ticket.call_count,
                )
            ]
        case c.Finish():
            ticket = _at_window(state, command.window, command.ticket, Move.FINISH)
            return [_finished(state, ticket, command.window, now_ms, next_leg=command.next)]
        case c.MarkMissed():
            ticket = _at_window(state, command.window, command.ticket, Move.MISS)
            return [_moved(e.TicketMissed, ticket, command.window)]
        case c.MarkNoShow():
            ticket = _at_window(state, command.window, command.ticket, Move.NO_SHOW)
            return [_moved(e.NoShowRecorded, ticket, command.window)]
        case c.ReturnTicket():
            ticket = _at_window(state, command.window, command.ticket, Move.RETURN)
            return [
                e.TicketReturned(ticket=ticket.id, label=ticket.label, window=command.window, reason=command.reason)
            ]
        case c.Hold():
            ticket = _at_window(state, command.window, command.ticket, Move.HOLD)
            return [
                e.TicketHeld(
                    ticket=ticket.id,
                    label=ticket.label,
                    window=command.window,
                    call_count=ticket.call_count,
                    reason=command.reason,
                )
            ]
        case c.Resume():
            return _resume(state, command)
        case c.Transfer():
            return _transfer(state, command, now_ms)
        case c.PlanLegs():
            return _plan_legs(state, command)
        case c.Reinstate():
            return _reinstate(state, command, now_ms)
        case c.Cancel():
            ticket = _ticket(state, command.ticket, Move.CANCEL)
            return [
                e.TicketCancelled(ticket=ticket.id, label=ticket.label, window=ticket.window, reason=command.reason)
            ]
        case c.Reprint():
            ticket = _ticket(state, command.ticket, Move.REPRINT)
            return [e.ReprintRequested(ticket=ticket.id, label=ticket.label, kiosk=command.kiosk or ticket.kiosk)]
        case c.Rate():
            return _rate(_ticket(state, command.ticket, None), command.grade)
        case c.RateAtWindow():
            last = _window(state, command.window).last_finished
            if last is None:
                raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=command.window)
            return _rate(state.tickets[last], command.grade)
        case c.OpenWindow():
            return _open_window(state, command)
        case c.PauseWindow():
            _idle_window(state, command.window)
            return [e.WindowPaused(window=command.window, reason=command.reason, note=command.note)]
        case c.ResumeWindow():
            if _window(state, command.window).clerk is None:
                raise Refusal(Code.WINDOW_CLOSED, window=command.window)
            if state.window_status(command.window) is not WindowStatus.PAUSED:
                raise Refusal(Code.WINDOW_OPEN, window=command.window)
            return [e.WindowResumed(window=command.window)]
        case c.CloseWindow():
            _idle_window(state, command.window, paused_too=True)
            return [e.WindowClosed(window=command.window)]
        case c.AssignServices():
            return _assign(state, command)
        case _:
            assert_never(command)


def _plan(state: HallState, command: c.PlanHall) -> list[e.Event]:
    """Refuse a plan that drops a service or window somebody still depends on today."""
    services, windows = command.plan.service, command.plan.window
    for ticket in state.tickets.values():
        if ticket.status in FINAL:
            continue
        for service in (ticket.service, *ticket.legs_planned):
            if service not in services:
                raise Refusal(Code.PLAN_IN_USE, what=service)
        for window_no in (ticket.window, ticket.bound):
            if window_no is not None and window_no not in windows:
                raise Refusal(Code.PLAN_IN_USE, what=window_no)
    for no, window in state.windows.items():
        if window.clerk is not None and no not in windows:
            raise Refusal(Code.PLAN_IN_USE, what=no)
    return [e.HallPlanned(plan=command.plan)]


def _start_day(state: HallState, now_ms: int) -> list[e.Event]:
    day = business_day(state.plan, now_ms).isoformat()
    if state.day is not None and day <= state.day:
        raise Refusal(Code.DAY_OPEN, day=state.day)
    left: list[e.Event] = _close_day(state) if state.day_open else []
    return [*left, e.DayOpened(day=day)]


def _close_day(state: HallState) -> list[e.Event]:
    expired = [
        e.TicketExpired(ticket=ticket.id, label=ticket.label, window=ticket.window)
        for ticket in state.tickets.values()
        if ticket.status not in FINAL
    ]
    closed = [e.WindowClosed(window=no) for no, window in state.windows.items() if window.clerk is not None]
    return [*expired, *closed, e.DayClosed(day=state.day or "")]


def _issue(state: HallState, command: c.IssueTicket, now_ms: int) -> list[e.Event]:
    service = _service(state, command.service)
    priority = command.priority or ORDINARY
    if priority not in state.plan.priority:
        raise Refusal(Code.PRIORITY_NOT_FOUND, priority=priority)
    windows = state.windows_of(service)
    if command.window is not None:
        _serving_window(state, command.window, service)
        windows = (command.window,)
    if command.visitor is not None:
        before = state.visitors.get((command.visitor, service))
        if before is not None and (held := state.tickets[before]).status not in FINAL:
            raise Refusal(Code.ALREADY_WAITING, label=held.label)
    check_hours(state, service, now_ms)
    check_quota(state, service, now_ms)
    planned = state.plan.service[service]
    number = state.numbers.get(planned.prefix, planned.first - 1) + 1
    if number > planned.last:
        raise Refusal(Code.QUOTA_FULL, service=name_in_both(state, service))
    label = label_of(planned.prefix, number)
    legs = _legs(state, service, command.legs, done=0) if command.legs else ()
    ahead = ahead_of_newcomer(state, service, priority, now_ms)
    expected = eta(state, service, ahead)
    check_last_ticket(state, service, now_ms, expected)
    id_ = ticket_id_of(date.fromisoformat(state.day or ""), label)
    joint = [
        e.LegsPlanned(ticket=id_, label=label, window=None, services=legs, done=(), unserved=_unserved(state, legs))
    ]
    return [
        e.TicketIssued(
            ticket=id_,
            label=label,
            number=number,
            prefix=planned.prefix,
            service=service,
            zone=planned.zone,
            priority=priority,
            track=command.track,
            ahead=ahead,
            eta_p50_s=expected.p50_s if expected else None,
            eta_p80_s=expected.p80_s if expected else None,
            windows=windows,
            window=command.window,
            language=command.language,
            channel=command.channel,
            kiosk=command.kiosk,
            visitor=command.visitor,
            base_url=command.base_url,
        ),
        *(joint if len(legs) > 1 else ()),
    ]


def _plan_legs(state: HallState, command: c.PlanLegs) -> list[e.Event]:
    ticket = _ticket(state, command.ticket, Move.PLAN_LEGS)
    if command.window is not None:
        _here(ticket, command.window)
    if not command.services:
        raise Refusal(Code.LEGS_MISSING)
    legs = _legs(state, ticket.service, command.services, done=len(ticket.legs_done))
    to_come = legs if ticket.status is TicketStatus.WAITING else legs[1:]
    return [
        e.LegsPlanned(
            ticket=ticket.id,
            label=ticket.label,
            window=ticket.window,
            services=legs,
            done=tuple(ticket.legs_done),
            unserved=_unserved(state, to_come),
        )
    ]


def _legs(state: HallState, active: ServiceId, services: tuple[ServiceId, ...], *, done: int) -> tuple[ServiceId, ...]:
    """Give the active leg and those after it, or refuse. A done service may come again: the visitor goes back there."""
    legs = tuple(_service(state, service) for service in services)
    if legs[0] != active:
        legs = (active, *legs)
    if done + len(legs) > LEGS_MAX:
        raise Refusal(Code.TOO_MANY_LEGS, count=str(LEGS_MAX))
    for index, service in enumerate(legs):
        if service in legs[:index]:
            raise Refusal(Code.LEG_REPEATED, service=name_in_both(state, service))
    return legs


def _unserved(state: HallState, services: tuple[ServiceId, ...]) -> tuple[ServiceId, ...]:
    return tuple(service for service in services if not open_windows(state, service))


def _call_next(state: HallState, command: c.CallNext, now_ms: int) -> list[e.Event]:
    finished = _free_window(state, command.window, now_ms, finish=command.finish)
    choice = choose(state, command.window, now_ms)
    if choice is None:
        raise Refusal(Code.NOBODY_WAITING)
    return [*finished, _called(state.tickets[choice.ticket], command.window, now_ms, why=choice.why)]


def _call_ticket(state: HallState, command: c.CallTicket, now_ms: int) -> list[e.Event]:
    if not command.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    _free_window(state, command.window, now_ms, finish=False)
    ticket = _ticket(state, command.ticket or _by_label(state, command.label), Move.CALL)
    if ticket.bound != command.window:
        _serving_window(state, command.window, ticket.service)
    return [_called(ticket, command.window, now_ms, why="chosen", reason=command.reason.strip())]


def _recall(state: HallState, command: c.Recall) -> list[e.Event]:
    ticket = _at_window(state, command.window, command.ticket, Move.RECALL)
    if ticket.call_count > state.plan.recalls_max:
        raise Refusal(Code.RECALL_LIMIT, label=ticket.label, count=str(ticket.call_count))
    return [
        e.TicketRecalled(ticket=ticket.id, label=ticket.label, window=command.window, call_count=ticket.call_count + 1)
    ]


def _resume(state: HallState, command: c.Resume) -> list[e.Event]:
    window = _idle_window(state, command.window)
    wanted = command.ticket or next(iter(window.held), None)
    if wanted is None:
        raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=command.window)
    ticket = _ticket(state, wanted, Move.RESUME)
    _here(ticket, command.window)
    return [
        e.TicketResumed(
            ticket=ticket.id,
            label=ticket.label,
            window=command.window,
            zone=ticket.zone,
            call_count=1,
        )
    ]


def _transfer(state: HallState, command: c.Transfer, now_ms: int) -> list[e.Event]:
    ticket = _at_window(state, command.window, command.ticket, Move.TRANSFER)
    service = _service(state, command.service or ticket.service)
    if command.to_window is not None:
        _serving_window(state, command.to_window, service)
    if command.to_window == command.window or (service == ticket.service and command.to_window is None):
        raise Refusal(Code.NO_TARGET)
    match command.place:
        case Place.BY_ARRIVAL:
            since_ms = ticket.arrival_ms
        case Place.END:
            since_ms = now_ms
        case Place.FRONT:
            lanes = [lane for (of, _, _), lane in state.lane_items() if of == service]
            since_ms = min([lane[0][0] - 1 for lane in lanes] + [ticket.arrival_ms])
        case _:
            assert_never(command.place)
    return [
        e.TicketTransferred(
            ticket=ticket.id,
            label=ticket.label,
            window=command.window,
            from_service=ticket.service,
            service=service,
            zone=state.plan.service[service].zone,
            to_window=command.to_window,
            place=command.place,
            since_ms=since_ms,
            reason=command.reason,
        )
    ]


def _reinstate(state: HallState, command: c.Reinstate, now_ms: int) -> list[e.Event]:
    """Wait again behind the next few of the same service, as if arrived just after the last of them."""
    ticket = _ticket(state, command.ticket, Move.REINSTATE)
    if ticket.reinstated >= state.plan.reinstate_times:
        raise Refusal(Code.REINSTATE_LIMIT, label=ticket.label, count=str(ticket.reinstated))
    lane = state.lanes.get((ticket.service, ticket.priority, ticket.bound), [])
    behind = lane[: state.plan.reinstate_after_calls]
    since_ms = behind[-1][0] + 1 if behind else now_ms
    return [e.TicketReinstated(ticket=ticket.id, label=ticket.label, since_ms=since_ms)]


def _rate(ticket: Ticket, grade: int) -> list[e.Event]:
    _legal(ticket, Move.RATE)
    if grade not in GRADES:
        raise Refusal(Code.GRADE_UNKNOWN)
    if ticket.grade is not None:
        raise Refusal(Code.ALREADY_RATED, label=ticket.label)
    return [e.TicketRated(ticket=ticket.id, label=ticket.label, window=ticket.window, clerk=ticket.clerk, grade=grade)]


def _open_window(state: HallState, command: c.OpenWindow) -> list[e.Event]:
    window = _window(state, command.window)
    if window.clerk == command.clerk:
        raise Refusal(Code.WINDOW_OPEN, window=command.window)
    if window.clerk is not None:
        raise Refusal(Code.WINDOW_TAKEN, window=command.window, clerk=window.clerk)
    for no, other in state.windows.items():
        if other.clerk == command.clerk and not command.several:
            raise Refusal(Code.CLERK_ELSEWHERE, clerk=command.clerk, window=no)
    return [e.WindowOpened(window=command.window, clerk=command.clerk)]


def _assign(state: HallState, command: c.AssignServices) -> list[e.Event]:
    _window(state, command.window)
    serves = tuple(dict.fromkeys(_service(state, service) for service in command.serves))
    relief = tuple(dict.fromkeys(_service(state, service) for service in command.relief if service not in serves))
    if not serves and not relief:
        raise Refusal(Code.NOTHING_TO_SERVE)
    return [e.ServicesAssigned(window=command.window, serves=serves, relief=relief, reason=command.reason)]


def _called(ticket: Ticket, window: WindowNo, now_ms: int, *, why: str, reason: str = "") -> e.TicketCalled:
    first_call_ms = ticket.first_called_ms if ticket.first_called_ms is not None else now_ms
    return e.TicketCalled(
        ticket=ticket.id,
        label=ticket.label,
        number=ticket.number,
        window=window,
        service=ticket.service,
        zone=ticket.zone,
        priority=ticket.priority,
        waited_s=_seconds(ticket.joined_ms, first_call_ms),
        call_count=1,  # each call has its own recalls: who was missed or held must not come back to none left
        why=why,
        reason=reason,
    )


def _finished(
    state: HallState, ticket: Ticket, window: WindowNo, now_ms: int, *, next_leg: ServiceId | None = None
) -> e.TicketFinished | e.LegFinished:
    if next_leg is not None and next_leg not in ticket.legs_planned:
        raise Refusal(Code.LEG_NOT_PLANNED, service=name_in_both(state, _service(state, next_leg)), label=ticket.label)
    hold_ms = ticket.hold_total_ms + (now_ms - ticket.held_ms if ticket.held_ms is not None else 0)
    began_ms = ticket.started_ms if ticket.started_ms is not None else ticket.called_ms
    hold_s = hold_ms // 1000
    serve_s = max(0, _seconds(began_ms, now_ms) - hold_s)
    if not ticket.legs_planned:
        return e.TicketFinished(
            ticket=ticket.id,
            label=ticket.label,
            window=window,
            service=ticket.service,
            serve_s=serve_s,
            hold_s=hold_s,
            call_count=ticket.call_count,
        )
    following = next_leg or ticket.legs_planned[0]
    return e.LegFinished(
        ticket=ticket.id,
        label=ticket.label,
        window=window,
        service=ticket.service,
        serve_s=serve_s,
        hold_s=hold_s,
        call_count=ticket.call_count,
        next_service=following,
        zone=state.plan.service[following].zone,
        since_ms=max(ticket.issued_ms, now_ms - LEG_AGE_MAX_MIN * MS_PER_MIN),
        unserved=not open_windows(state, following),
    )


def _moved(event: type[e.TicketMissed] | type[e.NoShowRecorded], ticket: Ticket, window: WindowNo) -> e.Event:
    return event(ticket=ticket.id, label=ticket.label, window=window, call_count=ticket.call_count)


def _window(state: HallState, no: WindowNo) -> WindowState:
    window = state.windows.get(no)
    if window is None:
        raise Refusal(Code.WINDOW_NOT_FOUND, window=no)
    return window


def _service(state: HallState, service: ServiceId) -> ServiceId:
    if service not in state.plan.service:
        raise Refusal(Code.SERVICE_NOT_FOUND, service=service)
    return service


def _serving_window(state: HallState, no: WindowNo, service: ServiceId) -> WindowState:
    window = _window(state, no)
    if service not in (*window.serves, *window.relief):
        raise Refusal(Code.SERVICE_NOT_SERVED, window=no, service=name_in_both(state, service))
    return window


def _idle_window(state: HallState, no: WindowNo, *, paused_too: bool = False) -> WindowState:
    """Give a window at work that has no current ticket, or refuse."""
    window = _window(state, no)
    if window.clerk is None:
        raise Refusal(Code.WINDOW_CLOSED, window=no)
    if window.current is not None:
        raise Refusal(Code.WINDOW_BUSY, window=no, label=state.tickets[window.current].label)
    if window.paused is not None and not paused_too:
        raise Refusal(Code.WINDOW_PAUSED, window=no)
    return window


def _free_window(state: HallState, no: WindowNo, now_ms: int, *, finish: bool) -> list[e.Event]:
    """Make sure a window can call; with `finish` its current ticket is finished in the same commit."""
    current = _window(state, no).current
    if finish and current is not None:
        return [_finished(state, state.tickets[current], no, now_ms)]
    _idle_window(state, no)
    return []


def _by_label(state: HallState, label: Label | None) -> TicketId:
    ticket = state.labels.get(Label((label or "").strip().upper()))
    if ticket is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=label or "")
    return ticket


def _ticket(state: HallState, id_: TicketId, move: Move | None) -> Ticket:
    ticket = state.tickets.get(id_)
    if ticket is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=id_)
    if move is not None:
        _legal(ticket, move)
    return ticket


def _legal(ticket: Ticket, move: Move) -> None:
    if not is_legal(ticket.status, move):
        raise Refusal(Code.ILLEGAL_MOVE, label=ticket.label, status=ticket.status)


def _here(ticket: Ticket, no: WindowNo) -> None:
    if ticket.window != no:
        raise Refusal(Code.TICKET_ELSEWHERE, label=ticket.label, window=ticket.window or "")


def _at_window(state: HallState, no: WindowNo, id_: TicketId | None, move: Move) -> Ticket:
    """Give the named or current ticket of a window if it can make the move, or refuse."""
    wanted = id_ or _window(state, no).current
    if wanted is None:
        raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=no)
    ticket = _ticket(state, wanted, move)
    _here(ticket, no)
    return ticket


def _seconds(from_ms: int | None, to_ms: int) -> int:
    return max(0, to_ms - from_ms) // 1000 if from_ms is not None else 0
