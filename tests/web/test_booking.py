"""Visitors book by themselves: only where the hall lets them, with a number that is never kept, within limits."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.domain.commands import PlanHall
from server.domain.terms import CLOCK, BookedWith, BookingRules, Calendar, OpeningHours
from server.ledger import codec
from server.web.booking import checked
from server.web.buckets import BOOK_BURST, LOOK_BURST, VISITOR_BURST
from server.web.doors import visitor_address
from server.web.problems import Problem
from tests.web.stage import HALL, OTHER, PLAN, Client, Stage

BOOKING = f"/halls/{HALL}/booking"
APPOINTMENTS = f"/halls/{HALL}/appointments"
CANARY = "13900001234"
FRIDAY = "2026-03-06"


@pytest.fixture
def hall(make_stage: Callable[..., Stage]) -> Stage:
    """Give a server whose hall lets visitors book general matters with their phone number; the other hall does not."""
    stage = make_stage()
    days = ("mon", "tue", "thu", "fri")
    services = tuple(replace(it, appointments=2) if it.id == "general" else it for it in PLAN.services)
    plan = replace(
        PLAN,
        hours=(OpeningHours(days=days, opens="09:00", closes="17:00"),),
        calendar=Calendar(enforced=True, closed_days=("2026-03-05",)),
        services=services,
        bookings=BookingRules(slot_min=60, days_ahead=3, online=BookedWith.PHONE_NUMBER),
    )
    stage.hall.handle(PlanHall(plan=plan), actor=CLOCK)
    return stage


def book(
    client: Client, starts: str = "10:00", day: str = FRIDAY, ref: str = CANARY, **headers: str
) -> tuple[int, Any]:
    """Book and give status and answer."""
    body = {"service": "general", "day": day, "starts": starts, "visitor_ref": ref}
    answer = client.post(BOOKING, body, **headers)
    return answer.status_code, answer.json


def test_a_visitor_finds_books_sees_and_cancels_without_an_account(hall: Stage) -> None:
    visitor = hall.nobody()
    assert visitor.get("/booking").json == {"halls": [{"hall": HALL, "name": dict(PLAN.name)}]}
    page = visitor.get(BOOKING).json
    assert page is not None
    assert [row["service"] for row in page["services"]] == ["general"]
    assert (page["rules"]["online"], page["services"][0]["pinyin"][0]) == (
        "phone_number",
        "zong/zeng he/ge ye wu",
    )
    free = visitor.get(f"{APPOINTMENTS}/slots?service=general").json
    assert free is not None
    assert [row["day"] for row in free["days"]] == ["2026-03-02", "2026-03-03", FRIDAY]
    assert free["shut"] == [{"day": "2026-03-04", "why": "no_hours"}, {"day": "2026-03-05", "why": "closed"}]
    status, booked = book(visitor)
    assert status == 201
    path = f"{APPOINTMENTS}/{booked['appointment']}"
    held = visitor.get(path).json
    assert held is not None
    assert (held["code"], held["channel"], held["hall_name"]["zh"]) == (booked["code"], "online", "测试大厅")
    assert (held["cancel_until"], held["can_cancel"]) == ("2026-03-06T08:00:00.000+08:00", True)
    assert (held["track_url"], held["as_of"]) == (None, "2026-03-02T09:00:00.000+08:00")
    assert visitor.post(f"{path}/cancel", {}).json["status"] == "cancelled"  # type: ignore[index]
    assert book(visitor)[0] == 201, "the slot and the visitor are free again"


def test_who_checked_in_finds_the_ticket_by_the_same_link_and_staff_do_not(hall: Stage) -> None:
    visitor = hall.nobody()
    booked = book(visitor, "10:00", "2026-03-02")[1]
    hall.clock.forward(3600)
    ticket = hall.device("kiosk-1").post(f"{APPOINTMENTS}/check-in", {"code": booked["code"]}).json
    assert ticket is not None
    path = f"{APPOINTMENTS}/{booked['appointment']}"
    held = visitor.get(path).json
    assert held is not None
    assert (held["label"], held["track_url"]) == (ticket["label"], ticket["track_url"])
    assert hall.person("guide").get(path).json["track_url"] is None  # type: ignore[index]


def test_halls_that_do_not_say_so_take_no_bookings_of_strangers(hall: Stage) -> None:
    visitor, staff = hall.nobody(), hall.person("boss")
    for client in (visitor, staff):
        for answer in (client.get(f"/halls/{OTHER}/booking"), client.post(f"/halls/{OTHER}/booking", {})):
            assert (answer.status_code, answer.json["code"]) == (409, "not_online")  # type: ignore[index]
        assert client.get("/halls/nowhere/booking").status_code == 404
    assert visitor.get(f"/halls/{OTHER}/appointments/slots?service=general").status_code == 401
    plain = {"service": "general", "day": FRIDAY, "starts": "10:00"}
    assert visitor.post(APPOINTMENTS, plain).status_code == 401
    for more in ({"external": "x"}, {"channel": "guide"}, {"visitor_ref": None}):
        assert visitor.post(BOOKING, plain | {"visitor_ref": CANARY} | more).status_code == 422, more


def test_the_number_is_never_kept_and_is_the_same_visitor_everywhere(
    hall: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    status, booked = book(hall.nobody(), ref=" 139 0000-1234 ", Idempotency_Key="k1")
    assert status == 201
    assert book(hall.nobody(), ref=" 139 0000-1234 ", Idempotency_Key="k1")[1] == booked
    assert book(hall.nobody(), "11:00")[1]["code"] == "already_booked"
    desk = {"service": "general", "day": FRIDAY, "starts": "12:00", "visitor_ref": CANARY}
    assert hall.device("integration-1").post(APPOINTMENTS, desk).json["code"] == "already_booked"  # type: ignore[index]
    stored = b"".join(codec.encode(commit) for commit in hall.hall.commits(0, 100)).decode()
    seen = hall.nobody().get(f"{APPOINTMENTS}/{booked['appointment']}").text
    for text in (stored, seen, json.dumps(booked), caplog.text):
        assert "1390000" not in text
        assert "0000-1234" not in text
    by = hall.hall.commits(booked["seq"] - 1, 1)[0].actor
    assert (by.kind, by.id) == ("visitor", "appointment")


def test_a_browser_in_which_staff_are_signed_in_books_for_a_visitor_all_the_same(hall: Stage) -> None:
    guide = hall.person("guide")
    guide.csrf = None
    status, booked = book(guide)
    assert status == 201
    assert hall.hall.commits(booked["seq"] - 1, 1)[0].actor.kind == "visitor"
    path = f"{APPOINTMENTS}/{booked['appointment']}/cancel"
    assert guide.post(path, {}).json["code"] == "csrf"  # type: ignore[index]
    assert guide.post(path, {}, X_Visitor="1").status_code == 200
    assert guide.post(f"{APPOINTMENTS}/import", {"appointments": []}, X_Visitor="1").status_code == 401
    away = hall.nobody().post(BOOKING, {}, Origin="http://evil.example")
    assert (away.status_code, away.json["code"]) == (403, "csrf")  # type: ignore[index]


def test_who_tries_too_often_waits_per_visitor_and_per_address(hall: Stage) -> None:
    visitor = hall.nobody()
    answers = [book(visitor, "09:30") for _ in range(VISITOR_BURST + 1)]
    assert [status for status, _ in answers] == [409] * VISITOR_BURST + [429]
    assert book(visitor, ref="13900009999")[0] == 201, "another visitor of the same address"
    codes = {book(visitor, ref=f"139{n:08d}")[1].get("code") for n in range(BOOK_BURST)}
    assert "too_many" in codes
    assert book(visitor, "12:00", ref="13900008888", X_Forwarded_For="198.51.100.7, 203.0.113.9")[0] == 201
    assert visitor.get(BOOKING).status_code == 200, "looking is not booking"
    assert [visitor.get(BOOKING).status_code for _ in range(LOOK_BURST + 50)][-1] == 429


def test_a_full_slot_is_refused_and_the_others_are_told(hall: Stage) -> None:
    visitor = hall.nobody()
    assert [book(visitor, ref=f"1390000000{n}")[0] for n in range(3)] == [201, 201, 409]
    free = visitor.get(f"{APPOINTMENTS}/slots?service=general&from={FRIDAY}").json
    assert [(slot["starts"], slot["left"]) for slot in free["days"][0]["slots"]][:3] == [  # type: ignore[index]
        ("09:00", 2), ("10:00", 0), ("11:00", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asks", "good", "bad"),
    [
        (
            BookedWith.IDENTITY_NUMBER,
            ["11010519491231002X", "11010519491231002x", "110105 19491231 002X"],
            ["110105194912310021", "11010519491331002X", "1101051949123100", "A1010519491231002X", "１１０１０５"],
        ),
        (
            BookedWith.PHONE_NUMBER,
            ["13800138000", "199-0000-0000"],
            ["12800138000", "1380013800", "+8613800138000", "x"],
        ),
    ],
)
def test_numbers_are_checked_before_they_are_hashed(asks: BookedWith, good: list[str], bad: list[str]) -> None:
    assert len({checked(asks, typed) for typed in good}) == (1 if asks is BookedWith.IDENTITY_NUMBER else len(good))
    for typed in bad:
        with pytest.raises(Problem, match=r"not an identity number|not a mobile number"):
            checked(asks, typed)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "2001:db8::7", "2001:db8::/64"),
        ("127.0.0.1", "2001:db8::1:2:3:4", "2001:db8::/64"),
        ("::1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:0:1::7", "203.0.113.9", "2001:db8:0:1::/64"),
        ("::ffff:198.51.100.1", "", "198.51.100.1"),
        ("::1", "", "::1"),
        ("fe80::7%eth0", "", "fe80::/64"),
        ("fe80::%", "", "fe80::%"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.1", "junk", "127.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_a_proxy_on_this_machine_is_believed(peer: str, forwarded: str, address: str) -> None:
    assert visitor_address(peer, forwarded) == address
