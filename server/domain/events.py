"""What happened in a hall. Stored for ever: add a new event, never change an old one.

An event says everything the answer to its command says, so that a repeated request gets the first answer again from
the ledger alone. Instants are the commit's; durations are whole seconds.
"""

from dataclasses import dataclass

from server.domain.lifecycle import Move
from server.domain.records import BalanceLimits
from server.domain.terms import (
    AppointmentId,
    AwayFor,
    CaseId,
    CaseKind,
    DeviceId,
    DoneLeg,
    HallId,
    HallPlan,
    Label,
    PauseReason,
    Place,
    PlanSource,
    PriorityId,
    ServiceId,
    Text,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    WindowStatus,
    WorkId,
    ZoneId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HallPlanned:
    """The settings of the hall were taken over: from its file by the server, or from its page, `by` somebody.

    `text` is the hall file that says so (TOML; empty in ledgers of the first versions), `note` why it was changed.
    """

    plan: HallPlan
    text: str = ""
    source: PlanSource = PlanSource.FILE
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened:
    """A business day (ISO date) began; every series starts at its first number."""

    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed:
    """The business day ended."""

    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketIssued:
    """A visitor got a number. `ahead`, `eta_*`, `windows` and `base_url` are what the visitor was told."""

    ticket: TicketId
    label: Label
    number: int
    prefix: str
    service: ServiceId
    zone: ZoneId
    priority: PriorityId
    track: Track
    ahead: int
    eta_p50_s: int | None
    eta_p80_s: int | None
    windows: tuple[WindowNo, ...]
    window: WindowNo | None = None
    language: str | None = None
    channel: str = "kiosk"
    kiosk: DeviceId | None = None
    visitor: str | None = None
    base_url: str = ""
    case_number: str = ""
    appointment: AppointmentId | None = None
    eta_low_s: int | None = None  # four of five wait between these
    eta_high_s: int | None = None
    eta_seen_s: int | None = None  # what was seen before it was corrected, and in what measure errors are counted
    eta_width_s: int | None = None
    pressed_ms: int | None = None  # when a kiosk gave it by itself, of a leased block; else the commit's instant counts


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCalled:
    """A visitor was invited to a window.

    `waited_s`: since the number was given, for a later leg since it joined the waiting, to the first call.
    `why`: head (own work, oldest), priority, returning_leg (of a joint matter), relief (helping another service), bound
    (ticket of this window), chosen (out of turn, `reason` says why); before a priority: fairness (after enough of them
    in a row), waited_long (longer than the hall's bound); roll (next number of a paper roll).
    Where the window weighed zones against each other, `clear_min` are the minutes predicted for clearing the called
    ticket's zone without this window, and for relief `own_clear_min` those of its own zone: "31 min against your 4".
    """

    ticket: TicketId
    label: Label
    number: int
    window: WindowNo
    service: ServiceId
    zone: ZoneId
    priority: PriorityId
    waited_s: int
    call_count: int
    why: str
    reason: str = ""
    clear_min: int | None = None
    own_clear_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRecalled:
    """The called ticket was announced again; `call_count` counts the announcements of this call."""

    ticket: TicketId
    label: Label
    window: WindowNo
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingStarted:
    """The visitor is at the window; `walk_s` since the call."""

    ticket: TicketId
    label: Label
    window: WindowNo
    walk_s: int
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFinished:
    """The visit is done; `serve_s` since the start (since the call when no start was pressed) less `hold_s`."""

    ticket: TicketId
    label: Label
    window: WindowNo
    service: ServiceId
    serve_s: int
    hold_s: int
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegsPlanned:
    """One visit goes to several services: `services` are the active leg and those after it, `done` what went before.

    `unserved` are those that no window at work served or relieved then: the visitor was told. `window` is where the
    visitor was.
    """

    ticket: TicketId
    label: Label
    window: WindowNo | None
    services: tuple[ServiceId, ...]
    done: tuple[DoneLeg, ...]
    unserved: tuple[ServiceId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFinished:
    """One leg is done and the visitor waits for `next_service` in `zone`, as if arrived at `since_ms`.

    `serve_s` and `hold_s` as in `TicketFinished`. `unserved`: no window at work served the next leg then.
    """

    ticket: TicketId
    label: Label
    window: WindowNo
    service: ServiceId
    serve_s: int
    hold_s: int
    call_count: int
    next_service: ServiceId
    zone: ZoneId
    since_ms: int
    unserved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMissed:
    """The visitor did not come to the window and may come back."""

    ticket: TicketId
    label: Label
    window: WindowNo
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReinstated:
    """A missed visitor waits again, as if arrived at `since_ms`."""

    ticket: TicketId
    label: Label
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoShowRecorded:
    """The visitor did not come and the visit is over."""

    ticket: TicketId
    label: Label
    window: WindowNo
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReturned:
    """Called by mistake: waits again at the old place."""

    ticket: TicketId
    label: Label
    window: WindowNo
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUndone:
    """The last move at the window was a slip and is taken back: the visit is `status` again, as if never moved.

    `undone` is one of start, finish, miss, no_show, return, hold.
    """

    ticket: TicketId
    label: Label
    window: WindowNo
    undone: Move
    status: TicketStatus
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHeld:
    """The visitor is away with leave; the window keeps the visit."""

    ticket: TicketId
    label: Label
    window: WindowNo
    call_count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketResumed:
    """A held visitor was called back to the window."""

    ticket: TicketId
    label: Label
    window: WindowNo
    zone: ZoneId
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTransferred:
    """The visitor waits for another service or window, as if arrived at `since_ms`."""

    ticket: TicketId
    label: Label
    window: WindowNo
    from_service: ServiceId
    service: ServiceId
    zone: ZoneId
    to_window: WindowNo | None
    place: Place
    since_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCancelled:
    """The visitor gave up, or a manager removed the ticket; `window` is where it was called or held."""

    ticket: TicketId
    label: Label
    window: WindowNo | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketExpired:
    """The day closed over an open ticket. `reason` is day_closed; days of the first version have none."""

    ticket: TicketId
    label: Label
    window: WindowNo | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprintRequested:
    """The ticket is to be printed again with the mark 补打."""

    ticket: TicketId
    label: Label
    kiosk: DeviceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRated:
    """The visitor's own grade, 1 to 5 (5 is best)."""

    ticket: TicketId
    label: Label
    window: WindowNo | None
    clerk: WorkId | None
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOpened:
    """A clerk began work at a window."""

    window: WindowNo
    clerk: WorkId


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPaused:
    """The window takes no calls for a while."""

    window: WindowNo
    reason: PauseReason
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowResumed:
    """The pause is over; `status` is what the window does from now on."""

    window: WindowNo
    status: WindowStatus = WindowStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosed:
    """The clerk ended work at the window, or the day closed."""

    window: WindowNo


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesAssigned:
    """The window now serves these."""

    window: WindowNo
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven:
    """The visitor was told which papers are missing. `away`: fetches them. `serve_s`, `hold_s` as in TicketFinished."""

    ticket: TicketId
    label: Label
    window: WindowNo
    service: ServiceId
    items: tuple[str, ...]
    note: str
    away: bool
    serve_s: int
    hold_s: int
    call_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultAwaited:
    """Intake is done and the back office decides; the result is for `pickup` in `zone`. Times as in TicketFinished."""

    ticket: TicketId
    label: Label
    window: WindowNo
    service: ServiceId
    serve_s: int
    hold_s: int
    call_count: int
    pickup: ServiceId
    zone: ZoneId
    case_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReady:
    """The back office has a result ready; `ticket` is the one of today that awaited it."""

    case_number: str
    pickup: ServiceId
    visitor: str | None
    ticket: TicketId | None
    label: Label | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketBack:
    """A visit that was away waits again for `service` in `zone`, as if arrived at `since_ms`."""

    ticket: TicketId
    label: Label
    service: ServiceId
    zone: ZoneId
    since_ms: int
    why: AwayFor


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNumberNoted:
    """The visit belongs to this case number (办件编号) and matter code (事项编码)."""

    ticket: TicketId
    label: Label
    case_number: str
    matter_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked:
    """A slot was booked; `starts_ms` and `ends_ms` bound it."""

    id: AppointmentId
    code: str
    service: ServiceId
    day: str
    starts_ms: int
    ends_ms: int
    visitor: str | None
    channel: str
    external: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled:
    """A booked slot was given back."""

    id: AppointmentId
    service: ServiceId
    by_staff: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentKept:
    """The visitor checked in and got `ticket`; `late`: after the slot, so without its priority."""

    id: AppointmentId
    ticket: TicketId
    label: Label
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentMissed:
    """The day ended and nobody had come."""

    id: AppointmentId
    service: ServiceId
    visitor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A case begins. A bad grade opens one by itself, with `window`, `clerk`, `grade`, and `due` by working days."""

    case: CaseId
    kind: CaseKind
    agent: WorkId | None
    service: ServiceId | None
    client: str
    visitor: str | None
    ticket: TicketId | None
    label: Label | None
    note: str
    window: WindowNo | None = None
    clerk: WorkId | None = None
    grade: int | None = None
    visit_at_ms: int | None = None
    due: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReceived:
    """A case came from another hall."""

    case: CaseId
    kind: CaseKind
    from_hall: HallId
    from_case: CaseId
    client: str
    matter: str
    note: str
    due: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTaken:
    """Somebody became the agent of a case that had none."""

    case: CaseId
    agent: WorkId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLogged:
    """A line of the case's log; `items` are papers still missing."""

    case: CaseId
    by: WorkId
    note: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """The matter is done."""

    case: CaseId
    by: WorkId
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWithdrawn:
    """The agency ended before the matter was done."""

    case: CaseId
    by: WorkId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandedOver:
    """The case is on its way to another hall; everything that hall needs stands here. Whose it is stays here."""

    case: CaseId
    by: WorkId
    to_hall: HallId
    kind: CaseKind
    client: str
    matter: str
    note: str
    due: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandoverConfirmed:
    """The other hall has the case, as its own `their_case`."""

    case: CaseId
    to_hall: HallId
    their_case: CaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReportedBack:
    """The hall that the case was passed on to told how it ended; not `done`: it was withdrawn there."""

    case: CaseId
    from_hall: HallId
    their_case: CaseId
    outcome: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandoverDue:
    """Closing time is near and the case must still be handed over today."""

    case: CaseId
    closes_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOverdue:
    """The day on which the case was due is over and it is still open."""

    case: CaseId
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAppealed:
    """A recheck of a bad grade was asked for."""

    case: CaseId
    by: WorkId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided:
    """The recheck is decided; `upheld`: the grade of `ticket` does not count and there is nothing to follow up."""

    case: CaseId
    by: WorkId
    upheld: bool
    note: str
    ticket: TicketId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowHandedOver:
    """Another clerk works at the window from now on; its current ticket and its lists stay."""

    window: WindowNo
    from_clerk: WorkId
    clerk: WorkId
    ticket: TicketId | None
    held: tuple[TicketId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMoved:
    """The held and missed visitors of a window are kept at another one."""

    window: WindowNo
    to_window: WindowNo
    held: tuple[TicketId, ...]
    missed: tuple[TicketId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLeftAlone:
    """No sign of life at the window for `idle_s` seconds: it is paused."""

    window: WindowNo
    clerk: WorkId
    idle_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollAnnounced:
    """A pre-printed roll is in use for a service."""

    prefix: str
    service: ServiceId
    first: int
    last: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollEnded:
    """The roll was taken away after number `given`."""

    prefix: str
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLeased:
    """The numbers `first` to `last` of a series are this kiosk's for the rest of the day: nobody else gives them."""

    kiosk: DeviceId
    prefix: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReturned:
    """A leased block is over; `given` is the last number of it that was told (before `first` when none was).

    `reason`: returned by the kiosk, ended by staff, day_closed. Its other numbers stay unused for today.
    """

    kiosk: DeviceId
    prefix: str
    first: int
    last: int
    given: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """Something is told to everybody until `until_ms` (Unix ms), None until it is withdrawn or the day ends."""

    text: Text
    emergency: bool
    spoken: bool
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementEnded:
    """The announcement is over; `reason`: withdrawn, time_over, day_closed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceApplied:
    """A window was given, or freed of, the services of a zone on a suggestion; waits and gain are predicted minutes.

    `by`: a work id, empty for the hall itself. The duties change by the `ServicesAssigned` beside it.
    """

    change: str
    suggestion: str
    by: str
    window: WindowNo
    zone: ZoneId
    on: bool
    services: tuple[ServiceId, ...]
    gain_min: float
    before_min: float
    after_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceDeclined:
    """A suggestion is not wanted until then (Unix ms)."""

    suggestion: str
    by: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceUndone:
    """A change was taken back; `reason` day_closed: it was for one day."""

    change: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceJudged:
    """What came of a change: calls in its zone in the hour after it, and their mean wait in minutes (None: no call)."""

    change: str
    calls: int
    was_min: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLimitsSet:
    """What the hall may change by itself, and when relief is called."""

    limits: BalanceLimits
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefCalled:
    """A zone is too hot: these windows could help; `wait_min` is predicted for who comes now."""

    zone: ZoneId
    wait_min: float
    waiting: int
    windows: tuple[WindowNo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefEnded:
    """The zone has cooled."""

    zone: ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class TideTurned:
    """The duties of a window change by the clock (潮汐窗口); `tide` None: back to the usual ones."""

    window: WindowNo
    tide: str | None


Event = (
    HallPlanned
    | DayOpened
    | DayClosed
    | TicketIssued
    | TicketCalled
    | TicketRecalled
    | ServingStarted
    | TicketFinished
    | LegsPlanned
    | LegFinished
    | TicketMissed
    | TicketReinstated
    | NoShowRecorded
    | TicketReturned
    | MoveUndone
    | TicketHeld
    | TicketResumed
    | TicketTransferred
    | TicketCancelled
    | TicketExpired
    | ReprintRequested
    | TicketRated
    | WindowOpened
    | WindowPaused
    | WindowResumed
    | WindowClosed
    | ServicesAssigned
    | NoticeGiven
    | ResultAwaited
    | ResultReady
    | TicketBack
    | CaseNumberNoted
    | AppointmentBooked
    | AppointmentCancelled
    | AppointmentKept
    | AppointmentMissed
    | CaseOpened
    | CaseReceived
    | CaseTaken
    | CaseLogged
    | CaseFinished
    | CaseWithdrawn
    | CaseHandedOver
    | CaseHandoverConfirmed
    | CaseReportedBack
    | CaseHandoverDue
    | CaseOverdue
    | CaseAppealed
    | AppealDecided
    | WindowHandedOver
    | HeldMoved
    | WindowLeftAlone
    | RollAnnounced
    | Announced
    | AnnouncementEnded
    | BalanceApplied
    | BalanceDeclined
    | BalanceUndone
    | BalanceJudged
    | BalanceLimitsSet
    | ReliefCalled
    | ReliefEnded
    | TideTurned
    | RollEnded
    | BlockLeased
    | BlockReturned
)
