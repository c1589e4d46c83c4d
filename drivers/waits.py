"""An expected wait in minutes as people are told it: on paper as on the pages (`server/ui/lib/src/wait.ts`)."""

import math

FINE_MIN, STEP_MIN = 20, 5  # from twenty minutes on in steps of five: nobody is told 37 minutes
LONG_MIN = 120


FAR_MIN = 180  # a range that ends beyond this says no more than where it begins, and nothing where it begins soon


def told_minutes(low_s: float, high_s: float) -> tuple[int, int | None] | None:
    """Give the range of a wait as (from, to) in whole minutes, rounded outwards; (0, 0): at once.

    `to` is None where it is only told to be longer than `from`, and nothing is given where that says too little.
    """
    low, high = math.floor(max(0.0, low_s) / 60), math.ceil(max(0.0, low_s, high_s) / 60)
    low = low if low <= FINE_MIN else low // STEP_MIN * STEP_MIN
    high = high if high <= FINE_MIN else -(-high // STEP_MIN) * STEP_MIN
    if low > LONG_MIN:
        return LONG_MIN, None
    if high > FAR_MIN:
        return (low, None) if low >= FINE_MIN else None
    return low, high
