"""Whether a number is given: hours, the last ticket before closing, quotas. Nothing else is bound to the hours."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import calendar
from server.domain import commands as c
from server.domain.admission import admission, hall_admission
from server.domain.decide import decide
from server.domain.refusals import Code, Refusal
from server.domain.terms import Calendar, HallPlan, OpeningHours, ServiceId, Slot, WindowNo
from tests.domain.halls import MIN, PLAN, Scene, issue, ms
from tests.domain.test_calendar import LUNCH, a_hall, row

OFFICE = a_hall(*LUNCH)
GENERAL = ServiceId("general")
ONE = WindowNo("1")


def with_service(plan: HallPlan, id_: str, **more: object) -> HallPlan:
    services = tuple(replace(it, **more) if it.id == id_ else it for it in plan.services)  # type: ignore[arg-type]
    return replace(plan, services=services)


def no(scene: Scene, service: str = "general") -> tuple[str, str, str, str | None]:
    """Give (code, zh, en, opens_at) of a refused press."""
    code = scene.refused(issue(service))
    with pytest.raises(Refusal) as caught:
        decide(scene.state, issue(service), now_ms=scene.now_ms)
    refusal = caught.value
    opens_at = refusal.facts.get("opens_at")
    return code.value, refusal.sentence("zh"), refusal.sentence("en"), opens_at and opens_at.replace(".000+", "+")


def test_a_closed_hall_says_when_it_opens() -> None:
    scene = Scene(OFFICE, at="2026-03-01T10:00:00+08:00")
    assert no(scene) == (
        "hall_closed",
        "大厅现在未开放，“general事”周一 03月02日 09:00 开始取号。",
        "The hall is closed now. Numbers for general are given from Mon 2 Mar 09:00.",
        "2026-03-02T09:00:00+08:00",
    )


def test_at_lunch_it_says_today() -> None:
    scene = Scene(OFFICE, at="2026-03-02T12:30:00+08:00")
    assert no(scene)[1:3] == (
        "大厅现在未开放，“general事”今天 13:00 开始取号。",
        "The hall is closed now. Numbers for general are given from 13:00 today.",
    )


def test_a_closed_zone_of_an_open_hall_is_a_closed_service() -> None:
    scene = Scene(a_hall(*LUNCH, tax={"trial_from": "2026-03-03", "trial_to": "2026-03-03"}))
    assert no(scene, "tax") == (
        "service_closed",
        "“tax事”现在不取号，周二 03月03日 09:00 开始取号。",
        "No numbers for tax now; they are given again from Tue 3 Mar 09:00.",
        "2026-03-03T09:00:00+08:00",
    )
    scene.wait(2 * 24 * 60)
    scene.do(c.StartDay())
    assert no(scene, "tax")[0::3] == ("service_closed", None)
    assert scene.issue() == "A001"


def test_a_self_service_zone_does_not_keep_the_hall_open() -> None:
    scene = Scene(a_hall(*LUNCH, tax={"always_open": True}), at="2026-03-01T10:00:00+08:00")
    assert scene.issue("tax") == "B001"
    assert no(scene)[0] == "hall_closed"
    assert not hall_admission(scene.state, scene.now_ms).open


def test_a_day_closed_by_hand_says_when_the_next_one_opens() -> None:
    scene = Scene(OFFICE)
    scene.do(c.CloseDay())
    assert no(scene)[0::3] == ("hall_closed", "2026-03-03T09:00:00+08:00")
    assert scene.refused(issue("nothing")) is Code.HALL_CLOSED
    scene = Scene()
    scene.do(c.CloseDay())
    assert no(scene)[0::3] == ("hall_closed", None)
    assert not hall_admission(scene.state, scene.now_ms).open


def test_hours_bind_numbers_only() -> None:
    scene = Scene(OFFICE, at="2026-03-02T09:00:00+08:00", open_windows="1")
    for _ in range(3):
        scene.issue()
    scene.wait(9 * 60)  # long after closing
    assert no(scene)[0] == "hall_closed"
    scene.next("1")
    scene.start("1")
    scene.transfer("1", "tax")
    scene.open("3")
    scene.next("3")
    scene.finish("3")
    scene.next("1")
    scene.do(c.MarkMissed(window=ONE))
    scene.do(c.Reinstate(ticket=scene.ticket("A002").id))
    assert scene.order_at("1")


def test_numbers_end_when_the_last_visitor_could_not_be_served() -> None:
    """One window, ten minutes each: the wait grows towards five o'clock, and the refusal names the reason."""
    scene = Scene(OFFICE, at="2026-03-02T16:00:00+08:00", open_windows="1")
    given = 0
    while admission(scene.state, GENERAL, scene.now_ms).open:
        scene.issue()
        given += 1
    assert 2 <= given <= 6
    code, zh, en, opens_at = no(scene)
    assert (code, opens_at) == ("service_closed", "2026-03-03T09:00:00+08:00")
    assert zh == (
        "“general事”今天的等候已排到下班时间，为使已取号的群众都能办完，现已停止取号；周二 03月03日 09:00 再开始取号。"
    )
    assert en == (
        "No more numbers for general today: those waiting fill the time until closing. Next from Tue 3 Mar 09:00."
    )
    found = admission(scene.state, GENERAL, scene.now_ms)
    assert (found.open, found.opens_ms) == (False, ms("2026-03-03T09:00:00+08:00"))
    scene.open("2")  # a second window: there is time again
    assert scene.issue()


def test_numbers_do_not_end_before_lunch() -> None:
    scene = Scene(OFFICE, at="2026-03-02T11:55:00+08:00", open_windows="1")
    assert [scene.issue() for _ in range(5)][-1] == "A005"


def test_with_nobody_at_work_one_visit_must_fit() -> None:
    assert Scene(OFFICE, at="2026-03-02T16:50:00+08:00").issue()
    assert no(Scene(OFFICE, at="2026-03-02T16:50:01+08:00"))[0] == "service_closed"


@pytest.mark.parametrize(
    ("minutes", "last", "first_refused"), [(0, "16:59:59", "17:00:00"), (30, "16:29:59", "16:30:00")]
)
def test_the_last_ticket_may_be_bound_to_the_clock(minutes: int, last: str, first_refused: str) -> None:
    plan = a_hall(*LUNCH, last_ticket_min=minutes)
    scene = Scene(plan, at=f"2026-03-02T{last}+08:00", open_windows="1")
    for _ in range(9):
        scene.issue()
    code, *_, opens_at = no(Scene(plan, at=f"2026-03-02T{first_refused}+08:00"))
    assert (code, opens_at) == ("service_closed" if minutes else "hall_closed", "2026-03-03T09:00:00+08:00")


def test_a_day_quota_names_the_next_day() -> None:
    scene = Scene(with_service(OFFICE, "general", day_quota=2))
    assert [admission(scene.state, GENERAL, scene.now_ms).left, scene.issue(), scene.issue()] == [2, "A001", "A002"]
    assert no(scene) == (
        "quota_full",
        "“general事”今天的号已取完，周二 03月03日 09:00 起可再取号。",
        "All numbers of general are given out for today; there are more from Tue 3 Mar 09:00.",
        "2026-03-03T09:00:00+08:00",
    )
    found = admission(scene.state, GENERAL, scene.now_ms)
    assert (found.open, found.left, found.opens_ms) == (True, 0, ms("2026-03-03T09:00:00+08:00"))
    assert scene.issue("social") == "C001"
    scene.do(c.Cancel(ticket=scene.ticket("A001").id))
    assert no(scene)[0] == "quota_full"  # a cancelled number was given out all the same
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    assert scene.issue() == "A001"


SLOTS = (
    Slot(starts="09:00", ends="10:00", quota=1),
    Slot(starts="10:00", ends="11:00", quota=0),
    Slot(starts="11:00", ends="12:00", quota=2),
)


def test_a_slot_quota_names_the_next_slot_with_room() -> None:
    scene = Scene(with_service(OFFICE, "general", slots=SLOTS))
    scene.issue()
    assert no(scene) == (
        "quota_full",
        "“general事”本时段的号已取完，今天 11:00 起还有号。",
        "All numbers of general for this time are given out; there are more from 11:00 today.",
        "2026-03-02T11:00:00+08:00",
    )
    scene.wait(2 * 60)
    assert [scene.issue(), scene.issue()] == ["A002", "A003"]
    assert no(scene)[3] == "2026-03-02T13:00:00+08:00"  # no slot bounds the afternoon


def test_between_slots_only_the_day_quota_counts() -> None:
    plan = with_service(OFFICE, "general", slots=(Slot(starts="09:00", ends="09:30", quota=1),), day_quota=3)
    scene = Scene(plan)
    scene.issue()
    assert no(scene)[3] == "2026-03-02T09:30:00+08:00"
    scene.wait(30)
    assert [scene.issue(), scene.issue()] == ["A002", "A003"]
    assert no(scene)[1].startswith("“general事”今天的号已取完")


def test_without_hours_a_full_day_names_no_time() -> None:
    scene = Scene(with_service(PLAN, "general", day_quota=1))
    scene.issue()
    assert no(scene) == (
        "quota_full",
        "“general事”今天的号已取完。",
        "All numbers of general are given out for today.",
        None,
    )


def test_a_transfer_keeps_the_number_in_the_quota_it_was_given_from() -> None:
    scene = Scene(with_service(OFFICE, "general", day_quota=1), open_windows="1")
    scene.issue()
    scene.next("1")
    scene.transfer("1", "tax")
    assert no(scene)[0] == "quota_full"
    assert scene.issue("tax")


def test_changing_the_plan_keeps_the_count() -> None:
    scene = Scene(OFFICE)
    scene.issue()
    scene.do(c.PlanHall(plan=with_service(OFFICE, "general", day_quota=2)))
    scene.issue()
    assert no(scene)[0] == "quota_full"


def test_a_hall_without_calendar_gives_numbers_at_any_hour() -> None:
    for plan in (PLAN, replace(OFFICE, calendar=Calendar())):
        scene = Scene(plan, at="2026-03-01T03:00:00+08:00")
        assert scene.issue() == "A001"
        found = admission(scene.state, GENERAL, scene.now_ms)
        assert (found.open, found.opens_ms, found.left) == (True, None, None)
        assert hall_admission(scene.state, scene.now_ms).open


HOURS = st.lists(
    st.builds(
        lambda days, opens, length: row(" ".join(sorted(days)), f"{opens:02d}:00", f"{opens + length:02d}:30"),
        st.sets(st.sampled_from(calendar.WEEKDAYS), min_size=1),
        st.integers(6, 18),
        st.integers(0, 4),
    ),
    max_size=3,
)


@given(hours=HOURS, presses=st.lists(st.tuples(st.integers(0, 600), st.sampled_from(["general", "tax"])), max_size=25))
def test_no_number_is_ever_given_outside_hours(hours: list[OpeningHours], presses: list[tuple[int, str]]) -> None:
    plan = a_hall(*hours, tax={"trial_to": "2026-03-04"})
    scene = Scene(plan, open_windows="13")
    for minutes, service in presses:
        scene.wait(minutes)
        if calendar.day_ends_ms(plan, scene.state.day or "") <= scene.now_ms:
            scene.do(c.StartDay())
        found = admission(scene.state, ServiceId(service), scene.now_ms)
        if not found.open:
            code, *_, opens_at = no(scene, service)
            assert code in ("hall_closed", "service_closed")
            assert (found.opens_ms is None) is (opens_at is None)
        else:
            scene.issue(service)
            local = calendar.local(plan, scene.now_ms - 1)
            weekday, clock = calendar.WEEKDAYS[local.weekday()], f"{local:%H:%M}"
            assert not hours or any(weekday in it.days and it.opens <= clock < it.closes for it in hours)
            assert service == "general" or f"{local:%Y-%m-%d}" <= "2026-03-04"


def test_the_minute_is_no_number_too_late() -> None:
    """Everybody who gets a number can be served: a simulated afternoon, one window, ten minutes each."""
    scene = Scene(OFFICE, at="2026-03-02T14:00:00+08:00", open_windows="1")
    closes = ms("2026-03-02T17:00:00+08:00")
    while scene.now_ms < closes:
        for _ in range(3):
            if admission(scene.state, GENERAL, scene.now_ms).open:
                scene.issue()
        scene.do(c.CallNext(window=ONE, finish=True))
        scene.start("1")
        scene.wait(10)
        if not scene.order_at("1"):
            break
    assert scene.order_at("1") == []
    assert scene.now_ms <= closes
    assert closes - scene.now_ms < 90 * MIN  # and the window was not idle for hours either
