"""Paper rolls: their own series, numbers known late, called from an empty queue, ended with the day."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from server.domain.terms import DeviceId, Kiosk, Label, Service, ServiceId, TicketStatus, Track, WindowNo
from server.projections.window import window
from tests.domain.halls import PLAN, Scene, a_service, issue

TRACKS = tuple(Track(f"roll-{number}") for number in range(200))


def announce(prefix: str = "X", service: str = "general", first: int = 1, last: int = 100) -> c.AnnounceRoll:
    return c.AnnounceRoll(service=ServiceId(service), prefix=prefix, first=first, last=last)


def torn_off(upto: int, prefix: str = "X") -> c.TornOff:
    return c.TornOff(prefix=prefix, upto=upto, tracks=TRACKS)


def call(no: str, *, finish: bool = False) -> c.CallNext:
    return c.CallNext(window=WindowNo(no), finish=finish, track=Track(f"track-{no}"))


def labels(events: list[e.Event]) -> list[Label]:
    return [it.label for it in events if isinstance(it, e.TicketIssued)]


def a_hall_with_a_roll(*open_windows: str) -> Scene:
    scene = Scene(open_windows=open_windows)
    scene.do(announce())
    return scene


def test_reported_numbers_wait_like_any_other_and_each_knows_who_is_ahead() -> None:
    scene = a_hall_with_a_roll("2")
    scene.issue()
    events = scene.do(torn_off(3))
    assert labels(events) == ["X001", "X002", "X003"]
    assert [it.ahead for it in events if isinstance(it, e.TicketIssued)] == [1, 2, 3]
    assert {it.channel for it in events if isinstance(it, e.TicketIssued)} == {"roll"}
    scene.wait(1)
    scene.issue(priority="green")
    assert scene.order_at("2") == ["A002", "A001", "X001", "X002", "X003"]


def test_a_report_gives_only_what_is_new() -> None:
    scene = a_hall_with_a_roll()
    scene.do(torn_off(3))
    assert labels(scene.do(torn_off(5))) == ["X004", "X005"]
    assert scene.refused(torn_off(5)) is Code.ROLL_RANGE
    assert scene.refused(torn_off(2)) is Code.ROLL_RANGE
    assert scene.refused(torn_off(0)) is Code.ROLL_RANGE


def test_a_report_beyond_the_roll_or_of_too_many_is_refused() -> None:
    scene = Scene()
    scene.do(announce(last=1000))
    assert scene.refused(torn_off(1001)) is Code.ROLL_USED_UP
    assert scene.refused(torn_off(201)) is Code.ROLL_RANGE
    assert len(labels(scene.do(torn_off(200)))) == 200
    assert scene.refused(torn_off(0, "Y")) is Code.ROLL_NOT_FOUND


def test_a_window_with_nobody_waiting_calls_the_next_number_of_the_roll_in_one_commit() -> None:
    scene = a_hall_with_a_roll("1", "2", "3")
    events = scene.do(call("2"))
    assert [type(it) for it in events] == [e.TicketIssued, e.TicketCalled]
    called = events[-1]
    assert isinstance(called, e.TicketCalled)
    assert (called.label, called.why, called.waited_s) == ("X001", "roll", 0)
    assert labels(scene.do(call("2", finish=True))) == ["X002"]
    assert scene.status("X001") is TicketStatus.FINISHED
    assert scene.refused(call("3")) is Code.NOBODY_WAITING  # it does not serve this
    assert scene.state.numbers["X"] == 2


def test_who_waits_is_called_before_the_next_number_of_a_roll() -> None:
    scene = a_hall_with_a_roll("2")
    scene.do(torn_off(1))
    scene.issue("social")
    assert scene.next("2", finish=True) == "X001"
    assert scene.next("2", finish=True) == "C001"
    assert labels(scene.do(call("2", finish=True))) == ["X002"]


def test_own_work_comes_before_a_roll_that_the_window_only_relieves() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(announce("Y", "tax"))
    scene.do(announce("X", "general"))
    assert labels(scene.do(call("1"))) == ["X001"]
    scene.do(c.EndRoll(prefix="x"))
    assert labels(scene.do(call("1", finish=True))) == ["Y001"]


def test_a_number_of_a_roll_that_nobody_holds_is_missed_or_a_no_show_as_usual() -> None:
    scene = a_hall_with_a_roll("2")
    scene.do(call("2"))
    scene.do(c.MarkNoShow(window=WindowNo("2")))
    scene.do(call("2"))
    scene.do(c.MarkMissed(window=WindowNo("2")))
    scene.do(c.Reinstate(ticket=scene.ticket("X002").id))
    assert (scene.status("X001"), scene.status("X002")) == (TicketStatus.NO_SHOW, TicketStatus.WAITING)


def test_a_roll_ends_at_its_last_number() -> None:
    scene = Scene(open_windows=["2"])
    scene.do(announce(first=98, last=99))
    assert labels(scene.do(call("2"))) == ["X098"]
    assert labels(scene.do(call("2", finish=True))) == ["X099"]
    scene.finish("2")
    assert scene.refused(call("2")) is Code.NOBODY_WAITING
    assert scene.refused(torn_off(100)) is Code.ROLL_USED_UP


def test_a_call_without_a_track_calls_no_roll() -> None:
    scene = a_hall_with_a_roll("2")
    assert scene.refused(c.CallNext(window=WindowNo("2"))) is Code.NOBODY_WAITING


def test_letters_in_use_are_refused() -> None:
    scene = a_hall_with_a_roll()
    for prefix in ("A", "a", "B", "X", " x "):
        assert scene.refused(announce(prefix)) is Code.PREFIX_TAKEN
    for prefix in ("", "1", "XYZ", "号"):
        assert scene.refused(announce(prefix)) is Code.ROLL_RANGE
    assert scene.refused(announce("Y", "nothing")) is Code.SERVICE_NOT_FOUND
    for first, last in ((0, 5), (5, 4), (1, 10_000)):
        assert scene.refused(announce("Y", first=first, last=last)) is Code.ROLL_RANGE


def test_a_label_is_never_used_twice_in_a_day() -> None:
    scene = a_hall_with_a_roll()
    scene.do(torn_off(20))
    assert scene.do(c.EndRoll(prefix="X")) == [e.RollEnded(prefix="X", given=20)]
    assert scene.refused(c.EndRoll(prefix="X")) is Code.ROLL_NOT_FOUND
    assert scene.refused(announce(first=20)) is Code.ROLL_RANGE
    scene.do(announce(first=21))
    assert labels(scene.do(torn_off(21))) == ["X021"]


def test_rolls_end_with_the_day_and_begin_again_at_their_first_number() -> None:
    scene = a_hall_with_a_roll()
    scene.do(torn_off(7))
    assert e.RollEnded(prefix="X", given=7) in scene.do(c.CloseDay())
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    assert scene.refused(torn_off(1)) is Code.ROLL_NOT_FOUND
    scene.do(announce())
    assert labels(scene.do(torn_off(1))) == ["X001"]


def test_paper_in_peoples_hands_is_refused_by_no_quota_and_counts_in_none() -> None:
    plan = replace(PLAN, services=tuple(replace(it, day_quota=1) for it in PLAN.services))
    scene = Scene(plan)
    scene.do(announce())
    scene.do(torn_off(3))
    assert scene.issue() == "A001"
    assert scene.refused(issue("general")) is Code.QUOTA_FULL
    scene.do(torn_off(4))
    assert scene.state.zones[PLAN.zones[0].id].issued == 5  # of the statistics all are


def test_a_roll_of_a_joint_matter_plans_its_legs() -> None:
    joint: tuple[Service, ...] = (
        a_service("birth", "E", legs=(ServiceId("birth"), ServiceId("social"))),
        *PLAN.services,
    )
    scene = Scene(replace(PLAN, services=joint))
    scene.do(announce(service="birth"))
    scene.do(torn_off(1))
    assert scene.ticket("X001").legs_planned == ("social",)


def test_a_plan_that_takes_the_letters_or_the_service_of_a_roll_in_use_is_refused() -> None:
    scene = a_hall_with_a_roll()
    more = replace(PLAN, services=(*PLAN.services, a_service("new", "X")))
    assert scene.refused(c.PlanHall(plan=more)) is Code.PREFIX_TAKEN
    less = replace(
        PLAN,
        services=PLAN.services[1:],
        windows=tuple(
            replace(it, serves=tuple(service for service in it.serves if service != "general")) for it in PLAN.windows
        ),
    )
    assert scene.refused(c.PlanHall(plan=less)) is Code.PLAN_IN_USE
    scene.do(c.PlanHall(plan=replace(PLAN, digest="new")))


def test_a_kiosk_gives_so_many_numbers_in_a_day_and_the_guide_goes_on() -> None:
    limited = Kiosk(id=DeviceId("kiosk-1"), name={"zh": "一号机"}, day_quota=2)
    scene = Scene(replace(PLAN, kiosks=(limited,)))
    press = replace(issue("general"), kiosk=DeviceId("kiosk-1"))
    for _ in range(2):
        scene.do(press)
    assert scene.refused(press) is Code.KIOSK_LIMIT
    scene.do(replace(press, kiosk=DeviceId("kiosk-2")))
    scene.do(replace(press, kiosk=None, channel="guide"))
    scene.do(c.CloseDay())
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    scene.do(press)


@pytest.mark.parametrize("quota", [0, 1])
def test_a_cancelled_number_stays_given_at_its_kiosk(quota: int) -> None:
    limited = Kiosk(id=DeviceId("kiosk-1"), name={"zh": "一号机"}, day_quota=quota)
    scene = Scene(replace(PLAN, kiosks=(limited,)))
    press = replace(issue("general"), kiosk=DeviceId("kiosk-1"))
    if quota:
        scene.do(press)
        scene.do(c.Cancel(ticket=scene.ticket("A001").id))
    assert scene.refused(press) is Code.KIOSK_LIMIT


def test_a_window_shows_which_number_of_a_roll_it_would_call() -> None:
    scene = a_hall_with_a_roll("2", "3")

    def shown(no: str) -> str | None:
        return window(scene.state, WindowNo(no), now_ms=scene.now_ms, names={}).roll

    assert (shown("2"), shown("3")) == ("X001", None)
    scene.do(call("2"))
    assert shown("2") == "X002"
    scene.do(c.EndRoll(prefix="X"))
    assert shown("2") is None
