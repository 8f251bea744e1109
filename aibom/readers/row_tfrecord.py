"""The records of a TFRecord file, as the bytes that stand in it.

A record is a length of 8 bytes, its masked CRC-32C, the data, and the masked CRC-32C of the data, all
little-endian. Every checksum is checked. Format: tensorflow.org/tutorials/load_data/tfrecord, "TFRecords
format details". What the data holds (`tf.train.Example`) is not taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from aibom.domain.dataset import LineBatch
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.crc32c import crc32c, crc32c_each
from aibom.readers.row_text import at_row

RECORD_BYTES: Final = 16 * MIB
_PIECE_BYTES: Final = MIB
_BATCH_COUNT: Final = 16_384
_HEAD_BYTES: Final = 12
_FOOT_BYTES: Final = 4
_DELTA: Final = 0xA282EAD8  # a checksum of data that holds checksums is weak; so they are masked
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def lines(reader: ByteReader) -> Iterator[LineBatch]:
    """Every record without its frame. Raises `UnreadableError` with row and byte."""
    first = 0
    for records, offset in _batches(reader):
        sums = crc32c_each([data for data, _ in records])
        for at, ((data, foot), found) in enumerate(zip(records, sums, strict=True)):
            if _masked(found) != foot:
                error = malformed(f"the checksum of {len(data)} bytes is wrong")
                raise at_row(first + at, error, offset + _framed(records[:at]) + _HEAD_BYTES)
        yield LineBatch(lines=[data for data, _ in records], first=first)
        first += len(records)


Record = tuple[bytes, int]  # data and its masked checksum


def _framed(records: list[Record]) -> int:
    return sum(len(data) + _HEAD_BYTES + _FOOT_BYTES for data, _ in records)


def _batches(reader: ByteReader) -> Iterator[tuple[list[Record], int]]:
    """Records of about _PIECE_BYTES with the offset of the first; only lengths are checked."""
    held = b""
    position = row = 0  # how far the file was read, and how many records came before
    while held or position < reader.size:
        offset = position - len(held)
        records, used = _whole(held, offset, row)
        if records:
            yield records, offset
            held, row = held[used:], row + len(records)
            continue
        wanted = max(_PIECE_BYTES, _missing(held, offset, row, reader.size))
        piece = reader.read_at(position, min(wanted, reader.size - position))
        held += piece
        position += len(piece)


def _missing(held: bytes, offset: int, row: int, size: int) -> int:
    """How many bytes the next record needs besides those that are held."""
    if len(held) < _HEAD_BYTES <= size - offset:
        return 0
    length = _length(held, 0, offset, row)
    left = size - offset - _HEAD_BYTES
    if length + _FOOT_BYTES > left:
        raise at_row(row, truncated(f"a record of {length} bytes, {left} are left"), offset)
    return _HEAD_BYTES + length + _FOOT_BYTES - len(held)


def _whole(piece: bytes, offset: int, row: int) -> tuple[list[Record], int]:
    """The records that end in the piece, and how many bytes they take."""
    records: list[Record] = []
    at = 0
    while len(records) < _BATCH_COUNT and len(piece) - at >= _HEAD_BYTES:
        length = _length(piece, at, offset, row + len(records))
        end = at + _HEAD_BYTES + length
        if end + _FOOT_BYTES > len(piece):
            break
        foot = int.from_bytes(piece[end : end + _FOOT_BYTES], "little")
        records.append((piece[at + _HEAD_BYTES : end], foot))
        at = end + _FOOT_BYTES
    return records, at


def _length(piece: bytes, at: int, offset: int, row: int) -> int:
    """The length of the record at a place of the piece, which its own checksum vouches for."""
    head = piece[at : at + _HEAD_BYTES]
    if len(head) < _HEAD_BYTES:
        raise at_row(row, truncated(f"{len(head)} bytes where a record begins"), offset + at)
    if masked_crc(head[:8]) != int.from_bytes(head[8:], "little"):
        if offset + at == 0 and head.startswith(_COMPRESSED):
            raise UnreadableError(Reason.UNSUPPORTED, "compressed records", 0)
        raise at_row(row, malformed("the checksum of the length is wrong"), offset + at)
    length = int.from_bytes(head[:8], "little")
    if length > RECORD_BYTES:
        error = over_limit(f"a record of {length} bytes, at most {RECORD_BYTES} are read")
        raise at_row(row, error, offset + at)
    return length


@lru_cache(maxsize=4_096)
def masked_crc(length: bytes) -> int:
    """The masked checksum of the 8 bytes of a length."""
    # Most files hold records of few different lengths.
    return _masked(crc32c(length))


def _masked(value: int) -> int:
    return ((value >> 15 | value << 17) + _DELTA) & 0xFFFFFFFF
