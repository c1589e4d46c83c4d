"""Whether a number may be given now: opening hours, the last ticket before closing, quotas of the day and of its slots.

Only giving numbers is bound to the hours; calling, serving and finishing never are. Numbers end early enough that
everybody who waits can still be served (or so many minutes before closing, as the hall file says). Quotas count the
numbers given out in the business day, also those cancelled later: else taking and cancelling would block a slot.
"""

from bisect import bisect_left
from dataclasses import dataclass

from server.domain import calendar
from server.domain.forecast import Eta, Outlook, expected
from server.domain.lookahead import Newcomer
from server.domain.refusals import DAY_FULL, HALL_CLOSED_UNTIL, LAST_TICKET, SERVICE_OVER, SLOT_FULL, Code, Refusal
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import DeviceId, HallPlan, ServiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether numbers are given now; if not, from when on (Unix ms). `left`: what the quotas leave, None: no quota."""

    open: bool
    opens_ms: int | None = None
    left: int | None = None


def admission(state: HallState, service: ServiceId, now_ms: int, outlook: Outlook | None = None) -> Admission:
    """Give what somebody without priority who came now would find; an `outlook` of now spares looking ahead again."""
    left = _left(state, service, now_ms)
    if not calendar.is_open(state.plan, service, now_ms):
        return Admission(open=False, opens_ms=calendar.next_opening(state.plan, service, now_ms), left=left)
    eta = outlook.services[service] if outlook else None
    if outlook is None and _goes_by_the_wait(state, service):
        eta = expected(state, Newcomer(service=service), now_ms)
    if _is_too_late(state, service, now_ms, eta):
        return Admission(open=False, opens_ms=_after_closing(state, service, now_ms), left=left)
    return Admission(open=True, opens_ms=_next_room(state, service, now_ms) if left == 0 else None, left=left)


def hall_admission(state: HallState, now_ms: int) -> Admission:
    """Say whether the hall is open by its hours, or when it opens; 24-hour zones do not count beside others."""
    plan = state.plan
    if not state.day_open and state.day is not None:
        if not plan.calendar.enforced:
            return Admission(open=False)
        return Admission(open=False, opens_ms=hall_opening(plan, max(now_ms, calendar.day_ends_ms(plan, state.day))))
    opens_ms = hall_opening(plan, now_ms)
    return Admission(open=True) if opens_ms == now_ms else Admission(open=False, opens_ms=opens_ms)


def hall_opening(plan: HallPlan, now_ms: int) -> int | None:
    """Give the first instant from now on at which the hall is open, or None when that is not within a year."""
    manned = [it.id for it in plan.services if not plan.zone[it.zone].always_open] or [it.id for it in plan.services]
    return calendar.next_opening_of_any(plan, manned, now_ms)


def refuse_after_day_close(state: HallState, service: ServiceId, now_ms: int) -> Refusal:
    """Give the refusal of a number when the business day was closed, with the next opening where hours tell it."""
    plan = state.plan
    if state.day is None or service not in plan.service or calendar.has_no_hours(plan, service):
        return Refusal(Code.HALL_CLOSED)
    opens_ms = calendar.next_opening(plan, service, max(now_ms, calendar.day_ends_ms(plan, state.day)))
    return _closed(state, Code.HALL_CLOSED, HALL_CLOSED_UNTIL, service, opens_ms, now_ms)


def check_hours(state: HallState, service: ServiceId, now_ms: int) -> None:
    """Let a number through that is asked for within the hours.

    Raises:
        Refusal: hall_closed or service_closed, with the next opening.
    """
    plan = state.plan
    if calendar.is_open(plan, service, now_ms):
        return
    opens_ms = calendar.next_opening(plan, service, now_ms)
    if opens_ms is None or hall_admission(state, now_ms).open:
        raise _closed(state, Code.SERVICE_CLOSED, None, service, opens_ms, now_ms)
    raise _closed(state, Code.HALL_CLOSED, HALL_CLOSED_UNTIL, service, opens_ms, now_ms)


def check_quota(state: HallState, service: ServiceId, now_ms: int) -> None:
    """Let a number through that the quotas of day and slot leave.

    Raises:
        Refusal: quota_full, with the next time at which there is room.
    """
    if _left(state, service, now_ms) != 0:
        return
    day_full = _day_left(state, service) == 0
    opens_ms = _next_room(state, service, now_ms)
    if opens_ms is None:
        raise Refusal(Code.QUOTA_FULL, service=name_in_both(state, service))
    raise _closed(state, Code.QUOTA_FULL, DAY_FULL if day_full else SLOT_FULL, service, opens_ms, now_ms)


def check_kiosk(state: HallState, kiosk: DeviceId | None) -> None:
    """Let a number through that the kiosk may still give today.

    Raises:
        Refusal: kiosk_limit.
    """
    planned = state.plan.kiosk.get(kiosk) if kiosk is not None else None
    if kiosk is None or planned is None or planned.day_quota is None:
        return
    if state.kiosk_issued.get(kiosk, 0) >= planned.day_quota:
        raise Refusal(Code.KIOSK_LIMIT)


def check_last_ticket(state: HallState, service: ServiceId, now_ms: int, expected: Eta | None) -> None:
    """Let a number through whose holder can be served before closing; `expected` is the wait he would be told.

    Raises:
        Refusal: service_closed, with the next opening.
    """
    if _is_too_late(state, service, now_ms, expected):
        opens_ms = _after_closing(state, service, now_ms)
        raise _closed(state, Code.SERVICE_CLOSED, LAST_TICKET, service, opens_ms, now_ms)


def _goes_by_the_wait(state: HallState, service: ServiceId) -> bool:
    """Say whether it is the wait that ends the giving of numbers, not the clock alone."""
    return state.plan.calendar.last_ticket_min is None and not calendar.has_no_hours(state.plan, service)


def _is_too_late(state: HallState, service: ServiceId, now_ms: int, expected: Eta | None) -> bool:
    plan = state.plan
    left_ms = calendar.open_left_ms(plan, service, now_ms)
    if left_ms is None:
        return False
    before_min = plan.calendar.last_ticket_min
    if before_min is not None:
        closes_ms = calendar.closing(plan, service, now_ms)
        return closes_ms is not None and now_ms >= closes_ms - before_min * MS_PER_MIN
    wait_s = expected.p80_s if expected is not None else 0
    return (wait_s + state.mean_s(service)) * 1000 > left_ms


def _after_closing(state: HallState, service: ServiceId, now_ms: int) -> int | None:
    closes_ms = calendar.closing(state.plan, service, now_ms)
    return calendar.next_opening(state.plan, service, now_ms if closes_ms is None else closes_ms)


def _left(state: HallState, service: ServiceId, now_ms: int) -> int | None:
    """Give how many numbers the quotas leave now, or None when there is none to bound them."""
    bounds = [left for left in (_day_left(state, service), _slot_left(state, service, now_ms)) if left is not None]
    return min(bounds, default=None)


def _day_left(state: HallState, service: ServiceId) -> int | None:
    quota = state.plan.service[service].day_quota
    return None if quota is None else max(0, quota - len(state.issued.get(service, ())))


def _slot_left(state: HallState, service: ServiceId, at_ms: int) -> int | None:
    given = state.issued.get(service, [])
    for slot in state.plan.service[service].slots:
        starts_ms, ends_ms = (calendar.clock_ms(state.plan, clock, at_ms) for clock in (slot.starts, slot.ends))
        if starts_ms <= at_ms < ends_ms:
            return max(0, slot.quota - (bisect_left(given, ends_ms) - bisect_left(given, starts_ms)))
    return None


def _next_room(state: HallState, service: ServiceId, now_ms: int) -> int | None:
    """Give when a number can be had next: a later slot of today, else the first opening of the next business day."""
    plan = state.plan
    day_ends_ms = calendar.day_ends_ms(plan, state.day or calendar.local(plan, now_ms).date().isoformat())
    if _day_left(state, service) != 0:
        slots = plan.service[service].slots
        edges = {calendar.clock_ms(plan, clock, now_ms) for slot in slots for clock in (slot.starts, slot.ends)}
        for edge_ms in sorted(edge for edge in edges if edge > now_ms):
            opens_ms = calendar.next_opening(plan, service, edge_ms)
            if opens_ms is not None and opens_ms < day_ends_ms and _slot_left(state, service, opens_ms) != 0:
                return opens_ms
    return None if calendar.has_no_hours(plan, service) else calendar.next_opening(plan, service, day_ends_ms)


def _closed(
    state: HallState,
    code: Code,
    sentences: tuple[str, str] | None,
    service: ServiceId,
    opens_ms: int | None,
    now_ms: int,
) -> Refusal:
    plan = state.plan
    name = name_in_both(state, service)
    if opens_ms is None:
        return Refusal(code, SERVICE_OVER, service=name)
    opens_at = calendar.local(plan, opens_ms).isoformat(timespec="milliseconds")
    opens = calendar.in_words(plan, opens_ms, now_ms)
    return Refusal(code, sentences, facts={"opens_at": opens_at}, service=name, opens=opens)


def name_in_both(state: HallState, service: ServiceId) -> tuple[str, str]:
    """Give the name of a service as a refusal says it: (zh, en)."""
    name = state.plan.service[service].name
    zh = name.get("zh", service)
    return zh, name.get("en", zh)
