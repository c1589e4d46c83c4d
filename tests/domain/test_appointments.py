"""Appointments: what can be booked, who may, checking in early, in time and late, and what becomes of the rest."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import appointments, calendar
from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import admission
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import (
    APPOINTMENT,
    ORDINARY,
    AppointmentId,
    AppointmentStatus,
    BookingRules,
    HallPlan,
    MarketDays,
    ServiceId,
    Slot,
    Track,
    ZoneId,
)
from server.ledger import codec
from tests.domain.halls import PLAN, Scene, issue, ms
from tests.domain.test_calendar import LUNCH, a_hall, row

GENERAL = ServiceId("general")
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
RULES = BookingRules(slot_min=60, days_ahead=3)


def bookable(plan: HallPlan, quota: int = 2, service: str = "general", **rules: int) -> HallPlan:
    """Give the hall with a service that takes so many bookings in a slot of an hour."""
    services = tuple(replace(it, appointments=quota) if it.id == service else it for it in plan.services)
    return replace(plan, services=services, bookings=replace(RULES, **rules))  # type: ignore[arg-type]  # numbers all


HALL = bookable(a_hall(*LUNCH))
_ids = count(1)


def book(
    starts: str = "10:00",
    day: str = "2026-03-02",
    visitor: str | None = None,
    *,
    service: str = "general",
    code: str | None = None,
    external: str | None = None,
) -> c.BookAppointment:
    """Give the command of a booking with an id and a code of its own."""
    number = next(_ids)
    return c.BookAppointment(
        id=AppointmentId(f"booking-{number}"),
        code=code or f"{number:06d}",
        service=ServiceId(service),
        day=day,
        starts=starts,
        visitor=visitor,
        external=external,
    )


def booked(scene: Scene, command: c.BookAppointment) -> AppointmentId:
    """Book and give the id."""
    (event,) = scene.do(command)
    assert isinstance(event, e.AppointmentBooked)
    return event.id


def come(id_: AppointmentId | None = None, code: str | None = None, visitor: str | None = None) -> c.CheckIn:
    """Give the command of somebody who checks in."""
    return c.CheckIn(track=Track(f"track-in-{next(_ids)}"), id=id_, code=code, visitor=visitor)


def to(scene: Scene, instant: str) -> None:
    """Let it be 2026-03-INSTANT."""
    scene.now_ms = ms(f"2026-03-{instant}:00+08:00")


def free(scene: Scene, day: date = MONDAY, service: str = "general") -> str:
    """Give the free slots of a day in short."""
    found = appointments.slots(scene.state, ServiceId(service), day, scene.now_ms)
    return " ".join(f"{slot.starts}/{slot.left}" for slot in found)


def status(scene: Scene, id_: AppointmentId) -> AppointmentStatus:
    return scene.state.appointments[id_].status


def no(scene: Scene, command: c.Command) -> tuple[str, str]:
    """Give (code, English sentence) of a refusal."""
    code = scene.refused(command)
    with pytest.raises(Refusal) as caught:
        decide(scene.state, command, now_ms=scene.now_ms)
    return code.value, caught.value.sentence("en")


def test_slots_lie_in_the_opening_hours_and_not_in_the_lunch_break() -> None:
    scene = Scene(HALL, at="2026-03-02T08:00:00+08:00")
    assert free(scene) == "09:00/2 10:00/2 11:00/2 13:00/2 14:00/2 15:00/2 16:00/2"
    to(scene, "02T11:00")
    assert free(scene) == "13:00/2 14:00/2 15:00/2 16:00/2"


def test_what_is_left_of_the_hours_behind_the_last_whole_slot_is_not_bookable() -> None:
    scene = Scene(bookable(a_hall(row("mon", "09:00", "10:50")), slot_min=30), at="2026-03-02T08:00:00+08:00")
    assert free(scene) == "09:00/2 09:30/2 10:00/2"


@pytest.mark.parametrize(
    ("plan", "days"),
    [
        (a_hall(*LUNCH), "2026-03-02 2026-03-03 2026-03-04"),
        (a_hall(*LUNCH, closed_days=("2026-03-03",)), "2026-03-02 2026-03-04 2026-03-05"),
        (a_hall(row("mon", "09:00", "12:00")), "2026-03-02 2026-03-09 2026-03-16"),
        (a_hall(*LUNCH, closed_days=("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"),
                working_days=("2026-03-07",)), "2026-03-07 2026-03-09 2026-03-10"),
        (a_hall(row("market", "08:00", "15:00"), market=MarketDays(cycles=((5, "2026-03-01"),))),
         "2026-03-06 2026-03-11 2026-03-16"),
        (replace(a_hall(*LUNCH), calendar=replace(HALL.calendar, enforced=False)), "2026-03-02 2026-03-03 2026-03-04"),
        (a_hall(), "2026-03-02 2026-03-03 2026-03-04"),
    ],
    ids=["weekdays", "a holiday", "mondays only", "a make-up saturday", "market days", "hours shown only", "no hours"],
)  # fmt: skip
def test_so_many_open_days_can_be_booked(plan: HallPlan, days: str) -> None:
    found = appointments.open_days(bookable(plan), GENERAL, ms("2026-03-02T08:00:00+08:00"))
    assert " ".join(day.isoformat() for day in found) == days


def test_the_hours_and_the_trial_of_a_zone_bound_its_slots() -> None:
    tax: dict[str, object] = {"hours": (row("tue", "10:00", "12:00"),), "trial_to": "2026-03-03"}
    scene = Scene(bookable(a_hall(*LUNCH, tax=tax), service="tax"), at="2026-03-02T08:00:00+08:00")
    assert free(scene, MONDAY, "tax") == ""
    assert free(scene, TUESDAY, "tax") == "10:00/2 11:00/2"
    to(scene, "03T11:30")
    assert no(scene, book("10:00", "2026-03-10", service="tax"))[0] == "too_far_ahead"
    to(scene, "04T09:00")
    scene.do(c.StartDay())
    assert no(scene, book("10:00", "2026-03-10", service="tax")) == (
        "slot_unknown",
        "tax has no time that can be booked. Please take a number in the hall.",
    )


def test_a_booking_takes_its_place_and_gives_it_back() -> None:
    scene = Scene(HALL)
    first = booked(scene, book())
    booked(scene, book())
    assert free(scene).startswith("10:00/0 11:00/2")
    assert no(scene, book()) == ("slot_full", "general is fully booked at 10:00 on 2026-03-02. Choose another time.")
    scene.do(c.CancelAppointment(id=first, by_staff=True, reason="asked"))
    assert free(scene).startswith("10:00/1")
    booked(scene, book())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (book("10:30"), Code.SLOT_UNKNOWN),
        (book("12:00"), Code.SLOT_UNKNOWN),
        (book("9:00"), Code.SLOT_UNKNOWN),
        (book("09:00"), Code.SLOT_UNKNOWN),  # it has begun
        (book("10:00", "2026-03-01"), Code.SLOT_UNKNOWN),
        (book("10:00", "20260303"), Code.SLOT_UNKNOWN),
        (book("10:00", "tomorrow"), Code.SLOT_UNKNOWN),
        (book("10:00", "2026-03-05"), Code.TOO_FAR_AHEAD),
        (book("10:00", "9999-12-31"), Code.TOO_FAR_AHEAD),
        (book(service="tax"), Code.NOT_BOOKABLE),
        (book(service="nothing"), Code.SERVICE_NOT_FOUND),
    ],
)
def test_only_an_open_slot_of_a_day_near_enough_is_booked(command: c.BookAppointment, code: Code) -> None:
    assert Scene(HALL).refused(command) is code


def test_a_visitor_has_one_open_booking_a_day() -> None:
    scene = Scene(HALL)
    first = booked(scene, book("11:00", visitor="wang"))
    assert scene.refused(book("13:00", visitor="wang")) is Code.ALREADY_BOOKED
    booked(scene, book("13:00", "2026-03-03", visitor="wang"))
    booked(scene, book("13:00", visitor="li"))
    to(scene, "02T10:50")
    scene.do(come(first))
    booked(scene, book("13:00", visitor="wang"))


def test_code_and_external_id_name_one_booking() -> None:
    scene = Scene(HALL)
    first = booked(scene, book(code="123456", external="p-1"))
    assert scene.refused(book("11:00", code="123456")) is Code.CODE_TAKEN
    booked(scene, book("11:00", "2026-03-03", code="123456"))
    with pytest.raises(Refusal) as caught:
        decide(scene.state, book("13:00", external="p-1"), now_ms=scene.now_ms)
    assert (caught.value.code, caught.value.facts) == (Code.APPOINTMENT_KNOWN, {"appointment": first})


def test_a_closed_day_is_not_booked_any_more_but_the_next_one_is() -> None:
    scene = Scene(HALL)
    scene.do(c.CloseDay())
    assert free(scene) == ""
    assert scene.refused(book("13:00")) is Code.SLOT_UNKNOWN
    booked(scene, book("13:00", "2026-03-03"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("02T09:44", Code.TOO_EARLY),
        ("02T09:45", APPOINTMENT),
        ("02T10:59", APPOINTMENT),
        ("02T11:15", APPOINTMENT),
        ("02T11:16", ORDINARY),
        ("02T12:10", Code.HALL_CLOSED),  # late numbers are given within the hours
        ("02T13:00", ORDINARY),
        ("02T19:00", Code.HALL_CLOSED),
    ],
)
def test_early_in_time_and_late(at: str, expected: object) -> None:
    scene = Scene(HALL)
    id_ = booked(scene, book())
    to(scene, at)
    if expected is Code.HALL_CLOSED:
        assert scene.refused(come(id_)) is expected
        return
    if isinstance(expected, Code):
        assert no(scene, come(id_)) == (
            "too_early",
            "Your appointment is at 10:00 today. You can check in from 09:45 today.",
        )
        return
    issued, kept = scene.do(come(id_))
    assert isinstance(issued, e.TicketIssued)
    assert isinstance(kept, e.AppointmentKept)
    assert (issued.label, issued.priority, issued.appointment) == ("A001", expected, id_)
    assert (kept.ticket, kept.late) == (issued.ticket, expected == ORDINARY)
    assert scene.state.appointments[id_].ticket == issued.ticket
    assert no(scene, come(id_))[1].startswith("You have checked in already: your number is A001.")


def test_the_last_appointment_before_closing_may_still_come_a_little_late() -> None:
    scene = Scene(HALL)
    id_ = booked(scene, book("16:00"))
    to(scene, "02T17:10")
    (issued, _) = scene.do(come(id_))
    assert isinstance(issued, e.TicketIssued)
    assert issued.priority == APPOINTMENT


def test_an_appointment_in_time_goes_before_who_came_shortly_before() -> None:
    scene = Scene(HALL, open_windows="1")
    id_ = booked(scene, book())
    to(scene, "02T09:50")
    scene.issue()
    (issued, _) = scene.do(come(id_))
    assert isinstance(issued, e.TicketIssued)
    assert issued.ahead == 0
    assert scene.order_at("1") == ["A002", "A001"]


def test_numbers_of_appointments_leave_the_quotas_of_the_others_alone() -> None:
    plan = bookable(a_hall(*LUNCH))
    plan = replace(
        plan,
        services=tuple(
            replace(it, day_quota=2, slots=(Slot(starts="09:00", ends="12:00", quota=1),)) if it.id == "general" else it
            for it in plan.services
        ),
    )
    scene = Scene(plan)
    first, second = booked(scene, book()), booked(scene, book())
    to(scene, "02T10:00")
    assert scene.issue() == "A001"
    assert scene.refused(issue("general")) is Code.QUOTA_FULL
    scene.do(come(first))
    scene.do(come(second))
    assert sorted(scene.state.labels) == ["A001", "A002", "A003"]
    to(scene, "02T13:00")
    assert admission(scene.state, GENERAL, scene.now_ms).left == 1
    assert scene.issue() == "A004"


def test_a_code_is_good_on_its_day_and_kind_on_others() -> None:
    scene = Scene(HALL)
    booked(scene, book("13:00", "2026-03-03", code="111111"))
    assert no(scene, come(code="111111")) == (
        "too_early",
        "Your appointment is at Tue 3 Mar 13:00. You can check in from Tue 3 Mar 12:45.",
    )
    booked(scene, book("13:00", "2026-03-04", code="111111"))
    assert scene.refused(come(code="111111")) is Code.APPOINTMENT_NOT_FOUND, "which day is meant?"
    assert scene.refused(come(code="222222")) is Code.APPOINTMENT_NOT_FOUND
    assert scene.refused(come(visitor="nobody")) is Code.APPOINTMENT_NOT_FOUND
    assert scene.refused(come(AppointmentId("nothing"))) is Code.APPOINTMENT_NOT_FOUND
    assert scene.refused(come()) is Code.APPOINTMENT_NOT_FOUND


def test_of_several_bookings_of_a_visitor_the_nearest_counts() -> None:
    scene = Scene(bookable(a_hall(*LUNCH), per_day=3))
    morning, noon, late = (booked(scene, book(at, visitor="wang")) for at in ("10:00", "11:00", "16:00"))
    to(scene, "02T11:40")
    scene.do(come(visitor="wang"))
    assert [status(scene, it) for it in (morning, noon, late)] == ["booked", "kept", "booked"]
    assert no(scene, come(visitor="wang"))[0] == "already_waiting"
    scene.do(c.Cancel(ticket=scene.state.labels[scene.ticket("A001").label]))
    scene.do(come(visitor="wang"))
    assert status(scene, morning) == "kept"
    assert no(scene, come(visitor="wang"))[0] == "too_early"


def test_cancelling_takes_time_for_visitors_and_a_reason_for_staff() -> None:
    scene = Scene(HALL)
    id_, other = booked(scene, book("13:00")), booked(scene, book("13:00"))
    to(scene, "02T11:01")
    assert no(scene, c.CancelAppointment(id=id_)) == (
        "too_late_to_cancel",
        "Less than 120 minutes are left. Please ask the staff to cancel.",
    )
    assert scene.refused(c.CancelAppointment(id=id_, by_staff=True, reason=" ")) is Code.REASON_MISSING
    scene.do(c.CancelAppointment(id=id_, by_staff=True, reason="no power"))
    assert (status(scene, id_), scene.state.appointments[id_].reason) == ("cancelled", "no power")
    assert no(scene, c.CancelAppointment(id=id_, by_staff=True, reason="x"))[1].startswith("This appointment was canc")
    to(scene, "02T11:00")
    scene.do(c.CancelAppointment(id=other))


def missed(scene: Scene, *days: int) -> None:
    """Let wang book 10:00 on these days of March and not come."""
    for day in days:
        to(scene, f"{day:02d}T08:00")
        scene.do(c.StartDay())
        booked(scene, book("10:00", f"2026-03-{day:02d}", "wang"))
        to(scene, f"{day:02d}T18:00")
        scene.do(c.CloseDay())


def test_who_does_not_come_too_often_is_blocked_for_a_while() -> None:
    plan = bookable(a_hall(*LUNCH), no_shows=3, within_days=10, blocked_days=7)
    scene = Scene(plan, at="2026-03-01T09:00:00+08:00")
    missed(scene, 2, 3, 12)
    to(scene, "13T08:00")
    scene.do(c.StartDay())
    assert appointments.blocked_until(scene.state, "wang", date(2026, 3, 13)) is None, "not three within ten days"
    missed(scene, 16, 17)
    to(scene, "18T08:00")
    scene.do(c.StartDay())
    code, sentence = no(scene, book("10:00", "2026-03-18", "wang"))
    assert (code, "You can book again from 2026-03-24" in sentence) == ("booking_blocked", True)
    booked(scene, book("10:00", "2026-03-18", "li"))
    booked(scene, book("10:00", "2026-03-18"))
    to(scene, "18T09:00")
    scene.do(issue("general", visitor="wang"))
    to(scene, "24T08:00")
    scene.do(c.StartDay())
    booked(scene, book("10:00", "2026-03-24", "wang"))


def test_missed_is_only_what_the_visitor_could_have_kept() -> None:
    scene = Scene(HALL)
    early = booked(scene, book("10:00", visitor="early"))
    came = booked(scene, book("10:00", visitor="came"))
    evening = booked(scene, book("16:00", visitor="evening"))
    tuesday = booked(scene, book("10:00", "2026-03-03", "tuesday"))
    wednesday = booked(scene, book("10:00", "2026-03-04", "wednesday"))
    scene.do(issue("general", visitor="came"))
    to(scene, "02T14:00")
    scene.do(c.CloseDay())
    assert [status(scene, it) for it in (early, came, evening, tuesday)] == [
        "missed",
        "cancelled",
        "cancelled",
        "booked",
    ]
    reasons = {scene.state.appointments[it].reason for it in (came, evening)}
    assert reasons == {appointments.CAME_ANYHOW, appointments.CLOSED_EARLY}
    to(scene, "04T08:00")  # the hall did not open on Tuesday
    scene.do(c.StartDay())
    assert (status(scene, tuesday), scene.state.appointments[tuesday].reason) == ("cancelled", appointments.NOT_OPEN)
    assert status(scene, wednesday) == "booked"
    to(scene, "05T08:00")  # nobody closed Wednesday
    scene.do(c.StartDay())
    assert status(scene, wednesday) == "missed"


def test_a_new_plan_keeps_bookings_visible_and_blames_nobody() -> None:
    scene = Scene(HALL)
    id_ = booked(scene, book("13:00", visitor="wang"))

    def trouble() -> str | None:
        return appointments.trouble(scene.state, scene.state.appointments[id_])

    assert trouble() is None
    scene.do(c.PlanHall(plan=bookable(a_hall(row("mon", "09:00", "12:00")))))
    assert trouble() == "closed"
    scene.do(c.PlanHall(plan=a_hall(*LUNCH)))
    assert trouble() == "not_bookable"
    gone = tuple(it for it in HALL.services if it.id != "general")
    windows = tuple(replace(it, serves=it.serves[1:] or (ServiceId("tax"),), relief=()) for it in HALL.windows)
    scene.do(c.PlanHall(plan=replace(HALL, services=gone, windows=windows)))
    assert trouble() == "service_gone"
    assert scene.refused(come(id_)) in (Code.TOO_EARLY, Code.SERVICE_NOT_FOUND)
    to(scene, "02T13:00")
    assert scene.refused(come(id_)) is Code.SERVICE_NOT_FOUND
    to(scene, "02T18:00")
    scene.do(c.CloseDay())
    assert scene.state.appointments[id_].reason == appointments.NO_LONGER_SERVED
    assert trouble() is None


def test_a_service_that_is_no_longer_bookable_still_keeps_what_it_promised() -> None:
    scene = Scene(HALL)
    id_ = booked(scene, book())
    scene.do(c.PlanHall(plan=a_hall(*LUNCH)))
    to(scene, "02T10:00")
    scene.do(come(id_))
    assert status(scene, id_) == "kept"


def test_a_slot_after_midnight_belongs_to_the_business_day_before() -> None:
    night = a_hall(row("mon tue", "01:00", "03:00"), row("mon tue", "20:00", "22:00"))
    scene = Scene(bookable(night), at="2026-03-02T19:00:00+08:00")
    id_ = booked(scene, book("01:00", "2026-03-03", code="111111"))
    assert no(scene, come(code="111111"))[0] == "too_early"
    scene.now_ms = ms("2026-03-03T01:00:00+08:00")
    assert scene.refused(c.StartDay()) is Code.DAY_OPEN
    (issued, _) = scene.do(come(code="111111"))
    assert isinstance(issued, e.TicketIssued)
    assert issued.ticket.startswith("20260302-")
    assert status(scene, id_) == "kept"


def test_who_is_early_for_the_first_slot_of_a_business_day_waits_until_it_begins() -> None:
    plan = bookable(a_hall(row("mon tue", "06:00", "09:00")))
    assert appointments.check_in_from_ms(plan, ms("2026-03-03T06:00:00+08:00")) == ms("2026-03-03T06:00:00+08:00")
    assert appointments.check_in_from_ms(plan, ms("2026-03-03T07:00:00+08:00")) == ms("2026-03-03T06:45:00+08:00")


def test_what_is_over_is_forgotten_and_what_counts_is_kept() -> None:
    plan = bookable(a_hall(*LUNCH), within_days=20, blocked_days=10)
    scene = Scene(plan)
    kept, lost, nameless = (booked(scene, book("10:00" if name else "11:00", visitor=name)) for name in ("a", "b", ""))
    to(scene, "02T10:00")
    scene.do(come(kept))
    to(scene, "03T08:00")
    scene.do(c.StartDay())
    assert len(scene.state.appointments) == 3
    scene.now_ms += 7 * 24 * 3_600_000
    scene.do(c.StartDay())
    assert set(scene.state.appointments) == {lost, nameless}
    scene.now_ms += 24 * 24 * 3_600_000
    scene.do(c.StartDay())
    assert scene.state.appointments == {}


slots = st.sampled_from(["09:00", "10:00", "11:00", "13:00", "16:00"])
days = st.sampled_from(["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"])
people = st.sampled_from([None, "a", "b", "c", "d", "e"])
which = st.integers(0, 20)
steps = st.one_of(
    st.tuples(st.just("book"), slots, days, people, st.sampled_from(["general", "social", "tax"])),
    st.tuples(st.just("cancel"), which, st.booleans()),
    st.tuples(st.just("come"), which),
    st.tuples(st.just("visitor"), people),
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 60, 400, 1440])),
    st.tuples(st.just("close")),
    st.tuples(st.just("issue"), people),
)


@settings(max_examples=60)
@given(st.lists(steps, max_size=60))
def test_never_more_than_the_quota_replayed_equal_and_refusals_change_nothing(walk: list[tuple[object, ...]]) -> None:
    _play(walk)


def _play(walk: list[tuple[object, ...]]) -> None:
    plan = bookable(bookable(a_hall(*LUNCH), 2), 1, "social", per_day=2, no_shows=2)
    scene = Scene(plan)
    for step in walk:
        command = _command(scene, step)
        if command is None:
            continue
        before = deepcopy(scene.state)
        try:
            scene.do(command)
        except Refusal:
            assert scene.state == before
        _check(scene, plan)
    again = HallState()
    for at_ms, event in scene.past:
        name = codec.STORED_NAME[type(event)]
        stored = codec._EVENT_DECODERS[name].decode(codec._ENCODER.encode(event))
        evolve(again, stored, at_ms=at_ms)
    assert again == scene.state


def overbooks(patch: pytest.MonkeyPatch) -> None:
    real = appointments.quota_of
    patch.setattr(appointments, "quota_of", lambda state, service: real(state, service) + 1)


def leaves_open_bookings_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appointments, "at_day_close", lambda state, now_ms: [])


def gives_codes_twice(patch: pytest.MonkeyPatch) -> None:
    real = book

    def same(*args: str, **more: str) -> c.BookAppointment:
        return replace(real(*args, **more), code="111111")

    patch.setattr("tests.domain.test_appointments.book", same)
    patch.setattr(appointments, "business_day", lambda plan, ms: ms)  # no two bookings are of one day


@pytest.mark.parametrize("mutant", [overbooks, leaves_open_bookings_behind, gives_codes_twice])
def test_a_broken_hall_is_found_out(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    three = [("book", "10:00", "2026-03-02", None, "general")] * 3
    with pytest.raises(AssertionError):
        _play([*three, ("book", "11:00", "2026-03-02", None, "general"), ("wait", 1440)])


def _command(scene: Scene, step: tuple[object, ...]) -> c.Command | None:
    ids = list(scene.state.appointments) or [AppointmentId("none")]
    match step:
        case ("book", str(starts), str(day), (str() | None) as visitor, str(service)):
            return book(starts, day, visitor, service=service)
        case ("cancel", int(index), bool(by_staff)):
            return c.CancelAppointment(id=ids[index % len(ids)], by_staff=by_staff, reason="asked")
        case ("come", int(index)):
            return come(ids[index % len(ids)])
        case ("visitor", (str() | None) as visitor):
            return come(visitor=visitor)
        case ("issue", (str() | None) as visitor):
            return issue("general", visitor=visitor, track=f"track-{next(_ids)}")
        case ("close",):
            return c.CloseDay()
        case ("wait", int(minutes)):
            scene.wait(minutes)
            over = calendar.day_ends_ms(scene.state.plan, scene.state.day or "") <= scene.now_ms
            return c.StartDay() if over else None
        case _:
            raise AssertionError(step)


def _check(scene: Scene, plan: HallPlan) -> None:
    taken: dict[tuple[str, int], int] = {}
    today = scene.state.day or ""
    for one in scene.state.appointments.values():
        if one.status is not AppointmentStatus.CANCELLED:
            taken[one.service, one.starts_ms] = taken.get((one.service, one.starts_ms), 0) + 1
        if one.status is AppointmentStatus.BOOKED:
            assert one.day >= today, "an open booking was left behind"
        if one.status is AppointmentStatus.KEPT and one.day == today:
            assert one.ticket in scene.state.tickets
        spans = calendar.open_spans(plan, one.service, date.fromisoformat(one.day))
        assert any(opens <= one.starts_ms < one.ends_ms <= closes for opens, closes in spans)
    quotas = {service.id: service.appointments or 0 for service in plan.services}
    assert all(number <= quotas[ServiceId(service)] for (service, _), number in taken.items())
    codes = [one.code for one in scene.state.appointments.values() if one.day == today]
    assert len(codes) == len(set(codes))
    horizon = date.fromisoformat(today) + timedelta(days=7)
    assert all(date.fromisoformat(one.day) <= horizon for one in scene.state.appointments.values())


def test_self_service_zones_that_never_close_have_slots_round_the_clock() -> None:
    plan = bookable(a_hall(*LUNCH, tax={"always_open": True}), service="tax")
    scene = Scene(plan, at="2026-03-01T22:30:00+08:00")
    assert free(scene, date(2026, 3, 1), "tax") == "23:00/2"
    assert len(free(scene, MONDAY, "tax").split()) == 24
    assert plan.zone[ZoneId("tax")].always_open
    assert PLAN.bookings == BookingRules()
