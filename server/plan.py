"""From a hall file to the plan the domain works with: names filled in, times in minutes, a digest of it all."""

import hashlib
from dataclasses import replace

import msgspec

from config.schema import HallFile, Window
from server.domain import terms as t


def plan_of(file: HallFile) -> t.HallPlan:
    """Give the plan of a hall file. Equal files have equal digests, whatever their comments and order of keys."""
    zones = tuple(_zone(zone.id, zone.name, zone.floor, zone.board) for zone in file.zones)
    floor_of = {zone.id: zone.floor for zone in zones}
    plan = t.HallPlan(
        hall=t.HallId(file.hall.id),
        name=dict(file.hall.name),
        time_zone=file.hall.time_zone,
        languages=tuple(file.hall.languages),
        day_starts_min=file.hall.day_starts.hour * 60 + file.hall.day_starts.minute,
        floors=tuple(t.Floor(id=t.FloorId(floor.id), name=dict(floor.name)) for floor in file.floors),
        zones=zones,
        services=tuple(
            t.Service(
                id=t.ServiceId(service.id),
                name=dict(service.name),
                zone=t.ZoneId(service.zone),
                prefix=service.prefix,
                first=service.first,
                last=service.last,
                department=service.department,
                minutes_typical=service.minutes_typical,
                target_wait_min=service.target_wait_min,
            )
            for service in file.services
        ),
        windows=tuple(_window(window, floor_of[t.ZoneId(window.zone)]) for window in file.windows),
        priorities=tuple(
            t.PriorityRule(
                id=t.PriorityId(priority.id),
                name=dict(priority.name),
                question=dict(priority.question),
                slope=priority.slope,
                head_start_min=priority.head_start_min,
            )
            for priority in file.priorities
        ),
        recalls_max=file.missed.recalls,
        reinstate_after_calls=file.missed.reinstate_after_calls,
        reinstate_times=file.missed.reinstate_times,
        home_credit_min=file.routing.home_credit_min,
        hours=tuple(
            t.OpeningHours(days=tuple(row.days), opens=f"{row.opens:%H:%M}", closes=f"{row.closes:%H:%M}")
            for row in file.calendar.hours
        ),
        posts=tuple(
            t.Post(
                work_id=t.WorkId(clerk.work_id),
                name=clerk.name,
                windows=tuple(t.WindowNo(no) for no in clerk.windows),
                role=clerk.role,
            )
            for clerk in file.clerks
        ),
        ticket_languages=tuple(file.ticket.languages or file.hall.languages),
        notice=_text(file.hall.notice),
        advice=_text(file.ticket.advice),
        address=_text(file.hall.address),
        public_url=file.hall.public_url,
    )
    return replace(plan, digest=hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()[:16])


def _zone(id_: str, name: t.Text, floor: str | None, board: str | None) -> t.Zone:
    return t.Zone(id=t.ZoneId(id_), name=dict(name), floor=t.FloorId(floor) if floor else None, board=board)


def _window(window: Window, zone_floor: t.FloorId | None) -> t.Window:
    return t.Window(
        no=t.WindowNo(window.no),
        name=dict(window.name) if window.name else {"zh": f"{window.no}号窗口", "en": f"Window {window.no}"},
        zone=t.ZoneId(window.zone),
        floor=t.FloorId(window.floor) if window.floor else zone_floor,
        serves=tuple(t.ServiceId(service) for service in window.serves),
        relief=tuple(t.ServiceId(service) for service in window.relief),
    )


def _text(text: t.Text | None) -> t.Text | None:
    return dict(text) if text else None
