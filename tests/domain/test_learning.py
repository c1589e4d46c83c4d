"""What is learned, worked out by hand: means, clerks, relief, no-shows, outliers, fading, forgetting, replay."""

import pytest

from server.domain import commands as c
from server.domain.evolve import evolve
from server.domain.learning import FADE, OUTLIER, Learned
from server.domain.state import HallState
from server.domain.terms import ServiceId, WindowNo, WorkId
from tests.domain.halls import PLAN, Scene, a_service

TAX = a_service("tax", "B")  # ten minutes, as typed in
ANN, BEN = WorkId("ann"), WorkId("ben")


def test_typed_in_minutes_count_like_eight_visits() -> None:
    learned = Learned()
    assert learned.mean_s(TAX) == 600
    learned.served(TAX, ANN, 1050, own=True)
    assert learned.mean_s(TAX) == (8 * 600 + 1050) / 9 == 650
    learned.served(TAX, ANN, 150, own=True)
    assert learned.mean_s(TAX) == (8 * 600 + 1200) / 10


def test_a_clerk_is_held_against_what_was_expected_and_begins_as_an_ordinary_one() -> None:
    learned = Learned()
    assert learned.pace(ANN) == learned.pace(None) == 1
    learned.served(TAX, ANN, 900, own=True)
    assert learned.pace(ANN) == (12 + 1.5) / 13
    mean_s = (8 * 600 + 900) / 9
    learned.served(TAX, ANN, 600, own=True)
    assert learned.pace(ANN) == (12 + 1.5 + 600 / mean_s) / 14
    assert learned.pace(BEN) == 1


def test_a_stuck_visit_counts_three_times_what_was_expected() -> None:
    learned, capped = Learned(), Learned()
    learned.served(TAX, ANN, 36_000, own=True)
    capped.served(TAX, ANN, round(OUTLIER * 600), own=True)
    assert learned == capped


def test_minutes_that_were_typed_in_much_too_short_are_found_out() -> None:
    learned = Learned()
    for _ in range(200):
        learned.served(TAX, ANN, 60 * 60, own=True)
    assert 3300 < learned.mean_s(TAX) <= 3600


def test_relief_is_slower_and_spoils_neither_the_service_nor_the_clerk() -> None:
    learned = Learned()
    assert learned.relief_factor() == pytest.approx(1.1)
    learned.served(TAX, BEN, 660, own=False)
    assert learned.mean_s(TAX) == pytest.approx(600)
    assert learned.pace(BEN) == 1
    assert learned.relief_factor() == pytest.approx(1.1)
    learned.served(TAX, BEN, 900, own=False)
    assert learned.relief_factor() == pytest.approx((30 * 1.1 + 1.1 + 1.5) / 32)


def test_who_does_not_come_takes_only_the_moment_until_given_up() -> None:
    learned = Learned()
    assert learned.no_show_rate(TAX.id) == 0.08
    assert learned.taken_s(TAX) == pytest.approx(0.92 * 600 + 0.08 * 60)
    learned.did_not_come(TAX.id, 150)
    learned.came(TAX.id)
    assert learned.no_show_rate(TAX.id) == (25 * 0.08 + 1) / 27
    rate, lost_s = 3 / 27, (8 * 60 + 150) / 9
    assert learned.taken_s(TAX) == pytest.approx((1 - rate) * 600 + rate * lost_s)


def test_a_window_that_forgot_to_give_up_counts_five_minutes() -> None:
    learned = Learned()
    learned.did_not_come(TAX.id, 9_999)
    assert learned.lost_s.total == 300


def test_a_day_takes_a_little_of_the_weight_and_none_of_the_mean() -> None:
    learned = Learned()
    for _ in range(10):
        learned.served(TAX, ANN, 900, own=True)
    total = learned.serve_s[TAX.id].total
    learned.begin_day(PLAN)
    assert (learned.serve_s[TAX.id].count, learned.serve_s[TAX.id].total) == (10 * FADE, total * FADE)
    assert learned.mean_s(TAX) == (8 * 600 + total * FADE) / (8 + 10 * FADE)


def test_clerks_and_services_long_gone_are_forgotten() -> None:
    learned = Learned()
    learned.served(TAX, ANN, 900, own=True)
    learned.served(a_service("gone", "Z"), BEN, 900, own=True)
    learned.did_not_come(ServiceId("gone"), 60)
    learned.begin_day(PLAN)
    assert ([*learned.serve_s], [*learned.paces], learned.no_shows) == ([TAX.id], [ANN, BEN], {})
    for _ in range(60):
        learned.begin_day(PLAN)
    assert (learned.serve_s, learned.paces) == ({}, {})
    assert learned.mean_s(TAX) == 600


def test_a_year_of_days_is_no_bigger_than_a_week() -> None:
    scene, sizes = Scene(), []
    for day in range(60):
        scene.open("1")
        scene.issue()
        scene.next("1")
        scene.wait(10)
        scene.finish("1")
        scene.wait(24 * 60 - 10)
        scene.do(c.StartDay())
        learned = scene.state.learned
        sizes.append(len(learned.serve_s) + len(learned.no_shows) + len(learned.paces))
        assert learned.serve_s[ServiceId("general")].count < 1 / (1 - FADE), day
    assert sizes[0] == sizes[-1]


def test_a_hall_learns_from_what_happens_at_its_windows() -> None:
    scene = Scene(open_windows=["1"])  # serves general, relieves tax
    for service, minutes in (("general", 15), ("tax", 11), ("general", 5)):
        scene.issue(service)
        scene.next("1")
        scene.wait(minutes)
        scene.finish("1")
    learned = scene.state.learned
    assert learned.mean_s(PLAN.service[ServiceId("general")]) == (8 * 600 + 900 + 300) / 10
    assert learned.mean_s(TAX) == pytest.approx(600)
    assert [*learned.paces] == [WorkId("clerk-1")]
    assert learned.relief.count == 1
    assert {it: record.count for it, record in learned.no_shows.items()} == {"general": 2, "tax": 1}


def test_a_call_is_missed_once_whatever_becomes_of_the_ticket() -> None:
    scene = Scene(open_windows=["1"])
    scene.issue()
    label = scene.issue()
    scene.next("1")
    scene.wait(2)
    scene.do(c.MarkMissed(window=WindowNo("1")))
    missed = scene.state.learned.no_shows[ServiceId("general")]
    assert (missed.count, missed.total, scene.state.learned.lost_s.total) == (1, 1, 120)
    scene.do(c.MarkNoShow(window=WindowNo("1"), ticket=scene.ticket("A001").id))  # was missed already
    assert missed.count == 1
    scene.next("1")
    scene.do(c.Hold(window=WindowNo("1")))
    scene.do(c.MarkNoShow(window=WindowNo("1"), ticket=scene.ticket(label).id))  # came and never came back
    assert missed.count == 1


def test_a_replay_learns_exactly_the_same() -> None:
    scene = Scene(open_windows=["1", "2"])
    for number in range(40):
        scene.issue(("general", "tax", "social")[number % 3])
        no = ("1", "2")[number % 2]
        if scene.order_at(no):
            scene.next(no)
            scene.wait(number % 13)
            scene.do(c.MarkNoShow(window=WindowNo(no)) if number % 7 == 3 else c.Finish(window=WindowNo(no)))
    again = HallState()
    for at_ms, event in scene.past:
        evolve(again, event, at_ms=at_ms)
    assert again.learned == scene.state.learned
    assert again.learned.paces
