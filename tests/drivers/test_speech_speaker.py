"""The loudspeaker driver: what is said is heard, and what is not heard is never reported as said."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from array import array
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from drivers.driver import BadOptions, Wiring
from drivers.faults import FaultCode, HealthStatus, LineDown
from drivers.jobs import Announce, ResultStatus, Say
from drivers.speech import player, sound, speaker
from drivers.speech.engine import NoVoice
from drivers.speech.speaker import Speaker, SpeakerOptions
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.speech.phrases import Line

CALL = Say(
    ticket="20261121-A012",
    label="A012",
    window="3",
    window_name={"zh": "3号窗口"},
    zone="general",
    languages=("zh",),
    call_count=1,
)


class Voice:
    """An engine that hums 0.2 s, or has no voice."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gone = False
        self.cannot: set[str] = set()

    def languages(self) -> frozenset[str]:
        return frozenset()

    def chime(self) -> None:
        return

    def speak(self, line: Line) -> array[int]:
        self.check(line.language)
        self.said.append(line.sentence)
        return array("h", [8000, -8000] * round(0.1 * sound.RATE_HZ))

    def check(self, language: str) -> None:
        if self.gone or language in self.cannot:
            raise NoVoice("espeak-ng is not installed")


class Ear:
    """A player that keeps what it heard, or fails as told."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.trouble: Exception | None = None

    def play(self, wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:
        if isinstance(self.trouble, LineDown):
            raise self.trouble
        started()
        if self.trouble is not None:
            raise self.trouble
        self.heard.append(wav)

    def check(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def close(self) -> None:
        return


def make_speaker(options: SpeakerOptions | None = None) -> tuple[Speaker, Voice, Ear]:
    voice, ear = Voice(), Ear()
    return Speaker(voice, ear, options or SpeakerOptions()), voice, ear


def test_call_is_said_with_its_sentence_in_the_file() -> None:
    driver, voice, ear = make_speaker()
    began: list[bool] = []
    assert driver.do(CALL, lambda: began.append(True)).status is ResultStatus.SAID
    assert voice.said == ["请 A，零一二 号，到 三号 窗口 办理。"]
    assert sound.read_wav(ear.heard[0]).comment == voice.said[0]
    assert began == [True]


def test_a_hall_that_says_yao_is_heard_saying_it() -> None:
    driver, voice, _ = make_speaker()
    driver.do(replace(CALL, yao=True), lambda: None)
    assert voice.said == ["请 A，零幺二 号，到 三号 窗口 办理。"]


def test_call_that_had_to_wait_is_read_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("drivers.speech.speaker.time", SimpleNamespace(monotonic=lambda: now_s))
    driver, _, ear = make_speaker()
    for pause_s in (0.0, 0.5, speaker.BUSY_WITHIN_S + 0.1):
        now_s += pause_s
        driver.do(CALL, lambda: None)
    first, at_once, later = (sound.seconds(sound.read_wav(wav).samples) for wav in ear.heard)
    assert first == later > at_once + 0.9


def test_no_voice_is_a_failure_and_a_fault_and_the_chime_alone_is_heard() -> None:
    driver, voice, ear = make_speaker()
    voice.gone = True
    result = driver.do(CALL, lambda: None)
    assert (result.status, result.detail) == (ResultStatus.FAILED, "no_voice: zh: espeak-ng is not installed")
    (wav,) = ear.heard
    heard = sound.read_wav(wav)
    assert heard.comment == ""
    assert heard.samples[: len(sound.chime())] == sound.chime()
    assert sound.rms(heard.samples[len(sound.chime()) :]) == 0
    health = driver.check()
    assert (health.status, health.faults[0].code) == (HealthStatus.DEGRADED, FaultCode.NO_VOICE)
    voice.gone = False
    assert driver.do(CALL, lambda: None).status is ResultStatus.SAID
    assert driver.check().status is HealthStatus.OK


def test_no_voice_is_shown_before_the_first_call() -> None:
    driver, voice, _ = make_speaker()
    voice.cannot = {"zh"}
    assert driver.check().faults[0].code is FaultCode.NO_VOICE


def test_without_chime_and_voice_nothing_is_begun() -> None:
    driver, voice, ear = make_speaker(SpeakerOptions(chime=False))
    voice.gone = True
    began: list[bool] = []
    assert driver.do(CALL, lambda: began.append(True)).status is ResultStatus.FAILED
    assert not began
    assert not ear.heard


@pytest.mark.parametrize(("cannot", "status"), [("en", ResultStatus.SAID), ("zh", ResultStatus.FAILED)])
def test_what_can_be_said_is_said_and_the_rest_is_a_fault(cannot: str, status: ResultStatus) -> None:
    driver, voice, _ = make_speaker()
    voice.cannot = {cannot}
    told = driver.do(replace(CALL, languages=("zh", "en")), lambda: None)
    assert len(voice.said) == 1
    assert (told.status, told.detail) == (status, f"no_voice: {cannot}: espeak-ng is not installed")
    assert driver.check().status is HealthStatus.DEGRADED


def test_a_loudspeaker_may_speak_other_languages_than_the_hall() -> None:
    driver, voice, _ = make_speaker(SpeakerOptions(languages=("en",)))
    driver.do(CALL, lambda: None)
    assert voice.said == ["Ticket A, zero one two, please proceed to window 3."]


@pytest.mark.parametrize("behind", [speaker.CROWD, speaker.CROWD + 1])
def test_when_more_than_three_wait_a_call_is_read_once(behind: int) -> None:
    driver, _, ear = make_speaker()
    driver.do(replace(CALL, behind=behind), lambda: None)
    alone, _, once = make_speaker(SpeakerOptions(readings=1))
    alone.do(CALL, lambda: None)
    assert (len(ear.heard[0]) == len(once.heard[0])) == (behind > speaker.CROWD)


def at(hour: int) -> Callable[[], datetime]:
    return lambda: datetime(2026, 11, 21, hour, tzinfo=UTC)


def test_quiet_hours_drop_calls_and_not_emergencies() -> None:
    options = SpeakerOptions(volume={"07:30": 100, "12:00": 0, "14:00": 50})
    loudness: dict[int, float] = {}
    for hour in (9, 12, 15, 3):
        ear = Ear()
        told = Speaker(Voice(), ear, options, at(hour)).do(CALL, lambda: None)
        if hour == 12:
            assert (told.status, ear.heard) == (ResultStatus.DROPPED, [])
        else:
            assert told.status is ResultStatus.SAID
            loudness[hour] = sound.peak(sound.read_wav(ear.heard[0]).samples)
    assert loudness[15] == loudness[3] == pytest.approx(loudness[9] / 2, rel=0.01)
    ear = Ear()
    alarm = Announce(text={"zh": "请离开。"}, languages=("zh",), emergency=True)
    assert Speaker(Voice(), ear, options, at(12)).do(alarm, lambda: None).status is ResultStatus.SAID
    assert sound.peak(sound.read_wav(ear.heard[0]).samples) == pytest.approx(loudness[9], rel=0.01)


def test_no_sound_card_is_a_failure_and_a_fault() -> None:
    driver, _, ear = make_speaker()
    ear.trouble = player.NotPlayed("audio open error: No such file or directory")
    assert driver.do(CALL, lambda: None).detail == "playback: audio open error: No such file or directory"
    health = driver.check()
    assert (health.status, health.faults[0].code) == (HealthStatus.DOWN, FaultCode.PLAYBACK)
    ear.trouble = None
    assert driver.do(CALL, lambda: None).status is ResultStatus.SAID
    assert driver.check().status is HealthStatus.OK


def test_loudspeaker_away_is_line_down_before_anything_began() -> None:
    driver, _, ear = make_speaker()
    ear.trouble = LineDown("tcp://x:1", "Connection refused")
    began: list[bool] = []
    with pytest.raises(LineDown):
        driver.do(CALL, lambda: began.append(True))
    with pytest.raises(LineDown):
        driver.check()
    assert not began


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that starts late on a busy machine does not hang."""
    monkeypatch.setattr(player, "WATCHDOG_S", PATIENCE_S)


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "aplay") -> None:
    """Put a program of our own in front of the path."""
    fake = tmp_path / name
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_sound_card_gets_the_whole_clip_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/args; cat > {tmp_path}/heard')
    player.open_player("aplay:plughw:1,0").play(b"RIFF" * 50_000, 1.0, "A012", lambda: None)
    assert (tmp_path / "args").read_text() == "-q -D plughw:1,0 -\n"
    assert (tmp_path / "heard").read_bytes() == b"RIFF" * 50_000


@pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils are not installed")
def test_the_real_aplay_plays_the_clip_to_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "heard.wav"
    (tmp_path / "asound.conf").write_text(
        f'pcm.hall {{ type file slave {{ pcm {{ type null }} }} file "{out}" format "wav" }}\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    aplay, clip = player.open_player("aplay:hall"), sound.chime()
    aplay.play(sound.write_wav(clip), sound.seconds(clip), "A012", lambda: None)
    heard = sound.read_wav(out.read_bytes()).samples
    assert heard[: len(clip)] == clip
    assert not any(heard[len(clip) :])  # the rest of the card's last period
    with pytest.raises(player.NotPlayed):
        player.open_player("aplay:nobody").check()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("paplay:", "--latency-msec=50 --client-name=jiaohao"),
        ("paplay:hall", "--latency-msec=50 --client-name=jiaohao --device=hall"),
        ("afplay:", ""),
    ],
)
def test_other_programs_get_the_clip_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    program(tmp_path, monkeypatch, "echo 'Default Sink: card'", "pactl")
    name = url.partition(":")[0]
    program(
        tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/args; for file; do :; done; cp "$file" {tmp_path}/heard', name
    )
    player.open_player(url).play(b"RIFF" * 50_000, 1.0, "A012", lambda: None)
    assert (tmp_path / "heard").read_bytes() == b"RIFF" * 50_000
    *told, file = (tmp_path / "args").read_text().split()
    assert told == words.split()
    assert not Path(file).exists()
    program(tmp_path, monkeypatch, "echo 'no such sink' >&2; exit 3", name)
    with pytest.raises(player.NotPlayed, match="no such sink"):
        player.open_player(url).check()


def test_pulseaudio_without_a_card_is_not_taken_for_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exit 0", "paplay")
    program(tmp_path, monkeypatch, "echo 'Default Sink: auto_null'", "pactl")
    for tried in (
        player.open_player("paplay:").check,
        lambda: player.open_player("paplay:").play(b"", 1, "A", lambda: None),
    ):
        with pytest.raises(player.NotPlayed, match="no sound card"):
            tried()
    program(tmp_path, monkeypatch, "echo 'Connection refused' >&2; exit 1", "pactl")
    with pytest.raises(player.NotPlayed, match="refused"):
        player.open_player("paplay:").check()


def test_a_system_without_the_program_says_so() -> None:
    with pytest.raises(player.NotPlayed, match="winsound"):
        player.open_player("winsound:").check()


@pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="pulseaudio is not installed")
def test_the_real_pulseaudio_plays_the_clip_in_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/s")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--system=no"),
            *("-L", f"module-native-protocol-unix socket={tmp_path}/s auth-anonymous=1"),
            *("-L", "module-null-sink sink_name=hall"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((tmp_path / "s").exists, "pulseaudio listens")
        heard = (tmp_path / "heard.raw").open("wb")
        parec = ["parec", "-d", "hall.monitor", "--format=s16le", "--rate=22050", "--channels=1", "--latency-msec=20"]
        with heard, subprocess.Popen(parec, stdout=heard) as recorder:
            until(lambda: (tmp_path / "heard.raw").stat().st_size > 0, "it records")
            clip = sound.chime()
            begun_s = time.monotonic()
            player.open_player("paplay:").play(sound.write_wav(clip), sound.seconds(clip), "A012", lambda: None)
            assert time.monotonic() - begun_s > 0.9 * sound.seconds(clip)  # it was played, not swallowed
            recorder.terminate()
        recorded = array("h", (tmp_path / "heard.raw").read_bytes()[: (tmp_path / "heard.raw").stat().st_size // 2 * 2])
        assert sound.seconds(sound.trim(recorded)) > 0.7 * sound.seconds(clip)
        assert sound.peak(recorded) == pytest.approx(sound.peak(clip), rel=0.1)
        with pytest.raises(player.NotPlayed):
            player.open_player("paplay:nobody").check()
    finally:
        server.kill()
        server.wait()


def test_sound_card_that_refuses_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "echo 'aplay: main:831: audio open error' >&2; exit 1")
    with pytest.raises(player.NotPlayed, match="audio open error"):
        player.open_player("aplay:default").play(b"RIFF" * 50_000, 1.0, "A012", lambda: None)


def test_sound_card_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "WATCHDOG_S", 0.3)
    program(tmp_path, monkeypatch, "exec sleep 60")
    with pytest.raises(player.NotPlayed, match="hung"):
        player.open_player("aplay:default").play(b"RIFF", 0.1, "A012", lambda: None)


def test_missing_aplay_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(player.NotPlayed, match="alsa-utils"):
        player.open_player("aplay:default").check()


def test_closing_ends_what_is_playing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, f"touch {tmp_path}/on; exec sleep 60")
    aplay = player.open_player("aplay:default")
    failures: list[Exception] = []

    def run() -> None:
        try:
            aplay.play(b"RIFF", 30.0, "A012", lambda: None)
        except player.NotPlayed as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until((tmp_path / "on").exists, "it plays")
    aplay.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert failures


def test_folder_gets_whole_files_and_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "KEPT_FILES", 2)
    folder = player.open_player(f"file://{tmp_path}/calls")
    folder.check()
    for label in ("A001", "A002", "../A003"):
        folder.play(label.encode(), 1.0, f"{label}-3", lambda: None)
    files = sorted((tmp_path / "calls").iterdir())
    assert [file.read_bytes() for file in files] == [b"A002", b"../A003"]
    assert files[1].name.endswith("-A003-3.wav")


def test_network_loudspeaker_that_is_not_there_is_line_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(LineDown):
        player.open_player(f"tcp://127.0.0.1:{port}").check()


@pytest.mark.parametrize("url", ["tcp://host", "http://host:1", "file://host/x", "file:///", "default", "play:x"])
def test_malformed_address_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        player.open_player(url)


def test_options_out_of_range_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^rate_wpm: "):
        SpeakerOptions(rate_wpm=20)
    with pytest.raises(ValueError, match=r"^readings: "):
        SpeakerOptions(readings=0)
    with pytest.raises(BadOptions) as bad:
        SpeakerOptions(volume={"7:30": 100, "20:00": 101})
    assert [problem.option for problem in bad.value.problems] == ["volume", "volume"]


def test_made_from_the_devices_file_it_speaks_into_a_folder(tmp_path: Path) -> None:
    wiring = Wiring(
        device="s",
        url=f"file://{tmp_path}/out",
        options=SpeakerOptions(espeak_mandarin=True),
        data_dir=tmp_path / "data",
    )
    driver = speaker.make(wiring)
    assert driver.check().status is HealthStatus.OK
    bilingual = replace(CALL, languages=("zh", "en"))
    assert driver.do(bilingual, lambda: None).status is ResultStatus.SAID
    (file,) = (tmp_path / "out").iterdir()
    wav = sound.read_wav(file.read_bytes())
    assert 10 < sound.seconds(wav.samples) < 20
    assert 0.05 < sound.rms(wav.samples) < 0.3
    assert sound.peak(wav.samples) < 0.96
    assert wav.comment.endswith("please proceed to window 3.")


def test_an_announcement_is_told_in_each_language_it_is_written_in_and_an_emergency_more_often() -> None:
    text = {"zh": "请从东侧出口离开。", "en": "Leave by the east exit.", "de": "Raus."}
    lengths = []
    for emergency in (False, True):
        voice, ear = Voice(), Ear()
        job = Announce(text=text, languages=("zh", "de", "en"), emergency=emergency)
        told = Speaker(voice, ear, SpeakerOptions()).do(job, lambda: None)
        assert told.status is ResultStatus.SAID
        assert voice.said == [text["zh"], text["en"]]
        lengths.append(len(ear.heard[0]))
    assert lengths[0] < lengths[1]


@pytest.mark.parametrize("ends", ["well", "without a voice", "without the loudspeaker"])
def test_while_a_sentence_is_being_made_the_chime_makes_people_look(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    monkeypatch.setattr(speaker, "ATTENTION_S", 0.05)
    driver, voice, ear = make_speaker()
    chimed, say = threading.Event(), voice.speak

    def slowly(line: Line) -> array[int]:
        assert chimed.wait(PATIENCE_S)
        if ends == "without the loudspeaker":
            ear.trouble = LineDown("tcp://10.0.0.9:9200", "gone")
        return say(line)

    began: list[bool] = []
    play = ear.play

    def heard(wav: bytes, length_s: float, name: str, started: Callable[[], None]) -> None:
        play(wav, length_s, name, started)
        chimed.set()

    voice.gone = ends == "without a voice"
    monkeypatch.setattr(voice, "speak", slowly)
    monkeypatch.setattr(ear, "play", heard)
    told = Announce(text={"zh": "请从东侧出口离开。"}, languages=("zh",), emergency=True)
    result = driver.do(told, lambda: began.append(True))
    assert began == [True] * (2 if ends == "well" else 1), "too late is too late after the chime, too"
    first, *then = [sound.read_wav(wav) for wav in ear.heard]
    assert first.samples[: len(sound.chime())] == sound.chime()
    assert first.comment == ""
    if ends == "well":
        assert result.status is ResultStatus.SAID
        assert [wav.comment for wav in then] == ["请从东侧出口离开。"]
        assert then[0].samples[0] == 8000, "the chime was heard already"
    else:
        assert (result.status, then) == (ResultStatus.FAILED, [])


def test_a_sentence_that_came_too_late_is_not_spoken_after_its_chime(monkeypatch: pytest.MonkeyPatch) -> None:
    class TooLate(Exception):
        pass

    monkeypatch.setattr(speaker, "ATTENTION_S", 0.05)
    driver, voice, ear = make_speaker()
    chimed, say = threading.Event(), voice.speak

    def slowly(line: Line) -> array[int]:
        assert chimed.wait(PATIENCE_S)
        return say(line)

    def started() -> None:
        if chimed.is_set():
            raise TooLate
        chimed.set()

    monkeypatch.setattr(voice, "speak", slowly)
    with pytest.raises(TooLate):
        driver.do(Announce(text={"zh": "请离开。"}, languages=("zh",), emergency=True), started)
    assert len(ear.heard) == 1
    assert voice.said == ["请离开。"]


NEVER_MADE = """
import threading
from drivers.jobs import Announce
from drivers.speech.engine import Chain
from drivers.speech.player import open_player
from drivers.speech.speaker import Speaker, SpeakerOptions

class Slow(Chain):
    def speak(self, line):
        begun.set()
        threading.Event().wait()

begun = threading.Event()
driver = Speaker(Slow([]), open_player("aplay:"), SpeakerOptions())
job = Announce(text={"zh": "请离开。"}, languages=("zh",), emergency=False)
threading.Thread(target=driver.do, args=(job, lambda: None), daemon=True).start()
begun.wait()
"""


def test_an_agent_that_stops_does_not_wait_for_a_sentence_that_is_being_made() -> None:
    done = subprocess.run([sys.executable, "-c", NEVER_MADE], timeout=PATIENCE_S, check=False)
    assert done.returncode == 0


def test_a_bug_while_a_sentence_is_made_is_raised_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, voice, _ = make_speaker()

    def broken(line: Line) -> array[int]:
        raise ZeroDivisionError(line.sentence)

    monkeypatch.setattr(voice, "speak", broken)
    with pytest.raises(ZeroDivisionError):
        driver.do(Announce(text={"zh": "请离开。"}, languages=("zh",), emergency=False), lambda: None)


def test_an_announcement_in_no_language_we_speak_fails_and_is_not_silence() -> None:
    job = Announce(text={"bo": "..."}, languages=("bo",), emergency=True)
    told = Speaker(Voice(), Ear(), SpeakerOptions()).do(job, lambda: None)
    assert told.status is ResultStatus.FAILED
