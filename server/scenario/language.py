"""The whole language: what a line may say, and what it asks of the hall. The same words in Chinese: `CHINESE`.

In a sentence `{slot}` is a word the line brings along (`words.SLOTS` says which), `{slot*}` several of them, `a|b` a
choice, `[...]` may be left out, and `kiosk*` is any word that begins so (kiosk-2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from server.domain import appointments, rebalance, routing
from server.domain import commands as c
from server.domain.cases import APPEAL_OPEN
from server.domain.lifecycle import FINAL
from server.domain.records import Appointment
from server.domain.refusals import Refusal
from server.domain.state import HallState
from server.domain.terms import (
    AppointmentId,
    AppointmentStatus,
    CaseId,
    CaseKind,
    CaseStatus,
    DeviceId,
    HallId,
    HallPlan,
    Label,
    PauseReason,
    Place,
    PriorityId,
    ServiceId,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    WindowStatus,
    WorkId,
    ZoneId,
    ticket_id_of,
)
from server.projections.board import board

Question = Callable[[HallState, int], str]
"""Gives the answer from the hall's state and time (Unix ms)."""


class Bad(Exception):
    """A line that cannot be read: why (zh, en), and what was probably meant."""

    def __init__(self, zh: str, en: str, suggestion: str | None = None) -> None:
        self.zh, self.en, self.suggestion = zh, en, suggestion
        super().__init__(en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The words that stand in the slots of a sentence; `who` is its first word."""

    who: str
    day: date
    plan: HallPlan
    slots: Mapping[str, tuple[str, ...]]

    def word(self, slot: str) -> str | None:
        """Give the word in a slot, or None."""
        return next(iter(self.slots.get(slot, ())), None)

    def words(self, slot: str) -> tuple[str, ...]:
        """Give all words in a slot."""
        return self.slots.get(slot, ())

    @property
    def text(self) -> str:
        """Give the reason."""
        return self.word("reason") or ""

    @property
    def window(self) -> WindowNo:
        """Give the window; empty without one."""
        return WindowNo(self.word("window") or "")

    @property
    def help(self) -> str:
        """Give the name of the suggestion that the window helps the zone."""
        return rebalance.help_name(self.window, ZoneId(self.word("zone") or ""))

    @property
    def to_window(self) -> WindowNo | None:
        """Give the window somebody is sent to."""
        return WindowNo(word) if (word := self.word("to_window")) else None

    @property
    def service(self) -> ServiceId | None:
        """Give the service."""
        return ServiceId(word) if (word := self.word("service")) else None

    @property
    def named(self) -> TicketId | None:
        """Give the ticket when one is named: by its number of today or by its id of any day."""
        if (word := self.word("ticket")) is None:
            return None
        return TicketId(word) if "-" in word else ticket_id_of(self.day, Label(word))

    @property
    def ticket(self) -> TicketId:
        """Give the ticket of a sentence that always names one."""
        return self.named or TicketId("")

    @property
    def case(self) -> CaseId:
        """Give the case: C001 is of today, C20260302-001 of any day."""
        word = self.word("case") or ""
        return CaseId(word if "-" in word else f"C{self.day:%Y%m%d}-{word[1:]}")

    @property
    def partner(self) -> HallId:
        """Give the other hall of a hand-over."""
        return HallId(self.word("partner") or "")

    @property
    def place(self) -> Place:
        """Give where a transferred ticket joins the waiting."""
        return {"front": Place.FRONT, "end": Place.END}.get(self.word("place") or "", Place.BY_ARRIVAL)

    @property
    def windows(self) -> list[WindowNo]:
        """Give the windows of a list: 1 2 5, or 1 to 5 in the order of the hall file."""
        known, found = list(self.plan.window), list[WindowNo]()
        words = iter(self.words("windows"))
        for word in words:
            if word != "to":
                found.append(WindowNo(word))
                continue
            last = next(words, "to")
            if not found or last not in known or known.index(WindowNo(last)) < known.index(found[-1]):
                raise Bad("窗口范围应写成 1 至 6 这样。", "A row of windows goes up, such as 1 to 6.")
            found += known[known.index(found[-1]) + 1 : known.index(WindowNo(last)) + 1]
        return list(dict.fromkeys(found))

    def clerk(self, window: WindowNo) -> WorkId:
        """Give the clerk who is named, else the one whose post the window is."""
        at_home = (post.work_id for post in self.plan.posts if window in post.windows)
        return WorkId(self.word("clerk") or "") or next(at_home, WorkId(f"clerk-{window}"))


SENTENCES: dict[str, Callable[[Said], Sequence[c.Command]]] = {
    "kiosk*|guide takes {service}[ as {priority}][ at window {window}][ visitor {visitor}]": lambda s: [
        c.IssueTicket(
            service=s.service or ServiceId(""),
            track=Track(""),  # each number gets its own when it is given
            priority=PriorityId(priority) if (priority := s.word("priority")) else None,
            window=s.window or None,
            visitor=s.word("visitor"),
            channel="guide" if s.who == "guide" else "kiosk",
            kiosk=None if s.who == "guide" else DeviceId(s.who),
        )
    ],
    "kiosk*|guide takes {service} with number {number}": lambda s: [
        c.IssueTicket(
            service=s.service or ServiceId(""),
            track=Track(""),
            channel="guide" if s.who == "guide" else "kiosk",
            kiosk=None if s.who == "guide" else DeviceId(s.who),
            case_number=s.word("number") or "",
        )
    ],
    "guide takes {service} with unlisted number {number}": lambda s: [
        c.IssueTicket(
            service=s.service or ServiceId(""),
            track=Track(""),
            channel="guide",
            case_number=s.word("number") or "",
            unlisted=True,
        )
    ],
    "guide takes {service} by hand": lambda s: [
        c.IssueTicket(service=s.service or ServiceId(""), track=Track(""), channel="hand")
    ],
    "guide announces roll {roll} of {service} from {first} to {last}": lambda s: [
        c.AnnounceRoll(
            service=s.service or ServiceId(""),
            prefix=s.word("roll") or "",
            first=int(s.word("first") or 0),
            last=int(s.word("last") or 0),
        )
    ],
    "guide reports roll {roll} up to {last}": lambda s: [
        c.TornOff(prefix=s.word("roll") or "", upto=int(s.word("last") or 0), tracks=())
    ],
    "guide ends roll {roll}": lambda s: [c.EndRoll(prefix=s.word("roll") or "")],
    "window|windows {windows*} opens|open[ clerk {clerk}]": lambda s: [
        c.OpenWindow(window=no, clerk=s.clerk(no)) for no in s.windows
    ],
    "window|windows {windows*} pauses|pause for {pause}": lambda s: [
        c.PauseWindow(window=no, reason=PauseReason(s.word("pause") or "")) for no in s.windows
    ],
    "window|windows {windows*} resumes|resume work": lambda s: [c.ResumeWindow(window=no) for no in s.windows],
    "window|windows {windows*} closes|close": lambda s: [c.CloseWindow(window=no) for no in s.windows],
    "window {window} calls": lambda s: [c.CallNext(window=s.window)],
    "window {window} calls {ticket}[ because {reason}]": lambda s: [
        c.CallTicket(window=s.window, ticket=s.named, reason=s.text)
    ],
    "window {window} finishes and calls": lambda s: [c.CallNext(window=s.window, finish=True)],
    "window {window} recalls": lambda s: [c.Recall(window=s.window)],
    "window {window} starts": lambda s: [c.StartServing(window=s.window)],
    "window {window} plans {ticket} through {legs*}": lambda s: [
        c.PlanLegs(window=s.window, ticket=s.ticket, services=tuple(ServiceId(word) for word in s.words("legs")))
    ],
    "window {window} finishes[ {ticket}][ then {service}]": lambda s: [
        c.Finish(window=s.window, ticket=s.named, next=s.service)
    ],
    "window {window} marks missed": lambda s: [c.MarkMissed(window=s.window)],
    "window {window} no-show[ {ticket}]": lambda s: [c.MarkNoShow(window=s.window, ticket=s.named)],
    "window {window} returns[ {reason}]": lambda s: [c.ReturnTicket(window=s.window, reason=s.text)],
    "window {window} holds[ {reason}]": lambda s: [c.Hold(window=s.window, reason=s.text)],
    "window {window} resumes[ {ticket}]": lambda s: [c.Resume(window=s.window, ticket=s.named)],
    "window {window} transfers[ {ticket}] to {service}[ at|by {place}]": lambda s: [
        c.Transfer(window=s.window, ticket=s.named, service=s.service, place=s.place)
    ],
    "window {window} transfers[ {ticket}] to[ {service} at] window {to_window}[ at|by {place}]": lambda s: [
        c.Transfer(window=s.window, ticket=s.named, service=s.service, to_window=s.to_window, place=s.place)
    ],
    "window {window} gives notice {papers*}": lambda s: [c.GiveNotice(window=s.window, items=s.words("papers"))],
    "window {window} gives notice {papers*} and sends away": lambda s: [
        c.GiveNotice(window=s.window, items=s.words("papers"), away=True)
    ],
    "window {window} awaits result[ {number}]": lambda s: [
        c.AwaitResult(window=s.window, case_number=s.word("number") or "")
    ],
    "result {number} is ready[ for {ticket}]": lambda s: [
        c.ReportResult(case_number=s.word("number") or "", ticket=s.named)
    ],
    "kiosk*|visitor|guide is back {ticket}": lambda s: [c.ComeBack(ticket=s.ticket)],
    "window {window} is handed over to clerk {clerk}": lambda s: [c.HandOver(window=s.window, clerk=s.clerk(s.window))],
    "window {window} moves held to window {to_window}": lambda s: [
        c.MoveHeld(window=s.window, to_window=s.to_window or WindowNo(""))
    ],
    "window {window} is left alone": lambda s: [c.LeaveAlone(window=s.window, idle_s=s.plan.left_alone_min * 60)],
    "visitor|guide|manager cancels {ticket}[ {reason}]": lambda s: [c.Cancel(ticket=s.ticket, reason=s.text)],
    "visitor|guide|manager reinstates {ticket}": lambda s: [c.Reinstate(ticket=s.ticket)],
    "visitor|guide|manager reprints {ticket}": lambda s: [c.Reprint(ticket=s.ticket)],
    "visitor {visitor} books {service}[ on {date}] at {time}": lambda s: [
        c.BookAppointment(
            id=AppointmentId(""),  # each booking gets its own id and code when it is made
            code="",
            service=s.service or ServiceId(""),
            day=s.word("date") or s.day.isoformat(),
            starts=s.word("time") or "",
            visitor=s.word("visitor"),
        )
    ],
    "visitor {visitor} checks in[ at {kiosk}]": lambda s: [
        c.CheckIn(track=Track(""), visitor=s.word("visitor"), kiosk=DeviceId(s.word("kiosk") or "kiosk"))
    ],
    # Which booking it is the stage looks up when it comes to that: the open one of this visitor.
    "visitor {visitor} cancels the appointment": lambda s: [
        c.CancelAppointment(id=AppointmentId(s.word("visitor") or ""))
    ],
    "guide|manager cancels the appointment of {visitor} {reason}": lambda s: [
        c.CancelAppointment(id=AppointmentId(s.word("visitor") or ""), by_staff=True, reason=s.text)
    ],
    "visitor rates {ticket} {grade}": lambda s: [c.Rate(ticket=s.ticket, grade=int(s.word("grade") or 0))],
    "visitor rates {grade} at window {window}": lambda s: [
        c.RateAtWindow(window=s.window, grade=int(s.word("grade") or 0))
    ],
    "manager assigns window {window} serves {serves*}[ relief {relief*}]": lambda s: [
        c.AssignServices(
            window=s.window,
            serves=tuple(ServiceId(word) for word in s.words("serves")),
            relief=tuple(ServiceId(word) for word in s.words("relief")),
        )
    ],
    "manager sends window {window} to help {zone}": lambda s: [c.ApplySuggestion(suggestion=s.help, by=s.who)],
    "manager keeps window {window} from helping {zone}": lambda s: [c.DeclineSuggestion(suggestion=s.help, by=s.who)],
    # Which change it is the stage looks up when it comes to that: the one that stands.
    "manager calls off window {window} from helping {zone}": lambda s: [c.UndoChange(change=s.help, by=s.who)],
    "clock looks around": lambda _: [c.LookAround()],
    "agent {clerk} opens {case_kind} for {client}[ about {service}][ due {date}]": lambda s: [_opened(s)],
    "agent {clerk} opens {case_kind} of another hall for {client}[ about {service}]": lambda s: [
        _opened(s, elsewhere=True)
    ],
    "agent {clerk} asks {case} for {papers*}": lambda s: [
        c.LogCase(case=s.case, by=s.clerk(s.window), items=s.words("papers"))
    ],
    "agent {clerk} logs {case} {reason}": lambda s: [c.LogCase(case=s.case, by=s.clerk(s.window), note=s.text)],
    "agent {clerk} hands {case} over to {partner}[ {reason}]": lambda s: [
        c.HandOverCase(case=s.case, by=s.clerk(s.window), to_hall=s.partner, note=s.text)
    ],
    "agent {clerk} takes {case}": lambda s: [c.TakeCase(case=s.case, agent=s.clerk(s.window))],
    "agent {clerk} finishes {case} {reason}": lambda s: [
        c.FinishCase(case=s.case, by=s.clerk(s.window), outcome=s.text)
    ],
    "agent {clerk} withdraws {case} {reason}": lambda s: [
        c.WithdrawCase(case=s.case, by=s.clerk(s.window), reason=s.text)
    ],
    "clerk {clerk} appeals {case} {reason}": lambda s: [c.AppealCase(case=s.case, by=s.clerk(s.window), reason=s.text)],
    "manager upholds the appeal {case} {reason}": lambda s: [
        c.DecideAppeal(case=s.case, by=WorkId(s.who), upheld=True, note=s.text)
    ],
    "manager rejects the appeal {case} {reason}": lambda s: [
        c.DecideAppeal(case=s.case, by=WorkId(s.who), upheld=False, note=s.text)
    ],
    "manager finishes {case} {reason}": lambda s: [
        c.FinishCase(case=s.case, by=WorkId(s.who), outcome=s.text, chief=True)
    ],
    "case {case} from {partner} arrives for {client}": lambda s: [
        c.ReceiveCase(from_hall=s.partner, from_case=s.case, kind=CaseKind.AGENCY, client=s.word("client") or "")
    ],
    "case {case} is taken over by {partner}": lambda s: [
        c.ConfirmHandOver(case=s.case, to_hall=s.partner, their_case=s.case)
    ],
    "case {case} is finished by {partner} {reason}": lambda s: [
        c.ReportBack(case=s.case, from_hall=s.partner, their_case=s.case, outcome=s.text)
    ],
    "clock watches": lambda _: [c.Watch()],
    "day closes": lambda _: [c.CloseDay()],
}
QUESTIONS: dict[str, Callable[[Said], Question]] = {
    "waiting {service}": lambda s: lambda state, _: str(state.waiting(s.service or ServiceId(""))),
    "window {window}": lambda s: lambda state, _: _window(state, s.window),
    "ticket {ticket}": lambda s: lambda state, _: _status(state, s.ticket),
    "legs of {ticket}": lambda s: lambda state, _: _legs(state, s.ticket),
    "lead of {ticket}": lambda s: lambda state, _: _lead(state, s.ticket),
    "ahead of {ticket}": lambda s: lambda state, now_ms: _ahead(state, s.ticket, now_ms),
    "next at window {window}": lambda s: lambda state, now_ms: _next(state, s.window, now_ms),
    "clerk at window {window}": lambda s: lambda state, _: state.windows[s.window].clerk or "nobody",
    "held at window {window}": lambda s: lambda state, _: _labels(state, state.windows[s.window].held),
    "missed at window {window}": lambda s: lambda state, _: _labels(state, state.windows[s.window].missed),
    "away from window {window}": lambda s: lambda state, _: _labels(state, state.windows[s.window].away),
    "serves at window {window}": lambda s: lambda state, _: _serves(state, s.window),
    "suggested": lambda _: lambda state, now_ms: _suggested(state, now_ms),
    "called to help {zone}": lambda s: lambda state, _: _called_to_help(state, ZoneId(s.word("zone") or "")),
    "results ready": lambda _: lambda state, _: " ".join(sorted(state.results)) or "none",
    "free slots {service}[ on {date}]": lambda s: lambda state, now_ms: _free(state, s, now_ms),
    "appointment of {visitor}": lambda s: lambda state, _: _appointment(state, s.word("visitor") or ""),
    "case {case}": lambda s: lambda state, _: _case(state, s.case),
    "board shows {ticket} window {window}": lambda s: lambda state, _: _on_board(state, s.ticket, s.window),
}
HALL, DAY, NEXT_DAY, RESTART = "hall {file}", "day {date}", "next day", "restart"
FRAME = (HALL, DAY, NEXT_DAY, RESTART)

COUNTS = ("ahead", "count", "expired", "after", "grade", "left", "absent", "unserved", "due", "overdue")
MINUTES = ("waited", "served", "eta")
WHYS = ("head", "priority", "returning_leg", "relief", "bound", "chosen", "fairness", "waited_long", "roll")

CHINESE = {
    "大厅": "hall",
    "日期": "day",
    "次日": "next day",
    "闭厅": "day closes",
    "重启": "restart",
    "每": "every",
    "分钟": "min",
    "取号机": "kiosk",
    "导办": "guide",
    "群众": "visitor",
    "管理员": "manager",
    "窗口": "window",
    "取号": "takes",
    "优先": "as",
    "开窗": "opens",
    "工号": "clerk",
    "叫号": "calls",
    "重呼": "recalls",
    "办理": "starts",
    "办结": "finishes",
    "办结并叫号": "finishes and calls",
    "过号": "marks missed",
    "弃号": "no-show",
    "退回": "returns",
    "挂起": "holds",
    "回呼": "resumes",
    "转移": "transfers",
    "到": "to",
    "至": "to",
    "在": "at",
    "队首": "at front",
    "队尾": "at end",
    "按到达": "by arrival",
    "暂停": "pauses",
    "恢复办公": "resumes work",
    "交班给": "is handed over to clerk",
    "挂起移到": "moves held to",
    "无人值守": "is left alone",
    "无人操作": "left_alone",
    "谁在": "clerk at",
    "关窗": "closes",
    "取消": "cancels",
    "预约": "books",
    "于": "on",
    "签到": "checks in",
    "取消预约": "cancels the appointment",
    "撤销预约": "cancels the appointment of",
    "可约": "free slots",
    "预约情况": "appointment of",
    "约到": "booked",
    "剩余": "left",
    "爽约": "absent",
    "已签到": "kept",
    "预约号": "appointment",
    "普通号": "ordinary",
    "无": "none",
    "恢复": "reinstates",
    "补打": "reprints",
    "评价": "rates",
    "安排": "assigns",
    "主办": "serves",
    "兼办": "relief",
    "等候": "waiting",
    "号票": "ticket",
    "前面": "ahead",
    "前面人数": "ahead of",
    "下一位": "next",
    "挂起在": "held at",
    "过号在": "missed at",
    "大屏": "board",
    "显示": "shows",
    "预计": "eta",
    "已等": "waited",
    "办了": "served",
    "第几次": "count",
    "作废": "expired",
    "之后": "after",
    "打分": "grade",
    "拒绝": "refused",
    "直到": "until",
    "因为": "because",
    "因": "for",
    "午休": "lunch",
    "送文件": "document",
    "开会": "meeting",
    "如厕": "toilet",
    "故障": "fault",
    "其他": "other",
    "按序": "head",
    "照顾": "priority",
    "指定": "bound",
    "点名": "chosen",
    "续办": "returning_leg",
    "联办": "plans",
    "依次": "through",
    "接着": "then",
    "环节": "legs of",
    "首办窗口": "lead of",
    "无窗口办": "unserved",
    "轮到普通": "fairness",
    "久等": "waited_long",
    "号卷": "roll",
    "手写": "by hand",
    "挂出": "announces",
    "用于": "of",
    "从": "from",
    "报告": "reports",
    "撕到": "up to",
    "撤下": "ends",
    "空闲": "open",
    "关闭": "closed",
    "呼叫中": "calling",
    "办理中": "serving",
    "暂停中": "paused",
    "已呼叫": "called",
    "已挂起": "held",
    "已过号": "missed",
    "已办结": "finished",
    "已弃号": "no_show",
    "已取消": "cancelled",
    "已作废": "expired",
    "一致": "equal",
    "无人": "nobody",
    "是": "yes",
    "代办员": "agent",
    "受理": "opens",
    "代办": "agency",
    "上门办": "visit",
    "为": "for",
    "关于": "about",
    "期限": "due",
    "非本级": "of another hall",
    "要求": "asks",
    "补": "for",
    "记录": "logs",
    "转交": "hands",
    "给": "over to",
    "接办": "takes",
    "终止": "withdraws",
    "申诉": "appeals",
    "支持申诉": "upholds the appeal",
    "驳回申诉": "rejects the appeal",
    "台账": "case",
    "来自": "from",
    "收到": "arrives",
    "接收方": "is taken over by",
    "办结方": "is finished by",
    "已回告": "reported",
    "时钟": "clock",
    "巡查": "watches",
    "逾期": "overdue",
    "转交中": "handed_over",
    "已转出": "passed_on",
    "已终止": "withdrawn",
    "待办": "pending",
    "告知": "gives notice",
    "并请回去补": "and sends away",
    "转后台": "awaits result",
    "出件": "result",
    "已出": "is ready",
    "归": "for",
    "回来了": "is back",
    "凭": "with number",
    "凭未登记的": "with unlisted number",
    "暂离": "away from",
    "待取件": "results ready",
    "已暂离": "away",
    "申诉中": "appealed",
    "申诉成立": "upheld",
    "申诉驳回": "rejected",
    "未知": "unknown",
    "派": "sends",
    "支援": "to help",
    "不派": "keeps",
    "免支援": "from helping",
    "撤回": "calls off",
    "巡看": "looks around",
    "建议": "suggested",
    "承担": "serves at",
    "应援": "called to help",
}
ENGLISH = {english: chinese for chinese, english in reversed(CHINESE.items()) if " " not in english}


def _window(state: HallState, no: WindowNo) -> str:
    window, status = state.windows[no], state.window_status(no)
    if window.current is not None:
        alone = f" {window.paused}" if window.paused else ""
        return f"{status} {state.tickets[window.current].label}{alone}"
    return f"{status} {window.paused}" if status is WindowStatus.PAUSED else status


def _serves(state: HallState, no: WindowNo) -> str:
    """Give what a window serves now and what it relieves."""
    window = state.windows[no]
    return " ".join((*window.serves, *(("relief", *window.relief) if window.relief else ()))) or "none"


def _suggested(state: HallState, now_ms: int) -> str:
    return " ".join(name for name, _ in rebalance.suggestions(state, now_ms)) or "none"


def _called_to_help(state: HallState, zone: ZoneId) -> str:
    called = state.balancing.relief.get(zone)
    return " ".join(called.windows) if called is not None else "nobody"


def change_of(state: HallState, suggestion: str) -> str:
    """Give the change that an applied suggestion is and that still stands, or the suggestion's own name."""
    standing = (it for it in state.balancing.changes if it.is_open)
    return next((it.id for it in standing if rebalance.help_name(it.window, it.zone) == suggestion), suggestion)


def _status(state: HallState, ticket: TicketId) -> str:
    return state.tickets[ticket].status if ticket in state.tickets else "unknown"


def _legs(state: HallState, ticket: TicketId) -> str:
    """Give the services a visit still goes to, the active one first."""
    if _status(state, ticket) == "unknown":
        return "unknown"
    found = state.tickets[ticket]
    return " ".join((found.service, *found.legs_planned)) if found.status not in FINAL else "none"


def _lead(state: HallState, ticket: TicketId) -> str:
    found = state.tickets.get(ticket)
    return (found.contact if found is not None else None) or "nobody"


def _ahead(state: HallState, ticket: TicketId, now_ms: int) -> str:
    if _status(state, ticket) != TicketStatus.WAITING:
        return _status(state, ticket)
    return str(routing.ahead(state, ticket, now_ms))


def _next(state: HallState, no: WindowNo, now_ms: int) -> str:
    return _labels(state, [choice.ticket for choice in routing.preview(state, no, now_ms)])


def _labels(state: HallState, tickets: Sequence[TicketId]) -> str:
    return " ".join(state.tickets[ticket].label for ticket in tickets) or "nobody"


def _free(state: HallState, said: Said, now_ms: int) -> str:
    """Give the slots of a day with the numbers left in them: 09:00 2 10:00 0."""
    day = date.fromisoformat(said.word("date") or said.day.isoformat())
    try:
        found = appointments.slots(state, said.service or ServiceId(""), day, now_ms)
    except Refusal as refusal:
        return refusal.code.value
    return " ".join(f"{slot.starts} {slot.left}" for slot in found) or "none"


def booking_of(state: HallState, visitor: str) -> Appointment | None:
    """Give the booking of a visitor that is open, else the one made last."""
    found = [booked for booked in state.appointments.values() if booked.visitor == visitor]
    still = [booked for booked in found if booked.status is AppointmentStatus.BOOKED]
    return next(iter(still), found[-1] if found else None)


def _appointment(state: HallState, visitor: str) -> str:
    booked = booking_of(state, visitor)
    if booked is None:
        return "none"
    if booked.status is AppointmentStatus.MISSED:
        return "absent"
    ticket = state.tickets.get(booked.ticket) if booked.ticket is not None else None
    return f"{booked.status} {ticket.label}" if ticket is not None else booked.status


def _case(state: HallState, id_: CaseId) -> str:
    case = state.cases.get(id_)
    if case is None:
        return "unknown"
    status = "pending" if case.status is CaseStatus.OPEN else case.status
    appeal = "appealed" if case.appeal == APPEAL_OPEN else case.appeal
    words = [status, case.to_hall, case.agent and f"agent {case.agent}", case.due and f"due {case.due}"]
    return " ".join(it for it in (*words, case.overdue and "overdue", appeal, case.reported and "reported") if it)


def _opened(said: Said, *, elsewhere: bool = False) -> c.OpenCase:
    return c.OpenCase(
        kind=CaseKind(said.word("case_kind") or ""),
        agent=said.clerk(said.window),
        client=said.word("client") or "",
        service=said.service,
        due=said.word("date"),
        elsewhere=elsewhere,
    )


def _on_board(state: HallState, ticket: TicketId, no: WindowNo) -> str:
    at = [call.window for call in board(state).calls if call.ticket == ticket and call.status != "done"]
    return "yes" if no in at else " ".join(["no", *(f"window {other}" for other in at)])
