"""How long a visitor will wait, told when the number is given and while it is waited.

Work ahead over the windows that serve it: people ahead and those being served, times the learned minutes of a visit,
over the open windows, a relieving window counting less. The 80 % figure widens with the wait. Says nothing at all
(None) when no window serves the service: better unknown than nonsense.
"""

from dataclasses import dataclass

from server.domain.state import HallState
from server.domain.terms import ServiceId, WindowStatus

RELIEF_SHARE = 0.3  # of a relieving window's time that goes to the service it relieves
RESIDUAL = 0.5  # of a visit that is left on average when somebody is being served
P80_FACTOR = 1.5
P80_EXTRA_S = 60
ROUND_S = 30  # nobody believes seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """Expected wait in seconds: half of the visitors wait less than `p50_s`, four of five less than `p80_s`."""

    p50_s: int
    p80_s: int


def eta(state: HallState, service: ServiceId, ahead: int) -> Eta | None:
    """Give the expected wait for somebody with `ahead` people before him, or None when nobody serves the service."""
    capacity, idle = 0.0, False
    for no, window in state.windows.items():
        if window.clerk is None or window.paused:
            continue
        if service in window.serves:
            capacity += 1.0
        elif service in window.relief:
            capacity += RELIEF_SHARE
        else:
            continue
        idle = idle or state.window_status(no) is WindowStatus.OPEN
    if not capacity:
        return None
    mean_s = state.mean_s(service)
    wait_s = 0.0 if idle and not ahead else (ahead + RESIDUAL) * mean_s / capacity
    return Eta(p50_s=_rounded(wait_s), p80_s=_rounded(wait_s * P80_FACTOR + (P80_EXTRA_S if wait_s else 0)))


def open_windows(state: HallState, service: ServiceId) -> int:
    """Count the windows at work that serve or relieve a service."""
    return sum(
        1
        for window in state.windows.values()
        if window.clerk is not None and not window.paused and service in (*window.serves, *window.relief)
    )


def _rounded(seconds: float) -> int:
    return round(seconds / ROUND_S) * ROUND_S
