"""Appointments: free slots, booking them, cancelling, checking in, and taking over what was booked elsewhere.

The id of an appointment is unguessable and its holder's key, as the track token is a ticket's. Its code has six digits:
good at a kiosk on its day, where every try is counted.
"""

import secrets
from datetime import date

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ValidationError

from server.domain import appointments as book
from server.domain import commands as c
from server.domain.records import Appointment
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import AppointmentId, AppointmentStatus, DeviceId, HallPlan, ServiceId, Track
from server.hall import Hall
from server.ledger.base import Commit
from server.people import Role
from server.projections.common import (
    floor_of_service,
    instant,
    service_name,
    track_url,
    zone_of_service,
)
from server.web import answers, wire
from server.web.asking import (
    base_url,
    by_role,
    early_visitor_hash,
    hall_of,
    operation_id,
    reply,
    run,
    visitor_hash,
    visitor_of_card,
)
from server.web.auth import FLOOR_STAFF, RIGHTS, signed_in, who
from server.web.doors import visitor_address
from server.web.paper import paper_of, unless_it_prints
from server.web.problems import bad_request, invalid, language
from server.web.site import here
from server.web.structure import guide_of
from server.web.tickets import CHANNELS, TRACK_BYTES

ID_BYTES = 16  # 128 bits: nobody guesses somebody's appointment
CODES = 1_000_000  # six digits
CODE_TRIES = 50  # so many codes in a row are only taken when nearly all are
IMPORT_BYTES_MAX = 512 * 1024  # 500 rows

api = APIBlueprint(
    "appointments",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="appointments", description="Booked times")],
    operation_id_callback=operation_id,
)


@api.before_request
def make_room() -> None:
    """Let a long list in where one is expected."""
    if request.endpoint == "appointments.import_appointments":
        request.max_content_length = IMPORT_BYTES_MAX


@api.get("/halls/<hall>/appointments/slots", responses={200: wire.Slots})
def slots(path: wire.HallPath, query: wire.SlotsQuery) -> Response:
    """Give the open days and slots of a service that can be booked, with the numbers left in each."""
    hall = hall_of(path.hall)
    now_ms, service = hall.now_ms(), ServiceId(query.service)
    first = None if query.from_ is None else date.fromisoformat(query.from_)

    def look(state: HallState, _: int) -> wire.Slots:
        plan = state.plan
        rows = list(book.open_slots(state, service, now_ms))
        days = [day for day, _ in rows]
        wanted = [(day, found) for day, found in rows if first is None or day >= first][: query.days]
        return wire.Slots(
            service=service,
            slot_min=plan.bookings.slot_min,
            until=days[-1].isoformat() if days else None,
            days=[
                wire.SlotDay(day=day.isoformat(), slots=[_slot(plan, slot) for slot in found]) for day, found in wanted
            ],
            shut=[
                wire.ShutDay(day=day.isoformat(), why=why)
                for day, why in book.shut_days(plan, days, now_ms)
                if first is None or day >= first
            ],
        )

    if who() is None:
        here().looks.take(visitor_address(request.remote_addr or "", request.headers.get("X-Forwarded-For", "")))
    return reply(hall.read(look))


@api.post("/halls/<hall>/appointments", responses={201: wire.BookedAppointment})
def book_appointment(path: wire.HallPath, body: wire.BookAppointment) -> Response:
    """Book a slot. For kiosks, guides, managers and integrations."""
    hall, identity = hall_of(path.hall), signed_in()
    if identity.role is Role.KIOSK:
        here().presses.take(identity.id)
    commit = booked(hall, body, channel=CHANNELS.get(identity.role, "guide"))
    answer = answers.booked(commit, hall.plan)
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/appointments/{answer.appointment}"})


@api.get("/halls/<hall>/appointments", responses={200: wire.Appointments})
def appointments(path: wire.HallPath, query: wire.AppointmentsQuery) -> Response:
    """List appointments of all days in order of time, by day, service or status. Old ones are in the ledger only."""

    def rows(state: HallState, seq: int) -> wire.Appointments:
        found = [
            booked
            for booked in state.appointments.values()
            if query.day in (None, booked.day)
            and query.service in (None, booked.service)
            and query.status in (None, booked.status)
        ]
        found.sort(key=lambda booked: (booked.starts_ms, booked.booked_ms, booked.id))
        return wire.Appointments(appointments=[_view(state, it) for it in found[: query.limit]], seq=seq)

    return reply(hall_of(path.hall).read(rows))


@api.get("/halls/<hall>/appointments/<appointment>", responses={200: wire.HeldAppointment})
def appointment(path: wire.AppointmentPath) -> Response:
    """Give an appointment by its unguessable id; no sign-in needed."""
    as_holder = not by_role(RIGHTS["appointments.appointment"].roles)
    hall = hall_of(path.hall)
    now_ms = hall.now_ms()
    return reply(hall.read(lambda state, _: _held(state, _known(state, path.appointment), now_ms, as_holder=as_holder)))


@api.post("/halls/<hall>/appointments/<appointment>/cancel", responses={200: wire.AppointmentCancelled})
def cancel_appointment(path: wire.AppointmentPath, body: wire.Cancel) -> Response:
    """Give a slot back: the holder in time, staff at any time and with the reason."""
    hall = hall_of(path.hall)
    as_holder = not by_role(RIGHTS["appointments.cancel_appointment"].roles)
    command = c.CancelAppointment(
        id=AppointmentId(path.appointment), by_staff=by_role(frozenset(FLOOR_STAFF)), reason=body.reason
    )
    commit = run(hall, command, visitor="appointment" if as_holder else "")
    return reply(
        wire.AppointmentCancelled(appointment=path.appointment, status=AppointmentStatus.CANCELLED, seq=commit.seq)
    )


@api.post("/halls/<hall>/appointments/check-in", responses={201: wire.CheckedIn})
def check_in(path: wire.HallPath, body: wire.CheckIn) -> Response:
    """Give the visitor who booked a number: with priority in time, an ordinary one later."""
    hall, identity = hall_of(path.hall), signed_in()
    if sum(named is not None for named in (body.appointment, body.code, body.visitor_ref, body.card)) != 1:
        raise bad_request(
            "请只写明 appointment、code、visitor_ref、card 中的一项",
            "name one of appointment, code, visitor_ref and card",
        )
    if identity.role is Role.KIOSK:
        here().presses.take(identity.id)
    command = c.CheckIn(
        track=Track(secrets.token_urlsafe(TRACK_BYTES)),
        id=AppointmentId(body.appointment) if body.appointment is not None else None,
        code=body.code,
        visitor=visitor_of_card(hall, body.card) or _booked_by(hall, body.visitor_ref),
        language=body.language,
        channel=body.channel or CHANNELS.get(identity.role, "guide"),
        kiosk=DeviceId(identity.id) if identity.role is Role.KIOSK else None,
        base_url=base_url(hall.plan),
    )
    on_paper = None
    if identity.role is Role.KIOSK and not body.paperless:
        on_paper = unless_it_prints(paper_of(hall, identity.id))
    answer = answers.checked_in(run(hall, command, allowed=on_paper), hall.plan)
    if body.card is not None:
        here().presented.used(hall.id, DeviceId(identity.id), body.card, hall.now_ms())
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/tickets/{answer.ticket}"})


def _booked_by(hall: Hall, reference: str | None) -> str | None:
    """Give the hash under which this visitor has booked, if at all."""
    if reference is None:
        return None
    early = early_visitor_hash(hall, reference)
    is_early = hall.read(lambda state, _: any(booked.visitor == early for booked in state.appointments.values()))
    return early if is_early else visitor_hash(hall, reference)


@api.post("/halls/<hall>/appointments/import", responses={200: wire.ImportedAppointments})
def import_appointments(path: wire.HallPath, body: wire.ImportAppointments) -> Response:
    """Take over bookings of another system, each by itself; a row whose external id is known is not booked again."""
    hall = hall_of(path.hall)
    rows = [_import(hall, number, row) for number, row in enumerate(body.appointments)]
    counts = {result: sum(row.result == result for row in rows) for result in ("booked", "known", "refused")}
    return reply(wire.ImportedAppointments(rows=rows, **counts))


def _import(hall: Hall, number: int, row: object) -> wire.ImportedAppointment:
    shown = _external(row)
    try:
        body = row if isinstance(row, wire.ImportAppointment) else wire.ImportAppointment.model_validate(row)
        event = answers.booking(booked(hall, body, channel=CHANNELS.get(signed_in().role, "guide"), part=str(number)))
    except ValidationError as error:
        problem = invalid(error)
        return _refused(number, shown, problem.code, problem.sentence(language()))
    except Refusal as refusal:
        known = AppointmentId(refusal.facts.get("appointment", ""))
        if refusal.code is not Code.APPOINTMENT_KNOWN:
            return _refused(number, shown, refusal.code.value, refusal.sentence(language()))
        code = hall.read(lambda state, _: it.code if (it := state.appointments.get(known)) else None)
        return _imported(number, shown, "known", known, code)
    return _imported(number, shown, "booked", event.id, event.code)


def _external(row: object) -> str | None:
    """Give the external id of a row for its answer, whether the row can be read or not."""
    named = row.external if isinstance(row, wire.ImportAppointment) else None
    if named is None and isinstance(row, dict):
        named = row.get("external")
    return named[: wire.ID_LENGTH_MAX] if isinstance(named, str) else None


def _imported(
    row: int, external: str | None, result: str, appointment: AppointmentId, code: str | None
) -> wire.ImportedAppointment:
    return wire.ImportedAppointment.model_validate(
        {"row": row, "external": external, "result": result, "appointment": appointment, "code": code, "problem": None}
    )


def _refused(row: int, external: str | None, code: str, detail: str) -> wire.ImportedAppointment:
    problem = wire.ImportProblem(code=code, detail=detail)
    return wire.ImportedAppointment(
        row=row, external=external, result="refused", appointment=None, code=None, problem=problem
    )


def booked(
    hall: Hall,
    body: wire.BookAppointment,
    *,
    channel: str,
    visitor: str = "",
    part: str = "",
    tries: int = CODE_TRIES,
) -> Commit:
    """Book with an id and a code nobody guesses; another code when that one is in use.

    `channel` is kept where the body names none; `visitor` and `part` as in `run`.

    Raises:
        Refusal: the hall says no; nothing is written.
    """
    command = c.BookAppointment(
        id=AppointmentId(secrets.token_urlsafe(ID_BYTES)),
        code=f"{secrets.randbelow(CODES):06d}",
        service=ServiceId(body.service),
        day=body.day,
        starts=body.starts,
        visitor=visitor_hash(hall, body.visitor_ref),
        channel=body.channel or channel,
        external=body.external,
    )
    try:
        return run(hall, command, visitor=visitor, part=part)
    except Refusal as refusal:
        if tries == 1 or refusal.code is not Code.CODE_TAKEN:
            raise
    return booked(hall, body, channel=channel, visitor=visitor, part=part, tries=tries - 1)


def _known(state: HallState, id_: str) -> Appointment:
    booked = state.appointments.get(AppointmentId(id_))
    if booked is None:
        raise Refusal(Code.APPOINTMENT_NOT_FOUND)
    return booked


def _slot(plan: HallPlan, slot: book.Slot) -> wire.AppointmentSlot:
    return wire.AppointmentSlot(
        starts=slot.starts,
        starts_at=instant(plan, slot.starts_ms),
        ends_at=instant(plan, slot.ends_ms),
        left=slot.left,
    )


def _view(state: HallState, booked: Appointment) -> wire.Appointment:
    plan = state.plan
    return wire.Appointment(
        appointment=booked.id,
        code=booked.code,
        service=booked.service,
        service_name=dict(service_name(plan, booked.service)),
        day=booked.day,
        starts_at=instant(plan, booked.starts_ms),
        ends_at=instant(plan, booked.ends_ms),
        check_in_from=instant(plan, book.check_in_from_ms(plan, booked.starts_ms)),
        check_in_until=instant(plan, book.check_in_until_ms(plan, booked.ends_ms)),
        status=booked.status,
        channel=booked.channel,
        external=booked.external,
        booked_at=instant(plan, booked.booked_ms),
        ticket=booked.ticket,
        label=booked.ticket.rpartition("-")[2] if booked.ticket is not None else None,
        reason=booked.reason or None,
        trouble=book.trouble(state, booked),
    )


def _held(state: HallState, booked: Appointment, now_ms: int, *, as_holder: bool) -> wire.HeldAppointment:
    plan = state.plan
    service = plan.service.get(booked.service)
    floor = floor_of_service(plan, booked.service) if service is not None else None
    ticket = state.tickets.get(booked.ticket) if booked.ticket is not None and as_holder else None
    return wire.HeldAppointment(
        **dict(_view(state, booked)),
        hall_name=dict(plan.name),
        hall_address=dict(plan.address) if plan.address else None,
        languages=list(plan.languages),
        zone_name=dict(zone_of_service(plan, booked.service)) if service is not None else None,
        floor=dict(floor) if floor else None,
        cancel_until=instant(plan, until_ms := book.cancel_until_ms(plan, booked.starts_ms)),
        can_cancel=booked.status is AppointmentStatus.BOOKED and now_ms <= until_ms,
        online=plan.bookings.online is not None,
        track_url=track_url(ticket.base_url, plan.hall, ticket.track) if ticket is not None else None,
        guide=guide_of(service),
        drill=here().drill,
        as_of=instant(plan, now_ms),
    )
