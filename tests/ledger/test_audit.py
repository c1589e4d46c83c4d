"""The auditor finds what is wrong with a ledger: each test breaks one rule of a good day, and it must be seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from config import load_hall, shipped
from server.domain import events as e
from server.domain.terms import DeviceId, TicketId, WindowNo
from server.ledger import codec
from server.ledger.audit import audit, holds_personal_number
from server.ledger.base import GENESIS, Commit
from server.plan import plan_of
from tests.hall.days import RandomDays

# The sample of GB 11643-1999, in pieces so that no identity number stands in this file, and a well-known sample phone.
IDENTITY = "110105" + "19491231" + "002"
PHONE = "138" + "0013" + "8000"


@pytest.fixture(scope="module")
def good() -> list[Commit]:
    days = RandomDays(plan=plan_of(load_hall(shipped()["demo"])), seed=10)
    days.play(days=2, steps=700)
    return days.commits


def sealed(commits: Sequence[Commit]) -> list[Commit]:
    """Number and chain commits again, so that only the rule that was broken is broken."""
    chain: list[Commit] = []
    head = GENESIS
    for seq, commit in enumerate(commits, start=1):
        chain.append(codec.seal(replace(commit, seq=seq), head))
        head = chain[-1].hash
    return chain


def rules(commits: Sequence[Commit]) -> set[str]:
    return {finding.rule for finding in audit(commits)}


def at(commits: Sequence[Commit], kind: type[e.Event], skip: int = 0, **wanted: object) -> int:
    """Give the place of a commit with such an event as its only one."""
    for place, commit in enumerate(commits):
        event = commit.events[0]
        fits = isinstance(event, kind) and all(getattr(event, name) == value for name, value in wanted.items())
        if fits and len(commit.events) == 1:
            if skip == 0:
                return place
            skip -= 1
    raise AssertionError(f"no {kind.__name__} in the day")


def changed(commits: Sequence[Commit], place: int, **fields: Any) -> list[Commit]:
    commit = commits[place]
    event = replace(commit.events[0], **fields)
    return sealed([*commits[:place], replace(commit, events=(event, *commit.events[1:])), *commits[place + 1 :]])


def test_a_good_day_has_no_findings(good: list[Commit]) -> None:
    assert audit(good) == []


def test_a_lost_commit_is_found(good: list[Commit]) -> None:
    assert "L1" in rules([*good[:50], *good[51:]])


def test_a_changed_commit_is_found(good: list[Commit]) -> None:
    forged = replace(good[50], actor=replace(good[50].actor, id="somebody-else"))
    assert "L1" in rules([*good[:50], forged, *good[51:]])


def test_a_key_used_twice_in_a_day_is_found(good: list[Commit]) -> None:
    first, second = at(good, e.TicketIssued), at(good, e.TicketIssued, skip=1)
    keyed = [replace(it, key="press") if place in (first, second) else it for place, it in enumerate(good)]
    assert rules(sealed(keyed)) == {"L2"}


def test_a_gap_in_the_numbers_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketIssued, skip=3)
    event = good[place].events[0]
    assert isinstance(event, e.TicketIssued)
    assert "T2" in rules(changed(good, place, number=event.number + 1))


def test_a_number_behind_the_last_one_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketIssued, skip=3)
    event = good[place].events[0]
    assert isinstance(event, e.TicketIssued)
    (planned,) = (it for it in good[0].events if isinstance(it, e.HallPlanned))
    services = tuple(
        replace(it, last=event.number - 1) if it.id == event.service else it for it in planned.plan.services
    )
    short = e.HallPlanned(plan=replace(planned.plan, services=services))
    assert "T3" in rules(sealed([replace(good[0], events=(short,)), *good[1:]]))


def test_a_number_given_twice_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketIssued, skip=3)
    assert {"T1", "T2"} <= rules(sealed([*good[: place + 1], *good[place:]]))


def test_a_gap_that_no_block_covers_is_found(good: list[Commit]) -> None:
    leased = at(good, e.BlockLeased)
    assert "T2" in rules(sealed([*good[:leased], *good[leased + 1 :]]))


def test_a_block_leased_twice_is_found(good: list[Commit]) -> None:
    leased = at(good, e.BlockLeased)
    assert rules(sealed([*good[: leased + 1], good[leased], *good[leased + 1 :]])) >= {"T2"}


def test_a_number_of_a_block_that_somebody_else_gives_is_found(good: list[Commit]) -> None:
    told = at(good, e.TicketIssued, channel="offline")
    assert rules(changed(good, told, kiosk=DeviceId("kiosk-9"))) == {"T2"}
    assert rules(changed(good, told, pressed_ms=None)) >= {"T2"}


def test_a_number_of_a_block_that_was_told_before_is_found(good: list[Commit]) -> None:
    told = at(good, e.TicketIssued, channel="offline")
    event = good[told].events[0]
    assert isinstance(event, e.TicketIssued)
    again = replace(good[told], events=(replace(event, ticket=TicketId("20260302-again")),))
    assert "T2" in rules(sealed([*good[: told + 1], again, *good[told + 1 :]]))


def test_a_number_of_a_block_that_is_over_is_found(good: list[Commit]) -> None:
    leased, told = at(good, e.BlockLeased), at(good, e.TicketIssued, channel="offline")
    lease, event = good[leased].events[0], good[told].events[0]
    assert isinstance(lease, e.BlockLeased)
    assert isinstance(event, e.TicketIssued)
    over = [it for it in good[leased:told] if isinstance(it.events[0], e.BlockLeased)]
    ended = [
        replace(
            good[told],
            events=tuple(
                e.BlockReturned(
                    kiosk=it.kiosk, prefix=it.prefix, first=it.first, last=it.last, given=it.first - 1, reason="ended"
                )
                for commit in over
                for it in commit.events
                if isinstance(it, e.BlockLeased) and it.prefix == event.prefix
            ),
        )
    ]
    assert "T2" in rules(sealed([*good[:told], *ended, *good[told:]]))


def test_a_block_that_outlives_the_day_is_found(good: list[Commit]) -> None:
    closed = next(place for place, it in enumerate(good) if any(isinstance(event, e.DayClosed) for event in it.events))
    kept = tuple(it for it in good[closed].events if not isinstance(it, e.BlockReturned))
    assert kept != good[closed].events
    assert "C5" in rules(sealed([*good[:closed], replace(good[closed], events=kept), *good[closed + 1 :]]))


def test_a_day_that_opens_twice_is_found(good: list[Commit]) -> None:
    place = at(good, e.DayOpened, skip=1)
    assert "T4" in rules(changed(good, place, day="2026-03-02"))


def test_a_number_on_a_closed_day_is_found(good: list[Commit]) -> None:
    place = next(place for place, it in enumerate(good) if any(isinstance(event, e.DayClosed) for event in it.events))
    late = replace(good[at(good, e.TicketIssued)], at_ms=good[place].at_ms)
    assert "T4" in rules(sealed([*good[: place + 1], late, *good[place + 1 :]]))


def test_a_ticket_called_to_two_windows_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketCalled)
    called = good[place].events[0]
    assert isinstance(called, e.TicketCalled)
    other = replace(called, window=WindowNo("5" if called.window != "5" else "4"))
    twice = [*good[: place + 1], replace(good[place], events=(other,)), *good[place + 1 :]]
    assert {"C1", "C2"} <= rules(sealed(twice))


def test_a_window_with_two_visitors_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketCalled, why="head")
    finished = next(
        it
        for it in range(place, len(good))
        if isinstance(good[it].events[0], e.TicketFinished)
        and good[it].events[0].ticket == good[place].events[0].ticket  # type: ignore[union-attr]
    )
    events = good[finished].events[1:]
    left = [replace(good[finished], events=events)] if events else []
    assert rules(sealed([*good[:finished], *left, *good[finished + 1 :]])) & {"C1", "C2", "C5"}


def test_calling_the_last_first_is_found(good: list[Commit]) -> None:
    lanes: dict[tuple[str, str, str | None], list[TicketId]] = {}
    for place, commit in enumerate(good):
        for event in commit.events:
            if isinstance(event, e.TicketIssued):
                lanes.setdefault((event.service, event.priority, event.window), []).append(event.ticket)
            elif isinstance(event, e.TicketCalled):
                lane = next((them for them in lanes.values() if event.ticket in them), [])
                if event.why == "head" and len(lane) > 1 and len(commit.events) == 1:
                    last = replace(event, ticket=lane[-1])
                    assert "C3" in rules(sealed([*good[:place], replace(commit, events=(last,)), *good[place + 1 :]]))
                    return
                for them in lanes.values():
                    if event.ticket in them:
                        them.remove(event.ticket)
    raise AssertionError("nobody ever waited behind somebody")


def test_a_call_out_of_turn_without_a_reason_is_found(good: list[Commit]) -> None:
    assert rules(changed(good, at(good, e.TicketCalled, why="chosen"), reason="")) == {"C3"}


def test_a_final_ticket_that_moves_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketFinished)
    assert "C1" in rules(sealed([*good[: place + 1], good[place], *good[place + 1 :]]))


def test_a_ticket_that_outlives_the_day_is_found(good: list[Commit]) -> None:
    place = next(place for place, it in enumerate(good) if isinstance(it.events[0], e.TicketExpired))
    assert "C5" in rules(
        sealed([*good[:place], replace(good[place], events=good[place].events[1:]), *good[place + 1 :]])
    )


def test_a_call_to_a_closed_window_is_found(good: list[Commit]) -> None:
    place = at(good, e.WindowOpened)
    assert "W1" in rules(sealed([*good[:place], *good[place + 1 :]]))


def test_a_call_for_what_the_window_does_not_serve_is_found(good: list[Commit]) -> None:
    plan = next(event.plan for event in good[0].events if isinstance(event, e.HallPlanned))
    poor = replace(plan, windows=tuple(replace(it, serves=it.serves[:1], relief=()) for it in plan.windows))
    assert "W1" in rules(sealed([replace(good[0], events=(e.HallPlanned(plan=poor),)), *good[1:]]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{IDENTITY}X", True),
        (f"{IDENTITY}1", False),  # its check digit does not fit: some other long number
        (PHONE, True),
        (f"20261121{PHONE}", False),  # a run of digits, no telephone number
        ("1772411400500", False),  # an instant
        ("A012 B013", False),
    ],
)
def test_personal_numbers_are_seen(text: str, found: bool) -> None:
    assert holds_personal_number(f'{{"note":"{text}"}}'.encode()) is found


def test_a_telephone_number_in_a_reason_is_found(good: list[Commit]) -> None:
    place = at(good, e.TicketCancelled)
    assert rules(changed(good, place, reason=f"请打 {PHONE}")) == {"A2"}
