"""The languages a hall can speak. To add one: write its phrase file, add its line here."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.speech import phrases_en, phrases_zh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.jobs import Text

CALLS: Mapping[str, Callable[[str, str], str]] = MappingProxyType({"zh": phrases_zh.call, "en": phrases_en.call})


def call(label: str, window: str, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give (language, sentence) for each language we can speak, in the hall's order; Chinese when we know none."""
    known = [language for language in dict.fromkeys(languages) if language in CALLS] or ["zh"]
    return [(language, CALLS[language](label, window)) for language in known]


def told(text: Text, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give (language, sentence) of an announcement for each language it is written in and we can speak."""
    return [
        (language, text[language]) for language in dict.fromkeys(languages) if language in CALLS and text.get(language)
    ]
