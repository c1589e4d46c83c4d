"""A visit that is paused away from the windows: for missing papers (一次告知) or for a result (受办分离).

Who fetches papers keeps the place in the order: back in the hall, the visit waits as if it had never left. Who awaits a
result has done a leg at the intake window; the pickup is the next leg of the same visit under the same label, waiting
from the moment the back office has decided, and always the last: other legs go first. A result that nobody here awaits
any more is kept over the days until it is collected. Sources: 行政许可法 art. 32 (all that is missing is said once);
关于深入推进审批服务便民化的指导意见 (2018): 前台综合受理、后台分类审批、综合窗口出件.
"""

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import at_window, by_label, check_here, known_service, known_ticket, times_at_window
from server.domain.lifecycle import Move
from server.domain.records import Result
from server.domain.refusals import Code, Refusal
from server.domain.state import MS_PER_MIN, HallState, Ticket, change_service, count_served, leave_window, meet, wait
from server.domain.terms import (
    LEG_AGE_MAX_MIN,
    LEGS_MAX,
    AwayFor,
    DoneLeg,
    ServiceId,
    ServiceKind,
    TicketStatus,
)

Command = c.GiveNotice | c.AwaitResult | c.ReportResult | c.ComeBack | c.NoteCaseNumber
Event = e.NoticeGiven | e.ResultAwaited | e.ResultReady | e.TicketBack | e.CaseNumberNoted

ITEMS_MAX = 20  # missing papers on one slip
ITEM_COLUMNS_MAX = 60  # of one of them; a Chinese character takes two
RESULT_KEPT_DAYS = 180  # a result that nobody collected is then off the list; a desk may still give a number


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    match command:
        case c.GiveNotice():
            return [_noticed(state, command, now_ms)]
        case c.AwaitResult():
            return _await(state, command, now_ms)
        case c.ReportResult():
            return _report(state, command, now_ms)
        case c.ComeBack():
            return [_come_back(state, command)]
        case c.NoteCaseNumber():
            return _note(state, command, now_ms)


def _noticed(state: HallState, command: c.GiveNotice, now_ms: int) -> e.NoticeGiven:
    ticket = at_window(state, command.window, command.ticket, Move.SEND_AWAY if command.away else Move.NOTICE)
    items = tuple(item for line in command.items if (item := line.strip()))
    if not items:
        raise Refusal(Code.NOTICE_EMPTY)
    if len(items) > ITEMS_MAX or any(_columns(item) > ITEM_COLUMNS_MAX for item in items):
        raise Refusal(
            Code.NOTICE_TOO_LONG, count=str(ITEMS_MAX), columns=str(ITEM_COLUMNS_MAX), han=str(ITEM_COLUMNS_MAX // 2)
        )
    serve_s, hold_s = times_at_window(ticket, now_ms)
    return e.NoticeGiven(
        ticket=ticket.id,
        label=ticket.label,
        window=command.window,
        service=ticket.service,
        items=items,
        note=command.note.strip(),
        away=command.away,
        serve_s=serve_s,
        hold_s=hold_s,
        call_count=ticket.call_count,
    )


def _await(state: HallState, command: c.AwaitResult, now_ms: int) -> list[e.Event]:
    """The pickup is always the last leg: other legs go first. A result that is there already is not waited for."""
    ticket = at_window(state, command.window, command.ticket, Move.SEND_AWAY)
    if ticket.legs_planned:
        raise Refusal(Code.LEGS_LEFT, label=ticket.label)
    if len(ticket.legs_done) + 2 > LEGS_MAX:  # this one and the pickup
        raise Refusal(Code.TOO_MANY_LEGS, count=str(LEGS_MAX))
    pickup = _pickup(state, command.pickup, ticket.service)
    case_number = command.case_number.strip() or ticket.case_number
    serve_s, hold_s = times_at_window(ticket, now_ms)
    awaited = e.ResultAwaited(
        ticket=ticket.id,
        label=ticket.label,
        window=command.window,
        service=ticket.service,
        serve_s=serve_s,
        hold_s=hold_s,
        call_count=ticket.call_count,
        pickup=pickup,
        zone=state.plan.service[pickup].zone,
        case_number=case_number,
    )
    ready = any(_is_of(result, ticket, case_number) for result in state.results.values())
    return [awaited, _back_for_result(state, ticket, pickup, now_ms)] if ready else [awaited]


def _report(state: HallState, command: c.ReportResult, now_ms: int) -> list[e.Event]:
    case_number = command.case_number.strip()
    ticket = _meant(state, command, case_number)
    awaits = ticket is not None and ticket.away_for is AwayFor.RESULT
    if ticket is not None and awaits and command.pickup is None:
        pickup = ticket.service
    else:
        pickup = _pickup(state, command.pickup, ticket.service if ticket else None)
    ready = e.ResultReady(
        case_number=case_number,
        pickup=pickup,
        visitor=command.visitor or (ticket.visitor if ticket else None),
        ticket=ticket.id if ticket else command.ticket,
        label=ticket.label if ticket else None,
        note=command.note.strip(),
    )
    return [ready, _back_for_result(state, ticket, pickup, now_ms)] if ticket is not None and awaits else [ready]


def _meant(state: HallState, command: c.ReportResult, case_number: str) -> Ticket | None:
    """Give the ticket of today a result is for: the named one, else who awaits this number, else this visitor."""
    if command.ticket is not None:
        return state.tickets.get(command.ticket)  # of another day: the result waits for a pickup number
    if command.label is not None:
        return state.tickets[by_label(state, command.label)]
    awaiting = [ticket for ticket in state.tickets.values() if ticket.away_for is AwayFor.RESULT]
    by_case = (ticket for ticket in awaiting if ticket.case_number == case_number)
    by_visitor = (
        it for it in awaiting if not it.case_number and it.visitor is not None and it.visitor == command.visitor
    )
    return next(by_case, None) or next(by_visitor, None)


def _come_back(state: HallState, command: c.ComeBack) -> e.TicketBack:
    ticket = known_ticket(state, command.ticket, Move.COME_BACK)
    if ticket.away_for is AwayFor.RESULT:
        raise Refusal(Code.RESULT_NOT_READY, case=ticket.case_number or ticket.label)
    return e.TicketBack(
        ticket=ticket.id,
        label=ticket.label,
        service=ticket.service,
        zone=ticket.zone,
        since_ms=ticket.arrival_ms,
        why=AwayFor.PAPERS,
    )


def _note(state: HallState, command: c.NoteCaseNumber, now_ms: int) -> list[e.Event]:
    ticket = known_ticket(state, command.ticket, None)
    if command.window is not None:
        check_here(ticket, command.window)
    case_number = command.case_number.strip()
    noted = e.CaseNumberNoted(
        ticket=ticket.id, label=ticket.label, case_number=case_number, matter_code=command.matter_code.strip()
    )
    if ticket.away_for is AwayFor.RESULT and case_number in state.results:
        return [noted, _back_for_result(state, ticket, ticket.service, now_ms)]
    return [noted]


def _back_for_result(state: HallState, ticket: Ticket, pickup: ServiceId, now_ms: int) -> e.TicketBack:
    """The pickup is a later leg: it waits as old as `Ticket.arrival_ms` lets a leg that begins now be."""
    return e.TicketBack(
        ticket=ticket.id,
        label=ticket.label,
        service=pickup,
        zone=state.plan.service[pickup].zone,
        since_ms=max(ticket.issued_ms, now_ms - LEG_AGE_MAX_MIN * MS_PER_MIN),
        why=AwayFor.RESULT,
    )


def _pickup(state: HallState, named: ServiceId | None, after: ServiceId | None) -> ServiceId:
    """Give the service that hands a result out: the named one, else the nearest of that kind (tenant, then zone)."""
    if named is not None:
        return known_service(state, named)
    own = state.plan.service[after] if after is not None else None
    of_kind = [service for service in state.plan.services if service.kind is ServiceKind.PICKUP]
    if not of_kind:
        raise Refusal(Code.NO_PICKUP)
    if own is None:
        return of_kind[0].id
    return min(of_kind, key=lambda service: (service.tenant != own.tenant, service.zone != own.zone)).id


def _columns(text: str) -> int:
    """Give the width on paper, at most: everything but plain letters takes two columns."""
    return sum(1 if letter.isascii() else 2 for letter in text)


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    match event:
        case e.NoticeGiven():
            ticket = state.tickets[event.ticket]
            ticket.notice, ticket.note = event.items, event.note or ticket.note
            meet(ticket, event.window)
            if event.away:
                _send_away(state, ticket, event, AwayFor.PAPERS, at_ms)
                state.windows[event.window].busy_s_today += event.serve_s
        case e.ResultAwaited():
            ticket = state.tickets[event.ticket]
            meet(ticket, event.window)
            count_served(state, event, ticket.zone)
            state.zones[ticket.zone].legs += 1
            _send_away(state, ticket, event, AwayFor.RESULT, at_ms)
            ticket.legs_done.append(DoneLeg(service=event.service, window=event.window, finished_ms=at_ms))
            ticket.called_ms = ticket.first_called_ms = ticket.waited_s = ticket.bound = None
            ticket.case_number, ticket.joined_ms = event.case_number, at_ms
            change_service(state, ticket, event.pickup, event.zone)
        case e.ResultReady():
            state.results[event.case_number] = Result(
                case_number=event.case_number,
                pickup=event.pickup,
                visitor=event.visitor,
                ticket=event.ticket,
                ready_ms=at_ms,
                note=event.note,
            )
        case e.TicketBack():
            ticket = leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
            ticket.call_count = 0
            if event.why is AwayFor.RESULT:
                ticket.joined_ms = at_ms
                change_service(state, ticket, event.service, event.zone)
            wait(state, ticket, since_ms=event.since_ms)
        case e.CaseNumberNoted():
            ticket = state.tickets[event.ticket]
            ticket.case_number = event.case_number
            ticket.matter_code = event.matter_code or ticket.matter_code


def collect(state: HallState, ticket: Ticket) -> tuple[Result, ...]:
    """Take the results of a finished visit off the list and give them: they are in the visitor's hands."""
    collected = tuple(it for it in state.results.values() if _is_of(it, ticket, ticket.case_number))
    for result in collected:
        del state.results[result.case_number]
    return collected


def forget_old(state: HallState, at_ms: int) -> None:
    """Take results that nobody collected for `RESULT_KEPT_DAYS` off the list."""
    since_ms = at_ms - RESULT_KEPT_DAYS * 24 * 60 * MS_PER_MIN
    for number in [it.case_number for it in state.results.values() if it.ready_ms < since_ms]:
        del state.results[number]


def _is_of(result: Result, ticket: Ticket, case_number: str) -> bool:
    """Say whether a result is this visit's, by case number or because it was reported for this ticket."""
    return result.ticket == ticket.id or (bool(case_number) and result.case_number == case_number)


def _send_away(
    state: HallState, ticket: Ticket, event: e.NoticeGiven | e.ResultAwaited, why: AwayFor, at_ms: int
) -> None:
    leave_window(state, ticket.id, TicketStatus.AWAY, at_ms)
    window = state.windows[event.window]
    window.away.append(ticket.id)
    window.last_finished = None  # else a press on its pad would grade the visitor before this one
    ticket.window, ticket.away_for, ticket.away_ms, ticket.call_count = event.window, why, at_ms, 0
