"""What the hall file says about days and quotas, as the domain is told it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import load_hall, schema, shipped
from config.schema import HallFile
from server.domain import calendar
from server.domain.terms import (
    APPOINTMENT,
    LEGS_MAX,
    AgencyRules,
    BookingRules,
    DeviceId,
    Employment,
    Fairness,
    Guide,
    HallId,
    HallPlan,
    MarketDays,
    OpeningHours,
    RatingRules,
    ServiceId,
    ServiceKind,
    Slot,
    ZoneId,
    ZoneKind,
)
from server.main import main
from server.plan import holidays_known_to, plan_of

HALL = """\
schema = 1
[hall]
id = "small"
name = {{ zh = "小厅" }}
{calendar}
[[zone]]
id = "general"
name = {{ zh = "综合" }}
{zone}
[[service]]
id = "tax"
name = {{ zh = "税务" }}
zone = "general"
prefix = "A"
{service}
[[window]]
no = "1"
zone = "general"
serves = ["tax"]
"""
WEEK = """\
[calendar]
hours = [{ days = ["mon", "tue", "wed", "thu", "fri"], opens = "09:00", closes = "17:00" }]
"""
TAX = ServiceId("tax")

# The notice for 2026 (国办发明电〔2025〕7号), by hand: the first and last day off, and the make-up workdays.
HOLIDAYS_2026 = [
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
]
MAKE_UP_2026 = {"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}


def a_file(folder: Path, calendar: str = "", zone: str = "", service: str = "") -> Path:
    path = folder / "small.toml"
    path.write_text(HALL.format(calendar=calendar, zone=zone, service=service), encoding="utf-8")
    return path


def load(folder: Path, calendar: str = "", zone: str = "", service: str = "") -> HallFile:
    return load_hall(a_file(folder, calendar, zone, service))


def test_a_year_of_chinese_holidays_and_make_up_workdays(tmp_path: Path) -> None:
    plan = plan_of(load(tmp_path, WEEK + 'holidays = "cn"'))
    days = [date(2026, 1, 1) + timedelta(days=it) for it in range(365)]
    off = {day for day in days if any(first <= day.isoformat() <= last for first, last in HOLIDAYS_2026)}
    expected = {day for day in days if day.isoformat() in MAKE_UP_2026 or (day.weekday() < 5 and day not in off)}
    assert {day for day in days if calendar.open_spans(plan, TAX, day)} == expected
    assert len(expected) == 248


def test_beyond_the_known_years_weekdays_count(tmp_path: Path) -> None:
    file = load(tmp_path, WEEK + 'holidays = "cn"')
    known_to = holidays_known_to(file)
    assert known_to is not None
    assert known_to >= date(2026, 12, 31)
    plan = plan_of(file)
    later = [known_to + timedelta(days=it) for it in range(366, 380)]
    assert [bool(calendar.open_spans(plan, TAX, day)) for day in later] == [day.weekday() < 5 for day in later]


def test_the_file_overrides_the_holidays(tmp_path: Path) -> None:
    extra = 'holidays = "cn"\nextra_open = [2026-10-01, "2026-10-03"]\nextra_closed = ["2026-10-10", 2026-10-12]\n'
    plan = plan_of(load(tmp_path, WEEK + extra))
    open_ = [bool(calendar.open_spans(plan, TAX, date(2026, 10, day))) for day in (1, 2, 3, 10, 12, 13)]
    assert open_ == [True, False, True, False, False, True]


def test_without_holidays_the_plan_carries_no_dates(tmp_path: Path) -> None:
    plan = plan_of(load(tmp_path, WEEK))
    assert (plan.calendar.closed_days, plan.calendar.working_days) == ((), ())
    assert plan.calendar.enforced
    assert plan.calendar.last_ticket_min is None
    assert holidays_known_to(load(tmp_path, WEEK)) is None


@pytest.mark.parametrize(("said", "minutes"), [('"served"', None), ('"closing"', 0), ("45", 45)])
def test_the_last_ticket(tmp_path: Path, said: str, minutes: int | None) -> None:
    assert plan_of(load(tmp_path, f"{WEEK}last_ticket = {said}")).calendar.last_ticket_min == minutes


def test_market_days_duty_quotas_and_trials(tmp_path: Path) -> None:
    plan = plan_of(
        load(
            tmp_path,
            """\
[calendar]
hours = [
  { days = ["market"], opens = "08:30", closes = "15:00" },
  { days = ["sun"], opens = "09:00", closes = "10:00", zones = ["general"], services = ["tax"] },
]
market_days = ["sat", "2026-01-01", "every 5 days from 2026-01-03"]
outside_hours = "issue"
""",
            'trial_from = "2026-01-01"\ntrial_to = 2026-12-31\nalways_open = true',
            'day_quota = 80\nslot_quota = [{ from = "09:00", to = "10:00", quota = 20 }]',
        )
    )
    assert plan.calendar.market == MarketDays(weekdays=("sat",), dates=("2026-01-01",), cycles=((5, "2026-01-03"),))
    assert not plan.calendar.enforced
    assert plan.hours[1] == OpeningHours(
        days=("sun",), opens="09:00", closes="10:00", zones=(ZoneId("general"),), services=(TAX,)
    )
    zone, service = plan.zones[0], plan.services[0]
    assert (zone.trial_from, zone.trial_to, zone.always_open) == ("2026-01-01", "2026-12-31", True)
    assert (service.day_quota, service.slots) == (80, (Slot(starts="09:00", ends="10:00", quota=20),))


def test_without_a_word_the_rules_are_those_of_the_reference_and_an_old_plan_has_none(tmp_path: Path) -> None:
    plan, old = plan_of(load(tmp_path)), HallPlan(hall=HallId("old"), name={}, time_zone="Asia/Shanghai", languages=())
    assert (plan.fairness, old.fairness) == (Fairness(ratio=2, oldest_first_after_min=30), Fairness())
    assert (plan.fairness.ratio, old.fairness.ratio, old.fairness.oldest_first_after_min) == (2, 0, 0)
    assert plan.bookings == BookingRules()
    assert plan.ratings == RatingRules()
    assert plan.agency == AgencyRules()
    assert plan.left_alone_min == old.left_alone_min == 0
    assert plan.priority[APPOINTMENT].head_start_min == 20
    assert plan.queues == plan.zones


def test_everything_a_hall_is_reaches_the_plan(tmp_path: Path) -> None:
    zone = 'tenant = "city"\nabout = { zh = "可办税" }'
    service = """\
legs = ["tax", "land"]
flags = ["cross_province", "fee"]
appointments = 3
matter_code = "11530000-A"
common = true
[service.guide]
basis = { zh = "办税须知" }
materials = [{ zh = "身份证" }, { zh = "发票" }]
phone = "0871-12366"
[[service]]
id = "land"
name = { zh = "国土" }
zone = "general"
prefix = "B"
kind = "ordinary"
tenant = "district"
[[service]]
id = "pickup"
name = { zh = "取件" }
zone = "general"
prefix = "T"
kind = "pickup"
asks_case = true
"""
    path = a_file(tmp_path, WEEK, zone, service)
    more = """\
[[window]]
no = "2"
zone = "general"
serves = ["land", "pickup"]
decides = false
[[window]]
no = "3"
zone = "general"
staffed = false
[[tenant]]
id = "city"
name = { zh = "市" }
[[tenant]]
id = "district"
name = { zh = "区" }
[[zone]]
id = "machines"
name = { zh = "自助" }
kind = "self_service"
always_open = true
[[kiosk]]
id = "kiosk-1"
name = { zh = "大门" }
zones = ["general"]
day_quota = 90
[[priority]]
id = "appointment"
name = { zh = "预约号" }
slope = 2.0
head_start_min = 15.0
[[clerk]]
work_id = "1"
name = "A角"
windows = ["1"]
department = "税务"
employment = "third_party"
chief = true
[appointments]
slot_min = 20
days_ahead = 7
no_shows = 0
[fairness]
ratio = 3
oldest_first_after_min = 0
[staff]
left_alone_min = 15
[rating]
bad_grade = 1
[agency]
alarm_before_close_min = 45
partners = ["port"]
"""
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    plan = plan_of(load_hall(path))
    tax, land, pickup = plan.services
    assert tax.legs == ("tax", "land")
    assert (tax.flags, tax.appointments, tax.matter_code) == (("cross_province", "fee"), 3, "11530000-A")
    papers = ({"zh": "身份证"}, {"zh": "发票"})
    assert tax.guide == Guide(basis={"zh": "办税须知"}, materials=papers, phone="0871-12366")
    assert (tax.common, land.common, land.guide, pickup.asks_case, tax.asks_case) == (True, False, None, True, False)
    assert (tax.tenant, land.tenant) == ("city", "district"), "without a word, the tenant of the zone"
    assert (land.kind, pickup.kind) == (ServiceKind.ORDINARY, ServiceKind.PICKUP)
    assert [(window.staffed, window.decides) for window in plan.windows] == [(True, True), (True, False), (False, True)]
    assert [zone.kind for zone in plan.zones] == [ZoneKind.QUEUE, ZoneKind.SELF_SERVICE]
    assert [zone.id for zone in plan.queues] == ["general"]
    assert plan.zones[0].about == {"zh": "可办税"}
    assert [tenant.name["zh"] for tenant in plan.tenants] == ["市", "区"]
    assert plan.kiosk[DeviceId("kiosk-1")].day_quota == 90
    assert plan.kiosk[DeviceId("kiosk-1")].zones == ("general",)
    assert (plan.priority[APPOINTMENT].slope, plan.priority[APPOINTMENT].question) == (2.0, None)
    post = plan.posts[0]
    assert (post.department, post.employment, post.chief) == ("税务", Employment.THIRD_PARTY, True)
    assert plan.bookings == BookingRules(slot_min=20, days_ahead=7, no_shows=0)
    assert plan.fairness == Fairness(ratio=3, oldest_first_after_min=0)
    assert plan.left_alone_min == 15
    assert plan.ratings == RatingRules(bad_grade=1)
    assert plan.agency == AgencyRules(alarm_before_close_min=45, partners=(HallId("port"),))
    assert plan.digest != plan_of(load(tmp_path)).digest


def test_the_legs_of_the_file_and_of_the_domain_are_as_many() -> None:
    assert schema.LEGS_MAX == LEGS_MAX


def test_a_zone_that_opens_at_other_times_keeps_the_days_of_the_hall(tmp_path: Path) -> None:
    plan = plan_of(load(tmp_path, WEEK, 'opens = "10:00"\ncloses = "16:00"'))
    assert plan.zones[0].hours == (
        OpeningHours(days=("mon", "tue", "wed", "thu", "fri"), opens="10:00", closes="16:00"),
    )
    assert len(plan_of(load(tmp_path, "", 'opens = "10:00"\ncloses = "16:00"')).zones[0].hours[0].days) == 7


@pytest.mark.parametrize("name", ["demo", "qiaocheng"])
def test_halls_that_run_at_any_hour(name: str) -> None:
    plan = plan_of(load_hall(shipped()[name]))
    assert plan.hours
    assert not plan.calendar.enforced
    assert all(service.day_quota is None and not service.slots for service in plan.services)


@pytest.mark.parametrize(("known_year", "warned"), [(2005, True), (2999, False)])
def test_check_says_when_the_holidays_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_year: int, warned: bool
) -> None:
    monkeypatch.setattr("server.plan.china.holidays", {date(known_year, 1, 1): "New Year"})
    path = a_file(tmp_path, WEEK + 'holidays = "cn"')
    result = CliRunner().invoke(main, ["--lang", "en", "check", str(path)])
    assert result.exit_code == 0
    assert (f"known to {known_year}-12-31" in result.stderr) is warned
    path = a_file(tmp_path, WEEK)
    assert CliRunner().invoke(main, ["--lang", "en", "check", str(path)]).stderr == ""
