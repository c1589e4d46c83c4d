"""Server processes to measure against: `python -m benchmarks.floors KIND FOLDER [BYTES]`.

empty   the same listener and Flask, with one route that gives a kiosk's answer and does nothing
memory  the whole server on a ledger in memory
send    a socket per screen; a request sends a ready frame to all of them: no protocol, no framework
plain   Flask-SocketIO as its manual shows it; a request emits to all
"""

# ruff: noqa: E402 - gevent wants to patch before anything else is imported

from gevent import monkey

monkey.patch_all()

import json
import logging
import sys
from pathlib import Path

import flask_socketio
import gevent
from flask import Flask, Response, request
from gevent.server import StreamServer
from gevent.socket import socket

from benchmarks.house import hall_file
from server import serve as serving
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.web.doors import Doors
from server.web.listener import Listener, listen, text_frame

ANSWER = {
    "ticket": "20260302-A001",
    "label": "A001",
    "number": 1,
    "service": "s0",
    "zone": "z0",
    "issued_at": "2026-03-02T09:00:00.000+08:00",
    "ahead": 0,
    "eta": None,
    "track_url": "http://127.0.0.1/t/bench/0123456789012345678901",
    "track": "0123456789012345678901",
    "windows": ["1", "13", "17", "29"],
    "priority": "ordinary",
    "seq": 1,
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def empty() -> None:
    """Serve one route that reads its body and answers."""
    app = Flask("benchmarks.floors")

    @app.post("/empty")
    def route() -> Response:
        request.get_json()
        return Response(json.dumps(ANSWER), status=201, content_type="application/json")

    _serve(app)


def plain(size: int) -> None:
    """Emit to everybody on request."""
    app = Flask("benchmarks.floors")
    io = flask_socketio.SocketIO(app, async_mode="gevent", transports=["websocket"])
    io.on_event("watch", lambda _: {"ok": True, "seq": 0}, namespace="/live")

    @app.post("/emit")
    def route() -> Response:
        io.emit("picture", {"data": "x" * size}, namespace="/live")
        return Response("{}", content_type="application/json")

    _serve(app)


def send(size: int) -> None:
    """Send a ready frame to all sockets on request."""
    screens: list[socket] = []
    frame = text_frame('42/live,["picture",{"data":"' + "x" * size + '"}]')

    def serve(connection: socket, _: object) -> None:
        while asked := connection.recv(65536):
            if not asked.startswith(b"POST"):
                screens.append(connection)
                continue
            for screen in screens:
                screen.sendall(frame)
            connection.sendall(OK)
        if connection in screens:
            screens.remove(connection)

    server = StreamServer(listen("127.0.0.1", 0), serve)
    server.start()
    _ready(int(server.address[1]))


def memory(data: Path) -> None:
    """Serve the hall from memory."""
    serving._open_hall = lambda id_, folder, clock, faults: Hall(id_, MemoryLedger(), clock=clock)  # noqa: ARG005, SLF001
    serving.serve([str(hall_file(data))], port=0, data=data)


def _serve(app: Flask) -> None:
    listener = listen("127.0.0.1", 0)
    port = int(listener.getsockname()[1])
    Listener(listener, app, Doors(port=port)).start()
    _ready(port)


def _ready(port: int) -> None:
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    gevent.wait()


def main() -> None:
    """Serve what is asked for until killed."""
    logging.basicConfig(level=logging.INFO)
    kind, data = sys.argv[1], Path(sys.argv[2])
    match kind:
        case "empty":
            empty()
        case "memory":
            memory(data)
        case "plain":
            plain(int(sys.argv[3]))
        case "send":
            send(int(sys.argv[3]))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
