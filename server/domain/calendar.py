"""When numbers are given: weekly hours with lunch, holidays and make-up workdays, market days, weekend duty, trials.

A day is looked at in this order: a zone's trial dates; 24-hour zones are open; closed days (holidays, 节假日); working
days (make-up workdays, 调休上班) with the hours of a weekday; market days with the hours of `market`; else the hours of
the weekday. All clock times are the hall's own; a time that the clocks skip is an hour later; of a repeated one the
first counts. Source of make-up workdays: yearly notices of the General Office of the State Council (国务院办公厅).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from server.domain.terms import HallPlan, OpeningHours, Service, ServiceId, Zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MARKET = "market"
HORIZON_DAYS = 370  # a hall that does not open within a year does not open

Span = tuple[int, int]  # open from, until (Unix ms); until is closed

ZH_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
EN_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_open(plan: HallPlan, service: ServiceId, now_ms: int) -> bool:
    """Say whether the hours let numbers of a service be given now."""
    if is_unbound(plan, service):
        return True
    return any(opens <= now_ms < closes for opens, closes in open_spans(plan, service, local(plan, now_ms).date()))


def next_opening(plan: HallPlan, service: ServiceId, now_ms: int) -> int | None:
    """Give the first instant from now on (Unix ms) at which a service is open, or None when not within a year."""
    if is_unbound(plan, service):
        return now_ms
    zone = _zone(plan, service)
    first = local(plan, now_ms).date()
    if zone.trial_from is not None:
        first = max(first, date.fromisoformat(zone.trial_from))
    for after in range(HORIZON_DAYS):
        day = first + timedelta(days=after)
        if zone.trial_to is not None and day.isoformat() > zone.trial_to:
            return None
        for opens, closes in open_spans(plan, service, day):
            if now_ms < closes:
                return max(opens, now_ms)
    return None


def open_spans(plan: HallPlan, service: ServiceId, day: date) -> list[Span]:
    """Give the spans of a calendar day in which a service is open, in order and apart from each other."""
    return _spans(plan, service, day, bound=not has_no_hours(plan, service))


def office_spans(plan: HallPlan, service: ServiceId, day: date) -> list[Span]:
    """Give the hours of a calendar day as the hall announces them, whether numbers are bound to them or not."""
    zone = _zone(plan, service)
    return _spans(plan, service, day, bound=not zone.always_open and bool(plan.hours or zone.hours))


def is_unbound(plan: HallPlan, service: ServiceId) -> bool:
    """Say whether nothing ever closes a service: neither hours nor a trial."""
    zone = _zone(plan, service)
    return zone.trial_from is None and zone.trial_to is None and has_no_hours(plan, service)


def next_opening_of_any(plan: HallPlan, services: Iterable[ServiceId], now_ms: int) -> int | None:
    """Give the first instant from now on at which one of the services is open, or None when not within a year."""
    apart = {(plan.service[it].zone, tuple(_duty(plan, plan.service[it]))): it for it in services}  # else all ask alike
    found = [opens for it in apart.values() if (opens := next_opening(plan, it, now_ms)) is not None]
    return min(found, default=None)


def has_no_hours(plan: HallPlan, service: ServiceId) -> bool:
    """Say whether no hours bind a service: nothing closes it but the end of a trial."""
    zone = _zone(plan, service)
    return not plan.calendar.enforced or zone.always_open or not (plan.hours or zone.hours)


def open_left_ms(plan: HallPlan, service: ServiceId, now_ms: int) -> int | None:
    """Give how long a service is still open today, breaks left out (ms), or None when no hours bind it."""
    if has_no_hours(plan, service):
        return None
    spans = open_spans(plan, service, local(plan, now_ms).date())
    return sum(max(0, closes - max(opens, now_ms)) for opens, closes in spans)


def closing(plan: HallPlan, service: ServiceId, now_ms: int) -> int | None:
    """Give the last closing of today (Unix ms), or None when no hours bind a service or it is closed all day."""
    spans = [] if has_no_hours(plan, service) else open_spans(plan, service, local(plan, now_ms).date())
    return spans[-1][1] if spans else None


def is_market_day(plan: HallPlan, day: date) -> bool:
    """Say whether a day is a market day."""
    market = plan.calendar.market
    return (
        WEEKDAYS[day.weekday()] in market.weekdays
        or day.isoformat() in market.dates
        or any((day - date.fromisoformat(start)).days % every == 0 for every, start in market.cycles)
    )


def clock_ms(plan: HallPlan, clock: str, now_ms: int) -> int:
    """Give the instant (Unix ms) at which the hall's clock shows "08:30" on the calendar day of `now_ms`."""
    return _ms(plan, local(plan, now_ms).date(), time.fromisoformat(clock))


def midnight_ms(plan: HallPlan, day: date) -> int:
    """Give the instant (Unix ms) at which a calendar day begins."""
    return _ms(plan, day, time())


def day_ends_ms(plan: HallPlan, day: str) -> int:
    """Give the instant (Unix ms) at which a business day (ISO date) turns."""
    turn = time(plan.day_starts_min // 60, plan.day_starts_min % 60)
    return _ms(plan, date.fromisoformat(day) + timedelta(days=1), turn)


def hall_closing(plan: HallPlan, day: str) -> int:
    """Give when the hall closes on a business day (ISO date), Unix ms: after its last hours, else as the day turns.

    On a day without hours for the whole hall those of who is on duty count (值班).
    """
    date_ = date.fromisoformat(day)
    own = [row for row in plan.hours if not row.zones and not row.services]
    everyday = own or [row for zone in plan.zones for row in zone.hours]
    duty = [row for row in plan.hours if row.zones or row.services]
    for rows in (everyday, [*everyday, *duty]) if day not in plan.closed_days else ():
        kind = _kind(plan, rows, date_)
        closes = [_ms(plan, date_, time.fromisoformat(row.closes)) for row in rows if kind in row.days]
        if closes:
            return max(closes)
    return day_ends_ms(plan, day)


def is_working_day(plan: HallPlan, day: date) -> bool:
    """Say whether a day counts as a working day (工作日): Monday to Friday but for holidays, and make-up workdays.

    A duty at the weekend or a market day opens the hall and moves no deadline.
    """
    if day.isoformat() in plan.closed_days:
        return False
    return day.weekday() < 5 or day.isoformat() in plan.working_days


def working_day_after(plan: HallPlan, day: str, count: int) -> str:
    """Give the `count`-th working day after a day (ISO dates); that day itself for 0."""
    found = date.fromisoformat(day)
    left = count
    for _ in range(HORIZON_DAYS + count):
        if left <= 0:
            break
        found += timedelta(days=1)
        left -= is_working_day(plan, found)
    return found.isoformat()


def day_after(day: str) -> str:
    """Give the calendar day after a day (ISO dates)."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def local(plan: HallPlan, at_ms: int) -> datetime:
    """Give an instant on the hall's clock."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(plan.zone_info)


def in_words(plan: HallPlan, at_ms: int, now_ms: int) -> tuple[str, str]:
    """Give an instant as people say it: ("周一 03月02日 09:00", "Mon 2 Mar 09:00") or ("今天 13:00", "13:00 today")."""
    at = local(plan, at_ms)
    if at.date() == local(plan, now_ms).date():
        return f"今天 {at:%H:%M}", f"{at:%H:%M} today"
    return (
        f"{ZH_WEEKDAYS[at.weekday()]} {at.month:02d}月{at.day:02d}日 {at:%H:%M}",
        f"{EN_WEEKDAYS[at.weekday()]} {at.day} {EN_MONTHS[at.month - 1]} {at:%H:%M}",
    )


def _spans(plan: HallPlan, service: ServiceId, day: date, *, bound: bool) -> list[Span]:
    """Give the spans of a day: of its hours when something binds them, else the whole day."""
    if not _in_trial(_zone(plan, service), day):
        return []
    if not bound:
        return [(_ms(plan, day, time()), _ms(plan, day + timedelta(days=1), time()))]
    if day.isoformat() in plan.closed_days:
        return []
    rows = _rows(plan, plan.service[service])
    kind = _kind(plan, rows, day)
    return _merged([
        (_ms(plan, day, time.fromisoformat(row.opens)), _ms(plan, day, time.fromisoformat(row.closes)))
        for row in rows
        if kind in row.days
    ])  # fmt: skip


def _zone(plan: HallPlan, service: ServiceId) -> Zone:
    return plan.zone[plan.service[service].zone]


def _in_trial(zone: Zone, day: date) -> bool:
    return (zone.trial_from or "") <= day.isoformat() <= (zone.trial_to or "9999")


def _rows(plan: HallPlan, service: Service) -> list[OpeningHours]:
    """Give the hours of a service: its zone's own or the hall's, and the duty that names it."""
    base = plan.zone[service.zone].hours or [row for row in plan.hours if not row.zones and not row.services]
    return [*base, *_duty(plan, service)]


def _duty(plan: HallPlan, service: Service) -> list[OpeningHours]:
    return [row for row in plan.hours if service.zone in row.zones or service.id in row.services]


def _kind(plan: HallPlan, rows: Sequence[OpeningHours], day: date) -> str:
    """Give the name in `days` whose hours count on a day."""
    weekday = WEEKDAYS[day.weekday()]
    there = {name for row in rows if not row.zones and not row.services for name in row.days}
    if day.isoformat() in plan.working_days:
        working = [weekday, *WEEKDAYS] if day.weekday() < 5 else WEEKDAYS  # else a Saturday has its duty only
        return next((name for name in working if name in there), MARKET)
    if any(MARKET in row.days for row in rows) and is_market_day(plan, day):
        return MARKET
    return weekday


def _merged(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for opens, closes in sorted(spans):
        if opens >= closes:  # the clocks skipped it
            continue
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        else:
            found.append((opens, closes))
    return found


def _ms(plan: HallPlan, day: date, clock: time) -> int:
    return round(datetime.combine(day, clock, tzinfo=plan.zone_info).timestamp() * 1000)
