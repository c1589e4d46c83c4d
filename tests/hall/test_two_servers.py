"""Several servers on one hall: whoever is slower decides again, everybody sees everything in order."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Refusal
from server.hall import Hall
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerDown, SharedLedger
from server.ledger.memory import SharedMemoryLedger
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from server.ledger.sqlite import SqliteLedger
from tests.checker.judge import judge, rules
from tests.hall.crowd import Servers
from tests.hall.test_hall import CLERK, HALL, Clock, a_hall, press, state_of
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


def opened(redis: RedisServer) -> RedisLedger:
    """Give a ledger of the hall with connections of its own, as another process has."""
    return RedisLedger(HALL, address_of(redis.url()))


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
def ledgers(request: pytest.FixtureRequest) -> list[SharedLedger]:
    """Give a ledger that two servers share, as each of them has it."""
    if request.param == "memory":
        return [SharedMemoryLedger()] * 2
    redis = request.getfixturevalue("redis")
    return [opened(redis), opened(redis)]


def test_two_servers_give_dense_numbers_and_both_see_everything_in_order(ledgers: list[SharedLedger]) -> None:
    servers = Servers(ledgers)
    crowd = servers.crowd(clients=12)
    crowd.go_on(300)
    truth = servers.check(crowd)
    given = [event for commit in truth for event in commit.events if isinstance(event, e.TicketIssued)]
    assert [event.number for event in given] == list(range(1, len(given) + 1))
    servers.close()


class TakesStale(SharedMemoryLedger):
    """The broken variant: it writes behind whatever is there, whoever built on something older."""

    def append(self, commits: Sequence[Commit]) -> None:
        last = list(self.read())[-1:]
        seq, head = (last[0].seq, last[0].hash) if last else (0, GENESIS)
        for number, commit in enumerate(commits, seq + 1):
            sealed = codec.seal(replace(commit, seq=number), head)
            super().append([sealed])
            head = sealed.hash


def test_a_ledger_that_takes_stale_writes_is_seen() -> None:
    servers = Servers([TakesStale()] * 2)
    crowd = servers.crowd(clients=12)
    with suppress(AssertionError):  # not even an answer for everybody, perhaps
        crowd.go_on(300)
    crowd.over.set()
    for client in crowd.threads:
        client.join(PATIENCE_S)
    assert rules(judge(crowd.truth(), crowd.history)) & {"T1", "T2", "L2", "L3", "L4"}
    for follower in crowd.followers:
        follower.stop()


def test_a_second_server_on_a_ledger_in_a_file_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    hall = a_hall(SqliteLedger(tmp_path / "hall.sqlite"))
    with pytest.raises(LedgerDown, match="another process writes this ledger"):
        SqliteLedger(tmp_path / "hall.sqlite")
    assert hall.handle(press(), actor=CLERK).seq == hall.seq
    hall.close()
    SqliteLedger(tmp_path / "hall.sqlite").close()


@needs_redis
def test_a_killed_redis_loses_nothing_and_both_servers_go_on(redis: RedisServer) -> None:
    servers = Servers([opened(redis), opened(redis)])
    crowd = servers.crowd()
    for _ in range(6):
        crowd.go_on(30)
        redis.kill()
        redis.start()
    crowd.go_on(30)
    servers.check(crowd)
    servers.close()


@needs_redis
def test_a_picture_is_shown_while_redis_is_away_and_nothing_is_written(redis: RedisServer) -> None:
    hall = a_hall(opened(redis))
    seq = hall.seq
    redis.kill()
    with pytest.raises(LedgerDown):
        hall.handle(press(), actor=CLERK, key="k")
    assert hall.read(lambda _, at: at) == seq
    redis.start()
    assert hall.handle(press(), actor=CLERK, key="k").seq == seq + 1
    hall.close()


@needs_redis
def test_a_server_that_saw_what_a_failover_lost_takes_the_truth(redis: RedisServer) -> None:
    hall = a_hall(opened(redis))
    for number in range(3):
        hall.handle(press(str(number)), actor=CLERK)
    with redis.client() as client:  # the last two never reached the server that is master now
        stream = f"jiaohao:{{{HALL}}}:commits"
        kept: Any = client.xrange(stream, max=f"{hall.seq - 2}-0")
        client.delete(stream)
        for id_, fields in kept:
            client.xadd(stream, fields, id=id_)
    other = Hall(HALL, opened(redis), clock=Clock())
    commit = other.handle(press("other"), actor=CLERK)
    hall.refresh()
    assert (hall.seq, hall.commits(hall.seq - 1, 9)) == (commit.seq, [commit])
    assert state_of(hall) == state_of(other)
    with redis.client() as client:
        client.flushall()
    with pytest.raises(LedgerDown, match="empty"):
        hall.refresh()
    hall.close()
    other.close()


@needs_redis
def test_another_clock_turns_the_day_once(redis: RedisServer) -> None:
    clock = Clock()
    halls = [a_hall(opened(redis), clock), a_hall(opened(redis), clock)]
    clock.now_ms += 24 * 3600 * 1000
    ready = threading.Barrier(2)

    def turn(hall: Hall) -> None:
        ready.wait(PATIENCE_S)
        with suppress(Refusal):  # the other was first
            hall.handle(c.StartDay(), actor=CLERK)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(turn, halls))
    for hall in halls:
        hall.refresh()
    opened_days = [type(event).__name__ for commit in halls[0].commits(0, 1000) for event in commit.events]
    assert opened_days.count("DayOpened") == 2
    assert state_of(halls[0]) == state_of(halls[1])
    for hall in halls:
        hall.close()
