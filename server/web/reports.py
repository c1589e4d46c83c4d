"""What happened on some business days, in numbers: as JSON for pages and machines, as files for spreadsheets."""

import time
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.terms import HallPlan, business_day
from server.hall import Hall
from server.projections.month import answer_of as month_answer
from server.projections.month import days_of_month, month_report
from server.projections.period import DAYS_MAX, Period
from server.projections.period import answer_of as period_answer
from server.projections.report import Counts, counts_of_day, day_report
from server.projections.report import answer_of as day_answer
from server.projections.work import Work
from server.tables import Report, as_csv, names_of, tables, workbook
from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.history import events_of_day, first_of_day
from server.web.problems import Problem, bad_request, language
from server.web.site import here

COUNTS_MAX = 300  # days of which the counts are kept, of all halls; some 0.3 MB for each of a busy one
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

api = APIBlueprint(
    "reports",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="reports", description="Statistics of days, months and periods")],
    operation_id_callback=operation_id,
)


@api.get("/halls/<hall>/reports/day", responses={200: wire.DayReport})
def report_day(path: wire.HallPath, query: wire.DayQuery) -> Response:
    """Give the statistics of one business day, from its commits."""
    hall = hall_of(path.hall)
    plan, now_ms = hall.plan, hall.now_ms()
    day = query.date or business_day(plan, now_ms).isoformat()
    struck = hall.read(lambda state, _: frozenset(state.struck))
    report = day_report(plan, day, events_of_day(hall, day), now_ms=now_ms, struck=struck)
    if not report.hall.issued and not _has_day(hall, day):
        raise Problem("day_not_found", day=day)
    return reply(wire.DayReport.model_validate(day_answer(hall.id, report)))


@api.get("/halls/<hall>/reports/month", responses={200: wire.MonthReport})
def report_month(path: wire.HallPath, query: wire.MonthQuery) -> Response:
    """Give attendance and work of a month: per clerk, window, department, service and tenant."""
    hall = hall_of(path.hall)
    plan, now_ms = hall.plan, hall.now_ms()
    today = business_day(plan, now_ms).isoformat()
    month = query.month or today[:7]
    struck = hall.read(lambda state, _: frozenset(state.struck))
    work, days = Work(), []
    for day, counts in _counted(hall, plan, (it for it in days_of_month(month) if it <= today), now_ms):
        work.add(counts.work, struck=struck)
        days.append(day)
    if not days and month != today[:7]:
        raise Problem("day_not_found", day=month)
    report = month_report(plan, month, tuple(days), work, names=_names())
    return reply(wire.MonthReport.model_validate(month_answer(plan, report)))


@api.get("/halls/<hall>/reports/period", responses={200: wire.PeriodReport})
def report_period(path: wire.HallPath, query: wire.PeriodQuery) -> Response:
    """Give the statistics of some business days: by day, hour, zone, service, department, tenant, window and clerk."""
    return reply(_period(hall_of(path.hall), query))


@api.get("/halls/<hall>/reports/period/file")
def report_file(path: wire.HallPath, query: wire.PeriodTableQuery) -> Response:
    """Give the statistics of some business days as a file for spreadsheets, one sheet for each table."""
    hall = hall_of(path.hall)
    answer = _period(hall, query).model_dump(mode="json")
    found = tables(Report(answer=answer, names=names_of(hall.plan)), query.lang or language())
    name = f"{hall.id}-{query.from_}-{query.to}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if query.format == "csv":
        return Response("\ufeff" + as_csv(found), content_type="text/csv; charset=utf-8", headers=headers)
    return Response(here().offload(lambda: workbook(found)), content_type=XLSX, headers=headers)


def _period(hall: Hall, query: wire.PeriodQuery) -> wire.PeriodReport:
    first, last = date.fromisoformat(query.from_), date.fromisoformat(query.to)
    if last - first >= timedelta(days=DAYS_MAX):
        raise bad_request(f"一次最多 {DAYS_MAX} 天，请缩短日期范围", f"at most {DAYS_MAX} days at once: ask for fewer")
    plan, now_ms = hall.plan, hall.now_ms()
    today = business_day(plan, now_ms).isoformat()
    struck, day_open, cases = hall.read(lambda state, _: (frozenset(state.struck), state.day_open, dict(state.cases)))
    period = Period.of(plan, struck)
    wanted = ((first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1))
    for day, counts in _counted(hall, plan, (it for it in wanted if it <= today), now_ms):
        period.add(day, counts)
    if not period.days and not query.from_ <= today <= query.to:
        raise Problem("day_not_found", day=query.from_ if first == last else f"{query.from_} – {query.to}")
    answer = period_answer(
        period,
        first=query.from_,
        last=query.to,
        until_ms=now_ms if today in period.days and day_open else None,
        names=_names(),
        today=today,
        cases=cases,
    )
    return wire.PeriodReport.model_validate(answer)


def _names() -> dict[str, str]:
    return {str(user.work_id): user.name for user in here().people.users()}


def _counted(hall: Hall, plan: HallPlan, days: Iterable[str], now_ms: int) -> Iterator[tuple[str, Counts]]:
    """Give the days that the hall had, with their counts; those of a day that is over never change and are kept."""
    kept = here().counts
    for day in days:
        key = (hall.id, plan.digest, day)  # targets are the plan's
        counts = kept.get(key)
        if counts is None:
            if not _has_day(hall, day):
                continue
            counts = counts_of_day(plan, day, events_of_day(hall, day), now_ms=now_ms)
            if day < (hall.read(lambda state, _: state.day) or ""):  # the next one has begun: nothing is added any more
                while len(kept) >= COUNTS_MAX:
                    kept.pop(next(iter(kept)), None)
                kept[key] = counts
            time.sleep(0)  # let others be answered in between
        yield day, counts


def _has_day(hall: Hall, day: str) -> bool:
    if hall.read(lambda state, _: state.day) == day:
        return True
    rows = hall.commits(first_of_day(hall, day), 1)
    return bool(rows) and rows[0].day == day
