"""Cases between halls of one process: each arrives once, whatever happens, and its first hall hears of it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from server.domain import commands as c
from server.domain.terms import CaseId, CaseStatus, HallId
from server.feeds.handover import HandOvers
from server.hall import Hall
from server.ledger.base import Commit, LedgerDown
from tests.feeds.halls import ACTOR, COUNTY, FIRST, LI, TOWN, VILLAGE, Clock, a_hall, cases_of, hand_one_over, status_of

DAY_MS = round(timedelta(days=1).total_seconds() * 1000)


class Halls:
    """Some halls and what carries cases between them."""

    def __init__(self, *ids: HallId) -> None:
        self.clock = Clock()
        self.halls = {id_: a_hall(id_, clock=self.clock) for id_ in ids}
        self.feed = HandOvers(self.halls)
        self.feed.step()

    def __getitem__(self, id_: HallId) -> Hall:
        return self.halls[id_]


def test_a_case_arrives_and_its_first_hall_knows() -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    halls.feed.step()
    (theirs,) = cases_of(halls[COUNTY])
    assert (theirs.origin, theirs.client, theirs.matter) == ((VILLAGE, FIRST), "王先生", "tax事")
    assert (theirs.agent, theirs.steps[0].note, theirs.due) == (None, "请县里办", None)
    (ours,) = cases_of(halls[VILLAGE])
    assert (ours.status, ours.their_case) == (CaseStatus.PASSED_ON, theirs.id)


def test_the_end_is_told_where_the_case_came_from() -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    halls.feed.step()
    halls[COUNTY].handle(c.TakeCase(case=FIRST, agent=LI), actor=ACTOR)
    halls[COUNTY].handle(c.FinishCase(case=FIRST, by=LI, outcome="证已寄出"), actor=ACTOR)
    halls.feed.step()
    (ours,) = cases_of(halls[VILLAGE])
    assert (ours.reported, ours.steps[-1].what, ours.steps[-1].note) == (True, "reported", "证已寄出")
    assert ours.steps[-1].by == COUNTY


def test_a_case_passed_on_twice_is_told_all_the_way_back() -> None:
    halls = Halls(VILLAGE, TOWN, COUNTY)
    hand_one_over(halls[VILLAGE], TOWN)
    halls.feed.step()
    halls[TOWN].handle(c.TakeCase(case=FIRST, agent=LI), actor=ACTOR)
    halls[TOWN].handle(c.HandOverCase(case=FIRST, by=LI, to_hall=COUNTY), actor=ACTOR)
    halls.feed.step()
    halls[COUNTY].handle(c.WithdrawCase(case=FIRST, by=LI, reason="本人撤回", chief=True), actor=ACTOR)
    for _ in range(2):
        halls.feed.step()
    (ours,) = cases_of(halls[VILLAGE])
    assert (ours.steps[-1].what, ours.steps[-1].note) == ("reported_withdrawn", "本人撤回")


def test_nothing_is_written_while_there_is_nothing_to_carry() -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    halls.feed.step()
    before = [hall.seq for hall in halls.halls.values()]
    for _ in range(3):
        halls.feed.step()
    HandOvers(halls.halls).step()
    assert [hall.seq for hall in halls.halls.values()] == before


def test_a_hall_of_another_process_gets_nothing_and_nothing_is_lost() -> None:
    halls = Halls(VILLAGE)
    hand_one_over(halls[VILLAGE])
    halls.feed.step()
    assert status_of(halls[VILLAGE]) is CaseStatus.HANDED_OVER
    county = a_hall(COUNTY, clock=halls.clock)  # the next start has that hall too
    HandOvers(halls.halls | {COUNTY: county}).step()
    assert status_of(halls[VILLAGE]) is CaseStatus.PASSED_ON
    assert len(cases_of(county)) == 1


def broken(hall: Hall, kind: type[object], times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hall's ledger fail for one kind of command, so often."""
    really, left = hall.handle, [times]

    def handle(command: c.Command, **more: object) -> Commit:
        if isinstance(command, kind) and left[0] > 0:
            left[0] -= 1
            raise LedgerDown("no space left")
        return really(command, **more)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(hall, "handle", handle)


@pytest.mark.parametrize("which", [(COUNTY, c.ReceiveCase), (VILLAGE, c.ConfirmHandOver)])
def test_a_full_disk_delays_and_doubles_nothing(
    which: tuple[HallId, type[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    broken(halls[which[0]], which[1], 2, monkeypatch)
    for _ in range(3):
        assert status_of(halls[VILLAGE]) is CaseStatus.HANDED_OVER
        halls.feed.step()
    assert status_of(halls[VILLAGE]) is CaseStatus.PASSED_ON
    assert len(cases_of(halls[COUNTY])) == 1


def test_a_ledger_that_cannot_be_read_for_a_moment_does_not_end_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])

    def away(after: int, limit: int) -> list[Commit]:
        raise LedgerDown(f"no master that is up: {after}, {limit}")

    with monkeypatch.context() as patch:
        patch.setattr(halls[VILLAGE], "commits", away)
        halls.feed.step()
        assert status_of(halls[VILLAGE]) is CaseStatus.HANDED_OVER
    halls.feed.step()
    assert status_of(halls[VILLAGE]) is CaseStatus.PASSED_ON


@pytest.mark.parametrize("days", [0, 3])
def test_a_power_cut_between_the_two_commits_doubles_nothing(tmp_path: Path, days: int) -> None:
    died = subprocess.run([sys.executable, "-m", "tests.feeds.killed_between", str(tmp_path)], check=False, timeout=60)
    assert died.returncode == -9
    clock = Clock()
    clock.ms += days * DAY_MS  # on another day the key is known no more, the case is
    village, county = a_hall(VILLAGE, tmp_path, clock), a_hall(COUNTY, tmp_path, clock)
    assert (status_of(village), len(cases_of(county))) == (CaseStatus.HANDED_OVER, 1)
    HandOvers({VILLAGE: village, COUNTY: county}).step()
    assert (status_of(village), len(cases_of(county))) == (CaseStatus.PASSED_ON, 1)
    assert cases_of(village)[0].their_case == cases_of(county)[0].id
    for hall in (village, county):
        hall.close()


def test_without_the_halls_own_memory_a_case_would_arrive_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: a hall that forgets what it received takes the case again on another day."""
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    broken(halls[VILLAGE], c.ConfirmHandOver, 1, monkeypatch)
    halls.feed.step()
    halls.clock.ms += DAY_MS
    for case in cases_of(halls[COUNTY]):
        case.origin = None
    halls.feed.step()
    assert [case.id for case in cases_of(halls[COUNTY])] == [FIRST, CaseId("C20260303-001")]


def test_a_chief_who_sends_it_elsewhere_meanwhile_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    halls = Halls(VILLAGE, COUNTY)
    hand_one_over(halls[VILLAGE])
    broken(halls[VILLAGE], c.ConfirmHandOver, 1, monkeypatch)
    halls.feed.step()
    redirect = c.HandOverCase(case=FIRST, by=LI, to_hall=HallId("far-away"), chief=True)
    halls[VILLAGE].handle(redirect, actor=ACTOR)
    halls.feed.step()
    assert status_of(halls[VILLAGE]) is CaseStatus.HANDED_OVER
