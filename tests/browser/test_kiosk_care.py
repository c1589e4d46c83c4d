"""What a kiosk does for those who are easily forgotten: trembling hands, keyboards, ears, who only wants to know."""

import io
import json
import wave
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANDSCAPE, PORTRAIT, Station, Visitor, until

pytestmark = pytest.mark.browser

RESULTS = (("tests/browser/halls/results.toml",), ())
NIGHT = (("config/hefeng-county.toml",), ("--clock", "2026-03-03T20:00:00+08:00"))
FOCUSED = "(selector) => document.activeElement.matches(selector)"
# A machine without any voice, and what its loudspeaker was given.
NO_VOICE = """
window.played = []
Object.defineProperty(window, 'speechSynthesis', { value: undefined })
HTMLMediaElement.prototype.play = function () {
  window.played.push(this.src)
  setTimeout(() => this.onended?.(), 0)
  return Promise.resolve()
}
"""


def test_people_ahead_are_told_before_the_number_and_a_double_press_answers_nothing(
    visitor: Visitor, station: Station
) -> None:
    manager = station.manager()
    for _ in range(2):
        manager.send("POST", "/halls/qiaocheng/tickets", {"service": "household"})
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=qiaocheng#code={code}", PORTRAIT)
    page.dblclick("[data-choice=household]")
    expect(page.locator("[data-facts]")).to_contain_text("前面 2 人")
    # The second press fell on the answer that came under the finger: it is not taken for one.
    page.mouse.move(1, 1)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("[data-priority='']")).to_be_visible()
    page.dblclick("[data-priority='']")
    expect(page.locator(".paper")).to_contain_text("2 人")
    assert len(manager.send("GET", "/halls/qiaocheng/tickets")["tickets"]) == 3
    manager.close()


def test_a_number_is_taken_by_keyboard_alone(visitor: Visitor, station: Station) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=qiaocheng&lang=en#code={code}", LANDSCAPE)
    page.wait_for_selector("[data-choice]")

    def go_to(selector: str) -> None:
        """Press Tab until it has the focus, as often as there are things to touch at most."""
        for _ in range(page.locator("button").count() + 2):
            if page.evaluate(FOCUSED, selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {selector}")

    go_to("[data-door=search]")
    page.keyboard.press("Enter")
    until(lambda: page.evaluate(FOCUSED, "[data-sought]"), "the search takes what is typed")
    page.keyboard.type("household")
    go_to("[data-choice=household]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-priority]")
    until(lambda: page.evaluate(FOCUSED, "main"), "reading begins with the question")
    page.keyboard.press("Escape")
    expect(page.locator("[data-sought]")).to_have_value("household")
    go_to("[data-choice=household]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-priority]")
    go_to("[data-priority='']")
    page.keyboard.press("Enter")
    expect(page.locator("[data-label]")).to_have_text("C001")
    go_to("[data-done]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-choice]")


@pytest.mark.parametrize("station", [NIGHT], indirect=True)
def test_a_touch_query_page_tells_everything_at_any_hour_and_gives_no_number(
    visitor: Visitor, station: Station
) -> None:
    code = station.people.new_code("query-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=hefeng-county&mode=guide#code={code}", PORTRAIT, own_clock=True)
    expect(page.locator("h2").first).to_contain_text("您想了解什么事")
    assert page.locator("[data-door]").count() == 1, "search, and nothing that gives a number"
    page.click("[data-choice=general]")
    for words in (
        "本人身份证",
        "简单事项当场办",
        "免费",
        "102–103",
        "周一至周五 08:30–12:00、14:00–17:30",
        "三办三不出",
    ):
        expect(page.locator("[data-guide]")).to_contain_text(words)
    assert page.locator("[data-go]").count() == 0
    page.clock.run_for(22_000)
    expect(page.locator("h2").first).to_contain_text("您想了解什么事")
    assert station.manager().send("GET", "/halls/hefeng-county/tickets")["tickets"] == []


def sound() -> bytes:
    """Give a WAV with a tenth of a second of silence."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(bytes(2 * 2_400))
    return made.getvalue()


@pytest.mark.parametrize("station", [RESULTS], indirect=True)
def test_the_halls_clips_are_heard_where_the_machine_has_no_voice(visitor: Visitor, station: Station) -> None:
    folder = station.data / "prompts" / "results" / "zh"
    folder.mkdir(parents=True)
    texts = ["您要办什么事？请点一下要办的事，就能取到号。", "取号成功，您的号码是：", "A", "001号", "前面没有人等候。"]
    clips: dict[str, Any] = {text: f"clip-{place}.wav" for place, text in enumerate(texts)}
    for name in clips.values():
        (folder / name).write_bytes(sound())
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "language": "zh", "clips": clips}))
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open("/kiosk", PORTRAIT)
    page.add_init_script(NO_VOICE)
    page.goto(f"{station.url}/kiosk?hall=results#code={code}")
    page.click("[data-ease=aloud]")
    until(lambda: "clip-0" in "".join(page.evaluate("window.played")), "the start is read aloud")
    page.click("[data-choice=bank]")
    page.click("[data-priority='']")
    expect(page.locator("[data-label]")).to_have_text("A001")
    until(lambda: "clip-4" in "".join(page.evaluate("window.played")), "the number is read to its end")
    heard = [address.split("/")[-1].split("?")[0] for address in page.evaluate("window.played")]
    assert heard == [f"clip-{place}.wav" for place in range(5)]
