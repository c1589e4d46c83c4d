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
            (self.give_notice, 3),
            (lambda: c.AwaitResult(window=self.busy(), case_number=self.case_number()), 3),
            (lambda: c.ReportResult(case_number=self.case_number()), 3),
            (lambda: c.ComeBack(ticket=self.ticket("away")), 3),
            (lambda: c.NoteCaseNumber(ticket=self.ticket("serving"), case_number=self.case_number()), 1),
            (self.book, 5),
            (lambda: c.CancelAppointment(id=self.appointment(), by_staff=True, reason="停电"), 1),
            (lambda: c.CheckIn(track=self.track(), id=self.appointment()), 5),
            (self.open_case, 3),
            (self.go_on_with_case, 6),
            (c.Watch, 1),
            (lambda: c.HandOver(window=self.window(), clerk=self.clerk()), 2),
            (lambda: c.MoveHeld(window=self.window(), to_window=self.window()), 1),
            (lambda: c.LeaveAlone(window=self.window(), idle_s=900), 1),
            (lambda: c.AnnounceRoll(service=self.service(), prefix=self.prefix(), first=1, last=40), 1),
            (lambda: c.TornOff(prefix=self.prefix(), upto=self.random.randint(1, 45), tracks=self.some_tracks()), 2),
            (lambda: c.EndRoll(prefix=self.prefix()), 1),
            (lambda: c.Announce(text={"zh": "请排队"}, minutes=self.random.choice([None, 1, 30])), 1),
            (c.EndAnnouncement, 1),
            (lambda: c.LeaseNumbers(kiosk=self.kiosk(), prefix=self.series(), count=self.random.randint(1, 30)), 1),
            (self.issue_offline, 5),
            (lambda: c.ReturnBlock(lease=self.lease(), kiosk=self.random.choice([None, self.kiosk()])), 1),
        ]

    def kiosk(self) -> t.DeviceId:
        """Give any kiosk."""
        return t.DeviceId(self.random.choice(["kiosk-1", "kiosk-2"]))

    def series(self) -> str:
        """Give the letters of any service."""
        return self.random.choice(self.plan.services).prefix

    def lease(self) -> t.Label:
        """Give a block that was leased today, when there is one."""
        return self.random.choice([*self.state.leases, t.Label("A901")])

    def issue_offline(self) -> c.IssueOffline:
        """Give what a kiosk tells of a number that it gave by itself: most often the next of a block."""
        lease = self.state.leases.get(self.lease())
        services = [it.id for it in self.plan.services if lease is None or it.prefix == lease.prefix]
        number = 901 if lease is None else lease.given + self.random.choice([1, 1, 1, 2, 0])
        return c.IssueOffline(
            kiosk=self.kiosk() if lease is None or self.random.random() < 0.1 else lease.kiosk,
            service=self.random.choice(services),
            number=number,
            day=self.state.day or "",
            pressed_ms=self.now_ms - self.random.randint(-1, 20) * MIN_MS,
            track=self.track(),
        )

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

    def give_notice(self) -> c.Command:
        """Name missing papers; half of the visitors fetch them."""
        items = tuple(self.random.sample(ITEMS, self.random.randint(0, len(ITEMS))))
        return c.GiveNotice(window=self.busy(), items=items, away=self.random.random() < 0.5)

    def case_number(self) -> str:
        """Give the number of a matter, often one that is known."""
        return f"BJ-{self.random.randint(1, 20)}"

    def book(self) -> c.Command:
        """Book a slot of today or one of the next days."""
        day = datetime.fromtimestamp(self.now_ms / 1000, self.plan.zone_info).date()
        bookable = [service.id for service in self.plan.services if service.appointments] or [self.service()]
        self.tracks += 1
        return c.BookAppointment(
            id=t.AppointmentId(f"appointment-{self.tracks}"),
            code=f"{self.random.randint(0, 999_999):06d}",
            service=self.random.choice(bookable),
            day=(day + timedelta(days=self.random.randint(0, 3))).isoformat(),
            starts=f"{self.random.randint(8, 16):02d}:{self.random.choice((0, 30)):02d}",
            visitor=f"visitor-{self.random.randint(1, 40)}",
        )

    def appointment(self) -> t.AppointmentId:
        """Give any appointment, or one that never was."""
        return self.random.choice([*self.state.appointments, t.AppointmentId("nobody's")])

    def clerk(self) -> t.WorkId:
        """Give a clerk, sometimes one who has no window."""
        return t.WorkId(f"clerk-{self.random.choice([*self.plan.window, 'spare'])}")

    def open_case(self) -> c.Command:
        """Take on a matter for somebody, sometimes one of another hall."""
        return c.OpenCase(
            kind=self.random.choice((t.CaseKind.AGENCY, t.CaseKind.VISIT)),
            agent=self.clerk(),
            client="王先生",
            service=self.service(),
            elsewhere=self.random.random() < 0.3,
        )

    def go_on_with_case(self) -> c.Command:
        """Do something with a case, mostly as its own agent."""
        case = self.random.choice([*self.state.cases, t.CaseId("C20260101-001")])
        known = self.state.cases.get(case)
        by = (
            known.agent
            if known is not None and known.agent is not None and self.random.random() < 0.9
            else self.clerk()
        )
        chief = self.random.random() < 0.2
        return self.random.choice(
            (
                c.LogCase(case=case, by=by, note="电话联系", items=ITEMS[:1]),
                c.FinishCase(case=case, by=by, outcome="已办结", chief=chief),
                c.WithdrawCase(case=case, by=by, reason="委托人撤回", chief=chief),
                c.HandOverCase(case=case, by=by, to_hall=t.HallId("elsewhere"), note="非本级事项", chief=chief),
                c.ConfirmHandOver(case=case, to_hall=t.HallId("elsewhere"), their_case=t.CaseId("C20260302-009")),
                c.TakeCase(case=case, agent=self.clerk()),
                c.AppealCase(case=case, by=by, reason="误按", chief=chief),
                c.DecideAppeal(case=case, by=by, upheld=self.random.random() < 0.5, note="查看录像"),
                c.ReceiveCase(
                    from_hall=t.HallId("village"),
                    from_case=t.CaseId(f"C20260302-{self.tracks:03d}"),
                    kind=t.CaseKind.AGENCY,
                ),
            )
        )

    def prefix(self) -> str:
        """Give the letters of a roll, sometimes those of a service."""
        return self.random.choice(("X", "Z", "YZ", self.plan.services[0].prefix))

    def some_tracks(self) -> tuple[t.Track, ...]:
        """Give tokens for a report of a roll."""
        return tuple(self.track() for _ in range(45))


def kinds(commits: list[Commit]) -> set[type[e.Event]]:
    """Give the kinds of events in a ledger."""
    return {type(event) for commit in commits for event in commit.events}
