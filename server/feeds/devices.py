"""Jobs for the devices of one hall: each once, in order, one at a time per device, until its agent has answered.

The feed reads the ledger's tail once for all devices and keeps the jobs that have not expired. A device's place is in
the journal, so a restart of the server sends the job that was not answered once more, with the same id; the agent
knows from its own journal whether it did it already. What nobody did in time is let pass and written down.

How old a commit is says the time that has passed since this process heard of it, not the clock: a clock that is set
must not make an old call look young, nor a new ticket look old. The clock decides only where that leaves it open: for
what another server wrote while this one did not hear of it, and for what was there before this process. Where the clock
shows less than the ledger nobody can know, and what was there before counts as too late.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from itertools import takewhile
from math import inf
from threading import Event as Flag
from threading import RLock
from time import monotonic
from typing import Any, Protocol, assert_never

import msgspec

from server.domain.terms import HallId
from server.feeds.hall_view import HallView
from server.feeds.journal import JobJournal, JobResult, Place
from server.feeds.printers import Registered, printer_of
from server.ledger.base import LedgerDown
from server.projections.common import instant
from server.projections.jobs import Announce, Job, PrintNotice, PrintTicket, Say, jobs_of, still_matters

LOOK_BACK = 5_000  # commits read at the start: more than a hall makes before a job expires
PAGE = 500
ANSWER_GRACE_S = 10.0  # an agent may answer this long after the job expired
LOOK_EVERY_S = 0.5
TOO_LATE = "too_late: nobody took it in time"

log = logging.getLogger(__name__)


class Agent(Protocol):
    """The connection behind which a device is."""

    def send_job(self, job: Mapping[str, Any], answered: Callable[[object], None]) -> None:
        """Send a job; `answered` is called with what the agent said, if it says anything. Must not block."""


class _Unread(Enum):
    """An answer to another job."""

    OTHER_JOB = 0


class _Kept:
    """A job and until when it is worth doing, on the monotonic clock."""

    __slots__ = ("job", "place", "sent_to", "until_s")

    def __init__(self, job: Job, made_s: float) -> None:
        self.job, self.place = job, _place_of(job)
        self.sent_to: str | None = None  # a paper that went to a printer goes to no other
        self.until_s = made_s + (job.expires_ms - job.at_ms) / 1000

    def is_late(self, *, by_s: float = 0.0) -> bool:
        """Say whether the job expired at least `by_s` ago."""
        return monotonic() >= self.until_s + by_s


class _Lane:
    """One device that is followed: its agent, its place, and the job that is not answered yet."""

    __slots__ = ("agent", "device", "kept", "place")

    def __init__(self, device: str, agent: Agent, place: Place) -> None:
        self.device, self.agent, self.place = device, agent, place
        self.kept: _Kept | None = None


class JobFeed:
    """The jobs of one hall. Safe to call from many threads or greenlets."""

    def __init__(
        self,
        hall: HallView,
        journal: JobJournal,
        *,
        rows: Callable[[HallId], Sequence[Registered]],
        drill: bool,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow `hall`. `rows` gives the register's rows, first registered first.

        `changed` is called when a device came, went or answered, and must only set a flag.
        """
        self._hall, self._journal, self._rows = hall, journal, rows
        self._drill, self._changed = drill, changed
        self._turn = RLock()
        self._wake = Flag()
        self._stopped = False
        self._waits = False  # for a ledger that is away
        self._lanes: dict[str, _Lane] = {}
        self._tail: deque[_Kept] = deque()  # in order; the expired are dropped
        self._found_to = hall.seq  # what was there before us
        self._found_is_dated = not hall.clock_is_behind()
        self._heard: deque[tuple[int, float, float]] = deque(maxlen=LOOK_BACK)  # commit, made not before, not after
        self._read_to = max(hall.gone(), self._found_to - LOOK_BACK)
        self.beat = monotonic()
        """When the loop last went round, for the health page."""
        hall.follow(self._hear)
        self._read()

    def watch(self, agent: Agent, device: str) -> int:
        """Send a device's jobs to this agent from now on, and give the hall's seq.

        A job that was not answered is sent again with its id. The newest agent of a device wins: the one before is a
        connection that has died without saying so.
        """
        with self._turn:
            place = self._place(device)
            lane = self._lanes.get(device)
            if lane is None or lane.agent is not agent:
                log.info("device %s of %s: %s", device, self._hall.id, "a newer agent" if lane else "followed")
                self._lanes[device] = _Lane(device, agent, place)
        self._changed()
        self._wake.set()
        return self._hall.seq

    def unwatch(self, agent: Agent, device: str) -> None:
        """Send this agent nothing more for the device."""
        with self._turn:
            lane = self._lanes.get(device)
            if lane is None or lane.agent is not agent:
                return
            del self._lanes[device]
        log.info("device %s of %s: not followed any more", device, self._hall.id)
        self._changed()

    def leave(self, agent: Agent) -> None:
        """Send this agent nothing more."""
        for device in [device for device, lane in list(self._lanes.items()) if lane.agent is agent]:
            self.unwatch(agent, device)

    def is_connected(self, device: str) -> bool:
        """Say whether an agent follows the device's jobs now."""
        return device in self._lanes

    def wake(self) -> None:
        """Look again soon: the register has changed."""
        self._wake.set()

    def run(self) -> None:
        """Follow the hall until `stop`."""
        while not self._stopped:
            self.beat = monotonic()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            if self._stopped:
                return
            try:
                self.step()
            except LedgerDown as error:
                if not self._waits:
                    log.error("jobs of %s wait for the ledger: %s", self._hall.id, error)
                self._waits = True
            else:
                self._waits = False

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake.set()

    def step(self) -> None:
        """Read what is new, let pass what came too late, and give every free device its next job.

        Raises:
            LedgerDown: the ledger cannot be read now; the next step goes on where this one stopped.
        """
        with self._turn:
            for row in self._rows(self._hall.id):
                self._place(row.device)  # before reading on: a new device begins with the jobs of now
            self._read()
            now_ms = self._hall.now_ms()
            for lane in list(self._lanes.values()):
                if lane.kept is not None and lane.kept.is_late(by_s=ANSWER_GRACE_S):
                    self._done(lane.device, lane.kept.job, "unknown", "the agent gave no answer", now_ms)
            self._forget_expired(now_ms)  # before anything newer is sent: a place never goes back to write it down
            for lane in list(self._lanes.values()):
                if lane.kept is None and (kept := self._next(lane, now_ms)) is not None:
                    self._send(lane, kept)

    def _hear(self) -> None:
        """Note when commits are new; runs in the writer's turn."""
        self._heard.append((self._hall.seq, self._hall.sure_s, monotonic()))
        self._wake.set()

    def _made_s(self, seq: int, at_ms: int, now_ms: int) -> float:
        """Give when a commit was made, on the monotonic clock; long ago where nobody can know."""
        by_clock_s = monotonic() - (now_ms - at_ms) / 1000
        if seq <= self._found_to:
            return by_clock_s if self._found_is_dated else -inf
        while self._heard and self._heard[0][0] < seq:
            self._heard.popleft()
        _, not_before_s, not_after_s = self._heard[0] if self._heard else (seq, monotonic(), monotonic())
        return min(max(by_clock_s, not_before_s), not_after_s)

    def _place(self, device: str) -> Place:
        """Give where a device stands; one that was never heard of begins behind what was read so far.

        In a hall of several servers it may come from another one, which did not finish: it gets what is not too late,
        and its agent, which knows what it has done, does the rest.
        """
        place = self._journal.place(self._hall.id, device)
        if place is None:
            moved = self._hall.is_shared and bool(self._tail)
            place = Place(seq=self._tail[0].job.seq if moved else self._read_to + 1, job=-1)
            self._journal.begin(self._hall.id, device, place)
        return place

    def _read(self) -> None:
        while self._read_to < self._hall.seq:
            commits = self._hall.commits(self._read_to, PAGE)
            if not commits:
                return
            now_ms = self._hall.now_ms()
            for commit in commits:
                jobs = self._hall.read(
                    lambda state, _, commit=commit: jobs_of(  # type: ignore[misc]  # bound in this round
                        state,
                        commit.events,
                        seq=commit.seq,
                        at_ms=commit.at_ms,
                        drill=self._drill,
                    )
                )
                made_s = self._made_s(commit.seq, commit.at_ms, now_ms)
                self._tail.extend(_Kept(job, made_s) for job in jobs)
                self._read_to = commit.seq

    def _forget_expired(self, now_ms: int) -> None:
        """Drop jobs that come too late, and write down for whom: nobody shall wonder what became of them."""
        rows = self._rows(self._hall.id)
        busy = {lane.device for lane in self._lanes.values() if lane.kept is not None}
        for kept in [kept for kept in self._tail if kept.is_late()]:
            awaited = any(lane.kept is kept for lane in self._lanes.values())
            for row in self._takers(kept, rows):
                if kept.place <= self._place(row.device):
                    continue
                if row.device in busy or self._comes_after_others(kept, row, rows):
                    awaited = True  # else the answer to the job before would count as old and be lost
                else:
                    self._let_pass(row.device, kept.job, TOO_LATE, now_ms)
            if not awaited:
                self._tail.remove(kept)

    def _takers(self, kept: _Kept, rows: Sequence[Registered]) -> Sequence[Registered]:
        """Give the devices that should have done a job, as far as this server knows of their jobs."""
        if not isinstance(kept.job.data, PrintTicket | PrintNotice):
            here = [row for row in rows if not self._hall.is_shared or row.device in self._lanes]
            return [row for row in here if _is_for(kept, row, rows)]
        printer = _printer_of(kept.job, rows)
        if printer is None or kept.sent_to is None:
            return [] if printer is None else [printer]
        return [next((row for row in rows if row.device == kept.sent_to), printer)]

    def _comes_after_others(self, kept: _Kept, row: Registered, rows: Sequence[Registered]) -> bool:
        """Say whether a device has something to do before a late job: an announcement is worth longer than a call."""
        place = self._place(row.device)
        return isinstance(kept.job.data, Say) and any(
            isinstance(each.job.data, Announce) and not each.is_late() and _is_for(each, row, rows)
            for each in self._tail
            if place < each.place < kept.place
        )

    def _let_pass(self, device: str, job: Job, why: str, now_ms: int) -> None:
        """Write down that a device did not do a job, and why."""
        status = "expired" if isinstance(job.data, PrintTicket | PrintNotice) else "dropped"
        self._done(device, job, status, why, now_ms)

    def _next(self, lane: _Lane, now_ms: int) -> _Kept | None:
        """Give the next job of a device that is worth doing; those before it are let pass."""
        rows = self._rows(self._hall.id)
        row = next((row for row in rows if row.device == lane.device), None)
        not_done = list(takewhile(lambda kept: kept.place > lane.place, reversed(self._tail)))
        not_done.reverse()
        urgent = max((kept.place for kept in not_done if _is_emergency(kept.job)), default=lane.place)
        for kept in not_done:
            job = kept.job
            if row is not None and not _is_for(kept, row, rows):
                continue
            if kept.is_late():
                self._let_pass(lane.device, job, TOO_LATE, now_ms)
            elif kept.place < urgent:
                self._let_pass(lane.device, job, "emergency: it went first", now_ms)  # boards show it
            elif not self._hall.read(lambda state, _, job=job: still_matters(state, job)):  # type: ignore[misc]
                self._let_pass(lane.device, job, "over: called again or elsewhere, or the visitor has come", now_ms)
            else:
                return kept
        return None

    def _send(self, lane: _Lane, kept: _Kept) -> None:
        lane.kept, job = kept, kept.job
        kept.sent_to = lane.device

        def answered(answer: object) -> None:
            read = _read_answer(answer, job)
            if read is _Unread.OTHER_JOB:
                return
            with self._turn:
                # The answer of an agent that was replaced meanwhile counts too: the paper is out.
                current = self._lanes.get(lane.device, lane)
                if _place_of(job) > current.place:
                    self._done(lane.device, job, read[0], read[1], self._hall.now_ms())
            self._wake.set()

        lane.agent.send_job(self._wire(lane.device, kept), answered)

    def _behind(self, device: str, kept: _Kept) -> int:
        """Count the calls that wait behind a call for the same loudspeaker and still matter."""
        rows = self._rows(self._hall.id)
        row = next((row for row in rows if row.device == device), None)
        if row is None or not isinstance(kept.job.data, Say):
            return 0
        later = [
            each
            for each in self._tail
            if each.place > kept.place and isinstance(each.job.data, Say) and not each.is_late()
        ]
        mine = [each.job for each in later if _is_for(each, row, rows)]
        return self._hall.read(lambda state, _: sum(still_matters(state, job) for job in mine))

    def _done(self, device: str, job: Job, status: str, detail: str, now_ms: int) -> None:
        place = _place_of(job)
        if (lane := self._lanes.get(device)) is not None:
            lane.place, lane.kept = place, None
        result = JobResult(
            hall=self._hall.id,
            job=job.id,
            device=device,
            kind=job.kind,
            ticket=job.ticket or "",
            status=status,
            detail=detail,
            at_ms=now_ms,
        )
        self._journal.done(result, place)
        self._changed()

    def _wire(self, device: str, kept: _Kept) -> dict[str, Any]:
        job, now_ms = kept.job, self._hall.now_ms()
        expires_ms = now_ms + round((kept.until_s - monotonic()) * 1000)  # the clock may have been set meanwhile
        at, expires_at = self._hall.read(
            lambda state, _: (instant(state.plan, now_ms), instant(state.plan, expires_ms))
        )
        return {
            "hall": self._hall.id,
            "topic": f"device:{device}",
            "id": job.id,
            "seq": job.seq,
            "kind": job.kind,
            "data": msgspec.to_builtins(job.data),
            "behind": self._behind(device, kept),  # a crowd is called in fewer words
            "at": at,  # the agent's clock may show another time or, beside a drill, another day
            "expires_at": expires_at,
        }


def _place_of(job: Job) -> Place:
    return Place(seq=job.seq, job=job.index)


def _is_for(kept: _Kept, row: Registered, rows: Sequence[Registered]) -> bool:
    """Say whether a registered device gets a job; paper has exactly one printer, a call may have many speakers."""
    job = kept.job
    match job.data:
        case PrintTicket() | PrintNotice() if kept.sent_to is not None:
            return kept.sent_to == row.device
        case PrintTicket() | PrintNotice():
            return (printer := _printer_of(job, rows)) is not None and printer.device == row.device
        case Say():
            return row.kind == "speaker" and (not row.zones or job.data.zone in row.zones)
        case Announce():
            return row.kind == "speaker"
        case _:
            assert_never(job.data)


def _is_emergency(job: Job) -> bool:
    return isinstance(job.data, Announce) and job.data.emergency


def _printer_of(job: Job, rows: Sequence[Registered]) -> Registered | None:
    return printer_of(job.kiosk, job.window, rows)


def _read_answer(answer: object, job: Job) -> tuple[str, str] | _Unread:
    """Read {"id", "result": {"status", "detail"}} as (status, detail); what cannot be read counts as unknown."""
    if isinstance(answer, Mapping):
        if answer.get("id", job.id) != job.id:
            return _Unread.OTHER_JOB
        result = answer.get("result")
        if isinstance(result, Mapping) and isinstance(status := result.get("status"), str) and status:
            detail = result.get("detail")
            return status, detail if isinstance(detail, str) else ""
    return "unknown", "the agent's answer cannot be read"
