"""What making a commit durable costs on a short and on a long ledger: `python -m benchmarks.append [MANY]`.

On SQLite against a plain write + fdatasync of the same bytes into a file on the same disk, on Redis (`appendfsync
always`) against a plain `XADD` of the same bytes into the same server; each kind in turns, in one run. MANY is a
million unless said otherwise.

Budget: p50 and p99 at MANY commits at most 1.2 times those at a thousand; processor time too.
"""

import os
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from redis import Redis

from benchmarks.house import HALL, folder, median, plan, redis_server
from benchmarks.years import Years
from server.domain import events as e
from server.domain.terms import CLOCK, HallId, Label, TicketId
from server.ledger import codec
from server.ledger.base import Commit, Ledger
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from server.ledger.sqlite import SqliteLedger

FEW, MANY = 1_000, 1_000_000
VISITS_A_DAY = 2500
ROUNDS = 1_500
WARM_UP = 50
BROUGHT = 500  # commits brought into Redis at a time


@dataclass(slots=True, kw_only=True)
class Turns:
    """One way to keep bytes: `keep` makes those of the next commit durable. `wall`, `cpu`: seconds each took."""

    name: str
    keep: Callable[[], None]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def turn(self) -> None:
        """Keep once more, and time it."""
        begun, worked = perf_counter(), process_time()
        self.keep()
        self.wall.append(perf_counter() - begun)
        self.cpu.append(process_time() - worked)

    def at(self, share: float) -> float:
        """Give a percentile in milliseconds."""
        times = sorted(self.wall[WARM_UP:])
        return times[int(len(times) * share)] * 1000


def appending(ledger: Ledger, count: int) -> Callable[[], None]:
    """Give what appends one commit more, behind `count`; they are sealed beforehand, that is not what is timed."""
    commits = [next(iter(ledger.read(count - 1, 1)))]
    while len(commits) <= WARM_UP + ROUNDS:
        commits.append(_after(commits[-1]))
    ready = iter(commits[1:])
    return lambda: ledger.append([next(ready)])


def measure(floor: Turns, few: Turns, many: Turns) -> None:
    """Take turns, and print."""
    for _ in range(ROUNDS + WARM_UP):
        for one in (floor, few, many):
            one.turn()
    print("                                 p50              p99           CPU p50")
    for one in (floor, few, many):
        ratios = [one.at(share) / floor.at(share) for share in (0.5, 0.99)]
        cpu_us = median(one.cpu[WARM_UP:]) * 1e6
        print(
            f"  {one.name:<26} {one.at(0.5):>5.2f} ms {ratios[0]:>5.2f}  {one.at(0.99):>6.2f} ms {ratios[1]:>5.2f}"
            f"  {cpu_us:>5.0f} us"
        )
    ratios = [many.at(share) / few.at(share) for share in (0.5, 0.99)]
    ratios.append(median(many.cpu[WARM_UP:]) / median(few.cpu[WARM_UP:]))
    print(f"  {many.name} against {few.name}: {', '.join(f'{it:.2f}' for it in ratios)} (budget: at most 1.20)")


def on_sqlite(data: Path, years: Years, many: int) -> None:
    """Compare two files with a plain one."""
    plain = os.open(data / "plain", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    text = codec.stored_form(_after(_first(years)))

    def keep() -> None:
        os.write(plain, text)
        os.fdatasync(plain)

    ways = []
    ledgers = []
    for count in (FEW, many):
        path = data / f"{count}.sqlite"
        years.write(path, count)
        ledgers.append(SqliteLedger(path))
        ways.append(Turns(name=f"SQLite, {count} commits", keep=appending(ledgers[-1], count)))
    measure(Turns(name="write + fdatasync", keep=keep), *ways)
    for ledger in ledgers:
        ledger.close()
    os.close(plain)


def on_redis(data: Path, years: Years, many: int) -> None:
    """Compare two streams with a plain one, all on one server."""
    with redis_server(data) as (url, _), closing(Redis.from_url(url)) as client:
        text = codec.stored_form(_after(_first(years)))

        def keep() -> None:
            client.execute_command("XADD", "plain", "*", "body", text)  # type: ignore[no-untyped-call]  # redis-py

        ways = []
        ledgers = []
        for count in (FEW, many):
            ledgers.append(RedisLedger(HallId(f"{HALL}{count}"), address_of(url)))
            bring(client, ledgers[-1].key("commits"), years, count)
            ways.append(Turns(name=f"Redis, {count} commits", keep=appending(ledgers[-1], count)))
        measure(Turns(name="XADD", keep=keep), *ways)
        for ledger in ledgers:
            ledger.close()


def bring(client: Redis, stream: str, years: Years, count: int) -> None:
    """Fill a stream as `server/ledger/redis_stream.py` does, some hundred commits to a sync."""
    rows = islice(years.rows(), count)
    while page := list(islice(rows, BROUGHT)):
        with client.pipeline(transaction=False) as batch:
            for it in page:
                names: dict[str | bytes, str | bytes] = {
                    "day": it.day, "key": it.key or "", "prev_hash": it.prev_hash, "hash": it.hash, "body": it.body
                }  # fmt: skip
                batch.xadd(stream, names, id=f"{it.seq}-0")
            batch.execute()


def main() -> None:
    """Measure and print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with folder() as data:
        years = Years(plan(data), visits=VISITS_A_DAY)
        for measured in (on_sqlite, on_redis):
            place = data / measured.__name__
            place.mkdir()
            measured(place, years, many)


def _first(years: Years) -> Commit:
    row = next(years.rows())
    return codec.decode(row.body, prev_hash=row.prev_hash, hash_=row.hash)


def _after(commit: Commit) -> Commit:
    """Give a commit that changes nothing."""
    reprint = e.ReprintRequested(ticket=TicketId("20200106-A001"), label=Label("A001"), kiosk=None)
    draft = Commit(
        hall=commit.hall, seq=commit.seq + 1, at_ms=commit.at_ms, day=commit.day, actor=CLOCK, events=(reprint,)
    )
    return codec.seal(draft, commit.hash)


if __name__ == "__main__":
    main()
