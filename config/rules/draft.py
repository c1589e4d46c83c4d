"""A hall file as written: raw tables with their places, and what rules need to read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final, TypeAlias

from config.positions import Spot, spot_of
from config.problems import Finding, TablePath, quoted
from config.schema import CLOCK_PATTERN, NUMBER_MAX, day_of

Row: TypeAlias = Mapping[str, object]

NAMED_AT_MOST: Final = 8
"""So many ids are named where a reference points nowhere; more would hide the sentence."""

KEYS: Final = {
    "floor": "id",
    "tenant": "id",
    "zone": "id",
    "service": "id",
    "window": "no",
    "kiosk": "id",
    "priority": "id",
    "clerk": "work_id",
}

ZH: Final = {
    "floor": "楼层",
    "tenant": "单位",
    "zone": "专区",
    "service": "事项",
    "window": "窗口",
    "kiosk": "取号机",
    "priority": "优先",
    "clerk": "岗位",
}


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
            if identifier := word(row, KEYS[name]):
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


def is_staffed(row: Row) -> bool:
    """Say whether somebody is sent to a window."""
    return row.get("staffed") is not False


def named_twice(path: TablePath, items: list[tuple[int, str]], zh: str, en: str) -> Iterator[Finding]:
    """Find what a list names twice."""
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


def inner_rows(row: Row, path: TablePath, key: str) -> Iterator[tuple[TablePath, Row]]:
    """Give the rows of a list that stands inside a table with their paths."""
    found = row.get(key)
    for index, inner in enumerate(found if isinstance(found, list) else ()):
        if isinstance(inner, dict):
            yield (*path, key, index), inner


def day_in(value: object) -> str | None:
    """Give a day as "2026-05-01", which sorts; None where the schema has something to say."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return day_of(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def clock_in(row: Row, key: str) -> str | None:
    """Give a time of day as "08:30", which sorts; None where the schema has something to say."""
    found = row.get(key)
    text = f"{found:%H:%M}" if hasattr(found, "hour") and not hasattr(found, "year") else found
    return text if isinstance(text, str) and re.fullmatch(CLOCK_PATTERN, text) else None
