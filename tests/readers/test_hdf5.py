"""HDF5 walker: datasets and attributes equal h5py's in every layout of groups, and hostile graphs end."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from collections.abc import Callable

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Layout
from aibom.domain.limits import MIB
from aibom.readers.hdf5 import Walk, open_walk
from aibom.readers.hdf5_datasets import Dataset, Piece
from aibom.readers.hdf5_signature import is_hdf5
from aibom.readers.ranges import Budgeted, Memory
from tests.hostile import FIXTURES, flips, truncations

VERSIONS = ["earliest", ("v108", "v108"), ("v110", "v110"), "latest"]
Fill = Callable[[h5py.File], object]


def written(fill: Fill, libver: object = "earliest", **options: object) -> bytes:
    target = io.BytesIO()
    with h5py.File(target, "w", libver=libver, **options) as file:
        fill(file)
    return target.getvalue()


def walked(data: bytes) -> tuple[Walk, dict[str, Dataset]]:
    walk = open_walk(Budgeted(Memory(data)))
    return walk, {dataset.path: dataset for dataset in walk.datasets()}


def messages(data: bytes) -> list[str]:
    return [defect.message for defect in walked(data)[0].defects.found]


def texts(data: bytes) -> dict[str, tuple[bytes, ...] | None]:
    return {attribute.name: attribute.texts for attribute in walked(data)[0].attributes}


def check_equal(data: bytes) -> None:
    """Every dataset of h5py is there, with its shape, and with its bytes where they are plain."""
    walk, found = walked(data)
    with h5py.File(io.BytesIO(data)) as file:
        expected: dict[str, h5py.Dataset] = {}
        file.visititems(
            lambda name, item: expected.update({name: item} if isinstance(item, h5py.Dataset) else {})
        )
        assert found.keys() == expected.keys()
        for name, dataset in found.items():
            assert dataset.shape == (expected[name].shape or (0,) * (expected[name].shape is None)), name
            if dataset.layout in (Layout.RAW, Layout.BIG_ENDIAN):
                stored = data[dataset.offset : dataset.offset + dataset.length]
                assert stored == expected[name][...].tobytes(), name
    assert walk.defects.found == []


def many(file: h5py.File) -> None:
    """More links, attributes and levels than one node or one heap block holds."""
    for number in range(300):
        file[f"group/tensor{number}"] = np.int32(number)
    for number in range(40):
        file.attrs[f"attribute{number}"] = f"value {number}"
    file["a/b/c/d/e"] = np.zeros(2)


@pytest.mark.parametrize(
    ("libver", "track_order"), [("earliest", False), ("earliest", True), ("latest", True)]
)
def test_groups_of_every_size_and_version_equal_h5py(libver: object, track_order: bool) -> None:
    data = written(many, libver, track_order=track_order)
    check_equal(data)
    assert texts(data) == {f"attribute{n}": (f"value {n}".encode(),) for n in range(40)}


@pytest.mark.parametrize("name", ["old", "new", "dense", "keras2"])
def test_fixtures_equal_h5py(name: str) -> None:
    check_equal_with_aliases((FIXTURES / f"hdf5/{name}.h5").read_bytes())


def check_equal_with_aliases(data: bytes) -> None:
    """`visititems` and the walk both tell an object once; they may choose another of its paths."""
    _, found = walked(data)
    with h5py.File(io.BytesIO(data)) as file:
        for path, dataset in found.items():
            assert dataset.shape == file[path].shape
            if dataset.layout is Layout.RAW:
                stored = data[dataset.offset : dataset.offset + dataset.length]
                assert stored == file[path][...].tobytes()
        count = []
        file.visititems(lambda _, item: count.append(1) if isinstance(item, h5py.Dataset) else None)
    assert len(found) == len(count)


@pytest.mark.parametrize("name", ["old", "new"])
def test_types_and_layouts_are_told(name: str) -> None:
    _, found = walked((FIXTURES / f"hdf5/{name}.h5").read_bytes())
    told = {path: (d.dtype, d.layout) for path, d in found.items()}
    assert told == {
        "again/bias": ("F16", Layout.RAW),
        "again/kernel": ("F32", Layout.RAW),
        "chunked": ("F64", Layout.CHUNKED),
        "compact": ("U8", Layout.RAW),
        "empty": ("F64", Layout.RAW),
        "flags": ("BOOL", Layout.RAW),
        "names": ("vlen-string", Layout.PACKED),
        "step": ("I64", Layout.RAW),
        "swapped": ("I32", Layout.BIG_ENDIAN),
        "words": ("string", Layout.RAW),
    }


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.text("abc/", min_size=1, max_size=5).filter(lambda name: name.strip("/") and "//" not in name),
        arrays.arrays(
            st.sampled_from(["<f4", "<f2", "<f8", "<i8", "|u1", ">i2", ">f4", "|S3"]),
            arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
        ),
        max_size=4,
    ),
    st.sampled_from(VERSIONS),
    st.sampled_from([0, 512, 2048]),
)
def test_whatever_h5py_writes_is_read(values: dict[str, np.ndarray], libver: object, block: int) -> None:
    def fill(file: h5py.File) -> None:
        for name, value in values.items():
            if name not in file and not clashes(file, name):
                file[name] = value

    check_equal(written(fill, libver, userblock_size=block))


def clashes(file: h5py.File, name: str) -> bool:
    """True when a part of the path is a dataset already."""
    parts = name.strip("/").split("/")
    paths = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(isinstance(file.get(path), h5py.Dataset) for path in paths) or paths[-1] in file


@pytest.mark.parametrize("libver", VERSIONS)
def test_types_equal_numpy(libver: object) -> None:
    samples = {
        "I8": "i1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "F16": "<f2", "F64": "<f8", "BOOL": "?",
    }  # fmt: skip
    data = written(
        lambda file: [file.create_dataset(n, data=np.zeros(2, t)) for n, t in samples.items()], libver
    )
    assert {path: d.dtype for path, d in walked(data)[1].items()} == {name: name for name in samples}


@pytest.mark.parametrize("libver", VERSIONS)
def test_other_types_are_unknown_and_an_array_adds_its_axes(libver: object) -> None:
    def fill(file: h5py.File) -> None:
        file["complex"] = np.zeros(2, np.complex64)
        file["record"] = np.zeros(2, [("a", "<i4")])
        file.create_dataset("reference", (2,), h5py.ref_dtype)
        file.create_dataset("rows", (2,), h5py.vlen_dtype(np.int32))
        file.create_dataset("array", (2,), np.dtype(("<f4", (3, 4))))
        file.create_dataset("long", data=np.zeros(2, np.longdouble))
        file.create_dataset("enum", data=[1], dtype=h5py.enum_dtype({"A": 1, "B": 2}, "<i2"))
        file["null"] = h5py.Empty("f4")

    _, found = walked(written(fill, libver))
    assert {p for p, d in found.items() if d.dtype == "unknown"} >= {
        "complex",
        "record",
        "reference",
        "rows",
        "long",
    }
    assert {d.layout for d in found.values() if d.dtype == "unknown"} <= {Layout.PACKED, Layout.CHUNKED}
    assert (found["array"].shape, found["array"].dtype) == ((2, 3, 4), "F32")
    assert found["enum"].dtype == "I16"
    assert (found["null"].shape, found["null"].length) == ((0,), 0)


@pytest.mark.parametrize("libver", VERSIONS)
def test_a_committed_type_is_followed(libver: object) -> None:
    def fill(file: h5py.File) -> None:
        file["type"] = np.dtype("<f4")
        file.create_dataset("x", data=np.ones(2), dtype=file["type"])
        file.attrs.create("a", np.float32(1), dtype=file["type"])

    walk, found = walked(written(fill, libver))
    assert found["x"].dtype == "F32"
    assert [a.name for a in walk.attributes] == ["a"]
    assert walk.defects.found == []


def test_attributes_are_told_as_bytes() -> None:
    def fill(file: h5py.File) -> None:
        file.attrs["variable"] = "grün"
        file.attrs["fixed"] = np.bytes_(b"text")
        file.attrs["several"] = ["a", "", "ccc"]
        file.attrs["several fixed"] = np.array([b"a", b"bb"])
        file.attrs["number"] = 3
        file.attrs["long"] = "x" * 100_000

    expected = {
        "variable": ("grün".encode(),),
        "fixed": (b"text",),
        "several": (b"a", b"", b"ccc"),
        "several fixed": (b"a", b"bb"),
        "number": None,
        "long": (b"x" * 100_000,),
    }
    assert texts(written(fill)) == expected
    assert texts(written(fill, "latest")) == expected


def test_a_large_attribute_outside_of_its_heap_blocks_is_a_defect() -> None:
    def fill(file: h5py.File) -> None:
        for number in range(9):
            file.attrs[f"a{number}"] = np.bytes_(b"x" * 70_000)

    (message,) = messages(written(fill, ("v110", "v110")))
    assert "outside of the blocks of its heap" in message


def test_links_out_of_the_file_are_defects_and_inner_ones_are_not() -> None:
    def fill(file: h5py.File) -> None:
        file["x"] = 1
        file["soft"] = h5py.SoftLink("/x")
        file["out"] = h5py.ExternalLink("../secret.h5", "/x")
        file["group/root"] = file["/"]

    for libver in VERSIONS:
        walk, found = walked(written(fill, libver))
        assert list(found) == ["x"]
        assert walk.outside
        assert [(d.reason, d.message) for d in walk.defects.found] == [
            (Reason.NOT_READ, "'/out': a link into '../secret.h5' is not followed")
        ]


def test_data_of_other_files_is_told() -> None:
    def fill(file: h5py.File) -> None:
        file.create_dataset("x", (4,), "<f4", external=[("/etc/passwd", 8, 16)])
        virtual = h5py.VirtualLayout((4,), "<f4")
        virtual[:] = h5py.VirtualSource("other.h5", "x", (4,))
        file.create_virtual_dataset("v", virtual)

    walk, found = walked(written(fill, "latest"))
    assert found["x"].files == (Piece("/etc/passwd", 8, 16),)
    assert {d.layout for d in found.values()} == {Layout.EXTERNAL}
    assert walk.outside
    assert len(walk.defects.found) == 2


def test_a_dataset_that_was_never_written_has_no_bytes() -> None:
    _, found = walked(written(lambda file: file.create_dataset("x", (4,), "<f4")))
    assert (found["x"].layout, found["x"].length) == (Layout.CHUNKED, 0)


def test_trailing_and_missing_bytes_are_defects() -> None:
    data = (FIXTURES / "hdf5/old.h5").read_bytes()
    assert messages(data + b"tail") == ["4 bytes behind the end of the HDF5 file"]
    assert f"ends at byte {len(data)}, not here" in messages(data[:-1])[0]


def test_the_signature_may_stand_behind_a_user_block() -> None:
    assert is_hdf5(written(lambda _: None))
    assert is_hdf5(written(lambda _: None, userblock_size=2048))
    far = written(lambda file: file.create_dataset("x", data=1), userblock_size=65536)
    assert not is_hdf5(far[:4096])
    assert list(walked(far)[1]) == ["x"]


OLD = written(lambda file: file.create_dataset("g/x", data=np.arange(4, dtype="<i4")))
NEW = written(lambda file: file.create_dataset("g/x", data=np.arange(4, dtype="<i4")), "latest")


def patched(data: bytes, magic: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    places = [at for at in range(len(data)) if data.startswith(magic, at)]
    at = places[which] + offset
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no HDF5 signature"),
        (OLD[:8], Reason.TRUNCATED, "bytes expected"),
        (patched(OLD, b"\x89HDF", 8, b"\x04"), Reason.UNSUPPORTED, "superblock of version 4"),
        (patched(OLD, b"\x89HDF", 13, b"\x03"), Reason.UNSUPPORTED, "addresses of 3"),
        (patched(NEW, b"\x89HDF", 36, b"\xff" * 8), Reason.MALFORMED, "no root group"),
    ],
)
def test_bad_superblocks_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        walked(data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (patched(OLD, b"TREE", 0, b"XREE"), Reason.MALFORMED, "neither a B-tree node"),
        (patched(OLD, b"TREE", 6, b"\xff\xff"), Reason.TRUNCATED, "bytes to skip"),
        (patched(OLD, b"SNOD", 6, b"\xff\xff"), Reason.MALFORMED, ""),
        (patched(OLD, b"HEAP", 8, b"\xff" * 8), Reason.LIMIT, "local heap of"),
        (patched(OLD, b"SNOD", 8, b"\xff" * 8), Reason.MALFORMED, "a name does not end"),
        (patched(OLD, b"SNOD", 16, b"\x01" + bytes(7)), Reason.MALFORMED, "no object header"),
        (patched(NEW, b"OHDR", 4, b"\x09", 1), Reason.UNSUPPORTED, "object header of version 9"),
    ],
)
def test_bad_structures_are_defects_with_their_place(data: bytes, reason: Reason, words: str) -> None:
    found = [d for d in walked(data)[0].defects.found if words in d.message]
    assert found, messages(data)
    assert found[0].reason is reason
    assert found[0].offset is not None


def header_v1(*parts: tuple[int, bytes]) -> bytes:
    """An object header of version 1."""
    body = b"".join(struct.pack("<HHB3x", kind, len(data), 0) + data for kind, data in parts)
    return struct.pack("<BxHII4x", 1, len(parts), 1, len(body)) + body


def file_of(root: bytes) -> bytes:
    """A superblock of version 2 and the root's object header behind it."""
    end = 48 + len(root)
    return b"\x89HDF\r\n\x1a\n\x02\x08\x08\0" + struct.pack("<QQQQI", 0, 2**64 - 1, end, 48, 0) + root


SPACE = struct.pack("<BBBB4xQ", 1, 1, 0, 0, 2**62)
SMALL = struct.pack("<BBBB4xQ", 1, 1, 0, 0, 2)
FLOAT = b"\x11\x20\x1f\0\x04\0\0\0\0\0\x20\0\x17\x08\0\x17\x7f\0\0\0"


@pytest.mark.parametrize(
    ("root", "reason", "words"),
    [
        (header_v1((8, b"\x03\x01")), Reason.MALFORMED, "lacks a type or a shape"),
        (header_v1((1, SPACE), (3, FLOAT), (8, b"\x09\x01")), Reason.UNSUPPORTED, "data layout of version 9"),
        (header_v1((1, SPACE), (3, FLOAT), (8, b"\x03\x07")), Reason.MALFORMED, "data layout of class 7"),
        (header_v1((1, b"\x01\xff\0\0"), (3, FLOAT), (8, b"\x03\x01")), Reason.TRUNCATED, "bytes"),
        (
            header_v1((1, b"\x01\xff\0\0" + bytes(8)), (3, FLOAT), (8, b"\x03\x01")),
            Reason.LIMIT,
            "255 dimensions",
        ),
        (
            header_v1((1, SPACE), (3, FLOAT), (8, struct.pack("<BBQQ", 3, 1, 48, 8))),
            Reason.MALFORMED,
            "8 bytes of data, type and shape need",
        ),
        (
            header_v1((1, SMALL), (3, FLOAT), (8, struct.pack("<BBQQ", 3, 1, 999, 8))),
            Reason.TRUNCATED,
            "the data ends at byte",
        ),
        (
            header_v1((1, SPACE), (3, b"\x3a\0\0\0\0\0\0\0\xff"), (8, b"\x03\x01")),
            Reason.LIMIT,
            "255 dimensions",
        ),
        (
            header_v1((1, SPACE), (3, b"\x38\x02\0\0\0\0\0\0" * 20), (8, b"\x03\x01")),
            Reason.LIMIT,
            "nested deeper",
        ),
        (header_v1((16, struct.pack("<QQ", 64, 16))), Reason.MALFORMED, "in circles"),
        (header_v1(*[(0, b"")] * 17_000), Reason.LIMIT, "more than 1"),
        (header_v1((17, struct.pack("<QQ", 0, 0))), Reason.MALFORMED, "no 'HEAP'"),
        (
            header_v1((6, b"\x01\x02" + struct.pack("<I", 2**31))),
            Reason.LIMIT,
            "link name of 2147483648 bytes",
        ),
        (header_v1((6, b"\x07\x00")), Reason.UNSUPPORTED, "link message of version 7"),
        (header_v1((2, b"\x01\x00")), Reason.UNSUPPORTED, "link info of version 1"),
        (header_v1((12, b"\x09" + bytes(20))), Reason.UNSUPPORTED, "attribute of version 9"),
        (header_v1((12, b"\x01\0" + b"\xff" * 6)), Reason.LIMIT, "attribute name of 65535"),
        (header_v1((12, b"\x01\0\x01\0\xff\xff\xff\xff" + bytes(8))), Reason.MALFORMED, "leaves its message"),
    ],
)
def test_hostile_messages_are_defects(root: bytes, reason: Reason, words: str) -> None:
    walk, found = walked(file_of(root))
    assert found == {}
    assert walk.defects.found[0].reason is reason
    assert words in walk.defects.found[0].message


def link(name: bytes, address: int) -> tuple[int, bytes]:
    return 6, b"\x01\0" + bytes([len(name)]) + name + struct.pack("<Q", address)


def attribute(name: bytes) -> tuple[int, bytes]:
    space = struct.pack("<BBBB4x", 1, 0, 0, 0)
    body = name.ljust(8, b"\0") + b"\x13\0\0\0\x01\0\0\0" + space + b"v"
    return 12, struct.pack("<BxHHH", 1, len(name), 8, 8) + body


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (header_v1(link(b"a", 1), link(b"a", 2)), "'/a' is there twice"),
        (header_v1(attribute(b"a"), attribute(b"a")), "two attributes of one name"),
        (header_v1((1, SPACE), (1, SMALL)), "says the same thing twice"),
        (header_v1((1, SPACE)).replace(b"\x10\0\0", b"\x10\0\x02", 1), "in the shared message heap"),
        (header_v1(*(attribute(b"a%d" % number) for number in range(600))), "more than 512 attributes"),
    ],
)
def test_what_two_readers_could_see_differently_is_a_defect(root: bytes, words: str) -> None:
    assert any(words in message for message in messages(file_of(root))), messages(file_of(root))


def test_a_claim_of_many_strings_is_refused() -> None:
    data = struct.pack("<BxHHH", 1, 8, 8, 16) + b"a".ljust(8, b"\0") + b"\x13\0\0\0\0\0\0\0" + SPACE
    assert "4611686018427387904 strings" in messages(file_of(header_v1((12, data))))[0]


def test_paths_are_bounded() -> None:
    deep = written(lambda file: file.create_dataset("/".join(["g"] * 80), data=1))
    assert "too many levels" in messages(deep)[0]
    long = written(lambda file: file.create_dataset("n" * 1_500, data=1))
    assert "does not end within 1024 bytes" in messages(long)[0]


def test_names_with_slashes_are_defects() -> None:
    data = NEW.replace(b"\x01x", b"\x01/") if b"\x01x" in NEW else NEW
    assert "has a part that is no name" in messages(data)[0]


def outcome(data: bytes) -> Walk | UnreadableError:
    try:
        walk, found = walked(data)
    except UnreadableError as error:
        return error
    for dataset in found.values():
        assert dataset.offset + dataset.length <= len(data)
    return walk


@pytest.mark.parametrize("data", [OLD, NEW], ids=["old", "new"])
def test_a_cut_anywhere_is_told(data: bytes) -> None:
    for cut in truncations(data):
        found = outcome(cut)
        assert isinstance(found, UnreadableError) or found.defects.found


@pytest.mark.parametrize("name", ["old", "new", "dense", "keras2"])
def test_flips_raise_nothing_else(name: str) -> None:
    for flipped in flips((FIXTURES / f"hdf5/{name}.h5").read_bytes(), 150):
        outcome(flipped)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (
        data,
        OLD[:96] + data,
        NEW[:48] + data,
        file_of(data),
        file_of(header_v1((17, data), (12, data))),
    ):
        outcome(candidate)


def test_overlapping_structures_cost_bounded_time_and_memory() -> None:
    # Every eighth byte starts a continuation that runs to the end of the file.
    count = 30_000
    body = bytearray()
    for number in range(count):
        body += struct.pack("<HHB3xQQ", 16, 16, 0, 64 + 24 * number, 24 * (count - number))
    data = file_of(struct.pack("<BxHII4x", 1, count, 1, len(body)) + bytes(body))
    tracemalloc.start()
    start = time.process_time()
    found = messages(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found
    assert peak < 16 * MIB
    assert time.process_time() - start < 5
