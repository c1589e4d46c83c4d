"""Clients that do not read, do not stop, or are not who they say: they hurt themselves only."""

import base64
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.live.house import HALL, House, ServerProcess, until
from tests.patience import PATIENCE_S

PRESSES = 300  # many more pictures than a line that takes nothing can hold; fewer than a device may press in a burst
OPEN: list[socket.socket] = []


@pytest.fixture(autouse=True)
def _no_line_left_open() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


class RawLine:
    """A websocket by hand, so that it can misbehave."""

    def __init__(
        self, server: ServerProcess, *, path: str = "/socket.io/?EIO=4&transport=websocket", **headers: str
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        OPEN.append(self.socket)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = {
            "Host": f"127.0.0.1:{server.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Extensions": "permessage-deflate",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        request = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        self.socket.sendall(request.encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            more = self.socket.recv(4096)
            if not more:
                break
            self._buffer += more
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def send(self, text: str | bytes, *, opcode: int = 1, fin: bool = True, announce: int | None = None) -> None:
        body = text.encode() if isinstance(text, str) else text
        size = len(body) if announce is None else announce
        head = bytes([(0x80 if fin else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        self.socket.sendall(head + b"\0\0\0\0" + body)

    def frame(self) -> tuple[int, bytes]:
        head = self._take(2)
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._take(8))[0]
        return head[0], self._take(size)

    def packet(self) -> bytes:
        """Give the next packet that is no ping; pings are answered."""
        while (body := self.frame()[1]) == b"2":
            self.send("3")
        return body

    def join(self, token: str | None = None) -> "RawLine":
        assert self.packet().startswith(b"0")
        self.send("40/live," + (json.dumps({"token": token}) if token else ""))
        assert self.packet().startswith(b"40/live,")
        return self

    def close(self) -> None:
        self.socket.close()

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self._buffer += more
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def resident_kb(server: ServerProcess) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def open_sockets(server: ServerProcess) -> int:
    assert server.process is not None
    found = 0
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed between the listing and the look
            found += str(link.readlink()).startswith("socket:")
    return found


def test_who_stops_reading_is_cut_and_the_others_get_their_pictures(house: House) -> None:
    healthy = [house.watcher("display").watch("board", "window:3") for _ in range(3)]
    kiosk = house.api("integration")
    kiosk.press("tax")
    before_kb, before_sockets = resident_kb(house.server), open_sockets(house.server)
    stalled = []
    for _ in range(3):
        line = RawLine(house.server).join(house.tokens["display"])
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for n, topic in enumerate(["board", "board:tax", "board:general", "window:3", "window:4", "window:1"]):
            line.send(f'42/live,{n}["watch",' + json.dumps({"hall": HALL, "topic": topic}) + "]")
        stalled.append(line)
    for _ in range(PRESSES):
        kiosk.press("tax")
    until(lambda: open_sockets(house.server) <= before_sockets, "the lines that take nothing are cut")
    assert resident_kb(house.server) - before_kb < 20_000
    final = kiosk.press("tax")

    def newest() -> bool:
        return all((last := client.last("board")) is not None and last["seq"] >= final["seq"] for client in healthy)

    until(newest, "the newest picture on every healthy board")
    assert all(client.disconnects == 0 for client in healthy)
    for line in stalled:
        line.close()


def test_a_slow_reader_gets_the_newest_picture_not_all_of_them(house: House) -> None:
    line = RawLine(house.server).join(house.tokens["display"])
    line.send('42/live,1["watch",' + json.dumps({"hall": HALL, "topic": "board"}) + "]")
    kiosk = house.api("integration")
    last = 0
    for n in range(200):
        last = kiosk.press("tax")["seq"]
        if n % 10 == 0:
            line.send("3")  # it answers pings and reads nothing
    seen: list[int] = []
    while not seen or seen[-1] < last:
        body = line.packet()
        if body.startswith(b'42/live,["picture"'):
            seen.append(json.loads(body[len("42/live,") :])[1]["seq"])
    assert seen == sorted(seen)
    line.close()


def test_compression_is_never_agreed_to(shared_house: House) -> None:
    line = RawLine(shared_house.server)
    assert line.status == 101
    assert "permessage-deflate" not in line.head
    line.close()


def test_a_foreign_page_or_name_is_refused_before_the_handshake(shared_house: House) -> None:
    for headers, status in (
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 400),
        ({"Origin": f"http://127.0.0.1:{shared_house.server.port}"}, 101),
    ):
        line = RawLine(shared_house.server, **headers)
        assert line.status == status, headers
        line.close()


def test_polling_and_other_paths_are_no_way_in(shared_house: House) -> None:
    line = RawLine(shared_house.server, path="/api/v1/halls")
    assert line.status == 404
    line.close()
    assert (
        requests.get(f"{shared_house.server.url}/socket.io/?EIO=4&transport=polling", timeout=PATIENCE_S).status_code
        == 400
    )


def a_long_message_in_parts(line: RawLine) -> None:
    line.send(b"y" * 65_000, fin=False)
    line.send(b"y" * 65_000, opcode=0)


JUNK: tuple[Callable[[RawLine], object], ...] = (
    lambda line: line.send("x", announce=2**40),
    a_long_message_in_parts,
    lambda line: line.send("junk"),
    lambda line: line.send(""),
    lambda line: line.send(b"\xff\xfe"),
    lambda line: line.send(b"\x00" * 10, opcode=2),
    lambda line: line.socket.sendall(os.urandom(64)),
)


def test_junk_closes_only_the_line_it_came_from(shared_house: House) -> None:
    healthy = shared_house.watcher("display").watch("board")
    before_kb = resident_kb(shared_house.server)
    for junk in JUNK:
        line = RawLine(shared_house.server).join()
        junk(line)
        line.close()
    assert resident_kb(shared_house.server) - before_kb < 10_000
    assert healthy.ask("watch", {"hall": HALL, "topic": "board"})["ok"]
    assert healthy.disconnects == 0
    assert "Traceback" not in shared_house.server.errors.read_text()


def test_one_clients_requests_are_answered_in_their_order(shared_house: House) -> None:
    line = RawLine(shared_house.server).join(shared_house.tokens["display"])
    for n in range(60):
        topic = "board" if n % 2 else "window:1"
        line.send(f'42/live,{n}["watch",' + json.dumps({"hall": HALL, "topic": topic}) + "]")
    answered: list[int] = []
    while len(answered) < 60:
        body = line.packet()
        if body.startswith(b"43/live,"):
            answered.append(int(body[len("43/live,") :].partition(b"[")[0]))
    assert answered == list(range(60))
    line.close()
