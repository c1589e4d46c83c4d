"""Cases (台账): agency (代办), visits at home (上门办), and follow-ups of bad grades (差评整改)."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.state import HallState, Ticket

Event = (
    e.CaseOpened
    | e.CaseReceived
    | e.CaseTaken
    | e.CaseLogged
    | e.CaseFinished
    | e.CaseWithdrawn
    | e.CaseHandedOver
    | e.CaseHandoverConfirmed
    | e.CaseHandoverDue
    | e.CaseOverdue
    | e.CaseAppealed
    | e.AppealDecided
)


def decide(state: HallState, command: c.CaseMove, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    raise NotImplementedError


def follow_up(state: HallState, ticket: Ticket, grade: int, now_ms: int) -> list[e.Event]:
    """Give the case that a bad grade opens, or nothing."""
    return []


def is_due(state: HallState, now_ms: int) -> bool:
    """Say whether `Watch` would give events now."""
    return bool(due(state, now_ms))


def due(state: HallState, now_ms: int) -> list[e.Event]:
    """Give what the clock must say now: hand-overs before closing time."""
    return []


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the cases that were due by the end of the day."""
    return []


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    raise NotImplementedError
