"""Settings by time of day: { "07:30" = 100, "18:00" = 40, "22:00" = 0 } holds from that time on, until the next one."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def is_time(at: str) -> bool:
    """Say whether this is a time of day as it is written in DEVICES.toml ("07:30")."""
    return _TIME.fullmatch(at) is not None


def read_time(at: str) -> time:
    """Give the time of day."""
    hour, _, minute = at.partition(":")
    return time(int(hour), int(minute))


def level_at(levels: Mapping[str, int], now: datetime) -> int | None:
    """Give the level that holds now, or None where none is set."""
    if not levels:
        return None
    begun = [at for at in sorted(levels) if read_time(at) <= now.time()]
    return levels[begun[-1] if begun else max(levels)]  # before the first of today the last of yesterday holds
