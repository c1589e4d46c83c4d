"""From bytes to TOML tables: encodings as editors write them, and lines that are not TOML.

Old Notepad saves GBK ("ANSI") or UTF-16 ("Unicode"), newer Notepad UTF-8 with or without a byte order mark; only
UTF-8 is read, and the rest is told how to save again. Source of the grammar: TOML 1.0, https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from config.positions import WHOLE_FILE, Spot, locate
from config.problems import Finding, TablePath, nearest

FILE_BYTES_MAX: Final = 1024 * 1024
"""The largest hall we know, 29 windows, has 16 KiB; what is larger is not a hall file."""

BROKEN_LINES_MAX: Final = 20
"""After so many broken lines the file is something else than TOML."""

FULL_WIDTH: Final = str.maketrans(
    "“”＂‘’＇，＝［］【】｛｝＃．－０１２３４５６７８９\u3000", "\"\"\"''',=[][]{}#.-0123456789 "
)
"""What a Chinese keyboard writes where TOML wants ASCII."""


def text_of(path: Path, shipped: Iterable[str]) -> tuple[str, tuple[Spot, Finding] | None]:
    """Give the text of a file with plain line ends, or what is wrong with the file."""
    try:
        if path.is_dir():
            inside = [each.name for each in path.glob("*.toml")]
            return "", _whole(
                "folder", "这是文件夹，不是文件。", "This is a folder, not a file.", _inside(path, inside)
            )
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        around = [each.name for each in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        guess = nearest(path.name, around) or (nearest(path.stem, shipped) if path.parent == Path() else None)
        return "", _whole(
            "file_missing", "没有这个文件。", "There is no such file.", _inside(path.parent, [guess] if guess else [])
        )
    except (OSError, ValueError) as trouble:  # ValueError: a NUL in the name
        reason = getattr(trouble, "strerror", None) or str(trouble)
        return "", _whole("file_unreadable", f"无法读取：{reason}。", f"Cannot be read: {reason}.")
    if len(raw) > FILE_BYTES_MAX:
        return "", (WHOLE_FILE, too_large())
    try:
        return plain(raw.decode("utf-8-sig")), None
    except UnicodeDecodeError as trouble:
        before = raw[: trouble.start]
        spot = Spot(before.count(b"\n") + 1, trouble.start - (before.rfind(b"\n") + 1) + 1)
        encoding = _encoding_of(raw)
        return "", (
            spot,
            Finding(
                path=(),
                code="not_utf8",
                zh=f"文件不是 UTF-8 编码{f'，看来是 {encoding}' if encoding else ''}。"
                "在记事本中请选“另存为”，编码选 UTF-8（带 BOM 也可以）。",
                en=f"The file is not UTF-8{f'; it looks like {encoding}' if encoding else ''}."
                ' Save it as UTF-8 (in Notepad: "Save as", encoding UTF-8; a BOM is fine).',
            ),
        )


def too_large() -> Finding:
    """Say that a text is too long for a hall file."""
    size = FILE_BYTES_MAX // 1024
    zh, en = f"文件大于 {size} KiB，不是大厅文件。", f"Above {size} KiB: not a hall file."
    return Finding(path=(), code="file_too_large", zh=zh, en=en)


def _whole(code: str, zh: str, en: str, suggestion: str | None = None) -> tuple[Spot, Finding]:
    return WHOLE_FILE, Finding(path=(), code=code, zh=zh, en=en, suggestion=suggestion)


def _inside(folder: Path, names: list[str]) -> str | None:
    return str(folder / names[0]) if len(names) == 1 else None


def _encoding_of(raw: bytes) -> str | None:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16 (Unicode)"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "GBK (ANSI)"


def plain(text: str) -> str:
    """Give a text with plain line ends."""
    return text.replace("\r\n", "\n")


def tables_of(text: str) -> tuple[dict[str, object] | None, dict[TablePath, Spot], list[tuple[Spot, Finding]]]:
    """Give the tables, where they stand, and the broken lines; no tables when the text cannot be read on."""
    broken: list[tuple[Spot, Finding]] = []
    lines = text.split("\n")
    while True:
        try:
            rest = "\n".join(lines)
            data = tomllib.loads(rest)
            return data, locate(rest), broken
        except RecursionError:
            broken.append(_whole("too_deep", "括号嵌套过深。", "Brackets are nested too deeply."))
            return None, {}, broken
        except ValueError as trouble:
            spot = _spot_of_trouble(str(trouble), lines)
            line = lines[spot.line - 1]
            told = {each.line for each, _ in broken}
            if spot.line in told:
                return None, {}, broken
            broken.append((spot, _broken_line(str(trouble), lines, spot)))
            if len(broken) == BROKEN_LINES_MAX or not _stands_alone(line):
                return None, {}, broken
            lines[spot.line - 1] = ""


def _spot_of_trouble(message: str, lines: list[str]) -> Spot:
    if found := re.search(r"\(at line (\d+), column (\d+)\)", message):
        line, column = int(found[1]), int(found[2])
        if line <= len(lines):
            return Spot(line, column)
    last = max((index for index, line in enumerate(lines, 1) if line.strip()), default=1)
    return Spot(last, len(lines[last - 1]) + 1)


def _stands_alone(line: str) -> bool:
    """Whether a broken line can be left out and the rest still means the same: `key = value` on one line."""
    return re.match(r"\s*[^\s\[\]{}#,=＝]+\s*[=＝]", line) is not None and not re.search(r"\"\"\"|'''", line)


def _broken_line(message: str, lines: list[str], spot: Spot) -> Finding:
    line = lines[spot.line - 1]
    said = re.sub(r"\s*\(at [^)]*\)$", "", message)
    outside = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*", "", line)
    wide = next((char for char in outside if ord(char) in FULL_WIDTH), None)
    if wide is not None:
        return Finding(
            path=(),
            code="full_width",
            zh=f"这一行有全角字符 {wide} ，这里只能用半角（英文）字符。",
            en=f"This line has the full-width character {wide}; TOML wants the ASCII one.",
            suggestion=re.sub(r"\s+#[^\"']*$", "", line.translate(FULL_WIDTH)).strip(),
        )
    words = (words for start, words in _TOML_WORDS.items() if said.startswith(start))
    zh, en = next(words, ("TOML 语法错误", "a mistake of syntax"))
    if said.startswith("Unclosed") and (begun := _begun_above(lines, spot, "[" if "array" in said else "{")):
        zh += f"，从第 {begun} 行开始"
        en += f", begun on line {begun}"
    return Finding(path=(), code="toml_syntax", zh=f"{zh}（{said}）。", en=f"Not valid TOML: {en} ({said}).")


def _begun_above(lines: list[str], spot: Spot, bracket: str) -> int | None:
    """Give the line above on which the list or inline table of a key begins, or None when it is this line."""
    here = re.compile(r"[^#\"']*=\s*" + re.escape(bracket))
    number = next((number for number in range(spot.line, 0, -1) if here.match(lines[number - 1])), spot.line)
    return number if number < spot.line else None


_TOML_WORDS: Final = {
    "Expected '=' after a key": ("键后面缺少等号 =", "an equals sign = is missing after the key"),
    "Expected newline or end of document": (
        "一行只能写一个键和值，后面有多余内容",
        "one line holds one key and its value; here is more",
    ),
    "Expected ']' at the end of a table": ("表头缺少 ]", "the header lacks its ]"),
    "Expected ']]' at the end of an array": ("表头缺少 ]]", "the header lacks its ]]"),
    "Invalid statement": ("这一行既不是表头，也不是“键 = 值”", "this is neither a header nor key = value"),
    "Invalid initial character for a key": ("键名写法不对", "a key cannot be written like this"),
    "Cannot declare": ("这个表头重复了", "this header is written twice"),
    "Cannot overwrite a value": ("这个键在本表中已经写过", "this key is written in this table already"),
    "Cannot mutate immutable namespace": (
        "这个表已经写完，不能再补充",
        "this table is complete already; nothing can be added",
    ),
    "Duplicate inline table key": ("花括号中有重复的键", "a key stands twice in the braces"),
    "Unclosed array": ("列表缺少 ] 或逗号", "the list lacks its ] or a comma"),
    "Unclosed inline table": ("花括号缺少 } 或逗号", "the braces lack their } or a comma"),
    "Unterminated string": ("引号没有配对", "a quote has no partner"),
    'Expected "\'"': ("引号没有配对", "a quote has no partner"),
    "Illegal character": (
        "含有不允许的字符（例如换行或控制字符），或引号没有配对",
        "a character is not allowed here (a line break, a control character), or a quote has no partner",
    ),
    "Found invalid character": ("含有不允许的字符", "a character is not allowed here"),
    "Unescaped": ("反斜杠写法不对，请写成 \\\\", "write a backslash as \\\\"),
    "Invalid hex value": ("转义字符写法不对", "an escape is written wrongly"),
    "Escaped character": ("转义字符写法不对", "an escape is written wrongly"),
    "Invalid date or datetime": ("日期或时间不存在", "there is no such date or time"),
    "Invalid value": ("值的写法不对，文字要放在英文引号中", "the value is written wrongly; text stands in quotes"),
    "Exceeds the limit": ("数字太长", "the number is too long"),
}
