"""Samples: WAV there and back, the chime, loudness, and the whole call as it is mixed."""

from __future__ import annotations

import itertools
import math
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.speech import sound, speaker


def tone(length_s: float, level: float = 0.3) -> array[int]:
    step = 2 * math.pi * 440 / sound.RATE_HZ
    return array("h", [round(level * sound.FULL * math.sin(step * n)) for n in range(round(length_s * sound.RATE_HZ))])


def strength(samples: array[int], frequency_hz: float) -> float:
    """Give how much of one frequency is in the samples (Goertzel), as a share of full scale."""
    step = 2 * math.pi * frequency_hz / sound.RATE_HZ
    real = sum(sample * math.cos(step * place) for place, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * place) for place, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples) / sound.FULL


def test_wav_header_is_as_in_the_format() -> None:
    raw = sound.write_wav(array("h", [1, -2]), "ab")
    # RIFF size: WAVE 4 + fmt 8+16 + LIST 8+(INFO 4 + ICMT 8 + "ab\0" and its pad 4) + data 8+4
    assert raw == (
        b"RIFF" + struct.pack("<I", 4 + 24 + 24 + 12) + b"WAVE"
        b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 22050, 44100, 2, 16) + b"LIST" + struct.pack("<I", 16) + b"INFO"
        b"ICMT" + struct.pack("<I", 3) + b"ab\0\0" + b"data" + struct.pack("<I", 4) + b"\x01\x00\xfe\xff"
    )


def test_wav_comes_back_with_its_sentence() -> None:
    wav = sound.read_wav(sound.write_wav(tone(0.1), "请 A，零一二 号"))
    assert (wav.samples, wav.comment) == (tone(0.1), "请 A，零一二 号")


def test_other_rates_and_stereo_are_converted() -> None:
    samples = tone(1.0)
    stereo = array("h", [sample for sample in samples for _ in range(2)])
    data = stereo.tobytes()
    header = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16)
    raw = b"RIFF" + struct.pack("<I", 4 + 24 + 8 + len(data)) + b"WAVE" + header + b"data"
    wav = sound.read_wav(raw + struct.pack("<I", len(data)) + data)
    assert sound.seconds(wav.samples) == pytest.approx(0.5, abs=0.01)
    assert sound.rms(wav.samples) == pytest.approx(sound.rms(samples), rel=0.02)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_wav_are_refused_and_nothing_worse(content: bytes) -> None:
    for raw in (content, b"RIFF" + content, sound.write_wav(tone(0.01), "x")[: len(content)] + content):
        try:
            sound.read_wav(raw)
        except sound.BadSound:
            continue


def test_chime_is_two_falling_tones_without_a_click() -> None:
    chime = sound.chime()
    middle = round(0.35 * sound.RATE_HZ)
    ding, dong = chime[: middle // 2], chime[middle : middle + middle // 2]
    assert sound.seconds(chime) == pytest.approx(0.9, abs=0.01)
    assert strength(ding, 659.26) > 4 * strength(ding, 523.25)
    assert strength(dong, 523.25) > 4 * strength(dong, 659.26)
    assert 0.2 < sound.peak(chime) < 0.4
    assert max(abs(later - earlier) for earlier, later in itertools.pairwise(chime)) < 0.15 * sound.FULL
    assert abs(chime[-1]) < 0.01 * sound.FULL


def test_loudness_is_the_same_whatever_the_engine_made() -> None:
    for level in (0.02, 0.3, 1.0):
        assert sound.loudness(sound.level(tone(0.2, level))) == pytest.approx(sound.SPEECH_LOUDNESS, abs=0.005)
    hushed = sound.join([tone(0.5, 0.02), sound.silence(5.0), tone(0.5, 0.02)])
    assert sound.loudness(hushed) == pytest.approx(0.02 / 2**0.5, rel=0.1), "pauses do not count"
    click = tone(0.5, 0.02)
    click[100] = sound.FULL
    assert sound.peak(sound.level(click)) == pytest.approx(sound.SPEECH_PEAK, abs=0.01), "nothing is clipped"
    assert sound.level(sound.silence(0.1)) == sound.silence(0.1)


def test_silence_at_the_ends_is_cut() -> None:
    padded = sound.join([sound.silence(0.5), tone(0.4), sound.silence(0.7)])
    assert sound.seconds(sound.trim(padded)) == pytest.approx(0.46, abs=0.01)
    assert sound.trim(sound.silence(1)) == array("h")


def test_call_is_chime_each_language_and_the_first_again() -> None:
    zh, en = tone(1.0, 0.5), tone(0.5, 0.5)
    clip = speaker.mix([zh, en], readings=2, chime=sound.chime())
    # chime 0.9, pause 0.25, zh 1.0, pause 0.45, en 0.5, pause 0.8, zh 1.0, tail 0.3
    assert sound.seconds(clip) == pytest.approx(5.2, abs=0.02)
    assert sound.rms(clip[: round(0.8 * sound.RATE_HZ)]) > 0.05
    assert sound.rms(clip[round(0.95 * sound.RATE_HZ) : round(1.1 * sound.RATE_HZ)]) == 0.0
    assert sound.rms(clip[round(3.9 * sound.RATE_HZ) : round(4.8 * sound.RATE_HZ)]) == pytest.approx(0.35, abs=0.02)


def test_one_reading_without_chime_is_the_bare_call() -> None:
    clip = speaker.mix([tone(1.0)], readings=1, chime=None)
    assert sound.seconds(clip) == pytest.approx(1.3, abs=0.01)
