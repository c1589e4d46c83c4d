"""The audit: what is found by who, what, where and when, told in sentences; the index follows the ledger."""

import csv
import io
import sqlite3
from contextlib import closing
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.records import BalanceLimits
from server.domain.terms import CLOCK, Actor, ActorKind, HallPlan, WindowNo
from server.ledger.codec import NAMES
from server.projections.sentences import sentence
from server.trail import CHUNK, Trail, Wanted
from tests.web.stage import HALL, PLAN, Stage
from tests.web.test_month import Month

PATH = f"/halls/{HALL}/audit"


# -------------------------------------------------------------------------------------------------------- sentences


def value_of(hint: Any) -> Any:
    """Give some value of a type of an event's field."""
    if get_origin(hint) in (Union, UnionType):
        return value_of(next(one for one in get_args(hint) if one is not type(None)))
    if get_origin(hint) is tuple:
        return (value_of(get_args(hint)[0]),)
    base = getattr(hint, "__supertype__", hint)
    if base in (str, int, float, bool):
        return base(3)
    if hint is HallPlan:
        return PLAN
    if hint is BalanceLimits:
        return BalanceLimits()
    if get_origin(hint) is not None:
        return {"zh": "停电", "en": "no power"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return hint(**{it.name: value_of(get_type_hints(hint)[it.name]) for it in fields(hint)})


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_a_sentence_in_both_languages(name: str) -> None:
    event = NAMES[name]
    hints = get_type_hints(event)
    said = sentence(PLAN, event(**{it.name: value_of(hints[it.name]) for it in fields(event)}))
    bare = {it.name: value_of(hints[it.name]) for it in fields(event) if it.default is MISSING}
    for told in (said, sentence(PLAN, event(**bare))):
        assert len(told["zh"]) > 3
        assert any("一" <= sign <= "鿿" for sign in told["zh"])
        assert len(told["en"]) > 8
        assert not any("一" <= sign <= "鿿" for sign in told["en"].replace("停电", "")), told["en"]
        assert "None" not in f"{told}"


def test_a_sentence_says_who_was_called_where_and_why() -> None:
    month = Month()
    month.at(0, c.OpenWindow(window=WindowNo("1"), clerk="ann"), month.issue())  # type: ignore[arg-type]
    month.at(600, c.CallTicket(window=WindowNo("1"), label="A001", reason="孕妇"))  # type: ignore[arg-type]
    (called,) = [event for _, event in month.pairs() if isinstance(event, e.TicketCalled)]
    assert sentence(PLAN, called)["zh"] == "窗口 1 呼叫 A001，等候 10 分钟，孕妇"
    assert sentence(PLAN, called)["en"] == "Window 1 called A001 after 10 min: 孕妇"


# ------------------------------------------------------------------------------------------------------------ index


@pytest.fixture
def month() -> Month:
    """Give a hall in which a kiosk gave 40 numbers and a clerk called some of them."""
    month = Month()
    kiosk = Actor(kind=ActorKind.DEVICE, id="kiosk-1", source="10.0.0.7")
    ann = Actor(kind=ActorKind.PERSON, id="ann", source="10.0.0.8")
    month.hall.handle(c.OpenWindow(window=WindowNo("1"), clerk="ann"), actor=ann)  # type: ignore[arg-type]
    for number in range(40):
        month.clock.forward(60)
        month.hall.handle(month.issue(), actor=kiosk)
        if number % 4 == 0:
            month.hall.handle(c.CallNext(window=WindowNo("1"), finish=True), actor=ann)
    return month


def everything(trail: Trail, wanted: Wanted, limit: int = 7) -> list[tuple[int, str]]:
    """Give (commit, event) of all pages."""
    rows: list[tuple[int, str]] = []
    before: int | None = None
    while found := trail.find(wanted, before=before, limit=limit)[0]:
        rows += [(one.commit.seq, type(one.event).__name__) for one in found]
        before = found[-1].place
    return rows


WANTED = [
    (Wanted(), lambda commit, event: True),
    (Wanted(kind=ActorKind.DEVICE), lambda commit, event: commit.actor.kind is ActorKind.DEVICE),
    (Wanted(who=[(ActorKind.PERSON, "ann")]), lambda commit, event: commit.actor.id == "ann"),
    (
        Wanted(who=[(ActorKind.PERSON, "ann"), (ActorKind.DEVICE, "kiosk-1"), (ActorKind.PERSON, "nobody")]),
        lambda commit, event: commit.actor.id in ("ann", "kiosk-1"),
    ),
    (Wanted(action="ticket_called"), lambda commit, event: isinstance(event, e.TicketCalled)),
    (Wanted(window="1"), lambda commit, event: getattr(event, "window", None) == "1"),
    (Wanted(ticket="A005"), lambda commit, event: getattr(event, "label", None) == "A005"),
    (Wanted(ticket="Z999"), lambda commit, event: False),
]


@pytest.mark.parametrize(("wanted", "fits"), WANTED)
def test_the_pages_together_are_what_a_look_at_every_event_finds(month: Month, wanted: Wanted, fits: Any) -> None:
    commits = month.hall.commits(0, 10_000)
    all_of_it = [(it.seq, type(event).__name__) for it in commits for event in it.events if fits(it, event)]
    assert everything(Trail(month.hall, None), wanted) == all_of_it[::-1]


def test_time_bounds_what_is_found_from_both_sides(month: Month) -> None:
    since, until = month.nine + 10 * 60_000, month.nine + 20 * 60_000
    found = everything(Trail(month.hall, None), Wanted(since_ms=since, until_ms=until))
    commits = month.hall.commits(0, 10_000)
    assert (
        found
        == [(it.seq, type(event).__name__) for it in commits for event in it.events if since <= it.at_ms < until][::-1]
    )


def test_the_index_goes_on_where_it_was_and_a_damaged_one_is_made_anew(month: Month, tmp_path: Path) -> None:
    with closing(Trail(month.hall, tmp_path)) as trail:
        first = everything(trail, Wanted())
    month.hall.handle(month.issue(), actor=CLOCK)
    with closing(Trail(month.hall, tmp_path)) as trail:
        assert everything(trail, Wanted())[1:] == first
    (file,) = tmp_path.glob("*.trail")
    file.write_bytes(b"no index at all" * 100)
    with closing(Trail(month.hall, tmp_path)) as trail:
        assert everything(trail, Wanted())[1:] == first


def test_an_index_of_another_ledger_is_not_believed(month: Month, tmp_path: Path) -> None:
    with closing(Trail(month.hall, tmp_path)) as trail:
        everything(trail, Wanted())
    other = Month()
    for _ in range(60):
        other.hall.handle(other.issue(), actor=CLOCK)
    with closing(Trail(other.hall, tmp_path)) as trail:
        assert len(everything(trail, Wanted(action="ticket_issued"))) == 60


def test_no_filter_looks_at_every_row(month: Month, tmp_path: Path) -> None:
    with closing(Trail(month.hall, tmp_path)) as trail:
        everything(trail, Wanted())
    (file,) = tmp_path.glob("*.trail")
    with closing(sqlite3.connect(file)) as db:
        for term in ("action = 1", "who = 1", "window = 1", "ticket = 1"):
            sql = f"EXPLAIN QUERY PLAN SELECT place FROM entries WHERE {term} AND place < 9 ORDER BY place DESC LIMIT 5"
            plan = " ".join(row[3] for row in db.execute(sql))
            assert "USING COVERING INDEX" in plan, plan
            assert "TEMP B-TREE" not in plan, plan
    assert CHUNK < 1000, "nobody waits long for an answer while the index is made"


# ------------------------------------------------------------------------------------------------------------- HTTP


@pytest.fixture
def worked(stage: Stage) -> Stage:
    """Give a hall in which a clerk called somebody."""
    clerk = stage.person("clerk", window="1", hall=HALL)
    clerk.post(f"/halls/{HALL}/windows/1/open")
    stage.issue()
    clerk.post(f"/halls/{HALL}/windows/1/call-next")
    return stage


def test_an_auditor_reads_who_did_what_from_where(worked: Stage) -> None:
    auditor = worked.person("auditor")
    answer: Any = auditor.get(f"{PATH}?who=clerk&action=ticket_called").json
    (entry,) = answer["entries"]
    assert (entry["who"], entry["role"], entry["source"]) == ("clerk", "clerk", "127.0.0.1")
    assert (entry["window"], entry["ticket"], entry["text"]["zh"][:12]) == ("1", "A001", "窗口 1 呼叫 A001")
    assert (answer["next"], answer["indexed"]) == (None, answer["seq"])
    row: Any = auditor.get(f"/halls/{HALL}/commits?after={entry['seq'] - 1}&limit=1").json
    assert row["commits"][0]["hash"] == entry["hash"], "the chain can be followed from here"


def test_pages_go_on_where_they_ended(worked: Stage) -> None:
    auditor = worked.person("auditor")
    first: Any = auditor.get(f"{PATH}?limit=2").json
    then: Any = auditor.get(f"{PATH}?limit=2&before={first['next']}").json
    places = [one["place"] for one in (*first["entries"], *then["entries"])]
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == 4


def test_by_role_by_kind_and_by_day(worked: Stage) -> None:
    auditor = worked.person("auditor")

    def count(query: str) -> int:
        answer: Any = auditor.get(f"{PATH}?{query}").json
        return len(answer["entries"])

    assert (count("role=clerk"), count("role=guide")) == (2, 0)
    assert (count("kind=device"), count("kind=visitor")) == (1, 0)
    assert (count("from=2026-03-02&to=2026-03-02"), count("from=2026-03-03")) == (count(""), 0)


def test_the_ticket_of_a_visitor_is_all_that_is_said_of_them(stage: Stage) -> None:
    ticket = stage.issue()
    track = ticket["track_url"].rpartition("/")[2]
    stage.nobody().post(f"/halls/{HALL}/tickets/{track}/cancel")
    answer = stage.person("auditor").get(f"{PATH}?kind=visitor")
    (entry,) = answer.json["entries"]  # type: ignore[index]
    assert (entry["who"], entry["ticket"], entry["action"]) == (None, "A001", "ticket_cancelled")
    assert track not in answer.text


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("action=ticket_eaten", 400, "there is no event ticket_eaten"),
        ("from=2026-02-30", 400, "calendar"),
        ("from=2026-03-02&to=2026-03-01", 400, "before the first day"),
        ("limit=100000", 422, "at most 500"),
        ("role=king", 422, "role"),
    ],
)
def test_what_cannot_be_looked_for_is_said(stage: Stage, query: str, status: int, says: str) -> None:
    answer = stage.person("auditor").get(f"{PATH}?{query}")
    assert (answer.status_code, says in answer.json["detail"]) == (status, True), answer.text  # type: ignore[index]


def test_the_table_is_for_spreadsheets(worked: Stage) -> None:
    table = worked.person("manager").get(f"{PATH}/file?window=1&lang=zh")
    assert table.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["时间", "提交号", "账号"]
    assert [row[6] for row in rows[1:]] == ["ticket_called", "window_opened"]
