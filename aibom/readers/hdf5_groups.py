"""HDF5 groups: names and what they lead to, in symbol tables, link messages or fractal heaps.

Format: HDF5 File Format Specification 3.0, sections III.A (B-tree version 1), III.B and III.C
(symbol tables), III.D (local heap), IV.A.2.g (link message).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from operator import attrgetter

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import MIB, TENSOR_COUNT
from aibom.readers.hdf5_dense import dense_objects
from aibom.readers.hdf5_file import LINK, LINK_INFO, SYMBOL_TABLE, Fields, File, Message

_NAME_BYTES = 1_024
_HEAP_BYTES = 32 * MIB
_CACHED_SOFT_LINK = 2


class LinkKind(Enum):
    HARD = auto()
    SOFT = auto()  # a path in the same file
    EXTERNAL = auto()  # a path in another file


@dataclass(frozen=True, slots=True)
class Link:
    """One name in a group; `address` is that of an object header, for a hard link."""

    name: str
    kind: LinkKind
    address: int | None = None
    target: str = ""  # file name of an external link, as written


def links(file: File, header: list[Message]) -> list[Link]:
    """The links of the group with these messages, by name. Raises limit, malformed, unsupported."""
    found = list(islice(_links(file, header), TENSOR_COUNT + 1))
    if len(found) > TENSOR_COUNT:
        raise over_limit(f"group of more than {TENSOR_COUNT} links")
    return sorted(found, key=attrgetter("name"))


def _links(file: File, header: list[Message]) -> Iterator[Link]:
    for message in header:
        fields = file.body(message)
        if message.kind == SYMBOL_TABLE:
            yield from _symbols(file, fields.address(), fields.address())
        elif message.kind == LINK:
            yield _link(fields)
        elif message.kind == LINK_INFO:
            yield from _dense(file, fields)


def _dense(file: File, fields: Fields) -> Iterator[Link]:
    version, flags = fields.u8(), fields.u8()
    if version:
        raise unsupported(f"link info of version {version}", fields.position - 2)
    fields.skip(8 if flags & 1 else 0)
    heap, index = fields.address(), fields.address()
    if heap is not None:
        for found in dense_objects(file, heap, index):
            yield _link(found)


def _link(fields: Fields) -> Link:
    at = fields.position
    version, flags = fields.u8(), fields.u8()
    if version != 1:
        raise unsupported(f"link message of version {version}", at)
    kind = fields.u8() if flags & 0x08 else 0
    fields.skip((8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0))
    length = fields.natural(1 << (flags & 3))
    if length > _NAME_BYTES:
        raise over_limit(f"link name of {length} bytes, at most {_NAME_BYTES} are read", at)
    name = fields.take(length).decode("utf-8", "replace")
    if kind == 0:
        return Link(name, LinkKind.HARD, fields.address())
    if kind == 1:
        return Link(name, LinkKind.SOFT)
    # Behind the version and flags of an external link: file name, NUL, path, NUL.
    value = fields.take(fields.u16())[1:]
    return Link(name, LinkKind.EXTERNAL, target=value.split(b"\0")[0].decode("utf-8", "replace"))


def _symbols(file: File, tree: int | None, heap: int | None) -> Iterator[Link]:
    """The symbol table nodes of a B-tree, names from the group's local heap."""
    names = local_heap(file, heap)
    nodes = [tree]
    while nodes:
        address = nodes.pop()
        file.once(address)
        fields = file.fields(address, 8)
        magic, kind, _, count = fields.take(4), fields.u8(), fields.u8(), fields.u16()
        if magic == b"TREE" and kind == 0:
            nodes += reversed(_children(file, address, count))
        elif magic == b"SNOD":
            yield from _symbol_node(file, address, count, names)
        else:
            raise malformed("neither a B-tree node nor a symbol table", fields.position - 8)


def _children(file: File, address: int | None, count: int) -> list[int | None]:
    siblings = 2 * file.address_bytes
    fields = file.fields(address, 8 + siblings + count * (file.length_bytes + file.address_bytes))
    fields.skip(8 + siblings)
    children = []
    for _ in range(count):
        file.step()
        fields.skip(file.length_bytes)  # the key: the least name below
        children.append(fields.address())
    return children


def _symbol_node(file: File, address: int | None, count: int, names: bytes) -> Iterator[Link]:
    fields = file.fields(address, 8 + count * (2 * file.address_bytes + 24))
    fields.skip(8)
    for _ in range(count):
        file.step()
        name = name_at(names, fields.natural(file.address_bytes), fields.position)
        target, cached = fields.address(), fields.u32()
        fields.skip(20)
        kind = LinkKind.SOFT if cached == _CACHED_SOFT_LINK else LinkKind.HARD
        yield Link(name, kind, target)


def local_heap(file: File, address: int | None) -> bytes:
    """The names of a group, NUL-terminated. Raises limit."""
    fields = file.fields(address, 8 + 3 * 8)
    fields.expect(b"HEAP")
    fields.skip(4)
    length = fields.length()
    fields.length()  # the free list
    start = fields.address()
    if length > _HEAP_BYTES:
        raise over_limit(f"local heap of {length} bytes", fields.position)
    return file.fields(start, length).take(length)


def name_at(names: bytes, start: int, at: int) -> str:
    """The name at an offset in a local heap; `at` is where the offset stands."""
    end = names.find(b"\0", start, start + _NAME_BYTES + 1)
    if end < 0:
        raise malformed(f"a name does not end within {_NAME_BYTES} bytes", at)
    return names[start:end].decode("utf-8", "replace")
