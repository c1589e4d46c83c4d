"""Pre-printed paper rolls: numbers for a hall whose kiosk is broken."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.state import HallState
from server.domain.terms import Track, WindowNo

Command = c.AnnounceRoll | c.TornOff | c.EndRoll
Event = e.RollAnnounced | e.RollEnded


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    raise NotImplementedError


def next_of_roll(state: HallState, no: WindowNo, track: Track | None, now_ms: int) -> list[e.Event]:
    """Give the events of issuing and calling the next number of a roll that this window may serve, or nothing."""
    return []


def evolve(state: HallState, event: Event) -> None:
    """Fold one event into the state."""
    raise NotImplementedError
