"""`jiaohao report`: a day, a week, a month or some days of a hall for people, spreadsheets and machines.

The figures come from the ledger of the data folder, which may be read while its server writes, or from a server
elsewhere. Both give the same answer, that of `/reports/day`, `/reports/month` and `/reports/period`.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import requests

from server.console import say
from server.domain import events as e
from server.domain.terms import HallPlan, TicketId, business_day
from server.ledger import files
from server.ledger.base import Commit, LedgerBroken, LedgerDown
from server.people import People, PeopleError
from server.projections import month as months
from server.projections import period as periods
from server.projections import report as days
from server.projections.report import Counts, DayCounting
from server.projections.standing import standing_of
from server.tables import Answer, Report, names_of

ASK_WITHIN_S = 60.0  # a month of a big hall is counted while we wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Business days from the first to the last, both included (ISO dates)."""

    first: str
    last: str

    @classmethod
    def week_of(cls, day: str) -> "Span":
        """Give the week of a day (ISO date), from Monday to Sunday."""
        monday = date.fromisoformat(day)
        monday -= timedelta(days=monday.weekday())
        return cls(first=monday.isoformat(), last=(monday + timedelta(days=6)).isoformat())


class ReportError(Exception):
    """There is no report; `zh` and `en` say why in one clear line. `bad_input`: what was asked is at fault."""

    def __init__(self, zh: str, en: str, *, bad_input: bool = False) -> None:
        """Keep both sentences."""
        self.zh, self.en, self.bad_input = zh, en, bad_input
        super().__init__(en)


# ------------------------------------------------------------------------------------------------------- from a ledger


def of_ledger(
    data: Path,
    hall: str | None,
    *,
    day: str | None = None,
    week: str | None = None,
    month: str | None = None,
    span: Span | None = None,
) -> Report:
    """Give the report of a day, else of the week of a day, of a month, of some days; "" is the newest one.

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
        if week is not None:
            span = Span.week_of(week or newest)
        if span is not None:
            return _period(path, plan, span, now_ms, _names_of_people(data))
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
    return Report(answer=_plain(days.answer_of(plan.hall, report)), names=names_of(plan))


def _month(path: Path, plan: HallPlan, month: str, now_ms: int, people: Mapping[str, str]) -> Report:
    wanted = months.days_of_month(month)
    after = files.before_day(path, wanted[0])
    struck = _struck(path, after)
    total, seen = Counts(), list[str]()
    for day, counts in _counted(path, plan, Span(first=wanted[0], last=wanted[-1]), now_ms):
        total.add(counts, struck=struck)
        seen.append(day)
    if not seen:
        raise ReportError(f"{month} 没有营业记录", f"there was no business day in {month}")
    report = months.month_report(plan, month, tuple(seen), total.work, names=people)
    return Report(answer=_plain(months.answer_of(plan, report)), names=names_of(plan))


def _period(path: Path, plan: HallPlan, span: Span, now_ms: int, people: Mapping[str, str]) -> Report:
    after = files.before_day(path, span.first)
    period = periods.Period.of(plan, _struck(path, after))
    for day, counts in _counted(path, plan, span, now_ms):
        period.add(day, counts)
    if not period.days:
        raise ReportError(
            f"{span.first} 至 {span.last} 没有营业记录", f"there was no business day from {span.first} to {span.last}"
        )
    later = DayCounting(plan, "9999-12-31")  # what became of bad grades since
    for of, commit, event in _events(path, files.before_day(path, span.last), "9999-12-31"):
        if of > span.last:
            later.take(event, commit.at_ms)
    since = later.total(now_ms).visits
    period.counts.visits.ended |= since.ended
    period.counts.visits.appeals |= since.appeals
    today = business_day(plan, now_ms).isoformat()
    answer = periods.answer_of(
        period,
        first=span.first,
        last=span.last,
        until_ms=now_ms if today in period.days else None,
        names=people,
        today=today,
        cases=None,
    )
    return Report(answer=_plain(answer), names=names_of(plan))


def _counted(path: Path, plan: HallPlan, span: Span, now_ms: int) -> Iterator[tuple[str, Counts]]:
    """Give (business day, its counts) for every day of a span that there was."""
    counting: tuple[str, DayCounting] | None = None
    told = _events(path, files.before_day(path, span.first), span.last)
    for day, commit, event in standing_of(told, key=lambda it: (it[1].at_ms, it[2])):
        if day < span.first:
            continue
        if counting is None or counting[0] != day:
            if counting is not None:
                yield counting[0], counting[1].total(now_ms)
            counting = day, DayCounting(plan, day)
        counting[1].take(event, commit.at_ms)
    if counting is not None:
        yield counting[0], counting[1].total(now_ms)


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


def _plain(answer: Answer) -> Answer:
    """Give an answer as JSON would bring it, so that both sources are the same to the last type."""
    return dict(json.loads(json.dumps(answer)))


# ------------------------------------------------------------------------------------------------------- from a server


def of_server(
    url: str,
    token: str,
    hall: str | None,
    *,
    day: str | None = None,
    week: str | None = None,
    month: str | None = None,
    span: Span | None = None,
) -> Report:
    """Give the report of a day, else of the week of a day, of a month, of some days, from a server; "" is its own.

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
    if week is not None:
        span = Span.week_of(week or str(_asked(f"{base}/halls/{hall}/state", token)["business_day"]))
    if span is not None:
        what, which = "period", {"from": span.first, "to": span.last}
    elif day is not None:
        what, which = "day", {"date": day}
    else:
        what, which = "month", {"month": month or ""}
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
