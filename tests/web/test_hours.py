"""What a client sees of hours and quotas: refusals with the next opening, and the state that says so beforehand."""

from dataclasses import replace
from typing import Any

from werkzeug.test import TestResponse

from server.domain.commands import PlanHall
from server.domain.terms import CLOCK, Calendar, OpeningHours, Slot, ZoneId
from tests.web.stage import HALL, PLAN, Stage

DAY_S = 24 * 3600


def office(stage: Stage, **more: object) -> None:
    """Let the hall keep office hours, 09:00 to 17:00; the tax zone works on Saturday too."""
    everyday = OpeningHours(days=("mon", "tue", "wed", "thu", "fri"), opens="09:00", closes="17:00")
    duty = OpeningHours(days=("sat",), opens="10:00", closes="12:00", zones=(ZoneId("tax"),))
    general = replace(PLAN.services[0], **more)  # type: ignore[arg-type]  # a test says only what matters to it
    plan = replace(
        PLAN, hours=(everyday, duty), services=(general, PLAN.services[1]), calendar=Calendar(enforced=True), digest="x"
    )
    stage.hall.handle(PlanHall(plan=plan), actor=CLOCK)


def ok(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def test_within_the_hours_everything_is_open(stage: Stage) -> None:
    office(stage)
    state = ok(stage.device("display-1").get(f"/halls/{HALL}/state"))
    assert (state["open"], state["opens_at"]) == (True, None)
    assert [(it["open"], it["opens_at"], it["left"]) for it in state["services"]] == [(True, None, None)] * 2
    hall = ok(stage.device("display-1").get(f"/halls/{HALL}"))
    assert (hall["open"], hall["opens_at"]) == (True, None)
    assert hall["hours"][1] == {
        "days": ["sat"],
        "opens": "10:00",
        "closes": "12:00",
        "zones": ["tax"],
        "services": [],
    }


def test_a_closed_service_says_when_it_opens_in_the_readers_language(stage: Stage) -> None:
    office(stage)
    stage.clock.forward(5 * DAY_S + 2 * 3600)  # Saturday, 11:00
    kiosk = stage.device("kiosk-1")
    answer = kiosk.post(f"/halls/{HALL}/tickets", {"service": "general"}, Accept_Language="zh")
    assert answer.content_type.startswith("application/problem+json")
    told = ok(answer, 409)
    assert told["code"] == "service_closed"
    assert told["detail"] == "“综合业务”现在不取号，周一 03月09日 09:00 开始取号。"
    assert told["opens_at"] == "2026-03-09T09:00:00.000+08:00"
    assert kiosk.post(f"/halls/{HALL}/tickets", {"service": "tax"}).status_code == 201
    state = ok(kiosk.get(f"/halls/{HALL}/state"))
    assert state["open"]
    assert [(it["service"], it["open"]) for it in state["services"]] == [("general", False), ("tax", True)]
    assert state["services"][0]["opens_at"] == told["opens_at"]


def test_a_closed_hall_says_when_it_opens_and_an_old_number_goes_on(stage: Stage) -> None:
    office(stage)
    label = stage.issue()["label"]
    stage.clock.forward(9 * 3600)  # 18:00
    told = ok(stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "general"}), 409)
    assert told["code"] == "hall_closed"
    assert told["detail"] == "The hall is closed now. Numbers for General are given from Tue 3 Mar 09:00."
    state = ok(stage.device("kiosk-1").get(f"/halls/{HALL}/state"))
    assert (state["open"], state["opens_at"]) == (False, "2026-03-03T09:00:00.000+08:00")
    called = stage.person("clerk", window="1", hall=HALL)
    assert called.post(f"/halls/{HALL}/windows/1/open").status_code == 200
    assert ok(called.post(f"/halls/{HALL}/windows/1/call-next"))["label"] == label


def test_a_quota_is_counted_down_and_says_when_there_is_room(stage: Stage) -> None:
    office(stage, day_quota=9, slots=(Slot(starts="09:00", ends="10:00", quota=1),))
    left = [ok(stage.device("kiosk-1").get(f"/halls/{HALL}/state"))["services"][0]["left"]]
    stage.issue()
    row = ok(stage.device("kiosk-1").get(f"/halls/{HALL}/state"))["services"][0]
    assert ([*left, row["left"]], row["open"], row["opens_at"]) == ([1, 0], True, "2026-03-02T10:00:00.000+08:00")
    told = ok(stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "general"}), 409)
    assert told["code"] == "quota_full"
    assert told["opens_at"] == "2026-03-02T10:00:00.000+08:00"


def test_a_repeated_press_gets_its_number_again_although_the_hall_has_closed(stage: Stage) -> None:
    office(stage)
    first = stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "tax"}, Idempotency_Key="k1")
    stage.clock.forward(9 * 3600)
    again = stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "tax"}, Idempotency_Key="k1")
    assert (again.status_code, again.json) == (201, first.json)
