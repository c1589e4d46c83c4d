"""What differs from printer model to printer model, read from profiles.toml: one table there is one model."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

Charset: TypeAlias = Literal["gb2312", "gbk", "gb18030", "none"]
"""Characters inside the printer. gbk is the safe choice for Chinese models: few know the four-byte characters of
gb18030."""
QrWay: TypeAlias = Literal["native", "raster"]
Cut: TypeAlias = Literal["partial", "full", "none"]
Beep: TypeAlias = Literal["none", "buzzer", "drawer"]
"""How it beeps when a ticket comes out: ESC B of boards with a buzzer, or the pulse of the cash drawer where one is
wired to that."""

FONT_A_DOTS = 12
"""Width of a Latin cell; a Chinese character takes two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One printer model. `max_scale` is the largest magnification of GS ! (1..8) the firmware takes."""

    name: str
    width_dots: int
    charset: Charset = "gbk"
    max_scale: int = 8
    qr: QrWay = "native"
    cut: Cut = "partial"
    answers: bool = True  # whether it answers DLE EOT and GS r at all
    named: bool = False  # whether it tells its model and firmware (GS I)
    automatic: bool = False  # whether it only says by itself how it is (GS a): never asked, never confirmed
    beep: Beep = "none"

    @property
    def columns(self) -> int:
        """Latin characters in a line at normal size."""
        return self.width_dots // FONT_A_DOTS


@cache
def profiles() -> Mapping[str, Profile]:
    """Give every model that ships with the product."""
    raw = tomllib.loads((files("drivers.printer") / "profiles.toml").read_text(encoding="utf-8"))
    return {name: Profile(**fields) for name, fields in raw.items()}
