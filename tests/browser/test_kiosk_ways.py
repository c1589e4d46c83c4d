"""Ways to a number beside the list of zones: letters, departments, guides, a case number, a card; and more ease."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, PORTRAIT, Station, Visitor, until

pytestmark = pytest.mark.browser

RESULTS = (("tests/browser/halls/results.toml", "config/zhenyuan.toml"), ())
LUNCH = (("config/hefeng-county.toml",), ("--clock", "2026-03-03T12:30:00+08:00"))
# A machine with a voice of its own and one in a cloud; what is said is kept.
VOICES = """
window.spoken = []
const voice = (name, localService) => ({ name, lang: 'zh-CN', localService, default: false, voiceURI: name })
Object.defineProperty(window, 'speechSynthesis', { value: {
  getVoices: () => [voice('cloud', false), voice('here', true)],
  addEventListener() {}, removeEventListener() {}, cancel() {},
  speak: (one) => window.spoken.push([one.voice.name, one.text]),
} })
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text } }
"""
TOPS = (
    "() => [...document.querySelectorAll('button, input')].map((one) => one.getBoundingClientRect().top / innerHeight)"
)


def kiosk(visitor: Visitor, station: Station, hall: str, device: str = "kiosk-1") -> Page:
    code = station.people.new_code(device, role="kiosk")
    page = visitor.open(f"/kiosk?hall={hall}#code={code}", PORTRAIT)
    page.wait_for_selector("[data-choice]")
    return page


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_a_service_is_found_by_letters_by_words_and_by_its_department(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, "zhenyuan")
    page.click("[data-door=search]")
    for key in "YHKH":  # 银行开户, whose 行 has two readings
        page.click(f"[data-key={key}]")
    expect(page.locator("[data-choice]")).to_have_count(1)
    expect(page.locator("[data-choice=bank]")).to_be_visible()
    expect(page.locator("[data-key=A]")).to_be_disabled()  # leads nowhere
    page.click("[data-key=clear]")
    page.fill("[data-sought]", "婚姻")
    page.click("[data-choice=marriage]")
    expect(page.locator("[data-priority='']")).to_be_visible()
    page.click("[data-back]")
    expect(page.locator("[data-sought]")).to_have_value("婚姻")
    page.click("[data-back]")
    page.click("[data-place=departments]")
    page.click("text=退役军人")
    expect(page.locator("[data-choice=social-affairs]")).to_be_visible()


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_a_guide_is_read_at_the_kiosk_and_on_the_phone(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, "results")
    page.click("[data-door=guides]")
    page.click("[data-choice=lead]")
    expect(page.locator("[data-guide] li")).to_have_count(2)
    for words in ("立项批复", "当场办结", "不收费", "12345", "项目办理规定"):
        expect(page.locator("[data-guide]")).to_contain_text(words)
    page.click("[data-go]")
    with page.expect_response(lambda one: one.request.method == "POST" and one.url.endswith("/tickets")) as answer:
        page.click("[data-priority='']")
    phone = visitor.open(urlsplit(answer.value.json()["track_url"]).path, PHONE)
    phone.click("[data-guide] summary")
    for words in ("立项批复", "不收费", "12345"):
        expect(phone.locator("[data-guide]")).to_contain_text(words)


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_a_pickup_asks_for_its_case_and_says_what_is_wrong_with_it(visitor: Visitor, station: Station) -> None:
    manager = station.manager()
    manager.send("POST", "/halls/results/results", {"case_number": "AB-12"})
    page = kiosk(visitor, station, "results")
    page.click("[data-choice=pickup]")
    page.keyboard.type("AB-13")
    page.click("[data-send]")
    page.click("[data-priority='']")
    expect(page.locator("main [role=alert]")).to_contain_text("AB-13")
    page.click("[data-key=letters]")
    for key in ("A", "B", "digits", "-", "1", "2"):
        page.click(f"[data-key='{key}']")
    page.click("[data-send]")
    page.click("[data-priority='']")
    expect(page.locator("[data-label]")).to_have_text("T001")
    page.click("[data-done]")
    page.click("[data-choice=pickup]")
    page.click("[data-without]")
    page.click("[data-priority='']")
    expect(page.locator("[data-label]")).to_have_text("T002")
    cases = [one["case_number"] for one in manager.send("GET", "/halls/results/tickets")["tickets"]]
    assert cases == ["AB-12", None]
    manager.close()


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_a_card_on_the_reader_answers_the_question_and_is_wiped(visitor: Visitor, station: Station) -> None:
    agent = station.api(station.people.add_device("agent-1", role="devices"))
    reader: dict[str, Any] = {
        "kind": "idcard",
        "driver": "sam",
        "url": "virtual",
        "health": "ok",
        "kiosks": ["kiosk-1"],
    }
    agent.send("PUT", "/halls/results/devices/reader-1", reader)
    page = kiosk(visitor, station, "results")
    expect(page.locator(".question")).to_contain_text("身份证")  # where a reader is, people are told
    card = {"document": "citizen", "visitor": "0" * 64, "age_from": 70, "name": "张*"}
    agent.send("POST", "/halls/results/devices/reader-1/card", card)
    expect(page.locator("[data-card]")).to_contain_text("张*")
    page.click("[data-choice=bank]")  # of this age nobody is asked
    expect(page.locator(".paper")).to_contain_text("绿色通道")
    page.click("[data-done]")
    expect(page.locator("[data-choice=bank]")).to_be_visible()
    expect(page.locator("[data-card]")).to_have_count(0)
    agent.send("POST", "/halls/results/devices/reader-1/card", card)
    expect(page.locator("[data-card]")).to_contain_text("A001")
    page.click("[data-card-away]")
    expect(page.locator("[data-card]")).to_have_count(0)
    agent.close()


@pytest.mark.parametrize("station", [LUNCH], indirect=True)
def test_what_rests_tells_its_hours_and_its_guide(visitor: Visitor, station: Station) -> None:
    page = kiosk(visitor, station, "hefeng-county")
    expect(page.locator("[data-common].shut").first).to_contain_text("14:00")
    page.click("[data-choice=assist]")
    expect(page.locator("[data-shut]")).to_contain_text("14:00 开始取号")
    expect(page.locator("[data-shut] dl")).to_contain_text("周一至周五")
    expect(page.locator("[data-shut] dl")).to_contain_text("08:30–12:00、14:00–17:30")
    assert page.locator("[data-go]").count() == 0
    page.click("[data-read]")
    expect(page.locator("[data-guide]")).to_contain_text("当天转交")


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_keys_come_within_reach_words_are_read_aloud_and_the_next_visitor_finds_nothing(
    visitor: Visitor, station: Station
) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open("/kiosk", PORTRAIT, own_clock=True)
    page.add_init_script(VOICES)
    page.goto(f"{station.url}/kiosk?hall=results#code={code}")
    page.wait_for_selector("[data-choice]")
    page.click("[data-ease=low]")
    until(lambda: min(page.evaluate(TOPS)) >= 0.5, "everything to touch is in the lower half")
    page.click("[data-ease=aloud]")
    until(lambda: page.evaluate("window.spoken.length"), "what to choose is said")
    page.click("[data-choice=bank]")
    until(lambda: page.evaluate("window.spoken.some((one) => one[1].includes('优先'))"), "the question is said")
    assert {name for name, _ in page.evaluate("window.spoken")} == {"here"}, "never by a voice in a cloud"
    page.click("[data-back]")
    page.click("[data-ease=contrast]")
    assert set(page.evaluate("document.documentElement.className").split()) == {"contrast", "low"}
    page.clock.run_for(14_000)
    expect(page.locator(".leaving")).to_be_visible()  # the start says so too, when it is not as others should find it
    page.clock.run_for(8_000)
    expect(page.locator(".leaving")).to_have_count(0)
    assert page.evaluate("document.documentElement.className") == ""
