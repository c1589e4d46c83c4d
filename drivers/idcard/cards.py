"""The text of an identity card: four layouts, and the three words of it that may leave the driver. Pure.

256 bytes of UTF-16LE padded with spaces; the letter at byte 248 says which layout: none for citizens, I for foreign
permanent residents (2017), Y for those of 2023, J for residents from Hong Kong, Macao and Taiwan.

| | citizen, J | Y (2023) | I (2017) |
|---|---|---|---|
| Chinese name | 0, 30 bytes | 0, 30 | 158, 30 |
| other name | | 52, 70 | 0, 120 |
| born (YYYYMMDD) | 36, 16 | 36, 16 | 220, 16 |
| number | 122, 36: 18 characters | 122, 36: 18 | 122, 30: 15 |

Sources: GA/T 490 (citizens); GA/T 1011 and the data table of the 2017 card (cchxqp518.com/st170652/news_212938.html);
新版外国人永久居留身份证机读信息规则 2023 (eastcoms.com/service/pro/840.html); 港澳台居民居住证机读信息规范, as in the
structures of GitHub Johann356/readinfo (PCSCGetData.h). Check digit: GB 11643 (ISO 7064 MOD 11-2).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

AGES = (0, 14, 60, 65, 70, 75, 80)
"""Where age bands begin: a child, an adult, and from 60 on in steps that a hall's green channel may begin at."""

_KIND_AT = 248
_CITIZEN_NUMBER = re.compile(r"[1-9]\d{16}[0-9X]")
_FOREIGN_NUMBER = re.compile(r"[A-Z]{3}\d{12}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand: (first byte, bytes)."""

    document: str
    name: tuple[int, int]
    other_name: tuple[int, int] | None
    born: tuple[int, int]
    number: tuple[int, int]


_LAYOUTS = {
    "": _Layout("citizen", (0, 30), None, (36, 16), (122, 36)),
    "J": _Layout("hk_mo_tw", (0, 30), None, (36, 16), (122, 36)),
    "Y": _Layout("foreign", (0, 30), (52, 70), (36, 16), (122, 36)),
    "I": _Layout("foreign", (158, 30), (0, 120), (220, 16), (122, 30)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that leaves the driver. `visitor`: the number under the hall's key (hex); `age_from`: one of AGES."""

    document: str
    visitor: str = field(repr=False)
    age_from: int = field(repr=False)
    name: str = field(repr=False)


def keep(text: bytearray, *, key: bytes, today: date) -> Kept | None:
    """Give what may leave of a card's text, or None when it is no card's. Wiping the text is the caller's."""
    layout = _LAYOUTS.get(_field(text, (_KIND_AT, 2)))
    if layout is None:
        return None
    number = _field(text, layout.number).upper()
    age = _age(_field(text, layout.born), today)
    if age is None or not is_number(number):
        return None
    name = _field(text, layout.name) or (_field(text, layout.other_name) if layout.other_name else "")
    return Kept(
        document=layout.document,
        visitor=visitor_of(number, key),
        age_from=max(first for first in AGES if first <= age),
        name=masked(name),
    )


def visitor_of(number: str, key: bytes) -> str:
    """Give the HMAC-SHA-256 (hex) of a number under the hall's key: as the server makes it of a `visitor_ref`."""
    return hmac.new(key, number.encode(), hashlib.sha256).hexdigest()


def masked(name: str) -> str:
    """Give the first character and one star: 张*."""
    return f"{name[0]}*" if name else "*"


def is_number(number: str) -> bool:
    """Say whether this is a citizen's, resident's or foreign resident's number with the right check digit."""
    if _FOREIGN_NUMBER.fullmatch(number):
        return True
    return _CITIZEN_NUMBER.fullmatch(number) is not None and check_digit(number[:17]) == number[17]


def check_digit(first17: str) -> str:
    """Give the last character of a number whose first 17 digits are these."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True)) % 11]


def _field(text: bytearray, place: tuple[int, int]) -> str:
    at, size = place
    return text[at : at + size].decode("utf-16-le", "replace").strip(" \x00")


def _age(born: str, today: date) -> int | None:
    """Give the full years since YYYYMMDD, or None when that is no day in the last 130 years."""
    if len(born) != 8 or not born.isascii() or not born.isdigit():
        return None
    year, day = int(born[:4]), born[4:]
    if not ("0101" <= day <= "1231"):
        return None
    age = today.year - year - (f"{today:%m%d}" < day)
    return age if 0 <= age <= 130 else None
