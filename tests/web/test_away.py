"""Visits paused away from the windows over HTTP: notices, results, coming back, case numbers; who may do what."""

from dataclasses import replace
from typing import Any

import pytest

from server.domain.commands import PlanHall
from server.domain.terms import CLOCK, Service, ServiceId, ServiceKind, ZoneId
from tests.web.stage import HALL, PLAN, Client, Stage

TICKETS = f"/halls/{HALL}/tickets"
WINDOWS = f"/halls/{HALL}/windows"
RESULTS = f"/halls/{HALL}/results"


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.json
    return answer.json


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


@pytest.fixture
def manager(stage: Stage) -> Client:
    """Give a manager who has opened windows 1 and 3."""
    client = stage.person("manager")
    for no in ("1", "3"):
        ok(client.post(f"{WINDOWS}/{no}/open"))
    return client


def called(stage: Stage, manager: Client, **more: object) -> dict[str, Any]:
    given = stage.issue(**more)  # type: ignore[arg-type]
    assert ok(manager.post(f"{WINDOWS}/1/call-next"))["label"] == given["label"]
    return given


def test_a_visitor_fetches_papers_and_comes_back_by_phone(stage: Stage, manager: Client) -> None:
    given = called(stage, manager)
    body = {"items": ["身份证复印件", "照片"], "note": "白底", "away": True}
    told = ok(manager.post(f"{WINDOWS}/1/notice", body, Idempotency_Key="n1"))
    assert told | {"seq": 0} == {
        "ticket": given["ticket"],
        "label": "A001",
        "window": "1",
        "items": ["身份证复印件", "照片"],
        "away": True,
        "seq": 0,
    }
    page = ok(stage.nobody().get(f"{TICKETS}/{given['track']}"))
    assert (page["status"], page["away_for"], page["notice"], page["window"]) == (
        "away",
        "papers",
        ["身份证复印件", "照片"],
        None,
    )
    assert page["can"] == {"cancel": True, "reinstate": False, "rate": False, "back": True}
    again = stage.nobody().post(f"{TICKETS}/{given['track']}/back")
    assert ok(again)["status"] == "waiting"
    assert ok(manager.post(f"{WINDOWS}/1/notice", body, Idempotency_Key="n1")) == told, "the first answer, for ever"
    assert refused(stage.nobody().post(f"{TICKETS}/{given['track']}/back")) == (409, "illegal_move")
    assert [row["event"] for row in ok(manager.get(f"{TICKETS}/A001"))["history"]][-2:] == [
        "notice_given",
        "ticket_back",
    ]


@pytest.mark.parametrize("who", ["kiosk-1", "clerk", "guide", "integration-1"])
def test_the_hall_lets_a_visitor_come_back_by_label(stage: Stage, manager: Client, who: str) -> None:
    called(stage, manager)
    ok(manager.post(f"{WINDOWS}/1/notice", {"items": ["照片"], "away": True}))
    client = stage.device(who) if "-" in who else stage.anybody(who)
    assert ok(client.post(f"{TICKETS}/a001/back"))["label"] == "A001"


def test_a_notice_at_the_window_keeps_the_visitor_there(stage: Stage, manager: Client) -> None:
    called(stage, manager)
    ok(manager.post(f"{WINDOWS}/1/start"))
    assert ok(manager.post(f"{WINDOWS}/1/notice", {"ticket": "A001", "items": ["照片"]}))["away"] is False
    assert ok(manager.get(f"{TICKETS}/A001"))["status"] == "serving"
    assert refused(manager.post(f"{WINDOWS}/1/notice", {"items": [" "]})) == (409, "notice_empty")
    assert refused(manager.post(f"{WINDOWS}/1/notice", {"items": ["证" * 31]})) == (409, "notice_too_long")
    assert refused(manager.post(f"{WINDOWS}/1/notice", {"items": ["a"] * 21})) == (409, "notice_too_long")
    assert refused(manager.post(f"{WINDOWS}/1/notice", {"items": []})) == (422, "invalid")
    assert refused(manager.post(f"{WINDOWS}/1/notice", {"items": ["a\nb"]})) == (422, "invalid")


def test_the_back_office_brings_a_visitor_back_under_the_same_number(stage: Stage, manager: Client) -> None:
    given = called(stage, manager)
    sent = ok(manager.post(f"{WINDOWS}/1/await-result", {"pickup": "tax", "case_number": "330-1"}))
    assert (sent["status"], sent["pickup"], sent["case_number"]) == ("away", "tax", "330-1")
    listed = ok(stage.person("guide").get(RESULTS))
    assert listed["results"] == []
    assert [(it["label"], it["case_number"], it["pickup"]) for it in listed["awaiting"]] == [("A001", "330-1", "tax")]
    holder = stage.nobody()
    assert ok(holder.get(f"{TICKETS}/{given['track']}"))["case_number"] is None
    assert ok(stage.device("kiosk-1").get(f"{TICKETS}/A001"))["case_number"] is None
    assert ok(manager.get(f"{TICKETS}/A001"))["case_number"] == "330-1"
    assert refused(holder.post(f"{TICKETS}/{given['track']}/back")) == (409, "result_not_ready")
    office = stage.device("integration-1")
    ready = ok(office.post(RESULTS, {"case_number": "330-1"}, Idempotency_Key="r1"))
    assert ready | {"seq": 0} == {
        "case_number": "330-1",
        "pickup": "tax",
        "ticket": given["ticket"],
        "label": "A001",
        "back": True,
        "seq": 0,
    }
    assert ok(office.post(RESULTS, {"case_number": "330-1"}, Idempotency_Key="r1")) == ready
    assert [it["case_number"] for it in ok(manager.get(RESULTS))["results"]] == ["330-1"]
    assert ok(manager.post(f"{WINDOWS}/3/call-next"))["label"] == "A001"
    assert ok(manager.post(f"{WINDOWS}/3/finish"))["status"] == "finished"
    assert ok(manager.get(RESULTS)) == {"results": [], "awaiting": []}


def test_a_result_nobody_awaits_is_collected_by_case_number(stage: Stage, manager: Client) -> None:
    office = stage.device("integration-1")
    ready = ok(office.post(RESULTS, {"case_number": "330-1", "pickup": "tax", "visitor_ref": "li", "note": "执照"}))
    assert (ready["ticket"], ready["back"]) == (None, False)
    (row,) = ok(manager.get(RESULTS))["results"]
    assert row == {
        "case_number": "330-1",
        "pickup": "tax",
        "ready_at": "2026-03-02T09:00:00.000+08:00",
        "ticket": None,
        "note": "执照",
    }
    stage.issue("tax", case_number="330-1")
    assert refused(office.post(TICKETS, {"service": "tax", "case_number": "330-1"})) == (409, "already_waiting")
    assert refused(office.post(TICKETS, {"service": "tax", "case_number": " "})) == (422, "invalid")
    assert refused(office.post(RESULTS, {"case_number": "330-2"})) == (409, "no_pickup")
    assert refused(office.post(RESULTS, {"case_number": "330-2", "label": "A999"})) == (404, "ticket_not_found")


def test_a_clerk_notes_the_case_of_the_visitor_at_the_own_window(stage: Stage, manager: Client) -> None:
    called(stage, manager)
    clerk = stage.anybody("clerk")
    noted = ok(clerk.post(f"{TICKETS}/A001/case", {"case_number": "330-1", "matter_code": "11420"}))
    assert (noted["case_number"], noted["matter_code"], noted["back"]) == ("330-1", "11420", False)
    stage.issue()
    assert refused(clerk.post(f"{TICKETS}/A002/case", {"case_number": "330-2"})) == (409, "ticket_elsewhere")
    assert ok(stage.device("integration-1").post(f"{TICKETS}/A002/case", {"case_number": "330-2"}))["label"] == "A002"
    ok(manager.post(f"{WINDOWS}/1/await-result", {"pickup": "tax"}))
    assert ok(manager.get(RESULTS))["awaiting"][0]["case_number"] == "330-1"


def test_a_noted_case_stands_in_the_history_for_staff_alone(stage: Stage, manager: Client) -> None:
    given = called(stage, manager)
    body = {"case_number": " 330-1 ", "matter_code": "11420"}
    assert ok(stage.person("guide").post(f"{TICKETS}/A001/case", body))["case_number"] == "330-1"

    def noted(client: Client, name: str) -> list[tuple[str | None, str | None]]:
        history = ok(client.get(f"{TICKETS}/{name}"))["history"]
        return [(it["reason"], it["actor"]) for it in history if it["event"] == "case_number_noted"]

    assert noted(manager, "A001") == noted(stage.device("integration-1"), "A001") == [("330-1 11420", "guide")]
    assert noted(stage.device("kiosk-1"), "A001") == [(None, "guide")]
    assert noted(stage.nobody(), given["track"]) == [(None, None)]


def test_a_result_the_hall_never_heard_of_is_told_and_given_knowingly(stage: Stage) -> None:
    pickup = Service(
        id=ServiceId("pickup"), name={"zh": "出件"}, zone=ZoneId("general"), prefix="T", kind=ServiceKind.PICKUP
    )
    stage.hall.handle(PlanHall(plan=replace(PLAN, services=(*PLAN.services, pickup))), actor=CLOCK)
    asked = {"service": "pickup", "case_number": "777-1"}
    for who in ("kiosk-1", "integration-1"):
        answer = stage.device(who).post(TICKETS, asked, Accept_Language="zh")
        assert refused(answer) == (409, "result_unknown")
        assert "请核对办件编号；已收到领取通知的，请到引导台" in str(answer.json)
    guide = stage.person("guide")
    assert refused(guide.post(TICKETS, asked)) == (409, "result_unknown")
    knowingly = {**asked, "unlisted": True}
    assert refused(stage.device("kiosk-1").post(TICKETS, knowingly)) == (403, "not_allowed")
    assert guide.post(TICKETS, knowingly).status_code == 201
    assert stage.device("integration-1").post(TICKETS, {**knowingly, "case_number": "777-2"}).status_code == 201
    assert stage.device("kiosk-1").post(TICKETS, {"service": "pickup"}).status_code == 201, "without any case number"
