"""The checker: what clients were told against what the ledger holds after all faults.

Rules (after Jepsen's total-queue and TigerBeetle's client ids): L1 seq dense and hashes chained, L2 each key once,
L3 every acknowledged key is there once, L4 with the acknowledged result, L5 nothing refused is there, T1/T2 numbers
unique and dense per day and prefix.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain import events as e
from server.ledger import codec
from server.ledger.base import GENESIS, Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client was told: `result` is the ticket or what was called, None is a refusal."""

    key: str
    result: str | None


def result_of(commit: Commit) -> str:
    """Give what a commit's answer says, in short."""
    last = commit.events[-1]
    return f"{type(last).__name__} {getattr(last, 'ticket', '')}"


def faults(commits: Iterable[Commit], answers: Iterable[Answer]) -> list[str]:
    """Give every broken rule, in words; empty is good."""
    found: list[str] = []
    by_key: dict[str, Commit] = {}
    numbers: dict[tuple[str, str], list[int]] = {}
    called: set[str] = set()
    head, seq, day = GENESIS, 0, ""
    for commit in commits:
        if commit.seq != seq + 1 or commit.prev_hash != head or codec.seal(commit, head).hash != commit.hash:
            found.append(f"L1 commit {commit.seq} after {seq}")
        head, seq = commit.hash, commit.seq
        if commit.key is not None:
            if commit.key in by_key:
                found.append(f"L2 key {commit.key} twice")
            by_key[commit.key] = commit
        for event in commit.events:
            match event:
                case e.DayOpened():
                    day = event.day
                case e.TicketIssued():
                    numbers.setdefault((day, event.prefix), []).append(event.number)
                case e.TicketCalled():
                    if event.ticket in called:
                        found.append(f"C2 {event.ticket} called twice")
                    called.add(event.ticket)
                case _:
                    pass
    for answer in answers:
        commit_ = by_key.get(answer.key)
        if answer.result is None:
            if commit_ is not None:
                found.append(f"L5 key {answer.key} was refused and written")
        elif commit_ is None:
            found.append(f"L3 key {answer.key} was acknowledged and is lost")
        elif result_of(commit_) != answer.result:
            found.append(f"L4 key {answer.key}: told {answer.result}, kept {result_of(commit_)}")
    for series, given in numbers.items():
        if given != list(range(1, len(given) + 1)):
            found.append(f"T1/T2 {series}: {given}")
    return found
