"""What the benchmarks share: a hall of 30 windows, server processes, and clients that cost next to nothing."""

import atexit
import json
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from config import load_hall
from server.domain.terms import HallPlan
from server.people import People
from server.plan import plan_of

HALL, WINDOWS, SERVICES = "bench", 30, 16
ROOT = Path(__file__).parent.parent
START_WITHIN_S = 60.0


def hall_file(folder: Path, hall: str = HALL) -> Path:
    """Write the file of a hall that gives numbers at any hour: 4 zones, 16 services, 30 windows."""
    lines = ["schema = 1", "[hall]", f'id = "{hall}"', 'name = { zh = "测量大厅", en = "Bench" }']
    lines += ['time_zone = "Asia/Shanghai"', 'languages = ["zh", "en"]']
    for zone in range(4):
        lines += ["[[zone]]", f'id = "z{zone}"', f'name = {{ zh = "专区{zone}", en = "Zone {zone}" }}']
    for number in range(SERVICES):
        lines += ["[[service]]", f'id = "s{number}"', f'name = {{ zh = "事项{number}", en = "Service {number}" }}']
        lines += [f'zone = "z{number % 4}"', f'prefix = "{"ABCDFGHJKLMNPRST"[number]}"', "minutes_typical = 6"]
    for number in range(WINDOWS):
        own = [f"s{number % SERVICES}", f"s{(number + 4) % SERVICES}"]
        relief = [f"s{(number + step) % SERVICES}" for step in (8, 12)]
        lines += ["[[window]]", f'no = "{number + 1}"', f'zone = "z{number % 4}"', f"serves = {json.dumps(own)}"]
        lines += [f"relief = {json.dumps(relief)}"]
    path = folder / f"{hall}.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def plan(folder: Path) -> HallPlan:
    """Give the plan of that hall."""
    return plan_of(load_hall(hall_file(folder)))


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that is removed afterwards, on the disk the work lies on (/tmp may be memory)."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=var) as name:
        yield Path(name)


class Process:
    """A server process that says `listening on http://HOST:PORT` when it is ready."""

    def __init__(self, *arguments: str, data: Path) -> None:
        """Start it and wait until it listens; `start_s` is how long that took."""
        self.errors = data / "stderr.txt"
        begun = perf_counter()
        with self.errors.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        atexit.register(self._process.kill)  # a benchmark that breaks off leaves nothing behind
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.start_s = perf_counter() - begun
        if not line.startswith("listening on"):
            raise SystemExit(f"{' '.join(arguments)} did not start:\n{self.errors.read_text()}")
        self.port, self.pid = int(line.rsplit(":", 1)[1]), self._process.pid

    def cpu_s(self) -> float:
        """Give the processor time used so far by all threads."""
        tasks = Path(f"/proc/{self.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def memory_mb(self) -> float:
        """Give the resident memory in MB."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096 / 2**20

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Bearer tokens of a data folder: who presses, who watches."""

    integration: str
    display: str


def enrol(data: Path) -> Tokens:
    """Enrol an integration (no kiosk's limit of presses) and a screen."""
    people = People(data / "accounts.sqlite")
    people.add_user("admin", "a benchmark only", role="admin")
    return Tokens(
        integration=people.add_device("press", role="integration"), display=people.add_device("screens", role="display")
    )


def serve_arguments(data: Path, *more: str) -> list[str]:
    """Give the arguments of a server of the hall."""
    return ["server.main", "serve", str(hall_file(data)), "--port", "0", "--data", str(data), *more]


def request(method: str, path: str, body: object = None, **headers: str) -> bytes:
    """Give a keep-alive request as bytes; `_` in a header's name stands for `-`."""
    data = b"" if body is None else json.dumps(body).encode()
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n"
    return f"{head}Content-Type: application/json\r\n{named}\r\n".encode() + data


class Line:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def take(self) -> bytes | None:
        """Read what is there; give the whole answer once it is complete."""
        read = self.socket.recv(65536)
        if not read:
            raise SystemExit("the server closed the connection")
        self._read += read
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        answer, self._read = self._read, b""
        return answer

    def ask(self, asked: bytes) -> Any:
        """Send a request and give the JSON of its answer.

        Raises:
            SystemExit: it was refused.
        """
        self.socket.sendall(asked)
        while (answer := self.take()) is None:
            pass
        if answer[9:10] != b"2":
            raise SystemExit(answer.decode())
        return json.loads(answer.partition(b"\r\n\r\n")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of some seconds of asking: milliseconds in order, answers per second."""

    times_ms: Sequence[float]
    per_s: float
    cpu_us: float

    def at(self, share: float) -> float:
        """Give a percentile in milliseconds."""
        return self.times_ms[min(len(self.times_ms) - 1, int(len(self.times_ms) * share))]


def load(process: Process, asked: Callable[[int], bytes], *, clients: int, seconds: float) -> Load:
    """Let so many clients ask, each the next thing as soon as it has its answer. `asked(n)` is the n-th request."""
    lines = {line.socket.fileno(): line for line in (Line(process.port) for _ in range(clients))}
    epoll, begun, times, count = select.epoll(), {}, [], 0
    for fileno, line in lines.items():
        epoll.register(fileno, select.EPOLLIN)
        begun[fileno] = perf_counter()
        line.socket.sendall(asked(count))
        count += 1
    cpu_s, start = process.cpu_s(), perf_counter()
    while (now := perf_counter()) - start < seconds:
        for fileno, _ in epoll.poll(1.0):
            answer = lines[fileno].take()
            if answer is None:
                continue
            if answer[9:10] != b"2":
                raise SystemExit(answer.decode())
            now = perf_counter()
            times.append((now - begun[fileno]) * 1000)
            begun[fileno] = now
            lines[fileno].socket.sendall(asked(count))
            count += 1
    cpu_us = (process.cpu_s() - cpu_s) / len(times) * 1e6
    epoll.close()
    for line in lines.values():
        line.socket.close()
    return Load(times_ms=sorted(times), per_s=len(times) / (now - start), cpu_us=cpu_us)


@contextmanager
def redis_server(data: Path) -> Iterator[tuple[str, int]]:
    """Give the address and the process id of a Redis that keeps what it acknowledges, with its files in a folder."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("needs redis-server")
    words = ["--port", "0", "--unixsocket", str(data / "redis.sock"), "--dir", str(data), "--save", ""]
    safe = ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]
    with (data / "redis.log").open("w") as log, subprocess.Popen([program, *words, *safe], stdout=log) as redis:
        while not (data / "redis.sock").exists():
            sleep(0.01)
        try:
            yield f"unix://{data}/redis.sock?db=0", redis.pid
        finally:
            redis.kill()


def median(values: Sequence[float]) -> float:
    """Give the median."""
    return statistics.median(values)
