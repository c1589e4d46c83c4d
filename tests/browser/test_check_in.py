"""Checking in at the kiosk: six digits on a large keypad, kind words when it is too early, a number that goes ahead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LANDSCAPE, PASSWORD, PHONE, PORTRAIT, Api, Station, Visitor, until
from tests.browser.test_kiosk_page import STICKING_OUT

pytestmark = pytest.mark.browser

HALL = "/halls/appointments"
DAY = "2026-03-02"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Give a server whose hall takes appointments and whose clock begins at 9:50."""
    root = Path(__file__).resolve().parents[2]
    station = Station(root, tmp_path, "tests/scenarios/appointments.toml").start("--clock", f"{DAY}T09:50:00+08:00")
    try:
        yield station
    finally:
        station.stop()


@pytest.fixture
def visitor(chromium: Browser, station: Station) -> Iterator[Visitor]:
    """Give somebody in front of the kiosk; a page with an error behind it fails the test."""
    visitor = Visitor(chromium, station)
    try:
        yield visitor
    finally:
        visitor.close()
    assert visitor.wrong == []


@pytest.fixture
def office(station: Station) -> Iterator[Api]:
    """Give the system in which people book."""
    office = station.api(station.people.add_device("office", role="integration"))
    yield office
    office.close()


def book(office: Api, starts: str, day: str = DAY) -> str:
    """Book and give the code."""
    body = {"service": "invoice", "day": day, "starts": starts}
    return str(office.send("POST", f"{HALL}/appointments", body)["code"])


def kiosk(visitor: Visitor, station: Station, size: tuple[int, int] = PORTRAIT, more: str = "") -> Page:
    """Give a kiosk at which somebody wants to check in."""
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=appointments{more}#code={code}", size)
    page.click("[data-door=checkIn]")
    page.wait_for_selector(".boxes")
    return page


def press(page: Page, code: str) -> None:
    for digit in code:
        page.click(f"[data-key='{digit}']")


def test_a_code_gives_a_number_that_goes_ahead(visitor: Visitor, station: Station, office: Api) -> None:
    code = book(office, "10:00")
    page = kiosk(visitor, station)
    expect(page.locator("[data-send]")).to_be_disabled()
    press(page, "99")
    page.click("[data-key=back]")
    page.click("[data-key=clear]")
    press(page, code + "7")  # the seventh is one too many
    page.click("[data-send]")
    expect(page.locator("[data-label]")).to_have_text("A001")
    expect(page.locator(".paper")).to_contain_text("预约")
    expect(page.locator("[data-late]")).to_have_count(0)
    track = office.send("GET", f"{HALL}/tickets/A001")
    assert track["priority"] == "appointment"
    page.click("[data-done]")
    page.click("[data-door=checkIn]")
    press(page, code)
    page.click("[data-send]")
    expect(page.locator(".problem")).to_contain_text("您的号是 A001")


def test_who_is_early_is_told_from_when_and_may_type_again(visitor: Visitor, station: Station, office: Api) -> None:
    early, good = book(office, "11:00"), book(office, "10:00")
    page = kiosk(visitor, station)
    press(page, early)
    page.click("[data-send]")
    expect(page.locator(".problem")).to_contain_text("今天 10:45 起可以签到取号")
    page.click("[data-key=clear]")
    page.keyboard.type(good)  # a scanner types
    page.keyboard.press("Enter")
    expect(page.locator("[data-label]")).to_have_text("A001")


def test_a_code_that_nobody_has_is_told_and_the_boxes_are_empty_again(
    visitor: Visitor, station: Station, office: Api
) -> None:
    code = book(office, "10:00")
    page = kiosk(visitor, station, LANDSCAPE)
    press(page, f"{(int(code) + 1) % 1_000_000:06d}")
    page.click("[data-send]")
    expect(page.locator(".problem")).to_contain_text("请核对预约码")
    expect(page.locator(".boxes .full")).to_have_count(0)


def test_who_is_late_is_told_that_the_number_is_an_ordinary_one(
    visitor: Visitor, station: Station, office: Api
) -> None:
    code = book(office, "10:00")
    station.stop()
    station.start("--clock", f"{DAY}T11:30:00+08:00")
    page = kiosk(visitor, station)
    press(page, code)
    page.click("[data-send]")
    expect(page.locator("[data-late]")).to_contain_text("普通号")


def test_the_phone_page_says_that_it_is_an_appointment(visitor: Visitor, station: Station, office: Api) -> None:
    code = book(office, "10:00")
    ticket = office.send("POST", f"{HALL}/appointments/check-in", {"code": code})
    page = visitor.open(f"/t/appointments/{ticket['track']}", PHONE)
    expect(page.locator("[data-priority]")).to_have_text("预约")


def test_staff_see_who_comes_and_cancel_with_a_reason(visitor: Visitor, station: Station, office: Api) -> None:
    first, second = book(office, "10:00"), book(office, "11:00")
    book(office, "11:00", "2026-03-03")
    office.send("POST", f"{HALL}/appointments/check-in", {"code": first})
    manager = station.manager()
    page = visitor.open("/login?to=/manager", LANDSCAPE)
    page.fill("#work-id", "manager-1")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.click("[role=tab] >> text=营业日")
    expect(page.locator("[data-appointment]")).to_have_count(2)
    expect(page.locator(f"[data-appointment='{first}']")).to_contain_text("已签到A001")
    row = page.locator(f"[data-appointment='{second}']")
    row.locator("[data-do=ask-cancel-appointment]").click()
    row.locator("input").fill("停电 {@|}")
    row.locator("[data-do=cancel-appointment]").click()
    expect(row).to_contain_text("原因：停电 {@|}")
    expect(row).to_contain_text("已取消")
    page.select_option(".appointments select", "2026-03-03")
    expect(page.locator("[data-appointment]")).to_have_count(1)
    rows = manager.send("GET", f"{HALL}/appointments?status=cancelled")["appointments"]
    assert [one["code"] for one in rows] == [second]
    manager.close()


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, PHONE], ids=["portrait", "landscape", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(
    visitor: Visitor, station: Station, office: Api, size: tuple[int, int], language: str
) -> None:
    code = book(office, "11:00")
    page = kiosk(visitor, station, size, f"&lang={language}")

    def look(what: str) -> None:
        until(lambda: page.evaluate(STICKING_OUT) == [], f"{what}: {page.evaluate(STICKING_OUT)}")

    look("keypad")
    press(page, code)
    page.click("[data-send]")
    page.wait_for_selector(".problem")
    look("with a sentence")
    if size != PHONE:
        page.click(".tool[aria-pressed]")
        look("in large type")
        page.click(".back")
        look("the start in large type")
