"""CSV and TSV: columns and rows equal what the standard library reads, and nothing hostile gets through."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts
from aibom.domain.limits import DOCUMENT_BYTES
from aibom.domain.protocols import Format, Match
from aibom.formats.csv import CSV_FORMAT, HEADER_BYTES, TSV_FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations


def names(facts: Facts) -> list[str]:
    return [column.name for column in facts.columns]


def records(text: str, delimiter: str = ",") -> list[list[str]]:
    """What the oracle reads, blank lines left out."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


@pytest.mark.parametrize(
    ("name", "fmt", "encoding", "delimiter"),
    [
        ("comma.csv", CSV_FORMAT, "utf-8", ","),
        ("excel.csv", CSV_FORMAT, "utf-8-sig", ";"),
        ("latin.csv", CSV_FORMAT, "latin-1", ","),
        ("tab.tsv", TSV_FORMAT, "utf-8", "\t"),
    ],
)
def test_columns_and_rows_equal_the_standard_library(
    name: str, fmt: Format, encoding: str, delimiter: str
) -> None:
    facts = read_fixture(fmt, f"csv/{name}")
    expected = records((FIXTURES / "csv" / name).read_bytes().decode(encoding), delimiter)
    assert names(facts) == expected[0]
    assert facts.rows == len(expected) - 1
    assert (
        dict(facts.metadata).get("delimiter", fmt.name[0].replace("c", ",").replace("t", "\t")) == delimiter
    )
    assert [d.message for d in facts.defects] == ["not UTF-8, read as Latin-1"] * (encoding == "latin-1")


CELLS = st.text(st.sampled_from('ab,;"\t\r\n é'), max_size=6)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6),
    # The writer of Python 3.11 quotes only those line breaks that it ends lines with.
    st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r")]),
    st.booleans(),
)
def test_whatever_the_reference_writer_writes_is_read(
    rows: list[list[str]], style: tuple[int, str], marked: bool
) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=style[0], lineterminator=style[1]).writerows(rows)
    facts = read(CSV_FORMAT, sink.getvalue().encode("utf-8-sig" if marked else "utf-8"), "d.csv")
    assert names(facts) == rows[0]
    assert facts.rows == len(rows) - 1


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('a,"\r\n'), max_size=40))
def test_any_text_has_as_many_rows_as_the_reference_counts(text: str) -> None:
    body = "x,y\n" + text
    facts = read(CSV_FORMAT, body.encode(), "d.csv")
    if facts.rows is None:
        assert facts.defects[0].message == "a quoted cell is never closed"
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(body, newline=""), strict=True))
    else:
        assert facts.rows == len(records(body)) - 1


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"a,b\0c\n", Reason.MALFORMED, "NUL byte (byte 3)"),
        ("a,b\n".encode("utf-16"), Reason.UNSUPPORTED, "UTF-16"),
        (b'"a"b,c\n', Reason.MALFORMED, "header row is not CSV"),
        (b'"a,b', Reason.MALFORMED, "unexpected end of data"),
        (b"a" * 70_000, Reason.LIMIT, "header row is longer"),
        (b'"' + b"a\n" * 40_000, Reason.LIMIT, "header row is longer"),
    ],
)
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(CSV_FORMAT, data, "d.csv")
    assert caught.value.reason is reason
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words", "rows"),
    [
        (b"", "no header row", None),
        (b"\n\r\n", "no header row", None),
        (b"a,b,a\n", "1 column names occur more than once, the first is 'a'", 0),
        ("a,b\u202ec\n".encode(), r"1 column names hide characters, the first is 'b\u202ec'", 0),
        ("a,\u200bb\n".encode(), "hide characters", 0),
        (b'a,b\n1,"2', "a quoted cell is never closed", None),
        (b"a,\xff\n", "not UTF-8", 0),
        (b"," * 20_000, "more than 10000 columns", 0),
    ],
)
def test_oddities_are_defects(data: bytes, words: str, rows: int | None) -> None:
    facts = read(CSV_FORMAT, data, "d.csv")
    assert any(words in d.message for d in facts.defects), facts.defects
    assert facts.rows == rows
    assert len(facts.columns) <= 10_000


def test_a_line_break_in_a_header_cell_hides_nothing() -> None:
    facts = read(CSV_FORMAT, b'a,"b\nc"\n1,2\n', "d.csv")
    assert (names(facts), facts.rows, facts.defects) == (["a", "b\nc"], 1, ())


def test_a_character_that_the_header_limit_cuts_is_no_defect() -> None:
    data = b"a,b\n" + b"x" * (HEADER_BYTES - 5) + "é,1\n".encode()
    facts = read(CSV_FORMAT, data, "d.csv")
    assert (facts.rows, facts.defects) == (1, ())


@pytest.mark.parametrize(
    ("data", "columns", "delimiter"),
    [
        (b"a;b\n", ["a", "b"], ";"),
        (b'"a";"b"\n', ["a", "b"], ";"),
        (b"a\tb\n", ["a", "b"], "\t"),
        (b"a;b,c\n", ["a;b", "c"], ","),
        (b"a\n", ["a"], ","),
    ],
)
def test_the_header_says_which_delimiter_it_is(data: bytes, columns: list[str], delimiter: str) -> None:
    facts = read(CSV_FORMAT, data, "d.csv")
    assert names(facts) == columns
    assert dict(facts.metadata).get("delimiter", ",") == delimiter


def test_the_field_limit_of_the_csv_module_is_left_alone() -> None:
    before = csv.field_size_limit()
    facts = read(CSV_FORMAT, b"a,b\n1," + b"x" * (before + 1) + b"\n", "d.csv")
    assert (facts.rows, csv.field_size_limit()) == (1, before)


def test_rows_of_a_large_file_are_not_counted() -> None:
    data = b"a,b\n" + b"1,2\n" * (DOCUMENT_BYTES // 4)
    facts = read(CSV_FORMAT, data, "d.csv")
    assert (names(facts), facts.rows, facts.defects) == (["a", "b"], None, ())


@pytest.mark.parametrize("filler", [b",", b'"', b"\n"])
def test_millions_of_cells_cost_no_memory(filler: bytes) -> None:
    data = b"a,b\n" + filler * 500_000
    tracemalloc.start()
    outcome(CSV_FORMAT, data, "d.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("name", ["comma.csv", "excel.csv", "latin.csv", "wide.csv"])
def test_cut_and_changed_files_raise_nothing_else(name: str) -> None:
    data = (FIXTURES / "csv" / name).read_bytes()
    for copy in (*truncations(data), *flips(data, 200)):
        found = outcome(CSV_FORMAT, copy, name)
        assert isinstance(found, UnreadableError) or found.rows is None or found.rows <= len(copy)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(CSV_FORMAT, data, "d.csv")
    outcome(TSV_FORMAT, data, "d.tsv")


def test_recognised_by_name_only() -> None:
    assert CSV_FORMAT.recognise(probe_of(b"", "D.CSV")) is Match.NAME
    assert CSV_FORMAT.recognise(probe_of(b"a,b\n1,2\n", "d.txt")) is Match.NO
    assert TSV_FORMAT.recognise(probe_of(b"", "d.tab")) is Match.NAME
    assert TSV_FORMAT.recognise(probe_of(b"", "d.csv")) is Match.NO
