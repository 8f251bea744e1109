"""CRC-32C: the published values, and many messages at once against one byte at a time."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.readers.crc32c import crc32c, crc32c_each

COUNTING = bytes(range(32))
# RFC 3720, appendix B.4: the last is a SCSI Read (10) command.
READ = bytes.fromhex(
    "01c0000000000000000000000000000014000000000004000000001400000018280000000000000002000000" + "00000000"
)


def bit_by_bit(message: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in message:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (COUNTING, 0x46DD794E),
        (COUNTING[::-1], 0x113FDB5C),
        (READ, 0xD9963A56),
    ],
    ids=["nothing", "digits", "zeros", "ones", "up", "down", "command"],
)
def test_published_values(message: bytes, expected: int) -> None:
    assert crc32c(message) == expected
    assert crc32c_each([bytes(5_000), message, bytes(5_000)])[1] == expected


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 127, 128, 129, 1023, 1024, 1025, 5_000])
def test_every_length_has_the_checksum_of_its_bits(size: int) -> None:
    message = random.Random(size).randbytes(size)
    expected = bit_by_bit(message)
    assert crc32c(message) == expected
    assert crc32c_each([message, bytes(2_000), message])[::2] == [expected, expected]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_many_messages_have_the_checksums_of_each(messages: list[bytes]) -> None:
    assert crc32c_each([*messages, bytes(1_024)])[:-1] == [bit_by_bit(each) for each in messages]


def test_any_flipped_bit_is_found() -> None:
    message = random.Random(1).randbytes(2_000)
    right = crc32c(message)
    for bit in random.Random(2).sample(range(16_000), 50):
        flipped = bytearray(message)
        flipped[bit // 8] ^= 1 << bit % 8
        assert crc32c(bytes(flipped)) != right


def test_many_bytes_take_less_than_a_second_a_mebibyte() -> None:
    message = random.Random(3).randbytes(1 << 20)
    begun = time.process_time()
    crc32c(message)
    assert time.process_time() - begun < 1
