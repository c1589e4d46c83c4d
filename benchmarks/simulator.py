"""A hall-day as discrete events, to judge who is next: arrivals, windows, clerks, lunch; the rules are an `Engine`.

A day is drawn completely before it is played (when everybody comes, how much work each one is, who does not show up),
so that every policy meets the very same visitors: common random numbers. The engine is driven by its public calls
alone; whoever waits for a window is asked for whenever one is idle and somebody it may serve waits.

The model, all of it assumed, for measured halls are rare: 08:30-17:30, numbers until 17:00, a rush in the morning and
a smaller one at 14:30, noise by the quarter of an hour (gamma) and by zone and day (log-normal), 2 % at the door when
it opens; log-normal work, clerks of different speed, typed-in minutes that are wrong by 15 %; 8 % do not show up (a
minute lost), 10 % green channel, 8 % appointments, 6 % go on to a second service; a window is slower at another zone's
work and loses half a minute at each change of zone; lunch in two shifts, zones of one window stay open. Load is offered
work over the minutes the windows are open: 0.9 means about 1.15 in the rush.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Protocol

from benchmarks.engine import Spec, Suggestion, WindowSpec

OPENS, LAST_TICKET, CLOSES = 510.0, 1020.0, 1050.0  # minutes since midnight
LUNCH = ((720.0, 780.0), (780.0, 840.0))
OVERTIME_MIN = 360.0  # after that whoever still waits is left over
QUARTER_MIN = 15.0
SHAPE = ((630.0, 1.45), (720.0, 1.0), (840.0, 0.7), (870.0, 1.0), (960.0, 1.3), (1020.0, 0.9))  # until when, how busy
QUARTER_CV, ZONE_SIGMA, CLERK_SIGMA, TYPED_SIGMA = 0.2, 0.15, 0.15, 0.15
AT_THE_DOOR, NO_SHOW, GREEN, APPOINTED, SECOND_LEG = 0.02, 0.08, 0.10, 0.08, 0.06
SLOT_MIN, SLOT_EARLY_MIN, SLOT_SIGMA_MIN = 30.0, 6.0, 6.0  # who has an appointment comes a little early
LEG_AGE_MAX_MIN = 30.0
ADVICE_EVERY_MIN, ADVICE_LATE_MIN, ADVICE_AT_ONCE = 5, 5, 4
COLD_AFTER_MIN = 10.0  # a window is cold that is idle while somebody has waited so long
SAME_TIME_MIN = 1e-4  # an engine may keep whole milliseconds


class Engine(Protocol):
    """What is driven: see `benchmarks.engine.DomainEngine`."""

    def issue(self, service: str, priority: int, t: float, slot: float | None = None) -> str:
        """Give a number."""

    def call_next(self, window: str, t: float) -> str | None:
        """Give who is called now, if anybody."""

    def finish(self, window: str, t: float) -> None:
        """The visitor at the window is done."""

    def no_show(self, window: str, t: float) -> None:
        """The called visitor did not come."""

    def transfer(self, window: str, service: str, t: float) -> str:
        """The visitor goes on to another service."""

    def open_window(self, window: str, t: float) -> None:
        """A clerk is there."""

    def close_window(self, window: str, t: float) -> None:
        """The clerk leaves."""

    def set_skills(self, window: str, zones: Sequence[str], t: float) -> None:
        """A manager says which zones the window serves."""

    def eta(self, ticket: str, t: float) -> tuple[float, float, float]:
        """Give expected wait, low and high."""

    def suggest(self, t: float) -> list[Suggestion]:
        """Give which skills to switch."""

    def tick(self, t: float) -> None:
        """A minute has passed."""


# ------------------------------------------------------------------------------------------------------------- halls


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A service as it truly is: mean minutes at the window, their variation, its share of the zone's visitors."""

    id: str
    minutes: float
    cv: float
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A zone: so many windows; `heat` is its load over the hall's."""

    zone: str
    windows: int
    heat: float
    services: tuple[Work, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The zones of a hall."""

    name: str
    areas: tuple[Area, ...]

    def homes(self) -> dict[str, str]:
        """Give {window: zone}, windows numbered from 1."""
        zones = [area.zone for area in self.areas for _ in range(area.windows)]
        return {str(number): zone for number, zone in enumerate(zones, 1)}


QIAOCHENG = Layout(
    name="qiaocheng",
    areas=(
        Area(
            zone="general",
            windows=6,
            heat=1.1,
            services=(Work(id="general", minutes=10, cv=0.6), Work(id="online", minutes=14, cv=0.7, share=0.4)),
        ),
        Area(zone="construction", windows=4, heat=0.78, services=(Work(id="construction", minutes=20, cv=0.7),)),
        Area(zone="household", windows=6, heat=1.13, services=(Work(id="household", minutes=11, cv=0.5),)),
        Area(
            zone="business",
            windows=10,
            heat=0.93,
            services=(Work(id="opening", minutes=18, cv=0.6), Work(id="licence", minutes=12, cv=0.6)),
        ),
        Area(zone="culture", windows=1, heat=0.75, services=(Work(id="culture", minutes=12, cv=0.5),)),
        Area(zone="legal-aid", windows=1, heat=0.85, services=(Work(id="legal-aid", minutes=20, cv=0.7),)),
        Area(zone="farm-machinery", windows=1, heat=0.7, services=(Work(id="farm-machinery", minutes=12, cv=0.5),)),
    ),
)
ZHENYUAN = Layout(
    name="zhenyuan",
    areas=(
        Area(
            zone="general",
            windows=7,
            heat=1.1,
            services=(Work(id="general", minutes=11, cv=0.6), Work(id="one-thing", minutes=18, cv=0.7, share=0.3)),
        ),
        Area(zone="tax", windows=3, heat=1.12, services=(Work(id="tax", minutes=9, cv=0.6),)),
        Area(zone="social", windows=3, heat=1.15, services=(Work(id="social", minutes=11, cv=0.5),)),
        Area(zone="medical", windows=3, heat=1.1, services=(Work(id="medical", minutes=9, cv=0.5),)),
        Area(zone="police", windows=3, heat=0.95, services=(Work(id="police", minutes=12, cv=0.6),)),
        Area(zone="construction", windows=2, heat=0.7, services=(Work(id="construction", minutes=20, cv=0.7),)),
        Area(zone="real-estate", windows=3, heat=0.95, services=(Work(id="real-estate", minutes=17, cv=0.6),)),
        Area(zone="fund", windows=1, heat=0.85, services=(Work(id="fund", minutes=12, cv=0.5),)),
        Area(zone="enterprise", windows=2, heat=0.75, services=(Work(id="enterprise", minutes=16, cv=0.6),)),
        Area(zone="health", windows=1, heat=0.7, services=(Work(id="health", minutes=12, cv=0.5),)),
        Area(zone="forestry", windows=1, heat=0.6, services=(Work(id="forestry", minutes=14, cv=0.5),)),
        Area(zone="transport", windows=1, heat=0.75, services=(Work(id="transport", minutes=10, cv=0.5),)),
    ),
)
LAYOUTS = {layout.name: layout for layout in (QIAOCHENG, ZHENYUAN)}
SKILLS = ("S25", "S25n", "S100")
"""S25: a quarter of the windows also serve three more zones, where donors are idle and the need is greatest. S25n: as
many, spread by habit (every fourth window, the three zones beside it). S100: every window three more zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """A layout with its people: zones by window now and by training, typed-in minutes, clerks (work takes x longer)."""

    layout: Layout
    home: Mapping[str, str]
    serves: Mapping[str, tuple[str, ...]]
    could_serve: Mapping[str, tuple[str, ...]]
    typed: Mapping[str, float]
    slowness: Mapping[str, float]

    def spec(self) -> Spec:
        """Give what an engine is told of the hall."""
        windows: dict[str, WindowSpec] = {
            no: {"home": home, "serves": list(self.serves[no]), "could_serve": list(self.could_serve[no])}
            for no, home in self.home.items()
        }
        return {
            "zones": [area.zone for area in self.layout.areas],
            "services": {
                work.id: {"zone": area.zone, "minutes_typical": self.typed[work.id], "target_wait_min": 20.0}
                for area in self.layout.areas
                for work in area.services
            },
            "windows": windows,
        }


def staff(layout: Layout, *, skills: str = "S25", seed: int = 0) -> Hall:
    """Give a hall with trained people. A further quarter of the windows is trained but switched off (latent).

    Raises:
        ValueError: no such skills.
    """
    if skills not in SKILLS:
        raise ValueError(f"unknown skills {skills!r}: say one of {', '.join(SKILLS)}")
    chance = Random(f"staff {layout.name} {seed}")
    home = layout.homes()
    quarter = max(1, round(len(home) / 4))
    match skills:
        case "S100":
            more = dict(_placed(layout, len(home)))
            now = set(more)
        case "S25n":
            zones = [area.zone for area in layout.areas]
            by_habit = [*list(home)[::4], *list(home)[2::4]]
            more = {no: _beside(zones, home[no]) for no in by_habit[: 2 * quarter]}
            now = set(by_habit[:quarter])
        case _:
            placed = list(_placed(layout, 2 * quarter))
            more, now = dict(placed), {no for no, _ in placed[:quarter]}
    return Hall(
        layout=layout,
        home=home,
        serves={no: (zone, *(more[no] if no in now else ())) for no, zone in home.items()},
        could_serve={no: (zone, *more.get(no, ())) for no, zone in home.items()},
        typed={
            work.id: work.minutes * chance.lognormvariate(0.0, TYPED_SIGMA)
            for area in layout.areas
            for work in area.services
        },
        slowness={no: _around_one(chance, CLERK_SIGMA) for no in home},
    )


def pooled(hall: Hall) -> Hall:
    """Give the bound: everybody serves everything. Play it with `NO_COSTS` and the oldest-waiting rule."""
    zones = tuple(area.zone for area in hall.layout.areas)
    return Hall(
        layout=hall.layout,
        home=hall.home,
        serves=dict.fromkeys(hall.home, zones),
        could_serve=dict.fromkeys(hall.home, zones),
        typed=hall.typed,
        slowness=hall.slowness,
    )


def _placed(layout: Layout, count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give (window, three zones), the best placed first: from where there is most spare to where most is missing."""
    spare = {area.zone: area.windows * (1.0 - area.heat) for area in layout.areas}
    free: dict[str, list[str]] = {area.zone: [] for area in layout.areas}
    for no, zone in layout.homes().items():
        free[zone].append(no)
    for _ in range(count):
        donor = max((zone for zone in free if free[zone]), key=lambda zone: (spare[zone], zone))
        wanting = sorted((zone for zone in spare if zone != donor), key=lambda zone: (spare[zone], zone))[:3]
        spare[donor] -= 0.3  # about the time a window gives away
        for zone in wanting:
            spare[zone] += 0.1
        yield free[donor].pop(0), tuple(wanting)


def _beside(zones: list[str], home: str) -> tuple[str, ...]:
    place = zones.index(home)
    return tuple(zones[(place + step) % len(zones)] for step in (1, 2, 3))


# -------------------------------------------------------------------------------------------------------------- days


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who comes: `minutes` of work at an ordinary clerk; then, perhaps, a second service."""

    at: float
    service: str
    minutes: float
    priority: int = 0  # 0 ordinary, 1 green channel, 2 appointment
    slot: float | None = None
    shows: bool = True
    then: tuple[str, float] | None = None  # service and minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A drawn day: who comes, in order, and when somebody is at each window [(from, until)]."""

    visits: tuple[Visit, ...]
    shifts: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What it costs to leave the own zone, and to wait for somebody who does not come."""

    away_factor: float = 1.1
    change_min: float = 0.5
    no_show_min: float = 1.0


COSTS = Costs()
NO_COSTS = Costs(away_factor=1.0, change_min=0.0)


def draw(hall: Hall, *, load: float, seed: int, number: int) -> Day:
    """Draw day `number`: the same for every policy and every choice of skills."""
    layout = hall.layout
    chance = Random(f"day {layout.name} {load} {seed} {number}")
    shifts = _shifts(layout)
    open_min = {area.zone: 0.0 for area in layout.areas}
    for no, spans in shifts.items():
        open_min[hall.home[no]] += sum(until - from_ for from_, until in spans)
    level = sum(open_min.values()) / sum(area.heat * open_min[area.zone] for area in layout.areas)
    expected: dict[str, float] = {}  # visitors of a service on an ordinary day
    works = {work.id: work for area in layout.areas for work in area.services}
    for area in layout.areas:
        shares = sum(work.share for work in area.services)
        mean = sum(work.share / shares * work.minutes for work in area.services)
        visit_min = (1.0 - NO_SHOW) * mean + NO_SHOW * COSTS.no_show_min
        visitors = load * level * area.heat * open_min[area.zone] / visit_min / (1.0 + SECOND_LEG)
        expected |= {work.id: visitors * work.share / shares for work in area.services}
    quarters = [OPENS + QUARTER_MIN * place for place in range(round((LAST_TICKET - OPENS) / QUARTER_MIN))]
    busy = [next(weight for until, weight in SHAPE if quarter < until) for quarter in quarters]
    gamma = 1.0 / QUARTER_CV**2
    visits: list[Visit] = []
    for area in layout.areas:
        shock = _around_one(chance, ZONE_SIGMA)
        for quarter, weight in zip(quarters, busy, strict=True):
            noise = shock * chance.gammavariate(gamma, 1.0 / gamma)
            for work in area.services:
                mean = expected[work.id] * weight / sum(busy) * noise
                visits += [_visit(chance, work, quarter, expected, works) for _ in range(_poisson(chance, mean))]
    return Day(visits=tuple(sorted(visits, key=lambda it: it.at)), shifts=shifts)


def _visit(chance: Random, work: Work, quarter: float, expected: dict[str, float], works: dict[str, Work]) -> Visit:
    at = OPENS if chance.random() < AT_THE_DOOR else quarter + QUARTER_MIN * chance.random()
    kind, slot, priority = chance.random(), None, 0
    if kind < GREEN:
        priority = 1
    elif kind < GREEN + APPOINTED:
        priority, slot = 2, SLOT_MIN * math.ceil(at / SLOT_MIN)
        at = min(LAST_TICKET, max(OPENS, slot + chance.gauss(-SLOT_EARLY_MIN, SLOT_SIGMA_MIN)))
    then = None
    if chance.random() < SECOND_LEG:
        others = [id_ for id_ in expected if id_ != work.id]
        next_ = chance.choices(others, [expected[id_] for id_ in others])[0]
        then = (next_, _minutes(chance, works[next_]))
    minutes = _minutes(chance, work)
    shows = chance.random() >= NO_SHOW
    return Visit(at=at, service=work.id, minutes=minutes, priority=priority, slot=slot, shows=shows, then=then)


def _shifts(layout: Layout) -> dict[str, tuple[tuple[float, float], ...]]:
    """Give the rota: half of each zone at lunch at a time (A and B), the only window of a zone not at all."""
    shifts: dict[str, tuple[tuple[float, float], ...]] = {}
    for area in layout.areas:
        for place in range(area.windows):
            from_, until = LUNCH[place % 2]
            whole = ((OPENS, CLOSES),)
            shifts[str(len(shifts) + 1)] = whole if area.windows == 1 else ((OPENS, from_), (until, CLOSES))
    return shifts


def _minutes(chance: Random, work: Work) -> float:
    variance = math.log(1.0 + work.cv**2)
    return chance.lognormvariate(math.log(work.minutes) - variance / 2, math.sqrt(variance))


def _around_one(chance: Random, sigma: float) -> float:
    return chance.lognormvariate(-(sigma**2) / 2, sigma)


def _poisson(chance: Random, mean: float) -> int:
    count, left = 0, mean - chance.expovariate(1.0)
    while left > 0:
        count, left = count + 1, left - chance.expovariate(1.0)
    return count


# -------------------------------------------------------------------------------------------------------------- play


@dataclass(slots=True, kw_only=True)
class Leg:
    """One wait: since `joined` (minutes) for a service; what was foretold, when and where it was called."""

    ticket: str
    visit: Visit
    service: str
    zone: str
    joined: float
    second: bool
    counts_from: float  # the arrival that counts for the order
    foretold: tuple[float, float, float] | None = None
    called: float | None = None
    window: str | None = None

    @property
    def waited(self) -> float:
        """Give the minutes until the call; of who is left over, what is known."""
        return (self.called if self.called is not None else CLOSES + OVERTIME_MIN) - self.joined


@dataclass(slots=True, kw_only=True)
class Desk:
    """A window as the driver sees it."""

    zones: tuple[str, ...]
    is_open: bool = False
    leaving: bool = False
    leg: Leg | None = None
    last_zone: str | None = None
    idle_since: float = 0.0
    opened: float = 0.0
    open_min: float = 0.0
    busy_min: float = 0.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a day. `legs` in the order of joining; `calls` is the transcript [(minute, window, ticket)]."""

    legs: list[Leg] = field(default_factory=list)
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    violations: int = 0  # calls past somebody of the same class of the zone who came before
    left_over: int = 0  # never called
    utilisation: dict[str, float] = field(default_factory=dict)  # busy over open time, by window
    cold_share: float = 0.0  # of the minutes: a window idle while somebody has waited for more than COLD_AFTER_MIN
    switched: int = 0  # suggestions that were applied
    waited_min: float = 0.0  # all legs together
    worst_p95: float = math.nan  # of the waits in the zone where it is worst


_FREE, _SHIFT_ENDS, _SHIFT_BEGINS, _ARRIVES, _MINUTE = range(5)  # the order of what happens at the same time


def play(engine: Engine, hall: Hall, day: Day, *, costs: Costs = COSTS, advised: bool = False) -> Outcome:
    """Play a day through an engine, until nobody waits any more. `advised`: a manager applies what is suggested."""
    run = _Run(engine, hall, day, costs, advised=advised)
    run.play()
    return run.outcome


class _Run:
    """The state of a day that is being played."""

    def __init__(self, engine: Engine, hall: Hall, day: Day, costs: Costs, *, advised: bool) -> None:
        self.engine, self.hall, self.day, self.costs, self.advised = engine, hall, day, costs, advised
        self.outcome = Outcome()
        self.zone_of = {work.id: area.zone for area in hall.layout.areas for work in area.services}
        self.desks = {no: Desk(zones=zones) for no, zones in hall.serves.items()}
        self.waiting: dict[str, dict[str, Leg]] = {zone: {} for zone in dict.fromkeys(self.zone_of.values())}
        self.events: list[tuple[float, int, int, object]] = []
        self.planned: list[tuple[float, Suggestion]] = []
        self.active: list[tuple[str, str]] = []
        self.count = 0
        self.last_shift = max(until for spans in day.shifts.values() for _, until in spans)

    def play(self) -> None:
        for visit in self.day.visits:
            self._plan(visit.at, _ARRIVES, visit)
        for no, spans in self.day.shifts.items():
            for from_, until in spans:
                self._plan(from_, _SHIFT_BEGINS, no)
                self._plan(until, _SHIFT_ENDS, no)
        first = min(from_ for spans in self.day.shifts.values() for from_, _ in spans)
        self._plan(math.floor(first) + 1.0, _MINUTE, None)
        minutes = cold = 0
        while self.events:
            t, kind, _, what = heappop(self.events)
            if kind == _ARRIVES:
                assert isinstance(what, Visit)
                self._arrive(what, t)
            elif kind == _MINUTE:
                minutes, cold = minutes + 1, cold + self._is_cold(t)
                self._minute(t)
            else:
                assert isinstance(what, str)
                self._at_desk(kind, what, t)
        outcome = self.outcome
        outcome.cold_share = cold / max(1, minutes)
        outcome.left_over = sum(map(len, self.waiting.values()))
        for no, desk in self.desks.items():
            outcome.utilisation[no] = desk.busy_min / desk.open_min if desk.open_min else 0.0
        outcome.waited_min = math.fsum(leg.waited for leg in outcome.legs)
        outcome.worst_p95 = _worst_p95(outcome.legs)

    def _plan(self, t: float, kind: int, what: object) -> None:
        self.count += 1
        heappush(self.events, (t, kind, self.count, what))

    def _at_desk(self, kind: int, no: str, t: float) -> None:
        desk = self.desks[no]
        if kind == _FREE:
            self._free(no, t)
        elif kind == _SHIFT_BEGINS:
            desk.leaving = False
            if not desk.is_open:
                self.engine.open_window(no, t)
                desk.is_open, desk.opened, desk.idle_since = True, t, t
            self._ask(no, t)
        elif t < self.last_shift and desk.leg is not None:
            desk.leaving = True
        elif t < self.last_shift:
            self._close(no, t)
        # At the end of the last shift whoever is inside is still served: `_minute` closes the windows.

    def _close(self, no: str, t: float) -> None:
        desk = self.desks[no]
        self.engine.close_window(no, t)
        desk.is_open = desk.leaving = False
        worked_until = max(desk.idle_since, self.last_shift)  # to stay for others who work longer is not idleness
        desk.open_min += min(t, worked_until) - desk.opened

    def _arrive(self, visit: Visit, t: float) -> None:
        ticket = self.engine.issue(visit.service, visit.priority, t, visit.slot)
        leg = self._join(ticket, visit, visit.service, t, second=False)
        leg.foretold = self.engine.eta(ticket, t)
        self._offer(leg.zone, t)

    def _join(self, ticket: str, visit: Visit, service: str, t: float, *, second: bool) -> Leg:
        zone = self.zone_of[service]
        leg = Leg(
            ticket=ticket,
            visit=visit,
            service=service,
            zone=zone,
            joined=t,
            second=second,
            counts_from=max(visit.at, t - LEG_AGE_MAX_MIN) if second else t,
        )
        self.waiting[zone][ticket] = leg
        self.outcome.legs.append(leg)
        return leg

    def _offer(self, zone: str, t: float) -> None:
        """Let the idle windows that may serve a zone ask, the one idle longest first, until nobody waits there."""
        idle = [no for no, it in self.desks.items() if it.is_open and it.leg is None and zone in it.zones]
        for no in sorted(idle, key=lambda no: self.desks[no].idle_since):
            if not self.waiting[zone]:
                return
            self._ask(no, t)

    def _ask(self, no: str, t: float) -> None:
        desk = self.desks[no]
        if not desk.is_open or desk.leg is not None or not any(self.waiting[zone] for zone in desk.zones):
            return
        ticket = self.engine.call_next(no, t)
        if ticket is None:
            return
        leg = next((queue[ticket] for queue in self.waiting.values() if ticket in queue), None)
        if leg is None or leg.zone not in desk.zones:
            raise AssertionError(f"{t}: window {no} called {ticket}, who does not wait there")
        self.outcome.violations += any(_is_before(it, leg) for it in self.waiting[leg.zone].values())
        del self.waiting[leg.zone][ticket]
        leg.called, leg.window, desk.leg = t, no, leg
        self.outcome.calls.append((t, no, ticket))
        minutes = self._minutes(no, leg)
        desk.busy_min += minutes
        self._plan(t + minutes, _FREE, no)

    def _minutes(self, no: str, leg: Leg) -> float:
        """Give how long the window is taken; who did not come to the first leg has no second one."""
        desk, costs = self.desks[no], self.costs
        if not leg.visit.shows:
            return costs.no_show_min
        work = leg.visit.then[1] if leg.second and leg.visit.then is not None else leg.visit.minutes
        away = costs.away_factor if leg.zone != self.hall.home[no] else 1.0
        change = costs.change_min if desk.last_zone not in (None, leg.zone) else 0.0
        desk.last_zone = leg.zone
        return work * self.hall.slowness[no] * away + change

    def _free(self, no: str, t: float) -> None:
        desk = self.desks[no]
        leg, desk.leg, desk.idle_since = desk.leg, None, t
        assert leg is not None
        joined = None
        if not leg.visit.shows:
            self.engine.no_show(no, t)
        elif leg.visit.then is not None and not leg.second:
            ticket = self.engine.transfer(no, leg.visit.then[0], t)
            joined = self._join(ticket, leg.visit, leg.visit.then[0], t, second=True)
        else:
            self.engine.finish(no, t)
        if desk.leaving:
            self._close(no, t)
        else:
            self._ask(no, t)
        if joined is not None:
            self._offer(joined.zone, t)

    def _minute(self, t: float) -> None:
        """Let time pass; after the last shift the windows stay until the hall is empty, but not for ever."""
        self.engine.tick(t)
        if self.advised:
            self._advise(t)
        idle = [no for no, desk in self.desks.items() if desk.is_open and desk.leg is None]
        for no in sorted(idle, key=lambda no: self.desks[no].idle_since):
            self._ask(no, t)
        is_empty = not any(self.waiting.values()) and all(desk.leg is None for desk in self.desks.values())
        if t < self.last_shift or (t < self.last_shift + OVERTIME_MIN and not is_empty):
            self._plan(t + 1.0, _MINUTE, None)
        else:
            for no, desk in self.desks.items():
                desk.leaving = True
                if desk.is_open and desk.leg is None:
                    self._close(no, t)

    def _advise(self, t: float) -> None:
        """Look at the suggestions every few minutes, and click a few minutes later, a few at once."""
        for at, it in [*self.planned]:
            if at <= t:
                self.planned.remove((at, it))
                self._switch(str(it["window"]), str(it["zone"]), t)
        if t % ADVICE_EVERY_MIN == 0 and t < self.last_shift and not self.planned:
            self.planned = [(t + ADVICE_LATE_MIN, it) for it in self.engine.suggest(t)]

    def _switch(self, no: str, zone: str, t: float) -> None:
        desk = self.desks[no]
        on = zone not in desk.zones
        if on and (len(self.active) >= ADVICE_AT_ONCE or zone not in self.hall.could_serve[no]):
            return
        if on:
            self.active.append((no, zone))
        elif (no, zone) in self.active:
            self.active.remove((no, zone))
        desk.zones = (*desk.zones, zone) if on else tuple(it for it in desk.zones if it != zone)
        self.engine.set_skills(no, desk.zones, t)
        self.outcome.switched += 1

    def _is_cold(self, t: float) -> bool:
        idle = any(desk.is_open and desk.leg is None for desk in self.desks.values())
        return idle and any(
            t - leg.joined > COLD_AFTER_MIN
            for queue in self.waiting.values()
            for leg in [*queue.values()][:1]  # joined first
        )


def _is_before(other: Leg, called: Leg) -> bool:
    """Say whether somebody of the same class should have been called before: by arrival, of appointments also by slot.

    Who comes early or late for an appointment stands in another class; second legs stand among themselves.
    """
    mine, its = called.visit, other.visit
    if other is called or its.priority != mine.priority or other.second != called.second:
        return False
    if not other.counts_from < called.counts_from - SAME_TIME_MIN:
        return False
    if mine.slot is None or its.slot is None:
        return True
    in_time = abs(mine.at - mine.slot) <= SLOT_MIN / 2 and abs(its.at - its.slot) <= SLOT_MIN / 2
    return in_time and its.slot <= mine.slot


# ----------------------------------------------------------------------------------------------------------- measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is said of some days together; minutes, unless a ratio. NaN: nothing to measure."""

    mean: float
    worst_p95: float  # of the worst zone
    utilisation_cv: float  # between the windows, mean of the days
    cold_share: float
    violations: int
    left_over: int
    green_ratio: float  # P95 of the green channel over that of the ordinary
    mae: float  # of the wait foretold at issue
    bias: float  # foretold less true
    coverage: float  # true waits within the 80 % range
    unknown: int  # nothing foretold


def measure(outcomes: Sequence[Outcome]) -> Measures:
    """Measure some days together. Every leg's wait counts; the forecast is judged at issue."""
    legs = [leg for outcome in outcomes for leg in outcome.legs]
    classes: dict[int, list[float]] = {0: [], 1: [], 2: []}
    errors: list[float] = []
    covered = unknown = 0
    for leg in legs:
        if not leg.second:
            classes[leg.visit.priority].append(leg.waited)
        if leg.foretold is None:
            continue
        p50, low, high = leg.foretold
        if math.isnan(p50):
            unknown += 1
            continue
        errors.append(p50 - leg.waited)
        covered += low - SAME_TIME_MIN <= leg.waited <= high + SAME_TIME_MIN
    count = len(errors)
    return Measures(
        mean=mean([leg.waited for leg in legs]),
        worst_p95=_worst_p95(legs),
        utilisation_cv=mean([_cv([*outcome.utilisation.values()]) for outcome in outcomes]),
        cold_share=mean([outcome.cold_share for outcome in outcomes]),
        violations=sum(outcome.violations for outcome in outcomes),
        left_over=sum(outcome.left_over for outcome in outcomes),
        green_ratio=over(quantile(classes[1], 0.95), quantile(classes[0], 0.95)),
        mae=mean([abs(error) for error in errors]),
        bias=mean(errors),
        coverage=covered / count if count else math.nan,
        unknown=unknown,
    )


def mean(values: Sequence[float]) -> float:
    """Give the mean, NaN of nothing."""
    return math.fsum(values) / len(values) if values else math.nan


def quantile(values: Sequence[float], part: float) -> float:
    """Give the value below which a part lies, between neighbours by the line; NaN of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def over(value: float, base: float) -> float:
    """Give a ratio, NaN over nothing."""
    return value / base if base else math.nan


def _worst_p95(legs: Sequence[Leg]) -> float:
    zones: dict[str, list[float]] = {}
    for leg in legs:
        zones.setdefault(leg.zone, []).append(leg.waited)
    return max((quantile(waits, 0.95) for waits in zones.values()), default=math.nan)


def _cv(values: Sequence[float]) -> float:
    middle = mean(values)
    return over(math.sqrt(mean([(value - middle) ** 2 for value in values])), middle)
