"""The one writer: group commit, keys, failing ledgers, two servers, days and clocks."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from server import timers
from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import CLOCK, Actor, ActorKind, HallId, PauseReason, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall, KeyReused
from server.ledger.base import Commit, Ledger, LedgerBroken, LedgerDoubtful, LedgerDown, Stale
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger
from tests.domain.halls import MIN, NINE, PLAN, ms
from tests.hall.checker import Answer, faults, result_of
from tests.patience import PATIENCE_S, until

DAY = 24 * 60 * MIN
CLERK = Actor(kind=ActorKind.PERSON, id="clerk-1")
HALL = HallId("test")


class Clock:
    """A clock that a test sets."""

    def __init__(self, at: str = NINE) -> None:
        self.now_ms = ms(at)

    def __call__(self) -> int:
        return self.now_ms


class Flaky:
    """A ledger that fails when told to: with an error before the write, or after it."""

    def __init__(self, real: Ledger) -> None:
        self.real = real
        self.before: BaseException | None = None
        self.after: BaseException | None = None
        self.reading: Exception | None = None
        self.appends: list[int] = []
        self.reads = 0
        self.gate: threading.Event | None = None
        self.entered = threading.Event()

    def append(self, commits: Sequence[Commit]) -> None:
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(PATIENCE_S)
        if self.before is not None:
            raise self.before
        self.real.append(commits)
        self.appends.append(len(commits))
        if self.after is not None:
            raise self.after

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        if self.reading is not None:
            raise self.reading
        for commit in self.real.read(after, limit):
            self.reads += 1
            yield commit

    def close(self) -> None:
        self.real.close()


def a_hall(ledger: Ledger, clock: Clock | None = None, fail_stop: Callable[[Exception], None] | None = None) -> Hall:
    """Give a hall at work with windows 1 and 2 open."""
    hall = Hall(HALL, ledger, clock=clock or Clock(), fail_stop=fail_stop)
    if hall.seq == 0:
        hall.handle(c.PlanHall(plan=PLAN), actor=CLERK)
        for no in ("1", "2"):
            hall.handle(c.OpenWindow(window=WindowNo(no), clerk=WorkId(f"clerk-{no}")), actor=CLERK)
    return hall


def press(track: str = "t") -> c.IssueTicket:
    """Give the command of a press."""
    return c.IssueTicket(service=ServiceId("general"), track=Track(track))


def label(commit: Commit) -> str:
    """Give the label of the last event."""
    return str(getattr(commit.events[-1], "label", ""))


def commits_of(hall: Hall) -> list[Commit]:
    """Give everything in the ledger."""
    return hall.commits(0, 100_000)


def state_of(hall: Hall) -> HallState:
    """Give the live state."""
    return hall.read(lambda state, _: state)


def assert_sound(hall: Hall, ledger: Ledger) -> None:
    """The live state is what a new hall reads from the ledger."""
    again = Hall(HALL, ledger, clock=Clock())
    assert (again.seq, state_of(again)) == (hall.seq, state_of(hall))


@pytest.mark.parametrize("threads", [8, 32])
def test_many_at_once_get_dense_numbers_and_share_writes(threads: int, tmp_path: Path) -> None:
    ledger = Flaky(SqliteLedger(tmp_path / "hall.sqlite"))
    hall = a_hall(ledger)
    answers: list[Answer] = []
    start = threading.Barrier(threads)

    def client(thread: int) -> None:
        start.wait(PATIENCE_S)
        for number in range(12):
            key = f"{thread}-{number}"
            command: c.Command = (
                c.CallNext(window=WindowNo(str(1 + thread % 2)), finish=True) if number % 4 == 3 else press(key)
            )
            for _ in range(2):  # every request is sent twice
                try:
                    told: str | None = result_of(hall.handle(command, actor=CLERK, key=key))
                except Refusal:
                    told = None
                    break
                finally:
                    answers.append(Answer(key=key, result=told))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(client, range(threads)))
    assert faults(commits_of(hall), answers) == []
    assert state_of(hall).numbers["A"] == threads * 9
    assert_sound(hall, ledger)
    hall.close()


def test_requests_that_arrive_during_a_write_share_the_next() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    ledger.entered.clear()
    ledger.gate = threading.Event()
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(hall.handle, press("first"), actor=CLERK)
        assert ledger.entered.wait(PATIENCE_S)
        others = [pool.submit(hall.handle, press(str(number)), actor=CLERK) for number in range(9)]
        until(lambda: len(hall._waiting) == 9, "all others wait")
        ledger.gate.set()
        labels = sorted(label(it.result(PATIENCE_S)) for it in [first, *others])
    assert labels == [f"A{number:03d}" for number in range(1, 11)]
    assert ledger.appends[-2:] == [1, 9]


def test_what_every_request_needs_does_not_wait_for_the_write_under_way() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    before = hall.seq
    ledger.entered.clear()
    ledger.gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(hall.handle, press("first"), actor=CLERK)
        assert ledger.entered.wait(PATIENCE_S)
        told = pool.submit(lambda: (hall.seq, hall.plan, hall.commits(before, 10)))
        assert told.result(PATIENCE_S) == (before, PLAN, [])
        ledger.gate.set()
        commit = writing.result(PATIENCE_S)
    assert (hall.seq, hall.commits(before, 10)) == (commit.seq, [commit])


def test_followers_read_the_same_commits_whether_they_are_recent_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.hall.RECENT_MAX", 3)
    ledger = MemoryLedger()
    hall = a_hall(ledger)
    for number in range(8):
        hall.handle(press(str(number)), actor=CLERK)
    stored = list(ledger.read())
    for after in range(hall.seq + 2):
        for limit in (1, 2, 100):
            assert hall.commits(after, limit) == stored[after : after + limit], (after, limit)


def test_a_hundred_presses_with_one_key_give_one_ticket() -> None:
    hall = a_hall(MemoryLedger())
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda _: hall.handle(press(), actor=CLERK, key="k", fingerprint="f"), range(100)))
    assert {it.seq for it in given} == {given[0].seq}
    assert all(it == given[0] for it in given)
    assert state_of(hall).numbers == {"A": 1}


def test_a_key_used_for_another_request_is_refused() -> None:
    hall = a_hall(MemoryLedger())
    hall.handle(press(), actor=CLERK, key="k", fingerprint="f")
    with pytest.raises(KeyReused):
        hall.handle(press(), actor=CLERK, key="k", fingerprint="other")


def test_a_key_is_remembered_through_a_restart_and_for_the_day_only() -> None:
    ledger, clock = MemoryLedger(), Clock()
    first = a_hall(ledger, clock).handle(press(), actor=CLERK, key="k")
    hall = a_hall(ledger, clock)
    assert hall.handle(press(), actor=CLERK, key="k") == first
    clock.now_ms += DAY
    assert hall.handle(press(), actor=CLERK, key="k").seq > first.seq
    assert_sound(hall, ledger)


def test_a_refused_request_may_be_tried_again_with_its_key() -> None:
    hall = a_hall(MemoryLedger())
    with pytest.raises(Refusal):
        hall.handle(c.CallNext(window=WindowNo("1")), actor=CLERK, key="k")
    hall.handle(press(), actor=CLERK)
    assert label(hall.handle(c.CallNext(window=WindowNo("1")), actor=CLERK, key="k")) == "A001"


def test_without_memory_of_keys_a_retry_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant that the tests of keys must catch."""
    monkeypatch.setattr(Hall, "_known", lambda _self, _request: None)
    hall = Hall(HALL, MemoryLedger(), clock=Clock())
    hall.handle(c.PlanHall(plan=PLAN), actor=CLERK)
    hall.handle(press(), actor=CLERK, key="k")
    with pytest.raises(LedgerDown):  # and the ledger itself refuses the second commit of a key
        hall.handle(press(), actor=CLERK, key="k")


def test_when_the_write_fails_nobody_is_answered_and_the_next_works() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    hall.handle(press("1"), actor=CLERK)
    before = hall.seq
    ledger.before = LedgerDown("full")
    for _ in range(3):
        with pytest.raises(LedgerDown):
            hall.handle(press("2"), actor=CLERK, key="k")
        assert hall.seq == before
        assert state_of(hall).numbers == {"A": 1}
    ledger.before = None
    assert label(hall.handle(press("2"), actor=CLERK, key="k")) == "A002"
    assert_sound(hall, ledger)


def test_a_failed_group_tells_nobody_a_refusal_that_stands_on_it() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    hall.handle(press("only"), actor=CLERK)
    ledger.entered.clear()
    ledger.gate = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(hall.handle, press("slow"), actor=CLERK)
        assert ledger.entered.wait(PATIENCE_S)
        calls = [
            pool.submit(hall.handle, c.CallNext(window=WindowNo("1"), finish=True), actor=CLERK, key="k")
            for _ in range(2)
        ]
        ledger.before = LedgerDown("full")
        ledger.gate.set()
        assert isinstance(first.exception(PATIENCE_S), LedgerDown)
        assert {type(it.exception(PATIENCE_S)) for it in calls} == {LedgerDown}
    assert state_of(hall).windows[WindowNo("1")].current is None


def test_a_failed_write_reads_only_the_day_again() -> None:
    ledger, clock = Flaky(MemoryLedger()), Clock()
    hall = a_hall(ledger, clock)
    for number in range(50):
        hall.handle(press(str(number)), actor=CLERK)
    clock.now_ms += DAY
    hall.handle(press("today"), actor=CLERK)
    hall.handle(press("today 2"), actor=CLERK)
    ledger.reads, ledger.before = 0, LedgerDown("full")
    with pytest.raises(LedgerDown):
        hall.handle(press("x"), actor=CLERK)
    assert state_of(hall).numbers == {"A": 2}
    assert ledger.reads <= 2
    ledger.before = None
    assert_sound(hall, ledger)


def test_when_even_reading_fails_nothing_is_told_until_it_works() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    hall.handle(press("1"), actor=CLERK)
    ledger.before, ledger.reading = LedgerDown("full"), LedgerBroken("unreadable")
    with pytest.raises(LedgerDown):
        hall.handle(press("2"), actor=CLERK)
    with pytest.raises(LedgerBroken):
        state_of(hall)
    with pytest.raises(LedgerBroken):
        hall.handle(press("2"), actor=CLERK)
    ledger.before = ledger.reading = None
    assert label(hall.handle(press("2"), actor=CLERK)) == "A002"
    assert_sound(hall, ledger)


def test_a_doubtful_write_stops_the_process_before_anybody_is_answered() -> None:
    ledger = Flaky(MemoryLedger())
    order: list[str] = []

    def fail_stop(error: Exception) -> None:
        order.append(type(error).__name__)
        time.sleep(0)
        order.append("stopped")

    hall = a_hall(ledger, fail_stop=fail_stop)
    ledger.before = LedgerDoubtful("fsync")
    with pytest.raises(LedgerDoubtful):
        hall.handle(press(), actor=CLERK)
    order.append("answered")
    assert order == ["LedgerDoubtful", "stopped", "answered"]


def test_a_bug_in_one_command_fails_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    ledger.entered.clear()
    ledger.gate = threading.Event()
    broken = replace(press(), language="\ud800")  # cannot be stored
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(hall.handle, press("0"), actor=CLERK)
        assert ledger.entered.wait(PATIENCE_S)
        bad, good = (pool.submit(hall.handle, it, actor=CLERK) for it in (broken, press("1")))
        ledger.gate.set()
        assert isinstance(bad.exception(PATIENCE_S), UnicodeEncodeError)
        assert sorted([label(first.result(PATIENCE_S)), label(good.result(PATIENCE_S))]) == ["A001", "A002"]
    assert_sound(hall, ledger)


def test_an_interrupted_writer_leaves_nobody_waiting_for_ever() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    ledger.entered.clear()
    ledger.gate, ledger.after = threading.Event(), KeyboardInterrupt()
    with ThreadPoolExecutor(3) as pool:
        leader = pool.submit(hall.handle, press("0"), actor=CLERK, key="k")
        assert ledger.entered.wait(PATIENCE_S)
        ledger.gate.set()
        assert isinstance(leader.exception(PATIENCE_S), KeyboardInterrupt)
        ledger.after = None
        assert label(pool.submit(hall.handle, press("0"), actor=CLERK, key="k").result(PATIENCE_S)) == "A001"
        assert label(pool.submit(hall.handle, press("1"), actor=CLERK).result(PATIENCE_S)) == "A002"
    assert_sound(hall, ledger)


def test_two_servers_on_one_ledger_never_double() -> None:
    ledger = MemoryLedger()
    halls = [a_hall(ledger), a_hall(ledger)]
    answers: list[Answer] = []

    def client(thread: int) -> None:
        for number in range(25):
            key = f"{thread}-{number}"
            command: c.Command = (
                c.CallNext(window=WindowNo(str(1 + thread % 2)), finish=True) if number % 3 == 2 else press(key)
            )
            for hall in (halls[thread % 2], halls[1 - thread % 2]):  # the retry goes to the other server
                try:
                    answers.append(Answer(key=key, result=result_of(hall.handle(command, actor=CLERK, key=key))))
                except (Refusal, LedgerDown):
                    continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client, range(4)))
    assert faults(ledger.read(), answers) == []
    assert len({it.key for it in answers}) > 50


def test_a_ledger_that_is_always_stale_is_down() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    ledger.before = Stale("late")
    with pytest.raises(LedgerDown):
        hall.handle(press(), actor=CLERK)


def test_a_ledger_of_another_hall_is_refused() -> None:
    ledger = MemoryLedger()
    a_hall(ledger)
    with pytest.raises(LedgerBroken):
        Hall(HallId("other"), ledger, clock=Clock())


def test_the_day_turns_by_itself_with_the_first_command() -> None:
    ledger, clock = MemoryLedger(), Clock()
    hall = a_hall(ledger, clock)
    hall.handle(press(), actor=CLERK)
    clock.now_ms += DAY
    commit = hall.handle(press(), actor=CLERK)
    assert label(commit) == "A001"
    assert (commit.day, commits_of(hall)[-2].actor) == ("2026-03-03", CLOCK)
    assert isinstance(commits_of(hall)[-2].events[-1], e.DayOpened)
    assert_sound(hall, ledger)


def test_the_day_turns_even_when_the_first_command_is_refused() -> None:
    hall = a_hall(MemoryLedger(), clock := Clock())
    clock.now_ms += DAY
    with pytest.raises(Refusal) as refusal:
        hall.handle(c.CallNext(window=WindowNo("1")), actor=CLERK)
    assert refusal.value.code is Code.WINDOW_CLOSED
    assert state_of(hall).day == "2026-03-03"


def test_a_day_that_could_not_turn_turns_with_the_next_command() -> None:
    ledger, clock = Flaky(MemoryLedger()), Clock()
    hall = a_hall(ledger, clock)
    clock.now_ms += DAY
    ledger.before = LedgerDown("full")
    with pytest.raises(LedgerDown):
        hall.handle(press(), actor=CLERK)
    assert state_of(hall).day == "2026-03-02"
    ledger.before = None
    assert hall.handle(press(), actor=CLERK).day == "2026-03-03"
    assert_sound(hall, ledger)


def test_the_timer_turns_every_day_once_and_quietly(caplog: pytest.LogCaptureFixture) -> None:
    ledger, clock = MemoryLedger(), Clock()
    empty = Hall(HALL, MemoryLedger(), clock=clock)
    hall = a_hall(ledger, clock)
    for _ in range(3):
        clock.now_ms += DAY
        before = hall.seq
        for _ in range(3):
            timers.tick([hall, empty])
        assert hall.seq == before + 1
    assert empty.seq == 0  # no day before the first plan
    assert [record for record in caplog.records if record.name.startswith("server")] == []


def test_the_timer_tries_again_when_the_ledger_is_down() -> None:
    ledger, clock = Flaky(MemoryLedger()), Clock()
    hall = a_hall(ledger, clock)
    clock.now_ms += DAY
    ledger.before = LedgerDown("full")
    beats: list[int] = []
    stops = iter([False, False, True])
    timers.run([hall], wait=lambda _: next(stops), beat=lambda: beats.append(hall.seq))
    ledger.before = None
    timers.tick([hall])
    assert len(beats) == 2
    assert state_of(hall).day == "2026-03-03"


def test_the_timer_goes_on_when_the_ledger_cannot_even_be_read() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    hall.handle(c.PlanHall(plan=replace(PLAN, left_alone_min=15)), actor=CLERK)
    ledger.before = ledger.reading = LedgerDown("the disk is gone")
    with pytest.raises(LedgerDown):
        hall.handle(press(), actor=CLERK)
    timers.tick([hall], idle_of=lambda _hall, _window: 3600.0)
    ledger.before = ledger.reading = None
    timers.tick([hall], idle_of=lambda _hall, _window: 3600.0)
    assert {window.paused for window in state_of(hall).windows.values() if window.clerk} == {PauseReason.LEFT_ALONE}


def test_a_clock_that_steps_back_moves_neither_time_nor_day_back() -> None:
    hall = a_hall(MemoryLedger(), clock := Clock())
    first = hall.handle(press("1"), actor=CLERK)
    clock.now_ms -= 2 * DAY
    second = hall.handle(press("2"), actor=CLERK)
    assert (second.at_ms, second.day, label(second)) == (first.at_ms, first.day, "A002")
    assert hall.now_ms() == first.at_ms
    assert not hall.day_is_over()


@pytest.mark.parametrize(
    ("before", "after", "day"),
    [
        (
            "2026-12-31T23:59:58+08:00",
            "2027-01-01T00:00:01+08:00",
            "2026-12-31",
        ),  # not at midnight
        ("2026-12-31T23:59:58+08:00", "2027-01-01T06:00:00+08:00", "2027-01-01"),
        ("2028-02-28T23:00:00+08:00", "2028-02-29T06:00:00+08:00", "2028-02-29"),
    ],
)
def test_year_end_and_leap_day(before: str, after: str, day: str) -> None:
    hall = a_hall(MemoryLedger(), clock := Clock(before))
    hall.handle(press("1"), actor=CLERK)
    clock.now_ms = ms(after)
    commit = hall.handle(press("2"), actor=CLERK)
    assert commit.day == day
    assert label(commit) == ("A002" if day == "2026-12-31" else "A001")


def test_followers_are_woken_after_the_write_and_only_then() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    seen: list[int] = []
    hall.follow(lambda: seen.append(len(ledger.appends)))
    hall.handle(press("1"), actor=CLERK)
    assert seen == [len(ledger.appends)]
    ledger.before = LedgerDown("full")
    with pytest.raises(LedgerDown):
        hall.handle(press("2"), actor=CLERK)
    with pytest.raises(LedgerDown):
        hall.handle(press("2"), actor=CLERK)
    assert len(seen) == 1


def test_nobody_sees_what_is_not_yet_written() -> None:
    ledger = Flaky(MemoryLedger())
    hall = a_hall(ledger)
    before = hall.seq
    ledger.entered.clear()
    ledger.gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(hall.handle, press(), actor=CLERK)
        assert ledger.entered.wait(PATIENCE_S)
        reading = pool.submit(hall.read, lambda state, seq: (seq, len(state.tickets)))
        assert [it.seq for it in hall.commits(before, 10)] == []
        assert not reading.done()
        ledger.gate.set()
        assert reading.result(PATIENCE_S) == (writing.result(PATIENCE_S).seq, 1)
