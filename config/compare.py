"""How two hall files differ, said by table and key: `jiaohao check --diff`, and the settings on the manager's page.

What is compared is what the files mean: a default that is written out is no difference, nor are comments or the order
of keys. Rows of a list of tables are matched by their id; their order counts, because pages show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Final, assert_never, get_origin

from pydantic.fields import FieldInfo

from config.problems import quoted
from config.schema import HallFile, Means, Table

VALUE_LENGTH_MAX: Final = 200
"""What is longer is cut: a picture, a long list."""

ROW_KEYS: Final = ("id", "no", "work_id")


class Change(StrEnum):
    """What happened to a row or a key."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ORDER = "order"  # the rows are the same, in another order


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is otherwise. `before` and `after` are as written in TOML, empty where nothing is."""

    section: str
    """`[hall]` or `[[service]]`."""
    row: str
    """Id of the row; empty where the table has none."""
    row_name: Mapping[str, str]
    """Its name by language, empty where it has none."""
    key: str
    """Key in the row, `guide.fee` in a table inside; empty for a whole row or the order of rows."""
    change: Change
    before: str = ""
    after: str = ""
    means: Mapping[str, str]
    """What the key (else the table) means, by language."""
    live: bool = False
    """Not written in any file: a manager or the balance changed it for now."""

    def sentence(self, lang: str) -> str:
        """Give the difference in words (zh, otherwise en)."""
        zh = lang.startswith("zh")
        name = self.row_name.get("zh" if zh else "en") or self.row_name.get("zh", "")
        row = f" {self.row}{f'（{name}）' if zh and name else f' ({name})' if name else ''}" if self.row else ""
        where = f"{self.section}{row}"
        before = self.before or ("（未写）" if zh else "(not set)")
        after = self.after or ("（未写）" if zh else "(not set)")
        live = ("（现场改派）" if zh else " (assigned live)") if self.live else ""
        match self.change:
            case Change.ADDED:
                return f"{where}：新增" if zh else f"{where}: added"
            case Change.REMOVED:
                return f"{where}：去掉" if zh else f"{where}: removed"
            case Change.ORDER:
                return f"{where}：顺序 {before} → {after}" if zh else f"{where}: order {before} -> {after}"
            case Change.CHANGED:
                colon, arrow = ("：", "→") if zh else (": ", "->")
                return f"{where}{colon}{self.key} {before} {arrow} {after}{live}"
            case _:
                assert_never(self.change)


def differences(before: HallFile, after: HallFile) -> list[Difference]:
    """Give how a hall file differs from another, in the order of the format; empty when both mean the same."""
    found: list[Difference] = []
    for name, field in HallFile.model_fields.items():
        key, old, new = field.alias or name, getattr(before, name), getattr(after, name)
        if get_origin(field.annotation) is tuple:
            found += _of_rows(f"[[{key}]]", old, new)
        elif isinstance(new, Table):
            found += _of_fields(f"[{key}]", "", {}, old, new)
    return found


def shown(value: object) -> str:
    """Give a value as it would be written in TOML, cut when it is long; empty for None."""
    text = _toml(value)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"


def _of_rows(section: str, before: Sequence[Table], after: Sequence[Table]) -> Iterator[Difference]:
    olds, news = {_id(row): row for row in before}, {_id(row): row for row in after}
    for row_id, row in olds.items():
        if row_id not in news:
            yield _whole(section, row_id, row, Change.REMOVED)
    for row_id, row in news.items():
        if row_id in olds:
            yield from _of_fields(section, row_id, _name(row), olds[row_id], row)
        else:
            yield _whole(section, row_id, row, Change.ADDED)
    kept = [row_id for row_id in olds if row_id in news]
    order = [row_id for row_id in news if row_id in olds]
    if kept != order:
        yield Difference(
            section=section,
            row="",
            row_name={},
            key="",
            change=Change.ORDER,
            before=shown(tuple(kept)),
            after=shown(tuple(order)),
            means=_meaning(after[0]),
        )


def _of_fields(
    section: str, row: str, row_name: Mapping[str, str], before: Table, after: Table, inside: str = ""
) -> Iterator[Difference]:
    for name, field in type(after).model_fields.items():
        old, new = getattr(before, name), getattr(after, name)
        key = f"{inside}{field.alias or name}"
        if old == new:
            continue
        if isinstance(old, Table) and isinstance(new, Table):
            yield from _of_fields(section, row, row_name, old, new, f"{key}.")
            continue
        was, now = _without_common(old, new)
        yield Difference(
            section=section,
            row=row,
            row_name=row_name,
            key=key,
            change=Change.CHANGED,
            before=shown(was),
            after=shown(now),
            means=_means(field),
        )


def _without_common(old: object, new: object) -> tuple[object, object]:
    """Give two values without the items of long lists that stand in both: else what differs might be cut off.

    Lists that differ in their order only, or in how often an item stands in them, are given whole.
    """
    if not (isinstance(old, tuple) and isinstance(new, tuple)):
        return old, new
    if max(len(_toml(old)), len(_toml(new))) <= VALUE_LENGTH_MAX:
        return old, new
    gone, come = tuple(one for one in old if one not in new), tuple(one for one in new if one not in old)
    return (gone, come) if gone or come else (old, new)


def _whole(section: str, row_id: str, row: Table, change: Change) -> Difference:
    return Difference(section=section, row=row_id, row_name=_name(row), key="", change=change, means=_meaning(row))


def _id(row: Table) -> str:
    return next(str(getattr(row, key)) for key in ROW_KEYS if hasattr(row, key))


def _name(row: Table) -> Mapping[str, str]:
    name = getattr(row, "name", None)
    return dict(name) if isinstance(name, Mapping) else {"zh": name} if isinstance(name, str) else {}


def _meaning(row: Table) -> Mapping[str, str]:
    return {"zh": row.meaning.zh, "en": row.meaning.en}


def _means(field: FieldInfo) -> Mapping[str, str]:
    means = next(each for each in field.metadata if isinstance(each, Means))
    return {"zh": means.zh, "en": means.en}


def _toml(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case time():
            return f'"{value:%H:%M}"'
        case date():
            return f'"{value.isoformat()}"'
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case Table():
            written = {
                field.alias or name: getattr(value, name)
                for name, field in type(value).model_fields.items()
                if field.is_required() or getattr(value, name) != field.default
            }
            return _toml(written)
        case Mapping():
            return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}"
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return quoted(str(value))
