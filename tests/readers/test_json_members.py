"""Spans of JSON members: those that the standard parser finds, and bounded for anything else."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.json_members import INDEX_COUNT, count, index, members

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_spans_of_an_object_hold_its_values(
    document: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    try:
        data = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8
        return
    found = index(data)
    assert {key: json.loads(data[m.start : m.end]) for key, m in found.items()} == document
    assert count(data) == len(document)


@given(st.lists(JSON, max_size=6))
def test_spans_of_a_list_hold_its_elements(document: list[object]) -> None:
    data = json.dumps(document).encode()
    assert [json.loads(data[m.start : m.end]) for m in members(data)] == document


@given(st.text('{}[]",:\\ a1', max_size=30))
def test_what_the_parser_reads_as_container_is_never_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with contextlib.suppress(UnreadableError):
            list(members(text.encode()))
        return
    if isinstance(expected, dict | list):
        # The parser keeps the last of equal keys, the scanner lists them all.
        assert count(text.encode()) >= len(expected)


@given(st.binary(max_size=40))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for prefix in (b"", b"{", b'{"a":', b"["):
        with contextlib.suppress(UnreadableError):
            index(prefix + data)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "a JSON object or list is expected"),
        (b"7", Reason.MALFORMED, "a JSON object or list"),
        (b"{", Reason.TRUNCATED, "a key"),
        (b'{"a"', Reason.MALFORMED, "a key with its colon"),
        (b'{"a":', Reason.TRUNCATED, "a value"),
        (b'{"a":}', Reason.MALFORMED, "a value"),
        (b'{"a":[1', Reason.TRUNCATED, "inside a value"),
        (b'{"a":[}]', Reason.MALFORMED, "stray }"),
        (b'{"a":1]', Reason.MALFORMED, "a comma or }"),
        (b'{"a":1 "b":2}', Reason.MALFORMED, "a comma or }"),
        (b'{"a":1,}', Reason.MALFORMED, "a key"),
        (b'{"a":1,', Reason.TRUNCATED, "a key"),
        (b"{} x", Reason.MALFORMED, "bytes follow"),
        (b"[1]", Reason.MALFORMED, "not a list"),
        (b'{"a":1,"\\u0061":2}', Reason.MALFORMED, "duplicate key 'a'"),
        (b'{"\xff":1}', Reason.MALFORMED, "not UTF-8"),
        (b'{"a":' + b"[" * 1000, Reason.LIMIT, "nested deeper"),
        (b"{" + b",".join(b'"%d":1' % i for i in range(INDEX_COUNT + 1)) + b"}", Reason.LIMIT, "members"),
    ],
)
def test_hostile_documents_are_named_with_their_offset(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        index(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)
    assert caught.value.offset is not None


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"' + b'a\\"' * 100_000,
        b'{"a":[' + b'"a\\"' * 100_000,
        b'{"a":"' + b"\\\\" * 100_000 + b'"}',
        b'{"a":[' + b"[]," * 100_000 + b"1]}",
        b"[" + b"1," * 100_000 + b"1]",
        b"[" + b"[[]]," * 60_000 + b"1]",
        b'{"a":' + b"1" * 300_000 + b"}",
        b"{" + b" " * 300_000,
        b"[" + b"[1]," * 60_000 + b"1]",
    ],
)
def test_hostile_repetition_takes_linear_time_and_no_memory(data: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(UnreadableError):
        count(data)
    assert time.process_time() - start < 3 * len(data) / 1e6  # a quadratic one takes minutes
    tracemalloc.start()
    with contextlib.suppress(UnreadableError):
        count(data[:50_000])  # tracing is slow; the rest is the same again
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_byte_order_mark_is_passed_over() -> None:
    assert count(b'\xef\xbb\xbf {"a": 1}\n') == 1
