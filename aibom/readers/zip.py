"""ZIP archives, walked by hand, because what tools disagree about is where payloads hide.

Format: PKWARE APPNOTE.TXT 6.3.10. The central directory and every local header are read and
compared; each byte belongs to a member, to a record of the format, or is a defect. Nothing is
extracted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.facts import Defect, Span
from aibom.domain.limits import INFLATE_RATIO, INFLATED_BYTES, KIB, MEMBER_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.defects import Defects
from aibom.readers.ranges import Memory, Window
from aibom.readers.zip_records import (
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    End,
    Header,
    central_headers,
    descriptor_end,
    find_end,
    local_header,
)

STORED: Final = 0
DEFLATED: Final = 8

_PIECE_BYTES = 64 * KIB
# Absolute, drive letter, backslash, NUL, a `..` part, or no name at all.
_ESCAPES = re.compile(r"\A/|\A[A-Za-z]:|\\|\0|(?:\A|/)\.\.(?:/|\Z)|\A\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member as the central directory lists it; offsets and sizes are bytes in the archive."""

    name: str
    method: int  # 0 stored, 8 deflate
    offset: int  # of the data, behind the local header
    compressed: int
    size: int  # claimed; checked when the member is inflated
    crc: int
    header_offset: int
    encrypted: bool
    directory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The members in the order of the central directory, and everything that is no member data."""

    members: tuple[Member, ...]
    covered: tuple[Span, ...]  # local headers, padding, descriptors, directory, end records, comment
    defects: tuple[Defect, ...]
    _by_name: dict[str, Member] = field(repr=False, compare=False)

    def find(self, name: str) -> Member | None:
        """The member of that name; of several, the last one, as unpackers do."""
        return self._by_name.get(name)


def is_zip(head: bytes) -> bool:
    """True when the bytes start with a local header, or with the end record of an empty archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_archive(reader: ByteReader) -> Archive:
    """All members of an archive, with data offsets taken from the local headers.

    Raises truncated, malformed (no directory, overlapping members), limit (members, directory
    bytes) or unsupported (several disks). Everything that unpackers tolerate is a defect.
    """
    defects = Defects()
    end = find_end(reader, defects)
    members: list[Member] = []
    by_name: dict[str, Member] = {}
    descriptors: dict[int, int] = {}  # end of the descriptor, by offset of the data
    for at, listed in central_headers(reader, end):
        if len(members) == MEMBER_COUNT:
            raise over_limit(f"more than {MEMBER_COUNT} members", at)
        member, stop = _member(reader, end, listed, defects, at)
        if by_name.setdefault(member.name, member) is not member:
            defects.add(f"duplicate member {member.name[:80]!r}", member.header_offset)
            by_name[member.name] = member
        if stop > member.offset + member.compressed:
            descriptors[member.offset] = stop
        members.append(member)
    if len(members) != end.count:
        defects.add(f"{len(members)} members, the end record counts {end.count}", end.directory_end)
    covered = _cover(members, descriptors, end, defects)
    if end.stop < reader.size:
        defects.add(f"{reader.size - end.stop} bytes behind the end of the archive", end.stop)
    return Archive(members=tuple(members), covered=covered, defects=tuple(defects.found), _by_name=by_name)


def member_names(reader: ByteReader, count: int) -> list[str]:
    """The first `count` names of the central directory, for recognition. Raises like `read_archive`."""
    ignored = Defects()
    headers = central_headers(reader, find_end(reader, ignored))
    return [_name(listed, ignored, at) for at, listed in islice(headers, count)]


def _member(reader: ByteReader, end: End, listed: Header, defects: Defects, at: int) -> tuple[Member, int]:
    """A listed member and the offset behind its data and descriptor."""
    header_offset = listed.offset + end.shift
    local, offset = local_header(reader, header_offset, end.directory)
    name = _name(listed, defects, at)
    stop = offset + listed.compressed
    if stop > end.directory:
        raise malformed(f"member {name[:80]!r} claims {listed.compressed} bytes, past the directory", offset)
    for what in _differences(listed, local):
        defects.add(f"member {name[:80]!r}: local header and directory differ in {what}", header_offset)
    if local.flags & FLAG_DESCRIPTOR:
        stop = descriptor_end(reader, listed, stop, end.directory)
        if stop == offset + listed.compressed:
            defects.add(f"member {name[:80]!r}: no matching data descriptor", stop)
    encrypted = bool((listed.flags | local.flags) & FLAG_ENCRYPTED)
    if listed.method == STORED and listed.size != listed.compressed and not encrypted:
        defects.add(f"stored member {name[:80]!r} has two sizes", at)
    member = Member(
        name=name,
        method=listed.method,
        offset=offset,
        compressed=listed.compressed,
        size=listed.size,
        crc=listed.crc,
        header_offset=header_offset,
        encrypted=encrypted,
        directory=name.endswith("/"),
    )
    return member, stop


def _name(listed: Header, defects: Defects, at: int) -> str:
    encoding = "utf-8" if listed.flags & FLAG_UTF8 else "cp437"
    try:
        name = listed.name.decode(encoding)
    except UnicodeDecodeError:
        name = listed.name.decode(encoding, "replace")
        defects.add(f"member name {name[:80]!r} is not UTF-8", at)
    if _ESCAPES.search(name):
        defects.add(f"member name {name[:80]!r} leaves the archive", at)
    if listed.renamed:
        defects.add(f"member {name[:80]!r} has a second name in an extra field", at)
    return name


def _differences(listed: Header, local: Header) -> Iterator[str]:
    if listed.name != local.name or listed.renamed != local.renamed:
        yield "name"
    if listed.method != local.method:
        yield "method"
    if (listed.flags ^ local.flags) & ~FLAG_DESCRIPTOR:
        yield "flags"
    # With a descriptor the local header may leave these fields empty (APPNOTE 4.4.4).
    late = bool(local.flags & FLAG_DESCRIPTOR)
    if local.crc != listed.crc and not (late and local.crc == 0):
        yield "CRC-32"
    if local.size != listed.size and not (late and local.size == 0):
        yield "size"
    if local.compressed != listed.compressed and not (late and local.compressed == 0):
        yield "compressed size"


def _cover(
    members: list[Member], descriptors: dict[int, int], end: End, defects: Defects
) -> tuple[Span, ...]:
    """The ranges that are no member data; raises on overlap, holes become defects."""
    spans: list[Span] = []
    position = 0
    for member in sorted(members, key=attrgetter("header_offset")):
        if member.header_offset < position:
            raise malformed(f"member {member.name[:80]!r} overlaps the one before it", member.header_offset)
        _hole(position, member.header_offset, defects)
        _extend(spans, member.header_offset, member.offset)
        data_end = member.offset + member.compressed
        position = descriptors.get(member.offset, data_end)
        _extend(spans, data_end, position)
    _hole(position, end.directory, defects)
    _extend(spans, end.directory, end.stop)
    return tuple(spans)


def _hole(start: int, stop: int, defects: Defects) -> None:
    if start < stop:
        where = "belong to no member" if start else "in front of the first member"
        defects.add(f"{stop - start} bytes {where}", start)


def _extend(spans: list[Span], start: int, stop: int) -> None:
    if start == stop:
        return
    if spans and spans[-1].end == start:
        start = spans.pop().start
    spans.append(Span(start=start, end=stop))


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
