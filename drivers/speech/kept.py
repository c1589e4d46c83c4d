"""A folder of speech that was made once: one WAV per key, whole or not at all, what was used longest ago goes first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from typing import TYPE_CHECKING

from drivers.speech.engine import NoVoice, usable

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from pathlib import Path


class Kept:
    """Speech in a folder. Several loudspeakers may share it."""

    def __init__(self, folder: Path, most: int) -> None:
        """Keep at most this many; the folder is made when it is needed."""
        self._folder = folder
        self._most = most

    def get(self, *key: object) -> array[int] | None:
        """Give what was made for a key, None where there is nothing or nothing that can be used."""
        file = self._file(key)
        try:
            samples = usable(file.read_bytes())
        except (OSError, NoVoice):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return samples

    def has(self, *key: object) -> bool:
        """Say whether something was made for a key, without opening it."""
        return self._file(key).exists()

    def make(self, write: Callable[[Path], None], *key: object) -> array[int]:
        """Let `write` make a WAV at the path it is given, keep it for the key and give it.

        Raises NoVoice, also when there is nothing to hear in it; what was kept before stays.
        """
        kept = self._file(key)
        half_done = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")  # two loudspeakers say one call
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                write(half_done)
                samples = usable(half_done.read_bytes())
                half_done.replace(kept)  # whole or not at all: a cut-off file would be spoken for ever
            finally:
                half_done.unlink(missing_ok=True)
            self._forget_old()
        except OSError as error:
            raise NoVoice(f"{self._folder}: {error.strerror or error}") from error
        return samples

    def _file(self, key: tuple[object, ...]) -> Path:
        digest = hashlib.sha256("|".join(map(str, key)).encode()).hexdigest()[:24]
        return self._folder / f"{digest}.wav"

    def _forget_old(self) -> None:
        """Delete what was used longest ago; another loudspeaker may be doing the same."""
        ages: list[tuple[float, Path]] = []
        for path in self._folder.glob("*.wav"):
            with contextlib.suppress(FileNotFoundError):
                ages.append((path.stat().st_mtime, path))
        for _, path in sorted(ages)[: -self._most]:
            path.unlink(missing_ok=True)
