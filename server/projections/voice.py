"""What the loudspeakers may have to call soon, so that they can make ready what takes longer than a call may wait."""

from dataclasses import dataclass

from server.domain.lifecycle import FINAL
from server.domain.state import HallState


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicePicture:
    """The labels of all tickets that are not over, in the order in which they were issued, and the staffed windows."""

    hall: str
    labels: tuple[str, ...]
    windows: tuple[str, ...]


def voice(state: HallState) -> VoicePicture:
    """Give the picture of the hall."""
    left = sorted((ticket.issued_ms, ticket.label) for ticket in state.tickets.values() if ticket.status not in FINAL)
    return VoicePicture(
        hall=state.plan.hall,
        labels=tuple(label for _, label in left),
        windows=tuple(no for no, window in state.plan.window.items() if window.staffed),
    )
