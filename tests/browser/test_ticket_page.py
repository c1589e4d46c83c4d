"""The visitor's page behind the QR code: it knows where the visitor stands, and what the visitor may do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, PHONE, Api, Station, Visitor, until

pytestmark = pytest.mark.browser

WINDOW = "/halls/qiaocheng/windows/11"


@dataclass
class Visit:
    """One number, its page on a phone, and the window that will call it."""

    page: Page
    label: str
    ticket: str
    window: Api

    def at_window(self, what: str, **body: str) -> None:
        self.window.send("POST", f"{WINDOW}/{what}", body)


@pytest.fixture
def visit(visitor: Visitor, station: Station) -> Iterator[Visit]:
    manager = station.manager()
    issued = manager.send("POST", "/halls/qiaocheng/tickets", {"service": "household"})
    manager.send("POST", f"{WINDOW}/open", {})
    page = visitor.open(urlsplit(issued["track_url"]).path, PHONE)
    page.wait_for_selector("[data-label]")
    yield Visit(page=page, label=issued["label"], ticket=issued["ticket"], window=manager)
    manager.close()


def test_the_page_follows_the_visit_to_its_end(visit: Visit) -> None:
    page = visit.page
    assert page.locator("[data-label]").inner_text() == visit.label
    assert page.locator("[data-ahead]").inner_text() == "0"
    visit.at_window("call-next")
    expect(page.locator("[data-window]")).to_have_text("11 号窗口")
    expect(page).to_have_title(re.compile("11"))
    visit.at_window("recall")
    expect(page.locator(".times")).to_contain_text("2")
    visit.at_window("start")
    expect(page.locator("main.serving")).to_be_visible()
    visit.at_window("finish")
    page.click("[data-grade='5']")
    expect(page.locator(".rating")).to_contain_text("谢谢您的评价")
    page.reload()
    expect(page.locator("[data-grade]")).to_have_count(0)


def test_the_legs_of_a_joint_matter_are_followed_on_the_page(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("[data-legs]")).to_have_count(0)
    visit.window.send("POST", f"/halls/qiaocheng/tickets/{visit.label}/legs", {"services": ["general"]})
    legs = page.locator("[data-legs] li")
    expect(legs).to_have_count(2)
    expect(page.locator("[data-legs] h2")).to_have_text("联办进度 0/2")
    expect(legs.nth(1)).to_contain_text("现在没有窗口办理")
    visit.at_window("call-next")
    visit.at_window("finish")
    expect(page.locator("main.waiting")).to_be_visible()
    expect(page.locator("[data-label]")).to_have_text(visit.label)
    expect(legs.nth(0)).to_contain_text("11 号窗口已办结")
    expect(page.locator(".hint")).to_have_count(0)  # nobody would call: "you are next" would be wrong
    expect(page.locator("[data-legs] [aria-current=step]")).to_contain_text("现在办这一项")
    expect(page.locator("[data-legs]")).to_contain_text("首接窗口：11 号")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_phone_is_shaken_by_a_call_where_it_allows_that(visit: Visit) -> None:
    visit.page.evaluate(
        "() => { window.shaken = 0; Navigator.prototype.vibrate = () => { window.shaken += 1; return true } }"
    )
    visit.page.click("[data-label]")  # before the first touch browsers shake no phone
    visit.at_window("call-next")
    until(lambda: visit.page.evaluate("window.shaken") == 1, "the phone is shaken")
    visit.at_window("recall")
    until(lambda: visit.page.evaluate("window.shaken") == 2, "the phone is shaken")


def test_a_number_can_be_given_back_but_not_by_a_slip(visit: Visit) -> None:
    page = visit.page
    page.click("[data-cancel]")
    page.keyboard.press("Escape")
    expect(page.locator("[data-confirm]")).to_have_count(0)
    expect(page.locator("main.waiting")).to_be_visible()
    page.click("[data-cancel]")
    page.click("[data-confirm]")
    expect(page.locator("main.cancelled")).to_be_visible()
    expect(page.locator("[data-cancel]")).to_have_count(0)


def test_who_comes_late_queues_again(visit: Visit) -> None:
    visit.at_window("call-next")
    visit.at_window("missed")
    visit.page.click("[data-reinstate]")
    expect(visit.page.locator("main.waiting")).to_be_visible()


def test_the_page_tells_a_lost_connection_and_heals_without_a_reload(visit: Visit, station: Station) -> None:
    page = visit.page
    page.evaluate("window.stillTheSamePage = true")
    station.kill()
    expect(page.locator(".connection")).to_contain_text("信息可能延迟")
    station.start()
    expect(page.locator(".connection p")).to_have_count(0)
    visit.at_window("call-next")
    expect(page.locator("[data-window]")).to_be_visible()
    assert page.evaluate("window.stillTheSamePage")


def test_a_token_that_nobody_has_shows_no_ticket(visitor: Visitor) -> None:
    page = visitor.open("/t/qiaocheng/AAAAAAAAAAAAAAAAAAAAAA", PHONE)
    expect(page.locator("main.none h1")).to_have_text("找不到这张号票")


def test_english_is_remembered(visit: Visit) -> None:
    page = visit.page
    page.click("text=English")
    expect(page.locator("main")).to_contain_text("people ahead")
    page.reload()
    expect(page.locator("main")).to_contain_text("people ahead")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_first_load_is_small_and_one_chain(visitor: Visitor, visit: Visit) -> None:
    files: list[str] = []
    page = visitor.context(PHONE).new_page()
    page.on("response", lambda response: files.append(urlsplit(response.url).path) if response.ok else None)
    html = page.goto(visit.page.url)
    page.wait_for_selector("[data-label]")
    assert html is not None
    named = html.text()
    assets = [path for path in files if path.startswith("/pages/")]
    assert 3 <= len(assets) <= 8
    assert all(path in named for path in assets), "a file that only another file asks for is one more round trip"


def test_the_number_is_there_before_the_script_and_all_of_it_before_the_live_line(
    visitor: Visitor, visit: Visit
) -> None:
    slow = visitor.context(PHONE).new_page()
    slow.route("**/*.js", lambda route: route.abort())
    slow.goto(visit.page.url)
    expect(slow.locator("[data-first] h1")).to_have_text(f"{visit.label}前面 0 人")
    quiet = visitor.context(PHONE).new_page()
    quiet.route_web_socket("**/*", lambda _: None)  # opens, and never says a word
    quiet.goto(visit.page.url)
    expect(quiet.locator("[data-label]")).to_have_text(visit.label)
    expect(quiet.locator("[data-ahead]")).to_have_text("0")
    expect(quiet.locator(".connection")).to_contain_text("信息可能延迟")  # and it does not pretend


def test_staff_who_open_a_ticket_in_their_own_browser_act_as_its_holder(visitor: Visitor, visit: Visit) -> None:
    page = visitor.open("/login", PHONE)
    page.fill("#work-id", "manager-1")
    page.fill("#password", PASSWORD)
    page.select_option("#hall", "qiaocheng")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.goto(visit.page.url)
    page.click("[data-cancel]")
    page.click("[data-confirm]")
    expect(page.locator("main.cancelled")).to_be_visible()


def test_a_phone_rings_when_its_visitor_asked_for_that(visit: Visit) -> None:
    """Silent until asked; then a first ring so that it is known, and again when called."""
    page = visit.page
    page.evaluate(
        """() => {
          window.rings = 0
          const start = OscillatorNode.prototype.start
          OscillatorNode.prototype.start = function (...at) { window.rings++; return start.apply(this, at) }
        }"""
    )
    bell = page.locator("[data-bell]")
    expect(bell).to_contain_text("叫到我时响铃")
    bell.get_by_role("button").click()
    expect(bell).to_contain_text("请不要关闭本页")
    until(lambda: page.evaluate("window.rings") > 0, "a first ring")
    heard = page.evaluate("window.rings")
    visit.at_window("call-next")
    expect(page.locator("[data-window]")).to_be_visible()
    until(lambda: page.evaluate("window.rings") > heard, "the call rings")


def test_a_phone_that_was_not_asked_to_ring_is_silent(visit: Visit) -> None:
    page = visit.page
    page.evaluate("() => { window.AudioContext = class { constructor() { throw new Error('nobody asked') } } }")
    visit.at_window("call-next")
    expect(page.locator("[data-window]")).to_be_visible()
    expect(page.locator("[data-bell]")).to_have_count(0)
