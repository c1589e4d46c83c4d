"""Who is next at a window.

Every waiting ticket has an urgency that grows with its wait: an ordinary ticket's urgency is its age, a
priority ticket's is `slope` x age + `head_start_min` (accumulating priority, so nobody starves). A window takes the
most urgent ticket it may serve; its own work counts `home_credit_min` older than work it only relieves. Inside one
service and class the order is that of arrival; the next leg of a joint matter keeps the age of the legs before, up to a
bound (`Ticket.arrival_ms`). Source: Kleinrock 1964; Stanford, Taylor, Ziedins 2014.

Above that stands a guard (`plan.fairness`) that only ever moves ordinary visitors forward. When a priority would be
called, but an ordinary visitor of the same zone has waited longer than `oldest_first_after_min`, that one goes first
("waited_long"; relief work never goes before own work by this), and then it is the priorities' turn: in a rush
everybody has waited that long, and a green channel that comes after all of them would be none. Else, when `ratio`
priorities of a zone were called in a row and an ordinary visitor of the zone waits, that one goes first ("fairness").
Who is ordinary is a matter of the priority alone: the next leg of a joint matter and a ticket of one window stand in
their own class like any other, and wait since the arrival that counts for the order.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from server.domain.state import (
    MS_PER_MIN,
    TURN_OF_PRIORITIES,
    WAITED_LONG,
    HallState,
    LaneKey,
    Spot,
    count_call,
)
from server.domain.terms import ORDINARY, PriorityId, ServiceId, TicketId, WindowNo, ZoneId

Joining = tuple[LaneKey, Spot]  # somebody who waits from this very commit on
_Lane = tuple[LaneKey, list[Spot], bool]  # and whether it is the window's own work
_Rank = tuple[float, int, int, int]  # urgency (negative, so that the least is first), order of issue, lane, place in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A ticket in the order a window would call it.

    `why`: head, priority, returning_leg, relief, bound; fairness and waited_long where the guard put it first.
    """

    ticket: TicketId
    why: str
    home: bool


def choose(state: HallState, no: WindowNo, now_ms: int, joining: Joining | None = None) -> Choice | None:
    """Give the ticket this window calls next, or None when nobody it may serve waits.

    `joining` waits too: the visitor whose leg is finished by the press that calls the next one.
    """
    return next(_in_order(state, no, now_ms, joining), None)


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
    long = sum(bisect_left(lane, (_long_ago_ms(state, now_ms),)) for lane in ordinary)
    called, in_a_row = 0, state.in_a_row.get(state.plan.service[service].zone, 0)
    everybody = max(sum(map(len, ordinary)), more_urgent + (priority == ORDINARY))
    for place, it in enumerate(priorities if priority == ORDINARY else [*priorities, mine]):
        if (more := ordinary_before(it)) > called:
            called, in_a_row = more, 0
        if called < long and in_a_row != TURN_OF_PRIORITIES:
            called, in_a_row = called + 1, TURN_OF_PRIORITIES
        elif 0 < fairness.ratio <= in_a_row and called < everybody:
            called, in_a_row = called + 1, 0
        if priority == ORDINARY and called > more_urgent:
            return more_urgent + place
        in_a_row = max(0, in_a_row) + 1
    return (more_urgent if priority == ORDINARY else called) + len(priorities)


def _long_ago_ms(state: HallState, now_ms: int) -> float:
    """Give the instant before which an ordinary visitor must have come to go before every priority."""
    minutes = state.plan.fairness.oldest_first_after_min
    return now_ms - minutes * MS_PER_MIN if minutes else -1.0


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
    return [
        (key, lane, bound is not None or service in window.serves)
        for key, lane in lanes
        for service, _, bound in (key,)
        if bound == no or (bound is None and (service in window.serves or service in window.relief))
    ]


def _in_order(state: HallState, no: WindowNo, now_ms: int, joining: Joining | None = None) -> Iterator[Choice]:
    credit_ms = state.plan.home_credit_min * MS_PER_MIN
    lanes = _lanes_of(state, no, joining)
    in_a_row = dict(state.in_a_row)  # as if the calls before were made

    def rank(index: int, position: int) -> _Rank:
        (_, priority, _), lane, home = lanes[index]
        since_ms, order, _ = lane[position]
        urgency = urgency_ms(state, priority, since_ms, now_ms) + (credit_ms if home else 0.0)
        return (-urgency, order, index, position)

    heads = {index: rank(index, 0) for index in range(len(lanes))}
    while heads:
        first = min(heads.values())
        first, guard = _guarded(state, first, heads.values(), lanes, in_a_row, now_ms)
        _, _, index, position = first
        (service, priority, bound), lane, home = lanes[index]
        id_ = lane[position][2]
        returns = bool(state.tickets[id_].legs_done) or (joining is not None and joining[1][2] == id_)
        own = "returning_leg" if returns else "head"
        why = "bound" if bound else "relief" if not home else own if priority == ORDINARY else "priority"
        yield Choice(ticket=id_, why=guard or why, home=home)
        count_call(in_a_row, state.plan.service[service].zone, priority, guard or why)
        if position + 1 < len(lane):
            heads[index] = rank(index, position + 1)
        else:
            del heads[index]


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
        long_ago_ms = _long_ago_ms(state, now_ms)
        old = [it for it in ordinary if lanes[it[2]][1][it[3]][0] < long_ago_ms and (lanes[it[2]][2] or not home)]
        if old:
            return min(old), WAITED_LONG
    if ordinary and 0 < fairness.ratio <= row:
        return min(ordinary), "fairness"
    return first, None
