"""safetensors: an 8-byte length, a JSON header, then the tensors without holes.

Format: github.com/huggingface/safetensors, README "Format". The checks are those of its
reference parser (`SafeTensors::read_metadata`): the ranges must cover the rest of the file
exactly, so that no byte can hide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import attrgetter

from aibom.domain.dtypes import BITS
from aibom.domain.errors import Reason, malformed, over_limit, truncated
from aibom.domain.facts import Attribute, Defect, Facts, FileKind, Span, Statement, Tensor
from aibom.domain.limits import (
    METADATA_COUNT,
    SAFETENSORS_HEADER_BYTES,
    TENSOR_COUNT,
    TENSOR_RANK,
)
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import json
from aibom.readers.json import Json
from aibom.readers.ranges import Cursor

_LENGTH_BYTES = 8


def recognise(probe: Probe) -> Match:
    """By content: a plausible length in front of an opening brace."""
    if len(probe.head) > _LENGTH_BYTES and probe.head[_LENGTH_BYTES : _LENGTH_BYTES + 2] in (
        b'{"',
        b"{}",
        b"{ ",
    ):
        length = int.from_bytes(probe.head[:_LENGTH_BYTES], "little")
        if 2 <= length <= min(SAFETENSORS_HEADER_BYTES, probe.size - _LENGTH_BYTES):
            return Match.CONTENT
    return Match.NAME if probe.named(".safetensors") else Match.NO


def read(probe: Probe) -> Facts:
    """The tensors and metadata of the header. Raises `UnreadableError`."""
    length = _header_length(probe)
    body = _LENGTH_BYTES + length
    header = json.parse(
        probe.reader.read_at(_LENGTH_BYTES, length), offset=_LENGTH_BYTES, values=TENSOR_COUNT * 12
    )
    if not isinstance(header, dict):
        raise malformed("the header is not a JSON object", _LENGTH_BYTES)
    metadata = _metadata(header.pop("__metadata__", None))
    if len(header) > TENSOR_COUNT:
        raise over_limit(f"{len(header)} tensors, at most {TENSOR_COUNT} are read", _LENGTH_BYTES)
    tensors = sorted(
        (_tensor(name, info, body) for name, info in header.items()), key=attrgetter("offset", "length")
    )
    defects = _check_coverage(tensors, body, probe.size)
    return Facts(
        format="safetensors",
        kind=FileKind.WEIGHTS,
        tensors=tuple(tensors),
        covered=(Span(start=0, end=body),),
        metadata=metadata,
        statements=tuple(_statements(metadata)),
        indexed=True,
        defects=defects,
    )


def _header_length(probe: Probe) -> int:
    length = Cursor(probe.reader).u64()
    if length > SAFETENSORS_HEADER_BYTES:
        raise over_limit(f"the header claims {length} bytes, the format allows {SAFETENSORS_HEADER_BYTES}", 0)
    if length > probe.size - _LENGTH_BYTES:
        raise truncated(
            f"the header claims {length} bytes, the file has {probe.size - _LENGTH_BYTES} after it", 0
        )
    return length


def _metadata(value: Json) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise malformed("__metadata__ is not an object", _LENGTH_BYTES)
    if len(value) > METADATA_COUNT:
        raise over_limit(f"{len(value)} metadata entries, at most {METADATA_COUNT} are read", _LENGTH_BYTES)
    pairs = []
    for key, text in value.items():
        if not isinstance(text, str):
            raise malformed(f"metadata {key[:80]!r} is not a string", _LENGTH_BYTES)
        pairs.append((capped(key, 256), capped(text)))
    return tuple(pairs)


def _statements(metadata: tuple[tuple[str, str], ...]) -> Iterator[Statement]:
    """What writers agree on: `format` is the framework (transformers), modelspec.* (Stability)."""
    known = {
        "format": Attribute.TRAINING_FRAMEWORK,
        "modelspec.title": Attribute.NAME,
        "modelspec.author": Attribute.AUTHOR,
        "modelspec.architecture": Attribute.ARCHITECTURE,
        "modelspec.license": Attribute.LICENCE,
        "modelspec.description": Attribute.DESCRIPTION,
        "base_model": Attribute.BASE_MODEL,
    }
    for key, value in metadata:
        if key in known:
            yield Statement(attribute=known[key], value=value, pointer=f"/__metadata__/{key}")


def _tensor(name: str, info: Json, body: int) -> Tensor:
    label = f"tensor {name[:80]!r}"
    if not isinstance(info, dict):
        raise malformed(f"{label} is not described by an object", _LENGTH_BYTES)
    dtype = json.text(info.get("dtype"))
    shape = json.naturals(info.get("shape"))
    offsets = json.naturals(info.get("data_offsets"))
    if dtype is None or shape is None or len(shape) > TENSOR_RANK:
        raise malformed(f"{label} lacks a dtype or a possible shape", _LENGTH_BYTES)
    if dtype not in BITS:
        raise malformed(f"{label} has the unknown dtype {dtype[:40]!r}", _LENGTH_BYTES)
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise malformed(f"{label} has impossible data_offsets", _LENGTH_BYTES)
    start, end = offsets
    if math.prod(shape) * BITS[dtype] != 8 * (end - start):
        raise malformed(f"{label}: {dtype} {list(shape)} does not fill {end - start} bytes", body + start)
    return Tensor(name=capped(name), dtype=dtype, shape=shape, offset=body + start, length=end - start)


def _check_coverage(tensors: list[Tensor], body: int, size: int) -> tuple[Defect, ...]:
    """Raises on overlap and truncation; bytes that no tensor covers are defects, not an end."""
    defects = []
    position = body
    for tensor in tensors:
        if tensor.offset < position:
            raise malformed(f"tensor {tensor.name[:80]!r} overlaps the one before it", tensor.offset)
        if tensor.offset > position:
            defects.append(_hole(position, tensor.offset))
        position = tensor.offset + tensor.length
    if position > size:
        raise truncated(f"the tensors end at byte {position}, the file at {size}", size)
    if position < size:
        defects.append(_hole(position, size))
    return tuple(defects)


def _hole(start: int, end: int) -> Defect:
    return Defect(reason=Reason.MALFORMED, message=f"{end - start} bytes belong to no tensor", offset=start)


FORMAT = Format(
    name="safetensors",
    title="safetensors",
    kind=FileKind.WEIGHTS,
    suffixes=(".safetensors",),
    recognise=recognise,
    read=read,
)
