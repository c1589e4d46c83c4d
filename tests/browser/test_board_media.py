"""Pictures and films beside the calls: one after another for ever, whatever lies in the folder."""

import base64
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LANDSCAPE, PORTRAIT, Station, Visitor, settle, until

pytestmark = pytest.mark.browser

HALL = "qiaocheng"
PICTURE_MS, ASK_MS = 12_000, 60_000
RECORD = """async () => {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 64
  const paint = canvas.getContext('2d')
  const parts = []
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' })
  recorder.ondataavailable = (event) => parts.push(event.data)
  recorder.start()
  for (let n = 0; n < 12; n++) {
    paint.fillStyle = `hsl(${n * 30}, 80%, 50%)`
    paint.fillRect(0, 0, 64, 64)
    await new Promise((done) => setTimeout(done, 50))
  }
  await new Promise((done) => { recorder.onstop = done; recorder.stop() })
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer())
  return btoa(String.fromCharCode(...bytes))
}"""


def film(browser: Browser) -> bytes:
    """Give a film of half a second, recorded by the browser itself."""
    page = browser.new_page()
    try:
        return base64.b64decode(page.evaluate(RECORD))
    finally:
        page.close()


def picture() -> bytes:
    kept = BytesIO()
    Image.new("RGB", (1600, 900), "#1b7f4d").save(kept, "PNG")
    return kept.getvalue()


def board(visitor: Visitor, station: Station, size: tuple[int, int] = LANDSCAPE, *, own_clock: bool = False) -> Page:
    code = station.people.new_code("screen-1", role="display")
    return visitor.open(f"/board?hall={HALL}#code={code}", size, own_clock=own_clock)


@pytest.fixture
def folder(station: Station) -> Path:
    folder = station.data / "media" / HALL
    folder.mkdir(parents=True)
    return folder


def test_films_and_pictures_take_turns_and_what_is_broken_is_left_out(
    visitor: Visitor, station: Station, chromium: Browser, folder: Path
) -> None:
    (folder / "1.webm").write_bytes(film(chromium))
    (folder / "2.jpg").write_bytes(b"no picture at all")
    (folder / "3.mp4").write_bytes(b"no film at all")
    (folder / "4.png").write_bytes(picture())
    page = board(visitor, station, own_clock=True)
    player, shown = page.locator("[data-media] video"), page.locator("[data-media] img")
    expect(player).to_be_visible()
    assert player.evaluate("it => it.muted")
    expect(shown).to_have_attribute("src", f"/api/v1/halls/{HALL}/media/4.png?v={version(folder / '4.png')}")
    until(lambda: shown.evaluate("it => it.naturalWidth") == 1600, "the picture is there")
    page.clock.run_for(PICTURE_MS)
    expect(player).to_be_visible()
    expect(shown).to_be_visible()  # after the film, without a try at the broken ones

    for file in folder.iterdir():
        file.unlink()
    expect(page.locator(".zones li")).to_have_count(3)
    page.clock.run_for(ASK_MS)
    expect(page.locator("[data-media]")).to_be_hidden()
    expect(page.locator(".zones li")).to_have_count(7)


def test_a_restart_of_the_server_costs_no_film(
    visitor: Visitor, station: Station, chromium: Browser, folder: Path
) -> None:
    """While the server is away nothing can be loaded, which says nothing about the files."""
    (folder / "1.png").write_bytes(picture())
    (folder / "2.webm").write_bytes(film(chromium))
    page = board(visitor, station)
    shown = page.locator("[data-media] img")
    expect(shown).to_be_visible()
    station.kill()
    shown.dispatch_event("error")
    expect(page.locator("[data-media]")).to_be_hidden()
    station.start()
    expect(page.locator("[data-media]")).to_be_visible()


def version(file: Path) -> str:
    found = file.stat()
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_pictures_leave_the_calls_as_large_as_before(
    visitor: Visitor, station: Station, folder: Path, size: tuple[int, int]
) -> None:
    (folder / "1.png").write_bytes(picture())
    page = board(visitor, station, size)
    manager = station.manager()
    manager.send("POST", f"/halls/{HALL}/tickets", {"service": "household"})
    manager.send("POST", f"/halls/{HALL}/windows/11/open", {})
    manager.send("POST", f"/halls/{HALL}/windows/11/call-next", {})
    manager.close()
    expect(page.locator("[data-media] img")).to_be_visible()
    expect(page.locator(".newest .label")).to_be_visible()
    settle(page)
    label, shown = page.locator(".newest .label").bounding_box(), page.locator("[data-media]").bounding_box()
    assert label is not None
    assert shown is not None
    assert label["height"] >= min(size) / 7
    assert shown["width"] > 0.3 * size[0]
    assert shown["y"] + shown["height"] <= size[1]
    for row in page.locator(".recent li, .zones li").all():
        sizes = row.evaluate("it => [it.scrollWidth - it.clientWidth, it.scrollHeight - it.clientHeight]")
        assert max(sizes) <= 1, (sizes, row.inner_text())
    assert not page.evaluate("document.scrollingElement.scrollHeight > innerHeight")
