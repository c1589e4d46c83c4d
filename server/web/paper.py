"""A kiosk without paper: what its page is told, and the refusal of a number that would not come out."""

from collections.abc import Callable

from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import DeviceId, ZoneId
from server.feeds.printers import KioskPaper, paper_at
from server.hall import Hall
from server.people import Role
from server.web import wire
from server.web.site import here

SWITCHED_ON_S = 120  # a kiosk's page asks more often than this
_WHY = {
    "out": ("缺纸", "is out of paper"),
    "down": ("打印机有故障", "cannot print"),
}
_DESK = ("引导台", "the guide desk")


def paper_of(hall: Hall, kiosk: str, zone: ZoneId | None = None) -> KioskPaper:
    """Say whether this kiosk can print, and where else a number for this zone comes out on paper."""
    site = here()
    rows = site.register.rows(hall.id)
    paper = paper_at(DeviceId(kiosk), rows, hall.plan, ())
    if paper.prints:
        return paper
    seen = {
        DeviceId(device.name): device.last_seen or 0
        for device in site.people.devices()
        if device.role is Role.KIOSK and not device.revoked
    }
    since_s = max(seen.values(), default=0) - SWITCHED_ON_S  # this one has just asked
    alive = {kiosk for kiosk, seen_s in seen.items() if seen_s >= since_s}
    return paper_at(DeviceId(kiosk), rows, hall.plan, alive, zone)


def unless_it_prints(paper: KioskPaper) -> Callable[[HallState], None] | None:
    """Give the check that refuses a number at a kiosk that cannot print; a repeated request is not asked again."""
    if paper.prints:
        return None
    other = paper.other
    place = _DESK if other is None else (other.name.get("zh", other.id), other.name.get("en") or other.name["zh"])
    facts = {} if other is None else {"other": str(other.id)}

    def refuse(_: HallState) -> None:
        raise Refusal(Code.NO_PAPER, facts=facts, why=_WHY[paper.status], place=place)

    return refuse


def shown(paper: KioskPaper) -> wire.KioskPrinter:
    """Give it as the kiosk's page reads it."""
    other = paper.other
    place = None if other is None else wire.OtherKiosk(kiosk=other.id, name=dict(other.name), floor=other.floor)
    return wire.KioskPrinter(status=paper.status, other=place)
