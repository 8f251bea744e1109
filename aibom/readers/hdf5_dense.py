"""HDF5 dense storage: objects of a fractal heap, found through a version 2 B-tree.

Format: HDF5 File Format Specification 3.0, sections III.A.2 (B-tree version 2) and III.G (fractal
heap). Only managed and tiny objects of unfiltered heaps are read; that is how links and small
attributes are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, unsupported
from aibom.readers.hdf5_file import FLAG_SHARED, Fields, File
from aibom.readers.ranges import Memory

# Records of the index by name: bytes in all, and where the heap ID starts in them.
_LINKS, _ATTRIBUTES = 5, 8
_RECORDS: Final = {_LINKS: (11, 4), _ATTRIBUTES: (17, 0)}
_DEPTH = 16
_HEADER_BYTES = 256  # of a heap or a tree, generously


def dense_objects(file: File, heap_address: int | None, index: int | None) -> Iterator[Fields]:
    """A cursor at each object of a heap, in the order of its index by name."""
    heap = _heap(file, heap_address)
    for at, record in _records(file, index):
        file.step()
        yield heap.open(file, record, at)


@dataclass(frozen=True, slots=True)
class _Level:
    """What a B-tree node of one level holds: its records and the width of a pointer to it."""

    records: int
    pointer: int  # bytes of "records in the child and below"; 0 for a leaf
    total: int


def _records(file: File, address: int | None) -> Iterator[tuple[int, bytes]]:
    """The heap ID in each record of the tree, with its offset, in order."""
    fields = file.fields(address, _HEADER_BYTES)
    fields.expect(b"BTHD")
    fields.skip(1)
    kind, node, size, depth = fields.u8(), fields.u32(), fields.u16(), fields.u16()
    fields.skip(2)
    root, count = fields.address(), fields.u16()
    expected, id_at = _RECORDS.get(kind, (0, 0))
    if size != expected or depth > _DEPTH or node < 16 + size:
        raise malformed("a B-tree that indexes no names", fields.position)
    if root is None:
        return
    levels = _levels(file, node, size, depth)
    stack: list[tuple[int | None, int, int]] = [(root, count, depth)]
    while stack:
        address, count, level = stack.pop()
        file.once(address)
        fields = file.fields(address, node)
        fields.expect(b"BTIN" if level else b"BTLF")
        fields.skip(2)
        for _ in range(count):
            at = fields.position
            record = fields.take(size)
            if kind == _ATTRIBUTES and record[8] & FLAG_SHARED:
                raise unsupported("an attribute in the shared message heap", at)
            yield at, record[id_at:]
        if level:
            stack += [
                (child, records, level - 1) for child, records in _children(fields, count, levels, level)
            ]


def _children(
    fields: Fields, count: int, levels: list[_Level], level: int
) -> Iterator[tuple[int | None, int]]:
    for _ in range(count + 1):
        child, records = fields.address(), fields.natural(_width(levels[0].records))
        fields.skip(levels[level - 1].pointer)
        yield child, records


def _levels(file: File, node: int, size: int, depth: int) -> list[_Level]:
    """The shape of the tree, as the library computes it from the node size (`H5B2__hdr_init`)."""
    leaf = (node - 10) // size
    levels = [_Level(leaf, 0, leaf)]
    for _ in range(depth):
        below = levels[-1]
        pointer = file.address_bytes + _width(leaf) + below.pointer
        records = max(0, node - 10 - pointer) // (size + pointer)
        total = (records + 1) * below.total + records
        levels.append(_Level(records, _width(total), total))
    return levels


def _width(limit: int) -> int:
    """Bytes that a count up to `limit` is written in (`H5VM_limit_enc_size`)."""
    return (max(limit, 1).bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class _Heap:
    """A fractal heap: blocks of doubling size, `width` per row, found by an offset."""

    width: int
    first: int  # bytes of a block in row 0
    largest: int  # bytes of the largest direct block
    offset_bytes: int
    length_bytes: int
    root: int | None
    rows: int  # of the root; 0 when it is a direct block

    def open(self, file: File, key: bytes, at: int) -> Fields:
        """A cursor at the object of a heap ID."""
        kind = key[0] >> 4
        if kind == 2:
            length = (key[0] & 0x0F) + 1
            return _inline(file, key[1 : 1 + length])
        if kind != 0 or len(key) < 1 + self.offset_bytes + self.length_bytes:
            raise unsupported("an object outside of the blocks of its heap", at)
        offset = int.from_bytes(key[1 : 1 + self.offset_bytes], "little")
        tail = key[1 + self.offset_bytes :][: self.length_bytes]
        return self._managed(file, offset, int.from_bytes(tail, "little"), at)

    def _managed(self, file: File, offset: int, length: int, at: int) -> Fields:
        block, rows, size = self.root, self.rows, self.first
        while rows:
            row = (offset // (self.first * self.width)).bit_length()
            size = self.first << max(0, row - 1)
            offset -= self.width * size if row else 0
            column, offset = divmod(offset, size)
            if row >= rows:
                raise malformed("an object behind the end of its heap", at)
            block = self._entry(file, block, row * self.width + column)
            # A row of larger blocks holds indirect ones, which start again with small rows.
            rows = 0 if size <= self.largest else (size // (self.first * self.width)).bit_length()
        if offset + length > size:
            raise malformed("an object leaves its heap block", at)
        file.fields(block, 4).expect(b"FHDB")
        fields = file.fields(block, offset + length)
        fields.skip(offset)
        return fields

    def _entry(self, file: File, block: int | None, index: int) -> int | None:
        """The address in an indirect block; both kinds of entries are one address wide."""
        start = 5 + file.address_bytes + self.offset_bytes
        fields = file.fields(block, start + (index + 1) * file.address_bytes)
        fields.expect(b"FHIB")
        fields.skip(start - 4 + index * file.address_bytes)
        return fields.address()


def _inline(file: File, data: bytes) -> Fields:
    return File(Memory(data), address_bytes=file.address_bytes, length_bytes=file.length_bytes).fields(
        0, len(data)
    )


def _heap(file: File, address: int | None) -> _Heap:
    fields = file.fields(address, _HEADER_BYTES)
    fields.expect(b"FRHP")
    fields.skip(3)  # version, length of an ID
    if fields.u16():
        raise unsupported("a filtered heap", fields.position - 2)
    fields.skip(1)
    largest_object = fields.u32()
    fields.skip(10 * file.length_bytes + 2 * file.address_bytes)
    width, first, largest, bits = fields.u16(), fields.length(), fields.length(), fields.u16()
    fields.skip(2)
    root, rows = fields.address(), fields.u16()
    if not width or not first or width & (width - 1) or first & (first - 1) or largest < first or bits > 64:
        raise malformed("a heap of impossible blocks", fields.position)
    return _Heap(
        width=width,
        first=first,
        largest=largest,
        offset_bytes=(bits + 7) // 8,
        length_bytes=min((largest.bit_length() + 6) // 8, _width(largest_object)),
        root=root,
        rows=rows,
    )
