"""ZIP archives, walked by hand, because what tools disagree about is where payloads hide.

Format: PKWARE APPNOTE.TXT 6.3.10. The central directory and every local header are read and
compared; each byte belongs to a member, to a record of the format, or is an anomaly. Nothing is
extracted.
"""

from __future__ import annotations

import re
import stat
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit
from aibom.domain.facts import Defect, Span
from aibom.domain.limits import KIB, MEMBER_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.defects import Defects
from aibom.readers.ranges import at_hand
from aibom.readers.zip_records import (
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    Anomalies,
    Anomaly,
    AnomalyKind,
    Header,
    central_headers,
    decoded_name,
    descriptor_end,
    find_end,
    local_header,
)

STORED: Final = 0
DEFLATED: Final = 8

_PIECE_BYTES = 64 * KIB
_LOCAL_BYTES = 30  # of a local header, in front of the name
_DESCRIPTOR_BYTES = 24
_EXTRA_BYTES = 65_535  # of extra fields in a local header
_ZIP64 = (1 << 32) - 1  # a size from which on it stands in 8 bytes
# What PyTorch calls the bytes of tensors: nothing about them but the size is in a header.
_STORAGE = re.compile(r"(?:[^/]+/)*data/[0-9]+\Z")
# Absolute, drive letter, backslash, NUL, a `..` part, or no name at all.
_ESCAPES = re.compile(r"\A/|\A[A-Za-z]:|\\|\0|(?:\A|/)\.\.(?:/|\Z)|\A\Z")
# What may stand where a data descriptor is missing: the next header, the directory, the end.
_RECORDS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08", b"")


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
    link: bool = False  # a symbolic link, whose data is its target
    distant: bool = False  # its local header was not fetched; the offset follows from the next member


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The members in the order of the central directory, and everything that is no member data."""

    members: tuple[Member, ...]
    covered: tuple[Span, ...]  # local headers, padding, descriptors, directory, end records, comment
    loose: tuple[Span, ...]  # what belongs to no member: in front of, between and behind them
    defects: tuple[Defect, ...]
    anomalies: tuple[Anomaly, ...]  # those of the defects that let two readers see different members
    unread: tuple[Defect, ...]  # those of members that a survey had to leave out
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
    return _Listing(reader, strict=True).archive()


def survey(reader: ByteReader) -> Archive:
    """The same for an archive that may be built to deceive: what is wrong with one member only is
    a defect or an anomaly, and the others are still listed. Raises when there is no directory.
    """
    return _Listing(reader, strict=False).archive()


def member_names(reader: ByteReader, count: int) -> list[str]:
    """The first `count` names of the central directory, for recognition. Raises like `read_archive`."""
    ignored = Anomalies()
    headers = central_headers(reader, find_end(reader, ignored))
    return [_name(listed, ignored, at) for at, listed in islice(headers, count)]


class _Listing:
    """The members of one archive, and what has been found odd about them so far."""

    def __init__(self, reader: ByteReader, *, strict: bool) -> None:
        self._reader = reader
        self._strict = strict
        self._anomalies = Anomalies()
        self._unread = Defects()
        self._end = find_end(reader, self._anomalies)
        self._members: list[Member] = []
        self._by_name: dict[str, Member] = {}
        self._descriptors: dict[int, int] = {}  # end of the descriptor, by offset of the data
        self._covered: list[Span] = []
        self._loose: list[Span] = []
        self._starts: list[int] = []  # of all members, sorted

    def archive(self) -> Archive:
        if not at_hand(self._reader, 0, self._reader.size):
            headers = islice(central_headers(self._reader, self._end), MEMBER_COUNT)
            self._starts = sorted(listed.offset + self._end.shift for _, listed in headers)
        count = 0
        for at, listed in central_headers(self._reader, self._end):
            count += 1
            if count > MEMBER_COUNT:
                raise over_limit(f"more than {MEMBER_COUNT} members", at)
            try:
                self._add(self._member(listed, at), at)
            except UnreadableError as error:
                if self._strict:
                    raise
                self._unread.caught(f"member {decoded_name(listed)[:80]!r}", error)
        end = self._end
        if count != end.count:
            message = f"{count} members, the end record counts {end.count}"
            self._anomalies.add(AnomalyKind.MEMBER_COUNT, message, end.directory_end)
        self._cover()
        if end.stop < self._reader.size:
            message = f"{self._reader.size - end.stop} bytes behind the end of the archive"
            self._anomalies.add(AnomalyKind.SUFFIX, message, end.stop)
            self._loose.append(Span(start=end.stop, end=self._reader.size))
        return Archive(
            members=tuple(self._members),
            covered=tuple(self._covered),
            loose=tuple(self._loose),
            defects=(*self._anomalies.defects.found, *self._unread.found),
            unread=tuple(self._unread.found),
            anomalies=tuple(self._anomalies.found),
            _by_name=self._by_name,
        )

    def _add(self, member: Member, at: int) -> None:
        if self._by_name.setdefault(member.name, member) is not member:
            message = f"duplicate member {member.name[:80]!r}"
            # Of two empty ones it does not matter which is taken.
            if member.compressed or self._by_name[member.name].compressed:
                self._anomalies.add(AnomalyKind.DUPLICATE, message, member.header_offset, member.name)
            self._by_name[member.name] = member
        if member.method == STORED and member.size != member.compressed and not member.encrypted:
            message = f"stored member {member.name[:80]!r} has two sizes"
            self._anomalies.add(AnomalyKind.TWO_SIZES, message, at, member.name)
        elif member.compressed > 2 * member.size + _PIECE_BYTES:
            message = f"member {member.name[:80]!r} claims {member.size} bytes from {member.compressed}"
            self._anomalies.add(AnomalyKind.IMPOSSIBLE_SIZE, message, at, member.name)
        self._members.append(member)

    def _member(self, listed: Header, at: int) -> Member:
        header_offset = listed.offset + self._end.shift
        name = _name(listed, self._anomalies, at)
        if _STORAGE.match(name) and not self._is_at_hand(listed, header_offset):
            offset = self._offset(listed, header_offset)
            if offset is not None:
                return self._distant(listed, header_offset, offset, name)
        local, offset = local_header(self._reader, header_offset, self._end.directory)
        compressed = self._compressed(listed, offset, name)
        for kind, what in _differences(listed, local):
            message = f"member {name[:80]!r}: local header and directory differ in {what}"
            self._anomalies.add(kind, message, header_offset, name)
        if local.flags & FLAG_DESCRIPTOR:
            self._describe(listed, offset, compressed, name)
        return Member(
            name=name,
            method=listed.method,
            offset=offset,
            compressed=compressed,
            size=listed.size,
            crc=listed.crc,
            header_offset=header_offset,
            encrypted=bool((listed.flags | local.flags) & FLAG_ENCRYPTED),
            directory=name.endswith("/"),
            link=stat.S_ISLNK(listed.mode),
        )

    def _is_at_hand(self, listed: Header, header_offset: int) -> bool:
        """Whether header, data and descriptor of a member can be had without a request for them alone."""
        length = _LOCAL_BYTES + len(listed.name) + listed.compressed + _DESCRIPTOR_BYTES
        room = self._reader.size - header_offset
        return room < length or at_hand(self._reader, header_offset, length)

    def _offset(self, listed: Header, header_offset: int) -> int | None:
        """Where the data begin when they end where the next member begins; None when they cannot."""
        index = bisect_right(self._starts, header_offset)
        stop = self._starts[index] if index < len(self._starts) else self._end.directory
        sizes = max(listed.compressed, listed.size)
        descriptor = (16 if sizes < _ZIP64 else 24) if listed.flags & FLAG_DESCRIPTOR else 0
        offset = stop - descriptor - listed.compressed
        extra = offset - header_offset - _LOCAL_BYTES - len(listed.name)
        return offset if 0 <= extra <= _EXTRA_BYTES else None

    def _distant(self, listed: Header, header_offset: int, offset: int, name: str) -> Member:
        """A storage of PyTorch in a remote file, by the directory alone."""
        return Member(
            name=name,
            method=listed.method,
            offset=offset,
            compressed=self._compressed(listed, offset, name),
            size=listed.size,
            crc=listed.crc,
            header_offset=header_offset,
            encrypted=bool(listed.flags & FLAG_ENCRYPTED),
            directory=False,
            distant=True,
        )

    def _compressed(self, listed: Header, offset: int, name: str) -> int:
        """The bytes of a member; of a survey no more than there can be."""
        room = self._end.directory - offset
        if listed.compressed <= room:
            return listed.compressed
        message = f"member {name[:80]!r} claims {listed.compressed} bytes, past the directory"
        if self._strict:
            raise malformed(message, offset)
        self._anomalies.add(AnomalyKind.IMPOSSIBLE_SIZE, message, offset, name)
        return room

    def _describe(self, listed: Header, offset: int, compressed: int, name: str) -> None:
        stop = offset + compressed
        found = descriptor_end(self._reader, listed, stop, self._end.directory)
        if found > stop:
            self._descriptors[offset] = found
            return
        # Some writers promise a descriptor and leave it out, which hides nothing.
        following = self._reader.read_at(stop, min(4, self._end.directory_end - stop))
        if following not in _RECORDS:
            message = f"member {name[:80]!r}: no matching data descriptor"
            self._anomalies.add(AnomalyKind.DESCRIPTOR, message, stop, name)

    def _cover(self) -> None:
        """The ranges that are no member data; an overlap raises or is an anomaly, and so is a hole."""
        position, guessed = 0, False
        for member in sorted(self._members, key=attrgetter("header_offset")):
            data_end = member.offset + member.compressed
            if member.header_offset < position:
                message = f"member {member.name[:80]!r} overlaps the one before it"
                if self._strict:
                    raise malformed(message, member.header_offset)
                self._anomalies.add(AnomalyKind.OVERLAP, message, member.header_offset, member.name)
                position = max(position, data_end)
                continue
            self._hole(position, member.header_offset, guessed=guessed)
            self._extend(member.header_offset, member.offset)
            position = self._descriptors.get(member.offset, data_end)
            self._extend(data_end, position)
            guessed = member.distant
        # Of overlapping members the last may reach into the directory.
        self._hole(position, self._end.directory, guessed=guessed)
        self._extend(self._end.directory, self._end.stop)

    def _hole(self, start: int, stop: int, *, guessed: bool) -> None:
        """Behind a member of which nobody knows where it ends no hole can be told."""
        if guessed:
            self._extend(start, stop)
        elif start < stop:
            kind = AnomalyKind.HOLE if start else AnomalyKind.PREFIX
            where = "belong to no member" if start else "in front of the first member"
            self._anomalies.add(kind, f"{stop - start} bytes {where}", start)
            self._loose.append(Span(start=start, end=stop))

    def _extend(self, start: int, stop: int) -> None:
        if start == stop:
            return
        if self._covered and self._covered[-1].end == start:
            start = self._covered.pop().start
        self._covered.append(Span(start=start, end=stop))


def _name(listed: Header, anomalies: Anomalies, at: int) -> str:
    name = decoded_name(listed)
    if listed.flags & FLAG_UTF8 and name.encode() != listed.name:
        anomalies.defects.add(f"member name {name[:80]!r} is not UTF-8", at)
    if not name:
        anomalies.add(AnomalyKind.EMPTY_NAME, "member name '' leaves the archive", at)
    elif _ESCAPES.search(name):
        anomalies.defects.add(f"member name {name[:80]!r} leaves the archive", at)
    if _renames(listed):
        message = f"member {name[:80]!r} has a second name in an extra field"
        anomalies.add(AnomalyKind.SECOND_NAME, message, at, name)
    return name


def _renames(listed: Header) -> bool:
    """True when the second name is more than the spelling of the first in Unicode (Info-ZIP)."""
    second, first = listed.second, listed.name
    if not second or second == first:
        return False
    return second.isascii() or second.rpartition(b".")[2] != first.rpartition(b".")[2]


def _differences(listed: Header, local: Header) -> Iterator[tuple[AnomalyKind, str]]:
    if listed.name != local.name or listed.second != local.second:
        yield AnomalyKind.DIFFERING_NAME, "name"
    if listed.method != local.method:
        yield AnomalyKind.DIFFERING_METHOD, "method"
    # The other flags are hints of the compressor, and an ASCII name is the same in both encodings.
    telling = FLAG_ENCRYPTED if listed.name.isascii() else FLAG_ENCRYPTED | FLAG_UTF8
    if (listed.flags ^ local.flags) & telling:
        yield AnomalyKind.DIFFERING_FLAGS, "flags"
    # With a descriptor the local header may leave these fields empty (APPNOTE 4.4.4).
    late = bool(local.flags & FLAG_DESCRIPTOR)
    if local.crc != listed.crc and not (late and local.crc == 0):
        yield AnomalyKind.DIFFERING_CHECKSUM, "CRC-32"
    if local.size != listed.size and not (late and local.size == 0):
        yield AnomalyKind.DIFFERING_SIZE, "size"
    if local.compressed != listed.compressed and not (late and local.compressed == 0):
        yield AnomalyKind.DIFFERING_SIZE, "compressed size"
