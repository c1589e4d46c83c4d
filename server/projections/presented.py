"""What was laid on the card reader or held before the scanner of a kiosk, for that kiosk's page alone.

Nothing here is in the ledger: it is forgotten after `SHOWN_S`, and sooner when the next one comes. Of a card only this
is known: an unguessable name for it, the kind of document, an age band, the masked name; and, from the hall's own
state, what the visitor holds here today.
"""

from dataclasses import dataclass, field

from server.domain.lifecycle import FINAL
from server.domain.state import HallState
from server.domain.terms import AppointmentStatus, Text
from server.projections.common import instant, service_name

SHOWN_S = 30
"""As long as somebody looks for the right button, and not until the next visitor comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as its reader told it. `card` is its name for this visit; `visitor` the hash, which never leaves here."""

    card: str
    document: str
    until_ms: int
    visitor: str = field(repr=False)
    age_from: int = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What became of a scan. `did`: shown, reinstated, back, started, checked_in, refused; `problem` says why not."""

    scan: str
    did: str
    until_ms: int
    ticket: str | None = None
    label: str | None = None
    problem: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What lies before a kiosk now."""

    card: Card | None = None
    scan: Scanned | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """A number that the visitor holds today."""

    ticket: str
    label: str
    service: str
    service_name: Text
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedView:
    """A booking of the visitor for today, still open: `check-in` with `card` gives its number."""

    service: str
    service_name: Text
    starts_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A card for the page. `priorities`: what this age may have unasked; `card` goes into the next press."""

    card: str
    document: str
    name: str
    age_from: int
    until: str
    priorities: tuple[str, ...]
    tickets: tuple[HeldView, ...]
    appointments: tuple[BookedView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanView:
    """What became of a scan, for the page; `scan` tells one from the next."""

    scan: str
    did: str
    until: str
    ticket: str | None
    label: str | None
    problem: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedPicture:
    """The picture `presented:KIOSK`."""

    kiosk: str
    card: CardView | None
    scan: ScanView | None


def presented(state: HallState, kiosk: str, shown: Shown, *, now_ms: int) -> PresentedPicture:
    """Give the picture of one kiosk; what is too old is not there."""
    card = shown.card if shown.card is not None and now_ms < shown.card.until_ms else None
    scan = shown.scan if shown.scan is not None and now_ms < shown.scan.until_ms else None
    return PresentedPicture(
        kiosk=kiosk,
        card=None if card is None else _card(state, card),
        scan=None
        if scan is None
        else ScanView(
            scan=scan.scan,
            did=scan.did,
            until=instant(state.plan, scan.until_ms),
            ticket=scan.ticket,
            label=scan.label,
            problem=scan.problem,
        ),
    )


def _card(state: HallState, card: Card) -> CardView:
    plan = state.plan
    held = [it for it in state.tickets.values() if it.visitor == card.visitor and it.status not in FINAL]
    booked = [
        it
        for it in state.appointments.values()
        if it.visitor == card.visitor and it.status is AppointmentStatus.BOOKED and it.day == state.day
    ]
    return CardView(
        card=card.card,
        document=card.document,
        name=card.name,
        age_from=card.age_from,
        until=instant(plan, card.until_ms),
        priorities=tuple(
            rule.id for rule in plan.priorities if rule.from_age is not None and card.age_from >= rule.from_age
        ),
        tickets=tuple(
            HeldView(
                ticket=it.id,
                label=it.label,
                service=it.service,
                service_name=service_name(plan, it.service),
                status=it.status.value,
            )
            for it in held
        ),
        appointments=tuple(
            BookedView(
                service=it.service,
                service_name=service_name(plan, it.service),
                starts_at=instant(plan, it.starts_ms),
            )
            for it in sorted(booked, key=lambda it: it.starts_ms)
        ),
    )
