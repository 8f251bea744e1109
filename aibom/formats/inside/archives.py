"""Zip archives: every member by its content, and every place where two readers see different members."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Span
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import GIB, KIB, MIB, OVERLAP_RATIO
from aibom.domain.protocols import ByteReader
from aibom.formats.inside.codecs import Unpacking, zip_codec
from aibom.formats.inside.escapes import check_link, check_name
from aibom.formats.inside.lost_members import SIGNATURE, lost_members
from aibom.formats.inside.part import HEAD_BYTES, Host, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.ranges import Window, at_hand
from aibom.readers.zip import STORED, Archive, Member, is_zip, survey
from aibom.readers.zip_records import Anomaly, AnomalyKind

BOMB_RATIO: Final = 1_000
BOMB_MEMBER_BYTES: Final = 256 * MIB  # zeros of less than that are found in honest arrays
BOMB_TOTAL_BYTES: Final = 1 * GIB  # claimed by an archive of less than ...
BOMB_ARCHIVE_BYTES: Final = 10 * MIB
LOST_COUNT: Final = 10_000  # members that only local headers tell of
LOOSE_COUNT: Final = 1_000  # ranges that belong to no member
CHECKED_BYTES: Final = 16 * MIB  # of a member whose checksum is compared
_PIECE_BYTES: Final = 64 * KIB
_TAIL_BYTES: Final = 64 * KIB + 22  # the longest comment and an end record
_FAR_TAIL_BYTES: Final = 48 * KIB  # the same where each byte is fetched
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_COMMENT_BYTES: Final = 8  # a shorter comment holds nothing
_SCRIPT: Final = re.compile(r"[^/]+/code/")
# What the build tools of wheels and jars do: a script in front, a signature between, a licence twice.
_USUAL_IN_CODE: Final = (AnomalyKind.PREFIX, AnomalyKind.HOLE, AnomalyKind.DUPLICATE)
# Members that are no part of any attack on whoever loads the archive.
_DOCUMENTS: Final = (".json", ".txt", ".md", ".yaml", ".yml", ".xml", ".csv", ".html", "/")


def begins(part: Part) -> bool:
    """True for a local header, or the end record of an empty archive."""
    return is_zip(part.head)


def examine(walk: Walk, part: Part) -> bool:
    """All members, by the directory or, where there is none, by the local headers."""
    with walk.opened(part) as reader:
        try:
            archive = survey(reader)
        except UnreadableError as error:
            walk.may_run = True
            walk.failed(part, error)
            _Archive(walk, part, reader).lost(Span(start=0, end=reader.size))
            return True
        examine_archive(walk, part, reader, archive)
    return True


def examine_archive(
    walk: Walk, part: Part, reader: ByteReader, archive: Archive, *, appended: bool = False
) -> None:
    """All members of an archive; one that is `appended` to something has that for a prefix."""
    found = _Archive(walk, part, reader, script=any(_SCRIPT.match(m.name) for m in archive.members))
    for anomaly in archive.anomalies:
        if not (appended and anomaly.kind is AnomalyKind.PREFIX):
            found.report(anomaly)
    for defect in archive.unread:
        walk.may_run = True
        walk.defect(part, defect.reason, defect.message, defect.offset)
    found.measure(archive, reader.size)
    found.members(archive.members)
    found.comment()
    for span in archive.loose[:LOOSE_COUNT]:
        if not (appended and span.start == 0):
            found.rest(span)
    if len(archive.loose) > LOOSE_COUNT:
        walk.may_run = True
        walk.defect(part, Reason.LIMIT, f"more than {LOOSE_COUNT} ranges that belong to no member")


def has_end_record(reader: ByteReader) -> bool:
    """True when the end of the bytes may be that of a zip archive."""
    length = min(_TAIL_BYTES, reader.size)
    if not at_hand(reader, reader.size - length, length):
        length = min(_FAR_TAIL_BYTES, reader.size)
    return _END in reader.read_at(reader.size - length, length)


class _Archive:
    """One archive and what its members have told so far."""

    def __init__(self, walk: Walk, part: Part, reader: ByteReader, *, script: bool = False) -> None:
        self._walk = walk
        self._part = part
        self._reader = reader
        self._script = script
        self._encrypted = False
        self._places: set[tuple[int, int, int]] = set()  # several members may share one
        self._examined = 0  # bytes of members that were more than a look at the front

    def report(self, anomaly: Anomaly) -> None:
        if self._part.host is Host.CODE and anomaly.kind in _USUAL_IN_CODE:
            return
        kind = HazardKind.ARCHIVE_STRUCTURE
        if anomaly.kind is AnomalyKind.OVERLAP:
            kind = HazardKind.DECOMPRESSION_BOMB
        self._walk.hazard(self._part, kind, str(anomaly.kind), anomaly.message, anomaly.offset)

    def measure(self, archive: Archive, size: int) -> None:
        """Reports claims of sizes that nobody can unpack."""
        total = 0
        for member in archive.members:
            total += member.size
            if member.size >= BOMB_MEMBER_BYTES and member.size > BOMB_RATIO * member.compressed:
                sizes = f"from {member.compressed} to {member.size} bytes"
                message = f"the member {member.name[:80]!r} inflates {sizes}"
                self._walk.hazard(
                    self._part, HazardKind.DECOMPRESSION_BOMB, "ratio", message, member.header_offset
                )
        if total >= BOMB_TOTAL_BYTES and size < BOMB_ARCHIVE_BYTES:
            message = f"an archive of {size} bytes claims to hold {total}"
            self._walk.hazard(self._part, HazardKind.DECOMPRESSION_BOMB, "total", message)

    def members(self, members: Iterable[Member]) -> None:
        """Looks at all members, and at bytes that several of them share not without end."""
        for member in members:
            if not self._walk.spend_member(self._part):
                return
            if self._examined > OVERLAP_RATIO * self._reader.size:
                self._walk.may_run = True
                message = "members that share their bytes, the rest is not looked at"
                self._walk.defect(self._part, Reason.LIMIT, message, member.header_offset)
                return
            self.member(member)

    def member(self, member: Member) -> None:
        """Looks at the front of one member, and at all of it where that is worth it."""
        check_name(self._walk, self._part, member.name, member.header_offset)
        if member.distant:
            return  # bytes of a tensor, far away
        place = (member.offset, member.compressed, member.method)
        if not member.compressed or place in self._places:
            return
        self._places.add(place)
        if member.encrypted:
            self._encrypt(member)
        try:
            inner = self._opened(member)
        except UnreadableError as error:
            # Encrypted data seldom looks like deflate, and that it cannot be read is told already.
            if not member.encrypted:
                self._unread(member, error)
            return
        if member.link:
            target = inner.head.decode("utf-8", "replace")
            check_link(self._walk, self._part, member.name, target, member.header_offset)
        if self._is_same(inner):
            message = f"the member {member.name[:80]!r} is the archive itself"
            self._walk.hazard(
                self._part, HazardKind.DECOMPRESSION_BOMB, "quine", message, member.header_offset
            )
        elif self._walk.dispatch(inner):
            self._examined += member.compressed
            self._check(member, inner)

    def _encrypt(self, member: Member) -> None:
        self._walk.may_run = True
        if not self._encrypted:
            self._encrypted = True
            message = f"member {member.name[:80]!r} is encrypted"
            self._walk.defect(self._part, Reason.ENCRYPTED, message, member.header_offset)

    def _unread(self, member: Member, error: UnreadableError) -> None:
        if not member.name.lower().endswith(_DOCUMENTS):
            self._walk.may_run = True
        self._walk.defect(self._part, error.reason, error.message, error.offset)

    def _opened(self, member: Member) -> Part:
        start, end = member.offset, member.offset + member.compressed
        if member.method == STORED:
            window = Window(self._reader, start, member.compressed)
            return self._part.stored(member.name, window, start, script=self._script)
        codec = zip_codec(self._reader, member)
        head = Unpacking(self._reader, codec, start, end, member.name, HEAD_BYTES).head(HEAD_BYTES)
        size = max(member.size, len(head))

        def unpack() -> Iterator[bytes]:
            return iter(Unpacking(self._reader, codec, start, end, member.name))

        return self._part.packed(member.name, head, size, unpack, script=self._script)

    def _is_same(self, inner: Part) -> bool:
        """A zip of the same size and front as the one around it unpacks without end."""
        return inner.size == self._part.size and inner.head == self._part.head[: len(inner.head)]

    def _check(self, member: Member, inner: Part) -> None:
        """Compares the checksum of what a loader would run; PyTorch can be told to write zero."""
        if member.encrypted or not member.crc or max(member.size, member.compressed) > CHECKED_BYTES:
            return
        if _checksum(inner) in (member.crc, None):
            return
        message = f"the member {member.name[:80]!r} differs from its checksum"
        self._walk.hazard(
            self._part,
            HazardKind.ARCHIVE_STRUCTURE,
            "wrong-checksum",
            message,
            member.header_offset,
            Confidence.MEDIUM,
        )

    def comment(self) -> None:
        """Examines the comment at the end, which nobody reads and where anything fits."""
        if self._reader.read_at(self._reader.size - _END_BYTES, len(_END)) == _END:
            return  # no comment, as nearly always
        length = min(_TAIL_BYTES, self._reader.size)
        tail = self._reader.read_at(self._reader.size - length, length)
        at = tail.rfind(_END) + _END_BYTES
        if at < _END_BYTES or length - at < _COMMENT_BYTES:
            return
        start = self._reader.size - length + at
        window = Window(self._reader, start, length - at)
        found = self._walk.dispatch(self._part.stored(f"@{start}", window, start))
        if found:
            message = f"the comment of the archive is content of another kind ({found})"
            self._walk.hazard(self._part, HazardKind.HIDDEN_PAYLOAD, f"comment-{found}", message, start)

    def rest(self, span: Span) -> None:
        """Examines bytes that belong to no member: as what they begin like, or as lost members."""
        window = Window(self._reader, span.start, span.end - span.start)
        rest = self._part.stored(f"@{span.start}", window, span.start)
        cut_off = rest.head.startswith(SIGNATURE) and not has_end_record(window)
        if cut_off or not self._walk.dispatch(rest):
            self.lost(span)

    def lost(self, span: Span) -> None:
        """Examines the members that local headers tell of, and no directory."""
        end = span.start + self._walk.spend_search(span.end - span.start)
        members = lost_members(self._reader, span.start, end)
        self.members(islice(members, LOST_COUNT))
        if end < span.end or next(members, None) is not None:
            self._walk.may_run = True
            message = "too much that belongs to no member, the rest is not looked at"
            self._walk.defect(self._part, Reason.LIMIT, message, end)


def _checksum(inner: Part) -> int | None:
    """The CRC-32 of a member, None when it cannot be read or is more than it claims."""
    checksum = total = 0
    try:
        for piece in inner.unpack() if inner.unpack else _stored_pieces(inner):
            total += len(piece)
            if total > CHECKED_BYTES:
                return None
            checksum = zlib.crc32(piece, checksum)
    except UnreadableError:
        return None
    return checksum


def _stored_pieces(inner: Part) -> Iterator[bytes]:
    for at in range(0, inner.size, _PIECE_BYTES):
        if inner.reader is not None:
            yield inner.reader.read_at(at, min(_PIECE_BYTES, inner.size - at))
