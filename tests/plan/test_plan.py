"""What the hall file says about days and quotas, as the domain is told it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import load_hall, shipped
from config.schema import HallFile
from server.domain import calendar
from server.domain.terms import MarketDays, OpeningHours, ServiceId, Slot, ZoneId
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
