"""Arrow IPC: facts equal what pyarrow says about the same bytes, and nothing hostile gets through."""

from __future__ import annotations

import io
import struct
import tracemalloc

import pyarrow as pa
import pyarrow.ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts
from aibom.domain.protocols import Format, Match
from aibom.formats import arrow
from aibom.formats.arrow import FEATHER_FORMAT, FILE_FORMAT, STREAM_FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

BOTH = pytest.mark.parametrize("fmt", [FILE_FORMAT, STREAM_FORMAT], ids=["file", "stream"])


def written(fmt: Format, content: pa.Table | pa.Schema, chunk: int | None = None, **options: object) -> bytes:
    sink = io.BytesIO()
    make = pa.ipc.new_file if fmt is FILE_FORMAT else pa.ipc.new_stream
    schema = content if isinstance(content, pa.Schema) else content.schema
    with make(sink, schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        if isinstance(content, pa.Table):
            writer.write_table(content, max_chunksize=chunk)
    return sink.getvalue()


def check_against_oracle(facts: Facts, schema: pa.Schema, rows: int) -> None:
    assert [(c.name, c.nullable) for c in facts.columns] == [(f.name, f.nullable) for f in schema]
    # pyarrow does not say that run ends are never null, the schema does.
    types = [c.type.replace("run_ends: int16 not null", "run_ends: int16") for c in facts.columns]
    assert types == [str(f.type) for f in schema]
    assert facts.rows == rows
    assert facts.defects == ()


def fixture(name: str) -> bytes:
    return (FIXTURES / "arrow" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("file.arrow", FILE_FORMAT),
        ("v2.feather", FILE_FORMAT),
        ("stream.arrow", STREAM_FORMAT),
        ("legacy.arrow", STREAM_FORMAT),
    ],
)
def test_schema_and_rows_equal_the_reference_library(name: str, fmt: Format) -> None:
    open_with = pa.ipc.open_file if fmt is FILE_FORMAT else pa.ipc.open_stream
    facts = read_fixture(fmt, f"arrow/{name}")
    table = open_with(fixture(name)).read_all()
    check_against_oracle(facts, table.schema, table.num_rows)
    assert (facts.format, facts.version) == (fmt.name, "V5")


@pytest.mark.parametrize("name", ["file.arrow", "stream.arrow"])
def test_annotations_are_kept(name: str) -> None:
    fmt = FILE_FORMAT if name.startswith("file") else STREAM_FORMAT
    metadata = dict(read_fixture(fmt, f"arrow/{name}").metadata)
    assert metadata["huggingface.features"] == "text: Value, kind: ClassLabel"
    assert metadata["huggingface"].startswith('{"info"')


def test_headers_are_covered() -> None:
    facts = read_fixture(FILE_FORMAT, "arrow/file.arrow")
    data = fixture("file.arrow")
    footer = int.from_bytes(data[-10:-6], "little") + 10
    assert [(s.start, s.end) for s in facts.covered] == [(0, 536), (len(data) - footer, len(data))]
    (span,) = read_fixture(STREAM_FORMAT, "arrow/stream.arrow").covered
    assert (span.start, span.end) == (0, 536 - 8)


def test_feather_1_is_recognised_and_not_read() -> None:
    data = fixture("v1.feather")
    assert FEATHER_FORMAT.recognise(probe_of(data, "x.bin")) is Match.CONTENT
    with pytest.raises(UnreadableError, match="version 1") as caught:
        read(FEATHER_FORMAT, data, "v1.feather")
    assert caught.value.reason is Reason.UNSUPPORTED


LEAVES = st.sampled_from(
    [
        pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.string(),
        pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(7),
        pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
        pa.timestamp("s"), pa.timestamp("ns", tz="Europe/Berlin"), pa.duration("ms"), pa.duration("s"),
        pa.month_day_nano_interval(), pa.decimal32(5, 2), pa.decimal128(20, -3), pa.decimal256(60, 3),
        pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.uint32(), pa.int64(), ordered=True),
        pa.run_end_encoded(pa.int16(), pa.string()),
    ]
)  # fmt: skip


def members(types: list[pa.DataType]) -> list[pa.Field]:
    return [pa.field(f"f{i}", t, nullable=i != 1 or t == pa.null()) for i, t in enumerate(types)]


TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(pa.large_list),
        inner.map(pa.list_view),
        inner.map(pa.large_list_view),
        inner.map(lambda t: pa.list_(t, 3)),
        st.tuples(inner, st.booleans()).map(lambda t: pa.map_(pa.string(), t[0], keys_sorted=t[1])),
        st.lists(inner, max_size=3).map(lambda types: pa.struct(members(types))),
        st.lists(inner, min_size=1, max_size=3).map(lambda types: pa.dense_union(members(types))),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda types: pa.sparse_union(members(types), [7, 9][: len(types)])
        ),
    ),
    max_leaves=4,
)


@BOTH
@settings(max_examples=80, deadline=None)
@given(types=st.lists(TYPES, max_size=4), nullable=st.booleans())
def test_any_schema_of_the_reference_writer_is_read(
    fmt: Format, types: list[pa.DataType], nullable: bool
) -> None:
    fields = [pa.field(f"c{i}", t, nullable or t == pa.null()) for i, t in enumerate(types)]
    schema = pa.schema(fields)
    check_against_oracle(read(fmt, written(fmt, schema), "d.arrow"), schema, 0)


@BOTH
@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 40), chunk=st.integers(1, 20), compression=st.sampled_from([None, "lz4", "zstd"]))
def test_any_number_of_batches_adds_up(fmt: Format, rows: int, chunk: int, compression: str | None) -> None:
    table = pa.table({"a": range(rows), "k": pa.array(["x"] * rows).dictionary_encode()})
    data = written(fmt, table, chunk, compression=compression)
    check_against_oracle(read(fmt, data, "d.arrow"), table.schema, rows)


def test_the_older_metadata_version_is_told() -> None:
    data = written(STREAM_FORMAT, pa.table({"a": [1]}), metadata_version=pa.ipc.MetadataVersion.V4)
    assert read(STREAM_FORMAT, data, "d.arrow").version == "V4"


def test_an_extension_is_named_behind_what_is_stored() -> None:
    data = written(STREAM_FORMAT, pa.schema([("id", pa.uuid())]))
    assert read(STREAM_FORMAT, data, "d.arrow").columns[0].type == "fixed_size_binary[16] (arrow.uuid)"


MAGIC = b"ARROW1"


@pytest.mark.parametrize(
    ("fmt", "data", "reason", "words"),
    [
        (STREAM_FORMAT, b"", Reason.TRUNCATED, "header of 0 bytes"),
        (STREAM_FORMAT, b"\0" * 8, Reason.MALFORMED, "not a schema"),
        (STREAM_FORMAT, b"\xff" * 8, Reason.TRUNCATED, "header of -1 bytes"),
        (STREAM_FORMAT, b"\xff" * 4 + b"\xff\xff\xff\x7f", Reason.LIMIT, "header of 2147483647 bytes"),
        (STREAM_FORMAT, b"\xff" * 4 + b"\x00\x01\0\0" + b"\0" * 8, Reason.TRUNCATED, "header of 256 bytes"),
        (STREAM_FORMAT, b"\xff" * 4 + b"\x08\0\0\0" + b"\xff" * 8, Reason.MALFORMED, "leaves its message"),
        (STREAM_FORMAT, fixture("stream.arrow")[528:], Reason.MALFORMED, "not a schema"),
        (FILE_FORMAT, b"", Reason.TRUNCATED, "too few"),
        (FILE_FORMAT, MAGIC + b"\0" * 30, Reason.TRUNCATED, "does not end with ARROW1"),
        (FILE_FORMAT, MAGIC + b"\0\0" + b"\xff" * 4 + MAGIC, Reason.MALFORMED, "claims 4294967295 bytes"),
        (FILE_FORMAT, MAGIC + b"\0\0" + b"\0" * 4 + MAGIC, Reason.MALFORMED, "leaves its message"),
    ],
)
def test_hostile_fronts_and_footers_are_named(fmt: Format, data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read(fmt, data, "d.arrow")
    assert caught.value.reason is reason


def damaged(change: bytes, at: int, index: int = 0) -> bytes:
    """A file of two record batches with bytes changed in one of the two blocks of its footer."""
    data = written(FILE_FORMAT, pa.table({"a": [1, 2, 3]}), 2)
    start = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    blocks = [place for place in range(start, len(data) - 24) if is_block(data, place)]
    place = blocks[index] + at
    return data[:place] + change + data[place + len(change) :]


def is_block(data: bytes, place: int) -> bool:
    """True when the bytes at a place point at a message and give its size."""
    offset, head = struct.unpack_from("<qi", data, place)
    return 8 <= offset < len(data) and data[offset : offset + 8] == b"\xff" * 4 + struct.pack("<i", head - 8)


@pytest.mark.parametrize(
    ("fmt", "data", "words", "rows"),
    [
        (STREAM_FORMAT, fixture("stream.arrow") + b"payload", "7 bytes after the end of the stream", 3),
        (STREAM_FORMAT, fixture("stream.arrow")[:-8] + b"\0", "header of 0 bytes", None),
        (STREAM_FORMAT, fixture("stream.arrow")[:-20], "message body of", None),
        (STREAM_FORMAT, fixture("stream.arrow")[:-8] + b"\xff" * 8, "header of -1 bytes", None),
        (STREAM_FORMAT, fixture("stream.arrow")[:-8] + fixture("stream.arrow")[:528], "not type 1", None),
        (FILE_FORMAT, damaged(b"\xff", 7), "overlaps another or leaves the file", None),
        (FILE_FORMAT, damaged(b"\xff" * 8, 16), "overlaps another or leaves the file", None),
        (FILE_FORMAT, damaged(struct.pack("<q", 8), 0, 1), "overlaps another or leaves the file", None),
        (FILE_FORMAT, damaged(b"\x08", 16), "another size than its header", None),
        (FILE_FORMAT, damaged(struct.pack("<qi4xq", 8, 128, 0), 0), "not type 1 of", None),
        (FILE_FORMAT, b"HIDING" + fixture("file.arrow")[6:], "not that of the footer", 3),
        (FILE_FORMAT, fixture("file.arrow").replace(b"kind", b"kiln", 2), "not that of the footer", 3),
    ],
)
def test_damage_behind_the_schema_is_a_defect(fmt: Format, data: bytes, words: str, rows: int | None) -> None:
    facts = read(fmt, data, "d.arrow")
    assert len(facts.columns) > 0
    assert facts.rows == rows
    assert [words in d.message for d in facts.defects] == [True], facts.defects


def test_names_that_repeat_or_hide_are_defects() -> None:
    table = pa.schema([("a", pa.int8()), ("a", pa.int8()), ("b\u200bc", pa.int8())])
    facts = read(STREAM_FORMAT, written(STREAM_FORMAT, table), "d.arrow")
    assert [d.message for d in facts.defects] == [
        "1 column names occur more than once, the first is 'a'",
        "1 column names hide characters, the first is 'b\\u200bc'",
    ]


def test_a_stream_without_an_end_mark_is_whole() -> None:
    assert read(STREAM_FORMAT, fixture("stream.arrow")[:-8], "d.arrow").defects == ()


def test_rows_beyond_64_bits_are_refused() -> None:
    data = written(STREAM_FORMAT, pa.table({"a": pa.nulls(6)}), 3)
    facts = read(STREAM_FORMAT, data.replace(struct.pack("<q", 3), struct.pack("<q", 2**62)), "d.arrow")
    assert facts.rows is None
    assert facts.defects[0].message == f"the record batches claim {2**63} rows"


@BOTH
def test_the_number_of_messages_is_limited(fmt: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow._arrow_messages, "MESSAGE_COUNT", 3)
    facts = read(fmt, written(fmt, pa.table({"a": [1, 2, 3, 4]}), 1), "d.arrow")
    assert (facts.rows, facts.defects[0].reason) == (None, Reason.LIMIT)


def test_deep_nesting_is_a_limit() -> None:
    kind: pa.DataType = pa.int8()
    for _ in range(63):
        kind = pa.list_(kind)
    data = written(STREAM_FORMAT, pa.schema([("a", kind)]))
    assert read(STREAM_FORMAT, data, "d.arrow").columns[0].type.endswith("more characters]")
    data = pa.schema([("a", pa.list_(pa.list_(kind)))]).serialize().to_pybytes()
    with pytest.raises(UnreadableError, match="nested deeper") as caught:
        read(STREAM_FORMAT, data, "d.arrow")
    assert caught.value.reason is Reason.LIMIT


def test_a_file_cut_anywhere_is_refused() -> None:
    for data in truncations(fixture("file.arrow")):
        assert isinstance(outcome(FILE_FORMAT, data, "d.arrow"), UnreadableError)


def test_a_stream_cut_anywhere_is_refused_or_has_fewer_rows() -> None:
    for data in truncations(fixture("stream.arrow")[:-8]):
        found = outcome(STREAM_FORMAT, data, "d.arrow")
        assert isinstance(found, UnreadableError) or found.rows in (None, 0, 2)


@pytest.mark.parametrize(
    ("fmt", "name"),
    [(FILE_FORMAT, "file.arrow"), (STREAM_FORMAT, "stream.arrow"), (STREAM_FORMAT, "legacy.arrow")],
)
def test_changed_bytes_raise_nothing_else(fmt: Format, name: str) -> None:
    for data in flips(fixture(name), 250):
        outcome(fmt, data, name)


@BOTH
@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200))
def test_arbitrary_messages_raise_nothing_else(fmt: Format, body: bytes) -> None:
    message = b"\xff" * 4 + struct.pack("<i", len(body)) + body
    footer = body + struct.pack("<i", len(body)) + MAGIC
    outcome(fmt, MAGIC + b"\0\0" + message + footer if fmt is FILE_FORMAT else message, "d.arrow")


@BOTH
def test_claims_cost_little_memory(fmt: Format) -> None:
    table = pa.schema([(f"column {i}", pa.int8()) for i in range(500)])
    data = written(fmt, table)
    tracemalloc.start()
    for copy in flips(data, 5, seed=7):
        outcome(fmt, copy, "d.arrow")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000


def test_recognised_by_content_under_any_name() -> None:
    file, stream, legacy = fixture("file.arrow"), fixture("stream.arrow"), fixture("legacy.arrow")
    assert FILE_FORMAT.recognise(probe_of(file, "x.bin")) is Match.CONTENT
    assert FILE_FORMAT.recognise(probe_of(stream, "x.arrow")) is Match.NAME
    assert FILE_FORMAT.recognise(probe_of(stream, "x.bin")) is Match.NO
    assert STREAM_FORMAT.recognise(probe_of(stream, "x.bin")) is Match.CONTENT
    assert STREAM_FORMAT.recognise(probe_of(legacy, "x.arrow")) is Match.CONTENT
    assert STREAM_FORMAT.recognise(probe_of(legacy, "x.bin")) is Match.NO
    assert STREAM_FORMAT.recognise(probe_of(b"\xff" * 100, "x.arrows")) is Match.NAME
    assert FEATHER_FORMAT.recognise(probe_of(file, "x.feather")) is Match.NO
