"""Random days with everything a hall can do: visits away, appointments, cases, hand-overs, paper rolls.

The naive hall knows only the plain visit; what is played here is held against what must be true of any hall after every
command. A refusal changes nothing, the order of dictionaries means nothing, and the ledger gives the same hall again.
"""

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from server.domain import commands as c
from server.domain import decide as decide_module
from server.domain import events as e
from server.domain import evolve as evolve_module
from server.domain import routing
from server.domain import terms as t
from server.domain.lifecycle import AT_WINDOW, FINAL
from server.domain.refusals import Refusal
from server.domain.state import MS_PER_MIN, HallState
from server.ledger import codec
from server.ledger.base import GENESIS, Commit
from tests.domain.halls import PLAN, a_service, a_window
from tests.domain.machine import FAIRNESS
from tests.hall.days import ACTOR, RandomDays

EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KIOSK_QUOTA, SLOT_QUOTA = 5, 2
UNORDERED = ("kiosk_issued", "in_a_row")  # of rolls the first announced is called first
RULES = [t.CallingRule.BALANCED, t.CallingRule.OLDEST_WAITING, t.CallingRule.HOME_FIRST, t.CallingRule.STATIC]
WHOLE_PLAN = replace(
    PLAN,
    services=(
        a_service("general", "A", appointments=SLOT_QUOTA),
        a_service("social", "C", day_quota=40),
        a_service("tax", "B", "tax"),
        a_service("invoice", "B", "tax"),
        a_service("birth", "E", legs=(t.ServiceId("birth"), t.ServiceId("social"), t.ServiceId("tax"))),
        a_service("pickup", "T", kind=t.ServiceKind.PICKUP),
    ),
    windows=(
        a_window("1", "general birth", relief="tax"),
        a_window("2", "general social pickup"),
        a_window("3", "tax invoice", relief="birth"),
        a_window("4", "tax"),
        replace(a_window("5"), staffed=False),
    ),
    hours=(t.OpeningHours(days=EVERY_DAY, opens="08:30", closes="12:00"),),
    calendar=t.Calendar(enforced=True, last_ticket_min=0),
    kiosks=(t.Kiosk(id=t.DeviceId("kiosk-1"), name={"zh": "一号机"}, day_quota=KIOSK_QUOTA),),
    bookings=t.BookingRules(early_min=60, per_day=2),
)


@dataclass(slots=True, kw_only=True)
class WholeDays(RandomDays):
    """The days of one hall, checked after every command."""

    plan: t.HallPlan = WHOLE_PLAN
    over: dict[t.TicketId, t.TicketStatus] = field(default_factory=dict)
    row: Counter[t.ZoneId] = field(default_factory=Counter)
    issued: Counter[t.ZoneId] = field(default_factory=Counter)
    offline: set[t.TicketId] = field(default_factory=set)

    def play(self, *, days: int, steps: int) -> None:
        """Play, and read everything again from the ledger."""
        ratio, oldest_min = FAIRNESS[self.seed % len(FAIRNESS)]
        fairness = t.Fairness(ratio=ratio, oldest_first_after_min=oldest_min)
        self.plan = replace(self.plan, fairness=fairness, rule=RULES[self.seed % len(RULES)])
        super(WholeDays, self).play(days=days, steps=steps)
        self.read_again()

    def do(self, command: c.Command) -> None:
        """Obey a command and look at everything."""
        before = frozen(self.state)
        refusal: Refusal | None = None
        events: list[e.Event] = []
        try:
            events = decide_module.decide(self.state, command, now_ms=self.now_ms)
        except Refusal as no:
            refusal = no
        assert frozen(self.state) == before, "deciding changed something"
        if refusal is not None:
            self.refused[refusal.code] += 1
            assert "{" not in refusal.sentence("zh") + refusal.sentence("en")
            return
        assert events, "a commit of nothing"
        if not isinstance(command, c.CloseDay | c.StartDay):  # these go through every list: in which order is nothing
            other = decide_module.decide(backwards(self.state), command, now_ms=self.now_ms)
            assert other == events, "order of a dictionary"
        for event in events:
            evolve_module.evolve(self.state, event, at_ms=self.now_ms)
            self.done[type(event).__name__] += 1
            self.count(event)
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
        self.look()

    def count(self, event: e.Event) -> None:
        """Keep what the state should have counted, from the events alone."""
        match event:
            case e.DayOpened():
                self.over, self.row, self.issued, self.offline = {}, Counter(), Counter(), set()
            case e.TicketIssued():
                self.issued[event.zone] += 1
                if event.pressed_ms is not None:
                    self.offline.add(event.ticket)
            case e.TicketCalled() if event.why != "chosen":
                long = has_waited_long(self.state, event.ticket, self.now_ms)
                self.row[event.zone] = next_in_row(self.row[event.zone], event.priority, long=long)
            case _:
                pass

    def acts(self) -> list[tuple[Callable[[], c.Command], int]]:
        """Give what may happen: more of what moves the day on than the hall's own random days have."""
        return [
            *super(WholeDays, self).acts(),
            (self.issue, 25),
            (lambda: c.CallNext(window=self.free(), track=self.track()), 30),
            (lambda: c.Finish(window=self.busy()), 10),
            (self.book, 6),
            (lambda: c.CheckIn(track=self.track(), id=self.appointment()), 8),
            (lambda: c.AppealCase(case=self.graded(), by=t.WorkId("clerk-1"), reason="误按", chief=True), 2),
            (lambda: c.DecideAppeal(case=self.graded(), by=t.WorkId("boss"), upheld=self.heads(), note="看录像"), 2),
            (lambda: c.MoveHeld(window=self.holding(), to_window=self.window()), 2),
        ]

    def heads(self) -> bool:
        """Toss a coin."""
        return self.random.random() < 0.5

    def window(self) -> t.WindowNo:
        """Give any window, mostly one at work."""
        at_work = [no for no, window in self.state.windows.items() if window.clerk is not None]
        return (
            self.random.choice(at_work) if at_work and self.random.random() < 0.7 else super(WholeDays, self).window()
        )

    def free(self) -> t.WindowNo:
        """Give a window that may call now, when there is one."""
        free = [no for no in self.state.windows if self.state.window_status(no) is t.WindowStatus.OPEN]
        return self.random.choice(free) if free else self.window()

    def holding(self) -> t.WindowNo:
        """Give a window with a list to move, when there is one."""
        holding = [no for no, window in self.state.windows.items() if window.held or window.missed]
        return self.random.choice(holding) if holding else self.window()

    def graded(self) -> t.CaseId:
        """Give the case of a bad grade, when there is one."""
        graded = [id_ for id_, case in self.state.cases.items() if case.kind is t.CaseKind.RATING]
        return self.random.choice(graded) if graded else t.CaseId("C20260101-001")

    def book(self) -> c.Command:
        """Book, half of the times soon."""
        command = super(WholeDays, self).book()
        assert isinstance(command, c.BookAppointment)
        today = datetime.fromtimestamp(self.now_ms / 1000, self.plan.zone_info).date().isoformat()
        soon = replace(command, day=today, starts=self.random.choice(("09:00", "09:30", "10:00")))
        return soon if self.heads() else command

    def appointment(self) -> t.AppointmentId:
        """Give an appointment, mostly one that may be kept now."""
        hour_ms = 60 * MS_PER_MIN
        now = [it.id for it in self.state.appointments.values() if abs(it.starts_ms - self.now_ms) <= hour_ms]
        return self.random.choice(now) if now and self.heads() else super(WholeDays, self).appointment()

    def issue(self) -> c.Command:
        """Take a number, half of them at a kiosk that may give only so many."""
        command = super(WholeDays, self).issue()
        assert isinstance(command, c.IssueTicket)
        at_kiosk = self.random.random() < 0.5
        return replace(
            command,
            kiosk=t.DeviceId(self.random.choice(("kiosk-1", "kiosk-2"))) if at_kiosk else None,
            channel="kiosk" if at_kiosk else self.random.choice(("guide", "hand")),
            case_number=self.case_number() if self.random.random() < 0.1 else "",
        )

    def look(self) -> None:
        """Check what is true of any hall at any time."""
        state = self.state
        everybody_is_in_exactly_one_place(state)
        windows_and_visitors_agree(state)
        numbers_are_dense_and_known(state)
        for id_, ticket in state.tickets.items():
            assert self.over.get(id_, ticket.status) == ticket.status, "what is over came back"
            if ticket.status in FINAL:
                self.over[id_] = ticket.status
        assert {zone: count for zone, count in state.in_a_row.items() if count} == {
            zone: count for zone, count in self.row.items() if count
        }
        assert {zone: count.issued for zone, count in state.zones.items() if count.issued} == self.issued
        by_kiosk = Counter(it.kiosk for it in state.tickets.values() if it.kiosk is not None)
        assert by_kiosk == state.kiosk_issued
        drawn_without = [
            it
            for it in state.tickets.values()
            if it.kiosk == "kiosk-1" and it.appointment is None and it.id not in self.offline  # that paper is out
        ]
        assert len(drawn_without) <= KIOSK_QUOTA
        appointments_fit_their_slots(state)
        for no in state.windows:
            the_guard_holds(state, no, self.now_ms)

    def read_again(self) -> None:
        """Give the same hall from the stored bytes."""
        read, prev_hash = HallState(), GENESIS
        for commit in self.commits:
            stored = codec.decode(codec.encode(commit), prev_hash=prev_hash, hash_=commit.hash)
            assert stored == commit
            prev_hash = commit.hash
            for event in stored.events:
                evolve_module.evolve(read, event, at_ms=stored.at_ms)
        assert read == self.state, [
            it.name for it in fields(read) if getattr(read, it.name) != getattr(self.state, it.name)
        ]


def frozen(state: HallState) -> bytes:
    """Give everything but the plan, which nothing can change, as bytes: the same state, the same bytes."""
    return pickle.dumps({it.name: getattr(state, it.name) for it in fields(state) if it.name != "plan"})


def backwards(state: HallState) -> HallState:
    """Give an equal state whose look-up tables stand in the opposite order."""
    other = HallState(plan=state.plan, **pickle.loads(frozen(state)))  # our own bytes
    for name in ("labels", "tracks", "visitors", "numbers", "issued", "lanes", "zones", *UNORDERED):
        setattr(other, name, dict(reversed(getattr(other, name).items())))
    for name in ("serve_s", "no_shows", "paces"):
        setattr(other.learned, name, dict(reversed(getattr(other.learned, name).items())))
    return other


def everybody_is_in_exactly_one_place(state: HallState) -> None:
    """Issued = waiting + called + serving + held + missed + away + over; nobody stands in two places."""
    assert [it for it in state.lanes.values() if not it] == [], "an empty lane is kept"
    places = Counter[t.TicketId]()
    for (service, priority, bound), lane in state.lanes.items():
        assert lane == sorted(lane)
        for since_ms, order, id_ in lane:
            ticket = state.tickets[id_]
            assert (ticket.service, ticket.priority, ticket.bound) == (service, priority, bound)
            assert (ticket.since_ms, ticket.order, ticket.status) == (since_ms, order, t.TicketStatus.WAITING)
            assert ticket.window is None
            places[id_] += 1
    for window in state.windows.values():
        lists = {
            t.TicketStatus.HELD: window.held,
            t.TicketStatus.MISSED: window.missed,
            t.TicketStatus.AWAY: window.away,
        }
        for status, ids in lists.items():
            for id_ in ids:
                assert (state.tickets[id_].status, state.tickets[id_].window) == (status, window.no)
            places.update(ids)
        if window.current is not None:
            assert state.tickets[window.current].status in AT_WINDOW
            assert state.tickets[window.current].window == window.no
            places[window.current] += 1
    assert set(places) == {it.id for it in state.tickets.values() if it.status not in FINAL}
    assert set(places.values()) <= {1}
    for ticket in state.tickets.values():
        assert (ticket.away_for is not None) == (ticket.status is t.TicketStatus.AWAY)
        if ticket.status not in FINAL:
            assert ticket.zone == state.plan.service[ticket.service].zone


def windows_and_visitors_agree(state: HallState) -> None:
    """Every clerk is at one window, a closed one has no visitor, nobody sits at an unstaffed one."""
    clerks = [window.clerk for window in state.windows.values() if window.clerk is not None]
    assert len(clerks) == len(set(clerks))
    for no, window in state.windows.items():
        assert window.current is None or window.clerk is not None
        assert window.paused is None or window.clerk is not None
        if window.current is not None:
            assert state.tickets[window.current].clerk == window.clerk
        if not state.plan.window[no].staffed:
            assert (window.clerk, window.current, window.held, window.missed) == (None, None, [], [])


def numbers_are_dense_and_known(state: HallState) -> None:
    """Every series runs from its first number, and only over leased blocks; a roll's from where it was announced."""
    series: dict[str, list[int]] = {}
    told: dict[str, list[int]] = {}
    leased = {(it.prefix, number): it for it in state.leases.values() for number in range(it.first, it.last + 1)}
    assert len(leased) == sum(it.last - it.first + 1 for it in state.leases.values())
    for ticket in state.tickets.values():
        assert state.labels[ticket.label] == ticket.id
        prefix = ticket.label.rstrip("0123456789")
        if (lease := leased.get((prefix, ticket.number))) is not None:
            assert (ticket.kiosk, ticket.channel) == (lease.kiosk, "offline")
            told.setdefault(lease.label, []).append(ticket.number)
        else:
            assert ticket.channel != "offline"
            series.setdefault(prefix, []).append(ticket.number)
    assert {prefix: numbers[-1] for prefix, numbers in series.items()} == state.numbers
    for prefix, numbers in series.items():
        given = [number for number in range(1, numbers[-1] + 1) if (prefix, number) not in leased]
        assert numbers == given
    for lease in state.leases.values():
        numbers = told.get(lease.label, [])
        assert numbers == sorted(set(numbers))
        assert lease.given == (numbers[-1] if numbers else lease.first - 1)
    for prefix, roll in state.rolls.items():
        assert roll.given == state.numbers.get(prefix, 0)
        assert roll.given <= roll.last
    quota = state.plan.service[t.ServiceId("social")].day_quota or 0
    assert len(state.issued.get(t.ServiceId("social"), [])) <= quota


def appointments_fit_their_slots(state: HallState) -> None:
    """No slot is booked beyond its quota; a kept appointment has its ticket, and no two have the same."""
    taken = Counter(
        (it.service, it.starts_ms)
        for it in state.appointments.values()
        if it.status is not t.AppointmentStatus.CANCELLED
    )
    assert all(count <= SLOT_QUOTA for count in taken.values())
    kept = [it.ticket for it in state.appointments.values() if it.status is t.AppointmentStatus.KEPT]
    assert None not in kept
    assert len(kept) == len(set(kept))
    for ticket in state.tickets.values():
        if ticket.appointment is not None:
            assert state.appointments[ticket.appointment].ticket == ticket.id


def next_in_row(row: int, priority: t.PriorityId, *, long: bool) -> int:
    """Count one more call of a zone: priorities in a row, 0 after an ordinary visitor, -1 after one who waited long."""
    if priority == t.ORDINARY:
        return -1 if long else 0
    return max(0, row) + 1


def has_waited_long(state: HallState, id_: t.TicketId, now_ms: int) -> bool:
    """Say whether an ordinary visitor has waited longer than the guard lets priorities go first."""
    minutes = state.plan.fairness.oldest_first_after_min
    return minutes > 0 and now_ms - state.tickets[id_].since_ms > minutes * MS_PER_MIN


def the_guard_holds(state: HallState, no: t.WindowNo, now_ms: int) -> None:
    """The row shown is everybody once, its first is who is called, and no priority stands in it against the guard."""
    window, fairness = state.windows[no], state.plan.fairness
    row = routing.preview(state, no, now_ms, 10_000)
    assert row[:1] == [it for it in [routing.choose(state, no, now_ms)] if it is not None]
    rule = state.plan.rule
    mine = {*window.serves, *(() if rule is t.CallingRule.STATIC else window.relief)}
    may = {
        it.id
        for it in state.tickets.values()
        if it.status is t.TicketStatus.WAITING and (it.bound == no or (it.bound is None and it.service in mine))
    }
    assert len(row) == len({it.ticket for it in row})
    if {it.ticket for it in row} != may:
        assert rule is t.CallingRule.BALANCED, "somebody is left out"
        assert {it.ticket for it in row} < may
        other = routing.left_to(state, no, now_ms)
        assert other is not None, "somebody is left out, and to nobody"
        assert state.window_status(other) is t.WindowStatus.OPEN
    in_a_row = Counter(state.in_a_row)
    for place, choice in enumerate(row):
        ticket = state.tickets[choice.ticket]
        if ticket.priority == t.ORDINARY:
            long = has_waited_long(state, ticket.id, now_ms)
            in_a_row[ticket.zone] = next_in_row(in_a_row[ticket.zone], ticket.priority, long=long)
            continue
        for later in row[place + 1 :]:
            passed = state.tickets[later.ticket]
            if passed.priority != t.ORDINARY or passed.zone != ticket.zone:
                continue
            if fairness.oldest_first_after_min and later.home >= choice.home and in_a_row[ticket.zone] >= 0:
                assert now_ms - passed.since_ms <= fairness.oldest_first_after_min * MS_PER_MIN, "waited too long"
            if fairness.ratio:
                assert in_a_row[ticket.zone] < fairness.ratio, "too many priorities in a row"
        in_a_row[ticket.zone] = next_in_row(in_a_row[ticket.zone], ticket.priority, long=False)
