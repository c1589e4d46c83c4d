"""The hall's clock: the machine's own, or a drill's (演练) that starts at a given instant and runs at normal speed."""

import time
from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], int]
"""Gives Unix milliseconds."""


def machine_clock() -> int:
    """Give the machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def drill_clock(starts: datetime) -> Clock:
    """Give a clock that shows `starts` now and goes on from there, whatever happens to the machine's clock."""
    starts_ms = round(starts.timestamp() * 1000)
    begun_ns = time.monotonic_ns()
    return lambda: starts_ms + (time.monotonic_ns() - begun_ns) // 1_000_000


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
