"""The hall as its events have made it: `evolve` folds one event into the state.

The state is plain data that only `evolve` changes. Waiting tickets stand in *lanes* (service, priority, bound window),
each sorted by (arrival, order of issue): inside a lane the head is always next, so choosing looks at a few heads only
and does not grow with the day.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from server.domain import events as e
from server.domain.lifecycle import AT_WINDOW, FINAL
from server.domain.terms import (
    LEG_AGE_MAX_MIN,
    DeviceId,
    DoneLeg,
    HallId,
    HallPlan,
    Label,
    PauseReason,
    PriorityId,
    ServiceId,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    WindowStatus,
    WorkId,
    ZoneId,
)

MS_PER_MIN = 60_000
RECENT_CALLS = 40  # calls a board may look back on
MEAN_PRIOR = 8  # the typed-in minutes of a service count like this many observed visits
SERVE_CAP = 3.0  # a visit counts at most this many times the typed-in minutes: one stuck visit must not spoil the mean

LaneKey = tuple[ServiceId, PriorityId, WindowNo | None]
Spot = tuple[int, int, TicketId]  # (arrival ms, order of issue, ticket)


@dataclass(slots=True, kw_only=True)
class Ticket:
    """One visit (号票). Instants are Unix milliseconds; `since_ms` is the arrival that counts for the order."""

    id: TicketId
    label: Label
    number: int
    order: int
    service: ServiceId
    zone: ZoneId
    priority: PriorityId
    track: Track
    windows: tuple[WindowNo, ...]
    issued_ms: int
    since_ms: int
    ahead: int
    eta_p50_s: int | None
    eta_p80_s: int | None
    channel: str
    kiosk: DeviceId | None = None
    language: str | None = None
    visitor: str | None = None
    base_url: str = ""
    status: TicketStatus = TicketStatus.WAITING
    bound: WindowNo | None = None
    window: WindowNo | None = None
    clerk: WorkId | None = None
    called_ms: int | None = None
    first_called_ms: int | None = None
    started_ms: int | None = None
    finished_ms: int | None = None
    held_ms: int | None = None
    hold_total_ms: int = 0
    missed_ms: int | None = None
    call_count: int = 0
    reinstated: int = 0
    waited_s: int | None = None
    why: str = ""
    reason: str = ""
    grade: int | None = None
    joined_ms: int  # when the waiting for the active leg began; of the first leg: when the number was given
    legs_done: list[DoneLeg] = field(default_factory=list)
    legs_planned: tuple[ServiceId, ...] = ()  # after the active one, which is `service`
    contact: WindowNo | None = None  # the first window that spoke with the visitor: it leads a joint matter (首办)

    @property
    def is_joint(self) -> bool:
        """Say whether the visit has several legs."""
        return bool(self.legs_done or self.legs_planned)

    @property
    def arrival_ms(self) -> int:
        """Give the arrival that counts by right. A returning leg keeps its age, but at most `LEG_AGE_MAX_MIN` of it.

        So who comes from another window is not made to wait from nothing, and hours spent being served elsewhere pass
        over nobody who has waited that long. The bound is the age from which an ordinary ticket goes first, which keeps
        legs and ordinary visits in balance.
        """
        return max(self.issued_ms, self.joined_ms - LEG_AGE_MAX_MIN * MS_PER_MIN)


@dataclass(slots=True, kw_only=True)
class WindowState:
    """What a window is doing now. `current` is the one ticket called to it or served at it."""

    no: WindowNo
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...]
    clerk: WorkId | None = None
    paused: PauseReason | None = None
    pause_note: str = ""
    current: TicketId | None = None
    held: list[TicketId] = field(default_factory=list)
    missed: list[TicketId] = field(default_factory=list)
    last_finished: TicketId | None = None
    since_ms: int = 0
    served_today: int = 0
    busy_s_today: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One announcement, for the boards: newest last."""

    ticket: TicketId
    label: Label
    window: WindowNo
    zone: ZoneId
    called_ms: int
    call_count: int


@dataclass(slots=True, kw_only=True)
class ZoneCount:
    """What happened in a zone today."""

    issued: int = 0
    called: int = 0
    finished: int = 0
    no_show: int = 0
    wait_s: int = 0
    legs: int = 0  # of the finished: legs after which the visit went on


@dataclass(slots=True, kw_only=True)
class ServeMean:
    """Learned minutes of a service: the typed-in value and what was observed since."""

    count: int = 0
    total_s: float = 0.0


@dataclass(slots=True)
class HallState:
    """Everything a hall knows. Empty until the first `HallPlanned`."""

    plan: HallPlan = field(default_factory=lambda: HallPlan(hall=HallId(""), name={}, time_zone="UTC", languages=()))
    day: str | None = None
    day_open: bool = False
    last_ms: int = 0
    tickets: dict[TicketId, Ticket] = field(default_factory=dict)
    labels: dict[Label, TicketId] = field(default_factory=dict)
    tracks: dict[Track, TicketId] = field(default_factory=dict)
    visitors: dict[tuple[str, ServiceId], TicketId] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # the last number given per series (prefix)
    issued: dict[ServiceId, list[int]] = field(default_factory=dict)  # when numbers of a service were given today, ms
    lanes: dict[LaneKey, list[Spot]] = field(default_factory=dict)
    windows: dict[WindowNo, WindowState] = field(default_factory=dict)
    recent: deque[Call] = field(default_factory=lambda: deque(maxlen=RECENT_CALLS))
    zones: dict[ZoneId, ZoneCount] = field(default_factory=dict)
    means: dict[ServiceId, ServeMean] = field(default_factory=dict)

    def window_status(self, no: WindowNo) -> WindowStatus:
        """Say what a window is doing; derived, so that no screen can disagree with it."""
        window = self.windows[no]
        if window.current is not None:
            called = self.tickets[window.current].status is TicketStatus.CALLED
            return WindowStatus.CALLING if called else WindowStatus.SERVING
        if window.clerk is None:
            return WindowStatus.CLOSED
        return WindowStatus.PAUSED if window.paused else WindowStatus.OPEN

    def windows_of(self, service: ServiceId) -> tuple[WindowNo, ...]:
        """Give the windows whose own work the service is; those that only relieve when there is no other."""
        own = tuple(no for no, window in self.windows.items() if service in window.serves)
        return own or tuple(no for no, window in self.windows.items() if service in window.relief)

    def lane_items(self) -> Iterator[tuple[LaneKey, list[Spot]]]:
        """Give the lanes in which somebody waits; an empty lane is never kept."""
        return iter(self.lanes.items())

    def waiting(self, service: ServiceId) -> int:
        """Count who waits for a service."""
        return sum(len(lane) for (lane_service, _, _), lane in self.lanes.items() if lane_service == service)

    def mean_s(self, service: ServiceId) -> float:
        """Give the learned seconds of one visit."""
        typical_s = self.plan.service[service].minutes_typical * 60
        mean = self.means.get(service)
        if mean is None:
            return typical_s
        return (MEAN_PRIOR * typical_s + mean.total_s) / (MEAN_PRIOR + mean.count)


def evolve(state: HallState, event: e.Event, *, at_ms: int) -> None:
    """Fold one event into the state. Never refuses: what is in the ledger has happened."""
    state.last_ms = max(state.last_ms, at_ms)
    match event:
        case e.HallPlanned():
            _take_plan(state, event.plan)
        case e.DayOpened():
            _open_day(state, event.day)
        case e.DayClosed():
            state.day_open = False
        case e.TicketIssued():
            _issue(state, event, at_ms)
        case e.TicketCalled():
            _call(state, event, at_ms)
        case e.TicketRecalled():
            ticket = state.tickets[event.ticket]
            ticket.call_count = event.call_count
            _announce(state, ticket, event.window, at_ms)
        case e.ServingStarted():
            ticket = state.tickets[event.ticket]
            ticket.status = TicketStatus.SERVING
            _meet(ticket, event.window)
            if ticket.started_ms is None:
                ticket.started_ms = at_ms
            elif ticket.called_ms is not None:  # back from hold: the way back to the window is no service
                ticket.hold_total_ms += at_ms - ticket.called_ms
            state.windows[event.window].since_ms = at_ms
        case e.TicketFinished():
            _finish(state, event, at_ms)
        case e.LegsPlanned():
            ticket = state.tickets[event.ticket]
            ticket.legs_planned = event.services[1:]
            _meet(ticket, event.window)
        case e.LegFinished():
            _finish_leg(state, event, at_ms)
        case e.TicketMissed():
            ticket = _leave_window(state, event.ticket, TicketStatus.MISSED, at_ms)
            ticket.missed_ms = at_ms
            state.windows[event.window].missed.append(ticket.id)
        case e.TicketReinstated():
            ticket = _leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
            ticket.reinstated, ticket.call_count = ticket.reinstated + 1, 0
            _wait(state, ticket, since_ms=event.since_ms)
        case e.NoShowRecorded():
            ticket = _leave_window(state, event.ticket, TicketStatus.NO_SHOW, at_ms)
            state.zones[ticket.zone].no_show += 1
        case e.TicketReturned():
            ticket = _leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
            ticket.call_count = 0
            _wait(state, ticket, since_ms=ticket.since_ms)
        case e.TicketHeld():
            ticket = _leave_window(state, event.ticket, TicketStatus.HELD, at_ms)
            ticket.held_ms, ticket.window, ticket.reason = at_ms, event.window, event.reason
            _meet(ticket, event.window)
            state.windows[event.window].held.append(ticket.id)
        case e.TicketResumed():
            _resume(state, event, at_ms)
        case e.TicketTransferred():
            _transfer(state, event, at_ms)
        case e.TicketCancelled():
            _leave_window(state, event.ticket, TicketStatus.CANCELLED, at_ms)
        case e.TicketExpired():
            _leave_window(state, event.ticket, TicketStatus.EXPIRED, at_ms)
        case e.ReprintRequested():
            pass
        case e.TicketRated():
            state.tickets[event.ticket].grade = event.grade
        case e.WindowOpened():
            window = state.windows[event.window]
            window.clerk, window.paused, window.since_ms = event.clerk, None, at_ms
        case e.WindowPaused():
            window = state.windows[event.window]
            window.paused, window.pause_note, window.since_ms = event.reason, event.note, at_ms
        case e.WindowResumed():
            window = state.windows[event.window]
            window.paused, window.pause_note, window.since_ms = None, "", at_ms
        case e.WindowClosed():
            window = state.windows[event.window]
            window.clerk, window.paused, window.pause_note, window.since_ms = None, None, "", at_ms
        case e.ServicesAssigned():
            window = state.windows[event.window]
            window.serves, window.relief = event.serves, event.relief
        case _:
            assert_never(event)


def _take_plan(state: HallState, plan: HallPlan) -> None:
    """Take over a plan; a live assignment survives when the file says the same of that window as before."""
    before = state.plan.window
    windows: dict[WindowNo, WindowState] = {}
    for planned in plan.windows:
        window = state.windows.get(planned.no)
        if window is None:
            window = WindowState(no=planned.no, serves=planned.serves, relief=planned.relief)
        elif (old := before.get(planned.no)) is None or (old.serves, old.relief) != (planned.serves, planned.relief):
            window.serves, window.relief = planned.serves, planned.relief
        else:  # else a service that the new file dropped would stay assigned
            window.serves = tuple(service for service in window.serves if service in plan.service)
            window.relief = tuple(service for service in window.relief if service in plan.service)
            if not window.serves and not window.relief:
                window.serves, window.relief = planned.serves, planned.relief
        windows[planned.no] = window
    state.plan, state.windows = plan, windows
    state.zones = {zone.id: state.zones.get(zone.id, ZoneCount()) for zone in plan.zones}
    for ticket in state.tickets.values():  # else a visit whose service moved to another zone could never finish
        if ticket.status not in FINAL:
            ticket.zone = plan.service[ticket.service].zone


def _open_day(state: HallState, day: str) -> None:
    state.day, state.day_open = day, True
    for store in (state.tickets, state.labels, state.tracks, state.visitors, state.numbers, state.issued, state.lanes):
        store.clear()
    state.recent.clear()
    for window in state.windows.values():
        window.held, window.missed, window.last_finished = [], [], None
        window.served_today = window.busy_s_today = 0
    state.zones = {zone: ZoneCount() for zone in state.zones}


def _issue(state: HallState, event: e.TicketIssued, at_ms: int) -> None:
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
        issued_ms=at_ms,
        since_ms=at_ms,
        joined_ms=at_ms,
        ahead=event.ahead,
        eta_p50_s=event.eta_p50_s,
        eta_p80_s=event.eta_p80_s,
        channel=event.channel,
        kiosk=event.kiosk,
        language=event.language,
        visitor=event.visitor,
        base_url=event.base_url,
        bound=event.window,
    )
    state.tickets[ticket.id] = ticket
    state.labels[ticket.label] = ticket.id
    state.tracks[ticket.track] = ticket.id
    if ticket.visitor is not None:
        state.visitors[ticket.visitor, ticket.service] = ticket.id
    state.numbers[event.prefix] = event.number
    state.issued.setdefault(ticket.service, []).append(at_ms)
    state.zones[ticket.zone].issued += 1
    _wait(state, ticket, since_ms=at_ms)


def _call(state: HallState, event: e.TicketCalled, at_ms: int) -> None:
    ticket = state.tickets[event.ticket]
    _leave_window(state, ticket.id, TicketStatus.CALLED, at_ms)
    if ticket.first_called_ms is None:
        ticket.first_called_ms = at_ms
        count = state.zones[ticket.zone]
        count.called += 1
        count.wait_s += event.waited_s
    ticket.called_ms, ticket.waited_s, ticket.call_count = at_ms, event.waited_s, event.call_count
    ticket.why, ticket.reason = event.why, event.reason
    _arrive(state, ticket, event.window, at_ms)


def _resume(state: HallState, event: e.TicketResumed, at_ms: int) -> None:
    ticket = state.tickets[event.ticket]
    if ticket.held_ms is not None and ticket.started_ms is not None:
        ticket.hold_total_ms += at_ms - ticket.held_ms
    _leave_window(state, ticket.id, TicketStatus.CALLED, at_ms)
    ticket.called_ms, ticket.call_count = at_ms, event.call_count
    _arrive(state, ticket, event.window, at_ms)


def _arrive(state: HallState, ticket: Ticket, no: WindowNo, at_ms: int) -> None:
    window = state.windows[no]
    ticket.window, ticket.clerk, ticket.held_ms = no, window.clerk, None
    window.current, window.since_ms = ticket.id, at_ms
    _announce(state, ticket, no, at_ms)


def _announce(state: HallState, ticket: Ticket, no: WindowNo, at_ms: int) -> None:
    zone = state.plan.window[no].zone
    state.recent.append(
        Call(ticket=ticket.id, label=ticket.label, window=no, zone=zone, called_ms=at_ms, call_count=ticket.call_count)
    )


def _finish(state: HallState, event: e.TicketFinished, at_ms: int) -> None:
    ticket = _leave_window(state, event.ticket, TicketStatus.FINISHED, at_ms)
    ticket.finished_ms, ticket.window = at_ms, event.window
    state.windows[event.window].last_finished = ticket.id
    _meet(ticket, event.window)
    _count_served(state, event, ticket.zone)


def _finish_leg(state: HallState, event: e.LegFinished, at_ms: int) -> None:
    ticket = _leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
    state.windows[event.window].last_finished = None  # else a press on its pad would grade the visitor before this one
    _meet(ticket, event.window)
    _count_served(state, event, ticket.zone)
    state.zones[ticket.zone].legs += 1
    ticket.legs_done.append(DoneLeg(service=event.service, window=event.window, finished_ms=at_ms))
    ticket.legs_planned = tuple(leg for leg in ticket.legs_planned if leg != event.next_service)
    ticket.joined_ms, ticket.call_count = at_ms, 0
    ticket.called_ms = ticket.first_called_ms = ticket.waited_s = ticket.bound = None
    _change_service(state, ticket, event.next_service, event.zone)
    _wait(state, ticket, since_ms=event.since_ms)


def _meet(ticket: Ticket, no: WindowNo | None) -> None:
    """Keep which window spoke with the visitor first."""
    if ticket.contact is None:
        ticket.contact = no


def _count_served(state: HallState, event: e.TicketFinished | e.LegFinished, zone: ZoneId) -> None:
    """Count finished work, a whole visit or one leg: for its window, its zone, and the learned minutes."""
    window = state.windows[event.window]
    window.served_today += 1
    window.busy_s_today += event.serve_s
    state.zones[zone].finished += 1
    typical_s = state.plan.service[event.service].minutes_typical * 60
    mean = state.means.setdefault(event.service, ServeMean())
    mean.count += 1
    mean.total_s += min(event.serve_s, SERVE_CAP * typical_s)


def _transfer(state: HallState, event: e.TicketTransferred, at_ms: int) -> None:
    ticket = _leave_window(state, event.ticket, TicketStatus.WAITING, at_ms)
    _meet(ticket, event.window)
    # Sent on to a leg planned for later: the two change places, so that none is lost.
    ticket.legs_planned = tuple(ticket.service if leg == event.service else leg for leg in ticket.legs_planned)
    _change_service(state, ticket, event.service, event.zone)
    ticket.bound, ticket.call_count = event.to_window, 0
    _wait(state, ticket, since_ms=event.since_ms)


def _change_service(state: HallState, ticket: Ticket, service: ServiceId, zone: ZoneId) -> None:
    if ticket.visitor is not None:
        if state.visitors.get((ticket.visitor, ticket.service)) == ticket.id:
            del state.visitors[ticket.visitor, ticket.service]
        state.visitors[ticket.visitor, service] = ticket.id
    ticket.service, ticket.zone = service, zone


def _leave_window(state: HallState, id_: TicketId, status: TicketStatus, at_ms: int) -> Ticket:
    """Take a ticket out of wherever it stands (lane, window, hold list, missed list) and give it the new status."""
    ticket = state.tickets[id_]
    if ticket.status is TicketStatus.WAITING:
        key = (ticket.service, ticket.priority, ticket.bound)
        lane = state.lanes[key]
        del lane[bisect_left(lane, (ticket.since_ms, ticket.order, ticket.id))]
        if not lane:
            del state.lanes[key]
    elif ticket.window is not None and (window := state.windows.get(ticket.window)) is not None:
        if ticket.status in AT_WINDOW:
            window.current, window.since_ms = None, at_ms
        elif ticket.status is TicketStatus.HELD:
            window.held.remove(ticket.id)
        elif ticket.status is TicketStatus.MISSED:
            window.missed.remove(ticket.id)
    ticket.status = status
    if status is TicketStatus.WAITING:
        ticket.window = ticket.clerk = None
    if status in (TicketStatus.WAITING, TicketStatus.MISSED):  # else waiting again would count as service
        ticket.started_ms, ticket.held_ms, ticket.hold_total_ms = None, None, 0
    return ticket


def _wait(state: HallState, ticket: Ticket, *, since_ms: int) -> None:
    ticket.since_ms = since_ms
    lane = state.lanes.setdefault((ticket.service, ticket.priority, ticket.bound), [])
    insort(lane, (since_ms, ticket.order, ticket.id))
