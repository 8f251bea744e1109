"""Apache Arrow IPC: messages of a FlatBuffers header and a body, as a stream or as a file with a footer.

The file is the stream between two magics, with a footer that repeats the schema and says where the
record batches lie; Feather version 2 is the same. Hugging Face `datasets` writes streams under the
name `.arrow`. Feather version 1 is an older format of its own and is not read.
Format: arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication";
github.com/apache/arrow, format/File.fbs (slots below are positions in its tables).
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.facts import Column, Defect, Facts, FileKind, Span
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.formats import _arrow_messages, _arrow_schema, _tabular
from aibom.readers import flatbuffers
from aibom.readers.flatbuffers import Table

FOOTER_BYTES: Final = 16 * MIB

_MAGIC, _MAGIC_V1 = b"ARROW1", b"FEA1"
_START_BYTES, _TAIL_BYTES = 8, 10  # magic and padding; footer length and magic
_BLOCK = struct.Struct("<qi4xq")  # offset, bytes of the header with its prefix, bytes of the body
# Footer
_VERSION, _SCHEMA, _DICTIONARIES, _BATCHES = range(4)


def recognise_file(probe: Probe) -> Match:
    """By content: the magic and its padding at the front."""
    if probe.head.startswith(_MAGIC) and probe.size > _START_BYTES + _TAIL_BYTES:
        return Match.CONTENT
    return Match.NAME if probe.named(".arrow", ".feather", ".ipc") else Match.NO


def recognise_stream(probe: Probe) -> Match:
    """By content: a schema message at the front; without continuation mark only under a fitting name."""
    marked = probe.head.startswith(_arrow_messages.CONTINUATION) or probe.named(".arrow", ".arrows")
    if marked and _arrow_messages.starts_with_schema(probe.head):
        return Match.CONTENT
    return Match.NAME if probe.named(".arrows") else Match.NO


def recognise_feather(probe: Probe) -> Match:
    """By content: the magic of version 1 at the front."""
    return Match.CONTENT if probe.head.startswith(_MAGIC_V1) else Match.NO


def read_stream(probe: Probe) -> Facts:
    """Schema and number of rows of a stream, whose messages are walked. Raises `UnreadableError`."""
    first = _arrow_messages.read(probe.reader, 0, probe.size)
    columns, defects = _arrow_schema.columns(_arrow_messages.schema(first))
    metadata, more = _arrow_schema.metadata(_arrow_messages.schema(first))
    rows, problems = _walked_rows(probe.reader, first.end)
    return Facts(
        format="arrow-stream",
        kind=FileKind.DATA,
        version=f"V{first.version + 1}",
        covered=(Span(start=0, end=first.end),),
        metadata=metadata,
        columns=columns,
        rows=rows,
        defects=(*defects, *more, *problems),
    )


def read_file(probe: Probe) -> Facts:
    """Schema and number of rows of a file, from its footer. Raises `UnreadableError`."""
    start, footer = _footer(probe)
    schema = footer.table(_SCHEMA)
    if schema is None:
        raise malformed("the footer has no schema", start)
    columns, defects = _arrow_schema.columns(schema)
    metadata, more = _arrow_schema.metadata(schema)
    front, problems = _front(probe, start, columns)
    rows, mistakes = _footer_rows(probe.reader, footer, start)
    return Facts(
        format="arrow",
        kind=FileKind.DATA,
        version=f"V{footer.integer(_VERSION, 'h') + 1}",
        covered=(Span(start=0, end=front), Span(start=start, end=probe.size)),
        metadata=metadata,
        columns=columns,
        rows=rows,
        defects=(*defects, *more, *problems, *mistakes),
    )


def read_feather(probe: Probe) -> Facts:
    """Never facts: version 2 replaced this format in 2020. Raises unsupported."""
    raise unsupported(f"Feather version 1 ({probe.size} bytes) is not read", 0)


def _walked_rows(reader: ByteReader, at: int) -> tuple[int | None, tuple[Defect, ...]]:
    """Rows of all record batches from a position to the end; None with the defect that hides them."""
    rows = 0
    try:
        for _ in range(_arrow_messages.MESSAGE_COUNT):
            if at == reader.size:
                return _arrow_messages.possible(rows), ()
            message = _arrow_messages.read(reader, at, reader.size)
            at = message.end
            if message.kind == _arrow_messages.END:
                return _arrow_messages.possible(rows), _trailing(at, reader.size)
            if message.kind != _arrow_messages.DICTIONARY_BATCH:
                rows += _arrow_messages.batch_rows(message)
        raise over_limit(f"more than {_arrow_messages.MESSAGE_COUNT} messages", at)
    except UnreadableError as error:
        return None, (_tabular.noted(error),)


def _trailing(at: int, size: int) -> tuple[Defect, ...]:
    return (_tabular.defect(f"{size - at} bytes after the end of the stream", at),) if at < size else ()


def _footer(probe: Probe) -> tuple[int, Table]:
    if probe.size < _START_BYTES + _TAIL_BYTES:
        raise truncated(f"{probe.size} bytes are too few for an Arrow file", 0)
    end = probe.size - _TAIL_BYTES
    tail = probe.reader.read_at(end, _TAIL_BYTES)
    if tail[4:] != _MAGIC:
        raise truncated("the file does not end with ARROW1", end + 4)
    length = int.from_bytes(tail[:4], "little")
    if length > end - _START_BYTES:
        raise malformed(f"the footer claims {length} bytes, {end - _START_BYTES} are in front of it", end)
    if length > FOOTER_BYTES:
        raise over_limit(f"a footer of {length} bytes, at most {FOOTER_BYTES} are read", end)
    return end - length, flatbuffers.root(probe.reader.read_at(end - length, length), end - length)


def _front(probe: Probe, end: int, columns: tuple[Column, ...]) -> tuple[int, tuple[Defect, ...]]:
    """Where the schema message at the front ends, and whether it says the same as the footer.

    A reader of streams believes the one, a reader of files the other.
    """
    try:
        first = _arrow_messages.read(probe.reader, _START_BYTES, end)
        same = _arrow_schema.columns(_arrow_messages.schema(first))[0] == columns
    except UnreadableError as error:
        return _START_BYTES, (_tabular.noted(error),)
    if not probe.head.startswith(_MAGIC) or not same:
        return first.end, (
            _tabular.defect("the schema at the front is not that of the footer", _START_BYTES),
        )
    return first.end, ()


def _footer_rows(reader: ByteReader, footer: Table, end: int) -> tuple[int | None, tuple[Defect, ...]]:
    """Rows of all record batches that the footer lists; None with the defect that hides them."""
    rows = 0
    try:
        batches = _blocks(footer, _BATCHES)
        _check_apart(sorted([*batches, *_blocks(footer, _DICTIONARIES)]), end)
        for start, head, body in batches:
            message = _arrow_messages.read(reader, start, end)
            if (message.body - start, message.end - message.body) != (head, body):
                raise malformed("the footer gives a record batch another size than its header", start)
            rows += _arrow_messages.batch_rows(message)
        return _arrow_messages.possible(rows), ()
    except UnreadableError as error:
        return None, (_tabular.noted(error),)


def _blocks(footer: Table, slot: int) -> list[tuple[int, ...]]:
    blocks = list(islice(footer.structs(slot, _BLOCK), _arrow_messages.MESSAGE_COUNT + 1))
    if len(blocks) > _arrow_messages.MESSAGE_COUNT:
        raise over_limit(f"the footer lists more than {_arrow_messages.MESSAGE_COUNT} batches")
    return blocks


def _check_apart(blocks: list[tuple[int, ...]], end: int) -> None:
    position = _START_BYTES
    for start, head, body in blocks:
        if min(head, body) < 0 or start < position or start + head + body > end:
            raise malformed("a batch of the footer overlaps another or leaves the file", max(0, start))
        position = start + head + body


FILE_FORMAT = Format(
    name="arrow",
    title="Apache Arrow IPC file (Feather 2)",
    kind=FileKind.DATA,
    suffixes=(".arrow", ".feather", ".ipc"),
    recognise=recognise_file,
    read=read_file,
    media_type="application/vnd.apache.arrow.file",
)
STREAM_FORMAT = Format(
    name="arrow-stream",
    title="Apache Arrow IPC stream",
    kind=FileKind.DATA,
    suffixes=(".arrow", ".arrows"),
    recognise=recognise_stream,
    read=read_stream,
    media_type="application/vnd.apache.arrow.stream",
)
FEATHER_FORMAT = Format(
    name="feather",
    title="Feather 1",
    kind=FileKind.DATA,
    suffixes=(".feather",),
    recognise=recognise_feather,
    read=read_feather,
)
