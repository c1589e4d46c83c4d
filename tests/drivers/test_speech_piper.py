"""Piper with a voice file of the hall's: its own exit status, killed when it hangs, kept when it spoke."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from drivers.driver import Wiring
from drivers.jobs import ResultStatus, Say
from drivers.speech import sound, speaker
from drivers.speech.engine import NoVoice
from drivers.speech.phrases import Line
from drivers.speech.piper import PiperEngine
from drivers.speech.speaker import SpeakerOptions
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

CALL = Say(
    ticket="20261121-A012",
    label="A012",
    window="3",
    window_name={"zh": "3号窗口"},
    zone="general",
    languages=("zh",),
    call_count=1,
)
SENTENCE = Line(language="zh", sentence="请 A，零一二 号，到 三号 窗口 办理。")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A piper of our own, first on the path, that hums; beside it a voice file."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("drivers.speech.piper.sys", SimpleNamespace(executable=str(tmp_path / "bin" / "python")))
    for name in ("zh.onnx", "zh.onnx.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "hum.wav").write_bytes(sound.write_wav(sound.chime()))
    fake = tmp_path / "piper"
    behave(fake, f'cat > {tmp_path}/text; echo "$1 $2 $3" > {tmp_path}/args; cp {tmp_path}/hum.wav "$4"')
    fake.chmod(0o755)
    return fake


def behave(fake: Path, script: str) -> None:
    fake.write_text(f"#!/bin/sh\n{script}\n")


def engine(folder: Path, timeout_s: float = PATIENCE_S) -> PiperEngine:
    return PiperEngine(folder / "kept", {"zh": str(folder / "zh.onnx")}, timeout_s=timeout_s)


def test_it_is_told_the_sentence_and_what_it_said_is_kept(program: Path, tmp_path: Path) -> None:
    voice = engine(tmp_path)
    voice.check("zh")
    heard = voice.speak(SENTENCE)
    assert (tmp_path / "text").read_text() == SENTENCE.sentence
    assert (tmp_path / "args").read_text() == f"--model {tmp_path}/zh.onnx --output_file\n"
    behave(program, "exit 1")
    assert voice.speak(SENTENCE) == heard


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no such voice' >&2; exit 1", "no such voice"),
        ("exit 4", "ended with 4"),
        ('cp "$0" "$4"', "no sound"),
        ("exit 0", "No such file"),
    ],
)
def test_failures_are_told_and_nothing_is_kept(program: Path, tmp_path: Path, script: str, why: str) -> None:
    behave(program, script)
    with pytest.raises(NoVoice, match=why):
        engine(tmp_path).speak(SENTENCE)
    assert not list((tmp_path / "kept").iterdir())


def test_one_that_hangs_is_ended(program: Path, tmp_path: Path) -> None:
    behave(program, "exec sleep 60")
    with pytest.raises(NoVoice, match="hung"):
        engine(tmp_path, timeout_s=0.3).speak(SENTENCE)


def test_a_missing_voice_file_program_or_language_is_told(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = engine(tmp_path)
    with pytest.raises(NoVoice, match="no voice file for 'en'"):
        voice.check("en")
    (tmp_path / "zh.onnx.json").unlink()
    with pytest.raises(NoVoice, match=r"zh\.onnx\.json is not there"):
        voice.check("zh")
    (tmp_path / "zh.onnx.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(NoVoice, match="pip install piper-tts"):
        voice.check("zh")


def test_a_voice_file_of_the_hall_comes_before_the_machine(program: Path, tmp_path: Path) -> None:
    options = SpeakerOptions(piper_zh=str(tmp_path / "zh.onnx"), espeak_mandarin=True)
    wiring = Wiring(device="s", url=f"file://{tmp_path}/out", options=options, data_dir=tmp_path / "data")
    told = speaker.make(wiring).do(CALL, lambda: None)
    assert told.status is ResultStatus.SAID
    assert (tmp_path / "text").read_text() == SENTENCE.sentence
