"""Hot and cold windows on the manager page: a suggestion applied and undone with one click, the hall left to itself."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Api, Station, Visitor, hear
from tests.browser.test_manager_page import HALL, SIDEWAYS, issue, open_page, staff

pytestmark = pytest.mark.browser


def make_hot(chief: Api, station: Station) -> None:
    """Let many wait for the general windows while a business window, trained for them, has nobody."""
    for window in ("1", "26"):
        staff(chief, station, window)
    for _ in range(25):
        issue(chief)


def test_one_click_sends_help_and_one_takes_it_back(station: Station, visitor: Visitor) -> None:
    chief = station.manager("9001")
    make_hot(chief, station)
    page = open_page(visitor)
    page.locator("#tab-balance").click()
    row = page.locator("[data-suggestion]").first
    expect(row).to_contain_text("支援")
    name = row.get_attribute("data-suggestion")
    expect(page.locator("li.hot").first).to_be_visible()
    hot = page.locator("li.hot").first
    expect(hot.locator("[data-after]")).to_have_count(3)
    expect(hot.locator("[data-after='30'] b")).to_contain_text("分钟")
    row.locator("[data-do=apply]").click()
    hear(page, "已调整")
    change = page.locator("[data-change]").first
    expect(change).to_contain_text("9001")
    window = str(name).split("-")[1]
    serving = chief.send("GET", f"{HALL}/state")["windows"]
    assert next(it for it in serving if it["window"] == window)["relief"]
    assert page.evaluate(SIDEWAYS) == []
    change.locator("[data-do=undo]").click()
    hear(page, "已撤销")
    expect(change.locator("[data-do=undo]")).to_have_count(0)
    page.locator("details summary").last.click()
    page.locator("form select").select_option("automatic")
    page.locator("[data-do=keep-limits]").click()
    hear(page, "已保存")
    assert chief.send("GET", f"{HALL}/balance")["limits"]["mode"] == "automatic"
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate(SIDEWAYS) == []
    chief.close()
