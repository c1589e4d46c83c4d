"""The hall's own rules behind a virtual clock, for simulations: `make_engine(spec)`.

`decide` and `evolve` of the server on a plan built from the spec: the same routing, learning and forecast, without
ledger, chance or the machine's clock. Times are minutes since midnight (float) of the hall's day; inside they are whole
milliseconds. When the clock goes back by more than an hour a new business day begins: what still waits expires, every
window closes, and what was learned is kept. It learns only from what it is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import NotRequired, TypedDict
from zoneinfo import ZoneInfo

from server.domain import appointments, balance, calendar, forecast
from server.domain import commands as c
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Code, Refusal
from server.domain.state import MS_PER_MIN, HallState
from server.domain.terms import (
    APPOINTMENT,
    CallingRule,
    Fairness,
    HallId,
    HallPlan,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    TicketId,
    TicketStatus,
    Track,
    Window,
    WindowNo,
    WorkId,
    Zone,
    ZoneId,
)

GREEN = PriorityId("green_channel")
TIME_ZONE = "Asia/Shanghai"
FIRST_MIDNIGHT = datetime(2026, 3, 2, tzinfo=ZoneInfo(TIME_ZONE))  # a Monday
BACK_MIN = 60.0  # a clock that goes back further shows the next morning; less is a late word
LAST_NUMBER = 99_999
DEFAULT = CallingRule.BALANCED  # what a hall file says that says nothing ([routing], [fairness])
RULES = {it.value: it for it in CallingRule} | {"oldest": CallingRule.OLDEST_WAITING}
FAIRNESS = Fairness(ratio=2, oldest_first_after_min=30)
SECONDS_PER_MIN = 60.0


class ServiceSpec(TypedDict):
    """A service: its zone, the typed-in minutes of a visit, and the wait that is aimed at."""

    zone: str
    minutes_typical: float
    target_wait_min: NotRequired[float]


class WindowSpec(TypedDict):
    """A window: where it stands, the zones it serves now, and those its clerk is trained for."""

    home: str
    serves: Sequence[str]
    could_serve: NotRequired[Sequence[str]]


class Spec(TypedDict):
    """A hall for `make_engine`."""

    zones: Sequence[str]
    services: Mapping[str, ServiceSpec]
    windows: Mapping[str, WindowSpec]


class Suggestion(TypedDict):
    """Switch a zone on (or off, where it is served) at a window; `gain`: minutes of waiting saved in the next hour."""

    window: str
    zone: str
    gain: float


def make_engine(spec: Spec, policy: str | None = None, seed: int = 0) -> "DomainEngine":
    """Give a hall at its first morning: every window closed, nobody waiting.

    `policy` is one of `RULES`, None the product's default. The rules draw nothing: `seed` only names the
    phone pages, so that two halls of one run never share one.

    Raises:
        ValueError: the spec or the policy cannot be; every error at once.
    """
    if policy is not None and policy not in RULES:
        raise ValueError(f"unknown policy {policy!r}: say one of {', '.join(RULES)}, or None for the default")
    return DomainEngine(spec, RULES[policy] if policy is not None else DEFAULT, seed)


@dataclass(slots=True)
class _Clock:
    """The virtual clock: the day's midnight, the instant it shows and the end of the business day (Unix ms)."""

    midnight_ms: int
    now_ms: int
    day_ends_ms: int


class DomainEngine:
    """One hall. Every call takes the time `t` in minutes since midnight; ids are the spec's own, numbers as text.

    A refusal of the rules (`Refusal`: window busy, no such ticket, ...) is raised as it is and changes nothing.
    """

    def __init__(self, spec: Spec, rule: CallingRule, seed: int) -> None:
        """Plan the hall and begin its first day."""
        self._rule_of_hall, self._seed, self._tickets = rule, seed, 0
        self._zone_of = {ServiceId(str(id_)): ZoneId(str(it["zone"])) for id_, it in spec["services"].items()}
        self._home = {WindowNo(str(no)): ZoneId(str(it["home"])) for no, it in spec["windows"].items()}
        self._leaving: set[WindowNo] = set()  # close as soon as their visitor is gone
        self.state = HallState()
        _check(spec)
        plan = self._plan(spec)
        midnight_ms = int(FIRST_MIDNIGHT.timestamp() * 1000)
        self._clock = _Clock(midnight_ms=midnight_ms, now_ms=midnight_ms, day_ends_ms=midnight_ms)
        self._do(c.PlanHall(plan=plan), midnight_ms)
        self._begin_day(midnight_ms)

    def issue(self, service: str, priority: int, t: float, slot: float | None = None) -> str:
        """Give a number: `priority` 0 ordinary, 1 green channel, 2 appointment for `slot` (minutes since midnight).

        An appointment is checked in as at the kiosk: too early or too late for its slot it is an ordinary number.

        Raises:
            ValueError: no such priority, or an appointment without its slot.
            Refusal: no such service.
        """
        now_ms = self._at(t)
        rule = self._rule(priority, slot, now_ms)
        self._tickets += 1
        track = Track(f"{self._seed}-{self._tickets}")
        self._do(c.IssueTicket(service=ServiceId(str(service)), track=track, priority=rule), now_ms)
        return self.state.tracks[track]

    def call_next(self, window: str, t: float) -> str | None:
        """Give the ticket that is called now; None when nobody is to be called there or the window is not open."""
        no, now_ms = WindowNo(str(window)), self._at(t)
        if no in self._leaving:
            return None
        try:
            self._do(c.CallNext(window=no), now_ms)
        except Refusal as refusal:
            if refusal.code in (Code.NOBODY_WAITING, Code.WINDOW_CLOSED):
                return None
            raise
        return self.state.windows[no].current

    def finish(self, window: str, t: float) -> None:
        """The visitor at the window is done."""
        self._leave(c.Finish(window=WindowNo(str(window))), t)

    def no_show(self, window: str, t: float) -> None:
        """The called visitor did not come."""
        self._leave(c.MarkNoShow(window=WindowNo(str(window))), t)

    def transfer(self, window: str, service: str, t: float) -> str:
        """End this leg of the visit: the visitor now waits for another service. Give the ticket, which is the same.

        The wait so far counts for the order as a returning leg's does (`Ticket.arrival_ms`).
        """
        no, now_ms = WindowNo(str(window)), self._at(t)
        current = self.state.windows[no].current if no in self.state.windows else None
        if current is None:
            raise Refusal(Code.ILLEGAL_MOVE, ("{window} 号窗口没有号票。", "Window {window} has no ticket."), window=no)
        self._do(c.PlanLegs(ticket=current, services=(ServiceId(str(service)),), window=no), now_ms)
        self._leave(c.Finish(window=no), t)
        return current

    def open_window(self, window: str, t: float) -> None:
        """A clerk is at the window from now on; nothing happens when one is there already."""
        no, now_ms = WindowNo(str(window)), self._at(t)
        self._leaving.discard(no)
        known = self.state.windows.get(no)
        if known is None or known.clerk is None:
            self._do(c.OpenWindow(window=no, clerk=WorkId(no)), now_ms)

    def close_window(self, window: str, t: float) -> None:
        """The clerk leaves: now, or when the visitor at the window is gone; no further calls."""
        no, now_ms = WindowNo(str(window)), self._at(t)
        known = self.state.windows.get(no)
        if known is not None and known.current is not None:
            self._leaving.add(no)
        elif known is None or known.clerk is not None:
            self._do(c.CloseWindow(window=no), now_ms)

    def set_skills(self, window: str, zones: Sequence[str], t: float) -> None:
        """A manager says which zones the window serves from now on. Under `static` it keeps to its own.

        Raises:
            Refusal: no such window, or nothing left to serve.
            ValueError: no such zone.
        """
        no, now_ms = WindowNo(str(window)), self._at(t)
        wanted = [ZoneId(str(zone)) for zone in zones]
        if unknown := [zone for zone in wanted if zone not in self.state.plan.zone]:
            raise ValueError(f"no zone {', '.join(unknown)}: the hall has {', '.join(self.state.plan.zone)}")
        serves, relief = self._skills(no, wanted)
        self._do(c.AssignServices(window=no, serves=serves, relief=relief), now_ms)

    def eta(self, ticket: str, t: float) -> tuple[float, float, float]:
        """Give the expected wait from `t` in minutes: (half wait less, and the 80 % range low, high).

        At the number it is what the visitor was told. A ticket that was called waits 0; when no open window serves the
        service all three are NaN: unknown.

        Raises:
            Refusal: no such ticket today.
        """
        now_ms = self._at(t)
        known = self.state.tickets.get(TicketId(ticket))
        if known is None:
            raise Refusal(Code.TICKET_NOT_FOUND, ticket=ticket)
        if known.status is not TicketStatus.WAITING:
            return 0.0, 0.0, 0.0
        if now_ms == known.issued_ms and known.joined_ms == now_ms:
            told = (known.eta_p50_s, known.eta_low_s, known.eta_high_s)
        else:
            eta = forecast.outlook(self.state, now_ms).tickets.get(known.id)
            told = (eta.p50_s, eta.low_s, eta.high_s) if eta else (None, None, None)
        p50, low, high = (nan if it is None else it / SECONDS_PER_MIN for it in told)
        return p50, low, high

    def suggest(self, t: float) -> list[Suggestion]:
        """Give which skills to switch on, or off where they were switched on, in this order (`balance.suggest`)."""
        now_ms = self._at(t)
        return [
            {"window": it.window, "zone": it.zone, "gain": it.gain_min} for it in balance.suggest(self.state, now_ms)
        ]

    def tick(self, t: float) -> None:
        """A minute has passed: the clock moves, and with it the business day."""
        self._at(t)

    def _do(self, command: c.Command, now_ms: int) -> None:
        for event in decide(self.state, command, now_ms=now_ms):
            evolve(self.state, event, at_ms=now_ms)

    def _leave(self, command: c.Finish | c.MarkNoShow, t: float) -> None:
        """Let the visitor go; a clerk who waited for that leaves, too."""
        now_ms = self._at(t)
        self._do(command, now_ms)
        if command.window in self._leaving:
            self._leaving.remove(command.window)
            self._do(c.CloseWindow(window=command.window), now_ms)

    def _at(self, t: float) -> int:
        """Move the clock and give the instant it shows. It never goes back: a late word counts as said now."""
        clock = self._clock
        wanted_ms = clock.midnight_ms + round(t * MS_PER_MIN)
        if wanted_ms < clock.now_ms - BACK_MIN * MS_PER_MIN:
            clock.midnight_ms = clock.day_ends_ms
            wanted_ms = clock.midnight_ms + round(t * MS_PER_MIN)
        clock.now_ms = max(clock.now_ms, wanted_ms)
        if clock.now_ms >= clock.day_ends_ms:
            self._begin_day(clock.now_ms)
        return clock.now_ms

    def _begin_day(self, now_ms: int) -> None:
        self._leaving.clear()
        self._do(c.StartDay(), now_ms)
        self._clock.day_ends_ms = calendar.day_ends_ms(self.state.plan, self.state.day or "")

    def _rule(self, priority: int, slot: float | None, now_ms: int) -> PriorityId | None:
        match priority:
            case 0:
                return None
            case 1:
                return GREEN
            case 2 if slot is not None:
                plan, starts_ms = self.state.plan, self._clock.midnight_ms + round(slot * MS_PER_MIN)
                ends_ms = starts_ms + plan.bookings.slot_min * MS_PER_MIN
                early = now_ms < appointments.check_in_from_ms(plan, starts_ms)
                late = now_ms > appointments.check_in_until_ms(plan, ends_ms)
                return None if early or late else APPOINTMENT
            case 2:
                raise ValueError("an appointment (priority 2) needs its slot in minutes since midnight")
            case _:
                raise ValueError(f"priority {priority!r}: say 0 ordinary, 1 green channel or 2 appointment")

    def _skills(self, no: WindowNo, zones: Sequence[ZoneId]) -> tuple[tuple[ServiceId, ...], tuple[ServiceId, ...]]:
        """Give what a window serves and what it relieves: the work of its own zone, and of the others."""
        home = self._home.get(no)
        static = self._rule_of_hall is CallingRule.STATIC
        serves = tuple(id_ for id_, zone in self._zone_of.items() if zone == home and (zone in zones or static))
        others = () if static else zones
        return serves, tuple(id_ for id_, zone in self._zone_of.items() if zone != home and zone in others)

    def _plan(self, spec: Spec) -> HallPlan:
        """Give the plan: one series of numbers for each zone, no hours (who drives the engine keeps them)."""
        zones = [ZoneId(str(zone)) for zone in spec["zones"]]
        prefix = {zone: _letters(place) for place, zone in enumerate(zones)}
        services = tuple(
            Service(
                id=id_,
                name={"zh": id_},
                zone=self._zone_of[id_],
                prefix=prefix[self._zone_of[id_]],
                last=LAST_NUMBER,
                minutes_typical=it["minutes_typical"],
                target_wait_min=it.get("target_wait_min", 20.0),
            )
            for id_, it in zip(self._zone_of, spec["services"].values(), strict=True)
        )
        windows = []
        for no, it in zip(self._home, spec["windows"].values(), strict=True):
            serves, relief = self._skills(no, [ZoneId(str(zone)) for zone in it["serves"]])
            could = {ZoneId(str(zone)) for zone in it.get("could_serve", ())}
            trained = tuple(id_ for id_, zone in self._zone_of.items() if zone in could and id_ not in serves + relief)
            windows.append(
                Window(no=no, name={"zh": no}, zone=self._home[no], serves=serves, relief=relief, trained=trained)
            )
        return HallPlan(
            hall=HallId("simulated"),
            name={"zh": "模拟大厅", "en": "Simulated hall"},
            time_zone=TIME_ZONE,
            languages=("zh", "en"),
            day_starts_min=0,
            zones=tuple(Zone(id=zone, name={"zh": zone}) for zone in zones),
            services=services,
            windows=tuple(windows),
            priorities=(PriorityRule(id=GREEN, name={"zh": "绿色通道", "en": "Green channel"}),),
            rule=self._rule_of_hall,
            home_credit_min=0.0,  # the plain oldest-waiting rule, to hold the others against
            fairness=FAIRNESS,
        )


def _check(spec: Spec) -> None:
    """Refuse what cannot be a hall, with every error at once."""
    zones = [str(zone) for zone in spec["zones"]]
    errors = [f"zone {zone} is named twice" for zone in dict.fromkeys(zones) if zones.count(zone) > 1]
    for service, it in spec["services"].items():
        if str(it["zone"]) not in zones:
            errors.append(f"service {service}: no zone {it['zone']}")
        if not it["minutes_typical"] > 0:
            errors.append(f"service {service}: minutes_typical must be above 0")
    for window, at in spec["windows"].items():
        named = [at["home"], *at["serves"], *at.get("could_serve", ())]
        errors += [f"window {window}: no zone {zone}" for zone in dict.fromkeys(named) if str(zone) not in zones]
    if errors:
        raise ValueError("this hall cannot be: " + "; ".join(errors))


def _letters(place: int) -> str:
    """Give A .. Z, then AA, AB ..."""
    head, last = divmod(place, 26)
    return (_letters(head - 1) if head else "") + chr(ord("A") + last)
