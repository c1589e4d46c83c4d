"""What only a Redis ledger must show: kept data, slow writers, kills, and outcomes that nobody knows."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.domain.terms import HallId
from server.hall import Hall
from server.ledger import codec
from server.ledger.base import GENESIS, LedgerBroken, LedgerDown, LedgerUnknown, Stale
from server.ledger.redis_address import BadAddress, address_of
from server.ledger.redis_stream import RedisLedger
from tests.hall.test_hall import CLERK, HALL, Clock, a_hall, press
from tests.ledger.commits import chain_of
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S

pytestmark = needs_redis
TEST = HallId("test")
STREAM = "jiaohao:{test}:commits"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


def opened(server: RedisServer, **options: object) -> RedisLedger:
    """Give a ledger on a server."""
    return RedisLedger(TEST, address_of(server.url(**options)))  # type: ignore[arg-type]  # options of the address


@pytest.mark.parametrize(
    "options",
    [
        ("--appendonly", "no"),
        ("--appendonly", "yes", "--appendfsync", "everysec"),
        ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "volatile-lru"),
    ],
    ids=["no aof", "everysec", "eviction"],
)
def test_a_server_that_loses_what_it_acknowledged_is_refused(
    options: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(*options).start()
    try:
        with pytest.raises(LedgerDown, match="Set `appendonly yes`, `appendfsync always`, `maxmem"):
            opened(server)
        ledger = opened(server, unsafe=1)
        ledger.append(chain_of(1))
        ledger.close()
        assert "UNSAFE" in caplog.text
    finally:
        server.remove()


def test_a_full_memory_refuses_what_is_new_and_nothing_is_lost() -> None:
    server = RedisServer("--appendonly", "yes", "--appendfsync", "always").start()
    try:
        ledger = opened(server)
        commits = chain_of(3)
        ledger.append(commits[:1])
        with server.client() as client:
            client.config_set("maxmemory", "1mb")
            with pytest.raises(LedgerDown, match="maxmemory") as down:
                ledger.append(commits[1:])
            assert not isinstance(down.value, LedgerUnknown)  # known: nothing was written
            client.config_set("maxmemory", "0")
        ledger.append(commits[1:])
        assert list(ledger.read()) == commits
        ledger.close()
    finally:
        server.remove()


def test_a_server_that_may_not_be_asked_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer("--appendonly", "yes", "--rename-command", "CONFIG", "").start()
    try:
        opened(server).close()
        assert "see that it has `appendonly yes`" in caplog.text
    finally:
        server.remove()


def test_the_stored_form_is_that_of_every_store(redis: RedisServer) -> None:
    ledger = opened(redis)
    commits = chain_of(2, keys=["k"])
    ledger.append(commits)
    ledger.close()
    with redis.client() as client:
        rows: Any = client.xrange(STREAM)
        assert client.ttl("jiaohao:{test}:keys:2026-03-02") > 24 * 3600
    assert [id_ for id_, _ in rows] == [b"1-0", b"2-0"]
    for commit, key, (_, fields) in zip(commits, [b"k", b""], rows, strict=True):
        assert fields == {
            b"day": commit.day.encode(),
            b"key": key,
            b"prev_hash": commit.prev_hash.encode(),
            b"hash": commit.hash.encode(),
            b"body": codec.encode(commit),
        }


def test_one_of_many_who_build_on_the_same_commit_is_first(redis: RedisServer) -> None:
    ledgers = [opened(redis) for _ in range(8)]
    ready = threading.Barrier(8)
    outcomes: list[str] = []

    def write(number: int) -> None:
        ready.wait(PATIENCE_S)
        try:
            ledgers[number].append(chain_of(2, note=str(number)))
            outcomes.append("written")
        except Stale:
            outcomes.append("stale")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale"] * 7 + ["written"]
    assert len(list(ledgers[0].read())) == 2
    for ledger in ledgers:
        ledger.close()


def test_a_changed_or_missing_entry_is_found(redis: RedisServer) -> None:
    ledger = opened(redis)
    ledger.append(chain_of(3))
    with redis.client() as client:
        client.xdel(STREAM, "2-0")
    for after in (0, 1, 2):
        with pytest.raises(LedgerBroken):
            list(ledger.read(after))
    ledger.close()


def test_a_commit_that_is_not_there_any_more_is_noticed(redis: RedisServer) -> None:
    ledger = opened(redis)
    commits = chain_of(3)
    ledger.append(commits[:2])
    assert list(ledger.since(0, GENESIS)) == commits[:2]
    assert list(ledger.since(2, commits[1].hash)) == []
    for seq, head in ((3, commits[2].hash), (2, commits[0].hash)):
        with pytest.raises(Stale):
            list(ledger.since(seq, head))
    ledger.close()


def test_a_killed_server_has_everything_it_acknowledged_and_is_found_again(redis: RedisServer) -> None:
    ledger = opened(redis)
    commits = chain_of(4000)
    acknowledged = 0
    killer = threading.Timer(0.3, redis.kill)
    killer.start()
    for commit in commits:
        try:
            ledger.append([commit])
        except LedgerDown:
            break
        acknowledged = commit.seq
    killer.join()
    with pytest.raises(LedgerDown):
        list(ledger.read())
    with pytest.raises(LedgerDown) as down:
        ledger.append(commits[acknowledged : acknowledged + 1])
    assert not isinstance(down.value, LedgerUnknown)  # it was never sent
    redis.start()
    found = list(ledger.read())
    assert found == commits[: len(found)]
    assert len(found) in (acknowledged, acknowledged + 1)
    ledger.append(commits[len(found) : len(found) + 1])
    ledger.close()


def test_what_too_few_replicas_have_is_unknown_and_the_same_key_finds_it(redis: RedisServer) -> None:
    other = a_hall(opened(redis))
    ledger = opened(redis, wait_ms=50)
    alone = Hall(HALL, ledger, clock=Clock())
    ledger._line.wait = 1  # its replicas are gone
    for _ in range(2):  # the second time it is there and still not safe
        with pytest.raises(LedgerUnknown, match="0 of 1 replicas"):
            alone.handle(press(), actor=CLERK, key="press", fingerprint="f")
    assert alone.read(lambda _, seq: seq) == other.seq  # nobody is shown what may not last
    told = other.handle(press(), actor=CLERK, key="press", fingerprint="f")
    commits = other.commits(0, 100)
    assert [commit for commit in commits if commit.key == "press"] == [told] == commits[-1:]
    with pytest.raises(LedgerUnknown):  # a start on what may be lost again
        Hall(HALL, opened(redis, wait=1, wait_ms=50), clock=Clock())
    other.close()
    alone.close()


def test_a_drill_and_real_days_never_share_a_stream(redis: RedisServer) -> None:
    ledger = opened(redis)
    ledger.mark(drill=False)
    ledger.append(chain_of(1))
    with pytest.raises(LedgerDown, match="real days"):
        ledger.mark(drill=True)
    other = RedisLedger(HallId("other"), address_of(redis.url()))
    other.mark(drill=True)
    other.mark(drill=True)
    with pytest.raises(LedgerDown, match="drill"):
        other.mark(drill=False)
    ledger.close()
    other.close()


def test_addresses() -> None:
    group = address_of("redis+sentinel://:s%40cret@a:1,b/hall/2?wait=2&wait_ms=100")
    assert group.sentinels == (("a", 1), ("b", 26379))
    assert (group.service, group.db, group.password, group.wait, group.wait_ms) == ("hall", 2, "s@cret", 2, 100)
    assert address_of("redis+sentinel://a:1/hall").wait is None
    assert address_of("redis://a:1/0").wait == 0
    assert "secret" not in address_of("redis://:secret@a:1/0").shown


@pytest.mark.parametrize(
    "url",
    ["redis:", "http://a", "redis://a:b/0", "redis+sentinel://a:1", "redis+sentinel:///hall", "redis://a/0?wait=x",
     "redis://a/0?wait_ms=0", "redis+sentinel://a/hall?quorum=2", "redis+sentinel://a/hall/x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        address_of(url)
