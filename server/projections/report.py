"""One business day in numbers, from its events alone.

One meaning each: wait = first call - issued (a later leg of a joint matter: since it joined the waiting); walk =
start - called; serve = finish - start - held; no-show rate = no-shows / issued; overdue rate = waited over target /
called; rated rate = rated / visits finished; satisfaction = grades 3..5 / rated (unrated is not satisfied);
utilisation = serving / signed-on time; load of a window = its share of the serving time / its share of the signed-on
time. A leg is finished work of its window, zone and service; in the hall's total a visit is finished once, with its
last leg. Calls, waits and services count by leg. Medians and P90 (nearest rank) stand beside means; all in seconds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from server.domain import events as e
from server.domain.terms import HallId, HallPlan, ServiceId, TicketId, WindowNo, WorkId, ZoneId
from server.projections.spread import Spread, rate, spread
from server.projections.standing import standing
from server.projections.work import (
    Counting,
    Done,
    Duty,
    DutyFigures,
    Work,
    by_clerk,
    by_window,
    duty_figures,
    fields_of,
    satisfaction,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Appointments: made and given back on this day, for whichever day; kept (some of them late) and missed on it."""

    booked: int
    kept: int
    late: int
    missed: int
    cancelled: int


MEANINGS: tuple[tuple[str, str], ...] = (
    (
        "等候＝第一次呼叫－取号；联办后续环节从开始等候算起。",
        "wait = first call - issued; a later leg: since it joined.",
    ),
    ("走到窗口＝开始－呼叫；办理＝办结－开始－挂起。", "walk = start - called; serve = finish - start - held."),
    (
        "弃号率＝弃号÷取号；超时率＝等候超过目标的呼叫÷呼叫；评价率＝已评价÷办结。",
        "no-show rate = no-shows / issued; overdue = waited over target / called; rated rate = rated / finished.",
    ),
    (
        "满意率＝3 至 5 分÷已评价；没评价不算满意，申诉成立的不计。",
        "satisfaction = grades 3..5 / rated; unrated is not satisfied, grades struck by an appeal do not count.",
    ),
    (
        "P90＝九成的人不超过。专区、事项的办结含联办各环节，全大厅每件只算一次。",
        "P90: nine of ten took no longer. finished of a zone or service includes legs, of the hall each visit once.",
    ),
)
LOAD_MEANING = (
    "负荷＝窗口占全大厅办理时间的份额÷占在岗时间的份额。",
    "load = share of the hall's serving time / share of its time signed on.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a hall, a zone or a service. Rates are None when there is nothing to divide by.

    `legs` are the legs after which a visit went on; `finished` of a zone or service counts them in, of the hall not.
    `notices`: how often missing papers were named.
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
    notices: int
    rated: int
    wait: Spread
    walk: Spread
    serve: Spread
    no_show_rate: float | None
    overdue_rate: float | None
    rated_rate: float | None
    satisfaction: float | None
    appointments: Booked


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFigures(DutyFigures):
    """The figures of a window."""

    load: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A business day: the hall, its zones, services, windows and clerks."""

    day: str
    hall: Figures
    zones: dict[ZoneId, Figures]
    services: dict[ServiceId, Figures]
    windows: dict[WindowNo, WindowFigures]
    clerks: dict[WorkId, DutyFigures]


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
    notices: int = 0
    overdue: int = 0
    booked: int = 0
    kept: int = 0
    late: int = 0
    not_kept: int = 0
    given_back: int = 0
    waits: list[int] = field(default_factory=list)
    walks: list[int] = field(default_factory=list)
    serves: list[int] = field(default_factory=list)
    grades: list[int] = field(default_factory=list)


def day_report(
    plan: HallPlan,
    day: str,
    events: Iterable[tuple[int, e.Event]],
    *,
    now_ms: int,
    struck: Set[TicketId] = frozenset(),
) -> DayReport:
    """Give the report of a day from its (at_ms, event) pairs; what is still open counts until `now_ms`.

    The grades of the visits in `struck` do not count (an appeal was upheld).
    """
    return _Day(plan, day, struck).report(events, now_ms)


def answer_of(hall: HallId, report: DayReport) -> dict[str, Any]:
    """Give the report as the wire has it: {hall, business_day, total, zones: [...], services, windows, clerks}."""
    figures = asdict(report)
    return {
        "hall": hall,
        "business_day": report.day,
        "total": figures["hall"],
        "zones": [{"zone": zone, **row} for zone, row in figures["zones"].items()],
        "services": [{"service": service, **row} for service, row in figures["services"].items()],
        "windows": [{"window": no, **row} for no, row in figures["windows"].items()],
        "clerks": [{"clerk": clerk, **row} for clerk, row in figures["clerks"].items()],
    }


class _Day:
    """One pass over the events of a day."""

    def __init__(self, plan: HallPlan, day: str, struck: Set[TicketId]) -> None:
        self._plan, self._day, self._struck = plan, day, struck
        self._all = _Tally()
        self._zones: dict[ZoneId, _Tally] = {zone.id: _Tally() for zone in plan.queues}
        self._services: dict[ServiceId, _Tally] = {service.id: _Tally() for service in plan.services}
        self._counting = Counting(plan, day)
        self._of: dict[TicketId, tuple[ServiceId, ZoneId]] = {}
        self._called: set[TicketId] = set()

    def report(self, events: Iterable[tuple[int, e.Event]], now_ms: int) -> DayReport:
        """Count, then divide."""
        for at_ms, event in standing(events):
            self._count_ticket(event)
            self._count_appointment(event)
            self._counting.take(event, at_ms)
        work = Work()
        work.add(self._counting.total(now_ms), struck=self._struck)
        windows = {window.no: (Duty(), Done()) for window in self._plan.windows} | by_window(work)
        serving_ms = sum(done.serving_ms for _, done in windows.values())
        signed_on_ms = sum(duty.signed_on_ms for duty, _ in windows.values())
        return DayReport(
            day=self._day,
            hall=_figures(self._all, with_legs=False),
            zones={zone: _figures(tally) for zone, tally in self._zones.items()},
            services={service: _figures(tally) for service, tally in self._services.items()},
            windows={no: _window_figures(*counts, serving_ms, signed_on_ms) for no, counts in windows.items()},
            clerks={clerk: duty_figures(*counts) for clerk, counts in by_clerk(work).items()},
        )

    def _tallies(self, ticket: TicketId) -> Sequence[_Tally]:
        """Give the three tallies a ticket counts in: the hall's, its zone's, its service's."""
        known = self._of.get(ticket)
        if known is None:
            return ()  # issued on another day
        return self._tallies_at(*known)

    def _tallies_at(self, service: ServiceId, zone: ZoneId | None) -> Sequence[_Tally]:
        of_zone = () if zone is None else (self._zones.setdefault(zone, _Tally()),)
        return self._all, *of_zone, self._services.setdefault(service, _Tally())

    def _count_appointment(self, event: e.Event) -> None:
        match event:
            case e.AppointmentKept():
                for tally in self._tallies(event.ticket):
                    tally.kept += 1
                    tally.late += event.late
            case e.AppointmentBooked() | e.AppointmentCancelled() | e.AppointmentMissed():
                known = self._plan.service.get(event.service)
                for tally in self._tallies_at(event.service, known.zone if known is not None else None):
                    tally.booked += isinstance(event, e.AppointmentBooked)
                    tally.given_back += isinstance(event, e.AppointmentCancelled)
                    tally.not_kept += isinstance(event, e.AppointmentMissed)
            case _:
                pass

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
                case e.LegFinished() | e.ResultAwaited():
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
                case e.NoticeGiven():
                    tally.notices += 1
                case e.TicketRated() if ticket not in self._struck:
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
        if isinstance(event, e.ResultAwaited):  # the pickup is the next leg
            self._of[ticket] = event.pickup, event.zone
            self._called.discard(ticket)


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
        notices=tally.notices,
        rated=len(tally.grades),
        wait=spread(tally.waits),
        walk=spread(tally.walks),
        serve=spread(tally.serves),
        no_show_rate=rate(tally.no_shows, tally.issued),
        overdue_rate=rate(tally.overdue, tally.called),
        rated_rate=rate(len(tally.grades), tally.visits),
        satisfaction=satisfaction(Counter(tally.grades)),
        appointments=Booked(
            booked=tally.booked,
            kept=tally.kept,
            late=tally.late,
            missed=tally.not_kept,
            cancelled=tally.given_back,
        ),
    )


def _window_figures(duty: Duty, done: Done, serving_ms: int, signed_on_ms: int) -> WindowFigures:
    work, hours = rate(done.serving_ms, serving_ms), rate(duty.signed_on_ms, signed_on_ms)
    load = round(work / hours, 4) if work is not None and hours else None
    return WindowFigures(**fields_of(duty_figures(duty, done)), load=load)
