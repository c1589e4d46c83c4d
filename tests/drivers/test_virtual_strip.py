"""The real strip driver against the pretend strips over TCP and a pty, also when they misbehave."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from drivers.driver import Wiring
from drivers.faults import FaultCode, Health, HealthStatus, LineDown
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import onbon, strip
from drivers.led.strip import StripOptions
from drivers.transport import Line, open_line
from drivers.virtual.strip import DOT_PX, StripLine
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLING = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.CALLING,
    pause_reason=None,
    waiting=0,
    ticket="20261121-A012",
    label="A012",
    service=None,
    ticket_status=None,
    call_count=1,
)
WINDOWS = {1: "3", 2: "4"}
NOW = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


class Owner:
    """Owns the port as the agent does: reopens it, writes what is due, feeds what comes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.driver = strip.make(Wiring(device="s", url=url, options=StripOptions(), windows=WINDOWS))
        self.line: Line | None = None

    def until(self, condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        end_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end_s, "it did not happen in time"
            self.turn()

    def turn(self) -> None:
        try:
            if self.line is None:
                self.line = open_line(self.url)
                self.driver.line_up(time.monotonic())
            frame = self.driver.due(time.monotonic())
            if frame:
                self.line.write(frame, 1.0)
            self.driver.feed(self.line.read(0.01), time.monotonic())
        except LineDown:
            self.line = None
            time.sleep(0.02)

    @property
    def health(self) -> Health:
        return self.driver.health(time.monotonic())


@pytest.fixture(params=["tcp", "pty"])
def strips(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StripLine]:
    place = "tcp://127.0.0.1:0" if request.param == "tcp" else f"pty://{tmp_path}/strips"
    line = StripLine(place, WINDOWS)
    yield line
    line.close()


@pytest.fixture
def owner(strips: StripLine) -> Iterator[Owner]:
    owner = Owner(strips.url)
    yield owner
    if owner.line is not None:
        owner.line.close()


def test_call_is_seen_on_the_strip_of_its_window(strips: StripLine, owner: Owner) -> None:
    owner.driver.show(CALLING)
    owner.driver.show(replace(CALLING, window="4", status=WindowStatus.OPEN, label=None))
    owner.until(lambda: strips.text("3") == "请 A012 号" and strips.text("4") == "欢迎办理")
    owner.until(lambda: owner.health.status is HealthStatus.OK)


def test_unplugged_line_is_painted_again_with_what_is_true_then(
    strips: StripLine, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strip, "REPAINT_EVERY_S", 10 * PATIENCE_S)  # it is painted because it came back
    owner.driver.show(CALLING)
    owner.until(lambda: strips.text("3") == "请 A012 号")
    strips.misbehave("unplug")
    owner.until(lambda: owner.line is None)
    owner.driver.show(replace(CALLING, label="A013"))
    strips.lose_power()
    strips.misbehave(None)
    owner.until(lambda: strips.text("3") == "请 A013 号")


def test_silent_strips_are_a_fault_and_recover(
    strips: StripLine, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strip, "ACK_WITHIN_S", 0.1)
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 0.3)
    strips.misbehave("silent")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.health.status is HealthStatus.DOWN)
    assert owner.health.faults[0].code is FaultCode.NO_ANSWER
    strips.misbehave(None)
    owner.until(lambda: owner.health.status is HealthStatus.OK)
    assert strips.text("3") == "请 A012 号"


def test_damaged_answers_are_no_answers(strips: StripLine, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strip, "ACK_WITHIN_S", 0.1)
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 0.3)
    strips.misbehave("garbage")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.health.status is HealthStatus.DOWN)
    strips.misbehave(None)
    owner.until(lambda: owner.health.status is HealthStatus.OK)


def test_refused_text_is_a_fault_until_it_is_taken(
    strips: StripLine, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 0.3)
    strips.misbehave("nak")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.health.faults and owner.health.faults[0].code is FaultCode.REFUSED)
    assert strips.text("3") == ""
    strips.misbehave(None)
    owner.until(lambda: strips.text("3") == "请 A012 号")
    owner.until(lambda: owner.health.status is HealthStatus.OK)


def test_slow_line_still_shows_the_call(strips: StripLine, owner: Owner) -> None:
    strips.misbehave("slow")
    owner.driver.show(CALLING)
    owner.until(lambda: strips.text("3") == "请 A012 号")
    owner.until(lambda: owner.health.status is HealthStatus.OK)


def test_dots_of_the_text_are_lit_in_its_colour(strips: StripLine, owner: Owner) -> None:
    assert strips.png(99, 0) is None
    dark = strips.png(1, 0)
    owner.driver.show(CALLING)
    owner.until(lambda: strips.text("3"))
    lit = strips.png(1, 0)
    assert dark is not None
    assert lit is not None
    picture = Image.open(io.BytesIO(lit)).convert("RGB")
    assert picture.size == (128 * DOT_PX, 16 * DOT_PX)
    pixels = [picture.getpixel((x * DOT_PX + 3, y * DOT_PX + 3)) for x in range(128) for y in range(16)]
    red = sum(1 for pixel in pixels if isinstance(pixel, tuple) and pixel[0] > 200 and pixel[1] < 120)
    assert 100 < red < 1000
    assert lit != dark


def test_switched_off_strip_is_dark(strips: StripLine) -> None:
    line = open_line(strips.url)
    for data in (strip.paint(CALLING, StripOptions()), onbon.switch(on=False), onbon.set_clock(NOW)):
        line.write(onbon.encode(data, dst=1), 1.0)
        decoder = onbon.Decoder()
        replies: list[onbon.Frame] = []
        end_s = time.monotonic() + PATIENCE_S
        while not replies and time.monotonic() < end_s:
            replies += decoder.feed(line.read(0.1))
        assert onbon.read_reply(replies[0]) == onbon.Ack(address=1)
    assert strips.png(1, 0) == strips.png(2, 0)
    line.close()
