"""The pictures of a hall: only what is watched, only what changed, never backwards."""

import json
from typing import Any

import pytest

from server.feeds.screens import Picture, Screens, UnknownTopic
from tests.projections.scene import Day


class Screen:
    """A viewer that keeps everything it is offered."""

    def __init__(self) -> None:
        self.seen: list[Picture] = []

    def offer(self, picture: Picture) -> None:
        self.seen.append(picture)

    @property
    def last(self) -> Any:
        return json.loads(self.seen[-1].frame)


class Desk:
    """Screens of a day, with a register that a test may change."""

    def __init__(self) -> None:
        self.day = Day()
        self.rows: list[dict[str, Any]] = []
        self.screens = Screens(self.day.hall, drill=False, names=dict, devices=lambda: self.rows)

    def __iter__(self) -> Any:
        return iter((self.day, self.screens))


def test_the_whole_picture_comes_at_once_and_again_on_each_change() -> None:
    day, screens = Desk()
    screen = Screen()
    seq = screens.watch(screen, "board", None)
    assert seq == day.hall.seq
    assert screen.last["seq"] == seq
    assert screen.last["hall"] == "little"
    assert screen.last["topic"] == "board"
    assert screen.last["at"] == "2026-03-02T09:00:00.000+08:00"
    day.issue("general")
    screens.refresh()
    assert [p.seq for p in screen.seen] == [seq, seq + 1]
    assert screen.last["data"]["zones"][0]["waiting"] == 1


def test_the_manager_is_told_while_a_full_disk_stops_new_numbers() -> None:
    day, full = Day(), True
    screens, screen = Screens(day.hall, drill=False, names=dict, devices=list, disk_full=lambda: full), Screen()
    screens.watch(screen, "manager", None)
    assert screen.last["data"]["alarms"] == [{"kind": "disk_full"}]
    full = False
    screens.refresh()
    assert screen.last["data"]["alarms"] == []


def test_nothing_comes_when_the_topic_did_not_change() -> None:
    day, screens = Desk()
    screen = Screen()
    screens.watch(screen, "window:3", None)
    day.issue("general")
    screens.refresh()
    day.wait(3600)
    screens.refresh()
    assert len(screen.seen) == 1


def test_a_burst_of_commits_is_one_picture() -> None:
    day, screens = Desk()
    screen = Screen()
    screens.watch(screen, "board", None)
    for _ in range(50):
        day.issue("general")
    screens.refresh()
    assert len(screen.seen) == 2
    assert screen.last["data"]["zones"][0]["waiting"] == 50


def test_after_the_current_seq_nothing_is_sent_but_what_comes_next_is() -> None:
    day, screens = Desk()
    screen = Screen()
    screens.watch(screen, "board", day.hall.seq)
    assert screen.seen == []
    day.issue("general")
    screens.refresh()
    assert [p.seq for p in screen.seen] == [day.hall.seq]


def test_after_an_older_or_a_strange_seq_the_whole_picture_is_sent() -> None:
    day, screens = Desk()
    for after in (0, day.hall.seq - 1, day.hall.seq + 1000, -5):
        screen = Screen()
        screens.watch(screen, "board", after)
        assert len(screen.seen) == 1, after


def test_the_managers_page_shows_the_register_without_a_commit() -> None:
    desk = Desk()
    screen = Screen()
    desk.screens.watch(screen, "manager", None)
    desk.rows = [{"device": "printer-1"}]
    desk.screens.refresh()
    assert screen.last["data"]["devices"] == [{"device": "printer-1"}]
    late = Screen()
    desk.screens.watch(late, "manager", desk.day.hall.seq)
    assert late.last["data"]["devices"] == [{"device": "printer-1"}]


@pytest.mark.parametrize(
    "topic", ["", "board:", "board:nowhere", "window:", "window:9", "ticket:", "ticket:x", "manager:1", "x"]
)
def test_an_unknown_topic_is_refused(topic: str) -> None:
    _, screens = Desk()
    with pytest.raises(UnknownTopic):
        screens.watch(Screen(), topic, None)


def test_who_left_gets_nothing_and_costs_nothing() -> None:
    day, screens = Desk()
    stays, leaves = Screen(), Screen()
    for screen in (stays, leaves):
        screens.watch(screen, "board", None)
        screens.watch(screen, "window:1", None)
    screens.unwatch(leaves, "board")
    screens.leave(leaves)
    day.issue("general")
    screens.refresh()
    assert (len(stays.seen), len(leaves.seen)) == (4, 2)


def test_a_ticket_of_yesterday_keeps_its_last_picture_and_the_rest_goes_on() -> None:
    day, screens = Desk()
    phone, board = Screen(), Screen()
    day.issue("general")
    screens.watch(phone, "ticket:track-1", None)
    screens.watch(board, "board", None)
    day.wait(86_400)
    day.issue("general")
    screens.refresh()
    assert len(phone.seen) <= 2
    assert board.last["data"]["business_day"] == "2026-03-03"
    assert board.last["seq"] == day.hall.seq


def test_one_broken_picture_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, screens = Desk()
    broken, board = Screen(), Screen()
    screens.watch(broken, "window:1", None)
    screens.watch(board, "board", None)

    def bug(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    for times in (1, 2):
        with monkeypatch.context() as patched:
            patched.setattr("server.feeds.screens.window", bug)
            for _ in range(3):
                day.issue("general")
                screens.refresh()
        # Told once each time it begins.
        assert len([record for record in caplog.records if "cannot be drawn" in record.message]) == times
        screens.refresh()
        assert broken.last["seq"] == board.last["seq"]
    assert len(board.seen) == 7
