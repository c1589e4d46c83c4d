"""What came out, for people and for machines: tables with the meaning of their figures below, and JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass

from server.console import columns, say
from server.domain.terms import HallPlan, ZoneId
from server.simulate.compare import Range, difference, mean_wait
from server.simulate.measure import Measures, day_mean, measure
from server.simulate.play import Outcome
from server.simulate.training import Found, is_trained

GAP = "  "
NOTHING = "—"
PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A variant: what came of it, its mean wait with its range, and the difference to the first variant.

    `is_real`: nothing was tried, this is what the ledger says.
    """

    name: str
    measures: Measures
    mean: Range
    against: Range | None
    outcomes: tuple[Outcome, ...]
    is_real: bool = False


def rows_of(
    names: Sequence[str],
    plan: HallPlan,
    found: Sequence[Sequence[Outcome]],
    *,
    really: Sequence[Outcome] = (),
) -> list[Row]:
    """Give the rows of variants that were played on the same days; before them what `really` came of these days."""
    real = Row(
        name=say("实际（账本）", "what happened (ledger)"),
        measures=measure(plan, really),
        mean=mean_wait(really),
        against=None,
        outcomes=tuple(really),
        is_real=True,
    )
    return ([real] if really else []) + [
        Row(
            name=name,
            measures=measure(plan, outcomes),
            mean=mean_wait(outcomes),
            against=difference(outcomes, found[0]) if place else None,
            outcomes=tuple(outcomes),
        )
        for place, (name, outcomes) in enumerate(zip(names, found, strict=True))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table for people; the first column is text, the others are figures."""

    title: str
    head: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def tables(plan: HallPlan, rows: Sequence[Row]) -> list[Table]:
    """Give the tables: variants below each other, and zones with the mean wait of each variant."""
    return [_variants(plan, rows), _zones(plan, rows), *([_told(rows)] if any(it.measures.told for it in rows) else [])]


def as_text(plan: HallPlan, rows: Sequence[Row]) -> str:
    """Give the tables as text, and what their figures mean."""
    parts = [f"{it.title}\n\n{table(it.head, it.cells)}" for it in tables(plan, rows)]
    return "\n\n".join([*parts, legend()])


def as_answer(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Give the rows for JSON; null for what could not be measured."""
    return [
        {
            "name": row.name,
            "is_real": row.is_real,
            "mean_wait_min": plain(row.mean),
            "against_first_min": plain(row.against),
            **_measures(row.measures),
            "days": [
                {
                    "day": it.day,
                    "visitors": it.visitors,
                    "mean_wait_min": plain(day_mean(it)),
                    "no_shows": it.no_shows,
                    "turned_away": it.turned_away,
                    "gave_up": it.gave_up,
                    "left_over": it.left_over,
                }
                for it in row.outcomes
            ],
        }
        for row in rows
    ]


def training_text(plan: HallPlan, found: Found, rows: Sequence[Row], searched: int) -> str:
    """Give what to train, what it saves and how sure that is."""
    days = say(
        f"在 {searched} 天上搜索，用另外 {rows[0].measures.days} 天检验。",
        f"Searched on {searched} days, judged on {rows[0].measures.days} others.",
    )
    if not found.pairs:
        nothing = say("没有找到值得做的培训。", "No training was found that would save anything.")
        return f"{nothing} {days}"
    head = (
        say("窗口", "window"),
        say("所在专区", "its zone"),
        say("培训", "train for"),
        say("少了它多等（分钟）", "more waiting without it (min)"),
        "",
    )
    cells = []
    for pair, share in zip(found.pairs, found.shares, strict=True):
        name = zone_name(plan, pair.zone) if pair.zone else name_of(plan.service[pair.services[0]].name)
        notes = [] if share.is_clear else [say("不确定", "not sure")]
        notes += [say("已受训，只需启用", "trained already: switch it on")] if is_trained(plan, pair) else []
        cells.append(
            (
                pair.window,
                zone_name(plan, plan.window[pair.window].zone),
                name,
                ranged(share, sign=True),
                "; ".join(notes),
            )
        )
    before, after = rows[0].mean.value, rows[1].mean.value
    hours = found.gain.value * sum(len(it.waits) for it in found.before) / len(found.before) / 60
    saved = say(
        f"平均等候 {before:.1f} → {after:.1f} 分钟，减少 {ranged(found.gain)}；每天共省 {hours:.0f} 小时。",
        f"Mean wait {before:.1f} -> {after:.1f} min, {ranged(found.gain)} less: {hours:.0f} hours of visitors a day.",
    )
    if found.gain.low > 0:
        sure = ""
    else:
        sure = say(
            "但这些天看不出它与零有区别：不值得据此安排培训。\n",
            "But on these days that cannot be told from nothing: no reason to train anybody.\n",
        )
    changes = ", ".join(f"{pair.window}+={pair.zone or pair.services[0]}" for pair in found.pairs)
    again = say(f"逐日再看：--what-if '{changes}'", f"To look at it again: --what-if '{changes}'")
    return f"{table(head, cells)}\n\n{saved}\n{sure}{days}\n{again}\n\n{as_text(plan, rows)}"


def training_answer(
    plan: HallPlan, found: Found, rows: Sequence[Row], days: str, *, searched: int, seed: int
) -> dict[str, object]:
    """Give what to train for JSON."""
    return {
        "hall": plan.hall,
        "days": days,
        "seed": seed,
        "days_searched": searched,
        "days_judged": rows[0].measures.days,
        "train": [
            {
                "window": pair.window,
                "home_zone": plan.window[pair.window].zone,
                "zone": pair.zone,
                "services": list(pair.services),
                "more_waiting_without_min": plain(share),
                "is_clear": share.is_clear,
                "trained_already": is_trained(plan, pair),
            }
            for pair, share in zip(found.pairs, found.shares, strict=True)
        ],
        "gain_min": plain(found.gain),
        "is_clear": found.gain.low > 0,
        "variants": as_answer(rows),
    }


def plain(value: object) -> object:
    """Give a value as JSON has it: null for NaN, four places for fractions."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    match value:
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case float():
            return None if math.isnan(value) else round(value, 4)
        case _:
            return value


def name_of(names: Mapping[str, str]) -> str:
    """Give a name in the reader's language."""
    return names.get(say("zh", "en")) or names.get("zh") or next(iter(names.values()), "")


def zone_name(plan: HallPlan, zone: ZoneId | None) -> str:
    """Give the name of a zone in the reader's language."""
    return name_of(plan.zone[zone].name) if zone is not None else NOTHING


def number(value: float, places: int = 1) -> str:
    """Give a number, or a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:.{places}f}"


def percent(value: float) -> str:
    """Give a share in percent."""
    return NOTHING if math.isnan(value) else f"{value * PERCENT:.0f} %"


def ranged(it: Range, *, sign: bool = False) -> str:
    """Give a figure with its range: 17.5 (13.2 … 21.8)."""
    form = "+.1f" if sign else ".1f"
    return f"{it.value:{form}}" + ("" if math.isnan(it.low) else f" ({it.low:{form}} … {it.high:{form}})")


def table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Give a table as text: the first column to the left, figures to the right."""
    lines = [list(head), *(list(row) for row in cells)]
    widths = [max(columns(row[place]) for row in lines) for place in range(len(head))]
    return "\n".join(
        GAP.join(
            cell + " " * (width - columns(cell)) if place == 0 else " " * (width - columns(cell)) + cell
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


def _variants(plan: HallPlan, rows: Sequence[Row]) -> Table:
    head = [
        say("方案", "variant"),
        say("平均等候", "mean wait"),
        *([say("相差", "difference")] if len(rows) > 1 else []),
        say("中位", "median"),
        "P90",
        say("最差专区 P95", "worst zone P95"),
        say("超时", "overdue"),
        say("冷热不均", "cold"),
        say("利用率", "busy"),
        say("离散", "spread"),
        say("弃号", "no-shows"),
        say("未取到号", "no number"),
        say("未办", "left over"),
        say("加班", "overtime"),
    ]
    cells = []
    for row in rows:
        it = row.measures
        cells.append(
            [
                row.name,
                ranged(row.mean),
                *([NOTHING if row.against is None else ranged(row.against, sign=True)] if len(rows) > 1 else []),
                number(it.median),
                number(it.p90),
                f"{number(it.worst_p95, 0)} {zone_name(plan, it.worst_zone)}",
                percent(it.overdue),
                percent(it.cold),
                percent(it.utilisation),
                number(it.utilisation_cv, 2),
                number(it.no_shows_a_day, 0),
                number(it.turned_away_a_day, 0),
                number(it.left_over_a_day, 1 if 0 < it.left_over_a_day < 1 else 0),
                number(it.overtime_min, 0),
            ]
        )
    days = rows[0].measures.days
    title = say(f"{days} 天，各方案面对相同的群众", f"{days} {_days(days)}; every variant meets the same visitors")
    return Table(title=title, head=tuple(head), cells=tuple(tuple(row) for row in cells))


def _days(count: int) -> str:
    return "day" if count == 1 else "days"


def _zones(plan: HallPlan, rows: Sequence[Row]) -> Table:
    """Give the zones: visitors a day, the mean wait of each variant, of a single one the P95 and who is overdue."""
    several = len(rows) > 1
    means = [row.name for row in rows] if several else [say("平均等候", "mean wait")]
    head = [say("专区", "zone"), say("每日等候人次", "waits a day"), *means]
    head += [] if several else ["P95", say("超时", "overdue")]
    cells = []
    for place, zone in enumerate(rows[0].measures.zones):
        if zone.a_day:
            waits = [number(row.measures.zones[place].mean) for row in rows]
            more = [] if several else [number(zone.p95), percent(zone.overdue)]
            cells.append((zone_name(plan, zone.zone), number(zone.a_day, 0), *waits, *more))
    return Table(title=say("各专区平均等候", "Mean wait by zone"), head=tuple(head), cells=tuple(cells))


def _told(rows: Sequence[Row]) -> Table:
    """Give how right the waits were that visitors were told with their numbers."""
    head = (
        say("方案", "variant"),
        say("告知人数", "told"),
        say("平均误差", "mean error"),
        say("与平均等候之比", "of the mean wait"),
        say("偏差", "bias"),
        say("在八成区间内", "within the 80 % range"),
    )
    cells = []
    for row in rows:
        it = row.measures
        cells.append(
            (
                row.name,
                str(it.told),
                number(it.told_mae),
                number(it.told_mae / it.mean if it.mean else math.nan, 2),
                number(it.told_bias),
                percent(it.told_within),
            )
        )
    title = say("取号时告知的等候（分钟）", "The wait foretold with the number (minutes)")
    return Table(title=title, head=head, cells=tuple(cells))


def legend() -> str:
    """Say what the figures mean."""
    zh = (
        "等候为分钟，从取号（后续环节从转入）到呼叫；括号内为 95 % 区间（按天）。超时：等候超过事项目标的比例。\n"
        "冷热不均：有窗口空闲而有人已等候 10 分钟以上的时间比例。利用率：办理时间 / 开窗时间；离散：各窗口利用率的\n"
        "变异系数。相差：与第一个模拟的方案逐日相比。加班：关门后办完最后一位的分钟数。其余为每日人数。"
    )
    en = (
        "Waits are minutes from taking the number (a later leg: from joining) to the call; in brackets the 95 % range\n"
        "over the days. overdue: waited over the target of the service. cold: share of the time in which a window is\n"
        "idle while somebody has waited for more than 10 minutes. busy: serving over open time; spread: its variation\n"
        "between the windows. difference: to the first variant that was played, day by day. overtime: minutes after\n"
        "closing until the last visitor is done. The rest: visitors a day."
    )
    return say(zh, en)


def _measures(it: Measures) -> dict[str, object]:
    found = plain(it)
    assert isinstance(found, dict)
    for gone in ("days", "mean"):
        del found[gone]
    return found
