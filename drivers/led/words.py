"""What a strip over a window says, derived from the newest picture of the window and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

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
    """The lines of a strip, one per language, and its mood."""

    lines: tuple[str, ...]
    mood: Mood


LANGUAGES = ("zh", "en")

_CALL = MappingProxyType({"zh": "请 {label} 号", "en": "Ticket {label}"})
_SERVE = MappingProxyType({"zh": "正在办理 {label}", "en": "Serving {label}"})
_WELCOME = MappingProxyType({"zh": "欢迎办理", "en": "Welcome"})
_UNSTAFFED = MappingProxyType({"zh": "未派驻", "en": "Not staffed"})
_CLOSED = MappingProxyType({"zh": "未开放", "en": "Closed"})
_PAUSED = MappingProxyType({"zh": "暂停服务 {reason}", "en": "Paused {reason}"})
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
        case WindowStatus.OPEN | WindowStatus.CALLING | WindowStatus.SERVING:
            return _saying(Mood.FREE, picture.name if idle_name else _WELCOME, languages)
        case WindowStatus.PAUSED:
            reasons = _REASONS.get(picture.pause_reason or "", {})
            lines = tuple(_PAUSED[each].format(reason=reasons.get(each, "")).strip() for each in languages)
            return Saying(lines=lines, mood=Mood.AWAY)
        case WindowStatus.CLOSED if not picture.staffed:
            return _saying(Mood.AWAY, _UNSTAFFED, languages)
        case WindowStatus.CLOSED:
            return _saying(Mood.AWAY, _CLOSED, languages)
        case _:
            assert_never(picture.status)


def _saying(mood: Mood, text: Mapping[str, str], languages: tuple[str, ...], label: str = "") -> Saying:
    lines = [in_language(text, language).replace("{label}", label) for language in languages]
    return Saying(lines=tuple(dict.fromkeys(lines)), mood=mood)
