"""The settings tab before a real server: written, checked, compared, applied, gone back from; other pages follow."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PASSWORD, PHONE, Station, Visitor, settle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("station", [(("config/demo.toml",), ())], indirect=True),
]

NAME = 'name = { zh = "综合业务", en = "General" }'
RENAMED = 'name = { zh = "综合受理", en = "Everything" }'


def settings_of(visitor: Visitor, station: Station, work_id: str, size: tuple[int, int] = LAPTOP) -> Page:
    """Give the settings tab of a manager who has just signed in."""
    station.manager(work_id).close()
    page = visitor.open("/login", size)
    page.fill("#work-id", work_id)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.click("#tab-settings")
    page.wait_for_selector("textarea")
    return page


def write(page: Page, before: str, after: str) -> None:
    area = page.locator("textarea")
    text = area.input_value()
    assert before in text
    area.fill(text.replace(before, after, 1))


def test_a_change_is_checked_applied_followed_and_gone_back_from(visitor: Visitor, station: Station) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk", hall="demo")
    kiosk = visitor.open(f"/kiosk?hall=demo#code={code}")
    expect(kiosk.get_by_text("综合业务").first).to_be_visible()
    page = settings_of(visitor, station, "9001")
    area, apply = page.locator("textarea"), page.locator("[data-do=apply]")
    write(page, 'zone = "tax"', 'zone = "tex"')
    wrong = page.locator("[data-problem]").first
    expect(wrong).to_contain_text("tax")
    expect(apply).to_be_disabled()
    wrong.click()
    chosen = "one => one.value.slice(one.selectionStart, one.selectionEnd)"
    assert area.evaluate(chosen) == 'zone = "tex"', "a mistake leads to its line"
    page.reload()
    page.click("#tab-settings")
    expect(page.locator("[data-problem]").first).to_contain_text("tax")  # what was written survives a reload
    write(page, 'zone = "tex"', 'zone = "tax"')
    expect(apply).to_have_count(0)
    write(page, NAME, RENAMED)
    expect(page.locator(".differences")).to_contain_text("综合受理")
    page.locator(".apply input").fill("与公示一致")
    apply.click()
    newest = page.locator("[data-edition='2']")
    expect(newest).to_contain_text("与公示一致")
    expect(newest).to_contain_text("正在运行")
    expect(kiosk.get_by_text("综合受理").first).to_be_visible()  # nobody loaded the page again
    expect(page.locator("[data-file-differs]")).to_contain_text("demo.toml")
    page.locator("[data-edition='1'] button").click()
    expect(page.locator("dialog[open] .differences")).to_contain_text("综合业务")
    page.click("[data-do=back-to]")
    expect(page.locator(".side .differences")).to_contain_text("综合业务")
    apply.click()
    expect(page.locator("[data-edition='3']")).to_contain_text("正在运行")
    expect(kiosk.get_by_text("综合业务").first).to_be_visible()
    expect(page.locator("[data-file-differs]")).to_have_count(0)


def test_of_two_the_slower_is_told_and_keeps_what_was_written(visitor: Visitor, station: Station) -> None:
    quick, slow = settings_of(visitor, station, "9001"), settings_of(visitor, station, "9002", PHONE)
    write(slow, "recalls = ", "recalls = 1 # ")
    expect(slow.locator("[data-do=apply]")).to_be_enabled()
    write(quick, NAME, RENAMED)
    quick.locator("[data-do=apply]").click()
    expect(quick.locator("[data-edition='2']")).to_be_visible()
    expect(slow.locator("[data-newer]")).to_contain_text("9001")
    assert "recalls = 1 # " in slow.locator("textarea").input_value()
    expect(slow.locator(".side .differences")).to_contain_text("综合业务")  # it would be undone
    slow.locator("[data-do=apply]").click()
    expect(slow.locator("[role=alert]")).to_contain_text("9001")
    expect(slow.locator("[data-edition='3']")).to_have_count(0)
    settle(slow)
    assert not slow.evaluate("document.scrollingElement.scrollWidth > innerWidth")


def test_what_changes_often_is_filled_in_and_written_into_the_text(visitor: Visitor, station: Station) -> None:
    page = settings_of(visitor, station, "9001", PHONE)
    for title in page.locator(".daily summary").all():
        title.click()
    page.fill("[data-notice-in=zh]", "电梯检修，请走楼梯。")
    page.fill("[data-number=target_wait_min]", "12")
    page.keyboard.press("Tab")
    page.fill(".daily input[type=date]", "2026-12-31")
    page.get_by_role("button", name="这天不开放").click()
    told = page.locator(".side .differences")
    for words in ("电梯检修", "12", "2026-12-31"):
        expect(told).to_contain_text(words)
    settle(page)
    assert not page.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    page.click("[data-do=apply]")
    expect(page.locator("[data-edition='2']")).to_contain_text("正在运行")
    assert "numbers begin again here" in page.locator("textarea").input_value(), "comments stay"


def test_who_only_reads_is_told_so(visitor: Visitor, station: Station) -> None:
    station.people.add_user("auditor", PASSWORD, role="auditor")
    page = visitor.open("/login?to=/manager", LAPTOP)
    page.fill("#work-id", "auditor")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.click("#tab-settings")
    expect(page.locator("textarea")).to_have_attribute("readonly", "")
    expect(page.locator(".side")).to_contain_text("不能修改")
