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
Text = Mapping[str, str]  # a name in each language of the hall: {"zh": "税务", "en": "Tax"}

ORDINARY = PriorityId("ordinary")
LEGS_MAX = 8  # stops of one joint matter, those done included
LEG_AGE_MAX_MIN = 30  # of the time spent on the legs before that counts as waiting for the next


class TicketStatus(StrEnum):
    """Where a ticket (号票) stands; the last four are final."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
    MISSED = "missed"
    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


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


class Place(StrEnum):
    """Where a transferred ticket joins the waiting of its new service."""

    FRONT = "front"
    END = "end"
    BY_ARRIVAL = "by_arrival"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window (窗口): `serves` is its own work, `relief` what it takes over when its own is quiet."""

    no: WindowNo
    name: Text
    zone: ZoneId
    floor: FloorId | None = None
    serves: tuple[ServiceId, ...] = ()
    relief: tuple[ServiceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRule:
    """Why somebody is ahead. Urgency grows as `slope` x waiting time + `head_start_min`.

    Accumulating priority never starves anybody: an ordinary ticket old enough beats every fresh priority one.
    Source: Kleinrock 1964; Stanford, Taylor, Ziedins 2014.
    """

    id: PriorityId
    name: Text
    question: Text | None = None
    slope: float = 3.0
    head_start_min: float = 10.0


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
    home_credit_min: float = 8.0  # a window's own work counts this much older than relief work
    hours: tuple[OpeningHours, ...] = ()
    calendar: Calendar = Calendar()
    posts: tuple[Post, ...] = ()
    ticket_languages: tuple[str, ...] = ()
    notice: Text | None = None
    advice: Text | None = None
    address: Text | None = None
    public_url: str | None = None
    digest: str = ""

    @cached_property
    def zone(self) -> dict[ZoneId, Zone]:
        """Give the zones by id."""
        return {zone.id: zone for zone in self.zones}

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
        """Give the priority rules by id; `ordinary` is always there."""
        ordinary = PriorityRule(id=ORDINARY, name={"zh": "普通", "en": "Ordinary"}, slope=1.0, head_start_min=0.0)
        return {ORDINARY: ordinary} | {rule.id: rule for rule in self.priorities}

    @cached_property
    def post(self) -> dict[WorkId, Post]:
        """Give the posts by work id."""
        return {post.work_id: post for post in self.posts}

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
