"""What every ledger promises, held against each store."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.domain.terms import HallId
from server.ledger.base import GENESIS, Ledger, LedgerBroken, Stale
from server.ledger.memory import MemoryLedger
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from server.ledger.sqlite import SqliteLedger
from tests.ledger.commits import chain_of
from tests.ledger.redis_server import RedisServer, needs_redis


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Give a running redis-server."""
    server = RedisServer().start()
    yield server
    server.remove()


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=needs_redis)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Give an empty ledger of each kind."""
    made: Ledger
    match request.param:
        case "memory":
            made = MemoryLedger()
        case "sqlite":
            made = SqliteLedger(tmp_path / "hall.sqlite")
        case _:
            server: RedisServer = request.getfixturevalue("redis")
            with server.client() as client:
                client.flushall()
            made = RedisLedger(HallId("test"), address_of(server.url()))
    yield made
    made.close()


def test_an_empty_ledger_gives_nothing(ledger: Ledger) -> None:
    assert list(ledger.read()) == []
    assert list(ledger.read(after=5)) == []


def test_commits_come_back_as_they_went_in_and_in_order(ledger: Ledger) -> None:
    commits = chain_of(7, keys=["k1", "k2"])
    ledger.append(commits[:1])
    ledger.append(commits[1:5])
    ledger.append([])
    ledger.append(commits[5:])
    assert list(ledger.read()) == commits


@pytest.mark.parametrize(
    ("after", "limit", "seqs"),
    [(0, None, range(1, 1203)), (0, 3, [1, 2, 3]), (1200, 10, [1201, 1202]), (5, 1, [6]), (3, 0, []), (1202, 5, [])],
)
def test_reading_starts_after_and_stops_at_the_limit(
    ledger: Ledger, after: int, limit: int | None, seqs: list[int]
) -> None:
    ledger.append(chain_of(1202))
    assert [it.seq for it in ledger.read(after, limit)] == list(seqs)


def test_who_appends_late_is_told_and_nothing_is_written(ledger: Ledger) -> None:
    commits = chain_of(3)
    ledger.append(commits[:2])
    other = chain_of(2, note="other")
    wrong = [
        commits[:1],
        commits[1:],
        [replace(commits[2], seq=4)],
        [replace(commits[2], prev_hash=GENESIS)],
        other[1:],
    ]
    for batch in wrong:
        with pytest.raises(Stale):
            ledger.append(batch)
    assert list(ledger.read()) == commits[:2]
    ledger.append(commits[2:])


def test_a_batch_is_written_whole_or_not_at_all(ledger: Ledger) -> None:
    commits = chain_of(4)
    with pytest.raises(Stale):
        ledger.append([*commits[:3], chain_of(4, note="other")[3]])
    assert list(ledger.read()) == []
    ledger.append(commits)
    assert list(ledger.read()) == commits


def test_a_key_is_used_once_in_a_business_day(ledger: Ledger) -> None:
    first = chain_of(1, keys=["k"])
    ledger.append(first)
    for batch in (chain_of(1, first[0], keys=["k"]), chain_of(3, first[0], keys=["x", "y", "x"])):
        with pytest.raises(Stale):
            ledger.append(batch)
    assert list(ledger.read()) == first
    ledger.append(chain_of(2, first[0], keys=["l"]))


def test_a_commit_changed_after_sealing_is_found_when_read(ledger: Ledger) -> None:
    commits = chain_of(2)
    ledger.append([replace(commits[0], at_ms=1), commits[1]])
    with pytest.raises(LedgerBroken):
        list(ledger.read())


def test_reading_goes_on_while_others_append(ledger: Ledger) -> None:
    commits = chain_of(600)
    ledger.append(commits[:550])
    reading = ledger.read()
    seen = [next(reading)]
    ledger.append(commits[550:])
    seen += reading
    assert seen[:550] == commits[:550]
    assert seen == commits[: len(seen)]


def test_stores_keep_the_same_bytes(tmp_path: Path) -> None:
    commits = chain_of(3, keys=["k"])
    memory, sqlite = MemoryLedger(), SqliteLedger(tmp_path / "hall.sqlite")
    memory.append(commits)
    sqlite.append(commits)
    assert list(memory.read()) == list(sqlite.read())
    sqlite.close()


def test_a_copied_file_is_the_same_ledger(tmp_path: Path) -> None:
    commits = chain_of(3)
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    ledger.append(commits)
    ledger.close()
    shutil.copy(tmp_path / "hall.sqlite", tmp_path / "copy.sqlite")
    copy = SqliteLedger(tmp_path / "copy.sqlite")
    assert list(copy.read()) == commits
    copy.close()


Damage = Callable[[list[tuple[bytes, str, str]]], None]


def _flip(rows: list[tuple[bytes, str, str]]) -> None:
    body, prev, hash_ = rows[2]
    rows[2] = (body.replace(b"clerk-7", b"clerk-8"), prev, hash_)


def _swap(rows: list[tuple[bytes, str, str]]) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def _lose(rows: list[tuple[bytes, str, str]]) -> None:
    del rows[2]


def _lose_first(rows: list[tuple[bytes, str, str]]) -> None:
    del rows[0]


@pytest.mark.parametrize("damage", [_flip, _swap, _lose, _lose_first])
def test_a_changed_swapped_or_missing_commit_is_found(damage: Damage) -> None:
    ledger = MemoryLedger()
    ledger.append(chain_of(5))
    damage(ledger._rows)
    with pytest.raises(LedgerBroken):
        list(ledger.read())
