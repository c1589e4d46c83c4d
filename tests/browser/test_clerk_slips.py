"""Slips at the clerk console: a key pressed too early is taken back, and what was typed outlives every interruption."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Api, Station, Visitor, hear
from tests.browser.test_clerk_page import HALL, console, current, do, fits, issue, not_a_slip, status

pytestmark = pytest.mark.browser

TRIES = 5  # on a busy machine the seconds may be over before the second key


@pytest.fixture
def guide(station: Station) -> Iterator[Api]:
    """Give somebody who takes numbers for visitors."""
    guide = station.manager()
    yield guide
    guide.close()


SLIPS = [  # keys pressed by mistake, the key that takes them back, whether the visitor was being served
    ("9", "z", False),
    ("F4 F4", "z", False),
    ("r", "Control+z", False),
    ("F7 F7", "z", True),
    ("F3", "z", True),
    ("Enter", "z", False),
]


def test_every_slip_of_the_finger_is_taken_back(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station)
    for keys, undo, serving in SLIPS:
        label = slipped(page, guide, keys, undo, serving=serving)
        expect(page.locator(".current.serving" if serving else ".current.calling")).to_contain_text(label)
        assert status(guide, label) == ("serving" if serving else "called")
        history = [it["event"] for it in guide.send("GET", f"{HALL}/tickets/{label}")["history"]]
        assert history[-1] == "move_undone"
        do(page, "F3", says=f"{label} 已办结")
    fits(page)


def slipped(page: Page, guide: Api, keys: str, undo: str, *, serving: bool) -> str:
    """Call somebody, press the keys and take it back; give the label."""
    label = ""
    for _ in range(TRIES):
        label = issue(guide)
        not_a_slip(page)
        do(page, "F1")
        expect(current(page)).to_have_text(label)
        if serving:
            do(page, "Enter")
            expect(page.locator(".current.serving")).to_be_visible()
        *asks, last = keys.split()
        for key in asks:
            page.keyboard.press(key)
            page.wait_for_selector("dialog[open]")
        do(page, last)
        expect(page.locator(".current.serving" if keys == "Enter" else ".resting")).to_be_visible()
        do(page, undo)
        if page.evaluate("window.said.at(-1)").startswith("已撤销"):
            break
        if status(guide, label) in ("waiting", "missed", "held"):  # it was too late: once more with the next one
            guide.send("POST", f"{HALL}/tickets/{label}/cancel", {})
        elif status(guide, label) == "serving":
            guide.send("POST", f"{HALL}/windows/3/finish", {})
    return label


def test_nothing_is_taken_back_when_somebody_else_was_called(visitor: Visitor, station: Station, guide: Api) -> None:
    labels = [issue(guide) for _ in range(2)]
    page = console(visitor, station)
    do(page, "F1")
    do(page, "9", says="已过号")
    do(page, "F1")
    expect(current(page)).to_have_text(labels[1])
    expect(page.locator("[data-do=undo]")).to_have_count(0)
    do(page, "z", says="没有可以撤销的操作")
    assert [status(guide, label) for label in labels] == ["missed", "called"]


def test_what_was_typed_comes_back_after_a_reload_and_a_restart(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("n")
    page.keyboard.type("户口簿")
    page.keyboard.press("Enter")
    page.keyboard.type("近期一寸")
    station.kill()
    expect(page.locator(".late")).to_contain_text("连接中断")
    page.keyboard.type("照片")
    station.start()
    expect(page.locator(".late")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-items]")).to_contain_text("户口簿")
    expect(page.locator("[data-line]")).to_have_value("近期一寸照片")
    page.locator("[data-line]").press("Enter")
    page.locator("[data-line]").press("Enter")
    hear(page, f"已告知 {label} 需补正 2 项材料")
    page.reload()
    page.wait_for_selector("main.work")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_escape_keeps_the_words_for_this_visitor_and_nobody_else(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    labels = [issue(guide) for _ in range(2)]
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("F7")
    page.get_by_label("备注").fill("去复印")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("F7")
    expect(page.get_by_label("备注")).to_have_value("去复印")
    page.keyboard.press("Escape")
    not_a_slip(page)
    do(page, "F1")
    expect(current(page)).to_have_text(labels[1])
    page.keyboard.press("F7")
    expect(page.get_by_label("备注")).to_have_value("")


def test_signing_out_leaves_nothing_that_was_typed(visitor: Visitor, station: Station, guide: Api) -> None:
    issue(guide)
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("b")
    page.locator("[data-case]").fill("532300-0001")
    page.keyboard.press("Escape")
    assert "532300-0001" in page.evaluate("JSON.stringify({...sessionStorage})")
    page.keyboard.press("h")
    page.get_by_label("接班人密码").fill("a colleague's secret")
    page.keyboard.press("Escape")
    assert "secret" not in page.evaluate("JSON.stringify({...sessionStorage})")
    page.get_by_role("button", name="菜单").click()
    page.locator("[data-do=sign-out]").click()
    page.wait_for_url("**/login**")
    assert "532300-0001" not in page.evaluate("JSON.stringify({...sessionStorage})")


def test_legs_are_planned_by_a_key_and_the_grade_that_is_asked_for_is_shown(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    label = issue(guide)
    page: Page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("l")
    expect(page.locator("dialog")).to_contain_text("联办环节")
    page.keyboard.press("Escape")
    do(page, "F3")
    expect(page.locator(".resting")).to_be_visible()
    page.reload()
    expect(page.locator("[data-rating]")).to_contain_text(f"正在请 {label} 评价")
