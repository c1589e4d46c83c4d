"""What people, devices and the clock may ask of a hall. Imperative; `decide` answers with events or a refusal."""

from dataclasses import dataclass

from server.domain.records import BalanceLimits
from server.domain.terms import (
    AppointmentId,
    CaseId,
    CaseKind,
    DeviceId,
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
    Track,
    WindowNo,
    WorkId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHall:
    """Take over the settings of a hall: from its file (at a start) or from its page, `by` somebody and with a `note`.

    `text` is the hall file that says so. `after` is the edition that was changed: when there is a newer one by now,
    the hall says no; None takes the plan over whatever there is.
    """

    plan: HallPlan
    text: str = ""
    source: PlanSource = PlanSource.FILE
    by: str = ""
    note: str = ""
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDay:
    """Begin the business day the clock shows; what is left of the day before is closed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDay:
    """End the business day: everything open expires, every window closes, no numbers until the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTicket:
    """Give a number. `visitor` is a keyed hash, never an identity number; `window` binds the ticket to one window.

    `legs` plans a joint matter at once; `service` is its first leg, whether the list names it or not. Without
    `foretell` nobody is told how long it will take: for days that are only played, where it would be most of the work.
    `base_url` is where the visitor's phone reaches this server: it goes into the QR code. `unlisted`: somebody knows
    that the hall has not heard of the result with this case number, and wants a pickup number all the same.
    """

    service: ServiceId
    track: Track
    priority: PriorityId | None = None
    window: WindowNo | None = None
    language: str | None = None
    channel: str = "kiosk"
    kiosk: DeviceId | None = None
    visitor: str | None = None
    base_url: str = ""
    legs: tuple[ServiceId, ...] = ()
    case_number: str = ""
    unlisted: bool = False
    foretell: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNext:
    """Call who is next at a window; with `finish` the current ticket is finished in the same commit.

    `track` is for the visitor with the next number of a paper roll, of whom the hall knows only when calling.
    """

    window: WindowNo
    finish: bool = False
    track: Track | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTicket:
    """Call one ticket out of turn; the reason is kept."""

    window: WindowNo
    reason: str
    ticket: TicketId | None = None
    label: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Announce the called ticket again."""

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartServing:
    """The visitor is at the window."""

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The visit is done, or this leg of it: then the visitor waits for the next leg, or for `next` of those planned."""

    window: WindowNo
    ticket: TicketId | None = None
    next: ServiceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkMissed:
    """The visitor did not come to the window and may come back (过号)."""

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNoShow:
    """The visitor did not come and the visit is over (弃号)."""

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTicket:
    """Called by mistake: back to the old place (退回)."""

    window: WindowNo
    ticket: TicketId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take back the last move at the window (撤销): within seconds, and only if nothing happened since.

    With `ticket` only if the move was this visitor's.
    """

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The visitor leaves the window with leave and keeps the visit (挂起); a window may hold many."""

    window: WindowNo
    ticket: TicketId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Call a held visitor back (回呼); without a ticket the one held longest."""

    window: WindowNo
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Send the visitor to another service or window (转移); label and arrival time are kept."""

    window: WindowNo
    ticket: TicketId | None = None
    service: ServiceId | None = None
    to_window: WindowNo | None = None
    place: Place = Place.BY_ARRIVAL
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLegs:
    """Say which services one visit goes to, in order (一事联办). Legs done stay, what was planned before is replaced.

    `services` may begin with the service the ticket is at now or with the one after it. With `window` the ticket must
    be there: a clerk plans only for the visitor at the own window.
    """

    ticket: TicketId
    services: tuple[ServiceId, ...]
    window: WindowNo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate:
    """A missed visitor is back: waits again, a few calls later."""

    ticket: TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The visitor gave up, or a manager removed the ticket."""

    ticket: TicketId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprint:
    """Print the ticket again with the mark 补打, at the printer of `kiosk` when given."""

    ticket: TicketId
    kiosk: DeviceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The visitor's own grade, 1 to 5; voluntary and once."""

    ticket: TicketId
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateAtWindow:
    """A grade pressed at a window: it belongs to the visit that window finished last.

    A tablet names the `ticket` it asked for a grade of; refused when the window asks for it no more.
    """

    window: WindowNo
    grade: int
    ticket: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A clerk begins work at a window. A clerk sits at one; who looks after the hall may have `several` open."""

    window: WindowNo
    clerk: WorkId
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseWindow:
    """No calls for a while; the reason is shown."""

    window: WindowNo
    reason: PauseReason
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeWindow:
    """The pause is over."""

    window: WindowNo


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWindow:
    """The clerk ends work at the window."""

    window: WindowNo


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignServices:
    """A manager sets what a window serves, live."""

    window: WindowNo
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveNotice:
    """Say once and completely which papers are missing (一次告知); the slip is printed.

    `away`: the visitor fetches them and comes back today to the old place; else the ticket stays where it is.
    """

    window: WindowNo
    items: tuple[str, ...]
    ticket: TicketId | None = None
    note: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitResult:
    """Intake is done, the back office decides (受办分离): the visit waits away from the windows for its result.

    `pickup` is the service at which the result is handed out; without it the hall's first one of that kind.
    """

    window: WindowNo
    ticket: TicketId | None = None
    pickup: ServiceId | None = None
    case_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """The back office has a result ready (出件).

    A ticket of today that awaits it (named by id or label, or by the case number) waits for pickup under its own label;
    else the result waits until somebody takes a pickup number with the case number.
    """

    case_number: str
    pickup: ServiceId | None = None
    ticket: TicketId | None = None
    label: Label | None = None
    visitor: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeBack:
    """The visitor is back with the missing papers and waits at the old place."""

    ticket: TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCaseNumber:
    """Keep the case number (办件编号) and matter code (事项编码) of a visit; with `window` the ticket must be there."""

    ticket: TicketId
    case_number: str
    matter_code: str = ""
    window: WindowNo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAppointment:
    """Book a slot (预约). `id` is unguessable, `code` six digits; `visitor` a keyed hash.

    `starts` is the clock time at which the slot begins, "09:00"; `external` the id in the system it comes from.
    """

    id: AppointmentId
    code: str
    service: ServiceId
    day: str
    starts: str
    visitor: str | None = None
    channel: str = "phone"
    external: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAppointment:
    """Give a booked slot back; staff may do so at any time."""

    id: AppointmentId
    by_staff: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """The visitor is here: a number for a booked slot, by its id, its code of today, or the visitor's keyed hash."""

    track: Track
    id: AppointmentId | None = None
    code: str | None = None
    visitor: str | None = None
    language: str | None = None
    channel: str = "kiosk"
    kiosk: DeviceId | None = None
    base_url: str = ""
    foretell: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Take on a matter for somebody (代办, 上门办). `client` is what staff call the person, masked.

    `elsewhere`: not this level's matter, to be handed over today. `visit_at_ms`: when the home is visited.
    """

    kind: CaseKind
    agent: WorkId
    client: str
    service: ServiceId | None = None
    visitor: str | None = None
    ticket: TicketId | None = None
    note: str = ""
    visit_at_ms: int | None = None
    due: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCase:
    """Write a line into the case's log; `items` are papers still missing. `by` must be the case's agent or a chief."""

    case: CaseId
    by: WorkId
    note: str = ""
    items: tuple[str, ...] = ()
    chief: bool = False
    agent: WorkId | None = None  # somebody else's name here is refused: no change of agent on the way


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishCase:
    """The matter is done; for a bad grade: what was done about it."""

    case: CaseId
    by: WorkId
    outcome: str
    chief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCase:
    """The client ends the agency (终止委托), or it was taken on by mistake."""

    case: CaseId
    by: WorkId
    reason: str
    chief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverCase:
    """Give the case to the hall whose matter it is (转交)."""

    case: CaseId
    by: WorkId
    to_hall: HallId
    note: str = ""
    chief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCase:
    """A case comes from another hall: it is opened here, without an agent until somebody takes it (`TakeCase`).

    `matter` is what its service is called there.
    """

    from_hall: HallId
    from_case: CaseId
    kind: CaseKind
    client: str = ""
    matter: str = ""
    note: str = ""
    due: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCase:
    """Become the agent of a case that has none."""

    case: CaseId
    agent: WorkId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmHandOver:
    """The other hall has the case, as its own `their_case`."""

    case: CaseId
    to_hall: HallId
    their_case: CaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBack:
    """The other hall tells how a case passed on to it ended; not `done`: it was withdrawn there."""

    case: CaseId
    from_hall: HallId
    their_case: CaseId
    outcome: str
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealCase:
    """Ask for a recheck of a bad grade (mis-click, malice)."""

    case: CaseId
    by: WorkId
    reason: str
    chief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal:
    """A chief decides the recheck: `upheld` strikes the grade from the statistics."""

    case: CaseId
    by: WorkId
    upheld: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The clock asks what is due: hand-overs before closing, cases overdue. Gives no events when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Another clerk takes over the window with its current ticket and its lists (换岗)."""

    window: WindowNo
    clerk: WorkId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveHeld:
    """The held and missed visitors of a window are kept at another window from now on."""

    window: WindowNo
    to_window: WindowNo
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveAlone:
    """The clock saw no sign of life at a window for `idle_s`: it takes no calls until somebody resumes it."""

    window: WindowNo
    idle_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceRoll:
    """A pre-printed roll of paper numbers is in use, since a kiosk is broken."""

    service: ServiceId
    prefix: str
    first: int
    last: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TornOff:
    """Numbers of a roll up to this one are in visitors' hands: they wait from now on."""

    prefix: str
    upto: int
    tracks: tuple[Track, ...]  # one for each number that may become known, so that each has a phone page


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRoll:
    """The roll is taken away."""

    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseNumbers:
    """Set numbers of a series aside for a kiosk, for when it cannot reach the server; at most what it may hold."""

    kiosk: DeviceId
    prefix: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOffline:
    """A kiosk tells of a number that it gave by itself from a leased block, on business day `day`.

    `pressed_ms` is when, by the kiosk's clock: it never counts as earlier than the lease or the number before, nor as
    later than now. `track` stands on the paper already.
    """

    kiosk: DeviceId
    service: ServiceId
    number: int
    day: str
    pressed_ms: int
    track: Track
    priority: PriorityId | None = None
    language: str | None = None
    base_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnBlock:
    """A leased block (named by the label of its first number) is not used any more; staff name no kiosk."""

    lease: Label
    kiosk: DeviceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell everybody something, on all boards and, if `spoken`, from all loudspeakers; it replaces what stands there.

    An emergency comes before everything else. It stands `minutes`, None until it is withdrawn or the day ends.
    """

    text: Text
    emergency: bool = False
    spoken: bool = True
    minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAnnouncement:
    """Withdraw the announcement that stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySuggestion:
    """Do what was suggested (`rebalance.name_of`), if it stands; `by` is a work id."""

    suggestion: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineSuggestion:
    """Say no to a suggestion for a while."""

    suggestion: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoChange:
    """Take back a change that was made by a suggestion."""

    change: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBalanceLimits:
    """Say what the hall may change by itself, and when relief is called."""

    limits: BalanceLimits
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAround:
    """The clock asks what balancing is due: tides, relief, outcomes, changes of the hall itself."""


TicketMove = Recall | StartServing | Finish | MarkMissed | MarkNoShow | ReturnTicket | Hold | Transfer
WindowMove = OpenWindow | PauseWindow | ResumeWindow | CloseWindow
CaseMove = (
    OpenCase
    | LogCase
    | FinishCase
    | WithdrawCase
    | HandOverCase
    | ReceiveCase
    | TakeCase
    | ConfirmHandOver
    | ReportBack
    | AppealCase
    | DecideAppeal
)
Command = (
    PlanHall
    | StartDay
    | CloseDay
    | IssueTicket
    | CallNext
    | CallTicket
    | TicketMove
    | Undo
    | Resume
    | PlanLegs
    | Reinstate
    | Cancel
    | Reprint
    | Rate
    | RateAtWindow
    | WindowMove
    | AssignServices
    | GiveNotice
    | AwaitResult
    | ReportResult
    | ComeBack
    | NoteCaseNumber
    | BookAppointment
    | CancelAppointment
    | CheckIn
    | CaseMove
    | Watch
    | HandOver
    | MoveHeld
    | LeaveAlone
    | AnnounceRoll
    | Announce
    | EndAnnouncement
    | ApplySuggestion
    | DeclineSuggestion
    | UndoChange
    | SetBalanceLimits
    | LookAround
    | TornOff
    | EndRoll
    | LeaseNumbers
    | IssueOffline
    | ReturnBlock
)
