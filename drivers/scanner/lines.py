"""Codes out of a scanner: as a line on a serial port or network, or typed as a keyboard does. Pure.

A scanner ends a code with CR, LF or both (its set-up sheet: suffix CR), a keyboard scanner with Enter or Tab. Codes of
ours are ASCII addresses and numbers; anything else on the line is noise and ends nothing.
"""

from __future__ import annotations

from drivers import contacts
from drivers.keys import ENDS, SHIFTS, TYPED

MAX_CODE = 512
"""Longest code that is believed; the address of a ticket has some 80 characters."""

_ENDS = b"\r\n\t\x03"


class LineCodes:
    """Finds codes in a stream that may be cut anywhere and full of noise; keeps never more than one code."""

    def __init__(self) -> None:
        """Start between codes."""
        self._heard = bytearray()
        self._spoilt = False

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished code are kept."""
        return len(self._heard)

    def feed(self, data: bytes) -> list[str]:
        """Give the codes that `data` completes, in order. Never raises."""
        codes = []
        for byte in data:
            if byte in _ENDS:
                code = "" if self._spoilt else self._heard.decode("ascii").strip()
                codes += [code] if code else []
                self.quiet()
            elif byte == 0x02:  # STX, which some scanners send first
                self.quiet()
            elif 0x20 <= byte < 0x7F and len(self._heard) < MAX_CODE:
                self._heard.append(byte)
            else:
                self._spoilt = True  # a code with a hole in it is another code: none is given
        return codes

    def quiet(self) -> None:
        """Give up what was begun: the line paused, or a code ended."""
        self._heard.clear()
        self._spoilt = False


class TypedCodes:
    """Finds codes among the keys that a keyboard scanner presses."""

    def __init__(self) -> None:
        """Start between codes."""
        self._decoder = contacts.Decoder()
        self._typed = ""
        self._shifted: set[int] = set()
        self._spoilt = False

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished code are kept."""
        return len(self._typed) + self._decoder.kept_bytes

    def feed(self, data: bytes) -> list[str]:
        """Give the codes that these keys complete, in order. Never raises."""
        codes = []
        for key in self._decoder.feed(data):
            if key.number in SHIFTS:
                (self._shifted.discard if key.value == contacts.UP else self._shifted.add)(key.number)
            elif key.value != contacts.DOWN:
                continue
            elif key.number in ENDS:
                code = "" if self._spoilt else self._typed.strip()
                codes += [code] if code else []
                self.quiet()
            elif key.number in TYPED and len(self._typed) < MAX_CODE:
                self._typed += TYPED[key.number][1 if self._shifted else 0]
            else:
                self._spoilt = True
        return codes

    def quiet(self) -> None:
        """Give up what was begun; a shift that is down stays down."""
        self._typed, self._spoilt = "", False
