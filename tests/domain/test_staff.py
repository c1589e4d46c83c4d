"""Hand-over of a window, of its held visitors, and windows left alone: nobody is lost, one clerk at one window."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.forecast import expected
from server.domain.lookahead import Newcomer
from server.domain.refusals import Code
from server.domain.terms import PauseReason, ServiceId, WindowNo, WindowStatus, WorkId
from tests.domain.halls import PLAN, Scene

ONE, TWO, FOUR = WindowNo("1"), WindowNo("2"), WindowNo("4")


def hand_over(to: str, no: WindowNo = ONE) -> c.HandOver:
    return c.HandOver(window=no, clerk=WorkId(to), reason="lunch")


def alone(no: WindowNo = ONE) -> c.LeaveAlone:
    return c.LeaveAlone(window=no, idle_s=900)


def at_work() -> Scene:
    """Give a hall in which window 1 serves A003, holds A001 and missed A002."""
    scene = Scene(open_windows=["1"])
    for _ in range(3):
        scene.issue()
    scene.next("1")
    scene.start("1")
    scene.do(c.Hold(window=ONE, reason="copies"))
    scene.wait(1)
    scene.next("1")
    scene.do(c.MarkMissed(window=ONE))
    scene.wait(1)
    scene.next("1")
    scene.start("1")
    return scene


# ------------------------------------------------------------------------------------------------------- hand-over


def test_a_hand_over_changes_the_clerk_and_nothing_else() -> None:
    scene = at_work()
    before = scene.window("1")
    kept = (before.current, list(before.held), list(before.missed), before.since_ms)
    (event,) = scene.do(hand_over("relief"))
    assert event == e.WindowHandedOver(
        window=ONE,
        from_clerk=WorkId("clerk-1"),
        clerk=WorkId("relief"),
        ticket=scene.ticket("A003").id,
        held=(scene.ticket("A001").id,),
        reason="lunch",
    )
    after = scene.window("1")
    assert (after.current, after.held, after.missed, after.since_ms) == kept
    assert (after.clerk, scene.ticket("A003").clerk) == ("relief", "relief")
    assert scene.state.window_status(ONE) is WindowStatus.SERVING


def test_the_grade_belongs_to_who_finished_the_visit() -> None:
    scene = at_work()
    scene.do(hand_over("relief"))
    scene.finish("1")
    rated = scene.do(c.RateAtWindow(window=ONE, grade=5))[0]
    assert isinstance(rated, e.TicketRated)
    assert rated.clerk == "relief"


def test_the_grade_of_a_visit_finished_before_the_hand_over_stays_with_its_clerk() -> None:
    scene = at_work()
    scene.finish("1")
    scene.do(hand_over("relief"))
    rated = scene.do(c.RateAtWindow(window=ONE, grade=2))[0]
    assert isinstance(rated, e.TicketRated)
    assert rated.clerk == "clerk-1"


def test_a_window_is_handed_over_while_it_is_paused_and_stays_so() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(c.PauseWindow(window=ONE, reason=PauseReason.LUNCH))
    scene.do(hand_over("relief"))
    assert (scene.window("1").clerk, scene.window("1").paused) == ("relief", PauseReason.LUNCH)


def test_who_works_at_another_window_takes_over_none() -> None:
    scene = Scene(open_windows=["1", "2"])
    assert scene.refused(hand_over("clerk-2")) is Code.CLERK_ELSEWHERE
    assert scene.refused(hand_over("clerk-1")) is Code.SAME_CLERK
    assert scene.refused(hand_over("relief", FOUR)) is Code.WINDOW_CLOSED
    assert scene.refused(hand_over("relief", WindowNo("99"))) is Code.WINDOW_NOT_FOUND


def test_who_was_relieved_may_open_another_window_and_who_took_over_may_not() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(hand_over("relief"))
    assert scene.refused(c.OpenWindow(window=TWO, clerk=WorkId("relief"))) is Code.CLERK_ELSEWHERE
    scene.do(c.OpenWindow(window=TWO, clerk=WorkId("clerk-1")))


# ----------------------------------------------------------------------------------------------------- held visitors


def test_the_lists_of_a_closed_window_are_called_back_elsewhere() -> None:
    scene = at_work()
    scene.finish("1")
    scene.do(c.CloseWindow(window=ONE))
    scene.open("2")
    held, missed = scene.ticket("A001"), scene.ticket("A002")
    (event,) = scene.do(c.MoveHeld(window=ONE, to_window=TWO, reason="closed"))
    assert event == e.HeldMoved(window=ONE, to_window=TWO, held=(held.id,), missed=(missed.id,), reason="closed")
    assert (scene.window("1").held, scene.window("1").missed) == ([], [])
    assert (held.window, missed.window) == ("2", "2")
    assert scene.refused(c.Resume(window=ONE, ticket=held.id)) is Code.WINDOW_CLOSED
    scene.do(c.Resume(window=TWO))
    assert scene.window("2").current == held.id
    scene.do(c.Reinstate(ticket=missed.id))
    assert scene.window("2").missed == []


def test_who_was_held_longest_is_first_in_a_merged_list() -> None:
    scene = Scene(open_windows=["1", "2"])
    for _ in range(4):
        scene.issue()
    for no in ("1", "2", "1", "2"):
        scene.next(no)
        scene.do(c.Hold(window=WindowNo(no)))
        scene.wait(1)
    scene.do(c.MoveHeld(window=TWO, to_window=ONE))
    assert [scene.state.tickets[id_].label for id_ in scene.window("1").held] == ["A001", "A002", "A003", "A004"]


def test_a_moved_visit_is_finished_at_its_new_window_only() -> None:
    scene = at_work()
    scene.do(c.MoveHeld(window=ONE, to_window=TWO))
    held = scene.ticket("A001").id
    assert scene.refused(c.Finish(window=ONE, ticket=held)) is Code.TICKET_ELSEWHERE
    scene.do(c.Finish(window=TWO, ticket=held))
    assert scene.window("2").held == []


def test_lists_move_only_where_somebody_is_sent() -> None:
    plan = replace(PLAN, windows=(*PLAN.windows[:3], replace(PLAN.windows[3], staffed=False)))
    scene = Scene(plan, open_windows=["1"])
    assert scene.refused(c.MoveHeld(window=ONE, to_window=TWO)) is Code.ILLEGAL_MOVE, "there is nobody to move"
    scene.issue()
    scene.next("1")
    scene.do(c.Hold(window=ONE))
    assert scene.refused(c.MoveHeld(window=ONE, to_window=ONE)) is Code.SAME_WINDOW
    assert scene.refused(c.MoveHeld(window=ONE, to_window=FOUR)) is Code.WINDOW_UNSTAFFED
    assert scene.refused(c.MoveHeld(window=ONE, to_window=WindowNo("99"))) is Code.WINDOW_NOT_FOUND
    assert scene.refused(c.MoveHeld(window=WindowNo("99"), to_window=ONE)) is Code.WINDOW_NOT_FOUND


# -------------------------------------------------------------------------------------------------------- left alone


def test_a_window_left_alone_is_paused_and_takes_no_calls() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    (event,) = scene.do(alone())
    assert event == e.WindowLeftAlone(window=ONE, clerk=WorkId("clerk-1"), idle_s=900)
    assert scene.state.window_status(ONE) is WindowStatus.PAUSED
    assert scene.window("1").paused is PauseReason.LEFT_ALONE
    assert scene.refused(c.CallNext(window=ONE)) is Code.WINDOW_PAUSED
    assert expected(scene.state, Newcomer(service=ServiceId("general")), scene.now_ms) is None, "nobody else serves it"
    scene.do(c.ResumeWindow(window=ONE))
    assert scene.next("1") == "A001"


@pytest.mark.parametrize("serving", [False, True])
def test_a_window_left_alone_beside_its_visitor_still_shows_the_visitor(serving: bool) -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.issue()
    scene.next("1")
    if serving:
        scene.start("1")
    status = WindowStatus.SERVING if serving else WindowStatus.CALLING
    since = scene.window("1").since_ms
    scene.wait(20)
    scene.do(alone())
    assert (scene.state.window_status(ONE), scene.window("1").paused) == (status, PauseReason.LEFT_ALONE)
    assert scene.refused(c.CallNext(window=ONE, finish=True)) is Code.WINDOW_PAUSED
    (resumed,) = scene.do(c.ResumeWindow(window=ONE))
    assert resumed == e.WindowResumed(window=ONE, status=status)
    assert (scene.window("1").paused, scene.window("1").since_ms) == (None, since)
    assert scene.next("1", finish=True) == "A002"


def test_the_visit_of_a_window_left_alone_may_end_and_the_window_stays_paused() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    scene.do(alone())
    scene.finish("1")
    assert scene.state.window_status(ONE) is WindowStatus.PAUSED
    assert scene.refused(c.CallNext(window=ONE)) is Code.WINDOW_PAUSED


def test_a_window_is_left_alone_once_and_only_while_somebody_works_there() -> None:
    scene = Scene()
    assert scene.refused(alone()) is Code.WINDOW_CLOSED
    assert scene.refused(alone(WindowNo("99"))) is Code.WINDOW_NOT_FOUND
    scene.open("1")
    scene.do(alone())
    assert scene.refused(alone()) is Code.WINDOW_PAUSED
    scene.do(c.CloseWindow(window=ONE))
    scene.open("1")
    assert scene.window("1").paused is None, "who opens the window is there"


def test_a_window_that_was_not_left_alone_needs_no_resume() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.next("1")
    assert scene.refused(c.ResumeWindow(window=ONE)) is Code.WINDOW_OPEN


def test_deciding_and_replaying_agree() -> None:
    scene = at_work()
    scene.do(hand_over("relief"))
    scene.do(alone())
    scene.do(c.MoveHeld(window=ONE, to_window=TWO))
    again = Scene.__new__(Scene)
    again.state = type(scene.state)()
    for at_ms, event in scene.past:
        evolve(again.state, event, at_ms=at_ms)
    assert again.state == scene.state
    assert decide(again.state, c.ResumeWindow(window=ONE), now_ms=scene.now_ms)
