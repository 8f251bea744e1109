"""How much memory the row groups of a Parquet file take, told from the headers of all pages.

A footer and a few pages of run lengths can stand for terabytes. So before anything is decoded every
page is visited, without its content, and rows are then decoded in batches that fit.
Format: github.com/apache/parquet-format, src/main/thrift/parquet.thrift (field numbers are from there).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.limits import DOCUMENT_DEPTH, KIB, MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.thrift import CompactReader, Shape, Struct

FOOTER_BYTES: Final = 32 * MIB
PAGE_BYTES: Final = 16 * MIB  # of one page, inflated; writers aim at 1 MiB
PAGE_VALUE_COUNT: Final = 4_000_000
PAGE_COUNT: Final = 1_000_000  # of one file
BATCH_BYTES: Final = 16 * MIB  # of decoded values that are held at a time, and several times encoded
BATCH_ROWS: Final = 4_096

_MAGIC: Final = b"PAR1"
_HEADER_BYTES: Final = (KIB, 256 * KIB)  # tried one after the other: statistics may be long
_ELEMENT: Final[Shape] = dict.fromkeys((1, 2, 3, 4, 5))
_META: Final[Shape] = dict.fromkeys((1, 5, 7, 9, 11))
_GROUP: Final[Shape] = {1: {1: None, 3: _META, 8: {}}, 3: None}
_PAGE: Final[Shape] = {
    **dict.fromkeys((1, 2, 3)), 5: dict.fromkeys((1, 2)), 7: {1: None}, 8: dict.fromkeys((1, 4)),
}  # fmt: skip
_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
_BYTE_ARRAY: Final = 6
_LEAST_BYTES: Final = 8.0  # of one value in memory
_WIDTHS: Final = (1, 4, 8, 12, 4, 8)  # of BOOLEAN to DOUBLE
_INDEXES: Final = (2, 8)  # into the dictionary
_DELTA_BYTE_ARRAY: Final = 7  # each value may repeat the whole one in front of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One column of the schema."""

    path: str
    type: int  # physical
    width: int  # bytes of one value; 0 when they differ
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row group: how many rows, and what a row takes in memory, at most.

    The text of `dictionaries` is not counted: columns with the bytes of their dictionaries, whose longest
    value decides. None for a dictionary that cannot be had from the first row.
    """

    rows: int
    row_bytes: float
    dictionaries: tuple[tuple[str, int | None], ...]

    def batch(self, more: float = 0.0) -> int:
        """How many rows fit when each takes some bytes more."""
        return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(1.0, self.row_bytes + more))))


@dataclass(slots=True)
class _Cost:
    """What one column chunk takes per value, in bytes, at most."""

    per_value: float = 0.0
    values: int = 0
    dictionary: int = 0
    plain: bool = False  # a page without the dictionary was met
    late: bool = False  # and behind it one with


def plan(reader: ByteReader) -> tuple[Group, ...]:
    """The row groups of a file. Raises `UnreadableError`, among others for pages that are too large."""
    data, start = _footer(reader)
    message = CompactReader(data, start)
    leaves: list[Leaf] = []
    groups: list[Struct] = []
    rows = -1
    for number, kind in message.fields():
        if number == 2:
            leaves = list(_leaves(message.structs(kind, _ELEMENT)))
        elif number == 4:
            groups = list(message.structs(kind, _GROUP))
        elif number == 3:
            value = message.value(kind)
            rows = value if isinstance(value, int) else -1
        else:
            message.skip(kind)
    found = _Walk(reader, start, leaves)
    sizes = tuple(found.group(group, number) for number, group in enumerate(groups))
    if rows < 0 or sum(size.rows for size in sizes) != rows:
        claimed = sum(size.rows for size in sizes)
        raise malformed(f"the footer claims {rows} rows, its row groups {claimed}", start)
    return sizes


def _footer(reader: ByteReader) -> tuple[bytes, int]:
    end = reader.size - 8
    if end < 4:
        raise truncated(f"{reader.size} bytes are too few for a Parquet file", 0)
    tail = reader.read_at(end, 8)
    if tail[4:] == b"PARE":
        raise UnreadableError(Reason.ENCRYPTED, "the footer is encrypted", end)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or reader.read_at(0, 4) != _MAGIC:
        raise malformed("the file does not begin and end with PAR1", end + 4)
    if length > end - 4:
        raise malformed(f"the footer claims {length} bytes, {end - 4} are in front of it", end)
    if length > FOOTER_BYTES:
        raise over_limit(f"a footer of {length} bytes, at most {FOOTER_BYTES} are read", end)
    return reader.read_at(end - length, length), end - length


def _leaves(elements: Iterator[Struct]) -> Iterator[Leaf]:
    """The columns of the flattened tree of the schema; limit when it is nested too deeply."""
    stack: list[tuple[str, int, bool]] = []  # path, children to come, repeated
    for at, element in enumerate(elements):
        if len(stack) > DOCUMENT_DEPTH:
            raise over_limit(f"the schema is nested deeper than {DOCUMENT_DEPTH}")
        path, repeated = "", False
        if at:
            if not stack:
                raise malformed("the schema has more elements than its groups claim")
            above, left, repeated = stack.pop()
            stack.append((above, left - 1, repeated))
            name = _name(element)
            path = f"{above}.{name}" if above else name
            repeated |= element.integer(3) == 2
        children = element.integer(5) or 0
        if at and not children and (kind := element.integer(1)) is not None:
            width = element.integer(2) or 0 if kind == 7 else _WIDTHS[kind] if 0 <= kind < 6 else 0
            yield Leaf(path=path, type=kind, width=max(0, width), repeated=repeated)
        stack.append((path, children, repeated))
        while stack and stack[-1][1] <= 0:
            stack.pop()
    if stack:
        raise malformed("the schema ends before its groups do")


def _name(element: Struct) -> str:
    try:
        return str(element.binary(4) or b"", "utf-8")
    except UnicodeDecodeError:
        raise malformed("the name of a column is not UTF-8") from None


class _Walk:
    """Visits the pages of all column chunks."""

    def __init__(self, reader: ByteReader, end: int, leaves: list[Leaf]) -> None:
        self._reader, self._end, self._leaves = reader, end, leaves
        self._left = PAGE_COUNT

    def group(self, group: Struct, number: int) -> Group:
        rows, chunks = group.integer(3) or 0, group.structs(1)
        if rows < 0 or len(chunks) != len(self._leaves):
            message = f"row group {number} has {len(chunks)} columns and {rows} rows"
            raise malformed(message, self._end)
        dictionaries: dict[str, int | None] = {}
        taken = 0.0
        for leaf, chunk in zip(self._leaves, chunks, strict=True):
            taken += self._row_bytes(leaf, chunk, rows, dictionaries)
        if taken > BATCH_BYTES:
            raise over_limit(f"row group {number}: a row may take {taken:.0f} bytes", self._end)
        return Group(rows=rows, row_bytes=taken, dictionaries=tuple(dictionaries.items()))

    def _row_bytes(self, leaf: Leaf, chunk: Struct, rows: int, dictionaries: dict[str, int | None]) -> float:
        meta = chunk.struct(3)
        if meta is None or 1 in chunk:
            raise unsupported("columns in other files", self._end)
        if 8 in chunk:
            raise UnreadableError(Reason.ENCRYPTED, "columns are encrypted", self._end)
        cost = self._chunk(leaf, meta)
        claimed = meta.integer(5)
        if cost.values != claimed or (not leaf.repeated and cost.values != rows):
            message = (
                f"the column {leaf.path[:80]!r} has {cost.values} values in {rows} rows, {claimed} claimed"
            )
            raise malformed(message, meta.integer(9))
        per_value = max(cost.per_value, leaf.width, _LEAST_BYTES)
        if leaf.type == _BYTE_ARRAY and cost.dictionary:
            if leaf.repeated or "." in leaf.path:
                per_value = max(per_value, cost.dictionary)
            else:
                dictionaries[leaf.path] = None if cost.late else cost.dictionary
        return per_value * max(1.0, cost.values / max(1, rows))

    def _chunk(self, leaf: Leaf, meta: Struct) -> _Cost:
        start = meta.integer(11) or meta.integer(9) or 0
        length = meta.integer(7) or 0
        if start < 4 or length < 0 or start + length > self._end:
            raise malformed(f"the column {leaf.path[:80]!r} lies outside of the data", self._end)
        cost = _Cost()
        position, end = start, start + length
        while position < end and cost.values < (meta.integer(5) or 0):
            position = self._page(leaf, cost, position, end)
        return cost

    def _page(self, leaf: Leaf, cost: _Cost, position: int, end: int) -> int:
        """Adds up one page, and tells where the next begins."""
        page, content = self._header(position, end)
        inflated, stored = page.integer(2) or 0, page.integer(3) or 0
        if inflated < 0 or stored < 0 or content + stored > end:
            raise malformed(f"a page of {stored} bytes, {end - content} are left", position)
        if inflated > PAGE_BYTES:
            raise over_limit(f"a page of {inflated} bytes, at most {PAGE_BYTES} are read", position)
        if page.integer(1) == _DICTIONARY:
            cost.dictionary = max(cost.dictionary, inflated)
        elif page.integer(1) in (_DATA, _DATA_V2):
            old = page.struct(5)
            data = old or page.struct(8) or Struct({})
            values, encoding = data.integer(1) or 0, data.integer(2 if old else 4)
            if not 0 <= values <= PAGE_VALUE_COUNT:
                raise over_limit(f"a page of {values} values, at most {PAGE_VALUE_COUNT} are read", position)
            cost.values += values
            cost.late |= cost.plain and encoding in _INDEXES
            cost.plain |= encoding not in _INDEXES
            shared = 1 if encoding == _DELTA_BYTE_ARRAY and leaf.width == 0 else max(1, values)
            cost.per_value = max(cost.per_value, inflated / shared)
        return content + stored

    def _header(self, position: int, end: int) -> tuple[Struct, int]:
        self._left -= 1
        if self._left < 0:
            raise over_limit(f"more than {PAGE_COUNT} pages", position)
        for most in _HEADER_BYTES:
            message = CompactReader(self._reader.read_at(position, min(most, end - position)), position)
            try:
                return message.struct(_PAGE), message.position
            except UnreadableError as error:
                if error.reason is not Reason.TRUNCATED or most >= end - position:
                    raise
        raise over_limit(f"the header of a page is longer than {_HEADER_BYTES[-1]} bytes", position)
