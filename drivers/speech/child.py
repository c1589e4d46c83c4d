"""Speak one sentence into a WAV file with pyttsx3, then end: a process of its own, so that it can be killed.

    python -I child.py LANGUAGE VOICE RATE_WPM OUT.wav SENTENCE

pyttsx3 2.99 with espeak-ng keeps one slot instead of a queue, never clears it, never returns from a second runAndWait()
with nothing to say, shares one callback among all threads and takes a failed playback for a success: so one sentence
per process, and `save_to_file` only. It also runs its commands late, all at once, with a stop behind them that cancels
what espeak-ng has not done yet: on a busy machine the rate is lost, or runAndWait() is back before the file is written.
So each command is made to happen when it is given (`_settle`), the rate stands in the sentence, and the end is checked.
Drop this when the library has a queue of its own. On macOS it writes AIFF under any name; SAPI on Windows never says
that it has finished, and need not.
Ends with 0 and a WAV file, or with 1 and one line on stderr.
"""

import contextlib
import ctypes
import io
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

GIVE_UP_S = 10
"""The parent kills this process long before; this is for when the parent is gone."""


def main(language: str, voice: str, rate_wpm: str, out: str, sentence: str) -> int:
    """Write the sentence to `out`. Give the exit status."""
    if hasattr(signal, "alarm"):  # not on Windows; a thread in its place makes espeak-ng lose the rate
        signal.alarm(GIVE_UP_S)
    try:
        import pyttsx3

        # "Audio saved to ..." goes to stdout at each file.
        with contextlib.redirect_stdout(io.StringIO()):
            engine = pyttsx3.init()
            voices = [str(each.id) for each in engine.getProperty("voices")]
            voice = voice or _voice(language, voices)
            # An unknown voice is not refused: the text would be read by an English one.
            if voice not in voices:
                raise LookupError(f"there is no voice {voice!r} on this machine")
            ended: list[bool] = []
            written = threading.Event()

            def finished(name: str, completed: bool) -> None:  # noqa: ARG001 - called with these names
                ended.append(completed)
                written.set()

            engine.connect("finished-utterance", finished)
            engine.setProperty("voice", voice)
            if sys.platform == "linux":
                sentence = f"\x01{int(rate_wpm)}S{sentence}"  # the words themselves say to espeak-ng how fast
            else:
                engine.setProperty("rate", int(rate_wpm))
            _settle(engine)
            target = f"{out}.aiff" if sys.platform == "darwin" else out
            engine.save_to_file(sentence, target)
            engine.runAndWait()
            # SAPI has written the file when it comes back, and tells nobody.
            if sys.platform != "win32" and (not written.wait(GIVE_UP_S) or ended != [True]):
                raise TimeoutError("the speech engine did not finish")
            if target != out:
                _convert(target, out)
    except Exception as error:  # noqa: BLE001 - the library raises bare Exceptions; the parent needs the line
        sys.stderr.write(f"{type(error).__name__}: {error}\n".replace("\n", " ")[:500])
        return 1
    return 0


def _convert(aiff: str, out: str) -> None:
    """Make a WAV of what macOS writes: AIFF under any name (pyttsx3 #361)."""
    try:
        subprocess.run(
            ["/usr/bin/afconvert", "-f", "WAVE", "-d", "LEI16@22050", "-c", "1", aiff, out],
            check=True,
            capture_output=True,
            timeout=GIVE_UP_S,
        )
    finally:
        pathlib.Path(aiff).unlink(missing_ok=True)


def _settle(engine: Any) -> None:  # Any: pyttsx3 has no types
    """Wait until espeak-ng has done what it was told so far."""
    if sys.platform != "linux":
        return
    from pyttsx3.drivers import _espeak

    engine.proxy.setBusy(False)  # runs the commands that wait for the loop
    until_s = time.monotonic() + GIVE_UP_S
    while _espeak.IsPlaying() and time.monotonic() < until_s:
        time.sleep(0.002)


def _voice(language: str, voices: Sequence[str]) -> str:
    """Give the name of the voice for a language on this machine, "" when it has none."""
    if sys.platform == "darwin":  # com.apple.voice.compact.zh-CN.Tingting, com.apple.ttsbundle.Ting-Ting-compact ...
        parts = {"zh": ("zh-CN.Tingting", "zh-CN", "Ting-Ting")}.get(language, ("en-US.Samantha", "en-US", "Samantha"))
        return next((name for part in parts for name in voices if part in name), "")
    if sys.platform == "win32":  # voices of SAPI are named ...\\TTS_MS_ZH-CN_HUIHUI_11.0
        part = {"zh": "_ZH-CN_"}.get(language, "_EN-")
        return next((name for name in voices if part in name.upper()), "")
    if language != "zh":
        return "gmw/en-us"
    # espeak-ng before 1.52 reads many hanzi as English letters with its "cmn" voice (espeak-ng #1236, #1028).
    return "sit/cmn" if _espeak_version() >= (1, 52) else "sit/cmn-latn-pinyin"


def _espeak_version() -> tuple[int, ...]:
    """Give the version of the espeak-ng library that pyttsx3 has loaded, () when it does not say."""
    from pyttsx3.drivers import _espeak

    info = _espeak.dll.espeak_Info
    info.restype = ctypes.c_char_p
    text = (info(None) or b"").decode("ascii", errors="replace").split("-")[0]
    return tuple(int(part) for part in text.split(".") if part.isdigit())


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:6]))
