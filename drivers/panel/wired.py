"""Button panels whose buttons are keys of a keyboard (`hid:`) or hang on the pins of a small board (`gpio:`).

The port speaks in contacts (`contacts.py`); it tells a button by itself on a keyboard and is told which pins to watch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers import contacts
from drivers.contacts import Contact
from drivers.faults import Health
from drivers.panel.buttons import Buttons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.driver import Wiring
    from drivers.jobs import TakeNumber, WindowPicture
    from drivers.panel.options import PanelOptions


@dataclass(slots=True)
class WiredPanel:
    """One panel. See `drivers.driver.StateDriver` and `SeesServices`. `watch`: the port must be told the buttons."""

    buttons: Buttons
    watch: bool
    _decoder: contacts.Decoder = field(init=False, default_factory=contacts.Decoder)
    _lit: dict[int, bool] = field(init=False, default_factory=dict)
    _orders: deque[Contact] = field(init=False, default_factory=deque)

    def line_up(self, now_s: float) -> None:  # noqa: ARG002
        """Note that the port was opened: its buttons are watched and its lamps set anew."""
        self._decoder = contacts.Decoder()
        self._lit = {}
        self._orders = deque(Contact(code, contacts.WATCH) for code in self.buttons.by_code) if self.watch else deque()

    def show(self, picture: WindowPicture) -> None:
        """Keep nothing: a panel stands at no window."""

    def see_services(self, open_now: frozenset[str]) -> None:
        """Keep which services give numbers now."""
        self.buttons.see_services(open_now)

    def due(self, now_s: float) -> bytes:
        """Give the next order to the port."""
        if self._orders:
            return contacts.encode(self._orders.popleft())
        for number, lit in self.buttons.outputs(now_s).items():
            if self._lit.get(number) is not lit:
                self._lit[number] = lit
                return contacts.encode(Contact(number, contacts.ON if lit else contacts.OFF))
        return b""

    def feed(self, data: bytes, now_s: float) -> Sequence[TakeNumber]:
        """Give what was pressed, each press once."""
        downs = [each.number for each in self._decoder.feed(data) if each.value == contacts.DOWN]
        return [wish for code in downs if (wish := self.buttons.down(code, now_s)) is not None]

    def refused(self, place: str, code: str) -> None:  # noqa: ARG002
        """Blink or buzz."""
        self.buttons.refused(place)

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give ok: the port itself is lost or there."""
        return Health()


def make(wiring: Wiring[PanelOptions]) -> WiredPanel:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return WiredPanel(Buttons(wiring.device, wiring.options), watch=wiring.url.startswith("gpio:"))
