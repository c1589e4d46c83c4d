"""When a hall is open: a table an operator can read, one hall for each rule of the calendar."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import calendar
from server.domain.terms import Calendar, HallPlan, MarketDays, OpeningHours, ServiceId, ZoneId
from tests.domain.halls import PLAN, ms

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def row(days: str, opens: str, closes: str, *, zones: str = "", services: str = "") -> OpeningHours:
    return OpeningHours(
        days=tuple(days.split()),
        opens=opens,
        closes=closes,
        zones=tuple(ZoneId(it) for it in zones.split()),
        services=tuple(ServiceId(it) for it in services.split()),
    )


def a_hall(
    *hours: OpeningHours, zone: str = "Asia/Shanghai", tax: dict[str, object] | None = None, **more: object
) -> HallPlan:
    """Give a hall of two zones: general and social in one, tax and invoice in `tax`."""
    changed = replace(PLAN.zones[1], **(tax or {}))  # type: ignore[arg-type]  # a test says only what matters to it
    return replace(
        PLAN,
        hours=hours,
        time_zone=zone,
        zones=(PLAN.zones[0], changed),
        calendar=replace(Calendar(enforced=True), **more),  # type: ignore[arg-type]  # as above
    )


LUNCH = (row("mon tue wed thu fri", "09:00", "12:00"), row("mon tue wed thu fri", "13:00", "17:00"))
SHUANGJIANG = a_hall(row("market", "08:30", "15:00"), market=MarketDays(cycles=((5, "2026-01-03"),)))
HALLS: dict[str, HallPlan] = {
    "weekdays with lunch": a_hall(*LUNCH),
    "holidays and make-up days": a_hall(
        *LUNCH,
        closed_days=("2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19", "2026-02-20", "2026-02-23"),
        working_days=("2026-02-14", "2026-02-28"),
    ),
    "every fifth day is market": SHUANGJIANG,
    "weekdays and the longer market": a_hall(
        *LUNCH, row("market", "08:00", "18:00"), market=MarketDays(weekdays=("wed",), dates=("2026-03-07",))
    ),
    "weekend duty (5+X)": a_hall(
        *LUNCH, row("sat", "09:00", "12:00", zones="tax"), row("sun", "10:00", "11:00", services="social")
    ),
    "a make-up day with duty": a_hall(*LUNCH, row("sat", "10:00", "11:00", zones="tax"), working_days=("2026-02-28",)),
    "tax zone on trial in March": a_hall(*LUNCH, tax={"trial_from": "2026-03-03", "trial_to": "2026-03-31"}),
    "tax zone has its own hours": a_hall(*LUNCH, tax={"hours": (row("mon sat", "10:00", "20:00"),)}),
    "tax zone is open 24 hours": a_hall(*LUNCH, tax={"always_open": True}, closed_days=("2026-03-02",)),
    "24 hours on trial": a_hall(*LUNCH, tax={"always_open": True, "trial_to": "2026-03-02"}),
    "no hours": a_hall(),
    "hours shown only": replace(a_hall(*LUNCH), calendar=Calendar()),
    "Berlin": a_hall(row("sun mon", "01:00", "02:30"), row("sun mon", "03:30", "04:00"), zone="Europe/Berlin"),
    "Urumqi": a_hall(*LUNCH, zone="Asia/Urumqi"),
}

# hall, service, now -> open until then, or closed until then (local clock; 2 March 2026 is a Monday)
TABLE = [
    ("weekdays with lunch", "general", "Mon 2026-03-02 08:59", "opens 2026-03-02 09:00"),
    ("weekdays with lunch", "general", "Mon 2026-03-02 09:00", "open"),
    ("weekdays with lunch", "general", "Mon 2026-03-02 11:59", "open"),
    ("weekdays with lunch", "general", "Mon 2026-03-02 12:00", "opens 2026-03-02 13:00"),
    ("weekdays with lunch", "general", "Mon 2026-03-02 17:00", "opens 2026-03-03 09:00"),
    ("weekdays with lunch", "general", "Fri 2026-03-06 17:00", "opens 2026-03-09 09:00"),
    ("holidays and make-up days", "general", "Fri 2026-02-13 18:00", "opens 2026-02-14 09:00"),
    ("holidays and make-up days", "general", "Sat 2026-02-14 10:00", "open"),
    ("holidays and make-up days", "general", "Sat 2026-02-14 17:00", "opens 2026-02-24 09:00"),
    ("holidays and make-up days", "general", "Mon 2026-02-16 10:00", "opens 2026-02-24 09:00"),
    ("every fifth day is market", "general", "Sat 2026-01-03 09:00", "open"),
    ("every fifth day is market", "general", "Sat 2026-01-03 15:00", "opens 2026-01-08 08:30"),
    ("every fifth day is market", "general", "Fri 2026-02-27 12:00", "open"),
    ("every fifth day is market", "general", "Mon 2026-03-02 12:00", "opens 2026-03-04 08:30"),
    ("weekdays and the longer market", "general", "Tue 2026-03-03 12:30", "opens 2026-03-03 13:00"),
    ("weekdays and the longer market", "general", "Wed 2026-03-04 12:30", "open"),
    ("weekdays and the longer market", "general", "Fri 2026-03-06 18:00", "opens 2026-03-07 08:00"),
    ("weekend duty (5+X)", "tax", "Sat 2026-03-07 10:00", "open"),
    ("weekend duty (5+X)", "invoice", "Sat 2026-03-07 10:00", "open"),
    ("weekend duty (5+X)", "general", "Sat 2026-03-07 10:00", "opens 2026-03-09 09:00"),
    ("weekend duty (5+X)", "social", "Sat 2026-03-07 10:00", "opens 2026-03-08 10:00"),
    ("a make-up day with duty", "tax", "Sat 2026-02-28 15:00", "open"),
    ("a make-up day with duty", "tax", "Sat 2026-03-07 15:00", "opens 2026-03-09 09:00"),
    ("tax zone on trial in March", "tax", "Mon 2026-03-02 10:00", "opens 2026-03-03 09:00"),
    ("tax zone on trial in March", "tax", "Mon 2024-01-01 10:00", "opens 2026-03-03 09:00"),
    ("tax zone on trial in March", "tax", "Tue 2026-03-31 16:59", "open"),
    ("tax zone on trial in March", "tax", "Tue 2026-03-31 17:00", "never"),
    ("tax zone on trial in March", "general", "Mon 2026-03-02 10:00", "open"),
    ("tax zone has its own hours", "tax", "Mon 2026-03-02 19:00", "open"),
    ("tax zone has its own hours", "tax", "Tue 2026-03-03 10:00", "opens 2026-03-07 10:00"),
    ("tax zone has its own hours", "general", "Tue 2026-03-03 10:00", "open"),
    ("tax zone is open 24 hours", "tax", "Mon 2026-03-02 03:00", "open"),
    ("tax zone is open 24 hours", "general", "Mon 2026-03-02 10:00", "opens 2026-03-03 09:00"),
    ("24 hours on trial", "tax", "Mon 2026-03-02 23:59", "open"),
    ("24 hours on trial", "tax", "Tue 2026-03-03 00:00", "never"),
    ("no hours", "general", "Sun 2026-03-01 03:00", "open"),
    ("hours shown only", "general", "Sun 2026-03-01 03:00", "open"),
    ("Urumqi", "general", "Mon 2026-03-02 08:00", "opens 2026-03-02 09:00"),
    # the clocks go from 02:00 to 03:00: half past two is half past three
    ("Berlin", "general", "Sun 2026-03-29 01:30", "open"),
    ("Berlin", "general", "Sun 2026-03-29 03:15", "open"),
    ("Berlin", "general", "Sun 2026-03-29 04:00", "opens 2026-03-30 01:00"),
    ("Berlin", "general", "Mon 2026-03-30 02:30", "opens 2026-03-30 03:30"),
]


@pytest.mark.parametrize(("hall", "service", "now", "answer"), TABLE, ids=lambda it: str(it))
def test_the_calendar_says(hall: str, service: str, now: str, answer: str) -> None:
    plan = HALLS[hall]
    _, day, clock = now.split()
    now_ms = at(plan, day, clock)
    assert f"{calendar.local(plan, now_ms):%a}" == now[:3]
    opening = calendar.next_opening(plan, ServiceId(service), now_ms)
    assert calendar.is_open(plan, ServiceId(service), now_ms) is (answer == "open")
    if opening is None:
        assert answer == "never"
    else:
        said = "open" if opening == now_ms else f"opens {calendar.local(plan, opening):%Y-%m-%d %H:%M}"
        assert said == answer


def at(plan: HallPlan, day: str, clock: str) -> int:
    noon_ms = ms(f"{day}T12:00:00+00:00")
    return calendar.clock_ms(plan, clock, noon_ms)


def test_what_is_left_of_a_day_leaves_the_lunch_out() -> None:
    plan = HALLS["weekdays with lunch"]
    left = [calendar.open_left_ms(plan, ServiceId("general"), at(plan, "2026-03-02", it)) for it in ("11:00", "12:30")]
    assert left == [5 * 3_600_000, 4 * 3_600_000]
    assert calendar.open_left_ms(HALLS["no hours"], ServiceId("general"), 0) is None
    assert calendar.closing(plan, ServiceId("general"), at(plan, "2026-03-02", "09:00")) == at(
        plan, "2026-03-02", "17:00"
    )
    assert calendar.closing(plan, ServiceId("general"), at(plan, "2026-03-01", "09:00")) is None


def test_an_instant_in_words() -> None:
    plan = HALLS["weekdays with lunch"]
    monday = at(plan, "2026-03-02", "09:00")
    assert calendar.in_words(plan, monday, monday - 1) == ("今天 09:00", "09:00 today")
    assert calendar.in_words(plan, monday, at(plan, "2026-03-01", "23:00")) == (
        "周一 03月02日 09:00",
        "Mon 2 Mar 09:00",
    )


@given(
    hall=st.sampled_from(sorted(HALLS)),
    service=st.sampled_from([it.id for it in PLAN.services]),
    minute=st.integers(0, 500 * 24 * 60),
    earlier=st.integers(1, 10 * 24 * 60 * 60_000),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    hall: str, service: ServiceId, minute: int, earlier: int
) -> None:
    plan = HALLS[hall]
    now_ms = ms("2025-12-01T00:00:00+08:00") + minute * 60_000
    opening = calendar.next_opening(plan, service, now_ms)
    assert calendar.is_open(plan, service, now_ms) is (opening == now_ms)
    if opening is None:
        return
    assert opening >= now_ms
    assert calendar.is_open(plan, service, opening)
    if opening > now_ms:
        assert not calendar.is_open(plan, service, opening - 1)
        assert not calendar.is_open(plan, service, max(now_ms, opening - earlier))


@given(minute=st.integers(0, 400 * 24 * 60))
def test_open_is_what_the_clock_on_the_wall_says(minute: int) -> None:
    plan = HALLS["Berlin"]
    now_ms = ms("2026-01-01T00:00:00+01:00") + minute * 60_000
    wall = calendar.local(plan, now_ms)
    if wall.date() in (date(2026, 3, 29), date(2026, 10, 25)):  # the clocks change: said in the table
        return
    clock = f"{wall:%H:%M}"
    by_hand = wall.weekday() in (6, 0) and ("01:00" <= clock < "02:30" or "03:30" <= clock < "04:00")
    assert calendar.is_open(plan, ServiceId("general"), now_ms) is by_hand


def test_a_week_has_its_hours() -> None:
    plan = HALLS["weekdays with lunch"]
    week = [calendar.open_spans(plan, ServiceId("general"), date(2026, 3, 2) + timedelta(days=it)) for it in range(7)]
    assert [sum(closes - opens for opens, closes in spans) // 3_600_000 for spans in week] == [7, 7, 7, 7, 7, 0, 0]
