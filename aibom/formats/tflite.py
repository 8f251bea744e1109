"""TensorFlow Lite: a FlatBuffers `Model` with operators, tensors and their constant buffers.

Format: tensorflow/lite/schema/schema.fbs; wire format: flatbuffers.dev, "FlatBuffers internals".
Tables are read where they are needed, page by page: the weights of a large model stay untouched.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.dtypes import byte_length
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Layout, Statement, Tensor
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, STRING_CHARS, TENSOR_RANK
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.formats import _tf_operations as tensorflow
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards

TABLE_COUNT: Final = 500_000  # opened per file, repeats included
TENSOR_COUNT: Final = 50_000  # and again buffers
OPERATOR_COUNT: Final = 10_000  # kinds of operators
SUBGRAPH_COUNT: Final = 10_000
METADATA_COUNT: Final = 100
NAME_BYTES: Final = 256

_MAGIC: Final = b"TFL3"
_TABLE_BYTES: Final = 8  # the least that a table and the offset to it take
_PAGE_BYTES: Final = 16 * KIB
_PAGE_COUNT: Final = 64
_FLEX = "Flex"  # in front of the name of an operation of TensorFlow
_CUSTOM: Final = 32  # `BuiltinOperator.CUSTOM`
# Custom operators that the runtime registers itself (lite/core/kernels/register.cc).
_REGISTERED: Final = frozenset(("AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"))
_DTYPES: Final = (
    "F32", "F16", "I32", "U8", "I64", "STRING", "BOOL", "I16", "C64", "I8", "F64", "C128", "U64",
    "RESOURCE", "VARIANT", "U32", "U16", "INT4", "BF16", "INT2", "UINT4",
)  # fmt: skip


def recognise(probe: Probe) -> Match:
    """By the file identifier behind the first offset; by name when it is not there."""
    if probe.head[4:8] == _MAGIC:
        return Match.CONTENT
    return Match.NAME if probe.named(".tflite") else Match.NO


class _File:
    """Numbers and texts of a file of any size; keeps the last pages."""

    def __init__(self, reader: ByteReader) -> None:
        self._reader, self.size = reader, reader.size
        self._pages: dict[int, bytes] = {}
        self.tables_left = min(TABLE_COUNT, self.size // _TABLE_BYTES)

    def bytes_at(self, at: int, length: int) -> bytes:
        if at < 0 or at + length > self.size:
            raise malformed("a FlatBuffers offset leaves the file", max(0, min(at, self.size)))
        page, start = divmod(at, _PAGE_BYTES)
        if start + length > _PAGE_BYTES:
            return self._reader.read_at(at, length)
        return self._page(page)[start : start + length]

    def _page(self, number: int) -> bytes:
        page = self._pages.pop(number, None)
        if page is None:
            start = number * _PAGE_BYTES
            page = self._reader.read_at(start, min(_PAGE_BYTES, self.size - start))
            if len(self._pages) == _PAGE_COUNT:
                del self._pages[next(iter(self._pages))]
        self._pages[number] = page  # the newest stands last
        return page

    def number(self, code: str, at: int) -> int:
        return int(struct.unpack("<" + code, self.bytes_at(at, struct.calcsize("<" + code)))[0])

    def follow(self, at: int) -> int:
        """Where the forward offset that is stored at a position leads."""
        return at + self.number("I", at)


class _Table:
    """One table; absent fields read as their default, which is 0 throughout the schema."""

    def __init__(self, file: _File, at: int) -> None:
        file.tables_left -= 1
        if file.tables_left < 0:
            raise over_limit("more FlatBuffers tables than the file has room for", at)
        self._file, self._at = file, at
        self._slots = at - file.number("i", at)
        self._slots_bytes = file.number("H", self._slots)

    def _field(self, slot: int) -> int | None:
        place = 4 + 2 * slot
        if place + 2 > self._slots_bytes:
            return None
        distance = self._file.number("H", self._slots + place)
        return self._at + distance if distance else None

    def integer(self, slot: int, code: str) -> int:
        at = self._field(slot)
        return 0 if at is None else self._file.number(code, at)

    def vector(self, slot: int, width: int) -> tuple[int, int]:
        """Where the elements start and how many there are."""
        at = self._field(slot)
        if at is None:
            return 0, 0
        start = self._file.follow(at)
        count = self._file.number("I", start)
        if start + 4 + count * width > self._file.size:
            raise malformed(f"a vector of {count} elements leaves the file", start)
        return start + 4, count

    def text(self, slot: int, limit: int = NAME_BYTES) -> str:
        at, count = self.vector(slot, 1)
        return self._file.bytes_at(at, min(count, limit)).decode("utf-8", "backslashreplace")

    def tables(self, slot: int, limit: int, what: str) -> Iterator[_Table]:
        at, count = self.vector(slot, 4)
        if count > limit:
            raise over_limit(f"{count} {what}, at most {limit} are read", at)
        for place in range(at, at + 4 * count, 4):
            yield _Table(self._file, self._file.follow(place))

    @property
    def at(self) -> int:
        return self._at


@dataclass(slots=True)
class _Model:
    """What one walk over the file collects."""

    file: _File
    root: _Table
    defects: Defects = field(default_factory=Defects)
    hazards: Hazards = field(default_factory=Hazards)
    tensors: list[Tensor] = field(default_factory=list)
    buffers: list[tuple[int, int]] = field(default_factory=list)  # offset and length
    used: set[int] = field(default_factory=set)  # buffers that have been told

    def read_operators(self) -> None:
        """Operators that reach out of the model first, whatever their number."""
        foreign = []
        for code in self.root.tables(1, OPERATOR_COUNT, "operators"):
            if max(code.integer(0, "b"), code.integer(3, "i")) == _CUSTOM:
                name = code.text(1)
                if not self._reaches_out(name, code.at) and name not in _REGISTERED:
                    foreign.append((name, code.at))
        for name, at in foreign:
            message = (
                f"the operator {name or 'without a name'} is registered by the program that runs the model"
            )
            if name.startswith(_FLEX):
                message = f"the operator {name} runs a kernel of TensorFlow, which must be linked"
            self.hazards.add(HazardKind.CUSTOM_OPERATOR, name or "custom", message, at)

    def _reaches_out(self, name: str, at: int) -> bool:
        """True for an operation of TensorFlow that touches files or runs code."""
        inner = Hazards()
        if name.startswith(_FLEX):
            tensorflow.judge(name.removeprefix(_FLEX), name, inner)
        found = [each for each in inner.found if each.kind is HazardKind.GRAPH_OPERATION]
        for each in found:
            self.hazards.add(each.kind, name, each.message, at, each.confidence)
        return bool(found)

    def read_buffers(self) -> None:
        for buffer in self.root.tables(4, TENSOR_COUNT, "buffers"):
            start, length = buffer.vector(0, 1)
            offset, size = buffer.integer(1, "Q"), buffer.integer(2, "Q")
            if offset > 1 and size:  # beyond 2 GB buffers lie behind the FlatBuffers part
                start, length = offset, size
                if offset + size > self.file.size:
                    self.defects.add(f"a buffer of {size} bytes leaves the file", buffer.at, Reason.TRUNCATED)
                    start, length = 0, 0
            self.buffers.append((start, length))

    def read_tensors(self) -> None:
        for index, graph in enumerate(self.root.tables(2, SUBGRAPH_COUNT, "subgraphs")):
            scope = f"{index}/" if index else ""
            for tensor in graph.tables(0, TENSOR_COUNT, "tensors"):
                self._tensor(tensor, scope)

    def _tensor(self, table: _Table, scope: str) -> None:
        number = table.integer(2, "I")
        if number >= len(self.buffers):
            self.defects.add(f"a tensor of buffer {number}, which does not exist", table.at)
            return
        start, length = self.buffers[number]
        if not length or number in self.used:
            return
        self.used.add(number)
        name, shape = scope + table.text(3), self._shape(table)
        code = table.integer(1, "b")
        dtype = _DTYPES[code] if 0 <= code < len(_DTYPES) else f"type {code}"
        elements = 1
        for size in shape:
            elements *= size
        layout = Layout.RAW if byte_length(dtype, elements) == length else Layout.PACKED
        self.tensors.append(
            Tensor(name=name, dtype=dtype, shape=shape, offset=start, length=length, layout=layout)
        )

    def _shape(self, table: _Table) -> tuple[int, ...]:
        at, count = table.vector(0, 4)
        if count > TENSOR_RANK:
            raise over_limit(f"a tensor has {count} dimensions, at most {TENSOR_RANK} are read", at)
        shape = struct.unpack(f"<{count}i", self.file.bytes_at(at, 4 * count))
        if any(size < 0 for size in shape):
            raise malformed("a tensor has a negative size", at)
        return shape

    def statements(self) -> Iterator[Statement]:
        if description := self.root.text(3, STRING_CHARS):
            yield Statement(attribute=Attribute.DESCRIPTION, value=description, pointer="description")
        for entry in self.root.tables(6, METADATA_COUNT, "entries of metadata"):
            number = entry.integer(1, "I")
            if entry.text(0) == "min_runtime_version" and number < len(self.buffers):
                start, length = self.buffers[number]
                version = self.file.bytes_at(start, min(length, 16)).rstrip(b"\0").decode("ascii", "replace")
                yield Statement(
                    attribute=Attribute.RUNTIME_DEPENDENCY,
                    value="tensorflow-lite",
                    pointer="metadata/min_runtime_version",
                    details=(("version", version),),
                )


def read(probe: Probe) -> Facts:
    """Custom operators, constant tensors, description. Raises `UnreadableError`."""
    file = _File(probe.reader)
    model = _Model(file, _Table(file, file.follow(0)))
    if not model.root.vector(2, 4)[1]:
        raise malformed("there is no graph")
    model.read_operators()
    statements: tuple[Statement, ...] = ()
    try:
        model.read_buffers()
        model.read_tensors()
        statements = tuple(model.statements())
    except UnreadableError as error:  # the operators are known: they matter more
        model.defects.caught("the tensors are not all read", error)
    custom = any(hazard.kind is HazardKind.CUSTOM_OPERATOR for hazard in model.hazards.found)
    return Facts(
        format="tflite",
        kind=FileKind.WEIGHTS,
        version=str(model.root.integer(0, "I")),
        tensors=_apart(model),
        statements=statements,
        hazards=tuple(model.hazards.found),
        capabilities=frozenset((Capability.CUSTOM_OPERATORS,) if custom else ()),
        defects=tuple(model.defects.found),
    )


def _apart(model: _Model) -> tuple[Tensor, ...]:
    """Buffers that share bytes with others are told once."""
    kept, position = [], 0
    for tensor in sorted(model.tensors, key=lambda each: (each.offset, each.length, each.name)):
        if tensor.offset < position:
            model.defects.add(f"tensor {tensor.name[:80]!r} overlaps another one", tensor.offset)
            continue
        kept.append(tensor)
        position = tensor.offset + tensor.length
    return tuple(kept)


FORMAT = Format(
    name="tflite",
    title="TensorFlow Lite",
    kind=FileKind.WEIGHTS,
    suffixes=(".tflite",),
    recognise=recognise,
    read=read,
)
