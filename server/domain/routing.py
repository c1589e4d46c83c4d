"""Who is next at a window.

Every waiting ticket has an urgency that grows with its wait: an ordinary ticket's urgency is its age, a
priority ticket's is `slope` x age + `head_start_min` (accumulating priority, so nobody starves). Inside one
service and class the order is that of arrival; the next leg of a joint matter keeps the age of the legs before, up to a
bound (`Ticket.arrival_ms`). Source: Kleinrock 1964; Stanford, Taylor, Ziedins 2014.

Whose work a window takes is the hall's calling rule (`plan.rule`):

- balanced: each zone the window may serve weighs as much as its most urgent ticket plus the minutes predicted for
  clearing the zone without this window (`workload`), `SAME_ZONE_MIN` more for the zone it served last, and its own work
  `HOME_FACTOR` times that and `HOME_MIN` more. The most urgent ticket of the heaviest zone is next. So a helper goes
  where it is needed most, not where one visitor happens to be oldest, and stays at home when home needs it. Whom a
  better placed window stands free for is left to it for a moment. Nobody starves: clearing adds at most
  `CLEAR_MAX_MIN`, urgency is not bounded, so a window passes nobody over for a ticket of another zone that is more than
  a tenth and 110 minutes less urgent. Sources: Mandelbaum and Stolyar 2004; Gurvich and Whitt 2009 (weigh queues,
  help moderately).
- oldest_waiting: the most urgent of all it may serve; its own work counts `home_credit_min` older than relief.
- home_first: its own work while somebody waits for it, else as oldest_waiting.
- static: its own work only.

Above that stands a guard (`plan.fairness`) that only ever moves ordinary visitors forward. When a priority would be
called, but an ordinary visitor of the same zone has waited longer than `oldest_first_after_min`, that one goes first
("waited_long"; relief work never goes before own work by this). After anybody who had waited so long it is the
priorities' turn: in a rush everybody has, and a green channel that comes after all of them would be none. Else, when
`ratio` priorities of a zone were called in a row and an ordinary visitor of the zone waits, that one goes first
("fairness").
Who is ordinary is a matter of the priority alone: the next leg of a joint matter and a ticket of one window stand in
their own class like any other, and wait since the arrival that counts for the order.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import assert_never

from server.domain.state import (
    MS_PER_MIN,
    TURN_OF_PRIORITIES,
    WAITED_LONG,
    HallState,
    LaneKey,
    Spot,
    WindowState,
    count_call,
    long_ago_ms,
)
from server.domain.terms import ORDINARY, CallingRule, PriorityId, ServiceId, TicketId, WindowNo, ZoneId
from server.domain.workload import duties_of, to_clear, windows_at_work

CLEAR_MAX_MIN = 90.0  # what clearing a zone can add to the age of its oldest
SAME_ZONE_MIN = 5.0  # a change of zone costs a window time
HOME_FACTOR, HOME_MIN = 1.1, 5.0  # what own work counts more: a window is slower elsewhere
PROMPT_CALLS = 3  # calls without delay after which others count on a free window
RESERVED_MIN = 0.5  # a free window that does not call within it is perhaps not free
NO_CREDIT_REACHES_MIN = 7 * 24 * 60.0  # own work first, whatever the others wait

Joining = tuple[LaneKey, Spot]  # somebody who waits from this very commit on
_Lane = tuple[LaneKey, list[Spot], bool]  # and whether it is the window's own work
_Rank = tuple[float, int, int, int]  # urgency (negative, so that the least is first), order of issue, lane, place in it
_Side = tuple[ZoneId, bool]  # own work of a zone, or relief there: what the balanced rule weighs


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A ticket in the order a window would call it.

    `why`: head, priority, returning_leg, relief, bound; fairness and waited_long where the guard put it first.
    `clear_min`, `own_clear_min` as in `TicketCalled`: None where no zones were weighed.
    """

    ticket: TicketId
    why: str
    home: bool
    clear_min: int | None = None
    own_clear_min: int | None = None


def choose(state: HallState, no: WindowNo, now_ms: int, joining: Joining | None = None) -> Choice | None:
    """Give the ticket this window calls next, or None when nobody it may serve waits, or only who is left to others.

    `joining` waits too: the visitor whose leg is finished by the press that calls the next one.
    """
    return next(_in_order(state, no, now_ms, joining), None)


def left_to(state: HallState, no: WindowNo, now_ms: int) -> WindowNo | None:
    """Give a free window to which somebody whom this one might relieve is left for the moment, if it is so."""
    for key, _, home in _lanes_of(state, no):
        if not home and (better := _better_placed(state, no, key, now_ms)):
            return better[0].no
    return None


def preview(state: HallState, no: WindowNo, now_ms: int, limit: int = 8) -> list[Choice]:
    """Give the first tickets in the order this window would call them now."""
    found: list[Choice] = []
    for choice in _in_order(state, no, now_ms):
        found.append(choice)
        if len(found) == limit:
            break
    return found


def waiting_for(state: HallState, no: WindowNo) -> tuple[int, int | None]:
    """Count who waits for what this window may serve, and since when (ms) the longest of them."""
    lanes = [lane for _, lane, _ in _lanes_of(state, no)]
    oldest = min((state.tickets[lane[0][2]].issued_ms for lane in lanes), default=None)
    return sum(len(lane) for lane in lanes), oldest


def ahead(state: HallState, ticket: TicketId, now_ms: int) -> int:
    """Count who of the same series would be called before a waiting ticket, were it now."""
    mine = state.tickets[ticket]
    spot = (mine.since_ms, mine.order, mine.id)
    return _ahead_of(state, mine.service, mine.priority, spot, now_ms)


def ahead_of_newcomer(state: HallState, service: ServiceId, priority: PriorityId, now_ms: int) -> int:
    """Count who of the same series would be called before somebody who took a number now."""
    last: Spot = (now_ms, len(state.tickets), TicketId(""))
    return _ahead_of(state, service, priority, last, now_ms)


def urgency_ms(state: HallState, priority: PriorityId, since_ms: int, now_ms: int) -> float:
    """Give the urgency of a ticket in milliseconds of waiting: whole numbers, so that a tie is a tie."""
    rule = state.plan.priority.get(priority) or state.plan.priority[ORDINARY]
    return rule.slope * (now_ms - since_ms) + rule.head_start_min * MS_PER_MIN


def _ahead_of(state: HallState, service: ServiceId, priority: PriorityId, spot: Spot, now_ms: int) -> int:
    prefix = state.plan.service[service].prefix
    lanes = [it for it in state.lane_items() if state.plan.service[it[0][0]].prefix == prefix]

    def rank(of: PriorityId, it: Spot) -> tuple[float, int]:
        return (-urgency_ms(state, of, it[0], now_ms), it[1])

    mine = rank(priority, spot)
    ordinary = [lane for (_, of, _), lane in lanes if of == ORDINARY]

    # Lanes are sorted, so who is before somebody is looked up; counting one by one would cost more the longer people
    # wait. The urgency of an ordinary visitor is the age: there the arrival alone says it.
    def ordinary_before(other: tuple[float, int]) -> int:
        return sum(bisect_left(lane, (now_ms + other[0], other[1])) for lane in ordinary)

    more_urgent = ordinary_before(mine)
    priorities = sorted(
        it
        for (_, of, _), lane in lanes
        if of != ORDINARY
        for it in takewhile(lambda it: it < mine, (rank(of, other) for other in lane))
    )
    fairness = state.plan.fairness
    if not fairness.ratio and not fairness.oldest_first_after_min:
        return more_urgent + len(priorities)

    # The guard, priority by priority: how many ordinary visitors have been called when each of them is.
    long = sum(bisect_left(lane, (long_ago_ms(state, now_ms),)) for lane in ordinary)
    called, in_a_row = 0, state.in_a_row.get(state.plan.service[service].zone, 0)
    everybody = max(sum(map(len, ordinary)), more_urgent + (priority == ORDINARY))
    for place, it in enumerate(priorities if priority == ORDINARY else [*priorities, mine]):
        if (more := ordinary_before(it)) > called:
            called, in_a_row = more, TURN_OF_PRIORITIES if more <= long else 0
        if called < long and in_a_row != TURN_OF_PRIORITIES:
            called, in_a_row = called + 1, TURN_OF_PRIORITIES
        elif 0 < fairness.ratio <= in_a_row and called < everybody:
            called, in_a_row = called + 1, 0  # has not waited long, or would have gone first
        if priority == ORDINARY and called > more_urgent:
            return more_urgent + place
        in_a_row = max(0, in_a_row) + 1
    return (more_urgent if priority == ORDINARY else called) + len(priorities)


def _lanes_of(state: HallState, no: WindowNo, joining: Joining | None = None) -> list[_Lane]:
    """Give [(key, lane, home)] for the lanes with somebody whom the window may serve.

    A ticket bound to a window stays its own work whatever is assigned later: nobody else would call it.
    """
    window = state.windows[no]
    lanes = state.lane_items()
    if joining is not None:
        key, spot = joining
        lane = list(state.lanes.get(key, ()))
        insort(lane, spot)
        lanes = iter([*((other, it) for other, it in lanes if other != key), (key, lane)])
    serves, relief = duties_of(state, window)
    return [
        (key, lane, bound is not None or service in serves)
        for key, lane in lanes
        for service, _, bound in (key,)
        if bound == no or (bound is None and (service in serves or service in relief))
    ]


def _in_order(state: HallState, no: WindowNo, now_ms: int, joining: Joining | None = None) -> Iterator[Choice]:
    credit_ms = _home_credit_min(state) * MS_PER_MIN
    lanes = _lanes_of(state, no, joining)
    weights = None
    if state.plan.rule is CallingRule.BALANCED:
        lanes = _not_left_to_others(state, no, lanes, now_ms)
        weights = _Weights(state, no, lanes, now_ms) if lanes else None
    in_a_row = dict(state.in_a_row)  # as if the calls before were made

    def rank(index: int, position: int) -> _Rank:
        (_, priority, _), lane, home = lanes[index]
        since_ms, order, _ = lane[position]
        urgency = urgency_ms(state, priority, since_ms, now_ms) + (credit_ms if home else 0.0)
        return (-urgency, order, index, position)

    heads = {index: rank(index, 0) for index in range(len(lanes))}
    while heads:
        of_side = heads.values() if weights is None else weights.heaviest(heads.values())
        first = min(of_side)
        first, guard = _guarded(state, first, of_side, lanes, in_a_row, now_ms)
        _, _, index, position = first
        (service, priority, bound), lane, home = lanes[index]
        id_ = lane[position][2]
        returns = bool(state.tickets[id_].legs_done) or (joining is not None and joining[1][2] == id_)
        own = "returning_leg" if returns else "head"
        why = "bound" if bound else "relief" if not home else own if priority == ORDINARY else "priority"
        clear, own_clear = (None, None) if weights is None else weights.said(index)
        yield Choice(ticket=id_, why=guard or why, home=home, clear_min=clear, own_clear_min=own_clear)
        waited_long = lane[position][0] < long_ago_ms(state, now_ms)
        count_call(in_a_row, state.plan.service[service].zone, priority, waited_long=waited_long)
        if weights is not None:
            weights.called(index)
        if position + 1 < len(lane):
            heads[index] = rank(index, position + 1)
        else:
            del heads[index]


def _home_credit_min(state: HallState) -> float:
    match state.plan.rule:
        case CallingRule.BALANCED | CallingRule.STATIC:  # weighs sides, has one side
            return 0.0
        case CallingRule.OLDEST_WAITING:
            return state.plan.home_credit_min
        case CallingRule.HOME_FIRST:
            return NO_CREDIT_REACHES_MIN
        case _:
            assert_never(state.plan.rule)


def _better_placed(state: HallState, no: WindowNo, key: LaneKey, now_ms: int) -> list[WindowState]:
    """Give the free windows to which a lane is left for the moment that this one would only relieve.

    Those whose own work it is, and those that relieve it, too, and may serve less besides; but only windows that have
    been calling without delay, and none that has let the first of the lane wait for `RESERVED_MIN`: else somebody would
    wait for a clerk who is busy with paper.
    """
    service, here = key[0], state.windows[no]
    breadth = len(here.serves) + len(here.relief)
    joined_ms = state.tickets[state.lanes[key][0][2]].joined_ms
    return [
        it
        for it in windows_at_work(state)
        if it.current is None
        and it.no != no
        and it.prompt >= PROMPT_CALLS
        and now_ms - max(joined_ms, it.since_ms) < RESERVED_MIN * MS_PER_MIN
        and (service in it.serves or (service in it.relief and len(it.serves) + len(it.relief) < breadth))
    ]


def _not_left_to_others(state: HallState, no: WindowNo, lanes: list[_Lane], now_ms: int) -> list[_Lane]:
    """Give the lanes without relief in zones where as many better placed windows stand free as people wait."""
    people: dict[ZoneId, int] = {}
    better: dict[ZoneId, set[WindowNo]] = {}
    for key, lane, home in lanes:
        if not home and key in state.lanes:
            zone = state.plan.service[key[0]].zone
            people[zone] = people.get(zone, 0) + len(lane)
            better.setdefault(zone, set()).update(it.no for it in _better_placed(state, no, key, now_ms))
    left = {zone for zone, count in people.items() if len(better[zone]) >= count}
    return [it for it in lanes if it[2] or state.plan.service[it[0][0]].zone not in left]


class _Weights:
    """What the balanced rule weighs: how old the first of each side is and how long its zone takes to clear."""

    def __init__(self, state: HallState, no: WindowNo, lanes: list[_Lane], now_ms: int) -> None:
        self._state, self._lanes, self._now_ms = state, lanes, now_ms
        self._last = state.windows[no].last_zone
        self._sides: list[_Side] = [(state.plan.service[service].zone, home) for (service, _, _), _, home in lanes]
        weighed = len(set(self._sides)) > 1 or not all(home for _, home in self._sides)
        self._clear = to_clear(state, now_ms, without=no) if weighed else {}
        self._own = {state.plan.service[service].zone for service in state.windows[no].serves}
        self._is_weighed = weighed

    def heaviest(self, heads: Iterable[_Rank]) -> list[_Rank]:
        """Give the heads of the lanes of the side whose turn it is."""
        sides: dict[_Side, list[_Rank]] = {}
        for head in heads:
            sides.setdefault(self._sides[head[2]], []).append(head)
        if len(sides) == 1:
            return next(iter(sides.values()))
        return min(sides.items(), key=lambda it: (-self._weight(it[0], min(it[1])), min(it[1])))[1]

    def said(self, index: int) -> tuple[int | None, int | None]:
        """Give the minutes to clear the zone of a lane and, where it is relieved, the own zone."""
        zone, home = self._sides[index]
        if not self._is_weighed:
            return None, None
        own = None if home else round(max((self._minutes(it) for it in self._own), default=0.0))
        return round(self._minutes(zone)), own

    def called(self, index: int) -> None:
        """Go on as if a ticket of this lane had been called."""
        zone = self._last = self._sides[index][0]
        if (clearing := self._clear.get(zone)) is not None:
            clearing.minutes -= clearing.minutes / max(1, clearing.people)
            clearing.people -= 1

    def _minutes(self, zone: ZoneId) -> float:
        clearing = self._clear.get(zone)
        return min(clearing.minutes, CLEAR_MAX_MIN) if clearing is not None else 0.0

    def _weight(self, side: _Side, head: _Rank) -> float:
        zone, home = side
        (_, priority, _), lane, _ = self._lanes[head[2]]
        urgency_min = urgency_ms(self._state, priority, lane[head[3]][0], self._now_ms) / MS_PER_MIN
        weight = urgency_min + self._minutes(zone) + (SAME_ZONE_MIN if zone == self._last else 0.0)
        return weight * HOME_FACTOR + HOME_MIN if home else weight


def _guarded(
    state: HallState, first: _Rank, heads: Iterable[_Rank], lanes: list[_Lane], in_a_row: dict[ZoneId, int], now_ms: int
) -> tuple[_Rank, str | None]:
    """Give who goes first of the heads of the lanes, and the reason when it is not the most urgent one."""
    fairness = state.plan.fairness
    (service, priority, _), _, home = lanes[first[2]]
    if priority == ORDINARY or not (fairness.ratio or fairness.oldest_first_after_min):
        return first, None
    zone = state.plan.service[service].zone
    row = in_a_row.get(zone, 0)
    ordinary = [
        it
        for it in heads
        for (of, class_, _), _, _ in (lanes[it[2]],)
        if class_ == ORDINARY and state.plan.service[of].zone == zone
    ]
    if row != TURN_OF_PRIORITIES:
        before_ms = long_ago_ms(state, now_ms)
        old = [it for it in ordinary if lanes[it[2]][1][it[3]][0] < before_ms and (lanes[it[2]][2] or not home)]
        if old:
            return min(old), WAITED_LONG
    if ordinary and 0 < fairness.ratio <= row:
        return min(ordinary), "fairness"
    return first, None
