"""The values of Arrow record batches as signals need them: text, labels and nothing that costs more.

Texts, integers, booleans and what is nested of them become Python values. Everything else becomes the bytes
of its encoding, which tell equal values from others; times and decimals may have no Python value at all.
This module needs the extra `[parquet]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from aibom.domain.dataset import Kind, RowBatch, Schema, Type
from aibom.fingerprint.rows_arrow import ArrowRows, encoded, schema_of, type_of

if TYPE_CHECKING:
    import pyarrow as pa

_PLAIN = frozenset({Kind.NULL, Kind.BOOL, Kind.INT, Kind.FLOAT32, Kind.FLOAT64, Kind.STRING})
_NESTED = frozenset({Kind.LIST, Kind.STRUCT, Kind.MAP})


def encoded_batches(
    batches: Iterable[pa.RecordBatch],
) -> Iterator[tuple[ArrowRows, Schema, Callable[[int], RowBatch]]]:
    """Each batch, encoded, with its columns, and how its values are had. Raises `UnreadableError`."""
    for batch in batches:
        yield ArrowRows(batch), schema_of(batch.schema), partial(values_of, batch)


def values_of(batch: pa.RecordBatch, first: int) -> RowBatch:
    """A batch for `SignalPass`, and only for it. Raises `UnreadableError` as `rows_arrow` does."""
    kinds = [type_of(column.type) for column in batch.columns]
    return RowBatch(
        names=tuple(batch.schema.names),
        # Encoded values are no longer of the type of their column.
        types=tuple(kind if kind.kind is Kind.STRING else None for kind in kinds),
        columns=tuple(_values(column, kind) for column, kind in zip(batch.columns, kinds, strict=True)),
        rows=batch.num_rows,
        first=first,
    )


def _values(column: pa.Array, kind: Type) -> Sequence[object]:
    found: list[object] = (column if _is_plain(kind) else encoded(column)).to_pylist()
    return found


def _is_plain(kind: Type) -> bool:
    inner = all(_is_plain(field.type) for field in kind.fields)
    return kind.kind in _PLAIN or (kind.kind in _NESTED and inner)
