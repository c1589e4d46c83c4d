"""A ledger written by the first version is read for ever: the same commits, the same hashes, the same hall.

golden/v1.jsonl holds one [prev_hash, hash, stored form] per line, golden/v1.hall.json what the hall looked like after
it. They are never written again; a later version adds v2 beside them.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from server.domain.evolve import evolve
from server.domain.state import HallState
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken

GOLDEN = Path(__file__).parent / "golden"

# Names and fields as they were stored first. More may come, with defaults; none may go or change its meaning.
STORED = {
    "hall_planned": "plan",
    "day_opened": "day",
    "day_closed": "day",
    "ticket_issued": "ticket label number prefix service zone priority track ahead eta_p50_s eta_p80_s windows window "
    "language channel kiosk visitor",
    "ticket_called": "ticket label number window service zone priority waited_s call_count why reason",
    "ticket_recalled": "ticket label window call_count",
    "serving_started": "ticket label window walk_s call_count",
    "ticket_finished": "ticket label window service serve_s hold_s call_count",
    "ticket_missed": "ticket label window call_count",
    "ticket_reinstated": "ticket label since_ms",
    "no_show_recorded": "ticket label window call_count",
    "ticket_returned": "ticket label window reason",
    "ticket_held": "ticket label window call_count reason",
    "ticket_resumed": "ticket label window zone call_count",
    "ticket_transferred": "ticket label window from_service service zone to_window place since_ms reason",
    "ticket_cancelled": "ticket label window reason",
    "ticket_expired": "ticket label window",
    "reprint_requested": "ticket label kiosk",
    "ticket_rated": "ticket label window clerk grade",
    "window_opened": "window clerk",
    "window_paused": "window reason note",
    "window_resumed": "window",
    "window_closed": "window",
    "services_assigned": "window serves relief reason",
}


def read(name: str) -> list[Commit]:
    """Give the commits of a golden ledger."""
    commits = []
    head = GENESIS
    for line in (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        prev_hash, hash_, body = json.loads(line)
        assert prev_hash == head
        commits.append(codec.decode(body.encode(), prev_hash=prev_hash, hash_=hash_))
        head = hash_
    return commits


def picture(commits: list[Commit]) -> dict[str, Any]:
    """Give what the hall looks like after the commits, in plain words: {day, tickets: {...}, windows: {...}}."""
    state = HallState()
    for commit in commits:
        for event in commit.events:
            evolve(state, event, at_ms=commit.at_ms)
    return {
        "day": state.day,
        "numbers": state.numbers,
        "tickets": {
            it.id: [it.status, it.service, it.window, it.since_ms, it.called_ms, it.finished_ms, it.grade]
            for it in state.tickets.values()
        },
        "windows": {
            no: [it.clerk, it.paused, it.current, list(it.serves), list(it.relief), it.held, it.missed, it.served_today]
            for no, it in state.windows.items()
        },
        "waiting": sorted(spot[2] for lane in state.lanes.values() for spot in lane),
    }


def test_a_ledger_of_the_first_version_gives_the_same_hall() -> None:
    commits = read("v1")
    assert json.loads((GOLDEN / "v1.hall.json").read_text(encoding="utf-8")) == picture(commits)


def test_the_golden_ledger_holds_every_event_there_was() -> None:
    kinds = {codec.STORED_NAME[type(event)] for commit in read("v1") for event in commit.events}
    assert kinds == set(STORED)


def test_stored_names_and_fields_are_never_taken_away() -> None:
    for name, words in STORED.items():
        now = [it.name for it in fields(codec.NAMES[name])]
        assert set(words.split()) <= set(now), name
    assert [it.name for it in fields(Commit)][:6] == ["hall", "seq", "at_ms", "day", "actor", "events"]


def test_a_form_of_a_later_version_is_refused_with_advice() -> None:
    commit = read("v1")[0]
    body = codec.encode(commit).replace(b'"v":1', b'"v":2')
    with pytest.raises(LedgerBroken, match="newer version"):
        codec.decode(body, prev_hash=GENESIS, hash_=codec.chain(GENESIS, body))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"v":1}', b"null"])
def test_what_is_no_commit_is_refused(body: bytes) -> None:
    with pytest.raises(LedgerBroken):
        codec.decode(body, prev_hash=GENESIS, hash_=codec.chain(GENESIS, body))


def test_an_unknown_event_is_refused() -> None:
    body = codec.encode(read("v1")[0]).replace(b'"hall_planned"', b'"hall_painted"')
    with pytest.raises(LedgerBroken):
        codec.decode(body, prev_hash=GENESIS, hash_=codec.chain(GENESIS, body))
