"""Live rebalancing (岗位互补): suggestions applied, declined, undone, by a manager or by the hall itself within limits.

A suggestion is named by what it does ("on-9-tax"), so it keeps its name while it stands. Applying one that stands no
longer is refused: the hall has changed since it was read. Every change says what was predicted; after an hour it says
what came of it: the mean wait of those called in that zone meanwhile. Changes end with the day, since tomorrow's rush
is another.

When a zone stays hot (`relief_heat` times its target) the clerks who could relieve it are told at their consoles, until
it has cooled to half of that. Windows may also change their duties by the clock (潮汐窗口): `Window.tides`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.balance import LIMITS, Limits, could_serve, heat, suggest
from server.domain.balance import Suggestion as Advice
from server.domain.calendar import local
from server.domain.records import BalanceChange, ReliefCall
from server.domain.refusals import Code, Refusal
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import ServiceId, Tide, WindowNo, ZoneId

Command = c.ApplySuggestion | c.DeclineSuggestion | c.UndoChange | c.SetBalanceLimits | c.LookAround
Event = (
    e.BalanceApplied
    | e.BalanceDeclined
    | e.BalanceUndone
    | e.BalanceJudged
    | e.BalanceLimitsSet
    | e.ReliefCalled
    | e.ReliefEnded
    | e.TideTurned
)

JUDGED_AFTER_MIN = 60
DECLINED_FOR_MIN = 60
CHANGES_MAX = 200  # of a day
AUTOMATIC_EVERY_MIN = 5
COOL = 0.5  # of the heat at which relief was called


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command.

    Raises:
        Refusal: the suggestion stands no longer, the change is none that can be undone, or nothing is due.
    """
    match command:
        case c.ApplySuggestion():
            return _applied(state, _standing(state, command.suggestion, now_ms), by=command.by)
        case c.DeclineSuggestion():
            _standing(state, command.suggestion, now_ms)
            until_ms = now_ms + DECLINED_FOR_MIN * MS_PER_MIN
            return [e.BalanceDeclined(suggestion=command.suggestion, by=command.by, until_ms=until_ms)]
        case c.UndoChange():
            return _undone(state, _open_change(state, command.change), by=command.by, reason=command.reason)
        case c.SetBalanceLimits():
            for no in command.limits.windows or ():
                if no not in state.plan.window:
                    raise Refusal(Code.WINDOW_NOT_FOUND, window=no)
            return [e.BalanceLimitsSet(limits=command.limits, by=command.by)]
        case c.LookAround():
            if not (events := due(state, now_ms)):
                raise Refusal(Code.NOTHING_DUE)
            return events
        case _:
            assert_never(command)


def limits(state: HallState) -> Limits:
    """Give what suggestions may do in this hall."""
    chosen = state.balancing.limits
    windows = None if chosen.windows is None else frozenset(chosen.windows)
    return replace(LIMITS, at_once=chosen.at_once, hold_min=float(chosen.hold_min), windows=windows)


def suggestions(state: HallState, now_ms: int) -> list[tuple[str, Advice]]:
    """Give what is suggested now with its name; what was declined is not said again for a while."""
    if not state.day_open:
        return []
    declined = {name for name, until_ms in state.balancing.declined.items() if until_ms > now_ms}
    named = [(name_of(it), it) for it in suggest(state, now_ms, limits(state))]
    return [(name, it) for name, it in named if name not in declined]


def name_of(advice: Advice) -> str:
    """Give the name of a suggestion."""
    return help_name(advice.window, advice.zone, on=advice.on)


def help_name(window: WindowNo, zone: ZoneId, *, on: bool = True) -> str:
    """Give the name of the suggestion that a window helps a zone, or no longer does."""
    return f"{'on' if on else 'off'}-{window}-{zone}"


def due(state: HallState, now_ms: int) -> list[e.Event]:
    """Give what the clock must do now: tides, outcomes to tell, relief to call, and what the hall changes by itself."""
    if not state.day_open:
        return []
    found: list[e.Event] = [*_tides(state, now_ms), *_outcomes(state, now_ms), *_relief(state, now_ms)]
    if found or state.balancing.limits.mode != "automatic":
        return found
    last_ms = max((it.at_ms for it in state.balancing.changes), default=0)
    if now_ms - last_ms < AUTOMATIC_EVERY_MIN * MS_PER_MIN:
        return []
    for _, advice in suggestions(state, now_ms)[:1]:
        return _applied(state, advice, by="")
    return []


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the end of what was switched for this day only."""
    found: list[e.Event] = []
    before = {no: (window.serves, window.relief) for no, window in state.windows.items()}
    duties = dict(before)
    for no, tide in state.balancing.tides.items():
        if tide is not None and no in duties:
            planned = state.plan.window[no]
            duties[no] = planned.serves, planned.relief
            found.append(e.TideTurned(window=no, tide=None))
    for change in state.balancing.changes:
        if change.is_open and change.window in duties:
            duties[change.window] = _without(state, duties[change.window], change)
            found.append(e.BalanceUndone(change=change.id, by="", reason="day_closed"))
    for no, (serves, relief) in duties.items():
        if (serves, relief) != before[no] and (serves or relief):
            found.append(e.ServicesAssigned(window=no, serves=serves, relief=relief, reason="day_closed"))
    return found


def begin_day(state: HallState) -> None:
    """Forget what was changed on the day before; the limits stay."""
    state.balancing.changes.clear()
    state.balancing.declined.clear()
    state.balancing.relief.clear()
    state.balancing.tides.clear()


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Change the state as the event says; duties change by the `ServicesAssigned` beside it."""
    balancing = state.balancing
    match event:
        case e.BalanceApplied():
            balancing.changes.append(
                BalanceChange(
                    id=event.change,
                    at_ms=at_ms,
                    by=event.by,
                    window=event.window,
                    zone=event.zone,
                    on=event.on,
                    services=event.services,
                    gain_min=event.gain_min,
                    before_min=event.before_min,
                    after_min=event.after_min,
                )
            )
        case e.BalanceDeclined():
            balancing.declined[event.suggestion] = event.until_ms
        case e.BalanceUndone():
            _change_of(state, event.change).undone_ms = at_ms
        case e.BalanceJudged():
            change = _change_of(state, event.change)
            change.was_min, change.judged = event.was_min, True
        case e.BalanceLimitsSet():
            balancing.limits = event.limits
        case e.ReliefCalled():
            balancing.relief[event.zone] = ReliefCall(
                since_ms=at_ms, wait_min=event.wait_min, waiting=event.waiting, windows=event.windows
            )
        case e.ReliefEnded():
            balancing.relief.pop(event.zone, None)
        case e.TideTurned():
            balancing.tides[event.window] = event.tide
        case _:
            assert_never(event)


def count_call(state: HallState, zone: ZoneId, waited_s: int) -> None:
    """Count a call for the changes whose outcome is still to be told."""
    for change in state.balancing.changes:
        if change.zone == zone and not change.judged:
            change.calls += 1
            change.waited_s += waited_s


def wanted(state: HallState, no: WindowNo) -> tuple[ZoneId, ReliefCall] | None:
    """Give the zone that asks this window for relief, the one that waits longest first."""
    calls = [(zone, it) for zone, it in state.balancing.relief.items() if no in it.windows]
    return max(calls, key=lambda it: (it[1].wait_min, it[0]), default=None)


def _standing(state: HallState, name: str, now_ms: int) -> Advice:
    for known, advice in suggestions(state, now_ms):
        if known == name:
            return advice
    raise Refusal(Code.SUGGESTION_GONE, suggestion=name[:80])


def _applied(state: HallState, advice: Advice, *, by: str) -> list[e.Event]:
    if len(state.balancing.changes) >= CHANGES_MAX:
        raise Refusal(Code.SUGGESTION_GONE, suggestion=name_of(advice))
    window = state.windows[advice.window]
    if advice.on:
        serves, relief = window.serves, (*window.relief, *advice.services)
    else:
        serves = tuple(it for it in window.serves if it not in advice.services)
        relief = tuple(it for it in window.relief if it not in advice.services)
    if not serves and not relief:
        raise Refusal(Code.NOTHING_TO_SERVE)
    change = str(len(state.balancing.changes) + 1)
    return [
        e.BalanceApplied(
            change=change,
            suggestion=name_of(advice),
            by=by,
            window=advice.window,
            zone=advice.zone,
            on=advice.on,
            services=advice.services,
            gain_min=round(advice.gain_min, 1),
            before_min=round(advice.before_min, 1),
            after_min=round(advice.after_min, 1),
        ),
        e.ServicesAssigned(window=advice.window, serves=serves, relief=relief, reason=f"balance {change}"),
    ]


def _undone(state: HallState, change: BalanceChange, *, by: str, reason: str) -> list[e.Event]:
    window = state.windows[change.window]
    serves, relief = _without(state, (window.serves, window.relief), change)
    if not serves and not relief:
        raise Refusal(Code.NOTHING_TO_SERVE)
    undone = e.BalanceUndone(change=change.id, by=by, reason=reason)
    if (serves, relief) == (window.serves, window.relief):  # somebody has changed it back by hand
        return [undone]
    assigned = e.ServicesAssigned(
        window=change.window, serves=serves, relief=relief, reason=f"balance {change.id} undone"
    )
    return [undone, assigned]


def _without(
    state: HallState, duties: tuple[tuple[ServiceId, ...], tuple[ServiceId, ...]], change: BalanceChange
) -> tuple[tuple[ServiceId, ...], tuple[ServiceId, ...]]:
    """Give the duties of a window as if the change had not been made; what else was changed since stays."""
    serves, relief = duties
    if change.on:
        return tuple(it for it in serves if it not in change.services), tuple(
            it for it in relief if it not in change.services
        )
    back = tuple(it for it in change.services if it in state.plan.service and it not in (*serves, *relief))
    return serves, (*relief, *back)


def _change_of(state: HallState, id_: str) -> BalanceChange:
    return next(it for it in state.balancing.changes if it.id == id_)


def _open_change(state: HallState, id_: str) -> BalanceChange:
    for change in state.balancing.changes:
        if change.id == id_ and change.is_open and change.window in state.windows:
            return change
    raise Refusal(Code.CHANGE_GONE, change=id_[:20])


def _outcomes(state: HallState, now_ms: int) -> Iterator[e.Event]:
    """Give what came of changes that were made an hour ago, or were undone."""
    for change in state.balancing.changes:
        over = change.undone_ms is not None or now_ms - change.at_ms >= JUDGED_AFTER_MIN * MS_PER_MIN
        if over and not change.judged:
            was_min = round(change.waited_s / change.calls / 60.0, 1) if change.calls else None
            yield e.BalanceJudged(change=change.id, calls=change.calls, was_min=was_min)


def _relief(state: HallState, now_ms: int) -> Iterator[e.Event]:
    """Give the zones that have become too hot, and those that have cooled."""
    threshold = state.balancing.limits.relief_heat
    zones, _ = heat(state, now_ms)
    for zone in zones:
        called, hot = zone.zone in state.balancing.relief, zone.heat if zone.heat is not None else 0.0
        if called and (hot < threshold * COOL or not threshold):
            yield e.ReliefEnded(zone=zone.zone)
        windows = _reliefs(state, zone.zone) if not called and threshold and hot >= threshold else ()
        if windows and zone.wait_min is not None and zone.waiting:
            wait_min = round(zone.wait_min, 1)
            yield e.ReliefCalled(zone=zone.zone, wait_min=wait_min, waiting=zone.waiting, windows=windows)


def _reliefs(state: HallState, zone: ZoneId) -> tuple[WindowNo, ...]:
    """Give the windows at work whose clerks may relieve a zone, or could, and do not stand in it."""
    services = {it.id for it in state.plan.services if it.zone == zone}
    found = []
    for no, window in state.windows.items():
        if window.clerk is None or window.paused is not None or services & set(window.serves):
            continue
        if services & set(window.relief) or zone in could_serve(state, no):
            found.append(no)
    return tuple(found)


def _tides(state: HallState, now_ms: int) -> Iterator[e.Event]:
    """Give the windows whose duties change by the clock now; a change by hand stands until the next turn."""
    now = local(state.plan, now_ms)
    minute = now.hour * 60 + now.minute
    for planned in state.plan.windows:
        if not planned.tides:
            continue
        running = next((it for it in planned.tides if it.from_min <= minute < it.to_min), None)
        tide = None if running is None else running.id
        if state.balancing.tides.get(planned.no) == tide:
            continue
        yield e.TideTurned(window=planned.no, tide=tide)
        to = running or Tide(id="", from_min=0, to_min=0, serves=planned.serves, relief=planned.relief)
        window = state.windows[planned.no]
        if (window.serves, window.relief) != (to.serves, to.relief):
            yield e.ServicesAssigned(
                window=planned.no, serves=to.serves, relief=to.relief, reason=f"tide {tide}" if tide else "tide over"
            )
