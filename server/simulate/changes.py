"""What is tried: `policy static`, `5+=tax`, `close 7 12:00-14:00`, `new 30=household`; several in a row, a name before.

A change is written the same on the command line and in a file of variants (one a line, `#` begins a comment):

    tax helps out: 5+=tax, 6+=tax          windows 5 and 6 also relieve the zone (or service) tax
    7..10-=construction                    these windows do so no more
    12=household                           window 12 serves this and nothing else
    close 7 12:00-14:00                    nobody sits at 7 then; without a time: all day
    open 30 08:30-12:00                    somebody sits at 30 then; without a time: whenever its zone is open
    new 31=household                       one more window, staffed while the zone is open
    policy oldest_waiting                  who is next
    suggestions manual                     a manager follows them, some minutes late; automatic: the hall itself; off

Chinese punctuation and names are understood.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from config.problems import Problem, nearest, quoted
from server.domain.terms import CallingRule, HallPlan, ServiceId, Window, WindowNo, ZoneId
from server.simulate.described import clock_ms
from server.simulate.play import Suggestions
from server.simulate.shifts import cut, joined
from server.simulate.visits import DAY, Spans


class Does(StrEnum):
    """What a change does."""

    POLICY = "policy"
    SUGGESTIONS = "suggestions"
    CLOSE = "close"
    OPEN = "open"
    NEW = "new"
    MORE = "+="
    LESS = "-="
    ONLY = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is otherwise than the hall file says. `times`: ms after midnight."""

    does: Does
    windows: tuple[WindowNo, ...] = ()
    services: tuple[ServiceId, ...] = ()
    zone: ZoneId | None = None
    times: tuple[int, int] = (0, DAY)
    policy: CallingRule = CallingRule.BALANCED
    suggestions: Suggestions = Suggestions.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A hall to try: the file with these changes."""

    name: str
    changes: tuple[Change, ...] = ()


class ChangeError(ValueError):
    """The changes cannot be made; `problems` says everything that is wrong with them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, never empty."""
        self.problems = tuple(problems)
        super().__init__("\n".join(each.sentence("en") for each in problems))


def read(texts: Sequence[str], plan: HallPlan) -> list[Variant]:
    """Give the variants that texts describe: each a variant, or the name of a file with one a line.

    Raises:
        ChangeError: with everything that is wrong.
    """
    found: list[Variant] = []
    problems: list[Problem] = []
    for source, line, text in _lines(texts, problems):
        reader = _Reader(source, line, plan)
        found.append(reader.read(text))
        problems += reader.problems
    if problems:
        raise ChangeError(problems)
    return found


def windows_of(text: str, plan: HallPlan, source: str) -> tuple[WindowNo, ...]:
    """Give the windows of a list "1..6,17"; of an empty one all that are staffed.

    Raises:
        ChangeError: with everything that is wrong.
    """
    reader = _Reader(source, 0, plan)
    parts = [part.strip() for part in text.translate(_WIDE).split(",") if part.strip()]
    found = tuple(dict.fromkeys(no for part in parts for no in reader.windows_named(part)))
    if reader.problems:
        raise ChangeError(reader.problems)
    return found or tuple(window.no for window in plan.windows if window.staffed)


def targets_of(text: str, plan: HallPlan, source: str) -> tuple[tuple[ZoneId | None, tuple[ServiceId, ...]], ...]:
    """Give [(zone, its services)] or [(None, one service)] of a list "tax,social"; of an empty one all zones.

    Raises:
        ChangeError: with everything that is wrong.
    """
    reader = _Reader(source, 0, plan)
    names = [part.strip() for part in text.translate(_WIDE).split(",") if part.strip()]
    every = [zone.id for zone in plan.queues if any(it.zone == zone.id for it in plan.services)]
    found = [reader.target_named(name) for name in names or every]
    if reader.problems:
        raise ChangeError(reader.problems)
    return tuple((it[1], it[0]) for it in found if it is not None)


def planned(plan: HallPlan, variant: Variant) -> HallPlan:
    """Give the plan of a variant."""
    windows = {window.no: window for window in plan.windows}
    for change in variant.changes:
        for no in change.windows:
            if change.does is Does.NEW and change.zone is not None:
                windows[no] = Window(no=no, name={"zh": no}, zone=change.zone, serves=change.services)
            else:
                windows[no] = _changed(windows[no], change)
    plan = replace(plan, windows=tuple(windows.values()))
    for change in variant.changes:
        if change.does is Does.POLICY:
            plan = replace(plan, rule=change.policy)
    return plan


def followed(variant: Variant) -> Suggestions | None:
    """Give what becomes of suggestions, None: as the hall has it."""
    said = [change.suggestions for change in variant.changes if change.does is Does.SUGGESTIONS]
    return said[-1] if said else None


def manned(
    variant: Variant, shifts: Mapping[WindowNo, Spans], zone_spans: Mapping[WindowNo, Spans]
) -> dict[WindowNo, Spans]:
    """Give the rota of a variant; `zone_spans`: when each window would be manned by the hours of its zone."""
    found = dict(shifts)
    for change in variant.changes:
        for no in change.windows:
            match change.does:
                case Does.CLOSE:
                    found[no] = cut(found.get(no, ()), *change.times)
                case Does.OPEN | Does.NEW:
                    whole = change.times == (0, DAY)
                    more = zone_spans.get(no, ()) if whole else (change.times,)
                    found[no] = joined((*found.get(no, ()), *more))
                case Does.POLICY | Does.SUGGESTIONS | Does.MORE | Does.LESS | Does.ONLY:
                    pass
                case _:
                    assert_never(change.does)
    return {no: spans for no, spans in found.items() if spans}


def _changed(window: Window, change: Change) -> Window:
    match change.does:
        case Does.MORE:
            more = tuple(it for it in change.services if it not in window.serves and it not in window.relief)
            return replace(window, relief=(*window.relief, *more))
        case Does.LESS:
            serves = tuple(it for it in window.serves if it not in change.services)
            return replace(window, serves=serves, relief=tuple(it for it in window.relief if it not in change.services))
        case Does.ONLY:
            return replace(window, serves=change.services, relief=())
        case Does.OPEN:
            return replace(window, staffed=True)
        case Does.CLOSE | Does.NEW | Does.POLICY | Does.SUGGESTIONS:
            return window
        case _:
            assert_never(change.does)


# --------------------------------------------------------------------------------------------------------- reading

_NAMED = re.compile(r"([^,:=]+?)\s*:(?:\s+|(?<=\D:))(.*)")  # a colon between digits belongs to a time
_SKILL = re.compile(r"(\S+?)\s*(\+=|-=|=)\s*(.+)")
_TIMED = re.compile(r"(close|open)\s+(\S+)(?:\s+(\S+?)\s*-\s*(\S+))?")
_POLICY = re.compile(r"policy\s+(\S+)")
_SUGGESTIONS = re.compile(r"suggestions\s+(\S+)")
_NEW = re.compile(r"new\s+(\S+?)\s*=\s*(.+)")
_WIDE = str.maketrans("，：＝＋－；、　", ",:=+-,, ")
_WORDS = {"关闭": "close", "开放": "open", "新增": "new", "策略": "policy", "建议": "suggestions"}


def _lines(texts: Sequence[str], problems: list[Problem]) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    for text in texts:
        path = Path(text)
        if not text.endswith(".txt"):
            found.append(("--what-if", 0, text))
            continue
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            problems.append(_problem(text, 0, f"读不了：{error}。", f"Cannot be read: {error}."))
            continue
        stripped = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
        found += [(text, number, line) for number, line in stripped if line]
    return found


def _problem(source: str, line: int, zh: str, en: str, suggestion: str | None = None) -> Problem:
    return Problem(file=source, line=line, column=1, path="", code="what_if", zh=zh, en=en, suggestion=suggestion)


class _Reader:
    """Reads one variant; windows that `new` brings are known to what follows."""

    def __init__(self, source: str, line: int, plan: HallPlan) -> None:
        self.source, self.line, self.plan = source, line, plan
        self.windows = [window.no for window in plan.windows]
        self.problems: list[Problem] = []

    def read(self, text: str) -> Variant:
        text = text.translate(_WIDE).strip()
        named = _NAMED.fullmatch(text)
        name, rest = (named[1].strip(), named[2]) if named else (text, text)
        parts = [part.strip() for part in rest.split(",") if part.strip()]
        if not parts:
            self._bad("没有写要改什么，例如 5+=tax", "nothing is changed; write for example 5+=tax")
        changes = [change for part in parts for change in [self._change(part)] if change is not None]
        variant = Variant(name=name, changes=tuple(changes))
        if not self.problems:
            self._check(variant)
        return variant

    def _change(self, part: str) -> Change | None:
        for zh, en in _WORDS.items():
            part = re.sub(f"^{zh}\\s*", f"{en} ", part)
        if found := _POLICY.fullmatch(part):
            return self._policy(found[1])
        if found := _SUGGESTIONS.fullmatch(part):
            return self._suggestions(found[1])
        if found := _NEW.fullmatch(part):
            return self._new(WindowNo(found[1]), found[2].strip())
        if found := _TIMED.fullmatch(part):
            return self._timed(Does(found[1]), found[2], found[3], found[4])
        if found := _SKILL.fullmatch(part):
            windows, target = self.windows_named(found[1]), self.target_named(found[3].strip())
            if windows and target:
                return Change(does=Does(found[2]), windows=windows, services=target[0], zone=target[1])
            return None
        self._bad(
            f"看不懂 {quoted(part)}，请写成 5+=tax、5-=tax、5=tax、close 7 12:00-14:00、open 7、new 30=tax 或 "
            "policy static",
            f"{quoted(part)} is no change: write 5+=tax, 5-=tax, 5=tax, close 7 12:00-14:00, open 7, new 30=tax or "
            "policy static",
        )
        return None

    def _policy(self, name: str) -> Change | None:
        if name in list(CallingRule):
            return Change(does=Does.POLICY, policy=CallingRule(name))
        known = ", ".join(CallingRule)
        self._bad(
            f"没有策略 {quoted(name)}，可以写 {known}", f"there is no policy {quoted(name)}: known are {known}",
            nearest(name, CallingRule),
        )  # fmt: skip
        return None

    def _suggestions(self, name: str) -> Change | None:
        if name in list(Suggestions):
            return Change(does=Does.SUGGESTIONS, suggestions=Suggestions(name))
        known = ", ".join(Suggestions)
        self._bad(f"建议只能是 {known}", f"suggestions are one of {known}", nearest(name, Suggestions))
        return None

    def _new(self, no: WindowNo, name: str) -> Change | None:
        target = self.target_named(name)
        if no in self.windows:
            self._bad(f"已有 {no} 号窗口，请用 open", f"there is a window {no} already: use open")
        elif target:
            self.windows.append(no)
            zone = target[1] or self.plan.service[target[0][0]].zone
            return Change(does=Does.NEW, windows=(no,), services=target[0], zone=zone)
        return None

    def _timed(self, does: Does, windows: str, from_: str | None, until: str | None) -> Change | None:
        found = self.windows_named(windows)
        if from_ is None:
            return Change(does=does, windows=found) if found else None
        times = clock_ms(from_), clock_ms(until)
        if times[0] is None or times[1] is None or times[0] >= times[1]:
            self._bad(
                f"{from_}-{until} 不是时间段，请写成 12:00-14:00",
                f"{from_}-{until} is no time: write it as 12:00-14:00",
            )
            return None
        return Change(does=does, windows=found, times=(times[0], times[1])) if found else None

    def windows_named(self, text: str) -> tuple[WindowNo, ...]:
        """Give the windows that "7" or "7..10" stands for."""
        first, dots, last = text.partition("..")
        places = []
        for no in (first, last) if dots else (first,):
            if no in self.windows:
                places.append(self.windows.index(WindowNo(no)))
            else:
                self._bad(f"没有 {no} 号窗口", f"there is no window {no}", nearest(no, self.windows))
                return ()
        if places[0] > places[-1]:
            self._bad(f"{text} 的顺序反了", f"{text} is the wrong way round")
        return tuple(self.windows[places[0] : places[-1] + 1])

    def target_named(self, name: str) -> tuple[tuple[ServiceId, ...], ZoneId | None] | None:
        """Give the services that a zone or service stands for, and the zone when it was one."""
        zones = {key: zone.id for zone in self.plan.queues for key in (zone.id, *zone.name.values())}
        services = {key: it.id for it in self.plan.services for key in (it.id, *it.name.values())}
        if name in zones:
            found = tuple(it.id for it in self.plan.services if it.zone == zones[name])
            if found:
                return found, zones[name]
        if name in services:
            return (services[name],), None
        known = ", ".join(zone.id for zone in self.plan.queues)
        self._bad(
            f"没有专区或事项 {quoted(name)}，专区有：{known}",
            f"there is no zone or service {quoted(name)}; zones are {known}",
            nearest(name, [*zones, *services]),
        )
        return None

    def _check(self, variant: Variant) -> None:
        after = planned(self.plan, variant)
        touched = {no for change in variant.changes for no in change.windows}
        for window in after.windows:
            if window.no in touched and not window.serves and not window.relief:
                self._bad(
                    f"{window.no} 号窗口没有可办的事项，请写 {window.no}=专区",
                    f"window {window.no} would serve nothing: write {window.no}=ZONE",
                )
        served = {service for it in after.windows if it.staffed for service in (*it.serves, *it.relief)}
        before = {service for it in self.plan.windows if it.staffed for service in (*it.serves, *it.relief)}
        for service in sorted(before - served):
            self._bad(f"没有窗口再办理 {service}", f"no window would serve {service} any more")

    def _bad(self, zh: str, en: str, suggestion: str | None = None) -> None:
        self.problems.append(_problem(self.source, self.line, f"{zh}。", f"{en[0].upper()}{en[1:]}.", suggestion))
