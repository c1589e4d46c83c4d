"""DEVICES.toml: which machines this agent drives, where they are plugged in, and how they are set.

    schema = 1
    hall = "qiaocheng"

    [[device]]
    id = "printer-1"
    driver = "escpos"
    url = "tcp://192.168.1.50:9100"
    options = { profile = "xp-80c" }

Every error is told at once, with its line and, where a name is misspelt, with the name that was probably meant. Options
are the fields of the driver's own options dataclass, which may hold lists of further dataclasses: their types are
checked here, their values by the dataclass itself (it raises BadOptions, or ValueError "option: sentence").
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from drivers.driver import BadOptions
from drivers.registry import DRIVERS, Entry, Stands, StateEntry
from drivers.transport import parse_url

_TOP = ("schema", "hall", "device")
_DEVICE = ("id", "driver", "url", "kiosks", "zones", "windows", "options")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_ADDRESS = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One `[[device]]`, validated. `options` is an instance of the driver's options dataclass.

    `windows`: address on the line -> window; of what has no addresses (printer, scanner): place in the list -> window.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right, as `jiaohao check` shows it. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    column: int
    path: str  # device[2].url, counted from 0
    code: str
    zh: str
    en: str
    suggestion: str | None = None


class BadDevicesFile(Exception):
    """The file cannot be used. `problems` are all of them, top to bottom; str() gives one English line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems by line."""
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))
        super().__init__("\n".join(_sentence(problem) for problem in self.problems))


def load_devices(path: Path, drivers: Mapping[str, Entry] = DRIVERS) -> DevicesFile:
    """Read a devices file. Raises BadDevicesFile, also when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "not UTF-8"
        en, zh = f"Cannot be read: {why}.", f"无法读取：{why}。"
        raise BadDevicesFile(
            [Problem(file=str(path), line=0, column=0, path="", code="unreadable", zh=zh, en=en)]
        ) from error
    return read_devices(text, str(path), drivers)


def read_devices(text: str, name: str = "DEVICES.toml", drivers: Mapping[str, Entry] = DRIVERS) -> DevicesFile:
    """Read the text of a devices file. Raises BadDevicesFile with every problem."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(at[1]), int(at[2])) if at else (0, 0)
        en, zh = f"Not TOML: {error}.", f"不是正确的 TOML：{error}。"
        raise BadDevicesFile(
            [Problem(file=name, line=line, column=column, path="", code="not_toml", zh=zh, en=en)]
        ) from error
    reader = _Reader(text, name, raw, drivers)
    devices = reader.read()
    if reader.problems:
        raise BadDevicesFile(reader.problems)
    return DevicesFile(hall=cast("str", raw["hall"]), devices=devices)


def check(path: Path) -> list[Problem]:
    """Give every problem of a devices file, top to bottom; empty when the agent can run with it."""
    try:
        load_devices(path)
    except BadDevicesFile as bad:
        return list(bad.problems)
    return []


def is_devices_file(path: Path) -> bool:
    """Say whether a file is meant as a devices file: it has a [[device]] or names its hall, and describes no hall."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    if re.search(r"^\s*\[hall\]", text, re.MULTILINE):
        return False
    return bool(re.search(r"^\s*(\[\[\s*device\s*\]\]|hall\s*=)", text, re.MULTILINE))


class _Reader:
    """Goes through the file once and collects what is wrong."""

    def __init__(self, text: str, name: str, raw: Mapping[str, object], drivers: Mapping[str, Entry]) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._raw = raw
        self._drivers = drivers
        self._where = _Lines(text)

    def read(self) -> tuple[Device, ...]:
        self._unknown(self._raw, _TOP, None)
        if self._raw.get("schema") != 1:
            self._say("schema", None, "schema", "schema 必须为 1", "schema must be 1")
        hall = self._raw.get("hall")
        if not isinstance(hall, str) or not hall:
            example = 'hall = "qiaocheng"'
            self._say("hall", None, "hall", f"缺少大厅代号，例如 {example}", f"hall is missing, for instance {example}")
        tables = self._raw.get("device", [])
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            self._say("device", None, "no_device", "至少要有一个 [[device]]", "at least one [[device]] is needed")
            return ()
        found = [self._device(number, table) for number, table in enumerate(tables)]
        self._same_id(tables)
        self._same_line(found)
        return tuple(device for device in found if device is not None)

    def _device(self, number: int, table: Mapping[str, object]) -> Device | None:
        before = len(self.problems)
        self._unknown(table, _DEVICE, number)
        name = table.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            example = 'id = "printer-1"'
            self._say(
                "id", number, "id",
                f"id 只能用字母、数字、. _ -，例如 {example}",
                f"id must be letters, digits and . _ - only, for instance {example}",
            )  # fmt: skip
        driver = table.get("driver")
        entry = self._drivers.get(driver) if isinstance(driver, str) else None
        if entry is None:
            meant, known = _meant(driver, self._drivers), ", ".join(sorted(self._drivers))
            zh, en = f"没有驱动 {driver!r}，可用：{known}", f"driver {driver!r} is not known; known are {known}"
            self._say("driver", number, "unknown_driver", zh, en, meant and f'"{meant}"')
        url = self._url(table.get("url"), number, entry)
        windows = self._windows(table.get("windows", {}), number, entry)
        kiosks = self._names(table, "kiosks", number, entry, ("printer", "panel", "idcard", "scanner"))
        zones = self._names(table, "zones", number, entry, ("speaker",))
        options = self._options(table.get("options", {}), number, entry) if entry is not None else None
        if isinstance(entry, StateEntry):
            self._place(windows, kiosks, number, entry)
            self._addresses(windows, options, number, entry)
            self._line_settings(url, number, entry)
        if entry is None or len(self.problems) > before:
            return None
        return Device(
            id=cast("str", name),
            driver=cast("str", driver),
            url=url,
            kiosks=kiosks,
            zones=zones,
            windows=windows,
            options=options,
            entry=entry,
        )

    def _url(self, url: object, number: int, entry: Entry | None) -> str:
        example = 'url = "tcp://192.168.1.50:9100"'
        if not isinstance(url, str) or not url:
            self._say("url", number, "url", f"缺少 url，例如 {example}", f"url is missing, for instance {example}")
            return ""
        scheme = url.partition(":")[0]
        if entry is not None and scheme not in entry.schemes:
            known = ", ".join(f"{each}:" for each in entry.schemes)
            meant = _meant(scheme, entry.schemes)
            zh, en = f"url {url!r} 应以 {known} 开头", f"url {url!r} must begin with one of {known}"
            self._say("url", number, "url", zh, en, meant)
        elif scheme in {"tcp", "serial", "lp", "usb", "cups", "hid", "gpio"}:
            try:
                parse_url(url)
            except ValueError as error:
                self._say("url", number, "url", f"地址不对：{error}", str(error))
        return url

    def _windows(self, windows: object, number: int, entry: Entry | None) -> Mapping[int, str]:
        good: dict[int, str] = {}
        example = 'windows = { 1 = "7", 2 = "8" }'

        def say(zh: str, en: str) -> None:
            self._say("windows", number, "windows", f"{zh}，例如 {example}", f"{en}, for instance {example}")

        listed = entry is not None and (entry.kind == "printer" or _stands(entry) != "windows")
        if listed and isinstance(windows, list):
            if not all(isinstance(window, str) and window for window in windows):
                zh, en = (
                    "这种设备的 windows 是带引号的窗口号列表",
                    "windows of such a device is a list of window numbers in quotes",
                )
                self._say("windows", number, "windows", f'{zh}，例如 windows = ["7"]', f'{en}: windows = ["7"]')
                return good
            return MappingProxyType(dict(enumerate(windows)))
        if not isinstance(windows, dict):
            say("windows 是 总线地址 = 窗口号", "windows maps address on the line to window")
            return good
        for address, window in windows.items():
            if not str(address).isdigit() or int(address) > _MAX_ADDRESS:
                say(f"地址 {address!r} 必须是数字", f"address {address!r} must be a number")
            elif isinstance(window, bool) or not isinstance(window, str | int) or not str(window):
                say(f"窗口 {window!r} 要写成带引号的窗口号", f"window {window!r} must be a window number in quotes")
            else:
                good[int(address)] = str(window)
        if isinstance(entry, StateEntry) and entry.stands == "windows" and not windows:
            say("缺少 windows", "windows is missing")
        if entry is not None and not isinstance(entry, StateEntry) and windows:
            zh, en = (
                f"这样的 windows 只用于条屏和呼叫器，这是 {entry.kind}",
                f"such windows are for strips and keypads, not a {entry.kind}",
            )
            self._say("windows", number, "windows", zh, en)
        return MappingProxyType(good)

    def _place(self, windows: Mapping[int, str], kiosks: tuple[str, ...], number: int, entry: StateEntry) -> None:
        """Say when a device that stands at one place names none, several, or one of another kind."""

        def say(key: str, zh: str, en: str) -> None:
            self._say(key, number, "place", zh, en)

        window, kiosk = 'windows = ["7"]', 'kiosks = ["kiosk-1"]'
        match entry.stands:
            case "windows":
                pass
            case "window" if len(windows) != 1:
                say("windows", f"要写明一个窗口，例如 {window}", f"it stands at one window: {window}")
            case "kiosk" if len(kiosks) != 1 or windows:
                say("kiosks", f"要写明一台取号机，例如 {kiosk}", f"it stands at one kiosk: {kiosk}")
            case "kiosk or window" if len(kiosks) + len(windows) != 1:
                zh, en = f"要写明一台取号机或一个窗口，例如 {kiosk}、{window}", f"name one place: {kiosk} or {window}"
                say("kiosks", zh, en)
            case _:
                pass

    def _addresses(self, windows: Mapping[int, str], options: object, number: int, entry: StateEntry) -> None:
        """Say which addresses no device of this driver can have."""
        if entry.stands != "windows":
            return
        known = entry.addresses if isinstance(entry.addresses, range) else entry.addresses(options)
        for address in windows:
            if address not in known:
                zh = f"地址必须在 {known.start} 到 {known[-1]} 之间，不能是 {address}"
                en = f"address {address} must be {known.start}..{known[-1]}"
                self._say("windows", number, "address", zh, en)

    def _line_settings(self, url: str, number: int, entry: StateEntry) -> None:
        """Say which settings of the line are not named although nobody can guess them."""
        missing = [setting for setting in entry.line if f"{setting}=" not in url]
        if url.startswith("serial:") and missing:
            example = "?baud=115200" if entry.line == ("baud",) else "?baud=9600&bits=7&parity=even"
            zh = f"url 要写明 {' 和 '.join(missing)}，例如 {example}"
            en = f"url must say {' and '.join(missing)}, for instance {example}"
            self._say("url", number, "line_settings", zh, en)

    def _names(
        self, table: Mapping[str, object], key: str, number: int, entry: Entry | None, kinds: tuple[str, ...]
    ) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            example = f'{key} = ["{key[:-1]}-1"]'
            zh, en = f"{key} 是代号的列表，例如 {example}", f"{key} must be a list of ids, for instance {example}"
            self._say(key, number, "list", zh, en)
            return ()
        if value and entry is not None and entry.kind not in kinds:
            zh, en = (
                f"{key} 只用于 {'、'.join(kinds)}，这是 {entry.kind}",
                f"{key} is for a {', '.join(kinds)}, this is a {entry.kind}",
            )
            self._say(key, number, "not_for_kind", zh, en)
        return tuple(value)

    def _options(self, given: object, number: int, entry: Entry) -> object:
        if not isinstance(given, dict):
            self._say("options", number, "options", "options 要写成 { }", "options must be a table: { }")
            return None
        return self._made(given, entry.options, number, "options")

    def _made(self, given: Mapping[str, object], wanted: Any, number: int, path: str) -> object:  # Any: a dataclass
        """Make options of a table, or tell everything that is wrong with it and give None."""
        kinds = get_type_hints(wanted)
        names = [field.name for field in fields(wanted)]
        self._unknown(given, names, number, f"{path}.")
        values: dict[str, object] = {}
        for field in fields(wanted):
            if field.name in given:
                fitted = self._fitted(given[field.name], kinds[field.name], number, path, field.name)
                if fitted is not _UNFIT:
                    values[field.name] = fitted
            elif field.default is MISSING and field.default_factory is MISSING:
                zh, en = f"缺少选项 {field.name}", f"option {field.name} is missing"
                self._say(path.rpartition(".")[2].partition("[")[0], number, "missing", zh, en, prefix=_above(path))
        last = path.rpartition(".")[2].partition("[")[0]
        try:
            return wanted(**values)  # also when some were unfit: its own errors are told in the same go
        except BadOptions as bad:
            for each in bad.problems:
                if each.option in given and each.option in names and each.option not in values:
                    continue  # of its own default: what was written is said to be wrong already
                key, prefix = (each.option, f"{path}.") if each.option in names else (last, _above(path))
                zh, en = f"选项 {each.option}：{each.zh}", f"option {each.option}: {each.en}"
                self._say(key, number, "value", zh, en, each.meant, prefix=prefix)
        except ValueError as error:
            key = str(error).partition(":")[0]
            self._say(key if key in names else last, number, "value", f"选项 {error}", f"option {error}")
        except TypeError:  # an option without default is missing: said above
            return None
        return None

    def _fitted(self, value: object, kind: Any, number: int, path: str, name: str) -> object:  # Any: as _fit
        """Give the value as the option wants it, or say what is wrong with it and give _UNFIT."""
        row = _row(kind)
        if row is not None and isinstance(value, list) and all(isinstance(each, dict) for each in value):
            made = [self._made(each, row, number, f"{path}.{name}[{n}]") for n, each in enumerate(value)]
            return _UNFIT if any(each is None for each in made) else tuple(made)
        fitted = _fit(value, kind)
        if fitted is _UNFIT:
            zh = f"选项 {name} 应为 {expected(kind)}，不是 {value!r}"
            en = f"option {name} must be {expected(kind)}, not {value!r}"
            words = [each for each in get_args(kind) if isinstance(each, str)] if get_origin(kind) is Literal else []
            meant = _meant(value, words)
            self._say(name, number, "type", zh, en, meant and f'"{meant}"', prefix=f"{path}.")
        return fitted

    def _same_id(self, tables: Sequence[Mapping[str, object]]) -> None:
        ids = [table.get("id") for table in tables]
        for number, name in enumerate(ids):
            if isinstance(name, str) and ids.index(name) != number:
                zh, en = f"id {name!r} 已被另一台设备使用", f"id {name!r} is used by another device already"
                self._say("id", number, "duplicate_id", zh, en)

    def _same_line(self, devices: Sequence[Device | None]) -> None:
        """Say where a port is used by two devices that cannot share it."""
        first: dict[str, Device] = {}
        for number, device in enumerate(devices):
            if device is None:
                continue
            other = first.setdefault(device.url.partition("?")[0], device)
            if other is not device and other.url != device.url:
                zh = f"与 {other.id!r} 是同一个串口，url 必须写得完全一样"
                en = f"this is the port of {other.id!r}: both urls must be written alike"
                self._say("url", number, "same_port", zh, en)
            if other is not device and other.driver == device.driver and _stands(device.entry) == "windows":
                for address in sorted(set(other.windows) & set(device.windows)):
                    zh = f"地址 {address} 已被同一条线上的 {other.id!r} 使用"
                    en = f"address {address} is used on this line by {other.id!r} already"
                    self._say("windows", number, "same_address", zh, en)
            if other is not device and not (_shares(device.entry) and _shares(other.entry)):
                zh = f"{device.url!r} 已被 {other.id!r} 使用；只有条屏、呼叫器和按键面板可以共用一条线"
                en = f"{device.url!r} is used by {other.id!r}; only strips, keypads and panels can share a line"
                self._say("url", number, "shared_line", zh, en)

    def _unknown(self, table: Mapping[str, object], known: Sequence[str], number: int | None, prefix: str = "") -> None:
        for key in table:
            if key not in known:
                zh, en = f"没有 {key!r} 这一项", f"{key!r} is not known"
                self._say(key, number, "unknown_key", zh, en, _meant(key, known), prefix=prefix)

    def _say(
        self, key: str, number: int | None, code: str, zh: str, en: str, meant: str | None = None, *, prefix: str = ""
    ) -> None:
        line, column = self._where.find(key, number)
        path = key if number is None else f"device[{number}].{prefix}{key}"
        zh, en = f"{zh}。", f"{en}."
        self.problems.append(
            Problem(file=self._name, line=line, column=column, path=path, code=code, zh=zh, en=en, suggestion=meant)
        )


def _stands(entry: Entry) -> Stands:
    """Give where a device stands; printers and loudspeakers are addressed in other ways."""
    return entry.stands if isinstance(entry, StateEntry) else "windows"


def _shares(entry: Entry) -> bool:
    """Say whether a device may hang on a line with others: it speaks only to its own address, or when asked."""
    return isinstance(entry, StateEntry) and (entry.stands == "windows" or entry.kind == "panel")


class _Lines:
    """Where in the text a key stands; tomllib does not say."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._starts = [n for n, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*device\s*\]\]", line)]

    def find(self, key: str, number: int | None) -> tuple[int, int]:
        """Give line and column of a key of the nth device (None: of the top), or of the device itself, or 0, 0."""
        if number is None:
            first, end = 0, self._starts[0] if self._starts else len(self._lines)
        elif number < len(self._starts):
            first = self._starts[number]
            end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._lines)
        else:
            return 0, 0
        pattern = re.compile(rf"""(?:^|[\s{{,.\[])(["']?{re.escape(key)}["']?)\s*[=\]]""")
        for n in range(first, end):
            found = pattern.search(self._lines[n].partition("#")[0])
            if found:
                return n + 1, found.start(1) + 1
        return (first + 1, 1) if number is not None else (0, 0)


def _sentence(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    hint = f" Did you mean {problem.suggestion}?" if problem.suggestion else ""
    return f"{place}: {problem.en}{hint}"


def _meant(name: object, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(str(name), sorted(known), n=1, cutoff=0.5)
    return close[0] if close else None


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
        return _UNFIT if any(item is _UNFIT for item in items) else tuple(items)
    if origin in (dict, Mapping):
        return _fit_table(value, get_args(kind)[1]) if isinstance(value, dict) else _UNFIT
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


def _fit_table(table: Mapping[str, object], kind: Any) -> object:  # Any: as _fit
    """Give a table whose values are as wanted, or _UNFIT."""
    fitted = {key: _fit(value, kind) for key, value in table.items()}
    return _UNFIT if any(value is _UNFIT for value in fitted.values()) else MappingProxyType(fitted)


def _row(kind: Any) -> Any | None:  # Any: a type as get_type_hints gives it
    """Give the dataclass of which an option is a list, or None."""
    of = get_args(kind)[0] if get_origin(kind) is tuple else None
    return of if is_dataclass(of) else None


def _above(path: str) -> str:
    """Give what stands before the last name of a path: "options." of "options.registers[0]"."""
    return path[: len(path) - len(path.rpartition(".")[2])]


def expected(kind: Any) -> str:  # Any: a type as get_type_hints gives it
    """Say in words which values an option of this type takes."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(expected(each) for each in get_args(kind) if each is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(repr(each) for each in get_args(kind))
    if origin is tuple:
        return "a list of tables" if _row(kind) else "a list"
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return "one of " + ", ".join(repr(str(each)) for each in cast("Iterable[object]", kind))
    return names.get(kind, "a table")
