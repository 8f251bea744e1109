"""GGUF versions 2 and 3: typed key-value pairs, tensor descriptions, then aligned tensor data.

Format: github.com/ggml-org/ggml, docs/gguf.md "File Structure". Only padding to the alignment may
lie between tensors and after the last one, and it must be zero: elsewhere bytes could hide. Where
llama.cpp, the Python package and others would read different tensors or values, that is a hazard.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from aibom.domain.errors import Reason, malformed, over_limit, unsupported
from aibom.domain.facts import (
    Attribute,
    Capability,
    Facts,
    FileKind,
    Layout,
    Span,
    Statement,
    Tensor,
)
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, METADATA_COUNT, MIB, STRING_CHARS, TENSOR_COUNT
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._gguf import TYPES, Value, is_chat_template, statements
from aibom.formats._template import examine_template
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.ranges import Cursor

PAIR_COUNT: Final = 65_536  # walked; `METADATA_COUNT` of them are kept
KEPT_ITEM_COUNT: Final = 32  # of an array
KEY_BYTES: Final = 256  # kept of a key or an array element
TENSOR_NAME_BYTES: Final = 64  # the format's own bound; a longer name is cut
ARRAY_DEPTH: Final = 4
DIMENSION_COUNT: Final = 4  # per tensor; the format's own bound
PADDING_BYTES: Final = 64 * KIB  # read at once to see that it is zero
STRAY_BYTES: Final = 16  # of all padding, that may be set before it counts as a payload
TEMPLATE_BYTES: Final = 1 * MIB  # of a chat template that are examined

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = "general.alignment"
_DEFAULT_ALIGNMENT = 32
_FLOAT32, _STRING, _ARRAY = 6, 8, 9
_CODES: Final = {  # of the `struct` module
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip


class _Info(NamedTuple):
    """One tensor description, before it is known where the data section starts."""

    name: str
    shape: tuple[int, ...]  # row-major
    type: int
    offset: int  # from the start of the data section
    at: int  # where the description stands

    @property
    def label(self) -> str:
        return f"tensor {self.name[:80]!r}"


@dataclass(slots=True)
class _Notes:
    """What is wrong with the file, as far as it goes."""

    defects: Defects = field(default_factory=Defects)
    hazards: Hazards = field(default_factory=Hazards)
    stray: int = 0  # padding bytes that are not zero

    def ambiguous(self, found: str, message: str, offset: int | None = None) -> None:
        self.hazards.add(HazardKind.AMBIGUOUS_HEADER, found, message, offset)


class _Cursor(Cursor):
    """A cursor that takes the elements of arrays many at a time."""

    __slots__ = ()

    def scalars(self, kind: int, count: int) -> tuple[int | float | bool, ...]:
        code = f"{self._order}{count}{_CODES[kind]}"
        return struct.unpack(code, self.take(struct.calcsize(code)))

    def skip_strings(self, count: int) -> None:
        """Passes over strings block by block: vocabularies have hundreds of thousands."""
        order: Literal["big", "little"] = "big" if self._order == ">" else "little"
        while count:
            start, block, at = self.position, self.take(min(self.left, 64 * KIB)), 0
            while count and at + 8 <= len(block):
                at += 8 + int.from_bytes(block[at : at + 8], order)
                count -= 1
            self.position = start
            self.skip(max(at, 8))


def recognise(probe: Probe) -> Match:
    """By content: the magic."""
    if probe.head.startswith(_MAGIC):
        return Match.CONTENT
    return Match.NAME if probe.named(".gguf") else Match.NO


def read(probe: Probe) -> Facts:
    """The pairs and the tensors. Raises `UnreadableError`."""
    version, big_endian = _version(probe)
    cursor = _Cursor(probe.reader, 8, big_endian=big_endian)
    tensor_count, pair_count = cursor.u64(), cursor.u64()
    if tensor_count > TENSOR_COUNT:
        raise over_limit(f"{tensor_count} tensors, at most {TENSOR_COUNT} are read", 8)
    if pair_count > PAIR_COUNT:
        raise over_limit(f"{pair_count} key-value pairs, at most {PAIR_COUNT} are read", 16)
    notes = _Notes()
    pairs = _pairs(cursor, pair_count, notes)
    infos = [_info(cursor, notes) for _ in range(tensor_count)]
    _check_names(infos, notes)
    alignment = _alignment(pairs, notes)
    parameters = sum(math.prod(info.shape) for info in infos)
    raw = Layout.BIG_ENDIAN if big_endian else Layout.RAW
    data = _aligned(cursor.position, alignment)
    tensors = _tensors(infos, data, alignment, probe.size, raw, notes.defects)
    known = len(tensors) == tensor_count and all(t.layout is not Layout.PACKED for t in tensors)
    covered = _cover(tensors, cursor.position, alignment, probe.reader, notes, known=known)
    return Facts(
        format="gguf",
        kind=FileKind.WEIGHTS,
        version=str(version),
        tensors=tuple(tensors),
        covered=tuple(covered),
        statements=(
            *statements(pairs),
            Statement(attribute=Attribute.PARAMETER_COUNT, value=str(parameters)),
        ),
        metadata=tuple((key, value.text) for key, value in pairs.items()),
        capabilities=frozenset({Capability.CHAT_TEMPLATE} if any(map(is_chat_template, pairs)) else ()),
        hazards=tuple(notes.hazards.found),
        indexed=known,
        defects=tuple(notes.defects.found),
    )


def _version(probe: Probe) -> tuple[int, bool]:
    """The version and whether the file is big-endian, which only this word gives away."""
    word = Cursor(probe.reader).take(8)
    if not word.startswith(_MAGIC):
        raise malformed("does not start with GGUF", 0)
    version = int.from_bytes(word[4:], "little")
    swapped = version & 0xFFFF == 0
    if swapped:
        version = int.from_bytes(word[4:], "big")
    if version not in _VERSIONS or (swapped and version < 3):
        raise unsupported(f"GGUF version {version}{' (big-endian)' if swapped else ''}", 4)
    return version, swapped


def _pairs(cursor: _Cursor, count: int, notes: _Notes) -> dict[str, Value]:
    pairs: dict[str, Value] = {}
    for _ in range(count):
        start = cursor.position
        key = _string(cursor, KEY_BYTES)
        value = _value(cursor, key, notes)
        if key in pairs:
            _note_double(key, pairs[key] == value, notes, start)
        elif len(pairs) < METADATA_COUNT or key == _ALIGNMENT:
            pairs[key] = value
    if count > METADATA_COUNT:
        message = f"{count} key-value pairs, the first {METADATA_COUNT} are kept"
        notes.defects.add(message, 16, Reason.LIMIT)
    return pairs


def _note_double(key: str, equal: bool, notes: _Notes, start: int) -> None:
    message = f"key {key[:80]!r} is given twice"
    if equal:
        notes.defects.add(message, start)
    else:
        notes.ambiguous("duplicate-key", f"{message}, with different values", start)


def _string(cursor: _Cursor, keep: int = STRING_CHARS) -> str:
    length = cursor.u64()
    data = cursor.take(min(length, keep))
    cursor.skip(length - len(data))
    text = data.decode("utf-8", "backslashreplace")
    return text if len(data) == length else f"{text}… [{length - len(data)} more bytes]"


def _value(cursor: _Cursor, key: str, notes: _Notes) -> Value:
    kind = cursor.u32()
    if kind == _STRING:
        return _template(cursor, notes) if is_chat_template(key) else Value(text=_string(cursor))
    if kind == _ARRAY:
        return _array(cursor, KEPT_ITEM_COUNT)
    if kind not in _CODES:
        raise malformed(f"there is no value type {kind}", cursor.position - 4)
    (value,) = cursor.scalars(kind, 1)
    return Value(text=_shown(value, kind), number=value if type(value) is int else None)


def _template(cursor: _Cursor, notes: _Notes) -> Value:
    """A string with the digest of all its bytes, of which only the front is kept."""
    start = cursor.position
    text = _string(cursor)
    end, cursor.position = cursor.position, start + 8
    front = cursor.take(min(end - cursor.position, TEMPLATE_BYTES))
    digest = hashlib.sha256(front)
    if cursor.position < end:
        message = f"of a chat template the first {TEMPLATE_BYTES} bytes are examined"
        notes.defects.add(message, start, Reason.LIMIT)
    while cursor.position < end:
        digest.update(cursor.take(min(end - cursor.position, 64 * KIB)))
    notes.defects.extend(examine_template(front.decode("utf-8", "replace"), notes.hazards, start + 8))
    return Value(text=text, sha256=digest.hexdigest())


def _shown(value: float | bool, kind: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.7g}" if kind == _FLOAT32 else str(value)  # more digits would show noise


def _array(cursor: _Cursor, keep: int, depth: int = 1) -> Value:
    """The first `keep` elements and the count; the rest is passed over."""
    kind, count = cursor.u32(), cursor.u64()
    items: list[str] = []
    if kind == _STRING:
        items = [_string(cursor, KEY_BYTES) for _ in range(min(count, keep))]
        cursor.skip_strings(count - len(items))
    elif kind in _CODES:
        items = [_shown(value, kind) for value in cursor.scalars(kind, min(count, keep))]
        cursor.skip((count - len(items)) * struct.calcsize(f"={_CODES[kind]}"))
    elif kind != _ARRAY:
        raise malformed(f"there is no value type {kind}", cursor.position - 12)
    elif depth >= ARRAY_DEPTH:
        raise over_limit(f"arrays are nested deeper than {ARRAY_DEPTH} levels", cursor.position)
    else:
        for _ in range(count):  # ends with the file at the latest: an array has 12 bytes or more
            _array(cursor, 0, depth + 1)
    more = f", … {count} in all" if count > len(items) else ""
    text = capped(f"[{', '.join(items)}{more}]")
    return Value(text=text, items=tuple(items), count=count)


def _info(cursor: _Cursor, notes: _Notes) -> _Info:
    start = cursor.position
    name = _string(cursor, TENSOR_NAME_BYTES)
    if len(name.encode()) > TENSOR_NAME_BYTES:
        notes.defects.add(f"tensor name {name[:80]!r} is longer than 64 bytes", start)
    if "\0" in name:
        notes.ambiguous("name", f"the tensor name {name[:80]!r} ends early for readers in C", start)
    rank = cursor.u32()
    if rank > DIMENSION_COUNT:
        raise unsupported(f"tensor {name[:80]!r} has {rank} dimensions", start)
    shape = tuple([cursor.u64() for _ in range(rank)][::-1])
    if math.prod(shape) >= 2**63 or any(size >= 2**63 for size in shape):
        raise malformed(f"tensor {name[:80]!r} has an impossible shape", start)
    return _Info(name, shape, cursor.u32(), cursor.u64(), start)


def _check_names(infos: list[_Info], notes: _Notes) -> None:
    seen: set[str] = set()
    for info in infos:
        if info.name in seen:
            notes.ambiguous("duplicate-tensor", f"{info.label} is described twice", info.at)
        seen.add(info.name)


def _alignment(pairs: dict[str, Value], notes: _Notes) -> int:
    """Where no reader could use the value, the default; where some do, the value."""
    if (value := pairs.get(_ALIGNMENT)) is None:
        return _DEFAULT_ALIGNMENT
    number = value.number or 0
    if number <= 0 or number & (number - 1):
        notes.ambiguous("alignment", f"the alignment {value.text[:40]} is not a power of two")
    return number if number > 0 else _DEFAULT_ALIGNMENT


def _aligned(position: int, alignment: int) -> int:
    return position + -position % alignment


def _tensors(
    infos: list[_Info], data: int, alignment: int, size: int, raw: Layout, defects: Defects
) -> list[Tensor]:
    """The tensors in order of offset; one that does not lie inside the file is a defect instead."""
    tensors = []
    infos.reverse()
    while infos:
        info = infos.pop()  # so that both lists are never there in full
        dtype, length, layout = _extent(info, raw, defects)
        offset = data + info.offset
        if info.offset % alignment:
            defects.add(f"{info.label} is not aligned to {alignment} bytes", info.at)
        if offset + length > size:
            message = f"{info.label} ends at byte {offset + length}, the file at {size}"
            defects.add(message, info.at, Reason.TRUNCATED)
            continue
        tensors.append(
            Tensor(name=info.name, dtype=dtype, shape=info.shape, offset=offset, length=length, layout=layout)
        )
    return sorted(tensors, key=attrgetter("offset", "length"))


def _extent(info: _Info, raw: Layout, defects: Defects) -> tuple[str, int, Layout]:
    """Name, bytes and layout of the type; without a known block size there is no length."""
    if info.type not in TYPES:
        message = f"{info.label} has the type {info.type}, which was removed or is unknown"
        defects.add(message, info.at, Reason.UNSUPPORTED)
        return f"type {info.type}", 0, Layout.PACKED
    dtype, block, width = TYPES[info.type]
    row = info.shape[-1] if info.shape else 1
    if row % block:
        message = f"{info.label}: rows of {row} elements do not fill {dtype} blocks of {block}"
        defects.add(message, info.at)
        return dtype, 0, Layout.PACKED
    layout = Layout.RAW if width == 1 else raw  # a single byte has no order
    return dtype, math.prod(info.shape) // block * width, layout


def _cover(
    tensors: list[Tensor], header: int, alignment: int, reader: ByteReader, notes: _Notes, *, known: bool
) -> list[Span]:
    """The ranges of header and padding. Holes are judged only when all lengths are `known`."""
    covered = [Span(start=0, end=header)]
    position = header
    for tensor in tensors:
        if not tensor.length:
            continue
        if tensor.offset < position:
            notes.ambiguous(
                "overlap", f"tensor {tensor.name[:80]!r} overlaps the one before it", tensor.offset
            )
        elif known:
            covered += _gap(position, tensor.offset, alignment, reader, notes)
        position = max(position, tensor.offset + tensor.length)
    if known:
        covered += _gap(position, reader.size, alignment, reader, notes)
    return covered


def _gap(start: int, end: int, alignment: int, reader: ByteReader, notes: _Notes) -> Iterator[Span]:
    """The padding at the front of a gap; what is longer, or not zero, is a defect."""
    stop = min(end, _aligned(start, alignment))
    if stop - start > PADDING_BYTES:
        notes.defects.add(f"{stop - start} bytes of padding are not read", start, Reason.LIMIT)
    elif stray := stop - start - reader.read_at(start, stop - start).count(0):
        notes.defects.add(f"{stop - start} bytes of padding are not zero", start)
        notes.stray += stray
        if notes.stray > STRAY_BYTES:
            message = "the padding, which writers fill with zeros, holds data"
            notes.hazards.add(HazardKind.HIDDEN_PAYLOAD, "padding", message, start)
    elif start < stop:
        yield Span(start=start, end=stop)
    if end > stop:
        notes.defects.add(f"{end - stop} bytes belong to no tensor", stop)


FORMAT = Format(
    name="gguf",
    title="GGUF",
    kind=FileKind.WEIGHTS,
    suffixes=(".gguf",),
    recognise=recognise,
    read=read,
)
