"""Cards and scans before the kiosks of this server: in memory, for seconds, one of each per kiosk.

The agent that posts a card and the page that watches `presented:KIOSK` must be at the same server.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from threading import Lock, Timer

from server.domain.terms import DeviceId, HallId
from server.projections.presented import SHOWN_S, Card, Scanned, Shown

TOKEN_BYTES = 12
REPEATED_FOR_S = 300
"""How long a page may ask for the number of a press again whose answer was lost."""


class Presented:
    """What lies before each kiosk now. May be used from every thread."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self._shown: dict[tuple[HallId, DeviceId], Shown] = {}
        self._used: dict[tuple[HallId, DeviceId], Card] = {}  # the last one of each kiosk
        self._wakes: list[Callable[[HallId], None]] = []

    def follow(self, wake: Callable[[HallId], None]) -> None:
        """Call `wake(hall)` after each change. It must only set a flag."""
        self._wakes.append(wake)

    def at(self, hall: HallId, kiosk: DeviceId) -> Shown:
        """Give what lies before a kiosk; it may be too old, which is for the reader to see."""
        with self._lock:
            return self._shown.get((hall, kiosk), Shown())

    def lay(
        self, hall: HallId, kiosk: DeviceId, *, document: str, visitor: str, age_from: int, name: str, now_ms: int
    ) -> Card:
        """Keep a card for a while; the one before it is forgotten."""
        card = Card(
            card=secrets.token_urlsafe(TOKEN_BYTES),
            document=document,
            visitor=visitor,
            age_from=age_from,
            name=name,
            until_ms=now_ms + SHOWN_S * 1000,
        )
        self._keep(hall, kiosk, Shown(card=card))
        return card

    def scanned(self, hall: HallId, kiosk: DeviceId, scan: Scanned) -> None:
        """Keep what became of a scan; a card before it is forgotten."""
        self._keep(hall, kiosk, Shown(scan=scan))

    def visitor(self, hall: HallId, kiosk: DeviceId, card: str, now_ms: int) -> str | None:
        """Give the visitor's hash of a card that lies there still or was used last, None when it is neither."""
        with self._lock:
            lies, used = self._shown.get((hall, kiosk), Shown()).card, self._used.get((hall, kiosk))
        for known in (lies, used):
            if known is not None and secrets.compare_digest(known.card.encode(), card.encode()):
                return known.visitor if now_ms < known.until_ms else None
        return None

    def used(self, hall: HallId, kiosk: DeviceId, card: str, now_ms: int) -> None:
        """Show this card no more: it has its number. The same press, asked again, still finds its visitor."""
        with self._lock:
            lies = self._shown.get((hall, kiosk), Shown()).card
            if lies is None or lies.card != card:  # the press was asked again, and the next card lies there by now
                return
            del self._shown[hall, kiosk]
            self._used[hall, kiosk] = replace(lies, name="*", age_from=0, until_ms=now_ms + REPEATED_FOR_S * 1000)
        self._wake(hall)

    def _keep(self, hall: HallId, kiosk: DeviceId, shown: Shown) -> None:
        with self._lock:
            self._shown[hall, kiosk] = shown
        self._wake(hall)
        end = Timer(SHOWN_S, self._end, (hall, kiosk, shown))
        end.daemon = True
        end.start()

    def _end(self, hall: HallId, kiosk: DeviceId, shown: Shown) -> None:
        """Forget this one, unless another lies there by now."""
        with self._lock:
            if _name(self._shown.get((hall, kiosk), Shown())) != _name(shown):
                return
            del self._shown[hall, kiosk]
        self._wake(hall)

    def _wake(self, hall: HallId) -> None:
        for wake in self._wakes:
            wake(hall)


def _name(shown: Shown) -> str | None:
    """Tell what lies there from what lies there next."""
    return shown.card.card if shown.card is not None else shown.scan.scan if shown.scan is not None else None
