"""Cases (台账): agency (代办), visits at home (上门办), and follow-ups of bad grades (差评整改).

One agent looks after a case from beginning to end (中途不换人): only the agent acts, or a chief who puts something
right. A matter of another level is handed over on the day it was taken on (接受委托当天转交): before closing it alarms,
and after the day it is overdue. Source: Hefeng county, 全面推进政务服务“三办三不出” (2020).

A bad grade opens a case by itself, due by working days; the clerk may appeal within some of them, and an appeal upheld
strikes the grade from the statistics. A visit that was not graded stays ungraded. Source: 国办发〔2019〕51号 (差评 are
the two lowest of five grades, 100 % followed up); the days differ from place to place and stand in the hall file.

Nothing written into a case may hold an identity or phone number: the ledger keeps it for ever.
"""

import re
from datetime import date, timedelta
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.calendar import hall_closing, working_day_after
from server.domain.checks import known_service, known_ticket
from server.domain.records import Case, CaseStep
from server.domain.refusals import Code, Refusal
from server.domain.state import MS_PER_MIN, HallState, Ticket
from server.domain.terms import CaseId, CaseKind, CaseStatus, HallId, ServiceId, WorkId, business_day

Event = (
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

CLOSED = frozenset({CaseStatus.FINISHED, CaseStatus.WITHDRAWN, CaseStatus.PASSED_ON})
KEEP_CLOSED_DAYS = 30  # then the hall forgets a closed case; the ledger never does
KEEP_PASSED_ON_DAYS = 366  # so long the other hall may still tell how a case ended
STEPS_MAX = 200  # lines of a case that the hall has at hand: the first and the newest
NUMBER_DIGITS_MIN = 7  # the shortest telephone number
APPEAL_OPEN, APPEAL_UPHELD, APPEAL_REJECTED = "open", "upheld", "rejected"

_HARMLESS = re.compile(r"\d{4}-\d\d?-\d\d?|C?20\d{6}-[A-Z]{0,2}\d{3,4}")  # dates; ids of cases and tickets
_NUMBER = re.compile(rf"\d(?:[ \u3000]?\d){{{NUMBER_DIGITS_MIN - 1},}}")  # "138 0013 8000" is one number too
_EMPTY_CLIENT = ("请写明委托人（如“王先生”）。", "Say whom the case is for, such as Mr Wang.")
_EMPTY_TEXT = ("请写明内容。", "Write down what there is to say.")
_NOT_BY_HAND = ("差评整改由差评自动建立。", "A follow-up is opened by a bad grade, not by hand.")
_OWN_HALL = ("“{hall}”就是本大厅，请选择其他大厅。", "{hall} is this very hall. Choose another one.")


def decide(state: HallState, command: c.CaseMove, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    match command:
        case c.OpenCase():
            return [_opened(state, command, now_ms)]
        case c.ReceiveCase():
            return [_received(state, command, now_ms)]
        case c.TakeCase():
            return [_taken(state, command)]
        case c.LogCase():
            return [_logged(state, command)]
        case c.FinishCase():
            case = _acted_on(state, command)
            return [e.CaseFinished(case=case.id, by=command.by, outcome=_words(command.outcome))]
        case c.WithdrawCase():
            case = _acted_on(state, command)
            _refuse_rating(case)
            return [e.CaseWithdrawn(case=case.id, by=command.by, reason=_words(command.reason))]
        case c.HandOverCase():
            return [_handed_over(state, command)]
        case c.ConfirmHandOver():
            return [_confirmed(state, command)]
        case c.ReportBack():
            return [_reported_back(state, command)]
        case c.AppealCase():
            return [_appealed(state, command)]
        case c.DecideAppeal():
            return [_appeal_decided(state, command)]
        case _:
            assert_never(command)


def follow_up(state: HallState, ticket: Ticket, grade: int, now_ms: int) -> list[e.Event]:
    """Give the case that a bad grade opens, or nothing."""
    rules = state.plan.ratings
    if grade > rules.bad_grade:
        return []
    day = _today(state, now_ms)
    opened = e.CaseOpened(
        case=_next_id(state, day),
        kind=CaseKind.RATING,
        agent=None,
        service=ticket.service,
        client="",
        visitor=None,  # who grades is nobody's business
        ticket=ticket.id,
        label=ticket.label,
        note="",
        window=ticket.window,
        clerk=ticket.clerk,
        grade=grade,
        due=working_day_after(state.plan, day, rules.follow_up_working_days),
    )
    return [opened]


def due(state: HallState, now_ms: int) -> list[e.Event]:
    """Give the alarms that the clock must raise now: cases to hand over today, shortly before the hall closes."""
    left = [case for case in state.cases.values() if _must_go_today(case) and not case.alarmed]
    if not left:
        return []
    closes_ms = hall_closing(state.plan, _today(state, now_ms))
    if now_ms < closes_ms - state.plan.agency.alarm_before_close_min * MS_PER_MIN:
        return []
    # Once the day is closed, what is late was said to be late.
    return [e.CaseHandoverDue(case=it.id, closes_ms=closes_ms) for it in left if state.day_open or not it.overdue]


def overdue(state: HallState, following: str) -> list[e.Event]:
    """Give the open cases that were due before a day that begins now or next (ISO date); each is told once."""
    return [
        e.CaseOverdue(case=case.id, due=case.due)
        for case in state.cases.values()
        if case.status is CaseStatus.OPEN and case.due is not None and case.due < following and not case.overdue
    ]


def begin_day(state: HallState, day: str) -> None:
    """Let the alarms ring anew, and forget what was closed long before a day (ISO date) that begins."""
    for case in list(state.cases.values()):
        case.alarmed = False
        if case.closed_ms is None or case.appeal == APPEAL_OPEN:
            continue
        unheard = case.status is CaseStatus.PASSED_ON and not case.reported
        kept = timedelta(days=KEEP_PASSED_ON_DAYS if unheard else KEEP_CLOSED_DAYS)
        if business_day(state.plan, case.closed_ms) + kept < date.fromisoformat(day):
            del state.cases[case.id]


def for_other_hall(state: HallState, case: Case) -> c.ReceiveCase:
    """Give what the hall that a case was handed over to is told: whose it is stays here."""
    note = next((step.note for step in reversed(case.steps) if step.what == "handed_over"), "")
    return c.ReceiveCase(
        from_hall=state.plan.hall,
        from_case=case.id,
        kind=case.kind,
        client=case.client,
        matter=case.matter or _name_of(state, case.service),
        note=note,
        due=None if case.elsewhere else case.due,  # the day by which to hand over is no day by which to finish
    )


def for_first_hall(state: HallState, case: Case) -> c.ReportBack | None:
    """Give what the hall a case came from is told once it has ended, here or where it was passed on to; else None."""
    if case.origin is None or case.closed_ms is None or (case.status is CaseStatus.PASSED_ON and not case.reported):
        return None
    last = case.steps[-1]
    return c.ReportBack(
        case=case.origin[1],
        from_hall=state.plan.hall,
        their_case=case.id,
        outcome=last.note,
        done=last.what in ("finished", "reported"),
    )


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    match event:
        case e.CaseOpened():
            _keep_opened(state, event, at_ms)
            return
        case e.CaseReceived():
            _keep_received(state, event, at_ms)
            return
        case _:
            known = state.cases.get(event.case)
    if known is not None:  # a case is never forgotten while something can still happen to it
        _fold(state, known, event, at_ms)


def _fold(state: HallState, case: Case, event: Event, at_ms: int) -> None:
    match event:
        case e.CaseOpened() | e.CaseReceived():
            pass
        case e.CaseTaken():
            case.agent = event.agent
            _step(case, at_ms, "taken", event.agent)
        case e.CaseLogged():
            _step(case, at_ms, "notice" if event.items else "logged", event.by, event.note, event.items)
        case e.CaseFinished():
            _close(case, CaseStatus.FINISHED, at_ms)
            _step(case, at_ms, "finished", event.by, event.outcome)
        case e.CaseWithdrawn():
            _close(case, CaseStatus.WITHDRAWN, at_ms)
            _step(case, at_ms, "withdrawn", event.by, event.reason)
        case e.CaseHandedOver():
            case.status, case.to_hall = CaseStatus.HANDED_OVER, event.to_hall
            _step(case, at_ms, "handed_over", event.by, event.note, to_hall=event.to_hall)
        case e.CaseHandoverConfirmed():
            _close(case, CaseStatus.PASSED_ON, at_ms)
            case.their_case = event.their_case
            _step(case, at_ms, "confirmed", event.to_hall, event.their_case)
        case e.CaseReportedBack():
            case.reported, case.closed_ms = True, at_ms
            _step(case, at_ms, "reported" if event.done else "reported_withdrawn", event.from_hall, event.outcome)
        case e.CaseHandoverDue():
            case.alarmed = True
            _step(case, at_ms, "handover_due", "")
        case e.CaseOverdue():
            case.overdue = True
            _step(case, at_ms, "overdue", "")
        case e.CaseAppealed():
            case.appeal = APPEAL_OPEN
            _step(case, at_ms, "appealed", event.by, event.reason)
        case e.AppealDecided():
            case.appeal = APPEAL_UPHELD if event.upheld else APPEAL_REJECTED
            _step(case, at_ms, f"appeal_{case.appeal}", event.by, event.note)
            if event.upheld:
                if event.ticket is not None:
                    state.struck.add(event.ticket)
                if case.closed_ms is None:
                    _close(case, CaseStatus.FINISHED, at_ms)
        case _:
            assert_never(event)


def _opened(state: HallState, command: c.OpenCase, now_ms: int) -> e.CaseOpened:
    if command.kind is CaseKind.RATING:
        raise Refusal(Code.CASE_KIND, _NOT_BY_HAND)
    day = _today(state, now_ms)
    if command.due is not None and command.due < day:
        raise Refusal(Code.DUE_PAST, day=command.due)
    ticket = None if command.ticket is None else known_ticket(state, command.ticket, None)
    service = command.service or (ticket.service if ticket else None)
    return e.CaseOpened(
        case=_next_id(state, day),
        kind=command.kind,
        agent=command.agent,
        service=None if service is None else known_service(state, service),
        client=_words(command.client, _EMPTY_CLIENT),
        visitor=command.visitor,
        ticket=ticket.id if ticket else None,
        label=ticket.label if ticket else None,
        note=_plain(command.note),
        visit_at_ms=command.visit_at_ms,
        due=day if command.elsewhere else command.due,
        elsewhere=command.elsewhere,
    )


def _received(state: HallState, command: c.ReceiveCase, now_ms: int) -> e.CaseReceived:
    if command.kind is CaseKind.RATING:
        raise Refusal(Code.CASE_KIND, _NOT_BY_HAND)
    for known in state.cases.values():
        if known.origin == (command.from_hall, command.from_case):
            raise Refusal(
                Code.CASE_RECEIVED,
                hall=command.from_hall,
                case=command.from_case,
                ours=known.id,
                facts={"case": known.id},
            )
    return e.CaseReceived(
        case=_next_id(state, _today(state, now_ms)),
        kind=command.kind,
        from_hall=command.from_hall,
        from_case=command.from_case,
        client=_plain(command.client),
        matter=_plain(command.matter),
        note=_plain(command.note),
        due=command.due,
    )


def _taken(state: HallState, command: c.TakeCase) -> e.CaseTaken:
    case = _open_case(state, command.case)
    if case.agent is not None:
        raise Refusal(Code.CASE_TAKEN, case=case.id, agent=case.agent)
    if case.clerk == command.agent:
        raise Refusal(Code.OWN_CASE, case=case.id)
    return e.CaseTaken(case=case.id, agent=command.agent)


def _logged(state: HallState, command: c.LogCase) -> e.CaseLogged:
    case = _acted_on(state, command)
    if command.agent is not None and command.agent != case.agent:
        raise Refusal(Code.AGENT_FIXED, case=case.id, agent=case.agent or "—")
    items = tuple(_words(item) for item in command.items)
    note = _plain(command.note) if items else _words(command.note)
    return e.CaseLogged(case=case.id, by=command.by, note=note, items=items)


def _handed_over(state: HallState, command: c.HandOverCase) -> e.CaseHandedOver:
    case = _acted_on(state, command)
    _refuse_rating(case)
    if command.to_hall == state.plan.hall:
        raise Refusal(Code.NO_PARTNER, _OWN_HALL, hall=command.to_hall)
    partners = state.plan.agency.partners
    if partners and command.to_hall not in partners:
        raise Refusal(Code.NO_PARTNER, hall=command.to_hall)
    told = for_other_hall(state, case)
    return e.CaseHandedOver(
        case=case.id,
        by=command.by,
        to_hall=command.to_hall,
        kind=told.kind,
        client=told.client,
        matter=told.matter,
        note=_plain(command.note),
        due=told.due,
    )


def _confirmed(state: HallState, command: c.ConfirmHandOver) -> e.CaseHandoverConfirmed:
    case = _open_case(state, command.case)
    if case.status is not CaseStatus.HANDED_OVER or case.to_hall != command.to_hall:
        raise Refusal(Code.CASE_KIND, case=case.id)
    return e.CaseHandoverConfirmed(case=case.id, to_hall=command.to_hall, their_case=command.their_case)


def _reported_back(state: HallState, command: c.ReportBack) -> e.CaseReportedBack:
    case = _known(state, command.case)
    if case.status is not CaseStatus.PASSED_ON or case.to_hall != command.from_hall:
        raise Refusal(Code.CASE_KIND, case=case.id)
    if case.reported:
        raise Refusal(Code.CASE_CLOSED, case=case.id)
    return e.CaseReportedBack(
        case=case.id,
        from_hall=command.from_hall,
        their_case=command.their_case,
        outcome=_plain(command.outcome),
        done=command.done,
    )


def _appealed(state: HallState, command: c.AppealCase) -> e.CaseAppealed:
    case = _known(state, command.case)
    if case.kind is not CaseKind.RATING:
        raise Refusal(Code.CASE_KIND, case=case.id)
    if not command.chief and command.by != case.clerk:
        raise Refusal(Code.NOT_YOUR_VISIT, case=case.id)
    opened = business_day(state.plan, case.opened_ms).isoformat()
    until = working_day_after(state.plan, opened, state.plan.ratings.appeal_working_days)
    if case.appeal is not None or (state.day or "") > until:
        raise Refusal(Code.APPEAL_OVER, case=case.id)
    return e.CaseAppealed(case=case.id, by=command.by, reason=_words(command.reason))


def _appeal_decided(state: HallState, command: c.DecideAppeal) -> e.AppealDecided:
    case = _known(state, command.case)
    if case.appeal != APPEAL_OPEN:
        raise Refusal(Code.NO_APPEAL, case=case.id)
    if case.clerk == command.by:
        raise Refusal(Code.OWN_CASE, case=case.id)
    return e.AppealDecided(
        case=case.id, by=command.by, upheld=command.upheld, note=_words(command.note), ticket=case.ticket
    )


def _acted_on(state: HallState, command: c.LogCase | c.FinishCase | c.WithdrawCase | c.HandOverCase) -> Case:
    """Give the open case if whoever asks may act on it: its agent, or a chief."""
    case = _open_case(state, command.case)
    if command.chief:
        return case
    if case.clerk == command.by:
        raise Refusal(Code.OWN_CASE, case=case.id)
    if case.agent is None:
        raise Refusal(Code.AGENT_MISSING, case=case.id)
    if case.agent != command.by:
        raise Refusal(Code.AGENT_FIXED, case=case.id, agent=case.agent)
    if case.status is CaseStatus.HANDED_OVER:  # a chief may still put right what went to the wrong hall
        raise Refusal(Code.CASE_HANDED_OVER, case=case.id, hall=case.to_hall or "")
    return case


def _known(state: HallState, id_: CaseId) -> Case:
    case = state.cases.get(id_)
    if case is None:
        raise Refusal(Code.CASE_NOT_FOUND, case=id_)
    return case


def _open_case(state: HallState, id_: CaseId) -> Case:
    case = _known(state, id_)
    if case.status in CLOSED:
        raise Refusal(Code.CASE_CLOSED, case=id_)
    return case


def _refuse_rating(case: Case) -> None:
    """Refuse to be rid of a bad grade: its case is finished with what was done, or its grade is struck."""
    if case.kind is CaseKind.RATING:
        raise Refusal(Code.CASE_KIND, case=case.id)


def _must_go_today(case: Case) -> bool:
    return case.elsewhere and case.status is CaseStatus.OPEN


def _today(state: HallState, now_ms: int) -> str:
    return state.day or business_day(state.plan, now_ms).isoformat()


def _next_id(state: HallState, day: str) -> CaseId:
    """Give the next id of a day. Cases of today are never forgotten today, so counting them finds it."""
    series = f"C{day.replace('-', '')}-"
    return CaseId(f"{series}{1 + sum(it.startswith(series) for it in state.cases):03d}")


def _name_of(state: HallState, service: ServiceId | None) -> str:
    known = None if service is None else state.plan.service.get(service)
    return "" if known is None else known.name.get("zh", known.id)


def _plain(text: str) -> str:
    """Give a text without the space around it, or refuse what looks like somebody's number."""
    if _NUMBER.search(_HARMLESS.sub("", text)):
        raise Refusal(Code.NUMBER_IN_TEXT)
    return text.strip()


def _words(text: str, empty: tuple[str, str] = _EMPTY_TEXT) -> str:
    """Give a text that must say something."""
    if not (said := _plain(text)):
        raise Refusal(Code.REASON_MISSING, empty)
    return said


def _keep_opened(state: HallState, event: e.CaseOpened, at_ms: int) -> None:
    case = Case(
        id=event.case,
        kind=event.kind,
        agent=event.agent,
        opened_ms=at_ms,
        service=event.service,
        client=event.client,
        visitor=event.visitor,
        ticket=event.ticket,
        label=event.label,
        window=event.window,
        clerk=event.clerk,
        grade=event.grade,
        visit_at_ms=event.visit_at_ms,
        due=event.due,
        elsewhere=event.elsewhere,
    )
    state.cases[case.id] = case
    _step(case, at_ms, "opened", event.agent or "", event.note)


def _keep_received(state: HallState, event: e.CaseReceived, at_ms: int) -> None:
    case = Case(
        id=event.case,
        kind=event.kind,
        agent=None,
        opened_ms=at_ms,
        matter=event.matter,
        client=event.client,
        due=event.due,
        origin=(event.from_hall, event.from_case),
    )
    state.cases[case.id] = case
    _step(case, at_ms, "received", event.from_hall, event.note)


def _close(case: Case, status: CaseStatus, at_ms: int) -> None:
    case.status, case.closed_ms = status, at_ms


def _step(
    case: Case,
    at_ms: int,
    what: str,
    by: WorkId | HallId | str,
    note: str = "",
    items: tuple[str, ...] = (),
    to_hall: HallId | None = None,
) -> None:
    case.steps.append(CaseStep(at_ms=at_ms, what=what, by=by, note=note, items=items, to_hall=to_hall))
    if len(case.steps) > STEPS_MAX:
        del case.steps[1]
