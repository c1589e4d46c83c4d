"""Signing in and out, and who the server takes the sender for."""

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.refusals import Code, Refusal
from server.domain.terms import HallId, WindowNo
from server.people import NAME, SESSION_IDLE_S, Identity, Locked, Role, SignInFailed, User
from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.auth import DEVICE_COOKIE, SESSION_COOKIE, audit, who
from server.web.posts import check_free
from server.web.problems import Problem, too_many
from server.web.site import Site, here

DEVICE_COOKIE_S = 10 * 365 * 24 * 3600  # a kiosk stays what it is until its token is revoked

api = APIBlueprint(
    "people",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="people", description="Signing in and out")],
    operation_id_callback=operation_id,
)


@api.post("/login", responses={200: wire.Me})
def login(body: wire.Login) -> Response:
    """Sign in; a clerk names the window. Gives the session cookie and the CSRF token."""
    site = here()
    user = check_password(body.work_id, body.password)
    hall = _hall(site, user, body.hall)
    window = _window(user, hall, body.window)
    token, identity = begin_session(user, hall, window)
    response = reply(me_of(site, identity))
    set_cookie(response, SESSION_COOKIE, token, max_age=SESSION_IDLE_S)
    return response


@api.post("/logout", responses={200: wire.SignedOut})
def logout(body: wire.Nothing) -> Response:  # noqa: ARG001
    """End the session of this browser. A device stays enrolled."""
    identity = who()
    if identity is not None and identity.is_person:
        here().people.sign_out(identity)
        audit.info("sign-out of %r from %s", identity.id, request.remote_addr)
    response = reply(wire.SignedOut(kind="nobody"))
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict")
    return response


@api.get("/me", responses={200: wire.Me})
def me() -> Response:
    """Say who the sender is, and the token that commands need in `X-CSRF-Token`. Never an error."""
    return reply(me_of(here(), who()))


def check_password(work_id: str, password: str) -> User:
    """Give the account that work id and password open; every try is counted, a bad one recorded.

    Raises:
        Problem: they do not belong together, or there were too many tries.
    """
    site = here()
    site.sign_ins.take(request.remote_addr or "")
    try:
        user = site.people.check_password(work_id, password)
    except SignInFailed as error:
        _note("failed", work_id)
        raise Problem("sign_in_failed") from error
    except Locked as error:
        _note("locked", work_id)
        raise too_many(error.retry_after_s) from error
    return user


def begin_session(user: User, hall: HallId | None, window: WindowNo | None) -> tuple[str, Identity]:
    """Give the cookie's token of a new session and who it stands for.

    Raises:
        Problem: the account was disabled in this very moment.
    """
    try:
        token, identity = here().people.sign_in(user, hall=hall, window=window)
    except SignInFailed as error:
        _note("failed", user.work_id)
        raise Problem("sign_in_failed") from error
    _note("done", user.work_id)
    return token, identity


def me_of(site: Site, identity: Identity | None) -> wire.Me:
    """Give who somebody is, as the pages want it; fields that do not apply are left out."""
    plans = [hall.plan for hall in site.halls.values()]
    halls = [
        wire.HallName(hall=plan.hall, name=dict(plan.name))
        for plan in plans
        if identity is None or identity.hall in (None, plan.hall)
    ]
    shown = identity.hall if identity is not None and identity.hall is not None else site.only_hall
    languages = list(dict.fromkeys(tongue for plan in plans if shown in (None, plan.hall) for tongue in plan.languages))
    known: dict[str, object] = {} if shown is None else {"hall": shown}
    if identity is not None and identity.is_person:
        known |= {"work_id": identity.id, "name": identity.name, "role": identity.role.value}
        known |= {} if identity.window is None else {"window": identity.window}
    elif identity is not None:
        known |= {"device": identity.id, "name": identity.name, "role": identity.role.value}
        known |= {} if identity.window is None else {"window": identity.window}
    kind = "nobody" if identity is None else "person" if identity.is_person else "device"
    csrf = "" if identity is None else identity.csrf or "device"
    return wire.Me.model_validate(
        {
            "kind": kind,
            "csrf": csrf,
            "languages": languages,
            "drill": site.drill,
            "dev": site.dev,
            "halls": halls,
            **known,
        }
    )


def set_cookie(response: Response, name: str, token: str, *, max_age: int) -> None:
    """Give the browser a token that no script and no other site can use."""
    secure = request.is_secure or here().doors.is_https(request.host)
    response.set_cookie(name, token, max_age=max_age, httponly=True, samesite="Strict", secure=secure, path="/")


def set_device_cookie(response: Response, token: str) -> None:
    """Make the browser that device."""
    set_cookie(response, DEVICE_COOKIE, token, max_age=DEVICE_COOKIE_S)


def _note(outcome: str, work_id: str) -> None:
    """Keep a record of a sign-in; what is no work id may be a password typed in the wrong field."""
    audit.info("sign-in %s: %r from %s", outcome, work_id if NAME.fullmatch(work_id) else "?", request.remote_addr)


def _hall(site: Site, user: User, wanted: str | None) -> HallId | None:
    """Give the hall of the session: the named one, the account's, or the only one."""
    hall = wanted or user.hall or site.only_hall
    if hall is None:
        return None
    if user.hall is not None and hall != user.hall:
        raise Problem("not_allowed")
    return hall_of(hall).id


def _window(user: User, hall: HallId | None, wanted: str | None) -> WindowNo | None:
    """Give the window of the session; only clerks sit at one, and only where their account lets them.

    Raises:
        Problem: the account may not sign in there, or no hall is named on a server with several.
        Refusal: the hall has no such window, or the clerk works at one of another hall.
    """
    if wanted is None or user.role is not Role.CLERK:
        return None
    if hall is None:
        raise Problem("hall_missing")
    if WindowNo(wanted) not in hall_of(hall).plan.window:
        raise Refusal(Code.WINDOW_NOT_FOUND, window=wanted)
    if user.windows and WindowNo(wanted) not in user.windows:
        raise Problem("window_not_yours", window=wanted)
    check_free(here(), user.work_id, hall)
    return WindowNo(wanted)
