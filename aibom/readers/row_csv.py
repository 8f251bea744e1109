"""The rows of CSV and TSV: a header that names the columns, then one record per row.

Without a declared schema every cell is a string. With one, a cell that is the null text is null,
quoted or not. Blank lines are no rows. What readers take apart differently is an error: records of
another length than the header, text behind a closing quote, NUL, names that occur twice.
Format: RFC 4180; a quote inside of a cell that does not begin with one is text.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from aibom.domain.dataset import Field, Kind, RowBatch, Schema, Type
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import COLUMN_COUNT, KIB, MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.row_text import at_row, decoded, pieces
from aibom.readers.row_values import converter

BATCH_CELLS: Final = 65_536  # that are held as text
HEADER_BYTES: Final = 256 * KIB  # of all names
_CELL_BYTES: Final = 8  # besides the name and the text
_BATCH_BYTES: Final = 8 * MIB  # of names that are held
_STRING: Final = Type(kind=Kind.STRING)

Cells = list[str] | list[bytes]


def records(
    reader: ByteReader, schema: Schema | None = None, *, delimiter: str = ",", null: str = ""
) -> Iterator[RowBatch]:
    """The rows below the header, under a declared schema when there is one; columns in its order.

    Raises `UnreadableError` with row and byte, also for a cell longer than `csv.field_size_limit`.
    """
    batches = _batches(reader, delimiter, raw=schema is None)
    header = tuple(map(str, next(batches, [[]])[0]))
    fields = _fields(header, schema)
    size = sum(len(name.encode()) + _CELL_BYTES for name in header)
    if size > HEADER_BYTES:
        raise over_limit(f"names of {size} bytes, at most {HEADER_BYTES} are read", 0)
    first = 0
    # The names stand in every row that is encoded.
    for rows in _at_most(batches, _BATCH_BYTES // size):
        _check_widths(rows, len(header), reader, delimiter, first)
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        values = [columns[field.name] for field in fields]
        try:
            found = values if schema is None else _converted(fields, values, null)
        except _CellError as error:
            row = first + error.row
            raise at_row(row, error.error, _offset_of(reader, delimiter, row)) from None
        yield RowBatch(
            names=tuple(field.name for field in fields),
            types=tuple(field.type for field in fields),
            columns=tuple(found),
            rows=len(rows),
            first=first,
        )
        first += len(rows)


def _at_most(batches: Iterator[list[Cells]], rows: int) -> Iterator[list[Cells]]:
    for batch in batches:
        yield from (batch[at : at + rows] for at in range(0, len(batch), rows))


def _fields(header: tuple[str, ...], schema: Schema | None) -> tuple[Field, ...]:
    if not header:
        raise malformed("there is no header", 0)
    if len(header) > COLUMN_COUNT:
        raise over_limit(f"more than {COLUMN_COUNT} columns", 0)
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise malformed(f"the column {twice[:80]!r} occurs twice", 0)
    if schema is None:
        return tuple(Field(name=name, type=_STRING) for name in header)
    if set(header) != set(schema.names):
        other = min(set(header) ^ set(schema.names))
        raise malformed(f"the header and the schema differ in the column {other[:80]!r}", 0)
    return schema.fields


class _CellError(Exception):
    """A cell that its type does not allow, and in which row of the batch it stands."""

    def __init__(self, row: int, error: UnreadableError) -> None:
        super().__init__(error.message)
        self.row, self.error = row, error


def _converted(
    fields: Sequence[Field], columns: Sequence[Sequence[str | bytes]], null: str
) -> list[Sequence[object]]:
    found: list[Sequence[object]] = []
    for field, cells in zip(fields, columns, strict=True):
        convert, values = converter(field.type, textual=True), list[object]()
        for at, cell in enumerate(cells):
            try:
                values.append(None if cell == null else convert(cell))
            except UnreadableError as error:
                raise _CellError(at, error) from None
        found.append(values)
    return found


def _check_widths(rows: list[Cells], width: int, reader: ByteReader, delimiter: str, first: int) -> None:
    if set(map(len, rows)) == {width}:
        return
    at, row = next((at, row) for at, row in enumerate(rows) if len(row) != width)
    message = f"{len(row)} cells, the header has {width}"
    raise at_row(first + at, malformed(message), _offset_of(reader, delimiter, first + at))


def _batches(reader: ByteReader, delimiter: str, *, raw: bool) -> Iterator[list[Cells]]:
    """The records that are not blank, the header alone in the first batch; `raw` cells may be UTF-8."""
    source = _Lines(reader)
    opened = False
    for piece, text in source.pieces:
        data = piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece
        if b'"' in data or b"\r" in data:
            yield from _by_csv(source, text, delimiter, opened=opened)
            return
        # As long as there is no quote, splitting is several times as fast and gives the same.
        rows = _split(data, delimiter, raw=raw and opened)
        if rows and not opened:
            opened = True
            yield rows[:1]
            rows = _split(data, delimiter, raw=raw)[1:]
        width = len(rows[0]) if rows else 1
        for at in range(0, len(rows), max(1, BATCH_CELLS // width)):
            yield rows[at : at + max(1, BATCH_CELLS // width)]


def _split(data: bytes, delimiter: str, *, raw: bool) -> list[Cells]:
    if not raw:
        return [line.split(delimiter) for line in data.decode().split("\n") if line]
    mark = delimiter.encode()
    return [line.split(mark) for line in data.split(b"\n") if line]


def _by_csv(source: _Lines, text: str, delimiter: str, *, opened: bool) -> Iterator[list[Cells]]:
    """The records from `text` to the end of the file."""
    reader = csv.reader(source.lines(text), delimiter=delimiter, strict=True)
    most = BATCH_CELLS if opened else 1
    done = 0
    while True:
        rows: list[list[str]] = []
        failure: csv.Error | None = None
        try:
            # The rows in front of one that cannot be read stay in the list.
            rows.extend(islice(reader, most))
        except csv.Error as error:
            failure = error
        if rows:
            done += len(rows)
            kept: list[Cells] = [row for row in rows if row]
            if kept:
                yield kept
                most = max(1, BATCH_CELLS // max(map(len, kept)))
        if failure is not None:
            raise _failed(failure, source.reader, delimiter)
        if not rows:
            return


class _Lines:
    """The text of a file, piece by piece; NUL is refused, since most readers stop or skip there."""

    def __init__(self, reader: ByteReader) -> None:
        self.reader = reader
        self.pieces = self._pieces()

    def _pieces(self) -> Iterator[tuple[bytes, str]]:
        """Each piece as bytes and as text, without the mark of UTF-8 at the front."""
        line = 0
        for offset, piece in pieces(self.reader):
            text = decoded(offset, piece, line, "line")
            if (nul := piece.find(b"\0")) >= 0:
                number = line + piece.count(b"\n", 0, nul) + 1
                raise malformed(f"line {number}: NUL", offset + nul)
            yield piece if offset else piece.removeprefix(codecs.BOM_UTF8), text
            line += piece.count(b"\n")

    def lines(self, text: str) -> Iterator[str]:
        """The lines of a text, then those of all pieces behind it."""
        yield from io.StringIO(text, newline="\n")
        for _, following in self.pieces:
            yield from io.StringIO(following, newline="\n")


def _failed(error: csv.Error, reader: ByteReader, delimiter: str) -> UnreadableError:
    row, offset = _place(reader, delimiter, -1)
    limit = csv.field_size_limit()
    if str(error).startswith("field larger"):
        problem = over_limit(f"a cell is longer than {limit} characters")
    elif "unexpected end" in str(error):
        problem = UnreadableError(Reason.TRUNCATED, "a quoted cell is never closed")
    else:
        problem = malformed(str(error).lower())
    return at_row(row, problem, offset)


def _offset_of(reader: ByteReader, delimiter: str, row: int) -> int:
    return _place(reader, delimiter, row)[1]


def _place(reader: ByteReader, delimiter: str, wanted: int) -> tuple[int, int]:
    """Where a row begins, or for -1 the one that cannot be read: its number, and the byte.

    Only for errors: the file is read again, line by line, so that rows need not carry their places.
    """
    position = len(codecs.BOM_UTF8) if reader.read_at(0, min(3, reader.size)) == codecs.BOM_UTF8 else 0

    def counted() -> Iterator[str]:
        nonlocal position
        source = _Lines(reader)
        for line in source.lines(""):
            position += len(line.encode())
            yield line

    row, start = -1, position
    records = csv.reader(counted(), delimiter=delimiter, strict=True)
    try:
        for record in records:
            if record and row == wanted and wanted >= 0:
                break
            row += bool(record)
            start = position
    except csv.Error:
        pass
    return row, start
