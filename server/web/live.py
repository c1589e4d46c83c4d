"""The live line of the server: who may watch which topic, newest pictures out, jobs to agents and their answers back.

A client says `watch {hall, topic, after}` and gets {ok, seq}, then the whole picture on each change. Pictures are never
queued for a client that does not take them: it keeps the newest of each topic and gets that when it reads again; one
that takes nothing for `STALL_S` is cut off and comes back to a fresh picture. Who may watch is asked at the watch and
again all the time after: a revoked device or an ended session loses its line within seconds. When the settings of a
hall change, its pages lose theirs for a moment, as at a restart, and read the structure anew when they are back.
"""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from threading import Event as Flag
from time import monotonic
from typing import Any

from werkzeug.wrappers import Request

from server.domain.terms import HallId
from server.feeds.devices import JobFeed
from server.feeds.screens import Picture, Screens, UnknownTopic
from server.people import Identity, Role
from server.web.auth import CONTROLLERS, DEVICE_COOKIE, SESSION_COOKIE, bearer_of, identify, is_loopback, may_read
from server.web.problems import Problem
from server.web.site import Site
from server.web.socket_door import Answer, Outgoing, SocketDoor

TOPICS_MAX = 100
TOPIC_LENGTH_MAX = 200
DEVICE_LENGTH_MAX = 64
SEQ_MAX = 2**53
WATCH_BURST, WATCH_PER_S = 250, 25.0  # each watch draws a picture
ANONYMOUS_PER_ADDRESS = 200  # phones behind one address; this machine (a proxy, a test) is not counted
PACKETS_MAX = 16  # queued for one client; what comes then waits as the newest picture only
FLUSH_AGAIN_S = 0.05
STALL_S = 10.0
WITHOUT_STRUCTURE = frozenset({Role.DEVICES, Role.INTEGRATION})  # take pictures and jobs, and know no structure
CHECK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Connection:
    """One client: who it is, what it watches, and the newest pictures it has not taken yet."""

    def __init__(self, live: "Live", sid: str, identity: Identity | None, address: str) -> None:
        """Begin with nothing watched."""
        self.sid, self.identity, self.address = sid, identity, address
        self.topics: set[tuple[HallId, str]] = set()
        self.pending: dict[tuple[HallId, str], Picture] = {}
        self.sent = self.taken = 0
        self.stalled_s: float | None = None
        self.watch_level, self.watch_at = float(WATCH_BURST), monotonic()
        self._live = live

    def offer(self, picture: Picture) -> None:
        """Take the newest picture of a topic instead of any older one."""
        self.pending[picture.hall, picture.topic] = picture
        self._live.flush_soon(self)

    def send_job(self, job: Mapping[str, Any], answered: Callable[[object], None]) -> None:
        """Send a job to the agent behind this connection."""
        self._live.ask(self, "job", job, answered)


class Live:
    """All live lines of one server."""

    def __init__(self, site: Site, screens: Mapping[HallId, Screens], jobs: Mapping[HallId, JobFeed]) -> None:
        """Serve the pictures and jobs of the site's halls; `attach` gives it its door."""
        self._site, self._screens, self._jobs = site, screens, jobs
        self._connections: dict[str, Connection] = {}
        self._unsent: dict[Connection, None] = {}
        self._wake = Flag()
        self._stopped = False
        self._door: SocketDoor | None = None
        self._plans: dict[HallId, str] = {}  # digests of those that the pages were told of
        self.beat = monotonic()
        """When the loop last went round, for the health page."""

    def attach(self, door: SocketDoor) -> None:
        """Use this door from now on."""
        self._door = door

    def run(self) -> None:
        """Send what is pending, cut who takes nothing or may no longer listen, until `stop`."""
        checked = 0.0
        while not self._stopped:
            self.beat = monotonic()
            self._wake.wait(FLUSH_AGAIN_S if self._unsent else CHECK_EVERY_S)
            self._wake.clear()
            for connection in list(self._unsent):
                self._flush(connection)
            if (now := monotonic()) - checked >= CHECK_EVERY_S:
                checked = now
                self._check(now)

    def stop(self) -> None:
        """End `run` and cut all lines; the clients come back to the next server."""
        self._stopped = True
        self._wake.set()
        for connection in list(self._connections.values()):
            self._drop(connection)

    # ------------------------------------------------------------------------------------------- what comes in

    def opened(self, sid: str, environ: Mapping[str, Any], auth: object) -> str | None:
        """Take a new connection; who sends no proof is nobody, who sends a wrong token is refused."""
        request = Request(dict(environ))
        address = request.remote_addr or ""
        token = auth.get("token") if isinstance(auth, Mapping) else None
        try:
            identity = identify(
                self._site.people,
                bearer=token if isinstance(token, str) and token else bearer_of(request.headers.get("Authorization")),
                session=request.cookies.get(SESSION_COOKIE),
                device=request.cookies.get(DEVICE_COOKIE),
            )
        except Problem:
            return "not_allowed"
        if identity is None and not is_loopback(address):
            nobodies = sum(1 for one in self._connections.values() if one.identity is None and one.address == address)
            if nobodies >= ANONYMOUS_PER_ADDRESS:
                return "too_many"
        if identity is not None:
            self._site.people.seen(identity, address)
        self._connections[sid] = Connection(self, sid, identity, address)
        return None

    def closed(self, sid: str) -> None:
        """Forget a connection."""
        connection = self._connections.pop(sid, None)
        if connection is None:
            return
        self._leave(connection)

    def asked(self, sid: str, event: str, args: tuple[object, ...]) -> Answer:
        """Give the answer to an event."""
        connection = self._connections.get(sid)
        asked = args[0] if len(args) == 1 else None
        if connection is None or event not in {"watch", "unwatch"} or not isinstance(asked, Mapping):
            return _no("bad_request")
        hall, topic, after = asked.get("hall"), asked.get("topic"), asked.get("after")
        if not isinstance(hall, str) or not isinstance(topic, str) or not topic or len(topic) > TOPIC_LENGTH_MAX:
            return _no("bad_request")
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or abs(after) > SEQ_MAX):
            return _no("bad_request")
        if HallId(hall) not in self._screens:
            return _no("unknown_hall")
        if event == "unwatch":
            return self._unwatch(connection, HallId(hall), topic)
        return self._watch(connection, HallId(hall), topic, after)

    def _leave(self, connection: Connection) -> None:
        self._unsent.pop(connection, None)
        for hall in {hall for hall, _ in connection.topics}:
            self._screens[hall].leave(connection)
            self._jobs[hall].leave(connection)

    def _watch(self, connection: Connection, hall: HallId, topic: str, after: int | None) -> Answer:
        if not self._may_watch(connection, hall, topic):
            return _no("not_allowed")
        if len(connection.topics | {(hall, topic)}) > TOPICS_MAX or not _take(connection):
            return _no("too_many")
        kind, _, which = topic.partition(":")
        try:
            if kind == "device":
                seq = self._watch_device(connection, hall, which)
            else:
                seq = self._screens[hall].watch(connection, topic, after)
        except UnknownTopic:
            return _no("unknown_topic")
        except Exception:  # a picture that cannot be drawn must not leave its screen without an answer
            log.exception("watching a %s of %s failed", kind, hall)
            return _no("unavailable")
        connection.topics.add((hall, topic))
        if self._connections.get(connection.sid) is not connection:  # cut while the picture was drawn
            self._leave(connection)
            return _no("not_allowed")
        return {"ok": True, "seq": seq, "at": self._screens[hall].instant_now()}

    def _unwatch(self, connection: Connection, hall: HallId, topic: str) -> Answer:
        kind, _, which = topic.partition(":")
        if kind == "device":
            self._jobs[hall].unwatch(connection, which)
        else:
            self._screens[hall].unwatch(connection, topic)
        connection.topics.discard((hall, topic))
        connection.pending.pop((hall, topic), None)
        return {"ok": True, "seq": self._site.halls[hall].seq, "at": self._screens[hall].instant_now()}

    def _watch_device(self, connection: Connection, hall: HallId, device: str) -> int:
        if not device or len(device) > DEVICE_LENGTH_MAX or not device.isprintable():
            raise UnknownTopic(device)
        return self._jobs[hall].watch(connection, device)

    def _may_watch(self, connection: Connection, hall: HallId, topic: str) -> bool:
        identity, kind = connection.identity, topic.partition(":")[0]
        local_dev = self._site.dev and is_loopback(connection.address)
        if kind == "ticket":
            return True  # the token is the key
        if kind == "device":
            return (
                identity is not None
                and identity.role in {Role.DEVICES, Role.INTEGRATION}
                and may_read(identity, hall)
                and self._owns(identity, hall, topic.partition(":")[2])
            )
        if kind == "presented":  # for the page before which the visitor stands, and nobody else
            which = topic.partition(":")[2]
            return (
                identity is not None
                and identity.role is Role.KIOSK
                and identity.id == which
                and may_read(identity, hall)
            )
        if kind == "manager" and not local_dev:
            return identity is not None and identity.role in CONTROLLERS and may_read(identity, hall)
        return local_dev or may_read(identity, hall)

    def _owns(self, identity: Identity, hall: HallId, device: str) -> bool:
        """Say whether nobody else's agent has registered the device: jobs are done once, by one."""
        row = next((row for row in self._site.register.rows(hall) if row.device == device), None)
        return row is None or row.owner == identity.id

    # --------------------------------------------------------------------------------------------- what goes out

    def flush_soon(self, connection: Connection) -> None:
        """Send the pending pictures of a connection in a moment (after the answer to its watch)."""
        self._unsent[connection] = None
        self._wake.set()

    def ask(
        self, connection: Connection, event: str, data: Mapping[str, Any], answered: Callable[[object], None]
    ) -> None:
        """Send an event that wants an answer."""
        self._the_door().ask(connection.sid, event, data, answered)

    def _flush(self, connection: Connection) -> None:
        door = self._the_door()
        while connection.pending and door.backlog(connection.sid) < PACKETS_MAX:
            key = next(iter(connection.pending))
            door.send(connection.sid, _packet(connection.pending.pop(key)))
            connection.sent += 1
        if not connection.pending:
            self._unsent.pop(connection, None)

    def _check(self, now: float) -> None:
        renewed = self._renewed()
        for connection in list(self._connections.values()):
            if connection.identity is not None and not self._site.people.is_valid(connection.identity):
                log.info("line of %s closed: it may no longer listen", connection.identity.id)
                self._drop(connection)
            elif self._is_stalled(connection, now):
                who = connection.identity.id if connection.identity else "a visitor"
                log.info("line of %s at %s closed: it takes nothing", who, connection.address)
                self._drop(connection)
            elif _shows(connection, renewed):
                self._drop(connection)
            elif connection.identity is not None:
                self._site.people.seen(connection.identity, connection.address)

    def _renewed(self) -> set[HallId]:
        """Give the halls whose settings were changed since this was asked last."""
        plans = {id_: hall.plan.digest for id_, hall in self._site.halls.items()}
        renewed = {id_ for id_, digest in plans.items() if digest != self._plans.get(id_, digest)}
        self._plans = plans
        return renewed

    def _is_stalled(self, connection: Connection, now: float) -> bool:
        """Say whether packets wait and none was taken for `STALL_S`; a full queue that moves is only slow."""
        backlog = self._the_door().backlog(connection.sid)
        taken = connection.sent - backlog
        moves = backlog == 0 or taken > connection.taken
        connection.taken = taken
        if moves:
            connection.stalled_s = None
        elif connection.stalled_s is None:
            connection.stalled_s = now
        return connection.stalled_s is not None and now - connection.stalled_s > STALL_S

    def _drop(self, connection: Connection) -> None:
        self._the_door().drop(connection.sid)
        self.closed(connection.sid)

    def _the_door(self) -> SocketDoor:
        if self._door is None:
            raise AssertionError("a live line without a door")
        return self._door


def _shows(connection: Connection, halls: set[HallId]) -> bool:
    """Say whether a page behind the line shows the structure of one of these halls.

    It reads the structure whenever its line comes back, so that is how it is told of a new one. Agents of devices keep
    their lines, and jobs their printers; a visitor's phone shows pictures only.
    """
    if not halls or (connection.identity is not None and connection.identity.role in WITHOUT_STRUCTURE):
        return False
    return any(hall in halls and not topic.startswith("ticket:") for hall, topic in connection.topics)


def _no(code: str) -> Answer:
    return {"ok": False, "code": code}


def _take(connection: Connection) -> bool:
    """Take one watch from the connection's bucket."""
    now = monotonic()
    level = min(WATCH_BURST, connection.watch_level + (now - connection.watch_at) * WATCH_PER_S)
    connection.watch_at = now
    connection.watch_level = level - 1 if level >= 1 else level
    return level >= 1


@lru_cache(maxsize=256)
def _packet(picture: Picture) -> Outgoing:
    """Give a picture ready to send; made once, whoever gets it."""
    return Outgoing("picture", picture.frame)
