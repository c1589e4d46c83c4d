"""The languages a hall can speak. To add one: write its phrase file, add its line here.

A language without a phrase file (a dialect, a minority language) is spoken from recorded clips only.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.speech import phrases_en, phrases_zh

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from drivers.jobs import Text

CALLS: Mapping[str, Callable[[str, str], str]] = MappingProxyType({"zh": phrases_zh.call, "en": phrases_en.call})
_CALLS_YAO = MappingProxyType({**CALLS, "zh": lambda label, window: phrases_zh.call(label, window, phrases_zh.YAO)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is said in one language: the sentence, and the units a call is put together from (none: free text)."""

    language: str
    sentence: str
    units: tuple[str, ...] = ()


def call(
    label: str, window: str, languages: tuple[str, ...], recorded: Container[str] = (), *, yao: bool = False
) -> list[Line]:
    """Give the call in each language we can speak, in order; in Chinese when we know none.

    `recorded` are the languages that were recorded; with `yao` the 1 of a ticket is read 幺.
    """
    calls = _CALLS_YAO if yao else CALLS
    known = [language for language in dict.fromkeys(languages) if language in CALLS or language in recorded] or ["zh"]
    return [
        Line(
            language=each,
            sentence=calls[each](label, window) if each in calls else f"{label} → {window}",
            units=units(label, window),
        )
        for each in known
    ]


def told(text: Text, languages: tuple[str, ...]) -> list[Line]:
    """Give an announcement in each language it is written in and we can speak."""
    return [
        Line(language=language, sentence=text[language])
        for language in dict.fromkeys(languages)
        if language in CALLS and text.get(language)
    ]


def units(label: str, window: str) -> tuple[str, ...]:
    """Give the units of a call: A012 to window 3 is please, letter-A, number-012, window-3.

    A number is one unit, never single digits: digits cut from longer speech carry their neighbours.
    """
    letters = [f"letter-{character}" for character in label if character.isalpha()]
    digits = "".join(character for character in label if character.isdigit())
    return ("please", *letters, *([f"number-{digits}"] if digits else []), f"window-{window}")


def whole(spoken: tuple[str, ...]) -> tuple[str, ...]:
    """Give the units of a call with 请, letter and number as one: ticket-A012, window-3.

    Said in one breath they are understood best; people record them apart, or there would be thousands.
    """
    label = "".join(unit.partition("-")[2] for unit in spoken if unit.startswith(("letter-", "number-")))
    return (f"ticket-{label}", *(unit for unit in spoken if unit.startswith("window-")))
