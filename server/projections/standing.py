"""What stands of a day: its events without the moves that were taken back within seconds, and without the taking back.

Whoever counts a day (reports, months, ratings, past days played again) counts what is true; the ledger and the history
of a ticket show both the slip and that it was taken back.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from server.domain import events as e
from server.domain.slips import UNDOABLE, WITHIN_MS

T = TypeVar("T")


class Standing(Generic[T]):
    """Items with an event each, kept for the few seconds in which it may still be taken back.

    `key` gives (at_ms, event) of an item.
    """

    def __init__(self, key: Callable[[T], tuple[int, e.Event]]) -> None:
        """Begin with none."""
        self._key, self._kept = key, deque[T]()

    def take(self, item: T) -> Iterator[T]:
        """Take the next item and give those that stand from now on."""
        at_ms, event = self._key(item)
        while self._kept and self._key(self._kept[0])[0] < at_ms - WITHIN_MS:
            yield self._kept.popleft()
        if isinstance(event, e.MoveUndone):
            self._drop(event)
        else:
            self._kept.append(item)

    def rest(self) -> Iterator[T]:
        """Give what is left at the end."""
        while self._kept:
            yield self._kept.popleft()

    def _drop(self, undone: e.MoveUndone) -> None:
        """Forget the move that was taken back: the last one of that kind of the visit."""
        for place in range(len(self._kept) - 1, -1, -1):
            event = self._key(self._kept[place])[1]
            if UNDOABLE.get(type(event)) is undone.undone and getattr(event, "ticket", None) == undone.ticket:
                del self._kept[place]
                return


def standing(events: Iterable[tuple[int, e.Event]]) -> Iterator[tuple[int, e.Event]]:
    """Give the (at_ms, event) pairs that stand, in their order."""
    return standing_of(events, key=lambda pair: pair)


def standing_of(items: Iterable[T], *, key: Callable[[T], tuple[int, e.Event]]) -> Iterator[T]:
    """Give the items whose events stand, in their order; `key` gives (at_ms, event). Reads a few seconds ahead."""
    kept = Standing(key)
    for item in items:
        yield from kept.take(item)
    yield from kept.rest()
