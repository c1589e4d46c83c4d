"""Several servers on one hall: whoever is slower decides again, everybody sees everything in order."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from server.domain import commands as c
from server.domain.refusals import Refusal
from server.domain.terms import WindowNo
from server.hall import Hall
from server.ledger.base import Commit, LedgerDown
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from tests.hall.checker import Answer, faults, result_of
from tests.hall.test_hall import CLERK, HALL, Clock, a_hall, assert_sound, press, state_of
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S, until

pytestmark = needs_redis


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


def opened(redis: RedisServer) -> RedisLedger:
    """Give a ledger of the hall with connections of its own, as another process has."""
    return RedisLedger(HALL, address_of(redis.url()))


class Follower:
    """A screen of one server: reads every commit once it is woken, as the feeds do."""

    def __init__(self, hall: Hall, ledger: RedisLedger) -> None:
        self.hall, self.ledger, self.seen = hall, ledger, [*hall.commits(0, 1000)]
        self.woken, self.stopped = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=it, daemon=True) for it in (self.listen, self.read)]
        hall.follow(self.woken.set)
        for thread in self.threads:
            thread.start()

    def listen(self) -> None:
        while not self.stopped.is_set():
            try:
                self.ledger.wait_for_news(self.hall.seq, 0.2)
                self.hall.refresh()
            except LedgerDown:
                self.stopped.wait(0.05)

    def read(self) -> None:
        while not self.stopped.is_set():
            if self.woken.wait(0.2):
                self.woken.clear()
                self.seen += self.hall.commits(self.seen[-1].seq, 1000)

    def stop(self) -> list[Commit]:
        self.stopped.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.seen


def crowd(halls: list[Hall], clients: int, requests: int) -> list[Answer]:
    """Let clients press and call at every server, repeat what failed at another one; give what they were told."""
    answers: list[Answer] = []
    start = threading.Barrier(clients)

    def client(number: int) -> None:
        start.wait(PATIENCE_S)
        for turn in range(requests):
            key = f"{number}-{turn}"
            window = WindowNo(str(1 + number % 2))
            command: c.Command = c.CallNext(window=window, finish=True) if turn % 4 == 3 else press(key)
            told = 0

            def ask(key: str = key, command: c.Command = command, number: int = number, turn: int = turn) -> bool:
                nonlocal told
                try:
                    commit = halls[(number + turn + told) % len(halls)].handle(command, actor=CLERK, key=key)
                except Refusal:
                    answers.append(Answer(key=key, result=None))
                    told = 2
                except LedgerDown:
                    return False  # tried again with the same key
                else:
                    answers.append(Answer(key=key, result=result_of(commit)))
                    told += 1
                return told >= 2  # every request is sent to both servers

            until(ask, f"an answer to {key}")

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return answers


def test_two_servers_give_dense_numbers_and_both_see_everything_in_order(redis: RedisServer) -> None:
    ledgers = [opened(redis), opened(redis)]
    halls = [a_hall(ledger) for ledger in ledgers]
    followers = [Follower(hall, ledger) for hall, ledger in zip(halls, ledgers, strict=True)]
    answers = crowd(halls, clients=12, requests=12)
    truth = list(ledgers[0].read())
    until(lambda: all(follower.seen[-1].seq == truth[-1].seq for follower in followers), "both have seen everything")
    assert [follower.stop() for follower in followers] == [truth, truth]
    assert faults(truth, answers) == []
    assert state_of(halls[0]).numbers["A"] == 12 * 9
    for hall, ledger in zip(halls, ledgers, strict=True):
        assert_sound(hall, ledger)
        hall.close()


def test_a_killed_redis_loses_nothing_and_both_servers_go_on(redis: RedisServer) -> None:
    ledgers = [opened(redis), opened(redis)]
    halls = [a_hall(ledger) for ledger in ledgers]
    followers = [Follower(hall, ledger) for hall, ledger in zip(halls, ledgers, strict=True)]
    done = threading.Event()

    def kill_now_and_then() -> None:
        while not done.wait(0.15):
            redis.kill()
            redis.start()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    answers = crowd(halls, clients=6, requests=24)
    done.set()
    killer.join(PATIENCE_S)
    truth = list(ledgers[0].read())
    until(lambda: all(follower.seen[-1].seq == truth[-1].seq for follower in followers), "both have seen everything")
    assert [follower.stop() for follower in followers] == [truth, truth]
    assert faults(truth, answers) == []
    for hall, ledger in zip(halls, ledgers, strict=True):
        assert_sound(hall, ledger)
        hall.close()


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
