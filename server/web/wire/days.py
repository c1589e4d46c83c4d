"""The day, its commits and its figures."""

from typing import Any, Literal

from server.web.wire.words import Answer, Instant, Text


class DayClosed(Answer):
    """The business day has ended."""

    business_day: str
    seq: int


class CommitActor(Answer):
    """Who asked, from which network address."""

    kind: Literal["person", "device", "visitor", "clock"]
    id: str
    source: str


class CommitRow(Answer):
    """The events of one command: `[name, fields]` each. `hash` is the SHA-256 of `prev_hash` and `body`, as UTF-8."""

    hall: str
    seq: int
    at_ms: int
    day: str
    key: str | None
    actor: CommitActor
    events: list[tuple[str, dict[str, Any]]]
    prev_hash: str
    hash: str
    body: str


class Commits(Answer):
    """The ledger from `after` on; ask again with the last one's seq. `seq` is the newest durable commit."""

    commits: list[CommitRow]
    seq: int


class AuditEntry(Answer):
    """An event of the ledger: who was behind it (`kind` of actor, work id or device, role), from which address, what.

    `place` goes down from page to page. `seq`, `prev_hash` and `hash` are its commit's: `GET .../commits` gives the
    stored form over which the hash is made. Of visitors nothing is said but the ticket.
    """

    place: int
    seq: int
    at: Instant
    kind: Literal["person", "device", "visitor", "clock"]
    who: str | None
    name: str | None
    role: str | None
    source: str | None
    action: str
    text: Text
    window: str | None
    ticket: str | None
    prev_hash: str
    hash: str


class Audit(Answer):
    """What was found, newest first. `next`: ask again with it as `before` for what was earlier; null at the end.

    `indexed` of `seq` commits can be found yet: a long ledger is indexed the first time somebody asks, so ask again.
    """

    entries: list[AuditEntry]
    next: int | None
    indexed: int
    seq: int


class LedgerState(Answer):
    """Where a ledger stands. `head` is the hash of commit `seq`; `state_hash` is over all that the hall knows."""

    hall: str
    seq: int
    head: str
    business_day: str | None
    state_hash: str


class Spread(Answer):
    """How long something took; null when it never happened. Median, P80, P90 and P95 by nearest rank."""

    count: int
    mean_s: int | None
    median_s: int | None
    p80_s: int | None
    p90_s: int | None
    p95_s: int | None


class AppointmentFigures(Answer):
    """Appointments made and given back on the day, for whichever day; kept on it (so many of them late), and missed."""

    booked: int
    kept: int
    late: int
    missed: int
    cancelled: int


class Figures(Answer):
    """wait = first call - issued; walk = start - called; serve = finish - start - held. Rates are 0..1.

    no-show rate = no-shows / issued; overdue rate = waited over target / called; rated rate = rated / visits finished;
    satisfaction = grades 3..5 / rated. `legs`: legs of joint matters after which the visit went on; a zone, service or
    window counts them among its `finished`, the total does not. Calls, waits (since joining) and services are by leg.
    """

    issued: int
    called: int
    finished: int
    legs: int
    no_shows: int
    cancelled: int
    expired: int
    missed: int
    transferred: int
    notices: int
    rated: int
    wait: Spread
    walk: Spread
    serve: Spread
    no_show_rate: float | None
    overdue_rate: float | None
    rated_rate: float | None
    satisfaction: float | None
    appointments: AppointmentFigures


class ZoneFigures(Figures):
    """A zone's day."""

    zone: str


class ServiceFigures(Figures):
    """A service's day."""

    service: str


class WorkFigures(Answer):
    """What was done: serve = finish - start - held; satisfaction = grades 3..5 / rated; `finished` includes `legs`."""

    called: int
    finished: int
    legs: int
    no_shows: int
    serving_s: int
    serve: Spread
    rated: int
    satisfaction: float | None


class DutyFigures(WorkFigures):
    """What was done in which time. `signed_on_s` includes pauses; `paused` gives seconds by reason of the pause.

    Utilisation = serving / signed-on time. `left_alone`: how often the window was paused for want of a sign of life.
    """

    signed_on_s: int
    paused_s: int
    paused: dict[str, int]
    left_alone: int
    utilisation: float | None


class WindowFigures(DutyFigures):
    """A window's day. Load = share of work / share of signed-on time."""

    window: str
    load: float | None


class ClerkFigures(DutyFigures):
    """A clerk's day; the empty work id stands for what happened where nobody had signed on."""

    clerk: str


class DayReport(Answer):
    """The statistics of one business day."""

    hall: str
    business_day: str
    total: Figures
    zones: list[ZoneFigures]
    services: list[ServiceFigures]
    windows: list[WindowFigures]
    clerks: list[ClerkFigures]


class Attendance(Answer):
    """A clerk's day: the first sign-on and the last sign-off.

    Not `signed_off`: still there, or the clock closed the window and `last` is the last thing that was done there.
    `paused` gives seconds by reason of the pause.
    """

    day: str
    first: Instant
    last: Instant
    signed_off: bool
    signed_on_s: int
    paused_s: int
    paused: dict[str, int]
    windows: list[str]


class ClerkMonth(DutyFigures):
    """A clerk's month: attendance and work."""

    clerk: str
    name: str | None
    departments: list[str]
    employment: str | None
    days_present: int
    days: list[Attendance]


class WindowMonth(DutyFigures):
    """A window's month."""

    window: str


class DepartmentMonth(DutyFigures):
    """The month of the clerks whom a department sends; null: of no department."""

    department: str | None


class ServiceMonth(WorkFigures):
    """A service's month; null: nobody knows which."""

    service: str | None


class MatterMonth(WorkFigures):
    """What was done of the matters of a department, by whomever."""

    department: str | None


class TenantMonth(WorkFigures):
    """What was done for a unit that shares the hall."""

    tenant: str | None


class MonthReport(Answer):
    """Attendance and work of a month. Clerks, windows and departments each add up to the total.

    Services, matters and tenants add up to its work. `days` are the business days there were; `meanings` say what the
    figures mean.
    """

    hall: str
    month: str
    days: list[str]
    total: DutyFigures
    clerks: list[ClerkMonth]
    windows: list[WindowMonth]
    departments: list[DepartmentMonth]
    services: list[ServiceMonth]
    matters: list[MatterMonth]
    tenants: list[TenantMonth]
    meanings: list[Text]


class DayFigures(Figures):
    """The hall on a business day."""

    day: str


class HourFigures(Figures):
    """The hall in an hour of the day (0..23); legs count among its `finished`."""

    hour: int


class MatterFigures(Figures):
    """The matters of a department; null: the hall file names none."""

    department: str | None


class TenantFigures(Figures):
    """A unit that shares the hall; null: of none."""

    tenant: str | None


class WindowHour(Answer):
    """What a window finished in an hour of the day, and how long that took on average."""

    window: str
    hour: int
    finished: int
    serve_mean_s: int


class FollowUp(Answer):
    """A bad grade (1 or 2) and what came of it.

    `status`: none (no case was opened for it), open, overdue, appealed, finished, struck (an appeal was upheld: it does
    not count). `outcome` and `by` say how it ended, while that is known.
    """

    ticket: str
    label: str
    service: str
    window: str | None
    clerk: str | None
    grade: int
    rated_at: Instant
    case: str | None
    status: Literal["none", "open", "overdue", "appealed", "finished", "struck"]
    due: str | None
    by: str | None
    outcome: str | None


class PeriodReport(Answer):
    """The business days of a hall from `first` to `last`, cut in every way. `days` are those there were.

    `counted_until` is set while the last of them goes on. What visitors met: `total`, `days`,
    `hours`, `zones`, `services`, `matters`, `tenants`. Who worked: `duty`, `windows`, `clerks`, `departments`.
    """

    hall: str
    first: str
    last: str
    counted_until: Instant | None
    total: Figures
    days: list[DayFigures]
    hours: list[HourFigures]
    zones: list[ZoneFigures]
    services: list[ServiceFigures]
    matters: list[MatterFigures]
    tenants: list[TenantFigures]
    duty: DutyFigures
    windows: list[WindowFigures]
    window_hours: list[WindowHour]
    clerks: list[ClerkMonth]
    departments: list[DepartmentMonth]
    follow_ups: list[FollowUp]
    meanings: list[Text]
