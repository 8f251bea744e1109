"""safetensors: facts equal those of the reference library, and nothing hostile gets through."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import load, save

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts, Span
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats.safetensors import FORMAT
from tests.hostile import FIXTURES, outcome, probe_of, read, read_fixture

SMALL = "safetensors/small.safetensors"


def packed(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def one(dtype: str = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def refusal(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "m.safetensors")
    return caught.value


def test_tensors_equal_the_reference_library() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    facts = read_fixture(FORMAT, SMALL)
    expected = load(data)
    assert {t.name: t.shape for t in facts.tensors} == {name: a.shape for name, a in expected.items()}
    for tensor in facts.tensors:
        assert data[tensor.offset : tensor.offset + tensor.length] == expected[tensor.name].tobytes()


def test_header_and_tensors_cover_every_byte() -> None:
    facts = read_fixture(FORMAT, SMALL)
    covered = sum(span.end - span.start for span in facts.covered) + sum(t.length for t in facts.tensors)
    assert covered == (FIXTURES / SMALL).stat().st_size
    assert facts.indexed
    assert facts.covered[0] == Span(start=0, end=facts.tensors[0].offset)


def test_metadata_becomes_statements_with_their_place() -> None:
    facts = read_fixture(FORMAT, SMALL)
    assert facts.first(Attribute.NAME) == "Small"
    assert ("format", "np") in facts.metadata


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20),
        st.tuples(
            st.sampled_from(["<f4", "<f2", "<i8", "|u1", "|b1"]), st.lists(st.integers(0, 4), max_size=3)
        ),
        max_size=5,
    )
)
def test_any_file_of_the_reference_writer_is_read(spec: dict[str, tuple[str, list[int]]]) -> None:
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in spec.items() if name != "__metadata__"}
    facts = read(FORMAT, save(arrays), "m.safetensors")
    assert {t.name: t.shape for t in facts.tensors} == {name: a.shape for name, a in arrays.items()}
    assert facts.defects == ()


@given(st.binary(max_size=200))
def test_whatever_the_reference_accepts_is_accepted_and_the_rest_is_named(body: bytes) -> None:
    data = packed(body)
    ours = outcome(FORMAT, data, "m.safetensors")
    try:
        load(data)
    except (SafetensorError, KeyError):
        return
    assert not isinstance(ours, UnreadableError)


def kinds(facts: Facts) -> list[str]:
    assert {hazard.kind for hazard in facts.hazards} <= {HazardKind.AMBIGUOUS_HEADER}
    return [hazard.found for hazard in facts.hazards]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "8 bytes"),
        (struct.pack("<Q", 2**63), Reason.LIMIT, "claims 9223372036854775808 bytes"),
        (struct.pack("<Q", 50) + b"{}", Reason.TRUNCATED, "claims 50 bytes"),
        (packed([]), Reason.MALFORMED, "not a JSON object"),
        (packed(b'{"a":{},"a":{}'), Reason.MALFORMED, "(byte 22)"),
        (packed(b'{"a":{"x":{"y":1,"y":2}}}'), Reason.MALFORMED, "duplicate key 'y'"),
        (packed(b'{"a":' + b"[" * 100), Reason.LIMIT, "nested deeper"),
        (packed(b"{" + b"," * 10_000_000), Reason.LIMIT, "holds more than"),
        (packed(b'{"a\xff":{}}'), Reason.MALFORMED, "not UTF-8"),
        (packed(b"{}\0"), Reason.MALFORMED, "Extra data (byte 10)"),
    ],
)
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(data)
    assert error.reason is reason
    assert words in str(error)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (packed({"a": 1}), Reason.MALFORMED, "not described by an object"),
        (packed({"a": one(shape=[-1])}), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(shape=[2**63])}), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(shape=[1] * 33)}), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(shape=[1.0])}, bytes(4)), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(offsets=[4, 0])}), Reason.MALFORMED, "impossible data_offsets"),
        (packed({"a": one(offsets=[0, 4, 8])}), Reason.MALFORMED, "impossible data_offsets"),
        (packed({"a": one("F99")}, bytes(4)), Reason.UNSUPPORTED, "unknown dtype 'F99'"),
        (packed({"a": one("C128", (1,), (0, 16))}, bytes(16)), Reason.UNSUPPORTED, "unknown dtype"),
        (packed({"a": one()}), Reason.TRUNCATED, "the tensors end"),
        (packed({"a": one(offsets=[2**62, 2**62 + 4])}), Reason.TRUNCATED, "the tensors end"),
        (packed({"__metadata__": []}), Reason.MALFORMED, "__metadata__ is not an object"),
        (packed({"__metadata__": {"a": 1}}), Reason.MALFORMED, "'a' is not a string"),
        (packed({"__metadata__": {str(i): "" for i in range(600)}}), Reason.LIMIT, "600 metadata"),
        (packed(b"\xef\xbb\xbf{}"), Reason.MALFORMED, "does not begin with a brace"),
        (packed(b"\n{}"), Reason.MALFORMED, "does not begin with a brace"),
        (
            packed(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}', bytes(4)),
            Reason.MALFORMED,
            "JSON",
        ),
        (packed(b'{"__metadata__":{"-1":"\\ud800"}}'), Reason.MALFORMED, "JSON does not have"),
        (packed(b'{"__metadata__":{"-1":NaN}}'), Reason.MALFORMED, "JSON does not have"),
    ],
)
def test_what_leaves_the_rest_readable_is_a_defect(data: bytes, reason: Reason, words: str) -> None:
    facts = read(FORMAT, data, "m.safetensors")
    assert [d.reason for d in facts.defects if words in d.message] == [reason]
    assert not facts.hazards


A = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
AS_INTEGERS = b'{"dtype":"I32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    ("data", "found", "tensors"),
    [
        (packed(b"{" + A + b',"a":' + AS_INTEGERS + b"}", bytes(4)), "duplicate-key", {"a": "I32"}),
        (packed(b"{" + A + b',"\\u0061":' + AS_INTEGERS + b"}", bytes(4)), "duplicate-key", {"a": "I32"}),
        (packed(b"{" + A[:-1] + b',"dtype":"I32"}}', bytes(4)), "duplicate-key", {"a": "I32"}),
        (packed(b'{"__metadata__":{"a":"1","a":"2"},' + A + b"}", bytes(4)), "duplicate-key", {"a": "F32"}),
        (packed(b'{"__metadata__":{},"__metadata__":{}}'), "duplicate-key", {}),
        (packed({"a": one(), "b": one()}, bytes(4)), "overlap", {"a": "F32", "b": "F32"}),
        (packed({"a": one(), "b": one("U8", [0], [2, 2])}, bytes(4)), "overlap", {"a": "F32", "b": "U8"}),
        (packed({"a": one(shape=[2]), "b": one()}, bytes(4)), "size-mismatch", {"b": "F32"}),
        (packed({"a": one("F4", [1], [0, 1])}, bytes(1)), "size-mismatch", {}),
        (packed({"a": one("F99", [2**40])}, bytes(4)), "size-mismatch", {}),
        (packed({"a": one(shape=[2**62, 2**62, 0], offsets=[0, 0])}), "size-mismatch", {}),
    ],
)  # fmt: skip
def test_what_readers_disagree_about_is_a_hazard_and_the_rest_is_told(
    data: bytes, found: str, tensors: dict[str, str]
) -> None:
    facts = read(FORMAT, data, "m.safetensors")
    assert kinds(facts) == [found]
    assert facts.hazards[0].offset is not None
    assert {tensor.name: tensor.dtype for tensor in facts.tensors} == tensors


_NUMBERS = st.sampled_from(["0", "1", "2", "4", "4", "8", "-0", "-1", "1.0", "4e0", "18446744073709551616"])
_FIELDS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(['"F32"', '"F32"', '"I32"', '"U8"', '"F4"', '"C128"', '"F99"', "1"]),
        "shape": st.lists(_NUMBERS, max_size=2).map(lambda items: f"[{','.join(items)}]"),
        "data_offsets": st.tuples(_NUMBERS, _NUMBERS).map(lambda items: f"[{','.join(items)}]"),
    },
    optional={"extra": st.sampled_from(["-1", "NaN", '"\\ud83d"', '{"a":1}', "1e400"])},
)
_ENTRY = st.one_of(
    st.sampled_from([A.decode()[4:], '["F32",[1],[0,4]]', "null"]),
    st.builds(
        lambda fields, again: (
            "{" + ",".join(f'"{key}":{value}' for key, value in [*fields.items(), *again]) + "}"
        ),
        _FIELDS,
        st.sampled_from([[], [], [], [("dtype", '"I32"')], [("extra", "1"), ("extra", "2")]]),
    ),
)
_KEYS = st.sampled_from(["a", "b", "\\u0061", "c", "__metadata__"])
_HEADERS = st.builds(
    lambda before, entries, after: (
        before + "{" + ",".join(f'"{key}":{entry}' for key, entry in entries) + "}" + after
    ),
    st.sampled_from(["", "", "", " ", "\ufeff"]),
    st.lists(st.tuples(_KEYS, _ENTRY), max_size=3),
    st.sampled_from(["", "", "   ", "\0", "\n"]),
)


@settings(max_examples=400)
@given(_HEADERS, st.sampled_from([0, 4, 4, 8, 9]), st.data())
def test_the_verdict_on_any_header_follows_the_reference_library(
    header: str, length: int, data: st.DataObject
) -> None:
    text = bytearray(header.encode())
    for _ in range(data.draw(st.integers(0, 1))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    file = packed(bytes(text), bytes(length))
    ours = outcome(FORMAT, file, "m.safetensors")
    try:
        expected = {name: tuple(info["shape"]) for name, info in deserialize(file)}
    except SafetensorError:
        assert isinstance(ours, UnreadableError) or ours.hazards or ours.defects
        return
    if isinstance(ours, Facts):
        assert set(kinds(ours)) <= {"duplicate-key"}
        assert ours.defects or {tensor.name: tensor.shape for tensor in ours.tensors} == expected


def test_a_header_of_duplicates_is_read_in_linear_time_and_told_once() -> None:
    facts = read(FORMAT, packed(b"{" + b",".join([A] * 10_000) + b"}", bytes(4)), "m.safetensors")
    assert kinds(facts) == ["duplicate-key"]
    assert [t.name for t in facts.tensors] == ["a"]


def test_trailing_bytes_are_a_defect_and_the_tensors_are_still_told() -> None:
    facts = read(FORMAT, packed({"a": one()}, b"\0" * 4 + b"payload"), "m.safetensors")
    assert [t.name for t in facts.tensors] == ["a"]
    assert facts.defects[0].message == "7 bytes belong to no tensor"
    assert facts.defects[0].offset is not None


def test_a_hole_between_tensors_is_a_defect() -> None:
    facts = read(FORMAT, packed({"a": one(), "b": one(offsets=[8, 12])}, b"\0" * 12), "m.safetensors")
    assert [d.message for d in facts.defects] == ["4 bytes belong to no tensor"]


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"\x80\x04K\x01.", "model.safetensors")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO
