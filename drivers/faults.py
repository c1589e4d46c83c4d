"""What can be wrong with a device, in the hall's words, and how a driver says so.

A fault is the world failing: it is retried, shown on the health page and logged once when it starts and once when it
ends. Codes are stable: they travel to the server's device register and to the job results, and pages translate them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class FaultCode(StrEnum):
    """Stable codes of device faults."""

    LINE_DOWN = "line_down"  # the port is gone or nobody answers the connection
    NO_ANSWER = "no_answer"  # the line is up, the device says nothing
    BAD_ANSWER = "bad_answer"  # bytes came that mean nothing
    REFUSED = "refused"  # the device said no to a correct frame
    OFFLINE = "offline"  # the device says it is off line and gives no better reason
    PAPER_OUT = "paper_out"
    PAPER_NEAR_END = "paper_near_end"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    HEAD_HOT = "head_hot"
    BROKEN = "broken"  # the device reports an error that only a technician clears
    NO_VOICE = "no_voice"  # no speech could be made
    PLAYBACK = "playback"  # speech was made and could not be played


class HealthStatus(StrEnum):
    """How a device is, as the register shows it."""

    OK = "ok"
    DEGRADED = "degraded"  # works, somebody should come soon
    DOWN = "down"  # does not work


class Paper(StrEnum):
    """The paper of a printer. A printer that does not say is unknown, never ok."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: a stable code and a sentence for the technician."""

    code: FaultCode
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a device is now. `paper` is None for everything that is not a printer.

    `firmware` is what the device says of itself (version, module number), None where its protocol has no word for it.
    """

    status: HealthStatus = HealthStatus.OK
    faults: tuple[Fault, ...] = ()
    paper: Paper | None = None
    firmware: str | None = None


def down(code: FaultCode, detail: str = "", *, paper: Paper | None = None) -> Health:
    """Give the health of a device that does not work because of one fault."""
    return Health(status=HealthStatus.DOWN, faults=(Fault(code=code, detail=detail),), paper=paper)


class LineDown(Exception):
    """The port is gone, refused, or takes no bytes in time.

    The line is closed: open a new one. What was written last may be lost; `untouched`: none of it left this machine.
    """

    def __init__(self, url: str, why: str, *, untouched: bool = False) -> None:
        """Keep the url and one short reason for the log line."""
        super().__init__(f"{url}: {why}")
        self.url = url
        self.why = why
        self.untouched = untouched


class Backoff:
    """How long to wait before the next try: doubled up to a cap, with jitter so that not all devices knock at once.

    The delay is carried, never computed as a power: an agent that retries for a month must not overflow.
    """

    def __init__(self, *, first_s: float, most_s: float, chance: Callable[[], float] = random.random) -> None:
        """Begin with `first_s`; `chance` gives numbers in [0, 1)."""
        self._first_s = self._next_s = first_s
        self._most_s = most_s
        self._chance = chance

    def next_s(self) -> float:
        """Give the seconds to wait now, and double the next ones."""
        now_s = self._next_s
        self._next_s = min(self._most_s, self._next_s * 2)
        return now_s * (0.75 + 0.25 * self._chance())

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._next_s = self._first_s
