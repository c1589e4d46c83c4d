"""Servers that are broken in one place, to see that a test sees it: each function breaks the process that calls it."""

from collections.abc import Callable, Mapping, Sequence

from server.ledger.base import Commit
from server.ledger.sqlite import SqliteLedger


def acknowledges_first() -> None:
    """Say that commits are written, and write them with the ones after."""
    real, late = SqliteLedger.append, list[Commit]()

    def append(self: SqliteLedger, commits: Sequence[Commit]) -> None:
        held, late[:] = list(late), list(commits)
        if held:
            real(self, held)

    SqliteLedger.append = append  # type: ignore[method-assign]


def trusts_the_disk() -> None:
    """Let SQLite not wait for the disk at a commit (synchronous=NORMAL), as its WAL form is often run."""
    real = SqliteLedger.append

    def append(self: SqliteLedger, commits: Sequence[Commit]) -> None:
        self._db.execute("PRAGMA synchronous=NORMAL")
        real(self, commits)

    SqliteLedger.append = append  # type: ignore[method-assign]


BROKEN: Mapping[str, Callable[[], None]] = {
    "acknowledges first": acknowledges_first,
    "trusts the disk": trusts_the_disk,
}
