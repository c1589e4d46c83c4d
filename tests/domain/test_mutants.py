"""The random days must be able to fail: each deliberately broken hall is found out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.domain import admission, appointments, routing
from server.domain import commands as c
from server.domain import decide as decide_module
from server.domain import events as e
from server.domain import evolve as evolve_module
from server.domain import issue as issue_module
from server.domain import slips as slips_module
from server.domain import state as state_module
from server.domain.routing import Choice
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    ORDINARY,
    DeviceId,
    Place,
    PriorityId,
    ServiceId,
    TicketId,
    TicketStatus,
    WindowNo,
    ZoneId,
)
from tests.domain import halls, test_joint, test_visit, test_who_is_next
from tests.domain.machine import SeededDays
from tests.domain.whole import WholeDays

DAYS = 60  # a broken hall is mostly found out in the first few
Mutant = Callable[[pytest.MonkeyPatch], None]


def lifo(patch: pytest.MonkeyPatch) -> None:
    def last(state: HallState, no: WindowNo, now_ms: int, _: Any) -> Choice | None:
        return next(reversed(routing.preview(state, no, now_ms, 999)), None)

    patch.setattr(decide_module, "choose", last)


def skips_relief(patch: pytest.MonkeyPatch) -> None:
    def own(state: HallState, no: WindowNo, now_ms: int, _: Any) -> Choice | None:
        return next((it for it in routing.preview(state, no, now_ms, 999) if it.home), None)

    patch.setattr(decide_module, "choose", own)


def crosswise(patch: pytest.MonkeyPatch) -> None:
    """Serve what any window of the hall serves: services and windows looked up apart, not as pairs."""

    def any_lane(state: HallState, no: WindowNo, _: Any = None) -> list[tuple[Any, Any, bool]]:
        return [(key, lane, True) for key, lane in state.lane_items() if key[2] in (None, no)]

    patch.setattr(routing, "_lanes_of", any_lane)


def priority_always_first(patch: pytest.MonkeyPatch) -> None:
    real = routing.urgency_ms

    def urgency(state: HallState, priority: PriorityId, since_ms: int, now_ms: int) -> float:
        return real(state, priority, since_ms, now_ms) + (0 if priority == ORDINARY else 1e12)

    patch.setattr(routing, "urgency_ms", urgency)


def no_home_credit(patch: pytest.MonkeyPatch) -> None:
    real = routing._lanes_of

    def nothing_is_own(state: HallState, no: WindowNo, joining: Any = None) -> list[tuple[Any, Any, bool]]:
        return [(key, lane, False) for key, lane, _ in real(state, no, joining)]

    patch.setattr(routing, "_lanes_of", nothing_is_own)


def no_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(routing, "_guarded", lambda state, first, *_: (first, None))


def the_row_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evolve_module, "count_call", lambda *_, **__: None)


def the_row_counts_calls_out_of_turn(patch: pytest.MonkeyPatch) -> None:
    def count(state: HallState, event: Any) -> None:
        if event.why == "chosen":
            state_module.count_call(state.in_a_row, event.zone, event.priority, waited_long=False)

    _after(patch, e.TicketCalled, count)


def one_row_for_all_zones(patch: pytest.MonkeyPatch) -> None:
    real = state_module.count_call

    def count(in_a_row: dict[ZoneId, int], _: ZoneId, priority: PriorityId, *, waited_long: bool) -> None:
        for zone in ("hall", "tax"):
            real(in_a_row, ZoneId(zone), priority, waited_long=waited_long)

    patch.setattr(evolve_module, "count_call", count)
    patch.setattr(routing, "count_call", count)


def counts_wrong(step: int) -> Mutant:
    """Give a mutant that loses (-1) or skips (+1) a number after the second of a series."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        real = evolve_module._issue

        def issue(state: HallState, event: e.TicketIssued, at_ms: int) -> None:
            real(state, event, at_ms)
            if event.number == 2:
                state.numbers[event.prefix] += step

        patch.setattr(evolve_module, "_issue", issue)

    return mutate


def series_never_starts_again(patch: pytest.MonkeyPatch) -> None:
    real = evolve_module._open_day

    def open_day(state: HallState, day: str, at_ms: int) -> None:
        numbers = dict(state.numbers)
        real(state, day, at_ms)
        state.numbers.update(numbers)

    patch.setattr(evolve_module, "_open_day", open_day)


def one_hold_place(patch: pytest.MonkeyPatch) -> None:
    _after(patch, e.TicketHeld, lambda state, event: state.windows[event.window].held.__delitem__(slice(None, -1)))


def called_twice(patch: pytest.MonkeyPatch) -> None:
    """Leave a called ticket in its lane, so that the next window calls it too."""
    real = state_module.leave_window

    def leave(state: HallState, id_: TicketId, status: TicketStatus, at_ms: int) -> Ticket:
        ticket = state.tickets[id_]
        waited = ticket.status is TicketStatus.WAITING
        real(state, id_, status, at_ms)
        if waited and status is TicketStatus.CALLED:
            state_module.wait(state, ticket, since_ms=ticket.since_ms)
        return ticket

    patch.setattr(evolve_module, "leave_window", leave)


def front_is_end(patch: pytest.MonkeyPatch) -> None:
    other = {Place.FRONT: Place.END, Place.END: Place.FRONT, Place.BY_ARRIVAL: Place.BY_ARRIVAL}
    real = decide_module._transfer

    def swapped(state: HallState, command: c.Transfer, now_ms: int) -> list[e.Event]:
        return real(state, replace(command, place=other[command.place]), now_ms)

    patch.setattr(decide_module, "_transfer", swapped)


def transfer_forgets_arrival(patch: pytest.MonkeyPatch) -> None:
    def forget(state: HallState, event: Any) -> None:
        state.tickets[event.ticket].issued_ms = event.since_ms

    _after(patch, e.TicketTransferred, forget)


def reinstated_first(patch: pytest.MonkeyPatch) -> None:
    real = decide_module._reinstate

    def first(state: HallState, command: c.Reinstate, now_ms: int) -> list[e.Event]:
        (event,) = real(state, command, now_ms)
        assert isinstance(event, e.TicketReinstated)
        return [replace(event, since_ms=state.tickets[command.ticket].issued_ms)]

    patch.setattr(decide_module, "_reinstate", first)


def finish_keeps_the_window(patch: pytest.MonkeyPatch) -> None:
    def keep(state: HallState, event: Any) -> None:
        state.windows[event.window].current = event.ticket

    _after(patch, e.TicketFinished, keep)


def day_close_forgets_the_held(patch: pytest.MonkeyPatch) -> None:
    real = decide_module._close_day

    def close(state: HallState, *more: Any) -> list[e.Event]:
        held = {it.id for it in state.tickets.values() if it.status is not TicketStatus.WAITING}
        return [it for it in real(state, *more) if not (isinstance(it, e.TicketExpired) and it.ticket in held)]

    patch.setattr(decide_module, "_close_day", close)


def undone_at_any_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(slips_module, "standing", lambda state, no: state.windows[no].slip)


def undone_but_still_in_the_list(patch: pytest.MonkeyPatch) -> None:
    def leave(state: HallState, id_: TicketId, status: TicketStatus, _: int) -> Ticket:
        state.tickets[id_].status = status
        return state.tickets[id_]

    patch.setattr(slips_module, "leave_window", leave)


def hold_counts_as_service(patch: pytest.MonkeyPatch) -> None:
    def forget(state: HallState, event: Any) -> None:
        state.tickets[event.ticket].hold_total_ms = 0

    _after(patch, e.TicketResumed, forget)


def deciding_changes_the_state(patch: pytest.MonkeyPatch) -> None:
    real = decide_module._recall

    def recall(state: HallState, command: c.Recall) -> list[e.Event]:
        events = real(state, command)
        state.windows[command.window].since_ms += 1
        return events

    patch.setattr(decide_module, "_recall", recall)


def remembers_what_is_not_stored(patch: pytest.MonkeyPatch) -> None:
    """Keep something in the state that no event says: a restart forgets it."""
    real, fresh = decide_module._assign, set[WindowNo]()

    def assign(state: HallState, command: c.AssignServices) -> list[e.Event]:
        fresh.add(command.window)
        return real(state, command)

    def keep(state: HallState, event: Any) -> None:
        if event.window in fresh:
            state.windows[event.window].pause_note = "live only"
            fresh.clear()

    patch.setattr(decide_module, "_assign", assign)
    _after(patch, e.ServicesAssigned, keep)


def depends_on_the_order_of_a_dictionary(patch: pytest.MonkeyPatch) -> None:
    def first_lane(state: HallState, no: WindowNo, now_ms: int, _: Any) -> Choice | None:
        lanes = routing._lanes_of(state, no)
        return Choice(ticket=lanes[0][1][0][2], why="head", home=True) if lanes else None

    patch.setattr(decide_module, "choose", first_lane)


def bound_tickets_are_stuck(patch: pytest.MonkeyPatch) -> None:
    real = routing._lanes_of

    def stuck(state: HallState, no: WindowNo, joining: Any = None) -> list[tuple[Any, Any, bool]]:
        window = state.windows[no]
        served: tuple[ServiceId, ...] = (*window.serves, *window.relief)
        return [it for it in real(state, no, joining) if it[0][0] in served]

    patch.setattr(routing, "_lanes_of", stuck)


def transfer_frees_the_quota(patch: pytest.MonkeyPatch) -> None:
    real = evolve_module._transfer

    def transfer(state: HallState, event: e.TicketTransferred, at_ms: int) -> None:
        if state.issued.get(event.from_service):
            state.issued[event.from_service].pop()
        real(state, event, at_ms)

    patch.setattr(evolve_module, "_transfer", transfer)


def quota_counts_one_less(patch: pytest.MonkeyPatch) -> None:
    real = admission._left

    def left(state: HallState, service: ServiceId, now_ms: int) -> int | None:
        found = real(state, service, now_ms)
        return None if found is None else found + 1

    patch.setattr(admission, "_left", left)


def a_leg_is_lost(patch: pytest.MonkeyPatch) -> None:
    def lose(state: HallState, event: Any) -> None:
        ticket = state.tickets[event.ticket]
        ticket.legs_planned = ticket.legs_planned[1:]

    _after(patch, e.LegFinished, lose)


def a_transfer_loses_a_leg(patch: pytest.MonkeyPatch) -> None:
    def lose(state: HallState, event: Any) -> None:
        ticket = state.tickets[event.ticket]
        ticket.legs_planned = tuple(leg for leg in ticket.legs_planned if leg != event.from_service)

    _after(patch, e.TicketTransferred, lose)


def two_legs_active(patch: pytest.MonkeyPatch) -> None:
    """Let the visitor wait for the next leg while still at the window of the one before."""

    def keep(state: HallState, event: Any) -> None:
        state.windows[event.window].current = event.ticket

    _after(patch, e.LegFinished, keep)


def a_leg_loses_the_arrival(patch: pytest.MonkeyPatch) -> None:
    real = decide_module._finished

    def finished(state: HallState, ticket: Ticket, window: WindowNo, now_ms: int, **more: Any) -> Any:
        event = real(state, ticket, window, now_ms, **more)
        return replace(event, since_ms=now_ms) if isinstance(event, e.LegFinished) else event

    patch.setattr(decide_module, "_finished", finished)


def a_leg_keeps_all_its_age(patch: pytest.MonkeyPatch) -> None:
    real = decide_module._finished

    def finished(state: HallState, ticket: Ticket, window: WindowNo, now_ms: int, **more: Any) -> Any:
        event = real(state, ticket, window, now_ms, **more)
        return replace(event, since_ms=ticket.issued_ms) if isinstance(event, e.LegFinished) else event

    patch.setattr(decide_module, "_finished", finished)


def planning_forgets_what_is_done(patch: pytest.MonkeyPatch) -> None:
    _after(patch, e.LegsPlanned, lambda state, event: state.tickets[event.ticket].legs_done.clear())


def who_is_away_stands_nowhere(patch: pytest.MonkeyPatch) -> None:
    _after(patch, e.ResultAwaited, lambda state, event: state.windows[event.window].away.clear())


def who_is_back_is_still_away(patch: pytest.MonkeyPatch) -> None:
    _after(patch, e.TicketBack, lambda state, event: state.windows[WindowNo("1")].away.append(event.ticket))


def a_hand_over_leaves_the_visitor_behind(patch: pytest.MonkeyPatch) -> None:
    def leave(state: HallState, event: Any) -> None:
        if event.ticket is not None:
            state.tickets[event.ticket].clerk = event.from_clerk

    _after(patch, e.WindowHandedOver, leave)


def a_moved_list_is_copied(patch: pytest.MonkeyPatch) -> None:
    _after(patch, e.HeldMoved, lambda state, event: state.windows[event.window].held.extend(event.held))


def a_moved_list_keeps_its_window(patch: pytest.MonkeyPatch) -> None:
    def keep(state: HallState, event: Any) -> None:
        for id_ in (*event.held, *event.missed):
            state.tickets[id_].window = event.window

    _after(patch, e.HeldMoved, keep)


def a_roll_forgets_a_number(patch: pytest.MonkeyPatch) -> None:
    def forget(state: HallState, event: Any) -> None:
        if event.prefix in state.rolls:
            state.rolls[event.prefix].given -= 1

    _after(patch, e.TicketIssued, forget)


def a_kiosk_gives_one_more(patch: pytest.MonkeyPatch) -> None:
    real = admission.check_kiosk

    def check(state: HallState, kiosk: DeviceId | None) -> None:
        given = {id_: count - 1 for id_, count in state.kiosk_issued.items()}
        real(HallState(plan=state.plan, kiosk_issued=given), kiosk)

    patch.setattr(issue_module, "check_kiosk", check)


def a_slot_is_booked_once_more(patch: pytest.MonkeyPatch) -> None:
    real = appointments.quota_of
    patch.setattr(appointments, "quota_of", lambda state, service: real(state, service) + 1)


def _after(patch: pytest.MonkeyPatch, kind: type[Any], then: Callable[[HallState, Any], None]) -> None:
    real = evolve_module.evolve

    def evolve(state: HallState, event: e.Event, *, at_ms: int) -> None:
        real(state, event, at_ms=at_ms)
        if isinstance(event, kind):
            then(state, event)

    patch.setattr(evolve_module, "evolve", evolve)


MUTANTS: dict[str, Mutant] = {
    "lifo": lifo,
    "skips relief": skips_relief,
    "undone at any time": undone_at_any_time,
    "undone but still in the list": undone_but_still_in_the_list,
    "crosswise instead of pairs": crosswise,
    "priority always first": priority_always_first,
    "no home credit": no_home_credit,
    "no guard for the ordinary": no_guard,
    "the row is not counted": the_row_is_not_counted,
    "the row counts calls out of turn": the_row_counts_calls_out_of_turn,
    "one row for all zones": one_row_for_all_zones,
    "duplicate number": counts_wrong(-1),
    "gap": counts_wrong(+1),
    "series never starts again": series_never_starts_again,
    "called twice": called_twice,
    "front is end": front_is_end,
    "transfer forgets arrival": transfer_forgets_arrival,
    "reinstated first": reinstated_first,
    "finish keeps the window": finish_keeps_the_window,
    "day close forgets the held": day_close_forgets_the_held,
    "deciding changes the state": deciding_changes_the_state,
    "remembers what is not stored": remembers_what_is_not_stored,
    "order of a dictionary": depends_on_the_order_of_a_dictionary,
    "transfer frees the quota": transfer_frees_the_quota,
    "quota counts one less": quota_counts_one_less,
    "a leg is lost": a_leg_is_lost,
    "two legs active": two_legs_active,
    "a leg loses the arrival": a_leg_loses_the_arrival,
    "planning forgets what is done": planning_forgets_what_is_done,
}


# Rare in random days, so held against the example that says the rule.
BY_EXAMPLE: dict[str, tuple[Mutant, Callable[[], None]]] = {
    "one hold place": (one_hold_place, test_visit.test_a_window_holds_several_and_calls_back_who_was_held_longest),
    "a transfer loses a leg": (
        a_transfer_loses_a_leg,
        test_joint.test_a_transfer_to_a_planned_leg_changes_places_with_it,
    ),
    "a leg keeps all its age": (
        a_leg_keeps_all_its_age,
        test_joint.test_a_returning_leg_passes_nobody_who_waited_half_an_hour,
    ),
    "bound tickets are stuck": (
        bound_tickets_are_stuck,
        test_who_is_next.test_a_bound_ticket_is_called_by_its_window_whatever_was_assigned_since,
    ),
    "hold counts as service": (hold_counts_as_service, test_visit.test_time_on_hold_and_the_way_back_are_no_service),
}


@pytest.mark.parametrize(("mutate", "example"), BY_EXAMPLE.values(), ids=BY_EXAMPLE.keys())
def test_a_broken_hall_fails_the_example(
    mutate: Mutant, example: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    example()
    mutate(monkeypatch)
    monkeypatch.setattr(halls, "evolve", evolve_module.evolve)
    with pytest.raises(AssertionError):
        example()


# What the naive hall does not know, held against what is true of any hall.
WHOLE: dict[str, Mutant] = {
    "no guard for the ordinary": no_guard,
    "the row is not counted": the_row_is_not_counted,
    "called twice": called_twice,
    "deciding changes the state": deciding_changes_the_state,
    "who is away stands nowhere": who_is_away_stands_nowhere,
    "who is back is still away": who_is_back_is_still_away,
    "a hand-over leaves the visitor behind": a_hand_over_leaves_the_visitor_behind,
    "a moved list is copied": a_moved_list_is_copied,
    "a moved list keeps its window": a_moved_list_keeps_its_window,
    "a roll forgets a number": a_roll_forgets_a_number,
    "a kiosk gives one more": a_kiosk_gives_one_more,
    "a slot is booked once more": a_slot_is_booked_once_more,
}


@pytest.mark.parametrize("mutate", WHOLE.values(), ids=WHOLE.keys())
def test_a_broken_hall_breaks_what_is_true_of_any(mutate: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    for seed in range(DAYS):
        try:
            WholeDays(seed=seed).play(days=1, steps=160)
        except (AssertionError, KeyError, ValueError, IndexError):
            return
    pytest.fail(f"{DAYS} random days did not notice")


@pytest.mark.parametrize("mutate", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_broken_hall_is_found_out(mutate: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    for number in range(DAYS):
        try:
            SeededDays().play(number, steps=120)
        except (AssertionError, KeyError, ValueError, IndexError):
            return
    pytest.fail(f"{DAYS} random days did not notice")
