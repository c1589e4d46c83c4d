"""The server as the agent sees it: HTTP for the register and the presses, Socket.IO for jobs and window pictures.

`Http` does one request at a time and says whether it was refused or whether nobody answered. `Live` keeps the Socket.IO
connection: it connects, watches its topics, and on every loss begins anew within a second; the server sends again what
still matters.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast
from urllib.parse import quote

import requests
import socketio
import websocket
from socketio.exceptions import SocketIOError

from drivers.faults import Backoff

log = logging.getLogger(__name__)

CONNECT_S = 3.0
ANSWER_S = 6.0
WATCH_S = 3.0
GOODBYE_S = 0.5
STEADY_S = 5.0
RETRY_FIRST_S, RETRY_MOST_S = 0.2, 1.0
NAMESPACE = "/live"


class ServerAway(Exception):
    """Nobody answered, or the server is not itself now (5xx): it is not known whether it was done, so repeat it."""


class ServerRefused(Exception):
    """The server said no. `status` is the HTTP status, `code` its stable code, `detail` its sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """Keep all three."""
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail


def enrol(server_url: str, code: str, token_file: Path) -> str:
    """Change a one-time code for this machine's own token, keep it in a file that only we can read, and give it.

    Raises ServerAway, ServerRefused; OSError when the file cannot be written: nothing was asked of the server then.
    """
    half = token_file.with_name(f"{token_file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        session = requests.Session()
        session.trust_env = False
        token = str(_asked(session, "POST", f"{server_url.rstrip('/')}/api/v1/devices/enrol", {"code": code})["token"])
        file.write(f"{token}\n")
        file.flush()
        os.fsync(file.fileno())
    half.replace(token_file)
    return token


class Http:
    """One HTTP client; each thread makes its own."""

    def __init__(self, server_url: str, token: str, hall: str) -> None:
        """Keep the address; nothing is sent yet."""
        self._base = f"{server_url.rstrip('/')}/api/v1/halls/{quote(hall, safe='')}"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business between agent and hall
        self._session.headers.update({"Authorization": f"Bearer {token}", "Accept-Language": "en"})

    def put_device(self, device: str, row: Mapping[str, object]) -> None:
        """Put a row into the device register. Raises ServerAway, ServerRefused."""
        self._send("PUT", f"/devices/{quote(device, safe='')}", row, None)

    def press(self, window: str, command: str, body: Mapping[str, object], key: str) -> None:
        """Give a window command; the same key again is the same press. Raises ServerAway, ServerRefused."""
        self._send("POST", f"/windows/{quote(window, safe='')}/{command}", body, key)

    def present(self, device: str, what: str, body: Mapping[str, object], key: str) -> None:
        """Say what was done at an input device (number, card, scan); the same key again is the same.

        Raises ServerAway, ServerRefused.
        """
        self._send("POST", f"/devices/{quote(device, safe='')}/{what}", body, key)

    def card_key(self, device: str) -> bytes:
        """Give the hall's key for hashing identity numbers, for a reader of ours. Raises ServerAway, ServerRefused."""
        path = f"{self._base}/devices/{quote(device, safe='')}/card-key"
        key = _asked(self._session, "POST", path, {}).get("key")
        if not isinstance(key, str):
            raise ServerAway("the server told no key")
        return bytes.fromhex(key)

    def open_services(self) -> frozenset[str]:
        """Give the services for which numbers are given now. Raises ServerAway, ServerRefused."""
        rows = _asked(self._session, "GET", f"{self._base}/state", None).get("services")
        known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return frozenset(
            str(row.get("service")) for row in known if row.get("open") is not False and row.get("left") != 0
        )

    def _send(self, method: str, path: str, body: Mapping[str, object], key: str | None) -> None:
        _asked(self._session, method, self._base + path, body, {"Idempotency-Key": key} if key is not None else {})


def _asked(
    session: requests.Session,
    method: str,
    url: str,
    body: Mapping[str, object] | None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Mapping[str, Any]:
    """Give what the server answers. Raises ServerAway, ServerRefused."""
    try:
        json = None if body is None else dict(body)
        answer = session.request(method, url, json=json, headers=dict(headers), timeout=(CONNECT_S, ANSWER_S))
        if answer.status_code < 400:
            return cast("Mapping[str, Any]", answer.json())
    except requests.RequestException as error:
        raise ServerAway(_short(error)) from error
    if answer.status_code >= 500:
        raise ServerAway(f"the server answers {answer.status_code}")
    code, detail = _problem(answer)
    raise ServerRefused(answer.status_code, code, detail)


class Follower(Protocol):
    """Who gets what the server pushes. Called from threads of the connection; jobs may block."""

    def joining(self) -> None:
        """Note that a connection is about to be made. Raises ServerAway, ServerRefused: it is not made then."""
        ...

    def picture(self, topic: str, data: object) -> None:
        """Take the newest picture of a topic."""
        ...

    def job(self, device: str, wire: object) -> dict[str, object]:
        """Do a job and give the ack: {id, result: {status, detail}}."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAddress:
    """Where and as whom to connect, and what to watch there."""

    server_url: str
    token: str
    hall: str
    topics: tuple[str, ...]


class Live:
    """The Socket.IO connection, kept by one thread until `stop()`."""

    def __init__(self, address: LiveAddress, follower: Follower) -> None:
        """Keep the address; `start()` connects."""
        self._address = address
        self._follower = follower
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._seen_lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._client: socketio.Client | None = None
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to connect, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect and end."""
        self._stopping.set()
        self._lost.set()
        client = self._client
        if client is not None:  # in a thread: websocket-client waits three seconds for the other side's goodbye
            goodbye = threading.Thread(target=client.disconnect, name="goodbye", daemon=True)
            goodbye.start()
            goodbye.join(GOODBYE_S)

    def _run(self) -> None:
        pause = Backoff(first_s=RETRY_FIRST_S, most_s=RETRY_MOST_S)
        away = False
        while not self._stopping.is_set():
            try:
                client = self._connect()
            except (SocketIOError, ServerAway, ServerRefused, requests.RequestException, OSError, ValueError) as error:
                if not away:
                    log.warning("live: no connection to %s: %s", self._address.server_url, _short(error))
                away = True
                self._stopping.wait(pause.next_s())
                continue
            log.info("live: connected %s", "again" if away else f"to {self._address.server_url}")
            away = False
            connected_s = time.monotonic()
            self._lost.wait()
            if self._stopping.is_set():
                return
            log.warning("live: connection lost")
            away = True
            client.disconnect()
            if time.monotonic() - connected_s > STEADY_S:
                pause.reset()
            self._stopping.wait(pause.next_s())

    def _connect(self) -> socketio.Client:
        self._follower.joining()
        client = socketio.Client(
            reconnection=False,
            handle_sigint=False,
            logger=False,
            engineio_logger=False,
            websocket_extra_options={"class_": ClosingWebSocket},
        )
        self._client = client
        self._lost.clear()
        with self._seen_lock:
            self._seen.clear()  # else pictures of a server whose count begins anew would pass for old ones
        client.on("picture", self._on_picture, namespace=NAMESPACE)
        client.on("job", self._on_job, namespace=NAMESPACE)
        client.on("disconnect", self._on_disconnect, namespace=NAMESPACE)
        client.connect(
            self._address.server_url,
            transports=["websocket"],
            namespaces=[NAMESPACE],
            auth={"token": self._address.token},
            wait_timeout=WATCH_S,
        )
        try:
            for topic in self._address.topics:
                self._watch(client, topic)
        except BaseException:
            client.disconnect()
            raise
        return client

    def _watch(self, client: socketio.Client, topic: str) -> None:
        wish = {"hall": self._address.hall, "topic": topic, "after": None}
        answer = client.call("watch", wish, namespace=NAMESPACE, timeout=WATCH_S)
        if not (isinstance(answer, dict) and answer.get("ok") is True):
            code = answer.get("code") if isinstance(answer, dict) else answer
            log.error("live: %s may not be watched: %s", topic, code)

    def _on_picture(self, message: Any) -> None:  # Any: whatever the server sent
        if not isinstance(message, dict) or message.get("hall") != self._address.hall:
            return
        topic, seq = message.get("topic"), message.get("seq")
        if not isinstance(topic, str) or not isinstance(seq, int):
            return
        with self._seen_lock:
            if seq < self._seen.get(topic, -1):
                return  # handlers run in threads: an older picture came late
            self._seen[topic] = seq
        self._follower.picture(topic, message.get("data"))

    def _on_job(self, message: Any) -> dict[str, object]:  # Any: whatever the server sent
        topic = message.get("topic") if isinstance(message, dict) else None
        kind, _, device = str(topic).partition(":")
        return self._follower.job(device if kind == "device" else "", message)

    def _on_disconnect(self, *_: object) -> None:
        self._lost.set()


class ClosingWebSocket(websocket.WebSocket):
    """A connection that is closed when it breaks; the library below leaves that to the garbage collector."""

    def recv(self) -> Any:  # Any: text or bytes, as the library has it
        """Give the next message. Raises what the library raises, with the socket closed."""
        try:
            return super().recv()
        except (OSError, websocket.WebSocketException):
            self.shutdown()  # type: ignore[no-untyped-call]  # the library leaves it so
            raise


def _short(error: BaseException) -> str:
    """Give the reason without the layers of the libraries around it."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(text).splitlines()[0][:200]


def _problem(answer: requests.Response) -> tuple[str, str]:
    """Give code and sentence of a problem+json answer, or what stands in for them."""
    try:
        body = answer.json()
    except ValueError:
        return "", answer.reason or ""
    if not isinstance(body, dict):
        return "", answer.reason or ""
    return str(body.get("code", "")), str(body.get("detail") or body.get("title") or "")
