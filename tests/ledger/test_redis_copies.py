"""Days leave Redis for the servers' copies: nothing is let go of that somebody still needs, and nobody notices."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from server.copying import Copying
from server.hall import Hall
from server.ledger import files, snapshot
from server.ledger.base import ArchiveMissing, Commit, LedgerDown
from server.ledger.copies import CopiedLedger, end_of, join, newest_start
from server.ledger.redis_address import address_of
from server.ledger.redis_scripts import COPY_FORGOTTEN_S
from server.ledger.redis_stream import Gone, RedisLedger
from server.ledger.sqlite import SqliteLedger
from server.web.history import first_of_day
from tests.hall.test_hall import CLERK, DAY, HALL, Clock, a_hall, press, state_of
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S

pytestmark = needs_redis
KEEP_DAYS = 2


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


class Server:
    """One server of the hall with a data folder of its own, without the doors."""

    def __init__(self, redis: RedisServer, folder: Path, clock: Clock) -> None:
        folder.mkdir(exist_ok=True)
        self.path, self.place = folder / "test.sqlite", folder / "test.snapshot"
        self.copy = SqliteLedger(self.path)
        self.stream = RedisLedger(HALL, address_of(redis.url()))
        join(self.stream, self.path, folder.name)
        start = newest_start(HALL, self.stream, snapshot.load(self.place, HALL))
        self.ledger = CopiedLedger(self.stream, self.path)
        self.hall = Hall(HALL, self.ledger, clock=clock, start=start)
        self.copying = Copying(self.hall, self.stream, self.copy, self.path, server=folder.name, keep_days=KEEP_DAYS)

    def do(self) -> "Server":
        """Do what is due beside the hall, now."""
        self.hall.refresh()
        self.copying._trimmed_s = -1e9
        self.copying.step()
        return self

    def stop(self) -> None:
        """End it."""
        self.hall.close()
        self.copy.close()


class Town:
    """A Redis, a clock, and servers that come and go."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        self.redis, self.folder, self.clock = redis, folder, Clock()
        self.up: list[Server] = []
        self.told: list[Commit] = []

    def server(self, name: str) -> Server:
        """Start a server."""
        server = Server(self.redis, self.folder / name, self.clock)
        self.up.append(server)
        if server.hall.seq == 0:
            a_hall(server.ledger, self.clock)
            server.hall.refresh()
        return server

    def days(self, count: int, *servers: Server) -> None:
        """Let days pass, with visitors at every server."""
        for _ in range(count):
            self.clock.now_ms += DAY
            for number in range(6):
                server = servers[number % len(servers)]
                self.told.append(server.hall.handle(press(str(number)), actor=CLERK, key=f"key {number}"))
            for server in servers:
                server.do()

    def close(self) -> None:
        """End all."""
        for server in self.up:
            server.stop()

    def begin(self) -> int:
        """Give the first commit that is in Redis."""
        with self.redis.client() as client:
            rows = client.xrange(f"jiaohao:{{{HALL}}}:commits", count=1)
        return int(rows[0][0].decode().partition("-")[0])


@pytest.fixture
def town(redis: RedisServer, tmp_path: Path) -> Iterator[Town]:
    """Give a town."""
    made = Town(redis, tmp_path)
    yield made
    made.close()


def test_days_that_are_over_leave_redis_and_are_read_from_the_copy(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    truth = list(one.ledger.read())
    town.days(8, one, two)
    truth += list(one.ledger.read(truth[-1].seq))
    assert town.begin() > town.told[0].seq
    for server in (one, two):
        assert server.copying.fault is None
        assert list(server.ledger.read()) == truth
        for after, limit in ((0, 5), (3, 100), (town.begin() - 3, 4), (town.begin() - 2, 2), (truth[-2].seq, 9)):
            assert list(server.ledger.read(after, limit)) == truth[after : after + limit]
            assert server.hall.commits(after, limit) == truth[after : after + limit]
        assert list(server.ledger.since(3, truth[2].hash)) == truth[3:]
        assert files.verify(server.path).good
        assert server.hall.gone() == 0
    with pytest.raises(Gone):
        list(one.stream.read())
    keys = {commit.key for commit in truth}
    assert {commit.key for commit in town.told} <= keys
    assert [commit.seq for commit in truth] == list(range(1, truth[-1].seq + 1))


def test_redis_keeps_as_many_days_as_it_was_told(town: Town) -> None:
    one = town.server("one")
    town.days(8, one)
    kept = list(one.stream.read(town.begin() - 1))
    days = sorted({commit.day for commit in kept})
    assert len(days) == KEEP_DAYS + 2  # these, today, and the commit that turned the first of them
    assert sum(commit.day == days[0] for commit in kept) == 1


def test_a_restart_begins_with_the_newest_start_and_a_new_server_with_the_snapshot(town: Town) -> None:
    one = town.server("one")
    town.days(6, one)
    again, new = town.server("two"), None
    assert again.hall.replayed < 10
    assert state_of(again.hall) == state_of(one.hall)
    new = again.hall.handle(press("new"), actor=CLERK, key="new")
    one.hall.refresh()
    assert one.hall.handle(press("new"), actor=CLERK, key="new") == new
    again.do()
    assert "days are missing" in str(again.copying.fault)
    assert again.hall.gone() == town.begin() - 1
    with pytest.raises(Gone):
        list(again.ledger.read(0))
    today = state_of(again.hall).day or ""
    assert first_of_day(again.hall, today) == first_of_day(one.hall, today)
    with pytest.raises(ArchiveMissing):
        first_of_day(again.hall, "2026-03-02")
    assert first_of_day(one.hall, "2026-03-02") < town.begin()
    assert list(again.ledger.read(town.begin() - 1)) == list(one.stream.read(town.begin() - 1))


def test_a_server_brought_the_copy_of_another_has_everything(town: Town) -> None:
    one = town.server("one")
    town.days(6, one)
    two = town.folder / "two"
    two.mkdir()
    files.backup(one.path, two / "test.sqlite")
    server = town.server("two").do()
    assert server.copying.fault is None
    assert server.hall.gone() == 0
    assert list(server.ledger.read()) == list(one.ledger.read())


def test_a_server_that_is_behind_holds_the_others_up_until_it_is_forgotten(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    town.days(1, one, two)
    town.up.remove(two)
    two.stop()
    town.days(6, one)
    behind, _ = end_of(two.path)
    assert town.begin() <= behind + 1
    with town.redis.client() as client:
        seq, at = client.hget(f"jiaohao:{{{HALL}}}:copies", "two").split()
        client.hset(f"jiaohao:{{{HALL}}}:copies", "two", f"{int(seq)} {int(at) - COPY_FORGOTTEN_S - 1}")
    one.do()
    assert town.begin() > behind + 1
    late = town.server("two").do()
    assert "put another server's copy here" in str(late.copying.fault)
    assert state_of(late.hall) == state_of(one.hall)


def test_nothing_is_let_go_of_without_a_newer_snapshot_or_with_another_hash(town: Town) -> None:
    one = town.server("one")
    town.days(1, one)
    begin, (end, head) = town.begin(), end_of(one.path)
    commit = next(one.stream.read(end - 1))
    assert commit.hash == head
    for upto, hash_, why in ((end, head, "snapshot"), (end - 1, "0" * 64, "another one"), (end - 1, "", "another one")):
        assert why in one.stream.trim("one", end, upto, hash_)
    assert town.begin() == begin
    assert next(one.stream.read(begin - 1)).seq == begin


def test_a_copy_that_was_not_written_well_is_never_trusted(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: a disk that loses the last commit of each page."""
    real = SqliteLedger.take_over
    monkeypatch.setattr(SqliteLedger, "take_over", lambda self, commits: real(self, list(commits)[:-1]))
    one = town.server("one")
    town.days(5, one)
    assert "that was copied" in str(one.copying.fault)
    assert town.begin() == 1


def test_many_servers_trim_at_once_and_everything_is_somewhere(town: Town) -> None:
    servers = [town.server(str(number)) for number in range(4)]
    town.days(2, *servers)
    for _ in range(3):
        town.clock.now_ms += DAY
        servers[0].hall.handle(press(), actor=CLERK)
        threads = [threading.Thread(target=server.do) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    for server in servers:  # whoever was last to copy lets go
        server.do()
    assert town.begin() > 1
    truth = list(servers[0].ledger.read())
    assert all(list(server.ledger.read()) == truth for server in servers)


def test_a_lost_redis_is_not_taken_for_a_new_ledger(town: Town) -> None:
    one = town.server("one")
    town.days(3, one)
    join(one.stream, one.path, "one")
    with town.redis.client() as client:
        client.flushall()
    with pytest.raises(LedgerDown, match="ledger restore"):
        join(one.stream, one.path, "one")


def test_a_copy_that_went_another_way_is_told(town: Town) -> None:
    one = town.server("one")
    town.days(2, one)
    with town.redis.client() as client:
        client.flushall()
    other = RedisLedger(HALL, address_of(town.redis.url()))
    hall = a_hall(other, town.clock)
    for number in range(30):
        hall.handle(press(str(number)), actor=CLERK)
    one.do()  # another ledger altogether
    assert "holds what the ledger in Redis does not" in str(one.copying.fault)
    hall.close()


def test_every_key_of_a_hall_lies_in_one_slot_of_a_cluster(town: Town) -> None:
    town.days(4, town.server("one"))
    with town.redis.client() as client:
        keys = {key.decode() for key in client.keys("*")}
    parts = {key.partition("}:")[2].partition(":")[0] for key in keys}
    assert parts >= {"commits", "keys", "begin", "copies", "snapshots", "snapshot-seqs"}
    assert all(key.startswith(f"jiaohao:{{{HALL}}}:") for key in keys)
    assert len({key_slot(key.encode()) for key in keys}) == 1
