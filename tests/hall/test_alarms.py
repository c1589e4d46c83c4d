"""The clock raises what is due, once, and sends nothing when nothing is."""

from dataclasses import replace

import pytest

from server import timers
from server.domain import commands as c
from server.domain import events as e
from server.domain.terms import Actor, ActorKind, CaseId, CaseKind, HallId, OpeningHours, WorkId
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from tests.domain.halls import PLAN, ms

WANG = Actor(kind=ActorKind.PERSON, id="2001")
CLOSES = OpeningHours(days=("mon",), opens="09:00", closes="17:30")


class Clock:
    """A clock that a test sets; Unix ms."""

    def __init__(self, clock: str) -> None:
        self.set(clock)

    def __call__(self) -> int:
        return self.ms

    def set(self, clock: str) -> None:
        self.ms = ms(f"2026-03-02T{clock}:00+08:00")


@pytest.fixture
def clock() -> Clock:
    return Clock("09:00")


@pytest.fixture
def hall(clock: Clock) -> Hall:
    """Give a hall with a case that must be handed over today."""
    hall = Hall(PLAN.hall, MemoryLedger(), clock=clock)
    hall.handle(c.PlanHall(plan=replace(PLAN, hours=(CLOSES,))), actor=WANG)
    opened = c.OpenCase(kind=CaseKind.AGENCY, agent=WorkId("2001"), client="王先生", elsewhere=True)
    hall.handle(opened, actor=WANG)
    return hall


def test_half_an_hour_before_closing_a_case_alarms_once(hall: Hall, clock: Clock) -> None:
    before = hall.seq
    clock.set("16:59")
    timers.tick([hall])
    assert hall.seq == before
    clock.set("17:00")
    for _ in range(3):
        timers.tick([hall])
    assert hall.seq == before + 1
    (commit,) = hall.commits(before, 10)
    assert [type(event) for event in commit.events] == [e.CaseHandoverDue]
    assert commit.actor.kind is ActorKind.CLOCK


def test_a_case_handed_over_in_time_makes_no_commit(hall: Hall, clock: Clock) -> None:
    over = c.HandOverCase(case=CaseId("C20260302-001"), by=WorkId("2001"), to_hall=HallId("county"))
    hall.handle(over, actor=WANG)
    before = hall.seq
    clock.set("17:20")
    timers.tick([hall])
    assert hall.seq == before
