"""Random days: the real hall and the naive one get the same commands and must say and show the same.

After every command: what a refusal changed (nothing), what the order of dictionaries means (nothing), each ticket at
most at one window and each window with at most one ticket, everybody accounted for, numbers dense and unique. In
between, and at the end, the state is forgotten and read again from the stored bytes of the events.
"""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import fields, replace
from random import Random
from typing import TypeVar

import hypothesis.strategies as st
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.domain import commands as c
from server.domain import decide as decide_module
from server.domain import events as e
from server.domain import evolve as evolve_module
from server.domain import routing
from server.domain.refusals import Refusal
from server.domain.state import HallState
from server.domain.terms import (
    Actor,
    ActorKind,
    CallingRule,
    Fairness,
    HallId,
    Label,
    PauseReason,
    Place,
    PriorityId,
    ServiceId,
    Slot,
    TicketId,
    Track,
    WindowNo,
    WorkId,
)
from server.ledger import codec
from server.ledger.base import GENESIS, Commit
from tests.domain.halls import MIN, NINE, PLAN, ms
from tests.domain.naive import CLASSES, DAY_QUOTA, OVER, SERVICES, SLOTS, WINDOWS, ZONES, Naive, Visit

K = TypeVar("K")
V = TypeVar("V")

QUOTA_PLAN = replace(
    PLAN,
    services=tuple(
        replace(
            service,
            day_quota=DAY_QUOTA.get(service.id),
            slots=tuple(Slot(starts=begin, ends=end, quota=quota) for begin, end, quota in SLOTS.get(service.id, ())),
        )
        for service in PLAN.services
    ),
)
FAIRNESS = [(0, 0), (2, 30), (1, 0), (0, 8), (1, 5)]  # ratio, oldest first after minutes
CLERK = Actor(kind=ActorKind.PERSON, id="clerk")
windows = st.sampled_from([*WINDOWS])
services = st.sampled_from([*SERVICES])
maybe_window = st.none() | windows
places = st.sampled_from([it.value for it in Place])

MOVES: dict[str, type[c.TicketMove]] = {
    "recall": c.Recall,
    "start": c.StartServing,
    "finish": c.Finish,
    "missed": c.MarkMissed,
    "no_show": c.MarkNoShow,
    "return": c.ReturnTicket,
    "hold": c.Hold,
}
plans = st.lists(services, min_size=1, max_size=4)


def backwards(dictionary: dict[K, V]) -> dict[K, V]:
    """Give the same dictionary in the opposite order."""
    return dict(reversed(dictionary.items()))


def shuffled(state: HallState) -> HallState:
    """Give an equal state whose look-up tables stand in the opposite order."""
    other = deepcopy(state)
    for name in ("labels", "tracks", "visitors", "numbers", "issued", "lanes", "zones"):
        setattr(other, name, backwards(getattr(other, name)))
    for name in ("serve_s", "no_shows", "paces"):
        setattr(other.learned, name, backwards(getattr(other.learned, name)))
    return other


class Days(RuleBasedStateMachine):
    """One hall, some days."""

    def tell(self, line: str) -> None:
        note(line)

    @initialize(
        closed=st.sets(windows, max_size=2),
        fairness=st.sampled_from(FAIRNESS),
        rule=st.sampled_from([CallingRule.OLDEST_WAITING, *CallingRule]),
    )
    def begin(self, closed: set[str], fairness: tuple[int, int], rule: CallingRule) -> None:
        self.now_ms = ms(NINE)
        ratio, oldest_min = fairness
        self.state, self.model = HallState(), Naive(ratio=ratio, oldest_min=oldest_min, rule=rule)
        self.commits: list[Commit] = []
        self.ids: set[str] = set()
        self.tracks = 0
        guard = Fairness(ratio=ratio, oldest_first_after_min=oldest_min)
        self.do(c.PlanHall(plan=replace(QUOTA_PLAN, fairness=guard, rule=rule)))
        self.do(c.StartDay())
        self.clerks_come([no for no in WINDOWS if no not in closed])

    def clerks_come(self, numbers: Iterable[str]) -> None:
        for no in numbers:
            self.open_window(no, f"clerk-{no}")

    def do(self, command: c.Command) -> list[e.Event] | None:
        """Obey a command; None is a refusal."""
        self.tell(f"{self.now_ms - ms(NINE)} {command if not isinstance(command, c.PlanHall) else 'PlanHall'}")
        self.model.now = self.now_ms
        before = deepcopy(self.state)
        try:
            events = decide_module.decide(self.state, command, now_ms=self.now_ms)
        except Refusal as refusal:
            self.tell(f"  -> {refusal.code}")
            assert self.state == before, "a refusal changed something"
            return None
        assert self.state == before, "deciding changed something"
        assert decide_module.decide(shuffled(self.state), command, now_ms=self.now_ms) == events, (
            "order of a dictionary"
        )
        for event in events:
            evolve_module.evolve(self.state, event, at_ms=self.now_ms)
        last = self.commits[-1] if self.commits else None
        draft = Commit(
            hall=HallId("test"),
            seq=len(self.commits) + 1,
            at_ms=self.now_ms,
            day=self.state.day or "",
            actor=CLERK,
            events=tuple(events),
        )
        self.commits.append(codec.seal(draft, last.hash if last else GENESIS))
        return events

    def label(self, which: int | None) -> str | None:
        """Give the label of one of today's visits."""
        visits = self.model.visits
        return None if which is None or not visits else visits[which % len(visits)].label

    def id(self, which: int | None) -> TicketId | None:
        """Give the id of the same visit."""
        label = self.label(which)
        return self.state.labels[Label(label)] if label else None

    def same(self, events: list[e.Event] | None, expected: object) -> None:
        """Compare a plain answer: both refused, or both spoke of the same ticket."""
        if expected is None or expected is False:
            assert events is None
            return
        assert events is not None
        if isinstance(expected, str):
            assert getattr(events[-1], "label", None) == expected

    def issue(
        self, service: str, priority: str, window: str | None, visitor: str | None, legs: Iterable[str] = ()
    ) -> None:
        self.tracks += 1
        command = c.IssueTicket(
            service=ServiceId(service),
            track=Track(f"t{self.tracks}"),
            priority=PriorityId(priority),
            window=WindowNo(window) if window else None,
            visitor=visitor,
            legs=tuple(ServiceId(it) for it in legs),
        )
        events = self.do(command)
        self.same(events, self.model.issue(service, priority, window, visitor, [*legs]))
        if events and isinstance(events[0], e.TicketIssued):
            assert events[0].ticket not in self.ids, "an id was given twice"
            self.ids.add(events[0].ticket)

    @rule(
        crowd=st.lists(
            st.tuples(services, st.sampled_from([*CLASSES]), st.sampled_from([0, 1, 1000])), min_size=1, max_size=8
        )
    )
    def visitors_come(self, crowd: list[tuple[str, str, int]]) -> None:
        for service, priority, later_ms in crowd:
            self.issue(service, priority, None, None)
            self.now_ms += later_ms

    @rule(
        service=services,
        priority=st.sampled_from([*CLASSES, "vip"]),
        window=maybe_window,
        visitor=st.none() | st.sampled_from(["x", "y"]),
    )
    def a_special_visitor_comes(self, service: str, priority: str, window: str | None, visitor: str | None) -> None:
        self.issue(service, priority, window, visitor)

    @rule(service=services, legs=plans)
    def a_joint_matter_comes(self, service: str, legs: list[str]) -> None:
        self.issue(service, "ordinary", None, None, legs)

    @precondition(lambda self: any(self.model.at(no) for no in WINDOWS))
    @rule(which=st.integers(0, 3), legs=plans)
    def a_clerk_plans_legs(self, which: int, legs: list[str]) -> None:
        visits = [visit for no in WINDOWS if (visit := self.model.at(no))]
        visit = visits[which % len(visits)]
        self.plan_legs(visit.order, legs, visit.window)

    @precondition(lambda self: any(it.window and it.rest for it in self.model.visits))
    @rule(which=st.integers(0, 3), follow=st.none() | services)
    def a_leg_ends(self, which: int, follow: str | None) -> None:
        visits = [it for it in self.model.visits if it.window and it.rest]
        visit = visits[which % len(visits)]
        self.move(visit.window or "", visit.order, "finish", follow)

    @rule(no=windows, finish=st.booleans())
    def call_next(self, no: str, finish: bool) -> None:
        events = self.do(c.CallNext(window=WindowNo(no), finish=finish))
        side = None
        if self.model.rule == "balanced":
            if events is None and self.model.others_free(no):
                return  # may be left to a better placed window
            if events is not None and isinstance(called := events[-1], e.TicketCalled):
                bound = any(it.label == called.label and it.bound == no for it in self.model.visits)
                side = (ZONES[called.service], bound or called.service in self.model.desks[no].serves)
        self.same(events, self.model.call_next(no, finish=finish, side=side))

    @precondition(lambda self: any(self.model.can_call(no) and self.model.queue(no) for no in WINDOWS))
    @rule()
    def every_free_window_calls(self) -> None:
        for no in WINDOWS:
            if self.model.can_call(no):
                self.call_next(no, finish=False)

    @precondition(lambda self: any(self.model.at(no) for no in WINDOWS))
    @rule(moves=st.lists(st.sampled_from([*MOVES, "transfer", "transfer"]), min_size=4, max_size=4), data=st.data())
    def clerks_work(self, moves: list[str], data: st.DataObject) -> None:
        for no, move in zip(WINDOWS, moves, strict=True):
            if move == "transfer" and self.model.at(no):
                self.transfer(no, None, data.draw(st.none() | services), data.draw(maybe_window), data.draw(places))
            elif self.model.at(no):
                self.move(no, None, move)

    @precondition(lambda self: any(self.model.queue_of.values()))
    @rule(which=st.integers(0, 1), data=st.data(), resume=st.booleans())
    def somebody_on_hold_comes_back(self, which: int, resume: bool, data: st.DataObject) -> None:
        no = next(no for no, held in self.model.queue_of.items() if held)
        if resume:
            self.resume(no, None)
        else:
            held = self.model.queue_of[no]
            self.move(no, held[which % len(held)].order, data.draw(st.sampled_from(["finish", "no_show"])))

    @precondition(lambda self: any(it.status == "missed" for it in self.model.visits))
    @rule()
    def who_missed_comes_back(self) -> None:
        visit = next(it for it in self.model.visits if it.status == "missed")
        self.visitor(visit.order, "reinstate")

    @precondition(lambda self: self.model.visits)
    @rule(no=windows, which=st.integers(0, 40), data=st.data())
    def somebody_presses_anything(self, no: str, which: int, data: st.DataObject) -> None:
        others = ["undo", "transfer", "resume", "call", "reinstate", "cancel", "rate", "plan"]
        what = data.draw(st.sampled_from([*MOVES, *others]))
        match what:
            case "plan":
                self.plan_legs(which, data.draw(plans), data.draw(maybe_window))
            case "transfer":
                self.transfer(no, which, data.draw(st.none() | services), data.draw(maybe_window), data.draw(places))
            case "undo":
                self.undo(no, which)
            case "resume":
                self.resume(no, which)
            case "call":
                self.call_ticket(no, which)
            case "rate":
                self.rate(which, data.draw(st.integers(0, 6)))
            case "reinstate" | "cancel":
                self.visitor(which, what)
            case _:
                self.move(no, which, what)

    @rule(
        no=windows,
        data=st.data(),
        what=st.sampled_from(["pause", "unpause", "unpause", "close", "open", "open", "assign"]),
    )
    def somebody_manages(self, no: str, what: str, data: st.DataObject) -> None:
        match what:
            case "open":
                self.open_window(no, data.draw(st.sampled_from([f"clerk-{no}", "clerk-1"])))
            case "assign":
                some = st.lists(services, max_size=3, unique=True)
                self.assign(no, data.draw(some), data.draw(some))
            case _:
                self.window(no, what)

    def call_ticket(self, no: str, which: int) -> None:
        label = self.label(which) or ""
        command = c.CallTicket(window=WindowNo(no), label=Label(label), reason="asked")
        self.same(self.do(command), self.model.call_ticket(no, label))

    def plan_legs(self, which: int, legs: list[str], no: str | None) -> None:
        label, id_ = self.label(which) or "", self.id(which) or TicketId("")
        at = WindowNo(no) if no else None
        command = c.PlanLegs(ticket=id_, services=tuple(ServiceId(it) for it in legs), window=at)
        self.same(self.do(command), self.model.plan(label, legs, no))

    def move(self, no: str, which: int | None, move: str, follow: str | None = None) -> None:
        command: c.Command = MOVES[move](window=WindowNo(no), ticket=self.id(which))
        if follow is not None:
            command = c.Finish(window=WindowNo(no), ticket=self.id(which), next=ServiceId(follow))
        visit = self.model.chosen(no, self.label(which), move)
        serve_ms = self.model.serve_ms(visit) if visit else 0
        events = self.do(command)
        moved = self.model.move(no, self.label(which), move, follow)
        self.same(events, moved.label if moved else None)
        if events and isinstance(events[-1], e.TicketFinished | e.LegFinished):
            assert abs(events[-1].serve_s - serve_ms / 1000) <= 1

    def undo(self, no: str, which: int | None) -> None:
        events = self.do(c.Undo(window=WindowNo(no), ticket=self.id(which)))
        self.same(events, self.model.undo(no, self.label(which)))

    def resume(self, no: str, which: int | None) -> None:
        command = c.Resume(window=WindowNo(no), ticket=self.id(which))
        self.same(self.do(command), self.model.resume(no, self.label(which)))

    def transfer(self, no: str, which: int | None, service: str | None, to: str | None, place: str) -> None:
        command = c.Transfer(
            window=WindowNo(no),
            ticket=self.id(which),
            service=ServiceId(service) if service else None,
            to_window=WindowNo(to) if to else None,
            place=Place(place),
        )
        self.same(self.do(command), self.model.transfer(no, self.label(which), service, to, place))

    def visitor(self, which: int, what: str) -> None:
        label, id_ = self.label(which) or "", self.id(which) or TicketId("")
        if what == "reinstate":
            self.same(self.do(c.Reinstate(ticket=id_)), self.model.reinstate(label))
        else:
            self.same(self.do(c.Cancel(ticket=id_)), self.model.cancel(label))

    def rate(self, which: int, grade: int) -> None:
        label, id_ = self.label(which) or "", self.id(which) or TicketId("")
        self.same(self.do(c.Rate(ticket=id_, grade=grade)), self.model.rate(label, grade))

    def open_window(self, no: str, clerk: str) -> None:
        self.same(self.do(c.OpenWindow(window=WindowNo(no), clerk=WorkId(clerk))), self.model.open_window(no, clerk))

    def window(self, no: str, what: str) -> None:
        match what:
            case "pause":
                command: c.Command = c.PauseWindow(window=WindowNo(no), reason=PauseReason.LUNCH)
                expected = self.model.pause(no)
            case "unpause":
                command, expected = c.ResumeWindow(window=WindowNo(no)), self.model.unpause(no)
            case _:
                command, expected = c.CloseWindow(window=WindowNo(no)), self.model.close_window(no)
        self.same(self.do(command), expected)

    def assign(self, no: str, serves: list[str], relief: list[str]) -> None:
        command = c.AssignServices(
            window=WindowNo(no),
            serves=tuple(ServiceId(it) for it in serves),
            relief=tuple(ServiceId(it) for it in relief),
        )
        self.same(self.do(command), self.model.assign(no, tuple(serves), tuple(relief)))

    @rule(later_ms=st.sampled_from([0, 1, 1000, 30_000, MIN, 5 * MIN, 9 * MIN + 1]))
    def time_passes(self, later_ms: int) -> None:
        self.now_ms += later_ms

    @precondition(lambda self: len(self.model.visits) > 5)
    @rule(close_first=st.booleans(), sure=st.integers(0, 4))
    def night(self, close_first: bool, sure: int) -> None:
        if sure:  # most days go on
            return
        if close_first:
            self.same(self.do(c.CloseDay()), self.model.close_day())
            assert self.do(c.StartDay()) is None
        self.now_ms += 24 * 60 * MIN
        assert self.do(c.StartDay()) is not None
        self.model.new_day()
        self.clerks_come(WINDOWS)

    @rule()
    def restart(self) -> None:
        read: HallState = HallState()
        prev_hash = GENESIS
        for commit in self.commits:
            stored = codec.decode(codec.encode(commit), prev_hash=prev_hash, hash_=commit.hash)
            assert stored == commit
            prev_hash = commit.hash
            for event in stored.events:
                evolve_module.evolve(read, event, at_ms=stored.at_ms)
        assert read == self.state, [
            it.name for it in fields(read) if getattr(read, it.name) != getattr(self.state, it.name)
        ]
        self.state = read

    def teardown(self) -> None:
        if hasattr(self, "commits"):
            self.restart()

    @invariant()
    def both_halls_show_the_same(self) -> None:
        if not hasattr(self, "commits"):
            return
        state, model = self.state, self.model
        assert state.day_open == model.open
        shown = [
            (it.label, it.status.value, it.service, it.priority, it.bound, it.since_ms, it.issued_ms, it.grade)
            for it in state.tickets.values()
        ]
        expected = [
            (it.label, it.status, it.service, it.priority, it.bound, it.since, it.issued, it.grade)
            for it in model.visits
        ]
        assert shown == expected
        assert [(it.label, [*it.legs_planned], it.contact) for it in state.tickets.values()] == [
            (it.label, it.rest, it.leads) for it in model.visits
        ]
        assert [
            [(leg.service, leg.window, leg.finished_ms) for leg in it.legs_done] for it in state.tickets.values()
        ] == [it.done for it in model.visits]
        for no, window in state.windows.items():
            desk, current = model.desks[no], model.at(no)
            assert (window.clerk, window.paused is not None) == (desk.clerk, desk.paused)
            assert (window.serves, window.relief) == (desk.serves, desk.relief)
            assert (state.tickets[window.current].label if window.current else None) == (
                current.label if current else None
            )
            assert [state.tickets[it].label for it in window.held] == [it.label for it in model.queue_of.get(no, [])]
            # C3: in the order of urgency, looked at from every window, not only the one that calls
            order = routing.preview(state, no, self.now_ms, limit=99)
            assert [state.tickets[it.ticket].label for it in order] == [it.label for it in self._queue(no, order)]

    def _queue(self, no: str, shown: list[routing.Choice]) -> list[Visit]:
        """Give the row of the naive hall; under the balanced rule along the zones that the hall found heavier."""
        self.model.now = self.now_ms
        if self.model.rule != "balanced":
            return self.model.queue(no)
        if len(shown) < len(self.model.queue(no)):
            assert self.model.others_free(no), "somebody is left to nobody"
        return self.model.queue(no, [(self.state.tickets[it.ticket].zone, it.home) for it in shown])

    @invariant()
    def everybody_is_in_exactly_one_place(self) -> None:
        if not hasattr(self, "commits"):
            return
        state = self.state
        assert [it for it in state.lanes.values() if not it] == [], "an empty lane is kept"
        places = Counter(spot[2] for lane in state.lanes.values() for spot in lane)
        places.update(window.current for window in state.windows.values() if window.current)
        for window in state.windows.values():
            places.update([*window.held, *window.missed])
        open_ = {it.id for it in state.tickets.values() if it.status.value not in OVER}
        assert set(places) == open_  # C5: issued = waiting + at a window + held + missed + over
        assert set(places.values()) <= {1}  # C2

    @invariant()
    def numbers_are_dense(self) -> None:
        if not hasattr(self, "commits"):
            return
        by_prefix: dict[str, list[int]] = {}
        for ticket in self.state.tickets.values():
            by_prefix.setdefault(ticket.label[0], []).append(ticket.number)
        for numbers in by_prefix.values():
            assert numbers == list(range(1, len(numbers) + 1))  # T1, T2


class SeededDays(Days):
    """The same halls played by a seed: much quicker than hypothesis, nothing is shrunk."""

    def tell(self, line: str) -> None:
        """Keep quiet: a failing seed is played again."""

    def play(self, number: int, steps: int) -> None:
        """Play; every check that hypothesis makes is made after every step."""
        dice = Random(number)
        rule = [*CallingRule][number % len(CallingRule)]
        self.begin({no for no in WINDOWS if dice.random() < 0.1}, dice.choice(FAIRNESS), rule)
        for _ in range(steps):
            self.step(dice)
            self.both_halls_show_the_same()
            self.everybody_is_in_exactly_one_place()
            self.numbers_are_dense()
        self.restart()

    def step(self, dice: Random) -> None:
        """Do one thing, more often what a hall does more often."""
        no, which = dice.choice([*WINDOWS]), dice.randrange(40)
        service, other = dice.choice([*SERVICES]), dice.choice([None, *WINDOWS])
        ripe = {
            status: [it.order for it in self.model.visits if it.status == status]
            for status in ("held", "missed", "finished")
        }
        match dice.choice(STEPS):
            case "issue":
                self.issue(service, dice.choice([*CLASSES]), None, None)
            case "special":
                self.issue(service, dice.choice([*CLASSES, "vip"]), other, dice.choice([None, "x", "y"]))
            case "joint":
                self.issue(service, dice.choice([*CLASSES]), None, None, dice.sample([*SERVICES], dice.randrange(1, 5)))
            case "plan":
                busy = [it for it in WINDOWS if self.model.at(it)]
                visit = self.model.at(dice.choice(busy)) if busy else None
                if visit is not None or self.model.visits:
                    order = visit.order if visit else which
                    self.plan_legs(order, dice.choices([*SERVICES], k=dice.randrange(1, 4)), dice.choice([None, no]))
            case "leg":
                legs = [it for it in self.model.visits if it.window and it.rest]
                if legs:
                    visit = dice.choice(legs)
                    self.move(visit.window or no, visit.order, "finish", dice.choice([None, *SERVICES]))
            case "call":
                self.call_next(no, finish=dice.random() < 0.5)
            case "current":
                busy = [it for it in WINDOWS if self.model.at(it)]
                self.move(dice.choice(busy or [no]), None, dice.choice([*MOVES]))
            case "finish":
                self.move(no, None, "finish")
            case "transfer":
                self.transfer(no, None, dice.choice([None, *SERVICES]), other, dice.choice([*Place]))
            case "undo":
                self.time_passes(dice.choice([0, 1000, 5000, 8000, 8001]))
                slips = [it for it in WINDOWS if self.state.windows[WindowNo(it)].slip]
                self.undo(dice.choice(slips or [no]), dice.choice([None, None, which]))
            case "held" if ripe["held"]:
                visit = self.model.visits[dice.choice(ripe["held"])]
                self.move(visit.window or no, visit.order, dice.choice(["finish", "no_show"]))
            case "resume":
                holding = [it for it in WINDOWS if self.model.queue_of.get(it) and self.model.can_call(it)]
                self.resume(dice.choice(holding or [no]), dice.choice([None, *ripe["held"]]))
            case "missed" if ripe["missed"]:
                self.visitor(dice.choice(ripe["missed"]), "reinstate")
            case "rate" if ripe["finished"]:
                self.rate(dice.choice(ripe["finished"]), dice.randrange(7))
            case "any" if self.model.visits:
                self.move(no, which, dice.choice([*MOVES]))
            case "out of turn" if self.model.visits:
                self.call_ticket(no, which)
            case "visitor" if self.model.visits:
                self.visitor(which, dice.choice(["reinstate", "cancel"]))
            case "manage":
                self.window(no, dice.choice(["pause", "unpause", "close"]))
            case "open":
                self.open_window(no, dice.choice([f"clerk-{no}", "clerk-1"]))
            case "assign":
                some = [*SERVICES]
                self.assign(no, dice.sample(some, dice.randrange(3)), dice.sample(some, dice.randrange(3)))
            case "time":
                self.time_passes(dice.choice([0, 1, 1000, 30_000, MIN, 5 * MIN, 9 * MIN + 1]))
            case "night":
                self.night(close_first=dice.random() < 0.5, sure=dice.randrange(3))
            case "restart":
                self.restart()
            case _:
                pass


STEPS = [
    *("issue",) * 12,
    *("special", "open") * 2,
    *("call", "time", "current") * 8,
    *("finish", "transfer", "manage", "resume", "missed") * 3,
    *("undo",) * 4,
    *("joint", "plan", "leg") * 2,
    *("held", "rate", "any", "out of turn", "visitor", "assign", "night", "restart"),
]
