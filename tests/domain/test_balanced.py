"""The calling rules of a hall: balanced weighs zones against each other, the others by name; nobody starves."""

from dataclasses import replace
from random import Random

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code, Refusal
from server.domain.routing import (
    CLEAR_MAX_MIN,
    HOME_FACTOR,
    HOME_MIN,
    SAME_ZONE_MIN,
    choose,
    left_to,
    preview,
    urgency_ms,
)
from server.domain.state import PROMPT_MS
from server.domain.terms import CallingRule, Fairness, HallPlan, Label, ServiceId, WindowNo, Zone, ZoneId
from tests.domain.halls import MIN, PLAN, Scene, a_service, a_window, issue

ZONES = ("a", "b", "c")
# Zone a has window 1, which relieves b and c, and window 4; b has window 2, c window 3.
WEIGHED = replace(
    PLAN,
    rule=CallingRule.BALANCED,
    zones=tuple(Zone(id=ZoneId(it), name={"zh": it}) for it in ZONES),
    services=tuple(a_service(it, it.upper(), it) for it in ZONES),
    windows=(a_window("1", "a", relief="b c"), a_window("2", "b"), a_window("3", "c"), a_window("4", "a")),
)


def a_hall(*windows: str, rule: CallingRule = CallingRule.BALANCED, plan: HallPlan = WEIGHED) -> Scene:
    return Scene(replace(plan, rule=rule), open_windows=windows or ("1", "2", "3", "4"))


def come(scene: Scene, *services: str, priority: str | None = None) -> list[Label]:
    return [scene.issue(it, priority) for it in services]


def called(scene: Scene, no: str) -> e.TicketCalled:
    event = scene.do(c.CallNext(window=WindowNo(no), finish=True))[-1]
    assert isinstance(event, e.TicketCalled)
    return event


def test_a_helper_goes_where_most_is_to_do_not_where_one_is_oldest() -> None:
    scene = a_hall()
    (old,) = come(scene, "c")
    scene.wait(7)
    crowd = come(scene, *"bbbbbbbb")
    scene.wait(5)
    assert called(scene, "1").label == crowd[0]
    scene = a_hall(rule=CallingRule.OLDEST_WAITING)
    (old,) = come(scene, "c")
    scene.wait(7)
    come(scene, *"bbbbbbbb")
    scene.wait(5)
    assert called(scene, "1").label == old


def test_a_helper_stays_at_home_when_home_needs_it_more() -> None:
    scene = a_hall("1", "2")  # nobody else is there for a
    come(scene, *"bbbb")
    scene.wait(10)
    own = come(scene, "a")
    assert called(scene, "1").label == own[0]
    scene = a_hall("1", "2", "4")  # window 4 has it in no time
    relieved = come(scene, *"bbbb")
    scene.wait(10)
    come(scene, "a")
    assert called(scene, "1").label == relieved[0]


@pytest.mark.parametrize(("older", "first"), [(4.8, "a"), (5.8, "b")])
def test_own_work_counts_a_tenth_and_five_minutes_more(older: float, first: str) -> None:
    plan = replace(WEIGHED, windows=(a_window("1", "a", relief="b"),))
    scene = a_hall("1", plan=plan)  # nobody else for either: both would take the most that counts
    come(scene, "b")
    scene.wait(older + CLEAR_MAX_MIN * (HOME_FACTOR - 1))
    come(scene, "a")
    scene.wait(1)
    assert scene.state.tickets[called(scene, "1").ticket].service == first


def test_a_change_of_zone_must_be_worth_it() -> None:
    scene = a_hall("1", "2", "3")
    come(scene, "b", "c")
    assert called(scene, "1").service == "b"  # they are alike, the number decides
    come(scene, "b")
    scene.wait(2)
    assert scene.window("1").last_zone == "b"
    assert called(scene, "1").service == "b"  # two minutes are less than five
    scene = a_hall("1", "2", "3")
    come(scene, "b", "c")
    assert called(scene, "1").service == "b"
    scene.wait(SAME_ZONE_MIN + 1)
    come(scene, "b")
    assert called(scene, "1").service == "c"


def test_a_call_that_helps_says_what_was_weighed() -> None:
    scene = a_hall("1", "2", "4")
    come(scene, *"bbbbbbbb", *"aa")
    event = called(scene, "1")
    assert (event.why, event.clear_min, event.own_clear_min) == ("relief", 74, 19)  # 8 and 2 times 9.28 minutes
    ticket = scene.state.tickets[event.ticket]
    assert (ticket.clear_min, ticket.own_clear_min) == (74, 19)
    own = called(scene, "4")
    assert (own.why, own.clear_min, own.own_clear_min) == ("head", None, None)  # it has nothing to weigh
    come(scene, *"aaaaaaaa")
    stays = called(scene, "1")
    assert (stays.why, stays.own_clear_min) == ("head", None)
    assert stays.clear_min is not None


def test_the_most_urgent_of_the_heaviest_zone_is_called_by_the_guard_of_that_zone() -> None:
    scene = a_hall(plan=replace(WEIGHED, fairness=Fairness(ratio=1)))
    ordinary = come(scene, *"bbbbbb")
    greens = [*come(scene, "b", priority="green"), *come(scene, "b", priority="green")]
    come(scene, "c", priority="green")
    assert [called(scene, "1").label for _ in range(3)] == [greens[0], ordinary[0], greens[1]]


def test_a_preview_shows_everybody_once_and_begins_with_who_is_called() -> None:
    scene = a_hall()
    dice = Random(4)
    for _ in range(30):
        come(scene, dice.choice(ZONES), priority=dice.choice([None, None, "green"]))
        scene.wait(dice.randrange(3))
    row = preview(scene.state, WindowNo("1"), scene.now_ms, 99)
    assert sorted(it.ticket for it in row) == sorted(scene.state.tickets)
    assert row[0] == choose(scene.state, WindowNo("1"), scene.now_ms)
    for zone in ZONES:
        ordinary = [it.ticket for it in row for own in [scene.state.tickets[it.ticket]] if own.zone == zone]
        ordinary = [it for it in ordinary if scene.state.tickets[it].priority == "ordinary"]
        assert ordinary == sorted(ordinary)


def test_the_next_leg_of_who_is_just_finished_may_be_next_here() -> None:
    scene = a_hall("1")
    scene.do(replace(issue("a"), legs=(ServiceId("a"), ServiceId("b"))))
    called(scene, "1")
    scene.wait(10)
    event = called(scene, "1")
    assert (event.label, event.service, event.why) == ("A001", "b", "relief")


def test_a_ticket_of_one_window_is_its_own_work() -> None:
    scene = a_hall("1", "2")
    come(scene, *"bbb")
    bound = scene.issue("b", window="1")
    event = called(scene, "1")
    assert (event.label, event.why) == (bound, "bound")


def prompt(scene: Scene, no: str, service: str) -> None:
    """Let a window call three visitors at once, and be free."""
    for _ in range(3):
        scene.issue(service)
        scene.next(no)
        scene.wait(1)
        scene.finish(no)


def test_relief_is_left_to_a_free_window_whose_own_work_it_is() -> None:
    scene = a_hall("1", "2")
    prompt(scene, "2", "b")
    (label,) = come(scene, "b")
    assert left_to(scene.state, WindowNo("1"), scene.now_ms) == "2"
    with pytest.raises(Refusal) as refused:
        called(scene, "1")
    assert refused.value.code is Code.NOBODY_WAITING
    assert "2" in refused.value.sentence("en")
    assert preview(scene.state, WindowNo("1"), scene.now_ms) == []
    (second,) = come(scene, "b")  # one free window, two people
    assert called(scene, "1").label == label
    assert called(scene, "2").label == second


def test_nobody_is_left_for_long_nor_to_a_window_that_is_slow_to_call() -> None:
    scene = a_hall("1", "2")
    prompt(scene, "2", "b")
    (label,) = come(scene, "b")
    scene.wait(0.6)
    assert called(scene, "1").label == label
    scene = a_hall("1", "2")
    prompt(scene, "2", "b")
    come(scene, "b")
    scene.now_ms += PROMPT_MS + 1000
    scene.next("2")  # late this time: somebody who waits is not left to it again
    scene.wait(1)
    scene.finish("2")
    (label,) = come(scene, "b")
    assert called(scene, "1").label == label


def test_own_work_is_left_to_nobody() -> None:
    scene = a_hall("1", "4")
    prompt(scene, "4", "a")
    (label,) = come(scene, "a")
    assert called(scene, "1").label == label


def test_relief_is_left_to_a_free_helper_that_may_serve_less() -> None:
    plan = replace(WEIGHED, windows=(a_window("1", "a", relief="b c"), a_window("2", "c", relief="b")))
    scene = a_hall("1", "2", plan=plan)
    prompt(scene, "2", "c")
    come(scene, "b")
    assert left_to(scene.state, WindowNo("1"), scene.now_ms) == "2"
    assert called(scene, "2").service == "b"


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        (CallingRule.STATIC, ["A001", "A002"]),
        (CallingRule.HOME_FIRST, ["A001", "A002", "C001", "B001", "B002"]),
        (CallingRule.OLDEST_WAITING, ["C001", "B001", "A001", "A002", "B002"]),  # own counts 8 minutes older
    ],
)
def test_rules_by_name(rule: CallingRule, order: list[str]) -> None:
    scene = a_hall("1", rule=rule)
    for service in ("c", "b"):
        come(scene, service)
        scene.wait(20 if service == "c" else 9)
    come(scene, "a", "b")
    scene.wait(1)
    come(scene, "a")
    assert scene.order_at("1") == order


def test_static_is_told_that_nobody_waits_and_a_ticket_of_the_window_is_still_called() -> None:
    scene = a_hall("1", rule=CallingRule.STATIC)
    come(scene, "b")
    assert scene.refused(c.CallNext(window=WindowNo("1"))) is Code.NOBODY_WAITING
    bound = scene.issue("b", window="1")
    assert called(scene, "1").label == bound


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_passed_over_for_one_much_less_urgent(seed: int) -> None:
    """Between zones: at most the bound. Inside a zone: urgency and the guard, held against the naive hall elsewhere."""
    dice, scene = Random(seed), a_hall()
    for _ in range(250):
        come(scene, dice.choice("aabbbbbc"), priority=dice.choice([None, None, None, "green", "appointment"]))
        scene.wait(dice.randrange(4))
        no = dice.choice(["1", "1", "2", "3", "4"])
        waiting = {
            it.id: urgency_ms(scene.state, it.priority, it.since_ms, scene.now_ms) / MIN
            for it in scene.state.tickets.values()
            if it.status == "waiting" and it.service in (*scene.window(no).serves, *scene.window(no).relief)
        }
        if not waiting or left_to(scene.state, WindowNo(no), scene.now_ms):
            continue
        event = called(scene, no)
        bound = HOME_FACTOR * (waiting[event.ticket] + CLEAR_MAX_MIN + SAME_ZONE_MIN) + HOME_MIN
        others = [urgency for id_, urgency in waiting.items() if scene.state.tickets[id_].zone != event.zone]
        assert max(others, default=0.0) <= bound


def test_in_a_hall_that_is_too_full_for_ever_everybody_is_called_in_bounded_time() -> None:
    """Two zones want more than all windows have; the helped one has no window of its own."""
    plan = replace(WEIGHED, windows=(a_window("1", "a", relief="b"),))
    scene = a_hall("1", plan=plan)
    waits: dict[str, list[int]] = {"a": [], "b": []}
    for minute in range(600):
        if minute % 12 == 0:
            come(scene, "a")
        if minute % 40 == 0:
            come(scene, "b")
        if minute % 10 == 9:
            event = called(scene, "1")
            waits[event.service].append(event.waited_s)
        scene.wait(1)
    assert len(waits["b"]) >= 10
    assert max(waits["b"]) <= 60 * (HOME_FACTOR * (max(waits["a"]) / 60 + CLEAR_MAX_MIN + SAME_ZONE_MIN) + HOME_MIN)
