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
    WINDOW_UNSTAFFED = "window_unstaffed"
    CLERK_ELSEWHERE = "clerk_elsewhere"
    SERVICE_NOT_SERVED = "service_not_served"
    SERVICE_NOT_FOUND = "service_not_found"
    PRIORITY_NOT_FOUND = "priority_not_found"
    HALL_CLOSED = "hall_closed"
    SERVICE_CLOSED = "service_closed"
    DAY_OPEN = "day_open"
    QUOTA_FULL = "quota_full"
    ALREADY_WAITING = "already_waiting"
    NO_PAPER = "no_paper"
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
    RATING_OVER = "rating_over"
    PLAN_IN_USE = "plan_in_use"
    PLAN_CHANGED = "plan_changed"
    PLAN_SAME = "plan_same"
    LEGS_MISSING = "legs_missing"
    TOO_MANY_LEGS = "too_many_legs"
    LEG_REPEATED = "leg_repeated"
    LEG_NOT_PLANNED = "leg_not_planned"
    NOTICE_EMPTY = "notice_empty"
    NO_PICKUP = "no_pickup"
    RESULT_NOT_READY = "result_not_ready"
    RESULT_UNKNOWN = "result_unknown"
    NOTICE_TOO_LONG = "notice_too_long"
    LEGS_LEFT = "legs_left"
    NOT_BOOKABLE = "not_bookable"
    SLOT_UNKNOWN = "slot_unknown"
    SLOT_FULL = "slot_full"
    TOO_FAR_AHEAD = "too_far_ahead"
    ALREADY_BOOKED = "already_booked"
    BOOKING_BLOCKED = "booking_blocked"
    TOO_LATE_TO_CANCEL = "too_late_to_cancel"
    TOO_EARLY = "too_early"
    APPOINTMENT_NOT_FOUND = "appointment_not_found"
    APPOINTMENT_OVER = "appointment_over"
    CODE_TAKEN = "code_taken"
    APPOINTMENT_KNOWN = "appointment_known"
    CASE_NOT_FOUND = "case_not_found"
    CASE_CLOSED = "case_closed"
    AGENT_FIXED = "agent_fixed"
    CASE_TAKEN = "case_taken"
    CASE_KIND = "case_kind"
    NO_PARTNER = "no_partner"
    APPEAL_OVER = "appeal_over"
    NO_APPEAL = "no_appeal"
    AGENT_MISSING = "agent_missing"
    OWN_CASE = "own_case"
    NOT_YOUR_VISIT = "not_your_visit"
    CASE_HANDED_OVER = "case_handed_over"
    CASE_RECEIVED = "case_received"
    NUMBER_IN_TEXT = "number_in_text"
    DUE_PAST = "due_past"
    KIOSK_LIMIT = "kiosk_limit"
    PREFIX_TAKEN = "prefix_taken"
    ROLL_NOT_FOUND = "roll_not_found"
    ANNOUNCEMENT_EMPTY = "announcement_empty"
    NO_ANNOUNCEMENT = "no_announcement"
    SUGGESTION_GONE = "suggestion_gone"
    CHANGE_GONE = "change_gone"
    SERIES_NOT_FOUND = "series_not_found"
    LEASE_NOT_FOUND = "lease_not_found"
    LEASE_OVER = "lease_over"
    LEASE_ENOUGH = "lease_enough"
    LEASE_NO_ROOM = "lease_no_room"
    OFFLINE_DAY_OVER = "offline_day_over"
    OFFLINE_NOT_LEASED = "offline_not_leased"
    OFFLINE_GIVEN = "offline_given"
    ROLL_RANGE = "roll_range"
    ROLL_USED_UP = "roll_used_up"
    SAME_CLERK = "same_clerk"
    SAME_WINDOW = "same_window"
    NOTHING_DUE = "nothing_due"
    UNDO_OVER = "undo_over"


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
        "窗口 {window} 由 {clerk} 使用中，请对方先关窗，或换岗接班。",
        "Window {window} is in use by {clerk}: close it first, or take it over.",
    ),
    Code.WINDOW_NOT_FOUND: ("没有窗口 {window}。", "There is no window {window}."),
    Code.WINDOW_UNSTAFFED: (
        "窗口 {window} 未派驻人员，请选其他窗口；派驻后请在大厅文件中去掉 staffed = false。",
        "Nobody is sent to window {window}. Choose another; once staffed, take staffed = false out of the hall file.",
    ),
    Code.CLERK_ELSEWHERE: (
        "{clerk} 还在窗口 {window}，请先在那里关窗或换岗。",
        "{clerk} is still at window {window}. Close that window or hand it over first.",
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
    Code.NO_PAPER: (
        "本机{why}，请到{place}取号。",
        "This kiosk {why}. Please take your number at {place}.",
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
    Code.RATING_OVER: (
        "在窗口评价的时间已过，您仍可扫号票上的二维码评价。",
        "The time to rate at the window is over. You can still rate with the QR code on your ticket.",
    ),
    Code.PLAN_IN_USE: (
        "“{what}”今天还有 {count} 张号票没有办结，现在不能去掉：请先办结、转办或取消，或等营业日结束后再改。",
        (
            "{count} ticket(s) of today for {what} are not finished, so it cannot go now: finish, transfer or cancel"
            " them first, or change it after the business day has closed."
        ),
    ),
    Code.PLAN_CHANGED: (
        "{by} 已先应用了第 {version} 版设置，您的修改没有应用，也没有丢失：请对照现在的设置，再应用一次。",
        (
            "{by} has applied version {version} meanwhile. Yours was not applied and is not lost: compare it with what"
            " runs now and apply it again."
        ),
    ),
    Code.PLAN_SAME: ("与现在运行的设置相同，没有需要应用的。", "This is what runs already: there is nothing to apply."),
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
    Code.NOTICE_EMPTY: (
        "请至少写明一项需补正的材料。",
        "Name at least one missing paper.",
    ),
    Code.NO_PICKUP: (
        "本大厅没有出件事项，请指明在哪个事项领取，或直接办结。",
        "This hall has no pickup service. Name the service that hands the result out, or finish the visit.",
    ),
    Code.RESULT_NOT_READY: (
        "办件 {case} 还没有出件，请稍候；出件后再取号或听候叫号。",
        "The result of {case} is not ready yet. Take a number, or listen for your own, once it is.",
    ),
    Code.RESULT_UNKNOWN: (
        "本大厅没有办件 {case} 的可领结果，请核对办件编号；已收到领取通知的，请到引导台，由工作人员查询后取号。",
        "No result of {case} is ready here. Check the number; if you were told to collect it, ask at the guide desk.",
    ),
    Code.NOTICE_TOO_LONG: (
        "一次告知最多 {count} 项，每项最多 {han} 个汉字，请分项写短些。",
        "A notice has at most {count} items of {columns} letters each. Make them shorter.",
    ),
    Code.LEGS_LEFT: (
        "{label} 还有联办环节未办，请在最后一个环节再转后台待出件。",
        "{label} still has legs to go. Wait for the result at the last one.",
    ),
    Code.NOT_BOOKABLE: (
        "“{service}”不提供预约，请到现场取号。",
        "{service} takes no appointments. Please take a number in the hall.",
    ),
    Code.SLOT_UNKNOWN: (
        "“{service}”{day} 没有 {starts} 开始的预约时段，请另选时段。",
        "{service} has no slot at {starts} on {day}. Choose another one.",
    ),
    Code.SLOT_FULL: (
        "“{service}”{day} {starts} 的预约已满，请另选时段。",
        "{service} is fully booked at {starts} on {day}. Choose another time.",
    ),
    Code.TOO_FAR_AHEAD: (
        "最多可预约到 {day}，请选择更近的日期。",
        "Bookings are possible up to {day}. Choose an earlier day.",
    ),
    Code.ALREADY_BOOKED: (
        "您在 {day} 已有预约，请先取消再预约。",
        "You have a booking on {day} already. Cancel it first.",
    ),
    Code.BOOKING_BLOCKED: (
        "您多次预约未到，{day} 起可再预约；现场仍可取号。",
        "Too many appointments were not kept. You can book again from {day}; numbers in the hall are not affected.",
    ),
    Code.TOO_LATE_TO_CANCEL: (
        "距预约时间不足 {minutes} 分钟，不能自行取消，请联系大厅。",
        "Less than {minutes} minutes are left. Please ask the staff to cancel.",
    ),
    Code.TOO_EARLY: (
        "您预约的时间是{starts}，{from_time} 起可以签到取号。",
        "Your appointment is at {starts}. You can check in from {from_time}.",
    ),
    Code.APPOINTMENT_NOT_FOUND: (
        "没有找到这个预约，请核对预约码。",
        "There is no such appointment. Please check the code.",
    ),
    Code.APPOINTMENT_OVER: (
        "这个预约已经签到、取消或过期。",
        "This appointment was kept, cancelled or missed already.",
    ),
    Code.CODE_TAKEN: (
        "预约码重复，请重试。",
        "The code is in use. Please try again.",
    ),
    Code.APPOINTMENT_KNOWN: (
        "外部编号 {external} 的预约已经登记。",
        "The appointment with the external id {external} is booked already.",
    ),
    Code.CASE_NOT_FOUND: (
        "没有台账 {case}。",
        "There is no case {case}.",
    ),
    Code.CASE_CLOSED: (
        "台账 {case} 已经结束，不能再操作。",
        "Case {case} is closed; nothing more can be done with it.",
    ),
    Code.AGENT_FIXED: (
        "代办不中途换人：台账 {case} 由 {agent} 负责到底。",
        "An agent does not change on the way: {agent} looks after case {case} until the end.",
    ),
    Code.CASE_TAKEN: (
        "台账 {case} 已由 {agent} 负责。",
        "Case {case} has an agent already: {agent}.",
    ),
    Code.CASE_KIND: (
        "台账 {case} 不是这一类，不能这样操作。",
        "Case {case} is of another kind; this is not possible.",
    ),
    Code.NO_PARTNER: (
        "“{hall}”不在可转交的大厅之中，请在大厅文件 [agency] partners 中登记。",
        "{hall} is not a hall that cases may go to. Add it to partners in [agency] of the hall file.",
    ),
    Code.APPEAL_OVER: (
        "台账 {case} 的申诉期已过或已经申诉过。",
        "The time for an appeal on case {case} is over, or there was one already.",
    ),
    Code.NO_APPEAL: (
        "台账 {case} 没有待复核的申诉。",
        "Case {case} has no appeal to decide.",
    ),
    Code.AGENT_MISSING: (
        "台账 {case} 还没有经办人，请先接办。",
        "Nobody looks after case {case} yet. Take it first.",
    ),
    Code.OWN_CASE: (
        "台账 {case} 涉及本人的评价，请由其他人办理。",
        "Case {case} is about your own visit. Somebody else must look after it.",
    ),
    Code.NOT_YOUR_VISIT: (
        "只有被评价的窗口人员或管理员可以对台账 {case} 申诉。",
        "Only the clerk whose visit it was, or a manager, may appeal on case {case}.",
    ),
    Code.CASE_HANDED_OVER: (
        "台账 {case} 已转交“{hall}”，等待对方接收；如转交有误请由管理员处理。",
        "Case {case} is on its way to {hall}. If that was a mistake, a manager can change it.",
    ),
    Code.CASE_RECEIVED: (
        "“{hall}”的台账 {case} 已经收到，本大厅编号为 {ours}。",
        "Case {case} of {hall} was received already; here it is {ours}.",
    ),
    Code.NUMBER_IN_TEXT: (
        "请不要写入身份证号、电话号码等长串数字，台账不保存这类号码；需要时只写后四位。",
        "Leave out identity, phone and other long numbers: the ledger does not keep them. Four digits will do.",
    ),
    Code.DUE_PAST: (
        "期限 {day} 已经过去，请写今天或以后的日期。",
        "{day} is over. The due day must be today or later.",
    ),
    Code.KIOSK_LIMIT: (
        "这台取号机今天的号已取完，请到导办台取号。",
        "This kiosk has given all its numbers for today. Please ask at the guide desk.",
    ),
    Code.PREFIX_TAKEN: (
        "字母 {prefix} 已在使用，请换一个号卷字母。",
        "The letter {prefix} is in use. Choose another letter for the roll.",
    ),
    Code.ROLL_NOT_FOUND: (
        "没有字母为 {prefix} 的号卷，请先登记。",
        "There is no roll with the letter {prefix}. Announce it first.",
    ),
    Code.ANNOUNCEMENT_EMPTY: ("请用中文写明要广播的内容。", "Write in Chinese what everybody is to be told."),
    Code.NO_ANNOUNCEMENT: ("现在没有正在播出的通知。", "Nothing is being announced now."),
    Code.SUGGESTION_GONE: (
        "大厅情况已变，这条建议不再适用，请看最新的建议。",
        "The hall has changed and this suggestion stands no longer. Look at the newest ones.",
    ),
    Code.CHANGE_GONE: (
        "这项调整已经撤销，或不是今天的。",
        "This change was undone already, or is not of today.",
    ),
    Code.ROLL_RANGE: (
        "号卷号码应从小到大，一次最多 {count} 张。",
        "The numbers of a roll go up, at most {count} at once.",
    ),
    Code.ROLL_USED_UP: (
        "号卷 {prefix} 只到 {last}，请换新号卷。",
        "Roll {prefix} ends at {last}. Announce a new one.",
    ),
    Code.SERIES_NOT_FOUND: (
        "没有以 {prefix} 开头的号，请按大厅文件中的字母取号段。",
        "There are no numbers with the letter {prefix}. Ask for one of the hall's own.",
    ),
    Code.LEASE_NOT_FOUND: (
        "今天没有以 {lease} 开始的离线号段。",
        "No block of offline numbers begins with {lease} today.",
    ),
    Code.LEASE_OVER: (
        "从 {lease} 开始的离线号段已停用，请取新的号段。",
        "The block of offline numbers from {lease} on is over. Lease a new one.",
    ),
    Code.LEASE_ENOUGH: (
        "这台取号机还有 {count} 个以 {prefix} 开头的离线号，用掉以后再取。",
        "This kiosk still holds {count} offline numbers of {prefix}. Use them first.",
    ),
    Code.LEASE_NO_ROOM: (
        "以 {prefix} 开头的号不够再分一段离线号，请在大厅文件中加大 last。",
        "Series {prefix} has no room for another block of offline numbers. Raise `last` in the hall file.",
    ),
    Code.OFFLINE_DAY_OVER: (
        "{label} 是 {day} 的离线号，那天已经结束，请重新取号。",
        "{label} was given offline on {day}, and that day is over. Please take a new number.",
    ),
    Code.OFFLINE_NOT_LEASED: (
        "{label} 不在这台取号机的离线号段内，没有登记。",
        "{label} is not of a block leased to this kiosk. Nothing was recorded.",
    ),
    Code.OFFLINE_GIVEN: (
        "离线号 {label} 或它之后的号已经登记，没有重复登记。",
        "Offline number {label}, or one after it, is recorded already. Nothing was recorded twice.",
    ),
    Code.SAME_CLERK: (
        "窗口 {window} 现在就是 {clerk} 在办公。",
        "{clerk} works at window {window} already.",
    ),
    Code.UNDO_OVER: (
        "窗口 {window} 现在不能撤销：已超过 {count} 秒，或之后有了新的操作。请改用恢复排队、点叫等办法。",
        "Too late to undo at window {window}: over {count} s, or more was done since. Reinstate or call instead.",
    ),
    Code.NOTHING_DUE: ("现在没有到期的事项。", "Nothing is due now."),
    Code.SAME_WINDOW: (
        "请选择另一个窗口。",
        "Choose another window.",
    ),
}

CLERK_IN_HALL = (
    "{clerk} 还在“{hall}”的 {window} 号窗口，请先在那里关窗或换岗；人不在那里时，请那里的管理员关窗。",
    "{clerk} is still at window {window} of {hall}. Close it or hand it over there, or let a manager there close it.",
)
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
AWAY_FOR_PAPERS = (
    "您的号 {label} 仍然有效，材料备齐后请按“我回来了”，无需重新取号。",
    "Your number {label} is still good: press “I am back” once you have the papers.",
)
APPOINTMENT_KEPT = (
    "这个预约已经签到，您的号是 {label}，请等候叫号。",
    "You have checked in already: your number is {label}. Please wait for your call.",
)
APPOINTMENT_CANCELLED = (
    "这个预约已取消，请直接取号或重新预约。",
    "This appointment was cancelled. Please take a number or book again.",
)
APPOINTMENT_MISSED = (
    "这个预约已过期，请直接取号或重新预约。",
    "This appointment is over. Please take a number or book again.",
)
NO_SLOTS = (
    "“{service}”近期没有可预约的时段，请到现场取号。",
    "{service} has no time that can be booked. Please take a number in the hall.",
)
PREFIX_UNCLEAR = (
    "号卷字母应为一到两个大写字母，“{prefix}”不行。",
    "The letters of a roll are one or two capitals; {prefix} is not.",
)
ROLL_GIVEN = (
    "今天已发到 {label}，请从更大的号码登记。",
    "Numbers up to {label} were given today. Announce the roll from a higher one.",
)
ROLL_KNOWN = (
    "号卷已报到 {label}，请报更大的号码。",
    "The roll is known up to {label}. Report a higher number.",
)
LEFT_TO = (
    "等候的群众由空闲的 {other} 号窗口来叫；一分钟后仍未叫号，本窗口即可叫。",
    "Window {other} is free and better placed for who waits. If nobody is called there within a minute, call again.",
)
NO_TICKET = ("窗口 {window} 现在没有可以这样操作的号。", "Window {window} has no ticket for this now.")

PLAN_WINDOW_IN_USE = (
    "{what} 号窗口今天还有 {count} 张号票没有办结，现在不能去掉或改为未派驻：请先办结或转到其他窗口。",
    (
        "{count} ticket(s) of today at window {what} are not finished, so it cannot go or be unstaffed now: finish them"
        " or send them to another window first."
    ),
)
PLAN_WINDOW_STAFFED = (
    "{what} 号窗口正有人在岗，现在不能去掉或改为未派驻：请先关窗。",
    "Somebody works at window {what}, so it cannot go or be unstaffed now: close it first.",
)
PLAN_ROLL_IN_USE = (
    "纸质号卷 {prefix} 正用于“{what}”，现在不能去掉它：请先结束该号卷。",
    "The paper roll {prefix} is in use for {what}, which cannot go now: end the roll first.",
)
PLAN_ENDS_DAY = (
    "按新的时区或 day_starts，营业日 {day} 会立即结束：请等营业日结束后再改。",
    "By the new time zone or day_starts the business day {day} would end at once: change it after the day has closed.",
)

STATUS_WORDS: dict[str, tuple[str, str]] = {
    TicketStatus.WAITING: ("等候", "waiting"),
    TicketStatus.CALLED: ("已呼叫", "called"),
    TicketStatus.SERVING: ("办理中", "being served"),
    TicketStatus.HELD: ("挂起", "on hold"),
    TicketStatus.MISSED: ("过号", "missed"),
    TicketStatus.AWAY: ("暂离", "away"),
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
