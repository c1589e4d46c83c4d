"""Which printer a paper comes out of, and whether a kiosk can print at all. Pure.

A ticket comes out beside the kiosk that issued it, a notice at the window that gives it; else at the hall's own
printer. Where several stand at the same place the first is the usual one and the next of the same agent stands in for
it while it cannot print: one agent, so that one journal knows what was printed and no number comes out twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from server.domain.terms import DeviceId, HallPlan, Kiosk, WindowNo, ZoneId


class Registered(Protocol):
    """A row of the device register, as far as jobs are concerned; `server.register.Row` is one."""

    @property
    def device(self) -> str:
        """The device's id."""

    @property
    def kind(self) -> str:
        """What it is: printer, speaker, ..."""

    @property
    def owner(self) -> str:
        """The agent that drives it."""

    @property
    def zones(self) -> Sequence[str]:
        """Zones a speaker is for; empty: all."""

    @property
    def kiosks(self) -> Sequence[str]:
        """Kiosks a printer stands beside; with no `windows` either it is the hall's own printer."""

    @property
    def windows(self) -> Sequence[str]:
        """Windows at which a printer stands."""

    @property
    def health(self) -> str:
        """How it does: ok, degraded, down."""

    @property
    def paper(self) -> str | None:
        """What a printer says of its paper: ok, near_end, out, unknown."""


PaperState: TypeAlias = Literal["ok", "near_end", "out", "down", "none"]
"""`none`: no printer is registered for this kiosk; `down`: there is one and it does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskPaper:
    """Whether a kiosk can print, and the nearest other kiosk that can when it cannot."""

    status: PaperState
    other: Kiosk | None = None

    @property
    def prints(self) -> bool:
        """Say whether a number taken now comes out on paper, or nobody promised that it would."""
        return self.status not in {"out", "down"}


def printer_of(kiosk: DeviceId | None, window: WindowNo | None, rows: Sequence[Registered]) -> Registered | None:
    """Give the one printer of a ticket (`kiosk`) or notice (`window` gives it, `kiosk` gave the ticket), or None.

    A hall without its own printer prints a notice where the visitor took the number, a ticket at a window's printer.
    """
    place = next((each for each in _places(kiosk, window, rows) if each), [])
    if not place:
        return None
    usual = place[0]
    stand_ins = (row for row in place[1:] if row.owner == usual.owner and _can_print(row))
    return usual if _can_print(usual) else next(stand_ins, usual)


def paper_at(
    kiosk: DeviceId,
    rows: Sequence[Registered],
    plan: HallPlan,
    alive: Collection[DeviceId],
    zone: ZoneId | None = None,
) -> KioskPaper:
    """Say whether a kiosk can print; `alive` are the kiosks that are switched on, `zone` is where the visitor would go.

    The nearest other kiosk is on the same floor, else the first of the hall file; one that does not offer the zone, or
    cannot print either, is none.
    """
    status = _state(kiosk, rows)
    if KioskPaper(status=status).prints:
        return KioskPaper(status=status)
    here = plan.kiosk.get(kiosk)
    others = [
        each
        for each in plan.kiosks
        if each.id != kiosk
        and each.id in alive
        and (zone is None or not each.zones or zone in each.zones)
        and _state(each.id, rows) in {"ok", "near_end"}
    ]
    others.sort(key=lambda each: here is not None and each.floor != here.floor)
    return KioskPaper(status=status, other=next(iter(others), None))


def _places(
    kiosk: DeviceId | None, window: WindowNo | None, rows: Sequence[Registered]
) -> Sequence[Sequence[Registered]]:
    """Give the printers by place, the first that has one being the right place."""
    printers = [row for row in rows if row.kind == "printer"]
    at_window = [row for row in printers if window is not None and window in row.windows]
    beside = [row for row in printers if kiosk is not None and kiosk in row.kiosks]
    own = [row for row in printers if not row.kiosks and not row.windows]
    if window is not None:
        return at_window, own, beside
    return beside, own, [row for row in printers if not row.kiosks]


def _can_print(row: Registered) -> bool:
    return row.health != "down" and row.paper != "out"


def _state(kiosk: DeviceId, rows: Sequence[Registered]) -> PaperState:
    printer = printer_of(kiosk, None, rows)
    if printer is None:
        return "none"
    if printer.paper == "out":
        return "out"
    if printer.health == "down":
        return "down"
    return "near_end" if printer.paper == "near_end" else "ok"
