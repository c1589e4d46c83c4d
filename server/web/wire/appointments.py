"""Slots, bookings and checking in."""

from typing import Annotated, Any, Literal

from pydantic import Field

from server.domain.terms import (
    AppointmentStatus,
    Shut,
)
from server.web.wire.paths import HallPath
from server.web.wire.structure import BookingRules, Guide
from server.web.wire.tickets import IssuedTicket
from server.web.wire.words import (
    APPOINTMENTS_MAX,
    IMPORT_MAX,
    SLOT_DAYS_MAX,
    VISITOR_REF_LENGTH_MAX,
    Answer,
    Body,
    Day,
    Id,
    Instant,
    Text,
)


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
