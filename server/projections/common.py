"""What several pictures share: instants of the hall, names, and who waits where, counted in one pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from server.domain import events as e
from server.domain.forecast import Eta, open_windows
from server.domain.lifecycle import FINAL
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    ORDINARY,
    FloorId,
    HallPlan,
    LegStatus,
    PriorityId,
    ServiceId,
    ServiceKind,
    Text,
    TicketStatus,
    WindowNo,
    WorkId,
    ZoneId,
)

REASON_MAX = 200  # characters of a free text that a screen shows


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaView:
    """The expected wait in seconds, `p50_s` in the middle: four of five wait less than `p80_s`.

    Four of five also wait between `low_s` and `high_s`.
    """

    p50_s: int
    p80_s: int
    low_s: int
    high_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkView:
    """Who works at a window."""

    work_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait, and since when (Unix ms) the longest of them."""

    count: int = 0
    oldest_ms: int | None = None

    def plus(self, other: "Waiting") -> "Waiting":
        """Give both together."""
        known = [ms for ms in (self.oldest_ms, other.oldest_ms) if ms is not None]
        return Waiting(count=self.count + other.count, oldest_ms=min(known, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """A stop of a joint matter. `unserved`: it is still to come and no window at work serves or relieves it now."""

    service: str
    name: Text
    zone_name: Text
    floor: Text | None
    status: LegStatus
    window: str | None = None
    finished_at: str | None = None
    unserved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementView:
    """What everybody is told now (广播); an emergency covers everything else."""

    text: Text
    emergency: bool
    since: str
    until: str | None


def legs_of(state: HallState, ticket: Ticket) -> tuple[LegView, ...]:
    """Give the legs of a joint matter in order; none for an ordinary visit. No leg is active once the visit is over."""
    if not ticket.is_joint:
        return ()
    plan = state.plan
    done = [
        LegView(
            service=leg.service,
            name=service_name(plan, leg.service),
            zone_name=zone_of_service(plan, leg.service),
            floor=floor_of_service(plan, leg.service),
            status=LegStatus.DONE,
            window=leg.window,
            finished_at=instant(plan, leg.finished_ms),
        )
        for leg in ticket.legs_done
    ]
    over = ticket.status in FINAL
    finished = ticket.status is TicketStatus.FINISHED
    active = LegView(
        service=ticket.service,
        name=service_name(plan, ticket.service),
        zone_name=zone_of_service(plan, ticket.service),
        floor=floor_of_service(plan, ticket.service),
        status=LegStatus.DONE if finished else LegStatus.PLANNED if over else LegStatus.ACTIVE,
        window=None if ticket.status is TicketStatus.AWAY or (over and not finished) else ticket.window,
        finished_at=instant_or_none(plan, ticket.finished_ms),
        unserved=ticket.status is TicketStatus.WAITING and not open_windows(state, ticket.service),
    )
    planned = [
        LegView(
            service=service,
            name=service_name(plan, service),
            zone_name=zone_of_service(plan, service),
            floor=floor_of_service(plan, service),
            status=LegStatus.PLANNED,
            unserved=not over and not open_windows(state, service),
        )
        for service in ticket.legs_planned
    ]
    return (*done, active, *planned)


def lead_window(ticket: Ticket) -> str | None:
    """Give the window that leads a joint matter: the one of first contact (首办)."""
    return ticket.contact if ticket.is_joint else None


def instant(plan: HallPlan, ms: int) -> str:
    """Give an instant as RFC 3339 with the hall's offset, to the millisecond: 2026-03-02T09:00:00.000+08:00."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone(plan.zone_info).isoformat(timespec="milliseconds")


def track_url(base: str, hall: str, track: str) -> str:
    """Give the address of a visitor's phone page."""
    return f"{base.rstrip('/')}/t/{hall}/{track}"


def instant_or_none(plan: HallPlan, ms: int | None) -> str | None:
    """Give an instant as `instant` does, None for None."""
    return None if ms is None else instant(plan, ms)


def reason_of(text: str) -> str | None:
    """Give a free text cut to what a screen shows; None when it is empty."""
    return text[:REASON_MAX] or None


def service_name(plan: HallPlan, service: ServiceId) -> Text:
    """Give the name of a service; its id when the hall no longer has it (a ticket outlives a change of the plan)."""
    known = plan.service.get(service)
    return known.name if known else {"zh": service}


def priority_name(plan: HallPlan, priority: PriorityId) -> Text | None:
    """Give the name of what puts a ticket ahead of others; None for an ordinary one or what the hall no longer has."""
    known = plan.priority.get(priority)
    return known.name if known is not None and priority != ORDINARY else None


def zone_name(plan: HallPlan, zone: ZoneId) -> Text:
    """Give the name of a zone; its id when the hall no longer has it."""
    known = plan.zone.get(zone)
    return known.name if known else {"zh": zone}


def zone_of_service(plan: HallPlan, service: ServiceId) -> Text:
    """Give the name of the zone where a service is waited for; nothing in it when the hall no longer has it."""
    known = plan.service.get(service)
    return zone_name(plan, known.zone) if known else {"zh": ""}


def floor_of_service(plan: HallPlan, service: ServiceId) -> Text | None:
    """Give the name of the floor where a service is waited for, None when the file does not say."""
    known = plan.service.get(service)
    return floor_of_zone(plan, known.zone) if known else None


def takes_in_only(state: HallState, service: ServiceId) -> bool:
    """Say whether the windows that serve it take papers in and decide nothing (只收不办)."""
    windows = state.windows_of(service)
    return bool(windows) and not any(state.plan.window[no].decides for no in windows)


def tenant_name(plan: HallPlan, service: ServiceId) -> Text | None:
    """Give the unit of a shared hall that a service belongs to: its own, else its zone's; None in a hall of one."""
    known = plan.service.get(service)
    zone = plan.zone.get(known.zone) if known else None
    id_ = (known.tenant if known else None) or (zone.tenant if zone else None)
    return plan.tenant[id_].name if id_ is not None and id_ in plan.tenant else None


def kind_of_window(state: HallState, no: WindowNo) -> ServiceKind:
    """Give what a window is for: the one kind of all that it serves, else ordinary."""
    kinds = {known.kind for id_ in state.windows[no].serves if (known := state.plan.service.get(id_)) is not None}
    return kinds.pop() if len(kinds) == 1 else ServiceKind.ORDINARY


def window_name(plan: HallPlan, no: WindowNo) -> Text:
    """Give the name of a window; its number when the hall no longer has it."""
    known = plan.window.get(no)
    return known.name if known else {"zh": no}


def floor_name(plan: HallPlan, floor: FloorId | None) -> Text | None:
    """Give the name of a floor, None when there is none."""
    return next((known.name for known in plan.floors if known.id == floor), None)


def floor_of_zone(plan: HallPlan, zone: ZoneId) -> Text | None:
    """Give the name of the floor a zone is on, None when the file does not say."""
    known = plan.zone.get(zone)
    return floor_name(plan, known.floor) if known else None


def floor_of_window(plan: HallPlan, no: WindowNo) -> Text | None:
    """Give the name of the floor a window is on: its own, else its zone's."""
    known = plan.window.get(no)
    if known is None:
        return None
    return floor_name(plan, known.floor) if known.floor else floor_of_zone(plan, known.zone)


def clerk_of(plan: HallPlan, work_id: WorkId | None, names: Mapping[str, str]) -> ClerkView | None:
    """Give who works there: by the account's name, else by the post's, else by work id."""
    if work_id is None:
        return None
    name = names.get(work_id, work_id)
    if name == work_id and (post := plan.post.get(work_id)) is not None:
        name = post.name
    return ClerkView(work_id=work_id, name=name)


def waiting_by_service(state: HallState) -> dict[ServiceId, Waiting]:
    """Count who waits for each service, in one pass over the lanes; services nobody waits for are absent."""
    counts: dict[ServiceId, Waiting] = {}
    for (service, _, _), lane in state.lane_items():
        here = Waiting(count=len(lane), oldest_ms=state.tickets[lane[0][2]].issued_ms)
        counts[service] = here.plus(counts.get(service, Waiting()))
    return counts


def waiting_by_zone(state: HallState) -> dict[ZoneId, Waiting]:
    """Count who waits in each zone; every zone of the plan is there."""
    counts = {zone.id: Waiting() for zone in state.plan.zones}
    for service, here in waiting_by_service(state).items():
        known = state.plan.service.get(service)
        if known is not None and known.zone in counts:
            counts[known.zone] = counts[known.zone].plus(here)
    return counts


def open_windows_by_zone(state: HallState) -> dict[ZoneId, int]:
    """Count the windows at work (a clerk there, not paused) that stand in each zone."""
    counts = {zone.id: 0 for zone in state.plan.zones}
    for no, window in state.windows.items():
        zone = state.plan.window[no].zone
        if window.clerk is not None and window.paused is None and zone in counts:
            counts[zone] += 1
    return counts


def eta_view(known: Eta | None) -> EtaView | None:
    """Give an expected wait in whole minutes, so that a picture does not change with every second of it."""
    if known is None:
        return None
    p50_s, p80_s, low_s, high_s = (round(it / 60) * 60 for it in (known.p50_s, known.p80_s, known.low_s, known.high_s))
    return EtaView(p50_s=p50_s, p80_s=p80_s, low_s=low_s, high_s=high_s)


def told(number: Ticket | e.TicketIssued) -> EtaView | None:
    """Give the wait that was told with a number; of the first versions its middle and its upper end are known."""
    p50_s, p80_s = number.eta_p50_s, number.eta_p80_s
    if p50_s is None or p80_s is None:
        return None
    low_s = p50_s if number.eta_low_s is None else number.eta_low_s
    high_s = p80_s if number.eta_high_s is None else number.eta_high_s
    return EtaView(p50_s=p50_s, p80_s=p80_s, low_s=low_s, high_s=high_s)


def announcement(state: HallState) -> AnnouncementView | None:
    """Give what everybody is told now."""
    if (standing := state.announcement) is None:
        return None
    return AnnouncementView(
        text=standing.text,
        emergency=standing.emergency,
        since=instant(state.plan, standing.since_ms),
        until=instant_or_none(state.plan, standing.until_ms),
    )
