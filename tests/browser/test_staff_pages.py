"""A change of shift at the console by keys alone, lists that move, and signs of life."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PASSWORD, Api, Station, Visitor, until
from tests.browser.test_clerk_page import HALL, console, current, do, fits, issue, status

pytestmark = pytest.mark.browser

WINDOW_3 = f"{HALL}/windows/3"


@pytest.fixture
def guide(station: Station) -> Iterator[Api]:
    """Give somebody who takes numbers for visitors."""
    guide = station.manager()
    yield guide
    guide.close()


@pytest.fixture
def relief(station: Station) -> str:
    station.people.add_user("relief", PASSWORD, role="clerk", name="关婷")
    return "relief"


def serving(page: Page, guide: Api) -> tuple[str, str]:
    """Hold the first of two visitors and serve the second; give their labels."""
    first, second = issue(guide), issue(guide)
    do(page, "Enter")
    expect(current(page)).to_have_text(first)
    page.keyboard.press("F7")
    do(page, "F7", says="已挂起")
    do(page, "F1")
    expect(current(page)).to_have_text(second)
    do(page, "Enter")
    expect(page.locator(".top")).to_contain_text("办理中")
    return first, second


def clerk_at(guide: Api) -> str | None:
    windows = guide.send("GET", f"{HALL}/state")["windows"]
    clerk = next(one["clerk"] for one in windows if one["window"] == "3")
    return None if clerk is None else str(clerk)


def test_a_colleague_takes_over_by_keys_and_the_visitor_stays(
    visitor: Visitor, station: Station, guide: Api, relief: str
) -> None:
    page = console(visitor, station)
    held, label = serving(page, guide)
    page.keyboard.press("h")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text(f"{label} 继续在本窗口办理")
    fits(page)
    page.keyboard.type(relief)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("工号或密码不正确")
    assert clerk_at(guide) == "1003"
    dialog.locator("input[type=password]").fill(PASSWORD)
    page.wait_for_timeout(850)  # else the second Enter is taken for a slip of the finger
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    until(lambda: clerk_at(guide) == relief, "the colleague works at the window")
    expect(current(page)).to_have_text(label)
    expect(page.get_by_label("挂起的号")).to_contain_text(held)
    do(page, "F3", says="已办结")  # with the colleague's own session
    assert status(guide, label) == "finished"


def test_who_comes_to_a_window_that_another_left_takes_it_over_in_one_press(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    station.people.add_user("late", PASSWORD, role="clerk", windows=("3",))
    page = console(visitor, station)
    guide.send("POST", f"{WINDOW_3}/hand-over", {"clerk": "late"})
    expect(page.locator(".notice")).to_contain_text("此窗口由late使用中")
    page.locator("[data-do=take-over]").click()
    until(lambda: clerk_at(guide) == "1003", "the first clerk has it back")


def test_held_visitors_move_to_another_window_by_one_digit(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station)
    held, _ = serving(page, guide)
    page.locator("[data-do=move-held]").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("挂起 1 位、过号 0 位")
    fits(page)
    first = dialog.locator("[data-to]").first.get_attribute("data-to")
    page.keyboard.press("1")
    expect(page.get_by_label("挂起的号")).to_contain_text("没有挂起的号")
    assert guide.send("GET", f"{HALL}/tickets/{held}")["window"] == first


def test_a_press_is_a_sign_of_life_once_a_minute_and_an_open_page_is_none(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    page = console(visitor, station)
    signs: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/windows/3/alive"):
            signs.append(request.url)

    page.on("request", note)
    issue(guide)
    expect(page.locator(".lists")).to_contain_text("1 人等候")
    quiet = len(signs)
    do(page, "F1")
    expect(current(page)).to_be_visible()
    do(page, "F2", says="已再次呼叫")
    do(page, "F3", says="已办结")
    assert len(signs) - quiet <= 1, "the open page and pictures are none, and presses are gathered"
    until(lambda: len(signs) == 1, "one sign of life of several presses")
