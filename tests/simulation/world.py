"""One hall under a virtual clock and one seeded random: people, network, disks, two servers, machines with devices.

Half of the worlds have a ledger of their own: one server leads, the other may take over while the first lives on and
does not know (a stale writer). The other half have a shared ledger, on which both servers work at once, each cut
off from it now and then.

Real: the domain, `Hall`, the stored bytes, `timers.tick`, the feeds of screens and devices, the pictures, and from the
agent what it reads and what it remembers (`drivers/jobs.py`, `drivers/journal.py`). Made up: time, network, disk, the
paper and the loudspeaker. One thread, no real time: each step does one thing, and the same seed does the same things.

What people see of it stands in a history (`tests/checker`); `tests/simulation/history.py` has it judged.

Source of the form: FoundationDB's and TigerBeetle's simulators (the real code, one thread, one seed).
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from drivers.jobs import JobOrder, PrintTicket, Result, ResultStatus, Say, read_order
from drivers.journal import Journal
from server import hall as hall_module
from server import timers
from server.domain import commands as c
from server.domain import lookahead
from server.domain import terms as t
from server.domain.refusals import Refusal
from server.feeds import devices as devices_feed
from server.feeds.devices import JobFeed
from server.feeds.journal import JobJournal, Place, Write
from server.feeds.screens import Picture, Screens
from server.hall import Hall, KeyReused
from server.ledger.base import Commit, LedgerDoubtful, LedgerDown, LedgerUnknown, Stale
from server.ledger.memory import MemoryLedger
from tests.checker.history import End, History, Op, Paper, Read, Shown, Spoken, answer_of
from tests.domain.halls import PLAN

START_MS = 1_772_411_400_000  # 2026-03-02 08:30 in Shanghai, a Monday
DAY_MS = 86_400_000
DELAY_MAX_MS = 2_000  # of a message; slower is lost
ANSWER_WITHIN_MS = 5_000  # then a client asks again
ASK_TIMES = 6
CLOCK = t.Actor(kind=t.ActorKind.CLOCK, id="clock")


class PowerCut(BaseException):
    """The server died in the middle of a write."""


class Disk:
    """The ledger's place on a disk that now and then refuses, dies, or does not know; commits are all or none."""

    def __init__(self, store: MemoryLedger, world: "World", server: str) -> None:
        self._store, self._world, self._server = store, world, server

    def append(self, commits: Sequence[Commit]) -> None:
        """Keep commits, or fail in one of the ways a disk fails."""
        odd = self._world.dice.random() if self._world.faulty else 1.0
        if odd < 0.02:
            raise LedgerDown("the disk is full")
        if odd < 0.025:
            raise PowerCut
        if odd < 0.03:
            raise LedgerDoubtful("the sync failed, nothing was written")
        self._store.append(commits)
        if odd < 0.035:
            raise PowerCut
        if odd < 0.04:
            raise LedgerDoubtful("the sync failed, all was written")

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Read what is durable."""
        return self._store.read(after, limit)

    def close(self) -> None:
        """Nothing to let go of."""


class SharedStore(Disk):
    """A ledger that both servers write, over a network that now and then breaks, or loses an answer."""

    def append(self, commits: Sequence[Commit]) -> None:
        """Keep commits; who was slower than the other server is told so, and sometimes nobody knows."""
        self._reach()
        odd = self._world.dice.random() if self._world.faulty else 1.0
        if odd < 0.02:
            raise LedgerDown("the connection is lost")
        if odd < 0.03:
            raise LedgerUnknown("the connection was lost on the way there")
        if odd > 0.9:
            self._world.meanwhile(self._server)
        self._store.append(commits)
        if odd < 0.04:
            raise LedgerUnknown("the connection was lost on the way back")
        if odd < 0.045:
            raise PowerCut

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Read what is there."""
        self._reach()
        return self._store.read(after, limit)

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after one that is known."""
        self._reach()
        if seq and self._store._rows[seq - 1][2] != head:
            raise Stale(f"commit {seq} is another one")
        return self._store.read(seq)

    def gone(self) -> int:
        """Nothing leaves this store."""
        return 0

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Nobody waits here: the world lets a server look again."""
        raise NotImplementedError

    def _reach(self) -> None:
        if f"ledger of {self._server}" in self._world.cut:
            raise LedgerDown("the ledger cannot be reached")


class PlacesInMemory(JobJournal):
    """The server's journal of devices without its file; a write is lost now and then, as on a full disk."""

    def __init__(self, kept: dict[tuple[t.HallId, str], Place], world: "World") -> None:  # its file is what is left out
        self._places, self._last, self._kept, self._world = dict(kept), {}, kept, world

    def _keep(self, write: Write) -> None:
        if not self._world.faulty or self._world.dice.random() > 0.1:
            self._kept.update(self._places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The hall as it is, or broken in one place to see that the judge sees it. `shared` None: by the seed."""

    hall: type[Hall] = Hall
    disk: type[Disk] = Disk
    store: type[SharedStore] = SharedStore
    shared: bool | None = None
    jobs: type[JobFeed] = JobFeed
    forgetful_agent: bool = False
    late_speech: bool = False
    screens_take_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the device register."""

    device: str
    kind: str
    zones: tuple[str, ...] = ()
    kiosks: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    owner: str = "agent"
    health: str = "ok"
    paper: str | None = None


ROWS = (Row(device="printer", kind="printer"), Row(device="speaker", kind="speaker"))


class Server:
    """One server process from its start to its death."""

    def __init__(self, name: str, world: "World") -> None:
        self.name, self.world, self.alive = name, world, True
        kind = world.variant.store if world.shared else world.variant.disk
        disk = kind(world.store, world, name)
        self.hall = world.variant.hall(PLAN.hall, disk, clock=self.clock, fail_stop=self.die)
        places = PlacesInMemory(
            world.places[name if world.shared else "A"], world
        )  # each machine has a file of its own
        self.jobs = world.variant.jobs(self.hall, places, rows=lambda _: ROWS, drill=False)
        self.screens = Screens(self.hall, drill=False, names=dict, devices=list)

    def clock(self) -> int:
        """Give the machine's wall clock in Unix ms."""
        return self.world.now_ms + self.world.wrong_ms[self.name]

    def die(self, _why: BaseException | None = None) -> None:
        """End the process: nobody gets an answer any more."""
        self.alive = False

    def ask(self, command: c.Command, key: str, actor: t.Actor) -> Commit | Refusal | None:
        """Handle a request; None is no answer, or one that says nothing (503)."""
        before = self.hall.seq
        try:
            return self.hall.handle(command, actor=actor, key=key)
        except Refusal as refusal:
            return refusal
        except (KeyReused, LedgerDown):
            return None
        except (LedgerDoubtful, PowerCut):
            self.die()
            return None
        finally:
            self.world.excuse(self, before)  # it also took in what the other server wrote since it looked last

    def look(self) -> None:
        """Take in what the other server wrote, as the loop beside a shared ledger does."""
        before = self.hall.seq
        self.hall.refresh()
        for commit in self.hall.commits(before, self.hall.seq):
            self.world.history.reads.append(
                Read(who=self.name, server=self.name, seq=commit.seq, hash=commit.hash, t0=self.world.step)
            )
        self.world.excuse(self, before)


class Connection:
    """A device agent's connection to one server."""

    def __init__(self, box: "Box", server: Server) -> None:
        self.box, self.server, self.open = box, server, True

    def send_job(self, job: Mapping[str, Any], answered: Callable[[object], None]) -> None:
        """Send a job over the network; the answer comes the same way."""
        wire = msgspec.json.encode(job)
        self.box.world.send(f"job {job['id']}", lambda: self._arrive(msgspec.json.decode(wire), answered))

    def _arrive(self, job: dict[str, Any], answered: Callable[[object], None]) -> None:
        if self.open and self.box.alive:
            self.box.take(job, lambda answer: self._answer(answer, answered))

    def _answer(self, answer: object, answered: Callable[[object], None]) -> None:
        def arrive() -> None:
            if self.open and self.server.alive:
                answered(answer)

        self.box.world.send("job answer", arrive)


@dataclass(slots=True)
class _Waiting:
    order: JobOrder
    until_ms: float
    answer: Callable[[object], None]


class Box:
    """The machine with the printer and the loudspeaker: what the agent does, step by step."""

    def __init__(self, world: "World") -> None:
        self.world, self.alive = world, True
        self.journal = Journal(Path(":memory:"), self.clock())
        self.state = {"printer": "ready", "speaker": "ready"}
        self.waiting: dict[str, list[_Waiting]] = {"printer": [], "speaker": []}
        self.connection: Connection | None = None

    def clock(self) -> datetime:
        """Give the box's own clock."""
        return datetime.fromtimestamp((self.world.now_ms + self.world.wrong_ms["box"]) / 1000, UTC)

    def connect(self) -> None:
        """Connect to a server, if it can be reached."""
        server = self.world.some_server()
        if not server.alive or "box" in self.world.cut:
            return
        self.connection = Connection(self, server)
        for row in ROWS:
            server.jobs.watch(self.connection, row.device)

    def lose(self) -> None:
        """Lose the connection; the server hears of it only now and then."""
        if self.connection is not None:
            self.connection.open = False
            if self.connection.server.alive and self.world.dice.random() < 0.5:
                self.connection.server.jobs.leave(self.connection)
        self.connection = None

    def die(self) -> None:
        """End the agent's process; its journal stays."""
        self.lose()
        self.alive = False
        self.waiting = {"printer": [], "speaker": []}

    def start(self) -> None:
        """Start the agent's process."""
        self.alive = True
        self.journal.take_interrupted()

    def take(self, wire: dict[str, Any], answer: Callable[[object], None]) -> None:
        """Take a job from the wire: answer it from the journal, or queue it."""
        device = str(wire["topic"]).removeprefix("device:")
        order = read_order(device, wire)
        known = None if self.world.variant.forgetful_agent else self.journal.answer(order)
        if known is not None:
            answer(_wire_of(order, known))
            return
        queue = self.waiting[device]
        for one in queue:
            if (one.order.id, one.order.about) == (order.id, order.about):
                one.answer = answer
                return
        lives_ms = order.lives_s(self.clock()) * 1000
        queue.append(_Waiting(order, self.world.now_ms + lives_ms, answer))

    def work(self, device: str) -> str:
        """Do the next thing at one device; give what happened."""
        queue, world = self.waiting[device], self.world
        if not queue:
            return "idle"
        one = queue[0]
        if world.now_ms >= one.until_ms and not world.variant.late_speech:
            printing = not isinstance(one.order.job, Say)
            self._end(queue, Result(status=ResultStatus.EXPIRED if printing else ResultStatus.DROPPED))
            return "too late"
        match self.state[device]:
            case "gone":
                return "cannot be reached"
            case "empty":
                self._end(queue, Result(status=ResultStatus.FAILED, detail="paper_out: no paper in the printer"))
                return "no paper"
            case state:  # ready, or silent: then nobody knows how it ended
                self.journal.start(one.order, self.clock())
                if world.faulty and world.dice.random() < 0.03:
                    self.die()
                    return "the agent died before"
                self._put_out(one.order)
                if world.faulty and world.dice.random() < 0.03:
                    self.die()
                    return "the agent died behind"
                done = ResultStatus.PRINTED if device == "printer" else ResultStatus.SAID
                self._end(queue, Result(status=ResultStatus.UNKNOWN if state == "silent" else done))
                return "done"

    def _put_out(self, order: JobOrder) -> None:
        history = self.world.history
        match order.job:
            case PrintTicket() as paper:
                history.papers.append(Paper(ticket=paper.ticket, label=paper.label, reprint=paper.reprint))
            case Say() as call:
                seq = int(order.id.partition(".")[0])
                history.spoken.append(
                    Spoken(
                        ticket=call.ticket,
                        window=call.window,
                        call_count=call.call_count,
                        seq=seq,
                        after_s=(self.world.now_ms - self.world.written_at_ms[seq]) / 1000,
                    )
                )
            case _:
                pass

    def _end(self, queue: list[_Waiting], result: Result) -> None:
        one = queue.pop(0)
        self.journal.finish(one.order, result, self.clock())
        one.answer(_wire_of(one.order, result))


def _wire_of(order: JobOrder, result: Result) -> dict[str, object]:
    return {"id": order.id, "result": {"status": str(result.status), "detail": result.detail}}


class Screen:
    """A board: takes pictures as the page does (server/ui/lib), newest wins within a connection."""

    def __init__(self, name: str, topic: str, world: "World") -> None:
        self.name, self.topic, self.world = name, topic, world
        self.server: Server | None = None
        self.line, self.seq, self.data = 0, 0, b""
        self.at: dict[int, int] = {}

    def offer(self, picture: Picture) -> None:
        """Get a picture over the network, which keeps no order here: two pages of one machine share nothing."""
        line, seq = self.line, picture.seq
        data = bytes(msgspec.json.decode(picture.frame, type=_Frame).data)
        self.world.send(f"picture {seq}", lambda: self._take(line, seq, data))

    def connect(self) -> None:
        """Connect to a server."""
        self.leave()
        server = self.world.some_server()
        if not server.alive or self.name in self.world.cut:
            return
        self.line += 1
        self.seq = 0
        self.server = server
        try:
            seq = server.screens.watch(self, self.topic, None)
        except LedgerDown:
            self.server = None
            return
        read = Read(who=self.name, server=server.name, seq=seq, t0=self.world.step)
        self.world.history.reads.append(read)

    def leave(self) -> None:
        """Lose the connection."""
        if self.server is not None:
            self.server.screens.leave(self)
        self.server = None

    def _take(self, line: int, seq: int, data: bytes) -> None:
        if line != self.line or self.server is None:
            return
        if seq < self.seq and not self.world.variant.screens_take_all:
            return
        self.seq, self.data = seq, data
        shown = Shown(screen=self.name, connection=line, seq=seq, topic=self.topic, data=data)
        self.world.history.shown.append(shown)


class _Frame(msgspec.Struct):
    data: msgspec.Raw


@dataclass(slots=True)
class _Press:
    """What somebody wants: sent again under the same key until there is an answer."""

    key: str
    command: c.Command
    actor: t.Actor
    left: int = ASK_TIMES
    over: bool = False


class World:
    """All of it. `play` plays; `history` and `commits` are what is judged; `lines` is the transcript."""

    def __init__(self, seed: int, variant: Variant | None = None) -> None:
        self.seed, self.dice, self.variant = seed, Random(seed), variant or Variant()
        self.now_ms, self.step, self.faulty = START_MS, 0, False
        self.wrong_ms = {"A": 0, "B": 0, "box": 0}
        self.shared = self.variant.shared if self.variant.shared is not None else seed % 2 == 1
        self.cut: dict[str, None] = {}
        self.history, self.lines = History(), list[str]()
        self.written_at_ms: dict[int, int] = {}  # true time of each commit
        self.store = MemoryLedger()
        self.places: dict[str, dict[tuple[t.HallId, str], Place]] = {"A": {}, "B": {}}
        self._wire: list[tuple[int, int, str, Callable[[], None]]] = []
        self._waits: list[tuple[int, int, _Press]] = []  # who asks again when nobody answers
        self._numbers, self._keys = count(), count(1)
        self.presses: list[_Press] = []
        self._is_meanwhile = False
        self.servers: dict[str, Server | None] = {"A": None, "B": None}
        self.leader = self._start("A")
        self.box = Box(self)
        self.screens = [Screen("board", "board", self), Screen("side", "board:hall", self)]
        self._begin()

    def play(self, steps: int) -> None:
        """Play: steps with faults, then everything is mended and comes to rest."""
        with self.time():
            self.faulty = True
            acts = [act for act, weight in self._acts() for _ in range(weight)]
            for self.step in range(1, steps + 1):
                self._one_step(acts)
            self._mend()
        self.box.journal.close()

    def send(self, what: str, arrive: Callable[[], None]) -> None:
        """Put a message on the wire; it may be lost while there are faults."""
        if self.faulty and self.dice.random() < 0.03:
            return
        due_ms = self.now_ms + self.dice.randrange(DELAY_MAX_MS if self.faulty else 50)
        heapq.heappush(self._wire, (due_ms, next(self._numbers), what, arrive))

    @property
    def commits(self) -> list[Commit]:
        """The ledger."""
        return list(self.store.read())

    def digest(self) -> str:
        """Give one hash over the ledger and the transcript."""
        head = self.commits[-1].hash
        return hashlib.sha256("\n".join([head, *self.lines]).encode()).hexdigest()

    @contextmanager
    def time(self) -> Iterator[None]:
        """Let the world's time pass where time comes in beside the clocks that are given; look ahead only once.

        What is told of a wait depends on how often the hall is played ahead, and on nothing else here.
        """
        ours: dict[str, Any] = {"monotonic": lambda: self.now_ms / 1000, "PLAYS_MIN": 1, "PLAYS_MAX": 1}
        places = (vars(devices_feed), vars(hall_module), vars(lookahead))
        real = [(names, name, names[name]) for names in places for name in ours if name in names]
        assert len(real) == len(ours) + 1
        for names, name, _ in real:
            names[name] = ours[name]
        try:
            yield
        finally:
            for names, name, it in real:
                names[name] = it

    def _start(self, name: str) -> Server:
        with self.time():
            server = Server(name, self)
        self.servers[name] = server
        if not server.hall.clock_is_behind():  # else it knows that it cannot know; here it must believe the clock
            self.excuse(server, 0)
        return server

    def excuse(self, server: Server, after: int) -> None:
        """Note of which commits a server heard late and under a clock that makes them look younger than they are."""
        with suppress(LedgerDown):
            for commit in server.hall.commits(after, server.hall.seq):
                true_ms = self.now_ms - self.written_at_ms.get(commit.seq, self.now_ms)
                if server.hall.now_ms() - commit.at_ms < true_ms:
                    self.history.excused.add(commit.seq)

    def alive(self) -> list[Server]:
        """Give the servers that run."""
        return [it for it in self.servers.values() if it is not None and it.alive]

    def some_server(self) -> Server:
        """Give whom somebody turns to: who leads, or any that runs where both do."""
        return self.dice.choice(self.alive() or [self.leader]) if self.shared else self.leader

    def _begin(self) -> None:
        with self.time():
            self.leader.hall.handle(c.PlanHall(plan=PLAN), actor=CLOCK)
            self.leader.hall.handle(c.StartDay(), actor=CLOCK)
            for no in PLAN.window:
                self.leader.hall.handle(c.OpenWindow(window=no, clerk=t.WorkId(f"clerk-{no}")), actor=CLOCK)
            if self.shared:
                self._start("B")
            self._note_commits()
            self.box.connect()
            for screen in self.screens:
                screen.connect()

    def _one_step(self, acts: list[Callable[[], str]]) -> None:
        self.now_ms += self.dice.choice((0, 0, 50, 200, 700))
        while self._waits and (self._waits[0][0] <= self.now_ms or self._waits[0][2].over):
            self._patience(heapq.heappop(self._waits)[2])
        if self._wire and self._wire[0][0] <= self.now_ms:
            due_ms, _, what, arrive = heapq.heappop(self._wire)
            if self.now_ms - due_ms <= DELAY_MAX_MS:
                arrive()
            else:
                what = f"{what} lost"
        else:
            what = self.dice.choice(acts)()
        self._note_commits()
        self.lines.append(f"{self.step} {self.now_ms - START_MS} {len(self.written_at_ms)} {what}")

    def _note_commits(self) -> None:
        noted = self.written_at_ms
        for seq in range(len(noted) + 1, self.length() + 1):
            noted[seq] = self.now_ms

    def length(self) -> int:
        """Give how many commits are durable."""
        return len(self.store._rows)

    def _acts(self) -> list[tuple[Callable[[], str], int]]:
        return [
            (self._visitor, 24),
            (self._clerk, 60),
            (self._ask_again, 8),
            (self._feeds, 50),
            (lambda: f"printer {self.box.work('printer') if self.box.alive else 'off'}", 14),
            (lambda: f"speaker {self.box.work('speaker') if self.box.alive else 'off'}", 14),
            (self._tick, 4),
            *([(self._look, 30)] if self.shared else []),
            (self._revive, 12),
            (self._break, 5),
            (self._let_time_pass, 1),
            (self._put_clock_right, 1),
        ]

    # what people want

    def _visitor(self) -> str:
        command = c.IssueTicket(
            service=self.dice.choice(PLAN.services).id,
            track=t.Track(f"track-{next(self._numbers)}"),
            priority=t.PriorityId("green") if self.dice.random() < 0.15 else None,
        )
        return self._want(command, t.Actor(kind=t.ActorKind.DEVICE, id="kiosk"))

    def _clerk(self) -> str:
        no = self.dice.choice(PLAN.windows).no
        state = self.leader.hall._now.state
        at = state.windows[no].current if no in state.windows else None
        kinds = (
            ("finish next", "start", "start", "finish", "recall", "missed", "hold", "transfer", "next")
            if at is not None
            else ("next",) * 9 + ("resume", "pause", "unpause", "unpause", "reinstate", "reprint", "cancel", "return")
        )
        return self._want(
            self._command(self.dice.choice(kinds), no), t.Actor(kind=t.ActorKind.PERSON, id=f"clerk-{no}")
        )

    def _command(self, kind: str, no: t.WindowNo) -> c.Command:
        state = self.leader.hall._now.state
        window = state.windows.get(no)
        if state.day_open and window is not None and window.clerk is None:
            return c.OpenWindow(window=no, clerk=t.WorkId(f"clerk-{no}"))
        match kind:
            case "finish next" | "next":
                return c.CallNext(window=no, finish=kind == "finish next")
            case "start":
                return c.StartServing(window=no)
            case "finish":
                return c.Finish(window=no)
            case "recall":
                return c.Recall(window=no)
            case "missed":
                return c.MarkMissed(window=no)
            case "hold":
                return c.Hold(window=no, reason="复印")
            case "return":
                return c.ReturnTicket(window=no)
            case "transfer":
                return c.Transfer(window=no, service=self.dice.choice(PLAN.services).id)
            case "resume":
                return c.Resume(window=no)
            case "pause":
                return c.PauseWindow(window=no, reason=t.PauseReason.TOILET)
            case "unpause":
                return c.ResumeWindow(window=no)
            case _:
                ids = [*state.tickets] or [t.TicketId("20260101-Z999")]
                ticket = self.dice.choice(ids)
                if kind == "reinstate":
                    return c.Reinstate(ticket=ticket)
                return c.Reprint(ticket=ticket) if kind == "reprint" else c.Cancel(ticket=ticket)

    def _want(self, command: c.Command, actor: t.Actor) -> str:
        press = _Press(f"key-{next(self._keys)}", command, actor)
        self.presses.append(press)
        self._ask(press)
        return f"{press.key} {type(command).__name__}"

    def _ask(self, press: _Press) -> None:
        """Send a request to a server, sometimes twice, sometimes to the one that led before."""
        press.left -= 1
        servers = [self.some_server()]
        if self.faulty and self.dice.random() < 0.1:
            servers.append(self.dice.choice(self.alive() or servers))
        for server in servers:
            place = self._note(press, server)
            self.send(f"ask {press.key}", lambda server=server, place=place: self._reach(server, press, place))  # type: ignore[misc]
        heapq.heappush(self._waits, (self.now_ms + ANSWER_WITHIN_MS, next(self._numbers), press))

    def _note(self, press: _Press, server: Server) -> int:
        """Write down that a request is sent; gives its place in the history."""
        f = type(press.command).__name__
        self.history.ops.append(Op(key=press.key, end=End.INFO, f=f, t0=self.step, server=server.name))
        return len(self.history.ops) - 1

    def meanwhile(self, name: str) -> None:
        """Let the other server do something while this one is on its way to the ledger: it will be quicker."""
        others = [it for it in self.alive() if it.name != name]
        if self._is_meanwhile or not others or not self.presses:
            return
        self._is_meanwhile = True
        press = self.dice.choice(self.presses[-6:])
        self._reach(others[0], press, self._note(press, others[0]))
        self._is_meanwhile = False

    def _patience(self, press: _Press) -> None:
        if not press.over and press.left > 0:
            self._ask(press)

    def _ask_again(self) -> str:
        """Somebody presses again although the answer may be on its way, or was given."""
        if not self.presses:
            return "nobody asks again"
        press = self.dice.choice(self.presses[-6:])
        self._ask(press)
        return f"again {press.key}"

    def _reach(self, server: Server, press: _Press, place: int) -> None:
        if not server.alive or server.name in self.cut:
            return
        answer = server.ask(press.command, press.key, press.actor)
        if answer is None:
            return
        told = answer_of(answer) if isinstance(answer, Commit) else None

        def arrive() -> None:
            press.over = True
            op, end = self.history.ops[place], End.FAIL if told is None else End.OK
            self.history.ops[place] = replace(op, end=end, t1=self.step, told=told or {})

        self.send(f"answer {press.key} {told['seq'] if told else getattr(answer, 'code', '')}", arrive)

    # what machines do

    def _feeds(self) -> str:
        servers = self.alive()
        if not servers:
            return "no feeds"
        server = self.dice.choice(servers)
        try:
            if self.dice.random() < 0.5:
                server.screens.refresh()
                return f"screens of {server.name}"
            if not self.shared and server is not self.leader:  # a ledger of one's own is locked: nobody else is there
                self.history.excused.update(range(server.jobs._read_to + 1, self.length() + 1))
            server.jobs.step()
        except LedgerDown:
            return f"feeds of {server.name} wait"
        return f"jobs of {server.name}"

    def _look(self) -> str:
        for server in self.alive():
            try:
                server.look()
            except LedgerDown:
                return f"{server.name} hears nothing"
        return "news"

    def _tick(self) -> str:
        server = self.some_server()
        if server.alive:
            try:
                before = server.hall.seq
                timers.tick([server.hall])
                self.excuse(server, before)
            except (PowerCut, LedgerDoubtful):
                server.die()
                return "tick: died"
        return "tick"

    def _let_time_pass(self) -> str:
        """Minutes, or until shortly before midnight, or until the next morning."""
        kind = self.dice.randrange(5)
        if kind < 3:
            self.now_ms += self.dice.choice((20_000, 40_000, 130_000))
            return "some time"
        into_day = (self.now_ms - START_MS) % DAY_MS
        midnight = 15 * 3_600_000 + 1_800_000  # after 08:30
        until = midnight - 3_000 if kind == 3 else DAY_MS
        self.now_ms += max(0, until - into_day)
        return "midnight is near" if kind == 3 else "morning"

    def _put_clock_right(self) -> str:
        """Somebody sets a server's clock back by an hour, and what was to be said just then is not for a while."""
        name = self.some_server().name
        self.wrong_ms[name] -= 3_600_000
        self.box.state["speaker"] = "gone"
        self.now_ms += 40_000
        return f"clock of {name} is put right"

    # what goes wrong and right

    def _break(self) -> str:
        match self.dice.randrange(9):
            case 0:
                server = self.some_server()
                server.die()
                return f"{server.name} died"
            case 1:
                return self._take_over()
            case 2 | 3:
                ledgers = ("ledger of A", "ledger of B") if self.shared else ()
                whom = self.dice.choice(("A", "B", "box", "board", "side", *ledgers))
                self.cut[whom] = None
                self._drop_lines(whom)
                return f"{whom} cut off"
            case 4:
                self.box.die()
                return "the agent died"
            case 5 | 6:
                device = self.dice.choice(("printer", "speaker"))
                state = self.dice.choice(("gone", "silent", "empty" if device == "printer" else "gone"))
                self.box.state[device] = state
                return f"{device} {state}"
            case _:
                whom = self.dice.choice(("A", "B", "box"))
                by_ms = self.dice.choice((-3_600_000, -5_000, -200, 200, 5_000, 3_600_000))
                self.wrong_ms[whom] += by_ms
                return f"clock of {whom} steps {by_ms}"

    def _take_over(self) -> str:
        """The other server opens the ledger; the one before may live on without knowing it."""
        name = "B" if self.leader.name == "A" else "A"
        if (old := self.servers[name]) is not None:
            old.die()
        if self.dice.random() < 0.4:
            self.leader.die()
        told = self._start_again(name)
        self.leader = self.servers[name] or self.leader
        return f"{name} takes over: {told}"

    def _revive(self) -> str:
        """Mend one thing that is broken; what is not connected connects."""
        if not self.leader.alive:
            if self.dice.random() < 0.5:
                return self._take_over()
            return self._start_again(self.leader.name)
        for name, server in self.servers.items():
            if self.shared and server is not None and not server.alive:
                return self._start_again(name)
        if not self.box.alive:
            self.box.start()
            return "the agent starts"
        connection = self.box.connection
        if connection is None or not self._is_good(connection.server):
            self.box.lose()
            self.box.connect()
            return "the agent connects"
        for screen in self.screens:
            if not self._is_good(screen.server):
                screen.connect()
                return f"{screen.name} connects"
        if self.cut:
            return f"{self.cut.popitem()[0]} reached again"
        for device in self.box.state:
            self.box.state[device] = "ready"
        return "devices mended"

    def _start_again(self, name: str) -> str:
        """Start a server; one that cannot reach a shared ledger does not come up."""
        try:
            server = self._start(name)
        except LedgerDown:
            return f"{name} does not come up"
        if not self.leader.alive or not self.shared:
            self.leader = server
        return f"{name} starts"

    def _is_good(self, server: Server | None) -> bool:
        """Say whether somebody who is connected to this server may stay there."""
        return server is not None and server.alive and (self.shared or server is self.leader)

    def _drop_lines(self, whom: str) -> None:
        connection = self.box.connection
        if whom == "box" or (connection is not None and whom == connection.server.name):
            self.box.lose()
        for screen in self.screens:
            if whom == screen.name or (screen.server is not None and screen.server.name == whom):
                screen.leave()

    def _mend(self) -> None:
        """Everything works again, and somebody takes a number and is called: all must see, hear and hold it."""
        self.faulty = False
        self._wire.clear()
        self.cut.clear()
        self.box.state = dict.fromkeys(self.box.state, "ready")
        for name, server in self.servers.items():
            if server is not None and not server.alive and (self.shared or server is self.leader):
                self._start_again(name)
        if not self.box.alive:
            self.box.start()
        if self.box.connection is None or not self._is_good(self.box.connection.server):
            self.box.lose()
            self.box.connect()
        for screen in self.screens:
            if not self._is_good(screen.server):
                screen.connect()
        self._settle()
        self.now_ms += 200_000  # what was begun is too late now; nothing stands in the way
        self._settle()
        self._want(
            c.IssueTicket(service=PLAN.services[0].id, track=t.Track("last")),
            t.Actor(kind=t.ActorKind.DEVICE, id="kiosk"),
        )
        self._settle()

    def _settle(self) -> None:
        for _ in range(12):
            self.step += 1
            self.now_ms += 500
            while self._wire and self._wire[0][0] <= self.now_ms:
                heapq.heappop(self._wire)[3]()
            for server in self.alive():
                if self.shared:
                    server.look()
                server.jobs.step()
            for device in self.box.state:
                self.box.work(device)
            self._note_commits()
        while self._waits:
            self._patience(heapq.heappop(self._waits)[2])
        self._refresh()
        while self._wire:
            due_ms, _, _, arrive = heapq.heappop(self._wire)
            self.now_ms = max(self.now_ms, due_ms)
            arrive()
        self._note_commits()
        self._refresh()
        self.now_ms += 50
        while self._wire:
            heapq.heappop(self._wire)[3]()

    def _refresh(self) -> None:
        for server in self.alive():
            if self.shared:
                server.look()
            server.screens.refresh()


def counts(world: World) -> Counter[str]:
    """Give how often what happened, to see that a world was not too quiet."""
    return Counter(type(event).__name__ for commit in world.commits for event in commit.events)
