"""How long each zone needs to clear what waits there: the predicted minutes that routing, heat and advice go by.

Work is window time: the learned minutes of everybody who waits, a little less for those who will not come. A window
does it at its clerk's pace, relief slower than its own work, and begins when the visitor it has now is gone. A window
that may work for several zones gives its time where clearing takes longest, by water filling, so that no zone looks
hopeless which a free helper will reach, and no helper is counted twice. Services of one zone that the same windows may
serve are one *queue*. Nothing here depends on how long the day is, and everything is summed in the order of the plan,
so that no order of a dictionary can turn a decision.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from server.domain.state import MS_PER_MIN, HallState, WindowState
from server.domain.terms import CallingRule, ServiceId, WindowNo, ZoneId

ROUNDS = 2  # of the water filling: windows that share queues see what the others did
NEVER_MIN = 999.0  # to clear what nobody at work may serve
RESIDUAL_LEAST = 0.5  # of a visit is still to come, however long it has lasted
RESIDUAL_SLOPE = 0.6

Duties = tuple[tuple[ServiceId, ...], tuple[ServiceId, ...]]  # what a window serves and what it relieves


@dataclass(slots=True, kw_only=True)
class Queue:
    """Who waits in a zone for `services`, which the same windows may serve; `work_min` at an ordinary clerk.

    `coming`: people who are expected besides, with `coming_min` of work.
    """

    zone: ZoneId
    people: int = 0
    work_min: float = 0.0
    coming: float = 0.0
    coming_min: float = 0.0
    services: list[ServiceId] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Seat:
    """A window at work: (queue, minutes of its work done in one minute) for each queue, and until when it is taken."""

    no: WindowNo
    speeds: tuple[tuple[int, float], ...]
    busy_min: float = 0.0
    given: list[tuple[int, float, float]] = field(default_factory=list)  # queue, speed, share of the window's time


@dataclass(slots=True, kw_only=True)
class Clearing:
    """A zone with people waiting: how many, and the minutes until the last of them is called."""

    people: int
    minutes: float


def to_clear(state: HallState, now_ms: int, without: WindowNo | None = None) -> dict[ZoneId, Clearing]:
    """Give how long each zone with somebody waiting takes to clear; `without` a window's help.

    Of a zone with several queues the longest counts. `NEVER_MIN` where nobody at work may serve.
    """
    queues, seats = load(state, now_ms, without)
    found: dict[ZoneId, Clearing] = {}
    for queue, minutes in zip(queues, spread(queues, seats), strict=True):
        clearing = found.setdefault(queue.zone, Clearing(people=0, minutes=0.0))
        clearing.people += queue.people
        clearing.minutes = max(clearing.minutes, minutes)
    return found


def load(
    state: HallState,
    now_ms: int,
    without: WindowNo | None = None,
    *,
    coming: Mapping[ServiceId, float] | None = None,
    assigned: Mapping[WindowNo, Duties] | None = None,
) -> tuple[list[Queue], list[Seat]]:
    """Give the queues with somebody waiting or `coming`, and the windows at work that may serve some of them.

    `assigned` says what some windows may serve instead of what they may now.
    """
    plan, learned = state.plan, state.learned
    people: dict[ServiceId, int] = dict.fromkeys(coming or (), 0)
    bound_ms: dict[WindowNo, int] = {}  # whole milliseconds, so that the order of the lanes does not matter
    for (service, _, to), lane in state.lane_items():
        if to is None:
            people[service] = people.get(service, 0) + len(lane)
        else:
            bound_ms[to] = bound_ms.get(to, 0) + len(lane) * round(learned.taken_s(plan.service[service]) * 1000)
    at_work = [it for it in windows_at_work(state) if it.no != without]
    masks: dict[ServiceId, list[int]] = {service: [0, 0] for service in people}
    for place, window in enumerate(at_work):
        bit = 1 << place
        duties = (assigned or {}).get(window.no) or duties_of(state, window)
        for row, services in enumerate(duties):
            for service in services:
                if service in masks:
                    masks[service][row] |= bit
    queues: list[Queue] = []
    may: list[tuple[int, int]] = []  # who may serve a queue: as own work, as relief; one bit for each window
    known: dict[tuple[ZoneId, int, int], int] = {}
    for planned in plan.services:
        count = people.get(planned.id)
        if count is None:
            continue
        own, relief = masks[planned.id]
        index = known.setdefault((planned.zone, own, relief), len(queues))
        if index == len(queues):
            queues.append(Queue(zone=planned.zone))
            may.append((own, relief))
        queue, taken_min = queues[index], learned.taken_s(planned) / 60.0
        queue.services.append(planned.id)
        queue.people += count
        queue.work_min += count * taken_min
        if coming is not None:
            queue.coming += coming.get(planned.id, 0.0)
            queue.coming_min += coming.get(planned.id, 0.0) * taken_min
    relief_factor = learned.relief_factor()
    seats: list[Seat] = []
    for place, window in enumerate(at_work):
        bit = 1 << place
        pace = learned.pace(window.clerk)
        speeds = tuple(
            (index, 1.0 / pace if own & bit else 1.0 / (pace * relief_factor))
            for index, (own, relief) in enumerate(may)
            if (own | relief) & bit
        )
        if speeds:
            busy_min = left_min(state, window, now_ms) + bound_ms.get(window.no, 0) / MS_PER_MIN
            seats.append(Seat(no=window.no, speeds=speeds, busy_min=busy_min))
    return queues, seats


def spread(queues: Collection[Queue], seats: Collection[Seat]) -> list[float]:
    """Give the minutes to clear each queue when every window works where it takes longest; `given` says where it is.

    A window that is taken for a while counts as that much more work where it will then be.
    """
    work = [queue.work_min + queue.coming_min for queue in queues]
    power = [0.0 for _ in queues]
    flexible = []
    for seat in seats:
        if len(seat.speeds) == 1:
            ((index, speed),) = seat.speeds
            power[index] += speed
            work[index] += speed * seat.busy_min
            seat.given = [(index, speed, 1.0)]
        else:
            flexible.append(seat)
            seat.given = []
    for _ in range(ROUNDS):
        for seat in flexible:
            for index, speed, share in seat.given:
                power[index] -= speed * share
                work[index] -= speed * share * seat.busy_min
            seat.given = _filled(seat.speeds, work, power)
            for index, speed, share in seat.given:
                power[index] += speed * share
                work[index] += speed * share * seat.busy_min
    return [_over(*it) for it in zip(work, power, strict=True)]


def windows_at_work(state: HallState) -> list[WindowState]:
    """Give the windows with somebody at them that take calls, in the order of the plan."""
    found = []
    for planned in state.plan.windows:
        window = state.windows[planned.no]
        if window.clerk is not None and window.paused is None:
            found.append(window)
    return found


def duties_of(state: HallState, window: WindowState) -> Duties:
    """Give what a window serves and what it relieves: nothing where the hall's rule is static."""
    return window.serves, () if state.plan.rule is CallingRule.STATIC else window.relief


def left_min(state: HallState, window: WindowState, now_ms: int) -> float:
    """Give the minutes for which a window is still taken by its current visitor, as far as one can know.

    Visits vary, so one that has lasted as long as the mean is not about to end. Source: Whitt 1999, on using the time
    already spent in service.
    """
    if window.current is None:
        return 0.0
    ticket = state.tickets[window.current]
    learned = state.learned
    mean_min = state.mean_s(ticket.service) * learned.pace(window.clerk) / 60.0
    if ticket.service in window.relief:
        mean_min *= learned.relief_factor()
    begun_ms = ticket.started_ms or ticket.called_ms or now_ms
    passed_min = (now_ms - begun_ms) / MS_PER_MIN
    return max(RESIDUAL_LEAST * mean_min, mean_min - RESIDUAL_SLOPE * passed_min)


def _filled(
    speeds: tuple[tuple[int, float], ...], work: list[float], power: list[float]
) -> list[tuple[int, float, float]]:
    """Share one window's time between its queues so that those it works at are cleared at the same moment."""
    order = sorted((-_over(work[index], power[index]), index, speed) for index, speed in speeds)
    given, wanted, there = 0, 0.0, 0.0
    level = NEVER_MIN
    for minutes, index, speed in order:
        if given and -minutes <= level:
            break
        given += 1
        wanted += work[index] / speed
        there += power[index] / speed
        level = wanted / (1.0 + there)
    if level <= 0.0:
        return [(order[0][1], order[0][2], 1.0)]
    return [(index, speed, (work[index] / level - power[index]) / speed) for _, index, speed in order[:given]]


def _over(work: float, power: float) -> float:
    if work <= 0.0:
        return 0.0
    return min(NEVER_MIN, work / power) if power > 1e-9 else NEVER_MIN
