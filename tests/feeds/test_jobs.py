"""Jobs for devices: each once, in order, one at a time, to the right one, and never too late."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.domain import commands as c
from server.domain.terms import HallId
from server.feeds.devices import JobFeed
from server.feeds.journal import JobJournal, JobResult, JournalBroken, Place
from server.ledger.base import Commit, LedgerDown
from tests.projections.scene import Day

HALL = HallId("little")


class Passed:
    """The time that has passed, in seconds, whatever the hall's clock is set to."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture(autouse=True)
def passed(monkeypatch: pytest.MonkeyPatch) -> Passed:
    """Let time pass only when a test says so."""
    PASSED.s = 0.0
    monkeypatch.setattr("server.feeds.devices.monotonic", PASSED)
    return PASSED


PASSED = Passed()


@dataclass(frozen=True)
class Row:
    device: str
    kind: str = "printer"
    zones: tuple[str, ...] = ()
    kiosks: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    owner: str = "agent-1"
    health: str = "ok"
    paper: str | None = "ok"


class Bench:
    """An agent that answers when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self._answers: list[Callable[[object], None]] = []

    def send_job(self, job: Mapping[str, Any], answered: Callable[[object], None]) -> None:
        self.jobs.append(dict(job))
        self._answers.append(answered)

    def answer(self, status: str = "printed", *, which: int = -1, **more: object) -> None:
        answer = {"id": self.jobs[which]["id"], "result": {"status": status, "detail": ""}} | more
        self._answers[which](answer)

    def say(self, anything: object) -> None:
        self._answers[-1](anything)

    @property
    def labels(self) -> list[str]:
        return [job["data"]["label"] for job in self.jobs]


class Desk:
    """The feed of a day; `restart` makes a new one on the same file."""

    def __init__(self, path: Path, *rows: Row) -> None:
        self.path, self.rows, self.day = path, list(rows), Day()
        self.restart()

    def restart(self) -> None:
        self.journal = JobJournal(self.path)
        self.feed = JobFeed(
            self.day.hall,
            self.journal,
            rows=lambda _: self.rows,
            drill=False,
        )
        self.feed.step()

    def watch(self, device: str) -> Bench:
        bench = Bench()
        self.feed.watch(bench, device)
        self.feed.step()
        return bench

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.day.wait(seconds)
        PASSED.s += seconds

    def issue(self, service: str = "general", **more: object) -> None:
        self.day.issue(service, **more)
        self.feed.step()

    def results(self, device: str) -> JobResult | None:
        return self.journal.last(HALL, device)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "devices.sqlite", Row("printer-1"))


def test_one_job_at_a_time_in_order(desk: Desk) -> None:
    bench = desk.watch("printer-1")
    for _ in range(3):
        desk.issue()
    assert bench.labels == ["A001"]
    for label in ("A002", "A003"):
        bench.answer()
        desk.feed.step()
        assert bench.labels[-1] == label
    bench.answer()
    desk.feed.step()
    assert len(bench.jobs) == 3


def test_a_job_tells_the_halls_time_because_the_agents_clock_may_be_another(desk: Desk) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    (job,) = bench.jobs
    assert job["at"] == "2026-03-02T09:00:00.000+08:00"
    assert job["expires_at"] == "2026-03-02T09:02:00.000+08:00"


def test_an_unanswered_job_comes_again_with_its_id_after_a_reconnect_and_after_a_restart(desk: Desk) -> None:
    first = desk.watch("printer-1")
    desk.issue()
    second = desk.watch("printer-1")
    desk.restart()
    third = desk.watch("printer-1")
    assert first.jobs == second.jobs == third.jobs
    third.answer()
    desk.restart()
    assert desk.watch("printer-1").jobs == []


def test_a_late_answer_of_the_agent_before_counts(desk: Desk) -> None:
    first = desk.watch("printer-1")
    desk.issue()
    second = desk.watch("printer-1")
    first.answer("printed")
    desk.feed.step()
    second.answer("failed")
    last = desk.results("printer-1")
    assert last is not None
    assert last.status == "printed"


def test_an_agent_that_left_gets_nothing_and_its_successor_everything(desk: Desk) -> None:
    first = desk.watch("printer-1")
    desk.feed.leave(first)
    assert not desk.feed.is_connected("printer-1")
    desk.issue()
    assert first.jobs == []
    assert desk.watch("printer-1").labels == ["A001"]


def test_a_ticket_that_no_printer_took_in_time_is_let_pass_and_written_down(desk: Desk) -> None:
    desk.issue()
    desk.wait(121)
    desk.feed.step()
    last = desk.results("printer-1")
    assert last is not None
    assert (last.status, last.job) == ("expired", "3.0")
    bench = desk.watch("printer-1")
    desk.issue()
    assert bench.labels == ["A002"]


def test_a_call_of_half_a_minute_ago_is_not_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.issue()
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.wait(31)
    desk.day.call("1", finish=True)
    assert desk.watch("speaker-1").labels == ["A002"]
    assert became(desk, "A001") == [("speaker-1", "dropped", "too_late")]


def became(desk: Desk, label: str) -> list[tuple[str, str, str]]:
    """Give what is written down of a ticket's calls: device, status, and the code of the reason."""
    ticket = desk.day.read(lambda state: next(it.id for it in state.tickets.values() if it.label == label))
    calls = [result for result in desk.journal.of_ticket(HALL, ticket) if result.kind == "say"]
    return [(result.device, result.status, result.detail.partition(":")[0]) for result in calls]


def test_every_call_that_nobody_says_is_written_down_once_for_each_loudspeaker(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("away", kind="speaker"), Row("busy", kind="speaker"), Row("printer-1"))
    bench = desk.watch("busy")
    desk.issue()
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.feed.step()
    desk.wait(2)
    desk.day.call("1", finish=True)
    desk.wait(31)
    desk.feed.step()
    desk.feed.step()
    assert became(desk, "A002") == [("away", "dropped", "too_late")], "the busy one has not answered yet"
    bench.answer("said")
    desk.restart()
    assert became(desk, "A001") == [("away", "dropped", "too_late"), ("busy", "said", "")]
    assert became(desk, "A002") == [("away", "dropped", "too_late"), ("busy", "dropped", "too_late")]
    assert bench.labels == ["A001"], "and never said late"


def test_a_call_that_was_replaced_or_went_behind_an_emergency_is_written_down(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.day.at(c.Recall, "1")
    bench = desk.watch("speaker-1")
    assert became(desk, "A001") == [("speaker-1", "dropped", "over")]
    desk.issue()
    desk.day.call("1", finish=True)
    desk.day.do(c.Announce(text={"zh": "请离开"}, emergency=True))
    bench.answer("said")
    desk.feed.step()
    assert bench.jobs[-1]["kind"] == "announce"
    assert became(desk, "A002") == [("speaker-1", "dropped", "emergency")]


def test_a_late_call_behind_an_announcement_that_is_still_worth_saying_takes_nothing_from_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.do(c.Announce(text={"zh": "下午两点开会"}))
    desk.day.call("1")
    desk.wait(31)
    desk.feed.step()
    assert became(desk, "A001") == [], "the announcement comes first"
    bench = desk.watch("speaker-1")
    assert [job["kind"] for job in bench.jobs] == ["announce"]
    bench.answer("said")
    desk.feed.step()
    assert became(desk, "A001") == [("speaker-1", "dropped", "too_late")]


def test_a_call_is_not_said_once_the_visitor_has_come(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.day.at(c.StartServing, "1")
    assert desk.watch("speaker-1").jobs == []


def test_an_agent_that_never_answers_holds_its_device_up_only_until_the_job_is_too_late(desk: Desk) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    desk.wait(125)
    desk.issue()
    assert bench.labels == ["A001"]
    desk.wait(6)
    desk.feed.step()
    assert bench.labels == ["A001", "A002"]
    bench.answer(which=0)  # far too late
    last = desk.results("printer-1")
    assert last is not None
    assert (last.job, last.status) == ("3.0", "unknown")


def test_a_ticket_that_expires_behind_a_slow_one_loses_neither_answer(desk: Desk) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    desk.issue()
    desk.wait(121)
    desk.issue()
    bench.answer("failed")
    desk.feed.step()
    tickets = desk.day.read(lambda state: list(state.tickets))
    kept = [[result.status for result in desk.journal.of_ticket(HALL, ticket)] for ticket in tickets]
    assert kept == [["failed"], ["expired"], []]
    assert bench.labels == ["A001", "A003"]


@pytest.mark.parametrize("answer", [None, "yes", [], {}, {"result": "printed"}, {"result": {"status": 7}}])
def test_an_answer_that_cannot_be_read_counts_as_unknown(desk: Desk, answer: object) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    bench.say(answer)
    last = desk.results("printer-1")
    assert last is not None
    assert last.status == "unknown"
    desk.issue()
    assert bench.labels == ["A001", "A002"]


def test_an_answer_to_another_job_is_no_answer(desk: Desk) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    bench.answer(id="99.0")
    assert desk.results("printer-1") is None


def test_a_ticket_goes_to_the_printer_of_its_kiosk_else_to_the_halls_own(tmp_path: Path) -> None:
    rows = (Row("beside", kiosks=("kiosk-1",)), Row("own"), Row("spare"), Row("strip-1", kind="strip"))
    desk = Desk(tmp_path / "d.sqlite", *rows)
    benches = {row.device: desk.watch(row.device) for row in rows}
    desk.issue(kiosk="kiosk-1")
    desk.issue(kiosk="kiosk-2")
    desk.issue()
    benches["own"].answer()
    desk.feed.step()
    assert {device: bench.labels for device, bench in benches.items()} == {
        "beside": ["A001"],
        "own": ["A002", "A003"],
        "spare": [],
        "strip-1": [],
    }


def beside(device: str, **more: str) -> Row:
    return Row(device, kiosks=("kiosk-1",), **more)  # type: ignore[arg-type]  # fields of a test


@pytest.mark.parametrize(
    ("rows", "printed_at"),
    [
        ((beside("one"), beside("two")), "one"),
        ((beside("one", paper="out"), beside("two")), "two"),
        ((beside("one", health="down"), beside("two", paper="near_end")), "two"),
        ((beside("one", paper="out"), beside("two", health="down")), "one"),
        ((beside("one", paper="out"), beside("two", owner="agent-2")), "one"),  # its journal is another's
        ((beside("one", paper="out"), Row("own")), "one"),  # who waits at the kiosk looks for no paper elsewhere
        ((Row("one", paper="out"), Row("two")), "two"),
    ],
)
def test_a_printer_that_cannot_print_has_the_next_at_its_place_stand_in(
    tmp_path: Path, rows: tuple[Row, ...], printed_at: str
) -> None:
    desk = Desk(tmp_path / "d.sqlite", *rows)
    benches = {row.device: desk.watch(row.device) for row in rows}
    desk.issue(kiosk="kiosk-1")
    assert {device: bench.labels for device, bench in benches.items()} == {
        row.device: ["A001"] if row.device == printed_at else [] for row in rows
    }


def test_a_ticket_that_went_to_a_printer_never_goes_to_the_one_that_stands_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", beside("one"), beside("two"))
    one, two = desk.watch("one"), desk.watch("two")
    desk.issue(kiosk="kiosk-1")
    desk.rows = [beside("one", paper="out"), beside("two")]
    desk.feed.step()
    desk.issue(kiosk="kiosk-1")
    assert (one.labels, two.labels) == (["A001"], ["A002"])
    two.answer()
    one.answer("failed")
    desk.feed.step()
    assert (one.labels, two.labels) == (["A001"], ["A002"])
    desk.rows = [beside("one"), beside("two")]  # somebody put paper in
    desk.issue(kiosk="kiosk-1")
    assert (one.labels, two.labels) == (["A001", "A003"], ["A002"])


@pytest.mark.parametrize(
    ("rows", "printed_at"),
    [
        (
            (Row("kiosk", kiosks=("kiosk-1",)), Row("own"), Row("other", windows=("3",)), Row("here", windows=("1",))),
            "here",
        ),
        ((Row("other", windows=("3",)), Row("kiosk", kiosks=("kiosk-1",)), Row("own")), "own"),
        ((Row("other", windows=("3",)), Row("kiosk", kiosks=("kiosk-1",))), "kiosk"),
    ],
)
def test_a_notice_is_printed_at_the_window_that_gives_it(
    tmp_path: Path, rows: tuple[Row, ...], printed_at: str
) -> None:
    desk = Desk(tmp_path / "d.sqlite", *rows)
    desk.issue(kiosk="kiosk-1", channel="integration")
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.day.at(c.GiveNotice, "1", items=("照片", "合同"), away=True)
    desk.feed.step()
    benches = {row.device: desk.watch(row.device) for row in rows}
    got = {device: [(job["kind"], job["data"]["items"]) for job in bench.jobs] for device, bench in benches.items()}
    assert got == {row.device: [("print_notice", ("照片", "合同"))] if row.device == printed_at else [] for row in rows}


def test_a_ticket_comes_out_at_a_window_when_the_hall_has_no_other_printer(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("window", windows=("1",)))
    bench = desk.watch("window")
    desk.issue()
    assert bench.labels == ["A001"]


def test_speakers_get_the_calls_of_the_windows_zone(tmp_path: Path) -> None:
    rows = (
        Row("tax", kind="speaker", zones=("tax",)),
        Row("general", kind="speaker", zones=("general",)),
        Row("all", kind="speaker"),
    )
    desk = Desk(tmp_path / "d.sqlite", *rows)
    benches = {row.device: desk.watch(row.device) for row in rows}
    desk.issue("tax")
    desk.day.open("1", "1001")
    desk.day.call("1")  # a general window relieves tax: the call sounds where the window is
    desk.feed.step()
    assert {device: len(bench.jobs) for device, bench in benches.items()} == {"tax": 0, "general": 1, "all": 1}


def test_a_call_says_how_many_calls_wait_behind_it_for_its_loudspeaker(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("all", kind="speaker"), Row("tax", kind="speaker", zones=("tax",)))
    desk.issue("general")
    desk.issue("tax")
    for window, clerk in (("1", "1001"), ("3", "1003")):
        desk.day.open(window, clerk)
        desk.day.call(window)
    desk.day.at(c.Recall, "1")
    bench = desk.watch("all")
    bench.answer("said")
    desk.feed.step()
    assert [(job["data"]["window"], job["data"]["call_count"], job["behind"]) for job in bench.jobs] == [
        ("3", 1, 1),  # the first call of window 1 was replaced
        ("1", 2, 0),
    ]
    assert [(job["data"]["window"], job["behind"]) for job in desk.watch("tax").jobs] == [("3", 0)]


def test_who_has_no_row_gets_every_kind_of_job_from_now_on(desk: Desk) -> None:
    desk.issue()
    bench = desk.watch("eye")
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.feed.step()
    bench.answer()
    desk.feed.step()
    assert [job["kind"] for job in bench.jobs] == ["print_ticket", "say"]
    assert bench.labels == ["A002", "A001"]


def test_a_device_that_registers_and_watches_a_moment_later_misses_nothing_between(desk: Desk) -> None:
    desk.issue()
    desk.rows.append(Row("new", kiosks=("kiosk-9",)))
    desk.feed.step()
    desk.issue(kiosk="kiosk-9")
    assert desk.watch("new").labels == ["A002"]


def test_the_tail_does_not_grow_with_the_day(desk: Desk) -> None:
    for _ in range(50):
        desk.issue()
        desk.wait(30)
    assert len(desk.feed._tail) <= 5


def test_results_are_kept_by_ticket_and_cut_to_size(tmp_path: Path) -> None:
    journal = JobJournal(tmp_path / "d.sqlite")
    result = JobResult(
        hall=HALL, job="1.0", device="p", kind="print_ticket", ticket="t", status="s" * 99, detail="d" * 999, at_ms=1
    )
    journal.done(result, Place(seq=1, job=0))
    kept = JobJournal(tmp_path / "d.sqlite")
    (only,) = kept.of_ticket(HALL, "t")
    assert (len(only.status), len(only.detail)) == (20, 200)
    assert kept.place(HALL, "p") == Place(seq=1, job=0)
    assert kept.last(HALL, "p") == only


def test_a_file_that_is_no_journal_is_refused_by_name(tmp_path: Path) -> None:
    bad = tmp_path / "devices.sqlite"
    bad.write_text("junk" * 1000)
    with pytest.raises(JournalBroken, match=r"devices\.sqlite"):
        JobJournal(bad)


def test_a_full_disk_stops_no_jobs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("printer-1"))
    full = True

    def offload(write: Callable[[], None]) -> None:
        if full:
            raise sqlite3.OperationalError("database or disk is full")
        write()

    desk.journal._offload = offload
    bench = desk.watch("printer-1")
    for _ in range(3):
        desk.issue()
        bench.answer()
    assert bench.labels == ["A001", "A002", "A003"]
    errors = [it for it in caplog.records if it.levelname == "ERROR" and it.name.startswith("server")]
    assert len(errors) == 1
    full = False
    desk.issue()
    bench.answer()
    desk.restart()
    assert desk.watch("printer-1").jobs == []


def test_a_clock_set_back_an_hour_does_not_keep_old_jobs(desk: Desk, passed: Passed) -> None:
    bench = desk.watch("printer-1")
    desk.issue()
    desk.day.wait(-3600)
    desk.issue()
    passed.s = 125.0
    desk.feed.step()
    assert bench.labels == ["A001"]
    passed.s = 131.0
    desk.issue()
    desk.feed.step()
    assert bench.labels == ["A001", "A003"]  # A002 is too late: nobody waits for its paper any more


def test_a_call_that_was_not_read_yet_grows_old_though_the_clock_was_set_back(tmp_path: Path, passed: Passed) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.day.open("1", "1001")
    for _ in range(2):
        desk.day.issue()
    desk.day.call("1")
    desk.day.wait(-3600)  # from here on the hall's time stands still
    passed.s = 31.0
    bench = desk.watch("speaker-1")
    assert bench.jobs == []
    desk.day.call("1", finish=True)
    passed.s = 51.0
    desk.feed.step()
    (job,) = bench.jobs
    assert datetime.fromisoformat(job["expires_at"]) - datetime.fromisoformat(job["at"]) == timedelta(seconds=10)


@pytest.mark.parametrize(("back_s", "said"), [(0, ["A001"]), (3600, [])])
def test_after_a_restart_under_a_clock_that_is_behind_no_call_from_before_is_said(
    tmp_path: Path, back_s: int, said: list[str]
) -> None:
    desk = Desk(tmp_path / "d.sqlite", Row("speaker-1", kind="speaker"))
    desk.issue()
    desk.day.open("1", "1001")
    desk.day.call("1")
    desk.day.wait(-back_s)
    desk.restart()
    assert desk.watch("speaker-1").labels == said


def test_a_clock_that_jumps_ahead_makes_no_new_ticket_old(desk: Desk) -> None:
    desk.issue()
    desk.day.wait(3600)
    assert desk.watch("printer-1").labels == ["A001"]


def test_a_ledger_that_is_away_for_a_moment_does_not_end_the_feed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = desk.watch("printer-1")
    desk.day.issue()
    real, tries = desk.day.hall.commits, 0

    def commits(after: int, limit: int) -> Sequence[Commit]:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise LedgerDown("away")
        desk.feed.stop()
        return real(after, limit)

    monkeypatch.setattr(desk.day.hall, "commits", commits)
    monkeypatch.setattr("server.feeds.devices.LOOK_EVERY_S", 0.01)
    desk.feed.run()
    assert bench.labels == ["A001"]
    assert [it.getMessage() for it in caplog.records].count("jobs of little wait for the ledger: away") == 1
