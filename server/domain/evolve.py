"""`evolve` folds one event into the hall's state. Nothing else changes a state; what is in the ledger has happened."""

from datetime import date
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
from server.domain import events as e
from server.domain.habits import Span
from server.domain.state import (
    MS_PER_MIN,
    PROMPT_MS,
    HallState,
    Slip,
    Ticket,
    WindowState,
    ZoneCount,
    announce,
    arrive,
    change_service,
    count_call,
    count_served,
    leave_window,
    long_ago_ms,
    meet,
    wait,
)
from server.domain.terms import DoneLeg, TicketId, TicketStatus, ZoneId


def evolve(state: HallState, event: e.Event, *, at_ms: int) -> None:
    """Fold one event into the state. Never refuses: what is in the ledger has happened."""
    state.last_ms = max(state.last_ms, at_ms)
    _count_event(state, event)
    slip = slips.begin(state, event, at_ms)
    match event:
        case e.HallPlanned():
            settings.evolve(state, event, at_ms)
        case e.DayOpened():
            _open_day(state, event.day, at_ms)
        case e.DayClosed():
            state.day_open = False
        case e.TicketIssued():
            _issue(state, event, at_ms)
        case e.TicketCalled():
            _call(state, event, at_ms)
            rebalance.count_call(state, event.zone, event.waited_s)
        case e.TicketRecalled():
            ticket = state.tickets[event.ticket]
            ticket.call_count = event.call_count
            announce(state, ticket, event.window, at_ms)
        case e.ServingStarted():
            ticket = state.tickets[event.ticket]
            ticket.status = TicketStatus.SERVING
            meet(ticket, event.window)
            if ticket.started_ms is None:
                ticket.started_ms = at_ms
            elif ticket.called_ms is not None:  # back from hold: the way back to the window is no service
                ticket.hold_total_ms += at_ms - ticket.called_ms
            state.windows[event.window].since_ms = at_ms
        case e.TicketFinished():
            _finish(state, event, at_ms, slip)
        case e.LegsPlanned():
            ticket = state.tickets[event.ticket]
            ticket.legs_planned = event.services[1:]
            meet(ticket, event.window)
        case e.LegFinished():
            _finish_leg(state, event, at_ms)
        case e.TicketMissed():
            _did_not_come(state, event.ticket, at_ms, slip)
            ticket = leave_window(state, event.ticket, TicketStatus.MISSED, at_ms)
            ticket.missed_ms = at_ms
            state.windows[event.window].missed.append(ticket.id)
        case e.TicketReinstated():
            ticket = leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
            ticket.reinstated, ticket.call_count = ticket.reinstated + 1, 0
            wait(state, ticket, since_ms=event.since_ms)
        case e.NoShowRecorded():
            _did_not_come(state, event.ticket, at_ms, slip)
            ticket = leave_window(state, event.ticket, TicketStatus.NO_SHOW, at_ms)
            state.zones[ticket.zone].no_show += 1
        case e.TicketReturned():
            ticket = leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
            ticket.call_count = 0
            wait(state, ticket, since_ms=ticket.since_ms)
        case e.MoveUndone():
            slips.evolve(state, event, at_ms=at_ms)
        case e.TicketHeld():
            ticket = leave_window(state, event.ticket, TicketStatus.HELD, at_ms)
            ticket.held_ms, ticket.window, ticket.reason = at_ms, event.window, event.reason
            meet(ticket, event.window)
            state.windows[event.window].held.append(ticket.id)
        case e.TicketResumed():
            _resume(state, event, at_ms)
        case e.TicketTransferred():
            _transfer(state, event, at_ms)
        case e.TicketCancelled():
            leave_window(state, event.ticket, TicketStatus.CANCELLED, at_ms)
        case e.TicketExpired():
            leave_window(state, event.ticket, TicketStatus.EXPIRED, at_ms)
        case e.ReprintRequested():
            pass
        case e.TicketRated():
            state.tickets[event.ticket].grade = event.grade
        case e.WindowOpened():
            window = state.windows[event.window]
            window.clerk, window.paused, window.since_ms, window.prompt = event.clerk, None, at_ms, 0
            _note_staff(state, window, at_ms)
        case e.WindowPaused():
            window = state.windows[event.window]
            window.paused, window.pause_note, window.since_ms = event.reason, event.note, at_ms
            window.paused_ms = at_ms
            _note_staff(state, window, at_ms)
        case e.WindowResumed():
            window = state.windows[event.window]
            window.paused, window.pause_note = None, ""
            if window.current is None:  # one left alone beside its visitor calls or serves as before
                window.since_ms = at_ms
            _note_staff(state, window, at_ms)
        case e.WindowClosed():
            window = state.windows[event.window]
            window.clerk, window.paused, window.pause_note, window.since_ms = None, None, "", at_ms
            _note_staff(state, window, at_ms)
        case e.ServicesAssigned():
            window = state.windows[event.window]
            for service in sorted({*window.serves, *window.relief} ^ {*event.serves, *event.relief}):
                if service in state.plan.service:
                    window.switched_ms[state.plan.service[service].zone] = at_ms
            window.serves, window.relief = event.serves, event.relief
        case e.NoticeGiven() | e.ResultAwaited() | e.ResultReady() | e.TicketBack() | e.CaseNumberNoted():
            away.evolve(state, event, at_ms=at_ms)
        case e.AppointmentBooked() | e.AppointmentCancelled() | e.AppointmentKept() | e.AppointmentMissed():
            appointments.evolve(state, event, at_ms=at_ms)
        case e.WindowHandedOver() | e.HeldMoved() | e.WindowLeftAlone():
            staff.evolve(state, event, at_ms=at_ms)
            _note_staff(state, state.windows[event.window], at_ms)
        case e.RollAnnounced() | e.RollEnded():
            rolls.evolve(state, event)
        case e.BlockLeased() | e.BlockReturned():
            leases.evolve(state, event, at_ms=at_ms)
        case e.Announced() | e.AnnouncementEnded():
            announcements.evolve(state, event, at_ms=at_ms)
        case (
            e.BalanceApplied()
            | e.BalanceDeclined()
            | e.BalanceUndone()
            | e.BalanceJudged()
            | e.BalanceLimitsSet()
            | e.ReliefCalled()
            | e.ReliefEnded()
            | e.TideTurned()
        ):
            rebalance.evolve(state, event, at_ms=at_ms)
        case (
            e.CaseOpened()
            | e.CaseLogged()
            | e.CaseFinished()
            | e.CaseWithdrawn()
            | e.CaseHandedOver()
            | e.CaseReceived()
            | e.CaseTaken()
            | e.CaseHandoverConfirmed()
            | e.CaseReportedBack()
            | e.CaseHandoverDue()
            | e.CaseOverdue()
            | e.CaseAppealed()
            | e.AppealDecided()
        ):
            cases.evolve(state, event, at_ms=at_ms)
        case _:
            assert_never(event)
    if slip is not None:
        state.windows[slip.window].slip = slip


def _count_event(state: HallState, event: e.Event) -> None:
    """Count what happens to a visit: whoever remembers the count knows whether anything has happened since."""
    id_: TicketId | None = getattr(event, "ticket", None)
    if id_ is not None and (ticket := state.tickets.get(id_)) is not None:
        ticket.events += 1


def _open_day(state: HallState, day: str, at_ms: int) -> None:
    state.day, state.day_open = day, True
    stores = (state.tickets, state.labels, state.tracks, state.visitors, state.numbers, state.issued, state.lanes)
    for store in (*stores, state.in_a_row, state.kiosk_issued, state.rolls, state.leases):
        store.clear()
    state.recent.clear()
    for window in state.windows.values():
        window.held, window.missed, window.away, window.last_finished, window.slip = [], [], [], None, None
        window.served_today = window.busy_s_today = 0
        window.last_zone = None
    state.zones = {zone: ZoneCount() for zone in state.zones}
    state.learned.begin_day(state.plan)
    _begin_habits(state, day)
    cases.begin_day(state, day)
    rebalance.begin_day(state)
    away.forget_old(state, at_ms)
    appointments.forget_old(state, day)


def _begin_habits(state: HallState, day: str) -> None:
    """Tell the habits that a day begins, and which hours are announced for it."""
    plan, date_ = state.plan, date.fromisoformat(day)
    midnight_ms = calendar.midnight_ms(plan, date_)
    hours: dict[ZoneId, list[Span]] = {}
    for service in plan.services:
        if service.zone not in hours and not calendar.has_no_hours(plan, service.id):
            spans = calendar.office_spans(plan, service.id, date_)
            hours[service.zone] = [
                ((opens - midnight_ms) // MS_PER_MIN, (closes - midnight_ms) // MS_PER_MIN) for opens, closes in spans
            ]
    state.habits.begin_day(midnight_ms, hours, plan.zone.keys())


def _note_staff(state: HallState, window: WindowState, at_ms: int) -> None:
    state.habits.staffed(window.no, at_ms, is_staffed=window.clerk is not None and window.paused is None)


def _issue(state: HallState, event: e.TicketIssued, at_ms: int) -> None:
    given_ms = at_ms if event.pressed_ms is None else event.pressed_ms
    ticket = Ticket(
        id=event.ticket,
        label=event.label,
        number=event.number,
        order=len(state.tickets),
        service=event.service,
        zone=event.zone,
        priority=event.priority,
        track=event.track,
        windows=event.windows,
        issued_ms=given_ms,
        since_ms=given_ms,
        joined_ms=given_ms,
        ahead=event.ahead,
        eta_p50_s=event.eta_p50_s,
        eta_p80_s=event.eta_p80_s,
        eta_low_s=event.eta_low_s,
        eta_high_s=event.eta_high_s,
        eta_seen_s=event.eta_seen_s,
        eta_width_s=event.eta_width_s,
        channel=event.channel,
        kiosk=event.kiosk,
        language=event.language,
        visitor=event.visitor,
        base_url=event.base_url,
        bound=event.window,
        case_number=event.case_number,
        appointment=event.appointment,
    )
    state.tickets[ticket.id] = ticket
    state.labels[ticket.label] = ticket.id
    state.tracks[ticket.track] = ticket.id
    if ticket.visitor is not None:
        state.visitors[ticket.visitor, ticket.service] = ticket.id
    if not leases.count_given(state, event, at_ms):
        state.numbers[event.prefix] = event.number
    of_roll = event.prefix != state.plan.service[event.service].prefix
    if event.appointment is None and not of_roll:  # the quotas are for those who could be told that there is no number
        state.issued.setdefault(ticket.service, []).append(at_ms)
    rolls.count_given(state, event.prefix, event.number)
    state.habits.joins(ticket.zone, ticket.service, ticket.priority, at_ms)
    state.zones[ticket.zone].issued += 1
    if ticket.kiosk is not None:
        state.kiosk_issued[ticket.kiosk] = state.kiosk_issued.get(ticket.kiosk, 0) + 1
    wait(state, ticket, since_ms=given_ms)


def _call(state: HallState, event: e.TicketCalled, at_ms: int) -> None:
    ticket = state.tickets[event.ticket]
    leave_window(state, ticket.id, TicketStatus.CALLED, at_ms)
    if ticket.first_called_ms is None:
        ticket.first_called_ms = at_ms
        count = state.zones[ticket.zone]
        count.called += 1
        count.wait_s += event.waited_s
        _judge_forecast(state, ticket, event)
    ticket.called_ms, ticket.waited_s, ticket.call_count = at_ms, event.waited_s, event.call_count
    ticket.why, ticket.reason = event.why, event.reason
    ticket.clear_min, ticket.own_clear_min = event.clear_min, event.own_clear_min
    window = state.windows[event.window]
    window.last_zone = event.zone
    window.prompt = window.prompt + 1 if at_ms - max(ticket.joined_ms, window.since_ms) <= PROMPT_MS else 0
    if event.why != "chosen":  # a call out of turn is nobody's turn
        waited_long = ticket.since_ms < long_ago_ms(state, at_ms)
        count_call(state.in_a_row, event.zone, event.priority, waited_long=waited_long)
    arrive(state, ticket, event.window, at_ms)


def _judge_forecast(state: HallState, ticket: Ticket, event: e.TicketCalled) -> None:
    """Learn how wrong the number's forecast was: of the first leg only, and of nobody called out of turn."""
    if ticket.eta_seen_s is None or ticket.eta_width_s is None or ticket.legs_done or event.why == "chosen":
        return
    state.calibration.add(seen_s=ticket.eta_seen_s, width_s=ticket.eta_width_s, waited_s=event.waited_s)


def _did_not_come(state: HallState, id_: TicketId, at_ms: int, slip: Slip | None) -> None:
    """Learn from a call to which nobody came; who was held or missed before has been learned from already."""
    ticket = state.tickets[id_]
    if ticket.status is TicketStatus.CALLED and ticket.called_ms is not None:
        lesson = state.learned.did_not_come(ticket.service, (at_ms - ticket.called_ms) / 1000)
        if slip is not None:
            slip.lessons = (lesson,)


def _resume(state: HallState, event: e.TicketResumed, at_ms: int) -> None:
    ticket = state.tickets[event.ticket]
    if ticket.held_ms is not None and ticket.started_ms is not None:
        ticket.hold_total_ms += at_ms - ticket.held_ms
    leave_window(state, ticket.id, TicketStatus.CALLED, at_ms)
    ticket.called_ms, ticket.call_count = at_ms, event.call_count
    arrive(state, ticket, event.window, at_ms)


def _finish(state: HallState, event: e.TicketFinished, at_ms: int, slip: Slip | None) -> None:
    ticket = leave_window(state, event.ticket, TicketStatus.FINISHED, at_ms)
    ticket.finished_ms, ticket.window = at_ms, event.window
    state.windows[event.window].last_finished = ticket.id
    meet(ticket, event.window)
    lessons, results = count_served(state, event, ticket.zone), away.collect(state, ticket)
    if slip is not None:
        slip.lessons, slip.results = lessons, results


def _finish_leg(state: HallState, event: e.LegFinished, at_ms: int) -> None:
    ticket = leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
    state.windows[event.window].last_finished = None  # else a press on its pad would grade the visitor before this one
    meet(ticket, event.window)
    count_served(state, event, ticket.zone)
    state.zones[ticket.zone].legs += 1
    ticket.legs_done.append(DoneLeg(service=event.service, window=event.window, finished_ms=at_ms))
    ticket.legs_planned = tuple(leg for leg in ticket.legs_planned if leg != event.next_service)
    ticket.joined_ms, ticket.call_count = at_ms, 0
    ticket.called_ms = ticket.first_called_ms = ticket.waited_s = ticket.bound = None
    change_service(state, ticket, event.next_service, event.zone)
    state.habits.joins(ticket.zone, ticket.service, ticket.priority, at_ms)
    wait(state, ticket, since_ms=event.since_ms)


def _transfer(state: HallState, event: e.TicketTransferred, at_ms: int) -> None:
    ticket = leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
    meet(ticket, event.window)
    # Sent on to a leg planned for later: the two change places, so that none is lost.
    ticket.legs_planned = tuple(ticket.service if leg == event.service else leg for leg in ticket.legs_planned)
    change_service(state, ticket, event.service, event.zone)
    ticket.bound, ticket.call_count = event.to_window, 0
    ticket.note = event.reason or ticket.note
    state.habits.joins(ticket.zone, ticket.service, ticket.priority, at_ms)
    wait(state, ticket, since_ms=event.since_ms)
