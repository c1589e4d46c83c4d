"""How wrong the forecasts were, so that the next ones are right on the whole and their range holds what it says.

When somebody is called for the first time, the wait is held against what the forecast had seen when the number was
given: the error, over the width that went with it. The last `KEPT` of these errors stand for the next ones (conformal
prediction): the one in the middle moves the expectation, those at `PARTS` bound what is promised. Nothing is assumed
of how waits vary, and what the forecast does not see is taken in after a day. `START` is what errors were on simulated
days of other halls: it holds on the first morning and gives way as errors come in. The range is of a few more errors
than four of five, because the next hour is not quite like the last one. Source: Vovk, Gammerman, Shafer 2005.
"""

from collections import deque
from dataclasses import dataclass, field

KEPT = 400  # about a busy day: what changes is believed tomorrow
MOST = 3.0  # an error counts at most so much: nobody may have pressed for an hour
BELIEVED, TRUSTED = 30, 150  # fewer say nothing; from so many on what to start with counts no more
PARTS = (0.08, 0.50, 0.80, 0.92)  # so many of the errors lie below the low, the middle, p80 and the high of a forecast
START = (-0.70, 0.0, 0.35, 0.85)


@dataclass(slots=True, kw_only=True)
class Calibration:
    """The last errors over the widths that were foretold, oldest first. Only the folding of events changes it."""

    errors: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, *, seen_s: int, width_s: int, waited_s: int) -> None:
        """Hold a wait against what had been seen when the number was given."""
        error = (waited_s - seen_s) / max(1, width_s)
        self.errors.append(round(min(MOST, max(-MOST, error)), 4))

    def quantiles(self) -> tuple[float, float, float, float]:
        """Give the errors, in widths, that low, middle, p80 and high are away from what is seen."""
        known = sorted(self.errors)
        trust = min(1.0, max(0.0, (len(known) - BELIEVED) / (TRUSTED - BELIEVED)))
        low, middle, p80, high = (
            trust * _below(known, part) + (1.0 - trust) * start for part, start in zip(PARTS, START, strict=True)
        )
        return low, middle, p80, high


def _below(ordered: list[float], part: float) -> float:
    """Give the value below which a part lies, between neighbours by the line; 0 of nothing."""
    if not ordered:
        return 0.0
    place = part * (len(ordered) - 1)
    at = int(place)
    after = min(at + 1, len(ordered) - 1)
    return ordered[at] + (place - at) * (ordered[after] - ordered[at])
