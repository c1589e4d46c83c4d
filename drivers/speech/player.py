"""Samples -> ears, by URL.

aplay:DEVICE          a sound card of this machine, by its ALSA name ("aplay:default")
paplay:SINK           a sink of PulseAudio or PipeWire; "paplay:" is the usual one
afplay:  winsound:    the sound of macOS, of Windows
tcp://HOST:PORT       a network loudspeaker: the WAV is streamed, the loudspeaker hangs up when it has played it
file:///FOLDER        one WAV file per call, for integrations that play files (the newest 100 are kept)
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from drivers.faults import LineDown
from drivers.speech import sound

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHDOG_S = 5.0
"""How much longer than the clip a playback may take before it is ended."""
KEPT_FILES = 100
_CONNECT_TIMEOUT_S = 3.0
_SEND_BYTES = 8192


class NotPlayed(Exception):
    """The clip was not heard, or not to its end; the message says why."""


class Player(Protocol):
    """Plays one clip at a time."""

    def play(self, wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:
        """Play to the end; call `started` before the first sample can be heard.

        Raises LineDown before `started`: nothing was heard. Raises NotPlayed after it.
        """
        ...

    def check(self) -> None:
        """Find out whether the way to the loudspeaker is open, without a sound. Raises LineDown or NotPlayed."""
        ...

    def close(self) -> None:
        """End what is playing."""
        ...


def open_player(url: str) -> Player:
    """Give the player for an address. Raises ValueError with a sentence that says what to write instead."""
    parts = urlsplit(url)
    match parts.scheme:
        case name if name in PROGRAMS:
            return CardPlayer(name, url.partition(":")[2])
        case "tcp":
            if not parts.hostname or not parts.port:
                raise ValueError(f"{url!r} must look like tcp://192.168.1.60:9200")
            return TcpPlayer(url, parts.hostname, parts.port)
        case "file":
            if parts.netloc or not parts.path.strip("/"):
                raise ValueError(f"{url!r} must look like file:///var/spool/calls (three slashes)")
            return FolderPlayer(Path(unquote(parts.path)))
        case _:
            raise ValueError(
                f"{url!r} must begin with {', '.join(f'{name}:' for name in PROGRAMS)}, tcp:// or file:///"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that plays one WAV on a sound card and ends with 0 when it was heard.

    `words`: (device, file) -> the command; `reads`: it takes the WAV from its standard input, so there is no file;
    `install`: what to do when it is not there; `card`: device -> why there is none, "" when there is one or who knows.
    """

    words: Callable[[str, str], list[str]]
    install: str
    reads: bool = False
    card: Callable[[str], str] = lambda device: ""  # noqa: ARG005


def _pulse_card(device: str) -> str:
    """Give why nothing would be heard: a PulseAudio without a card plays to a dummy and says that all is well."""
    if device:
        return ""  # paplay refuses a sink that is not there
    try:
        told = subprocess.run(
            ["pactl", "info"], env={**os.environ, "LC_ALL": "C"}, capture_output=True, timeout=WATCHDOG_S, check=False
        )
    except OSError as error:
        return f"pactl cannot be run ({error.strerror}); install pulseaudio-utils"
    except subprocess.TimeoutExpired:
        return "PulseAudio does not answer"
    if told.returncode != 0:
        return told.stderr.decode("utf-8", errors="replace").strip()[:200] or f"pactl ended with {told.returncode}"
    return "PulseAudio has no sound card (its sink is auto_null)" if b"Default Sink: auto_null" in told.stdout else ""


_WINSOUND = "import sys, winsound; winsound.PlaySound(sys.argv[1], winsound.SND_FILENAME | winsound.SND_NODEFAULT)"

PROGRAMS: Mapping[str, Program] = {
    "aplay": Program(
        words=lambda device, file: ["aplay", "-q", "-D", device or "default", file],
        install="install alsa-utils",
        reads=True,
    ),
    "paplay": Program(
        # its own 2 s of latency would be waited for at every call
        words=lambda device, file: [
            *("paplay", "--latency-msec=50", "--client-name=jiaohao"),
            *([f"--device={device}"] if device else []),
            file,
        ],
        install="install pulseaudio-utils",
        card=_pulse_card,
    ),
    "afplay": Program(words=lambda device, file: ["afplay", file], install="it is part of macOS"),  # noqa: ARG005
    "winsound": Program(
        words=lambda device, file: [sys.executable, "-I", "-c", _WINSOUND, file],  # noqa: ARG005
        install="it is part of Windows",
    ),
}


class CardPlayer:
    """A sound card, through a program of the system: a process can be killed and has a real exit status."""

    def __init__(self, name: str, device: str) -> None:
        """Play with this one of PROGRAMS on this device; "" is the usual one."""
        self._name, self._device = name, device
        self._program = PROGRAMS[name]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def play(self, wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:  # noqa: ARG002
        """Play to the end. Raises NotPlayed."""
        started()
        self._play(wav, length_s + WATCHDOG_S)

    def check(self) -> None:
        """Open the card and play one hundredth of a second of silence. Raises NotPlayed."""
        self._play(sound.write_wav(sound.silence(0.01)), WATCHDOG_S)

    def close(self) -> None:
        """Kill what is playing."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _play(self, wav: bytes, timeout_s: float) -> None:
        if why := self._program.card(self._device):
            raise NotPlayed(why)
        if self._program.reads:
            self._run(self._program.words(self._device, "-"), wav, timeout_s)
            return
        try:
            with tempfile.TemporaryDirectory(prefix="jiaohao-call-") as folder:
                file = Path(folder) / "call.wav"
                file.write_bytes(wav)
                self._run(self._program.words(self._device, str(file)), b"", timeout_s)
        except OSError as error:
            raise NotPlayed(f"the clip cannot be written for {self._name}: {error.strerror or error}") from error

    def _run(self, command: list[str], wav: bytes, timeout_s: float) -> None:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise NotPlayed(f"{self._name} cannot be run ({error.strerror}); {self._program.install}") from error
        with self._lock:
            self._process = process
        try:
            _, errors = process.communicate(wav, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            where = self._device or self._name
            raise NotPlayed(f"the sound card {where!r} hung; playback ended after {timeout_s:.0f} s") from error
        finally:
            with self._lock:
                self._process = None
        if process.returncode != 0:
            why = errors.decode("utf-8", errors="replace").strip().splitlines()
            raise NotPlayed(why[-1][:200] if why else f"{self._name} ended with {process.returncode}")


class TcpPlayer:
    """A network loudspeaker that plays the WAV it is sent and hangs up when it has."""

    def __init__(self, url: str, host: str, port: int) -> None:
        """Stream to this address, one connection per clip."""
        self._url, self._address = url, (host, port)
        self._closed = threading.Event()

    def play(self, wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:  # noqa: ARG002
        """Stream, then wait for the loudspeaker to hang up. Raises LineDown, NotPlayed."""
        connection = self._connect()
        with connection:
            started()
            begun_s = time.monotonic()
            until_s = begun_s + length_s + WATCHDOG_S
            try:
                self._send(connection, wav, until_s)
                connection.shutdown(socket.SHUT_WR)
                self._wait_for_end(connection, until_s)
            except TimeoutError as error:
                raise NotPlayed("the loudspeaker did not finish in time") from error
            except OSError as error:
                heard_s = min(time.monotonic() - begun_s, length_s)
                raise NotPlayed(f"the loudspeaker hung up after {heard_s:.1f} of {length_s:.1f} s") from error
        # Some loudspeakers hang up when they have the whole clip: the next one must not talk over it.
        self._closed.wait(max(0.0, begun_s + length_s - time.monotonic()))

    def check(self) -> None:
        """Connect and hang up. Raises LineDown."""
        self._connect().close()

    def close(self) -> None:
        """Stop waiting."""
        self._closed.set()

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection(self._address, timeout=_CONNECT_TIMEOUT_S)
        except OSError as error:
            why = "no connection in time" if isinstance(error, TimeoutError) else (error.strerror or str(error))
            raise LineDown(self._url, why) from error

    def _send(self, connection: socket.socket, wav: bytes, until_s: float) -> None:
        rest = memoryview(wav)
        while rest:
            self._limit(connection, until_s)
            rest = rest[connection.send(rest[:_SEND_BYTES]) :]

    def _wait_for_end(self, connection: socket.socket, until_s: float) -> None:
        while True:
            self._limit(connection, until_s)
            if not connection.recv(64):
                return

    def _limit(self, connection: socket.socket, until_s: float) -> None:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or self._closed.is_set():
            raise TimeoutError
        connection.settimeout(left_s)


class FolderPlayer:
    """A folder that another program watches."""

    def __init__(self, folder: Path) -> None:
        """Write into this folder; it is made when it is not there."""
        self._folder = folder
        self._count = 0

    def play(self, wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:  # noqa: ARG002
        """Write one file, whole or not at all. Raises NotPlayed."""
        started()
        self._count += 1
        safe = "".join(character for character in name if character.isalnum() or character in "-_")[:60]
        target = self._folder / f"{time.time_ns()}-{safe}.wav"
        half_done = target.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            half_done.write_bytes(wav)
            half_done.replace(target)
            for old in sorted(self._folder.glob("*.wav"))[:-KEPT_FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            with contextlib.suppress(OSError):
                half_done.unlink(missing_ok=True)
            raise NotPlayed(f"{self._folder}: {error.strerror or error}") from error

    def check(self) -> None:
        """Look whether the folder can be written. Raises NotPlayed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotPlayed(f"{self._folder}: {error.strerror or error}") from error
        if not os.access(self._folder, os.W_OK):
            raise NotPlayed(f"{self._folder}: may not be written")

    def close(self) -> None:
        """Do nothing."""
