"""Cases over HTTP: who may act, what is told, the exchange with another server, and the table of all grades."""

import csv
import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from server.domain import commands as c
from server.domain.terms import CLOCK, TicketId
from tests.web.stage import HALL, NINE_MS, OTHER, Client, Stage

CASES = f"/halls/{HALL}/cases"
FIRST = f"{CASES}/C20260302-001"
BODY = {"kind": "agency", "client": "王先生", "service": "general", "note": "行动不便"}


def told(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def code(answer: TestResponse) -> str:
    return str(answer.json["code"])  # type: ignore[index]


@pytest.fixture
def clerk(stage: Stage) -> Client:
    return stage.anybody("clerk")


def test_who_signs_in_is_the_agent_and_nobody_else_acts(stage: Stage, clerk: Client) -> None:
    answer = clerk.post(CASES, {**BODY, "due": "2026-03-04", "visitor_ref": "wang"})
    assert told(answer, 201)["case"] == "C20260302-001"
    assert answer.headers["Location"] == f"/api/v1{FIRST}"
    told(clerk.post(f"{FIRST}/log", {"items": ["身份证", "户口本"], "note": "已告知"}))
    guide = stage.person("guide")
    assert code(guide.post(f"{FIRST}/log", {"note": "我来"})) == "agent_fixed"
    assert code(clerk.post(f"{FIRST}/log", {"note": "换人", "agent": "guide"})) == "agent_fixed"
    assert code(guide.post(f"{FIRST}/take")) == "case_taken"
    told(stage.person("manager").post(f"{FIRST}/log", {"note": "已督办"}))
    told(clerk.post(f"{FIRST}/finish", {"outcome": "已送证上门"}))
    assert code(clerk.post(f"{FIRST}/log", {"note": "再补一句"})) == "case_closed"
    view = told(stage.person("auditor").get(FIRST))
    assert (view["agent"], view["status"], view["due"]) == ("clerk", "finished", "2026-03-04")
    assert view["service_name"]["zh"] == "综合业务"
    assert [(step["what"], step["by"], step["items"]) for step in view["log"]] == [
        ("opened", "clerk", []),
        ("notice", "clerk", ["身份证", "户口本"]),
        ("logged", "manager", []),
        ("finished", "clerk", []),
    ]


def test_only_a_chief_names_an_agent_and_one_that_exists(stage: Stage, clerk: Client) -> None:
    assert code(clerk.post(CASES, {**BODY, "agent": "guide"})) == "not_allowed"
    manager = stage.person("manager")
    assert code(manager.post(CASES, {**BODY, "agent": "nobody"})) == "invalid"
    told(manager.post(CASES, {**BODY, "agent": "clerk"}), 201)
    told(clerk.post(f"{FIRST}/log", {"note": "已联系"}))


def test_a_repeated_request_opens_one_case(clerk: Client) -> None:
    first, second = (clerk.post(CASES, BODY, Idempotency_Key="k1") for _ in range(2))
    assert told(first, 201) == told(second, 201)
    assert len(told(clerk.get(CASES))["cases"]) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"client": "13800138000"}, "number_in_text"),
        ({"note": "身份证 422801199003070012"}, "number_in_text"),
        ({"kind": "rating"}, "invalid"),
        ({"client": ""}, "invalid"),
        ({"client": "  "}, "reason_missing"),
        ({"due": "2026-02-30"}, "bad_request"),
        ({"due": "2026-03-01"}, "due_past"),
        ({"visit_at": "tomorrow"}, "bad_request"),
        ({"service": "nothing"}, "service_not_found"),
        ({"ticket": "A009"}, "ticket_not_found"),
        ({"id_number": "1"}, "invalid"),
    ],
)
def test_what_cannot_be_taken_on_says_why(clerk: Client, body: dict[str, object], says: str) -> None:
    answer = clerk.post(CASES, {**BODY, **body})
    assert code(answer) == says
    assert answer.json["detail"]  # type: ignore[index]


def test_a_visit_at_home_has_its_time_and_a_ticket_its_label(stage: Stage, clerk: Client) -> None:
    stage.issue("tax")
    visit = {"kind": "visit", "client": "李奶奶", "ticket": "b001", "visit_at": "2026-03-03T10:00"}
    told(clerk.post(CASES, visit), 201)
    view = told(clerk.get(FIRST))
    assert (view["label"], view["service"], view["visit_at"]) == ("B001", "tax", "2026-03-03T10:00:00.000+08:00")


def test_the_list_is_filtered(stage: Stage, clerk: Client) -> None:
    for number in range(3):
        told(clerk.post(CASES, {**BODY, "due": f"2026-03-0{3 + number}"}), 201)
    told(stage.person("guide").post(CASES, {**BODY, "kind": "visit"}), 201)
    told(clerk.post(f"{FIRST}/withdraw", {"reason": "本人自办"}))

    def ids(query: str) -> list[str]:
        return [row["case"][-1] for row in told(clerk.get(f"{CASES}?{query}"))["cases"]]

    assert ids("") == ["1", "2", "3", "4"]
    assert ids("status=open") == ["2", "3", "4"]
    assert ids("kind=visit") == ["4"]
    assert ids("agent=guide") == ["4"]
    assert ids("due=2026-03-04&status=open") == ["2"]
    assert ids("limit=2") == ["3", "4"]


def test_two_servers_exchange_a_case_by_hand(stage: Stage, clerk: Client) -> None:
    told(clerk.post(CASES, {**BODY, "elsewhere": True}), 201)
    boss, script = stage.person("boss"), stage.device("integration-other")
    assert code(boss.get(f"{FIRST}/export")) == "case_kind"
    told(clerk.post(f"{FIRST}/hand-over", {"hall": OTHER, "note": "请对口办理"}))
    paper = told(boss.get(f"{FIRST}/export"))
    assert paper == {
        "from_hall": HALL,
        "case": "C20260302-001",
        "to_hall": OTHER,
        "kind": "agency",
        "client": "王先生",
        "matter": "综合业务",
        "note": "请对口办理",
        "due": None,
    }
    assert code(boss.post(f"{CASES}/receive", paper)) == "invalid"
    theirs = told(script.post(f"/halls/{OTHER}/cases/receive", paper), 201)["case"]
    again = script.post(f"/halls/{OTHER}/cases/receive", paper)
    assert (code(again), again.json["case"]) == ("case_received", theirs)  # type: ignore[index]
    told(boss.post(f"{FIRST}/confirm", {"hall": OTHER, "case": theirs}))
    there = stage.person("clerk", window="1", hall=OTHER)
    told(there.post(f"/halls/{OTHER}/cases/{theirs}/take"))
    told(there.post(f"/halls/{OTHER}/cases/{theirs}/finish", {"outcome": "已办结"}))
    told(boss.post(f"{FIRST}/report-back", {"hall": OTHER, "case": theirs, "outcome": "已办结"}))
    view = told(boss.get(FIRST))
    assert (view["status"], view["to_hall"], view["their_case"]) == ("passed_on", OTHER, theirs)
    assert [step["what"] for step in view["log"]] == ["opened", "handed_over", "confirmed", "reported"]


# ------------------------------------------------------------------------------------------------- grades


def served(stage: Stage, clerk: Client, grade: int | None = None, *, pad: bool = False) -> dict[str, Any]:
    """Let the clerk of window 1 serve somebody who then gives a grade, on the phone or on the pad."""
    given = stage.issue()
    told(clerk.post(f"/halls/{HALL}/windows/1/call-next", {}))
    told(clerk.post(f"/halls/{HALL}/windows/1/finish", {}))
    if grade is not None:
        track = given["track"]
        if pad:
            told(stage.device("kiosk-1").post(f"/halls/{HALL}/tickets/{given['ticket']}/rate", {"grade": grade}))
        else:
            told(stage.nobody().post(f"/halls/{HALL}/tickets/{track}/rate", {"grade": grade}))
    return given


def a_day(stage: Stage, clerk: Client) -> None:
    told(clerk.post(f"/halls/{HALL}/windows/1/open", {}))
    served(stage, clerk, 5)
    served(stage, clerk, 1, pad=True)
    served(stage, clerk)
    stage.issue()  # waits in vain


def grades(client: Client, since: str = "2026-03-02", until: str = "2026-03-02") -> list[dict[str, Any]]:
    return list(told(client.get(f"/halls/{HALL}/ratings?from={since}&to={until}"))["ratings"])


def test_every_finished_visit_has_a_row_and_the_ungraded_stay_so(stage: Stage, clerk: Client) -> None:
    a_day(stage, clerk)
    rows = grades(stage.person("auditor"))
    assert [(row["label"], row["grade"], row["channel"], row["clerk"]) for row in rows] == [
        ("A001", 5, "phone", "clerk"),
        ("A002", 1, "pad", "clerk"),
        ("A003", None, None, "clerk"),
    ]
    assert rows[1]["grade_name"] == {"zh": "非常不满意", "en": "Very dissatisfied"}
    assert rows[2]["grade_name"] is None
    assert rows[0]["finished_at"] == "2026-03-02T09:00:00.000+08:00"


def test_grades_of_several_days_come_in_order_and_no_others(stage: Stage, clerk: Client) -> None:
    for day in range(3):
        stage.clock.ms = NINE_MS + day * 24 * 3600_000
        a_day(stage, clerk)
    auditor = stage.person("auditor")
    tickets = [row["ticket"] for row in grades(auditor, "2026-03-03", "2026-03-04")]
    assert tickets == [f"2026030{day}-A00{number}" for day in (3, 4) for number in (1, 2, 3)]
    assert len(grades(auditor, "2026-03-03", "2026-03-03")) == 3
    assert grades(auditor, "2026-03-05", "2026-03-09") == []
    assert grades(auditor, "2026-01-01", "2026-03-01") == []


def test_an_upheld_appeal_strikes_the_grade_everywhere(stage: Stage, clerk: Client) -> None:
    a_day(stage, clerk)
    manager = stage.person("manager")
    follow_up = told(manager.get(FIRST))
    assert (follow_up["kind"], follow_up["clerk"], follow_up["grade"], follow_up["due"]) == (
        "rating",
        "clerk",
        1,
        "2026-03-09",
    )
    report = told(manager.get(f"/halls/{HALL}/reports/day"))
    assert (report["total"]["rated"], report["total"]["satisfaction"]) == (2, 0.5)
    assert code(stage.person("guide").post(f"{FIRST}/appeal", {"reason": "误按"})) == "not_your_visit"
    told(clerk.post(f"{FIRST}/appeal", {"reason": "误按"}))
    assert clerk.post(f"{FIRST}/decide-appeal", {"upheld": True, "note": "是"}).status_code == 403
    stage.clock.ms += 24 * 3600_000  # the day after
    told(manager.post(f"{FIRST}/decide-appeal", {"upheld": True, "note": "监控证实误按"}))
    report = told(manager.get(f"/halls/{HALL}/reports/day?date=2026-03-02"))
    assert (report["total"]["rated"], report["total"]["satisfaction"]) == (1, 1.0)
    (_, row, _) = grades(manager)
    assert (row["grade"], row["struck"]) == (1, True)


def test_the_table_opens_in_excel_and_runs_nothing(stage: Stage, clerk: Client) -> None:
    a_day(stage, clerk)
    stage.hall.handle(
        c.NoteCaseNumber(ticket=TicketId("20260302-A001"), case_number="=HYPERLINK(0)", matter_code="M-1"), actor=CLOCK
    )
    answer = stage.device("integration-1").get(f"/halls/{HALL}/ratings?from=2026-03-02&to=2026-03-02&format=csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["grade"] for row in rows] == ["5", "1", ""]
    assert [row["grade_name"] for row in rows] == ["非常满意", "非常不满意", ""]
    assert (rows[0]["case_number"], rows[0]["matter_code"]) == ("'=HYPERLINK(0)", "M-1")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_range_must_be_days_and_no_more_than_a_year(stage: Stage) -> None:
    auditor = stage.person("auditor")
    for query, says in [
        ("from=2026-03-02", "invalid"),
        ("from=2026-03-02&to=2026-02-30", "bad_request"),
        ("from=2026-03-02&to=2026-03-01", "bad_request"),
        ("from=2025-03-01&to=2026-03-02", "bad_request"),
    ]:
        assert code(auditor.get(f"/halls/{HALL}/ratings?{query}")) == says
    assert json.loads(auditor.get(f"/halls/{HALL}/ratings?from=2025-03-02&to=2026-03-02").data) == {"ratings": []}
