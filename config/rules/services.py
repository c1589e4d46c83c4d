"""Rules about services and windows: number series, letters, who serves what, joint matters.

Number series: services with the same prefix draw from one series, and a zone owns its series. Letters I, O and Q are
misread as 1 and 0; Qmatic's halls leave them out too (docs.qmatic.io, "Understand queuing logic basics"). E is heard as
the Chinese 一: a speech recogniser took E966 for 1966.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from config.problems import Finding, TablePath, quoted
from config.rules.draft import Draft, Row, is_staffed, named_twice, numbers, word, words
from config.schema import LEGS_MAX

AMBIGUOUS_LETTERS: Final = MappingProxyType(
    {"I": ("看似 1", "is misread as 1"), "O": ("看似 0", "is misread as 0"), "Q": ("看似 0", "is misread as 0")}
)

CLEAR_LETTERS: Final = "ABCDFGHJKLMNPRSTUVWXYZ"
QUIET_KINDS: Final = ("self_service", "guide")


def numbers_in_order(draft: Draft) -> Iterator[Finding]:
    """The first number of a series is not above its last."""
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


def letters_clear(draft: Draft) -> Iterator[Finding]:
    """No letter of a series is one that is misread as a digit, unless the hall wants it."""
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


def series_agree(draft: Draft) -> Iterator[Finding]:
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


def every_service_served(draft: Draft) -> Iterator[Finding]:
    """A window to which nobody is sent counts for no service."""
    windows = [row for _, row in draft.rows("window")]
    home = {each for row in windows if is_staffed(row) for _, each in words(row, "serves")}
    relief = {each for row in windows if is_staffed(row) for _, each in words(row, "relief")}
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


def every_window_serves(draft: Draft) -> Iterator[Finding]:
    """A window that is staffed serves something."""
    for path, row in draft.rows("window"):
        if row.get("serves", []) != [] or not is_staffed(row):
            continue
        yield Finding(
            path=(*path, "serves") if "serves" in row else path,
            code="empty_list" if "serves" in row else "missing_key",
            zh='请写明本窗口主办的事项：serves = ["…"]；没有派驻人员的窗口请写 staffed = false。',
            en='Name what is served here: serves = ["..."]; where nobody is sent to the window, write staffed = false.',
            lone="serves" in row,
        )


def zones_fit_their_kind(draft: Draft) -> Iterator[Finding]:
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
    manned = {word(row, "zone") for _, row in draft.rows("window") if is_staffed(row)}
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


def kiosks_offer_numbers(draft: Draft) -> Iterator[Finding]:
    """A kiosk that names zones has a service in at least one of them."""
    with_services = {word(row, "zone") for _, row in draft.rows("service")}
    for path, row in draft.rows("kiosk"):
        zones = words(row, "zones")
        yield from named_twice((*path, "zones"), zones, "专区", "Zone")
        if zones and {zone for _, zone in zones} <= draft.ids("zone").keys() - with_services:
            yield Finding(
                path=(*path, "zones"),
                code="kiosk_without_service",
                zh="这些专区都没有事项，取号机上将没有可取的号。",
                en="None of these zones has a service: the kiosk would have no number to give.",
            )


def legs_fit(draft: Draft) -> Iterator[Finding]:
    """A joint matter begins with itself and names each leg once, two to eight of them."""
    for path, row in draft.rows("service"):
        legs = words(row, "legs")
        if not legs:
            continue
        yield from named_twice((*path, "legs"), legs, "事项", "Service")
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


def case_asked_for_pickup(draft: Draft) -> Iterator[Finding]:
    """Only a pickup asks for a case number."""
    for path, row in draft.rows("service"):
        if row.get("asks_case") is True and row.get("kind", "ordinary") != "pickup":
            yield Finding(
                path=(*path, "asks_case"),
                code="case_of_kind",
                zh='只有出件事项（kind = "pickup"）才有办件编号，请删去 asks_case。',
                en='Only a pickup (kind = "pickup") has a case number: leave out asks_case.',
                lone=True,
            )


def services_once_per_window(draft: Draft) -> Iterator[Finding]:
    """A window has a service once: its own, relief or trained for."""
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
