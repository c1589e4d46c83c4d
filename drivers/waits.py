"""An expected wait in minutes as people are told it: on paper as on the pages (`server/ui/lib/src/wait.ts`)."""

import math

FINE_MIN, STEP_MIN = 20, 5  # from twenty minutes on in steps of five: nobody is told 37 minutes
LONG_MIN = 120


def told_minutes(low_s: float, high_s: float) -> tuple[int, int]:
    """Give the range of a wait as (from, to) in whole minutes, rounded outwards; (0, 0): at once.

    `from` is above `LONG_MIN` where nothing is to be told but that it is long.
    """
    low, high = math.floor(max(0.0, low_s) / 60), math.ceil(max(0.0, low_s, high_s) / 60)
    return (
        low if low <= FINE_MIN else low // STEP_MIN * STEP_MIN,
        high if high <= FINE_MIN else -(-high // STEP_MIN) * STEP_MIN,
    )
