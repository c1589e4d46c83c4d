"""Commits as bytes: stored names of events and the hash chain.

The stored form is one JSON object per commit; an event is `[name, fields]`. Names are fixed for ever and are never
class paths: a class may move or be renamed, its stored name may not. The hash covers the previous hash and every byte
of the stored form.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, get_args

import msgspec

from server.domain import events as e
from server.domain.terms import Actor, HallId
from server.ledger.base import Commit, LedgerBroken

VERSION = 1

NAMES: Mapping[str, type[e.Event]] = {
    "hall_planned": e.HallPlanned,
    "day_opened": e.DayOpened,
    "day_closed": e.DayClosed,
    "ticket_issued": e.TicketIssued,
    "ticket_called": e.TicketCalled,
    "ticket_recalled": e.TicketRecalled,
    "serving_started": e.ServingStarted,
    "ticket_finished": e.TicketFinished,
    "legs_planned": e.LegsPlanned,
    "leg_finished": e.LegFinished,
    "ticket_missed": e.TicketMissed,
    "ticket_reinstated": e.TicketReinstated,
    "no_show_recorded": e.NoShowRecorded,
    "ticket_returned": e.TicketReturned,
    "move_undone": e.MoveUndone,
    "ticket_held": e.TicketHeld,
    "ticket_resumed": e.TicketResumed,
    "ticket_transferred": e.TicketTransferred,
    "ticket_cancelled": e.TicketCancelled,
    "ticket_expired": e.TicketExpired,
    "reprint_requested": e.ReprintRequested,
    "ticket_rated": e.TicketRated,
    "window_opened": e.WindowOpened,
    "window_paused": e.WindowPaused,
    "window_resumed": e.WindowResumed,
    "window_closed": e.WindowClosed,
    "services_assigned": e.ServicesAssigned,
    "notice_given": e.NoticeGiven,
    "result_awaited": e.ResultAwaited,
    "result_ready": e.ResultReady,
    "ticket_back": e.TicketBack,
    "case_number_noted": e.CaseNumberNoted,
    "appointment_booked": e.AppointmentBooked,
    "appointment_cancelled": e.AppointmentCancelled,
    "appointment_kept": e.AppointmentKept,
    "appointment_missed": e.AppointmentMissed,
    "case_opened": e.CaseOpened,
    "case_received": e.CaseReceived,
    "case_taken": e.CaseTaken,
    "case_logged": e.CaseLogged,
    "case_finished": e.CaseFinished,
    "case_withdrawn": e.CaseWithdrawn,
    "case_handed_over": e.CaseHandedOver,
    "case_handover_confirmed": e.CaseHandoverConfirmed,
    "case_reported_back": e.CaseReportedBack,
    "case_handover_due": e.CaseHandoverDue,
    "case_overdue": e.CaseOverdue,
    "case_appealed": e.CaseAppealed,
    "appeal_decided": e.AppealDecided,
    "window_handed_over": e.WindowHandedOver,
    "held_moved": e.HeldMoved,
    "window_left_alone": e.WindowLeftAlone,
    "roll_announced": e.RollAnnounced,
    "roll_ended": e.RollEnded,
    "block_leased": e.BlockLeased,
    "block_returned": e.BlockReturned,
    "announced": e.Announced,
    "announcement_ended": e.AnnouncementEnded,
    "balance_applied": e.BalanceApplied,
    "balance_declined": e.BalanceDeclined,
    "balance_undone": e.BalanceUndone,
    "balance_judged": e.BalanceJudged,
    "balance_limits_set": e.BalanceLimitsSet,
    "relief_called": e.ReliefCalled,
    "relief_ended": e.ReliefEnded,
    "tide_turned": e.TideTurned,
}
STORED_NAME = {event: name for name, event in NAMES.items()}

if set(STORED_NAME) != set(get_args(e.Event)):
    raise AssertionError("every event needs a stored name")


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A commit as it is stored; the two hashes stand beside it."""

    v: int
    hall: str
    seq: int
    at_ms: int
    day: str
    actor: Actor
    key: str | None
    fingerprint: str
    events: list[tuple[str, msgspec.Raw]]


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(_Stored)
_EVENT_DECODERS = {name: msgspec.json.Decoder(event) for name, event in NAMES.items()}


def encode(commit: Commit) -> bytes:
    """Give the stored form of a commit, without its hashes."""
    events = [(STORED_NAME[type(event)], msgspec.Raw(_ENCODER.encode(event))) for event in commit.events]
    stored = _Stored(
        v=VERSION,
        hall=commit.hall,
        seq=commit.seq,
        at_ms=commit.at_ms,
        day=commit.day,
        actor=commit.actor,
        key=commit.key,
        fingerprint=commit.fingerprint,
        events=events,
    )
    return _ENCODER.encode(stored)


def decode(body: bytes, *, prev_hash: str, hash_: str) -> Commit:
    """Give the commit of a stored form.

    Raises:
        LedgerBroken: the bytes do not fit the hash, or are no commit this version can read.
    """
    if chain(prev_hash, body) != hash_:
        raise LedgerBroken("a commit does not fit its hash")
    try:
        stored = _DECODER.decode(body)
        if stored.v > VERSION:
            raise LedgerBroken(f"commit {stored.seq} was written by a newer version (form {stored.v}): update first")
        events = tuple(_EVENT_DECODERS[name].decode(raw) for name, raw in stored.events)
    except (msgspec.MsgspecError, KeyError) as error:
        raise LedgerBroken(f"a commit cannot be read: {error}") from error
    return Commit(
        hall=HallId(stored.hall),
        seq=stored.seq,
        at_ms=stored.at_ms,
        day=stored.day,
        actor=stored.actor,
        events=events,
        key=stored.key,
        fingerprint=stored.fingerprint,
        prev_hash=prev_hash,
        hash=hash_,
        body=body,
    )


def stored_form(commit: Commit) -> bytes:
    """Give the stored form of a commit as it was written, by whichever version."""
    return commit.body or encode(commit)


def seal(commit: Commit, prev_hash: str) -> Commit:
    """Give the commit with its place in the hash chain."""
    return replace(commit, prev_hash=prev_hash, hash=chain(prev_hash, encode(commit)), body=b"")


def chain(prev_hash: str, body: bytes) -> str:
    """Give the hash of a stored commit that follows `prev_hash` (SHA-256, hex)."""
    return hashlib.sha256(prev_hash.encode() + body).hexdigest()


def to_wire(commit: Commit) -> dict[str, Any]:
    """Give a commit for auditors: {hall, seq, at_ms, day, key, actor, events: [[name, fields]], prev_hash, hash, body}.

    `body` is the stored form as text, over which the hash is made: `hash` = SHA-256(`prev_hash` + `body`), in UTF-8.
    """
    events = [[STORED_NAME[type(event)], msgspec.to_builtins(event)] for event in commit.events]
    return {
        "hall": commit.hall,
        "seq": commit.seq,
        "at_ms": commit.at_ms,
        "day": commit.day,
        "key": commit.key,
        "actor": asdict(commit.actor),
        "events": events,
        "prev_hash": commit.prev_hash,
        "hash": commit.hash,
        "body": stored_form(commit).decode(),
    }
