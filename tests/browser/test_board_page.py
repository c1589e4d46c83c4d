"""The screens on the walls before a real server: who is called where, readable at ten metres, never a frozen lie."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANDSCAPE, PORTRAIT, Api, Station, Visitor, cut_off, settle

pytestmark = pytest.mark.browser

HALL = "/halls/qiaocheng"
HALL_4K = (3840, 2160)
SMALLEST = 1 / 55  # of the screen's shorter side: the smallest words, for who stands before it
READABLE = 1 / 7  # of the screen's height: the newest number at ten metres


# Give the smallest type of all words, in pixels.
SMALLEST_TYPE = """() => Math.min(...[...document.querySelectorAll('.board *')]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""


def screen(visitor: Visitor, station: Station, path: str, size: tuple[int, int] = LANDSCAPE) -> Page:
    """Give a screen that is enrolled by its one-time code."""
    code = station.people.new_code("screen-1", role="display")
    return visitor.open(f"{path}{'&' if '?' in path else '?'}hall=qiaocheng#code={code}", size)


@pytest.fixture
def manager(station: Station) -> Iterator[Api]:
    manager = station.manager()
    yield manager
    manager.close()


def call(manager: Api, service: str, window: str) -> str:
    """Issue a number, open the window and call; give the label."""
    label = manager.send("POST", f"{HALL}/tickets", {"service": service})["label"]
    manager.send("POST", f"{HALL}/windows/{window}/open", {})
    manager.send("POST", f"{HALL}/windows/{window}/call-next", {})
    return str(label)


@pytest.mark.parametrize("size", [LANDSCAPE, HALL_4K, PORTRAIT])
def test_the_newest_call_is_readable_and_nothing_scrolls(
    visitor: Visitor, station: Station, manager: Api, size: tuple[int, int]
) -> None:
    page = screen(visitor, station, "/board", size)
    expect(page.locator(".quiet")).to_be_visible()
    label = call(manager, "household", "11")
    expect(page.locator(".newest .label")).to_have_text(label)
    expect(page.locator(".newest .target .number")).to_have_text("11")
    expect(page.locator(".windows li")).to_have_count(29)
    expect(page.locator(".zones li")).to_have_count(7)
    settle(page)
    height = page.locator(".newest .label").bounding_box()
    assert height is not None
    assert height["height"] >= READABLE * min(size)
    assert not page.evaluate("document.scrollingElement.scrollHeight > innerHeight")
    assert not page.evaluate("document.scrollingElement.scrollWidth > innerWidth")


def test_the_next_call_moves_the_one_before_to_the_last_calls(visitor: Visitor, station: Station, manager: Api) -> None:
    page = screen(visitor, station, "/board")
    first = call(manager, "household", "11")
    second = call(manager, "culture", "27")
    expect(page.locator(".newest .label")).to_have_text(second)
    expect(page.locator(".recent li").first).to_contain_text(first)
    manager.send("POST", f"{HALL}/windows/11/recall", {})
    expect(page.locator(".newest .label")).to_have_text(first)
    expect(page.locator(".call h2")).to_contain_text("第 2 次")


def test_a_zone_board_shows_its_zone_only(visitor: Visitor, station: Station, manager: Api) -> None:
    page = screen(visitor, station, "/board?zone=household")
    expect(page.locator("header h1")).to_contain_text("公安户籍")
    call(manager, "culture", "27")
    label = call(manager, "household", "11")
    expect(page.locator(".newest .label")).to_have_text(label)
    expect(page.locator(".recent li")).to_have_count(0)


def test_a_lost_server_is_told_and_heals_without_a_reload(visitor: Visitor, station: Station, manager: Api) -> None:
    page = screen(visitor, station, "/board")
    label = call(manager, "household", "11")
    expect(page.locator(".newest .label")).to_have_text(label)
    page.evaluate("window.stillTheSamePage = true")
    station.kill()
    expect(page.locator(".late")).to_contain_text("信息可能延迟")
    expect(page.locator(".newest .label")).to_have_text(label)
    station.start()
    expect(page.locator(".late")).to_have_count(0)
    second = call(manager, "culture", "27")
    expect(page.locator(".newest .label")).to_have_text(second)
    assert page.evaluate("window.stillTheSamePage")


def test_a_server_that_hangs_is_told_with_the_time_of_its_last_word(
    visitor: Visitor, station: Station, manager: Api
) -> None:
    page = screen(visitor, station, "/board")
    label = call(manager, "household", "11")
    expect(page.locator(".newest .label")).to_have_text(label)
    station.freeze()
    expect(page.locator(".late")).to_contain_text(re.compile(r"最后更新 \d\d:\d\d"))
    expect(page.locator(".newest .label")).to_have_text(label)
    station.thaw()
    expect(page.locator(".late")).to_have_count(0)


def test_a_screen_that_is_not_enrolled_asks_for_its_code(visitor: Visitor, station: Station) -> None:
    page = visitor.open("/board?hall=qiaocheng")
    page.fill("#code", "WRONG-CODE")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_be_visible()
    page.fill("#code", station.people.new_code("screen-1", role="display"))
    page.keyboard.press("Enter")
    expect(page.locator(".board")).to_be_visible()


def test_the_strip_says_what_its_window_is_doing(visitor: Visitor, station: Station, manager: Api) -> None:
    page = screen(visitor, station, "/strip?window=11", (1280, 720))
    expect(page.locator(".strip.closed")).to_contain_text("未开放")
    label = call(manager, "household", "11")
    expect(page.locator(".strip.calling .label")).to_have_text(label)
    manager.send("POST", f"{HALL}/windows/11/start", {})
    expect(page.locator(".strip.serving .label")).to_have_text(label)
    manager.send("POST", f"{HALL}/windows/11/finish", {})
    expect(page.locator(".strip.open")).to_contain_text("欢迎办理")
    manager.send("POST", f"{HALL}/windows/11/pause", {"reason": "lunch"})
    expect(page.locator(".strip.paused")).to_contain_text("午餐")


SMALL = (("tests/browser/halls/small.toml",), ())
LARGE = (("config/zhenyuan.toml", "config/lincang-linxiang.toml", "config/hefeng-county.toml"), ())
CHINESE = (("tests/browser/halls/chinese.toml",), ())


def wall(visitor: Visitor, station: Station, path: str) -> Page:
    """Give a screen of another hall, enrolled."""
    code = station.people.new_code("screen-1", role="display")
    return visitor.open(f"{path}#code={code}", LANDSCAPE)


@pytest.mark.parametrize("station", [LARGE], indirect=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_tiny_or_cut_off_in_any_hall(visitor: Visitor, station: Station, language: str) -> None:
    manager = station.manager()
    for hall in ("zhenyuan", "lincang-linxiang"):
        service = manager.send("GET", f"/halls/{hall}")["services"][0]
        window = f"/halls/{hall}/windows/{service['windows'][0]}"
        for _ in range(2):
            manager.send("POST", f"/halls/{hall}/tickets", {"service": service["service"]})
        manager.send("POST", f"{window}/open", {})
        manager.send("POST", f"{window}/call-next", {})
        manager.send("POST", f"{window}/call-next", {"finish": True})
    manager.close()
    page = wall(visitor, station, f"/board?hall=zhenyuan&lang={language}")
    expect(page.locator(".windows li").first).to_be_visible()  # enrolled: it may go elsewhere now
    for hall in ("zhenyuan", "lincang-linxiang", "hefeng-county"):
        page.goto(f"{station.url}/board?hall={hall}&lang={language}")
        expect(page.locator(".windows li").first).to_be_visible()
        settle(page)
        for width, height in (LANDSCAPE, HALL_4K, PORTRAIT):
            page.set_viewport_size({"width": width, "height": height})
            assert cut_off(page) == [], (hall, width)
            assert page.evaluate(SMALLEST_TYPE) >= SMALLEST * min(width, height), (hall, width)


@pytest.mark.parametrize("station", [SMALL], indirect=True)
def test_a_board_says_what_a_window_is_for_and_names_those_without_staff_once(
    visitor: Visitor, station: Station
) -> None:
    page = wall(visitor, station, "/board?hall=small")
    expect(page.locator(".windows li")).to_have_count(3)
    expect(page.locator("[data-unstaffed]")).to_have_text("未派驻：4 号窗口")
    expect(page.locator(".windows li").nth(1)).to_contain_text("只收件")
    expect(page.locator(".windows li").nth(2)).to_contain_text("咨询")
    expect(page.locator("[data-area]")).to_contain_text("自助区 · 24 小时 · 一楼")
    expect(page.locator(".zones li").first).to_contain_text("市中心")
    assert not page.evaluate("document.scrollingElement.scrollHeight > innerHeight")


@pytest.mark.parametrize("station", [SMALL], indirect=True)
def test_a_strip_without_staff_sends_visitors_on_and_one_that_only_takes_in_says_so(
    visitor: Visitor, station: Station
) -> None:
    page = wall(visitor, station, "/strip?hall=small&window=4")
    expect(page.locator(".word")).to_have_text("未派驻")
    expect(page.locator(".reason")).to_contain_text("请到其他窗口")
    manager = station.manager()
    manager.send("POST", "/halls/small/windows/2/open", {})
    page.goto(f"{station.url}/strip?hall=small&window=2")
    expect(page.locator("[data-intake]")).to_contain_text("只收件")
    manager.close()


@pytest.mark.parametrize("station", [CHINESE], indirect=True)
@pytest.mark.parametrize("path", ["/board?hall=chinese", "/strip?hall=chinese&window=2"])
def test_a_screen_of_a_hall_with_chinese_alone_shows_no_english(visitor: Visitor, station: Station, path: str) -> None:
    page = wall(visitor, station, f"{path}&lang=en")
    expect(page.locator(".board, .strip")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert not re.search(r"[A-Za-z]{2,}", page.locator("body").inner_text())


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_an_emergency_covers_the_board_and_an_announcement_takes_the_place_of_the_notice(
    visitor: Visitor, station: Station, manager: Api, size: tuple[int, int]
) -> None:
    page = screen(visitor, station, "/board", size)
    call(manager, "household", "11")
    manager.send("POST", f"{HALL}/announcements", {"text": "请王女士到服务台。"})
    expect(page.locator("[data-notice]")).to_contain_text("请王女士到服务台。")
    expect(page.locator(".newest .label")).to_be_visible()
    text = {
        "zh": "请从东侧出口有序离开大厅，不要使用电梯。",
        "en": "Please leave by the east exit. Do not use the lift.",
    }
    manager.send("POST", f"{HALL}/announcements", {"text": text, "emergency": True})
    alarm = page.locator("[data-emergency]")
    for words in text.values():
        expect(alarm).to_contain_text(words)
    box = alarm.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == size
    assert not alarm.evaluate("it => it.scrollHeight > it.clientHeight || it.scrollWidth > it.clientWidth")
    longest = {"zh": "请立即离开大厅。" * 25, "en": "Leave the hall at once. " * 8}
    manager.send("POST", f"{HALL}/announcements", {"text": longest, "emergency": True})
    expect(alarm).to_contain_text(longest["zh"])
    assert not alarm.evaluate("it => it.scrollHeight > it.clientHeight || it.scrollWidth > it.clientWidth")
    manager.send("POST", f"{HALL}/announcements/end", {})
    expect(alarm).to_have_count(0)
    manager.send("POST", f"{HALL}/announcements", {"text": longest})
    expect(page.locator("[data-notice]")).to_contain_text(longest["zh"])
    assert cut_off(page) == []
