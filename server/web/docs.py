"""The interface for people: Swagger UI over our own OpenAPI document, from files in the package, no other host."""

from pathlib import Path

import flask_openapi3_swagger
from flask import Blueprint, Response, render_template_string, send_from_directory

ASSETS = Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"

# Swagger UI styles its elements from script, so this page alone may do what our own pages may not.
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Jiaohao 叫号 · /api/v1</title>
  <link rel="icon" href="{{ url_for('docs.asset', name='images/swagger.svg') }}">
  <link rel="stylesheet" href="{{ url_for('docs.asset', name='css/swagger-ui.css') }}">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="{{ url_for('docs.asset', name='js/swagger-ui-bundle.js') }}"></script>
  <script src="{{ url_for('docs.start') }}"></script>
</body>
</html>
"""

_START = """window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (request.method !== "GET" && window.csrf) request.headers["X-CSRF-Token"] = window.csrf;
    return request;
  },
});
fetch("/api/v1/me").then((answer) => answer.json()).then((me) => { window.csrf = me.csrf; });
"""

pages = Blueprint("docs", __name__, url_prefix="/api/v1/docs")


@pages.get("")
def page() -> Response:
    """Show the interface."""
    response = Response(render_template_string(_PAGE), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@pages.get("/start.js")
def start() -> Response:
    """Give the few lines that start Swagger UI."""
    return Response(_START, content_type="text/javascript; charset=utf-8")


@pages.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Give a file of Swagger UI."""
    return send_from_directory(ASSETS, name, conditional=True)
