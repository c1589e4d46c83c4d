"""Buttons and lamps as bytes: how the ports `hid:` and `gpio:` speak to the drivers behind them. Pure.

Three bytes each way: number (two bytes, high first) and value. From the port: a button went down (1) or up (0), a
keyboard repeats a held key (2). To the port: a lamp on (1) or off (0), or from now on watch this button (2). The
number is a key code of `linux/input-event-codes.h` or a pin in Broadcom's numbering.
"""

from __future__ import annotations

from dataclasses import dataclass

UP, DOWN, HELD = 0, 1, 2
OFF, ON, WATCH = 0, 1, 2
BYTES = 3
NUMBERS = range(0x10000)


@dataclass(frozen=True, slots=True)
class Contact:
    """One button that moved, or one order to the port."""

    number: int
    value: int


def encode(contact: Contact) -> bytes:
    """Give the three bytes."""
    return contact.number.to_bytes(2, "big") + bytes([contact.value])


class Decoder:
    """Finds contacts in a stream cut anywhere; keeps never more than two bytes."""

    def __init__(self) -> None:
        """Start between contacts."""
        self._rest = b""

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished contact are kept."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Contact]:
        """Give the contacts that `data` completes, in order. Never raises."""
        whole = self._rest + data
        end = len(whole) - len(whole) % BYTES
        self._rest = whole[end:]
        return [
            Contact(int.from_bytes(whole[at : at + 2], "big"), whole[at + 2])
            for at in range(0, end, BYTES)
            if whole[at + 2] <= HELD
        ]
