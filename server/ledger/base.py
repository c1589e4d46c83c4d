"""What a ledger keeps and promises: all commits of one hall, in order, without holes, durable once acknowledged.

A commit is the events of one command with who asked, when and under which request key. Each commit carries the hash
of the one before, so that a changed, lost or swapped commit is found. Every store passes the same contract test
(tests/ledger/test_contract.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from server.domain.events import Event
from server.domain.terms import Actor, HallId

GENESIS = "0" * 64  # the hash before the first commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The events of one command. `at_ms`: Unix ms; `day`: business day (ISO); hashes are SHA-256 in hex.

    `body` is the stored form that a commit was read from, empty in one that was made here: an older version may have
    written it otherwise than this one would, and the hash is over what was written (`codec.stored_form`).
    """

    hall: HallId
    seq: int
    at_ms: int
    day: str
    actor: Actor
    events: tuple[Event, ...]
    key: str | None = None
    fingerprint: str = ""
    prev_hash: str = GENESIS
    hash: str = ""
    body: bytes = field(default=b"", compare=False, repr=False)


class Ledger(Protocol):
    """All commits of one hall."""

    def append(self, commits: Sequence[Commit]) -> None:
        """Make sealed commits durable, all or none. When it returns they survive a power cut.

        Raises:
            Stale: they do not follow the last commit or use a key of their day again; read what is new, decide again.
            LedgerDown: nothing was written; the store cannot be written now.
            LedgerUnknown: it may be written or not; trying again with the same keys finds out (shared stores only).
            LedgerDoubtful: the store failed in the middle; only a restart can tell what is written. It stays so.
        """

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`.

        Raises:
            LedgerBroken: a commit does not fit its hash or the one before it, or the store finds itself damaged.
            LedgerDown: the store cannot be read now.
        """

    def close(self) -> None:
        """Let go of the store."""


@runtime_checkable
class SharedLedger(Ledger, Protocol):
    """A ledger that several servers write at once."""

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after the one with this seq and hash that are as safe as `append` makes them.

        Raises:
            Stale: that commit is not in the ledger any more (the store lost it).
            LedgerUnknown: there is more, whoever wrote it, and nobody can say now whether it will last.
            LedgerBroken, LedgerDown: as `read`.
        """

    def gone(self) -> int:
        """Give up to which commit nothing can be read here, because only other servers have it; 0 when everything can.

        Raises:
            LedgerDown: the store cannot be asked now.
        """

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Wait until there is a commit with seq > `after`; False when there was none within the time.

        Raises:
            LedgerDown: the store cannot be asked now.
        """


class Stale(Exception):
    """Somebody else appended first; nothing was written."""


class LedgerDown(Exception):
    """The store cannot be written or read now (disk full, closed); nothing was written. Trying again may help."""


class LedgerUnknown(LedgerDown):
    """A shared store did not say whether it has written. The same request with the same key finds out, or does it."""


class ArchiveMissing(LedgerDown):
    """What is asked for lies in an archive that is not in its place. Nothing else is affected."""


class DiskFull(LedgerDown):
    """There is no space for it; nothing was written."""


class LedgerDoubtful(Exception):
    """A write failed in a way that leaves its outcome unknown. The process must stop and replay."""


class LedgerBroken(Exception):
    """The stored commits are damaged or contradict their hashes. Restore a backup; nothing is served from them."""
