"""Giving a number: who may have one now, which it is, and what the visitor is told."""

from datetime import date
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import (
    check_hours,
    check_kiosk,
    check_last_ticket,
    check_quota,
    name_in_both,
)
from server.domain.checks import known_service, serving_window
from server.domain.forecast import expected, open_windows
from server.domain.lifecycle import FINAL
from server.domain.lookahead import Newcomer
from server.domain.refusals import AWAY_FOR_PAPERS, Code, Refusal
from server.domain.routing import ahead_of_newcomer
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    LEGS_MAX,
    ORDINARY,
    AppointmentId,
    AwayFor,
    Service,
    ServiceId,
    ServiceKind,
    label_of,
    ticket_id_of,
)


def issue(
    state: HallState, command: c.IssueTicket, now_ms: int, *, appointment: AppointmentId | None = None
) -> list[e.Event]:
    """Give the events of a number, or refuse: hours, quotas, limits, a number that the same visitor holds already."""
    service = known_service(state, command.service)
    priority = command.priority or ORDINARY
    if priority not in state.plan.priority:
        raise Refusal(Code.PRIORITY_NOT_FOUND, priority=priority)
    windows = state.windows_of(service)
    if command.window is not None:
        serving_window(state, command.window, service)
        windows = (command.window,)
    if command.visitor is not None:
        before = state.visitors.get((command.visitor, service))
        if before is not None and (held := state.tickets[before]).status not in FINAL:
            raise _has_one(held)
    case_number = command.case_number.strip() or _ready_case(state, service, command.visitor)
    _check_case(state, service, case_number, unlisted=command.unlisted)
    if appointment is None:  # hours and quotas are for those who come without one
        check_hours(state, service, now_ms)
        check_quota(state, service, now_ms)
        check_kiosk(state, command.kiosk)
    planned = state.plan.service[service]
    number = next_number(state, planned)
    if number > planned.last:
        raise Refusal(Code.QUOTA_FULL, service=name_in_both(state, service))
    label = label_of(planned.prefix, number)
    wanted = command.legs or planned.legs  # a joint matter plans its legs by itself
    legs = legs_of(state, service, wanted, done=0) if wanted else ()
    ahead = ahead_of_newcomer(state, service, priority, now_ms)
    eta = None
    if command.foretell:
        eta = expected(state, Newcomer(service=service, window=command.window, priority=priority), now_ms)
    if appointment is None:
        check_last_ticket(state, service, now_ms, eta)
    id_ = ticket_id_of(date.fromisoformat(state.day or ""), label)
    joint = [
        e.LegsPlanned(ticket=id_, label=label, window=None, services=legs, done=(), unserved=unserved(state, legs))
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
            eta_p50_s=eta.p50_s if eta else None,
            eta_p80_s=eta.p80_s if eta else None,
            eta_low_s=eta.low_s if eta else None,
            eta_high_s=eta.high_s if eta else None,
            eta_seen_s=eta.seen_s if eta else None,
            eta_width_s=eta.width_s if eta else None,
            windows=windows,
            window=command.window,
            language=command.language,
            channel=command.channel,
            kiosk=command.kiosk,
            visitor=command.visitor,
            base_url=command.base_url,
            case_number=case_number,
            appointment=appointment,
        ),
        *(joint if len(legs) > 1 else ()),
    ]


def next_number(state: HallState, service: Service) -> int:
    """Give the next number of a service's series; blocks that were leased today are passed over."""
    number = state.numbers.get(service.prefix, service.first - 1) + 1
    while lease := next((it for it in state.leases.values() if it.holds(service.prefix, number)), None):
        number = lease.last + 1
    return number


def _check_case(state: HallState, service: ServiceId, case_number: str, *, unlisted: bool) -> None:
    """Refuse a second number for one case, and a pickup number for a result that is not ready here.

    Of a case that the hall never heard of nobody knows whether there is anything to collect: who asks hears so before
    waiting for nothing. With `unlisted` somebody knows better: the result came by another way.
    """
    if not case_number:
        return
    pickup = state.plan.service[service].kind is ServiceKind.PICKUP
    for ticket in state.tickets.values():
        if ticket.case_number != case_number or ticket.status in FINAL:
            continue
        if ticket.service == service:
            raise _has_one(ticket)
        if pickup and case_number not in state.results:
            raise Refusal(Code.RESULT_NOT_READY, case=case_number)
    if pickup and case_number not in state.results and not unlisted:
        raise Refusal(Code.RESULT_UNKNOWN, case=case_number)


def _has_one(ticket: Ticket) -> Refusal:
    """Give the refusal for a visitor who has an open number for this: waiting, or away with leave."""
    match ticket.away_for:
        case AwayFor.PAPERS:
            return Refusal(Code.ALREADY_WAITING, AWAY_FOR_PAPERS, label=ticket.label)
        case AwayFor.RESULT:
            return Refusal(Code.RESULT_NOT_READY, case=ticket.case_number or ticket.label)
        case None:
            return Refusal(Code.ALREADY_WAITING, label=ticket.label)
        case _:
            assert_never(ticket.away_for)


def _ready_case(state: HallState, service: ServiceId, visitor: str | None) -> str:
    """Give the case number of what lies ready here for a visitor who names none; empty when nothing does."""
    ready = (it for it in state.results.values() if visitor is not None and it.visitor == visitor)
    return next((it.case_number for it in ready if it.pickup == service), "")


def legs_of(
    state: HallState, active: ServiceId, services: tuple[ServiceId, ...], *, done: int
) -> tuple[ServiceId, ...]:
    """Give the active leg and those after it, or refuse. A done service may come again: the visitor goes back there."""
    legs = tuple(known_service(state, service) for service in services)
    if legs[0] != active:
        legs = (active, *legs)
    if done + len(legs) > LEGS_MAX:
        raise Refusal(Code.TOO_MANY_LEGS, count=str(LEGS_MAX))
    for index, service in enumerate(legs):
        if service in legs[:index]:
            raise Refusal(Code.LEG_REPEATED, service=name_in_both(state, service))
    return legs


def unserved(state: HallState, services: tuple[ServiceId, ...]) -> tuple[ServiceId, ...]:
    """Give those of the services that no window at work serves or relieves now."""
    return tuple(service for service in services if not open_windows(state, service))
