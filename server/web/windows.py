"""A window at work: opened, calling, serving. For the clerk signed in there, its keypad's agent, and managers."""

import secrets

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.state import HallState
from server.domain.terms import HallId, Label, PauseReason, ServiceId, TicketId, Track, WindowNo, WorkId
from server.hall import Hall
from server.people import Role
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.auth import CHIEFS, signed_in
from server.web.problems import Problem
from server.web.site import here
from server.web.tickets import TRACK_BYTES

api = APIBlueprint(
    "windows",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="windows", description="Windows at work")],
    operation_id_callback=operation_id,
)

_WINDOW = "/halls/<hall>/windows/<no>"


@api.post(f"{_WINDOW}/open", responses={200: wire.WindowChanged})
def open_window(path: wire.WindowPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Begin work at the window. A keypad opens it for the clerk who is signed in there; a manager may open several."""
    hall = hall_of(path.hall)
    several = signed_in().role in CHIEFS
    return _window_changed(
        hall, c.OpenWindow(window=WindowNo(path.no), clerk=_clerk(hall.id, path.no), several=several)
    )


@api.post(f"{_WINDOW}/pause", responses={200: wire.WindowChanged})
def pause_window(path: wire.WindowPath, body: wire.Pause) -> Response:
    """Take no calls for a while; the reason is shown."""
    command = c.PauseWindow(window=WindowNo(path.no), reason=PauseReason(body.reason), note=body.note)
    return _window_changed(hall_of(path.hall), command)


@api.post(f"{_WINDOW}/resume", responses={200: wire.WindowChanged})
def resume_window(path: wire.WindowPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """End the pause."""
    return _window_changed(hall_of(path.hall), c.ResumeWindow(window=WindowNo(path.no)))


@api.post(f"{_WINDOW}/close", responses={200: wire.WindowChanged})
def close_window(path: wire.WindowPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """End work at the window."""
    return _window_changed(hall_of(path.hall), c.CloseWindow(window=WindowNo(path.no)))


@api.post(f"{_WINDOW}/call-next", responses={200: wire.Called})
def call_next(path: wire.WindowPath, body: wire.CallNext) -> Response:
    """Call who is next; when nobody waits, the next number of a paper roll. With `finish` the current one is finished.

    All of it in one commit: either everything has happened or nothing.
    """
    track = Track(secrets.token_urlsafe(TRACK_BYTES))
    return _called(hall_of(path.hall), c.CallNext(window=WindowNo(path.no), finish=body.finish, track=track))


@api.post(f"{_WINDOW}/call", responses={200: wire.Called})
def call_ticket(path: wire.WindowPath, body: wire.CallTicket) -> Response:
    """Call one ticket out of turn; the reason is kept."""
    hall = hall_of(path.hall)
    if not (body.ticket or body.label):
        raise Problem("invalid", what={"zh": "请写明 ticket 或 label", "en": "name the ticket by ticket or by label"})
    command = c.CallTicket(
        window=WindowNo(path.no),
        reason=body.reason,
        ticket=_ticket(hall, body.ticket),
        label=Label(body.label) if body.label else None,
    )
    return _called(hall, command)


@api.post(f"{_WINDOW}/recall", responses={200: wire.Moved})
def recall(path: wire.WindowPath, body: wire.Move) -> Response:
    """Announce the called ticket again."""
    hall = hall_of(path.hall)
    return _moved(hall, c.Recall(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/start", responses={200: wire.Moved})
def start(path: wire.WindowPath, body: wire.Move) -> Response:
    """The visitor is at the window."""
    hall = hall_of(path.hall)
    return _moved(hall, c.StartServing(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/finish", responses={200: wire.Moved})
def finish(path: wire.WindowPath, body: wire.Finish) -> Response:
    """The visit is done, or its leg: then the visitor waits for the next, or for the planned one that `next` names."""
    hall = hall_of(path.hall)
    following = ServiceId(body.next) if body.next else None
    return _moved(hall, c.Finish(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket), next=following))


@api.post(f"{_WINDOW}/missed", responses={200: wire.Moved})
def missed(path: wire.WindowPath, body: wire.Move) -> Response:
    """The visitor did not come and may come back."""
    hall = hall_of(path.hall)
    return _moved(hall, c.MarkMissed(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/no-show", responses={200: wire.Moved})
def no_show(path: wire.WindowPath, body: wire.Move) -> Response:
    """The visitor did not come and the visit is over."""
    hall = hall_of(path.hall)
    return _moved(hall, c.MarkNoShow(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/return", responses={200: wire.Moved})
def return_ticket(path: wire.WindowPath, body: wire.Move) -> Response:
    """Called by mistake: back to the old place."""
    hall = hall_of(path.hall)
    ticket = _ticket(hall, body.ticket)
    return _moved(hall, c.ReturnTicket(window=WindowNo(path.no), ticket=ticket, reason=body.reason))


@api.post(f"{_WINDOW}/undo", responses={200: wire.Moved})
def undo(path: wire.WindowPath, body: wire.Undo) -> Response:
    """Take the last move back (start, finish, missed, no-show, return, hold): within 5 s, if nothing happened since."""
    hall = hall_of(path.hall)
    return _moved(hall, c.Undo(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/hold", responses={200: wire.Moved})
def hold(path: wire.WindowPath, body: wire.Move) -> Response:
    """The visitor leaves with leave and keeps the visit at this window."""
    hall = hall_of(path.hall)
    return _moved(hall, c.Hold(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket), reason=body.reason))


@api.post(f"{_WINDOW}/resume-held", responses={200: wire.Moved})
def resume_held(path: wire.WindowPath, body: wire.Move) -> Response:
    """Call a held visitor back; without a ticket the one held longest."""
    hall = hall_of(path.hall)
    return _moved(hall, c.Resume(window=WindowNo(path.no), ticket=_ticket(hall, body.ticket)))


@api.post(f"{_WINDOW}/transfer", responses={200: wire.Moved})
def transfer(path: wire.WindowPath, body: wire.Transfer) -> Response:
    """Send the visitor to another service or window; label and arrival time are kept."""
    hall = hall_of(path.hall)
    command = c.Transfer(
        window=WindowNo(path.no),
        ticket=_ticket(hall, body.ticket),
        service=ServiceId(body.service) if body.service else None,
        to_window=WindowNo(body.window) if body.window else None,
        place=body.place,
        reason=body.reason,
    )
    return _moved(hall, command)


@api.post(f"{_WINDOW}/notice", responses={200: wire.NoticeGiven})
def give_notice(path: wire.WindowPath, body: wire.GiveNotice) -> Response:
    """Say once and completely which papers are missing (一次告知); the slip is printed."""
    hall = hall_of(path.hall)
    command = c.GiveNotice(
        window=WindowNo(path.no),
        ticket=_ticket(hall, body.ticket),
        items=tuple(body.items),
        note=body.note,
        away=body.away,
    )
    return reply(answers.notice_given(run(hall, command)))


@api.post(f"{_WINDOW}/await-result", responses={200: wire.ResultAwaited})
def await_result(path: wire.WindowPath, body: wire.AwaitResult) -> Response:
    """Intake is done and the back office decides: the visit waits away from the windows until its result is ready."""
    hall = hall_of(path.hall)
    command = c.AwaitResult(
        window=WindowNo(path.no),
        ticket=_ticket(hall, body.ticket),
        pickup=ServiceId(body.pickup) if body.pickup else None,
        case_number=body.case_number or "",
    )
    return reply(answers.result_awaited(run(hall, command)))


@api.post(f"{_WINDOW}/rate", responses={200: wire.Rated})
def rate_at_window(path: wire.WindowPath, body: wire.RateAtWindow) -> Response:
    """Keep a grade pressed at the window, on its pad or tablet: it belongs to the visit finished there last.

    A tablet names the visit as `to_rate` of the window's picture does; a grade that comes too late for it is refused.
    """
    if body.ticket is None and signed_in().role is Role.DISPLAY:
        raise Problem("invalid", what={"zh": "请写明 ticket", "en": "name the ticket"})
    hall = hall_of(path.hall)
    command = c.RateAtWindow(window=WindowNo(path.no), grade=body.grade, ticket=_ticket(hall, body.ticket))
    return reply(answers.rated(run(hall, command)))


def _clerk(hall: HallId, no: str) -> WorkId:
    """Give who works at the window from now on: the person who opens it, for a keypad the clerk signed in there."""
    identity = signed_in()
    if identity.is_person:
        return WorkId(identity.id)
    clerk = here().people.clerk_at(hall, no)
    if clerk is None:
        raise Problem("nobody_at_window", window=no)
    return clerk


def _ticket(hall: Hall, name: str | None) -> TicketId | None:
    """Give the id of a ticket named by id or by today's label; unknown names are left to the hall to refuse."""
    if name is None:
        return None

    def look(state: HallState, _: int) -> TicketId:
        return TicketId(name) if name in state.tickets else state.labels.get(Label(name.upper()), TicketId(name))

    return hall.read(look)


def _window_changed(hall: Hall, command: c.WindowMove) -> Response:
    return reply(answers.window_changed(run(hall, command)))


def _called(hall: Hall, command: c.CallNext | c.CallTicket) -> Response:
    plan = hall.plan
    return reply(answers.called(run(hall, command), plan))


def _moved(hall: Hall, command: c.TicketMove | c.Undo | c.Resume) -> Response:
    return reply(answers.moved(run(hall, command)))
