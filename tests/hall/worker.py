"""A server process in little: threads hammer a hall on SQLite and tell each answer on a pipe, until it is killed.

python -m tests.hall.worker LEDGER ROUND [mutant]
"""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from server.domain import commands as c
from server.domain.refusals import Refusal
from server.domain.terms import Actor, ActorKind, HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.sqlite import SqliteLedger
from tests.domain.halls import NINE, PLAN, ms
from tests.hall.checker import result_of

THREADS = 4


def main() -> None:
    """Fork a worker per line and wait for its death."""
    for line in sys.stdin:
        path, turn, mutant = line.rstrip("\n").split("|")
        pid = os.fork()
        if pid == 0:
            work(path, turn, mutant)
        os.write(1, f"pid {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, b"dead\n")


def work(path: str, turn: str, mutant: str) -> None:
    """Hammer until killed."""
    now_ms = ms(NINE)
    held_back: list[Callable[[], None]] = []

    def offload(write: Callable[[], None]) -> None:
        if mutant != "ack-before-append":
            write()
            return
        held_back.append(write)  # the mutant answers first and writes later
        if len(held_back) >= 20:
            for late in held_back:
                late()
            held_back.clear()

    ledger = SqliteLedger(Path(path))
    hall = Hall(HallId("test"), ledger, clock=lambda: now_ms, offload=offload)
    actor = Actor(kind=ActorKind.DEVICE, id="worker")
    if hall.seq == 0:
        hall.handle(c.PlanHall(plan=PLAN), actor=actor)
        for no in ("1", "2"):
            hall.handle(c.OpenWindow(window=WindowNo(no), clerk=WorkId(no)), actor=actor)

    def hammer(thread: int) -> None:
        window = WindowNo(str(1 + thread % 2))
        for number in range(10_000):
            key = f"{turn}-{thread}-{number}"
            command: c.Command = (
                c.CallNext(window=window, finish=True)
                if number % 3 == 2
                else c.IssueTicket(service=ServiceId("general"), track=Track(key))
            )
            try:
                told = result_of(hall.handle(command, actor=actor, key=key))
            except Refusal:
                told = "-"
            os.write(1, f"{key}|{told}\n".encode())  # whole lines: shorter than a pipe's atomic write

    for thread in range(THREADS):
        threading.Thread(target=hammer, args=(thread,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
