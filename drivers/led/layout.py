"""How a saying stands on a strip: still when every language fits, in its longest form that does; else running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.led.words import Mood, Saying

BETWEEN_LANGUAGES = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Pages that take turns, or one page that runs to the left; and why the strip is lit."""

    pages: tuple[str, ...]
    moving: bool
    mood: Mood


def lay_out(saying: Saying, fits: Callable[[str], bool]) -> Shown:
    """Give the pages of a saying on a strip that has room for what `fits` says.

    A sentence that runs is read by nobody who walks by, so a shorter form that stands still is better than a long one
    that runs; it runs only when not even the shortest form has room.
    """
    still = [next((form for form in forms if fits(form)), None) for forms in saying.lines]
    pages = tuple(dict.fromkeys(page for page in still if page is not None))
    if None not in still:
        return Shown(pages=pages, moving=False, mood=saying.mood)
    whole = dict.fromkeys(forms[0] for forms in saying.lines)
    return Shown(pages=(BETWEEN_LANGUAGES.join(whole),), moving=True, mood=saying.mood)
