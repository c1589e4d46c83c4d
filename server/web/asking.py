"""What every route uses: the request's JSON, the hall it is about, one command run once, one answer sent."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from flask import Request, Response, g, request
from pydantic import BaseModel

from server.domain.commands import Command, HandOver, OpenWindow
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import DeviceId, HallId, HallPlan, WorkId
from server.hall import Hall
from server.ledger.base import Commit
from server.people import Role
from server.web.auth import actor, who
from server.web.posts import check_free
from server.web.problems import Problem, bad_request
from server.web.site import Site, here

BODY_BYTES_MAX = 64 * 1024
IDEMPOTENCY_HEADER = "Idempotency-Key"
_NUMBER = re.compile(r"\d{17}x")  # an identity number is one, whichever way its X is written
_KEY = re.compile(r"[\x20-\x7e]{1,200}")
_METHODS = ("POST", "PUT", "DELETE", "PATCH")


class JsonRequest(Request):
    """A request whose body is one JSON object in UTF-8, or empty, which stands for `{}`."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Give the body's object; flask-openapi3 asks for it silently and would turn bad JSON into None.

        Raises:
            Problem: the body is no JSON object.
        """
        known: object = g.get("body")
        if known is None:
            known = g.body = self._read_body()
        return known

    def _read_body(self) -> dict[str, object]:
        raw = self.get_data(cache=True)
        if not raw.strip():
            return {}
        if not self.is_json:
            raise Problem("not_json")
        try:
            body = msgspec.json.decode(raw)  # takes no NaN and no half of a surrogate pair: they can be kept nowhere
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise bad_request("内容不是正确的 JSON", "the body is not valid JSON") from error
        if not isinstance(body, dict):
            raise bad_request("JSON 最外层必须是对象 {…}", "the body must be a JSON object {...}")
        return body


def hall_of(name: str) -> Hall:
    """Give a hall of this server.

    Raises:
        Problem: there is none of this name.
    """
    hall = here().halls.get(HallId(name))
    if hall is None:
        raise Problem("hall_not_found", hall=name[:64])
    return hall


def run(
    hall: Hall,
    command: Command,
    *,
    visitor: str = "",
    part: str = "",
    allowed: Callable[[HallState], None] | None = None,
) -> Commit:
    """Give the durable commit of a command; a repeated request (same Idempotency-Key) gives the first one.

    `part` tells the commands of one request apart; `allowed` may refuse what was not done before.

    Raises:
        Problem: the key is misshapen.
        Refusal: the hall says no.
        KeyReused: the key belongs to another request.
        LedgerDown: nothing can be written.
    """
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and (not _KEY.fullmatch(key) or not key.strip()):
        raise bad_request(
            f"{IDEMPOTENCY_HEADER} 必须是 1 到 200 个可见字符",
            f"{IDEMPOTENCY_HEADER} must be 1 to 200 printable characters",
        )
    if key is not None and part:
        key = f"{key}#{part}"
    asker = actor(visitor)
    fingerprint = _fingerprint(f"{asker.kind}:{asker.id}")
    site = here()
    if (clerk := _beginner(command)) is not None and len(site.halls) > 1:
        # One at a time: two halls that looked at each other at once would both see a free clerk, or wait for ever.
        with site.posts:
            free = partial(_check_free, site, clerk, hall.id)
            return hall.handle(command, actor=asker, key=key, fingerprint=fingerprint, allowed=free)
    allowed = allowed or _at_own_window(command)
    return hall.handle(command, actor=asker, key=key, fingerprint=fingerprint, allowed=allowed)


def _beginner(command: Command) -> WorkId | None:
    """Give who begins work at a window by this command and may do so at one only."""
    match command:
        case OpenWindow(several=False) | HandOver():
            return command.clerk
        case _:
            return None


def _check_free(site: Site, clerk: WorkId, hall: HallId, _: HallState) -> None:
    check_free(site, clerk, hall)


def _at_own_window(command: Command) -> Callable[[HallState], None] | None:
    """Give the check that a clerk does not act at a window where a colleague works: the visits would be the other's.

    Opening is refused by the hall itself, a hand-over is how it is done; a window that a manager opened is anybody's.
    """
    identity, no = who(), getattr(command, "window", None)
    if identity is None or identity.role is not Role.CLERK or no is None or isinstance(command, HandOver | OpenWindow):
        return None
    me, people = WorkId(identity.id), here().people

    def allowed(state: HallState) -> None:
        window = state.windows.get(no)
        if window is not None and window.clerk not in (None, me) and people.role_of(window.clerk) is Role.CLERK:
            raise Refusal(Code.WINDOW_TAKEN, window=no, clerk=window.clerk)

    return allowed


def reply(answer: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give the answer as JSON; fields that were never set are left out."""
    return Response(
        answer.model_dump_json(exclude_unset=True),
        status=status,
        content_type="application/json",
        headers=dict(headers or {}),
    )


def base_url(plan: HallPlan) -> str:
    """Give the address under which a visitor's phone reaches this server."""
    return plan.public_url or here().doors.visitor_base(f"{request.scheme}://{request.host}/")


def visitor_key(hall: Hall) -> bytes:
    """Give the key of `visitor_hash`: another in every hall, the same every day, because bookings are made ahead."""
    return bytes.fromhex(here().people.keyed_hash("visitor key", hall.id.encode()))


def visitor_hash(hall: Hall, reference: str | None) -> str | None:
    """Give what is kept of a visitor's reference (say, an identity number): a keyed hash, another in every hall.

    A card reader makes the same of a number by itself, under the same key.
    """
    if reference is None:
        return None
    if _NUMBER.fullmatch(reference):
        reference = reference.upper()
    return hmac.new(visitor_key(hall), reference.encode(), hashlib.sha256).hexdigest()


def early_visitor_hash(hall: Hall, reference: str) -> str:
    """Give what was kept of a reference before there were card readers: bookings of then are still found by it."""
    return here().people.keyed_hash("visitor", f"{hall.id}\0{reference}".encode())


def visitor_of_card(hall: Hall, card: str | None) -> str | None:
    """Give the visitor whose card lies before the kiosk that asks.

    Raises:
        Problem: no kiosk asks, or the card is not there any more.
    """
    identity = who()
    if card is None:
        return None
    if identity is None or identity.role is not Role.KIOSK:
        raise Problem("not_allowed")
    visitor = here().presented.visitor(hall.id, DeviceId(identity.id), card, hall.now_ms())
    if visitor is None:
        raise Problem("card_gone")
    return visitor


def by_role(roles: frozenset[str]) -> bool:
    """Say whether the sender has one of these roles."""
    identity = who()
    return identity is not None and identity.role in roles


def operation_id(*, name: str, path: str, method: str) -> str:  # noqa: ARG001 - flask-openapi3 names all three
    """Give the name of an operation in the OpenAPI document: the function's."""
    return name


def _fingerprint(asker: str) -> str:
    """Tell one request from another. Keyed, because the body may hold what must not be guessed from the ledger."""
    body = dict(request.get_json()) if request.method in _METHODS else {}
    body.pop("password", None)  # proves who asks; it is no part of what is asked and leaves no trace
    canonical = json.dumps([asker, request.method, request.path, body], sort_keys=True, ensure_ascii=False)
    return here().people.keyed_hash("request", canonical.encode())[:32]
