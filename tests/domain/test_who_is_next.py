"""Who is next: pairs of window and service, arrival inside a class, priority that grows, home before relief."""

from copy import deepcopy
from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from server.domain.routing import ahead, choose, preview, waiting_for
from server.domain.terms import (
    Fairness,
    HallPlan,
    Label,
    PauseReason,
    PriorityId,
    PriorityRule,
    ServiceId,
    WindowNo,
    label_of,
)
from tests.domain.halls import MIN, PLAN, Scene, a_service, a_window, issue


def test_who_came_first_is_called_first() -> None:
    scene = Scene(open_windows=["1"])
    labels = [scene.issue() for _ in range(5)]
    assert [scene.next("1", finish=True) for _ in labels] == labels


def test_order_is_by_number_when_two_come_in_the_same_millisecond() -> None:
    scene = Scene(open_windows=["1"])
    for track in ("x", "y", "z"):
        scene.do(issue("general", track=track))
    assert scene.order_at("1") == ["A001", "A002", "A003"]


def test_call_next_skips_services_the_window_does_not_serve() -> None:
    scene = Scene(open_windows=["4"])
    scene.issue("general")
    scene.issue("invoice")
    scene.issue("tax")
    assert scene.order_at("4") == ["B002"]


def test_windows_and_services_match_as_pairs_and_never_crosswise() -> None:
    # Window 3 serves (tax, company) and (social, person); nobody may send it (tax, person) or (social, company).
    services = tuple(
        a_service(it, prefix) for it, prefix in {"tax-co": "A", "tax-p": "B", "soc-co": "C", "soc-p": "D"}.items()
    )
    scene = Scene(replace(PLAN, services=services, windows=(a_window("3", "tax-co soc-p"),)), open_windows=["3"])
    for service in ("tax-p", "soc-co", "soc-p", "tax-co"):
        scene.issue(service)
    assert scene.order_at("3") == ["D001", "A001"]


def test_nobody_waiting_is_an_answer_of_its_own_and_writes_nothing() -> None:
    scene = Scene(open_windows=["1"])
    assert scene.refused(c.CallNext(window=WindowNo("1"))) is Code.NOBODY_WAITING


def test_nobody_waiting_does_not_finish_the_current_ticket() -> None:
    scene = Scene(open_windows=["1"])
    label = scene.issue()
    scene.next("1")
    assert scene.refused(c.CallNext(window=WindowNo("1"), finish=True)) is Code.NOBODY_WAITING
    assert scene.window("1").current == scene.ticket(label).id


def test_an_unfinished_ticket_keeps_the_window_busy() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.issue()
    scene.next("1")
    assert scene.refused(c.CallNext(window=WindowNo("1"))) is Code.WINDOW_BUSY


def test_finish_and_call_happen_in_one_commit() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.issue()
    scene.next("1")
    events = scene.do(c.CallNext(window=WindowNo("1"), finish=True))
    assert [type(it) for it in events] == [e.TicketFinished, e.TicketCalled]


def test_a_window_closed_or_paused_calls_nobody() -> None:
    scene = Scene()
    scene.issue()
    assert scene.refused(c.CallNext(window=WindowNo("1"))) is Code.WINDOW_CLOSED
    scene.open("1")
    scene.do(c.PauseWindow(window=WindowNo("1"), reason=PauseReason.LUNCH))
    assert scene.refused(c.CallNext(window=WindowNo("1"))) is Code.WINDOW_PAUSED
    scene.do(c.ResumeWindow(window=WindowNo("1")))
    scene.next("1")


def test_own_work_comes_before_relief_until_the_credit_is_waited_out() -> None:
    scene = Scene(open_windows=["1"])  # 1 serves general and relieves tax; its own work counts 8 minutes older
    scene.issue("tax")
    scene.wait(7.9)
    scene.issue("general")
    assert scene.order_at("1") == ["A001", "B001"]
    scene = Scene(open_windows=["1"])
    scene.issue("tax")
    scene.wait(8.1)
    scene.issue("general")
    assert scene.order_at("1") == ["B001", "A001"]


def test_a_call_says_why() -> None:
    scene = Scene(open_windows=["1", "3"])
    scene.issue("general")
    scene.issue("general", "green")
    scene.issue("tax")
    scene.issue("general", window="1")
    why = {}
    for _ in range(4):
        event = scene.do(c.CallNext(window=WindowNo("1"), finish=True))[-1]
        assert isinstance(event, e.TicketCalled)
        why[event.label] = event.why
    assert why == {"A001": "head", "A002": "priority", "A003": "bound", "B001": "relief"}


def test_a_green_channel_visitor_goes_ahead_of_who_came_shortly_before() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.wait(9)
    scene.issue(priority="green")
    assert scene.order_at("1") == ["A002", "A001"]


def test_an_ordinary_visitor_who_waited_long_beats_every_fresh_priority() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.wait(10.1)
    scene.issue(priority="green")
    assert scene.order_at("1") == ["A001", "A002"]


def test_priority_grows_faster_so_that_it_overtakes_while_waiting() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.wait(12)
    scene.issue(priority="green")
    assert scene.order_at("1") == ["A001", "A002"]
    scene.wait(2)  # 14 against 3 x 2 + 10
    assert scene.order_at("1") == ["A002", "A001"]


def test_a_stream_of_green_channel_visitors_starves_nobody() -> None:
    scene = Scene(open_windows=["1"])
    ordinary = scene.issue()
    for served in range(100):
        scene.issue(priority="green")
        if scene.next("1", finish=True) == ordinary:
            assert served <= 10
            return
        scene.wait(1)
    pytest.fail("an ordinary visitor was passed over 100 times")


def test_order_is_that_of_arrival_inside_every_class() -> None:
    scene = Scene(open_windows=["1"])
    for index in range(30):
        scene.issue(priority=(None, "green", "appointment")[index % 3])
        scene.wait(index % 4)
    called = scene.order_at("1")
    for priority in ("ordinary", "green", "appointment"):
        mine = [label for label in called if scene.ticket(label).priority == priority]
        assert mine == sorted(mine)
    assert len(called) == 30


def test_a_ticket_bound_to_a_window_is_called_there_only() -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.issue(window="2")
    scene.issue()
    assert scene.order_at("1") == ["A002"]
    assert scene.order_at("2") == ["A001", "A002"]


def test_a_bound_ticket_names_its_window_alone() -> None:
    scene = Scene()
    assert scene.ticket(scene.issue()).windows == ("1", "2")
    assert scene.ticket(scene.issue(window="2")).windows == ("2",)
    assert scene.ticket(scene.issue("tax")).windows == ("3", "4")  # relief windows are not told


def test_a_bound_ticket_is_called_by_its_window_whatever_was_assigned_since() -> None:
    scene = Scene(open_windows=["1", "2"])
    scene.issue(window="2")
    scene.do(c.AssignServices(window=WindowNo("2"), serves=(ServiceId("tax"),)))
    assert scene.order_at("1") == []
    assert scene.order_at("2") == ["A001"]
    scene.do(c.CallTicket(window=WindowNo("2"), label=scene.ticket("A001").label, reason="came to the desk"))


def test_services_are_assigned_live() -> None:
    scene = Scene(open_windows=["4"])
    scene.issue("general")
    assert scene.order_at("4") == []
    assign = c.AssignServices(
        window=WindowNo("4"),
        serves=(ServiceId("tax"), ServiceId("general"), ServiceId("tax")),
        relief=(ServiceId("tax"),),
    )
    assert scene.do(assign) == [
        e.ServicesAssigned(window=WindowNo("4"), serves=(ServiceId("tax"), ServiceId("general")), relief=(), reason="")
    ]
    assert scene.order_at("4") == ["A001"]
    assert scene.refused(c.AssignServices(window=WindowNo("4"), serves=())) is Code.NOTHING_TO_SERVE
    assert scene.refused(c.AssignServices(window=WindowNo("4"), serves=(ServiceId("x"),))) is Code.SERVICE_NOT_FOUND
    assert scene.refused(c.AssignServices(window=WindowNo("9"), serves=(ServiceId("tax"),))) is Code.WINDOW_NOT_FOUND


def test_services_can_be_assigned_after_the_day_has_closed() -> None:
    scene = Scene()
    scene.do(c.CloseDay())
    scene.do(c.AssignServices(window=WindowNo("4"), serves=(ServiceId("general"),)))
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    assert scene.window("4").serves == ("general",)


def test_a_preview_is_the_order_in_which_the_window_would_call() -> None:
    scene = Scene(open_windows=["1"])
    for index in range(20):
        scene.issue(("general", "tax", "social")[index % 3], (None, "green")[index % 2], None)
        scene.wait(1)
    now = scene.now_ms
    assert [scene.state.tickets[it.ticket].label for it in preview(scene.state, WindowNo("1"), now, 99)] == (
        scene.order_at("1")
    )
    assert len(preview(scene.state, WindowNo("1"), now)) == 8
    assert preview(scene.state, WindowNo("1"), now, 1) == [choose(scene.state, WindowNo("1"), now)]


def test_a_preview_of_nobody_is_empty() -> None:
    scene = Scene(open_windows=["1"])
    assert (
        preview(scene.state, WindowNo("1"), scene.now_ms, 0) == preview(scene.state, WindowNo("1"), scene.now_ms) == []
    )


def test_a_window_knows_how_many_wait_for_it_and_since_when() -> None:
    scene = Scene(open_windows=["1"])
    assert waiting_for(scene.state, WindowNo("1")) == (0, None)
    first_ms = scene.now_ms
    for service in ("tax", "general", "general", "social"):
        scene.issue(service)
    assert waiting_for(scene.state, WindowNo("1")) == (3, first_ms)


def test_the_visitor_is_told_how_many_of_the_series_are_ahead() -> None:
    scene = Scene(open_windows=["3"])
    told = [scene.ticket(scene.issue(service)).ahead for service in ("tax", "invoice", "general", "tax")]
    assert told == [0, 1, 0, 2]
    (event,) = scene.do(issue("tax", "green"))
    assert isinstance(event, e.TicketIssued)
    assert event.ahead == 0
    scene.next("3")
    assert ahead(scene.state, scene.ticket("B003").id, scene.now_ms) == 2  # B001 and B002 before it


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_ahead_agrees_with_the_order_of_one_window(slope: float) -> None:
    rule = PriorityRule(id=PriorityId("green"), name={"zh": "绿"}, slope=slope)
    plan = replace(PLAN, priorities=(rule,), windows=(a_window("1", "general"),))
    scene = Scene(plan, open_windows=["1"])
    for index in range(40):
        scene.issue(priority="green" if index % 3 == 0 else None)
        scene.wait((index * 7) % 5)
    for place, label in enumerate(scene.order_at("1")):
        assert ahead(scene.state, scene.ticket(label).id, scene.now_ms) == place


def fair(ratio: int = 0, oldest_first_after_min: int = 0) -> HallPlan:
    """Give the hall with a guard for ordinary visitors."""
    return replace(PLAN, fairness=Fairness(ratio=ratio, oldest_first_after_min=oldest_first_after_min))


def whys(scene: Scene, no: str) -> list[str]:
    """Give who would be called at a window and why: ["A001 head"]."""
    row = preview(scene.state, WindowNo(no), scene.now_ms, 99)
    return [f"{scene.state.tickets[it.ticket].label} {it.why}" for it in row]


def test_after_two_priorities_in_a_row_an_ordinary_visitor_goes_first() -> None:
    scene = Scene(fair(ratio=2), open_windows=["2"])
    for priority in (None, None, *["green"] * 5):
        scene.issue(priority=priority)
    row = ["A003 priority", "A004 priority", "A001 fairness", "A005 priority", "A006 priority", "A002 fairness"]
    assert whys(scene, "2") == [*row, "A007 priority"]
    assert scene.order_at("2") == [it.split()[0] for it in row] + ["A007"]


def test_without_an_ordinary_visitor_priorities_go_on_and_the_next_ordinary_one_is_due() -> None:
    scene = Scene(fair(ratio=2), open_windows=["2"])
    for _ in range(6):
        scene.issue(priority="green")
    assert [scene.next("2", finish=True) for _ in range(4)] == ["A001", "A002", "A003", "A004"]
    scene.issue()
    assert whys(scene, "2") == ["A007 fairness", "A005 priority", "A006 priority"]


def test_the_row_of_priorities_is_counted_by_zone_and_over_its_windows() -> None:
    scene = Scene(fair(ratio=2), open_windows=["1", "2", "3"])
    for service in ("general", "general", "general", "tax", "tax"):
        scene.issue(service, "green")
    scene.issue("general")
    scene.issue("tax")
    assert [scene.next(no, finish=True) for no in ("1", "2")] == ["A001", "A002"]
    assert scene.next("3", finish=True) == "B001"  # another zone: its own row
    assert whys(scene, "2") == ["A004 fairness", "A003 priority"]
    assert whys(scene, "1")[:2] == ["A004 fairness", "A003 priority"]


def test_only_an_ordinary_visitor_whom_the_window_may_serve_stops_the_row() -> None:
    scene = Scene(fair(ratio=1), open_windows=["1", "2"])
    scene.issue("social")  # window 1 does not serve it
    for _ in range(3):
        scene.issue(priority="green")
    assert [scene.next("1", finish=True) for _ in range(2)] == ["A001", "A002"]
    assert whys(scene, "2") == ["C001 fairness", "A003 priority"]


def test_a_call_out_of_turn_does_not_count_in_the_row() -> None:
    scene = Scene(fair(ratio=2), open_windows=["2"])
    labels = [scene.issue(priority="green") for _ in range(4)]
    scene.issue()
    scene.do(c.CallTicket(window=WindowNo("2"), label=labels[3], reason="in pain"))
    scene.finish("2")
    assert scene.state.in_a_row == {}
    assert scene.order_at("2") == ["A001", "A002", "A005", "A003"]


def test_a_recall_or_a_held_visitor_called_back_does_not_count_in_the_row() -> None:
    scene = Scene(fair(ratio=2), open_windows=["2"])
    scene.issue(priority="green")
    scene.next("2")
    scene.do(c.Recall(window=WindowNo("2")))
    scene.do(c.Hold(window=WindowNo("2")))
    scene.do(c.Resume(window=WindowNo("2")))
    assert scene.state.in_a_row == {"hall": 1}


def test_who_has_waited_longer_than_the_bound_goes_before_a_priority_oldest_first_and_then_it_is_its_turn() -> None:
    scene = Scene(fair(oldest_first_after_min=30), open_windows=["2"])
    scene.issue()
    scene.issue()
    scene.wait(5)
    scene.issue()
    scene.issue(priority="green")
    scene.wait(24.9)
    assert whys(scene, "2")[0] == "A004 priority"  # not yet longer than 30 minutes
    scene.wait(0.2)
    assert whys(scene, "2") == ["A001 waited_long", "A004 priority", "A002 head", "A003 head"]
    assert scene.next("2", finish=True) == "A001"
    assert scene.order_at("2") == ["A004", "A002", "A003"]


def test_a_green_channel_stays_one_when_everybody_has_waited_long() -> None:
    scene = Scene(fair(ratio=2, oldest_first_after_min=30), open_windows=["2"])
    for _ in range(6):
        scene.issue()
    scene.wait(45)
    for _ in range(3):
        scene.issue(priority="green")
    scene.wait(20)
    row = [
        "A001 waited_long",
        "A007 priority",
        "A002 waited_long",
        "A008 priority",
        "A003 waited_long",
        "A009 priority",
    ]
    assert whys(scene, "2") == [*row, "A004 head", "A005 head", "A006 head"]


def test_the_reason_of_the_guard_is_given_only_where_it_changed_the_order() -> None:
    scene = Scene(fair(ratio=2, oldest_first_after_min=30), open_windows=["2"])
    scene.issue()
    scene.wait(40)
    scene.issue(priority="green")
    assert whys(scene, "2") == ["A001 head", "A002 priority"]


def test_relief_work_goes_before_no_priority_of_the_windows_own_work_however_long_it_waits() -> None:
    scene = Scene(fair(ratio=1, oldest_first_after_min=30), open_windows=["1", "3"])
    for _ in range(3):
        scene.issue("tax")  # the own work of windows 3 and 4; window 1 only helps
    scene.wait(20)
    scene.issue(priority="green")
    scene.wait(15)
    assert whys(scene, "1")[0] == "A001 priority"
    scene.issue("tax", "green")
    scene.wait(21)
    assert whys(scene, "3")[0] == "B001 waited_long"


def test_a_ticket_of_one_window_is_ordinary_like_any_other() -> None:
    scene = Scene(fair(ratio=1), open_windows=["1", "2"])
    scene.issue(priority="green")
    scene.issue(priority="green")
    scene.issue(window="2")
    scene.next("1")
    assert whys(scene, "1") == ["A002 priority"]
    assert whys(scene, "2") == ["A003 fairness", "A002 priority"]


def test_a_returning_leg_is_ordinary_and_as_old_as_it_counts() -> None:
    scene = Scene(fair(oldest_first_after_min=30), open_windows=["2", "3"])
    scene.do(replace(issue("tax"), legs=(ServiceId("tax"), ServiceId("social"))))
    scene.next("3")
    scene.wait(20)
    scene.issue("social", "green")
    scene.wait(12)
    scene.do(c.Finish(window=WindowNo("3")))  # 32 minutes in the hall, of which 30 count
    assert whys(scene, "2") == ["C001 priority", "B001 returning_leg"]
    scene.wait(0.1)
    assert whys(scene, "2") == ["B001 waited_long", "C001 priority"]


@pytest.mark.parametrize(("ratio", "oldest_min"), [(0, 0), (1, 0), (2, 0), (0, 20), (2, 30), (3, 12)])
@pytest.mark.parametrize("every", [2, 3, 7])
def test_ahead_agrees_with_the_guarded_order_of_one_window(ratio: int, oldest_min: int, every: int) -> None:
    plan = replace(fair(ratio, oldest_min), windows=(a_window("1", "general"),))
    scene = Scene(plan, open_windows=["1"])
    for index in range(40):
        scene.issue(priority=("green", "appointment")[index % 2] if index % every == 0 else None)
        scene.wait((index * 7) % 5)
        if index % 9 == 8:
            scene.next("1", finish=True)
    row = scene.order_at("1")
    assert [scene.state.tickets[it.ticket].label for it in preview(scene.state, WindowNo("1"), scene.now_ms, 99)] == row
    for place, label in enumerate(row):
        assert ahead(scene.state, scene.ticket(label).id, scene.now_ms) == place
    for priority in (None, "green"):
        later = deepcopy(scene)
        told = later.ticket(later.issue(priority=priority)).ahead
        later.now_ms = scene.now_ms
        assert later.order_at("1").index(label_of("A", 41)) == told


def test_without_fairness_the_row_is_that_of_urgency_alone() -> None:
    scene = Scene(open_windows=["2"])
    for priority in (None, *["green"] * 5):
        scene.issue(priority=priority)
    assert scene.order_at("2")[-1] == "A001"


def test_one_stuck_visit_does_not_spoil_the_forecast() -> None:
    scene = Scene(open_windows=["2"])
    scene.issue()
    scene.next("2")
    scene.now_ms += 600 * MIN
    scene.finish("2")
    assert scene.state.mean_s(ServiceId("general")) <= 600 * (8 + 3) / 9


def test_calling_out_of_turn_needs_a_reason_that_is_kept() -> None:
    scene = Scene(open_windows=["1", "2", "4"])
    scene.issue()
    late = scene.issue()
    by_label = c.CallTicket(window=WindowNo("1"), label=late, reason="  ")
    assert scene.refused(by_label) is Code.REASON_MISSING
    assert scene.refused(replace(by_label, reason="x", window=WindowNo("4"))) is Code.SERVICE_NOT_SERVED
    assert scene.refused(replace(by_label, reason="x", label=None)) is Code.TICKET_NOT_FOUND
    (event,) = scene.do(replace(by_label, label=Label(" a002 "), reason=" train at ten "))
    assert isinstance(event, e.TicketCalled)
    assert (event.label, event.why, event.reason) == (late, "chosen", "train at ten")
    assert scene.refused(c.CallTicket(window=WindowNo("2"), label=late, reason="x")) is Code.ILLEGAL_MOVE
    assert scene.refused(c.CallTicket(window=WindowNo("1"), label=Label("A001"), reason="x")) is Code.WINDOW_BUSY


def test_waits_are_seconds_and_longer_than_an_hour() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    scene.wait(75)
    (event,) = scene.do(c.CallNext(window=WindowNo("1")))
    assert isinstance(event, e.TicketCalled)
    assert event.waited_s == 75 * 60
