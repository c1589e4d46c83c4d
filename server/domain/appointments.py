"""Appointments (预约): slots of a day, booking, checking in, and what becomes of those who do not come."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.state import HallState

Command = c.BookAppointment | c.CancelAppointment | c.CheckIn
Event = e.AppointmentBooked | e.AppointmentCancelled | e.AppointmentKept | e.AppointmentMissed


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    raise NotImplementedError


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the events of the appointments of the day (and before) that nobody kept."""
    return []


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    raise NotImplementedError
