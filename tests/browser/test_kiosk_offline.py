"""The touch page on the kiosk's own server: with the ticket server, without it, and with it again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NO_COUNTDOWN, PORTRAIT
from tests.kiosk.house import House
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.browser


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Iterator[House]:
    assert (root / "kiosk/pages/kiosk.html").is_file(), "pages are not built: npm ci && npm run build"
    made = House(root, tmp_path)
    try:
        yield made.ready()
    finally:
        made.end()


@pytest.fixture
def page(chromium: Browser, house: House) -> Iterator[Page]:
    """Give the kiosk's screen; nobody enrols it, its server holds the token."""
    wrong: list[str] = []
    context = chromium.new_context(viewport={"width": PORTRAIT[0], "height": PORTRAIT[1]})
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script(NO_COUNTDOWN)
    page.goto(f"{house.kiosk.url}/kiosk")
    page.wait_for_selector("[data-choice]")
    yield page
    context.close()
    assert wrong == []


def take(page: Page, name: str) -> str:
    """Take a number by touch and give what the screen says."""
    page.click("[data-choice=general]")
    page.click("[data-priority='']")
    page.wait_for_selector("[data-label]")
    if folder := os.environ.get("JIAOHAO_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")
    label = page.locator("[data-label]").inner_text()
    page.click("[data-done]")
    page.wait_for_selector("[data-choice]")
    return label


def test_the_screen_goes_on_without_the_server(page: Page, house: House) -> None:
    late = page.locator(".late")
    expect(late).to_have_count(0)
    assert take(page, "online") == "A001"
    house.pull_cable()
    expect(late).to_contain_text("仍可取号")
    assert take(page, "offline") == "A901"
    page.reload()
    page.wait_for_selector("[data-choice]")
    expect(late).to_contain_text("仍可取号")
    if folder := os.environ.get("JIAOHAO_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/home-offline.png")
    assert take(page, "offline-2") == "A902"
    house.cable.mend()
    house.told()
    expect(late).to_have_count(0)
    until(lambda: "offline" not in house.ask("GET", "/api/v1/halls/demo/state")[1], "the state is the server's")
    assert take(page, "online-again") == "A002"
    assert [it["label"] for it in house.tickets()] == ["A001", "A901", "A902", "A002"]
