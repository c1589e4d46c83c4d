"""A line -> samples. `Engine` is the seam of all voices; `Chain` asks them in turn, the first that can speak wins.

Clips (`clips.py`) come first, then piper where a hall has a voice for it, then the machine's own voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drivers.speech import sound

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from drivers.speech.phrases import Line

SHORTEST_S = 0.15
QUIETEST_RMS = 0.01


class NoVoice(Exception):
    """No speech could be made; the message says why, for the technician."""


class Engine(Protocol):
    """Makes speech."""

    def languages(self) -> frozenset[str]:
        """Give the languages that it speaks besides those with a phrase file."""
        ...

    def speak(self, line: Line) -> array[int]:
        """Give the line as trimmed samples at `sound.SPEECH_LOUDNESS`. Raises NoVoice; never gives silence."""
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


def usable(content: bytes) -> array[int]:
    """Give the samples of a spoken sentence. Raises NoVoice when there is nothing to hear in it."""
    try:
        samples = sound.level(sound.trim(sound.read_wav(content).samples))
    except sound.BadSound as error:
        raise NoVoice(f"the voice made no sound: {error}") from error
    if sound.seconds(samples) < SHORTEST_S or sound.rms(samples) < QUIETEST_RMS:
        raise NoVoice("the voice made silence")
    return samples
