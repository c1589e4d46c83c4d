"""Devices: getting their own token from a one-time code, and the register of what agents say of theirs."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.terms import DeviceId, HallId, HallPlan, WindowNo, ZoneId
from server.people import CodeUnknown, Device, Role
from server.projections.common import instant
from server.register import Fault, Health, Kind, RegisterFull, Row, address_faults
from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.auth import audit, signed_in
from server.web.paper import paper_of, shown
from server.web.people import set_device_cookie
from server.web.problems import Problem
from server.web.site import Site, here

SILENT_AFTER_S = 120  # an enrolled page or program that has said nothing for so long counts as down

api = APIBlueprint(
    "devices",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="devices", description="Devices and their register")],
    operation_id_callback=operation_id,
)


@api.post("/devices/enrol", responses={200: wire.Enrolled})
def enrol(body: wire.Enrol) -> Response:
    """Change a one-time code for the device's own token; a browser also gets it as a cookie and then is that device."""
    site = here()
    site.sign_ins.take(request.remote_addr or "")
    try:
        token, device = site.people.use_code(body.code)
    except CodeUnknown as error:
        audit.warning("a wrong code from %s", request.remote_addr)
        raise Problem("code_unknown") from error
    audit.info("%s enrolled from %s", device.name, request.remote_addr)
    answer = {"device": device.name, "role": device.role.value, "hall": device.hall, "window": device.window}
    response = reply(wire.Enrolled.model_validate({**answer, "token": token}))
    set_device_cookie(response, token)
    return response


@api.get("/devices", responses={200: wire.Devices})
def devices(query: wire.DevicesQuery) -> Response:
    """List the registered devices and enrolled kiosks, displays, integrations; to a kiosk its printers and reader."""
    site, identity = here(), signed_in()
    rows = device_rows(site, identity.hall)
    if identity.role is Role.KIOSK:
        rows = [row for row in rows if _serves(row, identity.id)]
        named = None if query.hall is None else HallId(query.hall)
        if (hall := site.halls.get(identity.hall or named or site.only_hall or HallId(""))) is not None:
            return reply(wire.Devices(devices=rows, printer=shown(paper_of(hall, identity.id))))
    return reply(wire.Devices(devices=rows))


def _serves(row: wire.DeviceRow, kiosk: str) -> bool:
    """Say whether a kiosk's page has to know of a device: what prints for it, and the card reader beside it."""
    return (row.kind == "printer" and not row.kiosks) or (row.kind in {"printer", "idcard"} and kiosk in row.kiosks)


@api.put("/halls/<hall>/devices/<device>", responses={200: wire.Registered})
def register(path: wire.DevicePath, body: wire.RegisterDevice) -> Response:
    """State a device as its agent sees it now: the whole row, at the start and on each change."""
    hall, identity = hall_of(path.hall), signed_in()
    row = Row(
        hall=hall.id,
        device=DeviceId(path.device),
        kind=Kind(body.kind),
        owner=DeviceId(identity.id),
        driver=body.driver,
        url=body.url,
        windows=tuple(WindowNo(no) for no in body.windows),
        zones=tuple(ZoneId(zone) for zone in body.zones),
        kiosks=tuple(DeviceId(kiosk) for kiosk in body.kiosks),
        host=body.host,
        ip=body.ip or request.remote_addr,
        mac=body.mac,
        agent=body.agent or identity.id,
        health=Health(body.health),
        faults=tuple(Fault(code=fault.code, detail=fault.detail, since=fault.since) for fault in body.faults),
        paper=body.paper,
        firmware=body.firmware,
    )
    try:
        here().register.put(row)
    except RegisterFull as error:
        raise Problem("register_full") from error
    return reply(wire.Registered(device=row.device, hall=hall.id, seq=hall.seq))


def device_rows(site: Site, hall: HallId | None = None) -> list[wire.DeviceRow]:
    """Give the rows of one hall or of all: registered devices first, then what else is enrolled."""
    rows = []
    for known in site.halls.values():
        if hall in (None, known.id):
            plan, stated = known.plan, site.register.rows(known.id)
            rows += [_row(row, plan, address_faults(row, stated)) for row in stated]
    enrolled = [
        device
        for device in site.people.devices()
        if not device.revoked
        and device.role is not Role.DEVICES
        and (None in (hall, device.hall) or device.hall == hall)
    ]
    return rows + [_enrolled(device, int(time.time())) for device in enrolled]


def _row(row: Row, plan: HallPlan, odd: Sequence[Fault]) -> wire.DeviceRow:
    return wire.DeviceRow(
        device=row.device,
        hall=row.hall,
        kind=row.kind.value,
        role="devices",
        driver=row.driver,
        url=row.url,
        windows=list(row.windows),
        zones=list(row.zones),
        kiosks=list(row.kiosks),
        host=row.host,
        ip=row.ip,
        mac=row.mac,
        agent=row.agent,
        health=row.health.value,
        faults=[
            wire.DeviceFault(code=fault.code, detail=fault.detail, since=fault.since) for fault in (*row.faults, *odd)
        ],
        paper=None if row.paper is None else wire.PAPER.validate_python(row.paper),
        firmware=row.firmware,
        last_seen=instant(plan, row.seen_ms),
    )


def _enrolled(device: Device, now_s: int) -> wire.DeviceRow:
    seen = device.last_seen
    alive = seen is not None and now_s - seen <= SILENT_AFTER_S
    return wire.DeviceRow.model_validate(
        {
            "device": device.name,
            "hall": device.hall,
            "kind": device.role.value,
            "role": device.role.value,
            "driver": "",
            "url": "",
            "windows": [] if device.window is None else [device.window],
            "zones": [],
            "kiosks": [],
            "host": None,
            "ip": device.ip,
            "mac": None,
            "agent": None,
            "health": "ok" if alive else "down",
            "faults": [],
            "paper": None,
            "last_seen": None if seen is None else datetime.fromtimestamp(seen, tz=UTC).isoformat(),
        }
    )
