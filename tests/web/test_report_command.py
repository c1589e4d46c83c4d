"""`jiaohao report`: the tables as people get them, and the same answer from the ledger and from the server."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from server.domain import commands as c
from server.domain.terms import CLOCK, DeviceId, PauseReason, Post, ServiceId, TenantId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.sqlite import SqliteLedger
from server.main import main
from tests.web.stage import HALL, PLAN, Clock, Stage

ONE, THREE = WindowNo("1"), WindowNo("3")
ANN, BEN = WorkId("ann"), WorkId("ben")
GOLDEN = Path(__file__).parent / "golden"
SPREADSHEET_TRAP = "=1+1"
STAFFED = replace(
    PLAN,
    posts=(Post(work_id=ANN, name="安心", department="民政局"), Post(work_id=BEN, name=SPREADSHEET_TRAP)),
    services=(
        replace(PLAN.services[0], tenant=TenantId("city")),
        replace(PLAN.services[1], department="税务局"),
    ),
)
DAY_S = 24 * 3600


def two_days(data: Path, clock: Clock) -> Hall:
    """Give a hall, still at work on its ledger, with a day that is over and one that has begun."""
    hall = Hall(HALL, SqliteLedger(data / f"{HALL}.sqlite"), clock=clock)
    nine = clock.ms
    given = iter(range(1, 100))

    def at(minutes: float, *commands: c.Command) -> None:
        clock.ms = nine + round(minutes * 60_000)
        for command in commands:
            hall.handle(command, actor=CLOCK)

    def issue(service: str = "general") -> c.IssueTicket:
        return c.IssueTicket(service=ServiceId(service), track=Track(f"t{next(given)}"), kiosk=DeviceId("k"))

    at(0, c.PlanHall(plan=STAFFED), c.StartDay())
    at(0, c.OpenWindow(window=ONE, clerk=ANN), issue(), issue(), issue("tax"), c.CallNext(window=ONE))
    at(2, c.StartServing(window=ONE))
    at(14, c.Finish(window=ONE), c.RateAtWindow(window=ONE, grade=5))
    at(15, c.PauseWindow(window=ONE, reason=PauseReason.MEETING))
    at(45, c.ResumeWindow(window=ONE), c.CallNext(window=ONE))
    at(50, c.HandOver(window=ONE, clerk=BEN))
    at(56, c.MarkNoShow(window=ONE))
    at(60, c.OpenWindow(window=THREE, clerk=ANN), c.CallNext(window=THREE), c.StartServing(window=THREE))
    at(66, c.Finish(window=THREE), c.RateAtWindow(window=THREE, grade=2))
    at(81, c.LeaveAlone(window=THREE, idle_s=900))
    at(90, c.ResumeWindow(window=THREE), c.CloseWindow(window=THREE))  # and ben forgets to close
    at(DAY_S / 60, c.StartDay(), c.OpenWindow(window=ONE, clerk=ANN))
    at(DAY_S / 60 + 30, c.CloseWindow(window=ONE))
    return hall


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Give a data folder whose ledger is being written."""
    folder = tmp_path / "hall"
    folder.mkdir()
    with closing(two_days(folder, Clock())):
        yield folder


def jiaohao(*arguments: str | Path, lang: str = "zh", **env: str) -> Result:
    return CliRunner().invoke(main, ["--lang", lang, "report", *map(str, arguments)], env=env)


@pytest.mark.parametrize(("what", "lang"), [("month", "zh"), ("day", "en"), ("week", "en")])
def test_the_tables_are_as_kept(data: Path, what: str, lang: str) -> None:
    when = [] if what == "month" else ["--date", "2026-03-02"]
    run = jiaohao(what, *when, "--data", data, lang=lang)
    assert run.exit_code == 0, run.output
    assert run.output == (GOLDEN / f"report-{what}-{lang}.txt").read_text(encoding="utf-8")


def test_the_meaning_of_the_figures_stands_under_every_table(data: Path) -> None:
    for part in jiaohao("month", "--data", data).output.split("\n\n")[1:]:
        assert "\n  * 在岗＝" in part or "\n  * 满意率＝" in part


def test_the_last_day_and_month_are_meant_when_none_is_named(data: Path) -> None:
    assert json.loads(jiaohao("day", "--data", data, "--format", "json").output)["business_day"] == "2026-03-03"
    month = json.loads(jiaohao("month", "--data", data, "--format", "json").output)
    assert (month["month"], month["days"]) == ("2026-03", ["2026-03-02", "2026-03-03"])
    assert month["total"]["finished"] == 2


@pytest.fixture
def served(make_stage: Callable[..., Stage], data: Path, tmp_path: Path) -> Iterator[Stage]:
    """Give a server of a copy of that hall."""
    clock = Clock()
    folder = tmp_path / "served"
    folder.mkdir()
    with closing(two_days(folder, clock)) as hall:
        stage = make_stage(halls={HALL: hall})
        stage.clock = clock
        yield stage


@pytest.mark.parametrize("path", ["day?date=2026-03-02", "day", "month", "month?month=2026-03"])
def test_the_ledger_and_the_server_give_the_same_answer(data: Path, served: Stage, path: str) -> None:
    answer = served.person("manager").get(f"/halls/{HALL}/reports/{path}")
    assert answer.status_code == 200, answer.text
    what, _, query = path.partition("?")
    option = [f"--{query.replace('=', ' ')}"] if query else []
    run = jiaohao(what, *" ".join(option).split(), "--data", data, "--format", "json")
    assert answer.json == json.loads(run.output)


def test_a_server_elsewhere_is_asked_with_a_token(
    data: Path, served: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def get(url: str, *, params: dict[str, str] | None, headers: dict[str, str], **_: object) -> Any:
        answer = served.nobody().http.get(urlsplit(url).path, query_string=params, headers=headers)

        class Response:
            ok, reason = answer.status_code < 400, answer.status

            @staticmethod
            def json() -> object:
                return answer.json

        return Response()

    monkeypatch.setattr("server.reporting.requests.get", get)
    served.device("integration-1")
    token = tmp_path / "token"
    token.write_text(served.tokens["integration-1"] + "\n")
    asked = ("month", "--server", "http://127.0.0.1:8080", "--token-file", token)
    run = jiaohao(*asked)
    assert run.exit_code == 0, run.output
    kept = (GOLDEN / "report-month-zh.txt").read_text(encoding="utf-8")
    assert run.output == kept, "the same tables"
    refused = jiaohao("month", "--server", "http://127.0.0.1:8080", lang="en", JIAOHAO_TOKEN="nonsense")
    assert (refused.exit_code, "sign in" in refused.output) == (1, True)
    without = jiaohao("month", "--server", "http://127.0.0.1:8080", lang="en", JIAOHAO_TOKEN="")
    assert (without.exit_code, "no token" in without.output) == (2, True)


def test_a_server_that_does_not_answer_is_said_so(unused_port: int) -> None:
    run = jiaohao("day", "--server", f"http://127.0.0.1:{unused_port}", lang="en", JIAOHAO_TOKEN="x")
    assert (run.exit_code, run.output.startswith("jiaohao: no answer from")) == (1, True)


@pytest.fixture
def unused_port() -> int:
    """Give a port on which nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_csv_is_for_spreadsheets_and_runs_nothing_there(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "month.csv"
    run = jiaohao("month", "--data", data, "--format", "csv", "--output", path)
    assert run.exit_code == 0, run.output
    text = path.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert rows[0] == ["人员考勤与办件"]
    ben = next(row for row in rows if "ben" in row)
    assert ben[0] == f"'{SPREADSHEET_TRAP}"
    assert any(row and row[0].startswith("满意率＝") for row in rows)


def test_a_workbook_has_a_sheet_for_each_table_and_no_formula(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "month.xlsx"
    run = jiaohao("month", "--data", data, "--format", "xlsx", "--output", path)
    assert run.exit_code == 0, run.output
    with zipfile.ZipFile(path) as book:
        names = book.read("xl/workbook.xml").decode()
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        texts = book.read("xl/sharedStrings.xml").decode()
    assert all(f'name="{title}"' in names for title in ("人员考勤与办件", "每日考勤", "窗口", "事项", "单位"))
    assert all("<f>" not in sheet for sheet in sheets)
    assert SPREADSHEET_TRAP in texts
    assert "满意率＝" in texts


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("day", "--date", "2026-02-30"), 2, "is no date"),
        (("day", "--date", "20260302"), 2, "is no date"),
        (("month", "--month", "2026-13"), 2, "is no month"),
        (("month", "--month", "2025-12"), 1, "there was no business day in 2025-12"),
        (("day", "--date", "2026-03-04"), 1, "there was no business day 2026-03-04"),
        (("day", "--hall", "elsewhere"), 2, "name the hall with --hall, one of: qiao"),
        (("day", "--format", "pdf"), 2, "pdf"),
        (("week", "--date", "2026-02-30"), 2, "is no date"),
        (("week", "--date", "2026-02-20"), 1, "there was no business day from 2026-02-16 to 2026-02-22"),
        (("period", "--from", "2026-03-02", "--to", "2026-03-01"), 2, "is before the first day"),
        (("period", "--from", "2026-01-01", "--to", "2026-12-31"), 2, "at most 92 days"),
        (("day", "--output", "/nowhere/day.txt"), 2, "cannot write"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    data: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    run = jiaohao(*arguments, "--data", data, lang="en")
    assert (run.exit_code, says in run.output) == (status, True), run.output
    assert "Traceback" not in run.output


def test_an_empty_folder_has_nothing_to_report(tmp_path: Path) -> None:
    run = jiaohao("day", "--data", tmp_path, lang="en")
    assert (run.exit_code, "there is no ledger" in run.output) == (2, True)
    assert list(tmp_path.iterdir()) == [], "and looking leaves nothing behind"


def test_a_week_is_the_same_from_the_ledger_and_the_server(data: Path, served: Stage) -> None:
    asked = f"/halls/{HALL}/reports/period?from=2026-03-02&to=2026-03-08"
    answer: Any = served.person("manager").get(asked).json
    run = jiaohao("week", "--date", "2026-03-08", "--data", data, "--format", "json")
    told = json.loads(run.output)
    assert told.pop("counted_until") is None, "by the clock of this machine that week is long over"
    assert [one.pop("status") for one in told["follow_ups"]] == ["overdue"]
    assert [one.pop("status") for one in answer["follow_ups"]] == ["open"]
    answer.pop("counted_until")
    assert told == answer


def test_a_damaged_ledger_is_said_so(data: Path) -> None:
    (data / "broken.sqlite").write_bytes(b"no database at all" * 100)
    run = jiaohao("day", "--data", data, "--hall", "broken", lang="en")
    assert (run.exit_code, "the ledger cannot be read" in run.output) == (1, True)


def test_several_halls_are_told_apart(data: Path) -> None:
    (data / "other.sqlite").write_bytes((data / f"{HALL}.sqlite").read_bytes())
    run = jiaohao("day", "--data", data, lang="en")
    assert (run.exit_code, "one of: other, qiao" in run.output) == (2, True)
