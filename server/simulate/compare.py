"""How sure one may be: the range over the days of a mean wait, and of the difference of two variants on the same days.

A day is one observation, for the visitors of one day wait for each other. The mean wait is a ratio (minutes waited over
visitors), its range that of the ratio estimator with Student's t. Source: Cochran, Sampling Techniques, 3rd ed., ch. 6.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from server.simulate.play import Outcome
from server.simulate.visits import MIN

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)  # by degrees of freedom from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure and where it lies with 95 % confidence; of a single day nothing is known but the figure."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Say whether a difference can be told from nothing."""
        return self.low > 0 or self.high < 0


def mean_wait(outcomes: Sequence[Outcome]) -> Range:
    """Give the mean wait of some days in minutes."""
    return _ranged(_ratio(outcomes), _residuals(outcomes))


def difference(outcomes: Sequence[Outcome], base: Sequence[Outcome]) -> Range:
    """Give the mean wait less that of the base, in minutes; paired by day."""
    own, other = _residuals(outcomes), _residuals(base)
    return _ranged(_ratio(outcomes) - _ratio(base), [a - b for a, b in zip(own, other, strict=True)])


def t_95(freedom: int) -> float:
    """Give the two-sided 95 % quantile of Student's t. Source of the series: Abramowitz and Stegun 26.7.5."""
    if freedom <= len(T_95):
        return T_95[freedom - 1]
    z = 1.959964
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _ratio(outcomes: Sequence[Outcome]) -> float:
    count = sum(len(outcome.waits) for outcome in outcomes)
    return _waited(outcomes) / count if count else math.nan


def _waited(outcomes: Sequence[Outcome]) -> float:
    return sum(wait.waited_ms for outcome in outcomes for wait in outcome.waits) / MIN


def _residuals(outcomes: Sequence[Outcome]) -> list[float]:
    """Give how far each day is from the mean of all, weighted by its visitors."""
    ratio = _ratio(outcomes)
    a_day = sum(len(outcome.waits) for outcome in outcomes) / max(1, len(outcomes))
    return [(_waited([outcome]) - ratio * len(outcome.waits)) / a_day if a_day else 0.0 for outcome in outcomes]


def _ranged(value: float, residuals: Sequence[float]) -> Range:
    count = len(residuals)
    if count < 2:
        return Range(value=value, low=math.nan, high=math.nan)
    middle = math.fsum(residuals) / count
    spread = math.sqrt(math.fsum((it - middle) ** 2 for it in residuals) / (count - 1))
    half = t_95(count - 1) * spread / math.sqrt(count)
    return Range(value=value, low=value - half, high=value + half)
