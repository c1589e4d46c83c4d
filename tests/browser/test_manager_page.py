"""The manager page before a real server: the hall at a glance, and every change that a manager may make."""

from collections.abc import Iterator

import pytest
import socketio
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PASSWORD, PHONE, Api, Station, Visitor, hear, until

pytestmark = pytest.mark.browser

OLD_LAPTOP = (1366, 768)
HALL = "/halls/qiaocheng"

# What is cut off or sticks out. Gives [what].
SIDEWAYS = """() => {
  const found = []
  if (document.scrollingElement.scrollWidth > innerWidth) found.push('the page scrolls sideways')
  for (const one of document.querySelectorAll('main button, main td, main th')) {
    if (one.closest('.scroll')) continue
    const box = one.getBoundingClientRect()
    if (box.width && (box.left < -1 || box.right > innerWidth + 1)) found.push(`outside: ${one.innerText}`)
    if (one.scrollWidth > one.clientWidth + 2) found.push(`cut off: ${one.innerText}`)
  }
  return found.slice(0, 5)
}"""


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def open_page(visitor: Visitor, size: tuple[int, int] = OLD_LAPTOP, query: str = "hall=qiaocheng") -> Page:
    """Give the page of a manager who has just signed in; `chief` has made the account."""
    page = visitor.open("/login", size)
    page.fill("#work-id", "9001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.goto(f"{page.url}?{query}")
    page.wait_for_selector("[data-window]")
    return page


def issue(chief: Api, service: str = "general") -> str:
    return str(chief.send("POST", f"{HALL}/tickets", {"service": service})["label"])


def staff(chief: Api, station: Station, window: str) -> None:
    """Let a clerk sit down."""
    if f"c{window}" not in {user.work_id for user in station.people.users()}:
        station.people.add_user(f"c{window}", PASSWORD, role="clerk", name=f"职员{window}")
    clerk = station.api()
    body = {"work_id": f"c{window}", "password": PASSWORD, "window": window, "hall": "qiaocheng"}
    csrf = clerk.send("POST", "/login", body)["csrf"]
    clerk._session.headers["X-CSRF-Token"] = csrf
    clerk.send("POST", f"{HALL}/windows/{window}/open", {})
    clerk.close()


def test_a_hall_of_29_windows_fits_an_old_laptop_and_follows_it_live(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    station.people.add_user("c3", PASSWORD, role="clerk", name="职员3")
    page = open_page(visitor)
    expect(page.locator("[data-window]")).to_have_count(29)
    last = page.locator("[data-window='26']").bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= OLD_LAPTOP[1]
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")
    staff(chief, station, "3")
    expect(page.locator("[data-window='3']")).to_contain_text("空闲")
    expect(page.locator("[data-window='3']")).to_contain_text("职员3")
    label = issue(chief)
    chief.send("POST", f"{HALL}/windows/3/call-next", {})
    expect(page.locator("[data-window='3']")).to_contain_text(label)
    expect(page.locator("[data-window='3']")).to_contain_text("呼叫中")
    chief.send("POST", f"{HALL}/windows/3/finish", {})
    expect(page.locator("[data-window='3']")).to_contain_text("办 1")


def test_the_page_lives_on_over_a_restart(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    station.kill()
    expect(page.locator(".late")).to_contain_text("连接中断")
    station.start()
    expect(page.locator(".late")).to_have_count(0)
    staff(chief, station, "4")
    expect(page.locator("[data-window='4']")).to_contain_text("空闲")


def test_services_of_a_window_change_at_once(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    page.click("[data-window='11']")
    expect(page.locator("[data-do=assign]")).to_be_disabled()
    page.locator("[data-service=general]").get_by_label("支援").check()
    page.locator("[data-service=household]").get_by_label("主办").check()
    page.click("[data-do=assign]")
    hear(page, "分配已保存")
    [row] = [one for one in chief.send("GET", f"{HALL}/state")["windows"] if one["window"] == "11"]
    assert (row["serves"], row["relief"]) == (["household"], ["general"])
    # Nothing left to serve is refused, and the sentence stands in the dialog.
    page.locator("[data-service=general]").get_by_label("不办").check()
    page.locator("[data-service=household]").get_by_label("不办").check()
    page.click("[data-do=assign]")
    expect(page.locator("dialog [role=alert]")).to_contain_text("至少要办理一个事项")


def test_a_window_is_paused_resumed_and_closed_for_somebody(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "5")
    page = open_page(visitor)
    page.click("[data-window='5']")
    page.get_by_role("button", name="暂停窗口").click()
    page.get_by_label("暂停原因").select_option("fault")
    page.click("[data-do=pause]")
    expect(page.locator("[data-window='5']")).to_contain_text("设备故障")
    page.get_by_role("button", name="恢复叫号").click()
    expect(page.locator("[data-window='5']")).to_contain_text("空闲")
    page.get_by_role("button", name="关闭窗口").click()
    page.click("[data-do=close]")
    expect(page.locator("[data-window='5']")).to_contain_text("未开放")


def test_a_busy_window_is_not_closed_and_the_sentence_says_why(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "5")
    label = issue(chief)
    chief.send("POST", f"{HALL}/windows/5/call-next", {})
    page = open_page(visitor)
    page.click("[data-window='5']")
    page.get_by_role("button", name="关闭窗口").click()
    page.click("[data-do=close]")
    expect(page.locator("dialog [role=alert]")).to_contain_text(f"窗口 5 还在办理 {label}")


def test_a_ticket_is_found_by_label_with_its_history_and_cancelled(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    label = issue(chief)
    page = open_page(visitor)
    page.click("#tab-tickets")
    page.fill("#label", "Z999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("今天没有号票 Z999。")
    page.fill("#label", label.lower())
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text("等候中")
    expect(page.locator("#found")).to_contain_text("取号")
    page.get_by_role("button", name="取消号票").click()
    page.get_by_label("取消原因").fill("办错事项")
    page.click("[data-do=cancel]")
    expect(page.locator("#found")).to_contain_text("已取消")
    expect(page.locator("#found")).to_contain_text("办错事项")
    assert chief.send("GET", f"{HALL}/tickets/{label}")["status"] == "cancelled"


def test_a_missed_ticket_is_reinstated(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "5")
    label = issue(chief)
    chief.send("POST", f"{HALL}/windows/5/call-next", {})
    chief.send("POST", f"{HALL}/windows/5/missed", {})
    page = open_page(visitor)
    page.click("#tab-tickets")
    page.get_by_label("状态").select_option("missed")
    page.get_by_role("button", name=label).click()
    page.click("[data-do=reinstate]")
    expect(page.locator("#found")).to_contain_text("恢复排队")
    assert chief.send("GET", f"{HALL}/tickets/{label}")["status"] == "waiting"


def test_a_printer_without_paper_comes_first(visitor: Visitor, station: Station, chief: Api) -> None:
    agent = station.api(station.people.add_device("agent", role="devices"))
    agent.send("PUT", f"{HALL}/devices/strips", {"kind": "strip", "windows": ["1", "2", "3"], "health": "down"})
    page = open_page(visitor)
    expect(page.locator(".alarms")).to_contain_text("strips 连接不上")
    fault = {"code": "paper_out", "detail": "", "since": "2026-03-02T09:00:00+08:00"}
    body = {"kind": "printer", "url": "tcp://192.0.2.1:9100", "health": "down", "paper": "out", "faults": [fault]}
    agent.send("PUT", f"{HALL}/devices/printer-1", body)
    agent.close()
    expect(page.locator(".alarms")).to_contain_text("printer-1 缺纸")
    page.click("#tab-devices")
    expect(page.locator(".devices li").first).to_contain_text("缺纸")
    expect(page.locator(".devices li").first).to_contain_text("09:00")
    expect(page.locator(".devices li").nth(1)).to_contain_text("1–3 号窗口")


def test_a_ticket_that_did_not_come_out_is_said_beside_its_printer(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    token = station.people.add_device("agent", role="devices")
    agent = station.api(token)
    agent.send("PUT", f"{HALL}/devices/printer-1", {"kind": "printer", "health": "ok", "paper": "ok"})
    agent.close()
    line = socketio.Client(reconnection=False)
    why = {"status": "failed", "detail": "cutter: the cutter is blocked"}
    line.on("job", lambda job: {"id": job["id"], "result": why}, namespace="/live")
    line.connect(station.url, transports=["websocket"], namespaces=["/live"], auth={"token": token})
    try:
        line.call("watch", {"hall": "qiaocheng", "topic": "device:printer-1", "after": None}, namespace="/live")
        kiosk = station.api(station.people.add_device("kiosk-1", role="kiosk"))
        label = kiosk.send("POST", f"{HALL}/tickets", {"service": "general"})["label"]
        kiosk.close()
        page = open_page(visitor)
        page.click("#tab-devices")
        missing = page.locator("[data-show=missing]")
        expect(missing).to_contain_text(f"{label} 没有完成：切刀故障")
        assert not page.evaluate(SIDEWAYS)
    finally:
        line.disconnect()


def test_who_waits_where_nobody_calls_is_said(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    issue(chief, "household")
    expect(page.locator(".alarms")).to_contain_text("公安户籍专区有 1 人等候，但没有窗口在叫号")


def test_the_day_is_closed_only_when_one_is_sure(visitor: Visitor, station: Station, chief: Api) -> None:
    label = issue(chief)
    page = open_page(visitor)
    page.click("#tab-day")
    page.click("[data-do=ask-close-day]")
    expect(page.locator("dialog")).to_contain_text("1 位等候的人")
    expect(page.locator("[data-do=close-day]")).to_be_disabled()
    page.get_by_role("checkbox").check()
    page.click("[data-do=close-day]")
    expect(page.locator(".alarms")).to_contain_text("今天已结束")
    assert chief.send("GET", f"{HALL}/tickets/{label}")["status"] == "expired"


def test_several_halls_are_chosen_from(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    page.get_by_role("combobox", name="大厅").select_option("demo")
    expect(page.locator("[data-window]")).not_to_have_count(29)
    page.wait_for_selector("[data-window]")


def test_a_clerk_is_told_that_the_page_is_for_managers(visitor: Visitor, station: Station) -> None:
    station.people.add_user("1003", PASSWORD, role="clerk")
    page = visitor.open("/login", LAPTOP)
    page.fill("#work-id", "1003")
    page.fill("#password", PASSWORD)
    page.fill("#window", "3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clerk")
    page.goto(f"{station.url}/manager")
    expect(page.get_by_role("alert")).to_contain_text("只有管理员")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, OLD_LAPTOP])
def test_nothing_sticks_out_on_any_tab(
    visitor: Visitor, station: Station, chief: Api, language: str, size: tuple[int, int]
) -> None:
    for service in ("general", "household", "legal-aid"):
        issue(chief, service)
    page = open_page(visitor, size, f"hall=qiaocheng&lang={language}")
    for tab in ("hall", "services", "tickets", "devices", "day", "reports"):
        page.click(f"#tab-{tab}")
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out of {tab}: {page.evaluate(SIDEWAYS)}")
