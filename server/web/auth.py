"""Who sends a request, and what each may do: one table of rights, read before every route.

A route without a row is closed to everybody. People come with a session cookie, devices with a bearer token, browsers
on kiosks and boards with a device cookie. Cookies are only good for commands together with the CSRF header.
"""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from flask import Flask, g, request

from server.domain.terms import Actor, ActorKind, HallId, WindowNo
from server.people import DEVICE_ROLES, PERSON_ROLES, Identity, People, Role
from server.register import Kind, Register
from server.web.problems import Problem
from server.web.site import Site, here

SESSION_COOKIE = "jiaohao_session"
DEVICE_COOKIE = "jiaohao_device"
CSRF_HEADER = "X-CSRF-Token"
VISITOR_HEADER = "X-Visitor"  # a visitor's page sends it: who may be signed in with this browser does not count

audit = logging.getLogger("server.audit")  # sign-ins and refused attempts: GB/T 22239-2019 8.1.4.3

CHIEFS = frozenset({Role.MANAGER, Role.ADMIN})
CONTROLLERS = CHIEFS | {Role.AUDITOR}
FLOOR_STAFF = CHIEFS | {Role.CLERK, Role.GUIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Who may use a route: these roles; who is at work `at_window` or its pad's agent; who holds the `track` token.

    `online`: everybody, in halls where visitors book by themselves.
    """

    roles: frozenset[Role] = frozenset()
    everybody: bool = False
    dev: bool = False  # `--dev` opens it on loopback
    at_window: Kind | None = None
    track: bool = False
    online: bool = False


OPEN = Right(everybody=True)
READ = Right(roles=PERSON_ROLES | DEVICE_ROLES, dev=True)
AT_WINDOW = Right(roles=CHIEFS, at_window=Kind.KEYPAD)
STAFF_OR_HOLDER = Right(roles=FLOOR_STAFF | {Role.INTEGRATION}, track=True)

RIGHTS: Mapping[str, Right] = {
    "people.login": OPEN,
    "people.logout": OPEN,
    "people.me": OPEN,
    "devices.enrol": OPEN,
    "structure.halls": READ,
    "structure.hall": READ,
    "structure.state": READ,
    "tickets.issue": Right(roles=CHIEFS | {Role.GUIDE, Role.KIOSK, Role.INTEGRATION}),
    "tickets.tickets": Right(roles=PERSON_ROLES),
    "tickets.ticket": Right(roles=PERSON_ROLES | {Role.KIOSK, Role.DEVICES, Role.INTEGRATION}, track=True),
    "tickets.plan_legs": Right(roles=FLOOR_STAFF),
    "tickets.cancel": STAFF_OR_HOLDER,
    "tickets.reinstate": Right(roles=STAFF_OR_HOLDER.roles | {Role.KIOSK}, track=True),
    "tickets.back": Right(roles=STAFF_OR_HOLDER.roles | {Role.KIOSK}, track=True),
    "tickets.note_case": Right(roles=FLOOR_STAFF | {Role.INTEGRATION}),
    "tickets.reprint": Right(roles=FLOOR_STAFF | {Role.KIOSK, Role.INTEGRATION}),
    # Nobody of the hall grades the hall: only the visitor, or a device that stands before the visitor.
    "tickets.rate": Right(roles=frozenset({Role.KIOSK, Role.DEVICES, Role.INTEGRATION}), track=True),
    "booking.online_halls": OPEN,
    "booking.online_booking": Right(online=True),
    "booking.book_online": Right(online=True),
    "appointments.slots": Right(roles=READ.roles, dev=True, online=True),
    "appointments.book_appointment": Right(roles=CHIEFS | {Role.GUIDE, Role.KIOSK, Role.INTEGRATION}),
    "appointments.appointments": Right(roles=PERSON_ROLES),
    "appointments.appointment": Right(roles=PERSON_ROLES | {Role.KIOSK, Role.INTEGRATION}, track=True),
    "appointments.cancel_appointment": STAFF_OR_HOLDER,
    "appointments.check_in": Right(roles=CHIEFS | {Role.GUIDE, Role.KIOSK, Role.INTEGRATION}),
    "appointments.import_appointments": Right(roles=CHIEFS | {Role.INTEGRATION}),
    "balance.balance": Right(roles=CONTROLLERS),
    "balance.what_if": Right(roles=CHIEFS),
    "balance.apply_suggestion": Right(roles=CHIEFS),
    "balance.decline_suggestion": Right(roles=CHIEFS),
    "balance.undo_change": Right(roles=CHIEFS),
    "balance.set_balance_limits": Right(roles=CHIEFS),
    "announcements.announce_to_all": Right(roles=CHIEFS | {Role.GUIDE}),
    "announcements.end_announcement": Right(roles=CHIEFS | {Role.GUIDE}),
    "rolls.rolls": Right(roles=FLOOR_STAFF),
    "rolls.announce": Right(roles=CHIEFS | {Role.GUIDE}),
    "rolls.torn_off": Right(roles=CHIEFS | {Role.GUIDE}),
    "rolls.end": Right(roles=CHIEFS | {Role.GUIDE}),
    "leases.leases": Right(roles=CONTROLLERS | {Role.KIOSK}),
    "leases.lease_numbers": Right(roles=frozenset({Role.KIOSK})),
    "leases.return_block": Right(roles=CHIEFS | {Role.KIOSK}),
    "leases.offline_ticket": Right(roles=frozenset({Role.KIOSK})),
    "windows.rate_at_window": Right(at_window=Kind.RATING),
    "photos.photo": READ,
    "media.playlist": READ,
    "media.medium": READ,
    "prompts.prompts": READ,
    "prompts.prompt": READ,
    "windows.open_window": AT_WINDOW,
    "windows.pause_window": AT_WINDOW,
    "windows.resume_window": AT_WINDOW,
    "windows.close_window": AT_WINDOW,
    "windows.call_next": AT_WINDOW,
    "windows.call_ticket": AT_WINDOW,
    "windows.recall": AT_WINDOW,
    "windows.start": AT_WINDOW,
    "windows.finish": AT_WINDOW,
    "windows.missed": AT_WINDOW,
    "windows.no_show": AT_WINDOW,
    "windows.return_ticket": AT_WINDOW,
    "windows.undo": AT_WINDOW,
    "windows.hold": AT_WINDOW,
    "windows.resume_held": AT_WINDOW,
    "windows.transfer": AT_WINDOW,
    "windows.give_notice": AT_WINDOW,
    "windows.await_result": AT_WINDOW,
    "results.report_result": Right(roles=CHIEFS | {Role.INTEGRATION}),
    "results.results": Right(roles=PERSON_ROLES),
    "staff.hand_over": AT_WINDOW,
    "staff.move_held": AT_WINDOW,
    "staff.alive": AT_WINDOW,
    "manager.assign_services": Right(roles=CHIEFS),
    "manager.close_day": Right(roles=CHIEFS),
    "manager.commits": Right(roles=CONTROLLERS | {Role.DEVICES, Role.INTEGRATION}),
    "manager.ledger": Right(roles=CONTROLLERS | {Role.DEVICES, Role.INTEGRATION}),
    "replay.replay": Right(roles=CONTROLLERS),
    "replay.replay_picture": Right(roles=CONTROLLERS),
    "settings.settings": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "settings.settings_version": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "settings.check_settings": Right(roles=CHIEFS),
    "settings.apply_settings": Right(roles=CHIEFS),
    "audit.audit": Right(roles=CONTROLLERS),
    "audit.audit_file": Right(roles=CONTROLLERS),
    "reports.report_day": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "reports.report_month": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "reports.report_period": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "reports.report_file": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "cases.open_case": Right(roles=FLOOR_STAFF),
    "cases.cases": Right(roles=PERSON_ROLES | {Role.INTEGRATION}),
    "cases.case": Right(roles=PERSON_ROLES | {Role.INTEGRATION}),
    "cases.log_case": Right(roles=FLOOR_STAFF),
    "cases.finish_case": Right(roles=FLOOR_STAFF),
    "cases.withdraw_case": Right(roles=FLOOR_STAFF),
    "cases.hand_over_case": Right(roles=FLOOR_STAFF),
    "cases.take_case": Right(roles=FLOOR_STAFF),
    "cases.appeal": Right(roles=FLOOR_STAFF),
    "cases.decide_appeal": Right(roles=CHIEFS),
    "cases.export_case": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "cases.receive_case": Right(roles=CHIEFS | {Role.INTEGRATION}),
    "cases.confirm_hand_over": Right(roles=CHIEFS | {Role.INTEGRATION}),
    "cases.report_back": Right(roles=CHIEFS | {Role.INTEGRATION}),
    "cases.all_ratings": Right(roles=CONTROLLERS | {Role.INTEGRATION}),
    "devices.register": Right(roles=frozenset({Role.DEVICES})),
    "inputs.number": Right(roles=frozenset({Role.DEVICES})),
    "inputs.card_key": Right(roles=frozenset({Role.DEVICES})),
    "inputs.card": Right(roles=frozenset({Role.DEVICES})),
    "inputs.scan": Right(roles=frozenset({Role.DEVICES})),
    "devices.devices": Right(roles=CONTROLLERS | {Role.DEVICES, Role.KIOSK}),  # a kiosk asks for its printer
    "health.healthz": OPEN,
    "health.readyz": OPEN,
    "health.metrics": OPEN,
}

WITHOUT_CSRF = frozenset(
    {"people.login", "devices.enrol", "booking.book_online"}
)  # a JSON body from another site is stopped by its Origin


def identify(people: People, *, bearer: str | None, session: str | None, device: str | None) -> Identity | None:
    """Give who sends a request. A bearer token counts alone; then the session cookie, then the device cookie.

    Raises:
        Problem: a bearer token was sent and is not valid (any more).
    """
    if bearer is not None:
        identity = people.by_token(bearer)
        if identity is None:
            raise Problem("not_signed_in")
        return identity
    if session and (identity := people.by_session(session)) is not None:
        return identity
    return people.by_token(device, cookie=True) if device else None


def bearer_of(authorization: str | None) -> str | None:
    """Give the token of an Authorization header, None when it is no bearer token."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_of_hall(identity: Identity, hall: HallId) -> bool:
    """Say whether somebody may do anything in a hall: nobody acts across halls."""
    return identity.hall is None or identity.hall == hall


def may_read(identity: Identity | None, hall: HallId, *, dev_loopback: bool = False) -> bool:
    """Say whether somebody may see structure, state and boards of a hall."""
    if identity is None:
        return dev_loopback
    return is_of_hall(identity, hall)


def may_act_at(identity: Identity, hall: HallId, window: WindowNo, register: Register, pad: Kind = Kind.KEYPAD) -> bool:
    """Say whether somebody may command a window: chiefs, the clerk signed in there, the agent of its pad.

    With `pad` RATING it is about the grades alone: for the agent of the pad, and the tablet enrolled for this window.
    """
    if not is_of_hall(identity, hall):
        return False
    match identity.role:
        case Role.MANAGER | Role.ADMIN:
            return pad is Kind.KEYPAD
        case Role.CLERK:
            return pad is Kind.KEYPAD and identity.hall == hall and identity.window == window
        case Role.DEVICES:
            # Rating pads hang on the keypads' line: whoever drives the keypad brings its grades too.
            return any(register.owns(identity.id, hall, window, kind) for kind in {pad, Kind.KEYPAD})
        case Role.DISPLAY:
            return pad is Kind.RATING and identity.hall == hall and identity.window == window
        case _:
            return False


def is_loopback(address: str | None) -> bool:
    """Say whether a network address is this machine's own."""
    try:
        return ip_address((address or "").removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False


def who() -> Identity | None:
    """Give who sends the request that is answered now, None for nobody."""
    identity: Identity | None = g.get("identity")
    return identity


def signed_in() -> Identity:
    """Give who sends the request.

    Raises:
        Problem: nobody is signed in.
    """
    identity = who()
    if identity is None:
        raise Problem("not_signed_in")
    return identity


def actor(visitor: str = "") -> Actor:
    """Give the one behind the request as the ledger keeps it; `visitor` names the ticket whose holder asks."""
    source, identity = request.remote_addr or "", who()
    if visitor or identity is None:
        return Actor(kind=ActorKind.VISITOR, id=visitor, source=source)
    kind = ActorKind.PERSON if identity.is_person else ActorKind.DEVICE
    return Actor(kind=kind, id=identity.id, source=source)


def install(app: Flask) -> None:
    """Check every request of the app before its route runs."""
    app.before_request(_check)


def _check() -> None:
    """Let the request in or keep a record of why not."""
    try:
        _let_in(here())
    except Problem as problem:
        if here().audit_lines.has(request.remote_addr or ""):
            _record(problem)
        raise


def _record(problem: Problem) -> None:
    identity = who()
    audit.warning(
        "refused %s: %s %s by %s from %s",
        problem.code,
        request.method,
        request.url_rule.rule if request.url_rule is not None else "?",  # the rule: an address may hold a token
        identity.id if identity is not None else "nobody",
        request.remote_addr,
    )


def _let_in(site: Site) -> None:
    """Host, origin, identity, CSRF, rights: in this order, before the body is looked at."""
    if not site.doors.is_host(request.host):
        raise Problem("wrong_host", host=request.host[:100])
    endpoint = request.endpoint
    if endpoint is None:
        return  # 404 and 405 answer themselves
    is_command = request.method not in {"GET", "HEAD", "OPTIONS"}
    origin = request.headers.get("Origin")
    if is_command and origin is not None and not site.doors.is_origin(origin, request.host):
        raise Problem("csrf")
    right = RIGHTS.get(endpoint)
    if right is None:
        if not request.path.startswith("/api/v1/"):
            return  # a page
        if endpoint.startswith("docs."):
            return  # what describes the interface is open to everybody
        raise Problem("not_allowed")
    cookies = {} if VISITOR_HEADER in request.headers else request.cookies
    identity = identify(
        site.people,
        bearer=bearer_of(request.headers.get("Authorization")),
        session=cookies.get(SESSION_COOKIE),
        device=cookies.get(DEVICE_COOKIE),
    )
    g.identity = identity
    if identity is not None:
        if is_command and identity.cookie and endpoint not in WITHOUT_CSRF:
            _check_csrf(identity)
        site.people.seen(identity, request.remote_addr or "")
    _check_right(site, right, identity)
    if is_command and right.at_window is Kind.KEYPAD:  # a press there, taken or refused, is a sign of life
        site.presence.seen(HallId((request.view_args or {})["hall"]), WindowNo((request.view_args or {})["no"]))


def _check_csrf(identity: Identity) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    # A cross-site form cannot set a header, so for a device's cookie any value shows that a page of ours sent it.
    good = hmac.compare_digest(given.encode(), identity.csrf.encode()) if identity.is_person else bool(given)
    if not good:
        raise Problem("csrf")


def _check_right(site: Site, right: Right, identity: Identity | None) -> None:
    view = request.view_args or {}
    hall = HallId(view["hall"]) if "hall" in view else None
    if right.everybody:
        return
    if right.online and ((asked := site.halls.get(hall or HallId(""))) is None or asked.plan.bookings.online):
        return  # a hall that is not there is told by the route
    if right.online and not right.roles:
        raise Problem("not_online")
    if identity is not None:
        if hall is not None and not is_of_hall(identity, hall):
            raise Problem("not_allowed")
        if identity.role in right.roles:
            return
        if right.at_window is not None and hall is not None:
            if may_act_at(identity, hall, WindowNo(view["no"]), site.register, right.at_window):
                return
            raise Problem("not_allowed")
    named = view.get("ticket") or view.get("appointment") or ""
    if right.track and hall is not None and (request.args.get("track") or looks_like_track(named)):
        return  # the route looks for the ticket by this token and by nothing else
    if right.dev and site.dev and is_loopback(request.remote_addr):
        return
    raise Problem("not_signed_in" if identity is None else "not_allowed")


TRACK_LENGTH_MIN = 20  # `secrets.token_urlsafe(16)` gives 22; ticket ids and labels are shorter


def looks_like_track(text: str) -> bool:
    """Say whether a word in an address can only be a track token."""
    return len(text) >= TRACK_LENGTH_MIN
