"""The messages of onnx.proto as far as they are read, and how a `TensorProto` says where its data is.

Source: github.com/onnx/onnx, onnx/onnx.proto and docs/ExternalData.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.dtypes import BITS
from aibom.domain.errors import Reason, over_limit
from aibom.domain.facts import Defect, External, Layout, Tensor
from aibom.domain.text import capped
from aibom.readers.protobuf import I32, I64, LEN, VARINT, Field, Walker

NAME_BYTES: Final = 256
DIMENSION_COUNT: Final = 16  # per tensor
LOCATION_BYTES: Final = 1_024
LOCATION_COUNT: Final = 10_000
DEFECT_COUNT: Final = 100

# `TensorProto.DataType`: safetensors' spelling where one exists, else ONNX's.
DTYPES: Final = {
    1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 8: "STRING", 9: "BOOL",
    10: "F16", 11: "F64", 12: "U32", 13: "U64", 14: "C64", 15: "C128", 16: "BF16",
    17: "F8_E4M3", 18: "F8_E4M3FNUZ", 19: "F8_E5M2", 20: "F8_E5M2FNUZ",
    21: "UINT4", 22: "INT4", 23: "F4", 24: "F8_E8M0", 25: "UINT2", 26: "INT2",
    27: "F6_E2M3", 28: "F6_E3M2",
}  # fmt: skip
_SUB_BYTE: Final = {"UINT4": 4, "INT4": 4, "UINT2": 2, "INT2": 2}


def _tags(*numbers: int, wire: int) -> frozenset[int]:
    return frozenset(number << 3 | wire for number in numbers)


# The fields that each message defines, as tags. A field of another wire type is not the field.
MODEL: Final = _tags(1, 5, wire=VARINT) | _tags(2, 3, 4, 6, 7, 8, 14, 20, 25, 26, wire=LEN)
GRAPH: Final = _tags(1, 2, 5, 10, 11, 12, 13, 14, 15, 16, wire=LEN)
NODE: Final = _tags(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, wire=LEN)
FUNCTION: Final = _tags(1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, wire=LEN) | _tags(2, 3, wire=VARINT)
ATTRIBUTE: Final = (
    _tags(1, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 21, 22, 23, wire=LEN)
    | _tags(3, 8, 20, wire=VARINT)
    | _tags(2, 7, wire=I32)
)
TENSOR: Final = (
    _tags(1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, wire=LEN)
    | _tags(1, 2, 5, 7, 11, 14, wire=VARINT)
    | _tags(4, wire=I32)
    | _tags(10, wire=I64)
)

_PACKED = (4, 5, 6, 7, 10, 11)  # float_data, int32_data, string_data, int64_data, double_data, uint64_data
_NATURAL = re.compile(r"[0-9]{1,18}\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # of a URL, or a drive letter
_SEPARATOR = re.compile(r"[/\\]")
_UP = re.compile(r" *\.\.[. ]*\Z")  # Windows drops dots and spaces at the end of a step
_MEMORY = "*/_ORT_MEM_ADDR_/"  # ONNX Runtime takes the offset for an address in its own memory


class Defects(list[Defect]):
    """Defects in the order found; a hostile file gets no more than `DEFECT_COUNT` of them."""

    def add(self, reason: Reason, message: str, offset: int | None = None) -> None:
        if len(self) < DEFECT_COUNT:
            self.append(Defect(reason=reason, message=message, offset=offset))
        elif len(self) == DEFECT_COUNT:
            self.append(Defect(reason=Reason.LIMIT, message="further defects are not listed"))


@dataclass(slots=True)
class _Parts:
    """The fields of one `TensorProto`; of a field given twice the last counts, as in protobuf."""

    dims: list[int] = field(default_factory=list)
    type: int = 0
    name: str = ""
    raw: Field | None = None
    packed: tuple[int, int] | None = None  # from the first typed value to the last
    external: bool = False
    entries: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tensors:
    """Reads tensors of one file and collects what is wrong with them."""

    walker: Walker
    defects: Defects
    locations: dict[str, str] = field(default_factory=dict)  # one string for many tensors
    uses_external: bool = False

    def read(
        self, message: Field, fields: Iterable[Field], scope: str, name: str
    ) -> Tensor | External | None:
        """The tensor of a message, in this file or another; None when it has no possible place.

        `name` is for a tensor without one; `scope` goes in front of the name.
        """
        parts = self._gather(fields)
        label = capped(scope + (parts.name or name), NAME_BYTES)
        dtype = DTYPES.get(parts.type)
        shape = tuple(parts.dims)
        if dtype is None or not _is_possible(shape):
            self._defect(label, f"has no possible type and shape (type {parts.type})", message.start)
            return None
        if parts.external:
            return self._external(parts, label, dtype, shape, message.start)
        return self._inside(parts, label, dtype, shape, message)

    def _gather(self, fields: Iterable[Field]) -> _Parts:
        parts = _Parts()
        for one in fields:
            if one.number == 1:
                parts.dims += self.walker.integers(one, DIMENSION_COUNT)
                if len(parts.dims) > DIMENSION_COUNT:
                    raise over_limit(f"a tensor has more than {DIMENSION_COUNT} dimensions", one.start)
            elif one.number == 2:
                parts.type = one.value
            elif one.number == 8:
                parts.name = self.walker.text(one, NAME_BYTES)
            elif one.number == 9:
                parts.raw = one
            elif one.number in _PACKED:
                parts.packed = (parts.packed[0] if parts.packed else one.start, one.end)
            elif one.number == 13:
                key, value, whole = entry(self.walker, one, LOCATION_BYTES)
                if key in {"location", "offset", "length"}:
                    parts.entries[key] = value if whole else ""
            elif one.number == 14:
                parts.external = one.value == 1
        return parts

    def _inside(
        self, parts: _Parts, label: str, dtype: str, shape: tuple[int, ...], message: Field
    ) -> Tensor | None:
        start, end, layout = message.end, message.end, Layout.RAW
        if parts.raw is not None:
            start, end = parts.raw.start, parts.raw.end
            if parts.packed is not None:
                self._defect(label, "has its data twice", message.start)
            if end - start != byte_length(dtype, math.prod(shape)):
                self._defect(label, f"{dtype} {list(shape)} does not fill {end - start} bytes", start)
                layout = Layout.PACKED
        elif parts.packed is not None:
            (start, end), layout = parts.packed, Layout.PACKED
        elif math.prod(shape):
            self._defect(label, "has no data", message.start)
            return None
        return Tensor(name=label, dtype=dtype, shape=shape, offset=start, length=end - start, layout=layout)

    def _external(
        self, parts: _Parts, label: str, dtype: str, shape: tuple[int, ...], at: int
    ) -> External | None:
        self.uses_external = True
        expected = byte_length(dtype, math.prod(shape))
        offset = _natural(parts.entries.get("offset", "0"))
        length = _natural(parts.entries["length"]) if "length" in parts.entries else expected
        location = self._location(parts.entries.get("location", ""), at)
        if location is None or offset is None or length is None:
            self._defect(label, "has no possible place in another file", at)
            return None
        layout = Layout.RAW
        if length != expected:
            self._defect(label, f"{dtype} {list(shape)} does not fill {length} bytes", at)
            layout = Layout.PACKED
        tensor = Tensor(name=label, dtype=dtype, shape=shape, offset=offset, length=length, layout=layout)
        return External(path=location, tensor=tensor)

    def _location(self, location: str, at: int) -> str | None:
        """The location as written; each that leads elsewhere is a defect, once."""
        if location in self.locations:
            return self.locations[location]
        if not location:
            return None
        if len(self.locations) == LOCATION_COUNT:
            raise over_limit(f"more than {LOCATION_COUNT} external data files", at)
        if leads_outside(location):
            message = f"external data at {location[:200]!r} lies outside of the model's folder"
            self.defects.add(Reason.OUTSIDE_TARGET, message, at)
        return self.locations.setdefault(location, location)

    def _defect(self, label: str, message: str, at: int) -> None:
        self.defects.add(Reason.MALFORMED, f"tensor {label[:80]!r} {message}", at)


def entry(walker: Walker, message: Field, limit: int) -> tuple[str, str, bool]:
    """Key and value of a `StringStringEntryProto`, and whether the value is whole: not over `limit` bytes."""
    key, value, whole = "", "", True
    for one in walker.inside(message):
        if one.number == 1 and one.wire == LEN:
            key = walker.text(one, NAME_BYTES)
        elif one.number == 2 and one.wire == LEN:
            value, whole = walker.text(one, limit), one.value <= limit
    return key, value, whole


def _is_possible(shape: tuple[int, ...]) -> bool:
    # A zero must not make room for other sizes that no tensor can have.
    return all(size >= 0 for size in shape) and math.prod(size or 1 for size in shape) < 2**63


def byte_length(dtype: str, elements: int) -> int | None:
    """How many bytes `raw_data` has; None for strings, which have no raw form."""
    bits = BITS.get(dtype) or _SUB_BYTE.get(dtype)
    return None if bits is None else (bits * elements + 7) // 8


def leads_outside(location: str) -> bool:
    """True for what is not a plain relative path, on any operating system."""
    steps = _SEPARATOR.split(location)
    up = any(map(_UP.match, steps))
    special = "\0" in location or location.startswith(_MEMORY) or _SCHEME.match(location) is not None
    return not steps[0] or up or special


def _natural(text: str) -> int | None:
    return int(text) if _NATURAL.match(text) else None


def value_info(walker: Walker, message: Field) -> tuple[str, str]:
    """Name and type of a graph input or output: `F32[1,batch,?]`, or the kind of another type."""
    name, shown = "", "unknown"
    for one in walker.inside(message):
        if one.number == 1 and one.wire == LEN:
            name = walker.text(one, NAME_BYTES)
        elif one.number == 2 and one.wire == LEN:
            shown = _type(walker, one)
    return name, shown


_TYPES = {4: "sequence", 5: "map", 7: "opaque", 8: "sparse tensor", 9: "optional"}


def _type(walker: Walker, message: Field) -> str:
    for one in walker.inside(message):
        if one.number == 1 and one.wire == LEN:
            return _tensor_type(walker, one)
        if one.number in _TYPES:
            return _TYPES[one.number]
    return "unknown"


def _tensor_type(walker: Walker, message: Field) -> str:
    dtype, shape = "unknown", ""
    for one in walker.inside(message):
        if one.number == 1 and one.wire == VARINT:
            dtype = DTYPES.get(one.value, f"type {one.value}")
        elif one.number == 2 and one.wire == LEN:
            shape = f"[{','.join(_sizes(walker, one))}]"
    return dtype + shape


def _sizes(walker: Walker, shape: Field) -> Iterator[str]:
    """The dimensions of a `TensorShapeProto`: a number, a name, or `?`."""
    for count, dimension in enumerate(walker.inside(shape)):
        if count == DIMENSION_COUNT:
            yield "…"
            return
        shown = "?"
        if dimension.number == 1 and dimension.wire == LEN:
            for one in walker.inside(dimension):
                if one.number == 1 and one.wire == VARINT:
                    shown = str(one.signed)
                elif one.number == 2 and one.wire == LEN:
                    shown = walker.text(one, 64)
        yield shown
