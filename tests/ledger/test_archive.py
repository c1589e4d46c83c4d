"""Months leave the hall's file without anybody noticing, and nothing is lost or doubled wherever the power goes."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from benchmarks.years import Years
from server.domain import events as e
from server.hall import Hall
from server.ledger import archive as archives
from server.ledger import codec, files, table
from server.ledger import snapshot as snapshots
from server.ledger import sqlite as sqlite_ledger
from server.ledger.base import Commit, DiskFull, LedgerBroken, LedgerDoubtful, LedgerDown
from server.ledger.snapshot import Picture
from server.ledger.sqlite import SqliteLedger
from server.upkeep import Upkeep
from tests.domain.halls import PLAN
from tests.patience import PATIENCE_S

HALL = PLAN.hall
FIRST = date(2026, 1, 20)
DAYS = 80  # 20 January to 9 April
NOON = datetime(2026, 4, 9, 4, 0, tzinfo=UTC)
APRIL = "2026-04-01"
OLD_SCHEMA = """
CREATE TABLE commits (seq INTEGER PRIMARY KEY, day TEXT NOT NULL, key TEXT, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX commits_by_key ON commits (day, key) WHERE key IS NOT NULL;
CREATE INDEX commits_by_day ON commits (day);
CREATE TRIGGER commits_are_final BEFORE UPDATE ON commits BEGIN SELECT RAISE(ABORT, 'commits are never changed'); END;
CREATE TRIGGER commits_stay BEFORE DELETE ON commits BEGIN SELECT RAISE(ABORT, 'commits are never deleted'); END;
"""


@pytest.fixture(scope="module")
def years() -> Years:
    return Years(PLAN, visits=2, first=FIRST)


@pytest.fixture(scope="module")
def original(years: Years, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a ledger of eighty days in one file."""
    path = tmp_path_factory.mktemp("original") / f"{HALL}.sqlite"
    years.write(path, years.commits(DAYS))
    return path


@pytest.fixture(scope="module")
def commits(original: Path) -> list[Commit]:
    return list(files.commits(original))


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    """Give a copy of it."""
    return Path(shutil.copy(original, tmp_path / original.name))


@pytest.fixture
def archived(path: Path) -> Path:
    """Give a copy whose months have left."""
    move_out(path)
    return path


def move_out(path: Path, before: str = APRIL) -> int:
    """Let months leave; give how many steps that took."""
    ledger = SqliteLedger(path)
    try:
        return sum(1 for _ in ledger.archive(before))
    finally:
        ledger.close()


def read_from(path: Path, after: int = 0) -> list[Commit]:
    ledger = SqliteLedger(path)
    try:
        return list(ledger.read(after))
    finally:
        ledger.close()


def in_file(path: Path) -> list[int]:
    """Give the seqs of the commits in one file."""
    with table.reading(path) as db:
        return [seq for (seq,) in db.execute("SELECT seq FROM commits ORDER BY seq")]


def places(path: Path) -> dict[str, Path]:
    """Give the archives' files by month."""
    return {it.name.split(".")[1]: it for it in sorted((path.parent / "archive").iterdir())}


def image(path: Path, to: Path) -> Path:
    """Give what a power cut would leave now: every file as it is, the write-ahead file too."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(path.parent, to)
    return to / path.name


def forged(path: Path, sql: str) -> None:
    """Do what no program does."""
    path.chmod(0o640)
    vandal = sqlite3.connect(path)
    vandal.executescript(sql)
    vandal.close()


def test_months_that_are_over_leave_and_everything_is_read_as_before(path: Path, commits: list[Commit]) -> None:
    ledger = SqliteLedger(path)
    before = path.stat().st_size
    for _ in ledger.archive(APRIL):
        assert list(ledger.read(after=300, limit=7)) == commits[300:307]
        assert [it.seq for it in islice(files.commits(path, 250), 100)] == list(range(251, 351))
    assert [it.month for it in ledger.archives] == ["2026-01", "2026-02", "2026-03"]
    for after in (0, 1, *(it.last + step for it in ledger.archives for step in (-1, 0, 1)), len(commits) - 1):
        assert list(ledger.read(after)) == commits[after:], after
        assert list(ledger.read(after, 600)) == commits[after : after + 600], after
        assert list(files.commits(path, after)) == commits[after:], after
    ledger.close()
    kept = in_file(path)
    opened = next(it for it in commits if e.DayOpened(day=APRIL) in it.events)
    assert kept == list(range(opened.seq, len(commits) + 1))  # what opened the month stays with it
    parts = [in_file(place) for place in places(path).values()]
    assert [*(seq for part in parts for seq in part), *kept] == list(range(1, len(commits) + 1))
    assert path.stat().st_size < before / 3
    assert not any(os.access(place, os.W_OK) for place in places(path).values()) or os.geteuid() == 0


def test_nothing_leaves_twice_or_too_early(path: Path, commits: list[Commit]) -> None:
    assert move_out(path, "2026-02-01") > 0
    assert list(places(path)) == ["2026-01"]
    assert move_out(path, "2026-02-28") == 0
    assert move_out(path, APRIL) > 0
    assert list(places(path)) == ["2026-01", "2026-02", "2026-03"]
    assert move_out(path, APRIL) == 0
    assert read_from(path) == commits


def test_a_month_leaves_as_soon_as_the_next_has_begun(years: Years, commits: list[Commit], tmp_path: Path) -> None:
    """On the first day nothing has happened yet: the commit that opened it still bears the name of the day before."""
    opened = next(it for it in commits if e.DayOpened(day=APRIL) in it.events)
    path = tmp_path / f"{HALL}.sqlite"
    years.write(path, opened.seq)
    ledger = SqliteLedger(path)
    hall = Hall(HALL, ledger, clock=lambda: 0)
    assert (hall.base.day, hall.base.seq) == (APRIL, opened.seq)
    Upkeep(hall, snapshots.beside(path), ledger=ledger).step()
    assert [it.month for it in ledger.archives] == ["2026-01", "2026-02", "2026-03"]
    assert in_file(path) == [opened.seq]
    ledger.append(commits[opened.seq :])
    assert list(ledger.read()) == commits
    assert Hall(HALL, ledger, clock=lambda: 0, start=snapshots.load(snapshots.beside(path), HALL)).base.day > APRIL
    ledger.close()
    assert read_from(path) == commits
    assert files.verify(path).good
    assert files.status(path).days == DAYS


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.faults)])
def test_a_power_cut_between_any_two_steps_loses_and_doubles_nothing(
    path: Path, commits: list[Commit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    monkeypatch.setattr(archives, "STEP", 100)
    monkeypatch.setattr(sqlite_ledger, "LEAVING", 60)
    ledger = SqliteLedger(path)
    images = 0
    for number, _ in enumerate(ledger.archive("2026-03-01")):
        if number % stride:
            continue
        left = image(path, tmp_path / "image")
        images += 1
        assert read_from(left) == commits
        with monkeypatch.context() as quick:
            quick.setattr(archives, "STEP", 1000)
            quick.setattr(sqlite_ledger, "LEAVING", 1000)
            move_out(left, "2026-03-01")
        assert files.verify(left, rules=False).good
        assert read_from(left) == commits
        assert list(places(left)) == ["2026-01", "2026-02"]  # and no half one
    ledger.close()
    assert images > 4


def test_an_archiver_that_deletes_first_is_found_out(
    path: Path, commits: list[Commit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: here the rows go before the copy is made."""
    monkeypatch.setattr(SqliteLedger, "_copied", lambda self, month: iter([month]))
    monkeypatch.setattr(archives, "prove", lambda *_: iter([0]))
    ledger = SqliteLedger(path)
    for _ in ledger.archive(APRIL):
        left = image(path, tmp_path / "image")
        try:
            whole = read_from(left) == commits
        except (LedgerBroken, LedgerDown):
            whole = False
        if not whole:
            break
    else:
        raise AssertionError("nobody noticed")
    ledger.close()


def test_a_killed_archiver_is_finished_by_the_next(path: Path, commits: list[Commit]) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom server.ledger import archive\n"
        "from server.ledger import sqlite\nfrom server.ledger.sqlite import SqliteLedger\n"
        "archive.STEP = sqlite.LEAVING = 20\n"
        "for step in SqliteLedger(Path(sys.argv[1])).archive(sys.argv[2]): print('step', flush=True)\n"
    )
    dice = random.Random(3)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path), APRIL], stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdout is not None
            for _ in islice(worker.stdout, dice.randrange(1, 30)):
                pass
            worker.kill()
            worker.wait(PATIENCE_S)
        assert list(files.commits(path)) == commits
    move_out(path)
    assert read_from(path) == commits
    assert list(places(path)) == ["2026-01", "2026-02", "2026-03"]


def test_only_what_is_archived_may_be_deleted(path: Path) -> None:
    ledger = SqliteLedger(path)
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        ledger._db.execute("DELETE FROM commits WHERE seq = 1")
    steps = ledger.archive(APRIL)
    while not ledger.archives:
        next(steps)
    end = ledger.archives[0].last
    for sql, words in (
        (f"DELETE FROM commits WHERE seq = {end + 1}", "commits are never deleted"),
        ("DELETE FROM archives", "archives are never deleted"),
        ("UPDATE archives SET last = 10000", "archives are never changed"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=words):
            ledger._db.execute(sql)
    lie = replace(ledger.archives[0], month="2026-02", first=end + 1, last=end + 5, hash="f" * 64)
    for wrong in (lie, replace(ledger.archives[0], month="2026-02")):
        with pytest.raises(sqlite3.IntegrityError, match="an archive follows"):
            archives.note(ledger._db, wrong)
    ledger._db.execute(f"DELETE FROM commits WHERE seq = {end}")
    ledger.close()


def test_rows_stay_while_their_archive_is_not_whole(path: Path, commits: list[Commit]) -> None:
    ledger = SqliteLedger(path)
    steps = ledger.archive(APRIL)
    while not ledger.archives:
        next(steps)
    ledger.close()
    place = places(path)["2026-01"]
    forged(place, "DROP TRIGGER commits_are_final; UPDATE commits SET body = x'7b7d' WHERE seq = 20;")
    for _ in range(2):
        with pytest.raises(LedgerBroken):
            move_out(path)
        assert read_from(path) == commits
    place.unlink()
    with pytest.raises(LedgerDown, match="put it back"):
        move_out(path)
    assert read_from(path) == commits


def test_an_archive_of_another_history_is_not_taken_for_ours(path: Path, commits: list[Commit]) -> None:
    (path.parent / "archive").mkdir()
    shutil.copy(path, path.parent / "archive" / f"{HALL}.2026-01.sqlite")
    with pytest.raises(LedgerBroken, match="not the archive"):
        move_out(path)
    assert read_from(path) == commits
    assert in_file(path) == list(range(1, len(commits) + 1))


def test_no_space_for_an_archive_leaves_everything_as_it_was(
    path: Path, commits: list[Commit], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096))
        with pytest.raises(DiskFull, match="MB must be free"):
            move_out(path)
    with monkeypatch.context() as patched:
        patched.setattr(archives, "STEP", 50)
        patched.setattr(archives, "sync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(LedgerDown, match="No space"):
            move_out(path)
    assert not list((path.parent / "archive").glob("*"))
    assert read_from(path) == commits


def test_an_archive_that_is_missing_is_told_and_harms_only_who_needs_it(
    archived: Path, commits: list[Commit], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture()
    opened = next(it.seq for it in commits if e.DayOpened(day=APRIL) in it.events)
    for commit in commits[:opened]:
        picture.apply(commit)
    start = picture.freeze()
    away = places(archived)["2026-02"].rename(archived.parent / "elsewhere")
    ledger = SqliteLedger(archived)
    assert f"{HALL}.2026-02.sqlite is missing: put it back" in caplog.text
    hall = Hall(HALL, ledger, clock=lambda: 0, start=start)
    assert hall.replayed == len(commits) - opened
    assert hall.commits(opened, 10_000) == commits[opened:]
    january = ledger.archives[0].last
    assert list(ledger.read(0, january)) == commits[:january]
    with pytest.raises(LedgerDown, match="put it back"):
        list(ledger.read(january + 3, 1))
    with pytest.raises(LedgerDown, match="put it back"):
        Hall(HALL, ledger, clock=lambda: 0)  # a replay from the beginning needs all of it
    ledger.close()
    assert "put it back" in files.verify(archived).broken
    assert len(files.status(archived).missing) == 1
    assert files.status(archived).commits == len(commits)
    away.rename(places(archived)["2026-01"].with_name(f"{HALL}.2026-02.sqlite"))
    assert files.verify(archived).good
    assert read_from(archived) == commits


def test_a_swapped_archive_is_told(archived: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = places(archived)
    found["2026-01"].rename(archived.parent / "x")
    found["2026-02"].rename(found["2026-01"])
    (archived.parent / "x").rename(found["2026-02"])
    SqliteLedger(archived).close()
    assert caplog.text.count("this is not the archive") == 2
    with pytest.raises(LedgerBroken):
        read_from(archived)
    assert not files.verify(archived).good


@pytest.mark.parametrize("rounds", [25, pytest.param(300, marks=pytest.mark.faults)])
def test_damaged_archives_are_found_or_harmless_and_never_served(
    archived: Path, commits: list[Commit], rounds: int
) -> None:
    place = places(archived)["2026-02"]
    whole = place.read_bytes()
    place.chmod(0o640)
    found = 0
    for number in range(rounds):
        dice = random.Random(number)
        body = bytearray(whole)
        if dice.random() < 0.3:
            page = 4096 * dice.randrange(len(body) // 4096)
            body[page : page + 4096] = bytes(4096)
        else:
            body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        place.write_bytes(body)
        good = files.verify(archived, rules=False).good
        try:
            served = read_from(archived)
        except (LedgerBroken, LedgerDown):
            found += 1
            assert not good, f"seed {number} was verified"
        else:
            assert served == commits, f"seed {number} served a damaged archive"
    assert found > rounds // 3


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE archives SET last = last + 1 WHERE month = '2026-03'",
        "UPDATE archives SET hash = prev_hash WHERE month = '2026-01'",
        "UPDATE archives SET last_day = '2026-03-30' WHERE month = '2026-03'",
        "DELETE FROM archives WHERE month = '2026-03'",
        "DELETE FROM archives WHERE month = '2026-01'",
        "DELETE FROM archives",
        "DELETE FROM commits WHERE seq = (SELECT min(seq) FROM commits)",
        "DELETE FROM commits",
        "DROP TABLE archives",
    ],
)
def test_what_somebody_did_to_the_notes_is_found_at_the_start(archived: Path, sql: str) -> None:
    triggers = "".join(
        f"DROP TRIGGER {name};" for name in ("commits_stay", "archives_follow", "archives_stay", "archives_are_final")
    )
    forged(archived, f"{triggers}{sql};")
    with pytest.raises(LedgerBroken):
        SqliteLedger(archived)
    assert not files.verify(archived).good


def test_appends_and_readers_go_on_while_months_leave(path: Path, years: Years, commits: list[Commit]) -> None:
    ledger = SqliteLedger(path)
    done = Event()
    more = [
        codec.decode(row.body, prev_hash=row.prev_hash, hash_=row.hash)
        for row in islice(years.rows(), len(commits), len(commits) + 400)
    ]

    def write() -> int:
        written = 0
        for commit in more:
            ledger.append([commit])
            written += 1
            if done.is_set():
                break
        return written

    def look() -> int:
        looked = 0
        while not done.is_set():
            after = (looked * 37) % len(commits)
            assert [it.seq for it in ledger.read(after, 60)][:20] == list(range(after + 1, len(commits) + 1))[:20]
            looked += 1
        return looked

    with ThreadPoolExecutor(2) as pool:
        writer, reader = pool.submit(write), pool.submit(look)
        for _ in ledger.archive(APRIL):
            pass
        done.set()
        written, looked = writer.result(PATIENCE_S), reader.result(PATIENCE_S)
    assert written > 0
    assert looked > 0
    assert list(ledger.read()) == [*commits, *more[:written]]
    ledger.close()


def test_a_backup_has_its_archives_beside_it_and_comes_back(
    archived: Path, commits: list[Commit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    verdict = files.backup(archived, usb / "first.sqlite")
    assert (verdict.good, verdict.commits, verdict.head) == (True, len(commits), commits[-1].hash)
    assert sorted(it.name for it in (usb / "archive").iterdir()) == [it.name for it in places(archived).values()]
    copied: list[str] = []
    real = shutil.copyfile

    def copyfile(source: Path, to: Path) -> None:
        copied.append(str(to))
        real(source, to)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    files.backup(archived, usb / "second.sqlite")
    assert copied == []  # what never changes is copied once
    assert list(files.commits(usb / "second.sqlite")) == commits

    shutil.rmtree(archived.parent / "archive")
    archived.write_bytes(b"x" * 5000)
    aside = files.restore(usb / "first.sqlite", archived, now=NOON)
    assert aside is not None
    assert read_from(archived) == commits
    move_out(archived)
    assert read_from(archived) == commits
    assert files.verify(archived).good

    aside = files.restore(usb / "second.sqlite", archived, now=NOON.replace(hour=5))
    names = [it.name for it in (archived.parent / "archive").iterdir()]
    assert sorted(names) == [f"{HALL}.2026-0{month}.replaced-20260409T050000Z" for month in (1, 2, 3)]
    assert read_from(archived) == commits


def test_a_backup_overwrites_no_other_archive_and_copies_no_damaged_one(archived: Path, tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    (usb / "archive").mkdir(parents=True)
    shutil.copy(places(archived)["2026-02"], usb / "archive" / f"{HALL}.2026-01.sqlite")
    with pytest.raises(FileExistsError, match="2026-01"):
        files.backup(archived, usb / "copy.sqlite")
    (usb / "archive" / f"{HALL}.2026-01.sqlite").unlink()
    last = "(SELECT max(seq) - 5 FROM commits)"
    forged(
        places(archived)["2026-03"],
        f"DROP TRIGGER commits_are_final; UPDATE commits SET body = x'00' WHERE seq = {last};",
    )
    with pytest.raises(LedgerBroken):
        files.backup(archived, usb / "copy.sqlite")
    assert not (usb / "copy.sqlite").exists()
    assert not list(usb.rglob("*.part"))


def test_the_archives_alone_give_a_hall_back_up_to_their_end(archived: Path, commits: list[Commit]) -> None:
    last = places(archived)["2026-03"]
    end = in_file(last)[-1]
    assert list(files.commits(last)) == commits[:end]
    archived.unlink()
    files.restore(last, archived, now=NOON)
    assert read_from(archived) == commits[:end]


def test_an_export_goes_through_the_archives(archived: Path, commits: list[Commit], tmp_path: Path) -> None:
    with (tmp_path / "all.jsonl").open("wb") as to:
        assert files.export(archived, to) == len(commits)
    with (tmp_path / "all.jsonl").open("rb") as lines:
        assert [commit for commit, _ in files.imported(lines)] == commits


def test_status_is_the_same_before_and_after(path: Path) -> None:
    before = files.status(path)
    move_out(path)
    after = files.status(path)
    names = ("hall", "commits", "days", "first_day", "last_day", "last_ms", "head")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert (before.archives, len(after.archives), after.missing) == ((), 3, ())


def test_verification_folds_from_the_beginning_and_judges_the_snapshot(
    archived: Path, commits: list[Commit], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Picture()
    for commit in commits:
        live.apply(commit)
    place = snapshots.beside(archived)
    snapshots.keep(place, HALL, live.freeze())
    verdict = files.verify(archived)
    assert verdict.good
    assert verdict.state_hash == live.freeze().state_hash
    label = files.status(archived).snapshot
    assert label is not None
    assert (label.seq, label.state_hash) == (len(commits), verdict.state_hash)

    live.state.numbers["A"] = 99
    snapshots.keep(place, HALL, live.freeze())
    (finding,) = files.verify(archived).findings
    assert "not what the commits make" in str(finding)

    monkeypatch.setattr(snapshots, "fold_version", lambda: "another version")
    assert files.verify(archived).good  # it would not be used
    place.write_bytes(place.read_bytes()[:-1])
    (finding,) = files.verify(archived).findings
    assert "the server makes a new one" in str(finding)


def test_a_day_is_found_through_the_index_in_whichever_file(archived: Path, commits: list[Commit]) -> None:
    for day in (
        "2026-01-01",
        "2026-01-20",
        "2026-01-31",
        "2026-02-01",
        "2026-03-15",
        APRIL,
        "2026-04-09",
        "2027-01-01",
    ):
        first = next((it.seq for it in commits if it.day >= day), len(commits) + 1)
        assert files.before_day(archived, day) == max(0, first - 2), day
    assert files.newest_day(archived) == "2026-04-09"


def test_what_reports_look_for_over_years_is_found_by_an_index(archived: Path, path: Path) -> None:
    for place in (archived, places(archived)["2026-01"]):
        with table.reading(place) as db:
            for event in table.SOUGHT:
                sql = f"EXPLAIN QUERY PLAN SELECT body FROM commits WHERE seq > 0 AND {table.holds(event)} ORDER BY seq"
                said = " ".join(str(row[-1]) for row in db.execute(sql))
                assert f"commits_with_{codec.STORED_NAME[event]}" in said
    (planned,) = files.holding(archived, e.HallPlanned, newest=True)
    assert planned.seq == 1
    opened = [it.seq for it in files.holding(archived, e.DayOpened)]
    assert len(opened) == DAYS
    assert opened == sorted(opened) == sorted(it.seq for it in files.holding(archived, e.DayOpened, newest=True))
    assert list(files.holding(archived, e.DayOpened, after=opened[-1])) == []


def test_a_file_of_the_version_before_is_brought_up_and_archived(
    original: Path, commits: list[Commit], tmp_path: Path
) -> None:
    path = tmp_path / f"{HALL}.sqlite"
    old = sqlite3.connect(path)
    old.executescript(OLD_SCHEMA)
    old.execute("ATTACH ? AS now", (str(original),))
    old.execute("INSERT INTO commits SELECT seq, day, key, prev_hash, hash, body FROM now.commits")
    old.commit()
    old.close()
    assert list(files.commits(path)) == commits  # who only reads does not wait for the server
    assert files.status(path).commits == len(commits)
    assert files.verify(path).good
    before = path.stat().st_size
    move_out(path)
    assert read_from(path) == commits
    assert path.stat().st_size >= before  # its free pages are used again, or given back when somebody says so
    ledger = SqliteLedger(path)
    ledger.compact()
    assert list(ledger.read()) == commits
    ledger.close()
    assert path.stat().st_size < before / 3
    with pytest.raises(sqlite3.IntegrityError):
        forged(path, "DELETE FROM commits")


def test_a_file_of_a_later_version_is_refused(path: Path) -> None:
    forged(path, f"PRAGMA user_version = {table.FORM + 1}")
    with pytest.raises(LedgerDown, match="update first"):
        SqliteLedger(path)


@pytest.fixture
def kept_up(path: Path) -> Iterator[tuple[SqliteLedger, Hall, Upkeep]]:
    """Give a hall whose files are looked after."""
    ledger = SqliteLedger(path)
    hall = Hall(HALL, ledger, clock=lambda: 0)
    yield ledger, hall, Upkeep(hall, snapshots.beside(path), ledger=ledger)
    ledger.close()


def test_upkeep_keeps_the_days_start_once_and_lets_months_leave(
    path: Path, kept_up: tuple[SqliteLedger, Hall, Upkeep], commits: list[Commit]
) -> None:
    ledger, hall, upkeep = kept_up
    upkeep.step()
    assert upkeep.fault is None
    assert [it.month for it in ledger.archives] == ["2026-01", "2026-02", "2026-03"]
    start = snapshots.load(snapshots.beside(path), HALL)
    assert start is not None
    assert (start.day, start.seq) == ("2026-04-09", hall.base.seq)
    again = Hall(HALL, ledger, clock=lambda: 0, start=start)
    assert again.replayed == len(commits) - start.seq
    written = snapshots.beside(path).stat().st_mtime_ns
    upkeep.step()
    Upkeep(again, snapshots.beside(path), kept=start, ledger=ledger).step()
    assert snapshots.beside(path).stat().st_mtime_ns == written


def test_upkeep_that_fails_is_told_once_and_tried_again(
    kept_up: tuple[SqliteLedger, Hall, Upkeep],
    commits: list[Commit],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger, hall, upkeep = kept_up
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096))
        upkeep.step()
        upkeep.step()
    assert caplog.text.count("are not looked after") == 1
    assert hall.commits(0, 10_000) == commits
    upkeep.step()
    assert upkeep.fault is None
    assert len(ledger.archives) == 3


def test_a_failed_sync_while_a_month_leaves_stops_the_process(
    kept_up: tuple[SqliteLedger, Hall, Upkeep], commits: list[Commit], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _, upkeep = kept_up

    def fail(_: object) -> None:
        raise LedgerDoubtful("the sync failed")

    monkeypatch.setattr(ledger, "_transact", fail)
    with pytest.raises(LedgerDoubtful):  # nobody catches it: the loop dies, and the server with it
        upkeep.step()
    monkeypatch.undo()
    with pytest.raises(LedgerDoubtful):
        ledger.append([replace(commits[-1], seq=len(commits) + 1, prev_hash=commits[-1].hash)])
