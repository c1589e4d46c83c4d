"""Some business days of a hall in numbers: by day, hour, zone, service, department, tenant, window and clerk.

Everything is the sum of the counts of its days (`server.projections.report.Counts`): a week is the sum of its days, and
the cuts of one kind add up to the same total. Bad grades stand in it one by one, with what came of them.
"""

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from typing import Any

from server.domain.cases import APPEAL_OPEN
from server.domain.records import Case
from server.domain.terms import CaseId, HallPlan, TicketId, WorkId
from server.projections.common import instant
from server.projections.month import MEANINGS as DUTY_MEANINGS
from server.projections.month import answer_of as month_answer
from server.projections.month import department_of, month_report, tenant_of
from server.projections.report import LOAD_MEANING, Counts, rows, service_figures, window_figures, zone_figures
from server.projections.visits import (
    BAD_GRADE,
    HOUR_MEANING,
    MEANINGS,
    Figures,
    Followed,
    Graded,
    Tally,
    Visits,
    by_place,
    figures,
)

DAYS_MAX = 92  # a quarter of a year


@dataclass(slots=True)
class Period:
    """The counts of some days, added up day by day."""

    plan: HallPlan
    struck: Set[TicketId]
    counts: Counts
    days: dict[str, Figures]

    @classmethod
    def of(cls, plan: HallPlan, struck: Set[TicketId]) -> "Period":
        """Begin with no day; grades of the visits in `struck` do not count."""
        return cls(plan=plan, struck=struck, counts=Counts(), days={})

    def add(self, day: str, counts: Counts) -> None:
        """Add the counts of a business day (ISO date)."""
        visits = Visits()
        visits.add(counts.visits, struck=self.struck)
        self.days[day] = figures(visits.total(), with_legs=False)
        self.counts.add(counts, struck=self.struck)


def answer_of(
    period: Period,
    *,
    first: str,
    last: str,
    until_ms: int | None,
    names: Mapping[str, str],
    today: str,
    cases: Mapping[CaseId, Case] | None,
) -> dict[str, Any]:
    """Give the report of the days from `first` to `last` (ISO dates) as the wire has it (`wire.PeriodReport`).

    `until_ms`: until when the last day is counted while it goes on. `names` gives clerks' names that the hall file does
    not. `cases` are those that the hall still keeps (None: all that ended is in the counts); `today` (ISO date) says
    which bad grades are followed up too late.
    """
    plan, counts = period.plan, period.counts
    visits = counts.visits
    duty = month_answer(plan, month_report(plan, "", tuple(period.days), counts.work, names=names))
    return {
        "hall": plan.hall,
        "first": first,
        "last": last,
        "counted_until": None if until_ms is None else instant(plan, until_ms),
        "total": asdict(figures(visits.total(), with_legs=False)),
        "days": rows("day", period.days),
        "hours": _hours(visits),
        "zones": rows("zone", zone_figures(plan, visits)),
        "services": rows("service", service_figures(plan, visits)),
        "matters": rows("department", _cut(by_place(visits, lambda service, _: department_of(plan, service)))),
        "tenants": rows("tenant", _cut(by_place(visits, lambda service, _: tenant_of(plan, service)))),
        "duty": duty["total"],
        "windows": rows("window", window_figures(plan, counts.work)),
        "window_hours": [
            {
                "window": no,
                "hour": hour,
                "finished": serves.total(),
                "serve_mean_s": round(sum(seconds * times for seconds, times in serves.items()) / serves.total()),
            }
            for (no, hour), serves in sorted(visits.windows.items())
        ],
        "clerks": duty["clerks"],
        "departments": duty["departments"],
        "follow_ups": [
            _follow_up(period, one, cases, today)
            for one in sorted(visits.rated, key=lambda it: it.at_ms, reverse=True)
            if one.grade <= BAD_GRADE
        ],
        "meanings": [
            {"zh": zh, "en": en} for zh, en in dict.fromkeys((*MEANINGS, HOUR_MEANING, *DUTY_MEANINGS, LOAD_MEANING))
        ],
    }


def _hours(visits: Visits) -> list[dict[str, Any]]:
    """Give every hour from the first to the last in which something happened, the empty ones between them too."""
    busy = [hour for hour, tally in visits.hours.items() if any(tally.n.values())]
    if not busy:
        return []
    return [
        {"hour": hour, **asdict(figures(visits.hours.get(hour, Tally())))} for hour in range(min(busy), max(busy) + 1)
    ]


def _cut(sums: Mapping[Any, Tally]) -> dict[Any, Figures]:
    return {key: figures(sums[key]) for key in sorted(sums)}


def _follow_up(period: Period, one: Graded, cases: Mapping[CaseId, Case] | None, today: str) -> dict[str, Any]:
    visits = period.counts.visits
    opened = visits.opened.get(one.ticket)
    ended = visits.ended.get(opened.case) if opened is not None else None
    known = cases.get(opened.case) if opened is not None and cases is not None else None
    if ended is None and known is not None and known.closed_ms is not None:  # it ended after these days
        last = known.steps[-1]
        ended = Followed(at_ms=last.at_ms, by=WorkId(last.by), outcome=last.note)
    if one.ticket in period.struck:
        status = "struck"
    elif opened is None:
        status = "none"
    elif known.appeal == APPEAL_OPEN if known is not None else cases is None and visits.appeals.get(opened.case, False):
        status = "appealed"
    elif ended is not None or (cases is not None and known is None):  # the hall forgets cases some days after their end
        status = "finished"
    else:
        status = "overdue" if opened.due is not None and opened.due < today else "open"
    return {
        "ticket": one.ticket,
        "label": one.label,
        "service": one.place[0],
        "window": one.window,
        "clerk": one.clerk,
        "grade": one.grade,
        "rated_at": instant(period.plan, one.at_ms),
        "case": opened.case if opened is not None else None,
        "status": status,
        "due": opened.due if opened is not None else None,
        "by": ended.by if ended is not None else None,
        "outcome": ended.outcome if ended is not None else None,
    }
