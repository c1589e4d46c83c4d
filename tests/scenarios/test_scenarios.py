"""Every scenario file plays as it says; a wrong expectation, a changed hall and a line nobody understands are found."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from config import find, load_hall
from config import shipped as halls
from server.domain import routing
from server.domain.routing import Choice
from server.domain.state import HallState
from server.domain.terms import Calendar, CallingRule, HallPlan, WindowNo
from server.ledger.base import Commit
from server.ledger.memory import MemoryLedger
from server.main import main
from server.plan import plan_of
from server.scenario import Scenario, ScenarioError, play, read, report, words
from server.scenario.language import CHINESE, FRAME, QUESTIONS, SENTENCES
from server.scenario.script import Reader
from server.scenario.words import shapes

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.txt"))
PLAN = plan_of(load_hall(find("demo")))
START = "hall demo\nday 2026-03-02\n"


@cache
def shipped(path: Path) -> Scenario:
    """Give the scenario of a file of this folder."""
    return read(path)


def scenario_file(tmp_path: Path, text: str) -> Path:
    """Give a file with a text."""
    path = tmp_path / "day.txt"
    path.write_text(START + text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> list[str]:
    """Give what is wrong with a text after its hall and day: ["3: sentence"]."""
    with pytest.raises(ScenarioError) as error:
        read(scenario_file(tmp_path, text))
    return [f"{it.line}: {it.sentence('en')}" for it in error.value.problems]


def not_as_expected(path: Path) -> list[int]:
    """Give the lines that went otherwise than expected."""
    return [it.line for it in play(read(path)) if not it.ok]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_day_goes_as_the_file_says(path: Path) -> None:
    scenario = shipped(path)
    results = play(scenario)
    assert all(it.ok for it in results), report(scenario, results)


def otherwise(wanted: Mapping[str, str]) -> dict[str, str]:
    """Give an expectation that is certainly wrong wherever the right one was met."""
    return {key: f"not {value}" for key, value in wanted.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_wrong_expectation_is_found(path: Path) -> None:
    right = shipped(path)
    steps = tuple(replace(it, wanted=it.wanted and otherwise(it.wanted)) for it in right.steps)
    expecting = [it.line for it in steps if it.wanted]
    assert len(expecting) >= 5
    assert [it.line for it in play(replace(right, steps=steps)) if not it.ok] == expecting


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_unexpected_refusal_is_found(path: Path) -> None:
    right = shipped(path)
    refused = [it.line for it in right.steps if it.wanted and "refused" in it.wanted]
    steps = tuple(replace(it, wanted=None) if it.line in refused else it for it in right.steps)
    assert [it.line for it in play(replace(right, steps=steps)) if not it.ok] == refused


def test_the_scenarios_notice_another_rule_of_who_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    real = routing.preview

    def youngest_first(
        state: HallState, no: WindowNo, now_ms: int, joining: routing.Joining | None = None
    ) -> Choice | None:
        return next(reversed(real(state, no, now_ms, limit=1000)), None)

    monkeypatch.setattr("server.domain.decide.choose", youngest_first)
    names = ("demo-day", "single-desk", "green-channel", "transfer", "restart")
    assert [name for name in names if not not_as_expected(FOLDER / f"{name}.txt")] == []


def of(part: str, **more: object) -> Callable[[HallPlan], HallPlan]:
    """Give a change of a part of the plan: rules of their own, or every row of a table; "" is the plan itself."""

    def changed(plan: HallPlan) -> HallPlan:
        if not part:
            return replace(plan, **more)  # type: ignore[arg-type]  # names and values as the table says
        rows = getattr(plan, part)
        kept = tuple(replace(row, **more) for row in rows) if isinstance(rows, tuple) else replace(rows, **more)
        return replace(plan, **{part: kept})  # type: ignore[arg-type]  # as above

    return changed


RULES: list[tuple[str, Callable[[HallPlan], HallPlan]]] = [
    ("fairness", of("fairness", ratio=0)),
    ("cangxi-township-day", of("fairness", ratio=3)),
    ("hefeng-township-day", of("fairness", ratio=1)),
    ("qiaocheng-marriage", of("fairness", oldest_first_after_min=0)),
    ("oldest-waiting", of("", home_credit_min=0)),
    ("oldest-waiting", of("", home_credit_min=30)),
    ("oldest-waiting", of("", rule=CallingRule.BALANCED)),
    ("zhenyuan-day", of("", rule=CallingRule.OLDEST_WAITING)),
    ("demo-day", of("", rule=CallingRule.HOME_FIRST)),
    ("single-desk", of("", rule=CallingRule.STATIC)),
    ("missed", of("", recalls_max=6)),
    ("missed", of("", reinstate_after_calls=1)),
    ("missed", of("", reinstate_times=2)),
    ("qiaocheng-day", of("priorities", slope=1, head_start_min=0)),
    ("rush-and-lunch", of("priorities", slope=1, head_start_min=0)),
    ("hefeng-county-day", of("agency", alarm_before_close_min=0)),
    ("hefeng-village-day", of("agency", alarm_before_close_min=60)),
    ("zhenkang-port", of("agency", partners=())),
    ("hefeng-county-day", of("", hours=())),
    ("market-day", of("", calendar=Calendar())),
    ("zhenyuan-day", of("zones", trial_from=None)),
    ("cangyuan", of("windows", staffed=True)),
    ("zhenyuan-day", of("services", legs=())),
    ("qiaocheng-day", of("services", appointments=None)),
    ("qiaocheng-marriage", of("bookings", slot_min=60)),
    ("hefeng-county-day", of("bookings", early_min=5)),
    ("lincang-linxiang-day", of("bookings", late_min=30)),
    ("appointments", of("bookings", cancel_before_min=0)),
    ("zhenyuan-day", of("bookings", per_day=2)),
    ("appointments", of("bookings", no_shows=3)),
    ("lincang-linxiang-day", of("ratings", bad_grade=0)),
    ("cangxi-township-day", of("ratings", bad_grade=1)),
    ("qiaocheng-day", of("ratings", follow_up_working_days=4)),
    ("quota", of("kiosks", day_quota=None)),
]


@pytest.mark.parametrize(("name", "changed"), RULES, ids=[str(number) for number in range(len(RULES))])
def test_a_hall_with_another_rule_fails_its_day(name: str, changed: Callable[[HallPlan], HallPlan]) -> None:
    right = shipped(FOLDER / f"{name}.txt")
    other = changed(right.plan)
    assert other != right.plan
    assert not all(it.ok for it in play(replace(right, plan=other)))


def test_every_sentence_is_played_in_some_file(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: set[str] = set()

    def listening(line: Sequence[words.Word], plan: HallPlan | None) -> tuple[str, dict[str, tuple[str, ...]]]:
        sentence, slots = words.understood(line, plan)
        heard.add(sentence)
        return sentence, slots

    monkeypatch.setattr("server.scenario.script.understood", listening)
    for path in FILES:
        read(path)
    assert heard == {*FRAME, *SENTENCES, *QUESTIONS}


def test_a_refusal_and_every_number_of_a_loop_are_told(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, "09:00 3x every 2 min kiosk takes tax\n09:04 window 3 calls\n")
    results = play(read(path))
    assert [it.happened for it in results] == ["", "B001..B003 ahead 2", "refused window_closed", "equal"]
    assert [it.at for it in results] == ["06:00", "09:00", "09:04", "09:04"]
    assert results[2].refusal == ("窗口 3 未开放，请先开窗。", "Window 3 is closed. Open it first.")
    assert not results[2].ok


def test_a_loop_stops_at_its_first_refusal(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, "09:00 2x kiosk takes tax visitor li -> refused already_waiting after 1\n")
    assert not_as_expected(path) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("09:00 kiosk takes taxx", "There is no service taxx. Did you mean tax?"),
        ("09:00 window 9 calls", "There is no window 9."),
        ("09:00 window 3 cals", "cals is not understood; here may stand: opens, pauses, resumes, closes, calls, "),
        (
            "09:00 windw 3 calls",
            "may stand: hall, day, next, restart, kiosk, guide, window, windows, result, visitor, manager",
        ),
        ("09:00 window 3 marks", "The line stops too early; next may come: missed."),
        ("09:00 window 3 recalls now", "Nothing may follow here, but now does."),
        ("09:00 window 3 calls -> refused nobody", "There is no refusal nobody. Did you mean nobody_waiting?"),
        ("09:00 window 3 calls -> ahed 2", "ahed cannot be expected; a number (A001) can, or: ahead, count"),
        ("09:00 window 3 calls -> waited", "Something must follow waited."),
        ("09:00 window 3 calls ->", "Nothing is expected after the arrow."),
        ("09:00 window 3 calls = B001", "An answer stands after =, a result after ->."),
        ("waiting tax -> ahead 3", "An answer stands after =, a result after ->."),
        ('09:00 window 3 holds "copies', 'The quote " does not end.'),
        ("09:00 window 3 calls\n08:59 window 3 calls", "Time does not go back; it is 09:00 already."),
        ("05:00 window 3 calls", "Time does not go back; it is 06:00 already."),
        ("31:00 window 3 calls", "31:00 is not a time of day."),
        ("day 2026-03-02", "The days go on; it is 2026-03-02 already."),
        ("day tomorrow", "tomorrow is not understood; here may stand: closes, DATE."),
        ("hall demo", "A file has one hall line."),
        ("30:00 window 3 calls", "30:00 is not a time of day."),
        ("09:00 3x every 700 min kiosk takes tax", "That is after the end of the business day."),
        ("day 1026-03-02", "1026-03-02 is not understood; here may stand: closes, DATE."),
        ("windows 1 to open", "A row of windows goes up, such as 1 to 6."),
        ("windows to 3 open", "A row of windows goes up, such as 1 to 6."),
        ("windows 6 to 1 open", "A row of windows goes up, such as 1 to 6."),
        ("0x kiosk takes tax", "A line happens 1 to 10000 times."),
        ("5x every kiosk takes tax", "After every comes a time such as 2 min."),
    ],
)
def test_a_line_nobody_understands_is_told_with_what_may_stand_there(tmp_path: Path, line: str, sentence: str) -> None:
    (problem,) = problems(tmp_path, line)
    assert sentence in problem


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "09:00 windw 3 calls\n# fine\n09:00 window 3 calls\n09:00 window 99 calls\n")
    assert [it.partition(":")[0] for it in found] == ["3", "6"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file has no hall and no day."),
        ("hall demoo\n", "There is no hall file demoo. Did you mean demo?"),
        ("day 2026-03-02\n", "A hall line must come first."),
        ("hall demo\n09:00 window 3 calls\n", "A hall line and a day line must come first."),
        ("hall demo\nwindow 3 calls\n", "A hall line and a day line must come first."),
        ("hall demo\nnext day\n", "A day line must come first."),
    ],
)
def test_a_file_without_its_beginning_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "day.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        read(path)
    assert [it.sentence("en") for it in error.value.problems] == [sentence]


def test_a_hall_file_with_errors_tells_them(tmp_path: Path) -> None:
    (tmp_path / "hall.toml").write_text("schema = 1\n[hall]\nidd = 'x'\n", encoding="utf-8")
    path = tmp_path / "day.txt"
    path.write_text("hall hall.toml\nday 2026-03-02\n09:00 windw 1 calls\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        read(path)
    files = [Path(it.file).name for it in error.value.problems]
    assert files[0] == "hall.toml"
    assert files[-1] == "day.txt"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.txt"
    path.write_bytes("大厅 demo".encode("gbk"))
    with pytest.raises(ScenarioError, match="not UTF-8"):
        read(path)
    with pytest.raises(ScenarioError, match="Cannot be read"):
        read(tmp_path / "none.txt")


def test_a_hall_that_its_ledger_does_not_give_again_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = MemoryLedger.read

    def forgetful(self: MemoryLedger, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        *others, _last = real(self, after, limit) if self._rows else [None]
        return iter([it for it in others if it is not None])

    path = scenario_file(tmp_path, "09:00 kiosk takes tax\nwaiting tax = 1\n")
    monkeypatch.setattr(MemoryLedger, "read", forgetful)
    (end,) = [it for it in play(read(path)) if not it.ok]
    assert end.happened.startswith("different: last_ms, tickets, ")


WORDS = {
    "zone": "general tax hall nowhere",
    "service": "tax general pickup 税务",
    "serves": "tax general",
    "relief": "pickup tax",
    "legs": "tax general pickup",
    "roll": "X A XY",
    "first": "1 7 0",
    "last": "1 9 0 9999",
    "window": "1 2 3",
    "to_window": "1 2 3",
    "windows": "1 2 3 to",
    "priority": "green_channel",
    "ticket": "A001 A002 B001 T001 20260302-A001 A999",
    "reason": '"papers" "" “材料”',
    "pause": "lunch",
    "place": "front end arrival",
    "grade": "0 1 5",
    "clerk": "101 102",
    "visitor": "li wang",
    "file": "demo",
    "time": "09:00 10:30",
    "kiosk": "kiosk kiosk-2",
    "date": "2026-03-02 2026-03-05",
    "case": "C001 C002 C20260302-001 C20260301-007",
    "case_kind": "agency visit",
    "client": '王先生 "Li" 13800138000',
    "partner": "hefeng-county demo",
    "number": "330-1 T001 1",
    "papers": '"ID" "" “户口本”',
}
JUNK = ["->", "=", "#", "to", "3", "\x00", "30x", "next", "open", "窗口", "A001", '"', "“", "refused", "2..5", "..."]
BEFORE = ["", "", "", "09:00", "12:30", "25:00", "3x", "2x every 5 min", "09:00 40x"]


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Give a line that is a sentence more often than not."""
    words = [draw(st.sampled_from(BEFORE))]
    for part in draw(st.sampled_from(shapes()))[1]:
        for _ in range(draw(st.integers(1, 3)) if part.endswith("*}") else 1):
            choice = WORDS[part.strip("{*}")].split() if part.startswith("{") else part.replace("*", "").split("|")
            words.append(draw(st.sampled_from(choice)))
    if draw(st.integers(0, 9)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(st.sampled_from(JUNK)))
    return " ".join(words)


@settings(max_examples=100)
@given(st.lists(lines(), max_size=25))
def test_no_line_breaks_the_interpreter(day: list[str]) -> None:
    opening = ["hall demo", "day 2026-03-02", "windows 1 2 3 open", "3x kiosk takes general", "window 1 calls"]
    reader = Reader(Path("day.txt"))
    for number, text in enumerate([*opening, *day], 1):
        reader.take(number, text)
    understood = Scenario(file="day.txt", plan=PLAN, steps=tuple(reader.steps))
    assert play(understood)[-1].happened == "equal"
    assert all(it.zh and it.en and it.line for it in reader.problems)


def test_the_command_says_what_happened_and_how_it_ended(tmp_path: Path) -> None:
    good = scenario_file(tmp_path, "09:00 kiosk takes tax -> B001\n")
    run = CliRunner().invoke(main, ["--lang", "zh", "scenario", str(good)])
    assert (run.exit_code, run.output.splitlines()[-1]) == (0, "共 3 行，全部符合预期。")
    assert "09:00  kiosk takes tax -> B001 前面 0" in run.output

    wrong = tmp_path / "wrong.txt"
    wrong.write_text(START + "09:00 kiosk takes tax -> B002\n", encoding="utf-8")
    run = CliRunner().invoke(main, ["--lang", "en", "scenario", str(good), str(wrong)])
    assert run.exit_code == 1
    assert f"09:00  kiosk takes tax -> B001 ahead 0\n  ✗ {wrong}:3: expected B002\n" in run.output

    run = CliRunner().invoke(main, ["scenario", "--format", "json", str(wrong)])
    assert run.exit_code == 1
    (played,) = json.loads(run.output)
    assert [step["ok"] for step in played["steps"]] == [True, False, True]

    wrong.write_text("hall demo\nday\n", encoding="utf-8")
    run = CliRunner().invoke(main, ["--lang", "en", "scenario", str(good), str(wrong)])
    assert run.exit_code == 2
    assert f"{wrong}:2:1: The line stops too early; next may come: closes, DATE." in run.output


def test_every_file_is_on_the_list() -> None:
    tables = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## Twelve")[0]
    named = [name.removesuffix(".txt") for name in re.findall(r"`([a-z-]+\.txt)`", tables)]
    assert sorted(named) == sorted(path.stem for path in FILES)


def test_every_hall_that_comes_with_the_product_has_a_day() -> None:
    played = {shipped(path).plan.hall for path in FILES}
    assert {plan_of(load_hall(path)).hall for path in halls().values()} <= played


def test_no_chinese_word_is_left_out_of_the_table_of_the_page(root: Path) -> None:
    page = (root / "docs/scenarios.md").read_text(encoding="utf-8")
    assert [word for word, english in CHINESE.items() if f"{word} {english}" not in page] == []


def test_every_sentence_is_on_the_page(root: Path) -> None:
    page = (root / "docs/scenarios.md").read_text(encoding="utf-8")
    assert [sentence for sentence in (*FRAME, *SENTENCES, *QUESTIONS) if f"    {sentence}\n" not in page] == []
