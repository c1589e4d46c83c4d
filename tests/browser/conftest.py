"""A real server process with the built pages, and a real Chromium in front of it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from server.people import People
from tests.patience import PATIENCE_S, past_the_turn_of_the_day, until

__all__ = [
    "LANDSCAPE",
    "LAPTOP",
    "PASSWORD",
    "PHONE",
    "PORTRAIT",
    "Api",
    "Station",
    "Visitor",
    "cut_off",
    "hear",
    "settle",
    "until",
]

PASSWORD = "a long password"
PORTRAIT, LANDSCAPE, LAPTOP, PHONE = (1080, 1920), (1920, 1080), (1440, 900), (390, 844)

expect.set_options(timeout=PATIENCE_S * 1000)

# A kiosk that nobody touches goes back to its start after some seconds: on a slow machine in the middle of a test.
NO_COUNTDOWN = """
const every = window.setInterval.bind(window)
window.setInterval = (act, ms, ...more) => (ms === 1000 ? 0 : every(act, ms, ...more))
"""
# A good word stays for some seconds only: whatever was said is kept in `window.said`.
KEEP_WHAT_IS_SAID = """
window.said = []
let last = ''
new MutationObserver(() => {
  const now = [...document.querySelectorAll('[data-notice], .toasts')].map((one) => one.textContent).join(' ').trim()
  if (now !== '' && now !== last) window.said.push(now)
  last = now
}).observe(document, { childList: true, characterData: true, subtree: true })
"""
# Words that are cut off: hidden by the edge of their box (and told nowhere else), outside the screen, or reached only
# by scrolling sideways. A wide table may scroll in a frame of its own that keys reach, tabs may follow each other in a
# row, and examples below a button may end in dots. Gives [where and what].
CUT_OFF = """() => {
  const found = []
  if (document.scrollingElement.scrollWidth > innerWidth) found.push('the page scrolls sideways')
  const hides = (overflow) => overflow === 'hidden' || overflow === 'clip'
  for (const one of document.querySelectorAll('body *')) {
    const words = one.textContent.trim().replace(/\\s+/g, ' ').slice(0, 40)
    if (words === '' || one.clientWidth < 2 || one.closest('.for-readers, [aria-hidden=true]')) continue
    const { fontSize, overflowX, overflowY, visibility, webkitLineClamp } = getComputedStyle(one)
    if (visibility === 'hidden' || webkitLineClamp !== 'none') continue
    if (one.matches('[role=tablist], [role=region][tabindex]')) continue
    const name = `<${one.tagName.toLowerCase()} class="${one.className}"> ${words}`
    if (one.scrollWidth > one.clientWidth + 1) {
      if (hides(overflowX) && one.closest('[title]') === null) found.push(`cut off at the side: ${name}`)
      if (overflowX === 'auto' || overflowX === 'scroll') found.push(`scrolls sideways: ${name}`)
    }
    // The box of a font is taller than its signs.
    const spare = 0.2 * parseFloat(fontSize)
    if (hides(overflowY) && one.scrollHeight > one.clientHeight + spare) found.push(`cut off below: ${name}`)
  }
  return [...new Set(found)].slice(0, 8)
}"""
SETTLE = """() => {
  for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime !== Infinity) one.finish()
}"""


def settle(page: Page) -> None:
    """Let what fades or rings on the page be at its end."""
    page.evaluate(SETTLE)


def cut_off(page: Page) -> list[str]:
    """Give what of the page's words nobody can read at its size."""
    return list(page.evaluate(CUT_OFF))


def hear(page: Page, words: str, *, after: int = 0) -> None:
    """Wait until the page has said so, in a notice or a toast; `after` leaves out what it said before."""
    told = "([words, after]) => window.said.slice(after).some((one) => one.includes(words))"
    # Polling inside the page would need eval, which its Content-Security-Policy forbids.
    until(lambda: page.evaluate(told, [words, after]), f"the page says {words}")


class Station:
    """`jiaohao serve` with some halls, and accounts for those who come to it."""

    def __init__(self, root: Path, data: Path, *files: str) -> None:
        self.root, self.data, self.files, self.port = root, data, files, 0
        self.people = People(data / "accounts.sqlite")
        self.people.accounts.busy_wait_s = PATIENCE_S  # the server writes there too
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> "Station":
        """Start, on the same port as before when there was one."""
        arguments = [sys.executable, "-m", "server.main", "--lang", "en", "serve", *self.files]
        arguments += ["--port", str(self.port), "--data", str(self.data), *options]
        with (self.data / "stderr.txt").open("a") as errors:
            self._process = subprocess.Popen(
                arguments,
                cwd=self.root,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"LANG": "C.UTF-8"},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), (line, (self.data / "stderr.txt").read_text())
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def kill(self) -> None:
        """Take it away as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it finish and end."""
        if self._process is not None:
            self.thaw()
            self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it say and hear nothing any more, with all lines open, as a machine that hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def api(self, token: str | None = None) -> "Api":
        return Api(self, token)

    def manager(self, work_id: str = "manager-1") -> "Api":
        """Give the HTTP interface as a manager, who may command every window."""
        if not any(user.work_id == work_id for user in self.people.users()):
            self.people.add_user(work_id, PASSWORD, role="manager")
        return self.api().sign_in(work_id, PASSWORD)


class Api:
    """The HTTP interface as a device or a person."""

    def __init__(self, station: Station, token: str | None) -> None:
        self._station, self._session = station, requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, work_id: str, password: str) -> "Api":
        me = self.send("POST", "/login", {"work_id": work_id, "password": password})
        self._session.headers["X-CSRF-Token"] = me["csrf"]
        return self

    def send(self, method: str, path: str, body: object = None) -> Any:
        sent = body if method != "GET" else None
        url = f"{self._station.url}/api/v1{path}"
        response = self._session.request(method, url, json=sent, timeout=PATIENCE_S)
        assert response.ok, (path, response.status_code, response.text)
        return response.json()

    def close(self) -> None:
        self._session.close()


class Visitor:
    """Opens pages as somebody in front of a screen would, and remembers what went wrong behind them."""

    def __init__(self, browser: Browser, station: Station) -> None:
        self._browser, self._station = browser, station
        self._contexts: list[BrowserContext] = []
        self.wrong: list[str] = []
        """Errors of scripts, refusals by the Content-Security-Policy, and requests to anybody but the server."""

    def context(self, size: tuple[int, int] = LANDSCAPE) -> BrowserContext:
        """Give a browser of its own: no cookies, nothing remembered."""
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.set_default_timeout(PATIENCE_S * 1000)
        context.on("page", self._listen)
        self._contexts.append(context)
        return context

    def open(self, path: str, size: tuple[int, int] = LANDSCAPE, *, own_clock: bool = False) -> Page:
        """Open an address of the server in a browser of its own, on request with a clock that only the test moves."""
        page = self.context(size).new_page()
        if own_clock:
            now = datetime.now(UTC)
            page.clock.install(time=now)
            page.clock.pause_at(now + timedelta(seconds=1))
        elif path.startswith("/kiosk"):
            page.add_init_script(NO_COUNTDOWN)
        page.add_init_script(KEEP_WHAT_IS_SAID)
        page.goto(self._station.url + path)
        return page

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("request", lambda request: self._asked(request.url))

    def _hear(self, kind: str, text: str) -> None:
        # A lost connection is told by the browser as well; the page's own word for it is what tests look at.
        if (
            kind == "error"
            and "net::ERR_" not in text
            and "WebSocket connection" not in text
            and "status of 4" not in text
        ):
            self.wrong.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.wrong.append(f"asked somebody else: {url}")

    def close(self) -> None:
        """Put all browsers away."""
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the system's Chromium."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=PATIENCE_S * 1000)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _one_business_day() -> None:
    past_the_turn_of_the_day()


@pytest.fixture
def station(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Station]:
    """Give a running server with the hall of Qiaocheng and the small demo hall.

    A test that needs other halls, or another time, names files and options of `serve` as this fixture's parameter.
    """
    files, options = getattr(request, "param", (("config/qiaocheng.toml", "config/demo.toml"), ()))
    root = Path(__file__).resolve().parents[2]
    assert (root / "kiosk/pages/kiosk.html").is_file(), "pages are not built: npm ci && npm run build"
    station = Station(root, tmp_path, *files).start(*options)
    try:
        yield station
    finally:
        station.stop()


@pytest.fixture
def visitor(chromium: Browser, station: Station) -> Iterator[Visitor]:
    """Give somebody in front of the screens; a page with an error behind it fails the test."""
    visitor = Visitor(chromium, station)
    try:
        yield visitor
    finally:
        visitor.close()
    assert visitor.wrong == []
