"""Keys of keyboards by their Linux names, and what a scanner that is a keyboard types with them. Pure.

Source: include/uapi/linux/input-event-codes.h of the Linux kernel; characters are those of the US layout, in which
scanners type from the factory.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROWS = (
    (1, "ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL"),
    (30, "A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH RIGHTSHIFT"),
    (55, "KPASTERISK LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS"),
    (75, "KP4 KP5 KP6 KPPLUS KP1 KP2 KP3 KP0 KPDOT"),
    (87, "F11 F12"),
    (96, "KPENTER RIGHTCTRL KPSLASH SYSRQ RIGHTALT"),
    (102, "HOME UP PAGEUP LEFT RIGHT END DOWN PAGEDOWN INSERT DELETE"),
    (183, "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24"),
)

CODES: Mapping[str, int] = MappingProxyType(
    {f"KEY_{name}": first + place for first, names in _ROWS for place, name in enumerate(names.split())}
)
"""Name as in DEVICES.toml -> code."""

SHIFTS = frozenset({CODES["KEY_LEFTSHIFT"], CODES["KEY_RIGHTSHIFT"]})
ENDS = frozenset({CODES["KEY_ENTER"], CODES["KEY_KPENTER"], CODES["KEY_TAB"]})

_PLAIN = {
    "MINUS": "-_",
    "EQUAL": "=+",
    "LEFTBRACE": "[{",
    "RIGHTBRACE": "]}",
    "SEMICOLON": ";:",
    "APOSTROPHE": "'\"",
    "GRAVE": "`~",
    "BACKSLASH": "\\|",
    "COMMA": ",<",
    "DOT": ".>",
    "SLASH": "/?",
    "SPACE": "  ",
    "KPASTERISK": "**",
    "KPMINUS": "--",
    "KPPLUS": "++",
    "KPDOT": "..",
    "KPSLASH": "//",
    **{digit: digit + shifted for digit, shifted in zip("1234567890", "!@#$%^&*()", strict=True)},
    **{f"KP{digit}": digit * 2 for digit in "0123456789"},
    **{letter: letter.lower() + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
}

TYPED: Mapping[int, str] = MappingProxyType({CODES[f"KEY_{name}"]: both for name, both in _PLAIN.items()})
"""Code -> the character alone and the one with shift."""


def code_of(key: int | str) -> int | None:
    """Give the code of a key named in DEVICES.toml, by name or number; None for a name there is not."""
    return key if isinstance(key, int) else CODES.get(key.upper())
