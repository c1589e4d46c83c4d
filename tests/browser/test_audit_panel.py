"""The audit of the manager's page before a real server: found by who, what and where, with its place in the chain."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAPTOP, PHONE, Api, Station, Visitor, until
from tests.browser.test_accessibility import Look
from tests.browser.test_accessibility import look as look
from tests.browser.test_manager_page import HALL, SIDEWAYS, issue, open_page, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    """Give a manager of a hall in which a clerk sits and 60 numbers were given, one of them called."""
    chief = station.manager("9001")
    staff(chief, station, "3")
    for _ in range(60):
        issue(chief)
    chief.send("POST", f"{HALL}/windows/3/call-next", {})
    yield chief
    chief.close()


def test_one_finds_who_called_whom_and_where_that_stands_in_the_chain(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    page = open_page(visitor, LAPTOP)
    page.click("#tab-audit")
    rows = page.locator(".rows li")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("窗口 3 呼叫 A001")
    expect(rows.first).to_contain_text("9001")
    page.click("[data-do=more-audit]")
    until(lambda: rows.count() > 60, "the page goes on with what was earlier")
    page.get_by_label("工号或设备").fill("c3")
    page.get_by_label("事件").select_option("window_opened")
    page.click("[data-do=find-audit]")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("职员3 · c3")
    page.locator(".open").click()
    expect(page.locator(".details")).to_contain_text(re.compile("[0-9a-f]{64}"))
    expect(page.locator(".details")).to_contain_text("window_opened")
    with page.expect_download() as download:
        page.click("[data-do=audit-csv]")
    table = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [row[6] for row in table[1:]] == ["window_opened"]
    page.get_by_label("号票").fill("z999")
    page.click("[data-do=find-audit]")
    expect(page.locator(".audit")).to_contain_text("没有符合条件的记录")


@pytest.mark.parametrize("size", [PHONE, LAPTOP])
def test_the_audit_can_be_read_by_everybody(
    visitor: Visitor, station: Station, chief: Api, look: Look, size: tuple[int, int]
) -> None:
    page = open_page(visitor, size, f"hall=qiaocheng&lang={look.language}")
    page.click("#tab-audit")
    page.locator(".open").first.click()
    expect(page.locator(".details code").first).to_be_visible()
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")
    look(page, "audit")
