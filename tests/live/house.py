"""A real server process on a free port, and real Socket.IO clients."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests
import socketio

from drivers.server_link import ClosingWebSocket
from server.people import People
from tests.patience import PATIENCE_S, until

__all__ = ["HALL", "Api", "House", "ServerProcess", "Watcher", "rising", "until"]

HALL = "demo"


class ServerProcess:
    """`jiaohao serve` as its users start it."""

    def __init__(self, root: Path, data: Path, hall_file: Path | None = None) -> None:
        self.root, self.data, self.port = root, data, 0
        self.hall_file = hall_file or root / "config/demo.toml"
        self.process: subprocess.Popen[str] | None = None
        self.errors = data / "stderr.txt"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> "ServerProcess":
        arguments = [sys.executable, "-m", "server.main", "--lang", "en", "serve", str(self.hall_file)]
        arguments += ["--port", str(self.port), "--data", str(self.data), *options]
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(
                arguments,
                cwd=self.root,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"LANG": "C.UTF-8"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), (line, self.errors.read_text())
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def end(self, number: int) -> int:
        """Send a signal and give the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=PATIENCE_S)
        if self.process.stdout is not None:
            assert self.process.stdout.read() == ""  # one line, nothing else
            self.process.stdout.close()
        self.process = None
        return status

    def api(self, token: str | None = None) -> "Api":
        return Api(self, token)


class Api:
    """The HTTP interface with a device's token, or as a person."""

    def __init__(self, server: ServerProcess, token: str | None) -> None:
        self._server, self._session = server, requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self._session.cookies)

    def sign_in(self, work_id: str, password: str, window: str | None = None) -> "Api":
        asked = {"work_id": work_id, "password": password, "hall": HALL}
        self.send("POST", "/login", asked | ({"window": window} if window else {}))
        self._session.headers["X-CSRF-Token"] = self.send("GET", "/me")["csrf"]
        return self

    def send(self, method: str, path: str, body: object = None, *, key: str | None = None, good: bool = True) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        response = self._session.request(
            method,
            f"{self._server.url}/api/v1{path}",
            json=body if method != "GET" else None,
            headers=headers,
            timeout=PATIENCE_S,
        )
        if good:
            assert response.ok, (path, response.status_code, response.text)
        return response.json()

    def hall(self, method: str, path: str, body: object = None, **how: Any) -> Any:
        return self.send(method, f"/halls/{HALL}{path}", {} if body is None else body, **how)

    def press(self, service: str = "general", **more: Any) -> Any:
        return self.hall("POST", "/tickets", {"service": service, **more})

    def close(self) -> None:
        self._session.close()


class Watcher:
    """One Socket.IO client that watches topics, comes back by itself, and remembers all it saw."""

    def __init__(
        self, server: ServerProcess, *, token: str | None = None, cookies: dict[str, str] | None = None
    ) -> None:
        self._server, self._token, self._cookies = server, token, cookies
        self._io = socketio.Client(
            reconnection_delay=0.2,
            reconnection_delay_max=1,
            websocket_extra_options={"class_": ClosingWebSocket},
        )
        self.pictures: list[dict[str, Any]] = []
        self.acks: dict[str, dict[str, Any]] = {}
        self.jobs: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], object] | None = lambda job: {
            "id": job["id"],
            "result": {"status": "printed" if job["kind"] == "print_ticket" else "said", "detail": ""},
        }
        self.topics: list[str] = []
        self.connects = self.disconnects = 0
        self.refused: list[object] = []
        self._seen = threading.Lock()
        self._io.on("connect", self._on_connect, namespace="/live")
        self._io.on("disconnect", self._on_disconnect, namespace="/live")
        self._io.on("connect_error", lambda why: self.refused.append(why), namespace="/live")
        self._io.on("picture", self._on_picture, namespace="/live")
        self._io.on("job", self._on_job, namespace="/live")

    def connect(self) -> "Watcher":
        cookie = "; ".join(f"{name}={value}" for name, value in (self._cookies or {}).items())
        self._io.connect(
            self._server.url,
            namespaces=["/live"],
            transports=["websocket"],
            auth={"token": self._token} if self._token else None,
            headers={"Cookie": cookie} if cookie else {},
            wait_timeout=PATIENCE_S,
        )
        return self

    def watch(self, *topics: str, hall: str = HALL) -> "Watcher":
        """Watch now and after every reconnect."""
        self.topics += topics
        for topic in topics:
            self._watch(topic, hall)
        return self

    def ask(self, event: str, *asked: object) -> Any:
        return self._io.call(event, asked if len(asked) != 1 else asked[0], namespace="/live", timeout=PATIENCE_S)

    def raw(self, packet: str) -> None:
        """Send an Engine.IO message as it is."""
        self._io.eio.send(packet)

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [picture for picture in list(self.pictures) if picture["topic"] == topic]

    def last(self, topic: str) -> dict[str, Any] | None:
        seen = self.of(topic)
        return seen[-1] if seen else None

    def seqs(self, topic: str) -> list[int]:
        return [picture["seq"] for picture in self.of(topic)]

    def close(self) -> None:
        self._io.disconnect()
        self._io.shutdown()

    def _on_connect(self) -> None:
        self.connects += 1
        for topic in list(self.topics):
            self._io.start_background_task(self._watch, topic, HALL)

    def _on_disconnect(self, *_: object) -> None:
        self.disconnects += 1

    def _watch(self, topic: str, hall: str) -> None:
        last = self.last(topic)
        try:
            self.acks[topic] = self._io.call(
                "watch",
                {"hall": hall, "topic": topic, "after": last and last["seq"]},
                namespace="/live",
                timeout=PATIENCE_S,
            )
        except (socketio.exceptions.SocketIOError, TimeoutError) as error:
            self.acks[topic] = {"ok": False, "code": repr(error)}

    def _on_picture(self, picture: dict[str, Any]) -> None:
        with self._seen:
            self.pictures.append(picture)

    def _on_job(self, job: dict[str, Any]) -> object:
        with self._seen:
            self.jobs.append(job)
        while self.answer is None:
            time.sleep(0.01)
        return self.answer(job)


class House:
    """A data folder with accounts, the server on it, and clients that are put away at the end."""

    def __init__(self, root: Path, data: Path, hall_file: Path | None = None) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.people = People(data / "accounts.sqlite")
        self.people.accounts.busy_wait_s = PATIENCE_S  # the server writes there too
        self.server = ServerProcess(root, data, hall_file)
        self._open: list[Watcher | Api] = []
        self.password = "right horse battery"
        self.tokens = {
            role: self.people.add_device(f"{role}-1", role=role, hall=HALL)
            for role in ("kiosk", "devices", "display", "integration")
        }
        self.people.add_user("1001", self.password, role="clerk", name="窗口一")
        self.people.add_user("9001", self.password, role="manager", name="管理员")

    def api(self, role: str) -> Api:
        api = self.server.api(self.tokens[role])
        self._open.append(api)
        return api

    def person(self, work_id: str, window: str | None = None) -> Api:
        api = self.server.api().sign_in(work_id, self.password, window)
        self._open.append(api)
        return api

    def new_watcher(self, role: str | None = None, **how: Any) -> Watcher:
        watcher = Watcher(self.server, token=self.tokens[role] if role else None, **how)
        self._open.append(watcher)
        return watcher

    def watcher(self, role: str | None = None, **how: Any) -> Watcher:
        return self.new_watcher(role, **how).connect()

    def close(self) -> None:
        for client in self._open:
            client.close()
        if self.server.process is not None:
            self.server.end(signal.SIGKILL)


def rising(numbers: Sequence[int]) -> bool:
    """Say whether numbers never go back."""
    return all(a <= b for a, b in pairwise(numbers))
