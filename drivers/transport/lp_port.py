"""A printer's own device file (/dev/usb/lp0): Linux's usblp driver, one printer on one USB cable.

    lp:///dev/usb/lp0
    lp:///dev/usblp-hall        a name that survives replugging, made by a udev rule

Facts that shape it: a printer without paper takes no more bytes, so a plain write never returns; the file is opened
without blocking and every write has an end. The driver gives no bytes, or an empty read, while the printer is quiet;
an unplugged printer is ENODEV on write and read. The file takes one opener at a time (EBUSY); a lock says the same to
other agents.

Source: Linux kernel, drivers/usb/class/usblp.c.
"""

import contextlib
import fcntl
import os
import select
import time

from drivers.faults import LineDown
from drivers.transport.base import LineUrl

_READ_BYTES = 4096
_CHUNK_BYTES = 4096
_QUIET_S = 0.02
"""usblp calls itself readable also while there is nothing: then it is asked again after this pause."""


class LpPort:
    """An open printer file, held exclusively."""

    def __init__(self, parsed: LineUrl) -> None:
        """Open the file. Raises LineDown."""
        self.url = parsed.url
        try:
            self._file: int | None = os.open(parsed.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise LineDown(self.url, _why(error)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise LineDown(self.url, "another program has it") from error

    def write(self, data: bytes, timeout_s: float) -> None:
        """Hand all bytes to the printer, or raise LineDown."""
        until_s = time.monotonic() + timeout_s
        rest = memoryview(data)
        try:
            while rest:
                left_s = until_s - time.monotonic()
                _, ready, _ = select.select([], [self._open()], [], max(0.0, left_s))
                if not ready:
                    raise self._down(f"took {len(data) - len(rest)} of {len(data)} bytes in {timeout_s:g} s")
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(self._open(), rest[:_CHUNK_BYTES]) :]
        except OSError as error:
            raise self._down(_why(error)) from error

    def read(self, timeout_s: float) -> bytes:
        """Give what arrived within the time, or b""."""
        until_s = time.monotonic() + timeout_s
        try:
            while True:
                ready, _, _ = select.select([self._open()], [], [], max(0.0, until_s - time.monotonic()))
                if not ready:
                    return b""
                with contextlib.suppress(BlockingIOError):
                    if data := os.read(self._open(), _READ_BYTES):
                        return data
                if (left_s := until_s - time.monotonic()) <= 0:
                    return b""
                time.sleep(min(_QUIET_S, left_s))
        except OSError as error:
            raise self._down(_why(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)

    def _open(self) -> int:
        if self._file is None:
            raise LineDown(self.url, "it is closed")
        return self._file

    def _down(self, why: str) -> LineDown:
        self.close()
        return LineDown(self.url, why)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
