"""The command line: what a planner types, and one clear answer with every mistake when it cannot be."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import load_hall, shipped
from server.main import main
from server.plan import plan_of
from server.simulate.described import Described
from server.simulate.draw import draw, people_of
from server.simulate.shifts import open_days
from tests.simulate.ledgers import write_past

QUICK = ["--days", "2", "--jobs", "1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two days of the demo hall."""
    folder = tmp_path_factory.mktemp("data")
    plan, described = plan_of(load_hall(shipped()["demo"])), Described()
    people = people_of(plan, described, 1)
    dates = open_days(plan, date(2026, 3, 2), 2)
    days = [draw(plan, described, people, day, seed=1, number=number) for number, day in enumerate(dates)]
    with pytest.MonkeyPatch.context() as patch:
        write_past(folder, plan, days, patch)
    return folder


def jiaohao(*words: str, language: str = "en") -> Result:
    env = {"JIAOHAO_LANG": language, "JIAOHAO_DATA": None}  # put back afterwards
    return CliRunner(env=env).invoke(main, ["--lang", language, *words], catch_exceptions=False)


def test_the_same_seed_prints_the_same_and_another_another() -> None:
    one = jiaohao("simulate", "demo", *QUICK)
    assert one.exit_code == 0
    assert "mean wait" in one.stdout
    assert jiaohao("simulate", "demo", *QUICK).stdout == one.stdout
    assert jiaohao("simulate", "demo", *QUICK, "--seed", "2").stdout != one.stdout
    assert "平均等候" in jiaohao("simulate", "demo", *QUICK, language="zh").stdout


def test_json_names_each_policy_and_variant() -> None:
    it = jiaohao(
        "simulate", "demo", *QUICK, "--policy", "balanced", "--policy", "static", "--what-if", "shut: close 1",
        "--load", "0.7", "--format", "json",
    )  # fmt: skip
    answer = json.loads(it.stdout)
    assert answer["hall"] == "demo"
    assert [each["name"] for each in answer["variants"]] == ["balanced", "static", "shut"]
    assert answer["variants"][2]["against_first_min"]["value"] > 0


def test_machines_read_the_same_in_every_language() -> None:
    for words in (
        ["simulate", "demo", *QUICK, "--policy", "balanced", "--what-if", "shut: close 1"],
        ["simulate", "demo", *QUICK],
    ):
        en, zh = (json.loads(jiaohao(*words, "--format", "json", language=it).stdout) for it in ("en", "zh"))
        assert [each["name"] for each in zh["variants"]] == [each["name"] for each in en["variants"]]
    assert "现状" in jiaohao("simulate", "demo", *QUICK, language="zh").stdout


def test_a_past_day_is_played_again_beside_what_happened(data: Path) -> None:
    it = jiaohao("simulate", "demo", "--data", str(data), "--day", "2026-03-03", "--format", "json")
    assert it.exit_code == 0
    real, again = json.loads(it.stdout)["variants"]
    assert (real["is_real"], again["is_real"]) == (True, False)
    assert [day["day"] for day in again["days"]] == ["2026-03-03"]
    assert again["mean_wait_min"]["value"] == pytest.approx(real["mean_wait_min"]["value"], rel=0.05)
    export = data / "copy.jsonl"
    assert jiaohao("ledger", "export", "--hall", "demo", "--data", str(data), "--out", str(export)).exit_code == 0
    same = jiaohao("simulate", "demo", "--from-ledger", str(export), "--day", "2026-03-03", "--format", "json")
    assert json.loads(same.stdout)["variants"] == json.loads(it.stdout)["variants"]
    export.unlink()


def test_days_are_drawn_from_past_ones_when_asked_for(data: Path) -> None:
    it = jiaohao("simulate", "demo", "--data", str(data), *QUICK, "--load", "1.1", "--format", "json")
    (row,) = json.loads(it.stdout)["variants"]
    assert len(row["days"]) == 2
    assert not row["is_real"]


def test_every_mistake_is_told_at_once_with_exit_status_2(tmp_path: Path) -> None:
    described = tmp_path / "day.toml"
    described.write_text("[day]\nlaod = 0.9\n", encoding="utf-8")
    words = ["--described", str(described), "--what-if", "99+=tax", "--from", "2026-13-01", "--chart", "chart.gif"]
    words += ["--load", "7", "--days", "many", "--policy", "statik"]
    for language, hint in (("en", "Did you mean load?"), ("zh", "是不是想写 load？")):
        it = jiaohao("simulate", "demo", *words, language=language)
        assert it.exit_code == 2
        assert it.stdout == ""
        for part in (hint, "99", "2026-13-01", "chart.gif", "--described", "--load", "many", "static"):
            assert part in it.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["simulate", "nowhere.toml"], 2),
        (["simulate", "demo", "--days", "0"], 2),
        (["simulate", "demo", "--load", "-1"], 2),
        (["simulate", "demo", "--policy", "fastest"], 2),
        (["simulate", "demo", "--data", "nothing-here", "--day", "2026-03-02"], 2),
        (["simulate", "demo", "--day", "2026-03-02", "--to", "2026-03-03"], 2),
        (["plan", "demo", "--windows", "1..99", "--for", "nothing"], 2),
        (["plan", "demo", "--budget", "0"], 2),
    ],
)
def test_bad_arguments_end_with_status_2(words: list[str], status: int) -> None:
    assert jiaohao(*words).exit_code == status


def test_a_day_nobody_came_and_a_damaged_ledger(data: Path, tmp_path: Path) -> None:
    it = jiaohao("simulate", "demo", "--data", str(data), "--day", "2026-03-01")
    assert it.exit_code == 2
    assert "nobody came" in it.stderr
    lines = tmp_path / "demo.jsonl"
    assert jiaohao("ledger", "export", "--hall", "demo", "--data", str(data), "--out", str(lines)).exit_code == 0
    text = lines.read_text(encoding="utf-8").splitlines(keepends=True)
    lines.write_text("".join([*text[:50], *text[51:]]), encoding="utf-8")
    it = jiaohao("simulate", "qiaocheng", "--from-ledger", str(lines))
    assert it.exit_code == 2
    assert "ledger of demo" in it.stderr
    it = jiaohao("simulate", "demo", "--from-ledger", str(lines))
    assert it.exit_code == 1
    assert "damaged" in it.stderr


def test_charts_without_matplotlib_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.simulate.charts.find_spec", lambda _: None)
    it = jiaohao("simulate", "demo", "--chart", "chart.png")
    assert it.exit_code == 2
    assert "pip install 'jiaohao[charts]'" in it.stderr


def test_planning_searches_and_judges_apart_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no ledger here: described days
    it = jiaohao("plan", "demo", "--data", "nothing-here-either", "--budget", "1")
    assert it.exit_code == 2  # a folder that was named must have the hall's ledger
    words = ["plan", "demo", "--budget", "1", "--days", "9", "--load", "0.8", "--jobs", "1", "--format", "json"]
    answer = json.loads(jiaohao(*words, "--for", "tax", "--windows", "1..4").stdout)
    assert (answer["days_searched"], answer["days_judged"]) == (3, 6)
    assert len(answer["train"]) <= 1
    assert set(answer["gain_min"]) == {"value", "low", "high"}
    assert isinstance(answer["is_clear"], bool)


@pytest.mark.parametrize("command", ["simulate", "plan"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: jiaohao {command}" in " ".join(jiaohao(command, "--help").stdout.split())
