"""The HTTP application: every door in its frame, with errors, rights, limits and headers around all of them."""

import json
from functools import cache
from typing import Any

from flask import Response, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from server.web import (
    announcements,
    appointments,
    audit,
    auth,
    balance,
    booking,
    cases,
    devices,
    docs,
    health,
    inputs,
    leases,
    manager,
    media,
    pages,
    people,
    photos,
    problems,
    prompts,
    replay,
    reports,
    results,
    rolls,
    settings,
    staff,
    structure,
    tickets,
    windows,
)
from server.web.asking import BODY_BYTES_MAX, JsonRequest
from server.web.site import Site, attach
from server.web.wire import Problem

API_VERSION = "1.0.0"
DESCRIPTION = """Numbers, calls and boards of a service hall.

People sign in at `POST /login` and send the cookie it sets; commands also need the header `X-CSRF-Token` with the value
from `GET /me`. Devices and integrations send `Authorization: Bearer TOKEN`. Every command takes an optional
`Idempotency-Key`: the same key again gives the first answer again for the rest of the business day.
Errors are `application/problem+json`; `code` is stable. Times are RFC 3339 with the hall's offset.
"""

SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": auth.SESSION_COOKIE},
    "device": {"type": "apiKey", "in": "cookie", "name": auth.DEVICE_COOKIE},
    "token": {"type": "http", "scheme": "bearer"},
}
_ERRORS = {
    "4XX": "The hall says no, or the request is wrong: nothing was changed.",
    "5XX": "The server cannot answer now: trying again with the same Idempotency-Key is safe.",
}
_ROUTES = (
    people.api,
    structure.api,
    tickets.api,
    appointments.api,
    booking.api,
    announcements.api,
    balance.api,
    replay.api,
    rolls.api,
    leases.api,
    windows.api,
    photos.api,
    media.api,
    prompts.api,
    results.api,
    staff.api,
    manager.api,
    settings.api,
    reports.api,
    audit.api,
    cases.api,
    devices.api,
    inputs.api,
)


def create_app(site: Site) -> OpenAPI:
    """Give the WSGI application of a site."""
    app = _framed()
    attach(app, site)
    return app


def openapi() -> dict[str, Any]:
    """Give the OpenAPI 3.1 document of the interface; it is the same for every site."""
    return _described(_framed().api_doc)


def _framed() -> OpenAPI:
    """Give the application with all its routes, not yet attached to a site."""
    app = OpenAPI(
        "server.web",
        info=Info(title="Jiaohao 叫号", version=API_VERSION, description=DESCRIPTION),
        security_schemes=SECURITY,  # type: ignore[arg-type]  # plain dictionaries are what it takes at run time
        validation_error_model=Problem,
        validation_error_callback=problems.refuse_invalid,
        doc_ui=False,
        static_folder=None,
    )
    app.request_class = JsonRequest
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["PROPAGATE_EXCEPTIONS"] = False  # a bug is a logged 500 for whoever asked, in tests too
    problems.install(app)
    health.install(app)
    auth.install(app)
    for routes in _ROUTES:
        app.register_api(routes)
    app.register_blueprint(docs.pages)
    app.register_blueprint(pages.pages)
    document = cache(lambda: json.dumps(_described(app.api_doc), ensure_ascii=False))
    app.add_url_rule("/api/v1/openapi.json", "docs.openapi", lambda: Response(document(), mimetype="application/json"))
    app.after_request(_headers)
    return app


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Add what is true of every operation: how errors look, that commands may carry a key, who may come in."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for item in document["paths"].values():
        for method, operation in item.items():
            good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
            errors = {status: {"description": text, "content": problem} for status, text in _ERRORS.items()}
            operation["responses"] = {**good, **errors}
            operation["security"] = [{}] if operation["operationId"] in _OPEN else [{name: []} for name in SECURITY]
            if method != "get" and operation["operationId"] not in _NOT_COMMANDS:
                known = {(row["in"], row["name"]) for row in operation.get("parameters", [])}
                operation.setdefault("parameters", []).extend(
                    row for row in _COMMAND_HEADERS if (row["in"], row["name"]) not in known
                )
            for row in operation.get("parameters", []):
                _drop_null_default(row["schema"])
            body = operation.get("requestBody")
            if body is not None and _is_optional(document, body):
                body["required"] = False
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            _drop_null_default(field)
    return document


def _drop_null_default(field: dict[str, Any]) -> None:
    """Leave out `default: null`: it says nothing, and client generators take such a field for one always there."""
    if field.get("default", ...) is None:
        del field["default"]


def _is_optional(document: dict[str, Any], body: dict[str, Any]) -> bool:
    """Say whether an empty body does: nothing in it is required."""
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return not document["components"]["schemas"][name].get("required")


def _headers(response: Response) -> Response:
    """Add what every answer carries."""
    headers, path = response.headers, request.path
    given = {name.lower() for name, _ in headers}
    headers.extend((name, value) for name, value in _ALWAYS if name.lower() not in given)
    is_kept = response.cache_control.max_age  # a film that a board shows all day
    if path.startswith("/api/") and not path.startswith("/api/v1/docs") and not is_kept:
        headers["Cache-Control"] = "no-store"
    return response


_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),  # the address of a phone page opens it: keep it at home
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_OPEN = frozenset({"login", "logout", "me", "enrol", "online_halls", "online_booking", "book_online"})
_NOT_COMMANDS = frozenset({"login", "logout", "enrol", "register", "alive"})
_COMMAND_HEADERS: tuple[dict[str, Any], ...] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "1 to 200 printable characters; the same key again gives the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
)
