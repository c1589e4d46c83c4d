"""What a kiosk needs to give numbers by itself while it cannot reach the server, and the door for telling of them.

A kiosk asks in good time for blocks of numbers and for everything that stands on a ticket of each service. What it gave
by itself it tells afterwards, one by one and in order, under the key of the press.
"""

from typing import Annotated, Any

import msgspec
from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import AwareDatetime, Field

from server.domain import calendar
from server.domain import commands as c
from server.domain import events as e
from server.domain.leases import HELD_MAX
from server.domain.records import Lease
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import DeviceId, HallPlan, Label, PriorityId, ServiceId, Track, label_of
from server.people import Role
from server.projections.common import instant
from server.projections.jobs import blank_paper
from server.web import answers, wire
from server.web.asking import base_url, hall_of, operation_id, reply, run
from server.web.auth import signed_in
from server.web.site import here

NUMBER_MAX = 99_999

api = APIBlueprint(
    "leases",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="leases", description="Numbers that kiosks give by themselves")],
    operation_id_callback=operation_id,
)


class LeaseNumbers(wire.Body):
    """So many numbers of a series; the hall gives at most what a kiosk may hold."""

    prefix: Annotated[str, Field(min_length=1, max_length=8)]
    count: Annotated[int, Field(ge=1, le=HELD_MAX)] = HELD_MAX


class LeasePath(wire.HallPath):
    """A block by the label of its first number."""

    lease: Annotated[str, Field(max_length=16)]


class OfflineTicket(wire.Body):
    """A number that the kiosk gave by itself. `track` and the label stand on the paper already.

    `pressed_at` by the kiosk's clock counts as no earlier than the lease or the number before, and no later than now.
    """

    service: wire.Id
    number: Annotated[int, Field(ge=0, le=NUMBER_MAX)]
    business_day: wire.Day
    pressed_at: AwareDatetime
    track: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{22,64}$")]
    priority: wire.Id | None = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")] = None


class LeasedBlock(wire.Answer):
    """A block; `given` is its last number that the hall knows of, None before the first. Not `open`: it is over."""

    lease: str
    kiosk: str
    prefix: str
    first: int
    last: int
    given: int | None
    open: bool


class BlockLeased(wire.Answer):
    """The numbers are the kiosk's until `ends_at`."""

    lease: str
    prefix: str
    first: int
    last: int
    business_day: str
    ends_at: wire.Instant
    seq: int


class BlockReturned(wire.Answer):
    """The block is over."""

    lease: str
    seq: int


class Hours(wire.Answer):
    """Numbers are given between these."""

    from_: Annotated[wire.Instant, Field(alias="from")]
    to: wire.Instant


class OfflineService(wire.Answer):
    """What the kiosk needs to give a number of a service by itself today.

    `hours`: when numbers are given, None where no hours bind it. `paper` is the data of the job `print_ticket`; label,
    ticket, instant, priority and the visitor's address are the kiosk's to fill in.
    """

    service: str
    zone: str
    prefix: str
    hours: list[Hours] | None
    windows: list[str]
    paper: dict[str, Any]


class Leases(wire.Answer):
    """The blocks of today and, for a kiosk, what it needs besides. `hold`: how many of a series it may hold."""

    business_day: str
    day_open: bool
    ends_at: wire.Instant
    hold: int
    track_base: str
    leases: list[LeasedBlock]
    services: list[OfflineService]


@api.get("/halls/<hall>/leases", responses={200: Leases})
def leases(path: wire.HallPath) -> Response:
    """List the leased blocks of today: to a kiosk its own, with all it needs to give their numbers by itself."""
    hall, identity, drill = hall_of(path.hall), signed_in(), here().drill
    kiosk = DeviceId(identity.id) if identity.role is Role.KIOSK else None
    now_ms, base = hall.now_ms(), base_url(hall.plan)

    def look(state: HallState, _: int) -> Leases:
        plan, day = state.plan, state.day or ""
        return Leases(
            business_day=day,
            day_open=state.day_open,
            ends_at=instant(plan, calendar.day_ends_ms(plan, day)),
            hold=HELD_MAX,
            track_base=f"{base.rstrip('/')}/t/{plan.hall}/",
            leases=[_row(it) for it in state.leases.values() if kiosk in (None, it.kiosk)],
            services=_services(state, kiosk, now_ms, drill=drill) if kiosk is not None else [],
        )

    return Response(hall.read(look).model_dump_json(by_alias=True), content_type="application/json")


@api.post("/halls/<hall>/leases", responses={201: BlockLeased})
def lease_numbers(path: wire.HallPath, body: LeaseNumbers) -> Response:
    """Lease a block of a series: from now on nobody but this kiosk gives its numbers, today."""
    hall = hall_of(path.hall)
    commit = run(hall, c.LeaseNumbers(kiosk=DeviceId(signed_in().id), prefix=body.prefix, count=body.count))
    event = next(it for it in commit.events if isinstance(it, e.BlockLeased))
    answer = BlockLeased(
        lease=label_of(event.prefix, event.first),
        prefix=event.prefix,
        first=event.first,
        last=event.last,
        business_day=commit.day,
        ends_at=instant(hall.plan, calendar.day_ends_ms(hall.plan, commit.day)),
        seq=commit.seq,
    )
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/leases"})


@api.post("/halls/<hall>/leases/<lease>/return", responses={200: BlockReturned})
def return_block(path: LeasePath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """End a block: the kiosk gives no more of it. A manager ends that of a kiosk that is lost."""
    identity = signed_in()
    kiosk = DeviceId(identity.id) if identity.role is Role.KIOSK else None
    commit = run(hall_of(path.hall), c.ReturnBlock(lease=Label(path.lease), kiosk=kiosk))
    return reply(BlockReturned(lease=path.lease, seq=commit.seq))


@api.post("/halls/<hall>/offline-tickets", responses={201: wire.IssuedTicket})
def offline_ticket(path: wire.HallPath, body: OfflineTicket) -> Response:
    """Tell of a number that the kiosk gave by itself: it waits as if it had been given here when it was pressed."""
    hall = hall_of(path.hall)
    command = c.IssueOffline(
        kiosk=DeviceId(signed_in().id),
        service=ServiceId(body.service),
        number=body.number,
        day=body.business_day,
        pressed_ms=round(body.pressed_at.timestamp() * 1000),
        track=Track(body.track),
        priority=PriorityId(body.priority) if body.priority else None,
        language=body.language,
        base_url=base_url(hall.plan),
    )
    answer = answers.issued(run(hall, command), hall.plan)
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/tickets/{answer.ticket}"})


def _row(lease: Lease) -> LeasedBlock:
    return LeasedBlock(
        lease=lease.label,
        kiosk=lease.kiosk,
        prefix=lease.prefix,
        first=lease.first,
        last=lease.last,
        given=lease.given if lease.given >= lease.first else None,
        open=lease.open,
    )


def _services(state: HallState, kiosk: DeviceId, now_ms: int, *, drill: bool) -> list[OfflineService]:
    """Give what the kiosk may offer: the services of its zones."""
    plan = state.plan
    planned = plan.kiosk.get(kiosk)
    zones = planned.zones if planned is not None else ()
    return [
        OfflineService(
            service=service.id,
            zone=service.zone,
            prefix=service.prefix,
            hours=_hours(plan, service.id, now_ms),
            windows=list(state.windows_of(service.id)),
            paper=msgspec.to_builtins(blank_paper(state, service.id, drill=drill)),
        )
        for service in plan.services
        if not zones or service.zone in zones
    ]


def _hours(plan: HallPlan, service: ServiceId, now_ms: int) -> list[Hours] | None:
    """Give when numbers of a service are given today; the last ones so long before closing as the hall file says."""
    if calendar.is_unbound(plan, service):
        return None
    last_ms = calendar.closing(plan, service, now_ms)
    before_ms = (plan.calendar.last_ticket_min or 0) * MS_PER_MIN
    found = []
    for opens_ms, closes_ms in calendar.open_spans(plan, service, calendar.local(plan, now_ms).date()):
        until_ms = closes_ms if last_ms is None else min(closes_ms, last_ms - before_ms)
        if until_ms > opens_ms:
            found.append(Hours.model_validate({"from": instant(plan, opens_ms), "to": instant(plan, until_ms)}))
    return found
