"""A sync that fails ends the process before anything is acknowledged, and a start replays what is true."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.live.house import House
from tests.patience import PATIENCE_S, until

PRESSES = 40


def may_trace() -> bool:
    """Say whether strace is here and may look at another process."""
    if shutil.which("strace") is None:
        return False
    child = subprocess.Popen(["sleep", "60"])
    try:
        tried = subprocess.run(
            ["timeout", "1", "strace", "-p", str(child.pid)], capture_output=True, text=True, check=False
        )
        return "attached" in tried.stderr
    finally:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def strace() -> None:
    """Skip where nothing can be traced."""
    if not may_trace():
        pytest.skip("strace is missing, or may not trace here")


@contextmanager
def failing_sync(house: House, nth: int) -> Iterator[None]:
    """Let the nth fdatasync of each thread of the running server fail with EIO."""
    process = house.server.process
    assert process is not None
    inject = ["-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={nth}"]
    with subprocess.Popen(
        ["strace", "-f", *inject, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        os.set_blocking(tracer.stderr.fileno(), False)
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(timeout=PATIENCE_S)


def pressed(house: House) -> tuple[dict[str, str], bool]:
    """Press until the server is gone; give what was acknowledged by key, and whether it is gone."""
    kiosk, told = house.api("kiosk"), {}
    for number in range(PRESSES):
        try:
            told[f"k{number}"] = kiosk.hall("POST", "/tickets", {"service": "general"}, key=f"k{number}")["ticket"]
        except (requests.RequestException, AssertionError):
            return told, True
    return told, False


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(
    "nth", [1, 2, 7, *[pytest.param(n, marks=pytest.mark.faults) for n in (3, 4, 5, 11, 16, 22, 31)]]
)
def test_a_failed_sync_ends_the_process_and_a_start_goes_on_from_what_is_true(house: House, nth: int) -> None:
    with failing_sync(house, nth):
        told, gone = pressed(house)
        assert gone
        process = house.server.process
        assert process is not None
        until(lambda: process.poll() is not None, "the end of the process")
    assert house.server.end(signal.SIGTERM) == 1
    assert "stopping at once" in house.server.errors.read_text()
    house.server.start()
    kiosk = house.api("kiosk")
    again = [kiosk.hall("POST", "/tickets", {"service": "general"}, key=f"k{n}") for n in range(len(told) + 3)]
    assert [it["number"] for it in again] == list(range(1, len(told) + 4))
    assert [it["ticket"] for it in again[: len(told)]] == list(told.values())


@pytest.mark.usefixtures("strace")
def test_without_an_error_nothing_ends(house: House) -> None:
    """The control: it is the failed sync that ends the process, not the tracing."""
    with failing_sync(house, 60_000):
        told, gone = pressed(house)
    assert not gone
    assert len(told) == PRESSES
