"""The manager's cases: what is open, the most urgent first, and the alarm before closing."""

import json
from typing import Any

import msgspec

from server.domain import commands as c
from server.domain.terms import CaseId, CaseKind, HallId, ServiceId, WindowNo, WorkId
from server.projections.manager import manager
from tests.projections.scene import Day

WANG = WorkId("2001")


def opened(day: Day, client: str, **more: Any) -> None:
    day.do(c.OpenCase(kind=CaseKind.AGENCY, agent=WANG, client=client, service=ServiceId("tax"), **more))


def picture(day: Day) -> Any:
    """Give the manager's picture as the wire has it."""
    drawn = day.read(lambda state: manager(state, names={"2001": "王代办"}))
    return json.loads(msgspec.json.encode(drawn))


def clients(day: Day) -> list[str]:
    return [case["client"] for case in picture(day)["cases"]]


def test_late_and_urgent_cases_come_first_and_closed_ones_not_at_all() -> None:
    day = Day()
    opened(day, "someday")
    opened(day, "tomorrow", due="2026-03-03")
    opened(day, "today", due="2026-03-02")
    opened(day, "county", elsewhere=True)
    opened(day, "done")
    day.do(c.FinishCase(case=CaseId("C20260302-005"), by=WANG, outcome="办好了"))
    assert clients(day) == ["today", "county", "tomorrow", "someday"]
    assert picture(day)["alarms"] == []
    day.wait(21 * 3600 - 1800)  # this hall says no hours: the day turns at six
    day.do(c.Watch())
    assert clients(day) == ["county", "today", "tomorrow", "someday"]
    assert picture(day)["alarms"] == [
        {"kind": "handover_due", "cases": 1, "closes_at": "2026-03-03T06:00:00.000+08:00"}
    ]
    day.do(c.HandOverCase(case=CaseId("C20260302-004"), by=WANG, to_hall=HallId("county")))
    assert picture(day)["alarms"] == []
    day.wait(25 * 3600)
    day.do(c.StartDay())
    assert clients(day)[:2] == ["today", "tomorrow"]
    assert [case["overdue"] for case in picture(day)["cases"]] == [True, True, False, False]


def test_a_case_on_its_way_and_an_appeal_say_what_the_manager_must_know() -> None:
    day = Day()
    day.do(c.OpenWindow(window=WindowNo("3"), clerk=WorkId("3001")))
    day.issue("tax")
    day.do(c.CallNext(window=WindowNo("3")))
    day.do(c.Finish(window=WindowNo("3")))
    day.do(c.RateAtWindow(window=WindowNo("3"), grade=1))
    day.do(c.AppealCase(case=CaseId("C20260302-001"), by=WorkId("3001"), reason="误按"))
    day.do(c.FinishCase(case=CaseId("C20260302-001"), by=WorkId("boss"), outcome="已回访", chief=True))
    opened(day, "王先生")
    day.do(c.HandOverCase(case=CaseId("C20260302-002"), by=WANG, to_hall=HallId("county")))
    rating, agency = picture(day)["cases"]
    assert (rating["appeal"], rating["appeal_reason"], rating["status"]) == ("open", "误按", "finished")
    assert (rating["grade"], rating["label"], rating["window"], rating["clerk"]["work_id"]) == (1, "B001", "3", "3001")
    assert (agency["status"], agency["to_hall"], agency["agent"]["name"]) == ("handed_over", "county", "王代办")
