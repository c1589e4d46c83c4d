"""Paper rolls on the wire: announced, reported, called from an empty queue, taken away; numbers written by hand."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain.terms import ServiceId, Track
from server.projections.jobs import jobs_of
from tests.domain.halls import Scene, issue
from tests.web.stage import HALL, Stage
from tests.web.test_visit import ok, problem

ROLLS = f"/halls/{HALL}/rolls"
ROLL = {"service": "general", "prefix": "X", "first": 1, "last": 100, "note": "kiosk 1 is broken"}


def test_a_roll_from_its_announcement_to_its_end(stage: Stage) -> None:
    guide, clerk = stage.person("guide"), stage.person("clerk", window="1", hall=HALL)
    ok(clerk.post(f"/halls/{HALL}/windows/1/open"))
    told = ok(guide.post(ROLLS, ROLL), 201)
    assert told == {"prefix": "X", "service": "general", "first": 1, "last": 100, "seq": told["seq"]}
    (row,) = ok(clerk.get(ROLLS))["rolls"]
    assert (row["prefix"], row["given"], row["label"], row["note"]) == ("X", None, None, "kiosk 1 is broken")
    reported = ok(guide.post(f"{ROLLS}/X/torn-off", {"upto": 2}))
    assert [(it["label"], it["ahead"]) for it in reported["tickets"]] == [("X001", 0), ("X002", 1)]
    move = f"/halls/{HALL}/windows/1/call-next"
    called = [ok(clerk.post(move, {"finish": turn > 0})) for turn in range(3)]
    assert [(it["label"], it["why"]) for it in called] == [("X001", "head"), ("X002", "head"), ("X003", "roll")]
    assert ok(clerk.get(ROLLS))["rolls"][0]["label"] == "X003"
    assert ok(guide.post(f"{ROLLS}/x/end"))["given"] == 3
    assert ok(clerk.get(ROLLS)) == {"rolls": []}
    problem(clerk.post(move, {"finish": True}), 409, "nobody_waiting")


def test_numbers_of_a_roll_have_phone_pages_of_their_own(stage: Stage) -> None:
    guide = stage.person("guide")
    ok(guide.post(ROLLS, ROLL), 201)
    ok(guide.post(f"{ROLLS}/X/torn-off", {"upto": 200 // 2}))
    tracks = stage.hall.read(lambda state, _: list(state.tracks))
    assert len(tracks) == 100
    answer = ok(stage.nobody().get(f"/halls/{HALL}/tickets/{tracks[4]}"))
    assert (answer["label"], answer["ahead"]) == ("X005", 4)


def test_the_hall_says_what_is_wrong_with_a_roll(stage: Stage) -> None:
    guide = stage.person("guide")
    problem(guide.post(ROLLS, ROLL | {"prefix": "A"}), 409, "prefix_taken")
    problem(guide.post(ROLLS, ROLL | {"first": 9, "last": 8}), 409, "roll_range")
    problem(guide.post(ROLLS, ROLL | {"service": "nothing"}), 404, "service_not_found")
    problem(guide.post(f"{ROLLS}/X/torn-off", {"upto": 1}), 404, "roll_not_found")
    problem(guide.post(f"{ROLLS}/X/end"), 404, "roll_not_found")
    ok(guide.post(ROLLS, ROLL), 201)
    problem(guide.post(f"{ROLLS}/X/torn-off", {"upto": 101}), 409, "roll_used_up")
    assert guide.post(f"{ROLLS}/X/torn-off", {"upto": 0}).status_code == 422


def test_a_report_sent_twice_is_done_once(stage: Stage) -> None:
    guide = stage.person("guide")
    ok(guide.post(ROLLS, ROLL), 201)
    first, again = (
        ok(guide.post(f"{ROLLS}/X/torn-off", {"upto": 5}, **{"Idempotency-Key": "report-1"})) for _ in range(2)
    )
    assert first == again
    assert len(first["tickets"]) == 5


def test_a_number_written_by_hand_is_given_like_any_other(stage: Stage) -> None:
    told = ok(stage.person("guide").post(f"/halls/{HALL}/tickets", {"service": "general", "channel": "hand"}), 201)
    assert told["label"] == "A001"
    assert stage.hall.read(lambda state, _: state.tickets[told["ticket"]].channel) == "hand"


@pytest.mark.parametrize(("channel", "printed"), [("kiosk", 1), ("guide", 1), ("hand", 0)])
def test_what_is_written_by_hand_is_not_printed(channel: str, printed: int) -> None:
    scene = Scene()
    events = scene.do(replace(issue("general"), channel=channel))
    assert len(jobs_of(scene.state, events, seq=1, at_ms=scene.now_ms)) == printed


def test_numbers_of_a_roll_are_on_paper_already() -> None:
    scene = Scene()
    scene.do(c.AnnounceRoll(service=ServiceId("general"), prefix="X", first=1, last=9))
    events = scene.do(c.TornOff(prefix="X", upto=3, tracks=tuple(Track(str(number)) for number in range(3))))
    assert jobs_of(scene.state, events, seq=1, at_ms=scene.now_ms) == []
