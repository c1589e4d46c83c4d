"""What stands behind the keys of a hall file: names for people, ids, times, days, and what a table is.

Units stand in the names of keys: `_min` and `minutes_` are minutes. Names for people are texts by language,
Chinese always there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, ClassVar, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

SCHEMA: Final = 1
"""The version of the hall file that this program reads."""

LANGUAGES: Final = ("zh", "en")
"""Languages that pages, paper and voice know."""

LAST_TICKET_MINUTES_MAX: Final = 480
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

HALL_NAME_COLUMNS: Final = 48
"""One line of 80 mm paper: 48 columns, a Chinese character takes two."""

NAME_COLUMNS: Final = 48
"""What a board, a window strip in two parts and a kiosk button still show of a zone, service or window name."""

SENTENCE_COLUMNS: Final = 400
"""Notice, advice, address, question: five lines of a board, nine lines of paper."""

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,31}$"
FLOOR_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z_-]{0,7}$"
WINDOW_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z-]{0,5}$"
WORK_ID_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z_-]{0,31}$"
PREFIX_PATTERN: Final = r"^[A-Z]{1,2}$"
DEVICE_PATTERN: Final = r"^[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff._-]{0,63}$"
MATTER_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z-]{0,39}$"
PHONE_PATTERN: Final = r"^[0-9+][0-9 ()-]{2,29}$"
CLOCK_PATTERN: Final = r"([01]\d|2[0-3]):[0-5]\d"

NUMBER_MAX: Final = 9999
"""Labels have at most four digits."""

MATERIALS_MAX: Final = 12
"""So many papers a service guide lists at most: what one page of a kiosk shows."""

LEGS_MAX: Final = 8
"""So many stops has a joint matter at most; the domain says the same."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a setting means, for docs/hall-file.md: one line in English, one in Chinese."""

    en: str
    zh: str


def columns(text: str) -> int:
    """Give the width on paper and strips: two columns for a wide (Chinese) character, one for the rest."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def said(code: str, *, en: str, zh: str, suggestion: str | None = None) -> PydanticCustomError:
    """Give a validation error that speaks both languages; `config.explain` reads the words back."""
    return PydanticCustomError(code, "{en}", {"en": en, "zh": zh, "suggestion": suggestion})


def _text(max_columns: int) -> AfterValidator:
    def checked(text: Mapping[str, str]) -> Mapping[str, str]:
        if "zh" not in text:
            raise said("chinese_missing", en="zh (Chinese) is missing", zh="缺少 zh（中文）")
        for language, words in text.items():
            if not words.strip():
                raise said("empty_text", en=f"{language} is empty", zh=f"{language} 是空的")
            if any(unicodedata.category(char) == "Cc" for char in words):
                raise said(
                    "control_character",
                    en=f"{language} contains a control character (line break, tab); write one line",
                    zh=f"{language} 含有控制字符（换行、制表符），请写成一行",
                )
            if (width := columns(words)) > max_columns:
                raise said(
                    "too_wide",
                    en=f"{language} is {width} columns wide, at most {max_columns} fit (a Chinese character takes 2)",
                    zh=f"{language} 宽 {width} 列，最多 {max_columns} 列（一个汉字占 2 列）",
                )
        return text

    return AfterValidator(checked)


HallName: TypeAlias = Annotated[Mapping[str, str], _text(HALL_NAME_COLUMNS)]
Name: TypeAlias = Annotated[Mapping[str, str], _text(NAME_COLUMNS)]
Sentence: TypeAlias = Annotated[Mapping[str, str], _text(SENTENCE_COLUMNS)]


def _clock(value: object) -> object:
    """Read "08:30" (or TOML's own 08:30:00) as a time of day on a full minute."""
    if isinstance(value, str):
        if re.fullmatch(CLOCK_PATTERN, value):
            return time(int(value[:2]), int(value[3:]))
        meant = re.sub(r"[：.]", ":", value).strip().zfill(5)
        raise said(
            "not_a_time",
            en=f'"{value}" is not a time such as "08:30"',
            zh=f'“{value}”不是 "08:30" 这样的时刻',
            suggestion=f'"{meant}"' if re.fullmatch(CLOCK_PATTERN, meant) else None,
        )
    if isinstance(value, time) and (value.second or value.microsecond):
        raise said("not_a_minute", en="the time must be on a full minute", zh="时间必须是整分钟")
    return value


def _date(value: object) -> object:
    """Read "2026-05-01" (or TOML's own 2026-05-01) as a day that is in the calendar."""
    if isinstance(value, datetime) or not isinstance(value, str | date):
        raise _not_a_date(str(value))
    if isinstance(value, date):
        return value
    try:
        return day_of(value)
    except ValueError:
        raise _not_a_date(value) from None


def _not_a_date(value: str) -> PydanticCustomError:
    parts = re.findall(r"\d+", value)
    meant = f"{parts[0]}-{parts[1]:0>2}-{parts[2]:0>2}" if len(parts) == 3 else ""
    try:
        there = meant != value and bool(day_of(meant))
    except ValueError:
        there = False
    return said(
        "not_a_date",
        en=f'"{value}" is not a day of the calendar, written "2026-05-01"',
        zh=f'“{value}”不是日历上的日期（写法："2026-05-01"）',
        suggestion=f'"{meant}"' if there else None,
    )


def day_of(text: str) -> date:
    """Give the day of "2026-05-01".

    Raises:
        ValueError: it is written otherwise, or no such day is in the calendar.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def market_rule(text: str) -> str | date | tuple[int, date]:
    """Give what a market day says: a weekday, a day, or (n, day) for every n-th day counted from a day.

    Raises:
        ValueError: it says nothing of these.
    """
    if text in WEEKDAYS:
        return text
    if cycle := re.fullmatch(r"every ([1-9]\d?) days from (\S+)", text):
        return int(cycle[1]), day_of(cycle[2])
    return day_of(text)


def _market_day(text: str) -> str:
    try:
        market_rule(text)
    except ValueError:
        raise said(
            "not_a_market_day",
            en=f'"{text}" is no market day; write "sat", "2026-05-01" or "every 5 days from 2026-01-03"',
            zh=f'“{text}”不是集市日的写法；请写 "sat"、"2026-05-01" 或 "every 5 days from 2026-01-03"',
        ) from None
    return text


def _last_ticket(value: object) -> object:
    minutes = type(value) is int and 0 <= value <= LAST_TICKET_MINUTES_MAX
    if not minutes and value not in ("served", "closing"):
        raise said(
            "not_a_last_ticket",
            en=f'write "served", "closing" or minutes from 0 to {LAST_TICKET_MINUTES_MAX}',
            zh=f'请写 "served"、"closing" 或 0 到 {LAST_TICKET_MINUTES_MAX} 的分钟数',
        )
    return value


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        parts.port  # noqa: B018  # raises ValueError when the port is no number
    except ValueError:
        good = False
    if not good or re.search(r"\s", url):
        raise said(
            "not_an_address",
            en=f'"{url}" is not a web address; write for example "https://hall.example.cn"',
            zh=f'“{url}”不是网址，请写成例如 "https://hall.example.cn"',
        )
    return url.rstrip("/")


ClockTime: TypeAlias = Annotated[time, BeforeValidator(_clock)]
Day: TypeAlias = Annotated[date, BeforeValidator(_date)]
MarketDay: TypeAlias = Annotated[str, AfterValidator(_market_day)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
OpenDay: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "market"]
Language: TypeAlias = Literal["zh", "en"]

Id: TypeAlias = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""Small letters, digits, - and _: it stands in addresses of pages and in file names."""

FloorId: TypeAlias = Annotated[str, StringConstraints(pattern=FLOOR_PATTERN)]
"""As on the lift button: 1F, B1."""

WindowNo: TypeAlias = Annotated[str, StringConstraints(pattern=WINDOW_PATTERN)]
"""As painted over the window: 7, 203, A3."""

WorkId: TypeAlias = Annotated[str, StringConstraints(pattern=WORK_ID_PATTERN)]
Prefix: TypeAlias = Annotated[str, StringConstraints(pattern=PREFIX_PATTERN)]

DeviceName: TypeAlias = Annotated[str, StringConstraints(pattern=DEVICE_PATTERN)]
"""As enrolled: `jiaohao device enrol NAME`."""

Phone: TypeAlias = Annotated[str, StringConstraints(pattern=PHONE_PATTERN)]
MatterCode: TypeAlias = Annotated[str, StringConstraints(pattern=MATTER_PATTERN)]
Flag: TypeAlias = Literal["cross_province", "in_province", "one_thing", "immediate", "fee"]

TicketField: TypeAlias = Literal[
    "logo", "hall", "service", "priority", "number", "windows", "place", "waiting", "stops", "qr", "notice", "advice",
    "taken",
]  # fmt: skip
"""What can stand on a ticket, in the order in which it stands where the file says nothing."""


class Table(BaseModel):
    """A table of the hall file: closed (no unknown keys), frozen, and strict ("7" is not 7)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    meaning: ClassVar[Means]


Ref: TypeAlias = str
"""The id of a row of another table; `config.rules` says when there is no such row."""

Refs: TypeAlias = Annotated[tuple[Ref, ...], Field(strict=False)]
