"""Tables about how the hall works: missed visitors, calling, booking, fairness, staff, rating, agency."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.values import Id, Means, Table


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
