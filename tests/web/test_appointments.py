"""Appointments over HTTP: free slots, booking once, cancelling, checking in, and what other systems bring along."""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.domain.commands import PlanHall, StartDay
from server.domain.terms import CLOCK, BookingRules, Calendar, OpeningHours
from server.ledger import codec
from server.web.buckets import ISSUE_BURST
from tests.web.stage import HALL, PLAN, Client, Stage

APPOINTMENTS = f"/halls/{HALL}/appointments"
CANARY = "110101199003077774"
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"


@pytest.fixture
def hall(make_stage: Callable[..., Stage]) -> Stage:
    """Give a server whose hall takes two bookings an hour of general matters, on weekdays from 9 to 12 and 13 to 17."""
    stage = make_stage()
    days = ("mon", "tue", "wed", "thu", "fri")
    hours = tuple(
        OpeningHours(days=days, opens=opens, closes=to) for opens, to in (("09:00", "12:00"), ("13:00", "17:00"))
    )
    services = tuple(replace(it, appointments=2) if it.id == "general" else it for it in PLAN.services)
    plan = replace(
        PLAN,
        hours=hours,
        calendar=Calendar(enforced=True),
        services=services,
        bookings=BookingRules(slot_min=60, days_ahead=3, no_shows=1),
    )
    stage.hall.handle(PlanHall(plan=plan), actor=CLOCK)
    return stage


def book(client: Client, starts: str = "10:00", day: str = MONDAY, **more: object) -> dict[str, Any]:
    """Book and give the answer."""
    headers = {"Idempotency_Key": str(more.pop("key"))} if "key" in more else {}
    answer = client.post(APPOINTMENTS, {"service": "general", "day": day, "starts": starts, **more}, **headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def code(client: Client, path: str, body: object) -> tuple[int, str]:
    """Give status and code of a refusal."""
    answer = client.post(path, body)
    assert answer.content_type.startswith("application/problem+json"), answer.text
    return answer.status_code, answer.json["code"]  # type: ignore[index]


def test_free_slots_by_day(hall: Stage) -> None:
    page = hall.device("integration-1")
    book(page, "10:00")
    found = page.get(f"{APPOINTMENTS}/slots?service=general").json
    assert found is not None
    assert (found["service"], found["slot_min"], found["until"]) == ("general", 60, "2026-03-04")
    assert [row["day"] for row in found["days"]] == [MONDAY, TUESDAY, "2026-03-04"]
    assert found["shut"] == []
    assert found["days"][0]["slots"][0] == {
        "starts": "10:00",
        "starts_at": "2026-03-02T10:00:00.000+08:00",
        "ends_at": "2026-03-02T11:00:00.000+08:00",
        "left": 1,
    }
    assert [slot["starts"] for slot in found["days"][1]["slots"]] == [
        *("09:00", "10:00", "11:00", "13:00", "14:00", "15:00", "16:00"),
    ]
    some = page.get(f"{APPOINTMENTS}/slots?service=general&from={TUESDAY}&days=1").json
    assert [row["day"] for row in some["days"]] == [TUESDAY]  # type: ignore[index]
    for bad, status in (("tax", 409), ("nothing", 404), ("general&from=2026-02-30", 400), ("general&days=0", 422)):
        assert page.get(f"{APPOINTMENTS}/slots?service={bad}").status_code == status, bad


def test_a_booking_is_answered_in_full_and_made_once(hall: Stage) -> None:
    page = hall.device("integration-1")
    first = book(page, visitor_ref=CANARY, key="k")
    assert len(first["code"]) == 6
    assert len(first["appointment"]) >= 22
    assert {name: first[name] for name in ("service", "day", "starts_at", "ends_at", "check_in_from")} == {
        "service": "general",
        "day": MONDAY,
        "starts_at": "2026-03-02T10:00:00.000+08:00",
        "ends_at": "2026-03-02T11:00:00.000+08:00",
        "check_in_from": "2026-03-02T09:45:00.000+08:00",
    }
    assert first["check_in_until"] == "2026-03-02T11:15:00.000+08:00"
    assert book(page, visitor_ref=CANARY, key="k") == first
    again = {"service": "general", "day": MONDAY, "starts": "13:00", "visitor_ref": CANARY}
    assert code(page, APPOINTMENTS, again) == (409, "already_booked")
    rows = hall.person("guide").get(APPOINTMENTS).json["appointments"]  # type: ignore[index]
    assert [(row["code"], row["status"]) for row in rows] == [(first["code"], "booked")]


def test_nobody_reads_who_booked(hall: Stage) -> None:
    booked = book(hall.device("integration-1"), visitor_ref=CANARY)
    hall.clock.forward(3600)
    answers = [
        hall.device("kiosk-1").post(f"{APPOINTMENTS}/check-in", {"visitor_ref": CANARY}).text,
        hall.person("manager").get(APPOINTMENTS).text,
        hall.nobody().get(f"{APPOINTMENTS}/{booked['appointment']}").text,
    ]
    stored = b"".join(codec.encode(commit) for commit in hall.hall.commits(0, 100)).decode()
    assert all(CANARY not in text for text in (*answers, stored))
    assert all('"visitor"' not in text for text in answers)


def test_a_code_in_use_is_not_given_twice(hall: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(drawn))
    page = hall.device("integration-1")
    assert [book(page)["code"], book(page)["code"]] == ["000007", "000008"]
    monkeypatch.setattr(secrets, "randbelow", lambda _: 8)
    body = {"service": "general", "day": MONDAY, "starts": "13:00"}
    assert code(page, APPOINTMENTS, body) == (409, "code_taken")


def test_the_holder_reads_and_cancels_by_the_id_alone(hall: Stage) -> None:
    page, nobody = hall.device("integration-1"), hall.nobody()
    early, late = book(page, "10:00"), book(page, "15:00")
    seen = nobody.get(f"{APPOINTMENTS}/{late['appointment']}").json
    assert (seen["code"], seen["status"], seen["trouble"]) == (late["code"], "booked", None)  # type: ignore[index]
    assert nobody.get(f"{APPOINTMENTS}/{'x' * 22}").status_code == 404
    assert nobody.get(f"{APPOINTMENTS}/short").status_code == 401
    assert nobody.get(APPOINTMENTS).status_code == 401
    assert code(nobody, f"{APPOINTMENTS}/{early['appointment']}/cancel", {}) == (409, "too_late_to_cancel")
    answer = nobody.post(f"{APPOINTMENTS}/{late['appointment']}/cancel", {})
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")  # type: ignore[index]
    commit = hall.hall.commits(answer.json["seq"] - 1, 1)[0]  # type: ignore[index]
    assert (commit.actor.kind, commit.actor.id) == ("visitor", "appointment")


def test_staff_cancel_at_any_time_and_say_why(hall: Stage) -> None:
    booked = book(hall.device("integration-1"), "10:00")
    path = f"{APPOINTMENTS}/{booked['appointment']}/cancel"
    guide = hall.person("guide")
    assert code(guide, path, {}) == (409, "reason_missing")
    assert code(hall.device("integration-1"), path, {"reason": "x"}) == (409, "too_late_to_cancel")
    assert guide.post(path, {"reason": "停电"}).status_code == 200
    [row] = guide.get(f"{APPOINTMENTS}?status=cancelled").json["appointments"]  # type: ignore[index]
    assert row["reason"] == "停电"
    assert guide.get(f"{APPOINTMENTS}?status=booked").json["appointments"] == []  # type: ignore[index]
    assert code(guide, path, {"reason": "again"}) == (409, "appointment_over")


def test_checking_in_gives_a_number_like_a_press(hall: Stage) -> None:
    page, kiosk = hall.device("integration-1"), hall.device("kiosk-1")
    booked = book(page, "10:00")
    early = kiosk.post(f"{APPOINTMENTS}/check-in", {"code": booked["code"]}, Accept_Language="zh")
    assert early.status_code == 409
    assert early.json is not None
    assert (early.json["code"], early.json["opens_at"]) == ("too_early", "2026-03-02T09:45:00.000+08:00")
    assert early.json["detail"] == "您预约的时间是今天 10:00，今天 09:45 起可以签到取号。"
    hall.clock.forward(45 * 60)
    body = {"code": booked["code"], "language": "zh"}
    answer = kiosk.post(f"{APPOINTMENTS}/check-in", body, Idempotency_Key="k")
    assert answer.status_code == 201, answer.text
    number = answer.json
    assert number is not None
    assert {name: number[name] for name in ("label", "priority", "late", "appointment", "ahead")} == {
        "label": "A001",
        "priority": "appointment",
        "late": False,
        "appointment": booked["appointment"],
        "ahead": 0,
    }
    assert set(hall.issue()) <= set(number)
    assert kiosk.post(f"{APPOINTMENTS}/check-in", body, Idempotency_Key="k").json == number
    again = kiosk.post(f"{APPOINTMENTS}/check-in", body).json
    assert again is not None
    assert (again["code"], again["detail"]) == (
        "appointment_over",
        "You have checked in already: your number is A001. Please wait for your call.",
    )
    assert page.get(f"/halls/{HALL}/tickets/A001").json["priority"] == "appointment"  # type: ignore[index]
    [row] = hall.person("guide").get(f"{APPOINTMENTS}?status=kept").json["appointments"]  # type: ignore[index]
    assert (row["label"], row["ticket"]) == ("A001", number["ticket"])


def test_who_is_late_gets_an_ordinary_number_and_is_told(hall: Stage) -> None:
    booked = book(hall.device("integration-1"), "10:00", visitor_ref=CANARY)
    hall.clock.forward(5 * 3600)
    answer = hall.person("guide").post(f"{APPOINTMENTS}/check-in", {"visitor_ref": CANARY})
    assert answer.json is not None
    assert (answer.status_code, answer.json["late"], answer.json["priority"]) == (201, True, "ordinary")
    assert answer.json["appointment"] == booked["appointment"]


def test_one_way_of_saying_who_checks_in(hall: Stage) -> None:
    kiosk = hall.device("kiosk-1")
    assert code(kiosk, f"{APPOINTMENTS}/check-in", {}) == (400, "bad_request")
    assert code(kiosk, f"{APPOINTMENTS}/check-in", {"code": "123456", "visitor_ref": "x"}) == (400, "bad_request")
    assert code(kiosk, f"{APPOINTMENTS}/check-in", {"code": "12345"}) == (422, "invalid")
    assert code(kiosk, f"{APPOINTMENTS}/check-in", {"code": "123456"}) == (404, "appointment_not_found")


def test_codes_cannot_be_tried_without_end(hall: Stage) -> None:
    kiosk = hall.device("kiosk-1")
    tries = range(2 * ISSUE_BURST)
    found = {kiosk.post(f"{APPOINTMENTS}/check-in", {"code": f"{number:06d}"}).status_code for number in tries}
    assert found == {404, 429}


def row(external: str, starts: str = "10:00", **more: object) -> dict[str, object]:
    return {"service": "general", "day": MONDAY, "starts": starts, "external": external, **more}


def test_an_import_takes_good_rows_and_says_what_is_wrong_with_the_others(hall: Stage) -> None:
    page = hall.device("integration-1")
    rows = [
        row("p-1"),
        row("p-2", "10:30"),
        {"external": "p-3", "service": "general"},
        "junk",
        row("p-1"),
        row("p-5", visitor_ref=CANARY),
        row("p-6"),
        row("p-7", service="nothing"),
    ]
    answer = page.post(f"{APPOINTMENTS}/import", {"appointments": rows}).json
    assert answer is not None
    assert (answer["booked"], answer["known"], answer["refused"]) == (2, 1, 5)
    assert [(it["external"], it["result"], (it["problem"] or {}).get("code")) for it in answer["rows"]] == [
        ("p-1", "booked", None),
        ("p-2", "refused", "slot_unknown"),
        ("p-3", "refused", "invalid"),
        (None, "refused", "invalid"),
        ("p-1", "known", None),
        ("p-5", "booked", None),
        ("p-6", "refused", "slot_full"),
        ("p-7", "refused", "service_not_found"),
    ]
    first, same = answer["rows"][0], answer["rows"][4]
    assert (first["appointment"], first["code"]) == (same["appointment"], same["code"])
    assert answer["rows"][2]["problem"]["detail"] == "day is missing; starts is missing."
    assert answer["rows"][3]["problem"]["detail"] == "the body must be a JSON object."
    again = page.post(f"{APPOINTMENTS}/import", {"appointments": rows[:1]}, Accept_Language="zh").json
    assert [it["result"] for it in again["rows"]] == ["known"]  # type: ignore[index]


def test_an_import_with_a_key_answers_the_same_again(hall: Stage) -> None:
    page = hall.device("integration-1")
    body = {"appointments": [row("p-1"), row("p-2", "11:00")]}
    first = page.post(f"{APPOINTMENTS}/import", body, Idempotency_Key="k").json
    assert page.post(f"{APPOINTMENTS}/import", body, Idempotency_Key="k").json == first
    other = page.post(f"{APPOINTMENTS}/import", {"appointments": [row("p-3")]}, Idempotency_Key="k")
    assert (other.status_code, other.json["code"]) == (422, "key_reused")  # type: ignore[index]


def test_an_import_has_room_for_as_many_rows_as_it_says(hall: Stage) -> None:
    page = hall.device("integration-1")
    rows = [row(f"p-{number}", "10:30", visitor_ref="x" * 100) for number in range(500)]
    body = {"appointments": rows}
    assert len(json.dumps(body)) > 64 * 1024
    assert page.post(f"{APPOINTMENTS}/import", body).json["refused"] == 500  # type: ignore[index]
    assert page.post(f"{APPOINTMENTS}/import", {"appointments": [*rows, row("x")]}).status_code == 422
    assert page.post(f"{APPOINTMENTS}/import", {"appointments": []}).status_code == 422
    assert page.post(APPOINTMENTS, row("x", visitor_ref="x" * 70_000)).status_code == 413


def test_the_day_report_counts_appointments(hall: Stage) -> None:
    page, kiosk = hall.device("integration-1"), hall.device("kiosk-1")
    in_time, late, given_back = book(page, "10:00"), book(page, "10:00"), book(page, "16:00")
    book(page, "11:00")
    book(page, "10:00", TUESDAY)
    hall.clock.forward(3600)
    kiosk.post(f"{APPOINTMENTS}/check-in", {"code": in_time["code"]})
    hall.clock.forward(4 * 3600)
    kiosk.post(f"{APPOINTMENTS}/check-in", {"code": late["code"]})
    hall.nobody().post(f"{APPOINTMENTS}/{given_back['appointment']}/cancel", {})
    hall.clock.forward(16 * 3600 + 60)
    hall.hall.handle(StartDay(), actor=CLOCK)
    report = hall.person("manager").get(f"/halls/{HALL}/reports/day?date={MONDAY}").json
    assert report is not None
    expected = {"booked": 5, "kept": 2, "late": 1, "missed": 1, "cancelled": 1}
    assert report["total"]["appointments"] == expected
    assert [row["appointments"] for row in report["services"] if row["service"] == "general"] == [expected]
    assert [row["appointments"]["booked"] for row in report["zones"]] == [5, 0]
    assert report["total"]["issued"] == 2


def test_who_did_not_come_is_told_until_when(hall: Stage) -> None:
    page = hall.device("integration-1")
    book(page, "10:00", visitor_ref=CANARY)
    hall.clock.forward(26 * 3600)
    answer = page.post(
        APPOINTMENTS, {"service": "general", "day": TUESDAY, "starts": "13:00", "visitor_ref": CANARY}
    ).json
    assert answer is not None
    assert (answer["code"], answer["opens_at"]) == ("booking_blocked", "2026-04-01T00:00:00.000+08:00")
