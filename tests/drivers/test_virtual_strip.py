"""The real strip drivers against pretend strips of every maker, over TCP and a pty, also when they misbehave."""

from __future__ import annotations

import io
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from drivers.driver import Wiring
from drivers.faults import FaultCode, Health, HealthStatus, LineDown
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import alpha, strip
from drivers.led.strip import Manners, Strips
from drivers.registry import DRIVERS, StateEntry
from drivers.transport import Line, open_line
from drivers.virtual.cards import SAMPLES, sample
from drivers.virtual.strip import DOT_PX, FAULTS, StripLine
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
NEXT = replace(CALLING, label="A013")
WINDOWS = {1: "3", 2: "4"}
SHOWN = {"alpha": "（图）", "modbus-strip": "A012"}
"""What the strip of a calling window shows, where it is not the sentence."""
EVERY = tuple(f"{driver} {line}" for driver in SAMPLES for line in ("pty", "tcp"))
ON_PTY = tuple(f"{driver} pty" for driver in SAMPLES)
ANSWERING = tuple(each for each in ON_PTY if not each.startswith("alpha"))
REFUSING = tuple(each for each in ANSWERING if not each.startswith("template"))

on_every_line = pytest.mark.parametrize("owner", EVERY, indirect=True)
on_ptys = pytest.mark.parametrize("owner", ON_PTY, indirect=True)
that_answer = pytest.mark.parametrize("owner", ANSWERING, indirect=True)
that_say_no = pytest.mark.parametrize("owner", REFUSING, indirect=True)


def shown(driver: str, label: str = "A012") -> str:
    return SHOWN.get(driver, "请 A012 号").replace("A012", label)


@dataclass
class Owner:
    """Owns the port as the agent does: reopens it, writes what is due, feeds what comes."""

    strips: StripLine
    driver: Strips
    line: Line | None = None
    lost: int = 0

    def until(self, condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        end_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end_s, "it did not happen in time"
            self.turn()

    def turn(self) -> None:
        try:
            if self.line is None:
                self.line = open_line(self.strips.url)
                self.driver.line_up(time.monotonic())
            frame = self.driver.due(time.monotonic())
            if frame:
                self.line.write(frame, 1.0)
            self.driver.feed(self.line.read(0.005), time.monotonic())
        except LineDown:
            self.line = None
            self.lost += 1
            time.sleep(0.02)

    def shows(self, text: str) -> bool:
        return self.strips.text("3") == text

    @property
    def health(self) -> Health:
        return self.driver.health(time.monotonic())


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real sign is deaf while it clears its memory, and slow; ours is not."""
    for rest in ("CLEAR_REST_S", "ROOM_REST_S", "DOTS_REST_S"):
        monkeypatch.setattr(alpha, rest, 0.0)


@pytest.fixture
def owner(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    driver, kind = request.param.split()
    place = "tcp://127.0.0.1:0" if kind == "tcp" else f"pty://{tmp_path}/strips"
    _, options = sample(driver)
    strips = StripLine(place, WINDOWS, driver=driver, options=options)
    entry = DRIVERS[driver]
    assert isinstance(entry, StateEntry)
    made = entry.make(Wiring(device="s", url=strips.url, options=options, windows=WINDOWS))
    assert isinstance(made, Strips)
    monkeypatch.setattr(made.dialect, "manners", replace(made.dialect.manners, gap_s=0.01))
    owner = Owner(strips, made)
    yield owner
    if owner.line is not None:
        owner.line.close()
    strips.close()


def impatient(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver give up sooner, so that the test is over sooner."""
    quick = replace(owner.driver.dialect.manners, answer_within_s=0.1, repaint_every_s=10 * PATIENCE_S)
    monkeypatch.setattr(owner.driver.dialect, "manners", quick)
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 0.3)


@on_every_line
def test_call_is_seen_on_the_strip_of_its_window_in_red_and_ended_by_the_next(owner: Owner) -> None:
    owner.driver.show(CALLING)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))
    assert owner.strips.strips[1].colour == 1
    assert owner.strips.text("4") == ""
    before = owner.strips.png(1, 0)
    owner.driver.show(NEXT)
    owner.until(lambda: owner.shows(shown(owner.strips.driver, "A013")) and owner.strips.png(1, 0) != before)
    owner.until(lambda: owner.health.status is HealthStatus.OK)


@on_every_line
def test_unplugged_line_is_painted_again_with_what_is_true_then(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(owner, monkeypatch)  # it is painted because it came back, not because it is time
    monkeypatch.setattr(strip, "LEFT_ALONE_S", 10 * PATIENCE_S)
    owner.driver.show(CALLING)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))
    owner.strips.misbehave("unplug")
    owner.until(lambda: owner.line is None)
    owner.driver.show(NEXT)
    owner.strips.lose_power()
    owner.strips.misbehave(None)
    owner.until(lambda: owner.shows(shown(owner.strips.driver, "A013")))


@that_answer
@pytest.mark.parametrize(("fault", "code"), [("silent", FaultCode.NO_ANSWER), ("garbage", FaultCode.BAD_ANSWER)])
def test_silent_and_garbling_strips_are_a_fault_and_recover(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, fault: str, code: FaultCode
) -> None:
    impatient(owner, monkeypatch)
    owner.strips.misbehave(fault)
    owner.driver.show(CALLING)
    owner.driver.show(replace(CALLING, window="4"))
    owner.until(lambda: owner.health.status is HealthStatus.DOWN)
    assert owner.health.faults[0].code is code
    owner.strips.lose_power()
    owner.driver.show(NEXT)
    owner.strips.misbehave(None)
    owner.until(lambda: owner.health.status is HealthStatus.OK)
    owner.until(lambda: owner.shows(shown(owner.strips.driver, "A013")))


@that_say_no
def test_refused_text_is_a_fault_until_it_is_taken(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(owner, monkeypatch)
    owner.strips.misbehave("nak")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.health.faults and owner.health.faults[0].code is FaultCode.REFUSED)
    assert owner.strips.text("3") == ""
    owner.strips.misbehave(None)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))
    owner.until(lambda: owner.health.status is HealthStatus.OK)


@on_every_line
def test_a_connection_that_is_reset_at_every_frame_is_tried_again_until_it_holds(owner: Owner) -> None:
    owner.strips.misbehave("reset")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.lost >= 2)
    assert owner.strips.text("3") == ""
    owner.strips.misbehave(None)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))


@on_ptys
def test_a_line_that_takes_no_bytes_is_given_up_and_painted_when_it_does(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(owner, monkeypatch)
    owner.strips.misbehave("stop_reading")
    owner.driver.show(CALLING)
    if owner.strips.driver != "alpha":
        owner.until(lambda: owner.health.faults)
    owner.strips.misbehave(None)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))


@on_ptys
def test_slow_line_still_shows_the_call(owner: Owner) -> None:
    owner.strips.misbehave("slow")
    owner.driver.show(CALLING)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))
    owner.until(lambda: owner.health.status is HealthStatus.OK)


@on_ptys
def test_ten_thousand_bad_frames_do_not_hide_the_good_one(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random bytes, and real answers damaged at one place, as fast as the line takes them."""
    impatient(owner, monkeypatch)
    chance = random.Random(7)
    owner.driver.show(CALLING)
    owner.until(lambda: owner.shows(shown(owner.strips.driver)))
    good = [command.yes or b"\x06" for command in owner.strips._card.hear(owner.driver.due(1e9))] or [b"\x01\x30\x04"]
    for batch in range(100):
        bad = b""
        for _ in range(100):
            frame = bytearray(chance.choice(good))
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
            bad += bytes(frame) if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 40))
        owner.strips.line.send(bad)
        while owner.line is not None and (data := owner.line.read(0.0 if batch else 0.05)):
            assert owner.driver.feed(data, time.monotonic()) == ()
    owner.driver.line_up(time.monotonic())
    owner.driver.show(NEXT)
    owner.until(lambda: owner.shows(shown(owner.strips.driver, "A013")))
    owner.until(lambda: owner.health.status is HealthStatus.OK)


def test_dots_of_the_text_are_lit_in_its_colour(tmp_path: Path) -> None:
    strips = StripLine(f"pty://{tmp_path}/strips", WINDOWS)
    try:
        assert strips.png(99, 0) is None
        dark = strips.png(1, 0)
        strips.strips[1].show(["请 A012 号"], 1, moving=False)
        lit = strips.png(1, 0)
        assert dark is not None
        assert lit is not None
        picture = Image.open(io.BytesIO(lit)).convert("RGB")
        assert picture.size == (128 * DOT_PX, 16 * DOT_PX)
        pixels = [picture.getpixel((x * DOT_PX + 3, y * DOT_PX + 3)) for x in range(128) for y in range(16)]
        red = sum(1 for pixel in pixels if isinstance(pixel, tuple) and pixel[0] > 200 and pixel[1] < 120)
        assert 100 < red < 1000
        assert lit != dark
        strips.strips[1].on = False
        assert strips.png(1, 0) == dark
    finally:
        strips.close()


def test_every_fault_has_its_word_and_others_are_refused(tmp_path: Path) -> None:
    strips = StripLine(f"pty://{tmp_path}/strips", WINDOWS)
    try:
        for fault in FAULTS:
            strips.misbehave(fault)
            assert strips.state()["fault"] == fault
        with pytest.raises(ValueError, match="silent"):
            strips.misbehave("explode")
    finally:
        strips.close()
    with pytest.raises(KeyError):
        sample("ff68")


def test_manners_can_be_changed_without_touching_the_others() -> None:
    assert replace(Manners(), gap_s=1.0).answer_within_s == Manners().answer_within_s
