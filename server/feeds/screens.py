"""Pictures for the screens of one hall: computed when something happened, only for topics somebody watches.

A screen needs the newest picture and nothing else, so nothing is queued here: after a burst of commits each topic is
computed once, and it goes out only when it differs from what went out before. `seq` of a topic never goes back.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import msgspec

from server.domain.forecast import Outlook
from server.domain.state import HallState
from server.domain.terms import DeviceId, HallId, Track, WindowNo, ZoneId
from server.feeds.hall_view import HallView
from server.projections.board import board
from server.projections.common import instant
from server.projections.manager import manager
from server.projections.presented import Shown, presented
from server.projections.ticket import ticket
from server.projections.voice import voice
from server.projections.waits import Waits
from server.projections.window import window

REST_PER_WORK = 3.0  # after drawing for 10 ms it rests 30 ms: drawing never takes more than a quarter of a core
REST_MIN_S = 0.01
REST_MAX_S = 1.0
LOOK_EVERY_S = 2.0  # wakes by itself this often; nothing is drawn when nothing happened

log = logging.getLogger(__name__)


class UnknownTopic(Exception):
    """The hall has no such board, window or ticket."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Picture:
    """One topic at one commit. `frame` is the JSON that goes on the wire, made once for all who watch."""

    hall: HallId
    topic: str
    seq: int
    frame: bytes


class Viewer(Protocol):
    """Somebody who watches."""

    def offer(self, picture: Picture) -> None:
        """Take the newest picture of a topic instead of any older one; must not block."""


@dataclass(slots=True)
class _Topic:
    """A watched topic: who watches, and what went out last."""

    viewers: dict[Viewer, None]
    data: bytes = b""
    picture: Picture | None = None


class Screens:
    """The pictures of one hall. Safe to call from many threads or greenlets."""

    def __init__(
        self,
        hall: HallView,
        *,
        drill: bool,
        names: Callable[[], Mapping[str, str]],
        devices: Callable[[], Sequence[Mapping[str, Any]]],
        disk_full: Callable[[], bool] = lambda: False,
        shown: Callable[[DeviceId], Shown] = lambda _: Shown(),
    ) -> None:
        """Follow `hall`. `names` gives clerks' names by work id, `devices` the register's rows for the manager.

        `disk_full` says whether a full disk stops new numbers, `shown` what lies before a kiosk.
        """
        self._disk_full = disk_full
        self._shown = shown
        self._hall, self._drill, self._names, self._devices = hall, drill, names, devices
        self._topics: dict[str, _Topic] = {}
        self._waits = Waits()
        self._turn = Lock()
        self._wake = Flag()
        self._stopped = False
        self._broken: set[str] = set()
        self.beat = monotonic()
        """When the loop last went round, for the health page."""
        hall.follow(self._wake.set)

    def watch(self, viewer: Viewer, topic: str, after: int | None) -> int:
        """Give the hall's seq and offer the picture at once, unless `after` is that seq already.

        Raises:
            UnknownTopic: the hall has no such board, window or ticket.
        """
        with self._turn:
            data, seq, at = self._draw(topic)
            watched = self._topics.setdefault(topic, _Topic(viewers={}))
            if data != watched.data:
                self._publish(topic, watched, data, seq, at)
            watched.viewers[viewer] = None
            # The register changes without a commit, so a seq says too little about the manager's page.
            if watched.picture is not None and (after != seq or topic == "manager"):
                viewer.offer(watched.picture)
            return seq

    def unwatch(self, viewer: Viewer, topic: str) -> None:
        """Stop offering a topic."""
        with self._turn:
            self._drop(viewer, topic)

    def leave(self, viewer: Viewer) -> None:
        """Stop offering anything."""
        with self._turn:
            for topic in [topic for topic, watched in self._topics.items() if viewer in watched.viewers]:
                self._drop(viewer, topic)

    def changed(self) -> None:
        """Look again soon: something beside the ledger (a device, a name) has changed."""
        self._wake.set()

    def instant_now(self) -> str:
        """Give the hall's time as the wire has it."""
        now_ms = self._hall.now_ms()
        return self._hall.read(lambda state, _: instant(state.plan, now_ms))

    def run(self) -> None:
        """Follow the hall until `stop`."""
        while not self._stopped:
            self.beat = monotonic()
            if not self._wake.wait(LOOK_EVERY_S):
                continue
            self._wake.clear()
            begun = monotonic()
            self.refresh()
            self._pause(begun)

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake.set()

    def refresh(self) -> None:
        """Draw every watched topic and offer those that changed."""
        for topic in list(self._topics):
            with self._turn:
                watched = self._topics.get(topic)
                if watched is None:
                    continue
                try:
                    data, seq, at = self._draw(topic)
                except UnknownTopic:
                    continue  # a ticket of yesterday: its page keeps the last picture
                except Exception:
                    # One broken picture must not stop the others, nor the hall.
                    if topic not in self._broken:
                        self._broken.add(topic)
                        log.exception("picture %s of %s cannot be drawn", topic.partition(":")[0], self._hall.id)
                    continue
                self._broken.discard(topic)
                if data != watched.data:
                    self._publish(topic, watched, data, seq, at)

    def _pause(self, begun: float) -> None:
        rest = min(max((monotonic() - begun) * REST_PER_WORK, REST_MIN_S), REST_MAX_S)
        until = monotonic() + rest
        nap = Flag()
        while not self._stopped and (left := until - monotonic()) > 0:
            nap.wait(left)

    def _publish(self, topic: str, watched: _Topic, data: bytes, seq: int, at: str) -> None:
        envelope = {"hall": self._hall.id, "topic": topic, "seq": seq, "at": at, "data": msgspec.Raw(data)}
        watched.data = data
        watched.picture = Picture(hall=self._hall.id, topic=topic, seq=seq, frame=msgspec.json.encode(envelope))
        for viewer in list(watched.viewers):
            viewer.offer(watched.picture)

    def _drop(self, viewer: Viewer, topic: str) -> None:
        watched = self._topics.get(topic)
        if watched is None:
            return
        watched.viewers.pop(viewer, None)
        if not watched.viewers:
            del self._topics[topic]
            self._broken.discard(topic)

    def _draw(self, topic: str) -> tuple[bytes, int, str]:
        """Give the picture of a topic as JSON, the commit it shows, and the hall's time."""
        now_ms = self._hall.now_ms()
        names = self._names()
        devices = self._devices() if topic == "manager" else ()

        def question(state: HallState, seq: int) -> tuple[object, int, str]:
            waits = partial(self._waits.at, state, seq, state.last_ms)
            return self._picture(state, topic, now_ms, names, devices, waits), seq, instant(state.plan, now_ms)

        picture, seq, at = self._hall.read(question)
        return msgspec.json.encode(picture), seq, at

    def _picture(
        self,
        state: HallState,
        topic: str,
        now_ms: int,
        names: Mapping[str, str],
        devices: Sequence[Mapping[str, Any]],
        waits: Callable[[], Outlook],
    ) -> object:
        kind, colon, which = topic.partition(":")
        match kind, colon:
            case "board", "":
                return board(state, drill=self._drill, waits=waits())
            case "board", ":" if which in state.plan.zone:
                return board(state, zone=ZoneId(which), drill=self._drill, waits=waits())
            case "window", ":" if which in state.windows:
                return window(state, WindowNo(which), now_ms=now_ms, names=names, drill=self._drill)
            case "manager", "":
                return manager(state, names=names, devices=devices, disk_full=self._disk_full(), drill=self._drill)
            case "voice", "":
                return voice(state)
            case "presented", ":" if which:
                return presented(state, which, self._shown(DeviceId(which)), now_ms=now_ms)
            case "ticket", ":":
                found = ticket(state, Track(which), now_ms=now_ms, drill=self._drill, waits=waits())
                if found is not None:
                    return found
            case _:
                pass
        raise UnknownTopic(topic)
