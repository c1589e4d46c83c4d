"""A described day: how busy a hall is, when, and with what work, for halls without a past to learn from.

Everything has a default, and all of it is assumed, for measured halls are rare: a rush in the morning and a smaller one
at 14:30, noise by the quarter of an hour and by zone, 8 % who do not come, 10 % with a priority, 8 % of those who can
book with an appointment, 6 % who go on to a second service; clerks of different speed, typed-in minutes that are wrong
by 15 %, and 10 % slower work outside the own zone. A TOML file says otherwise; every error is told at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from config.positions import Spot, spot_of
from config.problems import Finding, Problem, TablePath, dotted, nearest, quoted
from config.text import tables_of, text_of
from server.domain.terms import HallPlan, ServiceId, ZoneId
from server.simulate.visits import DAY, MIN

LOAD_MAX = 3.0
TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An ordinary day of a hall. Clock times are ms after midnight; shares are parts of one."""

    load: float | None = 0.9  # offered work over the minutes windows are open; None: what the visitors make it
    opens_ms: int = 510 * MIN  # where the hall file has no hours
    closes_ms: int = 1050 * MIN
    numbers_end_min: float = 30.0  # nobody comes in the last minutes before a service closes for the day
    lunch: tuple[int, ...] = (720 * MIN, 780 * MIN, 840 * MIN)  # turns of an hour where the hours go through it
    busy: tuple[tuple[int, float], ...] = (  # from when on, how busy
        (0, 1.45),
        (630 * MIN, 1.0),
        (720 * MIN, 0.7),
        (840 * MIN, 1.0),
        (870 * MIN, 1.3),
        (960 * MIN, 0.9),
    )
    at_the_door: float = 0.02  # who waits when the hall opens
    quarter_noise: float = 0.2  # variation of a quarter of an hour
    zone_noise: float = 0.15  # of a zone's day
    no_show: float = 0.08
    no_show_min: float = 1.0  # what it costs to wait for somebody who does not come
    priority: float = 0.10
    appointment: float = 0.08
    second_service: float = 0.06
    speed_spread: float = 0.15  # of the clerks
    minutes_wrong: float = 0.15  # of the typed-in minutes
    variation: float = 0.6  # of the minutes of one visit
    away_slower: float = 0.10
    stays_min: float = 30.0  # windows go on into a break of their whole zone while somebody waits
    change_min: float = 0.5  # lost when a window changes to another zone's work
    heat: Mapping[ZoneId, float] = field(default_factory=dict)  # how busy a zone is against the others; 1
    visitors: Mapping[ServiceId, float] = field(default_factory=dict)  # a day
    minutes: Mapping[ServiceId, float] = field(default_factory=dict)  # true ones; else the typed-in, wrong as above
    variations: Mapping[ServiceId, float] = field(default_factory=dict)


class DescribedError(ValueError):
    """The file describes no day; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, never empty."""
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{each.file}:{each.line}: {each.sentence('en')}" for each in problems))


def read(path: Path, plan: HallPlan) -> Described:
    """Give the day that a file describes for a hall.

    Raises:
        DescribedError: with everything that is wrong with it.
    """
    reader = _Reader(path, plan)
    found = reader.read()
    if reader.problems:
        raise DescribedError(sorted(reader.problems, key=lambda each: (each.line, each.column)))
    return found


Check = Callable[[object], tuple[float, None] | tuple[None, tuple[str, str]]]


def _number(low: float, high: float) -> Check:
    def check(value: object) -> tuple[float, None] | tuple[None, tuple[str, str]]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return None, (f"请写 {low:g} 到 {high:g} 之间的数字", f"write a number from {low:g} to {high:g}")
        return float(value), None

    return check


def clock_ms(text: object) -> int | None:
    """Read a clock time "08:30" as ms after midnight, or give None."""
    found = TIME.fullmatch(text) if isinstance(text, str) else None
    at_ms = (int(found[1]) * 60 + int(found[2])) * MIN if found else -1
    return at_ms if 0 <= at_ms <= DAY else None


_SHARE = _number(0, 0.9)
_SPREAD = _number(0, 2)
_TABLES: dict[str, dict[str, tuple[str, Check]]] = {  # table -> key -> (field, what it may be)
    "day": {"load": ("load", _number(0.05, LOAD_MAX)), "numbers_end_min": ("numbers_end_min", _number(0, 240))},
    "arrivals": {
        "at_the_door": ("at_the_door", _SHARE),
        "quarter_noise": ("quarter_noise", _SPREAD),
        "zone_noise": ("zone_noise", _SPREAD),
    },
    "visitors": {
        "no_show": ("no_show", _SHARE),
        "no_show_min": ("no_show_min", _number(0, 60)),
        "priority": ("priority", _SHARE),
        "appointment": ("appointment", _SHARE),
        "second_service": ("second_service", _SHARE),
    },
    "clerks": {
        "speed_spread": ("speed_spread", _SPREAD),
        "minutes_wrong": ("minutes_wrong", _SPREAD),
        "variation": ("variation", _number(0.01, 3)),
        "away_slower": ("away_slower", _number(0, 3)),
        "change_min": ("change_min", _number(0, 60)),
        "stays_min": ("stays_min", _number(0, 240)),
    },
}
_TIMES = {"opens": "opens_ms", "closes": "closes_ms"}
_OF_DAY = (*_TABLES["day"], *_TIMES, "lunch")
_OF_ARRIVALS = (*_TABLES["arrivals"], "busy")
_OF_SERVICE: dict[str, tuple[str, Check]] = {
    "visitors": ("visitors", _number(0, 20_000)),
    "minutes": ("minutes", _number(0.1, 600)),
    "variation": ("variations", _number(0.01, 3)),
}
_OF_ZONE: dict[str, tuple[str, Check]] = {"heat": ("heat", _number(0, 20))}


class _Reader:
    """One pass over one file: what it says, and problems."""

    def __init__(self, path: Path, plan: HallPlan) -> None:
        self.path, self.plan = path, plan
        self.problems: list[Problem] = []
        self.spots: dict[TablePath, Spot] = {}
        self.said: dict[str, object] = {}

    def read(self) -> Described:
        text, unreadable = text_of(self.path, ())
        if unreadable is not None:
            self._note(*unreadable)
            return Described()
        data, self.spots, broken = tables_of(text)
        for spot, finding in broken:
            self._note(spot, finding)
        for table, content in (data or {}).items():
            if table in ("zones", "services"):
                self._by_id(table, content)
            elif table in _TABLES:
                self._table(table, content)
            else:
                self._unknown((table,), [*_TABLES, "zones", "services"])
        found = replace(Described(), **self.said)  # type: ignore[arg-type]  # each was checked by its own rule
        if found.opens_ms >= found.closes_ms:
            self._bad(("day", "closes"), "closes 必须晚于 opens", "closes must be later than opens")
        if found.priority + found.appointment > 1:
            self._bad(("visitors",), "priority 与 appointment 之和不能超过 1", "priority and appointment exceed 1")
        if found.visitors and "load" not in self.said:
            return replace(found, load=None)
        return found

    def _table(self, table: str, content: object) -> None:
        if not isinstance(content, dict):
            self._bad((table,), f"请写成表 [{table}]", f"write a table [{table}]")
            return
        for key, value in content.items():
            path = (table, key)
            if key in _TABLES[table]:
                name, check = _TABLES[table][key]
                self._take(path, name, check, value)
            elif table == "day" and key in _TIMES:
                at_ms = clock_ms(value)
                if at_ms is None:
                    self._bad(path, '请写成 "08:30" 这样的时刻', 'write a clock time such as "08:30"')
                else:
                    self.said[_TIMES[key]] = at_ms
            elif table == "day" and key == "lunch":
                self._lunch(path, value)
            elif table == "arrivals" and key == "busy":
                self._busy(path, value)
            else:
                known = _OF_DAY if table == "day" else _OF_ARRIVALS if table == "arrivals" else tuple(_TABLES[table])
                self._unknown(path, known)

    def _lunch(self, path: TablePath, value: object) -> None:
        times = [clock_ms(each) for each in value] if isinstance(value, list) else [None]
        known = [at_ms for at_ms in times if at_ms is not None]
        if len(known) != len(times) or len(known) == 1 or known != sorted(set(known)):
            self._bad(
                path,
                '请写成递增的时刻，如 ["12:00", "13:00", "14:00"]；没有轮班午休写 []',
                'write clock times in order, ["12:00", "13:00", "14:00"]; [] for no lunch in turns',
            )
        else:
            self.said["lunch"] = tuple(known)

    def _busy(self, path: TablePath, value: object) -> None:
        rows = value.items() if isinstance(value, dict) else []
        found = [(clock_ms(key), each) for key, each in rows]
        check = _number(0, 50)
        if not found or any(at_ms is None or check(each)[1] for at_ms, each in found):
            self._bad(
                path,
                '请写成时刻 = 忙闲系数，如 { "08:30" = 1.45, "10:30" = 1.0 }',
                'write clock time = how busy, such as { "08:30" = 1.45, "10:30" = 1.0 }',
            )
            return
        steps = sorted((at_ms, float(each)) for at_ms, each in found if at_ms is not None)
        if not any(each for _, each in steps):
            self._bad(path, "至少有一段要大于 0", "at least one must be above 0")
        self.said["busy"] = ((0, steps[0][1]), *steps)

    def _by_id(self, table: str, content: object) -> None:
        keys = _OF_ZONE if table == "zones" else _OF_SERVICE
        ids = [it.id for it in self.plan.queues] if table == "zones" else [it.id for it in self.plan.services]
        if not isinstance(content, dict):
            self._bad((table,), f"请写成表 [{table}.名称]", f"write tables [{table}.NAME]")
            return
        for id_, row in content.items():
            if id_ not in ids:
                self._unknown((table, id_), [str(each) for each in ids])
            elif not isinstance(row, dict):
                self._bad((table, id_), f"请写成表 [{table}.{id_}]", f"write a table [{table}.{id_}]")
            else:
                for key, value in row.items():
                    if key not in keys:
                        self._unknown((table, id_, key), list(keys))
                        continue
                    name, check = keys[key]
                    self._take((table, id_, key), name, check, value, id_)

    def _take(self, path: TablePath, name: str, check: Check, value: object, id_: str | None = None) -> None:
        found, wrong = check(value)
        if wrong is not None:
            self._bad(path, *wrong)
        elif id_ is None:
            self.said[name] = found
        else:
            of_id = self.said.setdefault(name, {})
            assert isinstance(of_id, dict)
            of_id[id_] = found

    def _unknown(self, path: TablePath, known: Sequence[str]) -> None:
        key = str(path[-1])
        guess = nearest(key, known)
        listed = ", ".join(known)
        self._note(
            spot_of(self.spots, path),
            Finding(
                path=path,
                code="unknown_key",
                zh=f"这里没有 {quoted(key)}，可以写：{listed}。",
                en=f"There is no {quoted(key)} here; known are {listed}.",
                suggestion=guess,
            ),
        )

    def _bad(self, path: TablePath, zh: str, en: str) -> None:
        place = dotted(path)
        finding = Finding(path=path, code="bad_value", zh=f"{place}：{zh}。", en=f"{place}: {en}.")
        self._note(spot_of(self.spots, path), finding)

    def _note(self, spot: Spot, found: Finding) -> None:
        self.problems.append(
            Problem(
                file=str(self.path),
                line=spot.line,
                column=spot.column,
                path=dotted(found.path),
                code=found.code,
                zh=found.zh,
                en=found.en,
                suggestion=found.suggestion,
            )
        )
