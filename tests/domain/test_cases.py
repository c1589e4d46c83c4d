"""Cases: one agent to the end, handed over the same day, bad grades followed up, appeals, nobody's number kept."""

from dataclasses import replace
from datetime import date

import pytest

from server.domain import cases
from server.domain import commands as c
from server.domain import events as e
from server.domain.calendar import hall_closing, is_working_day, working_day_after
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.records import Case
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import (
    AgencyRules,
    Calendar,
    CaseId,
    CaseKind,
    CaseStatus,
    HallId,
    HallPlan,
    OpeningHours,
    RatingRules,
    ServiceId,
    TicketId,
    WindowNo,
    WorkId,
)
from tests.domain.halls import PLAN, Scene, ms

WANG, LI, BOSS = WorkId("2001"), WorkId("2002"), WorkId("boss")
COUNTY = HallId("county")
FIRST = CaseId("C20260302-001")
DAY_MIN = 24 * 60
WEEK = ("mon", "tue", "wed", "thu", "fri")
OFFICE = replace(
    PLAN,
    hours=(
        OpeningHours(days=WEEK, opens="08:30", closes="12:00"),
        OpeningHours(days=WEEK, opens="14:00", closes="17:30"),
    ),
    calendar=Calendar(closed_days=("2026-03-05",), working_days=("2026-03-07",)),
    agency=AgencyRules(alarm_before_close_min=30, partners=(COUNTY,)),
    ratings=RatingRules(follow_up_working_days=5, bad_grade=2, appeal_working_days=3),
)


def opened(scene: Scene, **more: object) -> CaseId:
    """Let 2001 take a case on and give its id."""
    (event,) = scene.do(open_case(**more))
    assert isinstance(event, e.CaseOpened)
    return event.case


def open_case(**more: object) -> c.OpenCase:
    base = c.OpenCase(kind=CaseKind.AGENCY, agent=WANG, client="王先生", service=ServiceId("general"))
    return replace(base, **more)  # type: ignore[arg-type]  # a test says only what matters to it


def log(case: CaseId = FIRST, by: WorkId = WANG, note: str = "去过社区", **more: object) -> c.LogCase:
    return replace(c.LogCase(case=case, by=by, note=note), **more)  # type: ignore[arg-type]  # as above


def hand_over(case: CaseId = FIRST, by: WorkId = WANG, to: HallId = COUNTY, *, chief: bool = False) -> c.HandOverCase:
    return c.HandOverCase(case=case, by=by, to_hall=to, note="请县里办", chief=chief)


def the(scene: Scene, case: CaseId = FIRST) -> Case:
    return scene.state.cases[case]


def steps(scene: Scene, case: CaseId = FIRST) -> list[str]:
    return [step.what for step in the(scene, case).steps]


def next_day(scene: Scene, days: int = 1) -> list[e.Event]:
    scene.wait(days * DAY_MIN)
    return scene.do(c.StartDay())


def graded(grade: int, plan: HallPlan = OFFICE) -> Scene:
    """Play: A001 was finished at window 1 and its visitor gave a grade."""
    scene = Scene(plan, open_windows=["1"])
    scene.issue()
    scene.next("1")
    scene.finish("1")
    scene.do(c.RateAtWindow(window=WindowNo("1"), grade=grade))
    return scene


# ------------------------------------------------------------------------------------------------- taking on, logging


def test_cases_of_a_day_are_numbered_without_gaps_and_after_closing_too() -> None:
    scene = Scene(OFFICE)
    assert [opened(scene), opened(scene, kind=CaseKind.VISIT)] == ["C20260302-001", "C20260302-002"]
    scene.do(c.CloseDay())
    assert opened(scene) == "C20260302-003"
    next_day(scene)
    assert opened(scene) == "C20260303-001"


def test_a_case_keeps_whom_it_is_for_and_what_happened() -> None:
    scene = Scene(OFFICE)
    label = scene.issue("social")
    id_ = opened(scene, ticket=scene.ticket(label).id, service=None, note=" 行动不便 ", due="2026-03-04")
    case = the(scene, id_)
    assert (case.client, case.agent, case.label, case.service, case.due) == (
        "王先生",
        WANG,
        label,
        "social",
        "2026-03-04",
    )
    scene.do(log(items=("身份证", "户口本"), note=""))
    scene.do(log())
    assert steps(scene) == ["opened", "notice", "logged"]
    assert [step.note for step in case.steps] == ["行动不便", "", "去过社区"]
    assert case.steps[1].items == ("身份证", "户口本")


def test_the_agent_does_not_change_on_the_way() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    others: list[c.Command] = [
        log(by=LI),
        log(agent=LI),
        c.FinishCase(case=FIRST, by=LI, outcome="好了"),
        c.WithdrawCase(case=FIRST, by=LI, reason="不办了"),
        hand_over(by=LI),
    ]
    assert [scene.refused(it) for it in others] == [Code.AGENT_FIXED] * 5
    assert scene.refused(c.TakeCase(case=FIRST, agent=LI)) is Code.CASE_TAKEN
    scene.do(log(agent=WANG))
    scene.do(log(by=BOSS, chief=True))
    assert scene.refused(log(by=BOSS, chief=True, agent=LI)) is Code.AGENT_FIXED
    assert the(scene).agent == WANG


def test_finished_and_withdrawn_cases_take_nothing_more() -> None:
    scene = Scene(OFFICE)
    opened(scene), opened(scene)
    second = CaseId("C20260302-002")
    scene.do(c.FinishCase(case=FIRST, by=WANG, outcome="已送证上门"))
    scene.do(c.WithdrawCase(case=second, by=WANG, reason="本人自办"))
    assert [the(scene, it).status for it in (FIRST, second)] == [CaseStatus.FINISHED, CaseStatus.WITHDRAWN]
    assert [scene.refused(log(case=it)) for it in (FIRST, second)] == [Code.CASE_CLOSED] * 2
    assert scene.refused(log(case=CaseId("C20260302-009"))) is Code.CASE_NOT_FOUND


@pytest.mark.parametrize(
    "text",
    ["422801199003070012", "电话13800138000", "138 0013 8000", "0718528", "１３８００１３８０００", "4228 0119 9003"],
)
def test_no_long_number_gets_into_the_ledger(text: str) -> None:
    scene = Scene(OFFICE)
    opened(scene)
    commands: list[c.Command] = [
        open_case(client=text),
        open_case(note=text),
        log(note=text),
        log(items=(text,)),
        c.FinishCase(case=FIRST, by=WANG, outcome=text),
        c.WithdrawCase(case=FIRST, by=WANG, reason=text),
        replace(hand_over(), note=text),
        received(client=text),
    ]
    assert {scene.refused(it) for it in commands} == {Code.NUMBER_IN_TEXT}


@pytest.mark.parametrize(
    "text", ["尾号 0012", "约 2026-03-04 上门", "并入 C20260302-001", "同 20260302-A012", "3 天 45 元"]
)
def test_days_ids_and_short_numbers_may_stand_in_a_note(text: str) -> None:
    scene = Scene(OFFICE)
    opened(scene)
    scene.do(log(note=text))


def test_something_must_be_said() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    commands: list[c.Command] = [
        open_case(client=" "),
        log(note=" "),
        log(note="", items=("身份证", " ")),
        c.FinishCase(case=FIRST, by=WANG, outcome=""),
        c.WithdrawCase(case=FIRST, by=WANG, reason=""),
    ]
    assert {scene.refused(it) for it in commands} == {Code.REASON_MISSING}


def test_a_case_is_about_what_the_hall_has() -> None:
    scene = Scene(OFFICE)
    assert scene.refused(open_case(service=ServiceId("nothing"))) is Code.SERVICE_NOT_FOUND
    assert scene.refused(open_case(ticket=TicketId("20260302-A009"))) is Code.TICKET_NOT_FOUND
    assert scene.refused(open_case(due="2026-03-01")) is Code.DUE_PAST
    assert scene.refused(open_case(kind=CaseKind.RATING)) is Code.CASE_KIND


# ------------------------------------------------------------------------------------------------- handing over


def test_a_case_of_another_level_alarms_before_closing_once_a_day() -> None:
    scene = Scene(OFFICE)
    opened(scene, elsewhere=True, due="2026-03-20"), opened(scene)
    assert the(scene).due == "2026-03-02"
    scene.now_ms = ms("2026-03-02T17:00:00+08:00") - 1
    assert not cases.due(scene.state, scene.now_ms)
    assert scene.refused(c.Watch()) is Code.NOTHING_DUE
    scene.now_ms += 1
    assert scene.do(c.Watch()) == [e.CaseHandoverDue(case=FIRST, closes_ms=ms("2026-03-02T17:30:00+08:00"))]
    assert scene.refused(c.Watch()) is Code.NOTHING_DUE
    over = [it for it in scene.do(c.CloseDay()) if isinstance(it, e.CaseOverdue)]
    assert over == [e.CaseOverdue(case=FIRST, due="2026-03-02")]
    assert scene.refused(c.Watch()) is Code.NOTHING_DUE
    assert not any(isinstance(it, e.CaseOverdue) for it in next_day(scene))
    assert the(scene).overdue
    assert the(scene).status is CaseStatus.OPEN
    assert isinstance(scene.do(c.Watch())[0], e.CaseHandoverDue)  # and again before the next closing


def test_a_case_handed_over_in_time_alarms_nobody() -> None:
    scene = Scene(OFFICE)
    opened(scene, elsewhere=True)
    (event,) = scene.do(hand_over())
    assert event == e.CaseHandedOver(
        case=FIRST,
        by=WANG,
        to_hall=COUNTY,
        kind=CaseKind.AGENCY,
        client="王先生",
        matter="general事",
        note="请县里办",
        due=None,
    )
    scene.wait(9 * 60)
    assert scene.refused(c.Watch()) is Code.NOTHING_DUE
    assert not any(isinstance(it, e.CaseOverdue) for it in scene.do(c.CloseDay()))


def test_a_case_on_its_way_is_left_alone_but_by_a_chief() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    scene.do(hand_over())
    assert scene.refused(log()) is Code.CASE_HANDED_OVER
    assert scene.refused(hand_over()) is Code.CASE_HANDED_OVER
    scene.do(log(by=BOSS, chief=True))
    scene.do(hand_over(by=BOSS, chief=True))


def test_only_to_a_partner_and_never_to_itself() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    assert scene.refused(hand_over(to=HallId("elsewhere"))) is Code.NO_PARTNER
    assert scene.refused(hand_over(to=OFFICE.hall)) is Code.NO_PARTNER
    free = Scene(replace(OFFICE, agency=AgencyRules()))
    opened(free)
    free.do(hand_over(to=HallId("elsewhere")))


def test_the_other_halls_word_closes_the_case_here() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    confirm = c.ConfirmHandOver(case=FIRST, to_hall=COUNTY, their_case=CaseId("C20260302-007"))
    assert scene.refused(confirm) is Code.CASE_KIND
    scene.do(hand_over())
    assert scene.refused(replace(confirm, to_hall=HallId("elsewhere"))) is Code.CASE_KIND
    report = c.ReportBack(case=FIRST, from_hall=COUNTY, their_case=CaseId("C20260302-007"), outcome="已办结")
    assert scene.refused(report) is Code.CASE_KIND
    scene.do(confirm)
    assert (the(scene).status, the(scene).their_case) == (CaseStatus.PASSED_ON, "C20260302-007")
    assert scene.refused(confirm) is Code.CASE_CLOSED
    scene.do(report)
    assert scene.refused(report) is Code.CASE_CLOSED
    assert steps(scene) == ["opened", "handed_over", "confirmed", "reported"]


def received(case: str = "C20260301-005", **more: object) -> c.ReceiveCase:
    base = c.ReceiveCase(from_hall=HallId("village"), from_case=CaseId(case), kind=CaseKind.AGENCY, client="王先生")
    return replace(base, **more)  # type: ignore[arg-type]  # as above


def test_a_received_case_waits_until_somebody_takes_it() -> None:
    scene = Scene(OFFICE)
    scene.do(received(matter="低保申请", note="村里收的"))
    assert (the(scene).agent, the(scene).matter) == (None, "低保申请")
    assert scene.refused(log()) is Code.AGENT_MISSING
    scene.do(c.TakeCase(case=FIRST, agent=LI))
    assert scene.refused(c.TakeCase(case=FIRST, agent=WANG)) is Code.CASE_TAKEN
    assert scene.refused(log()) is Code.AGENT_FIXED
    scene.do(log(by=LI))
    scene.do(c.FinishCase(case=FIRST, by=LI, outcome="已办"))
    assert steps(scene) == ["received", "taken", "logged", "finished"]


def test_the_same_case_is_received_once() -> None:
    scene = Scene(OFFICE)
    scene.do(received())
    with pytest.raises(Refusal) as refusal:
        decide(scene.state, received(), now_ms=scene.now_ms)
    assert (refusal.value.code, refusal.value.facts) == (Code.CASE_RECEIVED, {"case": FIRST})
    scene.do(received("C20260301-006"))
    assert scene.refused(received("C20260301-007", kind=CaseKind.RATING)) is Code.CASE_KIND


# ------------------------------------------------------------------------------------------------- due days


def test_a_case_is_overdue_when_its_day_is_over_and_once() -> None:
    scene = Scene(OFFICE)
    opened(scene, due="2026-03-03")
    assert not any(isinstance(it, e.CaseOverdue) for it in scene.do(c.CloseDay()))
    next_day(scene)
    assert not the(scene).overdue
    assert e.CaseOverdue(case=FIRST, due="2026-03-03") in next_day(scene)  # nobody closed the day
    assert not any(isinstance(it, e.CaseOverdue) for it in next_day(scene))


def test_days_that_nobody_opened_make_a_case_overdue_too() -> None:
    scene = Scene(OFFICE)
    opened(scene, due="2026-03-04")
    scene.do(c.CloseDay())
    assert [type(it) for it in next_day(scene, 5)] == [e.CaseOverdue, e.DayOpened]


def test_working_days_leave_out_weekends_and_holidays_and_count_make_up_days() -> None:
    days = [working_day_after(OFFICE, "2026-03-02", count) for count in range(7)]
    # Thursday the 5th is a holiday, Saturday the 7th is worked.
    assert [day[-2:] for day in days] == ["02", "03", "04", "06", "07", "09", "10"]
    assert not is_working_day(replace(OFFICE, calendar=Calendar()), date(2026, 3, 7))


def test_a_hall_closes_after_its_last_hours_else_when_the_day_turns() -> None:
    assert hall_closing(OFFICE, "2026-03-02") == ms("2026-03-02T17:30:00+08:00")
    assert hall_closing(OFFICE, "2026-03-05") == ms("2026-03-06T06:00:00+08:00")
    assert hall_closing(OFFICE, "2026-03-07") == ms("2026-03-07T17:30:00+08:00")
    assert hall_closing(OFFICE, "2026-03-08") == ms("2026-03-09T06:00:00+08:00")
    assert hall_closing(PLAN, "2026-03-02") == ms("2026-03-03T06:00:00+08:00")


def test_on_a_duty_day_the_hall_closes_with_the_duty() -> None:
    sunday = OpeningHours(days=("sun",), opens="09:00", closes="12:00", zones=(OFFICE.zones[0].id,))
    late = OpeningHours(days=("mon",), opens="17:30", closes="20:00", zones=(OFFICE.zones[0].id,))
    plan = replace(OFFICE, hours=(*OFFICE.hours, sunday, late))
    assert hall_closing(plan, "2026-03-08") == ms("2026-03-08T12:00:00+08:00")
    assert hall_closing(plan, "2026-03-02") == ms("2026-03-02T17:30:00+08:00")  # of a weekday one zone stays longer
    assert hall_closing(plan, "2026-03-05") == ms("2026-03-06T06:00:00+08:00")


# ------------------------------------------------------------------------------------------------- bad grades


@pytest.mark.parametrize("grade", [1, 2])
def test_a_bad_grade_opens_a_case_due_by_working_days(grade: int) -> None:
    scene = graded(grade)
    case = the(scene)
    assert (case.kind, case.grade, case.window, case.clerk, case.label) == ("rating", grade, "1", "clerk-1", "A001")
    assert (case.due, case.agent, case.service) == ("2026-03-09", None, "general")


def test_a_good_grade_and_none_at_all_open_nothing() -> None:
    assert not graded(3).state.cases
    assert not graded(1, replace(OFFICE, ratings=RatingRules(bad_grade=0))).state.cases
    scene = Scene(OFFICE, open_windows=["1"])
    scene.issue()
    scene.next("1")
    scene.finish("1")
    next_day(scene)
    assert not scene.state.cases


def test_a_bad_grade_is_looked_after_by_others_than_the_clerk() -> None:
    scene = graded(1)
    clerk = WorkId("clerk-1")
    assert scene.refused(log(by=clerk)) is Code.OWN_CASE
    assert scene.refused(c.TakeCase(case=FIRST, agent=clerk)) is Code.OWN_CASE
    assert scene.refused(hand_over(by=BOSS, chief=True)) is Code.CASE_KIND
    assert scene.refused(c.WithdrawCase(case=FIRST, by=BOSS, reason="算了", chief=True)) is Code.CASE_KIND
    scene.do(c.FinishCase(case=FIRST, by=BOSS, outcome="已回访并道歉", chief=True))
    assert the(scene).status is CaseStatus.FINISHED


def appeal(by: str = "clerk-1", *, chief: bool = False) -> c.AppealCase:
    return c.AppealCase(case=FIRST, by=WorkId(by), reason="误按", chief=chief)


def verdict(*, upheld: bool, by: WorkId = BOSS) -> c.DecideAppeal:
    return c.DecideAppeal(case=FIRST, by=by, upheld=upheld, note="已查看监控")


def test_an_appeal_upheld_strikes_the_grade_and_ends_the_follow_up() -> None:
    scene = graded(1)
    assert scene.refused(verdict(upheld=True)) is Code.NO_APPEAL
    assert scene.refused(appeal("2001")) is Code.NOT_YOUR_VISIT
    scene.do(appeal())
    assert scene.refused(appeal()) is Code.APPEAL_OVER
    assert scene.refused(verdict(upheld=True, by=WorkId("clerk-1"))) is Code.OWN_CASE
    scene.do(verdict(upheld=True))
    assert scene.refused(verdict(upheld=False)) is Code.NO_APPEAL
    assert scene.state.struck == {"20260302-A001"}
    assert the(scene).status is CaseStatus.FINISHED
    assert scene.ticket("A001").grade == 1  # once is once: the visitor cannot grade again
    assert scene.refused(c.Rate(ticket=scene.ticket("A001").id, grade=5)) is Code.ALREADY_RATED


def test_an_appeal_rejected_leaves_everything_as_it_is() -> None:
    scene = graded(1)
    scene.do(appeal("boss", chief=True))
    scene.do(verdict(upheld=False))
    assert not scene.state.struck
    assert the(scene).status is CaseStatus.OPEN


def test_an_appeal_has_its_days_even_when_the_follow_up_is_done() -> None:
    scene = graded(1)
    scene.do(c.FinishCase(case=FIRST, by=BOSS, outcome="已道歉", chief=True))
    next_day(scene, 4)  # the 6th: the third working day after the 2nd
    scene.do(appeal())
    scene.do(verdict(upheld=True))
    late = graded(1)
    next_day(late, 5)
    assert late.refused(appeal()) is Code.APPEAL_OVER
    other = Scene(OFFICE)
    opened(other)
    assert other.refused(appeal()) is Code.CASE_KIND


# ------------------------------------------------------------------------------------------------- the state's bounds


def test_closed_cases_are_forgotten_after_some_days_open_ones_never() -> None:
    scene = Scene(OFFICE)
    opened(scene), opened(scene), opened(scene)
    second, third = CaseId("C20260302-002"), CaseId("C20260302-003")
    scene.do(c.FinishCase(case=FIRST, by=WANG, outcome="好了"))
    scene.do(hand_over(third))
    scene.do(c.ConfirmHandOver(case=third, to_hall=COUNTY, their_case=FIRST))
    next_day(scene, cases.KEEP_CLOSED_DAYS)
    assert set(scene.state.cases) == {FIRST, second, third}
    next_day(scene)
    assert set(scene.state.cases) == {second, third}
    scene.do(c.ReportBack(case=third, from_hall=COUNTY, their_case=FIRST, outcome="已办"))
    next_day(scene, cases.KEEP_CLOSED_DAYS + 1)
    assert set(scene.state.cases) == {second}


def test_a_case_with_an_open_appeal_is_kept() -> None:
    scene = graded(1)
    scene.do(c.FinishCase(case=FIRST, by=BOSS, outcome="已道歉", chief=True))
    scene.do(appeal())
    next_day(scene, 60)
    scene.do(verdict(upheld=True))
    assert scene.state.struck


def test_a_long_log_keeps_its_beginning_and_its_newest_lines() -> None:
    scene = Scene(OFFICE)
    opened(scene)
    for number in range(cases.STEPS_MAX + 20):
        scene.do(log(note=f"第 {number} 次"))
    assert len(the(scene).steps) == cases.STEPS_MAX
    assert (the(scene).steps[0].what, the(scene).steps[-1].note) == ("opened", f"第 {cases.STEPS_MAX + 19} 次")


def test_the_events_give_the_same_cases_again() -> None:
    scene = graded(1)
    opened(scene, elsewhere=True), opened(scene)
    scene.do(hand_over(CaseId("C20260302-003")))
    scene.do(appeal())
    scene.do(verdict(upheld=True))
    next_day(scene, 3)
    again = HallState()
    for at_ms, event in scene.past:
        evolve(again, event, at_ms=at_ms)
    assert (again.cases, again.struck) == (scene.state.cases, scene.state.struck)
