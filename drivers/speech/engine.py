"""A line -> samples. `Engine` is the seam of all voices; `Chain` asks them in turn, the first that can speak wins.

Clips (`clips.py`) come first, then the machine's own voice. espeak-ng reads Mandarin so that nobody understands it: it
is not used for that unless the hall says so, and the register shows that the voice is missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from drivers.speech import sound

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from drivers.speech.phrases import Line

TIMEOUT_S = 15.0
"""A sentence takes 0.1 s, on a busy machine seconds; a child that takes longer than this hangs and is killed."""
KEPT_SENTENCES = 300
SHORTEST_S = 0.3
QUIETEST_RMS = 0.01

_HELLO: Mapping[str, str] = MappingProxyType({"zh": "你好。", "en": "Hello."})
_CHILD = Path(__file__).with_name("child.py")


class NoVoice(Exception):
    """No speech could be made; the message says why, for the technician."""


class Engine(Protocol):
    """Makes speech."""

    def languages(self) -> frozenset[str]:
        """Give the languages that it speaks besides those with a phrase file."""
        ...

    def speak(self, line: Line) -> array[int]:
        """Give the line as trimmed samples at `sound.SPEECH_PEAK`. Raises NoVoice; never gives silence."""
        ...

    def check(self, language: str) -> None:
        """Find out whether there is a voice, without using anything spoken before. Raises NoVoice."""
        ...

    def chime(self) -> array[int] | None:
        """Give a chime of its own, None where the usual one is to be heard."""
        ...


class Chain:
    """Several engines as one: the first that can speak a line speaks it."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        """Ask these in turn."""
        self._engines = tuple(engines)

    def languages(self) -> frozenset[str]:
        """Give the languages of all."""
        return frozenset[str]().union(*(engine.languages() for engine in self._engines))

    def speak(self, line: Line) -> array[int]:
        """Give the line from the first that can. Raises NoVoice with what each of them said."""
        whys: list[str] = []
        for engine in self._engines:
            try:
                return engine.speak(line)
            except NoVoice as error:
                whys.append(str(error))
        raise NoVoice("; ".join(whys))

    def check(self, language: str) -> None:
        """Look for one that speaks the language. Raises NoVoice."""
        whys: list[str] = []
        for engine in self._engines:
            try:
                return engine.check(language)
            except NoVoice as error:
                whys.append(str(error))
        raise NoVoice("; ".join(whys))

    def chime(self) -> array[int] | None:
        """Give the first chime there is."""
        return next((chime for engine in self._engines if (chime := engine.chime()) is not None), None)


class Pyttsx3Engine:
    """espeak-ng (or the voice of macOS) through pyttsx3; a child process per sentence, results kept in a folder.

    With `mandarin=False` it says no Chinese.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rate_wpm: int = 165,
        voices: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
        mandarin: bool = True,
    ) -> None:
        """Keep spoken sentences under `folder`; `voices` names a voice per language instead of the usual one."""
        self._folder = folder
        self._rate_wpm = rate_wpm
        self._voices = dict(voices or {})
        self._timeout_s = timeout_s
        self._mandarin = mandarin

    def languages(self) -> frozenset[str]:
        """Give none: it speaks those with a phrase file."""
        return frozenset()

    def chime(self) -> None:
        """Give none."""

    def speak(self, line: Line) -> array[int]:
        """Give the sentence, from the folder when it was spoken before. Raises NoVoice."""
        sentence, language = line.sentence, line.language
        self._refuse(language)
        voice = self._voices.get(language, "")
        key = hashlib.sha256(f"{language}|{voice}|{self._rate_wpm}|{sentence}".encode()).hexdigest()[:24]
        kept = self._folder / f"{key}.wav"
        with contextlib.suppress(OSError, NoVoice):
            samples = _usable(kept.read_bytes())
            os.utime(kept)
            return samples
        return self._make(sentence, language, kept)

    def check(self, language: str) -> None:
        """Speak two syllables into the folder. Raises NoVoice."""
        self._refuse(language)
        self._make(_HELLO[language], language, self._folder / f"check-{language}.wav")

    def _refuse(self, language: str) -> None:
        if language not in _HELLO:
            raise NoVoice(f"the speech engine does not speak {language!r}")
        if language == "zh" and not self._mandarin:
            raise NoVoice(
                "the Mandarin of espeak-ng is not understood and not used (see the voice chapter of devices.md)"
            )

    def _make(self, sentence: str, language: str, kept: Path) -> array[int]:
        half_done = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")  # two loudspeakers say one call
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._run_child(sentence, language, half_done)
                samples = _usable(half_done.read_bytes())
                half_done.replace(kept)  # whole or not at all: a cut-off file would be spoken for ever
            finally:
                half_done.unlink(missing_ok=True)
            self._forget_old()
        except OSError as error:
            raise NoVoice(f"{self._folder}: {error.strerror or error}") from error
        return samples

    def _run_child(self, sentence: str, language: str, out: Path) -> None:
        command = [sys.executable, "-I", "-X", "utf8", str(_CHILD)]
        command += [language, self._voices.get(language, ""), str(self._rate_wpm), str(out), sentence]
        try:
            done = subprocess.run(
                command, env=self._environment(), capture_output=True, timeout=self._timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NoVoice(f"the speech engine hung and was ended after {self._timeout_s:g} s") from error
        if done.returncode != 0:
            why = done.stderr.decode("utf-8", errors="replace").strip()[:200]
            raise NoVoice(why or f"the speech engine ended with {done.returncode}")

    def _environment(self) -> dict[str, str]:
        """Give the child's environment: with the espeak-ng 1.52 of the package espeakng-loader when that is installed.

        pyttsx3 loads "libespeak-ng.so.1" by that name, so a link with that name is put on the library path.
        """
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        bundled = _bundled_espeak()
        if bundled is not None:
            library, data = bundled
            links = self._folder / "lib"
            links.mkdir(parents=True, exist_ok=True)
            link = links / "libespeak-ng.so.1"
            if not link.exists() or link.resolve() != library.resolve():
                fresh = links / f"{os.getpid()}-{threading.get_ident()}.link"
                fresh.unlink(missing_ok=True)
                fresh.symlink_to(library)
                fresh.replace(link)  # never gone in between: another loudspeaker's child may be about to load it
            environment["LD_LIBRARY_PATH"] = str(links)
            environment["ESPEAK_DATA_PATH"] = str(data)
        return environment

    def _forget_old(self) -> None:
        """Delete what was used longest ago; another loudspeaker may be doing the same."""
        ages: list[tuple[float, Path]] = []
        for path in self._folder.glob("*.wav"):
            with contextlib.suppress(FileNotFoundError):
                ages.append((path.stat().st_mtime, path))
        for _, path in sorted(ages)[:-KEPT_SENTENCES]:
            path.unlink(missing_ok=True)


def _bundled_espeak() -> tuple[Path, Path] | None:
    """Give (library, data folder) of the package espeakng-loader, or None where it is not installed."""
    if sys.platform != "linux":
        return None
    try:
        import espeakng_loader
    except ImportError:
        return None
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    return (library, data) if library.exists() and data.is_dir() else None


def _usable(content: bytes) -> array[int]:
    """Give the samples of a spoken sentence. Raises NoVoice when there is nothing to hear in it."""
    try:
        samples = sound.level(sound.trim(sound.read_wav(content).samples))
    except sound.BadSound as error:
        raise NoVoice(f"the speech engine wrote no sound: {error}") from error
    if sound.seconds(samples) < SHORTEST_S or sound.rms(samples) < QUIETEST_RMS:
        raise NoVoice("the speech engine wrote silence")
    return samples
