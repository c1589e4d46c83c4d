"""Announcements: one at a time, until withdrawn, until their time is over, or until the day ends; at any hour."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code
from tests.domain.halls import Scene, ms

FIRE = {"zh": "请从东侧出口离开大厅。", "en": "Please leave by the east exit."}


def standing(scene: Scene) -> tuple[str, bool] | None:
    told = scene.state.announcement
    return None if told is None else (told.text["zh"], told.emergency)


def test_a_newer_announcement_stands_in_the_place_of_the_one_before_until_it_is_withdrawn() -> None:
    scene = Scene()
    scene.do(c.Announce(text={"zh": " 请张先生到服务台 ", "en": " "}))
    assert scene.state.announcement is not None
    assert dict(scene.state.announcement.text) == {"zh": "请张先生到服务台"}
    scene.do(c.Announce(text=FIRE, emergency=True))
    assert standing(scene) == (FIRE["zh"], True)
    assert scene.do(c.EndAnnouncement()) == [e.AnnouncementEnded(reason="withdrawn")]
    assert standing(scene) is None
    assert scene.refused(c.EndAnnouncement()) is Code.NO_ANNOUNCEMENT


def test_nothing_is_announced_without_a_chinese_text() -> None:
    scene = Scene()
    assert scene.refused(c.Announce(text={"zh": " \n"})) is Code.ANNOUNCEMENT_EMPTY
    assert scene.refused(c.Announce(text={"en": "Fire"}, emergency=True)) is Code.ANNOUNCEMENT_EMPTY
    assert standing(scene) is None


def test_the_clock_ends_it_when_its_time_is_over() -> None:
    scene = Scene()
    scene.do(c.Announce(text=FIRE, minutes=10))
    scene.now_ms += 10 * 60_000 - 1
    assert scene.refused(c.Watch()) is Code.NOTHING_DUE
    scene.now_ms += 1
    assert scene.do(c.Watch()) == [e.AnnouncementEnded(reason="time_over")]
    assert standing(scene) is None


def test_it_ends_with_the_day_and_an_emergency_after_hours_with_the_start_of_the_next() -> None:
    scene = Scene()
    scene.do(c.Announce(text=FIRE))
    assert e.AnnouncementEnded(reason="day_closed") in scene.do(c.CloseDay())
    scene.do(c.Announce(text=FIRE, emergency=True))
    assert standing(scene) == (FIRE["zh"], True)
    scene.now_ms = ms("2026-03-03T08:00:00+08:00")
    assert e.AnnouncementEnded(reason="day_closed") in scene.do(c.StartDay())
    assert standing(scene) is None
