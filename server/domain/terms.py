"""The words of a hall: ids, states and the plan of zones, services and windows.

A *hall* is one site with one ledger and one business day in its own time zone. A *zone* is a part of it with its own
waiting area; a *service* is what the visitor came for and belongs to a zone; a *window* serves services. A service has
a letter prefix; services with the same prefix share one *series* of numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NewType
from zoneinfo import ZoneInfo

HallId = NewType("HallId", str)
FloorId = NewType("FloorId", str)
ZoneId = NewType("ZoneId", str)
ServiceId = NewType("ServiceId", str)
PriorityId = NewType("PriorityId", str)
WindowNo = NewType("WindowNo", str)  # as painted on the window: "7", "2-03"
TicketId = NewType("TicketId", str)  # business day and label: "20260302-A012", unique in the hall for ever
Label = NewType("Label", str)  # printed and spoken: "A012"
Track = NewType("Track", str)  # unguessable token of the visitor's phone page
WorkId = NewType("WorkId", str)  # a clerk's work id (工号)
DeviceId = NewType("DeviceId", str)
TenantId = NewType("TenantId", str)  # a unit that shares the hall with others
AppointmentId = NewType("AppointmentId", str)  # unguessable, as a track is: who has it may cancel
CaseId = NewType("CaseId", str)  # business day and number: "C20260302-001", unique in the hall for ever
Text = Mapping[str, str]  # a name in each language of the hall: {"zh": "税务", "en": "Tax"}

ORDINARY = PriorityId("ordinary")
APPOINTMENT = PriorityId("appointment")
LEGS_MAX = 8  # stops of one joint matter, those done included
UNDO_S = 5  # so long a page offers to take the last move at a window back
LEG_AGE_MAX_MIN = 30  # of the time spent on the legs before that counts as waiting for the next


class TicketStatus(StrEnum):
    """Where a ticket (号票) stands; the last four are final."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
    MISSED = "missed"
    AWAY = "away"
    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AwayFor(StrEnum):
    """What a visit that is away from the windows waits for."""

    PAPERS = "papers"  # the visitor fetches what the one-time notice (一次告知) named
    RESULT = "result"  # the back office decides; then it waits at a pickup window (出件)


class AppointmentStatus(StrEnum):
    """Where an appointment (预约) stands; all but the first are final."""

    BOOKED = "booked"
    KEPT = "kept"
    CANCELLED = "cancelled"
    MISSED = "missed"


class BookedWith(StrEnum):
    """What a visitor who books alone gives, so that nobody fills the slots: one booking a day is for one of these."""

    IDENTITY_NUMBER = "identity_number"
    PHONE_NUMBER = "phone_number"


class Shut(StrEnum):
    """Why a day between bookable ones cannot be booked."""

    CLOSED = "closed"
    """A holiday, or a day that the hall file closes."""
    NO_HOURS = "no_hours"
    """The service has no hours on such a day."""


class CaseKind(StrEnum):
    """What a case (台账) is about."""

    AGENCY = "agency"  # 代办/帮办: done for somebody by one agent from beginning to end
    VISIT = "visit"  # 上门办: at the visitor's home, at a time agreed
    RATING = "rating"  # 差评整改: what a bad grade was about


class CaseStatus(StrEnum):
    """Where a case stands; the last three are final."""

    OPEN = "open"
    HANDED_OVER = "handed_over"  # on its way to another hall
    FINISHED = "finished"
    WITHDRAWN = "withdrawn"  # 终止委托
    PASSED_ON = "passed_on"  # the other hall has it


class LegStatus(StrEnum):
    """Where a leg (联办环节) of a joint matter stands; one is active at a time."""

    DONE = "done"
    ACTIVE = "active"
    PLANNED = "planned"


class WindowStatus(StrEnum):
    """What a window is doing; calling and serving follow from its current ticket."""

    CLOSED = "closed"
    OPEN = "open"
    CALLING = "calling"
    SERVING = "serving"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """Why a window is paused; shown on its strip."""

    LUNCH = "lunch"
    DOCUMENT = "document"
    MEETING = "meeting"
    TOILET = "toilet"
    FAULT = "fault"
    OTHER = "other"
    LEFT_ALONE = "left_alone"  # nobody at the window for too long; set by the clock only


class Place(StrEnum):
    """Where a transferred ticket joins the waiting of its new service."""

    FRONT = "front"
    END = "end"
    BY_ARRIVAL = "by_arrival"


class ZoneKind(StrEnum):
    """What happens in a zone; only `queue` has windows and numbers of its own."""

    QUEUE = "queue"
    SELF_SERVICE = "self_service"  # machines, often round the clock (自助服务区)
    GUIDE = "guide"  # the guide desk and what stands around it (引导台)


class ServiceKind(StrEnum):
    """What a visitor comes for: a matter of its own, the result of one, advice, or to complain."""

    ORDINARY = "ordinary"
    PICKUP = "pickup"  # 出件: collects what was decided behind the windows
    CONSULT = "consult"  # 咨询
    COMPLAINT = "complaint"  # 投诉, “办不成事”反映


class Employment(StrEnum):
    """How who holds a post is employed."""

    CIVIL_SERVANT = "civil_servant"  # 公务员
    INSTITUTION = "institution"  # 事业编
    THIRD_PARTY = "third_party"  # 政府购买服务
    PUBLIC_WELFARE = "public_welfare"  # 公益岗
    SECONDED = "seconded"  # 借调


class CallingRule(StrEnum):
    """Which waiting visitor a window calls (`[routing] rule`)."""

    BALANCED = "balanced"  # the zone that is worst off, by wait and by the minutes to clear it; own work first
    OLDEST_WAITING = "oldest_waiting"  # the most urgent of all it may serve; own work counts `home_credit_min` older
    HOME_FIRST = "home_first"  # own work while somebody waits for it, else the most urgent
    STATIC = "static"  # own work only: nobody relieves


class PlanSource(StrEnum):
    """Where the settings that a hall runs with were said last: in its file, or on its page by somebody who may."""

    FILE = "file"
    PAGE = "page"


class NoticeKind(StrEnum):
    """What is told to another system, for the visitor's phone (`[notify] events`)."""

    CALLED = "called"
    NEAR = "near"
    MISSED = "missed"
    MOVED = "moved"
    RESULT = "result"


class ActorKind(StrEnum):
    """Who may be behind a command."""

    PERSON = "person"
    DEVICE = "device"
    VISITOR = "visitor"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asked: kept with every commit. `source` is the network address it came from."""

    kind: ActorKind
    id: str
    source: str = ""


CLOCK = Actor(kind=ActorKind.CLOCK, id="clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One storey of the hall."""

    id: FloorId
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A unit that shares the hall with others: the city's centre and the district's under one roof (合署办公)."""

    id: TenantId
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Opening hours of some days (mon .. sun, market); clock times as "08:30".

    With `zones` or `services` they are for these only (weekend duty), beside what is open anyhow.
    """

    days: tuple[str, ...]
    opens: str
    closes: str
    zones: tuple[ZoneId, ...] = ()
    services: tuple[ServiceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A part of the day in which at most `quota` numbers of a service are given; clock times as "08:30"."""

    starts: str
    ends: str
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDays:
    """The market days (集市日): weekdays, ISO dates, and every n-th day counted from an ISO date."""

    weekdays: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    cycles: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When numbers are given. Holidays are ISO dates here already, so that a replay needs no calendar data.

    Without `enforced` the hours are only shown. `last_ticket_min`: minutes before closing at which numbers end; None
    means as soon as the last visitor could not be served any more.
    """

    enforced: bool = False
    closed_days: tuple[str, ...] = ()
    working_days: tuple[str, ...] = ()  # open like a weekday although a weekend or holiday (调休上班)
    market: MarketDays = MarketDays()
    last_ticket_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the hall (专区) with its own waiting area."""

    id: ZoneId
    name: Text
    floor: FloorId | None = None
    board: str | None = None
    hours: tuple[OpeningHours, ...] = ()  # its own, instead of the hall's
    always_open: bool = False  # 24 hours, holidays too
    trial_from: str | None = None  # ISO dates, both days included
    trial_to: str | None = None
    kind: ZoneKind = ZoneKind.QUEUE
    about: Text | None = None  # what can be done there
    tenant: TenantId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What a visitor should know before coming (办事指南): basis, papers to bring, how long it takes, what it costs."""

    basis: Text | None = None
    materials: tuple[Text, ...] = ()
    time: Text | None = None
    fee: Text | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a visitor comes for (事项). Numbers run from `first` to `last` in the series of `prefix`.

    `day_quota` and `slots` bound how many numbers are given in a business day and in parts of it.
    """

    id: ServiceId
    name: Text
    zone: ZoneId
    prefix: str
    first: int = 1
    last: int = 9999
    department: str | None = None
    minutes_typical: float = 10.0
    target_wait_min: float = 20.0
    day_quota: int | None = None
    slots: tuple[Slot, ...] = ()
    kind: ServiceKind = ServiceKind.ORDINARY
    flags: tuple[str, ...] = ()  # marks: cross_province, in_province, one_thing, immediate, fee
    tenant: TenantId | None = None
    matter_code: str | None = None  # 事项编码, for the provincial exchange of ratings (好差评)
    legs: tuple[ServiceId, ...] = ()  # what a number for a joint matter plans by itself; the first is this service
    appointments: int | None = None  # bookable numbers in each slot; None: not bookable
    common: bool = False  # many come for it: offered first
    asks_case: bool = False  # a kiosk asks for the case number (办件编号) before it gives a number
    guide: Guide | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tide:
    """Other duties of a window at certain minutes of each day (潮汐窗口)."""

    id: str
    from_min: int
    to_min: int
    serves: tuple[ServiceId, ...]
    relief: tuple[ServiceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window (窗口).

    `serves` is its own work, `relief` what it takes over when that needs it more, `trained` what its clerks could do
    besides, once somebody switches it on, and `tides` other duties at certain times of day.

    A window that is not `staffed` (未派驻) has a number and a desk but nobody is sent to it; one that does not decide
    (只收不办) takes papers in for somebody else.
    """

    no: WindowNo
    name: Text
    zone: ZoneId
    floor: FloorId | None = None
    serves: tuple[ServiceId, ...] = ()
    relief: tuple[ServiceId, ...] = ()
    trained: tuple[ServiceId, ...] = ()
    tides: tuple[Tide, ...] = ()
    staffed: bool = True
    decides: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """A kiosk as its device is named: where it stands, what it shows, how many numbers it gives in a business day."""

    id: DeviceId
    name: Text
    floor: FloorId | None = None
    zones: tuple[ZoneId, ...] = ()  # only these, in this order; empty: all
    day_quota: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRule:
    """Why somebody is ahead. Urgency grows as `slope` x waiting time + `head_start_min`.

    Accumulating priority never starves anybody: an ordinary ticket old enough beats every fresh priority one.
    `from_age`: who is so old and shows a card is offered it without being asked.
    Source: Kleinrock 1964; Stanford, Taylor, Ziedins 2014.
    """

    id: PriorityId
    name: Text
    question: Text | None = None
    slope: float = 3.0
    head_start_min: float = 10.0
    from_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneLeg:
    """A finished leg of a joint matter: what for, where and when (Unix ms)."""

    service: ServiceId
    window: WindowNo
    finished_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A clerk's post: what a work id is called on console and manager page, and its role (primary, relief, guide)."""

    work_id: WorkId
    name: str
    windows: tuple[WindowNo, ...] = ()
    role: str = "primary"
    department: str | None = None  # the unit that sends the clerk (派出单位)
    employment: Employment = Employment.CIVIL_SERVANT
    chief: bool = False  # signs for the department in the hall (首席代表)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """The rules of appointments (预约); `days_ahead` counts open days, today as the first, the others every day."""

    slot_min: int = 30
    days_ahead: int = 5
    early_min: int = 15  # checked in so early, or so late, an appointment still goes ahead
    late_min: int = 15
    cancel_before_min: int = 120
    per_day: int = 1  # open bookings of one visitor on one day
    no_shows: int = 3  # so many within `within_days` block booking for `blocked_days` from the last one; 0: never
    within_days: int = 90
    blocked_days: int = 30
    online: BookedWith | None = None  # visitors book by themselves with this; None: through the hall only


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """What keeps visitors with a priority from filling a window: both off where a plan does not say.

    At most `ratio` priority calls in a row while an ordinary visitor waits; who has waited `oldest_first_after_min`
    minutes goes before every priority. 0: off.
    """

    ratio: int = 0
    oldest_first_after_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyRules:
    """Which system is told (`url`, None: none) of which events; `near`: so many before somebody are few."""

    url: str | None = None
    events: tuple[NoticeKind, ...] = ()
    near: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRules:
    """What a bad grade sets off: grades up to `bad_grade` open a case that is due by working days; 0: none do.

    `at_window_s`: so long after a visit the tablet at the window asks for its grade.
    """

    follow_up_working_days: int = 5
    bad_grade: int = 2
    appeal_working_days: int = 3
    at_window_s: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRules:
    """Cases taken on for somebody (代办): when a hand-over that is due today alarms, and which halls take them over."""

    alarm_before_close_min: int = 30
    partners: tuple[HallId, ...] = ()  # empty: any hall


@dataclass(frozen=True, kw_only=True)
class HallPlan:
    """The structure of a hall as its file describes it; `digest` tells one file from another."""

    hall: HallId
    name: Text
    time_zone: str
    languages: tuple[str, ...]
    day_starts_min: int = 360  # minutes after midnight at which the business day turns
    floors: tuple[Floor, ...] = ()
    zones: tuple[Zone, ...] = ()
    services: tuple[Service, ...] = ()
    windows: tuple[Window, ...] = ()
    priorities: tuple[PriorityRule, ...] = ()
    recalls_max: int = 5
    reinstate_after_calls: int = 3
    reinstate_times: int = 1
    rule: CallingRule = CallingRule.OLDEST_WAITING  # plans of the first versions say nothing and meant this
    home_credit_min: float = 8.0  # a window's own work counts this much older than relief work
    hours: tuple[OpeningHours, ...] = ()
    calendar: Calendar = Calendar()
    posts: tuple[Post, ...] = ()
    ticket_languages: tuple[str, ...] = ()
    ticket_fields: tuple[str, ...] = ()  # what stands on paper, in order; empty: everything in the usual order
    call_languages: tuple[str, ...] = ()
    call_yao: bool = False  # the 1 of a ticket is read 幺
    ticket_logo: str = ""  # PNG of one bit in base64
    notice: Text | None = None
    advice: Text | None = None
    address: Text | None = None
    public_url: str | None = None
    tenants: tuple[Tenant, ...] = ()
    kiosks: tuple[Kiosk, ...] = ()
    bookings: BookingRules = BookingRules()
    fairness: Fairness = Fairness()
    left_alone_min: int = 0  # minutes without a sign of life at a window after which it is paused; 0: never
    ratings: RatingRules = RatingRules()
    agency: AgencyRules = AgencyRules()
    notify: NotifyRules = NotifyRules()
    digest: str = ""

    @cached_property
    def zone(self) -> dict[ZoneId, Zone]:
        """Give the zones by id."""
        return {zone.id: zone for zone in self.zones}

    @cached_property
    def queues(self) -> tuple[Zone, ...]:
        """Give the zones in which visitors queue: not the self-service area, not the guide desk."""
        return tuple(zone for zone in self.zones if zone.kind is ZoneKind.QUEUE)

    @cached_property
    def service(self) -> dict[ServiceId, Service]:
        """Give the services by id."""
        return {service.id: service for service in self.services}

    @cached_property
    def window(self) -> dict[WindowNo, Window]:
        """Give the windows by number."""
        return {window.no: window for window in self.windows}

    @cached_property
    def priority(self) -> dict[PriorityId, PriorityRule]:
        """Give the priority rules by id; `ordinary` and `appointment` are always there."""
        ordinary = PriorityRule(id=ORDINARY, name={"zh": "普通", "en": "Ordinary"}, slope=1.0, head_start_min=0.0)
        booked = PriorityRule(id=APPOINTMENT, name={"zh": "预约", "en": "Appointment"}, slope=3.0, head_start_min=20.0)
        return {ORDINARY: ordinary, APPOINTMENT: booked} | {rule.id: rule for rule in self.priorities}

    @cached_property
    def post(self) -> dict[WorkId, Post]:
        """Give the posts by work id."""
        return {post.work_id: post for post in self.posts}

    @cached_property
    def tenant(self) -> dict[TenantId, Tenant]:
        """Give the tenants by id."""
        return {tenant.id: tenant for tenant in self.tenants}

    @cached_property
    def kiosk(self) -> dict[DeviceId, Kiosk]:
        """Give the kiosks by the name of their device."""
        return {kiosk.id: kiosk for kiosk in self.kiosks}

    @cached_property
    def closed_days(self) -> frozenset[str]:
        """Give the closed days of the calendar."""
        return frozenset(self.calendar.closed_days)

    @cached_property
    def working_days(self) -> frozenset[str]:
        """Give the days that are open like a weekday."""
        return frozenset(self.calendar.working_days)

    @cached_property
    def zone_info(self) -> ZoneInfo:
        """Give the hall's time zone."""
        return ZoneInfo(self.time_zone)


def business_day(plan: HallPlan, now_ms: int) -> date:
    """Give the business day at an instant: it turns at `day_starts_min` in the hall's own time zone."""
    local = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(plan.zone_info)
    return (local - timedelta(minutes=plan.day_starts_min)).date()


def label_of(prefix: str, number: int) -> Label:
    """Give the label printed and spoken: A001 .. A999, then A1000."""
    return Label(f"{prefix}{number:03d}")


def ticket_id_of(day: date, label: Label) -> TicketId:
    """Give the id a ticket keeps for ever."""
    return TicketId(f"{day:%Y%m%d}-{label}")
