"""Tables about what visitors are told: on paper, by voice, and by another system."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.values import Language, Means, Sentence, Table, TicketField, WebAddress


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
