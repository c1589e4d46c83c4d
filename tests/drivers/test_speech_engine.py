"""The real voice in its child process: something to hear, killed when it hangs, never silence for speech."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from drivers.speech import machine, sound
from drivers.speech.engine import Chain, NoVoice
from drivers.speech.machine import Pyttsx3Engine
from drivers.speech.phrases import Line
from tests.patience import PATIENCE_S

CALL_ZH, CALL_EN = "请 A，零一二 号，到 三号 窗口 办理。", "Ticket A, zero one two, please proceed to window 3."

WRITES_SILENCE = """
import sys, wave
with wave.open(sys.argv[4], "wb") as out:
    out.setparams((1, 2, 22050, 0, "NONE", ""))
    out.writeframes(bytes(88200))
"""


def line(sentence: str, language: str = "zh") -> Line:
    return Line(language=language, sentence=sentence)


def fake_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> None:
    child = tmp_path / "child.py"
    child.write_text(source)
    monkeypatch.setattr(machine, "_CHILD", child)


@pytest.mark.parametrize(("sentence", "language"), [(CALL_ZH, "zh"), (CALL_EN, "en")])
def test_sentence_is_heard(tmp_path: Path, sentence: str, language: str) -> None:
    samples = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S).speak(line(sentence, language))
    assert 2.0 < sound.seconds(samples) < 8.0
    assert sound.rms(samples) > 0.03
    assert sound.loudness(samples) == pytest.approx(sound.SPEECH_LOUDNESS, rel=0.3)
    assert sound.peak(samples) <= sound.SPEECH_PEAK + 0.01


def test_many_sentences_are_all_different_and_whole(tmp_path: Path) -> None:
    voice = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S)
    spoken = [voice.speak(line(f"请 {letter}，零一二 号，到 三号 窗口 办理。")).tobytes() for letter in "ABC"]
    assert len(set(spoken)) == 3
    assert not list(tmp_path.glob("*.part"))


def test_same_sentence_is_not_made_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = Pyttsx3Engine(tmp_path / "kept", timeout_s=PATIENCE_S)
    first = voice.speak(line(CALL_ZH))
    fake_child(monkeypatch, tmp_path, "raise SystemExit(1)")
    assert voice.speak(line(CALL_ZH)) == first
    with pytest.raises(NoVoice):
        voice.check("zh")  # what was spoken before does not hide that the voice is gone


def test_faster_voice_is_shorter_and_kept_apart(tmp_path: Path) -> None:
    slow = Pyttsx3Engine(tmp_path, rate_wpm=120, timeout_s=PATIENCE_S).speak(line(CALL_ZH))
    fast = Pyttsx3Engine(tmp_path, rate_wpm=240, timeout_s=PATIENCE_S).speak(line(CALL_ZH))
    assert sound.seconds(fast) < 0.8 * sound.seconds(slow)


def test_many_at_once_are_all_whole_and_at_the_same_pace(tmp_path: Path) -> None:
    # On a busy machine the library loses the rate or comes back early; see child.py.
    voice = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S)
    sentences = [CALL_ZH + " " * spaces for spaces in range(24)]  # the same sentence, kept under another name
    with ThreadPoolExecutor(8) as pool:
        lengths = {len(samples) for samples in pool.map(lambda sentence: voice.speak(line(sentence)), sentences)}
    assert len(lengths) == 1


def test_two_loudspeakers_say_the_same_call_at_once(tmp_path: Path) -> None:
    # They share the folder: with one name for what is half done, one took the other's file away.
    voices = [Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        spoken = {samples.tobytes() for samples in pool.map(lambda voice: voice.speak(line(CALL_ZH)), voices)}
        list(pool.map(lambda voice: voice.check("zh"), voices))
    assert len(spoken) == 1
    assert not list(tmp_path.rglob("*.part"))


def test_damaged_kept_file_is_made_again(tmp_path: Path) -> None:
    voice = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S)
    first = voice.speak(line(CALL_ZH))
    (kept,) = tmp_path.glob("*.wav")
    kept.write_bytes(kept.read_bytes()[:40])
    assert voice.speak(line(CALL_ZH)) == first


def test_hanging_engine_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_child(monkeypatch, tmp_path, "import time\ntime.sleep(10_000)")
    children: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            children.append(self)

    monkeypatch.setattr(subprocess, "Popen", Kept)
    with pytest.raises(NoVoice, match="hung"):
        Pyttsx3Engine(tmp_path, timeout_s=1.0).speak(line(CALL_ZH))
    assert [child.returncode for child in children] == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import sys\nsys.exit('espeak is missing')", "espeak is missing"),
        ("raise SystemExit(3)", "ended with 3"),
        ("pass", "No such file"),
        ("import sys\nopen(sys.argv[4], 'wb').write(b'no sound')", "no sound"),
        (
            WRITES_SILENCE,
            "silence",
        ),
    ],
)
def test_no_speech_is_said_so_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str
) -> None:
    fake_child(monkeypatch, tmp_path, source)
    with pytest.raises(NoVoice, match=why):
        Pyttsx3Engine(tmp_path / "kept", timeout_s=PATIENCE_S).speak(line(CALL_ZH))
    assert not list((tmp_path / "kept").glob("*.*v")) + list((tmp_path / "kept").glob("*.part"))


def test_unknown_voice_is_no_voice(tmp_path: Path) -> None:
    with pytest.raises(NoVoice):
        Pyttsx3Engine(tmp_path, voices={"zh": "nobody/here"}, timeout_s=PATIENCE_S).speak(line(CALL_ZH))


def test_kept_sentences_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "KEPT_SENTENCES", 2)
    voice = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S)
    for word in ("一", "二二", "三三三", "四四四四"):
        voice.speak(line(f"请 {word} 号，到 三号 窗口 办理。"))
    assert len(list(tmp_path.glob("*.wav"))) <= 2


def test_folder_that_cannot_be_written_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoVoice, match="file"):
        Pyttsx3Engine(tmp_path / "file", timeout_s=PATIENCE_S).speak(line(CALL_ZH))


def test_mandarin_is_refused_where_it_would_not_be_understood(tmp_path: Path) -> None:
    voice = Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S, mandarin=False)
    for ask in (lambda: voice.check("zh"), lambda: voice.speak(line(CALL_ZH))):
        with pytest.raises(NoVoice, match="not understood"):
            ask()
    voice.check("en")
    assert voice.speak(line(CALL_EN, "en"))


def test_the_first_that_can_speak_speaks_and_when_none_can_each_says_why(tmp_path: Path) -> None:
    dumb = Pyttsx3Engine(tmp_path, mandarin=False)
    chain = Chain([dumb, Pyttsx3Engine(tmp_path, timeout_s=PATIENCE_S)])
    assert chain.speak(line(CALL_ZH))
    chain.check("zh")
    with pytest.raises(NoVoice, match=r"does not speak 'ii'; .*does not speak 'ii'"):
        chain.check("ii")
    with pytest.raises(NoVoice, match="not understood"):
        Chain([dumb]).speak(line(CALL_ZH))
