"""KIOSK.toml: which hall a kiosk gives numbers of, where its server is, and how it prints when that is out of reach.

    schema = 1

    [kiosk]
    id = "cangxi-1"                      # as it was enrolled
    hall = "cangxi-township"
    server = "http://192.168.1.10:8080"
    port = 8081                          # the page is at http://127.0.0.1:8081/kiosk, on this PC only

    [printing]
    socket = "/var/lib/jiaohao-devices/devices/print.sock"   # of the devices agent on this PC
    printer = "printer-1"                # its name there; left out: the one that is this kiosk's

Every error is told at once, with its line. Without `[printing]` numbers given without the server
stand on the screen only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final
from urllib.parse import urlsplit

from config.positions import spot_of
from config.problems import Finding, Problem, TablePath, dotted, nearest, quoted
from config.text import tables_of, text_of

SCHEMA: Final = 1
PORTS: Final = range(65_536)
PORT: Final = 8081

_NAME = re.compile(r"[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff._-]{0,63}")
_TABLES: Mapping[str, Mapping[str, bool]] = {  # key: must it be there?
    "": {"schema": True, "kiosk": True, "printing": False},
    "kiosk": {"id": True, "hall": True, "server": True, "port": False},
    "printing": {"socket": True, "printer": False},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """The file of the devices agent's local door; `printer` is a device's id there, None: the kiosk's own."""

    socket: Path
    printer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskFile:
    """A whole KIOSK.toml."""

    id: str
    hall: str
    server: str
    port: int = PORT
    printing: Printing | None = None


class KioskFileError(ValueError):
    """The file is not usable; `problems` says everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems, never empty."""
        self.problems = problems
        super().__init__("\n".join(f"{each.file}:{each.line}: {each.sentence('en')}" for each in problems))


def load_kiosk(path: Path) -> KioskFile:
    """Give what a file says.

    Raises:
        KioskFileError: with every problem of the file.
    """
    if problems := check_kiosk(path):
        raise KioskFileError(tuple(problems))
    data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    kiosk, printing = data["kiosk"], data.get("printing")
    return KioskFile(
        id=kiosk["id"],
        hall=kiosk["hall"],
        server=kiosk["server"].rstrip("/"),
        port=kiosk.get("port", PORT),
        printing=None
        if printing is None
        else Printing(socket=Path(printing["socket"]), printer=printing.get("printer")),
    )


def is_kiosk_file(path: Path) -> bool:
    """Say whether a file is meant as one: it has a table `[kiosk]`, where a hall file has a list of them."""
    text, unreadable = text_of(path, ())
    return unreadable is None and re.search(r"(?m)^\s*\[\s*kiosk\s*\]", text) is not None


def check_kiosk(path: Path) -> list[Problem]:
    """Give every problem of a file, from top to bottom; empty when the kiosk can run with it."""
    text, unreadable = text_of(path, ())
    if unreadable is not None:
        spot, finding = unreadable
        return [_problem(path, spot.line, spot.column, finding)]
    data, spots, broken = tables_of(text)
    problems = [_problem(path, spot.line, spot.column, finding) for spot, finding in broken]
    if data is not None and not broken:
        for finding in _findings(data):
            spot = spot_of(spots, finding.path)
            problems.append(_problem(path, spot.line, spot.column, finding))
    return sorted(problems, key=lambda it: (it.line, it.column))


def _findings(data: Mapping[str, object]) -> list[Finding]:
    found = _keys(data, ())
    schema = data.get("schema")
    if "schema" in data and (isinstance(schema, bool) or schema != SCHEMA):
        found.append(_finding(("schema",), "schema_unknown", f"schema 只能是 {SCHEMA}", f"`schema` must be {SCHEMA}"))
    for table in ("kiosk", "printing"):
        part = data.get(table)
        if table not in data:
            continue
        if not isinstance(part, Mapping):
            found.append(_finding((table,), "not_a_table", f"请写成 [{table}]", f"Write [{table}]"))
            continue
        found += _keys(part, (table,))
        for key, (fits, zh, en) in _VALUES.items():
            if key[0] == table and key[1] in part and not fits(part[key[1]]):
                found.append(_finding(key, "bad_value", zh, en))
    return found


def _keys(part: Mapping[str, object], path: TablePath) -> list[Finding]:
    """Give the keys of a table that are missing or not known."""
    known = _TABLES[dotted(path)]
    found = []
    for key in part:
        if key not in known:
            meant = nearest(key, known)
            found.append(_finding((*path, key), "unknown_key", f"没有 {key} 这一项", f"{key} is not known", meant))
    for key, needed in known.items():
        if needed and key not in part:
            found.append(_finding(path, "missing", f"缺少 {key}", f"{key} is missing"))
    return found


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_server(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and bare and port != 0


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in PORTS


def _is_socket(value: object) -> bool:
    return isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute())


_VALUES: Mapping[tuple[str, str], tuple[Callable[[object], bool], str, str]] = {
    ("kiosk", "id"): (_is_name, "id 是取号机登记时的名称", "`id` is the name under which the kiosk was enrolled"),
    ("kiosk", "hall"): (_is_name, "hall 是大厅代号", "`hall` is the id of the hall"),
    ("kiosk", "server"): (
        _is_server,
        'server 写成 "http://192.168.1.10:8080"',
        'Write `server` like "http://192.168.1.10:8080"',
    ),
    ("kiosk", "port"): (_is_port, "port 是 0 到 65535 的整数", "`port` is a whole number from 0 to 65535"),
    ("printing", "socket"): (
        _is_socket,
        "socket 是设备代理文件夹中 devices/print.sock 的完整路径",
        "`socket` is the whole path of devices/print.sock in the folder of the devices agent",
    ),
    ("printing", "printer"): (_is_name, "printer 是设备文件中的 id", "`printer` is an id of the devices file"),
}


def _finding(path: TablePath, code: str, zh: str, en: str, meant: str | None = None) -> Finding:
    return Finding(path=path, code=code, zh=f"{zh}。", en=f"{en}.", suggestion=None if meant is None else quoted(meant))


def _problem(path: Path, line: int, column: int, found: Finding) -> Problem:
    return Problem(
        file=str(path),
        line=line,
        column=column,
        path=dotted(found.path),
        code=found.code,
        zh=found.zh,
        en=found.en,
        suggestion=found.suggestion,
    )
