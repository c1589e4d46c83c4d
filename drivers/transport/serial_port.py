"""A serial port (RS-232, RS-485 adapters, printers on USB serial), over pyserial.

Facts that shape it: write() without a write timeout never returns when the peer stops reading; a port that vanishes
raises one of four unrelated exceptions (SerialException, OSError, termios.error, and TypeError when it is closed
meanwhile); a pseudo terminal refuses parity with termios.error. All four become LineDown here and nowhere else. On
Windows a port is COM3, and one that vanishes raises SerialException only.
"""

import os
import select
import time

import serial

from drivers.faults import LineDown
from drivers.transport.base import LineUrl

try:
    from termios import error as _terminal_error
except ImportError:  # Windows has none
    _terminal_error = OSError  # type: ignore[misc,assignment]  # another name for what is caught all the same

_GONE = (serial.SerialException, OSError, _terminal_error, TypeError, ValueError)
_READ_BYTES = 4096
_CAN_WAIT = os.name == "posix"
"""Windows waits for sockets only: there the port is looked at again and again."""
_LOOK_EVERY_S = 0.01


class SerialLine:
    """An open serial port, held exclusively."""

    def __init__(self, parsed: LineUrl) -> None:
        """Open the port. Raises LineDown."""
        self.url = parsed.url
        try:
            self._port = serial.Serial(
                port=parsed.path,
                baudrate=parsed.baud,
                bytesize=parsed.bits,
                parity=parsed.parity,
                stopbits=parsed.stop,
                timeout=0,
                write_timeout=1.0,
                exclusive=True,
            )
        except _GONE as error:
            raise LineDown(self.url, _why(error)) from error

    def write(self, data: bytes, timeout_s: float) -> None:
        """Hand all bytes to the port, or raise LineDown."""
        try:
            if self._port.write_timeout != timeout_s:  # setting it sets up the whole port anew
                self._port.write_timeout = timeout_s
            self._port.write(data)
        except _GONE as error:
            raise self._down(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Give what arrived within the time, or b""."""
        try:
            return bytes(self._port.read(_READ_BYTES)) if self._arrives(timeout_s) else b""
        except _GONE as error:
            raise self._down(error) from error

    def close(self) -> None:
        """Close the port."""
        try:
            self._port.close()
        except _GONE:
            return  # it is gone already: that is what was asked

    def _arrives(self, timeout_s: float) -> bool:
        if _CAN_WAIT:
            return bool(select.select([self._port.fileno()], [], [], timeout_s)[0])
        until_s = time.monotonic() + timeout_s
        while not self._port.in_waiting:
            if (left_s := until_s - time.monotonic()) <= 0:
                return False
            time.sleep(min(_LOOK_EVERY_S, left_s))
        return True

    def _down(self, error: Exception) -> LineDown:
        self.close()
        return LineDown(self.url, _why(error))


def _why(error: Exception) -> str:
    if isinstance(error, serial.SerialTimeoutException):
        return "the port takes no bytes"
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return os.strerror(number)
    return "the port has vanished" if isinstance(error, serial.SerialException | TypeError) else str(error)
