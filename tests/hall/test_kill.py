"""SIGKILL in the middle of work, again and again: nothing that was acknowledged is lost or doubled."""

import os
import random
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.ledger.audit import audit
from server.ledger.sqlite import SqliteLedger
from tests.hall.checker import Answer, faults
from tests.patience import PATIENCE_S

ROUNDS = 40  # on one ledger; each start replays it
PID = re.compile(rb"^pid (\d+)\n", re.MULTILINE)
SEED = 20260302


class Workers:
    """Workers one after the other, each killed in the middle of its work."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout.fileno()
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._from, selectors.EVENT_READ)

    def killed_after(self, path: Path, turn: int, lines: int, mutant: str = "") -> list[Answer]:
        """Start a worker, kill it after some answers, and give every answer it gave."""
        self._to.write(f"{path}|{turn}|{mutant}\n".encode())
        self._to.flush()
        heard = self._hear(b"", lambda so_far: so_far.count(b"\n") > lines and PID.search(so_far) is not None)
        (pid,) = PID.findall(heard)  # with the end of its line: half a number is another process
        os.kill(int(pid), signal.SIGKILL)
        heard = self._hear(heard, lambda so_far: so_far.endswith(b"dead\n"))
        told = [line.split("|") for line in heard.decode().splitlines() if "|" in line]
        return [Answer(key=key, result=None if result == "-" else result) for key, result in told]

    def close(self) -> None:
        """Let go of the selector."""
        self._ready.close()

    def _hear(self, heard: bytes, enough: Callable[[bytes], bool]) -> bytes:
        while not enough(heard):
            assert self._ready.select(timeout=PATIENCE_S), f"the worker is silent after {heard!r}"
            piece = os.read(self._from, 65536)
            assert piece, "the worker's parent ended by itself"
            heard += piece
        return heard


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Give the process that forks workers."""
    command = [sys.executable, "-m", "tests.hall.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        made = Workers(process)
        yield made
        made.close()
        os.killpg(process.pid, signal.SIGKILL)  # with the worker of a test that failed half way


def hammered(workers: Workers, path: Path, rounds: int, mutant: str = "", seed: int = SEED) -> tuple[list[str], int]:
    """Give the broken rules after some rounds, and how many answers were given."""
    dice = random.Random(seed)
    answers: list[Answer] = []
    for turn in range(rounds):
        answers += workers.killed_after(path, turn, dice.randrange(1, 60), mutant)
    ledger = SqliteLedger(path)
    commits = list(ledger.read())
    ledger.close()
    return [*faults(commits, answers), *map(str, audit(commits))], len(answers)


@pytest.mark.parametrize("ledgers", [1, pytest.param(25, marks=pytest.mark.faults)])
def test_kills_lose_and_double_nothing(workers: Workers, tmp_path: Path, ledgers: int) -> None:
    """Forty kills on a ledger: a thousand in the long form."""
    for number in range(ledgers):
        found, answers = hammered(workers, tmp_path / f"{number}.sqlite", ROUNDS, seed=SEED + number)
        assert not found, f"seed {SEED + number}: {found[:20]}"
        assert answers > ROUNDS


def test_a_server_that_answers_before_it_writes_is_found_out(workers: Workers, tmp_path: Path) -> None:
    found, _ = hammered(workers, tmp_path / "hall.sqlite", 3, "ack-before-append")
    assert any(it.startswith("L3") for it in found)
