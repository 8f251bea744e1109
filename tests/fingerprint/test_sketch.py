"""Sampled elements follow from the number of elements, and hold what the file holds."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.weights_evidence import sample_width
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.sketch import Sampler, Summary, positions, summary
from aibom.readers.ranges import Memory
from tests.fingerprint.weights import arrays, model


def documented(elements: int) -> list[int]:
    """The rule again, as the documentation has it."""
    if elements <= 64:
        return list(range(elements))
    stream = blake3(b"aibom:sample:v1\0" + struct.pack("<QQ", elements, 0)).digest(512)
    found = []
    for part in range(64):
        start, end = part * elements // 64, (part + 1) * elements // 64
        found.append(start + struct.unpack_from("<Q", stream, 8 * part)[0] % (end - start))
    return found


@given(st.integers(0, 2**63))
def test_positions_are_those_of_the_documented_rule(elements: int) -> None:
    found = positions(elements)
    assert list(found) == documented(elements)
    assert len(set(found)) == min(elements, 64)
    assert all(0 <= at < elements for at in found)
    assert list(found) == sorted(found)


def test_positions_never_change() -> None:
    # Evidence that was written once must be comparable for ever.
    assert positions(65)[:8] == (0, 1, 2, 3, 4, 5, 6, 7)
    assert positions(4096 * 4096)[:3] == (189_941, 447_657, 780_557)


@given(st.integers(0, 3000), st.sampled_from([1, 2, 4, 8, 16]), st.lists(st.integers(0, 3000), max_size=5))
def test_a_sample_does_not_depend_on_how_the_bytes_arrive(size: int, width: int, cuts: list[int]) -> None:
    data = bytes(blake3(b"sample").digest(size))
    sampler = Sampler(size, width)
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    for start, end in pairwise(edges):
        sampler.update(memoryview(data)[start:end])
    expected = b"".join(data[at * width : (at + 1) * width] for at in positions(size // width))
    assert sampler.sample() == expected


def test_a_scan_samples_the_stored_elements() -> None:
    _, facts, evidence = model()
    for tensor, entry in zip(facts.tensors, evidence.content.tensors, strict=True):
        flat = arrays()[tensor.name].ravel()
        assert entry.sample == flat[list(positions(flat.size))].tobytes()


def test_storage_that_is_read_as_two_types_is_sampled_as_the_first() -> None:
    data, facts, _ = model()
    norm = next(tensor for tensor in facts.tensors if tensor.name == "norm")
    other = replace(norm, name="bytes", dtype="U8", shape=(norm.length,))
    found = fingerprint(Memory(data), replace(facts, tensors=(norm, other)), leaves=True)
    assert found.tensor_samples == (arrays()["norm"].tobytes(), b"")
    assert found.tensor_digests[0] == found.tensor_digests[1] is not None


@pytest.mark.parametrize(
    ("dtype", "width"), [("F32", 4), ("BF16", 2), ("F8_E4M3", 1), ("C128", 16), ("F4", 1), ("Q4_K", 1)]
)
def test_packed_elements_are_sampled_as_bytes(dtype: str, width: int) -> None:
    assert sample_width(dtype) == width


@pytest.mark.parametrize("dtype", ["F16", "F32", "F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"])
def test_the_summary_is_that_of_numpy(dtype: str) -> None:
    kind = np.dtype(dtype.replace("F", "f").replace("I", "i").replace("U", "u")[0] + str(int(dtype[1:]) // 8))
    numbers = np.array([1, 2, 3, 5, 8, 100], kind)
    found = summary(numbers.tobytes(), dtype)
    assert found is not None
    wide = numbers.astype(np.float64)
    assert (found.count, found.absmax) == (6, 100)
    assert math.isclose(found.mean, wide.mean())
    assert math.isclose(found.std, wide.std())


def test_bfloat16_is_the_upper_half_of_binary32() -> None:
    upper = b"".join(struct.pack("<f", number)[2:] for number in (1.5, -2.5))
    assert summary(upper, "BF16") == Summary(count=2, mean=-0.5, std=2.0, absmax=2.5)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([math.nan, math.inf, 2.0], Summary(count=1, mean=2.0, std=0.0, absmax=2.0)),
        ([math.nan, -math.inf], None),
        ([], None),
        ([0.0, 0.0], Summary(count=2, mean=0.0, std=0.0, absmax=0.0)),
        ([1.7e308, 1.7e308], Summary(count=2, mean=1.7e308, std=0.0, absmax=1.7e308)),
    ],
)
def test_numbers_that_are_not_finite_are_left_out(numbers: list[float], expected: Summary | None) -> None:
    assert summary(struct.pack(f"<{len(numbers)}d", *numbers), "F64") == expected


def test_types_without_plain_numbers_have_no_summary() -> None:
    assert summary(b"\1" * 64, "Q4_K") is None
