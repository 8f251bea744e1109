"""The least writer of Thrift's compact protocol: what no real writer would write, for hostile tests."""

from __future__ import annotations

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else ~(value << 1))


def integer(value: int) -> tuple[int, bytes]:
    return I64, zigzag(value)


def binary(value: bytes | str) -> tuple[int, bytes]:
    data = value.encode() if isinstance(value, str) else value
    return BINARY, varint(len(data)) + data


def listed(*items: tuple[int, bytes], kind: int = STRUCT, count: int | None = None) -> tuple[int, bytes]:
    length = len(items) if count is None else count
    return LIST, bytes([0xF0 | kind]) + varint(length) + b"".join(data for _, data in items)


def struct(fields: dict[int, tuple[int, bytes]]) -> tuple[int, bytes]:
    """A struct, its field ids written in the long form."""
    return STRUCT, b"".join(bytes([kind]) + zigzag(i) + data for i, (kind, data) in fields.items()) + b"\0"
