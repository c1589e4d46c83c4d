"""Renders speech on the hall's own machine, ahead of the call: one thread, one Kokoro child process (`kokoro.py`).

A number is wanted when its ticket is issued and is there long before it is called. What was rendered is kept in a
folder. The child is ended when nothing is wanted, which gives its memory back, and killed when it hangs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from drivers.speech import kokoro
from drivers.speech.engine import NoVoice
from drivers.speech.kept import Kept

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable

SPEED = 0.92
"""How fast a voice speaks, 1.0 as trained. Slower, 到 has a vowel before it."""
TICKETS_SLOWER = 0.07
"""How much slower it says tickets: faster, digits are run over; slower still, 请 has a vowel before it."""
TIMEOUT_S = 60.0
"""For one piece: 2 s of speech take 3 s, on a busy machine more. A child that hangs is killed."""
TEXT_WITHIN_S = 45.0
"""An announcement is of no use later than this; see its expiry."""
IDLE_S = 20.0
AGAIN_S = 60.0
"""After a failure nothing is tried for so long: without the package each ticket would start a child in vain."""
KEPT_PIECES = 3000
MOST_WANTED = 2000

_CHILD = Path(kokoro.__file__)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedVoice:
    """Whose voice: the file of styles, its SHA-256, how fast it speaks (1.0: as trained), and how it reads 1."""

    file: Path
    sha256: str
    speed: float = SPEED
    yao: bool = False


def for_tickets(voice: RenderedVoice) -> RenderedVoice:
    """Give the voice as it says tickets."""
    return replace(voice, speed=round(voice.speed - TICKETS_SLOWER, 2))


@dataclass(slots=True, eq=False)
class _Wanted:
    """A piece that is wanted, and who waits for it."""

    voice: RenderedVoice
    signs: str
    done: threading.Event = field(default_factory=threading.Event)
    why: str = ""


_shared: WeakValueDictionary[Path, Renderer] = WeakValueDictionary()
_sharing = threading.Lock()


def renderer_of(folder: Path) -> Renderer:
    """Give the renderer of a folder: one for all loudspeakers of an agent, or each would load the model."""
    with _sharing:
        renderer = _shared.get(folder)
        if renderer is None or renderer.closed:
            renderer = _shared[folder] = Renderer(folder)
        return renderer


class Renderer:
    """Renders what is wanted, in order. Safe to call from many threads."""

    def __init__(self, folder: Path) -> None:
        """Keep what was rendered in this folder; nothing is started before something is wanted."""
        self._kept = Kept(folder, KEPT_PIECES)
        self._turn = threading.Condition()
        self._wanted: deque[_Wanted] = deque()
        self._known: set[tuple[str, str]] = set()  # wanted or there: asked again at every ticket
        self._thread: threading.Thread | None = None
        self._child: Child | None = None
        self._closed = False
        self._rest_until_s = 0.0
        self.trouble = ""
        """Why the last piece was not rendered, "" when it was."""

    @property
    def closed(self) -> bool:
        """Say whether it was closed; then it renders nothing any more."""
        return self._closed

    def get(self, voice: RenderedVoice, signs: str) -> array[int] | None:
        """Give a piece that was rendered before; else it is rendered next, and None."""
        kept = self._kept.get(voice.sha256, voice.speed, signs)
        if kept is None:
            self._want(_Wanted(voice, signs), first=True)
        return kept

    def want(self, voice: RenderedVoice, pieces: Iterable[str]) -> None:
        """Render these, after what is wanted already; what was rendered before is left."""
        for signs in pieces:
            with self._turn:
                known = (voice.sha256, signs) in self._known
            if known:
                continue
            if self._kept.has(voice.sha256, voice.speed, signs):
                with self._turn:
                    self._known.add((voice.sha256, signs))
            else:
                self._want(_Wanted(voice, signs), first=False)

    def say(self, voice: RenderedVoice, signs: str, within_s: float = TEXT_WITHIN_S) -> array[int]:
        """Render this now and wait for it. Raises NoVoice."""
        kept = self._kept.get(voice.sha256, voice.speed, signs)
        if kept is not None:
            return kept
        piece = _Wanted(voice, signs)
        self._want(piece, first=True)
        if not piece.done.wait(within_s):
            raise NoVoice(f"it was not rendered within {within_s:g} s")
        kept = self._kept.get(voice.sha256, voice.speed, signs)
        if kept is None:
            raise NoVoice(piece.why or "what was rendered is gone")
        return kept

    def close(self) -> None:
        """End the child; what is half done is thrown away."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
            child, thread = self._child, self._thread
        if child is not None:
            child.kill()
        if thread is not None:
            thread.join(5)

    def _want(self, piece: _Wanted, *, first: bool) -> None:
        with self._turn:
            resting = time.monotonic() < self._rest_until_s
            if self._closed or resting or len(self._wanted) >= MOST_WANTED:
                piece.why = self.trouble or "nothing more is rendered now"
                piece.done.set()
                return
            self._known.add((piece.voice.sha256, piece.signs))
            if first:
                alike = [each for each in self._wanted if (each.voice, each.signs) == (piece.voice, piece.signs)]
                for each in alike:
                    self._wanted.remove(each)
                self._wanted.extendleft([*alike, piece])
            else:
                self._wanted.append(piece)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="render speech", daemon=True)
                self._thread.start()
            self._turn.notify_all()

    def _run(self) -> None:
        while True:
            with self._turn:
                if not self._turn.wait_for(lambda: self._closed or self._wanted, IDLE_S):
                    self._end_child()
                    self._turn.wait_for(lambda: self._closed or self._wanted)
                if self._closed:
                    self._end_child()
                    for piece in self._wanted:
                        piece.why = "the agent is stopping"
                        piece.done.set()
                    return
                piece = self._wanted.popleft()
            try:
                if self._kept.get(piece.voice.sha256, piece.voice.speed, piece.signs) is None:
                    self._kept.make(
                        lambda out, piece=piece: self._render(piece, out),  # type: ignore[misc]  # bound in this round
                        piece.voice.sha256,
                        piece.voice.speed,
                        piece.signs,
                    )
                self._told("")
            except _Gone as error:
                self._give_up(piece, str(error))
            except NoVoice as error:
                piece.why = str(error)
                self._told(piece.why)
            piece.done.set()

    def _give_up(self, failed: _Wanted, why: str) -> None:
        """Drop all that is wanted: it would fail alike. Whoever wants it again later gets another try."""
        with self._turn:
            if self._closed:
                why = "the agent is stopping"
            self._rest_until_s = time.monotonic() + AGAIN_S
            given_up = [failed, *self._wanted]
            self._wanted.clear()
            self._known.difference_update({(piece.voice.sha256, piece.signs) for piece in given_up})
        self._end_child()
        self._told(why)
        for piece in given_up:
            piece.why = why
            piece.done.set()

    def _told(self, trouble: str) -> None:
        if bool(trouble) != bool(self.trouble):
            log.log(logging.WARNING if trouble else logging.INFO, "rendered voice: %s", trouble or "back")
        self.trouble = trouble

    def _render(self, piece: _Wanted, out: Path) -> None:
        child = self._child
        if child is None or child.voice != (piece.voice.file, piece.voice.sha256):
            self._end_child()
            child = self._child = Child(piece.voice)
        child.render(piece.signs, out, piece.voice.speed)

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


class _Gone(NoVoice):
    """Nothing can be rendered by this child."""


class Child:
    """The process that has the model loaded."""

    def __init__(self, voice: RenderedVoice) -> None:
        """Start it. Raises _Gone when the voice file is not the one of the manifest."""
        try:
            content = voice.file.read_bytes()
        except OSError as error:
            raise _Gone(f"{voice.file}: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != voice.sha256:
            raise _Gone(f"{voice.file} is not the voice of the manifest (changed or damaged): build it again")
        self.voice = voice.file, voice.sha256
        command = [sys.executable, "-I", "-X", "utf8", str(_CHILD), str(voice.file)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError as error:
            raise _Gone(f"Python cannot be run: {error.strerror}") from error
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, 5)  # calls and screens come first
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, name="rendered", daemon=True).start()

    def render(self, signs: str, out: Path, speed: float) -> None:
        """Make the WAV of one piece. Raises NoVoice, or _Gone when no other can be made either."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"signs": signs, "speed": speed, "out": str(out)}) + "\n")
            self._process.stdin.flush()
            answer = self._answers.get(timeout=TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise _Gone("the rendering process has gone") from error
        except queue.Empty as error:
            raise _Gone(f"the rendering process hung and was ended after {TIMEOUT_S:g} s") from error
        if not answer:
            raise _Gone(f"the rendering process ended with {self._process.wait()}")
        try:
            told = dict(json.loads(answer))
        except (ValueError, TypeError) as error:
            raise _Gone(f"the rendering process wrote {answer.strip()[:60]!r}") from error
        if told:
            raise (_Gone if told.get("fatal") else NoVoice)(str(told.get("error")))

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # a line was not taken by the one that is gone
                self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                self._answers.put(line)
        self._answers.put("")
