"""Plays many days of several variants, on all processors. What comes out depends on the seed, not on how it was shared.

Each day begins with the hall as it was that morning: out of the ledger, or a hall that has lived through a few days of
the same kind, so that its learned means and speeds are not those of the very first day.
"""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from typing import Protocol

from server.domain.state import HallState
from server.domain.terms import HallPlan, WindowNo
from server.simulate.changes import Variant, manned, planned
from server.simulate.described import Described
from server.simulate.draw import People, draw
from server.simulate.play import Outcome, begin, morning, play
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
    """Days, and what is tried on them. `lunch` and `without_hours` say when a window that is opened is manned."""

    plan: HallPlan
    source: Source
    variants: tuple[Variant, ...]
    without_hours: Spans

    def play(self, variant: int, number: int) -> Outcome:
        """Play a day of a variant."""
        tried, day = self.variants[variant], self.source.day(number)
        plan = planned(self.plan, tried)
        state = self.source.morning(number)
        begin(state, plan, day.day)
        hours = self._hours(plan, tried, day) if tried.changes else {}
        return play(
            state,
            replace(
                day,
                shifts=manned(tried, dict(day.shifts), hours),
                # What managers assigned live belongs to the hall as it is, not to other skills.
                assigned=day.assigned if plan.windows == self.plan.windows else (),
            ),
        )

    def _hours(self, plan: HallPlan, tried: Variant, day: Day) -> dict[WindowNo, Spans]:
        del tried
        return rota(plan, date.fromisoformat(day.day), lunch=(), without_hours=self.without_hours)


def run(
    experiment: Experiment, *, jobs: int | None = None, played: Callable[[], None] = lambda: None
) -> list[list[Outcome]]:
    """Give the outcomes of each variant, day by day; `played` is called after each day."""
    pairs = [(variant, day) for variant in range(len(experiment.variants)) for day in range(experiment.source.days)]
    found = list(outcomes(experiment, pairs, jobs=jobs, played=played))
    days = experiment.source.days
    return [found[variant * days : (variant + 1) * days] for variant in range(len(experiment.variants))]


def outcomes(
    experiment: Experiment,
    pairs: Sequence[tuple[int, int]],
    *,
    jobs: int | None = None,
    played: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Give the outcomes of pairs (variant, day), in order."""
    count = min(jobs or processors(), len(pairs))
    if count <= 1 or len(pairs) <= ALONE_UP_TO:
        for variant, day in pairs:
            yield experiment.play(variant, day)
            played()
        return
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_take, initargs=(pickle.dumps(experiment),)
    ) as pool:
        try:
            for outcome in pool.map(_play, pairs):
                yield outcome
                played()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def processors() -> int:
    """Count the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_taken: list[Experiment] = []  # of a child process


def _take(pickled: bytes) -> None:
    _taken[:] = [pickle.loads(pickled)]  # noqa: S301  # from the process that started this one


def _play(pair: tuple[int, int]) -> Outcome:
    return _taken[0].play(*pair)


__all__ = ["DescribedDays", "Experiment", "Source", "described_days", "morning", "outcomes", "processors", "run"]
