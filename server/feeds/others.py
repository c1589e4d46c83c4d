"""What other servers write to a hall with a shared ledger: taken in as it comes, so that every screen here shows it."""

import logging
from threading import Event as Flag
from time import monotonic
from typing import Protocol

from server.domain.terms import HallId
from server.ledger.base import LedgerDown, SharedLedger

WAIT_S = 1.0  # asks by itself this often, so that a connection that died without a word is noticed
REST_S = 0.5  # between tries while the ledger is away

log = logging.getLogger(__name__)


class SharedHall(Protocol):
    """A hall that several servers work on; `server.hall.Hall` is one."""

    @property
    def id(self) -> HallId:
        """Which hall it is."""

    @property
    def seq(self) -> int:
        """The last commit it knows."""

    def refresh(self) -> None:
        """Take in what others wrote."""


class Others:
    """Waits for news of one hall."""

    def __init__(self, hall: SharedHall, ledger: SharedLedger) -> None:
        """Listen on the ledger that `hall` works on."""
        self._hall, self._ledger = hall, ledger
        self._stopped = Flag()
        self.fault: str | None = None
        """Why nothing can be heard now, for the health page."""
        self.beat = monotonic()
        """When the loop last went round, for the health page."""

    def run(self) -> None:
        """Listen until `stop`.

        Raises:
            LedgerBroken: the ledger contradicts itself; the process must not go on.
        """
        while not self._stopped.is_set():
            self.beat = monotonic()
            try:
                self._ledger.wait_for_news(self._hall.seq, WAIT_S)
                if not self._stopped.is_set():
                    self._hall.refresh()
            except LedgerDown as error:
                if self.fault is None and not self._stopped.is_set():
                    log.error("nothing is heard from the other servers of %s: %s", self._hall.id, error)
                self.fault = str(error)
                self._stopped.wait(REST_S)
                continue
            if self.fault is not None:
                log.info("the other servers of %s are heard again", self._hall.id)
            self.fault = None

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()
