"""A past day on the manager's page: played, paused, stepped through, and never taken for now."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAPTOP, PHONE, Api, Station, Visitor, until
from tests.browser.test_manager_page import SIDEWAYS, issue, open_page, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def test_a_day_is_played_again_on_the_live_map(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "1")
    for _ in range(3):
        issue(chief)
    chief.send("POST", "/halls/qiaocheng/announcements", {"text": {"zh": "测试"}, "spoken": False})
    page = open_page(visitor, LAPTOP)
    page.click("#tab-replay")
    expect(page.locator(".banner")).to_contain_text("不是现在")
    expect(page.locator("[data-replay-last]")).to_contain_text("1号窗口开放")
    general = page.locator(".replay [data-zone=general]")
    expect(general).to_contain_text("0 人等候")
    assert page.locator(".replay button[data-window]").count() == 0  # nothing of then can be opened
    page.click("[data-do=step-on]")
    page.click("[data-do=step-on]")  # to the end of what was
    expect(general).to_contain_text("3 人等候")
    slider = page.locator("[data-replay-slider]")
    slider.focus()
    page.keyboard.press("Home")
    expect(general).to_contain_text("0 人等候")
    page.locator("[data-replay-speed]").select_option("600")
    slider.focus()
    page.keyboard.press("Space")
    expect(general).to_contain_text("3 人等候")
    expect(page.locator("[data-do=play]")).to_contain_text("播放")  # it has come to the end
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")


def test_a_day_that_never_was_is_refused_with_a_sentence(visitor: Visitor, station: Station, chief: Api) -> None:
    issue(chief)
    page = open_page(visitor, LAPTOP)
    page.click("#tab-replay")
    expect(page.locator("[data-replay-slider]")).to_be_visible()
    page.fill("input[type=date]", "2020-01-01")
    page.click("[data-do=open-replay]")
    expect(page.get_by_role("alert")).to_contain_text("没有营业记录")
    expect(page.locator("[data-replay-slider]")).to_have_count(0)
