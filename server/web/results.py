"""Results (出件) that the back office has ready, until somebody collects them."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.state import HallState
from server.domain.terms import AwayFor, Label, ServiceId, TicketId
from server.projections.common import instant, instant_or_none
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run, visitor_hash

api = APIBlueprint(
    "results",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="results", description="Results of the back office")],
    operation_id_callback=operation_id,
)


@api.post("/halls/<hall>/results", responses={200: wire.ResultReported})
def report_result(path: wire.HallPath, body: wire.ReportResult) -> Response:
    """Say that a result is ready. A visit of today that awaits it is called again under its own number.

    Else the result waits, over the days, until somebody takes a pickup number with the case number.
    """
    hall = hall_of(path.hall)
    command = c.ReportResult(
        case_number=body.case_number,
        pickup=ServiceId(body.pickup) if body.pickup else None,
        ticket=TicketId(body.ticket) if body.ticket else None,
        label=Label(body.label) if body.label else None,
        visitor=visitor_hash(hall, body.visitor_ref),
        note=body.note,
    )
    return reply(answers.result_reported(run(hall, command)))


@api.get("/halls/<hall>/results", responses={200: wire.Results})
def results(path: wire.HallPath) -> Response:
    """List the results nobody has collected, and the visits of today that wait for theirs."""

    def look(state: HallState, _: int) -> wire.Results:
        ready = sorted(state.results.values(), key=lambda it: (it.ready_ms, it.case_number))
        away = sorted(
            (ticket for ticket in state.tickets.values() if ticket.away_for is AwayFor.RESULT),
            key=lambda ticket: (ticket.away_ms or 0, ticket.order),
        )
        return wire.Results(
            results=[
                wire.Result(
                    case_number=it.case_number,
                    pickup=it.pickup,
                    ready_at=instant(state.plan, it.ready_ms),
                    ticket=it.ticket,
                    note=it.note,
                )
                for it in ready
            ],
            awaiting=[
                wire.Awaiting(
                    ticket=ticket.id,
                    label=ticket.label,
                    pickup=ticket.service,
                    case_number=ticket.case_number or None,
                    away_at=instant_or_none(state.plan, ticket.away_ms),
                )
                for ticket in away
            ],
        )

    return reply(hall_of(path.hall).read(look))
