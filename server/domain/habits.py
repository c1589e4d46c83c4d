"""What a hall's days look like: when people come, with which priority, and when somebody sits at each window.

Folded from the events for the forecasts, beside what `learning` knows of single visits. Times are minutes since
midnight of the business day, counted in slots of a quarter of an hour. A day that is over joins what was learned with
the weight of one day and fades from then on; of attendance the last `DAYS` days are kept as they were, because people
come and go by turns and a mean of turns is nobody's. On the first day there is only what the hall file says: the
announced hours, a load of `LOAD_PRIOR` on every window, and lunch in two turns where the hours go through noon.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from server.domain.terms import ORDINARY, PauseReason, PriorityId, ServiceId, WindowNo, ZoneId

SLOT_MIN = 15
SLOTS = 24 * 60 // SLOT_MIN
FADE = 0.95  # of a day's weight the next morning; half of it is gone after 14 days
FORGOTTEN = 0.25  # who weighs less is dropped
DAYS = 10  # whose comings and goings are kept
LOAD_PRIOR = 0.85  # work that comes over the minutes of the windows, before anything is known
PROFILE_PRIOR = 0.3  # and it counts like so much of a day
RECENT_MIN = 50.0  # how busy today is shows in these
RECENT_PRIOR = 4.0  # it is as busy as ever until more than so many people say otherwise
PRIORITY_PRIOR, PRIORITY_SHARE = 20.0, 0.15  # of those who come, all priorities together
LUNCH = ((720.0, 780.0), (780.0, 840.0))  # two turns, where nothing else is known and the hours go through noon
PAUSE_MIN = {  # how long a pause of a kind usually takes; nobody knows when one who left the window alone is back
    PauseReason.TOILET: 6.0,
    PauseReason.DOCUMENT: 10.0,
    PauseReason.OTHER: 15.0,
    PauseReason.FAULT: 20.0,
    PauseReason.MEETING: 45.0,
    PauseReason.LUNCH: 45.0,
}
BACK_MIN = 3.0  # who should be back already is back in this time
LATE_MIN = 20.0  # who leaves when the visitor is gone, or comes back late, is still expected
NEVER = 1e9

Span = tuple[int, int]  # minutes since midnight, from and until
Turn = tuple[int, bool]  # from this minute on somebody is at the window, or nobody is


@dataclass(slots=True, kw_only=True)
class Habits:
    """All of it; `midnight_ms` is that of the business day. Only the folding of events changes it."""

    midnight_ms: int = 0
    hours: dict[ZoneId, list[Span]] = field(default_factory=dict)  # announced for today; zones without hours are absent
    first_min: int | None = None  # when today's first visitor came
    came_today: dict[ZoneId, list[int]] = field(default_factory=dict)  # by slot
    came: dict[ZoneId, list[float]] = field(default_factory=dict)  # by slot, of the days before
    days: float = 0.0  # their weight
    by_service: dict[ServiceId, float] = field(default_factory=dict)
    by_priority: dict[PriorityId, float] = field(default_factory=dict)
    turns_today: dict[WindowNo, list[Turn]] = field(default_factory=dict)
    turns: list[dict[WindowNo, list[Turn]]] = field(default_factory=list)  # of the last days, newest last

    def minute(self, at_ms: int) -> float:
        """Give the minute of the business day."""
        return (at_ms - self.midnight_ms) / 60_000

    def joins(self, zone: ZoneId, service: ServiceId, priority: PriorityId, at_ms: int) -> None:
        """Count somebody who begins to wait: with a new number, or for the next leg of a visit."""
        minute = int(self.minute(at_ms))
        self.came_today.setdefault(zone, [0] * SLOTS)[minute // SLOT_MIN % SLOTS] += 1
        self.by_service[service] = self.by_service.get(service, 0.0) + 1.0
        self.by_priority[priority] = self.by_priority.get(priority, 0.0) + 1.0
        if self.first_min is None:
            self.first_min = minute

    def staffed(self, window: WindowNo, at_ms: int, *, is_staffed: bool) -> None:
        """Note whether somebody takes calls at a window from now on."""
        turns = self.turns_today.setdefault(window, [])
        if (turns[-1][1] if turns else False) is not is_staffed:
            turns.append((int(self.minute(at_ms)), is_staffed))

    def begin_day(self, midnight_ms: int, hours: dict[ZoneId, list[Span]], zones: Collection[ZoneId]) -> None:
        """Let the day before join what was learned, if anybody came; zones that are gone are forgotten."""
        if self.first_min is not None:
            self.days = FADE * self.days + 1.0
            for zone in zones:
                if zone in self.came or zone in self.came_today:
                    before, today = self.came.get(zone, [0.0] * SLOTS), self.came_today.get(zone, [0] * SLOTS)
                    self.came[zone] = [FADE * old + new for old, new in zip(before, today, strict=True)]
            self.by_service = {it: count * FADE for it, count in self.by_service.items() if count >= FORGOTTEN}
            self.by_priority = {it: count * FADE for it, count in self.by_priority.items() if count >= FORGOTTEN}
            self.turns = [*self.turns, self.turns_today][-DAYS:]
        self.came = {zone: slots for zone, slots in self.came.items() if zone in zones}
        self.came_today, self.turns_today, self.first_min = {}, {}, None
        self.midnight_ms, self.hours = midnight_ms, hours

    def shares(self, priorities: Collection[PriorityId]) -> dict[PriorityId, float]:
        """Give the part of those who come that has each of the priorities; ordinary is one of them."""
        total = sum(self.by_priority.get(it, 0.0) for it in priorities) + PRIORITY_PRIOR
        each = PRIORITY_SHARE / max(1, len(priorities) - 1)
        prior = {it: 1.0 - PRIORITY_SHARE if it == ORDINARY else each for it in priorities}
        return {it: (self.by_priority.get(it, 0.0) + PRIORITY_PRIOR * prior[it]) / total for it in priorities}

    def coming(self, zone: ZoneId, at_ms: int, usual: float, spans: Iterable[tuple[float, float]]) -> list[float]:
        """Give how many people a minute are expected in a zone in each of some spans of minutes from now on.

        `usual` a minute come where nothing is known. How busy today is against other days shows in the last minutes.
        """
        now = self.minute(at_ms)
        since = now if self.first_min is None else max(now - RECENT_MIN, float(self.first_min // SLOT_MIN * SLOT_MIN))
        first = int(since // SLOT_MIN)
        today = self.came_today.get(zone)
        seen = 0 if today is None else sum(today[at % SLOTS] for at in range(first, int(now // SLOT_MIN) + 1))
        usually = self._expected(zone, usual, first * SLOT_MIN, now) if self.first_min is not None else 0.0
        level = (seen + RECENT_PRIOR) / (usually + RECENT_PRIOR)
        return [level * self._expected(zone, usual, now + a, now + b) / (b - a) for a, b in spans]

    def away(
        self, window: WindowNo, zone: ZoneId, now: float, *, is_staffed: bool, place: int, of: int, play: int
    ) -> tuple[float, float]:
        """Give in how many minutes somebody leaves a window, and in how many somebody is back: `NEVER` if not.

        Each `play` goes by another of the last days. On the first one the `place`-th window `of` so many goes to lunch
        in its turn, where the announced hours do not say more.
        """
        if self.turns:
            return _as_then(self.turns[play % len(self.turns)].get(window, ()), now, is_staffed=is_staffed)
        gaps = self._gaps(zone)
        if gaps:
            return _as_then(
                [it for from_, until in gaps for it in ((from_, False), (until, True))], now, is_staffed=is_staffed
            )
        return (
            _lunch(now, place + play if now < LUNCH[0][0] else place, is_staffed=is_staffed)
            if of > 1
            else (NEVER, NEVER)
        )

    def _gaps(self, zone: ZoneId) -> list[Span]:
        hours = self.hours.get(zone, [])
        return [(until, opens) for (_, until), (opens, _) in pairwise(hours)]

    def _expected(self, zone: ZoneId, usual: float, from_: float, until: float) -> float:
        """Give how many come between two minutes on a day like the others."""
        total, at = 0.0, from_
        while at < until:
            slot = int(at // SLOT_MIN)
            ends = min(until, (slot + 1.0) * SLOT_MIN)
            total += self._rate(zone, slot % SLOTS, usual) * (ends - at)
            at = ends
        return total

    def _rate(self, zone: ZoneId, slot: int, usual: float) -> float:
        """Give the people a minute in a slot of other days, smoothed over its neighbours."""
        hours = self.hours.get(zone)
        is_open = hours is None or any(a < (slot + 1) * SLOT_MIN and slot * SLOT_MIN < b for a, b in hours)
        prior = usual if is_open else 0.0
        slots = self.came.get(zone)
        if slots is None:
            return prior
        seen = (slots[slot - 1] + 2.0 * slots[slot] + slots[(slot + 1) % SLOTS]) / (4.0 * SLOT_MIN)
        return (seen + PROFILE_PRIOR * prior) / (self.days + PROFILE_PRIOR)


def back_from(reason: PauseReason, passed: float) -> float:
    """Give in how many minutes somebody is back from a pause that has lasted so long; `NEVER` when nobody knows."""
    usual = PAUSE_MIN.get(reason)
    return NEVER if usual is None else max(BACK_MIN, usual - passed)


def _as_then(turns: Iterable[Turn], now: float, *, is_staffed: bool) -> tuple[float, float]:
    """Give when somebody leaves and is back, as on a day that is over. Who leaves for good is not expected to leave.

    At the end of a day people stay as long as somebody waits; in the middle of it a window that did not come back then
    may well do so now.
    """
    leaves = NEVER
    for minute, comes in turns:
        if comes and is_staffed and leaves < NEVER and minute > now:
            return leaves, minute - now
        if comes and not is_staffed and minute > now - LATE_MIN:
            return NEVER, max(BACK_MIN, minute - now)
        if not comes and is_staffed and leaves == NEVER and minute > now - LATE_MIN:
            leaves = max(0.0, minute - now)
        elif comes and minute <= now:
            leaves = NEVER
    return NEVER, NEVER


def _lunch(now: float, turn: int, *, is_staffed: bool) -> tuple[float, float]:
    (first, change), (_, ends) = LUNCH
    if now < first:
        from_, until = LUNCH[turn % 2]
        return (from_ - now, until - now) if is_staffed else (NEVER, NEVER)
    if now < first + LATE_MIN and turn % 2 == 0 and is_staffed:
        return 0.0, change - now
    if now < change:
        return (change - now, ends - now) if is_staffed else (NEVER, change - now)
    return (NEVER, ends - now) if now < ends and not is_staffed else (NEVER, NEVER)
