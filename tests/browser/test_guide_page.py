"""The guide desk before a real server: numbers on paper and by hand, tickets put right, appointments, cases, rolls."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, PHONE, Api, Station, Visitor
from tests.browser.test_manager_page import HALL, OLD_LAPTOP, SIDEWAYS, issue

pytestmark = pytest.mark.browser

TABLET, SMALL = (768, 1024), (1024, 768)
# A hall in the middle of an open morning, whatever the time is now.
OPEN = pytest.mark.parametrize(
    "station", [(("config/qiaocheng.toml",), ("--clock", "2026-03-02T09:00:00+08:00"))], indirect=True
)


# One may check in a quarter of an hour before the first slot, at half past nine.
AT_TWENTY = pytest.mark.parametrize(
    "station", [(("config/qiaocheng.toml",), ("--clock", "2026-03-02T09:20:00+08:00"))], indirect=True
)


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def open_desk(visitor: Visitor, station: Station, size: tuple[int, int] = OLD_LAPTOP) -> Page:
    """Sign a guide in, who is led to the desk."""
    station.people.add_user("8001", PASSWORD, role="guide", name="李导办", hall="qiaocheng")
    page = visitor.open("/login", size)
    page.fill("#work-id", "8001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide")
    expect(page.locator("[data-service=general]")).to_contain_text("人等候")
    return page


def ask(page: Page, words: str) -> None:
    """Type into the one box and press Enter."""
    page.keyboard.press("F2")
    expect(page.locator("#box")).to_be_focused()
    page.fill("#box", words)
    page.keyboard.press("Enter")


@OPEN
def test_a_number_takes_two_keys_and_a_hasty_pair_takes_one(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    expect(page.locator("#box")).to_be_focused()
    page.keyboard.type("gahj")  # 公安户籍
    expect(page.locator("[data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-kind='']")).to_be_focused()
    page.evaluate("const button = document.activeElement; button.click(); button.click()")  # a hasty pair of presses
    expect(page.locator("[data-given]")).to_have_count(1)
    label = page.locator("[data-given]").get_attribute("data-given")
    [only] = chief.send("GET", f"{HALL}/tickets")["tickets"]
    assert (only["label"], only["service"], only["priority"]) == (label, "household", "ordinary")
    expect(page.locator("dialog [data-label]")).to_have_text(str(label))
    expect(page.locator("dialog .taken")).to_contain_text("号票已送打印机")
    expect(page.locator("dialog .taken")).to_contain_text("0 人")


@OPEN
@pytest.mark.parametrize("size", [SMALL, TABLET, PHONE])
def test_a_number_by_hand_is_large_enough_to_copy(
    visitor: Visitor, station: Station, chief: Api, size: tuple[int, int]
) -> None:
    page = open_desk(visitor, station, size)
    page.click("[data-service=general]")
    page.check("[data-by-hand]")
    page.keyboard.press("2")  # the first of the priorities
    label = page.locator("dialog [data-label]")
    expect(page.locator("dialog .taken")).to_contain_text("请在纸上写")
    expect(label).to_have_text(re.compile(r"^A\d{3}$"))
    box = label.bounding_box()
    assert box is not None
    assert box["height"] > 60
    assert page.evaluate(SIDEWAYS) == []
    found = chief.send("GET", f"{HALL}/tickets/{label.inner_text()}")
    assert found["priority"] != "ordinary"


@OPEN
def test_a_result_the_hall_never_heard_of_is_told_and_given_knowingly(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    page = open_desk(visitor, station)
    page.click("[data-service=pickup]")
    page.locator("[data-case]").press_sequentially("777-1")  # digits here choose no priority
    page.click("[data-kind='']")
    expect(page.locator("dialog [role=alert]")).to_contain_text("没有这个办件编号的可领结果")
    page.fill("[data-case]", "777-12")
    expect(page.locator("[data-do=unlisted]")).to_have_count(0)  # another number: asked anew
    page.click("[data-kind='']")
    page.click("[data-do=unlisted]")
    label = page.locator("dialog [data-label]")
    expect(label).to_be_visible()
    assert chief.send("GET", f"{HALL}/tickets/{label.inner_text()}")["case_number"] == "777-12"


@OPEN
def test_a_second_matter_is_planned_under_the_same_number(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    page.click("[data-service=general]")
    page.select_option("[data-add-leg]", "household")
    expect(page.locator("[data-leg]")).to_have_count(2)
    page.click("[data-kind='']")
    label = page.locator("dialog [data-label]")
    expect(page.locator("dialog .legs li")).to_have_count(2)
    legs = chief.send("GET", f"{HALL}/tickets/{label.inner_text()}")["legs"]
    assert [leg["service"] for leg in legs] == ["general", "household"]


@OPEN
def test_a_ticket_is_found_by_its_label_printed_again_and_cancelled(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    label = issue(chief)
    page = open_desk(visitor, station)
    ask(page, label.lower())
    found = page.locator("#found")
    expect(found).to_contain_text(label)
    expect(found.locator(".go-to")).to_contain_text("号窗口")
    found.get_by_role("button", name="补打").click()
    expect(found.locator(".history")).to_contain_text("补打")
    page.click("[data-do=ask-case]")
    expect(page.locator("#case-number")).to_be_focused()
    page.fill("#case-number", "330-1")
    page.click("[data-do=note-case]")
    expect(found.locator(".facts")).to_contain_text("办件编号 330-1")
    expect(found.locator(".history")).to_contain_text("记录办件编号 · 330-1")
    found.get_by_role("button", name="取消号票").click()
    page.fill("#cancel-why", "不办了")
    page.click("[data-do=cancel]")
    expect(found).to_contain_text("已取消")
    assert chief.send("GET", f"{HALL}/tickets/{label}")["status"] == "cancelled"
    ask(page, "Z999")
    expect(page.locator(".search [role=alert]")).to_contain_text("Z999")


@AT_TWENTY
def test_an_appointment_is_booked_and_checked_in_by_its_code(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    page.click("#tab-appointments")
    page.select_option("[data-book-service]", index=1)
    page.locator(".slot:not(.full)").first.click()
    page.click("[data-do=book]")
    code = page.locator("[data-code]").inner_text()
    expect(page.locator(f"[data-appointment='{code}']")).to_contain_text("未到")
    [booked] = chief.send("GET", f"{HALL}/appointments")["appointments"]
    assert booked["code"] == code
    day = chief.send("GET", f"{HALL}/appointments/slots?service={booked['service']}")["days"][0]
    late = {"service": booked["service"], "day": day["day"], "starts": day["slots"][-1]["starts"]}
    early = chief.send("POST", f"{HALL}/appointments", late)["code"]
    ask(page, early)  # hours before the time
    expect(page.locator(".two [role=alert]")).not_to_be_empty()
    ask(page, code)
    expect(page.locator("dialog [data-label]")).to_be_visible()
    expect(page.locator("dialog .taken")).to_contain_text("预约优先")
    page.click("dialog [data-do=next]")
    expect(page.locator(f"[data-appointment='{code}']")).to_contain_text("已签到")


@OPEN
def test_a_case_is_opened_logged_and_finished_by_its_agent_only(visitor: Visitor, station: Station, chief: Api) -> None:
    chief.send("POST", f"{HALL}/cases", {"kind": "agency", "client": "钱先生", "service": "general"})
    page = open_desk(visitor, station)
    page.click("#tab-cases")
    page.get_by_text("钱先生").click()
    expect(page.locator("#case")).to_be_visible()
    expect(page.locator("#case [data-do]")).to_have_count(0)
    page.click("[data-do=ask-case]")
    page.get_by_label("委托人").fill("王先生")
    page.click("[data-do=open-case]")
    expect(page.locator("#case")).to_contain_text("王先生")
    page.click("[data-do=case-notice]")
    page.fill("textarea", "户口簿\n照片")
    page.click("[data-do=send-case]")
    expect(page.locator("#case .log")).to_contain_text("户口簿、照片")
    page.click("[data-do=case-log]")
    page.fill("textarea", "材料已补齐")
    page.click("[data-do=send-case]")
    expect(page.locator("#case .log")).to_contain_text("材料已补齐")
    page.click("[data-do=case-finish]")
    page.fill("textarea", "证照已送达")
    page.click("[data-do=send-case]")
    expect(page.locator("#case")).to_contain_text("已办结")
    expect(page.locator(".list")).not_to_contain_text("王先生")


@OPEN
def test_a_roll_is_hung_reported_and_taken_away(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    page.click("#tab-rolls")
    page.click("[data-do=announce-roll]")
    row = page.locator("[data-roll]")
    expect(row).to_have_count(1)
    expect(page.locator(".alarms")).to_contain_text("号卷")
    row.locator("input").fill("3")
    row.locator("[data-do=report-roll]").click()
    expect(row.locator("b")).to_have_text(re.compile("003$"))
    assert len(chief.send("GET", f"{HALL}/tickets?status=waiting")["tickets"]) == 3
    row.locator("[data-do=end-roll]").click()
    expect(row).to_have_count(0)


@OPEN
def test_a_visit_from_the_number_to_the_reprint_needs_no_mouse(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    page.keyboard.type("gahj")  # 公安户籍
    expect(page.locator("[data-service]")).to_have_count(1)
    for focused in ("[data-kind='']", "#next-visitor"):
        page.keyboard.press("Enter")
        expect(page.locator(focused)).to_be_focused()
    label = str(page.locator("dialog [data-label]").inner_text())
    page.keyboard.press("Escape")
    expect(page.locator("#box")).to_be_focused()
    expect(page.locator("#box")).to_have_value("")
    page.keyboard.type(label.lower())
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text(label)
    reprint = page.locator("#found").get_by_role("button", name="补打")
    expect(reprint).to_be_visible()
    for _ in range(30):
        if reprint.evaluate("(one) => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#found .history")).to_contain_text("补打")
    for place, tab in enumerate(("take", "find", "appointments", "cases", "rolls", "quiet"), start=1):
        page.keyboard.press(f"Alt+{place}")
        expect(page.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")


@OPEN
def test_where_it_is_quiet_follows_the_hall_and_its_clock(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_desk(visitor, station)
    expect(page.locator("[data-clock]")).to_have_text(re.compile(r"^09:"))
    page.click("#tab-quiet")
    zone = page.locator("[data-zone]").filter(has_text="公安户籍").first
    expect(zone).to_contain_text("0 人等候")
    chief.send("POST", f"{HALL}/tickets", {"service": "household"})
    expect(zone).to_contain_text("1 人等候")
    expect(zone).to_contain_text("没有窗口在叫号")
    chief.send("POST", f"{HALL}/windows/11/open", {})
    expect(zone).to_contain_text("1 个窗口在叫号")


def test_the_desk_is_for_guides_and_managers(visitor: Visitor, station: Station, chief: Api) -> None:
    station.people.add_user("7001", PASSWORD, role="auditor")
    page = visitor.open("/login?to=/guide", OLD_LAPTOP)
    page.fill("#work-id", "7001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.goto(f"{station.url}/guide")
    expect(page.get_by_role("alert")).to_contain_text("导办员")


@OPEN
def test_a_number_is_found_by_its_digits_its_time_and_the_code_on_its_paper(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    first = chief.send("POST", f"{HALL}/tickets", {"service": "household"})
    chief.send("POST", f"{HALL}/tickets", {"service": "household"})
    other = issue(chief)
    page = open_desk(visitor, station)
    found, rows = page.locator("#found"), page.locator(".list .row")
    ask(page, "2")  # one series has it: shown at once
    expect(found).to_contain_text("C002")
    ask(page, "1")  # two have it: the visitor says which
    expect(rows).to_have_count(2)
    expect(found).to_have_count(0)
    rows.filter(has_text=other).click()
    expect(found).to_contain_text(other)
    ask(page, first["track_url"])
    expect(found).to_contain_text(first["label"])
    ask(page, page.locator(".list .row .time").first.inner_text())
    expect(rows).to_have_count(3)
    ask(page, "6:40")
    expect(page.locator(".search [role=alert]")).to_contain_text("6:40")
    expect(rows).to_have_count(0)
