"""A visitor's phone page behind the QR code: the public fields of one ticket, found by its unguessable track token."""

from dataclasses import dataclass

from server.domain.forecast import Outlook, outlook
from server.domain.lifecycle import Move, is_legal
from server.domain.routing import ahead
from server.domain.state import MS_PER_MIN, HallState, Ticket
from server.domain.terms import AwayFor, Guide, Text, TicketStatus, Track
from server.projections.common import (
    EtaView,
    LegView,
    eta_view,
    floor_of_window,
    floor_of_zone,
    instant,
    instant_or_none,
    lead_window,
    legs_of,
    priority_name,
    service_name,
    takes_in_only,
    window_name,
    zone_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the visitor may ask for now."""

    cancel: bool
    reinstate: bool
    rate: bool
    back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPicture:
    """One ticket as its holder sees it. `ahead` and `eta` are None when nobody is waited for any more.

    `eta` counts from `eta_at`, the minute in which something last happened in the hall: a page lets it run down.

    `legs` are the stops of a joint matter; `leg_unserved` says that no window works now for one still to come.
    `takes_in_only`: the windows take papers in and decide nothing.
    `away_for`: papers or result while the visit is away from the windows; `notice`: the papers that are missing.
    `priority_name`: why it goes ahead of others (绿色通道, 预约), None for an ordinary one.
    `guide`: what to bring and what it costs (办事指南).
    `history` is there for the ticket's full form; the holder's own page gets it empty.
    """

    ticket: str
    label: str
    number: int
    service: str
    zone: str
    status: str
    priority: str
    issued_at: str
    ahead: int | None
    eta: EtaView | None
    eta_at: str | None
    window: str | None
    called_at: str | None
    started_at: str | None
    finished_at: str | None
    call_count: int
    waited_s: int | None
    rated: bool
    can: Allowed
    hall_name: Text
    hall_address: Text | None
    service_name: Text
    zone_name: Text
    floor: Text | None
    window_name: Text | None
    windows: tuple[str, ...]
    drill: bool
    takes_in_only: bool = False
    languages: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    legs: tuple[LegView, ...] = ()
    lead_window: str | None = None
    leg_unserved: bool = False
    away_for: str | None = None
    notice: tuple[str, ...] = ()
    priority_name: Text | None = None
    guide: Guide | None = None


def ticket(
    state: HallState, track: Track, *, now_ms: int, drill: bool = False, waits: Outlook | None = None
) -> TicketPicture | None:
    """Give the picture of the ticket with this token, None when today has no such ticket.

    `waits` is the outlook as of the last event, worked out here where it is not at hand.
    """
    id_ = state.tracks.get(track)
    return None if id_ is None else _picture(state, state.tickets[id_], now_ms, drill=drill, waits=waits)


def _picture(state: HallState, found: Ticket, now_ms: int, *, drill: bool, waits: Outlook | None) -> TicketPicture:
    plan = state.plan
    waiting = found.status is TicketStatus.WAITING
    before = ahead(state, found.id, now_ms) if waiting else None
    eta = (waits or outlook(state, state.last_ms)).tickets.get(found.id) if waiting else None
    legs = legs_of(state, found)
    at = None if found.status is TicketStatus.AWAY else found.window
    may_call = waiting or found.away_for is AwayFor.RESULT
    return TicketPicture(
        ticket=found.id,
        label=found.label,
        number=found.number,
        service=found.service,
        zone=found.zone,
        status=found.status,
        priority=found.priority,
        issued_at=instant(plan, found.issued_ms),
        ahead=before,
        eta=eta_view(eta),
        eta_at=instant_or_none(plan, state.last_ms // MS_PER_MIN * MS_PER_MIN if eta else None),
        window=at,
        called_at=instant_or_none(plan, found.called_ms),
        started_at=instant_or_none(plan, found.started_ms),
        finished_at=instant_or_none(plan, found.finished_ms),
        call_count=found.call_count,
        waited_s=found.waited_s,
        rated=found.grade is not None,
        can=Allowed(
            cancel=is_legal(found.status, Move.CANCEL),
            reinstate=is_legal(found.status, Move.REINSTATE) and found.reinstated < plan.reinstate_times,
            rate=is_legal(found.status, Move.RATE) and found.grade is None,
            back=is_legal(found.status, Move.COME_BACK) and found.away_for is AwayFor.PAPERS,
        ),
        hall_name=plan.name,
        hall_address=plan.address,
        service_name=service_name(plan, found.service),
        zone_name=zone_name(plan, found.zone),
        floor=floor_of_window(plan, at) if at else floor_of_zone(plan, found.zone),
        window_name=window_name(plan, at) if at else None,
        windows=(found.bound,) if found.bound else state.windows_of(found.service) if may_call else found.windows,
        drill=drill,
        takes_in_only=takes_in_only(state, found.service),
        languages=plan.languages,
        legs=legs,
        lead_window=lead_window(found),
        leg_unserved=any(leg.unserved for leg in legs),
        away_for=found.away_for,
        notice=found.notice,
        priority_name=priority_name(plan, found.priority),
        guide=planned.guide if (planned := plan.service.get(found.service)) else None,
    )
