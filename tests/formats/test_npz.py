"""npz: arrays equal NumPy's at their place in the archive, stored or deflated."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Capability, Facts, Layout
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats import safetensors
from aibom.formats.npz import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

STORED = "npz/stored.npz"
DEFLATED = "npz/deflated.npz"


def saved(array: object) -> bytes:
    target = io.BytesIO()
    np.save(target, np.asarray(array))
    return target.getvalue()


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def plain(data: bytes, facts: Facts) -> dict[str, bytes]:
    """What the digest would be taken of."""
    found = {}
    for tensor in facts.tensors:
        stored = data[tensor.offset : tensor.offset + tensor.length]
        found[tensor.name] = zlib.decompress(stored, -15)[tensor.skip :] if tensor.skip else stored
    return found


def messages(data: bytes) -> list[str]:
    return [defect.message for defect in read(FORMAT, data, "a.npz").defects]


@pytest.mark.parametrize(("path", "layout"), [(STORED, Layout.RAW), (DEFLATED, Layout.DEFLATED)])
def test_arrays_equal_numpy(path: str, layout: Layout) -> None:
    data = (FIXTURES / path).read_bytes()
    facts = read_fixture(FORMAT, path)
    expected = dict(np.load(FIXTURES / path))
    assert {t.name: t.shape for t in facts.tensors} == {name: a.shape for name, a in expected.items()}
    assert plain(data, facts) == {name: a.tobytes() for name, a in expected.items()}
    assert {t.layout for t in facts.tensors} == {layout}
    assert facts.defects == ()


@pytest.mark.parametrize("path", [STORED, DEFLATED])
def test_every_byte_is_an_array_or_covered(path: str) -> None:
    facts = read_fixture(FORMAT, path)
    ranges = [(s.start, s.end) for s in facts.covered]
    ranges = sorted(ranges + [(t.offset, t.offset + t.length) for t in facts.tensors if t.length])
    size = (FIXTURES / path).stat().st_size
    assert [0, *(end for _, end in ranges)] == [*(start for start, _ in ranges), size]
    assert facts.indexed


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abc./_", min_size=1, max_size=8).filter(lambda name: not name.endswith(".npy")),
        arrays.arrays(
            st.sampled_from(["<f4", "<f2", "<i8", "|u1", "|b1"]), arrays.array_shapes(min_dims=0, min_side=0)
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_names_dtypes_and_shapes_equal_those_of_safetensors(
    values: dict[str, np.ndarray], deflate: bool
) -> None:
    target = io.BytesIO()
    (np.savez_compressed if deflate else np.savez)(target, **values)
    ours = read(FORMAT, target.getvalue(), "a.npz").tensors
    theirs = read(safetensors.FORMAT, save(values), "a.safetensors").tensors
    assert {(t.name, t.dtype, t.shape) for t in ours} == {(t.name, t.dtype, t.shape) for t in theirs}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pickles_of_objects_are_walked_and_the_other_arrays_are_read(method: int) -> None:
    objects = np.array([Path("x"), b"\x80\x04N." + bytes(99)], object)
    data = packed({"plain.npy": saved(np.zeros(2)), "objects.npy": saved(objects)}, method)
    facts = read(FORMAT, data, "a.npz")
    assert [t.name for t in facts.tensors] == ["plain"]
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    assert any("Path" in item.qualname for item in facts.imports)
    assert (facts.hazards, facts.defects) == ((), ())
    # What was inflated has no place in the file: the walk through the archive finds it.
    assert len(facts.nested) == (method == zipfile.ZIP_STORED)
    if facts.nested:
        assert data[facts.nested[0].offset :].startswith(b"\x80\x04N.")


def test_the_objects_of_the_reference_writer_are_no_defect() -> None:
    facts = read_fixture(FORMAT, "npz/objects.npz")
    assert [t.name for t in facts.tensors] == ["plain"]
    assert (facts.defects, facts.hazards) == ((), ())
    assert facts.imports


def test_a_broken_pickle_of_objects_is_a_defect_of_its_member() -> None:
    broken = saved(np.array([None], object))[:-30]
    facts = read(FORMAT, packed({"plain.npy": saved(np.zeros(2)), "objects.npy": broken}), "a.npz")
    assert len(facts.tensors) == 1
    assert "'objects.npy'" in facts.defects[0].message


def test_a_transposed_array_keeps_its_layout_when_deflated() -> None:
    data = packed({"a.npy": saved(np.zeros((2, 3), order="F"))}, zipfile.ZIP_DEFLATED)
    assert read(FORMAT, data, "a.npz").tensors[0].layout is Layout.COLUMN_MAJOR


def test_a_long_array_header_is_inflated_further() -> None:
    fields = np.dtype([(f"field{number}", "<f4") for number in range(200)])
    data = packed({"a.npy": saved(np.zeros(3, fields))}, zipfile.ZIP_DEFLATED)
    tensor = read(FORMAT, data, "a.npz").tensors[0]
    assert tensor.skip > 1_000
    assert tensor.shape == (3,)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("member", "reason", "words"),
    [
        (("x.txt", b"hello"), Reason.MALFORMED, "member 'x.txt' is no array"),
        (("x.npy", b"hello"), Reason.TRUNCATED, "x.npy: 6 bytes expected"),
        (("x.npy", b"hello world"), Reason.MALFORMED, "x.npy: no NumPy magic"),
        (("x.npy", saved([1, 2])[:-1]), Reason.MALFORMED, "does not hold 16 bytes"),
        (("x.npy", saved([1, 2]) + b"!"), Reason.MALFORMED, "does not hold 16 bytes"),
        (("../x.npy", saved([1])), Reason.MALFORMED, "leaves the archive"),
    ],
)
def test_a_bad_member_is_a_defect_and_the_rest_is_told(
    member: tuple[str, bytes], reason: Reason, words: str, method: int
) -> None:
    facts = read(FORMAT, packed(dict([member, ("good.npy", saved([1.0]))]), method), "a.npz")
    assert [t.name for t in facts.tensors][-1] == "good"
    (defect,) = facts.defects
    assert defect.reason is reason
    assert words in defect.message
    assert defect.offset is not None


def test_an_encrypted_member_is_told() -> None:
    data = bytearray(packed({"a.npy": saved([1])}))
    data[6] = data[data.index(b"PK\x01\x02") + 8] = 1
    facts = read(FORMAT, bytes(data), "a.npz")
    assert facts.capabilities == {Capability.ENCRYPTED}
    assert facts.defects[0].reason is Reason.ENCRYPTED


def test_trailing_bytes_are_a_defect() -> None:
    assert messages((FIXTURES / STORED).read_bytes() + b"tail") == ["4 bytes behind the end of the archive"]


@pytest.mark.parametrize("path", [STORED, DEFLATED, "npz/objects.npz"])
def test_cuts_and_flips_raise_nothing_else(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    for cut in truncations(data):
        assert isinstance(outcome(FORMAT, cut, "a.npz"), UnreadableError)
    for flipped in flips(data, 500):
        outcome(FORMAT, flipped, "a.npz")


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_arbitrary_members_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, b"PK\x03\x04" + data, packed({"a.npy": b"\x93NUMPY\1\0" + data})):
        outcome(FORMAT, candidate, "a.npz")


def test_a_bomb_costs_no_memory() -> None:
    header = saved(np.zeros((0, 1))).replace(b"(0, 1)", b"(0, 2)")
    data = packed({"a.npy": header + bytes(100 * MIB)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    facts = read(FORMAT, data, "a.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "does not hold 0 bytes" in facts.defects[0].message
    assert peak < MIB


def test_too_many_members_are_refused() -> None:
    entry = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFE, 0xFFFE, 2**31, 0, 0)
    error = outcome(FORMAT, b"PK\x03\x04" + entry, "a.npz")
    assert isinstance(error, UnreadableError)
    assert error.reason is Reason.LIMIT


def test_recognised_by_the_names_of_its_members() -> None:
    data = (FIXTURES / STORED).read_bytes()
    mixed = packed({"a.npy": b"", "schema.json": b""})
    other = packed({"a.txt": b""})
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(mixed, "model.skops")) is Match.NAME
    assert FORMAT.recognise(probe_of(other, "a.zip")) is Match.NO
    assert FORMAT.recognise(probe_of(other, "a.npz")) is Match.NAME
    assert FORMAT.recognise(probe_of(data[:-5], "a.npz")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"PK", "a.txt")) is Match.NO
