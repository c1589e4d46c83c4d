"""A board runs for weeks: what it holds after hundreds of calls is what it held after some.

`make test-growth` plays days of a hall.
"""

import os
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import LANDSCAPE, Api, Station, Visitor, until

pytestmark = pytest.mark.browser

CALLS = int(os.environ.get("BOARD_CALLS", "200"))
WARM = 60  # calls after which every list of the board is full
HEAP_MORE = 500_000
"""Bytes that come and go: code compiled since, the last picture. One picture of this hall, kept, would be 40 kB."""
NODES_MORE, LISTENERS_MORE = 300, 20
HALL = "/halls/qiaocheng"
WINDOWS, SERVICE = [str(no) for no in range(1, 7)], "general"


def held(page: Page, line: CDPSession) -> tuple[int, int, int]:
    """Give bytes of the heap, nodes and listeners that are left when the garbage is gone."""
    page.wait_for_timeout(500)  # what has just left the page is let go in its own time
    for _ in range(3):
        line.send("HeapProfiler.collectGarbage")
    counts = line.send("Memory.getDOMCounters")
    return line.send("Runtime.getHeapUsage")["usedSize"], counts["nodes"], counts["jsEventListeners"]


def serve(manager: Api, n: int) -> str:
    """Let a visitor come, be called, now and then again, and go; give the label."""
    window = f"{HALL}/windows/{WINDOWS[n % len(WINDOWS)]}"
    manager.send("POST", f"{HALL}/tickets", {"service": SERVICE})
    label = manager.send("POST", f"{window}/call-next", {})["label"]
    if n % 5 == 0:
        manager.send("POST", f"{window}/recall", {})
    manager.send("POST", f"{window}/start", {})
    manager.send("POST", f"{window}/finish", {})
    return str(label)


def test_a_board_holds_no_more_after_many_calls_than_after_some(visitor: Visitor, station: Station) -> None:
    folder = station.data / "media" / "qiaocheng"
    folder.mkdir(parents=True)
    for n, colour in enumerate(("#1b7f4d", "#14518f")):
        kept = BytesIO()
        Image.new("RGB", (1600, 900), colour).save(kept, "PNG")
        (folder / f"{n}.png").write_bytes(kept.getvalue())
    code = station.people.new_code("screen-1", role="display")
    page = visitor.open(f"/board?hall=qiaocheng#code={code}", LANDSCAPE)
    line = page.context.new_cdp_session(page)
    manager = station.manager()
    for no in WINDOWS:
        manager.send("POST", f"{HALL}/windows/{no}/open", {})

    def play(calls: range) -> None:
        label = ""
        for n in calls:
            label = serve(manager, n)
        expect(page.locator(".newest .label")).to_have_text(label)

    play(range(WARM))
    before = held(page, line)
    play(range(WARM, WARM + CALLS))
    after: tuple[int, int, int] = before

    def settled() -> bool:
        nonlocal after
        after = held(page, line)
        return all(
            now <= then + more
            for now, then, more in zip(after, before, (HEAP_MORE, NODES_MORE, LISTENERS_MORE), strict=True)
        )

    until(settled, f"heap, nodes and listeners are what they were: {before}")
    measured = f"after {WARM} calls {before}, after {WARM + CALLS} {after}"
    print(f"board: {measured} (heap bytes, nodes, listeners)")  # noqa: T201
    manager.close()
