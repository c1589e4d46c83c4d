"""How tests wait: for a condition, with a bound that only a machine at a standstill reaches.

A loaded machine may leave a process alone for seconds at any line. So no test asserts how long something took; the
bound is there to say what did not happen, long after anybody would still hope for it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

PATIENCE_S = 60.0
"""Longer than anything takes on a machine ten times as slow as ours."""
BEFORE_TURN_S = 90.0
"""Longer than any test goes on with the numbers of one business day."""
LOOK_EVERY_S = 0.01


def until(told: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait for a condition, with a bound."""
    deadline = time.monotonic() + within_s
    while not told():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(LOOK_EVERY_S)


def past_the_turn_of_the_day() -> None:
    """Wait while the business day is about to turn (06:00 in the hall): a server on the real clock begins at 1 then."""
    turns = datetime.now(UTC).replace(hour=22, minute=0, second=5, microsecond=0)  # 06:00 in Asia/Shanghai
    left_s = (turns - datetime.now(UTC)) / timedelta(seconds=1)
    if 0 < left_s < BEFORE_TURN_S:
        time.sleep(left_s)
