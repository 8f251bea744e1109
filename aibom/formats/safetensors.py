"""safetensors: an 8-byte length, a JSON header, then the tensors without holes.

Format: github.com/huggingface/safetensors, README "Format". The checks are those of its
reference parser (`SafeTensors::read_metadata`), which refuses a file for any of them. Other readers
do not, so whatever makes the two see different tensors is a hazard, and the rest a defect.
"""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Iterator
from itertools import accumulate, islice
from operator import attrgetter, mul
from typing import Final

from aibom.domain.dtypes import BITS
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated
from aibom.domain.facts import Attribute, Facts, FileKind, Span, Statement, Tensor
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import (
    METADATA_COUNT,
    SAFETENSORS_HEADER_BYTES,
    TENSOR_COUNT,
    TENSOR_RANK,
)
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import json, json_members
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json
from aibom.readers.ranges import Cursor

_LENGTH_BYTES = 8
_DTYPES: Final = BITS.keys() - {"C128"}  # which NumPy has and the format has not
# Python and JavaScript read these in JSON, the reference parser does not. Possessive: one pass.
_MINUS = re.compile(rb'(?:[^"-]++|"(?:[^"\\]++|\\.)*+")*+-', re.DOTALL)
_DIALECT = re.compile(rb"\\u[dD]|NaN|Infinity|[0-9][eE]")


def recognise(probe: Probe) -> Match:
    """By content: a plausible length in front of an opening brace."""
    start = probe.head[_LENGTH_BYTES : _LENGTH_BYTES + 2]
    if start[:1] == b"{" and start[1:] in (b'"', b"}", b" ", b"\n", b"\r", b"\t"):
        length = int.from_bytes(probe.head[:_LENGTH_BYTES], "little")
        if 2 <= length <= min(SAFETENSORS_HEADER_BYTES, probe.size - _LENGTH_BYTES):
            return Match.CONTENT
    return Match.NAME if probe.named(".safetensors") else Match.NO


def read(probe: Probe) -> Facts:
    """The tensors and metadata of the header. Raises `UnreadableError`."""
    length = _header_length(probe)
    body = _LENGTH_BYTES + length
    hazards, defects = Hazards(), Defects()
    header = _header(probe.reader.read_at(_LENGTH_BYTES, length), hazards, defects)
    metadata = _metadata(header.pop("__metadata__", None), defects)
    if len(header) > TENSOR_COUNT:
        raise over_limit(f"{len(header)} tensors, at most {TENSOR_COUNT} are read", _LENGTH_BYTES)
    tensors = _tensors(header, body, hazards, defects)
    _check_coverage(tensors, body, probe.size, hazards, defects)
    return Facts(
        format="safetensors",
        kind=FileKind.WEIGHTS,
        tensors=tuple(tensors),
        covered=(Span(start=0, end=body),),
        metadata=metadata,
        statements=tuple(_statements(metadata)),
        hazards=tuple(hazards.found),
        indexed=True,
        defects=tuple(defects.found),
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


def _header(data: bytes, hazards: Hazards, defects: Defects) -> dict[str, Json]:
    """The header as other readers see it: of equal keys the last, in any dialect of JSON."""
    try:
        header = json.parse(data, offset=_LENGTH_BYTES, values=TENSOR_COUNT * 12)
    except UnreadableError as error:
        again = _last_of_equals(data, hazards) if error.reason is Reason.MALFORMED else None
        if again is None:
            raise
        header = again
    if not isinstance(header, dict):
        raise malformed("the header is not a JSON object", _LENGTH_BYTES)
    if not data.startswith(b"{"):
        defects.add("the header does not begin with a brace", _LENGTH_BYTES)
    if _MINUS.match(data) or (_DIALECT.search(data) and not _is_strict(header)):
        defects.add("the header holds numbers or text that JSON does not have", _LENGTH_BYTES)
    return header


def _last_of_equals(data: bytes, hazards: Hazards) -> dict[str, Json] | None:
    """Header and entries member by member; None when more is wrong than a key that is there twice."""
    header: dict[str, Json] = {}
    try:
        for key, member in _members(data, 0, hazards):
            header[key] = _entry(data, member, hazards)
    except UnreadableError:
        return None
    return header


def _entry(data: bytes, member: json_members.Member, hazards: Hazards) -> Json:
    text = data[member.start : member.end]
    try:
        return json.parse(text)
    except UnreadableError:
        if not text.startswith(b"{"):
            raise
    inner = _members(text, member.start, hazards)
    return {key: json.parse(text[each.start : each.end]) for key, each in inner}


def _members(data: bytes, start: int, hazards: Hazards) -> Iterator[tuple[str, json_members.Member]]:
    seen: set[str] = set()
    for member in json_members.members(data):
        key = member.key
        if key in seen:
            message = f"the key {key[:80]!r} is there twice, readers differ in which one counts"
            offset = _LENGTH_BYTES + start + member.start
            hazards.add(HazardKind.AMBIGUOUS_HEADER, "duplicate-key", message, offset)
        seen.add(key)
        yield key, member


def _is_strict(value: Json) -> bool:
    """False for lone surrogates and for numbers that are not finite."""
    try:
        standard_json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True


def _metadata(value: Json, defects: Defects) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        defects.add("__metadata__ is not an object", _LENGTH_BYTES)
        return ()
    if len(value) > METADATA_COUNT:
        message = f"{len(value)} metadata entries, at most {METADATA_COUNT} are read"
        defects.add(message, _LENGTH_BYTES, Reason.LIMIT)
    pairs = []
    for key, text in islice(value.items(), METADATA_COUNT):
        if isinstance(text, str):
            pairs.append((capped(key, 256), capped(text)))
        else:
            defects.add(f"metadata {key[:80]!r} is not a string", _LENGTH_BYTES)
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


def _tensors(header: dict[str, Json], body: int, hazards: Hazards, defects: Defects) -> list[Tensor]:
    """The tensors in order of offset; an entry that cannot be one is a defect."""
    tensors = []
    for name, info in header.items():
        try:
            tensors.append(_tensor(name, info, body, hazards, defects))
        except UnreadableError as error:
            defects.add(error.message, error.offset, error.reason)
    return sorted(tensors, key=attrgetter("offset", "length"))


def _tensor(name: str, info: Json, body: int, hazards: Hazards, defects: Defects) -> Tensor:
    label = f"tensor {name[:80]!r}"
    if not isinstance(info, dict):
        raise malformed(f"{label} is not described by an object", _LENGTH_BYTES)
    dtype = json.text(info.get("dtype"))
    shape = json.naturals(info.get("shape"))
    offsets = json.naturals(info.get("data_offsets"))
    if dtype is None or shape is None or len(shape) > TENSOR_RANK:
        raise malformed(f"{label} lacks a dtype or a possible shape", _LENGTH_BYTES)
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise malformed(f"{label} has impossible data_offsets", _LENGTH_BYTES)
    start, end = offsets
    if not _fills(dtype, shape, end - start):
        message = f"{label}: {dtype[:40]} {list(shape)} does not fill {end - start} bytes"
        hazards.add(HazardKind.AMBIGUOUS_HEADER, "size-mismatch", message, body + start)
        raise malformed(message, body + start)
    if dtype not in _DTYPES:
        message = f"{label} has the unknown dtype {dtype[:40]!r}"
        defects.add(message, body + start, Reason.UNSUPPORTED)
    return Tensor(
        name=capped(name), dtype=capped(dtype, 40), shape=shape, offset=body + start, length=end - start
    )


def _fills(dtype: str, shape: tuple[int, ...], length: int) -> bool:
    """In 64-bit arithmetic; of an unknown dtype, whether an element can have a bit."""
    products = (1, *accumulate(shape, mul))
    bits, room = products[-1] * BITS.get(dtype, 1), 8 * length
    return max(products) < 2**64 and (bits == room or (dtype not in _DTYPES and bits <= room))


def _check_coverage(tensors: list[Tensor], body: int, size: int, hazards: Hazards, defects: Defects) -> None:
    """Tells overlaps and holes, and drops tensors that end behind the file."""
    end = max((tensor.offset + tensor.length for tensor in tensors), default=body)
    if end > size:
        defects.add(f"the tensors end at byte {end}, the file at {size}", size, Reason.TRUNCATED)
        tensors[:] = [tensor for tensor in tensors if tensor.offset + tensor.length <= size]
    position = body
    for tensor in tensors:
        if tensor.offset < position:
            message = f"tensor {tensor.name[:80]!r} overlaps the one before it"
            hazards.add(HazardKind.AMBIGUOUS_HEADER, "overlap", message, tensor.offset)
        elif tensor.offset > position:
            _hole(position, tensor.offset, defects)
        position = max(position, tensor.offset + tensor.length)
    if position < size:
        _hole(position, size, defects)


def _hole(start: int, end: int, defects: Defects) -> None:
    defects.add(f"{end - start} bytes belong to no tensor", start)


FORMAT = Format(
    name="safetensors",
    title="safetensors",
    kind=FileKind.WEIGHTS,
    suffixes=(".safetensors",),
    recognise=recognise,
    read=read,
)
