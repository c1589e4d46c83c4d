"""Numbers: giving them, looking at them, and what their holder or the hall may do with them."""

import secrets

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.decide import DAY_CLOSED
from server.domain.events import CaseNumberNoted
from server.domain.forecast import Outlook
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.state import Ticket as TicketState
from server.domain.terms import DeviceId, Label, PriorityId, ServiceId, TicketId, Track, WindowNo
from server.hall import Hall
from server.ledger.codec import STORED_NAME
from server.people import PERSON_ROLES, Role
from server.projections import ticket as ticket_page
from server.projections.common import instant, track_url
from server.projections.whys import why_of
from server.web import answers, wire
from server.web.asking import base_url, by_role, hall_of, operation_id, reply, run, visitor_hash, visitor_of_card
from server.web.auth import RIGHTS, looks_like_track, signed_in
from server.web.history import Entry, History
from server.web.paper import paper_of, unless_it_prints
from server.web.problems import Problem, language
from server.web.site import here

TRACK_BYTES = 16  # 128 bits: nobody guesses a phone page
WHY = {DAY_CLOSED: {"zh": "营业结束时未办完", "en": "still open when the day closed"}}  # reasons of the hall itself
CASE_NOTED = STORED_NAME[CaseNumberNoted]
CHANNELS = {Role.KIOSK: "kiosk", Role.INTEGRATION: "integration"}

api = APIBlueprint(
    "tickets",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="tickets", description="Numbers")],
    operation_id_callback=operation_id,
)


@api.post("/halls/<hall>/tickets", responses={201: wire.IssuedTicket})
def issue(path: wire.HallPath, body: wire.IssueTicket) -> Response:
    """Give a number for a service. For kiosks, guides, managers and integrations."""
    hall, identity = hall_of(path.hall), signed_in()
    if identity.role is Role.KIOSK:
        if body.unlisted:
            raise Problem("not_allowed")
        here().presses.take(identity.id)
    plan = hall.plan
    command = c.IssueTicket(
        service=ServiceId(body.service),
        track=Track(secrets.token_urlsafe(TRACK_BYTES)),
        priority=PriorityId(body.priority) if body.priority else None,
        window=WindowNo(body.window) if body.window else None,
        language=body.language,
        channel=body.channel or CHANNELS.get(identity.role, "guide"),
        kiosk=DeviceId(identity.id) if identity.role is Role.KIOSK else None,
        visitor=visitor_of_card(hall, body.card) or visitor_hash(hall, body.visitor_ref),
        base_url=base_url(plan),
        legs=tuple(ServiceId(service) for service in body.legs),
        case_number=body.case_number or "",
        unlisted=body.unlisted,
    )
    on_paper = None
    if identity.role is Role.KIOSK and not body.paperless:
        service = plan.service.get(command.service)
        on_paper = unless_it_prints(paper_of(hall, identity.id, service.zone if service is not None else None))
    answer = answers.issued(run(hall, command, allowed=on_paper), plan)
    if body.card is not None:
        here().presented.used(hall.id, DeviceId(identity.id), body.card, hall.now_ms())
    return reply(answer, 201, {"Location": f"/api/v1/halls/{hall.id}/tickets/{answer.ticket}"})


@api.get("/halls/<hall>/tickets", responses={200: wire.Tickets})
def tickets(path: wire.HallPath, query: wire.TicketsQuery) -> Response:
    """List today's tickets in the order of issue, by status, zone or window (where they are, or were last)."""

    def rows(state: HallState, seq: int) -> list[wire.Ticket]:
        outlook = waits.at(state, seq, now_ms)
        found = [
            ticket
            for ticket in state.tickets.values()
            if query.status in (None, ticket.status)
            and query.zone in (None, ticket.zone)
            and query.window in (None, ticket.window)
        ]
        return [_view(state, ticket, now_ms, outlook) for ticket in found[-query.limit :]]

    hall = hall_of(path.hall)
    now_ms, waits = hall.now_ms(), here().waits_of(hall.id)
    return reply(wire.Tickets(tickets=hall.read(rows)))


@api.get("/halls/<hall>/tickets/<ticket>", responses={200: wire.Ticket})
def ticket(path: wire.TicketPath, query: wire.TrackQuery) -> Response:
    """Give a ticket of today with its history: by id, label or track token; without a sign-in by track token only."""
    hall = hall_of(path.hall)
    found, as_holder = _find(hall, path.ticket, query.track, "tickets.ticket")
    now_ms, waits = hall.now_ms(), here().waits_of(hall.id)
    view = hall.read(
        lambda state, seq: _view(state, state.tickets.get(found.id, found), now_ms, waits.at(state, seq, now_ms))
    )
    plan, tongue = hall.plan, language()
    knows_case = not as_holder and by_role(PERSON_ROLES | {Role.INTEGRATION})

    def reason(entry: Entry) -> str | None:
        if as_holder or (entry.event == CASE_NOTED and not knows_case):
            return None
        if entry.reason is None:
            why = why_of(entry.called) if entry.called is not None else None
            return None if why is None else why.get(tongue, why["en"])
        return WHY.get(entry.reason, {}).get(tongue, entry.reason)

    history = [
        wire.TicketHistory(
            at=instant(plan, entry.at_ms),
            event=entry.event,
            window=entry.window,
            actor=None if as_holder else entry.actor.id,
            reason=reason(entry),
        )
        for entry in _history(hall).of(found.id)
    ]
    more: dict[str, object] = {"history": history}
    if as_holder:
        more["track_url"] = track_url(found.base_url, hall.id, found.track)
    if not knows_case:
        more["case_number"] = None
    return reply(view.model_copy(update=more))


@api.post("/halls/<hall>/tickets/<ticket>/legs", responses={200: wire.LegsPlanned})
def plan_legs(path: wire.TicketPath, body: wire.PlanLegs) -> Response:
    """Plan the legs of a joint matter under one number; a clerk does so for the visitor at the own window."""
    hall, identity = hall_of(path.hall), signed_in()
    found, _ = _find(hall, path.ticket, None, "tickets.plan_legs")
    if identity.role is Role.CLERK and identity.window is None:
        raise Problem("not_allowed")
    command = c.PlanLegs(
        ticket=found.id,
        services=tuple(ServiceId(service) for service in body.services),
        window=identity.window if identity.role is Role.CLERK else None,
    )
    return reply(answers.legs_planned(run(hall, command), hall.plan))


@api.post("/halls/<hall>/tickets/<ticket>/cancel", responses={200: wire.TicketChanged})
def cancel(path: wire.TicketPath, query: wire.TrackQuery, body: wire.Cancel) -> Response:
    """Take a ticket out: the visitor gave up, or the hall removes it."""
    hall = hall_of(path.hall)
    found, as_holder = _find(hall, path.ticket, query.track, "tickets.cancel")
    commit = run(hall, c.Cancel(ticket=found.id, reason=body.reason), visitor=found.id if as_holder else "")
    return reply(answers.changed(commit))


@api.post("/halls/<hall>/tickets/<ticket>/reinstate", responses={200: wire.TicketChanged})
def reinstate(path: wire.TicketPath, query: wire.TrackQuery, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Let a missed visitor wait again, a few calls later."""
    hall = hall_of(path.hall)
    found, as_holder = _find(hall, path.ticket, query.track, "tickets.reinstate")
    return reply(answers.changed(run(hall, c.Reinstate(ticket=found.id), visitor=found.id if as_holder else "")))


@api.post("/halls/<hall>/tickets/<ticket>/back", responses={200: wire.TicketChanged})
def back(path: wire.TicketPath, query: wire.TrackQuery, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Let a visitor who fetched the missing papers wait again at the old place."""
    hall = hall_of(path.hall)
    found, as_holder = _find(hall, path.ticket, query.track, "tickets.back")
    return reply(answers.changed(run(hall, c.ComeBack(ticket=found.id), visitor=found.id if as_holder else "")))


@api.post("/halls/<hall>/tickets/<ticket>/case", responses={200: wire.CaseNoted})
def note_case(path: wire.TicketPath, body: wire.NoteCase) -> Response:
    """Keep case number and matter code of a visit; a clerk does so for the visitor at the own window."""
    hall, identity = hall_of(path.hall), signed_in()
    found, _ = _find(hall, path.ticket, None, "tickets.note_case")
    if identity.role is Role.CLERK and identity.window is None:
        raise Problem("not_allowed")
    command = c.NoteCaseNumber(
        ticket=found.id,
        case_number=body.case_number,
        matter_code=body.matter_code or "",
        window=identity.window if identity.role is Role.CLERK else None,
    )
    return reply(answers.case_noted(run(hall, command)))


@api.post("/halls/<hall>/tickets/<ticket>/reprint", responses={200: wire.Reprinted})
def reprint(path: wire.TicketPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Print a ticket again, marked 补打, at the asking kiosk's printer."""
    hall, identity = hall_of(path.hall), signed_in()
    found, _ = _find(hall, path.ticket, None, "tickets.reprint")
    kiosk = DeviceId(identity.id) if identity.role is Role.KIOSK else None
    return reply(answers.reprinted(run(hall, c.Reprint(ticket=found.id, kiosk=kiosk))))


@api.post("/halls/<hall>/tickets/<ticket>/rate", responses={200: wire.Rated})
def rate(path: wire.TicketPath, query: wire.TrackQuery, body: wire.Rate) -> Response:
    """Keep the visitor's own grade of a finished visit, once."""
    hall = hall_of(path.hall)
    found, as_holder = _find(hall, path.ticket, query.track, "tickets.rate")
    commit = run(hall, c.Rate(ticket=found.id, grade=body.grade), visitor=found.id if as_holder else "")
    return reply(answers.rated(commit))


def _find(hall: Hall, name: str, track: str | None, endpoint: str) -> tuple[TicketState, bool]:
    """Give a ticket of today, and whether its holder asks; without the role it is found by its track token only.

    Raises:
        Refusal: there is no such ticket today.
    """
    as_holder = track is not None or looks_like_track(name) or not by_role(RIGHTS[endpoint].roles)

    def look(state: HallState, _: int) -> TicketState | None:
        if not as_holder:
            id_ = TicketId(name) if name in state.tickets else state.labels.get(Label(name.strip().upper()))
            return None if id_ is None else state.tickets[id_]
        id_ = state.tracks.get(Track(track if track is not None else name))
        found = None if id_ is None else state.tickets[id_]
        return found if found is not None and name in (found.id, found.label, found.track) else None

    found = hall.read(look)
    if found is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=name[:64])
    return found, as_holder


def _view(state: HallState, ticket: TicketState, now_ms: int, outlook: Outlook) -> wire.Ticket:
    page = ticket_page.ticket(state, ticket.track, now_ms=now_ms, waits=outlook)
    if page is None:
        raise Refusal(Code.TICKET_NOT_FOUND, ticket=ticket.label)  # the day has turned since it was found
    return wire.Ticket(
        ticket=page.ticket,
        label=page.label,
        number=page.number,
        service=page.service,
        zone=page.zone,
        status=ticket.status,
        priority=page.priority,
        issued_at=page.issued_at,
        ahead=page.ahead,
        eta=answers.eta(page.eta),
        window=page.window,
        called_at=page.called_at,
        started_at=page.started_at,
        finished_at=page.finished_at,
        call_count=page.call_count,
        waited_s=page.waited_s,
        rated=page.rated,
        can=wire.TicketCan(
            cancel=page.can.cancel, reinstate=page.can.reinstate, rate=page.can.rate, back=page.can.back
        ),
        history=[],
        legs=[
            wire.Leg(
                service=leg.service,
                name=dict(leg.name),
                zone_name=dict(leg.zone_name),
                floor=dict(leg.floor) if leg.floor else None,
                status=leg.status,
                window=leg.window,
                finished_at=leg.finished_at,
                unserved=leg.unserved,
            )
            for leg in page.legs
        ],
        lead_window=page.lead_window,
        leg_unserved=page.leg_unserved,
        away_for=ticket.away_for,
        notice=list(page.notice),
        case_number=ticket.case_number or None,
    )


def _history(hall: Hall) -> History:
    return here().histories.setdefault(hall.id, History(hall))
