"""The devices of the manager page: what to do about a fault, and the numbers that kiosks give by themselves."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Api, Station, Visitor, hear
from tests.browser.test_manager_page import HALL, open_page

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def test_a_fault_says_what_to_do_and_a_lost_kiosk_loses_its_numbers(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    agent = station.api(station.people.add_device("agent", role="devices"))
    fault = {"code": "cover_open", "detail": "", "since": "2026-03-02T09:00:00+08:00"}
    agent.send("PUT", f"{HALL}/devices/printer-1", {"kind": "printer", "health": "down", "faults": [fault]})
    agent.close()
    kiosk = station.api(station.people.add_device("kiosk-9", role="kiosk", hall="qiaocheng"))
    lease = kiosk.send("POST", f"{HALL}/leases", {"prefix": "A", "count": 10})
    kiosk.close()
    page = open_page(visitor)
    page.click("#tab-devices")
    expect(page.locator(".devices li").first).to_contain_text("合上上盖")
    row = page.locator(f"[data-lease={lease['lease']}]")
    expect(row).to_contain_text("kiosk-9")
    expect(row).to_contain_text("0 / 10")
    row.locator("[data-do=end-lease]").click()
    page.click("[data-do=end-lease-sure]")
    hear(page, "已收回")
    expect(row).to_contain_text("已结束")
    assert not chief.send("GET", f"{HALL}/leases")["leases"][0]["open"]
