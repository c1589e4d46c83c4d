"""Announcements as jobs: to every loudspeaker, an emergency before the calls that wait, none that stands no more."""

from pathlib import Path

from server.domain import commands as c
from tests.feeds.test_jobs import Desk, Row

FIRE = {"zh": "请从东侧出口离开大厅。", "en": "Please leave by the east exit."}


def desk_of(path: Path) -> Desk:
    desk = Desk(path / "d.sqlite", Row("tax", kind="speaker", zones=("tax",)), Row("all", kind="speaker"), Row("p"))
    desk.day.open("1", "1001")
    return desk


def test_every_loudspeaker_tells_it_and_no_printer(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    benches = {device: desk.watch(device) for device in ("tax", "all", "p")}
    desk.day.do(c.Announce(text=FIRE))
    desk.feed.step()
    assert [job["kind"] for job in benches["tax"].jobs] == ["announce"]
    assert benches["all"].jobs[0]["data"] == {"text": FIRE, "languages": ("zh", "en"), "emergency": False}
    assert benches["p"].jobs == []


def test_what_is_only_shown_or_withdrawn_in_the_meantime_is_not_spoken(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.day.do(c.Announce(text=FIRE, spoken=False))
    desk.day.do(c.Announce(text=FIRE))
    desk.day.do(c.EndAnnouncement())
    assert desk.watch("all").jobs == []


def test_an_emergency_comes_before_the_calls_that_wait(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    bench = desk.watch("all")
    for _ in range(3):
        desk.day.issue("general")
    desk.day.call("1")
    desk.feed.step()
    desk.day.call("1", finish=True)
    desk.day.do(c.Announce(text=FIRE, emergency=True))
    desk.day.call("1", finish=True)
    desk.feed.step()
    for _ in range(3):
        bench.answer("said")
        desk.feed.step()
    assert [job["data"].get("label", "announcement") for job in bench.jobs] == ["A001", "announcement", "A003"]
