"""The devices page of the bench: one page, its state by long poll, pictures, sounds, and presses.

For this machine only: other hosts' names are refused, and every POST needs a header that no form of another site can
set.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException

from drivers.virtual.idcard import CardReaderTwin
from drivers.virtual.keypad import PadLine
from drivers.virtual.panel import PanelTwin
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import ScannerTwin
from drivers.virtual.speaker import Loudspeaker
from drivers.virtual.strip import StripLine

if TYPE_CHECKING:
    from drivers.virtual.bench import Bench

HEADER = "X-Jiaohao-Bench"
LONG_POLL_S = 20.0
MAX_BODY_BYTES = 4096

_PAGES = Path(__file__).parent.parent / "pages"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_FOR_EVER = "private, max-age=86400, immutable"


def make_app(bench: Bench) -> Flask:
    """Give the Flask app of this bench."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["TRUSTED_HOSTS"] = [bench.spec.host, "127.0.0.1", "localhost"]

    @app.before_request
    def only_from_the_page() -> Response | None:
        # Touching `host` is what checks TRUSTED_HOSTS: else a name that resolves to 127.0.0.1 would be let in.
        if not request.host:
            return _problem(400, "bad_request", "a request names the host it is for")
        if request.method not in {"GET", "HEAD"} and HEADER not in request.headers:
            return _problem(403, "not_allowed", f"a command needs the header {HEADER}")
        return None

    @app.after_request
    def safe(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return _problem(error.code or 500, f"http_{error.code}", error.description or error.name)

    @app.get("/")
    def page() -> Response:
        if not (_PAGES / "devices.html").exists():
            return Response(
                "The page is not built yet: npm run build -w @jiaohao/drivers\n", 503, mimetype="text/plain"
            )
        response = Response((_PAGES / "devices.html").read_bytes(), mimetype="text/html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/pages/drivers/assets/<path:name>")
    def asset(name: str) -> Response:
        response = send_from_directory(_PAGES / "assets", name)
        response.headers["Cache-Control"] = _FOR_EVER
        return response

    @app.get("/devices.toml")
    def devices_file() -> Response:
        return Response(bench.devices_file.read_text("utf-8"), mimetype="text/plain")

    @app.get("/api/state")
    def state() -> Response:
        after = request.args.get("after", type=int)
        # A page of an earlier run of the bench would wait for a version far ahead.
        known = after if request.args.get("run") == bench.run else None
        return jsonify(bench.state(known, LONG_POLL_S))

    @app.get("/api/devices/<name>/papers/<int:number>.png")
    def paper(name: str, number: int) -> Response:
        device = bench.devices.get(name)
        papers = device.tickets if isinstance(device, VirtualPrinter) else ()
        content = next((each.png for each in papers if each.number == number), None)
        return _content(content, "image/png")

    @app.get("/api/devices/<name>/strips/<int:address>.png")
    def strip(name: str, address: int) -> Response:
        device = bench.devices.get(name)
        page_number = request.args.get("page", 0, type=int)
        content = device.png(address, max(0, page_number)) if isinstance(device, StripLine) else None
        return _content(content, "image/png")

    @app.get("/api/devices/<name>/clips/<int:number>.wav")
    def clip(name: str, number: int) -> Response:
        device = bench.devices.get(name)
        heard = device.clip(number) if isinstance(device, Loudspeaker) else None
        return _content(heard.wav if heard else None, "audio/wav")

    @app.post("/api/devices/<name>/faults")
    def fault(name: str) -> Response:
        body = _body()
        try:
            bench.set_fault(name, str(body.get("fault")), on=body.get("on") is True)
        except KeyError:
            return _problem(404, "device_not_found", f"there is no device {name!r} on the bench")
        except ValueError as error:
            return _problem(400, "unknown_fault", str(error))
        return Response(status=204)

    @app.post("/api/devices/<name>/power")
    def power(name: str) -> Response:
        try:
            bench.cycle_power(name)
        except KeyError:
            return _problem(404, "device_not_found", f"there is no device {name!r} with a switch on the bench")
        return Response(status=204)

    @app.post("/api/devices/<name>/press")
    def press(name: str) -> Response:
        device, body = bench.devices.get(name), _body()
        try:
            if isinstance(device, PadLine):
                device.press(str(body.get("window")), str(body.get("key")))
            elif isinstance(device, PanelTwin | CardReaderTwin | ScannerTwin):
                device.press(str(body.get("key")))
            else:
                return _problem(404, "device_not_found", f"there are no keys at {name!r} on the bench")
        except KeyError as error:
            return _problem(400, "unknown_key", f"there is no such window or key: {error}")
        return Response(status=204)

    return app


def _body() -> dict[str, object]:
    body = request.get_json(silent=True)
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}


def _content(content: bytes | None, mimetype: str) -> Response:
    if content is None:
        return _problem(404, "not_found", "it is not kept any more")
    response = Response(content, mimetype=mimetype)
    response.headers["Cache-Control"] = _FOR_EVER  # addresses carry the run and the version
    return response


def _problem(status: int, code: str, detail: str) -> Response:
    response = jsonify({"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code})
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response
