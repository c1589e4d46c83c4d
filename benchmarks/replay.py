"""Starting with a long day behind, and working on a long ledger: `python -m benchmarks.replay`.

Budgets: the server starts with a day of 20,000 commits at most 1 s later than empty; a command on a ledger of 100,000
commits costs at most 1.2 times what it costs at 1,000.
"""

from pathlib import Path
from time import process_time

from benchmarks.house import HALL, Process, enrol, folder, median, plan, serve_arguments
from server.clock import machine_clock
from server.domain import commands as c
from server.domain.terms import CLOCK, HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger

DAY_COMMITS = 20_000
FEW, MANY = 1_000, 100_000
ROUNDS = 7
VISITS = 25
DAY_MS = 24 * 3600 * 1000


def visit(hall: Hall) -> None:
    """Let somebody come, be called, served and gone: four commits at window 1."""
    window, service = WindowNo("1"), ServiceId("s0" if hall.seq % 8 < 4 else "s4")
    for command in (
        c.IssueTicket(service=service, track=Track(f"track-{hall.seq}")),
        c.CallNext(window=window),
        c.StartServing(window=window),
        c.Finish(window=window),
    ):
        hall.handle(command, actor=CLOCK)


def a_ledger(data: Path, commits: int, *, days: int) -> SqliteLedger:
    """Write a ledger of so many commits; all is decided in memory and then written at once."""
    now_ms = machine_clock() - (days - 1) * DAY_MS
    memory = MemoryLedger()
    hall = Hall(HallId(HALL), memory, clock=lambda: now_ms)
    hall.handle(c.PlanHall(plan=plan(data)), actor=CLOCK)
    for _ in range(days):
        goal = hall.seq + commits // days
        hall.handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("1")), actor=CLOCK)
        while hall.seq < goal:
            visit(hall)
        now_ms += DAY_MS
    ledger = SqliteLedger(data / f"{HALL}.sqlite")
    ledger.append(list(memory.read()))
    return ledger


def starts(empty: Path, full: Path) -> None:
    """Start the server on both folders in turns."""
    took: dict[Path, list[float]] = {empty: [], full: []}
    for _ in range(ROUNDS):
        for data, times in took.items():
            process = Process(*serve_arguments(data), data=data)
            times.append(process.start_s)
            process.stop()
    less, more = median(took[empty]), median(took[full])
    print(f"start, empty ledger: {less:.2f} s; a day of {DAY_COMMITS} commits: {more:.2f} s, {more / less:.2f} x empty")
    print(f"  more than empty: {more - less:.2f} s (budget: at most 1.00 s)")


def commands(few: Hall, many: Hall) -> None:
    """Handle the same commands on both ledgers in turns; processor time, for the disk is the same for both."""
    cost: dict[Hall, list[float]] = {few: [], many: []}
    for _ in range(ROUNDS):
        for hall, times in cost.items():
            cpu_s = process_time()
            for _ in range(VISITS):
                visit(hall)
            times.append((process_time() - cpu_s) / (4 * VISITS) * 1e6)
    ratio = median([more / less for less, more in zip(cost[few], cost[many], strict=True)])
    print(f"append and handle, CPU us a command: {median(cost[few]):.0f} at {FEW}, {median(cost[many]):.0f} at {MANY}")
    print(f"  ratio {ratio:.2f} (budget: at most 1.20)")


def main() -> None:
    """Measure and print."""
    with folder() as empty, folder() as full, folder() as short, folder() as long:
        for data in (empty, full):
            enrol(data)
        a_ledger(full, DAY_COMMITS, days=1).close()
        starts(empty, full)
        halls = [
            Hall(HallId(HALL), a_ledger(data, commits, days=days), clock=machine_clock)
            for data, commits, days in ((short, FEW, 1), (long, MANY, 5))
        ]
        commands(*halls)
        for hall in halls:
            hall.close()


if __name__ == "__main__":
    main()
