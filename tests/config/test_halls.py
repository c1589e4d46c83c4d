"""The shipped halls, fact by fact: what the notices state is in the files, and every hall can work a visit.

Facts: the Zhenyuan plan of 2023-08-29 ("1+8" windows), the Lincang report on administrative service centres (about
2009 to 2010), the Hefeng notice of 2020-07-29 (三办三不出), the Qiaocheng notice of 2019-07-19 (一网、一门、一次) and
the Cangxi notice of 2018-05-14 (township service centres).
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from config import check, load_hall, shipped
from config.schema import WEEKDAYS, HallFile
from server.domain import commands as c
from server.domain import events as e
from server.domain.lifecycle import FINAL
from server.domain.refusals import Refusal
from server.domain.terms import Actor, ActorKind, HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.plan import plan_of

OUTSIDE = {  # the five outside halls of Qiaocheng and their letters
    "qiaocheng-marriage": "N",
    "qiaocheng-real-estate": "H",
    "qiaocheng-disabled": "R",
    "qiaocheng-legal": "X",
    "qiaocheng-farm-machinery": "Y",
}
REAL = (
    "zhenyuan",
    "lincang-linxiang",
    "yongde",
    "zhenkang",
    "zhenkang-port",
    "gengma",
    "cangyuan",
    "shuangjiang-township",
    "hefeng-county",
    "hefeng-township",
    "hefeng-village",
    "qiaocheng",
    *OUTSIDE,
    "cangxi-township",
)
CLERK = Actor(kind=ActorKind.PERSON, id="clerk")
MONDAY_TEN = "2026-03-02T10:00:00+08:00"
"""A Monday, an ordinary workday and a market day, inside the opening hours of every hall."""
OWN_RULE = {"hefeng-county", "shuangjiang-township"}
"""Halls whose notices say on which days they are open; in the others the hours are assumed."""


def hall(name: str) -> HallFile:
    """Give a shipped hall."""
    return load_hall(shipped()[name])


def desks(file: HallFile) -> Counter[str]:
    """Count the windows of each zone."""
    return Counter(window.zone for window in file.windows)


def staffed(file: HallFile) -> set[str]:
    """Give the windows at which a post may sign in."""
    return {no for clerk in file.clerks for no in clerk.windows}


def hall_at(name: str, instant: str) -> Hall:
    """Give a shipped hall at work, with nobody at the windows, at an instant."""
    now_ms = int(datetime.fromisoformat(instant).timestamp() * 1000)
    at_work = Hall(HallId(name), MemoryLedger(), clock=lambda: now_ms)
    at_work.handle(c.PlanHall(plan=plan_of(hall(name))), actor=CLERK)
    return at_work


def answer(name: str, service: str, instant: str) -> str:
    """Give the label of a number asked for at an instant, or the code of the refusal."""
    try:
        issued = hall_at(name, instant).handle(
            c.IssueTicket(service=ServiceId(service), track=Track("track")), actor=CLERK
        )
    except Refusal as refusal:
        return refusal.code.value
    return next(event.label for event in issued.events if isinstance(event, e.TicketIssued))


def comments(name: str) -> str:
    """Give the comments of a file as one line."""
    lines = shipped()[name].read_text(encoding="utf-8").splitlines()
    return " ".join(" ".join(line.lstrip("# ").strip() for line in lines if line.startswith("#")).split())


# ------------------------------------------------------------------------------------------------------------ all halls


def test_every_hall_of_the_notices_is_shipped_and_all_can_be_served_together() -> None:
    assert set(shipped()) == {"demo", *REAL}
    assert check(shipped().values()) == []
    assert all(hall(name).hall.id == name for name in shipped())


@pytest.mark.parametrize("name", REAL)
def test_a_file_tells_facts_from_choices_and_names_its_source(name: str) -> None:
    said = comments(name)
    assert re.search(r"Source: the .*(notice|plan|report)", said)
    assert "STATED" in said
    assert "ASSUME" in said


def test_the_page_of_the_halls_names_every_file_and_its_windows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "halls.md").read_text(encoding="utf-8")
    for name in shipped():
        if row := re.search(rf"^\| `{name}\.toml`.* \| (\d+) \|$", page, re.MULTILINE):
            assert int(row[1]) == len(hall(name).windows), name
        else:
            assert f"`-{name.removeprefix('qiaocheng-')}`" in page or f"`{name}.toml`" in page, name


@pytest.mark.parametrize("name", REAL)
def test_no_letter_is_misread_and_none_is_used_in_two_zones(name: str) -> None:
    file = hall(name)
    zones: dict[str, set[str]] = {}
    for service in file.services:
        zones.setdefault(service.prefix, set()).add(service.zone)
    assert not set(zones) & set("IOQ")
    assert [prefix for prefix, at in zones.items() if len(at) > 1] == []


@pytest.mark.parametrize("name", REAL)
def test_no_service_hangs_on_one_clerk(name: str) -> None:
    """Every service that one window alone serves is relieved by another, or a B post sits down at that window."""
    file = hall(name)
    relieved = {service for window in file.windows for service in window.relief}
    seconds = {no for clerk in file.clerks if clerk.role == "relief" for no in clerk.windows}
    at_work = [window for window in file.windows if window.no in staffed(file)]
    for service in file.services:
        home = [window.no for window in at_work if service.id in window.serves]
        assert len(home) > 1 or service.id in relieved or set(home) <= seconds, service.id


def test_zones_of_one_window_are_relieved_but_for_the_single_cashier() -> None:
    alone: dict[str, set[str]] = {}
    for name in REAL:
        file = hall(name)
        count, relieved = desks(file), {service for window in file.windows for service in window.relief}
        for service in file.services:
            if count[service.zone] == 1 and service.id not in relieved:
                alone.setdefault(name, set()).add(service.id)
    assert alone == {
        "lincang-linxiang": {"fees"},  # one window takes all fees: no other may
        "zhenkang": {"fees", "complaint", "consult"},
        "gengma": {"fees", "complaint", "consult"},
        "hefeng-village": {"assist", "consult"},  # the only window there is
    }


def test_no_work_id_stands_in_two_halls() -> None:
    """Accounts are kept per server, which may serve all halls at once."""
    ids = Counter(clerk.work_id for name in shipped() for clerk in hall(name).clerks)
    assert [work_id for work_id, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_hall_issues_and_calls_a_ticket_of_every_service(name: str) -> None:
    plan = plan_of(hall(name))
    at_work = hall_at(name, MONDAY_TEN)
    windows = sorted({no for post in plan.posts for no in post.windows})
    for no in windows:
        at_work.handle(c.OpenWindow(window=no, clerk=WorkId(f"clerk-{no}")), actor=CLERK)
    for number, service in enumerate(plan.services):
        issued = at_work.handle(c.IssueTicket(service=service.id, track=Track(f"t{number}")), actor=CLERK)
        ticket = next(event for event in issued.events if isinstance(event, e.TicketIssued))
        assert ticket.label.startswith(service.prefix)
        at = next(no for no in ticket.windows if no in windows)
        assert service.id in plan.window[at].serves
        called = at_work.handle(c.CallNext(window=at), actor=CLERK)
        assert [event.label for event in called.events if isinstance(event, e.TicketCalled)] == [ticket.label]
        at_work.handle(c.Finish(window=at), actor=CLERK)
        left = at_work.read(lambda state, _, id_=ticket.ticket: state.tickets[id_].status)  # type: ignore[misc]
        if left not in FINAL:  # a joint matter: only its first leg is asked for here
            at_work.handle(c.Cancel(ticket=ticket.ticket), actor=CLERK)
    at_work.close()


@pytest.mark.parametrize("name", REAL)
def test_a_window_that_only_relieves_calls_the_service_too(name: str) -> None:
    plan = plan_of(hall(name))
    at_work = hall_at(name, MONDAY_TEN)
    pairs = [
        (window.no, service) for window in plan.windows for service in window.relief if not plan.service[service].legs
    ]
    for number, (no, service) in enumerate(pairs):
        at_work.handle(c.OpenWindow(window=WindowNo(no), clerk=WorkId("clerk")), actor=CLERK)
        at_work.handle(c.IssueTicket(service=ServiceId(service), track=Track(f"t{number}")), actor=CLERK)
        called = at_work.handle(c.CallNext(window=no), actor=CLERK)
        assert any(isinstance(event, e.TicketCalled) for event in called.events)
        at_work.handle(c.Finish(window=no), actor=CLERK)
        at_work.handle(c.CloseWindow(window=no), actor=CLERK)
    at_work.close()


@pytest.mark.parametrize("name", REAL)
def test_every_hall_says_its_rules_and_books_only_where_it_has_hours(name: str) -> None:
    file = hall(name)
    assert (file.fairness.ratio, file.fairness.oldest_first_after_min) == (2, 30)
    assert file.staff.left_alone_min == 15
    text = shipped()[name].read_text(encoding="utf-8")
    assert all(f"[{table}]" in text for table in ("fairness", "staff", "rating"))
    bookable = [service for service in file.services if service.appointments]
    assert not bookable or (file.calendar.hours and "[appointments]" in text)
    assert set(file.agency.partners) <= set(REAL)


def test_some_hall_of_every_kind_is_there() -> None:
    """Nothing the schema can say is without a hall that says it."""
    files = [hall(name) for name in REAL]
    assert {zone.kind for file in files for zone in file.zones} == {"queue", "self_service", "guide"}
    assert {service.kind for file in files for service in file.services} == {
        "ordinary",
        "pickup",
        "consult",
        "complaint",
    }
    assert {flag for file in files for service in file.services for flag in service.flags} == {
        *("cross_province", "in_province", "one_thing", "immediate", "fee"),
    }
    assert any(service.appointments for file in files for service in file.services)
    assert any(kiosk.day_quota for file in files for kiosk in file.kiosks)
    assert any(kiosk.zones for file in files for kiosk in file.kiosks)


def test_hours_that_we_assumed_turn_nobody_away_and_stated_ones_do() -> None:
    sunday_night = "2026-03-08T03:00:00+08:00"
    for name in REAL:
        given = answer(name, hall(name).services[0].id, sunday_night)
        assert (given == "hall_closed") == (name in OWN_RULE), name


# ------------------------------------------------------------------------------------------------------------- Zhenyuan

THEME = {
    "tax": "1F",
    "social": "2F",
    "medical": "2F",
    "police": "2F",
    "construction": "2F",
    "fund": "3F",
    "real-estate": "3F",
    "enterprise": "3F",
}
NINETEEN = {
    *("残联", "民政", "统计", "工信", "民宗", "教体", "搬迁办", "财政", "气象", "广电和新闻出版", "烟草专卖"),
    *("水务", "文旅", "政务", "应急", "消防", "司法", "退役军人", "人行"),
}
CROSS_PROVINCE = {"tax", "social", "medical", "police", "fund", "enterprise", "health", "transport"}
TRIAL = {"health": "2F", "forestry": "2F", "transport": "3F"}


def test_zhenyuan_has_one_general_eight_theme_and_three_trial_zones_on_three_floors() -> None:
    file = hall("zhenyuan")
    floors = {zone.id: zone.floor for zone in file.zones}
    assert [floor.id for floor in file.floors] == ["1F", "2F", "3F"]
    assert {zone: floors[zone] for zone in THEME | TRIAL} == THEME | TRIAL
    assert set(floors) - set(THEME | TRIAL) == {"general", "consult", "pickup", "assist", "marriage", "self-service"}


def test_zhenyuan_has_self_service_day_and_night_with_nine_functions() -> None:
    (machines,) = [zone for zone in hall("zhenyuan").zones if zone.kind == "self_service"]
    assert machines.always_open
    assert machines.about is not None
    functions = machines.about["zh"].partition("，")[0].split("、")
    assert functions == ["公安交管", "户籍", "出入境", "社会保障", "市场监管", "医疗保障", "税务", "公积金", "不动产"]


def test_zhenyuan_marks_what_is_for_other_provinces_and_tells_pickup_and_complaints_apart() -> None:
    services = hall("zhenyuan").services
    across = {service.zone for service in services if "cross_province" in service.flags}
    assert across == {"general", *CROSS_PROVINCE}
    assert {flag: [service.id for service in services if flag in service.flags] for flag in ("in_province",)} == {
        "in_province": ["in-province"]
    }
    kinds = {service.id: service.kind for service in services if service.kind != "ordinary"}
    assert kinds == {
        "consult": "consult",
        "cannot-get-done": "complaint",
        "complaint": "complaint",
        "pickup": "pickup",
    }


def test_a_home_in_zhenyuan_changes_hands_with_one_number() -> None:
    services = {service.id: service for service in hall("zhenyuan").services}
    legs = [services[leg] for leg in services["real-estate-joint"].legs]
    assert [leg.id for leg in legs] == ["real-estate-joint", "contract-filing", "transaction-tax", "meters"]
    assert {leg.zone for leg in legs} == {"real-estate"}


def test_zhenyuan_has_a_and_b_roles_and_one_chief_representative_per_unit() -> None:
    file = hall("zhenyuan")
    chiefs = [clerk.department for clerk in file.clerks if clerk.chief]
    assert len(chiefs) == len(set(chiefs)) == 12
    assert {clerk.role for clerk in file.clerks} == {"primary", "relief", "guide"}
    zones = {window.no: window.zone for window in file.windows}
    hired = {zones[no] for clerk in file.clerks if clerk.employment == "third_party" for no in clerk.windows}
    assert {"general", "assist"} <= hired
    assert not hired & set(THEME | TRIAL)


def test_zhenyuan_names_the_19_departments_and_the_eight_of_the_joint_intake() -> None:
    file = hall("zhenyuan")
    about = next(zone.about for zone in file.zones if zone.id == "general")
    assert about is not None
    assert all(department in about["zh"] for department in NINETEEN)
    eight = next(service.department for service in file.services if service.id == "construction")
    assert eight == "住建、发改、自然资源、交通、生态环境、公安、水务、林草"


def test_zhenyuan_has_three_zones_on_trial_without_an_end() -> None:
    trials = {zone.id: (str(zone.trial_from), zone.trial_to) for zone in hall("zhenyuan").zones if zone.trial_from}
    assert trials == dict.fromkeys(TRIAL, ("2023-08-29", None))
    assert answer("zhenyuan", "health", "2023-08-28T10:00:00+08:00") == "service_closed"
    assert answer("zhenyuan", "health", "2023-08-29T10:00:00+08:00") == "K001"


def test_zhenyuan_takes_the_matters_of_19_departments_in_one_zone() -> None:
    file = hall("zhenyuan")
    groups = [service for service in file.services if service.zone == "general" and service.department]
    departments = [each for service in groups for each in (service.department or "").split("、")]
    assert len(departments) == 19
    assert set(departments) == NINETEEN
    assert {service.prefix for service in groups} == {"A"}


def test_zhenyuan_has_the_windows_that_the_plan_names() -> None:
    file = hall("zhenyuan")
    assert desks(file)["assist"] == 4
    names = {window.name["zh"] for window in file.windows if window.name}
    assert {
        "综合咨询窗口",
        "“办不成事”反映窗口",
        "投诉举报窗口",
        "一件事一次办窗口",
        "跨省通办窗口",
        "省内通办窗口",
        "企业帮办代办窗口",
        "惠企政策“一站式”服务窗口",
        "老年人服务窗口",
        "特殊人群帮办代办窗口",
        "婚姻登记特色服务窗口",
        "综合出件窗口",
    } <= names
    assert [window.no for window in file.windows if "pickup" in window.serves] == ["111", "112"], "pickup apart"
    floors = {zone.id: zone.floor for zone in file.zones}
    assert all(f"{window.no[0]}F" == floors[window.zone] for window in file.windows)


def test_zhenyuan_has_the_letters_of_twenty_series_and_tenants_beside_the_government() -> None:
    file = hall("zhenyuan")
    assert {service.prefix for service in file.services} == set("ABCDFGHJKLMNPRSTUVWX")
    tenants = {service.department for service in file.services if service.zone == "enterprise"}
    assert tenants == {"市场局", "供电局", "自来水厂", "银行", "刻章公司"}


# -------------------------------------------------------------------------------------------------------------- Lincang


def test_linxiang_is_two_tenants_in_one_hall_with_one_cashier_and_a_complaint_window() -> None:
    file = hall("lincang-linxiang")
    assert [zone.id for zone in file.zones if zone.kind == "queue"] == [
        "city",
        "district",
        "consult",
        "fees",
        "complaint",
    ]
    assert [tenant.name["zh"] for tenant in file.tenants] == ["临沧市行政服务中心", "临翔区行政服务中心"]
    assert {zone.id: zone.tenant for zone in file.zones if zone.tenant} == {"city": "city", "district": "district"}
    assert {service.tenant for service in plan_of(file).services} == {"city", "district", None}
    assert [window.no for window in file.windows if "fees" in (*window.serves, *window.relief)] == ["17"]
    assert [window.no for window in file.windows if "complaint" in window.serves] == ["18"]
    assert {service.prefix for service in file.services} == set("ABCDFGHJKLMPWV")
    zones = {service.id: service.zone for service in file.services}
    helped = {(window.zone, zones[service]) for window in file.windows for service in window.relief}
    assert {("city", "district"), ("district", "city")} <= helped, "the tenants share windows"


def test_the_report_tells_of_windows_that_take_in_and_cannot_decide() -> None:
    file = hall("lincang-linxiang")
    only_in = {service for window in file.windows if not window.decides for service in window.serves}
    assert only_in == {"city-general", "accountant"}
    assert "只挂号不看病" in comments("lincang-linxiang")


@pytest.mark.parametrize("name", ["lincang-linxiang", "yongde", "zhenkang", "gengma"])
def test_one_window_takes_all_fees_and_complaints_are_told_apart(name: str) -> None:
    file = hall(name)
    (fees,) = [service.id for service in file.services if "fee" in service.flags]
    assert len([window for window in file.windows if fees in (*window.serves, *window.relief)]) == 1
    assert {service.kind for service in file.services} == {"ordinary", "consult", "complaint"}


def test_yongde_is_three_halls_on_one_floor() -> None:
    file = hall("yongde")
    names = [zone.name["zh"] for zone in file.zones]
    assert names == ["工商服务大厅", "民政服务大厅", "综合服务办证大厅"]
    assert {zone.floor for zone in file.zones} == {"1F"}


def test_zhenkang_has_twelve_departments_and_a_port_with_numbers_of_its_own() -> None:
    centre, port = hall("zhenkang"), hall("zhenkang-port")
    assert len([service for service in centre.services if service.zone == "permits"]) == 12
    assert [service.department for service in port.services] == ["公安局", "检验检疫局", "海关", "武警检查站"]
    assert desks(port) == {"port": 4}
    assert not any(window.relief for window in port.windows), "no authority acts for another"
    assert (centre.agency.partners, port.agency.partners) == (("zhenkang-port",), ("zhenkang",))
    (screen,) = [zone.about for zone in centre.zones if zone.kind == "self_service"]
    assert screen is not None
    topics = screen["zh"].partition("，")[0].split("、")
    assert len(topics) == 10
    assert {"阳光政府", "走进镇康", "招商引资", "视频点播"} <= set(topics)
    assert "STATED, implausible" in comments("zhenkang"), "a figure that cannot be right is marked"


def test_gengma_has_17_departments_at_19_windows() -> None:
    file = hall("gengma")
    assert len({service.department for service in file.services if service.department}) == 17
    assert [window.no for window in file.windows] == [str(number) for number in range(1, 20)]
    assert len({service.prefix for service in file.services}) == len(file.services), "one desk, one series"


def test_cangyuan_has_25_windows_on_four_floors_of_which_20_cannot_open() -> None:
    file = hall("cangyuan")
    assert len(file.floors) == 4
    assert [window.no for window in file.windows] == [str(number) for number in range(1, 26)]
    assert staffed(file) == {"1", "2", "3", "4", "5"}
    empty = [window for window in file.windows if not window.staffed]
    assert len(empty) == 20
    assert {window.no for window in empty} == {window.no for window in file.windows} - staffed(file)
    assert not any(window.serves or window.relief for window in empty)
    assert all(window.name and "未派驻" in window.name["zh"] for window in empty)
    working = [service.department for service in file.services if service.department]
    assert working == ["工商", "民政", "卫生", "计生", "安监"]


def test_a_window_in_cangyuan_without_a_clerk_stays_closed_and_no_ticket_names_it() -> None:
    at_work = hall_at("cangyuan", MONDAY_TEN)
    with pytest.raises(Refusal) as refused:
        at_work.handle(c.OpenWindow(window=WindowNo("6"), clerk=WorkId("CY1")), actor=CLERK)
    assert refused.value.code.value == "window_unstaffed"
    issued = at_work.handle(c.IssueTicket(service=ServiceId("other"), track=Track("track")), actor=CLERK)
    (ticket,) = [event for event in issued.events if isinstance(event, e.TicketIssued)]
    assert ticket.windows == ("1", "2", "3", "4", "5")
    at_work.close()


def test_nobody_in_cangyuan_waits_for_a_window_without_a_clerk() -> None:
    file = hall("cangyuan")
    for service in file.services:
        assert any(service.id in window.serves for window in file.windows if window.no in staffed(file))


def test_shuangjiang_has_five_windows_that_relieve_each_other() -> None:
    file = hall("shuangjiang-township")
    assert [(service.prefix, service.department) for service in file.services] == [
        ("A", "财政"),
        ("B", "国土"),
        ("C", "计生"),
        ("D", "卫生"),
        ("F", "合作医疗"),
    ]
    assert len(file.windows) == 5
    every = {service.id for service in file.services}
    assert all({*window.serves, *window.relief} == every for window in file.windows)


def test_shuangjiang_opens_on_market_days_only() -> None:
    for day in range(2, 9):
        given = answer("shuangjiang-township", "cooperative-care", f"2026-03-{day:02}T10:00:00+08:00")
        assert given == ("F001" if day in (2, 7) else "hall_closed"), day


# --------------------------------------------------------------------------------------------------------------- Hefeng


def test_in_hefeng_everybody_is_an_agent_and_every_floor_has_a_full_time_one() -> None:
    for name in ("hefeng-county", "hefeng-township", "hefeng-village"):
        file = hall(name)
        assert all("assist" in (*window.serves, *window.relief) for window in file.windows)
        assert {service.prefix for service in file.services if service.id == "assist"} == {"P"}
    county = hall("hefeng-county")
    floors = {zone.id: zone.floor for zone in county.zones}
    agents = {window.floor or floors[window.zone] for window in county.windows if "assist" in window.serves}
    assert agents == {floor.id for floor in county.floors}


def test_hefeng_hands_over_between_its_three_levels_and_the_village_decides_nothing() -> None:
    levels = ("hefeng-county", "hefeng-township", "hefeng-village")
    for name in levels:
        assert set(hall(name).agency.partners) == set(levels) - {name}
    assert not any(window.decides for window in hall("hefeng-village").windows)
    for name in levels[:2]:
        (joint,) = [service for service in hall(name).services if service.id == "joint"]
        assert joint.flags == ("one_thing",)


def test_hefeng_township_takes_six_departments_at_general_windows() -> None:
    file = hall("hefeng-township")
    six = {service.id: service.department for service in file.services if service.department}
    assert list(six.values()) == ["人社", "公安", "民政", "卫计", "市场监管", "农业"]
    assert sum(set(six) <= set(window.serves) for window in file.windows) == 3
    assert [service.prefix for service in file.services if service.department] == list("BCDHFG")


@pytest.mark.parametrize(
    ("instant", "general", "labour"),
    [
        ("2026-03-06T15:00:00+08:00", "A001", "B001"),  # Friday
        ("2026-03-06T13:00:00+08:00", "hall_closed", "hall_closed"),  # its lunch
        ("2026-03-07T10:00:00+08:00", "A001", "service_closed"),  # Saturday: X
        ("2026-03-07T15:00:00+08:00", "hall_closed", "hall_closed"),
        ("2026-02-14T15:00:00+08:00", "A001", "B001"),  # a Saturday that makes up for Spring Festival
        ("2026-05-01T10:00:00+08:00", "hall_closed", "hall_closed"),  # Labour Day, a Friday
    ],
)
def test_hefeng_county_works_five_days_and_x(instant: str, general: str, labour: str) -> None:
    assert answer("hefeng-county", "general", instant) == general
    assert answer("hefeng-county", "labour", instant) == labour


def test_hefeng_village_and_cangxi_are_there_on_weekends_and_holidays() -> None:
    for name in ("hefeng-village", "cangxi-township"):
        file = hall(name)
        assert {day for row in file.calendar.hours for day in row.days} == set(WEEKDAYS)
        assert file.calendar.holidays is None


def test_hefeng_asks_for_the_four_groups_of_the_green_channel() -> None:
    for name in ("hefeng-county", "hefeng-township", "hefeng-village"):
        (green,) = hall(name).priorities
        assert green.question is not None
        assert all(group in green.question["zh"] for group in ("高龄老人", "孤寡老人", "残疾人", "孤儿"))


# ------------------------------------------------------------------------------------------------- Qiaocheng and Cangxi


def test_qiaocheng_keeps_five_outside_halls_with_series_of_their_own() -> None:
    letters = {name: {service.prefix for service in hall(name).services} for name in OUTSIDE}
    assert letters == {name: {letter} for name, letter in OUTSIDE.items()}
    assert not set(OUTSIDE.values()) & {service.prefix for service in hall("qiaocheng").services}
    assert all(hall(name).hall.name["zh"].startswith("谯城区政务服务中心") for name in OUTSIDE)


def test_qiaocheng_hires_its_general_desks_and_guides_and_hands_over_to_its_outside_halls() -> None:
    file = hall("qiaocheng")
    zones = {window.no: window.zone for window in file.windows}
    hired = [clerk for clerk in file.clerks if clerk.employment == "third_party"]
    assert {zones[no] for clerk in hired for no in clerk.windows} == {"general"}
    assert [clerk.name for clerk in hired if clerk.role == "guide"] == ["引导台"]
    assert set(file.agency.partners) == set(OUTSIDE)
    assert all(hall(name).agency.partners == ("qiaocheng",) for name in OUTSIDE)
    assert [service.id for service in file.services if service.kind == "pickup"] == ["pickup"]


TEN = {"计生", "国土资源", "林业", "民政", "劳动保障", "财税", "水利", "农机", "农业保险", "新农合"}


def test_cangxi_takes_ten_matters_at_every_one_of_two_to_four_windows() -> None:
    file = hall("cangxi-township")
    matters = [service.name["zh"] for service in file.services if service.id != "agency"]
    assert len(matters) == 10
    assert set(matters) == TEN
    assert {service.prefix for service in file.services} == set("ABCDP")
    assert 2 <= len(file.windows) <= 4
    assert [zone.id for zone in file.zones if zone.kind == "queue"] == ["hall"]
    (touch,) = [zone.about for zone in file.zones if zone.kind == "self_service"]
    assert touch is not None
    assert all(must in touch["zh"] for must in ("公开栏", "政府信息查阅点", "触摸查询机"))
    every = {service.id for service in file.services}
    assert all(set(window.serves) == every for window in file.windows)
