"""The hall says no. A refusal has a stable code for machines and a sentence for people; nothing is written.

One table, so that the wire reference and the translations are drawn from it.
"""

from collections.abc import Mapping
from enum import StrEnum

from server.domain.terms import TicketStatus


class Code(StrEnum):
    """Why the hall says no. The value is the stable `code` on the wire."""

    NOBODY_WAITING = "nobody_waiting"
    WINDOW_BUSY = "window_busy"
    WINDOW_CLOSED = "window_closed"
    WINDOW_PAUSED = "window_paused"
    WINDOW_OPEN = "window_open"
    WINDOW_TAKEN = "window_taken"
    WINDOW_NOT_FOUND = "window_not_found"
    CLERK_ELSEWHERE = "clerk_elsewhere"
    SERVICE_NOT_SERVED = "service_not_served"
    SERVICE_NOT_FOUND = "service_not_found"
    PRIORITY_NOT_FOUND = "priority_not_found"
    HALL_CLOSED = "hall_closed"
    SERVICE_CLOSED = "service_closed"
    DAY_OPEN = "day_open"
    QUOTA_FULL = "quota_full"
    ALREADY_WAITING = "already_waiting"
    ILLEGAL_MOVE = "illegal_move"
    TICKET_NOT_FOUND = "ticket_not_found"
    TICKET_ELSEWHERE = "ticket_elsewhere"
    RECALL_LIMIT = "recall_limit"
    REINSTATE_LIMIT = "reinstate_limit"
    REASON_MISSING = "reason_missing"
    NO_TARGET = "no_target"
    NOTHING_TO_SERVE = "nothing_to_serve"
    ALREADY_RATED = "already_rated"
    GRADE_UNKNOWN = "grade_unknown"
    PLAN_IN_USE = "plan_in_use"
    LEGS_MISSING = "legs_missing"
    TOO_MANY_LEGS = "too_many_legs"
    LEG_REPEATED = "leg_repeated"
    LEG_NOT_PLANNED = "leg_not_planned"


SENTENCES: dict[Code, tuple[str, str]] = {
    Code.NOBODY_WAITING: ("现在没有人等候。", "Nobody is waiting for this window."),
    Code.WINDOW_BUSY: (
        "窗口 {window} 还在办理 {label}，请先办结、过号、弃号、挂起或转移。",
        "Window {window} still has {label}: finish it, mark it missed or no-show, hold it or transfer it first.",
    ),
    Code.WINDOW_CLOSED: ("窗口 {window} 未开放，请先开窗。", "Window {window} is closed. Open it first."),
    Code.WINDOW_PAUSED: ("窗口 {window} 已暂停，请先恢复。", "Window {window} is paused. Resume it first."),
    Code.WINDOW_OPEN: ("窗口 {window} 已经开放。", "Window {window} is open already."),
    Code.WINDOW_TAKEN: (
        "窗口 {window} 由 {clerk} 使用中，请对方先关窗。",
        "Window {window} is in use by {clerk}, who must close it first.",
    ),
    Code.WINDOW_NOT_FOUND: ("没有窗口 {window}。", "There is no window {window}."),
    Code.CLERK_ELSEWHERE: (
        "{clerk} 还在窗口 {window}，请先在那里关窗。",
        "{clerk} is still at window {window}. Close that window first.",
    ),
    Code.SERVICE_NOT_SERVED: (
        "窗口 {window} 不办理“{service}”。",
        "Window {window} does not serve {service}.",
    ),
    Code.SERVICE_NOT_FOUND: ("没有事项“{service}”。", "There is no service {service}."),
    Code.PRIORITY_NOT_FOUND: ("没有优先类型“{priority}”。", "There is no priority {priority}."),
    Code.HALL_CLOSED: ("大厅今天已经结束取号和叫号。", "The hall has closed for today."),
    Code.SERVICE_CLOSED: (
        "“{service}”现在不取号，{opens} 开始取号。",
        "No numbers for {service} now; they are given again from {opens}.",
    ),
    Code.DAY_OPEN: ("营业日 {day} 已经开始。", "Business day {day} has begun already."),
    Code.QUOTA_FULL: ("“{service}”今天的号已取完。", "All numbers of {service} are given out for today."),
    Code.ALREADY_WAITING: (
        "您已取号 {label}，正在等候，无需重复取号。",
        "You already have number {label} and are waiting.",
    ),
    Code.ILLEGAL_MOVE: (
        "{label} 现在是“{status}”，不能这样操作。",
        "{label} is {status} now; this is not possible.",
    ),
    Code.TICKET_NOT_FOUND: ("没有找到号票 {ticket}。", "There is no ticket {ticket}."),
    Code.TICKET_ELSEWHERE: ("{label} 在窗口 {window}，不在本窗口。", "{label} is at window {window}, not here."),
    Code.RECALL_LIMIT: (
        "{label} 已呼叫 {count} 次，请过号或弃号。",
        "{label} was called {count} times. Mark it missed or no-show.",
    ),
    Code.REINSTATE_LIMIT: (
        "{label} 已恢复过 {count} 次，请重新取号。",
        "{label} was reinstated {count} time(s) already. Please take a new number.",
    ),
    Code.REASON_MISSING: ("请写明原因。", "Please give the reason."),
    Code.NO_TARGET: ("请选择要转移到的其他事项或窗口。", "Choose another service or window to transfer to."),
    Code.NOTHING_TO_SERVE: ("窗口至少要办理一个事项。", "A window must serve at least one service."),
    Code.ALREADY_RATED: ("{label} 已经评价过，谢谢。", "{label} is rated already. Thank you."),
    Code.GRADE_UNKNOWN: ("评价只能是 1 到 5。", "The grade must be 1 to 5."),
    Code.PLAN_IN_USE: (
        "还有人在办“{what}”，现在不能从大厅文件中去掉它；请在营业日结束后重启。",
        "{what} still has tickets today and cannot leave the hall file now. Restart after the day has closed.",
    ),
    Code.LEGS_MISSING: ("请至少选择一个联办事项。", "Choose at least one service for the joint matter."),
    Code.TOO_MANY_LEGS: (
        "一件联办事项最多 {count} 个环节。",
        "A joint matter has at most {count} legs.",
    ),
    Code.LEG_REPEATED: ("联办环节里“{service}”重复了。", "{service} stands twice among the legs."),
    Code.LEG_NOT_PLANNED: (
        "“{service}”不在 {label} 余下的联办环节里。",
        "{service} is not among the legs that {label} still has.",
    ),
}

HALL_CLOSED_UNTIL = (
    "大厅现在未开放，“{service}”{opens} 开始取号。",
    "The hall is closed now. Numbers for {service} are given from {opens}.",
)
LAST_TICKET = (
    "“{service}”今天的等候已排到下班时间，为使已取号的群众都能办完，现已停止取号；{opens} 再开始取号。",
    "No more numbers for {service} today: those waiting fill the time until closing. Next from {opens}.",
)
SERVICE_OVER = (
    "“{service}”不再取号，请到咨询台询问。",
    "Numbers for {service} are no longer given. Please ask the staff.",
)
SLOT_FULL = (
    "“{service}”本时段的号已取完，{opens} 起还有号。",
    "All numbers of {service} for this time are given out; there are more from {opens}.",
)
DAY_FULL = (
    "“{service}”今天的号已取完，{opens} 起可再取号。",
    "All numbers of {service} are given out for today; there are more from {opens}.",
)
NO_TICKET = ("窗口 {window} 现在没有可以这样操作的号。", "Window {window} has no ticket for this now.")

STATUS_WORDS: dict[str, tuple[str, str]] = {
    TicketStatus.WAITING: ("等候", "waiting"),
    TicketStatus.CALLED: ("已呼叫", "called"),
    TicketStatus.SERVING: ("办理中", "being served"),
    TicketStatus.HELD: ("挂起", "on hold"),
    TicketStatus.MISSED: ("过号", "missed"),
    TicketStatus.FINISHED: ("已办结", "finished"),
    TicketStatus.NO_SHOW: ("弃号", "a no-show"),
    TicketStatus.CANCELLED: ("已取消", "cancelled"),
    TicketStatus.EXPIRED: ("已作废", "expired"),
}


class Refusal(Exception):
    """The hall says no; nothing was written. `code` is stable, `words` fill the sentence, `facts` are for machines."""

    def __init__(
        self,
        code: Code,
        sentences: tuple[str, str] | None = None,
        *,
        facts: Mapping[str, str] | None = None,
        **words: str | tuple[str, str],
    ) -> None:
        """Keep the code and the words, a pair being (zh, en); `sentences` (zh, en) replaces the code's own sentence."""
        self.code = code
        self.sentences = sentences or SENTENCES[code]
        self.facts = dict(facts or {})
        self.words = words
        super().__init__(self.sentence("en"))

    def sentence(self, language: str = "zh") -> str:
        """Give the sentence in a language (zh, otherwise en)."""
        which = 0 if language.startswith("zh") else 1
        words: dict[str, str] = {}
        for name, said in self.words.items():
            word = STATUS_WORDS[said] if name == "status" and isinstance(said, str) else said
            words[name] = word if isinstance(word, str) else word[which]
        return self.sentences[which].format(**words)
