"""The server dies and comes back while windows call: every screen shows every call, in order."""

import random
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.live.house import House, rising
from tests.patience import PATIENCE_S, until

CALL_EVERY_S = 0.1
SCREENS = 3
SEED = 20260302


def stubborn(house: House, api: Any, path: str, body: dict[str, object]) -> dict[str, Any]:
    """Ask until there is an answer, always under the same key, as a page does."""
    key, deadline = str(uuid4()), time.monotonic() + PATIENCE_S
    while True:
        try:
            answer: dict[str, Any] = api.hall("POST", path, body, key=key)
        except (requests.RequestException, AssertionError):
            assert time.monotonic() < deadline, path
            time.sleep(0.05)
        else:
            return answer


def shown(pictures: Sequence[dict[str, Any]]) -> list[str]:
    """Give the calls that a screen showed in the order in which it showed them; a board lists the newest first."""
    seen: list[str] = []
    for picture in pictures:
        for call in reversed(picture["data"]["calls"]):
            if call["label"] not in seen:
                seen.append(call["label"])
    return seen


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.faults)])
def test_screens_miss_no_call_while_the_server_is_killed_again_and_again(house: House, kills: int) -> None:
    screens = [house.watcher("display").watch("board") for _ in range(SCREENS)]
    kiosk, clerk = house.api("kiosk"), house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    called: list[str] = []
    stop = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                stubborn(house, kiosk, "/tickets", {"service": "general"})
                called.append(stubborn(house, clerk, "/windows/1/call-next", {"finish": True})["label"])
                stop.wait(CALL_EVERY_S)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            faults.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    dice = random.Random(SEED)
    try:
        for kill in range(kills):
            goal = len(called) + dice.randrange(5, 15)
            until(lambda goal=goal: len(called) >= goal or faults, "calls")  # type: ignore[misc]  # a bound default
            house.server.end(signal.SIGKILL)
            house.server.start()
            back = 2 + kill
            until(lambda back=back: all(it.connects >= back for it in screens), "screens")  # type: ignore[misc]
        goal = len(called) + 5
        until(lambda: len(called) >= goal or faults, "calls after the last start")
    finally:
        stop.set()
        worker.join(PATIENCE_S)
    assert not faults
    until(lambda: all(called[-1] in shown(it.of("board")) for it in screens), "the last call on every screen")
    assert called == sorted(set(called))
    for screen in screens:
        assert shown(screen.of("board")) == called
        assert rising(screen.seqs("board"))
        assert screen.connects == 1 + kills


def test_a_screen_that_misses_a_call_is_found_out() -> None:
    """The control: a picture that never came, and two in the wrong order."""
    pictures = [{"data": {"calls": [{"label": it}]}} for it in ("A001", "A002", "A003")]
    assert shown(pictures) == ["A001", "A002", "A003"]
    assert shown(pictures[:1] + pictures[2:]) != ["A001", "A002", "A003"]
    assert shown([pictures[1], pictures[0], pictures[2]]) != ["A001", "A002", "A003"]
