"""What visitors do at machines without a page: press a button of a panel, lay down a card, hold a code to a scanner.

For the agent that registered the device; where it stands (kiosk, window) is what its row in the register says. Of a
card the agent sends a hash under the hall's key, an age band and a masked name; they are kept in memory for half a
minute and written nowhere (`server.web.presented`).
"""

import re
import secrets
from urllib.parse import urlsplit

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.refusals import Refusal
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    AppointmentId,
    AppointmentStatus,
    DeviceId,
    PriorityId,
    ServiceId,
    TicketStatus,
    Track,
    WindowNo,
)
from server.hall import Hall
from server.projections.common import instant
from server.projections.presented import SHOWN_S, Scanned
from server.register import Kind, Row
from server.web import answers, wire
from server.web.asking import base_url, hall_of, operation_id, reply, run, visitor_key
from server.web.auth import signed_in
from server.web.paper import paper_of, unless_it_prints
from server.web.problems import Problem
from server.web.site import here
from server.web.tickets import TRACK_BYTES

KIOSK_CHANNEL, DESK_CHANNEL = "kiosk", "guide"  # these are printed
_CODE = re.compile(r"\d{6}")

api = APIBlueprint(
    "inputs",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="inputs", description="Button panels, card readers, scanners")],
    operation_id_callback=operation_id,
)

_DEVICE = "/halls/<hall>/devices/<device>"


@api.post(f"{_DEVICE}/number", responses={201: wire.IssuedTicket})
def number(path: wire.DevicePath, body: wire.PanelNumber) -> Response:
    """Give a number to who pressed a button of a panel: as if its kiosk had asked, and its printer prints it."""
    hall = hall_of(path.hall)
    kiosk = _kiosk(_row(hall, path.device, Kind.PANEL))
    here().presses.take(kiosk)
    plan = hall.plan
    command = c.IssueTicket(
        service=ServiceId(body.service),
        track=Track(secrets.token_urlsafe(TRACK_BYTES)),
        priority=PriorityId(body.priority) if body.priority else None,
        channel=KIOSK_CHANNEL,
        kiosk=kiosk,
        base_url=base_url(plan),
    )
    service = plan.service.get(command.service)
    on_paper = unless_it_prints(paper_of(hall, kiosk, service.zone if service is not None else None))
    answer = answers.issued(run(hall, command, allowed=on_paper), plan)
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/tickets/{answer.ticket}"})


@api.post(f"{_DEVICE}/card-key", responses={200: wire.CardKey})
def card_key(path: wire.DevicePath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Give the hall's key under which a card reader hashes numbers; it must never be written down."""
    hall = hall_of(path.hall)
    _row(hall, path.device, Kind.IDCARD)
    return reply(wire.CardKey(key=visitor_key(hall).hex()), headers={"Cache-Control": "no-store"})


@api.post(f"{_DEVICE}/card", responses={200: wire.CardTaken})
def card(path: wire.DevicePath, body: wire.PresentCard) -> Response:
    """Show the kiosk's page that a card was laid down; it is forgotten after half a minute and written nowhere."""
    hall = hall_of(path.hall)
    kiosk = _kiosk(_row(hall, path.device, Kind.IDCARD))
    lies = here().presented.lay(
        hall.id,
        kiosk,
        document=body.document,
        visitor=body.visitor,
        age_from=body.age_from,
        name=body.name,
        now_ms=hall.now_ms(),
    )
    return reply(wire.CardTaken(kiosk=kiosk, until=instant(hall.plan, lies.until_ms)))


@api.post(f"{_DEVICE}/scan", responses={200: wire.ScanTaken})
def scan(path: wire.DevicePath, body: wire.Scan) -> Response:
    """Do what a scanned code is for: a missed or away ticket waits again, a booking gets its number, others are shown.

    At a window the ticket that is called there is started.
    """
    hall = hall_of(path.hall)
    row = _row(hall, path.device, Kind.SCANNER)
    kiosk = row.kiosks[0] if row.kiosks else None
    try:
        done = _do(hall, body.code.strip(), kiosk, row.windows)
    except (Refusal, Problem) as refusal:
        if kiosk is not None:
            words = {"zh": refusal.sentence("zh"), "en": refusal.sentence("en")}
            _show(hall, kiosk, Scanned(scan=_name(), did="refused", until_ms=_until_ms(hall), problem=words))
        raise
    if kiosk is not None:
        _show(hall, kiosk, done)
    return reply(wire.ScanTaken.model_validate({"did": done.did, "ticket": done.ticket, "label": done.label}))


def _do(hall: Hall, code: str, kiosk: DeviceId | None, windows: tuple[WindowNo, ...]) -> Scanned:
    """Find what a code means and do it.

    Raises:
        Problem: it means nothing here today.
        Refusal: the hall says no.
    """
    token = _token(hall, code)
    ticket = hall.read(lambda state, _: _ticket(state, token))
    if ticket is None:
        return _check_in(hall, token, kiosk)
    command, did = _move(ticket, windows)
    if command is not None:
        run(hall, command)
    return Scanned(scan=_name(), did=did, until_ms=_until_ms(hall), ticket=ticket.id, label=ticket.label)


def _move(ticket: Ticket, windows: tuple[WindowNo, ...]) -> tuple[c.TicketMove | c.Reinstate | c.ComeBack | None, str]:
    match ticket.status:
        case TicketStatus.CALLED if ticket.window in windows:
            return c.StartServing(window=ticket.window, ticket=ticket.id), "started"
        case TicketStatus.MISSED:
            return c.Reinstate(ticket=ticket.id), "reinstated"
        case TicketStatus.AWAY:
            return c.ComeBack(ticket=ticket.id), "back"
        case _:
            return None, "shown"


def _check_in(hall: Hall, token: str, kiosk: DeviceId | None) -> Scanned:
    """Give the number of a booking, by the id in its QR code or its six digits of today."""
    by_code = _CODE.fullmatch(token) is not None
    booked = hall.read(lambda state, _: state.appointments.get(AppointmentId(token)))
    if booked is None and not by_code:
        raise Problem("not_a_code")
    if booked is not None and booked.status is AppointmentStatus.KEPT and booked.ticket is not None:
        held = hall.read(lambda state, _: state.tickets.get(booked.ticket) if booked.ticket else None)
        if held is not None:  # the same code twice: the visitor wants to see the number
            return Scanned(scan=_name(), did="shown", until_ms=_until_ms(hall), ticket=held.id, label=held.label)
    command = c.CheckIn(
        track=Track(secrets.token_urlsafe(TRACK_BYTES)),
        id=None if by_code else AppointmentId(token),
        code=token if by_code else None,
        channel=DESK_CHANNEL if kiosk is None else KIOSK_CHANNEL,
        kiosk=kiosk,
        base_url=base_url(hall.plan),
    )
    on_paper = None if kiosk is None else unless_it_prints(paper_of(hall, kiosk))
    answer = answers.checked_in(run(hall, command, allowed=on_paper), hall.plan)
    return Scanned(scan=_name(), did="checked_in", until_ms=_until_ms(hall), ticket=answer.ticket, label=answer.label)


def _token(hall: Hall, code: str) -> str:
    """Give the token of a code: the last part of a ticket's address, or the code itself.

    Raises:
        Problem: it is the ticket of another hall.
    """
    try:
        parts = urlsplit(code).path.split("/") if "/" in code else []
    except ValueError:  # an address that cannot be, such as http://[
        parts = []
    if len(parts) < 3 or parts[-3] != "t":
        return code
    if parts[-2] != hall.id:
        raise Problem("not_a_code")
    return parts[-1]


def _ticket(state: HallState, token: str) -> Ticket | None:
    found = state.tracks.get(Track(token))
    return None if found is None else state.tickets[found]


def _row(hall: Hall, device: str, kind: Kind) -> Row:
    """Give the register's row of a device.

    Raises:
        Problem: it is not there, of another kind, or another agent's.
    """
    row = here().register.row(hall.id, DeviceId(device))
    if row is None or row.kind is not kind or row.owner != signed_in().id:
        raise Problem("not_allowed")
    return row


def _kiosk(row: Row) -> DeviceId:
    """Give the kiosk a device stands at.

    Raises:
        Problem: its row names none.
    """
    if not row.kiosks:
        raise Problem(
            "invalid", what={"zh": f"设备 {row.device} 没有写明 kiosks", "en": f"{row.device} names no kiosk"}
        )
    return row.kiosks[0]


def _show(hall: Hall, kiosk: DeviceId, done: Scanned) -> None:
    here().presented.scanned(hall.id, kiosk, done)


def _until_ms(hall: Hall) -> int:
    return hall.now_ms() + SHOWN_S * 1000


def _name() -> str:
    return secrets.token_urlsafe(8)
