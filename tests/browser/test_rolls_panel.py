"""Paper rolls on the manager page: hung, reported, called from an empty queue, taken away."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Station, Visitor
from tests.browser.test_manager_page import HALL, SIDEWAYS, open_page

pytestmark = pytest.mark.browser


def test_a_paper_roll_keeps_the_hall_going(station: Station, visitor: Visitor) -> None:
    chief = station.manager("9001")
    page = open_page(visitor)
    page.locator("#tab-tickets").click()
    panel = page.locator("details.rolls")
    panel.locator("summary").click()
    panel.locator("select").select_option("general")
    expect(panel.locator(".letters")).to_have_value("X")
    panel.locator("[data-do=announce-roll]").click()
    row = page.locator("[data-roll=X]")
    expect(row).to_be_visible()
    row.locator("input").fill("23")
    row.locator("[data-do=report-roll]").click()
    expect(row.locator("b")).to_have_text("X023")
    row.locator("input").fill("23")
    row.locator("[data-do=report-roll]").click()
    expect(panel.locator("[role=alert]")).to_contain_text("X023")  # nothing new
    panel.locator("[data-do=by-hand]").click()
    expect(panel.locator("[data-written]")).not_to_be_empty()
    assert page.evaluate(SIDEWAYS) == []
    page.locator("#tab-hall").click()
    expect(page.locator(".alarms")).to_contain_text("已到 X023")
    page.locator("#tab-tickets").click()
    row.locator("[data-do=end-roll]").click()
    expect(row).to_have_count(0)
    waiting = chief.send("GET", f"{HALL}/tickets?status=waiting&limit=100")["tickets"]
    assert [it["label"] for it in waiting][:23] == [f"X{number:03d}" for number in range(1, 24)]
    chief.close()
