"""When somebody was last at work at each window: the clerk's presses, on page or keypad. In memory only.

A page left open is no sign of life, a press is. What happened before the process started nobody knows, so counting
begins at its start: a restart never leaves a window alone by itself.
"""

from collections.abc import Callable
from time import monotonic

from server.domain.terms import HallId, WindowNo


class Presence:
    """The last sign of life at every window of every hall of this server."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Count from now on; `clock` gives seconds that never go back."""
        self._clock, self._begun_s = clock, clock()
        self._seen_s: dict[tuple[HallId, WindowNo], float] = {}  # windows that exist: rights are checked before

    def seen(self, hall: HallId, window: WindowNo) -> None:
        """Note a sign of life now."""
        self._seen_s[hall, window] = self._clock()

    def idle_s(self, hall: HallId, window: WindowNo) -> float:
        """Give the seconds since the last sign of life, or since counting began."""
        return self._clock() - self._seen_s.get((hall, window), self._begun_s)
