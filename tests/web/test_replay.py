"""Past days played again: the manager's picture as it stood, for who may read reports, at a bounded cost."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from server import replay
from server.domain import commands as c
from server.domain.terms import CLOCK, PauseReason, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.base import Commit, LedgerBroken
from server.projections.manager import manager
from server.replay import Film, Kind, Replays
from tests.patience import PATIENCE_S
from tests.web.stage import HALL, NINE_MS, Clock, Stage, make_hall
from tests.web.test_visit import ok, problem

DAY, NEXT = "2026-03-02", "2026-03-03"
DAY_S = 24 * 3600
HERE = f"/halls/{HALL}/replay"


def do(stage: Stage, command: c.Command) -> None:
    stage.hall.handle(command, actor=CLOCK)


def busy(stage: Stage) -> list[tuple[int, bytes]]:
    """Let a day happen, slip and undo included; give (instant, picture without names) after each command."""
    seen: list[tuple[int, bytes]] = []

    def then(command: c.Command, seconds: float = 60.0) -> None:
        do(stage, command)
        seen.append((stage.clock.ms, picture_of(stage.hall)))
        stage.clock.forward(seconds)

    then(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("7701")))
    for number in range(8):
        then(c.IssueTicket(service=ServiceId("general"), track=Track(f"track-{number:017d}")))
    then(c.CallNext(window=WindowNo("1")), 20)
    then(c.StartServing(window=WindowNo("1")), 300)
    then(c.Finish(window=WindowNo("1")), 2)
    then(c.Undo(window=WindowNo("1")), 30)
    then(c.Finish(window=WindowNo("1")), 30)
    then(c.AssignServices(window=WindowNo("1"), serves=(ServiceId("general"),), relief=(ServiceId("tax"),)))
    then(c.PauseWindow(window=WindowNo("1"), reason=PauseReason.LUNCH), 3600)
    then(c.ResumeWindow(window=WindowNo("1")))
    return seen


def picture_of(hall: Hall) -> bytes:
    return msgspec.json.encode(hall.read(lambda state, _: manager(state, names={})))


def film_of(replays: Replays, hall: Hall, day: str) -> Film:
    film = replays.film(hall, day, opens_after=0, within_s=PATIENCE_S)
    assert isinstance(film, Film)
    return film


def test_every_instant_shows_what_the_live_picture_showed_then(stage: Stage) -> None:
    seen = busy(stage)
    stage.clock.forward(DAY_S)
    do(stage, c.StartDay())
    film = film_of(Replays(), stage.hall, DAY)
    for order in (seen, list(reversed(seen)), seen[::3]):  # forwards, backwards, and by leaps
        for at_ms, live in order:
            assert film.show(at_ms, lambda state, *_: msgspec.json.encode(manager(state, names={}))) == live
    assert film.end_seq is not None


def test_a_move_that_was_taken_back_stands_until_it_was(stage: Stage) -> None:
    seen = busy(stage)
    film = film_of(Replays(), stage.hall, DAY)
    finished_ms, undone_ms = seen[11][0], seen[12][0]

    def is_busy(at_ms: int) -> bool:
        return film.show(at_ms, lambda state, _seq, _next: state.windows[WindowNo("1")].current is not None)

    assert not is_busy(finished_ms)
    assert not is_busy(undone_ms - 1)
    assert is_busy(undone_ms)
    assert Kind.MOVE_UNDONE in [it.kind for it in film.marks]


def test_marks_say_what_happened_and_when_a_zone_went_over_its_target(stage: Stage) -> None:
    busy(stage)
    film = film_of(Replays(), stage.hall, DAY)
    kinds = [it.kind for it in film.marks]
    assert kinds[0] is Kind.WINDOW_OPENED
    assert {Kind.DUTIES_CHANGED, Kind.WINDOW_PAUSED, Kind.OVER_TARGET} <= set(kinds)
    (over,) = [it for it in film.marks if it.kind is Kind.OVER_TARGET]
    assert over.zone == "general"
    assert over.at_ms == NINE_MS + 60_000 + 20 * 60_000 + 60_000  # the second one, whom nobody called
    assert max(film.waiting) == 7


def test_the_day_that_lasts_grows(stage: Stage) -> None:
    busy(stage)
    replays = Replays()
    before = film_of(replays, stage.hall, DAY).ends_ms
    stage.issue("tax")
    film = film_of(replays, stage.hall, DAY)
    assert film.ends_ms > before
    assert film.end_seq is None


def test_a_start_that_was_kept_is_used_and_one_that_does_not_fit_is_not(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(stage)
    stage.clock.forward(DAY_S)
    do(stage, c.StartDay())
    stage.issue()
    stage.clock.forward(DAY_S)
    do(stage, c.StartDay())
    asked: list[int] = []
    read = stage.hall.commits

    def commits(after: int, limit: int) -> list[Commit]:
        asked.append(after)
        return read(after, limit)

    monkeypatch.setattr(stage.hall, "commits", commits)
    film_of(Replays(tmp_path), stage.hall, NEXT)
    assert min(asked) == 0
    kept = tmp_path / HALL / f"{NEXT}.snapshot"
    assert kept.is_file()
    asked.clear()
    again = film_of(Replays(tmp_path), stage.hall, NEXT)
    assert min(asked) > 10  # from the start that was kept, not from the first commit on
    kept.write_bytes(kept.read_bytes()[:-9] + b"lightning")
    asked.clear()
    healed = film_of(Replays(tmp_path), stage.hall, NEXT)
    assert healed.waiting == again.waiting
    other = make_hall(HALL, Clock())  # the same name, another ledger
    with pytest.raises(LedgerBroken):
        film_of(Replays(tmp_path), other, NEXT)


def test_over_http_a_day_is_told_and_shown_at_any_instant(stage: Stage) -> None:
    seen = busy(stage)
    auditor = stage.person("auditor")
    answer: dict[str, Any] = ok(auditor.get(f"{HERE}?date={DAY}"))
    assert (answer["status"], answer["done"]) == ("ready", 1.0)
    film = answer["film"]
    assert film["begins_at"].startswith("2026-03-02T09:00:00")
    assert not film["over"]
    assert film["hall"]["hall"] == HALL
    at = "2026-03-02T09:03:30%2B08:00"
    shown = ok(auditor.get(f"{HERE}/picture?date={DAY}&at={at}"))
    assert shown["next_at"].startswith("2026-03-02T09:04:00")
    live = msgspec.json.decode(next(live for at_ms, live in reversed(seen) if at_ms <= seen[0][0] + 210_000))
    assert [it["waiting"] for it in shown["picture"]["zones"]] == [it["waiting"] for it in live["zones"]]
    assert shown["picture"]["devices"] == []
    assert shown["balance"]["zones"][0]["waiting"] == 3
    late = ok(auditor.get(f"{HERE}/picture?date={DAY}&at=2026-03-02T23:00:00%2B08:00"))
    assert late["at"] == film["ends_at"]


def test_what_cannot_be_played_is_refused_with_a_sentence(stage: Stage) -> None:
    manager_ = stage.person("manager")
    problem(manager_.get(f"{HERE}?date=2026-03-01"), 404, "day_not_found")
    problem(manager_.get(f"{HERE}?date=2031-01-01"), 404, "day_not_found")
    problem(manager_.get(f"{HERE}?date=2026-02-30"), 400, "bad_request")
    problem(manager_.get(f"{HERE}/picture?date={DAY}&at=noon"), 422, "invalid")
    problem(stage.person("clerk", window="1", hall=HALL).get(f"{HERE}?date={DAY}"), 403, "not_allowed")


def test_while_a_day_is_prepared_the_answer_says_how_far_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(stage)
    manager_ = stage.person("manager")
    monkeypatch.setattr(Replays, "film", lambda *_, **__: 0.25)
    answer = ok(manager_.get(f"{HERE}?date={DAY}"))
    assert (answer["status"], answer["done"], answer["film"]) == ("preparing", 0.25, None)
    problem(manager_.get(f"{HERE}/picture?date={DAY}&at=2026-03-02T09:00:00%2B08:00"), 409, "replay_preparing")


def test_days_in_memory_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "DAYS_MAX", 1)
    stage.issue()
    stage.clock.forward(DAY_S)
    do(stage, c.StartDay())
    replays = Replays()
    first = film_of(replays, stage.hall, DAY)
    film_of(replays, stage.hall, NEXT)
    assert film_of(replays, stage.hall, DAY) is not first
