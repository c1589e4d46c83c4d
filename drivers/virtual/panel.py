"""A pretend button panel behind a Modbus RTU module: discrete inputs are buttons, coils are lamps and a buzzer.

Buttons are pressed on the devices page; a pressed one stays down as long as a finger does.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.bit_message import (
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)

from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymodbus.pdu import ModbusPDU

FAULTS = ("unplug", "silent", "garbage", "slow", "bounce", "stuck", "refuse")
"""The line vanishes; no answer; noise around answers; answers drip; contacts bounce; a button hangs; errors."""

FINGER_S = 0.25
BOUNCES = 4
_REQUEST_BYTES = 8  # of functions 01, 02, 05
_NOISE = b"\x01\x02\x01\xff\x00\x7f\x01"
_SLOW_S = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class PretendButton:
    """One button: its input and lamp coil have the same number as its place."""

    service: str
    name: str


class PanelTwin:
    """One panel, unit 1. Coil `len(buttons)` is the buzzer."""

    def __init__(
        self,
        place: str,
        buttons: Sequence[PretendButton],
        kiosk: str = "",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the line; no button is down, no lamp is lit."""
        self._on_change = on_change
        self._lock = threading.Lock()
        self._heard = b""
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._down_until_s = [0.0] * len(buttons)
        self._unseen: set[int] = set()
        self._stuck: int | None = None
        self._flicker = 0
        self.buttons = tuple(buttons)
        self.kiosk = kiosk
        self.coils = [False] * (len(buttons) + 1)
        self.buzzes = 0
        self.fault: str | None = None
        self.line = VirtualLine(place, self._hear)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def press(self, key: str) -> None:
        """Press the button of this place in the row. Raises KeyError for one there is not."""
        if not key.isdigit() or int(key) >= len(self.buttons):
            raise KeyError(key)
        with self._lock:
            self._down_until_s[int(key)] = time.monotonic() + FINGER_S
            self._unseen.add(int(key))
            self._flicker = BOUNCES if self.fault == "bounce" else 0
            if self.fault == "stuck":
                self._stuck = int(key)
        self._on_change()

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        self.line.suffer(fault, FAULTS)
        with self._lock:
            self.fault = fault
            self._stuck = None
            self._unseen.clear()
        self._on_change()

    def state(self) -> dict[str, object]:
        """Give the panel for the devices page."""
        with self._lock:
            rows = [
                {"service": button.service, "name": button.name, "lit": lit}
                for button, lit in zip(self.buttons, self.coils[:-1], strict=True)
            ]
            return {
                "kind": "panel",
                "url": self.url,
                "fault": self.fault,
                "faults": list(FAULTS),
                "kiosk": self.kiosk,
                "buttons": rows,
                "buzzes": self.buzzes,
            }

    def close(self) -> None:
        """Put the panel away."""
        self.line.close()

    def _hear(self, data: bytes) -> None:
        """Answer every whole request for unit 1."""
        with self._lock:
            self._heard = (self._heard + data)[-64:]
            replies = []
            place = 0
            while place + _REQUEST_BYTES <= len(self._heard):
                frame = self._heard[place : place + _REQUEST_BYTES]
                crc = int.from_bytes(frame[-2:], "big")
                if frame[0] != 1 or frame[1] not in {1, 2, 5} or not FramerRTU.check_CRC(frame[:-2], crc):
                    place += 1
                    continue
                replies.append(self._reply(frame))
                place += _REQUEST_BYTES
            self._heard = self._heard[place:]
            fault = self.fault
        for reply in replies:
            self._send(reply, fault)

    def _reply(self, frame: bytes) -> bytes:
        function, at = frame[1], int.from_bytes(frame[2:4], "big")
        if self.fault == "refuse":
            return self._framed(ExceptionResponse(function, 2))
        if function == WriteSingleCoilRequest.function_code:
            on = frame[4:6] == b"\xff\x00"
            if at >= len(self.coils):
                return self._framed(ExceptionResponse(function, 2))
            if at == len(self.buttons) and on and not self.coils[at]:
                self.buzzes += 1
            changed, self.coils[at] = self.coils[at] is not on, on
            if changed:
                threading.Thread(target=self._on_change, daemon=True).start()
            return self._framed(WriteSingleCoilResponse(address=at, bits=[on]))
        count = int.from_bytes(frame[4:6], "big")
        if function == 1:
            return self._framed(ReadCoilsResponse(bits=(self.coils[at:] + [False] * count)[:count]))
        return self._framed(ReadDiscreteInputsResponse(bits=(self._inputs()[at:] + [False] * count)[:count]))

    def _inputs(self) -> list[bool]:
        now_s = time.monotonic()
        # a finger waits for the agent of a busy machine
        down = [until_s > now_s or place in self._unseen for place, until_s in enumerate(self._down_until_s)]
        if self._stuck is not None:
            down[self._stuck] = True
        if any(down) and self._flicker:
            self._flicker -= 1
            if self._flicker % 2:
                return [False] * len(down)
        self._unseen.clear()
        return down

    def _framed(self, pdu: ModbusPDU) -> bytes:
        return self._framer.encode(bytes([pdu.function_code]) + pdu.encode(), 1, 0)

    def _send(self, reply: bytes, fault: str | None) -> None:
        match fault:
            case "silent" | "unplug":
                return
            case "garbage":
                self.line.send(_NOISE + reply[:-1] + bytes([reply[-1] ^ 0xFF]))
            case "slow":
                for byte in reply:
                    self.line.send(bytes([byte]))
                    threading.Event().wait(_SLOW_S)
            case _:
                self.line.send(reply)
