"""HDF5 attributes: names and text values, in messages, dense storage and global heaps.

Format: HDF5 File Format Specification 3.0, sections III.E (global heap), IV.A.2.m (attribute) and
IV.A.2.v (attribute info).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import MIB
from aibom.readers.defects import Defects
from aibom.readers.hdf5_dense import dense_objects
from aibom.readers.hdf5_file import ATTRIBUTE, ATTRIBUTE_INFO, FLAG_SHARED, Fields, File, Message
from aibom.readers.hdf5_types import Datatype, Kind, read_dataspace, read_datatype, shared_datatype

_TEXT_BYTES = 8 * MIB  # of all attributes together
_STRING_COUNT = 10_000
_NAME_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named value; `texts` is None when it is not text, which is UTF-8 or ASCII."""

    name: str
    texts: tuple[bytes, ...] | None


@dataclass(slots=True)
class AttributeReader:
    """Reads the attributes of one object; a part that cannot be read is a defect."""

    file: File
    defects: Defects
    _left: int = _TEXT_BYTES
    _heap: int | None = None
    _objects: dict[int, tuple[int, int]] = field(default_factory=dict)

    def read(self, header: list[Message]) -> Iterator[Attribute]:
        for message in header:
            try:
                if message.kind == ATTRIBUTE and message.flags & FLAG_SHARED:
                    raise unsupported("an attribute in the shared message heap", message.start)
                if message.kind == ATTRIBUTE:
                    yield self._attribute(self.file.body(message))
                elif message.kind == ATTRIBUTE_INFO:
                    yield from self._dense(self.file.body(message))
            except UnreadableError as error:
                self.defects.caught("an attribute is not read", error)

    def _dense(self, fields: Fields) -> Iterator[Attribute]:
        fields.skip(1)
        fields.skip(2 if fields.u8() & 1 else 0)
        heap, index = fields.address(), fields.address()
        if heap is not None:
            for found in dense_objects(self.file, heap, index):
                yield self._attribute(found)

    def _attribute(self, fields: Fields) -> Attribute:
        at = fields.position
        version, flags = fields.u8(), fields.u8()
        if version not in (1, 2, 3):
            raise unsupported(f"attribute of version {version}", at)
        lengths = fields.u16(), fields.u16(), fields.u16()
        fields.skip(1 if version == 3 else 0)
        # Version 1 pads each part to eight bytes.
        padded = [-length % 8 if version == 1 else 0 for length in lengths]
        if lengths[0] > _NAME_BYTES:
            raise over_limit(f"attribute name of {lengths[0]} bytes", at)
        name = fields.take(lengths[0]).split(b"\0")[0].decode("utf-8", "replace")
        type_at = fields.position + padded[0]
        space_at = type_at + lengths[1] + padded[1]
        data_at = space_at + lengths[2] + padded[2]
        part = self._part(fields, type_at, lengths[1])
        datatype = shared_datatype(self.file, part) if version > 1 and flags & 1 else read_datatype(part)
        shape = read_dataspace(self._part(fields, space_at, lengths[2])) + datatype.shape
        fields.skip(data_at - fields.position)
        return Attribute(name, self._texts(fields, datatype, math.prod(shape)))

    def _part(self, fields: Fields, start: int, length: int) -> Fields:
        if start + length > fields.end:
            raise malformed("an attribute leaves its message", start)
        return Fields(self.file, start, start + length)

    def _texts(self, fields: Fields, datatype: Datatype, count: int) -> tuple[bytes, ...] | None:
        if datatype.kind not in (Kind.STRING, Kind.VARIABLE_STRING):
            return None
        if count > _STRING_COUNT:
            raise over_limit(
                f"attribute of {count} strings, at most {_STRING_COUNT} are read", fields.position
            )
        if datatype.kind is Kind.STRING:
            return tuple(self._text(fields, datatype.size) for _ in range(count))
        return tuple(self._variable(fields) for _ in range(count))

    def _text(self, fields: Fields, length: int) -> bytes:
        self._left -= length
        if self._left < 0:
            raise over_limit(f"attributes hold more than {_TEXT_BYTES} bytes of text", fields.position)
        return fields.take(length).split(b"\0", 1)[0]

    def _variable(self, fields: Fields) -> bytes:
        """A string of a global heap: its length, the address of the collection, an index into it."""
        at = fields.position
        length, address, index = fields.u32(), fields.address(), fields.u32()
        if length == 0 or not address:
            return b""
        # Neighbouring strings share a collection, so the last one is enough to keep.
        if address != self._heap:
            self._heap, self._objects = address, dict(self._collection(address))
        start, size = self._objects.get(index, (0, 0))
        if size < length:
            raise malformed("a string is not in its global heap", at)
        return self._text(Fields(self.file, start, start + length), length)

    def _collection(self, address: int) -> Iterator[tuple[int, tuple[int, int]]]:
        """Index, absolute offset and length of each object in a global heap collection."""
        head = self.file.fields(address, 16)
        head.expect(b"GCOL")
        head.skip(4)
        start, end = head.position + self.file.length_bytes, head.position - 8 + head.length()
        position = start
        while end - position >= 16:
            self.file.step()
            # One at a time: the objects in between can be large.
            fields = Fields(self.file, position, min(end, position + 16))
            index = fields.u16()
            fields.skip(6)
            length = fields.length()
            if index == 0:
                return
            yield index, (fields.position, length)
            position = fields.position + length + -length % 8
