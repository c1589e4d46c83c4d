"""A day before it is played: who comes when and with what work, and who sits at which window.

Days are made completely beforehand, out of a description or out of a ledger, so that everything that is tried meets the
very same visitors (common random numbers). Instants of a day are milliseconds after its midnight (`*_ms`), whole
numbers, so that nothing depends on rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from server.domain.terms import ORDINARY, PriorityId, ServiceId, WindowNo, WorkId

MIN = 60_000  # ms
QUARTER = 15 * MIN
DAY = 24 * 60 * MIN

Spans = tuple[tuple[int, int], ...]
"""From when until when, in order, ms after midnight."""


class Ends(Enum):
    """How a stay at a window ends."""

    DONE = "done"  # the visit is over, or its next leg begins
    NO_SHOW = "no_show"
    MISSED = "missed"  # called, not there; comes back later when there is a next stay
    PAPERS = "papers"  # fetches papers and comes back
    RESULT = "result"  # the back office decides; called again for the result


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of a visitor at a window, and the waiting before it.

    `work_ms`: how long the window is taken by an ordinary clerk in the service's own zone, the walk included.
    `pause_ms`: how long the visitor is away before the next stay.
    """

    service: ServiceId
    work_ms: int
    walk_ms: int = 0
    ends: Ends = Ends.DONE
    pause_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who comes. `slot`: the time booked (from, until); `gives_up_ms`: when, if not called before.

    `bound`: the number was taken for this window.
    """

    at_ms: int
    stays: tuple[Stay, ...]
    priority: PriorityId = ORDINARY
    slot: tuple[int, int] | None = None
    gives_up_ms: int | None = None
    bound: WindowNo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A manager sets what a window serves."""

    at_ms: int
    window: WindowNo
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day to play: `day` is its business day (ISO date).

    `slowness`: by window, work takes so many times longer there. `pause_ms`: from one visitor to the call of the next.
    `stays_ms`: so long windows go on into a break of their whole zone while somebody waits.
    `assigned`: what managers changed on that day; `clerks`: who sits at a window, where it is known.
    """

    day: str
    visits: tuple[Visit, ...]
    shifts: Mapping[WindowNo, Spans]
    slowness: Mapping[WindowNo, float]
    clerks: Mapping[WindowNo, WorkId] = field(default_factory=dict)
    away_factor: float = 1.0  # work of a zone that is not the window's own takes so many times longer
    change_ms: int = 0  # and this longer when the zone changes
    pause_ms: int = 0
    stays_ms: int = 0
    assigned: tuple[Assigned, ...] = ()
