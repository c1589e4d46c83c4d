"""The clerk console before a real server: by keys alone, harmless double presses, through a restart."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LAPTOP, PASSWORD, Api, Station, Visitor, hear, until

pytestmark = pytest.mark.browser

STRIP = (360, 800)
HALL = "/halls/qiaocheng"

# What sticks out of a strip that is docked beside another program. Gives [what].
SIDEWAYS = """() => {
  const found = []
  if (document.scrollingElement.scrollWidth > innerWidth) found.push('the page scrolls sideways')
  for (const one of document.querySelectorAll('button')) {
    const box = one.getBoundingClientRect()
    if (!box.width) continue
    if (box.left < -1 || box.right > innerWidth + 1) found.push(`outside: ${one.innerText}`)
    if (one.scrollWidth > one.clientWidth + 2) found.push(`cut off: ${one.innerText}`)
    if (box.height < 43.5) found.push(`small: ${one.innerText}`)
  }
  return found.slice(0, 5)
}"""


@pytest.fixture
def guide(station: Station) -> Iterator[Api]:
    """Give somebody who takes numbers for visitors."""
    guide = station.manager()
    yield guide
    guide.close()


def issue(guide: Api, service: str = "general", **more: str) -> str:
    """Take a number and give its label."""
    return str(guide.send("POST", f"{HALL}/tickets", {"service": service, **more})["label"])


def console(visitor: Visitor, station: Station, window: str = "3", size: tuple[int, int] = STRIP) -> Page:
    """Give the console of a clerk who has just signed in."""
    work_id = f"10{window:0>2}"
    station.people.add_user(work_id, PASSWORD, role="clerk", name=f"职员{window}", windows=(window,))
    page = visitor.open("/login", size)
    page.select_option("#hall", "qiaocheng")
    page.fill("#work-id", work_id)
    page.fill("#password", PASSWORD)
    page.fill("#window", window)
    page.keyboard.press("Enter")
    page.wait_for_url("**/clerk")
    page.wait_for_selector("main.work")
    return page


def current(page: Page) -> Locator:
    return page.locator("[data-label]")


def do(page: Page, key: str, *, says: str = "") -> None:
    """Press a key and wait until the page is ready for the next."""
    before = page.evaluate("window.said.length")
    page.keyboard.press(key)
    if says:
        hear(page, says, after=before)
    expect(page.locator("[data-do=main]")).to_have_attribute("aria-disabled", "false")


def not_a_slip(page: Page) -> None:
    """Let the time pass in which the same key again counts as a slip of the finger (0.8 s)."""
    page.wait_for_timeout(850)


def at_once(page: Page) -> None:
    """Let no time pass on the page's clock: a second press is a slip, and a lost answer is still young."""
    page.clock.set_fixed_time(datetime.now(UTC))


def fits(page: Page) -> None:
    """Wait until nothing sticks out."""
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")


def status(guide: Api, label: str) -> str:
    return str(guide.send("GET", f"{HALL}/tickets/{label}")["status"])


def test_a_day_at_the_window_by_keys_alone(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station)
    do(page, "F1", says="没有人等候")
    labels = [issue(guide) for _ in range(5)]
    expect(page.locator(".lists")).to_contain_text("5 人等候")
    not_a_slip(page)
    do(page, "F1")
    expect(current(page)).to_have_text(labels[0])
    do(page, "F2", says="已再次呼叫")
    expect(page.locator(".state").first).to_contain_text("已呼叫 2 次")
    do(page, "Enter")
    expect(page.locator(".current")).to_contain_text("通常 10 分钟")
    do(page, "F1")  # one key from a finished visit to the next call
    expect(current(page)).to_have_text(labels[1])
    assert status(guide, labels[0]) == "finished"
    do(page, "9", says="已过号")
    assert status(guide, labels[1]) == "missed"
    do(page, "1")
    expect(current(page)).to_have_text(labels[2])
    page.keyboard.press("F7")
    page.get_by_label("备注").fill("去复印")
    do(page, "F7", says="已挂起")
    assert status(guide, labels[2]) == "held"
    expect(page.get_by_label("挂起的号")).to_contain_text("去复印")
    do(page, "F8")  # the only one on hold comes back without a question
    expect(current(page)).to_have_text(labels[2])
    page.keyboard.press("4")
    expect(page.locator("dialog")).to_contain_text("弃号 5 秒后不能恢复")
    do(page, "F4", says="已弃号")
    assert status(guide, labels[2]) == "no_show"
    do(page, "F1")
    do(page, "r", says="已退回")
    assert status(guide, labels[3]) == "waiting"
    page.keyboard.press("F10")
    do(page, "1")
    expect(page.locator(".resting")).to_contain_text("暂停中：午餐")
    do(page, "Enter")
    do(page, "F1")
    expect(current(page)).to_have_text(labels[3])
    do(page, "F3", says="已办结")


def test_the_last_visitor_is_finished_even_when_nobody_is_next(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = console(visitor, station)
    do(page, "F1")
    do(page, "Enter")
    do(page, "F1", says="现在没有人等候")
    assert status(guide, label) == "finished"


def test_a_double_press_calls_one_visitor(visitor: Visitor, station: Station, guide: Api) -> None:
    labels = [issue(guide) for _ in range(3)]
    page = console(visitor, station)
    at_once(page)
    page.evaluate("for (let n = 0; n < 3; n++) document.querySelector('[data-do=main]').click()")
    expect(current(page)).to_have_text(labels[0])
    for _ in range(3):
        page.keyboard.press("F1")
    expect(current(page)).to_have_text(labels[0])
    do(page, "Enter")
    page.keyboard.press("F1")
    page.keyboard.press("F1")
    expect(current(page)).to_have_text(labels[1])
    page.wait_for_timeout(300)
    expect(current(page)).to_have_text(labels[1])
    assert [status(guide, label) for label in labels] == ["finished", "called", "waiting"]


def test_a_key_that_makes_no_sense_now_is_answered_in_place(visitor: Visitor, station: Station) -> None:
    page = console(visitor, station)
    do(page, "F3", says="“空闲”时不能“办结”")
    do(page, "F6", says="“空闲”时不能“转移”")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_transfer_shows_the_wait_there_and_keeps_the_label(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    issue(guide, "pickup")
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("F6")
    page.keyboard.type("取件")
    expect(page.locator("[data-target]")).to_have_count(1)
    expect(page.locator("[data-target]")).to_contain_text("1 人等候")
    expect(page.locator("[data-target]")).to_contain_text("无窗口开放")
    page.get_by_label("最前面").check()
    page.get_by_role("textbox", name="备注").fill("先取件")
    do(page, "Enter", says="已转移")
    ticket = guide.send("GET", f"{HALL}/tickets/{label}")
    assert (ticket["status"], ticket["service"], ticket["label"]) == ("waiting", "pickup", label)
    assert ticket["history"][-1]["reason"] == "先取件"


def test_a_refused_transfer_keeps_the_dialog_and_what_was_typed(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("F6")
    page.keyboard.type("取件")
    page.get_by_role("textbox", name="备注").fill("先取件")
    guide.send("POST", f"{HALL}/windows/3/finish", {})  # a keypad was quicker
    page.keyboard.press("Enter")
    expect(page.locator("dialog [role=alert]")).to_contain_text(label)
    expect(page.get_by_role("textbox", name="备注")).to_have_value("先取件")


def test_somebody_is_called_out_of_turn_with_a_reason(visitor: Visitor, station: Station, guide: Api) -> None:
    labels = [issue(guide) for _ in range(3)]
    page = console(visitor, station)
    page.keyboard.press("c")
    page.get_by_label("票号").fill(labels[2].lower())
    expect(page.locator("[data-yes]")).to_be_disabled()
    page.get_by_role("button", name="预约办理").click()
    page.locator("[data-yes]").click()
    expect(current(page)).to_have_text(labels[2])
    expect(page.locator(".current")).to_contain_text("预约办理")


def test_a_missed_visitor_comes_back(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = console(visitor, station, size=LAPTOP)
    do(page, "F1")
    do(page, "F9", says="已过号")
    page.get_by_label("过号", exact=True).get_by_role("button", name="恢复排队").click()
    expect(page.get_by_label("等候的号")).to_contain_text(label)
    assert status(guide, label) == "waiting"


def test_a_press_during_a_restart_happens_once_and_nothing_typed_is_lost(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    labels = [issue(guide) for _ in range(3)]
    page = console(visitor, station)
    do(page, "F1")
    page.keyboard.press("F7")
    page.get_by_label("备注").fill("去缴费")
    station.kill()
    expect(page.locator(".late")).to_contain_text("连接中断")
    expect(page.get_by_label("备注")).to_have_value("去缴费")
    at_once(page)
    page.keyboard.press("F7")  # nobody answers; the same press is sent again when the server is back
    station.start()
    expect(page.get_by_label("挂起的号")).to_contain_text("去缴费")
    expect(page.locator(".late")).to_have_count(0)
    assert status(guide, labels[0]) == "held"
    do(page, "F1")
    expect(current(page)).to_have_text(labels[1])


def test_what_others_do_at_the_window_is_seen_at_once(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = console(visitor, station)
    guide.send("POST", f"{HALL}/windows/3/call-next", {})
    expect(current(page)).to_have_text(label)
    expect(page).to_have_title(f"(0) {label} · 3号窗口")
    guide.send("POST", f"{HALL}/windows/3/finish", {})
    expect(page.locator(".resting")).to_be_visible()


def test_a_signed_out_console_says_so(visitor: Visitor, station: Station, guide: Api) -> None:
    issue(guide)
    page = console(visitor, station)
    page.context.clear_cookies()
    page.keyboard.press("F1")
    expect(page.get_by_role("alert")).to_contain_text("登录已失效")
    page.get_by_role("button", name="去登录").click()
    page.wait_for_url("**/login**")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_sticks_out_of_the_docked_strip(visitor: Visitor, station: Station, guide: Api, language: str) -> None:
    for service in ("general", "online", "legal-aid", "culture"):
        issue(guide, service, priority="green_channel")
    page = console(visitor, station)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("F8")
    page.keyboard.press("Escape")
    page.goto(f"{station.url}/clerk?lang={language}")
    page.wait_for_selector("main.work")
    fits(page)
    do(page, "F1")
    fits(page)
    do(page, "Enter")
    fits(page)


def test_closing_the_window_asks_and_the_big_button_opens_it_again(visitor: Visitor, station: Station) -> None:
    page = console(visitor, station)
    page.get_by_role("button", name="菜单").click()
    page.get_by_role("button", name="关窗").click()
    page.locator("[data-yes]").click()
    expect(page.locator(".resting")).to_contain_text("窗口未开放")
    do(page, "Enter")
    expect(page.locator(".top")).to_contain_text("空闲")


def test_a_manager_works_any_window(visitor: Visitor, station: Station, guide: Api) -> None:
    label = issue(guide)
    page = visitor.open("/login", LAPTOP)
    page.fill("#work-id", "manager-1")
    page.fill("#password", PASSWORD)
    page.select_option("#hall", "qiaocheng")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.goto(f"{station.url}/clerk?hall=qiaocheng&window=5")
    page.wait_for_selector("main.work")
    do(page, "Enter")
    do(page, "F1")
    expect(current(page)).to_have_text(label)
    until(lambda: status(guide, label) == "called", "the server has the call")


def test_a_joint_matter_is_planned_and_finished_leg_by_leg(visitor: Visitor, station: Station, guide: Api) -> None:
    page = console(visitor, station)
    label = issue(guide)
    do(page, "F1")
    expect(current(page)).to_have_text(label)
    page.get_by_role("button", name="菜单").press("Enter")
    page.locator("[data-plan-legs]").press("Enter")
    for service in ("household", "pickup"):
        page.keyboard.type(service)
        page.keyboard.press("Enter")
        expect(page.locator(f"[data-chosen={service}]")).to_be_visible()
    page.keyboard.press("Enter")
    hear(page, "联办环节已定")
    expect(page.locator("[data-legs] li")).to_have_count(3)
    expect(page.locator("[data-do=finish]")).to_contain_text("办结本环节，转下一环节")
    fits(page)
    page.locator("[data-do=finish]").click()
    page.locator("[data-leg=pickup]").press("Enter")
    hear(page, "转下一环节")
    expect(current(page)).to_have_count(0)
    ticket = guide.send("GET", f"{HALL}/tickets/{label}")
    assert (ticket["status"], ticket["service"], ticket["lead_window"]) == ("waiting", "pickup", "3")


def test_a_call_that_helps_another_zone_says_what_was_weighed(visitor: Visitor, station: Station, guide: Api) -> None:
    helped = "支援：该区预计 90+ 分钟清空，本区 0 分钟"
    label, *_ = [issue(guide, "culture") for _ in range(5)]  # whose only desk is away; window 3 relieves it
    page = console(visitor, station)
    do(page, "F1")
    expect(current(page)).to_have_text(label)
    expect(page.locator("[data-why]")).to_have_text(helped)
    fits(page)
    history = guide.send("GET", f"{HALL}/tickets/{label}")["history"]
    assert [it["reason"] for it in history if it["event"] == "ticket_called"] == [helped]


def test_a_zone_that_asks_for_help_is_heard_and_stands_in_the_title_until_somebody_looks(
    visitor: Visitor, station: Station, guide: Api
) -> None:
    page = console(visitor, station, "26")  # its clerk was trained for general matters, too
    page.evaluate(
        """() => {
          window.tones = 0
          const start = OscillatorNode.prototype.start
          OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when) }
          window.titles = []
          new MutationObserver(() => window.titles.push([document.title, Date.now()]))
            .observe(document.querySelector('title'), { childList: true })
        }"""
    )
    guide.send("POST", f"{HALL}/windows/1/open", {})
    for _ in range(25):
        issue(guide)
    expect(page.locator("[data-relief-wanted]")).to_contain_text("无差别综合服务区")
    calls = "() => window.titles.filter(([title]) => title.includes('请支援')).map(([, at]) => at)"
    until(lambda: len(page.evaluate(calls)) >= 2, "the title takes turns")
    first, second = page.evaluate(calls)[:2]
    assert second - first > 1000 / 3, "three flashes a second can harm people"
    assert page.evaluate("window.tones") == 2
    page.keyboard.press("Shift")
    expect(page).to_have_title(re.compile(r"^\(\d+\)"))
    expect(page.locator("[data-relief-wanted]")).to_be_visible()  # the words stay
