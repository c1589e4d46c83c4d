"""The two kinds of driver as the agent sees them, and what a driver is made from. Rules: package docstring."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from drivers.faults import Health
from drivers.jobs import Job, Press, Rating, Result, WindowPicture

Options = TypeVar("Options", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring(Generic[Options]):
    """What a driver is made from: one `[[device]]` of DEVICES.toml, already validated.

    `windows` maps bus address -> window number as painted on it; `data_dir` is a folder of the agent where a driver may
    keep files it can always make again (spoken sentences); `options` is the driver's own frozen dataclass;
    `interrupted`: the process before this one ended in the middle of a job of this device.
    """

    device: str
    url: str
    options: Options
    windows: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    data_dir: Path = Path("var")
    interrupted: bool = False


class JobDriver(Protocol):
    """A printer or a loudspeaker: does one job at a time, in the owner thread, and may block for a bounded time."""

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        """Do the job once and say how it went.

        Raises LineDown, only before `started()` was called: nothing happened.
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

    def feed(self, data: bytes, now_s: float) -> Sequence[Press | Rating]:
        """Take bytes from the line and give the presses they hold. Never raises."""
        ...

    def refused(self, window: str, code: str) -> None:
        """Note that the hall refused the last press at this window (`code`), so that the pad can beep."""
        ...

    def health(self, now_s: float) -> Health:
        """Say how the device is, from what it answered or failed to answer."""
        ...
