"""What everybody may expect to wait, worked out once for many pictures and questions.

Playing the hall forward costs some milliseconds: once for each commit is enough, however many phones and boards show
it.
"""

from server.domain.forecast import Outlook, outlook
from server.domain.state import HallState

GOOD_FOR_MS = 15_000  # nobody's wait is known better than that


class Waits:
    """The last outlook of one hall. Ask while the state stands still."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._seq, self._at_ms = -1, 0
        self._outlook: Outlook | None = None

    def at(self, state: HallState, seq: int, at_ms: int) -> Outlook:
        """Give the outlook as of commit `seq` at an instant (Unix ms), or one of some seconds before."""
        if self._outlook is None or seq != self._seq or not 0 <= at_ms - self._at_ms < GOOD_FOR_MS:
            self._outlook = outlook(state, at_ms)
            self._seq, self._at_ms = seq, at_ms
        return self._outlook
