"""What holds for every page: keys show where they are, and who asked for less motion sees none."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANDSCAPE, LAPTOP, PASSWORD, PORTRAIT, Station, Visitor

pytestmark = pytest.mark.browser

STEPS = 24
# Gives what has the focus now, or null; whether anything but its colour says so, on it or on the box drawn for it.
FOCUSED = """() => {
  const one = document.activeElement
  if (one === null || one === document.body) return null
  const shows = (style) => style.boxShadow !== 'none' || (style.outlineStyle !== 'none' && style.outlineWidth !== '0px')
  const seen = shows(getComputedStyle(one)) || (one.labels?.[0] && shows(getComputedStyle(one.labels[0])))
  return [`${one.tagName} ${one.id} ${one.className} ${one.textContent.trim().slice(0, 30)}`, Boolean(seen)]
}"""
# Gives the names of what moves for longer than an eye sees, or for ever.
MOVING = """() => document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime > 50)
  .map((one) => one.animationName ?? one.transitionProperty)"""
PEOPLE = {"guide": "/guide", "manager": "/manager", "admin": "/county"}


def walk(page: Page) -> list[str]:
    """Press Tab again and again; give what had the focus without showing it."""
    hidden: list[str] = []
    reached = 0
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is not None:
            reached += 1
            if not found[1]:
                hidden.append(found[0])
    assert reached > 3, "Tab leads somewhere"
    return hidden


def come(visitor: Visitor, station: Station, role: str, path: str) -> Page:
    station.people.add_user(role, PASSWORD, role=role, name="小王")
    page = visitor.open(f"/login?to={path}", LAPTOP)
    page.fill("#work-id", role)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path == path)
    return page


@pytest.mark.parametrize(("role", "path"), PEOPLE.items())
def test_keys_show_where_they_are_on_staff_pages(visitor: Visitor, station: Station, role: str, path: str) -> None:
    page = come(visitor, station, role, path)
    expect(page.locator("main button, main a").first).to_be_visible()
    assert walk(page) == []


def test_keys_show_where_they_are_at_sign_in_console_kiosk_and_tablet(visitor: Visitor, station: Station) -> None:
    station.people.add_user("1011", PASSWORD, role="clerk", windows=("11",))
    page = visitor.open("/login", LAPTOP)
    page.wait_for_selector("#hall")
    assert walk(page) == []
    page.select_option("#hall", "qiaocheng")
    page.fill("#work-id", "1011")
    page.fill("#password", PASSWORD)
    page.fill("#window", "11")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.work")
    assert walk(page) == []
    code = station.people.new_code("kiosk-1", role="kiosk")
    kiosk = visitor.open(f"/kiosk?hall=qiaocheng#code={code}", PORTRAIT)
    kiosk.wait_for_selector("[data-choice]")
    assert walk(kiosk) == []


def test_who_asked_for_less_motion_sees_a_call_without_any(visitor: Visitor, station: Station) -> None:
    manager = station.manager()
    manager.send("POST", "/halls/qiaocheng/windows/11/open", {})
    moved: dict[str, list[str]] = {}
    for motion in ("no-preference", "reduce"):
        manager.send("POST", "/halls/qiaocheng/tickets", {"service": "household"})
        context = visitor.context(LANDSCAPE)
        page = context.new_page()
        page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
        code = station.people.new_code(f"screen-{motion}", role="display")
        page.goto(f"{station.url}/board?hall=qiaocheng#code={code}")
        expect(page.locator(".board")).to_be_visible()
        manager.send("POST", "/halls/qiaocheng/windows/11/call-next", {"finish": True})
        expect(page.locator(".newest .label")).to_contain_text("C00")
        moved[motion] = page.evaluate(MOVING)
    manager.close()
    assert moved["no-preference"] != [], "a call catches the eye"
    assert moved["reduce"] == []
