"""The judge is judged: for each rule the smallest history that breaks it, and nothing else is said of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from config import load_hall, shipped
from server.domain import commands as c
from server.domain import events as e
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Refusal
from server.domain.state import HallState
from server.domain.terms import (
    CLOCK,
    Actor,
    ActorKind,
    Fairness,
    HallPlan,
    PriorityId,
    ServiceId,
    TicketId,
    Track,
    WindowNo,
    WorkId,
)
from server.ledger import codec
from server.ledger.base import GENESIS, Commit
from server.plan import plan_of
from tests.checker.history import Denied, End, History, Op, Paper, Read, Shown, Spoken, answer_of
from tests.checker.judge import draw, judge, rules, state_hash
from tests.domain.halls import MIN, NINE, PLAN, ms
from tests.hall.days import RandomDays

ALICE = Actor(kind=ActorKind.PERSON, id="alice", source="10.0.0.7")
# The sample of GB 11643-1999, in pieces so that no identity number stands in this file.
IDENTITY = "110105" + "19491231" + "002X"
GUARDED = replace(PLAN, fairness=Fairness(ratio=2, oldest_first_after_min=60))


class Book:
    """A hall's morning, one request after the other, and what everybody saw of it; a second passes between them."""

    def __init__(self, plan: HallPlan = PLAN) -> None:
        self.state, self.commits, self.history = HallState(), list[Commit](), History(networked=True)
        self.now_ms, self.now_s = ms(NINE), 0.0
        self.do(c.PlanHall(plan=plan), CLOCK)
        self.do(c.StartDay(), CLOCK)
        self.open("1")

    def do(self, command: c.Command, actor: Actor = ALICE) -> Commit:
        """Ask, and write what was decided and answered."""
        self.now_ms += 1000
        events = decide(self.state, command, now_ms=self.now_ms)
        return self.write(events, actor)

    def write(self, events: Iterable[e.Event], actor: Actor = ALICE) -> Commit:
        """Write events, and answer."""
        events, key = tuple(events), None if actor is CLOCK else f"key-{len(self.commits)}"
        for event in events:
            evolve(self.state, event, at_ms=self.now_ms)
        commit = Commit(
            hall=PLAN.hall,
            seq=len(self.commits) + 1,
            at_ms=self.now_ms,
            day=self.state.day or "",
            actor=actor,
            events=events,
            key=key,
        )
        self.commits.append(codec.seal(commit, self.commits[-1].hash if self.commits else GENESIS))
        self.now_s += 1
        if key is not None:
            answer = answer_of(self.commits[-1])
            self.ask(key, End.OK, self.now_s, self.now_s + 0.5, answer)
        return self.commits[-1]

    def ask(self, key: str, end: End, t0: float = 0.0, t1: float = 0.0, told: Any = None) -> None:
        """Write down a sending of a request."""
        self.history.ops.append(Op(key=key, end=end, t0=t0, t1=t1, told=told or {}))

    def open(self, no: str) -> None:
        self.do(c.OpenWindow(window=WindowNo(no), clerk=WorkId(f"clerk-{no}")))

    def issue(self, service: str = "general", priority: str | None = None) -> TicketId:
        track = Track(f"t{len(self.commits)}")
        rule = PriorityId(priority) if priority else None
        commit = self.do(c.IssueTicket(service=ServiceId(service), track=track, priority=rule))
        return ticket_of(commit)

    def call(self, no: str = "1") -> Commit:
        return self.do(c.CallNext(window=WindowNo(no), finish=True))

    def show(self, connection: int = 1, *, seq: int | None = None, data: bytes | None = None) -> None:
        """Let the board show the hall as it is now."""
        self.history.shown.append(
            Shown(
                screen="board",
                connection=connection,
                seq=len(self.commits) if seq is None else seq,
                topic="board",
                data=draw(self.state, "board") if data is None else data,
            )
        )

    def change(self, seq: int, *events: e.Event, **fields: Any) -> None:
        """Let a commit say something else, under hashes that fit; the answers stay as they were, but for the hashes."""
        replaced = replace(self.commits[seq - 1], **fields)
        self.commits[seq - 1] = replace(replaced, events=events) if events else replaced
        self.seal()

    def seal(self) -> None:
        """Number and chain the commits again; nobody was told of the hashes before."""
        fresh: list[Commit] = []
        for seq, commit in enumerate(self.commits, start=1):
            fresh.append(codec.seal(replace(commit, seq=seq), fresh[-1].hash if fresh else GENESIS))
        self.commits = fresh
        ops = self.history.ops
        self.history.ops = [replace(op, told={k: it for k, it in op.told.items() if k != "hash"}) for op in ops]
        self.history.reads = [replace(read, hash=None) for read in self.history.reads]

    @property
    def broken(self) -> set[str]:
        return rules(judge(self.commits, self.history))


def ticket_of(commit: Commit) -> TicketId:
    """Give the ticket of a commit's last event."""
    last = commit.events[-1]
    assert isinstance(last, e.TicketIssued | e.TicketCalled)
    return last.ticket


@pytest.fixture
def book() -> Book:
    """Give a morning with two visitors of whom the first is called, seen, heard and printed."""
    made = Book()
    for _ in range(2):
        id_ = made.issue()
        made.show()
        made.history.papers.append(Paper(ticket=id_, label=made.state.tickets[id_].label, reprint=False, text=id_))
    made.history.papers = [replace(it, text=f"您的号 {it.label}") for it in made.history.papers]
    made.history.printer = True
    called = made.call()
    made.show()
    made.history.spoken.append(Spoken(ticket=ticket_of(called), window="1", call_count=1, seq=called.seq, after_s=1))
    made.history.reads.append(Read(who="backup", seq=called.seq, hash=called.hash, t0=made.now_s + 1))
    made.history.states.append(("the server", called.seq, state_hash(made.state)))
    made.history.showing["board"] = ("board", draw(made.state, "board"))
    return made


def test_a_good_morning_breaks_no_rule(book: Book) -> None:
    book.ask("key-9", End.INFO, 1.0)  # never came to the hall
    book.ask("key-10", End.FAIL, 1.0, 2.0)
    assert book.broken == set()


@pytest.mark.parametrize("hall", ["demo", "qiaocheng", "hefeng-county"])
@pytest.mark.parametrize("seed", range(2))
def test_random_days_of_real_halls_break_no_rule(hall: str, seed: int) -> None:
    days = RandomDays(plan=plan_of(load_hall(shipped()[hall])), seed=seed)
    days.play(days=2, steps=300)
    assert rules(judge(days.commits, History())) == {"L6"}  # nobody wrote down who asked


# what was answered


def test_l1_a_commit_that_was_changed_behind_its_hash(book: Book) -> None:
    book.commits[3] = replace(book.commits[3], actor=replace(ALICE, id="mallory"))
    assert book.broken == {"L1"}


def test_l2_a_key_that_stands_twice(book: Book) -> None:
    again = book.issue()
    book.history.papers.append(Paper(ticket=again, label=book.state.tickets[again].label, reprint=False))
    book.change(len(book.commits), key=book.commits[3].key)
    del book.history.ops[-1]
    book.history.showing.clear()
    assert book.broken == {"L2"}


def test_l3_an_acknowledged_request_that_is_lost(book: Book) -> None:
    book.ask("key-99", End.OK, 1.0, 2.0, {"seq": 5})
    assert book.broken == {"L3"}


def test_l4_a_repeated_request_that_is_told_something_else(book: Book) -> None:
    first = book.history.ops[1]
    book.history.ops.append(replace(first, told={**first.told, "label": "A002"}))
    assert book.broken == {"L4"}


def test_l5_a_refused_request_that_is_written(book: Book) -> None:
    book.history.ops[1] = replace(book.history.ops[1], end=End.FAIL)
    assert book.broken == {"L5"}
    book.ask(book.history.ops[1].key, End.INFO)  # once nobody knew: then it may be there
    assert book.broken == set()


def test_l6_a_commit_that_nobody_asked_for(book: Book) -> None:
    del book.history.ops[1]
    assert book.broken == {"L6"}


def test_l7_who_was_answered_first_stands_behind(book: Book) -> None:
    first, second = book.history.ops[1:3]
    book.history.ops[1:3] = [replace(first, t0=5.0, t1=5.5), replace(second, t0=4.0, t1=4.5)]
    assert book.broken == {"L7"}
    book.ask(first.key, End.INFO, 4.2)  # it had asked before, and this was the second time
    assert book.broken == set()


def test_l8_a_snapshot_of_another_ledger(book: Book) -> None:
    book.history.reads.append(Read(who="replica", seq=3, hash="0" * 64))
    assert book.broken == {"L8"}


def test_l8_a_server_that_shows_less_than_it_told(book: Book) -> None:
    book.history.reads.append(Read(who="screen", seq=3, t0=book.now_s + 1))
    assert book.broken == {"L8"}


def test_l8_a_read_of_what_is_gone(book: Book) -> None:
    book.history.reads.append(Read(who="screen", seq=99, t0=0.0))
    assert book.broken == {"L8"}


# numbers and paper


def test_t1_and_t2_a_number_twice(book: Book) -> None:
    issued = book.commits[4].events[0]
    assert isinstance(issued, e.TicketIssued)
    book.history.papers.clear()
    book.history.printer = False
    book.history.shown.clear()
    book.history.showing.clear()
    first = book.commits[3].events[0]
    assert isinstance(first, e.TicketIssued)
    book.change(5, replace(issued, number=first.number, ticket=first.ticket, label=first.label))
    assert {"T1", "T2"} <= book.broken


def test_t2_a_gap(book: Book) -> None:
    issued = book.commits[4].events[0]
    assert isinstance(issued, e.TicketIssued)
    book.history.ops[2] = replace(book.history.ops[2], told={})
    book.history.states.clear()
    book.change(5, replace(issued, number=3))
    assert book.broken == {"T2"}


def test_t3_a_series_that_goes_on_behind_its_last_number() -> None:
    short = Book(replace(PLAN, services=tuple(replace(it, last=1) for it in PLAN.services)))
    short.issue()
    with pytest.raises(Refusal):
        short.issue()
    planned = short.commits[0].events[0]
    assert isinstance(planned, e.HallPlanned)
    long = Book()
    long.issue()
    long.issue()
    long.change(1, planned)
    assert long.broken == {"T3"}


def test_t4_a_day_that_goes_back(book: Book) -> None:
    book.do(c.CloseDay())
    book.write([e.DayOpened(day="2026-03-01")], CLOCK)
    book.history.showing.clear()
    assert book.broken == {"T4"}


@pytest.mark.parametrize(
    "paper",
    [
        Paper(ticket="20260302-A001", label="A001", reprint=False),  # the original again
        Paper(ticket="20260302-A001", label="A001", reprint=True),  # a copy nobody asked for
        Paper(ticket="20260302-A009", label="A009", reprint=False),  # a number nobody got
    ],
)
def test_t5_a_paper_too_many(book: Book, paper: Paper) -> None:
    book.history.papers.append(paper)
    assert book.broken == {"T5"}


def test_t5_another_number_on_the_paper(book: Book) -> None:
    book.history.papers[0] = replace(book.history.papers[0], text="您的号 A007")
    assert book.broken == {"T5"}


def test_t5_a_ticket_that_did_not_come_out(book: Book) -> None:
    del book.history.papers[0]
    assert book.broken == {"T5"}


# who is called


def test_c1_a_move_that_is_not_allowed(book: Book) -> None:
    finished = e.TicketFinished(
        ticket=TicketId("20260302-A002"),
        label=book.state.tickets[TicketId("20260302-A002")].label,
        window=WindowNo("1"),
        service=ServiceId("general"),
        serve_s=0,
        hold_s=0,
        call_count=0,
    )
    book.commits.append(replace(book.commits[-1], seq=7, events=(finished,), actor=CLOCK, key=None))
    book.seal()
    book.history.showing.clear()
    assert "C1" in book.broken


def test_c2_two_windows_for_one_visitor(book: Book) -> None:
    called = book.commits[-1].events[0]
    assert isinstance(called, e.TicketCalled)
    book.open("2")
    book.write([replace(called, window=WindowNo("2"))])
    book.history.showing.clear()
    assert {"C2", "C1", "C3"} >= book.broken >= {"C2"}


def test_c3_the_last_is_called_first(book: Book) -> None:
    called = book.commits[-1].events[0]
    assert isinstance(called, e.TicketCalled)
    last = book.state.tickets[TicketId("20260302-A002")]
    book.change(6, replace(called, ticket=last.id, label=last.label, number=last.number))
    book.history.ops[-1] = replace(book.history.ops[-1], told={})
    for gone in (book.history.shown, book.history.showing, book.history.states):
        gone.clear()
    assert book.broken == {"C3"}


def test_c3_another_service_is_called_though_this_one_is_older() -> None:
    """Inside each service everything is in order: only the routing knows better."""
    book = Book()
    book.open("2")
    book.issue("general")
    other = book.issue("social")
    called = book.call("2").events[0]
    assert isinstance(called, e.TicketCalled)
    ticket = book.state.tickets[other]
    wrong = replace(called, ticket=other, label=ticket.label, number=ticket.number, service=ticket.service)
    book.change(len(book.commits), wrong)
    book.history.ops[-1] = replace(book.history.ops[-1], told={})
    assert book.broken == {"C3"}


def test_c3_a_call_for_a_reason_that_is_not_so(book: Book) -> None:
    called = book.commits[-1].events[0]
    assert isinstance(called, e.TicketCalled)
    book.change(6, replace(called, why="priority"))
    for gone in (book.history.shown, book.history.showing, book.history.states):
        gone.clear()
    assert book.broken == {"C3"}


@pytest.mark.parametrize(("wait_min", "greens"), [(0, 3), (61, 2)])
def test_c4_somebody_ordinary_is_passed_over_again_and_again(wait_min: int, greens: int) -> None:
    """Priorities in a row beyond the ratio; and two of them before somebody who has waited too long."""

    def played(plan: HallPlan) -> Book:
        book = Book(plan)
        book.issue()
        book.now_ms += wait_min * MIN
        for _ in range(greens):
            book.issue(priority="green")
            book.now_ms += 40 * MIN
        for _ in range(greens):
            book.call()
        return book

    assert played(GUARDED).broken == set()
    unguarded = played(PLAN)
    planned = unguarded.commits[0].events[0]
    assert isinstance(planned, e.HallPlanned)
    unguarded.change(1, replace(planned, plan=GUARDED))
    assert unguarded.broken == {"C3", "C4"}


def test_c5_a_day_that_closes_over_somebody(book: Book) -> None:
    closed = book.do(c.CloseDay())
    left = [it for it in closed.events if getattr(it, "ticket", "") != "20260302-A002"]
    book.change(closed.seq, *left)
    book.history.showing.clear()
    assert book.broken == {"C5"}


def test_c6_a_recall_that_moves_somebody(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.do(c.Recall(window=WindowNo("1")))
    book.history.showing.clear()
    assert book.broken == set()

    def careless(state: HallState, event: e.Event, *, at_ms: int) -> None:
        evolve(state, event, at_ms=at_ms)
        if isinstance(event, e.TicketRecalled):
            state.lanes.clear()

    monkeypatch.setattr("tests.checker.judge.evolve", careless)
    assert book.broken == {"C6"}


# screens and voice


def test_d1_a_screen_that_goes_back(book: Book) -> None:
    book.history.shown.append(book.history.shown[0])
    assert book.broken == {"D1"}
    book.history.shown[-1] = replace(book.history.shown[0], connection=2)  # it was switched off meanwhile
    assert book.broken == set()


def test_d1_a_screen_that_misses_the_end(book: Book) -> None:
    book.history.showing["board"] = ("board", book.history.shown[0].data)
    assert book.broken == {"D1"}


def test_d2_and_d3_the_same_commit_shown_otherwise(book: Book) -> None:
    book.history.shown.append(replace(book.history.shown[-1], data=b"{}"))
    assert book.broken == {"D2", "D3"}


def test_d3_a_picture_of_something_else(book: Book) -> None:
    book.history.shown[0] = replace(book.history.shown[0], data=book.history.shown[1].data)
    assert book.broken == {"D3"}


def test_d4_a_call_that_is_spoken_twice(book: Book) -> None:
    book.history.spoken *= 2
    assert book.broken == {"D4"}


def test_d4_a_call_that_is_spoken_late(book: Book) -> None:
    book.history.spoken[0] = replace(book.history.spoken[0], after_s=36)
    assert book.broken == {"D4"}


# who did it, and what nobody may see


def test_a1_nobody_stands_behind_a_commit(book: Book) -> None:
    book.change(5, actor=replace(ALICE, id=""))
    assert book.broken == {"A1"}


def test_a1_nobody_knows_from_where(book: Book) -> None:
    book.change(5, actor=replace(ALICE, source=""))
    assert book.broken == {"A1"}


def test_a1_a_refusal_that_is_not_on_record(book: Book) -> None:
    denied = Denied(by="1001", source="10.0.0.7", code="not_allowed")
    book.history.denied += [denied, denied]
    book.history.audit_lines.append("refused not_allowed: POST /x by 1001 from 10.0.0.7")
    assert book.broken == {"A1"}
    book.history.audit_lines *= 2
    assert book.broken == set()


def test_a2_an_identity_number_in_the_ledger(book: Book) -> None:
    book.change(5, actor=replace(ALICE, id=IDENTITY))
    assert book.broken == {"A2"}


@pytest.mark.parametrize("where", ["log", "screen", "paper"])
def test_a2_an_identity_number_anywhere(book: Book, where: str) -> None:
    match where:
        case "log":
            book.history.texts.append(("the log", f"visitor {IDENTITY} came".encode()))
            assert book.broken == {"A2"}
        case "screen":
            book.show(data=f'"{IDENTITY}"'.encode())
            assert book.broken == {"A2", "D2", "D3"}
        case _:
            paper = book.history.papers[0]
            book.history.papers[0] = replace(paper, text=f"{paper.label} {IDENTITY}")
            assert book.broken == {"A2"}


def test_a3_a_server_that_knows_something_else(book: Book) -> None:
    other = Book()
    book.history.states.append(("the other server", len(book.commits), state_hash(other.state)))
    assert book.broken == {"A3"}


def test_the_hash_of_a_state_sees_every_part_of_it(book: Book) -> None:
    before = state_hash(book.state)
    book.state.struck.add(TicketId("20260302-A001"))
    assert state_hash(book.state) != before
    assert state_hash(Book().state) == state_hash(Book().state)
