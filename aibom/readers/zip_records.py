"""The records of a ZIP archive: end of directory, headers, extra fields, data descriptors.

Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5, with ZIP64. Every record is bounded here;
what two of them say about the same member is compared in `readers/zip.py`.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from aibom.domain.errors import malformed, over_limit, truncated, unsupported
from aibom.domain.limits import CENTRAL_DIRECTORY_BYTES, MEMBER_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.defects import Defects

FLAG_ENCRYPTED: Final = 0x2041  # traditional, strong, or masked local headers
FLAG_DESCRIPTOR: Final = 0x0008
FLAG_UTF8: Final = 0x0800

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
# CRC-32 and sizes, with ZIP64 and signature optional; the longest first, since a member of zero
# bytes makes the shorter ones match too.
_DESCRIPTORS = (struct.Struct("<4sI2Q"), struct.Struct("<I2Q"), struct.Struct("<4s3I"), struct.Struct("<3I"))

_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_COMMENT_BYTES = 0xFFFF
_LOCAL_GUESS_BYTES = 128  # the alignment padding of PyTorch fits, so one read is enough
_EXTRA_ZIP64, _EXTRA_UNICODE_PATH = 0x0001, 0x7075
_UNICODE_PATH_AT = 5  # behind a version and the CRC-32 of the name it replaces
_ANOMALY_COUNT = 50  # of each kind, so that many of one cannot push out the others


class AnomalyKind(StrEnum):
    """In what way two readers of one archive may see different members."""

    DIFFERING_NAME = "differing-name"
    DIFFERING_METHOD = "differing-method"
    DIFFERING_FLAGS = "differing-flags"
    DIFFERING_CHECKSUM = "differing-checksum"
    DIFFERING_SIZE = "differing-size"
    DIFFERING_END = "differing-end"
    SECOND_NAME = "second-name"
    SECOND_END = "second-end"
    TWO_SIZES = "two-sizes"
    IMPOSSIBLE_SIZE = "impossible-size"
    DUPLICATE = "duplicate-member"
    EMPTY_NAME = "empty-name"
    MEMBER_COUNT = "member-count"
    DESCRIPTOR = "descriptor"
    OVERLAP = "overlap"
    PREFIX = "prefix"
    HOLE = "hole"
    SUFFIX = "suffix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One place where an archive can be read in two ways. `member` is a name, empty for the whole."""

    kind: AnomalyKind
    message: str
    offset: int  # bytes in the archive
    member: str = ""


@dataclass(slots=True)
class Anomalies:
    """The first `_ANOMALY_COUNT` of each kind; each is a defect as well."""

    defects: Defects = field(default_factory=Defects)
    found: list[Anomaly] = field(default_factory=list)
    _counts: Counter[AnomalyKind] = field(default_factory=Counter)

    def add(self, kind: AnomalyKind, message: str, offset: int, member: str = "") -> None:
        self.defects.add(message, offset)
        self._counts[kind] += 1
        if self._counts[kind] <= _ANOMALY_COUNT:
            self.found.append(Anomaly(kind=kind, message=message, offset=offset, member=member))


@dataclass(frozen=True, slots=True)
class End:
    """Where the central directory lies, by the end records."""

    directory: int  # absolute offset
    directory_end: int  # where the first end record starts
    count: int
    shift: int  # bytes in front of the archive that its own offsets do not count
    stop: int  # behind the comment


def find_end(reader: ByteReader, anomalies: Anomalies) -> End:
    """The last end record, as most unpackers take it, with its ZIP64 extension.

    Raises malformed (none there, impossible directory), truncated, limit or unsupported.
    """
    start = max(0, reader.size - _END.size - _COMMENT_BYTES)
    tail = reader.read_at(start, reader.size - start)
    found = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if found < 0:
        raise malformed("no end of central directory record: not a zip archive, or cut off", start)
    at = start + found
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, found)
    if at + _END.size + comment > reader.size:
        raise truncated(f"the archive comment claims {comment} bytes", at)
    directory_end, claimed = at, at
    large = _find_end64(reader, at)
    if large is not None:
        plain = (count, size, offset)
        directory_end, claimed, (count, size, offset) = large
        if plain != (min(count, _FULL16), min(size, _FULL32), min(offset, _FULL32)):
            message = "the ZIP64 end record differs from the plain one"
            anomalies.add(AnomalyKind.DIFFERING_END, message, directory_end)
    elif disk or first_disk or here != count:
        raise unsupported("archive of several disks", at)
    if size > CENTRAL_DIRECTORY_BYTES or count > MEMBER_COUNT:
        raise over_limit(f"central directory of {count} members and {size} bytes", at)
    shift = directory_end - size - offset
    if shift < 0:
        raise malformed(f"the central directory claims {size} bytes at {offset}", at)
    if large is not None and claimed + shift != directory_end:
        anomalies.add(AnomalyKind.DIFFERING_END, "the ZIP64 locator points elsewhere", directory_end)
    if _has_other_end(tail, found):
        anomalies.add(AnomalyKind.SECOND_END, "an end record stands in the comment of another", at)
    return End(directory_end - size, directory_end, count, shift, at + _END.size + comment)


def _has_other_end(tail: bytes, found: int) -> bool:
    """True when an earlier end record has a comment that reaches exactly to the end of the file."""
    at = tail.rfind(b"PK\x05\x06", 0, found)
    while at >= 0:
        (comment,) = struct.unpack_from("<H", tail, at + _END.size - 2)
        if at + _END.size + comment == len(tail):
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


def _find_end64(reader: ByteReader, end: int) -> tuple[int, int, tuple[int, int, int]] | None:
    """Offset of the ZIP64 end record, the offset its locator claims, and count, size and offset."""
    at = end - _LOCATOR.size - _END64.size
    if at < 0:
        return None
    data = reader.read_at(at, end - at)
    magic, disk, claimed, disks = _LOCATOR.unpack_from(data, _END64.size)
    if magic != b"PK\x06\x07":
        return None
    record = _END64.unpack_from(data)
    # An extensible data sector could be of any size, and nobody writes one.
    if record[:2] != (b"PK\x06\x06", _END64.size - 12):
        raise malformed("no ZIP64 end record in front of its locator", at)
    if disk or disks > 1 or record[4] or record[5] or record[6] != record[7]:
        raise unsupported("archive of several disks", at)
    return at, claimed, (record[7], record[8], record[9])


@dataclass(frozen=True, slots=True)
class Header:
    """What a local or a central header says, with the ZIP64 values put in."""

    name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    second: bytes = b""  # name in an Info-ZIP extra field, in UTF-8
    offset: int = 0  # of the local header, in a central one
    mode: int = 0  # of the file under Unix, in a central one


def decoded_name(header: Header) -> str:
    """The name as text; bytes that are none become U+FFFD."""
    return header.name.decode("utf-8" if header.flags & FLAG_UTF8 else "cp437", "replace")


def _header(name: bytes, extra: bytes, fields: tuple[int, ...], offset: int = 0, mode: int = 0) -> Header:
    """`fields`: flags, method, time, date, CRC-32, compressed size, size."""
    flags, method, _, _, crc, compressed, size = fields
    if not extra:
        return Header(name, flags, method, crc, compressed, size, offset=offset, mode=mode)
    extras = dict(_extras(extra))
    large = extras.get(_EXTRA_ZIP64, b"")[:24]
    wide = iter([int.from_bytes(large[i : i + 8], "little") for i in range(0, len(large) - 7, 8)])
    # Only the fields that are all ones stand there, in this order (APPNOTE 4.5.3).
    size = next(wide, size) if size == _FULL32 else size
    compressed = next(wide, compressed) if compressed == _FULL32 else compressed
    offset = next(wide, offset) if offset == _FULL32 else offset
    second = extras.get(_EXTRA_UNICODE_PATH, b"")[_UNICODE_PATH_AT:]
    return Header(name, flags, method, crc, compressed, size, second, offset, mode)


def _extras(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    # Fewer than four bytes at the end are padding (zipalign).
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("<2H", data, position)
        yield kind, data[position + 4 : position + 4 + length]
        position += 4 + length


def central_headers(reader: ByteReader, end: End) -> Iterator[tuple[int, Header]]:
    """Each header of the central directory, with its offset. Raises malformed."""
    directory = reader.read_at(end.directory, end.directory_end - end.directory)
    position = 0
    while position < len(directory):
        at = end.directory + position
        if len(directory) - position < _CENTRAL.size or directory[position : position + 4] != b"PK\x01\x02":
            raise malformed("no central directory header", at)
        fields = _CENTRAL.unpack_from(directory, position)
        name_at = position + _CENTRAL.size
        extra_at = name_at + fields[10]
        extra_end = extra_at + fields[11]
        position = extra_end + fields[12]
        if position > len(directory):
            raise malformed("a central directory header leaves the directory", at)
        name, extra = directory[name_at:extra_at], directory[extra_at:extra_end]
        # The upper half of the external attributes is the Unix mode.
        yield at, _header(name, extra, fields[3:10], fields[16], fields[15] >> 16)


def local_header(reader: ByteReader, at: int, limit: int) -> tuple[Header, int]:
    """The local header at an offset, and the offset behind it, which is at most `limit`."""
    room = limit - at
    if room < _LOCAL.size:
        raise malformed("a local header is claimed past the members", at)
    data = reader.read_at(at, min(room, _LOCAL.size + _LOCAL_GUESS_BYTES))
    fields = _LOCAL.unpack_from(data)
    if fields[0] != b"PK\x03\x04":
        raise malformed("no local header where the directory says so", at)
    name_end = _LOCAL.size + fields[9]
    length = name_end + fields[10]
    if length > room:
        raise malformed("a local header runs into the directory", at)
    if length > len(data):
        data = reader.read_at(at, length)
    return _header(data[_LOCAL.size : name_end], data[name_end:length], fields[2:9]), at + length


def descriptor_end(reader: ByteReader, listed: Header, at: int, limit: int) -> int:
    """The offset behind the data descriptor at `at`; `at` itself when there is none that fits."""
    data = reader.read_at(at, min(_DESCRIPTORS[0].size, limit - at))
    expected = (listed.crc, listed.compressed, listed.size)
    for layout in _DESCRIPTORS:
        if len(data) >= layout.size:
            found = layout.unpack_from(data)
            if found[-3:] == expected and found[:-3] in ((), (b"PK\x07\x08",)):
                return at + layout.size
    return at
