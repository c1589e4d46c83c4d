"""What a rendered voice is told: units of a call, or a sentence, as the sound signs of Kokoro. Pure.

The words of calls are a closed list written down here, so that no dictionary can read a ticket as something else: A012
is never read as twelve. Free text in Chinese (announcements) goes through pypinyin. English words: the dictionary of
https://github.com/hexgrad/misaki (Apache-2.0). Which letter name is understood best was tried with a recogniser.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.speech import phrases_en, phrases_zh, pinyin

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = frozenset({"zh", "en"})

_HANZI: Mapping[str, str] = MappingProxyType(
    {
        "零": "ling2", "一": "yi1", "二": "er4", "三": "san1", "四": "si4", "五": "wu3", "六": "liu4", "七": "qi1",
        "八": "ba1", "九": "jiu3", "十": "shi2", "百": "bai3", "千": "qian1", "幺": "yao1", "号": "hao4",
    }
)  # fmt: skip

_LETTERS_ZH: Mapping[str, str] = MappingProxyType(
    {
        "A": "ei→", "B": "pi↘", "C": "si→", "D": "ti→", "E": "i→", "F": "ɛf→", "G": "ʤi→", "H": "eɪʧ→", "I": "aɪ→",
        "J": "ʤeɪ→", "K": "kʰeɪ→", "L": "ɛl→", "M": "ɛm→", "N": "ən→", "O": "oʊ→", "P": "pʰi→", "Q": "kʰju→",
        "R": "ɑɻ→", "S": "ɛs→", "T": "tʰi→", "U": "jou→", "V": "vi→", "W": "dʌbəlju→", "X": "ɛks→", "Y": "waɪ→",
        "Z": "zi→",
    }
)  # fmt: skip
"""As Chinese speakers name them: English sounds in the high level tone. A recogniser took names out of pinyin syllables
(K 开, L 艾楼) for words, and English stress for nothing."""

_LETTERS_EN: Mapping[str, str] = MappingProxyType(
    {
        "A": "ˈA", "B": "bˈi", "C": "sˈi", "D": "dˈi", "E": "ˈi", "F": "ˈɛf", "G": "ʤˈi", "H": "ˈAʧ", "I": "ˈI",
        "J": "ʤˈA", "K": "kˈA", "L": "ˈɛl", "M": "ˈɛm", "N": "ˈɛn", "O": "ˈO", "P": "pˈi", "Q": "kjˈu", "R": "ˈɑɹ",
        "S": "ˈɛs", "T": "tˈi", "U": "jˈu", "V": "vˈi", "W": "dˈʌbᵊlju", "X": "ˈɛks", "Y": "wˈI", "Z": "zˈi",
    }
)  # fmt: skip

_WORDS_EN: Mapping[str, str] = MappingProxyType(
    {
        "zero": "zˈɪɹO", "one": "wˈʌn", "two": "tˈu", "three": "θɹˈi", "four": "fˈɔɹ", "five": "fˈIv", "six": "sˈɪks",
        "seven": "sˈɛvən", "eight": "ˈAt", "nine": "nˈIn", "ten": "tˈɛn", "eleven": "əlˈɛvᵊn", "twelve": "twˈɛlv",
        "thirteen": "θˌɜɹtˈin", "fourteen": "fˌɔɹtˈin", "fifteen": "fˌɪftˈin", "sixteen": "sˌɪkstˈin",
        "seventeen": "sˌɛvəntˈin", "eighteen": "ˌAtˈin", "nineteen": "nˌIntˈin", "twenty": "twˈɛnti",
        "thirty": "θˈɜɹɾi", "forty": "fˈɔɹɾi", "fifty": "fˈɪfti", "sixty": "sˈɪksti", "seventy": "sˈɛvənti",
        "eighty": "ˈAɾi", "ninety": "nˈIndi", "hundred": "hˈʌndɹəd", "ticket": "tˈɪkət", "please": "plˈiz",
        "proceed": "pɹəsˈid", "to": "tə", "window": "wˈɪndO",
    }
)  # fmt: skip

_PAUSES: Mapping[str, str] = MappingProxyType(
    {
        "，": ", ",
        "、": ", ",
        "：": ", ",
        "；": ", ",
        "。": ". ",
        "！": ". ",
        "？": "? ",
        ",": ", ",
        ".": ". ",
        "!": ". ",
    }
)
_SKIPPED = "“”‘’《》「」（）()\"'"
_TOKENS = re.compile(r"(\d{1,2}):(\d{2})|(\d+)|([A-Za-z])|([㐀-鿿]+)|(\s+)|(.)")


class Unsayable(ValueError):
    """There is no sound for something; the message names it."""


@lru_cache(4096)
def of_unit(unit: str, language: str, *, yao: bool = False) -> str:
    """Give the signs of one unit of a call: please, letter-A, number-012, ticket-A012, window-3. Raises Unsayable."""
    role, _, what = unit.partition("-")
    if language not in LANGUAGES or role not in {"please", "letter", "number", "ticket", "window"}:
        raise Unsayable(f"{unit} in {language!r}")
    try:
        signs = _english(role, what) if language == "en" else _chinese(role, what, yao=yao)
    except KeyError as error:
        raise Unsayable(f"{error.args[0]} of {unit}") from error
    return signs + ("," if role == "please" else ".")  # a short word alone is said with its end only behind a comma


def of_sentence(sentence: str, language: str) -> str:
    """Give the signs of free text in Chinese: figures are read as people say them. Raises Unsayable."""
    if language != "zh":
        raise Unsayable(f"free text in {language!r}")
    parts: list[str] = []
    for match in _TOKENS.finditer(sentence):
        hour, minute, figures, letter, hanzi, blank, other = match.groups()
        if hour:
            parts.append(_said(_clock(int(hour), int(minute))))
        elif figures:
            short = len(figures) < 5 and not (len(figures) > 1 and figures.startswith("0"))
            parts.append(_said(phrases_zh.number(int(figures)) if short else phrases_zh.ticket(figures)))
        elif letter:
            parts.append(f" {_LETTERS_ZH[letter.upper()]} ")
        elif hanzi:
            parts.append(_said(hanzi))
        elif blank:
            parts.append(" ")
        elif other in _PAUSES:
            parts.append(_PAUSES[other])
        elif other not in _SKIPPED:
            raise Unsayable(other)
    return re.sub(r" +", " ", "".join(parts)).replace(" ,", ",").replace(" .", ".").strip()


def _chinese(role: str, what: str, *, yao: bool) -> str:
    match role:
        case "please":
            return pinyin.sounds("qing3")
        case "letter":
            return _letter(_LETTERS_ZH, what)
        case "number":
            digits = phrases_zh.ticket(what, phrases_zh.YAO if yao else phrases_zh.ONE)
            return pinyin.sounds(" ".join(_HANZI[digit] for digit in digits) + " hao4")
        case "ticket":
            letters, number = _parted(what)
            names = [_letter(_LETTERS_ZH, each) for each in letters]
            return ", ".join([_chinese("please", "", yao=yao), *names, _chinese("number", number, yao=yao)])
        case _:
            name = phrases_zh.window_name(what)
            said = "".join(
                f" {_letter(_LETTERS_ZH, sign)} " if sign.isalpha() and sign.isascii() else pinyin.sounds(_HANZI[sign])
                for sign in name
                if sign != " "
            )
            tail = pinyin.sounds("chuang1kou3 ban4li3")
            return f"{pinyin.sounds('dao4')} {said.strip()} {tail}".replace("  ", " ")


def _english(role: str, what: str) -> str:
    match role:
        case "please":
            return _WORDS_EN["ticket"]
        case "letter":
            return _letter(_LETTERS_EN, what)
        case "number":
            return " ".join(_WORDS_EN[word] for word in phrases_en.ticket(what).split())
        case "ticket":
            letters, number = _parted(what)
            names = [_letter(_LETTERS_EN, each) for each in letters]
            return ", ".join([" ".join([_english("please", ""), *names]), _english("number", number)])
        case _:
            head = " ".join(_WORDS_EN[word] for word in ("please", "proceed", "to", "window"))
            name = phrases_en.window_name(what)
            if name.isdigit() and int(name) < 1000:
                words = _number_words(int(name))
            else:
                words = phrases_en.ticket(what).replace(",", "").split()
            return " ".join([head, *(_LETTERS_EN.get(word) or _WORDS_EN[word] for word in words)])


def _parted(label: str) -> tuple[str, str]:
    """Give letters and digits of a label."""
    number = label.lstrip("".join(_LETTERS_EN))
    return label[: len(label) - len(number)], number


def _number_words(value: int) -> list[str]:
    """Give 0..999 as it is read: twenty eight, one hundred five."""
    ones = tuple(_WORDS_EN)[:20]
    tens = tuple(_WORDS_EN)[20:28]
    if value < 20:
        return [ones[value]]
    if value < 100:
        return [tens[value // 10 - 2], *([ones[value % 10]] if value % 10 else [])]
    return [ones[value // 100], "hundred", *(_number_words(value % 100) if value % 100 else [])]


def _clock(hour: int, minute: int) -> str:
    """Give a time of day as it is read: 10:30 十点三十分, 9:05 九点零五分, 14:00 十四点."""
    if not minute:
        return f"{phrases_zh.number(hour)}点"
    return f"{phrases_zh.number(hour)}点{'零' if minute < 10 else ''}{phrases_zh.number(minute)}分"


def _said(hanzi: str) -> str:
    """Give Chinese words in signs: each by its reading in the word that it stands in."""
    from pypinyin import Style, lazy_pinyin, load_phrases_dict
    from pypinyin.constants import PHRASES_DICT

    if not PHRASES_DICT:  # a server that only spells names keeps them out, and is the parent of this process in a demo
        from pypinyin.phrases_dict import phrases_dict

        load_phrases_dict(phrases_dict)
    try:
        syllables = lazy_pinyin(hanzi, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore", v_to_u=False)
        if len(syllables) != len(hanzi):
            raise Unsayable(hanzi)
        return pinyin.sounds("".join(syllables))
    except pinyin.NotPinyin as error:
        raise Unsayable(f"{hanzi} ({error})") from error


def _letter(names: Mapping[str, str], what: str) -> str:
    if what not in names:
        raise Unsayable(what)
    return names[what]
