"""safetensors: facts equal those of the reference library, and nothing hostile gets through."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import load, save

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Span
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


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "8 bytes"),
        (struct.pack("<Q", 2**63), Reason.LIMIT, "claims 9223372036854775808 bytes"),
        (struct.pack("<Q", 50) + b"{}", Reason.TRUNCATED, "claims 50 bytes"),
        (packed([]), Reason.MALFORMED, "not a JSON object"),
        (packed({"a": 1}), Reason.MALFORMED, "not described by an object"),
        (packed({"a": one("F99")}), Reason.MALFORMED, "unknown dtype"),
        (packed({"a": one(shape=[-1])}), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(shape=[2**63])}), Reason.MALFORMED, "possible shape"),
        (packed({"a": one(offsets=[4, 0])}), Reason.MALFORMED, "impossible data_offsets"),
        (packed({"a": one(shape=[2])}), Reason.MALFORMED, "does not fill 4 bytes"),
        (packed({"a": one(), "b": one()}, b"\0" * 4), Reason.MALFORMED, "overlaps"),
        (packed({"a": one()}), Reason.TRUNCATED, "the tensors end"),
        (packed(b'{"a":{},"a":{}}'), Reason.MALFORMED, "duplicate key 'a'"),
        (packed(b'{"a":' + b"[" * 100), Reason.LIMIT, "nested deeper"),
        (packed(b"{" + b"," * 10_000_000), Reason.LIMIT, "holds more than"),
        (packed({"__metadata__": {"a": 1}}), Reason.MALFORMED, "is not a string"),
        (packed({"__metadata__": {str(i): "" for i in range(600)}}), Reason.LIMIT, "600 metadata"),
    ],
)
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(data)
    assert error.reason is reason
    assert words in str(error)


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
