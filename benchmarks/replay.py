"""Starting with a day, months or years behind, and writing on a long ledger: `python -m benchmarks.replay [MANY]`.

Budgets: the server starts with a day of 20,000 commits at most 1 s later than empty; with MANY commits (a million
unless said otherwise) it starts at most 1.5 times as late as with a thousand, once its files are in order, in at most
200 MB; a command costs at most 1.2 times what it costs at a thousand.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time, sleep

from benchmarks.house import HALL, Process, enrol, folder, median, plan, serve_arguments
from benchmarks.years import Years
from server.clock import machine_clock
from server.domain import commands as c
from server.domain.terms import CLOCK, HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger import files, snapshot
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger

DAY_COMMITS = 20_000
FEW, SOME, MANY = 1_000, 100_000, 1_000_000
ROUNDS = 7
VISITS_A_DAY = 2500
VISITS = 25
IN_ORDER_WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A hall with so many commits behind it: its data folder and how its starts went."""

    commits: int
    data: Path

    @property
    def ledger(self) -> Path:
        """The place of its ledger."""
        return self.data / f"{HALL}.sqlite"


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


def a_day(data: Path) -> None:
    """Write the ledger of a long day, which is today; all is decided in memory and then written at once."""
    now_ms = machine_clock()
    memory = MemoryLedger()
    hall = Hall(HallId(HALL), memory, clock=lambda: now_ms)
    hall.handle(c.PlanHall(plan=plan(data)), actor=CLOCK)
    hall.handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("1")), actor=CLOCK)
    while hall.seq < DAY_COMMITS:
        visit(hall)
    ledger = SqliteLedger(data / f"{HALL}.sqlite")
    ledger.append(list(memory.read()))
    ledger.close()


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


def behind_them(these: list[Behind]) -> None:
    """Start the server on each: first with nothing to begin from, then again when its files are in order."""
    print(f"start with so many commits behind ({VISITS_A_DAY} visits a day)")
    print("     commits  first start    again   memory   ledger before   after  archives  snapshot")
    again: dict[Behind, float] = {}
    for behind in these:
        before = behind.ledger.stat().st_size
        process = Process(*serve_arguments(behind.data), data=behind.data)
        first_s = process.start_s
        _until(lambda behind=behind: _in_order(behind))  # type: ignore[misc]  # bound in this round
        process.stop()
        times, memory_mb = [], 0.0
        for _ in range(3):
            process = Process(*serve_arguments(behind.data), data=behind.data)
            times.append(process.start_s)
            memory_mb = process.memory_mb()
            process.stop()
        again[behind] = median(times)
        archived = sum(it.stat().st_size for it in behind.data.glob("archive/*"))
        kept = snapshot.beside(behind.ledger).stat().st_size
        print(
            f"  {behind.commits:>10} {first_s:>10.2f} s {again[behind]:>6.2f} s {memory_mb:>5.0f} MB"
            f" {before / 2**20:>12.1f} MB {behind.ledger.stat().st_size / 2**20:>4.1f} MB"
            f" {archived / 2**20:>6.1f} MB {kept / 1024:>6.0f} KB"
        )
    ratio = again[these[-1]] / again[these[0]]
    print(f"  again, {these[-1].commits} against {these[0].commits}: {ratio:.2f} (budget: at most 1.50)")


def commands(few: Behind, many: Behind) -> None:
    """Handle the same commands on both ledgers in turns; processor time, for the disk is the same for both."""
    cost: dict[Behind, list[float]] = {few: [], many: []}
    halls = {}
    for behind in cost:
        start = snapshot.load(snapshot.beside(behind.ledger), HallId(HALL))
        halls[behind] = Hall(HallId(HALL), SqliteLedger(behind.ledger), clock=machine_clock, start=start)
        halls[behind].handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("1")), actor=CLOCK)
    for _ in range(ROUNDS):
        for behind, hall in halls.items():
            worked = process_time()
            for _ in range(VISITS):
                visit(hall)
            cost[behind].append((process_time() - worked) / (4 * VISITS) * 1e6)
    for hall in halls.values():
        hall.close()
    ratio = median([more / less for less, more in zip(cost[few], cost[many], strict=True)])
    print(f"a command, CPU us: {median(cost[few]):.0f} at {few.commits}, {median(cost[many]):.0f} at {many.commits}")
    print(f"  ratio {ratio:.2f} (budget: at most 1.20)")


def _in_order(behind: Behind) -> bool:
    """Say whether only this month is left in the ledger, and the start of today is kept."""
    if not snapshot.beside(behind.ledger).exists():
        return False
    with files.table.reading(behind.ledger) as db:
        (first,) = db.execute("SELECT max(day) FROM (SELECT day FROM commits ORDER BY seq LIMIT 2)").fetchone()
        (left,) = db.execute("PRAGMA freelist_count").fetchone()
    return bool(first[:7] == files.newest_day(behind.ledger)[:7]) and left < 100


def _until(told: Callable[[], bool]) -> None:
    deadline = monotonic() + IN_ORDER_WITHIN_S
    while not told():
        if monotonic() > deadline:
            raise SystemExit("the files were never in order")
        sleep(0.5)


def main() -> None:
    """Measure and print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with folder() as empty, folder() as full:
        for data in (empty, full):
            enrol(data)
        a_day(full)
        starts(empty, full)
    with folder() as few, folder() as some, folder() as most:
        these = [Behind(commits=n, data=data) for n, data in ((FEW, few), (SOME, some), (many, most))]
        years = Years(plan(few), visits=VISITS_A_DAY)
        for behind in these:
            enrol(behind.data)
            years.write(behind.ledger, behind.commits)
        behind_them(these)
        commands(these[0], these[-1])


if __name__ == "__main__":
    main()
