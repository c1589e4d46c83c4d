"""Devices of different makers on one line: while one is asked, the others are quiet, and nobody is starved."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from drivers.faults import Health, HealthStatus, LineDown
from drivers.owners import StateOwner
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from drivers.jobs import Press, Rating, WindowPicture

URL = "serial:///dev/line?baud=9600"


class Cable:
    """A line that hands out an answer when it is told to."""

    def __init__(self) -> None:
        self.url = URL
        self.written: list[bytes] = []
        self.coming = b""
        self.lock = threading.Lock()

    def write(self, data: bytes, timeout_s: float) -> None:
        assert timeout_s > 0
        self.written.append(data)

    def read(self, timeout_s: float) -> bytes:
        threading.Event().wait(min(timeout_s, 0.002))
        with self.lock:
            data, self.coming = self.coming, b""
        return data

    def answer(self, data: bytes) -> None:
        with self.lock:
            self.coming = data

    def close(self) -> None:
        pass


class Asking:
    """A driver that always has another question and waits for "ok"."""

    def __init__(self, question: bytes) -> None:
        self.question = question
        self.waiting = False

    def line_up(self, now_s: float) -> None:
        self.waiting = False

    def show(self, picture: WindowPicture) -> None:
        pass

    def due(self, now_s: float) -> bytes:
        if self.waiting:
            return b""
        self.waiting = True
        return self.question

    def holds_line(self, now_s: float) -> bool:
        return self.waiting

    def feed(self, data: bytes, now_s: float) -> Sequence[Press | Rating]:
        if b"ok" in data:
            self.waiting = False
        return ()

    def refused(self, window: str, code: str) -> None:
        pass

    def health(self, now_s: float) -> Health:
        return Health()


def test_one_asks_at_a_time_and_both_get_their_turn() -> None:
    cable = Cable()
    owner = StateOwner(
        URL,
        {"a": Asking(b"a?"), "b": Asking(b"b?")},
        {"a": (), "b": ()},
        lambda press: None,
        lambda device, health: None,
        open_line=lambda url: cable,
    )
    owner.start()
    try:
        for asked in range(1, 7):
            until(lambda asked=asked: len(cable.written) == asked, "a question")  # type: ignore[misc]  # bound now
            threading.Event().wait(0.02)
            assert len(cable.written) == asked, "somebody spoke while an answer was awaited"
            cable.answer(b"ok")
        assert cable.written[:6] == [b"a?", b"b?"] * 3
    finally:
        owner.stop()
        owner.join(5)


class Flapping(Cable):
    """A line that vanishes at every read, until it is mended."""

    mended = False

    def read(self, timeout_s: float) -> bytes:
        if not self.mended:
            raise LineDown(URL, "the port has vanished")
        return super().read(timeout_s)


def test_a_line_that_comes_and_goes_is_lost_once_and_back_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "drivers")
    cable, opened, seen = Flapping(), [], []

    def open_line(url: str) -> Cable:
        opened.append(url)
        return cable

    owner = StateOwner(
        URL,
        {"a": Asking(b"a?")},
        {"a": ()},
        lambda press: None,
        lambda device, health: seen.append(health.status),
        open_line=open_line,
    )
    owner.start()
    try:
        until(lambda: len(opened) >= 4, "it was opened again and again")
        assert set(seen) == {HealthStatus.DOWN}
        cable.mended = True
        until(lambda: seen[-1] is HealthStatus.OK, "it holds")
        lines = [record.getMessage() for record in caplog.records]
        assert lines == [f"{URL}: lost: the port has vanished", f"{URL}: back"]
    finally:
        owner.stop()
        owner.join(5)
