"""Options that every kind of strip has, and the times of day in them.

    options = { languages = ["zh", "en"], brightness = { "07:30" = 100, "18:00" = 40, "22:00" = 0 }, clock = "04:00" }

`brightness` is percent from that time of day on, until the next one; 0 is dark. Times are the hall's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from drivers.daytimes import is_time, read_time
from drivers.driver import OptionProblem

_NEVER: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class StripOptions:
    """Options of every strip.

    `languages`: one or both, in turn; `idle`: what a free window shows; `brightness`: time of day -> percent, none
    leaves the strip as it is; `clock`: time of day at which the strip's clock is set (and whenever the line came up).
    """

    languages: tuple[Literal["zh", "en"], ...] = ("zh",)
    idle: Literal["welcome", "name"] = "welcome"
    brightness: Mapping[str, int] = field(default_factory=lambda: _NEVER)
    clock: str = ""


def common_problems(options: StripOptions) -> list[OptionProblem]:
    """Give what is wrong with the options that every strip has."""
    problems = []
    if not options.languages:
        zh, en = '至少要有一种语言，例如 ["zh"]', 'at least one is needed, for instance ["zh"]'
        problems.append(OptionProblem(option="languages", zh=zh, en=en))
    example = '{ "07:30" = 100, "18:00" = 40 }'
    for at, percent in options.brightness.items():
        if not is_time(at):
            zh, en = f"{at!r} 不是时刻，例如 {example}", f"{at!r} is no time of day, for instance {example}"
            problems.append(OptionProblem(option="brightness", zh=zh, en=en))
        if not 0 <= percent <= 100:
            zh, en = (
                f"{at} 的亮度必须在 0 到 100 之间，不能是 {percent}",
                f"{at}: must be 0..100 percent, not {percent}",
            )
            problems.append(OptionProblem(option="brightness", zh=zh, en=en))
    if options.clock and not is_time(options.clock):
        zh, en = (
            f'{options.clock!r} 不是时刻，例如 "04:00"',
            f'{options.clock!r} is no time of day, for instance "04:00"',
        )
        problems.append(OptionProblem(option="clock", zh=zh, en=en))
    return problems


def dot_problems(width_px: int, height_px: int, font_px: int, *, step_px: int = 1) -> list[OptionProblem]:
    """Give what is wrong with the size of a strip in dots; its width must be a multiple of `step_px`."""
    problems = []
    if width_px % step_px or not 32 <= width_px <= 2048:
        multiple = f" and a multiple of {step_px}" if step_px > 1 else ""
        times = f"且是 {step_px} 的倍数" if step_px > 1 else ""
        zh, en = f"必须在 32 到 2048 之间{times}，不能是 {width_px}", f"must be 32..2048{multiple}, not {width_px}"
        problems.append(OptionProblem(option="width_px", zh=zh, en=en))
    if not 7 <= height_px <= 512:
        zh, en = f"必须在 7 到 512 之间，不能是 {height_px}", f"must be 7..512, not {height_px}"
        problems.append(OptionProblem(option="height_px", zh=zh, en=en))
    elif not 7 <= font_px <= height_px:
        zh = f"必须在 7 到 {height_px} 之间（条屏的高度），不能是 {font_px}"
        en = f"must be 7..{height_px} (the height of the strip), not {font_px}"
        problems.append(OptionProblem(option="font_px", zh=zh, en=en))
    return problems


def clock_due(clock: str, now: datetime) -> datetime | None:
    """Give the last moment at which the clock was to be set, or None where it never is."""
    if not clock:
        return None
    today = datetime.combine(now.date(), read_time(clock), now.tzinfo)
    return today if today <= now else today - timedelta(days=1)
