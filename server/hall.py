"""The one writer of a hall: catch up with the ledger, decide, append (durable), evolve, answer.

Requests that arrive while the disk is busy share the next write: whoever gets the hall first decides for all who wait
(group commit), appends their commits at once, and only then does anybody get an answer. Decisions inside one group
build on each other in memory; when the write fails the state is rebuilt from the ledger and nobody was told anything.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Flag
from threading import RLock
from typing import TypeVar

from server.domain.commands import Command, StartDay
from server.domain.decide import decide
from server.domain.refusals import Refusal
from server.domain.state import HallState, evolve
from server.domain.terms import CLOCK, Actor, HallId, business_day
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, Ledger, LedgerDoubtful, LedgerDown, Stale

GROUP_MAX = 200  # requests decided and written together
STALE_TRIES = 8  # another server was quicker this often: give up and say so

T = TypeVar("T")
log = logging.getLogger(__name__)


class KeyReused(Exception):
    """The request key was used before today for another request."""


class _Request:
    """One waiting caller: the command, and later its commit or what went wrong."""

    __slots__ = ("actor", "command", "commit", "done", "error", "fingerprint", "key")

    def __init__(self, command: Command, actor: Actor, key: str | None, fingerprint: str) -> None:
        self.command, self.actor, self.key, self.fingerprint = command, actor, key, fingerprint
        self.commit: Commit | None = None
        self.error: Exception | None = None
        self.done = Flag()


class Hall:
    """A hall at work on its ledger. Safe to call from many threads or greenlets."""

    def __init__(
        self,
        hall: HallId,
        ledger: Ledger,
        *,
        clock: Callable[[], int],
        offload: Callable[[Callable[[], None]], None] = lambda write: write(),
        fail_stop: Callable[[Exception], None] | None = None,
    ) -> None:
        """Replay the ledger. `clock` gives Unix ms; `offload` runs a blocking write and returns when it is done.

        `fail_stop` ends the process when the outcome of a write is unknown (else the error is raised).

        Raises:
            LedgerBroken: the ledger contradicts itself; nothing is served from it.
        """
        self.id = hall
        self._ledger, self._clock, self._offload, self._fail_stop = ledger, clock, offload, fail_stop
        self._turn = RLock()
        self._waiting: deque[_Request] = deque()
        self._wakes: list[Callable[[], None]] = []
        self._rebuild()

    @property
    def seq(self) -> int:
        """The last durable commit."""
        with self._turn:
            return self._seq

    def now_ms(self) -> int:
        """Give the hall's time in Unix ms; it never falls behind the ledger, whatever the machine's clock does."""
        return max(self._clock(), self._state.last_ms)

    def handle(self, command: Command, *, actor: Actor, key: str | None = None, fingerprint: str = "") -> Commit:
        """Give the durable commit of a command; the same key again in the business day gives the first commit again.

        Raises:
            Refusal: the hall says no; nothing is written.
            KeyReused: the key belongs to another request of today; nothing is written.
            LedgerDown: nothing is written; trying again with the same key is safe.
        """
        request = _Request(command, actor, key, fingerprint)
        self._waiting.append(request)
        with self._turn:
            while not request.done.is_set():
                self._lead()
        if request.error is not None:
            raise request.error
        if request.commit is None:
            raise AssertionError("a request ended without commit or error")
        return request.commit

    def read(self, question: Callable[[HallState, int], T]) -> T:
        """Give the answer to a question about the durable state: question(state, seq). Keep it short."""
        with self._turn:
            return question(self._state, self._seq)

    def commits(self, after: int, limit: int) -> list[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        return list(self._ledger.read(after, limit))

    def follow(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each durable write. It must only set a flag; it runs in the caller's turn."""
        self._wakes.append(wake)

    def close(self) -> None:
        """Finish the write under way and let go of the ledger."""
        with self._turn:
            self._ledger.close()

    def _lead(self) -> None:
        """Decide and write for everybody who waits; holds the turn."""
        group: list[_Request] = []
        while self._waiting and len(group) < GROUP_MAX:
            group.append(self._waiting.popleft())
        try:
            fresh = self._write(group)
        except Exception as error:  # noqa: BLE001 - whatever it was, everybody who waits must hear of it
            self._give_up(group, error)
            return
        for request in group:
            request.done.set()
        if fresh:
            for wake in self._wakes:
                wake()

    def _write(self, group: Sequence[_Request]) -> list[Commit]:
        for _ in range(STALE_TRIES):
            fresh = self._decide_group(group)
            try:
                if fresh:
                    self._offload(partial(self._ledger.append, fresh))
            except Stale:
                self._rebuild()  # somebody else wrote first: decide again on what is true now
            else:
                return fresh
        raise LedgerDown("other servers were quicker every time")

    def _decide_group(self, group: Sequence[_Request]) -> list[Commit]:
        """Decide one after the other, each on what the one before changed; give the new commits."""
        fresh: list[Commit] = []
        for request in group:
            request.commit = request.error = None
            try:
                self._turn_of_day(fresh)
                request.commit = self._known(request) or self._commit(request, fresh)
            except (Refusal, KeyReused) as error:
                request.error = error
        return fresh

    def _turn_of_day(self, fresh: list[Commit]) -> None:
        if (
            business_day(self._state.plan, self.now_ms()).isoformat() > (self._state.day or "")
            and self._state.plan.hall
        ):
            self._commit(_Request(StartDay(), CLOCK, None, ""), fresh)

    def _known(self, request: _Request) -> Commit | None:
        known = self._keys.get(request.key) if request.key is not None else None
        if known is not None and known.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        return known

    def _commit(self, request: _Request, fresh: list[Commit]) -> Commit:
        now_ms = self.now_ms()
        events = decide(self._state, request.command, now_ms=now_ms)
        draft = Commit(
            hall=self.id,
            seq=self._seq + 1,
            at_ms=now_ms,
            day=self._state.day or "",
            actor=request.actor,
            events=tuple(events),
            key=request.key,
            fingerprint=request.fingerprint,
        )
        commit = codec.seal(draft, self._head)
        self._apply(commit)
        fresh.append(commit)
        return commit

    def _apply(self, commit: Commit) -> None:
        before = self._state.day
        for event in commit.events:
            evolve(self._state, event, at_ms=commit.at_ms)
        self._seq, self._head = commit.seq, commit.hash
        if self._state.day != before:
            self._keys.clear()
        if commit.key is not None:
            self._keys[commit.key] = commit

    def _give_up(self, group: Sequence[_Request], error: Exception) -> None:
        """Nobody was answered: forget what was decided and read the truth again."""
        log.error("nothing written to the ledger of %s: %r", self.id, error)
        if isinstance(error, LedgerDoubtful) and self._fail_stop is not None:
            self._fail_stop(error)
        for request in group:
            if request.error is None:
                request.commit, request.error = None, error
            request.done.set()
        self._rebuild()

    def _rebuild(self) -> None:
        self._state, self._seq, self._head = HallState(), 0, GENESIS
        self._keys: dict[str, Commit] = {}
        for commit in self._ledger.read():
            self._apply(commit)
