"""JSON: what the standard library reads, within bounds, and without its leniency."""

from __future__ import annotations

import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers import json
from aibom.readers.ranges import Memory

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_the_standard_library_writes_is_read_back(value: object) -> None:
    assert json.parse(stdlib.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_our_error(data: bytes) -> None:
    reason = Reason.MALFORMED
    try:
        json.parse(data)
    except UnreadableError as error:
        reason = error.reason
    assert reason in (Reason.MALFORMED, Reason.LIMIT)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b'{"a": 1, "a": 2}', Reason.MALFORMED, "duplicate key 'a'"),
        (b'{"a": {"b": 1, "b": 2}}', Reason.MALFORMED, "duplicate key 'b'"),
        (b"[" * 65 + b"]" * 65, Reason.LIMIT, "deeper than 64"),
        (b"[" * 100_000, Reason.LIMIT, "deeper than 64"),
        (b'{"a":' * 70, Reason.LIMIT, "deeper than 64"),
        (b"[" + b"0," * 2_000_000 + b"0]", Reason.LIMIT, "more than 1000000 values"),
        (b'"\xff"', Reason.MALFORMED, "not UTF-8"),
        (b"1" * 5000, Reason.MALFORMED, "refused"),
        (b"{", Reason.MALFORMED, "not JSON"),
        (b"", Reason.MALFORMED, "not JSON"),
    ],
)
def test_hostile_documents_are_refused(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        json.parse(data)
    assert caught.value.reason is reason


def test_brackets_inside_strings_are_not_depth() -> None:
    text = "[{" * 500 + '\\"[' * 3
    assert json.parse(stdlib.dumps([text]).encode()) == [text]


def test_offsets_count_from_the_start_of_the_file() -> None:
    with pytest.raises(UnreadableError) as caught:
        json.parse(b"[1, x]", offset=100)
    assert caught.value.offset == 104


def test_a_document_that_is_too_large_is_not_read() -> None:
    class Huge(Memory):
        size = 10**12

    with pytest.raises(UnreadableError, match="at most"):
        json.parse_document(Huge(b""))


def test_an_array_is_not_an_object() -> None:
    with pytest.raises(UnreadableError, match="a JSON object is expected, not list"):
        json.parse_object(Memory(b"[]"))


def test_fields_of_the_wrong_type_are_none() -> None:
    assert (json.text(1), json.text("a")) == (None, "a")
    assert (json.integer(value=True), json.integer(3), json.integer("3")) == (None, 3, None)
    assert (json.strings("a"), json.strings(["a", 1, "b"]), json.strings({})) == (("a",), ("a", "b"), ())
    assert (json.naturals([0, 5]), json.naturals([-1]), json.naturals([True]), json.naturals("x")) == (
        (0, 5), None, None, None,
    )  # fmt: skip
    assert (json.members({"a": 1}), json.members([])) == ({"a": 1}, {})
