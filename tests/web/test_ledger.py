"""What an auditor gets over HTTP proves itself: every hash, and the hash of the state, can be computed again."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.years import Years
from server.domain.terms import HallId
from server.hall import Hall
from server.ledger.base import GENESIS
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger
from tests.ledger.test_golden import GOLDEN
from tests.web.stage import HALL, OTHER, PLAN, Client, Stage


def busy(stage: Stage) -> Client:
    """Give an auditor of a hall in which something happened."""
    clerk = stage.anybody("clerk")
    clerk.post(f"/halls/{HALL}/windows/1/open", {})
    for number in range(12):
        stage.issue()
        if number % 3 == 0:
            assert clerk.post(f"/halls/{HALL}/windows/1/call-next", {"finish": True}).status_code == 200
    return stage.person("auditor")


def got(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def tail(client: Client, hall: HallId = HALL) -> list[dict[str, Any]]:
    """Read the ledger page by page, as a replica does."""
    rows: list[dict[str, Any]] = []
    while page := got(client, f"/halls/{hall}/commits?after={len(rows)}&limit=7")["commits"]:
        rows += page
    return rows


def check(rows: Sequence[dict[str, Any]]) -> None:
    """Do what an auditor does who has nothing but the answers."""
    head = GENESIS
    for number, row in enumerate(rows, 1):
        assert row["prev_hash"] == head
        assert hashlib.sha256((row["prev_hash"] + row["body"]).encode()).hexdigest() == row["hash"]
        told = json.loads(row["body"])
        assert told["seq"] == row["seq"] == number
        assert {name: told[name] for name in ("hall", "at_ms", "day", "key")} == {
            name: row[name] for name in ("hall", "at_ms", "day", "key")
        }
        assert [name for name, _ in told["events"]] == [name for name, _ in row["events"]]
        head = row["hash"]


def test_every_hash_can_be_computed_again_from_what_the_api_gives(stage: Stage) -> None:
    rows = tail(busy(stage))
    assert len(rows) == stage.hall.seq
    check(rows)


def test_a_commit_that_was_changed_on_the_way_is_seen(stage: Stage) -> None:
    """The test above can fail."""
    rows = tail(busy(stage))
    rows[5]["body"] = rows[5]["body"].replace('"general"', '"tax"')
    with pytest.raises(AssertionError):
        check(rows)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_an_older_version_wrote_is_told_byte_for_byte(stage: Stage, version: str) -> None:
    """This version would write it otherwise: newer fields have come since."""
    lines = (GOLDEN / f"{version}.jsonl").read_text(encoding="utf-8").splitlines()
    ledger = MemoryLedger()
    ledger._rows = [(body.encode(), prev_hash, hash_) for prev_hash, hash_, body in map(json.loads, lines)]
    hall = HallId(json.loads(json.loads(lines[0])[2])["hall"])
    stage.site.halls[hall] = Hall(hall, ledger, clock=lambda: 0)  # type: ignore[index]  # a test's own
    rows = tail(stage.device("integration-all"), hall)
    check(rows)
    assert [row["body"] for row in rows] == [json.loads(line)[2] for line in lines]


def test_the_hash_of_the_state_is_that_of_a_replay(stage: Stage) -> None:
    auditor = busy(stage)
    told = got(auditor, f"/halls/{HALL}/ledger")
    again = Hall(HALL, stage.hall._ledger, clock=lambda: 0).freeze()
    assert told == {
        "hall": HALL,
        "seq": again.seq,
        "head": tail(auditor)[-1]["hash"],
        "business_day": "2026-03-02",
        "state_hash": again.state_hash,
    }
    stage.issue("tax")
    later = got(auditor, f"/halls/{HALL}/ledger")
    assert (later["seq"], later["state_hash"] == told["state_hash"]) == (told["seq"] + 1, False)


@pytest.fixture
def past(stage: Stage, tmp_path: Path) -> Iterator[Path]:
    """Give the folder of archives of the hall, whose January has left its file."""
    years = Years(replace(PLAN, hall=OTHER), visits=1, first=date(2026, 1, 20))
    path = tmp_path / f"{OTHER}.sqlite"
    years.write(path, years.commits(20))
    ledger = SqliteLedger(path)
    assert list(ledger.archive("2026-02-01"))
    stage.site.halls[OTHER] = Hall(OTHER, ledger, clock=lambda: 0)  # type: ignore[index]  # a test's own
    yield tmp_path / "archive" / f"{OTHER}.2026-01.sqlite"
    ledger.close()


def test_a_month_that_left_is_told_like_any_other(stage: Stage, past: Path) -> None:
    rows = tail(stage.device("integration-all"), OTHER)
    assert len(rows) == stage.site.halls[OTHER].seq
    check(rows)


def test_a_missing_archive_is_said_to_whoever_asks_for_it_and_to_nobody_else(stage: Stage, past: Path) -> None:
    client, seq = stage.device("integration-all"), stage.site.halls[OTHER].seq
    past.rename(past.with_suffix(".away"))
    for language, word in (("zh", "归档文件"), ("en", "archive")):
        answer = client.get(f"/halls/{OTHER}/commits?after=3", Accept_Language=language)
        assert (answer.status_code, answer.json["code"]) == (503, "archive_missing")  # type: ignore[index]
        assert word in answer.json["detail"]  # type: ignore[index]
    assert got(client, f"/halls/{OTHER}/commits?after={seq - 2}")["seq"] == seq
    past.with_suffix(".away").rename(past)
    assert got(client, f"/halls/{OTHER}/commits?after=3")["commits"]


def test_a_damaged_archive_is_never_shown(stage: Stage, past: Path) -> None:
    past.chmod(0o640)
    body = past.read_bytes()
    past.write_bytes(body.replace(b"clerk-1", b"clerk-9"))
    answer = stage.device("integration-all").get(f"/halls/{OTHER}/commits?after=0&limit=500")
    assert (answer.status_code, answer.json["code"]) == (503, "ledger_damaged")  # type: ignore[index]
