"""What a strip over a window says, derived from the newest picture of the window and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, assert_never

from drivers.jobs import WindowStatus, in_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.jobs import WindowPicture


class Mood(Enum):
    """Why the strip is lit, which gives its colour."""

    INVITE = "invite"
    BUSY = "busy"
    FREE = "free"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What a strip says: for each language the same in forms from long to short, and its mood."""

    lines: tuple[tuple[str, ...], ...]
    mood: Mood


Forms: TypeAlias = tuple[str, ...]

LANGUAGES = ("zh", "en")

_CALL: Mapping[str, Forms] = MappingProxyType(
    {"zh": ("请 {label} 号", "请{label}号", "{label}"), "en": ("Ticket {label}", "{label}")}
)
_SERVE: Mapping[str, Forms] = MappingProxyType(
    {"zh": ("正在办理 {label}", "办理 {label}", "{label}"), "en": ("Serving {label}", "{label}")}
)
_WELCOME: Mapping[str, Forms] = MappingProxyType({"zh": ("欢迎办理", "欢迎"), "en": ("Welcome", "Open")})
_UNSTAFFED: Mapping[str, Forms] = MappingProxyType({"zh": ("未派驻", "关闭"), "en": ("Not staffed", "Closed")})
_CLOSED: Mapping[str, Forms] = MappingProxyType({"zh": ("未开放", "关闭"), "en": ("Closed",)})
_PAUSED: Mapping[str, Forms] = MappingProxyType({"zh": ("暂停服务", "暂停"), "en": ("Paused",)})
# Visitors are told what helps them to decide whether to wait; why exactly a clerk is away is nobody's business.
_REASONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "lunch": {"zh": "午休", "en": "lunch"},
        "document": {"zh": "整理材料", "en": "paperwork"},
        "meeting": {"zh": "会议", "en": "meeting"},
        "toilet": {"zh": "稍候", "en": "back soon"},
        "fault": {"zh": "设备故障", "en": "fault"},
    }
)


def say(picture: WindowPicture, languages: tuple[str, ...], *, idle_name: bool = False) -> Saying:
    """Give what the strip of this window shows; `idle_name` shows the window's name instead of a welcome when free.

    `languages` are those the strip was set up for; of these it shows the ones that the hall speaks.
    """
    spoken = picture.languages or languages
    known = [language for language in spoken if language in LANGUAGES] or ["zh"]
    languages = tuple(language for language in languages if language in spoken) or (known[0],)
    match picture.status:
        case WindowStatus.CALLING if picture.label:
            return _saying(Mood.INVITE, _CALL, languages, label=picture.label)
        case WindowStatus.SERVING if picture.label:
            return _saying(Mood.BUSY, _SERVE, languages, label=picture.label)
        case WindowStatus.OPEN | WindowStatus.CALLING | WindowStatus.SERVING if idle_name:
            return Saying(lines=tuple((in_language(picture.name, each),) for each in languages), mood=Mood.FREE)
        case WindowStatus.OPEN | WindowStatus.CALLING | WindowStatus.SERVING:
            return _saying(Mood.FREE, _WELCOME, languages)
        case WindowStatus.PAUSED:
            reasons = _REASONS.get(picture.pause_reason or "", {})
            return Saying(lines=tuple(_paused(each, reasons.get(each, "")) for each in languages), mood=Mood.AWAY)
        case WindowStatus.CLOSED if not picture.staffed:
            return _saying(Mood.AWAY, _UNSTAFFED, languages)
        case WindowStatus.CLOSED:
            return _saying(Mood.AWAY, _CLOSED, languages)
        case _:
            assert_never(picture.status)


def number(label: str) -> str:
    """Give the digits of a label, for strips that show nothing else: "012" of "A012"."""
    return "".join(character for character in label if character.isascii() and character.isdigit())


def _saying(mood: Mood, text: Mapping[str, Forms], languages: tuple[str, ...], label: str = "") -> Saying:
    lines = (tuple(form.replace("{label}", label) for form in text[language]) for language in languages)
    return Saying(lines=tuple(dict.fromkeys(lines)), mood=mood)


def _paused(language: str, reason: str) -> Forms:
    """Give the forms of a pause; the shortest is the reason alone, which says enough over an empty window."""
    if not reason:
        return _PAUSED[language]
    return (*(f"{form} {reason}" for form in _PAUSED[language]), reason)
