"""The hall's settings live: checked, compared and applied as a whole, by the rule of `server.settings`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config import shipped
from server.domain import commands as c
from server.domain.terms import CLOCK, PlanSource, WindowNo, WorkId
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger
from server.main import main
from server.settings import Seed, begin, seed_of, unlike
from server.web.settings import TEXT_LENGTH_MAX
from tests.web.stage import HALL, Client, Clock, Stage

SETTINGS = f"/halls/{HALL}/settings"
TEXT = shipped()["demo"].read_text(encoding="utf-8").replace('id = "demo"', f'id = "{HALL}"', 1)
LONGER = TEXT.replace("target_wait_min = 15", "target_wait_min = 25", 1)
LONGEST = TEXT.replace("target_wait_min = 15", "target_wait_min = 45", 1)


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    """Give the hall file of the demo hall, for the stage's hall."""
    path = tmp_path / "hall.toml"
    path.write_text(TEXT, encoding="utf-8")
    return seed_of(path)


@pytest.fixture
def hall(make_stage: Callable[..., Stage], seed: Seed) -> Stage:
    """Give a server whose hall runs with its file; window 1 and its clerk are at work."""
    stage = make_stage(seeds={HALL: seed})
    begin(stage.hall, seed)
    return stage


def apply(who: Client, text: str, after: int, **more: object) -> Any:
    return who.put(SETTINGS, {"text": text, "after": after, **more})


def version_of(stage: Stage) -> int:
    return int(stage.anybody("auditor").get(SETTINGS).json["version"])  # type: ignore[index]


# ------------------------------------------------------------------------------------------------ reading and checking


def test_the_settings_are_the_text_of_the_file(hall: Stage) -> None:
    answer = hall.anybody("auditor").get(SETTINGS).json
    assert answer is not None
    assert answer["text"] == TEXT
    assert answer["file"] == {"name": "hall.toml", "said": None, "text": None}
    editions = [(one["version"], one["source"], one["by"]) for one in answer["editions"]]
    assert editions == [(2, "file", ""), (1, "file", "")]


def test_a_text_is_checked_with_every_mistake_at_its_line(hall: Stage) -> None:
    manager = hall.anybody("manager")
    wrong = TEXT.replace('zone = "tax"', 'zone = "tex"', 1).replace("target_wait_min = 15", 'target_wait_min = "x"', 1)
    answer = manager.post(f"{SETTINGS}/check", {"text": wrong}).json
    assert answer is not None
    lines = {one["line"]: one["said"] for one in answer["problems"]}
    assert set(lines) == {
        1 + wrong.splitlines().index(line) for line in wrong.splitlines() if '"tex"' in line or '"x"' in line
    }
    assert all(said["zh"] and said["en"] for said in lines.values())
    assert answer["differences"] == []


@pytest.mark.parametrize("text", ["x", "= 1\n[", "\x00", "[hall]\nid = 1\n", "[" * 5000])
def test_what_is_no_hall_file_is_told_and_changes_nothing(hall: Stage, text: str) -> None:
    manager, before = hall.anybody("manager"), version_of(hall)
    answer = manager.post(f"{SETTINGS}/check", {"text": text})
    assert answer.status_code == 200
    assert answer.json["problems"]  # type: ignore[index]
    refused = apply(manager, text, before)
    assert (refused.status_code, refused.json["code"]) == (422, "settings_wrong")
    assert version_of(hall) == before


def test_a_text_that_is_too_long_is_refused(hall: Stage) -> None:
    manager = hall.anybody("manager")
    assert apply(manager, "#" * (TEXT_LENGTH_MAX + 1), 2).status_code == 422
    assert apply(manager, "#" * 2_000_000, 2).json["code"] == "too_large"


def test_the_id_of_a_hall_stays(hall: Stage) -> None:
    other = TEXT.replace(f'id = "{HALL}"', 'id = "elsewhere"', 1)
    answer = hall.anybody("manager").post(f"{SETTINGS}/check", {"text": other}).json
    assert answer is not None
    (problem,) = answer["problems"]
    assert (problem["code"], problem["line"]) == ("other_hall", other.splitlines().index('id = "elsewhere"') + 1)


@pytest.mark.parametrize(
    ("role", "reads", "applies"),
    [
        ("admin", 200, 200),
        ("manager", 200, 200),
        ("auditor", 200, 403),
        ("guide", 403, 403),
        ("clerk", 403, 403),
        ("integration", 200, 403),
        ("kiosk", 403, 403),
        ("nobody", 401, 401),
    ],
)
def test_who_may_read_and_apply(hall: Stage, role: str, reads: int, applies: int) -> None:
    who = hall.anybody(role)
    assert who.get(SETTINGS).status_code == reads
    assert apply(who, LONGER, 2).status_code == applies
    assert who.post(f"{SETTINGS}/check", {"text": TEXT}).status_code == applies


# ------------------------------------------------------------------------------------------------------------- applying


def test_applied_settings_run_at_once_and_are_kept_with_who_and_why(hall: Stage) -> None:
    manager = hall.anybody("manager")
    checked = manager.post(f"{SETTINGS}/check", {"text": LONGER}).json
    assert checked is not None
    assert [one["said"]["en"] for one in checked["differences"]] == [
        "[[service]] general (General): target_wait_min 15 -> 25"
    ]
    assert (checked["problems"], checked["refused"], checked["version"]) == ([], [], 2)
    answer = apply(manager, LONGER, 2, note="旺季")
    assert answer.json["version"] == 3
    assert hall.hall.plan.services[0].target_wait_min == 25
    newest = manager.get(SETTINGS).json["editions"][0]  # type: ignore[index]
    assert (newest["source"], newest["by"], newest["name"], newest["note"]) == ("page", "manager", "manager 甲", "旺季")
    commit = hall.hall.commits(hall.hall.seq - 1, 1)[0]
    assert (commit.actor.id, commit.events[0].text) == ("manager", LONGER)  # type: ignore[union-attr]


def test_of_two_who_write_the_slower_is_told_and_undoes_nothing(hall: Stage) -> None:
    quick, slow = hall.anybody("manager"), hall.person("boss", hall=HALL)
    assert apply(quick, LONGER, 2).status_code == 200
    refused = apply(slow, LONGEST, 2)
    assert (refused.status_code, refused.json["code"]) == (409, "plan_changed")
    assert "manager" in refused.json["detail"]
    assert hall.hall.plan.services[0].target_wait_min == 25
    assert apply(slow, LONGEST, 3).status_code == 200


def test_the_same_request_again_is_one_edition(hall: Stage) -> None:
    manager = hall.anybody("manager")
    first = manager.put(SETTINGS, {"text": LONGER, "after": 2}, Idempotency_Key="k")
    assert manager.put(SETTINGS, {"text": LONGER, "after": 2}, Idempotency_Key="k").json == first.json
    assert version_of(hall) == 3
    assert apply(manager, LONGER, 3).json["code"] == "plan_same"


def test_what_somebody_waits_for_cannot_go_and_the_sentence_says_what_to_do(hall: Stage) -> None:
    for _ in range(3):
        hall.issue("medical")
    without = without_service(TEXT, "medical")
    manager = hall.anybody("manager")
    answer = manager.post(f"{SETTINGS}/check", {"text": without}).json
    assert answer is not None
    assert answer["problems"] == []
    (said,) = answer["refused"]
    assert "3" in said["zh"]
    assert "finish, transfer or cancel" in said["en"]
    refused = apply(manager, without, 2)
    assert (refused.status_code, refused.json["code"]) == (409, "plan_in_use")
    assert version_of(hall) == 2


def without_service(text: str, service: str) -> str:
    """Give the demo's file without a service, whose window serves another one then."""
    rows = text.split("\n\n")
    kept = [row for row in rows if not (row.startswith("[[service]]") and f'id = "{service}"' in row)]
    left = "\n\n".join(kept).replace(f'relief = ["{service}"]\n', "").replace('relief = ["social"]\n', "")
    return left.replace(f'serves = ["{service}"]', 'serves = ["social"]')


def test_a_window_with_somebody_at_work_cannot_be_unstaffed(hall: Stage) -> None:
    hall.hall.handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("clerk")), actor=CLOCK)
    plan = hall.hall.plan
    windows = tuple(replace(one, staffed=one.no != "1") for one in plan.windows)
    with pytest.raises(Exception, match="close it first"):
        hall.hall.handle(c.PlanHall(plan=replace(plan, windows=windows, digest="x")), actor=CLOCK)


def test_hours_that_shut_the_hall_now_are_foretold(hall: Stage) -> None:
    bound = TEXT.replace('outside_hours = "issue"', 'outside_hours = "refuse"', 1)
    assert apply(hall.anybody("manager"), bound, 2).status_code == 200
    shut = bound.replace('opens = "09:00", closes = "12:00"', 'opens = "11:00", closes = "12:00"')
    assert shut != bound
    answer = hall.anybody("manager").post(f"{SETTINGS}/check", {"text": shut}).json
    assert answer is not None
    assert any("No more numbers from now on" in one["en"] for one in answer["effects"]), answer


def test_addresses_that_lead_out_of_the_building_are_for_admins(hall: Stage) -> None:
    told = TEXT + '\n[notify]\nurl = "http://10.0.0.9/hook"\n'
    refused = apply(hall.anybody("manager"), told, 2)
    assert (refused.status_code, refused.json["code"]) == (403, "addresses_by_admin")
    assert apply(hall.anybody("admin"), told, 2).status_code == 200


def test_a_request_again_is_answered_though_an_admin_changed_an_address_meanwhile(hall: Stage) -> None:
    manager, body = hall.anybody("manager"), {"text": LONGER, "after": 2}
    first = manager.put(SETTINGS, body, Idempotency_Key="k")
    assert first.status_code == 200
    assert apply(hall.anybody("admin"), LONGER + '\n[notify]\nurl = "http://10.0.0.9/hook"\n', 3).status_code == 200
    assert manager.put(SETTINGS, body, Idempotency_Key="k").json == first.json


def test_one_can_go_back_to_an_edition(hall: Stage) -> None:
    manager = hall.anybody("manager")
    apply(manager, LONGER, 2)
    old = manager.get(f"{SETTINGS}/2").json
    assert old is not None
    assert old["text"] == TEXT
    assert [one["said"]["en"] for one in old["differences"]] == [
        "[[service]] general (General): target_wait_min 15 -> 25"
    ]
    assert apply(manager, old["text"], 3).json["version"] == 4
    assert hall.hall.plan.services[0].target_wait_min == 15
    assert manager.get(f"{SETTINGS}/99").json["code"] == "version_not_found"  # type: ignore[index]


def test_live_assignments_are_shown_beside_the_settings(hall: Stage) -> None:
    plan = hall.hall.plan.window[WindowNo("1")]
    serves = tuple(one.id for one in hall.hall.plan.services if one.id not in plan.serves)[:1] + plan.serves
    hall.hall.handle(c.AssignServices(window=WindowNo("1"), serves=serves, relief=()), actor=CLOCK)
    live = hall.anybody("manager").get(SETTINGS).json["live"]  # type: ignore[index]
    assert ("1", True) in [(one["row"], one["live"]) for one in live]


# ----------------------------------------------------------------------------------------------- starts: file and page


def started(ledger: MemoryLedger, seed: Seed, *, take_file: bool = False) -> Hall:
    made = Hall(HALL, ledger, clock=Clock())
    begin(made, seed, take_file=take_file)
    return made


def rewritten(seed: Seed, text: str) -> Seed:
    seed.path.write_text(text, encoding="utf-8")
    return seed_of(seed.path)


def on_page(hall: Hall, seed: Seed, text: str) -> None:
    """Apply a text as the manager's page does."""
    plan = rewritten(seed, text).plan
    rewritten(seed, seed.text)
    after = hall.read(lambda state, _: state.edition.version if state.edition else 0)
    command = c.PlanHall(plan=plan, text=text, source=PlanSource.PAGE, by="boss", after=after)
    hall.handle(command, actor=CLOCK)


def target(hall: Hall) -> float:
    return hall.plan.services[0].target_wait_min


def test_the_file_counts_until_somebody_changes_the_hall_on_its_page(seed: Seed) -> None:
    ledger = MemoryLedger()
    hall = started(ledger, seed)
    assert hall.seq == 1
    assert started(ledger, seed).seq == 1, "the same file again is nothing new"
    assert target(started(ledger, rewritten(seed, LONGER))) == 25
    hall = started(ledger, rewritten(seed, TEXT))
    on_page(hall, seed, LONGEST)
    for text in (TEXT, LONGER):  # the old file, and one that was changed too
        again = started(ledger, rewritten(seed, text))
        assert target(again) == 45, "what was applied is never undone by a start"
        file = rewritten(seed, text)
        said = again.read(lambda state, _, file=file: unlike(state, file))  # type: ignore[misc]
        assert said is not None
        assert "boss" in said[0]
        assert "--take-file" in said[1]


def test_the_file_counts_again_once_it_says_what_runs(seed: Seed) -> None:
    ledger = MemoryLedger()
    on_page(started(ledger, seed), seed, LONGER)
    replaced = rewritten(seed, LONGER)
    hall = started(ledger, replaced)
    assert hall.read(lambda state, _: unlike(state, replaced)) is None
    assert target(started(ledger, rewritten(seed, LONGEST))) == 45


def test_a_start_may_take_the_file_all_the_same(seed: Seed) -> None:
    ledger = MemoryLedger()
    on_page(started(ledger, seed), seed, LONGER)
    assert target(started(ledger, rewritten(seed, LONGEST), take_file=True)) == 45
    assert target(started(ledger, rewritten(seed, TEXT))) == 15, "and counts from then on"


def test_a_file_that_differs_is_noted_and_the_hall_is_ready(hall: Stage) -> None:
    nobody = hall.nobody()
    assert nobody.http.get("/readyz").json["notes"] == []  # type: ignore[index]
    apply(hall.anybody("manager"), LONGER, 2)
    answer = nobody.http.get("/readyz")
    assert answer.status_code == 200
    (note,) = answer.json["notes"]  # type: ignore[index]
    assert "hall.toml differs" in note
    assert "manager" not in note, "everybody may ask"
    said = hall.anybody("manager").get(SETTINGS).json["file"]  # type: ignore[index]
    assert said["text"] == TEXT
    assert "第 3 版" in said["said"]["zh"]


# -------------------------------------------------------------------------------------------------- check --diff


def diff(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--lang", "en", "check", "--diff", *arguments])
    return result.exit_code, result.output


def test_check_diff_reads_the_ledger_of_a_data_folder(tmp_path: Path, seed: Seed) -> None:
    data = tmp_path / "var"
    data.mkdir()
    hall = Hall(HALL, SqliteLedger(data / f"{HALL}.sqlite"), clock=Clock())
    begin(hall, seed)
    hall.close()
    path = str(seed.path)
    assert diff(path, "--data", str(data))[0] == 0
    rewritten(seed, LONGER)
    code, said = diff(path, "--data", str(data))
    assert code == 1
    assert "[[service]] general (General): target_wait_min 25 -> 15" in said
    code, said = diff(path, "--data", str(data), "--format", "json")
    ((row,), code) = json.loads(said), code
    assert (code, row["version"]) == (1, 1)
    assert row["differences"][0]["zh"].endswith("target_wait_min 25 → 15")
    seed.path.write_text("[hall]\n", encoding="utf-8")
    assert diff(path, "--data", str(data))[0] == 2
    rewritten(seed, TEXT)
    assert diff(path, "--data", str(tmp_path / "nowhere"))[0] == 2
    assert diff(path, "--server", "http://127.0.0.1:9", "--token-file", path)[0] == 2
