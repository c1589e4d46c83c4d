"""Tables about the hall and what is where: floors, tenants, zones, windows, kiosks, posts."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.schema.times import Tide, ZoneHours
from config.schema.values import (
    LANGUAGES,
    NUMBER_MAX,
    ClockTime,
    Day,
    DeviceName,
    FloorId,
    HallName,
    Id,
    Language,
    Means,
    Name,
    Ref,
    Refs,
    Sentence,
    Table,
    WebAddress,
    WindowNo,
    WorkId,
)


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
