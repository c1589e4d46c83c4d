"""What the hall tells everybody (广播): one text at a time on all boards and, where wanted, from all loudspeakers.

A newer text replaces the one that stands. It ends when it is withdrawn, when its time is over, and with the business
day: yesterday's fire drill must not greet the visitors of today. An emergency may be told at any hour.
"""

from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.records import Announcement
from server.domain.refusals import Code, Refusal
from server.domain.state import MS_PER_MIN, HallState

Command = c.Announce | c.EndAnnouncement
Event = e.Announced | e.AnnouncementEnded


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command.

    Raises:
        Refusal: the text says nothing in Chinese, or there is no announcement to end.
    """
    match command:
        case c.Announce():
            text = {language: words for language, said in command.text.items() if (words := said.strip())}
            if "zh" not in text:
                raise Refusal(Code.ANNOUNCEMENT_EMPTY)
            until_ms = now_ms + command.minutes * MS_PER_MIN if command.minutes is not None else None
            return [e.Announced(text=text, emergency=command.emergency, spoken=command.spoken, until_ms=until_ms)]
        case c.EndAnnouncement():
            if state.announcement is None:
                raise Refusal(Code.NO_ANNOUNCEMENT)
            return [e.AnnouncementEnded(reason="withdrawn")]
        case _:
            assert_never(command)


def due(state: HallState, now_ms: int) -> list[e.Event]:
    """Give the end of an announcement whose time is over."""
    standing = state.announcement
    over = standing is not None and standing.until_ms is not None and standing.until_ms <= now_ms
    return [e.AnnouncementEnded(reason="time_over")] if over else []


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the end of the announcement that stands."""
    return [e.AnnouncementEnded(reason="day_closed")] if state.announcement is not None else []


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Change the state as the event says."""
    match event:
        case e.Announced():
            state.announcement = Announcement(
                text=event.text,
                emergency=event.emergency,
                spoken=event.spoken,
                since_ms=at_ms,
                until_ms=event.until_ms,
            )
        case e.AnnouncementEnded():
            state.announcement = None
        case _:
            assert_never(event)
