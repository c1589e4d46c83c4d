"""The ticket server as the kiosk sees it: one request, one answer, or nobody there. And what time it is in the hall."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

import requests

CONNECT_S, ANSWER_S = 1.0, 4.0
"""A visitor stands before the kiosk: what takes longer is answered without the server."""
KEPT_HEADERS = ("Content-Type", "Date", "Location", "Retry-After", "Cache-Control")


class ServerAway(Exception):
    """Nobody answered, or the server is not itself (5xx). A command may have been done all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said, as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Link:
    """HTTP to the ticket server with the kiosk's own token; may be used from every thread."""

    def __init__(self, server_url: str, token: str) -> None:
        """Keep the address; nothing is sent yet."""
        self._base, self._token = server_url.rstrip("/"), token
        self._own = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Give the server's answer, whatever it is below 500.

        Raises:
            ServerAway: there is none.
        """
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            session.trust_env = False  # a proxy of the environment has no business between kiosk and hall
        sent = {"Authorization": f"Bearer {self._token}", **headers}
        try:
            got = session.request(
                method,
                f"{self._base}{path}",
                data=body,
                headers=sent,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ServerAway(type(error).__name__) from error
        if got.status_code >= 500:
            raise ServerAway(f"the server answers {got.status_code}")
        kept = {name: got.headers[name] for name in KEPT_HEADERS if name in got.headers}
        return Answer(status=got.status_code, headers=kept, body=got.content)


class HallClock:
    """The hall's time on this PC: learned from the server, carried on by a clock that nobody sets, never going back."""

    def __init__(self, offset_ms: int, not_before_ms: int) -> None:
        """Begin with this PC's clock and what it was wrong by when the server was last heard."""
        self._lock = threading.Lock()
        self._set(max(round(time.time() * 1000) + offset_ms, not_before_ms))

    def learn(self, answer: Answer) -> int | None:
        """Take the time from an answer; give what this PC's clock is wrong by (ms), None when it does not say."""
        try:
            at_ms = round(parsedate_to_datetime(answer.headers["Date"]).timestamp() * 1000)
        except (KeyError, ValueError):
            return None
        if abs(at_ms - self.now_ms()) > 1_500:  # the header tells whole seconds: else the time would swing
            with self._lock:
                self._set(at_ms)
        return self.now_ms() - round(time.time() * 1000)

    def now_ms(self) -> int:
        """Give the hall's time in Unix ms."""
        with self._lock:
            return self._at_ms + round((time.monotonic() - self._at_s) * 1000)

    def _set(self, ms: int) -> None:
        self._at_ms, self._at_s = ms, time.monotonic()


def headers_of(asked: Any) -> dict[str, str]:  # Any: the headers of http.server
    """Give what of a browser's request the server should see."""
    names = ("Accept", "Accept-Language", "Content-Type", "Idempotency-Key")
    return {name: asked[name] for name in names if asked[name] is not None}
