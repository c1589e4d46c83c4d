"""Plays seeds: `python -m tests.simulation.run [SEEDS]`, or with SEED=n in the environment that one, told in full.

The output of one seed is the same byte for byte wherever and whenever it is played. With MUTANT=NAME in the environment
the hall is broken in that place (`tests/simulation/mutants.py`).
"""

import logging
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.history import judge
from tests.simulation.mutants import MUTANTS
from tests.simulation.world import Variant, World

STEPS = 300
SEEDS = 2_000
WORTH_A_PROCESS = 500  # seeds; fewer are played here
PORTION = 20  # seeds given to a process at once


def played(seed: int, variant: Variant | None = None, steps: int = STEPS) -> tuple[World, list[str]]:
    """Give a world that was played, and every broken rule; a bug is raised with the seed."""
    world = World(seed, variant)
    try:
        world.play(steps)
        with world.time():
            return world, judge(world)
    except Exception as bug:
        bug.add_note(replay(seed, variant))
        raise


def broken(seeds: Iterable[int], variant: Variant | None = None) -> list[str]:
    """Give what the first seed that breaks a rule breaks, and how to see it again; empty when none does."""
    for seed in seeds:
        _, found = played(seed, variant)
        if found:
            return [*found, replay(seed, variant)]
    return []


def replay(seed: int, variant: Variant | None = None) -> str:
    """Give how to play a seed again."""
    mutant = next((f" MUTANT='{name}'" for name, (it, _) in MUTANTS.items() if it is variant), "")
    return f"seed {seed}: SEED={seed}{mutant} .venv/bin/python -m tests.simulation.run"


def tell(seed: int, variant: Variant | None = None) -> bool:
    """Play one seed and tell everything; give whether it kept the rules."""
    world, found = played(seed, variant)
    for line in [*world.lines, *found, f"digest {world.digest()}"]:
        _say(line)
    return not found


def run(seeds: int) -> bool:
    """Play many seeds, on all processors when they are worth it; give whether all kept the rules."""
    begun_s = time.perf_counter()
    processes = min(os.cpu_count() or 1, 1 + seeds // WORTH_A_PROCESS)
    bad = 0
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_be_quiet) as pool:
        played_all = partial(pool.map, chunksize=PORTION) if processes > 1 else map
        for found in played_all(_findings, range(seeds)):
            if found:
                bad += 1
                _say("\n".join(found))
    took_s = time.perf_counter() - begun_s
    rate = f"{took_s:.0f} s, {seeds / took_s:.0f} seeds/s in {processes} processes"
    _say(f"{seeds} seeds x {STEPS} steps: {bad} broke a rule, {rate}")
    return bad == 0


def _findings(seed: int) -> list[str]:
    """Give what a seed breaks and how to see it again."""
    _, found = played(seed)
    return [*found, replay(seed)] if found else []


def _be_quiet() -> None:
    logging.disable(logging.CRITICAL)  # faults are what it is about


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    _be_quiet()
    one, mutant = os.environ.get("SEED"), os.environ.get("MUTANT")
    good = (
        tell(int(one), MUTANTS[mutant][0] if mutant else None)
        if one
        else run(int(sys.argv[1]) if sys.argv[1:] else SEEDS)
    )
    sys.exit(0 if good else 1)
