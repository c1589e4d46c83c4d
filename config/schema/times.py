"""Tables about time: opening hours and the calendar, slots of a service, tides of a window."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from config.schema.values import NUMBER_MAX, ClockTime, Day, MarketDay, Means, OpenDay, Refs, Table, _last_ticket


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


class Slot(Table):
    """One row of [[service]] slot_quota."""

    meaning = Means("At most so many numbers in a part of the day.", "某一时段最多发放的号数。")

    starts: Annotated[ClockTime, Field(alias="from"), Means("Time the slot begins.", "时段开始时刻。")]
    ends: Annotated[ClockTime, Field(alias="to"), Means("Time the slot ends.", "时段结束时刻。")]
    quota: Annotated[int, Field(ge=0, le=NUMBER_MAX), Means("Numbers given in the slot.", "该时段发放的号数。")]


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
