"""The manager's cases before a real server: what is late stands out, an appeal is decided, a case is taken on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, PHONE, Api, Station, Visitor
from tests.browser.test_manager_page import HALL, OLD_LAPTOP, SIDEWAYS, issue, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def open_cases(visitor: Visitor, size: tuple[int, int] = OLD_LAPTOP) -> Page:
    """Give the page with the cases of the hall; `chief` has made the account."""
    page = visitor.open("/login", size)
    page.fill("#work-id", "9001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.goto(f"{page.url}?hall=qiaocheng#cases")
    expect(page.get_by_role("heading", name="台账")).to_be_visible()
    return page


@pytest.mark.parametrize("size", [OLD_LAPTOP, PHONE])
def test_cases_are_shown_as_they_come_and_fit_the_screen(visitor: Visitor, chief: Api, size: tuple[int, int]) -> None:
    page = open_cases(visitor, size)
    body = {"kind": "agency", "client": "一位名字很长很长的委托人先生", "service": "general", "elsewhere": True}
    case = chief.send("POST", f"{HALL}/cases", body)["case"]
    row = page.locator(f"[data-case='{case}']")
    expect(row).to_contain_text("今天须转交")
    chief.send("POST", f"{HALL}/cases/{case}/hand-over", {"hall": "qiaocheng-legal"})
    expect(row).to_contain_text("qiaocheng-legal 尚未接收")
    assert page.evaluate(SIDEWAYS) == []


def test_an_appeal_is_decided_with_a_reason(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "6")
    issue(chief)
    ticket = chief.send("POST", f"{HALL}/windows/6/call-next", {})["ticket"]
    chief.send("POST", f"{HALL}/windows/6/finish", {})
    pad = station.api(station.people.add_device("kiosk-cases", role="kiosk"))
    pad.send("POST", f"{HALL}/tickets/{ticket}/rate", {"grade": 1})
    pad.close()
    [case] = [it["case"] for it in chief.send("GET", f"{HALL}/cases?kind=rating")["cases"] if it["ticket"] == ticket]
    chief.send("POST", f"{HALL}/cases/{case}/appeal", {"reason": "误按"})
    page = open_cases(visitor)
    expect(page.locator(".alarms")).to_contain_text("1 件差评申诉待复核")
    page.click(f"[data-case='{case}']")
    page.click("[data-do='case-uphold']")
    page.fill("textarea", "监控可证")
    page.click("[data-do='send-case']")
    expect(page.locator(f"[data-case='{case}']")).to_have_count(0)
    assert chief.send("GET", f"{HALL}/cases/{case}")["appeal"] == "upheld"


def test_a_case_is_taken_on_and_a_telephone_number_is_not(visitor: Visitor, chief: Api) -> None:
    page = open_cases(visitor)
    page.click("[data-do='ask-case']")
    page.get_by_label("委托人").fill("13800138000")
    page.click("[data-do='open-case']")
    expect(page.locator("form [role=alert]")).to_contain_text("不要写入身份证号")
    page.get_by_label("委托人").fill("王先生")
    page.click("[data-do='open-case']")
    expect(page.locator("#case")).to_contain_text("王先生")
    page.click("[data-do='case-finish']")
    page.fill("textarea", "已送证上门")
    page.click("[data-do='send-case']")
    expect(page.locator("#case .log")).to_contain_text("已送证上门")
