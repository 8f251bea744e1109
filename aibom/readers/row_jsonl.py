"""The rows of JSON Lines: as the bytes of their lines, or as the values in them.

A row is an object. What loaders read differently has no digest: a key that occurs twice, NaN, numbers
beyond float64 or of thousands of digits. Format: jsonlines.org, RFC 8259.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from aibom.domain.dataset import ABSENT, Kind, LineBatch, RowBatch, Schema, Type
from aibom.domain.errors import UnreadableError, malformed, over_limit
from aibom.domain.limits import DOCUMENT_DEPTH, KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.row_text import at_row, decoded, pieces
from aibom.readers.row_values import DIGIT_COUNT, NumberText, converter, number

VALUE_COUNT: Final = 500_000  # in one line; 20 to 60 times the bytes once they are parsed
_BATCH_BYTES: Final = 256 * KIB  # of lines that are held as values; they may all be empty
_NUMBERS: Final = frozenset({float, dict, list})  # what can be or hold a number with a point
_INFINITE: Final = float("inf")
_SPACE: Final = " \t\r\n"
_SPARSE_RATIO: Final = 8  # cells to members; beyond it rows that differ are taken apart


def lines(reader: ByteReader) -> Iterator[LineBatch]:
    """Every line as it stands, without the line feed; empty ones too. Raises `UnreadableError`."""
    first = 0
    for _, piece in _batches(reader):
        found = piece.split(b"\n")
        if not found[-1]:
            found.pop()
        yield LineBatch(lines=found, first=first)
        first += len(found)


def records(reader: ByteReader, schema: Schema | None = None) -> Iterator[RowBatch]:
    """The objects, blank lines left out, under a declared schema when there is one.

    Then a member that is not there is null and one that the schema does not know is an error. Raises
    `UnreadableError` with row and byte.
    """
    decoder = _decoder(exact=schema is not None and any(_has_decimals(each.type) for each in schema.fields))
    first = 0
    for source in _batches(reader):
        rows = _parsed(*source, first, decoder)
        if schema is None:
            for batch in _inferred(rows, first):
                _check_finite(batch, source, batch.first - first)
                yield batch
        else:
            yield _declared(rows, schema, first, source)
        first += len(rows)


def _has_decimals(kind: Type) -> bool:
    return kind.kind is Kind.DECIMAL or any(_has_decimals(field.type) for field in kind.fields)


def _batches(reader: ByteReader) -> Iterator[tuple[int, bytes]]:
    """Pieces of whole lines of about _BATCH_BYTES."""
    for offset, piece in pieces(reader):
        start = 0
        while start < len(piece):
            end = piece.find(b"\n", min(len(piece), start + _BATCH_BYTES)) + 1 or len(piece)
            yield offset + start, piece[start:end]
            start = end


def _decoder(*, exact: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_members,
        parse_float=_exact if exact else None,
        parse_constant=_constant,
    )


def _exact(text: str) -> NumberText:
    number(text)
    return NumberText(text)


def _constant(name: str) -> object:
    raise malformed(f"{name} is not JSON")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise malformed(f"the key {twice[:80]!r} occurs twice")
    return found


def _parsed(offset: int, piece: bytes, first: int, decoder: json.JSONDecoder) -> list[dict[str, object]]:
    """The objects of a piece; errors say in which row and at which byte."""
    rows: list[dict[str, object]] = []
    text = decoded(offset, piece, first)
    scan = decoder.scan_once  # type: ignore[attr-defined] # the C scanner, of which `decode` is a wrapper
    for at, line in enumerate(text.split("\n")):
        if not line.strip(_SPACE):
            continue
        try:
            openings = line.count("[") + line.count("{")
            if len(line) > VALUE_COUNT and openings + line.count(",") > VALUE_COUNT:
                raise over_limit(f"more than {VALUE_COUNT} values in one row")
            value, end = scan(line, 0) if line[0] == "{" else (None, 0)
            if end != len(line):  # space around the value, or something that is wrong
                value = decoder.decode(line)
            if type(value) is not dict:
                raise malformed("not an object")
            if openings > DOCUMENT_DEPTH:
                _check_depth(value)
        except (UnreadableError, ValueError, RecursionError, StopIteration) as error:
            raise at_row(first + len(rows), _readable(error), _line_start(offset, piece, at)) from None
        rows.append(value)
    return rows


def _check_depth(row: object) -> None:
    """Raises limit for values in more than DOCUMENT_DEPTH objects and arrays."""
    level = [row]
    for _ in range(DOCUMENT_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
    if any(isinstance(value, dict | list) for value in level):
        raise over_limit(f"nested deeper than {DOCUMENT_DEPTH}")


def _check_finite(batch: RowBatch, source: tuple[int, bytes], skipped: int) -> None:
    """Raises malformed for a number that became infinite because float64 ends before it."""
    for values in batch.columns:
        if not _NUMBERS.isdisjoint(map(type, values)) and not _is_finite(values):
            row = next(at for at, value in enumerate(values) if not _is_finite((value,)))
            problem = malformed("a number is beyond any float64")
            raise at_row(batch.first + row, problem, _row_start(*source, skipped + row))


def _is_finite(values: Collection[object]) -> bool:
    if _INFINITE in values or -_INFINITE in values:
        return False
    return all(_is_finite(list(_inside(value))) for value in values if type(value) in (dict, list))


def _inside(value: object) -> Iterable[object]:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()


def _readable(error: Exception) -> UnreadableError:
    if isinstance(error, UnreadableError):
        return error
    if isinstance(error, RecursionError):
        return over_limit(f"nested deeper than {DOCUMENT_DEPTH}")
    if "digits" in str(error):  # what int() says
        return over_limit(f"a number of more than {DIGIT_COUNT} digits")
    message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return malformed(f"not JSON: {message[:80].lower()}")


def _line_start(offset: int, piece: bytes, number_of_line: int) -> int:
    start = 0
    for _ in range(number_of_line):
        start = piece.index(b"\n", start) + 1
    return offset + start


def _row_start(offset: int, piece: bytes, row: int) -> int:
    """Where the line of the row stands; lines that are blank hold none."""
    filled = [at for at, line in enumerate(piece.split(b"\n")) if line.strip(_SPACE.encode())]
    return _line_start(offset, piece, filled[row])


def _inferred(rows: list[dict[str, object]], first: int) -> Iterator[RowBatch]:
    """Batches without a schema; the names are those of all rows of a batch."""
    if not rows:
        return
    names = tuple(dict.fromkeys(name for row in rows for name in row)) if _differ(rows) else tuple(rows[0])
    members = sum(map(len, rows))
    if len(rows) > 1 and len(names) * len(rows) > _SPARSE_RATIO * (members + len(rows)):
        half = len(rows) // 2
        yield from _inferred(rows[:half], first)
        yield from _inferred(rows[half:], first + half)
        return
    columns: tuple[Sequence[object], ...]
    if len(names) * len(rows) == members:
        columns = tuple([row[name] for row in rows] for name in names)
    else:
        columns = tuple([row.get(name, ABSENT) for row in rows] for name in names)
    yield RowBatch(names=names, types=(None,) * len(names), columns=columns, rows=len(rows), first=first)


def _differ(rows: list[dict[str, object]]) -> bool:
    names = rows[0].keys()
    return any(row.keys() != names for row in rows)


def _declared(
    rows: list[dict[str, object]], schema: Schema, first: int, source: tuple[int, bytes]
) -> RowBatch:
    names = schema.names
    for at, row in enumerate(rows):
        if not row.keys() <= set(names):
            strange = min(row.keys() - set(names))
            problem = malformed(f"the schema has no column {strange[:80]!r}")
            raise at_row(first + at, problem, _row_start(*source, at))
    columns = []
    for field in schema.fields:
        convert, values = converter(field.type, textual=False), list[object]()
        for at, row in enumerate(rows):
            try:
                values.append(convert(row.get(field.name)))
            except UnreadableError as error:
                raise at_row(first + at, error, _row_start(*source, at)) from None
        columns.append(values)
    return RowBatch(
        names=names,
        types=tuple(field.type for field in schema.fields),
        columns=tuple(columns),
        rows=len(rows),
        first=first,
    )
