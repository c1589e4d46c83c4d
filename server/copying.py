"""Beside a hall in Redis: what is over goes into this server's own copy, and leaves Redis once every server has it.

The copy also keeps a hall alive that lost its Redis: `jiaohao ledger restore` puts it back. Nobody waits for this work:
the disk works in a thread, in short steps, and what fails is tried again. While it fails, Redis only holds more days.
"""

import logging
import secrets
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event as Flag
from time import monotonic

from server.hall import Hall
from server.ledger import codec
from server.ledger import snapshot as snapshots
from server.ledger.base import Commit, LedgerBroken, LedgerDoubtful, LedgerDown, Stale
from server.ledger.copies import before, end_of, prove
from server.ledger.redis_stream import Gone, RedisLedger
from server.ledger.sqlite import SqliteLedger

LOOK_EVERY_S = 5.0
TRIM_EVERY_S = 600.0  # also says that this server is still there
PAGE = 500  # commits copied at a time
BREATH_S = 0.02  # between two pages: whoever asks for numbers goes first
NAME_FILE = "server"

log = logging.getLogger(__name__)


class Copying:
    """Copies one hall."""

    def __init__(
        self,
        hall: Hall,
        stream: RedisLedger,
        copy: SqliteLedger,
        path: Path,
        *,
        server: str,
        keep_days: int,
        offload: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> None:
        """`copy` writes the file at `path`; `server` is this server's name among the others.

        `keep_days` stay in the stream whoever has copied them. `offload` runs work that waits for the disk and returns
        when it is done.
        """
        self._hall, self._stream, self._copy, self._path, self._offload = hall, stream, copy, path, offload
        self._server, self._keep_days = server, keep_days
        self._snapshot_of = ""  # the day (ISO) whose snapshot is in Redis
        self._trimmed_s = -TRIM_EVERY_S
        self._trimmed_of = ""
        self._stopped = Flag()
        self.fault: str | None = None
        """What could not be done when it was last tried."""

    def run(self) -> None:
        """Copy until `stop`."""
        while not self._stopped.is_set():
            self.step()
            self._stopped.wait(LOOK_EVERY_S)

    def stop(self) -> None:
        """End `run` after the page under way."""
        self._stopped.set()

    def step(self) -> None:
        """Do what is due."""
        fault = None
        try:
            self._copy_on()
            self._keep_snapshot()
            self._trim()
        except Gone as gone:
            fault = (
                f"days are missing between {self._path} and Redis ({gone}): put another server's copy here,"
                f" jiaohao ledger restore COPY --hall {self._hall.id} --replace --data {self._path.parent}"
            )
        except Stale as stale:
            fault = f"{self._path} holds what the ledger in Redis does not: move it away and start again ({stale})"
        except (LedgerDown, LedgerBroken, LedgerDoubtful, OSError) as error:  # the hall itself is in Redis and goes on
            fault = str(error)
        if fault is not None and fault != self.fault and not self._stopped.is_set():
            log.error("hall %s is not copied: %s", self._hall.id, fault)
        self.fault = fault

    def _copy_on(self) -> None:
        """Copy up to where the day began: what is older is over, and no failover takes it back."""
        upto = self._hall.base.seq
        end, head = end_of(self._path)
        if end >= upto:
            return
        fresh = islice(self._stream.since(end, head), upto - end)
        while not self._stopped.is_set() and (page := list(islice(fresh, PAGE))):
            self._offload(partial(self._keep, end, page))
            end = page[-1].seq
            self._stopped.wait(BREATH_S)

    def _keep(self, end: int, page: list[Commit]) -> None:
        self._copy.take_over((commit, codec.stored_form(commit)) for commit in page)
        prove(self._path, end, page[-1].seq, page[-1].hash)

    def _keep_snapshot(self) -> None:
        base = self._hall.base
        if base.day in ("", self._snapshot_of):
            return
        self._stream.keep_snapshot(snapshots.fold_version(), base.seq, snapshots.encode(self._hall.id, base))
        self._snapshot_of = base.day

    def _trim(self) -> None:
        day = self._hall.base.day
        if not day or (day == self._trimmed_of and monotonic() - self._trimmed_s < TRIM_EVERY_S):
            return
        found: list[tuple[int, str]] = []
        self._offload(lambda: found.append(before(self._path, day, self._keep_days)))
        upto, hash_ = found[0]
        begin, _ = self._stream.begin()
        if upto <= begin:
            upto, hash_ = 0, ""  # nothing to let go of; the others hear that this copy is there
        why_not = self._stream.trim(self._server, end_of(self._path)[0], upto, hash_)
        if upto and not why_not:
            log.info("hall %s: Redis let go of the commits up to %d, they are copied", self._hall.id, upto)
        elif why_not:
            log.info("hall %s: Redis keeps the commits up to %d: %s", self._hall.id, upto, why_not)
        self._trimmed_s, self._trimmed_of = monotonic(), day


def name_of(folder: Path) -> str:
    """Give the name of this server among those that copy the same halls; made once, kept in its folder.

    Raises:
        OSError: it cannot be written.
    """
    place = folder / NAME_FILE
    if not place.exists():
        place.write_text(f"{secrets.token_hex(8)}\n", encoding="ascii")
    return place.read_text(encoding="ascii").strip()
