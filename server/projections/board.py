"""The hall board and the zone boards: who is called where, the last calls, how many wait in each zone."""

from dataclasses import dataclass

from server.domain.forecast import Outlook, outlook
from server.domain.state import HallState
from server.domain.terms import Text, TicketId, TicketStatus, WindowStatus, ZoneId, ZoneKind
from server.projections.common import (
    AnnouncementView,
    EtaView,
    announcement,
    eta_view,
    floor_of_window,
    floor_of_zone,
    instant,
    instant_or_none,
    kind_of_window,
    open_windows_by_zone,
    waiting_by_zone,
)

CALLS_MAX = 12  # what a board shows at ten metres


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call; `status`: calling, serving, or done when the visitor has left that window."""

    ticket: str
    label: str
    window: str
    window_name: Text
    zone: str
    floor: Text | None
    called_at: str
    call_count: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardZone:
    """How full a zone is; `tenant`: whose it is, in a hall that several units share."""

    zone: str
    name: Text
    tenant: Text | None
    floor: Text | None
    waiting: int
    oldest_since: str | None
    open_windows: int
    eta: EtaView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardArea:
    """A part of the hall where nobody takes a number: the self-service machines, the guide desk."""

    zone: str
    name: Text
    kind: str
    floor: Text | None
    about: Text | None
    always_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardWindow:
    """What a window is doing, and what it is for; not `staffed` (未派驻), not `decides` (只收不办)."""

    window: str
    name: Text
    zone: str
    floor: Text | None
    status: str
    label: str | None
    pause_reason: str | None
    kind: str
    staffed: bool
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPicture:
    """A board of the whole hall (`zone` None) or of one zone; calls newest first."""

    hall: str
    name: Text
    zone: str | None
    business_day: str | None
    drill: bool
    languages: tuple[str, ...]
    notice: Text | None
    announcement: AnnouncementView | None
    calls: tuple[CallView, ...]
    zones: tuple[BoardZone, ...]
    windows: tuple[BoardWindow, ...]
    areas: tuple[BoardArea, ...]


def board(
    state: HallState, *, zone: ZoneId | None = None, drill: bool = False, waits: Outlook | None = None
) -> BoardPicture:
    """Give the picture of the hall board, or of the board of one zone of the plan.

    `waits` is the outlook as of the last event, worked out here where it is not at hand: so a picture depends on the
    state alone.
    """
    plan = state.plan
    return BoardPicture(
        hall=plan.hall,
        name=plan.name,
        zone=zone,
        business_day=state.day,
        drill=drill,
        languages=plan.languages,
        notice=plan.notice,
        announcement=announcement(state),
        calls=_calls(state, zone),
        zones=_zones(state, zone, waits or outlook(state, state.last_ms)),
        windows=_windows(state, zone),
        areas=_areas(state, zone),
    )


def _calls(state: HallState, zone: ZoneId | None) -> tuple[CallView, ...]:
    seen: set[TicketId] = set()
    calls: list[CallView] = []
    for call in reversed(state.recent):
        if call.ticket in seen or (zone is not None and call.zone != zone):
            continue
        window = state.plan.window.get(call.window)
        if window is None:  # the plan changed since
            continue
        seen.add(call.ticket)
        calls.append(
            CallView(
                ticket=call.ticket,
                label=call.label,
                window=call.window,
                window_name=window.name,
                zone=call.zone,
                floor=floor_of_window(state.plan, call.window),
                called_at=instant(state.plan, call.called_ms),
                call_count=call.call_count,
                status=_call_status(state, call.ticket, call.window),
            )
        )
        if len(calls) == CALLS_MAX:
            break
    return tuple(calls)


def _call_status(state: HallState, id_: TicketId, window: str) -> str:
    ticket = state.tickets[id_]
    if ticket.window != window:
        return "done"
    match ticket.status:
        case TicketStatus.CALLED:
            return "calling"
        case TicketStatus.SERVING:
            return "serving"
        case _:
            return "done"


def _zones(state: HallState, only: ZoneId | None, waits: Outlook) -> tuple[BoardZone, ...]:
    waiting, open_windows = waiting_by_zone(state), open_windows_by_zone(state)
    return tuple(
        BoardZone(
            zone=zone.id,
            name=zone.name,
            tenant=state.plan.tenant[zone.tenant].name if zone.tenant in state.plan.tenant else None,
            floor=floor_of_zone(state.plan, zone.id),
            waiting=waiting[zone.id].count,
            oldest_since=instant_or_none(state.plan, waiting[zone.id].oldest_ms),
            open_windows=open_windows[zone.id],
            eta=eta_view(waits.of_zone(state, zone.id)),
        )
        for zone in state.plan.queues
        if only is None or zone.id == only
    )


def _windows(state: HallState, only: ZoneId | None) -> tuple[BoardWindow, ...]:
    views: list[BoardWindow] = []
    for no, window in state.windows.items():
        planned = state.plan.window[no]
        if only is not None and planned.zone != only:
            continue
        status = state.window_status(no)
        views.append(
            BoardWindow(
                window=no,
                name=planned.name,
                zone=planned.zone,
                floor=floor_of_window(state.plan, no),
                status=status,
                label=state.tickets[window.current].label if window.current else None,
                pause_reason=window.paused if status is WindowStatus.PAUSED else None,
                kind=kind_of_window(state, no),
                staffed=planned.staffed,
                decides=planned.decides,
            )
        )
    return tuple(views)


def _areas(state: HallState, only: ZoneId | None) -> tuple[BoardArea, ...]:
    """Give the areas without numbers; the board of one zone shows none, unless it is of that area."""
    return tuple(
        BoardArea(
            zone=zone.id,
            name=zone.name,
            kind=zone.kind,
            floor=floor_of_zone(state.plan, zone.id),
            about=zone.about,
            always_open=zone.always_open,
        )
        for zone in state.plan.zones
        if zone.kind is not ZoneKind.QUEUE and (only is None or zone.id == only)
    )
