"""Jobs for the devices of one hall: each once, in order, one at a time per device, until its agent has answered.

The feed reads the ledger's tail once for all devices and keeps the jobs that have not expired. A device's place is its
cursor in the register, so a restart of the server sends the job that was not answered once more, with the same id; the
agent knows from its own journal whether it did it already. What nobody did in time is let pass and written down.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from threading import Event as Flag
from threading import RLock
from time import monotonic
from typing import Any, Protocol

import msgspec

from server.domain.terms import Track
from server.feeds.devices import Cursor, DeviceRegister, DeviceRow, JobResult
from server.feeds.hall_view import HallView
from server.projections.common import instant
from server.projections.jobs import Job, PrintTicket, Say, jobs_of, still_matters

LOOK_BACK = 5_000  # commits read at the start: more than a hall makes before a job expires
PAGE = 500
ANSWER_GRACE_MS = 10_000  # an agent may answer this long after the job expired
LOOK_EVERY_S = 0.5

log = logging.getLogger(__name__)


class Agent(Protocol):
    """The connection behind which a device is."""

    def send_job(self, job: Mapping[str, Any], answered: Callable[[object], None]) -> None:
        """Send a job; `answered` is called once with what the agent said. Must not block."""


class _Lane:
    """One device that is followed: its agent, its place, and the job that is not answered yet."""

    __slots__ = ("agent", "cursor", "device", "job")

    def __init__(self, device: str, agent: Agent, cursor: Cursor) -> None:
        self.device, self.agent, self.cursor = device, agent, cursor
        self.job: Job | None = None


class JobFeed:
    """The jobs of one hall. Safe to call from many threads or greenlets."""

    def __init__(
        self, hall: HallView, register: DeviceRegister, *, track_url: Callable[[Track], str], drill: bool
    ) -> None:
        """Follow `hall`. `track_url` gives the address of a ticket's phone page."""
        self._hall, self._register, self._track_url, self._drill = hall, register, track_url, drill
        self._turn = RLock()
        self._wake = Flag()
        self._stopped = False
        self._lanes: dict[str, _Lane] = {}
        self._tail: deque[Job] = deque()  # not expired, in order
        self._read_to = max(0, hall.seq - LOOK_BACK)
        self.beat = monotonic()
        """When the loop last went round, for the health page."""
        hall.follow(self._wake.set)

    def watch(self, agent: Agent, device: str) -> int:
        """Send a device's jobs to this agent from now on, and give the hall's seq.

        A job that was not answered is sent again with its id. The newest agent of a device wins: the one before is a
        connection that has died without saying so.
        """
        cursor = self._register.cursor(self._hall.id, device)
        with self._turn:
            if device in self._lanes:
                log.info("device %s of %s: a newer agent takes over", device, self._hall.id)
            self._lanes[device] = _Lane(device, agent, cursor)
        self._register.connected(self._hall.id, device, now=True)
        self._wake.set()
        return self._hall.seq

    def unwatch(self, agent: Agent, device: str) -> None:
        """Send this agent nothing more for the device."""
        with self._turn:
            lane = self._lanes.get(device)
            if lane is None or lane.agent is not agent:
                return
            del self._lanes[device]
        self._register.connected(self._hall.id, device, now=False)

    def leave(self, agent: Agent) -> None:
        """Send this agent nothing more."""
        for device in [device for device, lane in self._lanes.items() if lane.agent is agent]:
            self.unwatch(agent, device)

    def run(self) -> None:
        """Follow the hall until `stop`."""
        while not self._stopped:
            self.beat = monotonic()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            if not self._stopped:
                self.step()

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake.set()

    def step(self) -> None:
        """Read what is new, let pass what came too late, and give every free device its next job."""
        with self._turn:
            self._read()
            now_ms = self._hall.now_ms()
            self._forget_expired(now_ms)
            for lane in list(self._lanes.values()):
                if lane.job is not None and now_ms > lane.job.expires_ms + ANSWER_GRACE_MS:
                    self._done(lane.device, lane.job, "unknown", "the agent gave no answer", now_ms)
                if lane.job is None and (job := self._next(lane, now_ms)) is not None:
                    self._send(lane, job)

    def _read(self) -> None:
        while self._read_to < self._hall.seq:
            commits = self._hall.commits(self._read_to, PAGE)
            if not commits:
                return
            for commit in commits:
                self._tail.extend(
                    self._hall.read(
                        lambda state, _, commit=commit: jobs_of(  # type: ignore[misc]  # bound in this round
                            state,
                            commit.events,
                            seq=commit.seq,
                            at_ms=commit.at_ms,
                            track_url=self._track_url,
                            drill=self._drill,
                        )
                    )
                )
            self._read_to = commits[-1].seq

    def _forget_expired(self, now_ms: int) -> None:
        """Drop jobs that come too late; a ticket that was not printed is written down for its printer."""
        kept: deque[Job] = deque()
        in_flight = {lane.job.id for lane in self._lanes.values() if lane.job is not None}
        rows = self._register.rows(self._hall.id)
        for job in self._tail:
            if now_ms < job.expires_ms or job.id in in_flight:
                kept.append(job)
                continue
            for row in rows:
                if not isinstance(job.data, PrintTicket) or not _is_for(job, row, rows):
                    continue
                lane = self._lanes.get(row.device)
                cursor = lane.cursor if lane else self._register.cursor(self._hall.id, row.device)
                if _place(job) > (cursor.seq, cursor.job):
                    self._done(row.device, job, "expired", "no printer took it in time", now_ms)
        self._tail = kept

    def _next(self, lane: _Lane, now_ms: int) -> Job | None:
        rows = self._register.rows(self._hall.id)
        row = self._register.row(self._hall.id, lane.device)
        for job in self._tail:
            if _place(job) <= (lane.cursor.seq, lane.cursor.job) or now_ms >= job.expires_ms:
                continue
            if row is not None and not _is_for(job, row, rows):
                continue
            if self._hall.read(lambda state, _, job=job: still_matters(state, job)):  # type: ignore[misc]
                return job
            lane.cursor = Cursor(seq=job.seq, job=job.index)
        return None

    def _send(self, lane: _Lane, job: Job) -> None:
        lane.job = job

        def answered(answer: object) -> None:
            status, detail = _read_answer(answer, job)
            if status is None:
                return
            with self._turn:
                # A late answer of an agent that was replaced counts too: the paper is out.
                current = self._lanes.get(lane.device, lane)
                if current.job is job or _place(job) > (current.cursor.seq, current.cursor.job):
                    self._done(lane.device, job, status, detail, self._hall.now_ms())
            self._wake.set()

        lane.agent.send_job(self._wire(lane.device, job), answered)

    def _done(self, device: str, job: Job, status: str, detail: str, now_ms: int) -> None:
        cursor = Cursor(seq=job.seq, job=job.index)
        result = JobResult(
            hall=self._hall.id,
            job=job.id,
            device=device,
            kind=job.kind,
            ticket=job.ticket,
            status=status,
            detail=detail,
            at_ms=now_ms,
        )
        self._register.done(result, cursor)
        if (lane := self._lanes.get(device)) is not None:
            lane.cursor, lane.job = cursor, None

    def _wire(self, device: str, job: Job) -> dict[str, Any]:
        return {
            "hall": self._hall.id,
            "topic": f"device:{device}",
            "id": job.id,
            "seq": job.seq,
            "kind": job.kind,
            "data": msgspec.to_builtins(job.data),
            "expires_at": self._hall.read(lambda state, _: instant(state.plan, job.expires_ms)),
        }


def _place(job: Job) -> tuple[int, int]:
    return job.seq, job.index


def _is_for(job: Job, row: DeviceRow, rows: list[DeviceRow]) -> bool:
    """Say whether a registered device gets a job; a ticket has exactly one printer, a call may have many speakers."""
    match job.data:
        case PrintTicket():
            return (printer := _printer_of(job, rows)) is not None and printer.device == row.device
        case Say():
            return row.kind == "speaker" and (not row.zones or job.data.zone in row.zones)


def _printer_of(job: Job, rows: list[DeviceRow]) -> DeviceRow | None:
    """Give the printer beside the kiosk that issued the ticket, else the first one that belongs to no kiosk."""
    printers = [row for row in rows if row.kind == "printer"]
    beside = (row for row in printers if job.kiosk is not None and job.kiosk in row.kiosks)
    return next(beside, None) or next((row for row in printers if not row.kiosks), None)


def _read_answer(answer: object, job: Job) -> tuple[str | None, str]:
    """Read {"id", "result": {"status", "detail"}}; (None, "") when it answers another job, unknown when unreadable."""
    if not isinstance(answer, Mapping):
        return "unknown", "the agent's answer cannot be read"
    if answer.get("id", job.id) != job.id:
        return None, ""
    result = answer.get("result")
    if isinstance(result, Mapping) and isinstance(status := result.get("status"), str) and status:
        detail = result.get("detail")
        return status, detail if isinstance(detail, str) else ""
    return "unknown", "the agent's answer cannot be read"
