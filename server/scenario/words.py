"""From a line to its meaning: words, the sentence they are, and what could have stood where no sentence fits.

Sentences are tried one after the other; the one that fits furthest tells the person who wrote the line what may come.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import product

from config.problems import nearest
from server.domain.refusals import Code
from server.domain.terms import (
    APPOINTMENT,
    ORDINARY,
    HallPlan,
    PauseReason,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    Zone,
    ZoneId,
)
from server.scenario.language import CHINESE, COUNTS, ENGLISH, FRAME, MINUTES, QUESTIONS, SENTENCES, WHYS, Bad

YEARS = range(2000, 2100)
TOKEN = re.compile(r'"[^"]*"|“[^”]*”|#.*|->|→|[=＝]|(?:(?!->)[^\s"“=＝→])+|["“]')


Check = Callable[[HallPlan | None, str], str]
"""Gives the word as the domain knows it, or raises Bad. Without a readable hall file there is no plan."""


def _planned(zh: str, en: str, names: Callable[[HallPlan], Mapping[str, str]]) -> Check:
    """Give a check that lets a name of the hall file through as its id, and everything when that file is unreadable."""
    return lambda plan, word: word if plan is None else _one_of(zh, en, names(plan))(plan, word)


def _one_of(zh: str, en: str, names: Mapping[str, str]) -> Check:
    def check(_plan: HallPlan | None, word: str) -> str:
        if (found := names.get(word.strip('"'))) is None:
            raise Bad(f"没有{zh}“{word}”。", f"There is no {en} {word}.", nearest(word, names))
        return found

    return check


def _like(pattern: str, zh: str, en: str) -> Check:
    def check(_plan: HallPlan | None, word: str) -> str:
        if re.fullmatch(pattern, word) is None:
            raise Bad(f"“{word}”不是{zh}。", f"{word} is not {en}.")
        return word

    return check


def _date(_plan: HallPlan | None, word: str) -> str:
    try:
        day: date | None = date.fromisoformat(word)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise Bad(f"“{word}”不是 2026-03-02 这样的日期。", f"{word} is not a date such as 2026-03-02.")
    return day.isoformat()


def _named(
    rows: Mapping[ServiceId, Service] | Mapping[PriorityId, PriorityRule] | Mapping[ZoneId, Zone],
) -> dict[str, str]:
    """Give every way to say the rows of a plan: by id, by name in any language."""
    names: dict[str, str] = {id_: id_ for id_ in rows}
    for id_, row in rows.items():
        for name in row.name.values():
            names.setdefault(name, id_)
    return names


SERVICE = _planned("事项", "service", lambda plan: _named(plan.service))
WINDOW = _planned("窗口", "window", lambda plan: {no: no for no in plan.window})
QUOTED = r'"[^"]*"'
SLOTS: dict[str, Check] = {
    "service": SERVICE,
    "serves": SERVICE,
    "relief": SERVICE,
    "legs": SERVICE,
    "window": WINDOW,
    "to_window": WINDOW,
    "zone": _planned("专区", "zone", lambda plan: _named(plan.zone)),
    "windows": lambda plan, word: word if word == "to" else WINDOW(plan, word),
    "priority": _planned("优先类型", "priority", lambda plan: _named(plan.priority)),
    "ticket": _like(r"(\d{8}-)?[A-Z]{1,2}\d{3,4}", "A001 这样的号", "a number such as A001"),
    "roll": _like(r"[A-Z]{1,2}", "号卷的字母", "the letters of a roll such as X"),
    "first": _like(r"\d{1,4}", "1 这样的号码", "a number such as 1"),
    "last": _like(r"\d{1,4}", "100 这样的号码", "a number such as 100"),
    "reason": _like(QUOTED, "引号里的原因", 'a reason in quotes such as "papers"'),
    "pause": _one_of(
        "暂停原因", "reason to pause", {it.value: it.value for it in PauseReason if it is not PauseReason.LEFT_ALONE}
    ),
    "place": _one_of("位置", "place", {it: it for it in ("front", "end", "arrival")}),
    "grade": _like(r"\d{1,2}", "1 到 5 的评价", "a grade from 1 to 5"),
    "clerk": _like(r"[0-9A-Za-z][0-9A-Za-z_-]*", "工号", "a work id"),
    "visitor": _like(r"[^\"]+", "群众的代称", "a word for the visitor"),
    "time": _like(r"\d\d:\d\d", "09:30 这样的时刻", "a time such as 09:30"),
    "kiosk": _like(r"kiosk[0-9a-z-]*", "取号机的名称", "a kiosk such as kiosk-2"),
    "case": _like(r"C(\d{8}-)?\d{3,4}", "C001 这样的台账号", "a case such as C001"),
    "case_kind": _one_of("台账类型", "kind of case", {it: it for it in ("agency", "visit")}),
    "client": _like(rf"{QUOTED}|[^\"]+", "委托人的代称", "a word for the client"),
    "partner": _like(r"[a-z][a-z0-9-]*", "大厅代号", "the id of a hall"),
    "number": _like(r"[0-9A-Za-z][0-9A-Za-z_-]*", "办件编号", "a case number such as 330-1"),
    "papers": _like(QUOTED, "引号里的材料", 'a paper in quotes such as "ID card"'),
    "file": lambda _, word: word,
    "date": _date,
}


@cache
def shapes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give every sentence with each choice of its optional parts: (sentence, parts)."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for sentence in (*FRAME, *SENTENCES, *QUESTIONS):
        pieces = re.split(r"(\[[^\]]*\])", sentence)
        choices = [("", piece[1:-1]) if piece.startswith("[") else (piece,) for piece in pieces]
        found += [(sentence, tuple("".join(choice).split())) for choice in product(*choices)]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Word:
    """A word in English and as it was written (empty when one Chinese word stands for several)."""

    text: str
    raw: str


@dataclass(slots=True)
class _Furthest:
    """How far into a line the sentences got, and what could have stood there."""

    at: int = -1
    parts: dict[str, Bad | None] = field(default_factory=dict)

    def note(self, at: int, part: str, bad: Bad | None = None) -> None:
        if at > self.at:
            self.at, self.parts = at, {}
        if at == self.at:
            self.parts.setdefault(part, bad)

    def trouble(self, words: Sequence[Word]) -> Bad:
        plain = list(dict.fromkeys(it for part in self.parts if part and part[0] != "{" for it in _choice(part)))
        slots = [part.strip("{*}").upper() for part in self.parts if part.startswith("{")]
        chinese = [ENGLISH[word] for word in plain if word in ENGLISH]
        may = ", ".join([*plain, *slots])
        may_zh = "、".join([*(ENGLISH.get(word, word) for word in plain), *slots])
        if self.at == len(words):
            return Bad(f"这一行没有写完，接下来可以是：{may_zh}。", f"The line stops too early; next may come: {may}.")
        word = words[self.at].raw or words[self.at].text
        meant = nearest(word, chinese if word[:1] > "\u2fff" else plain)
        bad = next((bad for bad in self.parts.values() if bad is not None), None)
        if bad is not None and not plain:
            return bad
        if not may:
            return Bad(f"“{word}”是多余的。", f"Nothing may follow here, but {word} does.")
        return Bad(
            f"这里看不懂“{word}”，可以是：{may_zh}。", f"{word} is not understood; here may stand: {may}.", meant
        )


def _choice(part: str) -> list[str]:
    """Give what may stand for a part, the plural of a verb left out: opens|open is opens."""
    first, *others = part.replace("*", "").split("|")
    return [first, *(word for word in others if f"{word}s" != first)]


def understood(words: Sequence[Word], plan: HallPlan | None) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Give the sentence that a line is and the words in its slots.

    Raises:
        Bad: no sentence fits; the one that fits furthest says what could have stood there.
    """
    furthest = _Furthest()
    for sentence, parts in shapes():
        slots = _fit(parts, words, 0, plan, furthest)
        if slots is not None:
            return sentence, slots
    raise furthest.trouble(words)


def _fit(
    parts: Sequence[str], words: Sequence[Word], at: int, plan: HallPlan | None, furthest: _Furthest
) -> dict[str, tuple[str, ...]] | None:
    part = parts[0] if parts else ""
    if at == len(words) or not part:
        if at == len(words) and not part:
            return {}
        furthest.note(at, part)
        return None
    word = words[at].text
    if not part.startswith("{"):
        if not any(word == it or (it[-1] == "*" and word.startswith(it[:-1])) for it in part.split("|")):
            furthest.note(at, part)
            return None
        return _fit(parts[1:], words, at + 1, plan, furthest)
    slot = part.strip("{*}")
    try:
        value = SLOTS[slot](plan, word).strip('"')
    except Bad as bad:
        furthest.note(at, part, bad)
        return None
    rest = _fit(parts[1:], words, at + 1, plan, furthest)
    if rest is None and part.endswith("*}"):  # one more in the list
        rest = _fit(parts, words, at + 1, plan, furthest)
    return None if rest is None else rest | {slot: (value, *rest.get(slot, ()))}


NUMBER = _like(r"\d+(\.\d+)?(\.\.\d+(\.\d+)?)?", "2 或 0..5 这样的数", "a number such as 2 or 0..5")
CLAUSES: dict[str, Check] = dict.fromkeys((*COUNTS, *MINUTES), NUMBER) | {
    "finished": SLOTS["ticket"],
    "booked": SLOTS["time"],
    "case": SLOTS["case"],
    "as": _one_of("预约签到所得", "number for an appointment", {it: it for it in (APPOINTMENT, ORDINARY)}),
    "because": _one_of("叫号理由", "reason of a call", {it: it for it in WHYS}),
    "until": _like(r"(\d{4}-\d\d-\d\dT)?\d\d:\d\d", "14:00 这样的时刻", "a time such as 14:00 or 2026-03-03T08:30"),
    "refused": _one_of("拒绝代码", "refusal", {it.value: it.value for it in Code}),
}
RESULT = r"equal|[A-Z]{1,2}\d{3,4}(\.\.[A-Z]{1,2}\d{3,4})?"  # A001, and A001..A030 of a line that repeats


def wanted_of(words: Sequence[Word]) -> dict[str, str]:
    """Give what is expected of something that happens: {"": "A001", "ahead": "0", "waited": "2"}."""
    wanted: dict[str, str] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if re.fullmatch(RESULT, word.text):
            wanted[""] = word.text
        elif word.text not in CLAUSES:
            raise Bad(
                f"“{word.raw}”不能是预期结果，可以是号（A001）或：{', '.join(CLAUSES)}。",
                f"{word.raw} cannot be expected; a number (A001) can, or: {', '.join(CLAUSES)}.",
                nearest(word.text, CLAUSES),
            )
        elif not left:
            raise Bad(f"“{word.raw}”后面缺少内容。", f"Something must follow {word.raw}.")
        else:
            wanted[word.text] = CLAUSES[word.text](None, left.pop(0).text)
            if word.text in MINUTES and left and left[0].text == "min":
                left.pop(0)
    if not wanted:
        raise Bad("-> 后面没有预期结果。", "Nothing is expected after the arrow.")
    return wanted


def answer_of(words: Sequence[Word], plan: HallPlan | None) -> str:
    """Give what is expected as the answer to a question; services go by id or by name."""
    names = _named(plan.service) if plan is not None else {}
    return " ".join(names.get(word.text.strip('"'), word.text) for word in words)


def words_of(text: str) -> list[Word]:
    """Give the words of a line; a Chinese word may stand for several English ones."""
    words: list[Word] = []
    for raw in TOKEN.findall(text):
        if raw.startswith("#"):
            break
        meant = {"→": "->", "＝": "="}.get(raw) or CHINESE.get(raw, raw)
        if raw.startswith("“") and len(raw) > 1:
            meant = '"' + raw[1:-1] + '"'
        if raw.startswith("取号机"):
            meant = raw.replace("取号机", "kiosk", 1)
        first, *more = [meant] if meant.startswith('"') else meant.split()
        words += [Word(first, raw), *(Word(it, "") for it in more)]
    return words
