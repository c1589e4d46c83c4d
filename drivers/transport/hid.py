"""A keyboard that belongs to us (button panel, keypad, scanner), over evdev: its keys as contacts, its LEDs as lamps.

Facts that shape it: without `grab` every key also goes to the console and to the focused window of the kiosk's browser;
a keyboard that is pulled gives OSError 19 at the next read and its name below /dev/input/by-id comes back with it.
The package is an extra (`pip install jiaohao[hid]`, Linux); without it the line is down and says so.
"""

import contextlib
import os
import select
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from drivers.contacts import BYTES, OFF, ON, Contact, Decoder, encode
from drivers.faults import LineDown
from drivers.transport.base import LineUrl

_EV_KEY = 1
_LED_MAX = 15


class Key(Protocol):
    """One event of a keyboard, as evdev has it."""

    type: int
    code: int
    value: int


class Keyboard(Protocol):
    """What is used of an `evdev.InputDevice`."""

    def fileno(self) -> int:
        """Give the file to wait for."""
        ...

    def grab(self) -> None:
        """Take the keys away from everybody else."""
        ...

    def read(self) -> Iterable[Key]:
        """Give the events that have arrived."""
        ...

    def set_led(self, led_num: int, value: int) -> None:
        """Switch one of the keyboard's own lamps."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class HidLine:
    """An open keyboard, grabbed."""

    def __init__(self, parsed: LineUrl, open_keyboard: Callable[[str], Keyboard] | None = None) -> None:
        """Open and grab the keyboard. Raises LineDown."""
        self.url = parsed.url
        self._orders = Decoder()
        try:
            self._keyboard = (open_keyboard or _evdev)(parsed.path)
        except ImportError as error:
            raise LineDown(self.url, "the package evdev is missing: pip install jiaohao[hid]") from error
        except OSError as error:
            raise LineDown(self.url, _why(error)) from error
        try:
            self._keyboard.grab()
        except OSError as error:
            raise self._down(error) from error

    def write(self, data: bytes, timeout_s: float) -> None:  # noqa: ARG002
        """Switch LEDs; what is no lamp of a keyboard is passed over. Raises LineDown."""
        try:
            for order in self._orders.feed(data):
                if order.value in {ON, OFF} and order.number <= _LED_MAX:
                    self._keyboard.set_led(order.number, order.value)
        except OSError as error:
            raise self._down(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Give the keys that moved within the time, three bytes each. Raises LineDown."""
        try:
            ready, _, _ = select.select([self._keyboard.fileno()], [], [], timeout_s)
            keys = [key for key in self._keyboard.read() if key.type == _EV_KEY] if ready else []
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:  # ValueError: its file was closed
            raise self._down(error) from error
        return b"".join(encode(Contact(key.code, key.value)) for key in keys if 0 <= key.value < BYTES)

    def close(self) -> None:
        """Let go of the keyboard."""
        with contextlib.suppress(OSError, ValueError):
            self._keyboard.close()

    def _down(self, error: Exception) -> LineDown:
        self.close()
        return LineDown(self.url, _why(error))


def _evdev(path: str) -> Any:  # Any: evdev has its own types, Keyboard is what we use of them
    import evdev

    return evdev.InputDevice(path)


def _why(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else str(error)
