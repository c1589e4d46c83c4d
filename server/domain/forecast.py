"""How long a visitor will wait: told before a number is taken, when it is given and while it is waited.

`lookahead` plays the hall forward and sees a wait and how sure it is; `calibration` knows how wrong that was for the
last visitors. The two make a promise: half of the waits end before `p50_s`, four of five within `low_s` .. `high_s`.
Where no window at work serves, nothing is said at all (None): better unknown than nonsense. Good for any hall from its
first day; what makes it better with time is learned from the hall's own events.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from server.domain import calendar, lookahead
from server.domain.calibration import Calibration
from server.domain.lookahead import Newcomer, Seen
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import ServiceId, TicketId, ZoneId

WIDTH_MIN = 1.0  # how far off a forecast is at least, in the measure of its errors
WIDTH_OF_WAIT, WIDTH_OF_SPREAD = 0.15, 1.28  # and more for a longer wait, and one on which the plays disagree
LATER = 2.0  # so many times its width wider for who comes in an hour: nobody knows who will have come by then
NEXT_HOUR_MIN = (0.0, 30.0, 60.0)  # what is told of the next hour: who comes now, in half an hour, in an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """Expected wait in seconds: half of the visitors wait less than `p50_s`, four of five less than `p80_s`.

    Four of five also wait between `low_s` and `high_s`. `seen_s` and `width_s` are what was seen before the correction
    by past errors, to which the wait is held when it is over.
    """

    p50_s: int
    p80_s: int
    low_s: int
    high_s: int
    seen_s: int
    width_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What can be said of everybody at one instant: of newcomers without priority, and of all who wait now."""

    services: Mapping[ServiceId, Eta | None]
    tickets: Mapping[TicketId, Eta]

    def of_zone(self, state: HallState, zone: ZoneId) -> Eta | None:
        """Give what who comes now may expect in a zone: the longest of its services; None when none is served."""
        found: Eta | None = None
        for service, eta in self.services.items():
            if state.plan.service[service].zone == zone:
                found = _longer(found, eta)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What who takes a number in `after_min` minutes may expect in a zone.

    `eta` is None where that is unknown: no window at work serves there now. `is_open`: numbers are given then.
    """

    after_min: float
    eta: Eta | None
    is_open: bool


def expected(state: HallState, who: Newcomer, now_ms: int) -> Eta | None:
    """Give what somebody who takes a number may expect, or None when no window at work serves the service."""
    return _promise(state.calibration, lookahead.newcomer(state, who, now_ms))


def outlook(state: HallState, now_ms: int) -> Outlook:
    """Give what everybody may expect, for many questions at one instant. Tickets that nobody may serve are absent."""
    asked = [Newcomer(service=it.id) for it in state.plan.services]
    newcomers, tickets = lookahead.everybody(state, now_ms, asked)
    return Outlook(
        services={who.service: _promise(state.calibration, seen) for who, seen in zip(asked, newcomers, strict=True)},
        tickets={id_: eta for id_, seen in tickets.items() if (eta := _promise(state.calibration, seen))},
    )


def next_hour(state: HallState, now_ms: int) -> dict[ZoneId, list[Later]]:
    """Give what newcomers without priority may expect in the next hour, by zone that queues: `NEXT_HOUR_MIN` of each.

    Of the services of a zone that are open at that time, the one that is waited for longest.
    """
    plan = state.plan
    asked = [
        Newcomer(service=service.id, after_min=after_min)
        for after_min in NEXT_HOUR_MIN
        for service in plan.services
        if calendar.is_open(plan, service.id, now_ms + round(after_min * MS_PER_MIN))
    ]
    found: dict[tuple[ZoneId, float], Eta | None] = {}
    for who, seen in zip(asked, lookahead.newcomers(state, asked, now_ms), strict=True):
        key = plan.service[who.service].zone, who.after_min
        found[key] = _longer(found.get(key), _promise(state.calibration, seen, who.after_min))
    return {
        zone.id: [
            Later(after_min=it, eta=found.get((zone.id, it)), is_open=(zone.id, it) in found) for it in NEXT_HOUR_MIN
        ]
        for zone in plan.queues
    }


def open_windows(state: HallState, service: ServiceId) -> int:
    """Count the windows at work that serve or relieve a service."""
    return sum(
        1
        for window in state.windows.values()
        if window.clerk is not None and not window.paused and service in (*window.serves, *window.relief)
    )


def _longer(one: Eta | None, other: Eta | None) -> Eta | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda it: (it.p50_s, it.high_s))


def _promise(known: Calibration, seen: Seen | None, after_min: float = 0.0) -> Eta | None:
    if seen is None:
        return None
    width = WIDTH_MIN + WIDTH_OF_WAIT * seen.middle_min + WIDTH_OF_SPREAD * seen.spread_min
    width *= 1.0 + LATER * math.sqrt(after_min / 60.0)
    low, middle, p80, high = (max(0, round(60.0 * (seen.middle_min + width * it))) for it in known.quantiles())
    if not seen.middle_min and not after_min:  # a window is free in nearly every play
        low = middle = 0
    return Eta(
        p50_s=middle,
        p80_s=p80,
        low_s=low,
        high_s=high,
        seen_s=round(60.0 * seen.middle_min),
        width_s=round(60.0 * width),
    )
