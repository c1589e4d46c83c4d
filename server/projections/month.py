"""A month of a hall: attendance and work of every clerk, window, department, service and tenant.

All rows are sums of the same counts (`server.projections.work`): clerks, windows and departments each add up to the
total; services, matters (事项主管部门) and tenants add up to its work. A clerk's department is that of the post in the
hall file (派出单位), without one that of the window's services when they have only one between them. The meaning of
every figure stands in `MEANINGS` and is printed under each table.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypeVar

from server.domain.terms import HallPlan, ServiceId, TenantId, WindowNo, WorkId
from server.projections.common import instant
from server.projections.report import rows
from server.projections.work import (
    Attendance,
    Done,
    Duty,
    DutyFigures,
    Work,
    WorkFigures,
    by_clerk,
    by_seat,
    by_service,
    by_window,
    duty_figures,
    paused_s,
    work_figures,
)

K = TypeVar("K", bound=str)

ATTENDANCE_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        "在岗＝从开窗（接班）到关窗（交班），含暂停；出勤＝有在岗时间的天数。",
        "signed on: from opening a window (or taking it over) to closing it (or handing it over), pauses included.",
    ),
    (
        "未签退：当天没有关窗，由系统次日关闭；算到窗口当天最后一次操作。",
        "not signed off: the window was closed by the clock; counted until the last thing done there that day.",
    ),
)
DUTY_MEANINGS: tuple[tuple[str, str], ...] = (
    *ATTENDANCE_MEANINGS,
    (
        "利用率＝办理时间÷在岗；无人＝窗口因长时间无人操作被自动暂停的次数。",
        "utilisation = serving / signed on. left alone: how often it was paused for want of any sign of life.",
    ),
)
WORK_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        "叫号、办结、弃号归当时在岗的人；办结含联办各环节。",
        "calls, finished and no-shows are of who sat there then; finished includes the legs of joint matters.",
    ),
    (
        "办理时间＝窗口前有群众的时间，换岗时归当时在岗的人。",
        "serving: time with a visitor at the window, of whoever sat there.",
    ),
    (
        "每件办理＝办结－开始－挂起；没按“开始”的从呼叫算起。",
        "serve = finish - start - held; from the call when no start was pressed.",
    ),
    (
        "满意率＝3 至 5 分÷已评价；没评价不算满意，申诉成立的不计。",
        "satisfaction = grades 3..5 / rated; unrated is not satisfied, grades struck by an appeal do not count.",
    ),
)
MEANINGS = (*DUTY_MEANINGS, *WORK_MEANINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkMonth:
    """A clerk's month; `days` is by business day. `name` and `departments` are empty when nobody knows them."""

    clerk: WorkId
    name: str
    departments: tuple[str, ...]
    employment: str
    figures: DutyFigures
    days: Mapping[str, Attendance]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthReport:
    """A month (YYYY-MM) of a hall; `days` are the business days that there were, ISO."""

    hall: str
    month: str
    days: tuple[str, ...]
    total: DutyFigures
    clerks: tuple[ClerkMonth, ...]
    windows: Mapping[WindowNo, DutyFigures]
    departments: Mapping[str, DutyFigures]
    services: Mapping[ServiceId, WorkFigures]
    matters: Mapping[str, WorkFigures]
    tenants: Mapping[TenantId, WorkFigures]


def month_report(
    plan: HallPlan, month: str, days: tuple[str, ...], work: Work, *, names: Mapping[str, str] | None = None
) -> MonthReport:
    """Give the report of the counts of a month; `names` gives clerks' names that the hall file does not."""
    windows = {window.no: (Duty(), Done()) for window in plan.windows if window.staffed} | by_window(work)
    total = by_seat(work, lambda *_: "").get("", (Duty(), Done()))
    return MonthReport(
        hall=plan.hall,
        month=month,
        days=days,
        total=duty_figures(*total),
        clerks=tuple(
            _clerk(plan, clerk, duty_figures(*counts), work, names or {})
            for clerk, counts in sorted(by_clerk(work).items())
        ),
        windows={no: duty_figures(*counts) for no, counts in windows.items()},
        departments={
            name: duty_figures(*counts)
            for name, counts in sorted(by_seat(work, lambda clerk, no: _department(plan, clerk, no)).items())
        },
        services=_of_services(by_service(work, lambda service: service)),
        matters=_of_services(by_service(work, lambda service: department_of(plan, service))),
        tenants=_of_services(by_service(work, lambda service: tenant_of(plan, service))),
    )


def answer_of(plan: HallPlan, report: MonthReport) -> dict[str, Any]:
    """Give the report as the wire has it: {hall, month, days, total, clerks: [...], ..., meanings: [{zh, en}]}."""
    return {
        "hall": report.hall,
        "month": report.month,
        "days": list(report.days),
        "total": asdict(report.total),
        "clerks": [
            {
                "clerk": one.clerk,
                "name": one.name or None,
                "departments": list(one.departments),
                "employment": one.employment or None,
                "days_present": len(one.days),
                "days": [
                    {
                        "day": day,
                        "first": instant(plan, it.first_ms),
                        "last": instant(plan, it.last_ms),
                        "signed_off": it.signed_off,
                        "signed_on_s": it.signed_on_ms // 1000,
                        "paused_s": it.paused_ms.total() // 1000,
                        "paused": paused_s(it.paused_ms),
                        "windows": list(it.windows),
                    }
                    for day, it in one.days.items()
                ],
                **asdict(one.figures),
            }
            for one in report.clerks
        ],
        "windows": rows("window", report.windows),
        "departments": rows("department", report.departments),
        "services": rows("service", report.services),
        "matters": rows("department", report.matters),
        "tenants": rows("tenant", report.tenants),
        "meanings": [{"zh": zh, "en": en} for zh, en in MEANINGS],
    }


def days_of_month(month: str) -> list[str]:
    """Give the days of a month (YYYY-MM), ISO. Raises ValueError when there is no such month."""
    first = date.fromisoformat(f"{month}-01")
    return [first.replace(day=day).isoformat() for day in range(1, monthrange(first.year, first.month)[1] + 1)]


def _clerk(plan: HallPlan, clerk: WorkId, figures: DutyFigures, work: Work, names: Mapping[str, str]) -> ClerkMonth:
    post = plan.post.get(clerk)
    departments = {_department(plan, clerk, no) for who, no in work.duties if who == clerk}
    return ClerkMonth(
        clerk=clerk,
        name=post.name if post is not None and post.name else names.get(clerk, ""),
        departments=tuple(sorted(departments - {""})),
        employment=post.employment.value if post is not None else "",
        figures=figures,
        days=dict(sorted(work.days.get(clerk, {}).items())),
    )


def _department(plan: HallPlan, clerk: WorkId, no: WindowNo) -> str:
    post, window = plan.post.get(clerk), plan.window.get(no)
    if post is not None and post.department:
        return post.department
    of_window = {department_of(plan, service) for service in window.serves} if window is not None else set()
    return next(iter(of_window)) if len(of_window) == 1 else ""


def department_of(plan: HallPlan, service: ServiceId) -> str:
    """Give the department whose matter a service is (主管部门), empty when the hall file does not say."""
    known = plan.service.get(service)
    return (known.department if known is not None else None) or ""


def tenant_of(plan: HallPlan, service: ServiceId) -> TenantId:
    """Give the unit of several under one roof that a service belongs to, empty where there is only one."""
    known = plan.service.get(service)
    return (known.tenant if known is not None else None) or TenantId("")


def _of_services(sums: Mapping[K, Done]) -> dict[K, WorkFigures]:
    return {key: work_figures(sums[key]) for key in sorted(sums)}
