"""Numbers: dense, never reused, one series per prefix, a new start each business day in the hall's own zone."""

from dataclasses import replace

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.decide import decide
from server.domain.refusals import Code, Refusal
from server.domain.terms import Label, PauseReason, TicketStatus, WindowNo, business_day, label_of
from tests.domain.halls import MIN, PLAN, Scene, a_service, a_window, issue, ms


def test_numbers_are_dense_from_the_first() -> None:
    scene = Scene()
    assert [scene.issue() for _ in range(4)] == ["A001", "A002", "A003", "A004"]


def test_services_with_one_prefix_share_one_series() -> None:
    scene = Scene()
    assert [scene.issue(it) for it in ("tax", "invoice", "general", "tax")] == ["B001", "B002", "A001", "B003"]


def test_a_refused_press_takes_no_number() -> None:
    scene = Scene()
    scene.issue()
    assert scene.refused(issue("general", "vip")) is Code.PRIORITY_NOT_FOUND
    assert scene.issue() == "A002"


def test_a_cancelled_number_is_never_given_again() -> None:
    scene = Scene()
    scene.do(c.Cancel(ticket=scene.ticket(scene.issue()).id))
    assert scene.issue() == "A002"


def test_after_999_the_label_has_four_digits_and_goes_on() -> None:
    assert [label_of("A", number) for number in (1, 12, 999, 1000, 1234)] == ["A001", "A012", "A999", "A1000", "A1234"]
    scene = Scene(replace(PLAN, services=(a_service("general", "A", first=998),), windows=(a_window("1", "general"),)))
    assert [scene.issue() for _ in range(3)] == ["A998", "A999", "A1000"]


def test_a_series_that_is_used_up_says_so_and_wraps_never() -> None:
    plan = replace(PLAN, services=(a_service("general", "A", last=2),), windows=(a_window("1", "general"),))
    scene = Scene(plan)
    scene.issue()
    scene.issue()
    assert scene.refused(issue("general")) is Code.QUOTA_FULL


def test_a_ticket_id_names_business_day_and_label() -> None:
    scene = Scene()
    assert scene.ticket(scene.issue()).id == "20260302-A001"


def test_numbers_begin_again_on_the_next_business_day_and_ids_differ() -> None:
    scene = Scene()
    first = scene.ticket(scene.issue()).id
    scene.wait(24 * 60)
    scene.do(c.StartDay())
    again = scene.ticket(scene.issue())
    assert (again.label, again.id) == ("A001", "20260303-A001")
    assert again.id != first


@pytest.mark.parametrize(
    ("zone", "day_starts_min", "instant", "day"),
    [
        ("Asia/Shanghai", 360, "2026-03-02T05:59:59.999+08:00", "2026-03-01"),
        ("Asia/Shanghai", 360, "2026-03-02T06:00:00+08:00", "2026-03-02"),
        ("Asia/Shanghai", 0, "2026-03-01T16:00:00+00:00", "2026-03-02"),  # midnight is the hall's, not Greenwich's
        ("Asia/Shanghai", 360, "2027-01-01T01:00:00+08:00", "2026-12-31"),
        ("Asia/Shanghai", 360, "2028-02-29T08:00:00+08:00", "2028-02-29"),
        ("Europe/Berlin", 0, "2026-03-28T23:59:59+01:00", "2026-03-28"),
        ("Europe/Berlin", 0, "2026-03-29T23:30:00+02:00", "2026-03-29"),  # the short day
        ("Europe/Berlin", 0, "2026-10-25T23:30:00+01:00", "2026-10-25"),  # the long day
        ("Europe/Berlin", 240, "2026-03-29T03:59:00+02:00", "2026-03-28"),  # 04:00 by the hall's wall clock
        ("Europe/Berlin", 240, "2026-03-29T04:00:00+02:00", "2026-03-29"),
        ("Europe/Berlin", 240, "2026-10-25T03:59:00+01:00", "2026-10-24"),
        ("Europe/Berlin", 240, "2026-10-25T04:00:00+01:00", "2026-10-25"),
    ],
)
def test_the_business_day_turns_by_the_halls_own_wall_clock(
    zone: str, day_starts_min: int, instant: str, day: str
) -> None:
    plan = replace(PLAN, time_zone=zone, day_starts_min=day_starts_min)
    assert business_day(plan, ms(instant)).isoformat() == day


def test_an_hour_told_twice_does_not_begin_the_day_twice() -> None:
    plan = replace(PLAN, time_zone="Europe/Berlin", day_starts_min=150)  # 02:30 comes twice on this night
    scene = Scene(plan, at="2026-10-25T02:45:00+02:00")
    scene.issue()
    scene.now_ms = ms("2026-10-25T02:15:00+01:00")  # an hour later less half: the wall shows yesterday again
    assert business_day(plan, scene.now_ms).isoformat() == "2026-10-24"
    assert scene.refused(c.StartDay()) is Code.DAY_OPEN
    assert scene.issue() == "A002"


def test_every_minute_of_two_dst_nights_belongs_to_a_day_that_never_goes_back_at_day_starts() -> None:
    plan = replace(PLAN, time_zone="Europe/Berlin", day_starts_min=360)
    for night in ("2026-03-28T20:00:00+01:00", "2026-10-24T20:00:00+02:00"):
        days = [business_day(plan, ms(night) + minute * MIN) for minute in range(24 * 60)]
        assert days == sorted(days)


def test_a_day_that_was_closed_gives_no_more_numbers() -> None:
    scene = Scene()
    scene.do(c.CloseDay())
    assert scene.refused(issue("general")) is Code.HALL_CLOSED
    assert scene.refused(c.StartDay()) is Code.DAY_OPEN
    assert scene.refused(c.CloseDay()) is Code.HALL_CLOSED


def test_day_close_expires_everybody_and_closes_every_window() -> None:
    scene = Scene(open_windows=["1", "2", "3"])
    labels = [scene.issue() for _ in range(4)]
    scene.next("1")
    scene.next("2")
    scene.start("2")
    scene.do(c.Hold(window=WindowNo("2")))
    scene.next("2")
    scene.do(c.MarkMissed(window=WindowNo("2")))
    events = scene.do(c.CloseDay())
    assert [it.label for it in events if isinstance(it, e.TicketExpired)] == labels
    assert {it.reason for it in events if isinstance(it, e.TicketExpired)} == {"day_closed"}
    assert [it.window for it in events if isinstance(it, e.WindowClosed)] == ["1", "2", "3"]
    assert events[-1] == e.DayClosed(day="2026-03-02")
    assert {scene.status(label) for label in labels} == {TicketStatus.EXPIRED}
    assert all(
        it.current is None and it.clerk is None and not it.held and not it.missed for it in scene.state.windows.values()
    )
    assert not scene.state.lanes


def test_nobody_is_blocked_tomorrow_by_a_visit_left_open_today() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(issue("general", visitor="somebody"))
    scene.wait(24 * 60)
    events = scene.do(c.StartDay())
    assert [type(it) for it in events] == [e.TicketExpired, e.WindowClosed, e.DayClosed, e.DayOpened]
    scene.do(issue("general", visitor="somebody"))
    scene.open("1")
    assert scene.next("1") == Label("A001")


def test_a_visitor_who_waits_is_reminded_of_the_number_instead_of_given_a_second() -> None:
    scene = Scene(open_windows=["1", "3"])
    scene.do(issue("general", visitor="somebody"))
    assert scene.refused(issue("general", visitor="somebody")) is Code.ALREADY_WAITING
    scene.do(issue("general", visitor="another"))
    scene.do(issue("tax", visitor="somebody"))
    scene.next("1")
    assert scene.refused(issue("general", visitor="somebody")) is Code.ALREADY_WAITING
    scene.finish("1")
    scene.do(issue("general", visitor="somebody"))


def test_a_transferred_visitor_counts_for_the_new_service() -> None:
    scene = Scene(open_windows=["1"])
    scene.do(issue("general", visitor="somebody"))
    scene.next("1")
    scene.transfer("1", "social")
    assert scene.refused(issue("social", visitor="somebody")) is Code.ALREADY_WAITING
    scene.do(issue("general", visitor="somebody"))
    assert scene.refused(issue("general", visitor="somebody")) is Code.ALREADY_WAITING


def test_a_refusal_names_the_service_in_the_readers_language() -> None:
    general = replace(a_service("general", "A", last=1), name={"zh": "综合", "en": "General"})
    services = (general, a_service("social", "B"))
    windows = (a_window("1", "general"), a_window("2", "social"))
    scene = Scene(replace(PLAN, services=services, windows=windows))
    scene.issue()
    for command in (issue("general", window="2"), issue("general")):
        with pytest.raises(Refusal) as refusal:
            decide(scene.state, command, now_ms=scene.now_ms)
        assert "综合" in refusal.value.sentence("zh")
        assert "General" in refusal.value.sentence("en")
        assert "综合" not in refusal.value.sentence("en")


def test_unknown_names_are_told_apart() -> None:
    scene = Scene()
    assert scene.refused(issue("passport")) is Code.SERVICE_NOT_FOUND
    assert scene.refused(issue("general", "vip")) is Code.PRIORITY_NOT_FOUND
    assert scene.refused(issue("general", window="99")) is Code.WINDOW_NOT_FOUND
    assert scene.refused(issue("general", window="3")) is Code.SERVICE_NOT_SERVED
    for command in (
        c.CallNext(window=WindowNo("99")),
        c.PauseWindow(window=WindowNo("99"), reason=PauseReason.LUNCH),
    ):
        assert scene.refused(command) is Code.WINDOW_NOT_FOUND
