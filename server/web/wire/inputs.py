"""What panels, card readers and scanners send."""

from typing import Annotated, Literal

from pydantic import Field

from server.web.wire.words import Answer, Body, Id, Instant


class PanelNumber(Body):
    """A button of a panel was pressed."""

    service: Id
    priority: Id | None = None


class CardKey(Answer):
    """The hall's key for hashing identity numbers, hexadecimal."""

    key: str


class PresentCard(Body):
    """A card was laid on a reader: all that its driver lets out.

    `visitor` is the HMAC-SHA-256 of the number under the hall's key; `age_from` where the age band begins; `name` the
    first character of the name and a star.
    """

    document: Literal["citizen", "foreign", "hk_mo_tw"]
    visitor: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    age_from: Literal[0, 14, 60, 65, 70, 75, 80]
    name: Annotated[str, Field(pattern=r"^[^\s*]?\*$")]


class CardTaken(Answer):
    """The kiosk's page shows the card until then."""

    kiosk: str
    until: Instant


class Scan(Body):
    """A code was held before a scanner: a ticket's address, a booking's id or its six digits of today."""

    code: Annotated[str, Field(min_length=1, max_length=512)]


class ScanTaken(Answer):
    """What was done."""

    did: Literal["shown", "reinstated", "back", "started", "checked_in"]
    ticket: str | None
    label: str | None
