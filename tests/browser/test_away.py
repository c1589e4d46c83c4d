"""Visits away from the windows, as people meet them: the notice by keys alone, the phone page, the way back."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANDSCAPE, LAPTOP, PHONE, PORTRAIT, Api, Station, Visitor, hear, until
from tests.browser.test_clerk_page import HALL, SIDEWAYS, STRIP, console, current, do, status
from tests.browser.test_kiosk_page import STICKING_OUT

pytestmark = pytest.mark.browser


@pytest.fixture
def guide(station: Station) -> Iterator[Api]:
    """Give somebody who takes numbers for visitors."""
    guide = station.manager()
    yield guide
    guide.close()


def take(guide: Api, service: str = "general") -> tuple[str, str]:
    """Take a number and give its label and the path of its phone page."""
    given = guide.send("POST", f"{HALL}/tickets", {"service": service})
    return given["label"], urlsplit(given["track_url"]).path


def fits(page: Page) -> None:
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")


@pytest.mark.parametrize("size", [LAPTOP, STRIP])
def test_what_is_missing_is_said_once_by_keys_alone(
    visitor: Visitor, station: Station, guide: Api, size: tuple[int, int]
) -> None:
    page = console(visitor, station, size=size)
    label, path = take(guide)
    do(page, "Enter")
    expect(current(page)).to_have_text(label)
    do(page, "Enter")
    page.keyboard.press("n")
    expect(page.locator("[data-line]")).to_be_focused()
    page.keyboard.type("租赁合同")
    page.keyboard.press("Enter")
    page.click("[data-usual='身份证复印件']")
    page.keyboard.type("证" * 31)
    expect(page.locator("dialog[open] [role=alert]")).to_contain_text("最多 30 个汉字")
    expect(page.locator("[data-yes]")).to_be_disabled()
    page.locator("[data-line]").fill("委托书")
    expect(page.locator("[data-items] li")).to_have_text(["租赁合同", "身份证复印件"])
    fits(page)
    page.keyboard.press("Enter")
    expect(page.locator("[data-items] li")).to_have_count(3)
    page.keyboard.press("Enter")  # an empty line: said
    hear(page, f"已告知 {label} 需补正 3 项材料")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert status(guide, label) == "away"
    expect(page.locator("[data-away-list]")).to_contain_text("待补：租赁合同、身份证复印件、委托书")
    fits(page)
    phone = visitor.open(path, PHONE)
    expect(phone.locator("[data-notice] li")).to_have_text(["租赁合同", "身份证复印件", "委托书"])
    phone.click("[data-back]")
    hear(phone, "已为您排回原来的位置")
    expect(phone.locator("main.waiting")).to_be_visible()
    expect(page.locator("[data-away-list]")).to_have_count(0)


def test_a_notice_may_leave_the_visitor_at_the_window(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station, size=LAPTOP)
    label, _ = take(guide)
    do(page, "Enter")
    page.keyboard.press("n")
    page.keyboard.type("照片")
    page.locator("[data-away=false]").check()
    page.click("[data-yes]")
    hear(page, f"已告知 {label} 需补正 1 项材料")
    expect(current(page)).to_have_text(label)
    page.keyboard.press("n")
    expect(page.locator("[data-items] li")).to_have_text(["照片"])  # the next notice begins with what was said
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_clerk_lets_a_visitor_come_back(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station, size=LAPTOP)
    label, _ = take(guide)
    do(page, "Enter")
    guide.send("POST", f"{HALL}/windows/3/notice", {"items": ["照片"], "away": True})
    page.click(f"[data-back={label}]")
    hear(page, f"{label} 已回到原来的位置")
    assert status(guide, label) == "waiting"


def test_a_result_is_awaited_and_called_under_the_same_number(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station, size=LAPTOP)
    label, path = take(guide)
    do(page, "Enter")
    do(page, "Enter")
    page.keyboard.press("b")  # the number of the business system, by hand
    expect(page.locator("[data-case]")).to_be_focused()
    page.keyboard.type("330-1")
    page.keyboard.press("Enter")
    hear(page, f"已记下 {label} 的办件编号")
    expect(page.locator("[data-case-number]")).to_have_text("330-1")
    page.keyboard.press("w")
    expect(page.locator("[data-case]")).to_be_focused()
    expect(page.locator("[data-case]")).to_have_value("330-1")
    page.keyboard.press("Enter")
    hear(page, f"{label} 已转后台")
    expect(page.locator("[data-away-list]")).to_contain_text("待出件 330-1")
    phone = visitor.open(path, PHONE)
    expect(phone.locator("main.away")).to_contain_text("办理中，待出件")
    expect(phone.locator("[data-legs]")).to_contain_text("等待出件")
    expect(phone.locator("[data-back]")).to_have_count(0)
    guide.send("POST", f"{HALL}/results", {"case_number": "330-1"})
    expect(phone.locator("main.waiting")).to_contain_text(re.compile("取件|出件"))
    expect(page.locator("[data-away-list]")).to_have_count(0)


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
def test_a_visitor_comes_back_at_the_kiosk_by_the_number_on_the_paper(
    visitor: Visitor, station: Station, guide: Api, size: tuple[int, int]
) -> None:
    guide.send("POST", f"{HALL}/windows/3/open", {})
    label, _ = take(guide)
    guide.send("POST", f"{HALL}/windows/3/call-next", {})
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=qiaocheng#code={code}", size)
    page.click("[data-door=comeBack]")
    expect(page.locator("[data-send]")).to_be_disabled()
    for key in label:
        page.click(f"[data-key='{key}']")
    expect(page.locator("[data-typed]")).to_have_text(label)
    assert page.evaluate(STICKING_OUT) == []
    page.click("[data-send]")
    expect(page.locator("main [role=alert]")).to_contain_text("已呼叫")  # not away: the hall says what it is
    guide.send("POST", f"{HALL}/windows/3/notice", {"items": ["照片"], "away": True})
    page.click("[data-send]")
    expect(page.locator("[data-is-back]")).to_contain_text(f"{label} 已重新排队")
    assert status(guide, label) == "waiting"
