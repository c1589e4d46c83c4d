"""SIGKILL in the middle of work, again and again: nothing that was acknowledged is lost or doubled."""

import os
import random
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.ledger.sqlite import SqliteLedger
from tests.hall.checker import Answer, faults

ROUNDS = 40
SEED = 20260302


def killed_after(path: Path, turn: int, lines: int, mutant: str = "") -> list[Answer]:
    """Start a worker, kill it after some answers, and give every answer it gave."""
    command = [sys.executable, "-m", "tests.hall.worker", str(path), str(turn), mutant]
    heard = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker, selectors.DefaultSelector() as ready:
        assert worker.stdout is not None
        pipe = worker.stdout.fileno()
        ready.register(pipe, selectors.EVENT_READ)
        until = time.monotonic() + 30
        while heard.count(b"\n") < lines:
            assert ready.select(timeout=until - time.monotonic()), f"round {turn}: the worker is silent"
            piece = os.read(pipe, 65536)
            assert piece, f"round {turn}: the worker ended by itself"
            heard += piece
        worker.send_signal(signal.SIGKILL)
        heard += worker.stdout.read()
    told = [line.split("|") for line in heard.decode().splitlines()]
    return [Answer(key=key, result=None if result == "-" else result) for key, result in told]


def hammered(path: Path, rounds: int, mutant: str = "") -> tuple[list[str], int]:
    """Give the broken rules after some rounds, and how many answers were given."""
    dice = random.Random(SEED)
    answers: list[Answer] = []
    for turn in range(rounds):
        answers += killed_after(path, turn, dice.randrange(1, 60), mutant)
    ledger = SqliteLedger(path)
    found = faults(ledger.read(), answers)
    ledger.close()
    return found, len(answers)


def test_forty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    found, answers = hammered(tmp_path / "hall.sqlite", ROUNDS)
    assert not found, f"seed {SEED}: {found}"
    assert answers > ROUNDS


def test_a_server_that_answers_before_it_writes_is_found_out(tmp_path: Path) -> None:
    found, _ = hammered(tmp_path / "hall.sqlite", 2, "ack-before-append")
    assert any(it.startswith("L3") for it in found)


@pytest.mark.parametrize("turn", [0])
def test_the_worker_without_a_kill_is_no_special_case(tmp_path: Path, turn: int) -> None:
    answers = killed_after(tmp_path / "hall.sqlite", turn, 200)
    assert len({it.key for it in answers}) == len(answers)
