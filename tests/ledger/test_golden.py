"""A ledger written by the first version is read for ever: the same commits, the same hashes, the same hall.

golden/v1.jsonl holds one [prev_hash, hash, stored form] per line, golden/v1.hall.json what the hall looked like after
it; v2 has what the second version can do besides: legs, visits away, appointments, cases, hand-overs, paper rolls, and
a plan with everything a hall file may say; v3 adds announcements and live rebalancing with relief and tides;
v4 adds moves that were taken back, and numbers that kiosks give by themselves. They are never written again; a later
version adds v5 beside them.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from server.domain.evolve import evolve
from server.domain.state import HallState
from server.ledger import codec
from server.ledger.audit import audit
from server.ledger.base import GENESIS, Commit, LedgerBroken

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_NAMES = ("v1", "v2", "v3", "v4")

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

# What came with the second version.
STORED_2: dict[str, str] = {
    "ticket_issued": "base_url case_number appointment pressed_ms",
    "legs_planned": "ticket label window services done unserved",
    "leg_finished": "ticket label window service serve_s hold_s call_count next_service zone since_ms unserved",
    "window_resumed": "status",
    "notice_given": "ticket label window service items note away serve_s hold_s call_count",
    "result_awaited": "ticket label window service serve_s hold_s call_count pickup zone case_number",
    "result_ready": "case_number pickup visitor ticket label note",
    "ticket_back": "ticket label service zone since_ms why",
    "case_number_noted": "ticket label case_number matter_code",
    "appointment_booked": "id code service day starts_ms ends_ms visitor channel external",
    "appointment_cancelled": "id service by_staff reason",
    "appointment_kept": "id ticket label late",
    "appointment_missed": "id service visitor",
    "case_opened": "case kind agent service client visitor ticket label note window clerk grade "
    "visit_at_ms due elsewhere",
    "case_received": "case kind from_hall from_case client matter note due",
    "case_taken": "case agent",
    "case_logged": "case by note items",
    "case_finished": "case by outcome",
    "case_withdrawn": "case by reason",
    "case_handed_over": "case by to_hall kind client matter note due",
    "case_handover_confirmed": "case to_hall their_case",
    "case_reported_back": "case from_hall their_case outcome done",
    "case_handover_due": "case closes_ms",
    "case_overdue": "case due",
    "case_appealed": "case by reason",
    "appeal_decided": "case by upheld note ticket",
    "window_handed_over": "window from_clerk clerk ticket held reason",
    "held_moved": "window to_window held missed reason",
    "window_left_alone": "window clerk idle_s",
    "roll_announced": "prefix service first last note",
    "roll_ended": "prefix given",
    "announced": "text emergency spoken until_ms",
    "announcement_ended": "reason",
    "balance_applied": "change suggestion by window zone on services gain_min before_min after_min",
    "balance_declined": "suggestion by until_ms",
    "balance_undone": "change by reason",
    "balance_judged": "change calls was_min",
    "balance_limits_set": "limits by",
    "relief_called": "zone wait_min waiting windows",
    "relief_ended": "zone",
    "tide_turned": "window tide",
    "block_leased": "kiosk prefix first last",
    "block_returned": "kiosk prefix first last given reason",
}

# What came with the third version.
STORED_3: dict[str, str] = {
    "move_undone": "ticket label window undone status call_count",
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


def whole_picture(commits: list[Commit]) -> dict[str, Any]:
    """Give what else a hall of the second version knows: {seen: as above, legs: {...}, appointments: {...}, ...}."""
    state = HallState()
    for commit in commits:
        for event in commit.events:
            evolve(state, event, at_ms=commit.at_ms)
    return {
        "seen": picture(commits),
        "legs": {
            it.id: [it.why, it.contact, list(it.legs_planned), [[leg.service, leg.window] for leg in it.legs_done]]
            for it in state.tickets.values()
        },
        "away": {
            no: [[id_, state.tickets[id_].away_for, list(state.tickets[id_].notice)] for id_ in window.away]
            for no, window in state.windows.items()
        },
        "numbers": [[it.id, it.case_number, it.matter_code, it.channel, it.kiosk] for it in state.tickets.values()],
        "appointments": {
            it.id: [
                it.status,
                it.service,
                it.day,
                it.starts_ms,
                it.ends_ms,
                it.visitor,
                it.ticket,
                it.code,
                it.external,
            ]
            for it in state.appointments.values()
        },
        "results": {it.case_number: [it.pickup, it.visitor, it.ticket, it.note] for it in state.results.values()},
        "cases": {
            it.id: [
                *(
                    it.kind,
                    it.status,
                    it.agent,
                    it.service,
                    it.client,
                    it.clerk,
                    it.grade,
                    it.due,
                    it.to_hall,
                    it.appeal,
                ),
                *(
                    it.overdue,
                    it.elsewhere,
                    list(it.origin or ()),
                    [[step.what, step.by, step.note] for step in it.steps],
                ),
            ]
            for it in state.cases.values()
        },
        "struck": sorted(state.struck),
        "rolls": {it.prefix: [it.service, it.first, it.last, it.given] for it in state.rolls.values()},
        "in_a_row": state.in_a_row,
        "kiosk_issued": state.kiosk_issued,
        "plan": [
            *(state.plan.fairness.ratio, state.plan.left_alone_min, state.plan.bookings.days_ahead),
            *(
                state.plan.ratings.bad_grade,
                list(state.plan.agency.partners),
                [*state.plan.kiosk],
                [*state.plan.tenant],
            ),
            [[it.id, it.kind, it.tenant] for it in state.plan.zones],
            [[it.id, it.kind, list(it.flags), list(it.legs), it.appointments] for it in state.plan.services],
            [[it.no, it.staffed, it.decides] for it in state.plan.windows],
            [[it.work_id, it.employment, it.chief] for it in state.plan.posts],
        ],
    }


def third_picture(commits: list[Commit]) -> dict[str, Any]:
    """Give what else a hall of the third version knows: announcements and live rebalancing."""
    state = HallState()
    for commit in commits:
        for event in commit.events:
            evolve(state, event, at_ms=commit.at_ms)
    told, balancing = state.announcement, state.balancing
    return {
        "seen": picture(commits),
        "announcement": told and [dict(told.text), told.emergency, told.spoken, told.since_ms, told.until_ms],
        "limits": [
            *(balancing.limits.mode, balancing.limits.at_once, balancing.limits.hold_min),
            *(balancing.limits.relief_heat, list(balancing.limits.windows or ())),
        ],
        "changes": [
            [it.id, it.at_ms, it.by, it.window, it.zone, it.on, list(it.services), it.calls, it.was_min, it.undone_ms]
            for it in balancing.changes
        ],
        "declined": balancing.declined,
        "relief": sorted(balancing.relief),
        "tides": balancing.tides,
        "trained": [[it.no, list(it.trained), [tide.id for tide in it.tides]] for it in state.plan.windows],
    }


def fourth_picture(commits: list[Commit]) -> dict[str, Any]:
    """Give what else a hall of the fourth version knows: blocks of numbers leased to kiosks, and who came when."""
    state = HallState()
    for commit in commits:
        for event in commit.events:
            evolve(state, event, at_ms=commit.at_ms)
    return {
        "seen": picture(commits),
        "leases": {
            it.label: [it.kiosk, it.prefix, it.first, it.last, it.given, it.leased_ms, it.given_ms, it.open]
            for it in state.leases.values()
        },
        "came": {it.id: [it.issued_ms, it.channel, it.ahead, it.track] for it in state.tickets.values()},
    }


def test_a_ledger_of_the_first_version_gives_the_same_hall() -> None:
    commits = read("v1")
    assert json.loads((GOLDEN / "v1.hall.json").read_text(encoding="utf-8")) == picture(commits)


def test_a_ledger_of_the_second_version_gives_the_same_hall() -> None:
    expected = json.loads((GOLDEN / "v2.hall.json").read_text(encoding="utf-8"))
    assert expected == json.loads(json.dumps(whole_picture(read("v2"))))


def test_a_ledger_of_the_third_version_gives_the_same_hall() -> None:
    expected = json.loads((GOLDEN / "v3.hall.json").read_text(encoding="utf-8"))
    assert expected == json.loads(json.dumps(third_picture(read("v3"))))


def test_a_ledger_of_the_fourth_version_gives_the_same_hall() -> None:
    expected = json.loads((GOLDEN / "v4.hall.json").read_text(encoding="utf-8"))
    assert expected == json.loads(json.dumps(fourth_picture(read("v4"))))


def test_a_golden_ledger_is_one_that_a_hall_may_write() -> None:
    for name in GOLDEN_NAMES:  # the chain is checked over the stored bytes: written again they have newer fields too
        assert [it for it in audit(read(name)) if it.rule != "L1"] == []


def test_every_event_that_can_be_stored_is_in_a_golden_ledger() -> None:
    kinds = {
        codec.STORED_NAME[type(event)] for name in GOLDEN_NAMES for commit in read(name) for event in commit.events
    }
    assert kinds == set(codec.NAMES)


def test_the_golden_ledger_holds_every_event_there_was() -> None:
    kinds = {codec.STORED_NAME[type(event)] for commit in read("v1") for event in commit.events}
    assert kinds == set(STORED)


def test_stored_names_and_fields_are_never_taken_away() -> None:
    for name, words in (*STORED.items(), *STORED_2.items(), *STORED_3.items()):
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
