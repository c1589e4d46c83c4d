"""A ledger in memory, for tests and simulations: the same promises while the process lives."""

from collections.abc import Iterator, Sequence
from threading import Condition, Lock

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


class SharedMemoryLedger(MemoryLedger):
    """A ledger in memory that several halls of one process write at once, as servers do in Redis."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._news = Condition()

    def append(self, commits: Sequence[Commit]) -> None:
        """Keep sealed commits, all or none, and tell who waits."""
        super().append(commits)
        with self._news:
            self._news.notify_all()

    def since(self, seq: int, head: str) -> Iterator[Commit]:
        """Give the commits after the one with this seq and hash.

        Raises:
            Stale: there is no such commit.
        """
        if seq and (len(self._rows) < seq or self._rows[seq - 1][2] != head):
            raise Stale(f"commit {seq} is another one")
        yield from self.read(seq)

    def wait_for_news(self, after: int, within_s: float) -> bool:
        """Wait until there is a commit with seq > `after`; False when there was none within the time."""
        with self._news:
            return self._news.wait_for(lambda: len(self._rows) > after, within_s)

    def gone(self) -> int:
        """Nothing leaves memory."""
        return 0
