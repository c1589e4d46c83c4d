"""How long a visit may take and how much of one may be left, as fixed tables: chance without chance.

Lengths of visits are log-normal with a coefficient of variation of about 0.6 in offices like these. The tables hold the
lengths of a visit of mean 1 in equally likely parts, so that whoever reads them in an order of his own has drawn them,
and everybody who reads them in the same order has drawn the same. What is left of a visit depends on how long it has
lasted already: one that has lasted as long as the mean is not about to end. Source: Whitt 1999 on predicting waits.
"""

import math

CV = 0.6
PARTS = 1024  # of LENGTHS, and of ORDER
LEFT_STEP = 0.1  # of a mean visit: how finely the time already served is looked up
LEFT_STEPS, LEFT_PARTS = 50, 32

_SIGMA = math.sqrt(math.log(1.0 + CV * CV))


def served_step(passed: float, mean: float) -> int:
    """Give the row of `LEFT` for a visit that has lasted `passed` when the mean is `mean`."""
    return min(LEFT_STEPS - 1, max(0, int(passed / mean / LEFT_STEP)))


def _order() -> list[int]:
    """Give the numbers below `PARTS`, shuffled once and for all (by a linear congruential generator)."""
    numbers = list(range(PARTS))
    seed = 1_013_904_223
    for place in range(PARTS - 1, 0, -1):
        seed = (seed * 1_664_525 + 1_013_904_223) % 2**32
        other = seed * (place + 1) >> 32
        numbers[place], numbers[other] = numbers[other], numbers[place]
    return numbers


def _length(part: float) -> float:
    """Give the length below which a part of all visits stays: the normal distribution by halving, exact everywhere."""
    low, high = -8.0, 8.0
    for _ in range(50):
        middle = (low + high) / 2.0
        if 0.5 * math.erfc(-middle / math.sqrt(2.0)) < part:
            low = middle
        else:
            high = middle
    return round(math.exp(_SIGMA * round(low, 9) - _SIGMA * _SIGMA / 2.0), 9)


def _left(step: int) -> list[float]:
    """Give what is left of a visit that has lasted so many steps."""
    passed = step * LEFT_STEP
    over = 0.5 * math.erfc(-(math.log(passed) / _SIGMA + _SIGMA / 2.0) / math.sqrt(2.0)) if passed else 0.0
    parts = (over + (1.0 - over) * (place + 0.5) / LEFT_PARTS for place in range(LEFT_PARTS))
    return [max(0.0, _length(min(part, 1.0 - 1e-9)) - passed) for part in parts]


ORDER = _order()
LENGTHS = [_length((place + 0.5) / PARTS) for place in range(PARTS)]
LEFT = [_left(step) for step in range(LEFT_STEPS)]
