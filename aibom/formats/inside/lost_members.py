"""Members of a zip archive that no directory lists: of one cut off, hidden in a hole, or replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.zip import STORED, Member
from aibom.readers.zip_records import FLAG_DESCRIPTOR, FLAG_ENCRYPTED, decoded_name, local_header

_PIECE_BYTES: Final = 64 * KIB
SIGNATURE: Final = b"PK\x03\x04"


def lost_members(reader: ByteReader, start: int, end: int) -> Iterator[Member]:
    """What local headers tell in a range that no directory explains, wherever one stands.

    Where the size is to follow in a descriptor, the data reaches to the end of the range.
    """
    at = _find(reader, start, end)
    while at is not None:
        try:
            local, offset = local_header(reader, at, end)
        except UnreadableError:
            at = _find(reader, at + len(SIGNATURE), end)
            continue
        known = local.compressed > 0 or not local.flags & FLAG_DESCRIPTOR
        length = min(local.compressed, end - offset) if known else end - offset
        name = decoded_name(local)
        yield Member(
            name=name,
            method=local.method,
            offset=offset,
            compressed=length,
            size=length if local.method == STORED else local.size,
            crc=0,
            header_offset=at,
            encrypted=bool(local.flags & FLAG_ENCRYPTED),
            directory=name.endswith("/"),
        )
        at = _find(reader, offset + (length if known else 0), end)


def _find(reader: ByteReader, start: int, end: int) -> int | None:
    while start < end:
        piece = reader.read_at(start, min(_PIECE_BYTES, end - start))
        found = piece.find(SIGNATURE)
        if found >= 0:
            return start + found
        # A signature may lie across the border of two pieces.
        start += max(1, len(piece) - len(SIGNATURE) + 1)
    return None
