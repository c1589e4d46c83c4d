"""Opens pages of the pictured hall and keeps small pictures of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from scripts.pictured_hall import Morning
from server.demo.stage import PASSWORD
from server.people import People

PICTURES = Path(__file__).resolve().parent.parent / "docs/pictures"
PORTRAIT, LANDSCAPE, LAPTOP, PHONE = (1080, 1920), (1920, 1080), (1440, 900), (390, 844)
DOCKED, TABLET, FOUR_K = (360, 800), (1280, 800), (3840, 2160)
COLOURS = 128
LONGEST_PX = 1440  # of a picture's longer side; larger ones are made smaller
PATIENCE_MS = 15_000
REST_MS = 700  # pictures that are still on their way, type that is still being loaded
STILL = """() => {
  for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime !== Infinity) one.finish()
}"""


@dataclass(kw_only=True)
class Studio:
    """Pages of the hall at its morning; `taken` is {page: {picture: (zh, en)}}."""

    browser: Browser
    at: dict[str, str]
    morning: Morning
    people: People
    server: int
    data: Path
    taken: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    _contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def home(self) -> str:
        """The server's address, without a slash at its end."""
        return self.at["home"].rstrip("/")

    def open(self, address: str, size: tuple[int, int]) -> Page:
        """Open a page (an address, or a path of the server) in a browser of its own."""
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.goto(address if address.startswith("http") else self.home + address)
        return page

    def device(self, path: str, size: tuple[int, int], role: str, name: str, hall: str = "") -> Page:
        """Open a page as a device of its own that is enrolled, of the played hall unless another is named."""
        code = self.people.new_code(name, role=role, hall=hall or self.morning.hall)
        return self.open(f"{path}#code={code}", size)

    def person(self, path: str, size: tuple[int, int], work_id: str, window: str | None = None) -> Page:
        """Open a page as somebody who signs in."""
        page = self.open(f"/login?to={path}", size)
        if page.locator("#hall").count() > 0:
            page.select_option("#hall", self.morning.hall)
        page.fill("#work-id", work_id)
        page.fill("#password", PASSWORD)
        if window is not None:
            page.fill("#window", window)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        if path not in page.url:
            page.goto(self.home + path)
        return page

    def shoot(self, page: Page, name: str, zh: str, en: str) -> None:
        """Keep what the page shows as docs/pictures/NAME.png; what comes before the dash is the page."""
        page.wait_for_timeout(REST_MS)
        page.evaluate(STILL)
        self.keep(Image.open(BytesIO(page.screenshot())), name, zh, en)

    def keep(self, picture: Image.Image, name: str, zh: str, en: str) -> None:
        """Keep a picture that is no page."""
        longer = max(picture.size)
        if longer > LONGEST_PX:
            size = (round(picture.width * LONGEST_PX / longer), round(picture.height * LONGEST_PX / longer))
            picture = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        kept(picture, PICTURES / f"{name}.png")
        self.taken.setdefault(name.split("-")[0], {})[name] = (zh, en)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Let the server be silent, as one that hangs."""
        os.kill(self.server, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.server, signal.SIGCONT)

    def put_away(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def kept(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours: small, and rare ones (a yellow notice on a blue board) stay what they are."""
    picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
