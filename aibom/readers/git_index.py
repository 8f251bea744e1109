"""The index of a git checkout: which files are tracked, and the tree that they form.

Format: gitformat-index(5), versions 2 to 4, SHA-1 and SHA-256. Extensions are skipped, but for the
split index, whose entries are in another file.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import MIB, PATH_DEPTH
from aibom.readers.ranges import Cursor, Memory

INDEX_BYTES: Final = 24 * MIB  # about 200,000 files; also of all paths together, once unpacked
PATH_BYTES: Final = 4_096

FOLDER_MODE: Final = 0o040000
LINK_MODE: Final = 0o120000
SUBMODULE_MODE: Final = 0o160000

# Twelve fields in front of every path, by the length of an object id.
_FIXED = {width: struct.Struct(f">10I{width}sH") for width in (20, 32)}
_FORBIDDEN = frozenset((b"", b".", b"..", b".git"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One entry of the index. Times, inode and size are those of the file when it last was clean."""

    path: bytes  # relative to the checkout
    mode: int
    size: int  # bytes, modulo 2^32
    inode: int  # modulo 2^32
    mtime_ns: int
    ctime_ns: int
    oid: bytes
    stage: int  # above 0: one side of a conflict
    skipped: bool  # sparse checkout: the file need not be there
    intended: bool  # `git add -N`: only the name is in the index

    @property
    def folder(self) -> bytes:
        return self.path.rpartition(b"/")[0]


def parse(data: bytes, algorithm: str) -> Iterator[Tracked]:
    """The entries in order of path. Raises malformed, truncated, limit or unsupported, also late."""
    if len(data) > INDEX_BYTES:
        raise over_limit(f"a git index of {len(data)} bytes, at most {INDEX_BYTES} are read")
    width = hashlib.new(algorithm).digest_size
    cursor = Cursor(Memory(data), end=len(data) - width, big_endian=True)
    _check_sum(data, algorithm, width)
    if cursor.take(4) != b"DIRC":
        raise malformed("not a git index", 0)
    version = cursor.u32()
    if version not in (2, 3, 4):
        raise unsupported(f"git index version {version}", 4)
    before, total = b"", 0
    for _ in range(cursor.u32()):
        entry = _entry(cursor, data, width, version, before)
        yield entry
        before = entry.path + b"/" if entry.mode == FOLDER_MODE else entry.path
        total += len(before)
        if total > INDEX_BYTES:  # version 4 writes a long path in few bytes
            raise over_limit(f"more than {INDEX_BYTES} bytes of paths in the git index", cursor.position)
    _check_extensions(cursor)


def _check_sum(data: bytes, algorithm: str, width: int) -> None:
    """`index.skipHash` leaves zeros where the checksum goes."""
    found = data[-width:]
    if any(found) and hashlib.new(algorithm, memoryview(data)[:-width]).digest() != found:
        raise malformed("the checksum of the git index is wrong")


def _entry(cursor: Cursor, data: bytes, width: int, version: int, before: bytes) -> Tracked:
    start = cursor.position
    fixed = _FIXED[width]
    ctime, ctime_ns, mtime, mtime_ns, _, inode, mode, _, _, size, oid, flags = fixed.unpack(
        cursor.take(fixed.size)
    )
    extended = cursor.u16() if flags & 0x4000 and version >= 3 else 0
    kept = before[: len(before) - _back(cursor, len(before))] if version == 4 else b""
    end = data.find(b"\0", cursor.position, min(cursor.end, cursor.position + PATH_BYTES + 1 - len(kept)))
    if end < 0:
        raise malformed("a path in the git index has no end", cursor.position)
    path = kept + cursor.take(end - cursor.position)
    # Version 4 ends with the NUL; before, entries fill multiples of eight bytes.
    cursor.skip(1 if version == 4 else 8 - (cursor.position - start) % 8)
    if mode == FOLDER_MODE:  # a sparse index names whole folders, with their `/`
        path = path.removesuffix(b"/")
    _check_path(path, start)
    return Tracked(
        path=path,
        mode=mode,
        size=size,
        inode=inode,
        mtime_ns=mtime * 10**9 + mtime_ns,
        ctime_ns=ctime * 10**9 + ctime_ns,
        oid=oid,
        stage=flags >> 12 & 3,
        skipped=bool(extended & 0x4000),
        intended=bool(extended & 0x2000),
    )


def _back(cursor: Cursor, most: int) -> int:
    """How many bytes of the path before are dropped (version 4)."""
    byte = cursor.u8()
    count = byte & 0x7F
    while byte & 0x80:
        byte = cursor.u8()
        count = (count + 1) << 7 | byte & 0x7F
        if count > most:
            break
    if count > most:
        raise malformed("a path in the git index drops more than the path before has", cursor.position)
    return count


def _check_path(path: bytes, offset: int) -> None:
    parts = path.split(b"/")
    if not _FORBIDDEN.isdisjoint(parts):
        raise malformed("a path in the git index leaves the checkout", offset)
    if len(parts) > PATH_DEPTH:
        raise over_limit(f"a path in the git index is more than {PATH_DEPTH} folders deep", offset)


def _check_extensions(cursor: Cursor) -> None:
    while cursor.left >= 8:
        name = cursor.take(4)
        if name == b"link":
            raise unsupported("a split git index", cursor.position)
        cursor.skip(cursor.u32())


def tree_of(entries: Iterable[Tracked], algorithm: str) -> bytes:
    """The id of the tree that a commit of exactly these entries would have (gitformat-tree).

    Because folders sort with their `/` in both, one pass with a stack of open folders is enough.
    """
    stack: list[tuple[bytes, bytearray]] = [(b"", bytearray())]

    def leave() -> None:
        name, body = stack.pop()
        stack[-1][1].extend(b"40000 " + name + b"\0" + _tree_id(body, algorithm))

    for entry in entries:
        *folders, name = entry.path.split(b"/")
        common = 0
        while common < min(len(folders), len(stack) - 1) and stack[common + 1][0] == folders[common]:
            common += 1
        while len(stack) - 1 > common:
            leave()
        stack += [(folder, bytearray()) for folder in folders[common:]]
        stack[-1][1].extend(b"%o %b\0%b" % (entry.mode, name, entry.oid))
    while len(stack) > 1:
        leave()
    return _tree_id(stack[0][1], algorithm)


def _tree_id(body: bytearray, algorithm: str) -> bytes:
    return hashlib.new(algorithm, b"tree %d\0" % len(body) + body).digest()
