"""The rows of Arrow IPC files and streams, as record batches that fit in memory.

Decoding is pyarrow's, from the extra `[parquet]`. What a message would take is read from its header first;
offsets inside of a batch are checked (`validate`) before anything follows them.
Format: arrow.apache.org/docs/format/Columnar.html; github.com/apache/arrow, format/Message.fbs and File.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aibom.domain.errors import malformed, over_limit, truncated, unsupported
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.readers import flatbuffers
from aibom.readers.flatbuffers import Table
from aibom.readers.parquet_pages import BATCH_ROWS
from aibom.readers.row_parquet import ReaderFile, available, decoding, in_pieces

if TYPE_CHECKING:
    import pyarrow as pa

BODY_BYTES: Final = 64 * MIB  # of one record batch or dictionary, inflated
METADATA_BYTES: Final = 4 * MIB  # of one message
MESSAGE_COUNT: Final = 1_000_000

_MAGIC: Final = b"ARROW1"
_MARK: Final = b"\xff\xff\xff\xff"
_BUFFER: Final = struct.Struct("<qq")  # offset in the body, length
_BLOCK: Final = struct.Struct("<qi4xq")  # offset, bytes of the header with its prefix, bytes of the body
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3


def arrow(reader: ByteReader) -> Iterator[pa.RecordBatch]:
    """The rows in order; of a file those that its footer names. Raises `UnreadableError`."""
    if not available():
        raise unsupported("rows of Arrow need the extra [parquet]")
    is_file = reader.size >= 8 and reader.read_at(0, 6) == _MAGIC
    if is_file:
        _check_file(reader)
    else:
        _check_stream(reader)
    done = [0]
    with decoding(done):
        for batch in _batches(reader, is_file=is_file):
            batch.validate(full=True)
            for at in range(0, batch.num_rows, BATCH_ROWS):
                yield from in_pieces(batch.slice(at, BATCH_ROWS))
            done[0] += batch.num_rows


def _batches(reader: ByteReader, *, is_file: bool) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415

    source = pa.PythonFile(ReaderFile(reader), mode="r")
    if not is_file:
        with pa.ipc.open_stream(source) as stream:
            yield from stream
        return
    with pa.ipc.open_file(source) as file:
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def _check_stream(reader: ByteReader) -> None:
    position = 0
    for _ in range(MESSAGE_COUNT):
        if position == reader.size:  # the mark at the end may be missing
            return
        head = reader.read_at(position, 8)
        if head[:4] != _MARK:
            raise unsupported("a message without a mark, as before Arrow 0.15", position)
        length = int.from_bytes(head[4:], "little")
        if length == 0:
            return
        position = _check_message(reader, position, 8 + length)
    raise over_limit(f"more than {MESSAGE_COUNT} messages", position)


def _check_file(reader: ByteReader) -> None:
    end = reader.size - 10
    if end < 8 or reader.read_at(end + 4, 6) != _MAGIC:
        raise truncated("the file does not end with ARROW1", max(0, end))
    length = int.from_bytes(reader.read_at(end, 4), "little")
    if length > min(end - 8, METADATA_BYTES):
        raise malformed(f"a footer of {length} bytes", end)
    footer = flatbuffers.root(reader.read_at(end - length, length), end - length)
    for slot in (2, 3):  # dictionaries, record batches
        for offset, header, body in footer.structs(slot, _BLOCK):
            if offset < 8 or header < 8 or body < 0 or offset + header + body > end - length:
                raise malformed("the footer names a message outside of the data", end - length)
            if _check_message(reader, offset, header) - offset - header != body:
                raise malformed("the footer and a message differ about its body", offset)


def _check_message(reader: ByteReader, position: int, header: int) -> int:
    """Where the message ends. Raises `UnreadableError` for one that takes too much, or leaves the file."""
    if header > METADATA_BYTES:
        raise over_limit(f"a message of {header} bytes, at most {METADATA_BYTES} are read", position)
    prefix = 8 if reader.read_at(position, 4) == _MARK else 4
    message = flatbuffers.root(reader.read_at(position + prefix, header - prefix), position)
    start, size = position + header, message.integer(3, "q")
    if not 0 <= size <= reader.size - start:
        raise truncated(f"a message body of {size} bytes, {reader.size - start} are there", start)
    if size > BODY_BYTES:
        raise over_limit(f"a message body of {size} bytes, at most {BODY_BYTES} are read", start)
    kind, content = message.union(1)
    batch = content.table(1) if kind == _DICTIONARY and content is not None else content
    if kind in (_DICTIONARY, _BATCH) and batch is not None and batch.table(3) is not None:
        _check_inflated(reader, batch, start, size)
    return start + size


def _check_inflated(reader: ByteReader, batch: Table, start: int, size: int) -> None:
    """Every compressed buffer says in its first 8 bytes how long it will be."""
    total = 0
    for offset, length in batch.structs(2, _BUFFER):
        if offset < 0 or length < 0 or offset + length > size:
            raise malformed("a buffer leaves the body of its message", start)
        if length >= 8:
            claimed = int.from_bytes(reader.read_at(start + offset, 8), "little", signed=True)
            total += length if claimed == -1 else max(0, claimed)
        if total > BODY_BYTES:
            raise over_limit(f"a batch that inflates to more than {BODY_BYTES} bytes", start)
