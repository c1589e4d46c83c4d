"""How long something took, as a mean, a median and times that most did not exceed; and shares of a whole."""

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
    p80_s: int | None
    p90_s: int | None
    p95_s: int | None


NEVER = Spread(count=0, mean_s=None, median_s=None, p80_s=None, p90_s=None, p95_s=None)


def spread(seconds: Iterable[int]) -> Spread:
    """Give the spread of durations; median and the others by nearest rank."""
    return spread_of(Counter(seconds))


def spread_of(counts: Counter[int]) -> Spread:
    """Give the spread of durations of which only the counts are known: {seconds: how often}."""
    total = counts.total()
    if not total:
        return NEVER
    median, p80, p90, p95 = _ranked(counts, [ceil(total * part / 100) for part in (50, 80, 90, 95)])
    return Spread(
        count=total,
        mean_s=round(sum(seconds * times for seconds, times in counts.items()) / total),
        median_s=median,
        p80_s=p80,
        p90_s=p90,
        p95_s=p95,
    )


def rate(part: float, whole: float) -> float | None:
    """Give the share of a whole, four digits; None when there is nothing to divide by."""
    return round(part / whole, 4) if whole else None


def _ranked(counts: Counter[int], ranks: list[int]) -> list[int]:
    """Give the values at some ranks, which do not fall."""
    found: list[int] = []
    passed = 0
    for seconds in sorted(counts):
        passed += counts[seconds]
        while len(found) < len(ranks) and passed >= ranks[len(found)]:
            found.append(seconds)
    return found
