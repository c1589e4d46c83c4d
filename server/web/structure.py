"""What a hall looks like and how it stands: structure and state, for displays and every signed-in person."""

from dataclasses import asdict

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.admission import admission, hall_admission
from server.domain.forecast import Outlook, open_windows
from server.domain.routing import ahead_of_newcomer
from server.domain.state import HallState
from server.domain.terms import (
    APPOINTMENT,
    ORDINARY,
    HallPlan,
    OpeningHours,
    PriorityRule,
    Service,
    ServiceId,
    Text,
    WindowNo,
    business_day,
)
from server.projections.common import (
    Waiting,
    eta_view,
    instant,
    instant_or_none,
    open_windows_by_zone,
    waiting_by_service,
    waiting_by_zone,
)
from server.web import answers, wire
from server.web.asking import hall_of, operation_id, reply
from server.web.auth import is_of_hall, who
from server.web.site import here
from server.web.spelling import spelled

api = APIBlueprint(
    "structure",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="hall", description="What a hall looks like and how it stands")],
    operation_id_callback=operation_id,
)


@api.get("/halls", responses={200: wire.Halls})
def halls() -> Response:
    """List the halls of this server that the sender may see."""
    site, identity = here(), who()
    rows = []
    for hall in site.halls.values():
        if identity is not None and not is_of_hall(identity, hall.id):
            continue
        now_ms = hall.now_ms()
        rows.append(hall.read(lambda state, _, now_ms=now_ms: _summary(state, now_ms, drill=site.drill)))  # type: ignore[misc]
    return reply(wire.Halls(halls=rows))


@api.get("/halls/<hall>", responses={200: wire.Hall})
def hall(path: wire.HallPath) -> Response:
    """Give the structure of a hall: floors, zones, services, windows, priorities, names in all languages."""
    drill, hall = here().drill, hall_of(path.hall)
    now_ms = hall.now_ms()
    return reply(hall.read(lambda state, _: structure_of(state, now_ms, drill=drill)))


@api.get("/halls/<hall>/state", responses={200: wire.HallState})
def state(path: wire.HallPath) -> Response:
    """Say how the hall stands: who waits where, what every window does, as of commit `seq`."""
    hall = hall_of(path.hall)
    now_ms = hall.now_ms()
    waits = here().waits_of(hall.id)
    return reply(hall.read(lambda state, seq: _state(state, seq, now_ms, waits.at(state, seq, now_ms))))


def _summary(state: HallState, now_ms: int, *, drill: bool) -> wire.HallSummary:
    plan = state.plan
    return wire.HallSummary(
        hall=plan.hall,
        name=dict(plan.name),
        time_zone=plan.time_zone,
        languages=list(plan.languages),
        business_day=business_day(plan, now_ms).isoformat(),
        drill=drill,
    )


def structure_of(state: HallState, now_ms: int, *, drill: bool) -> wire.Hall:
    """Give what a hall looks like as planned in this state; what is open is told of an instant (Unix ms)."""
    plan, now = state.plan, hall_admission(state, now_ms)
    return wire.Hall(
        hall=plan.hall,
        name=dict(plan.name),
        time_zone=plan.time_zone,
        languages=list(plan.languages),
        drill=drill,
        floors=[wire.Floor(floor=floor.id, name=dict(floor.name)) for floor in plan.floors],
        tenants=[wire.Tenant(tenant=tenant.id, name=dict(tenant.name)) for tenant in plan.tenants],
        zones=[
            wire.Zone(
                zone=zone.id,
                name=dict(zone.name),
                kind=zone.kind,
                about=dict(zone.about) if zone.about else None,
                tenant=zone.tenant,
                floor=zone.floor,
                board=zone.board,
                always_open=zone.always_open,
                trial_from=zone.trial_from,
                trial_to=zone.trial_to,
                hours=[_hours(row) for row in zone.hours],
            )
            for zone in plan.zones
        ],
        services=[
            wire.Service(
                service=service.id,
                name=dict(service.name),
                zone=service.zone,
                prefix=service.prefix,
                kind=service.kind,
                flags=list(service.flags),
                tenant=service.tenant,
                department=service.department,
                matter_code=service.matter_code,
                legs=list(service.legs),
                appointments=service.appointments,
                minutes_typical=service.minutes_typical,
                windows=list(state.windows_of(service.id)),
                common=service.common,
                asks_case=service.asks_case,
                pinyin=pinyin_of(plan, service),
                guide=guide_of(service),
            )
            for service in plan.services
        ],
        windows=[
            wire.HallWindow(
                window=window.no,
                name=dict(window.name),
                zone=window.zone,
                floor=window.floor,
                serves=list(state.windows[window.no].serves),
                relief=list(state.windows[window.no].relief),
                staffed=window.staffed,
                decides=window.decides,
            )
            for window in plan.windows
        ],
        kiosks=[
            wire.Kiosk(
                kiosk=kiosk.id,
                name=dict(kiosk.name),
                floor=kiosk.floor,
                zones=list(kiosk.zones),
                day_quota=kiosk.day_quota,
            )
            for kiosk in plan.kiosks
        ],
        priorities=[
            wire.Priority(
                priority=rule.id, name=dict(rule.name), question=dict(rule.question) if rule.question else None
            )
            for rule in _priorities(plan)
        ],
        hours=[_hours(row) for row in plan.hours],
        bookings=rules_of(plan),
        fairness=wire.Fairness(**asdict(plan.fairness)),
        left_alone_min=plan.left_alone_min,
        ratings=wire.RatingRules(**asdict(plan.ratings)),
        agency=wire.AgencyRules(
            alarm_before_close_min=plan.agency.alarm_before_close_min, partners=list(plan.agency.partners)
        ),
        open=now.open,
        opens_at=instant_or_none(plan, now.opens_ms),
        notice=dict(plan.notice) if plan.notice else None,
        advice=dict(plan.advice) if plan.advice else None,
    )


def _hours(row: OpeningHours) -> wire.OpeningHours:
    return wire.OpeningHours(
        days=list(row.days), opens=row.opens, closes=row.closes, zones=list(row.zones), services=list(row.services)
    )


def rules_of(plan: HallPlan) -> wire.BookingRules:
    """Give the rules of appointments."""
    return wire.BookingRules(**asdict(plan.bookings))


def pinyin_of(plan: HallPlan, service: Service) -> list[str]:
    """Give how a service, its zone and its department are spelled, for search."""
    names = (service.name["zh"], plan.zone[service.zone].name["zh"], service.department or "")
    return [spelled(words) for words in names]


def guide_of(service: Service | None) -> wire.Guide | None:
    """Give what a visitor should know before coming, None where the hall says nothing."""
    guide = service.guide if service is not None else None
    if guide is None:
        return None
    return wire.Guide(
        basis=_text(guide.basis),
        materials=[dict(paper) for paper in guide.materials],
        time=_text(guide.time),
        fee=_text(guide.fee),
        phone=guide.phone,
    )


def _text(text: Text | None) -> dict[str, str] | None:
    return dict(text) if text else None


def _priorities(plan: HallPlan) -> list[PriorityRule]:
    """Give what a ticket may carry; appointments only where something can be booked."""
    bookable = any(service.appointments for service in plan.services)
    named = {rule.id for rule in plan.priorities} | ({APPOINTMENT} if bookable else set())
    return [rule for rule in plan.priority.values() if rule.id in named]


def _state(state: HallState, seq: int, now_ms: int, outlook: Outlook) -> wire.HallState:
    now = hall_admission(state, now_ms)
    by_service, by_zone, at_work = waiting_by_service(state), waiting_by_zone(state), open_windows_by_zone(state)
    return wire.HallState(
        seq=seq,
        business_day=business_day(state.plan, now_ms).isoformat(),
        day_open=state.day_open,
        open=now.open,
        opens_at=instant_or_none(state.plan, now.opens_ms),
        zones=[
            wire.ZoneState(
                zone=zone.id,
                waiting=by_zone[zone.id].count,
                oldest_wait_s=_age_s(by_zone[zone.id], now_ms),
                open_windows=at_work[zone.id],
            )
            for zone in state.plan.queues
        ],
        services=[
            _service(state, service.id, by_service.get(service.id, Waiting()), now_ms, outlook)
            for service in state.plan.services
        ],
        windows=[_window(state, state.plan, no) for no in state.windows],
    )


def _service(
    state: HallState, service: ServiceId, waiting: Waiting, now_ms: int, outlook: Outlook
) -> wire.ServiceState:
    now = admission(state, service, now_ms, outlook)
    return wire.ServiceState(
        service=service,
        zone=state.plan.service[service].zone,
        waiting=waiting.count,
        ahead=ahead_of_newcomer(state, service, ORDINARY, now_ms),
        oldest_wait_s=_age_s(waiting, now_ms),
        open_windows=open_windows(state, service),
        eta=answers.eta(eta_view(outlook.services[service])),
        open=now.open,
        opens_at=instant_or_none(state.plan, now.opens_ms),
        left=now.left,
    )


def _window(state: HallState, plan: HallPlan, no: WindowNo) -> wire.WindowState:
    window = state.windows[no]
    status = state.window_status(no)
    current = state.tickets[window.current] if window.current else None
    return wire.WindowState(
        window=window.no,
        status=status,
        ticket=current.id if current else None,
        label=current.label if current else None,
        service=current.service if current else None,
        clerk=window.clerk,
        pause_reason=window.paused,
        since=instant(plan, window.since_ms) if window.since_ms else None,
        serves=list(window.serves),
        relief=list(window.relief),
        held=list(window.held),
    )


def _age_s(waiting: Waiting, now_ms: int) -> int | None:
    return None if waiting.oldest_ms is None else max(0, now_ms - waiting.oldest_ms) // 1000
