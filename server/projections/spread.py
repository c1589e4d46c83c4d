"""How long something took, as a mean, a median and the time that nine of ten did not exceed; and shares of a whole."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, in seconds; None when it never happened."""

    count: int
    mean_s: int | None
    median_s: int | None
    p90_s: int | None


def spread(seconds: Iterable[int]) -> Spread:
    """Give the spread of durations; median and P90 by nearest rank."""
    return spread_of(Counter(seconds))


def spread_of(counts: Counter[int]) -> Spread:
    """Give the spread of durations of which only the counts are known: {seconds: how often}."""
    total = counts.total()
    if not total:
        return Spread(count=0, mean_s=None, median_s=None, p90_s=None)
    return Spread(
        count=total,
        mean_s=round(sum(seconds * times for seconds, times in counts.items()) / total),
        median_s=_ranked(counts, ceil(total * 0.5)),
        p90_s=_ranked(counts, ceil(total * 0.9)),
    )


def rate(part: float, whole: float) -> float | None:
    """Give the share of a whole, four digits; None when there is nothing to divide by."""
    return round(part / whole, 4) if whole else None


def _ranked(counts: Counter[int], rank: int) -> int:
    for seconds in sorted(counts):
        rank -= counts[seconds]
        if rank <= 0:
            return seconds
    raise AssertionError("a rank beyond the count")
