"""The clock as one more person who sends commands: it turns the business day, raises alarms, pauses windows left alone.

Nothing else depends on the turn of the day: a command that comes first after midnight turns it by itself. The clock
only makes sure that yesterday's screens are empty and yesterday's tickets expired before anybody comes.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from server.domain import rebalance, staff
from server.domain.commands import LookAround, StartDay, Watch
from server.domain.decide import due
from server.domain.refusals import Refusal
from server.domain.terms import CLOCK, HallId, WindowNo
from server.hall import Hall
from server.ledger.base import LedgerDown

TICK_S = 5.0

log = logging.getLogger(__name__)

IdleOf = Callable[[HallId, WindowNo], float]
"""Gives the seconds since the last sign of life at a window."""


def tick(halls: Iterable[Hall], *, idle_of: IdleOf | None = None) -> None:
    """Start the business day of every hall whose day is over, say what is due, and pause windows left alone.

    A ledger that cannot be written is tried next time. Without `idle_of` nobody knows who is at work.
    """
    for hall in halls:
        try:
            if hall.day_is_over():
                hall.handle(StartDay(), actor=CLOCK)
        except (Refusal, LedgerDown) as error:
            log.warning("the business day of %s did not turn: %s", hall.id, error)
        _watch(hall)
        _look_around(hall)
        if idle_of is not None:
            _pause_left_alone(hall, idle_of)


def run(
    halls: Iterable[Hall],
    *,
    wait: Callable[[float], bool],
    beat: Callable[[], None],
    idle_of: IdleOf | None = None,
) -> None:
    """Tick until `wait(seconds)` says to stop; `beat` tells the health page that the clock ticks."""
    while not wait(TICK_S):
        tick(halls, idle_of=idle_of)
        beat()


def _watch(hall: Hall) -> None:
    """Let the hall say what is due; it is asked first, so that nothing is sent for nothing."""
    now_ms = hall.now_ms()
    try:
        if hall.read(lambda state, _: bool(due(state, now_ms))):
            hall.handle(Watch(), actor=CLOCK)
    except Refusal:
        pass  # done since we looked
    except LedgerDown as error:
        log.warning("what is due in %s was not said: %s", hall.id, error)


def _look_around(hall: Hall) -> None:
    """Let the hall turn tides, call relief, tell what changes did and change by itself; asked first, as above."""
    now_ms = hall.now_ms()
    try:
        if hall.read(lambda state, _: bool(rebalance.due(state, now_ms))):
            hall.handle(LookAround(), actor=CLOCK)
    except Refusal:
        pass  # done since we looked
    except LedgerDown as error:
        log.warning("balancing of %s was not looked at: %s", hall.id, error)


def _pause_left_alone(hall: Hall, idle_of: IdleOf) -> None:
    if not hall.plan.left_alone_min:
        return
    now_ms = hall.now_ms()
    try:
        for command in hall.read(lambda state, _: staff.left_alone(state, now_ms, partial(idle_of, hall.id))):
            with suppress(Refusal):  # closed, paused or resumed since we looked
                hall.handle(command, actor=CLOCK)
    except LedgerDown as error:
        log.warning("windows of %s that were left alone are not paused: %s", hall.id, error)
