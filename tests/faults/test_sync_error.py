"""A sync that fails ends the process before anything is acknowledged, and a start replays what is true."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from server.ledger.audit import audit
from tests.faults.clients import commits_in
from tests.faults.spawned import SpawnedHouse, SpawnedServer, Spawner
from tests.live.house import HALL
from tests.patience import PATIENCE_S

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
def failing_sync(house: SpawnedHouse, nth: int) -> Iterator[None]:
    """Let the nth fdatasync of each thread of the running server fail with EIO."""
    with subprocess.Popen(
        ["strace", "-f", *inject(nth), "-p", str(house.server.pid)], stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        os.set_blocking(tracer.stderr.fileno(), False)
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(timeout=PATIENCE_S)


def inject(nth: int) -> list[str]:
    """Give what tells strace to let the nth sync of each thread fail."""
    return ["-e", "trace=fdatasync,fsync", "-e", f"inject=fdatasync,fsync:error=EIO:when={nth}"]


def pressed(house: SpawnedHouse, presses: int = PRESSES) -> tuple[dict[str, str], bool]:
    """Press until the server is gone; give what was acknowledged by key, and whether it is gone."""
    kiosk, told = house.api("kiosk"), {}
    for number in range(presses):
        try:
            told[f"k{number}"] = kiosk.hall("POST", "/tickets", {"service": "general"}, key=f"k{number}")["ticket"]
        except (requests.RequestException, AssertionError):
            return told, True
    return told, False


def assert_goes_on(house: SpawnedHouse, told: dict[str, str]) -> None:
    """Start the server, ask everything again and a little more: what was acknowledged is there, nothing is missing."""
    house.server.start()
    kiosk = house.api("kiosk")
    again = [kiosk.hall("POST", "/tickets", {"service": "general"}, key=f"k{n}") for n in range(len(told) + 3)]
    assert [it["number"] for it in again] == list(range(1, len(told) + 4))
    assert [it["ticket"] for it in again[: len(told)]] == list(told.values())
    assert house.server.end(signal.SIGTERM) == 0
    assert not audit(commits_in(house.server.data / f"{HALL}.sqlite"))


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(
    "nth", [1, 2, 7, *[pytest.param(n, marks=pytest.mark.faults) for n in (3, 4, 5, 11, 16, 22, 31, 100, 250, 360)]]
)
def test_a_failed_sync_ends_the_process_and_a_start_goes_on_from_what_is_true(spawned: SpawnedHouse, nth: int) -> None:
    """After some hundred presses it is a sync of the checkpoint, not of the write-ahead file alone."""
    spawned.server.start()
    with failing_sync(spawned, nth):
        told, gone = pressed(spawned, PRESSES + nth)
        assert gone
        assert spawned.server.status() == 1
    assert "stopping at once" in spawned.server.errors.read_text()
    assert_goes_on(spawned, told)


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("nth", [1, *[pytest.param(n, marks=pytest.mark.faults) for n in (2, 3, 4, 5, 6, 8, 10)]])
def test_a_sync_that_fails_at_the_start_is_no_start(spawned: SpawnedHouse, root: Path, nth: int) -> None:
    """Or, where it is one of later, ends the process when it comes."""
    failing = Spawner(root, before=["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", *inject(nth)])
    broken = SpawnedServer(failing, root, spawned.server.data)
    told: dict[str, str] = {}
    try:
        good, spawned.server = spawned.server, broken
        with suppress(AssertionError):  # it does not come up
            broken.start()
            told, _ = pressed(spawned)
            broken.status()
        assert broken.last_status in (1, 2)  # 2: the ledger cannot be opened, with a sentence that says so
    finally:
        failing.close()
        spawned.server = good
    assert_goes_on(spawned, told)


@pytest.mark.usefixtures("strace")
def test_without_an_error_nothing_ends(spawned: SpawnedHouse) -> None:
    """The control: it is the failed sync that ends the process, not the tracing."""
    spawned.server.start()
    with failing_sync(spawned, 60_000):
        told, gone = pressed(spawned)
    assert not gone
    assert len(told) == PRESSES
