"""For managers and auditors: live assignment, the end of the day, the ledger's tail."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.terms import ServiceId, WindowNo
from server.ledger.codec import to_wire
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run

api = APIBlueprint(
    "manager",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="manager", description="Assignment, the day, the ledger")],
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
