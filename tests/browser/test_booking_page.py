"""Visitors book on their phones: the whole way to a number at the kiosk, and what stands in the way now and then."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, PORTRAIT, Api, Station, Visitor, settle
from tests.browser.test_accessibility import Look, look

__all__ = ["look"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize(
        "station",
        [(("tests/browser/halls/booking.toml", "config/qiaocheng.toml"), ("--clock", "2026-03-02T08:50:00+08:00"))],
        indirect=True,
    ),
]

HALL = "/halls/booking"
NUMBER = "13900001234"


@pytest.fixture
def office(station: Station) -> Iterator[Api]:
    """Give another system that books in the same hall."""
    office = station.api(station.people.add_device("office", role="integration"))
    yield office
    office.close()


def choose(page: Page, starts: str, service: str = "invoice") -> None:
    """Choose a service and a slot of today."""
    page.click(f"[data-service={service}]")
    page.click(f"[data-slot='{starts}']")
    page.wait_for_selector("[data-reference]")


def book(page: Page, number: str = NUMBER) -> str:
    """Give the number, book, and give the code."""
    page.fill("[data-reference]", number)
    page.click("[data-book]")
    page.wait_for_selector("[data-held] .what")
    return page.locator("[data-code]").inner_text()


def test_from_the_phone_to_a_number_at_the_kiosk(visitor: Visitor, station: Station, office: Api) -> None:
    page = visitor.open("/book", PHONE)  # the only hall that takes bookings
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.fill("[data-search]", "fp")
    expect(page.locator("[data-service]")).to_have_count(1)
    page.click("[data-service=invoice]")
    expect(page.locator(".day.shut")).to_have_text(
        [re.compile("3月4日周三.*不办公"), re.compile("3月5日周四.*节假日休息")]
    )
    page.click("[data-slot='09:00']")
    page.go_back()
    expect(page.locator("[data-slot='09:00']")).to_be_visible()
    page.click("[data-slot='09:00']")
    page.fill("[data-reference]", "1234")
    page.click("[data-book]")
    expect(page.locator("#problem")).to_contain_text("请核对 11 位号码")
    expect(page.locator("[data-reference]")).to_be_focused()
    code = book(page, "139 0000 1234")
    assert re.search(r"/b/booking/[\w-]{22}$", page.url)
    assert all("0000" not in url for url in addresses)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    kiosk = visitor.open(f"/kiosk?hall=booking#code={station.people.new_code('kiosk-1', role='kiosk')}", PORTRAIT)
    kiosk.click("[data-door=checkIn]")
    for digit in code:
        kiosk.click(f"[data-key='{digit}']")
    kiosk.click("[data-send]")
    expect(kiosk.locator("[data-label]")).to_have_text("A001")
    assert office.send("GET", f"{HALL}/tickets/A001")["priority"] == "appointment"

    page.reload()  # the same link, at any time
    expect(page.locator("[data-held] [data-label]")).to_have_text("A001")
    page.click("[data-ticket]")
    page.wait_for_url("**/t/booking/*")
    expect(page.locator("[data-priority]")).to_have_text("预约")


def test_a_slot_taken_in_the_meantime_is_told_with_the_next_free_ones(visitor: Visitor, office: Api) -> None:
    page = visitor.open("/book?hall=booking", PHONE)
    choose(page, "10:00")
    for _ in range(2):
        office.send("POST", f"{HALL}/appointments", {"service": "invoice", "day": "2026-03-02", "starts": "10:00"})
    page.fill("[data-reference]", NUMBER)
    page.click("[data-book]")
    expect(page.locator("[data-gone]")).to_contain_text("已满")
    assert [one.get_attribute("data-instead") for one in page.locator("[data-instead]").all()] == [
        "11:00",
        "13:30",
        "14:30",
    ]
    expect(page.locator("[data-slot='10:00']")).to_be_disabled()
    page.click("[data-instead='11:00']")
    book(page)
    expect(page.locator(".when")).to_contain_text("11:00–12:00")


def test_what_was_booked_is_seen_and_cancelled_by_its_link(visitor: Visitor, station: Station, office: Api) -> None:
    page = visitor.open("/book?hall=booking&service=household", PHONE)  # a poster beside the counter
    page.click("[data-slot='15:30']")
    code = book(page)
    link = page.url.removeprefix(station.url)
    other = visitor.open(link, PHONE)
    expect(other.locator("[data-code]")).to_have_text(code)
    station.kill()
    other.evaluate("dispatchEvent(new Event('online'))")
    expect(other.locator(".old")).to_contain_text("连接中断")
    expect(other.locator("[data-code]")).to_have_text(code)
    station.start("--clock", "2026-03-02T08:50:00+08:00")
    other.evaluate("dispatchEvent(new Event('online'))")
    expect(other.locator(".old")).to_have_count(0)
    page.click("[data-cancel]")
    page.click("[data-confirm]")
    expect(page.locator("main.cancelled")).to_be_visible()
    days = office.send("GET", f"{HALL}/appointments/slots?service=household")["days"]
    assert {slot["starts"]: slot["left"] for slot in days[0]["slots"]}["15:30"] == 1, "the slot is free again"
    wrong = visitor.open("/b/booking/AAAAAAAAAAAAAAAAAAAAAA", PHONE)
    expect(wrong.locator("main.none h1")).to_have_text("找不到这个预约")


def test_a_lost_answer_books_once(visitor: Visitor, office: Api) -> None:
    page = visitor.open("/book?hall=booking&service=pension", PHONE)
    page.click("[data-slot='15:30']")
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/halls/booking/booking", lose)
    book(page)  # a second booking would be refused: the slot has one place, and a visitor one booking
    assert lost == [201]


def test_halls_without_it_say_what_to_do_instead(visitor: Visitor) -> None:
    page = visitor.open("/book?hall=qiaocheng", PHONE)
    expect(page.locator("main.none h1")).to_contain_text("请到现场取号")


def test_booking_is_looked_over(visitor: Visitor, office: Api, look: Look) -> None:
    page = visitor.open(f"/book?hall=booking&lang={look.language}", PHONE)
    page.wait_for_selector("[data-service]")
    look(page, "book: services")
    choose(page, "11:00")
    page.fill("[data-reference]", "1")
    page.click("[data-book]")
    page.wait_for_selector("#problem")
    look(page, "book: who, wrong")
    for _ in range(2):
        office.send("POST", f"{HALL}/appointments", {"service": "invoice", "day": "2026-03-02", "starts": "11:00"})
    page.fill("[data-reference]", NUMBER)
    page.click("[data-book]")
    page.wait_for_selector("[data-gone]")
    look(page, "book: slots, one gone")
    page.locator("[data-instead]").first.click()
    book(page)
    settle(page)
    for width in (PHONE[0], 320):
        page.set_viewport_size({"width": width, "height": 640})
        look(page, f"book: held at {width}")
    page.click("[data-cancel]")
    page.wait_for_selector("dialog[open]")
    look(page, "book: cancel?")
    page.click("[data-confirm]")
    page.wait_for_selector("main.cancelled")
    look(page, "book: cancelled")
