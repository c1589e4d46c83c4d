"""How many halls one core serves: `python -m benchmarks.scale [HALLS]`.

One server process with so many halls of 30 windows, each with a console at every window, eight boards and two
managers' pages, on a ledger in SQLite and in Redis (`appendfsync always`, on this machine). Measured is the processor
time of the server: of standing by, and of a command until every screen of its hall has the new picture. From that comes
what the busiest hour of a hall costs, and how many such halls keep one core busy. Then as many presses as the server
can take. Only the processor is measured, so other work on the machine disturbs little.

A hall's busiest hour here: a fifth of 600 visitors a day, each pressed for, called, begun and finished.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fanout import Screens, sign_in
from benchmarks.house import SERVICES, WINDOWS, Line, Process, enrol, folder, hall_file, load, redis_server, request

HALLS = 10
VISITORS_A_DAY, BUSIEST_SHARE, COMMANDS_A_VISITOR = 600, 0.2, 4
BOARDS, MANAGERS = 8, 2
STAND_BY_S = 10.0
VISITORS = 240
SATURATED_S = 4.0
CLIENTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a server with its halls costs, in processor time; `store_us` is Redis's own for a command."""

    ledger: str
    halls: int
    stand_by_ms: float  # a second of a hall in which nothing happens
    command_us: float
    store_us: float
    presses_per_s: float
    press_us: float
    memory_mb: float

    @property
    def busy_hour_s(self) -> float:
        """Give the processor time of a hall's busiest hour."""
        commands = VISITORS_A_DAY * BUSIEST_SHARE * COMMANDS_A_VISITOR
        return 3.6 * self.stand_by_ms + commands * self.command_us / 1e6

    @property
    def halls_a_core(self) -> float:
        """Give how many halls in their busiest hour keep one core busy."""
        return 3600 / self.busy_hour_s


class Town:
    """Many halls on one server, with their screens and clerks."""

    def __init__(self, process: Process, halls: Sequence[str], press: str, watch: str) -> None:
        """Open every window and connect every screen."""
        self.process, self._halls = process, halls
        self._press = {"Authorization": f"Bearer {press}"}
        self._line = Line(process.port)
        self._signed = sign_in(self._line)
        for hall in halls:
            for number in range(WINDOWS):
                self._do(hall, f"windows/{number + 1}/open")
        topics = [(hall, topic) for hall in halls for topic in self._topics()]
        self.screens = Screens(process.port, len(topics), watch, topics)
        self.screens.rest(2.0)

    def stand_by_ms(self) -> float:
        """Give what a hall costs in a second in which nothing happens."""
        cpu_s = self.process.cpu_s()
        self.screens.rest(STAND_BY_S)
        return (self.process.cpu_s() - cpu_s) / STAND_BY_S / len(self._halls) * 1000

    def command_us(self, visitors: int, stand_by_ms: float) -> float:
        """Give what a command costs, with all pictures that come of it, standing by taken off."""
        cpu_s, begun = self.process.cpu_s(), time.perf_counter()
        for number in range(visitors):
            self._visitor(self._halls[number % len(self._halls)], number // len(self._halls))
        self.screens.rest(0.5)
        took_s = time.perf_counter() - begun
        spent_s = self.process.cpu_s() - cpu_s - took_s * len(self._halls) * stand_by_ms / 1000
        return spent_s / (visitors * COMMANDS_A_VISITOR) * 1e6

    def close(self) -> None:
        """Leave."""
        self.screens.close()
        self._line.socket.close()

    def _topics(self) -> list[str]:
        consoles = [f"window:{number + 1}" for number in range(WINDOWS)]
        boards = ["board", *(f"board:z{number % 4}" for number in range(BOARDS - 1))]
        return [*consoles, *boards, *["manager"] * MANAGERS]

    def _visitor(self, hall: str, number: int) -> None:
        """Let somebody be pressed for, called, begun and finished, and the screens take what they are sent."""
        window = number % WINDOWS
        self._ask(hall, "tickets", {"service": f"s{window % SERVICES}"}, self._press)
        for step in ("call-next", "start", "finish"):
            self._do(hall, f"windows/{window + 1}/{step}")
        self.screens.rest(0.02)

    def _do(self, hall: str, what: str) -> None:
        self._ask(hall, what, {}, self._signed)

    def _ask(self, hall: str, what: str, body: dict[str, Any], who: dict[str, str]) -> None:
        self._line.ask(request("POST", f"/api/v1/halls/{hall}/{what}", body, **who))


def measured(ledger: str, count: int) -> Cost:
    """Give what so many halls cost on a ledger."""
    names = [f"hall{number}" for number in range(count)]
    with folder() as data, _store(ledger, data) as (address, store_s):
        tokens = enrol(data)
        files = [str(hall_file(data, name)) for name in names]
        arguments = ["server.main", "serve", *files, "--port", "0", "--data", str(data), "--ledger", address]
        process = Process(*arguments, data=data)
        town = Town(process, names, tokens.integration, tokens.display)
        memory_mb = process.memory_mb()
        stand_by_ms = town.stand_by_ms()
        before_s = store_s()
        command_us = town.command_us(VISITORS, stand_by_ms)
        store_us = (store_s() - before_s) / (VISITORS * COMMANDS_A_VISITOR) * 1e6
        town.close()
        presses = [
            request("POST", f"/api/v1/halls/{names[number % count]}/tickets", {"service": f"s{number % SERVICES}"},
                    Authorization=f"Bearer {tokens.integration}")
            for number in range(count * SERVICES)
        ]  # fmt: skip
        most = load(process, lambda number: presses[number % len(presses)], clients=CLIENTS, seconds=SATURATED_S)
        process.stop()
    return Cost(
        ledger=ledger,
        halls=count,
        stand_by_ms=stand_by_ms,
        command_us=command_us,
        store_us=store_us,
        presses_per_s=most.per_s,
        press_us=most.cpu_us,
        memory_mb=memory_mb,
    )


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else HALLS
    costs = [measured(ledger, halls) for ledger in ("SQLite", "Redis") for halls in (1, count)]
    screens = WINDOWS + BOARDS + MANAGERS
    print(f"a hall: {WINDOWS} windows, {screens} screens; busiest hour {VISITORS_A_DAY * BUSIEST_SHARE:.0f} visitors")
    print("ledger  halls  standing by  command  Redis itself  busiest hour  halls a core  presses/s  one press  memory")
    for it in costs:
        print(
            f"{it.ledger:<7} {it.halls:>5}  {it.stand_by_ms:>7.2f} ms/s  {it.command_us:>4.0f} us"
            f"  {it.store_us:>9.0f} us  {it.busy_hour_s:>10.1f} s  {it.halls_a_core:>12.0f}  {it.presses_per_s:>9.0f}"
            f"  {it.press_us:>6.0f} us  {it.memory_mb:>3.0f} MB"
        )


@contextmanager
def _store(ledger: str, data: Path) -> Iterator[tuple[str, Any]]:
    """Give the address of a ledger, and what tells the processor time of who keeps it."""
    if ledger == "SQLite":
        yield "sqlite:", lambda: 0.0
        return
    with redis_server(data) as (address, pid):
        yield address, lambda: _cpu_s(pid)


def _cpu_s(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


if __name__ == "__main__":
    main()
