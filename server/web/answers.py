"""Answers to commands, drawn from their commit alone: a repeated request gets the very same answer."""

from collections.abc import Sequence
from typing import Any, TypeVar

from server.domain import events as e
from server.domain.appointments import check_in_from_ms, check_in_until_ms
from server.domain.terms import HallPlan, LegStatus, TicketStatus, WindowStatus
from server.ledger.base import Commit
from server.projections.common import EtaView, floor_of_service, instant, service_name, told, track_url, zone_of_service
from server.web import wire

_E = TypeVar("_E")

Moving = (
    e.TicketRecalled
    | e.ServingStarted
    | e.TicketFinished
    | e.LegFinished
    | e.TicketMissed
    | e.NoShowRecorded
    | e.TicketReturned
    | e.MoveUndone
    | e.TicketHeld
    | e.TicketResumed
    | e.TicketTransferred
)
STATUS_AFTER: dict[type[e.Event], TicketStatus] = {
    e.TicketRecalled: TicketStatus.CALLED,
    e.ServingStarted: TicketStatus.SERVING,
    e.TicketFinished: TicketStatus.FINISHED,
    e.LegFinished: TicketStatus.WAITING,
    e.TicketMissed: TicketStatus.MISSED,
    e.NoShowRecorded: TicketStatus.NO_SHOW,
    e.TicketReturned: TicketStatus.WAITING,
    e.TicketHeld: TicketStatus.HELD,
    e.TicketResumed: TicketStatus.CALLED,
    e.TicketTransferred: TicketStatus.WAITING,
    e.TicketCancelled: TicketStatus.CANCELLED,
    e.TicketReinstated: TicketStatus.WAITING,
    e.TicketBack: TicketStatus.WAITING,
}
WINDOW_AFTER: dict[type[e.Event], WindowStatus] = {
    e.WindowOpened: WindowStatus.OPEN,
    e.WindowPaused: WindowStatus.PAUSED,
    e.WindowClosed: WindowStatus.CLOSED,
}


def issued(commit: Commit, plan: HallPlan) -> wire.IssuedTicket:
    """Give what the visitor is told."""
    event = _last(commit.events, e.TicketIssued)
    joint = next((it for it in commit.events if isinstance(it, e.LegsPlanned)), None)
    return wire.IssuedTicket(
        ticket=event.ticket,
        label=event.label,
        number=event.number,
        service=event.service,
        zone=event.zone,
        issued_at=instant(plan, commit.at_ms if event.pressed_ms is None else event.pressed_ms),
        ahead=event.ahead,
        eta=eta(told(event)),
        track_url=track_url(event.base_url, commit.hall, event.track),
        track=event.track,
        windows=list(event.windows),
        priority=event.priority,
        seq=commit.seq,
        legs=_legs(joint, plan) if joint else [],
        leg_unserved=bool(joint and joint.unserved),
    )


def eta(view: EtaView | None) -> wire.Eta | None:
    """Give an expected wait."""
    if view is None:
        return None
    return wire.Eta(p50_s=view.p50_s, p80_s=view.p80_s, low_s=view.low_s, high_s=view.high_s)


def booking(commit: Commit) -> e.AppointmentBooked:
    """Give the booking that a commit made."""
    return _last(commit.events, e.AppointmentBooked)


def booked(commit: Commit, plan: HallPlan) -> wire.BookedAppointment:
    """Give what who booked is told."""
    event = booking(commit)
    return wire.BookedAppointment(
        appointment=event.id,
        code=event.code,
        service=event.service,
        day=event.day,
        starts_at=instant(plan, event.starts_ms),
        ends_at=instant(plan, event.ends_ms),
        check_in_from=instant(plan, check_in_from_ms(plan, event.starts_ms)),
        check_in_until=instant(plan, check_in_until_ms(plan, event.ends_ms)),
        seq=commit.seq,
    )


def checked_in(commit: Commit, plan: HallPlan) -> wire.CheckedIn:
    """Give the number of a visitor who had booked."""
    event = _last(commit.events, e.AppointmentKept)
    return wire.CheckedIn(**issued(commit, plan).model_dump(), appointment=event.id, late=event.late)


def called(commit: Commit, plan: HallPlan) -> wire.Called:
    """Give who was called."""
    event = _last(commit.events, e.TicketCalled)
    return wire.Called(
        ticket=event.ticket,
        label=event.label,
        number=event.number,
        service=event.service,
        window=event.window,
        waited_s=event.waited_s,
        priority=event.priority,
        call_count=event.call_count,
        why=event.why,
        reason=event.reason or event.why,
        clear_min=event.clear_min,
        own_clear_min=event.own_clear_min,
        called_at=instant(plan, commit.at_ms),
        seq=commit.seq,
    )


def moved(commit: Commit) -> wire.Moved:
    """Give the ticket after a move at a window; a ticket that waits again is at no window."""
    event = _last_moving(commit.events)
    waits = isinstance(event, e.TicketReturned | e.TicketTransferred | e.LegFinished)
    more: dict[str, Any] = {}
    if isinstance(event, e.LegFinished):
        more = {"next_leg": event.next_service, "leg_unserved": event.unserved}
    return wire.Moved(
        ticket=event.ticket,
        label=event.label,
        status=event.status if isinstance(event, e.MoveUndone) else STATUS_AFTER[type(event)],
        window=None if waits else event.window,
        call_count=0 if isinstance(event, e.TicketReturned | e.TicketTransferred | e.LegFinished) else event.call_count,
        seq=commit.seq,
        **more,
    )


def legs_planned(commit: Commit, plan: HallPlan) -> wire.LegsPlanned:
    """Give the legs of a joint matter, those done before included."""
    event = _last(commit.events, e.LegsPlanned)
    return wire.LegsPlanned(
        ticket=event.ticket,
        label=event.label,
        legs=_legs(event, plan),
        leg_unserved=bool(event.unserved),
        seq=commit.seq,
    )


def changed(commit: Commit) -> wire.TicketChanged:
    """Give the ticket after it was cancelled or reinstated, or its visitor came back."""
    for event in reversed(commit.events):
        if isinstance(event, e.TicketCancelled | e.TicketReinstated | e.TicketBack):
            status = STATUS_AFTER[type(event)]
            return wire.TicketChanged(ticket=event.ticket, label=event.label, status=status, seq=commit.seq)
    raise AssertionError(f"commit {commit.seq} changed no ticket")


def notice_given(commit: Commit) -> wire.NoticeGiven:
    """Give what the visitor was told."""
    event = _last(commit.events, e.NoticeGiven)
    return wire.NoticeGiven(
        ticket=event.ticket,
        label=event.label,
        away=event.away,
        window=event.window,
        items=list(event.items),
        seq=commit.seq,
    )


def result_awaited(commit: Commit) -> wire.ResultAwaited:
    """Give the visit that waits for its result."""
    event = _last(commit.events, e.ResultAwaited)
    return wire.ResultAwaited(
        ticket=event.ticket,
        label=event.label,
        status=TicketStatus.WAITING if _is_back(commit) else TicketStatus.AWAY,
        pickup=event.pickup,
        case_number=event.case_number,
        seq=commit.seq,
    )


def result_reported(commit: Commit) -> wire.ResultReported:
    """Give the result that was kept."""
    event = _last(commit.events, e.ResultReady)
    return wire.ResultReported(
        case_number=event.case_number,
        pickup=event.pickup,
        ticket=event.ticket,
        label=event.label,
        back=_is_back(commit),
        seq=commit.seq,
    )


def case_noted(commit: Commit) -> wire.CaseNoted:
    """Give the case that a visit belongs to."""
    event = _last(commit.events, e.CaseNumberNoted)
    return wire.CaseNoted(
        ticket=event.ticket,
        label=event.label,
        case_number=event.case_number,
        matter_code=event.matter_code,
        back=_is_back(commit),
        seq=commit.seq,
    )


def reprinted(commit: Commit) -> wire.Reprinted:
    """Give the ticket that is printed again."""
    event = _last(commit.events, e.ReprintRequested)
    return wire.Reprinted(ticket=event.ticket, label=event.label, seq=commit.seq)


def rated(commit: Commit) -> wire.Rated:
    """Give the grade that was kept."""
    event = _last(commit.events, e.TicketRated)
    return wire.Rated(ticket=event.ticket, label=event.label, window=event.window, grade=event.grade, seq=commit.seq)


def window_changed(commit: Commit) -> wire.WindowChanged:
    """Give the window after it was opened, paused, resumed or closed."""
    for event in reversed(commit.events):
        if isinstance(event, e.WindowOpened | e.WindowPaused | e.WindowResumed | e.WindowClosed):
            status = event.status if isinstance(event, e.WindowResumed) else WINDOW_AFTER[type(event)]
            return wire.WindowChanged(window=event.window, status=status, seq=commit.seq)
    raise AssertionError(f"commit {commit.seq} changed no window")


def handed_over(commit: Commit) -> wire.HandedOver:
    """Give who works at the window now."""
    event = _last(commit.events, e.WindowHandedOver)
    return wire.HandedOver(
        window=event.window,
        from_clerk=event.from_clerk,
        clerk=event.clerk,
        ticket=event.ticket,
        held=list(event.held),
        seq=commit.seq,
    )


def held_moved(commit: Commit) -> wire.HeldMoved:
    """Give who is kept at the other window now."""
    event = _last(commit.events, e.HeldMoved)
    return wire.HeldMoved(
        window=event.window,
        to_window=event.to_window,
        held=list(event.held),
        missed=list(event.missed),
        seq=commit.seq,
    )


def assigned(commit: Commit) -> wire.Assigned:
    """Give what the window serves now."""
    event = _last(commit.events, e.ServicesAssigned)
    return wire.Assigned(window=event.window, serves=list(event.serves), relief=list(event.relief), seq=commit.seq)


def day_closed(commit: Commit) -> wire.DayClosed:
    """Give the day that ended."""
    return wire.DayClosed(business_day=_last(commit.events, e.DayClosed).day, seq=commit.seq)


def _legs(event: e.LegsPlanned, plan: HallPlan) -> list[wire.Leg]:
    if len(event.done) + len(event.services) == 1:
        return []
    done = [
        wire.Leg(
            service=leg.service,
            name=dict(service_name(plan, leg.service)),
            zone_name=dict(zone_of_service(plan, leg.service)),
            floor=dict(floor_of_service(plan, leg.service) or {}) or None,
            status=LegStatus.DONE,
            window=leg.window,
            finished_at=instant(plan, leg.finished_ms),
            unserved=False,
        )
        for leg in event.done
    ]
    to_come = [
        wire.Leg(
            service=service,
            name=dict(service_name(plan, service)),
            zone_name=dict(zone_of_service(plan, service)),
            floor=dict(floor_of_service(plan, service) or {}) or None,
            status=LegStatus.PLANNED if place else LegStatus.ACTIVE,
            window=None if place else event.window,
            finished_at=None,
            unserved=service in event.unserved,
        )
        for place, service in enumerate(event.services)
    ]
    return [*done, *to_come]


def _is_back(commit: Commit) -> bool:
    return any(isinstance(event, e.TicketBack) for event in commit.events)


def _last(events: Sequence[e.Event], kind: type[_E]) -> _E:
    for event in reversed(events):
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the commit has no {kind.__name__}")


def _last_moving(events: Sequence[e.Event]) -> Moving:
    for event in reversed(events):
        if isinstance(event, Moving):
            return event
    raise AssertionError("the commit moved no ticket")
