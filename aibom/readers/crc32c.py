"""CRC-32C (Castagnoli) of many messages at once.

Source: RFC 3720, section 12.1 and appendix B.4. Damage is found by it, a forger is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_POLYNOMIAL: Final = 0x82F63B78  # reflected
_MASK: Final = 0xFFFFFFFF
_LANE_BYTES: Final = 128  # of a message that are taken together with those of all other lanes
_SMALL_BYTES: Final = 8 * _LANE_BYTES  # of all messages; below it the plain way is faster
_ROOM_BYTES: Final = 1 << 20  # of messages that are held at once, or one message


def _table() -> tuple[int, ...]:
    found = []
    for register in range(256):
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)  # noqa: PLW2901
        found.append(register)
    return tuple(found)


_TABLE: Final = _table()
# The table byte by byte, so that `bytes.translate` looks up as many values as there are lanes.
_PLANES: Final = tuple(bytes(value >> shift & 0xFF for value in _TABLE) for shift in (0, 8, 16, 24))


def _moved(register: int, count: int) -> int:
    """The register after `count` zero bytes."""
    for _ in range(count):
        register = register >> 8 ^ _TABLE[register & 0xFF]
    return register


# The register after the zero bytes of one lane, for each byte of the register.
_LANE: Final = tuple(
    tuple(_moved(value << shift, _LANE_BYTES) for value in range(256)) for shift in (0, 8, 16, 24)
)


def crc32c(message: bytes) -> int:
    """The checksum of one message."""
    register = _MASK
    if len(message) >= _SMALL_BYTES:
        return crc32c_each([message])[0]
    for byte in message:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 0xFF]
    return register ^ _MASK


def crc32c_each(messages: Sequence[bytes]) -> list[int]:
    """The checksum of each message. About twice the bytes of the longest one are held besides."""
    found: list[int] = []
    group: list[bytes] = []
    size = 0
    for message in messages:
        if group and size + len(message) > _ROOM_BYTES:
            found += _of_group(group)
            group, size = [], 0
        group.append(message)
        size += len(message) + _LANE_BYTES
    return found + _of_group(group)


def _of_group(messages: list[bytes]) -> list[int]:
    if sum(map(len, messages)) < _SMALL_BYTES:
        return [crc32c(message) for message in messages]
    # A register of zero stays so in front of zero bytes: a message can be filled up on the left when
    # its first four bytes take in the register that it would have begun with.
    parts: list[bytes] = []
    counts: list[int] = []
    for message in messages:
        if len(message) < 4:
            counts.append(0)
            continue
        head = bytes(byte ^ 0xFF for byte in message[:4])
        padding = -len(message) % _LANE_BYTES
        parts += (bytes(padding), head, message[4:])
        counts.append((len(message) + padding) // _LANE_BYTES)
    registers = _lanes(b"".join(parts))
    found, at = [], 0
    for message, count in zip(messages, counts, strict=True):
        found.append(_joined(registers[at : at + count]) ^ _MASK if count else crc32c(message))
        at += count
    return found


def _lanes(data: bytes) -> Sequence[int]:
    """The register of each piece of _LANE_BYTES, all of them at once, byte by byte."""
    lanes = len(data) // _LANE_BYTES
    planes = [0, 0, 0, 0]
    for at in range(_LANE_BYTES):
        index = (planes[0] ^ int.from_bytes(data[at::_LANE_BYTES], "little")).to_bytes(lanes, "little")
        looked = [int.from_bytes(index.translate(plane), "little") for plane in _PLANES]
        planes = [planes[1] ^ looked[0], planes[2] ^ looked[1], planes[3] ^ looked[2], looked[3]]
    whole = bytearray(4 * lanes)
    for number, plane in enumerate(planes):
        whole[number::4] = plane.to_bytes(lanes, "little")
    return memoryview(whole).cast("I") if _IS_LITTLE else _words(whole)


def _words(whole: bytearray) -> list[int]:
    return [int.from_bytes(whole[at : at + 4], "little") for at in range(0, len(whole), 4)]


_IS_LITTLE: Final = memoryview(b"\1\0\0\0").cast("I")[0] == 1


def _joined(registers: Sequence[int]) -> int:
    """The register behind pieces that follow each other."""
    one, two, three, four = _LANE
    found = 0
    for each in registers:
        found = (
            one[found & 0xFF] ^ two[found >> 8 & 0xFF] ^ three[found >> 16 & 0xFF] ^ four[found >> 24] ^ each
        )
    return found
