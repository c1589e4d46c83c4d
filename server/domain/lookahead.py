"""The hall played forward a few times, to see when somebody who waits now, or takes a number now, would be called.

Everybody who waits stands in a row of those whom the same windows may serve; windows become free, their clerks work at
their pace, leave for lunch and come back as on one of the last days, and take who is next by the hall's rule. Meanwhile
people go on coming as `habits` expect: who has a priority overtakes, and other zones call helpers away. How long each
visit takes is read off a fixed table of chances: what happens next in one play is long, in another short and in another
between, in equal parts, so that few plays say much and the same hall gives the same answer everywhere. The mean of the plays is where the wait lies, their spread how sure that is; `forecast` makes a
promise of the two. The rule is followed in what moves waits, not in every detail: what is left out, the learned errors
take in.

Sources: forward simulation of queue states as in Ibrahim and Whitt 2011; the time already spent in service counts
(Whitt 1999); visits of a log-normal length vary with a coefficient of about 0.6.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from server.domain.habits import LOAD_PRIOR, NEVER
from server.domain.routing import CLEAR_MAX_MIN, HOME_FACTOR, HOME_MIN, SAME_ZONE_MIN
from server.domain.state import MS_PER_MIN, TURN_OF_PRIORITIES, HallState
from server.domain.terms import ORDINARY, CallingRule, PriorityId, ServiceId, TicketId, WindowNo, ZoneId

PLAYS_MIN, PLAYS_MAX = 4, 16
PEOPLE_PLAYED = 900  # plays x people waiting: many plays of a short row, few of a long one, which is surer by itself
SOON_MIN, LATER_MIN = 30.0, 90.0  # who comes until then is expected at the rate of that time
FURTHEST_MIN = 480.0  # nobody is told more
HELPER_SHARE = 0.3  # of a window's time that goes to a zone which it only relieves
CV = 0.6  # of the length of a visit

CHANCES = 1024
_LEFT_STEP = 0.1  # of a mean visit: how finely the time already served is looked up
_LEFT_STEPS, _LEFT_CHANCES = 50, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How long somebody would wait, by the plays: minutes, and how far they lie apart (standard deviation)."""

    mean_min: float
    spread_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody who would take a number in `after_min` minutes, behind `more` others who would take theirs now.

    `window`: served nowhere else.
    """

    service: ServiceId
    window: WindowNo | None = None
    priority: PriorityId = ORDINARY
    after_min: float = 0.0
    more: int = 0


@dataclass(slots=True)
class _Row:
    """Those of one priority whom the same windows may serve, in order, and those who will come behind them.

    `arrivals` are minutes from now, negative for who waits, `works` minutes of a window.
    """

    zone: int
    slope: float
    head_start: float
    is_ordinary: bool
    arrivals: list[float] = field(default_factory=list)
    works: list[float] = field(default_factory=list)
    soon: float = 0.0  # who come in the first SOON_MIN
    gap: float = NEVER  # minutes between two of these
    later_gap: float = NEVER  # and between two of those after them
    work: float = 0.0  # of each who comes
    asked: int = -1  # whose answer is wanted, if it is a row of one who asks


@dataclass(slots=True)
class _Side:
    """The rows of one zone at one window, as its own work or as relief; `factor`: times as long as at home.

    `share` is how much of the window's time goes there, `others` how many windows the zone has without it.
    """

    zone: int
    home: bool
    rows: tuple[int, ...]
    factor: float
    share: float = 0.0
    others: float = 0.0


@dataclass(slots=True)
class _Seat:
    """A window: when its visitor will be gone, as (mean minutes, time already served over it) or None; its sides."""

    pace: float
    at_work: bool
    current: tuple[float, int] | None
    sides: list[_Side]
    last_zone: int
    turns: list[tuple[float, float]]  # by play, in how many minutes somebody leaves, is back


def newcomer(state: HallState, who: Newcomer, now_ms: int) -> Seen | None:
    """Give when somebody who takes a number would be called, or None when no window at work serves the service."""
    return _Hall(state, now_ms, [who]).play(everybody=False)[0][0]


def everybody(
    state: HallState, now_ms: int, asked: Sequence[Newcomer] = ()
) -> tuple[list[Seen | None], dict[TicketId, Seen]]:
    """Give the answers for those who ask, in order, and for everybody who waits whom a window at work may serve."""
    return _Hall(state, now_ms, asked).play(everybody=True)


class _Hall:
    """What is played: rows and seats as they are now."""

    def __init__(self, state: HallState, now_ms: int, asked: Sequence[Newcomer]) -> None:
        self._state, self._now_ms, self._asked = state, now_ms, asked
        plan = state.plan
        waiting = sum(len(lane) for _, lane in state.lane_items())
        self._plays = max(PLAYS_MIN, min(PLAYS_MAX, PEOPLE_PLAYED // (waiting + 40)))
        self._zones = {zone.id: place for place, zone in enumerate(plan.zones)}
        self._taken = {it.id: state.learned.taken_s(it) / 60.0 for it in plan.services}
        self._windows_of = self._who_serves()
        self._rows: list[_Row] = []
        self._ids: list[list[TicketId]] = []
        self._row_of: dict[tuple[int, tuple[WindowNo, ...], PriorityId], int] = {}
        self._pools: dict[tuple[WindowNo, ...], dict[int, list[int]]] = {}
        self._line_up()
        self._expect()
        self._ask()
        self._seats = self._sit()
        self._weigh()

    def _who_serves(self) -> dict[ServiceId, tuple[WindowNo, ...]]:
        """Give the windows for each service, whether anybody sits there now or not."""
        found: dict[ServiceId, list[WindowNo]] = {it.id: [] for it in self._state.plan.services}
        relieves = self._state.plan.rule is not CallingRule.STATIC
        for planned in self._state.plan.windows:
            window = self._state.windows[planned.no]
            for service in dict.fromkeys((*window.serves, *window.relief)) if relieves else window.serves:
                found[service].append(planned.no)
        return {service: tuple(numbers) for service, numbers in found.items()}

    def _line_up(self) -> None:
        """Put everybody who waits into a row."""
        state = self._state
        together: dict[int, list[tuple[int, int, TicketId, float]]] = {}
        order = {service: place for place, service in enumerate(self._taken)}
        for (service, priority, bound), lane in sorted(
            state.lane_items(), key=lambda it: (order[it[0][0]], it[0][1], it[0][2] or "")
        ):
            row = self._row(service, priority, self._windows_of[service] if bound is None else (bound,))
            taken = self._taken[service]
            together.setdefault(row, []).extend((since, place, id_, taken) for since, place, id_ in lane)
        self._ids = [[] for _ in self._rows]
        for index, spots in together.items():
            spots.sort()
            row_ = self._rows[index]
            row_.arrivals = [(since - self._now_ms) / MS_PER_MIN for since, _, _, _ in spots]
            row_.works = [taken for _, _, _, taken in spots]
            self._ids[index] = [id_ for _, _, id_, _ in spots]

    def _row(self, service: ServiceId, priority: PriorityId, windows: tuple[WindowNo, ...]) -> int:
        zone = self._zones[self._state.plan.service[service].zone]
        key = (zone, windows, priority)
        found = self._row_of.get(key)
        if found is None:
            rule = self._state.plan.priority.get(priority) or self._state.plan.priority[ORDINARY]
            found = self._row_of[key] = len(self._rows)
            self._add(_Row(zone, rule.slope, rule.head_start_min, priority == ORDINARY), windows)
        return found

    def _add(self, row: _Row, windows: tuple[WindowNo, ...]) -> None:
        self._pools.setdefault(windows, {}).setdefault(row.zone, []).append(len(self._rows))
        self._rows.append(row)

    def _expect(self) -> None:
        """Let people go on coming, at the rates of the hall's habits."""
        state, plan = self._state, self._state.plan
        shares = state.habits.shares(plan.priority.keys())
        staffed: dict[ZoneId, float] = {}
        for planned in plan.windows:
            if planned.staffed and state.windows[planned.no].serves:
                staffed[planned.zone] = staffed.get(planned.zone, 0.0) + 1.0
        for zone in plan.queues:
            services = [it.id for it in plan.services if it.zone == zone.id and self._windows_of[it.id]]
            if not services:
                continue
            parts = [state.habits.by_service.get(it, 0.0) + 1.0 for it in services]
            total = sum(parts)
            taken = sum(part * self._taken[it] for part, it in zip(parts, services, strict=True)) / total
            usual = LOAD_PRIOR * staffed.get(zone.id, 0.5) / taken
            spans = ((0.0, SOON_MIN), (SOON_MIN, LATER_MIN))
            soon, later = state.habits.coming(zone.id, self._now_ms, usual, spans)
            for service, part in zip(services, parts, strict=True):
                for priority, share in shares.items():
                    rate = share * part / total
                    if rate * max(soon, later) * FURTHEST_MIN < 0.5:
                        continue
                    row = self._rows[self._row(service, priority, self._windows_of[service])]
                    self._flow(row, rate * soon, rate * later, self._taken[service])

    @staticmethod
    def _flow(row: _Row, soon: float, later: float, work: float) -> None:
        """Add people who come at so many a minute, each with so many minutes of work, to those who come anyhow."""
        before = (row.soon / SOON_MIN, 1.0 / row.later_gap)
        total = before[0] + soon
        row.work = (before[0] * row.work + soon * work) / total if total else work
        row.soon = total * SOON_MIN
        row.gap = 1.0 / total if total > 1.0 / NEVER else NEVER
        row.later_gap = 1.0 / max(before[1] + later, 1.0 / NEVER)

    def _ask(self) -> None:
        """Let those who ask stand in rows of their own: they come at their time and take nobody's."""
        plan = self._state.plan
        for index, who in enumerate(self._asked):
            rule = plan.priority.get(who.priority) or plan.priority[ORDINARY]
            zone = self._zones[plan.service[who.service].zone]
            row = _Row(zone, rule.slope, rule.head_start_min, who.priority == ORDINARY, asked=index)
            row.arrivals = [who.after_min] * (who.more + 1)
            row.works = [self._taken[who.service]] * who.more + [0.0]
            self._add(row, self._windows_of[who.service] if who.window is None else (who.window,))

    def _sit(self) -> list[_Seat]:
        """Give the windows at which somebody sits or is expected, those that may do least first.

        So of two free windows the one with less choice takes who comes, as the rule leaves it to do.
        """
        state, plan, habits = self._state, self._state.plan, self._state.habits
        relief_factor = state.learned.relief_factor()
        now = habits.minute(self._now_ms)
        of: dict[ZoneId, int] = {}
        for planned in plan.windows:
            of[planned.zone] = of.get(planned.zone, 0) + planned.staffed
        places: dict[ZoneId, int] = {}
        seats = []
        for planned in plan.windows:
            window = state.windows[planned.no]
            place = places.get(planned.zone, 0)
            places[planned.zone] = place + planned.staffed
            own = {self._zones[plan.service[it].zone] for it in window.serves}
            sides = [
                _Side(zone, windows == (planned.no,) or zone in own, tuple(rows), 1.0 if zone in own else relief_factor)
                for windows, zones in self._pools.items()
                if planned.no in windows
                for zone, rows in zones.items()
            ]
            at_work = window.clerk is not None and window.paused is None
            turns = [
                habits.away(
                    planned.no, planned.zone, now, is_staffed=at_work, place=place, of=of[planned.zone], play=play
                )
                for play in range(self._plays)
            ]
            if not sides or not (at_work or any(back < NEVER for _, back in turns)):
                continue
            last = self._zones.get(window.last_zone, -1) if window.last_zone is not None else -1
            pace = state.learned.pace(window.clerk)
            seats.append(_Seat(pace, at_work, self._current(planned.no, pace, relief_factor), sides, last, turns))
        return sorted(seats, key=lambda it: sum(len(side.rows) for side in it.sides))

    def _current(self, no: WindowNo, pace: float, relief_factor: float) -> tuple[float, int] | None:
        window = self._state.windows[no]
        if window.current is None:
            return None
        ticket = self._state.tickets[window.current]
        mean = self._state.mean_s(ticket.service) / 60.0 * pace
        if ticket.service not in window.serves:
            mean *= relief_factor
        passed = (self._now_ms - (ticket.started_ms or ticket.called_ms or self._now_ms)) / MS_PER_MIN
        return mean, min(_LEFT_STEPS - 1, int(passed / mean / _LEFT_STEP))

    def play(self, *, everybody: bool) -> tuple[list[Seen | None], dict[TicketId, Seen]]:
        """Give when those who ask, and with `everybody` all who wait, are called in the mean of the plays."""
        served = {row for seat in self._seats if seat.at_work for side in seat.sides for row in side.rows}
        wanted = {
            index
            for index, row in enumerate(self._rows)
            if index in served and (row.asked >= 0 or (everybody and row.arrivals))
        }
        called = {index: [_Sum() for _ in self._rows[index].arrivals] for index in wanted}
        for play in range(self._plays):
            self._once(play, called)
        answers: list[Seen | None] = [None] * len(self._asked)
        tickets: dict[TicketId, Seen] = {}
        for index, sums in called.items():
            row = self._rows[index]
            if row.asked >= 0:
                answers[row.asked] = sums[-1].seen(self._plays, row.arrivals[-1])
            else:
                tickets |= {id_: it.seen(self._plays, 0.0) for id_, it in zip(self._ids[index], sums, strict=True)}
        return answers, tickets

    def _once(self, play: int, called: dict[int, list["_Sum"]]) -> None:
        """Play until everybody in `called` has been called, and add when that was."""
        rows, seats = self._rows, self._seats
        rule, guard = self._state.plan.rule, self._state.plan.fairness
        long, ratio = guard.oldest_first_after_min, guard.ratio
        balanced = rule is CallingRule.BALANCED
        credit = {CallingRule.OLDEST_WAITING: self._state.plan.home_credit_min, CallingRule.HOME_FIRST: NEVER}.get(
            rule, 0.0
        )
        next_of = [0] * len(rows)
        phases = [(play * 0.618034 + index * 0.381966 + 0.5) % 1.0 for index in range(len(rows))]
        in_a_row = [self._state.in_a_row.get(zone.id, 0) for zone in self._state.plan.zones]
        work, flow = [*self._work], self._flows
        left = sum(map(len, called.values()))
        shift, step = play * CHANCES // self._plays, 0
        heap: list[tuple[float, int]] = []
        leaves, backs, last = [], [], []
        for number, seat in enumerate(seats):
            leave, back = seat.turns[play]
            free = 0.0
            if seat.current is not None:
                step += 1
                mean, passed = seat.current
                free = mean * _LEFT[passed][(_CHANCES[step] + shift) % CHANCES * _LEFT_CHANCES // CHANCES]
                if not seat.at_work:
                    leave = 0.0
            elif not seat.at_work:
                free, leave, back = back, NEVER, NEVER
            leaves.append(leave)
            backs.append(back)
            last.append(seat.last_zone)
            if free < NEVER:
                heap.append((free, number))
        heapify(heap)
        while heap and left:
            now, number = heappop(heap)
            if now >= FURTHEST_MIN:
                break
            if now >= leaves[number]:
                back, leaves[number], backs[number] = backs[number], NEVER, NEVER
                if back < NEVER:
                    heappush(heap, (max(now, back), number))
                continue
            seat = seats[number]
            heaviest, best, best_side, best_age, soonest = -NEVER, -1, None, 0.0, NEVER
            for side in seat.sides:
                urgency, first, ordinary, ordinary_age = -NEVER, -1, -1, -1.0
                for index in side.rows:
                    row, place = rows[index], next_of[index]
                    known = len(row.arrivals)
                    if place < known:
                        arrival = row.arrivals[place]
                    elif row.asked >= 0:
                        continue
                    else:
                        more = place - known + phases[index]
                        arrival = more * row.gap if more < row.soon else SOON_MIN + (more - row.soon) * row.later_gap
                    if arrival > now:
                        soonest = min(soonest, arrival)
                        continue
                    age = now - arrival
                    its = row.slope * age + row.head_start
                    if its > urgency:
                        urgency, first = its, index
                    if row.is_ordinary and age > ordinary_age:
                        ordinary, ordinary_age = index, age
                if first < 0:
                    continue
                if ordinary >= 0 and first != ordinary and not rows[first].is_ordinary:
                    turn = in_a_row[side.zone]
                    if (0 < long < ordinary_age and turn != TURN_OF_PRIORITIES) or 0 < ratio <= turn:
                        first = ordinary
                weight = urgency
                if balanced:
                    others = side.others
                    clear = (work[side.zone] + flow[side.zone] * now) / others if others > 0.0 else CLEAR_MAX_MIN
                    weight += min(CLEAR_MAX_MIN, clear)
                    if side.zone == last[number]:
                        weight += SAME_ZONE_MIN
                    if side.home:
                        weight = weight * HOME_FACTOR + HOME_MIN
                elif side.home:
                    weight += credit
                if weight > heaviest:
                    heaviest, best, best_side, best_age = weight, first, side, ordinary_age
            if best_side is None:
                if soonest < NEVER:
                    heappush(heap, (soonest, number))
                continue
            row, place = rows[best], next_of[best]
            next_of[best] = place + 1
            if place < len(row.arrivals):
                if best in called:
                    called[best][place].add(now)
                    left -= 1
                minutes = row.works[place]
                if not minutes:  # who asks takes no time
                    heappush(heap, (now, number))
                    continue
            else:
                minutes = row.work
            zone = row.zone
            work[zone] -= minutes
            last[number] = zone
            if row.is_ordinary:
                in_a_row[zone] = TURN_OF_PRIORITIES if 0 < long < best_age else 0
            else:
                in_a_row[zone] = max(0, in_a_row[zone]) + 1
            step = (step + 1) % CHANCES
            length = _LENGTHS[(_CHANCES[step] + shift) % CHANCES]
            heappush(heap, (now + minutes * length * seat.pace * best_side.factor, number))
        if left:
            for index, sums in called.items():
                for it in sums[next_of[index] :]:
                    it.add(FURTHEST_MIN)

    def _weigh(self) -> None:
        """Note the minutes of work that wait in each zone, those that come in a minute, and how many windows do it."""
        self._work, self._flows = [0.0] * len(self._zones), [0.0] * len(self._zones)
        for row in self._rows:
            self._work[row.zone] += sum(row.works)
            self._flows[row.zone] += row.work / row.gap
        power = [0.0] * len(self._zones)
        for seat in self._seats:
            own = sum(side.home for side in seat.sides)
            away = len(seat.sides) - own
            helps = (HELPER_SHARE if own else 1.0) if away else 0.0
            for side in seat.sides:
                side.share = (1.0 - helps) / own if side.home else helps / away
                if seat.at_work:
                    power[side.zone] += side.share / seat.pace
        for seat in self._seats:
            for side in seat.sides:
                here = side.share / seat.pace if seat.at_work else 0.0
                others = power[side.zone] - here
                side.others = others if others > 1e-9 else 0.0


@dataclass(slots=True)
class _Sum:
    """Minutes of the plays."""

    total: float = 0.0
    squares: float = 0.0

    def add(self, minutes: float) -> None:
        self.total += minutes
        self.squares += minutes * minutes

    def seen(self, plays: int, from_: float) -> Seen:
        mean = self.total / plays
        return Seen(mean_min=max(0.0, mean - from_), spread_min=math.sqrt(max(0.0, self.squares / plays - mean * mean)))


def _chances() -> list[int]:
    """Give the numbers up to `CHANCES`, shuffled once and for all (by a linear congruential generator)."""
    numbers = list(range(CHANCES))
    seed = 1_013_904_223
    for place in range(CHANCES - 1, 0, -1):
        seed = (seed * 1_664_525 + 1_013_904_223) % 2**32
        other = seed * (place + 1) >> 32
        numbers[place], numbers[other] = numbers[other], numbers[place]
    return numbers


def _normal(part: float) -> float:
    """Give below which value a part of the standard normal distribution lies, by halving: exact enough everywhere."""
    low, high = -8.0, 8.0
    for _ in range(50):
        middle = (low + high) / 2.0
        if 0.5 * math.erfc(-middle / math.sqrt(2.0)) < part:
            low = middle
        else:
            high = middle
    return round((low + high) / 2.0, 9)


_SIGMA = math.sqrt(math.log(1.0 + CV * CV))
_CHANCES = _chances()
_LENGTHS = [
    round(math.exp(_SIGMA * _normal((place + 0.5) / CHANCES) - _SIGMA * _SIGMA / 2.0), 9) for place in range(CHANCES)
]


def _left() -> list[list[float]]:
    """Give what is left of a visit of mean length 1 by the time already served, in equally likely parts."""
    rows = []
    for step in range(_LEFT_STEPS):
        passed = step * _LEFT_STEP
        done = 0.5 * math.erfc(-(math.log(passed) / _SIGMA + _SIGMA / 2.0) / math.sqrt(2.0)) if passed else 0.0
        parts = [done + (1.0 - done) * (place + 0.5) / _LEFT_CHANCES for place in range(_LEFT_CHANCES)]
        lengths = [math.exp(_SIGMA * _normal(min(part, 1.0 - 1e-9)) - _SIGMA * _SIGMA / 2.0) for part in parts]
        rows.append([round(max(0.0, length - passed), 9) for length in lengths])
    return rows


_LEFT = _left()
