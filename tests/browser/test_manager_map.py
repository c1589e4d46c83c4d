"""The manager's live map: heat, faults where they stand, services moved by mouse and by keyboard, alarms heard of."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Api, Station, Visitor, hear, until
from tests.browser.test_manager_page import HALL, SIDEWAYS, issue, open_page, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(station: Station) -> Iterator[Api]:
    chief = station.manager("9001")
    yield chief
    chief.close()


def duties(chief: Api, window: str) -> tuple[list[str], list[str]]:
    row = next(it for it in chief.send("GET", f"{HALL}/state")["windows"] if it["window"] == window)
    return row["serves"], row["relief"]


def drag(page: Page, chip: str, to: str) -> None:
    """Drag the first chip over a place and hold it there."""
    page.locator(chip).first.hover()
    page.mouse.down()
    at = page.locator(to).bounding_box()
    assert at is not None
    page.mouse.move(at["x"] + 30, at["y"] + 12, steps=5)


def test_the_map_shows_heat_queues_and_faults_where_they_stand(visitor: Visitor, station: Station, chief: Api) -> None:
    staff(chief, station, "1")
    for _ in range(12):
        issue(chief)
    agent = station.api(station.people.add_device("agent", role="devices"))
    agent.send("PUT", f"{HALL}/devices/strip-7", {"kind": "strip", "windows": ["7"], "health": "down"})
    agent.close()
    page = open_page(visitor)
    general = page.locator("[data-zone=general]")
    expect(general).to_contain_text("12 人等候")
    expect(general).to_contain_text("目标")
    expect(general.locator(".heat")).to_contain_text("热")  # a word, whatever the colour
    expect(general).to_contain_text("1 小时后")
    expect(page.locator("[data-window='1']")).to_contain_text("职员1")
    expect(page.locator("[data-window='7']")).to_contain_text("设备故障 1")
    expect(page.locator("[data-window='8']")).not_to_contain_text("设备故障")


def test_a_service_is_dragged_to_a_window_with_its_effect_told_before_and_undone(
    visitor: Visitor, station: Station, chief: Api
) -> None:
    for window in ("1", "26"):
        staff(chief, station, window)
    for _ in range(12):
        issue(chief)
    before = duties(chief, "26")
    page = open_page(visitor, (1440, 1700))
    page.click("[data-do=arrange]")
    drag(page, "[data-chip=general]", "[data-drop='26']")
    expect(page.locator(".tray")).to_contain_text("26号窗口")
    expect(page.locator(".tray")).to_contain_text("→")
    expect(page.locator("[data-drop='26']")).to_contain_text("会办此事项")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".tray")).to_have_count(0)
    expect(page.locator("dialog")).to_have_count(0)
    assert duties(chief, "26") == before
    drag(page, "[data-chip=general]", "[data-drop='26']")
    page.mouse.up()
    expect(page.locator("[data-predicted]")).to_contain_text("人·分钟")
    page.click("[data-do=move]")
    hear(page, "现在办理")
    assert duties(chief, "26") == (before[0], [*before[1], "general"])
    page.click("[data-do=undo-move]")
    hear(page, "已撤销")
    assert duties(chief, "26") == before


def test_the_keyboard_moves_a_service_as_well_as_the_mouse(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    page.locator("[data-do=arrange]").focus()
    page.keyboard.press("Enter")
    page.locator("[data-drop='11'] [data-chip=household]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-move-to]")).to_be_focused()
    # The only service of a window stays there: the page says so, and what to do.
    expect(page.get_by_role("checkbox")).to_be_disabled()
    page.locator("[data-move-to]").select_option("away")
    expect(page.locator("[data-do=move]")).to_be_disabled()
    page.keyboard.press("Escape")
    page.locator("[data-chip=general]").first.focus()
    page.keyboard.press("Enter")
    page.locator("[data-move-to]").select_option("11")
    expect(page.locator("[data-predicted]")).to_contain_text("没有登记")
    page.get_by_role("radio", name="主办").check()
    page.locator("[data-do=move]").focus()
    page.keyboard.press("Enter")
    hear(page, "现在办理")
    assert duties(chief, "11") == (["household", "general"], [])
    page.locator("[data-drop='11'] [data-chip=general]").click()
    page.locator("[data-move-to]").select_option("away")
    page.click("[data-do=move]")
    hear(page, "不再办理")
    assert duties(chief, "11") == (["household"], [])
    # Somebody else changes it: undoing would undo that, too.
    chief.send("PUT", f"{HALL}/windows/11/services", {"serves": ["household"], "relief": ["general"]})
    expect(page.locator("[data-drop='11']")).to_contain_text("支援")
    page.click("[data-do=undo-move]")
    expect(page.get_by_role("alert")).to_contain_text("不能撤销")


def test_an_alarm_is_heard_of_once_and_counted_in_the_title(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor)
    assert page.title().startswith("大厅管理")
    issue(chief, "household")
    expect(page.locator("[data-alarm=unserved-household]")).to_contain_text("起")
    until(lambda: page.title().startswith("(1) "), "the title counts it")
    page.click("[data-do=ack]")
    until(lambda: page.title().startswith("大厅管理"), "it has been heard of")
    page.reload()
    expect(page.locator("[data-alarm=unserved-household]")).to_have_class("heard")
    assert page.title().startswith("大厅管理")
    expect(page.locator("[data-do=sound]")).to_have_attribute("aria-pressed", "true")
    page.click("[data-do=sound]")
    page.reload()
    expect(page.locator("[data-do=sound]")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("station", [(("config/zhenyuan.toml",), ())], indirect=True)
def test_three_floors_and_a_phone(visitor: Visitor, station: Station, chief: Api) -> None:
    page = open_page(visitor, PHONE, "hall=zhenyuan")
    for floor in ("一楼", "二楼", "三楼"):
        expect(page.get_by_role("heading", name=floor, exact=True)).to_be_visible()
    expect(page.locator("[data-window]")).to_have_count(37)
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")
    page.click("[data-do=arrange]")
    until(lambda: page.evaluate(SIDEWAYS) == [], f"nothing sticks out: {page.evaluate(SIDEWAYS)}")
