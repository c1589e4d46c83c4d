"""Leased blocks: a kiosk's alone, passed over by the server, told afterwards in order, ended with the day."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from server.domain.terms import DeviceId, Label, PriorityId, ServiceId, TicketStatus, Track
from tests.domain.halls import MIN, PLAN, Scene, a_service, issue

KIOSK, OTHER = DeviceId("kiosk-1"), DeviceId("kiosk-2")
DAY = "2026-03-02"


def lease(prefix: str = "A", count: int = 30, kiosk: DeviceId = KIOSK) -> c.LeaseNumbers:
    return c.LeaseNumbers(kiosk=kiosk, prefix=prefix, count=count)


def offline(
    scene: Scene, number: int, *, ago_min: float = 0, service: str = "general", **more: object
) -> c.IssueOffline:
    told = c.IssueOffline(
        kiosk=KIOSK,
        service=ServiceId(service),
        number=number,
        day=DAY,
        pressed_ms=scene.now_ms - round(ago_min * MIN),
        track=Track(f"offline-{number}"),
    )
    return replace(told, **more)  # type: ignore[arg-type]  # a test says only what matters to it


def leased(prefix: str, first: int, last: int, kiosk: DeviceId = KIOSK) -> list[e.Event]:
    return [e.BlockLeased(kiosk=kiosk, prefix=prefix, first=first, last=last)]


def test_blocks_are_high_and_each_kiosk_has_its_own() -> None:
    scene = Scene()
    assert scene.do(lease()) == leased("A", 901, 930)
    assert scene.do(lease(kiosk=OTHER, count=5)) == leased("A", 931, 935, OTHER)
    assert scene.do(lease("B")) == leased("B", 901, 930)


def test_a_kiosk_holds_so_many_numbers_of_a_series_and_no_more() -> None:
    scene = Scene()
    scene.do(lease(count=20))
    assert scene.do(lease(count=20)) == leased("A", 921, 930)
    assert scene.refused(lease(count=1)) is Code.LEASE_ENOUGH
    scene.do(offline(scene, 901))
    assert scene.do(lease(count=5)) == leased("A", 931, 931)


def test_only_a_series_of_the_hall_can_be_leased() -> None:
    assert Scene().refused(lease("Z")) is Code.SERIES_NOT_FOUND


def test_a_short_series_leases_from_its_end_and_the_server_passes_over() -> None:
    services = (a_service("general", "A", last=12), *PLAN.services[1:])
    scene = Scene(replace(PLAN, services=services))
    assert scene.do(lease(count=4)) == leased("A", 9, 12)
    assert scene.do(lease(count=3, kiosk=OTHER)) == leased("A", 6, 8, OTHER)
    assert [scene.issue() for _ in range(5)] == ["A001", "A002", "A003", "A004", "A005"]
    assert scene.refused(issue("general")) is Code.QUOTA_FULL
    assert scene.refused(lease(count=1, kiosk=DeviceId("kiosk-3"))) is Code.LEASE_NO_ROOM


def test_the_server_never_gives_a_number_of_a_block_even_of_one_returned() -> None:
    services = (a_service("general", "A", first=900), *PLAN.services[1:])
    scene = Scene(replace(PLAN, services=services))
    scene.issue()
    scene.do(lease(count=3))
    scene.do(c.ReturnBlock(lease=Label("A901"), kiosk=KIOSK))
    scene.do(lease(count=2))
    assert [scene.issue(), scene.issue()] == ["A906", "A907"]
    assert scene.do(lease(count=2, kiosk=OTHER)) == leased("A", 908, 909, OTHER)


def test_who_pressed_earlier_is_called_earlier() -> None:
    scene = Scene(open_windows=["2"])
    scene.do(lease())
    scene.wait(5)
    scene.issue()
    scene.wait(5)
    scene.issue()
    (event,) = scene.do(offline(scene, 901, ago_min=7))
    assert isinstance(event, e.TicketIssued)
    assert (event.label, event.ahead, event.channel, event.kiosk) == ("A901", 0, "offline", KIOSK)
    scene.do(offline(scene, 902, ago_min=3))
    assert scene.order_at("2") == ["A901", "A001", "A902", "A002"]
    assert scene.ticket("A901").issued_ms == scene.now_ms - 7 * MIN


def test_the_wait_counts_from_the_press() -> None:
    scene = Scene(open_windows=["2"])
    scene.do(lease())
    scene.wait(10)
    scene.do(offline(scene, 901, ago_min=6))
    (called,) = scene.do(c.CallNext(window=scene.window("2").no))
    assert isinstance(called, e.TicketCalled)
    assert called.waited_s == 360


def test_a_wrong_clock_moves_nobody_before_the_lease_or_behind_now_or_past_the_one_before() -> None:
    scene = Scene()
    scene.wait(10)
    scene.do(lease())
    leased_ms = scene.now_ms
    scene.wait(10)
    for number, ago_min, expected in ((901, 600, leased_ms), (902, 4, scene.now_ms - 4 * MIN), (903, 8, None)):
        (event,) = scene.do(offline(scene, number, ago_min=ago_min))
        assert isinstance(event, e.TicketIssued)
        assert event.pressed_ms == (expected or scene.now_ms - 4 * MIN)
    (event,) = scene.do(offline(scene, 904, ago_min=-60))
    assert isinstance(event, e.TicketIssued)
    assert event.pressed_ms == scene.now_ms


def test_each_number_counts_once_and_only_upwards() -> None:
    scene = Scene()
    scene.do(lease())
    scene.do(offline(scene, 901))
    scene.do(offline(scene, 904))
    for number in (901, 903, 904):
        assert scene.refused(offline(scene, number)) is Code.OFFLINE_GIVEN


@pytest.mark.parametrize("number", [900, 931, 1])
def test_a_number_outside_every_block_is_refused(number: int) -> None:
    scene = Scene()
    scene.do(lease())
    assert scene.refused(offline(scene, number)) is Code.OFFLINE_NOT_LEASED


def test_a_number_of_another_kiosk_or_service_is_refused() -> None:
    scene = Scene()
    scene.do(lease())
    assert scene.refused(offline(scene, 901, kiosk=OTHER)) is Code.OFFLINE_NOT_LEASED
    assert scene.refused(offline(scene, 901, service="tax")) is Code.OFFLINE_NOT_LEASED
    assert scene.refused(offline(scene, 901, service="none")) is Code.SERVICE_NOT_FOUND


def test_a_block_that_was_ended_gives_no_more() -> None:
    scene = Scene()
    scene.do(lease())
    scene.do(offline(scene, 901))
    assert scene.refused(c.ReturnBlock(lease=Label("A901"), kiosk=OTHER)) is Code.LEASE_NOT_FOUND
    assert scene.do(c.ReturnBlock(lease=Label("A901"))) == [
        e.BlockReturned(kiosk=KIOSK, prefix="A", first=901, last=930, given=901, reason="ended")
    ]
    assert scene.refused(offline(scene, 902)) is Code.LEASE_OVER
    assert scene.refused(c.ReturnBlock(lease=Label("A901"))) is Code.LEASE_OVER
    assert scene.refused(c.ReturnBlock(lease=Label("A902"))) is Code.LEASE_NOT_FOUND


def test_a_block_ends_with_the_day_and_what_was_not_told_is_refused_by_its_day() -> None:
    scene = Scene()
    scene.do(lease())
    assert e.BlockReturned(kiosk=KIOSK, prefix="A", first=901, last=930, given=900, reason="day_closed") in scene.do(
        c.CloseDay()
    )
    assert scene.refused(offline(scene, 901)) is Code.HALL_CLOSED
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    assert scene.refused(offline(scene, 901)) is Code.OFFLINE_DAY_OVER
    assert scene.do(lease()) == leased("A", 901, 930)


def test_a_quota_refuses_no_number_on_paper_but_counts_it() -> None:
    services = (a_service("general", "A", day_quota=1), *PLAN.services[1:])
    scene = Scene(replace(PLAN, services=services))
    scene.do(lease())
    scene.issue()
    scene.do(offline(scene, 901))
    assert len(scene.state.issued[ServiceId("general")]) == 2


def test_a_priority_that_the_plan_has_lost_loses_nobody() -> None:
    scene = Scene()
    scene.do(lease())
    scene.do(offline(scene, 901, priority=PriorityId("green")))
    scene.do(offline(scene, 902, priority=PriorityId("gone")))
    assert [scene.ticket(label).priority for label in ("A901", "A902")] == ["green", "ordinary"]
    assert scene.status("A902") is TicketStatus.WAITING


def test_a_joint_matter_plans_its_legs() -> None:
    services = (a_service("general", "A", legs=(ServiceId("general"), ServiceId("social"))), *PLAN.services[1:])
    scene = Scene(replace(PLAN, services=services))
    scene.do(lease())
    issued, planned = scene.do(offline(scene, 901))
    assert isinstance(issued, e.TicketIssued)
    assert isinstance(planned, e.LegsPlanned)
    assert planned.services == ("general", "social")
