"""What a hall's files need once a day, beside the hall's work: the snapshot of the day's start, and months that leave.

Nobody waits for it: the disk works in a thread, in short steps, and what fails is tried again later. Without it a hall
loses nothing, its next start only takes longer.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

from server.hall import Hall
from server.ledger import snapshot as snapshots
from server.ledger.archive import first_of_month
from server.ledger.base import LedgerBroken, LedgerDown, Stale
from server.ledger.snapshot import Snapshot
from server.ledger.sqlite import SqliteLedger

LOOK_EVERY_S = 5.0
AGAIN_AFTER_S = 900.0  # after a failure
BREATH_S = 0.02  # between two steps: whoever writes numbers goes first

log = logging.getLogger(__name__)


class Upkeep:
    """Looks after the files of one hall."""

    def __init__(
        self,
        hall: Hall,
        place: Path,
        *,
        kept: Snapshot | None = None,
        ledger: SqliteLedger | None = None,
        offload: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> None:
        """`place` is for the snapshot, `kept` what the hall began with; `ledger` is one whose months leave its file.

        `offload` runs work that waits for the disk and returns when it is done.
        """
        self._hall, self._place, self._ledger, self._offload = hall, place, ledger, offload
        self._kept = kept if kept is not None and hall.base is kept else None
        self._whole = ""  # the first day of a month (ISO) before which nothing is left to leave
        self._stopped = Flag()
        self.fault: str | None = None
        """What could not be done when it was last tried."""

    def run(self) -> None:
        """Look after them until `stop`."""
        while not self._stopped.is_set():
            self.step()
            self._stopped.wait(AGAIN_AFTER_S if self.fault else LOOK_EVERY_S)

    def stop(self) -> None:
        """End `run`; a step under way is finished, the rest is done after the next start."""
        self._stopped.set()

    def step(self) -> None:
        """Do what is due: nothing on most days, most of the time."""
        fault = None
        try:
            self._keep_snapshot()
            self._archive()
        except (LedgerDown, LedgerBroken, Stale, OSError) as error:
            fault = str(error)
            if fault != self.fault and not self._stopped.is_set():
                log.error("the files of %s are not looked after: %s", self._hall.id, error)
        self.fault = fault

    def _keep_snapshot(self) -> None:
        base = self._hall.base
        if base.seq == 0 or (self._kept is not None and self._kept.day == base.day):
            return
        self._offload(lambda: snapshots.keep(self._place, self._hall.id, base))
        self._kept = base
        log.info("hall %s: kept the start of %s, commit %d", self._hall.id, base.day or "the ledger", base.seq)

    def _archive(self) -> None:
        day = self._hall.base.day
        if self._ledger is None or not day or (month := first_of_month(day)) == self._whole:
            return
        steps, known = self._ledger.archive(month), len(self._ledger.archives)
        done = Flag()

        def step() -> None:
            if next(steps, None) is None:
                done.set()

        try:
            while not self._stopped.is_set():
                self._offload(step)
                if done.is_set():
                    break
                self._stopped.wait(BREATH_S)
            else:
                return
        finally:
            steps.close()
        self._whole = month
        for archive in self._ledger.archives[known:]:
            log.info("hall %s: %s is archived in %s", self._hall.id, archive.month, archive.name)
