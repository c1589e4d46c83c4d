"""What happened to visitors: counted once for each service in its zone and for each hour, so that every cut adds up.

Figures of the hall, its zones, services, departments and tenants are sums of the same counts, and days add up to weeks
and months. Everything belongs to the hour of the hall's clock in which it happened: a number to the hour in which it
was given, a wait to that of the first call. What the turn of the day tidies up belongs to no hour.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from server.domain import events as e
from server.domain.terms import CaseId, HallPlan, Label, ServiceId, TicketId, WindowNo, WorkId, ZoneId, business_day
from server.projections.spread import Spread, rate, spread_of
from server.projections.work import satisfaction

BAD_GRADE = 2  # and below: 差评 (国办发〔2019〕51号)

Place = tuple[ServiceId, ZoneId | None]
"""Where a visit counts; the zone is None for appointments of services that the hall does not have any more."""

MEANINGS: tuple[tuple[str, str], ...] = (
    (
        "等候＝第一次呼叫－取号；联办后续环节从开始等候算起。",
        "wait = first call - issued; a later leg: since it joined.",
    ),
    ("走到窗口＝开始－呼叫；办理＝办结－开始－挂起。", "walk = start - called; serve = finish - start - held."),
    (
        "弃号率＝弃号÷取号；超时率＝等候超过目标的呼叫÷呼叫；评价率＝已评价÷办结。",
        "no-show rate = no-shows / issued; overdue = waited over target / called; rated rate = rated / finished.",
    ),
    (
        "满意率＝3 至 5 分÷已评价；没评价不算满意，申诉成立的不计。",
        "satisfaction = grades 3..5 / rated; unrated is not satisfied, grades struck by an appeal do not count.",
    ),
    (
        "P90＝九成的人不超过。专区、事项的办结含联办各环节，全大厅每件只算一次。",
        "P90: nine of ten took no longer. finished of a zone or service includes legs, of the hall each visit once.",
    ),
)
HOUR_MEANING = (
    "按小时：各归发生的时刻，取号归取号时，等候归第一次呼叫时。",
    "by hour: each where it happened, a number when it was given, a wait when it was first called.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Appointments: made and given back, for whichever day; kept (some of them late) and missed."""

    booked: int
    kept: int
    late: int
    missed: int
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a hall, a zone or a service. Rates are None when there is nothing to divide by.

    `legs` are the legs after which a visit went on; `finished` of a zone or service counts them in, of the hall not.
    `notices`: how often missing papers were named.
    """

    issued: int
    called: int
    finished: int
    legs: int
    no_shows: int
    cancelled: int
    expired: int
    missed: int
    transferred: int
    notices: int
    rated: int
    wait: Spread
    walk: Spread
    serve: Spread
    no_show_rate: float | None
    overdue_rate: float | None
    rated_rate: float | None
    satisfaction: float | None
    appointments: Booked


@dataclass(slots=True)
class Tally:
    """Counts of visits: `n` by what happened, waits, walks and serves as {seconds: how often}, grades likewise."""

    n: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    walks: Counter[int] = field(default_factory=Counter)
    serves: Counter[int] = field(default_factory=Counter)
    grades: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add other counts to these."""
        self.n.update(other.n)
        self.waits.update(other.waits)
        self.walks.update(other.walks)
        self.serves.update(other.serves)
        self.grades.update(other.grades)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade that a visitor gave, with where it counts; `hour` is None after the end of the day."""

    ticket: TicketId
    label: Label
    place: Place
    hour: int | None
    grade: int
    window: WindowNo | None
    clerk: WorkId | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How the follow-up of a bad grade ended; `upheld`: an appeal was, and the grade does not count."""

    at_ms: int
    by: WorkId
    outcome: str
    upheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The case that a bad grade opened, and the day by which it is due (ISO)."""

    case: CaseId
    due: str | None


@dataclass(slots=True)
class Visits:
    """The counts of some days: by service and zone, by hour, and what each window finished in each hour.

    `windows` is {(window, hour): {seconds: how often}}; `rated` are all grades, `opened` the cases that bad ones made,
    `appeals` whether an appeal waits for a decision, and `ended` how cases ended.
    """

    places: dict[Place, Tally] = field(default_factory=lambda: defaultdict(Tally))
    hours: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    windows: dict[tuple[WindowNo, int], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    rated: list[Graded] = field(default_factory=list)
    opened: dict[TicketId, FollowUp] = field(default_factory=dict)
    appeals: dict[CaseId, bool] = field(default_factory=dict)
    ended: dict[CaseId, Followed] = field(default_factory=dict)

    def add(self, other: "Visits", *, struck: Set[TicketId] = frozenset()) -> None:
        """Add the counts of another day; grades of the visits in `struck` do not count."""
        for place, tally in other.places.items():
            self.places[place].add(tally)
        for hour, tally in other.hours.items():
            self.hours[hour].add(tally)
        for seat, serves in other.windows.items():
            self.windows[seat].update(serves)
        self.rated += other.rated
        self.opened |= other.opened
        self.appeals |= other.appeals
        self.ended |= other.ended
        for one in other.rated:
            if one.ticket not in struck:
                self.places[one.place].grades[one.grade] += 1
                if one.hour is not None:
                    self.hours[one.hour].grades[one.grade] += 1

    def total(self) -> Tally:
        """Give the sum of all places."""
        total = Tally()
        for tally in self.places.values():
            total.add(tally)
        return total


K = TypeVar("K", bound=Hashable)


def by_place(visits: Visits, key: Callable[[ServiceId, ZoneId | None], K]) -> dict[K, Tally]:
    """Give the sums of the counts by whatever `key` gives for a service in a zone."""
    sums: dict[K, Tally] = {}
    for place, tally in visits.places.items():
        sums.setdefault(key(*place), Tally()).add(tally)
    return sums


def figures(tally: Tally, *, with_legs: bool = True) -> Figures:
    """Give the figures of some counts; those of the hall count each visit once (`with_legs` False)."""
    n = tally.n
    return Figures(
        issued=n["issued"],
        called=n["called"],
        finished=n["visits"] + (n["legs"] if with_legs else 0),
        legs=n["legs"],
        no_shows=n["no_shows"],
        cancelled=n["cancelled"],
        expired=n["expired"],
        missed=n["missed"],
        transferred=n["transferred"],
        notices=n["notices"],
        rated=tally.grades.total(),
        wait=spread_of(tally.waits),
        walk=spread_of(tally.walks),
        serve=spread_of(tally.serves),
        no_show_rate=rate(n["no_shows"], n["issued"]),
        overdue_rate=rate(n["overdue"], n["called"]),
        rated_rate=rate(tally.grades.total(), n["visits"]),
        satisfaction=satisfaction(tally.grades),
        appointments=Booked(
            booked=n["booked"], kept=n["kept"], late=n["late"], missed=n["not_kept"], cancelled=n["given_back"]
        ),
    )


class VisitCounting:
    """One pass over the events of a day that stand."""

    def __init__(self, plan: HallPlan, day: str) -> None:
        """Begin a business day (ISO date) with nothing counted."""
        self._plan, self._day = plan, day
        self._zone = plan.zone_info
        self._of: dict[TicketId, Place] = {}
        self._called: set[TicketId] = set()
        self.visits = Visits()

    def take(self, event: e.Event, at_ms: int) -> None:
        """Count one event."""
        match event:
            case e.TicketIssued():
                self._of[event.ticket] = event.service, event.zone
                self._count(event.ticket, event.pressed_ms or at_ms, issued=1)
            case e.TicketCalled() if event.ticket not in self._called and event.ticket in self._of:
                self._called.add(event.ticket)
                known = self._plan.service.get(event.service)
                late = known is not None and event.waited_s > known.target_wait_min * 60
                for tally in self._count(event.ticket, at_ms, called=1, overdue=int(late)):
                    tally.waits[event.waited_s] += 1
            case e.ServingStarted():
                for tally in self._count(event.ticket, at_ms):
                    tally.walks[event.walk_s] += 1
            case e.TicketFinished():
                self._served(event, at_ms, visits=1)
            case e.LegFinished():
                self._served(event, at_ms, legs=1)
                self._move(event.ticket, event.next_service, event.zone)
            case e.ResultAwaited():
                self._served(event, at_ms, legs=1)
                self._move(event.ticket, event.pickup, event.zone)  # the pickup is the next leg
            case e.TicketTransferred():
                self._count(event.ticket, at_ms, transferred=1)
                if event.ticket in self._of:
                    self._of[event.ticket] = event.service, event.zone
            case e.NoShowRecorded():
                self._count(event.ticket, at_ms, no_shows=1)
            case e.TicketMissed():
                self._count(event.ticket, at_ms, missed=1)
            case e.TicketCancelled():
                self._count(event.ticket, at_ms, cancelled=1)
            case e.TicketExpired():
                self._count(event.ticket, at_ms, expired=1)
            case e.NoticeGiven():
                self._count(event.ticket, at_ms, notices=1)
            case e.AppointmentKept():
                self._count(event.ticket, at_ms, kept=1, late=int(event.late))
            case e.AppointmentBooked():
                self._count_at(self._usual(event.service), at_ms, booked=1)
            case e.AppointmentCancelled():
                self._count_at(self._usual(event.service), at_ms, given_back=1)
            case e.AppointmentMissed():
                self._count_at(self._usual(event.service), at_ms, not_kept=1)
            case (
                e.TicketRated()
                | e.CaseOpened()
                | e.CaseFinished()
                | e.CaseWithdrawn()
                | e.CaseAppealed()
                | e.AppealDecided()
            ):
                self._take_grade(event, at_ms)
            case _:
                pass

    def _take_grade(
        self,
        event: e.TicketRated | e.CaseOpened | e.CaseFinished | e.CaseWithdrawn | e.CaseAppealed | e.AppealDecided,
        at_ms: int,
    ) -> None:
        visits = self.visits
        match event:
            case e.TicketRated():
                if event.ticket in self._of:
                    visits.rated.append(
                        Graded(
                            ticket=event.ticket,
                            label=event.label,
                            place=self._of[event.ticket],
                            hour=self._hour(at_ms),
                            grade=event.grade,
                            window=event.window,
                            clerk=event.clerk,
                            at_ms=at_ms,
                        )
                    )
            case e.CaseOpened():
                if event.grade is not None and event.ticket is not None:
                    visits.opened[event.ticket] = FollowUp(case=event.case, due=event.due)
            case e.CaseFinished():
                visits.ended[event.case] = Followed(at_ms=at_ms, by=event.by, outcome=event.outcome)
            case e.CaseWithdrawn():
                visits.ended[event.case] = Followed(at_ms=at_ms, by=event.by, outcome=event.reason)
            case e.CaseAppealed():
                visits.appeals[event.case] = True
            case e.AppealDecided():
                visits.appeals[event.case] = False
                if event.upheld:
                    visits.ended[event.case] = Followed(at_ms=at_ms, by=event.by, outcome=event.note, upheld=True)

    def _served(self, event: e.TicketFinished | e.LegFinished | e.ResultAwaited, at_ms: int, **what: int) -> None:
        for tally in self._count(event.ticket, at_ms, **what):
            tally.serves[event.serve_s] += 1
        if (hour := self._hour(at_ms)) is not None:
            self.visits.windows[event.window, hour][event.serve_s] += 1

    def _move(self, ticket: TicketId, service: ServiceId, zone: ZoneId) -> None:
        """The visit goes on: its next leg has a first call of its own."""
        if ticket in self._of:
            self._of[ticket] = service, zone
        self._called.discard(ticket)

    def _usual(self, service: ServiceId) -> Place:
        known = self._plan.service.get(service)
        return service, known.zone if known is not None else None

    def _count(self, ticket: TicketId, at_ms: int, **what: int) -> tuple[Tally, ...]:
        """Count in the tallies of a ticket and give them; none for one that was issued on another day."""
        place = self._of.get(ticket)
        return () if place is None else self._count_at(place, at_ms, **what)

    def _count_at(self, place: Place, at_ms: int, **what: int) -> tuple[Tally, ...]:
        hour = self._hour(at_ms)
        of_hour = () if hour is None else (self.visits.hours[hour],)
        tallies = self.visits.places[place], *of_hour
        for tally in tallies:
            for name, times in what.items():
                tally.n[name] += times
        return tallies

    def _hour(self, at_ms: int) -> int | None:
        if business_day(self._plan, at_ms).isoformat() > self._day:
            return None
        return datetime.fromtimestamp(at_ms / 1000, tz=self._zone).hour
