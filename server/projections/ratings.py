"""Grades for the exchange with the provincial platform (好差评): one row per finished visit, graded or not.

A visit that was not graded has no grade; nobody fills in a good one. A grade struck by an appeal stays in its row and
is marked. The five names of the grades are those of 国办发〔2019〕51号; the two lowest are 差评.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from server.domain import events as e
from server.domain.terms import ActorKind, HallPlan, TicketId, WindowNo, WorkId
from server.projections.standing import standing_of

Told = tuple[str, int, ActorKind, e.Event]
"""An event with the business day (ISO) and instant (Unix ms) of its commit, and who was behind it."""

GRADE_NAMES = {
    5: {"zh": "非常满意", "en": "Very satisfied"},
    4: {"zh": "满意", "en": "Satisfied"},
    3: {"zh": "基本满意", "en": "Fairly satisfied"},
    2: {"zh": "不满意", "en": "Dissatisfied"},
    1: {"zh": "非常不满意", "en": "Very dissatisfied"},
}
CHANNELS = {ActorKind.VISITOR: "phone", ActorKind.DEVICE: "pad"}  # who pressed: the visitor's phone, a pad in the hall


@dataclass(slots=True, kw_only=True)
class Rating:
    """A finished visit; `grade` and `channel` are None without a grade. Texts that nobody told are empty."""

    ticket: TicketId
    label: str
    service: str
    department: str
    matter_code: str
    case_number: str
    window: WindowNo
    clerk: WorkId | None
    finished_ms: int
    grade: int | None = None
    channel: str | None = None
    struck: bool = False


def ratings(
    plan: HallPlan, told: Iterable[Told], *, since: str, until: str, struck: Collection[TicketId]
) -> Iterator[Rating]:
    """Give the visits finished on business days from `since` to `until` (ISO dates), day by day as they finished.

    `told` begins at or before the commit that opens the first day; it is read no further than needed, and one day is
    kept in memory. `struck` are the visits whose grade does not count.
    """
    day: str | None = None
    visits = _Visits(plan, struck)
    for of_day, at_ms, by, event in standing_of(told, key=lambda it: (it[1], it[3])):
        if of_day > until:
            break
        if isinstance(event, e.DayOpened):
            yield from visits.finished.values()
            day, visits = event.day, _Visits(plan, struck)
        elif since <= (of_day if day is None else day) <= until:
            visits.take(event, at_ms, by)
    yield from visits.finished.values()


class _Visits:
    """The visits of one day while its events go by."""

    def __init__(self, plan: HallPlan, struck: Collection[TicketId]) -> None:
        self._plan, self._struck = plan, struck
        self._clerks: dict[WindowNo, WorkId] = {}
        self._numbers: dict[TicketId, str] = {}
        self._matters: dict[TicketId, str] = {}
        self.finished: dict[TicketId, Rating] = {}

    def take(self, event: e.Event, at_ms: int, by: ActorKind) -> None:
        """Keep what an event says of a visit."""
        match event:
            case e.WindowOpened():
                self._clerks[event.window] = event.clerk
            case e.WindowHandedOver():
                self._clerks[event.window] = event.clerk
            case e.TicketIssued() if event.case_number:
                self._number(event.ticket, event.case_number)
            case e.ResultAwaited() if event.case_number:
                self._number(event.ticket, event.case_number)
            case e.CaseNumberNoted():
                self._number(event.ticket, event.case_number)
                if event.matter_code:
                    self._matters[event.ticket] = event.matter_code
                    if (row := self.finished.get(event.ticket)) is not None:
                        row.matter_code = event.matter_code
            case e.TicketFinished():
                self.finished[event.ticket] = self._row(event, at_ms)
            case e.TicketRated() if (row := self.finished.get(event.ticket)) is not None:
                row.grade, row.channel = event.grade, CHANNELS.get(by, "hall")
            case _:
                pass

    def _number(self, ticket: TicketId, case_number: str) -> None:
        self._numbers[ticket] = case_number
        if (row := self.finished.get(ticket)) is not None:
            row.case_number = case_number

    def _row(self, event: e.TicketFinished, at_ms: int) -> Rating:
        service = self._plan.service.get(event.service)
        return Rating(
            ticket=event.ticket,
            label=event.label,
            service=event.service,
            department=(service and service.department) or "",
            matter_code=self._matters.get(event.ticket) or (service and service.matter_code) or "",
            case_number=self._numbers.get(event.ticket, ""),
            window=event.window,
            clerk=self._clerks.get(event.window),
            finished_ms=at_ms,
            struck=event.ticket in self._struck,
        )
