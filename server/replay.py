"""A past day of a hall once more: its state at any instant, folded from the ledger for whoever looks back.

What is shown is what was so then: a move that was taken back seconds later is seen as it stood before that. Nothing is
kept that the ledger does not say. The state at a day's start lies in a folder beside the ledger once somebody has asked
for that day or a later one (a shortcut only, checked like every snapshot and made anew when it does not fit); a day
that is looked at stays in memory with a checkpoint for each quarter of an hour, so that any instant of it is some
hundred commits away. One day is prepared at a time, in short steps with rests between them: whoever takes a number
goes first. What is too old to be read here (`ArchiveMissing`) is refused as everywhere.
"""

import logging
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TypeVar

from server.domain import events as e
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import HallId, PauseReason, WindowNo, ZoneId
from server.hall import Hall
from server.ledger import snapshot as snapshots
from server.ledger.base import ArchiveMissing, Commit, LedgerBroken, LedgerDown
from server.ledger.snapshot import Picture, Snapshot
from server.projections.common import waiting_by_zone

CHUNK = 50  # commits folded before the next rest
REST_PER_WORK = 1.0  # preparing a day never takes more than half a core
CHECKPOINT_MS = 15 * MS_PER_MIN
SAMPLE_MS = 5 * MS_PER_MIN  # of the curve of how many wait
LOOK_MS = MS_PER_MIN  # how often zones are held against their targets
CALM = 0.5  # of the target: from there on a zone may be told to be over it again
MARKS_MAX = 2_000
DAYS_MAX = 3  # in memory, of all halls
STARTS_MAX = 400  # files of one hall

T = TypeVar("T")
log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What somebody who looks back wants to see next."""

    WINDOW_OPENED = "window_opened"
    WINDOW_PAUSED = "window_paused"
    WINDOW_LEFT_ALONE = "window_left_alone"
    WINDOW_CLOSED = "window_closed"
    DUTIES_CHANGED = "duties_changed"
    RELIEF_CALLED = "relief_called"
    OVER_TARGET = "over_target"
    ANNOUNCED = "announced"
    ROLL = "roll"
    MOVE_UNDONE = "move_undone"
    DAY_CLOSED = "day_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something happened at `at_ms` (Unix ms), at a window or in a zone."""

    at_ms: int
    kind: Kind
    window: WindowNo | None = None
    zone: ZoneId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checkpoint:
    """The state after commit `seq` of `at_ms`, compressed."""

    at_ms: int
    seq: int
    kept: Snapshot

    def picture(self) -> Picture:
        return replace(self.kept, state=zlib.decompress(self.kept.state)).picture()


class Film:
    """One business day. `extend` folds what the ledger has of it by now; then `show` gives any instant of it."""

    def __init__(self, hall: Hall, day: str, start: Snapshot) -> None:
        """`start` is the state right after the day was opened."""
        self.hall, self.day = hall, day
        self._tail, self._now = start.picture(), start.picture()
        self._turn = Lock()
        self._marks: list[Mark] = []
        self._waiting: list[int] = []
        self._over: set[ZoneId] = set()
        self._checkpoints = [self._checkpoint(self._tail)]
        self._begins_ms: int | None = None
        self._ends_ms = self._tail.state.last_ms
        self._sample_ms = self._look_ms = self._tail.state.last_ms
        self.end_seq: int | None = None
        """The last commit of the day, None while it lasts."""

    @property
    def begins_ms(self) -> int:
        """When the first number was given or the first window opened (Unix ms); the day's start when nothing was."""
        return self._begins_ms if self._begins_ms is not None else self._checkpoints[0].at_ms

    @property
    def ends_ms(self) -> int:
        """The last commit so far (Unix ms)."""
        return self._ends_ms

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is worth seeing, in its order; at most `MARKS_MAX`."""
        return tuple(sorted(self._marks, key=lambda it: it.at_ms))

    @property
    def waiting(self) -> tuple[int, ...]:
        """How many waited at `begins_ms` and every `SAMPLE_MS` from there on."""
        return tuple(self._waiting)

    @property
    def seq(self) -> int:
        """The last commit folded."""
        return self._tail.seq

    def extend(self) -> Iterator[None]:
        """Fold what the ledger has besides, in steps."""
        while self.end_seq is None:
            with self._turn:
                rows = self.hall.commits(self._tail.seq, CHUNK)
                for commit in rows:
                    if not self._take(commit):
                        break
            if not rows:
                return
            yield

    def show(self, at_ms: int, question: Callable[[HallState, int, int | None], T]) -> T:
        """Give the answer to question(state, seq, instant of the next commit or None) as the day stood at `at_ms`."""
        with self._turn:
            near = next(it for it in reversed(self._checkpoints) if it.at_ms <= at_ms or it is self._checkpoints[0])
            if self._now.state.last_ms > at_ms or self._now.seq < near.seq:
                self._now = near.picture()
            return question(self._now.state, self._now.seq, self._go_to(at_ms))

    def _go_to(self, at_ms: int) -> int | None:
        while rows := self.hall.commits(self._now.seq, CHUNK):
            for commit in rows:
                if self.end_seq is not None and commit.seq > self.end_seq:
                    return None
                if commit.at_ms > at_ms:
                    return commit.at_ms
                self._now.apply(commit)
                self._now.keys.clear()
        return None

    def _take(self, commit: Commit) -> bool:
        """Fold the next commit; False when it begins another day."""
        if any(isinstance(it, e.DayOpened) for it in commit.events):
            self.end_seq = self._tail.seq
            return False
        self._look(commit.at_ms)
        self._tail.apply(commit)
        self._tail.keys.clear()
        self._ends_ms = commit.at_ms
        self._mark(commit)
        if commit.at_ms - self._checkpoints[-1].at_ms >= CHECKPOINT_MS:
            self._checkpoints.append(self._checkpoint(self._tail))
        return True

    def _look(self, until_ms: int) -> None:
        """Hold the state as it stood up to the next commit against the targets, and count who waits."""
        state = self._tail.state
        if self._begins_ms is None:
            return
        while self._sample_ms < until_ms:
            self._waiting.append(sum(len(lane) for _, lane in state.lane_items()))
            self._sample_ms += SAMPLE_MS
        if until_ms < self._look_ms:
            return
        self._look_ms = until_ms + LOOK_MS
        for zone, waiting in waiting_by_zone(state).items():
            target_min = min((it.target_wait_min for it in state.plan.services if it.zone == zone), default=0.0)
            wait_min = 0.0 if waiting.oldest_ms is None else (until_ms - waiting.oldest_ms) / MS_PER_MIN
            if zone in self._over and wait_min < target_min * CALM:
                self._over.discard(zone)
            elif zone not in self._over and 0.0 < target_min < wait_min:
                self._over.add(zone)
                crossed_ms = until_ms - round((wait_min - target_min) * MS_PER_MIN)
                self._add(Mark(at_ms=crossed_ms, kind=Kind.OVER_TARGET, zone=zone))

    def _mark(self, commit: Commit) -> None:
        for event in commit.events:
            if self._begins_ms is None and isinstance(event, e.TicketIssued | e.WindowOpened):
                self._begins_ms = self._sample_ms = self._look_ms = commit.at_ms
            if (found := mark_of(event, commit.at_ms)) is not None:
                self._add(found)

    def _add(self, mark: Mark) -> None:
        if len(self._marks) < MARKS_MAX:
            self._marks.append(mark)

    def _checkpoint(self, picture: Picture) -> _Checkpoint:
        kept = picture.freeze()
        small = replace(kept, state=zlib.compress(kept.state, 1), keys={})
        return _Checkpoint(at_ms=picture.state.last_ms, seq=picture.seq, kept=small)


def mark_of(event: e.Event, at_ms: int) -> Mark | None:
    """Give what an event is to who looks back; None for what happens all the time."""
    match event:
        case e.WindowOpened():
            return Mark(at_ms=at_ms, kind=Kind.WINDOW_OPENED, window=event.window)
        case e.WindowPaused():
            alone = event.reason is PauseReason.LEFT_ALONE
            kind = Kind.WINDOW_LEFT_ALONE if alone else Kind.WINDOW_PAUSED
            return Mark(at_ms=at_ms, kind=kind, window=event.window)
        case e.WindowLeftAlone():
            return Mark(at_ms=at_ms, kind=Kind.WINDOW_LEFT_ALONE, window=event.window)
        case e.WindowClosed():
            return Mark(at_ms=at_ms, kind=Kind.WINDOW_CLOSED, window=event.window)
        case e.ServicesAssigned():
            return Mark(at_ms=at_ms, kind=Kind.DUTIES_CHANGED, window=event.window)
        case e.ReliefCalled():
            return Mark(at_ms=at_ms, kind=Kind.RELIEF_CALLED, zone=event.zone)
        case e.Announced():
            return Mark(at_ms=at_ms, kind=Kind.ANNOUNCED)
        case e.RollAnnounced():
            return Mark(at_ms=at_ms, kind=Kind.ROLL)
        case e.MoveUndone():
            return Mark(at_ms=at_ms, kind=Kind.MOVE_UNDONE, window=event.window)
        case e.DayClosed():
            return Mark(at_ms=at_ms, kind=Kind.DAY_CLOSED)
        case _:
            return None


class _Job:
    """A day that is being prepared."""

    def __init__(self, hall: Hall, day: str, opens_after: int) -> None:
        self.hall, self.day, self.opens_after = hall, day, opens_after
        self.done_share = 0.0
        self.done = Flag()


_Key = tuple[HallId, str]


class Replays:
    """The days that are looked at. Safe to call from many threads or greenlets."""

    def __init__(self, place: Path | None = None) -> None:
        """`place` is a folder for the states of days' starts; None keeps none."""
        self._place, self._lock = place, Lock()
        self._films: OrderedDict[_Key, Film] = OrderedDict()
        self._job: _Job | None = None
        self._failed: dict[_Key, Exception] = {}

    def film(self, hall: Hall, day: str, *, opens_after: int, within_s: float) -> Film | float:
        """Give a business day, or which share of the work is done when it takes longer than `within_s`.

        `opens_after`: the commit after which the day's begin. Of the day that lasts, `Film` is what was so far.

        Raises:
            LedgerDown, LedgerBroken: the ledger cannot be read so far back (see `Ledger.read`).
        """
        key, deadline = (hall.id, day), monotonic() + within_s
        while True:
            with self._lock:
                if (error := self._failed.pop(key, None)) is not None:
                    raise error
                if (film := self._films.get(key)) is not None:
                    self._films.move_to_end(key)
                    break
                if self._job is None:
                    self._job = _Job(hall, day, opens_after)
                    Thread(target=self._prepare, args=(self._job,), daemon=True).start()
                job = self._job
            left_s = deadline - monotonic()
            if left_s <= 0:
                return job.done_share if (job.hall.id, job.day) == key else 0.0
            job.done.wait(left_s)
        begun = monotonic()
        for _ in film.extend():  # of a day that lasts: what came since somebody looked last
            begun = _rest(begun)
        return film

    def _prepare(self, job: _Job) -> None:
        key = job.hall.id, job.day
        try:
            film = Film(job.hall, job.day, self._start_of(job))
            first, begun = film.seq, monotonic()
            for _ in film.extend():
                job.done_share = max(job.done_share, 0.5 + 0.5 * _share(first, film.seq, job.hall.seq))
                begun = _rest(begun)
            with self._lock:
                self._films[key] = film
                while len(self._films) > DAYS_MAX:
                    self._films.popitem(last=False)
        except Exception as error:  # noqa: BLE001 - whoever asked for the day hears of it, whatever it was
            log.error("%s of %s cannot be played: %r", job.day, job.hall.id, error)
            with self._lock:
                self._failed[key] = error
        finally:
            with self._lock:
                self._job = None
            job.done.set()

    def _start_of(self, job: _Job) -> Snapshot:
        """Give the state right after a day was opened, folded from the nearest earlier start that is known."""
        hall, base = job.hall, job.hall.base
        if base.day == job.day and base.seq == job.opens_after:  # it may be of the middle of the day, too
            return base
        found = self._nearest(hall, job.day)
        if found is None and hall.gone():
            raise ArchiveMissing(f"the commits up to {hall.gone()} of {hall.id} are in other servers' copies")
        if found is not None and found.day == job.day:
            return found
        now = found.picture() if found is not None else Picture()
        first, begun = now.seq, monotonic()
        while rows := hall.commits(now.seq, CHUNK):
            for commit in rows:
                day = now.state.day
                now.apply(commit)
                if now.state.day != day:
                    start = now.freeze()
                    self._keep(hall.id, start)
                    if start.day == job.day:
                        return start
            job.done_share = 0.5 * _share(first, now.seq, job.opens_after)
            begun = _rest(begun)
        raise LedgerBroken(f"{hall.id} has no {job.day}")

    def _nearest(self, hall: Hall, day: str) -> Snapshot | None:
        """Give the last start kept that is not after a day and fits the ledger."""
        folder = self._folder(hall.id)
        if folder is None:
            return None
        for path in sorted(folder.glob(f"*{snapshots.SUFFIX}"), reverse=True):
            if path.stem > day:
                continue
            kept = snapshots.load(path, hall.id)
            end = next(iter(hall.commits(kept.seq - 1, 1)), None) if kept is not None else None
            if kept is not None and end is not None and end.hash == kept.head:
                return kept
            path.unlink(missing_ok=True)
        return None

    def _keep(self, hall: HallId, start: Snapshot) -> None:
        """Write a start down; a disk that is full costs time later, nothing else."""
        folder = self._folder(hall)
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            half = folder / f"{start.day}.part"
            half.write_bytes(snapshots.encode(hall, replace(start, keys={})))
            half.rename(folder / f"{start.day}{snapshots.SUFFIX}")
            for old in sorted(folder.glob(f"*{snapshots.SUFFIX}"))[:-STARTS_MAX]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the start of %s of %s is not kept: %s", start.day, hall, error)

    def _folder(self, hall: HallId) -> Path | None:
        return None if self._place is None else self._place / hall


def _share(first: int, seq: int, last: int) -> float:
    return min(1.0, (seq - first) / max(1, last - first))


def _rest(begun: float) -> float:
    """Let others work for as long as this one has; give when it goes on."""
    sleep(max(0.0, (monotonic() - begun) * REST_PER_WORK))
    return monotonic()


__all__ = ["SAMPLE_MS", "Film", "Kind", "LedgerBroken", "LedgerDown", "Mark", "Replays", "mark_of"]
