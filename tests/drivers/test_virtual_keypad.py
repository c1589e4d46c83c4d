"""The real pad driver against the pretend pads over a pty and TCP: a press on the page is a press in the hall."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from drivers.driver import Wiring
from drivers.faults import LineDown
from drivers.jobs import Press, Rating, WindowPicture, WindowStatus
from drivers.keypad import pad
from drivers.keypad.pad import PadOptions
from drivers.transport import Line, open_line
from drivers.virtual.keypad import PadLine
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WINDOWS = {1: "3", 2: "4"}
CALLING = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.CALLING,
    pause_reason=None,
    waiting=7,
    ticket="20261121-A012",
    label="A012",
    service=None,
    ticket_status=None,
    call_count=1,
)


class Owner:
    """Owns the port as the agent does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.driver = pad.make(Wiring(device="k", url=url, options=PadOptions(), windows=WINDOWS))
        self.line: Line | None = None
        self.presses: list[Press | Rating] = []
        self.until(lambda: self.line)

    def until(self, condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        end_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end_s, "it did not happen in time"
            self.turn()

    def run(self, length_s: float) -> None:
        end_s = time.monotonic() + length_s
        self.until(lambda: time.monotonic() > end_s)

    def turn(self) -> None:
        try:
            if self.line is None:
                self.line = open_line(self.url)
                self.driver.line_up(time.monotonic())
            frame = self.driver.due(time.monotonic())
            if frame:
                self.line.write(frame, 1.0)
            self.presses.extend(self.driver.feed(self.line.read(0.005), time.monotonic()))
        except LineDown:
            self.line = None
            time.sleep(0.02)


@pytest.fixture(params=["pty", "tcp"])
def pads(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PadLine]:
    line = PadLine("tcp://127.0.0.1:0" if request.param == "tcp" else f"pty://{tmp_path}/pads", WINDOWS)
    yield line
    line.close()


@pytest.fixture
def owner(pads: PadLine) -> Iterator[Owner]:
    owner = Owner(pads.url)
    yield owner
    if owner.line is not None:
        owner.line.close()


def answered(pads: PadLine) -> bool:
    return all(each.answered for each in pads.pads.values())


CALL = Press(window="3", command="call-next", body={"finish": True})


def test_press_arrives_once_and_is_answered(pads: PadLine, owner: Owner) -> None:
    pads.press("3", "call")
    owner.until(lambda: owner.presses and answered(pads))
    owner.run(0.7)
    assert owner.presses == [CALL]


def test_digits_go_with_the_function_key(pads: PadLine, owner: Owner) -> None:
    for key in ("1", "2", "transfer"):
        pads.press("4", key)
    pads.press("3", "6")
    pads.press("3", "ok")
    owner.until(lambda: len(owner.presses) == 2 and answered(pads))
    assert owner.presses == [
        Press(window="4", command="transfer", body={"window": "12"}),
        Press(window="3", command="no-show"),
    ]


def test_display_shows_who_is_called_and_how_many_wait(pads: PadLine, owner: Owner) -> None:
    owner.driver.show(CALLING)
    owner.until(lambda: pads.display("3") == "007012")
    assert pads.display("4") == "000000"


def test_rating_is_asked_and_given(pads: PadLine, owner: Owner) -> None:
    pads.press("3", "rating")
    owner.until(lambda: pads.pads[1].rating_asked and answered(pads))
    pads.press("3", "grade5")
    owner.until(lambda: owner.presses and answered(pads))
    assert owner.presses == [Rating(window="3", grade=5)]
    assert not pads.pads[1].rating_asked


def test_refusal_is_three_beeps(pads: PadLine, owner: Owner) -> None:
    pads.press("3", "call")
    owner.until(lambda: owner.presses)
    owner.driver.refused("3", "nobody_waiting")
    owner.until(lambda: pads.beeps("3") == 3)
    owner.run(0.5)
    assert (pads.beeps("3"), pads.beeps("4")) == (3, 0)


@pytest.mark.parametrize("fault", ["bounce", "garbage", "deaf"])
def test_press_is_counted_once_on_a_bad_line(pads: PadLine, owner: Owner, fault: str) -> None:
    pads.misbehave(fault)
    pads.press("3", "recall")
    owner.until(lambda: owner.presses)
    owner.run(1.2)  # a deaf pad sends three times
    assert owner.presses == [Press(window="3", command="recall")]


def test_unplugged_line_comes_back_and_displays_with_it(pads: PadLine, owner: Owner) -> None:
    pads.misbehave("unplug")
    owner.until(lambda: owner.line is None)
    owner.driver.show(CALLING)
    pads.misbehave(None)
    owner.until(lambda: pads.display("3") == "007012")
    pads.press("3", "call")
    owner.until(lambda: owner.presses)
    assert owner.presses == [CALL]


def test_key_or_window_that_is_not_there_is_refused(pads: PadLine) -> None:
    for window, key in (("99", "call"), ("3", "self_destruct"), ("3", "grade9"), ("3", "gradex")):
        with pytest.raises(KeyError):
            pads.press(window, key)
