"""One business day in numbers, from its events alone.

One meaning each: wait = first call - issued (a later leg of a joint matter: since it joined the waiting); walk =
start - called; serve = finish - start - held; no-show rate = no-shows / issued; overdue rate = waited over target /
called; rated rate = rated / visits finished; satisfaction = grades 3..5 / rated (unrated is not satisfied);
utilisation = serving / signed-on time; load of a window = its share of the serving time / its share of the signed-on
time. A leg is finished work of its window, zone and service; in the hall's total a visit is finished once, with its
last leg. Calls, waits and services count by leg. Medians and P90 (nearest rank) stand beside means; all in seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from server.domain import events as e
from server.domain.terms import HallPlan, ServiceId, TicketId, WindowNo, ZoneId

SATISFIED_FROM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, in seconds; None when it never happened."""

    count: int
    mean_s: int | None
    median_s: int | None
    p90_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a hall, a zone or a service. Rates are None when there is nothing to divide by.

    `legs` are the legs after which a visit went on; `finished` of a zone or service counts them in, of the hall not.
    """

    issued: int
    called: int
    finished: int
    legs: int
    no_shows: int
    cancelled: int
    expired: int
    missed: int
    transferred: int
    rated: int
    wait: Spread
    walk: Spread
    serve: Spread
    no_show_rate: float | None
    overdue_rate: float | None
    rated_rate: float | None
    satisfaction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFigures:
    """The figures of a window. `signed_on_s` is from opening to closing, with pauses; `finished` includes `legs`."""

    called: int
    finished: int
    legs: int
    no_shows: int
    rated: int
    satisfaction: float | None
    signed_on_s: int
    paused_s: int
    serving_s: int
    serve: Spread
    utilisation: float | None
    load: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A business day: the hall, its zones, services and windows."""

    day: str
    hall: Figures
    zones: dict[ZoneId, Figures]
    services: dict[ServiceId, Figures]
    windows: dict[WindowNo, WindowFigures]


@dataclass(slots=True)
class _Tally:
    """Counts while the events go by."""

    issued: int = 0
    called: int = 0
    visits: int = 0
    legs: int = 0
    no_shows: int = 0
    cancelled: int = 0
    expired: int = 0
    missed: int = 0
    transferred: int = 0
    overdue: int = 0
    waits: list[int] = field(default_factory=list)
    walks: list[int] = field(default_factory=list)
    serves: list[int] = field(default_factory=list)
    grades: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Window:
    """What a window does while the events go by; instants are Unix ms."""

    called: int = 0
    finished: int = 0
    legs: int = 0
    no_shows: int = 0
    signed_on_ms: int = 0
    paused_ms: int = 0
    serving_ms: int = 0
    opened_at: int | None = None
    paused_at: int | None = None
    called_at: int | None = None
    started_at: int | None = None
    serves: list[int] = field(default_factory=list)
    grades: list[int] = field(default_factory=list)

    def leave(self, at_ms: int, *, finished: bool = False) -> None:
        """The visitor leaves the window: served since the start, or since the call when it was finished at once."""
        since = self.started_at if self.started_at is not None else self.called_at if finished else None
        if since is not None:
            self.serving_ms += at_ms - since
        self.called_at = self.started_at = None

    def close(self, at_ms: int) -> None:
        """End the pause and the time signed on."""
        if self.paused_at is not None:
            self.paused_ms += at_ms - self.paused_at
        if self.opened_at is not None:
            self.signed_on_ms += at_ms - self.opened_at
        self.opened_at = self.paused_at = None


def day_report(plan: HallPlan, day: str, events: Iterable[tuple[int, e.Event]], *, now_ms: int) -> DayReport:
    """Give the report of a day from its (at_ms, event) pairs; what is still open counts until `now_ms`."""
    return _Day(plan).report(day, events, now_ms)


class _Day:
    """One pass over the events of a day."""

    def __init__(self, plan: HallPlan) -> None:
        self._plan = plan
        self._all = _Tally()
        self._zones: dict[ZoneId, _Tally] = {zone.id: _Tally() for zone in plan.queues}
        self._services: dict[ServiceId, _Tally] = {service.id: _Tally() for service in plan.services}
        self._windows: dict[WindowNo, _Window] = defaultdict(_Window, {window.no: _Window() for window in plan.windows})
        self._of: dict[TicketId, tuple[ServiceId, ZoneId]] = {}
        self._called: set[TicketId] = set()

    def report(self, day: str, events: Iterable[tuple[int, e.Event]], now_ms: int) -> DayReport:
        """Count, then divide."""
        for at_ms, event in events:
            self._count_ticket(event)
            self._count_window(event, at_ms)
        for window in self._windows.values():
            if window.started_at is not None:
                window.leave(now_ms)
            window.close(now_ms)
        serving_ms = sum(window.serving_ms for window in self._windows.values())
        signed_on_ms = sum(window.signed_on_ms for window in self._windows.values())
        return DayReport(
            day=day,
            hall=_figures(self._all, with_legs=False),
            zones={zone: _figures(tally) for zone, tally in self._zones.items()},
            services={service: _figures(tally) for service, tally in self._services.items()},
            windows={no: _window_figures(window, serving_ms, signed_on_ms) for no, window in self._windows.items()},
        )

    def _tallies(self, ticket: TicketId) -> Sequence[_Tally]:
        """Give the three tallies a ticket counts in: the hall's, its zone's, its service's."""
        known = self._of.get(ticket)
        if known is None:
            return ()  # issued on another day
        service, zone = known
        return (
            self._all,
            self._zones.setdefault(zone, _Tally()),
            self._services.setdefault(service, _Tally()),
        )

    def _count_ticket(self, event: e.Event) -> None:
        if isinstance(event, e.TicketIssued):
            self._of[event.ticket] = event.service, event.zone
        ticket: TicketId | None = getattr(event, "ticket", None)
        if ticket is None:
            return
        first = isinstance(event, e.TicketCalled) and ticket not in self._called
        for tally in self._tallies(ticket):
            match event:
                case e.TicketIssued():
                    tally.issued += 1
                case e.TicketCalled() if first:
                    tally.called += 1
                    tally.waits.append(event.waited_s)
                    known = self._plan.service.get(event.service)
                    tally.overdue += known is not None and event.waited_s > known.target_wait_min * 60
                case e.ServingStarted():
                    tally.walks.append(event.walk_s)
                case e.TicketFinished():
                    tally.visits += 1
                    tally.serves.append(event.serve_s)
                case e.LegFinished():
                    tally.legs += 1
                    tally.serves.append(event.serve_s)
                case e.NoShowRecorded():
                    tally.no_shows += 1
                case e.TicketMissed():
                    tally.missed += 1
                case e.TicketCancelled():
                    tally.cancelled += 1
                case e.TicketExpired():
                    tally.expired += 1
                case e.TicketTransferred():
                    tally.transferred += 1
                case e.TicketRated():
                    tally.grades.append(event.grade)
                case _:
                    pass
        if isinstance(event, e.TicketCalled):
            self._called.add(ticket)
        if isinstance(event, e.TicketTransferred):
            self._of[ticket] = event.service, event.zone
        if isinstance(event, e.LegFinished):
            self._of[ticket] = event.next_service, event.zone
            self._called.discard(ticket)  # the next leg has a first call of its own

    def _count_window(self, event: e.Event, at_ms: int) -> None:
        no: WindowNo | None = getattr(event, "window", None)
        if no is None or isinstance(event, e.TicketIssued):
            return
        window = self._windows[no]
        match event:
            case e.WindowOpened():
                window.opened_at = at_ms
            case e.WindowPaused():
                window.paused_at = at_ms
            case e.WindowResumed():
                window.paused_ms += 0 if window.paused_at is None else at_ms - window.paused_at
                window.paused_at = None
            case e.WindowClosed():
                window.close(at_ms)
            case e.TicketCalled() | e.TicketResumed():
                window.called += isinstance(event, e.TicketCalled)
                window.called_at, window.started_at = at_ms, None
            case e.ServingStarted():
                window.started_at = at_ms
            case e.TicketFinished() | e.LegFinished():
                window.finished += 1
                window.legs += isinstance(event, e.LegFinished)
                window.serves.append(event.serve_s)
                window.leave(at_ms, finished=True)
            case e.NoShowRecorded():
                window.no_shows += 1
            case e.TicketRated():
                window.grades.append(event.grade)
            case e.TicketHeld() | e.TicketTransferred() | e.TicketExpired():
                if window.started_at is not None:
                    window.leave(at_ms)
            case _:
                pass


def _figures(tally: _Tally, *, with_legs: bool = True) -> Figures:
    return Figures(
        issued=tally.issued,
        called=tally.called,
        finished=tally.visits + (tally.legs if with_legs else 0),
        legs=tally.legs,
        no_shows=tally.no_shows,
        cancelled=tally.cancelled,
        expired=tally.expired,
        missed=tally.missed,
        transferred=tally.transferred,
        rated=len(tally.grades),
        wait=_spread(tally.waits),
        walk=_spread(tally.walks),
        serve=_spread(tally.serves),
        no_show_rate=_rate(tally.no_shows, tally.issued),
        overdue_rate=_rate(tally.overdue, tally.called),
        rated_rate=_rate(len(tally.grades), tally.visits),
        satisfaction=_satisfaction(tally.grades),
    )


def _window_figures(window: _Window, serving_ms: int, signed_on_ms: int) -> WindowFigures:
    work, hours = _rate(window.serving_ms, serving_ms), _rate(window.signed_on_ms, signed_on_ms)
    return WindowFigures(
        called=window.called,
        finished=window.finished,
        legs=window.legs,
        no_shows=window.no_shows,
        rated=len(window.grades),
        satisfaction=_satisfaction(window.grades),
        signed_on_s=window.signed_on_ms // 1000,
        paused_s=window.paused_ms // 1000,
        serving_s=window.serving_ms // 1000,
        serve=_spread(window.serves),
        utilisation=_rate(window.serving_ms, window.signed_on_ms),
        load=round(work / hours, 4) if work is not None and hours else None,
    )


def _spread(values: list[int]) -> Spread:
    if not values:
        return Spread(count=0, mean_s=None, median_s=None, p90_s=None)
    ordered = sorted(values)
    return Spread(
        count=len(ordered),
        mean_s=round(sum(ordered) / len(ordered)),
        median_s=ordered[ceil(len(ordered) * 0.5) - 1],
        p90_s=ordered[ceil(len(ordered) * 0.9) - 1],
    )


def _satisfaction(grades: list[int]) -> float | None:
    return _rate(sum(grade >= SATISFIED_FROM for grade in grades), len(grades))


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
