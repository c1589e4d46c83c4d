"""The hall as its events have made it: plain data that only `evolve` changes.

Below the data stand the steps out of which every change of a ticket is made. Waiting tickets stand in *lanes* (service,
priority, bound window), each sorted by (arrival, order of issue): inside a lane the head is always next, so choosing
looks at a few heads only and does not grow with the day.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.domain import events as e
from server.domain.calibration import Calibration
from server.domain.habits import Habits
from server.domain.learning import Learned, Lesson
from server.domain.lifecycle import AT_WINDOW, Move
from server.domain.records import (
    EDITIONS_MAX,
    Announcement,
    Appointment,
    Balancing,
    Case,
    Edition,
    Lease,
    Result,
    Roll,
)
from server.domain.terms import (
    LEG_AGE_MAX_MIN,
    ORDINARY,
    AppointmentId,
    AwayFor,
    CaseId,
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
WAITED_LONG = "waited_long"  # why somebody ordinary was called before a priority
TURN_OF_PRIORITIES = -1

PROMPT_MS = 20_000

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
    clear_min: int | None = None  # what the call weighed, as in `TicketCalled`
    own_clear_min: int | None = None
    grade: int | None = None
    joined_ms: int  # when the waiting for the active leg began; of the first leg: when the number was given
    legs_done: list[DoneLeg] = field(default_factory=list)
    legs_planned: tuple[ServiceId, ...] = ()  # after the active one, which is `service`
    contact: WindowNo | None = None  # the first window that spoke with the visitor: it leads a joint matter (首办)
    away_for: AwayFor | None = None  # what a visit that is away waits for
    away_ms: int | None = None
    events: int = 0  # that have happened to it
    note: str = ""  # what the clerk who sent the visitor on, or told of missing papers, wrote for the next one
    notice: tuple[str, ...] = ()  # the missing papers of the last one-time notice (一次告知)
    case_number: str = ""  # 办件编号, given by the system in which the matter is handled
    matter_code: str = ""  # 事项编码; empty: that of the service
    appointment: AppointmentId | None = None
    eta_low_s: int | None = None
    eta_high_s: int | None = None
    eta_seen_s: int | None = None
    eta_width_s: int | None = None

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
class Slip:
    """The last move at a window, while it may have been a slip of the finger: what it takes to put it right.

    `events` are those of the visit with this move: when it has more, something has happened since. From `status` to
    `reason` the visit as it was before, `since_ms` and `last_finished` the window; `serve_s`, `lessons` and `results`
    are what was counted, learned and collected by the move.
    """

    move: Move
    at_ms: int
    window: WindowNo
    ticket: TicketId
    clerk: WorkId | None
    events: int
    status: TicketStatus
    contact: WindowNo | None
    started_ms: int | None
    held_ms: int | None
    hold_total_ms: int
    missed_ms: int | None
    finished_ms: int | None
    call_count: int
    reason: str
    since_ms: int
    last_finished: TicketId | None
    serve_s: int
    lessons: tuple[Lesson, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(slots=True, kw_only=True)
class WindowState:
    """What a window is doing now. `current` is the one ticket called to it or served at it."""

    no: WindowNo
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...]
    clerk: WorkId | None = None
    paused: PauseReason | None = None
    pause_note: str = ""
    paused_ms: int = 0  # when the pause began
    current: TicketId | None = None
    held: list[TicketId] = field(default_factory=list)
    missed: list[TicketId] = field(default_factory=list)
    away: list[TicketId] = field(default_factory=list)  # sent away from here, for papers or for a result
    last_finished: TicketId | None = None
    since_ms: int = 0
    served_today: int = 0
    busy_s_today: int = 0
    last_zone: ZoneId | None = None  # whose work was called last
    switched_ms: dict[ZoneId, int] = field(default_factory=dict)  # when a zone's services were last put on or off here
    slip: Slip | None = None
    prompt: int = 0  # calls in a row that came within `PROMPT_MS` of when they could


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


@dataclass(slots=True)
class HallState:
    """Everything a hall knows. Empty until the first `HallPlanned`."""

    plan: HallPlan = field(default_factory=lambda: HallPlan(hall=HallId(""), name={}, time_zone="UTC", languages=()))
    text: str = ""  # the hall file that says the plan; empty in ledgers of the first versions
    editions: deque[Edition] = field(default_factory=lambda: deque(maxlen=EDITIONS_MAX))  # of the settings, newest last
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
    learned: Learned = field(default_factory=Learned)  # over the days
    habits: Habits = field(default_factory=Habits)  # over the days
    calibration: Calibration = field(default_factory=Calibration)  # over the days
    in_a_row: dict[ZoneId, int] = field(
        default_factory=dict
    )  # priority calls since the last ordinary one; see count_call
    kiosk_issued: dict[DeviceId, int] = field(default_factory=dict)  # numbers given at a kiosk today
    rolls: dict[str, Roll] = field(default_factory=dict)  # paper rolls in use today, by prefix
    leases: dict[Label, Lease] = field(default_factory=dict)  # blocks set aside for kiosks today, by first label
    appointments: dict[AppointmentId, Appointment] = field(default_factory=dict)  # over the days
    results: dict[str, Result] = field(default_factory=dict)  # by case number, over the days until collected
    cases: dict[CaseId, Case] = field(default_factory=dict)  # over the days
    announcement: Announcement | None = None
    balancing: Balancing = field(default_factory=Balancing)
    struck: set[TicketId] = field(default_factory=set)  # visits whose grade does not count, by appeal; for ever

    @property
    def edition(self) -> Edition | None:
        """Give the version of the settings that runs, None before the first."""
        return self.editions[-1] if self.editions else None

    def window_status(self, no: WindowNo, *, at_work: bool = False) -> WindowStatus:
        """Say what a window is doing; derived, so that no screen can disagree with it. `at_work`: were it not paused.

        A window left alone beside its visitor still calls or serves: `paused` says that it is left alone.
        """
        window = self.windows[no]
        if window.current is not None:
            called = self.tickets[window.current].status is TicketStatus.CALLED
            return WindowStatus.CALLING if called else WindowStatus.SERVING
        if window.clerk is None:
            return WindowStatus.CLOSED
        return WindowStatus.PAUSED if window.paused and not at_work else WindowStatus.OPEN

    def windows_of(self, service: ServiceId) -> tuple[WindowNo, ...]:
        """Give the staffed windows whose own work the service is; those that only relieve when there is no other."""
        staffed = [window for no, window in self.windows.items() if self.plan.window[no].staffed]
        own = tuple(window.no for window in staffed if service in window.serves)
        return own or tuple(window.no for window in staffed if service in window.relief)

    def lane_items(self) -> Iterator[tuple[LaneKey, list[Spot]]]:
        """Give the lanes in which somebody waits; an empty lane is never kept."""
        return iter(self.lanes.items())

    def waiting(self, service: ServiceId) -> int:
        """Count who waits for a service."""
        return sum(len(lane) for (lane_service, _, _), lane in self.lanes.items() if lane_service == service)

    def mean_s(self, service: ServiceId) -> float:
        """Give the learned seconds of one visit."""
        return self.learned.mean_s(self.plan.service[service])


def arrive(state: HallState, ticket: Ticket, no: WindowNo, at_ms: int) -> None:
    """Make a ticket the current one of a window and announce it."""
    window = state.windows[no]
    ticket.window, ticket.clerk, ticket.held_ms = no, window.clerk, None
    window.current, window.since_ms, window.slip = ticket.id, at_ms, None
    announce(state, ticket, no, at_ms)


def announce(state: HallState, ticket: Ticket, no: WindowNo, at_ms: int) -> None:
    """Put a call on the boards."""
    zone = state.plan.window[no].zone
    state.recent.append(
        Call(ticket=ticket.id, label=ticket.label, window=no, zone=zone, called_ms=at_ms, call_count=ticket.call_count)
    )


def count_call(in_a_row: dict[ZoneId, int], zone: ZoneId, priority: PriorityId, *, waited_long: bool) -> None:
    """Count a call of the next in turn: how many priorities of a zone were called since its last ordinary visitor.

    After an ordinary visitor who had waited longer than the guard's bound it is the priorities' turn, whatever that one
    was called for: `TURN_OF_PRIORITIES`.
    """
    if priority == ORDINARY:
        in_a_row[zone] = TURN_OF_PRIORITIES if waited_long else 0
    else:
        in_a_row[zone] = max(0, in_a_row.get(zone, 0)) + 1


def long_ago_ms(state: HallState, now_ms: int) -> float:
    """Give the instant before which an ordinary visitor must have come to go before every priority."""
    minutes = state.plan.fairness.oldest_first_after_min
    return now_ms - minutes * MS_PER_MIN if minutes else -1.0


def meet(ticket: Ticket, no: WindowNo | None) -> None:
    """Keep which window spoke with the visitor first."""
    if ticket.contact is None:
        ticket.contact = no


def count_served(
    state: HallState, event: e.TicketFinished | e.LegFinished | e.ResultAwaited, zone: ZoneId
) -> tuple[Lesson, ...]:
    """Count finished work, a whole visit or one leg: for its window, its zone, and the learned minutes."""
    window = state.windows[event.window]
    window.served_today += 1
    window.busy_s_today += event.serve_s
    state.zones[zone].finished += 1
    own = event.service not in window.relief  # what was taken off the window since counts as its own, too
    served = state.learned.served(state.plan.service[event.service], window.clerk, event.serve_s, own=own)
    return served, state.learned.came(event.service)


def change_service(state: HallState, ticket: Ticket, service: ServiceId, zone: ZoneId) -> None:
    """Let a ticket be for another service; its visitor is then known to wait for that one."""
    if ticket.visitor is not None:
        if state.visitors.get((ticket.visitor, ticket.service)) == ticket.id:
            del state.visitors[ticket.visitor, ticket.service]
        state.visitors[ticket.visitor, service] = ticket.id
    ticket.service, ticket.zone = service, zone


def leave_window(state: HallState, id_: TicketId, status: TicketStatus, at_ms: int) -> Ticket:
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
        elif ticket.status is TicketStatus.AWAY:
            window.away.remove(ticket.id)
    ticket.status, ticket.away_for, ticket.away_ms = status, None, None
    if status is TicketStatus.WAITING:
        ticket.window = ticket.clerk = None
    if status in (
        TicketStatus.WAITING,
        TicketStatus.MISSED,
        TicketStatus.AWAY,
    ):  # else waiting again would count as service
        ticket.started_ms, ticket.held_ms, ticket.hold_total_ms = None, None, 0
    return ticket


def wait(state: HallState, ticket: Ticket, *, since_ms: int) -> None:
    """Put a ticket into its lane, as if arrived at `since_ms`."""
    ticket.since_ms = since_ms
    lane = state.lanes.setdefault((ticket.service, ticket.priority, ticket.bound), [])
    insort(lane, (since_ms, ticket.order, ticket.id))
