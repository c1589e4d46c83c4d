"""The one place that touches Flask-SocketIO: events come in as plain values, packets go out, nobody else knows it.

Bounded and strict: websocket only, pings every 5 s, messages up to 64 KB, no binary, one client's events in its own
order. python-socketio queues without bound per client, so callers look at `backlog` before they send.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any, Protocol

import engineio
import flask_socketio
import msgspec
import socketio
from flask import Flask

from server.web.listener import text_frame

NAMESPACE = "/live"
PING_EVERY_S = 5
PONG_WITHIN_S = 5  # with the library's 25 + 20 s a screen would be blind for 45 s
MESSAGE_BYTES_MAX = 65_536
SAME_COMPLAINT_EVERY_S = 60.0

Answer = Mapping[str, Any]


class Desk(Protocol):
    """Who answers what comes in."""

    def opened(self, sid: str, environ: Mapping[str, Any], auth: object) -> str | None:
        """Take a new connection: None, or the code with which it is refused."""

    def closed(self, sid: str) -> None:
        """Forget a connection."""

    def asked(self, sid: str, event: str, args: tuple[object, ...]) -> Answer:
        """Give the answer to an event. Never raises for what a client sent."""


class SocketDoor:
    """The namespace `/live` of an app."""

    def __init__(self, app: Flask, desk: Desk, *, is_origin: Callable[[str, str], bool], async_mode: str) -> None:
        """Attach to the app. `is_origin(origin, host)` says whose pages may connect; async_mode: gevent, threading."""
        for name in ("engineio.server", "socketio.server"):
            logging.getLogger(name).addFilter(_OncePerMinute())
        self._io = flask_socketio.SocketIO(
            app,
            async_mode=async_mode,
            transports=["websocket"],
            allow_upgrades=False,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_WITHIN_S,
            max_http_buffer_size=MESSAGE_BYTES_MAX,
            http_compression=False,
            async_handlers=False,  # else one client's events could overtake each other
            manage_session=False,
            serializer=_TextPacket,
            json=_Json,
            cors_allowed_origins=lambda origin, environ: is_origin(origin or "", environ.get("HTTP_HOST", "")),
        )
        self._raw: dict[str, Any] = {}  # the websocket under each connection
        self._io.on_namespace(_Namespace(desk, self._raw))

    def send(self, sid: str, event: "Outgoing") -> None:
        """Send an event: at once when nothing waits before it, else through the queue."""
        line, raw = self._line(sid), self._raw.get(sid)
        if line is None or line.closed:
            return
        send_now = getattr(raw, "send_now", None)  # of our own listener; other servers have the queue only
        if send_now is None or not line.queue.empty() or not send_now(event.frame):
            line.send(event.queued)

    def ask(self, sid: str, event: str, data: Answer, answered: Callable[[object], None]) -> None:
        """Queue an event that wants an answer; `answered` gets the first thing the client says."""
        self._io.server.emit(
            event, data, to=sid, namespace=NAMESPACE, callback=lambda *args: answered(args[0] if args else None)
        )

    def backlog(self, sid: str) -> int:
        """Count the packets that wait for a slow client."""
        line = self._line(sid)
        return 0 if line is None else int(line.queue.qsize())

    def drop(self, sid: str) -> None:
        """Cut the line under a client, whether it reads or not; it may connect anew."""
        line, raw = self._line(sid), self._raw.get(sid)
        if line is not None:
            line.close(wait=False, abort=True)
        _cut(raw)

    def _line(self, sid: str) -> Any:
        eio_sid = self._io.server.manager.eio_sid_from_sid(sid, NAMESPACE)
        return self._io.server.eio.sockets.get(eio_sid)


def _cut(raw: Any) -> None:
    """Cut the connection under a websocket, else the greenlet that writes to one that takes nothing stays blocked."""
    if raw is not None and raw.handler is not None:
        with suppress(OSError):  # closed already
            raw.handler.socket.shutdown(SHUT_RDWR)


class Outgoing:
    """An event of the namespace, made ready once for all who get it; its only argument is JSON already."""

    __slots__ = ("frame", "queued")

    def __init__(self, event: str, payload: bytes) -> None:
        """Make the websocket frame, and the packet for the queue of a client that is slow."""
        text = f'{socketio.packet.EVENT}{NAMESPACE},["{event}",{payload.decode()}]'
        self.queued = engineio.packet.Packet(engineio.packet.MESSAGE, data=text)
        self.frame = text_frame(self.queued.encode())


class _Namespace(flask_socketio.Namespace):  # type: ignore[misc]  # untyped library
    """Hands everything to the desk, without Flask's request context: no session, no globals."""

    def __init__(self, desk: Desk, raw: dict[str, Any]) -> None:
        super().__init__(NAMESPACE)
        self._desk, self._raw = desk, raw

    def trigger_event(self, event: object, *args: Any) -> Answer | None:
        """Hand one event over. `args`: sid, then for connect environ and auth, for disconnect the reason."""
        match event:
            case "connect":
                code = self._desk.opened(args[0], args[1], args[2] if len(args) > 2 else None)
                if code is not None:
                    raise socketio.exceptions.ConnectionRefusedError(code, {"code": code})
                self._raw[args[0]] = args[1].get("wsgi.websocket")
                return None
            case "disconnect":
                raw = self._raw.pop(args[0], None)
                if args[1:] == (socketio.Server.reason.PING_TIMEOUT,):
                    _cut(raw)
                self._desk.closed(args[0])
                return None
            case _:
                return self._desk.asked(args[0], str(event), args[1:])


class _TextPacket(socketio.packet.Packet):  # type: ignore[misc]  # untyped library
    """A packet without binary parts: their attachments would be kept in memory until the last one comes."""

    uses_binary_events = False

    def decode(self, encoded_packet: object) -> int:
        """Read a packet.

        Raises:
            ValueError: it is binary, or announces binary parts.
        """
        if not isinstance(encoded_packet, str) or encoded_packet[:1] in ("5", "6"):
            raise ValueError("binary packets are refused")
        return int(super().decode(encoded_packet) or 0)


class _Json:
    """JSON as both libraries want it, by msgspec: Chinese stays three bytes a character."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Give the JSON text."""
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str, **_: object) -> Any:
        """Read a JSON text.

        Raises:
            ValueError: it is no JSON, or nested too deep.
        """
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(str(error)) from None


class _OncePerMinute(logging.Filter):
    """Lets the same complaint through once a minute, and without its traceback: anybody can send junk."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether this complaint is logged."""
        now = time.monotonic()
        if now - self._last.get(record.msg, -SAME_COMPLAINT_EVERY_S) < SAME_COMPLAINT_EVERY_S:
            return False
        if len(self._last) > 100:
            self._last.clear()
        self._last[record.msg] = now
        if record.exc_info and isinstance(record.exc_info[1], ValueError | TypeError):
            record.exc_info = None
        return True
