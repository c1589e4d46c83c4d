"""The manager's reports before a real server: periods, charts with their tables, files, and what is printed."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PHONE, Api, Station, Visitor, until
from tests.browser.test_accessibility import Look
from tests.browser.test_accessibility import look as look
from tests.browser.test_manager_page import HALL, SIDEWAYS, issue, open_page, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    """Give a manager in a hall where one visit was served at window 3 and graded badly, and one person waits."""
    chief = station.manager("9001")
    staff(chief, station, "3")
    label = issue(chief)
    chief.send("POST", f"{HALL}/windows/3/call-next", {})
    chief.send("POST", f"{HALL}/windows/3/start", {})
    chief.send("POST", f"{HALL}/windows/3/finish", {})
    pad = station.api(station.people.add_device("pad", role="display", hall="qiaocheng", window="3"))
    pad.send("POST", f"{HALL}/windows/3/rate", {"ticket": label, "grade": 1})
    pad.close()
    issue(chief)
    yield chief
    chief.close()


def reports(visitor: Visitor, size: tuple[int, int] = LAPTOP, lang: str = "zh") -> Page:
    page = open_page(visitor, size, f"hall=qiaocheng&lang={lang}")
    page.click("#tab-reports")
    expect(page.locator("[data-tile=issued] .number")).to_have_text("2")
    return page


def test_today_is_counted_until_now_with_charts_and_the_same_figures_beneath(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    page = reports(visitor)
    expect(page.locator(".what")).to_contain_text("今天尚未结束")
    expect(page.locator("[data-tile=finished] .number")).to_have_text("1")
    expect(page.locator("[data-tile=satisfaction] .number")).to_have_text("0 %")
    expect(page.locator("[data-tile=issued] .then")).to_contain_text("对比期无记录")
    expect(page.locator("[data-part=hours] canvas")).to_have_count(3)
    expect(page.locator("[data-part=hours] tbody tr").first).to_contain_text("2")
    page.click("[data-section=heat]")
    expect(page.locator("[data-part=heat] tbody th")).to_have_text("3号窗口")
    page.click("[data-section=attendance]")
    expect(page.locator("[data-part=attendance] tbody tr")).to_contain_text("未签退")
    page.click("[data-section=followUps]")
    expect(page.locator("[data-part=followUps] tbody tr")).to_contain_text("整改中")


def test_one_goes_back_a_week_and_comes_back(visitor: Visitor, station: Station, chief: Api) -> None:
    page = reports(visitor)
    page.click("[data-kind=week]")
    expect(page.locator("[data-tile=issued] .number")).to_have_text("2")
    expect(page.locator("[data-do=later]")).to_be_disabled()
    page.click("[data-do=earlier]")
    expect(page.get_by_role("alert")).to_contain_text("没有营业记录")
    page.click("[data-do=later]")
    expect(page.locator("[data-tile=issued] .number")).to_have_text("2")
    page.click("[data-kind=range]")
    first = date.today() - timedelta(days=200)  # noqa: DTZ011 - far from any turn of the day
    page.get_by_label("开始日期").fill(first.isoformat())
    expect(page.get_by_role("alert")).to_contain_text("一次最多 92 天")
    page.click("[data-kind=day]")
    expect(page.locator("[data-tile=issued] .number")).to_have_text("2")


def test_the_table_is_downloaded_for_a_spreadsheet(visitor: Visitor, station: Station, chief: Api) -> None:
    page = reports(visitor)
    with page.expect_download() as download:
        page.click("[data-do=csv]")
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["全大厅"]
    assert ["3号窗口", "1"] in rows


def test_everything_is_printed_and_nothing_to_press(visitor: Visitor, station: Station, chief: Api) -> None:
    page = reports(visitor)
    count = "document.querySelectorAll('[data-part]').length"
    page.evaluate(f"() => {{ window.print = () => {{ window.printed = {count} }} }}")
    page.click("[data-do=print]")
    until(lambda: page.evaluate("window.printed") is not None, "it is printed")
    assert page.evaluate("window.printed") > 5
    page.emulate_media(media="print")
    expect(page.locator(".head")).to_be_visible()
    for pressed in ("[data-do=print]", "#tab-reports", "[data-section=hours]"):
        expect(page.locator(pressed)).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, LAPTOP])
def test_every_section_can_be_read_by_everybody(
    visitor: Visitor, station: Station, chief: Api, look: Look, size: tuple[int, int]
) -> None:
    page = reports(visitor, size, look.language)
    for section in page.locator("[data-section]").evaluate_all("all => all.map((one) => one.dataset.section)"):
        page.click(f"[data-section={section}]")
        expect(page.locator(f"[data-part={section}] h3")).to_be_visible()
        until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out of {page.evaluate(SIDEWAYS)}")
        look(page, f"reports: {section}")
