"""Tar archives: every member by its content, links and names that lead out, what stands twice."""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, MIB
from aibom.domain.protocols import ByteReader, Probe
from aibom.formats import torch_tar
from aibom.formats.inside.escapes import check_link, check_name
from aibom.formats.inside.part import Part
from aibom.formats.inside.pickles import follow
from aibom.formats.inside.walk import Walk
from aibom.readers.ranges import Window
from aibom.readers.tar import BLOCK_BYTES, Member, is_tar
from aibom.readers.tar import walk as walk_tar

PADDING_BYTES: Final = 1 * MIB  # of zeros behind the last member
SEARCHED_BYTES: Final = 16 * MIB  # for a good header behind a bad one
_PIECE_BYTES: Final = 64 * KIB
_MODE_AT: Final = 100  # in the header in front of the data
_MODE_BYTES: Final = 8
_SET_ID: Final = 0o6000
_OCTAL: Final = re.compile(rb"\s*([0-7]{1,8})[\s\0]*\Z")
_TORCH: Final = ("storages", "tensors", "pickle", "sys")


def begins(part: Part) -> bool:
    """True for a header whose checksum is right."""
    return is_tar(part.head)


def examine(walk: Walk, part: Part) -> bool:
    """All members in order, then what stands behind the last one."""
    with walk.opened(part) as reader:
        archive = _Archive(walk, part, reader)
        archive.examine()
    return True


class _Archive:
    """One archive, with the names seen so far."""

    def __init__(self, walk: Walk, part: Part, reader: ByteReader) -> None:
        self._walk = walk
        self._part = part
        self._reader = reader
        self._seen: set[int] = set()
        self._end = 0

    def examine(self) -> None:
        done = self._checkpoint()
        try:
            for member in walk_tar(self._reader):
                if not self._walk.spend_member(self._part):
                    return
                self._end = member.end
                self._member(member, examined=member.name in done)
                # Of several members of one name its reader has seen the first.
                done.discard(member.name)
        except UnreadableError as error:
            self._walk.may_run = True
            self._walk.failed(self._part, error)
            self._resume()
            return
        self._trailing()

    def _checkpoint(self) -> set[str]:
        """PyTorch's first format has raw numbers between its pickles, so its own reader tells of them."""
        probe = Probe(name=self._part.name, head=self._part.head, reader=self._reader)
        if not torch_tar.FORMAT.recognise(probe) or torch_tar.FORMAT.read is None:
            return set()
        try:
            facts = torch_tar.FORMAT.read(probe)
        except UnreadableError:
            return set()
        self._walk.may_run = True
        self._walk.take(self._part, facts.imports, facts.hazards, facts.defects)
        follow(self._walk, self._part, self._reader, facts.nested)
        return {*_TORCH}

    def _member(self, member: Member, *, examined: bool) -> None:
        name, part = member.name, self._part
        check_name(self._walk, part, name, member.header)
        if member.link is not None:
            check_link(self._walk, part, name, member.link, member.header, hard=member.hard)
        if member.size and self._mode(member) & _SET_ID:
            message = f"the member {name[:80]!r} is a program that runs as somebody else"
            self._walk.hazard(part, HazardKind.ARCHIVE_ESCAPE, "set-user-id", message, member.header)
        if member.device:
            message = f"the member {name[:80]!r} is a device or a pipe"
            self._walk.hazard(part, HazardKind.ARCHIVE_ESCAPE, "device", message, member.header)
        # A set of hashes, because names may be long.
        if hash(name) in self._seen and not member.directory:
            message = f"duplicate member {name[:80]!r}"
            self._walk.hazard(part, HazardKind.ARCHIVE_STRUCTURE, "duplicate-member", message, member.header)
        self._seen.add(hash(name))
        if member.size and not examined:
            window = Window(self._reader, member.offset, member.size)
            found = self._walk.dispatch(part.stored(name, window, member.offset))
            if found and member.sparse:
                self._walk.defect(part, Reason.UNSUPPORTED, f"sparse member {name[:80]!r}", member.offset)

    def _mode(self, member: Member) -> int:
        """The permissions of a member; 0 when the field holds no octal number."""
        field = self._reader.read_at(member.offset - BLOCK_BYTES + _MODE_AT, _MODE_BYTES)
        match = _OCTAL.match(field)
        return int(match[1], 8) if match else 0

    def _resume(self) -> None:
        """Goes on at the next good header, as tools that repair archives do."""
        start = self._end + BLOCK_BYTES
        stop = start + self._walk.spend_search(max(0, min(SEARCHED_BYTES, self._reader.size - start)))
        for at in range(start, stop - BLOCK_BYTES + 1, BLOCK_BYTES):
            if is_tar(self._reader.read_at(at, BLOCK_BYTES)):
                window = Window(self._reader, at, self._reader.size - at)
                self._walk.dispatch(self._part.stored(f"@{at}", window, at))
                return

    def _trailing(self) -> None:
        """Examines what follows the zeros at the end: Python stops there, others go on."""
        start = min(max(self._end, BLOCK_BYTES), self._reader.size)
        stop = min(self._reader.size, start + PADDING_BYTES)
        while start < stop:
            piece = self._reader.read_at(start, min(_PIECE_BYTES, stop - start))
            rest = piece.lstrip(b"\0")
            if rest:
                self._follow(start + (len(piece) - len(rest)) // BLOCK_BYTES * BLOCK_BYTES)
                return
            start += len(piece)
        if stop < self._reader.size:
            self._walk.may_run = True
            self._walk.defect(self._part, Reason.LIMIT, "the end of the archive is not looked at", stop)

    def _follow(self, start: int) -> None:
        left = self._reader.size - start
        message = f"{left} bytes follow the end of the archive"
        self._walk.hazard(self._part, HazardKind.ARCHIVE_STRUCTURE, "trailing", message, start)
        self._walk.dispatch(self._part.stored(f"@{start}", Window(self._reader, start, left), start))
