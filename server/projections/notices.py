"""What visitors' phones are told through another system (短信、公众号): called, nearly there, missed, moved, ready.

Pure; the same commit, the same notices. A notice names the ticket, not the visitor: the system that receives it knows
whose ticket it is, because it took the number for somebody or its user scanned the code on the paper. What comes too
late is worse than nothing: each notice expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain import events as e
from server.domain.routing import ahead
from server.domain.state import HallState
from server.domain.terms import NoticeKind, Text, TicketId, TicketStatus
from server.projections.common import floor_of_window, floor_of_zone, service_name, window_name, zone_name

NOW_MS = 120_000  # a call that is told later sends somebody to a window that has called the next
SOON_MS = 30 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell. `id` is the same however often it is sent; `data` goes out as it is; instants are Unix ms."""

    id: str
    kind: NoticeKind
    at_ms: int
    expires_ms: int
    data: "NoticeData"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeData:
    """What is told of a ticket; `track` is the last part of its phone page's address."""

    hall: str
    hall_name: Text
    ticket: str
    track: str
    label: str
    service: str
    service_name: Text
    zone_name: Text
    floor: Text | None
    window: str | None
    window_name: Text | None
    call_count: int
    ahead: int | None


def notices_of(state: HallState, events: Sequence[e.Event], *, seq: int, at_ms: int) -> tuple[Notice, ...]:
    """Give what a commit makes worth telling, of the kinds that the hall wants told."""
    found = []
    for index, event in enumerate(events):
        told = _told(event)
        if told is None or told[0] not in state.plan.notify.events or told[1] not in state.tickets:
            continue
        kind, ticket = told
        within_ms = NOW_MS if kind is NoticeKind.CALLED else SOON_MS
        id_ = f"{state.plan.hall}.{seq}.{index}"
        call = event if isinstance(event, e.TicketCalled | e.TicketRecalled) else None
        data = _data(state, ticket, at_ms, call)
        found.append(Notice(id=id_, kind=kind, at_ms=at_ms, expires_ms=at_ms + within_ms, data=data))
    return tuple(found)


def near(state: HallState, now_ms: int) -> tuple[Notice, ...]:
    """Give a notice for everybody before whom no more are waiting than the hall's bound: the same one as long as so."""
    if NoticeKind.NEAR not in state.plan.notify.events:
        return ()
    bound, found = state.plan.notify.near, []
    for _, lane in state.lane_items():
        for since_ms, _, id_ in lane[: bound + 1]:  # whoever stands further back in one row has more before
            if ahead(state, id_, now_ms) <= bound:
                name = f"{state.plan.hall}.{id_}.{since_ms}.near"
                data = _data(state, id_, now_ms)
                late_ms = now_ms + NOW_MS
                found.append(Notice(id=name, kind=NoticeKind.NEAR, at_ms=now_ms, expires_ms=late_ms, data=data))
    return tuple(found)


def _told(event: e.Event) -> tuple[NoticeKind, TicketId] | None:
    match event:
        case e.TicketCalled() | e.TicketRecalled():
            return NoticeKind.CALLED, event.ticket
        case e.TicketMissed() | e.NoShowRecorded():
            return NoticeKind.MISSED, event.ticket
        case e.TicketTransferred() | e.LegFinished():
            return NoticeKind.MOVED, event.ticket
        case e.ResultReady() if event.ticket is not None:
            return NoticeKind.RESULT, event.ticket
        case _:
            return None


def _data(
    state: HallState, id_: TicketId, now_ms: int, call: e.TicketCalled | e.TicketRecalled | None = None
) -> NoticeData:
    plan, ticket = state.plan, state.tickets[id_]
    waiting = call is None and ticket.status is TicketStatus.WAITING
    window = call.window if call is not None else None if waiting else ticket.window
    return NoticeData(
        hall=plan.hall,
        hall_name=plan.name,
        ticket=id_,
        track=ticket.track,
        label=ticket.label,
        service=ticket.service,
        service_name=service_name(plan, ticket.service),
        zone_name=zone_name(plan, ticket.zone),
        floor=floor_of_window(plan, window) if window else floor_of_zone(plan, ticket.zone),
        window=window,
        window_name=window_name(plan, window) if window else None,
        call_count=ticket.call_count if call is None else call.call_count,
        ahead=ahead(state, id_, now_ms) if waiting else None,
    )
