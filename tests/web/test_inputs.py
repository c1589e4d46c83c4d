"""Machines without a page: panels give numbers, cards are known for half a minute, codes do what they are for."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.domain.commands import PlanHall
from server.domain.events import TicketIssued
from server.domain.terms import CLOCK, BookingRules, DeviceId, OpeningHours, Text
from server.ledger import codec
from server.projections.jobs import PRINTING_CHANNELS
from server.projections.presented import SHOWN_S, PresentedPicture, presented
from tests.web.stage import HALL, OTHER, PLAN, Client, Stage

TICKETS, DEVICES = f"/halls/{HALL}/tickets", f"/halls/{HALL}/devices"
NUMBER = "990101195003070017"
KIOSK = DeviceId("kiosk-1")
DAYS = ("mon", "tue", "wed", "thu", "fri")


@pytest.fixture
def hall(make_stage: Callable[..., Stage]) -> Stage:
    """Give a server whose hall takes bookings and offers the green channel from 65 on; an agent has its devices."""
    stage = make_stage()
    (green,) = PLAN.priorities
    plan = replace(
        PLAN,
        hours=(OpeningHours(days=DAYS, opens="09:00", closes="17:00"),),
        services=tuple(replace(it, appointments=2) if it.id == "general" else it for it in PLAN.services),
        bookings=BookingRules(slot_min=60, days_ahead=3, early_min=60),
        priorities=(replace(green, from_age=65),),
    )
    stage.hall.handle(PlanHall(plan=plan), actor=CLOCK)
    for device, kind, place in (
        ("panel-1", "panel", {"kiosks": [KIOSK]}),
        ("reader-1", "idcard", {"kiosks": [KIOSK]}),
        ("scanner-1", "scanner", {"kiosks": [KIOSK]}),
        ("scanner-2", "scanner", {"windows": ["1"]}),
    ):
        assert agent(stage).put(f"{DEVICES}/{device}", {"kind": kind, **place}).status_code == 200
    return stage


def agent(stage: Stage, name: str = "devices-1") -> Client:
    return stage.device(name)


def key_of(stage: Stage) -> bytes:
    answer = agent(stage).post(f"{DEVICES}/reader-1/card-key")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return bytes.fromhex(answer.json["key"])  # type: ignore[index]


def lay(stage: Stage, *, age_from: int = 65, name: str = "张*") -> dict[str, Any]:
    visitor = hmac.new(key_of(stage), NUMBER.encode(), hashlib.sha256).hexdigest()
    card = {"document": "citizen", "visitor": visitor, "age_from": age_from, "name": name}
    answer = agent(stage).post(f"{DEVICES}/reader-1/card", card)
    assert answer.status_code == 200, answer.text
    return card


def picture(stage: Stage) -> PresentedPicture:
    shown = stage.site.presented.at(HALL, KIOSK)
    return stage.hall.read(lambda state, _: presented(state, KIOSK, shown, now_ms=stage.hall.now_ms()))


def card_of(stage: Stage) -> str:
    card = picture(stage).card
    assert card is not None
    return card.card


def scan(stage: Stage, code: str, device: str = "scanner-1") -> tuple[int, dict[str, Any]]:
    answer = agent(stage).post(f"{DEVICES}/{device}/scan", {"code": code})
    return answer.status_code, dict(answer.json)  # type: ignore[arg-type]


def test_a_button_gives_a_number_as_its_kiosk_would(hall: Stage) -> None:
    answer = agent(hall).post(f"{DEVICES}/panel-1/number", {"service": "tax"}, Idempotency_Key="press-1")
    again = agent(hall).post(f"{DEVICES}/panel-1/number", {"service": "tax"}, Idempotency_Key="press-1")
    assert answer.status_code == 201, answer.text
    assert again.json == answer.json
    ticket = hall.hall.read(lambda state, _: next(iter(state.tickets.values())))
    assert (ticket.label, ticket.kiosk) == ("B001", KIOSK)
    issued = hall.hall.commits(0, 1000)[-1].events[0]
    assert issued.channel in PRINTING_CHANNELS  # type: ignore[union-attr]
    assert len(hall.hall.read(lambda state, _: list(state.tickets))) == 1


def test_a_panel_without_paper_gives_no_number(hall: Stage) -> None:
    row = {"kind": "printer", "kiosks": [KIOSK], "health": "down", "paper": "out"}
    assert agent(hall).put(f"{DEVICES}/printer-1", row).status_code == 200
    answer = agent(hall).post(f"{DEVICES}/panel-1/number", {"service": "tax"})
    assert (answer.status_code, answer.json["code"]) == (409, "no_paper")  # type: ignore[index]


@pytest.mark.parametrize("what", ["number", "card-key", "card", "scan"])
def test_only_the_agent_that_stated_the_device_speaks_for_it(hall: Stage, what: str) -> None:
    device = {"number": "panel-1", "card-key": "reader-1", "card": "reader-1", "scan": "scanner-1"}[what]
    bodies = {
        "number": {"service": "tax"},
        "card": {"document": "citizen", "visitor": "0" * 64, "age_from": 14, "name": "张*"},
        "scan": {"code": "x"},
    }
    other = agent(hall, "devices-2").post(f"{DEVICES}/{device}/{what}", bodies.get(what, {}))
    wrong_kind = agent(hall).post(f"{DEVICES}/nobody/{what}", bodies.get(what, {}))
    assert [other.status_code, wrong_kind.status_code] == [403, 403]
    assert other.json["code"] == "not_allowed"  # type: ignore[index]


def test_the_page_hears_of_a_card_with_its_priority_numbers_and_bookings(hall: Stage) -> None:
    page = hall.device("kiosk-1")
    assert page.post(TICKETS, {"service": "tax", "visitor_ref": NUMBER}).status_code == 201
    booked = {"service": "general", "day": "2026-03-02", "starts": "10:00", "visitor_ref": NUMBER}
    assert hall.device("integration-1").post(f"/halls/{HALL}/appointments", booked).status_code == 201
    lay(hall)
    card = picture(hall).card
    assert card is not None
    assert (card.name, card.age_from, card.priorities) == ("张*", 65, ("green_channel",))
    assert [(held.label, held.status) for held in card.tickets] == [("B001", "waiting")]
    assert [booking.service for booking in card.appointments] == ["general"]


def test_a_younger_visitor_is_offered_nothing(hall: Stage) -> None:
    lay(hall, age_from=60)
    card = picture(hall).card
    assert card is not None
    assert card.priorities == ()


def test_a_number_by_card_is_one_per_service_and_repeats_safely(hall: Stage) -> None:
    lay(hall)
    body = {"service": "general", "card": card_of(hall)}
    page = hall.device("kiosk-1")
    first = page.post(TICKETS, body, Idempotency_Key="one")
    assert first.status_code == 201, first.text
    assert picture(hall).card is None, "its number was taken"
    hall.clock.forward(2 * SHOWN_S)
    lay(hall)
    assert page.post(TICKETS, body, Idempotency_Key="one").json == first.json, "also when the next card lies there"
    second = page.post(TICKETS, {"service": "general", "card": card_of(hall)})
    assert (second.status_code, second.json["code"]) == (409, "already_waiting")  # type: ignore[index]


def test_a_booking_is_checked_in_by_card(hall: Stage) -> None:
    booked = {"service": "general", "day": "2026-03-02", "starts": "10:00", "visitor_ref": NUMBER}
    assert hall.device("integration-1").post(f"/halls/{HALL}/appointments", booked).status_code == 201
    lay(hall)
    answer = hall.device("kiosk-1").post(f"/halls/{HALL}/appointments/check-in", {"card": card_of(hall)})
    assert answer.status_code == 201, answer.text
    assert answer.json["label"] == "A001"  # type: ignore[index]


def test_a_booking_of_before_card_readers_is_still_found(hall: Stage) -> None:
    early = hall.people.keyed_hash("visitor", f"{HALL}\0{NUMBER}".encode())
    booked = {"service": "general", "day": "2026-03-02", "starts": "10:00", "visitor_ref": NUMBER}
    made = hall.device("integration-1").post(f"/halls/{HALL}/appointments", booked).json
    state = hall.hall.read(lambda state, _: state)
    id_ = next(it for it in state.appointments if it == made["appointment"])  # type: ignore[index]
    state.appointments[id_] = replace(state.appointments[id_], visitor=early)
    answer = hall.device("kiosk-1").post(f"/halls/{HALL}/appointments/check-in", {"visitor_ref": NUMBER})
    assert answer.status_code == 201, answer.text


def test_a_card_is_for_its_own_kiosk_and_for_half_a_minute(hall: Stage) -> None:
    lay(hall)
    body = {"service": "general", "card": card_of(hall)}
    assert hall.device("kiosk-2").post(TICKETS, body).json["code"] == "card_gone"  # type: ignore[index]
    assert hall.person("guide").post(TICKETS, body).json["code"] == "not_allowed"  # type: ignore[index]
    hall.clock.forward(SHOWN_S)
    assert picture(hall).card is None
    assert hall.device("kiosk-1").post(TICKETS, body).json["code"] == "card_gone"  # type: ignore[index]


def test_a_card_leaves_no_trace(hall: Stage, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level("DEBUG")
    told = lay(hall, name="犇*")
    hall.device("kiosk-1").post(TICKETS, {"service": "general", "card": card_of(hall)})
    key = key_of(hall).hex()
    stored = b"".join(codec.encode(commit) for commit in hall.hall.commits(0, 1000)).decode()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("latin-1")
    shown = hall.person("manager").get(f"/halls/{HALL}/state").text + repr(hall.site.presented.at(HALL, KIOSK))
    for text in (stored, files, caplog.text, shown):
        assert "犇" not in text
        assert NUMBER not in text
        assert key not in text
    assert told["visitor"] in stored, "what is kept is the keyed hash"


def test_a_full_name_or_a_plain_number_is_refused(hall: Stage) -> None:
    good = {"document": "citizen", "visitor": "0" * 64, "age_from": 14, "name": "张*"}
    for bad in ({"name": "张三"}, {"visitor": NUMBER}, {"age_from": 37}, {"born": "19500307"}):
        assert agent(hall).post(f"{DEVICES}/reader-1/card", good | bad).status_code == 422


def test_a_missed_ticket_waits_again_by_its_code(hall: Stage) -> None:
    told = hall.issue()
    clerk = hall.person("clerk", window="1", hall=HALL)
    for move in ("open", "call-next", "missed"):
        assert clerk.post(f"/halls/{HALL}/windows/1/{move}").status_code == 200
    status, done = scan(hall, told["track_url"])
    assert (status, done["did"], done["label"]) == (200, "reinstated", told["label"])
    shown = picture(hall).scan
    assert shown is not None
    assert (shown.did, shown.label) == ("reinstated", told["label"])


def test_a_waiting_ticket_is_shown_and_the_called_one_started_at_its_window(hall: Stage) -> None:
    told = hall.issue()
    assert scan(hall, told["track_url"])[1]["did"] == "shown"
    clerk = hall.person("clerk", window="1", hall=HALL)
    for move in ("open", "call-next"):
        assert clerk.post(f"/halls/{HALL}/windows/1/{move}").status_code == 200
    assert scan(hall, told["track"], "scanner-2")[1]["did"] == "started"
    status = hall.hall.read(lambda state, _: state.tickets[told["ticket"]].status)
    assert status == "serving"


@pytest.mark.parametrize("by", ["appointment", "code"])
def test_a_booking_gets_its_number_by_its_code_once(hall: Stage, by: str) -> None:
    booked = {"service": "general", "day": "2026-03-02", "starts": "10:00"}
    made: Any = hall.device("integration-1").post(f"/halls/{HALL}/appointments", booked).json
    status, done = scan(hall, made[by])
    assert (status, done["did"], done["label"]) == (200, "checked_in", "A001")
    issued = next(it for it in hall.hall.commits(0, 1000)[-1].events if isinstance(it, TicketIssued))
    assert (issued.kiosk, issued.channel in PRINTING_CHANNELS) == (KIOSK, True)
    again = scan(hall, made[by])
    assert again[0] == (200 if by == "appointment" else 409)
    assert len(hall.hall.read(lambda state, _: list(state.tickets))) == 1


@pytest.mark.parametrize(
    "code", ["hello", f"https://queue.example.cn/t/{OTHER}/abcdefghijklmnopqrstuv", "A001", "/t//", "http://[/t/x"]
)
def test_a_code_that_is_not_ours_is_refused_and_told_on_the_page(hall: Stage, code: str) -> None:
    hall.issue()
    status, problem = scan(hall, code)
    assert (status, problem["code"]) == (409, "not_a_code")
    shown = picture(hall).scan
    assert shown is not None
    words: Text | None = shown.problem
    assert shown.did == "refused"
    assert words is not None
    assert "导办台" in words["zh"]
    assert "guide desk" in words["en"]
