"""A visit that is paused away from the windows: for missing papers (一次告知) or for a result (出件)."""

from server.domain import commands as c
from server.domain import events as e
from server.domain.state import HallState

Command = c.GiveNotice | c.AwaitResult | c.ReportResult | c.ComeBack | c.NoteCaseNumber
Event = e.NoticeGiven | e.ResultAwaited | e.ResultReady | e.TicketBack | e.CaseNumberNoted


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command, or refuse."""
    raise NotImplementedError


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    raise NotImplementedError
