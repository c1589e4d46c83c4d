"""What an event says to somebody who reads the audit: one sentence in each language, complete by the type checker.

Nobody is named in it but staff: of visitors there are labels, and what staff wrote where a reason was asked for.
"""

from typing import assert_never

from server.domain import events as e
from server.domain.lifecycle import Move
from server.domain.terms import AwayFor, CaseKind, HallPlan, PauseReason, PriorityId, ServiceId, Text, ZoneId

_PAUSES = {
    PauseReason.LUNCH: ("午餐", "lunch"),
    PauseReason.DOCUMENT: ("取件", "fetching documents"),
    PauseReason.MEETING: ("开会", "meeting"),
    PauseReason.TOILET: ("临时离开", "short break"),
    PauseReason.FAULT: ("设备故障", "equipment fault"),
    PauseReason.OTHER: ("其他", "other"),
    PauseReason.LEFT_ALONE: ("无人操作", "left alone"),
}
_KINDS = {
    CaseKind.AGENCY: ("代办", "agency"),
    CaseKind.VISIT: ("上门办", "visit at home"),
    CaseKind.RATING: ("差评整改", "follow-up of a bad grade"),
}
_MOVES = {
    Move.START: ("开始办理", "start"),
    Move.FINISH: ("办结", "finish"),
    Move.MISS: ("过号", "missed"),
    Move.NO_SHOW: ("弃号", "no-show"),
    Move.RETURN: ("退回", "return"),
    Move.HOLD: ("挂起", "hold"),
}


def sentence(plan: HallPlan, event: e.Event) -> Text:
    """Give what happened as {zh, en}; services and zones are called what the hall calls them now."""
    zh, en = _Teller(plan).tell(event)
    return {"zh": zh, "en": en}


class _Teller:
    """Tells events of one hall."""

    def __init__(self, plan: HallPlan) -> None:
        self._plan = plan

    def tell(self, event: e.Event) -> tuple[str, str]:
        match event:
            case e.HallPlanned():
                return self._planned(event)
            case e.DayOpened():
                return f"营业日 {event.day} 开始", f"The business day {event.day} began"
            case e.DayClosed():
                return f"营业日 {event.day} 结束", f"The business day {event.day} ended"
            case e.TicketIssued():
                (zh, en), (how_zh, how_en) = self._service(event.service), self._priority(event.priority)
                return f"取号 {event.label}：{zh}{how_zh}", f"{event.label} was given for {en}{how_en}"
            case e.TicketCalled():
                why = _because(event.reason)
                times_zh, times_en = f"，等候 {event.waited_s // 60} 分钟", f" after {event.waited_s // 60} min"
                return (
                    f"窗口 {event.window} 呼叫 {event.label}{times_zh}{why[0]}",
                    f"Window {event.window} called {event.label}{times_en}{why[1]}",
                )
            case e.TicketRecalled():
                return (
                    f"窗口 {event.window} 重呼 {event.label}（第 {event.call_count} 次）",
                    f"Window {event.window} called {event.label} again (call {event.call_count})",
                )
            case e.ServingStarted():
                return (
                    f"窗口 {event.window} 开始办理 {event.label}",
                    f"Window {event.window} began to serve {event.label}",
                )
            case e.TicketFinished():
                return (
                    f"窗口 {event.window} 办结 {event.label}，用时 {_min(event.serve_s)} 分钟",
                    f"Window {event.window} finished {event.label} in {_min(event.serve_s)} min",
                )
            case e.LegsPlanned():
                names = [self._service(it) for it in event.services]
                return (
                    f"{event.label} 联办：{'、'.join(zh for zh, _ in names)}",
                    f"{event.label} goes on to: {', '.join(en for _, en in names)}",
                )
            case e.LegFinished():
                zh, en = self._service(event.next_service)
                return (
                    f"窗口 {event.window} 办完 {event.label} 的一个环节，接着办{zh}",
                    f"Window {event.window} finished a leg of {event.label}; next: {en}",
                )
            case e.TicketMissed():
                return (
                    f"窗口 {event.window}：{event.label} 过号",
                    f"{event.label} did not come to window {event.window}",
                )
            case e.TicketReinstated():
                return f"{event.label} 恢复排队", f"{event.label} waits again"
            case e.NoShowRecorded():
                return (
                    f"窗口 {event.window}：{event.label} 弃号",
                    f"{event.label} was a no-show at window {event.window}",
                )
            case e.TicketReturned():
                why = _because(event.reason)
                return (
                    f"窗口 {event.window} 退回 {event.label}{why[0]}",
                    f"Window {event.window} returned {event.label} to its place{why[1]}",
                )
            case e.MoveUndone():
                zh, en = _MOVES.get(event.undone, (event.undone.value, event.undone.value))
                return (
                    f"窗口 {event.window} 撤销 {event.label} 的“{zh}”",
                    f"Window {event.window} took back the {en} of {event.label}",
                )
            case e.TicketHeld():
                why = _because(event.reason)
                return (
                    f"窗口 {event.window} 挂起 {event.label}{why[0]}",
                    f"Window {event.window} put {event.label} on hold{why[1]}",
                )
            case e.TicketResumed():
                return f"窗口 {event.window} 回呼 {event.label}", f"Window {event.window} called {event.label} back"
            case e.TicketTransferred():
                (zh, en), why = self._service(event.service), _because(event.reason)
                to_zh = f"窗口 {event.to_window}，" if event.to_window else ""
                to_en = f"window {event.to_window}, " if event.to_window else ""
                return (
                    f"窗口 {event.window} 把 {event.label} 转到{to_zh}{zh}{why[0]}",
                    f"Window {event.window} passed {event.label} on to {to_en}{en}{why[1]}",
                )
            case e.TicketCancelled():
                why = _because(event.reason)
                return f"{event.label} 取消{why[0]}", f"{event.label} was cancelled{why[1]}"
            case e.TicketExpired():
                return f"{event.label} 作废：营业日结束", f"{event.label} expired with the day"
            case e.ReprintRequested():
                return f"补打 {event.label}", f"{event.label} was printed again"
            case e.TicketRated():
                return f"{event.label} 评价 {event.grade} 分", f"{event.label} was graded {event.grade} of 5"
            case e.NoticeGiven():
                return (
                    f"窗口 {event.window} 一次告知 {event.label}：{'、'.join(event.items)}",
                    f"Window {event.window} told {event.label} what is missing: {', '.join(event.items)}",
                )
            case e.ResultAwaited():
                return (
                    f"窗口 {event.window} 收件 {event.label}，待出件{_number(event.case_number)[0]}",
                    f"Window {event.window} took {event.label} in; the result follows{_number(event.case_number)[1]}",
                )
            case e.ResultReady():
                return f"办件 {event.case_number} 出件", f"The result of {event.case_number} is ready"
            case e.TicketBack():
                why_zh, why_en = ("出件", "the result") if event.why is AwayFor.RESULT else ("补齐材料", "the papers")
                return f"{event.label} 回来继续（{why_zh}）", f"{event.label} is back for {why_en}"
            case e.CaseNumberNoted():
                return f"{event.label} 记下办件编号 {event.case_number}", f"{event.label} is case {event.case_number}"
            case e.WindowOpened():
                return f"窗口 {event.window} 开窗：{event.clerk}", f"Window {event.window} was opened by {event.clerk}"
            case e.WindowPaused():
                zh, en = _PAUSES[event.reason]
                note = _because(event.note)
                return f"窗口 {event.window} 暂停：{zh}{note[0]}", f"Window {event.window} paused: {en}{note[1]}"
            case e.WindowResumed():
                return f"窗口 {event.window} 恢复", f"Window {event.window} goes on"
            case e.WindowClosed():
                return f"窗口 {event.window} 关窗", f"Window {event.window} was closed"
            case e.WindowHandedOver():
                return (
                    f"窗口 {event.window} 交班：{event.from_clerk} → {event.clerk}",
                    f"Window {event.window} was handed over: {event.from_clerk} to {event.clerk}",
                )
            case e.WindowLeftAlone():
                return (
                    f"窗口 {event.window} 无人操作 {event.idle_s // 60} 分钟，已暂停（{event.clerk}）",
                    f"Window {event.window} was left alone for {event.idle_s // 60} min and paused ({event.clerk})",
                )
            case e.HeldMoved():
                people = len(event.held) + len(event.missed)
                return (
                    f"窗口 {event.window} 挂起和过号的 {people} 人移到窗口 {event.to_window}",
                    f"{people} on hold or missed moved from window {event.window} to {event.to_window}",
                )
            case e.ServicesAssigned():
                serves = [self._service(it) for it in event.serves]
                why = _because(event.reason)
                return (
                    f"窗口 {event.window} 主办：{'、'.join(zh for zh, _ in serves) or '无'}{why[0]}",
                    f"Window {event.window} serves: {', '.join(en for _, en in serves) or 'nothing'}{why[1]}",
                )
            case e.AppointmentBooked() | e.AppointmentCancelled() | e.AppointmentKept() | e.AppointmentMissed():
                return self._appointment(event)
            case (
                e.CaseOpened()
                | e.CaseReceived()
                | e.CaseTaken()
                | e.CaseLogged()
                | e.CaseFinished()
                | e.CaseWithdrawn()
                | e.CaseHandedOver()
                | e.CaseHandoverConfirmed()
                | e.CaseReportedBack()
                | e.CaseHandoverDue()
                | e.CaseOverdue()
                | e.CaseAppealed()
                | e.AppealDecided()
            ):
                return _case(event)
            case e.RollAnnounced():
                zh, en = self._service(event.service)
                return (
                    f"号卷 {event.prefix}{event.first}–{event.last} 启用：{zh}",
                    f"The roll {event.prefix}{event.first}–{event.last} is in use for {en}",
                )
            case e.RollEnded():
                return (
                    f"号卷 {event.prefix} 撤下，用到 {event.given}",
                    f"The roll {event.prefix} ended at {event.given}",
                )
            case e.BlockLeased():
                span = f"{event.prefix}{event.first}–{event.last}"
                return f"取号机 {event.kiosk} 预留号段 {span}", f"Kiosk {event.kiosk} leased {span}"
            case e.BlockReturned():
                span = f"{event.prefix}{event.first}–{event.last}"
                return (
                    f"取号机 {event.kiosk} 的号段 {span} 结束，发到 {event.given}",
                    f"The block {span} of kiosk {event.kiosk} ended at {event.given}",
                )
            case e.Announced():
                kind = ("紧急通知", "Emergency announcement") if event.emergency else ("通知", "Announcement")
                zh = event.text.get("zh", "")
                return f"{kind[0]}：{zh}", f"{kind[1]}: {event.text.get('en') or zh}"
            case e.AnnouncementEnded():
                return "通知撤下", "The announcement ended"
            case (
                e.BalanceApplied()
                | e.BalanceDeclined()
                | e.BalanceUndone()
                | e.BalanceJudged()
                | e.BalanceLimitsSet()
                | e.ReliefCalled()
                | e.ReliefEnded()
                | e.TideTurned()
            ):
                return self._balance(event)
            case _:
                assert_never(event)

    def _planned(self, event: e.HallPlanned) -> tuple[str, str]:
        by_zh, by_en = (f"（{event.by}）", f" by {event.by}") if event.by else ("", "")
        note = _because(event.note)
        return f"大厅设置生效{by_zh}{note[0]}", f"The settings of the hall were taken over{by_en}{note[1]}"

    def _appointment(
        self, event: e.AppointmentBooked | e.AppointmentCancelled | e.AppointmentKept | e.AppointmentMissed
    ) -> tuple[str, str]:
        match event:
            case e.AppointmentBooked():
                zh, en = self._service(event.service)
                return f"预约 {event.day} {zh}", f"{en} was booked for {event.day}"
            case e.AppointmentCancelled():
                (zh, en), why = self._service(event.service), _because(event.reason)
                return f"取消预约：{zh}{why[0]}", f"A booking of {en} was cancelled{why[1]}"
            case e.AppointmentKept():
                late = ("，迟到", ", late") if event.late else ("", "")
                return f"预约签到，取号 {event.label}{late[0]}", f"A booking was kept as {event.label}{late[1]}"
            case e.AppointmentMissed():
                zh, en = self._service(event.service)
                return f"预约爽约：{zh}", f"A booking of {en} was missed"

    def _balance(
        self,
        event: e.BalanceApplied
        | e.BalanceDeclined
        | e.BalanceUndone
        | e.BalanceJudged
        | e.BalanceLimitsSet
        | e.ReliefCalled
        | e.ReliefEnded
        | e.TideTurned,
    ) -> tuple[str, str]:
        match event:
            case e.BalanceApplied():
                zh, en = self._zone(event.zone)
                if event.on:
                    return f"窗口 {event.window} 支援{zh}", f"Window {event.window} helps {en}"
                return f"窗口 {event.window} 不再支援{zh}", f"Window {event.window} helps {en} no more"
            case e.BalanceDeclined():
                return f"不采纳建议 {event.suggestion}", f"The suggestion {event.suggestion} was declined"
            case e.BalanceUndone():
                return f"撤销冷热调整 {event.change}", f"The change {event.change} of duties was undone"
            case e.BalanceJudged():
                return f"冷热调整 {event.change} 的效果已记下", f"What came of the change {event.change} was noted"
            case e.BalanceLimitsSet():
                return f"自动调整的范围已改（{event.by}）", f"The limits of balancing were set by {event.by}"
            case e.ReliefCalled():
                zh, en = self._zone(event.zone)
                return f"{zh}过热，呼叫支援", f"{en} is too hot: relief was called"
            case e.ReliefEnded():
                zh, en = self._zone(event.zone)
                return f"{zh}已降温", f"{en} has cooled"
            case e.TideTurned():
                if event.tide is None:
                    return f"窗口 {event.window} 恢复平时分工", f"Window {event.window} has its usual duties again"
                return (
                    f"窗口 {event.window} 潮汐分工 {event.tide}",
                    f"Window {event.window} has the duties of {event.tide}",
                )

    def _service(self, service: ServiceId) -> tuple[str, str]:
        known = self._plan.service.get(service)
        return _both(known.name if known is not None else {}, service)

    def _zone(self, zone: ZoneId) -> tuple[str, str]:
        return next((_both(it.name, zone) for it in self._plan.zones if it.id == zone), (zone, zone))

    def _priority(self, priority: PriorityId) -> tuple[str, str]:
        known = next((it for it in self._plan.priorities if it.id == priority), None)
        if known is None:
            return "", ""
        zh, en = _both(known.name, priority)
        return f"（{zh}）", f" ({en})"


_CaseEvent = (
    e.CaseOpened
    | e.CaseReceived
    | e.CaseTaken
    | e.CaseLogged
    | e.CaseFinished
    | e.CaseWithdrawn
    | e.CaseHandedOver
    | e.CaseHandoverConfirmed
    | e.CaseReportedBack
    | e.CaseHandoverDue
    | e.CaseOverdue
    | e.CaseAppealed
    | e.AppealDecided
)


def _case(event: _CaseEvent) -> tuple[str, str]:
    """Tell what happened to a case; what was written into it stays in it."""
    zh, en = f"台账 {event.case}", f"Case {event.case}"
    match event:
        case e.CaseOpened():
            kind = _KINDS[event.kind]
            return f"{zh} 登记（{kind[0]}）", f"{en} was opened ({kind[1]})"
        case e.CaseReceived():
            return f"{zh} 由 {event.from_hall} 转来", f"{en} came from {event.from_hall}"
        case e.CaseTaken():
            return f"{zh} 由 {event.agent} 接办", f"{en} was taken on by {event.agent}"
        case e.CaseLogged():
            return f"{zh} 记了一笔（{event.by}）", f"{en}: a line was added by {event.by}"
        case e.CaseFinished():
            return f"{zh} 办结（{event.by}）", f"{en} was finished by {event.by}"
        case e.CaseWithdrawn():
            return f"{zh} 终止（{event.by}）", f"{en} was withdrawn by {event.by}"
        case e.CaseHandedOver():
            return f"{zh} 转交 {event.to_hall}（{event.by}）", f"{en} was handed over to {event.to_hall} by {event.by}"
        case e.CaseHandoverConfirmed():
            return f"{zh} {event.to_hall} 已接收", f"{en} has arrived at {event.to_hall}"
        case e.CaseReportedBack():
            return f"{zh} {event.from_hall} 反馈结果", f"{en}: {event.from_hall} told how it ended"
        case e.CaseHandoverDue():
            return f"{zh} 须在下班前转交", f"{en} must be handed over before closing"
        case e.CaseOverdue():
            return f"{zh} 逾期（期限 {event.due}）", f"{en} is overdue (due {event.due})"
        case e.CaseAppealed():
            return f"{zh} 差评申诉（{event.by}）", f"{en}: {event.by} appealed against the grade"
        case e.AppealDecided():
            how = ("成立", "upheld") if event.upheld else ("不成立", "rejected")
            return f"{zh} 申诉{how[0]}（{event.by}）", f"{en}: the appeal was {how[1]} by {event.by}"
        case _:
            assert_never(event)


def _both(name: Text, otherwise: str) -> tuple[str, str]:
    zh = name.get("zh") or otherwise
    return zh, name.get("en") or zh


def _because(reason: str) -> tuple[str, str]:
    return (f"，{reason}", f": {reason}") if reason else ("", "")


def _number(case_number: str) -> tuple[str, str]:
    return (f"（办件编号 {case_number}）", f" ({case_number})") if case_number else ("", "")


def _min(seconds: int) -> int:
    return round(seconds / 60)
