"""The two kinds of driver as the agent sees them, and what a driver is made from. Rules: package docstring."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar, runtime_checkable

from drivers.faults import Health
from drivers.jobs import Input, Job, Result, Upcoming, WindowPicture

Options = TypeVar("Options", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionProblem:
    """One option with a value that cannot be: its name, a sentence in both languages, and what was probably meant."""

    option: str
    zh: str
    en: str
    meant: str | None = None


class BadOptions(ValueError):
    """Options that cannot be, all of them. Raised by the `__post_init__` of an options dataclass."""

    def __init__(self, problems: Iterable[OptionProblem]) -> None:
        """Keep the problems in the order in which they were found."""
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.option}: {problem.en}" for problem in self.problems))


def wall_clock() -> datetime:
    """Give the time of day in the hall, by this machine's clock and time zone."""
    return datetime.now(UTC).astimezone()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring(Generic[Options]):
    """What a driver is made from: one `[[device]]` of DEVICES.toml, already validated.

    `windows` maps bus address -> window number as painted on it; `data_dir` is a folder of the agent where a driver may
    keep files it can always make again (spoken sentences); `options` is the driver's own frozen dataclass; `kiosk` is
    the kiosk it stands at, if any; `secret` gives the hall's key for hashing identity numbers, None while unknown;
    `interrupted`: the process before this one ended in the middle of a job of this device; `byte_s` is how long a byte
    is on its way on this line, 0 where nobody knows (TCP without `?baud=`); `now` is the hall's time of day.
    """

    device: str
    url: str
    options: Options
    windows: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    data_dir: Path = Path("var")
    interrupted: bool = False
    byte_s: float = 0.0
    now: Callable[[], datetime] = wall_clock
    kiosk: str = ""
    secret: Callable[[], bytes | None] = lambda: None


class JobDriver(Protocol):
    """A printer or a loudspeaker: does one job at a time, in the owner thread, and may block for a bounded time."""

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        """Do the job once and say how it went.

        Raises LineDown, only before `started()` was called: nothing happened. What `started()` itself raises goes
        through: it is too late for this job, and nothing may begin.
        """
        ...

    def check(self) -> Health:
        """Ask the device how it is; called when idle, every few seconds. Raises LineDown."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


class StateDriver(Protocol):
    """A strip or a keypad, sans-IO: pictures and bytes in, bytes and presses out.

    One driver may serve several addresses of a line.
    """

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: the device may have forgotten everything."""
        ...

    def show(self, picture: WindowPicture) -> None:
        """Keep the newest picture of one of its windows; other windows are ignored."""
        ...

    def due(self, now_s: float) -> bytes:
        """Give the next frame to write now, or b"" when there is none or an acknowledgement is awaited."""
        ...

    def feed(self, data: bytes, now_s: float) -> Sequence[Input]:
        """Take bytes from the line and give the presses, cards and scans they hold. Never raises."""
        ...

    def refused(self, place: str, code: str) -> None:
        """Note that the hall refused what was done last at this place (`jobs.place_of`), so that the pad can beep."""
        ...

    def health(self, now_s: float) -> Health:
        """Say how the device is, from what it answered or failed to answer."""
        ...


@runtime_checkable
class SeesServices(Protocol):
    """A state driver with a lamp per service."""

    def see_services(self, open_now: frozenset[str]) -> None:
        """Keep which services give numbers now; none while the server is away."""
        ...


@runtime_checkable
class HoldsLine(Protocol):
    """A state driver whose devices answer: until the answer came, no other driver speaks on the line they share."""

    def holds_line(self, now_s: float) -> bool:
        """Say whether bytes of ours are still on their way or an answer to them is awaited."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A job driver that can do slow work ahead: a loudspeaker renders a number when its ticket is issued."""

    @property
    def prepares(self) -> bool:
        """Say whether there is anything to make ready."""
        ...

    def prepare(self, upcoming: Upcoming) -> None:
        """Begin with what may have to be called soon. Comes from another thread than the jobs; must not block."""
        ...
