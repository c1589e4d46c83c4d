"""The tables of docs/devices.md, drawn from the registry: `python -m drivers.reference` writes them anew."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from drivers.devices_file import expected
from drivers.printer.profiles import profiles
from drivers.registry import DRIVERS

PAGE: Final = Path(__file__).parent.parent / "docs" / "devices.md"


def drivers_table() -> str:
    """Give the Markdown of every driver: name, kind, what it drives, how its url begins."""
    rows = ["| driver | kind | what it drives | url begins with |", "|---|---|---|---|"]
    for name, entry in DRIVERS.items():
        schemes = ", ".join(f"`{scheme}:`" for scheme in entry.schemes)
        rows.append(f"| `{name}` | {entry.kind} | {entry.about} | {schemes} |")
    return "\n".join(rows)


def options_table() -> str:
    """Give the Markdown of every option of every driver: type and default."""
    rows = ["| driver | option | value | default |", "|---|---|---|---|"]
    for name, entry in DRIVERS.items():
        rows += [f"| `{name}` | {row}" for row in _option_rows(entry.options)]
    return "\n".join(rows)


def profiles_table() -> str:
    """Give the Markdown of every printer model."""
    rows = [
        "| profile | printer | dots | characters | scale | QR | cut | answers |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, model in profiles().items():
        answers = "faults, unasked" if model.automatic else "yes" if model.answers else "no"
        cells = (
            f"`{name}`",
            model.name,
            model.width_dots,
            model.charset,
            model.max_scale,
            model.qr,
            model.cut,
            answers,
        )
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(rows)


def page(text: str) -> str:
    """Give the page with its tables drawn anew."""
    for name, table in _TABLES.items():
        begin, end = f"<!-- {name}: drawn by `python -m drivers.reference` -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


def main() -> None:
    """Write the tables into docs/devices.md."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _option_rows(options: Any, within: str = "") -> list[str]:  # Any: a dataclass
    """Give the cells of every option, those of a list of tables behind it."""
    kinds = get_type_hints(options)
    rows = []
    for field in fields(options):
        made = field.default if field.default_factory is MISSING else field.default_factory()
        default = "**required**" if made is MISSING else _written(made)
        rows.append(f"`{within}{field.name}` | {expected(kinds[field.name])} | {default} |")
        row = next((each for each in get_args(kinds[field.name]) if is_dataclass(each)), None)
        rows += _option_rows(row, f"{within}{field.name}[].") if row else []
    return rows


def _written(value: object) -> str:
    match value:
        case None:
            return "the device's own"
        case "":
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case () | MappingProxyType():
            return "none"
        case tuple():
            return f"`[{', '.join(repr(each) for each in value)}]`".replace("'", '"')
        case str():
            return f'`"{value}"`'
        case _:
            return f"`{value}`"


_TABLES: Mapping[str, str] = {"drivers": drivers_table(), "options": options_table(), "profiles": profiles_table()}


if __name__ == "__main__":
    main()
