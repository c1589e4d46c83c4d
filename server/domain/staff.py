"""Who works at a window: hand-over of a window, of its held visitors, and windows left alone."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.state import HallState

Command = c.HandOver | c.MoveHeld | c.LeaveAlone
Event = e.WindowHandedOver | e.HeldMoved | e.WindowLeftAlone


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    raise NotImplementedError


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    raise NotImplementedError
