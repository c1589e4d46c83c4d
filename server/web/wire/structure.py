"""What a hall looks like, and how it stands."""

from typing import Annotated

from pydantic import Field

from server.domain.terms import (
    BookedWith,
    PauseReason,
    ServiceKind,
    WindowStatus,
    ZoneKind,
)
from server.web.wire.words import Answer, Eta, Instant, Text


class HallSummary(Answer):
    """A hall in the list of halls."""

    hall: str
    name: Text
    time_zone: str
    languages: list[str]
    business_day: str
    drill: bool


class Halls(Answer):
    """The halls of this server."""

    halls: list[HallSummary]


class Floor(Answer):
    """A storey."""

    floor: str
    name: Text


class Tenant(Answer):
    """A unit that shares the hall with others (合署办公)."""

    tenant: str
    name: Text


class Zone(Answer):
    """A part of the hall with its own waiting area; only `queue` has windows and services.

    `about` says what can be done there; a trial runs from `trial_from` to `trial_to`, ISO dates, both included.
    `hours` are its own, instead of the hall's.
    """

    zone: str
    name: Text
    kind: ZoneKind
    about: Text | None
    tenant: str | None
    floor: str | None
    board: str | None
    always_open: bool
    trial_from: str | None
    trial_to: str | None
    hours: list["OpeningHours"]


class Guide(Answer):
    """What a visitor should know before coming (办事指南); what the hall does not say is null or empty."""

    basis: Text | None
    materials: list[Text]
    time: Text | None
    fee: Text | None
    phone: str | None


class Service(Answer):
    """What visitors come for; `windows` serve it as their own work now.

    `flags` are marks (cross_province, in_province, one_thing, immediate, fee); `legs` what one number of a joint
    matter goes through, this service first; `appointments` bookable numbers per slot, null when it is not bookable;
    `common`: many come for it; `asks_case`: a kiosk asks for the case number first.

    `pinyin` spells name, zone and department, for search: "yin/xing hang/xing" has a syllable per character, and every
    reading of it.
    """

    service: str
    name: Text
    zone: str
    prefix: str
    kind: ServiceKind
    flags: list[str]
    tenant: str | None
    department: str | None
    matter_code: str | None
    legs: list[str]
    appointments: int | None
    minutes_typical: float
    windows: list[str]
    common: bool
    asks_case: bool
    pinyin: list[str]
    guide: Guide | None


class HallWindow(Answer):
    """A window and what it serves now; not `staffed` (未派驻): nobody is sent to it; not `decides`: takes in only."""

    window: str
    name: Text
    zone: str
    floor: str | None
    serves: list[str]
    relief: list[str]
    staffed: bool
    decides: bool


class Kiosk(Answer):
    """A kiosk by the name of its device; `zones` are those it offers, in this order, empty for all."""

    kiosk: str
    name: Text
    floor: str | None
    zones: list[str]
    day_quota: int | None


class Priority(Answer):
    """Why a visitor may go ahead, and the question that the kiosk asks."""

    priority: str
    name: Text
    question: Text | None


class OpeningHours(Answer):
    """Opening hours of some days (mon .. sun, market); with `zones` or `services` for these only (weekend duty)."""

    days: list[str]
    opens: str
    closes: str
    zones: list[str]
    services: list[str]


class BookingRules(Answer):
    """The rules of appointments: minutes of a slot, open days ahead (today included), and what not coming costs.

    An appointment goes ahead from `early_min` before its slot to `late_min` after it; visitors cancel up to
    `cancel_before_min` before. `no_shows` within `within_days` block booking for `blocked_days`; 0: never.
    """

    slot_min: int
    days_ahead: int
    early_min: int
    late_min: int
    cancel_before_min: int
    per_day: int
    no_shows: int
    within_days: int
    blocked_days: int
    online: Annotated[
        BookedWith | None, Field(description="Visitors book by themselves with this number; null: they do not.")
    ]


class Fairness(Answer):
    """Priority calls in a row at most, and minutes after which an ordinary visitor goes first; 0: off."""

    ratio: int
    oldest_first_after_min: int


class RatingRules(Answer):
    """Grades up to `bad_grade` open a follow-up; due dates in working days. `at_window_s`: how long a tablet asks."""

    at_window_s: int
    bad_grade: int
    follow_up_working_days: int
    appeal_working_days: int


class AgencyRules(Answer):
    """When a hand-over due today alarms, and the halls cases may go to; empty: any."""

    alarm_before_close_min: int
    partners: list[str]


class Hall(Answer):
    """The structure of a hall, names in all its languages; `open` by its hours now, else from `opens_at` on."""

    hall: str
    name: Text
    time_zone: str
    languages: list[str]
    drill: bool
    floors: list[Floor]
    tenants: list[Tenant]
    zones: list[Zone]
    services: list[Service]
    windows: list[HallWindow]
    kiosks: list[Kiosk]
    priorities: list[Priority]
    hours: list[OpeningHours]
    bookings: BookingRules
    fairness: Fairness
    left_alone_min: int
    ratings: RatingRules
    agency: AgencyRules
    open: bool
    opens_at: Instant | None
    notice: Text | None
    advice: Text | None


class ZoneState(Answer):
    """Who waits in a zone."""

    zone: str
    waiting: int
    oldest_wait_s: int | None
    open_windows: int


class ServiceState(Answer):
    """Who waits for a service; `ahead` and `eta` are what a visitor coming now would be told.

    `open`: numbers are given now; `left`: how many the quotas leave now (null: no quota). When none is given,
    `opens_at` says when again.
    """

    service: str
    zone: str
    waiting: int
    ahead: int
    oldest_wait_s: int | None
    open_windows: int
    eta: Eta | None
    open: bool
    opens_at: Instant | None
    left: int | None


class WindowState(Answer):
    """What a window is doing; `since` is when that began."""

    window: str
    status: WindowStatus
    ticket: str | None
    label: str | None
    service: str | None
    clerk: str | None
    pause_reason: PauseReason | None
    since: Instant | None
    serves: list[str]
    relief: list[str]
    held: list[str]


class HallState(Answer):
    """The hall as of commit `seq`; `open` by its hours, else from `opens_at` on.

    `offline`: a kiosk's own server says it, which cannot reach the hall: nobody knows who waits.
    """

    seq: int
    business_day: str
    day_open: bool
    open: bool
    opens_at: Instant | None
    zones: list[ZoneState]
    services: list[ServiceState]
    windows: list[WindowState]
    offline: bool = False
