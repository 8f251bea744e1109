"""Protocol Buffers messages, field by field."""

from __future__ import annotations

import struct

Field = tuple[int, "int | float | str | bytes"]


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(*fields: Field) -> bytes:
    """Integers as varints, floats as 32 bits, text and bytes (so also messages) with their length."""
    out = bytearray()
    for number, value in fields:
        match value:
            case int():
                out += varint(number << 3) + varint(value)
            case float():
                out += varint(number << 3 | 5) + struct.pack("<f", value)
            case str() | bytes():
                data = value.encode() if isinstance(value, str) else value
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return bytes(out)
