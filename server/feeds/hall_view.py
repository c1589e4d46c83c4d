"""What a follower needs of a hall: the durable state, the tail of its commits, and to be woken."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from server.domain.state import HallState
from server.domain.terms import HallId
from server.ledger.base import Commit

T = TypeVar("T")


class HallView(Protocol):
    """A hall as its followers see it; `server.hall.Hall` is one."""

    id: HallId

    @property
    def seq(self) -> int:
        """The last durable commit."""

    @property
    def is_shared(self) -> bool:
        """Whether other servers work on this hall, too."""

    @property
    def sure_s(self) -> float:
        """When it last was sure to know every commit (monotonic)."""

    def now_ms(self) -> int:
        """Give the hall's time in Unix ms."""

    def clock_is_behind(self) -> bool:
        """Say whether the machine's clock shows less than the ledger: the hall's time stands still until then."""

    def read(self, question: Callable[[HallState, int], T]) -> T:
        """Give the answer to a question about the durable state: question(state, seq)."""

    def commits(self, after: int, limit: int) -> Sequence[Commit]:
        """Give the commits with seq > `after` in order, at most `limit`."""

    def gone(self) -> int:
        """Give up to which commit nothing can be read here, because only other servers have it; as a rule 0."""

    def follow(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each durable write; it must only set a flag."""
