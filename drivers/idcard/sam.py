"""The SAM_V module of identity card readers on a serial line (115200 to 9600 8N1): frames, decoder; no I/O.

`AA AA AA 96 69 LENhi LENlo CMD PARA [data] XOR`; LEN counts CMD to XOR, XOR is over LEN to the last byte before it. An
answer has three status bytes in place of CMD PARA. The text comes with the photo: it is cut off here, undecoded.

Source: 身份证阅读器通信协议 (softs.im/身份证阅读器通信协议), the readers' common command set.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

HEAD = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 0x0A00
"""Longest LEN the decoder believes; text, photo and fingerprints are 0x090A."""
TEXT_BYTES = 256
READ_BYTES = 1295
"""How long the answer to READ is on the wire."""


class Ask(Enum):
    """What a reader is asked: command and parameter."""

    IDENTITY = b"\x12\xff"  # number of the module
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"  # text and photo

    @property
    def frame(self) -> bytes:
        """The bytes on the wire."""
        return encode(self.value)


class Status(IntEnum):
    """The third status byte, as far as it changes what is done."""

    OK = 0x90
    FOUND = 0x9F
    NOT_FOUND = 0x80
    NOT_SELECTED = 0x81
    READ_FAILED = 0x41
    SELF_TEST = 0x60
    NOT_AUTHORISED = 0x66


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer whose check byte was right. `data` is to be wiped by whoever has used it."""

    status: int
    data: bytearray

    def __repr__(self) -> str:
        """Say nothing of the data: it may be a person's."""
        return f"Answer({self.status:#04x}, {len(self.data)} bytes)"


def encode(body: bytes) -> bytes:
    """Give a frame around command, parameter and data, or around status bytes and data."""
    inner = (len(body) + 1).to_bytes(2, "big") + body
    return HEAD + inner + bytes([_xor(inner)])


def text_of(data: bytearray) -> bytearray | None:
    """Give the 256 bytes of text in the answer to READ, and wipe the rest; None when they are not there.

    `text length, photo length` (two bytes each, high first), then text, then photo.
    """
    whole = len(data) >= 4 + TEXT_BYTES and int.from_bytes(data[:2], "big") == TEXT_BYTES
    text = bytearray(data[4 : 4 + TEXT_BYTES]) if whole else None
    wipe(data)
    return text


def identity_of(data: bytearray) -> str | None:
    """Give the number printed on the module (05.01-20060104-0000012345-1234567890), or None.

    16 bytes, low first: two of the maker, two of the type, four of the date, four and four of the number.
    """
    if len(data) < 16:
        return None
    words = [int.from_bytes(data[at : at + size], "little") for at, size in ((0, 2), (2, 2), (4, 4), (8, 4), (12, 4))]
    return f"{words[0]:02d}.{words[1]:02d}-{words[2]:08d}-{words[3]:010d}-{words[4]:010d}"


def wipe(data: bytearray) -> None:
    """Overwrite what was read."""
    data[:] = bytes(len(data))


class Decoder:
    """Finds answers in a stream that may be cut anywhere and full of noise; keeps never more than one."""

    def __init__(self) -> None:
        """Start between answers."""
        self._heard = bytearray()
        self.rejected = 0

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished answer are kept."""
        return len(self._heard)

    def feed(self, data: bytes) -> list[Answer]:
        """Give the whole and right answers that `data` completes, in order. Never raises."""
        self._heard += data
        answers: list[Answer] = []
        while self._heard:
            start = self._heard.find(HEAD)
            if start < 0:
                self._drop(len(self._heard) - _begun(self._heard))
                break
            self._drop(start)
            if len(self._heard) < len(HEAD) + 2:
                break
            length = int.from_bytes(self._heard[5:7], "big")
            if not 4 <= length <= MAX_LENGTH:
                self._drop(1)  # noise that looked like a head: a good frame may begin within it
                continue
            end = len(HEAD) + 2 + length
            if len(self._heard) < end:
                break
            if _xor(self._heard[5 : end - 1]) != self._heard[end - 1]:
                self.rejected += 1
                self._drop(1)
                continue
            answers.append(Answer(self._heard[9], bytearray(self._heard[10 : end - 1])))
            self._drop(end)
        return answers

    def forget(self) -> None:
        """Overwrite and drop what was heard."""
        self._drop(len(self._heard))

    def _drop(self, count: int) -> None:
        """Overwrite the first bytes, then take them out."""
        self._heard[:count] = bytes(count)
        del self._heard[:count]


def _xor(data: bytes | bytearray) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check


def _begun(heard: bytearray) -> int:
    """Give how many bytes at the end may be the beginning of a head."""
    return next((size for size in range(len(HEAD) - 1, 0, -1) if heard.endswith(HEAD[:size])), 0)
