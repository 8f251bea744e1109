"""Parquet: facts equal what pyarrow says about the same footer, and nothing hostile gets through."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Capability, Facts, Span
from aibom.domain.protocols import Match
from aibom.formats.parquet import FORMAT
from tests import thrift
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

READABLE = ["reviews", "types", "types-v1", "no-columns"]
UNITS = {"milliseconds": "MILLIS", "microseconds": "MICROS", "nanoseconds": "NANOS"}


def expected_type(column: pq.ColumnSchema) -> str:
    """What the oracle says about a column, in the words of the Parquet specification."""
    physical = column.physical_type
    if physical == "FIXED_LEN_BYTE_ARRAY":
        physical += f"({column.length})"
    logical = json.loads(column.logical_type.to_json())
    kind = {"Int": "INTEGER", "Null": "UNKNOWN"}.get(logical["Type"], logical["Type"].upper())
    if kind == "NONE":
        return physical
    if kind == "DECIMAL":
        kind += f"({logical['precision']},{logical['scale']})"
    elif kind in ("TIME", "TIMESTAMP"):
        kind += f"({UNITS[logical['timeUnit']]},{str(logical['isAdjustedToUTC']).lower()})"
    elif kind == "INTEGER":
        kind += f"({logical['bitWidth']},{str(logical['isSigned']).lower()})"
    return f"{physical} ({kind})"


def check_against_oracle(facts: Facts, data: bytes) -> None:
    oracle = pq.ParquetFile(io.BytesIO(data))
    schema = [oracle.schema.column(i) for i in range(len(oracle.schema))]
    assert [c.name for c in facts.columns] == [c.path for c in schema]
    assert [c.type for c in facts.columns] == [expected_type(c) for c in schema]
    assert [c.nullable for c in facts.columns] == [
        c.max_definition_level > c.max_repetition_level for c in schema
    ]
    assert facts.rows == oracle.metadata.num_rows
    assert facts.metadata[:2] == (
        ("created_by", oracle.metadata.created_by),
        ("row_groups", str(oracle.metadata.num_row_groups)),
    )
    keys = {key for key, _ in facts.metadata[2:]} - {"huggingface.features"}
    assert keys == {key.decode() for key in oracle.metadata.metadata or {}}


def written(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def refusal(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "d.parquet")
    return caught.value


@pytest.mark.parametrize("name", READABLE)
def test_schema_and_rows_equal_the_reference_library(name: str) -> None:
    path = f"parquet/{name}.parquet"
    facts = read_fixture(FORMAT, path)
    check_against_oracle(facts, (FIXTURES / path).read_bytes())
    assert facts.defects == ()


def test_footer_and_magics_are_covered() -> None:
    data = (FIXTURES / "parquet/reviews.parquet").read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    facts = read_fixture(FORMAT, "parquet/reviews.parquet")
    assert facts.covered == (Span(start=0, end=4), Span(start=len(data) - 8 - length, end=len(data)))


def test_annotations_are_kept_and_serialised_schemas_told_by_size() -> None:
    metadata = dict(read_fixture(FORMAT, "parquet/reviews.parquet").metadata)
    assert metadata["huggingface.features"] == "text: Value, label: ClassLabel"
    assert json.loads(metadata["huggingface"])["info"]["features"]["label"]["names"][1] == "positive"
    assert metadata["ARROW:schema"].endswith(" bytes)")


def test_features_are_parsed_once_however_often_they_are_attached() -> None:
    value = json.dumps({"info": {"features": {"a": {"_type": "Image"}}}})
    pair = thrift.struct({1: thrift.binary("huggingface"), 2: thrift.binary(value)})
    broken = thrift.struct({1: thrift.binary("huggingface"), 2: thrift.binary("free text")})
    keys = [key for key, _ in read(FORMAT, packed(_5=thrift.listed(pair, pair)), "d.parquet").metadata[2:]]
    assert keys == ["huggingface", "huggingface.features", "huggingface"]
    assert len(read(FORMAT, packed(_5=thrift.listed(broken)), "d.parquet").metadata) == 3


def test_an_encrypted_footer_is_a_gap_of_its_own() -> None:
    error = refusal((FIXTURES / "parquet/encrypted-footer.parquet").read_bytes())
    assert error.reason is Reason.ENCRYPTED


def test_encrypted_columns_are_told_with_the_plain_schema() -> None:
    facts = read_fixture(FORMAT, "parquet/encrypted-column.parquet")
    assert [c.name for c in facts.columns] == ["text", "label"]
    assert facts.capabilities == {Capability.ENCRYPTED}
    assert [d.reason for d in facts.defects] == [Reason.ENCRYPTED]


LEAVES = st.sampled_from(
    [
        pa.bool_(), pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float16(), pa.float64(), pa.string(),
        pa.large_string(), pa.binary(), pa.binary(3), pa.date32(), pa.time32("ms"), pa.time64("us"),
        pa.timestamp("ns"), pa.timestamp("ms", tz="UTC"), pa.decimal128(30, 4), pa.null(),
    ]
)  # fmt: skip
TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(lambda t: pa.map_(pa.string(), t)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda types: pa.struct(
                [pa.field(f"f{i}", t, nullable=i != 1 or t == pa.null()) for i, t in enumerate(types)]
            )
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TYPES, max_size=4), st.booleans(), st.sampled_from(["1.0", "2.6"]))
def test_any_schema_of_the_reference_writer_is_read(
    types: list[pa.DataType], nullable: bool, version: str
) -> None:
    fields = [pa.field(f"c{i}", t, nullable or t == pa.null()) for i, t in enumerate(types)]
    data = written(pa.schema(fields).empty_table(), version=version, write_page_index=nullable)
    facts = read(FORMAT, data, "d.parquet")
    check_against_oracle(facts, data)
    assert facts.defects == ()


@pytest.mark.parametrize("kind", [pa.uuid(), pa.json_()])
def test_types_of_extensions_are_those_of_the_reference_library(kind: pa.DataType) -> None:
    data = written(pa.schema([("x", kind)]).empty_table())
    check_against_oracle(read(FORMAT, data, "d.parquet"), data)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), st.integers(1, 20), st.sampled_from(["none", "snappy", "zstd"]), st.booleans())
def test_any_number_of_row_groups_adds_up(rows: int, size: int, compression: str, dictionary: bool) -> None:
    table = pa.table({"a": range(rows), "b": ["x"] * rows})
    data = written(table, row_group_size=size, compression=compression, use_dictionary=dictionary)
    facts = read(FORMAT, data, "d.parquet")
    check_against_oracle(facts, data)
    assert facts.defects == ()


def test_bloom_filters_lie_inside_the_data() -> None:
    data = written(pa.table({"a": ["x", "y"]}), bloom_filter_options={"a": True})
    assert read(FORMAT, data, "d.parquet").defects == ()


def test_a_summary_file_names_the_files_that_it_stands_for(tmp_path: Path) -> None:
    collected: list[pq.FileMetaData] = []
    pq.write_to_dataset(pa.table({"a": [1, 2]}), tmp_path, metadata_collector=collected)
    pq.write_metadata(pa.schema([("a", pa.int64())]), tmp_path / "_metadata", metadata_collector=collected)
    facts = read(FORMAT, (tmp_path / "_metadata").read_bytes(), "_metadata")
    assert facts.shards == tuple(path.name for path in tmp_path.glob("*.parquet"))
    assert (facts.rows, facts.defects) == (2, ())


def element(name: str | bytes, kind: int | None = None, children: int | None = None) -> tuple[int, bytes]:
    fields = {4: thrift.binary(name)}
    if kind is not None:
        fields[1] = thrift.integer(kind)
    if children is not None:
        fields[5] = thrift.integer(children)
    return thrift.struct(fields)


def chunk(offset: int = 4, length: int = 4, **more: tuple[int, bytes]) -> tuple[int, bytes]:
    fields = {3: thrift.struct({7: thrift.integer(length), 9: thrift.integer(offset)})}
    return thrift.struct(fields | {int(key[1:]): value for key, value in more.items()})


def group(*chunks: tuple[int, bytes], rows: int = 1) -> tuple[int, bytes]:
    return thrift.struct({1: thrift.listed(*chunks), 3: thrift.integer(rows)})


ONE_COLUMN = (element("schema", children=1), element("a", 1))


def packed(
    schema: tuple[tuple[int, bytes], ...] = ONE_COLUMN,
    groups: tuple[tuple[int, bytes], ...] = (group(chunk()),),
    rows: int = 1,
    tail: bytes = b"",
    **more: tuple[int, bytes],
) -> bytes:
    """A file of four bytes of data and a footer with any content."""
    fields = {
        1: thrift.integer(2),
        2: thrift.listed(*schema),
        3: thrift.integer(rows),
        4: thrift.listed(*groups),
    }
    fields |= {int(key[1:]): value for key, value in more.items()}
    footer = thrift.struct({i: field for i, field in fields.items() if field[0]})[1] + tail
    return b"PAR1data" + footer + struct.pack("<I", len(footer)) + b"PAR1"


def test_a_hand_made_footer_is_read_without_defects() -> None:
    facts = read(FORMAT, packed(), "d.parquet")
    assert [(c.name, c.type, c.nullable) for c in facts.columns] == [("a", "INT32", False)]
    assert facts.defects == ()


ABSENT = (0, b"")


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "too few"),
        (b"PAR1" + b"\0" * 20, Reason.TRUNCATED, "does not end with PAR1"),
        (b"PAR1" + b"\xff" * 4 + b"PAR1", Reason.MALFORMED, "claims 4294967295 bytes"),
        (packed(_4=ABSENT), Reason.MALFORMED, "lacks field 4"),
        (packed(_2=thrift.integer(1)), Reason.MALFORMED, "a list is expected"),
        (packed((element("s", children=2), element("a", 1))), Reason.MALFORMED, "ends before its groups"),
        (packed((*ONE_COLUMN, element("b", 1))), Reason.MALFORMED, "more elements"),
        (packed((element("s", children=1),) * 70), Reason.LIMIT, "nested too deeply"),
        (packed(_2=thrift.listed(count=2**60)), Reason.LIMIT, "values"),
        (packed(_4=thrift.listed(count=2**60)), Reason.LIMIT, "values"),
        (packed(groups=(group(*[chunk()] * 10_001),)), Reason.LIMIT, "at most 10000"),
    ],
)
def test_hostile_footers_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(data)
    assert error.reason is reason
    assert words in str(error)


def test_a_field_that_occurs_twice_is_refused() -> None:
    footer = b"\x15\x04\x05\x02\x04\0"
    error = refusal(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    assert "field 1 of the footer occurs twice" in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed(rows=2), "claims 2 rows, its row groups 1"),
        (packed(rows=-1), "claims -1 rows"),
        (packed(groups=(group(), group(chunk(), rows=0))), "1 row groups have another number of columns"),
        (packed(groups=(group(chunk(offset=2)),)), "1 column chunks lie outside"),
        (packed(groups=(group(chunk(offset=2**62)),)), "1 column chunks lie outside"),
        (packed(groups=(group(chunk(length=5)),)), "1 column chunks lie outside"),
        (packed(groups=(group(chunk(length=-5)),)), "1 column chunks lie outside"),
        (packed(groups=(group(chunk(_4=thrift.integer(4))),)), "1 column chunks lie outside"),
        (packed(tail=b"hidden"), "6 bytes of the footer belong to no field"),
        (b"HIDE" + packed()[4:], "does not begin with PAR1"),
        (
            packed(
                (element("s", children=2), element("a", 1), element("a", 2)),
                (group(chunk(), chunk()),),
            ),
            "1 column names occur more than once, the first is 'a'",
        ),
        (
            packed((element("s", children=1), element("a\u202eb", 1))),
            r"1 column names hide characters, the first is 'a\u202eb'",
        ),
        (packed((element("s", children=1), element(b"\xff", 1))), r"the first is '\xff'"),
    ],
)
def test_contradictions_are_defects_and_the_schema_is_still_told(data: bytes, words: str) -> None:
    facts = read(FORMAT, data, "d.parquet")
    assert len(facts.columns) > 0
    assert len(facts.defects) == 1
    assert words in facts.defects[0].message


def test_too_many_columns_and_annotations_are_cut_with_a_defect() -> None:
    schema = (element("s", children=10_001), *(element(str(i), 1) for i in range(10_001)))
    pairs = thrift.listed(*[thrift.struct({1: thrift.binary("k")})] * 600)
    facts = read(FORMAT, packed(schema, (), rows=0, _5=pairs), "d.parquet")
    assert (len(facts.columns), len(facts.metadata)) == (10_000, 2 + 512)
    assert [d.reason for d in facts.defects] == [Reason.LIMIT, Reason.LIMIT]


def test_too_many_other_files_are_cut_with_a_defect() -> None:
    groups = tuple(group(chunk(_1=thrift.binary(str(i))), rows=0) for i in range(10_002))
    facts = read(FORMAT, packed(groups=groups, rows=0), "_metadata")
    assert facts.shards == tuple(str(i) for i in range(10_000))
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


def test_long_names_are_told_by_their_size() -> None:
    facts = read(FORMAT, packed((element("s", children=1), element("n" * 100_000, 1))), "d.parquet")
    assert facts.columns[0].name == "(100000 bytes)"


def test_the_file_cut_anywhere_is_refused() -> None:
    for data in truncations((FIXTURES / "parquet/reviews.parquet").read_bytes()):
        assert isinstance(outcome(FORMAT, data, "d.parquet"), UnreadableError)


@pytest.mark.parametrize("name", READABLE)
def test_changed_bytes_raise_nothing_else(name: str) -> None:
    data = (FIXTURES / f"parquet/{name}.parquet").read_bytes()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for copy in flips(data[start:], 150):
        outcome(FORMAT, data[:start] + copy, "d.parquet")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=150))
def test_arbitrary_footers_raise_nothing_else(footer: bytes) -> None:
    outcome(FORMAT, b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1", "d.parquet")


@pytest.mark.parametrize(
    "data",
    [
        packed(groups=tuple(group(rows=0) for _ in range(5_000)), rows=0),
        packed(_5=thrift.listed(*[thrift.struct({})] * 60_000)),
        packed((element("s", children=1), *[element("g" * 250, children=1)] * 62, element("x" * 9000, 1))),
        packed(_7=(thrift.LIST, b"\xfc" + thrift.varint(60_000) + b"\0" * 60_000)),
    ],
    ids=["row groups", "annotations", "long path", "skipped structs"],
)
def test_bombs_cost_little_memory(data: bytes) -> None:
    tracemalloc.start()
    outcome(FORMAT, data, "d.parquet")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(data) + 1_000_000


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / "parquet/reviews.parquet").read_bytes()
    assert FORMAT.recognise(probe_of(data, "data.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"a,b\n1,2\n", "data.parquet")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"PAR1", "data.txt")) is Match.NO
