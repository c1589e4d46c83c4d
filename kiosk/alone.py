"""What a number says that the kiosk gave by itself: the answer to the page, the paper, what the hall is told. Pure.

Everything that is not of this number comes from what the server told in good time (`GET leases`): a `Service` with the
paper of every ticket, and how long numbers are given today.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kiosk.journal import Given

PRINT_WITHIN_MS = 120_000
"""As long as the server's own tickets: the visitor has gone by then."""
BARE = frozenset({"service", "priority", "language", "channel", "paperless"})
"""What a press may say that the kiosk answers by itself. Anything else needs the hall, or is about a person."""
ORDINARY = "ordinary"

Why = Literal["server_away", "service_not_found", "service_closed", "offline_used_up", "too_many"]

# For who stands at the kiosk: the server's own words for these codes name services and seconds, which go unsaid here.
SENTENCES: Mapping[Why, tuple[int, str, str]] = {
    "server_away": (
        503,
        "网络中断，暂时只能取号。其他事项请到引导台或窗口办理。",
        "The network is down. Only numbers can be given now; for anything else ask at the desk or a window.",
    ),
    "service_not_found": (404, "没有这个事项。", "There is no such service."),
    "service_closed": (409, "这个事项现在不取号。", "No numbers for this service now."),
    "offline_used_up": (
        503,
        "网络中断，本机的离线号已用完。请到引导台取号。",
        "The network is down and this kiosk has no numbers left. Please take yours at the desk.",
    ),
    "too_many": (429, "操作太频繁，请稍等几秒再按。", "Too many presses. Wait a few seconds and press again."),
}


def is_bare(body: object) -> bool:
    """Say whether a press says nothing that the kiosk does not understand."""
    return (
        isinstance(body, dict)
        and body.keys() <= BARE
        and all(
            isinstance(value, bool) if name == "paperless" else value is None or isinstance(value, str)
            for name, value in body.items()
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the kiosk knows of a service: its series, its windows, the paper, and when numbers are given today.

    `hours` are pairs of Unix ms, None where no hours bind it.
    """

    id: str
    zone: str
    prefix: str
    windows: tuple[str, ...]
    paper: Mapping[str, Any]
    hours: tuple[tuple[int, int], ...] | None

    def is_open(self, now_ms: int) -> bool:
        """Say whether numbers are given now."""
        return self.hours is None or any(opens <= now_ms < closes for opens, closes in self.hours)


def services_of(leases: Mapping[str, Any] | None) -> dict[str, Service]:
    """Read the services out of an answer to `GET leases`; none when there never was one."""
    rows = leases["services"] if leases is not None else ()
    return {
        row["service"]: Service(
            id=row["service"],
            zone=row["zone"],
            prefix=row["prefix"],
            windows=tuple(row["windows"]),
            paper=row["paper"],
            hours=None if row["hours"] is None else tuple((ms_of(it["from"]), ms_of(it["to"])) for it in row["hours"]),
        )
        for row in rows
    }


def answer(given: Given, service: Service, leases: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the page is told: the shape of the server's own answer to a press, and `offline`."""
    return {
        "ticket": given.ticket,
        "label": given.label,
        "number": given.number,
        "service": service.id,
        "zone": service.zone,
        "issued_at": _instant(given.pressed_ms, leases),
        "ahead": 0,
        "eta": None,
        "track_url": f"{leases['track_base']}{given.track}",
        "track": given.track,
        "windows": list(service.windows),
        "priority": given.body.get("priority") or ORDINARY,
        "seq": 0,
        "legs": service.paper["legs"],
        "offline": True,
    }


def paper_job(
    given: Given, service: Service, leases: Mapping[str, Any], hall: Mapping[str, Any] | None, now_ms: int
) -> dict[str, Any]:
    """Give the job that prints the number: the same form as the server's, and marked as offline."""
    priority = given.body.get("priority") or ORDINARY
    rules = hall["priorities"] if hall is not None else ()
    name = next((rule["name"] for rule in rules if rule["priority"] == priority), None)
    data = {
        **service.paper,
        "ticket": given.ticket,
        "label": given.label,
        "issued_at": _instant(given.pressed_ms, leases),
        "track_url": f"{leases['track_base']}{given.track}",
        "priority": None if priority == ORDINARY else priority,
        "priority_name": None if priority == ORDINARY else name,
        "offline": True,
    }
    return {
        "id": f"offline.{given.ticket}.{given.track[:8]}",
        "kind": "print_ticket",
        "data": data,
        "at": _instant(now_ms, leases),
        "expires_at": _instant(given.pressed_ms + PRINT_WITHIN_MS, leases),
    }


def told(given: Given) -> dict[str, Any]:
    """Give what the hall is told of a number: always the same for the same number."""
    return {
        "service": given.body["service"],
        "number": given.number,
        "business_day": given.day,
        "pressed_at": datetime.fromtimestamp(given.pressed_ms / 1000, tz=UTC).isoformat(timespec="milliseconds"),
        "track": given.track,
        "priority": given.body.get("priority"),
        "language": given.body.get("language"),
    }


def lonely_state(state: Mapping[str, Any], is_open: Mapping[str, bool]) -> dict[str, Any]:
    """Give the hall's state as the kiosk can vouch for it alone: which services it gives, and nobody's wait."""
    services = [
        {**row, "waiting": 0, "ahead": 0, "oldest_wait_s": None, "eta": None, "left": None, "opens_at": None}
        | {"open": is_open.get(row["service"], False)}
        for row in state["services"]
    ]
    zones = [{**row, "waiting": 0, "oldest_wait_s": None} for row in state["zones"]]
    return {**state, "open": True, "opens_at": None, "zones": zones, "services": services, "offline": True}


def ms_of(instant: str) -> int:
    """Give an RFC 3339 instant as Unix ms."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def _instant(ms: int, leases: Mapping[str, Any]) -> str:
    """Give an instant as the hall writes it, with the hall's offset."""
    zone = datetime.fromisoformat(leases["ends_at"]).tzinfo
    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone(zone).isoformat(timespec="milliseconds")
