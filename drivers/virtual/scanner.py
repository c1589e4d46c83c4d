"""A pretend scanner on a serial line: codes are held before it on the devices page, and it sends them with CR."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = ("unplug", "silent", "garbage", "slow", "twice", "torn")
"""The line vanishes; nothing is sent; noise in the code; the code drips; each code twice; codes without an end."""

KEPT = 5
MAX_CODE = 200
_SLOW_S = 0.01


class ScannerTwin:
    """One scanner."""

    def __init__(self, place: str, kiosk: str = "", on_change: Callable[[], None] = lambda: None) -> None:
        """Open the line."""
        self._on_change = on_change
        self.kiosk = kiosk
        self.codes: list[str] = []
        self.fault: str | None = None
        self.line = VirtualLine(place, lambda _: None)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def press(self, key: str) -> None:
        """Hold a code before the scanner. Raises KeyError for what no scanner reads."""
        if not key or len(key) > MAX_CODE or not key.isascii() or not key.isprintable():
            raise KeyError(key[:MAX_CODE])
        self.codes = [key, *self.codes][:KEPT]
        raw = key.encode("ascii")
        match self.fault:
            case "silent" | "unplug":
                pass
            case "garbage":
                self.line.send(raw[: len(raw) // 2] + b"\x00\xff" + raw[len(raw) // 2 :] + b"\r")
            case "slow":
                for byte in raw + b"\r":
                    self.line.send(bytes([byte]))
                    threading.Event().wait(_SLOW_S)
            case "twice":
                self.line.send((raw + b"\r\n") * 2)
            case "torn":
                self.line.send(raw)
            case _:
                self.line.send(raw + b"\r")
        self._on_change()

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        self.line.suffer(fault, FAULTS)
        self.fault = fault
        self._on_change()

    def state(self) -> dict[str, object]:
        """Give the scanner for the devices page."""
        return {
            "kind": "scanner",
            "url": self.url,
            "fault": self.fault,
            "faults": list(FAULTS),
            "kiosk": self.kiosk,
            "codes": list(self.codes),
        }

    def close(self) -> None:
        """Put the scanner away."""
        self.line.close()
