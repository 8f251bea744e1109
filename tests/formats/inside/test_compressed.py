"""Compressed files: by magic at any name, in bounded memory, with whatever stands behind."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import joblib
import numpy as np
import pytest

from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, MIB
from tests.formats.inside.build import EVIL, EVIL_0, deflated, hazards, imported, look, reasons, seen, zipped

Pack = Callable[[bytes], bytes]


def alone(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


def zfile(data: bytes) -> bytes:
    """What joblib wrote before version 0.10."""
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


PACKS: dict[str, Pack] = {
    "gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress, "xz": lzma.compress,
    "lzma": alone, "zfile": zfile,
}  # fmt: skip
HEADER = b"\x1f\x8b\x08" + bytes(7)  # of gzip
STREAMS = [name for name in PACKS if name != "zfile"]


@pytest.mark.parametrize("kind", PACKS)
@pytest.mark.parametrize("name", ["model.pkl", "model.bin", "notes.txt", "noname"])
def test_a_compressed_pickle_is_found_under_any_name(kind: str, name: str) -> None:
    inside = seen(PACKS[kind](EVIL), name)
    assert imported(inside) == [(kind, "posix.system")]
    assert (inside.container, inside.may_run, inside.hazards, inside.defects) == (True, True, (), ())


@pytest.mark.parametrize("kind", STREAMS)
def test_several_streams_are_one_content(kind: str) -> None:
    assert imported(seen(PACKS[kind](EVIL[:9]) + PACKS[kind](EVIL[9:]), "a.bin")) == [(kind, "posix.system")]


@pytest.mark.parametrize("kind", PACKS)
def test_what_follows_is_a_hazard_and_examined(kind: str) -> None:
    data = PACKS[kind](EVIL)
    inside = seen(data + EVIL_0, "a.bin")
    assert hazards(inside) == {(HazardKind.ARCHIVE_STRUCTURE, "trailing")}
    assert imported(inside) == [(kind, "posix.system"), (f"@{len(data)}", "posix.system")]
    assert hazards(seen(data + bytes(8), "a.bin")) == set()


@pytest.mark.parametrize("kind", PACKS)
def test_a_cut_stream_is_a_defect_and_what_it_holds_is_walked(kind: str) -> None:
    inside = seen(PACKS[kind](EVIL + bytes(64))[:-9], "a.pkl")
    assert {"truncated", "malformed"} & {*reasons(inside)}
    assert inside.may_run


@pytest.mark.parametrize("kind", PACKS)
def test_compressed_text_says_nothing(kind: str) -> None:
    inside = look(PACKS[kind](b"hello world, " * 500), "a.txt.gz")
    assert inside is None or (inside.imports, inside.hazards, inside.defects, inside.may_run) == (
        (),
        (),
        (),
        0,
    )


@pytest.mark.parametrize("data", [b"x^2 + y^2 = z^2\n", b"x\x9cfloat data" * 9, b"]\0\0\x80\0" + bytes(40)])
def test_what_only_begins_like_a_stream_says_nothing(data: bytes) -> None:
    assert look(data, "formula") is None


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_what_joblib_compresses_is_walked_past_its_arrays(compress: str) -> None:
    file = io.BytesIO()
    joblib.dump({"a": np.arange(3_000), "b": np.array([{1}], object)}, file, compress=(compress, 3))
    inside = seen(file.getvalue(), "model.joblib")
    names = {item.name for item in inside.imports}
    assert {"joblib.numpy_pickle.NumpyArrayWrapper", "numpy.ndarray", "numpy.dtype"} <= names
    assert inside.defects == ()


def test_a_bomb_is_told_although_nothing_is_known_of_its_content() -> None:
    packed, small = HEADER + deflated(b"", 296 * MIB), HEADER + deflated(b"", 96 * MIB)
    tracemalloc.start()
    inside = seen(packed, "a.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert hazards(inside) == {(HazardKind.DECOMPRESSION_BOMB, "ratio")}
    assert peak < MIB
    assert hazards(look(small, "a.gz")) == set()


def test_content_that_does_not_fit_is_walked_as_far_as_it_does() -> None:
    chance = np.random.default_rng(0).bytes(64 * KIB) * 16
    packed = gzip.compress(EVIL[:-1] + struct.pack("<cI", b"B", 70 * MIB)) + gzip.compress(chance, 1) * 70
    tracemalloc.start()
    inside = seen(packed, "model.pkl.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "limit" in reasons(inside)
    assert imported(inside) == [("gzip", "posix.system")]
    assert peak < 80 * MIB


def test_a_claim_of_memory_is_a_limit() -> None:
    data = bytearray(lzma.compress(EVIL, check=lzma.CHECK_NONE, filters=[{"id": lzma.FILTER_LZMA2}]))
    data[16] = 38  # a dictionary of 2 GiB
    data[20:24] = struct.pack("<I", zlib.crc32(data[12:20]))
    inside = seen(bytes(data), "a.pkl")
    assert (reasons(inside), inside.may_run) == (["limit"], True)


def test_an_lzma_member_may_not_claim_memory_either() -> None:
    data = bytearray(zipped({"a": EVIL}, 14))
    data[36:40] = struct.pack("<I", 2**31)
    assert "limit" in reasons(seen(bytes(data), "a.zip"))
