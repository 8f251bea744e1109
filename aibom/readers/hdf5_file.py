"""HDF5 from the outside in: signature, superblock, addresses, object headers.

Format: HDF5 File Format Specification 3.0, sections II.A (superblock) and IV.A (object headers).
Checksums are not verified: the file's own digest says more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.protocols import ByteReader
from aibom.readers.hdf5_signature import SIGNATURE, USER_BLOCK_BYTES
from aibom.readers.ranges import Cursor

DATASPACE: Final = 0x01
LINK_INFO: Final = 0x02
DATATYPE: Final = 0x03
LINK: Final = 0x06
EXTERNAL_FILES: Final = 0x07
DATA_LAYOUT: Final = 0x08
ATTRIBUTE: Final = 0x0C
CONTINUATION: Final = 0x10
SYMBOL_TABLE: Final = 0x11
ATTRIBUTE_INFO: Final = 0x15

FLAG_SHARED: Final = 0x02

_CHUNK_COUNT = 1_024  # of one object header
_MESSAGE_COUNT = 16_384  # of one object header
_STEP_COUNT = 500_000  # of one file; a dataset of Keras takes about 25
_PREFIX_BYTES = 34  # the longest prefix of a version 2 header


class Fields(Cursor):
    """A cursor that knows how wide addresses and lengths are in this file."""

    __slots__ = ("_address_bytes", "_length_bytes")

    def __init__(self, file: File, start: int, end: int) -> None:
        super().__init__(file.reader, start, end)
        self._address_bytes, self._length_bytes = file.address_bytes, file.length_bytes

    def natural(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def address(self) -> int | None:
        """An address; None when it is undefined (all ones)."""
        value = self.natural(self._address_bytes)
        return None if value == (1 << 8 * self._address_bytes) - 1 else value

    def length(self) -> int:
        return self.natural(self._length_bytes)

    def expect(self, magic: bytes) -> None:
        at = self.position
        if self.take(len(magic)) != magic:
            raise malformed(f"no {magic.decode('latin-1')!r} where one is referred to", at)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an object header; `start` is an absolute offset."""

    kind: int
    flags: int
    start: int
    length: int


@dataclass(slots=True)
class File:
    """An open HDF5 file: widths, base address, and what keeps its graph from being walked forever."""

    reader: ByteReader
    base: int = 0  # absolute offset of address 0
    version: int = 0  # of the superblock
    address_bytes: int = 8
    length_bytes: int = 8
    root: int | None = None  # address of the root group's object header
    end: int | None = None  # absolute offset behind the last byte, as claimed
    _seen: set[int] = field(default_factory=set)
    _steps: int = 0

    def fields(self, address: int | None, length: int) -> Fields:
        """The bytes of one structure; reading behind `length` or the file raises truncated."""
        if address is None:
            raise malformed("an undefined address is referred to")
        return Fields(self, self.base + address, self.base + address + length)

    def body(self, message: Message) -> Fields:
        return Fields(self, message.start, message.start + message.length)

    def first(self, address: int) -> bool:
        """True when a structure has not been looked at before: cycles end here."""
        new = address not in self._seen
        self._seen.add(address)
        return new

    def once(self, address: int | None) -> None:
        """Raises malformed when a structure that has one owner is reached a second time."""
        if address is None or not self.first(address):
            raise malformed("a structure is missing or has two owners", self.base + (address or 0))

    def step(self) -> None:
        """Called per message, link and heap object: structures that overlap cannot make work."""
        self._steps += 1
        if self._steps > min(_STEP_COUNT, 10_000 + self.reader.size // 8):
            raise over_limit(f"more than {self._steps - 1} HDF5 structures in {self.reader.size} bytes")


def find_signature(reader: ByteReader) -> int | None:
    """Where the superblock starts: at 0, 512, and so on by doubling; None when nowhere."""
    at = 0
    while at + len(SIGNATURE) <= reader.size:
        if reader.read_at(at, len(SIGNATURE)) == SIGNATURE:
            return at
        at = at * 2 or USER_BLOCK_BYTES
    return None


def open_file(reader: ByteReader) -> File:
    """The file behind its superblock. Raises malformed, truncated or unsupported."""
    start = find_signature(reader)
    if start is None:
        raise malformed("no HDF5 signature", 0)
    # As the library does, the place of the signature wins over the base address that is written.
    file = File(reader, base=start)
    fields = file.fields(len(SIGNATURE), 128)
    file.version = fields.u8()
    if file.version > 3:
        raise unsupported(f"HDF5 superblock of version {file.version}", fields.position - 1)
    if file.version >= 2:
        _set_widths(file, fields)
        fields = _after(file, fields, 1)
        fields.address(), fields.address()  # base, superblock extension
        end, file.root = fields.address(), fields.address()
    else:
        fields.skip(4)
        _set_widths(file, fields)
        fields = _after(file, fields, 9 if file.version == 0 else 13)
        _, _, end, _ = (fields.address() for _ in range(4))
        fields.address()  # name of the root group
        file.root = fields.address()
    file.end = end
    if file.root is None:
        raise malformed("no root group", start)
    return file


def _set_widths(file: File, fields: Fields) -> None:
    at = fields.position
    file.address_bytes, file.length_bytes = fields.u8(), fields.u8()
    if file.address_bytes not in (2, 4, 8) or file.length_bytes not in (2, 4, 8):
        raise unsupported(f"addresses of {file.address_bytes} and lengths of {file.length_bytes} bytes", at)


def _after(file: File, fields: Fields, skipped: int) -> Fields:
    """The same fields, `skipped` bytes on, now that the widths are known."""
    fields.skip(skipped)
    return Fields(file, fields.position, fields.end)


def messages(file: File, address: int) -> list[Message]:
    """The messages of the object header at an address. Raises malformed, truncated or limit."""
    found = list(islice(_messages(file, address), _MESSAGE_COUNT + 1))
    if len(found) > _MESSAGE_COUNT:
        raise over_limit(f"object header of more than {_MESSAGE_COUNT} messages", file.base + address)
    return found


def _messages(file: File, address: int) -> Iterator[Message]:
    prefix = file.fields(address, _PREFIX_BYTES)
    if prefix.take(4) == b"OHDR":
        header, chunk = _prefix_v2(prefix)
    else:
        prefix = file.fields(address, _PREFIX_BYTES)
        header, chunk = _prefix_v1(prefix)
    chunks, visited = [chunk], {chunk[0]}
    for start, end in chunks:
        fields = Fields(file, start, end)
        while fields.left >= header.size:
            file.step()
            message = header.next(fields)
            if message.kind != CONTINUATION:
                yield message
                continue
            chunk = _continuation(file, message, header)
            if chunk[0] in visited or len(chunks) == _CHUNK_COUNT:
                raise malformed("an object header continues in circles", message.start)
            visited.add(chunk[0])
            chunks.append(chunk)


@dataclass(frozen=True, slots=True)
class _Header:
    """How messages stand in one object header."""

    version: int
    size: int  # bytes in front of each message
    ordered: bool = False  # creation order is tracked

    def next(self, fields: Fields) -> Message:
        if self.version == 1:
            kind, length, flags = fields.u16(), fields.u16(), fields.u8()
            fields.skip(3)
        else:
            kind, length, flags = fields.u8(), fields.u16(), fields.u8()
            fields.skip(2 if self.ordered else 0)
        start = fields.position
        fields.skip(length)
        return Message(kind, flags, start, length)


def _prefix_v1(fields: Fields) -> tuple[_Header, tuple[int, int]]:
    if fields.u8() != 1:
        raise malformed("no object header where one is referred to", fields.position - 1)
    fields.skip(7)
    length = fields.u32()
    fields.skip(4)
    return _Header(1, 8), (fields.position, fields.position + length)


def _prefix_v2(fields: Fields) -> tuple[_Header, tuple[int, int]]:
    version, flags = fields.u8(), fields.u8()
    if version != 2:
        raise unsupported(f"object header of version {version}", fields.position - 2)
    fields.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    length = fields.natural(1 << (flags & 3))
    ordered = bool(flags & 4)
    return _Header(2, 6 if ordered else 4, ordered), (fields.position, fields.position + length)


def _continuation(file: File, message: Message, header: _Header) -> tuple[int, int]:
    """The range of messages in a continuation block."""
    fields = file.body(message)
    address, length = fields.address(), fields.length()
    block = file.fields(address, length)
    if header.version == 1:
        return block.position, block.end
    block.expect(b"OCHK")
    return block.position, block.end - 4  # the checksum
