"""The one place that touches gevent's WSGI server and gevent-websocket: slow and rude clients hurt themselves only.

gevent-websocket 0.10.1 reads frames of any announced size and never times out, and a pywsgi listener without
TCP_NODELAY answers every keep-alive POST 40 ms late; both are mended here, by small subclasses.
"""

import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from geventwebsocket import handler as gw_handler
from geventwebsocket import websocket as gw_websocket
from geventwebsocket.exceptions import WebSocketError

from server.web.doors import Doors

BACKLOG = 1024
CONNECTIONS_MAX = 4000  # more wait outside: each costs memory
SOCKET_PATH = "/socket.io"
HTTP_SILENCE_S = 60.0  # a keep-alive connection that asks nothing is closed
FRAME_BYTES_MAX = 65_536
SEND_BUFFER_BYTES = 65_536
SOCKET_SILENCE_S = 12.0  # pings go out every 5 s: a websocket that says or takes nothing for this long is dead
SOCKETS_PER_ADDRESS = 1000  # screens behind one proxy; a whole hall's phones behind one address

log = logging.getLogger(__name__)


class PortTaken(Exception):
    """The address cannot be listened on; the text says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port (0: a free one); connections wait until `Listener.start`.

    Raises:
        PortTaken: somebody else has it, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by accepted connections
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortTaken(f"cannot listen on {host}:{port}: {reason}") from error
    listener.setblocking(False)
    return listener


class Listener:
    """Serves an app on a listening socket, with websockets on `/socket.io`."""

    def __init__(self, listener: socket.socket, app: Callable[..., Iterable[bytes]], doors: Doors) -> None:
        """Serve `app`; websockets only for hosts and origins that `doors` allow."""
        gate = _Gate(doors)
        self._work = Work()
        handler = type("Handler", (_Handler,), {"gate": gate, "work": self._work})
        self._server = _Server(
            listener,
            app,
            handler_class=handler,
            log=None,
            error_log=_quiet("server.http"),
            spawn=Pool(CONNECTIONS_MAX),
        )

    def start(self) -> None:
        """Begin to accept."""
        self._server.start()

    def stop_accepting(self) -> None:
        """Take no new connections; those there are end with the request they are at."""
        self._work.is_last = True
        self._server.close()

    def stop(self, within_s: float) -> None:
        """Let requests under way finish, then cut what is left."""
        self._server.close()
        self._work.idle.wait(within_s)
        self._server.stop(timeout=0)


def text_frame(text: str) -> bytes:
    """Give a text message as an unmasked websocket frame (RFC 6455, 5.2)."""
    data = text.encode()
    return bytes(gw_websocket.Header.encode_header(True, gw_websocket.WebSocket.OPCODE_TEXT, b"", len(data), 0)) + data


def _quiet(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    return logger


class _Server(WSGIServer):
    """gevent-websocket would log every request, with the track tokens of phone pages, to stderr: give it a logger."""

    logger = _quiet("server.websocket")


class Work:
    """Counts the requests under way."""

    is_last: bool = False
    """No connection takes another request: else busy clients would keep a stopping server from ever being idle."""

    def __init__(self) -> None:
        self._count = 0
        self.idle = Event()
        self.idle.set()

    def __enter__(self) -> None:
        self._count += 1
        self.idle.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self.idle.set()


class _Gate:
    """Who may open a websocket, decided before it is one."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._open: Counter[str] = Counter()

    def refusal(self, environ: Mapping[str, Any]) -> str | None:
        """Give the HTTP status with which a websocket is refused, None when it is welcome."""
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        if not environ.get("PATH_INFO", "").startswith(SOCKET_PATH):
            return "404 Not Found"
        if not self._doors.is_host(host):
            return "400 Bad Request"
        if origin is not None and not self._doors.is_origin(origin, host):
            return "403 Forbidden"
        if self._open[environ.get("REMOTE_ADDR", "")] >= SOCKETS_PER_ADDRESS:
            return "429 Too Many Requests"
        return None

    def enter(self, address: str) -> None:
        """Count a websocket that opens."""
        self._open[address] += 1

    def leave(self, address: str) -> None:
        """Count a websocket that closed."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]


class _Handler(gw_handler.WebSocketHandler):  # type: ignore[misc]  # untyped library
    """One connection."""

    gate: _Gate
    work: Work

    def handle(self) -> None:
        """Serve the connection, but not a silent one for ever."""
        self.socket.settimeout(HTTP_SILENCE_S)
        super().handle()

    def run_application(self) -> None:
        """Answer one request; a stopping server waits for it, but not for a websocket."""
        if self.environ.get("HTTP_UPGRADE"):
            super().run_application()
            return
        with self.work:
            super().run_application()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Begin an answer; of a stopping server it is the connection's last."""
        if self.work.is_last and not self.environ.get("HTTP_UPGRADE"):
            headers = [*headers, ("Connection", "close")]
        return super().start_response(status, headers, exc_info)

    def upgrade_websocket(self) -> Any:
        """Refuse before the handshake whom the gate does not know."""
        if self.environ.get("HTTP_UPGRADE", "").lower() != "websocket":
            return None
        refusal = self.gate.refusal(self.environ)
        if refusal is not None:
            self.start_response(refusal, [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        # Compression would double CPU and memory per screen; nobody promises it, so it is not offered.
        self.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return super().upgrade_websocket()

    def upgrade_connection(self) -> Any:
        """Make the websocket a bounded one."""
        result = super().upgrade_connection()
        if (plain := getattr(self, "websocket", None)) is not None:
            plain.closed = True  # else its destructor would write a close frame into the new one's stream
            self.websocket = _BoundedWebSocket(self.environ, gw_websocket.Stream(self), self)
            self.environ["wsgi.websocket"] = self.websocket
            self.socket.settimeout(SOCKET_SILENCE_S)
            # Linux would let megabytes of old pictures pile up for a slow screen before anybody noticed.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return result

    def run_websocket(self) -> None:
        """Serve the websocket until it closes; junk ends it quietly."""
        address = self.environ.get("REMOTE_ADDR", "")
        self.gate.enter(address)
        try:
            super().run_websocket()
        except (ValueError, IndexError, WebSocketError, OSError) as error:
            log.debug("websocket of %s ended: %r", address, error)
        finally:
            self.gate.leave(address)


class _BoundedWebSocket(gw_websocket.WebSocket):  # type: ignore[misc]  # untyped library
    """A websocket whose messages are bounded and whose frames are written whole."""

    __slots__ = ("_left", "_writing")

    def __init__(self, environ: Mapping[str, Any], stream: Any, handler: Any) -> None:
        super().__init__(environ, stream, handler)
        self._left = FRAME_BYTES_MAX
        self._writing = BoundedSemaphore(1)
        self.raw_read = self._read_payload  # type: ignore[misc]  # a slot of the untyped base
        self.raw_write = self._write_whole  # type: ignore[misc]

    def read_message(self) -> Any:
        """Read one message of at most `FRAME_BYTES_MAX`, in however many frames."""
        self._left = FRAME_BYTES_MAX
        return super().read_message()

    def handle_ping(self, header: Any, payload: Any) -> None:
        """Answer a ping; it does not count against the message it interrupts."""
        self._left += header.length
        super().handle_ping(header, payload)

    def handle_pong(self, header: Any, payload: Any) -> None:
        """Take a pong; it does not count against the message it interrupts."""
        self._left += header.length
        super().handle_pong(header, payload)

    def send_now(self, frame: bytes) -> bool:
        """Give a whole frame to the kernel at once; False when it would have to wait, then nothing was sent.

        Saves the queue and the wake-up of a greenlet per screen and picture, which cost more than the sending itself.
        """
        if self.closed or not self._writing.acquire(blocking=False):
            return False
        sent = 0
        try:
            sent = self.handler.socket.send(frame, 0, timeout=0.0)
        except OSError:  # full, or gone: the queue's greenlet will find out which
            sent = 0
        finally:
            if sent in (0, len(frame)):
                self._writing.release()
        if 0 < sent < len(frame):
            gevent.spawn(self._send_rest, frame[sent:])  # nobody else may write before the rest is out
        return sent > 0

    def _send_rest(self, rest: bytes) -> None:
        try:
            self.handler.socket.sendall(rest)
        except OSError as error:
            log.debug("a screen went away in the middle of a picture: %r", error)
        finally:
            self._writing.release()

    def _read_payload(self, length: int) -> bytes:
        self._left -= length
        if self._left < 0:
            return b""  # "unexpected end": the websocket closes
        return bytes(self.stream.read(length))

    def _write_whole(self, data: bytes) -> None:
        # A pong of the reading greenlet must not land in the middle of a picture that a slow client takes in parts.
        with self._writing:
            self.handler.socket.sendall(data)
