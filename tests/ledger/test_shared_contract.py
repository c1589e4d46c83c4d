"""What every ledger promises that several servers write at once, held against each of them."""

import threading
from collections.abc import Iterator

import pytest

from server.domain.terms import HallId
from server.ledger.base import GENESIS, SharedLedger, Stale
from server.ledger.memory import MemoryLedger, SharedMemoryLedger
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from tests.ledger.commits import chain_of
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S

KINDS = ["memory", pytest.param("redis", marks=needs_redis)]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Give a running redis-server."""
    server = RedisServer().start()
    yield server
    server.remove()


@pytest.fixture(params=KINDS)
def ledger(request: pytest.FixtureRequest) -> Iterator[SharedLedger]:
    """Give an empty ledger of each kind that servers share."""
    made: SharedLedger
    if request.param == "memory":
        made = SharedMemoryLedger()
    else:
        server: RedisServer = request.getfixturevalue("redis")
        with server.client() as client:
            client.flushall()
        made = RedisLedger(HallId("test"), address_of(server.url()))
    yield made
    made.close()


def test_a_ledger_of_one_server_is_none_of_several(ledger: SharedLedger) -> None:
    assert isinstance(ledger, SharedLedger)
    assert not isinstance(MemoryLedger(), SharedLedger)


def test_one_reads_on_from_what_one_knows_and_is_told_when_that_is_not_there(ledger: SharedLedger) -> None:
    commits = chain_of(1203)
    ledger.append(commits[:1200])
    assert list(ledger.since(0, GENESIS)) == commits[:1200]
    assert list(ledger.since(1199, commits[1198].hash)) == [commits[1199]]
    assert list(ledger.since(1200, commits[1199].hash)) == []
    for seq, head in ((1201, commits[1200].hash), (1200, commits[1198].hash), (3, GENESIS)):
        with pytest.raises(Stale):
            list(ledger.since(seq, head))
    assert ledger.gone() == 0


def test_who_waits_hears_of_what_is_written(ledger: SharedLedger) -> None:
    commits = chain_of(2)
    ledger.append(commits[:1])
    assert ledger.wait_for_news(0, 1)
    assert not ledger.wait_for_news(1, 0.05)
    heard = threading.Event()

    def wait() -> None:
        while not ledger.wait_for_news(1, 1):
            pass
        heard.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    ledger.append(commits[1:])
    assert heard.wait(PATIENCE_S)
    thread.join(PATIENCE_S)


def test_of_many_who_build_on_the_same_commit_one_is_first(ledger: SharedLedger) -> None:
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def write(number: int) -> None:
        start.wait(PATIENCE_S)
        try:
            ledger.append(chain_of(2, note=str(number)))
            outcomes.append("written")
        except Stale:
            outcomes.append("stale")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(outcomes) == ["stale"] * 7 + ["written"]
    assert len(list(ledger.read())) == 2
