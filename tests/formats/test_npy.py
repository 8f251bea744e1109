"""npy: facts equal NumPy's, and the header is never evaluated."""

from __future__ import annotations

import io
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Capability, Layout, Span, Use
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.npy import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations


def saved(array: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.save(target, array)
    return target.getvalue()


def packed(header: str | bytes, body: bytes = b"", version: int = 1) -> bytes:
    text = header.encode("utf-8" if version == 3 else "latin-1") if isinstance(header, str) else header
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes((version, 0)) + length + text + body


def described(descr: str = "'<f4'", shape: str = "(1,)", fortran: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def refusal(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "a.npy")
    return caught.value


@pytest.mark.parametrize(
    ("name", "dtype", "layout"),
    [
        ("matrix", "F32", Layout.RAW),
        ("version2", "F32", Layout.RAW),
        ("version3", "F32", Layout.RAW),
        ("column_major", "F32", Layout.COLUMN_MAJOR),
        ("big_endian", "F32", Layout.BIG_ENDIAN),
        ("scalar", "I64", Layout.RAW),
        ("records", "[('id', '<i4'), ('box', '<f4', (2,)), ('name', '<U3')]", Layout.RAW),
    ],
)
def test_the_array_equals_numpy(name: str, dtype: str, layout: Layout) -> None:
    path = f"npy/{name}.npy"
    data = (FIXTURES / path).read_bytes()
    expected = np.load(FIXTURES / path)
    facts = read_fixture(FORMAT, path)
    (tensor,) = facts.tensors
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.layout) == ("", dtype, expected.shape, layout)
    stored = data[tensor.offset : tensor.offset + tensor.length]
    assert stored == expected.tobytes("F" if layout is Layout.COLUMN_MAJOR else "C")
    assert facts.covered == (Span(start=0, end=tensor.offset),)
    assert facts.indexed
    assert facts.defects == ()


def test_the_version_is_told() -> None:
    assert [read_fixture(FORMAT, f"npy/version{n}.npy").version for n in (2, 3)] == ["2.0", "3.0"]


@settings(deadline=None)
@given(
    arrays.arrays(
        st.one_of(
            arrays.scalar_dtypes(),
            arrays.array_dtypes(arrays.scalar_dtypes(), max_size=3, allow_subarrays=True),
        ),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
        fill=st.nothing(),
    ).filter(lambda array: array.dtype.kind != "O"),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore")
def test_any_array_of_the_reference_writer_is_read(array: np.ndarray, fortran: bool) -> None:
    array = np.asfortranarray(array) if fortran else array
    facts = read(FORMAT, saved(array), "a.npy")
    (tensor,) = facts.tensors
    assert (tensor.shape, tensor.length) == (array.shape, array.nbytes)
    assert facts.defects == ()
    if array.dtype.names is None and tensor.layout is Layout.RAW:
        assert saved(array)[tensor.offset :] == array.tobytes()
    if array.dtype.names is None and tensor.dtype[0] in "<>|":
        assert tensor.dtype == array.dtype.str


@pytest.mark.parametrize(
    ("letter", "dtype"),
    [
        ("?", "BOOL"),
        ("b", "I8"),
        ("B", "U8"),
        ("e", "F16"),
        ("d", "F64"),
        ("F", "C64"),
        ("D", "C128"),
        ("Q", "U64"),
    ],
)
def test_element_types_are_spelt_as_in_safetensors(letter: str, dtype: str) -> None:
    assert read(FORMAT, saved(np.zeros(2, letter)), "a.npy").tensors[0].dtype == dtype


@pytest.mark.parametrize("descr", ["'|O'", "'<O8'", "'object'", "'i4,O'", "[('a', '<i4'), ('b', '|O')]"])
def test_the_pickle_of_an_array_of_objects_is_walked(descr: str) -> None:
    body = b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R."
    data = packed(described(descr), body)
    facts = read(FORMAT, data, "a.npy")
    assert [(item.name, item.use, item.arguments) for item in facts.imports] == [
        ("os.system", Use.CALL, "('true',)")
    ]
    assert facts.imports[0].offset == len(data) - len(body) + 2
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    assert (facts.tensors, facts.defects, facts.indexed) == ((), (), True)
    assert sum(span.end - span.start for span in facts.covered) == len(data)


def test_the_pickle_of_the_reference_writer_is_told() -> None:
    facts = read_fixture(FORMAT, "npy/objects.npy")
    assert Capability.IMPORTS_CODE in facts.capabilities
    assert any(item.qualname == "_reconstruct" for item in facts.imports)
    assert (facts.hazards, facts.defects) == ((), ())


def test_a_pickle_that_cannot_be_walked_is_refused_or_a_defect() -> None:
    with pytest.raises(UnreadableError):
        read(FORMAT, packed(described("'|O'"), b"\xff"), "a.npy")
    facts = read(FORMAT, packed(described("'|O'"), b"cos\nsystem\n\xff"), "a.npy")
    assert facts.defects[0].reason is Reason.MALFORMED
    assert facts.imports


def test_trailing_bytes_are_a_defect_and_the_array_is_still_told() -> None:
    facts = read(FORMAT, saved(np.zeros(2)) + b"payload", "a.npy")
    assert facts.tensors[0].shape == (2,)
    assert facts.defects[0].message == "7 bytes follow the array"
    assert facts.defects[0].offset == 144


def test_one_long_axis_has_no_order() -> None:
    data = packed(described(shape="(1, 2)", fortran="True"), bytes(8))
    assert read(FORMAT, data, "a.npy").tensors[0].layout is Layout.RAW


def test_headers_of_python_2_are_read() -> None:
    data = packed(described(shape="(2L, 1L)"), bytes(8))
    assert read(FORMAT, data, "a.npy").tensors[0].shape == (2, 1)


NESTED = "(" * 20_000


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "6 bytes"),
        (b"\x93NUMPX\1\0\0\0", Reason.MALFORMED, "no NumPy magic"),
        (b"\x93NUMPY\4\0\0\0\0\0", Reason.UNSUPPORTED, "format 4.0"),
        (b"\x93NUMPY\1\1\0\0", Reason.UNSUPPORTED, "format 1.1"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff", Reason.LIMIT, "claims 4294967295 bytes"),
        (b"\x93NUMPY\1\0\xff\0{}", Reason.TRUNCATED, "255 bytes"),
        (packed(b"\xff", version=3), Reason.MALFORMED, "not UTF-8"),
        (packed(""), Reason.MALFORMED, "not a Python literal"),
        (packed("__import__('os')"), Reason.MALFORMED, "not a Python literal"),
        (packed("{'a': 1 + 1}"), Reason.MALFORMED, "not a Python literal"),
        (packed("{'a': Nothing}"), Reason.MALFORMED, "not a Python literal"),
        (packed("{'a': (1 2)}"), Reason.MALFORMED, "comma is missing"),
        (packed("{'a': 1, 'a': 2}"), Reason.MALFORMED, "double key"),
        (packed("{'a': 1 'b': 2}"), Reason.MALFORMED, "wrong or a double key"),
        (packed("{1: 1}"), Reason.MALFORMED, "wrong or a double key"),
        (packed("{'a' 1}"), Reason.MALFORMED, "wrong or a double key"),
        (packed("[]"), Reason.MALFORMED, "not one dictionary"),
        (packed("{}{}"), Reason.MALFORMED, "not one dictionary"),
        (packed("{}"), Reason.MALFORMED, "lacks descr"),
        (packed(f"{{'a': {NESTED}"), Reason.LIMIT, "nested deeper"),
        (packed("'" + "\\" * 60_000), Reason.MALFORMED, "not a Python literal"),
        (packed(described(fortran="0")), Reason.MALFORMED, "not a boolean"),
        (packed(described(shape="[1]")), Reason.MALFORMED, "not a tuple"),
        (packed(described(shape="(1)")), Reason.MALFORMED, "not a tuple"),
        (packed(described(shape="(-1,)")), Reason.MALFORMED, "something else than sizes"),
        (packed(described(shape="(True,)")), Reason.MALFORMED, "something else than sizes"),
        (packed(described(shape="(9223372036854775808,)")), Reason.MALFORMED, "something else than sizes"),
        (packed(described(shape=f"({'1,' * 33})")), Reason.LIMIT, "33 dimensions"),
        (
            packed(described(shape=f"({'9223372036854775807,' * 32})")),
            Reason.TRUNCATED,
            "more than there are",
        ),
        (packed(described("'<f4'")), Reason.TRUNCATED, "claims 4 bytes, 4 more"),
        (packed(described("'<q'")), Reason.MALFORMED, "unknown dtype '<q'"),
        (packed(described("'<f'")), Reason.MALFORMED, "unknown dtype '<f'"),
        (packed(described("3")), Reason.MALFORMED, "no dtype"),
        (packed(described("['<f4']")), Reason.MALFORMED, "not a name and a type"),
        (packed(described("[('a',)]")), Reason.MALFORMED, "not a name and a type"),
    ],
)
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(data)
    assert error.reason is reason
    assert words in str(error)


def test_escapes_in_field_names_are_read_as_python_reads_them() -> None:
    fields = [("a'\"\\\n\x01", "<i4"), ("ü", "<i4")]
    data = saved(np.zeros(1, fields))
    assert read(FORMAT, data, "a.npy").tensors[0].dtype == str(np.dtype(fields).descr)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, packed(data), packed(data, version=3)):
        outcome(FORMAT, candidate, "a.npy")


@given(st.text("{}()[],:'\"\\ 0123456789LTrueFalsNon<f4descr", max_size=60))
def test_arbitrary_literals_raise_nothing_else(text: str) -> None:
    outcome(FORMAT, packed("{'descr': " + text + "}", version=3), "a.npy")


@pytest.mark.parametrize("name", ["matrix", "records", "objects", "version3"])
def test_cuts_and_flips_raise_nothing_else(name: str) -> None:
    data = (FIXTURES / f"npy/{name}.npy").read_bytes()
    for cut in truncations(data):
        found = outcome(FORMAT, cut, "a.npy")
        assert isinstance(found, UnreadableError) or found.defects
    for flipped in flips(data, 1_000):
        outcome(FORMAT, flipped, "a.npy")


def test_a_claim_costs_no_memory() -> None:
    data = packed(described(shape="(" + "4611686018427387904," * 16 + ")"))
    tracemalloc.start()
    error = refusal(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(4 * math.prod([2**62] * 16)) in str(error)
    assert peak < MIB


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / "npy/matrix.npy").read_bytes()
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"\x80\x04K\x01.", "a.npy")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO
