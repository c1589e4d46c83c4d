"""Giving a number: who may have one now, which it is, and what the visitor is told."""

from datetime import date

from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import (
    check_hours,
    check_last_ticket,
    check_quota,
    name_in_both,
)
from server.domain.checks import known_service, serving_window
from server.domain.forecast import eta, open_windows
from server.domain.lifecycle import FINAL
from server.domain.refusals import Code, Refusal
from server.domain.routing import ahead_of_newcomer
from server.domain.state import HallState
from server.domain.terms import LEGS_MAX, ORDINARY, AppointmentId, ServiceId, label_of, ticket_id_of


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
            raise Refusal(Code.ALREADY_WAITING, label=held.label)
    check_hours(state, service, now_ms)
    check_quota(state, service, now_ms)
    planned = state.plan.service[service]
    number = state.numbers.get(planned.prefix, planned.first - 1) + 1
    if number > planned.last:
        raise Refusal(Code.QUOTA_FULL, service=name_in_both(state, service))
    label = label_of(planned.prefix, number)
    legs = legs_of(state, service, command.legs, done=0) if command.legs else ()
    ahead = ahead_of_newcomer(state, service, priority, now_ms)
    expected = eta(state, service, ahead)
    check_last_ticket(state, service, now_ms, expected)
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
            eta_p50_s=expected.p50_s if expected else None,
            eta_p80_s=expected.p80_s if expected else None,
            windows=windows,
            window=command.window,
            language=command.language,
            channel=command.channel,
            kiosk=command.kiosk,
            visitor=command.visitor,
            base_url=command.base_url,
            case_number=command.case_number,
            appointment=appointment,
        ),
        *(joint if len(legs) > 1 else ()),
    ]


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
