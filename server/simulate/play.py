"""A day happens: the server's own `decide` and `evolve` behind a virtual clock, until nobody waits any more.

Windows call whenever they are free and somebody waits whom they may call; the one idle longest asks first. Whose shift
ends finishes the visitor and leaves; at the end of the day everybody stays until nobody is left, and before a break of
the whole zone for a while (`Day.stays_ms`).
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from typing import assert_never

from server.domain import calendar, rebalance, routing
from server.domain import commands as c
from server.domain import events as e
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Refusal
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    APPOINTMENT,
    AppointmentId,
    HallPlan,
    PriorityId,
    ServiceId,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    WorkId,
    ZoneId,
)
from server.simulate.visits import MIN, Assigned, Day, Ends, Stay, Visit

OVERTIME_MS = 360 * MIN  # after that whoever still waits is left over
COLD_AFTER_MS = 10 * MIN  # a window is cold that is idle while somebody has waited so long
LAST_HOURS_MS = 240 * MIN  # nobody is foretold more than that
PAPERS = ("simulated",)
LOOKS_EVERY_MS, CLICKS_LATE_MS = 5 * MIN, 5 * MIN  # a manager who looks at the suggestions
AUTOMATIC, BY_HAND = "automatic", "manual"  # `BalanceLimits.mode`
NOBODY = WorkId("simulated")


class Suggestions(StrEnum):
    """What becomes of what the hall suggests (`server.domain.rebalance`)."""

    OFF = "off"
    MANUAL = "manual"  # a manager looks now and then, and clicks some minutes later
    AUTOMATIC = "automatic"  # the hall does it by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One wait for a window. `waited_ms` of who was never called: until the hall gave up; of who left: until then."""

    service: ServiceId
    zone: ZoneId
    priority: PriorityId
    joined_ms: int
    waited_ms: int
    window: WindowNo | None  # None: never called
    told: tuple[float, float, float] | None = None  # minutes foretold with the number: half wait less; four of five so


@dataclass(slots=True, kw_only=True)
class Desk:
    """What a window did: ms open and ms taken by visitors."""

    open_ms: int = 0
    busy_ms: int = 0
    served: int = 0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a day."""

    day: str
    waits: list[Wait] = field(default_factory=list)
    desks: dict[WindowNo, Desk] = field(default_factory=dict)
    visitors: int = 0  # who got a number
    no_shows: int = 0
    turned_away: int = 0  # who got no number: closed, quota
    gave_up: int = 0  # who left before being called
    left_over: int = 0  # who was never called
    minutes: int = 0  # looked at
    cold: int = 0  # of them: a window idle while somebody has waited long
    switched: int = 0  # suggestions that were applied
    overtime_ms: int = 0  # from the end of the last shift until the last visitor was done


def morning(plan: HallPlan, day: str) -> HallState:
    """Give a hall that knows only its file, on the morning of a day (ISO)."""
    state = HallState()
    begin(state, plan, day)
    return state


def begin(state: HallState, plan: HallPlan, day: str) -> None:
    """Let a hall take over a plan and begin a business day; what was left of the day before is closed first."""
    at_ms = calendar.midnight_ms(plan, date.fromisoformat(day)) + plan.day_starts_min * MIN
    if state.day is None:
        _do(state, c.PlanHall(plan=plan), at_ms)
        _do(state, c.StartDay(), at_ms)
        return
    if state.day < day:  # first, since a plan cannot be changed under somebody who waits
        _do(state, c.StartDay(), at_ms)
    if state.plan != plan:
        _do(state, c.PlanHall(plan=plan), at_ms)
        for window in plan.windows:  # what a manager has assigned live is not what is tried
            state.windows[window.no].serves, state.windows[window.no].relief = window.serves, window.relief


def play(state: HallState, day: Day, *, foretell: bool = False, suggestions: Suggestions | None = None) -> Outcome:
    """Play a day in a hall that has begun it; its state goes on with what it has learned.

    `foretell`: tell every visitor how long it will take, too; nothing but the end of the numbers depends on it.
    `suggestions`: None as the hall has it.
    """
    run = _Run(state, day, foretell=foretell, suggestions=suggestions)
    run.play()
    return run.outcome


def _do(state: HallState, command: c.Command, at_ms: int) -> list[e.Event]:
    events = decide(state, command, now_ms=at_ms)
    for event in events:
        evolve(state, event, at_ms=at_ms)
    return events


# The order of what happens at the same time.
_ASSIGNED, _FREE, _ENDS, _BEGINS, _READY, _ARRIVES, _BACK, _LEAVES, _STARTS, _MINUTE = range(10)


@dataclass(slots=True, kw_only=True)
class _Visitor:
    visit: Visit
    ticket: TicketId
    stay: int = 0
    joined_ms: int = 0
    told: tuple[float, float, float] | None = None
    counts: bool = True  # the wait that goes on is one of its own, not the rest of one


@dataclass(slots=True, kw_only=True)
class _Clerk:
    """A window while the day is played."""

    last_ms: int  # when the last shift ends
    is_open: bool = False
    is_off: bool = False  # the shift has ended
    stays_ms: int = 0  # how long it goes on all the same while it is needed
    idle_ms: int = 0  # since when
    opened_ms: int = 0
    zone: ZoneId | None = None  # of the visitor before


class _Run:
    """The state of a day that is being played. Times are ms after midnight; the hall gets Unix ms."""

    def __init__(self, state: HallState, day: Day, *, foretell: bool, suggestions: Suggestions | None) -> None:
        self.state, self.day, self.plan, self.foretell = state, day, state.plan, foretell
        self.suggestions = suggestions
        self.clicks: list[tuple[int, str]] = []  # when a manager will apply which suggestion
        self.midnight_ms = calendar.midnight_ms(self.plan, date.fromisoformat(day.day))
        self.outcome = Outcome(day=day.day)
        self.visitors: dict[TicketId, _Visitor] = {}
        shifts = {no: spans for no, spans in day.shifts.items() if no in state.windows and spans}
        self.clerks = {no: _Clerk(last_ms=spans[-1][1]) for no, spans in shifts.items()}
        self.outcome.desks = {no: Desk() for no in shifts}
        self.queue: list[tuple[int, int, int, object]] = []
        self.order = count()
        self.closes_ms = max((clerk.last_ms for clerk in self.clerks.values()), default=0)
        self.numbers = count(1)
        self.last_ms = 0
        for no, spans in shifts.items():
            for from_ms, until_ms in spans:
                self._plan(from_ms, _BEGINS, no)
                self._plan(until_ms, _ENDS, no)
        for visit in day.visits:
            self._plan(visit.at_ms, _ARRIVES, visit)
        for assigned in day.assigned:
            self._plan(assigned.at_ms, _ASSIGNED, assigned)

    def play(self) -> None:
        self._book()
        self._set_limits()
        if self.clerks:
            first = min(spans[0][0] for spans in self.day.shifts.values() if spans)
            self._plan(first // MIN * MIN + MIN, _MINUTE, None)
        while self.queue:
            at_ms, kind, _, what = heappop(self.queue)
            self._happen(kind, what, at_ms)
        self._end()

    def _happen(self, kind: int, what: object, at_ms: int) -> None:
        match what:
            case Visit():
                self._arrive(what, at_ms)
            case _Visitor() if kind == _BACK:
                self._back(what, at_ms)
            case _Visitor() if kind == _LEAVES:
                self._give_up(what, at_ms)
            case _Visitor():
                self._start(what, at_ms)
            case Assigned():
                self._assign(what, at_ms)
            case None:
                self._minute(at_ms)
            case _ if kind == _FREE:
                self._free(WindowNo(str(what)), at_ms)
            case _ if kind == _BEGINS:
                self._open(WindowNo(str(what)), at_ms)
            case _ if kind == _READY:
                self._ask(WindowNo(str(what)), at_ms)
            case _:
                self._shift_ends(WindowNo(str(what)), at_ms)

    def _plan(self, at_ms: int, kind: int, what: object) -> None:
        heappush(self.queue, (at_ms, kind, next(self.order), what))

    def _do(self, command: c.Command, at_ms: int) -> list[e.Event]:
        return _do(self.state, command, self.midnight_ms + at_ms)

    # ------------------------------------------------------------------------------------------------------- visitors

    def _book(self) -> None:
        """Let the appointments of the day be there, as booked before."""
        for number, visit in enumerate(self.day.visits):
            if visit.slot is None:
                continue
            booked = e.AppointmentBooked(
                id=_booking(number),
                code=f"{number:06d}",
                service=visit.stays[0].service,
                day=self.day.day,
                starts_ms=self.midnight_ms + visit.slot[0],
                ends_ms=self.midnight_ms + visit.slot[1],
                visitor=None,
                channel="simulated",
                external=None,
            )
            evolve(self.state, booked, at_ms=self.state.last_ms)
        self.bookings = {id(visit): _booking(number) for number, visit in enumerate(self.day.visits) if visit.slot}

    def _arrive(self, visit: Visit, at_ms: int) -> None:
        track = Track(f"simulated-{next(self.numbers)}")
        service = visit.stays[0].service
        booking = self.bookings.get(id(visit))
        bound = visit.bound if visit.bound in self.clerks else None
        ordinary = visit.priority if visit.priority in self.plan.priority and visit.priority != APPOINTMENT else None
        foretell = self.foretell or self._decides_last_ticket(service, at_ms)
        issue: c.Command = (
            c.CheckIn(track=track, id=booking, foretell=foretell)
            if booking is not None
            else c.IssueTicket(service=service, track=track, priority=ordinary, window=bound, foretell=foretell)
        )
        try:
            events = self._do(issue, at_ms)
        except Refusal:
            self.outcome.turned_away += 1
            return
        self.outcome.visitors += 1
        ticket = self.state.tickets[self.state.tracks[track]]
        visitor = _Visitor(visit=visit, ticket=ticket.id, joined_ms=at_ms, told=_told(events))
        self.visitors[ticket.id] = visitor
        if visit.gives_up_ms is not None:
            self._plan(max(at_ms, visit.gives_up_ms), _LEAVES, visitor)
        self._offer(ticket.service, at_ms)

    def _decides_last_ticket(self, service: ServiceId, at_ms: int) -> bool:
        """Say whether a number may be refused because its holder could not be served before closing."""
        if self.plan.calendar.last_ticket_min is not None:
            return False
        left_ms = calendar.open_left_ms(self.plan, service, self.midnight_ms + at_ms)
        return left_ms is not None and left_ms < LAST_HOURS_MS

    def _give_up(self, visitor: _Visitor, at_ms: int) -> None:
        ticket = self.state.tickets[visitor.ticket]
        if ticket.status is TicketStatus.WAITING:
            self._waited(visitor, ticket, at_ms, None)
            self._do(c.Cancel(ticket=ticket.id), at_ms)
            self.outcome.gave_up += 1

    def _back(self, visitor: _Visitor, at_ms: int) -> None:
        """Somebody who was away waits again: missed, with the papers, or the result is ready."""
        ticket = self.state.tickets[visitor.ticket]
        stay = visitor.visit.stays[visitor.stay - 1]
        try:
            match stay.ends:
                case Ends.MISSED:
                    self._do(c.Reinstate(ticket=ticket.id), at_ms)
                case Ends.PAPERS:
                    self._do(c.ComeBack(ticket=ticket.id), at_ms)
                case Ends.RESULT:
                    self._do(c.ReportResult(case_number=ticket.case_number, ticket=ticket.id), at_ms)
                case Ends.DONE | Ends.NO_SHOW:
                    return
                case _:
                    assert_never(stay.ends)
        except Refusal:  # the rules of what is tried do not take back: the visit is over
            return
        visitor.joined_ms, visitor.counts = at_ms, stay.ends is Ends.RESULT
        self._offer(ticket.service, at_ms)

    def _waited(self, visitor: _Visitor, ticket: Ticket, at_ms: int, window: WindowNo | None) -> None:
        if not visitor.counts:
            return
        self.outcome.waits.append(
            Wait(
                service=ticket.service,
                zone=ticket.zone,
                priority=ticket.priority,
                joined_ms=visitor.joined_ms,
                waited_ms=at_ms - visitor.joined_ms,
                window=window,
                told=visitor.told,
            )
        )
        visitor.told, visitor.counts = None, False

    # -------------------------------------------------------------------------------------------------------- windows

    def _open(self, no: WindowNo, at_ms: int) -> None:
        clerk = self.clerks[no]
        clerk.is_off = False
        if not clerk.is_open:
            try:
                self._do(c.OpenWindow(window=no, clerk=self._clerk(no), several=True), at_ms)
            except Refusal:  # not staffed by the plan of what is tried
                return
            clerk.is_open, clerk.opened_ms, clerk.idle_ms = True, at_ms, at_ms
        self._ask(no, at_ms)

    def _clerk(self, no: WindowNo) -> WorkId:
        return self.day.clerks.get(no, WorkId(f"simulated-{no}"))

    def _assign(self, it: Assigned, at_ms: int) -> None:
        if it.window in self.state.windows:
            self._do(c.AssignServices(window=it.window, serves=it.serves, relief=it.relief), at_ms)
            if it.window in self.clerks:
                self._ask(it.window, at_ms)

    def _shift_ends(self, no: WindowNo, at_ms: int) -> None:
        clerk = self.clerks[no]
        clerk.is_off = True
        if at_ms >= clerk.last_ms:
            clerk.stays_ms = self.closes_ms + OVERTIME_MS
        elif self._is_break(no, at_ms):
            clerk.stays_ms = at_ms + self.day.stays_ms
        else:
            clerk.stays_ms = at_ms
        self._leave(no, at_ms)

    def _is_break(self, no: WindowNo, at_ms: int) -> bool:
        """Say whether nobody of a window's zone goes on: it is no turn of lunch, they all leave."""
        zone = self.plan.window[no].zone
        return not any(
            from_ms <= at_ms < until_ms
            for other, spans in self.day.shifts.items()
            if other in self.plan.window and self.plan.window[other].zone == zone
            for from_ms, until_ms in spans
        )

    def _leave(self, no: WindowNo, at_ms: int) -> None:
        """Let a window go whose shift has ended, unless it still has a visitor or is needed."""
        clerk = self.clerks[no]
        busy = self.state.windows[no].current is not None
        if clerk.is_open and clerk.is_off and not busy and not self._is_needed(no, at_ms):
            self._close(no, at_ms)

    def _is_needed(self, no: WindowNo, at_ms: int) -> bool:
        """Say whether somebody still needs a window whose shift has ended: who waits there, or at the end may yet."""
        clerk = self.clerks[no]
        if at_ms >= clerk.stays_ms:
            return False
        if routing.waiting_for(self.state, no)[0]:
            return True
        busy = any(window.current is not None for window in self.state.windows.values())
        return at_ms >= self.closes_ms == clerk.last_ms and (busy or bool(self.state.lanes))

    def _close(self, no: WindowNo, at_ms: int) -> None:
        clerk, desk = self.clerks[no], self.outcome.desks[no]
        self._do(c.CloseWindow(window=no), at_ms)
        clerk.is_open = False
        worked_until = max(clerk.idle_ms, clerk.last_ms)  # to stay for others who work longer is not idleness
        desk.open_ms += max(0, min(at_ms, worked_until) - clerk.opened_ms)

    def _offer(self, service: ServiceId, at_ms: int) -> None:
        """Let the idle windows that may serve a service ask, the one idle longest first, until nobody waits for it."""
        windows = self.state.windows
        idle = [
            no
            for no, clerk in self.clerks.items()
            if clerk.is_open
            and windows[no].current is None
            and clerk.idle_ms <= at_ms
            and (service in windows[no].serves or service in windows[no].relief)
        ]
        for no in sorted(idle, key=lambda no: self.clerks[no].idle_ms):
            if not self.state.waiting(service):
                return
            self._ask(no, at_ms)

    def _ask(self, no: WindowNo, at_ms: int) -> None:
        clerk, window = self.clerks[no], self.state.windows[no]
        if not clerk.is_open or window.current is not None or clerk.idle_ms > at_ms or not self.state.lanes:
            return
        try:
            self._do(c.CallNext(window=no), at_ms)
        except Refusal:  # nobody is to be called here now
            return
        if window.current is None:
            return
        ticket = self.state.tickets[window.current]
        visitor = self.visitors[ticket.id]
        self._waited(visitor, ticket, at_ms, no)
        stay = self._stay(visitor, ticket)
        taken_ms = self._taken_ms(no, stay, ticket)
        self.outcome.desks[no].busy_ms += taken_ms
        if 0 < stay.walk_ms < taken_ms:
            self._plan(at_ms + stay.walk_ms, _STARTS, visitor)
        self._plan(at_ms + taken_ms, _FREE, no)

    def _stay(self, visitor: _Visitor, ticket: Ticket) -> Stay:
        """Give what the visitor does at the window; a leg that nobody foresaw takes the typed-in minutes."""
        if visitor.stay < len(visitor.visit.stays):
            return visitor.visit.stays[visitor.stay]
        return Stay(service=ticket.service, work_ms=round(self.plan.service[ticket.service].minutes_typical * MIN))

    def _taken_ms(self, no: WindowNo, stay: Stay, ticket: Ticket) -> int:
        """Give how long a window is taken; who does not come costs the same everywhere."""
        if stay.ends in (Ends.NO_SHOW, Ends.MISSED):
            return stay.work_ms
        clerk, day = self.clerks[no], self.day
        away = day.away_factor if ticket.zone != self.plan.window[no].zone else 1.0
        change_ms = day.change_ms if clerk.zone not in (None, ticket.zone) else 0
        clerk.zone = ticket.zone
        return max(1, round(stay.work_ms * day.slowness.get(no, 1.0) * away) + change_ms)

    def _start(self, visitor: _Visitor, at_ms: int) -> None:
        ticket = self.state.tickets[visitor.ticket]
        if ticket.status is TicketStatus.CALLED and ticket.window is not None:
            self._do(c.StartServing(window=ticket.window), at_ms)

    def _free(self, no: WindowNo, at_ms: int) -> None:
        clerk = self.clerks[no]
        current = self.state.windows[no].current
        assert current is not None
        visitor, ticket = self.visitors[current], self.state.tickets[current]
        stay = self._stay(visitor, ticket)
        visitor.stay += 1
        following = visitor.visit.stays[visitor.stay] if visitor.stay < len(visitor.visit.stays) else None
        self._finish(no, visitor, stay, following, at_ms)
        self.last_ms = at_ms
        clerk.idle_ms = at_ms + self.day.pause_ms
        self._leave(no, at_ms)
        if self.day.pause_ms:
            self._plan(clerk.idle_ms, _READY, no)
        else:
            self._ask(no, at_ms)
        if ticket.status is TicketStatus.WAITING:
            self._offer(ticket.service, at_ms)

    def _finish(self, no: WindowNo, visitor: _Visitor, stay: Stay, following: Stay | None, at_ms: int) -> None:
        ticket = self.state.tickets[visitor.ticket]
        match stay.ends:
            case Ends.NO_SHOW:
                self.outcome.no_shows += 1
                self._do(c.MarkNoShow(window=no), at_ms)
                return
            case Ends.MISSED:
                self.outcome.no_shows += following is None
                self._do(c.MarkMissed(window=no), at_ms)
            case Ends.PAPERS if following is not None:
                self._do(c.GiveNotice(window=no, items=PAPERS, away=True), at_ms)
            case Ends.RESULT if following is not None:
                number = f"simulated-{ticket.id}"
                self._do(c.AwaitResult(window=no, pickup=following.service, case_number=number), at_ms)
            case _:
                self.outcome.desks[no].served += 1
                self._go_on(no, ticket, following, at_ms)
                visitor.joined_ms, visitor.counts = at_ms, True
                return
        if following is not None:
            self._plan(at_ms + max(1, stay.pause_ms), _BACK, visitor)

    def _go_on(self, no: WindowNo, ticket: Ticket, following: Stay | None, at_ms: int) -> None:
        """Finish a visit, or its leg, or send it on to a service that nobody had planned."""
        if following is None or following.service in ticket.legs_planned:
            planned = following.service if following is not None else None
            self._do(c.Finish(window=no, next=planned), at_ms)
        elif following.service == ticket.service:  # to a window beside this one: it waits here again
            self._do(c.ReturnTicket(window=no), at_ms)
        else:
            self._do(c.Transfer(window=no, service=following.service), at_ms)

    # ----------------------------------------------------------------------------------------------------- the minutes

    def _minute(self, at_ms: int) -> None:
        """Let idle windows ask again, and see whether it is over."""
        idle = [
            no
            for no, clerk in self.clerks.items()
            if clerk.is_open and self.state.windows[no].current is None and clerk.idle_ms <= at_ms
        ]
        if at_ms <= self.closes_ms:
            self.outcome.minutes += 1
            self.outcome.cold += bool(idle) and self._somebody_waits_long(at_ms)
        self._balance(at_ms)
        for no in sorted(idle, key=lambda no: self.clerks[no].idle_ms):
            self._ask(no, at_ms)
        for no in self.clerks:
            self._leave(no, at_ms)
        if any(clerk.is_open for clerk in self.clerks.values()) or at_ms < self.closes_ms:
            self._plan(at_ms + MIN, _MINUTE, None)

    def _set_limits(self) -> None:
        """Let the hall apply suggestions by itself, or not."""
        limits = self.state.balancing.limits
        if self.suggestions is not None:
            mode = AUTOMATIC if self.suggestions is Suggestions.AUTOMATIC else BY_HAND
            if mode != limits.mode:
                self._do(c.SetBalanceLimits(limits=replace(limits, mode=mode), by=NOBODY), 0)
        self.looks_around = self.state.balancing.limits.mode == AUTOMATIC or any(it.tides for it in self.plan.windows)

    def _balance(self, at_ms: int) -> None:
        """Let the clock and the manager look at the hall."""
        if self.looks_around:
            with suppress(Refusal):  # nothing is due
                events = self._do(c.LookAround(), at_ms)
                self.outcome.switched += sum(isinstance(it, e.BalanceApplied) for it in events)
        if self.suggestions is not Suggestions.MANUAL or at_ms > self.closes_ms:
            return
        for click in [it for it in self.clicks if it[0] <= at_ms]:
            self.clicks.remove(click)
            with suppress(Refusal):  # it stands no longer
                self._do(c.ApplySuggestion(suggestion=click[1], by=NOBODY), at_ms)
                self.outcome.switched += 1
        if at_ms % LOOKS_EVERY_MS == 0 and not self.clicks:
            named = rebalance.suggestions(self.state, self.midnight_ms + at_ms)
            self.clicks = [(at_ms + CLICKS_LATE_MS, name) for name, _ in named]

    def _somebody_waits_long(self, at_ms: int) -> bool:
        long_ago_ms = self.midnight_ms + at_ms - COLD_AFTER_MS
        heads = (lane[0][2] for lane in self.state.lanes.values())  # joined first
        return any(self.state.tickets[head].joined_ms < long_ago_ms for head in heads)

    def _end(self) -> None:
        for visitor in self.visitors.values():
            ticket = self.state.tickets[visitor.ticket]
            if ticket.status is TicketStatus.WAITING:
                self.outcome.left_over += 1
                self._waited(visitor, ticket, max(self.closes_ms, visitor.joined_ms), None)
        self.outcome.overtime_ms = max(0, self.last_ms - self.closes_ms)


def _booking(number: int) -> AppointmentId:
    return AppointmentId(f"simulated-{number}")


def _told(events: list[e.Event]) -> tuple[float, float, float] | None:
    return next((told_of(event) for event in events if isinstance(event, e.TicketIssued)), None)


def told_of(event: e.TicketIssued) -> tuple[float, float, float] | None:
    """Give what a visitor was told, in minutes: half wait less, four of five between these."""
    if event.eta_p50_s is None or event.eta_p80_s is None:
        return None
    high_s = event.eta_high_s if event.eta_high_s is not None else event.eta_p80_s
    return event.eta_p50_s / 60, (event.eta_low_s or 0) / 60, high_s / 60
