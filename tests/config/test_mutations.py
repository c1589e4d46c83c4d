"""Whatever a slip of the hand makes of a shipped file, the checker answers: never a crash, never a wrong line."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import HallFileError, check, check_report, load_hall, shipped
from config.positions import locate
from config.problems import TablePath

TEXTS = {name: path.read_text(encoding="utf-8") for name, path in shipped().items()}
JUNK = st.sampled_from([
    "", "[", "]]", "[[", "{", "}", '"', "'''", '"""', "=", "#", ",", "\\", "\0", "\t", "“", "，", "é", "1", "-", "nan",
    "true", "1979-05-27", "[service]", "[[hall]]", "zh = 3", "serves = {}", "schema", ".", "\ud7ff", "a.b.c = []",
])  # fmt: skip
Mutation = Callable[[list[str]], list[str]]


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Delete, repeat, move or garble one line, or put junk into it."""
    at = draw(st.integers(0, 600))
    to = draw(st.integers(0, 600))
    junk = draw(JUNK | st.text(max_size=8))
    column = draw(st.integers(0, 40))
    kind = draw(st.sampled_from(["delete", "repeat", "move", "insert", "overwrite", "cut", "value"]))

    def mutate(lines: list[str]) -> list[str]:
        if not lines:
            return lines
        here, there = at % len(lines), to % len(lines)
        line = lines[here]
        match kind:
            case "delete":
                return lines[:here] + lines[here + 1 :]
            case "repeat":
                return [*lines[:there], line, *lines[there:]]
            case "move":
                rest = lines[:here] + lines[here + 1 :]
                return [*rest[:there], line, *rest[there:]]
            case "insert":
                changed = line[:column] + junk + line[column:]
            case "overwrite":
                changed = line[:column] + junk + line[column + len(junk) :]
            case "value":
                changed = f"{line.partition('=')[0]}= {junk}"
            case _:
                changed = line[:column]
        return [*lines[:here], changed, *lines[here + 1 :]]

    return mutate


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(TEXTS)), slips=st.lists(mutations(), min_size=1, max_size=4))
def test_slips_never_crash_the_checker_and_every_line_exists(name: str, slips: list[Mutation]) -> None:
    lines = TEXTS[name].split("\n")
    for slip in slips:
        lines = slip(lines)
    text = "\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hall.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        problems = check([path])
        for problem in problems:
            assert 0 <= problem.line <= text.count("\n") + 1
            assert problem.zh
            assert problem.en
        assert check_report(problems, "zh")
        assert check_report(problems, "en")
        with pytest.raises(HallFileError) if problems else nullcontext():
            load_hall(path)
    places_are_complete(text)


@given(junk=st.binary(max_size=200))
def test_any_bytes_get_an_answer(junk: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hall.toml"
        path.write_bytes(junk)
        assert check([path])


def places_are_complete(text: str) -> None:
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except ValueError:
        locate(text)  # meaningless, but it must end
        return
    spots = locate(text)
    missing = [path for path in paths_of(data) if path not in spots]
    assert missing == []


def paths_of(value: object, path: TablePath = ()) -> set[TablePath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found
