"""Who worked where and when, and what was done there: attendance and work, from events alone.

Everything is counted once, for a clerk at a window (and a service). Figures of clerks, windows, departments, services
and tenants are sums of these same counts, so they add up, and days add up to months.

A visit belongs to who ends it there; time at the window belongs to who sat there, also when a window changes hands in
the middle of a visit. Who forgot to sign off and is signed off by the next morning was there until the last thing that
happened at the window.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Set
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from server.domain import events as e
from server.domain.terms import HallPlan, PauseReason, ServiceId, TicketId, WindowNo, WorkId, business_day
from server.projections.spread import Spread, rate, spread_of

SATISFIED_FROM = 3
NOBODY = WorkId("")  # something happened at a window at which nobody had worked that day
NO_SERVICE = ServiceId("")


@dataclass(slots=True)
class Duty:
    """Time of a clerk at a window, in milliseconds; how often the window was left alone."""

    signed_on_ms: int = 0
    paused_ms: Counter[PauseReason] = field(default_factory=Counter)
    left_alone: int = 0

    def add(self, other: "Duty") -> None:
        """Add another duty to this one."""
        self.signed_on_ms += other.signed_on_ms
        self.paused_ms += other.paused_ms
        self.left_alone += other.left_alone


@dataclass(slots=True)
class Done:
    """What a clerk did at a window for a service. `serves`: {seconds: how often}; `grades`: {1..5: how often}."""

    called: int = 0
    finished: int = 0
    legs: int = 0
    no_shows: int = 0
    serving_ms: int = 0
    serves: Counter[int] = field(default_factory=Counter)
    grades: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Done") -> None:
        """Add other work to this."""
        self.called += other.called
        self.finished += other.finished
        self.legs += other.legs
        self.no_shows += other.no_shows
        self.serving_ms += other.serving_ms
        self.serves += other.serves
        self.grades += other.grades


@dataclass(slots=True)
class Attendance:
    """A clerk's day: first sign-on and last sign-off (Unix ms). `signed_off` is False for who never did."""

    first_ms: int
    last_ms: int
    signed_on_ms: int = 0
    paused_ms: Counter[PauseReason] = field(default_factory=Counter)
    signed_off: bool = True
    windows: list[WindowNo] = field(default_factory=list)


Seat = tuple[WorkId, WindowNo]
Task = tuple[WorkId, WindowNo, ServiceId]


@dataclass(slots=True)
class Work:
    """The counts of some days. `days` is by clerk and business day; `rated` are the grades by visit, to be struck."""

    duties: dict[Seat, Duty] = field(default_factory=lambda: defaultdict(Duty))
    done: dict[Task, Done] = field(default_factory=lambda: defaultdict(Done))
    days: dict[WorkId, dict[str, Attendance]] = field(default_factory=lambda: defaultdict(dict))
    rated: list[tuple[TicketId, Task, int]] = field(default_factory=list)

    def add(self, other: "Work", *, struck: Set[TicketId] = frozenset()) -> None:
        """Add the counts of another day; grades of the visits in `struck` do not count."""
        for seat, duty in other.duties.items():
            self.duties[seat].add(duty)
        for task, done in other.done.items():
            self.done[task].add(done)
        for clerk, days in other.days.items():
            self.days[clerk].update(days)
        for ticket, task, grade in other.rated:
            if ticket not in struck:
                self.done[task].grades[grade] += 1


@dataclass(slots=True)
class _Seat:
    """A window while the events go by; instants are Unix ms."""

    clerk: WorkId | None = None
    last_clerk: WorkId = NOBODY
    since_ms: int = 0
    paused_at: int | None = None
    why: PauseReason = PauseReason.OTHER
    current: TicketId | None = None
    called_at: int | None = None
    started_at: int | None = None
    acted_ms: int = 0  # when something last happened here


class Counting:
    """One pass over the events of a day that stand."""

    def __init__(self, plan: HallPlan, day: str) -> None:
        """Begin a business day (ISO date) with nothing counted."""
        self._plan, self._day = plan, day
        self._work = Work()
        self._seats: dict[WindowNo, _Seat] = defaultdict(_Seat)
        self._service: dict[TicketId, ServiceId] = {}

    def total(self, now_ms: int) -> Work:
        """Give the counts; what is still open counts until `now_ms`. Ends the counting."""
        for no, seat in self._seats.items():
            self._leave(no, seat, self._until(seat, now_ms))
            self._sign_off(no, seat, self._until(seat, now_ms), signed_off=False)
        return self._work

    def take(self, event: e.Event, at_ms: int) -> None:
        """Count one event."""
        no: WindowNo | None = getattr(event, "window", None)
        if no is None or isinstance(event, e.TicketIssued):
            return
        seat = self._seats[no]
        over = self._is_over(at_ms)
        match event:
            case e.WindowOpened():
                self._sign_on(seat, event.clerk, at_ms)
            case e.WindowHandedOver():
                self._hand_over(no, seat, event.clerk, at_ms)
            case e.WindowPaused() | e.WindowLeftAlone():
                seat.paused_at = at_ms
                alone = isinstance(event, e.WindowLeftAlone)
                seat.why = event.reason if isinstance(event, e.WindowPaused) else PauseReason.LEFT_ALONE
                self._work.duties[self._sitting(seat), no].left_alone += alone
            case e.WindowResumed():
                self._end_pause(no, seat, at_ms)
            case e.WindowClosed():
                self._leave(no, seat, self._until(seat, at_ms))
                self._sign_off(no, seat, self._until(seat, at_ms), signed_off=not over)
            case _:
                self._take_ticket(event, no, seat, at_ms)
        if not over and not isinstance(event, e.TicketRated | e.CaseOpened):  # those are the visitor's
            seat.acted_ms = at_ms

    def _take_ticket(self, event: e.Event, no: WindowNo, seat: _Seat, at_ms: int) -> None:
        match event:
            case e.TicketCalled() | e.TicketResumed():
                if isinstance(event, e.TicketCalled):
                    self._service[event.ticket] = event.service
                    self._done(event.ticket, no, seat).called += 1
                seat.current, seat.called_at, seat.started_at = event.ticket, at_ms, None
            case e.ServingStarted():
                if seat.current == event.ticket:
                    seat.started_at = at_ms
            case e.TicketFinished() | e.LegFinished() | e.ResultAwaited():
                self._service[event.ticket] = event.service
                done = self._done(event.ticket, no, seat)
                done.finished += 1
                done.legs += not isinstance(event, e.TicketFinished)
                done.serves[event.serve_s] += 1
                if seat.current == event.ticket:
                    self._leave(no, seat, at_ms, finished=True)
            case e.NoShowRecorded():
                self._done(event.ticket, no, seat).no_shows += 1
                self._end(event.ticket, no, seat, at_ms)
            case e.TicketRated():
                clerk = event.clerk or self._sitting(seat)
                task = (clerk, no, self._service.get(event.ticket, NO_SERVICE))
                self._work.rated.append((event.ticket, task, event.grade))
            case e.NoticeGiven():
                if event.away:
                    self._end(event.ticket, no, seat, at_ms)
            case (
                e.TicketHeld()
                | e.TicketTransferred()
                | e.TicketExpired()
                | e.TicketCancelled()
                | e.TicketReturned()
                | e.TicketMissed()
            ):
                self._end(event.ticket, no, seat, self._until(seat, at_ms))
            case _:
                pass

    def _end(self, ticket: TicketId, no: WindowNo, seat: _Seat, at_ms: int) -> None:
        if seat.current == ticket:
            self._leave(no, seat, at_ms)

    def _leave(self, no: WindowNo, seat: _Seat, at_ms: int, *, finished: bool = False) -> None:
        """The visitor leaves the window: served since the start, or since the call when it was finished at once."""
        since = seat.started_at if seat.started_at is not None else seat.called_at if finished else None
        if since is not None and seat.current is not None:
            self._done(seat.current, no, seat).serving_ms += max(0, at_ms - since)
        seat.current = seat.called_at = seat.started_at = None

    def _sign_on(self, seat: _Seat, clerk: WorkId, at_ms: int) -> None:
        seat.clerk = seat.last_clerk = clerk
        seat.since_ms, seat.paused_at = at_ms, None
        self._work.days[clerk].setdefault(self._day, Attendance(first_ms=at_ms, last_ms=at_ms))

    def _hand_over(self, no: WindowNo, seat: _Seat, clerk: WorkId, at_ms: int) -> None:
        """The visitor, the pause and the window go on; from now on they are the new clerk's."""
        if seat.started_at is not None and seat.current is not None:
            self._done(seat.current, no, seat).serving_ms += at_ms - seat.started_at
            seat.started_at = at_ms
        elif seat.called_at is not None:  # finished without a start it is served from here on
            seat.called_at = at_ms
        pausing = seat.paused_at is not None
        self._sign_off(no, seat, at_ms)
        self._sign_on(seat, clerk, at_ms)
        seat.paused_at = at_ms if pausing else None

    def _end_pause(self, no: WindowNo, seat: _Seat, at_ms: int) -> None:
        if seat.paused_at is not None:
            clerk, paused_ms = self._sitting(seat), max(0, at_ms - seat.paused_at)
            self._work.duties[clerk, no].paused_ms[seat.why] += paused_ms
            if (day := self._work.days.get(clerk, {}).get(self._day)) is not None:
                day.paused_ms[seat.why] += paused_ms
        seat.paused_at = None

    def _sign_off(self, no: WindowNo, seat: _Seat, at_ms: int, *, signed_off: bool = True) -> None:
        """End the pause and the time signed on."""
        self._end_pause(no, seat, at_ms)
        if seat.clerk is None:
            return
        spent_ms = max(0, at_ms - seat.since_ms)
        self._work.duties[seat.clerk, no].signed_on_ms += spent_ms
        day = self._work.days[seat.clerk][self._day]
        day.signed_on_ms += spent_ms
        if at_ms >= day.last_ms:
            day.last_ms, day.signed_off = at_ms, signed_off
        if no not in day.windows:
            day.windows.append(no)
        seat.clerk = None

    def _done(self, ticket: TicketId, no: WindowNo, seat: _Seat) -> Done:
        return self._work.done[self._sitting(seat), no, self._service.get(ticket, NO_SERVICE)]

    def _sitting(self, seat: _Seat) -> WorkId:
        """Give who works at the window, else who did last: lists outlive a closed window."""
        return seat.clerk or seat.last_clerk

    def _is_over(self, at_ms: int) -> bool:
        return business_day(self._plan, at_ms).isoformat() > self._day

    def _until(self, seat: _Seat, at_ms: int) -> int:
        """Give until when something counts: never into the next business day, when the clock tidied up."""
        return max(seat.acted_ms, seat.since_ms) if self._is_over(at_ms) else at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFigures:
    """What was done. `finished` includes `legs`, the parts after which a visit went on; rates None without a whole."""

    called: int
    finished: int
    legs: int
    no_shows: int
    serving_s: int
    serve: Spread
    rated: int
    satisfaction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFigures(WorkFigures):
    """What was done in which time. `signed_on_s` includes pauses; `paused` is in seconds by reason."""

    signed_on_s: int
    paused_s: int
    paused: dict[PauseReason, int]
    left_alone: int
    utilisation: float | None


def work_figures(done: Done) -> WorkFigures:
    """Give the figures of some work."""
    return WorkFigures(
        called=done.called,
        finished=done.finished,
        legs=done.legs,
        no_shows=done.no_shows,
        serving_s=done.serving_ms // 1000,
        serve=spread_of(done.serves),
        rated=done.grades.total(),
        satisfaction=satisfaction(done.grades),
    )


def duty_figures(duty: Duty, done: Done) -> DutyFigures:
    """Give the figures of some work and the time it was done in."""
    return DutyFigures(
        **fields_of(work_figures(done)),
        signed_on_s=duty.signed_on_ms // 1000,
        paused_s=duty.paused_ms.total() // 1000,
        paused=paused_s(duty.paused_ms),
        left_alone=duty.left_alone,
        utilisation=rate(done.serving_ms, duty.signed_on_ms),
    )


def paused_s(paused_ms: Counter[PauseReason]) -> dict[PauseReason, int]:
    """Give the seconds of pauses by reason."""
    return {why: ms // 1000 for why, ms in sorted(paused_ms.items()) if ms >= 1000}


def satisfaction(grades: Counter[int]) -> float | None:
    """Give the share of grades 3 to 5; who did not grade is not asked for an opinion here."""
    return rate(sum(times for grade, times in grades.items() if grade >= SATISFIED_FROM), grades.total())


K = TypeVar("K", bound=Hashable)


def by_seat(work: Work, key: Callable[[WorkId, WindowNo], K]) -> dict[K, tuple[Duty, Done]]:
    """Give the sums of the counts by whatever `key` gives for a clerk at a window."""
    sums: dict[K, tuple[Duty, Done]] = {}
    for (clerk, no), duty in work.duties.items():
        sums.setdefault(key(clerk, no), (Duty(), Done()))[0].add(duty)
    for (clerk, no, _), done in work.done.items():
        sums.setdefault(key(clerk, no), (Duty(), Done()))[1].add(done)
    return sums


def by_service(work: Work, key: Callable[[ServiceId], K]) -> dict[K, Done]:
    """Give the sums of what was done by whatever `key` gives for a service."""
    sums: dict[K, Done] = {}
    for (_, _, service), done in work.done.items():
        sums.setdefault(key(service), Done()).add(done)
    return sums


def by_window(work: Work) -> dict[WindowNo, tuple[Duty, Done]]:
    """Give the sums by window."""
    return by_seat(work, lambda _, no: no)


def by_clerk(work: Work) -> dict[WorkId, tuple[Duty, Done]]:
    """Give the sums by clerk."""
    return by_seat(work, lambda clerk, _: clerk)


def fields_of(figures: WorkFigures) -> dict[str, Any]:
    """Give the fields of figures by name, as they are."""
    return {it.name: getattr(figures, it.name) for it in fields(figures)}
