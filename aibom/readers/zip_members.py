"""The content of one member of a ZIP archive: stored as it is, or inflated under a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.limits import INFLATE_RATIO, INFLATED_BYTES, KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.ranges import Memory, Window
from aibom.readers.zip import DEFLATED, STORED, Member

_PIECE_BYTES: Final = 64 * KIB


def open_member(reader: ByteReader, member: Member, limit: int = INFLATED_BYTES) -> ByteReader:
    """The plain bytes of a member: a window for a stored one, inflated memory for a deflated one.

    Inflated data is checked against its CRC-32 and size. Stored data is not (its bytes would be
    read twice). Raises encrypted, unsupported (method), limit (more than `limit` bytes, or a size
    that deflate cannot reach), malformed or truncated.
    """
    _check_method(member)
    if member.method == STORED:
        if member.size != member.compressed:
            raise malformed(f"stored member {member.name[:80]!r} has two sizes", member.offset)
        return Window(reader, member.offset, member.size)
    if member.size > min(limit, member.compressed * INFLATE_RATIO):
        raise over_limit(
            f"member {member.name[:80]!r} claims {member.size} bytes from {member.compressed}", member.offset
        )
    plain = bytearray()
    for piece in _inflate(reader, member, _PIECE_BYTES):
        plain += piece
        if len(plain) > member.size:
            raise malformed(f"member {member.name[:80]!r} inflates to more than it claims", member.offset)
    if len(plain) != member.size or zlib.crc32(plain) != member.crc:
        raise malformed(f"member {member.name[:80]!r} differs from its size or CRC-32", member.offset)
    return Memory(memoryview(plain))


def inflate_head(reader: ByteReader, member: Member, count: int) -> bytes:
    """The first `count` plain bytes of a member (fewer when it is shorter), unchecked."""
    _check_method(member)
    if member.method == STORED:
        return reader.read_at(member.offset, min(count, member.compressed))
    head = bytearray()
    for piece in _inflate(reader, member, min(max(count, 1), _PIECE_BYTES)):
        head += piece
        if len(head) >= count:
            break
    return bytes(head[:count])


def _check_method(member: Member) -> None:
    if member.encrypted:
        raise UnreadableError(
            Reason.ENCRYPTED, f"member {member.name[:80]!r} is encrypted", member.header_offset
        )
    if member.method not in (STORED, DEFLATED):
        raise unsupported(
            f"member {member.name[:80]!r} has compression method {member.method}", member.header_offset
        )


def _inflate(reader: ByteReader, member: Member, most: int) -> Iterator[bytes]:
    """Raw deflate (RFC 1951) in pieces of at most `most` bytes; the stream must end where the member does."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    position, end = member.offset, member.offset + member.compressed
    piece = pending = b""
    while not stream.eof:
        # A full piece may leave output inside of zlib although all input is taken.
        if not pending and len(piece) < most:
            if position == end:
                raise truncated(f"the deflate stream of {member.name[:80]!r} does not end", end)
            pending = reader.read_at(position, min(most, end - position))
            position += len(pending)
        try:
            piece = stream.decompress(pending, most)
        except zlib.error as error:
            raise malformed(
                f"member {member.name[:80]!r} cannot be inflated: {error}", member.offset
            ) from None
        pending = stream.unconsumed_tail
        yield piece
    if stream.unused_data or position < end:
        raise malformed(f"bytes follow the deflate stream of {member.name[:80]!r}", position)
