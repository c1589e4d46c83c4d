"""Rules about names: ids once, references that point somewhere, languages, the time zone, partners."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Iterator
from typing import Final

from config.problems import Finding, TablePath, nearest, quoted
from config.rules.draft import KEYS, NAMED_AT_MOST, ZH, Draft, Row, inner_rows, named_twice, word, words
from config.schema import LANGUAGES

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

_TEXTS: Final = ("name", "notice", "address", "advice", "question", "about")
_GUIDE_TEXTS: Final = ("basis", "materials", "time", "fee")


def ids_once(draft: Draft) -> Iterator[Finding]:
    """Every id is there once in its table."""
    for table, key in KEYS.items():
        seen: dict[str, TablePath] = {}
        for path, row in draft.rows(table):
            if (identifier := word(row, key)) is None:
                continue
            if first := seen.get(identifier):
                line = draft.line((*first, key))
                yield Finding(
                    path=(*path, key),
                    code="duplicate_id",
                    zh=f"{ZH[table]} {quoted(identifier)} 在第 {line} 行已经有了，{key} 不能重复。",
                    en=f"{table} {quoted(identifier)} is on line {line} already; {key} must be unique.",
                    lone=True,
                )
            else:
                seen[identifier] = path


def references_found(draft: Draft) -> Iterator[Finding]:
    """Whatever names a row of another table names one that exists."""
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
    there_zh, there_en = f"没有{ZH[target]} {quoted(identifier)}", f"There is no {target} {quoted(identifier)}"
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


def time_zone_known(draft: Draft) -> Iterator[Finding]:
    """The time zone is one of the IANA database."""
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


def languages_agree(draft: Draft) -> Iterator[Finding]:
    """Chinese is spoken, and texts, paper and voice keep to the languages of the hall."""
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
    yield from named_twice(("ticket", "fields"), fields, "号票内容", "Field")
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
    for table in KEYS:
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


def partners_elsewhere(draft: Draft) -> Iterator[Finding]:
    """A hall hands nothing over to itself."""
    partners, here = words(draft.table("agency"), "partners"), word(draft.table("hall"), "id")
    yield from named_twice(("agency", "partners"), partners, "大厅", "Hall")
    for index, partner in partners:
        if partner == here:
            yield Finding(
                path=("agency", "partners", index),
                code="partner_is_self",
                zh=f"{quoted(partner)} 就是本大厅，不能转交给自己。",
                en=f"{quoted(partner)} is this hall: nothing is handed over to itself.",
                lone=True,
            )
