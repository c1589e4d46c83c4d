"""The report of some days: the sum of its days in every cut, what came of bad grades, and what may be asked for."""

import csv
import io
import zipfile
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import commands as c
from server.domain.terms import CLOCK, CaseId, PauseReason, WorkId
from server.projections.period import DAYS_MAX, Period, answer_of
from server.projections.report import DayCounting, day_report
from tests.web.stage import HALL, Stage
from tests.web.test_month import ANN, BEN, ONE, THREE, TWO, Month, opened

DAY_S = 24 * 3600
DAYS = ["2026-03-02", "2026-03-03", "2026-03-04"]
PATH = f"/halls/{HALL}/reports/period"


def period_of(month: Month, days: list[str]) -> dict[str, Any]:
    """Give the report of some days from their events, as the wire has it."""
    plan = month.hall.plan
    struck = month.hall.read(lambda state, _: frozenset(state.struck))
    period = Period.of(plan, struck)
    for day in days:
        counting = DayCounting(plan, day)
        for at_ms, event in month.pairs(day):
            counting.take(event, at_ms)
        period.add(day, counting.total(month.clock.ms))
    cases = month.hall.read(lambda state, _: dict(state.cases))
    return answer_of(period, first=days[0], last=days[-1], until_ms=None, names={}, today=days[-1], cases=cases)


def play(month: Month, seed: list[int]) -> None:
    """Let some days pass in which each number of the seed is one more visit."""
    for day in range(len(DAYS)):
        at = day * DAY_S
        month.at(at, *([c.StartDay()] if day else []), opened(ONE, ANN), opened(THREE, BEN))
        for number in seed[day::3]:
            at += 60 + number % 4000
            service, window = ("general", ONE) if number % 2 else ("tax", THREE)
            month.at(at, month.issue(service))
            if number % 7 == 0:
                continue  # waits until the day is over
            month.at(at + number % 900, c.CallNext(window=window))
            at += number % 900
            if number % 5 == 0:
                month.at(at + 60, c.MarkNoShow(window=window))
            else:
                at += 30 + number % 600
                month.at(at, c.Finish(window=window))
                if number % 3 == 0:
                    month.at(at, c.RateAtWindow(window=window, grade=1 + number % 5))
        month.at(max(at, day * DAY_S + 8 * 3600), c.CloseDay())


@given(seed=st.lists(st.integers(min_value=0, max_value=100_000), max_size=24))
def test_some_days_are_the_sum_of_each_of_them_in_every_cut(seed: list[int]) -> None:
    month = Month()
    play(month, seed)
    whole = period_of(month, DAYS)
    each = [period_of(month, [day]) for day in DAYS]
    for counted in ("issued", "called", "finished", "no_shows", "expired", "rated"):
        of_days = [row[counted] for row in whole["days"]]
        assert of_days == [one["total"][counted] for one in each], counted
        assert whole["total"][counted] == sum(of_days), counted
        for cut in ("zones", "services", "matters", "tenants"):
            assert sum(row[counted] for row in whole[cut]) == whole["total"][counted], (cut, counted)
        assert sum(row[counted] for row in whole["hours"]) == whole["total"][counted], counted
    for counted in ("called", "finished", "no_shows", "serving_s", "signed_on_s"):
        assert whole["duty"][counted] == sum(one["duty"][counted] for one in each), counted
        for cut in ("windows", "clerks", "departments"):
            assert abs(sum(row[counted] for row in whole[cut]) - whole["duty"][counted]) <= len(whole[cut]), cut
    finished = Counter[str]()
    for row in whole["window_hours"]:
        finished[row["window"]] += row["finished"]
    assert +finished == +Counter({row["window"]: row["finished"] for row in whole["windows"]})


def test_the_period_of_a_day_is_the_report_of_that_day() -> None:
    month = Month()
    play(month, list(range(1, 24)))
    day = day_report(month.hall.plan, DAYS[0], month.pairs(DAYS[0]), now_ms=month.clock.ms)
    answer = period_of(month, [DAYS[0]])
    assert answer["total"]["wait"]["p90_s"] == day.hall.wait.p90_s
    assert {row["service"]: row["issued"] for row in answer["services"]} == {
        service: figures.issued for service, figures in day.services.items()
    }


def test_each_thing_belongs_to_the_hour_in_which_it_happened() -> None:
    month = Month()
    month.at(0, opened(ONE, ANN))
    month.at(3500, month.issue())
    month.at(3700, c.CallNext(window=ONE))
    month.at(3 * 3600 + 10, c.Finish(window=ONE))
    hours = {row["hour"]: row for row in period_of(month, [DAYS[0]])["hours"]}
    assert list(hours) == [9, 10, 11, 12], "the empty hour between them is there, too"
    assert (hours[9]["issued"], hours[9]["called"], hours[9]["wait"]["count"]) == (1, 0, 0)
    assert (hours[10]["issued"], hours[10]["called"], hours[10]["wait"]["p95_s"]) == (0, 1, 200)
    assert (hours[12]["finished"], hours[11]["finished"]) == (1, 0)


def test_pauses_are_counted_by_reason_on_their_day() -> None:
    month = Month()
    month.at(0, opened(TWO, ANN))
    month.at(600, c.PauseWindow(window=TWO, reason=PauseReason.LUNCH))
    month.at(2400, c.ResumeWindow(window=TWO))
    month.at(3600, c.CloseWindow(window=TWO))
    (clerk,) = period_of(month, [DAYS[0]])["clerks"]
    assert clerk["days"][0]["paused"] == {PauseReason.LUNCH: 1800}
    assert clerk["days"][0]["signed_on_s"] == 3600


def graded(month: Month, grade: int) -> None:
    month.at(0, opened(ONE, ANN), month.issue(), c.CallNext(window=ONE))
    month.at(60, c.Finish(window=ONE), c.RateAtWindow(window=ONE, grade=grade))


def test_a_bad_grade_is_followed_up_until_it_is_finished() -> None:
    month = Month()
    graded(month, 2)
    (row,) = period_of(month, [DAYS[0]])["follow_ups"]
    assert (row["label"], row["window"], row["clerk"], row["grade"], row["status"]) == ("A001", ONE, ANN, 2, "open")
    month.hall.handle(c.TakeCase(case=CaseId(row["case"]), agent=WorkId("chief")), actor=CLOCK)
    done = c.FinishCase(case=CaseId(row["case"]), by=WorkId("chief"), outcome="已回访，补发材料清单")
    month.hall.handle(done, actor=CLOCK)
    (row,) = period_of(month, [DAYS[0]])["follow_ups"]
    assert (row["status"], row["by"], row["outcome"]) == ("finished", "chief", "已回访，补发材料清单")


def test_a_good_grade_needs_no_follow_up() -> None:
    month = Month()
    graded(month, 3)
    assert period_of(month, [DAYS[0]])["follow_ups"] == []


# ------------------------------------------------------------------------------------------------------------- HTTP


def served(stage: Stage) -> None:
    """Let one visit be served and graded badly."""
    clerk = stage.person("clerk", window="1", hall=HALL)
    clerk.post(f"/halls/{HALL}/windows/1/open")
    stage.issue()
    clerk.post(f"/halls/{HALL}/windows/1/call-next")
    stage.clock.forward(120)
    clerk.post(f"/halls/{HALL}/windows/1/finish")


def test_a_week_over_http_counts_until_now_and_keeps_days_that_are_over(stage: Stage) -> None:
    served(stage)
    manager = stage.person("manager")
    answer = manager.get(f"{PATH}?from=2026-03-02&to=2026-03-08")
    assert answer.status_code == 200, answer.text
    week: Any = answer.json
    assert (week["first"], week["last"], week["total"]["finished"]) == ("2026-03-02", "2026-03-08", 1)
    assert week["counted_until"] == "2026-03-02T09:02:00.000+08:00"
    assert ([row["day"] for row in week["days"]], stage.site.counts) == (["2026-03-02"], {})
    stage.hall.handle(c.CloseDay(), actor=CLOCK)
    assert manager.get(f"{PATH}?from=2026-03-02&to=2026-03-08").json["counted_until"] is None  # type: ignore[index]


def test_today_without_anything_is_an_empty_report_and_another_day_is_not_found(stage: Stage) -> None:
    manager = stage.person("manager")
    empty: Any = manager.get(f"{PATH}?from=2026-03-02&to=2026-03-02").json
    assert (empty["total"]["issued"], empty["hours"], empty["total"]["wait"]["median_s"]) == (0, [], None)
    gone = manager.get(f"{PATH}?from=2026-02-01&to=2026-02-28")
    assert (gone.status_code, gone.json["code"]) == (404, "day_not_found")  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("from=2026-02-30&to=2026-03-01", 400, "calendar"),
        ("from=2026-03-02", 422, "to is missing"),
        ("from=2026-03-05&to=2026-03-02", 400, "before the first day"),
        ("from=2025-11-01&to=2026-03-02", 400, f"at most {DAYS_MAX} days"),
        ("from=2026-03-02&to=2026-03-02&format=pdf", 422, "format"),
    ],
)
def test_what_cannot_be_reported_is_said(stage: Stage, query: str, status: int, says: str) -> None:
    path = f"{PATH}/file" if "format" in query else PATH
    answer = stage.person("manager").get(f"{path}?{query}")
    assert (answer.status_code, says in answer.json["detail"]) == (status, True), answer.text  # type: ignore[index]


def test_the_files_are_for_spreadsheets(stage: Stage) -> None:
    served(stage)
    auditor = stage.person("auditor")
    span = "from=2026-03-02&to=2026-03-02"
    table = auditor.get(f"{PATH}/file?{span}&format=csv&lang=zh")
    assert table.data.startswith(b"\xef\xbb\xbf")
    assert table.headers["Content-Disposition"] == f'attachment; filename="{HALL}-2026-03-02-2026-03-02.csv"'
    rows = list(csv.reader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert rows[0] == ["全大厅"]
    assert ["1号窗口", "1"] in rows, "finished by window and hour"
    book = zipfile.ZipFile(io.BytesIO(auditor.get(f"{PATH}/file?{span}").data))
    assert 'name="By hour"' in book.read("xl/workbook.xml").decode()
