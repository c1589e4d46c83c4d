"""What the hall has learned from its own days: how long a visit takes, how fast a clerk is, how often nobody comes.

Everything is folded from the events, so a replay learns the same, and everything begins with what the hall file says:
typed-in minutes count like `SERVE_PRIOR` visits, a clerk begins as an ordinary one with the weight of `PACE_PRIOR`, and
so on. One stuck visit counts at most `OUTLIER` times what was expected of it. When a day begins, what was learned keeps
`FADE` of its weight, so that a hall that changes is believed after some weeks, and clerks and services long gone are
forgotten: the size is that of the hall, not of its past.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.domain.terms import HallPlan, Service, ServiceId, WorkId

SERVE_PRIOR = 8.0  # the typed-in minutes of a service count like so many observed visits
PACE_PRIOR = 12.0  # a clerk begins as an ordinary one, with this weight
RELIEF_PRIOR, RELIEF_FACTOR = 30.0, 1.1  # away from its own work a window is slower
NO_SHOW_PRIOR, NO_SHOW_RATE = 25.0, 0.08
LOST_PRIOR, LOST_S = 8.0, 60.0  # seconds until a window gives up on somebody who does not come
LOST_MAX_S = 300.0
OUTLIER = 3.0
FADE = 0.97  # a day's; half of a weight is gone after 23 days
FORGOTTEN = 0.25  # a record that weighs less is dropped


@dataclass(slots=True, kw_only=True)
class Record:
    """Observations that fade: `count` of them with the sum `total`."""

    count: float = 0.0
    total: float = 0.0

    def add(self, value: float) -> None:
        """Take one more observation."""
        self.count += 1.0
        self.total += value

    def take_back(self, value: float) -> None:
        """Lose one observation again."""
        self.count -= 1.0
        self.total -= value

    def fade(self) -> bool:
        """Lose a day's weight; say whether enough is left to be kept."""
        self.count *= FADE
        self.total *= FADE
        return self.count >= FORGOTTEN

    def mean(self, prior: float, weight: float) -> float:
        """Give the mean, with a prior that counts like `weight` observations."""
        return (weight * prior + self.total) / (weight + self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one visit has taught, so that it can be taken back. None: nothing of that kind."""

    service: ServiceId
    no_show: float | None = None
    lost_s: float | None = None
    serve_s: float | None = None
    clerk: WorkId | None = None
    pace: float | None = None
    relief: float | None = None


_NOTHING = Record()  # of what was never observed; nobody adds to it


@dataclass(slots=True, kw_only=True)
class Learned:
    """All of it. Only the folding of events changes it."""

    serve_s: dict[ServiceId, Record] = field(default_factory=dict)  # seconds of a visit
    no_shows: dict[ServiceId, Record] = field(default_factory=dict)  # 1 for each call to which nobody came, else 0
    paces: dict[WorkId, Record] = field(default_factory=dict)  # seconds over those expected, at the clerk's own work
    relief: Record = field(default_factory=Record)  # seconds over those expected, at work that is only relieved
    lost_s: Record = field(default_factory=Record)  # seconds until somebody who did not come was given up

    def mean_s(self, service: Service) -> float:
        """Give the seconds of one visit at an ordinary clerk whose own work it is."""
        return self.serve_s.get(service.id, _NOTHING).mean(service.minutes_typical * 60.0, SERVE_PRIOR)

    def pace(self, clerk: WorkId | None) -> float:
        """Say how many times as long as an ordinary clerk this one takes; 1 of somebody new."""
        return self.paces.get(clerk, _NOTHING).mean(1.0, PACE_PRIOR) if clerk is not None else 1.0

    def relief_factor(self) -> float:
        """Say how many times as long a visit takes where it is not the window's own work."""
        return self.relief.mean(RELIEF_FACTOR, RELIEF_PRIOR)

    def no_show_rate(self, service: ServiceId) -> float:
        """Give the share of calls for a service to which nobody comes."""
        return self.no_shows.get(service, _NOTHING).mean(NO_SHOW_RATE, NO_SHOW_PRIOR)

    def taken_s(self, service: Service) -> float:
        """Give the seconds of window time that somebody who waits will take: a visit, or the moment until given up."""
        rate = self.no_show_rate(service.id)
        return (1.0 - rate) * self.mean_s(service) + rate * self.lost_s.mean(LOST_S, LOST_PRIOR)

    def served(self, service: Service, clerk: WorkId | None, serve_s: int, *, own: bool) -> Lesson:
        """Learn from a finished visit or leg, `own`: it was the window's own work.

        What relief costs is learned for the hall and taken out of the service's seconds: else a service that others
        relieve often would look long. A clerk is judged by the own work alone.
        """
        mean_s, pace = self.mean_s(service), self.pace(clerk)
        slower = 1.0 if own else self.relief_factor()
        counted_s = min(float(serve_s), OUTLIER * mean_s * slower)
        lesson = Lesson(
            service=service.id,
            serve_s=counted_s / slower,
            clerk=clerk if own else None,
            pace=counted_s / mean_s if own and clerk is not None else None,
            relief=None if own else counted_s / (mean_s * pace),
        )
        self._learn(lesson)
        return lesson

    def came(self, service: ServiceId) -> Lesson:
        """Learn that somebody who was called came."""
        lesson = Lesson(service=service, no_show=0.0)
        self._learn(lesson)
        return lesson

    def did_not_come(self, service: ServiceId, lost_s: float) -> Lesson:
        """Learn that nobody came, and after how many seconds the window went on."""
        lesson = Lesson(service=service, no_show=1.0, lost_s=min(max(0.0, lost_s), LOST_MAX_S))
        self._learn(lesson)
        return lesson

    def unlearn(self, lesson: Lesson) -> None:
        """Take a lesson of today back: it was drawn from what did not happen."""
        for record, value in self._records(lesson):
            record.take_back(value)

    def _learn(self, lesson: Lesson) -> None:
        for record, value in self._records(lesson):
            record.add(value)

    def _records(self, lesson: Lesson) -> Iterator[tuple[Record, float]]:
        """Give the records that a lesson belongs to, each with its value."""
        if lesson.relief is not None:
            yield self.relief, lesson.relief
        if lesson.pace is not None and lesson.clerk is not None:
            yield self.paces.setdefault(lesson.clerk, Record()), lesson.pace
        if lesson.serve_s is not None:
            yield self.serve_s.setdefault(lesson.service, Record()), lesson.serve_s
        if lesson.no_show is not None:
            yield self.no_shows.setdefault(lesson.service, Record()), lesson.no_show
        if lesson.lost_s is not None:
            yield self.lost_s, lesson.lost_s

    def begin_day(self, plan: HallPlan) -> None:
        """Let a day's weight fade, and forget what is hardly left or not in the plan any more."""
        self.serve_s = {id_: it for id_, it in self.serve_s.items() if it.fade() and id_ in plan.service}
        self.no_shows = {id_: it for id_, it in self.no_shows.items() if it.fade() and id_ in plan.service}
        self.paces = {clerk: it for clerk, it in self.paces.items() if it.fade()}
        self.relief.fade()
        self.lost_s.fade()
