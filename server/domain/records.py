"""What a hall keeps over the days beside its tickets: appointments, results, cases; and the paper rolls of a day."""

from dataclasses import dataclass, field

from server.domain.terms import (
    AppointmentId,
    AppointmentStatus,
    CaseId,
    CaseKind,
    CaseStatus,
    DeviceId,
    HallId,
    Label,
    PlanSource,
    ServiceId,
    Text,
    TicketId,
    WindowNo,
    WorkId,
    ZoneId,
)

EDITIONS_MAX = 200  # settings that can be gone back to


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of the hall's settings: when it was taken over (Unix ms, business day), from where, by whom, why.

    `digest` is that of its plan. The text stands in its commit.
    """

    version: int
    at_ms: int
    day: str
    source: PlanSource
    by: str
    note: str
    digest: str


@dataclass(slots=True, kw_only=True)
class Appointment:
    """One booked time (预约). `starts_ms` and `ends_ms` bound its slot; `visitor` is a keyed hash, never a number."""

    id: AppointmentId
    code: str  # six digits, told at the kiosk
    service: ServiceId
    day: str
    starts_ms: int
    ends_ms: int
    visitor: str | None
    channel: str
    booked_ms: int
    external: str | None = None  # its id in the system that it was imported from
    status: AppointmentStatus = AppointmentStatus.BOOKED
    ticket: TicketId | None = None
    reason: str = ""  # why it was cancelled


@dataclass(slots=True, kw_only=True)
class Result:
    """A result that the back office made ready (出件) and nobody has collected yet."""

    case_number: str
    pickup: ServiceId
    visitor: str | None
    ticket: TicketId | None
    ready_ms: int
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Roll:
    """A pre-printed paper roll in use: `given` is the last number that the hall knows of, `first` - 1 when none."""

    prefix: str
    service: ServiceId
    first: int
    last: int
    given: int
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Lease:
    """A block of numbers that is a kiosk's today: `given` is the last one told, `given_ms` when it was given.

    `label` is that of its first number and names it; instants are Unix ms.
    """

    label: Label
    kiosk: DeviceId
    prefix: str
    first: int
    last: int
    given: int
    leased_ms: int
    given_ms: int = 0
    open: bool = True

    def holds(self, prefix: str, number: int) -> bool:
        """Say whether a number is of this block."""
        return self.prefix == prefix and self.first <= number <= self.last


@dataclass(slots=True, kw_only=True)
class BalanceChange:
    """A suggestion that was applied: predicted waits in the helped zone, and what it really was (minutes).

    `by`: a work id, empty for the hall itself; `calls` and `waited_s` count who was called in the zone since.
    """

    id: str
    at_ms: int
    by: str
    window: WindowNo
    zone: ZoneId
    on: bool
    services: tuple[ServiceId, ...]
    gain_min: float
    before_min: float
    after_min: float
    calls: int = 0
    waited_s: int = 0
    was_min: float | None = None  # mean wait of those called in the zone in the hour after; None: nobody was
    judged: bool = False
    undone_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it can be undone."""
        return self.undone_ms is None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLimits:
    """What a manager lets the hall do by itself, and when relief is called; `windows` None: all of them may change."""

    mode: str = "manual"  # or automatic
    at_once: int = 4
    hold_min: int = 90
    relief_heat: float = 1.5  # predicted wait over target at which relief is called; 0: never
    windows: tuple[WindowNo, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefCall:
    """A zone that asks for relief: since when (Unix ms), its predicted wait then, and which windows could help."""

    since_ms: int
    wait_min: float
    waiting: int
    windows: tuple[WindowNo, ...]


@dataclass(slots=True, kw_only=True)
class Balancing:
    """Live rebalancing: the limits, which stay; and of today the changes, what was declined, relief and tides."""

    limits: BalanceLimits = field(default_factory=BalanceLimits)
    changes: list[BalanceChange] = field(default_factory=list)
    declined: dict[str, int] = field(default_factory=dict)
    relief: dict[ZoneId, ReliefCall] = field(default_factory=dict)
    tides: dict[WindowNo, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What everybody is told now (广播); instants are Unix ms."""

    text: Text
    emergency: bool
    spoken: bool
    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStep:
    """One line of a case's log (台账)."""

    at_ms: int
    what: str  # opened, received, taken, logged, notice, handed_over, confirmed, reported, finished, ...
    by: str  # a work id, another hall, or nobody: the clock and a bad grade
    note: str = ""
    items: tuple[str, ...] = ()  # notice: the papers that are missing
    to_hall: HallId | None = None  # handed_over


@dataclass(slots=True, kw_only=True)
class Case:
    """A matter that somebody of the hall looks after until it is done.

    `agent` does not change on the way (中途不换人). `client` is what staff call the person, masked; `due` is a business
    day (ISO); `origin` names the hall and case it was handed over from, `to_hall` the hall it went to.
    """

    id: CaseId
    kind: CaseKind
    agent: WorkId | None
    opened_ms: int
    service: ServiceId | None = None
    matter: str = ""  # of a case from another hall: what its service is called there
    client: str = ""
    visitor: str | None = None
    ticket: TicketId | None = None
    label: Label | None = None
    window: WindowNo | None = None
    clerk: WorkId | None = None  # rating: whose visit it was
    grade: int | None = None
    visit_at_ms: int | None = None
    due: str | None = None
    elsewhere: bool = False  # not this level's matter: to be handed over the same day (当天转交)
    to_hall: HallId | None = None
    their_case: CaseId | None = None  # what the case is there
    origin: tuple[HallId, CaseId] | None = None
    status: CaseStatus = CaseStatus.OPEN
    alarmed: bool = False  # the alarm before closing was raised today
    overdue: bool = False
    appeal: str | None = None  # open, upheld, rejected
    closed_ms: int | None = None
    reported: bool = False  # passed on, and the other hall has told how it ended
    steps: list[CaseStep] = field(default_factory=list)
