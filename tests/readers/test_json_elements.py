"""A long list inside an object is handed over element by element; all else is as `json` reads it."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.readers.json import Json
from aibom.readers.json_elements import parse_around

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
SPACE = st.sampled_from(["", " ", "\n", "\t \r\n"])


def around(data: bytes, values: int = 10_000) -> tuple[dict[str, Json], list[Json]]:
    taken: list[Json] = []
    return parse_around(data, "list", taken.append, values=values), taken


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.lists(VALUES, max_size=4), SPACE)
def test_elements_and_the_rest_are_what_json_reads(
    rest: dict[str, Json], items: list[Json], gap: str
) -> None:
    rest.pop("list", None)
    text = json.dumps({**rest, "list": items}, separators=(f"{gap},{gap}", f"{gap}:{gap}"))
    assert around(f"{gap}{text}{gap}".encode()) == (rest, items)


@given(st.integers(0, 30), VALUES)
def test_a_cut_document_is_refused(cut: int, value: Json) -> None:
    data = json.dumps({"a": value, "list": [value, 1]}).encode()
    with pytest.raises(UnreadableError):
        around(data[: max(0, len(data) - 1 - cut)])


def test_a_member_of_that_name_that_is_no_list_is_like_any_other() -> None:
    assert around(b'{"list": {"a": 1}}') == ({"list": {"a": 1}}, [])
    assert around(b'{"a": {"list": [1]}}') == ({"a": {"list": [1]}}, [])


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.UNSUPPORTED, "a JSON object is expected"),
        (b"[]", Reason.UNSUPPORTED, "a JSON object is expected"),
        (b"<?xml version='1.0'?>", Reason.UNSUPPORTED, "and this is XML"),
        (b"{} {}", Reason.MALFORMED, r"something follows the document \(byte 3\)"),
        (b'{"a" 1}', Reason.MALFORMED, "':' is expected"),
        (b"{a: 1}", Reason.MALFORMED, "a key is expected"),
        (b"{1: 1}", Reason.MALFORMED, "a key is expected"),
        (b'{"a": 1,}', Reason.MALFORMED, "a key is expected"),
        (b'{"a": 1 "b": 2}', Reason.MALFORMED, "'}' is expected"),
        (b'{"list": [1 2]}', Reason.MALFORMED, "']' is expected"),
        (b'{"list": [1,]}', Reason.MALFORMED, "not JSON"),
        (b'{"list": [,1]}', Reason.MALFORMED, "not JSON"),
        (b'{"list": [', Reason.MALFORMED, "not JSON"),
        (b'{"a": 1, "a": 2}', Reason.MALFORMED, "duplicate key 'a'"),
        (b'{"list": [], "list": []}', Reason.MALFORMED, "duplicate key 'list'"),
        (b'{"list": 1, "list": []}', Reason.MALFORMED, "duplicate key 'list'"),
        (b'{"list": [], "list": 1}', Reason.MALFORMED, "duplicate key 'list'"),
        (b'{"list": [{"b": 1, "b": 2}]}', Reason.MALFORMED, "duplicate key 'b'"),
        (b'{"a": "\xff"}', Reason.MALFORMED, "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), Reason.MALFORMED, "not UTF-8"),
        (b'{"a": ' + b"9" * 5_000 + b"}", Reason.MALFORMED, "JSON refused"),
        (b'{"list": [' + b"[" * 9_000 + b"]" * 9_000 + b"]}", Reason.LIMIT, "nested too deeply"),
        (b'{"a": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001, Reason.LIMIT, "nested too deeply"),
        (b'{"list": [' + b"1," * 10_000 + b"1]}", Reason.LIMIT, "more than 10,000 values"),
    ],
    ids=[
        "empty", "array", "xml", "more", "no colon", "no quotes", "number key", "comma", "no comma",
        "no comma in list", "comma at end of list", "comma at start of list", "cut", "twice", "list twice",
        "list second", "list first", "twice inside", "not UTF-8", "UTF-16", "long number", "deep list",
        "deep object", "many",
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        around(data)
    assert caught.value.reason is reason


def test_what_the_taker_raises_leaves_as_it_is() -> None:
    def take(_: Json) -> None:
        raise malformed("mine")

    with pytest.raises(UnreadableError, match=r"^mine$"):
        parse_around(b'{"list": [1]}', "list", take, values=10)


def test_a_byte_order_mark_is_skipped() -> None:
    assert around(b'\xef\xbb\xbf{"a": 1}') == ({"a": 1}, [])


@given(st.binary(max_size=40) | st.text('{}[]",:1 alist\\', max_size=40).map(str.encode))
def test_nothing_but_the_error_leaves(data: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        around(data)


def test_elements_do_not_stand_in_memory_together() -> None:
    data = b'{"list": [' + b",".join([b'{"a": {"b": {"c": 1}}}'] * 20_000) + b"]}"
    tracemalloc.start()
    parse_around(data, "list", lambda _: None, values=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(data)
