"""What a panel knows: presses that count once, lamps that show which services give numbers, a no that is seen or heard.

Pure. A press counts when its button goes down and rests afterwards (a bouncing contact and an impatient finger are one
press). The lamp of a button is lit while its service gives numbers. When the hall refuses, the buzzer sounds three
times, or the button's lamp blinks as often where there is no buzzer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.jobs import TakeNumber
from drivers.keys import code_of

if TYPE_CHECKING:
    from drivers.panel.options import Button, PanelOptions

BLINKS = 3
BLINK_S = 0.2
"""How long each light and each dark lasts."""


@dataclass(slots=True)
class Buttons:
    """The buttons and lamps of one panel."""

    device: str
    options: PanelOptions
    _open: frozenset[str] = frozenset()
    _rests_until_s: dict[int, float] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)
    _no_since_s: dict[int, float] = field(default_factory=dict)

    @property
    def by_code(self) -> dict[int, Button]:
        """Give the buttons by code."""
        return {code: button for button in self.options.buttons if (code := code_of(button.key)) is not None}

    def down(self, code: int, now_s: float) -> TakeNumber | None:
        """Give the number somebody wants, or None when this is no button of ours, or one that rests."""
        button = self.by_code.get(code)
        if button is None or now_s < self._rests_until_s.get(code, now_s):
            return None
        self._rests_until_s[code] = now_s + self.options.again_ms / 1000
        return TakeNumber(device=self.device, key=str(code), service=button.service, priority=button.priority)

    def see_services(self, open_now: frozenset[str]) -> None:
        """Keep which services give numbers now."""
        self._open = open_now

    def refused(self, place: str) -> None:
        """Note that the hall said no to the last press of this button."""
        if place.isdigit() and int(place) in self.by_code:
            self._refused.add(int(place))

    def outputs(self, now_s: float) -> dict[int, bool]:
        """Give how every lamp and the buzzer must be now."""
        for code in self._refused:
            self._no_since_s[code] = now_s
            self._rests_until_s.pop(code, None)  # the visitor may try another time at once
        self._refused.clear()
        wanted: dict[int, bool] = {}
        buzzing = False
        for code, button in self.by_code.items():
            turn = int((now_s - self._no_since_s[code]) / BLINK_S) if code in self._no_since_s else None
            if turn is not None and turn >= 2 * BLINKS:
                del self._no_since_s[code]
                turn = None
            buzzing = buzzing or (turn is not None and turn % 2 == 0)
            if button.lamp is not None:
                lit = button.service in self._open
                # it begins with the other state: a dark lamp lights up, a lit one goes out
                blinks = turn is not None and self.options.buzzer is None and turn % 2 == 0
                wanted[button.lamp] = lit is not blinks
        if self.options.buzzer is not None:
            wanted[self.options.buzzer] = buzzing
        return wanted
