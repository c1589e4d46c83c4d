"""Whole halls under faults, by seed; and broken halls, which must be seen."""

import logging
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import IN_CI, SEED_IN_CI
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import broken, played, run
from tests.simulation.world import counts

FRESH = SEED_IN_CI if IN_CI else time.time_ns() % 10_000_000
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "100"))  # `make test-simulation` plays 2,000
MUTANT_SEEDS = 150  # within so many seeds a broken hall is seen


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_rule_holds_under_faults() -> None:
    assert run(SEEDS), "a seed broke a rule; it is named above"


def test_every_rule_holds_for_new_seeds() -> None:
    print(f"seeds {FRESH} to {FRESH + 99}")  # noqa: T201 - shown when it fails
    assert broken(range(FRESH, FRESH + 100)) == []


def test_the_worlds_are_not_too_quiet() -> None:
    seen: Counter[str] = Counter()
    for seed in range(30):
        world, _ = played(seed)
        seen += counts(world)
        seen.update(papers=len(world.history.papers), spoken=len(world.history.spoken), shown=len(world.history.shown))
        for words in ("died", "takes over", "cut off", "clock of", "midnight", "morning", "printer", "the agent died"):
            seen[words] += any(words in line for line in world.lines)
    for what, least in {
        "TicketIssued": 200,
        "TicketCalled": 80,
        "papers": 80,
        "spoken": 20,
        "shown": 200,
        "DayOpened": 31,
        "died": 10,
        "takes over": 10,
        "cut off": 10,
        "clock of": 10,
        "midnight": 2,
        "morning": 2,
        "the agent died": 5,
    }.items():
        assert seen[what] >= least, (what, seen)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_hall_is_seen_by_its_rule(mutant: str) -> None:
    variant, rule = MUTANTS[mutant]
    for seed in range(MUTANT_SEEDS):
        try:
            _, found = played(seed, variant)
        except Exception:  # noqa: BLE001 - what is broken may also fall over: that alone does not count
            continue
        if any(finding.startswith(rule) for finding in found):
            return
    pytest.fail(f"{MUTANT_SEEDS} seeds did not show it")


def told(root: Path, status: int, **environment: str) -> str:
    """Play a seed as the line under a failure says, in a process of its own; give what it told."""
    command = [sys.executable, "-m", "tests.simulation.run"]
    done = subprocess.run(command, cwd=root, env=os.environ | environment, check=False, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.mark.parametrize("seed", ["6", "7"])
def test_the_same_seed_is_the_same_byte_for_byte(root: Path, seed: str) -> None:
    first = told(root, 0, SEED=seed, PYTHONHASHSEED="1", TZ="America/Lima")
    assert first == told(root, 0, SEED=seed, PYTHONHASHSEED="2", TZ="Asia/Shanghai")
    assert first.splitlines()[-1] == f"digest {played(int(seed))[0].digest()}"


def test_a_seed_that_fails_is_printed_and_fails_again_in_the_same_way(root: Path) -> None:
    mutant = "last in, first out"
    *found, how = broken(range(MUTANT_SEEDS), MUTANTS[mutant][0])
    said = re.fullmatch(r"seed \d+: SEED=(\d+) MUTANT='(.*)' .venv/bin/python -m tests\.simulation\.run", how)
    assert said is not None
    again = told(root, 1, SEED=said[1], MUTANT=said[2])
    assert again.splitlines()[-1 - len(found) : -1] == found
    assert again == told(root, 1, SEED=said[1], MUTANT=said[2])
