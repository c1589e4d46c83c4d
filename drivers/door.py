"""The agent's door for programs of its own machine: a kiosk that cannot reach the server prints through it.

A socket file that only the agent's user may open (0600), so there is no secret to hand out and nobody of the network
can come. HTTP on it:

    POST /print {"device": null, "kiosk": "kiosk-1", "job": {id, kind, data, at, expires_at}}
                -> {"id": ..., "result": {"status": ..., "detail": ...}}, as a job of the server is answered
    GET /printers -> {"printers": [{"device", "kiosks", "health", "paper"}]}

Without a `device` the printer is the one beside that kiosk, else one that is nobody's.
"""

import http.server
import json
import logging
import os
import socketserver
import sys
import threading
from pathlib import Path
from typing import Final, Protocol

BODY_MAX: Final = 256 * 1024
SILENCE_S: Final = 10.0

log = logging.getLogger(__name__)


class Behind(Protocol):
    """Who answers at the door."""

    def print_here(self, device: str | None, kiosk: str, job: object) -> dict[str, object] | None:
        """Do a print job and give its ack; None: there is no such printer here. Blocks."""
        ...

    def printers_here(self) -> list[dict[str, object]]:
        """Give the printers of this machine, as they are now."""
        ...


class LocalDoor:
    """The socket file and the thread that listens there."""

    def __init__(self, path: Path, behind: Behind) -> None:
        """Make the file; one that a killed agent left is replaced.

        Raises:
            OSError: the path is too long, or the folder cannot be written.
        """
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = _Server(str(path), behind)
        finally:
            os.umask(before)
        self._path = path
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="local door", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more and take the file away."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, behind: Behind) -> None:
        self.behind = behind
        super().__init__(path, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as the base has it
        """Say nothing of a program that went away; a bug is logged and ends its connection only."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request at the local door failed", exc_info=error)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = SILENCE_S

    def address_string(self) -> str:
        return "this machine"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls
        pass

    def do_GET(self) -> None:
        if self.path == "/printers":
            self._answer(200, {"printers": self.server.behind.printers_here()})
        else:
            self._answer(404, {"problem": "there is nothing at this address"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/print" or not length.isdigit() or int(length) > BODY_MAX:
            self._answer(404, {"problem": "there is nothing at this address"})
            return
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except ValueError:
            asked = None
        device = asked.get("device") if isinstance(asked, dict) else None
        kiosk = asked.get("kiosk") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or not isinstance(device, str | None) or not isinstance(kiosk, str):
            self._answer(400, {"problem": "send {device, kiosk, job}"})
            return
        ack = self.server.behind.print_here(device, kiosk, asked.get("job"))
        if ack is None:
            self._answer(404, {"problem": "this agent has no printer for that"})
        elif "result" not in ack:
            self._answer(503, {"problem": "the agent is stopping"})
        else:
            self._answer(200, ack)

    def _answer(self, status: int, body: object) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
