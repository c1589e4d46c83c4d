"""`jiaohao ledger` on a Redis: status, verify, backup, export, restore; and from one PC to Redis and back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import load_hall, shipped
from server.domain.terms import HallId
from server.ledger import codec, files
from server.ledger.base import Commit
from server.ledger.copies import FOLDER
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from server.ledger.sqlite import SqliteLedger
from server.main import main
from server.plan import plan_of
from tests.hall.days import RandomDays
from tests.ledger.redis_server import RedisServer, needs_redis

pytestmark = needs_redis
DEMO = HallId("demo")


@pytest.fixture(scope="module")
def commits() -> list[Commit]:
    """Give three days of the demo hall."""
    days = RandomDays(plan=plan_of(load_hall(shipped()["demo"])), seed=1)
    days.play(days=3, steps=80)
    return days.commits


@pytest.fixture
def redis(commits: list[Commit]) -> Iterator[RedisServer]:
    """Give a server with the demo hall."""
    server = RedisServer().start()
    ledger = RedisLedger(DEMO, address_of(server.url()))
    ledger.append(commits)
    ledger.close()
    yield server
    server.remove()


def jiaohao(redis: RedisServer, *words: object, db: int = 0, lang: str = "en") -> Result:
    """Run a command on a Redis."""
    command, *rest = map(str, words)
    return CliRunner().invoke(main, ["--lang", lang, "ledger", command, "--ledger", redis.url(db), *rest])


def stream_of(redis: RedisServer, db: int = 0) -> list[Commit]:
    """Give what is in Redis."""
    ledger = RedisLedger(DEMO, address_of(redis.url(db)))
    found = list(ledger.read())
    ledger.close()
    return found


def let_go(redis: RedisServer, commits: list[Commit], folder: Path) -> int:
    """Copy a hall into a folder, and let its first days leave Redis; give the last commit that left."""
    (folder / FOLDER).mkdir(parents=True)
    copy = SqliteLedger(folder / FOLDER / "demo.sqlite")
    copy.append(commits)
    copy.close()
    ledger = RedisLedger(DEMO, address_of(redis.url()))
    ledger.keep_snapshot("any", commits[-1].seq, b"")
    left = commits[len(commits) // 2]
    assert ledger.trim("one", commits[-1].seq, left.seq, left.hash) == ""
    ledger.close()
    return left.seq


def test_status_says_what_is_in_redis_and_who_has_copied_it(
    redis: RedisServer, commits: list[Commit], tmp_path: Path
) -> None:
    (row,) = json.loads(jiaohao(redis, "status", "--format", "json").stdout)
    assert (row["hall"], row["commits"], row["days"], row["left_redis"]) == ("demo", len(commits), 3, 0)
    assert row["head"] == commits[-1].hash[:16]
    left = let_go(redis, commits, tmp_path)
    (row,) = json.loads(jiaohao(redis, "status", "--format", "json").stdout)
    assert (row["commits"], row["left_redis"]) == (len(commits), left)
    assert row["copies"][0].startswith(f"one {commits[-1].seq} (")


def test_verify_checks_the_whole_ledger_with_what_left_redis(
    redis: RedisServer, commits: list[Commit], tmp_path: Path
) -> None:
    said = jiaohao(redis, "verify")
    assert (said.exit_code, f"demo: whole, {len(commits)} commits" in said.stdout) == (0, True)
    let_go(redis, commits, tmp_path)
    said = jiaohao(redis, "verify", "--data", tmp_path)
    assert (said.exit_code, f"demo: whole, {len(commits)} commits" in said.stdout) == (0, True)
    elsewhere = jiaohao(redis, "verify", "--data", tmp_path / "empty")
    assert (elsewhere.exit_code, "in the servers' copies only" in elsewhere.stderr) == (2, True)


def test_verify_finds_a_changed_commit(redis: RedisServer, commits: list[Commit]) -> None:
    last = commits[-1]
    with redis.client() as client:
        stream = f"jiaohao:{{{DEMO}}}:commits"
        client.xdel(stream, f"{last.seq}-0")
        body = codec.encode(last).replace(b'"at_ms":1', b'"at_ms":2')
        fields = {"day": last.day, "key": "", "prev_hash": last.prev_hash, "hash": last.hash, "body": body}
        client.xadd(stream, fields, id=f"{last.seq}-1")
    said = jiaohao(redis, "verify")
    assert (said.exit_code, "damaged" in said.stderr) == (1, True)


def test_a_backup_and_an_export_come_back_the_same_in_redis_and_on_one_pc(
    redis: RedisServer, commits: list[Commit], tmp_path: Path
) -> None:
    let_go(redis, commits, tmp_path / "data")
    usb, text = tmp_path / "usb", tmp_path / "demo.jsonl"
    assert jiaohao(redis, "backup", usb, "--data", tmp_path / "data").exit_code == 0
    assert jiaohao(redis, "export", "--hall", "demo", "--out", text, "--data", tmp_path / "data").exit_code == 0
    (copy,) = usb.iterdir()
    assert files.verify(copy.rename(usb / "demo.sqlite")).good
    for db, source in enumerate((usb / "demo.sqlite", text), start=1):
        said = jiaohao(redis, "restore", source, "--hall", "demo", db=db)
        assert said.exit_code == 0, said.stderr
        assert stream_of(redis, db) == commits
        pc = tmp_path / f"pc{db}"
        words = ["--lang", "en", "ledger", "restore", str(source), "--hall", "demo", "--data", str(pc)]
        assert CliRunner().invoke(main, words).exit_code == 0
        assert list(files.commits(pc / "demo.sqlite")) == commits
        with redis.client(db) as client:
            keys = {key.decode() for key in client.keys("*")}
        days = sorted({commit.day for commit in commits})
        assert keys <= {f"jiaohao:{{demo}}:{part}" for part in ("commits", *(f"keys:{day}" for day in days[-2:]))}


def test_a_ledger_that_is_there_is_moved_aside_only_when_told_so(
    redis: RedisServer, commits: list[Commit], tmp_path: Path
) -> None:
    assert jiaohao(redis, "backup", tmp_path).exit_code == 0
    (copy,) = tmp_path.iterdir()
    ledger = RedisLedger(DEMO, address_of(redis.url()))
    more = codec.seal(
        Commit(hall=DEMO, seq=len(commits) + 1, at_ms=9**15, day="2026-03-05", actor=commits[0].actor, events=()),
        commits[-1].hash,
    )
    ledger.append([more])
    for lang, sentence in (("zh", "--replace"), ("en", "add --replace")):
        refused = jiaohao(redis, "restore", copy, "--hall", "demo", lang=lang)
        assert (refused.exit_code, sentence in refused.stderr) == (2, True)
    assert stream_of(redis)[-1] == more
    assert jiaohao(redis, "restore", copy, "--hall", "demo", "--replace").exit_code == 0
    assert stream_of(redis) == commits
    with redis.client() as client:
        (aside,) = client.keys("jiaohao:{demo}:replaced-*")
        assert client.xlen(aside) == len(commits) + 1
    assert json.loads(jiaohao(redis, "status", "--format", "json").stdout)[0]["hall"] == "demo"
    ledger.close()


def test_a_broken_export_changes_nothing(redis: RedisServer, commits: list[Commit], tmp_path: Path) -> None:
    text = tmp_path / "demo.jsonl"
    assert jiaohao(redis, "export", "--hall", "demo", "--out", text).exit_code == 0
    lines = text.read_bytes().splitlines(keepends=True)
    text.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b'at_ms\\":1', b'at_ms\\":2'))
    said = jiaohao(redis, "restore", text, "--hall", "demo", db=3)
    assert (said.exit_code, "damaged" in said.stderr) == (1, True)
    with redis.client(3) as client:
        assert client.keys("*") == []


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["status", "--hall", "elsewhere"], "有：demo", "there are demo"),
        (["export", "--hall", "elsewhere"], "有：demo", "there are demo"),
        (["restore", "{tmp}/other", "--hall", "new"], "账本损坏", "of demo, not of new"),
    ],
)
def test_what_cannot_be_is_said_in_the_readers_language(
    redis: RedisServer, tmp_path: Path, words: list[str], zh: str, en: str
) -> None:
    jiaohao(redis, "export", "--hall", "demo", "--out", tmp_path / "other")
    for lang, sentence in (("zh", zh), ("en", en)):
        said = jiaohao(redis, *(word.format(tmp=tmp_path) for word in words), lang=lang)
        assert said.exit_code in (1, 2)
        assert sentence in said.stderr


def test_an_empty_redis_and_a_bad_address_are_told(redis: RedisServer) -> None:
    assert "no ledger in" in jiaohao(redis, "status", db=5).stderr
    said = CliRunner().invoke(main, ["--lang", "zh", "ledger", "status", "--ledger", "redis://a:b/0"])
    assert (said.exit_code, "Redis 地址不正确" in said.stderr) == (2, True)
