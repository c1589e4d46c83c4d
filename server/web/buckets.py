"""How often somebody may ask: token buckets by name, on the monotonic clock."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from server.web.problems import too_many

LOGIN_BURST, LOGIN_PER_S = 60, 1.0  # sign-ins and codes per address; a whole hall may sit behind one
ISSUE_BURST, ISSUE_PER_S = 500, 50.0  # numbers per kiosk; many hands on the glass are slower
LOOK_BURST, LOOK_PER_S = 150, 3.0  # looks at what can be booked, per address
BOOK_BURST, BOOK_PER_S = 30, 1 / 20  # bookings per address; a village may sit behind one
VISITOR_BURST, VISITOR_PER_S = 10, 1 / 300  # tries to book per visitor; good ones are bound by the hall's own rules
AUDIT_BURST, AUDIT_PER_S = 50, 0.2  # lines about refused attempts per address; a flood must not fill the disk
BUCKETS_MAX = 10_000


class Buckets:
    """Token buckets by name: each allows a burst and then so many a second."""

    def __init__(self, burst: int, per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full; `clock` gives seconds and never goes back."""
        self._burst, self._per_s, self._clock, self._lock = float(burst), per_s, clock, Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Take one.

        Raises:
            Problem: `too_many`, with the seconds until there is one again.
        """
        missing = self._take(name)
        if missing:
            raise too_many(missing / self._per_s)

    def has(self, name: str) -> bool:
        """Take one if there is one, and say so."""
        return not self._take(name)

    def _take(self, name: str) -> float:
        """Take one; give 0, or how much of one is missing."""
        now = self._clock()
        with self._lock:
            level, at = self._levels.pop(name, (self._burst, now))
            level = min(self._burst, level + (now - at) * self._per_s)
            missing = max(0.0, 1 - level)
            self._levels[name] = (level if missing else level - 1, now)
            if len(self._levels) > BUCKETS_MAX:
                self._levels.popitem(last=False)
        return missing
