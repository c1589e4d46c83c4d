"""Where each key of a TOML document stands: line and column.

`tomllib` reads values and forgets positions. This scanner reads the same text a second time for positions only, after
`tomllib` found it valid, so it can be small: it follows headers, keys, strings, lists and inline tables, and skips the
rest. Source of the grammar: TOML 1.0, https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.problems import TablePath

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'  # multi-line: up to two quotes may stand right before the end
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a text; lines and columns count from 1."""

    line: int
    column: int


WHOLE_FILE: Final = Spot(0, 0)


def locate(text: str) -> dict[TablePath, Spot]:
    """Give the place of every table header, key and list element of a valid TOML text with plain line ends.

    A key stands where its name begins, a list element where its value begins, `[[zone]]` counted from 0.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.spots


def spot_of(spots: Mapping[TablePath, Spot], path: TablePath) -> Spot:
    """Give the place of a path or of the nearest thing around it: a missing key is reported at its table's header."""
    for length in range(len(path), 0, -1):
        if spot := spots.get(path[:length]):
            return spot
    return WHOLE_FILE


class _Scanner:
    """One pass over one text. On a text that is not valid TOML the result is meaningless, but it always ends."""

    def __init__(self, text: str) -> None:
        self.spots: dict[TablePath, Spot] = {}
        self._text = text
        self._at = 0
        self._rows: dict[TablePath, int] = {}  # [[table]] -> how many so far
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line = 0

    def document(self) -> None:
        table: TablePath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            before = self._at
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
            if self._at == before:  # not valid TOML: else we would stand here for ever
                return

    def _header(self) -> TablePath:
        spot = self._spot()
        row = self._text.startswith("[[", self._at)
        self._at += 2 if row else 1
        *parents, last = self._key()
        table: TablePath = ()
        for part in parents:
            table = self._inside((*table, part[0]))
            self.spots.setdefault(table, spot)
        table = (*table, last[0])
        if row:
            self._rows[table] = self._rows.get(table, 0) + 1
            self.spots.setdefault(table, spot)
        table = self._inside(table)
        self.spots[table] = spot
        self._skip(re.compile(r"[ \t]*\]{1,2}"))
        return table

    def _inside(self, table: TablePath) -> TablePath:
        """Give the newest row of an array of tables, or the table itself."""
        return (*table, self._rows[table] - 1) if table in self._rows else table

    def _pair(self, table: TablePath) -> None:
        for part, spot in self._key():
            table = (*table, part)
            self.spots.setdefault(table, spot)
        self._skip(re.compile(r"[ \t]*=[ \t]*"))
        self._value(table)

    def _key(self) -> list[tuple[str, Spot]]:
        parts = []
        while True:
            self._skip(re.compile(r"[ \t]*"))
            spot = self._spot()
            if found := self._skip(_BARE_KEY):
                parts.append((found, spot))
            else:
                parts.append((_unquoted(self._skip(_STRING)), spot))
            if not self._skip(re.compile(r"[ \t]*\.")):
                return parts

    def _value(self, path: TablePath) -> None:
        match self._text[self._at : self._at + 1]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_SCALAR)

    def _list(self, path: TablePath) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._at < len(self._text) and not self._text.startswith("]", self._at):
            before = self._at
            self.spots[(*path, index)] = self._spot()
            self._value((*path, index))
            self._skip(_BLANK)
            self._skip(re.compile(","))
            self._skip(_BLANK)
            index += 1
            if self._at == before:
                return
        self._at += 1

    def _inline_table(self, path: TablePath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._at < len(self._text) and not self._text.startswith("}", self._at):
            before = self._at
            self._pair(path)
            self._skip(_BLANK)
            self._skip(re.compile(","))
            self._skip(_BLANK)
            if self._at == before:
                return
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _spot(self) -> Spot:
        while self._line + 1 < len(self._line_starts) and self._line_starts[self._line + 1] <= self._at:
            self._line += 1
        return Spot(self._line + 1, self._at - self._line_starts[self._line] + 1)


def _unquoted(key: str) -> str:
    if key.startswith('"'):
        try:
            return str(json.loads(key, strict=False))
        except ValueError:  # \UXXXXXXXX is TOML but not JSON; such a key is unknown anyhow
            return key[1:-1]
    return key[1:-1]
