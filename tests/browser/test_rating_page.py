"""The rating tablet before a real server: five faces, one touch, thanks, and never a grade of somebody else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PASSWORD, Api, Station, Visitor, settle

pytestmark = pytest.mark.browser

HALL = "/halls/qiaocheng"
WINDOW = f"{HALL}/windows/11"
SIZES = [(1280, 800), (800, 1280), (1024, 600)]
TOUCH_PX = 64
WORDS = ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]


@pytest.fixture
def manager(station: Station) -> Iterator[Api]:
    manager = station.manager()
    manager.send("POST", f"{WINDOW}/open", {})
    yield manager
    manager.close()


def tablet(visitor: Visitor, station: Station) -> Page:
    """Give the tablet of window 11, enrolled by its one-time code."""
    code = station.people.new_code("tablet-11", role="display", hall="qiaocheng", window="11")
    return visitor.open(f"/rating?hall=qiaocheng#code={code}", SIZES[0])


def call(manager: Api) -> str:
    ticket = manager.send("POST", f"{HALL}/tickets", {"service": "household"})["ticket"]
    manager.send("POST", f"{WINDOW}/call-next", {})
    return str(ticket)


def visit(manager: Api) -> str:
    """Play a visit to its end and give its ticket."""
    ticket = call(manager)
    manager.send("POST", f"{WINDOW}/finish", {})
    return ticket


def is_rated(manager: Api, ticket: str) -> bool:
    return bool(manager.send("GET", f"{HALL}/tickets/{ticket}")["rated"])


def test_one_touch_grades_and_the_tablet_goes_back(visitor: Visitor, station: Station, manager: Api) -> None:
    page = tablet(visitor, station)
    expect(page.locator(".rest .no")).to_have_text("11")
    ticket = visit(manager)
    faces = page.locator("[data-grade]")
    expect(faces.locator("strong")).to_have_text(WORDS)
    for language in ("zh", "en"):
        page.goto(f"{station.url}/rating?lang={language}&hall=qiaocheng")
        expect(faces).to_have_count(5)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            for one in faces.all():
                box, words = one.bounding_box(), one.locator("strong").bounding_box()
                assert box is not None
                assert words is not None
                assert min(box["width"], box["height"]) >= TOUCH_PX
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
                assert box["y"] + box["height"] <= height
                assert box["x"] < words["x"], (language, width, one.inner_text())
                assert words["x"] + words["width"] < box["x"] + box["width"], (language, width, one.inner_text())
    page.goto(f"{station.url}/rating?hall=qiaocheng&lang=zh")
    page.locator("[data-grade='4']").dblclick()
    expect(page.locator(".thanks")).to_contain_text("谢谢您的评价")
    assert is_rated(manager, ticket)
    expect(page.locator(".rest")).to_be_visible()

    # The phone was quicker than the picture: the faces are still there, and who graded there is thanked as well.
    ticket = visit(manager)
    pad = station.api(station.people.add_device("pad", role="integration"))

    def after_the_phone(route: Route) -> None:
        pad.send("POST", f"{HALL}/tickets/{ticket}/rate", {"grade": 5})
        route.continue_()

    page.route("**/rate", after_the_phone)
    page.click("[data-grade='3']")
    expect(page.locator(".thanks")).to_be_visible()
    pad.close()


def test_nothing_pressed_stays_unrated(visitor: Visitor, station: Station, manager: Api) -> None:
    page = tablet(visitor, station)
    ticket = visit(manager)
    faces = page.locator("[data-grade]")
    expect(faces).to_have_count(5)
    call(manager)
    expect(page.locator(".rest .now")).to_contain_text("到本窗口")
    # Finished and called with one press: the faces stay until the next visitor sits down.
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    manager.send("POST", f"{WINDOW}/call-next", {"finish": True})
    expect(faces).to_have_count(5)
    manager.send("POST", f"{WINDOW}/start", {})
    expect(page.locator(".rest .now")).to_contain_text("正在为")
    manager.send("POST", f"{WINDOW}/finish", {})
    expect(faces).to_have_count(5)
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(seconds=200))  # the time to rate is over
    expect(page.locator(".rest")).to_be_visible()
    expect(page.locator(".late")).to_have_count(0)  # the jump looks like silence until the server pings again
    expect(faces).to_have_count(0)
    assert not is_rated(manager, ticket)


def test_a_lost_server_is_told_and_a_press_counts_once(visitor: Visitor, station: Station, manager: Api) -> None:
    page = tablet(visitor, station)
    ticket = visit(manager)
    faces = page.locator("[data-grade]")
    expect(faces).to_have_count(5)
    page.evaluate("window.stillTheSamePage = true")
    station.kill()
    page.click("[data-grade='2']")
    expect(page.locator(".late")).to_contain_text("连接中断")
    expect(page.locator(".trouble")).to_contain_text("没有送出")
    expect(faces).to_have_count(0)
    station.start()
    expect(page.locator(".late")).to_have_count(0)
    expect(faces).to_have_count(5)
    assert not is_rated(manager, ticket)
    # This time only the answer is lost: asked again by itself, with the same key.
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        if len(keys) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/rate", lose_the_first)
    page.click("[data-grade='2']")
    expect(page.locator(".thanks")).to_be_visible()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    cases = [one for one in manager.send("GET", f"{HALL}/cases")["cases"] if one["ticket"] == ticket]
    assert [one["grade"] for one in cases] == [2]
    assert page.evaluate("window.stillTheSamePage")


def test_a_tablet_is_one_window_s_and_shows_who_works_there(visitor: Visitor, station: Station) -> None:
    for work_id, name in (("2011", "王晓梅"), ("2012", "Li Lei")):
        station.people.add_user(work_id, PASSWORD, role="clerk", name=name, hall="qiaocheng")
    board = station.people.new_code("board-1", role="display", hall="qiaocheng")
    page = visitor.open(f"/rating?hall=qiaocheng#code={board}", SIZES[0])
    expect(page.locator(".problem")).to_contain_text("没有登记为窗口评价平板")
    page.fill("#code", station.people.new_code("tablet-12", role="display", hall="qiaocheng", window="12"))
    page.keyboard.press("Enter")
    expect(page.locator(".rest .no")).to_have_text("12")
    page.goto(f"{station.url}/rating?hall=qiaocheng&window=11")
    expect(page.locator(".problem")).to_contain_text("11 号窗口")
    page.fill("#code", station.people.new_code("tablet-11", role="display", hall="qiaocheng", window="11"))
    page.keyboard.press("Enter")
    expect(page.locator(".rest .no")).to_have_text("11")
    expect(page.locator(".rest .now")).to_contain_text("未开放")

    photos = station.data / "photos"
    photos.mkdir()
    (photos / "2011.png").write_bytes(page.screenshot(clip={"x": 0, "y": 0, "width": 60, "height": 60}))
    (photos / "2012.png").write_bytes(b"no picture at all")
    for work_id, name, photo in (("2011", "王晓梅", "[data-photo]"), ("2012", "Li Lei", ".face")):
        clerk = station.api()
        body = {"work_id": work_id, "password": PASSWORD, "window": "11"}
        clerk._session.headers["X-CSRF-Token"] = clerk.send("POST", "/login", body)["csrf"]
        clerk.send("POST", f"{WINDOW}/open", {})
        expect(page.locator("figcaption")).to_contain_text(name)
        expect(page.locator("figcaption")).to_contain_text(f"工号 {work_id}")
        expect(page.locator(photo)).to_be_visible()
        clerk.send("POST", f"{WINDOW}/close", {})
        clerk.close()
    station.people.revoke_device("tablet-11")
    expect(page.locator("#code")).to_be_visible()
