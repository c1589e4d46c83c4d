"""Which windows to train for what: the best (window, zone) pairs for a budget, found on some days and judged on others.

Pair by pair: what looks best at a glance (`fluid`) is played on the days to search on, and the best of it is kept
(greedy); then each pair is tried against others in its place (swap). What was found is judged on days that the search
has never seen, against the hall as it is, paired by day; and each pair by what is lost without it. Source of the idea
that few well placed skills do nearly as well as all: Jordan and Graves 1995 (chaining).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.domain.terms import HallPlan, ServiceId, Window, WindowNo, ZoneId
from server.simulate.changes import Change, Does, Variant, planned
from server.simulate.compare import Range, difference
from server.simulate.fluid import Flow, Skills, by_zone, flow_of, person_minutes
from server.simulate.play import Outcome
from server.simulate.run import Experiment, Players
from server.simulate.visits import MIN

SEARCH_DAYS, JUDGE_DAYS = 8, 16
DRAWN_DAYS = SEARCH_DAYS + JUDGE_DAYS  # where they can be drawn
FEWEST_DAYS = 9  # with fewer past days more are drawn from them
EVERY = 3  # one day of three is searched on, the others judge: there a wrong answer would do harm
GLANCED_DAYS = 4  # looked at for what is promising
HOT_ZONES = 5  # that are considered at a time
TRIED = 5  # of the pairs that look best, so many are played
SWAPS = 2  # pairs tried in the place of each
WORTH_MIN = 0.02  # of the mean wait: less than that is no reason to train anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A window trained for the services of a zone, or for one service (`zone` None)."""

    window: WindowNo
    services: tuple[ServiceId, ...]
    zone: ZoneId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may be trained: `budget` pairs at most, `each` of them at a window, only these windows and for these.

    `anew`: what the windows relieve now is forgotten, only what nobody else does is kept.
    """

    budget: int
    each: int
    windows: tuple[WindowNo, ...]
    targets: tuple[tuple[ZoneId | None, tuple[ServiceId, ...]], ...]
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What to train. `gain`: minutes of mean wait saved; `shares`: how much of it is lost without each pair.

    `before` and `after` are the days that judged.
    """

    pairs: tuple[Pair, ...]
    gain: Range
    shares: tuple[Range, ...]
    before: tuple[Outcome, ...]
    after: tuple[Outcome, ...]


def split(days: int) -> tuple[list[int], list[int]]:
    """Give the numbers of the days to search on and of those to judge on, spread over all and without one in common."""
    judged = _spread([number for number in range(days) if number % EVERY != 0], JUDGE_DAYS)
    searched = _spread([number for number in range(days) if number % EVERY == 0], SEARCH_DAYS)
    return searched, judged


def _spread(numbers: list[int], count: int) -> list[int]:
    if len(numbers) <= count:
        return numbers
    return [numbers[place * len(numbers) // count] for place in range(count)]


def steps(wanted: Wanted, searched: int, judged: int) -> int:
    """Give how many days will be played at most."""
    return (1 + wanted.budget * (TRIED + SWAPS)) * searched + (2 + wanted.budget) * judged


def search(
    experiment: Experiment,
    wanted: Wanted,
    *,
    searched: Sequence[int],
    judged: Sequence[int],
    jobs: int | None = None,
    played: Callable[[], None] = lambda: None,
) -> Found:
    """Give what to train for a budget; `played` is called after each day that was played.

    `searched` and `judged` are numbers of days of the experiment; they should have none in common.
    """
    with Players(experiment, jobs, steps=steps(wanted, len(searched), len(judged))) as players:
        return _Search(experiment, wanted, players, searched, played).found(judged)


class _Search:
    """The state of a search."""

    def __init__(
        self,
        experiment: Experiment,
        wanted: Wanted,
        players: Players,
        searched: Sequence[int],
        played: Callable[[], None],
    ) -> None:
        self.experiment, self.wanted, self.players, self.played = experiment, wanted, players, played
        self.days = tuple(searched)
        self.start = _forgotten(experiment.plan) if wanted.anew else Variant(name="")
        self.plan = planned(experiment.plan, self.start)
        days = [experiment.source.day(number) for number in self.days]
        self.flows: list[Flow] = [flow_of(self.plan, day) for day in days[:GLANCED_DAYS]]
        self.there = {
            no: sum(until - from_ for day in days for from_, until in day.shifts.get(no, ())) / MIN
            for no in self.plan.window
        }
        self.slow = {no: days[0].slowness.get(no, 1.0) for no in self.plan.window}
        self.known: dict[frozenset[Pair], float] = {}

    def found(self, judged: Sequence[int]) -> Found:
        pairs = self._swapped(self._greedy())
        variants = [Variant(name="before"), self._variant(pairs)]
        variants += [self._variant([it for it in pairs if it != pair]) for pair in pairs]
        tasks = [(variant, day) for variant in variants for day in judged]
        outcomes = self.players.play(tasks, self.played)
        rows = [outcomes[place * len(judged) : (place + 1) * len(judged)] for place in range(len(variants))]
        before, after = rows[0], rows[1]
        return Found(
            pairs=tuple(pairs),
            gain=_minus(difference(after, before)),
            shares=tuple(difference(without, after) for without in rows[2:]),
            before=tuple(before),
            after=tuple(after),
        )

    def _greedy(self) -> list[Pair]:
        chosen: list[Pair] = []
        while len(chosen) < self.wanted.budget:
            now = self._mean_wait(chosen)
            best = self._best([[*chosen, pair] for pair in self._promising(chosen, TRIED)])
            if best is None or best[1] > now - WORTH_MIN:
                break
            chosen = best[0]
        return chosen

    def _swapped(self, chosen: list[Pair]) -> list[Pair]:
        """Try other pairs in the place of each."""
        for place in range(len(chosen)):
            rest = [*chosen[:place], *chosen[place + 1 :]]
            others = [pair for pair in self._promising(rest, SWAPS + 1) if pair != chosen[place]][:SWAPS]
            best = self._best([[*rest[:place], other, *rest[place:]] for other in others])
            if best is not None and best[1] < self._mean_wait(chosen) - WORTH_MIN:
                chosen = best[0]
        return chosen

    def _best(self, choices: Sequence[list[Pair]]) -> tuple[list[Pair], float] | None:
        """Play choices and give the best with its mean wait."""
        fresh = [pairs for pairs in choices if frozenset(pairs) not in self.known]
        tasks = [(self._variant(pairs), day) for pairs in fresh for day in self.days]
        outcomes = self.players.play(tasks, self.played)
        for place, pairs in enumerate(fresh):
            self.known[frozenset(pairs)] = _mean(outcomes[place * len(self.days) : (place + 1) * len(self.days)])
        ranked = [(pairs, self.known[frozenset(pairs)]) for pairs in choices]
        return min(ranked, key=lambda it: it[1], default=None)

    def _mean_wait(self, pairs: list[Pair]) -> float:
        best = self._best([pairs])
        assert best is not None
        return best[1]

    def _variant(self, pairs: Sequence[Pair]) -> Variant:
        more = tuple(Change(does=Does.MORE, windows=(it.window,), services=it.services) for it in pairs)
        return Variant(name="", changes=(*self.start.changes, *more))

    def _hot(self, skills: Skills) -> set[ZoneId]:
        """Give the zones where people would wait most: to help elsewhere saves little."""
        waited = by_zone(self.plan, self.flows, skills)
        targets = {self.plan.service[services[0]].zone for _, services in self.wanted.targets}
        ranked = sorted(targets, key=lambda zone: (-waited.get(zone, 0.0), zone))
        return set(ranked[:HOT_ZONES])

    def _promising(self, chosen: Sequence[Pair], count: int) -> list[Pair]:
        """Give the pairs that save most at a glance, the best first; of windows that are alike only one."""
        plan = planned(self.plan, Variant(name="", changes=self._variant(chosen).changes[len(self.start.changes) :]))
        skills = _skills(plan)
        hot = self._hot(skills)
        ranked: list[tuple[float, int, Pair]] = []
        alike: set[tuple[object, ...]] = set()
        by_use = sorted(self.wanted.windows, key=lambda no: (-self.there[no], self.slow[no]))
        for order, no in enumerate(by_use):
            window = plan.window[no]
            if sum(it.window == no for it in chosen) >= self.wanted.each or not self.there[no]:
                continue
            for zone, services in self.wanted.targets:
                more = tuple(it for it in services if it not in window.serves and it not in window.relief)
                kind = (window.zone, window.serves, window.relief, round(self.there[no]), services)
                if not more or kind in alike or plan.service[services[0]].zone not in hot:
                    continue
                alike.add(kind)
                pair = Pair(window=no, services=services, zone=zone)
                with_it = {**skills, no: skills[no] | {plan.service[it].zone for it in services}}
                ranked.append((person_minutes(plan, self.flows, with_it), order, pair))
        return [pair for _, _, pair in sorted(ranked, key=lambda it: it[:2])[:count]]


def _forgotten(plan: HallPlan) -> Variant:
    """Give the hall in which nobody relieves, but for what nobody does as own work."""
    owned = {service for window in plan.windows if window.staffed for service in window.serves}
    changes = [
        Change(does=Does.LESS, windows=(window.no,), services=gone)
        for window in plan.windows
        if (gone := tuple(service for service in window.relief if service in owned))
    ]
    return Variant(name="", changes=tuple(changes))


def is_trained(plan: HallPlan, pair: Pair) -> bool:
    """Say whether the hall file says that the window's clerks can do this already, and only do not."""
    window = plan.window[pair.window]
    return {*pair.services} <= {*window.trained, *window.serves, *window.relief}


def _zones(plan: HallPlan, services: Sequence[ServiceId]) -> set[ZoneId]:
    return {plan.service[service].zone for service in services}


def _skills(plan: HallPlan) -> dict[WindowNo, frozenset[ZoneId]]:
    def of(window: Window) -> frozenset[ZoneId]:
        return frozenset(_zones(plan, (*window.serves, *window.relief)))

    return {window.no: of(window) for window in plan.windows}


def _mean(outcomes: Sequence[Outcome]) -> float:
    waits = sum(len(outcome.waits) for outcome in outcomes)
    waited = sum(wait.waited_ms for outcome in outcomes for wait in outcome.waits)
    return waited / MIN / waits if waits else math.nan


def _minus(it: Range) -> Range:
    return replace(it, value=-it.value, low=-it.high, high=-it.low)


__all__ = ["Found", "Pair", "Skills", "Wanted", "is_trained", "search", "split", "steps"]
