"""Paper rolls beside a broken kiosk: announced, reported, taken away by the guide; a manager may do the same."""

import secrets
from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from server.domain import commands as c
from server.domain import events as e
from server.domain.records import Roll as RollState
from server.domain.rolls import AT_ONCE_MAX, NUMBERS
from server.domain.state import HallState
from server.domain.terms import HallPlan, ServiceId, Track, label_of
from server.projections.common import service_name
from server.web import wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.tickets import TRACK_BYTES

Number = Annotated[int, Field(ge=NUMBERS.start, lt=NUMBERS.stop)]

api = APIBlueprint(
    "rolls",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="rolls", description="Paper rolls")],
    operation_id_callback=operation_id,
)


class AnnounceRoll(wire.Body):
    """A pre-printed roll of numbers of a service: `first` to `last` with letters that no service of the hall uses."""

    service: wire.Id
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z]{1,2}$")]
    first: Number = 1
    last: Number
    note: wire.Note = ""


class RollPath(wire.HallPath):
    """A roll by its letters."""

    prefix: str


class ReportRoll(wire.Body):
    """The newest number torn off; the hall is told of at most 200 at once."""

    upto: Number


class Roll(wire.Answer):
    """A roll in use; `given` and `label` are the last number that the hall knows of, None before the first."""

    prefix: str
    service: str
    name: wire.Text
    first: int
    last: int
    given: int | None
    label: str | None
    note: str


class Rolls(wire.Answer):
    """The rolls in use now, in the order in which they were announced."""

    rolls: list[Roll]


class RollAnnounced(wire.Answer):
    """The roll is in use."""

    prefix: str
    service: str
    first: int
    last: int
    seq: int


class RollTicket(wire.Answer):
    """A number of a roll that waits from now on."""

    ticket: str
    label: str
    ahead: int


class RollReported(wire.Answer):
    """The numbers that became known by a report."""

    prefix: str
    tickets: list[RollTicket]
    seq: int


class RollEnded(wire.Answer):
    """The roll is not in use any more; `given` is the last number that the hall knew of, before the first when none."""

    prefix: str
    given: int
    seq: int


@api.get("/halls/<hall>/rolls", responses={200: Rolls})
def rolls(path: wire.HallPath) -> Response:
    """List the paper rolls in use."""

    def rows(state: HallState, _: int) -> list[Roll]:
        return [_row(state.plan, roll) for roll in state.rolls.values()]

    return reply(Rolls(rolls=hall_of(path.hall).read(rows)))


@api.post("/halls/<hall>/rolls", responses={201: RollAnnounced})
def announce(path: wire.HallPath, body: AnnounceRoll) -> Response:
    """Hang a paper roll beside a broken kiosk. From now on an idle window calls its next number."""
    hall = hall_of(path.hall)
    command = c.AnnounceRoll(
        service=ServiceId(body.service), prefix=body.prefix, first=body.first, last=body.last, note=body.note
    )
    commit = run(hall, command)
    event = next(it for it in commit.events if isinstance(it, e.RollAnnounced))
    answer = RollAnnounced(
        prefix=event.prefix, service=event.service, first=event.first, last=event.last, seq=commit.seq
    )
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/rolls"})


@api.post("/halls/<hall>/rolls/<prefix>/torn-off", responses={200: RollReported})
def torn_off(path: RollPath, body: ReportRoll) -> Response:
    """Report how far the roll is torn off: the numbers up to there wait like any other."""
    tracks = tuple(Track(secrets.token_urlsafe(TRACK_BYTES)) for _ in range(min(body.upto, AT_ONCE_MAX)))
    commit = run(hall_of(path.hall), c.TornOff(prefix=path.prefix, upto=body.upto, tracks=tracks))
    issued = [it for it in commit.events if isinstance(it, e.TicketIssued)]
    tickets = [RollTicket(ticket=it.ticket, label=it.label, ahead=it.ahead) for it in issued]
    return reply(RollReported(prefix=issued[0].prefix, tickets=tickets, seq=commit.seq))


@api.post("/halls/<hall>/rolls/<prefix>/end", responses={200: RollEnded})
def end(path: RollPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Take the roll away. Its numbers that wait are called as before; no further one is."""
    commit = run(hall_of(path.hall), c.EndRoll(prefix=path.prefix))
    event = next(it for it in commit.events if isinstance(it, e.RollEnded))
    return reply(RollEnded(prefix=event.prefix, given=event.given, seq=commit.seq))


def _row(plan: HallPlan, roll: RollState) -> Roll:
    given = roll.given if roll.given >= roll.first else None
    return Roll(
        prefix=roll.prefix,
        service=roll.service,
        name=dict(service_name(plan, roll.service)),
        first=roll.first,
        last=roll.last,
        given=given,
        label=None if given is None else label_of(roll.prefix, given),
        note=roll.note,
    )
