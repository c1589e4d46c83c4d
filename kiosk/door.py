"""What the browser on the kiosk talks to: the touch page from this PC, and the server behind it while it answers.

Pages and their assets come from here, so the screen never shows a browser's error. Requests to `/api/v1` go to the
server with the kiosk's own token; the live line `/socket.io` is passed through byte by byte. Bound to this PC: other
names and pages of other sites are refused (DNS rebinding, cross-site posts).
"""

import http.server
import json
import logging
import mimetypes
import select
import socket
import ssl
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from kiosk import PAGES, alone
from kiosk.desk import Desk, NotHere
from kiosk.link import CONNECT_S, Answer, ServerAway, headers_of

BODY_MAX: Final = 64 * 1024
SILENCE_S: Final = 60.0
PIECE: Final = 64 * 1024
LIVE_SILENCE_S: Final = 30.0
"""The server pings every 5 s: a live line that is quiet for so long is dead."""
HOST: Final = "127.0.0.1"
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
LIVE = "/socket.io/"

log = logging.getLogger(__name__)


class Door(http.server.ThreadingHTTPServer):
    """The listening socket; one thread per connection of the one browser."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, desk: Desk, server_url: str, token: str, tickets_path: str) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self.desk, self.server_url, self.token, self.tickets_path = desk, server_url, token, tickets_path
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as the base has it
        """Say nothing of a browser that went away; a bug is logged and ends its connection only."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request failed", exc_info=error)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection of the browser."""

    server: Door
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_S

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._is_ours():
            self._send(400, "text/plain; charset=utf-8", b"This kiosk is not called that.")
        elif path == "/":
            self._send(302, "text/plain", b"", {"Location": "/kiosk"})
        elif path == "/kiosk":
            self._page()
        elif path.startswith("/pages/kiosk/"):
            self._asset(path.removeprefix("/pages/kiosk/"))
        elif path == "/healthz":
            self._json(200, self.server.desk.health())
        elif path == "/favicon.ico":
            self._send(204, "text/plain", b"")
        elif path == LIVE and self.headers.get("Upgrade", "").lower() == "websocket":
            self._live()
        elif path.startswith("/api/v1/"):
            self._forward(None)
        else:
            self._send(404, "text/plain; charset=utf-8", b"There is nothing at this address.")

    def do_POST(self) -> None:
        origin = self.headers.get("Origin")
        if not self._is_ours() or (origin is not None and origin != f"http://{self.headers.get('Host')}"):
            self.close_connection = True
            self._send(403, "text/plain; charset=utf-8", b"This page is not the kiosk's.")
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_MAX or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(413, "text/plain; charset=utf-8", b"Too large, or of unknown length.")
            return
        body = self.rfile.read(int(length))
        if urlsplit(self.path).path == self.server.tickets_path:
            self._press(body)
        elif self.path.startswith("/api/v1/"):
            self._forward(body)
        else:
            self._send(404, "text/plain; charset=utf-8", b"There is nothing at this address.")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls
        """Log no request: an address may hold a token."""

    # ------------------------------------------------------------------------------------------------------- answers

    def _press(self, body: bytes) -> None:
        try:
            answer = self.server.desk.press(body, headers_of(self.headers))
        except NotHere as error:
            self._refuse(error.why)
            return
        if isinstance(answer, Answer):
            self._pass(answer)
        else:
            self._json(201, answer)

    def _forward(self, body: bytes | None) -> None:
        try:
            self._pass(self.server.desk.forward(self.command, self.path, body, headers_of(self.headers)))
        except ServerAway:
            known = self.server.desk.lonely(urlsplit(self.path).path) if body is None else None
            if known is None:
                self._refuse("server_away")
            else:
                self._json(200, known)

    def _refuse(self, why: alone.Why) -> None:
        status, zh, en = alone.SENTENCES[why]
        chinese = self.headers.get("Accept-Language", "zh").lower().startswith("zh")
        problem = {"type": f"urn:jiaohao:problem:{why}", "title": HTTPStatus(status).phrase, "status": status}
        self._json(status, {**problem, "detail": zh if chinese else en, "code": why}, "application/problem+json")

    def _pass(self, answer: Answer) -> None:
        kept = {name: value for name, value in answer.headers.items() if name not in {"Content-Type", "Date"}}
        self._send(
            answer.status,
            answer.headers.get("Content-Type", "application/json"),
            answer.body,
            kept,
            date=answer.headers.get("Date"),
        )

    def _json(self, status: int, body: Mapping[str, Any], kind: str = "application/json") -> None:
        self._send(status, kind, json.dumps(body, ensure_ascii=False).encode())

    def _page(self) -> None:
        page = PAGES / "kiosk.html"
        if not page.is_file():
            self._send(503, "text/plain; charset=utf-8", "页面尚未生成：make run. The page is not built yet.".encode())
            return
        host = self.headers.get("Host", "")
        policy = (
            "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
            f"connect-src 'self' ws://{host}; object-src 'none'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
        self._send(200, "text/html; charset=utf-8", page.read_bytes(), headers)

    def _asset(self, name: str) -> None:
        root = PAGES.resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root) or not file.is_file() or file.suffix == ".html":
            self._send(404, "text/plain; charset=utf-8", b"There is nothing at this address.")
            return
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
        headers = {"Cache-Control": "public, max-age=31536000, immutable"} if name.startswith("assets/") else {}
        self._send(200, kind or "application/octet-stream", file.read_bytes(), headers)

    def _send(
        self,
        status: int,
        kind: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        date: str | None = None,
    ) -> None:
        self.send_response_only(status)
        # The page tells the hall's time by this header.
        self.send_header("Date", date or self.date_time_string(round(self.server.desk.now_ms() / 1000)))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _is_ours(self) -> bool:
        try:
            return urlsplit(f"//{self.headers.get('Host', '')}").hostname in LOOPBACK_NAMES
        except ValueError:
            return False

    # ------------------------------------------------------------------------------------------------- the live line

    def _live(self) -> None:
        """Pass a websocket through, with the kiosk's token in the place of the browser's cookies."""
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers.get('Host')}":
            self._send(403, "text/plain; charset=utf-8", b"This page is not the kiosk's.")
            return
        self.close_connection = True
        try:
            upstream = self._upstream() if self.server.desk.up else None
        except OSError as error:
            log.debug("no live line: %s", error)
            upstream = None
        if upstream is None:
            self._refuse("server_away")
            return
        with upstream:
            try:
                self._relay(upstream)
            except OSError as error:
                log.debug("the live line ended: %s", error)

    def _upstream(self) -> socket.socket:
        parts = urlsplit(self.server.server_url)
        tls = parts.scheme == "https"
        upstream = socket.create_connection((parts.hostname or "", parts.port or (443 if tls else 80)), CONNECT_S)
        if tls:
            upstream = ssl.create_default_context().wrap_socket(upstream, server_hostname=parts.hostname)
        ours = {"Host": parts.netloc, "Authorization": f"Bearer {self.server.token}"}
        left_out = {"host", "authorization", "cookie", "origin"}
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in left_out]
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*ours.items(), *headers))]
        upstream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        return upstream

    def _relay(self, upstream: socket.socket) -> None:
        """Carry bytes both ways until one end is closed or quiet for too long."""
        browser = self.connection
        ends = {browser: upstream, upstream: browser}
        while True:
            hidden = [upstream] if isinstance(upstream, ssl.SSLSocket) and upstream.pending() else []
            ready = hidden or select.select(list(ends), [], [], LIVE_SILENCE_S)[0]
            if not ready:
                return
            for end in ready:
                data = end.recv(PIECE)
                if not data:
                    return
                ends[end].sendall(data)
