"""Days out of a ledger: the same visitors with the same work at the same windows' hours, and what really happened.

What a visitor brings is read from the events of each ticket: when it came, what it was for, how long each stay at a
window took (made comparable: at an ordinary clerk, in the service's own zone), whether it came when called, was sent
on, fetched papers, gave up. Who was never served gets the work of another visitor for the same service.
"""

import pickle
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random
from statistics import median

from server.domain import calendar
from server.domain import events as e
from server.domain.evolve import evolve
from server.domain.state import HallState
from server.domain.terms import AwayFor, HallPlan, PriorityId, ServiceId, TicketId, WindowNo, WorkId, ZoneId
from server.ledger import files
from server.ledger.base import Commit
from server.projections.standing import Standing
from server.simulate.draw import load_of
from server.simulate.play import COLD_AFTER_MS, Desk, Outcome, Wait, told_of
from server.simulate.shifts import joined
from server.simulate.visits import DAY, MIN, QUARTER, Assigned, Day, Ends, Spans, Stay, Visit

PACE_PRIOR = 12.0  # a window begins as an ordinary one, with the weight of so many visits
AWAY_FACTOR = 1.10  # assumed: work of another zone takes so much longer; a ledger rarely shows enough of it
SECOND_MS = 1000
LEAVES_MS = MIN  # who leaves within it after a visitor would have left before
BY_THE_CLOCK = ("tide", "day_closed")  # why services were assigned
GAP_MAX_MS = 10 * MIN  # a longer time between two visitors is a break that nobody entered


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDays:
    """Days of a hall as they were. `mornings`: the hall as each day began, pickled; `really`: what came of them.

    `left_out`: visits for services that the hall file does not have (any more).
    """

    past: tuple[Day, ...]
    mornings: tuple[bytes, ...]
    really: tuple[Outcome, ...]
    left_out: int = 0

    @property
    def days(self) -> int:
        """Give how many there are."""
        return len(self.past)

    def day(self, number: int) -> Day:
        """Give a day."""
        return self.past[number]

    def morning(self, number: int) -> HallState:
        """Give the hall as that day began."""
        state: HallState = pickle.loads(self.mornings[number])  # noqa: S301  # pickled by this program a moment ago
        return state

    def only(self, numbers: Sequence[int]) -> "PastDays":
        """Give some of the days."""
        return replace(
            self,
            past=tuple(self.past[number] for number in numbers),
            mornings=tuple(self.mornings[number] for number in numbers),
            really=tuple(self.really[number] for number in numbers),
        )


class OtherHall(ValueError):
    """The ledger is that of another hall, named by its id."""


def read(
    path: Path,
    plan: HallPlan,
    first: str,
    last: str,
    *,
    seed: int = 0,
    tick: Callable[[int], None] = lambda _: None,
) -> PastDays:
    """Give the business days from `first` to `last` (ISO dates, both included) on which anybody came.

    `path` is a ledger, a backup or an export of one; `tick` gets the number of commits read so far.

    Raises:
        OtherHall: it is the ledger of another hall.
        LedgerBroken: it is damaged, or no ledger. LedgerDown, OSError: it cannot be read.
    """
    reader = _Reader(plan, first, last)
    for commit in _commits(path):
        if commit.hall != plan.hall:
            raise OtherHall(commit.hall)
        tick(commit.seq)
        if not reader.take(commit):
            break
    return reader.days(Random(f"past {plan.hall} {seed}"))  # noqa: S311  # visitors are no secret


def resampled(past: PastDays, plan: HallPlan, *, days: int, load: float | None, seed: int) -> PastDays:
    """Draw new days out of past ones: of each zone the arrivals of one past day, by quarters of an hour; the work anew.

    `load`: offered work over open minutes on average; without it as it was.
    """
    factor = 1.0
    if load is not None:
        was = [load_of(plan, day) for day in past.past]
        factor = load / (sum(was) / len(was)) if sum(was) else 1.0
    pool: dict[ServiceId, list[Visit]] = {}
    for day in past.past:
        for visit in day.visits:
            pool.setdefault(visit.stays[0].service, []).append(visit)
    drawn, mornings, really = [], [], []
    for number in range(days):
        frame = number % past.days
        chance = Random(f"resampled {plan.hall} {seed} {number}")  # noqa: S311  # visitors are no secret
        drawn.append(_redrawn(past, frame, pool, plan, factor, chance))
        mornings.append(past.mornings[frame])
        really.append(past.really[frame])
    return replace(past, past=tuple(drawn), mornings=tuple(mornings), really=tuple(really))


def _redrawn(
    past: PastDays, frame: int, pool: Mapping[ServiceId, Sequence[Visit]], plan: HallPlan, factor: float, chance: Random
) -> Day:
    visits: list[Visit] = []
    for zone in plan.queues:
        model = past.past[chance.randrange(past.days)]
        for visit in model.visits:
            if plan.service[visit.stays[0].service].zone != zone.id:
                continue
            for _ in range(int(factor + chance.random())):
                other = chance.choice(pool[visit.stays[0].service])
                quarter = visit.at_ms // QUARTER * QUARTER
                at_ms = visit.at_ms if visit.slot else quarter + int(chance.random() * QUARTER)
                patience_ms = None if other.gives_up_ms is None else other.gives_up_ms - other.at_ms + at_ms
                visits.append(replace(visit, at_ms=at_ms, stays=other.stays, gives_up_ms=patience_ms))
    return replace(past.past[frame], visits=tuple(sorted(visits, key=lambda it: it.at_ms)))


def _commits(path: Path) -> Iterator[Commit]:
    with path.open("rb") as file:
        is_export = file.read(1) == b"{"
        file.seek(0)
        if is_export:
            yield from (commit for commit, _ in files.imported(file))
            return
    yield from files.commits(path)


# ---------------------------------------------------------------------------------------------------------- one ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A stay at a window as it was: `took_ms` None when it never came to one."""

    service: ServiceId
    window: WindowNo | None
    took_ms: int | None
    walk_ms: int
    ends: Ends


@dataclass(slots=True, kw_only=True)
class _Story:
    """One ticket, told by its events. Times are ms after midnight."""

    at_ms: int
    service: ServiceId
    priority: PriorityId
    bound: WindowNo | None
    slot: tuple[int, int] | None
    told: tuple[float, float, float] | None
    joined_ms: int = 0
    waits: bool = True
    counts: bool = True  # the wait is one of its own
    window: WindowNo | None = None
    called_ms: int | None = None
    before_ms: int = 0  # at the window before it was held
    walk_ms: int = 0
    gives_up_ms: int | None = None
    left_ms: int | None = None
    stays: list[_Raw] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)

    def left(self, at_ms: int, ends: Ends) -> None:
        """The visitor leaves the window (or what is kept of him, the hold list)."""
        took_ms = self.before_ms + (at_ms - self.called_ms if self.called_ms is not None else 0)
        self.stays.append(
            _Raw(service=self.service, window=self.window, took_ms=took_ms, walk_ms=self.walk_ms, ends=ends)
        )
        self.pauses.append(0)
        self.called_ms, self.before_ms, self.walk_ms, self.left_ms = None, 0, 0, at_ms

    def back(self, at_ms: int, service: ServiceId, *, counts: bool) -> None:
        """The visitor waits again."""
        if self.pauses and self.left_ms is not None:
            self.pauses[-1] = at_ms - self.left_ms
        self.service, self.joined_ms, self.waits, self.counts = service, at_ms, True, counts


# ------------------------------------------------------------------------------------------------------------- one day


@dataclass(slots=True, kw_only=True)
class _Seat:
    """A window on a past day."""

    clerk: WorkId | None = None
    from_ms: int | None = None  # at work since
    spans: list[tuple[int, int]] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)
    free_ms: int | None = None
    last_ms: int = 0
    served: int = 0


class _DayReader:
    """One business day."""

    def __init__(self, plan: HallPlan, day: str, state: HallState) -> None:
        self.plan, self.day, self.state = plan, day, state
        self.midnight_ms = calendar.midnight_ms(plan, date.fromisoformat(day))
        self.stories: dict[TicketId, _Story] = {}
        self.seats: dict[WindowNo, _Seat] = {}
        self.waits: list[Wait] = []
        self.gaps: list[int] = []
        self.assigned: list[Assigned] = []
        self.own: set[str] = set()  # reasons of what the hall assigned by itself
        self.outcome = Outcome(day=day)
        self.unknown = 0

    def take(self, event: e.Event, unix_ms: int) -> None:
        """Take one event that stands; the state is that of a few seconds later."""
        if isinstance(event, e.TicketIssued) and event.pressed_ms is not None:  # a kiosk gave it, and told of it later
            unix_ms = event.pressed_ms
        at_ms = unix_ms - self.midnight_ms
        match event:
            case e.TicketIssued():
                self._issued(event, at_ms)
            case e.WindowOpened() | e.WindowHandedOver():
                seat = self._seat(event.window)
                seat.clerk = event.clerk
                self._mans(seat, at_ms)
            case e.WindowResumed():
                self._mans(self._seat(event.window), at_ms)
            case e.WindowPaused() | e.WindowClosed() | e.WindowLeftAlone():
                self._leaves(self._seat(event.window), at_ms)
            case e.BalanceApplied(by=""):
                self.own.add(f"balance {event.change}")
            case e.ServicesAssigned() if event.reason in self.own or event.reason.startswith(BY_THE_CLOCK):
                pass  # the hall did that by itself, and will again
            case e.ServicesAssigned():
                assigned = Assigned(at_ms=at_ms, window=event.window, serves=event.serves, relief=event.relief)
                self.assigned.append(assigned)
            case _:
                ticket = getattr(event, "ticket", None)
                if ticket is not None and (story := self.stories.get(ticket)) is not None:
                    self._ticket(story, event, at_ms)

    def _issued(self, event: e.TicketIssued, at_ms: int) -> None:
        if event.service not in self.plan.service:
            self.unknown += 1
            return
        booked = self.state.appointments.get(event.appointment) if event.appointment is not None else None
        slot = None if booked is None else (booked.starts_ms - self.midnight_ms, booked.ends_ms - self.midnight_ms)
        self.outcome.visitors += 1
        self.stories[event.ticket] = _Story(
            at_ms=at_ms,
            joined_ms=at_ms,
            service=event.service,
            priority=event.priority,
            bound=event.window,
            slot=slot,
            told=told_of(event),
        )

    def _ticket(self, story: _Story, event: e.Event, at_ms: int) -> None:
        match event:
            case e.TicketCalled():
                self._called(story, event, at_ms)
            case e.TicketResumed():
                story.called_ms, story.window = at_ms, event.window
            case e.ServingStarted():
                if story.called_ms is not None and not story.before_ms:
                    story.walk_ms = at_ms - story.called_ms
            case e.TicketHeld():
                story.before_ms += at_ms - story.called_ms if story.called_ms is not None else 0
                self._frees(story, at_ms)
                story.called_ms = None
            case e.TicketFinished():
                self._done(story, at_ms, Ends.DONE)
            case e.LegFinished():
                self._done(story, at_ms, Ends.DONE)
                story.back(at_ms, event.next_service, counts=True)
            case e.TicketTransferred():
                self._done(story, at_ms, Ends.DONE)
                story.back(at_ms, event.service, counts=True)
            case e.NoShowRecorded():
                self.outcome.no_shows += 1
                if story.called_ms is None and story.stays and story.stays[-1].ends is Ends.MISSED:
                    story.stays[-1] = replace(story.stays[-1], ends=Ends.NO_SHOW)  # missed before, now given up
                    return
                self._frees(story, at_ms)
                story.left(at_ms, Ends.NO_SHOW)
            case e.TicketMissed():
                self._frees(story, at_ms)
                story.left(at_ms, Ends.MISSED)
            case e.TicketReinstated():
                story.back(at_ms, story.service, counts=False)
            case e.TicketReturned():
                self._frees(story, at_ms)
                story.called_ms, story.waits, story.counts = None, True, False
            case e.NoticeGiven(away=True):
                self._frees(story, at_ms)
                story.left(at_ms, Ends.PAPERS)
            case e.ResultAwaited():
                self._frees(story, at_ms)
                story.left(at_ms, Ends.RESULT)
            case e.TicketBack():
                story.back(at_ms, event.service, counts=event.why is AwayFor.RESULT)
            case e.TicketCancelled():
                self._cancelled(story, at_ms)
            case e.TicketExpired():
                self._expired(story, at_ms)
            case _:  # reprints, grades, case numbers: nobody waits for them
                pass

    def _called(self, story: _Story, event: e.TicketCalled, at_ms: int) -> None:
        seat = self._seat(event.window)
        if seat.free_ms is not None and story.joined_ms <= seat.free_ms and at_ms - seat.free_ms < GAP_MAX_MS:
            self.gaps.append(at_ms - seat.free_ms)
        if story.counts and story.waits:
            self._waited(story, at_ms, event.window)
        if not story.waits and story.left_ms is not None and story.pauses:  # called while missed or away
            story.pauses[-1] = at_ms - story.left_ms
        story.service = event.service
        story.called_ms, story.window, story.waits, story.counts = at_ms, event.window, False, False
        seat.free_ms, seat.last_ms = None, at_ms

    def _waited(self, story: _Story, at_ms: int, window: WindowNo | None) -> None:
        service = story.service
        self.waits.append(
            Wait(
                service=service,
                zone=self.plan.service[service].zone if service in self.plan.service else ZoneId(""),
                priority=story.priority,
                joined_ms=story.joined_ms,
                waited_ms=at_ms - story.joined_ms,
                window=window,
                told=story.told,
            )
        )
        story.told = None

    def _done(self, story: _Story, at_ms: int, ends: Ends) -> None:
        self._frees(story, at_ms)
        if story.window is not None:
            self._seat(story.window).served += 1
        story.left(at_ms, ends)

    def _cancelled(self, story: _Story, at_ms: int) -> None:
        if story.waits:
            if story.counts:
                self._waited(story, at_ms, None)
            story.gives_up_ms, story.waits = at_ms, False
            self.outcome.gave_up += 1
        elif story.called_ms is not None:
            self._done(story, at_ms, Ends.DONE)

    def _expired(self, story: _Story, at_ms: int) -> None:
        if story.waits:
            if story.counts:
                self._waited(story, min(at_ms, max(self._closes_ms(), story.joined_ms)), None)
            self.outcome.left_over += 1
        elif story.called_ms is not None or story.before_ms:
            self._done(story, min(at_ms, story.called_ms or at_ms), Ends.DONE)

    def _frees(self, story: _Story, at_ms: int) -> None:
        if story.window is None or story.called_ms is None:
            return
        seat = self._seat(story.window)
        seat.taken.append((story.called_ms, at_ms))
        seat.free_ms = seat.last_ms = at_ms

    def _seat(self, no: WindowNo) -> _Seat:
        return self.seats.setdefault(no, _Seat())

    def _mans(self, seat: _Seat, at_ms: int) -> None:
        if seat.from_ms is None:
            seat.from_ms = at_ms
            seat.free_ms = None

    def _leaves(self, seat: _Seat, at_ms: int) -> None:
        if seat.from_ms is not None:
            # A window that nobody closed is at work until the hall closes, or as long as it really was.
            ends_ms = min(at_ms, max(self._closes_ms(), seat.last_ms, seat.from_ms))
            if seat.free_ms is not None and ends_ms - seat.free_ms < LEAVES_MS:
                # Went as soon as the visitor was gone: the shift was over, else another would have been called.
                ends_ms = max(seat.from_ms, seat.free_ms - SECOND_MS)
            seat.spans.append((seat.from_ms, ends_ms))
            seat.from_ms = None

    def _closes_ms(self) -> int:
        return min(calendar.hall_closing(self.plan, self.day) - self.midnight_ms, 2 * DAY)

    def close(self) -> None:
        """The day is over."""
        for seat in self.seats.values():
            self._leaves(seat, max(self._closes_ms(), seat.last_ms))

    def shifts(self) -> dict[WindowNo, Spans]:
        """Give when each window was manned. To stay longer for who waits is no shift: that is played anyhow."""
        closes_ms = self._closes_ms()
        found = {}
        for no, seat in self.seats.items():
            spans = [
                (from_ms, until if from_ms >= closes_ms else min(until, closes_ms)) for from_ms, until in seat.spans
            ]
            if no in self.plan.window and joined(tuple(spans)):
                found[no] = joined(tuple(spans))
        return found

    def really(self) -> Outcome:
        """Give what came of the day."""
        shifts = self.shifts()
        for no in shifts:
            taken = self.seats[no].taken
            self.outcome.desks[no] = Desk(
                open_ms=sum(until - from_ for from_, until in joined((*self.seats[no].spans, *taken))),
                busy_ms=sum(until - from_ for from_, until in taken),
                served=self.seats[no].served,
            )
        self.outcome.waits = sorted(self.waits, key=lambda wait: wait.joined_ms)
        self.outcome.no_shows += sum(
            story.stays[-1].ends is Ends.MISSED and not story.waits and story.called_ms is None
            for story in self.stories.values()
            if story.stays
        )
        closes_ms = max((spans[-1][1] for spans in shifts.values()), default=0)
        begins_ms = min((spans[0][0] for spans in shifts.values()), default=0)
        for at_ms in range(begins_ms // MIN * MIN + MIN, closes_ms + 1, MIN):
            self.outcome.minutes += 1
            idle = any(
                _within(at_ms, spans) and not _within(at_ms, self.seats[no].taken) for no, spans in shifts.items()
            )
            self.outcome.cold += idle and any(
                wait.joined_ms < at_ms - COLD_AFTER_MS and at_ms < wait.joined_ms + wait.waited_ms
                for wait in self.outcome.waits
            )
        official_ms = min(self._closes_ms(), closes_ms)
        last_ms = max((seat.last_ms for seat in self.seats.values()), default=0)
        self.outcome.overtime_ms = max(0, last_ms - official_ms)
        return self.outcome


class _Reader:
    """A whole ledger, commit by commit."""

    def __init__(self, plan: HallPlan, first: str, last: str) -> None:
        self.plan, self.first, self.last = plan, first, last
        self.state = HallState()
        self.found: list[_DayReader] = []
        self.mornings: list[bytes] = []
        self.of_day: _DayReader | None = None
        self.ahead = Standing[tuple[int, e.Event]](lambda pair: pair)

    def take(self, commit: Commit) -> bool:
        """Take the next commit; say whether later ones matter."""
        opened = False
        for event in commit.events:
            if isinstance(event, e.DayOpened):
                self._close()
                if event.day > self.last:
                    return False
                opened = event.day >= self.first
            elif self.of_day is not None and not opened:
                for at_ms, standing in self.ahead.take((commit.at_ms, event)):
                    self.of_day.take(standing, at_ms)
            evolve(self.state, event, at_ms=commit.at_ms)
        if opened and self.state.day is not None:
            self.of_day = _DayReader(self.plan, self.state.day, self.state)
            self.mornings.append(pickle.dumps(self.state))
            self.found.append(self.of_day)
            for no, window in self.state.windows.items():
                self.of_day.assigned.append(Assigned(at_ms=0, window=no, serves=window.serves, relief=window.relief))
        return True

    def _close(self) -> None:
        if self.of_day is not None:
            for at_ms, standing in self.ahead.rest():
                self.of_day.take(standing, at_ms)
            self.of_day.close()
            self.of_day = None

    def days(self, chance: Random) -> PastDays:
        """Give all days with visitors."""
        self._close()
        whole = [place for place, day in enumerate(self.found) if day.stories and day.shifts()]
        days = [self.found[place] for place in whole]
        stays = [stay for day in days for story in day.stories.values() for stay in story.stays]
        slowness = _slowness(self.plan, stays)
        pool: dict[ServiceId, list[int]] = {}
        for stay in stays:
            if stay.took_ms is not None and stay.ends not in (Ends.NO_SHOW, Ends.MISSED):
                pool.setdefault(stay.service, []).append(_ordinary_ms(self.plan, stay, slowness))
        return PastDays(
            past=tuple(_day(self.plan, day, slowness, pool, chance) for day in days),
            mornings=tuple(self.mornings[place] for place in whole),
            really=tuple(day.really() for day in days),
            left_out=sum(day.unknown for day in days),
        )


def _day(
    plan: HallPlan,
    day: _DayReader,
    slowness: Mapping[WindowNo, float],
    pool: Mapping[ServiceId, Sequence[int]],
    chance: Random,
) -> Day:
    visits = [_visit(plan, story, slowness, pool, chance) for story in day.stories.values()]
    assigned = [
        it
        for it in day.assigned
        if it.window in plan.window and {*it.serves, *it.relief} <= plan.service.keys()
        if it.at_ms or (it.serves, it.relief) != (plan.window[it.window].serves, plan.window[it.window].relief)
    ]
    return Day(
        day=day.day,
        visits=tuple(sorted((it for it in visits if it is not None), key=lambda it: it.at_ms)),
        shifts=day.shifts(),
        slowness=slowness,
        clerks={no: seat.clerk for no, seat in day.seats.items() if seat.clerk is not None},
        away_factor=AWAY_FACTOR,
        pause_ms=round(median(day.gaps)) if day.gaps else 0,
        assigned=tuple(assigned),
    )


def _visit(
    plan: HallPlan,
    story: _Story,
    slowness: Mapping[WindowNo, float],
    pool: Mapping[ServiceId, Sequence[int]],
    chance: Random,
) -> Visit | None:
    raw = list(story.stays)
    pauses = list(story.pauses)
    if story.waits or story.gives_up_ms is not None:  # never served, or not again: somebody else's work
        raw.append(_Raw(service=story.service, window=None, took_ms=None, walk_ms=0, ends=Ends.DONE))
        pauses.append(0)
    stays = []
    for stay, pause_ms in zip(raw, pauses, strict=True):
        if stay.service not in plan.service:
            return None
        work_ms = _ordinary_ms(plan, stay, slowness)
        if stay.took_ms is None:
            usual = [round(plan.service[stay.service].minutes_typical * MIN)]
            work_ms = chance.choice(pool.get(stay.service) or usual)
        stays.append(
            Stay(
                service=stay.service,
                work_ms=max(1, work_ms),
                walk_ms=stay.walk_ms,
                ends=stay.ends,
                pause_ms=pause_ms,
            )
        )
    if not stays:
        return None
    return Visit(
        at_ms=story.at_ms,
        stays=tuple(stays),
        priority=story.priority,
        slot=story.slot,
        gives_up_ms=story.gives_up_ms,
        bound=story.bound,
    )


def _ordinary_ms(plan: HallPlan, stay: _Raw, slowness: Mapping[WindowNo, float]) -> int:
    """Give how long a stay would have taken at an ordinary clerk in the service's own zone."""
    took_ms = stay.took_ms or 0
    if stay.window not in plan.window or stay.ends in (Ends.NO_SHOW, Ends.MISSED):
        return took_ms
    away = AWAY_FACTOR if plan.window[stay.window].zone != plan.service[stay.service].zone else 1.0
    return round(took_ms / slowness.get(stay.window, 1.0) / away)


def _slowness(plan: HallPlan, stays: Iterable[_Raw]) -> dict[WindowNo, float]:
    """Give how many times longer than the mean of the service work takes at each window."""
    by_service: dict[ServiceId, list[float]] = {}
    known = [
        (stay.window, stay.service, float(_ordinary_ms(plan, stay, {})))
        for stay in stays
        if stay.ends not in (Ends.NO_SHOW, Ends.MISSED) and stay.window is not None and stay.took_ms
        if stay.window in plan.window and stay.service in plan.service
    ]
    for _, service, took in known:
        by_service.setdefault(service, []).append(took)
    means = {service: sum(each) / len(each) for service, each in by_service.items()}
    found: dict[WindowNo, list[float]] = {}
    for window, service, took in known:
        found.setdefault(window, []).append(took / means[service])
    return {no: (PACE_PRIOR + sum(each)) / (PACE_PRIOR + len(each)) for no, each in found.items()}


def _within(at_ms: int, spans: Sequence[tuple[int, int]]) -> bool:
    place = bisect_left(spans, (at_ms + 1,)) - 1
    return place >= 0 and spans[place][0] <= at_ms < spans[place][1]
