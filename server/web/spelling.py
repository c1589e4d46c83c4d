"""How Chinese names are spelled in Pinyin, so that a letter pad finds them.

Every reading of a character counts (银行 is found by "yh" and by "yx"), as nobody types for a dictionary. That is also
why pypinyin's phrases, which tell one reading from another, stay unread: they would cost each server 45 MB.
"""

import functools
import os
import re
import unicodedata
from typing import Final

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # read when pypinyin is imported

from pypinyin import Style, pinyin

_PLAIN: Final = re.compile(r"[a-z0-9]+")
_PARTS: Final = re.compile(r"[\u3400-\u9fff]|[^\u3400-\u9fff]+")
"""A character alone: in a word it would have the word's reading, where phrases are known."""
_SPELLED_MAX: Final = 4096
"""So many names are remembered: those of a server with many halls."""


@functools.lru_cache(maxsize=_SPELLED_MAX)
def spelled(words: str) -> str:
    """Give a syllable per character with its readings between slashes: "银行 24" is "yin xing/hang/heng 24"."""
    readings = pinyin(_PARTS.findall(words), style=Style.NORMAL, heteronym=True)
    return " ".join(filter(None, map(_syllable, readings)))


def _syllable(readings: list[str]) -> str:
    plain = ("".join(_PLAIN.findall(unicodedata.normalize("NFKC", one).lower())) for one in readings)
    return "/".join(dict.fromkeys(filter(None, plain)))
