"""What import-linter cannot say: server.domain may import from the standard library only what is listed here."""

import ast
from pathlib import Path

import pytest

# No clock, no chance, no files, no network: time comes in as an argument, so that the same events give the same hall.
PURE = {
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "re",
    "types",
    "typing",
    "zoneinfo",
}
CLOCK_CALLS = {"now", "utcnow", "today"}


def impure(source: str) -> list[str]:
    """List what a domain module does that depends on more than its arguments."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=("datetime" | "date")))) if (
                attr in CLOCK_CALLS
            ):
                found.append(f"line {node.lineno}: {attr}()")
                continue
            case ast.Call(func=ast.Name(id=("open" | "print" | "input" | "id" | "hash") as name)):
                found.append(f"line {node.lineno}: {name}()")
                continue
            case _:
                continue
        found += [
            f"line {node.lineno}: import {module}"
            for module in modules
            if module.split(".")[0] not in PURE | {"__future__"} and not module.startswith("server.domain")
            if not module.startswith("collections.")
        ]
    return found


def test_the_domain_has_no_clock_no_chance_and_no_io(root: Path) -> None:
    modules = sorted((root / "server/domain").rglob("*.py"))
    assert modules
    found = {str(path.relative_to(root)): impure(path.read_text(encoding="utf-8")) for path in modules}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import random",
        "from sqlite3 import connect",
        "from server.ledger import base",
        "import gevent.lock",
        "from datetime import datetime\ndatetime.now()",
        "open('hall.toml')",
        "def f():\n    import json",
    ],
)
def test_an_impure_domain_module_is_found(source: str) -> None:
    assert impure(source) != []


def test_a_pure_domain_module_passes() -> None:
    assert impure("from collections.abc import Mapping\nfrom server.domain.terms import Label\nimport heapq") == []
