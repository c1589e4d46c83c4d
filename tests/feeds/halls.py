"""Two halls of one county, on real ledgers: a village that takes matters on, and the county hall that decides them."""

from dataclasses import replace
from pathlib import Path

from server.domain import commands as c
from server.domain.records import Case
from server.domain.terms import Actor, ActorKind, CaseId, CaseKind, CaseStatus, HallId, ServiceId, WorkId
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger
from tests.domain.halls import NINE, PLAN, ms

VILLAGE, COUNTY, TOWN = HallId("village"), HallId("county"), HallId("town")
ACTOR = Actor(kind=ActorKind.PERSON, id="2001")
WANG, LI = WorkId("2001"), WorkId("3001")
FIRST = CaseId("C20260302-001")


class Clock:
    """A clock that a test moves; Unix ms."""

    def __init__(self) -> None:
        self.ms = ms(NINE)

    def __call__(self) -> int:
        return self.ms


def a_hall(id_: HallId, folder: Path | None = None, clock: Clock | None = None) -> Hall:
    """Give a hall with its ledger in a folder, else in memory."""
    ledger = MemoryLedger() if folder is None else SqliteLedger(folder / f"{id_}.sqlite")
    hall = Hall(id_, ledger, clock=clock or Clock())
    if hall.seq == 0:
        hall.handle(c.PlanHall(plan=replace(PLAN, hall=id_)), actor=ACTOR)
    return hall


def hand_one_over(hall: Hall, to: HallId = COUNTY) -> None:
    """Take a case on and hand it over."""
    opened = c.OpenCase(kind=CaseKind.AGENCY, agent=WANG, client="王先生", service=ServiceId("tax"), elsewhere=True)
    case = hall.handle(opened, actor=ACTOR).events[-1].case  # type: ignore[union-attr]  # a CaseOpened
    hall.handle(c.HandOverCase(case=case, by=WANG, to_hall=to, note="请县里办"), actor=ACTOR)


def cases_of(hall: Hall) -> list[Case]:
    """Give the cases a hall knows."""
    return hall.read(lambda state, _: list(state.cases.values()))


def status_of(hall: Hall, case: CaseId = FIRST) -> CaseStatus:
    """Say where a case stands."""
    return hall.read(lambda state, _: state.cases[case].status)
