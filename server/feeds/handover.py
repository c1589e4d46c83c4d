"""Cases on their way between the halls of this process (当天转交): each arrives once, and its first hall hears of it.

What is still to be done stands in the halls themselves: a case on its way that nobody has confirmed, a case from
elsewhere that has ended without its first hall knowing. So after a start the states are looked at, and from there on
the commits are followed; there is nothing else to keep. A process that dies between the two commits of one step does
it again: the key, and the receiving hall's own memory, let a case arrive once only. A hall of another process gets
its cases over the wire, by hand or by script.
"""

import logging
from collections.abc import Mapping
from functools import partial
from threading import Event as Flag
from threading import RLock
from time import monotonic
from typing import Protocol

from server.domain import cases
from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import Actor, ActorKind, CaseId, CaseStatus, HallId
from server.feeds.hall_view import HallView
from server.ledger.base import Commit, LedgerDown

PAGE = 500
LOOK_EVERY_S = 1.0

_NEWS = (e.CaseHandedOver, e.CaseHandoverConfirmed, e.CaseFinished, e.CaseWithdrawn, e.CaseReportedBack)

log = logging.getLogger(__name__)


class WorkingHall(HallView, Protocol):
    """A hall that takes commands too; `server.hall.Hall` is one."""

    def handle(self, command: c.Command, *, actor: Actor, key: str | None = None, fingerprint: str = "") -> Commit:
        """Give the durable commit of a command; the same key again gives the first commit of the day again."""


class HandOvers:
    """Carries cases between halls. Safe to wake from many threads or greenlets."""

    def __init__(self, halls: Mapping[HallId, WorkingHall]) -> None:
        """Follow these halls; the first step looks at everything they know."""
        self._halls = halls
        self._wake = Flag()
        self._turn = RLock()
        self._stopped = False
        self._read_to: dict[HallId, int] = {}  # absent: its state is to be looked at
        self._down: set[HallId] = set()
        self.beat = monotonic()
        """When the loop last went round, for the health page."""
        for hall in halls.values():
            hall.follow(self._wake.set)

    def run(self) -> None:
        """Follow the halls until `stop`."""
        while not self._stopped:
            self.beat = monotonic()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            if not self._stopped:
                self.step()

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake.set()

    def step(self) -> None:
        """Do what is to be done now; what a ledger cannot take now is tried again at the next step."""
        with self._turn:
            for hall in self._halls.values():
                try:
                    if not self._has_news(hall):
                        continue
                    self._carry(hall)
                except LedgerDown as error:
                    self._read_to.pop(hall.id, None)
                    if hall.id not in self._down:
                        log.error("cases of %s are not handed over: %s", hall.id, error)
                    self._down.add(hall.id)
                    continue
                if hall.id in self._down:
                    log.info("cases of %s are handed over again", hall.id)
                    self._down.remove(hall.id)

    def _has_news(self, hall: WorkingHall) -> bool:
        """Say whether a hall's state is to be looked at, and read on to where it stands."""
        begin = self._read_to.get(hall.id)
        at = self._read_to[hall.id] = hall.seq if begin is None else begin
        found = begin is None
        while at < hall.seq and (commits := hall.commits(at, PAGE)):
            found = found or any(isinstance(event, _NEWS) for commit in commits for event in commit.events)
            at = self._read_to[hall.id] = commits[-1].seq
        return found

    def _carry(self, hall: WorkingHall) -> None:
        for to_hall, command in hall.read(_on_their_way):
            if (target := self._halls.get(to_hall)) is not None and to_hall != hall.id:
                self._deliver(hall, target, command)
        for first_hall, report in hall.read(_ended):
            if (first := self._halls.get(first_hall)) is not None and first.read(partial(_is_unheard, report.case)):
                self._tell(first, report)

    def _deliver(self, hall: WorkingHall, target: WorkingHall, command: c.ReceiveCase) -> None:
        """Let the target have the case, then tell the hall so."""
        key = f"handover:{command.from_hall}:{command.from_case}"
        try:
            commit = target.handle(command, actor=_of(hall), key=key, fingerprint=key)
            theirs = next(event.case for event in commit.events if isinstance(event, e.CaseReceived))
        except Refusal as refusal:
            if refusal.code is not Code.CASE_RECEIVED:
                log.warning("%s does not take case %s: %s", target.id, command.from_case, refusal)
                return
            theirs = CaseId(refusal.facts["case"])
        confirm = c.ConfirmHandOver(case=command.from_case, to_hall=target.id, their_case=theirs)
        try:
            hall.handle(confirm, actor=_of(target))
        except Refusal as refusal:  # a chief was quicker and sent it elsewhere
            log.warning("case %s of %s arrived as %s and is not confirmed: %s", confirm.case, hall.id, theirs, refusal)
        else:
            log.info("case %s of %s is %s of %s now", confirm.case, hall.id, theirs, target.id)

    def _tell(self, first: WorkingHall, report: c.ReportBack) -> None:
        try:
            first.handle(report, actor=Actor(kind=ActorKind.CLOCK, id=f"hall:{report.from_hall}"))
        except Refusal as refusal:
            log.warning("%s does not hear how case %s ended: %s", first.id, report.case, refusal)


def _on_their_way(state: HallState, _: int) -> list[tuple[HallId, c.ReceiveCase]]:
    return [
        (case.to_hall, cases.for_other_hall(state, case))
        for case in state.cases.values()
        if case.status is CaseStatus.HANDED_OVER and case.to_hall is not None
    ]


def _ended(state: HallState, _: int) -> list[tuple[HallId, c.ReportBack]]:
    reports = [(case.origin, cases.for_first_hall(state, case)) for case in state.cases.values()]
    return [(origin[0], report) for origin, report in reports if origin is not None and report is not None]


def _is_unheard(case_id: CaseId, state: HallState, _: int) -> bool:
    """Say whether a hall has not heard yet how a case that it passed on ended."""
    case = state.cases.get(case_id)
    return case is not None and case.status is CaseStatus.PASSED_ON and not case.reported


def _of(hall: WorkingHall) -> Actor:
    return Actor(kind=ActorKind.CLOCK, id=f"hall:{hall.id}")
