"""Plays many days of several variants, on all processors. What comes out depends on the seed, not on how it was shared.

Each day begins with the hall as it was that morning: out of the ledger, or a hall that has lived through a few days of
the same kind, so that its learned means and speeds are not those of the very first day.
"""

import os
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from server.domain.state import HallState
from server.domain.terms import HallPlan
from server.simulate.changes import Variant, followed, manned, planned
from server.simulate.described import Described
from server.simulate.draw import People, draw
from server.simulate.play import Outcome, begin, play
from server.simulate.shifts import open_days, rota
from server.simulate.visits import Day, Spans

FIRST_DAY = date(2026, 3, 2)  # a Monday; described days begin here, so that the same command gives the same answer
TAUGHT_DAYS = 3  # a hall lives through so many days before it is measured
ALONE_UP_TO = 8  # days that are sooner played than processes started


class Source(Protocol):
    """Where days come from; it can be sent to another process."""

    @property
    def days(self) -> int:
        """Give how many there are."""

    def day(self, number: int) -> Day:
        """Give a day, from 0."""

    def morning(self, number: int) -> HallState:
        """Give the hall before that day began; it may be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedDays:
    """Days out of a description. `taught`: a hall that has lived through some, pickled."""

    plan: HallPlan
    described: Described
    people: People
    dates: tuple[date, ...]
    seed: int
    taught: bytes

    @property
    def days(self) -> int:
        """Give how many there are."""
        return len(self.dates)

    def day(self, number: int) -> Day:
        """Draw a day, the same each time."""
        return draw(self.plan, self.described, self.people, self.dates[number], seed=self.seed, number=number)

    def morning(self, number: int) -> HallState:
        """Give the taught hall."""
        del number
        state: HallState = pickle.loads(self.taught)  # noqa: S301  # pickled by this program a moment ago
        return state


def described_days(plan: HallPlan, described: Described, people: People, *, days: int, seed: int) -> DescribedDays:
    """Give days of a hall that is open on some; those before them teach it."""
    dates = open_days(plan, FIRST_DAY, TAUGHT_DAYS + days)
    before, dates = dates[: len(dates) - days] if len(dates) > days else [], dates[-days:]
    state = HallState()
    for number, day in enumerate(before):
        begin(state, plan, day.isoformat())
        play(state, draw(plan, described, people, day, seed=seed, number=-1 - number))
    return DescribedDays(
        plan=plan,
        described=described,
        people=people,
        dates=tuple(dates),
        seed=seed,
        taught=pickle.dumps(state),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A hall as its file says, and days to try something on. `without_hours`: when it is open where nothing says so."""

    plan: HallPlan
    source: Source
    without_hours: Spans
    foretell: bool = False

    def play(self, tried: Variant, number: int) -> Outcome:
        """Play a day of a variant."""
        day, plan = self.source.day(number), planned(self.plan, tried)
        state = self.source.morning(number)
        begin(state, plan, day.day)
        hours = rota(plan, date.fromisoformat(day.day), lunch=(), without_hours=self.without_hours)
        return play(
            state,
            replace(
                day,
                shifts=manned(tried, day.shifts, hours),
                # What managers assigned live belongs to the hall as it is, not to other skills.
                assigned=day.assigned if plan.windows == self.plan.windows else (),
            ),
            foretell=self.foretell,
            suggestions=followed(tried),
        )


class Players:
    """Processes that play days of an experiment; none for little work. Use as a context."""

    def __init__(self, experiment: Experiment, jobs: int | None, *, steps: int) -> None:
        """Prepare. `steps`: how many days will be played, about."""
        self._experiment = experiment
        self._jobs = min(jobs or processors(), steps) if steps > ALONE_UP_TO else 1
        self._pool: ProcessPoolExecutor | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> "Players":
        """Start the processes."""
        if self._jobs > 1:
            # By a file: a child that dies while it reads much through its pipe would leave us writing for ever.
            self._folder = TemporaryDirectory(prefix="simulate-")
            path = Path(self._folder.name) / "experiment"
            path.write_bytes(pickle.dumps(self._experiment))
            self._pool = ProcessPoolExecutor(
                self._jobs, mp_context=get_context("spawn"), initializer=_take, initargs=(str(path),)
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()

    def play(self, tasks: Sequence[tuple[Variant, int]], played: Callable[[], None] = lambda: None) -> list[Outcome]:
        """Give the outcomes of (variant, number of the day), in order; `played` is called after each."""
        found = []
        for outcome in self._pool.map(_play, tasks) if self._pool else (self._experiment.play(*it) for it in tasks):
            found.append(outcome)
            played()
        return found


def run(
    experiment: Experiment,
    variants: Sequence[Variant],
    *,
    jobs: int | None = None,
    played: Callable[[], None] = lambda: None,
) -> list[list[Outcome]]:
    """Give the outcomes of each variant, day by day; `played` is called after each day."""
    days = experiment.source.days
    tasks = [(variant, day) for variant in variants for day in range(days)]
    with Players(experiment, jobs, steps=len(tasks)) as players:
        found = players.play(tasks, played)
    return [found[place * days : (place + 1) * days] for place in range(len(variants))]


def processors() -> int:
    """Count the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_taken: list[Experiment] = []  # of a child process


def _take(path: str) -> None:
    _taken[:] = [pickle.loads(Path(path).read_bytes())]  # noqa: S301  # from the process that started this one


def _play(task: tuple[Variant, int]) -> Outcome:
    return _taken[0].play(*task)
