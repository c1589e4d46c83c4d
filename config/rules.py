"""What one table of a hall file cannot know alone: names that point nowhere, series that collide, desks nobody serves.

The rules read the raw TOML, not the models, so that a mistake in one table does not hide the mistakes in the others.
Each rule is one function; `RULES` lists them. They pass over values of the wrong type: the schema reports those.

Number series: services with the same prefix draw from one series, and a zone owns its series. Letters I, O and Q are
misread as 1 and 0; Qmatic's halls leave them out too (docs.qmatic.io, "Understand queuing logic basics"). E is heard as
the Chinese 一: a speech recogniser took E966 for 1966.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from config.positions import Spot, spot_of
from config.problems import Finding, TablePath, nearest, quoted
from config.schema import CLOCK_PATTERN, LANGUAGES, LEGS_MAX, NUMBER_MAX, day_of

Row: TypeAlias = Mapping[str, object]

NAMED_AT_MOST: Final = 8
"""So many ids are named where a reference points nowhere; more would hide the sentence."""

AMBIGUOUS_LETTERS: Final = MappingProxyType(
    {"I": ("看似 1", "is misread as 1"), "O": ("看似 0", "is misread as 0"), "Q": ("看似 0", "is misread as 0")}
)
CLEAR_LETTERS: Final = "ABCDFGHJKLMNPRSTUVWXYZ"
RESERVED_PRIORITIES: Final = ("ordinary",)
APPOINTMENT: Final = "appointment"
QUIET_KINDS: Final = ("self_service", "guide")
CHINA: Final = {
    "asia/beijing": "Asia/Shanghai",
    "china": "Asia/Shanghai",
    "cst": "Asia/Shanghai",
    "utc+8": "Asia/Shanghai",
}
LANGUAGE_NAMES: Final = {
    "cn": "zh",
    "chn": "zh",
    "zh-cn": "zh",
    "zh_cn": "zh",
    "chinese": "zh",
    "中文": "zh",
    "英文": "en",
}

_KEYS: Final = {
    "floor": "id",
    "tenant": "id",
    "zone": "id",
    "service": "id",
    "window": "no",
    "kiosk": "id",
    "priority": "id",
    "clerk": "work_id",
}
_ZH: Final = {
    "floor": "楼层",
    "tenant": "单位",
    "zone": "专区",
    "service": "事项",
    "window": "窗口",
    "kiosk": "取号机",
    "priority": "优先",
    "clerk": "岗位",
}
_TEXTS: Final = ("name", "notice", "address", "advice", "question", "about")
_GUIDE_TEXTS: Final = ("basis", "materials", "time", "fee")


class Draft:
    """A hall file as written: raw tables, whatever is in them, and where they stand."""

    def __init__(self, data: Row, spots: Mapping[TablePath, Spot]) -> None:
        """Keep the parsed document and its places."""
        self.data = data
        self.spots = spots

    def table(self, name: str) -> Row:
        """Give one table; empty where it is missing or no table."""
        found = self.data.get(name)
        return found if isinstance(found, dict) else {}

    def rows(self, name: str) -> Iterator[tuple[TablePath, Row]]:
        """Give the rows of an array of tables with their paths."""
        found = self.data.get(name)
        if isinstance(found, dict):  # [zone] for [[zone]]: said by the schema, and meant as one row
            yield (name,), found
        for index, row in enumerate(found if isinstance(found, list) else ()):
            if isinstance(row, dict):
                yield (name, index), row

    def ids(self, name: str) -> dict[str, Row]:
        """Give the rows of an array of tables by id; of two with one id the first."""
        found: dict[str, Row] = {}
        for _, row in self.rows(name):
            if identifier := word(row, _KEYS[name]):
                found.setdefault(identifier, row)
        return found

    def line(self, path: TablePath) -> int:
        """Give the line on which something stands."""
        return spot_of(self.spots, path).line


def word(row: Row, key: str) -> str | None:
    """Give a text value, or None."""
    found = row.get(key)
    return found if isinstance(found, str) else None


def words(row: Row, key: str) -> list[tuple[int, str]]:
    """Give the text values of a list with their indexes."""
    found = row.get(key)
    return (
        [(index, each) for index, each in enumerate(found) if isinstance(each, str)] if isinstance(found, list) else []
    )


def numbers(row: Row) -> tuple[int, int] | None:
    """Give the first and last number of a service, or None where they are no numbers."""
    first, last = row.get("first", 1), row.get("last", NUMBER_MAX)
    return (first, last) if type(first) is int and type(last) is int else None


def broken_rules(draft: Draft) -> Iterator[Finding]:
    """Give every rule that the draft breaks."""
    for rule in RULES:
        yield from rule(draft)


def _ids_once(draft: Draft) -> Iterator[Finding]:
    for table, key in _KEYS.items():
        seen: dict[str, TablePath] = {}
        for path, row in draft.rows(table):
            if (identifier := word(row, key)) is None:
                continue
            if first := seen.get(identifier):
                line = draft.line((*first, key))
                yield Finding(
                    path=(*path, key),
                    code="duplicate_id",
                    zh=f"{_ZH[table]} {quoted(identifier)} 在第 {line} 行已经有了，{key} 不能重复。",
                    en=f"{table} {quoted(identifier)} is on line {line} already; {key} must be unique.",
                    lone=True,
                )
            else:
                seen[identifier] = path


def _references_found(draft: Draft) -> Iterator[Finding]:
    for table, key, target in (
        ("zone", "floor", "floor"),
        ("zone", "tenant", "tenant"),
        ("service", "zone", "zone"),
        ("service", "tenant", "tenant"),
        ("window", "zone", "zone"),
        ("window", "floor", "floor"),
        ("kiosk", "floor", "floor"),
    ):
        for path, row in draft.rows(table):
            if identifier := word(row, key):
                yield from _dangling(draft, (*path, key), target, identifier)
    for table, key, target in (
        ("window", "serves", "service"),
        ("window", "relief", "service"),
        ("window", "trained", "service"),
        ("service", "legs", "service"),
        ("kiosk", "zones", "zone"),
        ("clerk", "windows", "window"),
    ):
        for path, row in draft.rows(table):
            for index, identifier in words(row, key):
                yield from _dangling(draft, (*path, key, index), target, identifier)
    for window_path, window in draft.rows("window"):
        for path, tide in inner_rows(window, window_path, "tides"):
            for key in ("serves", "relief"):
                for index, identifier in words(tide, key):
                    yield from _dangling(draft, (*path, key, index), "service", identifier)
    for path, row in inner_rows(draft.table("calendar"), ("calendar",), "hours"):
        for key, target in (("zones", "zone"), ("services", "service")):
            for index, identifier in words(row, key):
                yield from _dangling(draft, (*path, key, index), target, identifier)


def _dangling(draft: Draft, path: TablePath, target: str, identifier: str) -> Iterator[Finding]:
    known = draft.ids(target)
    if identifier in known:
        return
    by_name = {name: row_id for row_id, row in known.items() for name in _names(row)}
    guess = by_name.get(identifier) or nearest(identifier, known)
    there_zh, there_en = f"没有{_ZH[target]} {quoted(identifier)}", f"There is no {target} {quoted(identifier)}"
    if guess is None and 0 < len(known) <= NAMED_AT_MOST:
        there_zh += f"，只有 {'、'.join(map(quoted, known))}"
        there_en += f", only {', '.join(map(quoted, known))}"
    yield Finding(
        path=path,
        code=f"unknown_{target}",
        zh=f"{there_zh}。",
        en=f"{there_en}.",
        suggestion=quoted(guess) if guess else None,
    )


def _names(row: Row) -> Iterator[str]:
    """Give the display names of a row: people write the name where the id belongs."""
    name = row.get("name")
    if isinstance(name, dict):
        yield from (each for each in name.values() if isinstance(each, str))


def _numbers_in_order(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("service"):
        if (series := numbers(row)) and series[0] > series[1]:
            first, last = series
            yield Finding(
                path=(*path, "first"),
                code="numbers_out_of_order",
                zh=f"第一个号 {first} 大于最后一个号 {last}。",
                en=f"The first number {first} is above the last number {last}.",
                lone=True,
            )


def _letters_clear(draft: Draft) -> Iterator[Finding]:
    if draft.table("ticket").get("allow_ambiguous_prefixes") is True:
        return
    for path, row in draft.rows("service"):
        prefix = word(row, "prefix") or ""
        if unclear := next((letter for letter in prefix.upper() if letter in AMBIGUOUS_LETTERS), None):
            zh, en = AMBIGUOUS_LETTERS[unclear]
            free = _free_letter(draft)
            yield Finding(
                path=(*path, "prefix"),
                code="ambiguous_prefix",
                zh=f"字母 {unclear} {zh}，容易混淆；确需使用，请在 [ticket] 中写 allow_ambiguous_prefixes = true。",
                en=f"The letter {unclear} {en}; to use it all the same, write"
                " allow_ambiguous_prefixes = true in [ticket].",
                suggestion=quoted(free) if free else None,
            )


def _series_agree(draft: Draft) -> Iterator[Finding]:
    """Services with one letter share one series, so they must agree on zone, first and last number."""
    firsts: dict[str, tuple[TablePath, Row]] = {}
    for path, row in draft.rows("service"):
        if not (prefix := word(row, "prefix")):
            continue
        other_path, other = firsts.setdefault(prefix, (path, row))
        line = draft.line((*other_path, "prefix"))
        if row is not other and word(row, "zone") != word(other, "zone"):
            free = _free_letter(draft)
            yield Finding(
                path=(*path, "prefix"),
                code="series_of_two_zones",
                zh=f"字母 {prefix} 在第 {line} 行已用于另一专区；一个号码序列只属于一个专区。",
                en=f"The letter {prefix} belongs to another zone on line {line}; a number series has one zone.",
                suggestion=quoted(free) if free else None,
            )
            continue
        here, there = numbers(row), numbers(other)
        if here and there and here != there:
            yield Finding(
                path=(*path, "prefix"),
                code="series_range_differs",
                zh=f"与第 {line} 行的事项共用字母 {prefix} 的号码序列，但号段不同"
                f"（此处 {here[0]}–{here[1]}，彼处 {there[0]}–{there[1]}）；请写成一致，或换一个字母。",
                en=f"Shares the series {prefix} with the service on line {line}, but the ranges differ"
                f" (here {here[0]}-{here[1]}, there {there[0]}-{there[1]}); make them equal or take another letter.",
            )


def _free_letter(draft: Draft) -> str | None:
    used = {word(row, "prefix") for _, row in draft.rows("service")}
    return next((letter for letter in CLEAR_LETTERS if letter not in used), None)


def _staffed(row: Row) -> bool:
    return row.get("staffed") is not False


def _every_service_served(draft: Draft) -> Iterator[Finding]:
    """A window to which nobody is sent counts for no service."""
    windows = [row for _, row in draft.rows("window")]
    home = {each for row in windows if _staffed(row) for _, each in words(row, "serves")}
    relief = {each for row in windows if _staffed(row) for _, each in words(row, "relief")}
    empty = {each for row in windows for key in ("serves", "relief") for _, each in words(row, key)}
    told: set[str] = set()
    for path, row in draft.rows("service"):
        if (identifier := word(row, "id")) is None or identifier in home | told:
            continue
        told.add(identifier)
        if identifier in relief:
            zh, en = "只有兼办窗口，没有主办窗口", "is only relieved"
        elif identifier in empty:
            zh, en = "只写在未派驻人员的窗口", "stands only at windows that nobody staffs"
        else:
            zh, en = "没有窗口办理", "is served nowhere"
        yield Finding(
            path=(*path, "id"),
            code="service_unserved",
            zh=f"事项 {quoted(identifier)} {zh}：请写进某个有人窗口的 serves。",
            en=f"Service {quoted(identifier)} {en}: add it to the serves of a window that is staffed.",
        )


def _every_window_serves(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("window"):
        if row.get("serves", []) != [] or not _staffed(row):
            continue
        yield Finding(
            path=(*path, "serves") if "serves" in row else path,
            code="empty_list" if "serves" in row else "missing_key",
            zh='请写明本窗口主办的事项：serves = ["…"]；没有派驻人员的窗口请写 staffed = false。',
            en='Name what is served here: serves = ["..."]; where nobody is sent to the window, write staffed = false.',
            lone="serves" in row,
        )


def _zones_fit_their_kind(draft: Draft) -> Iterator[Finding]:
    """Visitors queue where somebody is at a window; a self-service area and a guide desk take no numbers."""
    kinds = {identifier: row.get("kind", "queue") for identifier, row in draft.ids("zone").items()}
    for table, code, zh, en in (
        ("service", "service_in_quiet_zone", "不叫号，不能有事项", "takes no numbers and cannot have services"),
        ("window", "window_in_quiet_zone", "不叫号，不能有窗口", "takes no numbers and cannot have windows"),
    ):
        for path, row in draft.rows(table):
            if kinds.get(identifier := word(row, "zone") or "") in QUIET_KINDS:
                yield Finding(
                    path=(*path, "zone"),
                    code=code,
                    zh=f"专区 {quoted(identifier)} 的 kind 不是 queue：{zh}。",
                    en=f"Zone {quoted(identifier)} is not of kind queue: it {en}.",
                )
    manned = {word(row, "zone") for _, row in draft.rows("window") if _staffed(row)}
    there = {word(row, "zone") for _, row in draft.rows("window")}
    for path, row in draft.rows("zone"):
        if kinds.get(identifier := word(row, "id") or "") != "queue" or identifier in manned:
            continue
        zh, en = ("有人的窗口", "no window that is staffed") if identifier in there else ("窗口", "no window")
        yield Finding(
            path=(*path, "id"),
            code="zone_without_window",
            zh=f'专区 {quoted(identifier)} 没有{zh}；自助服务区请写 kind = "self_service"，引导台请写 kind = "guide"。',
            en=f'Zone {quoted(identifier)} has {en}; for a self-service area write kind = "self_service", for a guide'
            ' desk kind = "guide".',
        )


def _kiosks_offer_numbers(draft: Draft) -> Iterator[Finding]:
    with_services = {word(row, "zone") for _, row in draft.rows("service")}
    for path, row in draft.rows("kiosk"):
        zones = words(row, "zones")
        yield from _twice((*path, "zones"), zones, "专区", "Zone")
        if zones and {zone for _, zone in zones} <= draft.ids("zone").keys() - with_services:
            yield Finding(
                path=(*path, "zones"),
                code="kiosk_without_service",
                zh="这些专区都没有事项，取号机上将没有可取的号。",
                en="None of these zones has a service: the kiosk would have no number to give.",
            )


def _legs_fit(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("service"):
        legs = words(row, "legs")
        if not legs:
            continue
        yield from _twice((*path, "legs"), legs, "事项", "Service")
        identifier, at = word(row, "id"), (*path, "legs")
        if row.get("kind", "ordinary") != "ordinary":
            yield Finding(
                path=at,
                code="legs_of_kind",
                zh='只有一般事项（kind = "ordinary"）可以联办。',
                en="Only an ordinary service can be a joint matter.",
                lone=True,
            )
        if identifier is not None and legs[0][1] != identifier:
            rest = [each for _, each in legs if each != identifier]
            yield Finding(
                path=(*at, 0),
                code="first_leg_elsewhere",
                zh="联办的第一个环节应是本事项。",
                en="The first leg of a joint matter is the service itself.",
                suggestion=f"legs = [{', '.join(map(quoted, [identifier, *rest]))}]",
                lone=True,
            )
        if len(legs) == 1:
            yield Finding(
                path=at,
                code="one_leg",
                zh="联办至少有两个环节；只有一个请删去 legs。",
                en="A joint matter has two legs at least; for one, leave out legs.",
                lone=True,
            )
        if len(legs) > LEGS_MAX:
            yield Finding(
                path=at,
                code="too_many_legs",
                zh=f"一件联办事项最多 {LEGS_MAX} 个环节，这里有 {len(legs)} 个。",
                en=f"A joint matter has at most {LEGS_MAX} legs; here are {len(legs)}.",
                lone=True,
            )


def _twice(path: TablePath, items: list[tuple[int, str]], zh: str, en: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, item in items:
        if item in seen:
            yield Finding(
                path=(*path, index),
                code="named_twice",
                zh=f"{zh} {quoted(item)} 写了两次。",
                en=f"{en} {quoted(item)} stands twice.",
                lone=True,
            )
        seen.add(item)


def _case_asked_for_pickup(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("service"):
        if row.get("asks_case") is True and row.get("kind", "ordinary") != "pickup":
            yield Finding(
                path=(*path, "asks_case"),
                code="case_of_kind",
                zh='只有出件事项（kind = "pickup"）才有办件编号，请删去 asks_case。',
                en='Only a pickup (kind = "pickup") has a case number: leave out asks_case.',
                lone=True,
            )


def _services_once_per_window(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("window"):
        seen: set[str] = set()
        for key in ("serves", "relief", "trained"):
            for index, identifier in words(row, key):
                if identifier in seen:
                    yield Finding(
                        path=(*path, key, index),
                        code="service_twice",
                        zh=f"事项 {quoted(identifier)} 在本窗口写了两次。",
                        en=f"Service {quoted(identifier)} stands twice at this window.",
                        lone=True,
                    )
                seen.add(identifier)


def _time_zone_known(draft: Draft) -> Iterator[Finding]:
    name = word(draft.table("hall"), "time_zone")
    if name is None or name in (known := _time_zones()):
        return
    guess = CHINA.get(name.casefold()) or nearest(name, sorted(known))
    yield Finding(
        path=("hall", "time_zone"),
        code="unknown_time_zone",
        zh=f"没有时区 {quoted(name)}。",
        en=f"There is no time zone {quoted(name)}.",
        suggestion=quoted(guess) if guess else None,
        lone=True,
    )


@functools.cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _languages_agree(draft: Draft) -> Iterator[Finding]:
    spoken = [each for _, each in words(draft.table("hall"), "languages")]
    if not spoken or not set(spoken) <= set(LANGUAGES):  # the schema says which it does not know
        spoken = list(LANGUAGES)
    for table in ("hall", "ticket", "speech"):
        seen: set[str] = set()
        for index, language in words(draft.table(table), "languages"):
            if language in seen:
                yield Finding(
                    path=(table, "languages", index),
                    code="language_twice",
                    zh=f"语言 {quoted(language)} 写了两次。",
                    en=f"Language {quoted(language)} stands twice.",
                    lone=True,
                )
            elif table != "hall" and language in LANGUAGES and language not in spoken:
                yield _not_spoken((table, "languages", index), language, spoken)
            seen.add(language)
    fields = words(draft.table("ticket"), "fields")
    yield from _twice(("ticket", "fields"), fields, "号票内容", "Field")
    if "fields" in draft.table("ticket") and "number" not in [each for _, each in fields]:
        yield Finding(
            path=("ticket", "fields"),
            code="number_missing",
            zh="号票内容必须包含 number（号码）。",
            en="The fields of the ticket must contain number.",
            lone=True,
        )
    if "zh" not in spoken:
        yield Finding(
            path=("hall", "languages"),
            code="chinese_missing",
            zh="大厅语言必须包含 zh（中文）。",
            en="The languages of the hall must contain zh (Chinese).",
            lone=True,
        )
    for path, text in _texts(draft):
        for language in text:
            if language not in spoken:
                yield _not_spoken((*path, language), language, spoken)


def _not_spoken(path: TablePath, language: str, spoken: list[str]) -> Finding:
    guess = LANGUAGE_NAMES.get(language.casefold()) or nearest(language, spoken)
    if guess not in spoken:
        guess = None
    return Finding(
        path=path,
        code="unknown_language",
        zh=f"{language} 不是本大厅的语言（{'、'.join(spoken)}）。",
        en=f"{language} is not a language of this hall ({', '.join(spoken)}).",
        suggestion=guess,
        lone=True,
    )


def _texts(draft: Draft) -> Iterator[tuple[TablePath, Row]]:
    places: list[tuple[TablePath, Row]] = [((table,), draft.table(table)) for table in ("hall", "ticket")]
    for table in _KEYS:
        places.extend(draft.rows(table))
    for path, row in places:
        for key in _TEXTS:
            text = row.get(key)
            if isinstance(text, dict):
                yield (*path, key), text
    for path, row in draft.rows("service"):
        if isinstance(guide := row.get("guide"), dict):
            yield from _texts_of_guide((*path, "guide"), guide)


def _texts_of_guide(path: TablePath, guide: Row) -> Iterator[tuple[TablePath, Row]]:
    for key in _GUIDE_TEXTS:
        text = guide.get(key)
        for place, one in (
            [((*path, key, n), each) for n, each in enumerate(text)]
            if isinstance(text, list)
            else [((*path, key), text)]
        ):
            if isinstance(one, dict):
                yield place, one


def _hours_in_order(draft: Draft) -> Iterator[Finding]:
    yield from _spans_in_order(draft, list(inner_rows(draft.table("calendar"), ("calendar",), "hours")))
    for path, zone in draft.rows("zone"):
        yield from _spans_in_order(draft, list(inner_rows(zone, path, "hours")))
        if _clock(zone, "opens") and _clock(zone, "closes"):
            yield from _spans_in_order(draft, [(path, zone)])


def _spans_in_order(draft: Draft, rows: list[tuple[TablePath, Row]]) -> Iterator[Finding]:
    """Rows for the same zones and services must not overlap on a day; duty may overlap what is open anyhow."""
    day_starts = _clock(draft.table("hall"), "day_starts") or "06:00"
    taken: dict[tuple[object, ...], list[tuple[str, str, TablePath]]] = {}
    for path, row in rows:
        opens, closes = _clock(row, "opens"), _clock(row, "closes")
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


def _zone_times_agree(draft: Draft) -> Iterator[Finding]:
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
        begins, ends = _day(zone.get("trial_from")), _day(zone.get("trial_to"))
        if begins and ends and begins > ends:
            yield Finding(
                path=(*path, "trial_to"),
                code="trial_out_of_order",
                zh=f"试运行末日 {ends} 早于首日 {begins}。",
                en=f"The trial ends on {ends}, before it begins on {begins}.",
                lone=True,
            )


def _calendar_agrees(draft: Draft) -> Iterator[Finding]:
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
            if (day := _day(value)) is None:
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


def _slots_fit(draft: Draft) -> Iterator[Finding]:
    """Slots of a service are in order, apart from each other, and each within the hours of some day."""
    hours = [row for _, row in inner_rows(draft.table("calendar"), ("calendar",), "hours")]
    zones = draft.ids("zone")
    for service_path, service in draft.rows("service"):
        zone = zones.get(word(service, "zone") or "", {})
        open_rows = _rows_of(zone, word(service, "zone"), word(service, "id"), hours)
        spans: list[tuple[str, str, TablePath]] = []
        for path, slot in inner_rows(service, service_path, "slot_quota"):
            begins, ends = _clock(slot, "from"), _clock(slot, "to")
            if begins is None or ends is None:
                continue
            if begins >= ends:
                yield Finding(
                    path=(*path, "to"),
                    code="slot_out_of_order",
                    zh=f"时段结束 {ends} 不晚于开始 {begins}。",
                    en=f"The slot ends at {ends}, which is not after {begins}.",
                    lone=True,
                )
                continue
            if clash := next((span for span in spans if begins < span[1] and span[0] < ends), None):
                line = draft.line(clash[2])
                yield Finding(
                    path=(*path, "from"),
                    code="slots_overlap",
                    zh=f"时段 {begins}–{ends} 与第 {line} 行的 {clash[0]}–{clash[1]} 重叠。",
                    en=f"The slot {begins}-{ends} overlaps {clash[0]}-{clash[1]} on line {line}.",
                    lone=True,
                )
            spans.append((begins, ends, path))
            if open_rows and not any(opens <= begins and ends <= closes for opens, closes in open_rows):
                yield Finding(
                    path=(*path, "from"),
                    code="slot_outside_hours",
                    zh=f"时段 {begins}–{ends} 不在任何一段开放时间之内。",
                    en=f"The slot {begins}-{ends} is not within any opening hours.",
                )


def _tides_fit(draft: Draft) -> Iterator[Finding]:
    """Tides of a window serve something, end after they begin, and are apart from each other."""
    for window_path, window in draft.rows("window"):
        spans: list[tuple[str, str, TablePath]] = []
        for path, tide in inner_rows(window, window_path, "tides"):
            if tide.get("serves") == []:
                yield Finding(
                    path=(*path, "serves"),
                    code="tide_serves_nothing",
                    zh="潮汐时段至少要办一项事项。",
                    en="A tide must serve at least one service.",
                    lone=True,
                )
            begins, ends = _clock(tide, "from"), _clock(tide, "to")
            if begins is None or ends is None:
                continue
            if begins >= ends:
                yield Finding(
                    path=(*path, "to"),
                    code="tide_out_of_order",
                    zh=f"潮汐时段结束 {ends} 不晚于开始 {begins}。",
                    en=f"The tide ends at {ends}, which is not after {begins}.",
                    lone=True,
                )
                continue
            if clash := next((span for span in spans if begins < span[1] and span[0] < ends), None):
                line = draft.line(clash[2])
                yield Finding(
                    path=(*path, "from"),
                    code="tides_overlap",
                    zh=f"潮汐时段 {begins}–{ends} 与第 {line} 行的 {clash[0]}–{clash[1]} 重叠。",
                    en=f"The tide {begins}-{ends} overlaps {clash[0]}-{clash[1]} on line {line}.",
                    lone=True,
                )
            spans.append((begins, ends, path))


def _bookable_has_hours(draft: Draft) -> Iterator[Finding]:
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
    times = [(_clock(row, "opens"), _clock(row, "closes")) for row in (*base, *named)]
    return [(opens, closes) for opens, closes in times if opens is not None and closes is not None]


def inner_rows(row: Row, path: TablePath, key: str) -> Iterator[tuple[TablePath, Row]]:
    """Give the rows of a list that stands inside a table with their paths."""
    found = row.get(key)
    for index, inner in enumerate(found if isinstance(found, list) else ()):
        if isinstance(inner, dict):
            yield (*path, key, index), inner


def _day(value: object) -> str | None:
    """Give a day as "2026-05-01", which sorts; None where the schema has something to say."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return day_of(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def _clock(row: Row, key: str) -> str | None:
    """Give a time of day as "08:30", which sorts; None where the schema has something to say."""
    found = row.get(key)
    text = f"{found:%H:%M}" if hasattr(found, "hour") and not hasattr(found, "year") else found
    return text if isinstance(text, str) and re.fullmatch(CLOCK_PATTERN, text) else None


def _priorities_free(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("priority"):
        if (identifier := word(row, "id")) in RESERVED_PRIORITIES:
            yield Finding(
                path=(*path, "id"),
                code="reserved_priority",
                zh=f"{identifier} 是普通号的代号，不能用作优先代号。",
                en=f"{identifier} is what tickets without priority are called; take another id.",
                lone=True,
            )


def _appointments_not_asked(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("priority"):
        if word(row, "id") == APPOINTMENT and "question" in row:
            yield Finding(
                path=(*path, "question"),
                code="appointment_asked",
                zh="预约优先由签到给予，取号机不询问，请删去 question。",
                en="An appointment is checked in, the kiosk does not ask for it: leave out question.",
                lone=True,
            )


def _posts_have_windows(draft: Draft) -> Iterator[Finding]:
    for path, row in draft.rows("clerk"):
        guide = row.get("role") == "guide"
        windows = row.get("windows", [])
        if not isinstance(windows, list) or guide != bool(windows):
            continue
        yield Finding(
            path=(*path, "windows"),
            code="guide_with_window" if guide else "clerk_without_window",
            zh="引导台导办员不坐窗口，请删去 windows。" if guide else '请写明可登录的窗口：windows = ["1"]。',
            en="A guide sits at no window: leave out windows." if guide else 'Name the windows: windows = ["1"].',
            lone=True,
        )


def _posts_are_staffed(draft: Draft) -> Iterator[Finding]:
    windows = draft.ids("window")
    for path, row in draft.rows("clerk"):
        for index, no in words(row, "windows"):
            if not _staffed(windows.get(no, {})):
                yield Finding(
                    path=(*path, "windows", index),
                    code="clerk_at_unstaffed",
                    zh=f"窗口 {quoted(no)} 未派驻人员（staffed = false），不能有岗位。",
                    en=f"Nobody is sent to window {quoted(no)} (staffed = false): it has no posts.",
                )


def _one_chief_each(draft: Draft) -> Iterator[Finding]:
    chiefs: dict[str, TablePath] = {}
    for path, row in draft.rows("clerk"):
        if row.get("chief") is not True:
            continue
        if (department := word(row, "department")) is None:
            yield Finding(
                path=(*path, "chief"),
                code="chief_of_nothing",
                zh="请写明首席代表所代表的部门：department。",
                en="Name the department that the chief representative signs for: department.",
            )
        elif first := chiefs.get(department):
            yield Finding(
                path=(*path, "chief"),
                code="two_chiefs",
                zh=f"{department} 的首席代表在第 {draft.line((*first, 'chief'))} 行已经有了，每个部门一名。",
                en=f"{quoted(department)} has its chief representative on line {draft.line((*first, 'chief'))} already;"
                " each department has one.",
                lone=True,
            )
        else:
            chiefs[department] = path


def _partners_elsewhere(draft: Draft) -> Iterator[Finding]:
    partners, here = words(draft.table("agency"), "partners"), word(draft.table("hall"), "id")
    yield from _twice(("agency", "partners"), partners, "大厅", "Hall")
    for index, partner in partners:
        if partner == here:
            yield Finding(
                path=("agency", "partners", index),
                code="partner_is_self",
                zh=f"{quoted(partner)} 就是本大厅，不能转交给自己。",
                en=f"{quoted(partner)} is this hall: nothing is handed over to itself.",
                lone=True,
            )


RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    _ids_once,
    _references_found,
    _numbers_in_order,
    _letters_clear,
    _series_agree,
    _every_service_served,
    _every_window_serves,
    _zones_fit_their_kind,
    _kiosks_offer_numbers,
    _legs_fit,
    _case_asked_for_pickup,
    _services_once_per_window,
    _tides_fit,
    _time_zone_known,
    _languages_agree,
    _hours_in_order,
    _zone_times_agree,
    _calendar_agrees,
    _slots_fit,
    _bookable_has_hours,
    _priorities_free,
    _appointments_not_asked,
    _posts_have_windows,
    _posts_are_staffed,
    _one_chief_each,
    _partners_elsewhere,
)
