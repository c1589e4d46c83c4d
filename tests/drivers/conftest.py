"""A small pretend ticket server: the register, window commands and /live over real sockets, in this process."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import flask
import pytest
import socketio
from werkzeug.serving import BaseWSGIServer, make_server

TOKEN = "secret-token"
HALL = "demo"


@dataclass
class FakeServer:
    """What the agent did to it, and what it can be told to do."""

    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    presses: list[tuple[str, str, dict[str, Any], str | None]] = field(default_factory=list)
    acks: list[Any] = field(default_factory=list)
    watched: dict[str, str] = field(default_factory=dict)  # topic -> sid
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse_presses: tuple[int, str] | None = None
    fail_presses: int = 0
    seq: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._http: BaseWSGIServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to listen; after stop() at the same port."""
        self._live = socketio.Server(
            async_mode="threading", logger=False, engineio_logger=False, ping_interval=2, ping_timeout=2
        )
        self._live.on("connect", self._connect, namespace="/live")
        self._live.on("watch", self._watch, namespace="/live")
        self._sids: set[str] = set()
        app = self._app()
        self._http = make_server("127.0.0.1", self.port, socketio.WSGIApp(self._live, app), threaded=True)
        self._http.daemon_threads = True  # type: ignore[attr-defined]  # of the mixin
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away as a killed process does."""
        assert self._http is not None
        self.watched.clear()
        for sid in list(self._sids):
            self._live.disconnect(sid, namespace="/live")
        self._http.shutdown()
        self._thread.join(5)
        self._http.server_close()

    def wait(self, done: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until something is true, or fail."""
        until_s = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < until_s, "it did not happen in time"
            time.sleep(0.01)

    def send_job(self, device: str, job: Mapping[str, Any], timeout_s: float = 20.0) -> Any:
        """Send a job to the agent that watches the device and give its ack."""
        self.wait(lambda: f"device:{device}" in self.watched)
        message = {"hall": HALL, "topic": f"device:{device}", **job}
        return self._live.call(
            "job", message, to=self.watched[f"device:{device}"], namespace="/live", timeout=timeout_s
        )

    def show(self, window: str, data: dict[str, Any]) -> None:
        """Push a window's picture, now and to whoever watches later."""
        self.seq += 1
        message = {"hall": HALL, "topic": f"window:{window}", "seq": self.seq, "data": data}
        self.pictures[f"window:{window}"] = message
        self._live.emit("picture", message, namespace="/live")

    def row(self, device: str) -> dict[str, Any]:
        """Give the newest row of a device."""
        return next((row for name, row in reversed(self.rows) if name == device), {})

    def _app(self) -> flask.Flask:
        app = flask.Flask("fake server")

        @app.before_request
        def check() -> Any:
            if flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return {"code": "not_signed_in", "detail": "Sign in first."}, 401
            if not flask.request.path.startswith(f"/api/v1/halls/{HALL}/"):
                return {"code": "hall_not_found", "detail": "No such hall."}, 404
            return None

        @app.put("/api/v1/halls/<hall>/devices/<device>")
        def put(hall: str, device: str) -> Any:
            self.rows.append((device, flask.request.get_json()))
            return {"device": device, "hall": hall, "seq": self.seq}

        @app.post("/api/v1/halls/<hall>/windows/<window>/<command>")
        def press(hall: str, window: str, command: str) -> Any:
            key = flask.request.headers.get("Idempotency-Key")
            self.presses.append((window, command, flask.request.get_json(), key))
            if self.fail_presses:
                self.fail_presses -= 1
                return {"code": "ledger_unavailable"}, 503
            if self.refuse_presses is not None:
                return {"code": self.refuse_presses[1], "detail": "No."}, self.refuse_presses[0]
            return {"ticket": "20261121-A001", "label": "A001", "seq": self.seq}

        return app

    def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        if not isinstance(auth, dict) or auth.get("token") != TOKEN:
            raise socketio.exceptions.ConnectionRefusedError("not_signed_in")
        self._sids.add(sid)

    def _watch(self, sid: str, wish: dict[str, Any]) -> dict[str, Any]:
        topic = wish["topic"]
        self.watched[topic] = sid
        if topic in self.pictures:
            self._live.emit("picture", self.pictures[topic], to=sid, namespace="/live")
        return {"ok": True, "seq": self.seq}


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    """Give a pretend ticket server that listens."""
    server = FakeServer()
    yield server
    server.stop()
