"""Announcements on the wire: on every board and the manager's page until they end."""

from server.projections.board import board
from server.projections.manager import manager
from tests.web.stage import HALL, Stage
from tests.web.test_visit import ok, problem

HERE = f"/halls/{HALL}/announcements"


def test_an_announcement_stands_on_the_boards_until_it_is_withdrawn(stage: Stage) -> None:
    guide = stage.person("guide")
    told = ok(guide.post(HERE, {"text": "请王女士到服务台。", "minutes": 5}), 201)
    assert (told["text"], told["emergency"], told["spoken"]) == ({"zh": "请王女士到服务台。"}, False, True)
    shown = stage.hall.read(lambda state, _: (board(state).announcement, manager(state, names={}).announcement))
    assert shown[0] == shown[1]
    assert shown[0] is not None
    assert (dict(shown[0].text), shown[0].until) == (told["text"], told["until"])
    fire = {"zh": "请从东侧出口离开。", "en": "Leave by the east exit."}
    assert ok(guide.post(HERE, {"text": fire, "emergency": True}), 201)["until"] is None
    ok(guide.post(f"{HERE}/end"))
    assert stage.hall.read(lambda state, _: board(state).announcement) is None
    problem(guide.post(f"{HERE}/end"), 409, "no_announcement")


def test_what_cannot_be_announced_is_refused_in_words(stage: Stage) -> None:
    guide = stage.person("guide")
    problem(guide.post(HERE, {"text": {"en": "Only English"}}), 409, "announcement_empty")
    for wrong in ({"text": "火" * 501}, {"text": "a\x07b"}, {"text": "好", "minutes": 0}, {}):
        assert guide.post(HERE, wrong).status_code == 422
    assert stage.hall.read(lambda state, _: state.announcement) is None
