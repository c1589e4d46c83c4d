"""Booking by visitors themselves (网上自助预约), on the phone and without an account, in halls whose file allows it.

Who books gives the number that the hall asks for; only its keyed hash is kept, and binds one visitor to the hall's own
rules: bookings a day, a pause for who did not come. How often somebody may try is bound per address and per visitor.
What was booked is seen and cancelled by its unguessable id, as everybody's (`appointments`).
Identity numbers: GB 11643-1999, with the check digit of ISO 7064 MOD 11-2. Mobile numbers: eleven digits from 13 to 19.
"""

import re
from datetime import date
from typing import assert_never

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.state import HallState
from server.domain.terms import BookedWith, HallPlan, Service
from server.projections.common import floor_of_service
from server.web import answers, wire
from server.web.appointments import booked
from server.web.asking import hall_of, operation_id, reply, visitor_hash
from server.web.doors import visitor_address
from server.web.problems import Problem
from server.web.site import here
from server.web.structure import guide_of, pinyin_of, rules_of

CHANNEL = "online"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
_IDENTITY = re.compile(r"[1-9][0-9]{16}[0-9X]")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_BETWEEN = re.compile(r"[\s-]")  # as people group digits

api = APIBlueprint(
    "booking",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="appointments", description="Booked times")],
    operation_id_callback=operation_id,
)


@api.get("/booking", responses={200: wire.OnlineHalls})
def online_halls() -> Response:
    """List the halls in which visitors book by themselves."""
    here().looks.take(_address())
    plans = [hall.plan for hall in here().halls.values()]
    rows = [wire.OnlineHall(hall=plan.hall, name=dict(plan.name)) for plan in plans if plan.bookings.online]
    return reply(wire.OnlineHalls(halls=rows))


@api.get("/halls/<hall>/booking", responses={200: wire.OnlineBooking})
def online_booking(path: wire.HallPath) -> Response:
    """Give what a visitor can book in a hall, and by which rules."""
    here().looks.take(_address())
    drill = here().drill
    return reply(hall_of(path.hall).read(lambda state, _: _booking(state, drill=drill)))


@api.post("/halls/<hall>/booking", responses={201: wire.BookedAppointment})
def book_online(path: wire.HallPath, body: wire.BookOnline) -> Response:
    """Book a slot as a visitor, who gives the number that the hall asks for."""
    hall, site = hall_of(path.hall), here()
    asks = hall.plan.bookings.online
    if asks is None:
        raise Problem("not_online")
    reference = checked(asks, body.visitor_ref)
    site.bookings.take(_address())
    site.bookings_of_one.take(visitor_hash(hall, reference) or "")
    wanted = wire.BookAppointment(service=body.service, day=body.day, starts=body.starts, visitor_ref=reference)
    answer = answers.booked(booked(hall, wanted, channel=CHANNEL, visitor="appointment"), hall.plan)
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/appointments/{answer.appointment}"})


def checked(asks: BookedWith, typed: str) -> str:
    """Give a visitor's number as it is hashed everywhere: without spaces, X written large.

    Raises:
        Problem: it is no such number.
    """
    number = _BETWEEN.sub("", typed).upper()
    match asks:
        case BookedWith.IDENTITY_NUMBER:
            good = _is_identity(number)
        case BookedWith.PHONE_NUMBER:
            good = _PHONE.fullmatch(number) is not None
        case _:
            assert_never(asks)
    if not good:
        raise Problem(f"{asks}_wrong")
    return number


def _is_identity(number: str) -> bool:
    if not _IDENTITY.fullmatch(number):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number[:17], strict=True))
    return number[17] == CHECK_DIGITS[total % 11]


def _address() -> str:
    return visitor_address(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def _booking(state: HallState, *, drill: bool) -> wire.OnlineBooking:
    plan = state.plan
    return wire.OnlineBooking(
        hall=plan.hall,
        name=dict(plan.name),
        address=dict(plan.address) if plan.address else None,
        time_zone=plan.time_zone,
        languages=list(plan.languages),
        drill=drill,
        rules=rules_of(plan),
        services=[_service(plan, service) for service in plan.services if _is_offered(plan, service)],
    )


def _is_offered(plan: HallPlan, service: Service) -> bool:
    """Say whether a service can be booked and is ever served: windows to which nobody is sent (未派驻) do not count."""
    windows = [window for window in plan.windows if service.id in (*window.serves, *window.relief)]
    return service.appointments is not None and (not windows or any(window.staffed for window in windows))


def _service(plan: HallPlan, service: Service) -> wire.OnlineService:
    floor = floor_of_service(plan, service.id)
    return wire.OnlineService(
        service=service.id,
        name=dict(service.name),
        zone=service.zone,
        zone_name=dict(plan.zone[service.zone].name),
        floor=dict(floor) if floor else None,
        department=service.department,
        prefix=service.prefix,
        pinyin=pinyin_of(plan, service),
        common=service.common,
        guide=guide_of(service),
    )
