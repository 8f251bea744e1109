"""Raw pickles and their libraries: imports, arrays, capabilities, and nothing is ever loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import random
import zlib
from pathlib import Path

import cloudpickle
import dill
import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Capability, Facts, Layout, Use
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats._pickle import begins_pickle, walk
from aibom.formats.pickle import CLOUDPICKLE, DILL, FORMAT, FORMATS, JOBLIB
from aibom.readers import pickle_skim
from aibom.readers.ranges import Memory
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

ARRAYS = "joblib/arrays.joblib"
SYSTEM = b"cos\nsystem\n(S'true'\ntR."


def facts_of(data: bytes, name: str = "model.pkl") -> Facts:
    return read(FORMAT, data, name)


def dumped(value: object, protocol: int | None = None) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, protocol=protocol)
    return file.getvalue()


def names(facts: Facts) -> dict[str, bool]:
    return {f"{item.module}.{item.qualname}": item.use is Use.CALL for item in facts.imports}


def explained(facts: Facts) -> int:
    return sum(span.end - span.start for span in facts.covered) + sum(t.length for t in facts.tensors)


def array_of(data: bytes, facts: Facts, name: str) -> bytes:
    tensor = next(tensor for tensor in facts.tensors if tensor.name == name)
    return data[tensor.offset : tensor.offset + tensor.length]


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_has_imports_and_no_tensors(protocol: int) -> None:
    facts = read_fixture(FORMAT, f"pickle/protocol{protocol}.pkl")
    assert facts.format == "pickle"
    assert names(facts)["datetime.date"]
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    assert facts.defects == ()
    assert explained(facts) == (FIXTURES / f"pickle/protocol{protocol}.pkl").stat().st_size


def test_without_an_import_nothing_can_be_run() -> None:
    assert facts_of(pickle.dumps([1, "a"])).capabilities == frozenset()


@pytest.mark.parametrize("name", ["os_system.pkl", "shuffled_names.bin", "broken_tail.pkl"])
def test_hostile_fixtures_name_what_they_would_call(name: str) -> None:
    facts = read_fixture(FORMAT, f"pickle/{name}")
    called = [item.qualname for item in facts.imports if item.use is Use.CALL]
    assert called == ["system"]
    assert [d.reason for d in facts.defects] == ([Reason.MALFORMED] if name == "broken_tail.pkl" else [])


@pytest.mark.parametrize(
    ("path", "fmt"), [("pickle/function.dill", DILL), ("pickle/function.cloudpickle", CLOUDPICKLE)]
)
def test_functions_by_value_are_embedded_code(path: str, fmt: object) -> None:
    facts = read_fixture(fmt, path)  # type: ignore[arg-type]
    assert facts.format == fmt.name  # type: ignore[attr-defined]
    assert facts.capabilities == {Capability.IMPORTS_CODE, Capability.EMBEDS_CODE}


def test_dill_and_cloudpickle_without_code_are_told_apart_by_what_they_import() -> None:
    assert facts_of(dill.dumps(dill.dumps)).format == "dill"
    assert facts_of(cloudpickle.dumps([1])).format == "pickle"
    mentioned = facts_of(pickle.dumps("cloudpickle.cloudpickle joblib.numpy_pickle dill._dill"))
    assert mentioned.format == "pickle"


@pytest.mark.parametrize("data", [b"cmarshal\nloads\n.", b"ctypes\nFunctionType\n.", b"ctypes\nCodeType\n."])
def test_what_makes_functions_out_of_bytes_is_embedded_code(data: bytes) -> None:
    assert Capability.EMBEDS_CODE in facts_of(data).capabilities


def test_arrays_of_joblib_are_those_that_joblib_loads() -> None:
    data = (FIXTURES / ARRAYS).read_bytes()
    facts = read_fixture(JOBLIB, ARRAYS)
    value = joblib.load(FIXTURES / ARRAYS)  # our own fixture
    expected = {"weights": value["weights"], "fortran": value["fortran"].T, "big": value["big"].astype(">i4")}
    expected |= {f"layers/{index}": array for index, array in enumerate(value["layers"])}
    assert {tensor.name for tensor in facts.tensors} == expected.keys()
    for name, array in expected.items():
        assert array_of(data, facts, name) == array.tobytes()
    layouts = {tensor.name: tensor.layout for tensor in facts.tensors}
    assert layouts["weights"] is Layout.RAW
    assert (layouts["fortran"], layouts["big"]) == (Layout.COLUMN_MAJOR, Layout.BIG_ENDIAN)
    assert (facts.format, facts.defects) == ("joblib", ())
    assert explained(facts) == len(data)


@given(
    st.dictionaries(
        st.text("abc/", min_size=1, max_size=5),
        arrays.arrays(
            st.sampled_from(["<f4", ">f8", "|u1", "<i8", "?", "<c8", "<U3", "|S5", "<M8[ns]", "f2"]),
            arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        ),
        max_size=4,
    ),
    st.sampled_from([0, 2, 3, 4, 5]),
)
def test_any_array_that_joblib_writes_is_found(value: dict[str, np.ndarray], protocol: int) -> None:
    data = dumped(value, protocol)
    facts = facts_of(data)
    assert facts.defects == ()
    assert [t.shape for t in facts.tensors] == [array.shape for array in value.values()]
    for tensor, array in zip(facts.tensors, value.values(), strict=True):
        assert data[tensor.offset : tensor.offset + tensor.length] == array.tobytes()
    assert explained(facts) == len(data)


def test_the_walk_resumes_behind_an_array() -> None:
    facts = read_fixture(JOBLIB, "joblib/os_system.joblib")
    assert names(facts)["posix.system"]
    assert facts.defects == ()


def test_imports_inside_an_array_of_objects_are_listed() -> None:
    facts = facts_of(dumped({"a": np.array([Path("x"), 1], dtype=object), "b": np.ones(2)}))
    assert any("Path" in name for name in names(facts))
    assert [tensor.name for tensor in facts.tensors] == ["b"]


def test_a_lone_array_is_the_root() -> None:
    facts = read_fixture(JOBLIB, "joblib/protocol0.joblib")
    assert [(t.name, t.dtype, t.shape) for t in facts.tensors] == [(".", "I64", (4,))]


def test_an_array_that_was_dropped_is_named_by_its_place() -> None:
    data = dumped(np.ones(2))
    tensor = facts_of(data[:-1] + b"0N.").tensors[0]
    assert tensor.name == f"@{tensor.offset}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"\x8c\x02f4", b"\x8c\x02q4", "unknown element type"),
        (b"\x8c\x05dtype\x94h", b"\x8c\x05dtypf\x94h", "unknown element type"),
        (b"\x8c\x05shape", b"\x8c\x05shapf", "without a possible shape"),
        (b"K\x02K\x03\x86", b"K\xffK\xff\x86", "an array of 260100 bytes"),
    ],
)
def test_array_descriptions_that_do_not_fit_are_defects(old: bytes, new: bytes, words: str) -> None:
    data = dumped(np.zeros((2, 3), np.float32))
    assert old in data
    facts = facts_of(data.replace(old, new))
    assert words in " ".join(defect.message for defect in facts.defects)
    assert "joblib.numpy_pickle.NumpyArrayWrapper" in names(facts)


def test_padding_that_holds_something_is_a_defect() -> None:
    data = dumped(np.zeros((2, 3), np.float32))
    start = facts_of(data).tensors[0].offset
    facts = facts_of(data[: start - 1] + b"!" + data[start:])
    assert "padding hold something" in facts.defects[0].message
    assert len(facts.tensors) == 1


def test_arrays_in_files_of_their_own_are_a_gap() -> None:
    facts = facts_of(b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}b.")
    assert facts.defects[0].reason is Reason.NOT_READ


def test_several_streams_are_all_read() -> None:
    facts = facts_of(pickle.dumps(1) + SYSTEM + pickle.dumps(Path("x")))
    assert names(facts)["os.system"]
    assert any("Path" in name for name in names(facts))
    assert facts.defects == ()


@pytest.mark.parametrize("tail", [b"payload", b"\0" * 8, b"MZ\x90\0", bytes(range(256)) * 300])
def test_bytes_behind_the_last_stream_that_begin_none_stay_unexplained(tail: bytes) -> None:
    data = pickle.dumps({"a": 1})
    facts = facts_of(data + tail)
    assert (facts.defects, facts.hazards) == ((), ())
    assert explained(facts) == len(data)
    assert facts.indexed


@pytest.mark.parametrize("tail", [b"\x80", b"\x80\x04", b"\x80\x04N", b"\x80\x02X\xff\0\0\0"])
def test_a_further_stream_that_is_broken_is_a_defect(tail: bytes) -> None:
    assert "a further stream cannot be followed" in facts_of(pickle.dumps(1) + tail).defects[0].message


@pytest.mark.parametrize("padding", [b"\0" * 512, b"\xff" * 7, b" \n\r\n", bytes(64 * 1024)])
def test_streams_behind_padding_are_read(padding: bytes) -> None:
    facts = facts_of(pickle.dumps(1) + padding + SYSTEM + padding)
    assert names(facts) == {"os.system": True}
    assert (facts.defects, facts.hazards) == ((), ())


@pytest.mark.parametrize("gap", [b"garbage", b"\0" * 70_000, b"N" * 900_000, b"\x80\x04(" * 60 + b"x"])
def test_a_pickle_behind_garbage_is_hidden(gap: bytes) -> None:
    payload = pickle.dumps(Path("x"), 4).replace(b"pathlib", b"evillib")
    data = pickle.dumps(1) + gap
    facts = facts_of(data + payload)
    assert [(h.kind, h.found, h.offset) for h in facts.hazards] == [
        (HazardKind.HIDDEN_PAYLOAD, "trailing-pickle", len(data))
    ]
    assert any(name.startswith("evillib.") for name in names(facts))


def test_what_only_looks_like_a_pickle_behind_garbage_is_none() -> None:
    chance = random.Random(0)
    noise = bytes(chance.choice((0x80, 2, 4, 0x63, 0x28, 0x0A, 0x41)) for _ in range(20_000))
    for tail in (noise, b"x" + pickle.dumps({"a": [1, 2]}), b"x\x80\x02c!\n?\n."):
        assert facts_of(pickle.dumps(1) + tail).hazards == ()


def test_a_search_behind_the_last_stream_is_bounded() -> None:
    tail = (b"x\x80\x04" + b"N0" * 2_000) * 250
    reader = Counting(pickle.dumps(1) + tail)
    walk(reader)
    assert reader.fetched < 8 * len(tail)


class Counting(Memory):
    """Counts the bytes that are fetched."""

    fetched = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.fetched += length
        return super().read_at(offset, length)


def test_a_walk_may_start_anywhere() -> None:
    walked = walk(Memory(b"header" + SYSTEM + pickle.dumps(2, 4)), 6)
    assert (walked.streams, walked.protocol, walked.imports[0].offset) == (2, 0, 6)
    assert walked.covered[0].start == 6
    assert walked.end == 6 + len(SYSTEM) + len(pickle.dumps(2, 4))
    with pytest.raises(UnreadableError):
        walk(Memory(b"header"), 6)


def test_hazards_and_nested_files_of_every_stream_are_told() -> None:
    inner = b"\x80\x04N."
    data = (
        pickle.dumps([inner + bytes(300)])
        + SYSTEM[:-1]
        + b")R."
        + dumped(np.array([inner + b"x" * 9], object))
    )
    facts = facts_of(data)
    assert [h.found for h in facts.hazards] == ["computed-call"]
    assert [data[n.offset :][: len(inner)] for n in facts.nested] == [inner, inner]


@pytest.mark.parametrize(
    ("head", "begins"),
    [
        (b"\x80\x04N.", True),
        (b"\x80\x02\x80\x02N.", True),
        (SYSTEM, True),
        (SYSTEM[:-1] + b"\xff", True),
        (b"N.", True),
        (b"N.x", False),
        (b"cat\ndog\nelephant\n", False),
        (b"chat\nchien\n\xff", False),
        (b"(see below)\n", False),
        (b"", False),
        (b"\x80\x04", False),
        (b"\x80\x04\xff", False),
    ],
)
def test_a_file_begins_like_a_pickle_only_when_that_is_no_accident(head: bytes, begins: bool) -> None:
    assert begins_pickle(head, len(head)) is begins


def test_a_long_stream_is_told_as_if_it_were_walked_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": index, "name": f"n{index}", "pair": [1.5, None]} for index in range(2_000)]
    data = dumped({"rows": rows, "weights": np.ones(3), "path": Path("x"), "more": rows})
    exact = facts_of(data)
    monkeypatch.setattr(pickle_skim, "_WORTH_BYTES", 1)
    assert facts_of(data) == exact
    assert [tensor.name for tensor in exact.tensors] == ["weights"]


def test_a_broken_second_stream_still_names_its_imports() -> None:
    facts = facts_of(pickle.dumps(1) + SYSTEM[:-1] + b"\xff")
    assert names(facts) == {"os.system": True}
    assert facts.defects[0].reason is Reason.MALFORMED


def test_streams_without_end_are_a_limit() -> None:
    facts = facts_of(b"N." * 1_001)
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(SYSTEM, mtime=0),
        zlib.compress(SYSTEM),
        zlib.compress(SYSTEM, 9),
        bz2.compress(SYSTEM),
        lzma.compress(SYSTEM),
        lzma.compress(SYSTEM, format=lzma.FORMAT_ALONE),
        b"\x04\x22M\x18" + SYSTEM,
    ],
)
@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "model.pkl.gz", "model.joblib.z"])
def test_compressed_pickles_are_a_gap_and_never_clean(data: bytes, name: str) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is Match.NAME
    with pytest.raises(UnreadableError, match="compressed with") as caught:
        facts_of(data, name)
    assert caught.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "1 bytes expected"),
        (b"\x80", Reason.TRUNCATED, "1 bytes expected"),
        (b"hello", Reason.MALFORMED, "memo entry"),
        (b"\x80\x04\xff", Reason.MALFORMED, "no opcode"),
        (b"\x80\x04\x8e" + b"\xff" * 8, Reason.TRUNCATED, "18446744073709551615 bytes"),
        (b"(" * 600_000, Reason.LIMIT, "the stack holds"),
    ],
)
def test_what_holds_not_even_an_import_is_refused(data: bytes, reason: Reason, words: str) -> None:
    error = outcome(FORMAT, data, "model.pkl")
    assert isinstance(error, UnreadableError)
    assert error.reason is reason
    assert words in str(error)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["weights.safetensors", "README.md", "model.gguf", "x"])
def test_recognised_by_content_under_any_name(protocol: int, name: str) -> None:
    assert FORMAT.recognise(probe_of(pickle.dumps({"a": 1}, protocol), name)) is Match.CONTENT


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.pth", "model.ckpt", "model.safetensors"])
def test_old_protocols_are_recognised_where_weights_are_expected(name: str) -> None:
    assert FORMAT.recognise(probe_of(SYSTEM, name)) is Match.CONTENT
    long = pickle.dumps([str(index) for index in range(5_000)], 0)
    assert FORMAT.recognise(probe_of(long, name)) is Match.CONTENT
    assert FORMAT.recognise(probe_of(SYSTEM, name + ".txt")) is Match.NO
    for other in (
        b"",
        b"N",
        b"N.garbage"[:1],
        b"\x89PNG\r\n",
        b"PK\3\4",
        b"Hello, world. " * 500,
        bytes(4096),
    ):
        assert FORMAT.recognise(probe_of(other, name)) is Match.NO, other


def test_the_head_tells_the_library_where_it_names_it() -> None:
    data = (FIXTURES / ARRAYS).read_bytes()
    assert [fmt.name for fmt in FORMATS if fmt.recognise(probe_of(data, "x")) is Match.CONTENT] == [
        "joblib",
        "pickle",
    ]
    assert JOBLIB.recognise(probe_of(b"joblib.numpy_pickle", "notes.txt")) is Match.NO


PATHS = sorted(
    str(path.relative_to(FIXTURES))
    for folder in ("pickle", "joblib")
    for path in (FIXTURES / folder).iterdir()
)


@pytest.mark.parametrize("path", PATHS)
def test_every_cut_is_an_error_or_a_defect(path: str) -> None:
    for piece in truncations((FIXTURES / path).read_bytes()):
        found = outcome(FORMAT, piece, path)
        assert isinstance(found, UnreadableError) or found.defects


@pytest.mark.parametrize("path", PATHS)
def test_no_flip_escapes(path: str) -> None:
    for changed in flips((FIXTURES / path).read_bytes(), 200):
        outcome(FORMAT, changed, path)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, b"\x80\x04" + data, "model.bin")
    outcome(FORMAT, data, "model.bin")
