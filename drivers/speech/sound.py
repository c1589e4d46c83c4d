"""Samples of a hall's voice: 22 050 Hz, mono, 16 bit. Reading and writing WAV, the chime, and loudness. Pure."""

from __future__ import annotations

import io
import math
import struct
import sys
import wave
from array import array
from dataclasses import dataclass

RATE_HZ = 22_050
FULL = 32_767
SPEECH_LOUDNESS = 0.18
"""How loud speech is where it is voiced, RMS as a share of full scale (-15 dB): clips of one peak differ by 10 dB."""
SPEECH_PEAK = 0.95
"""Its peak is never above this share of full scale."""
CHIME_PEAK = 0.35
MAX_SECONDS = 120
_AUDIBLE = 0.01
"""Below this share of full scale a sample counts as silence."""


class BadSound(ValueError):
    """Bytes are no WAV we can use; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wav:
    """A WAV as read: its samples and the text in its LIST/INFO comment, if any."""

    samples: array[int]
    comment: str


def seconds(samples: array[int]) -> float:
    """Give the length in seconds."""
    return len(samples) / RATE_HZ


def rms(samples: array[int]) -> float:
    """Give the root mean square as a share of full scale; 0.0 for nothing."""
    if not samples:
        return 0.0
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / FULL


def peak(samples: array[int]) -> float:
    """Give the largest sample as a share of full scale."""
    return max(max(samples), -min(samples)) / FULL if samples else 0.0


def silence(length_s: float) -> array[int]:
    """Give quiet samples."""
    return array("h", bytes(2 * round(length_s * RATE_HZ)))


def chime() -> array[int]:
    """Give the two falling tones (叮咚) that make a hall look up: E5 then C5, 0.9 s."""
    ding, dong = _bell(659.26, 0.35), _bell(523.25, 0.55)
    return ding + dong


def trim(samples: array[int], keep_s: float = 0.03) -> array[int]:
    """Give the samples without the silence at both ends, but for `keep_s`."""
    limit = _AUDIBLE * FULL
    first = next((place for place, sample in enumerate(samples) if abs(sample) > limit), None)
    if first is None:
        return array("h")
    last = next(place for place in range(len(samples) - 1, -1, -1) if abs(samples[place]) > limit)
    keep = round(keep_s * RATE_HZ)
    return samples[max(0, first - keep) : last + 1 + keep]


def level(samples: array[int]) -> array[int]:
    """Give speech at one loudness, whatever the engine or the microphone made of it; nothing is clipped."""
    top, loud = peak(samples), loudness(samples)
    if top == 0.0 or loud == 0.0:
        return samples
    gain = min(SPEECH_LOUDNESS / loud, SPEECH_PEAK / top)
    return array("h", [round(sample * gain) for sample in samples])


def to_peak(samples: array[int], share: float) -> array[int]:
    """Give the samples with their peak at a share of full scale."""
    top = peak(samples)
    return samples if top == 0.0 else array("h", [round(sample * share / top) for sample in samples])


def loudness(samples: array[int]) -> float:
    """Give the RMS, a share of full scale, of the blocks within 20 dB of the loudest: pauses do not count."""
    size = round(0.05 * RATE_HZ)
    powers = [rms(samples[at : at + size]) ** 2 for at in range(0, len(samples), size)]
    least = max(powers, default=0.0) / 100
    voiced = [power for power in powers if power >= least]
    return math.sqrt(sum(voiced) / len(voiced)) if voiced else 0.0


def join(parts: list[array[int]]) -> array[int]:
    """Give all parts one after the other."""
    whole = array("h")
    for part in parts:
        whole.extend(part)
    return whole


def write_wav(samples: array[int], comment: str = "") -> bytes:
    """Give a whole WAV file; `comment` is the sentence, in UTF-8, in a LIST/INFO ICMT chunk before the samples."""
    body = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    if comment:
        text = comment.encode() + b"\0"
        info = b"INFO" + b"ICMT" + struct.pack("<I", len(text)) + _even(text)
        body += b"LIST" + struct.pack("<I", len(info)) + info
    data = _little_endian(samples)
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def read_wav(content: bytes) -> Wav:
    """Give the samples of a 16-bit PCM WAV at our rate (other rates and stereo are converted). Raises BadSound."""
    try:
        with wave.open(io.BytesIO(content)) as reader:
            channels, width, rate = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            if width != 2 or channels not in {1, 2} or not 4_000 <= rate <= 192_000:
                raise BadSound(f"{channels} channels of {8 * width} bit at {rate} Hz")
            if reader.getnframes() > rate * MAX_SECONDS:
                raise BadSound(f"longer than {MAX_SECONDS} s")
            raw = reader.readframes(reader.getnframes())
            if len(raw) != reader.getnframes() * channels * width:
                raise BadSound("cut off")
    except (wave.Error, EOFError, RuntimeError, struct.error) as error:  # RuntimeError: a chunk longer than the file
        raise BadSound(str(error) or "cut off") from error
    samples = array("h", raw[: len(raw) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    if channels == 2:
        samples = array("h", [(left + right) // 2 for left, right in zip(samples[::2], samples[1::2], strict=False)])
    return Wav(samples=_resample(samples, rate), comment=_comment(content))


def rate_of(content: bytes) -> int:
    """Give the sample rate that a WAV says, before any conversion. Raises BadSound."""
    try:
        with wave.open(io.BytesIO(content)) as reader:
            rate_hz: int = reader.getframerate()
            return rate_hz
    except (wave.Error, EOFError, RuntimeError, struct.error) as error:
        raise BadSound(str(error) or "cut off") from error


def scale(samples: array[int], percent: int) -> array[int]:
    """Give the samples at a volume of 0..100 percent."""
    return samples if percent == 100 else array("h", [sample * percent // 100 for sample in samples])


def _bell(frequency_hz: float, length_s: float) -> array[int]:
    """Give a struck bell: the tone and its quieter octave, a 4 ms attack against the click, then dying away."""
    samples = array("h")
    for place in range(round(length_s * RATE_HZ)):
        at_s = place / RATE_HZ
        tone = math.sin(2 * math.pi * frequency_hz * at_s) + 0.25 * math.sin(4 * math.pi * frequency_hz * at_s)
        shape = min(1.0, at_s / 0.004) * math.exp(-5.0 * at_s) * min(1.0, (length_s - at_s) / 0.01)
        samples.append(round(CHIME_PEAK * FULL * tone / 1.25 * shape))
    return samples


def _resample(samples: array[int], rate_hz: int) -> array[int]:
    """Give the samples at our rate by straight lines between neighbours: good enough for speech."""
    if rate_hz == RATE_HZ or len(samples) < 2:
        return samples
    step = rate_hz / RATE_HZ
    result = array("h")
    for place in range(int((len(samples) - 1) / step)):
        at = place * step
        left = int(at)
        result.append(round(samples[left] + (samples[left + 1] - samples[left]) * (at - left)))
    return result


def _comment(content: bytes) -> str:
    """Give the ICMT text of a RIFF file, or ""."""
    place = 12
    while place + 8 <= len(content):
        name, (length,) = content[place : place + 4], struct.unpack_from("<I", content, place + 4)
        if name == b"LIST" and content[place + 8 : place + 16] == b"INFOICMT" and place + 20 <= len(content):
            (text_length,) = struct.unpack_from("<I", content, place + 16)
            text = content[place + 20 : place + 20 + min(text_length, 1000)]
            return text.rstrip(b"\0").decode("utf-8", errors="replace")
        place += 8 + length + length % 2
    return ""


def _even(chunk: bytes) -> bytes:
    return chunk + b"\0" * (len(chunk) % 2)


def _little_endian(samples: array[int]) -> bytes:
    if sys.byteorder == "little":
        return samples.tobytes()
    swapped = array("h", samples)
    swapped.byteswap()
    return swapped.tobytes()
