"""A small pretend ticket server: the register, window commands and /live over real sockets, in this process."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import flask
import pytest
import socketio
from werkzeug.serving import BaseWSGIServer, make_server

from tests.patience import PATIENCE_S, until

TOKEN = "secret-token"
HALL = "demo"


@dataclass
class FakeServer:
    """What the agent did to it, and what it can be told to do."""

    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    presses: list[tuple[str, str, dict[str, Any], str | None]] = field(default_factory=list)
    inputs: list[tuple[str, str, dict[str, Any], str | None]] = field(default_factory=list)  # device, what, body, key
    services: dict[str, bool] = field(default_factory=dict)  # service -> gives numbers
    card_key: str = "ab" * 32
    acks: list[Any] = field(default_factory=list)
    watched: dict[str, str] = field(default_factory=dict)  # topic -> sid
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse_presses: tuple[int, str] | None = None
    fail_presses: int = 0
    seq: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._turn = threading.Lock()
        self._http: BaseWSGIServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to listen; after stop() at the same port."""
        live = socketio.Server(async_mode="threading", logger=False, engineio_logger=False)
        live.on("connect", partial(self._connect, live), namespace="/live")
        live.on("watch", partial(self._watch, live), namespace="/live")
        self._live = live
        self._sids: set[str] = set()
        app = self._app()
        self._http = make_server("127.0.0.1", self.port, socketio.WSGIApp(live, app), threaded=True)
        self._http.daemon_threads = True  # type: ignore[attr-defined]  # of the mixin
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away as a killed process does."""
        assert self._http is not None
        self._http.shutdown()
        self._thread.join(PATIENCE_S)
        self._http.server_close()
        with self._turn:  # a request that is still under way finds nobody
            gone, self._live = self._live, socketio.Server(async_mode="threading")
            self.watched.clear()
        for sid in list(self._sids):
            gone.disconnect(sid, namespace="/live")

    def wait(self, done: Callable[[], object]) -> None:
        """Wait until something is true, or fail."""
        until(done, "what was waited for")

    def send_job(self, device: str, job: Mapping[str, Any], timeout_s: float = PATIENCE_S) -> Any:
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

        @app.get("/api/v1/halls/<hall>/state")
        def state(hall: str) -> Any:
            rows = [{"service": service, "open": is_open, "left": None} for service, is_open in self.services.items()]
            return {"hall": hall, "services": rows}

        @app.post("/api/v1/halls/<hall>/devices/<device>/card-key")
        def card_key(hall: str, device: str) -> Any:
            return {"key": self.card_key}

        @app.post("/api/v1/halls/<hall>/devices/<device>/<what>")
        def present(hall: str, device: str, what: str) -> Any:
            self.inputs.append((device, what, flask.request.get_json(), flask.request.headers.get("Idempotency-Key")))
            if self.fail_presses:
                self.fail_presses -= 1
                return {"code": "ledger_unavailable"}, 503
            if self.refuse_presses is not None:
                return {"code": self.refuse_presses[1], "detail": "No."}, self.refuse_presses[0]
            return {"label": "A001", "did": "shown"}

        return app

    def _connect(self, live: socketio.Server, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        if not isinstance(auth, dict) or auth.get("token") != TOKEN:
            raise socketio.exceptions.ConnectionRefusedError("not_signed_in")
        with self._turn:
            if live is not self._live:
                raise socketio.exceptions.ConnectionRefusedError("gone")
            self._sids.add(sid)

    def _watch(self, live: socketio.Server, sid: str, wish: dict[str, Any]) -> dict[str, Any]:
        topic = wish["topic"]
        with self._turn:
            if live is not self._live:
                return {"ok": False, "code": "gone"}
            self.watched[topic] = sid
        if topic in self.pictures:
            live.emit("picture", self.pictures[topic], to=sid, namespace="/live")
        return {"ok": True, "seq": self.seq}


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    """Give a pretend ticket server that listens."""
    server = FakeServer()
    yield server
    server.stop()
