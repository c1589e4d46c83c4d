"""Speech by piper (https://github.com/OHF-Voice/piper1-gpl) with a voice file that the hall has got itself.

    piper --model zh_CN.onnx --output_file OUT.wav < SENTENCE

The program is a process per sentence: it loads its voice in some seconds, and what it said is kept. It and its voices
have licences of their own (GPL-3.0, and what each voice says), so it is installed beside us, never with us.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.speech.engine import NoVoice
from drivers.speech.kept import Kept

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from drivers.speech.phrases import Line

TIMEOUT_S = 20.0
KEPT_SENTENCES = 300


class PiperEngine:
    """Piper, with a voice file per language. See `drivers.speech.engine.Engine`."""

    def __init__(self, folder: Path, voices: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> None:
        """Keep spoken sentences under `folder`; `voices`: language -> path of the .onnx file (its .json beside it)."""
        self._kept = Kept(folder, KEPT_SENTENCES)
        self._voices = dict(voices)
        self._timeout_s = timeout_s

    def languages(self) -> frozenset[str]:
        """Give none: it speaks those with a phrase file."""
        return frozenset()

    def chime(self) -> None:
        """Give none."""

    def speak(self, line: Line) -> array[int]:
        """Give the sentence, from the folder when it was spoken before. Raises NoVoice."""
        voice = self._voice(line.language)
        kept = self._kept.get(voice, line.sentence)
        if kept is not None:
            return kept
        return self._kept.make(lambda out: self._run(voice, line.sentence, out), voice, line.sentence)

    def check(self, language: str) -> None:
        """Look whether program and voice file are there. Raises NoVoice."""
        self._voice(language)
        _program()

    def _voice(self, language: str) -> Path:
        if language not in self._voices:
            raise NoVoice(f"piper has no voice file for {language!r}")
        voice = Path(self._voices[language])
        for file in (voice, voice.with_name(f"{voice.name}.json")):
            if not file.is_file():
                raise NoVoice(f"piper: {file} is not there")
        return voice

    def _run(self, voice: Path, sentence: str, out: Path) -> None:
        command = [_program(), "--model", str(voice), "--output_file", str(out)]
        try:
            done = subprocess.run(
                command, input=sentence.encode(), capture_output=True, timeout=self._timeout_s, check=False
            )
        except OSError as error:
            raise NoVoice(f"piper cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise NoVoice(f"piper hung and was ended after {self._timeout_s:g} s") from error
        if done.returncode != 0:
            why = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            raise NoVoice(f"piper: {why[-1][:200]}" if why else f"piper ended with {done.returncode}")


def _program() -> str:
    """Give where piper is: beside our own Python, or on the path. Raises NoVoice."""
    found = shutil.which("piper", path=str(Path(sys.executable).parent)) or shutil.which("piper")
    if found is None:
        raise NoVoice("piper is not installed: pip install piper-tts")
    return found
