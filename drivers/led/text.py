"""What a strip can spell: text in its own characters, and how many columns it takes.

A Chinese font draws ASCII half as wide as everything else, so a column is half a hanzi. What the character set has not
is replaced by something near it (fullwidth forms, accents), or by the printers' mark for a missing character, the
geta 〓; a bare question mark is left where the set has not even that.
"""

from __future__ import annotations

import unicodedata

MISSING = "〓"
_NEAR = str.maketrans({"—": "-", "–": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "、": ",", "。": ".", "〓": "?"})


def spell(text: str, charset: str) -> str:
    """Give the text as the character set can say it: no control characters, nothing that would not encode."""
    return "".join(_spelled(character, charset) for character in text if character.isprintable())


def can_spell(text: str, charset: str) -> bool:
    """Say whether the character set has every character of the text."""
    return all(_has(character, charset) for character in text)


def columns(text: str) -> int:
    """Give how many columns the text takes: two for everything but ASCII."""
    return sum(1 if character.isascii() else 2 for character in text)


def fit(text: str, most: int) -> str:
    """Give the beginning of the text that takes `most` columns at most."""
    taken = 0
    for place, character in enumerate(text):
        taken += columns(character)
        if taken > most:
            return text[:place]
    return text


def encode(text: str, charset: str, most_bytes: int) -> bytes:
    """Give the text in bytes of the character set, at most so many, with no half character at the end."""
    coded = b""
    for character in spell(text, charset):
        more = character.encode(charset)
        if len(coded) + len(more) > most_bytes:
            break
        coded += more
    return coded


def _spelled(character: str, charset: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    bare = "".join(part for part in decomposed if not unicodedata.combining(part))
    for near in (character, unicodedata.normalize("NFKC", character), bare, character.translate(_NEAR), MISSING):
        if near and can_spell(near, charset):
            return near
    return "?"


def _has(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
