"""What is wrong with a file, said so that the person who wrote it can put it right.

A `Problem` names file, line, column and table path, and speaks Chinese and English. `check_report` is what
`jiaohao check` prints; for machines, `dataclasses.asdict(problem)` is the shape of `--format json`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

TablePath: TypeAlias = tuple[str | int, ...]
"""Where something stands in a TOML document: ("service", 2, "zone"), lists counted from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    path: str
    """Table path: `service[2].zone`, lists counted from 0; empty for the file as a whole."""
    code: str
    """Stable name of the rule: `unknown_key`, `unknown_zone`, `duplicate_id` ..."""
    zh: str
    en: str
    suggestion: str | None = None
    """What was probably meant, ready to paste."""

    def sentence(self, lang: str) -> str:
        """Give the message in a language (zh, otherwise en), with "did you mean" where there is a suggestion."""
        if lang.startswith("zh"):
            return self.zh + (f"是不是想写 {self.suggestion}？" if self.suggestion else "")
        return self.en + (f" Did you mean {self.suggestion}?" if self.suggestion else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem whose line is still to be looked up. `lone` is true when no other table can have caused it."""

    path: TablePath
    code: str
    zh: str
    en: str
    suggestion: str | None = None
    lone: bool = False


def check_report(problems: Sequence[Problem], lang: str = "zh", *, files: int | None = None) -> str:
    """Give the whole report as text: one line per problem, `file:line:column: message`, and a last line with the sum.

    Args:
        problems: what `config.check` gave.
        lang: zh, otherwise en.
        files: how many files were checked, for the last line.
    """
    chinese = lang.startswith("zh")
    lines = [f"{_place(problem)}: {problem.sentence(lang)}" for problem in problems]
    if problems:
        lines.append(f"共 {len(problems)} 处问题。" if chinese else f"{_count(len(problems), 'problem')} found.")
    elif files is None:
        lines.append("没有发现问题。" if chinese else "No problems found.")
    else:
        lines.append(
            f"已检查 {files} 个文件，没有发现问题。" if chinese else f"{_count(files, 'file')} checked, no problems."
        )
    return "\n".join(lines)


def dotted(path: TablePath) -> str:
    """Give a path as people read it: ("service", 2, "zone") is `service[2].zone`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that was probably meant, or None."""
    words = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(words)}
    if found := folded.get(word.casefold()):
        return found
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def quoted(word: str) -> str:
    """Give a word as it stands in a TOML file, in double quotes."""
    return json.dumps(word, ensure_ascii=False)


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
