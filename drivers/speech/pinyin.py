"""Pinyin -> the sound signs of the Kokoro voice (IPA and tone arrows). Pure.

"ban4 li3" is pa↘nli↓. One row for each initial and final of Standard Chinese. Sources: the tables of
https://github.com/stefantaubert/pinyin-to-ipa (MIT), as https://github.com/hexgrad/misaki (Apache-2.0) writes them for
Kokoro v1.0. Another version of the model has other signs.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TONES: Mapping[str, str] = MappingProxyType({"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""})

INITIALS: Mapping[str, str] = MappingProxyType(
    {
        "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n",
        "l": "l", "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
        "": "",
    }
)  # fmt: skip

FINALS: Mapping[str, str] = MappingProxyType(
    {
        "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n",
        "eng": "ə0ŋ", "er": "ɚ0", "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0",
        "in": "i0n", "ing": "i0ŋ", "iong": "jʊ0ŋ", "iou": "jou0", "o": "wo0", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0",
        "ua": "wa0", "uai": "wai0", "uan": "wa0n", "uang": "wa0ŋ", "uei": "wei0", "uen": "wə0n", "ueng": "wə0ŋ",
        "uo": "wo0", "v": "y0", "van": "ɥɛ0n", "ve": "ɥe0", "vn": "y0n",
    }
)  # fmt: skip
"""0 is where the tone stands. v is ü."""

_APICAL = "ɨ0"  # the i of zhi, chi, shi, ri, zi, ci, si
_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)([a-zv]+)([1-5])")
_SHORT: Mapping[str, str] = MappingProxyType({"iu": "iou", "ui": "uei", "un": "uen", "ue": "ve"})
_ALONE: Mapping[str, str] = MappingProxyType({"wu": "u", "yi": "i", "yu": "v"})


class NotPinyin(ValueError):
    """A syllable is not Standard Chinese; the message is the syllable."""


def sounds(text: str) -> str:
    """Give the signs of pinyin words: syllables with their tone numbers, a space between words, commas and stops kept.

    Raises NotPinyin.
    """
    return "".join(
        part if not part[:1].isalpha() else _word(part) for part in re.split(r"([^a-z0-9]+)", text.lower()) if part
    )


def _word(word: str) -> str:
    return "".join(_syllable(syllable) for syllable in re.findall(r"[a-z]+[0-9]|.", word))


def _syllable(syllable: str) -> str:
    plain = _spelt_out(syllable)
    match = _SYLLABLE.fullmatch(plain)
    if match is None:
        raise NotPinyin(syllable)
    initial, final, tone = match.groups()
    if initial in {"j", "q", "x"} and final.startswith("u"):
        final = "v" + final[1:]
    final = _SHORT.get(final, final)
    if final not in FINALS or (final == "er" and initial):
        raise NotPinyin(syllable)
    apical = final == "i" and initial in {"zh", "ch", "sh", "r", "z", "c", "s"}
    return INITIALS[initial] + (_APICAL if apical else FINALS[final]).replace("0", TONES[tone])


def _spelt_out(syllable: str) -> str:
    """Give a syllable without the y and w that only mark its beginning: yue4 -> ve4, wei4 -> uei4."""
    letters, tone = syllable[:-1], syllable[-1:]
    if letters in _ALONE:
        return _ALONE[letters] + tone
    if letters.startswith("yu"):
        return "v" + letters[2:] + tone
    if letters.startswith("yi"):
        return letters[1:] + tone
    if letters == "you":
        return "iou" + tone
    if letters.startswith("y"):
        return "i" + letters[1:] + tone
    if letters.startswith("w"):
        return "u" + letters[1:] + tone
    return syllable
