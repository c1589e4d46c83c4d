"""The hall file: what a hall is, in one TOML file that a person can read and write.

One class per table, one field per key; unknown keys are refused. Each field carries its range, its default and what it
means in English and Chinese (`Means`), from which `config.reference` draws the table in docs/hall-file.md. What one
table cannot know alone (a window naming a service that is nowhere) is checked in `config.rules`.

Units stand in the names: `_min` and `minutes_` are minutes. Names for people are `Text`: one string per language,
Chinese always there. Passwords, tokens and personal names of staff never stand in a hall file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, ClassVar, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints
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


class Hall(Table):
    """[hall]: what the hall is called and where its day begins."""

    meaning = Means("The hall itself.", "大厅本身。")

    id: Annotated[
        Id, Means("Short name in addresses, file names and on the wire.", "大厅代号，用于网址、文件名和接口。")
    ]
    name: Annotated[
        HallName, Means("Name of the hall, on every page and ticket.", "大厅名称，显示在所有页面和号票上。")
    ]
    time_zone: Annotated[str, Means("Time zone of the business day (IANA name).", "营业日所用时区（IANA 名称）。")] = (
        "Asia/Shanghai"
    )
    languages: Annotated[
        tuple[Language, ...],
        Field(strict=False),
        Means("Languages of pages and voice; Chinese must be among them.", "页面和语音使用的语言，必须包含中文。"),
    ] = LANGUAGES
    day_starts: Annotated[
        ClockTime,
        Means("Time at which one business day ends and numbers begin again.", "营业日的分界时刻，号码从此重新开始。"),
    ] = time(6, 0)
    public_url: Annotated[
        WebAddress | None,
        Means(
            "Address at which visitors' phones reach the server (the QR code); without it, the address the kiosk uses.",
            "群众手机访问服务器的网址（二维码内容）；不写则用取号机所用的地址。",
        ),
    ] = None
    address: Annotated[
        Sentence | None, Means("Where the hall is, on the phone page.", "大厅地址，显示在手机页面上。")
    ] = None
    notice: Annotated[
        Sentence | None,
        Means("Standing notice on kiosk, boards and tickets.", "常设提示，显示在取号机、大屏和号票上。"),
    ] = None


class ZoneHours(Table):
    """One row of [[zone]] hours."""

    meaning = Means("Opening hours of some days; two rows make a lunch break.", "若干天的开放时间；两行即可表示午休。")

    days: Annotated[
        tuple[OpenDay, ...],
        Field(strict=False, min_length=1),
        Means(
            "Weekdays: mon tue wed thu fri sat sun; market: the market days, on which only such rows count.",
            "星期几：mon tue wed thu fri sat sun（周一至周日）；market 为集市日，当天只按 market 行开放。",
        ),
    ]
    opens: Annotated[ClockTime, Means("Time it opens.", "开放时刻。")]
    closes: Annotated[ClockTime, Means("Time it closes.", "关闭时刻。")]


class OpeningHours(ZoneHours):
    """One row of [calendar] hours."""

    meaning = Means(
        "Opening hours of some days; two rows make a lunch break. With zones or services: weekend duty (5+X).",
        "若干天的开放时间；两行即可表示午休。写明 zones 或 services 的行为周末值班（“5+X”）。",
    )

    zones: Annotated[
        Refs, Means("Only these zones are open then, beside what is open anyhow.", "此行仅对这些专区另外开放。")
    ] = ()
    services: Annotated[
        Refs, Means("Only these services are open then, beside what is open anyhow.", "此行仅对这些事项另外开放。")
    ] = ()


class Calendar(Table):
    """[calendar]: when the hall is open."""

    meaning = Means(
        "When the hall is open. Without hours, numbers are given at any time.",
        "大厅开放时间。不写 hours 则任何时候都可取号。",
    )

    hours: Annotated[
        tuple[OpeningHours, ...],
        Field(strict=False),
        Means("Weekly opening hours, shown on kiosk and phone.", "每周开放时间，显示在取号机和手机页面上。"),
    ] = ()
    outside_hours: Annotated[
        Literal["refuse", "issue"],
        Means(
            "Outside the hours: refuse gives no numbers and says when they are given again; issue gives them all the"
            " same. Calling and serving are never bound to the hours.",
            "开放时间以外：refuse 不取号，并告知何时开始；issue 照常取号。叫号和办理不受开放时间限制。",
        ),
    ] = "refuse"
    last_ticket: Annotated[
        str | int,
        PlainValidator(_last_ticket),
        Means(
            "When numbers end for the day: served as soon as the wait and one visit would pass closing; closing at"
            " closing; or so many minutes before closing.",
            "当天何时停止取号：served 为等候加办理将超过下班时间时；closing 为下班时；或下班前多少分钟。",
        ),
    ] = "served"
    holidays: Annotated[
        Literal["cn"] | None,
        Means(
            "cn: closed on the holidays and open on the make-up workdays that the State Council announced, as far as"
            " the installed data knows the year; `jiaohao check` says when it ends.",
            "cn：按国务院公布的节假日和调休上班日开放，以已安装数据所含年份为限；`jiaohao check` 会提示截止日期。",
        ),
    ] = None
    extra_open: Annotated[
        tuple[Day, ...],
        Field(strict=False),
        Means(
            "Days open like a weekday although weekend or holiday; stronger than holidays.",
            "周末或节假日照常上班的日期；优先于 holidays。",
        ),
    ] = ()
    extra_closed: Annotated[
        tuple[Day, ...], Field(strict=False), Means("Days closed although a weekday.", "另外不开放的日期。")
    ] = ()
    market_days: Annotated[
        tuple[MarketDay, ...],
        Field(strict=False),
        Means(
            'Market days: weekdays, dates, or "every 5 days from 2026-01-03". Hours for them: days = ["market"].',
            '集市日：星期几、日期，或 "every 5 days from 2026-01-03"（每 5 天一集）；时间写在 days = ["market"] 行。',
        ),
    ] = ()


class Floor(Table):
    """[[floor]]: a storey."""

    meaning = Means("A storey of the hall.", "楼层。")

    id: Annotated[FloorId, Means("Short name, as on the lift button: 1F.", "楼层代号，如 1F。")]
    name: Annotated[Name, Means("Name for visitors.", "对群众显示的名称。")]


class Tenant(Table):
    """[[tenant]]: a unit that shares the hall with others."""

    meaning = Means(
        "A unit that shares the hall with others, such as the centres of city and district under one roof.",
        "共用大厅的单位，如市、区两级中心合署办公。",
    )

    id: Annotated[Id, Means("Short name.", "单位代号。")]
    name: Annotated[Name, Means("Name for visitors.", "对群众显示的名称。")]


class Zone(Table):
    """[[zone]]: a part of the hall with its own waiting area and windows."""

    meaning = Means("A part of the hall with its own waiting area and windows.", "专区：有自己的等候区和窗口。")

    id: Annotated[Id, Means("Short name.", "专区代号。")]
    name: Annotated[Name, Means("Name for visitors.", "对群众显示的名称。")]
    kind: Annotated[
        Literal["queue", "self_service", "guide"],
        Means(
            "queue has windows and numbers; self_service (machines) and guide (guide desk) have neither and are shown"
            " with what can be done there.",
            "queue 为叫号专区，有窗口和号码；self_service（自助服务区）和 guide（引导台）没有，只显示可办内容。",
        ),
    ] = "queue"
    about: Annotated[
        Sentence | None,
        Means("What can be done there, on kiosk and phone.", "此处可办内容，显示在取号机和手机页面上。"),
    ] = None
    tenant: Annotated[Ref | None, Means("Unit whose zone it is.", "所属单位（见 [[tenant]]）。")] = None
    floor: Annotated[Ref | None, Means("Floor it is on.", "所在楼层。")] = None
    board: Annotated[
        Id | None,
        Means("Name of the zone's own screen, where it has one beside the hall's.", "本专区自有显示屏的代号（如有）。"),
    ] = None
    opens: Annotated[
        ClockTime | None,
        Means(
            "Time the zone opens, with closes, on the days the hall is open; without a break.",
            "本专区开放时刻，与 closes 同写；适用于大厅开放的日子，中午不休息。",
        ),
    ] = None
    closes: Annotated[ClockTime | None, Means("Time the zone closes.", "本专区关闭时刻。")] = None
    hours: Annotated[
        tuple[ZoneHours, ...],
        Field(strict=False),
        Means("The zone's own weekly hours, instead of the hall's.", "本专区自己的每周开放时间，代替大厅的时间。"),
    ] = ()
    always_open: Annotated[
        bool, Means("Open 24 hours, on holidays too (self-service).", "全天 24 小时开放，包括节假日（自助服务）。")
    ] = False
    trial_from: Annotated[Day | None, Means("First day of a trial: no numbers before.", "试运行首日，之前不取号。")] = (
        None
    )
    trial_to: Annotated[Day | None, Means("Last day of a trial: no numbers after.", "试运行末日，之后不取号。")] = None


class Slot(Table):
    """One row of [[service]] slot_quota."""

    meaning = Means("At most so many numbers in a part of the day.", "某一时段最多发放的号数。")

    starts: Annotated[ClockTime, Field(alias="from"), Means("Time the slot begins.", "时段开始时刻。")]
    ends: Annotated[ClockTime, Field(alias="to"), Means("Time the slot ends.", "时段结束时刻。")]
    quota: Annotated[int, Field(ge=0, le=NUMBER_MAX), Means("Numbers given in the slot.", "该时段发放的号数。")]


class Guide(Table):
    """[service.guide]: what a visitor should know before coming."""

    meaning = Means(
        "Service guide: what visitors read about the service at the kiosk and on the phone. Write what the law and your"
        " published list say; what is left out is not shown.",
        "办事指南：群众在取号机（触摸查询）和手机上看到的说明。请按法律和已公布的清单填写；不写的项目不显示。",
    )

    basis: Annotated[Sentence | None, Means("On what basis it is done.", "办理依据。")] = None
    materials: Annotated[
        tuple[Sentence, ...],
        Field(strict=False, max_length=MATERIALS_MAX),
        Means("Papers to bring, one text each.", "申请材料，一项一条。"),
    ] = ()
    time: Annotated[Sentence | None, Means("How long it takes.", "办理时限。")] = None
    fee: Annotated[Sentence | None, Means("What it costs.", "收费标准。")] = None
    phone: Annotated[Phone | None, Means("Whom to ring with questions.", "咨询电话。")] = None


class Service(Table):
    """[[service]]: what visitors come for, and the number series it draws from."""

    meaning = Means("What visitors come for, and the number series it draws from.", "事项，以及它使用的号码序列。")

    id: Annotated[Id, Means("Short name.", "事项代号。")]
    name: Annotated[Name, Means("Name on kiosk and ticket.", "取号机和号票上的名称。")]
    zone: Annotated[Ref, Means("Zone in which visitors wait.", "等候所在专区。")]
    prefix: Annotated[
        Prefix,
        Means(
            "Letter before the number: A gives A001. Services of one zone may share a letter: they share one series.",
            "号码前的字母：A 即 A001。同一专区的事项可共用一个字母，此时共用一个号码序列。",
        ),
    ]
    first: Annotated[int, Field(ge=1, le=NUMBER_MAX), Means("First number of the day.", "每日第一个号码。")] = 1
    last: Annotated[
        int,
        Field(ge=1, le=NUMBER_MAX),
        Means("Last number of the day; above 999 labels have four digits.", "每日最后一个号码；超过 999 时为四位数。"),
    ] = NUMBER_MAX
    kind: Annotated[
        Literal["ordinary", "pickup", "consult", "complaint"],
        Means(
            "pickup: results of what was decided behind the windows are collected here; consult: questions; complaint:"
            " complaints and what could not be got done.",
            "ordinary 为一般事项；pickup 为出件（领取结果）；consult 为咨询；complaint 为投诉和“办不成事”反映。",
        ),
    ] = "ordinary"
    flags: Annotated[
        tuple[Flag, ...],
        Field(strict=False),
        Means(
            "Marks shown with it: cross_province, in_province, one_thing (one thing, done at once), immediate (decided"
            " on the spot), fee.",
            "显示的标记：cross_province 跨省通办，in_province 省内通办，one_thing 一件事一次办，immediate 即办，"
            "fee 收费。",
        ),
    ] = ()
    tenant: Annotated[
        Ref | None, Means("Unit whose service it is; without it, the zone's.", "所属单位；不写则与专区相同。")
    ] = None
    department: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=40),
        Means("Department that answers for it, by its official name.", "责任部门的正式名称。"),
    ] = None
    matter_code: Annotated[
        MatterCode | None,
        Means(
            "Code of the matter in the provincial catalogue, for the exchange of ratings.",
            "省级事项清单中的事项编码，用于“好差评”数据交换。",
        ),
    ] = None
    legs: Annotated[
        Refs,
        Means(
            f"A joint matter (一件事一次办): the services one number goes through, this one first, at most {LEGS_MAX}.",
            f"联办事项（一件事一次办）：一个号依次办理的事项，第一个是本事项，最多 {LEGS_MAX} 个。",
        ),
    ] = ()
    appointments: Annotated[
        int | None,
        Field(ge=1, le=NUMBER_MAX),
        Means(
            "Numbers that can be booked in each slot ([appointments] slot_min); without it, none can.",
            "每个预约时段可预约的号数（时段长度见 [appointments] slot_min）；不写则不可预约。",
        ),
    ] = None
    common: Annotated[
        bool,
        Means("Many come for it: the kiosk offers it first, on its own.", "常办事项：取号机首先单独列出。"),
    ] = False
    asks_case: Annotated[
        bool,
        Means(
            "The kiosk asks for the case number before it gives a number; only a pickup has one.",
            "取号前，取号机先询问办件编号；仅限出件（取件）事项。",
        ),
    ] = False
    guide: Annotated[
        Guide | None,
        Means(
            "Service guide: `[service.guide]` right below the service.",
            "办事指南：写在本事项下方的 `[service.guide]` 中。",
        ),
    ] = None
    minutes_typical: Annotated[
        float,
        Field(gt=0, le=480),
        Means(
            "Minutes one visitor usually takes, for forecasts of the first days.",
            "办理一位群众通常所需分钟数，用于最初几天的等候预测。",
        ),
    ] = 10.0
    target_wait_min: Annotated[
        float, Field(gt=0, le=480), Means("Minutes nobody should wait longer than.", "等候不应超过的分钟数。")
    ] = 20.0
    day_quota: Annotated[
        int | None,
        Field(ge=1, le=NUMBER_MAX),
        Means("Numbers given in one business day, cancelled ones too.", "每个营业日最多发放的号数，含已取消的号。"),
    ] = None
    slot_quota: Annotated[
        tuple[Slot, ...],
        Field(strict=False),
        Means(
            'Numbers given in parts of the day: { from = "09:00", to = "10:00", quota = 20 }; outside them only'
            " day_quota counts.",
            '各时段最多发放的号数：{ from = "09:00", to = "10:00", quota = 20 }；时段以外只计 day_quota。',
        ),
    ] = ()


class Tide(Table):
    """tides of a [[window]]: other duties at a time of day."""

    meaning = Means(
        "Other duties of a window from one time of day to another, on every day the hall is open.",
        "潮汐窗口：开放日某一时段内窗口改办的事项。",
    )

    starts: Annotated[ClockTime, Field(alias="from"), Means("Time it begins.", "开始时刻。")]
    ends: Annotated[
        ClockTime,
        Field(alias="to"),
        Means("Time it ends; then the window is as usual.", "结束时刻，此后恢复平时分工。"),
    ]
    serves: Annotated[Refs, Means("What the window serves meanwhile; at least one.", "期间主办的事项，至少一项。")]
    relief: Annotated[Refs, Means("What it helps out with meanwhile.", "期间兼办的事项。")] = ()


class Window(Table):
    """[[window]]: where a clerk serves."""

    meaning = Means("Where a clerk serves.", "窗口。")

    no: Annotated[WindowNo, Means("Number as painted over the window, in quotes.", "窗口上方的号码，写在引号内。")]
    name: Annotated[
        Name | None,
        Means("Name for screens; without it, the number and 号窗口 / Window.", "屏幕上的名称；不写则为“7号窗口”。"),
    ] = None
    zone: Annotated[Ref, Means("Zone it belongs to.", "所属专区。")]
    floor: Annotated[
        Ref | None, Means("Floor, where it differs from the zone's.", "所在楼层，仅在与专区不同时填写。")
    ] = None
    serves: Annotated[
        Refs,
        Means(
            "Services called here as a matter of course; at least one where the window is staffed.",
            "本窗口主办的事项；派驻人员的窗口至少一项。",
        ),
    ] = ()
    relief: Annotated[
        Refs,
        Means(
            "Services helped out here when their visitors need it more than the own ones (see [routing]).",
            "本窗口兼办的事项：其群众更需要时协助办理（见 [routing]）。",
        ),
    ] = ()
    trained: Annotated[
        Refs,
        Means(
            "Services its clerks are trained for besides: off until a manager switches them on.",
            "窗口人员另外会办的事项：平时不办，由管理员按建议或自行临时开启。",
        ),
    ] = ()
    tides: Annotated[
        tuple[Tide, ...],
        Field(strict=False),
        Means(
            'Other duties at a time of day: { from = "09:00", to = "11:00", serves = ["tax"] }; a change by a manager'
            " stands until the next turn.",
            '潮汐窗口，按时段改办其他事项：{ from = "09:00", to = "11:00", serves = ["tax"] }；'
            "管理员的改动保持到下一次转换。",
        ),
    ] = ()
    staffed: Annotated[
        bool,
        Means(
            "false: the window is there but nobody is sent to it; it is shown so and cannot be opened.",
            "false 为未派驻：窗口在但没有人员，如实显示，不能开窗。",
        ),
    ] = True
    decides: Annotated[
        bool,
        Means(
            "false: takes papers in and cannot decide; it is shown so.",
            "false 为只收不办：只收件、不能办结，如实显示。",
        ),
    ] = True


class Kiosk(Table):
    """[[kiosk]]: where a kiosk stands and what it offers."""

    meaning = Means(
        "Where a kiosk stands and what it offers; kiosks that are not listed offer everything.",
        "取号机的位置和内容；未列出的取号机显示全部事项。",
    )

    id: Annotated[
        DeviceName,
        Means("Name of the device, as given to `jiaohao device enrol`.", "设备名称，与 `jiaohao device enrol` 一致。"),
    ]
    name: Annotated[Name, Means("Where it stands, for the manager page.", "位置名称，显示在管理页面上。")]
    floor: Annotated[Ref | None, Means("Floor it stands on.", "所在楼层。")] = None
    zones: Annotated[
        Refs,
        Means("Zones it offers, in this order; without it, all.", "显示的专区，按此顺序；不写则全部显示。"),
    ] = ()
    day_quota: Annotated[
        int | None,
        Field(ge=1, le=NUMBER_MAX),
        Means("Numbers it gives in one business day.", "每个营业日最多发放的号数。"),
    ] = None


class Priority(Table):
    """[[priority]]: why a visitor may go ahead."""

    meaning = Means("Why a visitor may go ahead.", "优先事由。")

    id: Annotated[
        Id,
        Means(
            "Short name, for example green_channel; appointment is the one of numbers booked ahead.",
            "优先代号，如 green_channel；appointment 为预约号的优先。",
        ),
    ]
    name: Annotated[Name, Means("Mark on ticket and console.", "号票和窗口页面上的标记。")]
    question: Annotated[
        Sentence | None,
        Means(
            "The question that the kiosk asks, kindly; without it the kiosk does not ask and only staff give it.",
            "取号机上的询问，措辞应友善；不写则取号机不询问，只能由工作人员给予。",
        ),
    ] = None
    slope: Annotated[
        float,
        Field(ge=1, le=10),
        Means(
            "How many minutes one waited minute counts. Ordinary is 1, so nobody waits for ever.",
            "每等候 1 分钟按几分钟计算；普通号为 1，因此普通群众不会被无限推后。",
        ),
    ] = 3.0
    head_start_min: Annotated[
        float,
        Field(ge=0, le=120),
        Means("Minutes that count as waited already when the number is taken.", "取号时即视为已等候的分钟数。"),
    ] = 10.0
    from_age: Annotated[
        Literal[60, 65, 70, 75, 80] | None,
        Means(
            "Who is at least so old and lays an identity card on the kiosk's reader is offered it without being asked.",
            "达到此年龄并在取号机上放置身份证的群众，直接提供此优先，不再询问。",
        ),
    ] = None


class Missed(Table):
    """[missed]: how often a visitor who does not come is called."""

    meaning = Means("Visitors who do not come when called.", "过号处理。")

    recalls: Annotated[
        int, Field(ge=0, le=20), Means("How often one ticket may be called again.", "同一号票最多可重呼的次数。")
    ] = 5
    reinstate_after_calls: Annotated[
        int,
        Field(ge=0, le=20),
        Means("Calls that go before a missed visitor who is back.", "过号群众恢复后，需再叫几个号才轮到。"),
    ] = 3
    reinstate_times: Annotated[
        int, Field(ge=0, le=10), Means("How often a missed ticket may come back.", "同一号票过号后最多可恢复的次数。")
    ] = 1


class Routing(Table):
    """[routing]: whose work a window takes next."""

    meaning = Means("Which waiting visitor a window calls.", "叫号规则。")

    rule: Annotated[
        Literal["balanced", "oldest_waiting", "home_first", "static"],
        Means(
            "balanced: the zone that is worst off, by the wait of its first and by the minutes predicted for clearing"
            " it, own services first; oldest_waiting: who has waited longest, own services home_credit_min older;"
            " home_first: own services while somebody waits for them, then relief; static: own services only.",
            "balanced 均衡：先叫最紧张的专区（首位等候时间加预计清空分钟数），主办优先；oldest_waiting 最久优先："
            "先叫等候最久的，主办按多等 home_credit_min 计算；home_first 主办优先：主办无人等候才叫兼办；"
            "static 不兼办：只叫主办。",
        ),
    ] = "balanced"
    home_credit_min: Annotated[
        float,
        Field(ge=0, le=120),
        Means(
            "With oldest_waiting: minutes by which a visitor for the window's own services counts as waiting longer"
            " than one for relief.",
            "用于 oldest_waiting：主办事项的群众按多等候此分钟数计算，从而先于兼办事项。",
        ),
    ] = 8.0


class Appointments(Table):
    """[appointments]: numbers booked for a time of a day."""

    meaning = Means(
        "Booking a time; bookable are the services with appointments.", "预约；写明 appointments 的事项可预约。"
    )

    slot_min: Annotated[
        int, Field(ge=5, le=240), Means("Minutes of one slot, from opening on.", "一个预约时段的分钟数，从开放时刻起。")
    ] = 30
    days_ahead: Annotated[
        int,
        Field(ge=1, le=60),
        Means("Open days that can be booked, today included.", "可预约的开放日天数，含当天。"),
    ] = 5
    early_min: Annotated[
        int,
        Field(ge=0, le=240),
        Means("Minutes before the slot from which one can check in.", "时段开始前多少分钟可签到。"),
    ] = 15
    late_min: Annotated[
        int,
        Field(ge=0, le=240),
        Means(
            "Minutes after the slot up to which the appointment goes ahead; later, the number is an ordinary one.",
            "时段结束后多少分钟内签到仍优先；再晚按普通号。",
        ),
    ] = 15
    cancel_before_min: Annotated[
        int,
        Field(ge=0, le=10080),
        Means(
            "Minutes before the slot up to which visitors can cancel; staff always can.",
            "群众最晚在时段开始前多少分钟取消；工作人员随时可取消。",
        ),
    ] = 120
    per_day: Annotated[
        int, Field(ge=1, le=20), Means("Open bookings of one visitor on one day.", "同一群众每天可有的预约数。")
    ] = 1
    no_shows: Annotated[
        int,
        Field(ge=0, le=100),
        Means(
            "Bookings not kept, within within_days, that block booking for blocked_days; 0: never.",
            "within_days 天内爽约达到此次数，blocked_days 天内不能预约；0 为不限制。",
        ),
    ] = 3
    within_days: Annotated[
        int, Field(ge=1, le=365), Means("Days in which bookings not kept are counted.", "统计爽约次数的天数。")
    ] = 90
    blocked_days: Annotated[
        int,
        Field(ge=1, le=365),
        Means("Days without booking, from the last one not kept.", "自最后一次爽约起不能预约的天数。"),
    ] = 30
    online: Annotated[
        Literal["identity_number", "phone_number"] | None,
        Means(
            "Visitors book by themselves at /book, and give this number; only a keyed hash of it is kept. Without it,"
            " they book through the hall.",
            "群众可在网页 /book 自助预约，预约时填写：identity_number 身份证号，phone_number 手机号；只保存其加密摘要。"
            "不写则只能由工作人员或外部系统预约。",
        ),
    ] = None


class Fairness(Table):
    """[fairness]: what keeps priorities from filling a window."""

    meaning = Means("What keeps visitors with a priority from filling a window.", "公平：防止优先号占满窗口。")

    ratio: Annotated[
        int,
        Field(ge=0, le=20),
        Means(
            "Priority calls in a row at most while an ordinary visitor waits; 0: no limit.",
            "有普通群众等候时，最多连续呼叫的优先号数；0 为不限。",
        ),
    ] = 2
    oldest_first_after_min: Annotated[
        int,
        Field(ge=0, le=480),
        Means(
            "Minutes after which an ordinary visitor goes before a priority, in turn with them; 0: never.",
            "普通群众等候超过此分钟数后，先于优先号（与优先号交替）；0 为不启用。",
        ),
    ] = 30


class Staff(Table):
    """[staff]: what is asked of clerks at windows."""

    meaning = Means("Clerks at their windows.", "窗口人员。")

    left_alone_min: Annotated[
        int,
        Field(ge=0, le=240),
        Means(
            "Minutes without a sign of life at an open window after which it is paused and the manager told; 0: never.",
            "已开窗口多少分钟无任何操作即自动暂停并提醒管理员；0 为不启用。",
        ),
    ] = 0


class Rating(Table):
    """[rating]: how long a window asks for a grade, and what a bad one sets off."""

    meaning = Means("How long a window asks for a grade, and what a bad one sets off.", "窗口评价时间与差评整改。")

    at_window_s: Annotated[
        int,
        Field(ge=10, le=900),
        Means(
            "Seconds after a visit in which the tablet at its window asks for a grade; the next visitor ends it.",
            "办结后窗口评价平板请群众评价的秒数；下一位到来即停止。",
        ),
    ] = 120

    bad_grade: Annotated[
        int,
        Field(ge=0, le=4),
        Means(
            "Grades up to this (of 5) open a follow-up case; 0: none does.",
            "不高于此分（满分 5）即建整改台账；0 为不建。",
        ),
    ] = 2
    follow_up_working_days: Annotated[
        int, Field(ge=1, le=60), Means("Working days in which it is followed up.", "整改期限（工作日）。")
    ] = 5
    appeal_working_days: Annotated[
        int, Field(ge=1, le=60), Means("Working days in which a clerk may appeal.", "窗口人员可申诉的期限（工作日）。")
    ] = 3


class Agency(Table):
    """[agency]: cases taken on for somebody."""

    meaning = Means("Cases taken on for somebody (代办, 帮办).", "代办、帮办。")

    alarm_before_close_min: Annotated[
        int,
        Field(ge=0, le=480),
        Means(
            "Minutes before closing at which a case that must be handed over today alarms.",
            "当天应转交而未转交的事项，在下班前多少分钟提醒。",
        ),
    ] = 30
    partners: Annotated[
        tuple[Id, ...],
        Field(strict=False),
        Means("Halls (by id) that cases may be handed over to; without it, any.", "可转交的大厅代号；不写则不限。"),
    ] = ()


class Ticket(Table):
    """[ticket]: what the paper says."""

    meaning = Means("What the paper says.", "号票。")

    languages: Annotated[
        tuple[Language, ...] | None,
        Field(strict=False),
        Means("Languages on paper; without it, the hall's.", "号票上的语言；不写则与大厅相同。"),
    ] = None
    advice: Annotated[Sentence | None, Means("Advice at the foot of the ticket.", "号票下方的提示语。")] = None
    logo: Annotated[
        str | None,
        Field(min_length=1, max_length=200),
        Means(
            "Picture at the head of ticket and notice (PNG or JPEG), beside the hall file; printed in black dots, at"
            " most 48 mm wide and 16 mm high.",
            "号票和告知单顶部的图片（PNG 或 JPEG），与大厅文件放在一起；以黑点打印，最宽 48 毫米，最高 16 毫米。",
        ),
    ] = None
    fields: Annotated[
        tuple[TicketField, ...] | None,
        Field(strict=False),
        Means(
            "What stands on the ticket, from top to bottom; what is not named is not printed; number must be. Marks"
            " such as a reprint or a drill always are.",
            "号票内容，自上而下；没有写的不打印，number（号码）必须有。补打、演练等标记总会打印。",
        ),
    ] = None
    allow_ambiguous_prefixes: Annotated[
        bool,
        Means(
            "Allow the letters I, O and Q, misread as 1 and 0.",
            "允许使用易与 1、0 混淆的字母 I、O、Q。",
        ),
    ] = False


class Speech(Table):
    """[speech]: how visitors are called by voice."""

    meaning = Means("How visitors are called by voice.", "语音叫号。")

    languages: Annotated[
        tuple[Language, ...] | None,
        Field(strict=False),
        Means(
            "Languages of a call, one after the other; without it, the hall's.",
            "叫号使用的语言，依次播报；不写则与大厅相同。",
        ),
    ] = None
    yao: Annotated[
        bool,
        Means("Read the 1 of a ticket 幺, which is not mistaken for 七.", "号码中的 1 读作“幺”，不易与“七”混淆。"),
    ] = False


class Clerk(Table):
    """[[clerk]]: a post at a window or at the guide desk; a label, never a person's name, never a password."""

    meaning = Means(
        "A post (not a person): the account for it is made with `jiaohao user`.",
        "岗位（不是个人）；账号用 `jiaohao user` 建立。",
    )

    work_id: Annotated[WorkId, Means("Number the clerk signs in with.", "登录用工号。")]
    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=20),
        Means("Label shown on console and manager page.", "窗口页面和管理页面上的岗位名称。"),
    ]
    windows: Annotated[Refs, Means("Windows it may sign in at.", "可登录的窗口。")] = ()
    role: Annotated[
        Literal["primary", "relief", "guide"],
        Means(
            "primary (A role) and relief (B role) sit at windows; guide stands at the guide desk and issues tickets.",
            "primary 为 A 角，relief 为 B 角；guide 为引导台导办员，可取号，不坐窗口。",
        ),
    ] = "primary"
    department: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=40),
        Means("Unit that sends the clerk, for monthly figures.", "派出单位，用于月度统计。"),
    ] = None
    employment: Annotated[
        Literal["civil_servant", "institution", "third_party", "public_welfare", "seconded"],
        Means(
            "How who sits here is employed: civil_servant, institution (public institution), third_party (bought"
            " service), public_welfare post, seconded.",
            "用工类型：civil_servant 公务员，institution 事业编，third_party 政府购买服务，public_welfare 公益岗，"
            "seconded 借调。",
        ),
    ] = "civil_servant"
    chief: Annotated[
        bool,
        Means("Chief representative: signs for the department in the hall.", "首席代表：在大厅代表本部门签批。"),
    ] = False


class Notify(Table):
    """[notify]: another system that is told, so that it can tell the visitors' phones."""

    meaning = Means(
        "Another system that is told what visitors should know (SMS, WeChat).",
        "把叫号消息推送给短信、公众号等外部系统。",
    )

    url: Annotated[
        WebAddress | None,
        Means(
            "Address that is sent each message (POST); nothing is sent without it.",
            "接收消息的网址（POST）；不写则不推送。",
        ),
    ] = None
    events: Annotated[
        tuple[Literal["called", "near", "missed", "moved", "result"], ...],
        Field(strict=False, min_length=1),
        Means("What is told.", "推送哪些消息：叫号、快到号、过号、转窗口、可取件。"),
    ] = ("called", "near")
    near: Annotated[
        int,
        Field(ge=0, le=50),
        Means("So many people before somebody are few: near is told.", "前面不超过几人时推送“快到号”。"),
    ] = 3


class HallFile(Table):
    """The whole file."""

    meaning = Means("The hall file.", "大厅文件。")

    schema_version: Annotated[
        Literal[1], Field(alias="schema"), Means("Version of this format: 1.", "本格式的版本：1。")
    ]
    hall: Hall
    calendar: Calendar = Calendar()
    floors: Annotated[tuple[Floor, ...], Field(alias="floor", strict=False)] = ()
    tenants: Annotated[tuple[Tenant, ...], Field(alias="tenant", strict=False)] = ()
    zones: Annotated[tuple[Zone, ...], Field(alias="zone", strict=False, min_length=1)]
    services: Annotated[tuple[Service, ...], Field(alias="service", strict=False, min_length=1)]
    windows: Annotated[tuple[Window, ...], Field(alias="window", strict=False, min_length=1)]
    kiosks: Annotated[tuple[Kiosk, ...], Field(alias="kiosk", strict=False)] = ()
    priorities: Annotated[tuple[Priority, ...], Field(alias="priority", strict=False)] = ()
    missed: Missed = Missed()
    routing: Routing = Routing()
    fairness: Fairness = Fairness()
    appointments: Appointments = Appointments()
    staff: Staff = Staff()
    rating: Rating = Rating()
    agency: Agency = Agency()
    notify: Notify = Notify()
    ticket: Ticket = Ticket()
    speech: Speech = Speech()
    clerks: Annotated[tuple[Clerk, ...], Field(alias="clerk", strict=False)] = ()
