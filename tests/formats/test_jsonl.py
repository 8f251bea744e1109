"""JSON Lines and arrays of objects: columns and rows as the standard library parses them."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import DOCUMENT_BYTES
from aibom.domain.protocols import Format, Match
from aibom.formats.jsonl import ARRAY_FORMAT, ELEMENT_BYTES, LINES_FORMAT, SAMPLE_BYTES
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

COLUMNS = [
    ("id", "number|string", None),
    ("text", "string", True),
    ("score", "number", None),
    ("tags", "array", None),
    ("extra", "object", True),
]
NAMES = {LINES_FORMAT.name: "d.jsonl", ARRAY_FORMAT.name: "d.json"}
BOTH = pytest.mark.parametrize("fmt", [LINES_FORMAT, ARRAY_FORMAT], ids=["lines", "array"])


def written(fmt: Format, rows: list[dict[str, object]], indent: int | None = None) -> bytes:
    if fmt is ARRAY_FORMAT:
        return json.dumps(rows, indent=indent).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize(("fmt", "name"), [(LINES_FORMAT, "rows.jsonl"), (ARRAY_FORMAT, "array.json")])
def test_columns_are_the_members_in_order_of_appearance(fmt: Format, name: str) -> None:
    facts = read_fixture(fmt, f"jsonl/{name}")
    assert [(c.name, c.type, c.nullable) for c in facts.columns] == COLUMNS
    assert (facts.format, facts.rows, facts.defects) == (fmt.name, 3, ())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy]}"), inner, max_size=2),
    max_leaves=4,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", '"]', "{,"]), VALUES, max_size=4), max_size=8)


@BOTH
@settings(max_examples=60, deadline=None)
@given(rows=ROWS, indent=st.sampled_from([None, 0, 2]))
def test_whatever_the_reference_writer_writes_is_read(
    fmt: Format, rows: list[dict[str, object]], indent: int | None
) -> None:
    facts = read(fmt, written(fmt, rows, indent), NAMES[fmt.name])
    assert facts.rows == len(rows)
    assert {c.name for c in facts.columns} == {key for row in rows for key in row}
    assert facts.defects == ()


def test_an_array_in_many_pieces_has_all_of_its_rows() -> None:
    rows = [{"id": i, "text": ']}{[\\"' * 5} for i in range(10_000)]
    data = written(ARRAY_FORMAT, rows)
    assert len(data) > 5 * 65_536
    assert read(ARRAY_FORMAT, data, "d.json").rows == 10_000


ONE = b'{"a": 1}'
PIECE = b",".join([b'{"a": 1}'] * 10_000)


@pytest.mark.parametrize(
    ("fmt", "data", "reason", "words"),
    [
        (LINES_FORMAT, b"not json\n", Reason.MALFORMED, "not JSON"),
        (LINES_FORMAT, b"[1]\n[2]\n", Reason.MALFORMED, "an object is expected, not array"),
        (LINES_FORMAT, b'{"a":' + b"[" * 100 + b"\n", Reason.LIMIT, "nested deeper"),
        (LINES_FORMAT, b'{"a":[' + b"0," * 200_000 + b"\n", Reason.LIMIT, "more than 100000 values"),
        (LINES_FORMAT, b'{"a":1,"a":2}\n', Reason.MALFORMED, "duplicate key 'a'"),
        (LINES_FORMAT, b'{"a":"' + b"x" * SAMPLE_BYTES, Reason.LIMIT, "first line is longer"),
        (ARRAY_FORMAT, ONE, Reason.MALFORMED, "not an array of objects"),
        (ARRAY_FORMAT, b"[" + ONE, Reason.TRUNCATED, "never closed"),
        (ARRAY_FORMAT, b"[" + ONE + b"] x", Reason.MALFORMED, "follows the array"),
        (ARRAY_FORMAT, b"[" + ONE + b"}", Reason.MALFORMED, "follows the array"),
        (ARRAY_FORMAT, b"[" + ONE + b",]", Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b"[" + ONE + ONE + b"]", Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b"[" + PIECE + PIECE + b"]", Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b"[" + PIECE + b",]", Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b"[" + PIECE + b",," + PIECE + b"]", Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b"[" + PIECE + b' x {"a": 1}]', Reason.MALFORMED, "not JSON"),
        (ARRAY_FORMAT, b'[{"a":' + b"[" * 100 + b"]" * 100 + b"}]", Reason.LIMIT, "nested deeper"),
        (ARRAY_FORMAT, b'[{"a":"' + b"x" * ELEMENT_BYTES + b'"}]', Reason.LIMIT, "element is longer"),
        (ARRAY_FORMAT, b"[{}" + b",1" * ELEMENT_BYTES + b"]", Reason.LIMIT, "element is longer"),
        (ARRAY_FORMAT, b" " * (DOCUMENT_BYTES + 1), Reason.LIMIT, "at most"),
    ],
)
def test_hostile_files_are_named(fmt: Format, data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(fmt, data, NAMES[fmt.name])
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_bad_lines_are_one_defect_with_the_place_of_the_first() -> None:
    facts = read(LINES_FORMAT, ONE + b"\n\n{oops\n7\n" + ONE, "d.jsonl")
    assert [c.name for c in facts.columns] == ["a"]
    assert facts.rows == 4
    assert [(d.message.endswith("; 2 such in all"), d.offset) for d in facts.defects] == [(True, 11)]


def test_elements_that_are_no_objects_are_a_defect() -> None:
    facts = read(ARRAY_FORMAT, b"[{}, null, true]", "d.json")
    assert (facts.rows, facts.columns) == (3, ())
    assert [d.message for d in facts.defects] == ["an object is expected, not null; 2 such in all"]


def test_only_the_first_lines_make_columns() -> None:
    rows: list[dict[str, object]] = [{"a": i} for i in range(100)] + [{"late": 1}]
    facts = read(LINES_FORMAT, written(LINES_FORMAT, rows), "d.jsonl")
    assert ([c.name for c in facts.columns], facts.rows) == (["a"], 101)


def test_rows_of_a_large_file_are_not_counted() -> None:
    line = b'{"a": "' + b"x" * 1000 + b'"}\n'
    facts = read(LINES_FORMAT, line * (DOCUMENT_BYTES // len(line) + 1), "d.jsonl")
    assert ([c.name for c in facts.columns], facts.rows, facts.defects) == (["a"], None, ())


@pytest.mark.parametrize("blank", [b"", b"\n \n"])
def test_a_file_without_lines_has_no_rows(blank: bytes) -> None:
    facts = read(LINES_FORMAT, blank, "d.jsonl")
    assert (facts.rows, facts.columns, facts.defects) == (0, (), ())


@BOTH
def test_too_many_and_hidden_columns_are_defects(fmt: Format) -> None:
    rows: list[dict[str, object]] = [{f"{i}-{j}": 0 for j in range(200)} for i in range(60)] + [
        {"a\u202e": 1}
    ]
    facts = read(fmt, written(fmt, [{"b\u200b": 1}, *rows]), NAMES[fmt.name])
    assert len(facts.columns) == 10_000
    assert [d.reason for d in facts.defects] == [Reason.LIMIT, Reason.MALFORMED]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    for fmt in (LINES_FORMAT, ARRAY_FORMAT):
        data = b"\xef\xbb\xbf" + written(fmt, [{"a": 1}, {"a": 2}])
        assert fmt.recognise(probe_of(data, NAMES[fmt.name])) is not Match.NO
        assert [c.name for c in read(fmt, data, NAMES[fmt.name]).columns] == ["a"]


@BOTH
def test_cut_and_changed_files_raise_nothing_else(fmt: Format) -> None:
    data = (FIXTURES / "jsonl" / ("array.json" if fmt is ARRAY_FORMAT else "rows.jsonl")).read_bytes()
    for copy in truncations(data):
        found = outcome(fmt, copy, NAMES[fmt.name])
        assert fmt is LINES_FORMAT or isinstance(found, UnreadableError)
    for copy in flips(data, 300):
        outcome(fmt, copy, NAMES[fmt.name])


@BOTH
@settings(max_examples=60, deadline=None)
@given(data=st.text(st.sampled_from('[]{}",:\\ 1a\n'), max_size=60))
def test_arbitrary_text_raises_nothing_else(fmt: Format, data: str) -> None:
    outcome(fmt, ("[{" if fmt is ARRAY_FORMAT else "").encode() + data.encode(), NAMES[fmt.name])


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from('[]{}",: 1'), max_size=12))
def test_an_array_is_accepted_only_when_the_reference_accepts_it(middle: str) -> None:
    text = '[{"a":' + middle + "}]"
    found = outcome(ARRAY_FORMAT, text.encode(), "d.json")
    if not isinstance(found, UnreadableError):
        assert len(json.loads(text)) == found.rows


@pytest.mark.parametrize(
    ("fmt", "data"),
    [
        (LINES_FORMAT, b"{}\n" * 100_000),
        (LINES_FORMAT, (b'{"a":[' + b"{}," * 20_000 + b"{}]}\n") * 2),
        (ARRAY_FORMAT, b"[" + b"{}," * 12_000 + b"{}]"),
        (ARRAY_FORMAT, b"[" + b'{"a":"\xf0\x9f\x98\x80"},' * 10_000 + b"{}]"),
        (ARRAY_FORMAT, b"[{}" + b"," * 2_000_000 + b"]"),
    ],
    ids=["lines", "long lines", "objects", "astral", "commas"],
)
def test_bombs_cost_little_memory(fmt: Format, data: bytes) -> None:
    tracemalloc.start()
    outcome(fmt, data, NAMES[fmt.name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(data) + 8_000_000


def test_recognised_by_content_for_lines_and_by_name_and_front_for_arrays() -> None:
    assert LINES_FORMAT.recognise(probe_of(ONE + b"\n" + ONE, "train.json")) is Match.CONTENT
    assert LINES_FORMAT.recognise(probe_of(ONE + b"\n" + ONE[:-1], "train.json")) is Match.NO
    assert LINES_FORMAT.recognise(probe_of(ONE, "config.json")) is Match.NO
    assert LINES_FORMAT.recognise(probe_of(b"{\n}\n", "config.json")) is Match.NO
    assert LINES_FORMAT.recognise(probe_of(ONE * 1000, "d.ndjson")) is Match.NAME
    assert ARRAY_FORMAT.recognise(probe_of(b" [\n {}]", "d.json")) is Match.NAME
    assert ARRAY_FORMAT.recognise(probe_of(b"[]", "d.json")) is Match.NAME
    assert ARRAY_FORMAT.recognise(probe_of(b"[1]", "d.json")) is Match.NO
    assert ARRAY_FORMAT.recognise(probe_of(ONE, "d.json")) is Match.NO
    assert ARRAY_FORMAT.recognise(probe_of(b"[{}]", "d.txt")) is Match.NO
