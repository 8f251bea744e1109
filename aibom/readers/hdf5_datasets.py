"""HDF5 datasets: element type, shape, and where the bytes are.

Format: HDF5 File Format Specification 3.0, sections IV.A.2.h (external data files) and IV.A.2.i
(data layout, versions 1 to 4; version 5 differs for chunks only).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from aibom.domain.errors import malformed, truncated, unsupported
from aibom.domain.facts import Layout
from aibom.readers.hdf5_file import (
    DATA_LAYOUT,
    DATASPACE,
    DATATYPE,
    EXTERNAL_FILES,
    FLAG_SHARED,
    Fields,
    File,
    Message,
)
from aibom.readers.hdf5_groups import local_heap, name_at
from aibom.readers.hdf5_types import Datatype, Kind, datatype_of, read_dataspace

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of another file that holds data of a dataset."""

    path: str  # as written
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One array; offset and length are bytes of the file, 0 unless the data is in one piece here."""

    path: str  # without the leading slash
    dtype: str  # safetensors' spelling, 'string', 'vlen-string' or 'unknown'
    shape: tuple[int, ...]
    offset: int
    length: int
    layout: Layout  # chunked also when never written, external also when virtual
    files: tuple[Piece, ...] = ()


def read_dataset(file: File, path: str, header: list[Message]) -> Dataset | None:
    """The dataset with these messages; None for a group. Raises `UnreadableError`."""
    found = _parts(header)
    if DATA_LAYOUT not in found:
        return None
    if DATATYPE not in found or DATASPACE not in found:
        raise malformed("a dataset lacks a type or a shape", found[DATA_LAYOUT].start)
    datatype = datatype_of(file, found[DATATYPE])
    shape = read_dataspace(file.body(found[DATASPACE])) + datatype.shape
    if EXTERNAL_FILES in found:
        files = tuple(_pieces(file, file.body(found[EXTERNAL_FILES])))
        layout, offset, length = Layout.EXTERNAL, 0, 0
    else:
        files = ()
        layout, offset, length = _place(file, file.body(found[DATA_LAYOUT]), math.prod(shape) * datatype.size)
    if layout is Layout.RAW:
        layout = _element_layout(datatype)
    return Dataset(
        path=path, dtype=datatype.name, shape=shape, offset=offset, length=length, layout=layout, files=files
    )


def _parts(header: list[Message]) -> dict[int, Message]:
    """The messages that describe a dataset; raises when one is there twice, or elsewhere."""
    found: dict[int, Message] = {}
    for message in header:
        if message.kind not in (DATASPACE, DATATYPE, EXTERNAL_FILES, DATA_LAYOUT):
            continue
        if message.kind in found:
            raise malformed("an object header says the same thing twice", message.start)
        if message.kind != DATATYPE and message.flags & FLAG_SHARED:
            raise unsupported("a part of a dataset in the shared message heap", message.start)
        found[message.kind] = message
    return found


def _element_layout(datatype: Datatype) -> Layout:
    if datatype.kind not in (Kind.NUMBER, Kind.STRING):
        return Layout.PACKED
    return Layout.BIG_ENDIAN if datatype.big_endian else Layout.RAW


def _place(file: File, fields: Fields, needed: int) -> tuple[Layout, int, int]:
    """Layout, absolute offset and bytes of a dataset's data."""
    at = fields.position
    version = fields.u8()
    if version not in (1, 2, 3, 4, 5):
        raise unsupported(f"data layout of version {version}", at)
    rank = fields.u8() if version < 3 else 0
    kind = fields.u8()
    fields.skip(5 if version < 3 else 0)
    if kind == _VIRTUAL:
        return Layout.EXTERNAL, 0, 0
    if kind == _CHUNKED:
        return Layout.CHUNKED, 0, 0
    if kind == _COMPACT:
        fields.skip(4 * rank)
        length = fields.u32() if version < 3 else fields.u16()
        return _inside(file, fields.position, length, needed)
    if kind != _CONTIGUOUS:
        raise malformed(f"data layout of class {kind}", at)
    address = fields.address()
    length = needed if version < 3 else fields.length()
    if address is not None:
        return _inside(file, file.base + address, length, needed)
    # Space is reserved late: what was never written has no address.
    return (Layout.CHUNKED if needed else Layout.RAW), 0, 0


def _inside(file: File, offset: int, length: int, needed: int) -> tuple[Layout, int, int]:
    if length < needed:
        raise malformed(f"{length} bytes of data, type and shape need {needed}", offset)
    if offset + needed > file.reader.size:
        raise truncated(f"the data ends at byte {offset + needed}, the file at {file.reader.size}", offset)
    return Layout.RAW, offset, needed


def _pieces(file: File, fields: Fields) -> Iterator[Piece]:
    """The slots of an external file list."""
    fields.skip(6)
    count = fields.u16()
    names = local_heap(file, fields.address())
    for _ in range(count):
        file.step()
        start, offset, length = fields.length(), fields.length(), fields.length()
        yield Piece(name_at(names, start, fields.position), offset, length)
