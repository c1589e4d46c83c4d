"""Every page in every state one meets at once, in both languages: axe at WCAG 2.2 AA, and nothing cut off."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANDSCAPE, LAPTOP, PASSWORD, PHONE, PORTRAIT, Api, Station, Visitor, cut_off

pytestmark = pytest.mark.browser

HALL = "/halls/qiaocheng"
STRIP = (360, 800)
TABLET = (1024, 600)
FITTING_TRIES, FITTING_MS = 8, 250
AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
# Gives [rule, element, what to do] of everything that is not as it should be. What fades in is looked at when it is
# there, what breathes at both ends and in the middle of its breath.
LOOK_OVER = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const tell = (rule) => rule.nodes.map((node) => [rule.id, node.html.slice(0, 160), node.failureSummary])
  const breathing = []
  for (const one of document.getAnimations()) {
    if (one.effect.getComputedTiming().endTime < 5000) one.finish()
    else breathing.push(one)
  }
  const found = []
  for (const part of breathing.length === 0 ? [0] : [0, 0.5, 0.999]) {
    for (const one of breathing) {
      const { delay, duration } = one.effect.getComputedTiming()
      one.pause()
      one.currentTime = delay + part * duration
    }
    const told = await axe.run(document, { runOnly: tags })
    if (told.passes.length === 0) found.push('axe looked at nothing')
    found.push(...told.violations.flatMap(tell))
  }
  for (const one of breathing) one.play()
  return found
}"""


class Look:
    """Looks pages over, and remembers what it found where."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.found: list[tuple[str, object]] = []
        self._axe = AXE.read_text()

    def __call__(self, page: Page, where: str) -> None:
        assert page.evaluate("document.documentElement.lang").startswith(self.language), where
        page.evaluate(self._axe)
        self.found += [(where, one) for one in page.evaluate(LOOK_OVER)]
        own = page.viewport_size
        for width, height in (PORTRAIT, LANDSCAPE, LAPTOP, *(() if "/kiosk" in page.url else (PHONE,))):
            page.set_viewport_size({"width": width, "height": height})
            self._measure(page, f"{where} at {width} x {height}")
        if own is not None:
            page.set_viewport_size(own)
            self._measure(page, where)

    def _measure(self, page: Page, where: str) -> None:
        """Note what is cut off, and still is when the page has fitted itself to its size (charts, pages of keys)."""
        found = cut_off(page)
        for _ in range(FITTING_TRIES):
            if found == []:
                return
            page.wait_for_timeout(FITTING_MS)
            found = cut_off(page)
        self.found += [(where, one) for one in found]


@pytest.fixture(params=["zh", "en"])
def look(request: pytest.FixtureRequest) -> Iterator[Look]:
    """Give what looks pages over in one language; what it found fails the test at its end."""
    assert AXE.is_file(), "needs axe-core: npm ci"
    look = Look(request.param)
    yield look
    assert look.found == [], "\n".join(f"{where}: {what}" for where, what in look.found)


@pytest.fixture
def manager(station: Station) -> Iterator[Api]:
    manager = station.manager()
    yield manager
    manager.close()


def test_what_visitors_touch(visitor: Visitor, station: Station, look: Look) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=qiaocheng&lang={look.language}#code={code}", PORTRAIT)
    page.wait_for_selector("[data-choice]")
    look(page, "kiosk: zones")
    page.click("[data-ease=contrast]")
    look(page, "kiosk: zones in high contrast")
    page.click("[data-ease=contrast]")
    page.click("[data-door=search]")
    page.click("[data-key=H]")
    look(page, "kiosk: search")
    page.click("[data-back]")
    page.click("[data-choice=general]")
    page.wait_for_selector("[data-choice=pickup]")
    look(page, "kiosk: services")
    page.click("[data-choice=pickup]")
    page.wait_for_selector("[data-priority]")
    look(page, "kiosk: question")
    with page.expect_response(lambda one: one.request.method == "POST" and one.url.endswith("/tickets")) as answer:
        page.click("[data-priority='']")
    page.wait_for_selector("[data-label]")
    look(page, "kiosk: ticket")

    address = urlsplit(answer.value.json()["track_url"]).path
    phone = visitor.open(f"{address}?lang={look.language}", PHONE)
    phone.wait_for_selector("[data-label]")
    look(phone, "phone: waiting")
    phone.click("[data-cancel]")
    phone.wait_for_selector("dialog[open]")
    look(phone, "phone: cancel?")
    phone.click("[data-confirm]")
    phone.wait_for_selector("main.cancelled")
    look(phone, "phone: cancelled")


def test_what_hangs_on_walls(visitor: Visitor, station: Station, manager: Api, look: Look) -> None:
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    manager.send("POST", f"{HALL}/windows/11/open", {})
    manager.send("POST", f"{HALL}/windows/11/call-next", {})
    for number, (address, shows) in enumerate(
        [("board?", ".newest"), ("board?zone=household&", ".newest"), ("strip?window=11&", ".label")]
    ):
        code = station.people.new_code(f"screen-{number}", role="display")
        page = visitor.open(f"/{address}hall=qiaocheng&lang={look.language}#code={code}", LANDSCAPE)
        page.wait_for_selector(shows)
        look(page, address)
        if number == 0:
            text = {"zh": "请从东侧出口离开。", "en": "Please leave by the east exit."}
            manager.send("POST", f"{HALL}/announcements", {"text": text, "emergency": True})
            page.wait_for_selector("[data-emergency]")
            look(page, "an emergency")
            manager.send("POST", f"{HALL}/announcements/end", {})


def test_what_stands_at_a_window(visitor: Visitor, station: Station, manager: Api, look: Look) -> None:
    code = station.people.new_code("tablet-11", role="display", hall="qiaocheng", window="11")
    page = visitor.open(f"/rating?hall=qiaocheng&lang={look.language}#code={code}", TABLET)
    page.wait_for_selector(".rest.closed")
    look(page, "rating: closed")
    manager.send("POST", f"{HALL}/windows/11/open", {})
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    manager.send("POST", f"{HALL}/windows/11/call-next", {})
    page.wait_for_selector(".rest.calling .clerk")
    look(page, "rating: calling")
    manager.send("POST", f"{HALL}/windows/11/finish", {})
    page.wait_for_selector("[data-grade]")
    for size in (TABLET, TABLET[::-1]):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        look(page, f"rating: faces {size}")
    page.click("[data-grade='5']")
    page.wait_for_selector(".thanks")
    look(page, "rating: thanks")


def test_what_a_clerk_works_with(visitor: Visitor, station: Station, manager: Api, look: Look) -> None:
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    station.people.add_user("1011", PASSWORD, role="clerk", name="职员", windows=("11",))
    page = visitor.open("/login", STRIP)
    page.click(f".languages [lang={look.language}]")
    page.select_option("#hall", "qiaocheng")
    look(page, "login")
    page.fill("#work-id", "1011")
    page.fill("#password", PASSWORD)
    page.fill("#window", "11")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.work")
    look(page, "clerk: free")
    page.keyboard.press("F1")
    page.wait_for_selector("[data-label]")
    look(page, "clerk: calling")
    for key in ("F4", "F6", "F7", "n", "l", "?"):
        expect(page.locator("[data-do=main]")).to_have_attribute("aria-disabled", "false")
        page.keyboard.press(key)
        page.wait_for_selector("dialog[open]")
        look(page, f"clerk: {key}")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
    page.keyboard.press("F9")
    page.wait_for_selector(".lists [data-missed]")
    look(page, "clerk: missed, may be undone")


def test_what_a_guide_works_with(visitor: Visitor, station: Station, manager: Api, look: Look) -> None:
    label = manager.send("POST", f"{HALL}/tickets", {"service": "household"})["label"]
    case = {"kind": "agency", "client": "王先生", "service": "household", "elsewhere": True}
    manager.send("POST", f"{HALL}/cases", case)
    manager.send("POST", f"{HALL}/rolls", {"service": "household", "prefix": "X", "last": 200})
    station.people.add_user("8001", PASSWORD, role="guide", hall="qiaocheng")
    page = visitor.open("/login", LAPTOP)
    page.click(f".languages [lang={look.language}]")
    page.fill("#work-id", "8001")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide")
    page.wait_for_selector("[data-service=household]")
    for size in (LAPTOP, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for tab in page.locator("[role=tab]").all():
            tab.click()
            page.wait_for_selector("[role=tabpanel]")
            look(page, f"guide: {tab.inner_text()} {size}")
    page.fill("#box", label)
    page.keyboard.press("Enter")
    page.wait_for_selector("#found")
    look(page, "guide: a ticket")
    page.click("#tab-appointments")
    page.select_option("[data-book-service]", index=1)
    page.wait_for_selector(".slot")
    look(page, "guide: slots")
    page.click("#tab-cases")
    page.click("[data-do=ask-case]")
    look(page, "guide: a new case")
    page.click("#tab-take")
    page.click("[data-service=household]")
    page.wait_for_selector("[data-kind='']")
    look(page, "guide: for whom")
    page.check("[data-by-hand]")
    page.click("[data-kind='']")
    page.wait_for_selector("dialog [data-label]")
    look(page, "guide: a number")


def test_what_a_manager_works_with(visitor: Visitor, station: Station, manager: Api, look: Look) -> None:
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    case = {"kind": "agency", "client": "王先生", "service": "household", "elsewhere": True}
    manager.send("POST", f"{HALL}/cases", case)
    page = visitor.open("/login", LAPTOP)
    page.click(f".languages [lang={look.language}]")
    page.fill("#work-id", "manager-1")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager")
    page.wait_for_selector("[data-window]")
    for size in (LAPTOP, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for tab in page.locator("[role=tab]").all():
            tab.click()
            page.wait_for_selector("[role=tabpanel]")
            look(page, f"manager: {tab.inner_text()} {size}")
    page.click("#tab-settings")
    for title in page.locator(".daily summary").all():
        title.click()
    page.locator("textarea").fill('schema = 1\nzone = "x"')
    page.wait_for_selector("[data-problem]")
    look(page, "manager: settings with mistakes")
    page.click("#tab-cases")
    page.click("[data-case]")
    look(page, "manager: a case")
    page.click("[data-do='case-hand-over']")
    look(page, "manager: a hand-over")
    page.click("[data-do='ask-case']")
    look(page, "manager: a new case")
    page.locator("[role=tab]").first.click()
    page.click("[data-do=arrange]")
    look(page, "manager: services that can be moved")
    page.locator("[data-chip]").first.click()
    page.wait_for_selector("[data-move-to]")
    look(page, "manager: where a service goes")
    page.keyboard.press("Escape")
    page.click("[data-do=arrange]")
    page.locator("[data-window]").first.click()
    page.wait_for_selector("dialog[open]")
    look(page, "manager: window")
    home = page.context.new_page()
    home.goto(f"{station.url}/?lang={look.language}")
    home.wait_for_selector("section a")
    look(home, "home")


def test_all_halls_side_by_side(visitor: Visitor, manager: Api, look: Look) -> None:
    manager.send("POST", f"{HALL}/tickets", {"service": "household"})
    page = visitor.open("/login?to=/county", LAPTOP)
    page.fill("#work-id", "manager-1")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{page.url}?lang={look.language}")
    page.wait_for_selector("[data-hall=qiaocheng] li")
    look(page, "county")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    look(page, "county: phone")


@pytest.mark.parametrize("station", [(("tests/browser/halls/small.toml",), ())], indirect=True)
def test_what_a_joint_matter_and_special_windows_look_like(visitor: Visitor, station: Station, look: Look) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=small&lang={look.language}#code={code}", PORTRAIT)
    page.wait_for_selector("[data-choice=home]")
    look(page, "kiosk: marks and areas")
    page.click("[data-choice=home]")
    page.wait_for_selector("[data-stops]")
    look(page, "kiosk: stops")
    with page.expect_response(lambda one: one.request.method == "POST" and one.url.endswith("/tickets")) as answer:
        page.click("[data-go]")
    page.wait_for_selector("[data-label]")
    look(page, "kiosk: ticket with stops")
    phone = visitor.open(f"{urlsplit(answer.value.json()['track_url']).path}?lang={look.language}", PHONE)
    phone.wait_for_selector("[data-legs]")
    look(phone, "phone: stops")
    for number, address in enumerate(("board?", "strip?window=4&", "strip?window=2&")):
        code = station.people.new_code(f"screen-{number}", role="display")
        screen = visitor.open(f"/{address}hall=small&lang={look.language}#code={code}", LANDSCAPE)
        screen.wait_for_selector(".board, .strip")
        look(screen, address)


@pytest.mark.parametrize("station", [(("config/zhenyuan.toml",), ())], indirect=True)
def test_floors_to_browse_by(visitor: Visitor, station: Station, look: Look) -> None:
    code = station.people.new_code("zhenyuan-1F", role="kiosk")
    page = visitor.open(f"/kiosk?hall=zhenyuan&lang={look.language}#code={code}", PORTRAIT)
    page.wait_for_selector("[data-place]")
    look(page, "kiosk: floors")
    if look.language == "zh":  # names of departments are Chinese
        page.click("[data-place=departments]")
        page.wait_for_selector(".dense [data-choice]")
        look(page, "kiosk: departments")


@pytest.mark.parametrize("station", [(("tests/browser/halls/results.toml",), ())], indirect=True)
def test_what_is_asked_and_read_at_a_kiosk(visitor: Visitor, station: Station, look: Look) -> None:
    code = station.people.new_code("kiosk-1", role="kiosk")
    page = visitor.open(f"/kiosk?hall=results&lang={look.language}#code={code}", PORTRAIT)
    page.click("[data-ease=low]")
    look(page, "kiosk: low keys")
    page.click("[data-choice=pickup]")
    page.wait_for_selector("[data-without]")
    look(page, "kiosk: case number")
    page.click("[data-back]")
    page.click("[data-ease=contrast]")
    page.click("[data-door=guides]")
    page.click("[data-choice=lead]")
    page.wait_for_selector("[data-guide]")
    look(page, "kiosk: guide in high contrast")
    page.goto(f"{urlsplit(page.url)._replace(query=f'hall=results&mode=guide&lang={look.language}').geturl()}")
    page.click("[data-choice=lead]")
    page.wait_for_selector("[data-guide]")
    look(page, "touch query: guide")
