"""Checksums of LED protocols. "123456789" gives, in this order: DD, 31, 01DD, BB3D, 4B37."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def sum8(data: bytes) -> int:
    """Give the low byte of the sum of all bytes."""
    return sum(data) & 0xFF


def xor8(data: bytes) -> int:
    """Give all bytes combined by exclusive or."""
    result = 0
    for byte in data:
        result ^= byte
    return result


def sum16(data: bytes) -> int:
    """Give the low two bytes of the sum of all bytes."""
    return sum(data) & 0xFFFF


def crc16_arc(data: bytes) -> int:
    """Give CRC-16/ARC: polynomial A001 reflected, start 0."""
    return _crc16(data, 0x0000)


def crc16_modbus(data: bytes) -> int:
    """Give CRC-16/MODBUS: polynomial A001 reflected, start FFFF."""
    return _crc16(data, 0xFFFF)


CHECKSUMS: Mapping[str, tuple[Callable[[bytes], int], int]] = MappingProxyType(
    {
        "sum8": (sum8, 1),
        "xor8": (xor8, 1),
        "sum16": (sum16, 2),
        "crc16-arc": (crc16_arc, 2),
        "crc16-modbus": (crc16_modbus, 2),
    }
)
"""By the name used in devices files: the function, and how many bytes its result has."""


def _crc16(data: bytes, crc: int) -> int:
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def _row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


_TABLE = tuple(_row(value) for value in range(256))
