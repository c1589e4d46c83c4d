"""The state driver of scanners: on a serial line, on the network, or as a keyboard. The hall knows what codes mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.faults import Health
from drivers.jobs import Scan
from drivers.scanner.lines import LineCodes, TypedCodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

AGAIN_S = 2.0
"""A code held before the scanner is read several times: within this time it is one scan."""
QUIET_S = 0.5
"""No scanner pauses this long within a code: what was begun is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerOptions:
    """Drivers "scanner" and "hid-scanner" have no options."""


@dataclass(slots=True)
class Scanner:
    """One scanner. See `drivers.driver.StateDriver`."""

    device: str
    new_codes: Callable[[], LineCodes | TypedCodes]
    _codes: LineCodes | TypedCodes = field(init=False)
    _heard_s: float = field(init=False, default=0.0)
    _last: str = field(init=False, default="")
    _last_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Begin with nothing heard."""
        self._codes = self.new_codes()

    def line_up(self, now_s: float) -> None:  # noqa: ARG002
        """Note that the scanner was plugged in: half a code is none."""
        self._codes = self.new_codes()

    def show(self, picture: WindowPicture) -> None:
        """Keep nothing: a scanner shows nothing."""

    def due(self, now_s: float) -> bytes:  # noqa: ARG002
        """Give nothing: a scanner is not spoken to."""
        return b""

    def feed(self, data: bytes, now_s: float) -> Sequence[Scan]:
        """Give the codes that were read, each once."""
        if now_s - self._heard_s > QUIET_S:
            self._codes.quiet()
        self._heard_s = now_s
        scans = []
        for code in self._codes.feed(data):
            same = code == self._last and now_s - self._last_s < AGAIN_S
            self._last, self._last_s = code, now_s
            if not same:
                scans.append(Scan(device=self.device, code=code))
        return scans

    def refused(self, place: str, code: str) -> None:
        """Do nothing: a scanner has beeped already; the page or the strip says what the hall said."""

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give ok: a scanner speaks only when something is read."""
        return Health()


def make(wiring: Wiring[ScannerOptions]) -> Scanner:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return Scanner(wiring.device, TypedCodes if wiring.url.startswith("hid:") else LineCodes)
