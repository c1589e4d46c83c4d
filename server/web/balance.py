"""Hot and cold windows, and what to do about them: heat, suggestions, changes and what they did, limits."""

from typing import Annotated, Literal

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from server.domain import balance as domain
from server.domain import commands as c
from server.domain import events as e
from server.domain import rebalance
from server.domain.forecast import next_hour
from server.domain.records import BalanceChange, BalanceLimits
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import ServiceId, WindowNo
from server.projections.common import eta_view, instant, instant_or_none, service_name, window_name, zone_name
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.auth import signed_in

Mode = Literal["manual", "automatic"]

api = APIBlueprint(
    "balance",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="balance", description="Hot and cold windows")],
    operation_id_callback=operation_id,
)


class SuggestionPath(wire.HallPath):
    """A suggestion by its name."""

    suggestion: str


class ChangePath(wire.HallPath):
    """A change of today by its number."""

    change: str


class Because(wire.Body):
    """Why; kept with the event."""

    reason: wire.Words = ""


class Limits(wire.Body):
    """What the hall may change by itself (`automatic`), and when relief is called; `windows` None: all may change.

    `hold_min`: minutes for which a change is not taken back; `relief_heat`: predicted wait over target, 0 for never.
    """

    mode: Mode = "manual"
    at_once: Annotated[int, Field(ge=0, le=50)] = 4
    hold_min: Annotated[int, Field(ge=5, le=600)] = 90
    relief_heat: Annotated[float, Field(ge=0, le=20)] = 1.5
    windows: Annotated[list[wire.Id], Field(max_length=500)] | None = None


class Later(wire.Answer):
    """What who takes a number in `after_min` minutes may expect; `eta` None: unknown, or no numbers are given then."""

    after_min: int
    eta: wire.Eta | None
    open: bool


class ZoneHeat(wire.Answer):
    """A zone: `wait_min` is predicted for who comes now, None when no window at work serves it; `heat`: over target.

    `next_hour` is what newcomers may expect now, in half an hour and in an hour, as they would be told.
    """

    zone: str
    name: wire.Text
    waiting: int
    oldest_min: float
    windows: int
    wait_min: float | None
    target_min: float
    heat: float | None
    next_hour: list[Later]


class WindowHeat(wire.Answer):
    """A window at work: `share` of the fair share of work for its time signed on (1 is fair); `idle_min` since free."""

    window: str
    name: wire.Text
    zone: str
    heat: float | None
    share: float | None
    idle_min: float | None


class Suggestion(wire.Answer):
    """Let a window serve a zone besides (`on`), or no longer. Waits in minutes before and after, as predicted.

    `gain_min`: minutes of people's time saved in the next hour; `home` is where the window's own visitors wait.
    """

    suggestion: str
    window: str
    window_name: wire.Text
    zone: str
    zone_name: wire.Text
    on: bool
    services: list[wire.Text]
    gain_min: float
    before_min: float
    after_min: float
    home: str
    home_name: wire.Text
    home_before_min: float
    home_after_min: float


class Change(wire.Answer):
    """A suggestion that was applied today, and what it did.

    `by` is a work id, None for the hall itself; `was_min` the mean wait of those called in the zone in the hour after,
    None while that is not known (`judged` false) or nobody was called.
    """

    change: str
    at: str
    by: str | None
    window: str
    window_name: wire.Text
    zone: str
    zone_name: wire.Text
    on: bool
    gain_min: float
    before_min: float
    after_min: float
    was_min: float | None
    calls: int
    judged: bool
    undone_at: str | None


class Relief(wire.Answer):
    """A zone that asks for relief, and the windows whose clerks could help."""

    zone: str
    name: wire.Text
    since: str
    waiting: int
    wait_min: float
    windows: list[str]


class Balance(wire.Answer):
    """How evenly the hall works now; changes newest first."""

    seq: int
    limits: Limits
    zones: list[ZoneHeat]
    windows: list[WindowHeat]
    suggestions: list[Suggestion]
    changes: list[Change]
    relief: list[Relief]


class WhatIfQuery(wire.Body):
    """The service that is to move."""

    service: wire.Id


class EffectAt(wire.Answer):
    """What comes of giving the service to a window at work (`on`), or of taking it away. Predicted minutes.

    `before_min`, `after_min`: of who comes for the service, None where nobody at work serves it; `home`: zone of the
    window's own work; `gain_min`: minutes of people's time saved in the next hour.
    """

    window: str
    on: bool
    gain_min: float
    before_min: float | None
    after_min: float | None
    home: str
    home_name: wire.Text
    home_before_min: float
    home_after_min: float


class WhatIf(wire.Answer):
    """The effect at every window at work; at the others nothing changes until somebody sits down."""

    seq: int
    service: str
    zone: str
    windows: list[EffectAt]


class Applied(wire.Answer):
    """The window serves from now on what it says; `change` undoes it."""

    change: str
    window: str
    serves: list[str]
    relief: list[str]
    seq: int


class Done(wire.Answer):
    """It is done."""

    seq: int


@api.get("/halls/<hall>/balance", responses={200: Balance})
def balance(path: wire.HallPath) -> Response:
    """Say which zones and windows are hot or cold, what could be done, and what came of what was done."""
    hall = hall_of(path.hall)
    now_ms = hall.now_ms()
    return reply(hall.read(lambda state, seq: balance_of(state, seq, now_ms)))


@api.get("/halls/<hall>/balance/what-if", responses={200: WhatIf})
def what_if(path: wire.HallPath, query: WhatIfQuery) -> Response:
    """Say what would come of giving a service to each window, or of taking it away, before anybody does it."""
    hall, service = hall_of(path.hall), ServiceId(query.service)
    now_ms = hall.now_ms()

    def answer(state: HallState, seq: int) -> WhatIf:
        known = state.plan.service.get(service)
        if known is None:
            raise Refusal(Code.SERVICE_NOT_FOUND, service=service)
        return WhatIf(
            seq=seq,
            service=service,
            zone=known.zone,
            windows=[
                EffectAt(
                    window=it.window,
                    on=it.on,
                    gain_min=_tenth(it.gain_min),
                    before_min=_tenth_or_none(it.before_min),
                    after_min=_tenth_or_none(it.after_min),
                    home=it.home,
                    home_name=dict(zone_name(state.plan, it.home)),
                    home_before_min=_tenth(it.home_before_min),
                    home_after_min=_tenth(it.home_after_min),
                )
                for it in domain.what_if(state, now_ms, service)
            ],
        )

    return reply(hall.read(answer))


@api.post("/halls/<hall>/balance/<suggestion>/apply", responses={200: Applied})
def apply_suggestion(path: SuggestionPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Do what is suggested, if the suggestion still stands."""
    commit = run(hall_of(path.hall), c.ApplySuggestion(suggestion=path.suggestion, by=signed_in().id))
    applied = next(it for it in commit.events if isinstance(it, e.BalanceApplied))
    assigned = next(it for it in commit.events if isinstance(it, e.ServicesAssigned))
    return reply(
        Applied(
            change=applied.change,
            window=applied.window,
            serves=list(assigned.serves),
            relief=list(assigned.relief),
            seq=commit.seq,
        )
    )


@api.post("/halls/<hall>/balance/<suggestion>/decline", responses={200: Done})
def decline_suggestion(path: SuggestionPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Say no: it is not suggested again for an hour."""
    command = c.DeclineSuggestion(suggestion=path.suggestion, by=signed_in().id)
    return reply(Done(seq=run(hall_of(path.hall), command).seq))


@api.post("/halls/<hall>/balance/changes/<change>/undo", responses={200: Done})
def undo_change(path: ChangePath, body: Because) -> Response:
    """Take a change of today back; what else was changed at the window since stays."""
    command = c.UndoChange(change=path.change, by=signed_in().id, reason=body.reason)
    return reply(Done(seq=run(hall_of(path.hall), command).seq))


@api.put("/halls/<hall>/balance/limits", responses={200: Done})
def set_balance_limits(path: wire.HallPath, body: Limits) -> Response:
    """Say what the hall may change by itself, and when relief is called."""
    limits = BalanceLimits(
        mode=body.mode,
        at_once=body.at_once,
        hold_min=body.hold_min,
        relief_heat=body.relief_heat,
        windows=None if body.windows is None else tuple(WindowNo(no) for no in dict.fromkeys(body.windows)),
    )
    return reply(Done(seq=run(hall_of(path.hall), c.SetBalanceLimits(limits=limits, by=signed_in().id)).seq))


def balance_of(state: HallState, seq: int, now_ms: int) -> Balance:
    """Give how evenly a hall works in this state at an instant (Unix ms)."""
    ahead = next_hour(state, now_ms)
    waits = {zone: now.eta.p50_s / 60 if now.eta else None for zone, (now, *_) in ahead.items()}
    zones, windows = domain.heat(state, now_ms, waits)
    plan = state.plan
    return Balance(
        seq=seq,
        limits=_limits(state.balancing.limits),
        zones=[
            ZoneHeat(
                zone=it.zone,
                name=dict(zone_name(plan, it.zone)),
                waiting=it.waiting,
                oldest_min=_tenth(it.oldest_min),
                windows=it.windows,
                wait_min=_tenth_or_none(it.wait_min),
                target_min=it.target_min,
                heat=None if it.heat is None else round(it.heat, 2),
                next_hour=[
                    Later(after_min=round(later.after_min), eta=answers.eta(eta_view(later.eta)), open=later.is_open)
                    for later in ahead[it.zone]
                ],
            )
            for it in zones
        ],
        windows=[
            WindowHeat(
                window=it.window,
                name=dict(window_name(plan, it.window)),
                zone=it.zone,
                heat=None if it.heat is None else round(it.heat, 2),
                share=None if it.share is None else round(it.share, 2),
                idle_min=_tenth_or_none(it.idle_min),
            )
            for it in windows
        ],
        suggestions=[_suggestion(state, name, it) for name, it in rebalance.suggestions(state, now_ms)],
        changes=[_change(state, it) for it in reversed(state.balancing.changes)],
        relief=[
            Relief(
                zone=zone,
                name=dict(zone_name(plan, zone)),
                since=instant(plan, it.since_ms),
                waiting=it.waiting,
                wait_min=it.wait_min,
                windows=list(it.windows),
            )
            for zone, it in state.balancing.relief.items()
        ],
    )


def _limits(limits: BalanceLimits) -> Limits:
    return Limits(
        mode="automatic" if limits.mode == "automatic" else "manual",
        at_once=limits.at_once,
        hold_min=limits.hold_min,
        relief_heat=limits.relief_heat,
        windows=None if limits.windows is None else list(limits.windows),
    )


def _suggestion(state: HallState, name: str, it: domain.Suggestion) -> Suggestion:
    return Suggestion(
        suggestion=name,
        window=it.window,
        window_name=dict(window_name(state.plan, it.window)),
        zone=it.zone,
        zone_name=dict(zone_name(state.plan, it.zone)),
        on=it.on,
        services=[dict(service_name(state.plan, ServiceId(service))) for service in it.services],
        gain_min=_tenth(it.gain_min),
        before_min=_tenth(it.before_min),
        after_min=_tenth(it.after_min),
        home=it.home,
        home_name=dict(zone_name(state.plan, it.home)),
        home_before_min=_tenth(it.home_before_min),
        home_after_min=_tenth(it.home_after_min),
    )


def _change(state: HallState, it: BalanceChange) -> Change:
    plan = state.plan
    return Change(
        change=it.id,
        at=instant(plan, it.at_ms),
        by=it.by or None,
        window=it.window,
        window_name=dict(window_name(plan, it.window)),
        zone=it.zone,
        zone_name=dict(zone_name(plan, it.zone)),
        on=it.on,
        gain_min=it.gain_min,
        before_min=it.before_min,
        after_min=it.after_min,
        was_min=it.was_min,
        calls=it.calls,
        judged=it.judged,
        undone_at=instant_or_none(plan, it.undone_ms),
    )


def _tenth(minutes: float) -> float:
    return round(minutes, 1)


def _tenth_or_none(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)
