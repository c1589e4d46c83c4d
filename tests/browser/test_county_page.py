"""All halls side by side before a real server: a county sees at once which township needs somebody."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PASSWORD, PHONE, Api, Station, Visitor

pytestmark = pytest.mark.browser

SIZES = (LAPTOP, PHONE)


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def county(visitor: Visitor, work_id: str = "9001", size: tuple[int, int] = LAPTOP) -> Page:
    page = visitor.open("/login?to=/county", size)
    page.fill("#work-id", work_id)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def test_a_hall_in_trouble_stands_out_and_leads_to_its_page(visitor: Visitor, chief: Api) -> None:
    page = county(visitor)
    expect(page.locator("[data-hall]")).to_have_count(2)
    expect(page.locator("[data-hall] .well")).to_have_count(2)
    expect(page.locator("[data-trouble]")).to_contain_text("一切正常")
    chief.send("POST", "/halls/demo/tickets", {"service": "general"})
    demo, other = page.locator("[data-hall=demo]"), page.locator("[data-hall=qiaocheng]")
    expect(demo.locator("[data-waiting]")).to_have_text("1")
    expect(demo.locator("li")).to_contain_text("没有窗口")
    expect(page.locator("[data-trouble]")).to_contain_text("1 个大厅需要处理")
    page.get_by_role("checkbox").check()
    expect(other).to_be_hidden()
    expect(demo).to_be_visible()
    demo.locator("li a").first.click()
    page.wait_for_url("**/manager?hall=demo#services")


@pytest.mark.parametrize("size", SIZES)
def test_figures_are_live_and_nothing_is_cut_off(visitor: Visitor, chief: Api, size: tuple[int, int]) -> None:
    page = county(visitor, size=size)
    opened = page.locator("[data-hall=demo] [data-open]")
    expect(opened).to_have_text("0/6")
    chief.send("POST", "/halls/demo/windows/1/open", {})
    expect(opened).to_have_text("1/6")
    assert not page.evaluate("document.scrollingElement.scrollWidth > innerWidth")


def test_who_may_not_see_the_halls_is_told(visitor: Visitor, station: Station) -> None:
    station.people.add_user("1001", PASSWORD, role="guide")
    page = visitor.open("/login?to=/county")
    page.fill("#work-id", "1001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide")
    page.goto(f"{station.url}/county")
    expect(page.get_by_role("alert")).to_contain_text("不能查看")
