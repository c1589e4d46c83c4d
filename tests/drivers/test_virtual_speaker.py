"""The real player against the pretend network loudspeaker, also when that misbehaves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from drivers.faults import LineDown
from drivers.speech import player, sound
from drivers.virtual.speaker import KEPT_CLIPS, Loudspeaker
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAV = sound.write_wav(sound.chime(), "请 A，零一二 号")
LENGTH_S = sound.seconds(sound.chime())


@pytest.fixture
def loudspeaker() -> Iterator[Loudspeaker]:
    device = Loudspeaker()
    yield device
    device.close()


def wait_for(condition: Callable[[], object]) -> None:
    until(condition, "what was waited for")


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loudspeaker that ends late on a busy machine has not stalled."""
    monkeypatch.setattr(player, "WATCHDOG_S", PATIENCE_S)


def play(device: Loudspeaker) -> list[bool]:
    began: list[bool] = []
    player.open_player(device.url).play(WAV, LENGTH_S, "A012", lambda: began.append(True))
    return began


def test_clip_is_heard_in_real_time_and_kept_with_its_sentence(loudspeaker: Loudspeaker) -> None:
    begun_s = time.monotonic()
    assert play(loudspeaker) == [True]
    assert time.monotonic() - begun_s >= LENGTH_S - 0.05
    wait_for(lambda: loudspeaker.clips)
    (clip,) = loudspeaker.clips
    assert (clip.text, clip.wav) == ("请 A，零一二 号", WAV)
    assert clip.length_s == pytest.approx(LENGTH_S)
    assert clip.rms > 0.05
    assert loudspeaker.clip(clip.number) == clip


def test_looking_whether_it_is_there_is_no_clip(loudspeaker: Loudspeaker) -> None:
    player.open_player(loudspeaker.url).check()
    play(loudspeaker)
    wait_for(lambda: loudspeaker.clips)
    assert len(loudspeaker.clips) == 1


def test_unplugged_is_line_down_and_plugged_in_again_works(loudspeaker: Loudspeaker) -> None:
    loudspeaker.misbehave("unplug")
    with pytest.raises(LineDown):
        play(loudspeaker)
    loudspeaker.misbehave(None)
    assert play(loudspeaker) == [True]


def test_hang_up_in_the_middle_is_not_played(loudspeaker: Loudspeaker) -> None:
    loudspeaker.misbehave("hang_up")
    with pytest.raises(player.NotPlayed, match="hung up"):
        play(loudspeaker)
    assert not loudspeaker.clips


def test_stalled_loudspeaker_is_given_up_in_time(loudspeaker: Loudspeaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "WATCHDOG_S", 0.3)
    loudspeaker.misbehave("stall")
    with pytest.raises(player.NotPlayed, match="in time"):
        play(loudspeaker)
    assert not loudspeaker.clips


def test_slow_loudspeaker_is_waited_for(loudspeaker: Loudspeaker) -> None:
    loudspeaker.misbehave("slow")
    begun_s = time.monotonic()
    play(loudspeaker)
    assert time.monotonic() - begun_s > LENGTH_S + 2.5


def test_what_is_no_wav_is_refused() -> None:
    device = Loudspeaker(real_time=False)
    with pytest.raises(player.NotPlayed):
        player.open_player(device.url).play(b"GET / HTTP/1.1\r\n\r\n", 0.1, "x", lambda: None)
    device.close()


def test_only_the_newest_clips_are_kept() -> None:
    device = Loudspeaker(real_time=False)
    for _ in range(KEPT_CLIPS + 2):
        player.open_player(device.url).play(WAV, 0.0, "A012", lambda: None)
    wait_for(lambda: device.clips and device.clips[-1].number == KEPT_CLIPS + 2)
    assert len(device.clips) == KEPT_CLIPS
    device.close()


def test_unknown_fault_is_refused(loudspeaker: Loudspeaker) -> None:
    with pytest.raises(ValueError, match="knows"):
        loudspeaker.misbehave("explode")
