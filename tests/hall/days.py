"""Random days of any hall, played on the real rules: everybody does something all the time, sensible or not.

Seeded: the same seed and plan give the same commits. What is asked for often refuses, as in a hall.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from server.domain import commands as c
from server.domain import events as e
from server.domain import terms as t
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.ledger import codec
from server.ledger.base import GENESIS, Commit

ACTOR = t.Actor(kind=t.ActorKind.PERSON, id="1001")
START = "2026-03-02T06:00:00"  # a Monday
MIN_MS = 60_000
ITEMS = ("身份证", "户口簿", "授权委托书")


@dataclass(slots=True, kw_only=True)
class RandomDays:
    """A hall whose people act at random; `commits` is its ledger, `refused` counts why the hall said no."""

    plan: t.HallPlan
    seed: int
    state: HallState = field(default_factory=HallState)
    commits: list[Commit] = field(default_factory=list)
    refused: Counter[Code] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    now_ms: int = 0
    random: Random = field(default_factory=Random)
    tracks: int = 0

    def play(self, *, days: int, steps: int) -> None:
        """Play some days in a row, each with so many random commands between opening and closing."""
        self.random.seed(f"{self.plan.hall} {self.seed}")
        start = datetime.fromisoformat(START).replace(tzinfo=self.plan.zone_info)
        self.now_ms = int(start.timestamp() * 1000)
        self.do(c.PlanHall(plan=self.plan))
        for day in range(days):
            begin = start + timedelta(days=day, hours=2, minutes=30)
            self.now_ms = max(self.now_ms, int(begin.timestamp() * 1000))
            self.do(c.StartDay())
            for no in self.plan.window:
                if self.random.random() < 0.8:
                    self.do(c.OpenWindow(window=no, clerk=t.WorkId(f"clerk-{no}")))
            acts = [act for act, weight in self.acts() for _ in range(weight)]
            for _ in range(steps):
                self.now_ms += self.random.choice((0, 1000, 20_000, MIN_MS, 3 * MIN_MS)) // 2
                self.do(self.random.choice(acts)())
            if day % 2 == 0:
                self.do(c.CloseDay())

    def do(self, command: c.Command) -> None:
        """Obey a command as a hall does: decide, write, evolve; a refusal writes nothing."""
        try:
            events = decide(self.state, command, now_ms=self.now_ms)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            return
        for event in events:
            evolve(self.state, event, at_ms=self.now_ms)
            self.done[type(event).__name__] += 1
        head = self.commits[-1].hash if self.commits else GENESIS
        draft = Commit(
            hall=self.plan.hall,
            seq=len(self.commits) + 1,
            at_ms=self.now_ms,
            day=self.state.day or "",
            actor=ACTOR,
            events=tuple(events),
        )
        self.commits.append(codec.seal(draft, head))

    def acts(self) -> list[tuple[Callable[[], c.Command], int]]:
        """Give what may happen, and how often."""
        return [
            (self.issue, 30),
            (lambda: c.CallNext(window=self.window(), finish=self.random.random() < 0.5, track=self.track()), 30),
            (lambda: c.StartServing(window=self.busy()), 12),
            (self.finish, 14),
            (lambda: c.Recall(window=self.busy()), 4),
            (lambda: c.MarkMissed(window=self.busy()), 4),
            (lambda: c.Reinstate(ticket=self.ticket("missed")), 4),
            (lambda: c.MarkNoShow(window=self.busy()), 2),
            (lambda: c.ReturnTicket(window=self.busy()), 2),
            (lambda: c.Hold(window=self.busy(), reason="复印"), 3),
            (lambda: c.Resume(window=self.window()), 3),
            (self.transfer, 4),
            (lambda: c.Cancel(ticket=self.ticket("waiting")), 2),
            (lambda: c.CallTicket(window=self.window(), ticket=self.ticket("waiting"), reason="急事"), 1),
            (lambda: c.PlanLegs(ticket=self.ticket("serving"), services=self.some_services()), 2),
            (lambda: c.Rate(ticket=self.ticket("finished"), grade=self.random.randint(0, 6)), 3),
            (lambda: c.RateAtWindow(window=self.window(), grade=self.random.randint(1, 5)), 2),
            (lambda: c.PauseWindow(window=self.window(), reason=t.PauseReason.TOILET), 2),
            (lambda: c.ResumeWindow(window=self.window()), 3),
            (lambda: c.CloseWindow(window=self.window()), 1),
            (lambda: c.OpenWindow(window=(no := self.window()), clerk=t.WorkId(f"clerk-{no}")), 3),
            (self.assign, 1),
            (lambda: c.Reprint(ticket=self.ticket("waiting")), 1),
        ]

    def window(self) -> t.WindowNo:
        """Give any window."""
        return self.random.choice([*self.plan.window])

    def busy(self) -> t.WindowNo:
        """Give a window with a visitor, when there is one."""
        busy = [no for no, window in self.state.windows.items() if window.current is not None]
        return self.random.choice(busy) if busy else self.window()

    def ticket(self, status: str) -> t.TicketId:
        """Give a ticket of a status, sometimes of another, or one that never was."""
        fit = [id_ for id_, ticket in self.state.tickets.items() if ticket.status == status]
        if fit and self.random.random() < 0.9:
            return self.random.choice(fit)
        return self.random.choice([*self.state.tickets, t.TicketId("20260101-Z999")])

    def service(self) -> t.ServiceId:
        """Give any service."""
        return self.random.choice([*self.plan.service])

    def some_services(self) -> tuple[t.ServiceId, ...]:
        """Give two or three services."""
        return tuple(self.service() for _ in range(self.random.randint(2, 3)))

    def track(self) -> t.Track:
        """Give the token of a new phone page."""
        self.tracks += 1
        return t.Track(f"track-{self.tracks}")

    def issue(self) -> c.Command:
        """Take a number, sometimes with a priority, a window, a visitor, legs."""
        odd = self.random.random()
        return c.IssueTicket(
            service=self.service(),
            track=self.track(),
            priority=self.random.choice([*self.plan.priority]) if odd < 0.2 else None,
            window=self.window() if 0.2 < odd < 0.25 else None,
            visitor=f"visitor-{self.random.randint(1, 40)}" if 0.25 < odd < 0.4 else None,
            legs=self.some_services() if 0.4 < odd < 0.45 else (),
        )

    def finish(self) -> c.Command:
        """Finish at a window, sometimes what it holds."""
        no = self.busy()
        held = self.state.windows[no].held
        return c.Finish(window=no, ticket=self.random.choice(held) if held and self.random.random() < 0.2 else None)

    def transfer(self) -> c.Command:
        """Send a visitor on."""
        return c.Transfer(
            window=self.busy(),
            service=self.service(),
            to_window=self.window() if self.random.random() < 0.2 else None,
            place=self.random.choice([*t.Place]),
        )

    def assign(self) -> c.Command:
        """Let a window serve something else."""
        return c.AssignServices(window=self.window(), serves=self.some_services(), relief=self.some_services())


def kinds(commits: list[Commit]) -> set[type[e.Event]]:
    """Give the kinds of events in a ledger."""
    return {type(event) for commit in commits for event in commit.events}
