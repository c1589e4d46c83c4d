"""The one place where a command becomes events or a refusal.

`decide(state, command, ...)` reads the state and gives the events of one commit; it changes nothing. Raises `Refusal`
when the hall says no: then nothing is written. Time comes in as an argument.
"""

from dataclasses import replace
from typing import assert_never

from server.domain import (
    announcements,
    appointments,
    away,
    calendar,
    cases,
    leases,
    rebalance,
    rolls,
    settings,
    slips,
    staff,
)
from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import name_in_both, refuse_after_day_close
from server.domain.checks import (
    at_window,
    by_label,
    check_here,
    check_legal,
    clerk_is_free,
    idle_window,
    known_service,
    known_ticket,
    seconds,
    serving_window,
    staffed_window,
    times_at_window,
    window_at,
)
from server.domain.forecast import open_windows
from server.domain.issue import issue, legs_of, unserved
from server.domain.lifecycle import FINAL, Move
from server.domain.refusals import LEFT_TO, NO_TICKET, Code, Refusal
from server.domain.routing import Choice, Joining, choose, left_to
from server.domain.state import MS_PER_MIN, HallState, Ticket
from server.domain.terms import (
    LEG_AGE_MAX_MIN,
    Place,
    ServiceId,
    TicketStatus,
    WindowNo,
    business_day,
)

GRADES = range(1, 6)
DAY_CLOSED = "day_closed"  # why a ticket expired, as stored
# What may be done although the business day was closed: nothing of it gives or calls a number.
AFTER_HOURS = (
    c.Rate
    | c.AssignServices
    | c.BookAppointment
    | c.CancelAppointment
    | c.ReportResult
    | c.NoteCaseNumber
    | c.Announce
    | c.EndAnnouncement
    | c.SetBalanceLimits
    | c.CaseMove
    | c.Watch
)


def decide(state: HallState, command: c.Command, *, now_ms: int) -> list[e.Event]:
    """Give the events a command leads to.

    Raises:
        Refusal: the hall says no; nothing is written.
    """
    match command:
        case c.PlanHall():
            return settings.decide(state, command, now_ms)
        case c.StartDay():
            return _start_day(state, now_ms)
        case c.IssueTicket() if not state.day_open:
            raise refuse_after_day_close(state, command.service, now_ms)
        case _ if not state.day_open and not isinstance(command, AFTER_HOURS):
            raise Refusal(Code.HALL_CLOSED)
        case c.CloseDay():
            return _close_day(state, calendar.day_after(state.day or ""), now_ms)
        case c.IssueTicket():
            return issue(state, command, now_ms)
        case c.CallNext():
            return _call_next(state, command, now_ms)
        case c.CallTicket():
            return _call_ticket(state, command, now_ms)
        case c.Recall():
            return _recall(state, command)
        case c.StartServing():
            ticket = at_window(state, command.window, command.ticket, Move.START)
            walk_s = seconds(ticket.called_ms, now_ms)
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
            ticket = at_window(state, command.window, command.ticket, Move.FINISH)
            return [_finished(state, ticket, command.window, now_ms, next_leg=command.next)]
        case c.MarkMissed():
            ticket = at_window(state, command.window, command.ticket, Move.MISS)
            return [_moved(e.TicketMissed, ticket, command.window)]
        case c.MarkNoShow():
            ticket = at_window(state, command.window, command.ticket, Move.NO_SHOW)
            return [_moved(e.NoShowRecorded, ticket, command.window)]
        case c.ReturnTicket():
            ticket = at_window(state, command.window, command.ticket, Move.RETURN)
            return [
                e.TicketReturned(ticket=ticket.id, label=ticket.label, window=command.window, reason=command.reason)
            ]
        case c.Undo():
            return [slips.decide(state, command, now_ms)]
        case c.Hold():
            ticket = at_window(state, command.window, command.ticket, Move.HOLD)
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
            ticket = known_ticket(state, command.ticket, Move.CANCEL)
            return [
                e.TicketCancelled(ticket=ticket.id, label=ticket.label, window=ticket.window, reason=command.reason)
            ]
        case c.Reprint():
            ticket = known_ticket(state, command.ticket, Move.REPRINT)
            return [e.ReprintRequested(ticket=ticket.id, label=ticket.label, kiosk=command.kiosk or ticket.kiosk)]
        case c.Rate():
            return _rate(state, known_ticket(state, command.ticket, None), command.grade, now_ms)
        case c.RateAtWindow():
            return _rate(state, _finished_last(state, command, now_ms), command.grade, now_ms)
        case c.OpenWindow():
            return _open_window(state, command)
        case c.PauseWindow():
            idle_window(state, command.window)
            return [e.WindowPaused(window=command.window, reason=command.reason, note=command.note)]
        case c.ResumeWindow():
            window = window_at(state, command.window)
            if window.clerk is None:
                raise Refusal(Code.WINDOW_CLOSED, window=command.window)
            if window.paused is None:
                raise Refusal(Code.WINDOW_OPEN, window=command.window)
            return [e.WindowResumed(window=command.window, status=state.window_status(command.window, at_work=True))]
        case c.CloseWindow():
            idle_window(state, command.window, paused_too=True)
            return [e.WindowClosed(window=command.window)]
        case c.AssignServices():
            return _assign(state, command)
        case c.GiveNotice() | c.AwaitResult() | c.ReportResult() | c.ComeBack() | c.NoteCaseNumber():
            return away.decide(state, command, now_ms)
        case c.BookAppointment() | c.CancelAppointment() | c.CheckIn():
            return appointments.decide(state, command, now_ms)
        case c.HandOver() | c.MoveHeld() | c.LeaveAlone():
            return staff.decide(state, command)
        case c.AnnounceRoll() | c.TornOff() | c.EndRoll():
            return rolls.decide(state, command, now_ms)
        case c.LeaseNumbers() | c.IssueOffline() | c.ReturnBlock():
            return leases.decide(state, command, now_ms)
        case c.Announce() | c.EndAnnouncement():
            return announcements.decide(state, command, now_ms)
        case c.ApplySuggestion() | c.DeclineSuggestion() | c.UndoChange() | c.SetBalanceLimits() | c.LookAround():
            return rebalance.decide(state, command, now_ms)
        case c.Watch():
            if not (events := due(state, now_ms)):
                raise Refusal(Code.NOTHING_DUE)
            return events
        case _:
            return cases.decide(state, command, now_ms)


def due(state: HallState, now_ms: int) -> list[e.Event]:
    """Give what the clock must say now: hand-overs before closing, an announcement whose time is over."""
    return [*cases.due(state, now_ms), *announcements.due(state, now_ms)]


def _start_day(state: HallState, now_ms: int) -> list[e.Event]:
    day = business_day(state.plan, now_ms).isoformat()
    if state.day is not None and day <= state.day:
        raise Refusal(Code.DAY_OPEN, day=state.day)
    late = [*cases.overdue(state, day), *announcements.at_day_close(state)]  # told after the day was closed
    left = _close_day(state, day, now_ms) if state.day_open else late
    return [*left, *appointments.at_day_start(state, day), e.DayOpened(day=day)]


def _close_day(state: HallState, following: str, now_ms: int) -> list[e.Event]:
    """Give the end of a day; `following` is the next one (ISO date): after a holiday, not the day after."""
    expired = [
        e.TicketExpired(ticket=ticket.id, label=ticket.label, window=ticket.window, reason=DAY_CLOSED)
        for ticket in state.tickets.values()
        if ticket.status not in FINAL
    ]
    closed = [e.WindowClosed(window=no) for no, window in state.windows.items() if window.clerk is not None]
    over = [*appointments.at_day_close(state, now_ms), *cases.overdue(state, following)]
    ended = [*rolls.at_day_close(state), *leases.at_day_close(state), *announcements.at_day_close(state)]
    ended += rebalance.at_day_close(state)
    return [*expired, *closed, *over, *ended, e.DayClosed(day=state.day or "")]


def _plan_legs(state: HallState, command: c.PlanLegs) -> list[e.Event]:
    ticket = known_ticket(state, command.ticket, Move.PLAN_LEGS)
    if command.window is not None:
        check_here(ticket, command.window)
    if not command.services:
        raise Refusal(Code.LEGS_MISSING)
    legs = legs_of(state, ticket.service, command.services, done=len(ticket.legs_done))
    to_come = legs if ticket.status is TicketStatus.WAITING else legs[1:]
    return [
        e.LegsPlanned(
            ticket=ticket.id,
            label=ticket.label,
            window=ticket.window,
            services=legs,
            done=tuple(ticket.legs_done),
            unserved=unserved(state, to_come),
        )
    ]


def _call_next(state: HallState, command: c.CallNext, now_ms: int) -> list[e.Event]:
    finished = _free_window(state, command.window, now_ms, finish=command.finish)
    leg = next((it for it in finished if isinstance(it, e.LegFinished)), None)
    choice = choose(state, command.window, now_ms, _joining(state, leg) if leg else None)
    if choice is None:
        of_roll = rolls.next_of_roll(state, command.window, command.track, now_ms)
        if not of_roll:
            left = left_to(state, command.window, now_ms)
            raise Refusal(Code.NOBODY_WAITING, LEFT_TO, other=left) if left else Refusal(Code.NOBODY_WAITING)
        return [*finished, *of_roll]
    called = _weighed(_called(state.tickets[choice.ticket], command.window, now_ms, why=choice.why), choice)
    if leg is not None and choice.ticket == leg.ticket:  # the next leg is at this window, too
        called = replace(called, service=leg.next_service, zone=leg.zone, waited_s=0)
    return [*finished, called]


def _weighed(called: e.TicketCalled, choice: Choice) -> e.TicketCalled:
    """Keep with the call what was weighed for it."""
    return replace(called, clear_min=choice.clear_min, own_clear_min=choice.own_clear_min)


def _joining(state: HallState, leg: e.LegFinished) -> Joining:
    """Give where the visitor of a finished leg waits once the commit is written."""
    ticket = state.tickets[leg.ticket]
    return (leg.next_service, ticket.priority, None), (leg.since_ms, ticket.order, ticket.id)


def _call_ticket(state: HallState, command: c.CallTicket, now_ms: int) -> list[e.Event]:
    if not command.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    _free_window(state, command.window, now_ms, finish=False)
    ticket = known_ticket(state, command.ticket or by_label(state, command.label), Move.CALL)
    if ticket.bound != command.window:
        serving_window(state, command.window, ticket.service)
    return [_called(ticket, command.window, now_ms, why="chosen", reason=command.reason.strip())]


def _recall(state: HallState, command: c.Recall) -> list[e.Event]:
    ticket = at_window(state, command.window, command.ticket, Move.RECALL)
    if ticket.call_count > state.plan.recalls_max:
        raise Refusal(Code.RECALL_LIMIT, label=ticket.label, count=str(ticket.call_count))
    return [
        e.TicketRecalled(ticket=ticket.id, label=ticket.label, window=command.window, call_count=ticket.call_count + 1)
    ]


def _resume(state: HallState, command: c.Resume) -> list[e.Event]:
    window = idle_window(state, command.window)
    wanted = command.ticket or next(iter(window.held), None)
    if wanted is None:
        raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=command.window)
    ticket = known_ticket(state, wanted, Move.RESUME)
    check_here(ticket, command.window)
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
    ticket = at_window(state, command.window, command.ticket, Move.TRANSFER)
    service = known_service(state, command.service or ticket.service)
    if command.to_window is not None:
        serving_window(state, command.to_window, service)
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
    ticket = known_ticket(state, command.ticket, Move.REINSTATE)
    if ticket.reinstated >= state.plan.reinstate_times:
        raise Refusal(Code.REINSTATE_LIMIT, label=ticket.label, count=str(ticket.reinstated))
    lane = state.lanes.get((ticket.service, ticket.priority, ticket.bound), [])
    behind = lane[: state.plan.reinstate_after_calls]
    since_ms = behind[-1][0] + 1 if behind else now_ms
    return [e.TicketReinstated(ticket=ticket.id, label=ticket.label, since_ms=since_ms)]


def _rate(state: HallState, ticket: Ticket, grade: int, now_ms: int) -> list[e.Event]:
    check_legal(ticket, Move.RATE)
    if grade not in GRADES:
        raise Refusal(Code.GRADE_UNKNOWN)
    if ticket.grade is not None:
        raise Refusal(Code.ALREADY_RATED, label=ticket.label)
    rated = e.TicketRated(ticket=ticket.id, label=ticket.label, window=ticket.window, clerk=ticket.clerk, grade=grade)
    return [rated, *cases.follow_up(state, ticket, grade, now_ms)]


def _finished_last(state: HallState, command: c.RateAtWindow, now_ms: int) -> Ticket:
    """Give the visit that the window finished last; when a tablet names one, only that one and only in time."""
    last = window_at(state, command.window).last_finished
    if last is None and command.ticket is None:
        raise Refusal(Code.ILLEGAL_MOVE, NO_TICKET, window=command.window)
    if last is None or command.ticket not in (None, last):
        raise Refusal(Code.RATING_OVER)
    ticket = state.tickets[last]
    if command.ticket is not None and seconds(ticket.finished_ms, now_ms) > state.plan.ratings.at_window_s:
        raise Refusal(Code.RATING_OVER)
    return ticket


def _open_window(state: HallState, command: c.OpenWindow) -> list[e.Event]:
    window = staffed_window(state, command.window)
    if window.clerk == command.clerk:
        raise Refusal(Code.WINDOW_OPEN, window=command.window)
    if window.clerk is not None:
        raise Refusal(Code.WINDOW_TAKEN, window=command.window, clerk=window.clerk)
    if not command.several:
        clerk_is_free(state, command.clerk)
    return [e.WindowOpened(window=command.window, clerk=command.clerk)]


def _assign(state: HallState, command: c.AssignServices) -> list[e.Event]:
    window_at(state, command.window)
    serves = tuple(dict.fromkeys(known_service(state, service) for service in command.serves))
    relief = tuple(dict.fromkeys(known_service(state, service) for service in command.relief if service not in serves))
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
        waited_s=seconds(ticket.joined_ms, first_call_ms),
        call_count=1,  # each call has its own recalls: who was missed or held must not come back to none left
        why=why,
        reason=reason,
    )


def _finished(
    state: HallState, ticket: Ticket, window: WindowNo, now_ms: int, *, next_leg: ServiceId | None = None
) -> e.TicketFinished | e.LegFinished:
    if next_leg is not None and next_leg not in ticket.legs_planned:
        raise Refusal(
            Code.LEG_NOT_PLANNED, service=name_in_both(state, known_service(state, next_leg)), label=ticket.label
        )
    serve_s, hold_s = times_at_window(ticket, now_ms)
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


def _free_window(state: HallState, no: WindowNo, now_ms: int, *, finish: bool) -> list[e.Event]:
    """Make sure a window can call; with `finish` its current ticket is finished in the same commit."""
    window = window_at(state, no)
    if finish and window.current is not None:
        if window.paused is not None:  # left alone beside its visitor: first somebody says that the window is manned
            raise Refusal(Code.WINDOW_PAUSED, window=no)
        return [_finished(state, state.tickets[window.current], no, now_ms)]
    idle_window(state, no)
    return []
