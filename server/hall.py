"""The one writer of a hall: catch up with the ledger, decide, append (durable), evolve, answer.

Requests that arrive while the disk is busy share the next write: whoever gets the hall first decides for all who wait
(group commit), appends their commits at once, and only then does anybody get an answer. Decisions inside one group
build on each other in memory; when the write fails nobody was told anything, and the state is read from the ledger
again before anything else happens. That starts from a snapshot of the state at the day's start, so that a full disk
costs today's commits per try and not those of all years; a start of the process begins with the one kept on disk.

Reading the state waits for the write under way, because the state is ahead of the disk until then. What every request
needs (`seq`, `plan`) and what followers read (`commits`) is kept beside it and never waits: a request that had to wait
before it could ask would miss the write that the others share.

Several servers may work on one hall when its ledger is shared: each group first takes in what the others wrote, and who
was slower decides again. `refresh` takes it in too, so that the screens of this server hear of it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from threading import Event as Flag
from threading import RLock
from time import monotonic
from typing import TypeVar

from server.ballast import Ballast
from server.domain.commands import (
    AnnounceRoll,
    BookAppointment,
    CheckIn,
    Command,
    IssueTicket,
    LeaseNumbers,
    OpenCase,
    ReceiveCase,
    StartDay,
)
from server.domain.decide import decide
from server.domain.state import HallState
from server.domain.terms import CLOCK, Actor, HallId, HallPlan, business_day
from server.ledger import codec
from server.ledger.base import (
    Commit,
    DiskFull,
    Ledger,
    LedgerBroken,
    LedgerDoubtful,
    LedgerDown,
    LedgerUnknown,
    SharedLedger,
    Stale,
)
from server.ledger.snapshot import Picture, Snapshot

GROUP_MAX = 200  # requests decided and written together
RECENT_MAX = 500  # commits that followers need not read from the ledger
BEGINNING = (
    IssueTicket,
    CheckIn,
    BookAppointment,
    OpenCase,
    ReceiveCase,
    AnnounceRoll,
    LeaseNumbers,
)  # refused on a full disk
STALE_TRIES = 8  # another server was quicker this often: give up and say so

T = TypeVar("T")
Check = Callable[[HallState], None]
log = logging.getLogger(__name__)


class KeyReused(Exception):
    """The request key was used before today for another request."""


class _Request:
    """One waiting caller: the command, and later its commit or what went wrong."""

    __slots__ = ("actor", "allowed", "command", "commit", "done", "error", "fingerprint", "key")

    def __init__(
        self, command: Command, actor: Actor, key: str | None, fingerprint: str, allowed: Check | None = None
    ) -> None:
        self.command, self.actor, self.key, self.fingerprint = command, actor, key, fingerprint
        self.allowed = allowed
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
        ballast: Ballast | None = None,
        start: Snapshot | None = None,
    ) -> None:
        """Replay the ledger, from `start` on when that fits it. `clock` gives Unix ms.

        `offload` runs a blocking write and returns when it is done.
        `fail_stop` ends the process when the outcome of a write is unknown (else the error is raised).
        `ballast` is what a full disk gives up, so that everything but what begins something new goes on.

        Raises:
            LedgerBroken: the ledger contradicts itself; nothing is served from it.
        """
        self.id = hall
        self._ledger, self._clock, self._offload, self._fail_stop = ledger, clock, offload, fail_stop
        self._ballast = ballast
        self._shared = ledger if isinstance(ledger, SharedLedger) else None
        self._turn = RLock()
        self._waiting: deque[_Request] = deque()
        self._wakes: list[Callable[[], None]] = []
        self._empty = Picture().freeze()
        self._base = self._empty  # durable, where reading again starts
        self._now = Picture()
        self._seq = 0
        self.replayed = 0
        """Commits folded since the process started, those decided here not counted."""
        self._true = False  # whether `_now` is what the ledger says (a shared one may say more by now)
        self._failing = False  # whether the last write came to nothing
        self._news = False  # whether others wrote what nobody was woken for
        self._recent: deque[Commit] = deque(maxlen=RECENT_MAX)  # durable, without holes, up to the last one
        self._first = self._base  # the first thing this process had; older days may be elsewhere
        if start is not None and self._fits(start):
            self._base = self._first = start
        self._catch_up()
        self._sure_s = monotonic()

    @property
    def seq(self) -> int:
        """The last durable commit."""
        return self._seq

    @property
    def plan(self) -> HallPlan:
        """The structure of the hall as of the last durable commit."""
        return self._plan

    @property
    def base(self) -> Snapshot:
        """What reading again would start with: as a rule the state right after the business day was opened."""
        return self._base

    def freeze(self) -> Snapshot:
        """Give the state as of the last durable commit as a snapshot."""
        with self._turn:
            self._catch_up()
            return self._now.freeze()

    @property
    def is_shared(self) -> bool:
        """Whether other servers may work on this hall, too."""
        return self._shared is not None

    @property
    def sure_s(self) -> float:
        """When it last was sure to know every commit (monotonic): always, unless others write to its ledger too."""
        return monotonic() if self._shared is None else self._sure_s

    def now_ms(self) -> int:
        """Give the hall's time in Unix ms; it never falls behind the ledger, whatever the machine's clock does."""
        return max(self._clock(), self._now.state.last_ms)

    def clock_is_behind(self) -> bool:
        """Say whether the machine's clock shows less than the ledger: the hall's time stands still until then."""
        return self._clock() < self._now.state.last_ms

    def day_is_over(self) -> bool:
        """Say whether the clock shows a later business day than the hall's (never before the first plan)."""
        return self.read(lambda _state, _seq: self._day_is_over())

    def handle(
        self,
        command: Command,
        *,
        actor: Actor,
        key: str | None = None,
        fingerprint: str = "",
        allowed: Check | None = None,
    ) -> Commit:
        """Give the durable commit of a command; the same key again in the business day gives the first commit again.

        `allowed` looks at the state just before the decision and refuses what this actor may not do now.

        Raises:
            Refusal: the hall says no; nothing is written.
            KeyReused: the key belongs to another request of today; nothing is written.
            LedgerDown: nothing is written; trying again with the same key is safe.
            LedgerUnknown: a shared ledger did not say; trying again with the same key finds out.
        """
        request = _Request(command, actor, key, fingerprint, allowed)
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
            self._catch_up()
            return question(self._now.state, self._now.seq)

    def commits(self, after: int, limit: int) -> list[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        if self._recent and self._recent[0].seq <= after + 1:
            begin = after + 1 - self._recent[0].seq
            return list(islice(self._recent, begin, begin + limit))
        return list(self._ledger.read(after, limit))

    def gone(self) -> int:
        """Give up to which commit nothing can be read here, because only other servers have it; as a rule 0.

        Raises:
            LedgerDown: the ledger cannot be asked now.
        """
        return 0 if self._shared is None else self._shared.gone()

    def follow(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each durable write. It must only set a flag; it runs in the caller's turn."""
        self._wakes.append(wake)

    def refresh(self) -> None:
        """Take in what other servers wrote to a shared ledger, and wake who follows.

        Raises:
            LedgerDown: the ledger cannot be read now.
            LedgerBroken: it contradicts itself.
        """
        with self._turn:
            self._catch_up()
            self._read_on()
            self._wake()
            self._sure_s = monotonic()

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
        except BaseException as interrupt:  # this thread or greenlet is being ended: the others must not wait for ever
            self._give_up(group, LedgerDown(f"the write was interrupted: {interrupt!r}"))
            raise
        if fresh and self._failing:
            self._failing = False
            log.info("the ledger of %s is written again", self.id)
        self._tell(fresh)
        self._keep_base()
        for request in group:
            request.done.set()
        self._news = self._news or bool(fresh)
        self._wake()

    def _write(self, group: Sequence[_Request]) -> list[Commit]:
        for _ in range(STALE_TRIES):
            self._catch_up()
            self._read_on()
            self._true = False  # until what is decided is written
            fresh = self._decide_group(group)
            try:
                if fresh:
                    self._offload(partial(self._ledger.append, fresh))
            except Stale:
                continue  # somebody else wrote first: decide again on what is true now
            except DiskFull:
                if self._ballast is None or not self._ballast.give():
                    raise
                continue  # there is room now for what ends: decide again, without what begins
            self._true = True
            return fresh
        raise LedgerDown("other servers were quicker every time")

    def _decide_group(self, group: Sequence[_Request]) -> list[Commit]:
        """Decide one after the other, each on what the one before changed; give the new commits."""
        fresh: list[Commit] = []
        for request in group:
            request.commit = request.error = None
            if self._day_is_over() and not isinstance(request.command, StartDay):
                self._take(self._draft(_Request(StartDay(), CLOCK, None, "")), fresh)
            try:
                request.commit = self._known(request)
                draft = None if request.commit else self._draft(request)
            except Exception as error:  # noqa: BLE001 - a refusal, or a bug in one command: the others go on
                request.error = error
                continue
            if draft is not None:
                request.commit = self._take(draft, fresh)
        return fresh

    def _day_is_over(self) -> bool:
        state = self._now.state
        return bool(state.plan.hall) and business_day(state.plan, self.now_ms()).isoformat() > (state.day or "")

    def _known(self, request: _Request) -> Commit | None:
        known = self._now.keys.get(request.key) if request.key is not None else None
        if known is not None and known.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        return known

    def _draft(self, request: _Request) -> Commit:
        if isinstance(request.command, BEGINNING) and self._ballast is not None and not self._ballast.ready():
            raise DiskFull(f"nothing new begins in {self.id} until there is space")
        now_ms = self.now_ms()
        if request.allowed is not None:
            request.allowed(self._now.state)
        events = decide(self._now.state, request.command, now_ms=now_ms)
        commit = Commit(
            hall=self.id,
            seq=self._now.seq + 1,
            at_ms=now_ms,
            day=self._now.state.day or "",
            actor=request.actor,
            events=tuple(events),
            key=request.key,
            fingerprint=request.fingerprint,
        )
        return codec.seal(commit, self._now.head)

    def _take(self, commit: Commit, fresh: list[Commit]) -> Commit:
        self._now.apply(commit)
        fresh.append(commit)
        return commit

    def _give_up(self, group: Sequence[_Request], error: Exception) -> None:
        """Nobody was answered: forget what was decided; a refusal too may stand on what was not written."""
        if not self._failing or not isinstance(error, LedgerDown):  # one line for each outage, not for each request
            log.error("nothing written to the ledger of %s: %r", self.id, error)
        self._failing = isinstance(error, LedgerDown)
        if isinstance(error, LedgerDoubtful) and self._fail_stop is not None:
            self._fail_stop(error)
        for request in group:
            request.commit, request.error = None, error
            request.done.set()

    def _catch_up(self) -> None:
        """Read the truth again when the last write failed; when that fails, nothing is told until it works."""
        if self._true:
            return
        try:
            now = self._replay(self._base)
        except Stale as lost:  # a failover lost what a shared ledger had: only what is there counts
            log.error("%s went back, reading it from its beginning: %s", self.id, lost)
            now = self._replay(self._first)
            if now.seq == 0:
                raise LedgerDown(f"the ledger of {self.id} is empty now: restore it") from lost
            self._base = now.freeze()
        self._now, self._true = now, True
        self._recent.clear()
        self._tell([])
        if self._shared is not None:
            self._base = now.freeze()  # who is often slower than others must not read the whole day each time
            self._news = True

    def _fits(self, start: Snapshot) -> bool:
        """Say whether a snapshot ends with a commit of this ledger; the hash of that one stands for all before it."""
        try:
            end = next(iter(self._ledger.read(start.seq - 1, 1)), None)
        except (Stale, LedgerBroken):
            end = None
        if end is not None and (end.hall, end.seq, end.hash) == (self.id, start.seq, start.head):
            return True
        log.warning("the snapshot of %s is of another ledger: all commits are replayed", self.id)
        return False

    def _replay(self, base: Snapshot) -> Picture:
        now, day = base.picture(), base.day
        try:
            for commit in self._after(now):
                self._check(commit)
                now.apply(commit)
                self.replayed += 1
                if (now.state.day or "") != day:
                    self._base, day = now.freeze(), now.state.day or ""
        except LedgerUnknown:  # what comes next may not last: until that is known, what was told before is true
            if not 0 < self._seq <= now.seq:
                raise
        return now

    def _keep_base(self) -> None:
        """Let reading again start with today, once today has begun."""
        if (self._now.state.day or "") != self._base.day:
            self._base = self._now.freeze()

    def _read_on(self) -> None:
        """Take in what others wrote to a shared ledger since; only on a picture in which everything is durable."""
        if self._shared is None:
            return
        try:
            fresh = list(self._after(self._now))
        except Stale:
            self._true = False
            self._catch_up()
            return
        if not fresh:
            return
        self._true = False  # until all of it is in
        for commit in fresh:
            self._check(commit)
            self._now.apply(commit)
        self._true = self._news = True
        self._tell(fresh)
        self._keep_base()

    def _after(self, picture: Picture) -> Iterator[Commit]:
        if self._shared is None:
            return self._ledger.read(picture.seq)
        return self._shared.since(picture.seq, picture.head)

    def _check(self, commit: Commit) -> None:
        if commit.hall != self.id:
            raise LedgerBroken(f"this is the ledger of {commit.hall}, not of {self.id}")

    def _wake(self) -> None:
        if self._news:
            self._news = False
            for wake in self._wakes:
                wake()

    def _tell(self, fresh: Sequence[Commit]) -> None:
        """Let everybody hear of durable commits."""
        self._recent.extend(fresh)
        self._seq, self._plan = self._now.seq, self._now.state.plan
