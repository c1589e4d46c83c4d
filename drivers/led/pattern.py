"""Frames written as in a maker's manual, for strips that a hall adds without code.

    AA 55 [ {address} {length:2le} ( 01 {text} ) ] {sum8} 0D

Bytes are two hexadecimal digits each, `'...'` is ASCII. `{name}` is a value, `{name:form}` says how it is written:

    1       one byte (when nothing is said)     2be 2le    two bytes, high or low one first; 4be 4le four
    dec3    three decimal digits in ASCII        hex2       two hexadecimal digits in ASCII, upper case
    bcd     two decimal digits in one byte

`{length}` counts the bytes between `(` and `)`; `{length+2}` adds to that. `{sum8}`, `{xor8}`, `{sum16}`, `{crc16-arc}`
and `{crc16-modbus}` are over the bytes between `[` and `]`. Without marks, the length counts the text and the checksum
is over everything before it. What stands between `<` and `>` is escaped where the strip wants that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from drivers.led.checksums import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOKEN = re.compile(r"\s+|'(?P<text>[^']*)'|\{(?P<field>[^{}]*)\}|(?P<hex>(?:[0-9A-Fa-f]{2})+)|(?P<mark>[\[\]()<>])")
_FIELD = re.compile(r"(?P<name>[a-z][a-z0-9-]*?)(?P<add>[+-]\d+)?(?::(?P<form>[a-z0-9]+))?")
_FORM = re.compile(r"1|(?P<wide>[24])(?P<order>be|le)|(?P<base>dec|hex)(?P<digits>[1-8])|(?P<bcd>bcd)")
_PAIRS = MappingProxyType({"[": "]", "(": ")", "<": ">"})
_TEXT = "text"
_LENGTH = "length"


class BadPattern(ValueError):
    """A pattern that cannot be read. `zh` and `en` say why, `meant` what was probably meant."""

    def __init__(self, zh: str, en: str, meant: str | None = None) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en
        self.meant = meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """Bytes that are always the same."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value: its name, what is added to it, and how it is written."""

    name: str
    add: int
    form: str

    @property
    def size(self) -> int:
        """How many bytes it takes; the text has no size of its own."""
        return form_size(self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where something begins or ends: one of [ ] ( ) < >."""

    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A frame as it was written."""

    parts: tuple[Bytes | Field | Mark, ...]

    @property
    def names(self) -> frozenset[str]:
        """The values it needs, without length and checksums, which are worked out."""
        return frozenset(
            part.name
            for part in self.parts
            if isinstance(part, Field) and part.name != _LENGTH and part.name not in CHECKSUMS
        )

    def most_of(self, name: str) -> int:
        """The biggest number that every value of that name can hold, 0 when there is none."""
        return min((most(part.form) - part.add for part in self._fields(name)), default=0)

    def clamped(self, values: Mapping[str, int | bytes]) -> dict[str, int | bytes]:
        """Give the values with every number cut to what its form can hold."""
        return {
            name: min(value, self.most_of(name)) if isinstance(value, int) else value for name, value in values.items()
        }

    def _fields(self, name: str) -> Iterator[Field]:
        return (part for part in self.parts if isinstance(part, Field) and part.name == name)


def read_pattern(text: str, names: Iterable[str], *, fixed: bool = False) -> Pattern:
    """Read a pattern whose values are of these names; `fixed` allows no text in it. Raises BadPattern."""
    known = {*names, _LENGTH, *CHECKSUMS}
    parts: list[Bytes | Field | Mark] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            rest = text[place : place + 12]
            raise BadPattern(f"看不懂 {rest!r}，应是十六进制字节、'文字' 或 {{名称}}", f"cannot read {rest!r}")
        place = found.end()
        if found["hex"] is not None:
            parts.append(Bytes(data=bytes.fromhex(found["hex"])))
        elif found["text"] is not None:
            if not found["text"].isascii():
                raise BadPattern("引号里只能是 ASCII", "only ASCII can stand between quotes")
            parts.append(Bytes(data=found["text"].encode("ascii")))
        elif found["field"] is not None:
            parts.append(_field(found["field"], known))
        elif found["mark"] is not None:
            parts.append(Mark(sign=found["mark"]))
    _check(parts, fixed=fixed)
    return Pattern(parts=tuple(parts))


def render(
    pattern: Pattern, values: Mapping[str, int | bytes], escape: Mapping[int, bytes] = MappingProxyType({})
) -> bytes:
    """Give the bytes of a frame. Raises ValueError for a number that its form cannot hold."""
    pieces: list[bytes] = []
    for part in pattern.parts:
        match part:
            case Bytes():
                pieces.append(part.data)
            case Mark():
                pieces.append(b"")
            case Field() if part.name == _LENGTH or part.name in CHECKSUMS:
                pieces.append(bytes(part.size))  # worked out below
            case Field():
                value = values.get(part.name, 0)
                pieces.append(value if isinstance(value, bytes) else write(value + part.add, part.form))
    for kind in ("length", "checksum"):  # the checksum is over the length
        for place, part in enumerate(pattern.parts):
            if not isinstance(part, Field):
                continue
            if kind == "length" and part.name == _LENGTH:
                pieces[place] = write(len(_covered(pattern, pieces, place, "(")) + part.add, part.form)
            if kind == "checksum" and part.name in CHECKSUMS:
                pieces[place] = write(CHECKSUMS[part.name][0](_covered(pattern, pieces, place, "[")), part.form)
    return _escaped(pattern, pieces, escape)


def match(pattern: Pattern, data: bytes) -> Mapping[str, int] | None:
    """Give the values of a frame of fixed size, or None when `data` is not one."""
    pieces: list[bytes] = []
    values: dict[str, int] = {}
    place = 0
    for part in pattern.parts:
        size = 0 if isinstance(part, Mark) else len(part.data) if isinstance(part, Bytes) else part.size
        piece = data[place : place + size]
        if len(piece) != size or (isinstance(part, Bytes) and piece != part.data):
            return None
        if isinstance(part, Field):
            value = read(piece, part.form)
            if value is None:
                return None
            values.setdefault(part.name, value - part.add)
        pieces.append(piece)
        place += size
    if place != len(data):
        return None
    for at, part in enumerate(pattern.parts):
        if not isinstance(part, Field):
            continue
        if part.name in CHECKSUMS and values[part.name] != CHECKSUMS[part.name][0](_covered(pattern, pieces, at, "[")):
            return None
        if part.name == _LENGTH and values[_LENGTH] != len(_covered(pattern, pieces, at, "(")):
            return None
    return MappingProxyType(values)


def fixed_size(pattern: Pattern) -> int:
    """How many bytes a frame without text has, before any escape."""
    return sum(0 if isinstance(part, Mark) else len(part.data) if isinstance(part, Bytes) else part.size
               for part in pattern.parts)  # fmt: skip


def form_size(form: str) -> int:
    """How many bytes a number takes in this form."""
    found = _FORM.fullmatch(form)
    if found is None:
        return 1
    return int(found["wide"] or found["digits"] or 1)


def most(form: str) -> int:
    """The biggest number that this form can hold."""
    found = _FORM.fullmatch(form)
    if found is not None and found["wide"]:
        return int(256 ** int(found["wide"])) - 1
    if found is not None and found["digits"]:
        return int((10 if found["base"] == "dec" else 16) ** int(found["digits"])) - 1
    return 99 if form == "bcd" else 0xFF


def write(number: int, form: str) -> bytes:
    """Give a number in this form. Raises ValueError when it does not fit."""
    if not 0 <= number <= most(form):
        raise ValueError(f"{number} does not fit into {form}")
    found = _FORM.fullmatch(form)
    if found is not None and found["wide"]:
        order: Literal["big", "little"] = "big" if found["order"] == "be" else "little"
        return number.to_bytes(int(found["wide"]), order)
    if found is not None and found["digits"]:
        digits = int(found["digits"])
        return (f"{number:0{digits}d}" if found["base"] == "dec" else f"{number:0{digits}X}").encode("ascii")
    return bytes([number // 10 << 4 | number % 10 if form == "bcd" else number])


def read(data: bytes, form: str) -> int | None:
    """Give the number that stands there in this form, or None."""
    found = _FORM.fullmatch(form)
    if found is not None and found["wide"]:
        return int.from_bytes(data, "big" if found["order"] == "be" else "little")
    if found is not None and found["digits"]:
        digits = "0123456789" if found["base"] == "dec" else "0123456789ABCDEFabcdef"
        if not all(chr(byte) in digits for byte in data):
            return None
        return int(data, 10 if found["base"] == "dec" else 16)
    if form == "bcd":
        return data[0] // 16 * 10 + data[0] % 16 if data[0] // 16 < 10 and data[0] % 16 < 10 else None
    return data[0]


def _field(text: str, known: set[str]) -> Field:
    found = _FIELD.fullmatch(text)
    if found is None or found["name"] not in known:
        near = get_close_matches(found["name"] if found else text, sorted(known), n=1, cutoff=0.5)
        words = ", ".join(sorted(known))
        raise BadPattern(
            f"没有 {{{text}}}，可用：{words}",
            f"{{{text}}} is not known; known are {words}",
            f"{{{near[0]}}}" if near else None,
        )
    name = found["name"]
    form = found["form"] or ("2le" if CHECKSUMS.get(name, (None, 1))[1] == 2 else "1")
    if not _FORM.fullmatch(form):
        raise BadPattern(f"{{{text}}} 的写法 {form!r} 不认识", f"{{{text}}}: the form {form!r} is not known")
    return Field(name=name, add=int(found["add"] or 0), form=form)


def _check(parts: list[Bytes | Field | Mark], *, fixed: bool) -> None:
    if not any(isinstance(part, Bytes | Field) for part in parts):
        raise BadPattern("是空的", "is empty")
    if fixed and any(isinstance(part, Field) and part.name == _TEXT for part in parts):
        raise BadPattern("应答里不能有 {text}", "an answer cannot hold {text}")
    signs = [part.sign for part in parts if isinstance(part, Mark)]
    for begin, end in _PAIRS.items():
        if [sign for sign in signs if sign in (begin, end)] not in ([], [begin, end]):
            raise BadPattern(
                f"{begin} 和 {end} 要成对，且只能有一对", f"{begin} and {end} must stand once each, in order"
            )


def _covered(pattern: Pattern, pieces: list[bytes], place: int, begin: str) -> bytes:
    """Give the bytes between the marks; without them the text for a length, what stands before for a checksum."""
    places = {part.sign: at for at, part in enumerate(pattern.parts) if isinstance(part, Mark)}
    if begin in places:
        return b"".join(pieces[places[begin] : places[_PAIRS[begin]]])
    if begin == "[":
        return b"".join(pieces[:place])
    return b"".join(
        piece
        for piece, part in zip(pieces, pattern.parts, strict=True)
        if isinstance(part, Field) and part.name == _TEXT
    )


def _escaped(pattern: Pattern, pieces: list[bytes], escape: Mapping[int, bytes]) -> bytes:
    result = b""
    inside = False
    for part, piece in zip(pattern.parts, pieces, strict=True):
        if isinstance(part, Mark) and part.sign in "<>":
            inside = part.sign == "<"
        result += b"".join(escape.get(byte, bytes([byte])) for byte in piece) if inside else piece
    return result
