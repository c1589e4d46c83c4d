"""Appointments (预约): the slots of a day, booking one, checking in, and what becomes of those who do not come.

A slot is a part of a service's opening hours, `slot_min` long; what is left of the hours behind the last whole slot is
not bookable. A booking belongs to the business day in which its slot begins. The visitor checks in from `early_min`
before the slot: up to `late_min` after it the number goes ahead as an appointment, later it is an ordinary one, given
within the hours only.
A booking that the visitor could have kept and did not is missed at the end of its day; one that the hall could not
have served (closed early, not open at all, the service gone) is cancelled by the hall and counts against nobody.
Numbers of appointments are drawn from the series of the service; the quotas of walk-in numbers do not know them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from server.domain import calendar
from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import check_hours, name_in_both
from server.domain.checks import known_service
from server.domain.issue import issue
from server.domain.records import Appointment
from server.domain.refusals import (
    APPOINTMENT_CANCELLED,
    APPOINTMENT_KEPT,
    APPOINTMENT_MISSED,
    NO_SLOTS,
    Code,
    Refusal,
)
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import (
    APPOINTMENT,
    ORDINARY,
    AppointmentId,
    AppointmentStatus,
    HallPlan,
    Label,
    ServiceId,
    Shut,
    business_day,
)

Command = c.BookAppointment | c.CancelAppointment | c.CheckIn
Event = e.AppointmentBooked | e.AppointmentCancelled | e.AppointmentKept | e.AppointmentMissed

DONE_DAYS = 7  # so long staff may look up what was kept or cancelled; what was missed stays as long as it counts
CLOSED_EARLY, NOT_OPEN, NO_LONGER_SERVED, CAME_ANYHOW = "closed_early", "not_open", "no_longer_served", "came_anyhow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A bookable part of a day: `starts` as the clock shows it ("09:00"), bounds in Unix ms, numbers still free."""

    starts: str
    starts_ms: int
    ends_ms: int
    left: int


def slots(state: HallState, service: ServiceId, day: date, now_ms: int) -> list[Slot]:
    """Give the slots of a calendar day that can still be booked, full ones included with `left` 0.

    Raises:
        Refusal: the hall has no such service, or it takes no appointments.
    """
    return next((found for known, found in open_slots(state, service, now_ms) if known == day), [])


def open_slots(state: HallState, service: ServiceId, now_ms: int) -> Iterator[tuple[date, list[Slot]]]:
    """Give the days of `open_days` with their slots that can still be booked, full ones included with `left` 0.

    Raises:
        Refusal: the hall has no such service, or it takes no appointments.
    """
    quota = quota_of(state, service)
    taken = sorted(
        booked.starts_ms
        for booked in state.appointments.values()
        if booked.service == service and booked.status is not AppointmentStatus.CANCELLED
    )
    for day in open_days(state.plan, service, now_ms):
        yield (
            day,
            [
                Slot(
                    starts=f"{calendar.local(state.plan, starts_ms):%H:%M}",
                    starts_ms=starts_ms,
                    ends_ms=ends_ms,
                    left=max(0, quota - (bisect_left(taken, ends_ms) - bisect_left(taken, starts_ms))),
                )
                for starts_ms, ends_ms in _slots_of(state.plan, service, day)
                if starts_ms > now_ms and not _is_closed_for(state, starts_ms)
            ],
        )


def quota_of(state: HallState, service: ServiceId) -> int:
    """Give how many numbers of a service can be booked in each slot.

    Raises:
        Refusal: the hall has no such service, or it takes no appointments.
    """
    quota = state.plan.service[known_service(state, service)].appointments
    if quota is None:
        raise Refusal(Code.NOT_BOOKABLE, service=name_in_both(state, service))
    return quota


def open_days(plan: HallPlan, service: ServiceId, now_ms: int) -> list[date]:
    """Give the calendar days on which a service can be booked from now: so many open days, today counted when open."""
    today = calendar.local(plan, now_ms).date()
    found: list[date] = []
    for after in range(calendar.HORIZON_DAYS):
        day = today + timedelta(days=after)
        if _slots_of(plan, service, day):
            found.append(day)
        if len(found) >= plan.bookings.days_ahead:
            break
    return found


def last_bookable(plan: HallPlan, service: ServiceId, now_ms: int) -> date:
    """Give the last calendar day that can be booked; a day before today when there is none."""
    days = open_days(plan, service, now_ms)
    return days[-1] if days else date.min


def shut_days(plan: HallPlan, days: Sequence[date], now_ms: int) -> list[tuple[date, Shut]]:
    """Give the days from today to the last of `open_days` that are not among them, and why."""
    today = calendar.local(plan, now_ms).date()
    between = (today + timedelta(days=after) for after in range((max(days, default=today) - today).days))
    return [
        (day, Shut.CLOSED if day.isoformat() in plan.closed_days else Shut.NO_HOURS)
        for day in between
        if day not in days
    ]


def cancel_until_ms(plan: HallPlan, starts_ms: int) -> int:
    """Give the last instant at which a visitor can cancel."""
    return starts_ms - plan.bookings.cancel_before_min * MS_PER_MIN


def check_in_from_ms(plan: HallPlan, starts_ms: int) -> int:
    """Give the instant from which a visitor may check in for a slot: `early_min` before, never the day before."""
    day = business_day(plan, starts_ms) - timedelta(days=1)
    return max(starts_ms - plan.bookings.early_min * MS_PER_MIN, calendar.day_ends_ms(plan, day.isoformat()))


def check_in_until_ms(plan: HallPlan, ends_ms: int) -> int:
    """Give the last instant at which an appointment still goes ahead; later its number is an ordinary one."""
    return ends_ms + plan.bookings.late_min * MS_PER_MIN


def trouble(state: HallState, booked: Appointment) -> str | None:
    """Say why an open booking can no longer be served as it was made, so that staff can call: a new plan came.

    service_gone, not_bookable (still served), closed (the hall is closed at that time now).
    """
    if booked.status is not AppointmentStatus.BOOKED:
        return None
    service = state.plan.service.get(booked.service)
    if service is None:
        return "service_gone"
    if not _is_open_at(state.plan, booked):
        return "closed"
    return "not_bookable" if service.appointments is None else None


def blocked_until(state: HallState, visitor: str | None, today: date) -> date | None:
    """Give the day from which a visitor may book again, None when that is now."""
    rules = state.plan.bookings
    if visitor is None or rules.no_shows == 0:
        return None
    missed = sorted(
        date.fromisoformat(booked.day)
        for booked in state.appointments.values()
        if booked.visitor == visitor and booked.status is AppointmentStatus.MISSED
    )
    for index in range(len(missed) - 1, rules.no_shows - 2, -1):  # the newest that made the list full
        first = missed[index - rules.no_shows + 1]
        if (missed[index] - first).days < rules.within_days:
            again = missed[index] + timedelta(days=rules.blocked_days)
            return again if today < again else None
    return None


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    match command:
        case c.BookAppointment():
            return [_book(state, command, now_ms)]
        case c.CancelAppointment():
            return [_cancel(state, command, now_ms)]
        case c.CheckIn():
            return _check_in(state, command, now_ms)
        case _:
            assert_never(command)


def at_day_close(state: HallState, now_ms: int) -> list[e.Event]:
    """Give the events of the bookings of the business day (and before) that nobody kept."""
    return [
        _left(state, booked, now_ms)
        for booked in _open(state.appointments.values())
        if business_day(state.plan, booked.starts_ms).isoformat() <= (state.day or "")
    ]


def at_day_start(state: HallState, day: str) -> list[e.Event]:
    """Give the events of the bookings of days between, on which the hall was not open at all."""
    closed = state.day or "" if state.day_open else ""  # those up to here: `at_day_close`, in the same commit
    return [
        _cancelled(booked, NOT_OPEN)
        for booked in _open(state.appointments.values())
        if closed < business_day(state.plan, booked.starts_ms).isoformat() < day
    ]


def forget_old(state: HallState, day: str) -> None:
    """Drop what no longer matters when a business day opens, so that the state does not grow for ever."""
    today, rules = date.fromisoformat(day), state.plan.bookings
    counts = timedelta(days=max(DONE_DAYS, rules.within_days + rules.blocked_days))
    done = timedelta(days=DONE_DAYS)
    for booked in list(state.appointments.values()):
        kept = counts if booked.status is AppointmentStatus.MISSED and booked.visitor is not None else done
        if booked.status is not AppointmentStatus.BOOKED and date.fromisoformat(booked.day) + kept < today:
            del state.appointments[booked.id]


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    match event:
        case e.AppointmentBooked():
            state.appointments[event.id] = Appointment(
                id=event.id,
                code=event.code,
                service=event.service,
                day=event.day,
                starts_ms=event.starts_ms,
                ends_ms=event.ends_ms,
                visitor=event.visitor,
                channel=event.channel,
                booked_ms=at_ms,
                external=event.external,
            )
        case e.AppointmentCancelled():
            booked = state.appointments[event.id]
            booked.status, booked.reason = AppointmentStatus.CANCELLED, event.reason
        case e.AppointmentKept():
            booked = state.appointments[event.id]
            booked.status, booked.ticket = AppointmentStatus.KEPT, event.ticket
        case e.AppointmentMissed():
            state.appointments[event.id].status = AppointmentStatus.MISSED
        case _:
            assert_never(event)


def _book(state: HallState, command: c.BookAppointment, now_ms: int) -> e.AppointmentBooked:
    plan, service = state.plan, known_service(state, command.service)
    if command.external is not None:
        for known in state.appointments.values():
            if known.external == command.external:
                raise Refusal(Code.APPOINTMENT_KNOWN, facts={"appointment": known.id}, external=command.external)
    slot = _free_slot(state, service, command.day, command.starts, now_ms)
    _check_visitor(state, command.visitor, command.day, now_ms)
    turn = business_day(plan, slot.starts_ms)
    for other in state.appointments.values():
        if other.id == command.id or (other.code == command.code and business_day(plan, other.starts_ms) == turn):
            raise Refusal(Code.CODE_TAKEN)
    return e.AppointmentBooked(
        id=command.id,
        code=command.code,
        service=service,
        day=command.day,
        starts_ms=slot.starts_ms,
        ends_ms=slot.ends_ms,
        visitor=command.visitor,
        channel=command.channel,
        external=command.external,
    )


def _free_slot(state: HallState, service: ServiceId, iso_day: str, starts: str, now_ms: int) -> Slot:
    """Give the slot that begins at a clock time of a day, or refuse."""
    plan, name = state.plan, name_in_both(state, service)
    quota_of(state, service)
    unknown = Refusal(Code.SLOT_UNKNOWN, service=name, day=iso_day, starts=starts)
    day = _date(iso_day)
    if day is None or day < calendar.local(plan, now_ms).date():
        raise unknown
    last = last_bookable(plan, service, now_ms)
    if last == date.min:
        raise Refusal(Code.SLOT_UNKNOWN, NO_SLOTS, service=name)
    if day > last:
        raise Refusal(Code.TOO_FAR_AHEAD, day=last.isoformat())
    slot = next((slot for slot in slots(state, service, day, now_ms) if slot.starts == starts), None)
    if slot is None:
        raise unknown
    if slot.left == 0:
        raise Refusal(Code.SLOT_FULL, service=name, day=iso_day, starts=starts)
    return slot


def _check_visitor(state: HallState, visitor: str | None, day: str, now_ms: int) -> None:
    """Refuse who has a booking on that day already, and who did not come too often."""
    if visitor is None:
        return
    plan = state.plan
    there = sum(booked.visitor == visitor and booked.day == day for booked in _open(state.appointments.values()))
    if there >= plan.bookings.per_day:
        raise Refusal(Code.ALREADY_BOOKED, day=day)
    again = blocked_until(state, visitor, calendar.local(plan, now_ms).date())
    if again is not None:
        opens_ms = calendar.midnight_ms(plan, again)
        raise Refusal(Code.BOOKING_BLOCKED, facts=_at(plan, opens_ms), day=again.isoformat())


def _cancel(state: HallState, command: c.CancelAppointment, now_ms: int) -> e.AppointmentCancelled:
    booked = _still_open(state, _known(state, command.id))
    reason = command.reason.strip()
    minutes = state.plan.bookings.cancel_before_min
    if command.by_staff and not reason:
        raise Refusal(Code.REASON_MISSING)
    if not command.by_staff and now_ms > cancel_until_ms(state.plan, booked.starts_ms):
        raise Refusal(Code.TOO_LATE_TO_CANCEL, minutes=str(minutes))
    return e.AppointmentCancelled(id=booked.id, service=booked.service, by_staff=command.by_staff, reason=reason)


def _check_in(state: HallState, command: c.CheckIn, now_ms: int) -> list[e.Event]:
    plan = state.plan
    booked = _still_open(state, _wanted(state, command, now_ms))
    from_ms = check_in_from_ms(plan, booked.starts_ms)
    if now_ms < from_ms:
        raise Refusal(
            Code.TOO_EARLY,
            facts=_at(plan, from_ms),
            starts=calendar.in_words(plan, booked.starts_ms, now_ms),
            from_time=calendar.in_words(plan, from_ms, now_ms),
        )
    late = now_ms > check_in_until_ms(plan, booked.ends_ms)
    if late:  # as for everybody: else who comes after closing would wait for nobody, and count as one who came
        check_hours(state, known_service(state, booked.service), now_ms)
    number = c.IssueTicket(
        service=booked.service,
        track=command.track,
        priority=ORDINARY if late else APPOINTMENT,
        language=command.language,
        channel=command.channel,
        kiosk=command.kiosk,
        visitor=booked.visitor,
        base_url=command.base_url,
        foretell=command.foretell,
    )
    issued = issue(state, number, now_ms, appointment=booked.id)
    kept = [
        e.AppointmentKept(id=booked.id, ticket=event.ticket, label=event.label, late=late)
        for event in issued
        if isinstance(event, e.TicketIssued)
    ]
    return [*issued, *kept]


def _wanted(state: HallState, command: c.CheckIn, now_ms: int) -> Appointment:
    """Give the booking somebody checks in for: by its id, by its code, or the one of a visitor nearest to now.

    Open ones of today first, then those of today that are over (the visitor is told so), then those of other days.
    """
    if command.id is not None:
        return _known(state, command.id)
    today = business_day(state.plan, now_ms)

    def rank(booked: Appointment) -> tuple[bool, bool, int, str]:
        away_ms = max(booked.starts_ms - now_ms, now_ms - booked.ends_ms, 0)
        is_open = booked.status is AppointmentStatus.BOOKED
        return business_day(state.plan, booked.starts_ms) != today, not is_open, away_ms, booked.id

    found = sorted((booked for booked in state.appointments.values() if _is_of(booked, command)), key=rank)
    if found and not rank(found[0])[0]:
        return found[0]
    # Of another day a code is only good when it can mean one booking.
    other = list(_open(found))
    if not other or (command.code is not None and len(other) > 1):
        raise Refusal(Code.APPOINTMENT_NOT_FOUND)
    return other[0]


def _is_of(booked: Appointment, command: c.CheckIn) -> bool:
    if command.code is not None:
        return booked.code == command.code
    return command.visitor is not None and booked.visitor == command.visitor


def _known(state: HallState, id_: AppointmentId) -> Appointment:
    booked = state.appointments.get(id_)
    if booked is None:
        raise Refusal(Code.APPOINTMENT_NOT_FOUND)
    return booked


def _still_open(state: HallState, booked: Appointment) -> Appointment:
    """Give an open booking back, or refuse with what became of it."""
    match booked.status:
        case AppointmentStatus.BOOKED:
            return booked
        case AppointmentStatus.KEPT:
            label = _label(state, booked)
            raise Refusal(Code.APPOINTMENT_OVER, APPOINTMENT_KEPT, facts={"label": label}, label=label)
        case AppointmentStatus.CANCELLED:
            raise Refusal(Code.APPOINTMENT_OVER, APPOINTMENT_CANCELLED)
        case AppointmentStatus.MISSED:
            raise Refusal(Code.APPOINTMENT_OVER, APPOINTMENT_MISSED)
        case _:
            assert_never(booked.status)


def _label(state: HallState, booked: Appointment) -> Label:
    ticket = state.tickets.get(booked.ticket) if booked.ticket is not None else None
    return ticket.label if ticket is not None else Label((booked.ticket or "").rpartition("-")[2])


def _left(state: HallState, booked: Appointment, now_ms: int) -> e.Event:
    """Give what becomes of a booking whose day is over: missed, unless it was not for the visitor to keep."""
    plan = state.plan
    if booked.service not in plan.service or not _is_open_at(plan, booked):
        return _cancelled(booked, NO_LONGER_SERVED)
    if now_ms <= check_in_until_ms(plan, booked.ends_ms):
        return _cancelled(booked, CLOSED_EARLY)
    if booked.visitor is not None and (booked.visitor, booked.service) in state.visitors:
        return _cancelled(booked, CAME_ANYHOW)
    return e.AppointmentMissed(id=booked.id, service=booked.service, visitor=booked.visitor)


def _cancelled(booked: Appointment, reason: str) -> e.AppointmentCancelled:
    return e.AppointmentCancelled(id=booked.id, service=booked.service, by_staff=True, reason=reason)


def _open(bookings: Iterable[Appointment]) -> Iterator[Appointment]:
    return (booked for booked in bookings if booked.status is AppointmentStatus.BOOKED)


def _slots_of(plan: HallPlan, service: ServiceId, day: date) -> list[calendar.Span]:
    """Give the whole slots of a calendar day, booked or not."""
    step_ms = plan.bookings.slot_min * MS_PER_MIN
    return [
        (starts_ms, starts_ms + step_ms)
        for opens_ms, closes_ms in calendar.office_spans(plan, service, day)
        for starts_ms in range(opens_ms, closes_ms - step_ms + 1, step_ms)
    ]


def _is_open_at(plan: HallPlan, booked: Appointment) -> bool:
    spans = calendar.office_spans(plan, booked.service, date.fromisoformat(booked.day))
    return any(opens_ms <= booked.starts_ms < closes_ms for opens_ms, closes_ms in spans)


def _is_closed_for(state: HallState, starts_ms: int) -> bool:
    """Say whether the business day in which an instant lies was closed already: nobody could check in any more."""
    return not state.day_open and business_day(state.plan, starts_ms).isoformat() <= (state.day or "")


def _date(iso: str) -> date | None:
    """Give the day of an ISO date written as 2026-03-02, else None."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return None
    return day if day.isoformat() == iso else None


def _at(plan: HallPlan, at_ms: int) -> Mapping[str, str]:
    return {"opens_at": calendar.local(plan, at_ms).isoformat(timespec="milliseconds")}
