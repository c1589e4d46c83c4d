"""For managers and auditors: live assignment, the end of the day, the ledger's tail, the report of a day."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.terms import HallPlan, ServiceId, WindowNo, business_day
from server.hall import Hall
from server.ledger.codec import to_wire
from server.projections.month import answer_of as month_answer
from server.projections.month import days_of_month, month_report
from server.projections.report import answer_of as day_answer
from server.projections.report import day_report
from server.projections.work import Work, work_of_day
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.history import events_of_day, first_of_day
from server.web.problems import Problem
from server.web.site import here

WORKS_MAX = 800  # days of which the counts are kept, of all halls

api = APIBlueprint(
    "manager",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="manager", description="Assignment, the day, the ledger, reports")],
    operation_id_callback=operation_id,
)


@api.put("/halls/<hall>/windows/<no>/services", responses={200: wire.Assigned})
def assign_services(path: wire.WindowPath, body: wire.Assign) -> Response:
    """Set what a window serves and what it takes over when that is quiet, live."""
    command = c.AssignServices(
        window=WindowNo(path.no),
        serves=tuple(ServiceId(service) for service in body.serves),
        relief=tuple(ServiceId(service) for service in body.relief),
        reason=body.reason,
    )
    return reply(answers.assigned(run(hall_of(path.hall), command)))


@api.post("/halls/<hall>/day/close", responses={200: wire.DayClosed})
def close_day(path: wire.HallPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """End the business day: open tickets expire, windows close, no numbers until the next day."""
    return reply(answers.day_closed(run(hall_of(path.hall), c.CloseDay())))


@api.get("/halls/<hall>/commits", responses={200: wire.Commits})
def commits(path: wire.HallPath, query: wire.CommitsQuery) -> Response:
    """Give the ledger's tail: commits with seq > `after`, at most `limit`, each with its place in the hash chain."""
    hall = hall_of(path.hall)
    seq = hall.seq  # before reading: what is newer is left to the next question
    rows = [wire.CommitRow.model_validate(to_wire(commit)) for commit in hall.commits(query.after, query.limit)]
    return reply(wire.Commits(commits=rows, seq=max([seq, *(row.seq for row in rows)])))


@api.get("/halls/<hall>/ledger", responses={200: wire.LedgerState})
def ledger(path: wire.HallPath) -> Response:
    """Give where the ledger stands: its last commit, and the hash of the state that its commits make.

    The hash is the same for the same commits, however the state came about: `jiaohao ledger verify` finds it again from
    the first commit on.
    """
    hall = hall_of(path.hall)
    now = hall.freeze()
    return reply(
        wire.LedgerState(
            hall=hall.id, seq=now.seq, head=now.head, business_day=now.day or None, state_hash=now.state_hash
        )
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
    for day in days_of_month(month):
        if day <= today and _has_day(hall, day):
            work.add(_work_of(hall, plan, day, now_ms), struck=struck)
            days.append(day)
    if not days and month != today[:7]:
        raise Problem("day_not_found", day=month)
    names = {str(user.work_id): user.name for user in here().people.users()}
    report = month_report(plan, month, tuple(days), work, names=names)
    return reply(wire.MonthReport.model_validate(month_answer(plan, report)))


def _work_of(hall: Hall, plan: HallPlan, day: str, now_ms: int) -> Work:
    """Give the counts of a day; those of a day that is over never change and are kept."""
    kept = here().works
    known = kept.get((hall.id, day))
    if known is not None:
        return known
    work = work_of_day(plan, day, events_of_day(hall, day), now_ms=now_ms)
    if day < (hall.read(lambda state, _: state.day) or ""):  # the next one has begun: nothing is added any more
        while len(kept) >= WORKS_MAX:
            kept.pop(next(iter(kept)), None)
        kept[hall.id, day] = work
    return work


def _has_day(hall: Hall, day: str) -> bool:
    if hall.read(lambda state, _: state.day) == day:
        return True
    rows = hall.commits(first_of_day(hall, day), 1)
    return bool(rows) and rows[0].day == day
