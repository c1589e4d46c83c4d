"""What is done at a window."""

from typing import Annotated

from pydantic import Field

from server.domain.terms import (
    Place,
    TicketStatus,
    WindowStatus,
)
from server.people import PASSWORD_LENGTH_MAX
from server.web.wire.words import (
    ID_LENGTH_MAX,
    NOTICE_ITEMS_MAX,
    REGISTER_LIST_MAX,
    VISITOR_REF_LENGTH_MAX,
    Answer,
    Body,
    CaseNumber,
    Id,
    Instant,
    PersonPause,
    Words,
)


class CallNext(Body):
    """With `finish` the current ticket is finished by the same press."""

    finish: bool = False


class CallTicket(Body):
    """One ticket out of turn, by `ticket` or by `label`; the reason is kept."""

    ticket: Id | None = None
    label: Id | None = None
    reason: Words


class Move(Body):
    """On the current ticket of the window, or on the given one."""

    ticket: Id | None = None
    reason: Words = ""


class Undo(Body):
    """Of the current ticket's last move at the window, or only if it was the given one's."""

    ticket: Id | None = None


class Finish(Move):
    """`next` chooses among the legs that are still planned; without it the first of them follows."""

    next: Id | None = None


class Transfer(Body):
    """To another `service`, or to one `window`, or both."""

    ticket: Id | None = None
    service: Id | None = None
    window: Id | None = None
    place: Place = Place.BY_ARRIVAL
    reason: Words = ""


class GiveNotice(Body):
    """Everything that is missing, one paper a line of at most 30 Chinese characters (60 letters); `note` for the rest.

    With `away` the visitor fetches the papers now and comes back today to the old place.
    """

    ticket: Id | None = None
    items: Annotated[list[Words], Field(min_length=1, max_length=NOTICE_ITEMS_MAX)]
    note: Words = ""
    away: bool = False


class AwaitResult(Body):
    """The back office decides; the result is handed out at `pickup`, else at the hall's nearest pickup service."""

    ticket: Id | None = None
    pickup: Id | None = None
    case_number: CaseNumber | None = None


class NoteCase(Body):
    """The case number (办件编号) of the visit, and its matter code (事项编码) where that is not the service's."""

    case_number: CaseNumber
    matter_code: CaseNumber | None = None


class ReportResult(Body):
    """A result is ready (出件): for a ticket of today by `ticket` or `label`, else by case number or visitor.

    `visitor_ref` is only ever kept as a keyed hash.
    """

    case_number: CaseNumber
    pickup: Id | None = None
    ticket: Id | None = None
    label: Id | None = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    note: Words = ""


class Pause(Body):
    """Why the window is paused; shown on its strip."""

    reason: PersonPause
    note: Words = ""


class HandOver(Body):
    """Who takes over: `work_id` and `password` of the colleague, or `clerk` when a manager says so."""

    work_id: Annotated[str | None, Field(min_length=1, max_length=ID_LENGTH_MAX)] = None
    password: Annotated[str | None, Field(min_length=1, max_length=PASSWORD_LENGTH_MAX)] = None
    clerk: Id | None = None
    reason: Words = ""


class MoveHeld(Body):
    """Where the held and missed visitors of the window are kept from now on."""

    to_window: Id
    reason: Words = ""


class Assign(Body):
    """What a window serves from now on, and what it takes over when that is quiet."""

    serves: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)]
    relief: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    reason: Words = ""


class Called(Answer):
    """Who is called. `reason`: the clerk's own, else `why`.

    `why`: head, priority, returning_leg, relief, bound, chosen, fairness, waited_long or roll. Where zones were
    weighed, `clear_min` are the minutes it was predicted to take until the zone of the called one is cleared without
    this window, and for relief `own_clear_min` those of its own.
    """

    ticket: str
    label: str
    number: int
    service: str
    window: str
    waited_s: int
    priority: str
    call_count: int
    why: str
    reason: str
    clear_min: int | None
    own_clear_min: int | None
    called_at: Instant
    seq: int


class Moved(Answer):
    """The ticket after the command; `window` is where it is now.

    `next_leg` (a service) and `leg_unserved` only when a leg was finished and the visitor waits for the next.
    """

    ticket: str
    label: str
    status: TicketStatus
    window: str | None
    call_count: int
    seq: int
    next_leg: str | None = None
    leg_unserved: bool = False


class NoticeGiven(Answer):
    """What the visitor was told; the slip is printed. `away`: the visitor fetches the papers now and comes back."""

    ticket: str
    label: str
    window: str
    items: list[str]
    away: bool
    seq: int


class ResultAwaited(Answer):
    """The visit waits for its result; `status` is waiting when that was ready already."""

    ticket: str
    label: str
    status: TicketStatus
    pickup: str
    case_number: str
    seq: int


class CaseNoted(Answer):
    """The case the visit belongs to. `back`: its result was ready, so it waits for pickup now."""

    ticket: str
    label: str
    case_number: str
    matter_code: str
    back: bool
    seq: int


class ResultReported(Answer):
    """The result is known. `back`: the visit of `ticket` waits for pickup now; else it waits until it is asked for."""

    case_number: str
    pickup: str
    ticket: str | None
    label: str | None
    back: bool
    seq: int


class Result(Answer):
    """A result that nobody has collected yet; `ticket` is the visit it was reported for, if any."""

    case_number: str
    pickup: str
    ready_at: Instant
    ticket: str | None
    note: str


class Awaiting(Answer):
    """A visit of today that waits for its result."""

    ticket: str
    label: str
    pickup: str
    case_number: str | None
    away_at: Instant | None


class Results(Answer):
    """Results that are ready, and visits that wait for theirs; oldest first."""

    results: list[Result]
    awaiting: list[Awaiting]


class WindowChanged(Answer):
    """The window after the command."""

    window: str
    status: WindowStatus
    seq: int


class HandedOver(Answer):
    """`clerk` works at the window now; its current `ticket` and its `held` list stayed."""

    window: str
    from_clerk: str
    clerk: str
    ticket: str | None
    held: list[str]
    seq: int


class HeldMoved(Answer):
    """The tickets that `to_window` keeps now."""

    window: str
    to_window: str
    held: list[str]
    missed: list[str]
    seq: int


class Alive(Answer):
    """Noted."""

    window: str


class Assigned(Answer):
    """What the window serves now."""

    window: str
    serves: list[str]
    relief: list[str]
    seq: int
