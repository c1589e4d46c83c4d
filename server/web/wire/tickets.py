"""Tickets from the press to the rating."""

from typing import Annotated

from pydantic import Field

from server.domain.terms import (
    AwayFor,
    LegStatus,
    TicketStatus,
)
from server.web.wire.words import (
    REGISTER_LIST_MAX,
    VISITOR_REF_LENGTH_MAX,
    Answer,
    Body,
    CaseNumber,
    Eta,
    Id,
    Instant,
    Text,
    Words,
)


class IssueTicket(Body):
    """A number for a service. `visitor_ref` (say, an identity number) is only ever kept as a keyed hash.

    `legs` makes it a joint matter: its services in order, `service` first. `case_number`: the case a pickup is for;
    `unlisted`: give the number although this hall has not heard of its result. Not for kiosks.
    `paperless`: at a kiosk that cannot print, the visitor remembers the number; else such a kiosk gives none.
    `card`: at a kiosk, the visitor whose card lies on its reader (`presented:KIOSK`).
    """

    service: Id
    priority: Id | None = None
    window: Id | None = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")] = None
    channel: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = None
    visitor_ref: Annotated[str | None, Field(min_length=1, max_length=VISITOR_REF_LENGTH_MAX)] = None
    legs: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    case_number: CaseNumber | None = None
    unlisted: bool = False
    paperless: bool = False
    card: Id | None = None


class Leg(Answer):
    """A stop of a joint matter. `unserved`: it is still to come and no window at work serves or relieves it."""

    service: str
    name: Text
    zone_name: Text
    floor: Text | None
    status: LegStatus
    window: str | None
    finished_at: Instant | None
    unserved: bool


class IssuedTicket(Answer):
    """What the visitor is told; `windows` may call the number.

    `leg_unserved`: one of the `legs` of this joint matter has no window at work now. `offline`: a kiosk's own server
    gave it, which cannot reach the hall: nobody knows how many are `ahead`.
    """

    ticket: str
    label: str
    number: int
    service: str
    zone: str
    issued_at: Instant
    ahead: int
    eta: Eta | None
    track_url: str
    track: str
    windows: list[str]
    priority: str
    seq: int
    legs: list[Leg] = []
    leg_unserved: bool = False
    offline: bool = False


class TicketCan(Answer):
    """What the visitor may still do with the ticket."""

    cancel: bool
    reinstate: bool
    rate: bool
    back: bool


class TicketHistory(Answer):
    """One thing that happened to the ticket. `actor` and `reason` only for the hall's own people."""

    at: Instant
    event: str
    window: str | None
    actor: str | None
    reason: str | None


class Ticket(Answer):
    """One visit. `ahead` and `eta` while it waits; `track_url` only for who holds the track token.

    `legs` are the stops of a joint matter, none for an ordinary visit; `lead_window` is the window of first contact.
    `away_for`: what a visit that is away waits for; `notice`: the missing papers that were named last. `case_number`
    only for the hall's own people.
    """

    ticket: str
    label: str
    number: int
    service: str
    zone: str
    status: TicketStatus
    priority: str
    issued_at: Instant
    ahead: int | None
    eta: Eta | None
    window: str | None
    called_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    call_count: int
    waited_s: int | None
    rated: bool
    track_url: str | None = None
    can: TicketCan
    history: list[TicketHistory]
    legs: list[Leg]
    lead_window: str | None = None
    leg_unserved: bool = False
    away_for: AwayFor | None = None
    notice: list[str]
    case_number: str | None = None


class Tickets(Answer):
    """Tickets of today in the order of issue; `ahead`, `eta` and `history` are left to the single ticket."""

    tickets: list[Ticket]


class Cancel(Body):
    """Why the ticket is taken out."""

    reason: Words = ""


class PlanLegs(Body):
    """The services of a joint matter in order, 1 to 8 with those done; done ones stay and are not named.

    The list begins with the service the ticket is at now, or with the one after it.
    """

    services: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)]


class Nothing(Body):
    """An empty body."""


class Rate(Body):
    """A grade, 1 to 5; 5 is best."""

    grade: int


class RateAtWindow(Rate):
    """A grade pressed at a window. `ticket`: the visit that the tablet asked about; needed from a tablet."""

    ticket: Id | None = None


class TicketChanged(Answer):
    """The ticket after the command."""

    ticket: str
    label: str
    status: TicketStatus
    seq: int


class LegsPlanned(Answer):
    """The joint matter after the command; `leg_unserved`: a leg still to come has no window at work now."""

    ticket: str
    label: str
    legs: list[Leg]
    leg_unserved: bool
    seq: int


class Reprinted(Answer):
    """The ticket will be printed again, marked 补打."""

    ticket: str
    label: str
    seq: int


class Rated(Answer):
    """Thank you."""

    ticket: str
    label: str
    window: str | None
    grade: int
    seq: int
