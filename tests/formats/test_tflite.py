"""tflite: operators and tensors equal those of the library that is generated from the schema."""

from __future__ import annotations

import json
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.tflite import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

PLAIN, FLEX = "tflite/plain.tflite", "tflite/flex.tflite"
EXPECTED = json.loads((FIXTURES / "tflite/expected.json").read_text())


def fixture(path: str) -> bytes:
    return (FIXTURES / path).read_bytes()


def table(*fields: int | None) -> bytes:
    """A table of 32-bit fields behind its own list of slots; an offset counts from its own place."""
    slots = b"".join(
        struct.pack("<H", 4 + 4 * index if f is not None else 0) for index, f in enumerate(fields)
    )
    slots = struct.pack("<HH", 4 + len(slots), 4 + 4 * len(fields)) + slots
    slots += bytes(-len(slots) % 4)
    return slots + struct.pack("<i", len(slots)) + b"".join(struct.pack("<I", f or 0) for f in fields)


def model(operators: int) -> bytes:
    """A model with a graph, whose vector of operators claims a number of elements and ends the file."""
    root = table(3, 12, 4)  # version, and offsets to operators and graphs
    start = 8 + len(root) - 16
    return struct.pack("<I4s", start, b"TFL3") + root + struct.pack("<II", 1, operators)


def with_operator(name: str) -> Facts:
    """The second model with its operator `FlexMatrixInverse` under another name."""
    old = b"FlexMatrixInverse"
    data = fixture(FLEX)
    at = data.index(old)
    new = name.encode()
    assert len(new) <= len(old)
    patched = (
        data[: at - 4] + struct.pack("<I", len(new)) + new.ljust(len(old), b"\0") + data[at + len(old) :]
    )
    return read(FORMAT, patched, "m.tflite")


@pytest.mark.parametrize("path", [PLAIN, FLEX])
def test_tensors_equal_the_reference_library(path: str) -> None:
    data, facts = fixture(path), read_fixture(FORMAT, path)
    expected = EXPECTED[path.rpartition("/")[2]]
    found = {
        t.name: [list(t.shape), data[t.offset : t.offset + t.length].hex()]
        for t in facts.tensors
        if t.layout is Layout.RAW
    }
    assert found == expected["tensors"]
    assert facts.first(Attribute.DESCRIPTION) == expected["description"]
    assert facts.version == "3"
    assert facts.defects == ()


def test_the_least_version_of_the_runtime_is_stated() -> None:
    (runtime,) = (
        s for s in read_fixture(FORMAT, PLAIN).statements if s.attribute is Attribute.RUNTIME_DEPENDENCY
    )
    assert (runtime.value, runtime.detail("version")) == ("tensorflow-lite", "1.5.0")


def test_builtin_operators_are_silent_and_kernels_of_tensorflow_are_not() -> None:
    assert read_fixture(FORMAT, PLAIN).hazards == ()
    facts = read_fixture(FORMAT, FLEX)
    assert [h.found for h in facts.hazards] == EXPECTED["flex.tflite"]["custom"]
    assert [h.kind for h in facts.hazards] == [HazardKind.GRAPH_OPERATION, HazardKind.CUSTOM_OPERATOR]
    assert facts.capabilities == {Capability.CUSTOM_OPERATORS}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Vendor", HazardKind.CUSTOM_OPERATOR),
        ("FlexLgamma", HazardKind.CUSTOM_OPERATOR),
        ("FlexWriteFile", HazardKind.GRAPH_OPERATION),
        ("FlexEagerPyFunc", HazardKind.GRAPH_OPERATION),
    ],
)
def test_custom_operators_are_judged_by_their_name(name: str, kind: HazardKind) -> None:
    assert (kind, name) in [(h.kind, h.found) for h in with_operator(name).hazards]


@pytest.mark.parametrize("name", ["Mfcc", "NumericVerify", "AudioSpectrogram"])
def test_custom_operators_of_the_runtime_itself_are_silent(name: str) -> None:
    assert [h.found for h in with_operator(name).hazards] == ["FlexReadFile"]


def test_an_operator_without_a_name_is_told() -> None:
    assert "custom" in [h.found for h in with_operator("").hazards]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "leaves the file"),
        (b"\xff\xff\xff\xffTFL3", Reason.MALFORMED, "leaves the file"),
        (struct.pack("<I4si", 8, b"TFL3", 0), Reason.MALFORMED, "there is no graph"),
        (model(2**31), Reason.MALFORMED, "a vector of 2147483648 elements"),
    ],
)
def test_hostile_files_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "m.tflite")
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_what_is_wrong_with_tensors_does_not_hide_operators() -> None:
    data = bytearray(fixture(FLEX))
    (root,) = struct.unpack_from("<I", data, 0)
    slots = root - struct.unpack_from("<i", data, root)[0]
    (buffers,) = struct.unpack_from("<H", data, slots + 4 + 2 * 4)
    struct.pack_into("<I", data, root + buffers, 2**31)
    facts = read(FORMAT, bytes(data), "m.tflite")
    assert len(facts.hazards) == 2
    assert [d.reason for d in facts.defects] == [Reason.MALFORMED]


def test_a_million_operators_are_refused_before_they_are_read() -> None:
    data = model(1_000_000) + bytes(4_000_000)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="at most 10000 are read"):
        read(FORMAT, data, "m.tflite")
    assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    tracemalloc.stop()


def test_a_table_that_is_shared_counts_each_time() -> None:
    count = 9_000
    data = model(count)
    end = len(data) + 4 * count
    places = b"".join(struct.pack("<I", end + 4 - len(data) - 4 * index) for index in range(count))
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data + places + struct.pack("<HHi", 4, 4, 4), "m.tflite")
    assert caught.value.reason is Reason.LIMIT
    assert "room for" in str(caught.value)


def test_recognised_by_content_under_any_name() -> None:
    assert FORMAT.recognise(probe_of(fixture(PLAIN), "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"hello world", "model.tflite")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello world", "notes.txt")) is Match.NO


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, data, "m.tflite")
    outcome(FORMAT, struct.pack("<I4s", 8, b"TFL3") + data, "m.tflite")


@pytest.mark.parametrize("path", [PLAIN, FLEX])
def test_cuts_and_flips_raise_nothing_else(path: str) -> None:
    for cut in truncations(fixture(path)):
        outcome(FORMAT, cut, "m.tflite")
    for flipped in flips(fixture(path), 500):
        outcome(FORMAT, flipped, "m.tflite")
