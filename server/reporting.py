"""`jiaohao report`: a day or a month of a hall as tables for people, spreadsheets and machines.

The figures come from the ledger of the data folder, which may be read while its server writes, or from a server
elsewhere. Both give the same answer, that of `/reports/day` and `/reports/month`; tables are made of it here. Under
each table stands what its figures mean.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import xlsxwriter

from server.console import columns, say
from server.domain import events as e
from server.domain.terms import HallPlan, TicketId
from server.ledger import files
from server.ledger.base import Commit, LedgerBroken, LedgerDown
from server.people import People, PeopleError
from server.projections import month as months
from server.projections import report as days
from server.projections.standing import standing_of
from server.projections.work import Counting, Work

ASK_WITHIN_S = 60.0  # a month of a big hall is counted while we wait
GAP = "  "
NOTHING = "—"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula

Answer = dict[str, Any]


class ReportError(Exception):
    """There is no report; `zh` and `en` say why in one clear line. `bad_input`: what was asked is at fault."""

    def __init__(self, zh: str, en: str, *, bad_input: bool = False) -> None:
        """Keep both sentences."""
        self.zh, self.en, self.bad_input = zh, en, bad_input
        super().__init__(en)


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
        """Give the day or month."""
        return str(self.answer.get("business_day") or self.answer.get("month"))


# ------------------------------------------------------------------------------------------------------- from a ledger


def of_ledger(data: Path, hall: str | None, *, day: str | None = None, month: str | None = None) -> Report:
    """Give the report of a day, else of a month, from the ledger in a data folder; "" is the newest one.

    Raises:
        ReportError: no such hall or day, or the ledger cannot be read.
    """
    path = _ledger(data, hall)
    try:
        plan = _plan(path)
        now_ms = int(time.time() * 1000)
        newest = files.newest_day(path)
        if day is not None:
            return _day(path, plan, day or newest, now_ms)
        return _month(path, plan, month or newest[:7], now_ms, _names_of_people(data))
    except (LedgerBroken, LedgerDown) as error:
        raise ReportError(f"账本读不了：{error}", f"the ledger cannot be read: {error}") from error


def _ledger(data: Path, hall: str | None) -> Path:
    known = files.ledgers(data)
    if not known:
        raise ReportError(
            f"{data} 里没有账本；请用 --data 写明数据文件夹，或用 --server 向服务器要",
            f"there is no ledger in {data}: name the data folder with --data, or ask a server with --server",
            bad_input=True,
        )
    if hall is None and len(known) == 1:
        return next(iter(known.values()))
    found = known.get(hall or "")
    if found is None:
        names = ", ".join(known)
        raise ReportError(
            f"请用 --hall 写明大厅：{names}", f"name the hall with --hall, one of: {names}", bad_input=True
        )
    return found


def _plan(path: Path) -> HallPlan:
    for commit in files.holding(path, e.HallPlanned, newest=True):
        for event in reversed(commit.events):
            if isinstance(event, e.HallPlanned):
                return event.plan
    raise ReportError(f"{path} 里还没有大厅", f"{path} has no hall yet")


def _struck(path: Path, after: int) -> frozenset[TicketId]:
    return frozenset(
        event.ticket
        for commit in files.holding(path, e.AppealDecided, after=after)
        for event in commit.events
        if isinstance(event, e.AppealDecided) and event.upheld and event.ticket is not None
    )


def _day(path: Path, plan: HallPlan, day: str, now_ms: int) -> Report:
    after = files.before_day(path, day)
    events = [(commit.at_ms, event) for of, commit, event in _events(path, after, day) if of == day]
    if not events:
        raise ReportError(f"{day} 没有营业记录", f"there was no business day {day}")
    report = days.day_report(plan, day, events, now_ms=now_ms, struck=_struck(path, after))
    return Report(answer=_plain(days.answer_of(plan.hall, report)), names=_names_of_plan(plan))


def _month(path: Path, plan: HallPlan, month: str, now_ms: int, people: Mapping[str, str]) -> Report:
    wanted = months.days_of_month(month)
    after = files.before_day(path, wanted[0])
    struck = _struck(path, after)
    work, seen = Work(), list[str]()
    counting: Counting | None = None
    told = _events(path, after, wanted[-1])
    for day, commit, event in standing_of(told, key=lambda it: (it[1].at_ms, it[2])):
        if day < wanted[0]:
            continue
        if not seen or seen[-1] != day:
            if counting is not None:
                work.add(counting.total(now_ms), struck=struck)
            seen.append(day)
            counting = Counting(plan, day)
        if counting is not None:
            counting.take(event, commit.at_ms)
    if counting is None:
        raise ReportError(f"{month} 没有营业记录", f"there was no business day in {month}")
    work.add(counting.total(now_ms), struck=struck)
    report = months.month_report(plan, month, tuple(seen), work, names=people)
    return Report(answer=_plain(months.answer_of(plan, report)), names=_names_of_plan(plan))


def _events(path: Path, after: int, last: str) -> Iterator[tuple[str, Commit, e.Event]]:
    """Give (business day, commit, event) up to the last day; the commit that turns a day belongs to both days."""
    day = ""
    for commit in files.commits(path, after):
        day = day or commit.day
        for event in commit.events:
            if isinstance(event, e.DayOpened):
                day = event.day
            if day > last:
                return
            if day:
                yield day, commit, event


def _names_of_people(data: Path) -> dict[str, str]:
    accounts = data / "accounts.sqlite"
    if not accounts.is_file():
        return {}
    try:
        return {str(user.work_id): user.name for user in People(accounts).users()}
    except (PeopleError, OSError):
        return {}  # names are a courtesy: the figures do not need them


def _names_of_plan(plan: HallPlan) -> dict[str, dict[str, Mapping[str, str]]]:
    return {
        "hall": {plan.hall: plan.name},
        "zone": {it.id: it.name for it in plan.zones},
        "service": {it.id: it.name for it in plan.services},
        "window": {it.no: it.name for it in plan.windows},
        "tenant": {it.id: it.name for it in plan.tenants},
        "clerk": {it.work_id: {"zh": it.name} for it in plan.posts if it.name},
    }


def _plain(answer: Answer) -> Answer:
    """Give an answer as JSON would bring it, so that both sources are the same to the last type."""
    return dict(json.loads(json.dumps(answer)))


# ------------------------------------------------------------------------------------------------------- from a server


def of_server(url: str, token: str, hall: str | None, *, day: str | None = None, month: str | None = None) -> Report:
    """Give the report of a day, else of a month, from a server; "" is the one it is in.

    Raises:
        ReportError: the server does not answer, or says no.
    """
    base = f"{url.rstrip('/')}/api/v1"
    if hall is None:
        halls = [str(row["hall"]) for row in _asked(f"{base}/halls", token)["halls"]]
        if len(halls) != 1:
            names = ", ".join(halls)
            raise ReportError(
                f"请用 --hall 写明大厅：{names}", f"name the hall with --hall, one of: {names}", bad_input=True
            )
        hall = halls[0]
    structure = _asked(f"{base}/halls/{hall}", token)
    what, which = ("day", {"date": day}) if day is not None else ("month", {"month": month})
    answer = _asked(f"{base}/halls/{hall}/reports/{what}", token, {key: it for key, it in which.items() if it})
    known = {
        kind: {str(row[kind]): row["name"] for row in structure[f"{kind}s"]}
        for kind in ("zone", "service", "window", "tenant")
    }
    return Report(answer=answer, names=known | {"hall": {hall: structure["name"]}, "clerk": {}})


def _asked(url: str, token: str, query: Mapping[str, str] | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": say("zh", "en")}
    try:
        response = requests.get(url, params=query, headers=headers, timeout=ASK_WITHIN_S, allow_redirects=False)
        answer = response.json()
    except (requests.RequestException, ValueError) as error:
        raise ReportError(f"服务器 {url} 没有应答：{error}", f"no answer from {url}: {error}") from error
    if not response.ok or not isinstance(answer, dict):
        detail = answer.get("detail", response.reason) if isinstance(answer, dict) else response.reason
        raise ReportError(f"服务器拒绝：{detail}", f"the server says no: {detail}")
    return answer


# -------------------------------------------------------------------------------------------------------------- tables


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
    if "business_day" in answer:
        hall = Column(zh="大厅", en="hall", of=lambda _: named("hall", "hall")(answer), kind="text")
        load = Column(zh="负荷", en="load", of=_field("load"), kind="ratio")
        return [
            table("hall", "全大厅", "The hall", (hall, *VISITS), [answer["total"]]),
            table("zones", "专区", "Zones", (zone, *VISITS), answer["zones"]),
            table("services of a day", "事项", "Services", (service, *VISITS), answer["services"]),
            table("windows of a day", "窗口", "Windows", (window, *DUTY, load), answer["windows"]),
            table("clerks", "人员", "Clerks", (clerk, work_id, *DUTY, *_pauses(answer["clerks"])), answer["clerks"]),
        ]
    of_clerk = Column(
        zh="派出单位", en="department", of=lambda row: "、".join(row.get("departments") or ()) or None, kind="text"
    )
    present = Column(zh="出勤(天)", en="days", of=_field("days_present"))
    attendance = [
        {**day, "clerk": one["clerk"], "name": one.get("name")} for one in answer["clerks"] for day in one["days"]
    ]
    signed_off = ("否", "no"), ("是", "yes")
    found = [
        table(
            "clerks",
            "人员考勤与办件",
            "Clerks",
            (clerk, work_id, of_clerk, present, *DUTY, *_pauses(answer["clerks"])),
            answer["clerks"],
        ),
        table(
            "days",
            "每日考勤",
            "Attendance by day",
            (
                clerk,
                work_id,
                Column(zh="日期", en="day", of=_field("day"), kind="text"),
                Column(zh="上岗", en="from", of=lambda row: _clock(row["first"]), kind="text"),
                Column(zh="下岗", en="to", of=lambda row: _clock(row["last"]), kind="text"),
                Column(zh="已签退", en="signed off", of=lambda row: signed_off[row["signed_off"]][which], kind="text"),
                Column(zh="在岗(时)", en="signed on (h)", of=_field("signed_on_s"), kind="hours"),
                Column(zh="窗口", en="windows", of=lambda row: "、".join(row["windows"]), kind="text"),
            ),
            attendance,
        ),
        table("windows", "窗口", "Windows", (window, *DUTY), answer["windows"]),
        table("departments", "派出单位", "Departments", (department, *DUTY), answer["departments"]),
        table("services", "事项", "Services", (service, *WORK), answer["services"]),
        table("matters", "事项主管部门", "Departments of the matters", (matter, *WORK), answer["matters"]),
    ]
    if any(row["tenant"] for row in answer["tenants"]):
        found.append(table("tenants", "单位", "Tenants", (tenant, *WORK), answer["tenants"]))
    return found


MEANT = dict.fromkeys(("hall", "zones", "services of a day"), days.MEANINGS) | {
    "clerks": months.MEANINGS,
    "windows": months.MEANINGS,
    "windows of a day": (*months.MEANINGS, days.LOAD_MEANING),
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
            writer.writerow([_harmless(_value(*it)) for it in zip(row, table.kinds, strict=True)])
        writer.writerows([meaning] for meaning in table.meanings)
        writer.writerow([])
    return text.getvalue()


def as_xlsx(found: Sequence[Table], path: Path) -> None:
    """Write a workbook with one sheet for each table; numbers are numbers, times hours and minutes.

    Raises:
        OSError: the file cannot be written.
    """
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
    path.write_bytes(memory.getvalue())


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


def _harmless(value: Any) -> Any:
    """Keep a text that begins like a formula from being one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
