"""`jiaohao ledger` as an operator uses it: status, verify, backup, export, restore; clear words when it cannot be."""

import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.years import Years
from config import load_hall, shipped
from server.ledger import files
from server.ledger.sqlite import SqliteLedger
from server.main import main
from server.plan import plan_of
from tests.hall.days import RandomDays


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with one day of the demo hall."""
    folder = tmp_path / "data"
    folder.mkdir()
    days = RandomDays(plan=plan_of(load_hall(shipped()["demo"])), seed=1)
    days.play(days=1, steps=200)
    ledger = SqliteLedger(folder / "demo.sqlite")
    ledger.append(days.commits)
    ledger.close()
    return folder


def jiaohao(*words: object, lang: str = "en") -> Result:
    return CliRunner().invoke(main, ["--lang", lang, "ledger", *map(str, words)])


def test_status_and_verify_say_that_all_is_well(data: Path) -> None:
    (row,) = json.loads(jiaohao("status", "--data", data, "--format", "json").stdout)
    assert (row["hall"], row["days"], row["last_day"]) == ("demo", 1, "2026-03-02")
    said = jiaohao("verify", "--data", data)
    assert said.exit_code == 0
    assert f"demo: whole, {row['commits']} commits" in said.stdout


def test_verify_finds_a_damage_and_exits_1(data: Path) -> None:
    vandal = sqlite3.connect(data / "demo.sqlite")
    vandal.executescript("DROP TRIGGER commits_stay; DELETE FROM commits WHERE seq = 100;")
    vandal.close()
    said = jiaohao("verify", "--data", data)
    assert said.exit_code == 1
    assert "commit 101 does not follow 99" in said.stdout
    (verdict,) = json.loads(jiaohao("verify", "--data", data, "--format", "json").stdout)
    assert verdict["good"] is False


def test_a_backup_and_an_export_come_back_the_same(data: Path, tmp_path: Path) -> None:
    there = list(files.commits(data / "demo.sqlite"))
    assert jiaohao("backup", tmp_path / "usb", "--data", data).exit_code == 0
    (copy,) = (tmp_path / "usb").iterdir()
    assert jiaohao("export", "--hall", "demo", "--out", tmp_path / "demo.jsonl", "--data", data).exit_code == 0
    tail = tmp_path / "tail.jsonl"
    assert jiaohao("export", "--hall", "demo", "--after", "3", "--out", tail, "--data", data).exit_code == 0
    for number, (source, *tails) in enumerate([(copy,), (tmp_path / "demo.jsonl",), (copy, tail)]):
        new = tmp_path / f"new-{number}"
        assert jiaohao("restore", source, *tails, "--hall", "demo", "--data", new).exit_code == 0
        assert list(files.commits(new / "demo.sqlite")) == there
        refused = jiaohao("restore", source, "--hall", "demo", "--data", new)
        assert refused.exit_code == 2
        assert "--replace" in refused.stderr
        assert jiaohao("restore", source, "--hall", "demo", "--data", new, "--replace").exit_code == 0
        assert len(list(new.glob("demo.replaced-*"))) == 1


@pytest.mark.parametrize(
    "words", [["backup", "{disk}"], ["export", "--hall", "demo", "--out", "{disk}/demo.jsonl"]], ids=lambda it: it[0]
)
def test_a_full_disk_is_named_and_nothing_half_is_left_on_it(data: Path, small_disk: Path, words: list[str]) -> None:
    """No half copy that somebody might take for a whole one."""
    while True:
        try:
            (small_disk / f"{len(list(small_disk.iterdir()))}").write_bytes(bytes(16 * 1024))
        except OSError:
            break
    next(small_disk.iterdir()).unlink()  # some of it fits
    there = sorted(small_disk.iterdir())
    said = jiaohao(*[word.format(disk=small_disk) for word in words], "--data", data)
    assert said.exit_code == 2
    assert str(small_disk) in said.stderr
    assert sorted(small_disk.iterdir()) == there


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["status", "--data", "{tmp}/nothing"], "--data", "--data"),
        (["verify", "--hall", "elsewhere", "--data", "{data}"], "有：demo", "there are demo"),
        (["backup", "{data}", "--data", "{data}"], "另选文件夹", "choose another"),
        (["restore", "{tmp}/text", "--hall", "new", "--data", "{data}"], "账本损坏", "damaged"),
    ],
)
def test_what_cannot_be_is_said_in_the_readers_language(
    data: Path, tmp_path: Path, words: list[str], zh: str, en: str
) -> None:
    (tmp_path / "text").write_text("{no export")
    filled = [word.format(tmp=tmp_path, data=data) for word in words]
    for lang, sentence in (("zh", zh), ("en", en)):
        said = jiaohao(*filled, lang=lang)
        assert said.exit_code in (1, 2)
        assert sentence in said.stderr
    assert list(files.ledgers(data)) == ["demo"]


def test_a_ledger_in_use_can_be_read_and_not_replaced(data: Path, tmp_path: Path) -> None:
    ledger = SqliteLedger(data / "demo.sqlite")
    assert jiaohao("verify", "--data", data).exit_code == 0
    assert jiaohao("backup", tmp_path / "usb", "--data", data).exit_code == 0
    (copy,) = (tmp_path / "usb").iterdir()
    said = jiaohao("restore", copy, "--hall", "demo", "--replace", "--data", data)
    assert said.exit_code == 2
    assert "another process" in said.stderr
    ledger.close()


def test_months_leave_by_command_and_everything_still_works(tmp_path: Path) -> None:
    data = tmp_path / "years"
    data.mkdir()
    years = Years(plan_of(load_hall(shipped()["demo"])), visits=3, first=date(2026, 1, 20))
    years.write(data / "demo.sqlite", years.commits(50))
    said = jiaohao("archive", "--data", data)
    assert said.exit_code == 0
    assert "demo.2026-01.sqlite" in said.stdout
    assert "demo.2026-02.sqlite" in said.stdout
    assert jiaohao("archive", "--data", data).stdout.startswith("demo: 2 archives")
    (row,) = json.loads(jiaohao("status", "--data", data, "--format", "json").stdout)
    assert (row["archives"], row["commits"], row["days"]) == (2, years.commits(50), 50)
    (verdict,) = json.loads(jiaohao("verify", "--data", data, "--format", "json").stdout)
    assert (verdict["good"], len(verdict["state_hash"])) == (True, 64)
    assert verdict["state_hash"] in jiaohao("verify", "--data", data).stdout
    ledger = SqliteLedger(data / "demo.sqlite")
    refused = jiaohao("archive", "--data", data)
    assert refused.exit_code == 2
    assert "another process" in refused.stderr
    ledger.close()
    (data / "archive" / "demo.2026-01.sqlite").rename(tmp_path / "away")
    assert "put it back" in jiaohao("status", "--data", data).stderr
    missed = jiaohao("verify", "--data", data)
    assert missed.exit_code == 1
    assert "put it back" in missed.stdout
