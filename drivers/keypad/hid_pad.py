"""A USB numeric keypad (or any keyboard) as the call pad of one clerk: its keys are those of the 21-key pad.

From the factory: `+` calls the next, `-` recalls, `Enter` is OK, `/` asks for a grade, `*` pauses, `.` transfers,
Backspace cancels; digits come before them. A lamp of the keypad (Num Lock) blinks three times when the hall says no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers import contacts
from drivers.contacts import Contact
from drivers.driver import BadOptions, OptionProblem
from drivers.faults import Health
from drivers.keypad import ff68
from drivers.keypad.pad import command_of
from drivers.keys import CODES, code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.driver import Wiring
    from drivers.jobs import Press, WindowPicture

BLINK_S = 0.2
BLINKS = 3
FORGET_S = 5.0
"""Digits nobody finished are forgotten: the next visitor's window is not guessed from them."""
LAMP = 0
"""LED_NUML of linux/input-event-codes.h."""

NAMES: Mapping[str, ff68.Key] = MappingProxyType(
    {
        "call": ff68.Key.CALL_NEXT,
        "recall": ff68.Key.RECALL,
        "ok": ff68.Key.OK,
        "rating": ff68.Key.RATING,
        "pause": ff68.Key.PAUSE,
        "transfer": ff68.Key.TRANSFER,
        "cancel": ff68.Key.CANCEL,
    }
)
"""What a key may mean in DEVICES.toml."""

_USUAL = MappingProxyType(
    {
        "KEY_KPPLUS": "call",
        "KEY_KPMINUS": "recall",
        "KEY_KPENTER": "ok",
        "KEY_ENTER": "ok",
        "KEY_KPSLASH": "rating",
        "KEY_KPASTERISK": "pause",
        "KEY_KPDOT": "transfer",
        "KEY_BACKSPACE": "cancel",
    }
)
_DIGITS = {CODES[f"KEY_{prefix}{digit}"]: str(digit) for prefix in ("", "KP") for digit in range(10)}


@dataclass(frozen=True, slots=True, kw_only=True)
class HidPadOptions:
    """Options of driver "hid-keypad". `keys`: other meanings of keys, for instance { KEY_F1 = "call" }."""

    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Refuse unknown keys and meanings. Raises BadOptions with all of them."""
        problems = []
        for key, meaning in self.keys.items():
            if code_of(key) is None:
                zh, en = f"没有按键 {key!r}，应如 KEY_F1、KEY_KP7", f"no key {key!r}: write KEY_F1, KEY_KP7"
                problems.append(OptionProblem(option="keys", zh=zh, en=en))
            if meaning not in NAMES:
                known = ", ".join(NAMES)
                zh, en = f"没有功能 {meaning!r}，可用：{known}", f"no meaning {meaning!r}; known are {known}"
                problems.append(OptionProblem(option="keys", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


@dataclass(slots=True)
class HidPad:
    """One keypad. See `drivers.driver.StateDriver`."""

    window: str
    meanings: Mapping[int, ff68.Key]
    _decoder: contacts.Decoder = field(init=False, default_factory=contacts.Decoder)
    _picture: WindowPicture | None = field(init=False, default=None)
    _digits: str = field(init=False, default="")
    _typed_s: float = field(init=False, default=0.0)
    _no: bool = field(init=False, default=False)
    _no_since_s: float | None = field(init=False, default=None)
    _lit: bool | None = field(init=False, default=None)

    def line_up(self, now_s: float) -> None:  # noqa: ARG002
        """Note that the keypad was plugged in: nothing is typed, its lamp is unknown."""
        self._decoder, self._digits, self._lit, self._no_since_s = contacts.Decoder(), "", None, None

    def show(self, picture: WindowPicture) -> None:
        """Keep the newest picture: what pause means depends on it."""
        self._picture = picture

    def due(self, now_s: float) -> bytes:
        """Switch the lamp when it must change."""
        if self._no:
            self._no, self._no_since_s = False, now_s
        turn = None if self._no_since_s is None else int((now_s - self._no_since_s) / BLINK_S)
        if turn is not None and turn >= 2 * BLINKS:
            self._no_since_s = turn = None
        lit = turn is not None and turn % 2 == 0
        if lit is self._lit:
            return b""
        self._lit = lit
        return contacts.encode(Contact(LAMP, contacts.ON if lit else contacts.OFF))

    def feed(self, data: bytes, now_s: float) -> Sequence[Press]:
        """Give the window commands of the keys that went down."""
        presses = []
        for each in self._decoder.feed(data):
            if each.value != contacts.DOWN:
                continue
            if now_s - self._typed_s > FORGET_S:
                self._digits = ""
            self._typed_s = now_s
            if each.number in self.meanings:
                press = self._press(self.meanings[each.number])
                presses += [] if press is None else [press]
            elif each.number in _DIGITS:
                self._digits = (self._digits + _DIGITS[each.number])[-ff68.MAX_DIGITS :]
        return presses

    def refused(self, place: str, code: str) -> None:  # noqa: ARG002
        """Blink."""
        self._no = self._no or place == self.window

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give ok: the port itself is lost or there."""
        return Health()

    def _press(self, key: ff68.Key) -> Press | None:
        digits, self._digits = self._digits, ""
        press = command_of(ff68.KeyPress(address=0, key=key, digits=digits), self.window, self._picture)
        self._no = press is None and key is not ff68.Key.CANCEL
        return press


def make(wiring: Wiring[HidPadOptions]) -> HidPad:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    named = _USUAL | dict(wiring.options.keys)
    meanings = {code: NAMES[name] for key, name in named.items() if (code := code_of(key)) is not None}
    return HidPad(window=next(iter(wiring.windows.values())), meanings=meanings)
