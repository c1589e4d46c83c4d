"""A hall's past for tests: days that are played, written into a real ledger file as their server would have."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from server.domain import events as e
from server.domain.evolve import evolve
from server.domain.state import HallState
from server.domain.terms import CLOCK, HallPlan
from server.ledger import codec
from server.ledger.base import GENESIS, Commit
from server.ledger.sqlite import SqliteLedger
from server.simulate.play import Outcome, begin, play
from server.simulate.visits import Day


def write_past(folder: Path, plan: HallPlan, days: Iterable[Day], monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Play days one after the other and write what happened; give what came of them."""
    happened: list[tuple[int, str, e.Event]] = []

    def keeping(state: HallState, event: e.Event, *, at_ms: int) -> None:
        evolve(state, event, at_ms=at_ms)
        happened.append((at_ms, state.day or "", event))

    state, outcomes = HallState(), []
    with monkeypatch.context() as patch:
        patch.setattr("server.simulate.play.evolve", keeping)
        for day in days:
            begin(state, plan, day.day)
            outcomes.append(play(state, day))
    ledger = SqliteLedger(folder / f"{plan.hall}.sqlite")
    try:
        ledger.append(list(_chain(plan, happened)))
    finally:
        ledger.close()
    return outcomes


def _chain(plan: HallPlan, happened: Iterable[tuple[int, str, e.Event]]) -> Iterable[Commit]:
    before, last_ms = GENESIS, 0
    for seq, (at_ms, day, event) in enumerate(happened, start=1):
        last_ms = max(last_ms, at_ms)
        draft = Commit(hall=plan.hall, seq=seq, at_ms=last_ms, day=day, actor=CLOCK, events=(event,))
        commit = codec.seal(draft, before)
        before = commit.hash
        yield commit
