"""One business day in numbers, from its events alone.

One meaning each: wait = first call - issued (a later leg of a joint matter: since it joined the waiting); walk =
start - called; serve = finish - start - held; no-show rate = no-shows / issued; overdue rate = waited over target /
called; rated rate = rated / visits finished; satisfaction = grades 3..5 / rated (unrated is not satisfied);
utilisation = serving / signed-on time; load of a window = its share of the serving time / its share of the signed-on
time. A leg is finished work of its window, zone and service; in the hall's total a visit is finished once, with its
last leg. Calls, waits and services count by leg. Medians, P80, P90 and P95 (nearest rank) stand beside means; all in
seconds.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from server.domain import events as e
from server.domain.terms import HallId, HallPlan, ServiceId, TicketId, WindowNo, WorkId, ZoneId
from server.projections.spread import rate
from server.projections.standing import standing
from server.projections.visits import Figures, Tally, VisitCounting, Visits, by_place, figures
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
)

LOAD_MEANING = (
    "负荷＝窗口占全大厅办理时间的份额÷占在岗时间的份额。",
    "load = share of the hall's serving time / share of its time signed on.",
)


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
class Counts:
    """All that is counted of some days: what happened to visitors, and who worked where."""

    visits: Visits = field(default_factory=Visits)
    work: Work = field(default_factory=Work)

    def add(self, other: "Counts", *, struck: Set[TicketId] = frozenset()) -> None:
        """Add the counts of another day; grades of the visits in `struck` do not count."""
        self.visits.add(other.visits, struck=struck)
        self.work.add(other.work, struck=struck)


class DayCounting:
    """One pass over the events of a day that stand."""

    def __init__(self, plan: HallPlan, day: str) -> None:
        """Begin a business day (ISO date) with nothing counted."""
        self._visits, self._work = VisitCounting(plan, day), Counting(plan, day)

    def take(self, event: e.Event, at_ms: int) -> None:
        """Count one event."""
        self._visits.take(event, at_ms)
        self._work.take(event, at_ms)

    def total(self, now_ms: int) -> Counts:
        """Give the counts; what is still open counts until `now_ms`. Ends the counting."""
        return Counts(visits=self._visits.visits, work=self._work.total(now_ms))


def counts_of_day(plan: HallPlan, day: str, events: Iterable[tuple[int, e.Event]], *, now_ms: int) -> Counts:
    """Give the counts of a business day from its (at_ms, event) pairs; what is still open counts until `now_ms`."""
    counting = DayCounting(plan, day)
    for at_ms, event in standing(events):
        counting.take(event, at_ms)
    return counting.total(now_ms)


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
    counts = Counts()
    counts.add(counts_of_day(plan, day, events, now_ms=now_ms), struck=struck)
    return DayReport(
        day=day,
        hall=figures(counts.visits.total(), with_legs=False),
        zones=zone_figures(plan, counts.visits),
        services=service_figures(plan, counts.visits),
        windows=window_figures(plan, counts.work),
        clerks={clerk: duty_figures(*done) for clerk, done in by_clerk(counts.work).items()},
    )


def zone_figures(plan: HallPlan, visits: Visits) -> dict[ZoneId, Figures]:
    """Give the figures of every zone with a queue, also of those where nothing happened."""
    zones: dict[ZoneId, Tally] = {zone.id: Tally() for zone in plan.queues}
    found = by_place(visits, lambda _, zone: zone)
    zones |= {zone: tally for zone, tally in found.items() if zone is not None}
    return {zone: figures(tally) for zone, tally in zones.items()}


def service_figures(plan: HallPlan, visits: Visits) -> dict[ServiceId, Figures]:
    """Give the figures of every service, also of those that nobody came for."""
    services = {service.id: Tally() for service in plan.services} | by_place(visits, lambda service, _: service)
    return {service: figures(tally) for service, tally in services.items()}


def window_figures(plan: HallPlan, work: Work) -> dict[WindowNo, WindowFigures]:
    """Give the figures of every window, also of those where nobody worked."""
    windows = {window.no: (Duty(), Done()) for window in plan.windows} | by_window(work)
    serving_ms = sum(done.serving_ms for _, done in windows.values())
    signed_on_ms = sum(duty.signed_on_ms for duty, _ in windows.values())
    return {no: _window_figures(*counts, serving_ms, signed_on_ms) for no, counts in windows.items()}


def answer_of(hall: HallId, report: DayReport) -> dict[str, Any]:
    """Give the report as the wire has it: {hall, business_day, total, zones: [...], services, windows, clerks}."""
    return {
        "hall": hall,
        "business_day": report.day,
        "total": asdict(report.hall),
        "zones": rows("zone", report.zones),
        "services": rows("service", report.services),
        "windows": rows("window", report.windows),
        "clerks": [{**row, "clerk": row["clerk"] or ""} for row in rows("clerk", report.clerks)],
    }


def rows(name: str, of: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Give figures by key as rows: [{name: key, ...figures}]; an empty key is None."""
    return [{name: None if key == "" else key, **asdict(row)} for key, row in of.items()]


def _window_figures(duty: Duty, done: Done, serving_ms: int, signed_on_ms: int) -> WindowFigures:
    work, hours = rate(done.serving_ms, serving_ms), rate(duty.signed_on_ms, signed_on_ms)
    load = round(work / hours, 4) if work is not None and hours else None
    return WindowFigures(**fields_of(duty_figures(duty, done)), load=load)
