"""The hall's clock: the machine's own, or a drill's (演练) that starts at a given instant and runs at normal speed.

What only needs to know how long ago something was (sessions, locks) asks the steady clock, which nobody can set.
"""

import time
from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], int]
"""Gives Unix milliseconds."""


def machine_clock() -> int:
    """Give the machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class DrillClock:
    """Shows the instant at which the drill began and goes on from there, whatever the machine's clock does."""

    def __init__(self, starts: datetime) -> None:
        """Show `starts` now."""
        self._ahead_ms = round(starts.timestamp() * 1000) - _running_ms()

    def __call__(self) -> int:
        """Give the drill's time in Unix milliseconds."""
        return _running_ms() + self._ahead_ms

    def at_least(self, ms: int) -> None:
        """Go on from `ms` when that is later: a drill that is started again goes on where it stopped."""
        self._ahead_ms = max(self._ahead_ms, ms - _running_ms())


class SteadyClock:
    """Shows Unix seconds as the machine did when the process began, and goes on from there whatever that is set to."""

    def __init__(self) -> None:
        """Show the machine's time now."""
        self._ahead_s = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Give Unix seconds."""
        return time.monotonic() + self._ahead_s


def _running_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def instant_of(text: str) -> datetime:
    """Read an instant with its offset: 2026-03-02T09:00:00+08:00.

    Raises:
        ValueError: it is no instant, or the offset is missing; the text says what to write.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant; write for example 2026-03-02T09:00:00+08:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write for example {text}+08:00")
    return instant
