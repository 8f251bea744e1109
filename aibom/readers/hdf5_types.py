"""HDF5 dataspaces and datatypes, told in safetensors' spelling.

Format: HDF5 File Format Specification 3.0, sections IV.A.2.b (dataspace) and IV.A.2.d (datatype).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import TENSOR_RANK
from aibom.readers.hdf5_file import DATATYPE, FLAG_SHARED, Fields, File, Message, messages

_DEPTH = 8  # arrays of enums of integers are three
_INTEGERS: Final = {1: "8", 2: "16", 4: "32", 8: "64"}
# Bytes, bits of the exponent, bits of the mantissa.
_FLOATS: Final = {(2, 5, 10): "F16", (2, 8, 7): "BF16", (4, 8, 23): "F32", (8, 11, 52): "F64"}


class Kind(Enum):
    """What the bytes of an element are."""

    NUMBER = auto()
    STRING = auto()  # of fixed length
    VARIABLE_STRING = auto()  # a reference into a global heap
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Datatype:
    """One element: its name, its size in bytes, and the axes it adds to the shape."""

    name: str
    size: int
    kind: Kind = Kind.OTHER
    big_endian: bool = False
    shape: tuple[int, ...] = ()


def read_dataspace(fields: Fields) -> tuple[int, ...]:
    """The shape; that of a null dataspace is (0,). Raises malformed, limit or unsupported."""
    at = fields.position
    version, rank, _ = fields.u8(), fields.u8(), fields.u8()
    if version not in (1, 2):
        raise unsupported(f"dataspace of version {version}", at)
    kind = fields.u8()
    fields.skip(4 if version == 1 else 0)
    if rank > TENSOR_RANK:
        raise over_limit(f"dataspace of {rank} dimensions, at most {TENSOR_RANK} are read", at)
    if version == 2 and kind == 2:
        return (0,)
    return tuple(fields.length() for _ in range(rank))


def datatype_of(file: File, message: Message) -> Datatype:
    """The datatype of a message, which may refer to a committed one."""
    fields = file.body(message)
    return shared_datatype(file, fields) if message.flags & FLAG_SHARED else read_datatype(fields)


def shared_datatype(file: File, fields: Fields) -> Datatype:
    """The datatype that a shared message refers to, by the object header that holds it."""
    at = fields.position
    version, kind = fields.u8(), fields.u8()
    if version not in (1, 2, 3) or (version == 3 and kind != 2):
        raise unsupported("a datatype in the shared message heap", at)
    fields.skip(6 if version == 1 else 0)
    address = fields.address()
    if address is None:
        raise malformed("a shared datatype at no address", at)
    for message in messages(file, address):
        if message.kind == DATATYPE and not message.flags & FLAG_SHARED:
            return read_datatype(file.body(message))
    raise malformed("a shared datatype is not there", at)


def read_datatype(fields: Fields, depth: int = _DEPTH) -> Datatype:
    """The datatype at the cursor; classes that hold no plain numbers or text are 'unknown'."""
    at = fields.position
    if depth == 0:
        raise over_limit(f"datatype nested deeper than {_DEPTH} levels", at)
    first, bits, size = fields.u8(), fields.natural(3), fields.u32()
    version, kind = first >> 4, first & 0x0F
    unknown = Datatype("unknown", size)
    match kind:
        case 0:
            return _integer(fields, bits, size) or unknown
        case 1:
            return _float(fields, bits, size) or unknown
        case 3:
            return Datatype("string", size, Kind.STRING)
        case 8:
            return _enumeration(fields, version, bits & 0xFFFF, depth)
        case 9 if bits & 0x0F == 1:
            return Datatype("vlen-string", size, Kind.VARIABLE_STRING)
        case 10:
            return _array(fields, version, depth)
        case _:
            return unknown


def _integer(fields: Fields, bits: int, size: int) -> Datatype | None:
    offset, precision = fields.u16(), fields.u16()
    if size not in _INTEGERS or offset or precision != 8 * size:
        return None
    name = ("I" if bits & 0x08 else "U") + _INTEGERS[size]
    return Datatype(name, size, Kind.NUMBER, bool(bits & 1) and size > 1)


def _float(fields: Fields, bits: int, size: int) -> Datatype | None:
    offset, precision = fields.u16(), fields.u16()
    _, exponent, _, mantissa = fields.take(4)
    fields.skip(4)  # the exponent's bias
    name = _FLOATS.get((size, exponent, mantissa))
    # Both order bits together are VAX.
    if name is None or offset or precision != 8 * size or bits & 0x40:
        return None
    return Datatype(name, size, Kind.NUMBER, bool(bits & 1))


def _enumeration(fields: Fields, version: int, count: int, depth: int) -> Datatype:
    """An enumeration is its integers, but {FALSE, TRUE} of one byte is how h5py writes booleans."""
    integers = read_datatype(fields, depth - 1)
    if count == 2 and integers.size == 1:
        names = [_name(fields, padded=version < 3) for _ in range(count)]
        if names == [b"FALSE", b"TRUE"] and fields.take(2) == b"\0\1":
            return replace(integers, name="BOOL")
    return integers


def _name(fields: Fields, *, padded: bool) -> bytes:
    name = bytearray()
    while byte := fields.u8():
        name.append(byte)
    if padded:
        fields.skip(-(len(name) + 1) % 8)
    return bytes(name)


def _array(fields: Fields, version: int, depth: int) -> Datatype:
    at = fields.position
    rank = fields.u8()
    if rank > TENSOR_RANK:
        raise over_limit(f"array type of {rank} dimensions, at most {TENSOR_RANK} are read", at)
    fields.skip(3 if version < 3 else 0)
    shape = tuple(fields.u32() for _ in range(rank))
    fields.skip(4 * rank if version < 3 else 0)
    element = read_datatype(fields, depth - 1)
    return replace(element, shape=shape + element.shape)
