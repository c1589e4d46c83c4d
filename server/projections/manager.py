"""The manager's page: every window and zone with today's counts, and the devices of the hall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.domain.forecast import open_windows
from server.domain.state import HallState
from server.domain.terms import PauseReason, Text, Window, label_of
from server.projections.cases import CaseAlarm, CaseView, case_alarms, open_cases
from server.projections.common import (
    AnnouncementView,
    ClerkView,
    Waiting,
    announcement,
    clerk_of,
    floor_of_window,
    floor_of_zone,
    instant_or_none,
    open_windows_by_zone,
    service_name,
    waiting_by_service,
    waiting_by_zone,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerWindow:
    """One window today."""

    window: str
    name: Text
    zone: str
    floor: Text | None
    status: str
    pause_reason: str | None
    clerk: ClerkView | None
    label: str | None
    service: str | None
    since: str | None
    serves: tuple[str, ...]
    relief: tuple[str, ...]
    able: tuple[str, ...]  # all that the hall file sends whoever sits there, or has trained them for
    served_today: int
    busy_s_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerZone:
    """One zone today; `mean_wait_s` from the number to the first call, None before the first call.

    `target_min`: how long its most urgent service lets a visitor wait.
    """

    zone: str
    name: Text
    floor: Text | None
    waiting: int
    oldest_since: str | None
    target_min: float
    open_windows: int
    issued_today: int
    called_today: int
    finished_today: int
    no_show_today: int
    mean_wait_s: int | None
    legs_today: int  # of `finished_today`: legs after which the visit went on


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerService:
    """One service; `windows` are those that serve it now as their own work."""

    service: str
    name: Text
    zone: str
    prefix: str
    waiting: int
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerAlarm:
    """Visitors wait for nothing: `leg_unserved` is a leg of joint matters whose service no window at work serves."""

    kind: str
    service: str
    name: Text
    zone: str
    waiting: int
    oldest_since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAlarm:
    """Something is wrong at a window: `window_left_alone` is paused for want of any sign of life since `since`."""

    kind: str
    window: str
    name: Text
    clerk: ClerkView | None
    since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAlarm:
    """Something is wrong with the server: `disk_full`, so that no numbers are given out."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerRoll:
    """A paper roll in use; `label` is the last number that the hall knows of, None before the first."""

    prefix: str
    service: str
    name: Text
    label: str | None
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerPicture:
    """The whole hall today."""

    hall: str
    business_day: str | None
    day_open: bool
    drill: bool
    announcement: AnnouncementView | None
    windows: tuple[ManagerWindow, ...]
    zones: tuple[ManagerZone, ...]
    services: tuple[ManagerService, ...]
    devices: tuple[Mapping[str, Any], ...]
    rolls: tuple[ManagerRoll, ...]
    alarms: tuple[ServerAlarm | ManagerAlarm | WindowAlarm | CaseAlarm, ...]
    cases: tuple[CaseView, ...]


def manager(
    state: HallState,
    *,
    names: Mapping[str, str],
    devices: Sequence[Mapping[str, Any]] = (),
    disk_full: bool = False,
    drill: bool = False,
) -> ManagerPicture:
    """Give the picture of the manager's page; `devices` are the rows of the device register as the wire has them."""
    waiting = waiting_by_service(state)
    return ManagerPicture(
        hall=state.plan.hall,
        business_day=state.day,
        day_open=state.day_open,
        drill=drill,
        announcement=announcement(state),
        windows=_windows(state, names),
        zones=_zones(state),
        services=tuple(
            ManagerService(
                service=service.id,
                name=service.name,
                zone=service.zone,
                prefix=service.prefix,
                waiting=waiting.get(service.id, Waiting()).count,
                windows=tuple(no for no, window in state.windows.items() if service.id in window.serves),
            )
            for service in state.plan.services
        ),
        devices=tuple(devices),
        rolls=tuple(
            ManagerRoll(
                prefix=roll.prefix,
                service=roll.service,
                name=service_name(state.plan, roll.service),
                label=label_of(roll.prefix, roll.given) if roll.given >= roll.first else None,
                last=label_of(roll.prefix, roll.last),
            )
            for roll in state.rolls.values()
        ),
        alarms=(
            *((ServerAlarm(kind="disk_full"),) if disk_full else ()),
            *_alarms(state),
            *_left_alone(state, names),
            *case_alarms(state),
        ),
        cases=open_cases(state, names),
    )


def _alarms(state: HallState) -> tuple[ManagerAlarm, ...]:
    alarms: list[ManagerAlarm] = []
    waited_for = {service for (service, _, _), _ in state.lane_items()}
    for service in state.plan.services:
        if service.id not in waited_for or open_windows(state, service.id):
            continue
        joined = [
            ticket.joined_ms
            for (of, _, _), lane in state.lane_items()
            for _, _, id_ in (lane if of == service.id else ())
            if (ticket := state.tickets[id_]).is_joint
        ]
        if joined:
            alarms.append(
                ManagerAlarm(
                    kind="leg_unserved",
                    service=service.id,
                    name=service.name,
                    zone=service.zone,
                    waiting=len(joined),
                    oldest_since=instant_or_none(state.plan, min(joined)),
                )
            )
    return tuple(alarms)


def _left_alone(state: HallState, names: Mapping[str, str]) -> tuple[WindowAlarm, ...]:
    return tuple(
        WindowAlarm(
            kind="window_left_alone",
            window=no,
            name=state.plan.window[no].name,
            clerk=clerk_of(state.plan, window.clerk, names),
            since=instant_or_none(state.plan, window.paused_ms or None),
        )
        for no, window in state.windows.items()
        if window.paused is PauseReason.LEFT_ALONE
    )


def _windows(state: HallState, names: Mapping[str, str]) -> tuple[ManagerWindow, ...]:
    views: list[ManagerWindow] = []
    for no, window in state.windows.items():
        current = state.tickets[window.current] if window.current else None
        views.append(
            ManagerWindow(
                window=no,
                name=state.plan.window[no].name,
                zone=state.plan.window[no].zone,
                floor=floor_of_window(state.plan, no),
                status=state.window_status(no),
                pause_reason=window.paused,
                clerk=clerk_of(state.plan, window.clerk, names),
                label=current.label if current else None,
                service=current.service if current else None,
                since=instant_or_none(state.plan, window.since_ms or None),
                serves=window.serves,
                relief=window.relief,
                able=_able(state.plan.window[no]),
                served_today=window.served_today,
                busy_s_today=window.busy_s_today,
            )
        )
    return tuple(views)


def _able(planned: Window) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*planned.serves, *planned.relief, *planned.trained)))


def _zones(state: HallState) -> tuple[ManagerZone, ...]:
    waiting, open_windows = waiting_by_zone(state), open_windows_by_zone(state)
    views: list[ManagerZone] = []
    for zone in state.plan.queues:
        count = state.zones[zone.id]
        views.append(
            ManagerZone(
                zone=zone.id,
                name=zone.name,
                floor=floor_of_zone(state.plan, zone.id),
                waiting=waiting[zone.id].count,
                oldest_since=instant_or_none(state.plan, waiting[zone.id].oldest_ms),
                target_min=min((it.target_wait_min for it in state.plan.services if it.zone == zone.id), default=0.0),
                open_windows=open_windows[zone.id],
                issued_today=count.issued,
                called_today=count.called,
                finished_today=count.finished,
                no_show_today=count.no_show,
                mean_wait_s=round(count.wait_s / count.called) if count.called else None,
                legs_today=count.legs,
            )
        )
    return tuple(views)
