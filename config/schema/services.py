"""Tables about what visitors come for: services with their guides, and priorities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.schema.times import Slot
from config.schema.values import (
    LEGS_MAX,
    MATERIALS_MAX,
    NUMBER_MAX,
    Flag,
    Id,
    MatterCode,
    Means,
    Name,
    Phone,
    Prefix,
    Ref,
    Refs,
    Sentence,
    Table,
)


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
