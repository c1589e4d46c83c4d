"""What came of some days together: waits, how evenly the windows worked, who was lost; minutes for people.

Every wait for a window counts, of the first leg and of later ones; of who left or was never called, as long as it went.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.terms import ORDINARY, HallPlan, WindowNo, ZoneId
from server.simulate.play import Outcome, Wait
from server.simulate.visits import MIN, QUARTER

FEW = 0.2  # of the usual number of visitors in a quarter of an hour: the mean of fewer says nothing


FEW = 0.2  # of the usual number of visitors in a quarter of an hour: the mean of fewer says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMeasures:
    """A zone: waits a day, their mean and P95, and the share that waited over the target."""

    zone: ZoneId
    a_day: float
    mean: float
    p95: float
    overdue: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMeasures:
    """A window: its work over the time it was open, and whom it finished a day."""

    window: WindowNo
    utilisation: float
    served_a_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Some days together. NaN where there is nothing to measure; `*_a_day` are numbers of visitors."""

    days: int
    visitors_a_day: float
    mean: float
    median: float
    p90: float
    worst_zone: ZoneId | None  # by P95
    worst_p95: float
    ordinary_p95: float
    priority_p95: float
    overdue: float  # share of the called who waited over the target of their service
    cold: float  # share of the minutes: a window idle while somebody has waited for more than ten
    utilisation: float
    utilisation_cv: float  # between the windows of a day
    no_shows_a_day: float
    turned_away_a_day: float
    gave_up_a_day: float
    left_over_a_day: float
    switched_a_day: float  # suggestions that were applied
    overtime_min: float  # a day, until the last visitor is done
    told: int  # to how many a wait was foretold
    told_mae: float
    told_bias: float  # foretold less true
    told_within: float  # share that waited as long as foretold for four of five
    zones: tuple[ZoneMeasures, ...]
    windows: tuple[WindowMeasures, ...]
    queue: Mapping[ZoneId, Mapping[int, float]]  # people waiting on average, by quarter of an hour (ms)
    by_arrival: Mapping[int, float]  # mean wait of who came in a quarter of an hour (ms)


def measure(plan: HallPlan, outcomes: Sequence[Outcome]) -> Measures:
    """Measure some days together."""
    waits = [wait for outcome in outcomes for wait in outcome.waits]
    minutes = [wait.waited_ms / MIN for wait in waits]
    count = max(1, len(outcomes))
    zones = tuple(_zone(plan, zone.id, waits, count) for zone in plan.queues)
    worst = max((it for it in zones if not math.isnan(it.p95)), key=lambda it: it.p95, default=None)
    used = [[_over(it.busy_ms, it.open_ms) for it in outcome.desks.values() if it.open_ms] for outcome in outcomes]
    told = [(wait.told, wait.waited_ms / MIN) for wait in waits if wait.told is not None and wait.window is not None]
    errors = [(half - waited, low <= waited <= high) for (half, low, high), waited in told]
    return Measures(
        days=len(outcomes),
        visitors_a_day=sum(it.visitors for it in outcomes) / count,
        mean=mean(minutes),
        median=quantile(minutes, 0.5),
        p90=quantile(minutes, 0.9),
        worst_zone=worst.zone if worst else None,
        worst_p95=worst.p95 if worst else math.nan,
        ordinary_p95=quantile([wait.waited_ms / MIN for wait in waits if wait.priority == ORDINARY], 0.95),
        priority_p95=quantile([wait.waited_ms / MIN for wait in waits if wait.priority != ORDINARY], 0.95),
        overdue=_overdue(plan, waits),
        cold=_over(sum(it.cold for it in outcomes), sum(it.minutes for it in outcomes)),
        utilisation=_over(
            sum(desk.busy_ms for it in outcomes for desk in it.desks.values()),
            sum(desk.open_ms for it in outcomes for desk in it.desks.values()),
        ),
        utilisation_cv=mean([_cv(each) for each in used if each]),
        no_shows_a_day=sum(it.no_shows for it in outcomes) / count,
        turned_away_a_day=sum(it.turned_away for it in outcomes) / count,
        gave_up_a_day=sum(it.gave_up for it in outcomes) / count,
        left_over_a_day=sum(it.left_over for it in outcomes) / count,
        switched_a_day=sum(it.switched for it in outcomes) / count,
        overtime_min=sum(it.overtime_ms for it in outcomes) / MIN / count,
        told=len(errors),
        told_mae=mean([abs(error) for error, _ in errors]),
        told_bias=mean([error for error, _ in errors]),
        told_within=mean([float(within) for _, within in errors]),
        zones=zones,
        windows=_windows(outcomes, count),
        queue={zone.id: _queue([wait for wait in waits if wait.zone == zone.id], count) for zone in plan.queues},
        by_arrival=_by_arrival(waits),
    )


def day_mean(outcome: Outcome) -> float:
    """Give the mean wait of a day in minutes."""
    return mean([wait.waited_ms / MIN for wait in outcome.waits])


def mean(values: Sequence[float]) -> float:
    """Give the mean, NaN of nothing."""
    return math.fsum(values) / len(values) if values else math.nan


def quantile(values: Sequence[float], part: float) -> float:
    """Give the value below which a part lies, between neighbours by the line; NaN of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _zone(plan: HallPlan, zone: ZoneId, waits: Sequence[Wait], days: int) -> ZoneMeasures:
    own = [wait for wait in waits if wait.zone == zone]
    minutes = [wait.waited_ms / MIN for wait in own]
    return ZoneMeasures(
        zone=zone,
        a_day=len(own) / days,
        mean=mean(minutes),
        p95=quantile(minutes, 0.95),
        overdue=_overdue(plan, own),
    )


def _overdue(plan: HallPlan, waits: Sequence[Wait]) -> float:
    target = {it.id: it.target_wait_min * MIN for it in plan.services}
    return mean([float(wait.waited_ms > target[wait.service]) for wait in waits if wait.window is not None])


def _windows(outcomes: Sequence[Outcome], days: int) -> tuple[WindowMeasures, ...]:
    numbers = list(dict.fromkeys(no for outcome in outcomes for no in outcome.desks))
    found = []
    for no in numbers:
        desks = [outcome.desks[no] for outcome in outcomes if no in outcome.desks]
        found.append(
            WindowMeasures(
                window=no,
                utilisation=_over(sum(it.busy_ms for it in desks), sum(it.open_ms for it in desks)),
                served_a_day=sum(it.served for it in desks) / days,
            )
        )
    return tuple(found)


def _queue(waits: Sequence[Wait], days: int) -> dict[int, float]:
    """Give how many people wait on average in each quarter of an hour of the day."""
    found: dict[int, float] = {}
    for wait in waits:
        until_ms = wait.joined_ms + wait.waited_ms
        for quarter in range(wait.joined_ms // QUARTER * QUARTER, until_ms, QUARTER):
            part = min(until_ms, quarter + QUARTER) - max(wait.joined_ms, quarter)
            found[quarter] = found.get(quarter, 0.0) + part / QUARTER / days
    return dict(sorted(found.items()))


def _by_arrival(waits: Sequence[Wait]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for wait in waits:
        found.setdefault(wait.joined_ms // QUARTER * QUARTER, []).append(wait.waited_ms / MIN)
    usual = quantile([float(len(each)) for each in found.values()], 0.5)
    return {quarter: mean(found[quarter]) for quarter in sorted(found) if len(found[quarter]) >= FEW * usual}


def _over(value: float, base: float) -> float:
    return value / base if base else math.nan


def _cv(values: Sequence[float]) -> float:
    middle = mean(values)
    return _over(math.sqrt(mean([(value - middle) ** 2 for value in values])), middle)
