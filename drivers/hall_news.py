"""What input devices must know of the hall: which services give numbers (lamps), and the key for identity numbers.

One thread, only where there is a button panel or a card reader. Lamps go out while the server is away: a number that
cannot be given is not offered. The key lives in memory only.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from drivers.server_link import Http, ServerAway, ServerRefused

log = logging.getLogger(__name__)

ASK_EVERY_S: Final = 3.0
KEY_EVERY_S: Final = 600.0
"""How often the key is asked for again: a server set up anew has another one."""


class HallNews:
    """Asks the server every few seconds, and tells whoever has lamps when something changed."""

    def __init__(self, http: Http, *, readers: Sequence[str], panels: Sequence[str]) -> None:
        """Keep for whom to ask; `start()` begins."""
        self._http = http
        self._readers, self._panels = readers, panels
        self._tellers: list[Callable[[frozenset[str]], None]] = []
        self._key: bytes | None = None
        self._key_in_s = 0.0
        self._open: frozenset[str] = frozenset()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hall news", daemon=True)

    def card_key(self) -> bytes | None:
        """Give the hall's key for hashing identity numbers, None while it is not known."""
        return self._key

    def tell(self, teller: Callable[[frozenset[str]], None]) -> None:
        """Tell this one too, from now on."""
        self._tellers.append(teller)

    def start(self) -> None:
        """Begin to ask, in a thread of its own; without panel and reader there is nothing to ask."""
        if self._readers or self._panels:
            self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._panels:
                self._see_services()
            if self._readers and self._key_in_s <= 0:
                self._fetch_key()
            self._key_in_s -= ASK_EVERY_S
            self._stopping.wait(ASK_EVERY_S)

    def _see_services(self) -> None:
        try:
            open_now = self._http.open_services()
        except (ServerAway, ServerRefused) as error:
            log.debug("services: %s", error)  # Live says when the server is away and when it is back
            open_now = frozenset()
        if open_now != self._open:
            self._open = open_now
            for teller in self._tellers:
                teller(open_now)

    def _fetch_key(self) -> None:
        try:
            self._key = self._http.card_key(self._readers[0])
            self._key_in_s = KEY_EVERY_S
        except (ServerAway, ServerRefused, ValueError) as error:
            log.debug("card key: %s", error)  # also: the reader is not in the register yet
