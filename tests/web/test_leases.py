"""Leased numbers on the wire: a kiosk asks for blocks, tells of numbers it gave by itself, each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.stage import HALL, Stage
from tests.web.test_visit import ok, problem

LEASES, TICKETS = f"/halls/{HALL}/leases", f"/halls/{HALL}/offline-tickets"


def given(stage: Stage, number: int, *, ago_s: float = 0, **more: object) -> dict[str, Any]:
    at = datetime.fromtimestamp(stage.clock.ms / 1000, tz=UTC) - timedelta(seconds=ago_s)
    day = stage.hall.read(lambda state, _: state.day)
    told = {"service": "general", "number": number, "business_day": day, "pressed_at": at.isoformat()}
    return {**told, "track": f"{number:022d}", **more}


def test_a_kiosk_leases_gives_and_tells(stage: Stage) -> None:
    kiosk = stage.device("kiosk-1")
    block = ok(kiosk.post(LEASES, {"prefix": "A"}), 201)
    assert (block["lease"], block["first"], block["last"]) == ("A901", 901, 930)
    told = ok(kiosk.get(LEASES))
    assert [(it["lease"], it["given"], it["open"]) for it in told["leases"]] == [("A901", None, True)]
    paper = next(it["paper"] for it in told["services"] if it["service"] == "general")
    assert (paper["label"], paper["reprint"], paper["eta"]) == ("", False, None)
    assert paper["hall_name"]["zh"]
    stage.clock.forward(600)
    ticket = ok(kiosk.post(TICKETS, given(stage, 901, ago_s=300)), 201)
    assert ticket["label"] == "A901"
    assert datetime.fromisoformat(ticket["issued_at"]).timestamp() * 1000 == stage.clock.ms - 300_000
    assert ok(kiosk.get(LEASES))["leases"][0]["given"] == 901
    assert ok(stage.nobody().get(f"/halls/{HALL}/tickets/{901:022d}"))["label"] == "A901"


def test_the_same_press_told_again_is_the_same_ticket_and_a_number_counts_once(stage: Stage) -> None:
    kiosk = stage.device("kiosk-1")
    ok(kiosk.post(LEASES, {"prefix": "A"}), 201)
    asked = given(stage, 901)
    first = ok(kiosk.post(TICKETS, asked, Idempotency_Key="press-1"), 201)
    assert ok(kiosk.post(TICKETS, asked, Idempotency_Key="press-1"), 201) == first
    problem(kiosk.post(TICKETS, asked, Idempotency_Key="press-2"), 409, "offline_given")
    problem(kiosk.post(TICKETS, given(stage, 931), Idempotency_Key="press-3"), 409, "offline_not_leased")


def test_a_press_that_the_server_did_answer_is_known_by_its_key(stage: Stage) -> None:
    kiosk = stage.device("kiosk-1")
    ok(kiosk.post(LEASES, {"prefix": "A"}), 201)
    ok(kiosk.post(f"/halls/{HALL}/tickets", {"service": "general"}, Idempotency_Key="press-1"), 201)
    problem(kiosk.post(TICKETS, given(stage, 901), Idempotency_Key="press-1"), 422, "key_reused")


def test_only_kiosks_lease_and_chiefs_end(stage: Stage) -> None:
    kiosk, other = (stage.device(name) for name in ("kiosk-1", "kiosk-2"))
    ok(kiosk.post(LEASES, {"prefix": "A"}), 201)
    for who in (stage.person("manager"), stage.person("guide"), stage.device("display-1")):
        problem(who.post(LEASES, {"prefix": "A"}), 403, "not_allowed")
        problem(who.post(TICKETS, given(stage, 901)), 403, "not_allowed")
    assert ok(other.get(LEASES))["leases"] == []
    problem(other.post(f"{LEASES}/A901/return"), 404, "lease_not_found")
    assert len(ok(stage.person("manager").get(LEASES))["leases"]) == 1
    ok(stage.person("manager").post(f"{LEASES}/A901/return"))
    problem(kiosk.post(TICKETS, given(stage, 901)), 409, "lease_over")
