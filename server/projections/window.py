"""One window as its clerk, its strip and its keypad see it: the current visitor, who is held, who is next."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.lifecycle import Move, is_legal
from server.domain.rebalance import wanted
from server.domain.rolls import roll_at
from server.domain.routing import preview, waiting_for
from server.domain.slips import standing
from server.domain.state import HallState, Ticket
from server.domain.terms import UNDO_S, AwayFor, Text, TicketId, TicketStatus, WindowNo, label_of
from server.projections.common import (
    ClerkView,
    LegView,
    clerk_of,
    instant,
    instant_or_none,
    kind_of_window,
    lead_window,
    legs_of,
    reason_of,
    service_name,
    zone_name,
)

NEXT_MAX = 8
HELD_MAX = 30
AWAY_MAX = 30
MISSED_MAX = 30  # the newest; a visitor who comes back does so soon


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentView:
    """The visitor called to the window or served there. `why` says how routing chose, `reason` what the clerk wrote.

    `clear_min`: minutes it was predicted to take until the zone of the called one is cleared without this window, where
    zones were weighed; `own_clear_min`: that of the window's own zone, where it helps another.
    `notice`: the papers that the last one-time notice named; `note`: what a clerk before wrote for the next one.
    `target_min`: how long its service lets a visitor wait.
    """

    ticket: str
    label: str
    service: Text
    service_id: str
    status: str
    priority: str
    issued_at: str
    called_at: str | None
    started_at: str | None
    call_count: int
    waited_s: int | None
    why: str | None
    clear_min: int | None
    own_clear_min: int | None
    reason: str | None
    legs: tuple[LegView, ...]
    lead_window: str | None
    target_min: float
    note: str | None
    notice: tuple[str, ...]
    case_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """A visitor away with leave."""

    ticket: str
    label: str
    service: Text
    held_at: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayView:
    """A visitor sent away from here: for the papers that `notice` names, or for a result (`away_for`)."""

    ticket: str
    label: str
    service: Text
    away_at: str | None
    away_for: str
    notice: tuple[str, ...]
    case_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedView:
    """A visitor who did not come; `reinstatable` while the hall allows one more time."""

    ticket: str
    label: str
    service: Text
    missed_at: str | None
    reinstatable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateView:
    """The visit that the window's tablet asks a grade for, not longer than `until`."""

    ticket: str
    label: str
    service: Text
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoView:
    """The last move at the window while nothing has happened since: it may be taken back until `until`.

    `move`: start, finish, miss, no_show, return or hold.
    """

    ticket: str
    label: str
    move: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextView:
    """Who would be called next; `home` when it is the window's own work, `joint` when it is a leg of a joint matter."""

    ticket: str
    label: str
    service: Text
    priority: str
    issued_at: str
    joined_at: str
    target_min: float
    home: bool
    joint: bool
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefView:
    """A zone that asks for relief (B 角): predicted wait when it asked; `helps`: the window may call from it now."""

    zone: str
    name: Text
    since: str
    waiting: int
    wait_min: float
    helps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPicture:
    """One window; `waiting` counts everybody it may call; not `staffed` (未派驻), not `decides` (只收不办)."""

    hall: str
    window: str
    name: Text
    zone: str
    status: str
    pause_reason: str | None
    clerk: ClerkView | None
    current: CurrentView | None
    held: tuple[HeldView, ...]
    missed: tuple[MissedView, ...]
    away: tuple[AwayView, ...]
    waiting: int
    oldest_since: str | None
    next: tuple[NextView, ...]
    roll: str | None  # the number of a paper roll that is called when nobody waits
    serves: tuple[str, ...]
    relief: tuple[str, ...]
    kind: str
    staffed: bool
    decides: bool
    languages: tuple[str, ...]
    drill: bool
    to_rate: RateView | None = None
    relief_wanted: ReliefView | None = None
    undo: UndoView | None = None


def window(
    state: HallState, no: WindowNo, *, now_ms: int, names: Mapping[str, str], drill: bool = False
) -> WindowPicture:
    """Give the picture of a window of the plan; `names` gives clerks' names by work id."""
    plan, here = state.plan, state.windows[no]
    roll = roll_at(state, no)
    waiting, oldest_ms = waiting_for(state, no)
    return WindowPicture(
        hall=plan.hall,
        window=no,
        name=plan.window[no].name,
        zone=plan.window[no].zone,
        status=state.window_status(no),
        pause_reason=here.paused,
        clerk=clerk_of(plan, here.clerk, names),
        current=_current(state, state.tickets[here.current]) if here.current else None,
        held=tuple(_held(state, state.tickets[id_]) for id_ in here.held[:HELD_MAX]),
        missed=tuple(_missed(state, state.tickets[id_]) for id_ in reversed(here.missed[-MISSED_MAX:])),
        away=tuple(_away(state, state.tickets[id_]) for id_ in here.away[-AWAY_MAX:]),
        waiting=waiting,
        oldest_since=instant_or_none(plan, oldest_ms),
        next=tuple(_next(state, choice.ticket, home=choice.home) for choice in preview(state, no, now_ms, NEXT_MAX)),
        roll=label_of(roll.prefix, roll.given + 1) if roll else None,
        serves=here.serves,
        relief=here.relief,
        kind=kind_of_window(state, no),
        staffed=plan.window[no].staffed,
        decides=plan.window[no].decides,
        languages=plan.languages,
        drill=drill,
        to_rate=_to_rate(state, no),
        relief_wanted=_relief_wanted(state, no),
        undo=_undo(state, no),
    )


def _undo(state: HallState, no: WindowNo) -> UndoView | None:
    """Give what may be taken back; the page knows when its time is up."""
    if (slip := standing(state, no)) is None:
        return None
    until = instant(state.plan, slip.at_ms + UNDO_S * 1000)
    return UndoView(ticket=slip.ticket, label=state.tickets[slip.ticket].label, move=slip.move, until=until)


def _relief_wanted(state: HallState, no: WindowNo) -> ReliefView | None:
    """Give the zone that asks the clerk here for relief; whether the window serves it already says `helps`."""
    if (asked := wanted(state, no)) is None:
        return None
    zone, call = asked
    window = state.windows[no]
    services = {it.id for it in state.plan.services if it.zone == zone}
    return ReliefView(
        zone=zone,
        name=zone_name(state.plan, zone),
        since=instant(state.plan, call.since_ms),
        waiting=call.waiting,
        wait_min=call.wait_min,
        helps=bool(services & {*window.serves, *window.relief}),
    )


def _to_rate(state: HallState, no: WindowNo) -> RateView | None:
    """Give the visit finished last until the next one is there; the page knows when its time is up.

    The next visitor ends it: called with a press of its own at once, called with the same press that finished this
    visit (finish and next) when the next one sits down, else nobody of a busy window could ever grade.
    """
    here = state.windows[no]
    if here.last_finished is None:
        return None
    ticket = state.tickets[here.last_finished]
    if ticket.grade is not None or ticket.finished_ms is None:
        return None
    following = state.tickets[here.current] if here.current else None
    if following is not None and not (
        following.status is TicketStatus.CALLED and following.called_ms == ticket.finished_ms
    ):
        return None
    return RateView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        until=instant(state.plan, ticket.finished_ms + state.plan.ratings.at_window_s * 1000),
    )


def _current(state: HallState, ticket: Ticket) -> CurrentView:
    return CurrentView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        service_id=ticket.service,
        status=ticket.status,
        priority=ticket.priority,
        issued_at=instant(state.plan, ticket.issued_ms),
        called_at=instant_or_none(state.plan, ticket.called_ms),
        started_at=instant_or_none(state.plan, ticket.started_ms),
        call_count=ticket.call_count,
        waited_s=ticket.waited_s,
        why=ticket.why or None,
        clear_min=ticket.clear_min,
        own_clear_min=ticket.own_clear_min,
        reason=reason_of(ticket.reason),
        legs=legs_of(state, ticket),
        lead_window=lead_window(ticket),
        target_min=_target_min(state, ticket),
        note=reason_of(ticket.note),
        notice=ticket.notice,
        case_number=ticket.case_number or None,
    )


def _held(state: HallState, ticket: Ticket) -> HeldView:
    return HeldView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        held_at=instant_or_none(state.plan, ticket.held_ms),
        reason=reason_of(ticket.reason),
    )


def _away(state: HallState, ticket: Ticket) -> AwayView:
    return AwayView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        away_at=instant_or_none(state.plan, ticket.away_ms),
        away_for=ticket.away_for or AwayFor.PAPERS,
        notice=ticket.notice,
        case_number=ticket.case_number or None,
    )


def _missed(state: HallState, ticket: Ticket) -> MissedView:
    return MissedView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        missed_at=instant_or_none(state.plan, ticket.missed_ms),
        reinstatable=is_legal(ticket.status, Move.REINSTATE) and ticket.reinstated < state.plan.reinstate_times,
    )


def _next(state: HallState, id_: TicketId, *, home: bool) -> NextView:
    ticket = state.tickets[id_]
    return NextView(
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(state.plan, ticket.service),
        priority=ticket.priority,
        issued_at=instant(state.plan, ticket.issued_ms),
        joined_at=instant(state.plan, ticket.joined_ms),
        target_min=_target_min(state, ticket),
        home=home,
        joint=ticket.is_joint,
        note=reason_of(ticket.note),
    )


def _target_min(state: HallState, ticket: Ticket) -> float:
    return state.plan.service[ticket.service].target_wait_min
