"""The sign-in page before a real server: each role where it works, and every no as a sentence that helps."""

import re

import pytest
from playwright.sync_api import Page, expect

from server.people import FAILURES_MAX
from tests.browser.conftest import LAPTOP, PASSWORD, PHONE, Station, Visitor

pytestmark = pytest.mark.browser


def fill(page: Page, work_id: str, password: str = PASSWORD, window: str = "", hall: str = "qiaocheng") -> None:
    """Type and press Enter, as one does."""
    page.select_option("#hall", hall)
    page.fill("#work-id", work_id)
    page.fill("#password", password)
    if window:
        page.fill("#window", window)
    page.keyboard.press("Enter")


def test_one_press_signs_a_clerk_in_and_opens_the_window_which_this_computer_remembers(
    visitor: Visitor, station: Station
) -> None:
    station.people.add_user("1003", PASSWORD, role="clerk", name="王晓燕")
    page = visitor.open("/login", PHONE)
    fill(page, "1003", window="3")
    page.wait_for_url("**/clerk")
    expect(page.get_by_role("heading", name="3号窗口")).to_be_visible()
    expect(page.locator(".top")).to_contain_text("空闲")
    expect(page.locator(".top")).to_contain_text("王晓燕")
    page.goto(f"{station.url}/login")
    expect(page.locator(".here")).to_contain_text("3 号窗口")
    page.fill("#work-id", "1003")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")  # the window is open already: that is as good
    page.wait_for_url("**/clerk")


def test_managers_go_to_their_page_without_a_window(visitor: Visitor, station: Station) -> None:
    station.people.add_user("9001", PASSWORD, role="manager")
    page = visitor.open("/login?to=/clerk", LAPTOP)
    fill(page, "9001")
    page.wait_for_url("**/manager")


def test_an_address_of_somebody_else_is_never_gone_to(visitor: Visitor, station: Station) -> None:
    station.people.add_user("9001", PASSWORD, role="manager")
    page = visitor.open("/login?to=//evil.example/manager", LAPTOP)
    fill(page, "9001")
    page.wait_for_url(f"{station.url}/manager")


def test_wrong_password_keeps_what_was_typed_and_says_so_in_the_readers_language(
    visitor: Visitor, station: Station
) -> None:
    station.people.add_user("1003", PASSWORD, role="clerk")
    page = visitor.open("/login", LAPTOP)
    fill(page, "1003", "not the password", "3")
    expect(page.locator("#problem")).to_have_text("工号或密码不正确。")
    expect(page.locator("#work-id")).to_have_value("1003")
    expect(page.locator("#window")).to_have_value("3")
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_value("")
    page.get_by_role("button", name="English").click()
    page.fill("#password", "not this one either")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_have_text("Work id and password do not belong together.")


def test_a_locked_account_is_told_for_how_many_minutes(visitor: Visitor, station: Station) -> None:
    station.people.add_user("1003", PASSWORD, role="clerk")
    page = visitor.open("/login", LAPTOP)
    for _ in range(FAILURES_MAX):
        fill(page, "1003", "not the password")
        expect(page.locator("#problem")).to_contain_text("不正确")
        expect(page.locator("#password")).to_have_value("")
    fill(page, "1003")
    expect(page.locator("#problem")).to_have_text(re.compile(r"账号已锁定，请在 1[0-5] 分钟后再试"))


def test_a_clerk_must_name_a_window_that_is_there_and_free(visitor: Visitor, station: Station) -> None:
    station.people.add_user("1003", PASSWORD, role="clerk")
    station.people.add_user("1004", PASSWORD, role="clerk")
    first = visitor.open("/login", LAPTOP)
    fill(first, "1004", window="4")
    first.wait_for_url("**/clerk")
    page = visitor.open("/login", LAPTOP)
    fill(page, "1003")
    expect(page.locator("#problem")).to_contain_text("请填写您所在的窗口号")
    fill(page, "1003", window="99")
    expect(page.locator("#problem")).to_contain_text("没有窗口 99")
    fill(page, "1003", window="4")
    expect(page.locator("#problem")).to_contain_text("窗口 4 由 1004 使用中")
    expect(page.locator("#window")).to_have_attribute("aria-invalid", "true")
    page.goto(f"{station.url}/clerk")  # nobody stayed signed in
    page.wait_for_url("**/login?to=/clerk")
