"""Recorded voices: joined to the sample, never half a call, and what is wrong is named with what to do."""

from __future__ import annotations

import json
import math
import wave
from array import array
from typing import TYPE_CHECKING

import pytest

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus
from drivers.jobs import ResultStatus, Say
from drivers.speech import clips, phrases, sound, speaker
from drivers.speech.clips import BadPack, ClipsEngine, faults_of, read_pack, write_manifest
from drivers.speech.engine import NoVoice
from drivers.speech.speaker import SpeakerOptions

if TYPE_CHECKING:
    from pathlib import Path

UNITS = phrases.units("A012", "3")
TONES = {"please": 300, "letter-A": 400, "number-012": 500, "window-3": 600}


def record(folder: Path, unit: str, hz: float = 440, length_s: float = 0.3, rate_hz: int = sound.RATE_HZ) -> None:
    """Write what a person would record: a tone with silence around it, as loud as it came."""
    folder.mkdir(parents=True, exist_ok=True)
    count = round(length_s * rate_hz)
    tone = [round(5000 * math.sin(2 * math.pi * hz * n / rate_hz + math.pi / 2)) for n in range(count)]
    quiet = [0] * round(0.2 * rate_hz)
    with wave.open(str(folder / f"{unit}.wav"), "wb") as out:
        out.setparams((1, 2, rate_hz, 0, "NONE", ""))
        out.writeframes(array("h", [*quiet, *tone, *quiet]).tobytes())


def pack(folder: Path, language: str = "zh", *, order: tuple[str, ...] = clips.ORDER, without: str = "") -> Path:
    for unit, hz in TONES.items():
        if unit != without:
            record(folder, unit, hz)
    assert write_manifest(folder, language, order) == (len(TONES) - bool(without), [])
    return folder


def call(language: str = "zh") -> phrases.Line:
    return phrases.Line(language=language, sentence="...", units=UNITS)


def test_a_call_is_its_units_with_their_gaps_to_the_sample(tmp_path: Path) -> None:
    folder = pack(tmp_path)
    expected = array("h")
    for unit in UNITS:
        content = (folder / f"{unit}.wav").read_bytes()
        expected.extend(sound.level(sound.trim(sound.read_wav(content).samples)))
        if unit != UNITS[-1]:
            expected.extend(sound.silence(clips.GAP_AFTER_S[unit.partition("-")[0]]))
    joined = ClipsEngine([str(folder)]).speak(call())
    assert joined == expected
    assert sound.seconds(joined) == pytest.approx(4 * 0.36 + 0.10 + 0.15 + 0.25, abs=0.002)
    assert sound.loudness(joined) == pytest.approx(sound.SPEECH_LOUDNESS, rel=0.1)


def test_another_language_puts_a_call_together_in_its_own_order(tmp_path: Path) -> None:
    folder = pack(tmp_path, "ii", order=("letter", "number", "window", "please"))
    manifest = read_pack(folder)
    joined = manifest.join(UNITS)
    first, last = manifest.samples("letter-A"), manifest.samples("please")
    assert (joined[: len(first)], joined[-len(last) :]) == (first, last)
    assert ClipsEngine([str(folder)]).languages() == {"ii"}


def test_half_a_call_is_not_said_and_the_missing_unit_is_named(tmp_path: Path) -> None:
    engine = ClipsEngine([str(pack(tmp_path, without="number-012"))])
    engine.check("zh")
    with pytest.raises(NoVoice, match="number-012 is not recorded"):
        engine.speak(call())


def test_the_next_pack_speaks_what_the_first_has_not(tmp_path: Path) -> None:
    poor, rich = pack(tmp_path / "poor", without="window-3"), pack(tmp_path / "rich")
    engine = ClipsEngine([str(poor), str(rich)])
    assert engine.speak(call()) == read_pack(rich).join(UNITS)
    with pytest.raises(NoVoice, match="no clips are recorded in 'en'"):
        engine.speak(call("en"))
    with pytest.raises(NoVoice, match="no free text"):
        engine.speak(phrases.Line(language="zh", sentence="请离开。"))


def test_a_unit_recorded_later_is_heard_without_a_restart(tmp_path: Path) -> None:
    engine = ClipsEngine([str(pack(tmp_path, without="please"))])
    with pytest.raises(NoVoice):
        engine.speak(call())
    record(tmp_path, "please", rate_hz=48_000)
    write_manifest(tmp_path, "zh")
    assert read_pack(tmp_path).clips["please"].rate_hz == 48_000
    assert engine.speak(call())


def test_a_recording_changed_behind_the_manifest_is_not_said(tmp_path: Path) -> None:
    engine = ClipsEngine([str(pack(tmp_path))])
    record(tmp_path, "number-012", 700)
    with pytest.raises(NoVoice, match="changed or damaged"):
        engine.speak(call())
    (tmp_path / "number-012.wav").unlink()
    with pytest.raises(NoVoice, match="No such file"):
        engine.speak(call())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": 2}, "schema"),
        ({"language": "../x"}, "language"),
        ({"order": ["please"]}, "order"),
        ({"order": [*clips.ORDER, "please"]}, "order"),
        ({"clips": []}, "clips"),
        ({"clips": {"number-12a": {}}}, "no unit"),
        ({"clips": {"please": {"file": "../../etc/passwd", "sha256": "", "rate_hz": 1}}}, "plain file name"),
        ({"clips": {"please": {"file": "please.wav"}}}, "sha256"),
    ],
)
def test_a_broken_manifest_is_refused_with_what_to_do(tmp_path: Path, change: dict[str, object], why: str) -> None:
    manifest = tmp_path / clips.MANIFEST
    pack(tmp_path)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(BadPack, match=why) as bad:
        read_pack(tmp_path)
    assert "voice pack" in bad.value.en
    assert "voice pack" in bad.value.zh
    for content in (b"", b"[]", b"\xff", b'{"schema": 1'):
        manifest.write_bytes(content)
        with pytest.raises(NoVoice):
            ClipsEngine([str(tmp_path)]).check("zh")


def test_what_cannot_be_heard_is_not_taken_into_the_manifest(tmp_path: Path) -> None:
    record(tmp_path, "please")
    record(tmp_path, "letter-AB")
    record(tmp_path, "letter-B", length_s=9.0)
    (tmp_path / "letter-C.wav").write_bytes(sound.write_wav(sound.silence(1.0)))
    (tmp_path / "letter-D.wav").write_bytes(b"RIFF")
    taken, wrong = write_manifest(tmp_path, "zh")
    assert taken == 1
    assert [bad.en.partition(":")[0] for bad in wrong] == [f"letter-{name}.wav" for name in ("AB", "B", "C", "D")]
    with pytest.raises(BadPack):
        write_manifest(tmp_path, "Chinese please")
    with pytest.raises(BadPack):
        write_manifest(tmp_path / "nowhere", "zh")
    assert list(read_pack(tmp_path).clips) == ["please"]


def test_every_fault_of_a_pack_is_told_at_once(tmp_path: Path) -> None:
    pack(tmp_path)
    record(tmp_path, "please", 700)
    found = [bad.en for bad in faults_of(read_pack(tmp_path), ["letter-B", "letter-A"])]
    assert len(found) == 2
    assert "please.wav is not the file" in found[0]
    assert "letter-B is not recorded" in found[1]


def test_a_hall_with_recordings_speaks_them_and_one_without_only_chimes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    folder = pack(tmp_path / "clips")
    record(folder, "chime", 800, 0.5)
    write_manifest(folder, "zh")
    job = Say(
        ticket="20261121-A012",
        label="A012",
        window="3",
        window_name={"zh": "3号窗口"},
        zone="general",
        languages=("zh",),
        call_count=1,
    )
    heard: dict[str, sound.Wav] = {}
    for name, options in (("with", SpeakerOptions(clips=(str(folder),))), ("without", SpeakerOptions())):
        out = tmp_path / name
        driver = speaker.make(Wiring(device="s", url=f"file://{out}", options=options, data_dir=tmp_path / "data"))
        before, result, after = driver.check(), driver.do(job, lambda: None), driver.check()
        (file,) = out.iterdir()
        heard[name] = sound.read_wav(file.read_bytes())
        if name == "with":
            assert result.status is ResultStatus.SAID
            assert before.status is after.status is HealthStatus.OK
        else:
            assert result.status is ResultStatus.FAILED
            assert before.faults[0].code is after.faults[0].code is FaultCode.NO_VOICE
    chime = read_pack(folder).samples("chime")
    assert heard["with"].samples[: len(chime)] == chime
    assert len(heard["with"].samples) > len(chime) + 2 * len(read_pack(folder).join(UNITS))
    assert heard["without"].samples[: len(sound.chime())] == sound.chime()
