"""The settings table of docs/hall-file.md, drawn from the schema: `python -m config.reference` writes it anew."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from config.schema import HallFile, Means, Table

PAGE: Final = Path(__file__).parent.parent / "docs" / "hall-file.md"
BEGIN: Final = "<!-- settings: drawn by `python -m config.reference` -->"
END: Final = "<!-- end of settings -->"


def settings() -> str:
    """Give the Markdown of every table of the hall file: key, type, default, meaning in English and Chinese."""
    parts = [_section("schema", HallFile, keys=("schema",))]
    for key, field in _fields(HallFile):
        if (row := _row_of(field.annotation)) is not None:
            parts.append(_section(f"[[{key}]]", row))
            parts.extend(_inner(f"[[{key}]]", row))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            parts.append(_section(f"[{key}]", field.annotation))
            parts.extend(_inner(f"[{key}]", field.annotation))
    return "\n\n".join(parts)


def _inner(title: str, model: type[Table]) -> Iterator[str]:
    """Give the tables of the rows that stand inside a table."""
    for key, field in _fields(model):
        if (row := _row_of(field.annotation)) is not None:
            yield _section(f"a row of {title} {key}", row)
        elif (table := _table_of(field.annotation)) is not None:
            yield _section(f"[{title.strip('[]')}.{key}]", table)


def page(text: str) -> str:
    """Give the page with its table drawn anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{settings()}\n\n{END}{after}"


def main() -> None:
    """Write the table into docs/hall-file.md."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _fields(model: type[Table]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _row_of(annotation: object) -> type[Table] | None:
    """Give the model of an array of tables, or None."""
    row = get_args(annotation)[0] if get_origin(annotation) is tuple else None
    return row if isinstance(row, type) and issubclass(row, Table) else None


def _table_of(annotation: object) -> type[Table] | None:
    """Give the model of a table that stands inside a row, or None."""
    tables = (kind for kind in _options(annotation) if isinstance(kind, type) and issubclass(kind, Table))
    return next(tables, None)


def _section(title: str, model: type[Table], keys: tuple[str, ...] | None = None) -> str:
    lines = [f"### {title}", ""]
    if keys is None:
        lines += [f"{model.meaning.en} {model.meaning.zh}", ""]
    lines += ["| key | value | default | meaning | 含义 |", "|---|---|---|---|---|"]
    for key, field in _fields(model):
        if keys is None or key in keys:
            means = next(each for each in field.metadata if isinstance(each, Means))
            lines.append(f"| `{key}` | {_value(field)} | {_default(field)} | {means.en} | {means.zh} |")
    return "\n".join(lines)


def _value(field: FieldInfo) -> str:
    kinds = [each for each in _options(field.annotation) if each is not type(None)]
    return f"{' or '.join(_kind(each) for each in kinds)}{_range(field)}"


def _options(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else (annotation,)


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(kind))
    if get_origin(kind) is tuple:
        return f"list of {_kind(get_args(kind)[0])}"
    if get_origin(kind) is Mapping:
        return "text by language"
    if isinstance(kind, type) and issubclass(kind, Table):
        return "rows"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", time: '"HH:MM"', date: "date"}
    return names[kind] if kind in names else _kind(get_args(kind)[0])  # Annotated


def _range(field: FieldInfo) -> str:
    said = [f"{word} {limit}" for each in field.metadata for word, limit in _limits(each)]
    if get_origin(field.annotation) is tuple:
        said = [words.replace("characters", "rows") for words in said]
    return f", {' '.join(said)}" if said else ""


def _limits(constraint: object) -> Iterator[tuple[str, object]]:
    """Give what a constraint says; the constraints are annotated_types' and pydantic's, known by their attributes."""
    for name, word in (("ge", "from"), ("gt", "above"), ("le", "to")):
        if (limit := getattr(constraint, name, None)) is not None:
            yield word, limit
    most = getattr(constraint, "max_length", None)
    if most is not None:
        yield "to", f"{most} characters"
    elif getattr(constraint, "min_length", None) is not None:
        yield "not", "empty"


def _default(field: FieldInfo) -> str:
    return "**required**" if field.is_required() else _shown(field.default)


def _shown(default: object) -> str:
    match default:
        case None:
            return "none"
        case bool(yes):
            return f"`{str(yes).lower()}`"
        case time() as clock:
            return f'`"{clock:%H:%M}"`'
        case tuple(items):
            quoted = ", ".join(f'"{item}"' for item in items)
            return f"`[{quoted}]`"
        case str(words):
            return f'`"{words}"`'
        case float(number) if number.is_integer():
            return f"`{int(number)}`"
        case other:
            return f"`{other}`"


if __name__ == "__main__":
    main()
