"""What pydantic found, said in the words of the hall file: Chinese, English and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config import schema
from config.problems import Finding, TablePath, dotted, nearest, quoted
from config.schema import HallFile

WEEKDAY_NAMES: Final = {
    name: day
    for day, names in zip(
        schema.WEEKDAYS,
        (
            "周一 星期一",
            "周二 星期二",
            "周三 星期三",
            "周四 星期四",
            "周五 星期五",
            "周六 星期六",
            "周日 星期日 周天 星期天",
        ),
        strict=True,
    )
    for name in names.split()
}
VALUE_NAMES: Final = WEEKDAY_NAMES | {
    "自助服务区": "self_service",
    "自助": "self_service",
    "引导台": "guide",
    "导办": "guide",
    "出件": "pickup",
    "取件": "pickup",
    "咨询": "consult",
    "投诉": "complaint",
    "跨省通办": "cross_province",
    "省内通办": "in_province",
    "一件事一次办": "one_thing",
    "即办": "immediate",
    "收费": "fee",
    "公务员": "civil_servant",
    "事业编": "institution",
    "第三方": "third_party",
    "政府购买服务": "third_party",
    "公益岗": "public_welfare",
    "借调": "seconded",
    "A角": "primary",
    "B角": "relief",
}
"""What people write where a word of the format belongs."""


def model_of(data: dict[str, object]) -> tuple[HallFile | None, list[Finding]]:
    """Give the hall, or everything that the schema refuses."""
    try:
        return HallFile.model_validate(data), []
    except ValidationError as trouble:
        found = (_finding(error, data) for error in trouble.errors(include_url=False))
        return None, [each for each in found if each is not None]


def _finding(error: ErrorDetails, data: dict[str, object]) -> Finding | None:
    """Say in our words what pydantic found, or None where another problem says it already."""
    path: TablePath = error["loc"]
    value = error["input"]
    context = error.get("ctx", {})
    key = dotted(path[-1:])
    match error["type"]:
        case "missing":
            return _missing(path, data)
        case "extra_forbidden":
            return _unknown_key(path)
        case "too_short":
            if value:  # its elements are wrong, and said to be
                return None
            return _wrong(path, "empty_list", f"{key} 不能为空。", f"{key} must not be empty.")
        case "too_long":
            most = context["max_length"]
            return _wrong(path, "too_many", f"{key} 最多 {most} 项。", f"{key} has at most {most} rows.")
        case "string_type":
            hint = quoted(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
            return _wrong(path, "not_text", f"{key} 应为引号中的文字。", f"{key} must be text in quotes.", hint)
        case "int_type" | "int_from_float":
            return _wrong(path, "not_a_number", f"{key} 应为整数。", f"{key} must be a whole number.", _digits(value))
        case "float_type" | "finite_number":
            return _wrong(path, "not_a_number", f"{key} 应为数字。", f"{key} must be a number.", _digits(value))
        case "bool_type":
            guess = str(value).lower() if str(value).lower() in {"true", "false"} else None
            return _wrong(path, "not_yes_or_no", f"{key} 应为 true 或 false。", f"{key} must be true or false.", guess)
        case "tuple_type" | "list_type":
            if len(path) == 1 and isinstance(value, dict):
                return _wrong(
                    path, "single_table", f"[{key}] 可有多个。", f"There may be several [{key}].", f"[[{key}]]"
                )
            guess = f"[{quoted(value)}]" if isinstance(value, str) else None
            return _wrong(path, "not_a_list", f"{key} 应为列表：[ … ]。", f"{key} must be a list: [ ... ].", guess)
        case "dict_type" | "mapping_type":
            guess = f"{key} = {{ zh = {quoted(value)} }}" if isinstance(value, str) else None
            return _wrong(
                path,
                "not_a_text_table",
                f'{key} 应按语言书写：{{ zh = "…", en = "…" }}。',
                f'{key} must name its languages: {{ zh = "...", en = "..." }}.',
                guess,
            )
        case "model_type" | "model_attributes_type":
            if len(path) == 1 and isinstance(value, list):
                return _wrong(path, "repeated_table", f"{key} 只能有一个。", f"There is only one {key}.", f"[{key}]")
            return _wrong(path, "not_a_table", f"{dotted(path)} 应为表。", f"{dotted(path)} must be a table.")
        case "time_type":
            return _wrong(path, "not_a_time", f'{key} 应为时刻，如 "08:30"。', f'{key} must be a time such as "08:30".')
        case "literal_error":
            return _not_among(path, value, str(context.get("expected", "")))
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return _out_of_range(path, error["type"], context)
        case "string_pattern_mismatch":
            return _bad_pattern(path, str(value), str(context.get("pattern", "")))
        case "string_too_short" | "string_too_long":
            return _bad_length(path, context)
        case other:
            key = dotted(path[-2:]) if isinstance(path[-1], int) else key
            zh = context.get("zh")
            en = str(context.get("en", error["msg"]))
            return _wrong(path, other, f"{key}：{zh or en}。", f"{key}: {en}.", context.get("suggestion"))


def _wrong(path: TablePath, code: str, zh: str, en: str, suggestion: str | None = None) -> Finding:
    return Finding(path=path, code=code, zh=zh, en=en, suggestion=suggestion, lone=True)


def _missing(path: TablePath, data: dict[str, object]) -> Finding:
    key = dotted(path[-1:])
    if len(path) == 1:
        table = "schema = 1" if key == "schema" else _header(key)
        hint = nearest(key, [each for each in data if each not in _keys(HallFile)])
        also = f"（有 {hint}）" if hint else ""
        also_en = f" (there is {hint})" if hint else ""
        return Finding(path=path, code="missing_table", zh=f"缺少 {table}{also}。", en=f"{table} is missing{also_en}.")
    return Finding(path=path, code="missing_key", zh=f"缺少 {key}。", en=f"{key} is missing.")


def _unknown_key(path: TablePath) -> Finding:
    key = dotted(path[-1:])
    model = _model_at(path[:-1])
    guess = nearest(key, _keys(model)) if model else None
    where = [table for table in _keys(HallFile) if (inner := _model_at((table, 0))) and key in _keys(inner)]
    zh, en = f"没有设置项 {key}。", f"There is no setting {key}."
    if guess is None and where and len(path) > 1:
        home = _header(where[0])
        zh, en = f"{key} 不属于这里，它属于 {home}。", f"{key} does not belong here; it belongs in {home}."
    elif guess is None and model:
        known = list(_keys(model))
        zh = f"没有设置项 {key}；可用的有：{'、'.join(known)}。"
        en = f"There is no setting {key}; there are: {', '.join(known)}."
    return _wrong(path, "unknown_key", zh, en, guess)


def _not_among(path: TablePath, value: object, expected: str) -> Finding:
    key = dotted(path[-2:]) if isinstance(path[-1], int) else dotted(path[-1:])
    if path == ("schema",):
        return _wrong(
            path,
            "unknown_schema",
            f"本程序读取 schema = {schema.SCHEMA} 的文件。",
            f"This program reads files of schema = {schema.SCHEMA}.",
            str(schema.SCHEMA) if str(value) == str(schema.SCHEMA) else None,
        )
    allowed = re.findall(r"'([^']*)'", expected)
    guess = None
    if isinstance(value, str):
        guess = VALUE_NAMES.get(value) or nearest(value, allowed)
        if guess is None and value[:3].lower() in allowed:
            guess = value[:3].lower()
        guess = guess if guess in allowed else None
    return _wrong(
        path,
        "not_among",
        f"{key} 只能是：{'、'.join(allowed)}。",
        f"{key} must be one of: {', '.join(allowed)}.",
        quoted(guess) if guess else None,
    )


def _out_of_range(path: TablePath, kind: str, context: Mapping[str, object]) -> Finding:
    key = dotted(path[-1:])
    limit = next(context[each] for each in ("ge", "gt", "le", "lt") if each in context)
    limit = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
    zh, en = {
        "greater_than_equal": ("不能小于", "must be at least"),
        "greater_than": ("必须大于", "must be above"),
        "less_than_equal": ("不能大于", "must be at most"),
        "less_than": ("必须小于", "must be below"),
    }[kind]
    return _wrong(path, "out_of_range", f"{key} {zh} {limit}。", f"{key} {en} {limit}.")


_PATTERNS: Final = {
    schema.ID_PATTERN: (
        "只能用小写字母、数字、- 和 _，以字母或数字开头，最多 32 个字符",
        "may have small letters, digits, - and _, begins with a letter or digit, and has at most 32 characters",
    ),
    schema.FLOOR_PATTERN: (
        "只能用字母、数字、- 和 _，最多 8 个字符，如 1F",
        "may have letters, digits, - and _, at most 8 characters, such as 1F",
    ),
    schema.WINDOW_PATTERN: (
        "只能用字母、数字和 -，最多 6 个字符，如 7 或 2-03",
        "may have letters, digits and -, at most 6 characters, such as 7 or 2-03",
    ),
    schema.WORK_ID_PATTERN: (
        "只能用字母、数字、- 和 _，最多 32 个字符",
        "may have letters, digits, - and _, at most 32 characters",
    ),
    schema.PREFIX_PATTERN: ("应为一个或两个大写字母", "must be one or two capital letters"),
    schema.DEVICE_PATTERN: (
        "只能用汉字、字母、数字、.、- 和 _，以汉字、字母或数字开头，最多 64 个字符",
        "may have letters, digits, ., - and _, begins with a letter or digit, and has at most 64 characters",
    ),
    schema.PHONE_PATTERN: (
        "应为电话号码，如 12345 或 0871-12345",
        "must be a telephone number, such as 12345 or 0871-12345",
    ),
    schema.MATTER_PATTERN: (
        "只能用字母、数字和 -，最多 40 个字符",
        "may have letters, digits and -, at most 40 characters",
    ),
}


def _bad_pattern(path: TablePath, value: str, pattern: str) -> Finding:
    key = dotted(path[-2:]) if isinstance(path[-1], int) else dotted(path[-1:])
    zh, en = _PATTERNS[pattern]
    tries = (value.strip(), value.strip().upper(), re.sub(r"[\s.]+", "-", value.strip().lower()))
    guess = next((each for each in tries if re.search(pattern, each)), None)
    return _wrong(path, "bad_form", f"{key} {zh}。", f"{key} {en}.", quoted(guess) if guess else None)


def _bad_length(path: TablePath, context: Mapping[str, object]) -> Finding:
    key = dotted(path[-1:])
    if "max_length" in context:
        most = context["max_length"]
        return _wrong(path, "too_long", f"{key} 最多 {most} 个字符。", f"{key} has at most {most} characters.")
    return _wrong(path, "empty_text", f"{key} 是空的。", f"{key} is empty.")


def _digits(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}(\.\d{1,3})?\s*", value) else None


def _keys(model: type[BaseModel]) -> dict[str, object]:
    """Give the keys of a table as written in the file, each with its type."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _header(table: str) -> str:
    return f"[[{table}]]" if get_origin(_keys(HallFile).get(table)) is tuple else f"[{table}]"


def _model_at(path: TablePath) -> type[BaseModel] | None:
    """Give the model of the table at a path, or None where there is no table."""
    model: type[BaseModel] = HallFile
    for part in path:
        if isinstance(part, int):
            continue
        kind = _keys(model).get(part)
        inner = get_args(kind)[0] if get_origin(kind) in {tuple, UnionType} else kind  # rows, or a table that may lack
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        model = inner
    return model
