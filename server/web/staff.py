"""Who works at a window: hand-over to a colleague, held visitors moved, and signs of life from the clerk's page."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import commands as c
from server.domain.terms import WindowNo
from server.hall import Hall
from server.people import SESSION_IDLE_S, PeopleError, Role, User
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.auth import CHIEFS, SESSION_COOKIE, signed_in
from server.web.people import begin_session, check_password, set_cookie
from server.web.problems import Problem
from server.web.site import here

api = APIBlueprint(
    "staff",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="windows", description="Windows at work")],
    operation_id_callback=operation_id,
)

_WINDOW = "/halls/<hall>/windows/<no>"


@api.post(f"{_WINDOW}/hand-over", responses={200: wire.HandedOver})
def hand_over(path: wire.WindowPath, body: wire.HandOver) -> Response:
    """Let a colleague take over the window with its current visitor and its lists (换岗).

    With `work_id` and `password` the colleague proves who it is, and the session of this browser becomes the
    colleague's: ask `GET /me` for its CSRF token. With `clerk` a manager names the colleague, or a clerk who signed in
    at the window that another left takes it over.
    """
    hall, window = hall_of(path.hall), WindowNo(path.no)
    asker = signed_in()
    if not asker.is_person:
        raise Problem("not_allowed")
    proved = body.work_id is not None and body.password is not None
    if proved == (body.clerk is not None) or (body.work_id is None) != (body.password is None):
        raise Problem(
            "invalid",
            what={
                "zh": "请写明 work_id 和 password，或只写 clerk",
                "en": "name the colleague by work_id and password, or by clerk alone",
            },
        )
    if body.work_id is not None and body.password is not None:
        user = check_password(body.work_id, body.password)
    elif asker.role in CHIEFS or body.clerk == asker.id:
        user = _account(body.clerk or "")
    else:
        raise Problem("not_allowed")
    _check_place(user, hall, window)
    commit = run(hall, c.HandOver(window=window, clerk=user.work_id, reason=body.reason))
    response = reply(answers.handed_over(commit))
    if proved:
        at = window if user.role is Role.CLERK else None
        token, _ = begin_session(user, hall.id, at)
        set_cookie(response, SESSION_COOKIE, token, max_age=SESSION_IDLE_S)
    return response


@api.post(f"{_WINDOW}/move-held", responses={200: wire.HeldMoved})
def move_held(path: wire.WindowPath, body: wire.MoveHeld) -> Response:
    """Keep the held and missed visitors of the window at another one from now on."""
    command = c.MoveHeld(window=WindowNo(path.no), to_window=WindowNo(body.to_window), reason=body.reason)
    return reply(answers.held_moved(run(hall_of(path.hall), command)))


@api.post(f"{_WINDOW}/alive", responses={200: wire.Alive})
def alive(path: wire.WindowPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Say that somebody is at work at the window; pages send it when keys or the pointer are used, commands say it too.

    Where the hall file sets `[staff] left_alone_min`, a window without a sign of life for so long is paused.
    """
    hall, window = hall_of(path.hall), WindowNo(path.no)
    if window not in hall.plan.window:
        raise Problem("not_found")
    here().presence.seen(hall.id, window)
    return reply(wire.Alive(window=window))


def _account(work_id: str) -> User:
    """Give an account that is open."""
    try:
        user = here().people.user(work_id)
    except PeopleError as error:
        raise Problem("account_not_found", clerk=work_id) from error
    if user.disabled:
        raise Problem("account_not_found", clerk=work_id)
    return user


def _check_place(user: User, hall: Hall, window: WindowNo) -> None:
    """Refuse who may not work at the window: another hall's, not a clerk's or chief's account, other windows only."""
    if user.hall is not None and user.hall != hall.id:
        raise Problem("not_allowed")
    if user.role not in CHIEFS | {Role.CLERK} or (user.windows and window not in user.windows):
        raise Problem("window_not_for", window=window, clerk=user.work_id)
