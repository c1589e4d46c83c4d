"""A kiosk that cannot print stops before it gives a number, and says where else one comes out."""

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from server.domain.commands import PlanHall
from server.domain.terms import CLOCK, DeviceId, Floor, FloorId, Kiosk, ZoneId
from tests.web.stage import HALL, PLAN, Client, Stage
from tests.web.test_visit import ok

TICKETS = f"/halls/{HALL}/tickets"
KIOSKS = tuple(
    Kiosk(id=DeviceId(id_), name={"zh": zh, "en": en}, floor=FloorId(floor), zones=zones)
    for id_, zh, en, floor, zones in (
        ("kiosk-1", "东门取号机", "East gate kiosk", "1F", ()),
        ("kiosk-2", "二楼取号机", "Upstairs kiosk", "2F", ()),
        ("kiosk-3", "办税取号机", "Tax kiosk", "1F", (ZoneId("tax"),)),
    )
)


@pytest.fixture
def hall_of_kiosks(stage: Stage) -> Stage:
    floors = (*PLAN.floors, Floor(id=FloorId("2F"), name={"zh": "二楼", "en": "Floor 2"}))
    plan = replace(PLAN, hall=HALL, floors=floors, kiosks=KIOSKS)
    stage.hall.handle(PlanHall(plan=plan), actor=CLOCK)
    for kiosk in ("kiosk-1", "kiosk-2", "kiosk-3"):
        printer(stage, kiosk)
    return stage


def printer(stage: Stage, kiosk: str, **row: str) -> None:
    body = {"kind": "printer", "kiosks": [kiosk], "health": "ok", "paper": "ok", **row}
    ok(stage.device("devices-1").put(f"/halls/{HALL}/devices/printer-{kiosk[-1]}", body))


def switched_on(stage: Stage, *kiosks: str) -> None:
    for kiosk in kiosks:
        ok(stage.device(kiosk).get("/devices"))


def refused(answer: TestResponse) -> Any:
    assert (answer.status_code, answer.json["code"]) == (409, "no_paper"), answer.text  # type: ignore[index]
    return answer.json


def told(kiosk: Client) -> Any:
    return ok(kiosk.get("/devices"))["printer"]


def test_a_kiosk_with_paper_gives_numbers_and_is_told_so(hall_of_kiosks: Stage) -> None:
    kiosk = hall_of_kiosks.device("kiosk-1")
    assert told(kiosk)["status"] == "ok"
    assert ok(kiosk.post(TICKETS, {"service": "general"}), 201)["label"] == "A001"
    printer(hall_of_kiosks, "kiosk-1", paper="near_end", health="degraded")
    assert told(kiosk)["status"] == "near_end"
    assert ok(kiosk.post(TICKETS, {"service": "general"}), 201)["label"] == "A002"


@pytest.mark.parametrize(
    ("row", "status", "words"),
    [
        ({"paper": "out", "health": "down"}, "out", "out of paper"),
        ({"paper": "unknown", "health": "down"}, "down", "cannot print"),
    ],
)
def test_a_kiosk_that_cannot_print_gives_no_number_and_names_the_nearest_that_can(
    hall_of_kiosks: Stage, row: dict[str, str], status: str, words: str
) -> None:
    kiosk = hall_of_kiosks.device("kiosk-1")
    switched_on(hall_of_kiosks, "kiosk-2", "kiosk-3")
    printer(hall_of_kiosks, "kiosk-1", **row)
    other = {"kiosk": "kiosk-3", "name": {"zh": "办税取号机", "en": "Tax kiosk"}, "floor": "1F"}
    assert told(kiosk) == {"status": status, "other": other}
    tax = refused(kiosk.post(TICKETS, {"service": "tax"}))
    assert words in tax["detail"]
    assert "Tax kiosk" in tax["detail"]
    assert tax["other"] == "kiosk-3"
    elsewhere = refused(kiosk.post(TICKETS, {"service": "general"}))
    assert "Upstairs kiosk" in elsewhere["detail"], "the tax kiosk does not offer it"
    zh = refused(kiosk.post(TICKETS, {"service": "general"}, Accept_Language="zh"))
    assert "请到二楼取号机取号" in zh["detail"]
    assert hall_of_kiosks.hall.read(lambda state, _: len(state.tickets)) == 0


def test_a_kiosk_that_is_off_or_out_of_paper_too_is_not_named(hall_of_kiosks: Stage) -> None:
    kiosk = hall_of_kiosks.device("kiosk-1")
    switched_on(hall_of_kiosks, "kiosk-3")
    printer(hall_of_kiosks, "kiosk-3", paper="out")
    printer(hall_of_kiosks, "kiosk-1", paper="out")
    assert "the guide desk" in refused(kiosk.post(TICKETS, {"service": "tax"}))["detail"]


def test_a_visitor_may_remember_the_number_instead(hall_of_kiosks: Stage) -> None:
    kiosk = hall_of_kiosks.device("kiosk-1")
    printer(hall_of_kiosks, "kiosk-1", paper="out")
    assert ok(kiosk.post(TICKETS, {"service": "general", "paperless": True}), 201)["label"] == "A001"


def test_a_number_whose_answer_was_lost_is_told_again_although_the_paper_is_out_now(hall_of_kiosks: Stage) -> None:
    kiosk = hall_of_kiosks.device("kiosk-1")
    first = ok(kiosk.post(TICKETS, {"service": "general"}, Idempotency_Key="press-1"), 201)
    printer(hall_of_kiosks, "kiosk-1", paper="out")
    assert ok(kiosk.post(TICKETS, {"service": "general"}, Idempotency_Key="press-1"), 201) == first


def test_a_kiosk_of_no_certain_hall_names_the_one_it_shows(hall_of_kiosks: Stage) -> None:
    kiosk = hall_of_kiosks.device("kiosk-all")
    assert "printer" not in ok(kiosk.get("/devices"))
    assert ok(kiosk.get(f"/devices?hall={HALL}"))["printer"]["status"] == "none"


def test_guides_give_numbers_whatever_the_kiosks_printers_say(hall_of_kiosks: Stage) -> None:
    printer(hall_of_kiosks, "kiosk-1", paper="out")
    assert ok(hall_of_kiosks.person("guide").post(TICKETS, {"service": "general"}), 201)["label"] == "A001"


def test_a_kiosk_without_a_printer_of_its_own_is_not_stopped(stage: Stage) -> None:
    kiosk = stage.device("kiosk-1")
    assert told(kiosk)["status"] == "none"
    assert ok(kiosk.post(TICKETS, {"service": "general"}), 201)["label"] == "A001"
