"""The pins of a small board (Raspberry Pi and its like), over gpiozero: buttons as contacts, lamps as outputs.

A pin becomes a button when it is told to be watched and a lamp when it is first switched. gpiozero calls us from its
own threads, so what moves goes through a queue. The package is an extra (`pip install jiaohao[gpio]`); without it, or
on a machine without pins, the line is down and says so.
"""

import contextlib
import queue
from typing import Any

from drivers.contacts import DOWN, ON, UP, WATCH, Contact, Decoder, encode
from drivers.faults import LineDown
from drivers.transport.base import LineUrl

MAX_MOVES = 256


class GpioLine:
    """The pins that our buttons and lamps hang on. Other pins are not touched."""

    def __init__(self, parsed: LineUrl) -> None:
        """Find the board. Raises LineDown."""
        self.url = parsed.url
        self._pull_up = parsed.path == "up"
        self._orders = Decoder()
        self._moves: queue.Queue[Contact] = queue.Queue(MAX_MOVES)
        self._buttons: dict[int, Any] = {}  # Any: gpiozero ships no types
        self._lamps: dict[int, Any] = {}
        try:
            import gpiozero
        except ImportError as error:
            raise LineDown(self.url, "the package gpiozero is missing: pip install jiaohao[gpio]") from error
        self._gpiozero = gpiozero
        try:
            gpiozero.Device.ensure_pin_factory()  # else a missing board is found at the first pin only
        except gpiozero.exc.GPIOZeroError as error:
            raise LineDown(self.url, f"this machine has no pins: {_why(error)}") from error

    def write(self, data: bytes, timeout_s: float) -> None:  # noqa: ARG002
        """Watch buttons, switch lamps. Raises LineDown for a pin there is not."""
        for order in self._orders.feed(data):
            try:
                if order.value == WATCH:
                    self._watch(order.number)
                else:
                    self._lamp(order.number).value = int(order.value == ON)
            except (self._gpiozero.exc.GPIOZeroError, OSError, RuntimeError) as error:
                self.close()
                raise LineDown(self.url, f"pin {order.number}: {_why(error)}") from error

    def read(self, timeout_s: float) -> bytes:
        """Give the buttons that moved within the time, three bytes each."""
        moved = b""
        with contextlib.suppress(queue.Empty):
            moved = encode(self._moves.get(timeout=max(timeout_s, 0.0001)))
            while True:
                moved += encode(self._moves.get_nowait())
        return moved

    def close(self) -> None:
        """Let go of the pins; lamps go out."""
        for pin in [*self._buttons.values(), *self._lamps.values()]:
            with contextlib.suppress(self._gpiozero.exc.GPIOZeroError, OSError, RuntimeError):
                pin.close()
        self._buttons.clear()
        self._lamps.clear()

    def _watch(self, number: int) -> None:
        if number in self._buttons:
            return
        button = self._gpiozero.Button(number, pull_up=self._pull_up)
        button.when_pressed = lambda: self._moved(number, DOWN)
        button.when_released = lambda: self._moved(number, UP)
        self._buttons[number] = button

    def _lamp(self, number: int) -> Any:  # Any: as above
        if number not in self._lamps:
            self._lamps[number] = self._gpiozero.LED(number)
        return self._lamps[number]

    def _moved(self, number: int, value: int) -> None:
        with contextlib.suppress(queue.Full):  # nobody reads: presses of minutes ago are worth nothing
            self._moves.put_nowait(Contact(number, value))


def _why(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
