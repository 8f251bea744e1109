"""A bounded walk over a tar archive: names and places of its members, nothing is extracted.

Format: POSIX.1-2001 ustar and pax; GNU long names. Sparse members are not supported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit, truncated, unsupported
from aibom.domain.limits import KIB, MEMBER_COUNT
from aibom.domain.protocols import ByteReader

BLOCK_BYTES: Final = 512
_NAME_BYTES: Final = 4 * KIB
_HEADER_COUNT: Final = 8  # extension headers in front of one member
_REGULAR: Final = (b"0", b"\0", b"7")
_SPARSE: Final = b"S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member. `header` is where its first header starts, `offset` and `size` are its data, in bytes."""

    name: str
    header: int
    offset: int
    size: int
    regular: bool

    @property
    def end(self) -> int:
        """The offset behind the data and its padding."""
        return self.offset + _padded(self.size)


def is_tar(head: bytes) -> bool:
    """True when the bytes start with a header whose checksum is right."""
    return len(head) >= BLOCK_BYTES and _checksum_fits(head[:BLOCK_BYTES])


def walk(reader: ByteReader) -> Iterator[Member]:
    """The members in order, up to the first empty block or the end of the file.

    Raises malformed (header), truncated, limit (members) or unsupported (sparse members).
    """
    position = 0
    for _ in range(MEMBER_COUNT):
        member = _member(reader, position)
        if member is None:
            return
        yield member
        position = member.end
    raise over_limit(f"more than {MEMBER_COUNT} members", position)


def _member(reader: ByteReader, start: int) -> Member | None:
    position, long_name, long_size = start, None, None
    for _ in range(_HEADER_COUNT):
        if reader.size - position < BLOCK_BYTES:
            return None
        block = reader.read_at(position, BLOCK_BYTES)
        if not any(block):
            return None
        if not _checksum_fits(block):
            raise malformed("a tar header whose checksum is wrong", position)
        size, kind, offset = _number(block[124:136], position), block[156:157], position + BLOCK_BYTES
        # Extension headers stand in front of the member that they describe.
        if kind == b"L":
            long_name = _text(_data(reader, offset, size))
        elif kind == b"x":
            long_name, long_size = _pax(_data(reader, offset, size), offset, long_name)
        elif kind == _SPARSE:
            raise unsupported("a sparse member", position)
        elif kind != b"g":
            size = long_size if long_size is not None else size
            if size > reader.size - offset:
                raise truncated(f"a member of {size} bytes, {reader.size - offset} are left", offset)
            name = long_name if long_name is not None else _name(block)
            return Member(name=name, header=start, offset=offset, size=size, regular=kind in _REGULAR)
        position = offset + _padded(size)
    raise over_limit(f"more than {_HEADER_COUNT} extension headers", position)


def _data(reader: ByteReader, offset: int, size: int) -> bytes:
    if size > _NAME_BYTES:
        raise over_limit(f"an extension header of {size} bytes", offset)
    return reader.read_at(offset, size)


def _pax(data: bytes, offset: int, name: str | None) -> tuple[str | None, int | None]:
    """Path and size of a pax header: records of "<length> <key>=<value>\\n"."""
    size = None
    while data:
        digits, _, _ = data.partition(b" ")
        if not digits.isdigit() or len(digits) > 4 or not len(digits) < int(digits) <= len(data):
            raise malformed("a pax record without a length", offset)
        key, _, value = data[len(digits) + 1 : int(digits) - 1].partition(b"=")
        if key == b"path":
            name = _text(value)
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        data = data[int(digits) :]
    return name, size


def _name(block: bytes) -> str:
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def _number(field: bytes, offset: int) -> int:
    """Octal digits, or GNU's binary form for large sizes."""
    if field[0] == 0x80:
        # May be a huge number; whoever uses it compares it with the size of the file.
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise malformed("a number in a tar header that is not octal", offset)
    return int(digits or b"0", 8)


def _checksum_fits(block: bytes) -> bool:
    # The field itself counts as eight spaces.
    digits = block[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


def _padded(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES
