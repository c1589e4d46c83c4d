"""Who would wait how long, at a glance: work flows like water through the quarters of a day.

Arriving work fills a zone, windows drain it: their own zone first, what is left of their time where most waits. It
knows nothing of chance, so it says too little where windows are only just enough; it chooses what is worth playing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.terms import HallPlan, WindowNo, ZoneId
from server.simulate.visits import DAY, MIN, QUARTER, Day, Ends

EFFICIENCY = 0.95  # of a window's time; chance takes the rest
AWAY = 0.9  # of the work a window does in another zone's service
PARTS = 3  # in which a window's quarter of an hour is given away
LATER_MS = 30 * MIN  # about when a visitor joins the next wait

Skills = Mapping[WindowNo, frozenset[ZoneId]]
"""The zones each window may serve, its own among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A day as water: minutes of work that arrive by quarter of an hour and zone, minutes each window is there."""

    work: tuple[Mapping[ZoneId, float], ...]
    there: Mapping[WindowNo, tuple[float, ...]]
    visit_min: Mapping[ZoneId, float]


def flow_of(plan: HallPlan, day: Day) -> Flow:
    """Give a day as water."""
    quarters = DAY // QUARTER
    work: list[dict[ZoneId, float]] = [{} for _ in range(quarters)]
    total: dict[ZoneId, float] = {}
    count: dict[ZoneId, int] = {}
    for visit in day.visits:
        at_ms = visit.at_ms
        for stay in visit.stays:
            zone, minutes = plan.service[stay.service].zone, stay.work_ms / MIN
            into = work[min(quarters - 1, max(0, at_ms // QUARTER))]
            into[zone] = into.get(zone, 0.0) + minutes
            if stay.ends not in (Ends.NO_SHOW, Ends.MISSED):
                total[zone], count[zone] = total.get(zone, 0.0) + minutes, count.get(zone, 0) + 1
            at_ms += LATER_MS + stay.pause_ms
    there = {
        no: tuple(
            sum(max(0, min(until, quarter + QUARTER) - max(from_, quarter)) for from_, until in spans)
            / MIN
            / day.slowness.get(no, 1.0)
            * EFFICIENCY
            for quarter in range(0, DAY, QUARTER)
        )
        for no, spans in day.shifts.items()
        if no in plan.window
    }
    return Flow(work=tuple(work), there=there, visit_min={zone: total[zone] / count[zone] for zone in total})


def person_minutes(plan: HallPlan, flows: Sequence[Flow], skills: Skills) -> float:
    """Give the minutes that everybody together would wait on these days."""
    return sum(by_zone(plan, flows, skills).values())


def by_zone(plan: HallPlan, flows: Sequence[Flow], skills: Skills) -> dict[ZoneId, float]:
    """Give the minutes that the visitors of each zone together would wait on these days."""
    home = {no: plan.window[no].zone for no in skills}
    found: dict[ZoneId, float] = {}
    for flow in flows:
        for zone, waited in _of_day(flow, home, skills).items():
            found[zone] = found.get(zone, 0.0) + waited
    return found


def _of_day(flow: Flow, home: Mapping[WindowNo, ZoneId], skills: Skills) -> dict[ZoneId, float]:
    groups: dict[tuple[ZoneId, frozenset[ZoneId]], list[float]] = {}
    for no, there in flow.there.items():
        kept = groups.setdefault((home[no], skills[no]), [0.0] * len(there))
        for quarter, minutes in enumerate(there):
            kept[quarter] += minutes
    order = sorted(groups.items(), key=lambda it: (len(it[0][1]), it[0][0], sorted(it[0][1])))  # who can least, first
    own = {zone: [0.0] * (DAY // QUARTER) for zone in flow.visit_min}
    for (zone, _), minutes_there in order:
        if zone in own:
            own[zone] = [a + b for a, b in zip(own[zone], minutes_there, strict=True)]
    backlog: dict[ZoneId, float] = {}
    waited: dict[ZoneId, float] = {}
    for quarter, work in enumerate(flow.work):
        if work:
            for zone, minutes in work.items():
                backlog[zone] = backlog.get(zone, 0.0) + minutes
        if not backlog:
            continue
        _drain(backlog, order, own, quarter)
        for zone in [zone for zone, minutes in backlog.items() if minutes < 1e-6]:
            del backlog[zone]
        for zone, minutes in backlog.items():
            waited[zone] = waited.get(zone, 0.0) + minutes / flow.visit_min.get(zone, 10.0) * QUARTER / MIN
    return waited


def _drain(
    backlog: dict[ZoneId, float],
    order: Sequence[tuple[tuple[ZoneId, frozenset[ZoneId]], Sequence[float]]],
    own: Mapping[ZoneId, Sequence[float]],
    quarter: int,
) -> None:
    """Let the windows work for a quarter of an hour, each part of it where clearing takes longest."""
    for _ in range(PARTS):
        for (home, zones), there in order:
            left = there[quarter] / PARTS
            while left > 1e-6:
                waiting = [zone for zone in zones if backlog.get(zone, 0.0) > 1e-6]
                if not waiting:
                    break
                zone = max(
                    waiting,
                    key=lambda it: (backlog[it] / (own.get(it, there)[quarter] or 1.0) + 0.3 * (it == home), it),
                )
                speed = 1.0 if zone == home else AWAY
                done = min(backlog[zone], left * speed)
                backlog[zone] -= done
                left -= done / speed
