"""Call pads with 21 keys and rating pads of the "FF 68" family on an RS-485 line (9600 8N1): frames, decoder; no I/O.

`FF 68 LEN LEN 68 ADDR CMD DATA.. SUM 16`: LEN counts ADDR to DATA, SUM is their sum modulo 256. Pads speak when a key
is pressed; the host answers with the same frame (a rating pad is answered with command 01 instead of 11).

Source: the pad maker's frame text as published (book118, 7033135055002126) and the hall software QueueSystem on GitHub
(chen365409389/QueueSystem, CallSystem/frmMain.cs). Unlike that software this decoder checks the sum, takes every
length, and never waits for single bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MAX_LENGTH = 32
"""Longest ADDR..DATA the decoder believes; the longest real one is 8."""
MAX_DIGITS = 6
BLANK = 0x0A
"""A display cell with this value is left as it is."""
RATINGS = range(1, 6)

_HEAD = b"\xff\x68"
_CMD_KEY, _CMD_SHOW, _CMD_BEEP, _CMD_RATING = 0x01, 0x02, 0x03, 0x11


class Key(IntEnum):
    """Function keys of the 21-key pad; digits are 00..09 and come before one of them."""

    RATING = 0x0B
    CALL_NEXT = 0x0C
    RECALL = 0x0D
    CANCEL = 0x0E
    OK = 0x0F
    ONE_METRE = 0x11
    PAUSE = 0x12
    TRANSFER = 0x13


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame whose sum was right."""

    address: int
    command: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPress:
    """A key of a call pad, with the digits typed before it ("06" for 0 6)."""

    address: int
    key: Key
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A grade 1 (worst) .. 5 (best) from a rating pad."""

    address: int
    grade: int


def encode(address: int, command: int, data: bytes = b"") -> bytes:
    """Give the bytes on the wire. Raises ValueError for an address or length no pad has."""
    body = bytes([address, command]) + data
    if len(body) > MAX_LENGTH:
        raise ValueError(f"a pad frame has at most {MAX_LENGTH} bytes, not {len(body)}")
    return _HEAD + bytes([len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])


def acknowledge(frame: Frame) -> bytes:
    """Give the answer a pad waits for: the same frame, with command 01 for a rating."""
    command = _CMD_KEY if frame.command == _CMD_RATING else frame.command
    return encode(frame.address, command, frame.data)


def show_ticket(address: int, number: int) -> bytes:
    """Give the frame that shows the last three digits of a ticket number in the right half of the display."""
    return encode(address, _CMD_SHOW, bytes([BLANK] * 3) + _three_digits(number % 1000))


def show_waiting(address: int, waiting: int) -> bytes:
    """Give the frame that shows how many wait (at most 999) in the left half of the display."""
    return encode(address, _CMD_SHOW, _three_digits(min(waiting, 999)) + bytes([BLANK] * 3))


def beep(address: int) -> bytes:
    """Give the frame for one beep."""
    return encode(address, _CMD_BEEP)


def start_rating(address: int) -> bytes:
    """Give the frame that asks the visitor for a grade on the rating pad."""
    return encode(address, _CMD_KEY, bytes([Key.RATING]))


def show_stars(address: int, stars: int) -> bytes:
    """Give the frame that shows the clerk's 0..5 stars on the rating pad."""
    return encode(address, _CMD_SHOW, bytes([stars]))


def key_press(address: int, key: Key, digits: str = "") -> bytes:
    """Give the frame a call pad sends for a key, for the pretend pad."""
    return encode(address, _CMD_KEY, bytes(int(digit) for digit in digits) + bytes([key]))


def rating_press(address: int, grade: int) -> bytes:
    """Give the frame a rating pad sends for a grade, for the pretend pad."""
    return encode(address, _CMD_RATING, bytes([grade]))


def read_press(frame: Frame) -> KeyPress | Grade | None:
    """Give the press a frame reports, or None when it reports none (an echo, an unknown key)."""
    if frame.command == _CMD_RATING and len(frame.data) == 1 and frame.data[0] in RATINGS:
        return Grade(address=frame.address, grade=frame.data[0])
    if frame.command != _CMD_KEY or not frame.data:
        return None
    digits, key = frame.data[:-1], frame.data[-1]
    if key not in {int(k) for k in Key} or len(digits) > MAX_DIGITS or any(digit > 9 for digit in digits):
        return None
    return KeyPress(address=frame.address, key=Key(key), digits="".join(str(digit) for digit in digits))


class Decoder:
    """Finds frames in a stream that may be cut anywhere and full of noise; keeps never more than one frame."""

    def __init__(self) -> None:
        """Start between frames."""
        self._buffer = bytearray()
        self.rejected = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """Give the whole and right frames that `chunk` completes, in order. Never raises."""
        frames: list[Frame] = []
        for byte in chunk:
            self._buffer.append(byte)
            self._take(frames)
        return frames

    def quiet(self) -> list[Frame]:
        """Give up what was begun, because the line paused longer than any frame does; give good frames behind it."""
        frames: list[Frame] = []
        while self._buffer:
            del self._buffer[0]
            self._take(frames)
        return frames

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept."""
        return len(self._buffer)

    def _take(self, frames: list[Frame]) -> None:
        """Move every frame at the front of the buffer to `frames`; drop what cannot begin one."""
        while self._buffer:
            need = _bytes_needed(self._buffer)
            if need is None:
                # Drop one byte and look again: the noise may have hidden the head of a good frame.
                del self._buffer[0]
            elif need > len(self._buffer):
                return
            else:
                frame = _parse(bytes(self._buffer[:need]))
                if frame is None:
                    self.rejected += 1
                    del self._buffer[0]
                else:
                    frames.append(frame)
                    del self._buffer[:need]


def _bytes_needed(buffer: bytearray) -> int | None:
    """Give how long the frame at the front is going to be, or None when no frame can begin like this."""
    if buffer[0] != _HEAD[0] or (len(buffer) > 1 and buffer[1] != _HEAD[1]):
        return None
    if len(buffer) < 5:
        return len(buffer) + 1 if len(buffer) < 4 or buffer[2] == buffer[3] else None
    length = buffer[2]
    if buffer[3] != length or buffer[4] != 0x68 or not 2 <= length <= MAX_LENGTH:
        return None
    return 5 + length + 2


def _parse(raw: bytes) -> Frame | None:
    body, total, end = raw[5:-2], raw[-2], raw[-1]
    if end != 0x16 or sum(body) & 0xFF != total:
        return None
    return Frame(address=body[0], command=body[1], data=bytes(body[2:]))


def _three_digits(number: int) -> bytes:
    return bytes([number // 100, number // 10 % 10, number % 10])
