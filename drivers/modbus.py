"""Modbus over a line that belongs to us: requests as bytes, answers out of a stream, no I/O.

PDUs, CRC and frames are pymodbus' own; its clients are not used, because they open the port themselves: here one thread
owns the line and other devices may hang on it. A request is answered at once or never (the bus has one master), so the
reader looks for the answer to the one request that is open and lets everything else pass.

Sources: Modbus Application Protocol 1.1b3 (frames, function and exception codes), Modbus over Serial Line 1.02 (RTU: at
least 3.5 characters of silence between frames), Modbus Messaging on TCP/IP 1.0b (MBAP header), all on modbus.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymodbus.pdu import ModbusPDU

Framing: TypeAlias = Literal["rtu", "tcp"]

UNITS = range(1, 248)
"""Addresses a device may have; 0 is for all, and nobody answers it."""
MAX_REGISTERS = 123
"""Registers of one write."""
MAX_ADU_BYTES = 260
QUIET_CHARACTERS = 3.5
"""Silence between two RTU frames, in characters; never less than 1.75 ms."""

_MBAP_BYTES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to one unit. `pdu` is function code and data; `tag` tells TCP answers apart."""

    unit: int
    pdu: bytes
    tag: int = 0

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a unit answered. `error` is the exception code (1 function, 2 address, 3 value ...), None when it obeyed."""

    unit: int
    function: int
    tag: int = 0
    registers: tuple[int, ...] = ()
    bits: tuple[bool, ...] = ()
    error: int | None = None

    def answers(self, request: Request) -> bool:
        """Say whether this is the answer to that question."""
        return (self.unit, self.function, self.tag) == (request.unit, request.function, request.tag)


def write_register(unit: int, at: int, value: int, tag: int = 0) -> Request:
    """Give the request that sets one holding register (06)."""
    return _request(WriteSingleRegisterRequest(address=at, registers=[value]), unit, tag)


def write_registers(unit: int, at: int, values: Sequence[int], tag: int = 0) -> Request:
    """Give the request that sets registers in a row (10 hex)."""
    if not 1 <= len(values) <= MAX_REGISTERS:
        raise ValueError(f"1 to {MAX_REGISTERS} registers can be written at once, not {len(values)}")
    return _request(WriteMultipleRegistersRequest(address=at, registers=list(values)), unit, tag)


def read_registers(unit: int, at: int, count: int, tag: int = 0) -> Request:
    """Give the request for `count` holding registers (03)."""
    return _request(ReadHoldingRegistersRequest(address=at, count=count), unit, tag)


def read_coils(unit: int, at: int, count: int, tag: int = 0) -> Request:
    """Give the request for `count` coils (01)."""
    return _request(ReadCoilsRequest(address=at, count=count), unit, tag)


def read_inputs(unit: int, at: int, count: int, tag: int = 0) -> Request:
    """Give the request for `count` discrete inputs (02)."""
    return _request(ReadDiscreteInputsRequest(address=at, count=count), unit, tag)


def write_coil(unit: int, at: int, *, on: bool, tag: int = 0) -> Request:
    """Give the request that switches one coil (05)."""
    return _request(WriteSingleCoilRequest(address=at, bits=[on]), unit, tag)


def encode(request: Request, framing: Framing) -> bytes:
    """Give the bytes on the wire."""
    framer = FramerRTU(_REQUESTS) if framing == "rtu" else FramerSocket(_REQUESTS)
    return framer.encode(request.pdu, request.unit, request.tag)


def quiet_s(byte_s: float) -> float:
    """Give the silence that RTU wants between two frames, for a line on which a byte takes `byte_s`."""
    return max(0.00175, QUIET_CHARACTERS * byte_s)


class Reader:
    """Finds answers in a stream that may be cut anywhere and full of noise; keeps never more than one frame."""

    def __init__(self, framing: Framing) -> None:
        """Start with nothing heard."""
        self._framing = framing
        self._heard = b""

    @property
    def kept_bytes(self) -> int:
        """How many bytes of an unfinished answer are kept."""
        return len(self._heard)

    def forget(self) -> None:
        """Drop what was heard: a new question is going out, and what came before cannot be its answer."""
        self._heard = b""

    def feed(self, data: bytes) -> list[Reply]:
        """Give the whole and right answers that `data` completes, in order. Never raises."""
        replies: list[Reply] = []
        heard = self._heard + data
        place = done = 0
        while place < len(heard):
            found = _frame(heard[place : place + MAX_ADU_BYTES], self._framing)
            if found is None:  # noise, or the head of a frame whose rest is still to come
                place += 1
                continue
            reply, length = found
            replies.append(reply)
            place = done = place + length
        self._heard = heard[max(done, len(heard) - MAX_ADU_BYTES + 1) :]
        return replies


_REQUESTS = DecodePDU(is_server=True)
_ANSWERS = DecodePDU(is_server=False)


def _request(pdu: ModbusPDU, unit: int, tag: int) -> Request:
    if unit not in UNITS:
        raise ValueError(f"a Modbus unit is 1..247, not {unit}")
    return Request(unit=unit, pdu=bytes([pdu.function_code]) + pdu.encode(), tag=tag)


def _frame(data: bytes, framing: Framing) -> tuple[Reply, int] | None:
    """Give the answer with which `data` begins and its length, or None."""
    match framing:
        case "rtu":
            return _rtu(data)
        case "tcp":
            return _tcp(data)


def _rtu(data: bytes) -> tuple[Reply, int] | None:
    if len(data) < 5 or data[0] not in UNITS:
        return None
    kind = _ANSWERS.lookupPduClass(data)
    if kind is None or data[1] & 0x7F not in _FUNCTIONS:
        return None
    length = kind.calculateRtuFrameSize(data)
    if not 5 <= length <= len(data):
        return None
    crc = int.from_bytes(data[length - 2 : length], "big")
    if not FramerRTU.check_CRC(data[: length - 2], crc):
        return None
    reply = _reply(data[1 : length - 2], unit=data[0], tag=0)
    return None if reply is None else (reply, length)


def _tcp(data: bytes) -> tuple[Reply, int] | None:
    if len(data) < _MBAP_BYTES + 2 or data[2:4] != b"\x00\x00":
        return None
    length = 6 + int.from_bytes(data[4:6], "big")
    if not _MBAP_BYTES + 2 <= length <= min(MAX_ADU_BYTES, len(data)) or data[7] & 0x7F not in _FUNCTIONS:
        return None
    reply = _reply(data[_MBAP_BYTES:length], unit=data[6], tag=int.from_bytes(data[:2], "big"))
    return None if reply is None else (reply, length)


def _reply(pdu: bytes, *, unit: int, tag: int) -> Reply | None:
    if len(pdu) < 2 or (pdu[0] & 0x7F in _COUNTED and not pdu[0] & 0x80 and len(pdu) != pdu[1] + 2):
        return None
    answer = _ANSWERS.decode(pdu)
    if answer is None:
        return None
    function = pdu[0] & 0x7F
    if isinstance(answer, ExceptionResponse):
        return Reply(unit=unit, function=function, tag=tag, error=answer.exception_code)
    registers = tuple(answer.registers) if function in {0x03, 0x04} else ()
    bits = tuple(answer.bits) if function in {0x01, 0x02} else ()
    return Reply(unit=unit, function=function, tag=tag, registers=registers, bits=bits)


_COUNTED = frozenset({0x01, 0x02, 0x03, 0x04})
"""Answers that say how many bytes follow."""
_FUNCTIONS = _COUNTED | {0x05, 0x06, 0x0F, 0x10}
"""What we ask; everything else on the line is not for us."""
