"""Single objects of a git repository: loose, packed, and packed as a delta.

Formats: gitformat-pack(5) (pack version 2 and 3, index version 2) and gitformat-loose. Only small
objects are read, commits above all. Callers check what they get against the id they asked for.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.ranges import Cursor, Memory

OBJECT_BYTES: Final = 512 * KIB  # one inflated object; a commit has some hundred bytes
DELTA_DEPTH: Final = 50  # git's own default (`pack.depth`)

_KINDS: Final = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7
_FAN_OUT = 8  # the table follows the magic and the version
_NAMES = _FAN_OUT + 256 * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GitObject:
    kind: str
    body: bytes


def loose(data: bytes) -> GitObject:
    """The object in a file below `objects/xx/`. Raises malformed or limit."""
    plain = _inflated(data, OBJECT_BYTES + 1)
    header, found, body = plain.partition(b"\0")
    kind, _, size = header.partition(b" ")
    if not found or size != b"%d" % len(body):
        if len(plain) > OBJECT_BYTES:
            raise over_limit(f"a git object of more than {OBJECT_BYTES} bytes")
        raise malformed("not a loose git object", 0)
    return GitObject(kind=kind.decode("latin-1"), body=body)


def _inflated(data: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, limit)
    except zlib.error as error:
        raise malformed(f"not a deflated git object: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack with its index."""

    pack: ByteReader
    index: ByteReader
    id_bytes: int

    def get(self, oid: bytes) -> GitObject | None:
        """The object of that id, None when the pack does not hold it.

        Raises malformed, truncated, limit or unsupported.
        """
        offset = self._find(oid)
        if offset is None:
            return None
        deltas: list[bytes] = []
        while True:
            kind, data, base = self._record(offset)
            if base is None:
                break
            deltas.append(data)
            if len(deltas) > DELTA_DEPTH:
                raise over_limit(f"a git object in more than {DELTA_DEPTH} deltas", offset)
            offset = base
        for delta in reversed(deltas):
            data = apply_delta(data, delta)
        return GitObject(kind=kind, body=data)

    def _find(self, oid: bytes) -> int | None:
        if self.index.read_at(0, _FAN_OUT) != b"\xfftOc\0\0\0\x02":
            raise unsupported("a git pack index of another version than 2", 0)
        first = self._u32(_FAN_OUT + 4 * (oid[0] - 1)) if oid[0] else 0
        last = self._u32(_FAN_OUT + 4 * oid[0])
        total = self._u32(_FAN_OUT + 4 * 255)
        while first < last <= total:
            middle = (first + last) // 2
            name = self.index.read_at(_NAMES + middle * self.id_bytes, self.id_bytes)
            if name == oid:
                return self._offset(middle, total)
            first, last = (middle + 1, last) if name < oid else (first, middle)
        return None

    def _u32(self, at: int) -> int:
        return int.from_bytes(self.index.read_at(at, 4), "big")

    def _offset(self, place: int, total: int) -> int:
        """Offsets of 2 GiB and more are in a second table of eight bytes each."""
        table = _NAMES + total * (self.id_bytes + 4)
        offset = self._u32(table + 4 * place)
        if offset < 1 << 31:
            return offset
        at = table + 4 * total + 8 * (offset & 0x7FFFFFFF)
        return int.from_bytes(self.index.read_at(at, 8), "big")

    def _record(self, offset: int) -> tuple[str, bytes, int | None]:
        """Kind, inflated bytes, and where the base is when the bytes are a delta."""
        cursor = Cursor(self.pack, offset)
        byte = cursor.u8()
        kind = byte >> 4 & 7
        size = byte & 0x0F | (_size(cursor) << 4 if byte & 0x80 else 0)
        if size > OBJECT_BYTES:
            raise over_limit(f"a git object of {size} bytes, at most {OBJECT_BYTES} are read", offset)
        base: int | None = None
        if kind == _OFFSET_DELTA:
            base = offset - _distance(cursor)
        elif kind == _REFERENCE_DELTA:
            base = self._find(cursor.take(self.id_bytes))
        elif kind not in _KINDS:
            raise malformed(f"git object of the unknown type {kind}", offset)
        if kind not in _KINDS and (base is None or not 0 < base < self.pack.size):
            raise malformed("a git delta whose base is not in the pack", offset)
        # Deflate grows incompressible bytes by less than 1 in 1,000.
        packed = cursor.take(min(cursor.left, size + size // 500 + 64))
        data = _inflated(packed, size + 1)
        if len(data) != size:
            raise malformed(f"git object of {len(data)} bytes, {size} were announced", offset)
        return _KINDS.get(kind, ""), data, base


def _size(cursor: Cursor) -> int:
    """Seven bits a byte, the least significant first."""
    value = shift = 0
    while True:
        byte = cursor.u8()
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value
        if shift > 63:
            raise malformed("a size in a git pack has no end", cursor.position)


def _distance(cursor: Cursor) -> int:
    """Seven bits a byte, the most significant first, without two spellings of one number."""
    byte = cursor.u8()
    value = byte & 0x7F
    while byte & 0x80:
        byte = cursor.u8()
        value = (value + 1) << 7 | byte & 0x7F
        if value > 1 << 63:
            raise malformed("an offset in a git pack has no end", cursor.position)
    return value


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """What a delta makes of its base: copies from it, and bytes of its own. Raises malformed, limit."""
    cursor = Cursor(Memory(delta))
    if _size(cursor) != len(base):
        raise malformed("a git delta for another base")
    size = _size(cursor)
    if size > OBJECT_BYTES:
        raise over_limit(f"a git object of {size} bytes, at most {OBJECT_BYTES} are read")
    result = bytearray()
    while cursor.left and len(result) <= size:
        code = cursor.u8()
        if code & 0x80:
            start, length = _copy(cursor, code)
            if start + length > len(base):
                raise malformed("a git delta copies from outside of its base", cursor.position)
            result += base[start : start + length]
        elif code:
            result += cursor.take(code)
        else:
            raise malformed("an unknown git delta instruction", cursor.position)
    if len(result) != size:
        raise malformed(f"a git delta makes {len(result)} bytes, {size} were announced")
    return bytes(result)


def _copy(cursor: Cursor, code: int) -> tuple[int, int]:
    """Seven bits say which bytes of the offset (four) and of the length (three) are there."""
    numbers = [cursor.u8() if code >> bit & 1 else 0 for bit in range(7)]
    return int.from_bytes(numbers[:4], "little"), int.from_bytes(numbers[4:], "little") or 0x10000
