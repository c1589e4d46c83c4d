"""A crowd at several servers of one hall: what clients ask and are told, what the screens of each server see."""

import threading
import time
from collections.abc import Sequence

from server.domain import commands as c
from server.domain.refusals import Refusal
from server.domain.terms import Actor, ActorKind, WindowNo, WorkId
from server.hall import Hall
from server.ledger.base import Commit, LedgerDown, LedgerUnknown, SharedLedger
from tests.checker.history import End, History, Op, Read, answer_of
from tests.checker.judge import judge
from tests.domain.halls import PLAN
from tests.hall.test_hall import HALL, Clock, assert_sound, press
from tests.patience import PATIENCE_S, until

CLIENT = Actor(kind=ActorKind.PERSON, id="clerk-1", source="10.0.0.7")
PAUSE_S = 0.01


class Follower:
    """The screens of one server: told of news, they read every commit, as the feeds do."""

    def __init__(self, name: str, hall: Hall, ledger: SharedLedger) -> None:
        self.name, self.hall, self.ledger, self.seen = name, hall, ledger, [*hall.commits(0, 10_000)]
        self.woken, self.stopped = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=it, daemon=True) for it in (self._listen, self._read)]
        hall.follow(self.woken.set)
        for thread in self.threads:
            thread.start()

    def _listen(self) -> None:
        while not self.stopped.is_set():
            try:
                self.ledger.wait_for_news(self.hall.seq, 0.2)
                self.hall.refresh()
            except LedgerDown:
                self.stopped.wait(0.05)

    def _read(self) -> None:
        while not self.stopped.is_set():
            if self.woken.wait(0.2):
                self.woken.clear()
                try:
                    self.seen += self.hall.commits(self.seen[-1].seq, 1000)
                except LedgerDown:
                    self.woken.set()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)


class Crowd:
    """Clients who press and call, each request at one server after the other until two have answered it.

    While servers say that nothing was written, or that nobody knows, they ask again with the same key.
    """

    def __init__(self, halls: Sequence[Hall], ledgers: Sequence[SharedLedger], clients: int = 6) -> None:
        self.halls = halls
        self.history = History(networked=True)
        self.followers = [
            Follower(f"screen {n}", hall, ledger) for n, (hall, ledger) in enumerate(zip(halls, ledgers, strict=True))
        ]
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(clients)]
        for commit in halls[0].commits(0, 10_000):  # who made the hall ready has asked, too
            if commit.key is not None:
                self.history.ops.append(Op(key=commit.key, end=End.OK, told=answer_of(commit)))
        for thread in self.threads:
            thread.start()

    def answered(self) -> int:
        """Give how many answers there were."""
        return sum(op.end is End.OK for op in list(self.history.ops))

    def go_on(self, answers: int = 60) -> None:
        """Let there be so many more answers."""
        goal = self.answered() + answers
        until(lambda: self.answered() >= goal, f"{answers} more answers")

    def stop(self) -> History:
        """Let everybody have an answer; give what was seen."""
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "somebody has no answer"
        truth = self.truth()
        until(lambda: all(it.seen[-1].seq >= truth[-1].seq for it in self.followers), "all screens show the end")
        for follower in self.followers:
            follower.stop()
            self.history.reads += [
                Read(who=follower.name, server=follower.name, seq=it.seq, hash=it.hash) for it in follower.seen
            ]
        return self.history

    def truth(self) -> list[Commit]:
        """Give what is in the ledger."""
        return list(self.followers[0].ledger.read())

    def _client(self, number: int) -> None:
        turn = 0
        while not self.over.wait(PAUSE_S):
            turn += 1
            key = f"{number}-{turn}"
            window = WindowNo(str(1 + number % 2))
            command: c.Command = c.CallNext(window=window, finish=True) if turn % 4 == 0 else press(key)
            tries = told = 0
            while told < 2:
                tries += 1
                told += self._ask(command, key, f"{number}", self.halls[(number + tries) % len(self.halls)])

    def _ask(self, command: c.Command, key: str, proc: str, hall: Hall) -> int:
        """Ask once; 2 is an end, 1 an answer, 0 none."""
        begun = time.monotonic()

        def note(end: End, commit: Commit | None = None) -> None:
            told = {} if commit is None else answer_of(commit)
            op = Op(key=key, end=end, proc=proc, t0=begun, t1=time.monotonic(), told=told)
            self.history.ops.append(op)

        try:
            commit = hall.handle(command, actor=CLIENT, key=key)
        except Refusal:
            note(End.FAIL)
            return 2
        except LedgerUnknown:
            note(End.INFO)
        except LedgerDown:
            note(End.FAIL)
        else:
            note(End.OK, commit)
            return 1
        self.over.wait(PAUSE_S)
        return 0


class Servers:
    """Servers of one hall, each with a ledger object of its own on the same commits; windows 1 and 2 are open."""

    def __init__(self, ledgers: Sequence[SharedLedger]) -> None:
        self.ledgers = ledgers
        self.halls = [Hall(HALL, ledger, clock=Clock()) for ledger in ledgers]
        first = self.halls[0]
        first.handle(c.PlanHall(plan=PLAN), actor=CLIENT, key="plan")
        for no in ("1", "2"):
            first.handle(c.OpenWindow(window=WindowNo(no), clerk=WorkId(f"clerk-{no}")), actor=CLIENT, key=f"open {no}")
        for hall in self.halls[1:]:
            hall.refresh()

    def crowd(self, clients: int = 6) -> Crowd:
        """Let clients come."""
        return Crowd(self.halls, self.ledgers, clients)

    def check(self, crowd: Crowd) -> list[Commit]:
        """Everybody has an answer, and what they were told and saw is true; give what is in the ledger."""
        history, truth = crowd.stop(), crowd.truth()
        assert [str(it) for it in judge(truth, history)][:5] == []
        for follower in crowd.followers:
            assert follower.seen == truth
        for hall, ledger in zip(self.halls, self.ledgers, strict=True):
            assert_sound(hall, ledger)
        return truth

    def close(self) -> None:
        """Let go of everything."""
        for hall in self.halls:
            hall.close()
