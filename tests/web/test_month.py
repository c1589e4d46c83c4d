"""Attendance and work of a month: who worked when, what was done, and that every way to cut it adds up."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Refusal
from server.domain.terms import (
    CLOCK,
    DeviceId,
    Employment,
    HallPlan,
    PauseReason,
    Post,
    ServiceId,
    TicketId,
    Track,
    WindowNo,
    WorkId,
)
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.projections.month import MonthReport, days_of_month, month_report
from server.projections.report import counts_of_day, day_report
from server.projections.work import NOBODY, Work
from tests.web.stage import HALL, PLAN, Clock, Stage

ONE, TWO, THREE = WindowNo("1"), WindowNo("2"), WindowNo("3")
ANN, BEN = WorkId("ann"), WorkId("ben")
DAY = "2026-03-02"
POSTS = (
    Post(work_id=ANN, name="安", department="民政局", employment=Employment.THIRD_PARTY),
    Post(work_id=BEN, name="本"),
)
STAFFED = replace(
    PLAN,
    posts=POSTS,
    services=tuple(replace(it, department="税务局" if it.id == "tax" else None) for it in PLAN.services),
)


class Month:
    """Days at the windows of a small hall; `at` moves the clock to so many seconds after nine of the first day."""

    def __init__(self, plan: HallPlan = STAFFED) -> None:
        self.clock = Clock()
        self.nine = self.clock.ms
        self.hall = Hall(HALL, MemoryLedger(), clock=self.clock)
        self.hall.handle(c.PlanHall(plan=plan), actor=CLOCK)
        self.hall.handle(c.StartDay(), actor=CLOCK)
        self.given = 0

    def at(self, seconds: float, *commands: c.Command) -> None:
        self.clock.ms = self.nine + round(seconds * 1000)
        for command in commands:
            self.hall.handle(command, actor=CLOCK)

    def issue(self, service: str = "general") -> c.IssueTicket:
        self.given += 1
        return c.IssueTicket(service=ServiceId(service), track=Track(f"track-{self.given}"), kiosk=DeviceId("k"))

    def pairs(self, day: str = DAY) -> list[tuple[int, e.Event]]:
        """Give the events of a day; the turn of a day stands in the commit of the next."""
        found: list[tuple[int, e.Event]] = []
        inside = False
        for commit in self.hall.commits(0, 100_000):
            for event in commit.events:
                if isinstance(event, e.DayOpened):
                    inside = event.day == day
                if inside:
                    found.append((commit.at_ms, event))
        return found

    def work(self, day: str = DAY) -> Work:
        return counts_of_day(self.hall.plan, day, self.pairs(day), now_ms=self.clock.ms).work

    def report(self, *days: str, struck: frozenset[TicketId] = frozenset()) -> MonthReport:
        total = Work()
        for day in days or (DAY,):
            total.add(self.work(day), struck=struck)
        return month_report(self.hall.plan, DAY[:7], days or (DAY,), total)


def opened(no: WindowNo, clerk: WorkId) -> c.OpenWindow:
    return c.OpenWindow(window=no, clerk=clerk)


# ---------------------------------------------------------------------------------------------------------- one day


def test_a_hand_over_divides_the_time_and_the_visit_belongs_to_who_ended_it() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE))
    month.at(10, c.StartServing(window=ONE))
    month.at(110, c.HandOver(window=ONE, clerk=BEN))
    month.at(160, c.Finish(window=ONE))
    month.at(200, c.CloseWindow(window=ONE))
    ann, ben = month.report().clerks
    assert (ann.clerk, ann.figures.signed_on_s, ann.figures.serving_s, ann.figures.finished) == (ANN, 110, 100, 0)
    assert (ben.clerk, ben.figures.signed_on_s, ben.figures.serving_s, ben.figures.finished) == (BEN, 90, 50, 1)
    assert (ann.figures.called, ben.figures.called) == (1, 0)
    assert ben.figures.serve.mean_s == 150, "a visit is as long as it was, whoever began it"


def test_a_pause_goes_on_over_a_hand_over_and_each_has_a_part_of_it() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    month.at(100, c.PauseWindow(window=ONE, reason=PauseReason.MEETING))
    month.at(160, c.HandOver(window=ONE, clerk=BEN))
    month.at(260, c.ResumeWindow(window=ONE))
    month.at(300, c.CloseWindow(window=ONE))
    ann, ben = month.report().clerks
    assert (ann.figures.paused, ben.figures.paused) == ({PauseReason.MEETING: 60}, {PauseReason.MEETING: 100})


def test_time_left_alone_is_a_pause_with_its_own_reason_and_is_counted() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    month.at(900, c.LeaveAlone(window=ONE, idle_s=900))
    month.at(1200, c.ResumeWindow(window=ONE))
    month.at(1300, c.CloseWindow(window=ONE))
    (ann,) = month.report().clerks
    assert (ann.figures.left_alone, ann.figures.paused) == (1, {PauseReason.LEFT_ALONE: 300})


def test_who_forgets_to_close_was_there_until_the_last_thing_done() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE), c.StartServing(window=ONE))
    month.at(600, c.Finish(window=ONE))
    month.at(24 * 3600, c.StartDay())  # the clock tidies up the next morning
    (ann,) = month.report().clerks
    assert (ann.figures.signed_on_s, ann.days[DAY].signed_off) == (600, False)
    assert ann.days[DAY].last_ms == month.nine + 600_000


def test_a_visitor_left_at_the_window_overnight_is_not_served_all_night() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE))
    month.at(60, c.StartServing(window=ONE))
    month.at(24 * 3600, c.StartDay())
    (ann,) = month.report().clerks
    assert (ann.figures.serving_s, ann.figures.signed_on_s) == (0, 60)


def test_who_signs_on_twice_has_one_day_from_the_first_to_the_last() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    month.at(100, c.CloseWindow(window=ONE))
    month.at(500, opened(TWO, ANN))
    month.at(900, c.CloseWindow(window=TWO))
    (ann,) = month.report().clerks
    day = ann.days[DAY]
    assert (day.first_ms - month.nine, day.last_ms - month.nine) == (0, 900_000)
    assert (day.signed_on_ms, day.windows, day.signed_off) == (500_000, [ONE, TWO], True)


def test_who_is_still_there_has_worked_until_now() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    month.at(300)
    (ann,) = month.report().clerks
    assert (ann.figures.signed_on_s, ann.days[DAY].signed_off) == (300, False)


def test_a_held_visitor_finished_from_the_list_ends_nobody_elses_time() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), month.issue(), month.issue(), c.CallNext(window=ONE))
    month.at(10, c.StartServing(window=ONE))
    month.at(60, c.Hold(window=ONE))
    month.at(60, c.CallNext(window=ONE))
    month.at(70, c.StartServing(window=ONE))
    held = month.hall.read(lambda state, _: state.windows[ONE].held[0])
    month.at(100, c.Finish(window=ONE, ticket=held))
    month.at(170, c.Finish(window=ONE))
    month.at(200, c.CloseWindow(window=ONE))
    (ann,) = month.report().clerks
    assert (ann.figures.finished, ann.figures.serving_s) == (2, 50 + 100)


def test_a_list_that_outlives_its_window_is_of_who_worked_there_last() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE))
    month.at(10, c.Hold(window=ONE), c.CloseWindow(window=ONE))
    held = month.hall.read(lambda state, _: state.windows[ONE].held[0])
    month.at(50, c.MarkNoShow(window=ONE, ticket=held))
    (ann,) = month.report().clerks
    assert ann.figures.no_shows == 1


def test_grades_are_of_who_ended_the_visit_and_struck_ones_do_not_count() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    tickets: list[TicketId] = []
    for second, grade in ((10, 5), (20, 1)):
        month.at(second, month.issue(), c.CallNext(window=ONE), c.Finish(window=ONE))
        month.at(second, c.RateAtWindow(window=ONE, grade=grade))
        tickets.append(month.hall.read(lambda state, _: state.windows[ONE].last_finished or TicketId("")))
    (ann,) = month.report().clerks
    assert (ann.figures.rated, ann.figures.satisfaction) == (2, 0.5)
    (ann,) = month.report(struck=frozenset(tickets[1:])).clerks
    assert (ann.figures.rated, ann.figures.satisfaction) == (1, 1.0)
    strict = day_report(STAFFED, DAY, month.pairs(), now_ms=month.clock.ms, struck=frozenset(tickets[1:]))
    assert (strict.hall.satisfaction, strict.windows[ONE].satisfaction, strict.clerks[ANN].rated) == (1.0, 1.0, 1)


# ---------------------------------------------------------------------------------------------------------- a month


def test_a_department_is_that_of_the_post_else_that_of_the_window() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN), opened(THREE, BEN))
    month.at(60, c.CloseWindow(window=ONE), c.CloseWindow(window=THREE))
    month.at(100, opened(ONE, WorkId("relief")))
    month.at(190, c.CloseWindow(window=ONE))
    report = month.report()
    assert {name: row.signed_on_s for name, row in report.departments.items()} == {"": 90, "民政局": 60, "税务局": 60}
    ann = next(one for one in report.clerks if one.clerk == ANN)
    assert (ann.name, ann.departments, ann.employment) == ("安", ("民政局",), "third_party")


def test_windows_without_anybody_are_listed_and_unstaffed_ones_are_not() -> None:
    plan = replace(STAFFED, windows=(*STAFFED.windows[:2], replace(STAFFED.windows[2], staffed=False)))
    assert [*Month(plan).report().windows] == [ONE, TWO]


def test_a_month_is_the_sum_of_its_days() -> None:
    month = Month()
    for day in range(3):
        start = day * 24 * 3600
        if day:
            month.at(start, c.StartDay())
        month.at(start, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE))
        month.at(start + 60 * (day + 1), c.Finish(window=ONE))
        month.at(start + 1000, c.CloseWindow(window=ONE))
    days = ("2026-03-02", "2026-03-03", "2026-03-04")
    (ann,) = month.report(*days).clerks
    assert (tuple(ann.days), ann.figures.signed_on_s, ann.figures.finished) == (days, 3000, 3)
    assert (ann.figures.serve.mean_s, ann.figures.serve.median_s, ann.figures.serve.p90_s) == (120, 120, 180)


def test_days_of_a_month() -> None:
    assert (days_of_month("2028-02")[-1], len(days_of_month("2026-03"))) == ("2028-02-29", 31)
    with pytest.raises(ValueError):
        days_of_month("2026-13")


MOVES: list[Callable[[Random, WindowNo], c.Command]] = [
    lambda chance, no: c.OpenWindow(window=no, clerk=WorkId(chance.choice("abcd"))),
    lambda chance, no: c.CallNext(window=no, finish=chance.random() < 0.5),
    lambda chance, no: c.CallNext(window=no),
    lambda _, no: c.StartServing(window=no),
    lambda _, no: c.Finish(window=no),
    lambda _, no: c.MarkMissed(window=no),
    lambda _, no: c.MarkNoShow(window=no),
    lambda _, no: c.Hold(window=no),
    lambda _, no: c.Resume(window=no),
    lambda chance, no: c.Transfer(window=no, service=ServiceId(chance.choice(["general", "tax"]))),
    lambda chance, no: c.PauseWindow(window=no, reason=chance.choice([PauseReason.LUNCH, PauseReason.TOILET])),
    lambda _, no: c.ResumeWindow(window=no),
    lambda _, no: c.CloseWindow(window=no),
    lambda chance, no: c.HandOver(window=no, clerk=WorkId(chance.choice("abcd"))),
    lambda chance, no: c.MoveHeld(window=no, to_window=WindowNo(chance.choice("123"))),
    lambda _, no: c.LeaveAlone(window=no, idle_s=900),
    lambda chance, no: c.RateAtWindow(window=no, grade=chance.randint(1, 5)),
]


@given(seed=st.integers(0, 10**9), presses=st.integers(10, 120))
def test_every_way_to_cut_a_month_adds_up_to_the_same(seed: int, presses: int) -> None:
    chance = Random(seed)
    month = Month()
    days = [DAY]
    now_s = 0.0
    for _ in range(presses):
        now_s += chance.choice([0, 0.5, 7, 61, 400])
        command: c.Command = chance.choice(MOVES)(chance, WindowNo(chance.choice("123")))
        if chance.random() < 0.3:
            command = month.issue(chance.choice(["general", "tax"]))
        elif chance.random() < 0.02:
            now_s = (now_s // 86400 + 1) * 86400
            command = c.StartDay()
            days.append(f"2026-03-{2 + int(now_s // 86400):02}")
        try:
            month.at(now_s, command)
        except Refusal:
            continue
    report = month.report(*days)
    total = report.total
    for rows in (
        [one.figures for one in report.clerks],
        [*report.windows.values()],
        [*report.departments.values()],
        [*report.services.values()],
        [*report.matters.values()],
        [*report.tenants.values()],
    ):
        for name in ("called", "finished", "legs", "no_shows", "rated"):
            assert sum(getattr(row, name) for row in rows) == getattr(total, name), name
        assert sum(row.serve.count for row in rows) == total.serve.count == total.finished
        assert abs(sum(row.serving_s for row in rows) - total.serving_s) <= len(rows), "whole seconds"
    for people in ([one.figures for one in report.clerks], [*report.windows.values()], [*report.departments.values()]):
        assert abs(sum(row.signed_on_s for row in people) - total.signed_on_s) <= len(people)
        assert abs(sum(row.paused_s for row in people) - total.paused_s) <= len(people)
        assert sum(row.left_alone for row in people) == total.left_alone
        assert all(row.serving_s <= row.signed_on_s + 1 or row.utilisation is None for row in people)
    for one in report.clerks:
        assert abs(sum(day.signed_on_ms for day in one.days.values()) // 1000 - one.figures.signed_on_s) <= 1
        assert all(day.first_ms <= day.last_ms for day in one.days.values())
    pairs = [event for day in days for _, event in month.pairs(day)]
    assert total.finished == sum(isinstance(it, e.TicketFinished) for it in pairs)
    assert total.called == sum(isinstance(it, e.TicketCalled) for it in pairs)
    assert {one.clerk for one in report.clerks} <= {WorkId(it) for it in "abcd"} | {NOBODY}


# ------------------------------------------------------------------------------------------------------------- HTTP


def test_the_month_over_http_is_that_of_the_ledger_and_closed_days_are_kept(stage: Stage) -> None:
    clerk = stage.person("clerk", window="1", hall=HALL)
    clerk.post(f"/halls/{HALL}/windows/1/open")
    stage.issue()
    clerk.post(f"/halls/{HALL}/windows/1/call-next")
    stage.clock.forward(120)
    clerk.post(f"/halls/{HALL}/windows/1/finish")
    stage.clock.forward(60)
    clerk.post(f"/halls/{HALL}/windows/1/close")
    manager = stage.person("manager")
    first = _month(manager.get(f"/halls/{HALL}/reports/month?month=2026-03"))
    assert (first["month"], first["days"], stage.site.counts) == ("2026-03", ["2026-03-02"], {})
    (row,) = first["clerks"]
    assert (row["clerk"], row["name"], row["days_present"]) == ("clerk", "clerk 甲", 1)
    assert row["days"][0] == {
        "day": "2026-03-02",
        "first": "2026-03-02T09:00:00.000+08:00",
        "last": "2026-03-02T09:03:00.000+08:00",
        "signed_off": True,
        "signed_on_s": 180,
        "paused_s": 0,
        "paused": {},
        "windows": ["1"],
    }
    assert (row["serving_s"], row["finished"], first["total"]["finished"]) == (120, 1, 1)
    assert all(set(it) == {"zh", "en"} for it in first["meanings"])
    stage.clock.forward(24 * 3600)
    stage.issue()  # another day begins
    second = _month(manager.get(f"/halls/{HALL}/reports/month"))
    assert second["days"] == ["2026-03-02", "2026-03-03"]
    assert second["clerks"] == first["clerks"]
    assert [(hall, day) for hall, _, day in stage.site.counts] == [(HALL, "2026-03-02")]
    assert _month(manager.get(f"/halls/{HALL}/reports/month"))["clerks"] == first["clerks"]
    day = manager.get(f"/halls/{HALL}/reports/day?date=2026-03-02").json
    assert day is not None
    assert [(it["clerk"], it["signed_on_s"]) for it in day["clerks"]] == [("clerk", 180)]


def test_a_month_without_a_day_is_not_there_and_a_misspelt_one_is_an_error(stage: Stage) -> None:
    manager = stage.person("manager")
    answer = manager.get(f"/halls/{HALL}/reports/month?month=2025-12")
    assert (answer.status_code, answer.json["code"]) == (404, "day_not_found")  # type: ignore[index]
    for wrong, status in (("2026-13", 400), ("0000-01", 400), ("2026-3", 422), ("march", 422)):
        assert manager.get(f"/halls/{HALL}/reports/month?month={wrong}").status_code == status


def _month(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json)
