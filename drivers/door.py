"""The agent's door for programs of its own machine: a kiosk that cannot reach the server prints through it.

It listens on a port of the machine itself, so nobody of the network can come, and answers who knows its key. Port and
key are in a file that only the agent's user may read (0600): {"port": 40123, "key": "..."}, new at every start. HTTP
with `Authorization: Bearer KEY`:

    POST /print {"device": null, "kiosk": "kiosk-1", "job": {id, kind, data, at, expires_at}}
                -> {"id": ..., "result": {"status": ..., "detail": ...}}, as a job of the server is answered
    GET /printers -> {"printers": [{"device", "kiosks", "health", "paper"}]}

Without a `device` the printer is the one beside that kiosk, else one that is nobody's.
"""

import hmac
import http.server
import json
import logging
import os
import secrets
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
    """The port, the file that tells of it, and the thread that listens."""

    def __init__(self, path: Path, behind: Behind) -> None:
        """Open the port and write the file; one that a killed agent left is replaced.

        Raises:
            OSError: there is no port, or the folder cannot be written.
        """
        self._server = _Server(behind)
        self._path = path
        half = path.with_name(f"{path.name}.new")
        try:
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                json.dump({"port": self._server.server_address[1], "key": self._server.key}, file)
            half.replace(path)
        except OSError:
            self._server.server_close()
            raise
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


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True

    def __init__(self, behind: Behind) -> None:
        self.behind = behind
        self.key = secrets.token_urlsafe(32)
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as the base has it
        """Say nothing of a program that went away; a bug is logged and ends its connection only."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request at the local door failed", exc_info=error)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = SILENCE_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls
        pass

    def do_GET(self) -> None:
        if not self._knows_the_key():
            return
        if self.path == "/printers":
            self._answer(200, {"printers": self.server.behind.printers_here()})
        else:
            self._answer(404, {"problem": "there is nothing at this address"})

    def do_POST(self) -> None:
        if not self._knows_the_key():
            return
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

    def _knows_the_key(self) -> bool:
        told = self.headers.get("Authorization", "").encode(errors="replace")
        known = hmac.compare_digest(told, f"Bearer {self.server.key}".encode())
        if not known:
            self._answer(401, {"problem": "the key of this door is in its file"})
        return known

    def _answer(self, status: int, body: object) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
