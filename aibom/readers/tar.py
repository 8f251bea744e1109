"""A bounded walk over a tar archive: names, kinds and places of its members, nothing is extracted.

Format: POSIX.1-2001 ustar and pax; GNU long names and sparse members, whose map is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit, truncated
from aibom.domain.limits import KIB, MEMBER_COUNT
from aibom.domain.protocols import ByteReader

BLOCK_BYTES: Final = 512
_NAME_BYTES: Final = 4 * KIB
_MAP_COUNT: Final = 1_000  # blocks of 21 pieces each
_HEADER_COUNT: Final = 8  # extension headers in front of one member
_REGULAR: Final = (b"0", b"\0", b"7")
_SPARSE: Final = b"S"
_PAX: Final = (b"x", b"X")  # the second is Sun's
_DIRECTORY: Final = b"5"
_HARD_LINK: Final = b"1"
_LINKS: Final = (_HARD_LINK, b"2")
_DEVICES: Final = (b"3", b"4", b"6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member. `header` is where its first header starts, `offset` and `size` are its data, in bytes."""

    name: str
    header: int
    offset: int
    size: int
    regular: bool
    directory: bool = False
    link: str | None = None  # target of a symbolic or hard link
    hard: bool = False  # the target counts from the root of the archive, not from the folder of the link
    device: bool = False  # or a pipe
    sparse: bool = False  # the data is what is left of the file without its holes

    @property
    def end(self) -> int:
        """The offset behind the data and its padding."""
        return self.offset + _padded(self.size)


def is_tar(head: bytes) -> bool:
    """True when the bytes start with a header whose checksum is right."""
    return len(head) >= BLOCK_BYTES and _checksum_fits(head[:BLOCK_BYTES])


def walk(reader: ByteReader) -> Iterator[Member]:
    """The members in order, up to the first empty block or the end of the file.

    Raises malformed (header), truncated or limit (members).
    """
    position = 0
    for _ in range(MEMBER_COUNT):
        member = _member(reader, position)
        if member is None:
            return
        yield member
        position = member.end
    raise over_limit(f"more than {MEMBER_COUNT} members", position)


@dataclass(slots=True)
class _Extended:
    """What extension headers say about the member behind them."""

    name: str | None = None
    size: int | None = None
    link: str | None = None


def _member(reader: ByteReader, start: int) -> Member | None:
    position, extended = start, _Extended()
    for _ in range(_HEADER_COUNT):
        block = reader.read_at(position, min(BLOCK_BYTES, max(0, reader.size - position)))
        if len(block) < BLOCK_BYTES or not any(block):
            if position > start:
                raise truncated("an extension header that describes no member", start)
            return None
        if not _checksum_fits(block):
            raise malformed("a tar header whose checksum is wrong", position)
        size, kind, offset = _number(block[124:136], position), block[156:157], position + BLOCK_BYTES
        # Extension headers stand in front of the member that they describe.
        if kind == b"L":
            extended.name = _text(_data(reader, offset, size))
        elif kind == b"K":
            extended.link = _text(_data(reader, offset, size))
        elif kind in _PAX:
            _pax(_data(reader, offset, size), offset, extended)
        elif kind != b"g":
            return _described(reader, start, offset, block, extended)
        position = offset + _padded(size)
    raise over_limit(f"more than {_HEADER_COUNT} extension headers", position)


def _described(reader: ByteReader, start: int, offset: int, block: bytes, extended: _Extended) -> Member:
    kind = block[156:157]
    name = _name(block) if extended.name is None else extended.name
    # The oldest archives know directories by their name only.
    directory = kind == _DIRECTORY or (kind == b"\0" and name.endswith("/"))
    size = _number(block[124:136], offset - BLOCK_BYTES) if extended.size is None else extended.size
    if kind == _SPARSE:
        offset = _behind_map(reader, block, offset)
    # None of these has data, whatever size it states (POSIX.1-2001, ustar; Python's tarfile).
    size = 0 if directory or kind in (*_LINKS, *_DEVICES) else size
    if size > reader.size - offset:
        raise truncated(f"a member of {size} bytes, {reader.size - offset} are left", offset)
    link = _text(block[157:257]) if extended.link is None else extended.link
    return Member(
        name=name,
        header=start,
        offset=offset,
        size=size,
        regular=kind in _REGULAR,
        directory=directory,
        link=link if kind in _LINKS else None,
        hard=kind == _HARD_LINK,
        device=kind in _DEVICES,
        sparse=kind == _SPARSE,
    )


def _behind_map(reader: ByteReader, block: bytes, offset: int) -> int:
    """The offset behind the blocks that continue the map of a sparse member (GNU tar, `oldgnu`)."""
    more = block[482]
    for _ in range(_MAP_COUNT):
        if not more:
            return offset
        more = reader.read_at(offset, BLOCK_BYTES)[504]
        offset += BLOCK_BYTES
    raise over_limit("the map of a sparse member", offset)


def _data(reader: ByteReader, offset: int, size: int) -> bytes:
    if size > _NAME_BYTES:
        raise over_limit(f"an extension header of {size} bytes", offset)
    return reader.read_at(offset, size)


def _pax(data: bytes, offset: int, extended: _Extended) -> None:
    """Path, link target and size of a pax header: records of "<length> <key>=<value>\\n"."""
    while data:
        digits, _, _ = data.partition(b" ")
        if not digits.isdigit() or len(digits) > 4 or not len(digits) < int(digits) <= len(data):
            raise malformed("a pax record without a length", offset)
        key, _, value = data[len(digits) + 1 : int(digits) - 1].partition(b"=")
        if key == b"path":
            extended.name = _text(value)
        elif key == b"linkpath":
            extended.link = _text(value)
        elif key == b"size" and value.isdigit() and len(value) < 20:
            extended.size = int(value)
        data = data[int(digits) :]


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
    bare = block[:148] + block[156:]
    total = sum(bare) + 8 * 0x20
    # Sun and others took the bytes for signed.
    return int(digits, 8) in (total, total - 256 * sum(byte > 127 for byte in bare))


def _padded(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES
