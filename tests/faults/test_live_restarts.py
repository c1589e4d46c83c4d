"""The server dies, or a cable is pulled, while windows call: every screen shows every call, in order."""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.faults.net import Room, needs_cables
from tests.faults.spawned import SpawnedHouse, Spawner
from tests.live.house import Api, Watcher, rising
from tests.patience import PATIENCE_S, until

CALL_EVERY_S = 0.1
SLOWLY_S = 0.6  # while a cable is out for `CUT_S` fewer calls than a board shows
CUT_S = 6.0
SCREENS = 3
SEED = 20260302


def stubborn(api: Api, path: str, body: dict[str, object]) -> dict[str, Any]:
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


@contextmanager
def calling(kiosk: Api, clerk: Api, every_s: float) -> Iterator[list[str]]:
    """Let a window call while the block runs; gives the labels that were called so far."""
    clerk.hall("POST", "/windows/1/open")
    called: list[str] = []
    stop = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                stubborn(kiosk, "/tickets", {"service": "general"})
                called.append(stubborn(clerk, "/windows/1/call-next", {"finish": True})["label"])
                stop.wait(every_s)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            faults.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield called
    finally:
        stop.set()
        worker.join(PATIENCE_S)
    assert not faults


def more(called: list[str], calls: int) -> None:
    """Wait for so many more calls."""
    goal = len(called) + calls
    until(lambda: len(called) >= goal, "calls")


def slowest(screens: Sequence[Watcher], is_back: Callable[[Watcher], object]) -> float:
    """Wait until every screen is back, and give how long that took; it is told, not judged: machines are slow."""
    begun_s = time.monotonic()
    until(lambda: all(is_back(screen) for screen in screens), "screens")
    return time.monotonic() - begun_s


def assert_nothing_missed(screens: Sequence[Watcher], called: list[str]) -> None:
    """Every screen shows every call once, in order, and none went back."""
    until(lambda: all(called[-1] in shown(it.of("board")) for it in screens), "the last call on every screen")
    assert called == sorted(set(called))
    for screen in screens:
        assert shown(screen.of("board")) == called
        assert rising(screen.seqs("board"))


def tell(what: str, took_s: list[float], calls: int) -> None:
    """Say how it went, for who runs with -s."""
    worst = ", ".join(f"{it:.2f}" for it in sorted(took_s)[-3:])
    sys.stdout.write(f"\n{len(took_s)} {what}, {calls} calls, all seen; slowest screens back after {worst} s\n")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.faults)])
def test_screens_miss_no_call_while_the_server_is_killed_again_and_again(spawned: SpawnedHouse, kills: int) -> None:
    spawned.server.start()
    screens = [spawned.watcher("display").watch("board") for _ in range(SCREENS)]
    dice, took_s = random.Random(SEED), list[float]()
    with calling(spawned.api("kiosk"), spawned.person("1001", "1"), CALL_EVERY_S) as called:
        for kill in range(kills):
            more(called, dice.randrange(5, 15))
            spawned.server.end(signal.SIGKILL)
            spawned.server.start()
            took_s.append(slowest(screens, lambda it, kill=kill: it.connects >= 2 + kill))  # type: ignore[misc]
        more(called, 5)
    assert_nothing_missed(screens, called)
    assert [screen.connects for screen in screens] == [1 + kills] * SCREENS
    tell("kills", took_s, len(called))


@needs_cables
@pytest.mark.parametrize("cuts", [1, pytest.param(5, marks=pytest.mark.faults)])
def test_screens_miss_no_call_while_their_cable_is_pulled_again_and_again(
    root: Path, tmp_path: Path, cuts: int
) -> None:
    """The screens hang on one cable, kiosk and clerk on the other, and go on calling."""
    room = Room()
    spawner = Spawner(root, before=room.before)
    house = SpawnedHouse(spawner, root, tmp_path / "data")
    try:
        of_screens, of_desks = room.cables
        house.server.host = "0.0.0.0"
        house.server.start()
        house.server.host = of_screens.host
        screens = [house.watcher("display").watch("board") for _ in range(SCREENS)]
        house.server.host = of_desks.host  # for everybody from here on
        kiosk, clerk = house.api("kiosk"), house.person("1001", "1")
        took_s: list[float] = []
        with calling(kiosk, clerk, SLOWLY_S) as called:
            for _ in range(cuts):
                more(called, 3)
                of_screens.pull()
                time.sleep(CUT_S)  # what is tested is that it was out for so long
                of_screens.plug()
                last = called[-1]
                took_s.append(slowest(screens, lambda it, last=last: last in shown(it.of("board"))))  # type: ignore[misc]
            more(called, 3)
        assert_nothing_missed(screens, called)
        tell("cuts", took_s, len(called))
    finally:
        house.close()
        spawner.close()
        room.remove()


def test_a_screen_that_misses_a_call_is_found_out() -> None:
    """The control: a picture that never came, and two in the wrong order."""
    pictures = [{"data": {"calls": [{"label": it}]}} for it in ("A001", "A002", "A003")]
    assert shown(pictures) == ["A001", "A002", "A003"]
    assert shown(pictures[:1] + pictures[2:]) != ["A001", "A002", "A003"]
    assert shown([pictures[1], pictures[0], pictures[2]]) != ["A001", "A002", "A003"]
