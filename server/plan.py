"""From a hall file to the plan the domain works with: names filled in, times in minutes, a digest of it all.

Holidays become dates here, so that a ledger means the same whatever calendar data is installed later. Source: the
yearly notices of the General Office of the State Council (国务院办公厅), as kept by the library chinesecalendar.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import msgspec
from chinese_calendar import constants as china

from config.schema import Calendar, Guide, HallFile, Tide, Window, Zone, ZoneHours, market_rule
from server.domain import terms as t

FIRST_DAY = "2025-01-01"  # no ledger is older; earlier holidays would only fill the plan


def plan_of(file: HallFile) -> t.HallPlan:
    """Give the plan of a hall file. Equal files have equal digests, whatever their comments and order of keys."""
    zones = tuple(_zone(zone, file.calendar) for zone in file.zones)
    floor_of = {zone.id: zone.floor for zone in zones}
    tenant_of = {zone.id: zone.tenant for zone in zones}
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
                day_quota=service.day_quota,
                slots=tuple(
                    t.Slot(starts=f"{slot.starts:%H:%M}", ends=f"{slot.ends:%H:%M}", quota=slot.quota)
                    for slot in service.slot_quota
                ),
                kind=t.ServiceKind(service.kind),
                flags=tuple(service.flags),
                tenant=_tenant(service.tenant or tenant_of[t.ZoneId(service.zone)]),
                matter_code=service.matter_code,
                legs=tuple(t.ServiceId(leg) for leg in service.legs),
                appointments=service.appointments,
                common=service.common,
                asks_case=service.asks_case,
                guide=_guide(service.guide),
            )
            for service in file.services
        ),
        windows=tuple(_window(window, floor_of[t.ZoneId(window.zone)]) for window in file.windows),
        priorities=tuple(
            t.PriorityRule(
                id=t.PriorityId(priority.id),
                name=dict(priority.name),
                question=_text(priority.question),
                slope=priority.slope,
                head_start_min=priority.head_start_min,
                from_age=priority.from_age,
            )
            for priority in file.priorities
        ),
        recalls_max=file.missed.recalls,
        reinstate_after_calls=file.missed.reinstate_after_calls,
        reinstate_times=file.missed.reinstate_times,
        rule=t.CallingRule(file.routing.rule),
        home_credit_min=file.routing.home_credit_min,
        hours=tuple(
            replace(
                _row(row),
                zones=tuple(t.ZoneId(zone) for zone in row.zones),
                services=tuple(t.ServiceId(service) for service in row.services),
            )
            for row in file.calendar.hours
        ),
        calendar=_calendar(file.calendar),
        posts=tuple(
            t.Post(
                work_id=t.WorkId(clerk.work_id),
                name=clerk.name,
                windows=tuple(t.WindowNo(no) for no in clerk.windows),
                role=clerk.role,
                department=clerk.department,
                employment=t.Employment(clerk.employment),
                chief=clerk.chief,
            )
            for clerk in file.clerks
        ),
        ticket_languages=tuple(file.ticket.languages or file.hall.languages),
        ticket_fields=tuple(file.ticket.fields or ()),
        ticket_logo=file.ticket.logo or "",
        call_languages=tuple(file.speech.languages or file.hall.languages),
        call_yao=file.speech.yao,
        notice=_text(file.hall.notice),
        advice=_text(file.ticket.advice),
        address=_text(file.hall.address),
        public_url=file.hall.public_url,
        tenants=tuple(t.Tenant(id=t.TenantId(tenant.id), name=dict(tenant.name)) for tenant in file.tenants),
        kiosks=tuple(
            t.Kiosk(
                id=t.DeviceId(kiosk.id),
                name=dict(kiosk.name),
                floor=t.FloorId(kiosk.floor) if kiosk.floor else None,
                zones=tuple(t.ZoneId(zone) for zone in kiosk.zones),
                day_quota=kiosk.day_quota,
            )
            for kiosk in file.kiosks
        ),
        bookings=t.BookingRules(
            **file.appointments.model_dump(exclude={"online"}),
            online=t.BookedWith(file.appointments.online) if file.appointments.online else None,
        ),
        fairness=t.Fairness(**file.fairness.model_dump()),
        left_alone_min=file.staff.left_alone_min,
        ratings=t.RatingRules(**file.rating.model_dump()),
        agency=t.AgencyRules(
            alarm_before_close_min=file.agency.alarm_before_close_min,
            partners=tuple(t.HallId(hall) for hall in file.agency.partners),
        ),
        notify=t.NotifyRules(
            url=file.notify.url,
            events=tuple(t.NoticeKind(kind) for kind in file.notify.events) if file.notify.url else (),
            near=file.notify.near,
        ),
    )
    return replace(plan, digest=hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()[:16])


def holidays_known_to(file: HallFile) -> date | None:
    """Give the last day of the years whose Chinese holidays are known, or None when the file asks for none.

    A year counts as known when its notice is in the installed data; later days are taken by their weekday.
    """
    return date(max(china.holidays).year, 12, 31) if file.calendar.holidays == "cn" else None


def _calendar(calendar: Calendar) -> t.Calendar:
    opened, closed = _dates(calendar.extra_open), _dates(calendar.extra_closed)
    if calendar.holidays == "cn":
        closed |= {day for day in _dates(china.holidays) if day >= FIRST_DAY} - opened
        opened |= {day for day in _dates(china.workdays) if day >= FIRST_DAY} - closed
    rules = [market_rule(text) for text in calendar.market_days]
    return t.Calendar(
        enforced=calendar.outside_hours == "refuse",
        closed_days=tuple(sorted(closed)),
        working_days=tuple(sorted(opened)),
        market=t.MarketDays(
            weekdays=tuple(rule for rule in rules if isinstance(rule, str)),
            dates=tuple(rule.isoformat() for rule in rules if isinstance(rule, date)),
            cycles=tuple((rule[0], rule[1].isoformat()) for rule in rules if isinstance(rule, tuple)),
        ),
        last_ticket_min={"served": None, "closing": 0}[calendar.last_ticket]
        if isinstance(calendar.last_ticket, str)
        else calendar.last_ticket,
    )


def _dates(days: Iterable[date]) -> set[str]:
    return {day.isoformat() for day in days}


def _zone(zone: Zone, calendar: Calendar) -> t.Zone:
    hours = tuple(_row(row) for row in zone.hours)
    if zone.opens is not None and zone.closes is not None:
        of_hall = [day for row in calendar.hours if not row.zones and not row.services for day in row.days]
        days = tuple(dict.fromkeys(of_hall)) or ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        hours = (t.OpeningHours(days=days, opens=f"{zone.opens:%H:%M}", closes=f"{zone.closes:%H:%M}"),)
    return t.Zone(
        id=t.ZoneId(zone.id),
        name=dict(zone.name),
        floor=t.FloorId(zone.floor) if zone.floor else None,
        board=zone.board,
        hours=hours,
        always_open=zone.always_open,
        trial_from=zone.trial_from.isoformat() if zone.trial_from else None,
        trial_to=zone.trial_to.isoformat() if zone.trial_to else None,
        kind=t.ZoneKind(zone.kind),
        about=_text(zone.about),
        tenant=_tenant(zone.tenant),
    )


def _row(row: ZoneHours) -> t.OpeningHours:
    return t.OpeningHours(days=tuple(row.days), opens=f"{row.opens:%H:%M}", closes=f"{row.closes:%H:%M}")


def _window(window: Window, zone_floor: t.FloorId | None) -> t.Window:
    return t.Window(
        no=t.WindowNo(window.no),
        name=dict(window.name) if window.name else {"zh": f"{window.no}号窗口", "en": f"Window {window.no}"},
        zone=t.ZoneId(window.zone),
        floor=t.FloorId(window.floor) if window.floor else zone_floor,
        serves=tuple(t.ServiceId(service) for service in window.serves),
        relief=tuple(t.ServiceId(service) for service in window.relief),
        trained=tuple(t.ServiceId(service) for service in window.trained),
        tides=tuple(_tide(tide) for tide in window.tides),
        staffed=window.staffed,
        decides=window.decides,
    )


def _guide(guide: Guide | None) -> t.Guide | None:
    if guide is None:
        return None
    return t.Guide(
        basis=_text(guide.basis),
        materials=tuple(dict(paper) for paper in guide.materials),
        time=_text(guide.time),
        fee=_text(guide.fee),
        phone=guide.phone,
    )


def _tide(tide: Tide) -> t.Tide:
    return t.Tide(
        id=f"{tide.starts:%H:%M}",
        from_min=tide.starts.hour * 60 + tide.starts.minute,
        to_min=tide.ends.hour * 60 + tide.ends.minute,
        serves=tuple(t.ServiceId(service) for service in tide.serves),
        relief=tuple(t.ServiceId(service) for service in tide.relief if service not in tide.serves),
    )


def _tenant(tenant: str | None) -> t.TenantId | None:
    return t.TenantId(tenant) if tenant else None


def _text(text: t.Text | None) -> t.Text | None:
    return dict(text) if text else None
