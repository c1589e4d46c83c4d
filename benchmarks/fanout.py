"""A call until the last screen shows it: `python -m benchmarks.fanout [CALLS]`.

50 and 500 screens watch the hall's board over raw websockets. Against the send() floor (a process that does nothing
but send a ready frame of the same size to all) and plain Flask-SocketIO, in turns. Budgets at 500 screens: the last
one has the call within 3 times the floor and half of plain Flask-SocketIO; one more screen costs at most 1.5 times the
processor time of the floor; the server needs at most 120 MB.
"""

import base64
import json
import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.house import HALL, SERVICES, WINDOWS, Line, Process, enrol, folder, median, request, serve_arguments

SCREENS = (50, 500)
CALLS = 30
ROUNDS = 5
EVERY_S = 0.05
PATIENCE_S = 20.0
PICTURE = b'42/live,["picture"'


class Screens:
    """Many websockets in one loop; counts the pictures each has got."""

    def __init__(
        self, port: int, count: int, token: str | None, topics: Sequence[tuple[str, str]] = ((HALL, "board"),)
    ) -> None:
        """Connect and watch (hall, topic) in turn; without a token open the floor's sockets, which say nothing."""
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._read: dict[int, bytes] = {}
        self.got: dict[int, int] = {}
        self.frame_bytes = 0
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = request(
            "GET",
            "/socket.io/?EIO=4&transport=websocket",
            Upgrade="websocket",
            Connection="Upgrade",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key=key,
        )
        hello = _frame("40/live," + json.dumps({"token": token}))
        for number in range(count):
            hall, topic = topics[number % len(topics)]
            watch = _frame('42/live,0["watch",' + json.dumps({"hall": hall, "topic": topic, "after": None}) + "]")
            line = Line(port)
            fileno = line.socket.fileno()
            self._lines[fileno], self._read[fileno], self.got[fileno] = line, b"", 0
            if token is None:
                line.socket.sendall(b"hello")
            else:
                line.socket.sendall(upgrade)
                while b"\r\n\r\n" not in self._read[fileno]:
                    self._read[fileno] += line.socket.recv(65536)
                self._read[fileno] = self._read[fileno].partition(b"\r\n\r\n")[2]
                line.socket.sendall(hello + watch)
            self._epoll.register(fileno, select.EPOLLIN)

    def wait(self, goal: int) -> float:
        """Read until every screen has so many pictures; give the time at which the last one had."""
        missing = {fileno for fileno, got in self.got.items() if got < goal}
        until = perf_counter() + PATIENCE_S
        while missing:
            self._take(0.1)
            missing = {fileno for fileno in missing if self.got[fileno] < goal}
            if perf_counter() > until:
                raise SystemExit(f"{len(missing)} screens did not get picture {goal}")
        return perf_counter()

    def rest(self, seconds: float) -> None:
        """Read, and answer pings, for a while."""
        until = perf_counter() + seconds
        while (left := until - perf_counter()) > 0:
            self._take(left)

    def close(self) -> None:
        """Leave."""
        self._epoll.close()
        for line in self._lines.values():
            line.socket.close()

    def _take(self, seconds: float) -> None:
        for fileno, _ in self._epoll.poll(seconds):
            read = self._lines[fileno].socket.recv(1 << 20)
            if not read:
                raise SystemExit("the server closed a screen's connection")
            data = self._read[fileno] + read
            while (end := _end(data)) is not None and len(data) >= end[1]:
                payload, data = data[end[0] : end[1]], data[end[1] :]
                if payload.startswith(PICTURE):
                    self.got[fileno] += 1
                    self.frame_bytes = end[1]
                elif payload == b"2":
                    self._lines[fileno].socket.sendall(_frame("3"))
            self._read[fileno] = data


def _frame(text: str) -> bytes:
    """Give a client's text frame, masked with zeros."""
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


def _end(data: bytes) -> tuple[int, int] | None:
    """Give where the payload of the first frame begins and ends."""
    if len(data) < 10:
        size = data[1] if len(data) > 1 else 127
        return (2, 2 + size) if size < 126 else None
    match data[1]:
        case 126:
            return 4, 4 + int.from_bytes(data[2:4], "big")
        case 127:
            return 10, 10 + int.from_bytes(data[2:10], "big")
        case size:
            return 2, 2 + size


class Leg:
    """One process with its screens; `call()` is the request that makes it send."""

    def __init__(self, process: Process, call: Callable[[], bytes], token: str | None) -> None:
        """Measure what a call costs with one screen: the others then cost what they add."""
        self.process, self._call, self._token = process, call, token
        self._line = Line(process.port)
        self.watch(1)
        self.run(CALLS)
        self.frame_bytes = self.screens.frame_bytes
        self._one_us = self._call_us.pop()
        self.times_ms.clear()

    def watch(self, count: int) -> None:
        """Let so many screens watch instead."""
        self.screens = Screens(self.process.port, count, self._token)
        self.screens.rest(0.5)  # a server notices them all, and sends the first picture if it does so
        self.times_ms: list[float] = []
        self._call_us: list[float] = []

    def run(self, calls: int) -> None:
        """Call so many times and wait for the last screen each time; the first call is not counted."""
        cpu_s = 0.0
        for number in range(calls + 1):
            if number == 1:
                cpu_s = self.process.cpu_s()
            goal = max(self.screens.got.values()) + 1
            begun = perf_counter()
            self._line.ask(self._call())
            took_ms = (self.screens.wait(goal) - begun) * 1000
            self.screens.rest(EVERY_S)
            if number:
                self.times_ms.append(took_ms)
        self._call_us.append((self.process.cpu_s() - cpu_s) / calls * 1e6)

    @property
    def delivery_us(self) -> float:
        """Give the processor time that one more screen costs."""
        return (median(self._call_us) - self._one_us) / (len(self.screens.got) - 1)


def sign_in(line: Line) -> dict[str, str]:
    """Sign the administrator in; give the headers of what she does."""
    line.socket.sendall(request("POST", "/api/v1/login", {"work_id": "admin", "password": "a benchmark only"}))
    while (answer := line.take()) is None:
        sleep(0)
    cookie = answer.partition(b"jiaohao_session=")[2].partition(b";")[0].decode()
    signed = {"Cookie": f"jiaohao_session={cookie}"}
    signed["X_CSRF_Token"] = line.ask(request("GET", "/api/v1/me", **signed))["csrf"]
    return signed


def a_hall_at_work(process: Process, token: str) -> Callable[[], bytes]:
    """Open every window and let people come; give what calls the next one, window after window."""
    line = Line(process.port)
    signed = sign_in(line)
    base = f"/api/v1/halls/{HALL}"
    for number in range(WINDOWS):
        line.ask(request("POST", f"{base}/windows/{number + 1}/open", {}, **signed))
    for number in range(25 * SERVICES):
        body = {"service": f"s{number % SERVICES}"}
        line.ask(request("POST", f"{base}/tickets", body, Authorization=f"Bearer {token}"))
    count = 0

    def call() -> bytes:
        nonlocal count
        count += 1
        return request("POST", f"{base}/windows/{count % WINDOWS + 1}/call-next", {"finish": count > WINDOWS}, **signed)

    return call


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    print(f"{'':10}{'screens':>8}{'p50 ms':>8}{'p95 ms':>8}{'CPU us each':>13}{'p50 / floor':>13}{'CPU / floor':>13}")
    for count in SCREENS:
        with folder() as data, folder() as other:
            _measure(data, other, count, calls)


def _measure(data: Path, other: Path, count: int, calls: int) -> None:
    tokens = enrol(data)
    server = Process(*serve_arguments(data), data=data)
    call = a_hall_at_work(server, tokens.integration)
    for _ in range(WINDOWS):  # a full board, so that every picture is of one size
        Line(server.port).ask(call())
    alone_mb = server.memory_mb()
    legs = {"server": Leg(server, call, tokens.display)}
    size = str(legs["server"].frame_bytes)
    for kind, token in (("send", None), ("plain", "nobody")):
        process = Process("benchmarks.floors", kind, str(other), size, data=other)
        legs[kind] = Leg(process, lambda: request("POST", "/emit", {}), token)
    for leg in legs.values():
        leg.screens.close()
        leg.watch(count)
    legs["server"].screens.wait(1)
    for _ in range(ROUNDS):
        for leg in legs.values():
            for waiting in legs.values():
                waiting.screens.rest(0.01)  # answer their pings
            leg.run(max(1, calls // ROUNDS))
    full_mb = server.memory_mb()
    floor = legs["send"]
    for name, leg in legs.items():
        times = sorted(leg.times_ms)
        p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        cpu_us = leg.delivery_us
        ratio = p50 / median(floor.times_ms)
        print(f"{name:10}{count:>8}{p50:>8.1f}{p95:>8.1f}{cpu_us:>13.1f}{ratio:>13.2f}", end="")
        print(f"{cpu_us / floor.delivery_us:>13.2f}")
        leg.screens.close()
        leg.process.stop()
    print(f"{size} bytes a picture; memory {full_mb:.0f} MB, {alone_mb:.0f} MB before the screens came")


if __name__ == "__main__":
    main()
