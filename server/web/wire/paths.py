"""What stands in the path or the query of an address."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from server.domain.terms import (
    TicketStatus,
)
from server.web.wire.words import COMMITS_MAX, ID_LENGTH_MAX, TICKETS_MAX, Body, Day, Id, Month, PersonRole


class HallPath(Body):
    """A hall."""

    hall: str


class TicketPath(HallPath):
    """A ticket: its id, its label of today, or its track token."""

    ticket: str


class WindowPath(HallPath):
    """A window by the number painted on it."""

    no: str


class ClerkPath(HallPath):
    """A clerk by work id."""

    clerk: str


class DevicePath(HallPath):
    """A device of a hall's register."""

    device: Id


class TrackQuery(Body):
    """The visitor's own token, instead of a sign-in."""

    track: str | None = None


class TicketsQuery(Body):
    """Which tickets of today."""

    status: TicketStatus | None = None
    zone: str | None = None
    window: str | None = None
    limit: Annotated[int, Field(ge=1, le=TICKETS_MAX, description="The newest so many.")] = TICKETS_MAX


class CommitsQuery(Body):
    """Where to read on in the ledger."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=COMMITS_MAX)] = 100


class DayQuery(Body):
    """A business day; without it the one the hall is in."""

    date: Day | None = None


class DaySpan(Body):
    """Days from the first to the last, both included."""

    from_: Annotated[Day, Field(alias="from")]
    to: Day

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.to < self.from_:
            raise PydanticCustomError("days_reversed", "ends before it begins", {"first": self.from_, "last": self.to})
        return self


class PeriodQuery(DaySpan):
    """Business days, both included; at most a quarter of a year."""


class PeriodTableQuery(PeriodQuery):
    """The same as a file: CSV in UTF-8 with BOM, or a workbook. Without `lang` in the reader's language."""

    format: Literal["csv", "xlsx"] = "xlsx"
    lang: Literal["zh", "en"] | None = None


class AuditQuery(Body):
    """What to look for in the ledger; nothing said is anything. Days are of the calendar, both included.

    `who` is a work id or a device, `action` the stored name of an event, `ticket` a label of any day. `before` goes on
    where a page ended.
    """

    who: Id | None = None
    kind: Literal["person", "device", "visitor", "clock"] | None = None
    role: PersonRole | None = None
    action: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None
    window: Id | None = None
    ticket: Annotated[str | None, Field(min_length=1, max_length=ID_LENGTH_MAX)] = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    before: Annotated[int | None, Field(ge=0, le=2**62)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise PydanticCustomError("days_reversed", "ends before it begins", {"first": self.from_, "last": self.to})
        return self


class AuditFileQuery(AuditQuery):
    """The same as a table; without `lang` in the reader's language."""

    lang: Literal["zh", "en"] | None = None


class MonthQuery(Body):
    """A month; without it the one the hall is in."""

    month: Month | None = None
