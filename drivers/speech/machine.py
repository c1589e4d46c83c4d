"""The machine's own voice: espeak-ng, or that of macOS or Windows, through pyttsx3; a child process per sentence.

espeak-ng reads Mandarin so that nobody understands it: it is not used for that unless the hall says so, and the
register shows that the voice is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.speech.engine import NoVoice
from drivers.speech.kept import Kept

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from drivers.speech.phrases import Line

TIMEOUT_S = 15.0
"""A sentence takes 0.1 s, on a busy machine seconds; a child that takes longer than this hangs and is killed."""
KEPT_SENTENCES = 300

_HELLO: Mapping[str, str] = MappingProxyType({"zh": "你好。", "en": "Hello."})
_KEPT_OF_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT", "TEMP", "APPDATA", "LOCALAPPDATA")
"""The last four are Windows': Python does not start there without the first, and SAPI's wrapper keeps files."""
_CHILD = Path(__file__).with_name("child.py")


class Pyttsx3Engine:
    """The voice of this machine, its sentences kept in a folder.

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
        self._kept = Kept(folder, KEPT_SENTENCES)
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
        key = (language, self._voices.get(language, ""), self._rate_wpm, sentence)
        kept = self._kept.get(*key)
        if kept is not None:
            return kept
        return self._kept.make(lambda out: self._run_child(sentence, language, out), *key)

    def check(self, language: str) -> None:
        """Speak two syllables into the folder. Raises NoVoice."""
        self._refuse(language)
        self._kept.make(lambda out: self._run_child(_HELLO[language], language, out), "check", language)

    def _refuse(self, language: str) -> None:
        if language not in _HELLO:
            raise NoVoice(f"the speech engine does not speak {language!r}")
        if language == "zh" and not self._mandarin:
            raise NoVoice(
                "the Mandarin of espeak-ng is not understood and not used (see the voice chapter of devices.md)"
            )

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
        environment = {name: os.environ[name] for name in _KEPT_OF_ENVIRONMENT if name in os.environ}
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
