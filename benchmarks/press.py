"""A press at the kiosk until its number is durable: `python -m benchmarks.press [ROUNDS]`.

The real server process, against an empty Flask route behind the same listener, the same server on a ledger in memory,
reading the hall's state, and write + fdatasync in the same folder. They take turns, so that a loud moment of the
machine falls on all of them. Budgets: with 8 clients a press takes at most the empty route's p95 and four fdatasync;
with 32 clients there are at least half as many durable commands a second as without a ledger.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.house import HALL, SERVICES, Load, Process, enrol, folder, load, median, request, serve_arguments

CLIENTS = (1, 8, 32)
ROUNDS = 5
SECONDS = 0.6
COMMIT_BYTES = 900  # of a number in the ledger


def fdatasync(data: Path) -> Load:
    """Append the bytes of a commit and sync them, again and again."""
    times: list[float] = []
    block = b"x" * COMMIT_BYTES
    with (data / "raw").open("ab", buffering=0) as file:
        start = perf_counter()
        while (begun := perf_counter()) - start < SECONDS:
            file.write(block)
            os.fdatasync(file.fileno())
            times.append((perf_counter() - begun) * 1000)
    return Load(times_ms=sorted(times), per_s=len(times) / SECONDS, cpu_us=0.0)


def presses(token: str) -> Callable[[int], bytes]:
    """Give the presses of a kiosk, over all services in turn."""
    made = [
        request("POST", f"/api/v1/halls/{HALL}/tickets", {"service": f"s{number}"}, Authorization=f"Bearer {token}")
        for number in range(SERVICES)
    ]
    return lambda count: made[count % SERVICES]


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with folder() as durable, folder() as memory, folder() as other:
        token, memory_token = enrol(durable).integration, enrol(memory).integration
        server = Process(*serve_arguments(durable), data=durable)
        on_memory = Process("benchmarks.floors", "memory", str(memory), data=memory)
        empty = Process("benchmarks.floors", "empty", str(other), data=other)
        state = request("GET", f"/api/v1/halls/{HALL}/state", Authorization=f"Bearer {token}")
        nothing = request("POST", "/empty", {"service": "s0"})
        what: dict[str, tuple[Process, Callable[[int], bytes]]] = {
            "empty route": (empty, lambda _: nothing),
            "GET /state": (server, lambda _: state),
            "press, memory": (on_memory, presses(memory_token)),
            "press, durable": (server, presses(token)),
        }
        found: dict[tuple[str, int], list[Load]] = {}
        disk: list[Load] = []
        for _ in range(rounds):
            disk.append(fdatasync(durable))
            for clients in CLIENTS:
                for name, (process, asked) in what.items():
                    one = load(process, asked, clients=clients, seconds=SECONDS)
                    found.setdefault((name, clients), []).append(one)
        for process in (server, on_memory, empty):
            process.stop()
    _print(found, disk)


def _print(found: dict[tuple[str, int], list[Load]], disk: list[Load]) -> None:
    def of(name: str, clients: int, what: Callable[[Load], float]) -> float:
        return median([what(one) for one in found[name, clients]])

    synced_ms = median([one.at(0.95) for one in disk])
    print(f"write + fdatasync: {median([one.per_s for one in disk]):.0f}/s, p95 {synced_ms:.2f} ms")
    print(f"{'':16}{'clients':>8}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'CPU us':>8}{'x empty/s':>11}")
    for name, clients in found:
        per_s = of(name, clients, lambda one: one.per_s)
        p50, p95, p99 = (of(name, clients, lambda one, at=at: one.at(at)) for at in (0.5, 0.95, 0.99))  # type: ignore[misc]
        ratio = per_s / of("empty route", clients, lambda one: one.per_s)
        cpu_us = of(name, clients, lambda one: one.cpu_us)
        print(f"{name:16}{clients:>8}{per_s:>8.0f}{p50:>8.2f}{p95:>8.2f}{p99:>8.2f}{cpu_us:>8.0f}{ratio:>11.2f}")
    # Ratios inside a round, then their median: what loads the machine for a while falls on both sides.
    p95 = median([
        press.at(0.95) / (empty.at(0.95) + 4 * raw.at(0.95))
        for press, empty, raw in zip(found["press, durable", 8], found["empty route", 8], disk, strict=True)
    ])  # fmt: skip
    for clients in CLIENTS:
        pairs = zip(found["press, durable", clients], found["press, memory", clients], strict=True)
        share = median([durable.per_s / memory.per_s for durable, memory in pairs])
        budget = " (budget: at least 0.50)" if clients == 32 else ""
        print(f"durable / memory, commands a second, {clients:2} clients: {share:.2f}{budget}")
    print(f"press p95 / (empty p95 + 4 fdatasync p95), 8 clients: {p95:.2f} (budget: at most 1.00)")


if __name__ == "__main__":
    main()
