"""Rows of text files of data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.inventory.rows_difference import LINE_COUNT, row_changes


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a,b\n1,2\n3,4\n", "a,b\n1,2\n3,5\n", "row 2 (column b in 1)"),
        ("a,b\n1,2\n3,4\n", "a,b\n0,0\n0,0\n", "2 rows: 1, 2 (column a in 2, b in 2)"),
        ("a,b\n1,2\n3,4\n", "a,b\n3,4\n1,2\n", "2 rows stand in another order"),
        ("a,b\n1,2\n", "a,c\n1,2\n", "the header differs"),
        ("a,b\n1,2\n", "a,b\n1,2\n3,4\n", "1 rows added, 0 removed"),
        ("a,b\n1,2\n3,4\n5,6\n", "a,b\n3,4\n5,6\n7,8\n", "1 rows added, 1 removed"),
        ('a,b\n"1,1",2\n', 'a,b\n"1,1",3\n', "row 1 (column b in 1)"),
        ("a\tb\n1\t2\n", "a\tb\n1\t3\n", "row 1 (column b in 1)"),
        ("a,b\n1,2\n", "a,b\n1,2,3\n", "row 1"),
        ("a,b\n1,2\n", "a,b\n1,2", "0 rows added, 1 removed"),
    ],
    ids=["cell", "cells", "order", "header", "added", "shifted", "quoted", "tabs", "ragged", "last-line"],
)
def test_csv_rows_are_counted_without_the_header(old: str, new: str, expected: str) -> None:
    assert row_changes(old.encode(), new.encode(), header=True) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('{"t": 1, "l": 0}\n', '{"t": 1, "l": 1}\n', "row 1 (column l in 1)"),
        ('{"t": 1}\n', '{"t": 1, "l": null}\n', "row 1 (column l in 1)"),
        ('{"t": 1}\n', '{"t": true}\n', "row 1 (column t in 1)"),
        ('{"t": 1}\n', '{"t":  1}\n', "row 1"),
        ('{"t": 1}\n', "not json\n", "row 1"),
        ("[1]\n", "[2]\n", "row 1"),
        ('{"t": 1}\n', '{"t": 1, "t": 2}\n', "row 1"),
    ],
    ids=["label", "null", "true-is-not-1", "spaces", "no-json", "no-object", "double-key"],
)
def test_json_rows_name_the_keys_that_differ(old: str, new: str, expected: str) -> None:
    assert row_changes(old.encode(), new.encode(), header=False) == expected


_LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b'{"a": 1}', b"\xff", b"\0", b'"']), max_size=6)


@given(_LINES, _LINES, st.booleans())
def test_any_bytes_give_one_clause(old: list[bytes], new: list[bytes], header: bool) -> None:
    found = row_changes(b"\n".join(old), b"\n".join(new), header=header)
    assert found
    assert len(found) < 200


def test_more_lines_than_memory_should_hold_are_not_split() -> None:
    assert row_changes(b"\n" * (LINE_COUNT + 1), b"", header=False) is None
