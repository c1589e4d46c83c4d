"""Taking the last move at a window back, on the wire: the answer, the history, and figures that show what is true."""

from typing import Any

import pytest

from tests.web.stage import HALL, Client, Stage

WINDOW = f"/halls/{HALL}/windows/1"


def told(answer: Any) -> dict[str, Any]:
    """Give what was answered."""
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


@pytest.fixture
def clerk(stage: Stage) -> Client:
    """Give the clerk at window 1, who serves a visitor."""
    client = stage.person("clerk", window="1", hall=HALL)
    stage.issue()
    for move in ("open", "call-next", "start"):
        assert client.post(f"{WINDOW}/{move}").status_code == 200
    return client


def test_a_finished_visit_goes_on_and_is_counted_once(stage: Stage, clerk: Client) -> None:
    finished = told(clerk.post(f"{WINDOW}/finish"))
    undone = told(clerk.post(f"{WINDOW}/undo", {"ticket": finished["ticket"]}))
    assert {**undone, "seq": 0} == {
        "ticket": finished["ticket"],
        "label": "A001",
        "status": "serving",
        "window": "1",
        "call_count": 1,
        "seq": 0,
    }
    manager = stage.person("manager")
    history = [it["event"] for it in told(manager.get(f"/halls/{HALL}/tickets/A001"))["history"]]
    assert history[-2:] == ["ticket_finished", "move_undone"]
    assert told(manager.get(f"/halls/{HALL}/reports/day"))["total"]["finished"] == 0
    clerk.post(f"{WINDOW}/finish")
    report = told(manager.get(f"/halls/{HALL}/reports/day"))
    assert report["total"]["finished"] == 1
    assert [it["finished"] for it in report["clerks"]] == [1]


def test_the_same_press_again_gets_the_first_answer(clerk: Client) -> None:
    clerk.post(f"{WINDOW}/finish")
    first, again = (told(clerk.post(f"{WINDOW}/undo", **{"Idempotency-Key": "once"})) for _ in range(2))
    assert again == first


def test_too_late_it_is_refused_with_what_to_do(stage: Stage, clerk: Client) -> None:
    clerk.post(f"{WINDOW}/finish")
    stage.clock.ms += 9_000
    answer: Any = clerk.post(f"{WINDOW}/undo")
    assert (answer.status_code, answer.json["code"]) == (409, "undo_over")
    assert "5" in answer.json["detail"]


def test_only_who_works_the_window_may(stage: Stage, clerk: Client) -> None:
    clerk.post(f"{WINDOW}/finish")
    assert stage.person("guide").post(f"{WINDOW}/undo").status_code == 403
