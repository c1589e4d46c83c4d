"""What happened to each ticket of today, read from the ledger when somebody asks and kept up from there."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

from server.domain import events as e
from server.domain.terms import Actor, TicketId
from server.hall import Hall
from server.ledger.base import ArchiveMissing, Commit
from server.ledger.codec import STORED_NAME

CHUNK = 500  # commits read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a ticket, with the commit's instant (Unix ms) and who asked; of a call what it was called for."""

    at_ms: int
    event: str
    actor: Actor
    window: str | None
    reason: str | None
    called: e.TicketCalled | None = None


class History:
    """The tickets' histories of one hall's current business day."""

    def __init__(self, hall: Hall) -> None:
        """Know nothing yet; the first question reads the day."""
        self._hall, self._lock = hall, Lock()
        self._entries: dict[TicketId, list[Entry]] = {}
        self._day, self._after = "", 0

    def of(self, ticket: TicketId) -> list[Entry]:
        """Give what happened to a ticket of today, oldest first."""
        with self._lock:
            self._catch_up()
            return list(self._entries.get(ticket, ()))

    def _catch_up(self) -> None:
        day = self._hall.read(lambda state, _: state.day) or ""
        if day != self._day:
            self._day, self._after = day, first_of_day(self._hall, day)
            self._entries.clear()
        while commits := self._hall.commits(self._after, CHUNK):
            for commit in commits:
                self._take(commit)
            self._after = commits[-1].seq
            time.sleep(0)  # a whole day is read after a restart: let others be answered in between

    def _take(self, commit: Commit) -> None:
        for event in commit.events:
            ticket: TicketId | None = getattr(event, "ticket", None)
            if ticket is None:
                continue
            match event:
                case e.TicketRated():
                    reason: object = event.grade
                case e.CaseNumberNoted():
                    reason = " ".join(filter(None, (event.case_number, event.matter_code)))
                case _:
                    reason = getattr(event, "reason", None)
            entry = Entry(
                at_ms=commit.at_ms,
                event=STORED_NAME[type(event)],
                actor=commit.actor,
                window=getattr(event, "window", None),
                reason=str(reason) if reason else None,
                called=event if isinstance(event, e.TicketCalled) else None,
            )
            self._entries.setdefault(ticket, []).append(entry)


def events_of_day(hall: Hall, day: str) -> Iterator[tuple[int, e.Event]]:
    """Give the events of a business day; the commit that turns the day belongs to both days, at its DayOpened."""
    after, inside = first_of_day(hall, day) - 1, False
    while rows := hall.commits(max(0, after), CHUNK):
        for commit in rows:
            if commit.day > day:
                return
            for event in commit.events:
                if isinstance(event, e.DayOpened):
                    inside = event.day == day
                if inside or (commit.day == day and not isinstance(event, e.DayOpened)):
                    yield commit.at_ms, event
        after = rows[-1].seq
        time.sleep(0)  # a day is long: let others be answered in between


def first_of_day(hall: Hall, day: str) -> int:
    """Give the seq after which the commits of a business day (ISO) begin. Days never go back, so halving finds it.

    Raises:
        ArchiveMissing: only other servers have what is so old.
    """
    gone = hall.gone()
    low, high = gone, hall.seq
    while low < high:
        middle = (low + high) // 2
        commits = hall.commits(middle, 1)
        if commits and commits[0].day < day:
            low = middle + 1
        else:
            high = middle
    if 0 < gone == low:
        raise ArchiveMissing(f"the commits up to {gone} of {hall.id} are in other servers' copies")
    return low
