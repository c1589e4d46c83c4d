"""Chains of commits for ledger tests."""

from collections.abc import Iterable

from server.domain import events as e
from server.domain.terms import Actor, ActorKind, HallId, WindowNo, WorkId
from server.ledger import codec
from server.ledger.base import GENESIS, Commit

CLERK = Actor(kind=ActorKind.PERSON, id="clerk-7", source="127.0.0.1")


def chain_of(count: int, after: Commit | None = None, *, keys: Iterable[str] = (), note: str = "") -> list[Commit]:
    """Give sealed commits that follow `after` (or begin a ledger)."""
    keyed = iter(keys)
    found: list[Commit] = []
    last = after
    for _ in range(count):
        seq = last.seq + 1 if last else 1
        draft = Commit(
            hall=HallId("test"),
            seq=seq,
            at_ms=1_700_000_000_000 + seq,
            day="2026-03-02",
            actor=CLERK,
            events=(
                e.WindowOpened(window=WindowNo(str(seq)), clerk=WorkId(f"员工{seq}{note}")),
                e.WindowResumed(window=WindowNo("1")),
            ),
            key=next(keyed, None),
            fingerprint="f",
        )
        last = codec.seal(draft, last.hash if last else GENESIS)
        found.append(last)
    return found
