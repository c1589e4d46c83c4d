"""Ledger files from outside: backup while the hall works, export and import, restore without losing anything."""

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from server.ledger import files
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDown
from server.ledger.sqlite import SqliteLedger
from tests.ledger.commits import chain_of

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HALL = "test"


@pytest.fixture
def commits() -> list[Commit]:
    return chain_of(1200)


@pytest.fixture
def ledger(tmp_path: Path, commits: list[Commit]) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / f"{commits[0].hall}.sqlite")
    ledger.append(commits)
    yield ledger
    ledger.close()


def only(folder: Path) -> Path:
    (path,) = files.ledgers(folder).values()
    return path


def test_everything_can_be_read_while_the_ledger_is_written(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]
) -> None:
    assert list(files.commits(only(tmp_path))) == commits
    assert list(files.commits(only(tmp_path), after=1190)) == commits[1190:]
    at_a_glance = files.status(only(tmp_path))
    assert (at_a_glance.commits, at_a_glance.head, at_a_glance.last_ms) == (1200, commits[-1].hash, commits[-1].at_ms)
    ledger.append(chain_of(1, commits[-1]))
    assert files.status(only(tmp_path)).commits == 1201


def test_a_backup_taken_while_commits_come_in_is_a_whole_beginning_of_the_ledger(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]
) -> None:
    written, enough = [commits[-1]], Event()

    def write() -> None:
        while not enough.is_set():
            written.append(chain_of(1, written[-1])[0])
            ledger.append([written[-1]])

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            while len(written) < number * 20 + 2:
                pass
            verdict = files.backup(only(tmp_path), tmp_path / f"copy-{number}.bak")
            assert verdict.good
            assert verdict.commits >= 1200
    finally:
        enough.set()
        writer.join()
    everything = [*commits, *written[1:]]
    for number in range(5):
        copied = list(files.commits(tmp_path / f"copy-{number}.bak"))
        assert copied == everything[: len(copied)]
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.usefixtures("ledger")
def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    to = tmp_path / "copy.bak"
    to.write_text("mine")
    with pytest.raises(FileExistsError):
        files.backup(only(tmp_path), to)
    assert to.read_text() == "mine"


@pytest.mark.usefixtures("ledger")
def test_an_export_proves_itself_and_comes_back(tmp_path: Path, commits: list[Commit]) -> None:
    text = io.BytesIO()
    assert files.export(only(tmp_path), text) == 1200
    lines = text.getvalue().splitlines()
    assert json.loads(lines[0])["prev_hash"] == GENESIS
    assert [commit for commit, _ in files.imported(lines)] == commits


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("spoil", ["forged", "missing", "swapped", "no-json", "no-body"])
def test_a_spoiled_export_is_refused(tmp_path: Path, spoil: str) -> None:
    text = io.BytesIO()
    files.export(only(tmp_path), text)
    lines = text.getvalue().splitlines()
    match spoil:
        case "forged":
            lines[5] = lines[5].replace(b"clerk", b"klerk")
        case "missing":
            del lines[5]
        case "swapped":
            lines[5], lines[6] = lines[6], lines[5]
        case "no-json":
            lines[5] = b"{"
        case _:
            lines[5] = b'{"seq": 6}'
    with pytest.raises(LedgerBroken):
        list(files.imported(lines))


@pytest.mark.parametrize("source", ["backup", "export"])
def test_a_ledger_comes_back_and_the_one_that_was_there_is_kept(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit], source: str
) -> None:
    path, saved = only(tmp_path), tmp_path / "saved"
    if source == "backup":
        files.backup(path, saved)
    else:
        with saved.open("wb") as to:
            files.export(path, to)
    more = chain_of(3, commits[-1])
    ledger.append(more)
    with pytest.raises(LedgerDown, match="another process"):
        files.restore(saved, path)
    ledger.close()
    aside = files.restore(saved, path, now=NOON)
    assert aside is not None
    assert aside.name == f"{path.stem}.replaced-20260302T040000Z"
    assert list(files.commits(path)) == commits
    assert list(files.commits(aside)) == [*commits, *more]
    assert files.ledgers(tmp_path) == {path.stem: path}
    again = SqliteLedger(path)
    again.append(chain_of(1, commits[-1]))
    again.close()


def test_a_ledger_that_lost_its_end_goes_on_with_what_is_left_when_it_is_told_so(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]
) -> None:
    path = only(tmp_path)
    ledger.append(chain_of(3, commits[-1]))
    ledger.close()
    with closing(sqlite3.connect(path)) as vandal:
        vandal.executescript(f"DROP TRIGGER commits_stay; DELETE FROM commits WHERE seq > {len(commits)};")
    with pytest.raises(LedgerBroken):
        SqliteLedger(path)
    files.restore(path, path, now=NOON)
    again = SqliteLedger(path)
    assert list(again.read()) == commits
    again.close()


def tail(path: Path, to: Path, after: int) -> Path:
    """Write what came after a commit."""
    with to.open("wb") as file:
        files.export(path, file, after)
    return to


def test_a_backup_and_what_came_after_it_are_the_whole_ledger(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]
) -> None:
    path, saved = only(tmp_path), tmp_path / "saved"
    files.backup(path, saved)
    more = chain_of(30, commits[-1])
    ledger.append(more[:10])
    first = tail(path, tmp_path / "first.jsonl", len(commits))
    ledger.append(more[10:])
    second = tail(path, tmp_path / "second.jsonl", len(commits) + 4)  # some of it again
    ledger.close()
    files.restore(saved, path, first, second, now=NOON)
    assert list(files.commits(path)) == [*commits, *more]


@pytest.mark.parametrize("wrong", ["a gap", "another history"])
def test_what_does_not_follow_a_backup_replaces_nothing(
    tmp_path: Path, ledger: SqliteLedger, commits: list[Commit], wrong: str
) -> None:
    path, saved, other = only(tmp_path), tmp_path / "saved", tmp_path / "other.sqlite"
    files.backup(path, saved)
    if wrong == "a gap":
        ledger.append(chain_of(9, commits[-1]))
        late = tail(path, tmp_path / "late.jsonl", len(commits) + 1)
    else:
        elsewhere = SqliteLedger(other)
        elsewhere.append([*commits[:-1], *chain_of(9, commits[-2], note="乙")])
        elsewhere.close()
        late = tail(other, tmp_path / "late.jsonl", len(commits) - 5)
    ledger.close()
    before = list(files.commits(path))
    with pytest.raises(LedgerBroken, match=r"late\.jsonl"):
        files.restore(saved, path, late)
    assert list(files.commits(path)) == before


def test_a_damaged_backup_replaces_nothing(tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]) -> None:
    path, saved = only(tmp_path), tmp_path / "saved"
    files.backup(path, saved)
    vandal = sqlite3.connect(saved)
    vandal.executescript("DROP TRIGGER commits_stay; DELETE FROM commits WHERE seq = 700;")
    vandal.close()
    ledger.close()
    with pytest.raises(LedgerBroken):
        files.restore(saved, path)
    assert list(files.commits(path)) == commits
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.usefixtures("ledger")
def test_the_ledger_of_another_hall_is_refused(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    files.backup(only(tmp_path), saved)
    with pytest.raises(LedgerBroken, match="not of somewhere"):
        files.restore(saved, tmp_path / "somewhere.sqlite")
    assert not (tmp_path / "somewhere.sqlite").exists()


def test_verification_says_what_is_wrong(tmp_path: Path, ledger: SqliteLedger, commits: list[Commit]) -> None:
    path = only(tmp_path)
    whole = files.verify(path, rules=False)
    assert (whole.good, whole.commits, whole.head) == (True, 1200, commits[-1].hash)
    ledger.close()
    vandal = sqlite3.connect(path)
    vandal.executescript("DROP TRIGGER commits_are_final; UPDATE commits SET hash = prev_hash WHERE seq = 9;")
    vandal.close()
    verdict = files.verify(path)
    assert not verdict.good
    assert verdict.commits == 8
    path.write_bytes(b"no ledger at all " * 100)
    assert not files.verify(path).good
    assert not files.verify(tmp_path / "missing.sqlite").good


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_ledger_of_an_older_version_is_verified_and_copied_byte_for_byte(tmp_path: Path, version: str) -> None:
    golden = Path(__file__).parent / "golden" / f"{version}.jsonl"
    rows = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    hall = json.loads(rows[0][2])["hall"]
    lines = [json.dumps({"prev_hash": prev, "hash": hash_, "body": body}) for prev, hash_, body in rows]
    (tmp_path / "old.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = tmp_path / f"{hall}.sqlite"
    files.restore(tmp_path / "old.jsonl", path)
    verdict = files.verify(path)
    assert verdict.good, verdict
    files.backup(path, tmp_path / "copy")
    for copy in (path, tmp_path / "copy"):
        text = io.BytesIO()
        files.export(copy, text)
        assert [json.loads(line)["body"] for line in text.getvalue().splitlines()] == [body for _, _, body in rows]
