"""Every pickle stream of a file, one after another: what they import, call and hide together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Defect, Import, Nested, Span, Tensor, Use
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.limits import KIB, MIB, TENSOR_COUNT
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped
from aibom.readers.defects import Defects
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_arrays import Array, Arrays
from aibom.readers.pickle_imports import Collected
from aibom.readers.pickle_nested import PROTOCOLS, STARTERS
from aibom.readers.pickle_paths import leaves
from aibom.readers.pickle_skim import skim
from aibom.readers.ranges import Memory

_STREAM_COUNT: Final = 1_000
_LIKELY_OPCODES: Final = 32  # so many in a row are no accident
_WHOLE_OPCODES: Final = 8  # the same, when STOP is the last of them
_PADDING: Final = b"\0\xff \t\r\n"
_PADDING_BYTES: Final = 64 * KIB
_SEARCH_BYTES: Final = 1 * MIB  # behind the last stream
_TRY_COUNT: Final = 64
_TRY_OPCODES: Final = 100_000
_TRY_KEPT_BYTES: Final = 1 * MIB
_SEARCH_OPCODES: Final = 1_000_000  # of all tries
_MARKED: Final = re.compile(rb"\x80[\x02-\x05][%b]" % re.escape(bytes(sorted(STARTERS))))
_NAME: Final = re.compile(r"[^\W\d][\w.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What all streams tell. Offsets are in bytes of the reader; `end` is behind the last stream."""

    imports: tuple[Import, ...]
    hazards: tuple[Hazard, ...]
    defects: tuple[Defect, ...]
    nested: tuple[Nested, ...]  # literals that may be files of their own
    tensors: tuple[Tensor, ...]  # arrays of joblib
    covered: tuple[Span, ...]
    protocol: int  # of the first stream
    streams: int
    end: int


def begins_with_protocol(head: bytes) -> bool:
    """True for the mark of a protocol and an opcode that can follow it."""
    return len(head) > 2 and head[0] == 0x80 and head[1] in PROTOCOLS and head[2] in STARTERS


def begins_pickle(head: bytes, size: int) -> bool:
    """True when a file of `size` bytes begins like a pickle, under whatever name, and not by accident."""
    return begins_with_protocol(head) or _runs(head, size)


def _runs(head: bytes, size: int) -> bool:
    """True when the head is a whole stream, or the start of one that is not there by accident."""
    if not head or head[0] not in STARTERS:
        return False
    stream = run(Memory(head))
    if stream.defects or (stream.error and stream.error.reason is not Reason.TRUNCATED):
        # A text may begin like an import of its first words, but it does not call them.
        return any(item.use is Use.CALL for item in _named(stream))
    if stream.error:
        return stream.opcodes >= _LIKELY_OPCODES
    # Two bytes such as "N." are a stream too, and start one in so many files of raw numbers.
    return bool(stream.imports) or stream.stop == size or stream.opcodes >= _WHOLE_OPCODES


def walk(reader: ByteReader, start: int = 0) -> Walked:
    """Every stream from `start`. Raises when there is neither an import nor one whole stream."""
    return _Walk(reader, start).walked()


class _Walk:
    """What the streams of one file have told so far; no stream is kept."""

    def __init__(self, reader: ByteReader, start: int) -> None:
        self._reader = reader
        self._defects = Defects()
        self._collected = Collected(self._defects)
        self._tensors: list[Tensor] = []
        self._covered: list[Span] = []
        self._protocol = 0
        self._streams = 0
        self._end = start

    def walked(self) -> Walked:
        position = self._end
        while self._streams < _STREAM_COUNT and self._stream(position):
            position = _behind_padding(self._reader, self._end)
            if position == self._reader.size:
                break
        if self._streams == _STREAM_COUNT:
            self._defects.add(f"more than {_STREAM_COUNT} streams", self._end, Reason.LIMIT)
        return Walked(
            imports=self._collected.imports,
            hazards=self._collected.hazards,
            defects=tuple(self._defects.found),
            nested=self._collected.nested,
            tensors=tuple(self._tensors),
            covered=tuple(self._covered),
            protocol=self._protocol,
            streams=self._streams,
            end=self._end,
        )

    def _stream(self, position: int) -> bool:
        """Reads the stream at a position; False when nothing can follow it."""
        arrays = Arrays(self._reader)
        stream = skim(self._reader, position, after_build=arrays.after_build)
        if stream is None:
            arrays = Arrays(self._reader)
            stream = run(self._reader, position, after_build=arrays.after_build)
        if stream.error and not (stream.imports or arrays.found):
            if self._streams == 0:
                raise stream.error
            self._rest(position, stream.error)
            return False
        if self._streams == 0:
            self._protocol = stream.protocol
        self._streams += 1
        for told in (stream, *arrays.streams):
            self._collected.add(told)
        self._defects.extend(arrays.defects.found)
        self._covered += _between([array for _, array in arrays.found], position, stream.stop)
        self._name(stream, arrays)
        self._end = stream.stop
        if stream.error:
            self._defects.caught("the stream cannot be followed to its end", stream.error)
        return stream.error is None

    def _rest(self, position: int, error: UnreadableError) -> None:
        """Bytes behind the last stream that are none: a stream that is broken, or one further on."""
        head = self._reader.read_at(position, min(3, self._reader.size - position))
        if begins_with_protocol(head) or (head[0] == 0x80 and len(head) < 3):
            self._defects.caught("a further stream cannot be followed", error)
        for stream in trailing(self._reader, position):
            self._collected.add(stream)

    def _name(self, stream: Stream, arrays: Arrays) -> None:
        if not arrays.found:
            return
        wrappers = {id(wrapper) for wrapper, _ in arrays.found}
        names: dict[int, str] = {}
        try:
            for path, value in leaves(stream.root, lambda value: id(value) in wrappers):
                names.setdefault(id(value), path)
        except UnreadableError as error:
            self._defects.caught("names of arrays", error, stream.start)
        for wrapper, array in arrays.found:
            if len(self._tensors) == TENSOR_COUNT:
                self._defects.add(f"more than {TENSOR_COUNT} arrays", array.offset, Reason.LIMIT)
                return
            # What hangs nowhere any more has its offset for a name.
            self._tensors.append(array.tensor(capped(names.get(id(wrapper), f"@{array.offset}"))))


def _between(arrays: list[Array], start: int, end: int) -> Iterator[Span]:
    """The ranges from `start` to `end` that hold opcodes and padding."""
    position = start
    for array in arrays:
        if position < array.offset:
            yield Span(start=position, end=array.offset)
        position = array.offset + array.length
    if position < end:
        yield Span(start=position, end=end)


def _behind_padding(reader: ByteReader, position: int) -> int:
    """Where the padding at a position ends; the position itself when there is too much of it."""
    piece = reader.read_at(position, min(_PADDING_BYTES + 1, reader.size - position))
    length = len(piece) - len(piece.lstrip(_PADDING))
    return position + length if length <= _PADDING_BYTES else position


def trailing(reader: ByteReader, start: int) -> Iterator[Stream]:
    """The streams with imports that begin within `_SEARCH_BYTES` of `start`, each with a hazard.

    At most `_TRY_COUNT` places that begin like a stream are tried.
    """
    data = reader.read_at(start, min(_SEARCH_BYTES, reader.size - start))
    opcodes, at = _SEARCH_OPCODES, 0
    for _ in range(_TRY_COUNT):
        found = _MARKED.search(data, at)
        if found is None or opcodes <= 0:
            return
        stream = run(reader, start + found.start(), opcodes=min(opcodes, _TRY_OPCODES), kept=_TRY_KEPT_BYTES)
        opcodes -= stream.opcodes
        at = found.end()
        if _named(stream):
            yield replace(stream, hazards=(*stream.hazards, _hidden(stream, start)))
            at = max(at, stream.stop - start)


def _named(stream: Stream) -> list[Import]:
    """The imports that Python could make: by names that are ones."""
    return [
        each for each in stream.imports if _NAME.fullmatch(each.module) and _NAME.fullmatch(each.qualname)
    ]


def _hidden(stream: Stream, start: int) -> Hazard:
    return Hazard(
        kind=HazardKind.HIDDEN_PAYLOAD,
        found="trailing-pickle",
        message=f"a pickle with imports stands behind the last stream, {stream.start - start} bytes on",
        offset=stream.start,
    )
