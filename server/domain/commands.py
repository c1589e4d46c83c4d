"""What people, devices and the clock may ask of a hall. Imperative; `decide` answers with events or a refusal."""

from dataclasses import dataclass

from server.domain.terms import (
    DeviceId,
    HallPlan,
    Label,
    PauseReason,
    Place,
    PriorityId,
    ServiceId,
    TicketId,
    Track,
    WindowNo,
    WorkId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHall:
    """Take over the structure of a hall file (at the first start, and when the file has changed)."""

    plan: HallPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDay:
    """Begin the business day the clock shows; what is left of the day before is closed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDay:
    """End the business day: everything open expires, every window closes, no numbers until the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTicket:
    """Give a number. `visitor` is a keyed hash, never an identity number; `window` binds the ticket to one window.

    `legs` plans a joint matter at once; `service` is its first leg, whether the list names it or not.
    `base_url` is where the visitor's phone reaches this server: it goes into the QR code.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNext:
    """Call who is next at a window; with `finish` the current ticket is finished in the same commit."""

    window: WindowNo
    finish: bool = False


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
    """A grade pressed on a window's rating pad: it belongs to the visit that window finished last."""

    window: WindowNo
    grade: int


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


TicketMove = Recall | StartServing | Finish | MarkMissed | MarkNoShow | ReturnTicket | Hold | Transfer
WindowMove = OpenWindow | PauseWindow | ResumeWindow | CloseWindow
Command = (
    PlanHall
    | StartDay
    | CloseDay
    | IssueTicket
    | CallNext
    | CallTicket
    | TicketMove
    | Resume
    | PlanLegs
    | Reinstate
    | Cancel
    | Reprint
    | Rate
    | RateAtWindow
    | WindowMove
    | AssignServices
)
