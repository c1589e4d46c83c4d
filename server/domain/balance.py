"""Hot and cold windows, and what to do about them: heat, predicted waits, and skills to switch on or off.

A zone is hot when who comes now would wait long against what the hall aims at; a window when its zone is, and by how
much more than its fair share it works. Against a hot zone helps a window whose clerk is trained for it and does not
serve it now. What such a change would save is predicted for the next hour: everybody who waits and everybody who is
expected is spread over the windows as `workload` does it, with the change and without, and the minutes that people then
spend waiting are counted (queues flow, and every ten minutes windows go where most is left). Only what is clearly worth
a click is suggested: the helped zone must be worse off than where help comes from by more than `Limits.difference_min`,
the gain at least `Limits.gain_min` minutes of people's time, a few changes at once and each held for a while, and no
zone is left without a window. Everything is read from the state and decided anew; nothing is remembered here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.domain.habits import LOAD_PRIOR
from server.domain.state import MS_PER_MIN, HallState, WindowState
from server.domain.terms import CallingRule, ServiceId, WindowNo, ZoneId
from server.domain.workload import NEVER_MIN, Duties, Queue, Seat, duties_of, load, spread, windows_at_work

HOUR_MIN = 60.0  # the time for which effects are predicted
STEPS = 6  # in which it is played forward


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a manager lets suggestions do; `windows` None: all of them may change."""

    at_once: int = 4  # skills beside the hall file switched on at the same time
    shown: int = 2  # suggestions given at once
    difference_min: float = 6.0  # how much longer the helped zone's predicted wait must be
    gain_min: float = 10.0  # minutes of people's time saved in the next hour
    hold_min: float = 90.0  # a change is not taken back before
    windows: frozenset[WindowNo] | None = None


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneHeat:
    """How a zone is off. `wait_min`: of who comes now, None when nobody at work serves it; `heat`: that over target."""

    zone: ZoneId
    waiting: int
    oldest_min: float  # since the first of them came; 0 when nobody waits
    windows: int  # at work for it, relieving ones too
    wait_min: float | None
    target_min: float
    heat: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowHeat:
    """How busy a window at work is. `share`: its work today over the fair share for its time signed on, 1 is fair."""

    window: WindowNo
    zone: ZoneId
    heat: float | None  # of the worst zone it serves as own work
    share: float | None  # None until somebody has worked
    idle_min: float | None  # since when it is free; None while it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Let a window serve a zone from now on, or no longer (`on` false: what was switched on beside the hall file).

    `gain_min`: minutes of people's time that this saves in the next hour (a change back may cost some). `before_min`
    and `after_min`: predicted wait in the zone; `home_before_min`, `home_after_min` where the window has its own work.
    """

    window: WindowNo
    zone: ZoneId
    on: bool
    services: tuple[ServiceId, ...]
    gain_min: float
    before_min: float
    after_min: float
    home: ZoneId
    home_before_min: float
    home_after_min: float


def predicted(state: HallState, now_ms: int) -> dict[ZoneId, float | None]:
    """Give the minutes that somebody who came now would wait, by zone that queues; None: nobody at work serves it."""
    outlook, served = _Outlook(state, now_ms), _served(state)
    return {zone.id: outlook.wait_min(zone.id) if zone.id in served else None for zone in state.plan.queues}


def _served(state: HallState) -> set[ZoneId]:
    """Give the zones with a window at work that serves or relieves something there."""
    service = state.plan.service
    return {
        service[it].zone for window in windows_at_work(state) for duties in duties_of(state, window) for it in duties
    }


def heat(
    state: HallState, now_ms: int, waits: Mapping[ZoneId, float | None] | None = None
) -> tuple[list[ZoneHeat], list[WindowHeat]]:
    """Give how hot every zone that queues and every window at work is.

    `waits`: minutes that who comes now waits, where a forecast is at hand; else by the work that waits (`predicted`).
    """
    waits = predicted(state, now_ms) if waits is None else waits
    zones = [_zone_heat(state, waits.get(zone.id), zone.id, now_ms) for zone in state.plan.queues]
    of_zone = {it.zone: it.heat for it in zones}
    at_work = windows_at_work(state)
    worked = {it.no: _worked_min(state, it, now_ms) for it in at_work}
    signed_on = {it.no: _signed_on_min(state, it, now_ms) for it in at_work}
    pace = sum(worked.values()) / max(1.0, sum(signed_on.values()))
    windows = []
    for window in at_work:
        own = {state.plan.service[service].zone for service in window.serves}
        heats = [each for zone in sorted(own) if (each := of_zone.get(zone)) is not None]
        fair = pace * signed_on[window.no]
        windows.append(
            WindowHeat(
                window=window.no,
                zone=state.plan.window[window.no].zone,
                heat=max(heats, default=None),
                share=worked[window.no] / fair if fair > 0.0 else None,
                idle_min=None if window.current else (now_ms - window.since_ms) / MS_PER_MIN,
            )
        )
    return zones, windows


def suggest(state: HallState, now_ms: int, limits: Limits = LIMITS) -> list[Suggestion]:
    """Give the changes worth a click now, in the order in which they are to be made, at most `limits.shown`.

    When as many skills are switched on as may be, the one that is missed least is switched off for a much better one.
    """
    if state.plan.rule is CallingRule.STATIC:  # nobody relieves there
        return []
    outlook, found = _Outlook(state, now_ms), list[Suggestion]()
    active = switched_on(state)
    while len(found) < limits.shown:
        change = _best(outlook, active, limits, frozenset((it.window, it.zone) for it in found))
        if not change:
            break
        found += change
        for it in change:
            outlook = outlook.changed(it.window, it.services, on=it.on)
            active = active | {(it.window, it.zone)} if it.on else active - {(it.window, it.zone)}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What comes of letting a window serve a service (`on`), or no longer; minutes as in `Suggestion`.

    `before_min` and `after_min` are of who comes for that service, None where nobody at work serves it.
    """

    window: WindowNo
    on: bool
    gain_min: float
    before_min: float | None
    after_min: float | None
    home: ZoneId
    home_before_min: float
    home_after_min: float


def what_if(state: HallState, now_ms: int, service: ServiceId) -> list[Effect]:
    """Give what comes of giving a service to each window at work that has it not, and of taking it from each that has.

    Whether as own work or as relief makes no difference to the prediction of waits worth telling: it is of relief.
    """
    outlook, found = _Outlook(state, now_ms), []
    for window in windows_at_work(state):
        on = service not in (*window.serves, *window.relief)
        after, home = outlook.changed(window.no, (service,), on=on), _home(outlook, window.no)
        found.append(
            Effect(
                window=window.no,
                on=on,
                gain_min=outlook.cost_min() - after.cost_min(),
                before_min=_known_min(outlook.wait_for_min(service)),
                after_min=_known_min(after.wait_for_min(service)),
                home=home,
                home_before_min=outlook.wait_min(home),
                home_after_min=after.wait_min(home),
            )
        )
    return found


def _known_min(wait_min: float) -> float | None:
    return None if wait_min >= NEVER_MIN else wait_min


def switched_on(state: HallState) -> frozenset[tuple[WindowNo, ZoneId]]:
    """Give the (window, zone) with services that the window may serve now beside what the hall file says."""
    found = set()
    for planned in state.plan.windows:
        window, usual = state.windows[planned.no], {*planned.serves, *planned.relief}
        found |= {
            (window.no, state.plan.service[service].zone)
            for service in (*window.serves, *window.relief)
            if service not in usual
        }
    return frozenset(found)


def could_serve(state: HallState, no: WindowNo) -> dict[ZoneId, tuple[ServiceId, ...]]:
    """Give what a window is trained for and does not serve now, by zone."""
    planned, window = state.plan.window[no], state.windows[no]
    found: dict[ZoneId, tuple[ServiceId, ...]] = {}
    for service in (*planned.serves, *planned.relief, *planned.trained):
        if service not in window.serves and service not in window.relief:
            zone = state.plan.service[service].zone
            found[zone] = (*found.get(zone, ()), service)
    return found


_Skills = frozenset[tuple[WindowNo, ZoneId]]
_Coming = Mapping[ServiceId, float]  # people expected in the next hour


class _Outlook:
    """The next hour as it looks now, with some windows serving other than they do."""

    def __init__(
        self,
        state: HallState,
        now_ms: int,
        assigned: Mapping[WindowNo, Duties] | None = None,
        coming: _Coming | None = None,
    ) -> None:
        self.state, self.now_ms, self.assigned = state, now_ms, dict(assigned or {})
        self._coming = coming if coming is not None else _expected(state, now_ms)
        self._waits: dict[ZoneId, float] | None = None
        self._of_service: dict[ServiceId, float] = {}
        self._cost: float | None = None

    def changed(self, no: WindowNo, services: tuple[ServiceId, ...], *, on: bool) -> "_Outlook":
        """Give the outlook with services switched on (as relief) or off at a window."""
        serves, relief = self.duties(no)
        if on:
            duties = serves, (*relief, *services)
        else:
            duties = tuple(it for it in serves if it not in services), tuple(it for it in relief if it not in services)
        return _Outlook(self.state, self.now_ms, {**self.assigned, no: duties}, self._coming)

    def duties(self, no: WindowNo) -> Duties:
        """Give what a window may serve."""
        return self.assigned.get(no) or duties_of(self.state, self.state.windows[no])

    def wait_min(self, zone: ZoneId) -> float:
        """Give the minutes that somebody who came now would wait."""
        if self._waits is None:
            nobody = dict.fromkeys(self.state.plan.service, 0.0)
            queues, seats = load(self.state, self.now_ms, coming=nobody, assigned=self.assigned)
            self._waits = {}
            for queue, minutes in zip(queues, spread(queues, seats), strict=True):
                self._waits[queue.zone] = max(minutes, self._waits.get(queue.zone, 0.0))
                self._of_service.update(dict.fromkeys(queue.services, minutes))
        return self._waits.get(zone, 0.0)

    def wait_for_min(self, service: ServiceId) -> float:
        """Give the minutes that somebody who came now for a service would wait; `NEVER_MIN` where nobody serves it."""
        if not any(service in row for window in windows_at_work(self.state) for row in self.duties(window.no)):
            return NEVER_MIN
        self.wait_min(self.state.plan.service[service].zone)
        return self._of_service.get(service, 0.0)

    def cost_min(self) -> float:
        """Give the minutes that all people together will wait in the next hour."""
        if self._cost is None:
            queues, seats = load(self.state, self.now_ms, coming=self._coming, assigned=self.assigned)
            self._cost = played_forward(queues, seats)
        return self._cost


def played_forward(queues: Sequence[Queue], seats: Sequence[Seat]) -> float:
    """Give the minutes that people wait in the next hour: queues flow, and in every step windows go where most is left.

    The queues are what waits now and comes within the hour; both lists are used up.
    """
    taken_min = [(it.work_min + it.coming_min) / max(1e-9, it.people + it.coming) for it in queues]
    come_min = [it.coming_min / STEPS for it in queues]
    step_min, total = HOUR_MIN / STEPS, 0.0
    for _ in range(STEPS):
        for queue, come in zip(queues, come_min, strict=True):
            queue.coming_min = come
        spread(queues, seats)
        done = [0.0 for _ in queues]
        for seat in seats:
            free_min = max(0.0, step_min - seat.busy_min)
            seat.busy_min = max(0.0, seat.busy_min - step_min)
            for index, speed, share in seat.given:
                done[index] += speed * share * free_min
        for index, queue in enumerate(queues):
            before, queue.work_min = queue.work_min, max(0.0, queue.work_min + come_min[index] - done[index])
            if taken_min[index] > 0.0:
                total += (before + queue.work_min) / 2.0 / taken_min[index] * step_min
    return total


def _expected(state: HallState, now_ms: int) -> dict[ServiceId, float]:
    """Give how many people are expected in the next hour for each service."""
    plan, habits, learned = state.plan, state.habits, state.learned
    at_work = windows_at_work(state)
    found: dict[ServiceId, float] = {}
    for zone in plan.queues:
        services = [it for it in plan.services if it.zone == zone.id]
        if not services:
            continue
        parts = [habits.by_service.get(it.id, 0.0) + 1.0 for it in services]
        taken_s = sum(part * learned.taken_s(it) for part, it in zip(parts, services, strict=True)) / sum(parts)
        own = sum(any(plan.service[it].zone == zone.id for it in window.serves) for window in at_work)
        (rate,) = habits.coming(zone.id, now_ms, LOAD_PRIOR * own * 60.0 / taken_s, ((0.0, HOUR_MIN),))
        for part, service in zip(parts, services, strict=True):
            found[service.id] = rate * HOUR_MIN * part / sum(parts)
    return found


def _best(outlook: _Outlook, active: _Skills, limits: Limits, told: _Skills) -> list[Suggestion]:
    """Give the best change: one switched on, or where there is no room one off for it; nothing when nothing pays."""
    if len(active) < limits.at_once:
        if best := _best_on(outlook, limits, told):
            return [best]
    elif missed_least := max(_offs(outlook, active, limits, told), key=_order, default=None):
        without = outlook.changed(missed_least.window, missed_least.services, on=False)
        taken = told | {(missed_least.window, missed_least.zone)}
        if best := _best_on(without, limits, taken, at_least_min=limits.gain_min - missed_least.gain_min):
            return [missed_least, best]
    idle = [
        it
        for it in _offs(outlook, active, limits, told)
        if it.gain_min > -limits.gain_min / 2 and it.before_min < it.home_before_min
    ]
    return [max(idle, key=_order)] if idle else []


def _best_on(outlook: _Outlook, limits: Limits, told: _Skills, at_least_min: float = 0.0) -> Suggestion | None:
    """Give the skill that saves most when it is switched on, if that is worth it."""
    state, found = outlook.state, list[Suggestion]()
    for window in windows_at_work(state):
        home = _home(outlook, window.no)
        if not _may_change(window, limits):
            continue
        for zone, services in could_serve(state, window.no).items():
            if (window.no, zone) in told or _is_held(window, zone, outlook.now_ms, limits):
                continue
            if outlook.wait_min(zone) - outlook.wait_min(home) > limits.difference_min:
                found.append(_change(outlook, window.no, zone, services, home, on=True))
    best = max(found, key=_order, default=None)
    return best if best is not None and best.gain_min >= max(limits.gain_min, at_least_min) else None


def _offs(outlook: _Outlook, active: _Skills, limits: Limits, told: _Skills) -> Iterator[Suggestion]:
    """Give what could be switched off again: held long enough, and not where it is all that a zone has."""
    state = outlook.state
    for no, zone in sorted(active - told):
        window = state.windows[no]
        if window.clerk is None or not _may_change(window, limits) or _is_held(window, zone, outlook.now_ms, limits):
            continue
        planned = state.plan.window[no]
        services = tuple(
            it
            for it in (*window.serves, *window.relief)
            if state.plan.service[it].zone == zone and it not in planned.serves and it not in planned.relief
        )
        others = [it for it in windows_at_work(state) if it.no != no]
        if all(any(it in other.serves or it in other.relief for other in others) for it in services):
            yield _change(outlook, no, zone, services, _home(outlook, no), on=False)


def _change(
    outlook: _Outlook, no: WindowNo, zone: ZoneId, services: tuple[ServiceId, ...], home: ZoneId, *, on: bool
) -> Suggestion:
    after = outlook.changed(no, services, on=on)
    return Suggestion(
        window=no,
        zone=zone,
        on=on,
        services=services,
        gain_min=outlook.cost_min() - after.cost_min(),
        before_min=outlook.wait_min(zone),
        after_min=after.wait_min(zone),
        home=home,
        home_before_min=outlook.wait_min(home),
        home_after_min=after.wait_min(home),
    )


def _home(outlook: _Outlook, no: WindowNo) -> ZoneId:
    """Give the zone of a window's own work where it is longest, that of the window itself when it has none."""
    plan = outlook.state.plan
    own = {plan.service[service].zone for service in outlook.duties(no)[0]}
    return max(sorted(own), key=outlook.wait_min, default=plan.window[no].zone)


def _may_change(window: WindowState, limits: Limits) -> bool:
    return limits.windows is None or window.no in limits.windows


def _is_held(window: WindowState, zone: ZoneId, now_ms: int, limits: Limits) -> bool:
    switched_ms = window.switched_ms.get(zone)
    return switched_ms is not None and now_ms - switched_ms < limits.hold_min * MS_PER_MIN


def _order(it: Suggestion) -> tuple[float, WindowNo, ZoneId]:
    return it.gain_min, it.window, it.zone


def _zone_heat(state: HallState, wait_min: float | None, zone: ZoneId, now_ms: int) -> ZoneHeat:
    services = {it.id: it for it in state.plan.services if it.zone == zone}
    lanes = [lane for (service, _, _), lane in state.lane_items() if service in services]
    joined_ms = [state.tickets[id_].joined_ms for lane in lanes for _, _, id_ in lane[:1]]
    serving = [it for it in windows_at_work(state) if any(services.keys() & {*each} for each in duties_of(state, it))]
    target_min = min((it.target_wait_min for it in services.values()), default=0.0)
    return ZoneHeat(
        zone=zone,
        waiting=sum(map(len, lanes)),
        oldest_min=max(0, now_ms - min(joined_ms, default=now_ms)) / MS_PER_MIN,
        windows=len(serving),
        wait_min=wait_min,
        target_min=target_min,
        heat=wait_min / target_min if wait_min is not None and target_min > 0.0 else None,
    )


def _worked_min(state: HallState, window: WindowState, now_ms: int) -> float:
    """Give the minutes a window has worked today, with its current visitor."""
    current = state.tickets[window.current] if window.current is not None else None
    begun_ms = current.started_ms or current.called_ms or now_ms if current is not None else now_ms
    return window.busy_s_today / 60.0 + (now_ms - begun_ms) / MS_PER_MIN


def _signed_on_min(state: HallState, window: WindowState, now_ms: int) -> float:
    """Give the minutes for which somebody has sat at a window today."""
    now, total, since = state.habits.minute(now_ms), 0.0, None
    for minute, comes in state.habits.turns_today.get(window.no, ()):
        if comes:
            since = minute
        elif since is not None:
            total, since = total + minute - since, None
    return total + (now - since if since is not None else 0.0)
