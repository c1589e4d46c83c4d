"""For managers and auditors: live assignment, the end of the day, the ledger's tail, the report of a day."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain import events as e
from server.domain.terms import ServiceId, WindowNo, business_day
from server.hall import Hall
from server.ledger.codec import to_wire
from server.projections.report import DayReport, day_report
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.history import CHUNK, first_of_day
from server.web.problems import Problem, bad_request

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


@api.get("/halls/<hall>/reports/day", responses={200: wire.DayReport})
def report_day(path: wire.HallPath, query: wire.DayQuery) -> Response:
    """Give the statistics of one business day, from its commits."""
    hall = hall_of(path.hall)
    plan, now_ms = hall.plan, hall.now_ms()
    day = query.date or business_day(plan, now_ms).isoformat()
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise bad_request(f"没有 {day} 这一天", f"{day} is no date") from error
    report = day_report(plan, day, _events(hall, day), now_ms=now_ms)
    if not report.hall.issued and not _has_day(hall, day):
        raise Problem("day_not_found", day=day)
    return reply(_report(hall, report))


def _events(hall: Hall, day: str) -> Iterator[tuple[int, e.Event]]:
    """Give the events of a business day; the commit that turns the day belongs to both days, at its DayOpened."""
    after, inside = first_of_day(hall, day) - 1, False
    while rows := hall.commits(max(0, after), CHUNK):
        for commit in rows:
            if commit.day > day:
                return
            for event in commit.events:
                if isinstance(event, e.DayOpened):
                    inside = event.day == day
                if inside or (commit.day == day and not isinstance(event, e.DayOpened)):
                    yield commit.at_ms, event
        after = rows[-1].seq
        time.sleep(0)  # a day is long: let others be answered in between


def _has_day(hall: Hall, day: str) -> bool:
    if hall.read(lambda state, _: state.day) == day:
        return True
    rows = hall.commits(first_of_day(hall, day), 1)
    return bool(rows) and rows[0].day == day


def _report(hall: Hall, report: DayReport) -> wire.DayReport:
    figures = asdict(report)
    return wire.DayReport.model_validate(
        {
            "hall": hall.id,
            "business_day": report.day,
            "total": figures["hall"],
            "zones": [{"zone": zone, **row} for zone, row in figures["zones"].items()],
            "services": [{"service": service, **row} for service, row in figures["services"].items()],
            "windows": [{"window": no, **row} for no, row in figures["windows"].items()],
        }
    )
