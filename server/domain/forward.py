"""One play of a hall: who stands in which row, what each window does, and who is called when, minute by minute.

A *row* are those of one priority whom the same windows may serve; a *seat* is a window, with a *side* for every zone it
may work for. A seat that is free takes who is next by the hall's rule; it follows `routing` in what moves waits, at a
hundredth of the cost: what is weighed of a zone is the work that waits there over the windows it has. Times are minutes
from now.
"""

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from server.domain.chances import LEFT, LEFT_PARTS, LENGTHS, ORDER, PARTS
from server.domain.habits import NEVER
from server.domain.routing import CLEAR_MAX_MIN, HOME_FACTOR, HOME_MIN, SAME_ZONE_MIN
from server.domain.state import TURN_OF_PRIORITIES

SOON_MIN = 30.0  # who comes until then comes at another rate than who comes later
HELPER_SHARE = 0.3  # of a window's time that goes to zones which it only relieves
FURTHEST_MIN = 480.0  # nobody is told more
_TURN, _STEP = 0.618034, 0.381966  # the golden section: no two rows and no two plays begin alike


@dataclass(slots=True)
class Row:
    """Who stands in a row, in order of `arrivals` (minutes from now, so not above 0), and who will come behind them.

    `works` are minutes of a window; somebody without work only asks when it would be his turn. The others come every
    `gap` minutes at first and every `later_gap` minutes after `SOON_MIN`, each with `work`.
    """

    zone: int
    slope: float
    head_start: float
    is_ordinary: bool
    arrivals: list[float] = field(default_factory=list)
    works: list[float] = field(default_factory=list)
    gap: float = NEVER
    later_gap: float = NEVER
    work: float = 0.0
    is_asked: bool = False  # the row of somebody who only asks: nobody comes behind


@dataclass(slots=True)
class Side:
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
class Seat:
    """A window. `current` is the visitor it has: (mean minutes, row of `LEFT`); `turns` by play: leaves, is back."""

    pace: float
    at_work: bool
    current: tuple[float, int] | None
    sides: list[Side]
    last_zone: int
    turns: list[tuple[float, float]]


@dataclass(slots=True, kw_only=True)
class Position:
    """How a hall stands. `in_a_row` as in the state, by zone; `credit_min` is what own work counts older."""

    rows: list[Row]
    seats: list[Seat]
    in_a_row: list[int]
    balanced: bool
    credit_min: float
    oldest_first_after_min: float  # 0: off
    ratio: int  # 0: off
    plays: int

    def __post_init__(self) -> None:
        """Weigh how many windows each zone has at each of them."""
        power = [0.0] * len(self.in_a_row)
        for seat in self.seats:
            own = sum(side.home for side in seat.sides)
            away = len(seat.sides) - own
            helps = (HELPER_SHARE if own else 1.0) if away else 0.0
            for side in seat.sides:
                side.share = ((1.0 - helps) / own if side.home else helps / away) if seat.at_work else 0.0
                power[side.zone] += side.share / seat.pace
        for seat in self.seats:
            for side in seat.sides:
                others = power[side.zone] - side.share / seat.pace
                side.others = others if others > 1e-9 else 0.0


class Play:
    """One play of a hall: the `number`-th of `position.plays`, each with another part of the chances."""

    def __init__(self, position: Position, number: int) -> None:
        """Let everybody stand and sit as now."""
        self._position, self._number = position, number
        self._shift, self._drawn = number * PARTS // position.plays, 0
        self._in_a_row = [*position.in_a_row]
        self._phases = [(number * _TURN + index * _STEP + 0.5) % 1.0 for index in range(len(position.rows))]
        self.called = [0] * len(position.rows)
        """How many of each row have been called."""
        self._heads = [self._head(index) for index in range(len(position.rows))]
        self._work = [0.0] * len(position.in_a_row)  # minutes that wait in each zone
        self._flow = [0.0] * len(position.in_a_row)  # and that come in a minute
        for row in position.rows:
            self._work[row.zone] += sum(row.works)
            self._flow[row.zone] += row.work / row.gap
        self._last = [seat.last_zone for seat in position.seats]
        self._leaves: list[float] = []
        self._backs: list[float] = []
        self._free: list[tuple[float, int]] = []
        for place, seat in enumerate(position.seats):
            self._sit(place, seat)
        heapify(self._free)

    def _sit(self, place: int, seat: Seat) -> None:
        leaves, back = seat.turns[self._number]
        free = 0.0
        if seat.current is not None:
            mean, step = seat.current
            free = mean * LEFT[step][self._draw() * LEFT_PARTS // PARTS]
            if not seat.at_work:
                leaves = 0.0
        elif not seat.at_work:
            free, leaves, back = back, NEVER, NEVER
        self._leaves.append(leaves)
        self._backs.append(back)
        if free < NEVER:
            self._free.append((free, place))

    def next_call(self) -> tuple[float, int] | None:
        """Give the minute of the next call and the row that is called from, None when there is none any more."""
        seats, rows, free = self._position.seats, self._position.rows, self._free
        while free:
            now, place = heappop(free)
            if now >= FURTHEST_MIN:
                return None
            if now >= self._leaves[place]:
                back, self._leaves[place] = self._backs[place], NEVER
                if back < NEVER:
                    heappush(free, (max(now, back), place))
                continue
            side, index, soonest = self._choose(place, now)
            if side is None:
                if soonest < NEVER:
                    heappush(free, (soonest, place))
                continue
            row, position = rows[index], self.called[index]
            minutes = row.works[position] if position < len(row.works) else row.work
            self.called[index] = position + 1
            if minutes:
                self._work[row.zone] -= minutes
                self._last[place] = row.zone
                self._count(row, now - self._heads[index])
                minutes *= LENGTHS[self._draw()] * seats[place].pace * side.factor
            self._heads[index] = self._head(index)
            heappush(free, (now + minutes, place))
            return now, index
        return None

    def _choose(self, place: int, now: float) -> tuple[Side | None, int, float]:
        """Give whom a window takes: a row at one of its sides; if nobody, when the next one comes."""
        position, rows, heads = self._position, self._position.rows, self._heads
        best, best_weight, chosen, soonest = None, -NEVER, -1, NEVER
        for side in position.seats[place].sides:
            urgency, first, ordinary, oldest = -NEVER, -1, -1, -1.0
            for index in side.rows:
                age = now - heads[index]
                if age < 0.0:
                    if now - age < soonest:
                        soonest = now - age
                    continue
                row = rows[index]
                its = row.slope * age + row.head_start
                if its > urgency:
                    urgency, first = its, index
                if row.is_ordinary and age > oldest:
                    ordinary, oldest = index, age
            if first < 0:
                continue
            weight = urgency
            if position.balanced:
                work = self._work[side.zone] + self._flow[side.zone] * now
                weight += min(CLEAR_MAX_MIN, work / side.others) if side.others else CLEAR_MAX_MIN
                if side.zone == self._last[place]:
                    weight += SAME_ZONE_MIN
                if side.home:
                    weight = weight * HOME_FACTOR + HOME_MIN
            elif side.home:
                weight += position.credit_min
            if weight > best_weight:
                best, best_weight, chosen = side, weight, self._guarded(side.zone, first, ordinary, oldest)
        return best, chosen, soonest

    def _guarded(self, zone: int, first: int, ordinary: int, oldest: float) -> int:
        """Give who goes first of a zone: who is most urgent, or an ordinary visitor whom the guard puts before."""
        if ordinary < 0 or self._position.rows[first].is_ordinary:
            return first
        turn, bound = self._in_a_row[zone], self._position.oldest_first_after_min
        waited_long = 0.0 < bound < oldest and turn != TURN_OF_PRIORITIES
        return ordinary if waited_long or 0 < self._position.ratio <= turn else first

    def _count(self, row: Row, age: float) -> None:
        if row.is_ordinary:
            self._in_a_row[row.zone] = TURN_OF_PRIORITIES if 0.0 < self._position.oldest_first_after_min < age else 0
        else:
            self._in_a_row[row.zone] = max(0, self._in_a_row[row.zone]) + 1

    def _head(self, index: int) -> float:
        """Give when the first of a row who is not called yet came, or will come."""
        row, place = self._position.rows[index], self.called[index]
        if place < len(row.arrivals):
            return row.arrivals[place]
        if row.is_asked:
            return NEVER
        more = place - len(row.arrivals) + self._phases[index]
        soon = SOON_MIN / row.gap
        return more * row.gap if more < soon else SOON_MIN + (more - soon) * row.later_gap

    def _draw(self) -> int:
        """Give the next of the chances: what comes next is drawn in equal parts by all the plays."""
        self._drawn += 1
        return (ORDER[self._drawn % PARTS] + self._shift) % PARTS
