"""A ledger in memory, for tests and simulations: the same promises while the process lives."""

from collections.abc import Iterator, Sequence
from threading import Lock

from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken, Stale


class MemoryLedger:
    """Keeps the stored bytes, so that what cannot be stored fails here too."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: list[tuple[bytes, str, str]] = []
        self._keys: set[tuple[str, str]] = set()
        self._lock = Lock()

    def append(self, commits: Sequence[Commit]) -> None:
        """Keep sealed commits, all or none."""
        with self._lock:
            rows: list[tuple[bytes, str, str]] = []
            keys: set[tuple[str, str]] = set()
            head = self._rows[-1][2] if self._rows else GENESIS
            for number, commit in enumerate(commits, len(self._rows) + 1):
                if commit.seq != number or commit.prev_hash != head:
                    raise Stale(f"commit {commit.seq} does not follow {number - 1}")
                if commit.key is not None:
                    if (commit.day, commit.key) in self._keys or (commit.day, commit.key) in keys:
                        raise Stale(f"commit {commit.seq} uses a key again")
                    keys.add((commit.day, commit.key))
                rows.append((codec.encode(commit), commit.prev_hash, commit.hash))
                head = commit.hash
            self._rows.extend(rows)
            self._keys |= keys

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""
        end = None if limit is None else after + limit
        last = self._rows[after - 1][2] if 0 < after <= len(self._rows) else GENESIS
        for seq, (body, prev_hash, hash_) in enumerate(self._rows[after:end], after + 1):
            commit = codec.decode(body, prev_hash=prev_hash, hash_=hash_)
            if commit.seq != seq or prev_hash != last:
                raise LedgerBroken(f"commit {commit.seq} does not follow {seq - 1}")
            yield commit
            last = hash_

    def close(self) -> None:
        """Nothing to let go of."""
