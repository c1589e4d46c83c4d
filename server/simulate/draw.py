"""Draws days out of a description: the same seed, the same visitors, whatever is tried with them.

Load is offered work over the minutes windows are open, so 0.9 means more than 1 in the rush. A zone gets its part by
the minutes its own windows are open and by its heat; a service its part of the zone's visitors. The people of a hall
(who is quick, what a visit truly takes) are drawn once for a seed and stay the same from day to day.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from server.domain.terms import APPOINTMENT, ORDINARY, HallPlan, PriorityId, ServiceId, WindowNo, ZoneId
from server.simulate.described import Described
from server.simulate.shifts import minutes, open_spans, rota
from server.simulate.visits import DAY, MIN, QUARTER, Day, Ends, Spans, Stay, Visit

EARLY_MIN, EARLY_SIGMA_MIN = 6.0, 6.0  # who has booked a time comes a little before it
HELPER_SHARE = 0.25  # of a window's time, where nobody's own work a zone is
USUAL_LOAD = 0.9  # of services whose visitors are not stated, beside others whose are


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What nobody typed in: the true minutes of a visit by service, and how slow the clerk of a window is."""

    minutes: Mapping[ServiceId, float]
    variation: Mapping[ServiceId, float]
    slowness: Mapping[WindowNo, float]


def people_of(plan: HallPlan, described: Described, seed: int) -> People:
    """Draw the people of a hall."""
    chance = Random(f"people {plan.hall} {seed}")  # noqa: S311  # visitors are no secret
    true = {it.id: it.minutes_typical / _around_one(chance, described.minutes_wrong) for it in plan.services}
    return People(
        minutes=true | dict(described.minutes),
        variation={it.id: described.variations.get(it.id, described.variation) for it in plan.services},
        slowness={it.no: _around_one(chance, described.speed_spread) for it in plan.windows},
    )


def draw(plan: HallPlan, described: Described, people: People, day: date, *, seed: int, number: int) -> Day:
    """Draw the day `number`, which is the calendar day `day`."""
    chance = Random(f"day {plan.hall} {seed} {number}")  # noqa: S311  # visitors are no secret
    hours: Spans = ((described.opens_ms, described.closes_ms),)
    shifts = rota(plan, day, lunch=described.lunch, without_hours=hours)
    spans = {it.id: _arrival_spans(open_spans(plan, it.id, day, hours), described) for it in plan.services}
    expected = _expected(plan, described, people, shifts, spans)
    gamma = 1.0 / described.quarter_noise**2 if described.quarter_noise else 0.0
    visits: list[Visit] = []
    for zone in plan.queues:
        shock = _around_one(chance, described.zone_noise)
        services = [it.id for it in plan.services if it.zone == zone.id and expected[it.id] > 0]
        busy = {service: _quarters(spans[service], described) for service in services}
        for quarter in range(0, DAY, QUARTER):
            noise = shock * (chance.gammavariate(gamma, 1.0 / gamma) if gamma else 1.0)
            for service in services:
                mean = expected[service] * busy[service].get(quarter, 0.0) * noise
                visits += [
                    _visit(chance, plan, described, people, service, spans[service], quarter, expected)
                    for _ in range(_poisson(chance, mean))
                ]
    return Day(
        day=day.isoformat(),
        visits=tuple(sorted(visits, key=lambda it: it.at_ms)),
        shifts=shifts,
        slowness=people.slowness,
        away_factor=1.0 + described.away_slower,
        change_ms=round(described.change_min * MIN),
        stays_ms=round(described.stays_min * MIN),
    )


def load_of(plan: HallPlan, day: Day) -> float:
    """Give the offered work of a day over the minutes its windows are open; 0 without windows."""
    work = sum(stay.work_ms for visit in day.visits for stay in visit.stays) / MIN
    open_min = sum(minutes(spans) for no, spans in day.shifts.items() if no in plan.window)
    return work / open_min if open_min else 0.0


def zone_minutes(plan: HallPlan, shifts: Mapping[WindowNo, Spans]) -> dict[ZoneId, float]:
    """Give the minutes that windows are open for each zone; who serves several zones divides them."""
    found = {zone.id: 0.0 for zone in plan.queues}
    helped = dict(found)
    for no, spans in shifts.items():
        window = plan.window[no]
        for kept, services, share in ((found, window.serves, 1.0), (helped, window.relief, HELPER_SHARE)):
            zones = {plan.service[service].zone for service in services}
            for zone in zones & found.keys():
                kept[zone] += minutes(spans) * share / len(zones)
    return {zone: found[zone] or helped[zone] for zone in found}


def _expected(
    plan: HallPlan,
    described: Described,
    people: People,
    shifts: Mapping[WindowNo, Spans],
    spans: Mapping[ServiceId, Spans],
) -> dict[ServiceId, float]:
    """Give how many visitors of each service an ordinary day has."""
    open_min = zone_minutes(plan, shifts)
    heat = {zone: described.heat.get(zone, 1.0) for zone in open_min}
    warm = sum(heat[zone] * open_min[zone] for zone in heat)
    level = sum(open_min.values()) / warm if warm else 0.0
    visit_min = {it.id: _visit_min(plan, described, people, it.id) for it in plan.services}
    found: dict[ServiceId, float] = {it.id: 0.0 for it in plan.services}
    for zone in open_min:
        services = [it.id for it in plan.services if it.zone == zone and spans[it.id]]
        work = sum(visit_min[service] for service in services)
        usual = (described.load or USUAL_LOAD) * level * heat[zone] * open_min[zone] / work if work else 0.0
        for service in services:
            found[service] = described.visitors.get(service, usual)
    total = sum(found.values())
    if described.load is None or not total:
        return found
    second = described.second_service * (1 - described.no_show) * sum(
        count * people.minutes[service] for service, count in found.items()
    )  # fmt: skip
    offered = sum(count * visit_min[service] for service, count in found.items()) + second
    scale = described.load * sum(open_min.values()) / offered
    return {service: count * scale for service, count in found.items()}


def _visit_min(plan: HallPlan, described: Described, people: People, service: ServiceId) -> float:
    """Give the minutes at windows that one visitor brings, with all legs of a joint matter."""
    legs = [service, *(leg for leg in plan.service[service].legs if leg != service)]
    work = sum(people.minutes[leg] for leg in legs)
    return (1.0 - described.no_show) * work + described.no_show * described.no_show_min


def _visit(
    chance: Random,
    plan: HallPlan,
    described: Described,
    people: People,
    service: ServiceId,
    spans: Spans,
    quarter: int,
    expected: Mapping[ServiceId, float],
) -> Visit:
    first, last = next((opens, closes) for opens, closes in spans if opens < quarter + QUARTER and quarter < closes)
    from_ms, until_ms = max(first, quarter), min(last, quarter + QUARTER)
    at_ms = from_ms + int((until_ms - from_ms) * chance.random())
    if chance.random() < described.at_the_door:
        at_ms = spans[0][0]
    kind, slot, priority = chance.random(), None, ORDINARY
    ahead = [rule.id for rule in plan.priorities if rule.id != APPOINTMENT]
    if kind < described.priority and ahead:
        priority = _one_of(chance, ahead)
    elif described.priority <= kind < described.priority + described.appointment:
        slot, at_ms = _booked(chance, plan, service, first, last, at_ms)
        priority = APPOINTMENT if slot is not None else ORDINARY
    legs = [service, *(leg for leg in plan.service[service].legs if leg != service)]
    second = chance.random() < described.second_service
    others = [id_ for id_, count in expected.items() if count > 0 and id_ != service]
    if second and others and len(legs) == 1:
        legs.append(chance.choices(others, [expected[id_] for id_ in others])[0])
    works = [_work_ms(chance, people, leg) for leg in legs]
    if chance.random() < described.no_show:
        lost = Stay(service=service, work_ms=round(described.no_show_min * MIN), ends=Ends.NO_SHOW)
        return Visit(at_ms=at_ms, stays=(lost,), priority=priority, slot=slot)
    stays = tuple(Stay(service=leg, work_ms=work_ms) for leg, work_ms in zip(legs, works, strict=True))
    return Visit(at_ms=at_ms, stays=stays, priority=priority, slot=slot)


def _booked(
    chance: Random, plan: HallPlan, service: ServiceId, opens: int, closes: int, at_ms: int
) -> tuple[tuple[int, int] | None, int]:
    """Give the slot that somebody booked who would come at a time, and when he comes; no slot when none is bookable."""
    slot_ms = plan.bookings.slot_min * MIN
    starts = opens + (at_ms - opens) // slot_ms * slot_ms
    if plan.service[service].appointments is None or starts + slot_ms > closes:
        return None, at_ms
    early = round(chance.gauss(EARLY_MIN, EARLY_SIGMA_MIN) * MIN)
    first_ms = max(opens, starts - plan.bookings.early_min * MIN)
    return (starts, starts + slot_ms), min(closes - 1, max(first_ms, starts - early))


def _arrival_spans(spans: Spans, described: Described) -> Spans:
    """Give when people come: while a service is open, but not in the last minutes of its day."""
    if not spans:
        return ()
    ends = spans[-1][1] - round(described.numbers_end_min * MIN)
    return tuple((opens, min(closes, ends)) for opens, closes in spans if opens < ends)


def _quarters(spans: Spans, described: Described) -> dict[int, float]:
    """Give the part of a day's visitors that comes in each quarter of an hour (its begin, ms)."""
    found: dict[int, float] = {}
    for quarter in range(0, DAY, QUARTER):
        open_ms = sum(max(0, min(closes, quarter + QUARTER) - max(opens, quarter)) for opens, closes in spans)
        if open_ms:
            found[quarter] = open_ms * next(busy for from_ms, busy in reversed(described.busy) if from_ms <= quarter)
    total = sum(found.values())
    return {quarter: weight / total for quarter, weight in found.items()} if total else {}


def _one_of(chance: Random, ids: list[PriorityId]) -> PriorityId:
    return ids[int(chance.random() * len(ids))]


def _work_ms(chance: Random, people: People, service: ServiceId) -> int:
    variance = math.log(1.0 + people.variation[service] ** 2)
    mean = math.log(people.minutes[service] * MIN) - variance / 2
    return max(1000, round(chance.lognormvariate(mean, math.sqrt(variance))))


def _around_one(chance: Random, sigma: float) -> float:
    return chance.lognormvariate(-(sigma**2) / 2, sigma)


def _poisson(chance: Random, mean: float) -> int:
    count, left = 0, mean - chance.expovariate(1.0)
    while left > 0:
        count, left = count + 1, left - chance.expovariate(1.0)
    return count
