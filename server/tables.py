"""Reports as tables: for a terminal, as CSV and as a workbook, the meaning of the figures under each table.

A report is the answer that the wire gives of it (`/reports/day`, `/reports/month`, `/reports/period`) with the names of
what stands in it, so that the command line and the pages give out the same tables.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from server.console import columns
from server.domain.terms import HallPlan
from server.projections import month as months
from server.projections.report import LOAD_MEANING
from server.projections.visits import HOUR_MEANING
from server.projections.visits import MEANINGS as VISIT_MEANINGS

GAP = "  "
NOTHING = "—"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what a spreadsheet would take for a formula

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says: the answer as the wire has it, and the names (zh or en) of what stands in it by id."""

    answer: Answer
    names: Mapping[str, Mapping[str, Mapping[str, str]]]  # {"zone": {"tax": {"zh": "税务", "en": "Tax"}}, ...}

    @property
    def hall(self) -> str:
        """Give the id of the hall."""
        return str(self.answer["hall"])

    @property
    def when(self) -> str:
        """Give the day, the month, or the first and last day."""
        answer = self.answer
        return str(answer.get("business_day") or answer.get("month") or f"{answer['first']}-{answer['last']}")


def names_of(plan: HallPlan) -> dict[str, dict[str, Mapping[str, str]]]:
    """Give the names of what stands in reports, by kind and id: {"zone": {"tax": {"zh": "税务", ...}}, ...}."""
    return {
        "hall": {plan.hall: plan.name},
        "zone": {it.id: it.name for it in plan.zones},
        "service": {it.id: it.name for it in plan.services},
        "window": {it.no: it.name for it in plan.windows},
        "tenant": {it.id: it.name for it in plan.tenants},
        "clerk": {it.work_id: {"zh": it.name} for it in plan.posts if it.name},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its heading (zh, en), what it gives of a row, and how that is shown."""

    zh: str
    en: str
    of: Callable[[Mapping[str, Any]], Any]
    kind: str = "count"  # text, count, minutes, hours, share


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heading, its columns and rows of plain values (None: there is none), and what they mean."""

    title: str
    heads: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    meanings: tuple[str, ...]


def _field(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    def of(row: Mapping[str, Any]) -> Any:
        found: Any = row
        for name in path:
            found = found.get(name) if found is not None else None
        return found

    return of


VISITS = (
    Column(zh="取号", en="issued", of=_field("issued")),
    Column(zh="叫号", en="called", of=_field("called")),
    Column(zh="办结", en="finished", of=_field("finished")),
    Column(zh="弃号", en="no-shows", of=_field("no_shows")),
    Column(zh="等候均值(分)", en="wait mean (min)", of=_field("wait", "mean_s"), kind="minutes"),
    Column(zh="等候中位(分)", en="wait median (min)", of=_field("wait", "median_s"), kind="minutes"),
    Column(zh="等候P90(分)", en="wait P90 (min)", of=_field("wait", "p90_s"), kind="minutes"),
    Column(zh="办理均值(分)", en="serve mean (min)", of=_field("serve", "mean_s"), kind="minutes"),
    Column(zh="办理中位(分)", en="serve median (min)", of=_field("serve", "median_s"), kind="minutes"),
    Column(zh="弃号率", en="no-show rate", of=_field("no_show_rate"), kind="share"),
    Column(zh="超时率", en="overdue", of=_field("overdue_rate"), kind="share"),
    Column(zh="评价率", en="rated rate", of=_field("rated_rate"), kind="share"),
    Column(zh="满意率", en="satisfaction", of=_field("satisfaction"), kind="share"),
)
WORK = (
    Column(zh="叫号", en="called", of=_field("called")),
    Column(zh="办结", en="finished", of=_field("finished")),
    Column(zh="弃号", en="no-shows", of=_field("no_shows")),
    Column(zh="办理(时)", en="serving (h)", of=_field("serving_s"), kind="hours"),
    Column(zh="办理均值(分)", en="serve mean (min)", of=_field("serve", "mean_s"), kind="minutes"),
    Column(zh="办理中位(分)", en="serve median (min)", of=_field("serve", "median_s"), kind="minutes"),
    Column(zh="已评价", en="rated", of=_field("rated")),
    Column(zh="满意率", en="satisfaction", of=_field("satisfaction"), kind="share"),
)
PAUSES = {
    "lunch": ("午餐", "lunch"),
    "document": ("取件", "documents"),
    "meeting": ("开会", "meeting"),
    "toilet": ("临时离开", "toilet"),
    "fault": ("设备故障", "fault"),
    "other": ("其他", "other"),
    "left_alone": ("无人", "left alone"),
}
DUTY = (
    Column(zh="在岗(时)", en="signed on (h)", of=_field("signed_on_s"), kind="hours"),
    Column(zh="暂停(时)", en="paused (h)", of=_field("paused_s"), kind="hours"),
    *WORK,
    Column(zh="利用率", en="utilisation", of=_field("utilisation"), kind="share"),
    Column(zh="无人(次)", en="left alone", of=_field("left_alone")),
)


def _pauses(rows: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Give a column for every reason for which somebody paused."""

    def of(why: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda row: row["paused"].get(why, 0)

    return tuple(
        Column(zh=f"暂停:{zh}(分)", en=f"paused: {en} (min)", of=of(why), kind="minutes")
        for why, (zh, en) in PAUSES.items()
        if any(why in row["paused"] for row in rows)
    )


def tables(report: Report, language: str) -> list[Table]:
    """Give the tables of a report in a language (zh, otherwise en)."""
    answer, names = report.answer, report.names
    which = 0 if language == "zh" else 1

    def named(kind: str, field: str | None = None) -> Callable[[Mapping[str, Any]], Any]:
        def of(row: Mapping[str, Any]) -> str:
            id_ = row.get(field or kind) or ""
            known = names.get(kind, {}).get(id_, {})
            return known.get(language) or known.get("zh") or id_ or ("未注明", "none given")[which]

        return of

    def table(name: str, zh: str, en: str, shown: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Table:
        return Table(
            title=(zh, en)[which],
            heads=tuple((column.zh, column.en)[which] for column in shown),
            kinds=tuple(column.kind for column in shown),
            rows=tuple(tuple(column.of(row) for column in shown) for row in rows),
            meanings=tuple(pair[which] for pair in MEANT[name]),
        )

    zone = Column(zh="专区", en="zone", of=named("zone"), kind="text")
    service = Column(zh="事项", en="service", of=named("service"), kind="text")
    window = Column(zh="窗口", en="window", of=named("window"), kind="text")
    tenant = Column(zh="单位", en="tenant", of=named("tenant"), kind="text")
    department = Column(zh="派出单位", en="department", of=named("department"), kind="text")
    matter = Column(zh="主管部门", en="department", of=named("department"), kind="text")
    clerk = Column(zh="人员", en="clerk", of=lambda row: row.get("name") or named("clerk")(row), kind="text")
    work_id = Column(zh="工号", en="work id", of=_field("clerk"), kind="text")
    clerks = (clerk, work_id)
    hall = Column(zh="大厅", en="hall", of=lambda _: named("hall", "hall")(answer), kind="text")
    load = Column(zh="负荷", en="load", of=_field("load"), kind="ratio")
    if "business_day" in answer:
        return [
            table("hall", "全大厅", "The hall", (hall, *VISITS), [answer["total"]]),
            table("zones", "专区", "Zones", (zone, *VISITS), answer["zones"]),
            table("services of a day", "事项", "Services", (service, *VISITS), answer["services"]),
            table("windows of a day", "窗口", "Windows", (window, *DUTY, load), answer["windows"]),
            table("clerks", "人员", "Clerks", (*clerks, *DUTY, *_pauses(answer["clerks"])), answer["clerks"]),
        ]
    of_clerk = Column(
        zh="派出单位", en="department", of=lambda row: "、".join(row.get("departments") or ()) or None, kind="text"
    )
    present = Column(zh="出勤(天)", en="days", of=_field("days_present"))
    attendance = [
        {**day, "clerk": one["clerk"], "name": one.get("name")} for one in answer["clerks"] for day in one["days"]
    ]
    signed_off = ("否", "no"), ("是", "yes")
    of_people = [
        table(
            "clerks",
            "人员考勤与办件",
            "Clerks",
            (*clerks, of_clerk, present, *DUTY, *_pauses(answer["clerks"])),
            answer["clerks"],
        ),
        table(
            "days",
            "每日考勤",
            "Attendance by day",
            (
                *clerks,
                Column(zh="日期", en="day", of=_field("day"), kind="text"),
                Column(zh="上岗", en="from", of=lambda row: _clock(row["first"]), kind="text"),
                Column(zh="下岗", en="to", of=lambda row: _clock(row["last"]), kind="text"),
                Column(zh="已签退", en="signed off", of=lambda row: signed_off[row["signed_off"]][which], kind="text"),
                Column(zh="在岗(时)", en="signed on (h)", of=_field("signed_on_s"), kind="hours"),
                *_pauses(attendance),
                Column(zh="窗口", en="windows", of=lambda row: "、".join(row["windows"]), kind="text"),
            ),
            attendance,
        ),
    ]
    departments = table("departments", "派出单位", "Departments", (department, *DUTY), answer["departments"])
    if "month" in answer:
        found = [
            *of_people,
            table("windows", "窗口", "Windows", (window, *DUTY), answer["windows"]),
            departments,
            table("services", "事项", "Services", (service, *WORK), answer["services"]),
            table("matters", "事项主管部门", "Departments of the matters", (matter, *WORK), answer["matters"]),
        ]
        if any(row["tenant"] for row in answer["tenants"]):
            found.append(table("tenants", "单位", "Tenants", (tenant, *WORK), answer["tenants"]))
        return found
    day = Column(zh="日期", en="day", of=_field("day"), kind="text")
    hour = Column(zh="小时", en="hour", of=lambda row: f"{row['hour']:02d}:00", kind="text")
    hours = sorted({row["hour"] for row in answer["window_hours"]})
    of_windows: dict[str, dict[int, int]] = {}
    for row in answer["window_hours"]:
        of_windows.setdefault(row["window"], {})[row["hour"]] = row["finished"]
    found = [
        table("hall", "全大厅", "The hall", (hall, *VISITS), [answer["total"]]),
        table("zones", "按日", "By day", (day, *VISITS), answer["days"]),
        table("hours", "按小时", "By hour", (hour, *VISITS), answer["hours"]),
        table("zones", "专区", "Zones", (zone, *VISITS), answer["zones"]),
        table("zones", "事项", "Services", (service, *VISITS), answer["services"]),
        table("zones", "事项主管部门", "Departments of the matters", (matter, *VISITS), answer["matters"]),
        table("windows of a day", "窗口", "Windows", (window, *DUTY, load), answer["windows"]),
        table(
            "hours",
            "窗口各小时办结",
            "Finished by window and hour",
            (window, *(Column(zh=f"{it:02d}", en=f"{it:02d}", of=_in_hour(it)) for it in hours)),
            [{"window": no, "hours": counts} for no, counts in of_windows.items()],
        ),
        *of_people,
        departments,
        table(
            "follow-ups",
            "差评整改",
            "Bad grades and what came of them",
            (
                Column(zh="时间", en="at", of=lambda row: row["rated_at"][:16].replace("T", " "), kind="text"),
                Column(zh="号票", en="ticket", of=_field("label"), kind="text"),
                service,
                window,
                Column(zh="工号", en="work id", of=_field("clerk"), kind="text"),
                Column(zh="评价", en="grade", of=_field("grade")),
                Column(zh="台账", en="case", of=_field("case"), kind="text"),
                Column(zh="进度", en="status", of=lambda row: FOLLOWED[row["status"]][which], kind="text"),
                Column(zh="期限", en="due", of=_field("due"), kind="text"),
                Column(zh="经办", en="by", of=_field("by"), kind="text"),
                Column(zh="结果", en="outcome", of=_field("outcome"), kind="text"),
            ),
            answer["follow_ups"],
        ),
    ]
    if any(row["tenant"] for row in answer["tenants"]):
        found.append(table("zones", "单位", "Tenants", (tenant, *VISITS), answer["tenants"]))
    return found


def _in_hour(hour: int) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: row["hours"].get(hour, 0)


FOLLOWED = {
    "none": ("未立项", "no case"),
    "open": ("整改中", "open"),
    "overdue": ("已逾期", "overdue"),
    "appealed": ("申诉待复核", "appealed"),
    "finished": ("已办结", "finished"),
    "struck": ("申诉成立，不计", "struck by an appeal"),
}
MEANT = dict.fromkeys(("hall", "zones", "services of a day"), VISIT_MEANINGS) | {
    "hours": (HOUR_MEANING, *VISIT_MEANINGS),
    "follow-ups": (VISIT_MEANINGS[3],),
    "clerks": months.MEANINGS,
    "windows": months.MEANINGS,
    "windows of a day": (*months.MEANINGS, LOAD_MEANING),
    "departments": months.MEANINGS,
    "days": months.ATTENDANCE_MEANINGS,
    "services": months.WORK_MEANINGS,
    "matters": months.WORK_MEANINGS,
    "tenants": months.WORK_MEANINGS,
}


def _clock(instant: str) -> str:
    return instant[11:16]


# ------------------------------------------------------------------------------------------------------------- formats


def as_text(found: Sequence[Table]) -> str:
    """Give tables for a terminal, the meaning of their figures under each."""
    parts = []
    for table in found:
        cells = [table.heads, *(tuple(_shown(*it) for it in zip(row, table.kinds, strict=True)) for row in table.rows)]
        widths = [max(columns(row[column]) for row in cells) for column in range(len(table.heads))]
        lines = [f"== {table.title} =="]
        for row in cells:
            padded = (
                cell + " " * (width - columns(cell)) if kind == "text" else " " * (width - columns(cell)) + cell
                for cell, width, kind in zip(row, widths, table.kinds, strict=True)
            )
            lines.append(GAP.join(padded).rstrip())
        parts.append("\n".join([*lines, *(f"  * {meaning}" for meaning in table.meanings)]))
    return "\n\n".join(parts)


def as_csv(found: Sequence[Table]) -> str:
    """Give all tables as one CSV text (RFC 4180), each with its heading before it and its meanings after it."""
    text = io.StringIO()
    writer = csv.writer(text)
    for table in found:
        writer.writerow([table.title])
        writer.writerow(table.heads)
        for row in table.rows:
            writer.writerow([harmless(_value(*it)) for it in zip(row, table.kinds, strict=True)])
        writer.writerows([meaning] for meaning in table.meanings)
        writer.writerow([])
    return text.getvalue()


def workbook(found: Sequence[Table]) -> bytes:
    """Give a workbook with one sheet for each table; numbers are numbers, times hours and minutes."""
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        looks = {kind: book.add_format({"num_format": look}) for kind, look in LOOKS.items()}
        quiet = book.add_format({"font_color": "#555555"})
        for table in found:
            sheet = book.add_worksheet(table.title[:31])
            sheet.freeze_panes(1, 1)
            for column, head in enumerate(table.heads):
                sheet.write_string(0, column, head, bold)
                texts = [columns(_shown(row[column], table.kinds[column])) for row in table.rows]
                sheet.set_column(column, column, max([9, *(width + 2 for width in texts)]))
            for line, row in enumerate(table.rows, start=1):
                for column, (value, kind) in enumerate(zip(row, table.kinds, strict=True)):
                    known = _value(value, kind)
                    if isinstance(known, str):
                        sheet.write_string(line, column, known)
                    elif known is not None:
                        sheet.write_number(line, column, known, looks[kind])
            for line, meaning in enumerate(table.meanings, start=len(table.rows) + 2):
                sheet.write_string(line, 0, meaning, quiet)
    return memory.getvalue()


LOOKS = {"count": "0", "minutes": "0.0", "hours": "0.00", "share": "0.0%", "ratio": "0.00", "text": "@"}


def _value(value: Any, kind: str) -> Any:
    """Give a value as a spreadsheet takes it: minutes and hours instead of seconds, None for none."""
    match kind:
        case "minutes":
            return None if value is None else round(value / 60, 1)
        case "hours":
            return None if value is None else round(value / 3600, 2)
        case _:
            return value


def _shown(value: Any, kind: str) -> str:
    known = _value(value, kind)
    match kind:
        case _ if known is None:
            return NOTHING
        case "share":
            return f"{known * 100:.1f} %"
        case "minutes":
            return f"{known:.1f}"
        case "hours" | "ratio":
            return f"{known:.2f}"
        case _:
            return str(known)


def harmless(value: Any) -> Any:
    """Keep a text that begins like a formula from being one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
