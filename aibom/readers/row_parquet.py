"""The rows of a Parquet file, as Arrow record batches that fit in memory.

Decoding is pyarrow's, from the extra `[parquet]`; what it may be given is decided before, from the
headers of pages. Everything that it decoded is checked, among others for text that is not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import KIB, MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.parquet_pages import Group, plan
from aibom.readers.row_text import at_row

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ENCODED_BYTES: Final = 24 * MIB  # of the rows that are held at a time
_VALUE_BYTES: Final = 24  # of a value without its text, and of the name's size
_LEAST_ROWS: Final = 256  # of a batch that is worth writing out
_BUFFER_BYTES: Final = 256 * KIB


class ReaderFile:
    """A `ByteReader` as the file object that pyarrow asks for."""

    closed = False

    def __init__(self, reader: ByteReader) -> None:
        self._reader, self._at = reader, 0

    def read(self, length: int = -1) -> bytes:
        left = self._reader.size - self._at
        data = self._reader.read_at(self._at, left if length < 0 else min(length, max(0, left)))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._reader.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._reader.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """The reader belongs to whoever opened it."""


def available() -> bool:
    """Whether the extra is installed; without it footers alone are read."""
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        return False
    return bool(pa) and bool(pyarrow.parquet)


@contextmanager
def decoding(rows: list[int]) -> Iterator[None]:
    """Errors of pyarrow as ours, and all of them with the number of the first row that is missing."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, LookupError, OverflowError, MemoryError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise at_row(rows[0], malformed(f"cannot be decoded: {lines[0][:160]}")) from None
    except UnreadableError as error:
        raise at_row(rows[0], error) from None


def parquet(reader: ByteReader) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file in order; columns may be dictionaries. Raises `UnreadableError`."""
    if not available():
        raise unsupported("rows of Parquet need the extra [parquet]")

    groups, done = plan(reader), [0]
    columns = sorted({path for group in groups for path, _ in group.dictionaries})
    with decoding(done):
        plain, indexed = _opened(reader), _opened(reader, columns)
        for number, group in enumerate(groups):
            before = done[0]
            text = _longest(indexed, number, group)
            # Written out at once where even the longest values fit, which is three times as fast.
            is_small = text is not None and group.batch(text) >= min(group.rows, _LEAST_ROWS)
            file, rows = (plain, group.batch(text or 0)) if is_small else (indexed, group.batch())
            for batch in file.iter_batches(rows, row_groups=[number], use_threads=False):
                batch.validate(full=True)
                yield from in_pieces(batch)
                done[0] += batch.num_rows
            if done[0] - before != group.rows:
                raise malformed(f"row group {number} holds {done[0] - before} rows, {group.rows} claimed")


def _opened(reader: ByteReader, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.ParquetFile(
        pa.PythonFile(ReaderFile(reader), mode="r"),
        read_dictionary=list(dictionaries),
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
        page_checksum_verification=True,
    )


def _longest(file: pq.ParquetFile, number: int, group: Group) -> int | None:
    """The longest values of all dictionaries of a row group together; None when that is not certain."""
    import pyarrow.compute as pc  # noqa: PLC0415

    sizes = dict(group.dictionaries)
    if not group.rows or not sizes:
        return 0
    # The first row comes with whole dictionaries. One that is smaller than its page is not whole.
    batch = next(file.iter_batches(1, row_groups=[number], columns=list(sizes), use_threads=False))
    total = 0
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        lengths = pc.binary_length(column.dictionary)
        known, size = (pc.sum(lengths).as_py() or 0) + 4 * len(lengths), sizes[name]
        if size is None or known < size:
            return None
        total += pc.max(lengths).as_py() or 0
    return total


def parquet_schema(reader: ByteReader) -> pa.Schema:
    """The schema that the batches of `parquet` have. Raises `UnreadableError`."""
    if not available():
        raise unsupported("rows of Parquet need the extra [parquet]")

    plan(reader)
    with decoding([0]):
        return _opened(reader).schema_arrow


def in_pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces whose encodings fit in memory. Raises limit for a row that does not."""
    rows = batch.num_rows
    pairs = zip(batch.schema.names, batch.columns, strict=True)
    taken = sum(_encoded_bytes(column, name) for name, column in pairs)
    if taken > ENCODED_BYTES:
        if rows == 1:
            raise over_limit(f"a row takes {taken} bytes, at most {ENCODED_BYTES} are read")
        yield from in_pieces(batch.slice(0, rows // 2))
        yield from in_pieces(batch.slice(rows // 2))
    elif rows:
        yield batch


def _encoded_bytes(column: pa.Array, name: str) -> int:
    """What the values take at most, with the name that stands in front of each."""
    import pyarrow as pa  # noqa: PLC0415

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _encoded_bytes(column.storage, name)
    least = len(column) * (len(name.encode()) + _VALUE_BYTES)
    if pa.types.is_struct(kind):
        pairs = zip(kind, column.flatten(), strict=True)
        return least + sum(_encoded_bytes(inner, field.name) for field, inner in pairs)
    if pa.types.is_map(kind):
        return least + _encoded_bytes(column.keys, "") + _encoded_bytes(column.items, "")
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        return least + _encoded_bytes(column.flatten(), "")
    if pa.types.is_dictionary(kind):
        return least + _written_out(column)
    return least + int(column.nbytes)


def _written_out(column: pa.Array) -> int:
    """The bytes of all values of a column that refers to a dictionary."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    kind, types = column.type.value_type, pa.types
    if types.is_nested(kind):
        raise unsupported("a dictionary of nested values")
    if any(
        test(kind)
        for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    ):
        return int(pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0)
    return len(column) * int(kind.bit_width // 8 + 1)
