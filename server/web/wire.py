"""The words of the HTTP interface: every body and every answer of `/api/v1` as a type.

OpenAPI is drawn from these, the pages' typed client from OpenAPI. Instants are RFC 3339 with the hall's offset,
durations end in `_s`, ids are strings. Bodies are closed: an unknown field is an error that names it. Answers are open:
fields may be added, never renamed.
"""

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from server.domain.terms import (
    AppointmentStatus,
    AwayFor,
    BookedWith,
    CaseKind,
    CaseStatus,
    LegStatus,
    PauseReason,
    Place,
    ServiceKind,
    Shut,
    TicketStatus,
    WindowStatus,
    ZoneKind,
)
from server.people import PASSWORD_LENGTH_MAX

ID_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
VISITOR_REF_LENGTH_MAX = 128
CLIENT_LENGTH_MAX = 60
NOTE_LENGTH_MAX = 500
CASES_MAX = 1000
DAY, MONTH = r"^\d{4}-\d{2}-\d{2}$", r"^\d{4}-\d{2}$"
REGISTER_LIST_MAX = 200
NOTICE_ITEMS_MAX = 50  # the hall itself refuses more than fit on a slip, in words that say so
COMMITS_MAX = 1000
TICKETS_MAX = 5000
APPOINTMENTS_MAX = 5000
IMPORT_MAX = 500
SLOT_DAYS_MAX = 31


def _printable(text: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return text


def _in_calendar(text: str) -> str:
    """Let a day or month pass that the calendar has: a filter by another one would find nothing and say nothing."""
    try:
        date.fromisoformat(f"{text}-01"[:10])
    except ValueError:
        raise PydanticCustomError("not_in_calendar", "is not in the calendar", {"day": text}) from None
    return text


Id = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX), AfterValidator(_printable)]
Day = Annotated[str, Field(pattern=DAY), AfterValidator(_in_calendar)]
Month = Annotated[str, Field(pattern=MONTH), AfterValidator(_in_calendar)]
Words = Annotated[str, Field(max_length=REASON_LENGTH_MAX), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=NOTE_LENGTH_MAX), AfterValidator(_printable)]
CaseNumber = Annotated[str, Field(max_length=ID_LENGTH_MAX, pattern=r"\S"), AfterValidator(_printable)]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Text = TypeAliasType(
    "Text",
    Annotated[
        dict[str, str],
        WithJsonSchema(
            {
                "type": "object",
                "description": "A name in several languages; Chinese is always there.",
                "properties": {"zh": {"type": "string"}},
                "required": ["zh"],
                "additionalProperties": {"type": "string"},
            }
        ),
    ],
)

PersonPause = Literal["lunch", "document", "meeting", "toilet", "fault", "other"]  # left_alone is the clock's alone
PersonRole = Literal["clerk", "guide", "manager", "admin", "auditor"]
DeviceRole = Literal["kiosk", "devices", "display", "integration"]
DeviceKind = Literal["printer", "strip", "keypad", "speaker", "rating", "panel", "idcard", "scanner"]
Health = Literal["ok", "down", "degraded"]
Paper = Literal["ok", "near_end", "out", "unknown"]
PAPER: TypeAdapter[Paper] = TypeAdapter(Paper)


class Body(BaseModel):
    """What a client sends: closed, so that a misspelt field is not silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What the server says."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """An error (RFC 9457). `code` is stable, `detail` is a sentence in the reader's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    opens_at: Annotated[Instant | None, Field(description="When numbers are given again, where that is known.")] = None


class Eta(Answer):
    """Expected wait from now: half of the visitors wait at most `p50_s`, four of five at most `p80_s`.

    Four of five also wait between `low_s` and `high_s`: say that to people. None anywhere instead of this: unknown,
    because no window at work serves.
    """

    p50_s: int
    p80_s: int
    low_s: int
    high_s: int


# ---------------------------------------------------------------------------------------------------- paths, queries


class HallPath(Body):
    """A hall."""

    hall: str


class TicketPath(HallPath):
    """A ticket: its id, its label of today, or its track token."""

    ticket: str


class WindowPath(HallPath):
    """A window by the number painted on it."""

    no: str


class ClerkPath(HallPath):
    """A clerk by work id."""

    clerk: str


class DevicePath(HallPath):
    """A device of a hall's register."""

    device: Id


class TrackQuery(Body):
    """The visitor's own token, instead of a sign-in."""

    track: str | None = None


class TicketsQuery(Body):
    """Which tickets of today."""

    status: TicketStatus | None = None
    zone: str | None = None
    window: str | None = None
    limit: Annotated[int, Field(ge=1, le=TICKETS_MAX, description="The newest so many.")] = TICKETS_MAX


class CommitsQuery(Body):
    """Where to read on in the ledger."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=COMMITS_MAX)] = 100


class DayQuery(Body):
    """A business day; without it the one the hall is in."""

    date: Day | None = None


class DaySpan(Body):
    """Days from the first to the last, both included."""

    from_: Annotated[Day, Field(alias="from")]
    to: Day

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.to < self.from_:
            raise PydanticCustomError("days_reversed", "ends before it begins", {"first": self.from_, "last": self.to})
        return self


class PeriodQuery(DaySpan):
    """Business days, both included; at most a quarter of a year."""


class PeriodTableQuery(PeriodQuery):
    """The same as a file: CSV in UTF-8 with BOM, or a workbook. Without `lang` in the reader's language."""

    format: Literal["csv", "xlsx"] = "xlsx"
    lang: Literal["zh", "en"] | None = None


class AuditQuery(Body):
    """What to look for in the ledger; nothing said is anything. Days are of the calendar, both included.

    `who` is a work id or a device, `action` the stored name of an event, `ticket` a label of any day. `before` goes on
    where a page ended.
    """

    who: Id | None = None
    kind: Literal["person", "device", "visitor", "clock"] | None = None
    role: PersonRole | None = None
    action: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None
    window: Id | None = None
    ticket: Annotated[str | None, Field(min_length=1, max_length=ID_LENGTH_MAX)] = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    before: Annotated[int | None, Field(ge=0, le=2**62)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise PydanticCustomError("days_reversed", "ends before it begins", {"first": self.from_, "last": self.to})
        return self


class AuditFileQuery(AuditQuery):
    """The same as a table; without `lang` in the reader's language."""

    lang: Literal["zh", "en"] | None = None


class MonthQuery(Body):
    """A month; without it the one the hall is in."""

    month: Month | None = None


# ------------------------------------------------------------------------------------------------------------- who


class Login(Body):
    """A person signs in; a clerk at a window."""

    work_id: Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
    window: Id | None = None
    hall: Id | None = None


class HallName(Answer):
    """A hall by name, for the sign-in page."""

    hall: str
    name: Text


class Me(Answer):
    """Who the server takes the sender for, and the token that commands need in `X-CSRF-Token`."""

    kind: Literal["person", "device", "nobody"]
    work_id: str | None = None
    name: str | None = None
    role: PersonRole | DeviceRole | None = None
    hall: str | None = None
    window: str | None = None
    device: str | None = None
    csrf: str
    languages: list[str]
    drill: bool
    dev: bool
    halls: list[HallName]


class SignedOut(Answer):
    """Nobody is signed in any more."""

    kind: Literal["nobody"]


class Enrol(Body):
    """A one-time code from `jiaohao device enrol`."""

    code: Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]


class Enrolled(Answer):
    """The device's own token; a browser also gets it as a cookie."""

    device: str
    role: DeviceRole
    hall: str | None
    window: str | None
    token: str


# -------------------------------------------------------------------------------------------------------- structure


class HallSummary(Answer):
    """A hall in the list of halls."""

    hall: str
    name: Text
    time_zone: str
    languages: list[str]
    business_day: str
    drill: bool


class Halls(Answer):
    """The halls of this server."""

    halls: list[HallSummary]


class Floor(Answer):
    """A storey."""

    floor: str
    name: Text


class Tenant(Answer):
    """A unit that shares the hall with others (合署办公)."""

    tenant: str
    name: Text


class Zone(Answer):
    """A part of the hall with its own waiting area; only `queue` has windows and services.

    `about` says what can be done there; a trial runs from `trial_from` to `trial_to`, ISO dates, both included.
    `hours` are its own, instead of the hall's.
    """

    zone: str
    name: Text
    kind: ZoneKind
    about: Text | None
    tenant: str | None
    floor: str | None
    board: str | None
    always_open: bool
    trial_from: str | None
    trial_to: str | None
    hours: list["OpeningHours"]


class Guide(Answer):
    """What a visitor should know before coming (办事指南); what the hall does not say is null or empty."""

    basis: Text | None
    materials: list[Text]
    time: Text | None
    fee: Text | None
    phone: str | None


class Service(Answer):
    """What visitors come for; `windows` serve it as their own work now.

    `flags` are marks (cross_province, in_province, one_thing, immediate, fee); `legs` what one number of a joint
    matter goes through, this service first; `appointments` bookable numbers per slot, null when it is not bookable;
    `common`: many come for it; `asks_case`: a kiosk asks for the case number first.

    `pinyin` spells name, zone and department, for search: "yin/xing hang/xing" has a syllable per character, and every
    reading of it.
    """

    service: str
    name: Text
    zone: str
    prefix: str
    kind: ServiceKind
    flags: list[str]
    tenant: str | None
    department: str | None
    matter_code: str | None
    legs: list[str]
    appointments: int | None
    minutes_typical: float
    windows: list[str]
    common: bool
    asks_case: bool
    pinyin: list[str]
    guide: Guide | None


class HallWindow(Answer):
    """A window and what it serves now; not `staffed` (未派驻): nobody is sent to it; not `decides`: takes in only."""

    window: str
    name: Text
    zone: str
    floor: str | None
    serves: list[str]
    relief: list[str]
    staffed: bool
    decides: bool


class Kiosk(Answer):
    """A kiosk by the name of its device; `zones` are those it offers, in this order, empty for all."""

    kiosk: str
    name: Text
    floor: str | None
    zones: list[str]
    day_quota: int | None


class Priority(Answer):
    """Why a visitor may go ahead, and the question that the kiosk asks."""

    priority: str
    name: Text
    question: Text | None


class OpeningHours(Answer):
    """Opening hours of some days (mon .. sun, market); with `zones` or `services` for these only (weekend duty)."""

    days: list[str]
    opens: str
    closes: str
    zones: list[str]
    services: list[str]


class BookingRules(Answer):
    """The rules of appointments: minutes of a slot, open days ahead (today included), and what not coming costs.

    An appointment goes ahead from `early_min` before its slot to `late_min` after it; visitors cancel up to
    `cancel_before_min` before. `no_shows` within `within_days` block booking for `blocked_days`; 0: never.
    """

    slot_min: int
    days_ahead: int
    early_min: int
    late_min: int
    cancel_before_min: int
    per_day: int
    no_shows: int
    within_days: int
    blocked_days: int
    online: Annotated[
        BookedWith | None, Field(description="Visitors book by themselves with this number; null: they do not.")
    ]


class Fairness(Answer):
    """Priority calls in a row at most, and minutes after which an ordinary visitor goes first; 0: off."""

    ratio: int
    oldest_first_after_min: int


class RatingRules(Answer):
    """Grades up to `bad_grade` open a follow-up; due dates in working days. `at_window_s`: how long a tablet asks."""

    at_window_s: int
    bad_grade: int
    follow_up_working_days: int
    appeal_working_days: int


class AgencyRules(Answer):
    """When a hand-over due today alarms, and the halls cases may go to; empty: any."""

    alarm_before_close_min: int
    partners: list[str]


class Hall(Answer):
    """The structure of a hall, names in all its languages; `open` by its hours now, else from `opens_at` on."""

    hall: str
    name: Text
    time_zone: str
    languages: list[str]
    drill: bool
    floors: list[Floor]
    tenants: list[Tenant]
    zones: list[Zone]
    services: list[Service]
    windows: list[HallWindow]
    kiosks: list[Kiosk]
    priorities: list[Priority]
    hours: list[OpeningHours]
    bookings: BookingRules
    fairness: Fairness
    left_alone_min: int
    ratings: RatingRules
    agency: AgencyRules
    open: bool
    opens_at: Instant | None
    notice: Text | None
    advice: Text | None


class ZoneState(Answer):
    """Who waits in a zone."""

    zone: str
    waiting: int
    oldest_wait_s: int | None
    open_windows: int


class ServiceState(Answer):
    """Who waits for a service; `ahead` and `eta` are what a visitor coming now would be told.

    `open`: numbers are given now; `left`: how many the quotas leave now (null: no quota). When none is given,
    `opens_at` says when again.
    """

    service: str
    zone: str
    waiting: int
    ahead: int
    oldest_wait_s: int | None
    open_windows: int
    eta: Eta | None
    open: bool
    opens_at: Instant | None
    left: int | None


class WindowState(Answer):
    """What a window is doing; `since` is when that began."""

    window: str
    status: WindowStatus
    ticket: str | None
    label: str | None
    service: str | None
    clerk: str | None
    pause_reason: PauseReason | None
    since: Instant | None
    serves: list[str]
    relief: list[str]
    held: list[str]


class HallState(Answer):
    """The hall as of commit `seq`; `open` by its hours, else from `opens_at` on.

    `offline`: a kiosk's own server says it, which cannot reach the hall: nobody knows who waits.
    """

    seq: int
    business_day: str
    day_open: bool
    open: bool
    opens_at: Instant | None
    zones: list[ZoneState]
    services: list[ServiceState]
    windows: list[WindowState]
    offline: bool = False


# ---------------------------------------------------------------------------------------------------------- tickets


class IssueTicket(Body):
    """A number for a service. `visitor_ref` (say, an identity number) is only ever kept as a keyed hash.

    `legs` makes it a joint matter: its services in order, `service` first. `case_number`: the case a pickup is for;
    `unlisted`: give the number although this hall has not heard of its result. Not for kiosks.
    `paperless`: at a kiosk that cannot print, the visitor remembers the number; else such a kiosk gives none.
    `card`: at a kiosk, the visitor whose card lies on its reader (`presented:KIOSK`).
    """

    service: Id
    priority: Id | None = None
    window: Id | None = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")] = None
    channel: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    legs: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    case_number: CaseNumber | None = None
    unlisted: bool = False
    paperless: bool = False
    card: Id | None = None


class Leg(Answer):
    """A stop of a joint matter. `unserved`: it is still to come and no window at work serves or relieves it."""

    service: str
    name: Text
    zone_name: Text
    floor: Text | None
    status: LegStatus
    window: str | None
    finished_at: Instant | None
    unserved: bool


class IssuedTicket(Answer):
    """What the visitor is told; `windows` may call the number.

    `leg_unserved`: one of the `legs` of this joint matter has no window at work now. `offline`: a kiosk's own server
    gave it, which cannot reach the hall: nobody knows how many are `ahead`.
    """

    ticket: str
    label: str
    number: int
    service: str
    zone: str
    issued_at: Instant
    ahead: int
    eta: Eta | None
    track_url: str
    track: str
    windows: list[str]
    priority: str
    seq: int
    legs: list[Leg] = []
    leg_unserved: bool = False
    offline: bool = False


class TicketCan(Answer):
    """What the visitor may still do with the ticket."""

    cancel: bool
    reinstate: bool
    rate: bool
    back: bool


class TicketHistory(Answer):
    """One thing that happened to the ticket. `actor` and `reason` only for the hall's own people."""

    at: Instant
    event: str
    window: str | None
    actor: str | None
    reason: str | None


class Ticket(Answer):
    """One visit. `ahead` and `eta` while it waits; `track_url` only for who holds the track token.

    `legs` are the stops of a joint matter, none for an ordinary visit; `lead_window` is the window of first contact.
    `away_for`: what a visit that is away waits for; `notice`: the missing papers that were named last. `case_number`
    only for the hall's own people.
    """

    ticket: str
    label: str
    number: int
    service: str
    zone: str
    status: TicketStatus
    priority: str
    issued_at: Instant
    ahead: int | None
    eta: Eta | None
    window: str | None
    called_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    call_count: int
    waited_s: int | None
    rated: bool
    track_url: str | None = None
    can: TicketCan
    history: list[TicketHistory]
    legs: list[Leg]
    lead_window: str | None = None
    leg_unserved: bool = False
    away_for: AwayFor | None = None
    notice: list[str]
    case_number: str | None = None


class Tickets(Answer):
    """Tickets of today in the order of issue; `ahead`, `eta` and `history` are left to the single ticket."""

    tickets: list[Ticket]


class Cancel(Body):
    """Why the ticket is taken out."""

    reason: Words = ""


class PlanLegs(Body):
    """The services of a joint matter in order, 1 to 8 with those done; done ones stay and are not named.

    The list begins with the service the ticket is at now, or with the one after it.
    """

    services: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)]


class Nothing(Body):
    """An empty body."""


class Rate(Body):
    """A grade, 1 to 5; 5 is best."""

    grade: int


class RateAtWindow(Rate):
    """A grade pressed at a window. `ticket`: the visit that the tablet asked about; needed from a tablet."""

    ticket: Id | None = None


class TicketChanged(Answer):
    """The ticket after the command."""

    ticket: str
    label: str
    status: TicketStatus
    seq: int


class LegsPlanned(Answer):
    """The joint matter after the command; `leg_unserved`: a leg still to come has no window at work now."""

    ticket: str
    label: str
    legs: list[Leg]
    leg_unserved: bool
    seq: int


class Reprinted(Answer):
    """The ticket will be printed again, marked 补打."""

    ticket: str
    label: str
    seq: int


class Rated(Answer):
    """Thank you."""

    ticket: str
    label: str
    window: str | None
    grade: int
    seq: int


# ---------------------------------------------------------------------------------------------------------- windows


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


# ------------------------------------------------------------------------------------------- the day and its ledger


class DayClosed(Answer):
    """The business day has ended."""

    business_day: str
    seq: int


class CommitActor(Answer):
    """Who asked, from which network address."""

    kind: Literal["person", "device", "visitor", "clock"]
    id: str
    source: str


class CommitRow(Answer):
    """The events of one command: `[name, fields]` each. `hash` is the SHA-256 of `prev_hash` and `body`, as UTF-8."""

    hall: str
    seq: int
    at_ms: int
    day: str
    key: str | None
    actor: CommitActor
    events: list[tuple[str, dict[str, Any]]]
    prev_hash: str
    hash: str
    body: str


class Commits(Answer):
    """The ledger from `after` on; ask again with the last one's seq. `seq` is the newest durable commit."""

    commits: list[CommitRow]
    seq: int


class AuditEntry(Answer):
    """An event of the ledger: who was behind it (`kind` of actor, work id or device, role), from which address, what.

    `place` goes down from page to page. `seq`, `prev_hash` and `hash` are its commit's: `GET .../commits` gives the
    stored form over which the hash is made. Of visitors nothing is said but the ticket.
    """

    place: int
    seq: int
    at: Instant
    kind: Literal["person", "device", "visitor", "clock"]
    who: str | None
    name: str | None
    role: str | None
    source: str | None
    action: str
    text: Text
    window: str | None
    ticket: str | None
    prev_hash: str
    hash: str


class Audit(Answer):
    """What was found, newest first. `next`: ask again with it as `before` for what was earlier; null at the end.

    `indexed` of `seq` commits can be found yet: a long ledger is indexed the first time somebody asks, so ask again.
    """

    entries: list[AuditEntry]
    next: int | None
    indexed: int
    seq: int


class LedgerState(Answer):
    """Where a ledger stands. `head` is the hash of commit `seq`; `state_hash` is over all that the hall knows."""

    hall: str
    seq: int
    head: str
    business_day: str | None
    state_hash: str


class Spread(Answer):
    """How long something took; null when it never happened. Median, P80, P90 and P95 by nearest rank."""

    count: int
    mean_s: int | None
    median_s: int | None
    p80_s: int | None
    p90_s: int | None
    p95_s: int | None


class AppointmentFigures(Answer):
    """Appointments made and given back on the day, for whichever day; kept on it (so many of them late), and missed."""

    booked: int
    kept: int
    late: int
    missed: int
    cancelled: int


class Figures(Answer):
    """wait = first call - issued; walk = start - called; serve = finish - start - held. Rates are 0..1.

    no-show rate = no-shows / issued; overdue rate = waited over target / called; rated rate = rated / visits finished;
    satisfaction = grades 3..5 / rated. `legs`: legs of joint matters after which the visit went on; a zone, service or
    window counts them among its `finished`, the total does not. Calls, waits (since joining) and services are by leg.
    """

    issued: int
    called: int
    finished: int
    legs: int
    no_shows: int
    cancelled: int
    expired: int
    missed: int
    transferred: int
    notices: int
    rated: int
    wait: Spread
    walk: Spread
    serve: Spread
    no_show_rate: float | None
    overdue_rate: float | None
    rated_rate: float | None
    satisfaction: float | None
    appointments: AppointmentFigures


class ZoneFigures(Figures):
    """A zone's day."""

    zone: str


class ServiceFigures(Figures):
    """A service's day."""

    service: str


class WorkFigures(Answer):
    """What was done: serve = finish - start - held; satisfaction = grades 3..5 / rated; `finished` includes `legs`."""

    called: int
    finished: int
    legs: int
    no_shows: int
    serving_s: int
    serve: Spread
    rated: int
    satisfaction: float | None


class DutyFigures(WorkFigures):
    """What was done in which time. `signed_on_s` includes pauses; `paused` gives seconds by reason of the pause.

    Utilisation = serving / signed-on time. `left_alone`: how often the window was paused for want of a sign of life.
    """

    signed_on_s: int
    paused_s: int
    paused: dict[str, int]
    left_alone: int
    utilisation: float | None


class WindowFigures(DutyFigures):
    """A window's day. Load = share of work / share of signed-on time."""

    window: str
    load: float | None


class ClerkFigures(DutyFigures):
    """A clerk's day; the empty work id stands for what happened where nobody had signed on."""

    clerk: str


class DayReport(Answer):
    """The statistics of one business day."""

    hall: str
    business_day: str
    total: Figures
    zones: list[ZoneFigures]
    services: list[ServiceFigures]
    windows: list[WindowFigures]
    clerks: list[ClerkFigures]


class Attendance(Answer):
    """A clerk's day: the first sign-on and the last sign-off.

    Not `signed_off`: still there, or the clock closed the window and `last` is the last thing that was done there.
    `paused` gives seconds by reason of the pause.
    """

    day: str
    first: Instant
    last: Instant
    signed_off: bool
    signed_on_s: int
    paused_s: int
    paused: dict[str, int]
    windows: list[str]


class ClerkMonth(DutyFigures):
    """A clerk's month: attendance and work."""

    clerk: str
    name: str | None
    departments: list[str]
    employment: str | None
    days_present: int
    days: list[Attendance]


class WindowMonth(DutyFigures):
    """A window's month."""

    window: str


class DepartmentMonth(DutyFigures):
    """The month of the clerks whom a department sends; null: of no department."""

    department: str | None


class ServiceMonth(WorkFigures):
    """A service's month; null: nobody knows which."""

    service: str | None


class MatterMonth(WorkFigures):
    """What was done of the matters of a department, by whomever."""

    department: str | None


class TenantMonth(WorkFigures):
    """What was done for a unit that shares the hall."""

    tenant: str | None


class MonthReport(Answer):
    """Attendance and work of a month. Clerks, windows and departments each add up to the total.

    Services, matters and tenants add up to its work. `days` are the business days there were; `meanings` say what the
    figures mean.
    """

    hall: str
    month: str
    days: list[str]
    total: DutyFigures
    clerks: list[ClerkMonth]
    windows: list[WindowMonth]
    departments: list[DepartmentMonth]
    services: list[ServiceMonth]
    matters: list[MatterMonth]
    tenants: list[TenantMonth]
    meanings: list[Text]


class DayFigures(Figures):
    """The hall on a business day."""

    day: str


class HourFigures(Figures):
    """The hall in an hour of the day (0..23); legs count among its `finished`."""

    hour: int


class MatterFigures(Figures):
    """The matters of a department; null: the hall file names none."""

    department: str | None


class TenantFigures(Figures):
    """A unit that shares the hall; null: of none."""

    tenant: str | None


class WindowHour(Answer):
    """What a window finished in an hour of the day, and how long that took on average."""

    window: str
    hour: int
    finished: int
    serve_mean_s: int


class FollowUp(Answer):
    """A bad grade (1 or 2) and what came of it.

    `status`: none (no case was opened for it), open, overdue, appealed, finished, struck (an appeal was upheld: it does
    not count). `outcome` and `by` say how it ended, while that is known.
    """

    ticket: str
    label: str
    service: str
    window: str | None
    clerk: str | None
    grade: int
    rated_at: Instant
    case: str | None
    status: Literal["none", "open", "overdue", "appealed", "finished", "struck"]
    due: str | None
    by: str | None
    outcome: str | None


class PeriodReport(Answer):
    """The business days of a hall from `first` to `last`, cut in every way. `days` are those there were.

    `counted_until` is set while the last of them goes on. What visitors met: `total`, `days`,
    `hours`, `zones`, `services`, `matters`, `tenants`. Who worked: `duty`, `windows`, `clerks`, `departments`.
    """

    hall: str
    first: str
    last: str
    counted_until: Instant | None
    total: Figures
    days: list[DayFigures]
    hours: list[HourFigures]
    zones: list[ZoneFigures]
    services: list[ServiceFigures]
    matters: list[MatterFigures]
    tenants: list[TenantFigures]
    duty: DutyFigures
    windows: list[WindowFigures]
    window_hours: list[WindowHour]
    clerks: list[ClerkMonth]
    departments: list[DepartmentMonth]
    follow_ups: list[FollowUp]
    meanings: list[Text]


# ---------------------------------------------------------------------------------------------------------- devices


class DeviceFault(Body):
    """What is wrong with a device, since when."""

    code: Annotated[str, Field(max_length=ID_LENGTH_MAX)]
    detail: Annotated[str, Field(max_length=REASON_LENGTH_MAX)] = ""
    since: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None


class RegisterDevice(Body):
    """A device as its agent sees it now; the whole row each time."""

    kind: DeviceKind
    driver: Annotated[str, Field(max_length=ID_LENGTH_MAX)] = ""
    url: Annotated[str, Field(max_length=300)] = ""
    windows: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    zones: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    kiosks: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    host: Annotated[str | None, Field(max_length=255)] = None
    ip: Annotated[str | None, Field(max_length=64)] = None
    mac: Annotated[str | None, Field(max_length=64)] = None
    agent: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None
    health: Health = "ok"
    faults: Annotated[list[DeviceFault], Field(max_length=REGISTER_LIST_MAX)] = []
    paper: Paper | None = None
    firmware: Annotated[str | None, Field(max_length=300)] = None


class Registered(Answer):
    """The row is kept; `seq` is the hall's newest commit."""

    device: str
    hall: str
    seq: int


class DeviceRow(Answer):
    """A registered device, or an enrolled kiosk, display or integration (then `kind` is its role)."""

    device: str
    hall: str | None
    kind: DeviceKind | DeviceRole
    role: DeviceRole
    driver: str
    url: str
    windows: list[str]
    zones: list[str]
    kiosks: list[str]
    host: str | None
    ip: str | None
    mac: str | None
    agent: str | None
    health: Health
    faults: list[DeviceFault]
    paper: Paper | None
    firmware: str | None = None
    last_seen: Instant | None


class DevicesQuery(Body):
    """A kiosk of no certain hall names the one it shows."""

    hall: Id | None = None


class OtherKiosk(Answer):
    """Another kiosk of the hall, by its name there."""

    kiosk: str
    name: Text
    floor: str | None


class KioskPrinter(Answer):
    """Whether the asking kiosk can print; when it cannot, `other` is the nearest kiosk that can.

    `none`: no printer is registered for it; `down`: there is one and it does not work.
    """

    status: Literal["ok", "near_end", "out", "down", "none"]
    other: OtherKiosk | None = None


class Devices(Answer):
    """The register. `printer` is told to a kiosk only."""

    devices: list[DeviceRow]
    printer: KioskPrinter | None = None


# ----------------------------------------------------------------------------------------------------------- inputs


class PanelNumber(Body):
    """A button of a panel was pressed."""

    service: Id
    priority: Id | None = None


class CardKey(Answer):
    """The hall's key for hashing identity numbers, hexadecimal."""

    key: str


class PresentCard(Body):
    """A card was laid on a reader: all that its driver lets out.

    `visitor` is the HMAC-SHA-256 of the number under the hall's key; `age_from` where the age band begins; `name` the
    first character of the name and a star.
    """

    document: Literal["citizen", "foreign", "hk_mo_tw"]
    visitor: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    age_from: Literal[0, 14, 60, 65, 70, 75, 80]
    name: Annotated[str, Field(pattern=r"^[^\s*]?\*$")]


class CardTaken(Answer):
    """The kiosk's page shows the card until then."""

    kiosk: str
    until: Instant


class Scan(Body):
    """A code was held before a scanner: a ticket's address, a booking's id or its six digits of today."""

    code: Annotated[str, Field(min_length=1, max_length=512)]


class ScanTaken(Answer):
    """What was done."""

    did: Literal["shown", "reinstated", "back", "started", "checked_in"]
    ticket: str | None
    label: str | None


# ----------------------------------------------------------------------------------------------------- appointments


class AppointmentPath(HallPath):
    """An appointment by its unguessable id."""

    appointment: Id


class SlotsQuery(Body):
    """Which slots: of a service, on so many open days from a day (without it: today)."""

    service: Id
    from_: Annotated[Day | None, Field(alias="from")] = None
    days: Annotated[int, Field(ge=1, le=SLOT_DAYS_MAX)] = 7


class AppointmentsQuery(Body):
    """Which appointments, in order of time: the first so many."""

    day: Annotated[Day | None, Field(description="A calendar day.")] = None
    service: Id | None = None
    status: AppointmentStatus | None = None
    limit: Annotated[int, Field(ge=1, le=APPOINTMENTS_MAX)] = 1000


class BookAppointment(Body):
    """A slot of a service. `visitor_ref` is only ever kept as a keyed hash; `external`: the id in another system."""

    service: Id
    day: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    starts: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$", description="The clock time at which the slot begins.")]
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    external: Id | None = None
    channel: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = None


class ImportAppointment(BookAppointment):
    """A booking made in another system; `external` is its id there and makes the import repeatable."""

    external: Id


class ImportAppointments(Body):
    """Bookings of another system. Each row is taken or refused by itself, also one that cannot be read."""

    appointments: Annotated[list[ImportAppointment | Any], Field(min_length=1, max_length=IMPORT_MAX)]


class CheckIn(Body):
    """The visitor is here: exactly one of the appointment's id, its six-digit code, the visitor's reference or card.

    `paperless` and `card` as in IssueTicket.
    """

    appointment: Id | None = None
    code: Annotated[str | None, Field(pattern=r"^\d{6}$")] = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    card: Id | None = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")] = None
    channel: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = None
    paperless: bool = False


class AppointmentSlot(Answer):
    """A part of the day that can be booked; `left`: numbers still free in it."""

    starts: str
    starts_at: Instant
    ends_at: Instant
    left: int


class ShutDay(Answer):
    """A day that cannot be booked: `closed` by the calendar (holiday), or the service has `no_hours` then."""

    day: str
    why: Shut


class SlotDay(Answer):
    """An open day with the slots that can still be booked."""

    day: str
    slots: list[AppointmentSlot]


class Slots(Answer):
    """What can be booked of a service; `until` is the last day that can be booked now, null when there is none.

    `shut`: the days from today to `until` on which it is not open.
    """

    service: str
    slot_min: int
    until: str | None
    days: list[SlotDay]
    shut: list[ShutDay]


class BookedAppointment(Answer):
    """The booking. `appointment` is unguessable and its holder's key; the `code` is told or typed in the hall.

    Checked in from `check_in_from` to `check_in_until` the number goes ahead; later it is an ordinary one.
    """

    appointment: str
    code: str
    service: str
    day: str
    starts_at: Instant
    ends_at: Instant
    check_in_from: Instant
    check_in_until: Instant
    seq: int


class Appointment(Answer):
    """A booking and what became of it.

    `trouble` of an open one, since the hall file changed: service_gone, closed (not open at that time any more) or
    not_bookable (still served). `reason`: why it was cancelled.
    """

    appointment: str
    code: str
    service: str
    service_name: Text
    day: str
    starts_at: Instant
    ends_at: Instant
    check_in_from: Instant
    check_in_until: Instant
    status: AppointmentStatus
    channel: str
    external: str | None
    booked_at: Instant
    ticket: str | None
    label: str | None
    reason: str | None
    trouble: str | None


class HeldAppointment(Appointment):
    """A booking as its holder sees it at `as_of`: where to go, whether it can be cancelled, the ticket's page.

    `track_url` is there for the holder only, once the number is given; `guide`: what to bring.
    """

    hall_name: Text
    hall_address: Text | None
    languages: list[str]
    zone_name: Text | None
    floor: Text | None
    cancel_until: Instant
    can_cancel: bool
    online: bool
    track_url: str | None
    guide: Guide | None
    drill: bool
    as_of: Instant


class OnlineHall(Answer):
    """A hall in which visitors book by themselves."""

    hall: str
    name: Text


class OnlineHalls(Answer):
    """The halls of this server in which visitors book by themselves."""

    halls: list[OnlineHall]


class OnlineService(Answer):
    """A service that can be booked, as in Service; `zone_name` and `floor`: where it is served."""

    service: str
    name: Text
    zone: str
    zone_name: Text
    floor: Text | None
    department: str | None
    prefix: str
    pinyin: list[str]
    common: bool
    guide: Guide | None


class OnlineBooking(Answer):
    """What a visitor needs to book: the hall, its rules, and what can be booked."""

    hall: str
    name: Text
    address: Text | None
    time_zone: str
    languages: list[str]
    drill: bool
    rules: BookingRules
    services: list[OnlineService]


class BookOnline(Body):
    """A slot. `visitor_ref` is the number that the hall's rules ask for; only a keyed hash of it is ever kept."""

    service: Id
    day: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    starts: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$", description="The clock time at which the slot begins.")]
    visitor_ref: Annotated[str, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)]


class Appointments(Answer):
    """Appointments in order of time; `seq` is the commit up to which they are known."""

    appointments: list[Appointment]
    seq: int


class AppointmentCancelled(Answer):
    """The slot is free again."""

    appointment: str
    status: AppointmentStatus
    seq: int


class CheckedIn(IssuedTicket):
    """The visitor's number; `late`: after the appointment's time, so an ordinary one."""

    appointment: str
    late: bool


class ImportProblem(Answer):
    """Why a row was refused, as in a problem document."""

    code: str
    detail: str


class ImportedAppointment(Answer):
    """What became of a row: booked now, known from before, or refused with `problem`."""

    row: int
    external: str | None
    result: Literal["booked", "known", "refused"]
    appointment: str | None
    code: str | None
    problem: ImportProblem | None


class ImportedAppointments(Answer):
    """What became of each row, in their order."""

    booked: int
    known: int
    refused: int
    rows: list[ImportedAppointment]


# ------------------------------------------------------------------------------------------------------------ cases


class CasePath(HallPath):
    """A case by its id."""

    case: Id


class CasesQuery(Body):
    """Which cases: open ones and those closed not long ago, oldest first. `due`: due by this day."""

    status: CaseStatus | None = None
    kind: CaseKind | None = None
    agent: Id | None = None
    due: Day | None = None
    limit: Annotated[int, Field(ge=1, le=CASES_MAX, description="The newest so many.")] = CASES_MAX


class OpenCase(Body):
    """A matter that somebody of the hall looks after. No field may hold an identity or phone number.

    `client`: what staff call the person, masked. `elsewhere`: another level's matter, to be handed over today. Without
    `agent` who asks is the agent; managers may name another one. `visitor_ref` is only ever kept as a keyed hash.
    """

    kind: Literal[CaseKind.AGENCY, CaseKind.VISIT]
    client: Annotated[str, Field(min_length=1, max_length=CLIENT_LENGTH_MAX), AfterValidator(_printable)]
    service: Id | None = None
    ticket: Annotated[Id | None, Field(description="A ticket of today, by id or label.")] = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    note: Note = ""
    visit_at: Annotated[
        str | None,
        Field(max_length=40, description="When the home is visited: RFC 3339, or the hall's own time without offset."),
    ] = None
    due: Day | None = None
    elsewhere: bool = False
    agent: Id | None = None


class LogCase(Body):
    """A line of the log; `items` are papers still missing. Naming another `agent` is refused."""

    note: Note = ""
    items: Annotated[list[Annotated[str, Field(min_length=1, max_length=CLIENT_LENGTH_MAX)]], Field(max_length=20)] = []
    agent: Id | None = None


class FinishCase(Body):
    """What was done."""

    outcome: Annotated[Note, Field(min_length=1)]


class WithdrawCase(Body):
    """Why the agency ends."""

    reason: Annotated[Note, Field(min_length=1)]


class HandOverCase(Body):
    """The hall whose matter it is."""

    hall: Id
    note: Note = ""


class TakeCase(Body):
    """Without `agent` who asks becomes the agent; managers may name another one."""

    agent: Id | None = None


class AppealCase(Body):
    """Why the grade should not count."""

    reason: Annotated[Note, Field(min_length=1)]


class DecideAppeal(Body):
    """`upheld`: the grade is struck from the statistics. `note` says why or why not."""

    upheld: bool
    note: Annotated[Note, Field(min_length=1)]


class ReceiveCase(Body):
    """A case that another hall hands over: the answer of its `export`, as it is."""

    from_hall: Id
    case: Id
    to_hall: Id
    kind: Literal[CaseKind.AGENCY, CaseKind.VISIT]
    client: Annotated[str, Field(max_length=CLIENT_LENGTH_MAX), AfterValidator(_printable)] = ""
    matter: Words = ""
    note: Note = ""
    due: Day | None = None


class ConfirmHandOver(Body):
    """The other hall, and what the case is there."""

    hall: Id
    case: Id


class ReportBack(ConfirmHandOver):
    """How the case ended there; not `done`: it was withdrawn."""

    outcome: Note = ""
    done: bool = True


class CaseExport(Answer):
    """What the hall a case is handed over to is told; to be posted to its `cases/receive` as it is."""

    from_hall: str
    case: str
    to_hall: str
    kind: CaseKind
    client: str
    matter: str
    note: str
    due: str | None


class CaseChanged(Answer):
    """It is kept; `GET` of the case says how it stands now."""

    case: str
    seq: int


class CaseStep(Answer):
    """A line of a case's log. `by`: a work id, another hall, or nobody: the clock and a bad grade."""

    at: Instant
    what: str
    by: str | None
    note: str
    items: list[str]
    to_hall: str | None


class Case(Answer):
    """A case. Of a follow-up `window`, `clerk` and `grade` say which visit it is about.

    `status` handed_over: on its way, not confirmed by `to_hall` yet; passed_on: confirmed, there it is `their_case`.
    """

    case: str
    kind: CaseKind
    status: CaseStatus
    agent: str | None
    client: str
    service: str | None
    service_name: Text | None
    matter: str
    ticket: str | None
    label: str | None
    window: str | None
    clerk: str | None
    grade: int | None
    visit_at: Instant | None
    due: str | None
    overdue: bool
    elsewhere: bool
    handover_due: bool
    to_hall: str | None
    their_case: str | None
    from_hall: str | None
    from_case: str | None
    appeal: Annotated[str | None, Field(description="open, upheld or rejected.")]
    opened_at: Instant
    closed_at: Instant | None
    log: Annotated[list[CaseStep], Field(description="Oldest first; empty in lists.")]


class Cases(Answer):
    """Cases, oldest first; `seq` is the commit up to which they are known."""

    cases: list[Case]
    seq: int


class RatingsQuery(DaySpan):
    """Business days, both included; at most a year."""

    format: Literal["json", "csv"] = "json"


class Rating(Answer):
    """A finished visit with the visitor's own grade; without one `grade`, `grade_name` and `channel` are null.

    `channel`: phone or pad. `struck`: an appeal was upheld, the grade does not count.
    """

    ticket: str
    label: str
    service: str
    department: str
    matter_code: str
    case_number: str
    window: str
    clerk: str | None
    finished_at: Instant
    grade: int | None
    grade_name: Text | None
    channel: str | None
    struck: bool


class Ratings(Answer):
    """One row per finished visit, day by day as they finished."""

    ratings: list[Rating]
