"""Tells another system what visitors should know, so that it can tell their phones.

The notices of a commit and the place in the ledger are written to `notify.sqlite` in one step; what is in it is sent in
order, each until it is taken, refused for good or too late. A receiver that stumbles over one message gets the others
meanwhile. A server that is killed goes on where it was: a notice may go out twice, with the same id, and none is lost
in between.

Messages and signatures follow Standard Webhooks (https://www.standardwebhooks.com): headers `webhook-id`,
`webhook-timestamp` (Unix seconds) and `webhook-signature` (`v1,` and the base64 of HMAC-SHA-256 over
`ID.TIMESTAMP.BODY`), so receivers find ready libraries in every language.
"""

import base64
import hashlib
import hmac
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from time import monotonic, time
from typing import Protocol

import msgspec
import requests

from server.domain.terms import HallId
from server.feeds.hall_view import HallView
from server.ledger.base import LedgerDown
from server.projections.common import instant
from server.projections.notices import Notice, near, notices_of

PAGE = 500
LOOK_EVERY_S = 1.0
CONNECT_S, ANSWER_S = 3.0, 5.0
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 30.0
STUMBLES_MOST = 3  # so many in a row answered by "not now": it is the receiver, not the message
BUSY_WAIT_S = 5.0
LATER = frozenset({408, 425, 429})  # of the 4xx: the message is good, try again
SECRET = "whsec_"  # noqa: S105 - how receivers' libraries know a secret by its looks

log = logging.getLogger(__name__)

_TABLES = """
create table if not exists cursors (hall text primary key, seq integer not null) strict;
create table if not exists outbox (
    n integer primary key, hall text not null, id text not null, body blob not null,
    expires_ms integer not null) strict;
create table if not exists told (
    hall text not null, id text not null, day text not null, primary key (hall, id)) strict;
"""


Made = tuple[str, bytes, int]
"""A message that is not in the outbox yet: id, body, expires_ms."""


class OutboxBroken(Exception):
    """The file is there but cannot be used; the text says which file and why."""


class NotTaken(Exception):
    """Nobody took the message; the text says why.

    `refused`: nor will anybody when it is sent again. `answered`: somebody was there and did not take this one now.
    """

    def __init__(self, why: str, *, refused: bool = False, answered: bool = False) -> None:
        """Keep them."""
        super().__init__(why)
        self.refused, self.answered = refused, answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: `n` is its place in the outbox."""

    n: int
    id: str
    body: bytes
    expires_ms: int


def test_message(hall: HallId) -> Message:
    """Give a message of type `test`, for whoever sets a receiver up."""
    return Message(n=0, id=f"{hall}.test.{int(time())}", body=b'{"type":"test","data":{}}', expires_ms=0)


class Sender(Protocol):
    """Another system."""

    def send(self, message: Message) -> None:
        """Send a message and return when it was taken.

        Raises:
            NotTaken: it was not.
        """


class Webhook:
    """Another system behind an address."""

    def __init__(self, url: Callable[[], str | None], secret: str) -> None:
        """Post to what `url` gives at the time, signed with `secret` (`secret_of`)."""
        self._url, self._key = url, base64.b64decode(secret.removeprefix(SECRET))
        self._session = requests.Session()

    def send(self, message: Message) -> None:
        """Post it. Anything from 200 to 299 takes it; redirects are not followed.

        Raises:
            NotTaken: the address did not answer in time or did not take it.
        """
        url, stamp = self._url(), str(int(time()))
        if url is None:
            raise NotTaken("the hall tells nobody any more", refused=True)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "jiaohao",
            "webhook-id": message.id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._key, message.id, stamp, message.body),
        }
        try:
            with self._session.post(
                url,
                data=message.body,
                headers=headers,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            raise NotTaken(type(error).__name__) from error
        if not 200 <= status < 300:
            refused = 400 <= status < 500 and status not in LATER
            raise NotTaken(f"status {status}", refused=refused, answered=True)


def signature(key: bytes, id_: str, stamp: str, body: bytes) -> str:
    """Give the signature of a message, as Standard Webhooks has it."""
    signed = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def secret_of(keyed_hash: Callable[[str, bytes], str], hall: HallId) -> str:
    """Give the secret that a hall shares with its receiver, made of the server's own (`People.keyed_hash`)."""
    return SECRET + base64.b64encode(bytes.fromhex(keyed_hash("notify", hall.encode()))).decode()


class Outbox:
    """What is still to be sent by this server, and up to which commit it was made."""

    def __init__(self, path: Path, *, offload: Callable[[Callable[[], None]], None] = lambda write: write()) -> None:
        """Open or make the file. `offload` runs a blocking write and returns when it is done.

        Raises:
            OutboxBroken: the file cannot be used.
        """
        self._path, self._offload = path, offload
        try:
            with self._open() as base:
                base.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise OutboxBroken(f"{path} cannot be used for messages to other systems: {error}") from error

    def cursor(self, hall: HallId) -> int | None:
        """Give up to which commit a hall's notices were made, None for a hall that never had any."""
        with self._open() as base:
            row = base.execute("select seq from cursors where hall = ?", (hall,)).fetchone()
        return None if row is None else int(row[0])

    def put(self, hall: HallId, place: tuple[int, str], messages: Sequence[Made], told: Sequence[str]) -> None:
        """Keep messages and the place (commit, its day) in one step; `told` are ids not to be made again that day."""
        seq, day = place

        def write() -> None:
            with self._open() as base:
                base.execute("insert or replace into cursors values (?, ?)", (hall, seq))
                base.execute("delete from told where hall = ? and day < ?", (hall, day))
                base.executemany("insert or ignore into told values (?, ?, ?)", [(hall, id_, day) for id_ in told])
                base.executemany(
                    "insert into outbox (hall, id, body, expires_ms) values (?, ?, ?, ?)",
                    [(hall, *message) for message in messages],
                )

        self._offload(write)

    def told(self, hall: HallId) -> set[str]:
        """Give the ids that are never made again."""
        with self._open() as base:
            return {row[0] for row in base.execute("select id from told where hall = ?", (hall,))}

    def waiting(self, hall: HallId, most: int) -> list[Message]:
        """Give what is to be sent next, oldest first."""
        with self._open() as base:
            rows = base.execute(
                "select n, id, body, expires_ms from outbox where hall = ? order by n limit ?", (hall, most)
            ).fetchall()
        return [Message(n=n, id=id_, body=body, expires_ms=expires_ms) for n, id_, body, expires_ms in rows]

    def done(self, numbers: Sequence[int]) -> None:
        """Forget messages that were taken, refused or too late."""

        def write() -> None:
            with self._open() as base:
                base.executemany("delete from outbox where n = ?", [(n,) for n in numbers])

        self._offload(write)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=BUSY_WAIT_S)) as base, base:
            yield base


class Notifier:
    """Follows one hall and tells another system."""

    def __init__(self, hall: HallView, outbox: Outbox, sender: Sender) -> None:
        """Begin where this server was; a hall that never told anything begins now."""
        self._hall, self._outbox, self._sender = hall, outbox, sender
        self._wake, self._stopped = Flag(), False
        self._told, self._day = outbox.told(hall.id), ""
        self._read_to = max(hall.gone(), kept if (kept := outbox.cursor(hall.id)) is not None else hall.seq)
        self._wait_s, self._not_before_s = 0.0, 0.0
        self._later: dict[int, tuple[float, float]] = {}  # messages that were not taken alone: not before, the pause
        self.fault: str | None = None
        """Why nothing is taken now."""
        self.beat = monotonic()
        """When the loop last went round, for the health page."""
        hall.follow(self._wake.set)

    def run(self) -> None:
        """Follow the hall until `stop`."""
        while not self._stopped:
            self.beat = monotonic()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            if not self._stopped:
                try:
                    self.step()
                except (LedgerDown, sqlite3.Error) as error:  # a full disk, too: what is not told now is told later
                    self._note(str(error))

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake.set()

    def step(self) -> None:
        """Make notices of what is new, then send what is due.

        Raises:
            LedgerDown: the ledger cannot be read now; the next step goes on where this one stopped.
            sqlite3.Error: nothing can be written now; likewise.
        """
        while self._read_to < self._hall.seq and self._make():
            pass
        self._send()

    def _make(self) -> bool:
        commits = self._hall.commits(self._read_to, PAGE)
        if not commits:
            return False
        now_ms = self._hall.now_ms()
        found: list[Notice] = []
        for commit in commits:
            found += self._hall.read(
                lambda state, _, commit=commit: notices_of(  # type: ignore[misc]  # bound in this round
                    state, commit.events, seq=commit.seq, at_ms=commit.at_ms
                )
            )
        soon = [it for it in self._hall.read(lambda state, _: near(state, now_ms)) if it.id not in self._told]
        fresh = [it for it in [*found, *soon] if it.expires_ms > now_ms]
        bodies = [(it.id, self._body(it), it.expires_ms) for it in fresh]
        last = commits[-1]
        self._outbox.put(self._hall.id, (last.seq, last.day), bodies, [it.id for it in soon])
        self._told.update(it.id for it in soon)
        if last.day != self._day:  # what was told on other days is gone
            self._told, self._day = self._outbox.told(self._hall.id), last.day
        self._read_to = last.seq
        return True

    def _body(self, notice: Notice) -> bytes:
        at = self._hall.read(lambda state, _: instant(state.plan, notice.at_ms))
        data = msgspec.to_builtins(notice.data)
        return msgspec.json.encode({"type": f"ticket.{notice.kind}", "timestamp": at, "data": data})

    def _send(self) -> None:
        if monotonic() < self._not_before_s:
            return
        stumbles = 0
        for message in self._due():
            self.beat = monotonic()
            if self._stopped:
                return
            try:
                self._sender.send(message)
            except NotTaken as error:
                if not error.refused:
                    stumbles += 1
                    if error.answered and stumbles < STUMBLES_MOST:
                        self._put_off(message, error)
                        continue
                    self._note(str(error))
                    self._wait_s = _longer(self._wait_s)
                    self._not_before_s = monotonic() + self._wait_s
                    return
                self._note(f"refused, {error}")  # one may be at fault, but all are when the address or the secret is
            else:
                self._note(None)
                stumbles = 0
            self._wait_s = 0.0
            self._done([message])

    def _due(self) -> list[Message]:
        """Give what is to be sent now; what comes too late is forgotten."""
        waiting, now_ms, now_s = self._outbox.waiting(self._hall.id, PAGE), self._hall.now_ms(), monotonic()
        late = [message for message in waiting if message.expires_ms <= now_ms]
        if late:
            log.warning("notices of %s: %d too late to be told, from %s on", self._hall.id, len(late), late[0].id)
            self._done(late)
        return [it for it in waiting if it.expires_ms > now_ms and self._later.get(it.n, (0.0, 0.0))[0] <= now_s]

    def _put_off(self, message: Message, error: NotTaken) -> None:
        """Let the others pass a message that was not taken; it is tried again by itself."""
        if message.n not in self._later:
            log.warning("notice %s of %s: not taken now (%s)", message.id, self._hall.id, error)
        pause_s = _longer(self._later.get(message.n, (0.0, 0.0))[1])
        self._later[message.n] = (monotonic() + pause_s, pause_s)

    def _done(self, messages: Sequence[Message]) -> None:
        self._outbox.done([message.n for message in messages])
        for message in messages:
            self._later.pop(message.n, None)

    def _note(self, fault: str | None) -> None:
        """Write a fault down once when it comes and once when it goes."""
        if fault is not None and self.fault is None:
            log.error("notices of %s are not taken: %s", self._hall.id, fault)
        elif fault is None and self.fault is not None:
            log.info("notices of %s are taken again", self._hall.id)
        self.fault = fault


def _longer(pause_s: float) -> float:
    """Give the next pause between two tries."""
    return min(RETRY_MOST_S, max(RETRY_FIRST_S, pause_s * 2))
