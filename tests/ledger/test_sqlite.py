"""The SQLite ledger against the world: damaged files, full disks, a second process, a file it may not write."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken, LedgerDoubtful, LedgerDown
from server.ledger.files import verify
from server.ledger.sqlite import SqliteLedger, engine
from tests.ledger.commits import chain_of
from tests.patience import PATIENCE_S

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    modes = [ledger._db.execute(f"PRAGMA {it}").fetchone()[0] for it in ("journal_mode", "synchronous")]
    assert modes == ["wal", 2]
    assert sqlite3.sqlite_version in engine()
    ledger.close()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    commits = chain_of(30, keys=["k1"])
    for start in range(0, 30, 10):
        ledger = SqliteLedger(tmp_path / "hall.sqlite")
        ledger.append(commits[start : start + 10])
        ledger.close()
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    assert list(ledger.read()) == commits
    ledger.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hall.sqlite"
    ledger = SqliteLedger(path)
    ledger.append(chain_of(1))
    code = (
        "import sys\nfrom pathlib import Path\nfrom server.ledger import sqlite\n"
        "from server.ledger.base import LedgerDown\n"
        "sqlite.WAIT_FOR_OTHER_S = 0.1\n"
        "try: sqlite.SqliteLedger(Path(sys.argv[1]))\n"
        "except LedgerDown as error: print('refused', error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert said.stdout.startswith("refused")
    assert str(path) in said.stdout
    ledger.append(chain_of(1, chain_of(1)[0]))
    ledger.close()


def test_a_closed_ledger_is_down_and_not_broken(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    ledger.close()
    with pytest.raises(LedgerDown):
        ledger.append(chain_of(1))
    with pytest.raises(LedgerDown):
        list(ledger.read())


def test_a_commit_is_never_changed_or_deleted_by_sql(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    ledger.append(chain_of(2))
    for sql in ("UPDATE commits SET day = 'x'", "DELETE FROM commits WHERE seq = 2"):
        with pytest.raises(sqlite3.IntegrityError):
            ledger._db.execute(sql)
    ledger.close()


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hall.sqlite"
    path.write_bytes(b"This is a text and no database." * 50)
    with pytest.raises(LedgerBroken):
        SqliteLedger(path)
    with pytest.raises(LedgerDown):
        SqliteLedger(tmp_path)
    with pytest.raises(LedgerDown):
        SqliteLedger(tmp_path / "no" / "such" / "folder.sqlite")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE commits SET body = CAST(replace(CAST(body AS TEXT), 'clerk-7', 'clerk-8') AS BLOB) WHERE seq = 3",
        "DELETE FROM commits WHERE seq = 3",
        "DELETE FROM commits WHERE seq = 1",
        "UPDATE commits SET seq = 100 - seq",
        "UPDATE commits SET seq = seq + 100",
        "UPDATE commits SET hash = prev_hash WHERE seq = 3",
        "UPDATE commits SET prev_hash = hash WHERE seq = 3",
    ],
)
def test_what_somebody_changed_with_sql_is_found(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "hall.sqlite"
    ledger = SqliteLedger(path)
    ledger.append(chain_of(5))
    ledger.close()
    vandal = sqlite3.connect(path)
    vandal.executescript(f"DROP TRIGGER commits_are_final; DROP TRIGGER commits_stay; {sql};")
    vandal.close()
    with pytest.raises(LedgerBroken):
        SqliteLedger(path)
    assert not verify(path, rules=False).good


def damage(path: Path, dice: random.Random) -> None:
    """Flip a bit, zero a page, or cut the file."""
    body = bytearray(path.read_bytes())
    match dice.choice(["flip", "flip", "flip", "zero", "cut"]):
        case "flip":
            body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        case "zero":
            page = 4096 * dice.randrange(len(body) // 4096)
            body[page : page + 4096] = bytes(4096)
        case _:
            del body[dice.randrange(1, len(body)) :]
    path.write_bytes(body)


@pytest.mark.parametrize("files", [100, pytest.param(300, marks=pytest.mark.faults)])
def test_damaged_files_are_found_or_harmless_and_never_served(tmp_path: Path, files: int) -> None:
    whole = tmp_path / "whole.sqlite"
    commits = chain_of(200, keys=[f"key-{number}" for number in range(100)])
    ledger = SqliteLedger(whole)
    ledger.append(commits)
    ledger.close()
    found = 0
    for number in range(files):
        path = tmp_path / str(number) / "test.sqlite"
        path.parent.mkdir()
        shutil.copy(whole, path)
        damage(path, random.Random(number))
        served: list[Commit] = []
        good = verify(path, rules=False).good
        try:
            ledger = SqliteLedger(path)
            try:
                served = list(ledger.read())
            finally:
                ledger.close()
        except (LedgerBroken, LedgerDown):
            found += 1
            assert not good, f"seed {number} was verified"
        else:
            assert served == commits, f"seed {number} served a damaged ledger"
    assert found >= files * 7 // 10  # the others hit bytes that mean nothing: space that no row uses


WRITE_AND_DIE = """
import os, sys
from pathlib import Path
from server.ledger.sqlite import SqliteLedger
from tests.ledger.commits import chain_of
ledger = SqliteLedger(Path(sys.argv[1]))
for commit in chain_of(int(sys.argv[2])):
    ledger.append([commit])
os._exit(0)
"""


def killed(path: Path, commits: int) -> list[Commit]:
    """Let a process write commits and die, so that the write-ahead file stays beside the ledger; give them."""
    subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path), str(commits)], check=True, timeout=PATIENCE_S)
    return chain_of(commits)


@pytest.mark.parametrize("files", [40, pytest.param(300, marks=pytest.mark.faults)])
def test_a_damaged_write_ahead_file_is_found_and_never_served(tmp_path: Path, files: int) -> None:
    """SQLite itself leaves out the damaged write and all behind it, and says nothing."""
    whole = tmp_path / "whole"
    whole.mkdir()
    commits = killed(whole / "test.sqlite", 60)
    for number in range(files):
        folder = tmp_path / str(number)
        shutil.copytree(whole, folder)
        damage(folder / "test.sqlite-wal", random.Random(number))
        with pytest.raises(LedgerBroken, match="write-ahead"):
            SqliteLedger(folder / "test.sqlite")
        assert not verify(folder / "test.sqlite", rules=False).good
    ledger = SqliteLedger(whole / "test.sqlite")
    assert list(ledger.read()) == commits
    ledger.close()


def test_the_word_beside_the_ledger_is_what_finds_them(tmp_path: Path) -> None:
    """Without it the beginning that is left would be served, and numbers given again: the test above can fail."""
    path = tmp_path / "test.sqlite"
    commits = killed(path, 60)
    damage(path.with_name("test.sqlite-wal"), random.Random(1))
    path.with_name("test.sqlite-lock").write_bytes(b"")
    ledger = SqliteLedger(path)
    left = list(ledger.read())
    ledger.close()
    assert len(left) < len(commits)
    assert left == commits[: len(left)]


def test_a_ledger_that_is_begun_anew_owes_nothing_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "test.sqlite"
    killed(path, 9)
    for one in (path, path.with_name("test.sqlite-wal"), path.with_name("test.sqlite-shm")):
        one.unlink()
    for more in ([], chain_of(2)):
        ledger = SqliteLedger(path)
        ledger.append(more)
        ledger.close()


def test_the_hash_chain_is_what_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the chain a damaged file is served: the test above can fail."""
    monkeypatch.setattr(codec, "chain", lambda prev_hash, body: GENESIS)
    path = tmp_path / "hall.sqlite"
    ledger = SqliteLedger(path)
    commits = chain_of(5)
    ledger.append([*commits])
    ledger.close()
    path.write_bytes(path.read_bytes().replace(b"clerk-7", b"clerk-8"))
    ledger = SqliteLedger(path)
    assert list(ledger.read()) != commits
    ledger.close()


@pytest.mark.skipif(ROOT, reason="root may write everything")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerDown):
        SqliteLedger(tmp_path / "hall.sqlite")


def test_a_full_disk_refuses_whole_commits_and_recovers_when_there_is_space(small_disk: Path) -> None:
    ledger = SqliteLedger(small_disk / "hall.sqlite")
    written: list[Commit] = []

    def fill() -> None:
        for _ in range(1000):
            more = chain_of(3, written[-1] if written else None)
            ledger.append(more)
            written.extend(more)

    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(64 * 1024))
    with pytest.raises(LedgerDown):
        fill()
    assert written
    for _ in range(3):
        with pytest.raises(LedgerDown):
            ledger.append(chain_of(3, written[-1]))
        assert list(ledger.read()) == written
    ballast.unlink()
    more = chain_of(3, written[-1])
    ledger.append(more)
    written.extend(more)
    ledger.close()
    ledger = SqliteLedger(small_disk / "hall.sqlite")
    assert list(ledger.read()) == written
    ledger.close()


def test_a_disk_that_may_not_be_written_is_told(small_disk: Path) -> None:
    ledger = SqliteLedger(small_disk / "hall.sqlite")
    ledger.append(chain_of(1))
    ledger.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for name in ("hall.sqlite", "other.sqlite"):
        with pytest.raises(LedgerDown):
            SqliteLedger(small_disk / name)


class FailingDisk:
    """A connection whose COMMIT fails as a failed fsync does."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.in_transaction = False

    def execute(self, sql: str) -> sqlite3.Cursor:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._real.execute(sql)

    def executemany(self, sql: str, rows: list[tuple[int | str | bytes | None, ...]]) -> sqlite3.Cursor:
        return self._real.executemany(sql, rows)


@pytest.mark.parametrize(
    ("code", "raised"), [(sqlite3.SQLITE_IOERR_READ, LedgerDown), (sqlite3.SQLITE_CORRUPT, LedgerBroken)]
)
def test_a_read_that_fails_is_told_from_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    commits = chain_of(2)
    ledger.append(commits)

    def execute(*_: object) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("it cannot be read")
        error.sqlite_errorcode = code
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "_db", SimpleNamespace(execute=execute))
        with pytest.raises(raised, match="it cannot be read"):
            list(ledger.read())
    assert list(ledger.read()) == commits
    ledger.close()


def test_after_a_failed_fsync_nothing_is_promised_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SqliteLedger(tmp_path / "hall.sqlite")
    commits = chain_of(3)
    ledger.append(commits[:1])
    real = ledger._db
    monkeypatch.setattr(ledger, "_db", FailingDisk(real))
    with pytest.raises(LedgerDoubtful):
        ledger.append(commits[1:2])
    monkeypatch.setattr(ledger, "_db", real)  # the disk works again: too late, a page may be lost in the kernel
    with pytest.raises(LedgerDoubtful):
        ledger.append(commits[1:2])
    ledger.close()
