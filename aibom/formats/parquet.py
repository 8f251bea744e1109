"""Apache Parquet: column chunks, then a Thrift footer with the schema and where the chunks lie.

Format: github.com/apache/parquet-format, README.md and src/main/thrift/parquet.thrift (the field
numbers below are those of the Thrift file).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated
from aibom.domain.facts import Capability, Column, Defect, Facts, FileKind, Span
from aibom.domain.limits import COLUMN_COUNT, MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats import _parquet_schema, _tabular
from aibom.readers.thrift import CompactReader, Shape, Struct

FOOTER_BYTES: Final = 32 * MIB
FILE_COUNT: Final = 10_000  # other files that a summary names

_PLAIN, _ENCRYPTED = b"PAR1", b"PARE"
_MAGIC_BYTES, _TAIL_BYTES = 4, 8

# FileMetaData
_VERSION, _SCHEMA, _ROWS, _GROUPS, _PAIRS, _CREATED_BY, _ENCRYPTION = 1, 2, 3, 4, 5, 6, 8

_COLUMN_CHUNK: Final[Shape] = {
    **dict.fromkeys((1, 4, 5, 6, 7)), 3: dict.fromkeys((7, 9, 11, 14, 15)), 8: {},
}  # fmt: skip
_ROW_GROUP: Final[Shape] = {1: _COLUMN_CHUNK, 3: None}


@dataclass(slots=True)
class _Footer:
    """What one pass over the footer gathers."""

    version: int = 0
    rows: int = -1
    columns: list[Column] = field(default_factory=list)
    column_count: int = 0
    groups: int = 0
    group_rows: int = 0
    odd_groups: int = 0  # with more or fewer column chunks than the schema has columns
    stray_chunks: int = 0  # column chunks that leave the file
    encrypted: bool = False
    shards: dict[str, None] = field(default_factory=dict)
    created_by: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    defects: tuple[Defect, ...] = ()


def recognise(probe: Probe) -> Match:
    """By content: the magic at the front; the end is looked at when reading."""
    if probe.size >= _MAGIC_BYTES + _TAIL_BYTES and probe.head[:_MAGIC_BYTES] in (_PLAIN, _ENCRYPTED):
        return Match.CONTENT
    return Match.NAME if probe.named(".parquet", ".parq", ".pq") else Match.NO


def read(probe: Probe) -> Facts:
    """Schema, row count and annotations of the footer. Raises `UnreadableError`."""
    start, data = _footer_bytes(probe)
    reader = CompactReader(data, start)
    footer = _gather(reader, start)
    surplus = start + len(data) - reader.position
    return Facts(
        format="parquet",
        kind=FileKind.DATA,
        version=str(footer.version),
        covered=(Span(start=0, end=_MAGIC_BYTES), Span(start=start, end=probe.size)),
        metadata=(
            ("created_by", footer.created_by),
            ("row_groups", str(footer.groups)),
            *footer.metadata,
        ),
        capabilities=frozenset({Capability.ENCRYPTED} if footer.encrypted else ()),
        columns=tuple(footer.columns),
        rows=footer.rows if footer.rows >= 0 else None,
        shards=tuple(footer.shards)[:FILE_COUNT],
        defects=(*_front(probe), *footer.defects, *_contradictions(footer, start, surplus)),
    )


def _footer_bytes(probe: Probe) -> tuple[int, bytes]:
    if probe.size < _MAGIC_BYTES + _TAIL_BYTES:
        raise truncated(f"{probe.size} bytes are too few for a Parquet file", 0)
    end = probe.size - _TAIL_BYTES
    tail = probe.reader.read_at(end, _TAIL_BYTES)
    if tail[4:] == _ENCRYPTED:
        raise UnreadableError(Reason.ENCRYPTED, "the footer is encrypted", end)
    if tail[4:] != _PLAIN:
        raise truncated("the file does not end with PAR1", end + 4)
    length = int.from_bytes(tail[:4], "little")
    if length > end - _MAGIC_BYTES:
        raise malformed(f"the footer claims {length} bytes, {end - _MAGIC_BYTES} are in front of it", end)
    if length > FOOTER_BYTES:
        raise over_limit(f"a footer of {length} bytes, at most {FOOTER_BYTES} are read", end)
    return end - length, probe.reader.read_at(end - length, length)


def _gather(reader: CompactReader, end: int) -> _Footer:
    footer = _Footer()
    seen: set[int] = set()
    for number, kind in reader.fields():
        if number in seen:  # readers differ on which one counts
            raise malformed(f"field {number} of the footer occurs twice", reader.position)
        seen.add(number)
        if number == _SCHEMA:
            _add_schema(footer, reader.structs(kind, _parquet_schema.ELEMENT))
        elif number == _GROUPS:
            _add_groups(footer, reader.structs(kind, _ROW_GROUP), end)
        elif number == _PAIRS:
            _add_pairs(footer, reader.structs(kind, {1: None, 2: None}))
        else:
            _add_value(footer, number, reader.value(kind))
    missing = {_VERSION, _SCHEMA, _ROWS, _GROUPS} - seen
    if missing:
        raise malformed(f"the footer lacks field {min(missing)}", reader.position)
    return footer


def _add_value(footer: _Footer, number: int, value: object) -> None:
    if number == _VERSION and isinstance(value, int):
        footer.version = value
    elif number == _ROWS and isinstance(value, int):
        footer.rows = value
    elif number == _CREATED_BY and isinstance(value, memoryview):
        footer.created_by = _tabular.text(value)
    elif number == _ENCRYPTION:
        footer.encrypted = True


def _add_schema(footer: _Footer, elements: Iterator[Struct]) -> None:
    for column in _parquet_schema.columns(elements):
        footer.column_count += 1
        if footer.column_count <= COLUMN_COUNT:
            footer.columns.append(column)
    footer.defects += (
        *_tabular.too_many_columns(footer.column_count),
        *_tabular.name_defects(footer.columns),
    )


def _add_groups(footer: _Footer, groups: Iterator[Struct], end: int) -> None:
    for group in groups:
        chunks = group.structs(1)
        footer.groups += 1
        footer.group_rows += group.integer(3) or 0
        footer.odd_groups += len(chunks) != footer.column_count
        for chunk in chunks:
            _add_chunk(footer, chunk, end)


def _add_chunk(footer: _Footer, chunk: Struct, end: int) -> None:
    footer.encrypted |= 8 in chunk
    other = chunk.binary(1)
    if other is None:
        footer.stray_chunks += any(not _inside(span, end) for span in _spans(chunk))
        return
    if len(footer.shards) <= FILE_COUNT:
        footer.shards[_tabular.text(other)] = None


def _spans(chunk: Struct) -> Iterator[tuple[int | None, int | None]]:
    """Offset and length of the pages and indexes of one column chunk."""
    meta = chunk.struct(3)
    if meta is not None:
        pages = meta.integer(11) or meta.integer(9)  # 0 is what some writers put for no dictionary
        yield pages, meta.integer(7)
        yield meta.integer(14), meta.integer(15) or 0
    yield chunk.integer(4), chunk.integer(5)
    yield chunk.integer(6), chunk.integer(7)


def _inside(span: tuple[int | None, int | None], end: int) -> bool:
    offset, length = span
    if offset is None or length == 0:
        return True
    return length is not None and offset >= _MAGIC_BYTES and 0 < length <= end - offset


def _add_pairs(footer: _Footer, pairs: Iterator[Struct]) -> None:
    footer.metadata, defects = _tabular.key_values((p.binary(1) or b"", p.binary(2) or b"") for p in pairs)
    footer.defects += defects
    for _ in pairs:  # those that were not kept are still in front of the next field
        pass


def _front(probe: Probe) -> Iterator[Defect]:
    if probe.head[:_MAGIC_BYTES] != _PLAIN:
        yield _tabular.defect("the file does not begin with PAR1", 0)


def _contradictions(footer: _Footer, start: int, surplus: int) -> Iterator[Defect]:
    if footer.rows != footer.group_rows or footer.rows < 0:
        yield _tabular.defect(
            f"the footer claims {footer.rows} rows, its row groups {footer.group_rows}", start
        )
    if footer.odd_groups:
        yield _tabular.defect(
            f"{footer.odd_groups} row groups have another number of columns than the schema", start
        )
    if footer.stray_chunks:
        yield _tabular.defect(f"{footer.stray_chunks} column chunks lie outside of the data", start)
    if len(footer.shards) > FILE_COUNT:
        message = f"more than {FILE_COUNT} other files, the rest is not told"
        yield Defect(reason=Reason.LIMIT, message=message, offset=start)
    if surplus and not footer.encrypted:  # else it is the signature of the footer
        yield _tabular.defect(f"{surplus} bytes of the footer belong to no field", start)
    if footer.encrypted:
        yield Defect(reason=Reason.ENCRYPTED, message="columns are encrypted", offset=start)


FORMAT = Format(
    name="parquet",
    title="Apache Parquet",
    kind=FileKind.DATA,
    suffixes=(".parquet", ".parq", ".pq"),
    recognise=recognise,
    read=read,
    media_type="application/vnd.apache.parquet",
)
