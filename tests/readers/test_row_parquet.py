"""The rows of Parquet and Arrow files: the same as in CSV and JSON Lines, and never more than fits."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from aibom.domain.dataset import DatasetFingerprint, Field, Kind, RowForm, Schema, Type, Unit
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.fingerprint.dataset import DatasetPass, Wanted, fingerprint_rows
from aibom.fingerprint.rows_arrow import ArrowRows, schema_of
from aibom.readers import parquet_pages, row_arrow, row_csv, row_jsonl, row_parquet
from aibom.readers.ranges import Memory
from tests.hostile import flips

Read = Callable[[ByteReader], Iterator[pa.RecordBatch]]


def parquet_of(table: pa.Table, **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


def arrow_of(table: pa.Table, *, stream: bool = False, **how: Any) -> bytes:
    out = io.BytesIO()
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opened(out, table.schema, options=pa.ipc.IpcWriteOptions(**how)) as writer:
        writer.write_table(table, max_chunksize=300)
    return out.getvalue()


def of(data: bytes, read: Read = row_parquet.parquet, schema: Schema | None = None) -> DatasetFingerprint:
    whole = DatasetPass(RowForm.TYPED, Wanted())
    for batch in read(Memory(data)):
        whole.feed(ArrowRows(batch))
    return whole.finish(schema)


def rows(count: int = 1_000) -> list[dict[str, Any]]:
    chance = random.Random(1)
    return [
        {
            "id": number,
            "text": None if number % 11 == 0 else f"täxt, {chance.random()}\n" * (number % 4 + 1),
            "score": chance.random(),
            "label": "ab"[number % 2],
            "ok": number % 3 == 0,
        }
        for number in range(count)
    ]


DECLARED = Schema(
    fields=(
        Field(name="id", type=Type(kind=Kind.INT)),
        Field(name="text", type=Type(kind=Kind.STRING)),
        Field(name="score", type=Type(kind=Kind.FLOAT64)),
        Field(name="label", type=Type(kind=Kind.STRING)),
        Field(name="ok", type=Type(kind=Kind.BOOL)),
    )
)


def table() -> pa.Table:
    return pa.Table.from_pylist(rows())


def written() -> dict[str, tuple[bytes, Read]]:
    found = table()
    nested = found.set_column(3, "label", found["label"].dictionary_encode())
    return {
        "plain": (parquet_of(found, use_dictionary=False), row_parquet.parquet),
        "groups": (parquet_of(found, row_group_size=70, compression="zstd"), row_parquet.parquet),
        "dictionaries": (parquet_of(found, dictionary_pagesize_limit=500), row_parquet.parquet),
        "second-pages": (parquet_of(found, data_page_version="2.0", data_page_size=600), row_parquet.parquet),
        "checksums": (parquet_of(found, write_page_checksum=True), row_parquet.parquet),
        "delta": (
            parquet_of(found, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}),
            row_parquet.parquet,
        ),
        "arrow-file": (arrow_of(found), row_arrow.arrow),
        "arrow-stream": (arrow_of(nested, stream=True), row_arrow.arrow),
        "arrow-zstd": (arrow_of(nested, compression="zstd"), row_arrow.arrow),
    }


WRITTEN = written()


def in_text() -> tuple[DatasetFingerprint, DatasetFingerprint]:
    out = io.BytesIO()
    pyarrow.csv.write_csv(table(), out)
    lines = "".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows())
    return (
        fingerprint_rows(row_csv.records(Memory(out.getvalue()), DECLARED), schema=DECLARED),
        fingerprint_rows(row_jsonl.records(Memory(lines.encode()), DECLARED), schema=DECLARED),
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_rows_have_one_fingerprint_in_every_format(name: str) -> None:
    data, read = WRITTEN[name]
    by_csv, by_json = in_text()
    assert of(data, read, DECLARED) == by_csv == by_json


def test_the_schema_of_a_file_is_the_declared_one() -> None:
    assert schema_of(row_parquet.parquet_schema(Memory(WRITTEN["plain"][0]))) == DECLARED


def test_nested_columns_are_the_same_in_parquet_and_json() -> None:
    values = [
        {"a": [{"b": [1, None]}, None], "c": {"d": "x"}},
        {"a": [], "c": {"d": None}},
        {"a": None, "c": None},
    ]
    data = parquet_of(pa.Table.from_pylist(values))
    lines = "".join(json.dumps(value) + "\n" for value in values)
    schema = schema_of(row_parquet.parquet_schema(Memory(data)))
    assert of(data) == fingerprint_rows(row_jsonl.records(Memory(lines.encode())))
    assert of(data, schema=schema).schema is not None


def test_times_of_parquet_and_text_are_the_same() -> None:
    values = pa.array([1_577_840_461_500, None], pa.timestamp("ms", "UTC"))
    declared = Schema(
        fields=(Field(name="t", type=Type(kind=Kind.TIMESTAMP, unit=Unit.MILLISECOND, zone="UTC")),)
    )
    lines = b'{"t":"2020-01-01T01:01:01.500Z"}\n{"t":null}\n'
    assert of(parquet_of(pa.table({"t": values})), schema=declared) == fingerprint_rows(
        row_jsonl.records(Memory(lines), declared), schema=declared
    )


@pytest.mark.parametrize("name", ["plain", "dictionaries", "checksums", "arrow-file", "arrow-zstd"])
def test_flipped_bytes_change_the_fingerprint_or_are_refused(name: str) -> None:
    data, read = WRITTEN[name]
    front, seen = data[:2_000] + data[-2_000:], 0
    assert len(front) == 4_000
    for copy in flips(front, 60):
        changed = copy[:2_000] + data[2_000:-2_000] + copy[2_000:]
        try:
            assert of(changed, read).rows <= 1_000
        except UnreadableError:
            seen += 1
    assert seen


@pytest.mark.parametrize("name", ["plain", "arrow-file"])
def test_a_cut_file_is_refused(name: str) -> None:
    data, read = WRITTEN[name]
    for length in (0, 3, 11, 100, len(data) // 2, len(data) - 9, len(data) - 1):
        with pytest.raises(UnreadableError):
            of(data[:length], read)


def footer_of(data: bytes) -> tuple[int, bytes]:
    length = struct.unpack("<I", data[-8:-4])[0]
    return len(data) - 8 - length, data[-8 - length : -8]


def test_a_footer_that_lies_about_rows_is_refused() -> None:
    data = parquet_of(
        pa.table({"a": pa.array(range(100), pa.int8())}), compression="none", store_schema=False
    )
    start, footer = footer_of(data)
    # 100 rows are written as the zigzag varint c8 01: in the footer, the row group and the column chunk.
    places = [at for at in range(len(footer)) if footer[at : at + 2] == b"\xc8\x01"]
    refused = 0
    for at in places:
        other = bytearray(data)
        other[start + at] = 0xCA
        try:
            assert of(bytes(other)) == of(data)
        except UnreadableError:
            refused += 1
    assert refused >= 3


def test_a_row_group_of_repetitions_is_read_in_pieces_that_fit() -> None:
    # 40,000 rows of 20 KB each, in a file of a few KB: 800 MB of text.
    indexes = pa.array([0] * 40_000, pa.int32())
    repeated = pa.DictionaryArray.from_arrays(indexes, ["x" * 20_000])
    data = parquet_of(pa.table({"a": repeated}), store_schema=False)
    assert len(data) < MIB
    before = pa.total_allocated_bytes()
    most = 0
    for batch in row_parquet.parquet(Memory(data)):
        encoded = ArrowRows(batch)
        most = max(most, pa.total_allocated_bytes() - before)
        assert len(encoded.rows) == batch.num_rows
        break
    assert 0 < most < 150 * MIB


def test_a_page_that_inflates_too_far_is_refused() -> None:
    data = parquet_of(pa.table({"a": ["x" * 20 * MIB]}), compression="zstd", use_dictionary=False)
    with pytest.raises(UnreadableError, match="a page of") as caught:
        of(data)
    assert caught.value.reason is Reason.LIMIT
    assert caught.value.offset == 4


def test_an_arrow_batch_that_inflates_too_far_is_refused() -> None:
    data = arrow_of(pa.table({"a": ["x" * 65 * MIB]}), compression="zstd")
    with pytest.raises(UnreadableError, match="inflates to more than") as caught:
        of(data, row_arrow.arrow)
    assert caught.value.reason is Reason.LIMIT


def test_long_names_make_small_batches_and_a_row_that_does_not_fit_is_refused() -> None:
    values = pa.array([{"x" * 100_000: None}] * 1_000, pa.struct([("x" * 100_000, pa.int8())]))
    data = arrow_of(pa.table({"a": values}))
    sizes = [batch.num_rows for batch in row_arrow.arrow(Memory(data))]
    assert sum(sizes) == 1_000
    assert max(sizes) <= row_parquet.ENCODED_BYTES // 100_000
    with pytest.raises(UnreadableError, match="row 1: a row takes"):
        of(arrow_of(pa.table({"a": ["x" * 25 * MIB]})), row_arrow.arrow)


@pytest.mark.parametrize("depth", [20, 100])
def test_types_a_hundred_deep_are_refused(depth: int) -> None:
    kind: Any = pa.int8()
    for _ in range(depth):
        kind = pa.struct([("a", kind)])
    data = parquet_of(pa.table({"a": pa.nulls(1, kind)}))
    if depth < 64:
        assert of(data).rows == 1
        return
    with pytest.raises(UnreadableError, match="nested deeper") as caught:
        of(data)
    assert caught.value.reason is Reason.LIMIT


def test_text_that_is_not_utf_8_is_refused_with_its_row() -> None:
    text = pa.array([b"x"] * 5_000 + [b"\xff"]).view(pa.string())
    with pytest.raises(UnreadableError, match="row 4097: cannot be decoded"):
        of(parquet_of(pa.table({"a": text}), use_dictionary=False))


def test_offsets_that_leave_an_arrow_batch_are_refused() -> None:
    data = arrow_of(pa.table({"a": ["abcdef", "ghi"]}), stream=True)
    at = data.index(struct.pack("<3i", 0, 6, 9))
    with pytest.raises(UnreadableError, match="row 1: cannot be decoded"):
        of(data[: at + 8] + struct.pack("<i", 1 << 30) + data[at + 12 :], row_arrow.arrow)


def test_encrypted_and_foreign_columns_are_refused() -> None:
    data = WRITTEN["plain"][0]
    with pytest.raises(UnreadableError) as caught:
        of(data[:-4] + b"PARE")
    assert caught.value.reason is Reason.ENCRYPTED


def test_without_the_extra_rows_are_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_parquet, "available", lambda: False)
    monkeypatch.setattr(row_arrow, "available", lambda: False)
    for read in (row_parquet.parquet, row_arrow.arrow):
        with pytest.raises(UnreadableError, match=r"extra \[parquet\]"):
            next(read(Memory(b"")))


def test_many_small_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "PAGE_COUNT", 3)
    with pytest.raises(UnreadableError, match="more than 3 pages"):
        of(WRITTEN["plain"][0])
