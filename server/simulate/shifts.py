"""Who sits where on a day, out of the hall file: staffed windows in the hours of what they serve, lunch in turns."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from server.domain import calendar
from server.domain.terms import HallPlan, ServiceId, Window, WindowNo, ZoneId
from server.simulate.visits import DAY, Spans


def open_spans(plan: HallPlan, service: ServiceId, day: date, without_hours: Spans) -> Spans:
    """Give when a service is open on a calendar day as the hall announces it; `without_hours` where nothing says so."""
    zone = plan.zone[plan.service[service].zone]
    spans = tuple(
        (max(0, opens - calendar.midnight_ms(plan, day)), min(DAY, closes - calendar.midnight_ms(plan, day)))
        for opens, closes in calendar.office_spans(plan, service, day)
    )
    return without_hours if spans and (zone.always_open or spans == ((0, DAY),)) else spans


def rota(plan: HallPlan, day: date, *, lunch: Sequence[int], without_hours: Spans) -> dict[WindowNo, Spans]:
    """Give when each window is manned. Windows that are not staffed have no part in it.

    `lunch`: clock times (ms); where the hours go through it, half of a zone's windows leave between the first two and
    the others between the next two; the only window of a zone does not leave.
    """
    staffed = [window for window in plan.windows if window.staffed and (window.serves or window.relief)]
    found: dict[WindowNo, Spans] = {}
    places: dict[ZoneId, int] = {}
    alone = {zone: sum(it.zone == zone for it in staffed) == 1 for zone in plan.zone}
    for window in staffed:
        spans = _hours(plan, window, day, without_hours)
        if not spans:
            continue
        place = places.get(window.zone, 0)
        places[window.zone] = place + 1
        turns = list(pairwise(lunch))
        if turns and not alone[window.zone]:
            spans = without(spans, *turns[place % len(turns)])
        found[window.no] = spans
    return found


def without(spans: Spans, from_ms: int, until_ms: int) -> Spans:
    """Take a time out of the middle of spans. A span that begins or ends in it stays: those are breaks already."""
    found: list[tuple[int, int]] = []
    for opens, closes in spans:
        if opens < from_ms and until_ms < closes:
            found += [(opens, from_ms), (until_ms, closes)]
        else:
            found.append((opens, closes))
    return tuple(found)


def cut(spans: Spans, from_ms: int, until_ms: int) -> Spans:
    """Take a time out of spans, wherever it lies."""
    parts = [
        part for opens, closes in spans for part in ((opens, min(closes, from_ms)), (max(opens, until_ms), closes))
    ]
    return tuple(part for part in parts if part[0] < part[1])


def joined(spans: Spans) -> Spans:
    """Give spans in order, with those that touch as one."""
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        elif opens < closes:
            found.append((opens, closes))
    return tuple(found)


def minutes(spans: Spans) -> float:
    """Give how long spans are together, in minutes."""
    return sum(closes - opens for opens, closes in spans) / 60_000


def open_days(plan: HallPlan, first: date, count: int) -> list[date]:
    """Give the first `count` days from a day on, on which anything that visitors queue for is open."""
    queues = {zone.id for zone in plan.queues if not zone.always_open}
    services = [it.id for it in plan.services if it.zone in queues] or [it.id for it in plan.services]
    found: list[date] = []
    day = first
    for _ in range(calendar.HORIZON_DAYS):
        if len(found) == count:
            break
        if any(calendar.office_spans(plan, service, day) for service in services):
            found.append(day)
        day = date.fromordinal(day.toordinal() + 1)
    return found


def _hours(plan: HallPlan, window: Window, day: date, without_hours: Spans) -> Spans:
    """Give when anything of a window's own work is open; of one that only helps, what it helps with."""
    services = window.serves or window.relief
    return joined(tuple(span for service in services for span in open_spans(plan, service, day, without_hours)))
