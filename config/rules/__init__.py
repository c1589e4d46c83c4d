"""What one table of a hall file cannot know alone: names that point nowhere, series that collide, desks nobody serves.

The rules read the raw TOML, not the models, so that a mistake in one table does not hide the mistakes in the others.
Each rule is one function; `RULES` lists them. They pass over values of the wrong type: the schema reports those.

Reading order: `draft` (what rules read), then the rules: `names`, `services`, `hours`, `posts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from config.problems import Finding
from config.rules.draft import Draft, word
from config.rules.hours import (
    bookable_has_hours,
    calendar_agrees,
    hours_in_order,
    online_has_bookable,
    slots_fit,
    tides_fit,
    zone_times_agree,
)
from config.rules.names import ids_once, languages_agree, partners_elsewhere, references_found, time_zone_known
from config.rules.posts import (
    appointments_not_asked,
    one_chief_each,
    posts_are_staffed,
    posts_have_windows,
    priorities_free,
)
from config.rules.services import (
    case_asked_for_pickup,
    every_service_served,
    every_window_serves,
    kiosks_offer_numbers,
    legs_fit,
    letters_clear,
    numbers_in_order,
    series_agree,
    services_once_per_window,
    zones_fit_their_kind,
)

__all__ = ["Draft", "broken_rules", "word"]


def broken_rules(draft: Draft) -> Iterator[Finding]:
    """Give every rule that the draft breaks."""
    for rule in RULES:
        yield from rule(draft)


RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    ids_once,
    references_found,
    numbers_in_order,
    letters_clear,
    series_agree,
    every_service_served,
    every_window_serves,
    zones_fit_their_kind,
    kiosks_offer_numbers,
    legs_fit,
    case_asked_for_pickup,
    services_once_per_window,
    tides_fit,
    time_zone_known,
    languages_agree,
    hours_in_order,
    zone_times_agree,
    calendar_agrees,
    slots_fit,
    bookable_has_hours,
    online_has_bookable,
    priorities_free,
    appointments_not_asked,
    posts_have_windows,
    posts_are_staffed,
    one_chief_each,
    partners_elsewhere,
)
