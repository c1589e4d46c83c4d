"""A pretend network loudspeaker: takes a WAV over TCP, plays it in real time (silently), keeps it, then hangs up.

The devices page plays what it kept and shows the sentences as a transcript. It can be told to misbehave, see `FAULTS`.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drivers.speech import sound

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = ("unplug", "stall", "hang_up", "slow")
"""Nobody answers; it never reads nor ends; the connection is reset in the middle; it needs 3 s longer than the clip."""

KEPT_CLIPS = 20
MAX_CLIP_BYTES = 2 * sound.RATE_HZ * sound.MAX_SECONDS
_SLOWER_S = 3.0
_STALL_S = 60.0
_NOTHING_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One call as it was heard."""

    number: int
    at: datetime
    text: str
    length_s: float
    rms: float
    wav: bytes


class Loudspeaker:
    """One loudspeaker with a TCP port; one connection at a time."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        zones: tuple[str, ...] = (),
        real_time: bool = True,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Listen; `real_time=False` hangs up without the time the clip would take."""
        self.zones = zones
        self.fault: str | None = None
        self._on_change = on_change
        self._real_time = real_time
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._changed = threading.Event()  # the fault changed: whoever waits looks again
        self._clips: deque[Clip] = deque(maxlen=KEPT_CLIPS)
        self._heard = 0
        self._playing = ""
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._plug()
        self._thread = threading.Thread(target=self._run, name=f"virtual {self.url}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return f"tcp://{self._address[0]}:{self._address[1]}"

    @property
    def clips(self) -> list[Clip]:
        """What was played to the end, newest last."""
        with self._lock:
            return list(self._clips)

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"a loudspeaker knows {', '.join(FAULTS)}, not {fault!r}")
        with self._lock:
            self.fault = fault
            if fault == "unplug":
                self._unplug()
            else:
                self._plug()
        self._changed.set()
        self._on_change()

    def clip(self, number: int) -> Clip | None:
        """Give a kept clip by its number."""
        return next((clip for clip in self.clips if clip.number == number), None)

    def state(self) -> dict[str, object]:
        """Give the loudspeaker for the devices page, newest call first."""
        with self._lock:
            clips = [
                {
                    "number": clip.number,
                    "at": clip.at.isoformat(timespec="seconds"),
                    "text": clip.text,
                    "length_s": round(clip.length_s, 1),
                    "rms": round(clip.rms, 3),
                }
                for clip in reversed(self._clips)
            ]
            return {
                "kind": "speaker",
                "url": self.url,
                "fault": self.fault,
                "faults": list(FAULTS),
                "zones": list(self.zones),
                "playing": self._playing,
                "clips": clips,
            }

    def close(self) -> None:
        """Put the loudspeaker away."""
        self._closed.set()
        self._changed.set()
        with self._lock:
            self._unplug()
        self._thread.join(5)

    def _plug(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(self._address, backlog=4)
            self._listener.settimeout(0.2)
            self._address = (self._address[0], self._listener.getsockname()[1])

    def _unplug(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # else the waiting accept() takes one more
            self._listener.close()
            self._listener = None

    def _run(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                listener = self._listener
            if listener is None:
                self._changed.wait(0.2)
                self._changed.clear()
                continue
            try:
                connection, _ = listener.accept()
            except OSError:  # also the time-out that lets this loop look whether it is closed
                continue
            with connection, contextlib.suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if self.fault == "stall":
            self._pause(_STALL_S, "stall")
            return
        content = self._receive(connection)
        if content is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if not content:
            return  # somebody only looked whether we are here
        try:
            wav = sound.read_wav(content)
        except sound.BadSound:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        length_s = sound.seconds(wav.samples)
        self._now_playing(wav.comment)
        begun_s = time.monotonic()
        if self._real_time:
            self._pause(length_s + (_SLOWER_S if self.fault == "slow" else 0.0), self.fault)
        if self._closed.is_set() or self.fault in {"unplug", "hang_up"}:
            cut_s = time.monotonic() - begun_s
            self._now_playing("")
            if cut_s < length_s:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
        self._keep(content, wav, length_s)

    def _receive(self, connection: socket.socket) -> bytes | None:
        """Give the whole clip, or None when the connection has to be broken."""
        content = bytearray()
        connection.settimeout(_NOTHING_S)
        while chunk := connection.recv(65536):
            content += chunk
            if self.fault == "hang_up" or len(content) > MAX_CLIP_BYTES:
                return None
        return bytes(content)

    def _pause(self, length_s: float, fault: str | None) -> None:
        """Wait, unless we are closed or told to misbehave in another way."""
        until_s = time.monotonic() + length_s
        while not self._closed.is_set() and self.fault == fault and (left_s := until_s - time.monotonic()) > 0:
            self._changed.wait(min(left_s, 0.2))
            self._changed.clear()

    def _now_playing(self, text: str) -> None:
        with self._lock:
            self._playing = text
        self._on_change()

    def _keep(self, content: bytes, wav: sound.Wav, length_s: float) -> None:
        with self._lock:
            self._playing = ""
            self._heard += 1
            clip = Clip(
                number=self._heard,
                at=datetime.now(tz=UTC).astimezone(),
                text=wav.comment,
                length_s=length_s,
                rms=sound.rms(wav.samples),
                wav=content,
            )
            self._clips.append(clip)
        self._on_change()
