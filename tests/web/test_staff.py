"""Hand-over of a window, held visitors moved, and windows left alone, over HTTP and by the clock."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server import timers
from server.domain.commands import CallNext, Finish, OpenWindow, PlanHall, StartServing
from server.domain.terms import CLOCK, PauseReason, WindowNo, WorkId
from server.projections.manager import manager
from server.projections.window import window as window_picture
from server.web.presence import Presence
from tests.web.stage import HALL, PASSWORD, PLAN, Client, Clock, Stage

WINDOW = f"/halls/{HALL}/windows/1"
ONE, TWO = WindowNo("1"), WindowNo("2")
LEFT_ALONE_MIN = 15


def at_one(stage: Stage) -> Client:
    clerk = stage.person("clerk", window="1", hall=HALL)
    assert clerk.post(f"{WINDOW}/open").status_code == 200
    return clerk


def json_of(answer: Any) -> dict[str, Any]:
    return dict(answer.json)


def code(answer: Any) -> str:
    return str(answer.json["code"])


@pytest.fixture
def relief(stage: Stage) -> str:
    stage.people.add_user("relief", PASSWORD, role="clerk", name="关婷", hall=HALL)
    return "relief"


# ------------------------------------------------------------------------------------------------------- hand-over


def test_nobody_calls_at_a_window_where_a_colleague_works(stage: Stage, relief: str) -> None:
    clerk = at_one(stage)
    other = stage.person(relief, window="1", hall=HALL)
    stage.issue()
    refused = other.post(f"{WINDOW}/call-next")
    assert (refused.status_code, code(refused)) == (409, "window_taken")
    assert clerk.post(f"{WINDOW}/call-next").status_code == 200
    for command in ("start", "finish", "pause", "close"):
        assert (
            code(other.post(f"{WINDOW}/{command}", {"reason": "toilet"} if command == "pause" else {}))
            == "window_taken"
        )
    assert clerk.post(f"{WINDOW}/finish").status_code == 200
    assert other.post(f"{WINDOW}/hand-over", {"clerk": relief}).status_code == 200
    stage.issue()
    assert other.post(f"{WINDOW}/call-next").status_code == 200
    assert code(clerk.post(f"{WINDOW}/finish")) == "window_taken"


def test_a_window_that_a_manager_opened_is_anybodys_who_is_signed_in_there(stage: Stage) -> None:
    assert stage.person("manager").post(f"{WINDOW}/open").status_code == 200
    clerk = stage.person("clerk", window="1", hall=HALL)
    stage.issue()
    assert clerk.post(f"{WINDOW}/call-next").status_code == 200


def test_a_colleague_takes_over_with_a_password_and_the_browser_is_theirs(stage: Stage, relief: str) -> None:
    clerk = at_one(stage)
    ticket = stage.issue()
    clerk.post(f"{WINDOW}/call-next")
    answer = clerk.post(f"{WINDOW}/hand-over", {"work_id": relief, "password": PASSWORD, "reason": "换岗"})
    assert answer.status_code == 200, answer.text
    expected = {"window": "1", "from_clerk": "clerk", "clerk": relief, "ticket": ticket["ticket"], "held": []}
    assert {**json_of(answer), "seq": 0} == {**expected, "seq": 0}
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    me = json_of(clerk.get("/me"))
    assert (me["work_id"], me["window"]) == (relief, "1")
    clerk.csrf = me["csrf"]
    assert clerk.post(f"{WINDOW}/finish").status_code == 200
    assert clerk.get(f"/halls/{HALL}/tickets/{ticket['ticket']}").json["status"] == "finished"  # type: ignore[index]


def test_a_hand_over_whose_answer_was_lost_is_asked_again_with_its_key(stage: Stage, relief: str) -> None:
    clerk = at_one(stage)
    body = {"work_id": relief, "password": PASSWORD}
    old = clerk.http.get_cookie("jiaohao_session")
    assert old is not None
    first = clerk.post(f"{WINDOW}/hand-over", body, Idempotency_Key="k-1")
    clerk.http.set_cookie("jiaohao_session", old.value)  # the answer, cookie and all, never arrived
    again = clerk.post(f"{WINDOW}/hand-over", body, Idempotency_Key="k-1")
    assert (again.status_code, again.json) == (200, first.json)
    assert clerk.get("/me").json["work_id"] == relief  # type: ignore[index]


def test_no_password_is_kept_in_the_ledger(stage: Stage, relief: str) -> None:
    clerk = at_one(stage)
    keys = {"Idempotency_Key": "k-1"}
    assert clerk.post(f"{WINDOW}/hand-over", {"work_id": relief, "password": PASSWORD}, **keys).status_code == 200
    stored = str(stage.hall.commits(0, 1000))
    assert PASSWORD not in stored
    kept = next(commit for commit in stage.hall.commits(0, 1000) if commit.key == "k-1")
    assert kept.fingerprint, "the same request is known again without it"


def test_a_wrong_password_hands_nothing_over_and_locks_like_a_sign_in(stage: Stage, relief: str) -> None:
    clerk = at_one(stage)
    for _ in range(5):
        assert code(clerk.post(f"{WINDOW}/hand-over", {"work_id": relief, "password": "wrong horse"})) == (
            "sign_in_failed"
        )
    assert clerk.post(f"{WINDOW}/hand-over", {"work_id": relief, "password": PASSWORD}).status_code == 429
    assert clerk.get("/me").json["work_id"] == "clerk"  # type: ignore[index]
    assert stage.hall.read(lambda state, _: state.windows[ONE].clerk) == "clerk"


def test_who_may_not_work_at_the_window_takes_over_none(stage: Stage) -> None:
    clerk = at_one(stage)

    def refused(work_id: str) -> str:
        return code(clerk.post(f"{WINDOW}/hand-over", {"work_id": work_id, "password": PASSWORD}))

    assert refused("clerk2") == "window_not_for", "the account names windows 2 and 3"
    assert refused("guide") == "window_not_for"
    assert refused("clerk") == "same_clerk"
    stage.hall.handle(OpenWindow(window=TWO, clerk=WorkId("manager")), actor=CLOCK)
    assert refused("manager") == "clerk_elsewhere"
    assert clerk.get("/me").json["work_id"] == "clerk"  # type: ignore[index]


def test_a_manager_names_who_takes_over_and_a_clerk_only_takes_over_for_himself(stage: Stage, relief: str) -> None:
    clerk, manager_ = at_one(stage), stage.person("manager")
    assert code(clerk.post(f"{WINDOW}/hand-over", {"clerk": relief})) == "not_allowed"
    assert code(manager_.post(f"{WINDOW}/hand-over", {"clerk": "nobody"})) == "account_not_found"
    stage.people.disable_user(relief)
    assert code(manager_.post(f"{WINDOW}/hand-over", {"clerk": relief})) == "account_not_found"
    stage.people.disable_user(relief, disabled=False)
    answer = manager_.post(f"{WINDOW}/hand-over", {"clerk": relief})
    assert (answer.json["clerk"], answer.headers.get("Set-Cookie")) == (relief, None)  # type: ignore[index]
    # The first clerk still sits there and takes the window back in one press.
    assert clerk.post(f"{WINDOW}/hand-over", {"clerk": "clerk"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"work_id": "relief"}, {"work_id": "a", "password": "b", "clerk": "c"}])
def test_a_hand_over_names_one_person_in_one_way(stage: Stage, body: dict[str, str]) -> None:
    answer = at_one(stage).post(f"{WINDOW}/hand-over", body)
    assert (answer.status_code, code(answer)) == (422, "invalid")


def test_a_keypad_hands_nothing_over(stage: Stage) -> None:
    agent = stage.device("devices-1")
    row = {"kind": "keypad", "windows": ["1"], "name": "键盘"}
    agent.put(f"/halls/{HALL}/devices/k1", row)
    assert code(agent.post(f"{WINDOW}/hand-over", {"clerk": "clerk"})) == "not_allowed"


# ----------------------------------------------------------------------------------------------------- held visitors


def test_held_visitors_of_a_closed_window_are_called_back_elsewhere(stage: Stage) -> None:
    clerk = at_one(stage)
    ticket = stage.issue()["ticket"]
    clerk.post(f"{WINDOW}/call-next")
    clerk.post(f"{WINDOW}/hold", {"reason": "复印"})
    clerk.post(f"{WINDOW}/close")
    assert code(clerk.post(f"{WINDOW}/move-held", {"to_window": "1"})) == "same_window"
    assert code(clerk.post(f"{WINDOW}/move-held", {"to_window": "99"})) == "window_not_found"
    answer = clerk.post(f"{WINDOW}/move-held", {"to_window": "2", "reason": "下班"})
    expected = {"window": "1", "to_window": "2", "held": [ticket], "missed": []}
    assert {**json_of(answer), "seq": 0} == {**expected, "seq": 0}
    other = stage.person("clerk2", window="2", hall=HALL)
    other.post(f"/halls/{HALL}/windows/2/open")
    assert other.post(f"/halls/{HALL}/windows/2/resume-held").json["ticket"] == ticket  # type: ignore[index]
    assert code(clerk.post(f"{WINDOW}/move-held", {"to_window": "2"})) == "illegal_move"


# -------------------------------------------------------------------------------------------------------- left alone


@pytest.fixture
def wall() -> Clock:
    return Clock()


@pytest.fixture
def watched(make_stage: Callable[..., Stage], wall: Clock) -> Stage:
    """Give a server whose hall pauses windows left alone for 15 minutes."""
    stage = make_stage(presence=Presence(clock=lambda: wall.ms / 1000))
    stage.hall.handle(PlanHall(plan=replace(PLAN, left_alone_min=LEFT_ALONE_MIN)), actor=CLOCK)
    return stage


def later(stage: Stage, wall: Clock, minutes: float) -> str | None:
    """Let time pass, let the clock tick, and say why window 1 is paused."""
    wall.forward(minutes * 60)
    stage.clock.forward(minutes * 60)
    timers.tick([stage.hall], idle_of=stage.site.presence.idle_s)
    return stage.hall.read(lambda state, _: state.windows[ONE].paused)


def test_a_window_without_a_sign_of_life_is_paused_and_the_manager_is_told(watched: Stage, wall: Clock) -> None:
    clerk = at_one(watched)
    assert later(watched, wall, LEFT_ALONE_MIN - 1) is None
    assert later(watched, wall, 1) is PauseReason.LEFT_ALONE
    last = watched.hall.commits(watched.hall.seq - 1, 1)[0]
    assert last.actor == CLOCK
    assert code(clerk.post(f"{WINDOW}/call-next")) == "window_paused"
    (alarm,) = watched.hall.read(lambda state, _: manager(state, names={"clerk": "甲"})).alarms
    assert (alarm.kind, getattr(alarm, "window"), getattr(alarm, "since")) == (  # noqa: B009 - one kind among several
        "window_left_alone",
        "1",
        "2026-03-02T09:15:00.000+08:00",
    )
    assert clerk.post(f"{WINDOW}/resume").json["status"] == "open"  # type: ignore[index]
    assert watched.hall.read(lambda state, _: manager(state, names={})).alarms == ()
    assert later(watched, wall, LEFT_ALONE_MIN - 1) is None, "the resume was a sign of life"


@pytest.mark.parametrize("press", ["alive", "call-next", "recall"])
def test_every_press_at_the_window_is_a_sign_of_life_even_a_refused_one(
    watched: Stage, wall: Clock, press: str
) -> None:
    clerk = at_one(watched)
    assert later(watched, wall, LEFT_ALONE_MIN - 1) is None
    clerk.post(f"{WINDOW}/{press}")
    assert later(watched, wall, LEFT_ALONE_MIN - 1) is None
    assert later(watched, wall, 1) is PauseReason.LEFT_ALONE


def test_looking_at_the_window_is_no_sign_of_life(watched: Stage, wall: Clock) -> None:
    clerk = at_one(watched)
    later(watched, wall, LEFT_ALONE_MIN - 1)
    clerk.get(f"/halls/{HALL}/state")
    clerk.get("/me")
    assert later(watched, wall, 1) is PauseReason.LEFT_ALONE


def test_who_serves_a_visitor_is_at_work_for_three_times_the_usual_minutes(watched: Stage, wall: Clock) -> None:
    clerk = at_one(watched)
    watched.issue()
    clerk.post(f"{WINDOW}/call-next")
    clerk.post(f"{WINDOW}/start")
    assert later(watched, wall, 30 + LEFT_ALONE_MIN - 1) is None, "reads papers with the visitor"
    assert later(watched, wall, 1) is PauseReason.LEFT_ALONE
    picture = watched.hall.read(lambda state, _: window_picture(state, ONE, now_ms=watched.clock.ms, names={}))
    assert (picture.status, picture.pause_reason) == ("serving", "left_alone")
    row = clerk.get(f"/halls/{HALL}/state").json["windows"][0]  # type: ignore[index]
    assert (row["status"], row["pause_reason"]) == ("serving", "left_alone")
    assert clerk.post(f"{WINDOW}/resume").json["status"] == "serving"  # type: ignore[index]


def test_a_visitor_who_is_called_and_does_not_come_keeps_nobody_at_work(watched: Stage, wall: Clock) -> None:
    clerk = at_one(watched)
    watched.issue()
    clerk.post(f"{WINDOW}/call-next")
    assert later(watched, wall, LEFT_ALONE_MIN) is PauseReason.LEFT_ALONE


def test_what_nobody_knows_counts_from_the_start_of_the_process(watched: Stage, wall: Clock) -> None:
    at_one(watched)
    wall.forward(8 * 3600)
    object.__setattr__(watched.site, "presence", Presence(clock=lambda: wall.ms / 1000))  # the server starts again
    assert later(watched, wall, LEFT_ALONE_MIN - 1) is None
    assert later(watched, wall, 1) is PauseReason.LEFT_ALONE


def test_paused_and_closed_windows_are_left_as_they_are(watched: Stage, wall: Clock) -> None:
    clerk = at_one(watched)
    clerk.post(f"{WINDOW}/pause", {"reason": "lunch"})
    assert later(watched, wall, 120) is PauseReason.LUNCH
    clerk.post(f"{WINDOW}/close")
    assert later(watched, wall, 120) is None


def test_a_hall_that_does_not_ask_for_it_pauses_nobody(stage: Stage) -> None:
    at_one(stage)
    timers.tick([stage.hall], idle_of=lambda hall, no: 1e9)
    assert stage.hall.read(lambda state, _: state.windows[ONE].paused) is None


def test_a_person_does_not_pause_for_being_away_unnoticed(stage: Stage) -> None:
    answer = at_one(stage).post(f"{WINDOW}/pause", {"reason": "left_alone"})
    assert answer.status_code == 422


def test_a_window_resumed_between_looking_and_pausing_is_no_fault(stage: Stage) -> None:
    """The clock looked while somebody was away; the pause it then asks for is refused and nobody minds."""
    stage.hall.handle(PlanHall(plan=replace(PLAN, left_alone_min=1)), actor=CLOCK)
    at_one(stage)
    looked: list[WindowNo] = []

    def idle(_hall: str, no: WindowNo) -> float:
        looked.append(no)
        return 1e6

    timers.tick([stage.hall], idle_of=idle)
    timers.tick([stage.hall], idle_of=idle)  # paused already: not even asked
    assert looked == [ONE]


def test_the_work_goes_on_after_a_hand_over(stage: Stage, relief: str) -> None:
    at_one(stage)
    stage.issue()
    for command in (CallNext(window=ONE), StartServing(window=ONE)):
        stage.hall.handle(command, actor=CLOCK)
    stage.person("manager").post(f"{WINDOW}/hand-over", {"clerk": relief})
    stage.hall.handle(Finish(window=ONE), actor=CLOCK)
    assert stage.hall.read(lambda state, _: next(iter(state.tickets.values())).clerk) == relief
