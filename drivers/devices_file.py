"""DEVICES.toml: which machines this agent drives, where they are plugged in, and how they are set.

    schema = 1
    hall = "qiaocheng"

    [[device]]
    id = "printer-1"
    driver = "escpos"
    url = "tcp://192.168.1.50:9100"
    options = { profile = "xp-80c" }

Every error is told at once, with its line and, where a name is misspelt, with the name that was probably meant. Options
are the fields of the driver's own options dataclass: their types are checked here, their values by the dataclass itself
(ValueError "option: sentence").
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from drivers.registry import DRIVERS, Entry, StateEntry
from drivers.transport import parse_url

_TOP = ("schema", "hall", "device")
_DEVICE = ("id", "driver", "url", "kiosks", "zones", "windows", "options")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One `[[device]]`, validated. `options` is an instance of the driver's options dataclass."""

    id: str
    driver: str
    url: str
    kiosks: tuple[str, ...]
    zones: tuple[str, ...]
    windows: Mapping[int, str]
    options: object
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesFile:
    """A whole DEVICES.toml."""

    hall: str
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong in the file. `line` is 0 when it belongs to no line."""

    line: int
    message: str


class BadDevicesFile(Exception):
    """The file cannot be used; every problem of it, sorted by line."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        """Keep the problems; str() gives one line each, as compilers do."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__(
            "\n".join(f"{name}:{p.line}: {p.message}" if p.line else f"{name}: {p.message}" for p in self.problems)
        )


def read_devices(text: str, name: str = "DEVICES.toml", drivers: Mapping[str, Entry] = DRIVERS) -> DevicesFile:
    """Read the text of a devices file. Raises BadDevicesFile with every problem."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise BadDevicesFile(name, [Problem(line=int(at[1]) if at else 0, message=f"not TOML: {error}")]) from error
    reader = _Reader(text, raw, drivers)
    devices = reader.read()
    if reader.problems:
        raise BadDevicesFile(name, reader.problems)
    return DevicesFile(hall=cast("str", raw["hall"]), devices=devices)


class _Reader:
    """Goes through the file once and collects what is wrong."""

    def __init__(self, text: str, raw: Mapping[str, object], drivers: Mapping[str, Entry]) -> None:
        self.problems: list[Problem] = []
        self._raw = raw
        self._drivers = drivers
        self._where = _Lines(text)

    def read(self) -> tuple[Device, ...]:
        self._unknown(self._raw, _TOP, None)
        if self._raw.get("schema") != 1:
            self._say("schema", None, "schema must be 1")
        hall = self._raw.get("hall")
        if not isinstance(hall, str) or not hall:
            self._say("hall", None, 'hall must be the id of the hall, for instance hall = "qiaocheng"')
        tables = self._raw.get("device", [])
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            self._say("device", None, "at least one [[device]] is needed")
            return ()
        devices = [self._device(number, table) for number, table in enumerate(tables)]
        good = tuple(device for device in devices if device is not None)
        self._together(tables, good)
        return good

    def _device(self, number: int, table: Mapping[str, object]) -> Device | None:
        before = len(self.problems)
        self._unknown(table, _DEVICE, number)
        name = table.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self._say("id", number, 'id must be letters, digits, ".", "_" or "-", for instance id = "printer-1"')
        driver = table.get("driver")
        entry = self._drivers.get(driver) if isinstance(driver, str) else None
        if entry is None:
            self._say("driver", number, f"driver {driver!r} is not known{_meant(driver, self._drivers)}")
        url = self._url(table.get("url"), number, entry)
        windows = self._windows(table.get("windows", {}), number, entry)
        kiosks = self._names(table, "kiosks", number, entry, "printer")
        zones = self._names(table, "zones", number, entry, "speaker")
        options = self._options(table.get("options", {}), number, entry) if entry is not None else None
        if len(self.problems) > before:
            return None
        return Device(
            id=cast("str", name),
            driver=cast("str", driver),
            url=url,
            kiosks=kiosks,
            zones=zones,
            windows=windows,
            options=options,
            entry=cast("Entry", entry),
        )

    def _url(self, url: object, number: int, entry: Entry | None) -> str:
        if not isinstance(url, str) or not url:
            self._say("url", number, 'url is missing, for instance url = "tcp://192.168.1.50:9100"')
            return ""
        scheme = url.partition(":")[0]
        if entry is not None and scheme not in entry.schemes:
            known = ", ".join(f"{scheme}:" for scheme in entry.schemes)
            self._say("url", number, f"url {url!r} must begin with one of {known}{_meant(scheme, entry.schemes)}")
        elif scheme in {"tcp", "serial"}:
            try:
                parse_url(url)
            except ValueError as error:
                self._say("url", number, str(error))
        return url

    def _windows(self, windows: object, number: int, entry: Entry | None) -> Mapping[int, str]:
        good: dict[int, str] = {}
        example = 'windows maps address on the line to window, for instance windows = { 1 = "7", 2 = "8" }'
        if not isinstance(windows, dict):
            self._say("windows", number, example)
            return good
        for address, window in windows.items():
            if not str(address).isdigit() or not 0 <= int(address) <= 65535:
                self._say("windows", number, f"address {address!r} must be a number; {example}")
            elif isinstance(window, bool) or not isinstance(window, str | int) or not str(window):
                self._say("windows", number, f"window {window!r} must be a window number in quotes; {example}")
            else:
                good[int(address)] = str(window)
        if isinstance(entry, StateEntry) and not windows:
            self._say("windows", number, f"windows is missing; {example}")
        if entry is not None and not isinstance(entry, StateEntry) and windows:
            self._say("windows", number, f"windows is for strips and keypads, this is a {entry.kind}")
        doubled = [window for window in set(good.values()) if list(good.values()).count(window) > 1]
        if doubled and entry is not None and entry.kind != "strip":
            self._say("windows", number, f"window {doubled[0]!r} is named twice")
        return MappingProxyType(good)

    def _names(
        self, table: Mapping[str, object], key: str, number: int, entry: Entry | None, kind: str
    ) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self._say(key, number, f'{key} must be a list of ids, for instance {key} = ["{key[:-1]}-1"]')
            return ()
        if value and entry is not None and entry.kind != kind:
            self._say(key, number, f"{key} is for a {kind}, this is a {entry.kind}")
        return tuple(value)

    def _options(self, given: object, number: int, entry: Entry) -> object:
        if not isinstance(given, dict):
            self._say("options", number, "options must be a table, for instance options = { }")
            return None
        kinds = get_type_hints(entry.options)
        names = [field.name for field in fields(entry.options)]
        self._unknown(given, names, number, "option ")
        values: dict[str, object] = {}
        for field in fields(entry.options):
            if field.name not in given:
                if field.default is MISSING and field.default_factory is MISSING:
                    self._say("options", number, f"option {field.name} is missing")
                continue
            value = given[field.name]
            fitted = _fit(value, kinds[field.name])
            if fitted is _UNFIT:
                self._say(
                    field.name, number, f"option {field.name}: {_expected(kinds[field.name])} expected, not {value!r}"
                )
            else:
                values[field.name] = fitted
        if any(field.name in given and field.name not in values for field in fields(entry.options)):
            return None
        try:
            return entry.options(**values)
        except (ValueError, TypeError) as error:
            key = str(error).partition(":")[0]
            self._say(key if key in names else "options", number, f"option {error}")
            return None

    def _together(self, tables: Sequence[Mapping[str, object]], devices: Sequence[Device]) -> None:
        """Say what is wrong between devices: ids used twice, a port used by two that cannot share it."""
        ids = [table.get("id") for table in tables]
        for number, name in enumerate(ids):
            if name is not None and ids.index(name) != number:
                self._say("id", number, f"id {name!r} is used by another device already")
        number_of = {
            device.id: number
            for number, table in enumerate(tables)
            for device in devices
            if device.id == table.get("id")
        }
        users: dict[str, list[Device]] = {}
        for device in devices:
            users.setdefault(device.url, []).append(device)
        for url, sharing in users.items():
            if len(sharing) > 1 and not all(isinstance(device.entry, StateEntry) for device in sharing):
                self._say(
                    "url",
                    number_of[sharing[-1].id],
                    f"url {url!r} is used by {sharing[0].id!r}; only strips and keypads share a line",
                )

    def _unknown(self, table: Mapping[str, object], known: Sequence[str], number: int | None, what: str = "") -> None:
        for key in table:
            if key not in known:
                self._say(key, number, f"{what}{key!r} is not known{_meant(key, known)}")

    def _say(self, key: str, number: int | None, message: str) -> None:
        self.problems.append(Problem(line=self._where.line(key, number), message=message))


class _Lines:
    """Where in the text a key stands; tomllib does not say."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._starts = [n for n, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*device\s*\]\]", line)]

    def line(self, key: str, number: int | None) -> int:
        """Give the line of a key of the nth device (None: of the top), or of the device itself, or 0."""
        if number is None:
            first, end = 0, self._starts[0] if self._starts else len(self._lines)
        elif number < len(self._starts):
            first = self._starts[number]
            end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._lines)
        else:
            return 0
        pattern = re.compile(rf"""(^|[\s{{,.\[])["']?{re.escape(key)}["']?\s*(=|\])""")
        for n in range(first, end):
            if pattern.search(self._lines[n].partition("#")[0]):
                return n + 1
        return first + 1 if number is not None else 0


def _meant(name: object, known: Iterable[str]) -> str:
    choices = sorted(known)
    close = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known are {', '.join(choices)}" if choices else ""


_UNFIT = object()


def _fit(value: object, kind: Any) -> object:  # Any: a type as get_type_hints gives it
    """Give the value as the option's type wants it, or _UNFIT."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        fitted = (_fit(value, each) for each in get_args(kind) if each is not NoneType)
        return next((each for each in fitted if each is not _UNFIT), _UNFIT)
    if origin is Literal:
        return value if value in get_args(kind) and not isinstance(value, bool) else _UNFIT
    if origin is tuple and isinstance(value, list):
        items = [_fit(each, get_args(kind)[0]) for each in value]
        return _UNFIT if _UNFIT in items else tuple(items)
    if origin in (dict, Mapping):
        return MappingProxyType(dict(value)) if isinstance(value, dict) else _UNFIT
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    if isinstance(kind, type) and issubclass(kind, str) and isinstance(value, str):
        try:
            return kind(value)  # an enumeration
        except ValueError:
            return _UNFIT
    return _UNFIT


def _expected(kind: Any) -> str:  # Any: a type as get_type_hints gives it
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(_expected(each) for each in get_args(kind) if each is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(repr(each) for each in get_args(kind))
    if origin is tuple:
        return "a list"
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return "one of " + ", ".join(repr(str(each)) for each in cast("Iterable[object]", kind))
    return names.get(kind, "a table")
