"""The clock as one more person who sends commands: it turns the business day of every hall.

Nothing else depends on it: a command that comes first after midnight turns the day by itself. The clock only makes
sure that yesterday's screens are empty and yesterday's tickets expired before anybody comes.
"""

import logging
from collections.abc import Callable, Iterable

from server.domain.commands import StartDay
from server.domain.refusals import Refusal
from server.domain.terms import CLOCK
from server.hall import Hall
from server.ledger.base import LedgerDown

TICK_S = 5.0

log = logging.getLogger(__name__)


def tick(halls: Iterable[Hall]) -> None:
    """Start the business day of every hall whose day is over; a ledger that cannot be written is tried next time."""
    for hall in halls:
        try:
            if hall.day_is_over():
                hall.handle(StartDay(), actor=CLOCK)
        except (Refusal, LedgerDown) as error:
            log.warning("the business day of %s did not turn: %s", hall.id, error)


def run(halls: Iterable[Hall], *, wait: Callable[[float], bool], beat: Callable[[], None]) -> None:
    """Tick until `wait(seconds)` says to stop; `beat` tells the health page that the clock ticks."""
    while not wait(TICK_S):
        tick(halls)
        beat()
