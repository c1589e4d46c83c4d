"""Agency cases and ratings with what follows of them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from server.domain.terms import (
    CaseKind,
    CaseStatus,
)
from server.web.wire.paths import DaySpan, HallPath
from server.web.wire.words import (
    CASES_MAX,
    CLIENT_LENGTH_MAX,
    VISITOR_REF_LENGTH_MAX,
    Answer,
    Body,
    Day,
    Id,
    Instant,
    Note,
    Text,
    Words,
    printable,
)


class CasePath(HallPath):
    """A case by its id."""

    case: Id


class CasesQuery(Body):
    """Which cases: open ones and those closed not long ago, oldest first. `due`: due by this day."""

    status: CaseStatus | None = None
    kind: CaseKind | None = None
    agent: Id | None = None
    due: Day | None = None
    limit: Annotated[int, Field(ge=1, le=CASES_MAX, description="The newest so many.")] = CASES_MAX


class OpenCase(Body):
    """A matter that somebody of the hall looks after. No field may hold an identity or phone number.

    `client`: what staff call the person, masked. `elsewhere`: another level's matter, to be handed over today. Without
    `agent` who asks is the agent; managers may name another one. `visitor_ref` is only ever kept as a keyed hash.
    """

    kind: Literal[CaseKind.AGENCY, CaseKind.VISIT]
    client: Annotated[str, Field(min_length=1, max_length=CLIENT_LENGTH_MAX), AfterValidator(printable)]
    service: Id | None = None
    ticket: Annotated[Id | None, Field(description="A ticket of today, by id or label.")] = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    note: Note = ""
    visit_at: Annotated[
        str | None,
        Field(max_length=40, description="When the home is visited: RFC 3339, or the hall's own time without offset."),
    ] = None
    due: Day | None = None
    elsewhere: bool = False
    agent: Id | None = None


class LogCase(Body):
    """A line of the log; `items` are papers still missing. Naming another `agent` is refused."""

    note: Note = ""
    items: Annotated[list[Annotated[str, Field(min_length=1, max_length=CLIENT_LENGTH_MAX)]], Field(max_length=20)] = []
    agent: Id | None = None


class FinishCase(Body):
    """What was done."""

    outcome: Annotated[Note, Field(min_length=1)]


class WithdrawCase(Body):
    """Why the agency ends."""

    reason: Annotated[Note, Field(min_length=1)]


class HandOverCase(Body):
    """The hall whose matter it is."""

    hall: Id
    note: Note = ""


class TakeCase(Body):
    """Without `agent` who asks becomes the agent; managers may name another one."""

    agent: Id | None = None


class AppealCase(Body):
    """Why the grade should not count."""

    reason: Annotated[Note, Field(min_length=1)]


class DecideAppeal(Body):
    """`upheld`: the grade is struck from the statistics. `note` says why or why not."""

    upheld: bool
    note: Annotated[Note, Field(min_length=1)]


class ReceiveCase(Body):
    """A case that another hall hands over: the answer of its `export`, as it is."""

    from_hall: Id
    case: Id
    to_hall: Id
    kind: Literal[CaseKind.AGENCY, CaseKind.VISIT]
    client: Annotated[str, Field(max_length=CLIENT_LENGTH_MAX), AfterValidator(printable)] = ""
    matter: Words = ""
    note: Note = ""
    due: Day | None = None


class ConfirmHandOver(Body):
    """The other hall, and what the case is there."""

    hall: Id
    case: Id


class ReportBack(ConfirmHandOver):
    """How the case ended there; not `done`: it was withdrawn."""

    outcome: Note = ""
    done: bool = True


class CaseExport(Answer):
    """What the hall a case is handed over to is told; to be posted to its `cases/receive` as it is."""

    from_hall: str
    case: str
    to_hall: str
    kind: CaseKind
    client: str
    matter: str
    note: str
    due: str | None


class CaseChanged(Answer):
    """It is kept; `GET` of the case says how it stands now."""

    case: str
    seq: int


class CaseStep(Answer):
    """A line of a case's log. `by`: a work id, another hall, or nobody: the clock and a bad grade."""

    at: Instant
    what: str
    by: str | None
    note: str
    items: list[str]
    to_hall: str | None


class Case(Answer):
    """A case. Of a follow-up `window`, `clerk` and `grade` say which visit it is about.

    `status` handed_over: on its way, not confirmed by `to_hall` yet; passed_on: confirmed, there it is `their_case`.
    """

    case: str
    kind: CaseKind
    status: CaseStatus
    agent: str | None
    client: str
    service: str | None
    service_name: Text | None
    matter: str
    ticket: str | None
    label: str | None
    window: str | None
    clerk: str | None
    grade: int | None
    visit_at: Instant | None
    due: str | None
    overdue: bool
    elsewhere: bool
    handover_due: bool
    to_hall: str | None
    their_case: str | None
    from_hall: str | None
    from_case: str | None
    appeal: Annotated[str | None, Field(description="open, upheld or rejected.")]
    opened_at: Instant
    closed_at: Instant | None
    log: Annotated[list[CaseStep], Field(description="Oldest first; empty in lists.")]


class Cases(Answer):
    """Cases, oldest first; `seq` is the commit up to which they are known."""

    cases: list[Case]
    seq: int


class RatingsQuery(DaySpan):
    """Business days, both included; at most a year."""

    format: Literal["json", "csv"] = "json"


class Rating(Answer):
    """A finished visit with the visitor's own grade; without one `grade`, `grade_name` and `channel` are null.

    `channel`: phone or pad. `struck`: an appeal was upheld, the grade does not count.
    """

    ticket: str
    label: str
    service: str
    department: str
    matter_code: str
    case_number: str
    window: str
    clerk: str | None
    finished_at: Instant
    grade: int | None
    grade_name: Text | None
    channel: str | None
    struck: bool


class Ratings(Answer):
    """One row per finished visit, day by day as they finished."""

    ratings: list[Rating]
