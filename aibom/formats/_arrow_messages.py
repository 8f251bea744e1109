"""Arrow's IPC messages: a FlatBuffers header, then a body that is skipped.

Format: arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format";
github.com/apache/arrow, format/Message.fbs (slots below are positions in its tables).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.readers import flatbuffers
from aibom.readers.flatbuffers import Table

HEADER_BYTES: Final = 16 * MIB  # of one message
MESSAGE_COUNT: Final = 100_000
CONTINUATION: Final = b"\xff\xff\xff\xff"

END, SCHEMA, DICTIONARY_BATCH, RECORD_BATCH = range(4)

_VERSION, _HEADER, _BODY_BYTES = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a stream: what it holds, and where its body and the next message begin."""

    kind: int  # 0 for the mark that ends a stream
    header: Table | None
    version: int
    body: int
    end: int


def starts_with_schema(head: bytes) -> bool:
    """True when the first bytes of a file are the front of a message that holds a schema."""
    try:
        return flatbuffers.root(head[_prefix(head)[0] :]).integer(_HEADER, "B") == SCHEMA
    except UnreadableError:
        return False


def _prefix(data: bytes) -> tuple[int, int]:
    """How long the prefix of a message is, and the length that it gives; before 2019 it had no mark."""
    start = 4 if data.startswith(CONTINUATION) else 0
    return start + 4, int.from_bytes(data[start : start + 4], "little", signed=True)


def read(reader: ByteReader, at: int, end: int) -> Message:
    """The message at a position. Raises truncated, malformed or limit (bytes of the header)."""
    skip, length = _prefix(reader.read_at(at, max(0, min(8, end - at))))
    body = at + skip + length
    if length > HEADER_BYTES:
        raise over_limit(f"a message header of {length} bytes, at most {HEADER_BYTES} are read", at)
    if length < 0 or body > end:
        raise truncated(f"a message header of {length} bytes, {end - at} are there", at)
    if length == 0:
        return Message(kind=END, header=None, version=0, body=body, end=body)
    table = flatbuffers.root(reader.read_at(at + skip, length), at + skip)
    kind, header = table.union(_HEADER)
    size = table.integer(_BODY_BYTES, "q")
    if not 0 <= size <= end - body:
        raise truncated(f"a message body of {size} bytes, {end - body} are there", body)
    return Message(kind=kind, header=header, version=table.integer(_VERSION, "h"), body=body, end=body + size)


def schema(message: Message) -> Table:
    """The schema that a message holds; raises malformed when it holds something else."""
    if message.kind != SCHEMA or message.header is None:
        raise malformed("the first message is not a schema", 0)
    return message.header


def batch_rows(message: Message) -> int:
    """The length of the record batch that a message holds; raises malformed when it holds something else."""
    rows = message.header.integer(0, "q") if message.header is not None else -1
    if message.kind != RECORD_BATCH or rows < 0:
        raise malformed(f"a record batch is expected, not type {message.kind} of {rows} rows", message.body)
    return rows


def possible(rows: int) -> int:
    """The sum of the lengths of all batches; raises malformed when no table can be that long."""
    if rows >= 2**63:
        raise malformed(f"the record batches claim {rows} rows")
    return rows
