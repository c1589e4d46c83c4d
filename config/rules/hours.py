"""Rules about time: opening hours, calendar, slots of services, tides of windows."""

from __future__ import annotations

from collections.abc import Iterator

from config.problems import Finding, TablePath
from config.rules.draft import Draft, Row, clock_in, day_in, inner_rows, word, words


def hours_in_order(draft: Draft) -> Iterator[Finding]:
    """Opening hours end after they begin, within the business day, and do not overlap on a day."""
    yield from _spans_in_order(draft, list(inner_rows(draft.table("calendar"), ("calendar",), "hours")))
    for path, zone in draft.rows("zone"):
        yield from _spans_in_order(draft, list(inner_rows(zone, path, "hours")))
        if clock_in(zone, "opens") and clock_in(zone, "closes"):
            yield from _spans_in_order(draft, [(path, zone)])


def _spans_in_order(draft: Draft, rows: list[tuple[TablePath, Row]]) -> Iterator[Finding]:
    """Rows for the same zones and services must not overlap on a day; duty may overlap what is open anyhow."""
    day_starts = clock_in(draft.table("hall"), "day_starts") or "06:00"
    taken: dict[tuple[object, ...], list[tuple[str, str, TablePath]]] = {}
    for path, row in rows:
        opens, closes = clock_in(row, "opens"), clock_in(row, "closes")
        if opens is None or closes is None:
            continue
        if opens >= closes:
            yield Finding(
                path=(*path, "closes"),
                code="hours_out_of_order",
                zh=f"关闭时刻 {closes} 不晚于开放时刻 {opens}。",
                en=f"Closes at {closes}, which is not after {opens}.",
                lone=True,
            )
            continue
        if opens < day_starts < closes:
            yield Finding(
                path=(*path, "opens"),
                code="hours_cross_day",
                zh=f"开放时间 {opens}–{closes} 跨过营业日分界 {day_starts}，号码会在开放期间重新开始。",
                en=f"Open from {opens} to {closes}, across the start of the business day at {day_starts}:"
                " numbers would begin again while visitors wait.",
            )
        scope = tuple(sorted((key, word) for key in ("zones", "services") for _, word in words(row, key)))
        for day_index, day in words(row, "days"):
            spans = taken.setdefault((day, scope), [])
            if clash := next((span for span in spans if opens < span[1] and span[0] < closes), None):
                line = draft.line(clash[2])
                yield Finding(
                    path=(*path, "days", day_index),
                    code="hours_overlap",
                    zh=f"{day} {opens}–{closes} 与第 {line} 行的 {clash[0]}–{clash[1]} 重叠。",
                    en=f"{day} {opens}-{closes} overlaps {clash[0]}-{clash[1]} on line {line}.",
                    lone=True,
                )
            spans.append((opens, closes, path))


def zone_times_agree(draft: Draft) -> Iterator[Finding]:
    """A zone says its hours in one way only, opening with closing, and a trial ends after it begins."""
    for path, zone in draft.rows("zone"):
        given = [key for key in ("opens", "closes") if key in zone]
        if len(given) == 1:
            other = "closes" if given == ["opens"] else "opens"
            yield Finding(
                path=(*path, given[0]),
                code="half_hours",
                zh=f"写了 {given[0]}，还要写 {other}。",
                en=f"{given[0]} stands without {other}.",
                lone=True,
            )
        kinds = [key for key in ("always_open", "hours", "opens") if zone.get(key)]
        if len(kinds) > 1:
            yield Finding(
                path=(*path, kinds[1]),
                code="hours_twice",
                zh=f"{kinds[0]} 和 {kinds[1]} 只能写一个。",
                en=f"Write {kinds[0]} or {kinds[1]}, not both.",
                lone=True,
            )
        begins, ends = day_in(zone.get("trial_from")), day_in(zone.get("trial_to"))
        if begins and ends and begins > ends:
            yield Finding(
                path=(*path, "trial_to"),
                code="trial_out_of_order",
                zh=f"试运行末日 {ends} 早于首日 {begins}。",
                en=f"The trial ends on {ends}, before it begins on {begins}.",
                lone=True,
            )


def calendar_agrees(draft: Draft) -> Iterator[Finding]:
    """Holidays and market days need hours, market days both halves, and no day is said twice."""
    calendar = draft.table("calendar")
    rows = list(inner_rows(calendar, ("calendar",), "hours"))
    zone_rows = [row for path, zone in draft.rows("zone") for _, row in inner_rows(zone, path, "hours")]
    if not rows and not zone_rows:
        for key in ("holidays", "extra_open", "extra_closed", "market_days"):
            if calendar.get(key):
                yield Finding(
                    path=("calendar", key),
                    code="calendar_without_hours",
                    zh=f"没有 hours，{key} 不起作用；请写明开放时间。",
                    en=f"Without hours, {key} means nothing: write the opening hours.",
                )
                break
        return
    named = {day for row in (*(row for _, row in rows), *zone_rows) for _, day in words(row, "days")}
    if "market" in named and not calendar.get("market_days"):
        yield Finding(
            path=("calendar", "hours"),
            code="market_days_missing",
            zh='有集市日的开放时间，但没有写哪天是集市日：market_days = ["sat"]。',
            en='There are hours for market days, but no market days: market_days = ["sat"].',
        )
    if "market" not in named and calendar.get("market_days"):
        yield Finding(
            path=("calendar", "market_days"),
            code="market_hours_missing",
            zh='写了集市日，但没有其开放时间：请在 hours 中加一行 days = ["market"]。',
            en='There are market days, but no hours for them: add a row of hours with days = ["market"].',
        )
    told: dict[str, tuple[str, int]] = {}
    for key in ("extra_open", "extra_closed"):
        found = calendar.get(key)
        for index, value in enumerate(found if isinstance(found, list) else ()):
            if (day := day_in(value)) is None:
                continue
            if other := told.get(day):
                line = draft.line(("calendar", *other))
                yield Finding(
                    path=("calendar", key, index),
                    code="day_twice",
                    zh=f"{day} 在第 {line} 行的 {other[0]} 中已经写过。",
                    en=f"{day} is in {other[0]} on line {line} already.",
                    lone=True,
                )
            else:
                told[day] = (key, index)


def slots_fit(draft: Draft) -> Iterator[Finding]:
    """Slots of a service are in order, apart from each other, and each within the hours of some day."""
    hours = [row for _, row in inner_rows(draft.table("calendar"), ("calendar",), "hours")]
    zones = draft.ids("zone")
    for service_path, service in draft.rows("service"):
        zone = zones.get(word(service, "zone") or "", {})
        open_rows = _rows_of(zone, word(service, "zone"), word(service, "id"), hours)
        rows = list(inner_rows(service, service_path, "slot_quota"))
        yield from _apart(draft, rows, code="slot", zh="时段", en="slot")
        for path, slot in rows:
            begins, ends = clock_in(slot, "from"), clock_in(slot, "to")
            if begins is None or ends is None or begins >= ends:
                continue
            if open_rows and not any(opens <= begins and ends <= closes for opens, closes in open_rows):
                yield Finding(
                    path=(*path, "from"),
                    code="slot_outside_hours",
                    zh=f"时段 {begins}–{ends} 不在任何一段开放时间之内。",
                    en=f"The slot {begins}-{ends} is not within any opening hours.",
                )


def tides_fit(draft: Draft) -> Iterator[Finding]:
    """Tides of a window serve something, end after they begin, and are apart from each other."""
    for window_path, window in draft.rows("window"):
        rows = list(inner_rows(window, window_path, "tides"))
        for path, tide in rows:
            if tide.get("serves") == []:
                yield Finding(
                    path=(*path, "serves"),
                    code="tide_serves_nothing",
                    zh="潮汐时段至少要办一项事项。",
                    en="A tide must serve at least one service.",
                    lone=True,
                )
        yield from _apart(draft, rows, code="tide", zh="潮汐时段", en="tide")


def _apart(draft: Draft, rows: list[tuple[TablePath, Row]], *, code: str, zh: str, en: str) -> Iterator[Finding]:
    """Rows end after they begin and do not overlap; `code`, `zh` and `en` are what one of them is called."""
    spans: list[tuple[str, str, TablePath]] = []
    for path, row in rows:
        begins, ends = clock_in(row, "from"), clock_in(row, "to")
        if begins is None or ends is None:
            continue
        if begins >= ends:
            yield Finding(
                path=(*path, "to"),
                code=f"{code}_out_of_order",
                zh=f"{zh}结束 {ends} 不晚于开始 {begins}。",
                en=f"The {en} ends at {ends}, which is not after {begins}.",
                lone=True,
            )
            continue
        if clash := next((span for span in spans if begins < span[1] and span[0] < ends), None):
            line = draft.line(clash[2])
            yield Finding(
                path=(*path, "from"),
                code=f"{code}s_overlap",
                zh=f"{zh} {begins}–{ends} 与第 {line} 行的 {clash[0]}–{clash[1]} 重叠。",
                en=f"The {en} {begins}-{ends} overlaps {clash[0]}-{clash[1]} on line {line}.",
                lone=True,
            )
        spans.append((begins, ends, path))


def bookable_has_hours(draft: Draft) -> Iterator[Finding]:
    """A slot is a part of the opening hours: without hours there is none to book."""
    zones = draft.ids("zone")
    hours = [row for _, row in inner_rows(draft.table("calendar"), ("calendar",), "hours")]
    for path, row in draft.rows("service"):
        zone = zones.get(word(row, "zone") or "", {})
        if row.get("appointments") is None or zone.get("always_open") is True:
            continue
        if not _rows_of(zone, word(row, "zone"), word(row, "id"), hours):
            yield Finding(
                path=(*path, "appointments"),
                code="bookable_without_hours",
                zh="没有开放时间就没有预约时段：请在 [calendar] 中写 hours，或删去 appointments。",
                en="Without opening hours there is no slot to book: write hours in [calendar] or leave out"
                " appointments.",
            )


def online_has_bookable(draft: Draft) -> Iterator[Finding]:
    """A page on which nothing can be booked would only disappoint."""
    bookable = any("appointments" in row for _, row in draft.rows("service"))
    if draft.table("appointments").get("online") is not None and not bookable:
        yield Finding(
            path=("appointments", "online"),
            code="online_without_bookable",
            zh="没有可预约的事项：请在 [[service]] 中写 appointments，或删去 online。",
            en="Nothing can be booked: write appointments in a [[service]] or leave out online.",
            lone=True,
        )


def _rows_of(zone: Row, zone_id: str | None, service_id: str | None, hours: list[Row]) -> list[tuple[str, str]]:
    """Give the opening and closing times that may bind a service; none where it is always open."""
    if zone.get("always_open") is True:
        return []
    own = [row for _, row in inner_rows(zone, (), "hours")] + ([zone] if "opens" in zone else [])
    duty = [row for row in hours if row.get("zones") or row.get("services")]
    base = own or [row for row in hours if row not in duty]
    named = [
        row
        for row in duty
        if zone_id in [it for _, it in words(row, "zones")] or service_id in [it for _, it in words(row, "services")]
    ]
    times = [(clock_in(row, "opens"), clock_in(row, "closes")) for row in (*base, *named)]
    return [(opens, closes) for opens, closes in times if opens is not None and closes is not None]
