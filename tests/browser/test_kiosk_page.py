"""The kiosk's touch page before a real server: two touches to a number, harmless double presses, help in trouble."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import LANDSCAPE, LAPTOP, PHONE, PORTRAIT, Api, Station, Visitor, until

pytestmark = pytest.mark.browser

TICKETS = "/halls/qiaocheng/tickets"

# What sticks out of its box, is cut off, or would make the page scroll. Gives [what].
STICKING_OUT = """() => {
  const found = []
  const width = innerWidth, height = innerHeight
  if (document.scrollingElement.scrollWidth > width) found.push('the page scrolls sideways')
  if (document.scrollingElement.scrollHeight > height) found.push('the page scrolls')
  const floor = document.querySelector('main').getBoundingClientRect().bottom
  for (const one of document.querySelectorAll('main button, main article'))
    if (one.getBoundingClientRect().bottom > floor + 1) found.push(`under the footer: ${one.innerText.slice(0, 30)}`)
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('svg, .for-readers') || one.matches('.outer, .inner')) continue
    const box = one.getBoundingClientRect()
    if (!box.width || !box.height) continue
    if (box.right > width + 1 || box.bottom > height + 1 || box.left < -1 || box.top < -1)
      found.push(`outside the screen: ${one.tagName}.${one.className}`)
    const tooBig = one.scrollHeight > one.clientHeight + 2 || one.scrollWidth > one.clientWidth + 2
    if (tooBig && one.matches('button, .area, .paper'))
      found.push(`cut off: ${one.tagName}.${one.className} ${one.innerText.slice(0, 30)}`)
  }
  return found.slice(0, 5)
}"""


def kiosk(
    visitor: Visitor,
    station: Station,
    hall: str = "qiaocheng",
    size: tuple[int, int] = PORTRAIT,
    more: str = "",
    *,
    own_clock: bool = False,
) -> Page:
    """Give a kiosk that is enrolled and shows what to choose."""
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall={hall}{more}#code={code}", size, own_clock=own_clock)
    page.wait_for_selector("[data-choice]")
    return page


def turn_to(page: Page, choice: str) -> None:
    """Turn the pages until this card is shown; how many fit may still be measured, so again from the start."""

    def shown() -> bool:
        if page.locator(f"[data-choice={choice}]").count():
            return True
        onward = page.locator(".pages button:last-child")
        if onward.is_enabled():
            onward.click()
        else:
            while page.locator(".pages button:first-child").is_enabled():
                page.click(".pages button:first-child")
        return False

    until(shown, f"a page shows {choice}")


def label(page: Page) -> str:
    """Give the number on the screen."""
    return page.locator("[data-label]").inner_text()


@pytest.fixture
def manager(station: Station) -> Iterator[Api]:
    manager = station.manager()
    yield manager
    manager.close()


def test_a_visitor_gets_a_number_for_pickup_in_two_touches_and_a_question(
    visitor: Visitor, station: Station, manager: Api
) -> None:
    page = kiosk(visitor, station)
    page.click("[data-choice=general]")
    page.click("[data-choice=pickup]")
    page.click("[data-priority='']")
    assert label(page) == "T001"
    expect(page.locator(".paper")).to_contain_text("取件")
    [ticket] = manager.send("GET", TICKETS)["tickets"]
    assert (ticket["label"], ticket["service"], ticket["priority"]) == ("T001", "pickup", "ordinary")


def test_a_zone_with_one_service_needs_one_touch_and_the_green_channel_is_kept(
    visitor: Visitor, station: Station, manager: Api
) -> None:
    page = kiosk(visitor, station)
    page.click("[data-choice=household]")
    page.click("[data-priority=green_channel]")
    assert label(page) == "C001"
    expect(page.locator(".paper")).to_contain_text("绿色通道")
    assert [one["priority"] for one in manager.send("GET", TICKETS)["tickets"]] == ["green_channel"]


def test_a_small_hall_shows_its_services_at_once(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, "demo")
    services = station.api(station.people.add_device("look", role="display")).send("GET", "/halls/demo")["services"]
    assert page.locator("[data-choice]").count() == len(services)


def test_pressing_twice_gives_one_number(visitor: Visitor, station: Station, manager: Api) -> None:
    page = kiosk(visitor, station)
    page.click("[data-choice=household]")
    page.evaluate(
        "() => { const one = document.querySelector('[data-priority=\"\"]'); one.click(); one.click(); one.click() }"
    )
    page.wait_for_selector("[data-label]")
    page.dblclick("[data-done]")
    page.wait_for_selector("[data-choice]")
    assert len(manager.send("GET", TICKETS)["tickets"]) == 1


def test_a_lost_answer_is_asked_for_again_and_gives_the_same_number(
    visitor: Visitor, station: Station, manager: Api
) -> None:
    page = kiosk(visitor, station)
    keys: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # it did happen
            route.abort()
        else:
            route.continue_()

    page.route("**/tickets", lose_the_first_answer)
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    assert label(page) == "C001"
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(manager.send("GET", TICKETS)["tickets"]) == 1


def test_people_waiting_are_counted_live(visitor: Visitor, station: Station, manager: Api) -> None:
    page = kiosk(visitor, station)
    manager.send("POST", "/halls/qiaocheng/windows/11/open", {})
    card = page.locator("[data-choice=household]")
    expect(card).to_contain_text("不用等候")
    manager.send("POST", TICKETS, {"service": "household"})
    manager.send("POST", TICKETS, {"service": "household"})
    expect(card).to_contain_text("前面 2 人")


def test_the_ticket_goes_away_by_itself_and_leaves_nothing_behind(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, own_clock=True)
    page.click("text=English")
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    expect(page.locator("[data-done]")).to_contain_text("back to start in")
    page.clock.run_for(20_000)
    expect(page.locator("h2")).to_contain_text("您要办什么事")
    assert "C001" not in page.content()


def test_a_visitor_who_walks_away_leaves_the_start_for_the_next(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, own_clock=True)
    page.click("text=大字")
    page.click("text=English")
    turn_to(page, "general")
    page.click("[data-choice=general]")
    page.clock.run_for(14_000)
    expect(page.locator(".leaving")).to_be_visible()
    page.clock.run_for(8_000)
    expect(page.locator("h2")).to_contain_text("您要办什么事")
    assert not page.evaluate("document.documentElement.classList.contains('large')")


def test_without_paper_no_number_is_given_and_the_visitor_is_told_where_to_go(
    visitor: Visitor, station: Station
) -> None:
    agent = station.api(station.people.add_device("agent-1", role="devices"))
    printer = {"kind": "printer", "driver": "escpos", "url": "tcp://127.0.0.1:9100", "health": "ok", "paper": "ok"}
    agent.send("PUT", "/halls/qiaocheng/devices/printer-1", printer)
    page = kiosk(visitor, station)
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    expect(page.locator(".say")).to_contain_text("请取走小票")
    agent.send("PUT", "/halls/qiaocheng/devices/printer-1", printer | {"paper": "out"})
    with page.expect_response("**/api/v1/devices?*"):  # the kiosk looks at its printer
        page.reload()
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    expect(page.locator("[role=alert]")).to_contain_text("缺纸")
    expect(page.locator("[role=alert]")).to_contain_text("请到引导台取号")
    expect(page.locator("[data-without-paper]")).to_contain_text("请到引导台取号")
    assert "C002" not in page.content(), "a number that nobody carries away"
    page.click("[data-paperless]")
    expect(page.locator(".say")).to_contain_text("不出小票")
    assert label(page) == "C002"
    agent.close()


def test_a_server_that_is_gone_sends_people_to_the_desk_and_heals_without_a_reload(
    visitor: Visitor, station: Station
) -> None:
    page = kiosk(visitor, station)
    page.evaluate("window.stillTheSamePage = true")
    station.kill()
    expect(page.locator(".late")).to_contain_text("引导台")
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    expect(page.locator("main")).to_contain_text("请到引导台")
    station.start()
    expect(page.locator(".late")).to_have_count(0)
    page.click("text=再试一次")  # the same press, the same key
    assert label(page) == "C001"
    assert page.evaluate("window.stillTheSamePage")


def test_a_refusal_is_told_in_words(visitor: Visitor, station: Station, manager: Api) -> None:
    page = kiosk(visitor, station)
    manager.send("POST", "/halls/qiaocheng/day/close", {})
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    page.wait_for_selector("main [role=alert]")
    assert "_" not in page.locator("main").inner_text()


def test_a_kiosk_is_enrolled_once_by_hand(visitor: Visitor, station: Station) -> None:
    page = visitor.open("/kiosk?hall=qiaocheng", LAPTOP)
    page.fill("#code", "WRONG-CODE")
    page.click("button[type=submit]")
    expect(page.locator(".problem")).to_be_visible()
    page.fill("#code", station.people.new_code("kiosk-2", role="kiosk"))
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-choice]")
    page.reload()
    page.wait_for_selector("[data-choice]")


def test_a_kiosk_that_is_sent_away_asks_for_a_new_code(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station)
    station.people.revoke_device("kiosk-1")
    page.click("[data-choice=household]")
    page.click("[data-priority='']")
    page.wait_for_selector("#code")


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, LAPTOP, PHONE], ids=["portrait", "landscape", "laptop", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(visitor: Visitor, station: Station, size: tuple[int, int], language: str) -> None:
    page = kiosk(visitor, station, size=size, more=f"&lang={language}")

    def whole() -> bool:
        return bool(page.evaluate(STICKING_OUT) == [])

    def look(what: str) -> None:
        until(whole, f"{what}: {page.evaluate(STICKING_OUT)}")

    look("start")
    if size != PHONE:
        page.click(".tool[aria-pressed]")
        look("start in large type")
    turn_to(page, "construction")
    page.click("[data-choice=construction]")
    look("zone")
    turn_to(page, "construction-1")
    page.click("[data-choice=construction-1]")
    look("question")
    page.click("[data-priority=green_channel]")
    page.wait_for_selector("[data-label]")
    look("ticket")


SMALL = (("tests/browser/halls/small.toml",), ())
CHINESE = (("tests/browser/halls/chinese.toml",), ())
ZHENYUAN = (("config/zhenyuan.toml",), ())
SATURDAY = (("config/hefeng-county.toml",), ("--clock", "2026-03-07T10:00:00+08:00"))
LUNCH = (("config/hefeng-county.toml",), ("--clock", "2026-03-03T12:30:00+08:00"))
LATIN = re.compile(r"[A-Za-z]{2,}")


def at_the_kiosk(visitor: Visitor, station: Station, hall: str, device: str = "kiosk-1", more: str = "") -> Page:
    """Give a kiosk of this name."""
    code = station.people.new_code(device, role="kiosk")
    page = visitor.open(f"/kiosk?hall={hall}{more}#code={code}", PORTRAIT)
    page.wait_for_selector("[data-choice]")
    return page


@pytest.mark.parametrize("station", [SMALL], indirect=True)
def test_a_joint_matter_tells_its_stops_before_the_press_and_on_the_ticket(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "small")
    expect(page.locator("[data-choice=home] .marks")).to_contain_text("一号办 2 项")
    page.click("[data-choice=home]")
    expect(page.locator("[data-stops] li")).to_have_text(
        [re.compile("房产过户.*一楼.*不动产区.*1 号窗口"), re.compile("房产交易税.*二楼.*咨询区.*2 号窗口")]
    )
    page.click("[data-go]")
    page.wait_for_selector("[data-label]")
    expect(page.locator(".paper [data-stops] li")).to_have_count(2)
    expect(page.locator(".paper")).to_contain_text("二楼 · 咨询区")


@pytest.mark.parametrize("station", [SMALL], indirect=True)
def test_marks_units_and_areas_are_told_and_nothing_is_a_dead_button(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "small")
    tax = page.locator("[data-choice=tax]")
    expect(tax.locator(".marks")).to_contain_text("跨省通办")
    expect(tax.locator(".marks")).to_contain_text("只收件")
    expect(tax).to_contain_text("区中心")
    area = page.locator("[data-area=machines]")
    expect(area).to_contain_text("24 小时开放")
    expect(area).to_contain_text("无需取号")
    assert page.locator("button[data-area], [data-choice=machines]").count() == 0


@pytest.mark.parametrize("station", [ZHENYUAN], indirect=True)
def test_a_hall_on_three_floors_is_browsed_by_floor_the_kiosks_own_first(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "zhenyuan", "zhenyuan-2F")
    expect(page.locator("[data-place]")).to_have_count(4)  # and by department
    expect(page.locator("[data-place].chosen")).to_contain_text("二楼")
    expect(page.locator("[data-choice=medical]")).to_be_visible()
    assert page.locator("[data-choice=tax]").count() == 0
    page.click("[data-place='1F']")
    expect(page.locator("[data-choice=tax]")).to_be_visible()
    expect(page.locator("[data-area]")).to_have_count(1)


@pytest.mark.parametrize("station", [LUNCH], indirect=True)
def test_a_closed_hall_says_when_it_opens_and_refuses_kindly(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "hefeng-county")
    expect(page.locator(".question")).to_contain_text("现在不取号")
    expect(page.locator(".question")).to_contain_text("14:00 开始取号")
    page.click("[data-choice=consult]")
    if page.locator("[data-priority='']").count():
        page.click("[data-priority='']")
    expect(page.locator("main [role=alert]")).to_contain_text("14:00")


@pytest.mark.parametrize("station", [SATURDAY], indirect=True)
def test_on_weekend_duty_zones_that_rest_say_when_they_open(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "hefeng-county")
    expect(page.locator(".question")).to_contain_text("您要办什么事")
    expect(page.locator("[data-choice=joint], [data-choice=departments]").first).to_contain_text("周一 08:30 起")


@pytest.mark.parametrize("station", [CHINESE], indirect=True)
def test_a_hall_with_chinese_alone_shows_no_english_even_when_asked(visitor: Visitor, station: Station) -> None:
    page = at_the_kiosk(visitor, station, "chinese", more="&lang=en")
    assert not LATIN.search(page.locator("body").inner_text())
    assert page.locator(".languages").count() == 0
    page.click("[data-choice=home]")
    with page.expect_response(lambda one: one.request.method == "POST" and one.url.endswith("/tickets")) as answer:
        page.click("[data-go]")
    page.wait_for_selector("[data-label]")
    assert not LATIN.search(page.locator("body").inner_text())
    phone = visitor.open(f"{urlsplit(answer.value.json()['track_url']).path}?lang=en", PHONE)
    expect(phone.locator("[data-legs]")).to_contain_text("二楼 · 咨询区")
    expect(phone.locator("html")).to_have_attribute("lang", "zh-CN")
    assert not LATIN.search(phone.locator("body").inner_text())
    assert phone.locator(".languages").count() == 0


@pytest.mark.parametrize("station", [ZHENYUAN], indirect=True)
@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])
def test_nothing_is_cut_off_in_the_largest_hall(visitor: Visitor, station: Station, size: tuple[int, int]) -> None:
    code = station.people.new_code("zhenyuan-1F", role="kiosk")
    page = visitor.open(f"/kiosk?hall=zhenyuan#code={code}", size)
    page.wait_for_selector("[data-choice]")

    def whole() -> bool:
        return bool(page.evaluate(STICKING_OUT) == [])

    def look(what: str) -> None:
        until(whole, f"{what}: {page.evaluate(STICKING_OUT)}")

    for language in ("zh", "en"):
        page.click(f".languages [lang={language}]")
        for floor in ("1F", "2F", "3F"):
            page.click(f"[data-place='{floor}']")
            look(f"{floor} {language}")
        page.click("[data-ease=large]")
        look(f"large type {language}")
        page.click("[data-door=comeBack]")
        look(f"entry in large type {language}")
        page.click("[data-back]")
        page.click("[data-ease=large]")
        page.click("[data-place='3F']")
        turn_to(page, "real-estate")
        page.click("[data-choice=real-estate]")
        turn_to(page, "real-estate-joint")
        page.click("[data-choice=real-estate-joint]")
        look(f"stops {language}")
        page.click("[data-go]")
        page.click("[data-priority='']")
        page.wait_for_selector("[data-label]")
        look(f"ticket {language}")
        page.click("[data-done]")
        page.wait_for_selector("[data-place]")
