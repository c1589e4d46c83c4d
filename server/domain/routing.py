"""Who is next at a window.

Every waiting ticket has an urgency that grows with its wait: an ordinary ticket's urgency is its age, a
priority ticket's is `slope` x age + `head_start_min` (accumulating priority, so nobody starves). A window takes the
most urgent ticket it may serve; its own work counts `home_credit_min` older than work it only relieves. Inside one
service and class the order is that of arrival; the next leg of a joint matter keeps the age of the legs before, up to a
bound (`Ticket.arrival_ms`). Source: Kleinrock 1964; Stanford, Taylor, Ziedins 2014.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

from server.domain.state import MS_PER_MIN, HallState, LaneKey, Spot
from server.domain.terms import ORDINARY, PriorityId, ServiceId, TicketId, WindowNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A ticket in the order a window would call it. `why`: head, priority, returning_leg, relief or bound."""

    ticket: TicketId
    why: str
    home: bool


def choose(state: HallState, no: WindowNo, now_ms: int) -> Choice | None:
    """Give the ticket this window calls next, or None when nobody it may serve waits."""
    return next(_in_order(state, no, now_ms), None)


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
    mine = (-urgency_ms(state, priority, spot[0], now_ms), spot[1])

    def before_me(lane_priority: PriorityId, lane: list[Spot]) -> int:
        # A lane is sorted, so urgency only falls along it; counting one by one would cost more the longer people wait.
        return bisect_left(lane, mine, key=lambda it: (-urgency_ms(state, lane_priority, it[0], now_ms), it[1]))

    return sum(
        before_me(lane_priority, lane)
        for (of, lane_priority, _), lane in state.lane_items()
        if state.plan.service[of].prefix == prefix
    )


def _lanes_of(state: HallState, no: WindowNo) -> list[tuple[LaneKey, list[Spot], bool]]:
    """Give [(key, lane, home)] for the lanes with somebody whom the window may serve.

    A ticket bound to a window stays its own work whatever is assigned later: nobody else would call it.
    """
    window = state.windows[no]
    return [
        (key, lane, bound is not None or service in window.serves)
        for key, lane in state.lane_items()
        for service, _, bound in (key,)
        if bound == no or (bound is None and (service in window.serves or service in window.relief))
    ]


def _in_order(state: HallState, no: WindowNo, now_ms: int) -> Iterator[Choice]:
    credit_ms = state.plan.home_credit_min * MS_PER_MIN
    lanes = _lanes_of(state, no)

    def rank(index: int, position: int) -> tuple[float, int, int, int]:
        (_, priority, _), lane, home = lanes[index]
        since_ms, order, _ = lane[position]
        urgency = urgency_ms(state, priority, since_ms, now_ms) + (credit_ms if home else 0.0)
        return (-urgency, order, index, position)

    heap = [rank(index, 0) for index in range(len(lanes))]
    heapify(heap)
    while heap:
        _, _, index, position = heap[0]
        (_, priority, bound), lane, home = lanes[index]
        id_ = lane[position][2]
        own = "returning_leg" if state.tickets[id_].legs_done else "head"
        why = "bound" if bound else "relief" if not home else own if priority == ORDINARY else "priority"
        yield Choice(ticket=id_, why=why, home=home)
        if position + 1 < len(lane):
            heapreplace(heap, rank(index, position + 1))
        else:
            heappop(heap)
