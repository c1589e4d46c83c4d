"""The hall played forward a few times, to see when somebody who waits now, or takes a number now, would be called.

Everybody who waits stands in a row of those whom the same windows may serve; windows become free, their clerks work at
their pace, leave for lunch and come back as on one of the last days, and take who is next by the hall's rule
(`forward`). Meanwhile people go on coming as `habits` expect: priorities overtake, and other zones call helpers
away. How long each visit takes is read off fixed tables (`chances`): what happens next is long in one play, short in
another and between in a third, in equal parts, so that few plays say much and the same hall gives the same answer
everywhere. The middle of the plays is where the wait lies, their spread how sure that is; `forecast` makes a promise of
the two.

Source: forward simulation of the queue's state as in Ibrahim and Whitt 2011.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.chances import served_step
from server.domain.forward import FURTHEST_MIN, SOON_MIN, Play, Position, Row, Seat, Side
from server.domain.habits import LOAD_PRIOR, NEVER, back_from
from server.domain.state import MS_PER_MIN, HallState, WindowState
from server.domain.terms import (
    APPOINTMENT,
    ORDINARY,
    AppointmentStatus,
    CallingRule,
    PauseReason,
    PriorityId,
    ServiceId,
    TicketId,
    WindowNo,
    ZoneId,
)

PLAYS_MIN, PLAYS_MAX = 4, 12
PEOPLE_PLAYED = 800  # plays x people waiting: many plays of a short row, few of a long one, which is surer by itself
LATER_MIN = 90.0  # until then who comes later than `SOON_MIN` is expected at the rate of that time
FEWEST = 0.5  # who is not expected even so often in the furthest time is not expected

LONG_PAUSES = (PauseReason.LUNCH, PauseReason.MEETING)  # these end as on other days, where that is known
SHOWS_UP = 0.9  # of who has booked a time today
BOOKED_MIN = 90.0  # so far ahead appointments are looked up

Servers = tuple[tuple[WindowNo, bool], ...]  # who may serve, and whether it is own work there


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How long somebody would wait, by the plays: minutes (mean of the middle half), and their standard deviation."""

    middle_min: float
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


def newcomer(state: HallState, who: Newcomer, now_ms: int) -> Seen | None:
    """Give how long somebody who takes a number would wait, or None when no window at work serves the service."""
    if not state.lanes and not who.more and not who.after_min and _stands_free(state, who):
        return Seen(middle_min=0.0, spread_min=0.0)
    return _Lookahead(state, now_ms, [who]).play(everybody=False)[0][0]


def newcomers(state: HallState, asked: Sequence[Newcomer], now_ms: int) -> list[Seen | None]:
    """Give the answers for those who ask, in order."""
    return _Lookahead(state, now_ms, asked).play(everybody=False)[0]


def everybody(
    state: HallState, now_ms: int, asked: Sequence[Newcomer] = ()
) -> tuple[list[Seen | None], dict[TicketId, Seen]]:
    """Give the answers for those who ask, in order, and for everybody who waits whom a window at work may serve."""
    return _Lookahead(state, now_ms, asked).play(everybody=True)


def _stands_free(state: HallState, who: Newcomer) -> bool:
    return any(
        window.clerk is not None
        and window.paused is None
        and window.current is None
        and (who.service in window.serves or who.service in window.relief)
        and who.window in (None, no)
        for no, window in state.windows.items()
    )


class _Lookahead:
    """The position of a hall, and whose rows are whose."""

    def __init__(self, state: HallState, now_ms: int, asked: Sequence[Newcomer]) -> None:
        self._state, self._now_ms, self._asked = state, now_ms, asked
        plan = state.plan
        waiting = sum(len(lane) for _, lane in state.lane_items())
        self._plays = max(PLAYS_MIN, min(PLAYS_MAX, PEOPLE_PLAYED // (waiting + 30)))
        self._zones = {zone.id: place for place, zone in enumerate(plan.zones)}
        self._taken = {it.id: state.learned.taken_s(it) / 60.0 for it in plan.services}
        self._servers = self._who_serves()
        self._rows: list[Row] = []
        self._of_row: list[Servers] = []
        self._row_of: dict[tuple[int, Servers, PriorityId], int] = {}
        self._asked_in: dict[int, list[int]] = {}  # places of those who ask, by their row
        self._ids = self._line_up()
        self._expect()
        self._ask()
        guard = plan.fairness
        credit = {CallingRule.OLDEST_WAITING: plan.home_credit_min, CallingRule.HOME_FIRST: NEVER}
        self._position = Position(
            rows=self._rows,
            seats=self._sit(),
            in_a_row=[state.in_a_row.get(zone.id, 0) for zone in plan.zones],
            balanced=plan.rule is CallingRule.BALANCED,
            credit_min=credit.get(plan.rule, 0.0),
            oldest_first_after_min=guard.oldest_first_after_min,
            ratio=guard.ratio,
            plays=self._plays,
        )

    def play(self, *, everybody: bool) -> tuple[list[Seen | None], dict[TicketId, Seen]]:
        """Give how long those who ask, and with `everybody` all who wait, wait in the mean of the plays."""
        served = {row for seat in self._position.seats if seat.at_work for side in seat.sides for row in side.rows}
        waits: dict[int, list[list[float]]] = {
            index: [[] for _ in row.arrivals]
            for index, row in enumerate(self._rows)
            if index in served and (row.is_asked or (everybody and index in self._ids))
        }
        for number in range(self._plays):
            self._once(number, waits)
        answers: list[Seen | None] = [None] * len(self._asked)
        tickets: dict[TicketId, Seen] = {}
        for index, found in waits.items():
            row = self._rows[index]
            if row.is_asked:
                seen = _seen(found[-1], row.arrivals[-1])
                for place in self._asked_in[index]:
                    answers[place] = seen
            else:
                tickets |= {id_: _seen(it, 0.0) for id_, it in zip(self._ids[index], found, strict=True)}
        return answers, tickets

    def _once(self, number: int, waits: dict[int, list[list[float]]]) -> None:
        """Play until everybody in `waits` has been called, and note when that was."""
        play = Play(self._position, number)
        left = sum(map(len, waits.values()))
        while left and (call := play.next_call()) is not None:
            now, index = call
            place = play.called[index] - 1
            if index in waits and place < len(waits[index]):
                waits[index][place].append(now)
                left -= 1
        if left:
            for index, found in waits.items():
                for it in found[play.called[index] :]:
                    it.append(FURTHEST_MIN)

    def _who_serves(self) -> dict[ServiceId, Servers]:
        """Give the windows of each service, whether anybody sits there now or not."""
        found: dict[ServiceId, list[tuple[WindowNo, bool]]] = {it.id: [] for it in self._state.plan.services}
        relieves = self._state.plan.rule is not CallingRule.STATIC
        for planned in self._state.plan.windows:
            window = self._state.windows[planned.no]
            for service in window.serves:
                found[service].append((planned.no, True))
            for service in window.relief if relieves else ():
                if service not in window.serves:
                    found[service].append((planned.no, False))
        return {service: tuple(servers) for service, servers in found.items()}

    def _line_up(self) -> dict[int, list[TicketId]]:
        """Put everybody who waits into a row; give who they are."""
        together: dict[int, list[tuple[int, int, TicketId, float]]] = {}
        order = {service: place for place, service in enumerate(self._taken)}
        for (service, priority, bound), lane in sorted(
            self._state.lane_items(), key=lambda it: (order[it[0][0]], it[0][1], it[0][2] or "")
        ):
            row = self._row(service, priority, self._servers[service] if bound is None else ((bound, True),))
            taken = self._taken[service]
            together.setdefault(row, []).extend((since_ms, place, id_, taken) for since_ms, place, id_ in lane)
        for index, spots in together.items():
            spots.sort()
            self._rows[index].arrivals = [(since_ms - self._now_ms) / MS_PER_MIN for since_ms, _, _, _ in spots]
            self._rows[index].works = [taken for _, _, _, taken in spots]
        return {index: [id_ for _, _, id_, _ in spots] for index, spots in together.items()}

    def _row(self, service: ServiceId, priority: PriorityId, servers: Servers) -> int:
        """Give the row of a priority whom the same windows serve; a new one where there is none."""
        key = (self._zones[self._state.plan.service[service].zone], servers, priority)
        found = self._row_of.get(key)
        if found is None:
            found = self._row_of[key] = self._add(service, priority, servers)
        return found

    def _add(self, service: ServiceId, priority: PriorityId, servers: Servers, *, is_asked: bool = False) -> int:
        plan = self._state.plan
        rule = plan.priority.get(priority) or plan.priority[ORDINARY]
        self._rows.append(
            Row(
                zone=self._zones[plan.service[service].zone],
                slope=rule.slope,
                head_start=rule.head_start_min,
                is_ordinary=priority == ORDINARY,
                is_asked=is_asked,
            )
        )
        self._of_row.append(servers)
        return len(self._rows) - 1

    def _expect(self) -> None:
        """Let people go on coming, at the rates of the hall's habits."""
        state, plan = self._state, self._state.plan
        shares = state.habits.shares(plan.priority.keys())
        if any(service.appointments for service in plan.services):  # who has booked is known
            del shares[APPOINTMENT]
            self._book()
        staffed: dict[ZoneId, float] = {}
        for planned in plan.windows:
            if planned.staffed and state.windows[planned.no].serves:
                staffed[planned.zone] = staffed.get(planned.zone, 0.0) + 1.0
        of_zone: dict[ZoneId, list[ServiceId]] = {}
        for service in plan.services:
            if self._servers[service.id]:
                of_zone.setdefault(service.zone, []).append(service.id)
        rates: dict[int, list[tuple[float, float, float]]] = {}  # by row: soon, later, work of each
        for zone, services in of_zone.items():
            parts = [state.habits.by_service.get(it, 0.0) + 1.0 for it in services]
            total = sum(parts)
            taken = sum(part * self._taken[it] for part, it in zip(parts, services, strict=True)) / total
            usual = LOAD_PRIOR * staffed.get(zone, 0.5) / taken
            spans = ((0.0, SOON_MIN), (SOON_MIN, LATER_MIN))
            soon, later = state.habits.coming(zone, self._now_ms, usual, spans)
            for it, part in zip(services, parts, strict=True):
                for priority, share in shares.items():
                    rate = share * part / total
                    if rate * max(soon, later) * FURTHEST_MIN >= FEWEST:
                        row = self._row(it, priority, self._servers[it])
                        rates.setdefault(row, []).append((rate * soon, rate * later, self._taken[it]))
        for index, flows in rates.items():
            row_, both = self._rows[index], sum(soon + later for soon, later, _ in flows)
            row_.gap = 1.0 / max(1.0 / NEVER, sum(soon for soon, _, _ in flows))
            row_.later_gap = 1.0 / max(1.0 / NEVER, sum(later for _, later, _ in flows))
            row_.work = sum((soon + later) * work for soon, later, work in flows) / both

    def _book(self) -> None:
        """Let those who have booked a time come at it."""
        coming: dict[ServiceId, list[float]] = {}
        for it in self._state.appointments.values():
            after = (it.starts_ms - self._now_ms) / MS_PER_MIN
            if it.status is AppointmentStatus.BOOKED and 0.0 <= after <= BOOKED_MIN and self._servers.get(it.service):
                coming.setdefault(it.service, []).append(after)
        for service in self._taken:
            if service in coming:
                row = self._rows[self._add(service, APPOINTMENT, self._servers[service])]
                row.arrivals = sorted(coming[service])
                row.works = [SHOWS_UP * self._taken[service]] * len(row.arrivals)

    def _ask(self) -> None:
        """Let those who ask stand in rows of their own: they come at their time and take nobody's.

        Who would stand in the same row and come at the same time waits as long: one answer for all of them.
        """
        known: dict[tuple[int, Servers, PriorityId, float, ServiceId | None, int], int] = {}
        for place, who in enumerate(self._asked):
            servers = self._servers[who.service] if who.window is None else ((who.window, True),)
            zone = self._zones[self._state.plan.service[who.service].zone]
            key = (zone, servers, who.priority, who.after_min, who.service if who.more else None, who.more)
            index = known.get(key)
            if index is None:
                index = known[key] = self._add(who.service, who.priority, servers, is_asked=True)
                self._rows[index].arrivals = [who.after_min] * (who.more + 1)
                self._rows[index].works = [self._taken[who.service]] * who.more + [0.0]
            self._asked_in.setdefault(index, []).append(place)

    def _sit(self) -> list[Seat]:
        """Give the windows at which somebody sits or is expected, those that may do least first.

        So of two free windows the one with less choice takes who comes, as the rule leaves it to do.
        """
        state, plan, habits = self._state, self._state.plan, self._state.habits
        relief_factor = state.learned.relief_factor()
        now = habits.minute(self._now_ms)
        of: dict[ZoneId, int] = {}
        for planned in plan.windows:
            of[planned.zone] = of.get(planned.zone, 0) + planned.staffed
        rows: dict[WindowNo, dict[tuple[int, bool], list[int]]] = {planned.no: {} for planned in plan.windows}
        for index, servers in enumerate(self._of_row):
            for no, own in servers:
                rows[no].setdefault((self._rows[index].zone, own), []).append(index)
        places: dict[ZoneId, int] = {}
        seats = []
        for planned in plan.windows:
            window = state.windows[planned.no]
            place = places.get(planned.zone, 0)
            places[planned.zone] = place + planned.staffed
            at_work = window.clerk is not None and window.paused is None
            turns = [
                habits.away(
                    planned.no, planned.zone, now, is_staffed=at_work, place=place, of=of[planned.zone], play=play
                )
                for play in range(self._plays)
            ]
            if window.clerk is not None and window.paused is not None:
                back = back_from(window.paused, (self._now_ms - window.paused_ms) / MS_PER_MIN)
                brief = window.paused not in LONG_PAUSES
                turns = [(NEVER, back if brief or then >= NEVER else then) for _, then in turns]
            if not rows[planned.no] or not (at_work or any(back < NEVER for _, back in turns)):
                continue
            sides = [
                Side(zone, own, tuple(indices), 1.0 if own else relief_factor)
                for (zone, own), indices in rows[planned.no].items()
            ]
            last = self._zones.get(window.last_zone, -1) if window.last_zone is not None else -1
            pace = state.learned.pace(window.clerk)
            seats.append(Seat(pace, at_work, self._current(window, pace, relief_factor), sides, last, turns))
        return sorted(seats, key=lambda it: sum(len(side.rows) for side in it.sides))

    def _current(self, window: WindowState, pace: float, relief_factor: float) -> tuple[float, int] | None:
        if window.current is None:
            return None
        ticket = self._state.tickets[window.current]
        mean = self._state.mean_s(ticket.service) / 60.0 * pace
        if ticket.service not in window.serves:
            mean *= relief_factor
        begun_ms = ticket.started_ms or ticket.called_ms or self._now_ms
        return mean, served_step((self._now_ms - begun_ms) / MS_PER_MIN, mean)


def _seen(minutes: list[float], from_: float) -> Seen:
    """Give where the middle half of the plays lies: a single long one says little of what most visitors wait."""
    minutes.sort()
    outside = len(minutes) // 4
    middle = sum(minutes[outside : len(minutes) - outside]) / (len(minutes) - 2 * outside)
    mean = sum(minutes) / len(minutes)
    spread = math.sqrt(sum((it - mean) ** 2 for it in minutes) / len(minutes))
    return Seen(middle_min=max(0.0, middle - from_), spread_min=spread)
