"""Engines and days simple enough that queueing theory has their waits in closed form."""

import math
from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random

from benchmarks.engine import Suggestion
from benchmarks.simulator import Area, Day, Hall, Layout, Visit, Work, mean

UNTIL, STAY, WARM_UP = 1200.0, 1400.0, 60.0


class OneLine:
    """One queue: the highest priority first, inside one the first who came; `newest_first` breaks that on purpose."""

    def __init__(self, *, newest_first: bool = False) -> None:
        self._waiting: list[tuple[int, int, str]] = []
        self._given = 0
        self._sign = -1 if newest_first else 1

    def issue(self, service: str, priority: int, t: float, slot: float | None = None) -> str:
        self._given += 1
        ticket = f"{self._given}"
        heappush(self._waiting, (-priority, self._sign * self._given, ticket))
        return ticket

    def call_next(self, window: str, t: float) -> str | None:
        return heappop(self._waiting)[2] if self._waiting else None

    def finish(self, window: str, t: float) -> None:
        pass

    def no_show(self, window: str, t: float) -> None:
        pass

    def transfer(self, window: str, service: str, t: float) -> str:
        return self.issue(service, 0, t)

    def open_window(self, window: str, t: float) -> None:
        pass

    def close_window(self, window: str, t: float) -> None:
        pass

    def set_skills(self, window: str, zones: Sequence[str], t: float) -> None:
        pass

    def eta(self, ticket: str, t: float) -> tuple[float, float, float]:
        return math.nan, math.nan, math.nan

    def suggest(self, t: float) -> list[Suggestion]:
        return []

    def tick(self, t: float) -> None:
        pass


def one_zone(windows: int, minutes: float) -> Hall:
    """Give a hall of one zone and one service, its clerks alike."""
    work = Work(id="s", minutes=minutes, cv=1.0)
    layout = Layout(name="one", areas=(Area(zone="z", windows=windows, heat=1.0, services=(work,)),))
    home = layout.homes()
    serves = dict.fromkeys(home, ("z",))
    return Hall(
        layout=layout,
        home=home,
        serves=serves,
        could_serve=serves,
        typed={"s": minutes},
        slowness=dict.fromkeys(home, 1.0),
    )


def markov_day(hall: Hall, *, rates: Sequence[float], minutes: float, seed: int) -> Day:
    """Give arrivals by chance, so many a minute of each priority, with exponential work."""
    chance = Random(f"markov {seed}")
    visits = []
    for priority, rate in enumerate(rates):
        at = chance.expovariate(rate)
        while at < UNTIL:
            visits.append(Visit(at=at, service="s", minutes=chance.expovariate(1 / minutes), priority=priority))
            at += chance.expovariate(rate)
    return Day(visits=tuple(sorted(visits, key=lambda it: it.at)), shifts=dict.fromkeys(hall.home, ((0.0, STAY),)))


def erlang_c(windows: int, offered: float) -> float:
    """Give the chance that somebody has to wait (M/M/c). Source: Erlang 1917; by the recursion of Erlang B."""
    blocked = 1.0
    for number in range(1, windows + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / windows * (1 - blocked))


def mean_with_error(values: Sequence[float]) -> tuple[float, float]:
    """Give the mean of independent days and its standard error."""
    middle = mean(values)
    return middle, math.sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1) / len(values))
